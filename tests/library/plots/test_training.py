"""Pictures of a training."""

import numpy as np

from capslib import plots


def test_training_curves_name_their_lines_and_tell_them_apart_without_colour():
    runs = {name: [{"epoch": n, "loss": value / n} for n in (1, 2, 3)] for name, value in (("a", 1), ("b", 2))}
    fig = plots.training_curves(runs, "loss", "training loss", (0.5, "chance"), limits=(0, 3))
    (ax,) = fig.axes
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[1, 1 / 2, 1 / 3], [2, 1, 2 / 3]]
    assert [text.get_text() for text in ax.texts] == ["a", "b", "chance"]
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()
    assert list(ax.lines[2].get_ydata()) == [0.5, 0.5] and ax.get_ylim() == (0, 3) and ax.get_xlabel() == "epoch"


def test_learning_rates_are_drawn_from_zero():
    (ax,) = plots.learning_rates({"up": np.array([0, 1, 2]), "flat": np.ones(3)}).axes
    assert [list(line.get_ydata()) for line in ax.lines] == [[0, 1, 2], [1, 1, 1]]
    assert [text.get_text() for text in ax.texts] == ["up", "flat"] and ax.get_ylim()[0] == 0
