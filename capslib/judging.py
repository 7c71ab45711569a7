"""What one trained network does under every condition: the part of an experiment that comes after the training."""

from typing import Any

import numpy as np

from capslib import digits, faces, scores, transforms
from capslib.backend import keras, ops
from capslib.conditions import conditions, over_each_other, shuffled_cells
from capslib.layers import Capsule, Tensor
from capslib.pairs import both_longest

ATTACKS = (0.05, 0.1, 0.2)
"""By how much an attack changes every pixel."""

CHANGES = {
    "turn 15": lambda x: transforms.rotate(x, 15, cut=True),
    "turn 30": lambda x: transforms.rotate(x, 30, cut=True),
    "shift 2 right": lambda x: transforms.shift(x, right=2, cut=True),
}
"""The transforms whose effect on a representation is measured."""

TILT = 45
"""Degrees by which the control faces are turned at most; those in training by 10."""


def judge(model: keras.Model, x: np.ndarray, y: np.ndarray, changed: int, followed: int) -> dict:
    """All scores of a network on test digits.

    Args:
        model: a trained network, images (B, 28, 28, 1) → scores (B, 10).
        x: test digits (N, 28, 28, 1) in 0–1.
        y: their labels (N,).
        changed: how many of them are read under each condition, evenly spread over all N; at most N.
        followed: on how many of them the representation is followed, evenly spread; 0 skips it.

    Returns:
        A dict of numbers rounded to 4 decimals. upright: accuracy, accepted (the share of top scores above ½),
        top_score and calibration_error of all N digits; conditions: under each its accuracy, of_right (the same among
        digits that were right when upright) and accepted, of turns also by_class, of swaps also auroc, of the smallest
        attack also without_gradient, and of two digits both_found alone; changes: for each transform and dimension
        what `scores.changes` gives.
    """
    p = predict(model, x)
    right, found = p.argmax(1) == y, {}
    upright = {
        "accuracy": _mean(right),
        "accepted": _mean(p.max(1) > scores.ACCEPTED),
        "top_score": _mean(p.max(1)),
        "calibration_error": round(scores.calibration_error(np.clip(p, 0, 1), y), 4),
    }
    some, more = (np.linspace(0, len(x), count, endpoint=False).astype(int) for count in (changed, followed))
    x_some, y_some, p_some = x[some], y[some], p[some]
    found["none"] = _scored(p_some, y_some, right[some])
    for name, images, counts in conditions(x_some):
        now = predict(model, images)
        found[name] = _scored(now[counts], y_some[counts], right[some][counts])
        if name.startswith("turn"):
            hits = now.argmax(1) == y_some
            found[name]["by_class"] = [_mean(hits[y_some == k]) for k in range(10)]
        if name.startswith("swap"):
            found[name]["auroc"] = round(scores.auroc(p_some.max(1), now.max(1)), 4)
    found["cells shuffled"] = _scored(shuffled(model, x_some), y_some, right[some])
    direction = uphill(model, x_some, y_some)
    for step in ATTACKS:
        attacked = np.clip(x_some + step * np.sign(direction), 0, 1)
        found[f"attack {step}"] = _scored(predict(model, attacked), y_some, right[some])
    found["attack 0.05"]["without_gradient"] = _mean(np.abs(direction).max((1, 2, 3)) == 0)
    pictures, both = over_each_other(x_some, y_some)
    found["two digits"] = {"both_found": _mean(both_longest(predict(model, pictures), both))}
    return {"upright": upright, "conditions": found, "changes": follow(model, x[more], y[more]) if followed else {}}


def judge_faces(model: keras.Model, people: list, count: int) -> dict:
    """A network that was trained to name faces: intact ones, ones with eyes and mouth swapped, and tilted ones.

    The tilted faces are the control: as intact as in training, but unfamiliar.

    Args:
        model: a trained network, images (B, 28, 28, 1) → scores (B, 10).
        people: the ten identities that it was trained with.
        count: how many faces of each kind.

    Returns:
        A dict with, for intact, swapped and tilted faces, accuracy and accepted, and for the last two also auroc, that
        of intact against them by the top score.
    """
    kinds: dict[str, dict[str, Any]] = {"intact": {}, "swapped": {"swapped": True}, "tilted": {"turn": TILT}}
    result, top = {}, {}
    for kind, how in kinds.items():
        shown = faces.sample(people, count, seed=2, **how)
        p = predict(model, shown.images)
        top[kind] = p.max(1)
        result[kind] = {"accuracy": _mean(p.argmax(1) == shown.who), "accepted": _mean(top[kind] > scores.ACCEPTED)}
        if kind != "intact":
            result[kind]["auroc"] = round(scores.auroc(top["intact"], top[kind]), 4)
    return result


