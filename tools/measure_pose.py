"""What the dimensions of the pose network's capsules do: `python -m tools.measure_pose` measures it and keeps it.

It reads the networks of some seeds in runs/pose_capsnet-pose-SEED, those that were trained without a decoder in
runs/pose_capsnet_without_decoder-pose-SEED, and the controls that `python -m tools.pose_controls` trained, and writes
notebooks/results/pose.json: every number of every class, dimension and seed, so that whoever reads it can count for
themselves. Nothing is fitted on test digits. It needs the full MNIST set, and no Keras.

Digits are changed (a "sweep") on the first 100 validation digits of each class; what real digits show is fitted on the
5,000 validation digits and judged on the 10,000 test digits.
"""

import argparse
import json
import platform
from pathlib import Path

import numpy as np
import scipy

from capslib import digits, effects, networks, weights
from capslib.equations import length, mask, reconstruction_loss
from capslib.moments import PROPERTIES, properties
from capslib.records import REPOSITORY, machine, sha256, write_atomically
from capslib.transforms import shift

RESULT = REPOSITORY / "notebooks" / "results" / "pose.json"
SWEPT = 100
"""Digits a class whose capsule is changed."""
DEVIATIONS = np.linspace(-2, 2, 11)
"""Steps of the second sweep, in standard deviations of the dimension within the class."""
BASES, SWEPT_IN_BASES, STEPS_IN_BASES = 50, 10, np.linspace(-0.25, 0.25, 5)
SHUFFLES, COMPONENTS, MOVED = 200, 16, 2
CONTROLS = ("autoencoder", "cnn")
WITHOUT = "pose_capsnet_without_decoder"


# Networks ---------------------------------------------------------------------------------------------------------


def in_batches(f, x, size=500):
    """f(x) a batch at a time, so that no array grows beyond some hundred MB."""
    return np.concatenate([f(x[i : i + size]) for i in range(0, len(x), size)])


def capsules(arrays):
    """Images → capsules (N, 10, 16) of the pose network."""
    return lambda x: in_batches(lambda part: networks.pose_capsnet(part, arrays).v[-1], x)


def code(arrays):
    """Images → capsules (N, 10, 16) of a control, which has one code for all classes: the same in each of ten rows."""

    def encode(x):
        for name, stride in (("conv1", 1), ("conv2", 2)):
            kernel, bias = arrays[f"{name}.kernel"], arrays[f"{name}.bias"]
            x = np.maximum(networks.valid_convolution(x, kernel, bias, stride), 0)
        c = x.reshape(len(x), -1) @ arrays["code.kernel"] + arrays["code.bias"]
        return np.repeat(c[:, None], 10, axis=1)

    return lambda x: in_batches(encode, x)


def decoder_of_code(arrays):
    """A control's decoder as one that decodes capsules: whichever row is not masked, it draws the same."""
    layers = {key: array for key, array in arrays.items() if key.startswith("decode")}
    return layers | {"decode1.kernel": np.tile(layers["decode1.kernel"], (10, 1))}


def untrained_decoder(arrays, seed):
    """A decoder of the same shape that has learned nothing: Glorot-uniform kernels and no biases, as Keras begins."""
    rng, layers = np.random.default_rng(seed), {}
    for key, array in arrays.items():
        if key.startswith("decode"):
            limit = np.sqrt(6 / sum(array.shape)) if array.ndim == 2 else 0
            layers[key] = rng.uniform(-limit, limit, array.shape).astype(np.float32)
    return layers


def moved(x, seed):
    """Digits at random places, by whole pixels as far as they were moved in training; what leaves the canvas is cut."""
    right, down = np.random.default_rng(seed).integers(-MOVED, MOVED + 1, (2, len(x)))
    return shift(x, right, down, cut=True)


# Parts of the measurement -----------------------------------------------------------------------------------------


def first_of_each(y, count):
    """Indices of the first `count` digits of each class, class by class."""
    return np.concatenate([np.flatnonzero(y == digit)[:count] for digit in range(10)])


def swept(v, y, decoder, steps, directions):
    """Properties (N, M, K) of the pictures of a sweep, class by class; `directions` gives those of each class."""
    parts = [
        properties(effects.sweep(v[y == digit], y[y == digit], decoder, steps, directions(digit)))
        for digit in range(10)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in PROPERTIES}


