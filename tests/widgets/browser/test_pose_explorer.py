"""PoseExplorer in a browser: what it draws is what NumPy decodes, by every means that change it."""

import base64
import re

import nbformat
import numpy as np
import pytest
from playwright.sync_api import expect

from capslib import digits
from capslib.widgets import PoseExplorer
from tests.widgets.browser.pointers import Mouse, middle
from tests.widgets.browser.saved import exported
from tools.browser.examples import pose_weights
from tools.browser.harness import printed

WEIGHTS = pose_weights()
EFFECTS = {name: np.random.default_rng(n).normal(size=(10, 16)) for n, name in enumerate(("slant", "width"))}


@pytest.fixture(scope="module")
def data():
    return digits.load("bundled")


@pytest.fixture
def pose(data):
    """Four real digits, read by a small network with random weights."""
    return PoseExplorer(WEIGHTS, data.x_test[:4], data.y_test[:4], effects=EFFECTS, start=1)


def control(page, name, view=0):
    return page.get_by_test_id(f"pose-{name}").nth(view)


def line(page, view=0):
    return control(page, "text", view).inner_text()


def pixels(page, name, width=28, view=0):
    """A canvas as (28, width, 4)."""
    data = "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
    return np.array(control(page, name, view).evaluate(data)).reshape(28, width, 4)


def ink(page, name, width=28, view=0):
    return pixels(page, name, width, view)[..., 3] / 255


def told(size):
    """A length as the page writes it: none says 1.00, since squash keeps every vector below 1."""
    return f"{size:.3f}" if size >= 0.995 else f"{size:.2f}"


def strips_drawn(page):
    expect(page.locator(".caps-pose-stale")).to_have_count(0)


