"""Lesson 06, the capsule layer: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib import equations
from capslib.exercises.check import Exercise, numbers


def _capsules_of_kinds(f: np.ndarray) -> np.ndarray:
    D, C, Y, X = f.shape
    u = np.zeros((C * Y * X, D))
    for d, c, y, x in np.ndindex(f.shape):
        u[(c * Y + y) * X + x, d] = f[d, c, y, x]
    return u


def _predict_by_kind(u: np.ndarray, W: np.ndarray) -> np.ndarray:
    I, C = len(u), len(W)
    u_hat = np.zeros((I, *W.shape[2:]))
    for i in range(I):
        for d in range(u.shape[1]):
            u_hat[i] += u[i, d] * W[i // (I // C), d]
    return u_hat


def _route_with_bias(
    u: np.ndarray, W: np.ndarray, bias: np.ndarray, routings: int, summed: str = "c", in_logits: bool = True
) -> np.ndarray:
    """Routing of the votes u_i W_j + β_j; other values of the last two arguments make the known mistakes."""
    b, v = np.zeros((*u.shape[:2], len(bias))), np.zeros((len(u), *bias.shape))
    for _ in range(int(routings)):
        c, s = equations.softmax(b), np.zeros_like(v)
        for i in range(u.shape[1]):
            share = {"c": c[:, i, :, None], "once": 1 / u.shape[1], "all": 1}[summed]
            s += c[:, i, :, None] * np.einsum("bd,djk->bjk", u[:, i], W) + share * bias
        v = equations.squash(s)
        for i in range(u.shape[1]):
            b[:, i] += np.sum((np.einsum("bd,djk->bjk", u[:, i], W) + in_logits * bias) * v, axis=-1)
    return v


def _safe_direction(v: np.ndarray, g: np.ndarray) -> np.ndarray:
    both = np.zeros((2, *v.shape))
    for b in range(len(v)):
        norm = np.sqrt(sum(v[b] ** 2))
        if norm > 0:
            unit = v[b] / norm
            both[:, b] = unit, (g[b] - unit * sum(unit * g[b])) / norm
    return both


def _directions(v: np.ndarray, g: np.ndarray, blank: tuple[float, float]) -> np.ndarray:
    """Directions and gradients; where v = 0, the value and the gradient's factor are those of a mistake."""
    both, at = _safe_direction(v, g), ~v.any(-1)
    both[0, at], both[1, at] = blank[0], blank[1] * g[at]
    return both


def _with_epsilon(v: np.ndarray, g: np.ndarray) -> np.ndarray:
    norm = np.sqrt(np.sum(v**2, axis=-1, keepdims=True) + equations.EPSILON)
    return np.stack([v / norm, g / norm - v * np.sum(v * g, axis=-1, keepdims=True) / norm**3])


def _feature_maps(rng: np.random.Generator) -> tuple:
    C, Y, X = rng.permutation([(1, 3, 4), (1, 2, 5), (2, 2, 3)][rng.integers(3)])
    return (numbers(rng, 6, C, Y, X),)


def _capsules_of_each_kind(rng: np.random.Generator) -> tuple:
    C, places, J = rng.permutation([(2, 3, 2), (2, 1, 5), (3, 1, 4)][rng.integers(3)])
    D_in, D_out = rng.permutation([3, 4, 6])[:2]
    return numbers(rng, C * places, D_in), numbers(rng, C, D_in, J, D_out)


def _capsules_and_bias(rng: np.random.Generator) -> tuple:
    B, J = rng.permutation([2, 3, 4])[:2]
    I, D_in, D_out = rng.permutation([4, 5, 6])
    u, W, bias = numbers(rng, B, I, D_in), numbers(rng, D_in, J, D_out), numbers(rng, J, D_out)
    return u, W, bias, int(rng.integers(2, 5))


def _some_blank(rng: np.random.Generator) -> tuple:
    B, D = map(int, rng.permutation([3, 4, 5])[:2])
    v = numbers(rng, B, D) + 0.05
    v[rng.integers(B)] = 0
    return v, numbers(rng, B, D)


