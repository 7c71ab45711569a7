"""Pyodide, the Python that runs in a browser: what the lessons need of it, each file checked, and capslib beside it."""

import hashlib
import io
import json
import shutil
import subprocess
import urllib.request
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from capslib import digits
from capslib.records import sha256, write_atomically

ROOT = Path(__file__).resolve().parents[2]
BYTECODE = Path(__file__).with_name("bytecode.mjs")
VERSION = "0.27.7"
RELEASE = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
KEPT = ROOT / "build" / f"pyodide-{VERSION}"
LOCK = "pyodide-lock.json"

CORE = {
    LOCK: "9c45b916001a750f4102fc287494f3eab215909c7535c626a20db80fd6333e2c",
    "pyodide.js": "b4cb23a53aba19c221659b9fb40a2f18281d685691dc06647fb0afd0681baf98",
    "pyodide.asm.js": "6b4c90de5b7172873f04f21884d0e9d2274e305fe32116558fe3e4fbe3618d51",
    "pyodide.asm.wasm": "a50dd1843f805a0b7c45b61037ee0d7b26dfe85efe0e18ef95a34ad24e401f5f",
    "python_stdlib.zip": "16611534726e5d8ac2bd8f926410b2dcb8d6f49aa24913463533b457a2115c16",
}
"""SHA-256 of the files that the lock does not name, and of the lock itself, which names all others."""

ROOTS = ("ipython", "jedi", "matplotlib", "micropip", "numpy", "pillow", "sqlite3", "ssl", "traitlets")
"""What the lessons and the kernel need; and what these need in turn."""

ON_DEMAND = ("scipy",)
"""What is there for a cell that imports it; no lesson does, and Python starts in a third less time without it."""

CACHES = "course-caches"
"""The archive with what would take long to make in a browser, and a folder in it."""

INSTALLED = "/lib/python3.12/site-packages"
"""Where Pyodide unpacks packages."""


class Missing(ConnectionError):
    """A file of the distribution cannot be had, or is another one; the text says which."""


def fetched(source: str = RELEASE, kept: Path = KEPT) -> Path:
    """The folder with the files that are needed, each as Pyodide's lock says.

    Args:
        source: the folder of a distribution, such as an unpacked release, or its address.
        kept: where the files are put, and found from then on.

    Raises:
        Missing: if a file is not there, or has another SHA-256.
    """
    for name, wanted in CORE.items():
        _fetch(source, kept, name, wanted)
    for package in needed(json.loads((kept / LOCK).read_text(encoding="utf-8"))).values():
        _fetch(source, kept, package["file_name"], package["sha256"])
    return kept


