"""Rendering a notebook changes what it must and nothing else; what the tools write is whole or not there."""

import ast
import copy
import json

import pytest

from tests import ROOT
from tools import render

NOTEBOOKS = sorted(ROOT.glob("notebooks/**/*.ipynb"))


def cell(source, id=None):
    """A Markdown cell as JSON; one of an old notebook has no id."""
    return {"cell_type": "markdown", "metadata": {}, "source": source} | ({} if id is None else {"id": id})


def code(source):
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, "id": "a1b2"}


def notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def ids(data):
    return {"".join(cell["source"]): cell["id"] for cell in data["cells"]}


def test_an_inserted_cell_changes_no_other_id():
    data = notebook(*(cell(f"cell {n}", f"03-{n:03d}") for n in range(5)))
    before = ids(data)
    data["cells"].insert(2, cell("new", "8f2c-random"))
    render.give_ids(data, "03")
    assert ids(data) == before | {"new": "03-005"}


def test_the_id_of_a_deleted_cell_is_not_given_again():
    data = notebook(cell("a", "03-000"), cell("b", "03-001"))
    render.give_ids(data, "03")
    data["cells"].pop()
    data["cells"].append(cell("c", "f00"))
    render.give_ids(data, "03")
    assert ids(data) == {"a": "03-000", "c": "03-002"}


@pytest.mark.parametrize("strange", [None, "", "03-1", "04-000", "03-000x", "x03-000", "03-000"])
def test_a_cell_without_an_id_of_its_own_gets_one(strange):
    data = notebook(cell("first", "03-000"), cell("copied", strange), cell("last", "03-1000"))
    render.give_ids(data, "03")
    assert ids(data) == {"first": "03-000", "copied": "03-1001", "last": "03-1000"}
    again = copy.deepcopy(data)
    render.give_ids(again, "03")
    assert again == data


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[f"{path.parent.name}/{path.name}" for path in NOTEBOOKS])
def test_every_saved_cell_has_an_id_that_stays(path):
    data = json.loads(path.read_text(encoding="utf-8"))
    before = [cell.get("id") for cell in data["cells"]]
    render.give_ids(data, path.stem[:2])
    assert [cell["id"] for cell in data["cells"]] == before


def test_rendering_twice_changes_nothing_and_keeps_ids(tmp_path):
    path = tmp_path / "A1_small.ipynb"
    path.write_text(json.dumps(notebook(cell("one", "one"), code("6 * 7"), cell("two"), cell("three", "one"))))
    render.render(path)
    first = path.read_text(encoding="utf-8")
    data = json.loads(first)
    assert ids(data) == {"one": "A1-000", "6 * 7": "A1-001", "two": "A1-002", "three": "A1-003"}
    assert data["cells"][1]["outputs"][0]["data"]["text/plain"] == ["42"]
    render.render(path)
    assert path.read_text(encoding="utf-8") == first
    del data["cells"][3]
    data["cells"].insert(0, cell("new"))
    path.write_text(json.dumps(data), encoding="utf-8")
    render.render(path)
    assert ids(json.loads(path.read_text())) == {"new": "A1-004", "one": "A1-000", "6 * 7": "A1-001", "two": "A1-002"}
    assert list(tmp_path.iterdir()) == [path]


COPIES = {"copy", "copy2", "copyfile"}
# What lives only as long as a run: a browser's settings, its page, a counter of the kernel's, what a site is made of.
FOR_A_MOMENT = {
    *("tools/browser/harness.py", "benchmarks/widgets.py", "benchmarks/alone.py", "tools/assignments.py"),
    *("tools/web/__main__.py", "tools/web/sources.py", "tools/web/picture.py", "tools/web/formulas.py"),
    *("tools/lite/__main__.py", "tools/lite/pyodide.py", "tools/lite/bytecode.py", "tools/colab.py"),
}


def writes(source):
    """The lines on which a program writes a file where it lies."""
    for node in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        module = getattr(getattr(node.func, "value", None), "id", "")
        given = [value.value for value in (*node.args, *(k.value for k in node.keywords)) if hasattr(value, "value")]
        if (
            name in ("write_text", "write_bytes")
            or (name == "open" and any(str(value) in ("w", "wb", "a", "ab", "x", "xb") for value in given))
            or (module == "shutil" and name in COPIES)
        ):
            yield node.lineno


def test_what_answers_a_question_is_saved_collapsed_under_a_line_that_gives_nothing_away(tmp_path):
    hidden = code("print(42)") | {"metadata": {"tags": ["hide-output"]}}
    path = tmp_path / "03_squash.ipynb"
    path.write_text(json.dumps(notebook(hidden, code("print(43)"))), encoding="utf-8")
    for _ in range(2):
        render.render(path)
        folded, shown = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert folded["metadata"] == {"tags": ["hide-output"], "collapsed": True, "jupyter": {"outputs_hidden": True}}
        assert "".join(folded["outputs"][0]["text"]) == "Result:\n42\n"
        assert shown["metadata"] == {} and "".join(shown["outputs"][0]["text"]) == "43\n"


def test_what_is_kept_is_written_whole():
    folders = ("capslib", "benchmarks", "figures", "tools")
    programs = [file for folder in folders for file in ROOT.glob(f"{folder}/**/*.py")]
    found = {str(file.relative_to(ROOT)): list(writes(file.read_text(encoding="utf-8"))) for file in programs}
    allowed = FOR_A_MOMENT | {"capslib/records.py"}
    assert {name: lines for name, lines in found.items() if lines and name not in allowed} == {}


def test_writing_in_place_is_seen():
    source = ["p.write_text(t)", "shutil.copy(a, b)", 'open(p, "w")', 'open(p, mode="ab")', 'p.open("x")', "open(p)"]
    assert list(writes("\n".join([*source, "copy.copy(a)", 'open(p, "rb")']))) == [1, 2, 3, 4, 5]
