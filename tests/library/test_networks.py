"""The networks in NumPy: with the shipped weights they answer as the Keras models do."""

import subprocess
import sys

import numpy as np
import pytest

from capslib import digits, models, networks, weights
from capslib import equations as eq

RNG = np.random.default_rng(15)
CAPSNET = weights.arrays("article_capsnet")
CNNS = {head: weights.arrays(f"matched_cnn_{head}") for head in ("flatten", "global")}


@pytest.fixture(scope="module")
def images():
    return digits.load("bundled").x_test[:100]


# Against Keras ------------------------------------------------------------------------------------------------------


def test_the_capsule_network_is_keras_own(images):
    expected = models.article_capsnet(weights="shipped").predict(images, verbose=0)
    trace = networks.capsnet(images, CAPSNET)
    assert trace.lengths.dtype == np.float32 and trace.c.shape == (5, 100, 49, 10)
    np.testing.assert_allclose(trace.lengths[-1], expected, atol=1e-5)
    assert expected.std() > 0.1  # Lengths that were all alike would agree with anything.


@pytest.mark.parametrize("head", CNNS)
def test_the_plain_networks_are_keras_own(images, head):
    expected = models.matched_cnn(head, weights="shipped").predict(images, verbose=0)
    found = networks.cnn(images, CNNS[head])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert expected.std() > 0.1


def test_the_pose_network_and_its_decoder_are_keras_own(images):
    arrays, x = weights.arrays("pose_capsnet"), images[:20]
    expected = models.pose_capsnet(weights="shipped").predict(x, verbose=0)
    trace = networks.pose_capsnet(x, arrays)
    assert trace.c.shape == (3, 20, 144, 10) and trace.offset == 1
    np.testing.assert_allclose(trace.lengths[-1], expected["lengths"], atol=1e-5)
    found = networks.decode(eq.mask(trace.v[-1]), arrays)
    assert found.dtype == np.float32 and expected["reconstruction"].std(0).mean() > 0.1
    np.testing.assert_allclose(found, expected["reconstruction"], atol=1e-4)
    one = networks.pose_capsnet(x[3, ..., 0], arrays)
    np.testing.assert_allclose(one.v, trace.v[:, 3], atol=1e-5)
    np.testing.assert_allclose(networks.decode(eq.mask(one.v[-1:])[0], arrays), found[3, ..., 0], atol=1e-5)


def test_routings_and_offset_are_those_given(images):
    lengths = [networks.capsnet(images[0, ..., 0], CAPSNET, *given).lengths for given in ((), (1,), (5, 1.0), (2, 0.5))]
    assert [len(one) for one in lengths] == [5, 1, 5, 2]
    np.testing.assert_array_equal(lengths[3], lengths[0][:2])
    assert lengths[0][-1].max() > lengths[2][-1].max() > 0.8 > lengths[1][-1].max()


# One image and many ---------------------------------------------------------------------------------------------------


def test_one_image_has_no_batch_axis_and_a_batch_of_one_has(images):
    image = images[3, ..., 0]
    for batch, kept in ((image, ()), (image[None], (1,)), (image[None, ..., None], (1,))):
        assert networks.trunk(batch, CAPSNET).shape == (*kept, 7, 7, 32)
        assert networks.capsnet(batch, CAPSNET).lengths.shape == (5, *kept, 10)
        for arrays in CNNS.values():
            assert networks.cnn(batch, arrays).shape == (*kept, 10)


def test_images_of_a_batch_do_not_touch_each_other(images):
    batch = networks.capsnet(images[:5], CAPSNET).v
    answers = {head: networks.cnn(images[:5], arrays) for head, arrays in CNNS.items()}
    for n in range(5):
        image = images[n, ..., 0]
        np.testing.assert_allclose(networks.capsnet(image, CAPSNET).v, batch[:, n], atol=1e-5)
        for head, arrays in CNNS.items():
            np.testing.assert_allclose(networks.cnn(image, arrays), answers[head][n], atol=1e-5)


def test_bytes_are_read_as_the_pictures_that_they_stand_for(images):
    ink = np.rint(255 * images[:4]).astype(np.uint8)
    np.testing.assert_allclose(networks.trunk(ink, CAPSNET), networks.trunk(images[:4], CAPSNET), atol=1e-5)


