"""The lessons that run in a browser, as `make lite` makes them: opened from their pages, run, changed, and kept."""

import configparser
import contextlib
import json
import re
import zipfile

import pytest
from playwright.sync_api import expect

from tests import ROOT
from tests.conftest import NO_LITE
from tests.widgets.browser.conftest import PATIENCE
from tests.widgets.browser.test_site import missing, served, watched
from tools.browser.harness import VIEW, printed, watched_page
from tools.lite import __main__ as lite
from tools.lite import page as about
from tools.lite import pyodide
from tools.web import __main__ as web

RULES = configparser.ConfigParser(interpolation=None)
RULES.read(ROOT / "tests" / "notebooks" / "nbval_sanitize.cfg")

RECORD = """
    window.steps = [];
    new MutationObserver(() => {
        const bar = document.querySelector("#course-bar");
        const step = bar && `${bar.dataset.state}: ${bar.querySelector("[role=status]").textContent} ${
            bar.dataset.state === "loading" ? bar.querySelector(".count").textContent : ""}`.trim();
        if (step && steps.at(-1) !== step) steps.push(step);
    }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""
"""Keeps all that the line above a lesson has said."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site with the lessons in it, in a folder below the top of a host. It is left out where Pyodide is not."""
    reason = missing() or ("" if lite.PYTHON.exists() else "there is no build/lite-env")
    try:
        kept = pyodide.fetched(str(pyodide.KEPT))
    except pyodide.Missing as error:
        reason = reason or str(error)
    if reason:
        pytest.skip(f"{NO_LITE}: {reason}")
    folder = tmp_path_factory.mktemp("host")
    (folder / "favicon.ico").touch()
    edition = lite.build(folder / "lite", kept)
    return web.build(folder / "the course" / "site", log=str, work=folder / "work", edition=edition)


@pytest.fixture(scope="module")
def host(site):
    with served(site.parents[1]) as address:
        yield f"{address}/the%20course/site"


@contextlib.contextmanager
def visitor(browser):
    """A page of a browser that has never been here."""
    with watched_page(browser) as page:
        page.set_default_timeout(PATIENCE)
        page.add_init_script(RECORD)
        yield page
    assert not page.outside, f"requested from elsewhere: {page.outside}"
    assert not page.errors, f"errors in the page: {page.errors}"


@pytest.fixture
def page(browser):
    with visitor(browser) as page:
        yield page


@pytest.fixture(scope="module")
def lesson(browser, host):
    """Lesson 03 on a first visit, once for the tests that each need no more than a cell of it."""
    with visitor(browser) as page:
        opened(page, host, "03_squash").evaluate("window.first_steps = [...steps]")
        yield page


def ready(page):
    """Wait until Python is ready; a dialog would lie over the lesson."""
    page.locator("#course-bar:is([data-state=ready], [data-state=failed])").wait_for()
    assert page.locator("#course-bar").get_attribute("data-state") == "ready", page.evaluate("steps")
    assert page.locator(".jp-Dialog").count() == 0
    return page


def opened(page, host, name):
    """Come to a lesson by the one click on its page."""
    page.goto(f"{host}/notebooks/{name}.html")
    page.get_by_role("link", name="Run and change this lesson").click()
    return ready(page)


def cells_of(page):
    return page.evaluate("jupyterapp.shell.currentWidget.content.model.toJSON().cells")


def run(page, number, source):
    """Put code in a cell, run it, and give the text of its outputs."""
    page.evaluate(
        """async ([number, source]) => {
            const { content } = jupyterapp.shell.currentWidget;
            content.activeCellIndex = number;
            content.activeCell.model.sharedModel.setSource(source);
            await jupyterapp.commands.execute("notebook:run-cell");
        }""",
        [number, source],
    )
    return "".join(text for kind, text in texts(cells_of(page)[number]) if kind == "stdout")


def texts(cell):
    """What a cell has put out, as the rules for comparing notebooks see it: what kind it is, and the text."""
    found = []
    for output in cell["outputs"]:
        kind = output.get("name") or output["output_type"]
        data = {"text": output.get("text")} if "name" in output else output.get("data", {})
        for mime, value in sorted(data.items()):
            if mime.startswith("text"):
                text = "".join(value)
                for rule in RULES.sections():
                    text = re.sub(RULES[rule]["regex"], RULES[rule]["replace"], text)
                if found and kind in ("stdout", "stderr") and found[-1][0] == kind:
                    text = found.pop()[1] + text
                found.append((kind if mime == "text" else mime, text))
    return found


