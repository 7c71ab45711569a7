"""Programs from npm that the web edition shows or is tested with; each is fetched once and checked."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from capslib.records import write_atomically

KEPT = Path(__file__).resolve().parents[2] / "build" / "npm"


class Program(NamedTuple):
    """One file of a package: which package and version, where in it, and its SHA-256."""

    package: str
    member: str
    sha256: str


# Draws formulas as SVG, so needs no fonts.
MATHJAX = Program("mathjax@3.2.2", "es5/tex-svg.js", "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882")
# Finds what keeps people from using a page.
AXE = Program("axe-core@4.14.1", "axe.min.js", "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c")


def fetched(program: Program, folder: Path = KEPT) -> str:
    """The program's text.

    Args:
        program: what is wanted.
        folder: where it is put when it is fetched, and found from then on.

    Raises:
        ConnectionError: if it is not there and npm is missing, or does not bring it.
    """
    package, member, sha256 = program
    kept = folder / f"{package.replace('/', '-')}.js"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise ConnectionError(f"npm: not found, expected it to fetch {package}")
        with tempfile.TemporaryDirectory() as place:
            done = subprocess.run([npm, "pack", package], cwd=place, capture_output=True, text=True)
            packed = next(Path(place).glob("*.tgz"), None)
            if done.returncode or packed is None:
                raise ConnectionError(f"npm: could not fetch {package}: {' '.join(done.stderr.split())[-300:]}")
            with tarfile.open(packed) as archive:
                found = archive.extractfile(f"package/{member}")
                text = found.read() if found else b""
        if hashlib.sha256(text).hexdigest() != sha256:
            raise ConnectionError(f"npm: brought another program than that of {package}")
        write_atomically(kept, lambda file: file.write(text))
    return kept.read_text(encoding="utf-8")
