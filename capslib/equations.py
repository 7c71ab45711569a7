"""The mathematics of a capsule layer in NumPy: one function per equation, and the trace of a routing.

Symbols follow the course's notation table: batch first, I lower and J upper capsules in that order.
Equation numbers are those of Sabour, Frosst and Hinton, *Dynamic Routing Between Capsules* (2017).
"""

from dataclasses import dataclass

import numpy as np

from capslib.checks import as_float, check_count, check_positive, check_whole

EPSILON = 1e-7
"""Added to ‖s‖² inside squash, so that its square root has a gradient at s = 0."""


def squash(s: np.ndarray, offset: float = 0.5, axis: int = -1) -> np.ndarray:
    """Shrink vectors below length 1 without turning them.

    v = √n / (offset + n) · s  with  n = ‖s‖² + ε                       (Eq. 1 is offset=1, ε=0)

    Args:
        s: array of any shape; the vectors lie along `axis`. Norms up to 1e18 in float32.
        offset: positive number; 1 in the paper, 0.5 in the article.
        axis: the axis that holds the vectors' components.

    Returns:
        v, an array of the shape of `s`; lengths in [0, 1).

    Raises:
        ValueError: if `offset` is not a positive finite number.
    """
    check_positive("offset", offset)
    s = as_float(s)
    n = np.sum(s * s, axis=axis, keepdims=True) + s.dtype.type(EPSILON)
    return np.sqrt(n) / (s.dtype.type(offset) + n) * s


def length(v: np.ndarray, axis: int = -1) -> np.ndarray:
    """Length of capsules: ‖v‖ = √Σ v².

    Args:
        v: array of any shape; the vectors lie along `axis`.
        axis: the axis that holds the vectors' components.

    Returns:
        An array like `v` without `axis`; for squashed capsules in [0, 1).
    """
    v = as_float(v)
    return np.sqrt(np.sum(v * v, axis=axis))


