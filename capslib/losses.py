"""The losses for Keras, equal to those of `capslib.equations`."""

from capslib.backend import keras, ops
from capslib.layers import Tensor, fits


@keras.saving.register_keras_serializable(package="capslib")
def margin_loss(y_true: Tensor, lengths: Tensor, m_plus: float = 0.9, m_minus: float = 0.1, lam: float = 0.5) -> Tensor:
    """Margin loss of each example.

    L = Σ_k T_k max(0, m⁺ − ‖v_k‖)² + λ (1 − T_k) max(0, ‖v_k‖ − m⁻)²                       (Eq. 4)

    Args:
        y_true: one-hot labels T, (B, J).
        lengths: lengths of the output capsules, (B, J).
        m_plus: present classes are pulled up to this length.
        m_minus: absent classes are pushed down to this length.
        lam: weight λ of the absent classes.

    Returns:
        Losses, (B,).

    Raises:
        ValueError: if the two tensors do not have the same shape (B, J).
    """
    lengths = ops.convert_to_tensor(lengths)
    y_true = ops.cast(y_true, lengths.dtype)
    if len(lengths.shape) != 2 or not fits(y_true.shape, lengths.shape):
        raise ValueError(
            f"y_true: got shape {tuple(y_true.shape)}, expected one-hot (B, J) like lengths {tuple(lengths.shape)}"
        )
    present = y_true * ops.square(ops.maximum(0, m_plus - lengths))
    absent = lam * (1 - y_true) * ops.square(ops.maximum(0, lengths - m_minus))
    return ops.sum(present + absent, axis=-1)


RECONSTRUCTION_WEIGHT = 0.0005
"""What the reconstruction loss, a sum over pixels, is multiplied by beside the margin loss.     (Section 4.1)"""


@keras.saving.register_keras_serializable(package="capslib")
def reconstruction_loss(image: Tensor, reconstruction: Tensor) -> Tensor:
    """Sum of squared differences of each image's pixels; not their mean, which is 784 times smaller.  (Section 4.1)

    Args:
        image: what should come out, (B, H, W, 1); where several images come out of one, (B, H, W, K).
        reconstruction: what the decoder gave, of the same shape.

    Returns:
        Losses, (B,).

    Raises:
        ValueError: if the two tensors do not have the same shape of four axes.
    """
    reconstruction = ops.convert_to_tensor(reconstruction)
    image = ops.cast(image, reconstruction.dtype)
    if len(reconstruction.shape) != 4 or not fits(image.shape, reconstruction.shape):
        raise ValueError(
            f"image: got shape {tuple(image.shape)}, expected (B, H, W, 1) like the reconstruction "
            f"{tuple(reconstruction.shape)}"
        )
    return ops.sum(ops.square(image - reconstruction), axis=(1, 2, 3))
