"""Make a course of nbgrader from the exercises, with one assignment for each lesson.

    python -m tools.assignments [--folder class] [EXERCISE ...]

Task, answer and check of each exercise come from its master, the notebook in notebooks/solutions. The answer is a
solution cell, from which nbgrader takes what stands between `### BEGIN SOLUTION` and `### END SOLUTION`. The check is a
test cell worth as many points as the exercise has minutes. nbgrader removes its hidden line from what students get,
and puts it back to grade. Code that an exercise needs comes along; what is written about a solution stays behind.
"""

import argparse
import ast
import json
import sys
import tempfile
from pathlib import Path

from tools.exercises import NAME, REGION, pairs, stub
from tools.pace import EXERCISE

ROOT = Path(__file__).resolve().parents[1]
MASTERS = ROOT / "notebooks" / "solutions"
FOLDER = ROOT / "class"
"""Not in build, which `make clean` removes: grades will be in it."""
BEFORE, AFTER = "# ", ": solutions"
"""What the title of a notebook of solutions begins and ends with."""

CONFIG = """\
c = get_config()

# An answer begins with the dots of the lessons.
c.ClearSolutions.code_stub = {"python": "..."}

# A check stops a function that runs for ever. This stops a cell after so many seconds, and those below it still run.
c.Execute.timeout = 120

# A warning is no mistake: without these lines, a check that writes to standard error is worth no points.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "."
"""

INTRO = """\
# {}: exercises

Replace the dots, run the cell, then run the check below it. The check says *right*, or it says what differs and gives
a hint. Hints get stronger with every try. If a task mentions results of the lesson, or a cell that is not here, open
the lesson beside this notebook.

Save the notebook before you hand it in."""


def _cell(name, kind, source, **roles) -> dict:
    """A cell that Jupyter and nbgrader both know by `name`; locked, unless its roles say otherwise."""
    roles = {"grade": False, "solution": False, "locked": True, "task": False} | roles
    metadata = {"nbgrader": {"schema_version": 3, "grade_id": name, "cell_type": kind, **roles}}
    cell = {"cell_type": kind, "id": name, "metadata": metadata, "source": source.splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _exercise(name, task, code) -> list[dict]:
    """The three cells of an exercise: task, answer and check.

    Raises:
        ValueError: if the solution's region is not marked, the check does not end the cell, or no minutes are stated.
    """
    stub(code)  # It refuses a solution whose region is not marked.
    start = NAME.search(code).start()
    answer, check = code[:start].rstrip(), code[start:].rstrip()
    statements = ast.parse(check).body
    if len(statements) != 1:
        raise ValueError(f"{name}: got {len(statements)} statements from the check on, expected it to end the cell")
    minutes = EXERCISE.match(task)
    if minutes is None:
        raise ValueError(f"{name}: got {task.splitlines()[0]!r}, expected a heading that states the minutes")
    if not REGION.search(code)[1]:
        # Outside of a function, nbgrader's dots would be the value of the cell, and Jupyter would print it.
        answer += "\n" + ast.unparse(statements[0].value.args[1])
    graded = "assert " + check.replace("exercises.check", "exercises.passes", 1)
    return [
        _cell(f"{name}-task", "markdown", task),
        _cell(f"{name}-answer", "code", answer, solution=True, locked=False),
        _cell(
            f"{name}-check",
            "code",
            f"{check}\n### BEGIN HIDDEN TESTS\n{graded}\n### END HIDDEN TESTS",
            grade=True,
            points=int(minutes[1]),
        ),
    ]


def assignment(solutions, wanted) -> dict | None:
    """A notebook of nbgrader's form, made from a notebook of solutions; both as JSON.

    Code directly before a task comes along with it, and code directly before the first task comes along always.

    Args:
        solutions: a notebook of solutions.
        wanted: names of exercises; those of other lessons too.

    Returns:
        The notebook, or None if it would have no exercise.

    Raises:
        ValueError: if the title or an exercise is not of the form that notebooks of solutions have.
    """
    cells = solutions["cells"]
    title = "".join(cells[0]["source"]).split("\n")[0]
    if not (title.startswith(BEFORE) and title.endswith(AFTER)):
        raise ValueError(f"title: got {title!r}, expected '{BEFORE}…{AFTER}'")
    made = [_cell("intro", "markdown", INTRO.format(title.removeprefix(BEFORE).removesuffix(AFTER)))]
    found = pairs(cells)
    name_of = {id(task): name for name, (task, _) in found.items()}
    answers = {id(code) for _, code in found.values()}
    needed, first, any_wanted = [], True, False
    for cell in cells:
        if id(cell) in name_of:
            name = name_of[id(cell)]
            if first or name in wanted:
                made += needed
            if name in wanted:
                made += _exercise(name, *("".join(part["source"]) for part in found[name]))
                any_wanted = True
            first = False
        if cell["cell_type"] == "code" and id(cell) not in answers:
            needed.append(_cell(cell["id"], "code", "".join(cell["source"])))
        else:
            needed = []
    metadata = {"kernelspec": solutions["metadata"]["kernelspec"]}
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5} if any_wanted else None