def softmax(b: np.ndarray, axis: int = -1) -> np.ndarray:
    """Turn routing logits into coupling coefficients.

    c_ij = exp b_ij / Σ_k exp b_ik                                                        (Eq. 3)

    Args:
        b: array of logits, in routing of shape (..., I, J).
        axis: the axis over which the result sums to 1; the last one, J, is the upper capsules.

    Returns:
        An array of the shape of `b` with values in [0, 1].
    """
    b = as_float(b)
    e = np.exp(b - np.max(b, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def predict(u: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Votes: what each lower capsule predicts for each upper one.

    û_ij = u_i W_ij                                                                (Eq. 2, right)

    Args:
        u: lower capsules, (I, D_in) or (B, I, D_in).
        W: transformation, (D_in, J, D_out) shared by all lower capsules, or (I, D_in, J, D_out).

    Returns:
        u_hat, (I, J, D_out) or (B, I, J, D_out).

    Raises:
        ValueError: if the ranks do not fit, or D_in or I differ between `u` and `W`.
    """
    u, W = as_float(u), as_float(W)
    if u.ndim not in (2, 3):
        raise ValueError(f"u: got shape {u.shape}, expected (I, D_in) or (B, I, D_in)")
    if W.ndim not in (3, 4):
        raise ValueError(f"W: got shape {W.shape}, expected (D_in, J, D_out) or (I, D_in, J, D_out)")
    shared = W.ndim == 3
    expected = u.shape[-1:] if shared else u.shape[-2:]
    if W.shape[: W.ndim - 2] != expected:
        raise ValueError(f"W: got shape {W.shape}, expected {expected} + (J, D_out) to fit u of shape {u.shape}")
    return np.einsum("...id,djk->...ijk" if shared else "...id,idjk->...ijk", u, W)


def weighted_sum(c: np.ndarray, u_hat: np.ndarray) -> np.ndarray:
    """Gather the votes: s_j = Σ_i c_ij û_ij.                                       (Eq. 2, left)

    Args:
        c: coupling coefficients, (..., I, J).
        u_hat: votes, (..., I, J, D).

    Returns:
        s, (..., J, D).
    """
    return np.einsum("...ij,...ijd->...jd", c, u_hat)


def agreement(u_hat: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Agreement of each vote with its outcome: a_ij = ⟨û_ij, v_j⟩.                   (Section 2)

    Args:
        u_hat: votes, (..., I, J, D).
        v: output capsules, (..., J, D).

    Returns:
        a, (..., I, J).
    """
    return np.einsum("...ijd,...jd->...ij", u_hat, v)


@dataclass(frozen=True)
class RoutingTrace:
    """Everything that one routing computed in T iterations. For a single example, the axis B is missing.

    Attributes:
        b: (T, B, I, J) logits that made `c`; b[0] is 0.
        c: (T, B, I, J) coupling coefficients, Σ_j c_ij = 1; Σ_i c_ij = 1 if routed along axis −2.
        s: (T, B, J, D) weighted sums.
        v: (T, B, J, D) output capsules, squash of `s`.
        a: (T, B, I, J) agreements; the last one is computed and never added to b.
        u_hat: (B, I, J, D) the votes routed.
        offset: the offset of the squash.
    """

    b: np.ndarray
    c: np.ndarray
    s: np.ndarray
    v: np.ndarray
    a: np.ndarray
    u_hat: np.ndarray
    offset: float

    @property
    def lengths(self) -> np.ndarray:
        """‖v_j‖ at every iteration, (T, B, J)."""
        return length(self.v)

    @property
    def entropy(self) -> np.ndarray:
        """H(c_i) = −Σ_j c_ij ln c_ij of every lower capsule, (T, B, I), in nats: ln J is undecided, 0 is decided."""
        c = self.c
        return -np.sum(c * np.log(np.where(c > 0, c, 1)), axis=-1)

    @property
    def contribution(self) -> np.ndarray:
        """c_ij ⟨û_ij, v̂_j⟩ with v̂_j = v_j/‖v_j‖, (T, B, I, J): what i adds to ‖s_j‖; the sum over i is exactly ‖s_j‖.

        Where s_j is the zero vector, it has no direction and every contribution is 0.
        """
        norm = length(self.s)[..., None]
        direction = self.s / np.where(norm > 0, norm, 1)
        return self.c * agreement(self.u_hat, direction)


def route(u_hat: np.ndarray, iterations: int = 3, offset: float = 0.5, axis: int = -1) -> RoutingTrace:
    """Routing by agreement (Procedure 1), keeping every step.

    b = 0; repeat: c = softmax_j(b); s_j = Σ_i c_ij û_ij; v_j = squash(s_j); b_ij ← b_ij + ⟨û_ij, v_j⟩

    Args:
        u_hat: votes of one example, (I, J, D), or of a batch, (B, I, J, D).
        iterations: how many times c, s and v are computed; at least 1. b is not updated after the last.
        offset: of the squash; 1 in the paper, 0.5 in the article.
        axis: the axis of b (..., I, J) that the softmax runs along: −1, the upper capsules, as in Procedure 1, or −2,
            the lower ones, a well-known mistake that lesson 04 shows.

    Returns:
        A RoutingTrace in the floating type of `u_hat`.

    Raises:
        ValueError: if `u_hat` has another rank, an empty axis or a value that is not finite, if
            `iterations` is not a whole number ≥ 1, if `offset` is not positive, or if `axis` is not −1 or −2.
    """
    u_hat = as_float(u_hat)
    if u_hat.ndim not in (3, 4) or 0 in u_hat.shape:
        raise ValueError(f"u_hat: got shape {u_hat.shape}, expected (I, J, D) or (B, I, J, D) with no empty axis")
    if not np.isfinite(u_hat).all():
        raise ValueError("u_hat: got NaN or infinite values, expected finite votes")
    check_count("iterations", iterations)
    check_whole("axis", axis, -2, -1)
    steps = []
    b = np.zeros(u_hat.shape[:-1], u_hat.dtype)
    for _ in range(iterations):
        c = softmax(b, axis)
        s = weighted_sum(c, u_hat)
        v = squash(s, offset)
        a = agreement(u_hat, v)
        steps.append((b, c, s, v, a))
        b = b + a
    b, c, s, v, a = (np.stack(quantity) for quantity in zip(*steps, strict=True))
    return RoutingTrace(b, c, s, v, a, u_hat, offset)


def margin_loss(
    y_true: np.ndarray, lengths: np.ndarray, m_plus: float = 0.9, m_minus: float = 0.1, lam: float = 0.5
) -> np.ndarray:
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
        ValueError: if the two arrays do not have the same shape (B, J).
    """
    y_true, lengths = _labels_and_lengths(y_true, lengths)
    present = y_true * np.maximum(0, m_plus - lengths) ** 2
    absent = lam * (1 - y_true) * np.maximum(0, lengths - m_minus) ** 2
    return np.sum(present + absent, axis=-1)


def margin_gradient(
    y_true: np.ndarray, lengths: np.ndarray, m_plus: float = 0.9, m_minus: float = 0.1, lam: float = 0.5
) -> np.ndarray:
    """Gradient of each example's margin loss with respect to its lengths; exactly 0 beyond the margins.

    ∂L/∂‖v_k‖ = −2 T_k max(0, m⁺ − ‖v_k‖) + 2λ (1 − T_k) max(0, ‖v_k‖ − m⁻)          (derivative of Eq. 4)

    Args:
        y_true, lengths, m_plus, m_minus, lam: as for `margin_loss`.

    Returns:
        Gradients, (B, J).

    Raises:
        ValueError: if the two arrays do not have the same shape (B, J).
    """
    y_true, lengths = _labels_and_lengths(y_true, lengths)
    present = y_true * np.maximum(0, m_plus - lengths)
    absent = (1 - y_true) * np.maximum(0, lengths - m_minus)
    return 2 * lam * absent - 2 * present


def mask(v: np.ndarray, label: np.ndarray | None = None) -> np.ndarray:
    """Keep one capsule of each example and set all others to zero.                                (Section 4.1)

    Args:
        v: output capsules, (B, J, D).
        label: one-hot labels, (B, J), of the capsules to keep, as in training; without them each example keeps its
            longest capsule.

    Returns:
        Masked capsules, (B, J, D).

    Raises:
        ValueError: if v has no three axes, or the labels are not of the shape (B, J).
    """
    v = as_float(v)
    if v.ndim != 3:
        raise ValueError(f"v: got shape {v.shape}, expected (B, J, D)")
    if label is None:
        label = np.eye(v.shape[1], dtype=v.dtype)[length(v).argmax(-1)]
    elif np.shape(label) != v.shape[:2]:
        raise ValueError(f"label: got shape {np.shape(label)}, expected one-hot (B, J) like v {v.shape}")
    return v * np.asarray(label, v.dtype)[..., None]


def reconstruction_loss(image: np.ndarray, reconstruction: np.ndarray) -> np.ndarray:
    """Sum of squared differences of each image's pixels.                                          (Section 4.1)

    L = Σ_xy (image_xy − reconstruction_xy)², not the mean, which is 784 times smaller

    Args:
        image: what should come out, (B, H, W, 1).
        reconstruction: what the decoder gave, of the same shape.

    Returns:
        Losses, (B,).

    Raises:
        ValueError: if the two arrays do not have the same shape (B, H, W, 1).
    """
    image, reconstruction = as_float(image), as_float(reconstruction)
    if image.ndim != 4 or image.shape != reconstruction.shape:
        raise ValueError(
            f"image: got shape {image.shape}, expected (B, H, W, 1) like the reconstruction {reconstruction.shape}"
        )
    return np.sum((image - reconstruction) ** 2, axis=(1, 2, 3))


def _labels_and_lengths(y_true: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y_true, lengths = as_float(y_true), as_float(lengths)
    if y_true.ndim != 2 or y_true.shape != lengths.shape:
        raise ValueError(f"y_true: got shape {y_true.shape}, expected one-hot (B, J) like lengths {lengths.shape}")
    return y_true, lengths
