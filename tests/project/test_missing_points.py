"""The variants that look for the missing points: what each changes, what is chosen by what, and what is kept."""

import itertools
import json
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest

from capslib import digits, models, records, runs, training, weights
from capslib.recipes import RECIPES
from tests.library.test_runs import Interrupt
from tools import missing_points
from tools.missing_points import SMOKE, TEACHER, TRIALS, VARIANTS, Size, Task

TINY = replace(SMOKE, training=64)
DISTILLED = Task("distilled", 0, 0.3)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    d = digits.load("bundled")
    few = digits.Digits(d.x_train[:200], d.y_train[:200], d.x_val[:50], d.y_val[:50], d.x_test[:60], d.y_test[:60])
    monkeypatch.setattr(digits, "load", lambda source: few)
    return few


def shipped_third(folder):
    """The shipped network in the place of the third teacher, so that what the teachers say means something."""
    weights.save(models.matched_cnn("flatten", weights="shipped"), folder / f"{TEACHER.name}.npz", {})


# The plan ----------------------------------------------------------------------------------------------------------


def test_every_variant_differs_from_the_articles_network_as_its_name_says():
    told = {}
    for name, variant in VARIANTS.items():
        model = variant.network()
        routings = model.get_layer("v").routings if name != "teacher" else None
        places = any(layer.name == "places" for layer in model.layers)
        told[name] = (models.trained_parameters(model), routings, places, variant.epochs, variant.taught_by)
    article = (22_848, 5, False)
    assert told == {
        "unchanged": (*article, 40, ""),
        "longer": (*article, 120, ""),
        "distilled": (*article, 40, "CNNs"),
        "distilled_longer": (*article, 120, "CNNs"),
        "labels": (*article, 40, "labels"),
        "places": (23_448, 5, True, 40, ""),
        "one_routing": (22_848, 1, False, 40, ""),
        "teacher": (22_672, None, False, 40, ""),
        "trial": (*article, 10, "CNNs"),
    }


def test_the_third_teacher_is_not_one_of_the_two_that_are_shipped():
    assert weights.card("matched_cnn_flatten")["seed"] != TEACHER.seed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("shorter", 0), "variant: got 'shorter'"),
        (("longer", -1), "seed: got -1"),
        (("distilled", 0), "weight: got 0, expected a positive number"),
        (("places", 0, 0.1), "weight: got 0.1, expected 0 for 'places', which nobody teaches"),
    ],
)
def test_a_task_out_of_range_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Task(*given)


def test_what_is_needed_comes_first_and_only_if_it_is_needed(tmp_path, monkeypatch):
    waves, failing = [], []

    def side_by_side(folder, tasks, size, workers):
        waves.append([task.name for task in tasks])
        return len(set(waves[-1]) & set(failing))

    monkeypatch.setattr(missing_points, "side_by_side", side_by_side)
    monkeypatch.setattr(missing_points, "chosen", lambda folder: 0.1)
    assert missing_points.work(tmp_path, ["longer", "places"], [0, 1]) == 0
    assert waves == [["longer-0", "places-0", "longer-1", "places-1"]]
    waves.clear()
    assert missing_points.work(tmp_path, ["longer", "distilled", "labels"], [0, 1]) == 0
    last = ["distilled-0", "labels-0", "distilled-1", "labels-1"]
    assert waves == [["teacher-1", "longer-0", "longer-1"], ["trial-0.1-0", "trial-1-0", "trial-10-0"], last]
    waves.clear()
    failing.append("trial-1-0")
    assert missing_points.work(tmp_path, ["distilled"], [0]) == 1 and len(waves) == 2


# One run -----------------------------------------------------------------------------------------------------------


def test_the_weights_that_are_best_on_validation_are_kept_with_a_card_that_says_everything(few, tmp_path):
    card = missing_points.run(Task("places", 3), tmp_path, replace(TINY, epochs=3))
    assert card["task"] == {"variant": "places", "seed": 3, "weight": 0}
    assert card["parameters"] == 23_448 and card["data"] == "bundled: 64 training, 50 validation, 60 test"
    assert card["recipe"] == {"name": "best", **asdict(replace(RECIPES["best"], epochs=3))}
    assert card["seconds"] >= 0 and card["epochs_timed"] == len(card["history"]) == 3
    assert card["versions"]["backend"].startswith("tensorflow") and card["machine"] == records.machine()
    assert card["command"] == "python -m tools.missing_points --variants places --seeds 3"
    accuracies = [row["val_accuracy"] for row in card["history"]]
    assert card["validation_accuracy"] == max(accuracies) == accuracies[card["epoch"] - 1]
    assert json.loads((tmp_path / "places-3.json").read_text()) == card
    assert {array.dtype for array in weights.read_arrays(tmp_path / "places-3.npz").values()} == {np.dtype("float32")}
    model = VARIANTS["places"].network()
    weights.load_into(model, tmp_path / "places-3.npz")
    lengths = [model.predict(x, verbose=0).argmax(-1) for x in (few.x_val, few.x_test)]
    assert card["validation_accuracy"] == pytest.approx((lengths[0] == few.y_val).mean())
    assert card["test_accuracy"] == (lengths[1] == few.y_test).mean()


