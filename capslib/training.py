"""The one training loop, which follows the recipes of `capslib.recipes`.

This module writes no file. `capslib.runs` keeps what a run produces, as a callback of `train`; its command line is
`python -m capslib.training MODEL --recipe best --seed 0`.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Imported before Keras, because TensorFlow's start-up notices would drown the progress lines.
# isort: off
try:
    import capslib.quiet  # noqa: F401
except ImportError as error:  # A backend of Keras that is not installed.
    if __name__ != "__main__":
        raise
    sys.exit(f"python -m capslib.training: {error}")

# isort: on

from capslib import digits, pairs
from capslib.backend import keras, ops
from capslib.checks import check_seed, check_whole
from capslib.intervals import wilson
from capslib.layers import Tensor
from capslib.losses import margin_loss, reconstruction_loss
from capslib.models import has_decoder, has_scores, masked_by_label, reads_pairs
from capslib.recipes import RECIPES as RECIPES  # So that whoever trains finds them here.
from capslib.recipes import Recipe, as_recipe
from capslib.teaching import Teacher

JUDGED = 0
"""Seed of the validation and test pairs, which are always the same."""


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        history: a dict for each epoch done, as `train` returns it.
        best: the model's weights in the epoch of the highest validation accuracy, the first one if several have
                it; None before the first epoch. A model that only draws has no accuracy; the lowest validation loss
                counts.
    """

    history: list[dict] = field(default_factory=list)
    best: list[np.ndarray] | None = None

    @property
    def best_row(self) -> dict:
        """The row of the history that belongs to `best`."""
        return max(self.history, key=lambda row: row.get("val_accuracy", -row["val_loss"]))


