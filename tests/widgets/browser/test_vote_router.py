"""VoteRouter in a browser: every control by mouse, finger and keyboard, and its numbers against NumPy."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from capslib import equations
from capslib.widgets import VoteRouter
from capslib.widgets.vote_router import PRESETS, STEPS
from tests.widgets.browser.pointers import POINTERS, WAYS, Mouse, Tap, Touch, click, middle
from tools.browser.harness import printed

CLOSE = 5.1e-4  # Three decimals are shown.
SPAN = 5.6  # From edge to edge a plane is so many units wide.


def whole():
    """A router that shows the first iteration with all its steps, as most of what follows compares numbers."""
    router = VoteRouter()
    router.step = "agreement"
    return router


def value(text):
    return float(text.replace("−", "-").removesuffix(" ≠ 1"))


def numbers(locator):
    return [value(text) for text in locator.all_inner_texts() if text]


def votes(page):
    return np.array(page.evaluate("model.get('votes')"), float)


def table(page, view=0):
    """b, c, a as the table shows them, a without columns where it is not told, and the sums of c over wholes, parts."""
    shown = page.get_by_test_id("vote-table").nth(view)
    rows = [numbers(row.locator("td")) for row in shown.locator("tbody tr").all() if row.is_visible()]
    rows = np.array(rows)
    return rows[:, :2], rows[:, 2:4], rows[:, 5:], rows[:, 4], np.array(numbers(shown.locator("tfoot td")))


def where(page, i, j):
    """The middle of a vote on the screen, and how many pixels a unit is."""
    handle = page.get_by_test_id(f"vote-{i}-{j}").first
    handle.scroll_into_view_if_needed()
    plane = handle.locator("xpath=ancestor::*[local-name()='svg'][1]").bounding_box()
    return middle(handle.locator(".caps-handle-ring")), plane["width"] / SPAN


def drag(page, pointer, i, j, x, y):
    """Drag vote (i, j) to x, y by a Mouse or a Touch."""
    (px, py), unit = where(page, i, j)
    from_x, from_y = votes(page)[i, j]
    pointer.down(px, py)
    pointer.move(px + (x - from_x) * unit, py - (y - from_y) * unit)
    pointer.up()


def charted(page):
    """The lengths that the chart shows, a row an iteration."""
    said = page.get_by_role("img", name="Lengths by iteration").get_attribute("aria-label")
    return np.array(re.findall(r"\d\.\d{3}", said), float).reshape(2, -1).T


def check(page, trace, t, view=0):
    """The last step of iteration t + 1 shows what a RoutingTrace holds."""
    b, c, a, over_wholes, over_parts = table(page, view)
    for shown, expected in ((b, trace.b[t]), (c, trace.c[t]), (a, trace.a[t])):
        np.testing.assert_allclose(shown, expected, atol=CLOSE)
    np.testing.assert_allclose(over_wholes, trace.c[t].sum(-1), atol=CLOSE)
    np.testing.assert_allclose(over_parts, trace.c[t].sum(-2), atol=CLOSE)
    lengths = [value(page.get_by_test_id(f"vote-length-{j}").nth(view).inner_text()) for j in range(2)]
    np.testing.assert_allclose(lengths, trace.lengths[t], atol=CLOSE)


# The numbers --------------------------------------------------------------------------------------------------------


def test_untouched_it_shows_the_first_step_and_nothing_that_is_still_to_come(mounted):
    page = mounted(VoteRouter())
    b, c, a, _, _ = table(page)
    assert not b.any() and np.array_equal(c, np.full((4, 2), 0.5)) and not a.size
    assert page.get_by_test_id("vote-step-softmax").get_attribute("aria-pressed") == "true"
    assert "Iteration 1 of 3, softmax" in page.get_by_test_id("vote-text").inner_text()
    assert "0.500" in page.get_by_test_id("vote-numbers").inner_text()
    assert not charted(page).size and not "".join(page.locator(".caps-vr-name").all_text_contents())


def test_the_first_iteration_shows_the_numbers_that_the_lesson_makes_by_hand(mounted):
    page = mounted(whole())
    b, c, a, _, _ = table(page)
    assert not b.any() and np.array_equal(c, np.full((4, 2), 0.5))
    np.testing.assert_allclose(a, [[4 / 3, 1 / 3], [16 / 9, -1 / 3], [4 / 3, 1 / 6], [-8 / 9, 1 / 6]], atol=CLOSE)
    assert "−0.889" in page.get_by_test_id("vote-numbers").inner_text()
    assert "is 0.258" in page.get_by_test_id("vote-reading").inner_text()
    assert re.search(r"face 0\.889, car 0\.333", page.get_by_test_id("vote-text").inner_text())


@pytest.mark.parametrize("parts", [4, 5, 8])
@pytest.mark.parametrize("offset", [0.5, 1])
def test_every_iteration_is_what_numpy_routes(mounted, parts, offset):
    u_hat = np.random.default_rng(parts).uniform(-2.5, 2.5, (parts, 2, 2)).round(2)
    page = mounted(VoteRouter(u_hat, iterations=6, offset=offset))
    page.evaluate("model.set('step', 'agreement')")
    trace = equations.route(u_hat, 6, offset)
    for t in range(6):
        page.evaluate(f"model.set('iteration', {t + 1})")
        check(page, trace, t)
    np.testing.assert_allclose(charted(page), trace.lengths, atol=CLOSE)


def test_the_formula_of_each_step_holds_the_numbers_of_the_chosen_pair(mounted):
    router = VoteRouter()
    page, trace = mounted(router), router.trace
    for t, i, j in ((0, 3, 0), (1, 1, 1), (2, 2, 0)):
        page.evaluate(f"model.set({{iteration: {t + 1}, i: {i}, j: {j}}})")
        last = {
            "softmax": [trace.c[t, i, j]],
            "sum": trace.s[t, j],
            "squash": trace.v[t, j],
            "agreement": [trace.a[t, i, j]] if t == 2 else [trace.a[t, i, j], trace.b[t + 1, i, j]],
        }
        for step in STEPS:
            page.evaluate(f"model.set('step', '{step}')")
            told = page.get_by_test_id("vote-numbers").locator("b").all_inner_texts()
            told = told[1:] if step == "sum" else told  # Among the terms of the sum, that of the chosen part.
            told = [value(text) for text in re.findall(r"−?\d+\.\d+", " ".join(told))]
            np.testing.assert_allclose(told, last[step], atol=CLOSE)


def test_what_a_step_has_not_computed_yet_is_not_shown(mounted):
    page = mounted(VoteRouter())
    for step, told in zip(STEPS, ([0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]), strict=True):
        page.evaluate(f"model.set('step', '{step}')")
        plane = page.get_by_role("group", name="Votes for face")
        shown = [plane.locator(".caps-vr-mean").is_visible(), page.get_by_test_id("vote-length-0").inner_text() != "–"]
        shown.append(plane.locator(".caps-vr-shadow").get_attribute("display") != "none")
        assert shown == [bool(x) for x in told]
        assert bool(table(page)[2].size) == bool(told[2])


def test_the_chart_grows_with_the_steps(mounted):
    router = VoteRouter()
    page, lengths = mounted(router), router.trace.lengths
    for t in (1, 2, 3):
        for step in STEPS:
            page.evaluate(f"model.set({{iteration: {t}, step: '{step}'}})")
            so_far = lengths[: t if step in ("squash", "agreement") else t - 1]
            np.testing.assert_allclose(charted(page), so_far, atol=CLOSE)
            curve = page.locator(".caps-vr-curve").first.get_attribute("d")
            assert len(re.findall(r"[\d.]+,[\d.]+", curve)) == len(so_far)
            named = [name.text_content() for name in page.locator(".caps-vr-name").all()]
            last = [f" {x:.3f}" for x in so_far[-1]] if len(so_far) else []
            assert named == ([f"{name}{x}" for name, x in zip(router.names, last, strict=True)] if last else ["", ""])


def test_until_v_is_computed_the_one_before_is_a_ghost(mounted):
    router = VoteRouter()
    page = mounted(router)
    plane = page.get_by_role("group", name="Votes for face")

    def tip(of):
        x, y = re.match(r"M([-\d.]+),([-\d.]+)", plane.locator(f"{of} path").get_attribute("d")).groups()
        return np.array([float(x) - 165, 165 - float(y)]) / 330 * SPAN

    for t, step in ((t, step) for t in (1, 2, 3) for step in STEPS):
        page.evaluate(f"model.set({{iteration: {t}, step: '{step}'}})")
        done = step in ("squash", "agreement")
        shown = [plane.locator(of).get_attribute("display") == "inline" for of in (".caps-vr-ghost", ".caps-vr-v")]
        assert shown == [t > 1 and not done, done]
        told = f"of iteration {t - 1}: face {router.trace.lengths[t - 2, 0]:.3f}"
        assert (told in page.get_by_test_id("vote-text").inner_text()) == shown[0]
        if any(shown):
            of, v = (".caps-vr-v", router.trace.v[t - 1]) if done else (".caps-vr-ghost", router.trace.v[t - 2])
            np.testing.assert_allclose(tip(of), v[0], atol=CLOSE)


def test_large_logits_are_written_with_powers_of_ten(mounted):
    page = mounted(VoteRouter(np.full((4, 2, 2), 2.5) * [[1], [-1]], iterations=20))
    page.evaluate("model.set({iteration: 20, step: 'softmax'})")
    assert re.search(r"\d\.\d{3}·10\d+", page.get_by_test_id("vote-numbers").inner_text())
    assert not re.search(r"\d{7}", page.get_by_test_id("vote-numbers").inner_text())


# Moving votes -------------------------------------------------------------------------------------------------------


@POINTERS
@pytest.mark.parametrize(("i", "j", "x", "y"), [(3, 0, -0.5, 1.5), (2, 1, 1.75, 0.4), (0, 0, -2.5, -2.5)])
def test_a_dragged_vote_is_routed_anew(mounted, pointer, i, j, x, y):
    page = mounted(whole())
    expected = votes(page)
    drag(page, pointer(page), i, j, x, y)
    expected[i, j] = x, y
    np.testing.assert_allclose(votes(page), expected, atol=0.051)  # A pixel is less than what a drag is rounded to.
    assert not np.array_equal(votes(page), VoteRouter().votes)
    check(page, equations.route(votes(page)), 0)
    assert page.evaluate("[model.get('i'), model.get('j')]") == [i, j]
    assert page.evaluate("JSON.stringify(model.saved.votes) === JSON.stringify(model.get('votes'))")


@POINTERS
def test_routing_follows_while_the_vote_is_held(mounted, pointer):
    page = mounted(whole())
    hand = pointer(page)
    (px, py), unit = where(page, 3, 0)
    hand.down(px, py)
    for x, y in ((0.5, -0.5), (-0.5, 0.5), (-0.5, 1.5)):
        hand.move(px + (x - 1.5) * unit, py - (y + 1) * unit)
        np.testing.assert_allclose(votes(page)[3, 0], (x, y), atol=0.051)
        check(page, equations.route(votes(page)), 0)
    hand.up()
    held = votes(page)
    page.mouse.move(10, 10)
    assert np.array_equal(votes(page), held)


@POINTERS
def test_a_vote_stops_at_the_edge(mounted, pointer):
    page = mounted(VoteRouter())
    hand = pointer(page)
    (px, py), unit = where(page, 1, 0)
    hand.down(px, py)
    hand.move(px + 9 * unit, max(2, py - 9 * unit))
    hand.up()
    assert votes(page)[1, 0, 0] == 2.5
    assert np.abs(votes(page)).max() <= 2.5


def test_a_finger_on_a_vote_does_not_scroll_the_page(mounted):
    page = mounted(VoteRouter(), height=400)
    page.evaluate("document.body.style.minHeight = '3000px'")
    hand = Touch(page)
    (px, py), unit = where(page, 3, 0)
    before = page.evaluate("scrollY")
    hand.down(px, py)
    for up in (0.5, 1, 1.5, 2):
        hand.move(px, py - up * unit)
        # A browser that scrolls takes the finger away from the page after a while, and the vote stays behind.
        page.wait_for_function("y => Math.abs(model.get('votes')[3][0][1] - y) < 0.051", arg=up - 1)
    hand.up()
    assert votes(page)[3, 0, 1] == pytest.approx(1, abs=0.051)
    assert page.evaluate("scrollY") == before


def test_arrow_keys_move_a_vote_and_shift_makes_larger_steps(mounted):
    page = mounted(whole())
    vote = page.get_by_test_id("vote-3-0")
    for key, by in (
        ("ArrowUp", (0, 0.1)),
        ("ArrowLeft", (-0.1, 0)),
        ("ArrowDown", (0, -0.1)),
        ("ArrowRight", (0.1, 0)),
        ("Shift+ArrowUp", (0, 0.5)),
        ("Shift+ArrowLeft", (-0.5, 0)),
    ):
        before = votes(page)
        vote.press(key)
        before[3, 0] += by
        np.testing.assert_allclose(votes(page), before, atol=1e-9)
        check(page, equations.route(votes(page)), 0)
    for _ in range(10):
        vote.press("Shift+ArrowLeft")
    assert votes(page)[3, 0, 0] == -2.5
    said = vote.get_attribute("aria-valuetext")
    assert "x −2.50" in said and "coupling 0.500" in said


def test_the_chosen_vote_is_the_one_with_the_focus(mounted):
    page = mounted(VoteRouter())
    for i, j in ((0, 0), (2, 1), (1, 0)):
        page.get_by_test_id(f"vote-{i}-{j}").focus()
        assert page.evaluate("[model.get('i'), model.get('j')]") == [i, j]
        assert f"part {i}" in page.get_by_test_id("vote-text").inner_text()
        rings = page.locator(".caps-vr-chosen").evaluate_all(
            "rings => rings.map((ring) => ring.getAttribute('display'))"
        )
        assert rings.count("inline") == 1


@POINTERS
def test_a_pair_is_chosen_in_the_table(mounted, pointer):
    page = mounted(VoteRouter())
    click(pointer(page), page.get_by_test_id("vote-row-1").locator("td").nth(3))
    assert page.evaluate("[model.get('i'), model.get('j')]") == [1, 1]


# The other controls -------------------------------------------------------------------------------------------------


@WAYS
def test_presets_bring_their_votes(mounted, way):
    page = mounted(whole())
    tap = Tap(page, way)
    named = {page.get_by_test_id(f"vote-preset-{n}").inner_text(): n for n in range(5)}
    assert named.keys() == {"as given", *PRESETS}
    for name, preset in PRESETS.items():
        tap(f"vote-preset-{named[name]}")
        assert np.array_equal(votes(page), preset)
        assert page.locator("[aria-pressed=true]").first.inner_text() == name
        check(page, equations.route(np.array(preset, float)), 0)
    page.get_by_test_id("vote-0-0").press("ArrowUp")
    assert page.get_by_role("group", name="Votes", exact=True).locator("[aria-pressed=true]").count() == 0
    tap(f"vote-preset-{named['as given']}")
    assert np.array_equal(votes(page), VoteRouter().votes)


@WAYS
def test_parts_are_added_and_taken_away_between_four_and_eight(mounted, way):
    page = mounted(whole())
    tap = Tap(page, way)
    add, remove = page.get_by_test_id("vote-add"), page.get_by_test_id("vote-remove")
    expect(remove).to_be_disabled()
    for I in (5, 6, 7, 8):
        tap("vote-add")
        assert votes(page).shape == (I, 2, 2) and np.abs(votes(page)).max() <= 2.5
        assert page.evaluate("model.get('i')") == I - 1
        check(page, equations.route(votes(page)), 0)
    expect(add).to_be_disabled()
    eight = votes(page)
    add.press("Space")
    assert np.array_equal(votes(page), eight)
    page.get_by_test_id("vote-2-0").focus()
    tap("vote-remove")
    assert np.array_equal(votes(page), np.delete(eight, 2, 0))
    for _ in range(3):
        tap("vote-remove")
    remove.press("Space")
    assert len(votes(page)) == 4
    check(page, equations.route(votes(page)), 0)


@WAYS
def test_steps_lead_through_all_iterations_and_back(mounted, way):
    router = VoteRouter()
    page = mounted(router)
    tap = Tap(page, way)
    here = "[model.get('iteration'), model.get('step')]"
    path = [[t, step] for t in (1, 2, 3) for step in STEPS]
    for place in path:
        assert page.evaluate(here) == place
        if place[1] == "agreement":
            check(page, router.trace, place[0] - 1)
        if place != path[-1]:
            tap("vote-forward")
    expect(page.get_by_test_id("vote-forward")).to_be_disabled()
    page.get_by_test_id("vote-forward").press("Space")
    assert page.evaluate(here) == path[-1]
    tap("vote-back", 11)
    assert page.evaluate(here) == path[0]
    expect(page.get_by_test_id("vote-back")).to_be_disabled()
    for step in reversed(STEPS):
        tap(f"vote-step-{step}")
        assert page.evaluate(here) == [1, step]


@WAYS
def test_playing_goes_from_here_to_the_end_and_can_be_paused(mounted, page, way):
    page.clock.install(time="2026-01-01T08:00")
    mounted(VoteRouter())
    page.clock.pause_at("2026-01-01T09:00")  # Time goes on only where it is told to.
    tap, play = Tap(page, way), page.get_by_test_id("vote-play")

    def place():
        return 4 * (page.evaluate("model.get('iteration')") - 1) + STEPS.index(page.evaluate("model.get('step')"))

    tap("vote-forward")
    tap("vote-play")
    assert place() == 1 and play.get_attribute("aria-label") == "Pause" and play.inner_text() == "Pause"
    page.clock.run_for(4000)
    here = place()
    assert 1 < here < 11
    tap("vote-play")
    page.clock.run_for(30_000)
    assert place() == here and play.get_attribute("aria-label") == "Play the steps"
    tap("vote-play")
    page.clock.run_for(60_000)
    assert place() == 11 and play.get_attribute("aria-label") == "Play the steps"
    assert page.evaluate("[model.saved.iteration, model.saved.step]") == [3, "agreement"]
    tap("vote-play")  # At the end it begins again.
    assert place() == 0
    page.clock.run_for(4000)
    for control in ("vote-back", "vote-forward", "vote-step-sum"):  # Who steps by hand has stopped it.
        tap(control)
        here = place()
        page.clock.run_for(10_000)
        assert place() == here
        tap("vote-play")
        page.clock.run_for(4000)
        assert place() > here
    page.get_by_test_id("vote-iteration").press("End")
    assert place() == 11 and play.get_attribute("aria-label") == "Play the steps"


def test_the_iteration_has_a_slider_for_keys_mouse_and_finger(mounted):
    router = VoteRouter(iterations=5)
    page = mounted(router)
    slider = page.get_by_test_id("vote-iteration")
    slider.press("End")
    check(page, router.trace, 4)
    slider.press("ArrowLeft")
    check(page, router.trace, 3)
    assert slider.get_attribute("aria-valuetext") == "4 of 5"
    for pointer in (Mouse(page), Touch(page)):
        slider.press("Home")
        click(pointer, slider)
        check(page, router.trace, 2)


def test_the_number_of_iterations_is_chosen(mounted):
    router = whole()
    page = mounted(router)
    most = page.get_by_test_id("vote-iterations")
    most.select_option("20")
    page.get_by_test_id("vote-iteration").press("End")
    router.iterations = 20
    check(page, router.trace, 19)
    most.focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate("model.saved.iterations") == 19
    assert page.evaluate("model.get('iteration')") == 19
    most.select_option("1")
    check(page, router.trace, 0)


@WAYS
def test_the_wrong_side_breaks_the_rows_and_no_part_has_an_owner(mounted, way):
    page = mounted(whole())
    tap = Tap(page, way)
    page.get_by_test_id("vote-iteration").press("End")
    assert "≠" not in page.get_by_test_id("vote-table").inner_text()
    tap("vote-over")
    wrong = VoteRouter(over="lower")
    check(page, wrong.trace, 2)
    _, c, _, over_wholes, over_parts = table(page)
    # What lesson 04 says of it: row sums, both lengths, and part 3, which the car does not take.
    np.testing.assert_allclose(over_wholes, [0.57, 0.68, 0.48, 0.27], atol=0.0051)
    np.testing.assert_allclose(over_parts, 1, atol=CLOSE)
    assert c[3, 1] == pytest.approx(0.26, abs=0.0051)
    assert page.get_by_test_id("vote-table").inner_text().count("≠ 1") == 4
    assert "not 1" in page.get_by_test_id("vote-text").inner_text()
    assert page.evaluate("model.saved.over") == "lower"
    page.get_by_test_id("vote-step-softmax").press("Space")
    assert len(re.findall(r"e", page.get_by_test_id("vote-numbers").inner_text().replace("face", ""))) == 5
    tap("vote-over")
    page.get_by_test_id("vote-step-agreement").press("Space")
    check(page, VoteRouter().trace, 2)


# EM routing -----------------------------------------------------------------------------------------------------------


def em_router(votes=None, iterations=3):
    """A router that opens with EM, at the last step of the first iteration."""
    router = VoteRouter(votes, iterations=iterations, rules=("EM", "agreement"))
    router.step = "agreement"
    return router


@pytest.mark.parametrize("parts", [4, 8])
def test_under_em_every_iteration_is_what_numpy_routes(mounted, keep, parts):
    votes = np.random.default_rng(parts).uniform(-2.5, 2.5, (parts, 2, 2)).round(2)
    router = em_router(votes, iterations=5)
    page, t = mounted(router), router.em_trace
    for n in range(5):
        page.evaluate(f"model.set('iteration', {n + 1})")
        b, r, fit, sums, _ = table(page)
        np.testing.assert_allclose(r, t.responsibilities[n], atol=CLOSE)
        np.testing.assert_allclose(sums, 1, atol=CLOSE)
        expected = equations.log_density(votes, t.means[n], t.variances[n])
        np.testing.assert_allclose(fit, expected, atol=0.0051, rtol=0.006)  # Two decimals, and none above 100.
        if n:
            np.testing.assert_allclose(equations.softmax(b), r, atol=4e-3)
        shown = [value(page.get_by_test_id(f"vote-length-{j}").inner_text()) for j in range(2)]
        np.testing.assert_allclose(shown, t.activations[n], atol=CLOSE)
        for j, plane in enumerate(("face", "car")):
            group = page.get_by_role("group", name=f"Votes for {plane}")
            ellipse = group.locator(".caps-vr-ellipse:not(.caps-vr-old)")
            unit = group.bounding_box()["width"] / SPAN
            found = [float(ellipse.bounding_box()[side]) / 2 / unit for side in ("width", "height")]
            np.testing.assert_allclose(found, 2 * np.sqrt(t.variances[n, j]), atol=0.05)
    said = page.get_by_role("img", name="Activations by iteration").get_attribute("aria-label")
    found = np.array(re.findall(r"\d\.\d{3}", said), float).reshape(2, -1).T
    np.testing.assert_allclose(found, t.activations, atol=CLOSE)
    keep(page, f"vote-router-em-{parts}")


def test_under_em_the_formula_of_each_step_holds_the_numbers_of_the_chosen_pair(mounted, keep):
    router = em_router()
    page, trace = mounted(router), router.em_trace
    for t, i, j in ((0, 3, 0), (1, 1, 1), (2, 2, 0)):
        page.evaluate(f"model.set({{iteration: {t + 1}, i: {i}, j: {j}}})")
        fit = equations.log_density(router.votes, trace.means[t], trace.variances[t])
        last = {
            "softmax": [trace.responsibilities[t, i, j]],
            "sum": trace.means[t, j],
            "squash": [trace.activations[t, j]],
            "agreement": [fit[i, j]],
        }
        for step in STEPS:
            page.evaluate(f"model.set('step', '{step}')")
            told = page.get_by_test_id("vote-numbers").locator("b").all_inner_texts()
            told = told[1:] if step == "sum" else told
            told = [value(text) for text in re.findall(r"−?\d+\.\d+", " ".join(told))]
            np.testing.assert_allclose(told, last[step], atol=0.0051 if step == "agreement" else CLOSE)
            if t == 1:
                keep(page, f"vote-router-em-{step}")
    text = page.get_by_test_id("vote-reading")
    expect(text).to_contain_text("no E-step follows")
    page.evaluate("model.set('step', 'squash')")
    data, cost = trace.responsibilities[2, :, 0].sum(), trace.costs[2, 0]
    expect(text).to_contain_text(
        f"its votes cost {2 * data:.2f} nats, with it {cost:.2f} + 2 = {cost + 2:.2f}: it pays"
    )


def test_under_em_what_a_step_has_not_computed_yet_is_not_shown(mounted):
    page = mounted(VoteRouter(rules=("EM",)))
    assert not table(page)[2].size
    group = page.get_by_role("group", name="Votes for face")
    ellipse, old = group.locator(".caps-vr-ellipse:not(.caps-vr-old)"), group.locator(".caps-vr-old")
    for step, now in (("softmax", False), ("sum", False), ("squash", True), ("agreement", True)):
        page.evaluate(f"model.set('step', '{step}')")
        assert ellipse.is_visible() == now and not old.is_visible()
        assert ("–" in page.get_by_test_id("vote-length-0").inner_text()) != now
    page.evaluate("model.set({iteration: 2, step: 'softmax'})")
    assert old.is_visible() and not ellipse.is_visible()


def test_the_rule_is_chosen_in_the_page_and_python_is_told(mounted):
    router = em_router()
    page = mounted(router)
    expect(page.get_by_test_id("vote-over")).not_to_be_visible()
    expect(page.get_by_test_id("vote-step-squash")).to_have_text("variances, activations")
    assert page.locator(".caps-vr-v").first.get_attribute("display") == "none"
    page.get_by_test_id("vote-rule").select_option("agreement")
    assert page.evaluate("model.saved.rule") == "agreement"
    check(page, router.trace, 0)
    expect(page.get_by_test_id("vote-over")).to_be_visible()
    expect(page.get_by_test_id("vote-step-squash")).to_have_text("squash")
    assert not page.locator(".caps-vr-ellipse").first.is_visible()
    page.get_by_test_id("vote-rule").select_option("EM")
    expect(page.get_by_test_id("vote-text")).to_contain_text(
        "Iteration 1 of 3, fit; activations: face 0.452, car 0.463"
    )


def test_with_one_rule_there_is_nothing_to_choose(mounted):
    expect(mounted(VoteRouter()).get_by_test_id("vote-rule")).not_to_be_visible()


# With Python, and with other views ----------------------------------------------------------------------------------


def test_two_views_show_one_state(mounted):
    page = mounted(whole(), views=2)
    drag(page, Mouse(page), 3, 0, -0.5, 1.5)
    for view in (0, 1):
        check(page, equations.route(votes(page)), 0, view)
    page.get_by_test_id("vote-add").nth(1).press("Space")
    page.get_by_test_id("vote-forward").nth(1).press("Space")
    page.get_by_test_id("vote-step-agreement").nth(1).press("Space")
    for view in (0, 1):
        check(page, equations.route(votes(page)), 1, view)


def test_what_python_sets_is_drawn(mounted):
    page = mounted(whole())
    page.evaluate("model.set({iteration: 3, i: 3})")
    six = np.array(PRESETS["cluster and outlier"], float)
    page.evaluate("votes => model.set('votes', votes)", six.tolist())
    check(page, equations.route(six), 2)
    page.evaluate("model.set({iterations: 2, i: 5})")
    page.evaluate("votes => model.set('votes', votes)", six[:4].tolist())
    check(page, equations.route(six[:4]), 1)
    page.get_by_test_id("vote-back").press("Space")
    assert page.evaluate("[model.get('iteration'), model.get('step')]") == [2, "squash"]


@pytest.mark.parametrize("state", ["{votes: 'none'}", "{votes: [[[0, 0]]]}", "{over: 'both'}", "{offset: -1}"])
def test_a_state_that_does_not_fit_gives_a_message(mounted, state):
    page = mounted(VoteRouter())
    page.evaluate(f"model.set({state})")
    assert page.get_by_role("alert").count() == 1
    assert "cannot be drawn" in page.get_by_role("alert").inner_text()


# How it looks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "dark"), [(700, False), (1100, False), (1100, True)])
def test_it_is_drawn_for_looking_at(mounted, keep, width, dark):
    page = mounted(VoteRouter(), width=width, dark=dark)
    name = f"vote-router-{width}{'-dark' if dark else ''}"
    keep(page, name)
    page.evaluate("model.set({iteration: 3, over: 'lower', step: 'softmax'})")
    keep(page, f"{name}-wrong-side")
    page.evaluate("votes => model.set({votes, over: 'upper', step: 'sum'})", PRESETS["cluster and outlier"])
    page.get_by_test_id("vote-add").press("Space")
    page.get_by_test_id("vote-add").press("Space")
    keep(page, f"{name}-eight")


CROWDED = [[0.8, 1.2], [1.1, 1.5], [0.2, 0.4], [1.6, 0.9]]
LABELS = """() => [...document.querySelectorAll(".caps-plane")].flatMap((plane) => {
    const texts = plane.querySelectorAll(".caps-vr-part, .caps-unit + text");
    const boxes = [...texts].map((node) => node.getBoundingClientRect());
    const rim = plane.querySelector(".caps-plane-page").getBoundingClientRect();
    const on = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4; // A line's box is higher than its letters.
    const pairs = boxes.flatMap((a, n) => boxes.slice(n + 1).filter((b) => on(a, b)));
    const outside = boxes.filter((a) => a.left < rim.left || a.right > rim.right || a.top < rim.top - 3);
    return [...pairs, ...outside];
}).length"""


@pytest.mark.parametrize("width", [800, 1280])
def test_labels_lie_neither_on_each_other_nor_on_the_circles_words_nor_outside(mounted, width):
    page = mounted(whole(), width=width)
    random = np.random.default_rng(1).uniform(-2.5, 2.5, (8, 2, 2)).round(2)
    words = np.array([-0.72, -0.85]) - np.array([[0.0, 0.0], [0.3, 0.25], [0.6, -0.25], [-0.1, 0.1]])
    crowded, beside = (np.stack([votes, np.negative(votes)], 1) for votes in (CROWDED, words))
    for votes_of in (VoteRouter().votes, *map(np.array, PRESETS.values()), random, crowded, beside):
        page.evaluate("votes => model.set('votes', votes)", votes_of.tolist())
        assert page.evaluate(LABELS) == 0


TOO_WIDE = """() => [...document.querySelectorAll(".caps-vr-table td")].filter((cell) => {
    const words = document.createRange();
    words.selectNodeContents(cell);
    return words.getBoundingClientRect().width > cell.clientWidth;
}).length"""
LETTERS = """() => Math.min(...[...document.querySelectorAll(".caps-plane text")].map((text) => {
    const { width } = text.ownerSVGElement.viewBox.baseVal;
    return parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getBoundingClientRect().width / width;
}))"""


@pytest.mark.parametrize("rule", ["EM", "agreement"])
@pytest.mark.parametrize("width", [320, 420, 480, 560])
def test_on_a_narrow_page_numbers_fit_their_cells_and_planes_can_be_read(mounted, keep, width, rule):
    router = em_router(iterations=5)
    router.rule, router.iteration, router.step = rule, 5, "agreement"
    page = mounted(router, width=width, dark=True)
    keep(page, f"vote-router-{rule}-{width}-dark")
    assert page.locator(".caps-vr-table td").count() > 20 and page.evaluate(TOO_WIDE) == 0
    assert page.evaluate(LETTERS) > 8
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [800, 1280])
def test_controls_planes_and_formula_are_in_view_together(mounted, width):
    page = mounted(whole(), width=width)
    for shown in ("vote-play", "vote-iteration", "vote-reading"):
        box = page.get_by_test_id(shown).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 700
    for plane in page.locator(".caps-plane").all():
        assert plane.bounding_box()["y"] + plane.bounding_box()["height"] <= 700


def test_width_and_size_follow_the_share(mounted):
    router = VoteRouter()
    page = mounted(router)
    page.evaluate("model.set('iteration', 3)")
    plane = page.get_by_role("group", name="Votes for car")
    c = router.trace.c[2, :, 1]
    widths = [
        float(line.get_attribute("stroke-width")) for line in plane.locator("g > line[x1][stroke-width]").all()[:4]
    ]
    radii = [float(dot.get_attribute("r")) for dot in plane.locator(".caps-vr-dot").all()]
    assert np.array_equal(np.argsort(widths), np.argsort(c)) and np.array_equal(np.argsort(radii), np.argsort(c))
    np.testing.assert_allclose(np.diff(widths), np.diff(c) * 11, atol=1e-6)


# In the lesson ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("interface", "dark"), [("doc", False), ("lab", True)])
def test_in_lesson_04_votes_are_dragged_and_python_reads_them(lab, page, keep, interface, dark):
    lab.open(page, "04_routing_by_agreement.ipynb", interface=interface, dark=dark)
    cells = lab.cells(page)
    first, wrong = (page.locator(".caps").filter(has=page.get_by_test_id("vote-text")).nth(n) for n in (0, 1))
    first.scroll_into_view_if_needed()
    text = first.get_by_test_id("vote-text")
    expect(text).to_contain_text("Iteration 1 of 3, softmax")
    keep(first, f"lesson-04-{interface}")

    # The questions under "Watch it": step on, then take part 3 into the face's cluster.
    for _ in range(11):
        first.get_by_test_id("vote-forward").press("Space")
    expect(text).to_contain_text("face 0.979, car 0.418")
    vote = first.get_by_test_id("vote-3-0")
    vote.scroll_into_view_if_needed()
    px, py = middle(vote.locator(".caps-handle-ring"))
    unit = first.get_by_role("group", name="Votes for face").bounding_box()["width"] / SPAN
    hand = Mouse(page)
    hand.down(px, py)
    hand.move(px - 2 * unit, py - 2.5 * unit)
    hand.up()
    expect(text).to_contain_text(re.compile(r"face 0\.98\d, car 0\.03\d"))
    vote.press("Shift+ArrowDown")
    vote.press("Shift+ArrowUp")
    for key in ("x", "d", "d", "Delete", "j"):  # Lab would cut the cell, or go to the next.
        vote.press(key)
    assert lab.cells(page) == cells
    shown = [value(first.get_by_test_id(f"vote-length-{j}").inner_text()) for j in range(2)]
    expected = [*shown, -0.5, 1.5]
    told = "print(*router.lengths, *router.votes[3, 0])"
    python = printed(page, told, lambda said: np.allclose(np.array(said.split(), float), expected, atol=0.051))
    python = np.array(python.split(), float)
    np.testing.assert_allclose(python, expected, atol=0.051)
    np.testing.assert_allclose(python[:2], shown, atol=CLOSE)
    printed(page, "router.votes = router.presets['tie']")
    tie = VoteRouter(PRESETS["tie"]).lengths
    expect(text).to_contain_text(f"face {tie[0]:.3f}, car {tie[1]:.3f}")

    # Softmax over the wrong side has a widget of its own.
    wrong.scroll_into_view_if_needed()
    expect(wrong.get_by_test_id("vote-text")).to_contain_text("which sum to 0.500 and not 1")
    wrong.get_by_test_id("vote-iteration").press("End")
    expect(wrong.get_by_test_id("vote-text")).to_contain_text("face 0.869, car 0.232")
    keep(wrong, f"lesson-04-wrong-{interface}")
