"""What we do to digits: turn, move, scale, swap, add noise, overlap; and two numbers that say what it did.

Every transform takes images (N, 28, 28, 1) in 0–1, in any form that `capslib.digits.as_images` takes, and returns a
batch of float32 in 0–1. Angles, distances and factors are one number for all images or one for each. scipy.ndimage
resamples, linearly, so no pixel gets a value beyond those of its neighbours and 0.

Digits reach close to the edge: a third of the bundled ones would lose ink if moved by 3 pixels in the wrong direction.
So nothing is cut off by default. `rotate`, `shift` and `scale` refuse to move ink off the canvas and leave the choice:
`canvas=40` puts the image in the middle of a larger canvas, `cut=True` drops what falls off.
"""

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import as_float, check_choice, check_number, check_numbers, check_seed, is_whole
from capslib.digits import as_images
from capslib.poses import cos_and_sin

LARGEST = 112
"""The largest canvas."""


def rotate(images: np.ndarray, angle: ArrayLike, canvas: int = 28, cut: bool = False) -> np.ndarray:
    """Turn images about the middle of the canvas.

    Args:
        images: (N, 28, 28, 1) in 0–1.
        angle: degrees, counter-clockwise as seen, like np.rot90; a number or (N,). A quarter turn is exact.
        canvas: width and height of the result, an even number from 28 to 112.
        cut: whether ink may be lost beyond the edge.

    Returns:
        float32 (N, canvas, canvas, 1) in 0–1.

    Raises:
        ValueError: naming the argument, if it does not fit, or if ink would be lost and `cut` is False.
    """
    x = as_images(images)
    angle = _one_for_each("angle", angle, len(x))
    cos, sin = cos_and_sin(angle)
    turn = np.moveaxis(np.array([[cos, -sin], [sin, cos]]), -1, 0)  # (N, 2, 2) on (row, column), rows counted down
    return _warp(x, turn, np.zeros((len(x), 2)), canvas, cut, {"angle": angle})


def shift(
    images: np.ndarray, right: ArrayLike = 0, down: ArrayLike = 0, canvas: int = 28, cut: bool = False
) -> np.ndarray:
    """Move images. A move by whole pixels changes no pixel's value.

    Args:
        images: (N, 28, 28, 1) in 0–1.
        right: pixels to the right, negative to the left, −112 to 112; a number or (N,).
        down: pixels down, negative up, −112 to 112; a number or (N,).
        canvas: width and height of the result, an even number from 28 to 112; the middle stays the middle.
        cut: whether ink may be lost beyond the edge.

    Returns:
        float32 (N, canvas, canvas, 1) in 0–1.

    Raises:
        ValueError: naming the argument, if it does not fit, or if ink would be lost and `cut` is False.
    """
    x = as_images(images)
    right = _one_for_each("right", right, len(x), -LARGEST, LARGEST)
    down = _one_for_each("down", down, len(x), -LARGEST, LARGEST)
    keep = np.broadcast_to(np.eye(2), (len(x), 2, 2))
    return _warp(x, keep, np.stack([down, right], axis=1), canvas, cut, {"right": right, "down": down})


def scale(images: np.ndarray, factor: ArrayLike, canvas: int = 28, cut: bool = False) -> np.ndarray:
    """Make images larger or smaller about the middle of the canvas.

    Args:
        images: (N, 28, 28, 1) in 0–1.
        factor: 0.5 to 2, above 1 is larger; a number or (N,).
        canvas: width and height of the result, an even number from 28 to 112.
        cut: whether ink may be lost beyond the edge.

    Returns:
        float32 (N, canvas, canvas, 1) in 0–1.

    Raises:
        ValueError: naming the argument, if it does not fit, or if ink would be lost and `cut` is False.
    """
    x = as_images(images)
    factor = _one_for_each("factor", factor, len(x), 0.5, 2)
    return _warp(x, factor[:, None, None] * np.eye(2), np.zeros((len(x), 2)), canvas, cut, {"factor": factor})


def swap_halves(images: np.ndarray, halves: str = "top and bottom") -> np.ndarray:
    """Swap two halves of each image. Doing it twice gives the image back.

    Args:
        images: (N, 28, 28, 1) in 0–1.
        halves: "top and bottom" or "left and right".

    Returns:
        float32 (N, 28, 28, 1).

    Raises:
        ValueError: if `images` or `halves` does not fit.
    """
    x = as_images(images)
    axes = {"top and bottom": 1, "left and right": 2}
    return np.roll(x, 14, axis=axes[check_choice("halves", halves, axes)])


