import json
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from capslib import digits, models, training, weights
from capslib.losses import margin_loss
from capslib.training import RECIPES, Recipe

SHORT = Recipe(epochs=3, batch_size=20, learning_rate=3e-3, decay=True, shift=1)


@pytest.fixture(scope="module")
def few():
    """A few hundred digits, so that an epoch takes a second."""
    d = digits.load("bundled")
    return digits.Digits(d.x_train[:600], d.y_train[:600], d.x_val[:200], d.y_val[:200], d.x_test, d.y_test)


def fresh():
    keras.utils.set_random_seed(0)
    return models.article_capsnet()


def same(model, other):
    return all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))


def quiet(line):
    """Say nothing."""


def test_the_articles_recipe():
    assert RECIPES["article"] == Recipe(epochs=20, batch_size=500, learning_rate=1e-3, decay=False, shift=0)
    model = fresh()
    training.compile_model(model, RECIPES["article"], 55_000)
    assert isinstance(model.optimizer, keras.optimizers.Adam) and model.loss is margin_loss
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    cnn = models.matched_cnn()
    training.compile_model(cnn, RECIPES["article"], 55_000)
    assert cnn.loss == "categorical_crossentropy"


def test_the_rate_warms_up_and_decays_over_the_whole_run():
    schedule = training.learning_rate(SHORT, 1000)  # 150 steps, 15 of them warm-up
    rate = [float(schedule(step)) for step in range(151)]
    assert rate[0] == 0 and int(np.argmax(rate)) == 15 and max(rate) == pytest.approx(3e-3)
    assert rate[150] == pytest.approx(0, abs=1e-9) and (np.diff(rate[15:]) < 0).all()


def test_the_share_of_the_warm_up_is_the_recipes():
    schedule = training.learning_rate(replace(SHORT, warm_up=0.04), 1000)  # 6 of 150 steps
    assert int(np.argmax([float(schedule(step)) for step in range(151)])) == 6


def test_steps_in_one_call_train_the_same(few):
    one, four = (training.train(fresh(), few, replace(SHORT, at_once=at_once), seed=3, say=quiet) for at_once in (1, 4))
    for name in ("loss", "val_loss"):
        assert [row[name] for row in one] == pytest.approx([row[name] for row in four], rel=1e-3)


def test_training_learns_keeps_its_best_epoch_and_is_repeatable(few, tmp_path):
    model, lines = fresh(), []
    history = training.train(model, few, SHORT, seed=3, folder=tmp_path, say=lines.append)
    assert [row["epoch"] for row in history] == [1, 2, 3] and len(lines) == 3
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    best = max(history, key=lambda row: row["val_accuracy"])
    x, y = few.x_val, digits.one_hot(few.y_val)
    assert model.evaluate(x, y, batch_size=500, verbose=0)[1] == pytest.approx(best["val_accuracy"])
    card = weights.card("article_capsnet", tmp_path)
    assert (card["epoch"], card["validation_accuracy"]) == (best["epoch"], best["val_accuracy"])
    again = fresh()
    training.train(again, few, SHORT, seed=3, say=quiet)
    assert same(model, again)
    other = fresh()
    training.train(other, few, SHORT, seed=4, say=quiet)
    assert not same(model, other)


class Interrupt:
    """Progress that presses Ctrl-C after so many epochs."""

    def __init__(self, after):
        self.after, self.lines = after, []

    def __call__(self, line):
        self.lines.append(line)
        if len(self.lines) == self.after:
            raise KeyboardInterrupt


def test_ctrl_c_keeps_the_best_weights_so_far_and_resuming_ends_as_if_uninterrupted(few, tmp_path):
    whole = fresh()
    history = training.train(whole, few, SHORT, seed=3, say=quiet)
    stopped, say = fresh(), Interrupt(after=2)
    part = training.train(stopped, few, SHORT, seed=3, folder=tmp_path, say=say)
    assert len(part) == 2 and "stopped after epoch 2 of 3" in say.lines[-1]
    kept = models.article_capsnet()
    weights.load_into(kept, tmp_path / "article_capsnet.npz")
    assert same(kept, stopped)
    resumed = models.article_capsnet()
    rest = training.train(resumed, few, SHORT, seed=3, folder=tmp_path, resume=True, say=quiet)
    strip = [[{k: v for k, v in row.items() if k != "seconds"} for row in h] for h in (history, rest)]
    assert strip[0] == strip[1]
    assert same(resumed, whole)


