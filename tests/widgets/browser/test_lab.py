"""What holds for all widgets in JupyterLab. What each does in its own lesson is tested beside that widget."""

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from capslib.widgets import Quiz
from tests.widgets.browser.saved import notebook
from tools.browser.examples import EXAMPLES
from tools.browser.harness import printed

NOT_FOUND = "model not found"
FOCUSABLE = ":is(button, select, input, [tabindex='0'])"


@pytest.fixture
def all_widgets(tmp_path):
    """Path of a saved notebook with one of each widget, and the widgets."""
    widgets = [make() for make in EXAMPLES.values()]
    return notebook(tmp_path / "all.ipynb", *widgets), widgets


def test_an_untrusted_notebook_shows_pictures_and_runs_nothing(lab, page, keep, all_widgets):
    path, widgets = all_widgets
    lab.open(page, path, run=False, trusted=False)
    for widget in widgets:
        if isinstance(widget, Quiz):  # Words where it cannot live.
            expect(page.get_by_role("list").filter(has_text=widget.questions[0]["text"]).first).to_be_visible()
            continue
        picture = page.get_by_alt_text(widget.describe(), exact=True)
        picture.scroll_into_view_if_needed()
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.naturalWidth") > 200
    assert page.locator(".caps").count() == 0
    keep(page, "lab-untrusted")


@pytest.mark.parametrize("interface", ["doc", "lab"])
def test_a_trusted_notebook_shows_widgets_without_running_and_keeps_its_cells(lab, page, keep, all_widgets, interface):
    path, widgets = all_widgets
    lab.open(page, path, interface=interface, run=False, trusted=True)
    cells, before = page.locator(".jp-Notebook .jp-Cell"), lab.cells(page)
    for place in range(len(widgets)):
        cells.nth(place + 1).scroll_into_view_if_needed()
        view = page.locator(".caps").nth(place)
        expect(view.locator("[aria-live=polite]")).to_have_text(re.compile(r"\d"))
        for control in view.locator(FOCUSABLE).all()[:4]:
            if control.is_visible() and control.is_enabled():
                control.focus()
                for key in ("x", "j", "ArrowDown", "Delete", "d", "d"):
                    page.keyboard.press(key)
        assert view.locator(":focus").count() == 1, "the focus is no longer in the widget"
    assert lab.cells(page) == before
    keep(page, f"lab-trusted-{interface}")
    # On a busy machine ipywidgets may have given up on what is drawn by now, and said so.
    page.errors[:] = [error for error in page.errors if NOT_FOUND not in error]


def test_what_answers_a_question_is_collapsed_until_it_is_asked_for(lab, page, keep):
    lab.open(page, "02_pose_and_votes.ipynb", interface="lab", run=False, trusted=True)
    cell = page.locator(".jp-CodeCell", has_text="plots.one_vote(")
    cell.scroll_into_view_if_needed()
    answer = cell.locator(".jp-OutputArea-output img")
    expect(answer).to_be_hidden()
    expect(cell.locator(".jp-Placeholder")).to_contain_text("a picture")  # and not what is in it
    keep(page, "lab-collapsed")
    cell.locator(".jp-Placeholder").click()
    expect(answer).to_be_visible()


@pytest.mark.skipif(sys.platform == "darwin", reason="no variable moves the data directory there")
def test_what_is_done_here_is_kept_apart_from_the_progress_of_who_runs_it(lab, page):
    lab.open(page, "03_squash.ipynb", run=False)
    kept = Path(printed(page, "from capslib.exercises import progress; print(progress.path())"))
    assert kept.is_relative_to(lab.course.parent)


# What Lab does not find ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interface", ["doc", "lab"])
def test_the_picture_stands_in_for_a_widget_whose_state_was_never_saved(lab, page, keep, tmp_path, interface):
    kept, *gone = [EXAMPLES[name]() for name in ("SquashExplorer", "LiveCapsNet", "VoteRouter")]
    path = notebook(tmp_path / "gone.ipynb", *gone, kept, gone=gone)
    lab.open(page, path, interface=interface, run=False, trusted=True)
    for widget in gone:
        picture = page.get_by_alt_text(widget.describe(), exact=True)
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.naturalWidth") > 200
    expect(page.locator(".caps [aria-live=polite]")).to_have_text(re.compile(r"\d"))
    assert page.get_by_text(NOT_FOUND).count() == 0
    keep(page, f"lab-gone-{interface}")
    # Lab was told at once; ipywidgets still says on the console that it went on looking.
    page.errors[:] = [error for error in page.errors if NOT_FOUND not in error]


LATE = """
window.asked = [];
window.programs = new Set();
const { setTimeout: wait } = window;
window.setTimeout = (call, ms, ...rest) => {
    if (ms !== 100 || !/get_model/.test(new Error().stack)) return wait(call, ms, ...rest);
    asked.push({ call, since: Date.now() });
};
const address = URL.createObjectURL;
URL.createObjectURL = (...given) => { // anywidget starts a widget's program from one.
    programs.add(given[0].size);
    return address.apply(URL, given);
};
window.go_on = () => {
    window.setTimeout = wait;
    for (const { call } of asked) call();
};
"""
"""Halts ipywidgets' search for models, as a browser does that is busy; it notes which programs of widgets start."""


@pytest.mark.parametrize("interface", ["doc", "lab"])
def test_a_widget_whose_state_came_late_lives(lab, page, tmp_path, interface):
    widgets = [EXAMPLES[name]() for name in ("SquashExplorer", "VoteRouter")]
    page.add_init_script(LATE)
    lab.open(page, notebook(tmp_path / "late.ipynb", *widgets), interface=interface, run=False, trusted=True)
    late = "asked.length === 2 && programs.size === 2 && asked.every(({ since }) => Date.now() - since > 2000)"
    page.wait_for_function(late)
    assert page.locator(".caps").count() == 0
    page.evaluate("go_on()")
    expect(page.locator(".caps [aria-live=polite]")).to_have_text([re.compile(r"\d")] * 2)
    assert page.get_by_text(NOT_FOUND).count() == 0
    assert len([error for error in page.errors if NOT_FOUND in error]) == 2, "ipywidgets did not give up"
    page.errors.clear()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_widget_looks_after_those_that_lab_does_not_find(mounted, name):
    page = mounted(EXAMPLES[name]())
    assert page.evaluate("model.program.then(({ initialize }) => initialize?.name)") == "rescue"
