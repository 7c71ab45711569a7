"""What the dimensions of a capsule do: measured on the pictures that a decoder draws from it, and on real digits.

Every function takes plain arrays. N digits with their capsules v (N, 10, D), labels y (N,), K steps δ; a property p is
one number a picture, as `capslib.moments.properties` measures it. What is measured is measured in each class on its
own, since each class has a capsule and a part of the decoder of its own.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from capslib.checks import check_count, check_floats, check_numbers, check_seed, check_shape
from capslib.digits import as_labels
from capslib.equations import mask
from capslib.networks import CLASSES, decode

STEPS = np.linspace(-0.25, 0.25, 11)
"""By how much a dimension is changed: −0.25 to 0.25 in steps of 0.05.                                 (Figure 4)"""


# Decoded pictures -------------------------------------------------------------------------------------------------


def sweep(
    v: ArrayLike,
    y: ArrayLike,
    weights: dict[str, np.ndarray],
    steps: ArrayLike = STEPS,
    directions: ArrayLike | None = None,
) -> np.ndarray:
    """Pictures decoded from the label's capsule, changed in one direction at a time.            (Section 5.1, Figure 4)

    picture_ndk = decode(mask(v_n + δ_k e_d, y_n)), where e_d is one dimension or one of the directions

    Args:
        v: capsules (N, 10, D).
        y: labels (N,); digit n is decoded from its capsule y_n and the nine others are masked.
        weights: the decoder's arrays by name, as for `networks.decode`.
        steps: δ, (K,).
        directions: (M, D), each row a direction; by default the D dimensions themselves.

    Returns:
        float32 (N, M, K, 28, 28) in 0–1; 3 kB a picture, so of a thousand digits a class at a time.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    v = check_floats("v", v, ("N", CLASSES, "D"))
    y = _labels(y, len(v))
    N, _, D = v.shape
    δ = check_floats("steps", steps, ("K",))
    e = np.eye(D, dtype=np.float32) if directions is None else check_floats("directions", directions, ("M", D))
    kept = mask(v, np.eye(CLASSES)[y])  # (N, 10, D)
    pictures = np.empty((N, len(e), len(δ), 28, 28), np.float32)
    for n, (masked, label) in enumerate(zip(kept, y, strict=True)):
        moved = np.broadcast_to(masked, (len(e), len(δ), CLASSES, D)).copy()
        moved[:, :, label] += δ[:, None] * e[:, None]
        pictures[n] = decode(moved.reshape(-1, CLASSES, D), weights).reshape(pictures.shape[1:])
    return pictures


# What a step changes ----------------------------------------------------------------------------------------------


def slopes(p: ArrayLike, y: ArrayLike, steps: ArrayLike = STEPS) -> np.ndarray:
    """How much of a property a dimension adds for each unit that it is changed by, in each class.

    Least squares through the digits' own means: β = Σ_nk (p_nk − p̄_n)(δ_k − δ̄) / Σ_nk (δ_k − δ̄)²

    Args:
        p: a property of the pictures of `sweep`, (N, M, K).
        y: labels (N,).
        steps: δ, (K,).

    Returns:
        β, (10, M); NaN for a class without digits.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    p, y, δ = _within_digits(p, y, steps)
    return _of_classes(p @ δ / np.sum(δ**2), y)


def correlations(p: ArrayLike, y: ArrayLike, steps: ArrayLike = STEPS) -> np.ndarray:
    """How closely a property follows a dimension within the digits of a class, where all share one slope.

    r = Σ_nk (p_nk − p̄_n)(δ_k − δ̄) / √(Σ_nk (p_nk − p̄_n)² · Σ_nk (δ_k − δ̄)²)

    A digit's own mean is taken out, so what digits differ in does not count. r² is the share of the changes that one
    line for the whole class explains; it is low if the changes are not linear, or differ from digit to digit.

    Args:
        p: a property of the pictures of `sweep`, (N, M, K).
        y: labels (N,).
        steps: δ, (K,).

    Returns:
        r, (10, M), −1 to 1; 0 where nothing changes, NaN for a class without digits.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    p, y, δ = _within_digits(p, y, steps)
    together, alone = _of_classes(p @ δ, y), _of_classes(np.sum(p**2, -1), y)
    return together / np.sqrt(np.maximum(alone * np.sum(δ**2), 1e-30))


def r_squared(p: ArrayLike, y: ArrayLike, steps: ArrayLike = STEPS) -> np.ndarray:
    """The squares of `correlations`, (10, M): the share of a property's changes that one line explains."""
    return correlations(p, y, steps) ** 2


