"""The web edition that `make site` makes: every page from file://, with no request to anywhere, for everyone."""

import contextlib
import functools
import http.server
import json
import os
import re
import threading
import urllib.parse
from html.parser import HTMLParser

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import ROOT
from tests.conftest import NO_SITE
from tests.widgets.browser.saved import notebook, opened
from tools import colab
from tools.browser.examples import EXAMPLES
from tools.browser.harness import STATE
from tools.web import __main__ as web
from tools.web import npm, sources

LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
ADDRESS = "https://example.org/capsules/"
REPOSITORY = "someone/capsules"
MOST_BYTES = 1_500_000
MOST_SCRIPTS = 2_500_000
"""Bytes of the programs that a page brings: those of its widgets, and 1.8 million of the theme, mostly its icons."""
DECODED = "Promise.all([...document.images].map((image) => (image.loading = 'eager', image.decode())))"
"""Fails where a picture is missing or broken."""


def missing():
    """Why the site cannot be made here, or ""."""
    if not web.SPHINX.exists():
        return "there is no build/site-env"
    try:
        npm.fetched(npm.MATHJAX), npm.fetched(npm.AXE)
    except ConnectionError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, in a folder with a blank and another alphabet. Without Sphinx or npm tests skip, or fail in CI."""
    reason = missing()
    if reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{NO_SITE}: {reason}")
    return web.build(tmp_path_factory.mktemp("web edition 膠囊") / "site", ADDRESS, log=str, repository=REPOSITORY)


def ready(page):
    page.locator("html[data-course=ready]").wait_for()
    return page


def watched(line):
    """Watch what a widget says; gives what waits until it has once said something else.

    It may say so later than a control is used, and another control may take it back.
    """
    line.evaluate(
        """node => {
            const before = node.innerText;
            const look = () => { if (node.innerText !== before) node.dataset.changed = "yes"; };
            new MutationObserver(look).observe(node, { subtree: true, childList: true, characterData: true });
        }"""
    )
    return lambda: expect(line).to_have_attribute("data-changed", "yes")


@pytest.fixture
def visit(page, site):
    """Open one of its pages from file://, and wait until its widgets and formulas are drawn."""

    def visit(name, dark=False, width=1280):
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto((site / f"{name}.html").as_uri())
        return ready(page)

    return visit


