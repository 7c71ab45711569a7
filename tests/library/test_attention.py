"""Self-attention routing against plain loops over pairs of votes; its layer against NumPy; Efficient-CapsNet itself."""

import math
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from capslib import digits, models
from capslib import equations as eq
from capslib.layers import AttentionCapsule, ExponentialSquash, Length, exponential_squash
from capslib.tracing import capsule_inputs, trace, trace_attention
from tests.library.strategies import SETTINGS


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def by_loops(u_hat, prior):
    """One example, number by number, with the whole table of attention between the votes for each upper capsule."""
    I, J, D = u_hat.shape
    b, c, s, v = np.zeros((I, J)), np.zeros((I, J)), np.zeros((J, D)), np.zeros((J, D))
    for j in range(J):
        for i in range(I):
            for k in range(I):
                b[i, j] += sum(u_hat[i, j, d] * u_hat[k, j, d] for d in range(D)) / math.sqrt(D)
    for i in range(I):
        for j in range(J):
            c[i, j] = 1 / sum(math.exp(min(b[i, k] - b[i, j], 700)) for k in range(J))
    for j in range(J):
        for d in range(D):
            s[j, d] = sum((c[i, j] + prior[i, j]) * u_hat[i, j, d] for i in range(I))
        x = math.sqrt(sum(s[j] ** 2))
        v[j] = (1 - math.exp(-x)) / x * s[j]
    return b, c, s, v


@st.composite
def cases(draw):
    """u (B, I, D_in), W (I, D_in, J, D_out) and prior (I, J), with votes of standard deviation ½."""
    B, I, J = draw(st.integers(1, 3)), draw(st.integers(1, 8)), draw(st.integers(1, 6))
    D_in, D_out = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    W = rng.normal(scale=0.5 / np.sqrt(D_in), size=(I, D_in, J, D_out))
    return rng.normal(size=(B, I, D_in)), W, rng.normal(scale=0.3, size=(I, J))


def layer_for(W, prior, dtype, **kwargs):
    """An AttentionCapsule that holds exactly W and prior."""
    layer = AttentionCapsule(*W.shape[-2:], dtype=dtype, **kwargs)
    layer.build((None, *W.shape[:2]))
    layer.kernel.assign(W)
    layer.prior.assign(prior)
    return layer


@SETTINGS
@given(cases())
def test_routing_is_that_of_the_table_of_attention_number_by_number(case):
    u, W, prior = case
    u_hat = eq.predict(u, W)
    trace = eq.attend(u_hat, prior)
    for n, votes in enumerate(u_hat):
        expected = by_loops(votes, prior)
        alone = eq.attend(votes, prior)
        for name, quantity in zip("bcsv", expected, strict=True):
            # Where s is tiny, ε shows: squash of a vector of length x is off by about ε / x.
            atol = 1e-4 if name == "v" else 1e-10
            np.testing.assert_allclose(getattr(trace, name)[n], quantity, atol=atol, err_msg=name)
            np.testing.assert_allclose(getattr(alone, name), getattr(trace, name)[n], atol=1e-12, err_msg=name)
    np.testing.assert_allclose(trace.c.sum(-1), 1, atol=1e-12)
    assert trace.lengths.shape == trace.v.shape[:-1] and (trace.lengths < 1).all()


@SETTINGS
@given(cases())
def test_the_layer_equals_numpy(case):
    u, W, prior = case
    single = [array.astype(np.float32) for array in case]
    np.testing.assert_allclose(
        numpy(layer_for(*single[1:], "float32")(single[0])), eq.attend(eq.predict(u, W), prior).v, atol=1e-5
    )
    v = numpy(layer_for(W, prior, "float64")(u))
    np.testing.assert_allclose(v, eq.attend(eq.predict(u, W), prior).v, atol=1e-10)


def test_without_attention_every_coupling_is_the_same():
    rng = np.random.default_rng(4)
    u, W, prior = rng.normal(size=(3, 5, 4)), rng.normal(size=(5, 4, 6, 2)), rng.normal(size=(5, 6))
    layer = layer_for(W, prior, "float64", attention=False)
    u_hat = eq.predict(u, W)
    expected = eq.exponential_squash(eq.weighted_sum(1 / 6 + prior, u_hat))
    np.testing.assert_allclose(numpy(layer(u)), expected, atol=1e-10)
    assert np.abs(expected - eq.attend(u_hat, prior).v).max() > 0.01
    assert not AttentionCapsule.from_config(layer.get_config()).attention
    assert not models.efficient_capsnet(attention=False).get_layer("v").attention


