"""Drawn faces with full control over who it is, which expression it has, and where each part lies.

Coordinates: the origin is the middle of the canvas, x points right and y up, and the unit is one pixel of the 28×28
canvas, which spans −14 to 14 in both directions. Angles are degrees, counter-clockwise. A pose is a 3×3 matrix that
takes a column (x, y, 1) from a part's own coordinates to the picture's; ink is 1 and paper 0, as in the digits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple, Self

import numpy as np

from capslib.checks import check_count, check_number, check_numbers, check_seed, check_whole
from capslib.poses import check_poses, pose

SIZE = 28
"""Width and height of the canvas in units, and in pixels unless told otherwise."""

PARTS = ("left eye", "right eye", "nose", "mouth")
"""The four parts, in the order of every array of parts; left and right as the viewer sees an upright face."""

LEFT_EYE, RIGHT_EYE, NOSE, MOUTH = range(4)

RANGES = {
    "face_width": (18, 21),
    "face_height": (20, 22),
    "eye_distance": (7, 9),
    "eye_y": (2, 4),
    "eye_size": (0.75, 1.2),
    "eye_slant": (-15, 15),
    "brow_length": (1, 4),
    "nose_y": (-1.5, -0.5),
    "nose_size": (0.7, 1.2),
    "mouth_y": (-6, -5),
    "mouth_size": (0.7, 1.2),
    "smile": (-1, 1),
    "mouth_open": (0, 1),
    "eyes_open": (0.4, 1),
    "brows": (-1, 1),
}
"""The range of every attribute of an Identity and of an Expression: chosen so that no face leaves the canvas."""

Stroke = tuple[np.ndarray, float]
"""A broken line (P, 2) and half the width of the pen."""


@dataclass(frozen=True)
class _Ranged:
    """A dataclass of numbers, each of which must lie in its range."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if np.ndim(value):
                raise ValueError(f"{field.name}: got an array of shape {np.shape(value)}, expected one number")
            check_numbers(field.name, value, *RANGES[field.name])

    @classmethod
    def _at(cls, shares: Iterable[float]) -> Self:
        """The one whose attributes lie at the given shares, 0 to 1, of their ranges."""
        ranges = (RANGES[field.name] for field in fields(cls))
        return cls(*(float(low + share * (high - low)) for share, (low, high) in zip(shares, ranges, strict=True)))


@dataclass(frozen=True)
class Identity(_Ranged):
    """Who it is: the shape of the head, and where each part sits in it. The defaults give a plain face.

    Attributes:
        face_width: width of the head, 18 to 21.
        face_height: height of the head, 20 to 22.
        eye_distance: from the middle of one eye to the other's, 7 to 9.
        eye_y: height of the eyes, 2 to 4.
        eye_size: scale of the eyes, 0.75 to 1.2.
        eye_slant: angle of the eyes, −15 to 15; positive lifts the outer corners.
        brow_length: 1 to 4.
        nose_y: height of the nose, −1.5 to −0.5.
        nose_size: scale of the nose, 0.7 to 1.2.
        mouth_y: height of the mouth, −6 to −5.
        mouth_size: scale of the mouth, 0.7 to 1.2.

    Raises:
        ValueError: naming the attribute, if it is out of its range.
    """

    face_width: float = 20
    face_height: float = 22
    eye_distance: float = 8
    eye_y: float = 3
    eye_size: float = 1
    eye_slant: float = 0
    brow_length: float = 3
    nose_y: float = -1
    nose_size: float = 1
    mouth_y: float = -6
    mouth_size: float = 1


@dataclass(frozen=True)
class Expression(_Ranged):
    """Which face it makes. The parts change their form and stay where they are; the defaults are a neutral face.

    Attributes:
        smile: from −1, the corners of the mouth down, to 1, up.
        mouth_open: from 0, closed, to 1.
        eyes_open: from 0.4, narrowed, to 1.
        brows: from −1, inner ends up (sad), to 1, inner ends down (angry).

    Raises:
        ValueError: naming the attribute, if it is out of its range.
    """

    smile: float = 0
    mouth_open: float = 0
    eyes_open: float = 0.8
    brows: float = 0


