"""Gradients of plain NumPy code, backwards along a tape: enough of NumPy for the small networks of the bug lab.

A function written with NumPy runs on a Tensor as it runs on an array, and the Tensor remembers what was done to it. So
a step of a network, a learner's as well, is one function that is both tried on arrays and trained. A function of NumPy
that is not here raises TypeError, which names it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

UFUNCS: dict[Any, Callable] = {}
"""NumPy's elementwise function → one that takes (result, inputs) and gives for each input how a gradient goes back."""

FUNCTIONS: dict[Any, Callable] = {}
"""Any other function of NumPy → one that takes its arguments and gives a Tensor."""


class Tensor(NDArrayOperatorsMixin):
    """An array of float64 that knows which Tensors it was computed from.

    Attributes:
        value: the numbers.
        grad: after `gradients`, d result / d value, of the same shape.
    """

    def __init__(self, value: Any, parents: tuple = ()) -> None:
        """`parents` are pairs of a Tensor and a function from this one's gradient to that one's share of it."""
        self.value = np.asarray(value, float)
        self.parents = parents
        self.grad: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def dtype(self) -> np.dtype:
        return self.value.dtype

    @property
    def T(self) -> "Tensor":
        return transpose(self)

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, key: Any) -> "Tensor":
        def back(g: np.ndarray) -> np.ndarray:
            whole = np.zeros_like(self.value)
            np.add.at(whole, key, g)  # An index may name a number twice.
            return whole

        return Tensor(self.value[key], ((self, back),))

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        return total(self, axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        return mean(self, axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        return largest(self, axis, keepdims=keepdims)

    def reshape(self, *shape: Any) -> "Tensor":
        return reshape(self, shape[0] if len(shape) == 1 else shape)

    def swapaxes(self, a: int, b: int) -> "Tensor":
        return swapaxes(self, a, b)

    def transpose(self, *axes: Any) -> "Tensor":
        return transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs.get("out") is not None:
            raise TypeError(f"np.{ufunc.__name__}: the tape knows neither its .{method} nor writing into an array")
        values = [x.value if isinstance(x, Tensor) else x for x in inputs]
        with np.errstate(all="ignore"):  # A root at zero is what a case is about.
            result = ufunc(*values)
        if result.dtype == bool:
            return result
        if ufunc not in UFUNCS:
            raise TypeError(f"np.{ufunc.__name__}: the tape does not know its gradient")
        backs = UFUNCS[ufunc](result, *values)
        parents = [
            (x, lambda g, back=back, x=x: _fit(back(g), x.shape))
            for x, back in zip(inputs, backs, strict=True)
            if isinstance(x, Tensor)
        ]
        return Tensor(result, tuple(parents))

    def __array_function__(self, function: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        if function not in FUNCTIONS:
            raise TypeError(f"np.{function.__name__}: the tape does not know its gradient")
        return FUNCTIONS[function](*args, **kwargs)


def gradients(result: Tensor, *of: Tensor) -> list[np.ndarray]:
    """d result / d each of `of`, for a result of one number; zeros for what it does not depend on.

    Args:
        result: a Tensor of one number.
        of: Tensors that it was computed from.

    Returns:
        An array of the shape of each. What is 0 · ∞ on the way back is NaN, as in any framework.
    """
    order: list[Tensor] = []
    seen: set[int] = set()
    waiting: list[tuple[Tensor, bool]] = [(result, False)]
    while waiting:
        node, done = waiting.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            node.grad = None
            waiting.append((node, True))
            waiting.extend((parent, False) for parent, _ in node.parents)
    result.grad = np.ones_like(result.value)
    with np.errstate(all="ignore"):
        for node in reversed(order):
            if node.grad is None:
                continue
            for parent, back in node.parents:
                share = back(node.grad)
                parent.grad = share if parent.grad is None else parent.grad + share
    return [np.zeros_like(x.value) if id(x) not in seen or x.grad is None else x.grad for x in of]


def _fit(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A gradient summed over the axes along which the input was repeated."""
    g = np.asarray(g)
    g = g.sum(tuple(range(g.ndim - len(shape))))
    return g.sum(tuple(n for n, size in enumerate(shape) if size == 1 and g.shape[n] != 1), keepdims=True)


UFUNCS |= {
    np.add: lambda r, a, b: (lambda g: g, lambda g: g),
    np.subtract: lambda r, a, b: (lambda g: g, lambda g: -g),
    np.multiply: lambda r, a, b: (lambda g: g * b, lambda g: g * a),
    np.divide: lambda r, a, b: (lambda g: g / b, lambda g: -g * r / b),
    np.negative: lambda r, a: (lambda g: -g,),
    np.positive: lambda r, a: (lambda g: g,),
    np.exp: lambda r, a: (lambda g: g * r,),
    np.log: lambda r, a: (lambda g: g / a,),
    np.sqrt: lambda r, a: (lambda g: g * 0.5 / r,),
    np.square: lambda r, a: (lambda g: g * 2 * a,),
    np.absolute: lambda r, a: (lambda g: g * np.sign(a),),
    np.power: lambda r, a, b: (lambda g: g * b * np.power(a, b - 1), lambda g: g * r * np.log(a)),
    np.maximum: lambda r, a, b: (lambda g: g * (a >= b), lambda g: g * (a < b)),
    np.minimum: lambda r, a, b: (lambda g: g * (a <= b), lambda g: g * (a > b)),
    np.matmul: lambda r, a, b: (lambda g: g @ np.swapaxes(b, -1, -2), lambda g: np.swapaxes(a, -1, -2) @ g),
}


def _on_tape(*names: Any) -> Callable:
    """Let NumPy's functions of these names call the decorated one when a Tensor comes."""

    def note(function: Callable) -> Callable:
        FUNCTIONS.update(dict.fromkeys(names, function))
        return function

    return note


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


def _spread(g: np.ndarray, shape: tuple[int, ...], axis: Any, keepdims: bool) -> np.ndarray:
    """A gradient of a sum, back at the shape of what was summed."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape)


@_on_tape(np.sum)
def total(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """`np.sum`."""
    back = (x, lambda g: _spread(g, x.shape, axis, keepdims))
    return Tensor(x.value.sum(axis, keepdims=keepdims), (back,))


@_on_tape(np.mean)
def mean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """`np.mean`."""
    result = total(x, axis, keepdims)
    return result * (result.size / x.size)


@_on_tape(np.max, np.amax)
def largest(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """`np.max`; where several are largest, they share the gradient."""
    top = x.value.max(axis, keepdims=True)
    share = (x.value == top) / np.sum(x.value == top, axis=axis, keepdims=True)
    back = (x, lambda g: share * _spread(g, x.shape, axis, keepdims))
    return Tensor(x.value.max(axis, keepdims=keepdims), (back,))


@_on_tape(np.einsum)
def einsum(subscripts: str, *operands: Any) -> Tensor:
    """`np.einsum` with an arrow, where each index of an operand is in the result or in another operand."""
    inputs, output = subscripts.replace(" ", "").split("->")
    terms = inputs.split(",")
    values = [x.value if isinstance(x, Tensor) else np.asarray(x) for x in operands]
    parents = []
    for n, x in enumerate(operands):
        if isinstance(x, Tensor):
            others = [(term, value) for m, (term, value) in enumerate(zip(terms, values, strict=True)) if m != n]
            back = ",".join([output, *(term for term, _ in others)]) + "->" + terms[n]
            arrays = [value for _, value in others]
            parents.append((x, lambda g, back=back, arrays=arrays: np.einsum(back, g, *arrays)))
    return Tensor(np.einsum(subscripts, *values), tuple(parents))


@_on_tape(np.reshape)
def reshape(x: Tensor, shape: Any) -> Tensor:
    """`np.reshape`."""
    return Tensor(x.value.reshape(shape), ((x, lambda g: g.reshape(x.shape)),))


@_on_tape(np.transpose)
def transpose(x: Tensor, axes: Any = None) -> Tensor:
    """`np.transpose`."""
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axes)
    return Tensor(x.value.transpose(order), ((x, lambda g: g.transpose(np.argsort(order))),))


@_on_tape(np.swapaxes)
def swapaxes(x: Tensor, a: int, b: int) -> Tensor:
    """`np.swapaxes`."""
    return Tensor(x.value.swapaxes(a, b), ((x, lambda g: g.swapaxes(a, b)),))


@_on_tape(np.moveaxis)
def moveaxis(x: Tensor, source: Any, destination: Any) -> Tensor:
    """`np.moveaxis`."""
    return Tensor(np.moveaxis(x.value, source, destination), ((x, lambda g: np.moveaxis(g, destination, source)),))


@_on_tape(np.expand_dims)
def expand_dims(x: Tensor, axis: Any) -> Tensor:
    """`np.expand_dims`."""
    return reshape(x, np.expand_dims(x.value, axis).shape)


@_on_tape(np.where)
def where(condition: Any, x: Any, y: Any) -> Tensor:
    """`np.where`: both sides are computed, and the one that is not chosen gets a gradient of 0."""
    condition = condition.value if isinstance(condition, Tensor) else condition
    x, y = _tensor(x), _tensor(y)
    back_x = (x, lambda g: _fit(np.where(condition, g, 0), x.shape))
    back_y = (y, lambda g: _fit(np.where(condition, 0, g), y.shape))
    return Tensor(np.where(condition, x.value, y.value), (back_x, back_y))


@_on_tape(np.clip)
def clip(x: Tensor, low: Any, high: Any) -> Tensor:
    """`np.clip`."""
    clipped: Any = np.maximum(x, low)  # type: ignore[call-overload]
    return np.minimum(clipped, high)


@_on_tape(np.nan_to_num)
def nan_to_num(x: Tensor, nan: float = 0.0) -> Tensor:
    """`np.nan_to_num` for NaN alone."""
    return where(np.isnan(x.value), nan, x)


@_on_tape(np.linalg.norm)
def norm(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """`np.linalg.norm`: the root of the sum of squares, unguarded as NumPy's."""
    return np.sqrt(total(x * x, axis, keepdims))


@_on_tape(np.zeros_like)
def zeros_like(x: Tensor) -> np.ndarray:
    """`np.zeros_like`, a plain array."""
    return np.zeros_like(x.value)


@_on_tape(np.ones_like)
def ones_like(x: Tensor) -> np.ndarray:
    """`np.ones_like`, a plain array."""
    return np.ones_like(x.value)


@_on_tape(np.shape)
def shape_of(x: Tensor) -> tuple[int, ...]:
    """`np.shape`."""
    return x.shape


@_on_tape(np.stack)
def stack(tensors: Any, axis: int = 0) -> Tensor:
    """`np.stack`."""
    tensors = [_tensor(x) for x in tensors]
    parents = [(x, lambda g, n=n: np.take(g, n, axis)) for n, x in enumerate(tensors)]
    return Tensor(np.stack([x.value for x in tensors], axis), tuple(parents))
