"""The course installs: one lock for everyone, a wheel that holds the weights, and a setup that says what is missing."""

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests import ROOT
from tools.floors import floors

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYTHONS = [f"3.{n}" for n in range(30) if SpecifierSet(PROJECT["project"]["requires-python"]).contains(f"3.{n}.5")]


def locked(python, system="linux"):
    """name → version, of what the lock installs for one Python on Linux or a Mac."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.5",
        "sys_platform": system,
        "os_name": "posix",
        "implementation_name": "cpython",
    }
    found = {}
    for line in LOCK.splitlines():
        if line.startswith(("#", " ")) or not line:
            continue
        pin, _, marker = line.partition(" ; ")
        name, version = pin.split("==")
        if not marker or Marker(marker).evaluate(environment):
            assert name not in found, f"{name} is locked twice for Python {python}"
            found[canonicalize_name(name)] = version
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_the_lock_fits_what_the_project_asks_for(python, system):
    versions = locked(python, system)
    course = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["course"]
    for wanted in course + PROJECT["dependency-groups"]["dev"]:
        requirement = Requirement(wanted)
        version = versions.get(canonicalize_name(requirement.name))
        assert version and requirement.specifier.contains(version), f"{wanted}: the lock has {version}"


def test_alone_capslib_brings_no_network_and_no_jupyterlab():
    alone = {canonicalize_name(Requirement(wanted).name) for wanted in PROJECT["project"]["dependencies"]}
    assert not alone & {"keras", "tensorflow", "jupyterlab", "tqdm"}
    assert {"numpy", "scipy", "matplotlib", "anywidget", "ipywidgets", "mlxtend", "pillow", "platformdirs"} == alone


def test_the_oldest_versions_are_exact_and_accepted():
    oldest = [Requirement(line) for line in floors()]
    accepted = {one.name: one.specifier for one in map(Requirement, PROJECT["project"]["dependencies"])}
    assert [one.name for one in oldest] == list(accepted)
    for one in oldest:
        (exact,) = one.specifier
        assert exact.operator == "==" and accepted[one.name].contains(exact.version)


def test_the_lock_names_no_address():
    assert not re.search(r"://| @ |--|\b[\w-]+\.(?:org|com|net|io)\b", LOCK)
    assert not [name for name in ("uv.lock", "pylock.toml") if (ROOT / name).exists()]


def test_learners_install_nothing_that_only_a_class_needs():
    (wanted,) = map(Requirement, PROJECT["project"]["optional-dependencies"]["class"])
    assert wanted.name == "nbgrader" and wanted.specifier.contains("0.9.6") and not wanted.specifier.contains("0.10.0")
    assert not [python for python in PYTHONS if wanted.name in locked(python)]


def environment_yml():
    """The pinned Python of environment.yml, and the list that pip gets."""
    data = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    names = [item for item in data["dependencies"] if isinstance(item, str)]
    (pip,) = (item["pip"] for item in data["dependencies"] if isinstance(item, dict))
    assert "pip" in names
    (python,) = (name for name in names if name.startswith("python"))
    return python, pip


def test_environment_yml_follows_the_lock():
    python, pip = environment_yml()
    assert re.fullmatch(r"python=3\.\d+", python), "Binder reads only this form"
    assert python.removeprefix("python=") in PYTHONS
    named = dict(item.split("==") for item in pip if "==" in item)
    assert {"jupyterlab", "tensorflow", "matplotlib", "ipywidgets", "nbval"} <= named.keys()
    versions = locked(python.removeprefix("python="))
    assert named == {name: versions[name] for name in named}
    assert pip[len(named) :] == ["-r requirements.lock", "-e .[course]"]


def test_the_citation_is_of_this_version():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= cff.keys()
    assert cff["cff-version"] == "1.2.0" and cff["version"] == PROJECT["project"]["version"]
    assert cff["license"] == PROJECT["project"]["license"] and cff["authors"][0]["name"]


# The wheel --------------------------------------------------------------------------------------------------------

LOAD = """
import json, pathlib, sys
import capslib
assert pathlib.Path(capslib.__file__).is_relative_to(sys.argv[1]), capslib.__file__
from capslib import models, runs, weights
shipped = {file.stem for file in weights.FOLDER.glob("*.npz")}
for name in sorted(shipped):
    model = runs.MODELS[name]()
    fresh = model.get_weights()
    weights.load_into(model)
    assert any((a != b).any() for a, b in zip(fresh, model.get_weights())), name
    assert weights.card(name)["model"] == name
