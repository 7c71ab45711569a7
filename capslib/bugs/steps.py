"""The steps of the bug lab's small networks, in plain NumPy: each once as it should be, and once for every fault.

Every step runs on arrays and on the tape alike. `FAULTS` is the switch: which step a fault replaces, and by what.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

EPSILON, OFFSET = 1e-7, 0.5
M_PLUS, M_MINUS, LAM = 0.9, 0.1, 0.5
WEIGHT_OF_PICTURE = 0.0005

# As it should be ----------------------------------------------------------------------------------------------------


def squash(s: Any) -> Any:
    """v = √n / (0.5 + n) · s with n = ‖s‖² + ε, (…, D) → (…, D)."""
    n = np.sum(s * s, axis=-1, keepdims=True) + EPSILON
    return np.sqrt(n) / (OFFSET + n) * s


def safe_length(v: Any) -> Any:
    """√(Σ v² + ε), (…, D) → (…): without ε the root has no gradient at zero."""
    return np.sqrt(np.sum(v * v, axis=-1) + EPSILON)


def couple(b: Any) -> Any:
    """Softmax over the upper capsules, (…, I, J) → (…, I, J)."""
    e = np.exp(b - np.max(b, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def start_logits(u_hat: Any, kept: Any) -> Any:
    """The logits that a routing begins with, zeros (B, I, J), whatever was kept of the last batch."""
    return np.zeros(u_hat.shape[:-1])


def update_logits(b: Any, a: Any) -> Any:
    """b + a: agreement accumulates."""
    return b + a


def agree(u_hat: Any, v: Any, s: Any) -> Any:
    """⟨û_ij, v_j⟩, (B, I, J, D) and (B, J, D) → (B, I, J)."""
    return np.einsum("bijd,bjd->bij", u_hat, v)


def couplings(b: Any, couple: Callable, agreed: Callable, iterations: int) -> list[tuple[Any, Any]]:
    """Pairs (b, c) of every iteration; `agreed` takes b and c and gives the next logits."""
    steps = []
    for _ in range(iterations):
        c = couple(b)
        steps.append((b, c))
        b = agreed(b, c)
    return steps


def scores(lengths: Any) -> Any:
    """What the loss judges, (B, J) → (B, J): the lengths themselves."""
    return lengths


def class_loss(y: Any, lengths: Any) -> Any:
    """Margin loss of one-hot labels and lengths, (B, J) each → (B,)."""
    present, absent = np.maximum(0, M_PLUS - lengths), np.maximum(0, lengths - M_MINUS)
    return np.sum(y * present**2 + LAM * (1 - y) * absent**2, axis=-1)


def picture_loss(image: Any, picture: Any) -> Any:
    """0.0005 times the sum of squared differences, (B, N) each → (B,)."""
    return WEIGHT_OF_PICTURE * np.sum((image - picture) ** 2, axis=-1)


def lower_capsules(features: Any) -> Any:
    """Channels first, (B, D, H, W) → one capsule a place, (B, H·W, D)."""
    B, D, H, W = features.shape
    return np.transpose(features, (0, 2, 3, 1)).reshape(B, H * W, D)


def initial_limit(I: int, D_in: int, J: int, D_out: int) -> float:
    """Limit of the uniform numbers that W (I, D_in, J, D_out) starts from: Glorot's for one lower capsule."""
    return float(np.sqrt(6 / (D_in + J * D_out)))


