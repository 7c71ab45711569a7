"""The examination of a patient of the bug lab: one function computes every quantity, for the healthy and the sick."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from capslib.bugs import network, steps
from capslib.bugs.network import BATCH, CLASSES, EPOCHS, ITERATIONS, Adam, Data, History, Network
from capslib.checks import check_choice, check_seed

KINDS = ("plain", "decoder", "stack", "resumed", "runs")
"""What is examined: a network, one with a decoder, one with a layer in between, a training that was interrupted, and
a figure with a table beside it."""

LONG = 5
"""To how many iterations routing is followed, though the networks were trained with 3."""


@functools.lru_cache(256)
def examine(kind: str, fault: str | None = None, seed: int = 0) -> dict[str, np.ndarray]:
    """Make, train and look at one patient.

    Args:
        kind: one of KINDS.
        fault: what is planted, a key of `steps.FAULTS`, or None for a healthy one.
        seed: of its weights and its digits.

    Returns:
        Name of a quantity → its row of numbers, for all quantities that this kind has.

    Raises:
        ValueError: naming the argument, if one is not as above.
    """
    check_choice("kind", kind, KINDS)
    check_seed("seed", seed)
    with np.errstate(all="ignore"):
        return EXAMINED[kind](steps.steps_of(fault), seed)


def with_step(kind: str, planted: steps.Steps, seed: int = 0) -> dict[str, np.ndarray]:
    """`examine` for steps of any kind, a learner's mended one among them."""
    check_choice("kind", kind, KINDS)
    with np.errstate(all="ignore"):
        return EXAMINED[kind](planted, seed)


def _tenths(losses: list[float]) -> np.ndarray:
    return np.array([np.mean(part) for part in np.array_split(losses, 10)])


def _right(lengths: np.ndarray, y: np.ndarray) -> np.ndarray:
    return lengths[np.arange(len(y)), y]


