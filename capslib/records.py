"""What a run leaves behind: files written completely or not at all, their checksums, and where they were made."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write(file)` on a file beside `path` and move it there once it is whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            write(file)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sha256(path: str | Path) -> str:
    """Hexadecimal sha256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def machine() -> str:
    """The machine of a run in a few words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def versions() -> dict[str, str]:
    """The versions of Python and, where they have been imported, of Keras and its backend."""
    found = {"python": platform.python_version()}
    if "keras" in sys.modules:
        keras = sys.modules["keras"]
        name = keras.backend.backend()
        backend = f"{name} {sys.modules[name].__version__}" if name in sys.modules else name
        found |= {"keras": keras.__version__, "backend": backend}
    return found


REPOSITORY = Path(__file__).parents[1]
"""Where the course lies; capslib is used from its folder there, not from a copy."""

RESULTS = (REPOSITORY / "notebooks" / "results", REPOSITORY / "benchmarks" / "results")
"""Where the results of long runs are stored for the lessons."""


def stored(name: str) -> dict:
    """The stored result of a long run, found beside capslib whatever the current folder is.

    Args:
        name: of its file, without `.json`.

    Raises:
        FileNotFoundError: if there is none; it names the folders looked in.
    """
    for folder in RESULTS:
        file = folder / f"{name}.json"
        if file.is_file():
            return json.loads(file.read_text(encoding="utf-8"))
    raise FileNotFoundError(f"name: got {name!r}, expected a result stored in {' or '.join(map(str, RESULTS))}")