def swap_quadrants(images: np.ndarray) -> np.ndarray:
    """Swap each quarter of an image with the diagonally opposite one. Doing it twice gives the image back.

    Args:
        images: (N, 28, 28, 1) in 0–1.

    Returns:
        float32 (N, 28, 28, 1).

    Raises:
        ValueError: if `images` do not fit.
    """
    return np.roll(as_images(images), (14, 14), axis=(1, 2))


def noise(images: np.ndarray, amount: ArrayLike, seed: int) -> np.ndarray:
    """Add Gaussian noise to every pixel, and clip to 0–1.

    Args:
        images: (N, 28, 28, 1) in 0–1.
        amount: standard deviation before clipping, 0 to 1; a number or (N,).
        seed: whole number ≥ 0; the same noise for the same seed and number of images.

    Returns:
        float32 (N, 28, 28, 1) in 0–1.

    Raises:
        ValueError: naming the argument, if it does not fit.
    """
    x = as_images(images)
    amount = _one_for_each("amount", amount, len(x), 0, 1).astype(np.float32)
    added = np.random.default_rng(check_seed("seed", seed)).standard_normal(x.shape, np.float32)
    return np.clip(x + amount[:, None, None, None] * added, 0, 1)


def salt_and_pepper(images: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Make a share of the pixels black or white, each as likely as the other.

    Args:
        images: (N, 28, 28, 1) in 0–1.
        share: how likely a pixel is replaced, 0 to 1.
        seed: whole number ≥ 0; the same pixels for the same seed and number of images.

    Returns:
        float32 (N, 28, 28, 1) in 0–1.

    Raises:
        ValueError: naming the argument, if it does not fit.
    """
    x = as_images(images)
    share = check_number("share", share, 0, 1)
    chance = np.random.default_rng(check_seed("seed", seed)).random(x.shape, np.float32)
    return np.where(chance < share / 2, np.float32(0), np.where(chance < share, np.float32(1), x))


def overlap(
    first: np.ndarray,
    second: np.ndarray,
    right: ArrayLike = 0,
    down: ArrayLike = 0,
    canvas: int = 28,
    cut: bool = False,
) -> np.ndarray:
    """Lay two digits over each other: their ink adds up, to at most 1.

    Args:
        first: (N, 28, 28, 1) in 0–1; stays in the middle.
        second: (N, 28, 28, 1) in 0–1; is moved.
        right: how far the second moves, in pixels, as in `shift`.
        down: the same, downwards.
        canvas: width and height of the result, an even number from 28 to 112.
        cut: whether ink of the second may be lost beyond the edge.

    Returns:
        float32 (N, canvas, canvas, 1) in 0–1.

    Raises:
        ValueError: naming the argument, if it does not fit, or if ink would be lost and `cut` is False.
    """
    first, second = as_images(first, "first"), as_images(second, "second")
    if len(first) != len(second):
        raise ValueError(f"second: got {len(second)} images, expected as many as first has, {len(first)}")
    return np.minimum(shift(first, canvas=canvas) + shift(second, right, down, canvas, cut), 1)


# What a transform T does to a representation v --------------------------------------------------------------------


def invariance(v: np.ndarray, v_t: np.ndarray) -> float:
    """How little v changes: the mean cosine between v(x) and v(Tx).

    Args:
        v: (N, D), v(x) of N examples.
        v_t: (N, D), v(Tx) of the same examples.

    Returns:
        A float in −1 to 1; 1 if every v(Tx) points where v(x) does.

    Raises:
        ValueError: naming the argument, if the shapes do not fit, a value is not finite or a vector is zero.
    """
    v, v_t = _pairs(v, v_t)
    cosines = []
    for name, one in (("v", v), ("v_t", v_t)):
        norms = np.linalg.norm(one, axis=1, keepdims=True)
        if (norms == 0).any():
            raise ValueError(f"{name}: got a zero vector in row {norms.argmin()}, expected vectors with a direction")
        cosines.append(one / norms)
    return float(np.mean(np.sum(cosines[0] * cosines[1], axis=1)))


def equivariance(v: np.ndarray, v_t: np.ndarray, fitted: float = 0.5) -> float:
    """How well one fixed linear map takes v(x) to v(Tx): R² on examples that it was not fitted on.

    The map A minimises ‖vA − v_t‖² over the first examples (least squares, no intercept). On the others,
    R² = 1 − Σ‖v_t − vA‖² / Σ‖v_t − mean‖², with their own mean.

    Args:
        v: (N, D), v(x) of N examples, in random order.
        v_t: (N, D'), v(Tx) of the same examples.
        fitted: the share of examples that the map is fitted on, above 0 and below 1.

    Returns:
        A float of at most 1. 1: the map is perfect; 0: no better than the mean; below 0: worse than it.

    Raises:
        ValueError: naming the argument, if the shapes do not fit, a value is not finite, the examples are too few, or
            the v(Tx) to be predicted are all the same.
    """
    v, v_t = _pairs(v, v_t, same=False)
    number = isinstance(fitted, float | np.floating) and 0 < fitted < 1
    if not number:
        raise ValueError(f"fitted: got {fitted!r}, expected a share above 0 and below 1")
    first = round(fitted * len(v))
    if first < 1 or len(v) - first < 2:
        raise ValueError(f"v: got {len(v)} examples, expected enough to fit on 1 and test on 2")
    A = np.linalg.lstsq(v[:first], v_t[:first], rcond=None)[0]
    wanted, found = v_t[first:], v[first:] @ A
    varies = np.sum((wanted - wanted.mean(0)) ** 2)
    if varies == 0:
        raise ValueError("v_t: got the same vector for every example, expected vectors that vary")
    return float(1 - np.sum((wanted - found) ** 2) / varies)


# Within ------------------------------------------------------------------------------------------------------------


def _warp(
    x: np.ndarray, forward: np.ndarray, move: np.ndarray, canvas: int, cut: bool, arguments: dict[str, np.ndarray]
) -> np.ndarray:
    """Resample images x under p ↦ forward·p + move, p = (row, column) from the middle; `arguments` are for errors."""
    from scipy import ndimage  # Slow to import, and most lessons move no image.

    if not is_whole(canvas) or canvas % 2 or not 28 <= canvas <= LARGEST:
        raise ValueError(f"canvas: got {canvas!r}, expected an even number from 28 to {LARGEST}")
    if not cut:
        _refuse_to_cut(x, forward, move, canvas, arguments)
    back = np.linalg.inv(forward)
    middle, new_middle = np.full(2, 13.5), np.full(2, (canvas - 1) / 2)
    result = np.empty((len(x), canvas, canvas, 1), np.float32)
    for image, matrix, by, out in zip(x[..., 0], back, move, result[..., 0], strict=True):
        offset = middle - matrix @ (new_middle + by)
        ndimage.affine_transform(image, matrix, offset, (canvas, canvas), output=out, order=1, mode="constant")
    return np.clip(result, 0, 1)


def _refuse_to_cut(
    x: np.ndarray, forward: np.ndarray, move: np.ndarray, canvas: int, arguments: dict[str, np.ndarray]
) -> None:
    """Raise if the middle of an inked pixel would lie beyond the outermost pixels' middles."""
    image, row, column = np.nonzero(x[..., 0])
    place = np.stack([row, column], axis=1) - 13.5
    reach = np.abs(np.einsum("nij,nj->ni", forward[image], place) + move[image]).max(1, initial=0)  # (ink,)
    if reach.max(initial=0) > (canvas - 1) / 2 + 1e-6:
        worst = image[reach.argmax()]
        given = ", ".join(f"{values[worst]:g}" for values in arguments.values())
        needed = 2 * int(np.ceil(reach.max() + 0.5 - 1e-6))
        larger = f"canvas={needed} or cut=True" if needed <= LARGEST else "cut=True"
        raise ValueError(
            f"{', '.join(arguments)}: got {given} for image {worst}, which carries ink off a canvas of {canvas}; "
            f"expected {larger}"
        )


def _one_for_each(name: str, value: ArrayLike, count: int, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """`value` as float64 (count,), from one number or one for each image."""
    numbers = check_numbers(name, value, low, high)
    if numbers.shape not in ((), (count,)):
        raise ValueError(f"{name}: got shape {numbers.shape}, expected one number or one for each of {count} images")
    return np.broadcast_to(numbers, (count,))


def _pairs(v: np.ndarray, v_t: np.ndarray, same: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """v (N, D) and v_t (N, D') in float64, checked; D' = D if they must be the same."""
    v, v_t = as_float("v", v), as_float("v_t", v_t)
    if v.ndim != 2 or 0 in v.shape:
        raise ValueError(f"v: got shape {v.shape}, expected (N, D)")
    if v_t.ndim != 2 or len(v_t) != len(v) or 0 in v_t.shape or (same and v_t.shape != v.shape):
        wanted = f"{v.shape}" if same else f"({len(v)}, D)"
        raise ValueError(f"v_t: got shape {v_t.shape}, expected {wanted} to go with v")
    for name, one in (("v", v), ("v_t", v_t)):
        if not np.isfinite(one).all():
            raise ValueError(f"{name}: got NaN or infinite values, expected finite ones")
    return v.astype(np.float64), v_t.astype(np.float64)