def shuffled_r_squared(
    p: ArrayLike, y: ArrayLike, seed: int, shuffles: int = 200, steps: ArrayLike = STEPS
) -> np.ndarray:
    """What `r_squared` gives when the steps of each digit are shuffled: what chance alone reaches.

    Its mean is 1/(n (K − 1)) for a class of n digits.

    Args:
        p: a property of the pictures of `sweep`, (N, M, K).
        y: labels (N,).
        seed: of the shuffles; whole number ≥ 0.
        shuffles: how many.
        steps: δ, (K,).

    Returns:
        (shuffles, 10, M).

    Raises:
        ValueError: naming the argument that does not fit.
    """
    p, y, δ = _within_digits(p, y, steps)
    rng = np.random.default_rng(check_seed("seed", seed))
    alone = _of_classes(np.sum(p**2, -1), y) * np.sum(δ**2)
    found = []
    for _ in range(check_count("shuffles", shuffles)):
        shuffled = rng.permuted(np.broadcast_to(δ, p.shape), axis=-1)
        together = _of_classes(np.sum(p * shuffled, -1), y)
        found.append(together**2 / np.maximum(alone, 1e-30))
    return np.stack(found)


def same_sign(p: ArrayLike, y: ArrayLike, steps: ArrayLike = STEPS) -> np.ndarray:
    """The share of a class' digits whose own slope has the sign of the class' slope, (10, M); arguments as `slopes`."""
    p, y, δ = _within_digits(p, y, steps)
    own = p @ δ
    return _of_classes(np.sign(own) == np.sign(_of_classes(own, y))[y], y)


# Directions -------------------------------------------------------------------------------------------------------


def random_bases(count: int, seed: int, D: int = 16) -> np.ndarray:
    """Random rotations of the space of a capsule: orthonormal bases without any preference for a direction.

    Args:
        count: how many.
        seed: whole number ≥ 0.
        D: dimensions.

    Returns:
        (count, D, D); each row of a basis is a direction of length 1.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    shape = check_count("count", count), check_count("D", D), D
    Q, R = np.linalg.qr(np.random.default_rng(check_seed("seed", seed)).normal(size=shape))
    return Q * np.sign(np.diagonal(R, axis1=1, axis2=2))[:, None]  # Without the signs, QR favours some directions.


def rotated(weights: dict[str, np.ndarray], bases: ArrayLike) -> dict[str, np.ndarray]:
    """The same pose network with the dimensions of its capsules rotated: same lengths, same pictures, other axes.

    v_j' = v_j E_jᵀ: W_ij' = W_ij E_jᵀ, and the decoder's first kernel K_j' = E_j K_j undoes it

    Routing and squash see only dot products and lengths, which a rotation keeps. So nothing in what such a network
    computes prefers its own axes.

    Args:
        weights: the arrays of a pose network with its decoder, by name.
        bases: E, (10, D, D), an orthonormal basis for each class, each row a direction of length 1.

    Returns:
        Its arrays by name, float32.

    Raises:
        ValueError: if an array is missing, or the bases do not fit the network or are not orthonormal.
    """
    for name in ("v.W", "decode1.kernel"):
        if name not in weights:
            raise ValueError(f"weights: got no {name}, expected the arrays of a pose network with its decoder")
    W, K = np.asarray(weights["v.W"], np.float64), np.asarray(weights["decode1.kernel"], np.float64)
    D = W.shape[-1]
    E = np.asarray(check_shape("bases", bases, (CLASSES, D, D)), np.float64)
    if not np.allclose(E @ E.transpose(0, 2, 1), np.eye(D), atol=1e-6):
        raise ValueError("bases: got rows that are not orthonormal, expected directions of length 1 at right angles")
    W = np.einsum("icjd,jed->icje", W, E, optimize=True)
    K = E @ K.reshape(CLASSES, D, -1)
    changed = {"v.W": W, "decode1.kernel": K.reshape(CLASSES * D, -1)}
    return {name: np.asarray(changed.get(name, array), np.float32) for name, array in weights.items()}


def spread(v: ArrayLike, y: ArrayLike, directions: ArrayLike | None = None) -> np.ndarray:
    """How much the label's capsule varies along each direction among the digits of a class: a standard deviation.

    Args:
        v: capsules (N, 10, D).
        y: labels (N,).
        directions: (M, D), each row a direction of length 1; by default the D dimensions themselves.

    Returns:
        (10, M); NaN for a class without digits.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    own, y = own_capsule(v, y), as_labels(y)
    e = np.eye(own.shape[1]) if directions is None else check_shape("directions", directions, ("M", own.shape[1]))
    along = own @ np.asarray(e, np.float64).T
    return np.sqrt(_of_classes((along - _of_classes(along, y)[y]) ** 2, y))


def alignment(β: ArrayLike, bases: ArrayLike) -> np.ndarray:
    """How nearly one direction of a basis is the direction in which a property grows fastest: max_m |⟨β̂, e_m⟩|.

    1: some direction of the basis does all of it; 1/√D: every direction does as much as every other.

    Args:
        β: slopes along the D dimensions, (..., D).
        bases: (B, D, D), each row a direction of length 1.

    Returns:
        (B, ...).

    Raises:
        ValueError: if the bases do not fit the slopes.
    """
    β = np.asarray(β, np.float64)
    bases = check_shape("bases", bases, ("B", β.shape[-1], β.shape[-1]))
    unit = β / np.maximum(np.linalg.norm(β, axis=-1, keepdims=True), 1e-30)
    return np.abs(np.einsum("...d,bmd->b...m", unit, bases)).max(-1)


