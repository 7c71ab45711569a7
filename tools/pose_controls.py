"""What the pose network is compared with: a plain CNN's last hidden layer and an autoencoder's code, 16 numbers each.

`python -m tools.pose_controls --seeds 0 1 2` trains both from every seed and keeps them in runs/pose_controls; what is
there already is not trained again. `tools.measure_pose` reads them.

Both have the pose network's two 9×9 convolutions and decoder, but one code for all classes. The CNN learns to classify,
and only afterwards a decoder learns to draw from its frozen code. The autoencoder never sees a label.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import capslib.quiet  # noqa: F401
from capslib import digits, models, training, weights
from capslib.backend import keras
from capslib.records import machine, versions, write_atomically

KINDS = ("cnn", "autoencoder")
FOLDER = Path("runs") / "pose_controls"
RECIPE = replace(training.RECIPES["pose"], epochs=3, average=0)
"""The pose network's recipe, for fewer epochs and without the running average, which a short decay does not need."""


def encoder() -> keras.Model:
    """Images (B, 28, 28, 1) → a code (B, 16), through the pose network's convolutions; the code is linear."""
    image = keras.Input((28, 28, 1), name="image")
    x = keras.layers.Conv2D(24, 9, activation="relu", name="conv1")(image)
    x = keras.layers.Conv2D(32, 9, strides=2, activation="relu", name="conv2")(x)
    code = keras.layers.Dense(16, name="code")(keras.layers.Flatten()(x))
    return keras.Model(image, code, name="encoder")


def decoder() -> keras.Model:
    """A code (B, 16) → images (B, 28, 28, 1), with the hidden layers of the pose network's decoder."""
    return keras.Sequential([keras.Input((16,)), *models.decoder_layers((64, 96))], name="decoder")


def train(kind: str, seed: int, data: digits.Digits, log) -> tuple[dict[str, np.ndarray], dict]:
    """One control from one seed: the arrays of its encoder and decoder, and what is to be said of it."""
    keras.utils.set_random_seed(seed)
    encode, decode = encoder(), decoder()
    facts = {"model": kind, "seed": seed, "recipe": asdict(RECIPE)}
    if kind == "cnn":
        hidden = keras.layers.ReLU()(encode.output)
        answer = keras.layers.Dense(10, activation="softmax", name="probabilities")(hidden)
        classifier = keras.Model(encode.input, answer)
        training.train(classifier, data, RECIPE, seed, log=log)
        facts["test_accuracy"] = training.evaluate(classifier, data)["accuracy"]
        encode.trainable = False
    training.train(keras.Model(encode.input, decode(encode.output)), data, RECIPE, seed, log=log)
    return {**weights.parameters(encode), **weights.parameters(decode)}, facts


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.pose_controls", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    data = digits.load("full")
    for seed in given.seeds:
        for kind in KINDS:
            path = FOLDER / f"{kind}-{seed}.npz"
            if path.with_suffix(".json").exists():
                continue
            arrays, facts = train(kind, seed, data, lambda line, name=path.stem: print(f"{name}: {line}", flush=True))
            weights.write_arrays(path, arrays)
            card = json.dumps(facts | {"versions": versions(), "machine": machine()}, indent=1).encode()
            write_atomically(path.with_suffix(".json"), lambda file, card=card: file.write(card))


if __name__ == "__main__":
    main()
