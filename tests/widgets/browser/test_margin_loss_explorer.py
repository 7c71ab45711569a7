"""MarginLossExplorer in a browser: every control by every means, and its numbers against NumPy."""

import re

import numpy as np
import pytest

from capslib import equations
from capslib.widgets import MarginLossExplorer
from tests.widgets.browser.pointers import Mouse, Touch, click, middle
from tools.browser.harness import printed

TEN = np.array([0.04, 0.06, 0.12, 0.62, 0.02, 0.3, 0.05, 0.09, 0.45, 0.2])
TRAINED = np.array([0.02, 0.04, 0.01, 0.979, 0.03, 0.03, 0.052, 0.03, 0.04, 0.04])
STATES = [
    (TEN, [3], {}),
    (TRAINED, [3], {}),
    (TEN, [3, 8], {}),
    (TEN, [], {}),
    (np.linspace(0, 1, 10), list(range(10)), {"lam": 0.2, "m_plus": 0.75, "m_minus": 0.3}),
    (np.array([0.6, 0.3, 0.05]), [0], {"lam": 1 / 9}),
]
MINUS = "−"


class Expected:
    """What NumPy says about a state."""

    def __init__(self, lengths, present, m_plus=0.9, m_minus=0.1, lam=0.5):
        T = np.isin(np.arange(len(lengths)), present).astype(float)
        one = [(np.eye(len(T))[[k]] * T, np.eye(len(T))[[k]] * lengths) for k in range(len(T))]
        # Other classes at 0 cost nothing, so each class's term is a loss of its own.
        self.terms = np.array([equations.margin_loss(y, x, m_plus, m_minus, lam)[0] for y, x in one])
        self.gradient = equations.margin_gradient(T[None], lengths[None], m_plus, m_minus, lam)[0]
        self.loss = equations.margin_loss(T[None], lengths[None], m_plus, m_minus, lam)[0]
        self.T, self.lengths, self.powers, self.q = T, lengths, np.exp(lengths), equations.softmax(lengths)
        self.cost = -np.sum(T * np.log(self.q))
        self.slope = T.sum() * self.q - T


def state(page):
    return np.array(page.evaluate("model.get('lengths')")), page.evaluate("model.get('present')")


def text(page, test, view=0):
    return page.get_by_test_id(test).nth(view).text_content()


def value(words):
    return float(words.replace(MINUS, "-")) if words else np.nan


def row(page, name):
    return np.array([value(words) for words in page.locator(f"[data-row={name}]").all_text_contents()])


def end(page, name):
    return value(page.locator(f"[data-sum={name}]").text_content())


def edges(page, selector):
    """Top and bottom of elements on the screen, (N, 2)."""
    read = "nodes => nodes.map((node) => node.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom])"
    return np.array(page.locator(selector).evaluate_all(read))


def place(page, k, length, test="mle-bar"):
    """Where a length of class k lies on the screen."""
    column = page.get_by_test_id(f"{test}-{k}")
    column.scroll_into_view_if_needed()
    box = column.bounding_box()
    low, _, high = edges(page, ".caps-mle-lengths .caps-mle-level")[:3, 0]
    return box["x"] + box["width"] / 2, low + length * (high - low)


def press(page, way, *path):
    """Press at a path's first point, go along it and let go, by mouse or with a finger."""
    pointer = {"mouse": Mouse, "touch": Touch}[way](page)
    pointer.down(*path[0])
    for point in path[1:]:
        pointer.move(*point)
    pointer.up()


def activate(page, way, test):
    """Press a button by mouse, finger or key."""
    control = page.get_by_test_id(test)
    if way == "key":
        control.press("Space")
    else:
        click({"mouse": Mouse, "touch": Touch}[way](page), control)


POINTERS = pytest.mark.parametrize("way", ["mouse", "touch"])
WAYS = pytest.mark.parametrize("way", ["mouse", "touch", "key"])


