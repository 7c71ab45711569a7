"""Runs that are kept in a folder, and the command line: `python -m capslib.training MODEL --recipe best --seed 0`.

A run writes into one folder: `state.npz` (what was requested, and everything `--resume` needs), `history.json`,
`<model>.npz` with its card (the best epoch so far by validation accuracy, or by validation loss if the model only
draws), and at its end `result.json`. Ctrl-C keeps all of them. A folder that holds another run is left unchanged.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from capslib import digits, models, training, weights
from capslib.backend import keras
from capslib.checks import check_choice, check_seed
from capslib.records import alone, machine, versions, write_atomically
from capslib.teaching import Teacher
from capslib.training import RECIPES, Progress, Recipe

MODELS: dict[str, Callable[[], keras.Model]] = {
    "article_capsnet": models.article_capsnet,
    "matched_cnn_flatten": lambda: models.matched_cnn("flatten"),
    "matched_cnn_global": lambda: models.matched_cnn("global"),
    "pose_capsnet": models.pose_capsnet,
    "pose_capsnet_without_decoder": lambda: models.pose_capsnet(decoder=False),
    "two_digit_capsnet": models.two_digit_capsnet,
    "two_digit_cnn": models.two_digit_cnn,
    "efficient_capsnet": models.efficient_capsnet,
    "efficient_capsnet_uniform": lambda: models.efficient_capsnet(attention=False),
    "efficient_cnn": models.efficient_cnn,
}
STATE = "state.npz"
ANEW = " (name another folder, or remove this one to begin anew)"


def run(
    model_name: str,
    recipe_name: str,
    seed: int = 0,
    source: str = "full",
    folder: str | Path | None = None,
    resume: bool = False,
    log: Callable[[str], object] = print,
) -> dict | None:
    """One whole run: build, train, keep, and read the test set once at the end.

    Args:
        model_name: a key of MODELS.
        recipe_name: a key of RECIPES.
        seed: of first weights, order and shifts.
        source: of the digits, "full" or "bundled".
        folder: where to write; by default runs/<model>-<recipe>-<seed>.
        resume: continue an interrupted run in that folder; the result is the same as without the interruption.
        log: called with each line of progress.

    Returns:
        The result that was also written to `result.json`: recipe, seed, versions, machine, history and test; None
        if the run was interrupted before its last epoch.

    Raises:
        ValueError, OSError: as `train_in` does.
    """
    check_choice("model", model_name, MODELS)
    recipe, seed = training.as_recipe(recipe_name), check_seed("seed", seed)
    folder = Path(folder) if folder is not None else Path("runs") / f"{model_name}-{recipe_name}-{seed}"
    data = digits.load(source)
    keras.utils.set_random_seed(seed)
    model = MODELS[model_name]()
    facts = {
        "command": f"python -m capslib.training {model_name} --recipe {recipe_name} --seed {seed} --data {source}",
        "data": f"{source}: {len(data.x_train):,} training, {len(data.x_val):,} validation, {len(data.x_test):,} test",
        "recipe": {"name": recipe_name, **asdict(recipe)},
        "seed": seed,
        "parameters": models.trained_parameters(model),
        "versions": versions(),
    }
    with alone(folder):
        log(f"{model_name}: {facts['parameters']:,} parameters, recipe {recipe_name}, seed {seed}, {facts['data']}")
        learner = models.masked_by_label(model)
        progress = _train(folder, learner, data, recipe, seed, resume, facts, log)
        if len(progress.history) < recipe.epochs:
            return None
        tested = training.evaluate_pairs(model, data) if models.reads_pairs(model) else training.evaluate(model, data)
        errors = {key: tested[key] for key in ("reconstruction_error",) if key in tested}
        _write_best(folder, learner, progress, {**facts, "test_accuracy": tested["accuracy"], **errors})
        result = {"model": model_name, **facts, "machine": machine(), "history": progress.history, "test": tested}
        _write_json(folder / "result.json", result)
    log(f"test accuracy {tested['accuracy']:.4f}, of the epoch best on validation; kept in {folder}")
    return result


def train_in(
    folder: str | Path,
    model: keras.Model,
    data: digits.Digits,
    recipe: Recipe | str,
    seed: int = 0,
    resume: bool = False,
    facts: dict | None = None,
    log: Callable[[str], object] = print,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    teacher: Teacher | None = None,
) -> list[dict]:
    """Train as `training.train` does, and keep state, history and best weights in a folder after every epoch.

    Args:
        folder: where to keep them; it is created if necessary.
        model, data, recipe, seed, log, callbacks, teacher: as for `training.train`.
        resume: continue from the state in `folder`, if there is one; the end is the same as without an interruption.
        facts: what else the card of the weights says.

    Returns:
        The history, the epochs before an interruption included.

    Raises:
        ValueError: if the folder holds another run, a damaged one or, unless `resume`, any; if another process is
            writing to it; or as `training.train` does. The files in the folder are left as they were.
        OSError: if the folder cannot be written to; what was written last stays whole.
    """
    with alone(Path(folder)):
        learner = models.masked_by_label(model)
        return _train(Path(folder), learner, data, recipe, seed, resume, facts or {}, log, callbacks, teacher).history


def _train(folder, model, data, recipe, seed, resume, facts, log, callbacks=(), teacher=None) -> Progress:
    recipe, seed = training.as_recipe(recipe), check_seed("seed", seed)
    asked = _asked(model, data, recipe, seed, teacher)
    progress = _restore(folder, model, asked, recipe, resume, teacher)
    if progress.history:
        _write_json(folder / "history.json", progress.history)
        _write_best(folder, model, progress, facts)
        log(f"going on after epoch {len(progress.history)}")
    keep = _Keep(folder, asked, progress, facts)
    training.train(model, data, recipe, seed, [keep, *callbacks], log, progress, teacher)
    return progress


class _Keep(keras.callbacks.Callback):
    """At the end of every epoch writes state, history and, if the epoch is the best so far, weights.

    Keras' BackupAndRestore and ModelCheckpoint are not used: they write in place, so a kill or a full disk leaves half
    a file, and they keep neither the history nor what was requested.
    """

    def __init__(self, folder: Path, asked: dict, progress: Progress, facts: dict):
        super().__init__()
        self.folder, self.asked, self.progress, self.facts = folder, asked, progress, facts

    def on_epoch_end(self, epoch, logs=None):
        # The state comes first: where there is any file of a run, there is a state to go on from.
        text = json.dumps({"asked": self.asked, "history": self.progress.history})
        weights.write_arrays(self.folder / STATE, {"run": np.array(text), **_arrays(self.model, self.progress.best)})
        _write_json(self.folder / "history.json", self.progress.history)
        if self.progress.best_row is self.progress.history[-1]:
            _write_best(self.folder, self.model, self.progress, self.facts)


def _arrays(model: keras.Model, best: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """All numbers of a state: the weights to go on from, those of the best epoch, and the optimizer's variables."""
    now = weights.parameters(model)
    optimizer = map(keras.ops.convert_to_numpy, model.optimizer.variables)
    return {
        **{f"weights/{name}": array for name, array in now.items()},
        **{f"best/{name}": array for name, array in zip(now, best, strict=True)},
        **{f"optimizer/{i}": array for i, array in enumerate(optimizer)},
    }