def test_the_test_digits_are_read_once_at_the_end_and_never_by_a_trial(few, tmp_path, monkeypatch):
    read = []
    evaluate = training.evaluate
    monkeypatch.setattr(training, "evaluate", lambda *given: read.append(given) or evaluate(*given))
    missing_points.run(Task("longer", 0), tmp_path, TINY)
    assert len(read) == 1
    shipped_third(tmp_path)
    blank = few._replace(x_test=np.full_like(few.x_test, np.nan))  # Whoever reads these raises.
    monkeypatch.setattr(digits, "load", lambda source: blank)
    trial = missing_points.run(TRIALS[0], tmp_path, TINY)
    assert len(read) == 1 and "test_accuracy" not in trial and "test_accuracy" not in trial["teachers"]


def test_three_cnns_teach_the_same_first_network_by_the_images_that_it_sees(few, tmp_path, monkeypatch):
    """As `train` does from the same seed, with a teacher that is made of the three by hand."""
    monkeypatch.setattr(training, "augment", augment := Augmented(training.augment))
    asked = []
    probabilities = missing_points.Teacher.probabilities
    monkeypatch.setattr(
        missing_points.Teacher, "probabilities", lambda self, x: asked.append((self, x)) or probabilities(self, x)
    )
    shipped_third(tmp_path)
    card = missing_points.run(DISTILLED, tmp_path, replace(TINY, epochs=2))
    teacher = asked[0][0]
    assert [network.name for network in teacher.networks] == [
        f"matched_cnn_{n}" for n in ("flatten", "global", "flatten")
    ]
    assert (teacher.weight, teacher.temperature) == (0.3, 1)
    # Validation first, then each epoch's images as the network sees them, and both sets at the end.
    expected = [few.x_val, *augment.gave, few.x_val, few.x_test]
    assert len(asked) == len(expected) == 5
    for (_, x), y in zip(asked, expected, strict=True):
        np.testing.assert_array_equal(x, y)
    assert card["teachers"]["validation_accuracy"] > 0.9 and card["teachers"]["test_accuracy"] > 0.9
    keras.utils.set_random_seed(0)
    model, small = models.article_capsnet(), few._replace(x_train=few.x_train[:64], y_train=few.y_train[:64])
    training.train(model, small, replace(RECIPES["best"], epochs=2), 0, log=lambda line: None, teacher=teacher)
    for name, array in weights.arrays(DISTILLED.name, tmp_path).items():
        np.testing.assert_array_equal(array, weights.parameters(model)[name])


class Augmented:
    """Augments, and remembers what came out."""

    def __init__(self, augment):
        self.augment, self.gave = augment, []

    def __call__(self, *given):
        self.gave.append(self.augment(*given))
        return self.gave[-1]


def test_the_control_has_the_same_loss_with_the_labels_in_the_teachers_place(few, tmp_path):
    card = missing_points.run(Task("labels", 0, 0.3), tmp_path, TINY)
    teacher = missing_points.teacher_of(Task("labels", 0, 0.3), tmp_path)
    assert teacher.networks == () and teacher.weight == 0.3 and "teachers" not in card


def test_a_run_goes_on_after_its_last_whole_epoch(tmp_path, monkeypatch):
    size, task = replace(TINY, epochs=2), Task("one_routing", 0)
    whole = missing_points.run(task, tmp_path / "whole", size)
    train_in = runs.train_in
    monkeypatch.setattr(runs, "train_in", lambda *given, **how: train_in(*given, **how | {"log": Interrupt(after=1)}))
    with pytest.raises(RuntimeError, match="stopped; the same command goes on"):
        missing_points.run(task, tmp_path / "part", size)
    assert not list((tmp_path / "part").glob("*.json")) and not list((tmp_path / "part").glob("*.npz"))
    monkeypatch.setattr(runs, "train_in", train_in)
    resumed = missing_points.run(task, tmp_path / "part", size)
    assert resumed["sha256"] == whole["sha256"] and resumed["test_accuracy"] == whole["test_accuracy"]
    assert (whole["epochs_timed"], resumed["epochs_timed"]) == (2, 1)


