"""What the stored runs of lesson 11 say: curves over conditions, and the contrasts that were fixed before the runs.

`python -m capslib.experiments` makes the runs, and with `--collect` stores them in notebooks/results. A run here is one
of those results: a dict with its task and its scores.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import check_choice, check_numbers, check_shape
from capslib.conditions import ANGLES, DIRECTIONS, DISTANCES, FACTORS, STRENGTHS
from capslib.intervals import Difference, holm, paired
from capslib.records import stored
from capslib.scores import area

RESULT, MISSING_POINTS = "does_it_hold", "missing_points"

LABELS = {
    "capsnet_1": "CapsNet, 1 routing",
    "capsnet_3": "CapsNet, 3 routings",
    "capsnet_5": "CapsNet, 5 routings",
    "capsnet_places": "CapsNet + (x, y)",
    "capsnet_offset_1": "CapsNet, offset 1",
    "capsnet_unshared": "CapsNet, unshared W",
    "cnn_flatten": "CNN flatten",
    "cnn_flatten_margin": "CNN flatten, margin loss",
    "cnn_global": "CNN global",
    "cnn_global_margin": "CNN global, margin loss",
    "pose_1": "paper-style, 1 routing",
    "pose_3": "paper-style, 3 routings",
}
"""What the networks are called in pictures and tables."""

TRAININGS = {
    "none": "digits as they are",
    "some": "digits shifted by up to 2 px and turned by up to 15°",
    "turned": "digits turned by any angle",
}
"""What the networks were trained on, by the name of the augmentation."""

CONTRASTS = (
    ("capsnet_3", "capsnet_1"),
    ("capsnet_3", "capsnet_unshared"),
    ("capsnet_3", "cnn_flatten_margin"),
)
"""Which networks are compared: the first less the second. Fixed before the first run."""

MARGIN = 0.003
"""Of the accuracy on upright digits, 0.3 points: a difference whose interval lies within it adds nothing."""

FAMILIES: dict[str, tuple[float, ...]] = {
    "turn": (0, *ANGLES),
    "shift": (0, *DISTANCES),
    "scale": tuple(sorted((1, *FACTORS))),
    "noise": (0, *STRENGTHS),
    "salt and pepper": (0, *STRENGTHS),
    "attack": (0, 0.05, 0.1, 0.2),
}
"""Conditions that come in strengths, with the strength at which a digit is unchanged."""

MOVED = "parts moved"
"""The condition without strengths."""

SWAPS = ("swap top and bottom", "swap left and right", "swap quadrants")
PARTS = ("none", *SWAPS, "cells shuffled")
"""What is done to the parts of a digit, beginning with nothing; of SWAPS there is also an AUROC."""

AXES = {
    "turn": "angle in degrees counter-clockwise",
    "shift": "shift in pixels",
    "scale": "scale",
    "noise": "standard deviation of the noise",
    "salt and pepper": "share of the pixels replaced",
    "attack": "change of every pixel by the attack",
    MOVED: "what was moved",
}
"""Every condition, with what its axis is called."""

SCORES = {
    "accuracy": "accuracy",
    "of_right": "accuracy among digits right when upright",
    "accepted": "share of top scores above ½",
    "auroc": "AUROC, intact against swapped",
}
"""What is measured under the conditions; the AUROC of SWAPS alone."""


def runs(augmentation: str = "none", epochs: int = 6) -> dict[str, list[dict]]:
    """The stored runs of one kind of training: for each network, one run a seed in the order of the seeds.

    Args:
        augmentation: "none", "some" or "turned".
        epochs: 6, or 20 for the long runs, which have one seed and augmentation "some".

    Raises:
        ValueError: if there are none.
        FileNotFoundError: if no results are stored.
    """
    found: dict[str, list[dict]] = {}
    for run in sorted(stored(RESULT)["runs"], key=lambda run: run["task"]["seed"]):
        task = run["task"]
        if not task["tuning"] and (task["augmentation"], task["epochs"]) == (augmentation, epochs):
            found.setdefault(task["network"], []).append(run)
    if not found:
        raise ValueError(f"augmentation: got {augmentation!r} with {epochs} epochs, of which no run is stored")
    return found


def by_training() -> dict[str, dict[str, list[dict]]]:
    """The stored runs of 6 epochs by the augmentation of their training, as `runs` gives them; those that there are.

    Raises:
        ValueError: if there are none.
        FileNotFoundError: if no results are stored.
    """
    found = {}
    for name in TRAININGS:
        with contextlib.suppress(ValueError):
            found[name] = runs(name)
    return found or {"none": runs("none")}  # Which says what is wrong.


VARIANTS = {
    "cnn_flatten": "CNN flatten",
    "cnn_global": "CNN global",
    "best": "lesson 07's network",
    "unchanged": "the same, on JAX",
    "longer": "120 epochs",
    "labels": "distillation loss, of labels",
    "distilled": "distilled from CNNs",
    "distilled_longer": "distilled, 120 epochs",
    "places": "+ (x, y)",
    "one_routing": "1 routing",
}
"""What was tried to find the missing points of the article's network, and what stands beside it."""


def variants() -> dict[str, list[dict]]:
    """The stored runs of each of VARIANTS, one a seed in the order of the seeds.

    A run is a dict with training_accuracy (of the last epoch, on augmented digits), validation_accuracy, test_accuracy,
    seed, command and machine, among others.

    Raises:
        FileNotFoundError: if no results are stored.
    """
    found = sorted(stored(MISSING_POINTS)["runs"], key=lambda run: run["seed"])
    return {name: [run for run in found if run["variant"] == name] for name in VARIANTS}


