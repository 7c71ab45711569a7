"""The bug lab's small networks: how one is made, run forward and trained, whatever steps it is given.

A digit is cut into 16 patches; each becomes a lower capsule of 6 numbers; routing joins them to 5 upper capsules, one
for each of the digits 0 to 4. A stack has layers of 12 capsules in between, and a decoder may follow.
"""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from capslib import digits
from capslib.bugs.steps import HEALTHY, Steps
from capslib.bugs.tape import Tensor, gradients

SIDE, PATCH, CLASSES, D_IN, D_OUT, MIDDLE, HIDDEN = 28, 7, 5, 6, 6, 12, 48
I = (SIDE // PATCH) ** 2
ITERATIONS, BATCH, EPOCHS = 3, 40, 5
TRAINING, TEST = 320, 200


@dataclass(frozen=True)
class Data:
    """Digits of five classes: patches (N, 16, 49) in 0–1 and labels (N,), for training and for tests.

    The first image for training is blank, as a scanner sometimes sends one. Its label is 0.
    """

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def patches(images: np.ndarray) -> np.ndarray:
    """Images (N, 28, 28) cut into a 4 × 4 grid of patches, row by row: (N, 16, 49)."""
    n = SIDE // PATCH
    return images.reshape(-1, n, PATCH, n, PATCH).swapaxes(2, 3).reshape(-1, n * n, PATCH * PATCH).astype(float)


@functools.lru_cache(4)
def small_data(seed: int) -> Data:
    """320 training and 200 test digits of the classes 0 to 4, of the digits that come with the course."""
    bundled = digits.load("bundled")
    rng = np.random.default_rng(seed)
    train = rng.permutation(np.flatnonzero(bundled.y_train < CLASSES))[: TRAINING + TEST]
    x, y = patches(bundled.x_train[train, ..., 0]), bundled.y_train[train].astype(int)
    x[0], y[0] = 0, 0
    return Data(x[:TRAINING], y[:TRAINING], x[TRAINING:], y[TRAINING:])


@dataclass
class Network:
    """A network's weights and steps, and the logits that it may keep from one batch to the next."""

    steps: Steps
    weights: dict[str, np.ndarray]
    kept: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)

    @classmethod
    def make(cls, steps: Steps = HEALTHY, seed: int = 0, between: int = 0, decoder: bool = False) -> "Network":
        """A network with random weights: "features", "W1", one W for each layer in between, and the decoder's."""
        rng = np.random.default_rng((seed, 1))

        def uniform(limit: float, *shape: int) -> np.ndarray:
            return rng.uniform(-limit, limit, shape)

        weights = {"features": uniform(2 * np.sqrt(6 / (PATCH * PATCH + D_IN)), PATCH * PATCH, D_IN)}
        sizes = [I, *[MIDDLE] * between, CLASSES]
        for n, (lower, upper) in enumerate(itertools.pairwise(sizes), 1):
            D = D_IN if n == 1 else D_OUT
            limit = steps.scale * steps.limit(lower, D, upper, D_OUT)
            weights[f"W{n}"] = uniform(limit, lower, D, upper, D_OUT)
        if decoder:
            weights["decode"] = uniform(np.sqrt(6 / (CLASSES * D_OUT + HIDDEN)), CLASSES * D_OUT, HIDDEN)
            weights["draw"] = uniform(np.sqrt(6 / (HIDDEN + SIDE * SIDE)), HIDDEN, SIDE * SIDE)
        return cls(steps, weights)

    def forward(self, x: Any, y: np.ndarray | None = None, weights: Any = None, iterations: int = ITERATIONS) -> dict:
        """Everything that it computes from patches (B, 16, 49): u, û, the couplings of each iteration, v, lengths.

        Args:
            x: patches.
            y: labels (B,), which choose the capsule for the decoder.
            weights: Tensors in place of its own arrays, for gradients.
            iterations: of each routing.

        Returns:
            A dict with "u" (B, I, D_in), "trace" (pairs b, c of the last layer), "lengths" (B, J),
            "by_iteration" (the lengths after each iteration), "votes" (û of each layer) and, with a decoder and labels,
            "picture" (B, 784).
        """
        w: Any = self.weights if weights is None else weights
        steps, out = self.steps, {}
        features = np.maximum(x @ w["features"] + steps.bias, 0)
        n = SIDE // PATCH
        grid = np.transpose(features, (0, 2, 1)).reshape(len(x), D_IN, n, n)  # Channels first, as a convolution's.
        u = out["u"] = steps.capsules(grid)
        out["votes"], v = [], u
        for layer in (name for name in self.weights if name[0] == "W"):
            lower, depth, upper, height = w[layer].shape
            # As one product for each lower capsule: np.einsum would take thirty times as long.
            u_hat = np.swapaxes(np.swapaxes(v, 0, 1) @ np.reshape(w[layer], (lower, depth, upper * height)), 0, 1)
            u_hat = np.reshape(u_hat, (len(x), lower, upper, height))
            out["votes"].append(u_hat)
            v, out["trace"], out["by_iteration"] = self.route(layer, u_hat, iterations)
        out["lengths"] = steps.length(v)
        if y is not None and "decode" in w:
            chosen = np.eye(CLASSES)[y if steps.masked == "label" else np.zeros(len(y), int)]
            hidden = np.maximum(np.reshape(v * chosen[..., None], (len(x), CLASSES * D_OUT)) @ w["decode"], 0)
            out["picture"] = 1 / (1 + np.exp(-(hidden @ w["draw"])))
        return out

    def route(self, layer: str, u_hat: Any, iterations: int) -> tuple[Any, list, list]:
        """Route votes (B, I, J, D); `layer` is the name under which logits may be kept.

        Returns:
            v (B, J, D), pairs (b, c) of every iteration, and the lengths (B, J) after each.
        """
        steps = self.steps
        after = []

        def output(c: Any) -> tuple[Any, Any]:
            s = np.einsum("bij,bijk->bjk", c, u_hat)
            return s, steps.squash(s)

        def agreed(b: Any, c: Any) -> Any:
            s, v = output(c)
            after.append(np.sqrt(np.sum(_value(v) ** 2, axis=-1)))
            return steps.update(b, steps.agree(u_hat, v, s))

        start = steps.start(u_hat, self.kept.get((layer, len(u_hat))))
        trace = steps.couplings(start, steps.couple, agreed, iterations)
        _, v = output(trace[-1][1])
        if steps.start is not HEALTHY.start:
            self.kept[layer, len(u_hat)] = _value(agreed(*trace[-1]))
        return v, trace, after

    def loss(self, x: np.ndarray, y: np.ndarray, weights: Any = None) -> Any:
        """Mean loss of a batch: of the classes, and of the pictures if it draws any."""
        out = self.forward(x, y, weights)
        loss = self.steps.loss(np.eye(CLASSES)[y], self.steps.scores(out["lengths"]))
        if "picture" in out:
            loss = loss + self.steps.picture(whole(x), out["picture"])
        return np.mean(loss)

    def gradients(self, x: np.ndarray, y: np.ndarray) -> tuple[float, dict[str, np.ndarray]]:
        """Loss of a batch and its gradient in every weight."""
        tensors = {name: Tensor(value) for name, value in self.weights.items()}
        loss = self.loss(x, y, tensors)
        found = gradients(loss, *tensors.values())
        return float(loss.value), dict(zip(tensors, found, strict=True))

    def accuracy(self, x: np.ndarray, y: np.ndarray) -> float:
        """Share of digits whose longest capsule is that of their class; NaN counts as none."""
        lengths = self.forward(x)["lengths"]
        return float(np.mean(np.where(np.isfinite(lengths).all(-1), lengths.argmax(-1), -1) == y))


