"""The forward passes of the shipped networks in NumPy, computed from their arrays alone, without Keras.

Layers are named as in Keras, and as in the widgets' network.js. Arrays are batch first and keep their channels last.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import check_count, check_floats
from capslib.digits import as_images
from capslib.equations import RoutingTrace, predict, route, softmax, squash

CELLS, CLASSES = 49, 10
"""How many places the trunk's features have, 7×7, and how many digits there are."""

_TRUNK = {
    "conv1.kernel": (5, 5, 1, "F1"),
    "conv1.bias": ("F1",),
    "conv2.kernel": (5, 5, "F1", "F2"),
    "conv2.bias": ("F2",),
}
_MIX = {"mix.kernel": (1, 1, "F2", "M"), "mix.bias": ("M",), "probabilities.kernel": ("49·M", CLASSES)}
_HIDDEN = {"hidden.kernel": ("F2", "H"), "hidden.bias": ("H",), "probabilities.kernel": ("H", CLASSES)}
_BIAS = {"probabilities.bias": (CLASSES,)}
_PRIMARY = {
    "conv1.kernel": (9, 9, 1, "F"),
    "conv1.bias": ("F",),
    "u.conv.kernel": (9, 9, "F", "C·D_in"),
    "u.conv.bias": ("C·D_in",),
    "v.W": ("I", "D_in", CLASSES, "D"),
}
_DECODER = {
    "decode1.kernel": ("10·D", "H1"),
    "decode1.bias": ("H1",),
    "decode2.kernel": ("H1", "H2"),
    "decode2.bias": ("H2",),
    "decode3.kernel": ("H2", 28 * 28),
    "decode3.bias": (28 * 28,),
}
NETWORKS = {
    "capsnet": [{**_TRUNK, "v.W": ("F2", CLASSES, "D")}],
    "cnn": [{**_TRUNK, **_MIX, **_BIAS}, {**_TRUNK, **_HIDDEN, **_BIAS}],
    "pose_capsnet": [{**_PRIMARY, **_DECODER}, _PRIMARY],
    "decoder": [_DECODER],
}
"""Names and shapes of a network's arrays, in the order of its layers, for each of its heads; a letter is a size that
must be the same wherever it stands."""


def check_weights(name: str, weights: Mapping[str, ArrayLike], network: str) -> dict[str, np.ndarray]:
    """A network's arrays by name, checked.

    Args:
        name: the argument's name for the message.
        weights: dict from a parameter's name to its array, as `weights.arrays` gives it.
        network: which of NETWORKS they should fit.

    Returns:
        A dict of little-endian float32, in the order of the layers.

    Raises:
        ValueError: if the names or shapes do not fit the network, or a number is not real and finite.
    """
    given = set(weights) if isinstance(weights, dict) else set()
    shapes = next((one for one in NETWORKS[network] if one.keys() == given), None)
    if shapes is None:
        expected = " or ".join(", ".join(one) for one in NETWORKS[network])
        found = ", ".join(map(str, weights)) if isinstance(weights, dict) else type(weights).__name__
        raise ValueError(f"{name}: got {found or 'no arrays'}, expected a dict of arrays {expected}")
    sizes: dict[int | str, int] = {}
    checked: dict[str, np.ndarray] = {}
    for key, shape in shapes.items():
        known = tuple(sizes.get(size, size) for size in shape)
        x = checked[key] = check_floats(f'{name}["{key}"]', weights[key], known)
        sizes.update(zip(shape, x.shape, strict=True))
        if "M" in sizes:
            sizes["49·M"] = CELLS * sizes["M"]
        if "D" in sizes:
            sizes["10·D"] = CLASSES * sizes["D"]
    return checked


