"""LiveCapsNet in a browser: every control by every means, and its numbers against NumPy and Keras."""

import base64
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from capslib import digits, models, transforms, weights
from capslib.widgets import LiveCapsNet
from tests.widgets.browser.pointers import POINTERS, Mouse
from tests.widgets.browser.saved import exported
from tools.browser.harness import printed

SEVEN = [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]
"""Corners of a 7 on the pad, as shares of its width and height."""


CAPSNET, CNN = weights.arrays("article_capsnet"), weights.arrays("matched_cnn_flatten")


@pytest.fixture(scope="module")
def data():
    return digits.load("bundled")


@pytest.fixture
def live(data):
    """Ten real digits, the fourth of them turned by 40°."""
    return LiveCapsNet(CAPSNET, CNN, data.x_test[:10], labels=data.y_test[:10], start=3, turn=40)


def control(page, name, view=0):
    return page.get_by_test_id(f"live-{name}").nth(view)


def line(page, view=0):
    return control(page, "text", view).inner_text()


def shown(page, view=0):
    """The lengths and the probabilities as the bars have them, to six digits."""
    widths = """(view) => ["length", "probability"].map((name) => Array.from({ length: 10 }, (_, j) =>
        parseFloat(document.querySelectorAll(`[data-testid=live-${name}-${j}]`)[view]
            .querySelector(".caps-live-fill").style.width) / 100))"""
    return [np.array(values) for values in page.evaluate(widths, view)]


def pixels(page, name):
    """A canvas of 28×28 pixels as (28, 28, 4)."""
    data = "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]"
    return np.array(control(page, name).evaluate(data)).reshape(28, 28, 4)


def seen(page):
    """The picture that the networks read, from what is on the screen: 0–1 in steps of 1/255."""
    return pixels(page, "seen")[..., 3] / 255


def in_python(page, live):
    """Let Python receive what the browser saved, and hold what is shown to what Python makes of it."""
    names = ["turn", "right", "down", "scale", "swapped", "centred", "upper"]
    state = page.evaluate("(names) => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names)
    ink = page.evaluate("[...bytes_of(model.get('page'))]")
    live.set_state({**state, "page": memoryview(bytes(ink))})
    lengths, probabilities = shown(page)
    np.testing.assert_allclose(lengths, live.lengths, atol=1e-4)
    np.testing.assert_allclose(probabilities, live.probabilities, atol=1e-4)
    np.testing.assert_allclose(seen(page), live.image, atol=0.5 / 255 + 1e-5)
    j, k = lengths.argmax(), probabilities.argmax()
    for name, values in (("length", lengths), ("probability", probabilities)):
        for n in range(10):
            assert f"{values[n]:.2f}" in control(page, f"{name}-{n}").inner_text()
    if live.image.any():
        words = f"Both read {j}" if j == k else f"CapsNet reads {j}, the CNN reads {k}"
        assert words in line(page) and f"{j} ({lengths[j]:.2f})" in line(page)
    chosen = j if live.upper < 0 else live.upper
    total = live._trace().contribution[-1, :, chosen].sum()
    blank = live.upper < 0 and not live.image.any()
    says = "No contributions" if blank else f"add up to {total:.2f}"
    assert says in control(page, "contribution").get_attribute("aria-label")
    return live


def at(page, place, view=0):
    """A share of the pad's width and height as pixels of the page."""
    box = control(page, "pad", view).bounding_box()
    return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]


def draw(page, pointer, corners, view=0):
    control(page, "pad", view).scroll_into_view_if_needed()
    pointer.down(*at(page, corners[0], view))
    for corner in corners[1:]:
        pointer.move(*at(page, corner, view))
    pointer.up()


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


# What is there untouched ----------------------------------------------------------------------------------------------


def test_the_first_state_shows_both_answers(mounted, live, data):
    page = mounted(live)
    in_python(page, live)
    assert line(page).startswith(f"This is a {data.y_test[3]}, turned 40° counter-clockwise.")
    assert page.get_by_text("Draw a digit, or pick one under the pad; ").count() == 1
    assert page.evaluate("model.saved") == {}
    assert control(page, "undo").is_disabled()


def test_unless_told_otherwise_the_digit_is_upright(mounted, data):
    live = LiveCapsNet(CAPSNET, CNN, data.x_test[:10], labels=data.y_test[:10])
    page = mounted(live)
    assert live.turn == 0 and line(page).startswith(f"This is a {data.y_test[0]}. ")
    np.testing.assert_allclose(seen(page), data.x_test[0, ..., 0], atol=1 / 255)


