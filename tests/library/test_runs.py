import errno
import io
import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from capslib import digits, models, records, runs, training, weights
from capslib.training import RECIPES, Recipe
from tests import ROOT
from tests.library.test_training import SHORT, fresh, quiet, same


def small():
    """A network whose epochs take no time."""
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1), name="image")
    x = keras.layers.Flatten(name="flatten")(keras.layers.AveragePooling2D(4, name="pool")(image))
    return keras.Model(image, keras.layers.Dense(10, activation="softmax", name="scores")(x), name="small")


class Interrupt:
    """A log that presses Ctrl-C after so many lines."""

    def __init__(self, after):
        self.after, self.lines = after, []

    def __call__(self, line):
        self.lines.append(line)
        if len(self.lines) == self.after:
            raise KeyboardInterrupt


def files(folder):
    """Name → content of all files in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def without_seconds(history):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


# Keeping and going on -------------------------------------------------------------------------------------------------


def test_a_run_keeps_its_best_epoch_and_its_history(few, tmp_path):
    model = small()
    history = runs.train_in(tmp_path, model, few, SHORT, seed=3, facts={"colour": "blue"}, log=quiet)
    best = max(history, key=lambda row: row["val_accuracy"])
    card = weights.card("small", tmp_path)
    assert (card["epoch"], card["validation_accuracy"]) == (best["epoch"], best["val_accuracy"])
    assert card["colour"] == "blue" and json.loads((tmp_path / "history.json").read_text()) == history
    kept = small()
    weights.load_into(kept, tmp_path / "small.npz")
    assert same(kept, model)


def drawing():
    """As `small`, but what comes out is a picture."""
    model = small()
    x = keras.layers.Dense(784, activation="sigmoid", name="pixels")(model.get_layer("flatten").output)
    return keras.Model(model.input, keras.layers.Reshape((28, 28, 1), name="picture")(x), name="drawing")


def test_a_model_that_only_draws_is_kept_by_its_loss_and_can_be_resumed(few, tmp_path):
    whole = drawing()
    history = training.train(whole, few, SHORT, seed=3, log=quiet)
    assert len(runs.train_in(tmp_path, drawing(), few, SHORT, seed=3, log=Interrupt(after=2))) == 2
    resumed = drawing()
    rest = runs.train_in(tmp_path, resumed, few, SHORT, seed=3, resume=True, log=quiet)
    assert same(resumed, whole) and without_seconds(rest) == without_seconds(history)
    best, card = min(rest, key=lambda row: row["val_loss"]), weights.card("drawing", tmp_path)
    assert (card["epoch"], card["validation_loss"]) == (best["epoch"], best["val_loss"])
    assert "validation_accuracy" not in card


@pytest.mark.parametrize("settings", [{}, {"average": 0.9, "turn": 5}])
def test_an_interrupted_run_keeps_its_best_weights_and_ends_as_if_uninterrupted(settings, few, tmp_path):
    recipe, whole = replace(SHORT, **settings), fresh()
    history = training.train(whole, few, recipe, seed=3, log=quiet)
    stopped, log = fresh(), Interrupt(after=2)
    part = runs.train_in(tmp_path, stopped, few, recipe, seed=3, log=log)
    assert len(part) == 2 and "stopped after epoch 2 of 3" in log.lines[-1]
    kept = models.article_capsnet()
    weights.load_into(kept, tmp_path / "article_capsnet.npz")
    assert same(kept, stopped)
    resumed, log = models.article_capsnet(), Interrupt(after=9)
    rest = runs.train_in(tmp_path, resumed, few, recipe, seed=3, resume=True, log=log)
    assert log.lines[0] == "going on after epoch 2" and len(log.lines) == 2
    assert without_seconds(history) == without_seconds(rest)
    assert same(resumed, whole)
    assert json.loads((tmp_path / "history.json").read_text()) == rest


def normalised():
    """As `small`, with batch normalisation before its dense layer."""
    keras.utils.set_random_seed(0)
    model = small()
    x = keras.layers.BatchNormalization(momentum=0.5, name="normal")(model.get_layer("flatten").output)
    return keras.Model(model.input, model.get_layer("scores")(x), name="normalised")


def test_running_means_and_variances_survive_an_interruption_and_are_no_trained_parameters(few, tmp_path, monkeypatch):
    monkeypatch.setitem(runs.MODELS, "normalised", normalised)
    monkeypatch.setitem(RECIPES, "short", replace(SHORT, average=0.9))
    monkeypatch.setattr(digits, "load", lambda source: few)
    request = ("normalised", "short", 3, "bundled")
    assert runs.run(*request, tmp_path / "resumed", log=Interrupt(after=2)) is None  # The first line is the headline.
    resumed = runs.run(*request, tmp_path / "resumed", resume=True, log=quiet)
    whole = runs.run(*request, tmp_path / "whole", log=quiet)
    assert without_seconds(resumed.pop("history")) == without_seconds(whole.pop("history")) and resumed == whole
    kept = [weights.arrays("normalised", tmp_path / name) for name in ("resumed", "whole")]
    assert all((kept[0][name] == kept[1][name]).all() for name in kept[1])
    assert kept[0]["normal.moving_mean"].any()
    assert weights.card("normalised", tmp_path / "whole")["parameters"] == 49 * 10 + 10 + 2 * 49
    assert sum(array.size for array in kept[1].values()) == 49 * 10 + 10 + 4 * 49


@pytest.mark.parametrize("name", ["history.json", "small.npz", "small.json"])
def test_what_a_kill_or_a_hand_changed_is_written_again_from_the_state(name, few, tmp_path):
    model = small()
    history = runs.train_in(tmp_path, model, few, SHORT, seed=3, log=quiet)
    before = files(tmp_path)
    rows = [*history, {**history[-1], "epoch": 4}]
    (tmp_path / name).write_text(json.dumps(rows) if name == "history.json" else "damaged")
    again = small()
    assert runs.train_in(tmp_path, again, few, SHORT, seed=3, resume=True, log=quiet) == history
    assert same(again, model) and files(tmp_path) == before


# Another run, or a damaged one, in the folder -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one_epoch(few, tmp_path_factory):
    """The files of a run that was stopped after its first epoch."""
    folder = tmp_path_factory.mktemp("stored")
    runs.train_in(folder, small(), few, SHORT, seed=3, log=Interrupt(after=1))
    return files(folder)


@pytest.fixture
def stored(one_epoch, tmp_path):
    """A folder with that run."""
    for name, content in one_epoch.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def refused(folder, message, *given, model=None, resume=True):
    """Going on fails with one line that matches; neither the folder's files nor the model change."""
    before, model = files(folder), model or small()
    own = model.get_weights()
    with pytest.raises(ValueError, match=message) as found:
        runs.train_in(folder, model, *given, resume=resume, log=quiet)
    assert str(found.value).startswith(f"folder: got {folder}, ") and "expected" in str(found.value)
    assert "\n" not in str(found.value) and len(str(found.value)) < 600 + len(str(folder))
    assert files(folder) == before
    assert all(np.array_equal(a, b) for a, b in zip(own, model.get_weights(), strict=True))