def in_python(page, pose):
    """Let Python receive what the browser has, and hold what is shown to what Python makes of it."""
    names = ["centred", "digit", "change", "chosen", "sort"]
    state = page.evaluate("(names) => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names)
    pose.set_state({**state, "page": memoryview(bytes(page.evaluate("[...bytes_of(model.get('page'))]")))})
    np.testing.assert_allclose(ink(page, "original"), pose.image, atol=0.51 / 255)
    np.testing.assert_allclose(ink(page, "reconstruction"), pose.reconstruction, atol=0.51 / 255 + 1e-4)
    before, error = pose.lengths[pose.capsule], np.square(pose.image - pose.reconstruction).sum()
    assert control(page, "length").inner_text().split(" → ")[0] == told(before)
    assert control(page, "length").inner_text().split(" → ")[-1] == told(pose.length)
    assert float(control(page, "error").inner_text().split(" → ")[-1]) == pytest.approx(error, abs=0.11)
    for d in range(16):
        assert float(control(page, f"slider-{d}").input_value()) == pytest.approx(pose.change[d])
    return pose


def draw(page, corners):
    control(page, "pad").scroll_into_view_if_needed()
    box, pen = control(page, "pad").bounding_box(), Mouse(page)
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    pen.down(*places[0])
    for place in places[1:]:
        pen.move(*place)
    pen.up()


def test_the_first_state_shows_what_numpy_decodes(mounted, keep, pose, data):
    page = mounted(pose)
    strips_drawn(page)
    j = in_python(page, pose).capsule
    assert line(page).startswith(f"This is a {data.y_test[1]}. The longest capsule is {j}, with")
    assert "Nothing is changed" in line(page) and page.evaluate("model.saved") == {}
    tints = pixels(page, "difference")[..., :3].astype(int)
    apart = pose.reconstruction - pose.image
    clear = np.abs(apart) > 0.05
    np.testing.assert_array_equal(np.sign(tints[..., 0] - tints[..., 2])[clear], np.sign(apart)[clear])
    assert (apart[clear] > 0).any() and (apart[clear] < 0).any()
    for d in (0, pose.chosen):
        expected = pose._pictures(pose.v[j] + np.linspace(-0.25, 0.25, 11)[:, None] * np.eye(16)[d], j)
        sheet = ink(page, f"strip-{d}", 308).reshape(28, 11, 28).transpose(1, 0, 2)
        np.testing.assert_allclose(sheet, expected, atol=0.51 / 255 + 1e-4)
    assert expected.std(0).max() > 0.05
    assert control(page, "sweep").inner_text() == f"Sweep dimension {pose.chosen}"
    keep(page, "pose-explorer-first")


def test_the_picture_follows_a_slider_that_is_dragged_or_moved_by_keys(mounted, pose):
    page = mounted(pose)
    strips_drawn(page)
    before, strip = ink(page, "reconstruction"), ink(page, "strip-3", 308)
    control(page, "slider-3").scroll_into_view_if_needed()
    x, y = middle(control(page, "slider-3"))
    pen = Mouse(page)
    pen.down(x, y)
    width = control(page, "slider-3").bounding_box()["width"]
    pen.move(x + 0.3 * width, y)
    dragged = in_python(page, pose).change[3]  # While the pointer is down.
    pen.up()
    assert 0.1 < dragged < 0.2 and pose.chosen == 3
    assert np.abs(ink(page, "reconstruction") - before).max() > 0.05
    assert f"Dimension 3 +{dragged:.2f}: length" in line(page)
    assert sorted(page.evaluate("Object.keys(model.saved)")) == ["change", "chosen"]
    control(page, "slider-3").press("ArrowLeft")
    assert in_python(page, pose).change[3] == pytest.approx(dragged - 0.01)
    control(page, "slider-5").press("Home")
    assert in_python(page, pose).change[5] == -0.25
    assert re.search(r"Dimensions 3 \(\+0\.1\d\) and 5 \(−0\.25\)", line(page))
    np.testing.assert_array_equal(ink(page, "strip-3", 308), strip)  # A strip is of the unchanged vector.
    control(page, "reset").press("Enter")
    assert not in_python(page, pose).change.any()
    np.testing.assert_array_equal(ink(page, "reconstruction"), before)


def test_a_picture_of_a_strip_is_taken_by_a_click(mounted, pose):
    page = mounted(pose)
    strips_drawn(page)
    film = control(page, "strip-7")
    film.scroll_into_view_if_needed()
    box = film.bounding_box()
    film.click(position={"x": 8.5 / 11 * box["width"], "y": box["height"] / 2})
    assert in_python(page, pose).change[7] == pytest.approx(0.15) and pose.chosen == 7
    frame = page.locator(".caps-pose-chosen .caps-pose-frame").bounding_box()
    assert frame["x"] == pytest.approx(box["x"] + 8 / 11 * box["width"], abs=1.5)
    np.testing.assert_allclose(ink(page, "strip-7", 308)[:, 8 * 28 : 9 * 28], ink(page, "reconstruction"), atol=1 / 254)
    thumb = control(page, "slider-7").bounding_box()  # It stands under the middle of that picture.
    assert thumb["x"] + 7 + 0.8 * (thumb["width"] - 14) == pytest.approx(frame["x"] + frame["width"] / 2, abs=1.5)


def test_strips_are_sorted_by_what_was_measured(mounted, pose):
    page = mounted(pose)
    names = page.locator("[data-testid^=pose-dimension-]")
    assert names.all_inner_texts() == [f"dim {d}" for d in range(16)]
    control(page, "sort").select_option("width")
    slopes = EFFECTS["width"][in_python(page, pose).capsule]
    order = np.argsort(-np.abs(slopes))
    assert names.all_inner_texts() == [f"dim {d}" for d in order]
    told = page.locator(".caps-pose-effect").all_inner_texts()
    assert told == [f"{slopes[d]:+.2f}".replace("-", "−") for d in order]
    bars = page.evaluate("[...document.querySelectorAll('.caps-pose-bar i')].map((bar) => parseFloat(bar.style.width))")
    np.testing.assert_allclose(bars, 100 * np.abs(slopes[order]) / np.abs(slopes).max(), rtol=0.01)
    other = int(pose.lengths.argmin())
    control(page, "digit").select_option(str(other))  # Another class, another order.
    order = np.argsort(-np.abs(EFFECTS["width"][other]))
    assert names.all_inner_texts() == [f"dim {d}" for d in order]
    plain = PoseExplorer(WEIGHTS, None)
    page = mounted(plain)
    expect(control(page, "sort")).to_have_count(0)
    assert line(page).startswith("The page is blank: draw a digit.")


def test_a_drawing_is_encoded_in_the_browser_and_its_strips_follow(mounted, pose):
    page = mounted(pose)
    strips_drawn(page)
    strip = ink(page, "strip-0", 308)
    control(page, "clear").click()
    draw(page, [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)])
    strips_drawn(page)
    in_python(page, pose)
    assert line(page).startswith("Your drawing.") and pose.centred
    page.wait_for_function("() => document.querySelector('.caps-pose-stale') === null")
    assert np.abs(ink(page, "strip-0", 308) - strip).max() > 0.05
    control(page, "undo").click()
    control(page, "undo").click()
    in_python(page, pose)
    strips_drawn(page)
    np.testing.assert_array_equal(ink(page, "strip-0", 308), strip)
    control(page, "start-3").click()
    assert not in_python(page, pose).centred


