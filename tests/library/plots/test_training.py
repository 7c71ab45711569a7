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
    told = "Training loss by epoch: a, 1.000 at epoch 1 and 0.333 at epoch 3; b, 2.000 at epoch 1 and 0.667 at epoch 3."
    assert fig.get_label() == f"{told} A dashed line at 0.500: chance."


def test_the_first_training_is_blue_and_the_second_vermilion():
    rows = [{"epoch": n, "loss": n} for n in (1, 2)]
    lines = plots.training_curves({"article": rows, "ours": rows}, "loss", "loss").axes[0].lines
    assert [line.get_color() for line in lines] == ["#0072B2", "#D55E00"]


def test_learning_rates_are_drawn_from_zero():
    fig = plots.learning_rates({"up": np.array([0, 2, 1]), "flat": np.ones(3)})
    (ax,) = fig.axes
    assert [list(line.get_ydata()) for line in ax.lines] == [[0, 2, 1], [1, 1, 1]]
    assert [text.get_text() for text in ax.texts] == ["up", "flat"] and ax.get_ylim()[0] == 0
    assert [line.get_color() for line in ax.lines] == ["#0072B2", "#D55E00"]
    assert ax.texts[1].xy == (2, 1) and ax.texts[1].get_ha() == "right"  # A constant rate is named at its end.
    told = "up, 0.000 at first, 2.000 at step 1, 1.000 at the last step 2; flat, 1.000 throughout."
    assert fig.get_label() == f"Learning rate by optimizer step: {told}"
