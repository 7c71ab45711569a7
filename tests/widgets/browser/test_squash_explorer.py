"""SquashExplorer in a browser: every control by every means, and its numbers against NumPy."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from capslib import equations
from capslib.widgets import SquashExplorer
from capslib.widgets.squash_explorer import LONGEST, OFFSETS, growing
from tests.widgets.browser.pointers import POINTERS, Mouse, Touch, click, middle
from tools.browser.harness import printed

STATES = [
    ((0.72, 0.96), 0.5),
    ((0.3, -0.4), 0.2),
    ((-0.2, 0.05), 0.05),
    ((-1.2, -1.6), 1),
    ((0.3, 0.4), 0.25),
    ((0, 0.01), 0.1),
    ((0.9, 0), 0.125),
    ((0.726, -0.968), 0.5),
]
MINUS = "−"


def state(page):
    return np.array(page.evaluate("model.get('s')")), page.evaluate("model.get('offset')")


def text(page, test):
    return page.get_by_test_id(test).text_content()


def show(page, s, offset):
    """What Python does when it sets both."""
    page.evaluate("([s, offset]) => model.set({ s, offset })", [s, offset])


def numbers(words):
    return [float(found.replace(MINUS, "-")) for found in re.findall(rf"{MINUS}?\d+\.\d+", words)]


def tip(page, view=0):
    """Where the handle of s stands, and how many pixels a unit of the plane has."""
    handle = page.get_by_test_id("squash-s").nth(view)
    unit = handle.evaluate("node => node.closest('svg').querySelector('.caps-unit').getBoundingClientRect().width / 2")
    return middle(handle), unit


# What it shows ------------------------------------------------------------------------------------------------------


def test_numbers_are_those_of_numpy(mounted):
    page = mounted(SquashExplorer())
    for s, offset in STATES:
        show(page, s, offset)
        v = equations.squash(np.array(s, float), offset)
        before, after = equations.length(np.array(s, float)), equations.length(v)
        assert text(page, "squash-now") == f"{after:.3f}"
        assert text(page, "squash-ratio") == f"{after / before:.3f}"
        assert text(page, "squash-peak-text") == f"peak {1 / (2 * offset**0.5):.3f}"
        assert text(page, "squash-root") == f"√κ = {offset**0.5:.3f}"
        squared, length, ratio, vector = (
            page.get_by_test_id("squash-formula").locator(".caps-squash-terms").all_text_contents()
        )
        assert numbers(squared) == pytest.approx([*s, before**2], abs=5e-4)
        assert numbers(length)[-1] == pytest.approx(after, abs=5e-4) and numbers(length)[1] == pytest.approx(offset)
        assert numbers(ratio) == pytest.approx([after, before, after / before], abs=5e-4)
        assert numbers(vector)[-2:] == pytest.approx(v, abs=5e-4)
        said = text(page, "squash-says")
        assert f"κ = {offset:.2f}" in said or f"κ = {offset:.3f}" in said
        assert f"‖s‖ = {before:.3f}" in said and f"‖v‖ = {after:.3f}" in said
        does = "grows" if after > before + 1e-6 else "shrinks" if after < before - 1e-6 else "stays the same"
        assert does in said


def drawn(page):
    """The two curves (N, 2) and the shaded stretch (2,) in their own units, read off the numbers at the axes."""
    d, texts, bands = page.evaluate(
        """() => [
            ["squash-length-curve", "squash-ratio-curve"].map((test) =>
                document.querySelector(`[data-testid=${test}]`).getAttribute("d").slice(1).split("L")
                    .map((point) => point.split(",").map(Number))),
            [...document.querySelectorAll(".caps-squash-curves .caps-squash-quiet")]
                .filter((node) => /^\\d\\.\\d$/.test(node.textContent) && node.style.display !== "none")
                .map((node) => [node.getAttribute("text-anchor"), Number(node.getAttribute("x")),
                    Number(node.getAttribute("y")) - 4, Number(node.textContent)]),
            [...document.querySelectorAll("[data-testid=squash-band] rect")]
                .filter((node) => node.getClientRects().length)
                .map((node) => [node.x.baseVal.value, node.x.baseVal.value + node.width.baseVal.value]),
        ]"""
    )
    along_x = np.array([(x, value) for anchor, x, _, value in texts if anchor == "middle"]).T
    along_y = [(y, value) for anchor, _, y, value in texts if anchor == "end"]
    first = [value for _, value in along_y].index(0, 1)  # Each axis begins with its 0.
    to_x, curves = np.polyfit(*along_x, 1), []
    for points, ticks in zip(map(np.array, d), (along_y[:first], along_y[first:]), strict=True):
        to_y = np.polyfit(*np.array(ticks).T, 1)
        curves.append(np.stack([np.polyval(to_x, points[:, 0]), np.polyval(to_y, points[:, 1])], -1))
    return *curves, np.polyval(to_x, bands)


def test_the_curves_are_those_of_numpy(mounted):
    page = mounted(SquashExplorer())
    for offset in (1, 0.5, 0.25, 0.05):
        show(page, (0.3, 0.4), offset)
        lengths, ratios, _ = drawn(page)
        for curve, divide in ((lengths, False), (ratios, True)):
            x = curve[:, 0]
            expected = equations.length(equations.squash(np.stack([x, 0 * x], -1), offset)) / (x if divide else 1)
            assert x[-1] == pytest.approx(LONGEST) and x[0] < 0.02
            # A tenth of a pixel, where curves are drawn; steep ones turn a tenth across into more.
            np.testing.assert_allclose(curve[1:, 1], expected[1:], atol=0.015)


def test_peak_and_limits_are_where_the_formulas_have_them(mounted):
    page = mounted(SquashExplorer())
    for offset in (1, 0.5, 0.25, 0.2, 0.05):
        show(page, (0.3, 0.4), offset)
        grows = offset < 0.25
        shaded = drawn(page)[-1]
        assert len(shaded) == 2 * grows  # In both pictures, or in none.
        np.testing.assert_allclose(shaded, np.reshape(2 * growing(offset), (2, 2)) if grows else [], atol=1e-6)
        for test, limit in zip(("squash-low", "squash-high"), growing(min(offset, 0.25)), strict=True):
            mark = page.get_by_test_id(test)
            assert mark.is_visible() == grows
            assert not grows or mark.text_content() == f"{limit:.3f}"
        truth = "shrinkgrowshrink" if grows else "shrink, except 0.5 itself" if offset == 0.25 else "shrink"
        assert text(page, "squash-claim") == "shrinkgrow" and text(page, "squash-truth") in (truth, truth[6:])
        said = text(page, "squash-all")
        if grows:
            assert all(f"{limit:.3f}" in said for limit in growing(offset)) and "only there" in said
        else:
            assert f"1/(2√κ) = {1 / (2 * offset**0.5):.3f}" in said and "false for every norm above 0.5" in said
            assert ("stays the same" in said) == (offset == 0.25) and ("No norm grows" in said) == (offset > 0.25)


def test_the_verdict_on_one_vector_holds_the_claim_to_the_truth(mounted):
    page = mounted(SquashExplorer())
    for offset in (1, 0.5, 0.25, 0.05):
        show(page, (0.3, 0.4), offset)
        for x in (0.02, 0.1, 0.3, 0.49, 0.51, 0.9, 0.97, 1.3, 2):
            page.evaluate(f"model.set('s', [0, {x}])")
            now = equations.length(equations.squash(np.array([0, x]), offset))
            true = now > x if x > 0.5 else now < x
            said = text(page, "squash-says")
            assert f"the claim is {'true' if true else 'false'}" in said and ("✓" in said) == true
            assert f"should {'grow' if x > 0.5 else 'shrink'}" in said


def test_lengths_that_look_alike_are_told_apart(mounted):
    page = mounted(SquashExplorer((0, 0.49), 0.25))
    shrunk = equations.length(equations.squash(np.array([0, 0.49]), 0.25))
    assert f"‖s‖ = 0.490000: a norm below 0.5 should shrink. It shrinks to ‖v‖ = {shrunk:.6f}." in text(
        page, "squash-says"
    )


def test_the_claim_is_silent_about_its_border_and_zero_stays_zero(mounted):
    page = mounted(SquashExplorer((0.3, 0.4)))
    assert "says nothing about 0.5 itself" in text(page, "squash-says")
    page.evaluate("model.set('offset', 0.25)")
    assert "‖s‖ = 0.500: " in text(page, "squash-says") and "stays the same, ‖v‖ = 0.500" in text(page, "squash-says")
    page.evaluate("model.set('s', [0, 0])")
    assert "zero vector stays zero" in text(page, "squash-says")
    assert not page.get_by_test_id("squash-ratio").is_visible()
    assert "undefined" in text(page, "squash-formula")


def test_the_moving_points_lie_on_the_curves_and_the_peak_is_their_highest(mounted):
    page = mounted(SquashExplorer())
    for s, offset in STATES:
        show(page, s, offset)
        for far in page.evaluate(
            """[...document.querySelectorAll(".caps-squash-dot")].map((dot) => {
                const name = dot.dataset.testid.replace("-dot", "-curve");
                const points = document.querySelector(`[data-testid=${name}]`).getAttribute("d").slice(1).split("L");
                const [x, y] = [dot.getAttribute("cx"), dot.getAttribute("cy")];
                return Math.min(...points.map((point) => {
                    const [px, py] = point.split(",");
                    return Math.hypot(px - x, py - y);
                }));
            })"""
        ):
            assert far < 3
        top, peak = page.evaluate(
            """() => {
                const points = document.querySelector("[data-testid=squash-ratio-curve]").getAttribute("d").slice(1);
                const highest = points.split("L").map((point) => point.split(",").map(Number));
                const peak = document.querySelector("[data-testid=squash-peak]");
                return [Math.min(...highest.map(([, y]) => y)), Number(peak.getAttribute("cy"))];
            }"""
        )
        assert top == pytest.approx(peak, abs=0.2)


# Every control by every means ---------------------------------------------------------------------------------------


@POINTERS
def test_drag_s_in_the_plane(mounted, pointer):
    page = mounted(SquashExplorer())
    (x, y), unit = tip(page)
    pointer = pointer(page)
    pointer.down(x, y)
    pointer.move(x - 1.5 * unit, y + 0.5 * unit)
    pointer.up()
    if isinstance(pointer, Mouse):
        pointer.move(x, y)  # Let go of, it stays.
    s, _ = state(page)
    np.testing.assert_allclose(s, [0.72 - 1.5, 0.96 - 0.5], atol=0.02)
    assert page.evaluate("model.saved.s") == s.tolist()
    assert text(page, "squash-now") == f"{equations.length(equations.squash(s, 0.5)):.3f}"


@POINTERS
def test_s_stays_within_its_longest(mounted, pointer):
    page = mounted(SquashExplorer())
    (x, y), unit = tip(page)
    pointer = pointer(page)
    pointer.down(x, y)
    pointer.move(x + 1.3 * unit, y - 1.1 * unit)
    pointer.up()
    s, _ = state(page)
    assert equations.length(s) == pytest.approx(LONGEST)
    SquashExplorer().set_state({"s": s.tolist()})  # Python takes what the page sends.


def test_s_by_keys(mounted):
    page = mounted(SquashExplorer((0.5, 0.5)))
    handle = page.get_by_test_id("squash-s")
    handle.press("ArrowRight")
    handle.press("ArrowUp")
    handle.press("ArrowUp")
    np.testing.assert_allclose(state(page)[0], [0.55, 0.6])
    handle.press("Shift+ArrowLeft")
    handle.press("Shift+ArrowDown")
    np.testing.assert_allclose(state(page)[0], [0.3, 0.35])
    for _ in range(12):
        handle.press("Shift+ArrowRight")
    assert equations.length(state(page)[0]) == pytest.approx(LONGEST)


def test_length_by_keys_keeps_the_direction_through_zero(mounted):
    page = mounted(SquashExplorer((-0.6, 0.8)))
    slider = page.get_by_test_id("squash-length")
    slider.press("ArrowLeft")
    np.testing.assert_allclose(state(page)[0], np.array([-0.6, 0.8]) * 0.99, atol=1e-12)
    slider.press("Home")
    np.testing.assert_array_equal(np.abs(state(page)[0]), 0)
    slider.press("End")
    np.testing.assert_allclose(state(page)[0], [-1.2, 1.6], atol=1e-9)
    assert slider.get_attribute("aria-valuetext") == "2.00"


@POINTERS
@pytest.mark.parametrize(("control", "trait"), [("squash-length", "s"), ("squash-offset", "offset")])
def test_sliders_by_pointer(mounted, pointer, control, trait):
    page = mounted(SquashExplorer((0, 0.2), 0.9))
    slider = page.get_by_test_id(control)
    click(pointer(page), slider)
    s, offset = state(page)
    found = equations.length(s) if trait == "s" else offset
    assert found == pytest.approx(LONGEST / 2 if trait == "s" else sum(OFFSETS) / 2, abs=0.03)
    assert trait in page.evaluate("model.saved")


def test_offset_by_keys(mounted):
    page = mounted(SquashExplorer())
    slider = page.get_by_test_id("squash-offset")
    slider.press("ArrowLeft")
    assert state(page)[1] == pytest.approx(0.49)
    slider.press("Home")
    assert state(page)[1] == OFFSETS[0]
    slider.press("End")
    assert state(page)[1] == OFFSETS[1]
    assert text(page, "squash-peak-text") == "peak 0.500"


def test_named_offsets_by_mouse_finger_and_key(mounted):
    page = mounted(SquashExplorer(offset=0.7))
    mouse, touch = Mouse(page), Touch(page)
    for offset in ("0.05", "0.25", "0.5", "1"):
        button = page.get_by_test_id(f"squash-offset-{offset}")
        for use in (lambda node: node.press("Enter"), lambda node: click(mouse, node), lambda node: click(touch, node)):
            page.evaluate("model.set('offset', 0.7)")
            assert button.get_attribute("aria-pressed") == "false"
            use(button)
            assert state(page)[1] == float(offset) and button.get_attribute("aria-pressed") == "true"
        assert page.get_by_test_id("squash-offset").input_value() == offset


@POINTERS
def test_drag_in_the_curves(mounted, pointer):
    page = mounted(SquashExplorer((0.6, 0.8)))
    area = page.get_by_test_id("squash-curves")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    pointer, y = pointer(page), box["y"] + 60
    pointer.down(box["x"] + 0.25 * box["width"], y)
    np.testing.assert_allclose(state(page)[0], np.array([0.6, 0.8]) * 0.5, atol=0.01)
    pointer.move(box["x"] + 0.75 * box["width"], y + 5)
    pointer.up()
    if isinstance(pointer, Mouse):
        pointer.move(box["x"] + 0.1 * box["width"], y)  # Let go of, it stays.
    np.testing.assert_allclose(state(page)[0], np.array([0.6, 0.8]) * 1.5, atol=0.01)


def test_reset_by_key_and_by_mouse(mounted):
    page = mounted(SquashExplorer((0.1, 0.2), 0.3))
    for use in (lambda button: button.press("Space"), lambda button: click(Mouse(page), button)):
        page.get_by_test_id("squash-length").press("End")
        page.get_by_test_id("squash-offset").press("End")
        use(page.get_by_test_id("squash-reset"))
        np.testing.assert_array_equal(state(page)[0], [0.1, 0.2])
        assert state(page)[1] == 0.3


# Views, and Python --------------------------------------------------------------------------------------------------


ANSWERS = ["all", "ratio-curve", "length-curve", "peak-text", "truth", "false"]


def test_it_opens_with_a_question_and_answers_after_the_first_move(mounted):
    page = mounted(SquashExplorer(s=(0.24, 0.32)))
    ask, answers = page.get_by_test_id("squash-ask"), [page.get_by_test_id(f"squash-{name}") for name in ANSWERS]
    for change in (lambda: page.get_by_test_id("squash-offset").press("ArrowLeft"), lambda: show(page, (1, 0), 0.5)):
        expect(ask).to_be_visible()
        assert "Guess" in ask.text_content()
        for answer in answers:
            expect(answer).to_be_hidden()
        change()
        expect(ask).to_be_hidden()
        for answer in answers:
            expect(answer).to_be_visible()
        show(page, (0.24, 0.32), 0.5)  # Passing through the first state hides nothing again; reset does.
        expect(ask).to_be_hidden()
        page.get_by_test_id("squash-reset").click()


def test_two_views_move_together(mounted):
    page = mounted(SquashExplorer(), views=2, height=1800)
    (x, y), unit = tip(page, 1)
    mouse = Mouse(page)
    mouse.down(x, y)
    mouse.move(x - unit, y)
    mouse.up()
    places = [tip(page, view)[0][0] for view in (0, 1)]
    assert places[0] == pytest.approx(places[1], abs=0.5) and places[0] == pytest.approx(x - unit, abs=2)
    page.get_by_test_id("squash-offset-0.05").first.click()
    assert len(set(page.get_by_test_id("squash-peak-text").all_text_contents())) == 1
    assert page.get_by_test_id("squash-band").count() == 2


def test_what_python_sets_is_shown(mounted):
    page = mounted(SquashExplorer())
    page.evaluate("model.set({ s: [-0.8, 0.6], offset: 0.123 })")
    assert "κ = 0.123, ‖s‖ = 1.000" in text(page, "squash-says")
    assert page.get_by_test_id("squash-length").input_value() == "1"


@pytest.mark.parametrize("width", [800, 1280])
def test_the_verdict_is_in_the_first_500_pixels_and_moves_nothing(mounted, width):
    page = mounted(SquashExplorer(), width=width)
    verdict, plane = page.get_by_test_id("squash-verdict"), page.locator(".caps-plane")
    tops = set()
    for s, offset in STATES:
        show(page, s, offset)
        box = verdict.bounding_box()
        assert box["y"] + box["height"] <= 500 and verdict.locator("p:visible").count() == 3
        tops.add(plane.bounding_box()["y"])
    assert len(tops) == 1


def test_the_second_curve_is_named_as_the_gain(mounted):
    page = mounted(SquashExplorer((0, 0.5), 0.05))
    assert page.get_by_text("gain, ‖v‖ / ‖s‖: length out ÷ length in").is_visible()
    gain = equations.length(equations.squash(np.array([0, 0.5]), 0.05)) / 0.5
    assert gain > 1 and text(page, "squash-ratio") == f"{gain:.3f}"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [700, 1100])
def test_looks(mounted, keep, width, dark):
    page = mounted(SquashExplorer(), width=width, dark=dark)
    theme = "dark" if dark else "light"
    keep(page, f"squash-{width}-{theme}")
    page.evaluate("model.set({ s: [-0.36, 0.48], offset: 0.2 })")
    keep(page, f"squash-{width}-{theme}-grows")


# In JupyterLab, in lesson 03 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("interface", ["doc", "lab"])
def test_lesson_03(page, lab, keep, interface):
    lab.open(page, "03_squash.ipynb", interface=interface)
    cells = lab.cells(page)
    view = page.locator(".caps-squash").first
    view.scroll_into_view_if_needed()
    expect(page.locator(".caps-squash")).to_have_count(1)
    assert view.get_by_test_id("squash-now").text_content() == "0.242"
    keep(view, f"squash-lesson-{interface}")

    (x, y), unit = tip(page)
    mouse = Mouse(page)
    mouse.down(x, y)
    mouse.move(x - unit, y + 0.5 * unit)
    mouse.up()
    handle = view.get_by_test_id("squash-s")
    for key in ("ArrowRight", "x", "d", "d", "Delete"):  # The letters would cut or delete the cell.
        handle.press(key)
    view.get_by_test_id("squash-offset").press("ArrowLeft")
    view.get_by_test_id("squash-length").press("ArrowRight")
    assert lab.cells(page) == cells

    length = view.get_by_test_id("squash-now").text_content()
    told = f"print(bool(abs(np.linalg.norm(explorer.v) - {length}) < 6e-4), explorer.offset)"
    assert printed(page, told, until="True 0.49") == "True 0.49"
    s = np.array(numbers(printed(page, "print(f'{explorer.s[0]:.9f} {explorer.s[1]:.9f}')").replace("-", MINUS)))
    moved = np.array([0.24 - 1 + 0.05, 0.32 - 0.5])
    np.testing.assert_allclose(s, moved * (1 + 0.01 / equations.length(moved)), atol=0.03)
    assert printed(page, "print(explorer.offset)") == "0.49"
    v = equations.squash(s, 0.49)
    assert view.get_by_test_id("squash-now").text_content() == f"{equations.length(v):.3f}"
    assert f"({v[0]:.3f}, {v[1]:.3f})".replace("-", MINUS) in view.get_by_test_id("squash-formula").text_content()
    assert printed(page, "print(np.allclose(squash(explorer.s, explorer.offset), explorer.v))") == "True"

    printed(page, "explorer.offset = 0.05; explorer.s = [0, 0.5]")
    view.get_by_test_id("squash-peak-text").get_by_text("peak 2.236").wait_for()
    assert view.get_by_test_id("squash-low").text_content() == "0.053"