def whole(x: np.ndarray) -> np.ndarray:
    """Patches (B, 16, 49) put together again, (B, 784)."""
    n = SIDE // PATCH
    return x.reshape(-1, n, n, PATCH, PATCH).swapaxes(2, 3).reshape(-1, SIDE * SIDE)


def _value(x: Any) -> np.ndarray:
    return x.value if isinstance(x, Tensor) else np.asarray(x)


@dataclass
class Adam:
    """Adam, as usual: moments of every weight, and the number of steps."""

    rate: float
    first: dict[str, np.ndarray] = field(default_factory=dict)
    second: dict[str, np.ndarray] = field(default_factory=dict)
    count: int = 0

    def step(self, weights: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> None:
        """Change the weights in place of their dict."""
        self.count += 1
        with np.errstate(all="ignore"):
            for name, g in found.items():
                m = self.first[name] = 0.9 * self.first.get(name, 0) + 0.1 * g
                q = self.second[name] = 0.999 * self.second.get(name, 0) + 0.001 * g * g
                size = np.sqrt(q / (1 - 0.999**self.count)) + 1e-7
                weights[name] = weights[name] - self.rate * m / (1 - 0.9**self.count) / size


@dataclass
class History:
    """What a training wrote down.

    Attributes:
        loss: of every update.
        accuracy: on the test digits after every epoch.
        updates: how many updates each epoch had.
        first_gradients: norm of the first gradient, by weight.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    updates: list[int] = field(default_factory=list)
    first_gradients: dict[str, float] = field(default_factory=dict)


def train(
    network: Network,
    data: Data,
    seed: int = 0,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    adam: Adam | None = None,
    history: History | None = None,
    after: Callable[[Network], None] | None = None,
) -> History:
    """Train a network by Adam; its weights change.

    Args:
        network: what is trained.
        data: on which digits.
        seed: of the order of the digits, which depends on the number of epochs done, too.
        epochs: how many passes.
        batch: how many digits an update sees.
        adam: moments to go on from.
        history: to go on writing.
        after: is called with the network after every epoch.

    Returns:
        What was written down.
    """
    adam = adam or Adam(network.steps.rate)
    history = history or History()
    y = _mislabelled(data.y, 1 - network.steps.labels, seed)
    for _ in range(epochs):
        order = np.random.default_rng((seed, 2, len(history.updates))).permutation(len(y))
        if not history.updates:  # In every first epoch, the blank image comes with the sixth of eight updates.
            order = np.insert(order[order > 0], 5 * BATCH, 0)
        batches = [order[n : n + batch] for n in range(0, len(order), batch)]
        for chosen in batches:
            loss, found = network.gradients(data.x[chosen], y[chosen])
            history.loss.append(loss)
            if not history.first_gradients:
                history.first_gradients = {name: float(np.sqrt(np.sum(g * g))) for name, g in found.items()}
            adam.step(network.weights, found)
        history.updates.append(len(batches))
        history.accuracy.append(network.accuracy(data.x_test, data.y_test))
        if after is not None:
            after(network)
    return history


def _mislabelled(y: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Labels of which a share is replaced by random ones."""
    rng = np.random.default_rng((seed, 3))
    return np.where(rng.random(len(y)) < share, rng.integers(CLASSES, size=len(y)), y)
