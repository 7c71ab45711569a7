"""What lesson 11 concludes: every claim about capsules, the measurement that it was put to, and what came out.

A claim compares a capsule network with plain CNNs of equal size that were trained with the same loss. It is judged
against each of them, paired by seed, and all differences are corrected together. The claims and their measurements are
those of the article, of lesson 01 (C1 to C4), and the ones that are most often repeated about capsules.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from capslib.checks import check_choice
from capslib.findings import area_up_to
from capslib.intervals import Difference, holm, paired

SUBJECT = "capsnet_3"
OPPONENTS = ("cnn_flatten_margin", "cnn_global_margin")
UPSIDE_DOWN = (2, 3, 4, 7)
"""Digits that upside down mostly look like no digit, although a 2 may still pass for a 2."""

Trained = dict[str, dict]
"""One seed's runs of a network: augmentation → run."""


class Claim(NamedTuple):
    """One claim about a capsule network N, as something that a measurement can settle.

    Attributes:
        said: the claim.
        source: who says it.
        measured: what is compared, in words.
        outcome: that number, from one seed's runs of a network.
        promised: 1 if the claim says that N has more of it than a CNN, −1 if less.
        trainings: the augmentations that the outcome reads.
    """

    said: str
    source: str
    measured: str
    outcome: Callable[[Trained], float]
    promised: int = 1
    trainings: tuple[str, ...] = ("none",)


def _condition(name: str, score: str) -> Callable[[Trained], float]:
    return lambda runs: runs["none"]["conditions"][name][score]


def _area(family: str, most: float) -> Callable[[Trained], float]:
    return lambda runs: area_up_to(runs["none"], family, most)


def upside_down(run: dict) -> float:
    """The mean accuracy of a run on UPSIDE_DOWN, turned by 180°."""
    return float(np.mean([run["conditions"]["turn 180"]["by_class"][k] for k in UPSIDE_DOWN]))


def explained(run: dict, dimension: int, change: str = "turn 15") -> float:
    """R² of one linear map of a representation of some dimension to that of the changed digit.

    A capsule has the dimension that it has; of a CNN as many leading ones are taken, 30 or 16.
    """
    return run["changes"][change][str(dimension)]["map"]


CLAIMS = (
    Claim(
        "It reads digits better",
        "often repeated",
        "accuracy, upright",
        lambda runs: runs["none"]["upright"]["accuracy"],
    ),
    Claim("It reads turned digits better", "article; C1", "area, turns to 45°", _area("turn", 45)),
    Claim(
        "It needs turned digits in training less",
        "article; C2",
        "gain at 180° by training on turned 2, 3, 4, 7",
        lambda runs: upside_down(runs["turned"]) - upside_down(runs["none"]),
        promised=-1,
        trainings=("none", "turned"),
    ),
    Claim("It reads shifted digits better", "often repeated", "area, shifts to 4 px", _area("shift", 4)),
    Claim(
        "It tells wrong arrangements from right ones",
        "article; C3",
        "AUROC, top and bottom swapped",
        _condition("swap top and bottom", "auroc"),
    ),
    Claim(
        "It accepts wrong arrangements less often",
        "article; C3",
        "top score above ½, top and bottom swapped",
        _condition("swap top and bottom", "accepted"),
        promised=-1,
    ),
    Claim(
        "It knows a face with eyes and mouth swapped",
        "article; C3",
        "AUROC swapped less AUROC tilted, faces",
        lambda runs: runs["none"]["faces"]["swapped"]["auroc"] - runs["none"]["faces"]["tilted"]["auroc"],
    ),
    Claim(
        "Its vectors follow the pose",
        "article; C4",
        "R² of a linear map, turn by 15°",
        lambda runs: explained(runs["none"], 30),
    ),
    Claim("It is robust to noise", "often repeated", "area, noise to 0.5", _area("noise", 0.5)),
    Claim("It is robust to attacks", "often repeated", "area, attacks to 0.2", _area("attack", 0.2)),
    Claim(
        "It reads two overlapping digits, untrained",
        "often repeated",
        "both digits found",
        lambda runs: runs["none"]["conditions"]["two digits"]["both_found"],
    ),
)
"""What is claimed of a network whose capsules have 30 dimensions."""

CLAIMS_16 = tuple(
    claim._replace(outcome=lambda runs: explained(runs["none"], 16)) if "R²" in claim.measured else claim
    for claim in CLAIMS
)
"""The same of one whose capsules have 16."""


class Judged(NamedTuple):
    """A claim and what the runs say of it.

    Attributes:
        claim: a Claim.
        differences: opponent → N less that CNN, paired by seed; only those that have runs.
        corrected: opponent → p after Holm's correction over all claims and opponents.
        verdict: "holds" where N differs from every CNN as promised, "depends on the CNN" where it does from some,
            "contradicted" where it does from none and differs from at least one the other way, and "undecided" where it
            differs from none beyond chance.
    """

    claim: Claim
    differences: dict[str, Difference]
    corrected: dict[str, float]
    verdict: str


def judge(
    found: dict[str, dict[str, list[dict]]],
    subject: str = SUBJECT,
    opponents: Iterable[str] = OPPONENTS,
    claims: Iterable[Claim] = CLAIMS,
) -> list[Judged]:
    """Put claims to the stored runs.

    Args:
        found: augmentation → network → runs, as `findings.by_training` gives them.
        subject: the capsule network N that the claims are about.
        opponents: the CNNs that it is compared with.
        claims: Claims; those whose trainings hold no run of N and at least one opponent are left out.

    Raises:
        ValueError: if there is no run of the subject, no claim, or no opponent that has two seeds in common with it.
    """
    check_choice("subject", subject, found.get("none", {}))
    opponents, claims = opponents if isinstance(opponents, str) else tuple(opponents), tuple(claims)
    if not claims:
        raise ValueError("claims: got none, expected at least one")
    rows = []
    for claim in claims:
        for opponent in opponents:
            difference = _difference(found, claim, subject, opponent)
            if difference is not None:
                rows.append((claim, opponent, difference))
    if not rows:
        expected = f"a tuple of networks of which at least one has two seeds in common with {subject}"
        raise ValueError(f"opponents: got {opponents!r}, expected {expected}")
    corrected = holm([difference.p for _, _, difference in rows])
    judged = []
    for claim in claims:
        mine = [(name, d, float(p)) for (c, name, d), p in zip(rows, corrected, strict=True) if c is claim]
        if mine:
            signs = [np.sign(d.mean) * claim.promised if p < 0.05 else 0 for _, d, p in mine]
            differences, p_values = {name: d for name, d, _ in mine}, {name: p for name, _, p in mine}
            judged.append(Judged(claim, differences, p_values, _verdict(signs)))
    return judged


def _difference(found: dict, claim: Claim, subject: str, opponent: str) -> Difference | None:
    """Subject less opponent over the seeds that both have in every training; None if there are fewer than two."""
    outcomes = []
    for network in (subject, opponent):
        by_seed: dict[int, Trained] = {}
        for training in claim.trainings:
            for run in found.get(training, {}).get(network, []):
                by_seed.setdefault(run["task"]["seed"], {})[training] = run
        outcomes.append({s: claim.outcome(runs) for s, runs in by_seed.items() if len(runs) == len(claim.trainings)})
    first, second = outcomes
    both = [seed for seed in first if seed in second]
    return paired([first[s] for s in both], [second[s] for s in both]) if len(both) > 1 else None


def _verdict(signs: list[float]) -> str:
    if max(signs) > 0:
        return "holds" if min(signs) > 0 else "depends on the CNN"
    return "contradicted" if min(signs) < 0 else "undecided"
