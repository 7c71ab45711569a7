"""How far a number that was measured may lie from the one that it stands for: a share, or a difference over seeds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import check_count, check_numbers, check_shape, check_whole


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's formula, which stays within 0 and 1.

    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)  with  p = right/n, n = of, z = 1.96     (Wilson 1927)

    It says how much the share depends on which examples were drawn, not on the seed of the training.

    Args:
        right: how many examples were right, 0 to `of`.
        of: how many there were, at least 1.

    Returns:
        The two ends.

    Raises:
        ValueError: naming the argument that is out of range.
    """
    n, z = check_count("of", of), 1.959964
    p = check_whole("right", right, 0, n) / n
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    # Where all or none were right, p is one of the ends, and rounding may miss it by a hair.
    return float(np.clip(low, 0, p)), float(np.clip(high, p, 1))


class Difference(NamedTuple):
    """A mean difference of pairs.

    Attributes:
        mean: of a − b.
        low, high: the ends of its 95 % t-interval.
        p: of the two-sided t-test that the mean is 0.
    """

    mean: float
    low: float
    high: float
    p: float


def paired(a: ArrayLike, b: ArrayLike) -> Difference:
    """The mean difference between two networks trained from the same seeds.

    d ± t √(s²/n)  with  d, s² = mean and variance of a − b, n pairs, t = 97.5 % point for n − 1 degrees of freedom

    It says how much the difference depends on the seed of the training, as far as n seeds can tell, not on which
    examples were drawn.

    Args:
        a, b: one score for each seed, in the same order (N,), N at least 2.

    Returns:
        A Difference. If all differences are equal, its interval has no width; p is 1 if they are 0, and else 0.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    a = check_numbers("a", check_shape("a", a, ("N",)))
    b = check_numbers("b", check_shape("b", b, a.shape))
    if len(a) < 2:
        raise ValueError(f"a: got {len(a)} score, expected at least 2")
    d = a - b
    if np.ptp(d) == 0:
        return Difference(float(d[0]), float(d[0]), float(d[0]), float(d[0] == 0))
    from scipy.stats import ttest_1samp  # Slow to import, and most lessons need none of it.

    found = ttest_1samp(d, 0)
    low, high = found.confidence_interval(0.95)
    return Difference(float(d.mean()), float(low), float(high), float(found.pvalue))


def holm(p: ArrayLike) -> np.ndarray:
    """The p-values of several tests, corrected so that one of them below 0.05 by chance is itself rare.    (Holm 1979)

    p̃_(k) = max over l ≤ k of min(1, (m − l + 1) p_(l)),  p_(1) ≤ … ≤ p_(m)

    Args:
        p: (M,) in 0–1.

    Returns:
        The corrected ones, float64 (M,), in the same order.

    Raises:
        ValueError: if `p` is not a row of numbers in 0–1.
    """
    p = check_numbers("p", check_shape("p", p, ("M",)), 0, 1)
    order = np.argsort(p, kind="stable")
    corrected = np.minimum(1, np.maximum.accumulate(np.arange(len(p), 0, -1) * p[order]))
    return corrected[np.argsort(order, kind="stable")]
