import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capslib import digits, transforms
from capslib.transforms import equivariance, invariance
from tests.library.strategies import SETTINGS

WARPS = {
    "rotate": lambda x, **k: transforms.rotate(x, 33.0, **k),
    "shift": lambda x, **k: transforms.shift(x, 3.5, -2.25, **k),
    "scale": lambda x, **k: transforms.scale(x, 1.4, **k),
}
ALL = {
    "rotate": lambda x: transforms.rotate(x, 33.0, cut=True),
    "shift": lambda x: transforms.shift(x, 3.5, -2.25, cut=True),
    "scale": lambda x: transforms.scale(x, 1.4, cut=True),
    "swap_halves": transforms.swap_halves,
    "swap_quadrants": transforms.swap_quadrants,
    "noise": lambda x: transforms.noise(x, 0.4, seed=1),
    "overlap": lambda x: transforms.overlap(x, x),
}


@pytest.fixture(scope="module")
def images():
    return digits.load("bundled").x_test[:64]


@pytest.fixture(scope="module")
def inner(images):
    """Digits cropped to their middle 14×14, so that no turn and no move by up to 7 pixels carries ink away."""
    x = np.zeros_like(images)
    x[:, 7:21, 7:21] = images[:, 7:21, 7:21]
    return x


def picture(rows, right=0, down=0, size=28):
    """A picture of digits, each a ninth of full ink, around the middle of a canvas or moved from there."""
    small = np.array([[0 if c == "." else int(c) for c in row] for row in rows.split()]) / 9
    x = np.zeros((1, size, size, 1), np.float32)
    top, left = (size - len(small)) // 2 + down, (size - len(small[0])) // 2 + right
    x[0, top : top + len(small), left : left + len(small[0]), 0] = small
    return x


L = "9... 9... 9... 9933"
"""A letter L whose foot fades: every symmetry of the square makes something else of it."""


# Each transform on a picture --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("angle", "expected"),
    [(90, "...3 ...3 ...9 9999"), (180, "3399 ...9 ...9 ...9"), (-90, "9999 9... 3... 3..."), (720, L)],
)
def test_rotate_turns_counter_clockwise(angle, expected):
    np.testing.assert_allclose(transforms.rotate(picture(L), angle), picture(expected), atol=1e-6)


def test_shift_moves_right_and_down():
    np.testing.assert_array_equal(transforms.shift(picture(L), 3, 5), picture(L, right=3, down=5))
    np.testing.assert_array_equal(transforms.shift(picture(L), right=-12), picture(L, right=-12))
    np.testing.assert_allclose(transforms.shift(picture("6"), 0.5)[0, 13, 12:16, 0], [0, 3 / 9, 3 / 9, 0], atol=1e-6)


def test_scale_makes_larger_and_smaller_about_the_middle():
    profile = np.array([0, 0.25, 0.75, 1, 1, 0.75, 0.25, 0])
    larger = transforms.scale(picture("99 99"), 2)[0, 10:18, 10:18, 0]
    np.testing.assert_allclose(larger, np.outer(profile, profile), atol=1e-6)
    smaller = transforms.scale(picture(L), 0.5)[0, 13:15, 13:15, 0]
    np.testing.assert_allclose(9 * smaller, [[4.5, 0], [6.75, 1.5]], atol=1e-5)


def test_swap_halves_and_quadrants():
    corner = picture(L, right=-12, down=-12)
    np.testing.assert_array_equal(transforms.swap_halves(corner), picture(L, right=-12, down=2))
    np.testing.assert_array_equal(transforms.swap_halves(corner, "left and right"), picture(L, right=2, down=-12))
    np.testing.assert_array_equal(transforms.swap_quadrants(corner), picture(L, right=2, down=2))


def test_noise_has_the_standard_deviation_asked_for_before_it_is_clipped():
    grey = np.full((40, 28, 28, 1), 0.5, np.float32)
    added = transforms.noise(grey, 0.1, seed=3) - 0.5
    assert abs(added.std() - 0.1) < 0.002 and abs(added.mean()) < 0.002
    assert transforms.noise(grey, 1.0, seed=3).min() == 0 and transforms.noise(grey, 1.0, seed=3).max() == 1
    np.testing.assert_array_equal(transforms.noise(picture(L), 0, seed=3), picture(L))


