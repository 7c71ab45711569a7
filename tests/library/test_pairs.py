"""Overlapping pairs: two different digits, each moved by up to four pixels, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capslib import digits, pairs
from tests.library.strategies import SETTINGS


@st.composite
def labelled(draw):
    """Images (N, 28, 28, 1) of at least two classes, their labels and a seed."""
    N, seed = draw(st.integers(2, 30)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, draw(st.integers(2, 10)), N)
    y[:2] = 0, 1
    return rng.random((N, 28, 28, 1), dtype=np.float32), y, seed


@SETTINGS
@given(labelled())
def test_shapes_ranges_and_different_labels(case):
    x, y, seed = case
    made, N = pairs.make(x, y, seed), len(x)
    shapes = {"images": (N, 36, 36, 1), "labels": (N, 10), "alone": (N, 2, 36, 36, 1), "digits": (N, 2)}
    assert {name: array.shape for name, array in made._asdict().items()} == shapes
    assert made.images.dtype == made.labels.dtype == made.alone.dtype == np.float32 and made.digits.dtype == np.int64
    for images in (made.images, made.alone):
        assert images.min() >= 0 and images.max() <= 1
    np.testing.assert_array_equal(made.images, np.minimum(made.alone.sum(1), 1))
    assert (made.digits[:, 0] != made.digits[:, 1]).all()
    np.testing.assert_array_equal(made.labels, np.eye(10)[made.digits].sum(1))


@SETTINGS
@given(labelled())
def test_each_of_the_two_is_a_whole_digit_of_its_label_and_the_first_is_the_digit_itself(case):
    x, y, seed = case
    made = pairs.make(x, y, seed)
    np.testing.assert_array_equal(made.digits[:, 0], y)
    known = {image.tobytes(): label for image, label in zip(x, y, strict=True)}
    for n, (first, second) in enumerate(made.alone[..., 0]):
        for k, canvas in enumerate((first, second)):
            top, left = np.flatnonzero(canvas.any(1))[0], np.flatnonzero(canvas.any(0))[0]
            window = np.ascontiguousarray(canvas[top : top + 28, left : left + 28])
            assert known[window.tobytes()] == made.digits[n, k]
            assert window.sum() == pytest.approx(canvas.sum())
            if k == 0:
                np.testing.assert_array_equal(window, x[n, :, :, 0])


@SETTINGS
@given(labelled())
def test_the_same_seed_gives_the_same_pairs(case):
    x, y, seed = case
    made = pairs.make(x, y, seed)
    for again in (pairs.make(x, y, seed), pairs.make(x, y, np.random.default_rng(seed))):
        for one, other in zip(made, again, strict=True):
            np.testing.assert_array_equal(one, other)
    assert any((a != b).any() for a, b in zip(made, pairs.make(x, y, seed + 1), strict=True))


def test_both_digits_move_by_four_pixels_at_most_each_way_and_by_its_own():
    x = np.zeros((2000, 28, 28, 1), np.float32)
    x[:, 14, 10] = 1
    alone = pairs.make(x, np.arange(2000) % 10, 0).alone
    pair, which, row, column, _ = np.nonzero(alone)
    assert (np.bincount(2 * pair + which) == 1).all()
    moves = np.stack([row - 18, column - 14], -1).reshape(2000, 2, 2)  # (N, digit, way)
    for k, way in np.ndindex(2, 2):
        assert set(moves[:, k, way]) == set(range(-4, 5))
    assert len(np.unique(moves.reshape(2000, 4), axis=0)) > 1500


def test_every_other_class_is_laid_over_a_digit():
    d = digits.load("bundled")
    both = pairs.make(d.x_train, d.y_train, 0).digits
    for digit in range(10):
        assert set(both[both[:, 0] == digit, 1]) == set(range(10)) - {digit}


def test_both_labels_must_be_the_two_longest():
    lengths = np.array([[0.9, 0.8, 0.1], [0.9, 0.1, 0.8], [0.1, 0.9, 0.8], [0.9, 0.5, 0.5]])
    lengths = np.hstack([lengths, np.zeros((4, 7))])
    labels = np.tile(np.eye(10)[0] + np.eye(10)[1], (4, 1))
    assert pairs.both_longest(lengths, labels).tolist() == [True, False, False, False]


@SETTINGS
@given(st.integers(1, 40), st.integers(0, 999))
def test_both_longest_is_what_sorting_says(N, seed):
    rng = np.random.default_rng(seed)
    lengths, both = rng.random((N, 10)), np.argsort(rng.random((N, 10)))[:, :2]
    expected = [set(row.argsort()[-2:]) == set(pair) for row, pair in zip(lengths, both, strict=True)]
    assert pairs.both_longest(lengths, np.eye(10)[both].sum(1)).tolist() == expected


def test_an_absent_digit_is_never_in_its_pair_and_any_of_the_others_alike():
    labels = np.tile(np.eye(10)[3] + np.eye(10)[7], (8000, 1))
    counts = np.bincount(pairs.absent(labels, 0), minlength=10)
    assert counts[3] == counts[7] == 0 and counts[counts > 0].min() > 900 and (counts > 0).sum() == 8
    both = np.argsort(np.random.default_rng(0).random((500, 10)))[:, :2]
    labels = np.eye(10)[both].sum(1)
    assert (pairs.absent(labels, 0)[:, None] != both).all()
    np.testing.assert_array_equal(pairs.absent(labels, 1), pairs.absent(labels, 1))


X, Y = np.zeros((3, 28, 28, 1), np.float32), [1, 2, 3]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((np.zeros((3, 36, 36, 1)), Y, 0), r"x: got shape \(3, 36, 36, 1\), expected \(N, 28, 28, 1\)"),
        ((X + 2, Y, 0), "x: got values from 2 to 2, expected float in 0–1"),
        ((X, [1, 2], 0), "y: got 2 labels, expected one for each of 3 images"),
        ((X, [1, 2, 10], 0), "y: got labels from 1 to 10, expected 0 to 9"),
        ((X, [4, 4, 4], 0), "y: got 4 for every image, expected at least two classes"),
        ((X, Y, -1), "seed: got -1, expected a whole number of at least 0"),
        ((X, Y, 1.5), "seed: got 1.5, expected a whole number of at least 0"),
    ],
)
def test_what_makes_no_pairs_is_named(given, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        pairs.make(*given)


def test_what_cannot_be_judged_is_named():
    labels = np.eye(10)[:3] + np.eye(10)[3:6]
    with pytest.raises(ValueError, match=r"lengths: got shape \(2, 10\), expected \(3, 10\)"):
        pairs.both_longest(np.ones((2, 10)), labels)
    for judge in (lambda labels: pairs.both_longest(np.ones((3, 10)), labels), lambda labels: pairs.absent(labels, 0)):
        with pytest.raises(ValueError, match=r"labels: got shape \(3, 4\), expected \(N, 10\)"):
            judge(np.ones((3, 4)))
        with pytest.raises(ValueError, match="labels: got 1 labels in a row, expected 2 in each"):
            judge(np.eye(10)[:3])
    with pytest.raises(ValueError, match="seed: got -1, expected a whole number of at least 0"):
        pairs.absent(labels, -1)