class Parts(HTMLParser):
    """The links, ids, pictures and scripts of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.pictures, self.sources, self.next = [], set(), [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.update(given[name] for name in ("id", "name") if given.get(name))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
            if "right-next" in (given.get("class") or ""):
                self.next = given["href"]
        if tag == "img":
            self.pictures.append(given)
        if tag in ("script", "img", "link", "iframe"):
            self.sources.append(given.get("src") or given.get("href") or "")


@pytest.fixture(scope="module")
def parts(site):
    return {name: Parts((site / name).read_text(encoding="utf-8")) for name in web.pages_of(site)}


# What the files hold ------------------------------------------------------------------------------------------------


def test_every_notebook_has_its_page(site):
    pages = web.pages_of(site)
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        assert path.relative_to(ROOT).with_suffix(".html").as_posix() in pages
    assert "index.html" in pages and "notebooks/TEACHING.html" in pages


def test_every_link_leads_to_a_page_and_a_place_of_the_site(site, parts):
    broken = []
    for page, found in parts.items():
        for link in found.links:
            address = urllib.parse.urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = (site / page).parent / urllib.parse.unquote(address.path) if address.path else site / page
            name = os.path.relpath(target.resolve(), site.resolve())
            place = urllib.parse.unquote(address.fragment)
            # Sphinx' own lists have no ids in what follows.
            if not target.is_file() or (place and name in parts and place not in parts[name].ids):
                broken.append(f"{page}: {link}")
    assert not broken


def test_nothing_is_taken_from_elsewhere(parts):
    outside = [(page, source) for page, found in parts.items() for source in found.sources if "//" in source]
    assert [source for _, source in outside if not source.startswith(ADDRESS)] == []


def test_every_picture_says_what_it_shows(parts):
    silent = [
        (page, picture.get("src"))
        for page, found in parts.items()
        for picture in found.pictures
        if not picture.get("alt")
    ]
    assert not silent


def test_a_page_is_small_and_what_pages_share_is_there_once(site, parts):
    for page, found in parts.items():
        own = [
            source for source in found.sources if "/states/" in source or "/pictures/" in source or "_images/" in source
        ]
        files = {(site / page).parent / source.partition("?")[0] for source in own}
        assert (site / page).stat().st_size + sum(file.stat().st_size for file in files) < MOST_BYTES, page
    programs = [path.stem.partition("-")[0] for path in (site / "_static" / "programs").iterdir()]
    assert len(programs) == len(set(programs)), "notebooks hold different versions of a widget"


def test_a_page_brings_its_formulas_set_and_no_program_for_them(site, parts):
    """What kept a page from being there at once was MathJax: two megabytes, and a second or two of setting."""
    drawn = 0
    for page, found in parts.items():
        text = (site / page).read_text(encoding="utf-8")
        assert text.count('class="math ') == text.count("<mjx-container"), page
        assert set(re.findall(r'xlink:href="#(.*?)"', text)) <= found.ids, page
        drawn += text.count("<mjx-container")
        scripts = {(site / page).parent / source.partition("?")[0] for source in found.sources if ".js" in source}
        programs = [file for file in scripts if file.parent.name != "states"]
        assert sum(file.stat().st_size for file in programs) < MOST_SCRIPTS, page
    assert drawn > 1000


def test_the_lessons_follow_one_another(site, parts):
    page, seen = "index.html", []
    while page and len(seen) < 100:
        seen.append(page)
        link = parts[page].next
        page = link and os.path.relpath(((site / page).parent / link).resolve(), site.resolve())
    lessons = [name for name in seen if re.match(r"notebooks/\w\d_", name)]
    assert lessons == [f"notebooks/{name}.html" for name in LESSONS]


def test_a_link_to_it_has_a_picture_elsewhere(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    (image,) = re.findall(r'<meta property="og:image" content="(.*?)">', text)
    assert image.startswith(ADDRESS)
    with Image.open(site / image.removeprefix(ADDRESS)) as picture:
        assert picture.size == (1200, 630)
    assert re.search(r'<meta name="description" content="A course .{40,}">', text)


def test_search_engines_find_every_page(site):
    listed = re.findall(r"<loc>(.*?)</loc>", (site / "sitemap.xml").read_text(encoding="utf-8"))
    assert all(page.startswith(ADDRESS) for page in listed)
    assert {f"{ADDRESS}notebooks/{name}.html" for name in LESSONS} < set(listed)


# Every page, used ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_lives(visit, keep, name):
    saved = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    page = visit(f"notebooks/{name}")
    assert page.locator("merror, mjx-merror, [data-mjx-error]").count() == 0
    assert "$" not in re.sub(r"\$\(|\$\{", "", " ".join(page.locator("article p").all_inner_texts()))
    page.evaluate(DECODED)
    widgets = page.locator(".course-widget .caps")
    expect(widgets).to_have_count(len(sources.shown(saved)))
    for number, widget in enumerate(widgets.all()):
        line = widget.locator("[aria-live=polite]")
        said = watched(line)
        for control in widget.locator(":is(button, select, input, [role=slider]):not(:disabled)").all():
            if control.is_visible() and line.get_attribute("data-changed") is None:
                control.press("Space" if control.evaluate("node => node.localName") == "button" else "ArrowRight")
        said()
        keep(widget, f"site-{name}-{number}-used")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["index", "search", *(f"notebooks/{name}" for name in [*LESSONS, "TEACHING"])])
def test_nothing_keeps_people_out(visit, keep, name, dark):
    page = visit(name, dark)
    page.evaluate(DECODED)  # Pictures that come later would move what is taken below them.
    page.set_viewport_size({"width": 1280, "height": 2000})  # A widget is taken in one piece.
    for number, widget in enumerate(page.locator(".course-widget .caps:visible").all()):
        keep(widget, f"site-{name.rpartition('/')[2]}-{number}-{'dark' if dark else 'light'}")
    page.add_script_tag(path=npm.fetched(npm.AXE) / "axe.min.js")
    # In the dark only the colours are others.
    only = ", runOnly: ['color-contrast']" if dark else ""
    found = page.evaluate(f"axe.run(document, {{ resultTypes: ['violations'], preload: false{only} }})")["violations"]
    grave = [
        f"{one['id']}, {len(one['nodes'])} times: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert not grave


@pytest.mark.parametrize("name", ["index", *(f"notebooks/{name}" for name in LESSONS)])
def test_on_a_telephone_nothing_is_wider_than_the_page(visit, keep, name):
    page = visit(name, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for widget in page.locator(".course-widget .caps").all():
        box = widget.bounding_box()
        assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= 360)
    keep(page, f"site-{name.replace('/', '-')}-360")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_widget_has_the_colours_of_its_page(visit, dark):
    page = visit("notebooks/04_routing_by_agreement", dark)
    colours = "(node) => [getComputedStyle(node).backgroundColor, getComputedStyle(document.body).backgroundColor]"
    widget, paper = page.locator(".course-widget .caps").first.evaluate(colours)
    assert widget == paper
    light = sum(int(x) for x in re.findall(r"\d+", paper)[:3]) / 3
    assert (light < 60) == dark


@pytest.mark.parametrize("name", ["04_routing_by_agreement", "11_does_it_hold", "12_bug_lab"])
def test_the_theme_changes_nothing_in_a_widget(visit, name):
    page = visit(f"notebooks/{name}", dark=True)
    larger = page.locator(".caps :is(h4, h5, legend)").evaluate_all(
        "(nodes) => nodes.filter((node) => parseFloat(getComputedStyle(node).fontSize) > 14).map((node) => node.id)"
    )
    assert not larger
    looks = "(nodes) => nodes.map((node) => [getComputedStyle(node).filter, getComputedStyle(node).padding].join())"
    assert set(page.locator(".caps img").evaluate_all(looks)) <= {"none,0px"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_first_screen_plays_a_real_digit_and_drawing_is_one_click_away(visit, keep, dark):
    page = visit("index", dark)
    explorer = page.locator(".course-playing")
    box = explorer.bounding_box()
    assert box["y"] < 300, "on the first screen"
    place = explorer.get_by_test_id("re-place")
    begun = place.inner_text()
    expect(place).not_to_have_text(begun)
    keep(page, f"site-index-{'dark' if dark else 'light'}")
    pad = page.get_by_test_id("live-text")
    expect(pad).to_be_hidden()
    page.get_by_text("Draw your own digit").click()
    expect(pad).to_be_visible()
    keep(page, f"site-index-draw-{'dark' if dark else 'light'}")


def test_who_asks_for_less_motion_starts_it_alone(page, site):
    page.emulate_media(reduced_motion="reduce")
    page.goto((site / "index.html").as_uri())
    ready(page)
    expect(page.get_by_test_id("re-play")).to_have_attribute("aria-label", "Play")


def test_the_table_has_every_lesson_with_its_minutes(visit):
    rows = visit("index").locator("article table").first.locator("tbody tr")
    told = {row.locator("td").first.inner_text(): row.locator("td").nth(2).inner_text() for row in rows.all()}
    for name in LESSONS:
        assert re.fullmatch(r"\d+( \+ \d+)?", told[name[:2]]), name


def test_answers_are_folded_until_they_are_asked_for(visit):
    page = visit("notebooks/02_pose_and_votes")
    saved = json.loads((ROOT / "notebooks" / "02_pose_and_votes.ipynb").read_text(encoding="utf-8"))
    hidden = [cell for cell in saved["cells"] if "hide-output" in cell["metadata"].get("tags", [])]
    folds = page.locator("details.hide")
    expect(folds).to_have_count(len(hidden))
    answer = folds.filter(has=page.locator("img")).first
    expect(answer.locator("img")).to_be_hidden()
    answer.locator("summary").click()
    expect(answer.locator("img")).to_be_visible()


def test_code_folds_one_cell_or_all_and_the_next_page_keeps_to_it(visit):
    page = visit("notebooks/03_squash")
    cells = page.locator(".cell_input")
    first = cells.first.locator(".highlight")
    expect(first).to_be_visible()
    cells.first.get_by_role("button", name="Hide code").press("Enter")
    expect(first).to_be_hidden()
    expect(cells.nth(1).locator(".highlight")).to_be_visible()
    page.get_by_role("button", name="Hide all code").click()
    expect(page.locator(".cell_input .highlight:visible")).to_have_count(0)
    page = visit("notebooks/05_margin_loss")
    expect(page.locator(".cell_input .highlight:visible")).to_have_count(0)
    page.get_by_role("button", name="Show all code").click()
    expect(page.locator(".cell_input .highlight:visible")).to_have_count(page.locator(".cell_input").count())


def test_search_finds_a_lesson_from_a_file(visit, page, site):
    page.goto((site / "search.html").as_uri() + "?q=squash")
    expect(page.locator("#search-results li a[href*='03_squash']").first).to_be_visible()
    # Under each result stands a piece of its page, which a page that was opened as a file cannot fetch.
    page.goto("about:blank")
    assert all("Failed to fetch" in error or "console: " in error for error in page.errors)
    page.errors.clear()


def test_a_dark_page_is_printed_in_light_colours_and_stays_dark(visit):
    page = visit("notebooks/09_reconstruction_and_pose", dark=True)
    page.evaluate("addEventListener('beforeprint', () => (window.printed = document.documentElement.dataset.theme))")
    assert page.pdf().startswith(b"%PDF")
    assert page.evaluate("[window.printed, document.documentElement.dataset.theme]") == ["light", "dark"]


def test_by_keyboard_alone_one_gets_to_the_text_and_into_a_widget(visit):
    page = visit("notebooks/04_routing_by_agreement")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text(re.compile("Skip to main content"))
    page.keyboard.press("Enter")
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("Boolean(document.activeElement.closest('.course-widget'))"):
            return
    pytest.fail("200 times Tab from the text on, and no widget was reached")


@contextlib.contextmanager
def served(folder):
    """A folder on loopback, as a static host shows it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *given):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_it_works_in_a_folder_below_the_top_of_a_host(page, site):
    with served(site.parent) as host:
        for name in ("index", "notebooks/08_look_inside"):
            page.goto(f"{host}/site/{name}.html")
            ready(page)
            expect(page.get_by_test_id("re-root").first).to_be_visible()
            page.evaluate(DECODED)