def test_votes_that_agree_win():
    # Four parts, two wholes: the votes for whole 0 are equal, those for whole 1 as long and cancel.
    u_hat = np.array([[[2.0, 0], [2, 0]], [[2, 0], [-2, 0]], [[2, 0], [0, 2]], [[2, 0], [0, -2]]])
    trace = eq.attend(u_hat)
    share = 1 / (1 + math.exp(-16 / math.sqrt(2)))
    np.testing.assert_allclose(trace.c[:, 0], share)
    np.testing.assert_allclose(trace.lengths, [1 - math.exp(-8 * share), 0], atol=1e-6)


def test_the_logits_are_those_of_the_second_iteration_but_for_the_length_of_v():
    u_hat = np.random.default_rng(1).normal(size=(5, 7, 4, 3))
    first = eq.route(u_hat, 1)
    longer = eq.length(u_hat.sum(-3)) / math.sqrt(3) / first.lengths[0]  # (B, J)
    np.testing.assert_allclose(eq.attend(u_hat).b, first.a[0] * longer[:, None], atol=1e-12)


def test_a_prior_counts_beside_the_couplings_and_may_be_negative():
    u_hat = np.random.default_rng(2).normal(size=(6, 3, 4))
    none = eq.attend(u_hat)
    prior = np.zeros((6, 3))
    prior[2, 1] = -2
    some = eq.attend(u_hat, prior)
    np.testing.assert_array_equal(some.c, none.c)
    np.testing.assert_allclose(some.s - none.s, [[0] * 4, -2 * u_hat[2, 1], [0] * 4], atol=1e-12)
    np.testing.assert_allclose(eq.attend(u_hat, 0.5).s, none.s + 0.5 * u_hat.sum(0), atol=1e-12)


def test_exponential_squash_keeps_the_direction_and_nearly_the_length_of_short_vectors():
    s = np.random.default_rng(0).normal(size=(5, 7, 4)) * np.array([1e-2, 0.1, 1, 5, 1e3])[:, None, None]
    v, x = eq.exponential_squash(s), eq.length(s)
    np.testing.assert_allclose(eq.length(v), 1 - np.exp(-x), atol=1e-5)
    np.testing.assert_allclose(np.sum(v * s, -1), eq.length(v) * x, rtol=1e-9)
    np.testing.assert_allclose(eq.exponential_squash(s.swapaxes(0, 2), axis=0), v.swapaxes(0, 2))
    assert (eq.exponential_squash(np.zeros((2, 3))) == 0).all()
    np.testing.assert_allclose(numpy(exponential_squash(ops.convert_to_tensor(s))), v, atol=1e-14)
    single = s.astype(np.float32)
    np.testing.assert_allclose(numpy(ExponentialSquash(dtype="float32")(single)), v, atol=1e-6)


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_finite(policy):
    u = np.random.default_rng(2).normal(size=(2, 16, 8))
    u[0] *= 300  # The sum of squares overflows float16.
    u = ops.cast(u, policy.removeprefix("mixed_"))
    u = ExponentialSquash(dtype=policy)(u)
    layer = AttentionCapsule(10, 16, dtype=policy)
    v = layer(u)
    assert keras.backend.standardize_dtype(v.dtype) == policy.removeprefix("mixed_")
    W, lower = (numpy(ops.cast(x, "float32")) for x in (layer.kernel, u))
    np.testing.assert_allclose(numpy(ops.cast(v, "float32")), eq.attend(eq.predict(lower, W)).v, atol=0.01)
    np.testing.assert_allclose(eq.length(lower)[0], 1, atol=0.01)


