"""What holds for all widgets in JupyterLab. What each does in its own lesson is tested beside that widget."""

import re

import pytest
from playwright.sync_api import expect

from tests.widgets.browser.saved import notebook
from tools.browser.examples import EXAMPLES

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
    cells = page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
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
    assert cells.count() == before
    keep(page, f"lab-trusted-{interface}")