models.article_capsnet(weights="shipped")
models.matched_cnn("flatten", weights="shipped")
models.matched_cnn("global", weights="shipped")
from capslib import exercises, widgets
assert exercises.quiz("04").questions and widgets.VoteRouter()
print(json.dumps(sorted(shipped)))
"""


def test_the_wheel_brings_weights_that_load(tmp_path):
    # Built from a copy: a build leaves files behind, and old ones could stand in for what a wheel forgets.
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / "source").mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    shutil.copytree(ROOT / "capslib", tmp_path / "source/capslib", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    build = [*pip, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", tmp_path, tmp_path / "source"]
    subprocess.run(build, check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("capslib-*.whl")
    place = tmp_path / "installed"
    subprocess.run([*pip, "install", "--no-index", "--no-deps", "--target", place, wheel], check=True, cwd=tmp_path)
    assert {p.name for p in place.iterdir()} >= {"capslib"}
    env = {**os.environ, "PYTHONPATH": str(place)}
    load = [sys.executable, "-c", LOAD, place]
    done = subprocess.run(load, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    for name in ("article_capsnet", "matched_cnn_flatten", "matched_cnn_global"):
        assert f'"{name}"' in done.stdout


def test_every_module_is_in_the_wheel():
    packages = {str(file.parent.relative_to(ROOT)).replace("/", ".") for file in ROOT.glob("capslib/**/*.py")}
    assert packages == set(PROJECT["tool"]["setuptools"]["packages"])


# Setting up -------------------------------------------------------------------------------------------------------


@pytest.fixture
def find_python(tmp_path):
    """Runs tools/find_python.sh where the only Pythons are stand-ins, made of a name, a version and an exit status."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "sed", "dirname"):
        (folder / tool).symlink_to(shutil.which(tool))

    def run(pythons, *given):
        for name, version, status in pythons:
            stand_in = folder / name
            stand_in.write_text(f"#!/bin/sh\necho {version}\nexit {status}\n")
            stand_in.chmod(0o755)
        command = ["sh", str(ROOT / "tools/find_python.sh"), *given]
        return subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True)

    return run


OLD, GOOD, BARE, INTEL = 3, 0, 5, 4


@pytest.mark.parametrize(
    ("pythons", "given", "chosen"),
    [
        ([("python3", "3.11.7", GOOD), ("python3.13", "3.13.0", GOOD)], [], "python3"),
        ([("python3", "3.10.1", OLD), ("python3.12", "3.12.1", GOOD)], [], "python3.12"),
        (
            [("python3", "3.14.0", OLD), ("python3.13", "3.13.0", BARE), ("python3.11", "3.11.2", GOOD)],
            [],
            "python3.11",
        ),
        ([("python3", "3.11.7", GOOD), ("mine", "3.12.1", GOOD)], ["mine"], "mine"),
        ([("python3", "3.11.7", GOOD)], [""], "python3"),
    ],
)
def test_a_python_that_will_do_is_found(find_python, pythons, given, chosen):
    done = find_python(pythons, *given)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{chosen}\n", "")


@pytest.mark.parametrize(
    ("pythons", "given", "says"),
    [
        ([("python3", "3.10.1", OLD)], [], "python3 is Python 3.10.1, expected Python 3.11 to 3.13"),
        ([("python3", "3.10.1", OLD), ("python3.12", "3.12.1", BARE)], [], r"python3.12 \(Python 3.12.1\) has no venv"),
        ([], [], "found no Python at python3 python3.13 python3.12 python3.11, expected Python 3.11 to 3.13"),
        ([("python3", "3.11.7", GOOD)], ["nosuch"], "found no Python at nosuch"),
        ([("python3", "3.11.7", GOOD), ("old", "2.7.18", OLD)], ["old"], "old is Python 2.7.18"),
        ([("python3", "3.12.1", INTEL)], [], "there is no TensorFlow for Macs with an Intel processor"),
    ],
)
def test_a_python_that_will_not_do_is_refused_in_one_line(find_python, pythons, given, says):
    done = find_python(pythons, *given)
    assert done.returncode == 1 and done.stdout == ""
    assert re.match(f"setup: {says}.*\n$", done.stderr) and done.stderr.count("\n") == 1


