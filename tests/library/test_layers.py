import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from capslib import digits
from capslib import equations as eq
from capslib.layers import AttentionCapsule, Capsule, Length, Longest, Mask, Places, PrimaryCapsules, squash
from capslib.losses import margin_loss
from tests.library.strategies import SETTINGS, routing_cases
from tests.library.test_equations import AGREEMENT, agreement_votes


def capsule_for(W, routings, dtype, **kwargs):
    """A Capsule layer that holds exactly W."""
    shared = W.ndim == 3
    layer = Capsule(*W.shape[-2:], routings=routings, share_weights=shared, dtype=dtype, **kwargs)
    layer.build((None, None if shared else W.shape[0], W.shape[-3]))
    layer.kernel.assign(W)
    return layer


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@SETTINGS
@given(routing_cases(vote_std=0.5))
def test_keras_equals_numpy_in_float32(case):
    u, W, routings = case
    u, W = u.astype(np.float32), W.astype(np.float32)
    v = numpy(capsule_for(W, routings, "float32")(u))
    expected = eq.route(eq.predict(u, W), routings).v[-1]
    np.testing.assert_allclose(v, expected, atol=1e-5)


@SETTINGS
@given(routing_cases(vote_std=2.0), st.sampled_from([0.05, 0.5, 1.0]))
def test_keras_equals_numpy_in_float64_for_larger_votes(case, offset):
    u, W, routings = case
    v = numpy(capsule_for(W, routings, "float64", offset=offset)(u))
    np.testing.assert_allclose(v, eq.route(eq.predict(u, W), routings, offset).v[-1], atol=1e-9)


@pytest.mark.parametrize("share_weights", [True, False])
def test_every_number_of_iterations_is_the_one_of_the_trace(share_weights):
    rng = np.random.default_rng(3)
    u = rng.normal(size=(2, 49, 32))
    W = rng.normal(scale=0.1, size=(32, 10, 30) if share_weights else (49, 32, 10, 30))
    trace = eq.route(eq.predict(u, W), 8)
    for t in range(8):
        v = numpy(capsule_for(W, t + 1, "float64")(u))
        np.testing.assert_allclose(v, trace.v[t], atol=1e-10)
        assert t == 0 or np.abs(v - trace.v[t - 1]).max() > 1e-3  # so that one too many or too few is seen


@pytest.mark.parametrize("share_weights", [True, False])
@pytest.mark.parametrize("offset", AGREEMENT)
def test_the_layer_prefers_the_capsule_on_which_votes_agree(offset, share_weights):
    # u_i one-hot makes W a table of votes; W[i] is the vote of the i-th, whether it is shared or not.
    votes = agreement_votes()
    W = votes if share_weights else np.tile(votes, (4, 1, 1, 1))
    for t, expected in enumerate(AGREEMENT[offset]):
        v = numpy(capsule_for(W, t + 1, "float64", offset=offset)(np.eye(4)[None]))
        np.testing.assert_allclose(eq.length(v)[0], expected, atol=6e-4)


@pytest.mark.parametrize("share_weights", [True, False])
def test_a_batch_of_one_equals_the_same_row_in_a_batch(share_weights):
    rng = np.random.default_rng(5)
    u = rng.normal(size=(64, 49, 32)).astype(np.float32)
    W = rng.normal(scale=0.1, size=(32, 10, 30) if share_weights else (49, 32, 10, 30)).astype(np.float32)
    layer = capsule_for(W, 5, "float32")
    whole = numpy(layer(u))
    for row in (0, 17, 63):
        np.testing.assert_allclose(numpy(layer(u[row : row + 1]))[0], whole[row], atol=1e-5)


def test_order_of_the_lower_capsules_matters_only_when_weights_are_not_shared():
    rng = np.random.default_rng(7)
    u = rng.normal(size=(2, 49, 32))
    mixed = u[:, rng.permutation(49)]
    shared = capsule_for(rng.normal(scale=0.1, size=(32, 10, 30)), 3, "float64")
    unshared = capsule_for(rng.normal(scale=0.1, size=(49, 32, 10, 30)), 3, "float64")
    np.testing.assert_allclose(numpy(shared(u)), numpy(shared(mixed)), atol=1e-10)
    assert np.abs(numpy(unshared(u)) - numpy(unshared(mixed))).max() > 0.01