def _restore(
    folder: Path, model: keras.Model, asked: dict, recipe: Recipe, resume: bool, teacher: Teacher | None
) -> Progress:
    """Put the state in `folder` into model and optimizer; a Progress without epochs if there is none.

    Raises:
        ValueError: unless the state is whole and of the run that is asked for; the model keeps its weights then.
    """
    if not (folder / STATE).exists():
        others = ("history.json", "result.json", "last.keras", f"{model.name}.npz", f"{model.name}.json")
        for name in others:
            if (folder / name).exists():
                raise ValueError(
                    f"folder: got {folder}, which holds {name} but no {STATE} that says what was asked for (earlier "
                    f"versions of the course wrote none); expected a folder without a run{ANEW}"
                )
        return Progress()
    had, history, told, stored = _read(folder)
    different = [key for key in {**asked, **had} if asked.get(key) != had.get(key)]
    if different:
        wanted = ", ".join(f"{key} {asked.get(key)!r} (not {had.get(key)!r})" for key in different[:4])
        raise ValueError(f"folder: got {folder}, which holds {told}; expected {wanted}{ANEW}")
    if not resume:
        raise ValueError(f"folder: got {folder}, which holds {told}; expected --resume to go on with it{ANEW}")
    training.compile_model(model, recipe, asked["training digits"], teacher)
    model.optimizer.build(model.trainable_variables)
    now = _arrays(model, model.get_weights())
    if {key: array.shape for key, array in now.items()} != {key: array.shape for key, array in stored.items()}:
        raise ValueError(f"folder: got {folder}, whose {STATE} does not fit the network; expected its own{ANEW}")
    names = weights.parameters(model)
    model.set_weights([stored[f"weights/{name}"] for name in names])
    for i, variable in enumerate(model.optimizer.variables):
        variable.assign(stored[f"optimizer/{i}"])
    return Progress(history, [stored[f"best/{name}"] for name in names])


