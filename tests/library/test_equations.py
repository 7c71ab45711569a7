import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capslib import equations as eq
from tests.library.strategies import SETTINGS, routing_cases


@pytest.mark.parametrize("offset", [0.05, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squash_keeps_direction_and_stays_below_one(offset, dtype):
    norms = np.array([0, 1e-12, 1e-6, 1e-3, 0.1, 0.5, 1, 10, 100], dtype)
    s = norms[:, None] * np.array([0.6, -0.8], dtype)
    v = eq.squash(s, offset)
    assert v.dtype == dtype
    lengths = eq.length(v)
    assert (lengths < 1).all() and lengths[0] == 0
    assert (np.diff(lengths) > 0).all()
    np.testing.assert_allclose(v[1:] / lengths[1:, None], s[1:] / norms[1:, None], rtol=1e-5)


@pytest.mark.parametrize("norm", [1e3, 1e6, 1e12, 1e18])
def test_squash_of_very_long_vectors_is_one_at_most_by_rounding(norm):
    v = eq.squash(np.array([0.6, 0.8], np.float32) * np.float32(norm))
    assert np.isfinite(v).all() and eq.length(v) <= 1 + 1e-6


def test_squash_is_equation_1_away_from_zero():
    s = np.array([3.0, 4.0])
    np.testing.assert_allclose(eq.squash(s, offset=1), 25 / 26 * s / 5, rtol=1e-7)
    np.testing.assert_allclose(eq.squash(s, offset=0.5), 25 / 25.5 * s / 5, rtol=1e-7)


def test_squash_works_along_any_axis():
    s = np.random.default_rng(0).normal(size=(3, 4, 5))
    np.testing.assert_allclose(eq.squash(s, axis=1), np.swapaxes(eq.squash(np.swapaxes(s, 1, 2)), 1, 2))


@pytest.mark.parametrize("offset", [0.05, 0.25, 0.5, 1.0])
def test_slope_of_squash_at_zero_is_finite(offset):
    h = 1e-8
    slope = (eq.squash(np.array([h, 0.0]), offset) - eq.squash(np.array([-h, 0.0]), offset))[0] / (2 * h)
    np.testing.assert_allclose(slope, np.sqrt(eq.EPSILON) / (offset + eq.EPSILON), rtol=1e-6)


@pytest.mark.parametrize("offset", [0, -1, np.nan, np.inf, "1", True])
def test_squash_refuses_other_offsets(offset):
    with pytest.raises(ValueError, match="offset: got .* expected a positive number"):
        eq.squash(np.ones(2), offset)


def test_softmax_is_over_the_upper_capsules_and_survives_large_logits():
    b = np.array([[1000.0, 0.0], [-1000.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(eq.softmax(b), [[1, 0], [0, 1], [0.5, 0.5]])
    np.testing.assert_allclose(eq.softmax(np.log([[1.0, 3.0]])), [[0.25, 0.75]])


@SETTINGS
@given(routing_cases())
def test_votes_are_one_matrix_product_for_each_pair(case):
    u, W, _ = case
    u_hat = eq.predict(u, W)
    B, I, J, D = u_hat.shape
    for i, j in np.ndindex(I, J):
        W_ij = W[:, j] if W.ndim == 3 else W[i, :, j]
        np.testing.assert_allclose(u_hat[:, i, j], u[:, i] @ W_ij, atol=1e-12)
    np.testing.assert_allclose(eq.predict(u[0], W), u_hat[0], atol=1e-12)


@SETTINGS
@given(routing_cases())
def test_every_step_of_a_routing_follows_from_the_one_before(case):
    u, W, iterations = case
    u_hat = eq.predict(u, W)
    trace = eq.route(u_hat, iterations)
    B, I, J, D = u_hat.shape
    assert trace.b.shape == trace.c.shape == trace.a.shape == (iterations, B, I, J)
    assert trace.s.shape == trace.v.shape == (iterations, B, J, D)
    assert trace.lengths.shape == (iterations, B, J) and trace.entropy.shape == (iterations, B, I)
    assert (trace.b[0] == 0).all()
    np.testing.assert_allclose(trace.c[0], 1 / J)
    np.testing.assert_allclose(trace.c.sum(-1), 1, atol=1e-12)
    for t in range(iterations):
        np.testing.assert_allclose(trace.s[t], (trace.c[t][..., None] * u_hat).sum(1), atol=1e-10)
        np.testing.assert_allclose(trace.v[t], eq.squash(trace.s[t], 0.5), atol=1e-12)
        np.testing.assert_allclose(trace.a[t], (u_hat * trace.v[t][:, None]).sum(-1), atol=1e-10)
        if t:
            np.testing.assert_allclose(trace.b[t], trace.b[t - 1] + trace.a[t - 1], atol=1e-12)
            e = np.exp(trace.b[t] - trace.b[t].max(-1, keepdims=True))
            np.testing.assert_allclose(trace.c[t], e / e.sum(-1, keepdims=True), atol=1e-12)
    assert (trace.lengths < 1).all()
    assert (trace.entropy >= 0).all() and (trace.entropy <= np.log(J) + 1e-12).all()
    np.testing.assert_allclose(trace.contribution.sum(-2), eq.length(trace.s), atol=1e-6)


@SETTINGS
@given(routing_cases())
def test_examples_of_a_batch_do_not_touch_each_other(case):
    u, W, iterations = case
    u_hat = eq.predict(u, W)
    batch = eq.route(u_hat, iterations)
    for n in range(len(u_hat)):
        alone = eq.route(u_hat[n], iterations)
        for name in ("b", "c", "s", "v", "a"):
            np.testing.assert_allclose(getattr(alone, name), getattr(batch, name)[:, n], atol=1e-12)
        assert alone.lengths.shape == batch.lengths[:, n].shape


@SETTINGS
@given(routing_cases())
def test_a_softmax_along_the_lower_capsules_shares_each_upper_one_out_among_them(case):
    u, W, iterations = case
    u_hat = eq.predict(u, W)
    trace = eq.route(u_hat, iterations, axis=-2)
    np.testing.assert_allclose(trace.c[0], 1 / u_hat.shape[1])
    np.testing.assert_allclose(trace.c.sum(-2), 1, atol=1e-12)
    for t in range(iterations):
        e = np.exp(trace.b[t] - trace.b[t].max(-2, keepdims=True))
        np.testing.assert_allclose(trace.c[t], e / e.sum(-2, keepdims=True), atol=1e-12)
        np.testing.assert_allclose(trace.s[t], (trace.c[t][..., None] * u_hat).sum(1), atol=1e-10)
        if t:
            np.testing.assert_allclose(trace.b[t], trace.b[t - 1] + trace.a[t - 1], atol=1e-12)


@SETTINGS
@given(routing_cases())
def test_unless_told_otherwise_the_softmax_runs_along_the_upper_capsules(case):
    u, W, iterations = case
    u_hat = eq.predict(u, W)
    untold, told = eq.route(u_hat, iterations), eq.route(u_hat, iterations, 0.5, -1)
    for name in ("b", "c", "s", "v", "a"):
        np.testing.assert_array_equal(getattr(untold, name), getattr(told, name))


# Four votes of length 2: on the first upper capsule they agree, on the second they are orthogonal.
AGREEMENT = {
    1.0: [(0.941, 0.800), (0.973, 0.506), (0.982, 0.081)],
    0.5: [(0.970, 0.889), (0.986, 0.682), (0.991, 0.198)],
}


def agreement_votes():
    return np.stack([np.tile(2 * np.eye(4)[0], (4, 1)), 2 * np.eye(4)], axis=1)


@pytest.mark.parametrize("offset", AGREEMENT)
def test_routing_prefers_the_capsule_on_which_votes_agree(offset):
    trace = eq.route(agreement_votes(), iterations=3, offset=offset)
    np.testing.assert_allclose(trace.lengths, AGREEMENT[offset], atol=6e-4)


def test_equation_4_by_hand():
    y = np.array([[1, 0, 0], [0, 1, 0]])
    lengths = np.array([[0.6, 0.3, 0.1], [1.0, 0.95, 0.0]])
    by_hand = [0.3**2 + 0.5 * 0.2**2, 0.5 * 0.9**2]
    np.testing.assert_allclose(eq.margin_loss(y, lengths), by_hand)
    np.testing.assert_allclose(eq.margin_loss(y, lengths, m_plus=0.8, m_minus=0.2, lam=1), [0.04 + 0.01, 0.64])


def test_the_margin_gradient_is_the_slope_of_the_loss_and_0_from_the_margins_on():
    rng = np.random.default_rng(4)
    y, lengths = (rng.uniform(size=(6, 5)) < 0.4).astype(float), rng.uniform(size=(6, 5))
    for margins in ({}, {"m_plus": 0.7, "m_minus": 0.3, "lam": 0.2}):
        nudges = 1e-6 * np.eye(5)
        up, down = ([eq.margin_loss(y, lengths + sign * d, **margins) for d in nudges] for sign in (1, -1))
        slopes = (np.stack(up, -1) - np.stack(down, -1)) / 2e-6
        np.testing.assert_allclose(eq.margin_gradient(y, lengths, **margins), slopes, atol=1e-8)
    at_rest = eq.margin_gradient([[1, 1, 0, 0]], [[0.9, 0.97, 0.1, 0.02]])
    np.testing.assert_array_equal(at_rest, np.zeros((1, 4)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: eq.predict(np.ones(3), np.ones((3, 2, 2))), r"u: got shape \(3,\), expected \(I, D_in\)"),
        (lambda: eq.predict(np.ones((4, 3)), np.ones((3, 2))), r"W: got shape \(3, 2\), expected \(D_in, J, D_out\)"),
        (lambda: eq.predict(np.ones((4, 3)), np.ones((2, 2, 2))), r"W: got shape \(2, 2, 2\), expected \(3,\)"),
        (lambda: eq.predict(np.ones((4, 3)), np.ones((5, 3, 2, 2))), r"W: got shape .* expected \(4, 3\)"),
        (lambda: eq.route(np.ones((4, 2))), r"u_hat: got shape \(4, 2\), expected \(I, J, D\)"),
        (lambda: eq.route(np.ones((0, 4, 2, 2))), r"u_hat: got shape \(0, 4, 2, 2\)"),
        (lambda: eq.route(np.full((4, 2, 2), np.nan)), "u_hat: got NaN or infinite"),
        (lambda: eq.route(np.ones((4, 2, 2)), 0), "iterations: got 0, expected a whole number of at least 1"),
        (lambda: eq.route(np.ones((4, 2, 2)), 2.0), "iterations: got 2.0"),
        (lambda: eq.route(np.ones((4, 2, 2)), offset=0), "offset: got 0, expected a positive number"),
        (lambda: eq.route(np.ones((4, 2, 2)), axis=1), "axis: got 1, expected a whole number from -2 to -1"),
        (lambda: eq.route(np.ones((4, 2, 2)), axis=-1.0), "axis: got -1.0"),
        (lambda: eq.route(np.ones((4, 2, 2)), axis=None), "axis: got None"),
        (lambda: eq.route("abc"), "u_hat: got type <U3, expected an array of real numbers"),
        (lambda: eq.route([[1], [1, 2]]), r"u_hat: got \[\[1\], \[1, 2\]\], expected an array of numbers"),
        (
            lambda: eq.route(np.ones((4, 2, 2), complex)),
            "u_hat: got type complex128, expected an array of real numbers",
        ),
        (lambda: eq.squash([None, 1]), "s: got type object, expected an array of real numbers"),
        (lambda: eq.margin_loss(np.ones(3), np.ones((1, 3))), r"y_true: got shape \(3,\)"),
        (lambda: eq.margin_loss(np.ones((2, 3)), np.ones((1, 3))), r"y_true: got shape \(2, 3\)"),
        (lambda: eq.margin_gradient(np.ones((2, 3)), np.ones((1, 3))), r"y_true: got shape \(2, 3\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
@SETTINGS
def test_whole_numbers_are_taken_as_float64(x, y):
    s = np.array([int(x), int(y)])
    assert eq.squash(s).dtype == np.float64
    np.testing.assert_array_equal(eq.squash(s), eq.squash(s.astype(float)))


def test_the_equations_stand_on_numpy_alone():
    code = "import sys, capslib.equations; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not {"keras", "tensorflow", "matplotlib", "scipy", "mlxtend", "ipywidgets"} & set(loaded)