EXERCISES = {
    "capsules_of_kinds": Exercise(
        _capsules_of_kinds,
        _feature_maps,
        601,
        ("i", "d"),
        (
            "Which index runs fastest in i? In which order must the axes be before you reshape?",
            "A reshape moves no number. In which axes of f do c, y and x stand? They are neighbours already; d is not.",
            "f.reshape(len(f), -1) is (D_in, I): c, y and x have become i. Now exchange the two axes.",
        ),
        {
            "The shape is right, but a reshape alone reads neighbouring pixels of one feature as a capsule.": (
                lambda f: f.reshape(-1, len(f))
            ),
            "The components are right, but here the kind runs fastest in i. It should be x.": (
                lambda f: f.transpose(2, 3, 1, 0).reshape(-1, len(f))
            ),
            "You exchanged y and x: x must run faster than y.": (lambda f: f.transpose(1, 3, 2, 0).reshape(-1, len(f))),
        },
        edges=(("a single place", (np.arange(6.0).reshape(3, 2, 1, 1),)),),
    ),
    "predict_by_kind": Exercise(
        _predict_by_kind,
        _capsules_of_each_kind,
        602,
        ("i", "j", "k"),
        (
            "Give the kinds an axis of their own: reshape u to (C, I/C, D_in).",
            "Then one einsum with a letter c for the kind, in u and in W; the places p are in u alone.",
            'einsum("cpd,cdjk->cpjk", …, W), and a reshape to (I, J, D_out) at the end.',
        ),
        {
            "You let the kinds alternate, i % C. The capsules of one kind follow each other: i // (I/C).": (
                lambda u, W: equations.predict(u, np.tile(W, (len(u) // len(W), 1, 1, 1)))
            ),
            "You used the W of the first kind for all.": lambda u, W: equations.predict(u, W[0]),
            "You summed over the kinds of W. Each capsule has one kind, and uses one W.": (
                lambda u, W: equations.predict(u, W.sum(0))
            ),
        },
        edges=(("one capsule of each kind", (np.array([[1.0, 2], [3, 4]]), np.arange(8.0).reshape(2, 2, 2, 1))),),
    ),
    "route_with_bias": Exercise(
        _route_with_bias,
        _capsules_and_bias,
        603,
        ("b", "j", "k"),
        (
            "Put u_i W_j + β_j into both sums of the lesson, and see what can leave the sum over i.",
            "The weighted sum gains (Σ_i c_ij) β_j. The agreement gains ⟨β_j, v_j⟩, the same for every i.",
            "Keep a second running sum r, (B, J), of ⟨β_j, v_j⟩. Logits: ⟨u_i, q_j⟩ + r_j; add r[:, None, :] to them.",
        ),
        {
            "You added β_j once. Every vote contains it, so the sum has it Σ_i c_ij times.": (
                lambda u, W, bias, routings: _route_with_bias(u, W, bias, routings, summed="once")
            ),
            "β_j belongs to every vote: it enters the sum Σ_i c_ij times, and every agreement too.": (
                lambda u, W, bias, routings: _route_with_bias(u, W, bias, routings, summed="once", in_logits=False)
            ),
            "You added β_j once for each i. The votes are weighted: it comes in Σ_i c_ij times.": (
                lambda u, W, bias, routings: _route_with_bias(u, W, bias, routings, summed="all")
            ),
            "The weighted sums are right, but the logits lack ⟨β_j, v_j⟩. It does not cancel in a softmax over j.": (
                lambda u, W, bias, routings: _route_with_bias(u, W, bias, routings, in_logits=False)
            ),
            "The bias is missing from the weighted sum and from the logits.": (
                lambda u, W, bias, routings: _route_with_bias(u, W, 0 * bias, routings)
            ),
        },
        edges=(
            ("one iteration", (np.ones((1, 2, 3)), np.ones((3, 2, 2)), np.array([[1.0, 0], [0, -1]]), 1)),
            ("no input but the bias", (np.zeros((1, 3, 2)), np.ones((2, 2, 1)), np.array([[1.0], [2]]), 3)),
        ),
        numbers=400 * 4 * 20,
        large=(np.ones((1, 400, 3)), np.ones((3, 4, 20)), np.ones((4, 20)), 2),
    ),
    "safe_direction": Exercise(
        _safe_direction,
        _some_blank,
        604,
        ("value or gradient", "b", "d"),
        (
            "First keep 0 away from the root and the division; then see which value and gradient are left at v = 0.",
            "n = ‖v‖² (B, 1). Inside the root use ops.where(n > 0, n, 1.0), so that no slope is infinite.",
            "Two masks: ops.where(n > 0, v / ops.sqrt(ops.where(n > 0, n, 1.0)), 0.0).",
        ),
        {
            "At v = 0 this is 0/0, in the value and in the gradient.": lambda v, g: _directions(v, g, (np.nan, np.nan)),
            "The value is right. But the branch not taken still multiplies 0 by an infinite slope.": (
                lambda v, g: _directions(v, g, (0, np.nan))
            ),
            "No NaN any more. But at v = 0 the result is v/1, and its gradient is not 0: mask the result as well.": (
                lambda v, g: _directions(v, g, (0, 1))
            ),
            "The ε is small, but 1/√ε is not: at v = 0 your gradient is more than 1,000 times g.": _with_epsilon,
        },
        edges=(
            ("blank capsules alone", (np.zeros((2, 3)), np.ones((2, 3)))),
            ("a very short capsule", (np.array([[3e-5, 4e-5]]), np.array([[1.0, 2]]))),
        ),
    ),
}