# What it shows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lengths", "present", "margins"), STATES)
def test_numbers_are_those_of_numpy(mounted, lengths, present, margins):
    page, e = mounted(MarginLossExplorer(lengths, present, **margins)), Expected(lengths, present, **margins)
    there = e.T == 1
    for name, expected in (
        ("length", lengths),
        ("present", np.where(there, e.terms, np.nan)),
        ("absent", np.where(there, np.nan, e.terms)),
        ("gradient", e.gradient),
        ("power", e.powers),
        ("q", e.q),
        ("cost", np.where(there, -np.log(e.q), np.nan)),
        ("slope", e.slope),
    ):
        np.testing.assert_allclose(row(page, name), expected, atol=5.01e-4, err_msg=name)
    for name, expected in (
        ("present", e.terms[there].sum()),
        ("absent", e.terms[~there].sum()),
        ("gradient", e.gradient.sum()),
        ("power", e.powers.sum()),
        ("q", 1),
        ("cost", e.cost),
        ("slope", 0),
    ):
        assert end(page, name) == pytest.approx(expected, abs=5.01e-4), name
    assert value(text(page, "mle-loss")) == pytest.approx(e.loss, abs=5.01e-4)
    assert value(text(page, "mle-cross-entropy")) == pytest.approx(e.cost, abs=5.01e-4)


@pytest.mark.parametrize(("lengths", "present", "margins"), STATES)
def test_what_is_exactly_0_is_a_0_without_decimals_and_has_no_arrow(mounted, lengths, present, margins):
    page, e = mounted(MarginLossExplorer(lengths, present, **margins)), Expected(lengths, present, **margins)
    assert [words == "0" for words in page.locator("[data-row=gradient]").all_text_contents()] == list(e.gradient == 0)
    arrows = np.diff(edges(page, "[data-testid=mle-margin] .caps-mle-arrow"), axis=1)[:, 0]
    np.testing.assert_array_equal(arrows > 0, e.gradient != 0)


@pytest.mark.parametrize(("lengths", "present", "margins"), STATES)
def test_bars_and_arrows_have_their_lengths(mounted, lengths, present, margins):
    page, e = mounted(MarginLossExplorer(lengths, present, **margins)), Expected(lengths, present, **margins)
    for panel, gradient, parts in (("margin", e.gradient, np.sqrt(e.terms)), ("softmax", e.slope, e.q)):
        area = f"[data-testid=mle-{panel}] .caps-mle-lengths"
        low, _, high = edges(page, f"{area} .caps-mle-level")[:, 0]
        tops = low - lengths * (low - high)
        bars = edges(page, f"{area} .caps-mle-bar")
        np.testing.assert_allclose(bars[:, 0], np.minimum(tops, low - 3), atol=2)  # A length of 0 is seen, too.
        np.testing.assert_allclose(bars[:, 1], low, atol=2)
        tips = gradient / 2 * (low - high)
        tips = np.sign(tips) * np.maximum(5, abs(tips))  # So is every arrow.
        expected = np.sort([tops, tops + tips], axis=0).T
        moved = gradient != 0
        np.testing.assert_allclose(edges(page, f"{area} .caps-mle-arrow")[moved], expected[moved], atol=2)
        ways = page.locator(f"{area} .caps-mle-arrow").evaluate_all("nodes => nodes.map((node) => node.dataset.way)")
        assert np.array_equal(np.array(ways)[moved], np.where(gradient < 0, "up", "down")[moved])
        plot = f"[data-testid=mle-{panel}] .caps-mle-unit"
        ((top, bottom),) = edges(page, plot)
        heights = np.diff(edges(page, f"{plot} .caps-mle-slot i"), axis=1)[:, 0]
        np.testing.assert_allclose(heights / (bottom - top), parts, atol=0.01)