def test_kernel_and_first_weights_are_the_articles():
    for share_weights, lower in ((True, ()), (False, (49,))):
        keras.utils.set_random_seed(1)
        layer = Capsule(10, 30, share_weights=share_weights)
        layer.build((None, 49, 32))
        assert layer.kernel.shape == (*lower, 32, 10, 30)
        limit = np.sqrt(6 / (32 + 300))
        W = numpy(layer.kernel)
        assert W.min() >= -limit and W.max() <= limit and W.max() > 0.98 * limit


@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_float16"])
def test_shared_weights_start_with_the_numbers_of_keras_own_initializer_in_the_articles_layout(dtype):
    keras.utils.set_random_seed(3)
    layer = Capsule(10, 30, dtype=dtype)
    layer.build((None, 49, 32))
    keras.utils.set_random_seed(3)
    article = keras.initializers.GlorotUniform()((1, 32, 300), dtype=layer.variable_dtype)
    np.testing.assert_array_equal(numpy(layer.kernel), numpy(article).reshape(32, 10, 30))


@pytest.mark.parametrize("I", [1, 49, 1152])
def test_votes_start_alike_however_many_lower_capsules_there_are(I):
    J, D_in, D_out = 10, 8, 16
    expected = np.sqrt(D_in * 2 / (D_in + J * D_out))  # Glorot's variance, D_in times
    rng = np.random.default_rng(I)
    for share_weights in (True, False):
        keras.utils.set_random_seed(0)
        layer = Capsule(J, D_out, share_weights=share_weights)
        layer.build((None, I, D_in))
        u = rng.normal(size=(-(-20_000 // I), I, D_in))
        u_hat = eq.predict(u, numpy(layer.kernel))  # (B, I, J, D_out)
        np.testing.assert_allclose(u_hat.std(), expected, rtol=0.08)
        W = numpy(layer.kernel)
        np.testing.assert_allclose(W.std(), expected / np.sqrt(D_in), rtol=0.05)


def test_two_unshared_layers_in_a_row_learn_to_read():
    data = digits.load("bundled")
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1))
    u = PrimaryCapsules(4, 8, strides=5, offset=0.5)(image)
    v = Capsule(10, 8, routings=2, share_weights=False)(u)
    v = Capsule(10, 8, routings=2, share_weights=False)(v)
    model = keras.Model(image, Length()(v))
    model.compile(keras.optimizers.Adam(3e-3), loss=margin_loss, metrics=["accuracy"])
    model.fit(data.x_train, digits.one_hot(data.y_train), batch_size=40, epochs=2, verbose=0)
    accuracy = np.mean(model.predict(data.x_val, verbose=0).argmax(-1) == data.y_val)
    assert accuracy > 0.75  # 0.88 on one machine; with I among the fans 0.10.


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("share_weights", [True, False])
def test_half_precision_stays_finite(policy, share_weights):
    rng = np.random.default_rng(2)
    u = ops.cast(rng.normal(scale=30, size=(2, 49, 32)), policy.removeprefix("mixed_"))  # ‖s‖² overflows float16
    layer = Capsule(10, 30, share_weights=share_weights, dtype=policy)
    v = layer(u)
    lengths = Length(dtype=policy)(v)
    assert keras.backend.standardize_dtype(v.dtype) == policy.removeprefix("mixed_")
    assert np.isfinite(numpy(ops.cast(v, "float32"))).all()
    W = numpy(ops.cast(layer.kernel, "float32"))
    expected = eq.route(eq.predict(numpy(ops.cast(u, "float32")), W)).lengths[-1]
    np.testing.assert_allclose(numpy(ops.cast(lengths, "float32")), expected, atol=0.02)


@pytest.mark.parametrize("name", ["relu", "tanh", "linear", "softmax", "gelu", "leaky_relu", None])
def test_activations_of_keras_go_by_name(name):
    layer = Capsule(3, 4, routings=2, activation=name)
    u = np.random.default_rng(0).normal(size=(2, 5, 6)).astype(np.float32)
    activate = keras.activations.get(name)
    u_hat = eq.predict(u, (layer(u), numpy(layer.kernel))[1])
    v = numpy(activate(ops.convert_to_tensor(u_hat.sum(1) / 3)))
    c = eq.softmax(eq.agreement(u_hat, v))
    expected = numpy(activate(ops.convert_to_tensor(eq.weighted_sum(c, u_hat))))
    np.testing.assert_allclose(numpy(layer(u)), expected, atol=1e-5)
    again = Capsule.from_config(layer.get_config())
    again.build((None, 5, 6))
    again.kernel.assign(layer.kernel)
    np.testing.assert_array_equal(numpy(again(u)), numpy(layer(u)))


def test_an_activation_that_a_file_could_not_name_fails_when_saving():
    def halve(s):
        return s / 2

    layer = Capsule(3, 4, activation=halve)
    layer(np.ones((1, 5, 6), np.float32))
    with pytest.raises(ValueError, match="activation: got the unregistered callable 'halve'"):
        layer.get_config()
    with pytest.raises(ValueError, match="activation: got the unregistered callable '<lambda>'"):
        Capsule(3, 4, activation=lambda s: s).get_config()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_capsule": 0}, "num_capsule: got 0, expected a whole number of at least 1"),
        ({"dim_capsule": -1}, "dim_capsule: got -1"),
        ({"routings": 0}, "routings: got 0"),
        ({"routings": 2.5}, "routings: got 2.5"),
        ({"offset": 0}, "offset: got 0, expected a positive number"),
        ({"activation": "sqush"}, "activation: got 'sqush', expected 'squash', the name of a Keras activation"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Capsule(**{"num_capsule": 10, "dim_capsule": 16, **arguments})


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"u: got shape .*7, 7, 32\), expected \(B, I, D_in\)"):
        Capsule(10, 16)(np.ones((1, 7, 7, 32), np.float32))
    with pytest.raises(ValueError, match="expected a fixed I because share_weights is False"):
        Capsule(10, 16, share_weights=False)(keras.Input((None, 8)))
    with pytest.raises(ValueError, match="channels: got 0"):
        PrimaryCapsules(0, 8)


@pytest.mark.parametrize("described", [False, True])
@pytest.mark.parametrize(
    ("layer", "shapes", "expected"),
    [
        (Capsule(3, 4), [(7, 6), (5, 7), (5,), (1, 5, 6)], r"\(B, I, 6\) to fit W \(6, 3, 4\)"),
        (Capsule(3, 4, share_weights=False), [(5, 7), (4, 6), (5,)], r"\(B, 5, 6\) to fit W \(5, 6, 3, 4\)"),
        (AttentionCapsule(3, 4), [(5, 7), (4, 6), (5,), (1, 5, 6)], r"\(B, 5, 6\) to fit W \(5, 6, 3, 4\)"),
    ],
)
def test_a_built_layer_names_an_input_that_does_not_fit(layer, shapes, expected, described):
    layer(np.ones((2, 5, 6), np.float32))
    make = keras.Input if described else lambda shape: np.ones((2, *shape), np.float32)
    for shape in shapes:
        if shape == (7, 6):  # Shared weights take any number of lower capsules.
            assert layer(make(shape)).shape[1:] == (3, 4)
            continue
        given = ", ".join(map(str, shape))
        with pytest.raises(ValueError, match=rf"u: got shape .*, {given}\), expected {expected}"):
            layer(make(shape))
    assert layer(keras.Input((5, 6))).shape == (None, 3, 4)
    assert layer(keras.Input((None, 6))).shape == (None, 3, 4)


def test_primary_capsules_keep_position_and_channel_apart():
    layer = PrimaryCapsules(channels=2, dim_capsule=3, kernel_size=1, strides=1, offset=1.0)
    x = np.random.default_rng(0).normal(size=(1, 2, 2, 4)).astype(np.float32)
    v = numpy(layer(x))
    kernel, bias = (numpy(w) for w in layer.conv.weights)
    expected = [
        eq.squash(x[0, row, column] @ kernel[0, 0][:, 3 * channel : 3 * channel + 3], 1.0)
        for row in range(2)
        for column in range(2)
        for channel in range(2)
    ]
    assert (bias == 0).all()
    np.testing.assert_allclose(v[0], expected, atol=1e-6)


@pytest.mark.parametrize("size", [(None, 24), (23, None), (None, None)])
def test_primary_capsules_take_pictures_of_any_size(size):
    image = keras.Input((*size, 2))
    layer = PrimaryCapsules(channels=3, dim_capsule=4, kernel_size=5, strides=2)
    u = layer(image)
    assert tuple(u.shape) == tuple(layer.compute_output_shape(image.shape)) == (None, None, 4)
    v = Capsule(6, 5)(u)
    model = keras.Model(image, [u, Length()(v)])
    rng = np.random.default_rng(0)
    for more in (0, 2, 4):  # From the second size on, TensorFlow traces one graph for all sizes.
        height, width = (known or smallest + more for known, smallest in zip(size, (23, 24), strict=True))
        x = rng.normal(size=(2, height, width, 2)).astype(np.float32)
        found, lengths = model.predict(x, verbose=0)
        assert found.shape == (2, ((height - 3) // 2) * ((width - 3) // 2) * 3, 4) and lengths.shape == (2, 6)
        np.testing.assert_allclose(found, numpy(layer(x)), atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_places_say_where_each_cell_lies(policy):
    grid = np.random.default_rng(0).random((2, 3, 5, 4), np.float32)
    found = numpy(ops.cast(Places(dtype=policy)(grid), "float32"))
    assert found.shape == (2, 3, 5, 6)
    np.testing.assert_allclose(found[..., :4], grid, atol=1e-3)
    for n, row, column in np.ndindex(2, 3, 5):  # x to the right, y up, both from −1 to 1.
        np.testing.assert_allclose(found[n, row, column, 4:], [-1 + column / 2, 1 - row], atol=1e-3)


@pytest.mark.parametrize("size", [(None, 5), (3, None), (None, None)])
def test_places_take_grids_of_any_size(size):
    image = keras.Input((*size, 2))
    layer = Places()
    model = keras.Model(image, layer(image))
    assert model.output.shape == layer.compute_output_shape(image.shape) == (None, *size, 4)
    for shape in ((2, 3, 5, 2), (1, 3, 5, 2)):
        x = np.zeros(shape, np.float32)
        np.testing.assert_allclose(model.predict(x, verbose=0), numpy(layer(x)))


def test_places_of_something_else_are_refused():
    with pytest.raises(ValueError, match=r"grid: got shape \(2, 3, 4\), expected \(B, H, W, C\)"):
        Places()(np.zeros((2, 3, 4)))


EMPTY = [
    (lambda x: Capsule(3, 4)(x), (0, 5, 6), (0, 3, 4)),
    (lambda x: Capsule(3, 4, share_weights=False)(x), (0, 5, 6), (0, 3, 4)),
    (lambda x: Capsule(3, 4, routings=1)(x), (0, 5, 6), (0, 3, 4)),
    (lambda x: Capsule(3, 4, activation="softmax", dtype="mixed_bfloat16")(x), (0, 5, 6), (0, 3, 4)),
    (lambda x: Capsule(3, 4)(x), (2, 0, 6), (2, 3, 4)),  # no lower capsule: nothing votes, and v is zero
    (lambda x: Capsule(3, 4, share_weights=False)(x), (2, 0, 6), (2, 3, 4)),
    (lambda x: PrimaryCapsules(2, 3)(x), (0, 28, 28, 1), (0, 200, 3)),
    (lambda x: Length()(x), (0, 3, 4), (0, 3)),
    (lambda x: Mask()(x), (0, 3, 4), (0, 3, 4)),
    (eq.mask, (0, 3, 4), (0, 3, 4)),
    (lambda x: Longest(2)(x), (0, 3, 4), (0, 2, 3)),
    (squash, (0, 3, 4), (0, 3, 4)),
    (lambda x: margin_loss(x, x), (0, 10), (0,)),
    (eq.squash, (0, 3, 4), (0, 3, 4)),
    (eq.length, (0, 3, 4), (0, 3)),
    (eq.softmax, (0, 5, 3), (0, 5, 3)),
    (lambda u: eq.predict(u, np.ones((6, 3, 4))), (0, 5, 6), (0, 5, 3, 4)),
    (lambda x: eq.margin_loss(x, x), (0, 10), (0,)),
    (lambda x: eq.margin_gradient(x, x), (0, 10), (0, 10)),
]


@pytest.mark.parametrize(("function", "shape", "expected"), EMPTY, ids=[f"{n}" for n in range(len(EMPTY))])
def test_nothing_in_gives_nothing_out(function, shape, expected):
    found = function(np.zeros(shape, np.float32))
    assert tuple(found.shape) == expected and not np.any(numpy(ops.cast(found, "float32")))


def test_length_is_exact_and_zero_at_zero():
    v = np.array([[[3.0, 4.0], [0.0, 0.0], [1e-30, 0.0]]])
    np.testing.assert_allclose(numpy(Length(dtype="float64")(v)), [[5, 0, 1e-30]])


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_the_mask_keeps_the_label_or_else_the_longest_capsule(policy):
    rng = np.random.default_rng(5)
    v, label = rng.normal(size=(6, 4, 3)).astype(np.float32), np.eye(4)[rng.integers(0, 4, 6)]
    layer = Mask(dtype=policy)
    for arguments in ((v,), (v, label)):
        kept = layer(*arguments)
        assert keras.backend.standardize_dtype(kept.dtype) == layer.compute_dtype
        np.testing.assert_allclose(numpy(ops.cast(kept, "float32")), eq.mask(*arguments), atol=0.02)
    longest = np.linalg.norm(v, axis=-1).argmax(-1)
    np.testing.assert_array_equal(np.abs(eq.mask(v)).sum(-1).argmax(-1), longest)
    assert ((eq.mask(v) != 0).any(-1).sum(-1) == 1).all()
    np.testing.assert_array_equal(eq.mask(v, label)[label == 1], v[label == 1])


@pytest.mark.parametrize("mask", [lambda *given: Mask()(*given), eq.mask], ids=["Keras", "NumPy"])
def test_a_mask_of_another_shape_is_named(mask):
    with pytest.raises(ValueError, match=r"v: got shape \(2, 3\), expected \(B, J, D\)"):
        mask(np.ones((2, 3), np.float32))
    for shape in ((2,), (2, 4), (2, 3, 1)):
        with pytest.raises(ValueError, match=r"label: got shape .* expected one-hot \(B, J\) like v \(2, 3, 5\)"):
            mask(np.ones((2, 3, 5), np.float32), np.ones(shape, np.float32))


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_longest_capsules_are_labels_in_the_order_of_their_lengths(policy, count):
    v = np.random.default_rng(5).normal(size=(6, 4, 3)).astype(np.float32)
    layer = Longest(count, dtype=policy)
    found = numpy(ops.cast(layer(v), "float32"))
    order = np.linalg.norm(v, axis=-1).argsort(-1)[:, ::-1][:, :count]
    np.testing.assert_array_equal(found, np.eye(4)[order])
    assert layer.compute_output_shape((None, 4, 3)) == (None, count, 4)
    assert Longest.from_config(layer.get_config()).count == count


def test_more_capsules_than_there_are_cannot_be_the_longest():
    with pytest.raises(ValueError, match="count: got 0, expected a whole number of at least 1"):
        Longest(0)
    for shape in ((2, 3), (2, 2, 5)):
        with pytest.raises(ValueError, match=r"v: got shape .* expected \(B, J, D\) with J at least 3"):
            Longest(3)(np.ones(shape, np.float32))


SAVE = """
import sys, numpy as np, keras
from keras import layers
from capslib.layers import Capsule, Length, Mask, PrimaryCapsules
from capslib.losses import margin_loss

@keras.saving.register_keras_serializable(package="test")
def halve(s):
    return s / 2

def build():
    image = keras.Input((28, 28, 1))
    u = PrimaryCapsules(2, 8, kernel_size=9, strides=9)(image)
    v = Capsule(6, 5, share_weights=False, offset=1.0)(u)
    v = Capsule(5, 4, activation=halve)(v)
    v = Mask()(Capsule(4, 4, activation="tanh")(v))
    return keras.Model(image, Length()(Capsule(10, 16, routings=2, offset=0.25)(v)))
"""


def test_a_saved_model_loads_in_safe_mode_in_a_fresh_process(tmp_path):
    x = tmp_path / "x.npy"
    np.save(x, np.random.default_rng(0).random((3, 28, 28, 1), dtype=np.float32))
    first = SAVE + (
        "model = build(); model.compile('adam', loss=margin_loss)\n"
        "model.save(sys.argv[1] + '/m.keras')\n"
        "np.save(sys.argv[1] + '/y.npy', model.predict(np.load(sys.argv[1] + '/x.npy'), verbose=0))"
    )
    second = SAVE + (
        "model = keras.saving.load_model(sys.argv[1] + '/m.keras', safe_mode=True)\n"
        "assert model.loss is margin_loss, model.loss\n"
        "y = model.predict(np.load(sys.argv[1] + '/x.npy'), verbose=0)\n"
        "np.testing.assert_array_equal(y, np.load(sys.argv[1] + '/y.npy'))\n"
        "assert not any(isinstance(l, layers.Lambda) for l in model.layers)"
    )
    for code in (first, second):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("offset", [0.05, 0.5, 1.0])
def test_squash_equals_numpy(offset):
    s = np.random.default_rng(0).normal(size=(4, 5, 6)) * np.array([0, 1e-9, 1, 50])[:, None, None]
    np.testing.assert_allclose(numpy(squash(ops.convert_to_tensor(s), offset)), eq.squash(s, offset), atol=1e-14)
