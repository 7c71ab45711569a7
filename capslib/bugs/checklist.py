"""The check list that closes the bug lab: seven checks of one's own network, tried on healthy and faulty ones."""

from collections.abc import Callable

import numpy as np

from capslib import equations
from capslib.bugs.cases import CASES
from capslib.bugs.examination import SAVED_BATCH, examine
from capslib.bugs.network import EPOCHS, TRAINING

Rows = dict[str, np.ndarray]


def _by_heart(rows: Rows) -> bool:
    return "heart" not in rows or rows["heart"][-1] < 0.1


def _long_enough(rows: Rows) -> bool:
    """In a stack, squash shrinks short votes twice; there the lengths are only asked to be above 0.001."""
    low = 0.001 if "votes" in rows else 0.3
    return "start" not in rows or bool(low < rows["start"].mean() < 0.9)


def _rows_sum_to_one(rows: Rows) -> bool:
    return "rows" not in rows or np.allclose(rows["rows"], 1)


def _permute_scale_zero(rows: Rows) -> bool:
    """A digit shown twice; each vote given twice; a patch painted over; a blank image; more lower capsules."""
    return (
        bool(np.allclose(rows.get("again", np.ones(1)), rows.get("again", np.ones(1))[0]))
        and np.isclose(rows.get("twice", np.array([1, 2]))[1], 2 * rows.get("twice", np.array([1, 2]))[0])
        and rows.get("patch", np.ones(1)).sum() == 1
        and bool(np.all(rows.get("blank", np.ones(1)) == 1))
        and 0.67 < rows.get("fewer", np.ones(2))[-1] / rows.get("fewer", np.ones(2))[0] < 1.5
    )


def _as_in_loops(rows: Rows) -> bool:
    """Loss, picture loss and routing against equations written out in plain NumPy."""
    right, y = np.full((11, 5), 0.1), np.eye(5)[np.zeros(11, int)]
    right[:, 0] = np.linspace(0, 1, 11)
    votes = np.zeros((4, 2, 4))
    votes[:, 0, 0] = votes[range(4), 1, range(4)] = 2
    expected = {"hinge": equations.margin_loss(y, right), "case": equations.route(votes, 3).lengths[:, 1]}
    alike = [np.allclose(rows[name], wanted, atol=1e-5) for name, wanted in expected.items() if name in rows]
    return all(alike) and bool(np.all(rows.get("black", np.ones(1)) > 0.005))


def _gradients(rows: Rows) -> bool:
    """A gradient that is no number differs from every difference of two losses."""
    return bool(np.all(rows.get("blank", np.ones(1)) == 1))


def _record(rows: Rows) -> bool:
    """What ran is what was asked for: updates in every epoch, and the curve's last value is the number beside it."""
    updates = rows.get("updates", np.full(EPOCHS, TRAINING / SAVED_BATCH))
    curve, number = rows.get("gap", np.ones(2))
    return bool(np.all(updates == TRAINING / SAVED_BATCH)) and curve == number


CHECKS: dict[str, Callable[[Rows], bool]] = {
    "ten digits by heart": _by_heart,
    "lengths at the start": _long_enough,
    "rows of c sum to 1": _rows_sum_to_one,
    "permute, scale, zero": _permute_scale_zero,
    "compare with loops": _as_in_loops,
    "gradient against differences": _gradients,
    "what ran is what was asked": _record,
}
"""Name of a check → takes what an examination found, and says whether it passes."""


def failing(kind: str, fault: str | None = None, seed: int = 0) -> list[str]:
    """The checks that a patient fails; none for a healthy one.

    Raises:
        ValueError: naming the argument, as `examine` does.
    """
    rows = examine(kind, fault, seed)
    return [name for name, check in CHECKS.items() if not check(rows)]


def caught_by(seed: int = 0) -> dict[str, list[str]]:
    """Key of each case → the checks that its patient fails."""
    return {key: failing(case.kind, case.fault, seed) for key, case in CASES.items()}
