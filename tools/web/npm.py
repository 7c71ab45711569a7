"""Packages from npm that make the web edition or test it; each is fetched once and checked."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

KEPT = Path(__file__).resolve().parents[2] / "build" / "npm"


class Package(NamedTuple):
    """A package with its version, and the SHA-256 of the archive in which npm brings it."""

    name: str
    sha256: str


# Sets formulas.
MATHJAX = Package("mathjax@3.2.2", "1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09")
# Finds what keeps people from using a page.
AXE = Package("axe-core@4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745")


def fetched(package: Package, folder: Path = KEPT) -> Path:
    """The folder of the package's files.

    Args:
        package: what is wanted.
        folder: where it is put when it is fetched, and found from then on.

    Raises:
        ConnectionError: if it is not there and npm is missing, or does not bring it.
    """
    kept = folder / package.name.replace("/", "-")
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise ConnectionError(f"npm: not found, expected it to fetch {package.name}")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            done = subprocess.run([npm, "pack", package.name], cwd=place, capture_output=True, text=True)
            packed = next(Path(place).glob("*.tgz"), None)
            if done.returncode or packed is None:
                raise ConnectionError(f"npm: could not fetch {package.name}: {' '.join(done.stderr.split())[-300:]}")
            if hashlib.sha256(packed.read_bytes()).hexdigest() != package.sha256:
                raise ConnectionError(f"npm: brought something other than {package.name}")
            unpack(packed, place)
            try:
                (Path(place) / "package").rename(kept)
            except OSError:  # Another process was faster; what it brought is the same.
                if not kept.exists():
                    raise
    return kept


def unpack(file: Path, folder: Path | str) -> None:
    """Unpack a tar archive into a folder, with Python's safe filter where there is one: from 3.11.4 on."""
    with tarfile.open(file) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
