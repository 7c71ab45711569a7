"""Numbers that say how a network did under a condition, from its ten scores or its features.

Scores are (N, 10): lengths, probabilities, or any numbers of which the highest is the answer.
"""

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import check_count, check_floats, check_numbers, check_seed, check_shape
from capslib.digits import as_labels
from capslib.transforms import equivariance

ACCEPTED = 0.5
"""A picture is accepted if its top score is above this."""


def auroc(intact: ArrayLike, changed: ArrayLike) -> float:
    """The share of all pairs in which the intact picture has the higher score; a tie counts half.

    Args:
        intact: a score of each intact picture (N,).
        changed: a score of each changed picture (M,).

    Returns:
        A float in 0–1; ½ if the scores do not tell them apart.

    Raises:
        ValueError: naming the argument, if it is not a row of at least one finite number.
    """
    intact, changed = (
        check_numbers(name, check_shape(name, one, ("N",))) for name, one in (("intact", intact), ("changed", changed))
    )
    from scipy.stats import mannwhitneyu  # Slow to import, and most lessons need none of it.

    return float(mannwhitneyu(intact, changed).statistic / (len(intact) * len(changed)))


def area(x: ArrayLike, y: ArrayLike) -> float:
    """The mean height of a curve between its first and its last x: its area by trapezoids, divided by the width.

    Args:
        x: increasing (K,), at least two.
        y: heights (K,).

    Returns:
        A float.

    Raises:
        ValueError: naming the argument, if the shapes do not fit or x does not increase.
    """
    x = check_numbers("x", check_shape("x", x, ("K",)))
    y = check_numbers("y", check_shape("y", y, (len(x),)))
    if len(x) < 2 or (np.diff(x) <= 0).any():
        raise ValueError(f"x: got {x.tolist()!r:.60}, expected at least two numbers that increase")
    return float(np.trapezoid(y, x) / (x[-1] - x[0]))


def calibration_error(scores: ArrayLike, labels: ArrayLike, bins: int = 15) -> float:
    """How far top scores are from shares of right answers: the expected calibration error.       (Guo et al. 2017)

    ECE = Σ_k (n_k / N) |accuracy_k − mean top score_k|  over `bins` equal bins of the top score in 0–1

    Args:
        scores: (N, 10) in 0–1.
        labels: (N,).
        bins: at least 1.

    Returns:
        A float in 0–1; 0 if, in each bin, the top score is on average the share of right answers.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    scores = check_numbers("scores", check_floats("scores", scores, ("N", 10)), 0, 1)
    right = scores.argmax(1) == as_labels(labels, "labels", len(scores))
    top = scores.max(1)
    bins = check_count("bins", bins)
    k = np.minimum((top * bins).astype(int), bins - 1)
    gap = np.bincount(k, right - top.astype(np.float64), minlength=bins)
    return float(np.abs(gap).sum() / len(top))


def centred_cosine(v: ArrayLike, v_t: ArrayLike) -> float:
    """How little v changes, with what all examples share taken out: the mean cosine of v − v̄ and v_t − v̄.

    A raw cosine is near 1 for any two vectors of one class, since they share a large mean v̄.

    Args:
        v: (N, D), v(x) of N examples.
        v_t: (N, D), v(Tx) of the same examples; both are centred by the mean of v.

    Returns:
        A float in −1 to 1. An example that equals the mean has no direction and counts as 0.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    v = check_numbers("v", check_shape("v", v, ("N", "D")))
    v_t = check_numbers("v_t", check_shape("v_t", v_t, v.shape))
    a, b = v - v.mean(0), v_t - v.mean(0)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = np.divide((a * b).sum(1), norms, out=np.zeros(len(a)), where=norms > 0)
    return float(cosines.mean())


def changes(v: ArrayLike, v_t: ArrayLike, labels: ArrayLike, seed: int = 0) -> dict[str, float]:
    """How a representation follows a transform T, class by class and then on average, beside its baselines.

    Args:
        v: (N, D), v(x) of N examples.
        v_t: (N, D), v(Tx) of the same examples.
        labels: (N,); each class needs more examples than v has dimensions, twice over.
        seed: of the order of the examples in each class, of which half fit the map and half test it.

    Returns:
        A dict of floats. map: R² of one linear map of v − v̄ to v_t − v̄_t, on examples that it was not fitted on;
        identity: R² of v itself in its place; shuffled: R² of a map fitted between examples paired at random;
        cosine: `centred_cosine`; shuffled_cosine: the same between examples paired at random.

    Raises:
        ValueError: naming the argument that does not fit, or a class with too few examples.
    """
    v = check_numbers("v", check_shape("v", v, ("N", "D")))
    v_t = check_numbers("v_t", check_shape("v_t", v_t, v.shape))
    y, seed = as_labels(labels, "labels", len(v)), check_seed("seed", seed)
    fewest = 2 * (v.shape[1] + 1)
    rows = []
    for label in np.unique(y):
        mine = np.random.default_rng([seed, label]).permutation(np.flatnonzero(y == label))
        if len(mine) < fewest:
            raise ValueError(f"labels: got {len(mine)} examples of {label}, expected at least {fewest} of each class")
        rows.append(_changes(v[mine], v_t[mine]))
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _changes(v: np.ndarray, v_t: np.ndarray) -> dict[str, float]:
    """`changes` of one class in random order."""
    half = round(len(v) / 2)
    v, v_t = v - v[:half].mean(0), v_t - v_t[:half].mean(0)
    other = np.roll(v, 1, axis=0)  # In random order, the neighbour is an example at random.
    tested = v_t[half:]
    missed = np.sum((tested - v[half:]) ** 2) / np.sum((tested - tested.mean(0)) ** 2)
    return {
        "map": equivariance(v, v_t),
        "identity": float(1 - missed),
        "shuffled": equivariance(other, v_t),
        "cosine": centred_cosine(v, v_t),
        "shuffled_cosine": centred_cosine(other, v_t),
    }