# Its parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_widget_lives_in_a_page(page, tmp_path, name):
    widget = EXAMPLES[name]()
    saved = json.loads(notebook(tmp_path / "one.ipynb", widget, EXAMPLES[name]()).read_text(encoding="utf-8"))
    opened(page, tmp_path, saved)
    expect(page.locator("[data-model] [aria-live=polite]")).to_have_count(2)
    # The pictures that stood in for the widgets are gone; those of a widget's own have names.
    expect(page.locator("[data-model] img:not([data-testid])")).to_have_count(0)


def test_the_picture_stays_where_a_widget_fails(page, tmp_path):
    widget = EXAMPLES[min(EXAMPLES)]()
    saved = json.loads(notebook(tmp_path / "one.ipynb", widget).read_text(encoding="utf-8"))
    saved["metadata"]["widgets"][STATE]["state"][widget.model_id]["state"]["_esm"] = "this is no program"
    with page.expect_console_message(lambda said: said.type == "error" and "SyntaxError" in said.text):
        opened(page, tmp_path, saved)
    expect(page.get_by_alt_text(widget.describe())).to_be_visible()
    assert len(page.errors) == 1 and "SyntaxError" in page.errors[0]
    page.errors.clear()


def one_page(text):
    """A stand-in for `write_sources`, of which a site has a single page with this text."""

    def write_sources(work, static, edition):
        work.mkdir(parents=True)
        static.shared()
        (work / "index.md").write_text(f"# A\n\n{text}\n")
        return {}

    return write_sources


