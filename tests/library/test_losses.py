import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from capslib import equations as eq
from capslib.losses import margin_loss, reconstruction_loss
from tests.library.strategies import SETTINGS


@SETTINGS
@given(st.integers(1, 8), st.integers(1, 12), st.integers(0, 999))
def test_keras_equals_numpy(B, J, seed):
    rng = np.random.default_rng(seed)
    y, lengths = np.eye(J)[rng.integers(0, J, B)], rng.random((B, J))
    margins = {"m_plus": rng.uniform(0.5, 1), "m_minus": rng.uniform(0, 0.5), "lam": rng.uniform(0.1, 1)}
    np.testing.assert_allclose(
        ops.convert_to_numpy(margin_loss(y, lengths, **margins)), eq.margin_loss(y, lengths, **margins), atol=1e-6
    )


def test_every_example_keeps_its_own_loss_and_squares_it():
    lengths = np.array([[0.4, 0.6], [0.9, 0.1]], np.float32)
    loss = ops.convert_to_numpy(margin_loss(np.eye(2)[[0, 0]], lengths))
    np.testing.assert_allclose(loss, [0.5**2 + 0.5 * 0.5**2, 0], atol=1e-7)


@pytest.mark.parametrize("y", [np.ones(3), np.ones((2, 1)), np.ones((2, 3, 1))])
def test_labels_of_another_shape_are_refused(y):
    with pytest.raises(ValueError, match=r"y_true: got shape .* expected one-hot \(B, J\) like lengths \(2, 3\)"):
        margin_loss(y, np.ones((2, 3), np.float32))


@SETTINGS
@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 999))
def test_reconstruction_in_keras_equals_numpy(B, H, W, seed):
    image, other = np.random.default_rng(seed).random((2, B, H, W, 1))
    found = ops.convert_to_numpy(reconstruction_loss(image, other))
    np.testing.assert_allclose(found, eq.reconstruction_loss(image, other), rtol=1e-5)


@pytest.mark.parametrize("loss", [reconstruction_loss, eq.reconstruction_loss])
def test_reconstruction_sums_over_pixels_and_not_over_examples(loss):
    image = np.zeros((2, 28, 28, 1), np.float32)
    other = image.copy()
    other[1] += 0.5
    np.testing.assert_allclose(ops.convert_to_numpy(loss(image, other)), [0, 784 * 0.25])


@pytest.mark.parametrize("loss", [reconstruction_loss, eq.reconstruction_loss])
@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 28, 27, 1), (3, 784)])
def test_images_of_another_shape_are_refused(loss, shape):
    with pytest.raises(ValueError, match=r"image: got shape .* expected \(B, H, W, 1\) like the reconstruction"):
        loss(np.ones(shape, np.float32), np.ones((3, 28, 28, 1), np.float32))
