"""Lesson 00 leads from the paper to the code and its tests: each step of that way must exist."""

import importlib
import json
import re

import pytest

from tests import ROOT

NOTEBOOK = ROOT / "notebooks" / "00_start_here.ipynb"


def source():
    """All text of lesson 00."""
    return "\n".join("".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"])


def tables():
    """Rows of the tables of lesson 00, by the heading that they stand under."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    found = {}
    for cell in cells:
        text = "".join(cell["source"])
        heading = re.match(r"## (.*)", text)
        if cell["cell_type"] == "markdown" and heading:
            lines = [line for line in text.splitlines() if line.startswith("|")]
            found[heading[1]] = [[field.strip() for field in line.strip("|").split("|")] for line in lines[2:]]
    return found


def test_every_equation_leads_to_code_and_to_a_test_that_exist():
    rows = tables()["From the paper to the code"]
    assert len(rows) >= 9
    listed = dict(re.findall(r"^(test \d): tests/(\S+)$", source(), flags=re.MULTILINE))
    assert len(listed) == len(rows)
    for paper, _, code, number in rows:
        assert re.search(r"Eq\. \d|Section \d|Procedure 1", paper), paper
        for name in re.findall(r"`(\w+)\.(\w+)`", code):
            assert callable(getattr(importlib.import_module(f"capslib.{name[0]}"), name[1])), name
        file, function = listed[number].split("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), number


def test_the_lessons_are_all_listed_and_linked_where_they_exist():
    rows = tables()["The lessons"]
    assert [row[0].strip("[")[:2] for row in rows] == [f"{n:02d}" for n in range(14)]
    for lesson, _, minutes in rows:
        number = lesson.strip("[")[:2]
        here = sorted(ROOT.glob(f"notebooks/{number}_*.ipynb"))
        if not here:
            assert minutes == "to come" and "](" not in lesson
        elif number != "00":
            assert f"]({here[0].name})" in lesson
            head = "".join(json.loads(here[0].read_text(encoding="utf-8"))["cells"][0]["source"])
            assert f"**Time:** {minutes} min" in head


@pytest.mark.parametrize("symbol", ["u", "W", "u_hat", "b", "s", "a", "lengths"])
def test_the_notation_is_the_style_guides(symbol):
    guide = (ROOT / "STYLE_GUIDE.md").read_text(encoding="utf-8")
    rows = [row for row in tables()["Notation"] if f"`{symbol}`" in row[1]]
    assert len(rows) == 1
    assert f"| {rows[0][1]} | {rows[0][2]} |" in guide
