import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from scipy.special import log_softmax, logit, softmax

from capslib import equations as eq
from capslib.losses import NEVER_CERTAIN, distillation_loss, margin_loss, reconstruction_loss
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


# Distillation -----------------------------------------------------------------------------------------------------


def distillation_by_hand(t, lengths, T):
    """The teachers' logits are log t; what each side says is softened by T."""
    z = np.log(lengths + NEVER_CERTAIN) - np.log(1 - lengths + NEVER_CERTAIN)
    return -(T**2) * np.sum(softmax(np.log(t) / T, -1) * log_softmax(z / T, -1), -1)


@SETTINGS
@given(st.integers(1, 8), st.integers(2, 12), st.floats(0.5, 5), st.integers(0, 999))
def test_distillation_in_keras_equals_numpy(B, J, T, seed):
    rng = np.random.default_rng(seed)
    t, lengths = softmax(3 * rng.normal(size=(B, J)), -1), rng.random((B, J))
    found = ops.convert_to_numpy(distillation_loss(t, lengths, T))
    np.testing.assert_allclose(found, distillation_by_hand(t, lengths, T), rtol=1e-4, atol=1e-5)


def test_the_logit_of_a_squashed_length_is_that_of_its_squared_norm():
    """‖v‖ = n / (n + κ) has the log odds log(n / κ), so softmax gives p_k ∝ n_k."""
    n = np.array([[4.0, 1.0, 0.5]])
    lengths = eq.length(eq.squash(np.sqrt(n)[..., None], offset=0.5))
    np.testing.assert_allclose(logit(lengths), np.log(n / 0.5), atol=1e-5)
    found = ops.convert_to_numpy(distillation_loss(np.eye(3)[[1]], lengths))
    np.testing.assert_allclose(found, -np.log(1 / 5.5), atol=2e-3)


def test_distillation_is_least_where_the_lengths_say_what_the_teachers_say():
    t = np.array([[0.7, 0.2, 0.1]])
    lengths = t / (t + 0.5)
    least = distillation_by_hand(t, lengths, 1).item()
    assert least == pytest.approx(-(t * np.log(t)).sum(), abs=1e-3)
    for k in range(3):
        for step in (-0.05, 0.05):
            assert ops.convert_to_numpy(distillation_loss(t, lengths + step * np.eye(3)[k])).item() > least


def test_distillation_and_its_gradient_are_finite_at_the_ends_and_point_away_from_them():
    tf = pytest.importorskip("tensorflow")
    lengths = tf.constant([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    t = np.float32([[1, 0, 0]] * 3)
    for T in (1, 4):
        with tf.GradientTape() as tape:
            tape.watch(lengths)
            loss = distillation_loss(t, lengths, T)
        gradient = tape.gradient(loss, lengths).numpy()
        assert np.isfinite(loss).all() and np.isfinite(gradient).all()
        assert (gradient[:, 0] < 0).all() and gradient[0, 1] > 0


@pytest.mark.parametrize("t", [np.ones(3), np.ones((2, 1)), np.ones((2, 2, 3))])
def test_probabilities_of_another_shape_are_refused(t):
    message = r"probabilities: got shape .* expected \(B, J\) like lengths \(2, 3\)"
    with pytest.raises(ValueError, match=message):
        distillation_loss(t, np.ones((2, 3), np.float32))


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), "2"])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature: got .*, expected a positive number"):
        distillation_loss(np.ones((2, 3)) / 3, np.ones((2, 3), np.float32), temperature)
