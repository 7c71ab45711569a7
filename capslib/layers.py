"""Capsule layers for Keras 3, written with `keras.ops` alone so that any Keras backend runs them.

The equations are those of `capslib.equations`; only the order of the sums differs.

Longer than 400 lines, since a capsule network reads best with all its layers in one place.
"""

import math
from collections.abc import Callable
from typing import Any

from capslib.backend import keras, ops
from capslib.checks import check_count, check_positive
from capslib.equations import EPSILON

Tensor = Any
"""A tensor of whichever backend Keras runs on, or an array."""

Shape = tuple[int | None, ...]
"""A shape; None stands for a size that may differ from call to call."""


@keras.saving.register_keras_serializable(package="capslib")
def squash(s: Tensor, offset: float = 0.5) -> Tensor:
    """Shrink vectors below length 1 without turning them; the last axis holds their components.

    v = √n / (offset + n) · s  with  n = ‖s‖² + ε                       (Eq. 1 is offset=1, ε=0)

    Args:
        s: tensor (..., D).
        offset: positive number; 1 in the paper, 0.5 in the article.

    Returns:
        v, a tensor of the shape of `s`; lengths in [0, 1).
    """
    n = ops.sum(ops.square(s), axis=-1, keepdims=True) + EPSILON
    return ops.sqrt(n) / (offset + n) * s


@keras.saving.register_keras_serializable(package="capslib")
def exponential_squash(s: Tensor) -> Tensor:
    """Shrink vectors below length 1 without turning them; the last axis holds their components.

    v = (1 − exp(−n)) / n · s  with  n = √(‖s‖² + ε)                                 (Efficient-CapsNet)

    Args:
        s: tensor (..., D).

    Returns:
        v, a tensor of the shape of `s`; lengths from 0 to 1.
    """
    n = ops.sqrt(ops.sum(ops.square(s), axis=-1, keepdims=True) + EPSILON)
    return -ops.expm1(-n) / n * s


def couple(b: Tensor) -> Tensor:
    """Coupling coefficients c_ij = exp b_ij / Σ_k exp b_ik, the softmax over upper capsules.         (Eq. 3)

    Args:
        b: routing logits, upper capsules before lower ones: (B, J, I).

    Returns:
        c, (B, J, I), with Σ_j c_ij = 1.
    """
    if 0 in b.shape:
        return b  # Without examples or lower capsules there is nothing to couple, and Keras' `max` would raise.
    # Keras' softmax would transpose b and back over this axis, which takes up to a tenth of the layer's time.
    e = ops.exp(b - ops.stop_gradient(ops.max(b, axis=1, keepdims=True)))
    return e * (1 / ops.sum(e, axis=1, keepdims=True))


def routing_dtype(dtype: str) -> str:
    """Float type to route in: half precision overflows in ‖s‖² and loses b to rounding, so it is widened to float32."""
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def fits(shape: Shape, other: Shape) -> bool:
    """Whether two shapes may be one: as many axes, and the same size wherever neither leaves it open with None."""
    return len(shape) == len(other) and all(a in (b, None) or b is None for a, b in zip(shape, other, strict=True))


def _check_lower(u_shape: Shape, W_shape: Shape) -> None:
    """Refuse lower capsules u (B, I, D_in) that cannot fit a kernel W, (D_in, J, D_out) or (I, D_in, J, D_out)."""
    *lower, D_in, _, _ = W_shape
    if not fits(u_shape, (None, *(lower or [None]), D_in)):
        expected = f"(B, {lower[0] if lower else 'I'}, {D_in}) to fit W {tuple(W_shape)}"
        raise ValueError(f"u: got shape {tuple(u_shape)}, expected {expected}")


