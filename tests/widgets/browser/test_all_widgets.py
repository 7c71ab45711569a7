"""What holds for every widget of the course, whatever it shows."""

import base64
import io
import re

import pytest
from PIL import Image

from capslib import style
from capslib.widgets.base import STATE_LIMIT, join_styles
from tools.browser.examples import EXAMPLES, exported
from tools.browser.harness import saved_state, state_size

FOCUSABLE = "button, select, input, textarea, a[href], summary, [tabindex]"
LINE = "[aria-live=polite]"
# An SVG element that is not displayed passes checkVisibility().
SHOWN = "((node) => node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0)"


@pytest.fixture(params=sorted(EXAMPLES))
def widget(request):
    return EXAMPLES[request.param]()


def test_every_widget_has_an_example():
    assert exported() == set(EXAMPLES)


# Without a browser --------------------------------------------------------------------------------------------------


def test_a_picture_and_a_text_stand_in_for_it(widget):
    data, metadata = widget._repr_mimebundle_()
    alt = widget.describe()
    png = base64.b64decode(data["image/png"])
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG" and min(picture.size) > 200
    assert data["text/plain"] == alt == metadata["image/png"]["alt"]
    assert re.search(r"\d", alt) and alt.rstrip().endswith(".")
    # A widget of words is words where it cannot live.
    assert ("<img alt=" in data["text/html"] or "<li>" in data["text/html"]) and "<script" not in data["text/html"]
    assert "0x" not in repr(widget)


def test_its_state_is_small(widget):
    assert state_size(saved_state(widget)) <= STATE_LIMIT


# What anyone can use, and read --------------------------------------------------------------------------------------


def accessible(page):
    """(test id, role, name) of all that can have the focus, as the browser tells a screen reader."""
    with_cdp = page.context.new_cdp_session(page)
    with_cdp.send("DOM.enable")
    found = []
    for node in with_cdp.send("Accessibility.getFullAXTree")["nodes"]:
        properties = {entry["name"]: entry["value"].get("value") for entry in node.get("properties", [])}
        role = node.get("role", {}).get("value")
        if (
            node.get("ignored")
            or not properties.get("focusable")
            or role in ("RootWebArea", "MenuListOption", "option")
        ):
            continue
        about = with_cdp.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})["node"]
        given = dict(zip(about.get("attributes", [])[::2], about.get("attributes", [])[1::2], strict=True))
        found.append((given.get("data-testid"), role, node.get("name", {}).get("value", "").strip()))
    return found


def test_controls_have_names_for_screen_readers_and_tests(mounted, widget):
    controls = accessible(mounted(widget))
    assert controls
    assert [control for control in controls if not all(control)] == []
    named = [test for test, _, _ in controls]
    assert len(set(named)) == len(named)
    assert len({test.split("-")[0] for test in named}) == 1, "one prefix for all test ids"


def test_controls_are_reached_by_tab_or_within_a_group_by_arrows(mounted, widget):
    page = mounted(widget)
    here = "document.activeElement?.dataset.testid"
    wanted = set(
        page.evaluate(
            f"""[...document.querySelectorAll(".view :is({FOCUSABLE})")]
                .filter((node) => !node.disabled && {SHOWN}(node)).map((node) => node.dataset.testid)"""
        )
    )
    stops = []
    while len(stops) < len(wanted) and stops[-1:] != [None]:
        page.keyboard.press("Tab")
        stops.append(page.evaluate(here))
    reached = {stop for stop in stops if stop}
    assert reached <= wanted

    def walk(start, key):
        """Where an arrow key leads from there, until it leads nowhere new."""
        page.get_by_test_id(start).focus()
        seen = []
        while (place := page.evaluate(here)) not in seen:
            seen.append(place)
            page.keyboard.press(key)
        return seen

    for stop in sorted(reached):  # One stop may lead into a group, such as a grid: to its rows, and along each.
        if not wanted <= reached:
            rows = {*walk(stop, "ArrowUp"), *walk(stop, "ArrowDown")}
            reached |= {place for row in rows for key in ("ArrowLeft", "ArrowRight") for place in walk(row, key)}
    assert wanted - reached == set()


