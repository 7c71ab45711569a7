"""Times of things that take turns in one process, and what may be said of them."""

import time
from math import comb

import numpy as np


def take_turns(contestants, rounds, inner=1, warm_up=3):
    """Time things in turn, so that whatever else the machine does meets all of them alike.

    Each round times every one once, and begins with the next one each time.

    Args:
        contestants: name → a function without arguments that returns when its work is done.
        rounds: how often each is timed.
        inner: calls in one timing, for things too short to be timed alone.
        warm_up: calls of each beforehand: the first one compiles.

    Returns:
        name → list of milliseconds of one call, in the order of the rounds, to 4 decimals.
    """
    names = list(contestants)
    for name in names:
        for _ in range(warm_up):
            contestants[name]()
    times = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            started = time.perf_counter()
            for _ in range(inner):
                contestants[name]()
            times[name].append(round(1e3 * (time.perf_counter() - started) / inner, 4))
    return times


def summary(values, unit="ms"):
    """Values with their median and its 95 % interval.

    The interval runs between two of the values, chosen by their rank alone, so it takes no shape of the distribution
    for granted; of fewer than 6 values it is their whole range, and less certain.

    Args:
        values: list of numbers.
        unit: what they are in; it ends the names of the fields.

    Returns:
        A dict with median_<unit>, interval_<unit> (two numbers) and <unit>, the values.
    """
    ordered, n = sorted(values), len(values)
    outside, rank = 0.0, 0
    while rank < (n - 1) // 2 and outside + comb(n, rank) / 2**n <= 0.025:
        outside += comb(n, rank) / 2**n
        rank += 1
    low = max(0, rank - 1)
    return {
        f"median_{unit}": round(float(np.median(values)), 4),
        f"interval_{unit}": [ordered[low], ordered[n - 1 - low]],
        unit: list(values),
    }


def ratio(above, below, draws=2000):
    """How many times as much `above` takes as `below`: the ratio of the medians, and its 95 % interval.

    The interval is a bootstrap that draws whole rounds: what disturbed a round disturbed both.

    Args:
        above, below: lists of values of the same rounds.
        draws: of the bootstrap.

    Returns:
        A dict with ratio and interval (two numbers), to 3 decimals.
    """
    above, below = np.array(above), np.array(below)
    rounds = np.random.default_rng(0).integers(0, len(above), (draws, len(above)))
    drawn = np.median(above[rounds], axis=1) / np.median(below[rounds], axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "ratio": round(float(np.median(above) / np.median(below)), 3),
        "interval": [round(float(low), 3), round(float(high), 3)],
    }
