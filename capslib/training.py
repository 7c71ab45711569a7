"""Training recipes, and the one way to run them: `python -m capslib.training MODEL --recipe best --seed 0`.

A run writes into one folder: `<model>.npz` and its card (the best epoch so far by validation accuracy), `history.json`
and `last.keras` (from which `--resume` goes on). Ctrl-C keeps all of them.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

# Before Keras: TensorFlow's start-up notices would drown the lines of progress.
# isort: off
import capslib.quiet  # noqa: F401
import keras

# isort: on

from capslib import digits, models, weights
from capslib.checks import check_count
from capslib.layers import Length
from capslib.losses import margin_loss
from capslib.records import machine, versions, write_atomically


@dataclass(frozen=True)
class Recipe:
    """How a network is trained with Adam.

    Attributes:
        epochs, batch_size: whole numbers.
        learning_rate: constant, or the peak between a linear warm-up and a cosine decay to 0.
        decay: whether the rate warms up and decays.
        shift: training digits are moved by up to so many pixels each way, anew in every epoch; by whole ones unless
            they are turned or scaled too.
        turn: and turned by up to so many degrees each way.
        scale: and made larger or smaller by up to this share, in width and in height on their own.
        average: what is kept is a running average of the weights, of which each step keeps this share; 0 keeps the
            weights themselves.
        beta_2: of Adam, what each step keeps of the running mean of squared gradients.
        warm_up: share of all steps that the warm-up takes.
        at_once: steps in one call that Keras' `fit` makes; the training is the same, with less time between steps.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    decay: bool
    shift: float
    turn: float = 0
    scale: float = 0
    average: float = 0
    beta_2: float = 0.999
    warm_up: float = 0.1
    at_once: int = 1


RECIPES = {
    "article": Recipe(epochs=20, batch_size=500, learning_rate=1e-3, decay=False, shift=0),
    "quick": Recipe(
        epochs=2,
        batch_size=64,
        learning_rate=6e-3,
        decay=True,
        shift=0,
        average=0.99,
        beta_2=0.98,
        warm_up=0.05,
        at_once=27,
    ),
    "best": Recipe(
        epochs=40, batch_size=64, learning_rate=5e-3, decay=True, shift=2, turn=8, scale=0.06, average=0.999
    ),
}

MODELS = {
    "article_capsnet": models.article_capsnet,
    "matched_cnn_flatten": lambda: models.matched_cnn("flatten"),
    "matched_cnn_global": lambda: models.matched_cnn("global"),
}


def learning_rate(recipe, examples):
    """The learning rate of a recipe: a number, or a Keras schedule over all steps of the run.

    Args:
        recipe: a Recipe.
        examples: how many training examples an epoch has.
    """
    if not recipe.decay:
        return recipe.learning_rate
    steps = recipe.epochs * -(-examples // recipe.batch_size)
    warmup = max(1, int(steps * recipe.warm_up))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=recipe.learning_rate, warmup_steps=warmup
    )


def compile_model(model, recipe, examples):
    """Give a model the recipe's optimizer and its loss: margin loss for lengths of capsules, cross-entropy for CNNs.

    Args:
        model: a Keras model with 10 outputs.
        recipe: a Recipe.
        examples: how many training examples an epoch has; the decay is spread over the whole run.
    """
    has_lengths = any(isinstance(layer, Length) for layer in model.layers)
    loss = margin_loss if has_lengths else "categorical_crossentropy"
    optimizer = keras.optimizers.Adam(
        learning_rate(recipe, examples),
        beta_2=recipe.beta_2,
        use_ema=recipe.average > 0,
        ema_momentum=recipe.average,
    )
    # Keras on PyTorch takes one step at a time only.
    at_once = 1 if keras.backend.backend() == "torch" else recipe.at_once
    model.compile(optimizer, loss=loss, metrics=["accuracy"], steps_per_execution=at_once)


def epoch_order(examples, seed, epoch):
    """The order in which one epoch goes through its examples: the same for the same seed and epoch."""
    return np.random.default_rng([seed, epoch]).permutation(examples)


