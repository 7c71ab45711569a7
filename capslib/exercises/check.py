"""What an exercise is, and the check that answers with a picture and a hint, and never with a traceback."""

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from capslib import plots

EXERCISES: dict[str, "Exercise"] = {}
"""Every exercise of the course by its name, lesson by lesson; the package fills it."""


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


def draw(seed: int, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Normal random numbers with one decimal, an array of each shape.

    Every exercise has a seed of its own, so that a new exercise changes the numbers of no other.
    """
    rng = np.random.default_rng(seed)
    return tuple(np.round(rng.normal(size=shape), 1) for shape in shapes)


def check(name: str, solution: Callable) -> bool:
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


def _close(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.isclose(got, expected, rtol=1e-4, atol=1e-6)


def _try(solution: Callable, arguments: tuple, shape: tuple) -> tuple[np.ndarray | None, str | None]:
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


def _too_large(solution: Callable, exercise: Exercise) -> str | None:
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
    if exercise.numbers is not None and peak >= exercise.numbers:
        return f"The numbers are right, but more than {exercise.numbers:,} were in memory at once. {exercise.hint}"
    return None
