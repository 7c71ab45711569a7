"""Keras starts quietly whatever became of standard error, and says in one sentence why it cannot."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from capslib.checks import backend_problem
from tests import ROOT

ABSENT = next(name for name in ("jax", "torch", "openvino") if importlib.util.find_spec(name) is None)


def run(code, env=None, **how):
    env = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run([sys.executable, "-c", code], text=True, env=env, timeout=600, **how)


@pytest.mark.parametrize(
    "before",
    [
        "sys.stderr.close()",
        "os.close(2)",  # Python still has a sys.stderr, of a descriptor that the next file opened would get
        "sys.stderr = None; os.close(0); os.close(2)",
    ],
)
def test_keras_starts_whatever_became_of_standard_error(before, tmp_path):
    later = tmp_path / "later.txt"
    done = run(
        f"import os, sys; {before}\n"
        "import capslib.quiet\n"
        f"file = open({str(later)!r}, 'w')\n"
        "os.write(2, b'a notice')\n"  # as C code does, who knows nothing of Python's streams
        "print(capslib.quiet.keras.ops.sum([1, 2]).shape, file.fileno() != 2)",
        stdout=subprocess.PIPE,
    )
    assert done.returncode == 0 and done.stdout == "() True\n" and later.read_text() == ""


def test_standard_error_is_given_back():
    done = run(
        "import capslib.quiet, os, sys; os.write(2, b'C'); print('Python', file=sys.stderr)", capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "CPython\n")


# A backend that is not there --------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["quiet", "layers", "losses", "models", "tracing", "training", "runs"])
@pytest.mark.parametrize("backend", [ABSENT, "nonsense"])
def test_a_backend_that_is_not_here_is_said_in_one_sentence(module, backend):
    done = run(f"from capslib import {module}", {"KERAS_BACKEND": backend}, capture_output=True)
    *traceback, last = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(traceback) < 16
    assert last.startswith(f"capslib.backend.BackendError: KERAS_BACKEND: got {backend!r}, expected a backend of Keras")
    assert "the course uses 'tensorflow'" in last and "unset KERAS_BACKEND" in last


NEED_KERAS = [
    "quiet",
    "layers",
    "losses",
    "models",
    "tracing",
    "teaching",
    "training",
    "runs",
    "judging",
    "experiments",
]
WITHOUT_KERAS = "import sys; sys.modules['keras'] = sys.modules['tqdm'] = None; "


@pytest.mark.parametrize("module", NEED_KERAS)
def test_without_the_course_a_lesson_that_needs_it_says_so_in_one_line(module):
    done = run(f"{WITHOUT_KERAS}from capslib import {module}", capture_output=True)
    *traceback, last = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(traceback) < 24
    assert last.startswith("capslib.backend.BackendError: keras: not found; this lesson needs the installed course: ")


def test_without_the_course_pictures_and_widgets_are_there():
    code = "from capslib import digits, exercises, plots, weights, widgets; print(widgets.VoteRouter().rules)"
    done = run(WITHOUT_KERAS + "sys.modules['mlxtend'] = None; " + code, capture_output=True)
    assert (done.returncode, done.stdout) == (0, "['agreement']\n"), done.stderr


NOTEBOOK = """
import os, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import capslib.quiet\\nimport numpy")
shell.run_cell("from capslib import models")
print("again")
"""


def test_a_notebook_shows_the_sentence_alone(tmp_path):
    env = {"KERAS_BACKEND": ABSENT, "IPYTHONDIR": str(tmp_path)}
    done = run(NOTEBOOK, env, capture_output=True)
    first, second, last = done.stdout.strip().splitlines()
    assert first == second and f"KERAS_BACKEND: got {ABSENT!r}" in first and last == "again"


def test_make_lab_says_it_before_it_opens_anything():
    # Under `make test` this make would be an inner one, which announces the folder it works in.
    outer = {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
    env = {name: value for name, value in os.environ.items() if name not in outer} | {"KERAS_BACKEND": ABSENT}
    make = ["make", "-o", "setup", "lab", "LAB_ARGS=--version"]
    done = subprocess.run(make, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    first, *_ = done.stderr.splitlines()
    assert done.returncode != 0 and first.startswith(f"KERAS_BACKEND: got {ABSENT!r}") and not done.stdout


def test_where_keras_finds_its_backend_is_where_the_sentence_points(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert backend_problem() is None
    file = tmp_path / "keras.json"
    for text in ("{", "[]", json.dumps({"backend": "tensorflow"}), "{}"):
        file.write_text(text)
        assert backend_problem() is None
    file.write_text(json.dumps({"backend": ABSENT}))
    assert backend_problem().startswith(f"backend in {file}: got {ABSENT!r}, expected a backend of Keras")
    for name in ("tensorflow", "numpy"):
        monkeypatch.setenv("KERAS_BACKEND", name)  # goes before the file
        assert backend_problem() is None
    monkeypatch.setenv("KERAS_BACKEND", "")  # counts as unset
    assert "keras.json" in backend_problem()
