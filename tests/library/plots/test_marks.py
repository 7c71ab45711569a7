"""What several pictures draw."""

import numpy as np
import pytest

from capslib import plots
from capslib.style import CONTRIBUTION, COUPLING


def test_coupling_scale_is_zero_at_no_preference():
    np.testing.assert_allclose(plots.coupling_scale(np.array([0.25, 0.5, 0.125, 0.125])), [0, 1, -1, -1])
    np.testing.assert_allclose(plots.coupling_scale(np.array([1.0] + [0] * 15)), [3] + [-3] * 15)
    white = COUPLING(0.5)
    assert np.allclose(white[:3], 1, atol=0.02) and np.allclose(CONTRIBUTION(0.5)[:3], 1, atol=0.02)


def test_draw_coupling_writes_every_number_when_asked():
    c = np.array([[0.9, 0.1], [0.5, 0.5]])
    _, ax = plots.figure()
    image = plots.draw_coupling(ax, c, numbers=True)
    np.testing.assert_allclose(image.get_array(), plots.coupling_scale(c))
    assert [text.get_text() for text in ax.texts] == ["0.90", "0.10", "0.50", "0.50"]
    assert image.get_clim() == (-3, 3)


def test_draw_grid_lays_the_cells_row_by_row_over_the_digit():
    image, values = np.eye(28), np.arange(49.0) - 10
    _, ax = plots.figure()
    tint = plots.draw_grid(ax, image, values)
    np.testing.assert_array_equal(tint.get_array(), values.reshape(7, 7))
    assert tint.get_clim() == (-38, 38) and tint.get_cmap() is CONTRIBUTION
    np.testing.assert_allclose(ax.images[1].get_array()[..., 3], 0.75 * image)
    assert len(ax.lines) == 12
    tint = plots.draw_grid(ax, image, values, kind="coupling")
    assert tint.get_clim() == (-3, 3) and tint.get_cmap() is COUPLING
    with pytest.raises(ValueError, match="kind: got 'c', expected 'contribution' or 'coupling'"):
        plots.draw_grid(ax, image, values, kind="c")
