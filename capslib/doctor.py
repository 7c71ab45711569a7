"""Is this machine ready for the course? `python -m capslib.doctor` says so in ten lines, failures with a remedy."""

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import platformdirs

from capslib import digits, weights
from capslib.checks import backend_problem
from capslib.records import REPOSITORY

PYTHONS = ((3, 11), (3, 14))
"""The oldest Python that the course runs on, and the first that it does not; pyproject.toml has the same."""

EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")
"""What JupyterLab must have to draw the course's widgets."""

MEMORY, DISK = 2.0, 0.5
"""Gigabytes that a lesson may need, of memory and of disk."""

SETUP = "run `make setup` in the course's folder"


class Finding(NamedTuple):
    """What one check found.

    Attributes:
        name: of what was looked at, in a word or two.
        fine: whether the course can use it.
        found: what is there.
        remedy: what to do if it is not fine.
    """

    name: str
    fine: bool
    found: str
    remedy: str = ""


def python() -> Finding:
    """The version of Python."""
    low, high = (".".join(map(str, version)) for version in PYTHONS)
    fine = PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]
    return Finding("Python", fine, platform.python_version(), f"use Python {low} or later, below {high}")


def packages(lock: Path = REPOSITORY / "requirements.lock") -> Finding:
    """The versions of the packages, against the lock where it is at hand."""
    if not lock.is_file():
        return Finding("packages", True, "not compared: there is no requirements.lock beside capslib")
    wanted = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;\\\n]+)(.*)$", lock.read_text(encoding="utf-8"), re.M)
    others = []
    for name, version, rest in wanted:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            if ";" in rest:  # For another system, or another Python.
                continue
            found = "missing"
        if found != version and not (";" in rest and found != "missing"):
            others.append(f"{name} {found} instead of {version}")
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    text = ", ".join(others[:3]) + more if others else f"{len(wanted)} as in the lock"
    return Finding("packages", not others, text, SETUP)


def backend() -> Finding:
    """The backend that Keras is told to use."""
    problem = backend_problem()
    name = os.environ.get("KERAS_BACKEND")
    return Finding("KERAS_BACKEND", problem is None, problem or (name or "not set, so tensorflow"), "see there")


def tensorflow() -> Finding:
    """Whether TensorFlow can be loaded; it is tried in another process, since a failure may end it."""
    if "tensorflow" in sys.modules:
        return Finding("TensorFlow", True, f"{sys.modules['tensorflow'].__version__} is loaded")
    command = [sys.executable, "-c", "import capslib.quiet, tensorflow; print(tensorflow.__version__)"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return Finding("TensorFlow", False, "did not load within 5 minutes", "close other programs and try again")
    if done.returncode == 0:
        return Finding("TensorFlow", True, f"{done.stdout.split()[-1]} loads")
    last = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    remedy = "there is none for Macs with an Intel processor" if platform.machine() == "x86_64" else SETUP
    return Finding("TensorFlow", False, last[:200], remedy if sys.platform == "darwin" else SETUP)


def widgets() -> Finding:
    """Whether JupyterLab has what draws the widgets."""
    try:
        from jupyter_core.paths import jupyter_path
    except ImportError:
        return Finding("widgets", False, "JupyterLab is not installed", SETUP)
    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    gone = [name for name in EXTENSIONS if not any((folder / name / "package.json").is_file() for folder in folders)]
    return Finding(
        "widgets", not gone, f"JupyterLab lacks {', '.join(gone)}" if gone else "JupyterLab draws them", SETUP
    )


def data() -> Finding:
    """The digits: the bundled ones, and whether all of MNIST is here."""
    try:
        count = sum(len(x) for x in digits.load("bundled")[::2])
    except Exception as error:  # Whatever keeps them from being read, the reader has to be told.
        return Finding("digits", False, str(error)[:200], SETUP)
    by_hand = os.environ.get("CAPSLIB_MNIST")
    if by_hand and not Path(by_hand).is_file():
        return Finding(
            "digits", False, f"CAPSLIB_MNIST names {by_hand}, which is no file", "unset it, or mend the path"
        )
    here = by_hand or digits.cached().is_file()
    all_here = "all 70,000 as well" if here else "the full set is not here, and no lesson needs it"
    return Finding("digits", True, f"{count:,} bundled; {all_here}")


def networks() -> Finding:
    """The shipped weights, against their cards."""
    names = sorted(path.stem for path in weights.FOLDER.glob("*.json"))
    damaged = []
    for name in names:
        try:
            weights.arrays(name)
        except (OSError, ValueError) as error:
            damaged.append(str(error))
    if damaged or not names:
        return Finding("weights", False, (damaged or ["there are none"])[0], "fetch the course again")
    return Finding("weights", True, f"{len(names)} networks as on their cards")


def memory() -> Finding:
    """The memory that is free, where the system tells it."""
    free = None
    with contextlib.suppress(OSError, ValueError, AttributeError):
        text = Path("/proc/meminfo").read_text() if sys.platform == "linux" else ""
        found = re.search(r"MemAvailable:\s+(\d+) kB", text)
        free = int(found[1]) / 1e6 if found else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    if free is None:
        return Finding("memory", True, "this system does not say")
    return Finding("memory", free >= MEMORY, f"{free:.1f} GB", f"close other programs: a lesson may need {MEMORY:g} GB")


def disk() -> Finding:
    """The disk that is free where the course lies."""
    free = shutil.disk_usage(REPOSITORY).free / 1e9
    return Finding("disk", free >= DISK, f"{free:.1f} GB free", f"free {DISK:g} GB")


def folders() -> Finding:
    """Whether the course may write where it does: the notebooks, its cache, and the list of what is done."""
    places = [platformdirs.user_cache_path("capslib"), platformdirs.user_data_path("capslib")]
    places += [place for place in (REPOSITORY / "notebooks",) if place.is_dir()]
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            return Finding("folders", False, f"{place}: {error.strerror}", "make it writable, or move the course")
    return Finding("folders", True, f"{len(places)} writable")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python, packages, backend, tensorflow, widgets, data, networks, memory, disk, folders,
)  # fmt: skip


def examine() -> list[Finding]:
    """What every check found, in their order."""
    return [check() for check in CHECKS]


def report(findings: list[Finding] | None = None) -> str:
    """Ten lines, one a check; a failure ends with its remedy.

    Args:
        findings: what to report; by default the machine is examined.
    """
    lines = []
    for finding in examine() if findings is None else findings:
        mark, remedy = ("ok", "") if finding.fine else ("NO", f" → {finding.remedy}")
        lines.append(f"{mark:3}{finding.name:14}{finding.found}{remedy}")
    return "\n".join(lines)


def main() -> int:
    """The command line; 1 if something is not ready."""
    findings = examine()
    print(report(findings))
    return int(not all(finding.fine for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