OTHER = {"decay": False, "shift": 2, "turn": 3, "scale": 0.1, "average": 0.5, "beta_2": 0.9, "warm_up": 0.2}


@pytest.mark.parametrize("name", [field.name for field in fields(Recipe)])
def test_another_setting_of_the_recipe_is_refused(name, few, stored):
    value = OTHER.get(name, 2 * getattr(SHORT, name))
    had = "a run of small by recipe 'of its own' with batch size 20 and seed 3 on 600 digits, 1 of 3 epochs"
    said = rf"which holds {had} done; expected {name.replace('_', ' ')} {value} \(not {getattr(SHORT, name)}\)"
    refused(stored, said, few, replace(SHORT, **{name: value}), 3)


def test_another_recipe_seed_or_set_of_digits_is_refused(few, stored):
    refused(stored, r"expected recipe 'quick' \(not 'of its own'\), ", few, "quick", 3)
    refused(stored, r"expected seed 4 \(not 3\) ", few, SHORT, 4)
    fewer = few._replace(x_train=few.x_train[:599], y_train=few.y_train[:599])
    refused(stored, r"expected training digits 599 \(not 600\), ", fewer, SHORT, 3)
    fewer = few._replace(x_val=few.x_val[:99], y_val=few.y_val[:99])
    refused(stored, r"expected validation digits 99 \(not 200\), ", fewer, SHORT, 3)
    for name in few._fields:
        array = getattr(few, name).copy()
        array[0] = 1 - array[0] if name.startswith("x") else (array[0] + 1) % 10
        refused(stored, "expected checksum of the digits '", few._replace(**{name: array}), SHORT, 3)