def test_slopes_are_finite_where_nothing_is_there():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the tape is TensorFlow's")
    import tensorflow as tf

    layer, u = AttentionCapsule(3, 4), tf.zeros((2, 5, 6))
    layer.build(u.shape)
    with tf.GradientTape() as tape:
        tape.watch(u)
        lengths = Length()(layer(ExponentialSquash()(u)))
        slopes = tape.gradient(ops.sum(lengths), [u, *(weight.value for weight in layer.trainable_weights)])
    assert all(np.isfinite(slope).all() for slope in slopes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: AttentionCapsule(0, 16), "num_capsule: got 0, expected a whole number of at least 1"),
        (lambda: AttentionCapsule(10, 2.5), "dim_capsule: got 2.5"),
        (lambda: AttentionCapsule(10, 16)(np.ones((1, 4, 4, 8))), r"u: got shape .*4, 4, 8\), expected \(B, I, D_in\)"),
        (lambda: AttentionCapsule(10, 16)(keras.Input((None, 8))), "with a fixed I"),
        (lambda: eq.attend(np.ones((3, 4))), r"u_hat: got shape \(3, 4\), expected \(I, J, D\)"),
        (lambda: eq.attend(np.full((2, 3, 4), np.nan)), "u_hat: got NaN"),
        (lambda: eq.attend(np.ones((2, 3, 4)), np.ones((3, 2))), r"prior: got shape \(3, 2\), expected .*\(2, 3\)"),
        (lambda: eq.attend(np.ones((2, 3, 4)), np.inf), "prior: got"),
        (lambda: models.efficient_capsnet("other"), "weights: got 'other'"),
        (lambda: models.efficient_cnn("other"), "weights: got 'other'"),
        (lambda: models.efficient_capsnet("shipped", attention=False), "weights: got 'shipped', expected None"),
        (
            lambda: trace_attention(models.efficient_capsnet(attention=False), np.ones((28, 28))),
            "model: got an AttentionCapsule layer without attention",
        ),
        (lambda: trace(models.efficient_capsnet(), np.ones((28, 28))), "model: got 0 Capsule layers"),
        (lambda: trace_attention(models.article_capsnet(), np.ones((28, 28))), "model: got 0 AttentionCapsule layers"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


TRUNK = [  # layer, output, parameters
    ("image", (28, 28, 1), 0),
    ("conv1", (24, 24, 32), 832),
    ("normal1", (24, 24, 32), 128),
    ("conv2", (22, 22, 64), 18_496),
    ("normal2", (22, 22, 64), 256),
    ("conv3", (20, 20, 64), 36_928),
    ("normal3", (20, 20, 64), 256),
    ("conv4", (9, 9, 128), 73_856),
    ("normal4", (9, 9, 128), 512),
    ("depthwise", (1, 1, 128), 10_496),
]
HEADS = {
    "efficient_capsnet": [("capsules", (16, 8), 0), ("u", (16, 8), 0), ("v", (10, 16), 20_640), ("lengths", (10,), 0)],
    "efficient_cnn": [
        ("flatten", (128,), 0),
        ("features", (128,), 0),
        ("hidden", (148,), 19_092),
        ("probabilities", (10,), 1_490),
    ],
}


@pytest.mark.parametrize(("name", "trained"), [("efficient_capsnet", 161_824), ("efficient_cnn", 161_766)])
def test_both_networks_layer_by_layer(name, trained):
    model = getattr(models, name)()
    assert [(la.name, tuple(la.output.shape[1:]), la.count_params()) for la in model.layers] == TRUNK + HEADS[name]
    # The paper's 161,824 leave out the running means and variances of batch normalisation: 2 (32 + 64 + 64 + 128).
    assert models.trained_parameters(model) == trained == model.count_params() - 576


def test_the_trace_has_the_lengths_of_the_network():
    x = digits.load("bundled").x_test[:16]
    keras.utils.set_random_seed(5)
    model = models.efficient_capsnet()
    layer = model.get_layer("v")
    layer.kernel.assign(10 * numpy(layer.kernel))
    layer.prior.assign(np.random.default_rng(0).normal(scale=0.3, size=(16, 10)))
    found = trace_attention(model, x)
    assert found.c.shape == (16, 16, 10) and np.ptp(found.c) > 0.1
    np.testing.assert_allclose(found.lengths, model.predict(x, verbose=0), atol=1e-5)
    np.testing.assert_allclose(trace_attention(model, x[3, ..., 0]).v, found.v[3], atol=1e-5)
    u, W = capsule_inputs(model, x)
    assert u.shape == (16, 16, 8) and W.shape == (16, 8, 10, 16)


def test_the_shipped_network_reads_as_well_if_no_vote_agrees_with_itself():
    # What the solution of appendix A2's third exercise says.
    data = digits.load("bundled")
    model = models.efficient_capsnet("shipped")
    found = trace_attention(model, data.x_test)
    c = eq.softmax(found.b - np.sum(found.u_hat**2, axis=-1) / np.sqrt(16))
    lengths = eq.length(eq.exponential_squash(eq.weighted_sum(c + found.prior, found.u_hat)))
    wrong, before = (np.sum(one.argmax(1) != data.y_test) for one in (lengths, found.lengths))
    assert np.abs(c - found.c).max() > 0.1 and abs(wrong - before) <= 2


SAVE = """
import sys, numpy as np, keras
from capslib import models
from capslib.losses import margin_loss

x = np.random.default_rng(0).random((3, 28, 28, 1), dtype=np.float32)
"""


def test_a_saved_network_loads_in_safe_mode_in_a_fresh_process(tmp_path):
    # One step of training first, so that prior, means and variances are not those of any fresh network.
    first = SAVE + (
        "model = models.efficient_capsnet(); model.compile('adam', loss=margin_loss)\n"
        "model.fit(x, np.eye(10)[:3], verbose=0)\n"
        "model.save(sys.argv[1] + '/m.keras')\n"
        "np.save(sys.argv[1] + '/y.npy', model.predict(x, verbose=0))"
    )
    second = SAVE + (
        "model = keras.saving.load_model(sys.argv[1] + '/m.keras', safe_mode=True)\n"
        "np.testing.assert_array_equal(model.predict(x, verbose=0), np.load(sys.argv[1] + '/y.npy'))"
    )
    for code in (first, second):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