@pytest.mark.parametrize("J", [2, 3, 10, 12])
def test_the_most_that_a_class_can_reach(mounted, J):
    most = np.e / (np.e + J - 1)
    page = mounted(MarginLossExplorer(np.eye(J)[0], 0))
    ceiling = page.get_by_test_id("mle-ceiling")
    assert f"e/(e + {J - 1}) = {most:.3f}" in ceiling.text_content()
    plot = page.get_by_test_id("mle-softmax").locator(".caps-mle-unit").bounding_box()
    bar = page.locator(".caps-mle-q").first.bounding_box()
    assert bar["height"] / plot["height"] == pytest.approx(most, abs=0.01)  # These lengths are its best.
    out = ceiling.bounding_box()
    assert out["y"] + out["height"] == pytest.approx(bar["y"], abs=2)
    assert f"at least {-np.log(most):.3f}" in text(page, "mle-softmax")


def test_the_least_cross_entropy_is_what_the_best_lengths_cost(mounted):
    for present in ([2], [2, 5], [0, 1, 2, 3, 4]):
        best = np.isin(np.arange(10), present).astype(float)
        page = mounted(MarginLossExplorer(best, present))
        cost = text(page, "mle-cross-entropy")
        assert f"at least {cost}" in text(page, "mle-softmax")
        assert value(cost) == pytest.approx(Expected(best, present).cost, abs=5.01e-4)


@pytest.mark.parametrize(
    ("k", "margin", "softmax"),
    [
        (
            3,
            [
                "Class 3, present: max(0, m⁺ − ‖v3‖)2",
                "= max(0, 0.90 − 0.62)2 = 0.282 = 0.078",
                "∂L/∂‖v3‖ = −2 · 0.28 = −0.560: pushed up",
            ],
            [
                "Class 3, present: q3 = e‖v3‖ / Σj e‖vj‖",
                "= 1.859 / 12.394 = 0.150, −ln q = 1.897",
                "∂/∂‖v3‖ = 0.150 − 1 = −0.850: pushed up",
            ],
        ),
        (
            8,
            [
                "Class 8, absent: λ max(0, ‖v8‖ − m⁻)2",
                "= 0.50 · max(0, 0.45 − 0.10)2 = 0.50 · 0.352 = 0.061",
                "∂L/∂‖v8‖ = 2 · 0.50 · 0.35 = +0.350: pushed down",
            ],
            [
                "Class 8, absent: q8 = e‖v8‖ / Σj e‖vj‖",
                "= 1.568 / 12.394 = 0.127",
                "∂/∂‖v8‖ = 0.127 − 0 = +0.127: pushed down",
            ],
        ),
        (
            4,
            [
                "Class 4, absent: λ max(0, ‖v4‖ − m⁻)2",
                "= 0.50 · max(0, 0.02 − 0.10)2 = 0.50 · 02 = 0",
                "∂L/∂‖v4‖ = 2 · 0.50 · 0 = 0: not pushed",
            ],
            None,
        ),
    ],
)
def test_the_chosen_class_is_put_into_the_formulas(mounted, k, margin, softmax):
    page = mounted(MarginLossExplorer(TEN, 3))
    page.get_by_test_id(f"mle-bar-{k}").focus()
    assert page.evaluate("model.get('chosen')") == k
    assert page.get_by_test_id("mle-margin-formula").locator("p").all_text_contents() == margin
    if softmax:
        assert page.get_by_test_id("mle-softmax-formula").locator("p").all_text_contents() == softmax


def test_the_line_says_it_in_words(mounted):
    page = mounted(MarginLossExplorer(TEN, 3))
    assert text(page, "mle-line").startswith(
        "In the image: 3. Margin loss 0.165: 0.078 from present classes, 0.086 from absent ones. "
        "Pushed up: 3. Pushed down: 2, 5, 8, 9. Not pushed: 5 of 10."
    )
    page = mounted(MarginLossExplorer(TRAINED, 3))
    line = text(page, "mle-line")
    assert "Margin loss 0: 0 from present classes, 0 from absent ones. Pushed up: none. Pushed down: none." in line
    assert "Not pushed: 10 of 10." in line and "the most possible is 0.232" in line and "pushes 10 of 10." in line
    assert page.get_by_text("zero loss, no push").is_visible()


