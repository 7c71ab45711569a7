"""The site's page about the lessons that run in the browser: which, how large, and whose licences they carry."""

import json
import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

from tools.lite import pyodide

HERE = Path(__file__).parent

LICENCES = {
    pyodide.CACHES: "of matplotlib and of MNIST",
    "openblas": "BSD License",
    "openssl": "OpenSSL License and SSLeay License",
    "sqlite3": "Python Software Foundation License; SQLite is in the public domain",
    "ssl": "Python Software Foundation License",
}
"""Of what says nothing about it itself."""


NOTEBOOK = 10
"""Megabytes that a lesson loads besides Python: JupyterLite, of which this is about half, and the lesson itself."""


def licence(name: str, file: Path) -> str:
    """The licence of a package, as its metadata names it."""
    if name in LICENCES:
        return LICENCES[name]
    with zipfile.ZipFile(file) as archive:
        (about,) = [member for member in archive.namelist() if member.endswith(".dist-info/METADATA")]
        data = HeaderParser().parsestr(archive.read(about).decode())
    named = [text.split("::")[-1].strip() for text in data.get_all("Classifier", []) if text.startswith("License ::")]
    return data["License-Expression"] or ", ".join(named) or data["License"]


def markdown(python: Path, loaded: int, lessons: str) -> str:
    """The page.

    Args:
        python: the folder with Pyodide's files.
        loaded: the bytes of them that Python loads to start.
        lessons: the links to the lessons, in HTML.
    """
    packages = json.loads((python / pyodide.LOCK).read_text(encoding="utf-8"))["packages"]
    rows = [
        f"| {name} | {package['version']} | {licence(name, python / package['file_name'])} |"
        for name, package in sorted(packages.items())
    ]
    parts = {
        "lessons": lessons,
        "megabytes": f"{first_click(loaded):.0f}",
        "python": f"{loaded / 1e6:.0f}",
        "pyodide": pyodide.VERSION,
        "licences": "\n".join(rows),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda part: parts[part[1]], (HERE / "page.md").read_text(encoding="utf-8"))


def first_click(loaded: int) -> float:
    """How many megabytes a first click loads, given the bytes of Python."""
    return loaded / 1e6 + NOTEBOOK
