"""Make the web edition: `python -m tools.web` writes build/site, a static site that any host or browser shows.

It is made from the saved notebooks; no cell runs. Sphinx does it, from build/site-env, which tools/site_env.sh makes.
MathJax, which npm fetches the first time, sets the formulas; without it they stay TeX, and a line says so.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import yaml

from tools import colab
from tools.web import formulas, sources

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
SITE = ROOT / "build" / "site"
SPHINX = ROOT / "build" / "site-env" / "bin" / "python"


RUNS = """## Run it here

Four lessons run in your browser, with nothing to install. A first click loads about {size}:
[what is there](browser.md).

{links}
"""


class SiteError(RuntimeError):
    """The site could not be made; the text says why."""


class Edition(NamedTuple):
    """Lessons that run in the browser, as tools.lite makes them.

    Attributes:
        folder: goes into the site, where its name is `try`; it is moved.
        links: where each lesson opens, from the site's top, by its name.
        page: the site's page about them, in Markdown.
        size: how much a first click loads, in words.
    """

    folder: Path
    links: dict[str, str]
    page: str
    size: str


def build(
    site: Path,
    address: str = "",
    work: Path | None = None,
    log=print,
    edition: Edition | None = None,
    repository: str = "",
) -> Path:
    """Make the site in a folder, which is replaced once the new one is there.

    Args:
        site: the folder.
        address: where the site will be, such as "https://example.org/capsules/"; "" if that is not known. Only the
            sitemap and the preview that other sites show of a link need it.
        work: where the sources are put together; beside the site if not given.
        log: takes a line of text.
        edition: what runs in the browser, if anything does.
        repository: OWNER/NAME on GitHub, whose branch for Colab the lessons open in Colab and Binder; "" for none.

    Raises:
        ValueError: if the repository's name is none.
        SiteError: if Sphinx is not there, fails, or warns of anything, or a formula is wrong.
    """
    if not SPHINX.exists():
        raise SiteError(f"{SPHINX.relative_to(ROOT)}: not found, expected what `sh tools/site_env.sh` makes")
    work = work or site.with_name(f"{site.name}-source")
    shutil.rmtree(work, ignore_errors=True)
    static = sources.Static(work / "_static")
    scripts = write_sources(work, static, edition)
    cite = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    facts = {
        "title": cite["title"].partition(":")[0],
        "version": cite["version"],
        "author": cite["authors"][0]["name"],
        "description": " ".join(cite["abstract"].split()),
        "address": address,
        "scripts": scripts,
        "runs": {f"notebooks/{name}": f"../{link}" for name, link in edition.links.items()} if edition else {},
        "size": edition.size if edition else "",
        "static": str(static.folder.resolve()),
        "repository": opened_in(repository) if repository else {},
    }
    made = work / "html"
    command = [SPHINX, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-c", HERE, "-d", work / "doctrees"]
    done = subprocess.run(
        [str(part) for part in (*command, work, made)],
        env={**os.environ, "COURSE_SITE": json.dumps(facts)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SiteError(f"sphinx:\n{done.stdout}{done.stderr}".rstrip())
    try:
        formulas.set_formulas(made)
    except ConnectionError as error:
        log(f"site: formulas stay TeX: {error}")
    except formulas.FormulaError as error:
        raise SiteError(str(error)) from None
    if address:
        write_sitemap(made, address)
    if edition:
        shutil.move(edition.folder, made / "try")
    shutil.rmtree(site, ignore_errors=True)
    shutil.move(made, site)
    log(f"site: {site / 'index.html'}")
    return site


def opened_in(repository: str) -> dict:
    """The theme's settings that let a lesson be opened elsewhere."""
    return {
        "repository_url": f"{colab.GITHUB}/{colab.checked(repository)}",
        "repository_branch": colab.BRANCH,
        "use_repository_button": True,
        "launch_buttons": {
            "colab_url": colab.COLAB,
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }


def write_sources(work: Path, static: sources.Static, edition: Edition | None) -> dict[str, list[str]]:
    """Put together what Sphinx reads; gives the scripts of each page, by its name."""
    for name in ("figures", "benchmarks/results"):
        for picture in (ROOT / name).glob("*.svg"):
            target = work / name / picture.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, target)
    scripts = {}
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        name = path.relative_to(ROOT).with_suffix("").as_posix()
        notebook = json.loads(path.read_text(encoding="utf-8"))
        up = "../" * name.count("/")
        target = work / f"{name}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(sources.page(notebook, up, static), ensure_ascii=False), encoding="utf-8")
        models = sources.models_of(notebook)
        if models:
            scripts[name] = static.states(name.rpartition("/")[2], models)
    static.shared()
    static.put(".", "explorer.png", (ROOT / "figures" / "explorer.png").read_bytes())
    teaching = (ROOT / "notebooks" / "TEACHING.md").read_text(encoding="utf-8")
    (work / "notebooks" / "TEACHING.md").write_text(sources.without_outside_links(teaching), encoding="utf-8")
    if edition:
        (work / "browser.md").write_text(edition.page, encoding="utf-8")
    scripts["index"] = write_landing(work, static, edition)
    return scripts


