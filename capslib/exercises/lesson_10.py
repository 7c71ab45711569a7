"""Lesson 10, gradients and speed: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib import equations
from capslib.exercises.check import Exercise, numbers


def _softmax_backward(c: np.ndarray, g: np.ndarray) -> np.ndarray:
    db = np.zeros_like(c)
    for i in range(len(c)):
        for j in range(c.shape[1]):
            for k in range(c.shape[1]):
                db[i, j] += g[i, k] * c[i, k] * ((j == k) - c[i, j])
    return db


def _agreement_without_votes(u: np.ndarray, W: np.ndarray, v: np.ndarray) -> np.ndarray:
    a = np.zeros((len(u), len(v)))
    for i in range(len(u)):
        for j in range(len(v)):
            for d in range(u.shape[1]):
                for k in range(v.shape[1]):
                    a[i, j] += u[i, d] * W[d, j, k] * v[j, k]
    return a


def _slot_readout(u: np.ndarray, q: np.ndarray) -> np.ndarray:
    e = np.exp([[sum(u[i] * q[j]) for j in range(len(q))] for i in range(len(u))])
    read = np.zeros_like(q)
    for j in range(len(q)):
        c = [e[i, j] / sum(e[i]) for i in range(len(u))]
        for i in range(len(u)):
            read[j] += c[i] / sum(c) * u[i]
    return read


def _shapes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Sizes I, J, D_in, D_out of one trial, all different, so that no axis can be taken for another."""
    I, J, D_in, D_out = map(int, rng.permutation([2, 3, 4, 5]))
    return I, J, D_in, D_out


def _couplings_and_gradients(rng: np.random.Generator) -> tuple:
    I, J, _, _ = _shapes(rng)
    return equations.softmax(numbers(rng, I, J)), numbers(rng, I, J)


def _capsules_and_outputs(rng: np.random.Generator) -> tuple:
    I, J, D_in, D_out = _shapes(rng)
    return numbers(rng, I, D_in), numbers(rng, D_in, J, D_out), numbers(rng, J, D_out)


def _keys_and_queries(rng: np.random.Generator) -> tuple:
    I, J, D, _ = _shapes(rng)
    return numbers(rng, I, D), numbers(rng, J, D)


EXERCISES = {
    "softmax_backward": Exercise(
        _softmax_backward,
        _couplings_and_gradients,
        1001,
        ("i", "j"),
        (
            "Each c_ik of a row depends on every b_ij of that row: ∂c_ik/∂b_ij = c_ik ([j = k] − c_ij).",
            "Split the sum over k at the bracket: one part keeps only k = j, the other has c_ij in front of a sum.",
            "It is c_ij (g_ij − Σ_k g_ik c_ik). The sum over k is one number for each row i; keep its axis.",
        ),
        {
            "This would be right if c_ij depended on b_ij alone. But a row of c always sums to 1.": lambda c, g: c * g,
            "These are the terms with j = k. The other terms of the same row are missing.": lambda c, g: (
                c * (1 - c) * g
            ),
            "You summed over the lower capsules. A softmax couples the upper ones, along a row.": (
                lambda c, g: c * (g - (c * g).sum(0))
            ),
        },
        edges=(
            ("a part that belongs to one whole alone", (np.eye(3)[[0, 2]], np.array([[1.0, -2, 0.5], [0.3, 0.1, 4]]))),
            ("one lower capsule", (np.full((1, 2), 0.5), np.array([[1.0, -1]]))),
        ),
        numbers=20 * 40 * 40,
        large=(np.full((20, 40), 1 / 40), np.ones((20, 40))),
    ),
    "agreement_without_votes": Exercise(
        _agreement_without_votes,
        _capsules_and_outputs,
        1002,
        ("i", "j"),
        (
            "Which of the two sums does not contain i?",
            "Sum over k first: it does not contain i, and leaves one vector of D_in components for each j.",
            'np.einsum("djk,jk->dj", W, v) holds these vectors, one for each j. Multiply u with them.',
        ),
        {
            "You carried v down through another capsule's W: j must be the same in W and in v.": (
                lambda u, W, v: np.einsum("id,dlk,jk->ij", u, W, v)
            ),
            "You divided by ‖v_j‖. Agreement is the plain dot product.": (
                lambda u, W, v: equations.agreement(equations.predict(u, W), v / np.linalg.norm(v, axis=1)[:, None])
            ),
            "You summed over k without v: this adds up the components of each vote.": (
                lambda u, W, v: equations.predict(u, W).sum(-1)
            ),
        },
        numbers=100 * 4 * 20,
        large=(np.ones((100, 3)), np.ones((3, 4, 20)), np.ones((4, 20))),
    ),
    "slot_readout": Exercise(
        _slot_readout,
        _keys_and_queries,
        1003,
        ("j", "d"),
        (
            "First compute a softmax over j for each i.",
            "After the softmax over j, divide each column of c by its sum over i, and only then sum up the u_i.",
            "With c of shape (I, J), the weights are c / c.sum(axis=0). Transpose them and multiply with u.",
        ),
        {
            "You normalised over the lower capsules, as a Transformer does. Here the queries compete.": (
                lambda u, q: equations.softmax(u @ q.T, axis=0).T @ u
            ),
            "This is routing's sum. Slot Attention takes the mean: divide by the sum of the weights over i.": (
                lambda u, q: equations.softmax(u @ q.T, axis=1).T @ u
            ),
            "You divided by the number of lower capsules. The mean is weighted: divide by Σ_i c_ij.": (
                lambda u, q: equations.softmax(u @ q.T, axis=1).T @ u / len(u)
            ),
        },
        edges=(("a single query", (np.array([[1.0, 2], [3, -1], [0, 1]]), np.array([[0.5, 0.5]]))),),
    ),
}
