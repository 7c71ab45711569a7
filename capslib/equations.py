"""The mathematics of a capsule layer in NumPy: one function per equation, and the trace of a routing.

Symbols follow the course's notation table: batch first, I lower and J upper capsules in that order.
Equation numbers are those of Sabour, Frosst and Hinton, *Dynamic Routing Between Capsules* (2017), and in the part
on EM routing those of Hinton, Sabour and Frosst, *Matrix Capsules with EM Routing* (2018). The part on self-attention
routing follows the program of Mazzia, Salvetti and Chiaberge, *Efficient-CapsNet* (2021).

Longer than 400 lines, since whoever looks for an equation should find it in one file.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import as_float, check_count, check_numbers, check_positive, check_whole

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
    s = as_float("s", s)
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
    v = as_float("v", v)
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
    b = as_float("b", b)
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
    u, W = as_float("u", u), as_float("W", W)
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
        return _entropy(self.c)

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
    u_hat = _votes(u_hat)
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


# EM routing: the votes for one capsule are a Gaussian ---------------------------------------------------------------


def log_density(votes: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """How well each vote fits the Gaussian of its upper capsule.           (E-step, line 2, as a logarithm)

    ln p_ij = −Σ_h [ (V_ijh − μ_jh)² / (2 σ²_jh) + ½ ln(2π σ²_jh) ]

    Args:
        votes: V, (..., I, J, D).
        means: μ, (..., J, D).
        variances: σ², (..., J, D), above 0.

    Returns:
        ln p, (..., I, J), in nats; above 0 where the density is above 1.
    """
    means, variances = means[..., None, :, :], variances[..., None, :, :]
    return -np.sum((votes - means) ** 2 / (2 * variances) + np.log(2 * np.pi * variances) / 2, axis=-1)


def m_step(
    responsibilities: np.ndarray,
    votes: np.ndarray,
    activations: np.ndarray,
    lam: float = 1.0,
    beta_a: ArrayLike = -2.0,
    beta_u: ArrayLike = -2.0,
    floor: float = 0.01,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fit the Gaussian of every upper capsule to the votes it is responsible for, and see whether that pays.

    w_ij = r_ij a_i                                                                  (M-step, line 2)
    μ_j = Σ_i w_ij V_ij / Σ_i w_ij                                                   (line 3)
    σ²_j = Σ_i w_ij (V_ij − μ_j)² / Σ_i w_ij, and at least the floor                 (line 4)
    cost_j = −Σ_i w_ij ln p_ij                                                       (Eq. 1, summed over h)
    a_j = logistic(λ (β_a − β_u Σ_i w_ij − cost_j))                                  (Eq. 2)

    Where the floor is not reached, the cost is Σ_h (ln σ_jh + ½ (1 + ln 2π)) Σ_i w_ij. Line 5 of the paper's
    procedure leaves out the constant and counts β_u once for every h, which β_u can make up for.

    Args:
        responsibilities: r, (..., I, J), Σ_j r_ij = 1.
        votes: V, (..., I, J, D).
        activations: a_i of the lower capsules, (..., I), from 0 to 1.
        lam: λ, the inverse temperature.
        beta_a, beta_u: as for `em_route`.
        floor: as for `em_route`.

    Returns:
        means (..., J, D), variances (..., J, D), costs (..., J) in nats, and activations a_j (..., J). An upper
        capsule that has no vote at all gets the mean and variance of all votes for it, at cost 0.
    """
    weights = responsibilities * activations[..., None]
    data = weights.sum(axis=-2)  # (..., J): how many votes each upper capsule has.
    share = np.where(data[..., None, :] > 0, weights, 1)
    share = share / share.sum(axis=-2, keepdims=True)
    means = weighted_sum(share, votes)
    variances = weighted_sum(share, (votes - means[..., None, :, :]) ** 2)
    variances = np.maximum(variances, votes.dtype.type(floor))
    costs = -np.sum(weights * log_density(votes, means, variances), axis=-2)
    logits = lam * (beta_a - beta_u * data - costs)
    return means, variances, costs, np.exp(-np.logaddexp(0, -logits))  # The logistic function, without overflow.


