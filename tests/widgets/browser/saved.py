"""Saved notebooks that show widgets, made without a kernel."""

import json

import nbformat
from ipywidgets.embed import dependency_state

from tools.browser.harness import STATE
from tools.web import sources


def notebook(path, *widgets, source="# A title", gone=()):
    """Write a notebook with a cell of markdown and one for each widget, as `make notebooks` would leave it.

    Args:
        path: where to write it.
        widgets: what its cells show.
        source: of the cell of markdown.
        gone: those of the widgets whose states it does not hold. JupyterLab saves such notebooks: it writes what cells
            show, and leaves the states as they were.

    Returns:
        Its path.
    """
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source)])
    made.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    states = {}
    for widget in widgets:
        data, metadata = widget._repr_mimebundle_()
        output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
        made.cells.append(nbformat.v4.new_code_cell("widget", execution_count=1, outputs=[output]))
        if widget not in gone:
            states |= dependency_state(widget, drop_defaults=False)
    if widgets:
        made.metadata["widgets"] = {STATE: {"version_major": 2, "version_minor": 0, "state": states}}
    nbformat.write(made, path)
    return path


def exported(page, folder, *widgets):
    """Open a page with these widgets, with the site's own scripts and nothing of its theme.

    Returns:
        The text of the script that holds their states.
    """
    return opened(page, folder, json.loads(notebook(folder / "saved.ipynb", *widgets).read_text(encoding="utf-8")))


def opened(page, folder, saved):
    """The same of a notebook that is given as what its file holds."""
    static = sources.Static(folder / "_static")
    static.shared()
    *programs, states = static.states("saved", sources.models_of(saved))
    outputs = [output for cell in sources.page(saved, "", static)["cells"] for output in cell.get("outputs", [])]
    made = folder / "saved.html"
    scripts = "".join(f'<script defer src="_static/{path}"></script>' for path in (*programs, states))
    shown = "".join("".join(output["data"]["text/html"]) for output in outputs)
    head = f'<meta charset="utf-8"><title>saved</title><script src="_static/course.js"></script>{scripts}'
    made.write_text(f'<!doctype html><html lang="en">{head}<main>{shown}</main></html>', encoding="utf-8")
    page.goto(made.as_uri())
    page.locator("html[data-course=ready]").wait_for()
    return (static.folder / states).read_text(encoding="utf-8")
