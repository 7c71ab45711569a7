"""Lesson 05, the margin loss: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib.exercises.check import Exercise, Matching

M_PLUS, M_MINUS, LAM, OFFSET = 0.9, 0.1, 0.5, 0.5


def _balancing_lambda(ell: np.ndarray, n: int, J: int) -> np.ndarray:
    lam = np.zeros(len(ell))
    for k, length in enumerate(ell):
        up, down = 0.0, 0.0  # The pushes on the common length at λ = 1.
        for j in range(J):
            if j < n:
                up += 2 * (M_PLUS - length)
            else:
                down += 2 * (length - M_MINUS)
        lam[k] = up / down
    return lam


def _slope(y_true: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    return -2 * y_true * np.maximum(0, M_PLUS - lengths) + 2 * LAM * (1 - y_true) * np.maximum(0, lengths - M_MINUS)


def _margin_gradient_s(y_true: np.ndarray, s: np.ndarray) -> np.ndarray:
    g = np.zeros_like(s)
    for b in range(len(s)):
        for j in range(s.shape[1]):
            n = sum(s[b, j] ** 2)
            for d in range(s.shape[2]):  # The length n / (κ + n) has the slope 2 κ s_d / (κ + n)².
                g[b, j, d] = _slope(y_true[b, j], n / (OFFSET + n)) * 2 * OFFSET * s[b, j, d] / (OFFSET + n) ** 2
    return g + 0.0  # No −0.


def _by_parts(y_true: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The slope with respect to the length, n = ‖s‖² and the direction of s, with an axis for components each."""
    n = np.sum(s**2, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return _slope(y_true[..., None], n / (OFFSET + n)), n, s / np.sqrt(n)


def _no_direction(y_true: np.ndarray, s: np.ndarray) -> np.ndarray:
    slope, n, direction = _by_parts(y_true, s)
    return slope * (2 * OFFSET * np.sqrt(n) / (OFFSET + n) ** 2) * direction


def _without_squash(y_true: np.ndarray, s: np.ndarray) -> np.ndarray:
    slope, _, direction = _by_parts(y_true, s)
    return slope * direction


def _gain_across(y_true: np.ndarray, s: np.ndarray) -> np.ndarray:
    slope, n, _ = _by_parts(y_true, s)
    return slope * s / (OFFSET + n)


def _slope_at_norm(y_true: np.ndarray, s: np.ndarray) -> np.ndarray:
    n = np.sum(s**2, axis=-1, keepdims=True)
    return _slope(y_true[..., None], np.sqrt(n)) * 2 * OFFSET * s / (OFFSET + n) ** 2


def _spread_gradient(y_true: np.ndarray, lengths: np.ndarray, m: float) -> np.ndarray:
    g = np.zeros_like(lengths)
    for b in range(len(lengths)):
        t = int(np.argmax(y_true[b]))
        for k in range(lengths.shape[1]):
            if k != t:
                short = max(0.0, m - (lengths[b, t] - lengths[b, k]))
                g[b, k] += 2 * short
                g[b, t] -= 2 * short
    return g


def _short_of(y_true: np.ndarray, lengths: np.ndarray, m: float) -> np.ndarray:
    """max(0, m − (ℓ_t − ℓ_k)) for every k, t among them."""
    return np.maximum(0, m - (np.sum(y_true * lengths, axis=1, keepdims=True) - lengths))


def _rest(rng: np.random.Generator) -> tuple:
    J = int(rng.integers(5, 12))
    n = int(rng.integers(2, J - 2))
    return np.round(rng.uniform(0.15, 0.85, size=rng.integers(2, 6)), 2), n, J


def _capsules(rng: np.random.Generator) -> tuple:
    B, J, D = map(int, rng.permutation([2, 3, 4]))
    y_true = (rng.random((B, J)) < 0.5).astype(float)
    return y_true, np.round(rng.normal(size=(B, J, D)), 1) + 0.05


def _one_digit(rng: np.random.Generator) -> tuple:
    B, J = map(int, rng.permutation([2, 3, 4, 5])[:2])
    return np.eye(J)[rng.integers(J, size=B)], np.round(rng.random((B, J)), 2), float(rng.choice([0.2, 0.5, 0.9]))


_RIGHT = {"a": "squares missing", "b": "margins swapped", "c": "λ missing", "d": "max missing"}

EXERCISES = {
    "balancing_lambda": Exercise(
        _balancing_lambda,
        _rest,
        501,
        ("ℓ",),
        (
            "On each image, n classes pull the common length up and J − n push it down. Write down both sums.",
            "Balance: 2 n (0.9 − ℓ) = 2 λ (J − n) (ℓ − 0.1). Solve for λ.",
            "λ = n (0.9 − ℓ) / ((J − n) (ℓ − 0.1)).",
        ),
        {
            "This is right for one digit an image. Here n classes pull up.": lambda ell, n, J: (
                (M_PLUS - ell) / ((J - 1) * (ell - M_MINUS))
            ),
            "n classes pull up, but you let all J push down. Only J − n classes are absent.": lambda ell, n, J: (
                n * (M_PLUS - ell) / (J * (ell - M_MINUS))
            ),
            "Only J − n classes push down, but you let one class pull up.": lambda ell, n, J: (
                (M_PLUS - ell) / ((J - n) * (ell - M_MINUS))
            ),
            "You have the two sides the wrong way round: this is 1/λ.": lambda ell, n, J: (
                (J - n) * (ell - M_MINUS) / (n * (M_PLUS - ell))
            ),
        },
        edges=(("one digit an image", (np.array([0.5, 0.245]), 1, 10)),),
    ),
    "margin_bugs": Matching(
        _RIGHT,
        ("squares missing", "λ missing", "max missing", "margins swapped", "labels swapped", "absent part missing"),
        (
            "Compare each row with −0.6, +0.2, 0. Which classes differ? That leaves few parts of the formula.",
            "A is right in c and d, so the bug is in the absent part. In a, no slope depends on the distance any more.",
            "In b every max(0, ·) is 0. In c the slope of B is 2 · 0.2, and in d that of C is 2 · 0.5 · (0.05 − 0.1).",
        ),
        {
            "Swapped labels would push the present A down and the other two up. In b nothing is pushed at all.": {
                **_RIGHT,
                "b": "labels swapped",
            },
            "You have a and c the wrong way round: without λ only the absent part changes.": {
                **_RIGHT,
                "a": "λ missing",
                "c": "squares missing",
            },
            "You have b and d the wrong way round: without max, a class that is good enough is pushed back.": {
                **_RIGHT,
                "b": "max missing",
                "d": "margins swapped",
            },
        },
    ),
    "margin_gradient_s": Exercise(
        _margin_gradient_s,
        _capsules,
        502,
        ("b", "j", "d"),
        (
            "Three factors: the slope of the loss by ‖v‖, the slope of ‖v‖ by ‖s‖, and the direction of s.",
            "With n = ‖s‖², the length is n/(0.5 + n), and its slope by ‖s‖ is ‖s‖/(0.5 + n)² (2 κ = 1).",
            "Gain times direction is ‖s‖/(0.5 + n)² · s/‖s‖ = s/(0.5 + n)². "
            "Multiply it with margin_gradient(y_true, n / (0.5 + n)).",
        ),
        {
            "At s = 0 you divide 0 by 0. Write out gain times direction: ‖s‖ cancels.": _no_direction,
            "This is the gradient by v. Squash comes between s and v: multiply with its gain along s.": _without_squash,
            "You took the gain across s, 1/(κ + n) · ‖s‖. The gradient points along s, so take the gain along it.": (
                _gain_across
            ),
            "The loss sees the lengths of v. You put the lengths of s into its gradient.": _slope_at_norm,
        },
        edges=(
            ("capsules with s = 0", (np.array([[1.0, 0]]), np.zeros((1, 2, 3)))),
            ("a very long and a very short capsule", (np.array([[1.0, 0]]), np.array([[[30.0, 40], [0.1, 0]]]))),
        ),
    ),
    "spread_gradient": Exercise(
        _spread_gradient,
        _one_digit,
        503,
        ("b", "k"),
        (
            "Each term contains two lengths, so each term has two slopes.",
            "The term of class k gives +2 max(0, …) to class k and −2 max(0, …) to class t.",
            "With z = (1 − y_true) · max(0, m − (ℓ_t − ℓ_k)): class k gets 2 z_k, class t gets −2 Σ_k z_k.",
        ),
        {
            "The pushes on the absent classes are right. What does each term do to the present class?": (
                lambda y_true, lengths, m: 2 * (1 - y_true) * _short_of(y_true, lengths, m)
            ),
            "The sum leaves out k = t, where max(0, …) would be m. You let that term push the present class too.": (
                lambda y_true, lengths, m: (
                    2 * (1 - y_true) * _short_of(y_true, lengths, m)
                    - 2 * y_true * _short_of(y_true, lengths, m).sum(1, keepdims=True)
                )
            ),
            "The slope of z² is 2 z: a factor 2 is missing.": lambda y_true, lengths, m: (
                _spread_gradient(y_true, lengths, m) / 2
            ),
            "The signs are the wrong way round: a longer present class makes the loss smaller.": (
                lambda y_true, lengths, m: -_spread_gradient(y_true, lengths, m)
            ),
        },
        edges=(
            ("a present class far ahead", (np.array([[0.0, 1, 0]]), np.array([[0.1, 0.9, 0.2]]), 0.5)),
            ("equal lengths", (np.array([[1.0, 0, 0, 0]]), np.full((1, 4), 0.3), 0.2)),
        ),
    ),
}
