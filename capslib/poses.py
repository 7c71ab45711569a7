"""Poses as matrices, and the votes of parts for the pose of their whole. (Lesson 02)

A pose is a 3×3 matrix that takes a column (x, y, 1) from a part's own coordinates to the picture's: x points right, y
up, and angles are degrees, counter-clockwise.
"""

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import check_numbers


def pose(x: ArrayLike = 0, y: ArrayLike = 0, angle: ArrayLike = 0, scale: ArrayLike = 1) -> np.ndarray:
    """The pose (x, y, angle, scale) as a matrix: scale, then turn, then move.

        [ s·cos  −s·sin  x ]
        [ s·sin   s·cos  y ]
        [   0       0    1 ]

    Args:
        x: how far right; a number or an array, like the other three.
        y: how far up.
        angle: degrees, counter-clockwise.
        scale: above 0.

    Returns:
        (3, 3), or (..., 3, 3) for arrays, broadcast against each other.

    Raises:
        ValueError: naming the argument, if it is not finite or `scale` is not above 0.
    """
    numbers = {"x": x, "y": y, "angle": angle, "scale": scale}
    x, y, angle, scale = np.broadcast_arrays(*(check_numbers(*number) for number in numbers.items()))
    if (scale <= 0).any():
        raise ValueError(f"scale: got {np.min(scale):g}, expected a number above 0")
    M = np.zeros((*x.shape, 3, 3))
    cos, sin = cos_and_sin(angle)
    M[..., 0, 0] = M[..., 1, 1] = scale * cos
    M[..., 1, 0] = scale * sin
    M[..., 0, 1] = -M[..., 1, 0]
    M[..., 0, 2], M[..., 1, 2], M[..., 2, 2] = x, y, 1
    return M


def cos_and_sin(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of angles in degrees, exact at quarter turns, as SciPy's cosdg and sindg, which a browser would have to load."""
    quarters = np.round(angle / 90)
    rest = np.radians(angle - 90 * quarters)
    cos, sin = np.cos(rest), np.sin(rest)
    turn = (quarters % 4).astype(int)
    return np.choose(turn, [cos, -sin, -cos, sin]) + 0.0, np.choose(turn, [sin, cos, -sin, -cos]) + 0.0  # No −0.


def read_pose(M: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The four numbers (x, y, angle, scale) of a pose matrix (..., 3, 3); the angle lies above −180 and up to 180.

    If a matrix is no pure pose, such as the mean of votes that disagree, angle and scale are those of its
    first column.
    """
    M = np.asarray(M, float)
    right, up = M[..., 0, 0], M[..., 1, 0]
    return M[..., 0, 2], M[..., 1, 2], np.degrees(np.arctan2(up, right)), np.hypot(right, up)


def spread(votes: np.ndarray) -> np.ndarray:
    """How far votes for one whole lie apart: the root of the mean squared distance from their mean position, in pixels.

    Args:
        votes: (..., I, 3, 3), the poses for which I parts vote.

    Returns:
        (...), at least 0; 0 if all votes place the whole at the same point.
    """
    places = np.asarray(votes, float)[..., :2, 2]
    return np.sqrt(np.mean(np.sum((places - places.mean(-2, keepdims=True)) ** 2, axis=-1), axis=-1))


def check_poses(name: str, M: np.ndarray, shape: tuple[int, ...], exact: bool = False) -> np.ndarray:
    """`M` as float pose matrices (..., *shape), or of exactly that shape.

    Args:
        name: the argument's name for the message.
        M: what should be poses.
        shape: the last axes, such as (4, 3, 3).
        exact: whether no axes may come before them.

    Raises:
        ValueError: if the shape does not fit, a number is not finite, or a matrix is no pose.
    """
    M = check_numbers(name, M)
    fits = M.shape == shape if exact else M.shape[-len(shape) :] == shape
    if not fits:
        wanted = str(shape) if exact else "(..., " + str(shape)[1:]
        raise ValueError(f"{name}: got shape {M.shape}, expected {wanted}")
    linear = M[..., :2, :2]
    turned = np.stack([-linear[..., 1, 0], linear[..., 0, 0]], -1)
    if not (np.allclose(M[..., 2, :], [0, 0, 1]) and np.allclose(linear[..., 1], turned) and np.any(linear)):
        raise ValueError(f"{name}: got a matrix that is no pose, expected what `pose` makes: scale, turn and move")
    return M
