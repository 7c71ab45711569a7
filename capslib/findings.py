"""What the stored runs of lesson 11 say: curves over conditions, and the contrasts that were fixed before the runs.

`python -m capslib.experiments` makes the runs, and with `--collect` stores them in notebooks/results. A run here is one
of those results: a dict with its task and its scores.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from capslib.checks import check_choice
from capslib.conditions import ANGLES, DIRECTIONS, DISTANCES, FACTORS, STRENGTHS
from capslib.intervals import Difference, holm, paired
from capslib.records import stored
from capslib.scores import area

RESULT = "does_it_hold"

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

SCORES = ("accuracy", "of_right", "accepted")


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


def curve(run: dict, family: str, score: str = "accuracy") -> np.ndarray:
    """One score of one run at every strength of a condition; of shifts the mean over the four directions.

    Args:
        run: a stored run.
        family: a key of FAMILIES.
        score: "accuracy", "of_right" (among digits that are right when unchanged) or "accepted".

    Returns:
        float64 (K,), as many as FAMILIES has strengths.

    Raises:
        ValueError: naming the argument, if there is no such family or score.
    """
    strengths = FAMILIES[check_choice("family", family, FAMILIES)]
    check_choice("score", score, SCORES)
    unchanged = 1 if family == "scale" else 0
    rows = run["conditions"]
    return np.array([np.mean([rows[name][score] for name in _names(family, s, unchanged)]) for s in strengths])


def _names(family: str, strength: float, unchanged: float) -> list[str]:
    if strength == unchanged:
        return ["none"]
    directions = [f" {to}" for to in DIRECTIONS] if family == "shift" else [""]
    return [f"{family} {strength}{to}" for to in directions]


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
        ValueError: if a network has no runs, or two do not have the same seeds.
    """
    rows = []
    for first, second in pairs:
        a, b = (_of(found, name) for name in (first, second))
        if _seeds(a) != _seeds(b):
            raise ValueError(f"found: got seeds {_seeds(a)} of {first} and {_seeds(b)} of {second}, expected the same")
        for name, outcome in OUTCOMES.items():
            rows.append((first, second, name, paired([outcome(run) for run in a], [outcome(run) for run in b])))
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
