"""What are the points made of by which the article's network reads fewer digits than a plain CNN of its size?

`python -m tools.missing_points --variants longer places --seeds 0 1 2` trains variants of the network with the recipe
"best", each changed in what its name says (VARIANTS). Each run leaves one JSON in runs/missing, the card of the weights
beside it. A run that is there is not repeated, and an interrupted one goes on after its last whole epoch.
`--collect` puts what there is into notebooks/results/missing_points.json, beside the stored runs of the unchanged
network and of the plain CNNs.

Three plain CNNs teach the distilled ones: the two that are shipped and a third that is trained first. How much their
answers weigh (WEIGHTS) is tried in short runs, of which the one with the highest validation accuracy is followed.
The test digits are read once, at the end of a run, and by no run that something is chosen by.

Each run has a process of its own with one thread for TensorFlow, so its result does not depend on how many of them run
side by side. It needs the full MNIST set.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

import capslib.quiet  # noqa: F401
from capslib import digits, experiments, models, parallel, records, runs, training, weights
from capslib.backend import keras
from capslib.checks import check_choice, check_positive, check_seed
from capslib.recipes import RECIPES
from capslib.teaching import Teacher

RECIPE = "best"
FOLDER, RESULT = records.REPOSITORY / "runs" / "missing", records.REPOSITORY / "notebooks/results/missing_points.json"
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Variant:
    """A network, how many epochs it is trained for, and who teaches it: nobody, plain CNNs, or the labels instead."""

    network: Callable[[], keras.Model]
    epochs: int = RECIPES[RECIPE].epochs
    taught_by: str = ""


VARIANTS = {
    # As it is; on another backend than the stored runs', it tells a variant's effect from that of the backend.
    "unchanged": Variant(models.article_capsnet),
    "longer": Variant(models.article_capsnet, epochs=120),
    "distilled": Variant(models.article_capsnet, taught_by="CNNs"),
    "distilled_longer": Variant(models.article_capsnet, epochs=120, taught_by="CNNs"),
    # The loss of the distilled ones without their teachers, to tell the two apart.
    "labels": Variant(models.article_capsnet, taught_by="labels"),
    "places": Variant(lambda: models.capsnet(places=True, routings=5)),
    "one_routing": Variant(lambda: models.capsnet(routings=1)),
    "teacher": Variant(lambda: models.matched_cnn("flatten")),
    "trial": Variant(models.article_capsnet, epochs=10, taught_by="CNNs"),
}
ASKED_FOR = [name for name in VARIANTS if name not in ("teacher", "trial")]


@dataclass(frozen=True)
class Task:
    """One training.

    Attributes:
        variant: a key of VARIANTS.
        seed: of first weights, order and augmentation.
        weight: of the distillation loss, λ: positive for a variant that is taught, else 0.

    Raises:
        ValueError: naming what is out of range.
    """

    variant: str
    seed: int
    weight: float = 0

    def __post_init__(self):
        check_choice("variant", self.variant, VARIANTS)
        check_seed("seed", self.seed)
        if VARIANTS[self.variant].taught_by:
            check_positive("weight", self.weight)
        elif self.weight:
            raise ValueError(f"weight: got {self.weight!r}, expected 0 for {self.variant!r}, which nobody teaches")

    @property
    def name(self):
        """Of its files, without an ending."""
        weight = f"-{self.weight:g}" if self.variant == "trial" else ""
        return f"{self.variant}{weight}-{self.seed}"


WEIGHTS = (0.1, 1.0, 10.0)
TEACHER = Task("teacher", seed=1)  # The two that are shipped come from seed 0.
TRIALS = [Task("trial", 0, weight) for weight in WEIGHTS]


@dataclass(frozen=True)
class Size:
    """Which digits a run has, how many it trains on, and for how many epochs; None stands for as many as usual."""

    source: str = "full"
    training: int | None = None
    epochs: int | None = None


WHOLE, SMOKE = Size(), Size("bundled", 200, 1)


class TimeLeft(keras.callbacks.Callback):
    """Prints a line after every epoch that says how much time the run still needs, and counts the epochs."""

    def __init__(self, name, epochs):
        super().__init__()
        self.name, self.epochs, self.done, self.started = name, epochs, 0, time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.done += 1
        left = (time.perf_counter() - self.started) / self.done * (self.epochs - epoch - 1)
        told = f"epoch {epoch + 1}/{self.epochs}  val_accuracy {logs['val_accuracy']:.4f}  {left / 60:.0f} min left"
        print(f"{self.name}  {told}", flush=True)


def teacher_of(task, folder):
    """The Teacher of a task, whose third CNN lies in the folder; None if nobody teaches."""
    taught_by = VARIANTS[task.variant].taught_by
    if not taught_by:
        return None
    if taught_by == "labels":
        return Teacher((), task.weight)
    third = VARIANTS[TEACHER.variant].network()
    weights.load_into(third, Path(folder) / f"{TEACHER.name}.npz")
    return Teacher(
        (*(models.matched_cnn(head, weights="shipped") for head in ("flatten", "global")), third), task.weight
    )


def read_by(teacher, x, y):
    """The accuracy of the teachers' mean on images x (N, 28, 28, 1) with labels y (N,)."""
    return float(np.mean(teacher.probabilities(x).argmax(1) == y))


