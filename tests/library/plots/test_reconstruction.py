"""Pictures of what a decoder draws."""

import numpy as np

from capslib import plots

RNG = np.random.default_rng(4)
IMAGE, DECODED, STRIP = RNG.random((28, 28)), RNG.random((28, 28)), RNG.random((5, 28, 28))
STEPS = np.array([-0.2, -0.1, 0, 0.1, 0.2])


def test_a_changed_dimension_shows_the_difference_on_one_scale_and_frames_the_step_next_to_the_change():
    original, reconstruction, difference, _, row = plots.changed_dimension(
        IMAGE[..., None], DECODED, STRIP, STEPS, 7, 0.12
    ).axes
    np.testing.assert_allclose(original.images[0].get_array(), 1 - IMAGE, atol=1 / 16)
    np.testing.assert_allclose(reconstruction.images[0].get_array(), 1 - DECODED, atol=1 / 16)
    np.testing.assert_allclose(difference.images[0].get_array(), DECODED - IMAGE, atol=1 / 16)
    assert difference.images[0].get_clim() == (-1, 1)
    error = np.square(DECODED - IMAGE).sum()
    assert difference.get_title() == "difference"  # A longer one runs into the title before it.
    assert difference.get_xlabel() == f"Σ of squares {error:.1f}"
    sheet = row.images[0].get_array().reshape(28, 5, 28)
    for k in range(5):
        np.testing.assert_allclose(sheet[:, k], 1 - STRIP[k], atol=1 / 16)
    (frame,) = row.patches
    assert frame.get_x() == 2.5 and frame.get_width() == 1  # Around the fourth, +0.10.
    assert [label.get_text() for label in row.get_xticklabels()] == ["−0.20", "−0.10", "0", "+0.10", "+0.20"]
    assert row.get_xlabel() == "added to dimension 7"


def test_a_changed_dimension_says_how_far_the_picture_is_and_what_is_framed():
    decoded = np.zeros((28, 28))
    decoded[:4] = 0.5
    assert plots.changed_dimension(np.zeros((28, 28)), decoded, STRIP, STEPS, 7, -0.2).get_label() == (
        "A digit, its reconstruction and their difference, whose squares add up to 28.0; below, 5 pictures decoded "
        "with −0.20 to +0.20 added to dimension 7, that of −0.20 framed."
    )
