"""Lesson 08, look inside: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib.exercises.check import Exercise


def _settled(lengths: np.ndarray) -> np.ndarray:
    T, N, _ = lengths.shape
    settled = np.full(N, T)
    for n in range(N):
        final = lengths[-1, n].argmax()
        while settled[n] > 1 and lengths[settled[n] - 2, n].argmax() == final:
            settled[n] -= 1
    return settled


def _lost_share(lengths: np.ndarray, most: np.ndarray) -> np.ndarray:
    share = np.zeros(len(most))
    for k in range(len(most)):
        cases = lost = 0
        for n in range(lengths.shape[1]):
            second, first = sorted(lengths[0, n])[-2:]
            if first - second <= most[k]:
                cases += 1
                lost += lengths[0, n].argmax() != lengths[-1, n].argmax()
        share[k] = lost / cases if cases else 0
    return share


def _length_lost(c: np.ndarray, u_hat: np.ndarray) -> np.ndarray:
    drop = np.zeros(c.shape)
    for i in range(len(c)):
        for j in range(c.shape[1]):
            s = sum(c[l, j] * u_hat[l, j] for l in range(len(c)))
            drop[i, j] = np.linalg.norm(s) - np.linalg.norm(s - c[i, j] * u_hat[i, j])
    return drop


def _lengths(rng: np.random.Generator) -> tuple:
    """Lengths (T, N, J) that move less and less; not rounded, so that no two capsules are equally long."""
    T, N, J = map(int, rng.permutation([3, 4, 5]))
    return (np.cumsum(rng.random((T, N, J)), axis=0) / np.arange(1, T + 1)[:, None, None],)


def _lengths_and_leads(rng: np.random.Generator) -> tuple:
    T, J, K = map(int, rng.permutation([2, 3, 4]))
    return rng.random((T, int(rng.integers(8, 12)), J)), np.sort(0.6 * rng.random(K)).round(2)


def _couplings_and_votes(rng: np.random.Generator) -> tuple:
    I, J, D_out = map(int, rng.permutation([2, 3, 4]))
    c = rng.random((I, J))
    return (c / c.sum(1, keepdims=True)).round(2), rng.normal(size=(I, J, D_out)).round(1)


def _s(c: np.ndarray, u_hat: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ijd->jd", c, u_hat)


def _lead(lengths: np.ndarray) -> np.ndarray:
    """The longest length minus the second longest, (…, J) to (…)."""
    top = np.sort(lengths, -1)
    return top[..., -1] - top[..., -2]


def _changed(lengths: np.ndarray) -> np.ndarray:
    return lengths[0].argmax(-1) != lengths[-1].argmax(-1)


def _share_without_cases(lengths: np.ndarray, most: np.ndarray) -> np.ndarray:
    """The share that changed, and 0 divided by 0 where no lead is so narrow."""
    narrow = _lead(lengths[0])[:, None] <= most  # (N, K)
    with np.errstate(invalid="ignore"):
        return (narrow & _changed(lengths)[:, None]).sum(0) / narrow.sum(0)


def _share(changed: np.ndarray, quantity: np.ndarray, most: np.ndarray) -> np.ndarray:
    """For each of `most`, the share that changed among those whose quantity is at most that; 0 if there are none."""
    narrow = quantity[:, None] <= most  # (N, K)
    return (narrow & changed[:, None]).sum(0) / np.maximum(narrow.sum(0), 1)


EXERCISES = {
    "settled": Exercise(
        _settled,
        _lengths,
        801,
        ("n",),
        (
            "Find the winner of every iteration first: lengths.argmax(-1) has the shape (T, N).",
            "Compare the winners with those of the last iteration. What matters is the last iteration that differs.",
            "That iteration, counted from 1 (0 if none differs), plus 1. Multiply the array of what differs by "
            "np.arange(1, T + 1)[:, None] and take the maximum over the iterations.",
        ),
        {
            "This is the first iteration with the final winner. It may lose the lead and win it back.": (
                lambda lengths: (lengths.argmax(-1) == lengths[-1].argmax(-1)).argmax(0) + 1
            ),
            "Iterations are counted from 1. Yours are all one too small.": lambda lengths: _settled(lengths) - 1,
            "You counted how often the winner changes, plus 1. When did it change for the last time?": (
                lambda lengths: 1 + (np.diff(lengths.argmax(-1), axis=0) != 0).sum(0)
            ),
            "You compared the first iteration with the last and left out those in between.": (
                lambda lengths: np.where(_changed(lengths), len(lengths), 1)
            ),
        },
        edges=(
            ("a winner that loses its lead and wins it back", (np.array([[[0.6, 0.2]], [[0.3, 0.5]], [[0.9, 0.1]]]),)),
            ("a single iteration", (np.array([[[0.2, 0.6], [0.7, 0.1]]]),)),
        ),
    ),
    "lost_share": Exercise(
        _lost_share,
        _lengths_and_leads,
        802,
        ("k",),
        (
            "For each digit you need two things: its lead at iteration 1, and whether its winner changed.",
            "For each k, choose the digits whose lead is at most most[k]. Then ask which share of these changed.",
            "With narrow = lead[:, None] <= most of shape (N, K), divide (narrow & changed[:, None]).sum(0) "
            "by narrow.sum(0), and by 1 where that is 0.",
        ),
        {
            "This is P(narrow | changed): you divided by the number of changed digits. Turn it round.": (
                lambda lengths, most: (
                    ((_lead(lengths[0])[:, None] <= most) & _changed(lengths)[:, None]).sum(0) / _changed(lengths).sum()
                )
            ),
            "You divided by the number of all digits. Divide by the number of those with so narrow a lead.": (
                lambda lengths, most: ((_lead(lengths[0])[:, None] <= most) & _changed(lengths)[:, None]).mean(0)
            ),
            "Where no lead is so narrow, you divide 0 by 0. The share should be 0 there.": _share_without_cases,
            "You measured the lead at the last iteration. To predict, you have the first one only.": (
                lambda lengths, most: _share(_changed(lengths), _lead(lengths[-1]), most)
            ),
            "Your lead is the longest length minus the shortest. The rival is the second longest.": (
                lambda lengths, most: _share(_changed(lengths), np.ptp(lengths[0], axis=-1), most)
            ),
        },
        edges=(
            (
                "no lead as narrow as that",
                (np.array([[[0.8, 0.1], [0.2, 0.9]], [[0.3, 0.6], [0.1, 0.9]]]), np.array([0.1, 0.2, 0.65])),
            ),
        ),
    ),
    "length_lost": Exercise(
        _length_lost,
        _couplings_and_votes,
        803,
        ("i", "j"),
        (
            "First compute all s_j. What is left without cell i is again a vector: s_j − c_ij û_ij.",
            "Make what is left for all pairs at once, of shape (I, J, D_out); then take lengths over the last axis.",
            "With x = c[..., None] * u_hat and s = x.sum(0), it is length(s) - length(s - x).",
        ),
        {
            "These are the contributions. Without cell i, s_j also turns: compute the length of what is left.": (
                lambda c, u_hat: (
                    c * np.einsum("ijd,jd->ij", u_hat, _s(c, u_hat)) / np.linalg.norm(_s(c, u_hat), axis=-1)
                )
            ),
            "This is what is left. The task asks how much shorter that is than s_j.": (
                lambda c, u_hat: np.linalg.norm(_s(c, u_hat) - c[..., None] * u_hat, axis=-1)
            ),
            "This is the length of the weighted vote itself. Subtract the vote from s_j before you take lengths.": (
                lambda c, u_hat: np.linalg.norm(c[..., None] * u_hat, axis=-1)
            ),
            "You took away the whole vote. Only c_ij û_ij of it is in the sum.": (
                lambda c, u_hat: np.linalg.norm(_s(c, u_hat), axis=-1) - np.linalg.norm(_s(c, u_hat) - u_hat, axis=-1)
            ),
        },
        edges=(
            (
                "a cell whose votes are 0",
                (np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[[0.0, 0]] * 2, [[1, 2]] * 2])),
            ),
            ("a single cell", (np.array([[0.4, 0.6]]), np.array([[[3.0, 4], [-1, 0]]]))),
        ),
    ),
}