def predict(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """What a model answers to x (N, ...), 100 at a time, as float32."""
    # `predict` takes a tenth of a second to begin, and here there are a hundred short ones; a call takes twice as long.
    found = [model.predict_on_batch(x[start : start + 100]) for start in range(0, len(x), 100)]
    return np.concatenate(found).astype(np.float32)


def shuffled(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Scores (N, 10) after the lower capsules, or the cells of a CNN's last feature map, changed places.

    Args:
        model: a network whose layers follow one upon another, with a feature map "pool2" or lower capsules "u".
        x: images (N, 28, 28, 1).
    """
    names = [layer.name for layer in model.layers]
    cut = names.index("pool2" if "pool2" in names else "u")
    lower = predict(keras.Model(model.input, model.layers[cut].output), x)  # (N, ..., D)
    cells = lower.reshape(len(x), -1, lower.shape[-1])
    moved = cells[:, shuffled_cells(cells.shape[1])].reshape(lower.shape)
    return predict(keras.Sequential([keras.Input(lower.shape[1:]), *model.layers[cut + 1 :]]), moved)


def uphill(model: keras.Model, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The direction in which each picture becomes a wrong digit: the gradient of log max_k≠y p_k − log p_y.

    The loss that trained the network is not used: the margin loss has no gradient where all its margins are met, and
    an attack that follows it would fail for that reason alone.

    Args:
        model: a network, images (B, 28, 28, 1) → scores p (B, 10) above 0.
        x: images (N, 28, 28, 1).
        y: their labels (N,).

    Returns:
        float32 (N, 28, 28, 1).
    """
    batch = 500
    frozen = keras.models.clone_model(model)
    frozen.set_weights(model.get_weights())
    frozen.trainable = False
    added = _Added((batch, *x.shape[1:]))
    attack = keras.Sequential([keras.Input(x.shape[1:]), added, frozen])
    # One step of gradient descent on −gap, with rate 1, moves the weight δ that is added to x from 0 to ∂gap/∂x.
    attack.compile(keras.optimizers.SGD(1.0), loss=lambda y, p: -_gap(y, p))
    found = []
    for start in range(0, len(x), batch):
        some, labels = x[start : start + batch], digits.one_hot(y[start : start + batch])
        missing = batch - len(some)
        added.delta.assign(np.zeros(added.delta.shape))
        attack.train_on_batch(
            np.concatenate([some, np.zeros((missing, *x.shape[1:]), x.dtype)]),
            np.concatenate([labels, np.eye(10, dtype=np.float32)[np.zeros(missing, int)]]),
        )
        found.append(ops.convert_to_numpy(added.delta)[: len(some)])
    return np.concatenate(found)


class _Added(keras.layers.Layer):
    """Adds a weight of the shape of the whole batch to it."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.delta = self.add_weight(shape=shape, initializer="zeros", name="delta")

    def call(self, x: Tensor) -> Tensor:
        return x + self.delta


def _gap(y: Tensor, p: Tensor) -> Tensor:
    """log max_k≠y p_k − log p_y, for one-hot y (B, 10) and scores p (B, 10) → (B,)."""
    log_p = ops.log(ops.maximum(p, 1e-30))
    return ops.max(log_p - 1e9 * y, axis=-1) - ops.sum(log_p * y, axis=-1)


def follow(model: keras.Model, x: np.ndarray, y: np.ndarray) -> dict:
    """How the network's representation of a digit changes with the digit, as `scores.changes` measures it.

    The representation is the capsule of the digit's class. For a CNN it is its last hidden layer, reduced to the
    leading principal components of the class's upright digits: 30 and 16, as many as the capsules have dimensions.

    Args:
        model: a trained network.
        x: digits (N, 28, 28, 1).
        y: their labels (N,).

    Returns:
        For each of CHANGES a dict from the dimension, as text, to what `scores.changes` gives.
    """
    capsules = any(isinstance(layer, Capsule) for layer in model.layers)
    hidden = keras.Model(model.input, model.layers[-2].output)

    def represent(images):
        v = predict(hidden, images)
        return v[np.arange(len(y)), y] if capsules else v

    upright, result = represent(x), {}
    bases = {} if capsules else {D: _leading(upright, y, D) for D in (30, 16)}
    for name, transform in CHANGES.items():
        moved = represent(transform(x))
        if capsules:
            pairs = {upright.shape[1]: (upright, moved)}
        else:
            pairs = {D: (_project(upright, y, basis), _project(moved, y, basis)) for D, basis in bases.items()}
        result[name] = {
            str(D): {key: round(value, 4) for key, value in scores.changes(*both, y).items()}
            for D, both in pairs.items()
        }
    return result


def _leading(v: np.ndarray, y: np.ndarray, D: int) -> np.ndarray:
    """The D leading principal directions of each class, (10, H, D)."""
    centred = [v[y == k] - v[y == k].mean(0) for k in range(10)]
    return np.stack([np.linalg.eigh(c.T @ c)[1][:, ::-1][:, :D] for c in centred])


def _project(v: np.ndarray, y: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Each example (N, H) in the directions of its class, (N, D)."""
    projected = np.empty((len(v), basis.shape[2]), v.dtype)
    for k in range(10):
        projected[y == k] = v[y == k] @ basis[k]
    return projected


def _scored(p: np.ndarray, y: np.ndarray, right: np.ndarray) -> dict:
    """Accuracy, accuracy among digits that were right when upright, and acceptance."""
    hits = p.argmax(1) == y
    return {"accuracy": _mean(hits), "of_right": _mean(hits[right]), "accepted": _mean(p.max(1) > scores.ACCEPTED)}


def _mean(x: np.ndarray) -> float:
    """A mean rounded to 4 decimals; of nothing, 0."""
    return round(float(np.mean(x)), 4) if len(x) else 0.0
