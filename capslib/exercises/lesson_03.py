"""Lesson 03, squash: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib import equations
from capslib.exercises.check import Exercise


def _unsquash(v: np.ndarray, offset: float) -> np.ndarray:
    s = np.zeros_like(v)
    for i in range(len(v)):
        presence = np.sqrt(sum(v[i] ** 2))
        if presence > 0:
            s[i] = np.sqrt(offset * presence / (1 - presence)) * v[i] / presence
    return s


def _offset_for(x: np.ndarray, share: float) -> np.ndarray:
    offsets = np.zeros_like(x)
    for i in range(len(x)):
        offsets[i] = max(x[i] / share - x[i] ** 2, 0)  # x / (κ + x²) = share
    return offsets


def _other_gains(x: np.ndarray) -> np.ndarray:
    gains = np.zeros((len(x), 2))
    for i in range(len(x)):
        gains[i] = 1 / (1 + x[i]), 1 / (1 + x[i]) ** 2
    return gains


def _requirements(s: np.ndarray, v: np.ndarray) -> np.ndarray:
    before, after = [sum(row**2) ** 0.5 for row in s], [sum(row**2) ** 0.5 for row in v]
    everyone = range(len(s))
    return np.array(
        [
            all(np.allclose(after[i] * s[i], before[i] * v[i]) for i in everyone),
            all(after[i] < 1e-6 for i in everyone if before[i] == 0),
            all(after[i] < after[j] for i in everyone for j in everyone if before[i] < before[j]),
            all(after[i] < 1 for i in everyone),
        ],
        float,
    )


FUNCTIONS = (
    equations.squash,
    lambda s: -equations.squash(s),
    np.tanh,
    lambda s: 1 / (1 + np.exp(-s)),
    lambda s: s / (1 + np.sum(s**2, axis=-1, keepdims=True)),
    lambda s: s / 2,
)
"""Squash, and functions that break one or more of its requirements."""


def _sizes(rng: np.random.Generator) -> tuple[int, int]:
    """Two different sizes, N and D."""
    N, D = map(int, rng.permutation([2, 3, 4, 5])[:2])
    return N, D


def _vectors(rng: np.random.Generator, norms: np.ndarray, D: int) -> np.ndarray:
    """Vectors (N, D) of the given lengths (N,) in random directions."""
    s = rng.normal(size=(len(norms), D))
    return norms[:, None] * s / equations.length(s)[:, None]


def _capsules_and_offset(rng: np.random.Generator) -> tuple:
    N, D = _sizes(rng)
    return _vectors(rng, np.round(rng.uniform(0.1, 0.95, N), 2), D), rng.choice([0.25, 0.5, 1, 2])


def _lengths_and_share(rng: np.random.Generator) -> tuple:
    x = np.round(rng.uniform(0.1, 2, rng.integers(3, 8)), 1)
    x[0] = 0.3  # There is an offset for this one, whatever the share.
    return x, rng.choice([0.6, 0.8, 1.25])


def _lengths(rng: np.random.Generator) -> tuple:
    return (np.round(rng.uniform(0.1, 4, rng.integers(3, 9)), 1),)


def _before(rng: np.random.Generator) -> np.ndarray:
    N, D = _sizes(rng)
    return _vectors(rng, rng.permutation(np.append(np.linspace(0.4, 3, N + 3), 0)), D)


def _before_and_after(rng: np.random.Generator) -> tuple:
    s = _before(rng)
    return s, FUNCTIONS[rng.integers(len(FUNCTIONS))](s)


STAR = np.array([[0.9, 1.2], [0.0, 0.0], [-0.4, 0.3], [0.0, -2.5], [1.0, 0.0], [-3.0, 4.0]])
"""Vectors s of length 1.5, 0, 0.5, 2.5, 1 and 5."""


def _judged(s: np.ndarray, v: np.ndarray, *, number: int, verdict: bool) -> np.ndarray:
    """The right answer but for one requirement."""
    answer = _requirements(s, v)
    answer[number] = verdict
    return answer


def _parallel(s: np.ndarray, v: np.ndarray) -> bool:
    return bool(np.allclose(abs(np.sum(s * v, -1)), equations.length(s) * equations.length(v)))


EXERCISES = {
    "unsquash": Exercise(
        _unsquash,
        _capsules_and_offset,
        301,
        ("i", "d"),
        (
            "Squash keeps the direction. So you only need the length of s, from ‖v‖ = n / (κ + n).",
            "Solve ‖v‖ = n / (κ + n) for n: multiply by κ + n and collect the terms with n.",
            "n = κ ‖v‖ / (1 − ‖v‖), and s is √n times the direction v / ‖v‖. A v of 0 has no direction: return 0.",
        ),
        {
            "You multiplied v by the length of s. Multiply its direction, v / ‖v‖, instead.": lambda v, offset: (
                np.sqrt(offset * equations.length(v) / (1 - equations.length(v)))[:, None] * v
            ),
            "Your vectors have the length n. But n is the square of the length of s.": lambda v, offset: (
                (offset / (1 - equations.length(v)))[:, None] * v
            ),
            "This is right for κ = 1. Use the offset.": lambda v, offset: _unsquash(v, 1),
            "For v = 0 you divide 0 by 0. No evidence gives presence 0, so s is 0 there.": lambda v, offset: np.where(
                equations.length(v)[:, None] > 0, _unsquash(v, offset), np.nan
            ),
        },
        edges=(("a vector of length 0 among others", (np.array([[0.0, 0, 0], [0.3, 0, -0.4]]), 0.5)),),
    ),
    "offset_for": Exercise(
        _offset_for,
        _lengths_and_share,
        302,
        ("i",),
        (
            "The share kept is the ratio r(x) = x / (κ + x²). Which κ makes it equal to share?",
            "Solve x / (κ + x²) = share for κ. When is the solution positive?",
            "κ = x / share − x². Where this is not positive, np.maximum(…, 0) gives the 0 that the task asks for.",
        ),
        {
            "Some of your offsets are negative. An offset is positive, so for these lengths there is none: return 0.": (
                lambda x, share: x / share - x**2
            ),
            "With this offset the length after is share. Asked is the length after divided by the length before.": (
                lambda x, share: x**2 / share - x**2
            ),
            "With this offset the peak of r has the height share, but the peak is elsewhere: at √κ, not at your x.": (
                lambda x, share: np.full_like(x, 1 / (4 * share**2))
            ),
        },
        edges=(
            ("a length that needs the offset ¼ to stay as it is", (np.array([0.5]), 1.0)),
            ("lengths of 1 and above that should stay as they are", (np.array([1.0, 1.5]), 1.0)),
        ),
    ),
    "other_gains": Exercise(
        _other_gains,
        _lengths,
        303,
        ("i", "across and along"),
        (
            "Across is the ratio of the lengths, g(x) / x. Along is the slope of the length curve, g'(x).",
            "For the slope use the quotient rule on x / (1 + x). For the ratio, cancel x before you compute.",
            "Across is 1 / (1 + x), along is 1 / (1 + x)². np.stack([across, along], axis=-1) puts them side by side.",
        ),
        {
            "Your columns are swapped: across comes first.": lambda x: _other_gains(x)[:, ::-1],
            "Your gain along is the ratio again. Along is the derivative of the length curve.": (
                lambda x: np.stack([1 / (1 + x), 1 / (1 + x)], -1)
            ),
            "Your gain across is the length of v. Divide it by x.": (
                lambda x: np.stack([x / (1 + x), 1 / (1 + x) ** 2], -1)
            ),
            "At x = 0 you divide 0 by 0. Cancel x first.": (
                lambda x: np.stack([np.where(x > 0, 1 / (1 + x), np.nan), 1 / (1 + x) ** 2], -1)
            ),
        },
        edges=(("a length of 0", (np.array([0.0, 1.0]),)),),
    ),
    "requirements": Exercise(
        _requirements,
        _before_and_after,
        304,
        ("requirement, counted from 0",),
        (
            "Compute the lengths before and after first. Only the direction needs more than these.",
            "Direction: ‖v‖ s = ‖s‖ v, which is also true at 0. Order: sort the lengths after by the lengths before.",
            "Order: (np.diff(after[np.argsort(before)]) > 0).all(), with before and after for the lengths (N,).",
        ),
        {
            "A vector turned round by 180° has not kept its direction: v must be a positive multiple of s.": (
                lambda s, v: _judged(s, v, number=0, verdict=_parallel(s, v))
            ),
            "At s = 0 there is no direction to compare: 0 / 0 makes your first test fail for every function.": (
                lambda s, v: _judged(s, v, number=0, verdict=False)
            ),
            "The vectors come in any order. Sort them by their length before you compare neighbours.": (
                lambda s, v: _judged(s, v, number=2, verdict=bool((np.diff(equations.length(v)) > 0).all()))
            ),
            "You compared single components with 1. The length can be above 1 while every component is below.": (
                lambda s, v: _judged(s, v, number=3, verdict=bool((abs(v) < 1).all()))
            ),
        },
        edges=(
            ("tanh of each component", (STAR, np.tanh(STAR))),
            ("a function that turns every vector round", (STAR, -equations.squash(STAR))),
            ("a function that makes the longest vectors short again", (STAR, FUNCTIONS[4](STAR))),
            ("a function that halves every vector", (STAR, STAR / 2)),
            ("squash itself", (STAR, equations.squash(STAR))),
        ),
    ),
}
