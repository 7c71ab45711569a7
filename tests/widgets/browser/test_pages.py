"""The pages that `make pages` makes live from the file alone: no kernel, no network, no JavaScript but their own."""

import json

import pytest
from playwright.sync_api import expect

from tests import ROOT
from tests.conftest import NO_MATHJAX
from tests.widgets.browser.saved import notebook
from tools import pages
from tools.browser.examples import EXAMPLES
from tools.browser.harness import STATE, VIEW

FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
WITH_WIDGETS = [path for path in LESSONS if '"_esm"' in path.read_text(encoding="utf-8")]


@pytest.fixture(scope="module")
def mathjax():
    try:
        return pages.mathjax()
    except ConnectionError as error:
        pytest.skip(f"{NO_MATHJAX}: {error}")


@pytest.fixture
def opened(page, tmp_path):
    """Make the page of a notebook, and open it from file://."""

    def opened(path, program=None):
        made = tmp_path / path.with_suffix(".html").name
        made.write_text(pages.page(path, program), encoding="utf-8")
        page.goto(made.as_uri())
        return page

    return opened


@pytest.mark.parametrize("path", WITH_WIDGETS, ids=lambda path: path.stem)
def test_the_widgets_of_a_lesson_live(opened, keep, path):
    saved = json.loads(path.read_text(encoding="utf-8"))
    states = saved["metadata"]["widgets"][STATE]["state"]
    shown = [
        output["data"].get(VIEW) for cell in saved["cells"] for output in cell.get("outputs", []) if "data" in output
    ]
    shown = [view for view in shown if view and "_esm" in states[view["model_id"]]["state"]]
    page = opened(path)
    widgets = page.locator("[data-model] .caps")
    expect(widgets).to_have_count(len(shown))
    for number, widget in enumerate(widgets.all()):
        line = widget.locator("[aria-live=polite]")
        before = line.inner_text()
        for control in widget.locator(":is(button, select, input, [role=slider]):not(:disabled)").all():
            if control.is_visible() and line.inner_text() == before:
                control.press("Space" if control.evaluate("node => node.localName") == "button" else "ArrowRight")
        assert line.inner_text() != before, "no control changed what the widget says"
        keep(widget, f"page-{path.stem}-{number}")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_widget_lives_in_a_page(opened, tmp_path, name):
    widget = EXAMPLES[name]()
    page = opened(notebook(tmp_path / "one.ipynb", widget, EXAMPLES[name]()))
    expect(page.locator("[data-model] [aria-live=polite]")).to_have_count(2)
    expect(page.locator("[data-model] img")).to_have_count(0)


def test_the_picture_stays_where_a_widget_fails(page, opened, tmp_path):
    widget = EXAMPLES[min(EXAMPLES)]()
    path = notebook(tmp_path / "one.ipynb", widget)
    damaged = json.loads(path.read_text())
    damaged["metadata"]["widgets"][STATE]["state"][widget.model_id]["state"]["_esm"] = "this is no program"
    path.write_text(json.dumps(damaged))
    with page.expect_console_message(lambda said: said.type == "error" and "SyntaxError" in said.text):
        opened(path)
    expect(page.get_by_alt_text(widget.describe())).to_be_visible()
    assert len(page.errors) == 1 and "SyntaxError" in page.errors[0]
    page.errors.clear()


def test_formulas_are_drawn_without_a_network(opened, mathjax, tmp_path):
    text = (
        "# A title\n\nInline $\\hat u_{ij} = u_i W_{ij}$, and\n\n$$c_{ij} = \\frac{e^{b_{ij}}}{\\sum_k e^{b_{ik}}}.$$"
    )
    page = opened(notebook(tmp_path / "one.ipynb", source=text), mathjax)
    expect(page.locator("mjx-container svg")).to_have_count(2)
    assert "$" not in page.locator("main").inner_text()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_becomes_a_page(opened, mathjax, path):
    page = opened(path, mathjax)
    page.evaluate("MathJax.startup.promise")
    assert page.title().startswith(path.stem[:2])
    assert page.locator("merror, mjx-merror, [data-mjx-error]").count() == 0
    assert page.locator("a[href$='.ipynb']").count() == 0
    page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")  # Fails where one is broken.


def test_answers_are_folded_until_they_are_asked_for(opened, keep):
    path = FOLDER / "02_pose_and_votes.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    hidden = [cell for cell in cells if "hide-output" in cell["metadata"].get("tags", [])]
    page = opened(path)
    folds = page.locator("details.folded")
    expect(folds).to_have_count(len(hidden))
    answer = folds.first.locator("img")
    expect(answer).to_be_hidden()
    folds.first.locator("summary").click()
    expect(answer).to_be_visible()
    keep(page, "page-folded")


def test_links_between_lessons_lead_to_pages(opened, tmp_path):
    text = "# A\n\n[b](04_b.ipynb) [c](04_b.ipynb#there) [d](https://example.org/e.ipynb) [f](../README.md)"
    page = opened(notebook(tmp_path / "one.ipynb", source=text))
    links = page.locator("p a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    assert links == ["04_b.html", "04_b.html#there", "https://example.org/e.ipynb", "../README.md"]
