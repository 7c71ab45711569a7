"""What an exercise is, and the check that answers with a picture and a hint, and never with a traceback."""

import copy
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from capslib import plots
from capslib.exercises import limits, progress
from capslib.exercises.mend import Mend, problem_of

TRIALS = 5
"""On how many random arguments a solution is tried, besides the edge cases."""

SECONDS = 5.0
"""How long a solution may take on one set of arguments."""


@dataclass(frozen=True)
class Exercise:
    """A task whose solution is a function of arrays.

    Attributes:
        expected: the task in plain loops, as the lesson spells it out.
        draw: takes a random generator and gives the arguments of one trial, of random shapes.
        seed: of that generator. Each exercise has its own, so that a new exercise changes the numbers of no other.
        axes: what the axes of the result count; empty for a single number.
        hints: what to say after the first wrong try, the second, and so on; each says more than the one before.
        mistakes: hint → a function that makes the mistake that the hint is about.
        edges: arguments that are easily forgotten, each with what is special about them, as in ("all zeros", (s,)).
        numbers: if given, a solution may hold no array of so many numbers; tried on `large`.
        large: arguments for that.
    """

    expected: Callable
    draw: Callable[[np.random.Generator], tuple]
    seed: int
    axes: tuple[str, ...]
    hints: tuple[str, ...]
    mistakes: dict[str, Callable]
    edges: tuple[tuple[str, tuple], ...] = ()
    numbers: int | None = None
    large: tuple = ()

    def trials(self) -> list[tuple[str, tuple]]:
        """What a solution is tried on: pairs of what is special about the arguments and the arguments."""
        rng = np.random.default_rng(self.seed)
        return [("", self.draw(rng)) for _ in range(TRIALS)] + list(self.edges)


@dataclass(frozen=True)
class Matching:
    """A task whose answer says what belongs to what, as a dict with one of a few words for each key.

    Attributes:
        expected: key → the right word.
        words: all that may be said; some belong to no key.
        hints: what to say after the first wrong try, the second, and so on; each says more than the one before.
        mistakes: hint → the answer that the hint is about.
    """

    expected: dict[str, str]
    words: tuple[str, ...]
    hints: tuple[str, ...]
    mistakes: dict[str, dict[str, str]]


def numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Normal random numbers with one decimal, for arguments that can be read."""
    return np.round(rng.normal(size=shape), 1) + 0.0  # No −0.


EXERCISES: dict[str, Exercise | Matching | Mend] = {}
"""Every exercise of the course by its name, lesson by lesson; the package fills it."""

LESSON_OF: dict[str, str] = {}
"""The number of the lesson of each exercise; the package fills it, too."""

_tries: dict[str, int] = {}
"""How often each exercise was answered wrongly since Python started."""


def check(name: str, solution: Any) -> None:
    """What a lesson calls: `passes`, which shows and says everything, without a value for the notebook to print."""
    passes(name, solution)


def passes(name: str, solution: Any) -> bool:
    """Try a solution of an exercise; show what was expected beside what came, and a hint if they differ.

    The hints get stronger with every wrong try. A solution that is right is noted in the learner's progress.

    Args:
        name: of the exercise, a key of EXERCISES.
        solution: the learner's function, or a dict where the task asks what belongs to what.

    Returns:
        Whether it is right.

    Raises:
        ValueError: if there is no exercise of that name.
    """
    if name not in EXERCISES:
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(EXERCISES)}")
    exercise = EXERCISES[name]
    if isinstance(exercise, Matching):
        problem, meant = _mismatch(exercise, solution)
    elif isinstance(exercise, Mend):
        problem, meant = problem_of(exercise, solution, NOTHING)
    else:
        problem, meant = _difference(exercise, solution)
    if problem is None:
        progress.note("exercises", name)
        print("right")
        return True
    hint = meant or exercise.hints[min(_tries.get(name, 0), len(exercise.hints) - 1)]
    # JupyterLab breaks long lines inside words, so only a stub, of which little is said, has its hint on the same line.
    print(f"not yet: {problem}", hint, sep=" " if problem == NOTHING else "\n")
    _tries[name] = _tries.get(name, 0) + (NOTHING not in problem)
    return False


def _mismatch(exercise: Matching, answer: Any) -> tuple[str | None, str | None]:
    """What is wrong with an answer to a Matching, or None, and the hint that is meant for it, if there is one."""
    if answer is None or answer is Ellipsis:
        return NOTHING, None
    if not isinstance(answer, dict) or set(answer) != set(exercise.expected):
        return f"expected a dict with the keys {', '.join(map(repr, exercise.expected))}.", None
    missing = sum(word is None or word is Ellipsis for word in answer.values())
    if missing:
        return NOTHING if missing == len(answer) else f"{missing} of {len(answer)} answers are missing.", None
    for key, word in answer.items():
        if word not in exercise.words:
            return f"for {key!r} it says {word!r}, expected one of {', '.join(map(repr, exercise.words))}.", None
    right = sum(answer[key] == word for key, word in exercise.expected.items())
    if right == len(exercise.expected):
        return None, None
    meant = [hint for hint, wrong in exercise.mistakes.items() if wrong == answer]
    return f"{right} of {len(answer)} are right.", meant[0] if meant else None


def _difference(exercise: Exercise, solution: Any) -> tuple[str | None, str | None]:
    """What is wrong with a function, or None, and the hint that is meant for its mistake; shows a picture of both."""
    trials = exercise.trials()
    expected = [np.asarray(exercise.expected(*arguments), float) for _, arguments in trials]
    got, problem, shown = [], None, 0
    for n, ((special, arguments), wanted) in enumerate(zip(trials, expected, strict=True)):
        result, found = _try(solution, arguments, wanted)
        got.append(result)
        if found is not None and problem is None:
            problem, shown = f"for {special}, {found}" if special else found, n
        if result is None:  # Nothing to compare with a mistake, and another endless loop would take as long again.
            break
    if problem is None and exercise.numbers is not None:
        problem = _too_large(solution, exercise)
    if problem != NOTHING:
        wanted, came = expected[shown], got[shown]
        comparable = came is not None and came.shape == wanted.shape
        plots.show(plots.expected_and_got(wanted, came if comparable else None, exercise.axes))
    return problem, None if problem is None else _meant(exercise, trials, got)


NOTHING = "it returns nothing so far."
CHOOSE = "`if` cannot decide for many numbers at once; np.where(condition, …, …) decides for each."


def _close(got: np.ndarray, expected: np.ndarray, equal_nan: bool = False) -> np.ndarray:
    return np.isclose(got, expected, rtol=1e-4, atol=1e-6, equal_nan=equal_nan)


def _try(solution: Callable, arguments: tuple, expected: np.ndarray) -> tuple[np.ndarray | None, str | None]:
    """A solution's result, or None if it is no array, and what is wrong with it, or None."""
    try:
        with warnings.catch_warnings():  # The hint says it in the lesson's words: NumPy's would hide the picture.
            warnings.simplefilter("ignore", RuntimeWarning)
            got = limits.call(solution, tuple(map(copy.deepcopy, arguments)), SECONDS)
    except limits.TookTooLong:
        return None, f"it ran for more than {SECONDS:g} seconds and was stopped."
    except Exception as error:
        if isinstance(error, np.exceptions.AxisError) and error.ndim is not None:
            return None, f"it takes axis {error.axis} of an array that has {error.ndim} axes, counted from 0."
        if "truth value of an array" in str(error):  # A common mistake, and NumPy's words for it name no way out.
            return None, f"it uses an array as one True or False. {CHOOSE}"
        return None, f"it raised {type(error).__name__}: {str(error).rstrip(' .')}."
    if got is None or got is Ellipsis:
        return None, NOTHING
    try:
        got = np.asarray(got, dtype=float)
    except Exception:  # A tensor of another library raises what it likes.
        return None, f"it returns a {type(got).__name__}, expected an array."
    if got.shape != expected.shape:
        return got, f"it returns the shape {got.shape}, expected {expected.shape}."
    wrong = np.argwhere(~_close(got, expected))
    if not len(wrong):
        return got, None
    at = tuple(map(int, wrong[0]))
    where = f" at {list(at)}" if at else ""
    count = f"{len(wrong)} of {expected.size} numbers differ, the first{where}:" if at else "the number differs:"
    return got, f"{count} yours is {got[at]:.4g}, expected {expected[at]:.4g}."


def _meant(exercise: Exercise, trials: list, got: list) -> str | None:
    """The hint that is meant for the solution's mistake, if it is a known one: the same numbers in every trial.

    Whoever makes a mistake often forgets an edge case as well. So if no mistake gives the same numbers there too, one
    that gives them on all random arguments will do, unless it is a mistake in the edge cases alone.
    """
    if len(got) < TRIALS or any(result is None for result in got[:TRIALS]):
        return None
    expected = [np.asarray(exercise.expected(*arguments), float) for _, arguments in trials[:TRIALS]]
    likely = None
    for hint, wrong in exercise.mistakes.items():
        with np.errstate(all="ignore"):
            made = [np.asarray(wrong(*map(copy.deepcopy, arguments)), float) for _, arguments in trials]
        if len(got) == len(trials) and got[-1] is not None and _same(got, made):
            return hint
        if likely is None and _same(got[:TRIALS], made[:TRIALS]) and not _same(made[:TRIALS], expected):
            likely = hint
    return likely


def _same(some: list, others: list) -> bool:
    """Whether two lists hold the same arrays, up to rounding."""
    pairs = zip(some, others, strict=True)
    return all(a.shape == b.shape and bool(_close(a, b, equal_nan=True).all()) for a, b in pairs)


def _too_large(solution: Callable, exercise: Exercise) -> str | None:
    """What is wrong if a solution holds more numbers at a time than it may, or fails on larger arrays."""
    expected = np.asarray(exercise.expected(*exercise.large), float)
    tracemalloc.start()
    try:
        _, problem = _try(solution, exercise.large, expected)
        peak = tracemalloc.get_traced_memory()[1] / 8  # float64
    finally:
        tracemalloc.stop()
    if problem is not None:
        return f"for larger arrays, {problem}"
    if exercise.numbers is not None and peak >= exercise.numbers:
        return f"the numbers are right, but more than {exercise.numbers:,} were in memory at once."
    return None