def test_overlap_adds_ink_up_to_one():
    np.testing.assert_allclose(
        transforms.overlap(picture(L), picture("3... .... .... ..39")), picture("9... 9... 9... 9969"), atol=1e-6
    )
    apart = transforms.overlap(picture(L), picture("7"), right=5, down=-6)
    np.testing.assert_allclose(apart, picture(L) + picture("7", right=5, down=-6), atol=1e-6)


# Properties on real digits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_batches_go_in_and_come_out_in_0_to_1(name, images):
    given = images.copy()
    out = ALL[name](images)
    assert out.shape == images.shape and out.dtype == np.float32
    assert out.min() >= 0 and out.max() <= 1 and out.max() > 0.5
    np.testing.assert_array_equal(images, given)
    np.testing.assert_allclose(ALL[name](np.round(255 * images[0, ..., 0]).astype(np.uint8)), out[:1], atol=1e-6)


@pytest.mark.parametrize("name", ["swap_halves", "swap_quadrants"])
def test_a_swap_twice_is_the_identity(name, images):
    assert not np.array_equal(ALL[name](images), images)
    np.testing.assert_array_equal(ALL[name](ALL[name](images)), images)


def test_quarter_turns_are_those_of_numpy_and_four_of_them_the_identity(images):
    for turns in range(-3, 5):
        turned = transforms.rotate(images, 90 * turns)
        np.testing.assert_allclose(turned, np.rot90(images, turns, axes=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(transforms.rotate(images, 360), images, atol=1e-6)


@given(angle=st.floats(-360, 360), right=st.integers(-7, 7), down=st.integers(-7, 7))
@SETTINGS
def test_turns_and_moves_carry_the_middle_of_the_ink_along(inner, angle, right, down):
    grid = np.mgrid[13.5:-14.5:-1, -13.5:14.5:1]

    def middle(x):
        ink = x[..., 0].astype(np.float64)
        return np.einsum("kij,nij->nk", grid, ink) / ink.sum((1, 2))[:, None]  # (N, 2): up, right

    up, along = middle(inner).T
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turned = np.stack([up * cos + along * sin, along * cos - up * sin], axis=1)
    np.testing.assert_allclose(middle(transforms.rotate(inner, angle)), turned, atol=0.25)
    moved = middle(transforms.shift(inner, right, down))
    np.testing.assert_allclose(moved, np.stack([up - down, along + right], axis=1), atol=1e-4)


def test_a_move_is_whole(inner):
    moved = transforms.shift(inner, -7, 7)
    np.testing.assert_array_equal(moved, np.roll(inner, (7, -7), axis=(1, 2)))
    np.testing.assert_allclose(transforms.shift(inner, 1.75, -0.5).sum((1, 2)), inner.sum((1, 2)), rtol=1e-5)


@pytest.mark.parametrize("name", WARPS)
def test_a_turn_and_its_reverse_nearly_cancel(name, inner):
    there = {"rotate": (45,), "shift": (3, -2), "scale": (1.25,)}[name]
    back = {"rotate": (-45,), "shift": (-3, 2), "scale": (0.8,)}[name]
    transform = getattr(transforms, name)
    again = transform(transform(inner, *there), *back)
    assert np.abs(again - inner).mean() < 0.3 * np.abs(transform(inner, *there) - inner).mean()


def test_one_number_for_each_image_does_what_each_alone_does(images):
    angles, factors = np.linspace(-80, 170, 64), np.linspace(0.5, 1.9, 64)
    right, amounts = np.linspace(-3, 5, 64), np.linspace(0, 1, 64)
    turned = transforms.rotate(images, angles, cut=True)
    moved = transforms.shift(images, right, 2, cut=True)
    scaled = transforms.scale(images, factors, cut=True)
    for n in (0, 17, 63):
        np.testing.assert_array_equal(turned[n : n + 1], transforms.rotate(images[n : n + 1], angles[n], cut=True))
        np.testing.assert_array_equal(moved[n : n + 1], transforms.shift(images[n : n + 1], right[n], 2, cut=True))
        np.testing.assert_array_equal(scaled[n : n + 1], transforms.scale(images[n : n + 1], factors[n], cut=True))
    noisy = np.abs(transforms.noise(images, amounts, seed=0) - images).mean((1, 2, 3))
    assert noisy[0] == 0 and noisy[-1] > noisy[20] > 0


def test_noise_depends_on_its_seed_alone(images):
    one, same, other = (transforms.noise(images, 0.2, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_overlap_does_not_care_who_is_first(images):
    np.testing.assert_array_equal(
        transforms.overlap(images[:9], images[9:18]), transforms.overlap(images[9:18], images[:9])
    )


# Nothing is cut off unasked ---------------------------------------------------------------------------------------


def test_ink_is_not_cut_off_unasked():
    at_the_edge = picture(L, right=12)  # Its last column of ink is the canvas'.
    with pytest.raises(ValueError, match=r"right, down: got 1, 0 for image 0, .* canvas of 28; expected canvas=30 or"):
        transforms.shift(at_the_edge, 1)
    with pytest.raises(ValueError, match=r"angle: got 45 for image 1, .* off a canvas of 28; expected canvas=38 or"):
        transforms.rotate(np.concatenate([picture(L), picture("9", 13, 13)]), 45)
    with pytest.raises(ValueError, match=r"factor: got 1.5 for image 0, which carries ink off"):
        transforms.scale(at_the_edge, 1.5)
    with pytest.raises(ValueError, match=r"right, down: got 1, 0 for image 0"):
        transforms.overlap(at_the_edge, at_the_edge, right=1)
    transforms.shift(at_the_edge, -1, 12)
    transforms.rotate(at_the_edge, 180)


def test_a_larger_canvas_keeps_all_ink_and_the_middle_in_the_middle():
    at_the_edge = picture(L, right=12)
    np.testing.assert_array_equal(transforms.shift(at_the_edge, 1, canvas=30), picture(L, right=13, size=30))
    np.testing.assert_array_equal(transforms.shift(at_the_edge, canvas=40), picture(L, right=12, size=40))
    turned = transforms.rotate(picture(L, right=12), 90, canvas=36)
    np.testing.assert_allclose(turned, picture("...3 ...3 ...9 9999", down=-12, size=36), atol=1e-6)


def test_the_canvas_that_an_error_names_is_enough_and_the_next_smaller_is_not(images):
    for name, warp in WARPS.items():
        with pytest.raises(ValueError, match="expected canvas=") as error:
            warp(images)
        needed = int(str(error.value).split("canvas=")[1][:2])
        assert warp(images, canvas=needed).shape == (64, needed, needed, 1), name
        with pytest.raises(ValueError, match=f"expected canvas={needed}"):
            warp(images, canvas=needed - 2)


def test_cut_lets_go_of_what_falls_off():
    cut = transforms.shift(picture(L, right=12), 2, cut=True)
    np.testing.assert_array_equal(cut, picture("9. 9. 9. 99", right=13))


# What is refused, by name -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ALL.keys() - {"overlap"}))
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((0, 28, 28, 1)), "images: got shape"),
        (np.zeros((2, 30, 30, 1)), "images: got shape"),
        (np.full((28, 28), np.nan), "images: got NaN"),
        (np.full((28, 28), 1.5), "images: got values from 1.5"),
    ],
)
def test_bad_images_are_refused_by_name(name, bad, message):
    with pytest.raises(ValueError, match=message):
        ALL[name](bad)


X = np.zeros((3, 28, 28, 1), np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: transforms.rotate(X, np.nan), "angle: got nan, expected a finite number"),
        (lambda: transforms.rotate(X, [0, np.inf, 0]), r"angle: got \[0, inf, 0\], expected a finite number"),
        (lambda: transforms.rotate(X, "left"), "angle: got 'left', expected a finite number"),
        (lambda: transforms.rotate(X, True), "angle: got True"),
        (lambda: transforms.rotate(X, [1, 2]), r"angle: got shape \(2,\), expected one number or one for each of 3"),
        (lambda: transforms.rotate(X, 5, canvas=29), "canvas: got 29, expected an even number from 28 to 112"),
        (lambda: transforms.rotate(X, 5, canvas=26), "canvas: got 26"),
        (lambda: transforms.rotate(X, 5, canvas=28.0), "canvas: got 28.0"),
        (lambda: transforms.shift(X, None), "right: got None, expected a number from -112 to 112"),
        (lambda: transforms.shift(X, 0, 113), "down: got 113, expected a number from -112 to 112"),
        (lambda: transforms.shift(X, canvas=200), "canvas: got 200"),
        (lambda: transforms.scale(X, 0), "factor: got 0, expected a number from 0.5 to 2"),
        (lambda: transforms.scale(X, [1, 1, 2.5]), "factor: got 2.5, expected a number from 0.5 to 2"),
        (lambda: transforms.swap_halves(X, "both"), "halves: got 'both', expected 'top and bottom' or"),
        (lambda: transforms.noise(X, -0.1, seed=0), "amount: got -0.1, expected a number from 0 to 1"),
        (lambda: transforms.noise(X, 0.1, seed=-1), "seed: got -1, expected a whole number of at least 0"),
        (lambda: transforms.noise(X, 0.1, seed=None), "seed: got None"),
        (lambda: transforms.overlap(X, X[:2]), "second: got 2 images, expected as many as first has, 3"),
        (lambda: transforms.overlap(X + 2, X), "first: got values"),
        (lambda: transforms.overlap(X, X + 2), "second: got values"),
    ],
)
def test_bad_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# The two measures -------------------------------------------------------------------------------------------------