# The layers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("K", [1, 3, 5])
def test_convolution_is_the_sum_over_the_window(K):
    x, kernel, bias = RNG.normal(size=(2, 4, 5, 3)), RNG.normal(size=(K, K, 3, 2)), RNG.normal(size=2)
    expected = np.zeros((2, 4, 5, 2))
    for n, h, w, f in np.ndindex(expected.shape):
        expected[n, h, w, f] = bias[f]
        for p, q, c in np.ndindex(K, K, 3):
            row, column = h + p - K // 2, w + q - K // 2
            if 0 <= row < 4 and 0 <= column < 5:
                expected[n, h, w, f] += x[n, row, column, c] * kernel[p, q, c, f]
    np.testing.assert_allclose(networks.convolution(x, kernel, bias), expected, atol=1e-12)


def test_max_pooling_keeps_the_largest_of_each_square():
    x = RNG.permutation(2 * 4 * 6 * 3).reshape(2, 4, 6, 3)
    found = networks.max_pooling(x)
    assert found.shape == (2, 2, 3, 3)
    for n, h, w, c in np.ndindex(found.shape):
        assert found[n, h, w, c] == x[n, 2 * h : 2 * h + 2, 2 * w : 2 * w + 2, c].max()


# Bad input ------------------------------------------------------------------------------------------------------------


def with_another(weights, name, x):
    return {**weights, name: x}


@pytest.mark.parametrize(
    ("network", "arrays", "says"),
    [
        ("capsnet", CNNS["flatten"], r"W: got conv1.kernel, .*, expected a dict of arrays conv1.kernel, .*v.W"),
        ("capsnet", {}, "W: got no arrays, expected a dict"),
        ("capsnet", 3, "W: got int, expected a dict"),
        ("capsnet", with_another(CAPSNET, "more", np.ones(1)), "W: got .*more, expected a dict"),
        (
            "capsnet",
            with_another(CAPSNET, "v.W", CAPSNET["v.W"][:31]),
            r'W\["v.W"\]: got shape \(31, 10, 30\), expected \(32, 10, D\)',
        ),
        ("capsnet", with_another(CAPSNET, "conv1.bias", np.full(16, np.nan)), r'W\["conv1.bias"\]: got NaN'),
        ("capsnet", with_another(CAPSNET, "conv1.bias", ["a"] * 16), r'W\["conv1.bias"\]: got type'),
        ("cnn", CAPSNET, "W: got .*, expected a dict of arrays .* mix.kernel.* or .* hidden.kernel"),
        (
            "cnn",
            with_another(CNNS["flatten"], "mix.bias", np.zeros(17)),
            r'W\["mix.bias"\]: got shape \(17,\), expected \(18,\)',
        ),
        (
            "cnn",
            with_another(CNNS["flatten"], "probabilities.kernel", np.zeros((881, 10))),
            r'W\["probabilities.kernel"\]: got shape \(881, 10\), expected \(882, 10\)',
        ),
        (
            "cnn",
            with_another(CNNS["global"], "probabilities.kernel", np.zeros((222, 10))),
            r'W\["probabilities.kernel"\]: got shape \(222, 10\), expected \(223, 10\)',
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(network, arrays, says):
    with pytest.raises(ValueError, match=says):
        networks.check_weights("W", arrays, network)
    with pytest.raises(ValueError, match=says.replace("W", "weights", 1)):
        getattr(networks, network)(np.zeros((28, 28)), arrays)


def test_checked_arrays_come_as_float32_in_the_order_of_the_layers():
    turned_around = {name: x.astype(float) for name, x in reversed(CAPSNET.items())}
    checked = networks.check_weights("W", turned_around, "capsnet")
    assert list(checked) == ["conv1.kernel", "conv1.bias", "conv2.kernel", "conv2.bias", "v.W"]
    for name, x in checked.items():
        assert x.dtype == np.dtype("<f4")
        np.testing.assert_array_equal(x, CAPSNET[name])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"images": np.zeros((2, 27, 28))}, r"images: got shape \(2, 27, 28\)"),
        ({"images": np.full((28, 28), np.nan)}, "images: got NaN"),
        ({"images": np.full((28, 28), 1.5)}, "images: got values from 1.5 to 1.5"),
        ({"routings": 0}, "routings: got 0, expected a whole number of at least 1"),
        ({"offset": 0}, "offset: got 0, expected a positive number"),
    ],
)
def test_bad_input_is_refused_by_name(given, says):
    with pytest.raises(ValueError, match=says):
        networks.capsnet(**{"images": np.zeros((28, 28)), "weights": CAPSNET, **given})


def test_neither_keras_nor_pictures_are_loaded():
    code = "import sys, capslib.networks; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not {"keras", "tensorflow", "matplotlib", "mlxtend", "ipywidgets", "anywidget"} & set(loaded)