def test_the_key_0_sets_a_slider_back_and_leaves_the_others(mounted, pose):
    page = mounted(pose)
    for d, key in ((3, "Home"), (5, "End")):
        control(page, f"slider-{d}").press(key)
    control(page, "slider-3").press("0")
    change = in_python(page, pose).change
    assert change[3] == 0 and change[5] == 0.25 and control(page, "slider-3").input_value() == "0"
    control(page, "slider-5").press("Control+0")  # The page's zoom.
    assert in_python(page, pose).change[5] == 0.25
    assert "the key 0 sets it back" in page.locator(".caps-pose-lead").inner_text()


@pytest.mark.parametrize("by", ["clear", "start-3"])
def test_another_page_begins_unchanged_and_undo_brings_the_changes_back(mounted, pose, by):
    page = mounted(pose)
    control(page, "slider-5").press("End")
    assert in_python(page, pose).change[5] == 0.25
    control(page, by).click()
    assert not in_python(page, pose).change.any()
    if by == "clear":
        draw(page, [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)])
        assert not in_python(page, pose).change.any() and "Nothing is changed" in line(page)
        control(page, "undo").click()
    control(page, "undo").click()
    assert in_python(page, pose).change[5] == 0.25 and "Dimension 5 +0.25" in line(page)


def test_the_unit_of_effects_is_told_where_the_strips_are_sorted(mounted, data):
    page = mounted(PoseExplorer(WEIGHTS, data.x_test[:4], effects=EFFECTS, unit="standard deviations"))
    legend = page.locator(".caps-pose-legend")
    assert "standard deviations" not in legend.inner_text()
    control(page, "sort").select_option("slant")
    assert "was measured to change slant, in standard deviations; largest first." in legend.inner_text()


def test_a_digit_that_is_not_there_is_decoded_when_asked_for(mounted, pose):
    page = mounted(pose)
    other, first = int(pose.lengths.argmin()), pose.capsule
    control(page, "digit").select_option(str(other))
    assert in_python(page, pose).capsule == other
    assert f"Capsule {other} has ‖v" in line(page) and f"the longest is {first} (" in line(page)
    strips_drawn(page)
    middle_of_strip = ink(page, "strip-0", 308)[:, 5 * 28 : 6 * 28]
    np.testing.assert_allclose(middle_of_strip, ink(page, "reconstruction"), atol=1 / 254)
    control(page, "digit").select_option("-1")
    assert in_python(page, pose).capsule == first


def test_a_vector_that_is_too_long_is_shortened_and_told(mounted, pose):
    page = mounted(pose)
    page.evaluate("(change) => model.set({ change })", (0.25 * np.sign(pose.v[pose.capsule])).tolist())
    wanted = np.linalg.norm(in_python(page, pose).v[pose.capsule] + pose.change)
    assert wanted > 1 and pose.length == pytest.approx(0.999)
    assert control(page, "length").inner_text().endswith(" → 0.999") and " → 0.999, squared error" in line(page)
    assert "of length 0.999" in control(page, "reconstruction").get_attribute("aria-label")
    assert f"would have length {wanted:.2f}" in line(page) and "shortened to 0.999" in line(page)
    page.evaluate("(change) => model.set({ change })", [0] * 16)
    assert "shortened" not in line(page)


