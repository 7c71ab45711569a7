import importlib.util
import json

import keras
import numpy as np
import pytest

from capslib import digits, models, records, training, weights
from capslib import runs as training_runs
from tests import ROOT

RESULTS = ROOT / "notebooks/results"

SHIPPED = {
    "article_capsnet": lambda w=None: models.article_capsnet(weights=w),
    "matched_cnn_flatten": lambda w=None: models.matched_cnn("flatten", weights=w),
    "matched_cnn_global": lambda w=None: models.matched_cnn("global", weights=w),
    "pose_capsnet": lambda w=None: models.pose_capsnet(weights=w),
    "two_digit_capsnet": lambda w=None: models.two_digit_capsnet(weights=w),
    "efficient_capsnet": lambda w=None: models.efficient_capsnet(weights=w),
    "efficient_cnn": lambda w=None: models.efficient_cnn(weights=w),
}
RECIPES = {  # of all others: best
    "pose_capsnet": "pose",
    "two_digit_capsnet": "pairs",
    "efficient_capsnet": "efficient",
    "efficient_cnn": "efficient",
}


def accuracy(name, data):
    """Of a shipped network on the test digits of `data`, or on pairs of them."""
    model = SHIPPED[name]("shipped")
    read = training.evaluate_pairs if models.reads_pairs(model) else training.evaluate
    return read(model, data)["accuracy"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_as_accurate_on_validation_as_their_card_says(name):
    d, card = digits.load("bundled"), weights.card(name)
    x, y = (np.concatenate(parts) for parts in (d[0::2], d[1::2]))
    said = card.get("rounded_to_float16", card)["validation_accuracy"]
    # The pairs are drawn from the digits in their order, and the full set has the bundled ones in another.
    within = 0.02 if RECIPES.get(name) == "pairs" else 5e-4
    assert abs(accuracy(name, d._replace(x_test=x, y_test=y)) - said) < within
    assert {"model", "command", "data", "recipe", "seed", "versions", "test_accuracy", "sha256"} <= card.keys()
    assert card["data"].startswith("full")


def test_the_shipped_capsule_network_beats_the_article():
    assert weights.card("article_capsnet")["test_accuracy"] >= 0.985


def test_the_test_accuracy_on_the_card_is_measured_again(full_mnist):
    d = digits.load("full")
    for name in SHIPPED:
        card = weights.card(name)
        assert abs(accuracy(name, d) - card.get("rounded_to_float16", card)["test_accuracy"]) < 3e-4, name


def test_shipped_weights_hold_arrays_alone_and_stay_small():
    files = list(weights.FOLDER.glob("*.npz"))
    assert {f.stem for f in files} == set(SHIPPED)
    assert sum(f.stat().st_size for f in files) < 2_500_000
    for file in files:
        with np.load(file, allow_pickle=False) as arrays:
            # With batch normalisation there are also its running means and variances, which are no parameters.
            stored = SHIPPED[file.stem]().count_params()
            assert sum(arrays[key].size for key in arrays.files) == stored >= weights.card(file.stem)["parameters"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_parameters_as_arrays_are_the_models(name):
    model, stored = SHIPPED[name]("shipped"), weights.arrays(name)
    assert list(stored) == [variable.path.removeprefix(f"{name}/").replace("/", ".") for variable in model.weights]
    for array, variable in zip(stored.values(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, variable)
    with pytest.raises(FileNotFoundError, match="no card other.json"):
        weights.arrays("other")


@pytest.fixture
def saved(tmp_path):
    model = models.matched_cnn("flatten")
    weights.save(model, tmp_path / "matched_cnn_flatten.npz", {"seed": 1})
    return model, tmp_path / "matched_cnn_flatten.npz"


def unchanged(model, path, error, message):
    """Loading fails with this error and leaves the model as it was."""
    before = model.get_weights()
    with pytest.raises(error, match=message):
        weights.load_into(model, path)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_saved_weights_come_back(saved):
    model, path = saved
    other = models.matched_cnn("flatten")
    weights.load_into(other, path)
    assert all((a == b).all() for a, b in zip(model.get_weights(), other.get_weights(), strict=True))


def test_a_changed_file_is_refused(saved):
    model, path = saved
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    unchanged(model, path, ValueError, "weights: matched_cnn_flatten.npz has sha256 .* as on its card")


def test_a_truncated_or_pickled_file_is_refused_even_if_its_card_agrees(saved):
    model, path = saved
    card = json.loads(path.with_suffix(".json").read_text())
    whole = path.read_bytes()
    for content in (whole[:-3000], b"", b"not an archive"):
        path.write_bytes(content)
        path.with_suffix(".json").write_text(json.dumps({**card, "sha256": records.sha256(path)}))
        unchanged(model, path, ValueError, "cannot be read as plain arrays")
    np.savez(path, **{"conv1.kernel": np.array([{}], dtype=object)})
    path.with_suffix(".json").write_text(json.dumps({**card, "sha256": records.sha256(path)}))
    unchanged(model, path, ValueError, "cannot be read as plain arrays")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": "matched_cnn_flatten"}'])
def test_a_damaged_card_is_named(content, saved):
    model, path = saved
    path.with_suffix(".json").write_text(content)
    unchanged(model, path, ValueError, r"weights: matched_cnn_flatten.json is damaged \(")


def test_weights_of_another_network_are_refused(saved):
    _, path = saved
    unchanged(
        models.matched_cnn("global"), path, ValueError, "is for 'matched_cnn_flatten' with .* for 'matched_cnn_gl"
    )


def test_missing_weights_and_cards_are_named(saved, tmp_path):
    model, path = saved
    unchanged(model, tmp_path / "none.npz", FileNotFoundError, "no card none.json")
    path.unlink()
    unchanged(model, path, FileNotFoundError, "no file matched_cnn_flatten.npz")
    with pytest.raises(FileNotFoundError, match="no card"):
        weights.load_into(models.paper_capsnet())


def test_facts_that_no_card_can_hold_leave_the_old_files(tmp_path):
    model, path = models.matched_cnn("global"), tmp_path / "w.npz"
    facts = {"a": object()}
    with pytest.raises(ValueError, match="facts: got {'a': .*, expected what JSON can hold"):
        weights.save(model, path, facts)
    assert not list(tmp_path.iterdir())
    weights.save(model, path, {})
    before = weights.arrays("w", tmp_path)
    model.set_weights([array + 1 for array in model.get_weights()])
    with pytest.raises(ValueError, match="facts: got"):
        weights.save(model, path, facts)
    after = weights.arrays("w", tmp_path)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        records.write_atomically(path, fail)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_the_readme_gives_the_median_and_the_accuracy_of_every_seed():
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    runs = {name: RECIPES.get(name, "best") for name in set(SHIPPED) - {"two_digit_capsnet"}}
    for name, recipe in (runs | {"efficient_capsnet_uniform": "efficient"}).items():
        stored = RESULTS.glob(f"{name}-{recipe}-*.json")
        found = sorted(json.loads(f.read_text())["test"]["accuracy"] for f in stored)
        assert f" {found[1]:.4f} " in text and ", ".join(f"{accuracy:.4f}" for accuracy in found) in text, name


# Which seed is shipped --------------------------------------------------------------------------------------------


def recipe_of(made):
    """The recipe that a card or a result names; those written before a setting existed had its default."""
    return training.Recipe(**{key: value for key, value in made["recipe"].items() if key != "name"})


@pytest.mark.parametrize("name", SHIPPED)
def test_the_seed_of_median_test_accuracy_is_shipped(name):
    stored = RESULTS.glob(f"{name}-{RECIPES.get(name, 'best')}-*.json")
    runs = {run["seed"]: run for run in (json.loads(f.read_text()) for f in stored)}
    assert sorted(runs) == [0, 1, 2]
    card = weights.card(name)
    assert {recipe_of(made) for made in (card, *runs.values())} == {training.RECIPES[RECIPES.get(name, "best")]}
    assert card["test_accuracy"] == sorted(run["test"]["accuracy"] for run in runs.values())[len(runs) // 2]
    assert card["test_accuracy"] == runs[card["seed"]]["test"]["accuracy"]


@pytest.fixture
def ship(tmp_path):
    """tools/ship.py's function on folders of its own, with a finished run for each accuracy given; None: unfinished."""
    spec = importlib.util.spec_from_file_location("ship", RESULTS.parents[1] / "tools/ship.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folders = {name: tmp_path / name for name in ("runs", "weights", "results")}
    for folder in folders.values():
        folder.mkdir()

    def call(*accuracies):
        for seed, accuracy in enumerate(accuracies):
            run = folders["runs"] / f"net-best-{seed}"
            run.mkdir()
            (run / "net.npz").write_text(f"numbers of {seed}")
            (run / "net.json").write_text("{}")
            if accuracy is not None:
                (run / "result.json").write_text(json.dumps({"test": {"accuracy": accuracy}}))
        return module.ship("net", range(len(accuracies)), **folders)

    call.module = module
    return call, folders


def test_shipping_copies_the_median_run_and_every_result(ship):
    call, folders = ship
    assert call(0.93, 0.91, 0.92) == 2
    assert (folders["weights"] / "net.npz").read_text() == "numbers of 2"
    assert len(list(folders["results"].iterdir())) == 3


def test_of_several_median_runs_the_lowest_seed_is_shipped(ship):
    call, folders = ship
    assert call(0.92, 0.93, 0.92) == 0
    assert (folders["weights"] / "net.npz").read_text() == "numbers of 0"


def test_an_unfinished_run_ships_nothing(ship):
    call, folders = ship
    with pytest.raises(FileNotFoundError, match="net-best-1 not finished"):
        call(0.93, None, 0.92)
    assert not list(folders["weights"].iterdir()) and not list(folders["results"].iterdir())


def test_an_even_number_of_seeds_has_no_median(ship):
    with pytest.raises(ValueError, match="seeds: got 2 of them, expected an odd number"):
        ship[0](0.93, 0.92)


def test_another_recipe_is_shipped_by_its_name(ship):
    call, folders = ship
    for seed, accuracy in enumerate((0.9, 0.7, 0.8)):
        run = folders["runs"] / f"net-pose-{seed}"
        run.mkdir()
        for name, text in (("net.npz", f"pose {seed}"), ("net.json", "{}")):
            (run / name).write_text(text)
        (run / "result.json").write_text(json.dumps({"test": {"accuracy": accuracy}}))
    assert call(0.93, 0.91, 0.92) == 2  # recipe best
    assert call.module.ship("net", [0, 1, 2], "pose", **folders) == 2
    assert (folders["weights"] / "net.npz").read_text() == "pose 2"
    assert (folders["results"] / "net-pose-1.json").is_file() and (folders["results"] / "net-best-1.json").is_file()


@pytest.fixture
def halve(ship, few, monkeypatch):
    """Ships a small network with kernels multiplied by a factor, rounded to float16; returns the folder of weights."""
    call, folders = ship

    def build():
        image = keras.Input((28, 28, 1), name="image")
        x = keras.layers.Flatten(name="flatten")(keras.layers.AveragePooling2D(4, name="pool")(image))
        return keras.Model(image, keras.layers.Dense(10, activation="softmax", name="scores")(x), name="small")

    def shipped(factor):
        keras.utils.set_random_seed(0)
        model, run = build(), folders["runs"] / "small-quick-0"
        recipe = training.Recipe(epochs=3, batch_size=20, learning_rate=3e-2, decay=False, shift=0)
        training.train(model, few, recipe, log=lambda line: None)
        model.set_weights([factor * array for array in model.get_weights()])
        accuracy = training.evaluate(model, few)["accuracy"]
        weights.save(model, run / "small.npz", {"test_accuracy": accuracy})
        (run / "result.json").write_text(json.dumps({"test": {"accuracy": accuracy}}))
        call.module.ship("small", [0], "quick", True, **folders)
        return folders["weights"], run, model

    monkeypatch.setitem(call.module.__dict__, "digits", type("", (), {"load": staticmethod(lambda source: few)}))
    monkeypatch.setitem(training_runs.MODELS, "small", build)
    return shipped, folders


def test_rounded_weights_are_half_as_large_and_read_again_for_their_card(halve, few):
    folder, run, model = halve[0](1)
    with np.load(folder / "small.npz") as stored:
        assert all(stored[key].dtype == np.float16 for key in stored.files)
    assert weights.card("small", folder)["test_accuracy"] == training.evaluate(model, few)["accuracy"]
    found = weights.arrays("small", folder)  # The card has the checksum of the new file.
    for array, whole in zip(found.values(), model.get_weights(), strict=True):
        assert array.dtype == np.float32 and (array == whole.astype(np.float16)).all()
    assert any((array != whole).any() for array, whole in zip(found.values(), model.get_weights(), strict=True))
    weights.load_into(model, folder / "small.npz")
    told = weights.card("small", folder)["rounded_to_float16"]
    assert told["test_accuracy"] == training.evaluate(model, few)["accuracy"]
    validation = few._replace(x_test=few.x_val, y_test=few.y_val)
    assert told["validation_accuracy"] == training.evaluate(model, validation)["accuracy"]


def test_weights_that_rounding_ruins_are_not_shipped(halve):
    shipped, folders = halve
    with pytest.raises(ValueError, match="half: got an accuracy of .* after rounding and .* before it, expected"):
        shipped(1e-8)  # Below what float16 holds.
    assert not list(folders["weights"].iterdir()) and not list(folders["results"].iterdir())