def test_a_warning_of_sphinx_stops_the_build_and_leaves_the_old_site(site, tmp_path, monkeypatch):
    old = tmp_path / "site"
    old.mkdir()
    (old / "index.html").write_text("the old one")

    monkeypatch.setattr(web, "write_sources", one_page("[b](nowhere.md)"))
    with pytest.raises(web.SiteError, match=r"nowhere\.md"):
        web.build(old, log=str)
    assert (old / "index.html").read_text() == "the old one"


def test_without_npm_formulas_stay_tex_and_a_line_says_so(site, page, tmp_path, monkeypatch):
    def gone(program):
        raise ConnectionError("npm: not found")

    said = []
    monkeypatch.setattr(npm, "fetched", gone)
    made = web.build(tmp_path / "site", log=said.append)
    assert said[0] == "site: formulas stay TeX: npm: not found"
    page.goto((made / "notebooks" / "03_squash.html").as_uri())
    ready(page)
    expect(page.locator("mjx-container")).to_have_count(0)
    assert r"\lVert" in page.locator("article").inner_text()


def test_a_formula_that_cannot_be_set_stops_the_build(site, tmp_path, monkeypatch):
    monkeypatch.setattr(web, "write_sources", one_page(r"Here $x_1$ is right and $x < \nothing$ is not."))
    with pytest.raises(web.SiteError, match=r"index\.html: 'x < \\\\nothing': Undefined control sequence"):
        web.build(tmp_path / "site", log=str)