def convolution(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolution with stride 1 and zeros around the image, so that its size stays ("same").

    y_hwf = bias_f + Σ_pqc x_(h+p−K/2)(w+q−K/2)c kernel_pqcf: a correlation, as in Keras; nothing is flipped.

    Args:
        x: (B, H, W, C).
        kernel: (K, K, C, F), K odd.
        bias: (F,).

    Returns:
        y, (B, H, W, F).
    """
    around = (len(kernel) // 2, len(kernel) // 2)
    return valid_convolution(np.pad(x, ((0, 0), around, around, (0, 0))), kernel, bias)


def valid_convolution(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int = 1) -> np.ndarray:
    """Convolution wherever the kernel lies within the image, in steps of `stride` ("valid").

    y_hwf = bias_f + Σ_pqc x_(h·stride+p)(w·stride+q)c kernel_pqcf

    Args:
        x: (B, H, W, C).
        kernel: (K, K, C, F).
        bias: (F,).
        stride: at least 1.

    Returns:
        y, (B, (H − K) // stride + 1, (W − K) // stride + 1, F).
    """
    K = len(kernel)
    windows = np.lib.stride_tricks.sliding_window_view(x, (K, K), (1, 2))  # (B, H', W', C, K, K)
    return np.tensordot(windows[:, ::stride, ::stride], kernel, ((4, 5, 3), (0, 1, 2))) + bias


def max_pooling(x: np.ndarray) -> np.ndarray:
    """The largest value in each 2×2 square: (B, H, W, C) → (B, H/2, W/2, C), H and W even."""
    B, H, W, C = x.shape
    return x.reshape(B, H // 2, 2, W // 2, 2, C).max((2, 4))


def trunk(images: ArrayLike, weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """The trunk that all networks of the course share: two 5×5 convolutions, each with ReLU and 2×2 max-pooling.

    Args:
        images: (B, 28, 28, 1), (B, 28, 28) or one image (28, 28); uint8 in 0–255 or float in 0–1.
        weights: a network's arrays, as `check_weights` gives them.

    Returns:
        Features float32 (B, 7, 7, F2), which the capsule network reads as 49 lower capsules u. For one
        image, the axis B is missing.

    Raises:
        ValueError: naming `images`, if they do not fit.
    """
    x = as_images(images)
    for layer in ("conv1", "conv2"):
        x = max_pooling(np.maximum(convolution(x, weights[f"{layer}.kernel"], weights[f"{layer}.bias"]), 0))
    return x[0] if np.ndim(images) == 2 else x


def capsnet(
    images: ArrayLike, weights: Mapping[str, ArrayLike], routings: int = 5, offset: float = 0.5
) -> RoutingTrace:
    """The article's network.

    Args:
        images: as for `trunk`.
        weights: its arrays by name, as in article_capsnet.npz: the trunk's "conv1.kernel" (5, 5, 1, F1), "conv1.bias",
            "conv2.kernel" (5, 5, F1, F2) and "conv2.bias", then "v.W" (F2, 10, D).
        routings: iterations of routing; 5 in the shipped network.
        offset: of the squash.

    Returns:
        The RoutingTrace of 49 lower and 10 upper capsules; the last of its lengths are the network's answer. For one
            image, the axis B is missing.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    weights = check_weights("weights", weights, "capsnet")
    check_count("routings", routings)
    features = trunk(images, weights)  # (B, 7, 7, F2)
    u = features.reshape(*features.shape[:-3], CELLS, -1)  # (B, 49, F2)
    return route(predict(u, weights["v.W"]), routings, offset)


def cnn(images: ArrayLike, weights: Mapping[str, ArrayLike]) -> np.ndarray:
    """A plain CNN with the same trunk; its arrays tell which of the two heads it has.

    Args:
        images: as for `trunk`.
        weights: its arrays by name, as in matched_cnn_flatten.npz or matched_cnn_global.npz: the trunk's, then either
            "mix.kernel" (1, 1, F2, M) and "mix.bias", a 1×1 convolution that is flattened, or "hidden.kernel" (F2, H)
            and "hidden.bias", a layer after the global average; then "probabilities.kernel" and "probabilities.bias".

    Returns:
        Probabilities of the 10 digits, float32 (B, 10). For one image, the axis B is missing.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    weights = check_weights("weights", weights, "cnn")
    x = trunk(images, weights)  # (B, 7, 7, F2)
    if "mix.kernel" in weights:
        x = np.maximum(x @ weights["mix.kernel"][0, 0] + weights["mix.bias"], 0)
        x = x.reshape(*x.shape[:-3], -1)  # (B, 49·M)
    else:
        x = np.maximum(x.mean((-3, -2)) @ weights["hidden.kernel"] + weights["hidden.bias"], 0)  # (B, H)
    return softmax(x @ weights["probabilities.kernel"] + weights["probabilities.bias"])


def pose_capsnet(
    images: ArrayLike, weights: Mapping[str, ArrayLike], routings: int = 3, offset: float = 1.0
) -> RoutingTrace:
    """The paper's architecture in small, without its decoder.

    Args:
        images: as for `trunk`.
        weights: its arrays by name, as in pose_capsnet.npz; those of the decoder may be missing.
        routings: iterations of routing; 3 in the shipped network.
        offset: of both squashes.

    Returns:
        The RoutingTrace of I lower and 10 upper capsules. For one image, the axis B is missing.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    weights = check_weights("weights", weights, "pose_capsnet")
    check_count("routings", routings)
    W = weights["v.W"]  # (I, D_in, 10, D)
    x = valid_convolution(as_images(images), weights["conv1.kernel"], weights["conv1.bias"])
    s = valid_convolution(np.maximum(x, 0), weights["u.conv.kernel"], weights["u.conv.bias"], stride=2)
    u = squash(s.reshape(len(s), -1, W.shape[1]), offset)  # (B, I, D_in)
    u_hat = predict(u, W)
    return route(u_hat[0] if np.ndim(images) == 2 else u_hat, routings, offset)


def decode(v: ArrayLike, weights: Mapping[str, ArrayLike]) -> np.ndarray:
    """The decoder: masked capsules → pixels, through two layers with ReLU and one with a sigmoid.   (Figure 2)

    Args:
        v: capsules (B, 10, D), of which all but one are usually zero (`equations.mask`), or those of one image (10, D).
        weights: the decoder's arrays by name, "decode1.kernel" (10·D, H1) to "decode3.bias" (784,); all those of
            pose_capsnet.npz will do.

    Returns:
        Images, float32 (B, 28, 28, 1) in 0–1. For one image (10, D), (28, 28).

    Raises:
        ValueError: naming the argument that does not fit.
    """
    from scipy.special import expit  # A browser would have to load SciPy, and few lessons decode.

    kept = {key: array for key, array in weights.items() if key in _DECODER} if isinstance(weights, dict) else weights
    weights = check_weights("weights", kept, "decoder")
    D = len(weights["decode1.kernel"]) // CLASSES
    many = np.ndim(v) != 2
    x = check_floats("v", np.asarray(v) if many else np.asarray(v)[None], ("B", CLASSES, D)).reshape(-1, CLASSES * D)
    for layer in ("decode1", "decode2"):
        x = np.maximum(x @ weights[f"{layer}.kernel"] + weights[f"{layer}.bias"], 0)
    pixels = expit(x @ weights["decode3.kernel"] + weights["decode3.bias"])
    return pixels.reshape(-1, 28, 28, 1) if many else pixels.reshape(28, 28)
