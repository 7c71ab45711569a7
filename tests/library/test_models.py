import numpy as np
import pytest

from capslib import digits, models, pairs
from capslib import equations as eq
from capslib.backend import keras
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


POSE = [
    ("image", (28, 28, 1), 0),
    ("conv1", (20, 20, 24), 1_968),
    ("u", (144, 8), 62_240),
    ("v", (10, 16), 184_320),
    ("mask", (10, 16), 0),
    ("flatten", (160,), 0),
    ("decode1", (64,), 10_304),
    ("decode2", (96,), 6_240),
    ("decode3", (784,), 76_048),
    ("lengths", (10,), 0),
    ("pixels", (28, 28, 1), 0),
]


def test_the_pose_network_without_its_decoder():
    without = models.pose_capsnet(decoder=False, routings=1)
    assert without.count_params() == 341_120 - 92_592 and without.get_layer("v").routings == 1


def random_images(n, side=28):
    return np.random.default_rng(n).random((n, side, side, 1), dtype=np.float32)


@pytest.mark.parametrize("build", [models.pose_capsnet, lambda: models.paper_capsnet(decoder=True)])
def test_the_label_is_decoded_in_training_and_the_longest_capsule_in_use(build):
    model, x = build(), random_images(6)
    kernel = model.get_layer("v").kernel
    kernel.assign(30 * kernel)  # Far from the first lengths, which decode everything to grey.
    learner = models.masked_by_label(model)
    assert learner.count_params() == model.count_params()
    answer = model.predict(x, verbose=0)
    longest = answer["lengths"].argmax(-1)
    told = [learner.predict({"image": x, "label": np.eye(10)[y]}, verbose=0) for y in (longest, (longest + 1) % 10)]
    np.testing.assert_allclose(told[0]["reconstruction"], answer["reconstruction"], atol=1e-6)
    assert np.abs(told[1]["reconstruction"] - answer["reconstruction"]).max() > 1e-4
    for one in told:
        np.testing.assert_allclose(one["lengths"], answer["lengths"], atol=1e-6)


TWO_DIGITS = [
    ("image", (36, 36, 1), 0),
    ("conv1", (14, 14, 24), 1_968),
    ("u", (144, 8), 62_240),
    ("v", (10, 16), 184_320),
    ("longest", (2, 10), 0),
    ("mask", (10, 16), 0),
    ("flatten", (160,), 0),
    ("decode1", (64,), 10_304),
    ("decode2", (96,), 6_240),
    ("decode3", (1296,), 125_712),
    ("lengths", (10,), 0),
    ("pixels", (36, 36, 1), 0),
    ("side_by_side", (36, 36, 2), 0),
]


@pytest.mark.parametrize(
    ("build", "layers", "parameters"),
    [(models.pose_capsnet, POSE, 341_120), (models.two_digit_capsnet, TWO_DIGITS, 390_784)],
)
def test_networks_with_a_decoder_layer_by_layer(build, layers, parameters):
    model = build()
    found = [(la.name, tuple(la.output.shape[1:]), la.count_params()) for la in model.layers]
    assert sorted(found) == sorted(layers) and model.count_params() == parameters
    capsule = model.get_layer("v")
    assert (capsule.routings, capsule.share_weights, capsule.offset) == (3, False, 1.0)
    assert model.get_layer("u").offset == 1.0


def test_the_cnn_for_two_digits_has_the_convolutions_and_parameters_of_the_capsules_without_their_decoder():
    capsnet, cnn = models.two_digit_capsnet(), models.two_digit_cnn()
    decoder = models.decoder_of(capsnet).count_params()
    assert decoder == 142_256 and cnn.count_params() == 247_972
    assert abs(cnn.count_params() / (capsnet.count_params() - decoder) - 1) < 0.01
    for name, other in (("conv1", capsnet.get_layer("conv1")), ("conv2", capsnet.get_layer("u").conv)):
        ours = cnn.get_layer(name)
        assert (ours.kernel.shape, ours.strides) == (other.kernel.shape, other.strides)
    p = cnn.predict(random_images(3, side=36), verbose=0)
    assert p.shape == (3, 10) and p.min() > 0 and p.max() < 1
    assert np.abs(p.sum(-1) - 1).min() > 0.5, "one probability for each digit, not one distribution over all"


def test_each_label_is_decoded_into_its_own_channel_in_training_and_the_two_longest_in_use():
    model, x = models.two_digit_capsnet(), random_images(6, side=36)
    kernel = model.get_layer("v").kernel
    kernel.assign(30 * kernel)  # Far from the first lengths, which decode everything to grey.
    learner = models.masked_by_label(model)
    assert models.masked_by_label(learner) is learner and learner.count_params() == model.count_params()
    answer = model.predict(x, verbose=0)
    longest = answer["lengths"].argsort(-1)[:, :-3:-1]  # (6, 2)
    told = [learner.predict({"image": x, "label": np.eye(10)[y]}, verbose=0) for y in (longest, longest[:, ::-1])]
    np.testing.assert_allclose(told[0]["reconstruction"], answer["reconstruction"], atol=1e-6)
    np.testing.assert_allclose(told[1]["reconstruction"], answer["reconstruction"][..., ::-1], atol=1e-6)
    assert np.abs(np.diff(answer["reconstruction"], axis=-1)).max() > 1e-4
    for one in told:
        np.testing.assert_allclose(one["lengths"], answer["lengths"], atol=1e-6)