def test_with_nobody_on_the_image_cross_entropy_says_nothing(mounted):
    page = mounted(MarginLossExplorer(TEN, []))
    assert text(page, "mle-cross-entropy") == "0" and "nothing to learn" in text(page, "mle-softmax")
    assert not any(arrow.is_visible() for arrow in page.get_by_test_id("mle-softmax").locator(".caps-mle-arrow").all())
    assert value(text(page, "mle-loss")) == pytest.approx(Expected(TEN, []).loss, abs=5.01e-4)


def test_the_margins_stand_at_their_lengths(mounted):
    page = mounted(MarginLossExplorer(TEN, 3, m_plus=0.75, m_minus=0.25))
    for name, length in (("m⁺ 0.75", 0.75), ("m⁻ 0.25", 0.25)):
        assert page.get_by_text(name, exact=True).is_visible()
        ys = [box["y"] for box in (line.bounding_box() for line in page.locator(".caps-mle-margin").all())]
        assert min(abs(y - place(page, 0, length)[1]) for y in ys) < 2


# What it does -------------------------------------------------------------------------------------------------------


@POINTERS
@pytest.mark.parametrize("test", ["mle-bar", "mle-softmax-bar"])
def test_drag_a_length(mounted, way, test):
    page = mounted(MarginLossExplorer(TEN, 3))
    press(page, way, place(page, 5, 0.3, test), place(page, 5, 0.5, test), place(page, 5, 0.8, test))
    page.mouse.move(*place(page, 5, 0.1, test))  # Let go of, it stays.
    lengths, _ = state(page)
    assert lengths[5] == pytest.approx(0.8, abs=0.011)
    np.testing.assert_array_equal(np.delete(lengths, 5), np.delete(TEN, 5))
    assert page.evaluate("model.saved.lengths")[5] == lengths[5] and page.evaluate("model.get('chosen')") == 5
    np.testing.assert_allclose(row(page, "gradient"), Expected(lengths, [3]).gradient, atol=5.01e-4)
    x, y = place(page, 3, 0.5, test)
    press(page, way, (x, y), (x, y - 900))
    assert state(page)[0][3] == 1
    press(page, way, (x, y), (x, y + 900))
    assert state(page)[0][3] == 0


def test_the_other_mouse_buttons_drag_nothing(mounted):
    page = mounted(MarginLossExplorer(TEN, 3))
    page.mouse.move(*place(page, 5, 0.8))
    page.mouse.down(button="right")
    page.mouse.up(button="right")
    np.testing.assert_array_equal(state(page)[0], TEN)


def test_a_length_by_keys(mounted):
    page = mounted(MarginLossExplorer(TEN, 3))
    bar = page.get_by_test_id("mle-bar-8")
    at = 0.45
    for key, step in (("ArrowUp", 0.01), ("ArrowRight", 0.01), ("ArrowDown", -0.01), ("ArrowLeft", -0.01)):
        bar.press(key)
        at += step
        assert state(page)[0][8] == pytest.approx(at)
    for key, at in (("PageUp", 0.55), ("PageDown", 0.45), ("End", 1), ("ArrowUp", 1), ("Home", 0), ("PageDown", 0)):
        bar.press(key)
        assert state(page)[0][8] == pytest.approx(at)
    assert bar.get_attribute("aria-valuenow") == "0"
    assert bar.get_attribute("aria-valuetext") == "0.00, term 0, gradient 0"
    bar.press("x")
    assert state(page)[0][8] == 0


