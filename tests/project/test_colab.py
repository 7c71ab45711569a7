"""Copies of the notebooks for Colab: they install the course there alone, and their links lead somewhere."""

import json
import re
import shutil
import subprocess
import sys
import types

import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager

from tests import ROOT
from tools import colab

REPOSITORY, ADDRESS = "someone/capsules", "https://example.org/capsules/"


def markdown(*texts):
    cells = [
        {"cell_type": "markdown", "id": str(number), "metadata": {}, "source": [text]}
        for number, text in enumerate(texts)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def copied(text, folder="notebooks"):
    notebook = markdown(text)
    made = colab.copy_for_colab(notebook, folder, REPOSITORY, ADDRESS)
    assert notebook == markdown(text), "the saved one stays"
    return "".join(made["cells"][1]["source"])


@pytest.mark.parametrize(
    "place", sorted(path.relative_to(ROOT) for path in (ROOT / "notebooks").rglob("*.ipynb")), ids=str
)
def test_a_copy_is_a_notebook_with_one_more_cell_and_no_file_beside_it(place):
    notebook = nbformat.read(ROOT / place, as_version=4)
    made = colab.copy_for_colab(json.loads((ROOT / place).read_text()), place.parent.as_posix(), REPOSITORY, ADDRESS)
    copy = nbformat.reads(json.dumps(made), as_version=4)
    nbformat.validate(copy)
    assert [cell.id for cell in copy.cells[1:]] == [cell.id for cell in notebook.cells]
    for old, new in zip(notebook.cells, copy.cells[1:], strict=True):
        if old.cell_type == "code":
            assert new == old
            continue
        for link in colab.LINK.finditer(old.source):
            assert (ROOT / place.parent / link["target"]).is_file(), "no formula is taken for a link"
        text = re.sub(r"\$.*?\$|`.*?`", "", new.source, flags=re.S)
        assert all(re.match(r"https:|#", target) for target in re.findall(r"\]\(([^)\s]+)\)", text))
        for path in re.findall(rf"{colab.COLAB}/github/{REPOSITORY}/blob/{colab.BRANCH}/([^)#]+)", new.source):
            assert (ROOT / path).is_file(), path
        for name in re.findall(rf"{ADDRESS}_images/([^)]+)", new.source):
            assert len([*ROOT.glob(f"figures/{name}"), *ROOT.glob(f"benchmarks/results/{name}")]) == 1, name


def test_links_lead_to_colab_to_the_site_and_to_the_repository():
    there = f"{colab.COLAB}/github/{REPOSITORY}/blob/colab/notebooks"
    assert copied("[a](04_b.ipynb)") == f"[a]({there}/04_b.ipynb)"
    assert copied("[a](../04_b.ipynb)", "notebooks/solutions") == f"[a]({there}/04_b.ipynb)"
    assert copied("![Two capsules.](../figures/a.svg)") == f"![Two capsules.]({ADDRESS}_images/a.svg)"
    assert copied("[a](TEACHING.md)") == "[a](https://github.com/someone/capsules/blob/colab/notebooks/TEACHING.md)"
    for kept in ("[a](https://example.org/x)", "[a](#part)", r"$f[i](x, y)$", "`a[0](b c)`"):
        assert copied(kept) == kept


@pytest.mark.parametrize("there", [False, True])
def test_the_first_cell_installs_the_course_in_colab_and_nowhere_else(monkeypatch, there):
    (cell, *_) = colab.copy_for_colab(markdown("# Title"), "notebooks", REPOSITORY, ADDRESS)["cells"]
    asked = []
    shell = types.SimpleNamespace(run_line_magic=lambda *given: asked.append(given))
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    if there:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    exec(TransformerManager().transform_cell("".join(cell["source"])), {"get_ipython": lambda: shell})
    install = 'install --quiet "capslib[course] @ git+https://github.com/someone/capsules@colab"'
    assert asked == ([("pip", install)] if there else [])


@pytest.mark.parametrize("wrong", ["capsules", "https://github.com/someone/capsules", "a/b/c", 'a/b"'])
def test_what_is_no_repository_is_refused_before_anything_is_written(tmp_path, wrong):
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"^repository: got .*, expected OWNER/NAME$"):
        colab.write_all(wrong, ADDRESS, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["kept.txt"]


def test_the_workflow_puts_the_copies_into_the_branch_that_the_site_opens(tmp_path):
    """Its commands, run on a small repository in the place of the course's."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main"]
    here, origin = tmp_path / "here", tmp_path / "origin.git"
    (here / "notebooks").mkdir(parents=True)
    (here / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "colab.py", here / "tools")
    (here / "notebooks" / "03_a.ipynb").write_text(json.dumps(markdown("# A")), encoding="utf-8")
    (here / ".gitignore").write_text("build\n", encoding="utf-8")
    subprocess.run([*git, "init", "--quiet", "--bare", origin], check=True)
    for command in (["init", "--quiet"], ["remote", "add", "origin", origin], ["add", "."], ["commit", "-qm", "main"]):
        subprocess.run([*git, *command], cwd=here, check=True)
    job = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8"))["jobs"]["colab"]
    (commands,) = [step["run"] for step in job["steps"] if "run" in step]
    given = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "GITHUB_REPOSITORY": REPOSITORY,
        "ADDRESS": ADDRESS,
        "HOME": str(tmp_path),
    }
    (tmp_path / "python").symlink_to(sys.executable)
    done = subprocess.run(["bash", "-ec", commands], cwd=here, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = subprocess.run(
        ["git", "show", f"{colab.BRANCH}:notebooks/03_a.ipynb"], cwd=origin, capture_output=True, check=True
    )
    assert json.loads(shown.stdout)["cells"][0]["id"] == "colab-install"
    assert job["permissions"] == {"contents": "write"} and job["needs"] == "site"
