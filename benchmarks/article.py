"""Capsule layers that ours is timed against: the article's, the equations as they stand, and three that we tried."""

import keras
from keras import ops

from capslib.equations import EPSILON
from capslib.layers import couple, squash


class _Rival(keras.layers.Layer):
    """What both layers share; `copy_kernel` gives them the numbers of a `capslib.layers.Capsule`."""

    def __init__(self, num_capsule, dim_capsule, routings=3, share_weights=True, **kwargs):
        super().__init__(**kwargs)
        self.num_capsule, self.dim_capsule = num_capsule, dim_capsule
        self.routings, self.share_weights = routings, share_weights

    def copy_kernel(self, capsule):
        """Take over the kernel of a built Capsule of the same shape, so that both layers compute the same outputs."""
        self.kernel.assign(ops.reshape(capsule.kernel, self.kernel.shape))


class ArticleCapsule(_Rival):
    """The article's layer line by line: all votes made and kept as (B, J, I, D_out), then routed.

    û_ij = u_i W_ij for every pair; b = 0; `routings` times c = softmax of b over j with its maximum subtracted,
    s = Σ_i c û, v = squash(s) with offset 0.5, b ← b + ⟨û, v⟩ but not after the last.

    The article calls functions that Keras no longer has: a convolution of width 1 (one for each place if W is not
    shared) and batched products with named axes. Both are written in two forms, to be timed in the faster one.

    Args:
        num_capsule, dim_capsule, routings, share_weights: as in `capslib.layers.Capsule`.
        form: "einsum" or "matmul", how the products are written.

    Input (B, I, D_in), output v (B, J, D_out). Kernel in the article's shape: (1, D_in, J·D_out) shared,
    (I, D_in, J·D_out) not shared.

    Raises:
        ValueError: if `form` is neither.
    """

    def __init__(self, *args, form="matmul", **kwargs):
        super().__init__(*args, **kwargs)
        if form not in ("einsum", "matmul"):
            raise ValueError(f"form: got {form!r}, expected 'einsum' or 'matmul'")
        self.form = form

    def build(self, input_shape):
        I, D_in = input_shape[1:]
        places = 1 if self.share_weights else I
        self.kernel = self.add_weight(
            name="W", shape=(places, D_in, self.num_capsule * self.dim_capsule), initializer="glorot_uniform"
        )

    def call(self, u):
        u_hat = ops.reshape(self._convolve(u), (-1, u.shape[1], self.num_capsule, self.dim_capsule))
        u_hat = ops.transpose(u_hat, (0, 2, 1, 3))
        b = ops.zeros_like(u_hat[:, :, :, 0])
        for t in range(self.routings):
            e = ops.exp(b - ops.max(b, axis=1, keepdims=True))
            c = e / ops.sum(e, axis=1, keepdims=True)
            v = squash(self._gather(c, u_hat), 0.5)
            if t < self.routings - 1:
                b = b + self._agree(v, u_hat)
        return v

    def _convolve(self, u):
        """All votes, (B, I, J·D_out) or (B·I, J·D_out)."""
        if self.form == "einsum" and self.share_weights:
            return ops.einsum("bid,dm->bim", u, self.kernel[0])
        if self.form == "einsum":
            return ops.einsum("bid,idm->bim", u, self.kernel)
        if self.share_weights:
            # One product of two matrices: with a batch axis, the gradient of W would be one product for each example.
            return ops.matmul(ops.reshape(u, (-1, u.shape[-1])), self.kernel[0])
        return ops.transpose(ops.matmul(ops.transpose(u, (1, 0, 2)), self.kernel), (1, 0, 2))

    def _gather(self, c, u_hat):
        """s_j = Σ_i c_ij û_ij."""
        if self.form == "einsum":
            return ops.einsum("bji,bjik->bjk", c, u_hat)
        return ops.matmul(c[:, :, None, :], u_hat)[:, :, 0]

    def _agree(self, v, u_hat):
        """⟨û_ij, v_j⟩."""
        if self.form == "einsum":
            return ops.einsum("bjk,bjik->bji", v, u_hat)
        return ops.matmul(u_hat, v[..., None])[..., 0]