@WAYS
def test_classes_come_and_go(mounted, way):
    page = mounted(MarginLossExplorer(TEN, 3))
    for k, present in ((8, [3, 8]), (0, [0, 3, 8]), (3, [0, 8]), (8, [0]), (0, [])):
        activate(page, way, f"mle-present-{k}")
        assert state(page)[1] == present and page.evaluate("model.saved.present") == present
        pressed = [page.get_by_test_id(f"mle-present-{j}").get_attribute("aria-pressed") for j in range(10)]
        assert pressed == [str(j in present).lower() for j in range(10)]
        assert value(text(page, "mle-loss")) == pytest.approx(Expected(TEN, present).loss, abs=5.01e-4)


@POINTERS
@pytest.mark.parametrize(("test", "name"), [("mle-lam", "lam"), ("mle-m-minus", "m_minus"), ("mle-m-plus", "m_plus")])
def test_constants_by_pointer(mounted, way, test, name):
    page = mounted(MarginLossExplorer(TEN, 3))
    box = page.get_by_test_id(test).bounding_box()
    share = 0.7
    press(page, way, (box["x"] + share * box["width"], box["y"] + box["height"] / 2))
    found = page.evaluate(f"model.get('{name}')")
    assert found == pytest.approx(share, abs=0.06) and page.evaluate(f"model.saved.{name}") == found
    assert value(text(page, "mle-loss")) == pytest.approx(Expected(TEN, [3], **{name: found}).loss, abs=5.01e-4)


def test_constants_by_keys_and_the_papers_values(mounted):
    page = mounted(MarginLossExplorer(TEN, 3))
    assert page.get_by_test_id("mle-paper").is_disabled()
    for test, name, at in (("mle-lam", "lam", 0.51), ("mle-m-minus", "m_minus", 0.11), ("mle-m-plus", "m_plus", 0.91)):
        page.get_by_test_id(test).press("ArrowRight")
        assert page.evaluate(f"model.get('{name}')") == pytest.approx(at)
    loss = Expected(TEN, [3], m_plus=0.91, m_minus=0.11, lam=0.51).loss
    assert value(text(page, "mle-loss")) == pytest.approx(loss, abs=5.01e-4)
    page.get_by_test_id("mle-paper").press("Enter")
    assert [page.evaluate(f"model.get('{name}')") for name in ("lam", "m_minus", "m_plus")] == [0.5, 0.1, 0.9]
    np.testing.assert_array_equal(state(page)[0], TEN)  # The lengths are the learner's.


@POINTERS
def test_the_papers_values_by_pointer(mounted, way):
    page = mounted(MarginLossExplorer(TEN, 3, m_plus=0.7, m_minus=0.4, lam=1))
    activate(page, way, "mle-paper")
    assert [page.evaluate(f"model.get('{name}')") for name in ("lam", "m_minus", "m_plus")] == [0.5, 0.1, 0.9]


def test_a_margin_stops_at_the_other(mounted):
    page = mounted(MarginLossExplorer(TEN, 3))
    page.get_by_test_id("mle-m-minus").press("End")
    assert page.evaluate("model.get('m_minus')") == 0.9
    assert page.get_by_test_id("mle-m-minus").input_value() == "0.9"
    page.get_by_test_id("mle-paper").click()
    page.get_by_test_id("mle-m-plus").press("Home")
    assert page.evaluate("model.get('m_plus')") == 0.1


@WAYS
def test_all_lengths_at_once_and_start_again(mounted, way):
    page = mounted(MarginLossExplorer(TEN, 3))
    assert "differ" in page.get_by_test_id("mle-all").locator("..").text_content()
    slider = page.get_by_test_id("mle-all")
    if way == "key":
        slider.press("Home")
    else:
        press(page, way, middle(slider))
    level = 0 if way == "key" else 0.5
    assert np.ptp(state(page)[0]) == 0 and state(page)[0][0] == pytest.approx(level, abs=0.04)
    page.get_by_test_id("mle-present-4").click()
    activate(page, way, "mle-again")
    np.testing.assert_array_equal(state(page)[0], TEN)
    assert state(page)[1] == [3]