def sweeps(v, y, decoder, steps=effects.STEPS, scale=None):
    """Slopes, correlations and agreement of digits for each property, (10, 16) each, and the shuffled baseline.

    With a `scale` (10, 16), each dimension is changed by steps of that size.
    """
    pick = first_of_each(y, SWEPT)
    found = swept(
        v[pick], y[pick], decoder, steps, lambda digit: np.diag(np.ones(16) if scale is None else scale[digit])
    )
    told = {}
    for name, p in found.items():
        told[name] = {
            "slope": effects.slopes(p, y[pick], steps),
            "correlation": effects.correlations(p, y[pick], steps),
            "same_sign": effects.same_sign(p, y[pick], steps),
        }
        if scale is None:
            chance = effects.shuffled_r_squared(p, y[pick], seed=0, shuffles=SHUFFLES, steps=steps)
            told[name]["shuffled_r_squared"] = {
                "mean": chance.mean(),
                "quantile_95": np.quantile(chance, 0.95),
                "quantile_95_of_the_best_dimension": np.quantile(chance.max(-1), 0.95),
            }
    return told


def strongest(found):
    """Of one property's sweep, the dimension with the largest slope in each class, and what it does; (10,) each."""
    dimension = np.abs(found["slope"]).argmax(1)
    return {
        "dimension": dimension,
        **{key: found[key][range(10), dimension] for key in ("slope", "correlation", "same_sign")},
        "largest_correlation": np.abs(found["correlation"]).max(1),
    }


def bases(v, y, decoder, natural):
    """The best of 16 directions, for the dimensions themselves and for random bases: (10,) and (BASES, 10)."""
    pick = first_of_each(y, SWEPT_IN_BASES)
    told = {name: {"r_squared": [], "effect": []} for name in PROPERTIES}
    for basis in (np.eye(16), *effects.random_bases(BASES, seed=0)):
        found = swept(v[pick], y[pick], decoder, STEPS_IN_BASES, lambda digit, basis=basis: basis)
        spread = effects.spread(v, y, basis)
        for name, p in found.items():
            r2 = effects.r_squared(p, y[pick], STEPS_IN_BASES)
            effect = np.abs(effects.slopes(p, y[pick], STEPS_IN_BASES)) * spread / natural[name][:, None]
            told[name]["r_squared"].append(r2.max(1))
            told[name]["effect"].append(effect.max(1))
    return {name: {key: against(np.array(values)) for key, values in both.items()} for name, both in told.items()}


def against(values):
    """The dimensions' own value (10,), the random bases' quantiles, and the share of bases that it exceeds."""
    own, random = values[0], values[1:]
    quantiles = {f"random_{q}": np.quantile(random, q / 100, axis=0) for q in (5, 50, 95)}
    return {"dimensions": own, **quantiles, "exceeds": np.mean(own > random, axis=0)}


def alignments(slopes):
    """How nearly a dimension is the direction in which a property grows fastest, beside 2,000 random bases."""
    random = effects.alignment(slopes, effects.random_bases(2000, seed=1))
    return against(np.concatenate([effects.alignment(slopes, np.eye(16)[None]), random]))


def read_outs(numbers, data, measured):
    """R² of each property of test digits read from 16 numbers, (10,): all, the best alone, and with shuffled pairs.

    `numbers` and `measured` are pairs: of the validation digits, and of the test digits.
    """
    told = {name: {"all": [], "best_alone": [], "best_dimension": [], "shuffled": []} for name in PROPERTIES}
    rng = np.random.default_rng(0)
    for digit in range(10):
        fit, new = data.y_val == digit, data.y_test == digit
        x, x_new = numbers[0][fit], numbers[1][new]
        for name, row in told.items():
            p, p_new = measured[0][name][fit], measured[1][name][new]
            best = int(np.argmax([abs(np.corrcoef(column, p)[0, 1]) for column in x.T]))
            row["all"].append(effects.read_out(x, p, x_new, p_new))
            row["best_alone"].append(effects.read_out(x[:, [best]], p, x_new[:, [best]], p_new))
            row["best_dimension"].append(best)
            row["shuffled"].append(effects.read_out(x, rng.permutation(p), x_new, p_new))
    return told


def kept(pictures, y, measured):
    """Correlation of a property of the decoded picture with that of the digit, in each class, (10,)."""
    found = properties(pictures)
    return {
        name: [np.corrcoef(found[name][y == digit], measured[name][y == digit])[0, 1] for digit in range(10)]
        for name in PROPERTIES
    }


