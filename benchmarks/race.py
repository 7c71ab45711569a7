"""How long two recipes take to one accuracy: `python -m benchmarks.race`, on a machine that does nothing else.

All train the network of 22,848 parameters on the same 55,000 digits: the recipe *quick*, the recipe *article*, and the
recipe *article* with the article's own layer, which is the article as published. Eight times an epoch the validation
digits are looked at; a run is at its goal when at least LEVEL of them were right at two looks running. Then alone the
test set is read, once. The clock counts training only: it stands still while the run looks, and the first call of a
step, in which Keras compiles, counts as much as later ones took.
"""

import argparse
import json
import statistics
import time
from dataclasses import asdict
from pathlib import Path

# Before Keras: TensorFlow's start-up notices would drown the lines of progress.
# isort: off
import capslib.quiet  # noqa: F401
import keras

# isort: on

import numpy as np

from benchmarks import contestants
from capslib import digits, records, training

LEVEL = 0.981
PUBLISHED = 0.9793
LOOKS = 8
RUNNERS = {
    "quick": {"recipe": "quick", "layer": "ours"},
    "article": {"recipe": "article", "layer": "ours"},
    "published": {"recipe": "article", "layer": "article_matmul"},
}
"""Who runs: a recipe, and the layer that it trains, named as in `contestants.network`."""
RESULT = Path(__file__).parent / "results" / "race.json"


class Reached(Exception):
    """Ends the training in the middle of an epoch."""


class Clock(keras.callbacks.Callback):
    """Looks at the validation digits LOOKS times an epoch, and keeps the time between the looks.

    Args:
        x, labels: the validation digits and what they are.
        batches: how many batches an epoch has.
        level: the accuracy that two looks running have to reach.
    """

    def __init__(self, x, labels, batches, level=LEVEL):
        super().__init__()
        self.x, self.labels, self.level = x, labels, level
        self.batches, self.at = batches, [round(batches * look / LOOKS) - 1 for look in range(1, LOOKS + 1)]
        self.seconds, self.steps, self.first, self.checks, self.started = 0.0, 0, 0, [], None

    def on_epoch_begin(self, epoch, logs=None):
        self.last, self.to_come = -1, list(self.at)
        self.started = time.perf_counter() if self.steps else None

    def on_train_batch_end(self, batch, logs=None):
        # Where Keras takes several steps in one call, it tells of the last of them alone, even if data ended before it.
        batch = min(batch, self.batches - 1)
        self.steps += batch - self.last
        self.last = batch
        if self.started is None:
            self.started, self.first = time.perf_counter(), self.steps
        if self.to_come and batch >= self.to_come[0]:
            self.to_come = [step for step in self.to_come if step > batch]
            self._look()

    def _look(self):
        self.seconds += time.perf_counter() - self.started
        with training.averaged(self.model):
            right = [
                self.model.predict_on_batch(self.x[start : start + 500]).argmax(1) == self.labels[start : start + 500]
                for start in range(0, len(self.x), 500)
            ]
        accuracy = float(np.concatenate(right).mean())
        seconds = round(self.seconds * self.steps / max(1, self.steps - self.first), 2)
        self.checks.append({"steps": self.steps, "seconds": seconds, "val_accuracy": accuracy})
        if len(self.checks) > 1 and min(check["val_accuracy"] for check in self.checks[-2:]) >= self.level:
            raise Reached
        self.started = time.perf_counter()


def run(name, data, seed, recipe=None, level=LEVEL, log=print):
    """One run up to the level, or to the last epoch.

    Args:
        name: a key of RUNNERS.
        data: Digits.
        seed: of first weights, order and shifts.
        recipe: a Recipe to run with in place of the runner's own.
        level: validation accuracy to reach at two looks running.
        log: called with a line when the run is over.

    Returns:
        A dict: runner, seed, seconds (None if it did not get there), examples, checks, test_accuracy (None likewise).
    """
    recipe = recipe or training.RECIPES[RUNNERS[name]["recipe"]]
    model = contestants.network(RUNNERS[name]["layer"], seed)
    clock = Clock(data.x_val, data.y_val, -(-len(data.x_train) // recipe.batch_size), level)
    reached = False
    try:
        history = training.train(model, data, recipe, seed, [clock], log=lambda line: None)
    except Reached:
        reached = True
    else:
        if len(history) < recipe.epochs:  # `train` ends quietly at Ctrl-C; a race must not count that as not arriving.
            raise KeyboardInterrupt
    found = {
        "runner": name,
        "seed": seed,
        "seconds": clock.checks[-1]["seconds"] if reached else None,
        "examples": clock.steps * recipe.batch_size,
        "checks": clock.checks,
        "test_accuracy": None,
    }
    if reached:
        with training.averaged(model):
            found["test_accuracy"] = training.evaluate(model, data)["accuracy"]
    last = f"{clock.checks[-1]['val_accuracy']:.4f}"
    end = f"{found['seconds']:.1f} s, test {found['test_accuracy']:.4f}" if reached else f"did not get to {level}"
    log(f"{name}, seed {seed}: {found['examples']:,} examples, validation {last}, {end}")
    return found


def race(data, seeds=(0, 1, 2), log=print):
    """All runners from every seed, in turn, so that a change of the machine meets all.

    Returns:
        What RESULT holds: level, recipes, runs, the median seconds of each runner (None if at least half of its runs
        did not get there), and how many times as long as that of "quick" each of the others' is.
    """
    runs = [run(name, data, seed, log=log) for seed in seeds for name in RUNNERS]
    medians = {name: _median([r["seconds"] for r in runs if r["runner"] == name]) for name in RUNNERS}
    return {
        "command": "python -m benchmarks.race",
        "machine": records.machine(),
        "versions": records.versions(),
        "level": LEVEL,
        "published_test_accuracy": PUBLISHED,
        "recipes": {name: asdict(training.RECIPES[name]) for name in ("quick", "article")},
        "runners": RUNNERS,
        "runs": runs,
        "medians": medians,
        "over_quick": {
            name: round(medians[name] / medians["quick"], 2) if medians[name] and medians["quick"] else None
            for name in RUNNERS
            if name != "quick"
        },
    }


def _median(seconds):
    """The median, where a run that did not get there took longer than any that did; None if it is one of those."""
    middle = statistics.median(float("inf") if s is None else s for s in seconds)
    return None if middle == float("inf") else middle


def main():
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file to write")
    given = parser.parse_args()
    result = race(digits.load("full"), given.seeds)
    records.write_atomically(given.out, lambda file: file.write(json.dumps(result, indent=1).encode() + b"\n"))
    print(f"median seconds {result['medians']}, over quick {result['over_quick']}; kept in {given.out}")


if __name__ == "__main__":
    main()