def test_both_networks_are_keras_own_in_the_browser(mounted, live, data):
    capsnet, cnn = models.article_capsnet(weights="shipped"), models.matched_cnn("flatten", weights="shipped")
    page = mounted(live)
    for n, turn in ((0, 0), (1, -30), (5, 75), (9, 180)):
        control(page, f"start-{n}").click()
        control(page, "turn").fill(str(turn))
        x = transforms.rotate(data.x_test[n : n + 1], turn, cut=True)
        lengths, probabilities = shown(page)
        np.testing.assert_allclose(lengths, capsnet.predict(x, verbose=0)[0], atol=1e-4)
        np.testing.assert_allclose(probabilities, cnn.predict(x, verbose=0)[0], atol=1e-4)


def test_the_other_cnn_and_other_routings(mounted, data):
    live = LiveCapsNet(CAPSNET, weights.arrays("matched_cnn_global"), data.x_test[:2], routings=2, offset=1.0)
    in_python(mounted(live), live)


@pytest.mark.parametrize("width", [700, 1100])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_screenshots(mounted, keep, live, width, dark):
    page = mounted(live, width=width, dark=dark)
    name = f"live-capsnet-{width}{'-dark' if dark else ''}"
    keep(page, name)
    control(page, "clear").click()
    keep(page, f"{name}-blank")
    draw(page, Mouse(page), SEVEN)
    keep(page, f"{name}-drawn")


# Drawing --------------------------------------------------------------------------------------------------------------


@POINTERS
def test_a_drawn_seven_is_read_as_one_by_both(mounted, live, pointer):
    page = mounted(live)
    control(page, "clear").click()
    assert control(page, "centre").is_checked()
    draw(page, pointer(page), SEVEN)
    in_python(page, live)
    assert line(page).startswith("Your drawing. Both read 7.")
    assert live.lengths.argmax() == live.probabilities.argmax() == 7
    rows, columns = np.mgrid[:28, :28]
    mass = (live.image * rows).sum() / live.image.sum(), (live.image * columns).sum() / live.image.sum()
    np.testing.assert_allclose(mass, (14, 14), atol=0.1)


@POINTERS
def test_ink_lies_where_the_pen_was(mounted, live, pointer):
    page = mounted(live)
    control(page, "clear").click()
    draw(page, pointer(page), [(0.25, 0.5), (0.75, 0.5)])
    ink = np.array(page.evaluate("[...model.get('page')]")).reshape(28, 28)
    rows, columns = np.nonzero(ink == 255)
    assert set(rows) == {13, 14} and columns.min() in (6, 7) and columns.max() in (20, 21)
    assert ink[:11].max() == ink[17:].max() == 0 and 0 < ink[12, 14] < 255  # Grey at the edge, as MNIST's ink.


@POINTERS
def test_the_eraser_takes_ink_away_and_undo_brings_it_back(mounted, live, pointer):
    page = mounted(live)
    before = live.page
    control(page, "eraser").click()
    draw(page, pointer(page), [(0.1, 0.4), (0.9, 0.4)])
    erased = in_python(page, live).page
    assert sum(erased) < 0.9 * sum(before) and all(new <= old for new, old in zip(erased, before, strict=True))
    assert line(page).startswith("Your drawing, turned 40°")  # It is no longer the digit of that label.
    control(page, "undo").click()
    assert in_python(page, live).page == before
    assert control(page, "undo").is_disabled()


def test_the_networks_answer_while_the_pen_is_down_and_a_line_is_saved_once(mounted, live):
    page = mounted(live)
    control(page, "clear").click()
    page.evaluate("model.saved = {}")
    blank = shown(page)
    pen = Mouse(page)
    pen.down(*at(page, SEVEN[0]))
    pen.move(*at(page, SEVEN[1]))
    assert not np.allclose(shown(page)[0], blank[0], atol=1e-3)
    assert page.evaluate("model.saved") == {}
    pen.move(*at(page, SEVEN[2]))
    pen.up()
    assert page.evaluate("Object.keys(model.saved)") == ["page"]


def test_another_button_or_a_second_finger_draws_nothing(mounted, live):
    page = mounted(live)
    before = page.evaluate("[...bytes_of(model.get('page'))]")
    page.mouse.move(*at(page, (0.5, 0.1)))
    page.mouse.down(button="right")
    page.mouse.move(*at(page, (0.8, 0.1)))
    page.mouse.up(button="right")
    assert page.evaluate("[...bytes_of(model.get('page'))]") == before