def spectra(v, y):
    """The spectrum of v̂ in each class, and the mean cosine of capsules of different classes."""
    own = effects.own_capsule(v, y)
    found = [effects.spectrum(own[y == digit]) for digit in range(10)]
    unit = own / length(own)[:, None]
    total = np.stack([unit[y == digit].sum(0) for digit in range(10)])
    counts = np.bincount(y)
    across = (total.sum(0) @ total.sum(0) - np.sum(total**2)) / (counts.sum() ** 2 - np.sum(counts**2))
    return {
        "shares": [one.shares for one in found],
        "dimensions": [one.dimensions for one in found],
        "cosine": [one.cosine for one in found],
        "cosine_between_classes": across,
    }


def principal(x, y):
    """Mean (784,) and the first COMPONENTS principal axes (16, 784) of each class' training digits."""
    parts = []
    for digit in range(10):
        flat = x[y == digit].reshape(-1, 784).astype(np.float64)
        centred = flat - flat.mean(0)
        parts.append((flat.mean(0), np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :COMPONENTS].T))
    return parts


def coordinates(x, y, parts):
    """Coordinates (N, 16) of digits on the principal axes of a class, and the digits as those draw them."""
    flat, z, drawn = x.reshape(-1, 784), np.empty((len(x), COMPONENTS)), np.empty((len(x), 784))
    for digit, (mean, axes) in enumerate(parts):
        z[y == digit] = (flat[y == digit] - mean) @ axes.T
        drawn[y == digit] = mean + z[y == digit] @ axes
    return z, drawn.reshape(x.shape)


def error(x, drawn):
    """Mean over the digits of the sum of squared differences of their pixels."""
    return float(reconstruction_loss(x, drawn).mean())


# The whole --------------------------------------------------------------------------------------------------------


class Digits:
    """The digits, at their place and moved, and what is measured on them once for all networks."""

    def __init__(self, data):
        self.data = data
        self.moved = moved(data.x_val, 0), moved(data.x_test, 1)
        self.measured = properties(data.x_val), properties(data.x_test)
        self.measured_moved = properties(self.moved[0]), properties(self.moved[1])
        self.natural = {
            name: np.array([p[data.y_val == digit].std() for digit in range(10)])
            for name, p in self.measured[0].items()
        }
        self.principal = principal(data.x_train, data.y_train)


def of_real_digits(encode, these):
    """What can be read from the capsules of real digits, at their place and moved; and the capsules at their place."""
    data, found = these.data, []
    for x_val, x_test in ((data.x_val, data.x_test), these.moved):
        found.append((encode(x_val), encode(x_test)))
    own, own_moved = (
        [effects.own_capsule(v, y) for v, y in zip(pair, (data.y_val, data.y_test), strict=True)] for pair in found
    )
    told = {
        "read_out": read_outs(own, data, these.measured),
        "read_out_moved": read_outs(own_moved, data, these.measured_moved),
    }
    return told, *found[0]


def of_any(encode, decoder, these):
    """What is measured alike for the pose network and for its controls, and the capsules of validation and test."""
    data = these.data
    told, v_val, v_test = of_real_digits(encode, these)
    spread = effects.spread(v_val, data.y_val)
    by_deviation = sweeps(v_val, data.y_val, decoder, DEVIATIONS, spread)
    drawn = networks.decode(mask(v_test, digits.one_hot(data.y_test)), decoder)
    told |= {
        "spread": spread,
        "by_deviation": {name: strongest(found) for name, found in by_deviation.items()},
        "alignment_by_deviation": {name: alignments(by_deviation[name]["slope"]) for name in PROPERTIES},
        "kept": kept(drawn, data.y_test, these.measured[1]),
        "error_with_the_label": error(data.x_test, drawn),
    }
    return told, v_val, v_test


def of_pose_network(arrays, these):
    """Everything that is measured of one seed's pose network."""
    data = these.data
    told, v_val, v_test = of_any(capsules(arrays), arrays, these)
    chosen = length(v_test).argmax(-1)
    by_unit = sweeps(v_val, data.y_val, arrays)
    by_chance = sweeps(v_val, data.y_val, untrained_decoder(arrays, seed=0))
    return told | {
        "test_accuracy": np.mean(chosen == data.y_test),
        "error": error(data.x_test, networks.decode(mask(v_test), arrays)),
        "error_of_pca_with_the_class_chosen": error(data.x_test, coordinates(data.x_test, chosen, these.principal)[1]),
        "sweep": by_unit,
        "sweep_of_an_untrained_decoder": {name: strongest(found) for name, found in by_chance.items()},
        "alignment": {name: alignments(by_unit[name]["slope"]) for name in PROPERTIES},
        "bases": bases(v_val, data.y_val, arrays, these.natural),
        "spectrum": spectra(v_val, data.y_val),
    }