def test_the_python_that_runs_this_will_do():
    done = subprocess.run(["sh", ROOT / "tools/find_python.sh", sys.executable], capture_output=True, text=True)
    assert done.stdout == f"{sys.executable}\n", done.stderr


@pytest.mark.parametrize("name", ["ensurepip", "venv"])
def test_a_python_without_venv_is_noticed(tmp_path, name):
    (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError({name!r})")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        ["sh", ROOT / "tools/find_python.sh", sys.executable], capture_output=True, text=True, env=env
    )
    assert done.returncode == 1 and "has no venv module; install it" in done.stderr


# Both the Python that makes an environment and the one in it. Its pip says where it was made, as a real one does.
STAND_IN = """#!/bin/sh
echo "$*" >>calls
case "$*" in
    "-m venv"*)
        mkdir -p .venv/bin && cp "$0" .venv/bin/python
        echo "echo 'pip 23.2 from $PWD/.venv/lib/python3.12/site-packages/pip (python 3.12)'" >.venv/bin/pip
        chmod +x .venv/bin/pip ;;
    "-m pip install"*" uv=="*) test ! -e no-uv ;;
    "-m uv pip install"*) test ! -e interrupted || { kill -INT "$PPID"; exit 130; }; test ! -e no-network ;;
    "-m pip install"*) test ! -e no-network ;;
esac
"""
VENV = "-m venv --clear .venv"