class Faces(NamedTuple):
    """Faces drawn by `sample`, N of them.

    Attributes:
        images: float32 (N, 28, 28, 1) in 0–1.
        who: int64 (N,), which of the people.
        parts: (N, 4, 3, 3), poses of the parts in the picture, in the order of PARTS.
        whole: (N, 3, 3), poses of the heads.
    """

    images: np.ndarray
    who: np.ndarray
    parts: np.ndarray
    whole: np.ndarray


# Where the parts lie ----------------------------------------------------------------------------------------------


def arrangement(identity: Identity) -> np.ndarray:
    """Where the parts of a face sit in it: (4, 3, 3), poses in the face's own coordinates, in the order of PARTS.

    A face with pose F has its parts at F @ arrangement(identity), so each part at pose M votes for the face through
    one constant matrix: F = M @ inv(arrangement).
    """
    face, half = identity, identity.eye_distance / 2
    return np.stack(
        [
            pose(-half, face.eye_y, -face.eye_slant, face.eye_size),
            pose(half, face.eye_y, face.eye_slant, face.eye_size),
            pose(0, face.nose_y, 0, face.nose_size),
            pose(0, face.mouth_y, 0, face.mouth_size),
        ]
    )


def swap_eyes_and_mouth(parts: np.ndarray) -> np.ndarray:
    """The wrong arrangement: eyes and mouth trade places, and nothing else changes.

    The middle of the two eyes moves to the mouth's place and the mouth to theirs; every part keeps its angle and scale,
    and the eyes their distance. Swapping twice gives the arrangement back.

    Args:
        parts: poses (..., 4, 3, 3) in the order of PARTS.

    Returns:
        Poses of the same shape.

    Raises:
        ValueError: if `parts` are not poses of that shape.
    """
    swapped = check_poses("parts", parts, (4, 3, 3)).copy()
    places = swapped[..., :2, 2]  # A view: (..., 4, 2).
    down = places[..., MOUTH, :] - places[..., [LEFT_EYE, RIGHT_EYE], :].mean(-2)
    places[..., LEFT_EYE, :] += down
    places[..., RIGHT_EYE, :] += down
    places[..., MOUTH, :] -= down
    return swapped


# People and pictures ----------------------------------------------------------------------------------------------


def identities(count: int = 10, seed: int = 0) -> list[Identity]:
    """People who differ from each other: the range of every attribute is cut into `count` slices, one per person.

    Args:
        count: how many people, at least 1.
        seed: whole number ≥ 0; the same people for the same count and seed.

    Returns:
        A list of Identity.
    """
    check_count("count", count)
    rng = np.random.default_rng(check_seed("seed", seed))
    slices = [(rng.permutation(count) + rng.random(count)) / count for _ in fields(Identity)]
    return [Identity._at(shares) for shares in zip(*slices, strict=True)]


def expressions(count: int, seed: int = 0) -> list[Expression]:
    """`count` random expressions, a list of Expression, every attribute uniform in its range."""
    check_count("count", count)
    rng = np.random.default_rng(check_seed("seed", seed))
    return [Expression._at(shares) for shares in rng.random((count, len(fields(Expression))))]