def _fetch(source: str, kept: Path, name: str, wanted: str) -> None:
    if (kept / name).is_file() and sha256(kept / name) == wanted:
        return
    try:
        if "://" in source:
            with urllib.request.urlopen(f"{source.rstrip('/')}/{name}", timeout=60) as answer:
                content = answer.read()
        else:
            content = (Path(source) / name).read_bytes()
    except OSError as error:
        raise Missing(f"{name} of Pyodide {VERSION}: not found in {source} ({error})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise Missing(f"{name} of Pyodide {VERSION}: got sha256 {found[:12]}…, expected {wanted[:12]}…, from {source}")
    write_atomically(kept / name, lambda file: file.write(content))


def needed(lock: dict, roots: tuple[str, ...] = ROOTS + ON_DEMAND) -> dict[str, dict]:
    """The entries of a lock that some of its packages need, these included, by name."""
    found: dict[str, dict] = {}
    todo = list(roots)
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in found:
            found[name] = lock["packages"][name]
            todo += found[name]["depends"]
    return dict(sorted(found.items()))


def assemble(source: Path, wheels: list[Path], target: Path) -> list[str]:
    """Put a distribution together that holds what is needed and some wheels, under one lock.

    Args:
        source: the folder with Pyodide's own files.
        wheels: pure wheels to add; one of a package that Pyodide has stands in for Pyodide's own.
        target: the folder to make.

    Returns:
        The names of the packages that Python starts with.

    Raises:
        Missing: if Node is not there, which compiles them.
        RuntimeError: if one cannot be compiled.
    """
    target.mkdir(parents=True)
    lock = json.loads((source / LOCK).read_text(encoding="utf-8"))
    packages = needed(lock)
    for name in [*CORE, *(package["file_name"] for package in packages.values())]:
        if name != LOCK:
            shutil.copy(source / name, target / name)
    described = {wheel: describe(wheel) for wheel in wheels}
    known = {*packages, *(entry["name"] for entry in described.values())}
    for wheel, entry in described.items():
        entry["depends"] = [name for name in entry["depends"] if name in known and name not in ON_DEMAND]
        packages[entry["name"]] = entry
        shutil.copy(wheel, target / wheel.name)
    matplotlib = target / packages["matplotlib"]["file_name"]
    (target / f"{CACHES}.zip").write_bytes(caches(matplotlib))
    packages[CACHES] = {
        **_entry(CACHES, VERSION, target / f"{CACHES}.zip"),
        "depends": ["matplotlib"],  # So that it is unpacked later, and its list of fonts stays.
        "imports": [],
    }
    packages["capslib"]["depends"].append(CACHES)
    to_bytecode(source, target)
    lock["packages"] = {
        name: {**package, "sha256": sha256(target / package["file_name"])} for name, package in packages.items()
    }
    (target / LOCK).write_text(json.dumps(lock), encoding="utf-8")
    later = needed(lock, ON_DEMAND).keys() - needed(lock, ROOTS).keys()
    return sorted(packages.keys() - later)


def to_bytecode(source: Path, target: Path) -> None:
    """Compile the archives in a folder to bytecode, with the Python of a distribution.

    Args:
        source: the folder with Pyodide's own files.
        target: the folder with the archives, which are replaced.

    Raises:
        Missing: if Node is not there.
        RuntimeError: if one of them cannot be compiled.
    """
    node = shutil.which("node")
    if node is None:
        raise Missing("node: not found, expected it to run Pyodide")
    done = subprocess.run([node, BYTECODE, source, target, INSTALLED], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"node: {' '.join(done.stderr.split())[-300:]}")


def size(folder: Path, packages: list[str]) -> int:
    """The bytes that Python loads from an assembled distribution, to start with some packages."""
    lock = json.loads((folder / LOCK).read_text(encoding="utf-8"))["packages"]
    files = [*CORE, *(lock[name]["file_name"] for name in packages)]
    return sum((folder / file).stat().st_size for file in files)


def describe(wheel: Path) -> dict:
    """A lock's entry for a pure wheel, with all that its metadata asks for, extras left out."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
        (about,) = [file for file in files if file.endswith(".dist-info/METADATA")]
        wanted = HeaderParser().parsestr(archive.read(about).decode()).get_all("Requires-Dist") or []
    requirements = [Requirement(text) for text in wanted]
    place = {"extra": "", "python_version": "3.12", "sys_platform": "emscripten", "platform_system": "Emscripten"}
    tops = {file.split("/")[0].removesuffix(".py") for file in files if file.endswith(".py")}
    return {
        **_entry(name, str(version), wheel),
        "depends": [
            canonicalize_name(one.name) for one in requirements if not one.marker or one.marker.evaluate(place)
        ],
        "imports": sorted(top for top in tops if not top.endswith(".data")),
    }


def _entry(name: str, version: str, file: Path) -> dict:
    return {
        "name": name,
        "version": version,
        "file_name": file.name,
        "install_dir": "site",
        "sha256": sha256(file),
        "package_type": "package",
        "unvendored_tests": False,
    }


def caches(matplotlib: Path) -> bytes:
    """An archive with matplotlib's list of its fonts, and the bundled digits in the form that loads fast.

    Pyodide's wheel of matplotlib has that list, but of another version, so that each start would make it again and say
    so on standard error.
    """
    with zipfile.ZipFile(matplotlib) as archive:
        fonts = json.loads(archive.read("matplotlib/fontlist.json"))
        source = archive.read("matplotlib/font_manager.py").decode()
    fonts["_version"] = int(source.split("    __version__ = ")[1].split()[0])
    x, y = digits.bundled()
    packed, small = io.BytesIO(), io.BytesIO()
    np.savez_compressed(small, x=x, y=y)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("matplotlib/fontlist.json"), json.dumps(fonts), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(f"{CACHES}/capslib/mnist_5k.npz"), small.getvalue())
    return packed.getvalue()


KEPT_IN_THE_BROWSER = "/drive"
"""Where JupyterLite puts the notebooks, which stay in the browser; so does what lies beside them."""

OPTIONS = {
    "env": {
        "HOME": "/home/pyodide",
        "XDG_CACHE_HOME": f"{INSTALLED}/{CACHES}",
        "XDG_DATA_HOME": KEPT_IN_THE_BROWSER,
    }
}
"""What Python is started with: its home, and where capslib finds the digits and notes what is solved."""
