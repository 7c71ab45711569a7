"""How often two overlapping digits are read, and what is drawn when one asks for a digit that is not there.

`python -m tools.measure_two_digits` reads the networks that `python -m capslib.training two_digit_capsnet --recipe
pairs --seed SEED` trained, and those of two_digit_cnn, and writes notebooks/results/two_digits.json: every number by
seed, on 10,000 pairs of test digits that are always the same. Then it measures the drawings of the shipped weights in
the same way; with --shipped it does this alone, and keeps the rest of the file. It needs the full MNIST set.
"""

import json

import numpy as np

import capslib.quiet  # noqa: F401
from capslib import digits, models, pairs, runs, training, weights
from capslib.backend import keras
from capslib.equations import length, mask, reconstruction_loss
from capslib.networks import CLASSES
from capslib.records import REPOSITORY, machine, versions, write_atomically
from tools.measure_pose import card, options, rounded

RESULT = REPOSITORY / "notebooks" / "results" / "two_digits.json"
NETWORKS = ("two_digit_capsnet", "two_digit_cnn")


def stretched(v, asked, to):
    """Capsules (N, 10, D), of which the one asked for (N,) has its direction and the length `to`."""
    changed, rows = np.array(v, copy=True), np.arange(len(v))
    own = changed[rows, asked]
    changed[rows, asked] = own / length(own)[:, None] * to
    return changed


def centred(drawn):
    """Drawings (N, 36, 36, 1) as the 28×28 pixels around the middle of their ink, as far as they fit, in full black."""
    grid, ink = np.arange(drawn.shape[1]), drawn.sum((1, 2, 3))
    middle = [drawn.sum((axis, 3)) @ grid / ink for axis in (2, 1)]
    top, left = (np.clip(np.round(m).astype(int) - 14, 0, len(grid) - 28)[:, None] + np.arange(28) for m in middle)
    cut = drawn[np.arange(len(drawn))[:, None, None], top[:, :, None], left[:, None, :]]
    return cut / cut.max((1, 2, 3), keepdims=True)


def of_drawings(drawn, asked, made, shuffled, reader):
    """What drawings (N, 36, 36, 1) of the digits asked for (N,) have to do with the pictures they were asked of.

    ink is the sum of a drawing's pixels; on_the_picture is the share of it that lies on the picture's ink, pixel by
    pixel Σ drawn · picture / Σ drawn, and on_another_picture the same for a picture that has nothing to do with it;
    error_of_the_nearest is the sum of squares to whichever of the two digits is nearer. The reader, a network that
    reads single digits, says whether the drawing looks like the digit asked for, or like one in the picture.
    """
    seen = reader.predict(centred(drawn), batch_size=500, verbose=0).argmax(1)
    ink = drawn.sum((1, 2, 3))
    errors = [reconstruction_loss(made.alone[:, k], drawn) for k in range(2)]
    return {
        "ink": ink.mean(),
        "on_the_picture": np.mean((drawn * made.images).sum((1, 2, 3)) / ink),
        "on_another_picture": np.mean((drawn * made.images[shuffled]).sum((1, 2, 3)) / ink),
        "error_of_the_nearest": np.minimum(*errors).mean(),
        "looks_like_the_digit_asked_for": np.mean(seen == asked),
        "looks_like_one_in_the_picture": np.mean(made.labels[np.arange(len(seen)), seen] > 0),
    }


def of_lengths(lengths, made, absent):
    """How long capsules are whose digit is in the picture, and those whose digit is not."""
    present = np.take_along_axis(lengths, made.digits, 1)
    others = np.where(made.labels > 0, -np.inf, lengths)
    return {
        "present": present.mean(),
        "shorter_present": present.min(1).mean(),
        "longest_absent": others.max(1).mean(),
        "absent": others[np.isfinite(others)].mean(),
        "asked_for": np.take_along_axis(lengths, absent[:, None], 1).mean(),
        "present_above_half": np.mean(present > 0.5),
        "absent_above_half": np.mean(others[np.isfinite(others)] > 0.5),
    }