def of_network_without_decoder(arrays, these):
    """What a network of the same architecture holds that was never asked to draw."""
    told, _, v_test = of_real_digits(capsules(arrays), these)
    return told | {"test_accuracy": np.mean(length(v_test).argmax(-1) == these.data.y_test)}


def of_pca(these):
    """What PCA reaches with as many numbers when it is told the class."""
    data = these.data
    z_val, _ = coordinates(data.x_val, data.y_val, these.principal)
    z_test, drawn = coordinates(data.x_test, data.y_test, these.principal)
    # What each component takes off the error is the square of its coordinate.
    by_component = error(data.x_test, drawn) + np.r_[np.cumsum(np.mean(z_test**2, 0)[::-1])[::-1], 0]
    z_moved = [
        coordinates(x, y, these.principal)[0] for x, y in zip(these.moved, (data.y_val, data.y_test), strict=True)
    ]
    return {
        "components": COMPONENTS,
        "error": error(data.x_test, drawn),
        "error_by_number_of_components": by_component,
        "read_out": read_outs([z_val, z_test], data, these.measured),
        "read_out_moved": read_outs(z_moved, data, these.measured_moved),
    }


def rounded(value):
    """A result as JSON has it: lists, and floats of 4 digits that count."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}")
    return int(value) if isinstance(value, np.integer) else value


def card(folder, name):
    """What a card beside weights says of their training, and the checksum of the weights."""
    facts = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    kept_facts = {
        key: facts[key] for key in ("epoch", "validation_accuracy", "test_accuracy", "recipe") if key in facts
    }
    return kept_facts | {"sha256": sha256(folder / f"{name}.npz")}


def options(name, description, result, **flags):
    """What a measurement was asked for, and its command: seeds, folder of the runs, file to write, and flags.

    Each flag is given with its help, as in shipped="measure the shipped weights".
    """
    parser = argparse.ArgumentParser(prog=f"python -m tools.{name}", description=description.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=result)
    for flag, what in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=what)
    given = parser.parse_args()
    return given, f"{parser.prog} --seeds {' '.join(map(str, given.seeds))}"


def main() -> None:
    """The command line."""
    given, command = options("measure_pose", __doc__, RESULT)
    these = Digits(digits.load("full"))
    result = {
        "command": command,
        "data": "full: 55,000 training, 5,000 validation, 10,000 test",
        "seeds": given.seeds,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "machine": machine(),
        "properties": PROPERTIES,
        "steps": effects.STEPS,
        "deviations": DEVIATIONS,
        "swept_digits_a_class": SWEPT,
        "random_bases": BASES,
        "natural": these.natural,
        "pca": of_pca(these),
        "pose_capsnet": {},
        **{name: {} for name in (WITHOUT, *CONTROLS)},
    }
    for seed in given.seeds:
        folder = given.runs / f"pose_capsnet-pose-{seed}"
        print(f"pose_capsnet, seed {seed}", flush=True)
        arrays = weights.read_arrays(folder / "pose_capsnet.npz")
        result["pose_capsnet"][str(seed)] = card(folder, "pose_capsnet") | of_pose_network(arrays, these)
        folder = given.runs / f"{WITHOUT}-pose-{seed}"
        if (folder / "result.json").exists():
            print(f"{WITHOUT}, seed {seed}", flush=True)
            arrays = weights.read_arrays(folder / "pose_capsnet.npz")
            result[WITHOUT][str(seed)] = card(folder, "pose_capsnet") | of_network_without_decoder(arrays, these)
        else:
            print(f"{WITHOUT}, seed {seed}: not there; python -m capslib.runs trains it", flush=True)
        for name in CONTROLS:
            folder = given.runs / "pose_controls"
            if not (folder / f"{name}-{seed}.json").exists():
                print(f"{name}, seed {seed}: not there; python -m tools.pose_controls trains it", flush=True)
                continue
            print(f"{name}, seed {seed}", flush=True)
            arrays = weights.read_arrays(folder / f"{name}-{seed}.npz")
            told, _, _ = of_any(code(arrays), decoder_of_code(arrays), these)
            result[name][str(seed)] = card(folder, f"{name}-{seed}") | told
        text = json.dumps(rounded(result), ensure_ascii=False)
        write_atomically(given.out, lambda file, text=text: file.write(text.encode() + b"\n"))
    print(f"kept in {given.out}, {given.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
