"""The floors hold, and the files that tell editors, git and GitHub about the project say what is true."""

import configparser
import fnmatch
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib

import pytest
import yaml

from tests import ROOT
from tools.web import __main__ as web

# Floors -----------------------------------------------------------------------------------------------------------

PACKAGES = ("capslib", "benchmarks", "figures", "tools", "tests")
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"
WITHIN = "\n\ndef planted():\n    import {}\n"


@pytest.fixture(scope="module")
def lint_imports(tmp_path_factory):
    """Runs import-linter on a copy of the project's programs, with imports added to some modules; what it says."""

    def run(planted):
        copy = tmp_path_factory.mktemp("house")
        shutil.copy(ROOT / "pyproject.toml", copy)
        for package in PACKAGES:
            for file in (ROOT / package).rglob("*.py"):
                (copy / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy / file.relative_to(ROOT))
        for importer, imported in planted:
            module = copy / importer.replace(".", "/")
            file = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
            with open(file, "a", encoding="utf-8") as program:
                program.write(WITHIN.format(imported))
        command = [sys.executable, "-c", LINT, "--no-logo", "--no-cache"]
        # Wide, so that no line is broken; and never the project's own packages instead of the copy's.
        env = {**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "200"}
        return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True)

    return run


PLANTED = [
    ("capslib.records", "capslib.plots"),
    ("capslib.checks", "capslib.weights"),
    ("capslib.poses", "tools.ship"),
    ("capslib.equations", "scipy"),
    ("capslib.transforms", "tensorflow"),
    ("capslib.plots", "keras"),
    ("capslib.exercises", "capslib.models"),
    ("capslib.widgets.base", "capslib.training"),
    ("capslib.losses", "matplotlib"),
    ("capslib.tracing", "capslib.widgets"),
    ("capslib.weights", "benchmarks"),
    ("capslib.layers", "tests"),
    ("benchmarks.timing", "tests.library"),
    ("figures.structure", "tests"),
    ("tools.browser.harness", "tests"),
    ("capslib.newcomer", "json"),
]


def test_the_floors_hold(lint_imports):
    done = lint_imports([])
    assert done.returncode == 0 and " 0 broken" in done.stdout, done.stdout + done.stderr


def test_an_import_across_the_floors_is_found(lint_imports):
    done = lint_imports(PLANTED)
    assert done.returncode == 1 and "0 kept" in done.stdout, done.stdout + done.stderr
    said = re.sub(r"\s+", " ", done.stdout)
    missed = [pair for pair in PLANTED[:-1] if f"{pair[0]} -> {pair[1]} (" not in said]
    assert missed == []
    assert "capslib.newcomer" in said, "a module that is on no floor"


