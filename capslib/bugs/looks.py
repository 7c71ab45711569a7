"""What can be looked at in a network of the bug lab, and how it is read and compared.

A quantity is a short row of numbers, such as a curve, with one number that is read from it. `capslib.bugs.examination`
computes the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from capslib.bugs.network import CLASSES, EPOCHS

QUIET = 1.5
"""Two readings are alike if they differ by less than this factor."""


@dataclass(frozen=True)
class Look:
    """A quantity on offer.

    Attributes:
        title: what it is, in a few words.
        read: what the one number is that is read from it.
        reading: takes the row of numbers and gives that number.
        across: what the numbers of the row belong to, a name for each, or for all as in "epoch".
        bars: whether they are drawn as bars; as a line otherwise.
        floor: differences below this do not count.
        digits: to how many decimals the reading is written.
    """

    title: str
    read: str
    reading: Callable[[np.ndarray], float]
    across: tuple[str, ...] | str
    bars: bool = False
    floor: float = 0.01
    digits: int = 2


def _last(row: np.ndarray) -> float:
    return float(row[-1])


def _first(row: np.ndarray) -> float:
    return float(row[0])


def _mean(row: np.ndarray) -> float:
    return float(np.mean(row))


def _total(row: np.ndarray) -> float:
    return float(np.sum(row))


def _decided(row: np.ndarray) -> float:
    return float(np.log(CLASSES) - row[-1])


def _number(row: np.ndarray) -> float:
    """The number in the name of the stored run that the curve is, 0 for none."""
    return float(max((n for n, same in zip((1, 2, 10), row, strict=True) if same == EPOCHS), default=0))


def _changed(row: np.ndarray) -> float:
    return float(row[-1] / row[0]) if row[0] else 0.0


TESTS = ("shapes", "lengths below 1", "rows of c", "loss falls", "ten by heart", "accuracy")
"""What the suite of the models tests: v has the right shape; lengths are below 1; rows of c sum to 1; the loss falls;
ten digits can be learned by heart; the test accuracy is above 0.7."""

LOOKS: dict[str, Look] = {
    "loss": Look("Training loss", "the last tenth", _last, "tenth of the training", digits=3),
    "accuracy": Look("Test accuracy", "after the last epoch", _last, "epoch", floor=0.1),
    "fitted": Look("Training digits that it gets wrong, a share", "after the last epoch", _last, "epoch", floor=0.03),
    "numbers": Look("First update whose loss is no number", "which; 0 if none", _last, ("update",), True, digits=0),
    "start": Look(
        "Lengths before training", "their mean", _mean, tuple(f"v{j}" for j in range(CLASSES)), True, 0.002, 3
    ),
    "lengths": Look(
        "Lengths after training", "of the right capsule", _first, ("right", "longest wrong", "mean wrong"), True
    ),
    "scores": Look(
        "What the loss judges, after training", "for the right class", _first, ("right", "longest wrong"), True
    ),
    "rows": Look("Row sums of c, by lower capsule", "their mean", _mean, tuple(map(str, range(1, 17))), True),
    "entropy": Look(
        "Entropy of c by iteration, after training", "below ln 5 in iteration 5", _decided, "iteration", floor=0.02
    ),
    "long": Look(
        "Entropy of c after 1, 5, 10 and 20 iterations",
        "below ln 5 after 20",
        _decided,
        ("1", "5", "10", "20"),
        floor=0.02,
    ),
    "undecided": Look(
        "Entropy of c in iteration 1, by epoch", "below ln 5 in the last epoch", _decided, "epoch", floor=0.02
    ),
    "winner": Look("Length of the right capsule by iteration", "last over first", _changed, "iteration"),
    "again": Look(
        "The same digits shown five times, before training: mean largest c of iteration 1",
        "fifth over first",
        _changed,
        "time",
    ),
    "twice": Look(
        "Four votes, then each of them twice: length of s before the squash",
        "twice over once",
        _changed,
        ("four votes", "each twice"),
        True,
    ),
    "company": Look(
        "One digit in larger and larger batches: length of its capsule",
        "in 40 over alone",
        _changed,
        ("alone", "in 10", "in 40"),
        True,
    ),
    "gradients": Look(
        "Norm of the first gradient", "of W", lambda row: float(row[1]), ("features", "W"), True, 0.0005, 3
    ),
    "blank": Look(
        "Share of gradients that are numbers", "for a blank image", _last, ("for a digit", "for a blank image"), True
    ),
    "largest": Look("Largest weight by epoch", "after the last epoch", _last, "epoch", floor=0.1, digits=1),
    "logits": Look("Largest logit b by iteration, after training", "in iteration 3", _last, "iteration", floor=0.2),
    "patch": Look(
        "One patch is painted over: which lower capsules change",
        "how many",
        _total,
        tuple(map(str, range(1, 17))),
        True,
        digits=0,
    ),
    "ink": Look(
        "Ink of a patch and length of its lower capsule: correlation over digits, by place",
        "the mean",
        _mean,
        tuple(map(str, range(1, 17))),
        True,
        0.05,
    ),
    "hinge": Look(
        "Loss against the length of the right capsule",
        "at 0.8 over at 0",
        lambda row: float(row[8] / row[0]),
        tuple(f"{n / 10:.1f}" for n in range(11)),
        digits=3,
    ),
    "absent": Look(
        "Loss against the length of a wrong capsule", "at 1", _last, tuple(f"{n / 10:.1f}" for n in range(11)), digits=2
    ),
    "case": Look(
        "Four votes agree on one capsule; length of the other one",
        "first less third",
        lambda row: float(row[0] - row[-1]),
        "iteration",
        floor=0.02,
        digits=3,
    ),
    "heart": Look(
        "Loss of ten digits, trained on them alone", "the last tenth", _last, "tenth of 40 updates", digits=3
    ),
    "suite": Look("Tests of the model that pass", "how many of 6", _total, TESTS, True, digits=0),
    "error": Look("Error of the pictures, by epoch", "of the average digit's", _last, "epoch", floor=0.05),
    "decoder gradients": Look(
        "Norm of the first gradient",
        "of the decoder",
        lambda row: float(row[-1]),
        ("features", "W", "decoder"),
        True,
        0.0005,
        4,
    ),
    "black": Look(
        "What a black picture of a digit costs",
        "the mean",
        _mean,
        tuple(f"digit {j}" for j in range(CLASSES)),
        True,
        0.0005,
        4,
    ),
    "own": Look(
        "Pictures from the capsule of the label and from capsule 0",
        "do they differ",
        lambda row: float(row[0]),
        ("other capsule",),
        True,
        0.2,
        3,
    ),
    "votes": Look(
        "Mean length of the votes before training", "in layer 2", _last, ("layer 1", "layer 2"), True, 0.002, 3
    ),
    "stack gradients": Look(
        "Norm of the first gradient",
        "of the first W",
        lambda row: float(row[1]),
        ("features", "W of layer 1", "W of layer 2"),
        True,
        1e-5,
        5,
    ),
    "fewer": Look(
        "Votes before training, in layers of 4, 16 and 64 lower capsules",
        "64 over 4",
        _changed,
        ("4", "16", "64"),
        True,
        0.002,
        3,
    ),
    "updates": Look("Updates in each epoch", "in the last", _last, "epoch", True, digits=0),
    "joint": Look(
        "Loss of the same digits before and after the break", "after over before", _changed, ("before", "after"), True
    ),
    "moments": Look(
        "Norm of Adam's first moment before and after the break",
        "after over before",
        _changed,
        ("before", "after"),
        True,
    ),
    "rate": Look("Learning rate in each epoch", "last over first", _changed, "epoch", True),
    "step": Look(
        "How far the weights move in the first epoch after the break",
        "the distance",
        _last,
        ("distance",),
        True,
        digits=2,
    ),
    "figure": Look("The curve in the figure", "its last value", _last, "epoch", floor=0.002, digits=3),
    "table": Look("The number in the table", "the number", _last, ("accuracy",), True, floor=0.3, digits=3),
    "gap": Look(
        "Last value of the curve and the number",
        "how far apart",
        lambda row: float(abs(row[0] - row[1])),
        ("curve", "table"),
        True,
        0.004,
        3,
    ),
    "points": Look("Points of the curve", "how many", _last, ("points",), True, digits=0),
    "match": Look(
        "Epochs in which the curve is that of a stored run",
        "whose it is; 0 if none's",
        _number,
        ("run-1", "run-2", "run-10"),
        True,
        digits=0,
    ),
    "recomputed": Look(
        "The number, computed again from the stored network",
        "table over computed",
        _changed,
        ("computed", "table"),
        True,
        digits=3,
    ),
}
"""Every quantity by its name."""


def reading(look: str, row: np.ndarray) -> float:
    """The one number that is read from a row; NaN if it holds any."""
    return float("nan") if not np.all(np.isfinite(row)) else LOOKS[look].reading(row)


def number(look: Look, row: np.ndarray) -> str:
    """A reading as text, with a true minus sign; NaN as that."""
    return _text(look, look.reading(row) if np.all(np.isfinite(row)) else float("nan"))


def written(look: str, value: float) -> str:
    """A reading of the quantity of this name as `number` writes it."""
    return _text(LOOKS[look], value)


def _text(look: Look, value: float) -> str:
    if not np.isfinite(value):
        return "NaN"
    text = f"{abs(value):.{look.digits}f}"
    return f"−{text}" if value < 0 and float(text) else text


def apart(look: str, one: float, other: float) -> float:
    """By what factor two readings differ, at least 1: 1 if both are NaN, infinite if one is."""
    if np.isnan(one) or np.isnan(other):
        return 1.0 if np.isnan(one) and np.isnan(other) else float("inf")
    floor = LOOKS[look].floor
    low, high = sorted((abs(one) + floor, abs(other) + floor))
    return high / low if one * other >= 0 else float("inf")
