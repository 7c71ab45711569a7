"""Two digits over each other, as in the paper's MultiMNIST: made when they are needed, never stored.  (Section 6)"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import check_seed, check_shape
from capslib.digits import as_images, as_labels
from capslib.networks import CLASSES

SIDE, FARTHEST = 36, 4
"""Pixels of the canvas each way, and by how many of them a digit moves from its middle at most."""


class Pairs(NamedTuple):
    """Overlapping pairs of digits.

    Attributes:
        images: float32 (N, 36, 36, 1) in 0–1, the ink of both digits added and clipped at 1.
        labels: float32 (N, 10), two-hot.
        alone: float32 (N, 2, 36, 36, 1) in 0–1, each of the two digits where it lies in the image.
        digits: int64 (N, 2), the labels of the two in the order of `alone`.
    """

    images: np.ndarray
    labels: np.ndarray
    alone: np.ndarray
    digits: np.ndarray


def make(x: ArrayLike, y: ArrayLike, seed: int | np.random.Generator) -> Pairs:
    """Lay a digit of another class over each digit; each of the two moves by 0 to 4 pixels each way.   (Section 6)

    Args:
        x: images (N, 28, 28, 1) in 0–1, in any form that `digits.as_images` takes.
        y: their labels (N,), of at least two classes.
        seed: whole number ≥ 0, or a NumPy Generator to draw from.

    Returns:
        N Pairs. The first digit of pair n is digit n; the second is any digit of another class.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    x = as_images(x, "x")
    y = as_labels(y, "y", len(x))
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(check_seed("seed", seed))
    N = len(x)
    both = np.stack([np.arange(N), of_another_class(y, rng)], 1)  # (N, 2)
    down, right = rng.integers(0, 2 * FARTHEST + 1, (2, N, 2))
    # Side by side in the last axis, as a network draws them: `training` takes them from there without a copy.
    drawn = np.zeros((N, SIDE, SIDE, 2), np.float32)
    for k in range(2):
        for top, left in np.ndindex(2 * FARTHEST + 1, 2 * FARTHEST + 1):
            here = np.flatnonzero((down[:, k] == top) & (right[:, k] == left))
            drawn[here, top : top + 28, left : left + 28, k] = x[both[here, k], :, :, 0]
    images = np.minimum(drawn.sum(-1, keepdims=True), 1)
    labels = np.eye(CLASSES, dtype=np.float32)[y[both]].sum(1)
    return Pairs(images, labels, np.moveaxis(drawn, -1, 1)[..., None], y[both])


def of_another_class(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each label (N,) the index of an example of another class, int64 (N,): any of them alike.

    Raises:
        ValueError: if all labels are of one class.
    """
    if len(np.unique(y)) < 2:
        raise ValueError(f"y: got {y[0]} for every image, expected at least two classes")
    other = np.empty(len(y), np.int64)
    for digit in np.unique(y):
        other[y == digit] = rng.choice(np.flatnonzero(y != digit), np.sum(y == digit))
    return other


def both_longest(lengths: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Whether the two labels of each pair are the two longest capsules: neither more nor less counts as correct.

    Args:
        lengths: lengths of the capsules, or other scores, (N, 10).
        labels: two-hot (N, 10).

    Returns:
        bool (N,); False if an absent digit's capsule is as long as a present one's.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    present = _two_hot(labels)
    lengths = check_shape("lengths", lengths, present.shape)
    return np.where(present, lengths, np.inf).min(1) > np.where(present, -np.inf, lengths).max(1)


def absent(labels: ArrayLike, seed: int) -> np.ndarray:
    """A digit that is not in the picture, for each pair: any of the eight alike.

    Args:
        labels: two-hot (N, 10).
        seed: whole number ≥ 0.

    Returns:
        int64 (N,).

    Raises:
        ValueError: naming the argument that does not fit.
    """
    present = _two_hot(labels)
    chance = np.random.default_rng(check_seed("seed", seed)).random(present.shape)
    return np.where(present, -1, chance).argmax(1)


def _two_hot(labels: ArrayLike) -> np.ndarray:
    """Labels (N, 10) as bool, checked to have two in each row."""
    present = check_shape("labels", labels, ("N", CLASSES)) > 0
    counts = present.sum(1)
    if (counts != 2).any():
        raise ValueError(f"labels: got {counts[counts != 2][0]} labels in a row, expected 2 in each")
    return present
