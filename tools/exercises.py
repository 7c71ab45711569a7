"""Write the exercises of lessons from their one master, the notebooks of solutions.

    python -m tools.exercises notebooks/solutions/03_squash.ipynb ...

A notebook of solutions has, for each exercise, a cell with the task and the next with the solution, which stands
between `### BEGIN SOLUTION` and `### END SOLUTION`. The lesson gets the same task and a stub. In a function, the stub
has dots in place of the solution; elsewhere, it leaves the solution out. Both replace the ones that the lesson has
under the same name, wherever it has them; a new exercise comes at the end of the section *Exercises*.
"""

import itertools
import json
import re
import sys
from pathlib import Path

from capslib.records import write_atomically
from tools.render import give_ids

HEADING = "## Exercises"
TASK = "### Exercise"
NAME = re.compile(r"exercises\.check\(\"(\w+)\"")
REGION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION\n", re.M | re.S)


def pairs(cells) -> dict[str, tuple[dict, dict]]:
    """The exercises among a notebook's cells: name → the cell with the task and the one with the code after it."""
    found = {}
    for task, code in itertools.pairwise(cells):
        name = NAME.search("".join(code["source"]))
        if code["cell_type"] == "code" and name and "".join(task["source"]).startswith(TASK):
            found[name[1]] = (task, code)
    return found


def stub(solution) -> str:
    """What the learner starts from: a solution's code without what the learner writes.

    Raises:
        ValueError: if the solution's region is not marked.
    """
    text, regions = REGION.subn(lambda region: region[1] and f"{region[1]}...\n", solution)
    if regions != 1:
        raise ValueError(f"solution: got {regions} marked regions, expected one from BEGIN SOLUTION to END SOLUTION")
    return text


def put(lesson, solutions) -> None:
    """Put the exercises of a notebook of solutions into its lesson; both as JSON, the lesson is changed in place.

    Raises:
        ValueError: if a new exercise has no section to go to.
    """
    cells, here = lesson["cells"], pairs(lesson["cells"])
    for name, (task, solution) in pairs(solutions["cells"]).items():
        text = stub("".join(solution["source"])).splitlines(keepends=True)
        if name in here:
            here[name][0]["source"], here[name][1]["source"] = task["source"], text
            continue
        starts = [n for n, cell in enumerate(cells) if "".join(cell["source"]).startswith(HEADING)]
        if not starts:
            raise ValueError(f"lesson: got no section {HEADING!r}, expected one for the new exercise {name!r}")
        end = starts[0] + 1
        while end < len(cells) - 1 and not "".join(cells[end]["source"]).startswith("## "):
            end += 1
        code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text}
        cells[end:end] = [{"cell_type": "markdown", "metadata": {}, "source": task["source"]}, code]


def main(paths) -> None:
    """Write the exercises of each notebook of solutions into its lesson."""
    for path in map(Path, paths):
        target = path.parents[1] / path.name
        lesson = json.loads(target.read_text(encoding="utf-8"))
        put(lesson, json.loads(path.read_text(encoding="utf-8")))
        give_ids(lesson, target.stem[:2])
        text = json.dumps(lesson, indent=1, ensure_ascii=False) + "\n"
        write_atomically(target, lambda file, text=text: file.write(text.encode()))
        print(f"{target.name}: {', '.join(pairs(lesson['cells']))}; now run it with tools/render.py")


if __name__ == "__main__":
    main(sys.argv[1:])