def saved(name, folder="notebooks"):
    return json.loads((ROOT / folder / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def code(cell):
    return "".join(cell["source"])


def stub(cells):
    """The number of the first cell with an exercise that asks for a function, its name, and its solution."""
    for number, cell in enumerate(cells):
        found = re.search(r'^exercises\.check\("(\w+)", \1\)$', code(cell), re.M)
        if cell["cell_type"] == "code" and found and f"def {found[1]}(" in code(cell):
            return number, found[1]
    raise AssertionError("there is no exercise")


def solved(name, exercise):
    """The cell with the solution of an exercise."""
    cells = map(code, saved(name, "notebooks/solutions"))
    return next(cell for cell in cells if f'check("{exercise}"' in cell)


@pytest.mark.parametrize("name", lite.LESSONS)
def test_a_lesson_runs_as_it_was_saved(page, host, keep, name):
    opened(page, host, name)
    before = saved(name)
    assert page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')") is True
    after = cells_of(page)
    keep(page, f"lite-{name}")
    assert [cell["cell_type"] for cell in after] == [cell["cell_type"] for cell in before]
    for old, new in zip(before, after, strict=True):
        if old["cell_type"] == "code":
            assert new["execution_count"] == old["execution_count"]
            assert not [text for kind, text in texts(new) if kind in ("error", "stderr")], code(new)
            if "nbval-ignore-output" not in old["metadata"].get("tags", []):
                assert texts(new) == texts(old), code(new)
            pictures = [sum("image/png" in one.get("data", {}) for one in cell["outputs"]) for cell in (old, new)]
            assert pictures[0] == pictures[1]
    # Every picture, those of the lesson's own text too, is drawn.
    assert page.evaluate(
        """Promise.all([...document.images].map((image) => image.decode().then(() => image.naturalWidth > 1)))
            .then((drawn) => drawn.length > 5 && drawn.every(Boolean))"""
    )
    shown = sum(VIEW in one.get("data", {}) for cell in after for one in cell.get("outputs", []))
    widgets = page.locator(".caps")
    expect(widgets).to_have_count(shown)
    for widget in widgets.all():
        said = watched(widget.locator("[aria-live=polite]").first)
        for control in widget.locator(":is(button, select, input, [role=slider])").all():
            if control.is_visible() and control.is_enabled():
                control.press(
                    "Space" if control.evaluate("node => /button|input/.test(node.localName)") else "ArrowRight"
                )
                control.press("ArrowRight")
        said()
    # An exercise, first wrong, then right.
    number, exercise = stub(before)
    solution = solved(name, exercise)
    wrong = f"{solution}\nexercises.check({exercise!r}, lambda *given: {exercise}(*given) + 1)"
    first, hint = run(page, number, wrong).removeprefix("right\n").strip().split("\n")[:2]
    assert first.startswith("not yet: ") and len(hint) > 20
    assert run(page, number, solution) == "right\n"
    output = page.locator(".jp-Cell").nth(number).locator(".jp-OutputArea-output img")
    expect(output.first).to_be_visible()


def test_the_line_says_what_is_loading_and_how_far_it_is(lesson, site):
    page, steps = lesson, lesson.evaluate("first_steps")
    megabytes = [
        int(done) for step in steps for done in re.findall(r"^loading: Loading Python … (\d+) of \d+ MB$", step)
    ]
    assert steps[0] == "loading: Loading the notebook …"
    assert megabytes == sorted(megabytes) and len(megabytes) > 3
    assert (
        page.evaluate("document.querySelector('#main').getBoundingClientRect().top")
        == page.locator("#course-bar").bounding_box()["height"]
    )
    assert any(step.startswith("starting: ") for step in steps) and re.match(r"ready: Ready after \d+ s", steps[-1])
    # What a first click loads is what the page says.
    kept = page.evaluate(
        """caches.open("course").then(async (cache) => {
            const sizes = (await cache.keys()).map(async (key) => (await (await cache.match(key)).blob()).size);
            return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0) / 1e6;
        })"""
    )
    loaded = int(page.evaluate("TOTAL"))
    assert loaded / 1e6 < kept < about.first_click(loaded)
    assert f"about {about.first_click(loaded):.0f} MB" in (site / "browser.html").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.search(r"adds (\d+) MB to the site; a first click loads about (\d+) MB", readme)
    added, first = map(int, told.groups())
    there = sum(file.stat().st_size for file in (site / "try").rglob("*") if file.is_file())
    assert abs(added - there / 1e6) < 2 and abs(first - about.first_click(loaded)) < 2


def test_python_starts_from_bytecode_and_the_lock_knows_it(site):
    (python,) = (site / "try").glob("pyodide-*")
    lock = json.loads((python / pyodide.LOCK).read_text(encoding="utf-8"))["packages"]
    files = [package["file_name"] for package in lock.values()]
    with_source = set()
    for file in [*(file for file in files if file.endswith(".whl")), "python_stdlib.zip"]:
        names = zipfile.ZipFile(python / file).namelist()
        kinds = {kind for kind in (".py", ".pyc") if any(name.endswith(kind) for name in names)}
        assert kinds != {".py"}, file
        with_source |= {file.split("-")[0]} if ".py" in kinds else set()
    assert with_source == {"capslib"}, "learners read its source"
    assert all(package["sha256"] == pyodide.sha256(python / package["file_name"]) for package in lock.values())


def test_scipy_comes_when_a_cell_asks_for_it(lesson):
    assert run(lesson, 1, "from scipy.special import expit\n\nprint(expit(0.0))") == "0.5\n"


def test_an_endless_loop_in_an_exercise_is_stopped(lesson):
    before = saved("03_squash")
    number, exercise = stub(before)
    run(lesson, 1, code(before[1]))
    endless = f"def {exercise}(*given):\n    while True:\n        pass\n\n\nexercises.check({exercise!r}, {exercise})"
    assert run(lesson, number, endless).startswith("not yet: it ran for more than 5 seconds and was stopped.")


def test_a_lesson_that_needs_keras_says_so_in_one_line(lesson):
    run(lesson, 1, "from capslib import models")
    (error,) = cells_of(lesson)[1]["outputs"]
    assert re.fullmatch(
        r"BackendError: keras: not found; this lesson needs the installed course.*", "".join(error["traceback"])
    )


def test_what_was_done_is_there_at_the_next_visit_without_a_click_until_it_is_taken_back(page, host, tmp_path):
    opened(page, host, "05_margin_loss")
    before = saved("05_margin_loss")
    number, exercise = stub(before)
    run(page, 1, code(before[1]))
    assert run(page, number, solved("05_margin_loss", exercise)) == "right\n"
    assert run(page, 1, "print('mine')") == "mine\n"
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    ready(page)
    assert cells_of(page)[1]["source"] == "print('mine')"
    assert cells_of(page)[1]["outputs"][0]["text"] == "mine\n"
    # The exercises that were solved, too.
    done = "from capslib.exercises import progress\n\nprint(progress.done()['exercises'])"
    assert run(page, number, done) == f"{[exercise]}\n"
    assert run(page, number, f"progress.reset()\n{done}") == "[]\n"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "05_margin_loss.ipynb"
    download.value.save_as(tmp_path / "mine.ipynb")
    assert code(json.loads((tmp_path / "mine.ipynb").read_text())["cells"][1]) == "print('mine')"
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#course-bar")).to_contain_text("the lesson as it was published")
    assert [cell["source"] for cell in cells_of(page)] == [code(cell) for cell in before]
    page.get_by_role("link", name="What you had is here").click()
    page.wait_for_url("**before-starting-over**")
    ready(page)
    assert cells_of(page)[1]["source"] == "print('mine')"


def test_a_second_visit_needs_no_network(page, site):
    with served(site.parent) as address:
        opened(page, f"{address}/site", "03_squash")
        page.locator("#course-bar[data-kept=all]").wait_for()
        lesson = page.url
    page.goto(lesson)  # There is no server any more.
    ready(page)
    assert printed(page, "from capslib import equations; print(equations.squash([3.0, 4.0]).shape)") == "(2,)"
    page.locator("#course-bar[data-kept=all]").wait_for()
    page.errors[:] = [error for error in page.errors if "net::ERR_" not in error]


def test_a_link_to_a_notebook_that_is_not_there_leads_to_its_page(lesson, host):
    with lesson.expect_popup() as popup:
        lesson.get_by_role("link", name="solutions/03_squash").click()
    popup.value.wait_for_load_state()
    assert popup.value.url == f"{host}/notebooks/solutions/03_squash.html"
    popup.value.close()


def test_opened_as_a_file_it_says_what_it_needs(page, site):
    page.goto((site / "notebooks" / "03_squash.html").as_uri())
    page.get_by_role("link", name="Run and change this lesson").click()
    expect(page.locator("#course-bar[data-state=failed]")).to_contain_text("python3 -m http.server")
    page.goto("about:blank")
    page.errors.clear()  # JupyterLite's own programs do not load from a file.


def test_the_landing_page_and_the_page_about_it_lead_to_every_lesson(page, host, site):
    for name in ("index", "browser"):
        page.goto(f"{host}/{name}.html")
        for lesson in lite.LESSONS:
            link = page.locator(f'.course-run a[href="try/notebooks/index.html?path=notebooks/{lesson}.ipynb"]')
            expect(link).to_have_text(code(saved(lesson)[0]).split("\n")[0].removeprefix("# "))
    rows = page.locator("article table").last.locator("tbody tr")
    (python,) = (site / "try").glob("pyodide-*")
    packages = json.loads((python / pyodide.LOCK).read_text(encoding="utf-8"))["packages"]
    told = {row.locator("td").first.inner_text(): row.locator("td").nth(2).inner_text() for row in rows.all()}
    assert told.keys() == packages.keys() and all(told.values())