class PlainCapsule(_Rival):
    """The equations as they stand, each one einsum, with the axes in the course's order: û (B, I, J, D_out).

    Input (B, I, D_in), output v (B, J, D_out). Kernel: (D_in, J, D_out) shared, (I, D_in, J, D_out) not shared.
    """

    def build(self, input_shape):
        I, D_in = input_shape[1:]
        places = () if self.share_weights else (I,)
        self.kernel = self.add_weight(name="W", shape=(*places, D_in, self.num_capsule, self.dim_capsule))

    def call(self, u):
        u_hat = ops.einsum("bid,djk->bijk" if self.share_weights else "bid,idjk->bijk", u, self.kernel)
        b = ops.zeros_like(u_hat[..., 0])
        for t in range(self.routings):
            c = ops.softmax(b, axis=-1)
            v = squash(ops.einsum("bij,bijk->bjk", c, u_hat), 0.5)
            if t < self.routings - 1:
                b = b + ops.einsum("bijk,bjk->bij", u_hat, v)
        return v


class TriedCapsule(PlainCapsule):
    """Three other ways to route without votes, for shared W alone: measured, and not taken.

    "einsum": as in ours, but every product is an einsum, with the example's axis first. "gram": with G_j = W_j W_jᵀ
    and A_j = Σ_i c_ij u_i, routing needs no s before the last: ‖s_j‖² = ⟨A_j G_j, A_j⟩, and v_j W_jᵀ is A_j G_j
    scaled as squash scales. "by_hand": the same, and the gradient of c is not left to Keras.

    Args:
        form: "einsum", "gram" or "by_hand".

    Input (B, I, D_in), output v (B, J, D_out). Kernel: (D_in, J, D_out).
    """

    def __init__(self, *args, form, **kwargs):
        super().__init__(*args, **kwargs)
        self.form = form

    def call(self, u):
        W = ops.convert_to_tensor(self.kernel)
        if self.form == "einsum":
            return self._einsum(u, W)
        return self._gram(u, W, couple if self.form == "gram" else _couple_by_hand)

    def _einsum(self, u, W):
        v = squash(ops.einsum("bd,djk->bjk", ops.sum(u, axis=1) / self.num_capsule, W))
        q = 0
        for _ in range(self.routings - 1):
            q = q + ops.einsum("bjk,djk->bjd", v, W)
            c = ops.softmax(ops.einsum("bid,bjd->bij", u, q), axis=-1)
            v = squash(ops.einsum("bjd,djk->bjk", ops.einsum("bij,bid->bjd", c, u), W))
        return v

    def _gram(self, u, W, couple):
        W, u_T = ops.transpose(W, (1, 0, 2)), ops.transpose(u, (0, 2, 1))
        G = W @ ops.transpose(W, (0, 2, 1))
        A = ops.repeat((ops.sum(u, axis=1) / self.num_capsule)[None], self.num_capsule, axis=0)
        q = 0
        for _ in range(self.routings - 1):
            turned = A @ G
            n = ops.sum(A * turned, axis=-1, keepdims=True) + EPSILON
            q = q + ops.sqrt(n) / (0.5 + n) * turned
            c = couple(ops.transpose(q, (1, 0, 2)) @ u_T)
            A = ops.transpose(c @ u, (1, 0, 2))
        return squash(ops.transpose(A @ W, (1, 0, 2)))


@ops.custom_gradient
def _couple_by_hand(b):
    """`couple`, with ∂L/∂b_ij = c_ij (g_ij − Σ_k c_ik g_ik) for g = ∂L/∂c."""
    c = couple(b)

    def backward(g):
        gained = c * g
        return gained - c * ops.sum(gained, axis=1, keepdims=True)

    return c, backward
