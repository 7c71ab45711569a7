"""Compile the Python in archives to bytecode. This runs in Pyodide, whose own Python will read what it makes.

A browser that has to read and compile the source of each module takes three times as long to import them.
"""

import importlib.util
import io
import py_compile
import tempfile
import zipfile
from pathlib import Path

WITH_SOURCE = ("capslib-",)
"""Learners read it. All other packages lose their source: beside the bytecode it would only be loaded."""

STANDARD_LIBRARY = "python_stdlib.zip"


def compile_all(folder: str, installed: str) -> None:
    """Compile each wheel in a folder, and the archive of the standard library.

    Args:
        folder: with the archives; they are replaced.
        installed: where Python will find the wheels' files. Error messages name them by it.
    """
    for archive in sorted(Path(folder).glob("*.whl")):
        archive.write_bytes(compiled(archive.read_bytes(), installed, archive.name.startswith(WITH_SOURCE)))
    archive = Path(folder, STANDARD_LIBRARY)
    archive.write_bytes(compiled(archive.read_bytes(), "/lib/python312.zip", False))


def compiled(archive: bytes, installed: str, with_source: bool) -> bytes:
    """An archive with bytecode for each of its Python files.

    Args:
        archive: the zip file.
        installed: where Python will find the files.
        with_source: whether the Python files stay. If not, the bytecode lies where each was.

    Raises:
        py_compile.PyCompileError: if a file is not valid Python.
    """
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as before,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after,
        tempfile.TemporaryDirectory() as place,
    ):
        source, bytecode = Path(place, "source.py"), Path(place, "bytecode")
        for member in before.infolist():
            content = before.read(member)
            python = member.filename.endswith(".py")
            if with_source or not python:
                after.writestr(member, content)
            if python:
                source.write_bytes(content)
                # Nobody changes these files, so Python need not look at dates that unpacking changes.
                unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
                name = f"{installed}/{member.filename}"
                py_compile.compile(str(source), str(bytecode), name, doraise=True, invalidation_mode=unchecked)
                beside = importlib.util.cache_from_source(member.filename) if with_source else f"{member.filename}c"
                after.writestr(zipfile.ZipInfo(beside, member.date_time), bytecode.read_bytes(), zipfile.ZIP_DEFLATED)
    return made.getvalue()
