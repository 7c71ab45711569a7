"""What `make lite` takes from elsewhere is what was pinned, and where it cannot be had the site is made without it."""

import io
import json
import py_compile
import re
import sys
import tomllib
import traceback
import zipfile

import pytest
from packaging.requirements import Requirement

from capslib import digits
from tests import ROOT
from tests.project.test_packaging import locked
from tests.widgets.browser.test_site import served
from tools.lite import __main__ as lite
from tools.lite import bytecode, pyodide


def entry(name, depends=(), content=b""):
    return {
        "name": name,
        "version": "1",
        "file_name": f"{name}.whl",
        "depends": list(depends),
        "sha256": pyodide.hashlib.sha256(content).hexdigest(),
    }


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """A small Pyodide in a folder: a core of two files, and three packages of which two are needed."""
    folder = tmp_path / "release"
    folder.mkdir()
    packages = [entry("matplotlib", ["Kiwi_Solver"], b"m"), entry("kiwi-solver", [], b"k"), entry("pandas", [], b"p")]
    lock = json.dumps({"packages": {package["name"]: package for package in packages}}).encode()
    for name, content in {
        pyodide.LOCK: lock,
        "pyodide.js": b"js",
        "matplotlib.whl": b"m",
        "kiwi-solver.whl": b"k",
    }.items():
        (folder / name).write_bytes(content)
    sums = {name: pyodide.sha256(folder / name) for name in (pyodide.LOCK, "pyodide.js")}
    monkeypatch.setattr(pyodide, "CORE", sums)
    monkeypatch.setattr(pyodide, "needed", lambda lock, needed=pyodide.needed: needed(lock, ("matplotlib",)))
    return folder


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_pyodide_is_taken_from_a_folder_and_only_what_is_needed(distribution, tmp_path):
    kept = pyodide.fetched(str(distribution), tmp_path / "kept")
    assert names(kept) == ["kiwi-solver.whl", "matplotlib.whl", pyodide.LOCK, "pyodide.js"]


def test_pyodide_is_taken_from_an_address_and_then_found(distribution, tmp_path):
    with served(distribution) as address:
        kept = pyodide.fetched(address, tmp_path / "kept")
    assert pyodide.fetched(address, tmp_path / "kept") == kept, "nothing is asked for twice"


@pytest.mark.parametrize("name", ["pyodide.js", pyodide.LOCK, "kiwi-solver.whl"])
@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b"another"), lambda file: file.unlink()])
def test_a_file_that_is_missing_or_another_one_is_named(distribution, tmp_path, name, damage):
    damage(distribution / name)
    with pytest.raises(pyodide.Missing, match=rf"^{re.escape(name)} of Pyodide \d.*(not found in|expected)") as raised:
        pyodide.fetched(str(distribution), tmp_path / "kept")
    assert "\n" not in str(raised.value) and not (tmp_path / "kept" / name).exists()


def test_without_pyodide_one_line_says_so_and_the_site_is_made(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(pyodide, "KEPT", tmp_path)
    monkeypatch.setattr(pyodide.fetched, "__defaults__", (pyodide.RELEASE, tmp_path))
    monkeypatch.setattr(lite.web, "build", lambda *given, edition, repository: made.append(edition))
    monkeypatch.setattr(sys, "argv", ["lite", "--pyodide", str(tmp_path / "nowhere")])
    lite.main()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        "lite: the site is made without lessons that run in the browser: pyodide-lock.json of Pyodide"
    )
    assert made == [None]


def test_the_oldest_versions_that_capslib_accepts_are_those_of_pyodide():
    try:
        lock = json.loads((pyodide.KEPT / pyodide.LOCK).read_text(encoding="utf-8"))
    except OSError:
        pytest.skip("Pyodide's lock is not here; make lite fetches it")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    accepted = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    for name in ("numpy", "scipy", "matplotlib", "pillow"):
        assert accepted[name].contains(lock["packages"][name]["version"])
    assert lock["info"]["version"] == pyodide.VERSION