def run(task, folder, size=WHOLE):
    """Train one network, going on where an earlier process stopped, and keep its weights with their card in the folder.

    Args:
        task: a Task.
        folder: where it is kept; a task that CNNs teach finds the third of them there.
        size: a Size.

    Returns:
        The card: task, command, data, recipe, parameters, versions, machine, seconds (of this process, for
        epochs_timed epochs), history, epoch (the one of the weights), validation_accuracy, test_accuracy unless it is
        a trial, and with CNNs as teachers the accuracies of their mean.

    Raises:
        RuntimeError: if the run was stopped; nothing but its state is kept.
        ValueError, OSError: as `runs.train_in` does.
    """
    folder, few, data = Path(folder), slice(size.training), digits.load(size.source)
    data = data._replace(x_train=data.x_train[few], y_train=data.y_train[few])
    numbers = f"{len(data.x_train):,} training, {len(data.x_val):,} validation, {len(data.x_test):,} test"
    variant = VARIANTS[task.variant]
    recipe = replace(RECIPES[RECIPE], epochs=size.epochs or variant.epochs)
    teacher = teacher_of(task, folder)  # Before the seed is set, since drawing a network's first weights uses it up.
    keras.utils.set_random_seed(task.seed)
    model, clock = variant.network(), TimeLeft(task.name, recipe.epochs)
    state = folder / task.name
    how = {"resume": True, "log": lambda line: None, "callbacks": [clock], "teacher": teacher}
    history = runs.train_in(state, model, data, recipe, task.seed, **how)
    if len(history) < recipe.epochs:
        raise RuntimeError("stopped; the same command goes on from there")
    best = training.Progress(history).best_row
    card = {
        "task": asdict(task),
        "command": f"python -m tools.missing_points --variants {task.variant} --seeds {task.seed}",
        "data": f"{size.source}: {numbers}",
        "recipe": {"name": RECIPE, **asdict(recipe)},
        "seed": task.seed,
        "parameters": models.trained_parameters(model),
        "versions": records.versions(),
        "machine": records.machine(),
        "seconds": round(time.perf_counter() - clock.started),
        "epochs_timed": clock.done,
        "epoch": best["epoch"],
        "validation_accuracy": best["val_accuracy"],
    }
    if task.variant != "trial":
        card["test_accuracy"] = training.evaluate(model, data)["accuracy"]
    if teacher and teacher.networks:
        read = {"validation_accuracy": read_by(teacher, data.x_val, data.y_val)}
        if task.variant != "trial":
            read["test_accuracy"] = read_by(teacher, data.x_test, data.y_test)
        card["teachers"] = {**teacher.told, **read}
    weights.save(model, folder / f"{task.name}.npz", card | {"history": history})
    return weights.card(task.name, folder)


def chosen(folder):
    """The weight λ whose trial has the highest validation accuracy; the smaller one if two are equal."""
    found = {task.weight: experiments.read(Path(folder), task)["validation_accuracy"] for task in TRIALS}
    return max(sorted(found), key=found.get)


def side_by_side(folder, tasks, size=WHOLE, workers=2):
    """Run those tasks that the folder does not hold yet, each in a process of its own; how many failed."""
    os.environ.update(experiments.ONE_THREAD)  # The processes inherit it.
    left, failed = [task for task in tasks if experiments.read(Path(folder), task) is None], 0
    epochs = {task: size.epochs or VARIANTS[task.variant].epochs for task in left}
    with tqdm(total=sum(epochs.values()), unit="epoch", smoothing=0) as bar:
        for task, outcome in parallel.here(workers, partial(run, folder=folder, size=size), left):
            bar.update(epochs[task])
            if isinstance(outcome, BaseException):
                failed += 1
                print(f"{task.name} failed: {type(outcome).__name__}: {outcome}", flush=True)
    return failed


