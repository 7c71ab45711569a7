"""The losses for Keras; those of the paper are equal to those of `capslib.equations`."""

from capslib.backend import keras, ops
from capslib.checks import check_positive
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


NEVER_CERTAIN = 1e-4
"""ε of the distillation loss: keeps it and its gradient finite at the lengths 0 and 1."""


@keras.saving.register_keras_serializable(package="capslib")
def distillation_loss(probabilities: Tensor, lengths: Tensor, temperature: float = 1) -> Tensor:
    """Cross-entropy of a network's lengths with the probabilities that its teachers give, both softened by T.

    L = −T² Σ_k q_k log p_k                                (Hinton, Vinyals and Dean 2015, arXiv 1503.02531, Section 2)
    with  p = softmax(z / T),  z_k = log((‖v_k‖ + ε) / (1 − ‖v_k‖ + ε)),  q_k = t_k^(1/T) / Σ_j t_j^(1/T)

    A length in 0–1 has the logit z, its log odds. After a squash with offset κ they are log(‖s‖² / κ), but for ε.
    The teachers' t need no logits, since softmax(log t / T) is q.

    Args:
        probabilities: what the teachers say, t, (B, J); each row adds up to 1.
        lengths: lengths of the output capsules, ‖v‖, (B, J), in 0–1.
        temperature: T, positive; 1 leaves the probabilities as they are.

    Returns:
        Losses, (B,).

    Raises:
        ValueError: if the two tensors do not have the same shape (B, J), or the temperature is not positive.
    """
    check_positive("temperature", temperature)
    lengths = ops.convert_to_tensor(lengths)
    t = ops.cast(probabilities, lengths.dtype)
    if len(lengths.shape) != 2 or not fits(t.shape, lengths.shape):
        raise ValueError(
            f"probabilities: got shape {tuple(t.shape)}, expected (B, J) like lengths {tuple(lengths.shape)}"
        )
    softened = ops.power(t, 1 / temperature)
    q = softened / ops.sum(softened, axis=-1, keepdims=True)
    z = ops.log(lengths + NEVER_CERTAIN) - ops.log(1 - lengths + NEVER_CERTAIN)
    return -(temperature**2) * ops.sum(q * ops.log_softmax(z / temperature, axis=-1), axis=-1)