def test_without_sphinx_one_line_says_what_makes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(web, "SPHINX", ROOT / "build" / "no-env" / "bin" / "python")
    with pytest.raises(web.SiteError, match=r"not found, expected what `sh tools/site_env\.sh` makes"):
        web.build(tmp_path / "site")


def test_a_lesson_opens_in_colab_and_binder_where_the_repository_is_known(site, visit):
    page = visit("notebooks/03_squash")
    page.get_by_role("button", name="Launch interactive content").click()
    for name, address in [
        ("Colab", f"{colab.COLAB}/github/{REPOSITORY}/blob/{colab.BRANCH}/notebooks/03_squash.ipynb"),
        (
            "Binder",
            f"https://mybinder.org/v2/gh/{REPOSITORY}/{colab.BRANCH}?urlpath=lab/tree/notebooks/03_squash.ipynb",
        ),
    ]:
        link = page.get_by_role("link", name=name)
        expect(link).to_be_visible()
        expect(link).to_have_attribute("href", address)
    for path in (site / "_images").glob("*"):
        assert len([*ROOT.glob(f"figures/{path.name}"), *ROOT.glob(f"benchmarks/results/{path.name}")]) == 1, (
            "a copy for Colab takes its figures from here, under their own names"
        )


def test_links_to_what_the_site_lacks_are_words():
    text = "[a](../README.md), [b](solutions), [c](04_b.ipynb#x), [d](https://example.org), [e](#f), ![g](h.png)"
    kept = "a, b, [c](04_b.ipynb#x), [d](https://example.org), [e](#f), ![g](h.png)"
    assert sources.without_outside_links(text) == kept
