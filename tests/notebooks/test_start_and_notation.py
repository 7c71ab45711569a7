"""Lesson 00 lists every lesson and appendix as it is, and A0 leads from the paper to code and tests that exist."""

import importlib
import json
import re

import pytest

from capslib.exercises import QUIZZES
from capslib.exercises.check import LESSON_OF
from tests import ROOT
from tools import pace

FOLDER = ROOT / "notebooks"


def cells(name):
    """The cells of a notebook."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]


START, NOTATION = cells("00_start_here.ipynb"), cells("A0_notation.ipynb")


def tables(cells):
    """Rows of a notebook's tables, by the heading that they stand under."""
    found = {}
    for cell in cells:
        text = "".join(cell["source"])
        heading = re.match(r"## (.*)", text)
        if cell["cell_type"] == "markdown" and heading:
            lines = [line for line in text.splitlines() if line.startswith("|")]
            found[heading[1]] = [[field.strip() for field in line.strip("|").split("|")] for line in lines[2:]]
    return found


def minutes_of(cells):
    """The minutes in a notebook's header as a row shows them: of the lesson, of Going deeper and of the exercises."""
    return [str(minutes or "") for minutes in pace.stated(cells)]


def problems(rows, folder=FOLDER):
    """What a row of the tables of lessons says that is not so."""
    for entry, _, *minutes in rows:
        number = entry.strip("[")[:2]
        here = sorted(folder.glob(f"{number}_*.ipynb"))
        if not here:
            if minutes != ["to come", "", ""] or "](" in entry:
                yield f"{number} does not exist"
            continue
        if number != "00" and f"]({here[0].name})" not in entry:
            yield f"{number} is not linked"
        takes = minutes_of(json.loads(here[0].read_text(encoding="utf-8"))["cells"])
        if minutes != takes:
            yield f"{number} takes {takes} minutes, not {minutes}"


def test_the_lessons_and_appendices_are_all_listed_and_linked_with_their_minutes():
    found = tables(START)
    assert [row[0].strip("[")[:2] for row in found["The lessons"]] == [f"{n:02d}" for n in range(14)]
    appendices = [row[0].strip("[")[:2] for row in found["Appendices"]]
    assert set(appendices) >= {path.name[:2] for path in FOLDER.glob("A*.ipynb")}
    assert list(problems(found["The lessons"] + found["Appendices"])) == []


def test_a_row_that_is_not_so_is_noticed(tmp_path):
    source = "**Time:** 35 minutes, 15 more for *Going deeper*, 20 for quiz and exercises · **You need:** NumPy"
    (tmp_path / "03_squash.ipynb").write_text(json.dumps({"cells": [{"source": source}]}), encoding="utf-8")
    squash, limits = "[03 · Squash](03_squash.ipynb)", "13 · Limits"
    right, later = ["35", "15", "20"], ["to come", "", ""]
    assert list(problems([[squash, "", *right], [limits, "", *later]], tmp_path)) == []
    for entry, minutes in (
        (squash, ["35", "15", ""]),
        (squash, ["35", "", "20"]),
        ("03 · Squash", right),
        (limits, right),
    ):
        assert len(list(problems([[entry, "", *minutes]], tmp_path))) == 1


def test_every_equation_leads_to_code_and_to_a_test_that_exist():
    rows = tables(NOTATION)["From the paper to the code"]
    assert len(rows) >= 9
    text = "\n".join("".join(cell["source"]) for cell in NOTATION)
    listed = dict(re.findall(r"^(test \d+): tests/(\S+)$", text, flags=re.MULTILINE))
    assert len(listed) == len(rows)
    for paper, _, code, number in rows:
        assert re.search(r"Eq\. \d|Section \d|Procedure 1|program", paper), paper
        for name in re.findall(r"`(\w+)\.(\w+)`", code):
            assert callable(getattr(importlib.import_module(f"capslib.{name[0]}"), name[1])), name
        file, function = listed[number].split("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), number


@pytest.mark.parametrize("symbol", ["u", "W", "u_hat", "b", "s", "a", "lengths"])
def test_the_notation_is_the_style_guides(symbol):
    guide = (ROOT / "STYLE_GUIDE.md").read_text(encoding="utf-8")
    rows = [row for row in tables(NOTATION)["Notation"] if f"`{symbol}`" in row[1]]
    assert len(rows) == 1
    assert f"| {rows[0][1]} | {rows[0][2]} |" in guide


def test_the_plan_of_two_hours_has_the_minutes_of_the_headers_and_names_exercises_that_exist():
    text = (FOLDER / "TEACHING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[.*?\]\((\w+\.ipynb)\) \| (\d+) \|", text, re.M)
    assert [name[:2] for name, _ in rows] == ["02", "04", "08"]
    assert [int(minutes) for _, minutes in rows] == [pace.stated(cells(name))[0] for name, _ in rows]
    named = re.findall(r"^\| (\d\d|A\d) \| `(\w+)` \|", text, re.M)
    assert [lesson for lesson, _ in named] == sorted(QUIZZES)
    assert all(LESSON_OF[exercise] == lesson for lesson, exercise in named)
