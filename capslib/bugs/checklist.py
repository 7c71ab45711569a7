"""The check list that closes the bug lab: seven checks of one's own network, tried on healthy and faulty ones."""

from collections.abc import Callable

import numpy as np

from capslib import equations
from capslib.bugs.examination import SAVED_BATCH, examine
from capslib.bugs.network import TRAINING

Rows = dict[str, np.ndarray]


def _long_enough(rows: Rows) -> bool:
    """In a stack, squash shrinks short votes twice; there the lengths are only asked to be above 0.001."""
    low = 0.001 if "votes" in rows else 0.3
    return bool(low < rows["start"].mean() < 0.9)


def _finite(rows: Rows) -> bool:
    """Every number of the gradient is a number, for a digit and for a blank image."""
    return bool(np.all(rows["blank"] == 1))


def _loss_by_hand(rows: Rows) -> bool:
    right, y = np.full((11, 5), 0.1), np.eye(5)[np.zeros(11, int)]
    right[:, 0] = np.linspace(0, 1, 11)
    return np.allclose(rows["hinge"], equations.margin_loss(y, right), atol=1e-5)


def _routing_by_hand(rows: Rows) -> bool:
    votes = np.zeros((4, 2, 4))
    votes[:, 0, 0] = votes[range(4), 1, range(4)] = 2
    return np.allclose(rows["case"], equations.route(votes, 3).lengths[:, 1], atol=1e-5)


CHECKS: dict[str, dict[str, Callable[[Rows], bool]]] = {
    "ten digits by heart": {"heart": lambda rows: bool(rows["heart"][-1] < 0.1)},
    "lengths at the start": {"start": _long_enough},
    "rows of c sum to 1": {"rows": lambda rows: np.allclose(rows["rows"], 1)},
    # A digit shown twice; each vote given twice; a patch painted over; a blank image; more lower capsules.
    "permute, scale, zero": {
        "again": lambda rows: np.allclose(rows["again"], rows["again"][0]),
        "twice": lambda rows: bool(np.isclose(rows["twice"][1], 2 * rows["twice"][0])),
        "patch": lambda rows: bool(rows["patch"].sum() == 1),
        "blank": _finite,
        "fewer": lambda rows: bool(0.67 < rows["fewer"][-1] / rows["fewer"][0] < 1.5),
    },
    # Loss, routing and picture loss against equations written out in plain NumPy.
    "compare with loops": {
        "hinge": _loss_by_hand,
        "case": _routing_by_hand,
        "black": lambda rows: bool(np.all(rows["black"] > 0.005)),
    },
    "finite gradients": {"blank": _finite},
    # Updates in every epoch; and the curve's last value is the number beside it.
    "what ran is what was asked": {
        "updates": lambda rows: bool(np.all(rows["updates"] == TRAINING / SAVED_BATCH)),
        "gap": lambda rows: bool(rows["gap"][0] == rows["gap"][1]),
    },
}
"""Name of a check → the quantities that it looks at, each with what it takes to pass."""


def checked(kind: str, fault: str | None = None, seed: int = 0) -> dict[str, bool | None]:
    """Put a patient, or a healthy one, to every check.

    Returns:
        Name of a check → whether it passes; None if the patient has nothing that the check looks at, so it was not run.

    Raises:
        ValueError: naming the argument, as `examine` does.
    """
    rows, results = examine(kind, fault, seed), dict[str, bool | None]()
    for name, parts in CHECKS.items():
        passed = [part(rows) for quantity, part in parts.items() if quantity in rows]
        results[name] = all(passed) if passed else None
    return results
