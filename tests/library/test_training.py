from dataclasses import fields, replace

import keras
import numpy as np
import pytest

from capslib import digits, models, pairs, training
from capslib import equations as eq
from capslib.losses import margin_loss, reconstruction_loss
from capslib.training import RECIPES, Recipe

SHORT = Recipe(epochs=3, batch_size=20, learning_rate=3e-3, decay=True, shift=1)


def fresh():
    keras.utils.set_random_seed(0)
    return models.article_capsnet()


def same(model, other):
    return all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))


def quiet(line):
    """Log nothing."""


def test_the_articles_recipe():
    assert RECIPES["article"] == Recipe(epochs=20, batch_size=500, learning_rate=1e-3, decay=False, shift=0)
    model = fresh()
    training.compile_model(model, RECIPES["article"], 55_000)
    assert isinstance(model.optimizer, keras.optimizers.Adam) and model.loss is margin_loss
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    cnn = models.matched_cnn()
    training.compile_model(cnn, RECIPES["article"], 55_000)
    assert cnn.loss == "categorical_crossentropy"
    cnn = models.matched_cnn(scores="sigmoid")
    training.compile_model(cnn, RECIPES["article"], 55_000)
    assert cnn.loss is margin_loss


def test_a_decoder_is_trained_by_the_sum_of_squares_beside_the_margin_loss(few):
    """The loss that Keras reports is margin loss + 0.0005 · Σ squares, of the labels' capsules."""
    keras.utils.set_random_seed(0)
    model = models.pose_capsnet()
    recipe = replace(SHORT, epochs=1, learning_rate=1e-9, decay=False, shift=0)
    (row,) = training.train(model, few, recipe, log=quiet)
    x, y = few.x_val, digits.one_hot(few.y_val)
    answer = models.masked_by_label(model).predict({"image": x, "label": y}, verbose=0)
    by_hand = eq.margin_loss(y, answer["lengths"]) + 0.0005 * eq.reconstruction_loss(x, answer["reconstruction"])
    assert row["val_loss"] == pytest.approx(by_hand.mean(), rel=1e-4)
    assert row["val_accuracy"] == pytest.approx((answer["lengths"].argmax(-1) == few.y_val).mean())


def test_training_a_decoder_improves_it_and_the_model_for_use_shares_its_weights(few):
    keras.utils.set_random_seed(0)
    model = models.pose_capsnet()
    before = training.evaluate(model, few)
    training.train(model, few, replace(SHORT, epochs=2), seed=3, log=quiet)
    after = training.evaluate(model, few)
    assert after["reconstruction_error"] < 0.7 * before["reconstruction_error"]
    x = few.x_test
    by_hand = eq.reconstruction_loss(x, model.predict(x, verbose=0)["reconstruction"]).mean()
    assert after["reconstruction_error"] == pytest.approx(by_hand, rel=1e-4)


# Pairs ------------------------------------------------------------------------------------------------------------


STILL = replace(SHORT, epochs=1, learning_rate=1e-9, decay=False, shift=0)


def test_each_digit_of_a_pair_is_decoded_and_compared_with_that_digit_alone(few):
    """The loss that Keras reports is margin loss + 0.0005 · Σ squares over both, each decoded from its own label."""
    keras.utils.set_random_seed(0)
    model = models.two_digit_capsnet()
    for kernel in (model.get_layer("v").kernel, *(model.get_layer(f"decode{k}").kernel for k in (1, 2, 3))):
        kernel.assign(10 * kernel)  # So that the capsules draw differently.
    (row,) = training.train(model, few, STILL, log=quiet)
    made = pairs.make(few.x_val, few.y_val, training.JUDGED)
    capsules = keras.Model(model.input, model.get_layer("v").output).predict(made.images, verbose=0)
    by_hand, decoder = eq.margin_loss(made.labels, eq.length(capsules)), models.decoder_of(model)
    for k in range(2):
        drawn = decoder.predict(eq.mask(capsules, np.eye(10)[made.digits[:, k]]), verbose=0)
        by_hand = by_hand + 0.0005 * eq.reconstruction_loss(made.alone[:, k], drawn)
    assert row["val_loss"] == pytest.approx(by_hand.mean(), rel=1e-4)
    assert row["val_accuracy"] == pytest.approx(pairs.both_longest(eq.length(capsules), made.labels).mean())