@WAYS
def test_the_softmax_comes_and_goes(mounted, way):
    page = mounted(MarginLossExplorer(TEN, 3, with_softmax=False))
    panel = page.get_by_test_id("mle-softmax")
    assert not panel.is_visible() and "Softmax" not in text(page, "mle-line")
    for shown in (True, False, True):
        activate(page, way, "mle-beside")
        assert panel.is_visible() is shown and ("Softmax" in text(page, "mle-line")) is shown
        assert page.get_by_test_id("mle-beside").get_attribute("aria-pressed") == str(shown).lower()
        assert page.evaluate("model.saved.with_softmax") is shown


@WAYS
def test_the_margin_loss_comes_to_rest(mounted, way):
    page = mounted(MarginLossExplorer(TEN, 3))
    activate(page, way, "mle-follow-margin")
    np.testing.assert_allclose(state(page)[0], TEN - Expected(TEN, [3]).gradient / 2, atol=1e-6)
    assert state(page)[0][3] == 0.9 and page.locator("[data-row=gradient]").nth(3).text_content() == "0"
    for _ in range(12):
        page.get_by_test_id("mle-follow-margin").press("Enter")
    assert text(page, "mle-loss") == "0.000"
    absent = np.delete(state(page)[0], 3)
    assert absent.max() == pytest.approx(0.1, abs=1e-3)


@WAYS
def test_cross_entropy_never_does(mounted, way):
    page = mounted(MarginLossExplorer(TRAINED, 3))
    activate(page, way, "mle-follow-softmax")
    expected = np.clip(TRAINED - Expected(TRAINED, [3]).slope / 2, 0, 1)
    np.testing.assert_allclose(state(page)[0], expected, atol=1e-6)
    for _ in range(3):
        page.get_by_test_id("mle-follow-softmax").press("Enter")
    np.testing.assert_array_equal(state(page)[0], np.eye(10)[3])  # There is nowhere left to go, and still it pushes.
    np.testing.assert_allclose(row(page, "slope")[3], np.e / (np.e + 9) - 1, atol=5.01e-4)
    assert all(arrow.is_visible() for arrow in page.get_by_test_id("mle-softmax").locator(".caps-mle-arrow").all())


# Views, and Python --------------------------------------------------------------------------------------------------


def test_two_views_move_together(mounted):
    page = mounted(MarginLossExplorer(TEN, 3), views=2, height=2200)
    page.get_by_test_id("mle-bar-5").nth(1).press("PageUp")
    page.get_by_test_id("mle-present-8").nth(1).click()
    page.get_by_test_id("mle-lam").nth(0).press("End")
    lengths = TEN + 0.1 * np.eye(10)[5]
    for view in (0, 1):
        assert value(text(page, "mle-loss", view)) == pytest.approx(Expected(lengths, [3, 8], lam=1).loss, abs=5.01e-4)
        assert text(page, "mle-line", view) == text(page, "mle-line", 0)
        assert "Class 5" in text(page, "mle-margin-formula", view)


def test_what_python_sets_is_shown(mounted):
    page = mounted(MarginLossExplorer(TEN, 3))
    page.evaluate(f"model.set({{ lengths: {TRAINED.tolist()}, present: [3, 5], lam: 0.25, m_minus: 0.05 }})")
    e = Expected(TRAINED, [3, 5], lam=0.25, m_minus=0.05)
    assert value(text(page, "mle-loss")) == pytest.approx(e.loss, abs=5.01e-4)
    assert page.get_by_test_id("mle-lam").input_value() == "0.25"


def test_lengths_that_do_not_fit_give_a_message(mounted):
    page = mounted(MarginLossExplorer(TEN, 3))
    page.evaluate("model.set('lengths', [0.5])")
    assert "lengths: got 1 of them, expected 10" in page.get_by_role("alert").text_content()