def test_every_module_is_in_the_lists_of_its_floor():
    """The layers are complete, or the linter complains; what names modules one by one has to follow them."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = tools["importlinter"]["contracts"]
    _, layers, mirrored = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    pictures, keras, ground = ({f"capslib.{name}" for name in layer.split(" : ")} for layer in layers)
    assert mirrored == [layers[1], layers[0], layers[2]]
    without_keras, without_pictures, _ = (set(c["source_modules"]) for c in contracts if c["type"] == "forbidden")
    assert without_keras == ground | pictures and without_pictures == keras
    typed = [set(part["module"]) for part in tools["mypy"]["overrides"] if part.get("disallow_untyped_defs")]
    assert typed == [ground]


# GitHub, git and editors ------------------------------------------------------------------------------------------


def read_yaml(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_dev_container_has_the_python_that_everything_is_tested_with():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    python = container["image"].removeprefix("python:")
    assert f"- python={python}\n" in (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert container["postCreateCommand"] == "make setup"


def test_one_workflow_publishes_the_site_that_make_lite_makes():
    job = read_yaml(".github/workflows/site.yml")["jobs"]["site"]
    (command,) = [step["run"] for step in job["steps"] if "run" in step]
    assert command.startswith("make lite ADDRESS=") and command.endswith('REPOSITORY="$GITHUB_REPOSITORY"')
    (folder,) = [step["with"]["path"] for step in job["steps"] if "path" in step.get("with", {})]
    assert ROOT / folder == web.SITE


def test_the_other_workflow_runs_what_tests_everything():
    files = {file.name for file in (ROOT / ".github/workflows").iterdir()}
    assert files == {"ci.yml", "site.yml"}
    workflow = read_yaml(".github/workflows/ci.yml")
    assert {"push", "pull_request"} <= set(workflow[True]), "YAML reads `on` as true"
    job = workflow["jobs"]["test"]
    runs = {name: [step["run"] for step in one["steps"] if "run" in step] for name, one in workflow["jobs"].items()}
    assert runs == {"test": [".ci/run"], "oldest": ["make test-oldest"], "coverage": ["make coverage"]}
    assert os.stat(ROOT / ".ci/run").st_mode & stat.S_IXUSR
    (python,) = (step["with"]["python-version"] for step in job["steps"] if "python-version" in step.get("with", {}))
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert isinstance(python, str) and f"- python={python}\n" in environment


def test_what_ci_looks_for_in_the_output_is_what_pytest_ends_with():
    """After a failure `.ci/run` looks for that line."""
    (pattern,) = re.findall(r"grep -E '(.*)' \"\$log\"", (ROOT / ".ci/run").read_text(encoding="utf-8"))
    last = "2 failed, 1891 passed, 3 skipped, 24 warnings in 126.62s (0:02:06)"
    above = ["FAILED tests/library/test_equations.py::test_squash - assert 1 == 2", "................... [100%]"]
    for line, found in [*((line, False) for line in above), (last, True)]:
        done = subprocess.run(["grep", "-E", pattern], input=line + "\n", capture_output=True, text=True)
        assert bool(done.stdout) == found, line


FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
KINDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


@pytest.mark.parametrize("path", FORMS, ids=[path.stem for path in FORMS])
def test_issue_forms_have_what_github_asks_for(path):
    form = read_yaml(path)
    assert form["name"] and form["description"] and form["body"]
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in form["body"]} <= KINDS
    names = [part["id"] for part in asked]
    assert len(set(names)) == len(names) and all(re.fullmatch(r"[\w-]+", name) for name in names)
    assert all(part["attributes"]["label"] for part in asked)
    assert all(part["attributes"]["options"] for part in asked if part["type"] == "dropdown")
    assert any(part.get("validations", {}).get("required") for part in asked)


def test_there_are_three_issue_forms():
    assert [path.stem for path in FORMS] == ["claim", "sentence", "widget"]


def test_pre_commit_runs_the_tools_of_the_environment():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (repo,) = read_yaml(".pre-commit-config.yaml")["repos"]
    assert repo["repo"] == "local", "another would be fetched"
    for hook in repo["hooks"]:
        python, module = hook["entry"].split(" -m ")
        assert (hook["language"], python) == ("system", ".venv/bin/python")
        assert f"$(PY) -m {module.split()[0]}" in makefile


def test_editors_keep_what_the_linter_asks_for():
    text = (ROOT / ".editorconfig").read_text(encoding="utf-8")
    config = configparser.ConfigParser()
    config.read_string("[top]\n" + text)
    assert config["top"]["root"] == "true"
    assert config["*"]["indent_size"] == "4" and config["Makefile"]["indent_style"] == "tab"
    assert config["*.{py,js}"]["max_line_length"] == "120"
    assert "line-length = 120" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_gitattributes_name_files_that_exist():
    lines = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    patterns = [line.split()[0] for line in lines if line and not line.startswith("#")]
    folders = ("figures", "notebooks", "capslib/weights")
    files = [str(file.relative_to(ROOT)) for folder in folders for file in (ROOT / folder).iterdir()]
    files.append("requirements.lock")
    assert [pattern for pattern in patterns if not fnmatch.filter(files, pattern)] == []
