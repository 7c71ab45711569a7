"""Every picture: shown with words, drawn as it is, in the house style."""

import base64
import io
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from capslib import plots


def test_show_gives_the_picture_as_png_and_html_with_its_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: shown.append((args, kwargs)))
    fig, ax = plots.figure()
    ax.plot([0, 1])
    plots.show(plots.described(fig, 'a line that rises from 0 to 1, "steadily" & <straight>'))
    ((bundle,), options) = shown[0]
    assert bundle["text/plain"] == options["metadata"]["image/png"]["alt"]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    first, tag = bundle["text/html"].split("\n")
    assert first == "<!-- a picture -->"  # JupyterLab shows it in place of a collapsed picture.
    image = ElementTree.fromstring(tag.replace("png;base64,", "").replace(">", "/>", 1))
    assert image.get("alt") == bundle["text/plain"] and image.get("src") == f"data:image/{bundle['image/png']}"


def test_a_picture_that_nothing_describes_is_refused():
    with pytest.raises(ValueError, match="fig: got an empty text, expected a figure with a description"):
        plots.show(plots.figure()[0])


@pytest.mark.parametrize("alt", ["", "  ", None, 3])
def test_a_figure_is_not_described_with_nothing(alt):
    with pytest.raises(ValueError, match="alt: got .*, expected a sentence that says what the picture shows"):
        plots.described(plots.figure()[0], alt)


def test_plots_know_nothing_of_keras():
    code = "import sys, capslib.plots; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"keras", "tensorflow", "matplotlib.pyplot"} & set(loaded)


def test_a_saved_png_is_smaller_and_looks_the_same(digit):
    grey = plots.digit_sheet([digit[0].reshape(28, 28)] * 3, ["a", "b", "c"])
    for fig in (grey, plots.film_strip(*digit, 3), plots.slopes_by_class(np.linspace(-1, 1, 160).reshape(10, 16), "x")):
        fig.set_layout_engine("none")  # It would move things again at the second drawing.
        drawn, whole, saved = io.BytesIO(), plots.png(fig), plots.png(fig, saved=True)
        fig.savefig(drawn, format="png")
        a, b = (np.asarray(Image.open(one).convert("RGB"), float) for one in (drawn, io.BytesIO(saved)))
        assert len(saved) < 0.95 * len(whole) and np.abs(a - b).max() < 32 and np.abs(a - b).mean() < 3


def test_png_has_the_pixels_of_the_figure(digit):
    fig, saved = plots.film_strip(*digit, 3), io.BytesIO()
    fig.set_layout_engine("none")  # It would move things again at the second drawing.
    quick = Image.open(io.BytesIO(plots.png(fig)))
    fig.savefig(saved, format="png")
    slow = Image.open(saved).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    assert quick.mode == "P"
    np.testing.assert_array_equal(np.asarray(quick.convert("RGB")), np.asarray(slow.convert("RGB")))