def test_invariance_is_the_mean_cosine():
    v = np.array([[3.0, 0], [0, 2]])
    assert invariance(v, 5 * v) == pytest.approx(1)
    assert invariance(v, -v) == pytest.approx(-1)
    assert invariance(v, v[::-1]) == pytest.approx(0)
    assert invariance(v, [[1, 1], [0, 1]]) == pytest.approx((1 / np.sqrt(2) + 1) / 2)


def test_equivariance_finds_a_linear_map_and_only_a_linear_one():
    rng = np.random.default_rng(0)
    v, A = rng.normal(size=(200, 5)), rng.normal(size=(5, 3))
    assert equivariance(v, v @ A) == pytest.approx(1)
    assert equivariance(v, rng.normal(size=(200, 3))) < 0.05
    assert equivariance(v, v**2 - 1) < 0.2
    noisy = v @ np.ones((5, 1)) + rng.normal(size=(200, 1)) * np.sqrt(5)  # Half of the variance can be foretold.
    assert equivariance(v, noisy) == pytest.approx(0.5, abs=0.15)


def test_equivariance_is_measured_where_it_was_not_fitted():
    v, w = np.random.default_rng(1).normal(size=(2, 20, 15))
    assert equivariance(v, w) < 0  # 15 numbers fit any 10 examples, and foretell nothing.
    assert equivariance(np.concatenate([v[:10], v[:10]]), np.concatenate([w[:10], w[:10]])) == pytest.approx(1)
    v = np.arange(1.0, 11)[:, None]
    v_t = np.where(np.arange(10) < 7, 2, 3)[:, None] * v
    assert equivariance(v, v_t, fitted=0.7) == pytest.approx(1 - (8**2 + 9**2 + 10**2) / (9 * 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: invariance([1.0, 2], [1.0, 2]), r"v: got shape \(2,\), expected \(N, D\)"),
        (lambda: invariance(np.ones((4, 2)), np.ones((4, 3))), r"v_t: got shape \(4, 3\), expected \(4, 2\)"),
        (lambda: invariance([[0.0, 0], [1, 1]], np.ones((2, 2))), "v: got a zero vector in row 0"),
        (lambda: invariance(np.ones((2, 2)), [[1.0, 1], [0, 0]]), "v_t: got a zero vector in row 1"),
        (lambda: invariance(np.full((2, 2), np.nan), np.ones((2, 2))), "v: got NaN"),
        (lambda: equivariance(np.ones((4, 2)), np.ones((5, 2))), r"v_t: got shape \(5, 2\), expected \(4, D\)"),
        (lambda: equivariance(np.ones((4, 2)), np.full((4, 2), np.inf)), "v_t: got NaN or infinite"),
        (lambda: equivariance(np.ones((4, 2)), np.ones((4, 2))), "v_t: got the same vector"),
        (lambda: equivariance(np.ones((2, 2)), np.ones((2, 2))), "v: got 2 examples, expected enough"),
        (lambda: equivariance(np.ones((9, 2)), np.ones((9, 2)), fitted=1.0), "fitted: got 1.0, expected a share"),
    ],
)
def test_the_measures_refuse_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
