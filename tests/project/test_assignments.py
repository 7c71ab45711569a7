"""A class: assignments made from the exercises, which nbgrader hands out, grades and exports as it should."""

import copy
import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from capslib.exercises import EXERCISES, LESSON_OF, Matching
from tests import ROOT
from tests.conftest import NO_NBGRADER
from tools import assignments, exercises, pace

FILES = assignments.course()
NOTEBOOKS = {Path(name).stem: json.loads(text) for name, text in FILES.items() if name.endswith(".ipynb")}
MASTERS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in assignments.MASTERS.glob("*.ipynb")}
each_lesson = pytest.mark.parametrize("lesson", NOTEBOOKS)


def text(cell):
    return "".join(cell["source"])


def mark(cell):
    return cell["metadata"]["nbgrader"]


def by_name(notebook):
    return {mark(cell)["grade_id"]: cell for cell in notebook["cells"]}


def solution_lines(lesson):
    """What stands in the solutions of a lesson and neither in the tasks nor in the stubs that its learners see.

    A task of the bug lab shows the patient's lines, most of which stay as they are.
    """
    tasks, codes = zip(*exercises.pairs(MASTERS[lesson]["cells"]).values(), strict=True)
    lines = {line.strip() for code in codes for line in text(code).splitlines()}
    seen = [*map(text, tasks), *(exercises.stub(text(code)) for code in codes)]
    return lines - {line.strip() for words in seen for line in words.splitlines()}


# What is made ----------------------------------------------------------------------------------------------------


def test_every_exercise_is_set_once_in_the_assignment_of_its_lesson():
    found = [
        (lesson[:2], mark(cell)["grade_id"])
        for lesson, notebook in NOTEBOOKS.items()
        for cell in notebook["cells"]
        if mark(cell)["grade"]
    ]
    assert sorted(found) == sorted((lesson, f"{name}-check") for name, lesson in LESSON_OF.items())


@each_lesson
def test_cells_keep_the_rules_of_nbgrader(lesson):
    notebook = NOTEBOOKS[lesson]
    nbformat.validate(nbformat.from_dict(notebook))
    names = list(by_name(notebook))
    assert len(names) == len(notebook["cells"]) and all(re.fullmatch(r"[\w-]+", name, re.A) for name in names)
    for name, cell in by_name(notebook).items():
        roles = mark(cell)
        assert cell["id"] == name and roles["schema_version"] == 3
        answer, check = name.endswith("-answer"), name.endswith("-check")
        assert (roles["solution"], roles["grade"], roles["locked"]) == (answer, check, not answer)
        assert ("points" in roles) == check and roles["cell_type"] == cell["cell_type"] and not roles["task"]
        assert cell["cell_type"] == "code" or not (answer or check)
        assert not cell.get("outputs")


@each_lesson
def test_a_point_is_a_minute(lesson):
    points = sum(mark(cell).get("points", 0) for cell in NOTEBOOKS[lesson]["cells"])
    assert points == pace.computed(MASTERS[lesson]["cells"])[2] > 0


@each_lesson
def test_without_the_marked_regions_nothing_of_a_solution_is_left(lesson):
    blank = "\n".join(assignments.REGION.sub("", text(cell) + "\n") for cell in NOTEBOOKS[lesson]["cells"])
    assert not solution_lines(lesson) & {line.strip() for line in blank.splitlines()}
    tasks = [text(task) for task, _ in exercises.pairs(MASTERS[lesson]["cells"]).values()]
    about = [text(cell) for cell in MASTERS[lesson]["cells"] if cell["cell_type"] == "markdown"]
    assert all(task in blank for task in tasks)
    assert not [words for words in about if words not in tasks and words in blank]


