"""Everything that the routing of a trained network computes for an image."""

from typing import Any

import numpy as np

from capslib import digits
from capslib.backend import keras
from capslib.equations import AttentionTrace, RoutingTrace, attend, predict, route
from capslib.layers import AttentionCapsule, Capsule


def capsule_inputs(model: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower capsules of a network's capsule layer and its transformation, as NumPy arrays.

    Args:
        model: a functional Keras model with exactly one Capsule or AttentionCapsule layer.
        images: (N, 28, 28, 1), (N, 28, 28) or one image (28, 28); uint8 in 0–255 or float in 0–1.

    Returns:
        u (N, I, D_in) and W (D_in, J, D_out) or (I, D_in, J, D_out), both float32.

    Raises:
        ValueError: naming the argument, if the model has not exactly one such layer or the images are not digits.
    """
    capsule = _capsule_layer(model, Capsule, AttentionCapsule)
    x = digits.as_images(images)
    lower = keras.Model(model.input, capsule.input)
    # A call instead of `predict`, which would compile each of these small models again and warn about it.
    u = [keras.ops.convert_to_numpy(lower(x[start : start + 500])) for start in range(0, len(x), 500)]
    return np.concatenate(u).astype(np.float32), keras.ops.convert_to_numpy(capsule.kernel).astype(np.float32)


def trace(model: keras.Model, images: np.ndarray) -> RoutingTrace:
    """Route images in NumPy exactly as a trained network routes them.

    Args:
        model: a functional Keras model with exactly one Capsule layer, whose activation is squash.
        images: (N, 28, 28, 1), (N, 28, 28) or one image (28, 28); uint8 in 0–255 or float in 0–1.

    Returns:
        A RoutingTrace with T = the layer's routings; its last lengths are `model.predict`'s. For one image,
        the axis B is missing.

    Raises:
        ValueError: naming the argument, if the model does not fit or the images are not digits.
    """
    capsule = _capsule_layer(model, Capsule)
    if capsule.activation != "squash":
        raise ValueError(f"model: got a Capsule layer with activation {capsule.activation!r}, expected 'squash'")
    u, W = capsule_inputs(model, images)
    u_hat = predict(u, W)
    return route(u_hat[0] if np.ndim(images) == 2 else u_hat, capsule.routings, capsule.offset)


def trace_attention(model: keras.Model, images: np.ndarray) -> AttentionTrace:
    """Route images in NumPy exactly as a trained network with self-attention routing routes them.

    Args:
        model: a functional Keras model with exactly one AttentionCapsule layer.
        images: as for `trace`.

    Returns:
        An AttentionTrace, whose lengths are `model.predict`'s. For one image, the axis B is missing.

    Raises:
        ValueError: naming the argument, if the model does not fit or the images are not digits.
    """
    capsule = _capsule_layer(model, AttentionCapsule)
    if not capsule.attention:
        raise ValueError("model: got an AttentionCapsule layer without attention, expected one with it")
    prior = keras.ops.convert_to_numpy(capsule.prior)
    u_hat = predict(*capsule_inputs(model, images))
    return attend(u_hat[0] if np.ndim(images) == 2 else u_hat, prior)


def _capsule_layer(model: keras.Model, *kinds: type[keras.layers.Layer]) -> Any:
    """The one layer of these kinds that a model has."""
    capsules = [layer for layer in model.layers if isinstance(layer, kinds)]
    if len(capsules) != 1:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"model: got {len(capsules)} {wanted} layers in {model.name!r}, expected exactly one")
    return capsules[0]