def strokes(
    identity: Identity,
    expression: Expression | None = None,
    whole: np.ndarray | None = None,
    parts: np.ndarray | None = None,
) -> list[Stroke]:
    """The lines of one face, head first, which `draw` turns into pixels; for drawing them in another way.

    Args:
        identity: an Identity.
        expression: an Expression; the neutral one if None.
        whole: (3, 3) pose of the head; upright in the middle if None.
        parts: (4, 3, 3) poses of the parts in the picture; where they belong, whole @ arrangement(identity), if None.

    Returns:
        A list of (points (P, 2), radius): broken lines in the picture's coordinates, and half the width of the pen.

    Raises:
        ValueError: naming the argument, if it does not fit, or if ink would leave the canvas: no face is
                ever drawn in part. Under any turn, a scale of at most 1 and a move of at most 2 pixels every face
            fits, swapped or not.
    """
    head, *own = forms(identity, expression)
    whole = check_poses("whole", np.eye(3) if whole is None else whole, (3, 3), exact=True)
    parts = whole @ arrangement(identity) if parts is None else check_poses("parts", parts, (4, 3, 3), exact=True)
    lines = _placed("whole", "the head", whole, head)
    for name, part, form in zip(PARTS, parts, own, strict=True):
        lines += _placed("parts", f"the {name}", part, form)
    return lines


def forms(identity: Identity, expression: Expression | None = None) -> list[list[Stroke]]:
    """How the head and each part look, each in its own coordinates, upright and at scale 1.

    Args:
        identity: an Identity.
        expression: an Expression; the neutral one if None.

    Returns:
        Five lists of (points (P, 2), radius) as `strokes` gives: of the head, then of the parts in the order of PARTS.

    Raises:
        ValueError: naming the argument, if it does not fit.
    """
    if not isinstance(identity, Identity):
        raise ValueError(f"identity: got {type(identity).__name__}, expected an Identity")
    expression = Expression() if expression is None else expression
    if not isinstance(expression, Expression):
        raise ValueError(f"expression: got {type(expression).__name__}, expected an Expression")
    head = [(_ellipse(identity.face_width / 2, identity.face_height / 2, 40), 0.55)]
    eyes = (_eye(identity, expression, side) for side in (-1, 1))
    return [head, *eyes, _nose(), _mouth(expression)]


def draw(
    identity: Identity,
    expression: Expression | None = None,
    whole: np.ndarray | None = None,
    parts: np.ndarray | None = None,
    size: int = SIZE,
) -> np.ndarray:
    """Draw one face.

    Args:
        identity: an Identity.
        expression: as in `strokes`, like `whole` and `parts`.
        whole: (3, 3).
        parts: (4, 3, 3).
        size: pixels along each side of the picture, 28 to 560; the canvas spans −14 to 14 whatever the size.

    Returns:
        float32 (size, size) in 0–1, ink 1, with soft edges one pixel wide.

    Raises:
        ValueError: naming the argument, if it does not fit, or if ink would leave the canvas, as in `strokes`.
    """
    check_whole("size", size, SIZE, 20 * SIZE)
    picture = np.zeros((size, size), np.float32)
    for points, radius in strokes(identity, expression, whole, parts):
        _ink(picture, points, radius)
    return picture[::-1]  # Row 0 is the top, where y is largest.