def test_a_decoder_of_pairs_learns_which_digit_to_draw(few):
    """After some steps on one batch of pairs, each channel is nearer to the digit of its label than to the other."""
    keras.utils.set_random_seed(0)
    learner = models.masked_by_label(models.two_digit_capsnet())
    training.compile_model(learner, Recipe(1, 20, 3e-3, False, 0, reconstruction=0.01), 20)
    inputs, targets = training._to_fit(learner, few.x_train[:20], few.y_train[:20], np.random.default_rng(0))
    for _ in range(150):
        learner.train_on_batch(inputs, targets)
    made = pairs.make(few.x_train[:20], few.y_train[:20], np.random.default_rng(0))
    label = np.eye(10)[made.digits]
    drawn = learner.predict({"image": made.images, "label": label}, verbose=0)["reconstruction"]
    for k in range(2):
        own, other = (eq.reconstruction_loss(made.alone[:, m], drawn[..., k : k + 1]) for m in (k, 1 - k))
        assert (own < other).mean() > 0.75


def test_the_cnn_learns_ten_questions_and_both_answers_must_be_right(few):
    keras.utils.set_random_seed(0)
    model = models.two_digit_cnn()
    (row,) = training.train(model, few, STILL, log=quiet)
    made = pairs.make(few.x_val, few.y_val, training.JUDGED)
    p = model.predict(made.images, verbose=0)
    by_hand = -np.mean(made.labels * np.log(p) + (1 - made.labels) * np.log(1 - p))
    assert row["val_loss"] == pytest.approx(by_hand, rel=1e-4)
    one_right = made.labels[np.arange(len(p)), p.argmax(1)].mean()
    both_right = pairs.both_longest(p, made.labels).mean()
    assert row["val_accuracy"] == pytest.approx(both_right) and one_right > both_right + 0.1


def test_pairs_are_made_anew_in_every_epoch_and_again_from_the_same_seed(few, monkeypatch):
    seen = []

    def make(x, y, rng):
        seen.append(pairs_make(x, y, rng))
        return seen[-1]

    pairs_make = pairs.make
    monkeypatch.setattr(training.pairs, "make", make)
    networks = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        networks.append(models.two_digit_cnn())
        training.train(networks[-1], few, replace(SHORT, epochs=2), seed=3, log=quiet)
    validation, first, second = (one.images for one in seen[:3])
    assert len(seen) == 6 and len(validation) == 200 and len(first) == len(second) == 600
    assert (first != second).any() and all(np.array_equal(seen[k].images, seen[k + 3].images) for k in range(3))
    assert same(*networks)


def test_the_pairs_of_the_test_set_are_read_once_and_counted(few):
    made = pairs.make(few.x_test, few.y_test, training.JUDGED)

    class Told:
        """Right on the first 400 of 500 pairs; on the others it finds only one label."""

        def predict(self, x, **kwargs):
            np.testing.assert_array_equal(x, made.images)
            scores = made.labels.copy()
            scores[np.arange(400, 500), made.digits[400:, 1]] = 0
            scores[np.arange(400, 500), [min(set(range(10)) - set(both)) for both in made.digits[400:]]] = 0.5
            return {"lengths": scores}

    found = training.evaluate_pairs(Told(), few)
    assert (found["pairs"], found["accuracy"], found["labels_found"]) == (500, 0.8, 0.9)
    assert found["interval"] == pytest.approx((0.762, 0.833), abs=1e-3)


# Drawing alone ----------------------------------------------------------------------------------------------------


def sketcher():
    """A small network that draws the digit that it is shown."""
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1), name="image")
    code = keras.layers.Dense(8, name="code")(keras.layers.Flatten(name="pixels_in")(image))
    drawn = keras.Sequential(models.decoder_layers((16, 16)), name="decoder")(code)
    return keras.Model(image, drawn, name="sketcher")