def learning_rate(recipe: Recipe, examples: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
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


def compile_model(model: keras.Model, recipe: Recipe, examples: int, teacher: Teacher | None = None) -> None:
    """Give a model the recipe's optimizer and its loss: margin loss where `models.has_scores`, else cross-entropy.

    With a decoder, the loss is margin loss + `recipe.reconstruction` · reconstruction loss.    (Section 4.1)
    A model that only draws has the reconstruction loss alone. A CNN that reads pairs answers ten questions with yes or
    no, so its cross-entropy is the binary one. With a teacher, the loss is `Teacher.loss`.

    Args:
        model: a Keras model with 10 outputs, or one that draws images (B, 28, 28, 1), or one with a decoder; then as
            `models.masked_by_label` returns it.
        recipe: a Recipe.
        examples: how many training examples an epoch has; the decay is spread over the whole run.
        teacher: a Teacher, for a model whose only outputs are 10 lengths or scores; for another, a ValueError.
    """
    two = reads_pairs(model)
    if teacher and (two or has_decoder(model) or not has_scores(model)):
        raise ValueError(f"teacher: got one for {model.name!r}, expected None unless 10 lengths or scores come out")
    loss: Any = margin_loss if has_scores(model) else "binary_crossentropy" if two else "categorical_crossentropy"
    weights: Any = None
    metrics: Any = [keras.metrics.MeanMetricWrapper(_both_longest, name="accuracy")] if two else ["accuracy"]
    if has_decoder(model):
        loss = {"lengths": margin_loss, "reconstruction": reconstruction_loss}
        weights = {"lengths": 1.0, "reconstruction": recipe.reconstruction}
        metrics = {"lengths": metrics}
    elif _only_draws(model):
        loss, metrics = reconstruction_loss, None
    elif teacher:
        loss, metrics = teacher.loss, [keras.metrics.MeanMetricWrapper(teacher.accuracy, name="accuracy")]
    optimizer = keras.optimizers.Adam(
        learning_rate(recipe, examples),
        beta_2=recipe.beta_2,
        use_ema=recipe.average > 0,
        ema_momentum=recipe.average,
    )
    # Keras on PyTorch can take only one step at a time.
    steps = 1 if keras.backend.backend() == "torch" else recipe.steps_per_execution
    model.compile(optimizer, loss=loss, loss_weights=weights, metrics=metrics, steps_per_execution=steps)


def _only_draws(model: keras.Model) -> bool:
    """Whether a model answers with images and nothing else, as an autoencoder does."""
    return not isinstance(model.output, dict) and len(model.output.shape) == 4


def _both_longest(labels: Tensor, scores: Tensor) -> Tensor:
    """`pairs.both_longest` as a metric of Keras: two-hot (B, 10) and scores (B, 10) → 0 or 1, (B,)."""
    present = ops.cast(labels, "bool")
    shortest = ops.min(ops.where(present, scores, np.inf), axis=-1)
    return ops.cast(shortest > ops.max(ops.where(present, -np.inf, scores), axis=-1), "float32")


def _to_fit(
    model: keras.Model, x: np.ndarray, y: np.ndarray, rng: np.random.Generator, teacher: Teacher | None = None
) -> tuple:
    """The inputs and targets that a model is trained or judged with, made of images x (N, 28, 28, 1) and labels y (N,).

    A model that reads pairs gets each digit with another one laid over it, drawn from rng.
    """
    if reads_pairs(model):
        image, labels, alone, both = pairs.make(x, y, rng)
        drawn, label = np.moveaxis(alone[..., 0], 1, -1), np.stack([digits.one_hot(one) for one in both.T], 1)
    else:
        image = drawn = x
        labels = label = digits.one_hot(y)
    if has_decoder(model):
        return {"image": image, "label": label}, {"lengths": labels, "reconstruction": drawn}
    if teacher:
        return image, teacher.targets(image, labels)
    return image, drawn if _only_draws(model) else labels


def _scores(logs: dict, prefix: str = "") -> dict:
    """Loss and, unless a model only draws, accuracy, from what Keras reports."""
    accuracy = logs.get("lengths_accuracy", logs.get("accuracy"))
    return {f"{prefix}loss": logs["loss"]} | ({} if accuracy is None else {f"{prefix}accuracy": accuracy})


def epoch_order(examples: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which one epoch goes through its examples: the same for the same seed and epoch."""
    return np.random.default_rng([seed, epoch]).permutation(examples)


def shift_at_random(x: np.ndarray, pixels: int, rng: np.random.Generator) -> np.ndarray:
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


def augment(x: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Shift, turn and scale every image by its own random amounts, as a recipe says.

    Args:
        x: images (N, H, W, 1).
        recipe: a Recipe.
        rng: a NumPy Generator.

    Returns:
        Images of the shape of `x`; between pixels they are resampled linearly.
    """
    if recipe.turn == recipe.scale == 0:
        return shift_at_random(x, int(recipe.shift), rng)
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


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[list[np.ndarray]]:
    """For a while, the model holds the running average of its weights if its recipe keeps one.

    Yields the weights to go on training from, which the model holds again afterwards. Not Keras' SwapEMAWeights: on
    TensorFlow that swaps by adding and subtracting, and what comes back is rounded.
    """
    weights = model.get_weights()
    if model.optimizer.use_ema:
        model.optimizer.finalize_variable_values(model.trainable_variables)
        # On JAX, model and average share their arrays now, and `evaluate` gives up the model's: it gets copies.
        model.set_weights(model.get_weights())
    try:
        yield weights
    finally:
        model.set_weights(weights)


class _Validation(keras.callbacks.Callback):
    """Ends every epoch with a look at the validation digits, and brings the progress up to date.

    Callbacks after this one find `val_loss` and `val_accuracy` in their logs.
    """

    def __init__(self, validation: tuple, progress: Progress):
        super().__init__()
        self.validation, self.progress = validation, progress

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, "seconds": round(time.perf_counter() - self.started, 1)}
        row |= _scores(logs)
        with averaged(self.model) as self.weights:
            found = self.model.evaluate(*self.validation, batch_size=500, verbose=0, return_dict=True)
            validation = _scores(found, "val_")
            logs |= validation
            self.progress.history.append(row | validation)
            if self.progress.best_row is self.progress.history[-1]:
                self.progress.best = self.model.get_weights()


def train(
    model: keras.Model,
    data: digits.Digits,
    recipe: Recipe | str,
    seed: int = 0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    log: Callable[[str], object] = print,
    progress: Progress | None = None,
    teacher: Teacher | None = None,
) -> list[dict]:
    """Train a model with a recipe; it ends with the weights of its best epoch on the validation digits.

    Args:
        model: a fresh Keras model. What it learns follows from its outputs: 10 scores or lengths, to read digits; an
            image (B, 28, 28, 1), to draw the digit that it is shown; or both. If its images have 36×36 pixels, it
            learns pairs that are made anew in every epoch. One with a decoder is trained as `models.masked_by_label`
            has it, and shares the weights.
        data: Digits; only training and validation are read.
        recipe: a Recipe, or the name of one.
        seed: of the order, the shifts and the pairs. The model's own first weights are drawn before: set Keras' seed
            for them.
        callbacks: Keras callbacks. Each epoch is a `fit` of its own, so `on_train_begin` and `on_train_end` come once
            an epoch; at the end of an epoch the logs hold `val_loss` and `val_accuracy`, and the model the weights to
            go on from (see `averaged`). One that sets `model.stop_training` ends the run.
        log: called with a line of progress after every epoch; also when Ctrl-C ends the run early.
        progress: of an interrupted run to go on with, whose weights and optimizer the model already holds; kept up to
            date at the end of every epoch, before `callbacks` hear of it.
        teacher: trained networks that the model learns from beside the labels; they see each image as the model does,
            shifted, turned and scaled. `loss` and `val_loss` are then those of `Teacher.loss`.

    Returns:
        The history, a list with one dict per epoch: epoch, seconds, loss, accuracy, val_loss, val_accuracy; no
        accuracy if the model only draws. Under a recipe that averages, loss and accuracy are those of the weights that
        are trained, the other two of the average.

    Raises:
        ValueError: if the recipe is unknown, the seed is no whole number ≥ 0, the images or labels are not digits, one
            label for each image, or the teacher is for another kind of model.
    """
    model = masked_by_label(model)
    recipe, seed = as_recipe(recipe), check_seed("seed", seed)
    (x, y), (x_val, y_val) = (digits.checked(data, part) for part in ("train", "val"))
    callbacks = tuple(callbacks)  # Every epoch needs them.
    progress = progress or Progress()
    history = progress.history
    if not history:
        compile_model(model, recipe, len(x), teacher)
    validation = _Validation(_to_fit(model, x_val, y_val, np.random.default_rng(JUDGED), teacher), progress)
    try:
        for epoch in range(len(history), recipe.epochs):
            order, rng = epoch_order(len(x), seed, epoch), np.random.default_rng([seed, epoch, 1])
            model.fit(
                *_to_fit(model, augment(x[order], recipe, rng), y[order], rng, teacher),
                recipe.batch_size,
                epochs=epoch + 1,
                initial_epoch=epoch,
                shuffle=False,
                verbose=0,
                callbacks=[validation, *callbacks],
            )
            model.set_weights(validation.weights)  # `fit` ends by putting the average, if there is one, in their place.
            log(_line(history[-1], recipe.epochs))
            if model.stop_training:
                break
    except KeyboardInterrupt:
        log(f"stopped after epoch {len(history)} of {recipe.epochs}; keeping the best weights so far")
    if progress.best is not None:
        model.set_weights(progress.best)
    return history


def _line(row: dict, epochs: int) -> str:
    """One epoch's row of the history in words."""
    told = ("loss", "accuracy", "val_accuracy") if "accuracy" in row else ("loss", "val_loss")
    numbers = "  ".join(f"{name} {row[name]:.4f}" for name in told)
    return f"epoch {row['epoch']:2d}/{epochs}  {numbers}  {row['seconds']:.0f} s"


def evaluate(model: keras.Model, data: digits.Digits, mistakes: int = 12) -> dict:
    """Read the test set once.

    Args:
        model: a trained model.
        data: Digits; only the test digits are read.
        mistakes: how many of the worst mistakes to list.

    Returns:
        A dict: accuracy; for a model with a decoder, reconstruction_error, the mean over the digits of the
        reconstruction loss with the longest capsule decoded; confusion, 10 rows of true by 10 columns of predicted
        digits; mistakes, those whose predicted score exceeds the true digit's most, each with index, label, predicted
        and all ten scores.

    Raises:
        ValueError: if the images or labels are not digits, one label for each image, or `mistakes` is below 0.
    """
    (x, label), mistakes = digits.checked(data, "test"), check_whole("mistakes", mistakes, 0)
    scores = model.predict(x, batch_size=500, verbose=0)
    decoded = {}
    if isinstance(scores, dict):
        error = np.square(x - scores["reconstruction"]).sum((1, 2, 3)).mean()
        scores, decoded = scores["lengths"], {"reconstruction_error": float(error)}
    predicted, confusion = scores.argmax(1), np.zeros((10, 10), int)
    np.add.at(confusion, (label, predicted), 1)
    gap = scores.max(1) - scores[np.arange(len(label)), label]
    worst = np.argsort(-gap, kind="stable")[: min(mistakes, int((gap > 0).sum()))]
    return {
        "accuracy": float((predicted == label).mean()),
        **decoded,
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


def evaluate_pairs(model: keras.Model, data: digits.Digits) -> dict:
    """Read pairs of test digits once: each test digit with another one laid over it.

    Args:
        model: a trained model that reads pairs.
        data: Digits; only the test digits are read.

    Returns:
        A dict: pairs, how many; accuracy, the share in which both labels have the two highest scores; interval, its
        Wilson interval; labels_found, the share of all labels that are among the two highest scores.
    """
    image, labels, _, _ = pairs.make(data.x_test, data.y_test, JUDGED)
    scores = model.predict(image, batch_size=500, verbose=0)
    scores = scores["lengths"] if isinstance(scores, dict) else scores
    right = pairs.both_longest(scores, labels)
    found = np.take_along_axis(labels, np.argsort(-scores, axis=1)[:, :2], 1)
    return {
        "pairs": len(right),
        "accuracy": float(right.mean()),
        "interval": wilson(int(right.sum()), len(right)),
        "labels_found": float(found.mean(dtype=np.float64)),
    }


if __name__ == "__main__":
    from capslib.runs import main

    main()