def test_drawing_by_keyboard(mounted, live):
    page = mounted(live)
    control(page, "clear").focus()
    press(page, "Enter")
    control(page, "pad").focus()
    assert "Row 14, column 14, 0 % ink" in control(page, "pad").get_attribute("aria-label")
    press(page, *["ArrowUp"] * 8, *["ArrowLeft"] * 5)
    assert not page.evaluate("[...bytes_of(model.get('page'))].some(Boolean)")
    press(page, *["Shift+ArrowRight"] * 10, *["Shift+ArrowDown"] * 14)
    assert "Row 20, column 19, 100 % ink" in control(page, "pad").get_attribute("aria-label")
    in_python(page, live)
    assert "Both read 7." in line(page)
    ink = sum(live.page)
    press(page, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Space")  # A dot below the 7.
    assert sum(in_python(page, live).page) > ink
    press(page, "Control+z")
    assert sum(in_python(page, live).page) == ink
    control(page, "eraser").press("Space")
    control(page, "pad").focus()
    press(page, "ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp", "Space")
    assert sum(in_python(page, live).page) < ink


def test_the_cursor_stays_on_the_page(mounted, live):
    page = mounted(live)
    control(page, "pad").focus()
    press(page, *["ArrowLeft"] * 30, *["ArrowUp"] * 30)
    assert "Row 1, column 1," in control(page, "pad").get_attribute("aria-label")


# Sliders, switches, buttons -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("turn", -75, "turned 75° clockwise"),
        ("turn", 180, "turned 180° counter-clockwise"),
        ("right", 5, "moved 5 px right"),
        ("right", -6, "moved 6 px left"),
        ("down", 4, "moved 4 px down"),
        ("down", -3, "moved 3 px up"),
        ("scale", 0.65, "drawn × 0.65"),
        ("scale", 1.4, "drawn × 1.40"),
    ],
)
def test_a_slider_changes_picture_answers_and_text(mounted, live, name, value, says):
    page = mounted(live)
    before = shown(page)
    control(page, name).fill(str(value))
    assert says in line(page)
    assert in_python(page, live) and getattr(live, name) == value
    assert not np.allclose(shown(page)[0], before[0], atol=1e-3)
    assert page.evaluate("model.saved") == {name: value}
    control(page, "reset").click()
    assert [live.turn, live.right, live.down, live.scale] != [0, 0, 0, 1]
    in_python(page, live)
    assert [live.turn, live.right, live.down, live.scale] == [0, 0, 0, 1]
    control(page, "undo").click()
    assert getattr(in_python(page, live), name) == value


@pytest.mark.parametrize(("name", "step"), [("turn", 1), ("right", 1), ("down", 1), ("scale", 0.05)])
def test_a_slider_by_keyboard(mounted, live, name, step):
    page = mounted(live)
    before = getattr(live, name)
    control(page, name).focus()
    press(page, "ArrowRight", "ArrowRight", "ArrowRight")
    assert getattr(in_python(page, live), name) == pytest.approx(before + 3 * step)
    press(page, "End")
    assert getattr(in_python(page, live), name) == live.limits[name][1]


def test_swapped_halves(mounted, live):
    page = mounted(live)
    before = seen(page)
    control(page, "swap").press("Space")
    np.testing.assert_array_equal(seen(page), np.roll(before, 14, axis=0))
    assert "its halves swapped" in line(page) and in_python(page, live).swapped
    control(page, "swap").click()
    np.testing.assert_array_equal(seen(page), before)


def test_ink_that_is_cut_off_is_told(mounted, live):
    page = mounted(live)
    assert "cut off" not in line(page)
    control(page, "right").fill("12")
    assert "some ink is cut off at the edge" in line(page)
    control(page, "down").fill("14")
    control(page, "scale").fill("0.5")
    control(page, "right").fill("14")
    in_python(page, live)


def test_a_small_drawing_in_a_corner_needs_the_centring(mounted, live):
    page = mounted(live)
    control(page, "clear").click()
    draw(page, Mouse(page), [(x / 2.5, y / 2.5) for x, y in SEVEN])
    assert in_python(page, live).probabilities.argmax() == 7
    control(page, "centre").press("Space")
    np.testing.assert_array_equal(
        in_python(page, live).image, np.frombuffer(live.page, np.uint8).reshape(28, 28) / np.float32(255)
    )


