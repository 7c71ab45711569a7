"""Lesson 07, training: the tasks in plain loops, as the lesson spells them out."""

import math

import numpy as np

from capslib.exercises.check import Exercise, Matching


def _rate(step: np.ndarray, steps: int, peak: float) -> np.ndarray:
    rate = np.zeros(len(step))
    w = steps / 10
    for n in range(len(step)):
        if step[n] < w:
            rate[n] = peak * step[n] / w
        else:
            rate[n] = peak * (1 + math.cos(math.pi * (step[n] - w) / (steps - w))) / 2
    return rate


def _paired(read_a: np.ndarray, read_b: np.ndarray, y: np.ndarray) -> np.ndarray:
    N = len(y)
    d = [int(read_a[n] == y[n]) - int(read_b[n] == y[n]) for n in range(N)]
    mean = sum(d) / N
    variance = sum((d[n] - mean) ** 2 for n in range(N)) / N
    return np.array([mean, math.sqrt(variance) / math.sqrt(N)])


def _steps(rng: np.random.Generator) -> tuple:
    steps = 10 * int(rng.integers(2, 9))
    step = np.sort(rng.choice(steps + 1, int(rng.integers(5, 10)), replace=False))
    return step, steps, round(0.5 + 2 * rng.random(), 1)


def _readings(rng: np.random.Generator) -> tuple:
    y = rng.integers(0, 10, int(rng.integers(8, 30)))
    hard = rng.random(len(y)) < 0.3  # For both networks, as in real life.
    read = [np.where(rng.random(len(y)) < 0.1 + 0.5 * hard, (y + 1) % 10, y) for _ in range(2)]
    return read[0], read[1], y


def _warmed_up(after):
    """A schedule with the right warm-up, and after it `after` (of the step, the end of the warm-up, steps)."""

    def rate(step, steps, peak):
        w = steps / 10
        return peak * np.where(step < w, step / w, after(step, w, steps))

    return rate


def _half_cosine(step, w, steps):
    return (1 + np.cos(np.pi * (step - w) / (steps - w))) / 2


def _accuracies(read_a, read_b, y) -> tuple[float, float]:
    return np.mean(read_a == y), np.mean(read_b == y)


def _differences(read_a, read_b, y) -> np.ndarray:
    return (read_a == y) * 1.0 - (read_b == y)


def _as_if_independent(read_a, read_b, y) -> np.ndarray:
    a, b = _accuracies(read_a, read_b, y)
    return np.array([a - b, np.sqrt((a * (1 - a) + b * (1 - b)) / len(y))])


def _with_error(error):
    """The right difference with an error of `error` (of the N differences)."""

    def paired(read_a, read_b, y):
        d = _differences(read_a, read_b, y)
        return np.array([d.mean(), error(d)])

    return paired


_PLATEAU = "near 0.524"
_BELOW = "well below 0.524"
_DEAD = "near 0.810"
_START = "above 0.65 and still falling"

_CHANGES = {
    "labels renamed": _BELOW,
    "labels shuffled": _PLATEAU,
    "rate 0.1": _DEAD,
    "rate 0.000001": _START,
}