def e_step(votes: np.ndarray, means: np.ndarray, variances: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """Divide every vote between the upper capsules, by how well it fits each and how active each is.

    r_ij = a_j p_ij / Σ_k a_k p_ik                                                   (E-step, line 3)

    Args:
        votes: V, (..., I, J, D).
        means: μ, (..., J, D).
        variances: σ², (..., J, D), above 0.
        activations: a_j of the upper capsules, (..., J), from 0 to 1.

    Returns:
        r, (..., I, J), Σ_j r_ij = 1.
    """
    log_a = np.log(np.maximum(activations, np.finfo(activations.dtype).tiny))
    return softmax(log_a[..., None, :] + log_density(votes, means, variances))


@dataclass(frozen=True)
class EMTrace:
    """Everything that one EM routing computed in T iterations. For a single example, the axis B is missing.

    Attributes:
        responsibilities: (T, B, I, J), those that made the means; Σ_j r_ij = 1, and 1/J in the first iteration.
        means: (T, B, J, D), the poses of the upper capsules.
        variances: (T, B, J, D), nowhere below the floor.
        costs: (T, B, J) in nats; the lower, the better the votes coincide.
        activations: (T, B, J) of the upper capsules, from 0 to 1.
        votes: (B, I, J, D) the votes routed.
    """

    responsibilities: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    costs: np.ndarray
    activations: np.ndarray
    votes: np.ndarray

    @property
    def entropy(self) -> np.ndarray:
        """H(r_i) = −Σ_j r_ij ln r_ij of every lower capsule, (T, B, I), in nats: ln J is undecided, 0 is decided."""
        return _entropy(self.responsibilities)


def em_route(
    votes: np.ndarray,
    activations: np.ndarray | None = None,
    iterations: int = 3,
    beta_a: ArrayLike = -2.0,
    beta_u: ArrayLike = -2.0,
    lam: ArrayLike | None = None,
    floor: float = 0.01,
) -> EMTrace:
    """EM routing (Procedure 1 of Hinton, Sabour and Frosst, 2018), keeping every step.

    r = 1/J; repeat: M-step (means, variances, costs, activations); E-step (r)

    −β_u is what one vote costs, in nats, if no upper capsule is there to explain it, and −β_a is the price of having
    one. In a network both are trained; the defaults suit votes of two coordinates that coincide to about half a pixel.

    Args:
        votes: V of one example, (I, J, D), or of a batch, (B, I, J, D), with any number of batch axes; up to 1e16
            in float32.
        activations: a_i of the lower capsules, (I,) or (B, I), from 0 to 1; all 1 by default. A vote counts as much
            as its capsule is active.
        iterations: T, how many M-steps are made; at least 1. The E-step after the last one would change nothing.
        beta_a: β_a, a number or one for each upper capsule, (J,).
        beta_u: β_u, a number or one for each upper capsule, (J,).
        lam: λ, one number or one for each iteration, (T,), at least 0. By default it rises as 1 − 0.95^t for
            t = 1, …, T, the authors' schedule up to a factor.
        floor: smallest variance, in squared units of the votes; above 0. Without one, votes that coincide,
            or a single one, have variance 0 and an infinite density.

    Returns:
        An EMTrace in the floating type of `votes`.

    Raises:
        ValueError: naming the argument, if `votes` has fewer axes, an empty one or a value that is not finite, if
            another shape does not fit, or if a number is out of its range.
    """
    votes = as_float("votes", votes)
    if votes.ndim < 3 or 0 in votes.shape:
        raise ValueError(f"votes: got shape {votes.shape}, expected (I, J, D) or (B, I, J, D) with no empty axis")
    if not np.isfinite(votes).all():
        raise ValueError("votes: got NaN or infinite values, expected finite votes")
    check_count("iterations", iterations)
    check_positive("floor", floor)
    *batch, I, J, _ = votes.shape
    a = _one_or_each("activations", 1 if activations is None else activations, votes, (I,), (*batch, I), low=0, high=1)
    beta_a, beta_u = _one_or_each("beta_a", beta_a, votes, (J,)), _one_or_each("beta_u", beta_u, votes, (J,))
    lam = 1 - 0.95 ** np.arange(1, iterations + 1) if lam is None else lam
    lam = np.broadcast_to(_one_or_each("lam", lam, votes, (iterations,), low=0), iterations)
    a = np.broadcast_to(a, (*batch, I))
    r = np.full(votes.shape[:-1], 1 / J, votes.dtype)
    steps = []
    for t in range(iterations):
        means, variances, costs, active = m_step(r, votes, a, lam[t], beta_a, beta_u, floor)
        steps.append((r, means, variances, costs, active))
        r = e_step(votes, means, variances, active)
    r, means, variances, costs, active = (np.stack(quantity) for quantity in zip(*steps, strict=True))
    return EMTrace(r, means, variances, costs, active, votes)


# Self-attention routing: the votes for one capsule attend to each other ----------------------------------------------


def exponential_squash(s: np.ndarray, axis: int = -1) -> np.ndarray:
    """Shrink vectors below length 1 without turning them; short ones keep nearly all of their length.

    v = (1 − exp(−n)) / n · s  with  n = √(‖s‖² + ε)                                 (Efficient-CapsNet)

    Args:
        s: array of any shape; the vectors lie along `axis`. Norms up to 1e18 in float32.
        axis: the axis that holds the vectors' components.

    Returns:
        v, an array of the shape of `s`; lengths from 0 to 1, and below 1 as far as the floating type can tell.
    """
    s = as_float("s", s)
    n = np.sqrt(np.sum(s * s, axis=axis, keepdims=True) + s.dtype.type(EPSILON))
    return -np.expm1(-n) / n * s


def self_agreement(u_hat: np.ndarray) -> np.ndarray:
    """Agreement of each vote with all votes for the same upper capsule.                 (Efficient-CapsNet)

    b_ij = Σ_k ⟨û_ij, û_kj⟩ / √D = ⟨û_ij, Σ_k û_kj⟩ / √D

    The middle is a table of attention between the votes, summed over its rows; the right side needs no table.

    Args:
        u_hat: votes, (..., I, J, D).

    Returns:
        b, (..., I, J).
    """
    return agreement(u_hat, np.sum(u_hat, axis=-3)) / u_hat.dtype.type(np.sqrt(u_hat.shape[-1]))


@dataclass(frozen=True)
class AttentionTrace:
    """Everything that one self-attention routing computed. For a single example, the axis B is missing.

    Attributes:
        b: (B, I, J) self-agreements.
        c: (B, I, J) coupling coefficients, Σ_j c_ij = 1.
        prior: (I, J) or one number, learnt, of either sign, and the same for every example.
        s: (B, J, D) sums of the votes, weighted by c + prior.
        v: (B, J, D) output capsules, exponential squash of `s`.
        u_hat: (B, I, J, D) the votes routed.
    """

    b: np.ndarray
    c: np.ndarray
    prior: np.ndarray
    s: np.ndarray
    v: np.ndarray
    u_hat: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """‖v_j‖, (B, J)."""
        return length(self.v)


def attend(u_hat: np.ndarray, prior: ArrayLike = 0.0) -> AttentionTrace:
    """Self-attention routing, in one pass.                                               (Efficient-CapsNet)

    b_ij = Σ_k ⟨û_ij, û_kj⟩ / √D; c = softmax_j(b); s_j = Σ_i (c_ij + prior_ij) û_ij; v_j = exponential_squash(s_j)

    Args:
        u_hat: votes of one example, (I, J, D), or of a batch, (B, I, J, D).
        prior: one number or (I, J). It is added after the softmax, so it is no logarithm of a probability.

    Returns:
        An AttentionTrace in the floating type of `u_hat`.

    Raises:
        ValueError: if `u_hat` has another rank, an empty axis or a value that is not finite, or if `prior` does not
            fit it or is not finite.
    """
    u_hat = _votes(u_hat)
    prior = _one_or_each("prior", prior, u_hat, u_hat.shape[-3:-1])
    b = self_agreement(u_hat)
    c = softmax(b)
    s = weighted_sum(c + prior, u_hat)
    return AttentionTrace(b, c, prior, s, exponential_squash(s), u_hat)


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
    v = as_float("v", v)
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
    image, reconstruction = as_float("image", image), as_float("reconstruction", reconstruction)
    if image.ndim != 4 or image.shape != reconstruction.shape:
        raise ValueError(
            f"image: got shape {image.shape}, expected (B, H, W, 1) like the reconstruction {reconstruction.shape}"
        )
    return np.sum((image - reconstruction) ** 2, axis=(1, 2, 3))


def _votes(u_hat: np.ndarray) -> np.ndarray:
    """`u_hat` as floating numbers; refused unless it can be routed."""
    u_hat = as_float("u_hat", u_hat)
    if u_hat.ndim not in (3, 4) or 0 in u_hat.shape:
        raise ValueError(f"u_hat: got shape {u_hat.shape}, expected (I, J, D) or (B, I, J, D) with no empty axis")
    if not np.isfinite(u_hat).all():
        raise ValueError("u_hat: got NaN or infinite values, expected finite votes")
    return u_hat


def _entropy(c: np.ndarray) -> np.ndarray:
    return -np.sum(c * np.log(np.where(c > 0, c, 1)), axis=-1)


def _one_or_each(
    name: str, value: ArrayLike, votes: np.ndarray, *shapes: tuple[int, ...], low: float = -np.inf, high: float = np.inf
) -> np.ndarray:
    """`value` in the type of `votes`; refused by name if it is neither one number nor of one of the shapes."""
    numbers = check_numbers(name, value, low, high)
    if numbers.shape not in ((), *shapes):
        expected = " or ".join(map(str, dict.fromkeys(shapes)))  # Each once: without a batch, two are the same.
        raise ValueError(f"{name}: got shape {numbers.shape}, expected one number or shape {expected}")
    return numbers.astype(votes.dtype)


def _labels_and_lengths(y_true: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y_true, lengths = as_float("y_true", y_true), as_float("lengths", lengths)
    if y_true.ndim != 2 or y_true.shape != lengths.shape:
        raise ValueError(f"y_true: got shape {y_true.shape}, expected one-hot (B, J) like lengths {lengths.shape}")
    return y_true, lengths
