import numpy as np
import pytest

from capslib import models
from capslib.layers import Capsule

ARTICLE = [  # layer, output, parameters: the article's own table
    ("image", (28, 28, 1), 0),
    ("conv1", (28, 28, 16), 416),
    ("pool1", (14, 14, 16), 0),
    ("conv2", (14, 14, 32), 12_832),
    ("pool2", (7, 7, 32), 0),
    ("u", (49, 32), 0),
    ("v", (10, 30), 9_600),
    ("lengths", (10,), 0),
]


def test_the_articles_network_layer_by_layer():
    model = models.article_capsnet()
    assert [(la.name, tuple(la.output.shape[1:]), la.count_params()) for la in model.layers] == ARTICLE
    assert (
        model.count_params()
        == sum(
            w.shape.num_elements() if hasattr(w.shape, "num_elements") else np.prod(w.shape)
            for w in model.trainable_weights
        )
        == 22_848
    )
    capsule = model.get_layer("v")
    assert (capsule.routings, capsule.share_weights, capsule.offset) == (5, True, 0.5)


@pytest.mark.parametrize(("head", "parameters"), [("flatten", 22_672), ("global", 22_847)])
def test_matched_cnns_have_the_same_trunk_and_as_many_parameters(head, parameters):
    model = models.matched_cnn(head)
    assert model.count_params() == parameters
    trunk = [(la.name, tuple(la.output.shape[1:]), la.count_params()) for la in model.layers[:5]]
    assert trunk == ARTICLE[:5]
    p = model.predict(np.random.default_rng(0).random((3, 28, 28, 1), dtype=np.float32), verbose=0)
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-5)


def test_the_papers_network():
    model = models.paper_capsnet()
    assert model.count_params() == 6_804_224
    assert model.get_layer("u").output.shape == (None, 1152, 8)
    (capsule,) = (la for la in model.layers if isinstance(la, Capsule))
    assert (capsule.num_capsule, capsule.dim_capsule, capsule.routings) == (10, 16, 3)
    assert (capsule.share_weights, capsule.offset) == (False, 1.0)


def test_the_papers_votes_start_as_large_as_those_of_one_lower_capsule():
    W = np.asarray(models.paper_capsnet().get_layer("v").kernel)
    np.testing.assert_allclose(W.std(), np.sqrt(2 / (8 + 10 * 16)), rtol=0.01)


def test_the_grid_of_lower_capsules_keeps_position_and_channel_apart():
    model = models.article_capsnet()
    import keras

    both = keras.Model(model.input, [model.get_layer("pool2").output, model.get_layer("u").output])
    pooled, u = both.predict(np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32), verbose=0)
    for row, column in np.ndindex(7, 7):
        np.testing.assert_array_equal(u[:, 7 * row + column], pooled[:, row, column])


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="head: got 'pool', expected 'flatten' or 'global'"):
        models.matched_cnn("pool")
    with pytest.raises(ValueError, match="weights: got 'imagenet', expected None or 'shipped'"):
        models.article_capsnet(weights="imagenet")