EXERCISES = {
    "warm_up_and_decay": Exercise(
        _rate,
        _steps,
        701,
        ("n",),
        (
            "`step` is an array. np.where(step < w, …, …) chooses for each step between the two formulas.",
            "For the second part, let p go from 0 at step w to 1 at the last. A cosine falls from 1 at 0 to −1 at π.",
            "With p = (step - w) / (steps - w), the second part is peak * (1 + np.cos(np.pi * p)) / 2.",
        ),
        {
            "Your cosine starts at step 0. It has to start at the peak, when the warm-up is over.": (
                _warmed_up(lambda step, w, steps: (1 + np.cos(np.pi * step / steps)) / 2)
            ),
            "A cosine falls from 1 to −1, a way of 2. Yours is twice too high after the warm-up.": (
                _warmed_up(lambda step, w, steps: 2 * _half_cosine(step, w, steps))
            ),
            "You used a quarter of a cosine, which is steepest at the end. Use half of one, flat at both ends.": (
                _warmed_up(lambda step, w, steps: np.cos(np.pi / 2 * (step - w) / (steps - w)))
            ),
            "Your rate falls along a straight line. The second part is half a cosine.": (
                _warmed_up(lambda step, w, steps: 1 - (step - w) / (steps - w))
            ),
            "Your cosine goes on below 0: between w and `steps` there is only half of a period.": (
                _warmed_up(lambda step, w, steps: np.cos(np.pi * (step - w) / (steps - w)))
            ),
            "The warm-up is missing: before step w the rate rises in a straight line from 0.": (
                lambda step, steps, peak: peak * _half_cosine(step, steps / 10, steps)
            ),
        },
        edges=(("the first step, the end of the warm-up and the last step", (np.array([0, 3, 30]), 30, 1.5)),),
    ),
    "paired_difference": Exercise(
        _paired,
        _readings,
        702,
        ("difference, error",),
        (
            "Make the array of all d first: (read_a == y) and (read_b == y) are arrays of True and False.",
            "True and False cannot be subtracted in NumPy. Turn them into numbers first, as in (read_a == y) * 1.",
            "With d = (read_a == y) * 1 - (read_b == y) * 1, the error is np.std(d) / np.sqrt(len(d)).",
        ),
        {
            "Your error treats the two networks as independent. Use the spread of the paired differences.": (
                _as_if_independent
            ),
            "This is the spread of a single difference. The mean of N of them is more certain: divide by √N.": (
                _with_error(np.std)
            ),
            "You divided by N. The standard error of a mean has √N.": _with_error(lambda d: np.std(d) / len(d)),
            "You subtracted a from b. A positive difference should say that a is better.": (
                lambda read_a, read_b, y: _paired(read_b, read_a, y)
            ),
            "You took the spread with N − 1. That is fine too, but here divide by N, as np.std does by itself.": (
                _with_error(lambda d: np.std(d, ddof=1) / np.sqrt(len(d)))
            ),
            "You compared the readings, not whether they are right: two wrong digits may differ too.": (
                lambda read_a, read_b, y: np.array(
                    [np.mean(read_a - read_b), np.std(read_a - read_b) / np.sqrt(len(y))]
                )
            ),
        },
        edges=(
            (
                "two networks that always agree",
                (np.array([3, 1, 4, 1]), np.array([3, 1, 4, 1]), np.array([3, 1, 4, 7])),
            ),
            (
                "networks with as many mistakes, on other digits",
                (np.array([3, 1, 4, 0, 5]), np.array([0, 1, 4, 1, 5]), np.array([3, 1, 4, 1, 5])),
            ),
        ),
    ),
    "recipe_changes": Matching(
        _CHANGES,
        (_BELOW, _PLATEAU, _DEAD, _START, "near 0"),
        (
            "Two of the levels are in the lesson's section on a network that knows nothing. What do they stand for?",
            "A network can always learn how long capsules should be on average. Which changes leave more to learn?",
            "Renamed digits are ten classes as before. Shuffled labels say nothing about the image.",
        ),
        {
            "Shuffled labels cannot be learnt, but that one of ten is present can. What does that alone cost?": {
                **_CHANGES,
                "labels shuffled": _START,
            },
            "Renamed and shuffled differ: after renaming, all 3s still have one label.": {
                **_CHANGES,
                "labels renamed": _PLATEAU,
            },
            "You have the two rates the wrong way round: large steps overshoot, small ones hardly move.": {
                **_CHANGES,
                "rate 0.1": _START,
                "rate 0.000001": _DEAD,
            },
            "A large rate does not learn faster here. It switches every ReLU off: then all lengths are 0.": {
                **_CHANGES,
                "rate 0.1": _BELOW,
            },
        },
    ),
}