class _Float32Layer(keras.layers.Layer):
    """A layer that computes in float32 (or float64) under any policy, and returns the policy's type."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    def _widen(self, x: Tensor) -> Tensor:
        return ops.cast(x, routing_dtype(self.compute_dtype))


@keras.saving.register_keras_serializable(package="capslib")
class Capsule(_Float32Layer):
    """Upper capsules from lower ones through routing by agreement.

    û_ij = u_i W_ij; then `routings` times c = softmax_j(b), s_j = Σ_i c_ij û_ij, v_j = squash(s_j),
    b_ij ← b_ij + ⟨û_ij, v_j⟩, with no update after the last.                (Eqs. 1–3, Procedure 1)

    With shared W the votes are never stored: Σ_i c_ij (u_i W_j) = (Σ_i c_ij u_i) W_j and
    ⟨u_i W_j, v_j⟩ = ⟨u_i, v_j W_jᵀ⟩, so each iteration works on u itself.

    Args:
        num_capsule: J, how many upper capsules; at least 1.
        dim_capsule: D_out, their dimension; at least 1.
        routings: routing iterations; at least 1.
        share_weights: one W for all lower capsules, or one for each of the I.
        activation: "squash", the name of a Keras activation, or a callable that takes s.
        offset: of the squash; 1 in the paper, 0.5 in the article.

    Input (B, I, D_in), output v (B, J, D_out). Kernel: (D_in, J, D_out) shared, (I, D_in, J, D_out) not shared.
    It starts uniform in ±√(6 / (D_in + J·D_out)), Glorot's limit for one lower capsule: the spread
    of the votes at the start is the same for any I.

    Raises:
        ValueError: naming the argument, if one of the above is out of range, the input has the wrong rank, or D_in, or
            I where W is not shared, is not what the layer was built for.
    """

    def __init__(
        self,
        num_capsule: int,
        dim_capsule: int,
        routings: int = 3,
        share_weights: bool = True,
        activation: str | Callable[[Tensor], Tensor] | None = "squash",
        offset: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("num_capsule", num_capsule), ("dim_capsule", dim_capsule), ("routings", routings)):
            check_count(name, value)
        check_positive("offset", offset)
        self.num_capsule = int(num_capsule)
        self.dim_capsule = int(dim_capsule)
        self.routings = int(routings)
        self.share_weights = bool(share_weights)
        self.activation = "squash" if activation is squash else activation
        self.offset = float(offset)
        self._activate = self._activation_function()

    def _activation_function(self) -> Callable[[Tensor], Tensor]:
        if self.activation == "squash":
            return lambda s: squash(s, self.offset)
        try:
            return keras.activations.get(self.activation)
        except ValueError:
            raise ValueError(
                f"activation: got {self.activation!r}, expected 'squash', the name of a Keras activation or a callable"
            ) from None

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != 3 or input_shape[2] is None:
            raise ValueError(f"u: got shape {tuple(input_shape)}, expected (B, I, D_in)")
        I, D_in = input_shape[1], input_shape[2]
        if not self.share_weights and I is None:
            raise ValueError(f"u: got shape {tuple(input_shape)}, expected a fixed I because share_weights is False")
        J, D_out = self.num_capsule, self.dim_capsule
        lower = () if self.share_weights else (I,)
        self.kernel = self.add_weight(name="W", shape=(*lower, D_in, J, D_out), initializer=_first(D_in, J * D_out))

    def call(self, u: Tensor) -> Tensor:
        _check_lower(u.shape, self.kernel.shape)
        u, W = self._widen(u), self._widen(self.kernel)
        v = self._route_shared(u, W) if self.share_weights else self._route(predict(u, W))
        return ops.cast(v, self.compute_dtype)

    def _route_shared(self, u: Tensor, W: Tensor) -> Tensor:
        # b_ij = ⟨u_i, q_j⟩ where q_j = Σ_τ v_j^τ W_jᵀ: accumulating q accumulates b. While b is 0 every
        # upper capsule gathers Σ_i u_i / J, so the first iteration needs no softmax (a tenth of a training step).
        # Beside W everything has j first, beside u it is (B, J, ·): so each product multiplies matrices as they lie in
        # memory (a twentieth of a step).
        W, W_T, u_T = ops.transpose(W, (1, 0, 2)), ops.transpose(W, (1, 2, 0)), ops.transpose(u, (0, 2, 1))
        v = self._activate((ops.sum(u, axis=1) / self.num_capsule) @ W)
        q = 0
        for _ in range(self.routings - 1):
            q = q + v @ W_T
            c = couple(ops.transpose(q, (1, 0, 2)) @ u_T)
            v = self._activate(ops.transpose(c @ u, (1, 0, 2)) @ W)
        return ops.transpose(v, (1, 0, 2))

    def _route(self, u_hat: Tensor) -> Tensor:
        # The votes arrive as (B, J, I, D_out), so that both sums of an iteration are batched matrix products.
        v = self._activate(ops.sum(u_hat, axis=2) / self.num_capsule)
        b = 0
        for _ in range(self.routings - 1):
            b = b + (u_hat @ v[..., None])[..., 0]
            c = couple(b)
            v = self._activate((c[:, :, None, :] @ u_hat)[:, :, 0])
        return v

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.built:  # Of inputs that are only described, Keras asks for nothing but this.
            _check_lower(input_shape, self.kernel.shape)
        return (input_shape[0], self.num_capsule, self.dim_capsule)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_capsule": self.num_capsule,
            "dim_capsule": self.dim_capsule,
            "routings": self.routings,
            "share_weights": self.share_weights,
            "activation": self._activation_config(),
            "offset": self.offset,
        }

    def _activation_config(self) -> Any:
        if self.activation is None or isinstance(self.activation, str):
            return self.activation
        name = getattr(self.activation, "__name__", type(self.activation).__name__)
        builtin = getattr(keras.activations, name, None) is self.activation
        registered = keras.saving.get_registered_name(self.activation) != name
        if not (builtin or registered):
            raise ValueError(
                f"activation: got the unregistered callable {name!r}, which a loaded model could not find again; "
                "expected a Keras activation or a callable under @keras.saving.register_keras_serializable"
            )
        return name if builtin else keras.saving.serialize_keras_object(self.activation)


def _first(fan_in: int, fan_out: int) -> keras.initializers.Initializer:
    """First values of W.

    Glorot's variance, 2 / (fan in + fan out). Keras' "glorot_uniform" guesses the fans from a kernel's shape and takes
    the first axes for a receptive field, for terms of one sum. But a vote û_ij sums over D_in alone: with I in the
    fans, the votes of unshared capsules start √I too small, and two such layers in a row do not learn.
    """
    limit = math.sqrt(3 * 2 / (fan_in + fan_out))  # of a uniform distribution, whose variance is limit² / 3
    return keras.initializers.RandomUniform(-limit, limit)


def predict(u: Tensor, W: Tensor) -> Tensor:
    """Votes of unshared lower capsules: û_ij = u_i W_ij.                          (Eq. 2, right)

    Args:
        u: lower capsules, (B, I, D_in).
        W: transformation, (I, D_in, J, D_out).

    Returns:
        u_hat laid out as (B, J, I, D_out), from one matrix product batched over I.
    """
    I, D_in, J, D_out = W.shape
    # `@` throughout: Keras' own `matmul` computes float64 in float32 on PyTorch; TensorFlow's `einsum` takes longer.
    flat = ops.transpose(u, (1, 0, 2)) @ ops.reshape(W, (I, D_in, J * D_out))
    return ops.transpose(ops.reshape(flat, (I, -1, J, D_out)), (1, 2, 0, 3))


@keras.saving.register_keras_serializable(package="capslib")
class AttentionCapsule(_Float32Layer):
    """Upper capsules from lower ones through self-attention routing.                      (Efficient-CapsNet)

    û_ij = u_i W_ij; b_ij = Σ_k ⟨û_ij, û_kj⟩ / √D_out; c = softmax_j(b); s_j = Σ_i (c_ij + prior_ij) û_ij;
    v_j = exponential_squash(s_j)

    Args:
        num_capsule: J, how many upper capsules; at least 1.
        dim_capsule: D_out, their dimension; at least 1.
        attention: if False, c_ij = 1/J for every input, as a control.

    Input (B, I, D_in) with a fixed I, output v (B, J, D_out). Kernel (I, D_in, J, D_out), which starts as that of
    Capsule; prior (I, J), which starts at 0.

    Raises:
        ValueError: naming the argument, if one of the above is out of range, the input has the wrong rank, or I or D_in
            is not what the layer was built for.
    """

    def __init__(self, num_capsule: int, dim_capsule: int, attention: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_capsule = check_count("num_capsule", num_capsule)
        self.dim_capsule = check_count("dim_capsule", dim_capsule)
        self.attention = bool(attention)

    def build(self, input_shape: Shape) -> None:
        I, D_in = input_shape[1:] if len(input_shape) == 3 else (None, None)
        if I is None or D_in is None:
            raise ValueError(f"u: got shape {tuple(input_shape)}, expected (B, I, D_in) with a fixed I")
        J, D_out = self.num_capsule, self.dim_capsule
        self.kernel = self.add_weight(name="W", shape=(I, D_in, J, D_out), initializer=_first(D_in, J * D_out))
        self.prior = self.add_weight(name="prior", shape=(I, J), initializer="zeros")

    def call(self, u: Tensor) -> Tensor:
        _check_lower(u.shape, self.kernel.shape)
        u_hat = predict(self._widen(u), self._widen(self.kernel))  # (B, J, I, D_out)
        b = (u_hat @ ops.sum(u_hat, axis=2)[..., None])[..., 0] / math.sqrt(self.dim_capsule)  # (B, J, I)
        c = couple(b if self.attention else ops.zeros_like(b))
        weights = c + ops.transpose(self._widen(self.prior))
        s = (weights[:, :, None, :] @ u_hat)[:, :, 0]
        return ops.cast(exponential_squash(s), self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.built:  # Of inputs that are only described, Keras asks for nothing but this.
            _check_lower(input_shape, self.kernel.shape)
        return (input_shape[0], self.num_capsule, self.dim_capsule)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_capsule": self.num_capsule,
            "dim_capsule": self.dim_capsule,
            "attention": self.attention,
        }


@keras.saving.register_keras_serializable(package="capslib")
class ExponentialSquash(_Float32Layer):
    """`exponential_squash` as a layer.

    Input (..., D), output of the same shape.
    """

    def call(self, s: Tensor) -> Tensor:
        return ops.cast(exponential_squash(self._widen(s)), self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)


@keras.saving.register_keras_serializable(package="capslib")
class PrimaryCapsules(_Float32Layer):
    """The first capsules: a convolution whose channels are read as capsules and squashed.  (Section 4)

    Each position of the convolution's output holds `channels` capsules of `dim_capsule` neighbouring features.

    Args:
        channels: capsules at each position; at least 1.
        dim_capsule: their dimension D; at least 1.
        kernel_size, strides, padding: of the convolution, as in `keras.layers.Conv2D`.
        offset: of the squash; 1 in the paper.

    Input (B, H, W, C), output (B, H'·W'·channels, D): position by position, and in each channel by channel. H and W may
    differ from call to call.

    Raises:
        ValueError: naming the argument, if one of the above is out of range.
    """

    def __init__(
        self,
        channels: int,
        dim_capsule: int,
        kernel_size: int | tuple[int, int] = 9,
        strides: int | tuple[int, int] = 2,
        padding: str = "valid",
        offset: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_count("channels", channels)
        check_count("dim_capsule", dim_capsule)
        check_positive("offset", offset)
        self.channels = int(channels)
        self.dim_capsule = int(dim_capsule)
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.offset = float(offset)
        self.conv = keras.layers.Conv2D(
            self.channels * self.dim_capsule, kernel_size, strides, padding, dtype=self.dtype_policy, name="conv"
        )

    def build(self, input_shape: Shape) -> None:
        self.conv.build(input_shape)

    def call(self, x: Tensor) -> Tensor:
        # A convolution's last axis is channel · D + component, so a plain reshape keeps each capsule whole.
        s = self._widen(self.conv(x))
        # Not the shape of s where it is known before: of no images at all, oneDNN's convolution gives that of x.
        positions = self.compute_output_shape(tuple(x.shape))[1]
        if positions is None:
            _, height, width, _ = ops.shape(s)
            positions = height * width * self.channels
        s = ops.reshape(s, (-1, positions, self.dim_capsule))
        return ops.cast(squash(s, self.offset), self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, _ = self.conv.compute_output_shape(input_shape)
        positions = None if None in (height, width) else height * width * self.channels
        return (batch, positions, self.dim_capsule)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "channels": self.channels,
            "dim_capsule": self.dim_capsule,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "offset": self.offset,
        }


@keras.saving.register_keras_serializable(package="capslib")
class Places(keras.layers.Layer):
    """Append to every cell of a grid where it lies: (x, y) from −1 to 1, x to the right and y up.

    Input (B, H, W, C), output (B, H, W, C + 2).

    Raises:
        ValueError: if the input has not four axes.
    """

    def call(self, grid: Tensor) -> Tensor:
        self.compute_output_shape(grid.shape)
        B, H, W, _ = ops.shape(grid)
        x = ops.linspace(-1.0, 1.0, W, dtype=grid.dtype)
        y = ops.linspace(1.0, -1.0, H, dtype=grid.dtype)
        across, up = ops.broadcast_to(x[None, :], (H, W)), ops.broadcast_to(y[:, None], (H, W))
        places = ops.broadcast_to(ops.stack([across, up], axis=-1)[None], (B, H, W, 2))
        return ops.concatenate([grid, places], axis=-1)

    def compute_output_shape(self, grid_shape: Shape) -> Shape:
        if len(grid_shape) != 4:
            raise ValueError(f"grid: got shape {tuple(grid_shape)}, expected (B, H, W, C)")
        return (*grid_shape[:3], None if grid_shape[3] is None else grid_shape[3] + 2)


@keras.saving.register_keras_serializable(package="capslib")
class Length(_Float32Layer):
    """Length of capsules: ‖v_j‖ = √Σ v_j², with gradient 0 (not NaN) where v_j is the zero vector.

    Input (..., J, D), output (..., J); for squashed capsules in [0, 1).
    """

    def call(self, v: Tensor) -> Tensor:
        n = ops.sum(ops.square(self._widen(v)), axis=-1)
        # √ has no gradient at 0, and on some backends `where` alone would multiply its infinity by 0: mask inside too.
        present = n > 0
        lengths = ops.where(present, ops.sqrt(ops.where(present, n, 1)), 0)
        return ops.cast(lengths, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape[:-1])


@keras.saving.register_keras_serializable(package="capslib")
class Mask(_Float32Layer):
    """Keep one capsule of each example and set all others to zero.                              (Section 4.1)

    In training the label says which capsule is kept; without a label it is the longest one.

    Input v (B, J, D) and, if there is one, the one-hot label (B, J). Output (B, J, D).

    Raises:
        ValueError: naming the argument, if v has no three axes, or the label is not of the shape (B, J).
    """

    def call(self, v: Tensor, label: Tensor | None = None) -> Tensor:
        self._check(v.shape, None if label is None else label.shape)
        v = self._widen(v)
        if label is None:
            # The longest is also the one whose square is largest.
            label = ops.one_hot(ops.argmax(ops.sum(ops.square(v), axis=-1), axis=-1), v.shape[1], dtype=v.dtype)
        return ops.cast(v * ops.cast(label, v.dtype)[..., None], self.compute_dtype)

    @staticmethod
    def _check(v_shape: Shape, label_shape: Shape | None) -> None:
        if len(v_shape) != 3 or v_shape[1] is None:
            raise ValueError(f"v: got shape {tuple(v_shape)}, expected (B, J, D)")
        if label_shape is not None and not fits(label_shape, v_shape[:2]):
            raise ValueError(f"label: got shape {tuple(label_shape)}, expected one-hot (B, J) like v {tuple(v_shape)}")

    def compute_output_shape(self, v_shape: Shape, label_shape: Shape | None = None) -> Shape:
        self._check(v_shape, label_shape)
        return tuple(v_shape)


@keras.saving.register_keras_serializable(package="capslib")
class Longest(_Float32Layer):
    """Which capsules of each example are the longest, as labels for a Mask: the longest first.

    Args:
        count: K, how many; at least 1.

    Input v (B, J, D) with J at least K, output one-hot labels (B, K, J).

    Raises:
        ValueError: naming the argument, if the count is out of range, or v has no three axes or too few capsules.
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = check_count("count", count)

    def call(self, v: Tensor) -> Tensor:
        self.compute_output_shape(v.shape)
        _, longest = ops.top_k(ops.sum(ops.square(self._widen(v)), axis=-1), self.count)
        return ops.one_hot(longest, v.shape[1], dtype=self.compute_dtype)

    def compute_output_shape(self, v_shape: Shape) -> Shape:
        if len(v_shape) != 3 or v_shape[1] is None or v_shape[1] < self.count:
            raise ValueError(f"v: got shape {tuple(v_shape)}, expected (B, J, D) with J at least {self.count}")
        return (v_shape[0], self.count, v_shape[1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}