def test_wheels_are_pinned_at_the_versions_of_the_lock():
    lines = [line for line in (ROOT / "tools/lite/wheels.txt").read_text().splitlines() if not line.startswith("#")]
    found = [re.fullmatch(r"([\w-]+)==([\w.]+) --hash=sha256:[0-9a-f]{64}", line) for line in lines]
    assert all(found) and len(found) > 5
    versions = locked("3.12")
    others = [one[1] for one in found if one[1] in versions and versions[one[1]] != one[2]]
    assert others == ["jupyterlab-widgets"], "JupyterLite is made of an older JupyterLab"


def test_a_wheel_is_described_as_a_lock_does(tmp_path):
    wheel = tmp_path / "two_words-1.2-py3-none-any.whl"
    about = "Name: two-words\nRequires-Dist: NumPy>=2\nRequires-Dist: keras; extra == 'course'\n"
    about += "Requires-Dist: colorama; sys_platform == 'win32'\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("two_words/__init__.py", "")
        archive.writestr("alone.py", "")
        archive.writestr("two_words-1.2.dist-info/METADATA", about)
    described = pyodide.describe(wheel)
    assert described["name"] == "two-words" and described["version"] == "1.2"
    assert described["imports"] == ["alone", "two_words"] and described["depends"] == ["numpy"]
    assert described["sha256"] == pyodide.sha256(wheel)


def archived(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("with_source", [False, True])
def test_python_in_an_archive_becomes_bytecode(tmp_path, monkeypatch, with_source):
    name = f"of_a_wheel_{with_source}".lower()
    files = {f"{name}/__init__.py": "from . import inner\n", f"{name}/inner.py": "def f():\n    return 1 / 0\n"}
    made = bytecode.compiled(archived({**files, f"{name}/data.txt": "kept"}), "/installed", with_source)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.read(f"{name}/data.txt") == b"kept"
        sources = [file for file in archive.namelist() if file.endswith(".py")]
        archive.extractall(tmp_path)
    assert sources == (list(files) if with_source else [])
    # Were the source read, this would be what Python finds.
    for file in sources:
        (tmp_path / file).write_text("raise AssertionError")
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__(name)
    with pytest.raises(ZeroDivisionError) as raised:
        module.inner.f()
    assert traceback.extract_tb(raised.tb)[-1].lineno == 2
    assert bytecode.compiled(archived(files), "/installed", with_source) == bytecode.compiled(
        archived(files), "/installed", with_source
    )


def test_what_is_not_python_is_not_made_into_bytecode():
    with pytest.raises(py_compile.PyCompileError, match=r"/installed/broken\.py"):
        bytecode.compiled(archived({"broken.py": "def"}), "/installed", True)


def test_without_node_the_site_is_made_without_lessons(tmp_path, monkeypatch):
    monkeypatch.setattr(pyodide.shutil, "which", lambda name: None)
    with pytest.raises(pyodide.Missing, match=r"^node: not found"):
        pyodide.to_bytecode(tmp_path, tmp_path)


def test_the_digits_and_the_fonts_come_in_the_form_that_loads_fast(tmp_path):
    wheel = tmp_path / "matplotlib.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("matplotlib/fontlist.json", json.dumps({"_version": 390, "ttflist": []}))
        archive.writestr("matplotlib/font_manager.py", "class FontManager:\n    __version__ = 330\n")
    (tmp_path / "caches.zip").write_bytes(pyodide.caches(wheel))
    with zipfile.ZipFile(tmp_path / "caches.zip") as archive:
        assert json.loads(archive.read("matplotlib/fontlist.json")) == {"_version": 330, "ttflist": []}
        archive.extract(f"{pyodide.CACHES}/capslib/mnist_5k.npz", tmp_path)
    x, y = digits._read(tmp_path / pyodide.CACHES / "capslib" / "mnist_5k.npz", ("x", "y"))
    assert x.shape == (5000, 28, 28) and (x == digits.bundled()[0]).all() and (y == digits.bundled()[1]).all()


def test_outputs_are_one_text_each(tmp_path):
    lite.write_project(tmp_path, "pyodide", [])
    for name in lite.LESSONS:
        notebook = json.loads((tmp_path / "contents" / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
        assert notebook["metadata"]["kernelspec"] == lite.KERNEL
        outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
        texts = [output["text"] for output in outputs if "text" in output]
        texts += [value for output in outputs for kind, value in output.get("data", {}).items() if "json" not in kind]
        assert texts and all(isinstance(text, str) for text in texts)
