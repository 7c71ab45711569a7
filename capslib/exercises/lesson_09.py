"""Lesson 09, reconstruction and pose: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib.exercises.check import Exercise, Matching, numbers


def _decoder(v: np.ndarray) -> np.ndarray:
    """A small decoder that can be read: pixel n of an image is the sum of component n of all capsules."""
    return v.sum(1)


def _loss(v: np.ndarray, y: np.ndarray, image: np.ndarray, decode) -> np.ndarray:
    B, J, D = v.shape
    masked = np.zeros((B, J, D))
    for n in range(B):
        for d in range(D):
            masked[n, y[n], d] = v[n, y[n], d]
    decoded = decode(masked)
    loss = np.zeros(B)
    for n in range(B):
        for pixel in range(image.shape[1]):
            loss[n] += (image[n, pixel] - decoded[n, pixel]) ** 2
    return loss


def _capsules(rng: np.random.Generator) -> tuple:
    B, J, D = (int(size) for size in rng.integers(2, 5, 3))
    return numbers(rng, B, J, D), rng.integers(0, J, B), numbers(rng, B, D), _decoder


def _as_loss(masked, error=lambda image, decoded: ((image - decoded) ** 2).sum(1)):
    """A solution that masks by `masked` and compares by `error`."""
    return lambda v, y, image, decode: error(image, decode(masked(v, y)))


def _by_label(v, y):
    return v * np.eye(v.shape[1])[y][..., None]


def _by_length(v, y):
    return v * np.eye(v.shape[1])[np.linalg.norm(v, axis=-1).argmax(1)][..., None]


def _share(P: np.ndarray, delta: np.ndarray) -> np.ndarray:
    N, D, K = P.shape
    share = np.zeros(D)
    for d in range(D):
        both = explained = total = 0.0
        for n in range(N):
            mean = sum(P[n, d]) / K
            for k in range(K):
                both += delta[k] * (P[n, d, k] - mean)
                total += (P[n, d, k] - mean) ** 2
                explained += delta[k] ** 2
        share[d] = both**2 / (explained * total)
    return share


def _sweeps(rng: np.random.Generator) -> tuple:
    N, D, K = int(rng.integers(2, 5)), int(rng.integers(2, 4)), int(2 * rng.integers(2, 4) + 1)
    delta = np.round(np.linspace(-0.2, 0.2, K), 3)
    slopes = numbers(rng, D)
    P = numbers(rng, N, 1, 1) + slopes[:, None] * delta + 0.1 * numbers(rng, N, D, K)
    return np.round(P, 2), delta


def _squared_correlation(a, b):
    return (a * b).sum((0, 2)) ** 2 / ((a**2).sum((0, 2)) * (b**2).sum((0, 2)))


def _centred(P):
    return P - P.mean(2, keepdims=True)


_MEAN = {
    "gradient of the decoder's weights": "784 times smaller",
    "Adam's step on a weight whose gradient is far above ε": "about as large",
    "Adam's step on a weight whose gradient is far below ε": "784 times smaller",
    "gradient of the margin loss": "exactly as large",
}
_WORDS = ("784 times smaller", "about as large", "exactly as large", "28 times smaller", "0")

EXERCISES = {
    "masked_loss": Exercise(
        _loss,
        _capsules,
        901,
        ("example",),
        (
            "Two steps: set every capsule but the label's to zero, decode, then add up squared differences.",
            "With J = v.shape[1], np.eye(J)[y] has a 1 at each label, (B, J). With [..., None] added, it multiplies v.",
            "masked = v * np.eye(v.shape[1])[y][..., None]; then np.sum((image - decode(masked)) ** 2, axis=1).",
        ),
        {
            "Without a mask, all capsules draw. Only the label's may.": _as_loss(lambda v, y: v),
            "You kept the longest capsule. In training it is the label that says which one is kept.": (
                _as_loss(_by_length)
            ),
            "You took the mean over the pixels. The paper's 0.0005 is meant for the sum.": (
                _as_loss(_by_label, lambda image, decoded: ((image - decoded) ** 2).mean(1))
            ),
            "You added up over the examples too. Each example has a loss of its own.": (
                _as_loss(_by_label, lambda image, decoded: ((image - decoded) ** 2).sum())
            ),
            "The square is missing: these are absolute differences.": (
                _as_loss(_by_label, lambda image, decoded: np.abs(image - decoded).sum(1))
            ),
            "You masked out the label's capsule and kept all others.": (_as_loss(lambda v, y: v - _by_label(v, y))),
        },
        edges=(
            (
                "a label whose capsule is not the longest",
                (np.array([[[3.0, 4.0], [0.5, 0.0]]]), np.array([1]), np.array([[0.5, 1.0]]), _decoder),
            ),
            (
                "a capsule that is zero",
                (np.zeros((1, 2, 2)), np.array([0]), np.array([[1.0, 2.0]]), _decoder),
            ),
        ),
    ),
    "share_explained": Exercise(
        _share,
        _sweeps,
        902,
        ("dimension",),
        (
            "Take away from each film strip its own mean first: digits differ, and that is not what you measure.",
            "It is a squared correlation. Sum over the digits and the values, axes 0 and 2, and keep the dimensions.",
            "With Q = P - P.mean(2, keepdims=True): (Q * delta).sum((0, 2)) ** 2 / (N * (delta**2).sum() * squares), "
            "where squares is (Q**2).sum((0, 2)).",
        ),
        {
            "You kept what differs between the digits. Take each strip's own mean away first.": (
                lambda P, delta: _squared_correlation(P - P.mean((0, 2))[:, None], np.broadcast_to(delta, P.shape))
            ),
            "That is the correlation. R² is its square.": (
                lambda P, delta: (
                    (_centred(P) * delta).sum((0, 2))
                    / np.sqrt(len(P) * (delta**2).sum() * (_centred(P) ** 2).sum((0, 2)))
                )
            ),
            "That is the slope. R² asks how much of the change the line explains.": (
                lambda P, delta: (_centred(P) * delta).sum((0, 2)) / (len(P) * (delta**2).sum())
            ),
            "You computed one R² for each digit and took the mean. Pool the digits: sum before you divide.": (
                lambda P, delta: np.mean(
                    (_centred(P) * delta).sum(2) ** 2 / ((delta**2).sum() * (_centred(P) ** 2).sum(2)), axis=0
                )
            ),
            "Count δ² once for every digit: the sum over all strips has N times as many terms.": (
                lambda P, delta: (
                    (_centred(P) * delta).sum((0, 2)) ** 2 / ((delta**2).sum() * (_centred(P) ** 2).sum((0, 2)))
                )
            ),
        },
        edges=(
            (
                "a dimension that does exactly what it is told",
                (np.array([[[0.0, 1.0, 2.0]], [[5.0, 6.0, 7.0]]]), np.array([-0.1, 0.0, 0.1])),
            ),
        ),
    ),
    "mean_for_sum": Matching(
        _MEAN,
        _WORDS,
        (
            "The mean divides by the number of pixels, 28 · 28, and so does its gradient.",
            "With one gradient g after another, Adam's step is about rate · g / (|g| + ε). Put in g and g/784.",
            "For |g| far above ε the fraction is nearly ±1 whatever g is: ε is small, not zero. Far below, it is g/ε.",
        ),
        {
            "An image has 28 · 28 pixels, not 28.": {key: word.replace("784", "28") for key, word in _MEAN.items()},
            "Adam divides by |g| + ε. What is left if ε is the larger of the two?": {
                **_MEAN,
                "Adam's step on a weight whose gradient is far below ε": "about as large",
            },
            "Adam divides a gradient by its own running size. What is left if ε does not count?": {
                **_MEAN,
                "Adam's step on a weight whose gradient is far above ε": "784 times smaller",
            },
            "You have the two of Adam the wrong way round: a gradient far above ε is divided by its own size.": {
                **_MEAN,
                "Adam's step on a weight whose gradient is far above ε": "784 times smaller",
                "Adam's step on a weight whose gradient is far below ε": "about as large",
            },
            "Nearly. The fraction would be exactly ±1 only if ε were zero, and ε is small, not zero.": {
                **_MEAN,
                "Adam's step on a weight whose gradient is far above ε": "exactly as large",
            },
            "The margin loss does not know of the pixels at all.": {
                **_MEAN,
                "gradient of the margin loss": "784 times smaller",
            },
        },
    ),
}