def test_another_network_is_refused(few, stored):
    refused(
        stored,
        "expected model 'matched_cnn_global' .not 'small'",
        few,
        SHORT,
        3,
        model=models.matched_cnn("global"),
    )
    ours = small()
    scores = keras.layers.Dense(10, activation="sigmoid", name="scores")(ours.get_layer("flatten").output)
    other = keras.Model(ours.input, scores, name="small")
    refused(stored, r"expected checksum of the layers '", few, SHORT, 3, model=other)


@pytest.mark.parametrize(("key", "told"), [("keras", "Keras"), ("backend", "backend")])
def test_other_versions_are_refused(key, told, few, stored, monkeypatch):
    monkeypatch.setattr(runs, "versions", lambda: {**records.versions(), key: "0.1"})
    refused(stored, rf"expected {told} '0.1' \(not '", few, SHORT, 3)


def test_no_run_is_begun_anew_over_another(few, stored):
    refused(stored, "1 of 3 epochs done; expected --resume to go on with it", few, SHORT, 3, resume=False)


@pytest.mark.parametrize("name", ["last.keras", "history.json", "result.json", "small.npz"])
@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_of_an_earlier_version_is_refused(name, resume, few, tmp_path):
    (tmp_path / name).write_text("[]")
    refused(tmp_path, f"which holds {name} but no state.npz", few, SHORT, 3, resume=resume)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def rewritten(content, **changed):
    """A state with other arrays; None leaves one out."""
    with np.load(io.BytesIO(content)) as file:
        arrays = {key: file[key] for key in file.files} | changed
    return npz(**{key: array for key, array in arrays.items() if array is not None})