@pytest.fixture
def course(tmp_path):
    """A folder with what setup.sh reads, where its only Python is a stand-in, and a way to run it."""
    bin, folder = tmp_path / "bin", tmp_path / "the course, учебник 膠囊"
    for made in (bin, folder / "tools"):
        made.mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", "tools/setup.sh", "tools/find_python.sh"):
        shutil.copy(ROOT / name, folder / name)
    (bin / "python3").write_text(STAND_IN)
    (bin / "python3").chmod(0o755)
    env = {**os.environ, "PATH": f"{bin}:{os.environ['PATH']}"}

    def setup(folder=folder, shell="sh"):
        """Exit status, what was asked of Python that makes or installs something, and what setup.sh said."""
        (folder / "calls").unlink(missing_ok=True)
        done = subprocess.run([shell, "tools/setup.sh"], cwd=folder, env=env, capture_output=True, text=True)
        calls = (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []
        return done.returncode, [c for c in calls if c.startswith(VENV) or " install " in c], done.stdout, done.stderr

    return folder, setup


def made_and_installed(done):
    return VENV in done[1], any("-r requirements.lock" in call for call in done[1])


def test_setup_installs_once_and_goes_on_after_a_failure(course):
    course, setup = course
    (course / "no-network").touch()
    done = setup()
    assert done[0] == 1 and made_and_installed(done) == (True, True)
    assert done[3] == "setup: the packages could not be installed (see above); run the command again to go on\n"
    (course / "no-network").unlink()
    done = setup()
    assert done[0] == 0 and made_and_installed(done) == (False, True)
    assert setup() == (0, [], "", "")
    with open(course / "requirements.lock", "a") as lock:
        lock.write("another==1.0\n")
    done = setup()
    assert done[0] == 0 and made_and_installed(done) == (False, True)
    assert setup() == (0, [], "", "")
    (course / ".venv/bin/python").unlink()
    done = setup()
    assert done[0] == 0 and made_and_installed(done) == (True, True)


def test_setup_says_one_line_a_stage(course):
    _, setup = course
    _, _, said, _ = setup()
    assert re.fullmatch("(setup: .+\n){3,6}", said) and said.endswith("setup: ready\n")


def test_setup_installs_with_the_locked_uv(course):
    _, setup = course
    _, calls, _, _ = setup()
    version = locked("3.12")["uv"]
    assert calls[1].endswith(f" uv=={version}") and calls[1].startswith("-m pip install ")
    assert len(calls) == 4 and all(call.startswith("-m uv pip install ") for call in calls[2:])
    assert all("--python .venv/bin/python" in call for call in calls[2:]), "or it would look for another environment"
    assert "-r requirements.lock" in calls[2] and calls[3].endswith("--no-deps --no-build-isolation -e .")


def test_without_uv_pip_installs(course):
    course, setup = course
    (course / "no-uv").touch()
    status, calls, said, error = setup()
    assert (status, error) == (0, "") and "so pip does" in said
    assert not [call for call in calls if call.startswith("-m uv")]
    assert [call.split()[-2:] for call in calls[2:]] == [["-r", "requirements.lock"], ["-e", "."]]


# On some systems sh is bash, which goes on after an interrupted command that only reports failure.
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_an_interrupted_setup_does_not_turn_to_pip(course, shell):
    course, setup = course
    (course / "interrupted").touch()
    status, calls, _, _ = setup(shell=shell)
    assert status not in (0, 1) and calls[-1].startswith("-m uv pip install")
    (course / "interrupted").unlink()
    done = setup()
    assert done[0] == 0 and made_and_installed(done) == (False, True)


@pytest.mark.parametrize("finished", [True, False])
def test_a_moved_folder_makes_its_environment_anew(course, tmp_path, finished):
    course, setup = course
    if not finished:
        (course / "no-network").touch()
    setup()
    (course / "no-network").unlink(missing_ok=True)
    course = course.rename(tmp_path / "moved")
    done = setup(course)
    assert done[0] == 0 and made_and_installed(done) == (True, True), "scripts know their Python by its path"
    assert setup(course) == (0, [], "", "")


@pytest.mark.parametrize("linked", [True, False])
def test_a_copied_folder_never_uses_the_environment_of_the_first(course, tmp_path, linked):
    course, setup = course
    setup()
    copy = tmp_path / "copy of the course"
    shutil.copytree(course, copy)
    if linked:
        shutil.rmtree(copy / ".venv")
        (copy / ".venv").symlink_to(course / ".venv")
    before = {file: file.read_text() for file in course.glob(".venv/**/*") if file.is_file()}
    done = setup(copy)
    assert done[0] == 0 and made_and_installed(done) == (True, True)
    assert not (copy / ".venv").is_symlink() and str(copy) in (copy / ".venv/bin/pip").read_text()
    assert {file: file.read_text() for file in course.glob(".venv/**/*") if file.is_file()} == before
    assert setup() == (0, [], "", "") == setup(copy)


def test_no_script_of_the_environment_is_run_by_its_path():
    """They fail in a moved folder until setup has run, and a module says the same for every tool."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    scripts = [makefile, *(file.read_text(encoding="utf-8") for file in ROOT.glob("tools/*.sh"))]
    used = {name for script in scripts for name in re.findall(r"\.venv/bin/(\w+)", script)}
    assert used == {"python", "pip"}, "pip's is how setup.sh tells a moved folder"


@pytest.mark.parametrize(("command", "status"), [("exit 7", 7), ("true", 0)])
def test_commands_run_apart_leave_nothing_and_keep_their_status(tmp_path, command, status):
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    shown = 'echo "$XDG_CACHE_HOME $JUPYTER_CONFIG_DIR $IPYTHONDIR $MPLCONFIGDIR $KERAS_HOME"; '
    # The script warms caches up with .venv's Python, which need not be the one that runs this.
    source = (ROOT / "tools/apart.sh").read_text(encoding="utf-8").replace(".venv/bin/python -c", ": ")
    (tmp_path / "apart.sh").write_text(source)
    done = subprocess.run(
        ["sh", tmp_path / "apart.sh", "sh", "-c", shown + command], capture_output=True, text=True, env=env
    )
    folders = done.stdout.split()
    assert done.returncode == status and len(folders) == 5
    assert all(folder.startswith(f"{tmp_path}/capslib.") for folder in folders)
    assert [p.name for p in tmp_path.iterdir()] == ["apart.sh"]


def test_an_environment_is_made_anew_once_what_it_is_made_from_has_changed(tmp_path):
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "env.sh", tmp_path / "tools")
    python = tmp_path / "build" / "some-env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    (tmp_path / "wanted.txt").write_text("this")
    script = 'name=some-env; made_from="wanted.txt"; . tools/env.sh; echo made; finished'

    def made():
        return subprocess.run(["sh", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert [made(), made()] == ["made\n", ""]
    (tmp_path / "wanted.txt").write_text("that")
    assert [made(), made()] == ["made\n", ""]
    python.unlink()
    assert made() == "made\n"
