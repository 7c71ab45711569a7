"""What the pages of the course point at exists: files, headings, commands and lessons."""

import json
import re

import pytest

from capslib import weights
from tests import ROOT
from tools import pace

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("notebooks/*.md"), *ROOT.glob("notebooks/**/*.ipynb")])
PAGES = [page for page in PAGES if ".ipynb_checkpoints" not in page.parts]
COMMANDS = sorted([*ROOT.glob("*.md"), *ROOT.glob("notebooks/*.md"), *ROOT.glob("notebooks/*.ipynb")])


def prose(page):
    """The markdown of a page, or of all markdown cells of a notebook."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return text


def slug(heading):
    """The anchor that renderers make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(page, text):
    """The targets in a page that lead nowhere; addresses on the web are not tried."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)", text) + re.findall(
        r"<(?:a|img)\b[^>]*?(?:href|src)=\"([^\"]+)\"", text
    )
    for target in targets:
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        inside = there.is_relative_to(ROOT)
        headings = re.findall(r"^#+ (.*)$", prose(there), re.M) if anchor and inside and there.is_file() else []
        if not inside or not there.exists() or (anchor and anchor.lower() not in map(slug, headings)):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_lead_somewhere(page):
    assert list(broken_links(page, prose(page))) == []


def test_broken_links_are_seen():
    page = ROOT / "README.md"
    text = "[a](nowhere.md) [b](LICENSE) [c](#lessons) [d](#no) ![e](figures/none.svg) `[f](code.md)` [g](../up.md)"
    assert list(broken_links(page, text)) == ["nowhere.md", "#no", "figures/none.svg", "../up.md"]
    assert list(broken_links(page, '<img alt="x" src="none.png"> [h](https://example.org/none)')) == ["none.png"]


def targets(makefile):
    return set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.M))


def commands(text):
    """The targets of every `make …` in a page's code."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.S) + re.findall(r"`([^`\n]+)`", text)
    return {name for block in blocks for name in re.findall(r"(?:^|\n|&& )make ([a-z][\w-]*)", block)}


@pytest.mark.parametrize("page", COMMANDS, ids=[page.name for page in COMMANDS])
def test_commands_named_in_the_pages_exist(page):
    assert commands(prose(page)) <= targets((ROOT / "Makefile").read_text(encoding="utf-8"))


def test_commands_are_found():
    found = commands("`make lab PYTHON=x`, make nothing, and\n\n```sh\nmake setup\nmake test\n```\n")
    assert found == {"lab", "setup", "test"}
    assert {"lab", "test"} <= commands(prose(ROOT / "README.md"))
    assert targets("X = a:b\nlab: setup\n\tx: y\n.PHONY: z\nY := 1\n") == {"lab"}


def test_make_help_names_every_command():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    helped = set(re.findall(r'@echo "make ([\w-]+) ', makefile))
    assert helped == targets(makefile) - {"help"}
    assert set(re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()) == targets(makefile)


def test_the_readme_links_the_lessons_that_exist_and_marks_the_others():
    rows = re.findall(r"^\| (\d\d|A\d) \| (.*?) \| .* \|$", prose(ROOT / "README.md"), re.M)
    appendices = sorted(path.name[:2] for path in ROOT.glob("notebooks/A*.ipynb"))
    assert [number for number, _ in rows] == [*(f"{n:02d}" for n in range(14)), *appendices]
    for number, lesson in rows:
        here = sorted(ROOT.glob(f"notebooks/{number}_*.ipynb"))
        if here:
            assert f"](notebooks/{here[0].name})" in lesson and "to come" not in lesson
        else:
            assert lesson.endswith(" · to come") and "](" not in lesson


def test_the_readme_gives_the_minutes_that_each_lesson_states():
    rows = re.findall(r"^\| (?:\d\d|A\d) \| .*?\((notebooks/\S+)\) \| (.*?) \| .* \|$", prose(ROOT / "README.md"), re.M)
    assert len(rows) == len(list(ROOT.glob("notebooks/*.ipynb")))
    for path, told in rows:
        main, deeper, exercises = pace.stated(json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"])
        assert told == " + ".join(str(minutes) for minutes in (main + deeper, exercises) if minutes), path


def test_the_readme_quotes_the_accuracy_on_the_card():
    accuracy = weights.card("article_capsnet")["test_accuracy"]
    assert f" classifies {accuracy:.4f} of MNIST's 10,000 test" in " ".join(prose(ROOT / "README.md").split())
