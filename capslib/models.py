"""The networks of the course, and their shipped weights."""

import math

from capslib import weights as shipped
from capslib.backend import keras
from capslib.checks import check_choice
from capslib.layers import (
    AttentionCapsule,
    Capsule,
    ExponentialSquash,
    Length,
    Longest,
    Mask,
    Places,
    PrimaryCapsules,
    Tensor,
)
from capslib.pairs import SIDE


def article_capsnet(weights: str | None = None) -> keras.Model:
    """The article's network: two convolutions, then 49 lower capsules routed to 10 digits.

    Args:
        weights: None for a fresh network, "shipped" for the trained one.

    Returns:
        A Keras model, images (B, 28, 28, 1) in 0–1 → lengths (B, 10); 22,848 parameters.

    Raises:
        ValueError: if `weights` is something else, or the shipped file does not match its card.
    """
    model = capsnet(routings=5, name="article_capsnet")
    return _with_weights(model, weights)


def capsnet(
    routings: int = 3,
    offset: float = 0.5,
    share_weights: bool = True,
    places: bool = False,
    name: str = "capsnet",
) -> keras.Model:
    """The article's network, or one that differs from it: fresh, to be compared with it.

    Args:
        routings: routing iterations, at least 1; 5 in the article.
        offset: of the squash, positive; 0.5 in the article.
        share_weights: one W for all 49 lower capsules as in the article, or one for each.
        places: whether each lower capsule also holds where its cell lies, (x, y) in −1 to 1; not so in the article.
        name: of the model.

    Returns:
        A Keras model, images (B, 28, 28, 1) in 0–1 → lengths (B, 10); 22,848 parameters with shared W, 600 more with
        places, 483,648 with unshared W.

    Raises:
        ValueError: naming the argument that is out of range.
    """
    image = keras.Input((28, 28, 1), name="image")
    grid = Places(name="places")(_trunk(image)) if places else _trunk(image)
    u = keras.layers.Reshape((49, grid.shape[-1]), name="u")(grid)
    v = Capsule(10, 30, routings, share_weights, offset=offset, name="v")(u)
    return keras.Model(image, Length(name="lengths")(v), name=name)


def matched_cnn(head: str = "flatten", weights: str | None = None, scores: str = "softmax") -> keras.Model:
    """A plain CNN with the article's trunk and as many parameters as its capsule network.

    Args:
        head: "flatten": 1×1 convolution to 18 channels → flatten → Dense 10 (22,672 parameters);
            "global": global average → Dense 223, relu → Dense 10 (22,847).
        weights: None for a fresh network, "shipped" for the trained one, which has softmax.
        scores: "softmax": ten probabilities, trained with cross-entropy; "sigmoid": ten numbers in 0–1 of which any
            may be high, trained with the margin loss as lengths are.

    Returns:
        A Keras model, images (B, 28, 28, 1) in 0–1 → scores (B, 10).

    Raises:
        ValueError: if `head`, `weights` or `scores` has another value, `weights` are shipped for softmax alone, or the
            shipped file does not match its card.
    """
    check_choice("head", head, ("flatten", "global"))
    if check_choice("scores", scores, ("softmax", "sigmoid")) == "sigmoid" and weights is not None:
        raise ValueError(f"weights: got {weights!r}, expected None, since no network with sigmoid scores is shipped")
    image = keras.Input((28, 28, 1), name="image")
    x = _trunk(image)
    if head == "flatten":
        x = keras.layers.Conv2D(18, 1, activation="relu", name="mix")(x)
        x = keras.layers.Flatten(name="flatten")(x)
    else:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
        x = keras.layers.Dense(223, activation="relu", name="hidden")(x)
    name = "probabilities" if scores == "softmax" else "scores"
    return _finish(image, keras.layers.Dense(10, activation=scores, name=name)(x), f"matched_cnn_{head}", weights)


