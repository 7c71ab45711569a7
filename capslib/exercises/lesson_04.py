"""Lesson 04, routing by agreement: the tasks in plain loops, and four routers with a bug each."""

import operator
from collections.abc import Callable

import numpy as np

from capslib import equations
from capslib.exercises.check import Exercise, Matching, numbers


def _router(
    couple: Callable = equations.softmax,
    gather: Callable = equations.weighted_sum,
    compare: Callable = lambda u_hat, s, v: equations.agreement(u_hat, v),
    add: Callable = operator.add,
) -> Callable:
    """A function like the `route` of the lesson, one step of which may be another one."""

    def route(u_hat: np.ndarray, iterations: int = 3) -> equations.RoutingTrace:
        b, steps = np.zeros(u_hat.shape[:-1]), []
        for _ in range(iterations):
            c = couple(b)
            s = gather(c, u_hat)
            v = equations.squash(s)
            a = compare(u_hat, s, v)
            steps.append((b, c, s, v, a))
            b = add(b, a)
        b, c, s, v, a = (np.stack(quantity) for quantity in zip(*steps, strict=True))
        return equations.RoutingTrace(b, c, s, v, a, u_hat, 0.5)

    return route


# A spoiler: what is wrong with each is said in its line.
ROUTERS: dict[str, Callable] = {
    "router A": _router(compare=lambda u_hat, s, v: equations.agreement(u_hat, s)),
    "router B": _router(gather=lambda c, u_hat: equations.weighted_sum(c / c.sum(-2, keepdims=True), u_hat)),
    "router C": _router(add=operator.iadd),
    "router D": _router(couple=lambda b: equations.softmax(b, axis=-2)),
}
"""Four functions that route votes (I, J, D) as the lesson does, except for one bug each; they give a RoutingTrace."""


def _agreement_from_couplings(c: np.ndarray, c_next: np.ndarray) -> np.ndarray:
    a = np.zeros_like(c)
    for i in range(len(c)):
        for j in range(c.shape[1]):
            a[i, j] = np.log(c_next[i, j] / c_next[i, 0]) - np.log(c[i, j] / c[i, 0])
    return a


def _route_or_none(u_hat: np.ndarray) -> np.ndarray:
    I, J, _ = u_hat.shape
    b, c = np.zeros((I, J)), np.zeros((I, J))
    for _ in range(3):
        for i in range(I):
            top = max(0, *b[i])
            for j in range(J):
                c[i, j] = np.exp(b[i, j] - top) / (np.exp(0 - top) + sum(np.exp(b[i] - top)))
        for j in range(J):
            v = equations.squash(sum(c[i, j] * u_hat[i, j] for i in range(I)))
            for i in range(I):
                b[i, j] += sum(u_hat[i, j] * v)
    return c


def _weighted_spread(c: np.ndarray, u_hat: np.ndarray) -> np.ndarray:
    I, J, _ = u_hat.shape
    spread = np.zeros(J)
    for j in range(J):
        mean = sum(c[i, j] * u_hat[i, j] for i in range(I)) / sum(c[:, j])
        square = sum(c[i, j] * sum((u_hat[i, j] - mean) ** 2) for i in range(I)) / sum(c[:, j])
        spread[j] = np.sqrt(square)
    return spread


def _two_couplings(rng: np.random.Generator) -> tuple:
    I, J = map(int, rng.permutation([2, 3, 4, 5])[:2])
    b, a = numbers(rng, 2, I, J)
    return equations.softmax(b), equations.softmax(b + a)


def _votes(rng: np.random.Generator) -> tuple:
    return (numbers(rng, *map(int, rng.permutation([2, 3, 4, 5])[:3])),)


def _couplings_and_votes(rng: np.random.Generator) -> tuple:
    (u_hat,) = _votes(rng)
    return equations.softmax(2 * numbers(rng, *u_hat.shape[:-1])), u_hat


