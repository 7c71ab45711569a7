"""Lesson 10, gradients and speed: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib import equations
from capslib.exercises.check import Exercise, draw


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


_b, _g = draw(1001, (4, 3), (4, 3))

EXERCISES = {
    "softmax_backward": Exercise(
        _softmax_backward,
        (equations.softmax(_b), _g),
        ("i", "j"),
        "Each c_ik of a row depends on every b_ij of that row: ∂c_ik/∂b_ij = c_ik ([j = k] − c_ij).",
        {
            "That would be right if c_ij depended on b_ij alone. But a row of c always sums to 1.": lambda c, g: c * g,
            "Those are the terms with j = k. The others of the same row are missing.": lambda c, g: c * (1 - c) * g,
            "You summed over the lower capsules. A softmax couples the upper ones, in a row.": (
                lambda c, g: c * (g - (c * g).sum(0))
            ),
        },
    ),
    "agreement_without_votes": Exercise(
        _agreement_without_votes,
        draw(1002, (4, 3), (3, 2, 5), (2, 5)),
        ("i", "j"),
        "Sum over k first: it does not contain i, and leaves one vector of D_in components for each j.",
        {
            "You carried v down through another capsule's W: j must be one and the same in W and v.": (
                lambda u, W, v: np.einsum("id,dlk,jk->ij", u, W, v)
            )
        },
        numbers=400 * 5 * 40,
        large=(np.ones((400, 3)), np.ones((3, 5, 40)), np.ones((5, 40))),
    ),
    "slot_readout": Exercise(
        _slot_readout,
        draw(1003, (4, 3), (2, 3)),
        ("j", "d"),
        "First a softmax over j for each i. Then divide each column by its sum over i, and read out.",
        {
            "You normalised over the lower capsules, as a Transformer does. Here the queries compete.": (
                lambda u, q: equations.softmax(u @ q.T, axis=0).T @ u
            ),
            "That is routing's sum. Slot Attention takes the mean: divide by the weights' sum over i.": (
                lambda u, q: equations.softmax(u @ q.T, axis=1).T @ u
            ),
        },
    ),
}