def pose_capsnet(weights: str | None = None, decoder: bool = True, routings: int = 3) -> keras.Model:
    """The paper's architecture in small: 144 squashed 8-D capsules, unshared W, offset 1, and a decoder.

    Args:
        weights: None for a fresh network, "shipped" for the trained one (with its decoder and 3 routings).
        decoder: whether the longest capsule is decoded into an image.
        routings: routing iterations; at least 1.

    Returns:
        A Keras model, images (B, 28, 28, 1) in 0–1 → {"lengths": (B, 10), "reconstruction": (B, 28, 28, 1)}, or the
        lengths alone without a decoder; 341,120 parameters, 92,592 of them the decoder's.

    Raises:
        ValueError: if `weights` or `routings` has another value, or the shipped file does not match its card.
    """
    image = keras.Input((28, 28, 1), name="image")
    v = _paper_capsules(image, filters=24, channels=4, routings=routings)
    output = _with_decoder(v, (64, 96)) if decoder else Length(name="lengths")(v)
    return _finish(image, output, "pose_capsnet", weights)


def two_digit_capsnet(weights: str | None = None) -> keras.Model:
    """The pose network for two digits at once: the first convolution has stride 2 instead of the second.  (Section 6)

    Args:
        weights: None for a fresh network, "shipped" for the trained one.

    Returns:
        A Keras model, images (B, 36, 36, 1) in 0–1 → {"lengths": (B, 10), "reconstruction": (B, 36, 36, 2)}, of which
        channel 0 is decoded from the longest capsule and channel 1 from the second longest; 390,784 parameters,
        142,256 of them the decoder's.

    Raises:
        ValueError: if `weights` has another value, or the shipped file does not match its card.
    """
    image = keras.Input((SIDE, SIDE, 1), name="image")
    v = _paper_capsules(image, filters=24, channels=4, routings=3, strides=(2, 1))
    return _finish(image, _with_decoder(v, (64, 96), SIDE, digits=2), "two_digit_capsnet", weights)


def two_digit_cnn(weights: str | None = None) -> keras.Model:
    """A plain CNN with the convolutions of `two_digit_capsnet`, as many parameters as that has without its decoder.

    Args:
        weights: None for a fresh network, "shipped" for the trained one.

    Returns:
        A Keras model, images (B, 36, 36, 1) in 0–1 → a probability of each digit (B, 10), each by a sigmoid of its own;
        247,972 parameters, where the capsule network has 248,528 before its decoder.

    Raises:
        ValueError: if `weights` has another value, or the shipped file does not match its card.
    """
    image = keras.Input((SIDE, SIDE, 1), name="image")
    x = keras.layers.Conv2D(24, 9, strides=2, activation="relu", name="conv1")(image)
    x = keras.layers.Conv2D(32, 9, activation="relu", name="conv2")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(158, activation="relu", name="hidden")(x)
    probabilities = keras.layers.Dense(10, activation="sigmoid", name="probabilities")(x)
    return _finish(image, probabilities, "two_digit_cnn", weights)


def paper_capsnet(decoder: bool = False) -> keras.Model:
    """The paper's network (Section 4): 1,152 squashed 8-D capsules, unshared W, 3 routings.

    Args:
        decoder: whether the longest capsule is decoded into an image.

    Returns:
        A fresh Keras model, images (B, 28, 28, 1) in 0–1 → lengths (B, 10); 6,804,224 parameters. With its decoder
        images → {"lengths": (B, 10), "reconstruction": (B, 28, 28, 1)}; 8,215,568 parameters.
    """
    image = keras.Input((28, 28, 1), name="image")
    v = _paper_capsules(image, filters=256, channels=32, routings=3)
    output = _with_decoder(v, (512, 1024)) if decoder else Length(name="lengths")(v)
    return _finish(image, output, "paper_capsnet", None)


def efficient_capsnet(weights: str | None = None, attention: bool = True) -> keras.Model:
    """Efficient-CapsNet: four convolutions, 16 capsules of 8 numbers, and self-attention routing to 10 capsules of 16.

    Args:
        weights: None for a fresh network, "shipped" for the trained one, which has attention.
        attention: if False, every coupling is 1/10, as a control.

    Returns:
        A Keras model, images (B, 28, 28, 1) in 0–1 → lengths (B, 10); 161,824 trained parameters, and 576 running
        means and variances of its batch normalisation.

    Raises:
        ValueError: if `weights` has another value, are shipped without attention, or do not match their card.
    """
    if not attention and weights is not None:
        raise ValueError(f"weights: got {weights!r}, expected None, since no network without attention is shipped")
    image = keras.Input((28, 28, 1), name="image")
    x = keras.layers.Reshape((16, 8), name="capsules")(_efficient_trunk(image))
    u = ExponentialSquash(name="u")(x)
    v = AttentionCapsule(10, 16, attention, name="v")(u)
    return _finish(image, Length(name="lengths")(v), "efficient_capsnet", weights)


