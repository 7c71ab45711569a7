"""The exercises of a lesson come from its notebook of solutions, and say the same."""

import copy
import json

import pytest

from tests import ROOT
from tools import exercises, render

SOLVED = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
SOLUTION = """def squash(s, offset=0.5):  # (J, D)
    n = 3
    ### BEGIN SOLUTION
    n = (s**2).sum(-1, keepdims=True)
    return n**0.5 / (offset + n) * s
    ### END SOLUTION


exercises.check("squash", squash)"""
STUB = """def squash(s, offset=0.5):  # (J, D)
    n = 3
    ...


exercises.check("squash", squash)"""


def cell(kind, source):
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}


def notebook(*cells):
    made = {"metadata": {}, "cells": [cell(*one) for one in cells]}
    render.give_ids(made, "03")
    return made


def text(one):
    return "".join(one["source"])


TASK = ("markdown", "### Exercise 1 · squash (5 minutes)\n\nShrink it.")
SOLUTIONS = notebook(("markdown", "# Solutions"), TASK, ("code", SOLUTION), ("markdown", "It shrinks."))


@pytest.mark.parametrize("path", SOLVED, ids=lambda path: path.name)
def test_lesson_and_solution_say_the_same(path):
    lesson, solutions = (json.loads(file.read_text(encoding="utf-8")) for file in (path.parents[1] / path.name, path))
    there = exercises.pairs(lesson["cells"])
    assert list(there) == list(exercises.pairs(solutions["cells"])) and there
    again = copy.deepcopy(lesson)
    exercises.put(again, solutions)
    for name, (task, code) in exercises.pairs(again["cells"]).items():
        assert (text(task), text(code)) == (text(there[name][0]), text(there[name][1])), name


def test_outside_of_a_function_a_solution_leaves_nothing():
    given = 'bugs = {"a": ..., "b": ...}\n'
    region = '### BEGIN SOLUTION\nbugs = {"a": "red", "b": "blue"}\n### END SOLUTION\n'
    check = '\n\nexercises.check("bugs", bugs)'
    assert exercises.stub(given + region + check) == given + check


def test_a_stub_is_the_solution_without_what_the_learner_writes():
    assert exercises.stub(SOLUTION) == STUB


@pytest.mark.parametrize(
    "solution", ["x = 1", SOLUTION.replace("    ### END SOLUTION\n", ""), SOLUTION + "\n" + SOLUTION]
)
def test_a_solution_without_one_marked_region_is_refused(solution):
    with pytest.raises(ValueError, match="solution: got . marked regions, expected one"):
        exercises.stub(solution)


def test_a_new_exercise_comes_at_the_end_of_its_section():
    for below in ([("markdown", "## Going deeper")], []):
        lesson = notebook(
            ("markdown", "## Exercises"), ("markdown", "Some words."), *below, ("markdown", "**Sources.** One.")
        )
        exercises.put(lesson, SOLUTIONS)
        assert [text(one)[:12] for one in lesson["cells"][1:4]] == ["Some words.", "### Exercise", "def squash(s"]
        assert text(lesson["cells"][3]) == STUB and len(lesson["cells"]) == 5 + len(below)


def test_a_known_exercise_is_replaced_where_it_is_and_keeps_its_ids():
    lesson = notebook(
        ("markdown", "Begin."), ("markdown", "### Exercise 1 · old"), ("code", STUB + "\n# old"), ("markdown", "End.")
    )
    before = [one["id"] for one in lesson["cells"]]
    exercises.put(lesson, SOLUTIONS)
    assert [one["id"] for one in lesson["cells"]] == before
    assert [text(one) for one in lesson["cells"]] == ["Begin.", TASK[1], STUB, "End."]
    exercises.put(lesson, SOLUTIONS)
    assert len(lesson["cells"]) == 4


def test_a_new_exercise_without_a_section_is_refused():
    with pytest.raises(ValueError, match="got no section '## Exercises', expected one for the new exercise 'squash'"):
        exercises.put(notebook(("markdown", "Begin."), ("markdown", "End.")), SOLUTIONS)


def test_the_command_writes_the_lesson_beside_its_solutions(tmp_path, capsys):
    (tmp_path / "solutions").mkdir()
    lesson = notebook(("markdown", "## Exercises"), ("markdown", "**Sources.** One."))
    (tmp_path / "03_squash.ipynb").write_text(json.dumps(lesson))
    (tmp_path / "solutions" / "03_squash.ipynb").write_text(json.dumps(SOLUTIONS))
    exercises.main([tmp_path / "solutions" / "03_squash.ipynb"])
    written = json.loads((tmp_path / "03_squash.ipynb").read_text())
    assert (
        list(exercises.pairs(written["cells"])) == ["squash"] and "03_squash.ipynb: squash" in capsys.readouterr().out
    )
    assert all(one["id"].startswith("03-") for one in written["cells"])
