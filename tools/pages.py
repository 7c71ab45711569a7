"""Make pages of notebooks: each is one file, lives in any browser, and needs no Jupyter, no kernel and no network.

    python tools/pages.py notebooks/03_squash.ipynb ...

They show what was saved; no cell runs, but widgets can be used. Formulas are drawn by MathJax, which npm fetches the
first time; without it they stay TeX, and a line says so.
"""

import base64
import hashlib
import mimetypes
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter

from capslib.records import write_atomically

ROOT = Path(__file__).resolve().parents[1]
MATHJAX = "mathjax@3.2.2"
SHA256 = "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882"


def mathjax(kept=ROOT / "build" / "mathjax.js"):
    """MathJax as one program that draws formulas as SVG, so needs no fonts.

    Args:
        kept: where it is put when it is fetched, and found from then on.

    Raises:
        ConnectionError: if it is not there and npm is missing, or does not bring it.
    """
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise ConnectionError(f"npm: not found, expected it to fetch {MATHJAX}")
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([npm, "pack", MATHJAX], cwd=folder, capture_output=True, text=True)
            packed = next(Path(folder).glob("*.tgz"), None)
            if done.returncode or packed is None:
                raise ConnectionError(f"npm: could not fetch {MATHJAX}: {' '.join(done.stderr.split())[-300:]}")
            with tarfile.open(packed) as archive:
                program = archive.extractfile("package/es5/tex-svg.js").read()
        if hashlib.sha256(program).hexdigest() != SHA256:
            raise ConnectionError(f"npm: brought another program than that of {MATHJAX}")
        write_atomically(kept, lambda file: file.write(program))
    return kept.read_text(encoding="utf-8")


def page(path, program=None):
    """The page of the notebook at `path`, as text.

    Args:
        path: a saved notebook.
        program: MathJax; without it formulas stay TeX.
    """
    path = Path(path)
    notebook = nbformat.read(path, as_version=4)
    heading = re.match(r"# (.+)", notebook.cells[0].source) if notebook.cells else None
    notebook.metadata.title = heading[1] if heading else path.stem
    exporter = HTMLExporter(template_name="page", extra_template_basedirs=[str(ROOT / "tools")], anchor_link_text="#")
    resources = {"metadata": {"name": path.stem, "path": str(path.parent)}, "mathjax": program}
    text, _ = exporter.from_notebook_node(notebook, resources=resources)

    def embedded(source):
        picture = (path.parent / source[2]).resolve()
        # Only pictures of the course: whoever wrote the notebook does not choose among the files of who makes the page.
        if not (picture.is_relative_to(ROOT) and picture.is_file()):
            return source[0]
        kind = mimetypes.guess_type(picture.name)[0]
        return f'{source[1]}="data:{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"'

    text = re.sub(r'(<img [^>]*?src)="(?![a-z]+:)([^"]+)"', embedded, text)
    return re.sub(r'(<a href="(?![a-z]+:)[^"#]+)\.ipynb(["#])', r"\1.html\2", text)


def main(paths, folder=ROOT / "build" / "pages"):
    """Write the pages of notebooks into a folder, as they lie in notebooks/."""
    try:
        program = mathjax()
    except ConnectionError as error:
        program = None
        print(f"pages: formulas stay TeX, since MathJax is not there: {error}", file=sys.stderr)
    for path in map(Path, paths):
        try:
            place = path.resolve().relative_to(ROOT / "notebooks")
        except ValueError:
            place = Path(path.name)
        made = folder / place.with_suffix(".html")
        text = page(path, program)
        write_atomically(made, lambda file, text=text: file.write(text.encode()))
        print(made)


if __name__ == "__main__":
    main(sys.argv[1:])