def efficient_cnn(weights: str | None = None) -> keras.Model:
    """A plain CNN that is Efficient-CapsNet up to its 128 features, with two dense layers in place of its capsules.

    Args:
        weights: None for a fresh network, "shipped" for the trained one.

    Returns:
        A Keras model, images (B, 28, 28, 1) in 0–1 → probabilities (B, 10); 161,766 trained parameters, and 576
        running means and variances of its batch normalisation.

    Raises:
        ValueError: if `weights` has another value, or the shipped file does not match its card.
    """
    image = keras.Input((28, 28, 1), name="image")
    x = keras.layers.Flatten(name="flatten")(_efficient_trunk(image))
    x = keras.layers.Activation("relu", name="features")(x)
    x = keras.layers.Dense(148, activation="relu", name="hidden")(x)
    probabilities = keras.layers.Dense(10, activation="softmax", name="probabilities")(x)
    return _finish(image, probabilities, "efficient_cnn", weights)


def trained_parameters(model: keras.Model) -> int:
    """How many numbers of a model an optimizer changes; what batch normalisation keeps track of is not among them."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def has_decoder(model: keras.Model) -> bool:
    """Whether a model decodes a capsule into an image."""
    return any(layer.name == "mask" for layer in model.layers)


def reads_pairs(model: keras.Model) -> bool:
    """Whether a model reads two overlapping digits, and so images of 36×36 pixels."""
    return model.inputs[0].shape[1] == SIDE


def has_scores(model: keras.Model) -> bool:
    """Whether a model answers for each digit on its own, by a number in 0–1: a capsule's length, or a sigmoid.

    The ten numbers need not add up to 1, and the margin loss trains them.
    """
    return any(isinstance(layer, Length) or layer.name == "scores" for layer in model.layers)


def masked_by_label(model: keras.Model) -> keras.Model:
    """The form of a model that is trained: it decodes the capsule of the label instead of the longest.  (Section 4.1)

    Args:
        model: a model with a decoder; any other is returned as it is, and so is one that takes a label already.

    Returns:
        A Keras model with the same layers and weights, {"image": as for `model`, "label": one-hot (B, 10)} → the
        outputs of `model`. If that reads pairs, the label is one-hot (B, 2, 10), and channel k is decoded from label k.
    """
    if not has_decoder(model) or len(model.inputs) == 2:
        return model
    v = model.get_layer("v").output
    label = keras.Input((2, v.shape[1]) if reads_pairs(model) else (v.shape[1],), name="label")
    drawn = _draw(v, label, model.get_layer("mask"), _decoder_layers(model))
    outputs = {"lengths": model.output["lengths"], "reconstruction": drawn}
    return keras.Model({"image": model.inputs[0], "label": label}, outputs, name=model.name)


def decoder_of(model: keras.Model) -> keras.Model:
    """The decoder alone, with the weights of its network.

    Args:
        model: a model with a decoder.

    Returns:
        A Keras model, masked capsules (B, 10, 16) → images of one digit (B, H, W, 1) in 0–1.

    Raises:
        ValueError: if the model has no decoder.
    """
    if not has_decoder(model):
        raise ValueError(f"model: got {model.name!r}, which has no decoder; expected one with a decoder")
    v = keras.Input(model.get_layer("v").output.shape[1:], name="masked")
    return keras.Model(v, _decode(_decoder_layers(model), v), name="decoder")


def _paper_capsules(
    image: Tensor, filters: int, channels: int, routings: int, strides: tuple[int, int] = (1, 2)
) -> Tensor:
    """The paper's encoder: a 9×9 convolution, squashed primary capsules, and 10 capsules of dimension 16."""
    x = keras.layers.Conv2D(filters, 9, strides[0], activation="relu", name="conv1")(image)
    u = PrimaryCapsules(channels, 8, kernel_size=9, strides=strides[1], name="u")(x)
    return Capsule(10, 16, routings=routings, share_weights=False, offset=1.0, name="v")(u)


