"""Results of runs, one JSON file each, in a folder; and all of them in the one file that a lesson reads."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from capslib.records import alone, write_atomically


def read(folder: Path, task: Any) -> dict | None:
    """The result of a task in a folder; None if there is none.

    Args:
        folder: where the results are.
        task: a dataclass with a `name`, that of its file without `.json`.

    Raises:
        ValueError: if the file is damaged or of another task.
    """
    path = folder / f"{task.name}.json"
    if not path.exists():
        return None
    result = _load(path)
    if result["task"] != asdict(task):
        raise ValueError(f"folder: got {path} of task {result['task']}, expected {asdict(task)}; name another folder")
    return result


def _load(path: Path) -> dict:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        return result | {"task": result["task"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"folder: got {path}, which is damaged ({error!r}); remove it to run it anew") from error


def write(path: str | Path, result: dict) -> None:
    """Write a result, whole or not at all."""
    write_atomically(path, lambda file: file.write(json.dumps(result, separators=(",", ":")).encode()))


def collect(folder: str | Path, path: str | Path) -> int:
    """Put all results of a folder into one file, from which the lesson and its widget read them.

    Args:
        folder: where the results are.
        path: of the file; replaced as a whole.

    Returns:
        How many there are.

    Raises:
        ValueError: if there are none, or one is damaged.
    """
    results = [_load(file) for file in sorted(Path(folder).glob("*.json"))]
    if not results:
        raise ValueError(f"folder: got {folder}, which holds no results")
    write(path, {"command": "python -m capslib.experiments", "runs": results})
    return len(results)


def spread(path: str | Path, folder: str | Path, name: Callable[[dict], str]) -> int:
    """The reverse of `collect`: put the results of one file into a folder, so that only what is missing is run.

    Args:
        path: of a file that `collect` wrote.
        folder: created if need be. What it holds already stays as it is.
        name: gives the name of a task's file, without `.json`.

    Returns:
        How many were put there.

    Raises:
        ValueError: if another process is writing to the folder.
    """
    folder, written = Path(folder), 0
    with alone(folder):
        for result in json.loads(Path(path).read_text(encoding="utf-8"))["runs"]:
            file = folder / f"{name(result['task'])}.json"
            if not file.exists():
                write(file, result)
                written += 1
    return written