@pytest.mark.parametrize("solved", [True, False])
@each_lesson
def test_an_assignment_runs_alone_and_tells_solutions_from_stubs(lesson, solved, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    monkeypatch.setattr("capslib.plots.show", lambda fig: None)
    namespace, refused = {}, []
    for name, cell in by_name(NOTEBOOKS[lesson]).items():
        if cell["cell_type"] != "code":
            continue
        code = text(cell)
        if mark(cell)["solution"] and not solved:
            code = assignments.REGION.sub(r"\1...\n", code + "\n")
        try:
            exec(code, namespace)
        except AssertionError:
            refused.append(name)
    checks = [name for name, cell in by_name(NOTEBOOKS[lesson]).items() if mark(cell)["grade"]]
    assert refused == ([] if solved else checks)
    assert ("not yet" in capsys.readouterr().out) != solved


def test_a_cell_outside_of_a_function_ends_with_the_answer_and_not_with_dots():
    answers = [text(cell) for notebook in NOTEBOOKS.values() for cell in notebook["cells"] if mark(cell)["solution"]]
    outside = [answer for answer in answers if not assignments.REGION.search(answer + "\n")[1]]
    matchings = [name for name, exercise in EXERCISES.items() if isinstance(exercise, Matching)]
    assert len(outside) == len(matchings) > 0
    assert all(re.fullmatch(r"[a-z_]+", answer.splitlines()[-1]) for answer in outside)


def test_chosen_exercises_come_with_the_code_that_they_need():
    (name,) = set(assignments.course(["safe_direction"])) - {"nbgrader_config.py"}
    notebook = json.loads(assignments.course(["safe_direction"])[name])
    assert name == "source/06_capsule_layer/06_capsule_layer.ipynb"
    names = ["intro", "06-001", "06-011", "safe_direction-task", "safe_direction-answer", "safe_direction-check"]
    assert list(by_name(notebook)) == names
    assert "06-011" not in by_name(json.loads(assignments.course(["predict_by_kind"])[name]))


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ValueError, match="exercise: got 'circle', expected one of exchanged, "):
        assignments.course(["unsquash", "circle"])


@pytest.mark.parametrize(
    ("cell", "before", "after", "said"),
    [
        (0, ": solutions", "", "title: got '# 03 · Squash', expected"),
        (2, " (7 minutes)", "", "unsquash: got '### Exercise 1 · .*', expected a heading that states the minutes"),
        (3, "### END SOLUTION", "", "solution: got 0 marked regions"),
        (3, 'exercises.check("unsquash", unsquash)', 'exercises.check("unsquash", unsquash)\nx = 1', "2 statements"),
    ],
)
def test_a_master_of_another_form_is_refused(cell, before, after, said):
    master = copy.deepcopy(MASTERS["03_squash"])
    assert before in text(master["cells"][cell])
    master["cells"][cell]["source"] = text(master["cells"][cell]).replace(before, after).splitlines(keepends=True)
    with pytest.raises(ValueError, match=said):
        assignments.assignment(master, ["unsquash"])


# Where it goes ---------------------------------------------------------------------------------------------------


def test_a_course_is_written_whole_and_again_is_left_alone(tmp_path, capsys):
    folder = tmp_path / "new" / "class"
    assignments.main(["--folder", str(folder), "unsquash", "offset_for"])
    said = capsys.readouterr().out
    assert "written" in said and "03_squash: unsquash, offset_for; 13 points" in said
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"nbgrader_config.py", "source/03_squash/03_squash.ipynb"}
    assert [path.name for path in folder.parent.iterdir()] == ["class"]
    (folder / "gradebook.db").write_text("grades")
    assignments.main(["--folder", str(folder), "unsquash", "offset_for"])
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize("there", ["gradebook.db", "source/03_squash/03_squash.ipynb", "source/other/other.ipynb"])
def test_a_folder_in_use_is_refused_and_not_touched(tmp_path, there):
    file = tmp_path / there
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    with pytest.raises(SystemExit, match=f"folder: got .*, which holds {there}, expected a new or an empty one"):
        assignments.main(["--folder", str(tmp_path)])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file] and file.read_text() == "mine"


def test_nothing_is_left_of_a_course_that_could_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "rename", lambda self, to: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        assignments.write(tmp_path / "class", FILES)
    assert list(tmp_path.iterdir()) == []


# Through nbgrader ------------------------------------------------------------------------------------------------

SET = {
    "03_squash": ["unsquash", "offset_for", "other_gains"],
    "06_capsule_layer": ["predict_by_kind", "safe_direction"],
}
WARNS = "import warnings\nwarnings.warn('not a mistake')\n"
ENDLESS = "import time\nwhile True:\n    time.sleep(1)\n"


