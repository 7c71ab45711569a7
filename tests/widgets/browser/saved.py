"""Saved notebooks that show widgets, made without a kernel."""

import nbformat
from ipywidgets.embed import dependency_state

from tools import pages
from tools.browser.harness import STATE


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
    """Open the page that `make pages` would make of a notebook with these widgets.

    Returns:
        The page's text.
    """
    text = pages.page(notebook(folder / "saved.ipynb", *widgets))
    made = folder / "saved.html"
    made.write_text(text, encoding="utf-8")
    page.goto(made.as_uri())
    return text