def test_the_decoder_draws_a_pairs_channels_one_by_one():
    import keras

    model, x = models.two_digit_capsnet(), random_images(4, side=36)
    v = keras.Model(model.input, model.get_layer("v").output).predict(x, verbose=0)
    longest = eq.length(v).argsort(-1)
    decoder, drawn = models.decoder_of(model), model.predict(x, verbose=0)["reconstruction"]
    for k in range(2):
        kept = eq.mask(v, np.eye(10)[longest[:, -1 - k]])
        np.testing.assert_allclose(decoder.predict(kept, verbose=0)[..., 0], drawn[..., k], atol=1e-6)


@pytest.mark.parametrize("build", [models.two_digit_capsnet, models.two_digit_cnn])
def test_networks_for_two_digits_are_saved_and_loaded_in_safe_mode(build, tmp_path):
    import keras

    model, x = build(), random_images(3, side=36)
    for one, given in ((model, x), (models.masked_by_label(model), {"image": x, "label": np.eye(10)[[[1, 2]] * 3]})):
        given = given if len(one.inputs) == 2 else x
        one.save(tmp_path / "m.keras")
        again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True).predict(given, verbose=0)
        keras.tree.map_structure(np.testing.assert_array_equal, again, one.predict(given, verbose=0))


def test_only_networks_for_two_digits_read_pairs():
    two, one = (models.two_digit_capsnet, models.two_digit_cnn), (models.pose_capsnet, models.matched_cnn)
    assert all(models.reads_pairs(build()) for build in two) and not any(models.reads_pairs(build()) for build in one)
    assert models.reads_pairs(models.masked_by_label(models.two_digit_capsnet()))
    assert pairs.SIDE == 36


def test_a_decoder_alone_gives_what_its_network_gives():
    import keras

    model, x = models.pose_capsnet(), random_images(4)
    v = keras.Model(model.input, model.get_layer("v").output).predict(x, verbose=0)
    decoded = models.decoder_of(model).predict(eq.mask(v), verbose=0)
    np.testing.assert_allclose(decoded, model.predict(x, verbose=0)["reconstruction"], atol=1e-6)
    with pytest.raises(ValueError, match="model: got 'article_capsnet', which has no decoder"):
        models.decoder_of(models.article_capsnet())


def test_a_model_without_a_decoder_is_trained_as_it_is():
    model = models.article_capsnet()
    assert models.masked_by_label(model) is model
    learner = models.masked_by_label(models.pose_capsnet())
    assert models.masked_by_label(learner) is learner


def test_the_papers_network_with_its_decoder_takes_a_step_down_its_loss():
    import keras

    from capslib import training

    assert models.paper_capsnet(decoder=True).count_params() == 8_215_568
    keras.utils.set_random_seed(0)
    learner = models.masked_by_label(models.paper_capsnet(decoder=True))
    training.compile_model(learner, training.Recipe(2, 4, 1e-3, False, 0), 4)
    x, y = random_images(4), np.eye(10)[[3, 1, 4, 1]]
    inputs, targets = {"image": x, "label": y}, {"lengths": y, "reconstruction": x}
    losses = [learner.train_on_batch(inputs, targets, return_dict=True)["loss"] for _ in range(3)]
    assert losses[2] < losses[0]


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


def test_a_network_with_places_has_them_in_its_lower_capsules(tmp_path):
    model = models.capsnet(places=True)
    assert model.count_params() == 23_448
    x = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    u = keras.Model(model.input, model.get_layer("u").output).predict(x, verbose=0)
    pooled = keras.Model(model.input, model.get_layer("pool2").output).predict(x, verbose=0)
    for row, column in np.ndindex(7, 7):
        np.testing.assert_allclose(u[:, 7 * row + column, :32], pooled[:, row, column])
        np.testing.assert_allclose(u[0, 7 * row + column, 32:], [column / 3 - 1, 1 - row / 3], atol=1e-6)
    model.save(tmp_path / "places.keras")
    again = keras.saving.load_model(tmp_path / "places.keras", safe_mode=True)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_the_network_to_compare_with_is_the_articles_but_for_what_is_asked():
    model, article = models.capsnet(routings=5), models.article_capsnet(weights="shipped")
    model.set_weights(article.get_weights())
    x = digits.load("bundled").x_test[:5]
    np.testing.assert_array_equal(model.predict(x, verbose=0), article.predict(x, verbose=0))
    for changed in ({"routings": 1}, {"offset": 1.0}):
        other = models.capsnet(**{"routings": 5, **changed})
        other.set_weights(article.get_weights())
        assert np.abs(other.predict(x, verbose=0) - article.predict(x, verbose=0)).max() > 0.01
    assert models.capsnet(share_weights=False).count_params() == 483_648


def test_sigmoid_scores_are_trained_as_lengths_are():
    cnn = models.matched_cnn("global", scores="sigmoid")
    assert cnn.count_params() == 22_847 and models.has_scores(cnn)
    assert not models.has_scores(models.matched_cnn("global"))
    assert models.has_scores(models.article_capsnet()) and not models.has_scores(models.two_digit_cnn())
    p = cnn.predict(np.random.default_rng(0).random((3, 28, 28, 1), np.float32), verbose=0)
    assert (p > 0).all() and (p < 1).all() and abs(p.sum(1) - 1).min() > 0.1
    with pytest.raises(ValueError, match="weights: got 'shipped', expected None, since no network with sigmoid"):
        models.matched_cnn("global", weights="shipped", scores="sigmoid")


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="scores: got 'relu', expected 'softmax' or 'sigmoid'"):
        models.matched_cnn(scores="relu")
    with pytest.raises(ValueError, match="head: got 'pool', expected 'flatten' or 'global'"):
        models.matched_cnn("pool")
    with pytest.raises(ValueError, match="weights: got 'imagenet', expected None or 'shipped'"):
        models.article_capsnet(weights="imagenet")