def saved(name: str) -> dict:
    """The notebook of a lesson."""
    return json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))


def widget_of(notebook: dict, kind: str) -> tuple[str, dict, dict]:
    """The first widget of a kind that a notebook shows: its id, its output, and its model with those it refers to."""
    models = sources.models_of(notebook)
    for key, data in sources.shown(notebook):
        if models[key]["state"]["_anywidget_id"].endswith(f".{kind}"):
            needed = {key: models[key]}
            for value in models[key]["state"].values():
                other = value.removeprefix("IPY_MODEL_") if isinstance(value, str) else ""
                if other in models:
                    needed[other] = models[other]
            return key, data, needed
    raise SiteError(f"{kind}: not shown by the notebook, expected it on the landing page")


def write_landing(work: Path, static: sources.Static, edition: Edition | None) -> list[str]:
    """The first page; gives its scripts."""
    explorer, explorer_data, models = widget_of(saved("00_start_here"), "RoutingExplorer")
    drawing, drawing_data, more = widget_of(saved("08_look_inside"), "LiveCapsNet")
    names = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    solutions = sorted(path.stem for path in (ROOT / "notebooks" / "solutions").glob("*.ipynb"))
    text = (HERE / "index.md").read_text(encoding="utf-8")
    parts = {
        "explorer": sources.place(explorer, explorer_data, "", static),
        "drawing": sources.place(drawing, drawing_data, "", static),
        "runs": RUNS.format(links=links_of(edition.links), size=edition.size) if edition else "",
        "browser": "browser" if edition else "",
        "lessons": section("Lessons").replace("| |", "| no. |", 1),
        "results": section("Results"),
        "licences": section("Licences"),
        "sources": section("Sources and citation"),
        "pages": "\n".join(f"notebooks/{name}" for name in names if name[0] != "A"),
        "appendices": "\n".join(f"notebooks/{name}" for name in names if name[0] == "A"),
        "solutions": "\n".join(f"notebooks/solutions/{name}" for name in solutions),
    }
    (work / "index.md").write_text(re.sub(r"\{\{(\w+)\}\}", lambda part: parts[part[1]], text), encoding="utf-8")
    return static.states("index", models | more)


def links_of(links: dict[str, str]) -> str:
    """Links to the lessons that run in the browser, in HTML, with the titles that the lessons have."""
    titles = {name: saved(name)["cells"][0]["source"][0].removeprefix("# ").strip() for name in links}
    return "\n".join(f'<p class="course-run"><a href="{links[name]}">{titles[name]}</a></p>' for name in links)


def section(title: str) -> str:
    """A section of the README, without its heading; what lies outside the site is named and not linked."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not found:
        raise SiteError(f"README.md: has no section {title!r}, expected one for the landing page")
    return sources.without_outside_links(found[1]).strip()


def pages_of(site: Path) -> list[str]:
    """The pages of a site, by their paths in it; what the theme keeps among its files is none."""
    found = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(path.as_posix() for path in found if path.parts[0] not in ("_static", "try"))


def write_sitemap(site: Path, address: str) -> None:
    """The pages of the site with their addresses, for search engines."""
    pages = [page for page in pages_of(site) if page not in ("genindex.html", "search.html")]
    entries = "".join(f"<url><loc>{address.rstrip('/')}/{page}</loc></url>\n" for page in pages)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    (site / "sitemap.xml").write_text(text, encoding="utf-8")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every edition of the site can be told."""
    parser.add_argument("--out", type=Path, default=SITE, help="folder (default: build/site)")
    parser.add_argument("--address", default="", help="where the site will be; needed for the sitemap alone")
    parser.add_argument(
        "--repository", default="", help="OWNER/NAME on GitHub; lessons can then be opened in Colab and Binder"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.web", description=__doc__.splitlines()[0])
    add_options(parser)
    given = parser.parse_args()
    try:
        build(given.out, given.address, repository=given.repository)
    except (SiteError, ValueError) as error:
        sys.exit(f"site: {error}")


if __name__ == "__main__":
    main()