def test_a_small_loss_is_seen_on_an_axis_that_says_what_it_is(mounted):
    page = mounted(MarginLossExplorer(TEN, 3))
    plot = "[data-testid=mle-margin] .caps-mle-unit"
    low, *levels = edges(page, f"{plot} .caps-mle-level")[:, 0]
    ticks = page.locator("[data-testid=mle-margin] .caps-mle-axis").nth(1).locator(".caps-mle-tick").all_text_contents()
    assert ticks == ["0", "0.1", "0.5", "1"] and "square-root axis" in text(page, "mle-margin")
    np.testing.assert_allclose((low - levels) / (low - levels[-1]), np.sqrt([0.1, 0.5, 1]), atol=0.01)
    heights = np.diff(edges(page, f"{plot} .caps-mle-term"), axis=1)[:, 0]
    assert heights[3] > 20  # A term of 0.078, in pixels.


@pytest.mark.parametrize("width", [800, 1280])
def test_sliders_are_wide_and_both_losses_side_by_side(mounted, width):
    page = mounted(MarginLossExplorer(TEN, 3), width=width)
    for test in ("mle-lam", "mle-m-minus", "mle-m-plus", "mle-all"):
        assert page.get_by_test_id(test).bounding_box()["width"] >= 160
    left, right = (page.get_by_test_id(test).bounding_box() for test in ("mle-margin", "mle-softmax"))
    assert left["y"] == right["y"] and left["x"] + left["width"] < right["x"]
    for sums in (False, True):  # No number runs into its neighbour.
        assert page.evaluate(OVERLAPS, f"[data-{'sum' if sums else 'row'}]") == 0


OVERLAPS = """(cells) => [...document.querySelectorAll(cells)].filter((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getBoundingClientRect().width > cell.getBoundingClientRect().width + 0.5;
}).length"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [700, 860, 1100])
def test_looks(mounted, keep, width, dark):
    theme = "dark" if dark else "light"
    for name, lengths in (("training", TEN), ("trained", TRAINED)):
        keep(mounted(MarginLossExplorer(lengths, 3), width=width, dark=dark), f"margin-loss-{width}-{theme}-{name}")


@pytest.mark.parametrize(("interface", "dark"), [("doc", False), ("lab", True)])
def test_in_lesson_05(lab, page, keep, interface, dark):
    lab.open(page, "05_margin_loss.ipynb", interface=interface, dark=dark)
    page.get_by_test_id("mle-bar-8").first.scroll_into_view_if_needed()
    first = page.locator(".caps-mle").first
    bar = first.get_by_test_id("mle-bar-8")
    cells = lab.cells(page)
    bar.press("End")
    bar.press("x")  # Lab would cut the cell.
    first.get_by_test_id("mle-present-8").click()
    lengths, present = np.where(np.arange(10) == 8, 1, TEN), [3, 8]
    assert value(first.get_by_test_id("mle-loss").text_content()) == pytest.approx(
        Expected(lengths, present).loss, abs=5.01e-4
    )
    assert re.search(r"In the image: 3, 8\.", first.get_by_test_id("mle-line").text_content())
    keep(first, f"margin-loss-{interface}")
    heard = page.locator(".jp-CodeCell", has_text="explorer.present")
    assert printed(page, "print(explorer.present)", until="[3, 8]") == "[3, 8]"  # The last that was changed.
    heard.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    told = f"present [3, 8], loss {Expected(lengths, present).loss:.3f}"
    heard.locator(".jp-OutputArea-output", has_text=told).wait_for()
    rivals = page.locator(".caps-mle").nth(1)
    rivals.scroll_into_view_if_needed()
    assert rivals.get_by_test_id("mle-loss").text_content() == "0"
    assert "pushes 10 of 10." in rivals.get_by_test_id("mle-line").text_content()
    rivals.get_by_test_id("mle-follow-softmax").click()
    assert rivals.get_by_test_id("mle-bar-3").get_attribute("aria-valuenow") == "1"
    keep(rivals, f"margin-loss-{interface}-softmax")
    assert lab.cells(page) == cells
