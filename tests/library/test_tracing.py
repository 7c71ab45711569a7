import keras
import numpy as np
import pytest

from capslib import digits, models
from capslib.layers import Capsule, Length
from capslib.tracing import capsule_inputs, trace


def network(**kwargs):
    """A small network with one Capsule layer of its own."""
    keras.utils.set_random_seed(4)
    image = keras.Input((28, 28, 1))
    u = keras.layers.Reshape((16, 49))(image)
    return keras.Model(image, Length()(Capsule(10, 8, **kwargs)(u)))


@pytest.fixture(scope="module")
def images():
    return digits.load("bundled").x_test[:32]


@pytest.mark.parametrize("weights", [None, "shipped"])
def test_the_last_lengths_are_the_models_own(weights, images):
    model = models.article_capsnet(weights=weights)
    found = trace(model, images)
    assert found.c.shape == (5, 32, 49, 10) and found.v.shape == (5, 32, 10, 30)
    np.testing.assert_allclose(found.lengths[-1], model.predict(images, verbose=0), atol=1e-5)


@pytest.mark.parametrize("share_weights", [True, False])
@pytest.mark.parametrize("routings", [1, 4])
@pytest.mark.parametrize("offset", [0.5, 1.0])
def test_other_layers_are_traced_with_their_own_settings(share_weights, routings, offset, images):
    model = network(share_weights=share_weights, routings=routings, offset=offset)
    found = trace(model, images)
    assert len(found.c) == routings and found.offset == offset
    np.testing.assert_allclose(found.lengths[-1], model.predict(images, verbose=0), atol=1e-5)


def test_one_image_drops_the_batch_axis(images):
    model = models.article_capsnet()
    one, batch = trace(model, images[0, ..., 0]), trace(model, images[:2])
    assert one.c.shape == (5, 49, 10)
    np.testing.assert_allclose(one.c, batch.c[:, 0], atol=1e-5)


def test_lower_capsules_and_transformation_are_the_models(images):
    model = network(share_weights=False)
    u, W = capsule_inputs(model, images)
    np.testing.assert_array_equal(u, images.reshape(32, 16, 49))
    assert W.shape == (16, 49, 10, 8)


def test_bad_input_is_named(images):
    with pytest.raises(ValueError, match="model: got 0 Capsule layers in 'matched_cnn_flatten', expected exactly one"):
        trace(models.matched_cnn(), images)
    with pytest.raises(ValueError, match="model: got a Capsule layer with activation 'relu', expected 'squash'"):
        trace(network(activation="relu"), images)
    with pytest.raises(ValueError, match="images: got shape"):
        trace(models.article_capsnet(), images[:0])
    with pytest.raises(ValueError, match="images: got NaN"):
        trace(models.article_capsnet(), np.full((1, 28, 28, 1), np.nan))


def test_tracing_again_and_again_warns_of_nothing(images, recwarn, capfd):
    model = models.article_capsnet()
    for _ in range(6):  # TensorFlow warns from the fifth small model that is compiled for the same work
        trace(model, images[:2])
    assert (
        not [str(w.message) for w in recwarn if "structure" in str(w.message)]
        and "retracing" not in capfd.readouterr().err
    )
