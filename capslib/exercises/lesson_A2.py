"""Appendix A2, Efficient-CapsNet: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib import equations
from capslib.exercises.check import Exercise, numbers


def _softmax(b: np.ndarray) -> np.ndarray:
    c = np.zeros(b.shape)
    for i in range(len(b)):
        e = np.exp(b[i] - max(b[i]))
        for j in range(len(e)):
            c[i, j] = e[j] / sum(e)
    return c


def _attention_couplings(u_hat: np.ndarray) -> np.ndarray:
    N, I, J, D = u_hat.shape
    c = np.zeros((N, I, J))
    for n in range(N):
        b = np.zeros((I, J))
        for i in range(I):
            for j in range(J):
                for k in range(I):
                    b[i, j] += sum(u_hat[n, i, j] * u_hat[n, k, j]) / np.sqrt(D)
        c[n] = _softmax(b)
    return c


def _without_itself(u_hat: np.ndarray) -> np.ndarray:
    I, J, D = u_hat.shape
    b = np.zeros((I, J))
    for i in range(I):
        for j in range(J):
            for k in range(I):
                if k != i:
                    b[i, j] += sum(u_hat[i, j] * u_hat[k, j]) / np.sqrt(D)
    return _softmax(b)


def _couplings(total=lambda u_hat: u_hat.sum(-3), scale=lambda u_hat: np.sqrt(u_hat.shape[-1]), own=0.0, axis=-1):
    """A function like the solutions, one part of which may be another one.

    `own` is how often a vote's agreement with itself is taken away.
    """

    def solution(u_hat: np.ndarray) -> np.ndarray:
        b = equations.agreement(u_hat, total(u_hat)) - own * np.sum(u_hat**2, axis=-1)
        return equations.softmax(b / scale(u_hat), axis)

    return solution


def _overflowing(u_hat: np.ndarray) -> np.ndarray:
    e = np.exp(equations.self_agreement(u_hat))
    return e / e.sum(-1, keepdims=True)


def _of_directions(u_hat: np.ndarray) -> np.ndarray:
    norms = equations.length(u_hat)[..., None]
    return equations.softmax(equations.self_agreement(u_hat / np.where(norms > 0, norms, 1)))


def _less(taken):
    """The full logits less a number for each vote, and then the softmax."""
    return lambda u_hat: equations.softmax(equations.self_agreement(u_hat) - taken(u_hat))


def _votes(rng: np.random.Generator, axes: int = 3) -> tuple:
    return (numbers(rng, *map(int, rng.permutation([2, 3, 4, 5])[:axes])),)


def _fair_hidden(I: np.ndarray, D_in: int, J: int, D_out: int) -> np.ndarray:
    hidden = np.zeros(len(I))
    for k in range(len(I)):
        capsules = sum(D_in * D_out + 1 for i in range(I[k]) for j in range(J))  # W_ij, and the prior of the pair.
        features, h = I[k] * D_in, 0
        while features * (h + 1) + (h + 1) + (h + 1) * J + J <= capsules:
            h += 1
        hidden[k] = h
    return hidden


def _hidden(W=lambda I, D_in, J, D_out: I * D_in * J * D_out, prior=1, first=1, last=1, rounded=np.floor):
    """A function like the solution; `first` and `last` say whether the biases of the two dense layers are counted."""

    def solution(I: np.ndarray, D_in: int, J: int, D_out: int) -> np.ndarray:
        room = W(I, D_in, J, D_out) + prior * I * J - last * J
        return rounded(room / (I * D_in + first + J))

    return solution


def _sizes(rng: np.random.Generator) -> tuple:
    I = np.sort(rng.choice(np.arange(4, 40), int(rng.integers(2, 7)), replace=False))
    return I, *(int(rng.integers(low, high)) for low, high in ((3, 13), (5, 16), (6, 25)))


EXERCISES = {
    "attention_couplings": Exercise(
        _attention_couplings,
        lambda rng: _votes(rng, axes=4),
        2201,
        ("n", "i", "j"),
        (
            "The sum over k does not touch û_ij, so it can go inside the dot product: ⟨û_ij, Σ_k û_kj⟩.",
            "Count axes from the end: the parts are axis -3, with a batch or without one.",
            "u_hat.sum(-3) has the sums, (N, J, D). Multiply each vote by the sum for its whole, and add up over D.",
            "softmax(agreement(u_hat, u_hat.sum(-3)) / np.sqrt(u_hat.shape[-1])).",
        ),
        {
            "You normalised over the parts. As in routing, the wholes compete for a part: each row sums to 1.": (
                _couplings(axis=-2)
            ),
            "Your sum runs over the images, too. Only votes of the same image may agree.": (
                _couplings(total=lambda u_hat: u_hat.sum((0, 1)))
            ),
            "The scale is missing: divide the logits by √D.": _couplings(scale=lambda u_hat: 1),
            "You divided by D. The scale of attention is √D.": _couplings(scale=lambda u_hat: u_hat.shape[-1]),
            "You took the mean of the votes for the sum.": _couplings(total=lambda u_hat: u_hat.mean(-3)),
            "You brought the votes to length 1 first. Here long votes count more.": _of_directions,
            "You left out k = i. In the program a vote agrees with itself, too; exercise 3 changes that.": (
                _couplings(own=1)
            ),
            "The exponentials of long votes overflow. Use the lesson's softmax.": _overflowing,
        },
        edges=(
            ("votes that are all zero", (np.zeros((2, 3, 2, 2)),)),
            ("long votes", (40 * np.array([[[[1.0, 0], [0, 1]], [[1, 1], [-1, 0]], [[0, 2], [1, 1]]]]),)),
            ("a single whole", (np.arange(12.0).reshape(2, 3, 1, 2),)),
            ("as many images as parts", (np.linspace(-1, 1, 16).reshape(2, 2, 2, 2),)),
        ),
        numbers=100 * 100,
        large=(np.ones((2, 100, 3, 2)),),
    ),
    "fair_hidden": Exercise(
        _fair_hidden,
        _sizes,
        2202,
        ("k",),
        (
            "Count both sides, one of them with h in it, and solve for h. Mind the biases.",
            "The capsules have I J (D_in D_out + 1) numbers, the CNN (I D_in + 1 + J) h + J. Solve, and round down.",
            "(I * D_in * J * D_out + I * J - J) // (I * D_in + 1 + J).",
        ),
        {
            "One hidden unit too many: with it, the CNN is larger than the capsules.": _hidden(rounded=np.ceil),
            "There is no part of a hidden unit: round down to a whole number.": _hidden(rounded=lambda room: room),
            "You forgot the biases of both dense layers.": _hidden(first=0, last=0),
            "You forgot the biases of the hidden layer: one for each unit.": _hidden(first=0),
            "You forgot the prior: one number for each pair (i, j).": _hidden(prior=0),
            "W is not shared here: every lower capsule has matrices of its own.": (
                _hidden(W=lambda I, D_in, J, D_out: D_in * J * D_out * (I > 0))
            ),
        },
        edges=(("no room for a single unit", (np.array([1, 2]), 1, 10, 1)),),
    ),
    "without_itself": Exercise(
        _without_itself,
        _votes,
        2203,
        ("i", "j"),
        (
            "Take the logits with every k, which self_agreement gives, and subtract what k = i adds.",
            "What k = i adds is ⟨û_ij, û_ij⟩ / √D, the squared length of the vote over √D.",
            "softmax(self_agreement(u_hat) - (u_hat**2).sum(-1) / np.sqrt(u_hat.shape[-1])).",
        ),
        {
            "These are the couplings with k = i. Nothing has been left out.": _couplings(),
            "You subtracted the squared length itself. Divide it by √D, as the other terms are.": (
                _less(lambda u_hat: np.sum(u_hat**2, -1))
            ),
            "You subtracted the length. A vote's agreement with itself is its squared length.": (
                _less(lambda u_hat: equations.length(u_hat) / np.sqrt(u_hat.shape[-1]))
            ),
            "You took the mean over the other votes for the sum.": (
                _couplings(own=1, scale=lambda u_hat: (len(u_hat) - 1) * np.sqrt(u_hat.shape[-1]))
            ),
            "You normalised over the parts. The wholes compete for a part: each row sums to 1.": (
                _couplings(own=1, axis=-2)
            ),
        },
        edges=(
            ("a single part, which has no others", (np.array([[[3.0, 4], [1, 0]]]),)),
            ("votes that are all zero", (np.zeros((3, 2, 2)),)),
        ),
    ),
}