def _read(folder: Path) -> tuple[dict, list[dict], str, dict[str, np.ndarray]]:
    """What the run in `folder` was asked for, its history, both in words, and its arrays; ValueError if damaged."""
    try:
        stored = weights.read_arrays(folder / STATE)
        run = json.loads(str(stored.pop("run")))
        asked, history = run["asked"], run["history"]
        told = (
            f"a run of {asked['model']} by recipe {asked['recipe']!r} with batch size {asked['batch size']} and seed "
            f"{asked['seed']} on {asked['training digits']:,} digits, {len(history)} of {asked['epochs']} epochs done"
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"folder: got {folder}, whose {STATE} is damaged ({error}); expected the file as a run wrote it{ANEW}"
        ) from error
    return asked, history, told, stored


def _asked(model: keras.Model, data: digits.Digits, recipe: Recipe, seed: int, teacher: Teacher | None) -> dict:
    """What a run is asked for, in the order in which differences are worth telling."""
    sums = hashlib.sha256()
    for array in data:
        sums.update(np.ascontiguousarray(array).data)
    # Without the names that Keras gives to layers: it numbers them through.
    layers = json.dumps([[type(layer).__name__, layer.get_config() | {"name": None}] for layer in model.layers])
    made_with = versions()
    return {
        "model": model.name,
        "recipe": next((name for name, known in RECIPES.items() if known == recipe), "of its own"),
        "seed": seed,
        "training digits": len(data.x_train),
        "validation digits": len(data.x_val),
        **{name.replace("_", " "): value for name, value in asdict(recipe).items()},
        "checksum of the digits": sums.hexdigest()[:12],
        "checksum of the layers": hashlib.sha256(layers.encode()).hexdigest()[:12],
        **({"teacher": teacher.told} if teacher else {}),
        "Keras": made_with["keras"],
        "backend": made_with["backend"],
    }


def _write_best(folder: Path, model: keras.Model, progress: Progress, facts: dict) -> None:
    """Write the weights of the best epoch with their card; the model holds its own again afterwards."""
    row, now = progress.best_row, model.get_weights()
    score = "accuracy" if "val_accuracy" in row else "loss"  # A model that only draws has no accuracy.
    chosen = {"epoch": row["epoch"], f"validation_{score}": row[f"val_{score}"]}
    try:
        model.set_weights(progress.best)
        weights.save(model, folder / f"{model.name}.npz", {**facts, **chosen})
    finally:
        model.set_weights(now)


def _write_json(path: Path, value: object) -> None:
    write_atomically(path, lambda file: file.write(json.dumps(value, indent=1).encode()))


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m capslib.training", description="Train a network of the course.")
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--recipe", choices=RECIPES, default="quick")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", choices=["bundled", "full"], default="full")
    parser.add_argument("--out", help="folder to write into (default: runs/MODEL-RECIPE-SEED)")
    parser.add_argument("--resume", action="store_true", help="go on from an interrupted run in that folder")
    given = parser.parse_args(arguments)
    log = partial(print, flush=True)
    try:
        result = run(given.model, given.recipe, given.seed, given.data, given.out, given.resume, log)
    except (ValueError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")
    except KeyboardInterrupt:
        result = None
    if result is None:
        print(f"{parser.prog}: stopped; the same command with --resume goes on from there", file=sys.stderr)
        sys.exit(130)