def test_digits_to_start_from_by_mouse_and_keyboard(mounted, live, data):
    page = mounted(live)
    control(page, "clear").click()
    control(page, "start-7").click()
    in_python(page, live)
    np.testing.assert_allclose(live.image, data.x_test[7, ..., 0], atol=1e-6)
    assert line(page).startswith(f"This is a {data.y_test[7]}. ") and not live.centred
    assert control(page, "start-7").get_attribute("aria-pressed") == "true"
    press(page, "ArrowRight", "Enter")
    np.testing.assert_allclose(in_python(page, live).image, data.x_test[8, ..., 0], atol=1e-6)
    control(page, "undo").click()
    np.testing.assert_allclose(in_python(page, live).image, data.x_test[7, ..., 0], atol=1e-6)
    control(page, "undo").click()
    assert not in_python(page, live).image.any() and live.centred


def test_a_length_shows_what_the_cells_add_to_it(mounted, live):
    page = mounted(live)
    winner = int(live.lengths.argmax())
    other = (winner + 4) % 10
    assert control(page, f"length-{winner}").get_attribute("aria-pressed") == "true"
    control(page, f"length-{other}").click()
    assert in_python(page, live).upper == other
    control(page, "turn").fill("0")
    assert in_python(page, live).upper == other
    control(page, f"length-{other}").press("Enter")  # Once more: back to the longest.
    assert in_python(page, live).upper == -1
    control(page, f"length-{other}").press("Space")
    control(page, "longest").click()
    assert in_python(page, live).upper == -1


def test_cells_are_tinted_by_their_contribution(mounted, live):
    page = mounted(live)
    contribution = live._trace().contribution[-1]  # (49, 10)
    paper = live.image.reshape(7, 4, 7, 4).max((1, 3)).ravel() == 0
    paler = live.image.reshape(7, 4, 7, 4).min((1, 3)).ravel() == 0  # Somewhere in the cell there is no ink.
    for j in (live.lengths.argmax(), contribution[paler].min(0).argmin()):
        control(page, f"length-{j}").click()
        tints = pixels(page, "contribution")[..., :3].astype(int)
        where = np.where(live.image[..., None] == 0, tints, -1).reshape(7, 4, 7, 4, 3).max((1, 3)).reshape(49, 3)
        warmth = where[:, 0] - where[:, 2]  # More red than blue.
        limit = max(1, abs(contribution[:, j]).max())
        strong = paler & (abs(contribution[:, j]) > 0.02 * limit)
        np.testing.assert_array_equal(np.sign(warmth[strong]), np.sign(contribution[strong, j]))
        assert strong.any() and abs(warmth[paper]).max() < warmth.max()
    assert (contribution[strong, j] < 0).any()


# Words and errors -----------------------------------------------------------------------------------------------------


def test_a_blank_page_is_answered_in_words(mounted, live):
    page = mounted(live)
    control(page, "clear").press("Space")
    in_python(page, live)
    j, k = live.lengths.argmax(), live.probabilities.argmax()
    assert line(page).startswith("The page is blank")
    assert f"longer than {live.lengths[j]:.3f}" in line(page) and "no winner" in line(page)
    assert f"class {k} gets {live.probabilities[k]:.2f}" in line(page)


def marked(page):
    """The capsules and classes marked as winners, and the capsules whose contributions are shown."""
    return page.locator(".caps-live-winner").count(), page.locator(".caps-live-bar[aria-pressed=true]").count()


def test_a_blank_page_has_no_winner(mounted, live):
    page = mounted(live)
    assert marked(page) == (2, 1)
    control(page, "clear").click()
    assert marked(page) == (0, 0)
    assert "no ink" in control(page, "contribution").get_attribute("aria-label")
    assert (pixels(page, "contribution")[..., :3] == 255).all()
    control(page, "length-4").click()  # Asked for, a capsule is shown all the same.
    assert marked(page) == (0, 1)
    assert "to capsule 4" in control(page, "contribution").get_attribute("aria-label")
    control(page, "longest").click()
    draw(page, Mouse(page), SEVEN)
    assert marked(page) == (2, 1)
    assert control(page, "length-7").get_attribute("aria-pressed") == "true"


def test_all_ink_beyond_the_edge(mounted):
    dot = np.zeros((28, 28))
    dot[1, 1] = 1
    page = mounted(LiveCapsNet(CAPSNET, CNN, dot))
    control(page, "right").fill("-10")
    assert line(page).startswith("All the ink lies beyond the edge.")


