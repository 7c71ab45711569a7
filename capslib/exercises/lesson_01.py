"""Lesson 01, why capsules: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib.exercises.check import Exercise, Matching


def _exchanged(table: np.ndarray) -> np.ndarray:
    share = np.zeros(table.shape)
    for a in range(len(table)):
        for b in range(len(table)):
            if sum(table[a]) > 0:
                share[a, b] = table[a, b] / sum(table[a])
    return np.array([[min(share[a, b], share[b, a]) for b in range(len(table))] for a in range(len(table))])


def _accepted_alike(intact: np.ndarray, swapped: np.ndarray, keep: float) -> np.ndarray:
    for t in sorted(intact, reverse=True):
        if sum(score >= t for score in intact) / len(intact) >= keep:
            break
    return np.asarray(sum(score >= t for score in swapped) / len(swapped))


def _directions(n: int) -> np.ndarray:
    """One unit vector for each cell of a column, from up to down."""
    theta = np.radians(90 - 180 * np.arange(n) / (n - 1))
    return np.stack([np.cos(theta), np.sin(theta)], axis=1)


def _find_parts(pooled: np.ndarray, n: int) -> np.ndarray:
    found = []
    for x, y in pooled:
        strength = (x * x + y * y) ** 0.5
        along = [x * cos + y * sin for cos, sin in _directions(n)]
        found.append([strength, max(range(n), key=along.__getitem__) if strength > 0 else -1])
    return np.array(found)


def _counts(rng: np.random.Generator) -> tuple:
    K = int(rng.integers(2, 7))
    return (rng.integers(0, 6, (K, K)) + rng.integers(1, 30, K) * np.eye(K, dtype=int)[rng.permutation(K)],)


def _scores(rng: np.random.Generator) -> tuple:
    N, M = map(int, rng.permutation(np.arange(5, 15))[:2])
    intact, swapped = np.round(rng.beta(5, 2, N), 2), np.round(rng.beta(4, 3, M), 2)
    return (
        intact,
        swapped,
        (int(rng.integers(N // 2, N)) - 0.5) / N,
    )  # No share lies so near to it that rounding counts.


def _pooled(rng: np.random.Generator) -> tuple:
    n, P = map(int, rng.permutation(np.arange(3, 9))[:2])
    strength = np.round(rng.uniform(0.2, 1, P), 1)
    return strength[:, None] * _directions(n)[rng.integers(0, n, P)], n


def _found(pooled: np.ndarray, strength: np.ndarray, cell: np.ndarray) -> np.ndarray:
    return np.stack([strength, np.where(np.hypot(*pooled.T) > 0, np.round(cell), -1)], axis=1)


def _degrees(pooled: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan2(pooled[:, 1], pooled[:, 0]))


def _shares(table: np.ndarray, sizes: np.ndarray | None = None) -> np.ndarray:
    """Each row, or what else broadcasts, divided by its size; without care for empty classes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return table / (table.sum(1, keepdims=True) if sizes is None else sizes)


def _smaller(share: np.ndarray) -> np.ndarray:
    return np.minimum(share, share.T)