def settings(saved: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """Settings of a training that goes on: those that were saved, and a default for what was not."""
    return {**default, **saved}


def run_to_draw(runs: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """The run whose curve stands beside the number of the run `name`: the one of just this name."""
    return next(run for run in runs if run["name"] == name)


# Faults -------------------------------------------------------------------------------------------------------------


def couple_over_lower(b: Any) -> Any:
    """Softmax over the lower capsules."""
    e = np.exp(b - np.max(b, axis=-2, keepdims=True))
    return e / np.sum(e, axis=-2, keepdims=True)


def class_loss_without_squares(y: Any, lengths: Any) -> Any:
    """The hinge alone."""
    present, absent = np.maximum(0, M_PLUS - lengths), np.maximum(0, lengths - M_MINUS)
    return np.sum(y * present + LAM * (1 - y) * absent, axis=-1)


def unguarded_length(v: Any) -> Any:
    """√(Σ v²)."""
    return np.sqrt(np.sum(v * v, axis=-1))


def kept_logits(u_hat: Any, kept: Any) -> Any:
    """Those that the last batch ended with, if there was one of this size."""
    fits = kept is not None and kept.shape == u_hat.shape[:-1]
    return kept if fits else np.zeros(u_hat.shape[:-1])


def replaced_logits(b: Any, a: Any) -> Any:
    """The last agreement alone."""
    return a


def coupled_once(b: Any, couple: Callable, agreed: Callable, iterations: int) -> list[tuple[Any, Any]]:
    """Logits are updated, and the couplings stay what they were at first."""
    steps = []
    c = couple(b)
    for _ in range(iterations):
        steps.append((b, c))
        b = agreed(b, c)
    return steps


def softmax_scores(lengths: Any) -> Any:
    """Softmax of the lengths."""
    e = np.exp(lengths)
    return e / np.sum(e, axis=-1, keepdims=True)


def mean_picture_loss(image: Any, picture: Any) -> Any:
    """0.0005 times the mean of squared differences."""
    return WEIGHT_OF_PICTURE * np.mean((image - picture) ** 2, axis=-1)


def mixed_capsules(features: Any) -> Any:
    """Read on in memory: numbers of one channel at neighbouring places become one capsule."""
    B, D, H, W = features.shape
    return features.reshape(B, H * W, D)


def limit_of_all(I: int, D_in: int, J: int, D_out: int) -> float:
    """Glorot's limit as if W were a convolution's kernel of width I: both fans are counted I times."""
    return float(np.sqrt(6 / (I * (D_in + J * D_out))))


def default_settings(saved: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """The defaults win."""
    return {**saved, **default}


def run_that_begins_so(runs: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """The last run whose name begins with `name`."""
    return [run for run in runs if run["name"].startswith(name)][-1]


# Faults that a hypothesis names, and no patient has ---------------------------------------------------------------


def logits_of_the_batch(b: Any, a: Any) -> Any:
    """All examples of a batch share the sum of their agreements."""
    return b + np.sum(a, axis=0, keepdims=True)


def agree_with_sum(u_hat: Any, v: Any, s: Any) -> Any:
    """⟨û_ij, s_j⟩ in place of v_j."""
    return np.einsum("bijd,bjd->bij", u_hat, s)


def no_squash(s: Any) -> Any:
    """s itself."""
    return s


def subtracted_logits(b: Any, a: Any) -> Any:
    """b − a."""
    return b - a


def five_fold_absent(y: Any, lengths: Any) -> Any:
    """The margin loss with λ = 5."""
    present, absent = np.maximum(0, M_PLUS - lengths), np.maximum(0, lengths - M_MINUS)
    return np.sum(y * present**2 + 5 * (1 - y) * absent**2, axis=-1)


def softmax_unshifted(b: Any) -> Any:
    """Softmax over the upper capsules without taking off the maximum."""
    e = np.exp(b)
    return e / np.sum(e, axis=-1, keepdims=True)


def turned_grid(features: Any) -> Any:
    """One capsule a place, columns before rows."""
    B, D, H, W = features.shape
    return np.transpose(features, (0, 3, 2, 1)).reshape(B, H * W, D)


def default_rate(saved: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """Those that were saved, except for the learning rate."""
    return {**default, **saved, "rate": saved["rate"] / 10}


def best_run(runs: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """The most accurate run of all."""
    return max(runs, key=lambda run: run["accuracy"])


@dataclass(frozen=True)
class Steps:
    """A network's steps and the numbers of its training; a fault replaces one or two of them.

    Attributes:
        squash, length, couple, start, update, agree, couplings, scores, loss, picture, capsules, limit: its steps.
        merge: settings of a training that goes on.
        choose: the run that a figure draws.
        rate: learning rate.
        scale: what the initial W is multiplied by.
        bias: initial bias of the lower capsules.
        restore: what a training that goes on takes from before: "all", "weights" without Adam's moments, or "nothing".
        labels: share of training labels that are right.
        masked: "label", or "first" where the decoder gets the capsule of class 0 whatever the label.
        read: what the table's accuracy is read from: "last" epoch, "best" epoch, or on the "training" digits.
        smooth: how many epochs the drawn curve is averaged over.
    """

    squash: Callable = squash
    length: Callable = safe_length
    couple: Callable = couple
    start: Callable = start_logits
    update: Callable = update_logits
    agree: Callable = agree
    couplings: Callable = couplings
    scores: Callable = scores
    loss: Callable = class_loss
    picture: Callable = picture_loss
    capsules: Callable = lower_capsules
    limit: Callable = initial_limit
    merge: Callable = settings
    choose: Callable = run_to_draw
    rate: float = 0.015
    scale: float = 1.0
    bias: float = 0.0
    restore: str = "all"
    labels: float = 1.0
    masked: str = "label"
    read: str = "last"
    smooth: int = 1


HEALTHY = Steps()
"""What every fault is planted in."""

_CHANGES: dict[str, dict[str, Any]] = {
    # The twelve patients.
    "softmax over the lower capsules": {"couple": couple_over_lower},
    "softmax on the lengths": {"scores": softmax_scores},
    "root without epsilon": {"length": unguarded_length},
    "hinge without squares": {"loss": class_loss_without_squares},
    "logits kept between batches": {"start": kept_logits},
    "logits replaced": {"update": replaced_logits},
    "place mixed with channel": {"capsules": mixed_capsules},
    "mean for a sum": {"picture": mean_picture_loss},
    "coupled only once": {"couplings": coupled_once},
    "fans count the lower capsules": {"limit": limit_of_all},
    "defaults win on resuming": {"merge": default_settings},
    "figure of another run": {"choose": run_that_begins_so},
    # Hypotheses alone.
    "logits shared by the batch": {"update": logits_of_the_batch},
    "agreement with s": {"agree": agree_with_sum},
    "no squash": {"squash": no_squash},
    "agreement subtracted": {"update": subtracted_logits},
    "lambda is 5": {"loss": five_fold_absent},
    "softmax overflows": {"couple": softmax_unshifted},
    "rows and columns exchanged": {"capsules": turned_grid},
    "rate too small": {"rate": 0.0005},
    "rate too large": {"rate": 0.2},
    "rate overflows": {"rate": 1e155},
    "W starts small": {"scale": 0.1},
    "lower capsules are dead": {"bias": -100.0},
    "some labels are wrong": {"labels": 0.5},
    "decoder sees one capsule": {"masked": "first"},
    "rate lost on resuming": {"merge": default_rate},
    "moments lost on resuming": {"restore": "weights"},
    "weights lost on resuming": {"restore": "nothing"},
    "best epoch in the table": {"read": "best"},
    "training digits in the table": {"read": "training"},
    "smoothed curve": {"smooth": 3},
    "most accurate run drawn": {"choose": best_run},
}

FAULTS: dict[str, Steps] = {name: replace(HEALTHY, **changed) for name, changed in _CHANGES.items()}
"""Name of a fault → the steps of a network that has it."""


def steps_of(fault: str | None) -> Steps:
    """The steps with a fault planted, or the healthy ones for None.

    Raises:
        ValueError: if there is no such fault.
    """
    if fault is None:
        return HEALTHY
    if fault not in FAULTS:
        raise ValueError(f"fault: got {fault!r}, expected None or one of {', '.join(FAULTS)}")
    return FAULTS[fault]
