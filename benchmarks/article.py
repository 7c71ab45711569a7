"""The capsule layers that ours is timed against: the article's, in today's Keras, and the equations as they stand."""

import keras
from keras import ops

from capslib.layers import squash


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