def sample(
    people: Iterable[Identity],
    count: int,
    seed: int,
    swapped: bool = False,
    turn: float = 10,
    move: float = 1.5,
    shrink: float = 0.1,
) -> Faces:
    """Pictures of people in turn, each with a random expression and a random pose of the head.

    Args:
        people: a list of Identity, such as `identities` gives.
        count: how many faces, at least 1.
        seed: whole number ≥ 0. The same seed gives the same expressions and poses of the head, swapped or not.
        swapped: whether eyes and mouth have traded places.
        turn: the head is turned by up to this many degrees either way, 0 to 180.
        move: the head is moved by up to this many pixels right or left, and up or down, 0 to 2.
        shrink: the head is drawn smaller by up to this fraction, 0 to 0.3.

    Returns:
        Faces.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    people = list(people) if isinstance(people, Iterable) else people
    if not people or not isinstance(people, list) or not all(isinstance(one, Identity) for one in people):
        raise ValueError(f"people: got {people!r:.60}, expected a list of Identity, at least one")
    check_count("count", count)
    rng = np.random.default_rng(check_seed("seed", seed))
    check_number("turn", turn, 0, 180)
    check_number("move", move, 0, 2)
    check_number("shrink", shrink, 0, 0.3)
    who = rng.permutation(np.arange(count) % len(people))
    x, y, angle = (rng.uniform(-limit, limit, count) for limit in (move, move, turn))
    whole = pose(x, y, angle, 1 - rng.uniform(0, 1, count) * shrink)
    made = expressions(count, seed=int(rng.integers(2**31)))
    parts = whole[:, None] @ np.stack([arrangement(people[k]) for k in who])
    if swapped:
        parts = swap_eyes_and_mouth(parts)
    drawn = [draw(people[k], *face) for k, *face in zip(who, made, whole, parts, strict=True)]
    return Faces(np.stack(drawn)[..., None], who.astype(np.int64), parts, whole)


# How a part looks: broken lines in its own coordinates, each with the radius of its pen -----------------------------


def _eye(identity: Identity, expression: Expression, side: int) -> list[Stroke]:
    half = identity.brow_length / 2
    rise = side * expression.brows * 0.35 * half  # Of the right end; the left one falls by the same amount.
    brow = np.array([[-half, 2.9 - rise], [half, 2.9 + rise]])
    return [(_ellipse(1.9, 1.6 * expression.eyes_open, 14), 0.4), (np.zeros((2, 2)), 0.75), (brow, 0.5)]


def _nose() -> list[Stroke]:
    return [(np.array([[0.1, 1.9], [-1.2, -1.5], [1.0, -1.5]]), 0.4)]


def _mouth(expression: Expression) -> list[Stroke]:
    t = np.linspace(-1, 1, 13)
    bend, lips = expression.smile * 1.3 * (t**2 - 0.4), expression.mouth_open * 1.1 * (1 - t**2)
    lines = (bend + lips, bend - lips) if expression.mouth_open else (bend,)
    return [(np.stack([3.4 * t, line], axis=1), 0.5) for line in lines]


def _ellipse(a: float, b: float, pieces: int) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, pieces + 1)
    return np.stack([a * np.cos(t), b * np.sin(t)], axis=1)


def _placed(argument: str, name: str, M: np.ndarray, form: list[Stroke]) -> list[Stroke]:
    """The strokes of a form under pose M, refused if ink would leave the canvas."""
    scale = np.hypot(M[0, 0], M[1, 0])
    strokes = [(points @ M[:2, :2].T + M[:2, 2], radius * scale) for points, radius in form]
    reach = max(np.abs(points).max() + radius for points, radius in strokes)
    if reach > SIZE / 2:
        raise ValueError(
            f"{argument}: got a pose that puts {name} {reach:.2f} from the middle, expected all ink within {SIZE // 2}"
        )
    return strokes


def _ink(picture: np.ndarray, points: np.ndarray, radius: float) -> None:
    """Draw a broken line with a round pen into `picture`, whose row 0 is the bottom; edges are one pixel wide."""
    size = len(picture)
    pixel = SIZE / size
    middle = (np.arange(size) + 0.5) * pixel - SIZE / 2
    low, high = points.min(0) - radius - pixel, points.max(0) + radius + pixel
    columns, rows = (slice(*np.searchsorted(middle, ends)) for ends in zip(low, high, strict=True))
    x, y = middle[columns][None, None, :], middle[rows][None, :, None]  # (1, 1, C), (1, R, 1)
    start, along = points[:-1, :, None, None], np.diff(points, axis=0)[:, :, None, None]  # (S, 2, 1, 1)
    x, y = x - start[:, 0], y - start[:, 1]
    squared = np.maximum(np.sum(along**2, axis=1), 1e-12)
    t = np.clip((x * along[:, 0] + y * along[:, 1]) / squared, 0, 1)  # (S, R, C), where on the segment is nearest
    distance = np.sqrt(np.min((x - t * along[:, 0]) ** 2 + (y - t * along[:, 1]) ** 2, axis=0))
    ink = np.clip((radius - distance) / pixel + 0.5, 0, 1)
    np.maximum(picture[rows, columns], ink, out=picture[rows, columns], casting="same_kind")
