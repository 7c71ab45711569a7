"""Keras' gradients in float64 against central differences of the NumPy form, and at the places where they break."""

import keras
import numpy as np
import pytest
from keras import ops

from capslib import equations as eq
from capslib import models
from capslib.layers import Length, squash
from capslib.losses import margin_loss
from tests.library.test_layers import capsule_for, numpy


def gradient(function, *arrays):
    """Gradients of a scalar function of tensors, on whichever backend Keras runs."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tensors = [tf.constant(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        return [g.numpy() for g in tape.gradient(value, tensors)]
    if backend == "jax":
        import jax

        return [np.asarray(g) for g in jax.grad(function, argnums=tuple(range(len(arrays))))(*map(ops.array, arrays))]
    tensors = [ops.convert_to_tensor(a).requires_grad_(True) for a in arrays]
    function(*tensors).backward()
    return [t.grad.cpu().numpy() for t in tensors]


def central_differences(function, array, h=1e-6):
    slope = np.zeros_like(array)
    for at in np.ndindex(array.shape):
        step = np.zeros_like(array)
        step[at] = h
        slope[at] = (function(array + step) - function(array - step)) / (2 * h)
    return slope


def assert_close(found, expected, relative=1e-5):
    assert np.abs(expected).max() > 1e-3
    assert np.linalg.norm(found - expected) <= relative * np.linalg.norm(expected)


needs_float64 = pytest.mark.skipif(
    keras.backend.backend() == "jax" and ops.array(np.zeros(1)).dtype != np.float64, reason="JAX runs without float64"
)


@needs_float64
@pytest.mark.parametrize("routings", [1, 2, 3, 5])
@pytest.mark.parametrize("share_weights", [True, False])
def test_gradient_through_routing_and_loss(share_weights, routings):
    rng = np.random.default_rng(11)
    u = rng.normal(size=(2, 6, 4))
    W = rng.normal(scale=0.4, size=(4, 3, 5) if share_weights else (6, 4, 3, 5))
    y = np.eye(3)[[0, 2]]
    layer, length = capsule_for(W, routings, "float64"), Length(dtype="float64")
    route = layer._route_shared if share_weights else None

    def keras_loss(u, W):
        from capslib.layers import predict

        v = route(u, W) if share_weights else layer._route(predict(u, W))
        return ops.sum(margin_loss(y, length(v)))

    def numpy_loss(u, W):
        return eq.margin_loss(y, eq.route(eq.predict(u, W), routings).lengths[-1]).sum()

    by_u, by_W = gradient(keras_loss, u, W)
    assert_close(by_u, central_differences(lambda x: numpy_loss(x, W), u))
    assert_close(by_W, central_differences(lambda x: numpy_loss(u, x), W))


@needs_float64
@pytest.mark.parametrize("offset", [0.05, 0.5, 1.0])
def test_gradient_of_squash(offset):
    rng = np.random.default_rng(0)
    s, weight = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    (found,) = gradient(lambda s: ops.sum(squash(s, offset) * ops.convert_to_tensor(weight)), s)
    assert_close(found, central_differences(lambda s: (eq.squash(s, offset) * weight).sum(), s))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("offset", [0.05, 0.5, 1.0])
def test_gradients_at_zero_are_finite(dtype, offset):
    zero = np.zeros((2, 3), dtype)
    (found,) = gradient(lambda s: ops.sum(squash(s, offset)), zero)
    np.testing.assert_allclose(found, np.sqrt(eq.EPSILON) / (offset + eq.EPSILON), rtol=1e-3)
    (found,) = gradient(lambda v: ops.sum(Length(dtype=dtype)(v)), zero)
    assert (found == 0).all()


@pytest.mark.parametrize("build", [models.article_capsnet, models.paper_capsnet])
def test_one_blank_image_leaves_every_weight_finite_after_a_step(build):
    keras.utils.set_random_seed(0)
    model = build()
    model.compile("sgd", loss=margin_loss)
    x = np.zeros((2, 28, 28, 1), np.float32)
    x[1] = np.random.default_rng(0).random((28, 28, 1))
    before = [w.copy() for w in model.get_weights()]
    model.train_on_batch(x, np.eye(10, dtype=np.float32)[[3, 7]])
    after = model.get_weights()
    assert all(np.isfinite(w).all() for w in after)
    assert any((a != b).any() for a, b in zip(after, before, strict=True))
    assert np.isfinite(numpy(model(x))).all()
