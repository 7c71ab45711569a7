"""Run notebooks in place, from their first cell, so that running them again changes no byte.

    python tools/render.py notebooks/03_squash.ipynb ...

Times, versions and random identifiers are left out; the state of the widgets shown is kept, so that a page made from
the notebook shows them.
"""

import json
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


def render(path):
    """Execute the notebook at `path` and write it back with its outputs."""
    path = Path(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    )
    NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata.pop("language_info", None)
    notebook.nbformat_minor = 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{path.stem[:2]}-{number:03d}"
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = _joined_streams(cell.outputs)
    text = _stable_widgets(notebook)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


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
