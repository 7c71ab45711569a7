"""Make the web edition with the lessons that run in it: `python -m tools.lite`, which is `make lite`.

They lie in build/site/try: JupyterLite with Pyodide, capslib's wheel and lessons 02 to 05. A page of the site says what
is there and how large it is. Where Pyodide cannot be had, one line says so, and the site is made without it.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from capslib.records import sha256
from tools import colab
from tools.lite import page, pyodide
from tools.web import __main__ as web

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
ENVIRONMENT = ROOT / "build" / "lite-env"
PYTHON = ENVIRONMENT / "bin" / "python"
FOLDER = "try"
"""Of the site."""

LESSONS = ("02_pose_and_votes", "03_squash", "04_routing_by_agreement", "05_margin_loss")
KERNEL = {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}
"""What JupyterLite calls its kernel; for another name it asks which to take."""

INDEX = """<!doctype html>
<meta http-equiv="refresh" content="0; url=../browser.html" />
<script id="jupyter-config-data" type="application/json">{}</script>
"""
"""Who opens the folder is led to the page about it. JupyterLite looks into this file for settings."""

KERNEL_WHEELS = ("ipykernel-*", "piplite-*", "pyodide_kernel-*", "widgetsnbextension-4*")
"""What JupyterLite's kernel brings for itself."""


def build(target: Path, distribution: Path) -> web.Edition:
    """Make what becomes the folder `try` of the site.

    Args:
        target: the folder, which is replaced.
        distribution: Pyodide's files, as `pyodide.fetched` gives them.
    """
    target = target.resolve()
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        wheels = [capslib_wheel(work / "wheel"), *(ENVIRONMENT / "wheels").glob("[!j]*.whl")]
        wheels += (ENVIRONMENT / "wheels").glob("jupyterlab_widgets-*.whl")
        kernel = ENVIRONMENT / "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi"
        wheels += [next(kernel.glob(f"{name}.whl")) for name in KERNEL_WHEELS]
        names = pyodide.assemble(distribution, sorted(wheels), work / "pyodide")
        # Its name changes with what is in it, so a browser can keep the files for good.
        folder = f"pyodide-{sha256(work / 'pyodide' / pyodide.LOCK)[:12]}"
        write_project(work / "project", folder, names)
        options = ["--apps", "notebooks", "--no-sourcemaps", "--no-unused-shared-packages", "--no-libarchive"]
        options += ["--contents", "contents", "--output-dir", target]
        command = [PYTHON, "-m", "jupyterlite_core", "build", *options]
        done = subprocess.run(command, cwd=work / "project", capture_output=True, text=True)
        if done.returncode:
            raise web.SiteError(f"jupyterlite:\n{done.stdout}{done.stderr}".rstrip())
        shutil.move(work / "pyodide", target / folder)
    loaded = pyodide.size(target / folder, names)
    finish(target, loaded)
    links = {name: f"{FOLDER}/notebooks/index.html?path=notebooks/{name}.ipynb" for name in LESSONS}
    text = page.markdown(target / folder, loaded, web.links_of(links))
    return web.Edition(target, links, text, f"{page.first_click(loaded):.0f} MB")


def capslib_wheel(place: Path) -> Path:
    """Build capslib's wheel from a copy, since a build leaves files behind."""
    source = place / "source"
    source.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "capslib", source / "capslib", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "-w", place]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, source], cwd=place, check=True)
    return next(place.glob("capslib-*.whl"))


def write_project(project: Path, folder: str, packages: list[str]) -> None:
    """What JupyterLite is built from: settings, lessons with their figures, and the file where progress is noted."""
    (project / "contents" / "notebooks").mkdir(parents=True)
    for name in LESSONS:
        # It joins the lines of a text, as a Jupyter server does, and JupyterLite doesn't.
        notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        notebook.metadata.kernelspec = KERNEL
        text = json.dumps(notebook, ensure_ascii=False)
        (project / "contents" / "notebooks" / f"{name}.ipynb").write_text(text, encoding="utf-8")
        for figure in set(re.findall(r"\.\./(figures/\w+\.svg)", text)):
            (project / "contents" / "figures").mkdir(exist_ok=True)
            shutil.copy(ROOT / figure, project / "contents" / figure)
    # Nothing is solved yet. Were the file not there, the notebook would look for it on the host, in vain.
    (project / "contents" / "capslib").mkdir()
    (project / "contents" / "capslib" / "progress.json").write_text("{}\n", encoding="utf-8")
    config = json.loads((HERE / "jupyter-lite.json").read_text(encoding="utf-8"))
    (kernel,) = config["jupyter-config-data"]["litePluginSettings"].values()
    kernel["pyodideUrl"] = f"./{folder}/pyodide.js"
    kernel["loadPyodideOptions"] = {**pyodide.OPTIONS, "packages": packages}
    (project / "jupyter-lite.json").write_text(json.dumps(config), encoding="utf-8")
    shutil.copy(HERE / "overrides.json", project / "overrides.json")


def finish(target: Path, loaded: int) -> None:
    """Give the notebook's page its line of progress and its buttons, and take away what nobody opens."""
    shutil.rmtree(target / "doc")
    (target / "index.html").write_text(INDEX, encoding="utf-8")
    # Before JupyterLite has found a figure among the files, the page looks for it here.
    shutil.copytree(target / "files" / "figures", target / "figures")
    for name in ("bar.js", "bar.css"):
        shutil.copy(HERE / "static" / name, target / name)
    worker = target / "service-worker.js"
    worker.rename(target / "jupyterlite-worker.js")
    shutil.copy(HERE / "static" / "service-worker.js", worker)
    html = target / "notebooks" / "index.html"
    head = f'<link rel="stylesheet" href="../bar.css" /><script defer src="../bar.js" data-bytes="{loaded}"></script>'
    html.write_text(html.read_text(encoding="utf-8").replace("</head>", f"{head}</head>"), encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.lite", description=__doc__.splitlines()[0])
    web.add_options(parser)
    parser.add_argument(
        "--pyodide",
        default=pyodide.RELEASE,
        type=lambda given: given or pyodide.RELEASE,
        help=f"folder or address of Pyodide {pyodide.VERSION} (default: its release)",
    )
    given = parser.parse_args()
    edition = None
    try:
        if given.repository:
            colab.checked(given.repository)
        try:
            edition = build(ROOT / "build" / "lite", pyodide.fetched(given.pyodide))
        except pyodide.Missing as error:
            print(f"lite: the site is made without lessons that run in the browser: {error}")
        web.build(given.out, given.address, edition=edition, repository=given.repository)
    except (RuntimeError, ValueError) as error:
        sys.exit(f"site: {error}")


if __name__ == "__main__":
    main()