def test_without_digits_it_starts_with_a_blank_page(mounted):
    live = LiveCapsNet(CAPSNET, CNN)
    page = mounted(live)
    assert line(page).startswith("The page is blank: draw a digit.")
    draw(page, Mouse(page), SEVEN)
    assert "Both read 7" in line(page)
    in_python(page, live)


@pytest.mark.parametrize("damage", ["delete models.states[model.get('cnn').slice(10)]", "networks.set('arrays', {})"])
def test_weights_that_are_missing_give_a_message(mounted, live, damage):
    page = mounted(live)
    page.evaluate("unmount()")
    page.evaluate(
        """async (damage) => {
            const models = model.widget_manager, networks = models.of(model.get("cnn").slice(10));
            models.made.delete(model.get("cnn").slice(10));
            if (damage.startsWith("delete")) delete models.states[model.get("cnn").slice(10)];
            else models.made.set(model.get("cnn").slice(10), Object.assign(networks, { state: { arrays: {} } }));
            delete model.program;
            await mount();
        }""",
        damage,
    )
    expect(page.get_by_role("alert")).to_contain_text("This widget cannot be drawn")


# Two of them ----------------------------------------------------------------------------------------------------------


def test_two_views_share_page_sliders_and_undo(mounted, live):
    page = mounted(live, views=2)
    control(page, "clear", 1).click()
    draw(page, Mouse(page), SEVEN, view=1)
    assert line(page, 0) == line(page, 1) and "Both read 7" in line(page)
    np.testing.assert_array_equal(shown(page, 0), shown(page, 1))
    control(page, "turn", 0).fill("-20")
    assert control(page, "turn", 1).input_value() == "-20"
    control(page, "undo", 0).click()
    assert line(page, 0) == line(page, 1) and "The page is blank" in line(page)


def test_a_page_with_two_holds_the_weights_once_and_both_live(page, data, tmp_path):
    first, second = (LiveCapsNet(CAPSNET, CNN, data.x_test[:10], start=n) for n in range(2))
    text = exported(page, tmp_path, first, second)
    for array in (CAPSNET["v.W"], CNN["probabilities.kernel"]):
        letters = re.findall("[A-Za-z0-9]{24,}", base64.b64encode(array.tobytes()).decode())  # What no text escapes.
        assert text.count(letters[0]) == 1
    expect(page.get_by_test_id("live-text")).to_have_count(2)
    for view, live in enumerate((first, second)):
        np.testing.assert_allclose(shown(page, view)[0], live.lengths, atol=1e-4)
    draw(page, Mouse(page), SEVEN, view=1)
    assert line(page, 0).startswith("Digit 1 of 10. ") and line(page, 1).startswith("Your drawing. ")
    assert control(page, "undo", 0).is_disabled() and control(page, "undo", 1).is_enabled()


# In lesson 08 ---------------------------------------------------------------------------------------------------------


def numbers(text):
    return [float(found) for found in re.findall(r"\d\.\d{3}", text)]


@pytest.mark.parametrize("interface", ["doc", "lab"])
def test_lesson_08_draws_and_python_reads_the_drawing(lab, page, keep, interface):
    lab.open(page, "08_look_inside.ipynb", interface=interface)
    widget = page.locator(".caps").filter(has=page.get_by_test_id("live-pad"))
    expect(widget).to_have_count(1)
    widget.scroll_into_view_if_needed()
    expect(control(page, "text")).to_contain_text("Both read 3.")
    keep(widget, f"lesson-08-live-{interface}")
    cells = lab.cells(page)
    control(page, "clear").click()
    draw(page, Mouse(page), SEVEN)
    expect(control(page, "text")).to_contain_text("Your drawing. Both read 7.")
    control(page, "turn").fill("-10")
    control(page, "pad").focus()
    press(page, "x", "d", "d", "ArrowDown", "Space", "Control+z")
    control(page, "start-0").press("x")
    assert lab.cells(page) == cells
    expect(control(page, "text")).to_contain_text("Your drawing, turned 10° clockwise. Both read 7.")
    lengths, _ = shown(page)
    keep(widget, f"lesson-08-live-drawn-{interface}")
    told = f"print(abs(live.lengths[7] - {lengths[7]:.6f}) < 6e-4 and live.turn == -10)"
    assert printed(page, told, until="True") == "True"
    cell = page.locator(".jp-CodeCell", has_text="capsule_inputs(model, live.image)").first
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    output = cell.locator(".jp-OutputArea-output")
    expect(output).to_contain_text("length of capsule 7, iterations 1 to 5")
    assert numbers(output.inner_text())[4] == pytest.approx(lengths[7], abs=0.0006)
