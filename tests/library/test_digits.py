import os
import subprocess
import sys

import numpy as np
import platformdirs
import pytest

from capslib import digits


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path / "capslib" / "mnist_5k.npz"


def test_bundled_digits_are_split_by_class():
    d = digits.load("bundled")
    for x, y, a_class in ((d.x_train, d.y_train, 400), (d.x_val, d.y_val, 50), (d.x_test, d.y_test, 50)):
        assert x.shape == (10 * a_class, 28, 28, 1) and x.dtype == np.float32
        assert y.shape == (10 * a_class,) and y.dtype == np.int64
        assert x.min() == 0 and x.max() == 1
        assert (np.bincount(y) == a_class).all()
        assert len(set(y[:20])) > 3  # shuffled, not class after class
    assert len({image.tobytes() for x in (d.x_train, d.x_val, d.x_test) for image in x}) == 5000


def test_bundled_digits_are_the_same_with_and_without_a_cache(own_cache):
    parsed = digits.load()
    assert own_cache.is_file()
    cached = digits.load()
    own_cache.write_bytes(own_cache.read_bytes()[:1000])
    mended = digits.load()
    for first, second, third in zip(parsed, cached, mended, strict=True):
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, third)
    assert not list(own_cache.parent.glob("*.part"))


@pytest.mark.parametrize("source", ["mnist", None, ""])
def test_another_source_is_refused(source):
    with pytest.raises(ValueError, match="source: got .* expected 'bundled' or 'full'"):
        digits.load(source)


def test_full_digits(full_mnist):
    d = digits.load("full")
    assert [len(a) for a in d] == [55_000] * 2 + [5_000] * 2 + [10_000] * 2
    bundled = digits.load("bundled")
    validation = {image.tobytes() for image in d.x_val}
    assert validation == {image.tobytes() for x in (bundled.x_train, bundled.x_val, bundled.x_test) for image in x}
    assert not validation & {image.tobytes() for image in d.x_train}
    labels = {image.tobytes(): y for image, y in zip(d.x_val, d.y_val, strict=True)}
    assert all(labels[image.tobytes()] == y for image, y in zip(bundled.x_test, bundled.y_test, strict=True))


def refuse(monkeypatch, path, error, message):
    monkeypatch.setenv("CAPSLIB_MNIST", str(path))
    with pytest.raises(error, match=message):
        digits.load("full")


def test_a_missing_file_is_named(monkeypatch, tmp_path):
    refuse(monkeypatch, tmp_path / "no.npz", FileNotFoundError, "CAPSLIB_MNIST: got .*no.npz")


def test_a_truncated_file_is_named(monkeypatch, tmp_path):
    path = tmp_path / "cut.npz"
    np.savez_compressed(path, x_train=np.random.default_rng(0).random(9999))
    path.write_bytes(path.read_bytes()[:-5000])
    refuse(monkeypatch, path, ValueError, "cut.npz: expected an .npz file .* damaged")


def test_damage_inside_a_file_is_named(monkeypatch, tmp_path):
    path = tmp_path / "bitrot.npz"
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez_compressed(path, **{name: np.random.default_rng(0).random(5000) for name in names})
    damaged = bytearray(path.read_bytes())
    damaged[2000:2100] = bytes(100)
    path.write_bytes(damaged)
    refuse(monkeypatch, path, ValueError, "bitrot.npz: .* damaged")


def test_pickled_content_is_never_loaded(monkeypatch, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    names = ("x_train", "y_train", "x_test", "y_test")
    path = tmp_path / "pickled.npz"
    np.savez(path, **{name: np.array([Trap()], dtype=object) for name in names})
    refuse(monkeypatch, path, ValueError, "pickled.npz: expected .* plain arrays")
    assert not (tmp_path / "sprung").exists()


def test_another_set_is_refused(monkeypatch, tmp_path):
    path = tmp_path / "other.npz"
    y = np.zeros(60000, np.uint8)
    np.savez_compressed(
        path, x_train=np.zeros((60000, 28, 28), np.uint8), y_train=y, x_test=np.zeros((1, 28, 28)), y_test=y
    )
    refuse(monkeypatch, path, ValueError, "full set: got arrays of shapes")
    x = np.zeros((10000, 28, 28), np.uint8)
    np.savez_compressed(path, x_train=np.zeros((60000, 28, 28), np.uint8), y_train=y, x_test=x, y_test=y[:10000])
    refuse(monkeypatch, path, ValueError, "not among its training digits")


@pytest.mark.course
def test_no_network_gets_one_error_with_both_ways_out(tmp_path):
    code = (
        "import capslib.quiet, keras\n"
        "from capslib import digits\n"
        "def unreachable(*a, **k): raise Exception('URL fetch failure')\n"
        "keras.datasets.mnist.load_data = unreachable\n"
        "digits.load('full')"
    )
    env = {k: v for k, v in os.environ.items() if k != "CAPSLIB_MNIST"} | {"KERAS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ConnectionError: source: 'full'") and "CAPSLIB_MNIST" in last and "bundled" in last


def test_without_keras_the_error_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.delenv("CAPSLIB_MNIST", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(ConnectionError, match="source: 'full'.*bundled"):
        digits.load("full")


def test_images_in_every_accepted_form():
    x = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    for form in (x, x[..., None], x / 255, (x / 255)[..., None]):
        images = digits.as_images(form)
        assert images.shape == (2, 28, 28, 1) and images.dtype == np.float32
        np.testing.assert_allclose(images[..., 0], x / 255, atol=1e-7)
    assert digits.as_images(x[0]).shape == (1, 28, 28, 1)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((0, 28, 28)), r"images: got shape \(0, 28, 28\), expected \(N, 28, 28, 1\) with N at least 1"),
        (np.zeros((2, 32, 32)), r"images: got shape \(2, 32, 32\)"),
        (np.zeros((2, 28, 28, 3)), r"images: got shape \(2, 28, 28, 3\)"),
        (np.zeros(784), r"images: got shape \(784,\)"),
        ([[1], [1, 2]], r"images: got \[\[1\], \[1, 2\]\], expected an array of numbers"),
        (np.full((28, 28), np.nan), "images: got NaN or infinite pixels"),
        (np.full((28, 28), np.inf), "images: got NaN or infinite pixels"),
        (np.full((28, 28), 1.5), "images: got values from 1.5 to 1.5, expected float in 0–1"),
        (np.full((28, 28), -0.1), "images: got values from -0.1"),
        (np.full((28, 28), 255, dtype=np.int64), "images: got type int64"),
    ],
)
def test_bad_images_are_named(x, message):
    with pytest.raises(ValueError, match=message):
        digits.as_images(x)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([], r"y: got shape \(0,\)"),
        ([[1], [1, 2]], r"y: got \[\[1\], \[1, 2\]\], expected an array of numbers"),
        ([[1]], r"y: got shape \(1, 1\), expected \(N,\)"),
        ([1.0], "y: got type float64, expected whole numbers"),
        ([0, 10], "y: got labels from 0 to 10, expected 0 to 9"),
        ([-1, 3], "y: got labels from -1 to 3"),
    ],
)
def test_bad_labels_are_named(y, message):
    with pytest.raises(ValueError, match=message):
        digits.one_hot(y)


def test_one_hot():
    np.testing.assert_array_equal(digits.one_hot([2, 0]), np.eye(10)[[2, 0]])
