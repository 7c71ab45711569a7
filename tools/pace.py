"""How many minutes each lesson takes: `python -m tools.pace` prints a line a lesson; a test holds the headers to it.

A reader of technical prose reads about 180 words a minute. Code is read more slowly than prose, a picture takes a third
of a minute, and a widget takes four minutes, since the reader is asked to use it. The part that a lesson calls *Going
deeper* is counted on its own, because the lesson is complete without it. So are the quiz and the exercises, whose
minutes are the ones stated in their headings.
"""

import json
import re
import sys
from pathlib import Path

from tools.render import VIEW

WORDS_A_MINUTE, SECONDS_A_LINE, SECONDS_A_PICTURE, MINUTES_A_WIDGET = 180, 5, 20, 4
DEEPER = "## Going deeper"
EXERCISE = re.compile(r"(?:### Exercise .*|## Quiz )\((\d+) minutes?\)")
SAYS = re.compile(
    r"\*\*Time:\*\* (\d+) minutes(?:, (\d+) more for \*Going deeper\*)?(?:, (\d+) for quiz and exercises)? · "
)


def read(markdown) -> int:
    """How many words of a Markdown cell are read: not the alt texts, addresses, formulas or HTML tags."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", markdown)
    text = re.sub(r"\]\([^)]*\)|\$\$.*?\$\$|\$[^$]*\$|<[^>]*>", " ", text, flags=re.S)
    return len(re.findall(r"\S*\w\S*", text))


def minutes_of(cell) -> float:
    """How long one cell takes to read, to run and to look at, in minutes."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return read(source) / WORDS_A_MINUTE + source.count("![") * SECONDS_A_PICTURE / 60
    seconds = SECONDS_A_LINE * sum(bool(line.strip()) for line in source.splitlines())
    kinds = [output.get("data", {}) for output in cell["outputs"]]
    widgets = sum(VIEW in kind for kind in kinds)
    pictures = sum("image/png" in kind and VIEW not in kind for kind in kinds)
    return (seconds + SECONDS_A_PICTURE * pictures) / 60 + MINUTES_A_WIDGET * widgets


def computed(cells) -> tuple[float, float, int]:
    """Minutes of a lesson alone, of *Going deeper*, and of the exercises.

    *Going deeper* ends with the lesson's last cell, which has the sources and the way on. An exercise is a cell with
    the task and the code cell after it.
    """
    main = deeper = 0.0
    exercises, below, task = 0, False, False
    for n, cell in enumerate(cells):
        source = "".join(cell["source"])
        below = (below or source.startswith(DEEPER)) and n < len(cells) - 1
        exercise = EXERCISE.match(source)
        if exercise:
            exercises += int(exercise[1])
        elif not (task and cell["cell_type"] == "code"):
            main, deeper = main + minutes_of(cell) * (not below), deeper + minutes_of(cell) * below
        task = bool(exercise)
    return main, deeper, exercises


def stated(cells) -> tuple[int, int, int]:
    """The same three numbers as the first cell states them, 0 for a part that it does not name."""
    found = SAYS.search("".join(cells[0]["source"]))
    return (int(found[1]), int(found[2] or 0), int(found[3] or 0)) if found else (0, 0, 0)


def main(paths) -> None:
    """Print what each notebook states and what is computed."""
    for path in paths:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        says, takes = (" + ".join(f"{minutes:4.1f}" for minutes in part) for part in (stated(cells), computed(cells)))
        print(f"{path.stem:28s} states {says}, takes {takes} minutes (the lesson, going deeper, the exercises)")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(Path(__file__).parents[1].glob("notebooks/*.ipynb")))
