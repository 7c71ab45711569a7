"""How a network learns to route: its weights at ten moments of one training run.

`python -m tools.record_learning --seed 0` trains article_capsnet with the recipe "best" in runs/learning-SEED, going on
where an interrupted run stopped, and writes notebooks/results/learning.npz with its card: each array of the network
with one more axis in front, the moments, in half precision. It needs the full MNIST set.

The moments are those of the weights that are trained. The recipe also keeps a running average over about a thousand
steps, which is what ships; at the first moments it would still show the weights from before the training.
"""

import argparse
import json
from dataclasses import asdict
from functools import partial

import numpy as np

import capslib.quiet  # noqa: F401
from capslib import digits, runs, training, weights
from capslib.backend import keras
from capslib.records import REPOSITORY, machine, sha256, versions, write_atomically

MODEL, RECIPE = "article_capsnet", "best"
RESULT = REPOSITORY / "notebooks" / "results" / "learning.npz"
STEPS = (0, 30, 100, 300, 860, 1720, 3440, 8600, 17200, 34400)
"""Steps after which the weights are kept: the first within the first epoch of 860 steps, the last after epochs 1, 2, 4,
10, 20 and 40."""


class Moments(keras.callbacks.Callback):
    """Keeps the weights after certain steps of a run in a folder, moment-STEP.npz each."""

    def __init__(self, folder, steps):
        super().__init__()
        self.folder, self.steps = folder, set(steps)

    def keep(self, step):
        weights.write_arrays(self.folder / f"moment-{step}.npz", weights.parameters(self.model))

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.optimizer.iterations)
        if step in self.steps:
            self.keep(step)


def together(folder, steps):
    """The kept weights as a dict from a parameter's name to an array (moments, …) in half precision."""
    moments = [weights.read_arrays(folder / f"moment-{step}.npz") for step in steps]
    return {name: np.stack([m[name] for m in moments]).astype(np.float16) for name in moments[0]}


def record(model, data, recipe, seed, folder, out, steps=STEPS, facts=None, log=print):
    """Train a model in a folder, going on where it was left, and write its moments with their card to `out`.

    Nothing is written if the training is interrupted.
    """
    recipe = training.as_recipe(recipe)
    moments = Moments(folder, steps)
    moments.set_model(model)
    if 0 in steps and not (folder / runs.STATE).exists():
        moments.keep(0)
    history = runs.train_in(folder, model, data, recipe, seed, resume=True, log=log, callbacks=[moments])
    if len(history) < recipe.epochs:
        log("stopped; the same command goes on from there")
        return
    weights.write_arrays(out, together(folder, steps))
    card = {"model": model.name, **(facts or {}), "steps": list(steps), "history": history, "sha256": sha256(out)}
    text = json.dumps(card, indent=1, ensure_ascii=False)
    write_atomically(out.with_suffix(".json"), lambda file: file.write(text.encode() + b"\n"))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.record_learning", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    data = digits.load("full")
    keras.utils.set_random_seed(seed)
    facts = {
        "command": f"python -m tools.record_learning --seed {seed}",
        "data": f"full: {len(data.x_train):,} training, {len(data.x_val):,} validation",
        "recipe": {"name": RECIPE, **asdict(training.RECIPES[RECIPE])},
        "seed": seed,
        "versions": versions(),
        "machine": machine(),
    }
    folder, log = REPOSITORY / "runs" / f"learning-{seed}", partial(print, flush=True)
    record(runs.MODELS[MODEL](), data, RECIPE, seed, folder, RESULT, facts=facts, log=log)


if __name__ == "__main__":
    main()