def of_decoder(model, made):
    """What a network draws of the digits that are in a picture, of one that is not, and of nothing at all.

    A capsule that is stretched to the mean length of a present one keeps its direction, takes the opposite one, or a
    random one: the decoder has rows of its own for each capsule, so they draw something of its digit in any direction.
    """
    v = keras.Model(model.input, model.get_layer("v").output).predict(made.images, batch_size=500, verbose=0)
    decoder, absent = models.decoder_of(model), pairs.absent(made.labels, seed=0)
    shuffled, reader = np.random.default_rng(1).permutation(len(v)), models.matched_cnn("flatten", weights="shipped")

    def draw(v, label):
        return decoder.predict(mask(v, np.eye(CLASSES)[label]), batch_size=500, verbose=0)

    present, lengths, told = [draw(v, made.digits[:, k]) for k in range(2)], length(v), {}
    to, random = lengths[made.labels > 0].mean(), np.random.default_rng(2).normal(size=(len(v), 1, v.shape[-1]))
    for name, asked, drawn in (
        ("present", made.digits[:, 0], present[0]),
        ("absent", absent, draw(v, absent)),
        ("absent_stretched", absent, draw(stretched(v, absent, to), absent)),
        ("opposite_stretched", absent, draw(stretched(-v, absent, to), absent)),
        ("random_stretched", absent, draw(stretched(np.broadcast_to(random, v.shape), absent, to), absent)),
        ("nothing", absent, draw(np.zeros_like(v), absent)),
    ):
        told[name] = of_drawings(drawn, asked, made, shuffled, reader)
    errors = {
        name: np.mean([reconstruction_loss(made.alone[:, k], present[m]).mean() for k, m in which])
        for name, which in (("own", ((0, 0), (1, 1))), ("other", ((0, 1), (1, 0))))
    }
    ink = made.alone[:, 0].sum((1, 2, 3)).mean()
    return {"ink_of_a_digit": ink, "error": errors, "lengths": of_lengths(lengths, made, absent), "drawn": told}


def of_network(name, path, data):
    """Everything that is measured of one network from its weights."""
    model = runs.MODELS[name]()
    weights.load_into(model, path)
    told = training.evaluate_pairs(model, data)
    if models.has_decoder(model):
        told |= of_decoder(model, pairs.make(data.x_test, data.y_test, training.JUDGED))
    return told


def of_shipped(data):
    """What the shipped network draws, which was rounded to half precision, and the seed of its run."""
    model = models.two_digit_capsnet(weights="shipped")
    told = of_decoder(model, pairs.make(data.x_test, data.y_test, training.JUDGED))
    facts = weights.card("two_digit_capsnet")
    return {"seed": facts["seed"], "sha256": facts["sha256"], "drawn": told["drawn"]}


def keep(result, path):
    """Write a result as JSON."""
    text = json.dumps(rounded(result), ensure_ascii=False, indent=1)
    write_atomically(path, lambda file: file.write(text.encode() + b"\n"))


def main() -> None:
    """The command line."""
    shipped = "measure the shipped weights' drawings alone, and keep the rest of the file"
    given, command = options("measure_two_digits", __doc__, RESULT, shipped=shipped)
    data = digits.load("full")
    if given.shipped:
        keep(json.loads(given.out.read_text(encoding="utf-8")) | {"shipped": of_shipped(data)}, given.out)
        print(f"the shipped network's drawings are in {given.out}")
        return
    result = {
        "command": command,
        "data": f"full: {len(data.x_train):,} training, {len(data.x_val):,} validation, {len(data.x_test):,} test",
        "seeds": given.seeds,
        "versions": versions(),
        "machine": machine(),
        "parameters": {name: runs.MODELS[name]().count_params() for name in NETWORKS},
        "parameters_of_the_decoder": models.decoder_of(models.two_digit_capsnet()).count_params(),
        **{name: {} for name in NETWORKS},
    }
    for name in NETWORKS:
        for seed in given.seeds:
            folder = given.runs / f"{name}-pairs-{seed}"
            if not (folder / "result.json").exists():
                print(f"{name}, seed {seed}: not there; python -m capslib.training {name} --recipe pairs trains it")
                continue
            print(f"{name}, seed {seed}", flush=True)
            result[name][str(seed)] = card(folder, name) | of_network(name, folder / f"{name}.npz", data)
            keep(result, given.out)
    keep(result | {"shipped": of_shipped(data)}, given.out)
    print(f"kept in {given.out}, {given.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
