"""EM routing against plain loops, at its edges, and on the poses of lesson 02, where dynamic routing fails."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capslib import equations as eq
from capslib import faces, poses
from tests.library.strategies import SETTINGS

QUANTITIES = ("responsibilities", "means", "variances", "costs", "activations")


def by_loops(votes, a, iterations, beta_a, beta_u, lam, floor):
    """Procedure 1 of Hinton, Sabour and Frosst (2018) for one example, number by number; as many steps as asked."""
    I, J, D = votes.shape
    r = [[1 / J] * J for _ in range(I)]
    trace = []
    for t in range(iterations):
        mean, variance = np.zeros((J, D)), np.zeros((J, D))
        cost, active = np.zeros(J), np.zeros(J)
        for j in range(J):
            data = sum(r[i][j] * a[i] for i in range(I))
            for h in range(D):
                mean[j, h] = sum(r[i][j] * a[i] * votes[i, j, h] for i in range(I)) / data
                squares = sum(r[i][j] * a[i] * (votes[i, j, h] - mean[j, h]) ** 2 for i in range(I))
                variance[j, h] = max(squares / data, floor)
                cost[j] += squares / (2 * variance[j, h]) + data * math.log(2 * math.pi * variance[j, h]) / 2
            active[j] = 1 / (1 + math.exp(-lam[t] * (beta_a[j] - beta_u[j] * data - cost[j])))
        trace.append((np.array(r), mean, variance, cost, active))
        for i in range(I):
            p = [active[j] for j in range(J)]
            for j in range(J):
                for h in range(D):
                    distance = (votes[i, j, h] - mean[j, h]) ** 2 / (2 * variance[j, h])
                    p[j] *= math.exp(-distance) / math.sqrt(2 * math.pi * variance[j, h])
            r[i] = [x / sum(p) for x in p]
    return [np.stack(quantity) for quantity in zip(*trace, strict=True)]


@st.composite
def cases(draw):
    """Votes (I, J, D) with clusters in them, the activations of the lower capsules, and everything else there is."""
    I, J, D = draw(st.integers(1, 8)), draw(st.integers(1, 4)), draw(st.integers(1, 5))
    T = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    votes = rng.normal(size=(I, J, D)) * rng.choice([0.05, 0.5, 2], size=(I, J, 1))
    beta_a, beta_u = rng.normal(scale=2, size=(2, J))
    return votes, rng.uniform(0.1, 1, I), T, beta_a, beta_u, rng.uniform(0.01, 0.3, T), float(rng.uniform(0.02, 0.5))


@SETTINGS
@given(cases())
def test_em_routing_is_the_papers_procedure_number_by_number(case):
    trace = eq.em_route(case[0], *case[1:])
    for name, expected in zip(QUANTITIES, by_loops(*case), strict=True):
        np.testing.assert_allclose(getattr(trace, name), expected, rtol=1e-8, atol=1e-10, err_msg=name)


@SETTINGS
@given(cases(), st.lists(st.integers(1, 3), max_size=2))
def test_shapes_and_ranges_hold_with_any_batch_axes(case, batch):
    votes, a, T, beta_a, beta_u, lam, floor = case
    votes = votes + np.random.default_rng(0).normal(size=(*batch, *votes.shape))
    *lower, J, D = votes.shape
    trace = eq.em_route(votes, a, T, beta_a, beta_u, lam, floor)
    assert trace.responsibilities.shape == (T, *lower, J)
    assert trace.means.shape == trace.variances.shape == (T, *batch, J, D)
    assert trace.costs.shape == trace.activations.shape == (T, *batch, J)
    assert trace.entropy.shape == (T, *lower)
    np.testing.assert_array_equal(trace.responsibilities[0], 1 / J)
    np.testing.assert_allclose(trace.responsibilities.sum(-1), 1, atol=1e-12)
    assert (trace.variances >= floor).all()
    assert (trace.activations >= 0).all() and (trace.activations <= 1).all()
    assert (trace.entropy >= 0).all() and (trace.entropy <= np.log(J) + 1e-12).all()
    for n in np.ndindex(*batch):
        alone = eq.em_route(votes[n], a, T, beta_a, beta_u, lam, floor)
        for name in QUANTITIES:
            np.testing.assert_allclose(getattr(trace, name)[:, *n], getattr(alone, name), rtol=1e-9, atol=1e-12)


def test_every_example_of_a_batch_may_have_activations_of_its_own():
    rng = np.random.default_rng(1)
    votes, a = rng.normal(size=(3, 5, 2, 2)), rng.uniform(size=(3, 5))
    trace = eq.em_route(votes, a)
    for n in range(3):
        np.testing.assert_allclose(trace.means[:, n], eq.em_route(votes[n], a[n]).means)


def test_steps_by_hand():
    """One number per vote: 1 and 3 for the first capsule, 0 and 0 for the second."""
    votes, half = np.array([[[1.0], [0.0]], [[3.0], [0.0]]]), np.full((2, 2), 0.5)
    means, variances, costs, active = eq.m_step(half, votes, np.ones(2), 1.0, 0.0, 0.0, floor=0.25)
    np.testing.assert_allclose(means, [[2], [0]])
    np.testing.assert_allclose(variances, [[1], [0.25]])
    # Each capsule has one vote's worth of data. ½ (ln 2π + 1) where the variance is the votes' own, and
    # ½ ln(2π/4) where it is the floor, to which they add no distance.
    np.testing.assert_allclose(costs, [(math.log(2 * math.pi) + 1) / 2, math.log(math.pi / 2) / 2])
    np.testing.assert_allclose(active, 1 / (1 + np.exp(costs)))
    r = eq.e_step(votes, means, variances, np.array([0.5, 0.5]))
    ratio = math.exp(-0.5) / 2  # Densities e^(−½)/√(2π) and 1/√(2π/4).
    np.testing.assert_allclose(r, [[ratio / (1 + ratio), 1 / (1 + ratio)]] * 2)


def test_where_the_floor_is_not_reached_the_cost_is_equation_1():
    rng = np.random.default_rng(2)
    votes, r, a = rng.normal(size=(6, 3, 4)), eq.softmax(rng.normal(size=(6, 3))), rng.uniform(size=6)
    _, variances, costs, active = eq.m_step(r, votes, a, 0.1, 1.0, 0.5, floor=1e-9)
    data = (r * a[:, None]).sum(0)
    each = np.log(np.sqrt(variances)) + (1 + np.log(2 * np.pi)) / 2
    np.testing.assert_allclose(costs, data * each.sum(-1))
    np.testing.assert_allclose(active, 1 / (1 + np.exp(-0.1 * (1 - 0.5 * data - costs))))  # Eq. 2


def test_unless_told_otherwise_everything_is_active_and_lambda_rises():
    votes = np.random.default_rng(3).normal(size=(5, 3, 2))
    told = eq.em_route(votes, np.ones(5), 3, -2, [-2, -2, -2], [0.05, 0.0975, 0.142625], 0.01)
    for name in QUANTITIES:
        np.testing.assert_allclose(getattr(eq.em_route(votes), name), getattr(told, name))


def test_a_capsule_that_is_not_active_has_no_vote():
    votes = np.random.default_rng(4).normal(size=(5, 3, 2))
    muted, without = eq.em_route(votes, [1, 1, 0, 1, 1]), eq.em_route(votes[[0, 1, 3, 4]])
    for name in QUANTITIES[1:]:
        np.testing.assert_allclose(getattr(muted, name), getattr(without, name))


def test_only_the_ratio_of_activations_moves_a_mean():
    votes, a = np.random.default_rng(9).normal(size=(5, 3, 2)), np.array([0.1, 0.2, 0.4, 0.7, 1])
    for tiny in (1e-12, 1e-30):
        np.testing.assert_allclose(eq.em_route(votes, tiny * a, 1).means, eq.em_route(votes, a, 1).means)


def test_votes_that_coincide_win_over_votes_that_do_not():
    """The case by which lesson 04 tests routing, moved away from zero, and its mirror image."""
    spread = np.array([[2.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 2]])
    for side in (0, 1):
        votes = np.zeros((4, 2, 4))
        votes[:, 1 - side] = spread
        trace = eq.em_route(votes)  # All votes for one capsule are 0: for dynamic routing there would be nothing.
        assert (trace.costs[:, side] < trace.costs[:, 1 - side]).all()
        assert trace.activations[-1, side] > 0.9 > 0.5 > trace.activations[-1, 1 - side]
        assert (trace.responsibilities[-1, :, side] > 0.99).all()


def test_routing_does_not_depend_on_where_zero_is():
    votes = np.random.default_rng(5).normal(size=(6, 3, 2))
    move = np.array([3e5, -5e5])  # Where a difference of squares would lose most of its digits.
    here, there = eq.em_route(votes), eq.em_route(votes + move)
    for name in ("responsibilities", "variances", "costs", "activations"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(there.means, here.means + move)


EDGES = {
    "identical votes": np.full((4, 2, 3), 7.1),
    "one vote": np.ones((1, 2, 3)),
    "zeros": np.zeros((5, 3, 2)),
    "one upper capsule": np.random.default_rng(6).normal(size=(5, 1, 3)),
    "far apart": 1e6 * np.random.default_rng(7).normal(size=(6, 3, 4)),
    "as long as may be": 1e16 * np.random.default_rng(8).uniform(-1, 1, size=(6, 3, 4)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("iterations", [1, 3, 50])
@pytest.mark.parametrize("case", EDGES)
def test_edges_stay_finite_and_keep_their_type(case, iterations, dtype):
    votes = EDGES[case].astype(dtype)
    with np.errstate(all="raise", under="ignore"):
        for a in (None, np.zeros(len(votes)), np.full(len(votes), 1e-30)):
            for lam in (None, 0, 100):
                trace = eq.em_route(votes, a, iterations, lam=lam)
                for name in QUANTITIES:
                    quantity = getattr(trace, name)
                    assert quantity.dtype == dtype and np.isfinite(quantity).all(), name
                np.testing.assert_allclose(trace.responsibilities.sum(-1), 1, atol=1e-5)


def test_a_capsule_without_votes_has_the_mean_of_all_and_costs_nothing():
    votes = np.array([[[1.0], [5.0]], [[3.0], [5.0]]])
    trace = eq.em_route(votes, np.zeros(2), 1)
    np.testing.assert_allclose(trace.means[0], [[2], [5]])
    np.testing.assert_allclose(trace.variances[0], [[1], [0.01]])
    np.testing.assert_array_equal(trace.costs, 0)


VOTES = np.ones((4, 2, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: eq.em_route(np.ones((4, 2))), r"votes: got shape \(4, 2\), expected \(I, J, D\) or \(B, I, J, D\)"),
        (lambda: eq.em_route(np.ones((4, 0, 3))), r"votes: got shape \(4, 0, 3\)"),
        (lambda: eq.em_route(np.full((4, 2, 3), np.inf)), "votes: got NaN or infinite values"),
        (lambda: eq.em_route(VOTES, iterations=0), "iterations: got 0, expected a whole number of at least 1"),
        (lambda: eq.em_route(VOTES, floor=0), "floor: got 0, expected a positive number"),
        (
            lambda: eq.em_route(VOTES, np.ones(2)),
            r"activations: got shape \(2,\), expected one number or shape \(4,\)$",
        ),
        (
            lambda: eq.em_route(np.ones((5, 4, 2, 3)), np.ones((4, 5))),
            r"activations: got shape \(4, 5\), expected one number or shape \(4,\) or \(5, 4\)$",
        ),
        (lambda: eq.em_route(VOTES, [1, 1, 1, 1.5]), "activations: got 1.5, expected a number from 0 to 1"),
        (lambda: eq.em_route(VOTES, [1, 1, 1, np.nan]), "activations: got .*, expected a number from 0 to 1"),
        (
            lambda: eq.em_route(VOTES, beta_a=np.ones(3)),
            r"beta_a: got shape \(3,\), expected .* shape \(2,\)",
        ),
        (lambda: eq.em_route(VOTES, beta_u=np.ones((2, 1))), r"beta_u: got shape \(2, 1\)"),
        (lambda: eq.em_route(VOTES, beta_u=np.nan), "beta_u: got nan, expected a finite number"),
        (lambda: eq.em_route(VOTES, lam=[1, 1]), r"lam: got shape \(2,\), expected one number or shape \(3,\)"),
        (lambda: eq.em_route(VOTES, lam=-1), "lam: got -1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# The face and the car of lesson 02 in 500 poses --------------------------------------------------------------------

N = 500
S = faces.arrangement(faces.Identity())
CAR = poses.pose([-6, 6, 0, 0], [5, 5, 5, -8])
TO_WHOLES = np.linalg.inv(np.stack([S, CAR], axis=1))


@pytest.fixture(scope="module")
def parts():
    """Parts of intact and of swapped faces in the poses that lesson 04 draws: (N, 4, 3, 3) each."""
    rng = np.random.default_rng(0)
    whole = poses.pose(*rng.uniform(-3, 3, (2, N)), rng.uniform(-40, 40, N), rng.uniform(0.5, 1, N))[:, None]
    return whole @ S, whole @ faces.swap_eyes_and_mouth(S)


def places(parts):
    return (parts[..., None, :, :] @ TO_WHOLES)[..., :2, 2]  # (N, I, J, 2)


def judged(of_intact, of_swapped):
    """How often the intact face scores above the swapped one, and how often above the car."""
    return int((of_intact[:, 0] > of_swapped[:, 0]).sum()), int((of_intact[:, 0] > of_intact[:, 1]).sum())


def measured(parts):
    """With the errors of measurement of lesson 02: 0.3 pixels and 3 degrees."""
    right, up, turn = np.random.default_rng(2).normal(size=(3, *parts.shape[:-2]))
    return parts @ poses.pose(0.3 * right, 0.3 * up, 3 * turn)


def test_em_routing_judges_all_500_poses_right_and_dynamic_routing_few(parts):
    intact, swapped = map(places, parts)
    dynamic = [eq.route(votes).lengths[-1] for votes in (intact, swapped)]
    assert judged(*dynamic) == (33, 142)
    by_em = [eq.em_route(votes) for votes in (intact, swapped)]
    assert judged(*(trace.activations[-1] for trace in by_em)) == (N, N)
    assert judged(*(-trace.costs[-1] for trace in by_em)) == (N, N)
    face, car = by_em[0].activations[-1].T
    assert (face > 0.5).all() and (car < 0.5).all() and (by_em[1].activations[-1, :, 0] < 0.5).sum() == 499


def test_with_errors_of_measurement_em_routing_still_does(parts):
    intact, swapped = (places(measured(some)) for some in parts)
    assert judged(*(eq.route(votes).lengths[-1] for votes in (intact, swapped)))[1] < 200
    assert judged(*(eq.em_route(votes).activations[-1] for votes in (intact, swapped))) == (N, N)


def test_with_a_floor_that_is_too_high_it_does_not(parts):
    """At a standard deviation of three pixels, votes that coincide look hardly better than those that do not."""
    intact = places(parts[0])
    assert judged(*(eq.em_route(intact, floor=9.0).activations[-1],) * 2)[1] < N / 2
