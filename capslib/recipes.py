"""Training recipes by name. `capslib.training` follows them, and hands on their names."""

from dataclasses import dataclass

import numpy as np

from capslib.checks import check_choice, check_count, check_number, check_positive, check_whole, is_real
from capslib.losses import RECONSTRUCTION_WEIGHT


@dataclass(frozen=True)
class Recipe:
    """How a network is trained with Adam.

    Attributes:
        epochs, batch_size: whole numbers.
        learning_rate: constant, or the peak between a linear warm-up and a cosine decay to 0.
        decay: whether the rate warms up and decays.
        shift: training digits are moved by up to this many pixels each way, anew in every epoch; by whole ones unless
            they are turned or scaled too.
        turn: they are also turned by up to this many degrees each way.
        scale: they are also made larger or smaller by up to this fraction, independently in width and height.
        average: what is kept is a running average of the weights, of which each step keeps this share, below 1; 0 keeps
            the weights themselves.
        beta_2: of Adam, what each step keeps of the running mean of squared gradients, below 1.
        warm_up: share of all steps that the warm-up takes.
        steps_per_execution: steps in one call that Keras' `fit` makes; the training is the same, with less time
            between steps.
        reconstruction: what the reconstruction loss is multiplied by beside the margin loss, where there is a decoder.

    Raises:
        ValueError: naming the setting that is out of range.
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
    steps_per_execution: int = 1
    reconstruction: float = RECONSTRUCTION_WEIGHT

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "steps_per_execution"):
            check_count(name, getattr(self, name))
        check_positive("learning_rate", self.learning_rate)
        check_choice("decay", self.decay, (True, False))
        for name, most in (("shift", 28), ("turn", 180), ("scale", 1), ("warm_up", 1)):
            check_number(name, getattr(self, name), 0, most)
        below_1 = " and below 1"
        for name, limit, upper in (("average", 1, below_1), ("beta_2", 1, below_1), ("reconstruction", np.inf, "")):
            value = getattr(self, name)
            if not is_real(value) or not 0 <= value < limit:
                raise ValueError(f"{name}: got {value!r}, expected a number of at least 0{upper}")
        if self.turn == self.scale == 0:
            check_whole("shift", self.shift, 0)


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
        steps_per_execution=27,
    ),
    "best": Recipe(
        epochs=40, batch_size=64, learning_rate=5e-3, decay=True, shift=2, turn=8, scale=0.06, average=0.999
    ),
    "pose": Recipe(
        epochs=20, batch_size=64, learning_rate=2e-3, decay=True, shift=2, turn=8, scale=0.06, average=0.999
    ),
    # Without a shift of its own, since every digit of a pair is moved anyway.
    "pairs": Recipe(
        epochs=9,
        batch_size=64,
        learning_rate=4e-3,
        decay=True,
        shift=0,
        average=0.999,
        beta_2=0.98,
        warm_up=0.05,
    ),
    # A step costs ten times one of the others, so there are fewer; batch normalisation lets the rate be high.
    "efficient": Recipe(
        epochs=12, batch_size=64, learning_rate=3e-3, decay=True, shift=2, turn=8, scale=0.06, average=0.999
    ),
}


def as_recipe(recipe: Recipe | str) -> Recipe:
    """A recipe itself, or the one of that name; ValueError if there is none."""
    return recipe if isinstance(recipe, Recipe) else RECIPES[check_choice("recipe", recipe, RECIPES)]