def shift_at_random(x, pixels, rng):
    """Move every image by its own whole number of pixels, up to `pixels` each way, filling with 0.

    Args:
        x: images (N, H, W, 1).
        pixels: the largest move; 0 returns `x`.
        rng: a NumPy Generator.

    Returns:
        Images of the shape of `x`.
    """
    if pixels == 0:
        return x
    n, height, width = x.shape[:3]
    padded = np.pad(x, ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0)))
    down, right = rng.integers(0, 2 * pixels + 1, (2, n))
    rows = down[:, None] + np.arange(height)
    columns = right[:, None] + np.arange(width)
    return padded[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def augment(x, recipe, rng):
    """Shift, turn and scale every image by amounts of its own, as a recipe says.

    Args:
        x: images (N, H, W, 1).
        recipe: a Recipe.
        rng: a NumPy Generator.

    Returns:
        Images of the shape of `x`; between pixels they are resampled linearly.
    """
    if recipe.turn == recipe.scale == 0:
        return shift_at_random(x, recipe.shift, rng)
    n, height, width = x.shape[:3]
    angle = np.deg2rad(rng.uniform(-recipe.turn, recipe.turn, n))
    right, down = rng.uniform(-recipe.shift, recipe.shift, (2, n))
    wide, high = rng.uniform(1 - recipe.scale, 1 + recipe.scale, (2, n))
    # Each pixel of the result (x, y) is read from A·(x − middle) + middle + move; flat rows of a 3×3 matrix less its 1.
    cos, sin = np.cos(angle), np.sin(angle)
    A = np.stack([wide * cos, -wide * sin, high * sin, high * cos], -1).reshape(n, 2, 2)
    middle = np.array([width - 1, height - 1]) / 2
    move = middle - A @ middle + np.stack([right, down], -1)
    flat = np.concatenate([A, move[:, :, None]], -1).reshape(n, 6)
    flat = np.concatenate([flat, np.zeros((n, 2))], -1).astype(np.float32)
    moved = keras.ops.image.affine_transform(x, flat, interpolation="bilinear", data_format="channels_last")
    return keras.ops.convert_to_numpy(moved)


def train(model, data, recipe, seed=0, folder=None, resume=False, facts=None, say=print):
    """Train a model by a recipe; the model ends with the weights of its best epoch by validation accuracy.

    Args:
        model: a fresh Keras model from `capslib.models`.
        data: Digits; only training and validation are read.
        recipe: a Recipe, or the name of one.
        seed: of the order and the shifts. The model's own first weights are drawn before: set Keras' seed for them.
        folder: where to keep best weights, history and state after every epoch; None keeps nothing.
        resume: go on from the state in `folder`, if there is one.
        facts: what the card of the kept weights says besides.
        say: called with a line of progress after every epoch; also when Ctrl-C ends the run early.

    Returns:
        The history, a list with one dict an epoch: epoch, seconds, loss, accuracy, val_loss, val_accuracy. Under a
        recipe that averages, loss and accuracy are those of the weights on their way, the other two of the average.

    Raises:
        ValueError: if the recipe is unknown, or the images or labels are not digits.
    """
    recipe = _recipe(recipe)
    x, y = digits.as_images(data.x_train, "x_train"), digits.one_hot(data.y_train, "y_train")
    x_val, y_val = digits.as_images(data.x_val, "x_val"), digits.one_hot(data.y_val, "y_val")
    history, best = [], None
    compile_model(model, recipe, len(x))
    folder = Path(folder) if folder is not None else None
    if resume and folder is not None and (folder / "last.keras").is_file():
        history, best = _restore(model, folder, len(x), recipe)
        say(f"going on after epoch {len(history)}")
    try:
        for epoch in range(len(history), recipe.epochs):
            order = epoch_order(len(x), seed, epoch)
            moved = augment(x[order], recipe, np.random.default_rng([seed, epoch, 1]))
            on_their_way = _OnTheirWay()
            started = time.perf_counter()
            fitted = model.fit(
                moved, y[order], recipe.batch_size, epochs=1, shuffle=False, verbose=0, callbacks=[on_their_way]
            )
            seconds = time.perf_counter() - started
            val_loss, val_accuracy = model.evaluate(x_val, y_val, batch_size=500, verbose=0)
            row = {"epoch": epoch + 1, "seconds": round(seconds, 1)}
            row |= {"loss": fitted.history["loss"][0], "accuracy": fitted.history["accuracy"][0]}
            row |= {"val_loss": val_loss, "val_accuracy": val_accuracy}
            history.append(row)
            if best is None or val_accuracy > best[0]:
                best = (val_accuracy, model.get_weights())
                if folder is not None:
                    chosen = {"epoch": epoch + 1, "validation_accuracy": val_accuracy}
                    weights.save(model, folder / f"{model.name}.npz", {**(facts or {}), **chosen})
            model.set_weights(on_their_way.weights)
            if folder is not None:
                _keep(model, folder, history)
            say(
                f"epoch {row['epoch']:2d}/{recipe.epochs}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}"
                f"  val_accuracy {val_accuracy:.4f}  {seconds:.0f} s"
            )
    except KeyboardInterrupt:
        say(f"stopped after epoch {len(history)} of {recipe.epochs}; keeping the best weights so far")
    if best is not None:
        model.set_weights(best[1])
    return history


class _OnTheirWay(keras.callbacks.Callback):
    """Holds the weights to go on from, since `fit` ends by putting the average, if there is one, in their place."""

    def on_epoch_end(self, epoch, logs=None):
        self.weights = self.model.get_weights()


def test(model, data, mistakes=12):
    """Read the test set once.

    Args:
        model: a trained model.
        data: Digits; only the test digits are read.
        mistakes: how many of the worst mistakes to list.

    Returns:
        A dict: accuracy; confusion, 10 rows of true by 10 columns of predicted digits; mistakes, those whose
        predicted score exceeds the true digit's most, each with index, label, predicted and all ten scores.
    """
    scores = model.predict(digits.as_images(data.x_test, "x_test"), batch_size=500, verbose=0)
    label = digits.as_labels(data.y_test, "y_test")
    predicted = scores.argmax(1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (label, predicted), 1)
    gap = scores.max(1) - scores[np.arange(len(label)), label]
    worst = np.argsort(-gap, kind="stable")[: min(mistakes, int((gap > 0).sum()))]
    return {
        "accuracy": float((predicted == label).mean()),
        "confusion": confusion.tolist(),
        "mistakes": [
            {
                "index": int(i),
                "label": int(label[i]),
                "predicted": int(predicted[i]),
                "scores": [round(float(p), 4) for p in scores[i]],
            }
            for i in worst
        ],
    }


def run(model_name, recipe_name, seed=0, source="full", folder=None, resume=False, say=print):
    """One whole run: build, train, keep, and read the test set once at the end.

    Args:
        model_name: a key of MODELS.
        recipe_name: a key of RECIPES.
        seed: of first weights, order and shifts.
        source: of the digits, "full" or "bundled".
        folder: where to write; runs/<model>-<recipe>-<seed> unless told.
        resume: go on from an interrupted run in that folder: the result is that of a run without interruption.
        say: called with each line of progress.

    Returns:
        The result that was also written to `result.json`: recipe, seed, versions, machine, history and test; None
        if the run was interrupted before its last epoch.
    """
    if model_name not in MODELS:
        raise ValueError(f"model: got {model_name!r}, expected one of {', '.join(MODELS)}")
    recipe = _recipe(recipe_name)
    folder = Path(folder) if folder is not None else Path("runs") / f"{model_name}-{recipe_name}-{seed}"
    data = digits.load(source)
    keras.utils.set_random_seed(seed)
    model = MODELS[model_name]()
    facts = {
        "command": f"python -m capslib.training {model_name} --recipe {recipe_name} --seed {seed} --data {source}",
        "data": f"{source}: {len(data.x_train):,} training, {len(data.x_val):,} validation, {len(data.x_test):,} test",
        "recipe": {"name": recipe_name, **asdict(recipe)},
        "seed": seed,
        "parameters": model.count_params(),
        "versions": versions(),
    }
    say(f"{model_name}: {model.count_params():,} parameters, recipe {recipe_name}, seed {seed}, {facts['data']}")
    history = train(model, data, recipe, seed, folder, resume, facts, say)
    if len(history) < recipe.epochs:
        return None
    tested = test(model, data)
    card = weights.card(model_name, folder)
    weights.save(model, folder / f"{model_name}.npz", {**card, "test_accuracy": tested["accuracy"]})
    result = {"model": model_name, **facts, "machine": machine(), "history": history, "test": tested}
    write_atomically(folder / "result.json", lambda f: f.write(json.dumps(result, indent=1).encode()))
    say(f"test accuracy {tested['accuracy']:.4f}, of the epoch best on validation; kept in {folder}")
    return result


def _recipe(recipe):
    if isinstance(recipe, Recipe):
        for name in ("epochs", "batch_size", "at_once"):
            check_count(name, getattr(recipe, name))
        return recipe
    if recipe not in RECIPES:
        raise ValueError(f"recipe: got {recipe!r}, expected one of {', '.join(RECIPES)}")
    return RECIPES[recipe]


def _keep(model, folder, history):
    """Write history and state; the state last, since it alone says how far the run has come."""
    write_atomically(folder / "history.json", lambda f: f.write(json.dumps(history, indent=1).encode()))
    part = folder / "part.keras"
    model.save(part)
    part.replace(folder / "last.keras")


def _restore(model, folder, examples, recipe):
    """Put the state in `folder` into the model; return the history up to it and the best epoch so far."""
    last = keras.saving.load_model(folder / "last.keras")
    model.set_weights(last.get_weights())
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, last.optimizer.variables, strict=True):
        variable.assign(value)
    done = int(model.optimizer.iterations) // -(-examples // recipe.batch_size)
    history = json.loads((folder / "history.json").read_text())[:done]
    state = model.get_weights()
    weights.load_into(model, folder / f"{model.name}.npz")
    best = (max(row["val_accuracy"] for row in history), model.get_weights())
    model.set_weights(state)
    return history, best


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m capslib.training", description="Train a network of the course.")
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--recipe", choices=RECIPES, default="quick")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", choices=["bundled", "full"], default="full")
    parser.add_argument("--out", help="folder to write into (default: runs/MODEL-RECIPE-SEED)")
    parser.add_argument("--resume", action="store_true", help="go on from an interrupted run in that folder")
    given = parser.parse_args(arguments)
    try:
        run(
            given.model,
            given.recipe,
            given.seed,
            given.data,
            given.out,
            given.resume,
            partial(print, flush=True),
        )
    except (ValueError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