def test_a_model_that_only_draws_learns_the_moved_digits_by_the_sum_of_squares(few):
    model, lines = sketcher(), []
    history = training.train(model, few, SHORT, seed=3, log=lines.append)
    assert all(row.keys() == {"epoch", "seconds", "loss", "val_loss"} for row in history)
    assert history[-1]["val_loss"] < history[0]["val_loss"] - 1 and "accuracy" not in lines[0]
    by_hand = eq.reconstruction_loss(few.x_val, model.predict(few.x_val, verbose=0)).mean()
    assert by_hand == pytest.approx(min(row["val_loss"] for row in history), rel=1e-4)
    other = sketcher()
    other.compile(keras.optimizers.Adam(training.learning_rate(SHORT, 600)), loss=reconstruction_loss)
    for epoch in range(3):
        x = few.x_train[training.epoch_order(600, 3, epoch)]
        x = training.augment(x, SHORT, np.random.default_rng([3, epoch, 1]))
        other.fit(x, x, SHORT.batch_size, shuffle=False, verbose=0)
    assert same(model, other)


def test_of_a_model_that_only_draws_the_epoch_of_the_lowest_loss_is_the_best():
    rows = [{"epoch": n, "val_loss": loss} for n, loss in enumerate((30.0, 20.0, 25.0), 1)]
    assert training.Progress(rows).best_row["epoch"] == 2
    rows = [row | {"val_accuracy": accuracy} for row, accuracy in zip(rows, (0.8, 0.9, 0.95), strict=True)]
    assert training.Progress(rows).best_row["epoch"] == 3


def test_the_rate_warms_up_and_decays_over_the_whole_run():
    schedule = training.learning_rate(SHORT, 1000)  # 150 steps, 15 of them warm-up
    rate = [float(schedule(step)) for step in range(151)]
    assert rate[0] == 0 and int(np.argmax(rate)) == 15 and max(rate) == pytest.approx(3e-3)
    assert rate[150] == pytest.approx(0, abs=1e-9) and (np.diff(rate[15:]) < 0).all()


def test_the_share_of_the_warm_up_is_the_recipes():
    schedule = training.learning_rate(replace(SHORT, warm_up=0.04), 1000)  # 6 of 150 steps
    assert int(np.argmax([float(schedule(step)) for step in range(151)])) == 6


def test_steps_in_one_call_train_the_same(few):
    one, four = (
        training.train(fresh(), few, replace(SHORT, steps_per_execution=per_call), seed=3, log=quiet)
        for per_call in (1, 4)
    )
    for name in ("loss", "val_loss"):
        assert [row[name] for row in one] == pytest.approx([row[name] for row in four], rel=1e-3)


def test_training_learns_ends_with_its_best_epoch_and_is_repeatable(few):
    model, lines = fresh(), []
    history = training.train(model, few, SHORT, seed=3, log=lines.append)
    assert [row["epoch"] for row in history] == [1, 2, 3] and len(lines) == 3
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    best = max(history, key=lambda row: row["val_accuracy"])
    x, y = few.x_val, digits.one_hot(few.y_val)
    assert model.evaluate(x, y, batch_size=500, verbose=0)[1] == pytest.approx(best["val_accuracy"])
    again = fresh()
    training.train(again, few, SHORT, seed=3, log=quiet)
    assert same(model, again)
    other = fresh()
    training.train(other, few, SHORT, seed=4, log=quiet)
    assert not same(model, other)


