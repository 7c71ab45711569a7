"""Checks of the lessons' exercises: each answers with a picture and a hint, and never with a traceback.

What is expected is computed here by plain loops, as the task in the lesson spells it out.
"""

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from capslib import equations, plots


@dataclass(frozen=True)
class Exercise:
    """One task.

    Attributes:
        expected: the task in plain loops.
        arguments: small arrays to try a solution on; the result has two axes.
        axes: what the two axes of the result count.
        hint: where to start.
        mistakes: hint → a function that makes the mistake that the hint is about.
        numbers: if given, a solution may hold no array of so many numbers; tried on `large`.
        large: arguments for that.
    """

    expected: Callable
    arguments: tuple
    axes: tuple[str, str]
    hint: str
    mistakes: dict[str, Callable]
    numbers: int | None = None
    large: tuple = ()


def check(name, solution):
    """Try a solution of an exercise; show what was expected beside what came, and a hint if they differ.

    Args:
        name: of the exercise, a key of EXERCISES.
        solution: the learner's function.

    Returns:
        Whether it is right.

    Raises:
        ValueError: if there is no exercise of that name.
    """
    if name not in EXERCISES:
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(EXERCISES)}")
    exercise = EXERCISES[name]
    expected = exercise.expected(*exercise.arguments)
    got, problem = _try(solution, exercise.arguments, expected.shape)
    same = 0 if got is None else int(_close(got, expected).sum())
    if got is None:
        problem = f"{problem} {exercise.hint}"
    elif same < expected.size:
        found = [hint for hint, wrong in exercise.mistakes.items() if _close(got, wrong(*exercise.arguments)).all()]
        problem = found[0] if found else "The numbers in frames differ. " + exercise.hint
    elif exercise.numbers is not None:
        problem = _too_large(solution, exercise)
    plots.show(
        plots.expected_and_got(expected, got, exercise.axes),
        f"Expected numbers beside yours: {same} of {expected.size} agree.",
    )
    print("right" if problem is None else f"not yet: {problem}")
    return problem is None


def _close(got, expected):
    return np.isclose(got, expected, rtol=1e-4, atol=1e-6)


def _try(solution, arguments, shape):
    """A solution's result as an array of the shape expected, or None and what is wrong with it."""
    try:
        got = solution(*(np.copy(argument) for argument in arguments))
    except Exception as error:
        return None, f"it raised {type(error).__name__}: {error}."
    if got is None or got is Ellipsis:
        return None, "it returns nothing so far."
    try:
        got = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        return None, f"it returns a {type(got).__name__}, expected an array."
    if got.shape != shape:
        return None, f"it returns the shape {got.shape}, expected {shape}."
    return got, None


def _too_large(solution, exercise):
    """A hint if a solution holds more numbers at a time than it may, or fails on larger arrays."""
    shape = exercise.expected(*exercise.large).shape
    tracemalloc.start()
    try:
        _, problem = _try(solution, exercise.large, shape)
        peak = tracemalloc.get_traced_memory()[1] / 8  # float64
    finally:
        tracemalloc.stop()
    if problem is not None:
        return f"It is right for one size. For a larger one {problem}"
    if peak >= exercise.numbers:
        return f"The numbers are right, but more than {exercise.numbers:,} were in memory at once. {exercise.hint}"
    return None


# Lesson 10 --------------------------------------------------------------------------------------------------------


def _softmax_backward(c, g):
    db = np.zeros_like(c)
    for i in range(len(c)):
        for j in range(c.shape[1]):
            for k in range(c.shape[1]):
                db[i, j] += g[i, k] * c[i, k] * ((j == k) - c[i, j])
    return db


def _agreement_without_votes(u, W, v):
    a = np.zeros((len(u), len(v)))
    for i in range(len(u)):
        for j in range(len(v)):
            for d in range(u.shape[1]):
                for k in range(v.shape[1]):
                    a[i, j] += u[i, d] * W[d, j, k] * v[j, k]
    return a


def _slot_readout(u, q):
    e = np.exp([[sum(u[i] * q[j]) for j in range(len(q))] for i in range(len(u))])
    read = np.zeros_like(q)
    for j in range(len(q)):
        c = [e[i, j] / sum(e[i]) for i in range(len(u))]
        for i in range(len(u)):
            read[j] += c[i] / sum(c) * u[i]
    return read


_rng = np.random.default_rng(10)
_u, _W, _v = _rng.normal(size=(4, 3)), _rng.normal(size=(3, 2, 5)), _rng.normal(size=(2, 5))
_u, _W, _v = (np.round(array, 1) for array in (_u, _W, _v))
_c, _g = equations.softmax(_u @ _rng.normal(size=(3, 3))), np.round(_rng.normal(size=(4, 3)), 1)
_many, _votes = (np.ones((400, 3)), np.ones((3, 5, 40)), np.ones((5, 40))), 400 * 5 * 40

EXERCISES = {
    "softmax_backward": Exercise(
        _softmax_backward,
        (_c, _g),
        ("i", "j"),
        "Each c_ik of a row depends on every b_ij of that row: ∂c_ik/∂b_ij = c_ik ([j = k] − c_ij).",
        {
            "That would be right if c_ij depended on b_ij alone. But a row of c always sums to 1.": lambda c, g: c * g,
            "Those are the terms with j = k. The others of the same row are missing.": lambda c, g: c * (1 - c) * g,
            "You summed over the lower capsules. A softmax couples the upper ones, in a row.": (
                lambda c, g: c * (g - (c * g).sum(0))
            ),
        },
    ),
    "agreement_without_votes": Exercise(
        _agreement_without_votes,
        (_u, _W, _v),
        ("i", "j"),
        "Sum over k first: it does not contain i, and leaves one vector of D_in components for each j.",
        {
            "You carried v down through another capsule's W: j must be one and the same in W and v.": (
                lambda u, W, v: np.einsum("id,dlk,jk->ij", u, W, v)
            )
        },
        numbers=_votes,
        large=_many,
    ),
    "slot_readout": Exercise(
        _slot_readout,
        (_u, np.round(_rng.normal(size=(2, 3)), 1)),
        ("j", "d"),
        "First a softmax over j for each i. Then divide each column by its sum over i, and read out.",
        {
            "You normalised over the lower capsules, as a Transformer does. Here the queries compete.": (
                lambda u, q: equations.softmax(u @ q.T, axis=0).T @ u
            ),
            "That is routing's sum. Slot Attention takes the mean: divide by the weights' sum over i.": (
                lambda u, q: equations.softmax(u @ q.T, axis=1).T @ u
            ),
        },
    ),
}
