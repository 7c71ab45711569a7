"""Lesson 11, does it hold: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib.exercises.check import Exercise


def _holm(p: np.ndarray) -> np.ndarray:
    order = sorted(range(len(p)), key=lambda m: p[m])
    corrected, before = np.zeros(len(p)), 0.0
    for k, m in enumerate(order):
        before = max(before, min(1, (len(p) - k) * p[m]))
        corrected[m] = before
    return corrected


def _one_after_another(
    factors=lambda M: np.arange(M, 0, -1), grow=np.maximum.accumulate, limit=lambda p: np.minimum(p, 1), back=True
):
    """A function like the solution, one part of which may be another one."""

    def solution(p: np.ndarray) -> np.ndarray:
        order = np.argsort(p)
        corrected = limit(grow(factors(len(p)) * p[order]))
        return corrected[np.argsort(order)] if back else corrected

    return solution


def _p_values(rng: np.random.Generator) -> tuple:
    M = int(rng.integers(3, 8))
    return (rng.permutation(rng.choice(np.arange(1, 600), M, replace=False)) / 1000,)


def _verdicts(low: np.ndarray, high: np.ndarray, margin: float) -> np.ndarray:
    said = np.zeros(len(low))
    for n in range(len(low)):
        if low[n] > 0:
            said[n] = 1
        elif high[n] < 0:
            said[n] = -1
        elif -margin <= low[n] and high[n] <= margin:
            said[n] = 0
        else:
            said[n] = 2
    return said


def _intervals(rng: np.random.Generator) -> tuple:
    N = int(rng.integers(8, 14))
    middle, half = rng.normal(0, 0.004, N), rng.uniform(0.0003, 0.006, N)
    middle[:2], half[:2] = 0.0001, (0.001, 0.009)  # One within any margin and one far beyond it, in every trial.
    return np.round(middle - half, 4), np.round(middle + half, 4), float(rng.choice([0.003, 0.004, 0.005]))


def _said(low: np.ndarray, high: np.ndarray, equal: np.ndarray, apart: bool = True) -> np.ndarray:
    """Verdicts with another idea of what is equal, and perhaps without a look at the sign first."""
    signed = np.where(low > 0, 1, np.where(high < 0, -1, np.where(equal, 0, 2)))
    return signed if apart else np.where(equal, 0, signed)


def _wrong_winner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if sum(a) / len(a) < sum(b) / len(b):
        a, b = b, a
    wrong = 0.0
    for x in a:
        for y in b:
            if x < y:
                wrong += 1
            elif x == y:
                wrong += 0.5
    return np.asarray(wrong / (len(a) * len(b)))


def _two_networks(rng: np.random.Generator) -> tuple:
    N, M = map(int, rng.permutation(np.arange(3, 9))[:2])
    scores = np.round(rng.normal(0.975, 0.004, N), 3), np.round(rng.normal(0.973, 0.004, M), 3)
    return scores if rng.random() < 0.5 else scores[::-1]


def _better_first(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (a, b) if a.mean() > b.mean() else (b, a)


def _same_seed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    better, other = _better_first(a, b)
    N = min(len(a), len(b))
    return np.mean((better[:N] < other[:N]) + 0.5 * (better[:N] == other[:N]))


def _calibration(top: np.ndarray, right: np.ndarray, bins: int) -> np.ndarray:
    error = 0.0
    for k in range(bins):
        mine = [n for n in range(len(top)) if k <= top[n] * bins < k + 1 or (k == bins - 1 and top[n] == 1)]
        if mine:
            share = sum(right[n] for n in mine) / len(mine)
            said = sum(top[n] for n in mine) / len(mine)
            error += len(mine) / len(top) * abs(share - said)
    return np.asarray(error)


def _gaps(top: np.ndarray, right: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """For every bin that is not empty, how many it holds and its share of right answers less its mean top score."""
    k = np.minimum((top * bins).astype(int), bins - 1)
    n = np.bincount(k, minlength=bins)
    return n[n > 0], (np.bincount(k, right - top, minlength=bins))[n > 0] / n[n > 0]


def _answers(rng: np.random.Generator) -> tuple:
    N, bins = int(rng.integers(12, 25)), int(rng.integers(4, 8))
    top = np.round(rng.beta(4, 1.5, N), 2) * 0.98 + 0.003  # No score on the border of two bins.
    return top, (rng.random(N) < top**2).astype(int), bins


EXERCISES = {
    "holm_correction": Exercise(
        _holm,
        _p_values,
        1101,
        ("m",),
        (
            "The smallest p-value counts M times, the next one M − 1 times, and so on.",
            "order = np.argsort(p); np.arange(M, 0, -1) * p[order] are the products. None is below the one before it.",
            "np.maximum.accumulate, np.minimum(1, …), and corrected[order] = the result, with corrected = np.empty(M).",
        ),
        {
            "This is Bonferroni's correction: every p-value M times. Holm's is never larger, and often smaller.": (
                lambda p: np.minimum(1, len(p) * p)
            ),
            "The factors run the wrong way: the smallest p-value has to be multiplied by M, the largest by 1.": (
                _one_after_another(factors=lambda M: np.arange(1, M + 1))
            ),
            "A corrected p-value must not be below the one before it, or a weaker result would count as surer.": (
                _one_after_another(grow=lambda p: p)
            ),
            "A p-value is at most 1.": _one_after_another(limit=lambda p: p),
            "They are right, but sorted. Put each back in the place where its p-value stood.": (
                _one_after_another(back=False)
            ),
            "corrected[order] = … puts values back; … [order] moves them a second time.": (
                lambda p: _one_after_another(back=False)(p)[np.argsort(p)]
            ),
        },
        edges=(
            ("one test", (np.array([0.04]),)),
            ("p-values that need the maximum", (np.array([0.03, 0.5, 0.024, 0.021]),)),
            ("large p-values", (np.array([0.9, 0.6, 0.7]),)),
        ),
    ),
    "interval_says": Exercise(
        _verdicts,
        _intervals,
        1102,
        ("n",),
        (
            "Ask in this order: is all of it above 0, is all of it below 0, is all of it within the margin?",
            "np.where(low > 0, 1, …) with two more np.where inside it. The last one decides between 0 and 2.",
            "It lies within the margin if (−margin <= low) & (high <= margin).",
        ),
        {
            "An interval that includes 0 is no proof of 0. Only one that lies within the margin says: no difference.": (
                lambda low, high, margin: _said(low, high, low <= high)
            ),
            "You judged the middle. The whole interval has to lie within the margin.": (
                lambda low, high, margin: _said(low, high, abs(low + high) / 2 <= margin)
            ),
            "Ask for the sign first: a difference may be small, and still all of its interval above 0.": (
                lambda low, high, margin: _said(low, high, (low >= -margin) & (high <= margin), apart=False)
            ),
            "An end that equals the margin still lies within it: −margin ≤ low and high ≤ margin.": (
                lambda low, high, margin: _said(low, high, (low > -margin) & (high < margin))
            ),
            "Higher and lower are judged against 0; the margin is only for no difference.": (
                lambda low, high, margin: np.where(
                    low > margin,
                    1,
                    np.where(high < -margin, -1, np.where((low >= -margin) & (high <= margin), 0, 2)),
                )
            ),
            "One end within the margin isn't enough.": (
                lambda low, high, margin: _said(low, high, (low >= -margin) | (high <= margin))
            ),
        },
        edges=(
            ("an interval above 0 within the margin", (np.array([0.001, -0.002]), np.array([0.002, -0.001]), 0.003)),
            ("ends that equal the margin", (np.array([-0.003, -0.004]), np.array([0.003, 0.001]), 0.003)),
        ),
    ),
    "wrong_winner": Exercise(
        _wrong_winner,
        _two_networks,
        1103,
        (),
        (
            "First say which network is better: the one with the higher mean. Then compare each score with each.",
            "a[:, None] < b is a table of all pairs (N, M); its mean is the share in which b wins.",
            "If a.mean() < b.mean(): a, b = b, a. Then np.mean((a[:, None] < b) + 0.5 * (a[:, None] == b)).",
        ),
        {
            "You compared seed with seed. Whoever trains once may have any two seeds: compare each with each.": (
                _same_seed
            ),
            "This is how often the better network wins.": (
                lambda a, b: 1 - _wrong_winner(a, b)  # Ties count half on either side.
            ),
            "A tie counts half: a reader may take either for the winner.": (
                lambda a, b: np.mean(np.less.outer(*_better_first(a, b)))
            ),
            "Which network is better depends on the means. It is not always the first.": (
                lambda a, b: np.mean((a[:, None] < b) + 0.5 * (a[:, None] == b))
            ),
        },
        edges=(
            ("the second network better", (np.array([0.97, 0.971]), np.array([0.98, 0.979, 0.9705]))),
            ("ties", (np.array([0.98, 0.97]), np.array([0.97, 0.96]))),
            ("a mean on the other side of the median", (np.array([0.98, 0.979, 0.9]), np.array([0.97, 0.971, 0.972]))),
        ),
    ),
    "calibration": Exercise(
        _calibration,
        _answers,
        1104,
        (),
        (
            "In which bin is each score? Then one loop over the bins, with a mean of `right` and one of `top` in each.",
            "k = np.minimum((top * bins).astype(int), bins - 1) is the bin of each score; mine = k == b holds bin b.",
            "Add np.mean(mine) * abs(right[mine].mean() − top[mine].mean()) for every bin that is not empty.",
        ),
        {
            "Weigh each bin by how many answers it holds: one answer must not count like a thousand.": (
                lambda top, right, bins: np.mean(abs(_gaps(top, right, bins)[1]))
            ),
            "Too sure in one bin and too modest in another must not cancel: take the size of each gap.": (
                lambda top, right, bins: abs(right.mean() - top.mean())
            ),
            "Keep the size, not the sign, of each gap.": lambda top, right, bins: right.mean() - top.mean(),
            "This is the largest gap. Asked for is the mean, each bin weighted by how many answers it holds.": (
                lambda top, right, bins: max(abs(_gaps(top, right, bins)[1]))
            ),
        },
        edges=(
            ("a score of exactly 1", (np.array([1.0, 1.0, 0.55]), np.array([1, 0, 1]), 5)),
            ("empty bins", (np.array([0.95, 0.91, 0.15]), np.array([1, 1, 0]), 10)),
        ),
    ),
}
