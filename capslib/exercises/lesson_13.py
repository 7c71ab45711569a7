"""Lesson 13, limits and further: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib import equations
from capslib.exercises.check import Exercise, numbers

_FLOOR = 0.01


def _em_iteration(r: np.ndarray, votes: np.ndarray) -> np.ndarray:
    I, J, D = votes.shape
    log_p = np.zeros((I, J))
    for j in range(J):
        data = sum(r[:, j])
        for h in range(D):
            mean = sum(r[:, j] * votes[:, j, h]) / data
            variance = max(sum(r[:, j] * (votes[:, j, h] - mean) ** 2) / data, _FLOOR)
            for i in range(I):
                log_p[i, j] -= (votes[i, j, h] - mean) ** 2 / (2 * variance) + np.log(2 * np.pi * variance) / 2
    new = np.zeros((I, J))
    for i in range(I):
        top = max(log_p[i])
        for j in range(J):
            new[i, j] = np.exp(log_p[i, j] - top) / sum(np.exp(log_p[i] - top))
    return new


def _iteration(
    weigh=lambda r: r / r.sum(0),
    limit=lambda variances: np.maximum(variances, _FLOOR),
    fit=equations.log_density,
    share=equations.softmax,
):
    """A function like the solution, one part of which may be another one."""

    def solution(r: np.ndarray, votes: np.ndarray) -> np.ndarray:
        means = equations.weighted_sum(weigh(r), votes)
        variances = limit(equations.weighted_sum(weigh(r), (votes - means) ** 2))
        return share(fit(votes, means, variances))

    return solution


def _no_logarithm(log_p: np.ndarray) -> np.ndarray:
    return np.exp(log_p) / np.exp(log_p).sum(1, keepdims=True)


def _responsibilities_and_votes(rng: np.random.Generator) -> tuple:
    I, J, D = map(int, rng.permutation([2, 3, 4, 5])[:3])
    return equations.softmax(numbers(rng, I, J)), numbers(rng, I, J, D)


def _highest_floor(n: np.ndarray, D: int, beta_a: float, beta_u: float) -> np.ndarray:
    floor = np.zeros(len(n))
    for k in range(len(n)):
        without = -beta_u * n[k]
        each = 2 * (without + beta_a) / (n[k] * D)  # ln(2πf), for which n D/2 ln(2πf) − β_a is as much.
        floor[k] = np.exp(each) / (2 * np.pi)
    return floor


def _counts_and_prices(rng: np.random.Generator) -> tuple:
    n = np.sort(rng.choice(np.arange(1, 12), int(rng.integers(2, 6)), replace=False))
    return n, int(rng.integers(2, 7)), -float(rng.integers(3, 40)) / 10, -float(rng.integers(3, 30)) / 10


def _lengths_with_bias(u_hat: np.ndarray, bias: np.ndarray) -> np.ndarray:
    I, J, D = u_hat.shape
    b, v = np.zeros((I, J)), np.zeros((J, D))
    for _ in range(3):
        c = equations.softmax(b)
        for j in range(J):
            v[j] = equations.squash(sum(c[i, j] * u_hat[i, j] for i in range(I)) + bias[j])
        for i in range(I):
            for j in range(J):
                b[i, j] += sum(u_hat[i, j] * v[j])
    return equations.length(v)


def _biased(of_votes=0.0, of_sum=0.0, of_last=0.0, of_output=0.0):
    """A function like the solution, in which the bias, times a number, is added somewhere else."""

    def solution(u_hat: np.ndarray, bias: np.ndarray) -> np.ndarray:
        b, votes = np.zeros(u_hat.shape[:-1]), u_hat + of_votes * bias
        for last in (False, False, True):
            s = equations.weighted_sum(equations.softmax(b), votes) + (of_sum + of_last * last) * bias
            v = equations.squash(s) + of_output * bias
            b = b + equations.agreement(votes, v)
        return equations.length(v)

    return solution


def _votes_and_bias(rng: np.random.Generator) -> tuple:
    I, J, D = map(int, rng.permutation([2, 3, 4, 5])[:3])
    return numbers(rng, I, J, D), numbers(rng, J, D)


EXERCISES = {
    "em_iteration": Exercise(
        _em_iteration,
        _responsibilities_and_votes,
        1301,
        ("i", "j"),
        (
            "Begin with the means: the weights of one whole, a column of r, have to sum to 1 first.",
            "With w = r / r.sum(0), means are weighted_sum(w, votes), and variances the same of squared distances.",
            "Then limit the variances by np.maximum, and the E-step is softmax(log_density(votes, means, variances)).",
        ),
        {
            "You normalised over the parts. A part is divided between the wholes, so each row sums to 1.": (
                _iteration(share=lambda log_p: equations.softmax(log_p, axis=0))
            ),
            "The width has a price too: ½ ln(2πσ²) for each component.": (
                _iteration(fit=lambda V, m, s2: -np.sum((V - m) ** 2 / (2 * s2), axis=-1))
            ),
            "You took the standard deviation for the variance.": _iteration(
                fit=lambda V, m, s2: equations.log_density(V, m, np.sqrt(s2))
            ),
            "All parts count equally in your means and variances. Weight them by r.": (
                _iteration(weigh=lambda r: np.ones_like(r) / len(r))
            ),
            "You divided by the number of parts. The weights of whole j sum to Σ_i r_ij.": (
                _iteration(weigh=lambda r: r / len(r))
            ),
            "The floor is the smallest variance there is. You added it to every variance.": (
                _iteration(limit=lambda variances: variances + _FLOOR)
            ),
            "A variance of 0 divides by 0. Keep every variance at 0.01 or above.": _iteration(limit=lambda s2: s2),
            "A density underflows to 0. Stay with logarithms, and let softmax divide.": _iteration(share=_no_logarithm),
        },
        edges=(
            (
                "votes that coincide",
                (np.full((3, 2), 0.5), np.stack([np.full((3, 2), 1.5), np.arange(6.0).reshape(3, 2)], 1)),
            ),
            (
                "a vote far from every mean",
                (
                    np.array([[0.5, 0.5]] * 2 + [[1e-9, 1e-9]]),
                    np.array([[[0.0], [1]], [[0], [1]], [[900], [900]]]),
                ),
            ),
            ("a single whole", (np.ones((3, 1)), np.arange(6.0).reshape(3, 1, 2))),
        ),
    ),
    "highest_floor": Exercise(
        _highest_floor,
        _counts_and_prices,
        1302,
        ("k",),
        (
            "Votes that coincide lie on their mean, so each costs D/2 · ln(2πf). Set both sides equal.",
            "Divide by n and solve for the logarithm: ln(2πf) = 2/D · (β_a/n − β_u).",
            "np.exp(2 / D * (beta_a / n - beta_u)) / (2 * np.pi).",
        ),
        {
            "That is a standard deviation. The floor is a variance.": (
                lambda n, D, beta_a, beta_u: np.sqrt(np.exp(2 / D * (beta_a / n - beta_u)) / (2 * np.pi))
            ),
            "Your density lacks its 2π.": lambda n, D, beta_a, beta_u: np.exp(2 / D * (beta_a / n - beta_u)),
            "The price of the whole is paid once, not for every vote: divide it by n.": (
                lambda n, D, beta_a, beta_u: np.exp(2 / D * (beta_a - beta_u) * np.ones(len(n))) / (2 * np.pi)
            ),
            "Check the signs: without the whole, n votes cost −β_u n, and −β_a is a price too.": (
                lambda n, D, beta_a, beta_u: np.exp(2 / D * (beta_u - beta_a / n)) / (2 * np.pi)
            ),
            "A density in D components is a product of D: ln p has D terms.": (
                lambda n, D, beta_a, beta_u: np.exp(2 * (beta_a / n - beta_u)) / (2 * np.pi)
            ),
            "You left out the price of the whole, β_a.": (
                lambda n, D, beta_a, beta_u: np.exp(-2 / D * beta_u * np.ones(len(n))) / (2 * np.pi)
            ),
        },
        edges=(("a whole that is free", (np.array([1, 4]), 2, 0.0, -2.0)),),
    ),
    "lengths_with_bias": Exercise(
        _lengths_with_bias,
        _votes_and_bias,
        1303,
        ("j",),
        (
            "Write the loop of `route` from lesson 04. Only the line that computes s changes.",
            "s = weighted_sum(c, u_hat) + bias, in every iteration; the agreement is still that of u_hat and v.",
            "Three times: v = squash(weighted_sum(softmax(b), u_hat) + bias); b = b + agreement(u_hat, v). "
            "Return length(v).",
        ),
        {
            "These are the lengths without a bias. They are the same for u_hat and for −u_hat.": _biased(),
            "You added the bias to every vote. Then it counts Σ_i c_ij times, and agreements contain it.": (
                _biased(of_votes=1)
            ),
            "The bias belongs in every iteration, not only in the last: it changes who agrees.": _biased(of_last=1),
            "You added the bias after the squash. Then a length can be above 1.": _biased(of_output=1),
            "You subtracted the bias.": _biased(of_sum=-1),
        },
        edges=(("votes that are all zero", (np.zeros((3, 2, 2)), np.array([[0.5, 0], [0, -2]]))),),
    ),
}