def _with_none(b: np.ndarray) -> np.ndarray:
    return equations.softmax(np.pad(b, ((0, 0), (0, 1))))[:, :-1]


def _overflowing(b: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        e = np.exp(b)
        return e / (1 + e.sum(-1, keepdims=True))


def _maximum_not_from_none(b: np.ndarray) -> np.ndarray:
    e = np.exp(b - b.max(-1, keepdims=True))
    return e / (1 + e.sum(-1, keepdims=True))


def _spread(c: np.ndarray, c_mean: np.ndarray, u_hat: np.ndarray) -> np.ndarray:
    """The spread with weights `c` about the mean with weights `c_mean`; each column of both sums to 1."""
    distance = u_hat - equations.weighted_sum(c_mean, u_hat)
    return np.sqrt(np.einsum("ij,ijd->j", c, distance**2))


def _share(c: np.ndarray) -> np.ndarray:
    return c / c.sum(0)


_A, _B, _C, _D = "agreement with s, not v", "weighted mean, not sum", "b += a in place", "softmax over the parts"
_NEVER, _NO_SQUASH = "logits never updated", "no squash"

EXERCISES = {
    "agreement_from_couplings": Exercise(
        _agreement_from_couplings,
        _two_couplings,
        401,
        ("i", "j"),
        (
            "Undo the softmax first: what is the logarithm of c_ij = exp b_ij / Σ_k exp b_ik?",
            "log c_ij is b_ij minus a number that depends on i only, and a is the next b minus b.",
            "np.log(c_next / c) is a_ij plus one number for each row. Subtracting its column 0 removes this number.",
        ),
        {
            "These are the differences of the next logits. They contain the agreements of all earlier iterations.": (
                lambda c, c_next: np.log(c_next / c_next[:, :1])
            ),
            "Each row is still off by one number, the same for all wholes. Compare each whole with whole 0.": (
                lambda c, c_next: np.log(c_next / c)
            ),
            "You compare each part with part 0. The number to remove belongs to a part, so compare the wholes.": (
                lambda c, c_next: np.log(c_next / c) - np.log(c_next / c)[:1]
            ),
            "Couplings do not add up from one iteration to the next. The logits do.": (
                lambda c, c_next: c_next - c - (c_next - c)[:, :1]
            ),
        },
        edges=(
            ("a single upper capsule", (np.ones((3, 1)), np.ones((3, 1)))),
            (
                "couplings close to 0 and 1",
                (equations.softmax(np.array([[9.0, -9], [-8, 8]])), equations.softmax(np.array([[12.0, -9], [9, -7]]))),
            ),
        ),
    ),
    "broken_routers": Matching(
        {"router A": _A, "router B": _B, "router C": _C, "router D": _D},
        (_A, "agreement subtracted", _B, _C, _NEVER, _NO_SQUASH, _D, "squash over the wholes"),
        (
            "Begin with iteration 1. Which routers already differ there from your numbers by hand, 0.889 and 0.333?",
            "Lengths cannot separate all four. For each router, print c.sum(-1), and b for all three iterations.",
            "Check the equations one by one on each trace: c against softmax(b), s against weighted_sum(c, u_hat), "
            "v against squash(s), a against agreement(u_hat, v). In each router at least one of them fails.",
        ),
        {
            "B and D begin with the same lengths. The row sums of c tell which of them shares out whole parts.": (
                {"router A": _A, "router B": _D, "router C": _C, "router D": _B}
            ),
            "Router C shows one b in all iterations, but its c changes. So its logits are updated after all.": (
                {"router A": _A, "router B": _B, "router C": _NEVER, "router D": _D}
            ),
            "Without a squash, the face would have length 2 in iteration 1. Router A starts correctly.": (
                {"router A": _NO_SQUASH, "router B": _B, "router C": _C, "router D": _D}
            ),
        },
    ),
    "route_or_none": Exercise(
        _route_or_none,
        _votes,
        402,
        ("i", "j"),
        (
            "Only the softmax changes. In iteration 1 every coupling is 1/(J + 1).",
            "Give the softmax one more column of logits that is always 0, and drop that column from the result.",
            "softmax(np.hstack([b, np.zeros((len(b), 1))]))[:, :-1] replaces softmax(b) in the loop of `route`.",
        ),
        {
            "Each of your rows sums to 1, so no part can choose none.": lambda u_hat: _router()(u_hat).c[-1],
            "You gave none a fixed share. It competes: where all logits are low, its share grows.": (
                lambda u_hat: _router(couple=lambda b: equations.softmax(b) * b.shape[1] / (b.shape[1] + 1))(u_hat).c[
                    -1
                ]
            ),
            "You subtracted the row's maximum from the logits, but not from the 0 of none.": (
                lambda u_hat: _router(couple=_maximum_not_from_none)(u_hat).c[-1]
            ),
            "An exponential overflows. Subtract the largest logit of the row first; the 0 of none is a logit too.": (
                lambda u_hat: _router(couple=_overflowing)(u_hat).c[-1]
            ),
            "These are the couplings of a fourth iteration. The third one's come before its update of b.": (
                lambda u_hat: _router(couple=_with_none)(u_hat, 4).c[-1]
            ),
        },
        edges=(
            ("a single upper capsule", (np.array([[[1.0, 0.5]], [[-0.5, 1]], [[-2, -1]]]),)),
            ("votes of length 1000", (np.array([[[600.0, 800], [-1000, 0]], [[800, 600], [0, 1000]]]),)),
            ("votes that are all zero", (np.zeros((3, 2, 4)),)),
        ),
    ),
    "weighted_spread": Exercise(
        _weighted_spread,
        _couplings_and_votes,
        403,
        ("j",),
        (
            "What must the weights of a mean sum to? The couplings of one whole, a column of c, need not.",
            "With w = c / c.sum(axis=0), the mean is weighted_sum(w, u_hat). Its distances need the same weights.",
            'Square u_hat - mean, sum over d, then np.einsum("ij,ij->j", w, …), and take the root at the very end.',
        ),
        {
            "This is the spread of lesson 02: all parts count equally.": (
                lambda c, u_hat: _spread(_share(np.ones_like(c)), _share(np.ones_like(c)), u_hat)
            ),
            "Your distances are weighted, but the mean they start from is not.": (
                lambda c, u_hat: _spread(_share(c), _share(np.ones_like(c)), u_hat)
            ),
            "Your mean is weighted, but the distances from it are not.": (
                lambda c, u_hat: _spread(_share(np.ones_like(c)), _share(c), u_hat)
            ),
            "You measured from s. That is a weighted sum, and the mean is s_j / Σ_i c_ij.": (
                lambda c, u_hat: _spread(_share(c), c, u_hat)
            ),
            "You divided by the number of parts. The weights of whole j sum to Σ_i c_ij.": (
                lambda c, u_hat: _spread(_share(c), _share(c), u_hat) * np.sqrt(c.mean(0))
            ),
            "This is the mean distance. Square the distances, and take the root of their mean.": (
                lambda c, u_hat: np.einsum(
                    "ij,ij->j",
                    _share(c),
                    equations.length(u_hat - equations.weighted_sum(_share(c), u_hat)),
                )
            ),
            "This is the mean square. Take its root.": lambda c, u_hat: _spread(_share(c), _share(c), u_hat) ** 2,
        },
        edges=(
            ("one part alone", (np.array([[0.3, 0.7]]), np.array([[[1.0, 2], [-3, 4]]]))),
            (
                "votes that coincide far from zero, where a difference of squares loses all digits",
                (np.array([[0.1], [0.7], [0.4]]), np.full((3, 1, 2), 3000.1)),
            ),
        ),
    ),
}