def test_a_sweep_goes_up_and_down_and_back_and_stops_by_hand(mounted, page, pose):
    page.clock.install()
    mounted(pose)
    sweep, d = control(page, "sweep"), pose.chosen
    page.evaluate("window.seen = []; model.on('change:change', (m, change) => seen.push(change))")
    sweep.click()
    expect(sweep).to_have_text("Pause")
    page.clock.run_for(6000)
    values = np.array(page.evaluate("seen"))
    assert values[:, d].max() == 0.25 and values[:, d].min() == -0.25 and not np.delete(values, d, 1).any()
    expect(sweep).to_have_text(f"Sweep dimension {d}")
    assert not in_python(page, pose).change.any()
    np.testing.assert_allclose(np.abs(np.diff(values[:, d])), 0.01)
    sweep.click()
    page.clock.run_for(400)
    control(page, f"dimension-{(d + 1) % 16}").click()
    expect(sweep).to_have_text(f"Sweep dimension {(d + 1) % 16}")
    steps = len(page.evaluate("seen"))
    page.clock.run_for(1000)
    assert len(values) + 10 <= len(page.evaluate("seen")) == steps


def test_a_page_with_two_holds_the_weights_once_and_both_live(page, data, tmp_path):
    first, second = (PoseExplorer(WEIGHTS, data.x_test[:4], start=n) for n in range(2))
    text = exported(page, tmp_path, first, second)
    letters = re.findall("[A-Za-z0-9]{24,}", base64.b64encode(WEIGHTS["v.W"].tobytes()).decode())
    assert text.count(letters[0]) == 1
    expect(page.get_by_test_id("pose-text")).to_have_count(2)
    for view, pose in enumerate((first, second)):
        np.testing.assert_allclose(ink(page, "reconstruction", view=view), pose.reconstruction, atol=0.51 / 255 + 1e-4)
    control(page, "slider-2", 1).fill("0.2")
    assert "Nothing is changed" in line(page, 0) and "Dimension 2 +0.20" in line(page, 1)


@pytest.mark.parametrize("width", [700, 1100])
def test_screenshots(mounted, keep, pose, width):
    page = mounted(pose, width=width, dark=width == 700)
    control(page, "sort").select_option("slant")
    strips_drawn(page)
    keep(page, f"pose-explorer-{width}")


CELL = """
import numpy as np
from capslib.widgets import PoseExplorer
rng = np.random.default_rng(0)
shapes = {SHAPES}
weights = {name: rng.normal(0, 0.3, shape).astype(np.float16) for name, shape in shapes.items()}
pose = PoseExplorer(weights, np.eye(28)[None])
pose
"""


def test_python_reads_in_jupyterlab_what_was_changed_there(lab, page, tmp_path):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A title")])
    made.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    source = CELL.replace("SHAPES", str({name: x.shape for name, x in WEIGHTS.items()})[1:-1])
    made.cells.append(nbformat.v4.new_code_cell(source))
    nbformat.write(made, tmp_path / "pose.ipynb")
    lab.open(page, tmp_path / "pose.ipynb")
    expect(control(page, "text")).to_contain_text("Nothing is changed")
    cells = lab.cells(page)
    control(page, "slider-4").fill("-0.13")
    control(page, "slider-4").press("x")
    expect(control(page, "text")).to_contain_text("Dimension 4 −0.13")
    assert printed(page, "print(pose.change[4], pose.chosen)", until="-0.13 4") == "-0.13 4"
    assert lab.cells(page) == cells
    assert printed(page, "print(f'{pose.length:.2f}')") == control(page, "length").inner_text().split(" → ")[-1]
    printed(page, "pose.digit = 3; pose.change = 0.25 * np.sign(pose.v[3])")
    expect(control(page, "text")).to_contain_text("shortened to 0.999")
