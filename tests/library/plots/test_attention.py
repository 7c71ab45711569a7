"""Pictures of self-attention routing."""

import numpy as np
import pytest

from capslib import plots
from capslib.plots.marks import coupling_scale
from tests.library.plots.artists import words_in


def test_agreement_tables_write_every_number_and_the_sum_of_each_row():
    tables = np.array([[[1, -2], [0.5, 3]], [[0, -0.001], [4, 1]]])
    fig = plots.agreement_tables(tables, ["face", "car"])
    for ax, table, name in zip(fig.axes, tables, ("face", "car"), strict=True):
        np.testing.assert_allclose(ax.images[0].get_array(), table)
        assert ax.images[0].get_clim() == (-4, 4) and ax.get_title() == f"votes for the {name}"
        numbers = {tuple(text.get_position()): text.get_text() for text in ax.texts if "Σ" not in text.get_text()}
        assert numbers == {(k, i): f"{table[i, k]:z.2f}".replace("-", "−") for i in range(2) for k in range(2)}
        sums = [f"Σ {total:z.2f}".replace("-", "−") for total in table.sum(1)]
        assert [word for word in words_in(ax) if "Σ" in word] == sums
    assert not {"-0.00", "−0.00"} & set(words_in(fig.axes[1]))
    assert "For the face, the rows sum to −1.00, 3.50. For the car, the rows sum to 0.00, 5.00." in fig.get_label()


def test_couplings_stand_beside_the_prior_with_white_at_no_preference_and_at_zero():
    c, prior = np.array([[0.25, 0.75], [0.5, 0.5], [1, 0]]), np.array([[0.1, -0.4], [0, 0.2], [0.3, 0]])
    fig = plots.couplings_and_prior(c, prior)
    left, right = fig.axes[:2]
    np.testing.assert_allclose(left.images[0].get_array(), coupling_scale(c))
    np.testing.assert_allclose(right.images[0].get_array(), prior)
    assert right.images[0].get_clim() == (-0.4, 0.4)
    np.testing.assert_allclose(right.images[0].to_rgba(np.zeros(1))[0], 1, atol=0.02)
    assert "Couplings lie between 0.000 and 1.000, priors between -0.400 and 0.300." in fig.get_label()


def test_every_run_has_its_mark_and_its_interval_in_the_row_of_its_network():
    rows = {"capsules": [(0.9, 0.8, 0.95), (0.7, 0.6, 0.75)], "plain CNN": [(0.5, 0.4, 0.6), (0.3, 0.2, 0.4)]}
    fig = plots.runs_with_intervals(rows, "accuracy")
    (ax,) = fig.axes
    intervals, marks = ax.lines[::2], ax.lines[1::2]
    runs = [run for network in rows.values() for run in network]
    for (value, low, high), interval, mark in zip(runs, intervals, marks, strict=True):
        assert list(interval.get_xdata()) == [low, high] and list(mark.get_xdata()) == [value]
        assert set(interval.get_ydata()) == set(mark.get_ydata())
    heights = [mark.get_ydata()[0] for mark in marks]
    assert len(set(heights)) == 4 and [round(height) for height in heights] == [0, 0, 1, 1]
    assert ax.yaxis_inverted() and [tick.get_text() for tick in ax.get_yticklabels()] == list(rows)
    assert len({(mark.get_marker(), mark.get_color()) for mark in marks}) == 2
    assert "capsules 0.900 (0.800 to 0.950), 0.700 (0.600 to 0.750); plain CNN 0.500" in fig.get_label()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.agreement_tables(np.zeros((2, 3, 3)), ["a", "b"]),
        lambda: plots.couplings_and_prior(np.full((2, 3), 1 / 3), np.zeros((2, 3))),
    ],
)
def test_what_is_zero_everywhere_is_drawn_all_the_same(draw):
    plots.png(draw())
