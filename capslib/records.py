"""What a run leaves behind: files written completely or not at all, their checksums, and where they were made."""

import contextlib
import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows: two runs in one folder are not noticed there, but each file they write is whole.
    fcntl = None  # type: ignore[assignment]


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


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The folder, made if need be, for this process alone; ValueError if another is writing to it."""
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ValueError(f"folder: got {folder}, to which another run is writing; expected another folder") from None
    except OSError:
        pass  # A file system that has no locks.
    try:
        yield
    finally:
        os.close(handle)


def sha256(path: str | Path) -> str:
    """Hexadecimal sha256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def machine() -> str:
    """The machine of a run in a few words; on JAX also its GPU, where there is one."""
    words = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    device = sys.modules["jax"].devices()[0] if "jax" in sys.modules else None
    return f"{words}, {device.device_kind}" if device and device.platform == "gpu" else words


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
    return json.loads(stored_file(name, ".json").read_text(encoding="utf-8"))


def stored_file(name: str, ending: str) -> Path:
    """Where the result of a long run is stored.

    Args:
        name: of its file, without the ending.
        ending: ".json", or ".npz" for arrays.

    Raises:
        FileNotFoundError: if there is none; it names the folders looked in.
    """
    for folder in RESULTS:
        file = folder / f"{name}{ending}"
        if file.is_file():
            return file
    raise FileNotFoundError(f"name: got {name!r}, expected a result stored in {' or '.join(map(str, RESULTS))}")