def _three(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean of the right one's, of the longest wrong one's, and of all wrong ones'."""
    wrong = np.where(np.eye(CLASSES)[y] > 0, np.nan, x)
    if not np.isfinite(x).all():
        return np.full(3, np.nan)
    return np.array([_right(x, y).mean(), np.nanmax(wrong, 1).mean(), np.nanmean(wrong)])


def _entropy(c: np.ndarray) -> float:
    """Mean entropy of the rows, made to sum to 1."""
    c = c / c.sum(-1, keepdims=True)
    return float(-np.sum(c * np.log(np.where(c > 0, c, 1)), -1).mean())


def _plain(planted: steps.Steps, seed: int) -> dict[str, np.ndarray]:
    data = network.small_data(seed)
    found = _steps_alone(planted, seed, data)
    net = Network.make(planted, seed)
    found["start"] = net.forward(data.x_test)["lengths"].mean(0)
    found["blank"] = _blank(Network.make(planted, seed), data)
    epochs: dict[str, list[float]] = {"undecided": [], "largest": [], "fitted": []}

    def after(trained: Network) -> None:
        out = trained.forward(data.x[:BATCH])
        epochs["undecided"].append(_entropy(out["trace"][0][1]))
        epochs["largest"].append(float(max(np.abs(w).max() for w in trained.weights.values())))
        epochs["fitted"].append(1 - trained.accuracy(data.x, data.y))

    net.kept.clear()
    history = network.train(net, data, seed, after=after)
    found |= {name: np.array(row) for name, row in epochs.items()}
    found["loss"], found["accuracy"] = _tenths(history.loss), np.array(history.accuracy)
    lost = np.flatnonzero(~np.isfinite(history.loss))
    found["numbers"] = np.array([lost[0] + 1.0 if len(lost) else 0.0])
    found["gradients"] = np.array(list(history.first_gradients.values()))
    by_heart = Network.make(planted, seed)
    found["heart"] = _by_heart(by_heart, data)
    found |= _trained(net, data)
    return found | {"suite": _suite(Network.make(planted, seed), by_heart, data, history, found)}


def _blank(net: Network, data: Data) -> np.ndarray:
    """Share of the gradient's numbers that are numbers, for a digit and for a blank image."""
    shares = []
    for x in (data.x_test[:1], 0 * data.x[:1]):
        net.kept.clear()
        _, found = net.gradients(x, np.zeros(1, int))
        shares.append(np.mean(np.concatenate([np.isfinite(g).ravel() for g in found.values()])))
    return np.array(shares)


def _trained(net: Network, data: Data) -> dict[str, np.ndarray]:
    """What a trained network shows on test digits."""
    x, y = data.x_test[:BATCH], data.y_test[:BATCH]
    found: dict[str, np.ndarray] = {}
    out = net.forward(x)
    found["rows"] = out["trace"][-1][1].sum(-1) * np.ones((len(x), 1))
    found["rows"] = found["rows"].mean(0)
    found["lengths"] = _three(out["lengths"], y)
    found["scores"] = _three(net.steps.scores(out["lengths"]), y)[:2]
    found["logits"] = np.array([np.abs(b).max() for b, _ in out["trace"]])
    long = net.forward(x, iterations=LONG)
    found["entropy"] = np.array([_entropy(c) for _, c in long["trace"]])
    very_long = net.forward(x, iterations=20)["trace"]
    found["long"] = np.array([_entropy(very_long[n - 1][1]) for n in (1, 5, 10, 20)])
    found["ink"] = _ink(data.x_test, net.forward(data.x_test)["u"])
    found["winner"] = np.array([_right(lengths, y).mean() for lengths in long["by_iteration"]][:LONG])
    net.kept.clear()
    sizes = [net.forward(x[:n])["lengths"][0, y[0]] for n in (1, 10, 40)]
    found["company"] = np.array(sizes)
    return found


def _ink(x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Correlation of each patch's ink with its capsule's length; 0 where one of them does not vary."""
    ink, strength = x.sum(-1), np.sqrt(np.sum(u * u, -1))
    ink, strength = (z - z.mean(0) for z in (ink, strength))
    scale = np.sqrt(np.sum(ink**2, 0) * np.sum(strength**2, 0))
    return np.where(scale > 0, np.sum(ink * strength, 0) / np.where(scale > 0, scale, 1), 0)


def _steps_alone(planted: steps.Steps, seed: int, data: Data) -> dict[str, np.ndarray]:
    """What the steps show by themselves, without a training."""
    lengths = np.linspace(0, 1, 11)
    right, wrong = np.full((11, CLASSES), 0.1), np.full((11, CLASSES), 0.1)
    right[:, 0], wrong[:, 0], wrong[:, 1] = lengths, 0.9, lengths
    y = np.eye(CLASSES)[np.zeros(11, int)]
    x = data.x_test[:1].copy()
    painted = x.copy()
    painted[0, 5] = 1 - painted[0, 5]
    net = Network.make(planted, seed)
    u, u_painted = net.forward(x)["u"], net.forward(painted)["u"]
    net.kept.clear()
    shown = [net.forward(data.x_test[:BATCH])["trace"][0][1].max(-1).mean() for _ in range(5)]
    return {
        "again": np.array(shown),
        "twice": np.array([_gathered(planted, n) for n in (1, 2)]),
        "hinge": planted.loss(y, planted.scores(right)),
        "absent": planted.loss(y, planted.scores(wrong)),
        "patch": (np.abs(u - u_painted).max(-1)[0] > 1e-9).astype(float),
        "case": _agreement_case(planted),
    }


def _agreement_case(planted: steps.Steps) -> np.ndarray:
    """Length of the capsule that four votes do not agree on, after 1, 2 and 3 iterations (FACTS of lesson 04).

    Four votes of length 2 in four dimensions: for capsule 0 all the same, for capsule 1 along four axes.
    """
    after = [Network(planted, {}).route("case", _four_votes(), n)[0] for n in range(1, ITERATIONS + 1)]
    return np.array([planted.length(v)[0, 1] for v in after])


def _four_votes() -> np.ndarray:
    u_hat = np.zeros((1, 4, 2, 4))
    u_hat[0, :, 0, 0] = 2
    u_hat[0, range(4), 1, range(4)] = 2
    return u_hat


def _gathered(planted: steps.Steps, times: int) -> float:
    """‖s‖ of the capsule that the votes agree on, in iteration 1, where each vote comes so many times."""
    u_hat = np.repeat(_four_votes(), times, axis=1)
    _, trace, _ = Network(planted, {}).route("case", u_hat, 1)
    return float(np.linalg.norm(np.einsum("bij,bijk->bjk", trace[0][1], u_hat)[0, 0]))


TEN, UPDATES, STACK_UPDATES = slice(1, 11), 40, 50
"""Ten training digits, none of them blank, and how many updates a network, or a stack, gets to know them by heart."""


def _by_heart(net: Network, data: Data, updates: int = UPDATES) -> np.ndarray:
    """Loss of ten digits while a network is trained on them alone."""
    adam, losses = Adam(net.steps.rate), []
    for _ in range(updates):
        loss, slopes = net.gradients(data.x[TEN], data.y[TEN])
        losses.append(loss)
        adam.step(net.weights, slopes)
    return _tenths(losses)


def _suite(fresh: Network, by_heart: Network, data: Data, history: History, found: dict[str, np.ndarray]) -> np.ndarray:
    """Which of TESTS pass, 1 or 0 each."""
    lengths = fresh.forward(data.x_test)["lengths"]
    passed = (
        lengths.shape == (len(data.x_test), CLASSES),
        bool(np.all(lengths < 1)),
        bool(np.allclose(found["rows"], 1)),
        history.loss[-1] < history.loss[0],
        by_heart.accuracy(data.x[TEN], data.y[TEN]) == 1,
        history.accuracy[-1] > 0.7,
    )
    return np.array(passed, float)


def _decoder(planted: steps.Steps, seed: int) -> dict[str, np.ndarray]:
    data = network.small_data(seed)
    net = Network.make(planted, seed, decoder=True)
    whole, test = network.whole(data.x_test), data.y_test
    average = np.mean((whole - network.whole(data.x).mean(0)) ** 2)
    errors: list[float] = []

    def after(trained: Network) -> None:
        pictures = trained.forward(data.x_test, test)["picture"]
        errors.append(float(np.mean((whole - pictures) ** 2) / average))

    history = network.train(net, data, seed, after=after)
    fresh, norms = Network.make(planted, seed, decoder=True), history.first_gradients
    first = [np.flatnonzero(test == j)[0] for j in range(CLASSES)]
    x, y = data.x_test[:BATCH], test[:BATCH]
    drawn, others = (net.forward(x, labels)["picture"] for labels in (y, 0 * y))
    out = net.forward(x)
    return _steps_alone(planted, seed, data) | {
        "loss": _tenths(history.loss),
        "accuracy": np.array(history.accuracy),
        "error": np.array(errors),
        "lengths": _three(out["lengths"], y),
        "decoder gradients": np.array([norms["features"], norms["W1"], np.hypot(norms["decode"], norms["draw"])]),
        "black": planted.picture(whole[first], 0 * whole[first]),
        "own": np.array([np.abs(drawn - others)[y > 0].max()]),
        "start": fresh.forward(data.x_test)["lengths"].mean(0),
        "blank": _blank(fresh, data),
        "rows": np.mean(out["trace"][-1][1].sum(-1), 0),
        "heart": _by_heart(fresh, data),
    }


STACK_RATE = 0.15
"""The stack learns with this share of the rate: it is quick, and its start is what the case is about."""


def _stack(planted: steps.Steps, seed: int) -> dict[str, np.ndarray]:
    data = network.small_data(seed)
    planted = replace(planted, rate=STACK_RATE * planted.rate)
    net = Network.make(planted, seed, between=1)
    out = net.forward(data.x_test)
    history = network.train(net, data, seed)
    sizes = []
    for lower in (4, 16, 64):
        rng = np.random.default_rng((seed, lower))
        limit = planted.scale * planted.limit(lower, network.D_IN, CLASSES, network.D_OUT)
        W = rng.uniform(-limit, limit, (lower, network.D_IN, CLASSES, network.D_OUT))
        votes = np.einsum("id,idjk->ijk", np.ones((lower, network.D_IN)), W)
        sizes.append(np.sqrt(np.sum(votes**2, -1)).mean())
    trained = net.forward(data.x_test[:BATCH])
    return _steps_alone(planted, seed, data) | {
        "loss": _tenths(history.loss),
        "accuracy": np.array(history.accuracy),
        "start": out["lengths"].mean(0),
        "votes": np.array([np.sqrt(np.sum(u_hat**2, axis=-1)).mean() for u_hat in out["votes"]]),
        "stack gradients": np.array(list(history.first_gradients.values())),
        "fewer": np.array(sizes),
        "blank": _blank(Network.make(planted, seed, between=1), data),
        "heart": _by_heart(Network.make(planted, seed, between=1), data, STACK_UPDATES),
        "rows": np.mean(trained["trace"][-1][1].sum(-1), 0),
        "lengths": _three(trained["lengths"], data.y_test[:BATCH]),
    }


BREAK, SAVED_BATCH, DEFAULT_BATCH = 2, BATCH, 320
"""After how many epochs the training is interrupted, its batch size, and that of the program's defaults."""


def _resumed(planted: steps.Steps, seed: int) -> dict[str, np.ndarray]:
    data = network.small_data(seed)
    net, saved = Network.make(planted, seed), dict[str, Any](batch=SAVED_BATCH, rate=planted.rate)
    adam = Adam(planted.rate)
    history = network.train(net, data, seed, BREAK, saved["batch"], adam)
    ten = data.x_test[:BATCH], data.y_test[:BATCH]
    before = float(net.loss(*ten)), _norm(adam)
    kept = dict(net.weights)
    going_on = planted.merge(saved, {"batch": DEFAULT_BATCH, "log": False})
    if planted.restore == "nothing":
        net.weights = Network.make(planted, seed).weights
    if planted.restore != "all":
        adam = Adam(planted.rate)
    adam.rate = going_on["rate"]
    joint, moments = (before[0], float(net.loss(*ten))), (before[1], _norm(adam))
    start = dict(net.weights) if planted.restore == "nothing" else kept
    distances: list[float] = []

    def after(trained: Network) -> None:
        distances.append(float(np.sqrt(sum(np.sum((trained.weights[k] - start[k]) ** 2) for k in start))))

    network.train(net, data, seed, EPOCHS - BREAK, int(going_on["batch"]), adam, history, after)
    ends = np.cumsum(history.updates)
    return {
        "loss": np.array([np.mean(part) for part in np.split(history.loss, ends[:-1])]),
        "accuracy": np.array(history.accuracy),
        "updates": np.array(history.updates, float),
        "joint": np.array(joint),
        "moments": np.array(moments),
        "rate": np.array([planted.rate] * BREAK + [adam.rate] * (EPOCHS - BREAK)),
        "step": np.array(distances[:1]),
        "lengths": _three(net.forward(ten[0])["lengths"], ten[1]),
    }


def _norm(adam: Adam) -> float:
    return float(np.sqrt(sum(np.sum(m * m) for m in adam.first.values())))


@functools.lru_cache(8)
def stored_runs(seed: int) -> tuple[dict[str, Any], ...]:
    """Three runs as a folder of results holds them: name, accuracy after every epoch, and on the training digits."""
    data, runs = network.small_data(seed), []
    for name, rate, own in (("run-1", 0.015, 0), ("run-2", 0.015, 50), ("run-10", 0.0008, 0)):
        net = Network.make(replace(steps.HEALTHY, rate=rate), seed + own)
        fitted: list[float] = []

        def after(trained: Network, fitted: list[float] = fitted) -> None:
            fitted.append(trained.accuracy(data.x, data.y))

        history = network.train(net, data, seed + own, after=after)
        runs.append({"name": name, "curve": history.accuracy, "accuracy": history.accuracy[-1], "fitted": fitted[-1]})
    return tuple(runs)


def _runs(planted: steps.Steps, seed: int) -> dict[str, np.ndarray]:
    runs = stored_runs(seed)
    asked, drawn = runs[0], planted.choose(runs, runs[0]["name"])
    n = planted.smooth
    curve = np.array([np.mean(drawn["curve"][max(0, k - n + 1) : k + 1]) for k in range(len(drawn["curve"]))])
    number = {"last": asked["accuracy"], "best": max(asked["curve"]), "training": asked["fitted"]}[planted.read]
    return {
        "figure": curve,
        "table": np.array([number]),
        "gap": np.array([curve[-1], number]),
        "points": np.array([len(curve)], float),
        "match": np.array([np.sum(np.isclose(curve, run["curve"])) for run in runs], float),
        "recomputed": np.array([asked["accuracy"], number]),
    }


EXAMINED: dict[str, Callable[[steps.Steps, int], dict[str, np.ndarray]]] = {
    "plain": _plain,
    "decoder": _decoder,
    "stack": _stack,
    "resumed": _resumed,
    "runs": _runs,
}
"""Kind → what examines it."""