def work(folder, variants, seeds, size=WHOLE, workers=2):
    """Train every variant from every seed, and before the distilled ones what they need.

    Args:
        folder: where the runs are kept; created if need be.
        variants: names from ASKED_FOR.
        seeds: whole numbers ≥ 0.
        size: a Size.
        workers: how many run side by side, at least 1.

    Returns:
        How many runs failed; what depends on them is not begun. The same call runs what is missing.
    """
    taught = [name for name in variants if VARIANTS[name].taught_by]
    plain = [Task(name, seed) for seed in seeds for name in variants if name not in taught]
    failed = side_by_side(folder, [TEACHER, *plain] if taught else plain, size, workers)
    if failed or not taught:
        return failed
    failed = side_by_side(folder, TRIALS, size, workers)
    if failed:
        return failed
    weight = chosen(folder)
    print(f"the distillation loss weighs {weight:g}", flush=True)
    return side_by_side(folder, [Task(name, seed, weight) for seed in seeds for name in taught], size, workers)


ALSO = ("command", "data", "parameters", "versions", "machine", "seconds", "epochs_timed", "epoch", "sha256")


def thinned(card):
    """What the lesson needs of a card: of its history every validation accuracy, and of the last epoch also that of
    training, which is measured on augmented digits while the weights move."""
    history = [round(row["val_accuracy"], 4) for row in card["history"]]
    read = round(card["history"][-1]["accuracy"], 4)
    kept = {key: card[key] for key in ("test_accuracy", "teachers", *ALSO) if key in card}
    best = {"training_accuracy": read, "validation_accuracy": max(history)}
    return {**card["task"], "epochs": len(history), **best, **kept, "history": history}


BESIDE = {RECIPE: "article_capsnet", "cnn_flatten": "matched_cnn_flatten", "cnn_global": "matched_cnn_global"}
"""What the collected file calls the stored runs that stand beside the variants, and whose runs they are."""


def stored(name, seed):
    """A stored run, BESIDE a variant, as a card."""
    run = records.stored(f"{BESIDE[name]}-{RECIPE}-{seed}")
    best = training.Progress(run["history"]).best_row
    return run | {
        "task": {"variant": name, "seed": seed, "weight": 0},
        "epoch": best["epoch"],
        "test_accuracy": run["test"]["accuracy"],
    }


def collect(folder, path):
    """Put all cards of a folder and the stored runs BESIDE them into one file; how many there are.

    Raises:
        ValueError: if the folder holds none, or one is damaged.
    """
    cards = [weights.card(file.stem, folder) for file in sorted(Path(folder).glob("*.json"))]
    if not cards:
        raise ValueError(f"folder: got {folder}, which holds no runs")
    found = [thinned(card) for card in [*(stored(name, seed) for name in BESIDE for seed in SEEDS), *cards]]
    told = {
        "command": "python -m tools.missing_points",
        "recipe": {"name": RECIPE, **asdict(RECIPES[RECIPE])},
        "weights_tried": WEIGHTS,
        "runs": found,
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    records.write_atomically(path, lambda file: file.write(text.encode() + b"\n"))
    return len(found)


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.missing_points", description=__doc__.splitlines()[0])
    parser.add_argument("--variants", nargs="+", choices=ASKED_FOR, default=ASKED_FOR)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--workers", type=int, default=2, help="runs side by side")
    parser.add_argument("--out", type=Path, help="folder of the runs (default: runs/missing)")
    parser.add_argument("--smoke", action="store_true", help="a trial with few digits, to see that all of it runs")
    parser.add_argument("--collect", action="store_true", help=f"put what there is into {RESULT.name} for the lesson")
    given = parser.parse_args(arguments)
    size, folder = (SMOKE, FOLDER.with_name("missing-smoke")) if given.smoke else (WHOLE, FOLDER)
    folder = given.out or folder
    try:
        if given.collect:
            print(f"{collect(folder, RESULT)} runs in {RESULT}, {RESULT.stat().st_size / 1000:.0f} kB")
            return
        failed = work(folder, given.variants, given.seeds, size, given.workers)
    except (ValueError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{parser.prog}: stopped; the same command goes on from there")
    if failed:
        sys.exit(f"{parser.prog}: {failed} runs failed; the same command tries them again")


if __name__ == "__main__":
    main()