def course(wanted=()) -> dict[str, str]:
    """The files of a course, by their paths within its folder.

    Args:
        wanted: names of exercises; without any, all.

    Raises:
        ValueError: if there is no exercise of a name.
    """
    masters = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(MASTERS.glob("*.ipynb"))}
    names = [name for master in masters.values() for name in pairs(master["cells"])]
    for name in wanted:
        if name not in names:
            raise ValueError(f"exercise: got {name!r}, expected one of {', '.join(names)}")
    files = {"nbgrader_config.py": CONFIG}
    for path, master in masters.items():
        notebook = assignment(master, wanted or names)
        if notebook is not None:
            text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
            files[f"source/{path.stem}/{path.name}"] = text
    return files


def write(folder, files) -> bool:
    """Write the files of a course into a new folder, all of them or none. A folder that has grown is never changed.

    Args:
        folder: where to. It may exist if it is empty, or if it holds these very files, whatever else it holds.
        files: path within the folder → text.

    Returns:
        Whether the folder was written: False if the files are there already.

    Raises:
        ValueError: if the folder holds anything else.
    """
    folder = Path(folder)
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    ours = {name: path for name, path in there.items() if name in files or name.startswith("source/")}
    if ours.keys() == files.keys() and all(ours[name].read_text(encoding="utf-8") == files[name] for name in files):
        return False
    if there or folder.is_file():
        raise ValueError(
            f"folder: got {folder}, which holds {min(there, default='text')}, expected a new or an empty one"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as part:
        for name, text in files.items():
            file = Path(part) / "whole" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        (Path(part) / "whole").rename(folder)
    return True


def main(arguments=None) -> None:
    """Write a course and say what is in it."""
    parser = argparse.ArgumentParser(prog="tools.assignments", description="Make a course of nbgrader.")
    parser.add_argument("exercises", nargs="*", metavar="EXERCISE", help="which to set, by name; without any, all")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="a new or an empty folder")
    given = parser.parse_args(arguments)
    try:
        files = course(given.exercises)
        written = write(given.folder, files)
    except ValueError as error:
        sys.exit(str(error))
    print(f"{given.folder}: {'written' if written else 'up to date'}, with the assignments")
    for name, text in files.items():
        if name.endswith(".ipynb"):
            marks = [cell["metadata"]["nbgrader"] for cell in json.loads(text)["cells"]]
            checks = [mark["grade_id"].removesuffix("-check") for mark in marks if mark["grade"]]
            print(f"  {Path(name).stem}: {', '.join(checks)}; {sum(mark.get('points', 0) for mark in marks)} points")


if __name__ == "__main__":
    main()
