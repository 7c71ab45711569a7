"""The widgets saved in the notebooks are those of capslib as it is now, since pages of lessons run what is saved."""

import base64
import importlib
import io
import json
import re

import pytest
from PIL import Image

from capslib import exercises
from tests import ROOT

FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted([*FOLDER.glob("*.ipynb"), *FOLDER.glob("solutions/*.ipynb")])
STATE = "application/vnd.jupyter.widget-state+json"


def outdated(notebook):
    """What is saved of the course's widgets in a notebook, and differs from what their classes say now."""
    models = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    for model in models.values():
        module, _, name = model["state"].get("_anywidget_id", "").rpartition(".")
        if module.startswith("capslib"):
            current = getattr(importlib.import_module(module), name)
            yield from (
                f"{name}{part}"
                for part in ("_esm", "_css")
                if model["state"].get(part, "") != str(getattr(current, part, ""))
            )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_saved_widgets_have_the_program_of_now(path):
    found = list(outdated(json.loads(path.read_text(encoding="utf-8"))))
    assert not found, f"{found} changed: run make notebooks NOTEBOOKS={path.relative_to(FOLDER.parent)}"


def size(png):
    return Image.open(io.BytesIO(png)).size


def quizzes():
    """The number of each lesson that asks, with the outputs of the cell that does."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            found = re.fullmatch(r'exercises\.quiz\("(\w+)"\)', "".join(cell["source"]))
            if found:
                yield pytest.param(found[1], cell["outputs"], id=found[1])


@pytest.mark.parametrize(("number", "outputs"), [*quizzes()])
def test_the_picture_in_place_of_a_quiz_is_the_one_of_now(number, outputs):
    """By its size, which is another one when a question gets longer or a line breaks elsewhere."""
    (output,) = outputs
    assert size(base64.b64decode(output["data"]["image/png"])) == size(exercises.quiz(number).picture())


@pytest.mark.parametrize("part", ["_esm", "_css"])
def test_an_outdated_widget_is_found(part):
    from capslib.widgets import SquashExplorer

    state = {"_anywidget_id": "capslib.widgets.squash_explorer.SquashExplorer"}
    state |= {"_esm": str(SquashExplorer._esm), "_css": str(SquashExplorer._css)}
    notebook = {"metadata": {"widgets": {STATE: {"state": {"0": {"state": state}, "1": {"state": {"layout": ""}}}}}}}
    assert list(outdated(notebook)) == []
    state[part] += " "
    assert list(outdated(notebook)) == [f"SquashExplorer{part}"]
