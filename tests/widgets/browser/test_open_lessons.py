"""The tool that opens lessons and takes their pictures finds what is wrong with one."""

import json
import sys
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from tools.browser import open_lessons


@pytest.fixture
def look(lab, browser, tmp_path, monkeypatch):
    """Look at a notebook of these cells of code; gives back what is wrong, and the sizes of the pictures."""
    monkeypatch.setattr(open_lessons, "SCREENSHOTS", tmp_path)

    def look(*sources):
        path = tmp_path / "some.ipynb"
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        wrong, taken = open_lessons.look(browser, lab, path)
        return wrong, [Image.open(tmp_path / f"lesson-some-{n + 1}.png").size for n in range(taken)]

    return look


def test_a_long_notebook_is_seen_whole(look):
    wrong, sizes = look(
        "from IPython.display import HTML", "HTML('<div style=height:4000px>tall</div>')", "print('end')"
    )
    assert wrong == []
    assert len(sizes) >= 2 and sum(height for _, height in sizes) >= 4000


def test_whatever_is_wrong_is_told(look):
    outside = "http://example.invalid/picture.png"
    wrong, _ = look(
        "import sys; print('a warning', file=sys.stderr)",
        f"from IPython.display import HTML; HTML('<img src={outside}>')",
        "1 / 0",
    )
    told = "\n".join(wrong)
    assert "cell 0, standard error: a warning" in told and "cell 2: ZeroDivisionError: division by zero" in told
    assert "a cell failed" in told and f"requested from elsewhere: {outside}" in told


def test_its_settings_are_ones_that_jupyterlab_knows():
    schemas = Path(sys.prefix, "share", "jupyter", "lab", "schemas")
    for name, values in open_lessons.WHOLE.items():
        schema = json.loads((schemas / f"{name.replace(':', '/')}.json").read_text(encoding="utf-8"))
        assert set(values) <= set(schema["properties"])