class Notes(keras.callbacks.Callback):
    """Notes the number and the logs of every epoch, and the weights that the model holds and those of its average."""

    def __init__(self):
        super().__init__()
        self.epochs, self.logs, self.weights, self.averages = [], [], [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(dict(logs))
        self.weights.append(self.model.get_weights())
        with training.averaged(self.model):
            self.averages.append(self.model.get_weights())


def test_callbacks_hear_of_every_epoch_with_its_validation_and_the_weights_to_go_on_from(few):
    recipe, model, notes = replace(SHORT, average=0.9), fresh(), Notes()
    history = training.train(model, few, recipe, seed=3, callbacks=[notes], log=quiet)
    assert notes.epochs == [0, 1, 2]
    for row, logs in zip(history, notes.logs, strict=True):
        assert {name: row[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")} == logs
    best = max(history, key=lambda row: row["val_accuracy"])["epoch"] - 1
    assert all(np.array_equal(a, b) for a, b in zip(notes.averages[best], model.get_weights(), strict=True))
    plain = Notes()
    training.train(fresh(), few, SHORT, seed=3, callbacks=[plain], log=quiet)
    for one, other in zip(notes.weights, plain.weights, strict=True):  # what averages trains the same weights
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_callbacks_may_come_from_a_generator(few):
    notes = Notes()
    training.train(fresh(), few, SHORT, callbacks=(one for one in [notes]), log=quiet)
    assert notes.epochs == [0, 1, 2]


def test_a_callback_can_stop_the_run(few):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    assert len(training.train(fresh(), few, SHORT, callbacks=[Stop()], log=quiet)) == 2


def test_ctrl_c_ends_a_run_with_its_best_weights_so_far(few):
    lines = []

    def log(line):
        lines.append(line)
        if len(lines) == 2:
            raise KeyboardInterrupt

    stopped, notes = fresh(), Notes()
    history = training.train(stopped, few, replace(SHORT, average=0.9), 3, [notes], log)
    assert len(history) == 2 and lines[-1] == "stopped after epoch 2 of 3; keeping the best weights so far"
    best = max(history, key=lambda row: row["val_accuracy"])["epoch"] - 1
    assert all(np.array_equal(a, b) for a, b in zip(notes.averages[best], stopped.get_weights(), strict=True))


def test_every_epoch_goes_through_every_example_in_an_order_of_its_own():
    first, second = training.epoch_order(100, 0, 0), training.epoch_order(100, 0, 1)
    assert sorted(first) == sorted(second) == list(range(100)) and (first != second).any()
    np.testing.assert_array_equal(first, training.epoch_order(100, 0, 0))


def test_shifts_move_every_image_whole_by_its_own_amount():
    x = np.zeros((200, 28, 28, 1), np.float32)
    x[:, 14, 10] = 1
    moved = training.shift_at_random(x, 2, np.random.default_rng(0))
    assert (moved.sum((1, 2, 3)) == 1).all()
    _, rows, columns, _ = np.nonzero(moved)
    assert set(rows - 14) == set(columns - 10) == {-2, -1, 0, 1, 2}
    assert training.shift_at_random(x, 0, None) is x


def moments(x):
    """Middle (row, column) and spread of each image's ink."""
    ink = x[..., 0] / x.sum((1, 2, 3))[:, None, None]
    grid = np.arange(x.shape[1], dtype=float)
    middle = np.stack([(ink.sum(2) * grid).sum(1), (ink.sum(1) * grid).sum(1)], -1)
    rows, columns = grid[None, :, None] - middle[:, 0, None, None], grid[None, None, :] - middle[:, 1, None, None]
    spread = [(ink * a * b).sum((1, 2)) for a, b in ((rows, rows), (columns, columns), (rows, columns))]
    return middle, np.stack(spread, -1)


def test_turns_and_scales_keep_to_their_bounds_and_are_each_images_own():
    bar = np.zeros((300, 28, 28, 1), np.float32)
    bar[:, 13:15, 6:22] = 1
    still = Recipe(epochs=1, batch_size=1, learning_rate=1, decay=False, shift=0)
    rng = np.random.default_rng(0)
    turned = training.augment(bar, replace(still, turn=8), rng)
    middle, (rows, columns, both) = moments(turned)[0], moments(turned)[1].T
    angle = np.rad2deg(np.arctan2(2 * both, columns - rows) / 2)
    assert 7 < angle.max() < 8.5 and -8.5 < angle.min() < -7
    np.testing.assert_allclose(middle, 13.5, atol=0.1)
    scaled = training.augment(bar, replace(still, scale=0.25), rng)
    wide = np.sqrt(moments(scaled)[1][:, 1] / moments(bar)[1][0, 1])
    assert 0.75 < wide.min() < 0.85 and 1.2 < wide.max() < 1.4
    moved = training.augment(bar, replace(still, turn=1e-6, shift=2), rng)
    away = moments(moved)[0] - 13.5
    assert 1.8 < away.max() <= 2.01 and -2.01 <= away.min() < -1.8 and len(np.unique(away.round(4))) > 300
    assert moved.shape == bar.shape and moved.dtype == np.float32 and moved.min() >= 0 and moved.max() <= 1


def test_an_averaging_run_keeps_the_average_and_goes_on_from_the_weights_themselves(few):
    plain, averaged = fresh(), fresh()
    rows = training.train(plain, few, SHORT, seed=3, log=quiet)
    other = training.train(averaged, few, replace(SHORT, average=0.9), seed=3, log=quiet)
    # The same way through the weights, so the same training loss; what is judged and kept is another network.
    assert [row["loss"] for row in rows] == [row["loss"] for row in other]
    assert [row["val_loss"] for row in rows] != [row["val_loss"] for row in other]
    assert not same(plain, averaged)


def test_the_test_set_is_scored_by_hand():
    class Sure:
        def predict(self, x, **kwargs):
            return np.eye(10)[[3, 5, 5]] * [[1], [0.9], [0.6]]

    x = np.zeros((3, 28, 28, 1), np.float32)
    data = digits.Digits(x, [0], x, [0], x, np.array([3, 4, 6]))
    found = training.evaluate(Sure(), data)
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert found["confusion"][3][3] == found["confusion"][4][5] == found["confusion"][6][5] == 1
    assert np.sum(found["confusion"]) == 3
    assert [(m["index"], m["label"], m["predicted"]) for m in found["mistakes"]] == [(1, 4, 5), (2, 6, 5)]
    assert [m["index"] for m in training.evaluate(Sure(), data, mistakes=1)["mistakes"]] == [1]
    assert training.evaluate(Sure(), data, mistakes=0)["mistakes"] == []
    for mistakes in (-1, 1.5, None):
        with pytest.raises(ValueError, match=f"mistakes: got {mistakes}, expected a whole number of at least 0"):
            training.evaluate(Sure(), data, mistakes)
    for y in ([3], [3, 4], [3, 4, 6, 0]):
        with pytest.raises(ValueError, match=f"y_test: got {len(y)} labels, expected one for each of 3 images"):
            training.evaluate(Sure(), data._replace(y_test=np.array(y)))


def test_bad_arguments_are_named(few):
    with pytest.raises(
        ValueError, match="recipe: got 'longest', expected 'article', 'quick', 'best', 'pose', 'pairs' or 'efficient'"
    ):
        training.train(fresh(), few, "longest")
    with pytest.raises(ValueError, match="seed: got -1, expected a whole number of at least 0"):
        training.train(fresh(), few, "quick", seed=-1)
    with pytest.raises(ValueError, match="x_train: got NaN"):
        training.train(fresh(), few._replace(x_train=np.full((2, 28, 28, 1), np.nan)), "quick")
    with pytest.raises(ValueError, match="y_train: got labels from 10"):
        training.train(fresh(), few._replace(y_train=np.full(600, 10)), "quick")
    with pytest.raises(ValueError, match="y_train: got 600 labels, expected one for each of 40 images"):
        training.train(fresh(), few._replace(x_train=few.x_train[:40]), "quick")
    with pytest.raises(ValueError, match="y_val: got 1 labels, expected one for each of 200 images"):
        training.train(fresh(), few._replace(y_val=few.y_val[:1]), "quick")


@pytest.mark.parametrize("value", [-1, float("nan"), "2", None])
@pytest.mark.parametrize("name", [field.name for field in fields(Recipe) if field.name != "decay"])
def test_settings_of_a_recipe_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got {value!r}, expected a "):
        replace(SHORT, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("average", 1, "a number of at least 0 and below 1"),
        ("beta_2", 1.0, "a number of at least 0 and below 1"),
        ("reconstruction", np.inf, "a number of at least 0"),
        ("decay", "no", "True or False"),
    ],
)
def test_settings_with_which_nothing_would_be_learnt_are_named(name, value, expected):
    with pytest.raises(ValueError, match=f"^{name}: got {value!r}, expected {expected}$"):
        replace(SHORT, **{name: value})
    assert replace(SHORT, average=0, beta_2=0.0, reconstruction=0)


def test_a_shift_between_pixels_needs_a_turn_or_a_scale():
    with pytest.raises(ValueError, match="shift: got 1.5, expected a whole number"):
        replace(SHORT, shift=1.5)
    assert replace(SHORT, shift=1.5, turn=3).shift == 1.5