# The folder --------------------------------------------------------------------------------------------------------


def write(folder, task, **card):
    (folder / f"{task.name}.json").write_text(json.dumps({"task": asdict(task), "sha256": "", **card}))


@pytest.mark.parametrize(
    ("accuracies", "weight"), [((0.98, 0.99, 0.97), 1.0), ((0.99, 0.98, 0.98), 0.1), ((0.98, 0.99, 0.99), 1.0)]
)
def test_the_weight_is_chosen_by_validation_whatever_the_test_digits_say(accuracies, weight, tmp_path):
    for task, accuracy in zip(TRIALS, accuracies, strict=True):
        write(tmp_path, task, validation_accuracy=accuracy, test_accuracy=1 - accuracy)
    assert missing_points.chosen(tmp_path) == weight


def test_what_is_there_is_not_run_again_and_another_weight_is_refused(tmp_path, monkeypatch):
    write(tmp_path, DISTILLED)
    asked, other = [], replace(DISTILLED, seed=1)
    outcomes = [(other, MemoryError("too much"))]
    monkeypatch.setattr(missing_points.parallel, "here", lambda n, f, left: asked.extend(left) or iter(outcomes))
    assert missing_points.side_by_side(tmp_path, [DISTILLED, other], TINY) == 1
    assert asked == [other]
    with pytest.raises(ValueError, match="of task .*, expected .*'weight': 1"):
        missing_points.side_by_side(tmp_path, [replace(DISTILLED, weight=1)], TINY)


def test_processes_of_their_own_train_and_the_command_line_says_what_is_missing(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(missing_points, "SMOKE", Size("bundled", 64, 1))
    monkeypatch.setattr(missing_points, "RESULT", tmp_path / "collected.json")
    folder = tmp_path / "runs"
    how = ["--smoke", "--variants", "one_routing", "--seeds", "4", "--workers", "1", "--out", str(folder)]
    missing_points.main(how)
    told = capfd.readouterr().out
    assert "one_routing-4  epoch 1/1  val_accuracy 0." in told and "0 min left" in told
    assert missing_points.experiments.read(folder, Task("one_routing", 4))["data"].startswith("bundled: 64 training")
    missing_points.main([*how[:-2], "--out", str(folder), "--collect"])
    assert "10 runs in" in capfd.readouterr().out
    (folder / "one_routing-4.json").write_text("{")
    with pytest.raises(SystemExit, match="python -m tools.missing_points: folder: got .*damaged"):
        missing_points.main(how)


def test_the_collected_file_is_small_and_has_the_stored_networks_beside_the_others(tmp_path):
    with pytest.raises(ValueError, match="holds no runs"):
        missing_points.collect(tmp_path, tmp_path / "out" / "collected.json")
    row = {"epoch": 1, "seconds": 11.2, "loss": 0.01, "accuracy": 0.98766, "val_loss": 0.01, "val_accuracy": 0.99123456}
    known = {key: "something of forty characters, as it may be" for key in missing_points.ALSO}
    for name in missing_points.ASKED_FOR:
        for seed in range(3):
            task = Task(name, seed, 0.1 if VARIANTS[name].taught_by else 0)
            write(tmp_path, task, **known, test_accuracy=0.9912, history=VARIANTS[name].epochs * [row])
    out = tmp_path / "out" / "collected.json"
    assert missing_points.collect(tmp_path, out) == 9 + 21 and out.stat().st_size < 60_000
    found = {(run["variant"], run["seed"]): run for run in json.loads(out.read_text())["runs"]}
    longer = found["longer", 2]
    assert longer["training_accuracy"] == 0.9877
    assert longer["epochs"] == 120 and longer["history"] == 120 * [0.9912] and longer["validation_accuracy"] == 0.9912
    names = {"best": "article_capsnet", "cnn_flatten": "matched_cnn_flatten", "cnn_global": "matched_cnn_global"}
    for (variant, name), seed in itertools.product(names.items(), range(3)):
        stored, best = records.stored(f"{name}-best-{seed}"), found[variant, seed]
        assert best["test_accuracy"] == stored["test"]["accuracy"]
        highest = max(row["val_accuracy"] for row in stored["history"])
        assert best["validation_accuracy"] == pytest.approx(highest) and best["history"][best["epoch"] - 1] == round(
            highest, 4
        )
