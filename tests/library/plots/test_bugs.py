"""Quantities of the bug lab: every network has a look of its own, and what is no number is said."""

import numpy as np
import pytest

from capslib import plots
from capslib.bugs import LOOKS

LINE, BARS = LOOKS["loss"], LOOKS["rows"]
FALLING = np.linspace(0.9, 0.1, 10)


def test_a_curve_is_drawn_for_each_network_told_apart_by_dashes_and_markers():
    fig = plots.patient_beside_healthy(LINE, FALLING, FALLING + 0.3, FALLING + 0.1)
    (ax,) = fig.axes
    assert [line.get_label() for line in ax.lines] == ["healthy", "patient", "yours"]
    assert len({(line.get_linestyle(), line.get_marker()) for line in ax.lines}) == 3
    for line, row in zip(ax.lines, (FALLING, FALLING + 0.3, FALLING + 0.1), strict=True):
        np.testing.assert_allclose(line.get_ydata(), row)
    assert fig.get_label() == "Training loss (the last tenth): healthy 0.100, patient 0.400, yours 0.200."


def test_bars_stand_side_by_side_and_differ_in_their_hatching():
    fig = plots.patient_beside_healthy(BARS, np.ones(16), np.full(16, 0.3))
    (ax,) = fig.axes
    healthy, patient = (ax.containers[k] for k in range(2))
    assert [bar.get_height() for bar in healthy] == [1] * 16 and healthy[0].get_hatch() != patient[0].get_hatch()
    assert all(h.get_x() + h.get_width() <= p.get_x() + 1e-9 for h, p in zip(healthy, patient, strict=True))


@pytest.mark.parametrize("look", [LINE, BARS])
def test_what_is_no_number_is_said(look):
    row = np.ones(16)
    row[3:] = np.nan
    fig = plots.patient_beside_healthy(look, np.ones(16), row)
    assert "patient NaN" in fig.get_label() and "patient: NaN" in {text.get_text() for text in fig.axes[0].texts}


def test_quantities_looked_at_stand_three_in_a_row():
    fig = plots.looked_at([(LINE, FALLING, FALLING)] * 4)
    drawn = [ax for ax in fig.axes if ax.lines]
    assert len(drawn) == 4 and len({round(ax.get_subplotspec().rowspan.start) for ax in drawn}) == 2
    assert fig.get_label().count("Training loss: healthy 0.100, patient 0.100") == 4