# Real digits ------------------------------------------------------------------------------------------------------


def own_capsule(v: ArrayLike, y: ArrayLike) -> np.ndarray:
    """The label's capsule of each digit: (N, 10, D) and (N,) → float64 (N, D)."""
    v = check_floats("v", v, ("N", CLASSES, "D"))
    return v[np.arange(len(v)), _labels(y, len(v))].astype(np.float64)


def read_out(x: ArrayLike, p: ArrayLike, x_new: ArrayLike, p_new: ArrayLike) -> float:
    """How well a property of digits can be read from D numbers by one linear formula: R² on other digits.

    a, b minimise Σ (p − x·a − b)² on the first digits; on the others R² = 1 − Σ(p − x·a − b)² / Σ(p − p̄)².

    Args:
        x: (N, D) the numbers that the formula is fitted on.
        p: (N,) the property.
        x_new: (N', D) of other digits.
        p_new: (N',).

    Returns:
        A float of at most 1; 0 is no better than their mean, below 0 is worse.

    Raises:
        ValueError: naming the argument that does not fit, or if p_new is one number for all digits.
    """
    x = check_shape("x", x, ("N", "D"))
    p, x_new = check_shape("p", p, (len(x),)), check_shape("x_new", x_new, ("N'", x.shape[1]))
    p_new = check_shape("p_new", p_new, (len(x_new),))
    for name, one in (("x", x), ("p", p), ("x_new", x_new), ("p_new", p_new)):
        check_numbers(name, one)
    if np.ptp(p_new) == 0:
        raise ValueError(f"p_new: got {p_new[0]:g} for every digit, expected numbers that vary")
    a = np.linalg.lstsq(np.c_[x, np.ones(len(x))], p, rcond=None)[0]
    rest = p_new - np.c_[x_new, np.ones(len(x_new))] @ a
    return float(1 - np.sum(rest**2) / np.sum((p_new - p_new.mean()) ** 2))


class Spectrum(NamedTuple):
    """How directions vary among the digits of a class.

    Attributes:
        shares: (D,) of the variance along each principal axis, the largest first; they add up to 1.
        dimensions: (Σλ)²/Σλ², the participation ratio: D if all axes vary alike, 1 if only one does.
        cosine: mean cosine of two different digits' directions.
    """

    shares: np.ndarray
    dimensions: float
    cosine: float


def spectrum(v: ArrayLike) -> Spectrum:
    """How the directions v̂ = v/‖v‖ of one class' capsules vary.

    Args:
        v: the capsules of one class, (N, D), N at least 2, none of them zero, and not all in one direction.

    Returns:
        A Spectrum.

    Raises:
        ValueError: if `v` does not fit.
    """
    v = np.asarray(check_floats("v", v, ("N", "D")), np.float64)
    lengths = np.linalg.norm(v, axis=1, keepdims=True)
    if len(v) < 2 or (lengths == 0).any():
        raise ValueError(
            f"v: got {len(v)} capsules, the shortest of length {lengths.min():g}; expected 2 with a length"
        )
    directions = v / lengths
    if np.ptp(directions, axis=0).max() < 1e-6:  # As far as float32 can tell.
        raise ValueError(f"v: got {len(v)} capsules in one direction, expected directions that vary")
    λ = np.linalg.svd(directions - directions.mean(0), compute_uv=False) ** 2
    λ = np.pad(λ, (0, v.shape[1] - len(λ)))
    N, total = len(v), np.sum(directions.sum(0) ** 2)
    return Spectrum(λ / λ.sum(), float(λ.sum() ** 2 / np.sum(λ**2)), float((total - N) / (N * (N - 1))))


# Within -----------------------------------------------------------------------------------------------------------


def _labels(y: ArrayLike, N: int) -> np.ndarray:
    y = as_labels(y)
    if len(y) != N:
        raise ValueError(f"y: got {len(y)} labels, expected one for each of {N} digits")
    return y


def _within_digits(p: ArrayLike, y: ArrayLike, steps: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p (N, M, K) and δ (K,) less each digit's own mean, in float64, and the labels y."""
    δ = check_numbers("steps", check_shape("steps", steps, ("K",)))
    if np.ptp(δ) == 0:
        raise ValueError(f"steps: got {len(δ)} equal steps, expected different ones")
    p = check_numbers("p", check_shape("p", p, ("N", "M", len(δ))))
    return p - p.mean(-1, keepdims=True), _labels(y, len(p)), δ - δ.mean()


def _of_classes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Means of x (N, ...) over the digits of each class, (10, ...); NaN for a class without digits."""
    counts = np.bincount(y, minlength=CLASSES).astype(np.float64)
    counts[counts == 0] = np.nan
    return (np.eye(CLASSES)[y].T @ x.reshape(len(x), -1) / counts[:, None]).reshape(CLASSES, *x.shape[1:])
