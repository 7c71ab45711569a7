"""Properties of pictures, on shapes whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capslib import digits, transforms
from capslib.moments import PROPERTIES, properties, total_variation
from tests.library.strategies import SETTINGS


def bar(rows, columns, size=28):
    """A black picture (size, size) with a white rectangle in the given rows and columns."""
    p = np.zeros((size, size))
    p[slice(*rows), slice(*columns)] = 1
    return p


def stroke(thickness, angle, length=18.0, size=64, fine=8):
    """A straight stroke through the middle, `angle` degrees to the right of the vertical, drawn with smooth edges."""
    at = (np.arange(size * fine) + 0.5) / fine - size / 2
    x, up = np.meshgrid(at, -at)
    a = np.deg2rad(angle)
    along, across = x * np.sin(a) + up * np.cos(a), x * np.cos(a) - up * np.sin(a)
    inside = (abs(along) < length / 2) & (abs(across) < thickness / 2)
    return inside.reshape(size, fine, size, fine).mean((1, 3))


def test_a_rectangle_has_the_moments_of_its_rows_and_columns():
    found = properties(bar((4, 14), (12, 16)))
    assert {name: value.shape for name, value in found.items()} == dict.fromkeys(PROPERTIES, ())
    np.testing.assert_allclose(found["right"], 13.5 - 13.5)
    np.testing.assert_allclose(found["down"], 8.5 - 13.5)
    np.testing.assert_allclose(found["slant"], 0, atol=1e-12)
    np.testing.assert_allclose(found["width"], np.sqrt((4**2 - 1) / 12))
    np.testing.assert_allclose(found["height"], np.sqrt((10**2 - 1) / 12))
    outline = 2 * (9 + 3) + 4 * np.sqrt(0.5)  # the four corners are cut
    np.testing.assert_allclose(total_variation(bar((4, 14), (12, 16))), outline)
    np.testing.assert_allclose(found["thickness"], 2 * 40 / outline)


def test_a_slash_leans_right_by_a_pixel_a_pixel_and_a_backslash_left():
    slash = np.fliplr(np.eye(28))
    assert slash[0, -1] == 1  # its top is on the right
    np.testing.assert_allclose(properties(slash)["slant"], 1)
    np.testing.assert_allclose(properties(np.eye(28))["slant"], -1)
    np.testing.assert_allclose(properties(slash)["width"], 0, atol=1e-7)


@pytest.mark.parametrize("angle", [-30, 0, 20, 45])
def test_a_drawn_stroke_leans_by_the_tangent_of_its_angle(angle):
    found = properties(stroke(3, angle, length=40))
    # The two ends are cut at right angles to the stroke, which takes something off.
    np.testing.assert_allclose(found["slant"], np.tan(np.deg2rad(angle)), atol=0.02)
    np.testing.assert_allclose([found["right"], found["down"]], 0, atol=1e-9)


@pytest.mark.parametrize(("thickness", "within"), [(2, 0.13), (3, 0.04), (4, 0.04), (5, 0.04), (6, 0.04)])
@pytest.mark.parametrize("angle", [0, 17, 30, 45, 70])
@pytest.mark.parametrize("length", [20, 28, 36])
def test_thickness_is_that_of_a_drawn_stroke(thickness, within, angle, length):
    """Whatever the angle: within 4 % of t·l/(l + t) from 3 pixels on, within 13 % at 2, where the grid shows."""
    found = properties(stroke(thickness, angle, length))["thickness"]
    np.testing.assert_allclose(found, thickness * length / (length + thickness), rtol=within)


def test_an_outline_at_the_edge_of_the_picture_counts():
    inside, at_the_edge = bar((4, 14), (12, 16)), bar((0, 10), (24, 28))
    np.testing.assert_allclose(total_variation(at_the_edge), total_variation(inside))


def test_a_ring_has_two_outlines():
    at = np.hypot(*(np.indices((64, 64)) - 31.5))
    ring = np.clip(at - 14.5, 0, 1) * np.clip(20.5 - at, 0, 1)  # from 15 to 20, its edges a pixel of grey
    np.testing.assert_allclose(properties(ring)["thickness"], 5, rtol=0.03)


@SETTINGS
@given(right=st.integers(-3, 3), down=st.integers(-3, 3), seed=st.integers(0, 2**32 - 1))
def test_a_move_changes_the_position_by_as_much_and_nothing_else(right, down, seed):
    ink = np.zeros((28, 28, 1), np.float32)
    ink[4:24, 4:24, 0] = np.random.default_rng(seed).random((20, 20)) ** 3
    before, after = properties(ink), properties(transforms.shift(ink[None], right, down)[0])
    for name in PROPERTIES:
        by = {"right": right, "down": down}.get(name, 0)
        np.testing.assert_allclose(after[name], before[name] + by, atol=1e-4, err_msg=name)


@SETTINGS
@given(shear=st.integers(-2, 2), seed=st.integers(0, 2**32 - 1))
def test_a_shear_of_whole_pixels_changes_the_slant_by_as_much_but_neither_height_nor_width(shear, seed):
    ink = np.zeros((28, 84))
    ink[9:19, 36:48] = np.random.default_rng(seed).random((10, 12)) ** 3
    # Row y moves to the right by shear · (how far it is above row 14).
    sheared = np.stack([np.roll(row, shear * (14 - y)) for y, row in enumerate(ink)])
    before, after = properties(ink), properties(sheared)
    np.testing.assert_allclose(after["slant"], before["slant"] + shear, atol=1e-9)
    for name in ("width", "height", "down"):
        np.testing.assert_allclose(after[name], before[name], atol=1e-9, err_msg=name)


def test_transposing_swaps_right_with_down():
    ink = np.random.default_rng(5).random((28, 28)) ** 4
    before, after = properties(ink), properties(ink.T)
    np.testing.assert_allclose([after["right"], after["down"]], [before["down"], before["right"]])
    upright = properties(bar((4, 24), (13, 15)))
    assert upright["height"] > 5 * upright["width"]


def test_neither_darkness_nor_the_shape_of_the_batch_changes_anything():
    x = digits.load("bundled").x_test[:12]
    expected = properties(x)
    for form in (0.3 * x, x[..., 0].reshape(3, 4, 28, 28), x.astype(np.float64)):
        found = properties(form)
        for name in PROPERTIES:
            assert found[name].shape == (form.shape[:-1] if form.shape[-1] == 1 else form.shape)[:-2]
            np.testing.assert_allclose(found[name].ravel(), expected[name], rtol=1e-5, atol=1e-5)


def test_ink_in_one_row_has_neither_slant_nor_width():
    found = properties(bar((6, 7), (3, 20)))
    assert np.isnan(found["slant"]) and np.isnan(found["width"]) and found["height"] == 0
    assert found["down"] == 6 - 13.5


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.stack([np.eye(28), np.zeros((28, 28))]), "without ink at index 1, expected some ink"),
        (np.zeros((28, 28)), "without ink at its only index"),
        (-np.eye(28), "expected none below 0"),
        (np.full((28, 28), np.nan), "NaN"),
        (np.ones(28), r"got shape \(28,\), expected \(..., H, W\)"),
    ],
)
def test_what_is_no_picture_is_refused(images, words):
    with pytest.raises(ValueError, match=f"images: .*{words}"):
        properties(images)
