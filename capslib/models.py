"""The networks of the course, and their shipped weights."""

from capslib import weights as shipped
from capslib.backend import keras
from capslib.checks import check_choice
from capslib.layers import Capsule, Length, PrimaryCapsules, Tensor


def article_capsnet(weights: str | None = None) -> keras.Model:
    """The article's network: two convolutions, then 49 lower capsules routed to 10 digits.

    Args:
        weights: None for a fresh network, "shipped" for the trained one.

    Returns:
        A Keras model, images (B, 28, 28, 1) in 0–1 → lengths (B, 10); 22,848 parameters.

    Raises:
        ValueError: if `weights` is something else, or the shipped file does not match its card.
    """
    image = keras.Input((28, 28, 1), name="image")
    u = keras.layers.Reshape((49, 32), name="u")(_trunk(image))
    v = Capsule(10, 30, routings=5, share_weights=True, name="v")(u)
    return _finish(image, Length(name="lengths")(v), "article_capsnet", weights)


def matched_cnn(head: str = "flatten", weights: str | None = None) -> keras.Model:
    """A plain CNN with the article's trunk and as many parameters as its capsule network.

    Args:
        head: "flatten": 1×1 convolution to 18 channels → flatten → Dense 10 (22,672 parameters);
            "global": global average → Dense 223, relu → Dense 10 (22,847).
        weights: None for a fresh network, "shipped" for the trained one.

    Returns:
        A Keras model, images (B, 28, 28, 1) in 0–1 → probabilities (B, 10).

    Raises:
        ValueError: if `head` or `weights` has another value, or the shipped file does not match its card.
    """
    check_choice("head", head, ("flatten", "global"))
    image = keras.Input((28, 28, 1), name="image")
    x = _trunk(image)
    if head == "flatten":
        x = keras.layers.Conv2D(18, 1, activation="relu", name="mix")(x)
        x = keras.layers.Flatten(name="flatten")(x)
    else:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
        x = keras.layers.Dense(223, activation="relu", name="hidden")(x)
    probabilities = keras.layers.Dense(10, activation="softmax", name="probabilities")(x)
    return _finish(image, probabilities, f"matched_cnn_{head}", weights)


def paper_capsnet() -> keras.Model:
    """The paper's network without its decoder (Section 4): 1,152 squashed 8-D capsules, unshared W, 3 routings.

    Returns:
        A fresh Keras model, images (B, 28, 28, 1) in 0–1 → lengths (B, 10); 6,804,224 parameters.
    """
    image = keras.Input((28, 28, 1), name="image")
    x = keras.layers.Conv2D(256, 9, activation="relu", name="conv1")(image)
    u = PrimaryCapsules(32, 8, kernel_size=9, strides=2, name="u")(x)
    v = Capsule(10, 16, routings=3, share_weights=False, offset=1.0, name="v")(u)
    return _finish(image, Length(name="lengths")(v), "paper_capsnet", None)


def _trunk(image: Tensor) -> Tensor:
    """Two 5×5 convolutions, each followed by 2×2 max-pooling: (B, 28, 28, 1) → (B, 7, 7, 32)."""
    x = keras.layers.Conv2D(16, 5, padding="same", activation="relu", name="conv1")(image)
    x = keras.layers.MaxPooling2D(2, name="pool1")(x)
    x = keras.layers.Conv2D(32, 5, padding="same", activation="relu", name="conv2")(x)
    return keras.layers.MaxPooling2D(2, name="pool2")(x)


def _finish(image: Tensor, output: Tensor, name: str, weights: str | None) -> keras.Model:
    model = keras.Model(image, output, name=name)
    if check_choice("weights", weights, (None, "shipped")):
        shipped.load_into(model)
    return model