def test_a_state_written_without_its_history_line_is_not_counted_twice(few, tmp_path):
    training.train(fresh(), few, SHORT, seed=3, folder=tmp_path, say=Interrupt(after=2))
    rows = json.loads((tmp_path / "history.json").read_text())
    (tmp_path / "history.json").write_text(json.dumps([*rows, {**rows[-1], "epoch": 3}]))  # state is behind
    history = training.train(models.article_capsnet(), few, SHORT, 3, tmp_path, resume=True, say=quiet)
    assert [row["epoch"] for row in history] == [1, 2, 3]


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
    rows = training.train(plain, few, SHORT, seed=3, say=quiet)
    other = training.train(averaged, few, replace(SHORT, average=0.9), seed=3, say=quiet)
    # The same way through the weights, so the same training loss; what is judged and kept is another network.
    assert [row["loss"] for row in rows] == [row["loss"] for row in other]
    assert [row["val_loss"] for row in rows] != [row["val_loss"] for row in other]
    assert not same(plain, averaged)


def test_an_interrupted_averaging_run_ends_as_if_uninterrupted(few, tmp_path):
    recipe = replace(SHORT, average=0.9, turn=5)
    whole, resumed = fresh(), models.article_capsnet()
    training.train(whole, few, recipe, seed=3, say=quiet)
    training.train(fresh(), few, recipe, seed=3, folder=tmp_path, say=Interrupt(after=2))
    training.train(resumed, few, recipe, seed=3, folder=tmp_path, resume=True, say=quiet)
    assert same(resumed, whole)


def test_the_test_set_is_scored_by_hand():
    class Sure:
        def predict(self, x, **kwargs):
            return np.eye(10)[[3, 5, 5]] * [[1], [0.9], [0.6]]

    x = np.zeros((3, 28, 28, 1), np.float32)
    data = digits.Digits(x, [0], x, [0], x, np.array([3, 4, 6]))
    found = training.test(Sure(), data)
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert found["confusion"][3][3] == found["confusion"][4][5] == found["confusion"][6][5] == 1
    assert np.sum(found["confusion"]) == 3
    assert [(m["index"], m["label"], m["predicted"]) for m in found["mistakes"]] == [(1, 4, 5), (2, 6, 5)]


def test_the_command_line_makes_weights_that_load(tmp_path):
    command = [
        sys.executable,
        "-m",
        "capslib.training",
        "matched_cnn_global",
        "--data",
        "bundled",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout.count("\nepoch") == RECIPES["quick"].epochs
    result = json.loads((tmp_path / "result.json").read_text())
    assert f"test accuracy {result['test']['accuracy']:.4f}" in done.stdout
    model = models.matched_cnn("global")
    weights.load_into(model, tmp_path / "matched_cnn_global.npz")
    assert training.test(model, digits.load())["accuracy"] == result["test"]["accuracy"]
    assert not list(tmp_path.glob("*part*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["article_capsnet", "--recipe", "longest"], "invalid choice: 'longest'"),
        (["resnet"], "invalid choice: 'resnet'"),
    ],
)
def test_the_command_line_refuses_by_name(arguments, message, capsys):
    with pytest.raises(SystemExit):
        training.main(arguments)
    assert message in capsys.readouterr().err


def test_bad_arguments_are_named(few):
    with pytest.raises(ValueError, match="recipe: got 'longest', expected one of article, quick, best"):
        training.train(fresh(), few, "longest")
    with pytest.raises(ValueError, match="epochs: got 0"):
        training.train(fresh(), few, Recipe(0, 1, 1e-3, False, 0))
    with pytest.raises(ValueError, match="x_train: got NaN"):
        training.train(fresh(), few._replace(x_train=np.full((2, 28, 28, 1), np.nan)), "quick")
    with pytest.raises(ValueError, match="y_train: got labels from 10"):
        training.train(fresh(), few._replace(y_train=np.full(600, 10)), "quick")
    with pytest.raises(ValueError, match="model: got 'resnet'"):
        training.run("resnet", "quick")