DECODER = ("flatten", "decode1", "decode2", "decode3", "pixels")
"""Names of a decoder's layers, from the masked capsules to the image."""


def decoder_layers(hidden: tuple[int, int], side: int = 28) -> list[keras.layers.Layer]:
    """Fresh layers of a decoder, from numbers (B, ...) to an image (B, side, side, 1) in 0–1.         (Figure 2)

    Args:
        hidden: units of the two layers with ReLU.
        side: pixels of the image each way.

    Returns:
        A list of layers to apply in turn, named as in DECODER.
    """
    return [
        keras.layers.Flatten(name="flatten"),
        keras.layers.Dense(hidden[0], activation="relu", name="decode1"),
        keras.layers.Dense(hidden[1], activation="relu", name="decode2"),
        keras.layers.Dense(side * side, activation="sigmoid", name="decode3"),
        keras.layers.Reshape((side, side, 1), name="pixels"),
    ]


def _with_decoder(v: Tensor, hidden: tuple[int, int], side: int = 28, digits: int = 1) -> dict[str, Tensor]:
    chosen = Longest(digits, name="longest")(v) if digits > 1 else None
    reconstruction = _draw(v, chosen, Mask(name="mask"), decoder_layers(hidden, side))
    return {"lengths": Length(name="lengths")(v), "reconstruction": reconstruction}


def _draw(v: Tensor, chosen: Tensor | None, mask: Mask, layers: list[keras.layers.Layer]) -> Tensor:
    """The chosen capsule decoded: the longest if None, one by labels (B, J), or K by labels (B, K, J) as K channels."""
    if chosen is None:
        return _decode(layers, mask(v))
    if len(chosen.shape) == 2:
        return _decode(layers, mask(v, chosen))
    drawn = [_decode(layers, mask(v, chosen[:, k])) for k in range(chosen.shape[1])]
    return keras.layers.Concatenate(name="side_by_side")(drawn)


def _decoder_layers(model: keras.Model) -> list[keras.layers.Layer]:
    return [model.get_layer(name) for name in DECODER]


def _decode(layers: list[keras.layers.Layer], v: Tensor) -> Tensor:
    for layer in layers:
        v = layer(v)
    return v


def _trunk(image: Tensor) -> Tensor:
    """Two 5×5 convolutions, each followed by 2×2 max-pooling: (B, 28, 28, 1) → (B, 7, 7, 32)."""
    x = keras.layers.Conv2D(16, 5, padding="same", activation="relu", name="conv1")(image)
    x = keras.layers.MaxPooling2D(2, name="pool1")(x)
    x = keras.layers.Conv2D(32, 5, padding="same", activation="relu", name="conv2")(x)
    return keras.layers.MaxPooling2D(2, name="pool2")(x)


def _efficient_trunk(image: Tensor) -> Tensor:
    """Efficient-CapsNet's convolutions, the last of them one 9×9 filter for each channel: → (B, 1, 1, 128)."""
    x = image
    for n, (filters, size, strides) in enumerate([(32, 5, 1), (64, 3, 1), (64, 3, 1), (128, 3, 2)], 1):
        x = keras.layers.Conv2D(
            filters, size, strides, activation="relu", kernel_initializer="he_normal", name=f"conv{n}"
        )(x)
        x = keras.layers.BatchNormalization(name=f"normal{n}")(x)
    return keras.layers.DepthwiseConv2D(9, name="depthwise")(x)


def _finish(image: Tensor, output: Tensor | dict[str, Tensor], name: str, weights: str | None) -> keras.Model:
    return _with_weights(keras.Model(image, output, name=name), weights)


def _with_weights(model: keras.Model, weights: str | None) -> keras.Model:
    if check_choice("weights", weights, (None, "shipped")):
        shipped.load_into(model)
    return model