@pytest.fixture(scope="module")
def nbgrader(tmp_path_factory):
    """Runs nbgrader in a new course, in the environment that has it, as if that had been activated."""
    python = ROOT / "build/class-env/bin/python"
    if not python.exists() and importlib.util.find_spec("nbgrader"):
        python = Path(sys.executable)
    if not python.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NO_NBGRADER)
    folder = tmp_path_factory.mktemp("teacher")
    course, home = folder / "class", folder / "home"
    assignments.write(course, assignments.course([name for names in SET.values() for name in names]))
    own = {name: str(home / name) for name in ("XDG_DATA_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, **own, "PATH": path, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "tensorflow"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # Each of these commands would compile what it imports.

    def run(*arguments):
        command = [python, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=course, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return course, home, run


@pytest.fixture(scope="module")
def graded(nbgrader):
    """The course after its grading, the home of who graded it, and (assignment, student) → score and what was possible.

    Of three students, one was right, though a function of theirs warns; one handed in what they got; one has a
    function and a cell that run for ever, and an answer that is right.
    """
    course, home, run = nbgrader
    for lesson in SET:
        run("generate_assignment", lesson)
        released = json.loads((course / "release" / lesson / f"{lesson}.ipynb").read_text(encoding="utf-8"))
        solved = by_name(NOTEBOOKS[lesson])
        right, stuck = copy.deepcopy(released), copy.deepcopy(released)
        for notebook in (right, stuck):
            for name, cell in by_name(notebook).items():
                if mark(cell)["solution"]:
                    cell["source"] = text(solved[name])
        handed_in = {"blank": released, "right": right}
        if lesson == "03_squash":
            cells = by_name(right)
            cells["other_gains-answer"]["source"] += f"\nright = other_gains\ndef other_gains(x):\n{indented(WARNS)}"
            cells["other_gains-answer"]["source"] += "    return right(x)\n"
            cells = by_name(stuck)
            cells["unsquash-answer"]["source"] = "def unsquash(v, offset):\n" + indented("while True:\n    pass\n")
            cells["offset_for-answer"]["source"] = ENDLESS + text(cells["offset_for-answer"])
            handed_in["stuck"] = stuck
        for student, notebook in handed_in.items():
            file = course / "submitted" / student / lesson / f"{lesson}.ipynb"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(notebook), encoding="utf-8")
        # Shorter than for a class, since one cell needs all of it.
        run("autograde", lesson, *(["--Execute.timeout=30"] if "stuck" in handed_in else []))
    run("export")
    with open(course / "grades.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scores = {(row["assignment"], row["student_id"]): (float(row["score"]), float(row["max_score"])) for row in rows}
    return course, home, scores


def indented(code):
    return "".join(f"    {line}\n" for line in code.splitlines())


def points(lesson, names):
    return sum(mark(by_name(NOTEBOOKS[lesson])[f"{name}-check"])["points"] for name in names)


@pytest.mark.parametrize("lesson", SET)
def test_what_is_handed_out_has_no_solution_and_no_hidden_test(graded, lesson):
    course, _, _ = graded
    released = json.loads((course / "release" / lesson / f"{lesson}.ipynb").read_text(encoding="utf-8"))
    lines = {line.strip() for cell in released["cells"] for line in text(cell).splitlines()}
    assert not lines & solution_lines(lesson)
    assert not [line for line in lines if "SOLUTION" in line or "HIDDEN" in line or "exercises.passes" in line]
    for name in SET[lesson]:
        cells = by_name(released)
        _, code = exercises.pairs(MASTERS[lesson]["cells"])[name]
        together = text(cells[f"{name}-answer"]) + "\n\n\n" + text(cells[f"{name}-check"])
        assert together == exercises.stub(text(code)), "what the lesson has"
        assert cells[f"{name}-check"]["metadata"]["editable"] is False


@pytest.mark.parametrize("lesson", SET)
def test_solutions_get_all_points_and_stubs_none(graded, lesson):
    _, _, scores = graded
    full = points(lesson, SET[lesson])
    assert scores[lesson, "right"] == (full, full) and scores[lesson, "blank"] == (0, full)


def test_what_runs_for_ever_costs_its_own_points_only(graded):
    _, _, scores = graded
    assert scores["03_squash", "stuck"] == (points("03_squash", ["other_gains"]), points("03_squash", SET["03_squash"]))


def test_grading_leaves_the_progress_of_the_teacher_alone(graded):
    _, home, _ = graded
    assert list(home.rglob("progress.json")) == []
