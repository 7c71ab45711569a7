"""Trained parameters: `<model>.npz` (plain arrays) next to `<model>.json`, the card that says how they were made."""

import json
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from capslib.records import sha256, write_atomically

if TYPE_CHECKING:
    import keras

FOLDER = Path(__file__).parent


def card(name: str, folder: str | Path = FOLDER) -> dict:
    """The card of shipped weights: data, split, recipe, seed, versions, accuracy, sha256.

    Args:
        name: the model's name, for example "article_capsnet".
        folder: where to look; by default the package's own folder.

    Raises:
        FileNotFoundError: if there is no such card.
        ValueError: if the file is no card.
    """
    path = Path(folder) / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"weights: no card {path.name} for the model {name!r}, expected one beside its weights")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        facts["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"weights: {path.name} is damaged ({error!r}), expected a card with the sha256") from error
    return facts


def parameters(model: "keras.Model") -> dict[str, np.ndarray]:
    """A model's parameters by name, such as "conv1.kernel", float32; as `save` writes and `arrays` reads them."""
    names = [v.path.removeprefix(f"{model.name}/").replace("/", ".") for v in model.weights]
    return {name: np.asarray(array, np.float32) for name, array in zip(names, model.get_weights(), strict=True)}


def save(model: "keras.Model", path: str | Path, facts: dict) -> None:
    """Write a model's parameters and their card, each completely or not at all.

    Args:
        model: a built Keras model.
        path: the .npz to write; the card gets the same name with .json.
        facts: what the card says; its "model" and "sha256" are filled in here.

    Raises:
        ValueError: if the facts cannot be written as JSON; then nothing is written.
    """
    path = Path(path)
    try:
        json.dumps(facts)
    except (TypeError, ValueError) as error:
        raise ValueError(f"facts: got {facts!r:.60}, expected what JSON can hold ({error})") from None
    write_arrays(path, parameters(model))
    text = json.dumps({"model": model.name, **facts, "sha256": sha256(path)}, indent=2, ensure_ascii=False)
    write_atomically(path.with_suffix(".json"), lambda file: file.write(text.encode() + b"\n"))


def arrays(name: str, folder: str | Path = FOLDER) -> dict[str, np.ndarray]:
    """Saved parameters as plain arrays, checked against their card, float32 even if the file has them rounded.

    Args:
        name: the model's name, for example "article_capsnet".
        folder: where to look; by default the package's own folder.

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
    return {key: np.asarray(array, np.float32) for key, array in read_arrays(path).items()}


def write_arrays(path: str | Path, named: dict[str, np.ndarray]) -> None:
    """Write arrays to an .npz file, whole or not at all."""
    write_atomically(path, lambda file: np.savez(file, **named))  # type: ignore[arg-type]


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz file by name; a file with anything but plain arrays is refused.

    Raises:
        ValueError: if the file cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"weights: {Path(path).name} cannot be read as plain arrays ({error})") from error


def load_into(model: "keras.Model", path: str | Path | None = None) -> None:
    """Put saved parameters into a model that fits them; a model that does not fit is left unchanged.

    Args:
        model: a built Keras model.
        path: the .npz with its card beside it; by default the shipped one with the model's name.

    Raises:
        FileNotFoundError: if the weights or their card are not there.
        ValueError: if the file's sha256 differs from its card, it cannot be read, or it belongs to another network.
    """
    path = Path(path) if path is not None else FOLDER / f"{model.name}.npz"
    stored = arrays(path.stem, path.parent)
    expected = {key: array.shape for key, array in parameters(model).items()}
    given = {key: array.shape for key, array in stored.items()}
    if given != expected:
        other = card(path.stem, path.parent).get("model", "another network")
        raise ValueError(f"weights: {path.name} is for {other!r} with {given}, expected {expected} for {model.name!r}")
    model.set_weights([stored[key] for key in expected])
