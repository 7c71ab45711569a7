"""Ship a network from its finished runs: of some seeds of one recipe the one of median test accuracy.

    python tools/ship.py article_capsnet 0 1 2
    python tools/ship.py two_digit_capsnet 0 1 2 --recipe pairs --half

Copies its weights and card into capslib/weights, and what every seed gave into notebooks/results. With --half the
weights are rounded to float16, which halves the file, and read the validation and test digits again.
"""

import argparse
import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np

from capslib import digits
from capslib.records import write_atomically
from capslib.weights import read_arrays

ROOT = Path(__file__).parents[1]
ROUNDED_AWAY = 0.001
"""By how much rounding may change the accuracy on validation digits."""


def ship(
    model,
    seeds,
    recipe="best",
    half=False,
    runs=ROOT / "runs",
    weights=ROOT / "capslib/weights",
    results=ROOT / "notebooks/results",
):
    """Ship one network.

    Args:
        model: its name.
        seeds: an odd number of them, so that one is the median.
        recipe: the name of the recipe that they were trained with.
        half: whether the weights are rounded to float16; this needs the full MNIST set.
        runs: folder of the runs, `<model>-<recipe>-<seed>` each.
        weights, results: folders to copy into.

    Returns:
        The seed shipped; the lowest, if several have the median accuracy.

    Raises:
        ValueError: if the number of seeds is even, or rounding changes the accuracy by more than 0.001.
        FileNotFoundError: if a run or a file of it is missing, or was not finished; nothing is copied then.
    """
    if len(seeds) % 2 == 0:
        raise ValueError(f"seeds: got {len(seeds)} of them, expected an odd number")
    folders = {seed: runs / f"{model}-{recipe}-{seed}" for seed in seeds}
    unfinished = [folder.name for folder in folders.values() if not (folder / "result.json").is_file()]
    if unfinished:
        raise FileNotFoundError(f"runs: {', '.join(unfinished)} not finished, expected a result.json in each")
    accuracy = {seed: json.loads((f / "result.json").read_text())["test"]["accuracy"] for seed, f in folders.items()}
    median = sorted(accuracy.values())[len(seeds) // 2]
    shipped = min(seed for seed in seeds if accuracy[seed] == median)
    copies = {results / f"{folder.name}.json": folder / "result.json" for folder in folders.values()}
    contents = {to: source.read_bytes() for to, source in copies.items()}  # All are there before one is written.
    arrays, card = folders[shipped] / f"{model}.npz", folders[shipped] / f"{model}.json"
    both = halved(model, arrays, card) if half else (arrays.read_bytes(), card.read_bytes())
    contents |= {weights / source.name: content for source, content in zip((arrays, card), both, strict=True)}
    for to, content in contents.items():
        write_atomically(to, lambda file, content=content: file.write(content))
    return shipped


def halved(model, arrays, card):
    """Weights in float16 and a card that says what they reach: the bytes of both files.

    Args:
        model: the network's name.
        arrays, card: paths of its weights and of their card.

    Raises:
        ValueError: if rounding changes the accuracy on validation digits by more than ROUNDED_AWAY.
    """
    data, facts = digits.load("full"), json.loads(card.read_text(encoding="utf-8"))
    full = read_arrays(arrays)
    with np.errstate(over="ignore"):  # What overflows is seen in the accuracy.
        small = {name: array.astype(np.float16) for name, array in full.items()}
    validation = data._replace(x_test=data.x_val, y_test=data.y_val)
    before, after = (accuracy(model, numbers, validation) for numbers in (full, small))
    if abs(after - before) > ROUNDED_AWAY:
        raise ValueError(
            f"half: got an accuracy of {after:.4f} on validation digits after rounding and {before:.4f} before it, "
            f"expected a change of at most {ROUNDED_AWAY}"
        )
    file = io.BytesIO()
    np.savez(file, **small)
    told = {"validation_accuracy": after, "test_accuracy": accuracy(model, small, data)}
    facts |= {"rounded_to_float16": told, "sha256": hashlib.sha256(file.getvalue()).hexdigest()}
    return file.getvalue(), json.dumps(facts, indent=2, ensure_ascii=False).encode() + b"\n"


def accuracy(model, arrays, data):
    """The accuracy on the test digits of a network with these parameters."""
    import capslib.quiet  # noqa: F401  # Keras takes seconds to start, and only rounding needs it.
    from capslib import runs, training, weights
    from capslib.models import reads_pairs

    network = runs.MODELS[model]()
    network.set_weights([arrays[name] for name in weights.parameters(network)])
    return (training.evaluate_pairs if reads_pairs(network) else training.evaluate)(network, data)["accuracy"]


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="ship", description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--recipe", default="best")
    parser.add_argument("--half", action="store_true", help="round the weights to float16")
    given = parser.parse_args(arguments)
    try:
        print(f"{given.model}: seed {ship(given.model, given.seeds, given.recipe, given.half)} is shipped")
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"ship: {error}")


if __name__ == "__main__":
    main()