def test_the_focus_is_seen(mounted, widget):
    page = mounted(widget)
    for test, _, _ in accessible(page):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                return document.activeElement === document.body || style.outlineStyle !== "none"
                    || style.boxShadow !== "none" || style.stroke !== "none";
            }"""
        )
        assert shown, f"the focus is not seen near {test}"


def test_a_click_draws_no_frame_of_the_browsers_own(mounted, widget):
    page = mounted(widget)
    framed = page.evaluate(
        f"""() => {{
            const taken = [...document.querySelectorAll(".view :is(svg, svg *)[tabindex]")].filter({SHOWN});
            return taken.filter((node) => {{
                node.focus({{ focusVisible: false }}); // as a click does
                return getComputedStyle(node).outlineStyle !== "none";
            }}).map((node) => node.dataset.testid);
        }}"""
    )
    assert framed == []


def test_a_line_says_in_numbers_what_is_shown(mounted, widget):
    lines = mounted(widget).locator(LINE).all_inner_texts()
    assert len(lines) == 1
    assert re.search(r"\d", lines[0])


def test_keys_stay_inside(mounted, widget):
    page = mounted(widget)
    assert page.locator(f".view :is({FOCUSABLE})").count()
    # Notebook 7 listens at the document before anything else does. A shortcut may be meant for the very element in
    # focus, so it must spare itself; that something around it does so is not enough.
    unspared = page.evaluate(
        f"""[...document.querySelectorAll(".view :is({FOCUSABLE})")].filter((node) => {{
            node.focus();
            return document.activeElement === node && !node.hasAttribute("data-lm-suppress-shortcuts");
        }}).map((node) => node.dataset.testid)"""
    )
    assert unspared == []
    escaped = page.evaluate(
        f"""() => {{
            const escaped = [];
            document.addEventListener("keydown", (event) => escaped.push([event.target.dataset.testid, event.key]));
            for (const node of document.querySelectorAll(".view :is({FOCUSABLE})")) {{
                for (const key of ["x", "j", "Delete", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Enter"]) {{
                    node.dispatchEvent(new KeyboardEvent("keydown", {{ key, bubbles: true, cancelable: true }}));
                }}
            }}
            return escaped;
        }}"""
    )
    assert escaped == []


def test_it_has_the_colours_of_the_course(mounted, widget):
    names = {"print" if name == "ink" else name.replace("_", "-"): name for name in style.COLOURS}
    found = mounted(widget).evaluate(
        """(names) => {
            const given = getComputedStyle(document.querySelector(".view"));
            return names.map((name) => given.getPropertyValue(`--caps-${name}`));
        }""",
        list(names),
    )
    assert dict(zip(names.values(), found, strict=True)) == style.COLOURS


def test_classes_begin_with_caps_so_that_no_page_has_styles_for_them(mounted, widget):
    page = mounted(widget)
    use(page)  # What is pressed, chosen or opened has classes of its own.
    given = page.evaluate("""[...document.querySelectorAll(".view *")].flatMap((node) => [...node.classList])""")
    styled = re.findall(r"\.(-?[_a-zA-Z][\w-]*)", re.sub(r"/\*.*?\*/", "", str(widget._css), flags=re.DOTALL))
    assert given and styled
    assert sorted({name for name in [*given, *styled] if not re.match("caps(-|$)", name)}) == []


def test_the_styles_of_another_widget_on_the_page_change_nothing(mounted, widget):
    page = mounted(widget)
    page.evaluate(
        """() => document.querySelectorAll(".view button[aria-expanded=false]").forEach((node) => node.click())"""
    )
    looks = """() => [...document.querySelectorAll(".view *")].map((node) => {
        const { width, height } = node.getBoundingClientRect();
        const { color, backgroundColor, fontSize, fontWeight, margin, padding, borderWidth } = getComputedStyle(node);
        return [node.localName, node.getAttribute("class"), width, height, color, backgroundColor, fontSize, fontWeight,
            margin, padding, borderWidth].join(" | ");
    })"""
    page.evaluate("() => Promise.all(document.getAnimations().map((one) => one.finished))")  # Bars may still move.
    before = page.evaluate(looks)
    page.add_style_tag(content=join_styles("base.css"))  # Every widget brings the shared styles, and may come last.
    assert [(old, new) for old, new in zip(before, page.evaluate(looks), strict=True) if old != new][:5] == []


# How it looks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [700, 1100])
def test_nothing_runs_out_of_the_page(mounted, widget, width):
    page = mounted(widget, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_text_is_large_enough_on_a_narrow_page(mounted, widget):
    small = mounted(widget, width=700).evaluate(
        f"""[...document.querySelectorAll(".view *")]
            .filter((node) => {SHOWN}(node) && [...node.childNodes].some((child) =>
                child.nodeType === Node.TEXT_NODE && child.textContent.trim()))
            .map((node) => {{
                const scale = node.getScreenCTM ? Math.hypot(node.getScreenCTM().a, node.getScreenCTM().b) : 1;
                return [node.textContent.trim(), parseFloat(getComputedStyle(node).fontSize) * scale];
            }})
            .filter(([, size]) => size < 9)"""
    )
    assert small == []


CONTRAST = """() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const parsed = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [[r, g, b], a / 255];
    };
    const over = ([top, alpha], below) => top.map((value, k) => alpha * value + (1 - alpha) * below[k]);
    const ground = (node) => node === null ? [255, 255, 255]
        : over(parsed(getComputedStyle(node).backgroundColor), ground(node.parentElement));
    const light = (rgb) => {
        const [r, g, b] = rgb.map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const written = (node) => [...node.childNodes].some((child) =>
        child.nodeType === Node.TEXT_NODE && child.textContent.trim());
    return [...document.querySelectorAll(".view *")]
        .filter((node) => !(node instanceof SVGElement) && !node.closest(":disabled, option, style, svg"))
        .filter((node) => written(node) && node.checkVisibility())
        .map((node) => {
            const below = ground(node);
            const [one, other] = [light(over(parsed(getComputedStyle(node).color), below)), light(below)];
            const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            return [node.textContent.trim().slice(0, 60), Math.round(100 * ratio) / 100];
        })
        .filter(([, ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_is_readable_in_both_themes(mounted, widget, dark):
    assert mounted(widget, dark=dark).evaluate(CONTRAST) == []


def test_less_motion_is_respected(mounted, page, widget):
    page.emulate_media(reduced_motion="reduce")
    mounted(widget)
    moving = page.evaluate(
        """[...document.querySelectorAll(".view *")].filter((node) => {
            const style = getComputedStyle(node);
            return style.transitionDuration.split(", ").some((time) => parseFloat(time) > 0)
                || style.animationName !== "none";
        }).map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert moving == []


# How it behaves -----------------------------------------------------------------------------------------------------


def use(page, view=0):
    """Use every control of a view once; gives back the line's text after each."""
    texts = []
    for test in page.evaluate(
        f"""[...document.querySelectorAll(".view")][{view}].querySelectorAll("{FOCUSABLE}").values()
            .map((node) => node.dataset.testid).toArray()"""
    ):
        control = page.locator(".view").nth(view).get_by_test_id(test)
        if not (control.count() and control.is_visible() and control.is_enabled()):
            continue
        control.focus()
        kind = control.evaluate("node => node.localName")
        if kind in ("button", "summary") or control.get_attribute("type") in ("checkbox", "radio"):
            control.press("Space")
        else:
            control.press("ArrowRight")
        texts.append(page.locator(LINE).nth(view).inner_text())
    return texts


def test_a_view_that_goes_leaves_nothing_behind(mounted, widget):
    page = mounted(widget, views=2)
    use(page)  # Playing, dragging, waiting: whatever a control starts.
    page.evaluate("unmount()")
    assert {name: number for name, number in page.evaluate("alive()").items() if number} == {}
    page.evaluate("mount()")
    assert page.locator(LINE).count() == 1


def test_two_views_say_the_same(mounted, page, widget):
    page.emulate_media(reduced_motion="reduce")
    page.clock.install()  # Nothing plays on by itself.
    mounted(widget, views=2)
    lines = page.locator(LINE)
    first = lines.nth(0).inner_text()
    assert lines.nth(1).inner_text() == first
    texts = use(page, view=1)
    assert set(texts) != {first}, "no control changed what is said"
    assert lines.nth(0).inner_text() == lines.nth(1).inner_text()


def test_damaged_data_give_a_message(mounted, widget):
    page = mounted(widget)
    names = page.evaluate("Object.keys(model.state).filter((name) => model.get(name) instanceof DataView)")
    for name in names:
        mounted(widget)
        page.evaluate(f"model.set({name!r}, new DataView(new ArrayBuffer(2)))")
        page.evaluate("unmount()")
        page.evaluate("mount()")
        view = page.locator(".view")
        assert view.get_by_role("alert").count() == 1 or view.locator(LINE).inner_text(), name