def scores_of(family: str) -> tuple[str, ...]:
    """Which of SCORES are measured under a condition, a key of AXES."""
    check_choice("family", family, AXES)
    return tuple(name for name in SCORES if name != "auroc" or family == MOVED)


def steps(family: str, score: str = "accuracy") -> tuple:
    """Where a score is measured: the strengths of a condition, or what is done to the parts.

    Args:
        family: a key of AXES.
        score: a key of SCORES that is measured under this condition.

    Raises:
        ValueError: naming the argument, if there is no such family or score.
    """
    check_choice("score", score, scores_of(family))
    if family == MOVED:
        return SWAPS if score == "auroc" else PARTS
    return FAMILIES[family]


def unchanged(family: str) -> float | str:
    """The step of a condition, a key of AXES, at which a digit is as it was."""
    if check_choice("family", family, AXES) == MOVED:
        return "none"
    return 1 if family == "scale" else 0


def curve(run: dict, family: str, score: str = "accuracy") -> np.ndarray:
    """One score of one run at every step of a condition; of shifts the mean over the four directions.

    Args:
        run: a stored run.
        family: a key of AXES.
        score: "accuracy", "of_right" (among digits that are right when unchanged), "accepted", or where parts are
            moved "auroc".

    Returns:
        float64 (K,), as many as `steps` gives.

    Raises:
        ValueError: naming the argument, if there is no such family or score.
    """
    rows, places = run["conditions"], steps(family, score)
    return np.array([np.mean([rows[name][score] for name in names(family, place)]) for place in places])


def names(family: str, step: float | str) -> list[str]:
    """What `conditions` calls one step of a condition: one name, or of a shift four, the one to the right first."""
    if step == unchanged(family):
        return ["none"]
    if family == MOVED:
        return [str(step)]
    directions = [f" {to}" for to in DIRECTIONS] if family == "shift" else [""]
    return [f"{family} {step}{to}" for to in directions]


def mean_interval(values: ArrayLike) -> tuple[float, float, float]:
    """The mean of one score over seeds and the ends of its 95 % t-interval, by the formula of `intervals.paired`.

    Args:
        values: a score for each seed (N,), at least one. Of one there is no interval: both ends are NaN.
    """
    values = check_numbers("values", check_shape("values", values, ("N",)))
    if len(values) == 1:
        return float(values[0]), np.nan, np.nan
    return paired(values, np.zeros(len(values)))[:3]


def area_up_to(run: dict, family: str, most: float, score: str = "accuracy") -> float:
    """The mean height of a curve from no change to the strength `most`."""
    strengths = np.array(FAMILIES[family], float)
    kept = strengths <= most
    return area(strengths[kept], curve(run, family, score)[kept])


OUTCOMES: dict[str, Callable[[dict], float]] = {
    "accuracy, upright": lambda run: run["upright"]["accuracy"],
    "area, turns to 45°": lambda run: area_up_to(run, "turn", 45),
    "area, shifts to 4 px": lambda run: area_up_to(run, "shift", 4),
    "AUROC, halves swapped": lambda run: run["conditions"]["swap top and bottom"]["auroc"],
}
"""What the networks of a contrast are compared by. Fixed before the first run."""


class Contrast(NamedTuple):
    """One contrast by one outcome.

    Attributes:
        first, second: the networks.
        outcome: a key of OUTCOMES.
        difference: first less second, paired by seed.
        corrected: the p-value after Holm's correction over all contrasts and outcomes.
        verdict: "higher" or "lower" where the corrected p is below 0.05, "no difference" where it is not and the
            interval lies within MARGIN, which is said of the accuracy on upright digits alone, and else "undecided".
    """

    first: str
    second: str
    outcome: str
    difference: Difference
    corrected: float
    verdict: str


def contrasts(found: dict[str, list[dict]], pairs: Sequence[tuple[str, str]] = CONTRASTS) -> list[Contrast]:
    """Every contrast by every outcome, paired by seed and corrected together.

    Args:
        found: the runs of each network, as `runs` gives them.
        pairs: the networks to compare.

    Raises:
        ValueError: if there is no pair, a network has no runs, or two do not have the same seeds.
    """
    rows = []
    for first, second in pairs:
        a, b = (_of(found, name) for name in (first, second))
        if _seeds(a) != _seeds(b):
            raise ValueError(f"found: got seeds {_seeds(a)} of {first} and {_seeds(b)} of {second}, expected the same")
        for name, outcome in OUTCOMES.items():
            rows.append((first, second, name, paired([outcome(run) for run in a], [outcome(run) for run in b])))
    if not rows:
        raise ValueError("pairs: got none, expected at least one pair of networks")
    corrected = holm([row[3].p for row in rows])
    return [Contrast(*row, float(p), _verdict(row[2], row[3], p)) for row, p in zip(rows, corrected, strict=True)]


def _of(found: dict[str, list[dict]], network: str) -> list[dict]:
    if network not in found:
        raise ValueError(f"found: got runs of {', '.join(found)}, expected some of {network}")
    return found[network]


def _seeds(some: Iterable[dict]) -> list[int]:
    return [run["task"]["seed"] for run in some]


def _verdict(outcome: str, difference: Difference, corrected: float) -> str:
    if corrected < 0.05:
        return "higher" if difference.mean > 0 else "lower"
    within = max(abs(difference.low), abs(difference.high)) <= MARGIN
    return "no difference" if within and outcome == "accuracy, upright" else "undecided"
