"""Does it hold? Matched networks, several seeds, every condition: `python -m capslib.experiments`.

What is compared (NETWORKS), each trained from five seeds without augmentation and with small shifts and turns, and
some also with digits turned by any angle (AUGMENTATIONS). All get the same 20,000 digits, epochs and batch size, and
the same tuning effort: four learning rates (RATES), tried for 3 epochs from a seed of its own. Kept is the lowest of
those whose validation accuracy is within one standard error of the best: a high rate that is hardly better may fail
from another seed, as it did. The grid has 6 epochs; one seed of each is also trained for 20. The drawn faces are
learned with one rate by all (FACE_RATE).

Three contrasts were fixed before the first run (CONTRASTS in `capslib.findings`), on four scores of the networks that
were trained without augmentation (OUTCOMES there): 3 routing iterations against 1, which leaves c uniform; shared W
against one W for each lower capsule; and capsules against a plain CNN of equal size under the same loss. Differences
are paired by seed, with 95 % t-intervals and Holm's correction over all twelve. "No difference" is said of the accuracy
on upright digits alone, and only where the whole interval lies within ±0.3 points.

Every run leaves one JSON file, written whole, and a run whose file exists is not repeated. Each run has a process of
its own with one thread for TensorFlow, so its result does not depend on how many of them run side by side, nor on what
ran before.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import capslib.quiet  # noqa: F401
from capslib import digits, faces, findings, judging, models, parallel, training
from capslib.backend import keras
from capslib.checks import check_choice, check_seed
from capslib.recipes import Recipe
from capslib.records import REPOSITORY, alone, machine, versions
from capslib.results import collect, read, spread, write

NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "capsnet_1": lambda: models.capsnet(routings=1),
    "capsnet_3": models.capsnet,
    "capsnet_5": models.article_capsnet,
    "capsnet_places": lambda: models.capsnet(places=True),
    "capsnet_offset_1": lambda: models.capsnet(offset=1.0),
    "capsnet_unshared": lambda: models.capsnet(share_weights=False),
    "cnn_flatten": lambda: models.matched_cnn("flatten"),
    "cnn_flatten_margin": lambda: models.matched_cnn("flatten", scores="sigmoid"),
    "cnn_global": lambda: models.matched_cnn("global"),
    "cnn_global_margin": lambda: models.matched_cnn("global", scores="sigmoid"),
    "pose_1": lambda: models.pose_capsnet(decoder=False, routings=1),
    "pose_3": lambda: models.pose_capsnet(decoder=False),
}
"""Each capsnet differs in one thing from capsnet_3, the article's network with 3 routing iterations; the CNNs and the
pose networks differ in more. Learning rates are tuned: capsnet_unshared got 0.003, the other five capsnets 0.009."""

GRID = Recipe(epochs=6, batch_size=64, learning_rate=9e-3, decay=True, shift=0, steps_per_execution=20)
"""What all runs of the grid have in common; the learning rate is tuned."""

AUGMENTATIONS: dict[str, dict[str, Any]] = {"none": {}, "some": {"shift": 2, "turn": 15}, "turned": {"turn": 180}}
"""What is done to training digits: nothing; shifts to 2 px and turns to 15°; turns by any angle."""

TURNED = ("capsnet_3", "cnn_flatten_margin", "cnn_global_margin", "pose_3")
"""The networks that are also trained with digits turned by any angle."""

SEEDS = (0, 1, 2, 3, 4)
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
"""What a run is started with: sums in another order are rounded in another way."""

STORED = REPOSITORY / "notebooks" / "results" / f"{findings.RESULT}.json"
RATES, TUNING_SEED, TUNING_EPOCHS = (3e-3, 9e-3, 2.7e-2, 8.1e-2), 1000, 3
VALIDATION = 5_000
"""Validation digits of the full set."""

FACE_RATE = 9e-3
"""With it every network names at least 0.95 of the faces in 15 epochs. With their own rates for digits some do not."""

LONG, LONG_SEED = 20, 0
"""Epochs and seed of the long runs, which show whether the ranking changes."""


@dataclass(frozen=True)
class Size:
    """How many digits and faces a run has: the whole, or few for a trial; 0 followed or faces skips that part."""

    training: int = 20_000
    test: int = 10_000
    changed: int = 2_000
    followed: int = 5_000
    faces: int = 2_000
    face_epochs: int = 15


WHOLE = Size()
SMOKE = Size(training=600, test=800, changed=40, followed=800, faces=100, face_epochs=1)


@dataclass(frozen=True)
class Task:
    """One training with all that is measured on it.

    Attributes:
        network: a key of NETWORKS.
        augmentation: a key of AUGMENTATIONS.
        seed: of first weights, order and augmentation.
        epochs: at least 1.
        rate: the peak of the learning rate, positive.
        tuning: whether only the validation accuracy is wanted.

    Raises:
        ValueError: naming what is out of range.
    """

    network: str
    augmentation: str
    seed: int
    epochs: int
    rate: float
    tuning: bool = False

    def __post_init__(self) -> None:
        check_choice("network", self.network, NETWORKS)
        check_choice("augmentation", self.augmentation, AUGMENTATIONS)
        check_seed("seed", self.seed)
        _ = self.recipe  # A recipe refuses epochs and a rate that are out of range.

    @property
    def recipe(self) -> Recipe:
        """The recipe of this training."""
        return replace(GRID, epochs=self.epochs, learning_rate=self.rate, **AUGMENTATIONS[self.augmentation])

    @property
    def name(self) -> str:
        """Of its file, without `.json`."""
        if self.tuning:
            return f"tuning-{self.network}-{self.rate:g}"
        return f"{self.network}-{self.augmentation}-{self.epochs}-{self.seed}"


def tuning_tasks(networks: Iterable[str] = NETWORKS) -> list[Task]:
    """The runs that choose a learning rate for each network."""
    return [Task(name, "none", TUNING_SEED, TUNING_EPOCHS, rate, tuning=True) for name in networks for rate in RATES]


def tasks(
    rates: dict[str, float],
    seeds: Iterable[int] = SEEDS,
    long: bool = True,
) -> list[Task]:
    """The runs of the grid. First come those without augmentation, seed by seed: the contrasts are computed from them.

    Args:
        rates: the learning rate of each network.
        seeds: whole numbers ≥ 0.
        long: whether one seed of each network is also trained for LONG epochs, with small shifts and turns.
    """

    seeds = tuple(seeds)

    def grid(augmentations: Iterable[str], networks: Iterable[str]) -> list[Task]:
        return [
            Task(name, augmentation, seed, GRID.epochs, rates[name])
            for seed in seeds
            for augmentation in augmentations
            for name in networks
        ]

    longer = [Task(name, "some", LONG_SEED, LONG, rate) for name, rate in rates.items() if long]
    turned = grid(("turned",), [name for name in TURNED if name in rates])
    return grid(("none",), rates) + longer + grid(("some",), rates) + turned


def run(task: Task, size: Size = WHOLE, source: str = "full") -> dict:
    """Train one network and measure it.

    Args:
        task: a Task.
        size: a Size.
        source: of the digits, as for `digits.load`.

    Returns:
        A dict: task, recipe, parameters, data, command, versions, machine, seconds, history; and unless it is for
        tuning what `judging.judge` gives, and under faces what `judging.judge_faces` gives for the same network
        trained from the same seed on drawn faces.
    """
    started = time.perf_counter()
    data = _cut(digits.load(source), size, source)
    keras.utils.set_random_seed(task.seed)
    model = NETWORKS[task.network]()
    history = training.train(model, data, task.recipe, task.seed, log=lambda line: None)
    result = {
        "task": asdict(task),
        "command": f"python -m capslib.experiments {shlex.join(_words(task, size, source))}",
        "recipe": asdict(task.recipe),
        "parameters": model.count_params(),
        "data": f"{source}: {len(data.x_train):,} training, {len(data.x_val):,} validation, {len(data.x_test):,} test",
        "versions": versions(),
        "machine": machine(),
        "history": [{key: round(value, 5) for key, value in row.items()} for row in history],
        "validation_accuracy": max(row["val_accuracy"] for row in history),
    }
    if not task.tuning:
        result |= judging.judge(model, data.x_test, data.y_test, size.changed, size.followed)
        result["faces"] = _faces(task, size) if size.faces else {}
    return result | {"seconds": round(time.perf_counter() - started)}


def _words(task: Task, size: Size, source: str) -> list[str]:
    """What the command line needs to run a task again; size and source are left out where they are the default."""
    words = ["--one", json.dumps(asdict(task))]
    words += [] if size == WHOLE else ["--size", json.dumps(asdict(size))]
    return words + ([] if source == "full" else ["--source", source])


def _cut(data: digits.Digits, size: Size, source: str) -> digits.Digits:
    """As many digits as a run has. The bundled ones have few to test, so they are taken from those not trained on."""
    train, test = slice(size.training), slice(size.test)
    x, y = data.x_test, data.y_test
    if source == "bundled":
        x, y = data.x_train[size.training :], data.y_train[size.training :]
    return digits.Digits(data.x_train[train], data.y_train[train], data.x_val, data.y_val, x[test], y[test])


def _faces(task: Task, size: Size) -> dict:
    """The same network, trained from the same seed to name ten drawn people."""
    people = faces.identities(10, seed=0)
    train, check = faces.sample(people, size.faces, seed=1), faces.sample(people, size.faces // 4, seed=3)
    data = digits.Digits(train.images, train.who, check.images, check.who, check.images, check.who)
    keras.utils.set_random_seed(task.seed)
    model = NETWORKS[task.network]()
    recipe = replace(task.recipe, epochs=size.face_epochs, batch_size=32, learning_rate=FACE_RATE, shift=0, turn=0)
    recipe = replace(recipe, steps_per_execution=1)
    training.train(model, data, recipe, task.seed, log=lambda line: None)
    return judging.judge_faces(model, people, size.faces // 4)


def rates(folder: Path, networks: Iterable[str]) -> dict[str, float]:
    """For each network the lowest learning rate within one standard error of the highest validation accuracy p.

    σ = √(p (1 − p)/N)  of N validation digits

    Raises:
        ValueError: if a network's tuning is missing in the folder.
    """
    chosen = {}
    for network in networks:
        found = {}
        for task in tuning_tasks([network]):
            result = read(folder, task)
            if result is None:
                raise ValueError(
                    f"folder: got {folder} without {task.name}.json, expected the whole tuning of {network}"
                )
            found[task.rate] = result["validation_accuracy"]
        p = max(found.values())
        chosen[network] = min(rate for rate in found if found[rate] >= p - (p * (1 - p) / VALIDATION) ** 0.5)
    return chosen


def work(
    folder: str | Path,
    todo: list[Task],
    size: Size = WHOLE,
    source: str = "full",
    workers: int = 2,
    scheduler: str | None = None,
    log: Callable[[str], object] = print,
) -> int:
    """Run those tasks whose results the folder does not hold yet.

    Args:
        folder: where the results go, one file each; created if need be. One process at a time may write to it.
        todo: Tasks.
        size, source: as for `run`.
        workers: how many run side by side on this machine, at least 1.
        scheduler: the address of a dask scheduler to send them to instead, such as "tcp://host:8786". The digits and
            capslib must be there too.
        log: called with a line about each run that failed.

    Returns:
        How many failed. The others are kept; the same call runs the rest.

    Raises:
        ValueError: if a file in the folder is of another task, or another process is writing to it.
    """
    from tqdm import tqdm  # Here, so that without it and Keras it is Keras' absence that is told.

    folder = Path(folder)
    os.environ.update(ONE_THREAD)  # The processes inherit it.
    with alone(folder):
        left = [task for task in todo if read(folder, task) is None]
        if scheduler:
            sent = parallel.on_cluster(scheduler, partial(apart, size=size, source=source), left)
        else:
            sent = parallel.here(workers, partial(run, size=size, source=source), left)
        failed = 0
        bar = tqdm(sent, total=len(todo), initial=len(todo) - len(left), unit="run", smoothing=0.1)
        for task, outcome in bar:
            if isinstance(outcome, BaseException):
                failed += 1
                log(f"{task.name} failed: {type(outcome).__name__}: {outcome}")
                continue
            write(folder / f"{task.name}.json", outcome)
    return failed


def apart(task: Task, size: Size = WHOLE, source: str = "full") -> dict:
    """`run` in a process of its own: within a dask worker the random state of Python moves by itself, and Keras' too.

    Raises:
        RuntimeError: with the last line that the process wrote, if it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        command = [sys.executable, "-m", "capslib.experiments", *_words(task, size, source), "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ONE_THREAD)
        if done.returncode:
            raise RuntimeError((done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1])
        return json.loads(out.read_text(encoding="utf-8"))


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m capslib.experiments", description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="runs/experiments", help="folder of the results, or with --one a .json file")
    parser.add_argument("--workers", type=int, default=2, help="runs side by side on this machine")
    parser.add_argument("--scheduler", help="address of a dask scheduler, to run them on its workers instead")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--smoke", action="store_true", help="a trial with few digits, to see that all of it runs")
    parser.add_argument("--collect", action="store_true", help=f"put what there is into {STORED.name} for the lesson")
    parser.add_argument("--spread", action="store_true", help="begin with the results that are stored already")
    parser.add_argument("--one", metavar="TASK", help="run a single task, given as JSON, in this process")
    parser.add_argument("--size", default="{}", help=argparse.SUPPRESS)
    parser.add_argument("--source", choices=["bundled", "full"], default="full", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    try:
        if given.one:
            os.environ.update(ONE_THREAD)
            task, size = Task(**json.loads(given.one)), Size(**json.loads(given.size))
            path = _file(given.out, task)
            write(path, run(task, size, given.source))
            return
        if given.collect:
            print(f"{collect(given.out, STORED)} results in {STORED}")
            return
        if given.spread:
            written = spread(STORED, given.out, lambda task: Task(**task).name)
            print(f"{written} stored results put into {given.out}")
        failed = _grid(given)
    except (ValueError, TypeError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{parser.prog}: stopped; the same command goes on from there")
    if failed:
        sys.exit(f"{parser.prog}: {failed} runs failed; the same command tries them again")


def _file(out: str, task: Task) -> Path:
    """Where `--one` writes: a .json file, or the task's own in a folder; refused if nothing can be written there."""
    path = Path(out)
    if path.is_dir() or path.suffix != ".json":
        path = path / f"{task.name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            problem = "is a folder" if path.is_dir() else ""
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
    if problem:
        raise ValueError(f"out: got {out}, but {path} {problem}; expected a folder or a .json file to write")
    return path


def _grid(given: argparse.Namespace) -> int:
    """Everything that the command line asked for; how many runs failed."""
    folder = Path(given.out)
    how = {"workers": given.workers, "scheduler": given.scheduler}
    if given.smoke:
        trial = [Task(name, "some", 0, 1, 3e-3) for name in ("capsnet_1", "cnn_flatten_margin", "pose_1")]
        return work(folder, trial, SMOKE, "bundled", **how)
    failed = work(folder, tuning_tasks(given.networks), **how)
    return failed or work(folder, tasks(rates(folder, given.networks), given.seeds), **how)


if __name__ == "__main__":
    main()
