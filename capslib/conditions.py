"""What is done to test digits before a network reads them again: the conditions of `capslib.experiments`.

All of them are made by `capslib.transforms` from the same digits with fixed seeds, so every network reads the same
pictures.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from capslib import transforms
from capslib.checks import check_count, check_seed
from capslib.digits import as_images, as_labels, one_hot
from capslib.pairs import FARTHEST, of_another_class

ANGLES = tuple(range(15, 181, 15))
"""Degrees, counter-clockwise."""

DISTANCES = (1, 2, 3, 4, 5, 6)
"""Pixels, each to the right, left, down and up."""

FACTORS = (0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.4)
"""Of the size."""

STRENGTHS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Standard deviation of the Gaussian noise, and the share of pixels that salt and pepper replace."""

DIRECTIONS = {"right": (1, 0), "left": (-1, 0), "down": (0, 1), "up": (0, -1)}

ROOM = 4
"""A shift counts for the digits that keep all their ink when they move this many pixels that way."""


class Condition(NamedTuple):
    """Changed digits.

    Attributes:
        name: what was done and how much, such as "turn 15" or "shift 3 right".
        images: float32 (N, 28, 28, 1) in 0–1.
        counts: bool (N,), the digits that count under this condition.
    """

    name: str
    images: np.ndarray
    counts: np.ndarray


def conditions(images: ArrayLike) -> Iterator[Condition]:
    """Every condition in turn: turns, shifts, scales, swapped parts, and two kinds of noise.

    A digit that is turned or made larger may lose ink in the corners, and one that is shifted by 5 or 6 pixels at the
    edge. A shift counts for those digits alone that have room for 4 pixels that way, whatever the distance, so every
    distance is judged by the same digits.

    Args:
        images: upright digits (N, 28, 28, 1) in 0–1.

    Yields:
        Conditions, each with N images.

    Raises:
        ValueError: if the images are not digits.
    """
    x = as_images(images)
    everyone = np.ones(len(x), bool)
    for angle in ANGLES:
        yield Condition(f"turn {angle}", transforms.rotate(x, angle, cut=True), everyone)
    for name, (right, down) in DIRECTIONS.items():
        counts = has_room(x, right, down)
        for pixels in DISTANCES:
            moved = transforms.shift(x, pixels * right, pixels * down, cut=True)
            yield Condition(f"shift {pixels} {name}", moved, counts)
    for factor in FACTORS:
        yield Condition(f"scale {factor}", transforms.scale(x, factor, cut=True), everyone)
    for halves in ("top and bottom", "left and right"):
        yield Condition(f"swap {halves}", transforms.swap_halves(x, halves), everyone)
    yield Condition("swap quadrants", transforms.swap_quadrants(x), everyone)
    for strength in STRENGTHS:
        yield Condition(f"noise {strength}", transforms.noise(x, strength, seed=0), everyone)
    for share in STRENGTHS:
        yield Condition(f"salt and pepper {share}", transforms.salt_and_pepper(x, share, seed=0), everyone)


def has_room(images: ArrayLike, right: int, down: int) -> np.ndarray:
    """Which digits can move 4 pixels in a direction without losing ink.

    Args:
        images: (N, 28, 28, 1) in 0–1.
        right, down: the direction, each −1, 0 or 1.

    Returns:
        bool (N,).
    """
    x = as_images(images)
    ink = x.sum((1, 2, 3), dtype=np.float64)
    moved = transforms.shift(x, ROOM * right, ROOM * down, cut=True)
    return moved.sum((1, 2, 3), dtype=np.float64) == ink


def over_each_other(x: ArrayLike, y: ArrayLike, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Lay another digit over each one, of another class, moved by up to 4 pixels each way.

    Args:
        x: images (N, 28, 28, 1) in 0–1.
        y: their labels (N,), of at least two classes.
        seed: whole number ≥ 0.

    Returns:
        images (N, 28, 28, 1) in 0–1 and two-hot labels (N, 10).

    Raises:
        ValueError: naming the argument that does not fit.
    """
    x = as_images(x)
    y = as_labels(y, "y", len(x))
    rng = np.random.default_rng(check_seed("seed", seed))
    other = of_another_class(y, rng)
    right, down = rng.integers(-FARTHEST, FARTHEST + 1, (2, len(x)))
    return transforms.overlap(x, x[other], right, down, cut=True), one_hot(y) + one_hot(y[other])


def shuffled_cells(cells: int) -> np.ndarray:
    """The one order in which lower capsules, or a CNN's cells, are shuffled for every digit and every network.

    Args:
        cells: how many there are, at least 1.

    Returns:
        int64 (cells,), a permutation.
    """
    return np.random.default_rng(0).permutation(check_count("cells", cells))