EXERCISES = {
    "exchanged": Exercise(
        _exchanged,
        _counts,
        101,
        ("a", "b"),
        (
            "Two steps: turn the counts of each true class into shares, then compare each share with its mirror image.",
            "The shares of one true class, a row, sum to 1. The mirror image of share[a, b] is share.T[a, b].",
            "share = table / np.maximum(table.sum(1, keepdims=True), 1), then np.minimum of share and share.T.",
        ),
        {
            "A class without digits has 0 / 0, which is not a number. Its shares are 0.": lambda table: _smaller(
                _shares(table)
            ),
            "You divided by how often b is the answer. Divide by how many digits of class a there are.": (
                lambda table: _smaller(_shares(table, table.sum(0)))
            ),
            "table / table.sum(1) divides column b by the number of digits of class b. Keep the axis: keepdims=True.": (
                lambda table: _smaller(_shares(table, table.sum(1)))
            ),
            "You compared counts. If one class has more digits than the other, only shares can be compared.": (
                lambda table: _shares(table) * _smaller(table) / np.maximum(table, 1)
            ),
            "This is the larger of the two shares, so a confusion in one direction is enough for it.": (
                lambda table: np.maximum(_shares(table), _shares(table).T)
            ),
        },
        edges=(("a class without digits", (np.array([[0, 0, 0], [4, 3, 1], [2, 2, 4]]),)),),
    ),
    "accepted_alike": Exercise(
        _accepted_alike,
        _scores,
        102,
        (),
        (
            "Find t first, from the intact scores alone. The higher t is, the fewer of them are at or above it.",
            "np.mean(intact >= t) is the share kept at t. A lower t keeps more; take the highest t that keeps enough.",
            "t = max(t for t in intact if np.mean(intact >= t) >= keep); then the same mean for swapped.",
        ),
        {
            "This t is the lowest intact score, which keeps every intact face. Take the highest t that keeps enough.": (
                lambda intact, swapped, keep: np.mean(swapped >= intact.min())
            ),
            "You chose t by the swapped scores. Keep the share of the intact ones, which the network should accept.": (
                lambda intact, swapped, keep: np.mean(
                    swapped >= max(t for t in swapped if np.mean(swapped >= t) >= keep)
                )
            ),
            "A share `keep` of the intact scores lies below this t. It should be the share at or above t.": (
                lambda intact, swapped, keep: np.mean(swapped >= np.quantile(intact, keep))
            ),
            "np.quantile interpolates, so its threshold can lie between two intact scores. Take one of the scores.": (
                lambda intact, swapped, keep: np.mean(swapped >= np.quantile(intact, 1 - keep))
            ),
            "You counted the swapped scores above t. One that equals t is accepted too.": (
                lambda intact, swapped, keep: np.mean(swapped > max(t for t in intact if np.mean(intact >= t) >= keep))
            ),
        },
        edges=(
            ("a swapped score that equals the threshold", (np.array([0.9, 0.8, 0.6, 0.7]), np.array([0.8, 0.3]), 0.5)),
            ("every intact score kept", (np.array([0.9, 0.5, 0.7]), np.array([0.6, 0.4, 0.8, 0.95]), 1.0)),
            ("equal intact scores", (np.array([1.0, 1.0, 1.0, 0.2]), np.array([1.0, 0.9, 0.1]), 0.25)),
        ),
    ),
    "refuted_by": Matching(
        {"1": "D", "2": "F", "3": "B", "4": "G", "5": "A"},
        tuple("ABCDEFG"),
        (
            "For each letter, ask which claim could still be true if this were the result.",
            "One run is no comparison. And a network that accepts almost everything may still be surer of intact ones.",
            "C and E refute nothing here. D, F and B each measure one thing that a claim names; 5 names none.",
        ),
        {
            "Acceptance needs a threshold: all swapped faces may be above it, and all intact ones higher still.": {
                "1": "D",
                "2": "C",
                "3": "B",
                "4": "G",
                "5": "A",
            },
            "One run with one seed shows one difference, and the next may have the other sign.": {
                "1": "D",
                "2": "F",
                "3": "B",
                "4": "E",
                "5": "A",
            },
            "Claims 2 and 3: one is about telling two kinds of faces apart, the other about why they are told apart.": {
                "1": "D",
                "2": "B",
                "3": "F",
                "4": "G",
                "5": "A",
            },
        },
    ),
    "find_parts": Exercise(
        _find_parts,
        _pooled,
        104,
        ("part", "strength, cell"),
        (
            "One vector holds both answers: its length is the strength, its direction says which cell.",
            "np.hypot gives the lengths, np.degrees(np.arctan2(y, x)) the θ. Solve θ = 90 − 180 k / (n − 1) for k.",
            "k = (90 − θ) (n − 1) / 180, rounded; where the length is 0, k = −1. Stack lengths and k with axis=1.",
        ),
        {
            "The cell is there, but the strength is not the sum of the components. Which quantity ignores direction?": (
                lambda pooled, n: _found(pooled, pooled.sum(1), (90 - _degrees(pooled)) / 180 * (n - 1))
            ),
            "n cells have only n − 1 steps between them.": lambda pooled, n: _found(
                pooled, np.hypot(*pooled.T), (90 - _degrees(pooled)) / 180 * n
            ),
            "The order is upside down, or x and y are: np.arctan2 takes y first, and the top cell is cell 0.": (
                lambda pooled, n: _found(pooled, np.hypot(*pooled.T), (90 + _degrees(pooled)) / 180 * (n - 1))
            ),
            "A vector of length 0 has no direction. Its part is absent, so its cell is −1.": lambda pooled, n: np.stack(
                [np.hypot(*pooled.T), np.round((90 - _degrees(pooled)) / 180 * (n - 1))], axis=1
            ),
            "Rounding errors make 0.9999999 of a 1, and int cuts off what follows the point. Use np.round.": (
                lambda pooled, n: np.stack(
                    [
                        np.hypot(*pooled.T),
                        np.where(np.hypot(*pooled.T) > 0, np.trunc((90 - _degrees(pooled)) / 180 * (n - 1)), -1),
                    ],
                    axis=1,
                )
            ),
        },
        edges=(
            ("an absent part", (np.array([[0.0, 0.5], [0, 0], [0, -0.3]]), 5)),
            ("two cells", (np.array([[0.0, 1], [0, -0.4], [0, 0.7]]), 2)),
            ("directions with rounding errors", (np.array([[1, 1 + 1e-9], [1, -1 + 1e-9], [1, 1 - 1e-9]]), 5)),
        ),
    ),
}
