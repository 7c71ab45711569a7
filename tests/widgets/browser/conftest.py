"""Widgets in a real browser: alone in a page without a kernel (`mounted`), and in JupyterLab (`lab`).

Nothing may leave this machine, so a page answers for every request; and nothing may be left behind, so JupyterLab runs
on a copy of the notebooks with directories of its own. Each worker of pytest has its own browser and its own server.
"""

import os

import pytest
from playwright.sync_api import expect

from tests.conftest import NO_CHROMIUM
from tools.browser.harness import ROOT, Lab, chromium, launched, mounted_page, saved_state, watched_page

SCREENSHOTS = ROOT / "build" / "screenshots"
PATIENCE = 120_000
"""Milliseconds that a page may take to get where it should: a limit, which only a test that fails ever waits for."""
STICKY = ".bd-header-article, .skip-link { visibility: hidden }"
"""What the site's theme lays over the page, and so over a part of it that is higher than the window."""
expect.set_options(timeout=PATIENCE)


# Not of the whole session: while Playwright runs, its event loop would be in the way of tests that start one.
@pytest.fixture(scope="package")
def browser():
    """A headless Chromium. Without one a test is skipped, or fails where CI is true: nobody reads what it skipped."""
    path = chromium()
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NO_CHROMIUM)
    with launched(path) as browser:
        yield browser


@pytest.fixture
def page(browser):
    """A page that must come to its end without an error, and without a request to another machine.

    `page.errors` and `page.outside` hold them; a test that provokes one takes it out.
    """
    with watched_page(browser) as page:
        page.set_default_timeout(PATIENCE)
        yield page
    assert not page.outside, f"requested from elsewhere: {page.outside}"
    assert not page.errors, f"errors in the page: {page.errors}"


@pytest.fixture
def keep():
    """Keep a picture of a page (the whole of it) or of a part: `keep(page, "squash-dark")` makes squash-dark.png."""

    def keep(what, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        whole = {"full_page": True} if hasattr(what, "goto") else {"style": STICKY}
        what.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled", **whole)

    return keep


@pytest.fixture
def mounted(page, tmp_path):
    """Show a widget without a kernel, as in `mounted(widget, views=2, dark=True, width=700)`; gives back the page.

    In the page: `model` (get, set, and `saved`, what Python would have received); `unmount()` and `mount()` take the
    views away and add one; `alive()` counts what a view that is gone must not leave behind; `draw_times`, ms of each
    render().
    """

    def mounted(widget, views=1, dark=False, width=1100, height=900):
        file = tmp_path / "mounted.html"
        file.write_text(mounted_page(saved_state(widget), views, dark), encoding="utf-8")
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.goto(file.as_uri())
        page.evaluate("ready")
        return page

    return mounted


@pytest.fixture(scope="package")
def lab(browser, tmp_path_factory):
    """JupyterLab, as in `lab.open(page, "03_squash.ipynb", interface="lab")`; see Lab.open."""
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()