DAMAGE = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-1],
    "another file": lambda content: b"not an archive",
    "one array": lambda content: content[: content.index(b"PK", 10)],
    "no note": lambda content: rewritten(content, run=None),
    "a note that is no JSON": lambda content: rewritten(content, run=np.array("{")),
    "a note of something else": lambda content: rewritten(content, run=np.array("[1]")),
    "an empty history": lambda content: rewritten(content, run=np.array(json.dumps({"asked": {}, "history": []}))),
    "pickled": lambda content: npz(run=np.array([{}], object)),
    "a weight missing": lambda content: rewritten(content, **{"weights/scores.kernel": None}),
    "a best weight missing": lambda content: rewritten(content, **{"best/scores.kernel": None}),
    "an optimizer's variable missing": lambda content: rewritten(content, **{"optimizer/3": None}),
    "another shape": lambda content: rewritten(content, **{"weights/scores.kernel": np.zeros(3, np.float32)}),
    "one too many": lambda content: rewritten(content, more=np.zeros(3)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("resume", [True, False])
def test_a_damaged_state_is_named_and_left_alone(damage, resume, few, stored):
    state = stored / "state.npz"
    state.write_bytes(damage(state.read_bytes()))
    refused(stored, "state.npz (is damaged|does not fit)|expected --resume", few, SHORT, 3, resume=resume)


def test_any_flipped_bit_is_noticed_or_harmless(few, stored):
    content = (stored / "state.npz").read_bytes()
    rng = np.random.default_rng(0)
    with np.load(io.BytesIO(content)) as file:
        whole = {key: file[key] for key in file.files}
    where = [*range(400), *range(len(content) - 3000, len(content), 7), *rng.integers(0, len(content), 200)]
    noticed = 0
    for position in where:
        flipped = bytearray(content)
        flipped[position] ^= 1 << int(rng.integers(8))
        (stored / "state.npz").write_bytes(flipped)
        try:
            asked, history, _, arrays = runs._read(stored)
        except ValueError as error:
            noticed += 1
            assert str(error).startswith(f"folder: got {stored}, whose state.npz is damaged (")
        else:
            assert asked["seed"] == 3 and len(history) == 1
            for key, array in arrays.items():
                assert key not in whole or whole[key].shape != array.shape or np.array_equal(array, whole[key])
    assert noticed > 200


def test_two_runs_never_write_into_one_folder(few, tmp_path):
    found = []

    def another(line):
        with pytest.raises(ValueError, match="to which another run is writing; expected another folder") as error:
            runs.train_in(tmp_path, small(), few, SHORT, seed=3, resume=True, log=quiet)
        found.append(error)

    runs.train_in(tmp_path, small(), few, replace(SHORT, epochs=2), seed=3, log=another)
    assert len(found) == 2
    runs.train_in(tmp_path, small(), few, replace(SHORT, epochs=2), seed=3, resume=True, log=quiet)


@pytest.mark.parametrize("number", range(1, 7))
def test_a_full_disk_leaves_whole_files_to_go_on_from(number, few, tmp_path, monkeypatch):
    recipe, whole, count = replace(SHORT, epochs=2, batch_size=100), small(), iter(range(1, 99))
    history = training.train(whole, few, recipe, seed=3, log=quiet)

    def write_atomically(path, write):
        def half(file):
            file.write(b"half of it")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        records.write_atomically(path, half if next(count) == number else write)

    with monkeypatch.context() as full:
        for module in (runs, weights):
            full.setattr(module, "write_atomically", write_atomically)
        with pytest.raises(OSError, match="No space left"):
            runs.train_in(tmp_path, small(), few, recipe, seed=3, log=quiet)
    assert not [path.name for path in tmp_path.iterdir() if path.suffix not in (".npz", ".json")]
    resumed = small()
    rest = runs.train_in(tmp_path, resumed, few, recipe, seed=3, resume=True, log=quiet)
    assert same(resumed, whole) and without_seconds(rest) == without_seconds(history)


# The command line -----------------------------------------------------------------------------------------------------


def test_the_command_line_makes_weights_that_load(tmp_path):
    command = [sys.executable, "-m", "capslib.training", "matched_cnn_global", "--data", "bundled", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout.count("\nepoch") == RECIPES["quick"].epochs
    result = json.loads((tmp_path / "result.json").read_text())
    assert f"test accuracy {result['test']['accuracy']:.4f}" in done.stdout
    card = weights.card("matched_cnn_global", tmp_path)
    assert card["test_accuracy"] == result["test"]["accuracy"] and card["recipe"] == result["recipe"]
    model = models.matched_cnn("global")
    weights.load_into(model, tmp_path / "matched_cnn_global.npz")
    assert training.evaluate(model, digits.load())["accuracy"] == result["test"]["accuracy"]
    assert not list(tmp_path.glob("*part*"))


@pytest.fixture
def command_line(few, tmp_path, monkeypatch, capsys):
    """Runs the command line on few digits in `runs/x` of an empty place; returns exit status, output and errors."""
    monkeypatch.setattr(digits, "load", lambda source: few)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = 0
        try:
            runs.main(["matched_cnn_global", "--out", "runs/x", *arguments])
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        if isinstance(status, str):  # Python prints it, and exits with 1.
            return 1, said.out, status
        return status, said.out, said.err

    return call


def test_an_interrupted_command_exits_with_130_and_resume_gives_the_result_of_a_whole_run(
    command_line, tmp_path, monkeypatch
):
    folder = tmp_path / "runs/x"
    assert command_line()[0] == 0
    whole = files(folder)
    for path in folder.iterdir():
        path.unlink()
    with monkeypatch.context() as interrupted:
        orders = iter([training.epoch_order(600, 0, 0)])

        def order(*given):
            for one in orders:
                return one
            raise KeyboardInterrupt

        interrupted.setattr(training, "epoch_order", order)
        status, out, err = command_line()
    assert status == 130 and "stopped after epoch 1 of 2" in out and err.count("\n") == 1 and "--resume" in err
    stopped = files(folder)
    assert "result.json" not in stopped

    for arguments, expected in (
        (["--recipe", "article", "--resume"], r"expected recipe 'article' (not 'quick'), batch size 500"),
        (["--seed", "5", "--resume"], "expected seed 5 (not 0)"),
        ([], "1 of 2 epochs done; expected --resume"),
    ):
        status, _, err = command_line(*arguments)
        assert status == 1 and expected.replace(", batch", ", epochs 20 (not 2), batch") in err, err
        assert err.startswith("python -m capslib.training: folder: got runs/x, which holds a run of matched_cnn_global")
        assert files(folder) == stopped

    status, out, _ = command_line("--resume")
    assert status == 0 and "going on after epoch 1" in out
    results = [json.loads(found["result.json"]) for found in (whole, files(folder))]
    for result in results:
        result["history"] = without_seconds(result["history"])
    assert results[0] == results[1]
    assert files(folder)["matched_cnn_global.npz"] == whole["matched_cnn_global.npz"]


@pytest.mark.parametrize("where", ["load", "evaluate"])
def test_ctrl_c_outside_the_epochs_exits_with_130_too(where, command_line, monkeypatch):
    def interrupt(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(digits if where == "load" else training, where, interrupt)
    status, _, err = command_line()
    assert status == 130 and err.count("\n") == 1


def test_a_full_disk_is_one_line(command_line, monkeypatch, tmp_path):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    status, _, err = command_line()
    assert status == 1 and "No space left on device" in err and "\n" not in err
    assert not list((tmp_path / "runs/x").iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["article_capsnet", "--recipe", "longest"], "invalid choice: 'longest'"),
        (["resnet"], "invalid choice: 'resnet'"),
    ],
)
def test_the_command_line_refuses_by_name(arguments, message, capsys):
    with pytest.raises(SystemExit):
        runs.main(arguments)
    assert message in capsys.readouterr().err


def test_bad_arguments_of_a_run_are_named():
    with pytest.raises(ValueError, match="model: got 'resnet'"):
        runs.run("resnet", "quick")
    with pytest.raises(ValueError, match="recipe: got 'longest'"):
        runs.run("article_capsnet", "longest")
    with pytest.raises(ValueError, match="seed: got -1, expected a whole number of at least 0"):
        runs.run("article_capsnet", "quick", seed=-1)


def test_a_backend_that_is_not_installed_is_one_line():
    environment = {**os.environ, "KERAS_BACKEND": "abacus"}
    command = [sys.executable, "-m", "capslib.training", "article_capsnet"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("python -m capslib.training: ") and done.stderr.count("\n") == 1, done.stderr
    assert "KERAS_BACKEND" in done.stderr and "abacus" in done.stderr


def test_the_machine_of_a_run_names_a_gpu_where_jax_has_one(monkeypatch):
    device = SimpleNamespace(platform="gpu", device_kind="NVIDIA H200")
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: [device]))
    assert records.machine().endswith(" cores, NVIDIA H200")
    device.platform = "cpu"
    assert records.machine().endswith(" cores")
