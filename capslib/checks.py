"""One sentence for every bad argument: its name, what was given, what was expected. All raise ValueError.

Every message has the form `routings: got 0, expected a whole number of at least 1`.
"""

import importlib.util
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def as_array(name: str, x: ArrayLike, expected: str = "an array of numbers") -> np.ndarray:
    """`x` as an array; refused by name if it is made of lists with different lengths."""
    try:
        return np.asarray(x)
    except ValueError:
        raise ValueError(f"{name}: got {x!r:.60}, expected {expected}") from None


def as_float(name: str, x: ArrayLike) -> np.ndarray:
    """`x` as a floating array; refused by name unless it is one of real numbers.

    Float types are kept, everything else becomes float64.
    """
    x = as_array(name, x)
    if x.dtype.kind in "cmMOSU":
        raise ValueError(f"{name}: got type {x.dtype}, expected an array of real numbers")
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float64)


def is_whole(value: object) -> bool:
    """Whether a value is one whole number, Python's or NumPy's; True and False do not count."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_real(value: object) -> bool:
    """Whether a value is one real number that is not NaN, Python's or NumPy's; True and False do not count."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return bool(real and value == value)


def check_whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` as int; refused by name if it is not a whole number from `low` to `high`, or of at least `low`."""
    if not is_whole(value) or value < low or (high is not None and value > high):
        expected = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name}: got {value!r}, expected a whole number {expected}")
    return int(value)


def check_count(name: str, value: Any) -> int:
    """`value` as int; refused by name if it is not a whole number ≥ 1."""
    return check_whole(name, value, 1)


def check_seed(name: str, value: Any) -> int:
    """`value` as int; refused by name if it is not a whole number ≥ 0."""
    return check_whole(name, value, 0)


def check_positive(name: str, value: Any) -> float:
    """`value` as float; refused by name if it is not a positive finite number."""
    if not is_real(value) or not 0 < value < np.inf:
        raise ValueError(f"{name}: got {value!r}, expected a positive number")
    return float(value)


def check_number(name: str, value: Any, low: float, high: float) -> float:
    """`value` as float; refused by name if it is not one number from `low` to `high`."""
    if not is_real(value) or not low <= value <= high:
        raise ValueError(f"{name}: got {value!r}, expected a number from {low:g} to {high:g}")
    return float(value)


def check_choice(name: str, value: Any, choices: Iterable) -> Any:
    """`value`; refused by name if it is not one of `choices`."""
    choices = list(choices)
    if isinstance(value, np.ndarray) or value not in choices:  # An array would be compared number by number.
        *named, last = [repr(choice) for choice in choices] or ["nothing, since there is no choice"]
        expected = f"{', '.join(named)} or {last}" if named else last
        raise ValueError(f"{name}: got {value!r}, expected {expected}")
    return value


def check_text(name: str, value: Any, expected: str) -> str:
    """`value`; refused by name if it is not a text that contains a word. `expected` says which words."""
    if not isinstance(value, str) or not value.strip():
        given = "an empty text" if value is None or isinstance(value, str) else repr(value)
        raise ValueError(f"{name}: got {given}, expected {expected}")
    return value


def check_numbers(name: str, value: Any, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """`value` as a float64 array; refused by name if a number is not finite or not from `low` to `high`."""
    try:
        numbers = np.asarray(value)
    except ValueError:  # NumPy makes no array of lists with different lengths.
        numbers = np.array(None)
    numbers = numbers.astype(float) if numbers.dtype.kind in "iuf" or not numbers.size else np.array(np.nan)
    expected = f"a number from {low:g} to {high:g}"
    if np.isinf(high):
        expected = "a finite number" if np.isinf(low) else f"a number of at least {low:g}"
    if not np.isfinite(numbers).all():
        given = f"{value!r:.60}" if numbers.ndim < 2 else "NaN or infinite values"
        raise ValueError(f"{name}: got {given}, expected {expected}")
    if numbers.size and (numbers.min() < low or numbers.max() > high):
        wrong = numbers.min() if numbers.min() < low else numbers.max()
        raise ValueError(f"{name}: got {wrong:g}, expected {expected}")
    return numbers


def check_shape(name: str, x: ArrayLike, shape: Sequence[int | str]) -> np.ndarray:
    """`x` as an array; refused by name if it has another shape.

    Args:
        name: the argument's name for the message.
        x: an array.
        shape: its expected shape; a letter means any size of at least 1.
    """
    expected = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    x = as_array(name, x, f"an array ({expected})")
    sizes = zip(x.shape, shape, strict=False)  # An array of another rank is refused whatever its sizes.
    if x.ndim != len(shape) or any(n != m if isinstance(m, int) else n == 0 for n, m in sizes):
        raise ValueError(f"{name}: got shape {x.shape}, expected ({expected})")
    return x


def check_floats(name: str, x: ArrayLike, shape: Sequence[int | str]) -> np.ndarray:
    """`x` as little-endian float32, as a page receives it; refused by name if it does not fit.

    Args:
        name: the argument's name for the message.
        x: an array of real, finite numbers.
        shape: its expected shape; a letter means any size of at least 1.
    """
    x = check_shape(name, x, shape)
    if not (np.issubdtype(x.dtype, np.number) and not np.iscomplexobj(x)):
        raise ValueError(f"{name}: got type {x.dtype}, expected real numbers")
    with np.errstate(over="ignore"):
        x = x.astype("<f4")
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: got NaN or infinite values, expected finite numbers")
    return x


def backend_problem() -> str | None:
    """What is wrong with the backend that Keras was told to run on, in one sentence; None if nothing is.

    Keras is not imported, because it would fail halfway with a long traceback and stay broken until Python restarts.
    """
    name, remedy = os.environ.get("KERAS_BACKEND"), "unset the variable (in a terminal: unset KERAS_BACKEND)"
    place = "KERAS_BACKEND"
    if not name:
        file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
        try:
            name = json.loads(file.read_text(encoding="utf-8")).get("backend")
        except (OSError, ValueError, AttributeError):  # There is no file, or Keras would ignore it too.
            return None
        place, remedy = f"backend in {file}", 'put "tensorflow" there'
    known = ("tensorflow", "jax", "torch", "numpy", "openvino")
    if name is None or (name in known and importlib.util.find_spec(name)):
        return None
    return (
        f"{place}: got {name!r}, expected a backend of Keras that is installed; the course uses 'tensorflow', "
        f"so {remedy} and start again"
    )
