"""Pictures of what a capsule's dimensions do."""

import io

import numpy as np
from PIL import Image

from capslib import plots


def test_dimension_sweep_has_a_row_for_each_dimension_and_frames_the_steps_that_occur():
    pictures = np.zeros((3, 5, 28, 28))
    pictures[2, 1, 4, 9] = 1  # one dot: dimension 2, step 1
    steps, spread = np.linspace(-0.2, 0.2, 5), [0.02, 0.05, 0.3]
    fig = plots.dimension_sweep(pictures, steps, spread)
    ax = fig.axes[0]
    sheet = np.asarray(ax.images[0].get_array())
    np.testing.assert_array_equal(np.argwhere(sheet == 0), [[2 * 22 + 1, 22 + 6]])  # Without its margins of 3 pixels.
    np.testing.assert_array_equal(ax.images[0].get_extent(), [-0.5, 4.5, 2.5, -0.5])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["−0.20", "−0.10", "0", "+0.10", "+0.20"]
    frames = [frame.get_bbox().extents for frame in ax.patches]
    np.testing.assert_array_equal(frames, [[1.5, -0.5, 2.5, 0.5], [0.5, 0.5, 3.5, 1.5], [-0.5, 1.5, 4.5, 2.5]])
    assert fig.get_label().startswith("3 rows of 5 pictures") and "one is 0.02 to 0.30." in fig.get_label()
    assert not plots.dimension_sweep(pictures, steps).axes[0].patches


def test_dimension_sweep_draws_each_pixel_as_a_square_of_whole_pixels():
    pictures = np.random.default_rng(0).random((2, 3, 28, 28))
    drawn = Image.open(io.BytesIO(plots.png(plots.dimension_sweep(pictures, [-1, 0, 1])))).convert("L")
    shades = np.asarray(drawn, float)
    expected = 255 * (1 - np.round(3 * pictures[:, :, 3:25, 3:25]) / 3).transpose(0, 2, 1, 3).reshape(44, 66)
    sheet = np.kron(expected, np.ones((2, 2)))
    top = 30
    np.testing.assert_allclose(shades[top : top + 88, 56 : 56 + 132], sheet, atol=3)


def test_slopes_by_class_rings_the_strongest_of_either_sign_on_one_scale():
    effects = np.random.default_rng(1).normal(0, 0.1, (10, 16))
    best = np.array([3, 0, 15, 7, 7, 2, 9, 1, 4, 8])
    effects[range(10), best] = np.where(np.arange(10) % 2, -1, 1) * np.linspace(1, 2, 10)
    fig = plots.slopes_by_class(effects, "slant")
    ax = fig.axes[0]
    np.testing.assert_array_equal(ax.images[0].get_array(), effects)
    assert ax.images[0].get_clim() == (-2, 2)
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.c_[best, np.arange(10)])
    assert "from -2.00 to 1.89" in fig.get_label() and "are 3, 0, 15, 7, 7, 2, 9, 1, 4, 8." in fig.get_label()


def test_against_bases_sets_the_dimensions_beside_the_random_bases():
    fig = plots.against_bases({"slant": (0.5, 0.2, 0.4, 0.6), "width": (0.3, 0.1, 0.2, 0.25)}, "effect")
    ax = fig.axes[0]
    drawn = [line.get_xydata().tolist() for line in ax.lines]
    assert drawn == [[[0.2, 0], [0.6, 0]], [[0.4, 0]], [[0.5, 0]], [[0.1, 1], [0.25, 1]], [[0.2, 1]], [[0.3, 1]]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["slant", "width"]
    assert "slant 0.50 against 0.20 to 0.60; width 0.30 against 0.10 to 0.25." in fig.get_label()


def test_read_from_codes_has_a_panel_for_each_property_and_a_bar_for_each_code():
    values = {"capsule": [0.9, -0.05], "CNN": [0.5, 0.1], "shuffled": [0.0, 1.0]}
    fig = plots.read_from_codes(values, ("slant", "width"), "R²")
    left, right = fig.axes
    assert (left.get_title(), right.get_title()) == ("slant", "width")
    assert [label.get_text() for label in left.get_yticklabels()] == ["capsule", "CNN", "shuffled"]
    np.testing.assert_allclose([bar.get_width() for bar in left.patches], [0.9, 0.5, 0])
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], [0, 0.1, 1])
    assert [text.get_text() for text in right.texts] == ["−0.05", "0.10", "1.00"]
    assert left.get_ylim() == (2.5, -0.5)  # The first on top.
    assert fig.get_label() == "Bars of R² for capsule, CNN, shuffled: slant 0.90, 0.50, 0.00; width -0.05, 0.10, 1.00."


def test_direction_spectra_adds_up_the_shares():
    shares = np.tile([0.5, 0.25, 0.125, 0.125], (10, 1))
    shares[0] = [1, 0, 0, 0]
    fig = plots.direction_spectra(shares, np.linspace(1, 4, 10))
    left, right = fig.axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), 1)
    np.testing.assert_allclose(left.lines[10].get_ydata(), [0.5, 0.75, 0.875, 1])
    np.testing.assert_allclose([bar.get_height() for bar in right.patches], np.linspace(1, 4, 10))
    assert "0.50 for the first axis, 0.75 for two and 1.00 for four of 4" in fig.get_label()
    assert "from 1.0 to 4.0." in fig.get_label()
