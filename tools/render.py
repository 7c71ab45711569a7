"""Run notebooks in place, from their first cell, so that running them again changes no byte.

    python tools/render.py notebooks/03_squash.ipynb ...

Times, versions and random identifiers are left out; the state of the widgets shown is kept, so that a page made from
the notebook shows them. A cell keeps its id for good, since links and translations name it. Outputs of a cell with the
tag `hide-output` are saved collapsed: they answer a question that stands before them. JupyterLab shows the first line
of what is collapsed, so such text begins with a line that gives nothing away; it is not compared when the tests run.
"""

import json
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from capslib.records import write_atomically

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
FIRST_LINE = "Result:\n"
"""What the text of a collapsed output begins with."""
NEXT = "next_cell"
"""The notebook's own metadata say under this name which number a new cell gets."""


def render(path):
    """Execute the notebook at `path` and write it back with its outputs."""
    path = Path(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    give_ids(data, path.stem[:2])
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    data["metadata"] = {"kernelspec": kernel, NEXT: data["metadata"][NEXT]}
    notebook = nbformat.reads(json.dumps(data), as_version=4)
    NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if "hide-output" in (tags or []):
            cell.metadata |= nbformat.from_dict({"collapsed": True, "jupyter": {"outputs_hidden": True}})
        if cell.cell_type == "code":
            cell.outputs = _joined_streams(cell.outputs)
            if "hide-output" in (tags or []) and cell.outputs and cell.outputs[0].output_type == "stream":
                cell.outputs[0].text = FIRST_LINE + cell.outputs[0].text
    text = _stable_widgets(notebook).rstrip("\n") + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def give_ids(data, prefix):
    """Give every cell that has none of its own an id like 03-017, and change no other.

    A number is given once: the next one is kept in the notebook, so that a new cell never gets the id of one that was
    deleted. Of cells with one id the first keeps it, and the random ids that Jupyter gives are replaced.

    Args:
        data: a notebook as JSON, of format 4; changed in place.
        prefix: what its ids begin with.
    """
    numbers = {}
    for cell in data["cells"]:
        found = re.fullmatch(rf"{re.escape(prefix)}-(\d{{3,}})", cell.get("id", ""))
        if found:
            numbers.setdefault(int(found[1]), cell)
    kept = {id(cell) for cell in numbers.values()}
    number = max(data["metadata"].get(NEXT, 0), *(known + 1 for known in numbers), 0)
    for cell in data["cells"]:
        if id(cell) not in kept:
            cell["id"] = f"{prefix}-{number:03d}"
            number += 1
    data["metadata"][NEXT] = number
    data["nbformat_minor"] = 5  # The first in which cells have ids.


def _joined_streams(outputs):
    """Join neighbouring pieces of one stream: where a kernel flushes is chance."""
    joined = []
    for output in outputs:
        previous = joined[-1] if joined else None
        both_streams = previous is not None and previous.output_type == output.output_type == "stream"
        if both_streams and previous.name == output.name:
            previous.text += output.text
        else:
            joined.append(output)
    return joined


def _stable_widgets(notebook):
    """The notebook as text, its widgets numbered in the order in which they are shown; unused ones are dropped."""
    state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    order = []

    def visit(model):
        if model in state and model not in order:
            order.append(model)
            for child in re.findall(r"IPY_MODEL_([0-9a-f]{32})", json.dumps(state[model], sort_keys=True)):
                visit(child)

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if VIEW in output.get("data", {}):
                visit(output.data[VIEW]["model_id"])
    if order:
        notebook.metadata["widgets"][STATE]["state"] = {model: state[model] for model in order}
    else:
        notebook.metadata.pop("widgets", None)
    text = nbformat.writes(notebook)
    for number, model in enumerate(order):
        text = text.replace(model, f"{number:032x}")
    # Once more, since the writer has sorted the widgets by the identifiers that they had before.
    return nbformat.writes(nbformat.reads(text, as_version=4))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, flush=True)
        render(name)
