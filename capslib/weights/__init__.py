"""Trained parameters: `<model>.npz` (arrays alone) beside `<model>.json`, the card that says where they are from."""

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from capslib.records import sha256, write_atomically

FOLDER = Path(__file__).parent


def card(name, folder=FOLDER):
    """The card of shipped weights: data, split, recipe, seed, versions, accuracy, sha256.

    Args:
        name: the model's name, for example "article_capsnet".
        folder: where to look; the package's own folder unless told.

    Raises:
        FileNotFoundError: if there is no such card.
    """
    path = Path(folder) / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"weights: no card {path.name} for the model {name!r}, expected one beside its weights")
    return json.loads(path.read_text(encoding="utf-8"))


def save(model, path, facts):
    """Write a model's parameters and their card, each whole or not at all.

    Args:
        model: a built Keras model.
        path: the .npz to write; the card gets the same name with .json.
        facts: what the card says; its "model" and "sha256" are filled in here.
    """
    path = Path(path)
    values = {_key(model, v): np.asarray(v, dtype=np.float32) for v in model.weights}
    write_atomically(path, lambda file: np.savez(file, **values))
    text = json.dumps({"model": model.name, **facts, "sha256": sha256(path)}, indent=2, ensure_ascii=False)
    write_atomically(path.with_suffix(".json"), lambda file: file.write(text.encode() + b"\n"))


def arrays(name, folder=FOLDER):
    """Saved parameters as plain arrays, checked against their card.

    Args:
        name: the model's name, for example "article_capsnet".
        folder: where to look; the package's own folder unless told.

    Returns:
        dict from a parameter's name, such as "conv1.kernel", to its array.

    Raises:
        FileNotFoundError: if the weights or their card are not there.
        ValueError: if the file's sha256 differs from its card, or it cannot be read.
    """
    facts, path = card(name, folder), Path(folder) / f"{name}.npz"
    if not path.is_file():
        raise FileNotFoundError(f"weights: no file {path.name} for the model {name!r}")
    found = sha256(path)
    if found != facts["sha256"]:
        raise ValueError(
            f"weights: {path.name} has sha256 {found[:12]}…, expected {facts['sha256'][:12]}… as on its card; "
            "the file was changed or damaged"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"weights: {path.name} cannot be read as plain arrays ({error})") from error


def load_into(model, path=None):
    """Put saved parameters into a model that fits them; a model that does not fit is left as it was.

    Args:
        model: a built Keras model.
        path: the .npz with its card beside it; the shipped one of the model's name unless told.

    Raises:
        FileNotFoundError: if the weights or their card are not there.
        ValueError: if the file's sha256 differs from its card, it cannot be read, or it is for another network.
    """
    path = Path(path) if path is not None else FOLDER / f"{model.name}.npz"
    stored = arrays(path.stem, path.parent)
    expected = {_key(model, v): tuple(v.shape) for v in model.weights}
    given = {key: array.shape for key, array in stored.items()}
    if given != expected:
        other = card(path.stem, path.parent).get("model", "another network")
        raise ValueError(f"weights: {path.name} is for {other!r} with {given}, expected {expected} for {model.name!r}")
    model.set_weights([stored[_key(model, v)] for v in model.weights])


def _key(model, variable):
    return variable.path.removeprefix(f"{model.name}/").replace("/", ".")
