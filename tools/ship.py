"""Ship a network from its finished runs: of some seeds of the recipe *best* the one of median test accuracy.

    python tools/ship.py article_capsnet 0 1 2

Copies its weights and card into capslib/weights, and what every seed gave into notebooks/results.
"""

import json
import sys
from pathlib import Path

from capslib.records import write_atomically

ROOT = Path(__file__).parents[1]


def ship(model, seeds, runs=ROOT / "runs", weights=ROOT / "capslib/weights", results=ROOT / "notebooks/results"):
    """Ship one network.

    Args:
        model: its name.
        seeds: an odd number of them, so that one is the median.
        runs: folder of the runs, `<model>-best-<seed>` each.
        weights, results: folders to copy into.

    Returns:
        The seed shipped; the lowest, if several have the median accuracy.

    Raises:
        ValueError: if the number of seeds is even.
        FileNotFoundError: if a run or a file of it is missing, or was not finished; nothing is copied then.
    """
    if len(seeds) % 2 == 0:
        raise ValueError(f"seeds: got {len(seeds)} of them, expected an odd number")
    folders = {seed: runs / f"{model}-best-{seed}" for seed in seeds}
    unfinished = [folder.name for folder in folders.values() if not (folder / "result.json").is_file()]
    if unfinished:
        raise FileNotFoundError(f"runs: {', '.join(unfinished)} not finished, expected a result.json in each")
    accuracy = {seed: json.loads((f / "result.json").read_text())["test"]["accuracy"] for seed, f in folders.items()}
    median = sorted(accuracy.values())[len(seeds) // 2]
    shipped = min(seed for seed in seeds if accuracy[seed] == median)
    copies = {results / f"{folder.name}.json": folder / "result.json" for folder in folders.values()}
    for name in (f"{model}.npz", f"{model}.json"):
        copies[weights / name] = folders[shipped] / name
    contents = {to: source.read_bytes() for to, source in copies.items()}  # All are there before one is written.
    for to, content in contents.items():
        write_atomically(to, lambda file, content=content: file.write(content))
    return shipped


if __name__ == "__main__":
    try:
        name, *numbers = sys.argv[1:]
        print(f"{name}: seed {ship(name, [int(number) for number in numbers])} is shipped")
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"ship: {error}")
