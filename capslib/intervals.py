"""How far a share that was counted may lie from the share that it stands for."""

import numpy as np

from capslib.checks import check_count, check_whole


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
