"""PoseVotes in a browser: every control by every means, and its numbers against capslib.faces."""

import re

import numpy as np
import pytest

from capslib import faces
from capslib.poses import pose, read_pose, spread
from capslib.widgets import PoseVotes
from tests.widgets.browser.pointers import POINTERS, Mouse, click, middle
from tools.browser.harness import printed

ME = faces.Identity()
S = faces.arrangement(ME)
T = np.linalg.inv(S)
F = pose(-1, 2, 20, 0.8)
M = F @ S
M[faces.MOUTH, :2, 2] += (4, 1)
WHOLE, EYE, NOSE, MOUTH = 0, 1, 3, 4
"""What can be chosen, by its number in the page."""
QUANTITIES = ("x", "y", "angle", "scale")
UNIT = 560 / 36
"""Pixels of the board's own coordinates for one of the canvas."""


def widget(parts=M, whole=F):
    return PoseVotes(parts, T, faces.forms(ME), whole=whole)


@pytest.fixture
def shown(mounted, page):
    """Shows a widget to somebody who has asked for less motion, so that buttons act at once."""

    def shown(made=None, **kwargs):
        page.emulate_media(reduced_motion="reduce")
        return mounted(made or widget(), **kwargs)

    return shown


def poses(page, saved=False):
    """The whole and the parts (5, 3, 3) in the page, or as the page has told Python."""
    return np.reshape(page.evaluate(f"model.{'saved' if saved else 'state'}._poses"), (5, 3, 3))


def text(page, test):
    return page.get_by_test_id(test).text_content()


def value(words):
    return float(words.replace("−", "-").rstrip("°"))


def thing(page, n, view=0):
    return page.get_by_test_id(f"pv-thing-{n}").nth(view)


def where(page, n, view=0):
    """Where a thing's own origin stands in the page, and how many of the page's pixels a unit of the canvas has."""
    x, y, scale = thing(page, n, view).evaluate(
        "node => { const m = node.getScreenCTM(); return [m.e, m.f, Math.hypot(m.a, m.b)]; }"
    )
    return (x, y), scale * UNIT


def check_numbers(page):
    """All numbers of the page are those of NumPy for the poses that the page holds."""
    parts = poses(page)[1:]
    votes = parts @ T
    for kind, matrices in (("part", parts), ("vote", votes)):
        for k, quantity in enumerate(QUANTITIES):
            expected = read_pose(matrices)[k]
            cells = [text(page, f"pv-{kind}-{i}-{quantity}") for i in range(4)]
            np.testing.assert_allclose(
                list(map(value, cells)), expected, atol=0.501 if quantity == "angle" else 0.00501
            )
            assert all(cell.endswith("°") == (quantity == "angle") for cell in cells)
    assert text(page, "pv-spread") == f"{spread(votes):.2f}"
    assert f"Spread of the four votes: {spread(votes):.2f} px." in text(page, "pv-status")
    for i, vote in enumerate(votes):
        for mark in (f"pv-ghost-{i}", f"pv-vote-{i}"):
            drawn = page.get_by_test_id(mark).get_attribute("transform")
            a, b, c, d, x, y = map(float, re.findall(r"-?[\d.]+(?:e-?\d+)?", drawn))
            np.testing.assert_allclose(np.array([[a, c], [-b, -d]]) / UNIT, vote[:2, :2], atol=1e-9)
            np.testing.assert_allclose([x / UNIT - 18, 18 - y / UNIT], vote[:2, 2], atol=1e-9)


def labels(page):
    return {label for label in page.locator(".caps-pv-label").all_text_contents() if label}


# What it shows ------------------------------------------------------------------------------------------------------

STATES = {
    "the mouth askew": (M, F),
    "in place": (S, np.eye(3)),
    "swapped": (faces.swap_eyes_and_mouth(S), np.eye(3)),
    "anyhow": (
        pose([1, -5, 3, 0], [2, 0, 4, -7.5], [10, -170, 180, 95], [1, 0.5, 2, 0.8]),
        pose(2, 1, -40),
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_numbers_are_those_of_numpy(mounted, state):
    check_numbers(mounted(widget(*STATES[state])))


def test_untouched_it_shows_three_votes_in_one_place_and_one_apart(mounted):
    page = mounted(widget())
    assert labels(page) == {"votes of left eye, right eye and nose", "vote of the mouth"}
    said = text(page, "pv-status")
    assert "The mouth is at (4.64, −1.51), turned by 20°, at scale 0.80." in said
    assert "It votes for a face at (3.00, 3.00), turned by 20°, at scale 0.80." in said


def test_parts_in_place_say_the_same_and_swapped_ones_do_not(mounted):
    assert labels(mounted(widget(S, np.eye(3)))) == {"all four votes"}
    swapped = widget(faces.swap_eyes_and_mouth(S), np.eye(3))
    assert labels(mounted(swapped)) == {"votes of left eye and right eye", "vote of the nose", "vote of the mouth"}


def test_the_ink_of_the_face_lies_where_its_poses_say(mounted):
    page = mounted(widget())
    strokes = faces.strokes(ME, whole=F, parts=M)
    drawn = page.evaluate(
        """() => [...document.querySelectorAll(".caps-plane .caps-pv-ink")].map((path) => {
            const [point, to] = [path.getPointAtLength(0), path.getScreenCTM()];
            const board = document.querySelector(".caps-plane").getScreenCTM().inverse();
            const at = point.matrixTransform(to).matrixTransform(board);
            return [at.x, at.y];
        })"""
    )
    places = np.array(drawn) / UNIT
    found = np.stack([places[:, 0] - 18, 18 - places[:, 1]], 1)
    np.testing.assert_allclose(found, [points[0] for points, _ in strokes], atol=0.01)


# Every control by every means ---------------------------------------------------------------------------------------


@POINTERS
@pytest.mark.parametrize("n", [EYE, NOSE, MOUTH])
def test_a_dragged_part_moves_its_vote_and_no_other(shown, pointer, n):
    page = shown()
    (x, y), unit = where(page, n)
    hand = pointer(page)
    hand.down(x, y)
    hand.move(x - 3 * unit, y - 2 * unit)
    hand.up()
    now, expected = poses(page), np.concatenate([[F], M])
    expected[n, :2, 2] += (-3, 2)
    np.testing.assert_allclose(now, expected, atol=0.06)  # Pixels of the page, and the grid that a drag lands on.
    np.testing.assert_array_equal(np.delete(now, n, 0), np.delete(np.concatenate([[F], M]), n, 0))
    np.testing.assert_array_equal(poses(page, saved=True), now)
    assert page.evaluate("model.get('_chosen')") == n
    check_numbers(page)


@POINTERS
def test_the_dragged_face_takes_its_parts_and_votes_along(shown, pointer):
    page = shown()
    (x, y), unit = where(page, WHOLE)
    at = x + 10 * 0.8 * unit * np.cos(np.radians(250)), y - 11 * 0.8 * unit * np.sin(np.radians(250))  # Near its rim.
    at = at[0], at[1] - 1.2 * unit
    hand = pointer(page)
    hand.down(*at)
    hand.move(at[0] + 4 * unit, at[1] + 3 * unit)
    hand.up()
    now = poses(page)
    moved = now[0] @ np.linalg.inv(F)
    np.testing.assert_allclose(moved, pose(4, -3), atol=0.06)
    np.testing.assert_allclose(now[1:], moved @ M, atol=1e-9)
    assert text(page, "pv-spread") == f"{spread(M @ T):.2f}"
    check_numbers(page)


@POINTERS
@pytest.mark.parametrize("n", [WHOLE, EYE, MOUTH])
def test_the_knob_turns_what_is_chosen_on_the_spot(shown, pointer, n):
    page = shown()
    page.get_by_test_id(f"pv-choose-{n}").click()
    before, hand = poses(page), pointer(page)
    (x, y), unit = where(page, n)
    knob = middle(page.get_by_test_id("pv-knob"))
    far = np.hypot(knob[0] - x, knob[1] - y)
    angle = np.radians(20 + 70)
    hand.down(*knob)
    hand.move(x + far * np.cos(angle), y - far * np.sin(angle))
    hand.up()
    now = poses(page)
    turned_by = read_pose(now[n])[2] - 20
    assert turned_by == pytest.approx(70, abs=2)
    np.testing.assert_allclose(now[n], before[n] @ pose(angle=turned_by), atol=1e-9)
    if n == WHOLE:
        np.testing.assert_allclose(now, now[0] @ np.linalg.inv(before[0]) @ before, atol=1e-9)
    else:
        np.testing.assert_array_equal(np.delete(now, n, 0), np.delete(before, n, 0))
    check_numbers(page)


def test_things_by_keys(shown):
    page = shown()
    expected = np.concatenate([[F], M])
    handle = thing(page, MOUTH)
    for key, by in (
        ("ArrowRight", (0.2, 0)),
        ("ArrowUp", (0, 0.2)),
        ("Shift+ArrowLeft", (-1, 0)),
        ("Shift+ArrowDown", (0, -1)),
    ):
        handle.press(key)
        expected[MOUTH, :2, 2] += by
        np.testing.assert_allclose(poses(page), expected, atol=0.1)  # Rounded to the grid.
    x, y, angle, scale = read_pose(poses(page)[MOUTH])
    for key, numbers in (
        ("[", (x, y, angle + 5, scale)),
        ("]", (x, y, angle, scale)),
        ("]", (x, y, angle - 5, scale)),
        ("+", (x, y, angle - 5, scale + 0.05)),
        ("=", (x, y, angle - 5, scale + 0.1)),
        ("-", (x, y, angle - 5, scale + 0.05)),
    ):
        handle.press(key)
        np.testing.assert_allclose(poses(page)[MOUTH], pose(*numbers), atol=1e-9)
    np.testing.assert_allclose(poses(page)[:MOUTH], expected[:MOUTH])
    check_numbers(page)


def test_the_whole_face_by_keys(shown):
    page = shown()
    handle = thing(page, WHOLE)
    for key in ("ArrowLeft", "Shift+ArrowUp", "[", "[", "-"):
        handle.press(key)
    now = poses(page)
    x, y, angle, scale = read_pose(now[0])
    assert (x, y, angle, scale) == pytest.approx((-1.2, 3, 30, 0.75))
    np.testing.assert_allclose(now, now[0] @ np.linalg.inv(F) @ np.concatenate([[F], M]), atol=1e-9)
    assert value(text(page, "pv-spread")) == pytest.approx(spread(M @ T) * 0.75 / 0.8, abs=0.0051)
    check_numbers(page)


def test_the_knob_by_keys(shown):
    page = shown()
    knob = page.get_by_test_id("pv-knob")
    for key in ("ArrowLeft", "ArrowUp", "ArrowLeft", "ArrowRight", "ArrowDown", "["):
        knob.press(key)
    np.testing.assert_allclose(poses(page)[MOUTH], M[faces.MOUTH] @ pose(angle=10), atol=1e-9)
    assert knob.get_attribute("aria-label") == "turn of the mouth" and knob.get_attribute("aria-valuetext") == "30°"
    assert float(knob.get_attribute("aria-valuenow")) == pytest.approx(30)


def test_a_turn_goes_round_and_round(shown):
    page = shown()
    for _ in range(90):
        thing(page, NOSE).press("[")
    np.testing.assert_allclose(poses(page)[NOSE], M[faces.NOSE] @ pose(angle=450), atol=1e-9)
    check_numbers(page)


@pytest.mark.parametrize("n", [WHOLE, MOUTH])
def test_sliders_by_keys(shown, n):
    page = shown()
    page.get_by_test_id(f"pv-choose-{n}").press("Enter")
    for k, quantity in enumerate(QUANTITIES):
        slider = page.get_by_test_id(f"pv-{quantity}")
        before = poses(page)
        for key, limit in (("Home", "min"), ("End", "max"), ("ArrowLeft", None)):
            slider.press(key)
            number = read_pose(poses(page)[n])[k]
            if limit:
                at = float(slider.get_attribute(limit))
                assert number == pytest.approx(at, abs=0.051) or abs(number) == pytest.approx(180)
        assert value(text(page, f"pv-{quantity}-value")) == pytest.approx(number, abs=0.501)
        assert slider.get_attribute("aria-valuetext") == text(page, f"pv-{quantity}-value")
        others = [j for j in range(4) if j != k]
        kept = np.array(read_pose(poses(page)[n]))[others]
        np.testing.assert_allclose(kept, np.array(read_pose(before[n]))[others], atol=1e-9)
        check_numbers(page)


@POINTERS
@pytest.mark.parametrize(("quantity", "expected"), [("x", 0), ("y", 0), ("angle", 0), ("scale", 1.15)])
def test_sliders_by_pointer(shown, pointer, quantity, expected):
    page = shown()
    click(pointer(page), page.get_by_test_id(f"pv-{quantity}"))
    number = dict(zip(QUANTITIES, read_pose(poses(page)[MOUTH]), strict=True))[quantity]
    assert number == pytest.approx(expected, abs={"angle": 4}.get(quantity, 0.4))
    check_numbers(page)


TO_USE = pytest.mark.parametrize("use", [*POINTERS.args[1], "Enter", "Space"])


def press(page, use, test):
    control = page.get_by_test_id(test)
    if isinstance(use, str):
        control.press(use)
    else:
        click(use(page), control)


@TO_USE
def test_the_buttons(shown, use):
    page = shown()
    bag = text(page, "pv-bag")
    first = np.concatenate([[F], M])

    press(page, use, "pv-turn")
    G = F @ pose(angle=30) @ np.linalg.inv(F)
    np.testing.assert_allclose(poses(page), G @ first, atol=1e-9)
    assert f"Turned the whole by 30°: spread {spread(M @ T):.2f}, as before." in text(page, "pv-status")

    press(page, use, "pv-assemble")
    np.testing.assert_allclose(poses(page)[1:], G @ F @ S, atol=1e-9)
    assert text(page, "pv-spread") == "0.00" and labels(page) == {"all four votes"}

    press(page, use, "pv-swap")
    swapped = faces.swap_eyes_and_mouth(G @ F @ S)
    np.testing.assert_allclose(poses(page)[1:], swapped, atol=1e-9)
    said = f"Swapped eyes and mouth: spread 0.00 before, {spread(swapped @ T):.2f} now."
    assert said in text(page, "pv-status")
    check_numbers(page)

    np.testing.assert_array_equal(poses(page, saved=True), poses(page))
    assert text(page, "pv-bag") == bag and all(f"1 {name}" in bag for name in faces.PARTS)
    press(page, use, "pv-reset")
    np.testing.assert_array_equal(poses(page), first)
    check_numbers(page)


@TO_USE
def test_what_is_chosen(shown, use):
    page = shown()
    for n, name in enumerate(("whole face", *faces.PARTS)):
        press(page, use, f"pv-choose-{n}")
        pressed = [page.get_by_test_id(f"pv-choose-{k}").get_attribute("aria-pressed") for k in range(5)]
        assert pressed == [str(k == n).lower() for k in range(5)]
        assert page.get_by_test_id("pv-x").get_attribute("aria-label") == f"x of the {name}"
        assert ("The head is" if n == 0 else f"The {name} is") in text(page, "pv-status")
        angle = float(page.get_by_test_id("pv-angle").input_value())
        page.get_by_test_id(f"pv-choose-{n}").press("[")  # Whatever has the focus, the keys turn what is chosen.
        assert float(page.get_by_test_id("pv-angle").input_value()) == pytest.approx(angle + 5)


# Motion -------------------------------------------------------------------------------------------------------------


def test_on_its_way_the_turning_face_keeps_its_votes_together(mounted, page):
    page.clock.install(time="2026-01-01T08:00")
    mounted(widget())
    page.get_by_test_id("pv-choose-0").click()
    page.clock.pause_at("2026-01-01T09:00")  # Frames come when they are told to, however busy the machine is.
    page.evaluate(
        """() => {
            const text = (test) => document.querySelector(`[data-testid=${test}]`).textContent;
            window.seen = [];
            const look = () => {
                seen.push([text("pv-angle-value"), text("pv-spread")]);
                if (!text("pv-status").startsWith("Turned")) requestAnimationFrame(look);
            };
            document.querySelector("[data-testid=pv-turn]").click();
            look();
        }"""
    )
    page.clock.run_for(5000)
    seen = page.evaluate("seen")
    angles = [value(angle) for angle, _ in seen]
    assert angles == sorted(angles) and angles[-1] == 50 and any(20 < angle < 50 for angle in angles)
    assert {spread for _, spread in seen} == {f"{spread(M @ T):.2f}"}
    check_numbers(page)


def test_an_act_on_the_way_finds_the_end(mounted):
    page = mounted(widget())
    for _ in range(2):
        page.evaluate("document.querySelector('[data-testid=pv-turn]').click()")
    np.testing.assert_allclose(poses(page, saved=True), poses(page))  # Python knows the end at once.
    assert read_pose(poses(page)[0])[2] == pytest.approx(80)
    page.get_by_text("Turned the whole by 30°").wait_for()
    check_numbers(page)


def test_what_is_moved_elsewhere_on_the_way_is_kept(mounted):
    page = mounted(widget())
    elsewhere = np.concatenate([[F], F @ S]).ravel().tolist()
    page.evaluate(
        """(poses) => {
            document.querySelector("[data-testid=pv-swap]").click();
            model.set("_poses", poses); // As Python or another view would.
        }""",
        elsewhere,
    )
    np.testing.assert_array_equal(poses(page).ravel(), elsewhere)
    check_numbers(page)
    assert page.evaluate("alive().frames") == 0


def test_a_view_that_goes_on_the_way_leaves_nothing_behind(mounted):
    page = mounted(widget())
    frames = page.evaluate(
        """async () => {
            document.querySelector("[data-testid=pv-turn]").click();
            const before = alive().frames;
            await unmount();
            return [before, alive().frames];
        }"""
    )
    assert frames == [1, 0]


# Views, Python, looks -----------------------------------------------------------------------------------------------


def test_two_views_move_together(shown):
    page = shown(views=2, height=1700)
    (x, y), unit = where(page, MOUTH, 1)
    mouse = Mouse(page)
    mouse.down(x, y)
    mouse.move(x - 4 * unit, y + unit)
    mouse.up()
    offsets = [np.subtract(where(page, MOUTH, view)[0], where(page, WHOLE, view)[0]) for view in (0, 1)]
    np.testing.assert_allclose(*offsets, atol=0.01)
    spreads = page.get_by_test_id("pv-spread").all_text_contents()
    assert len(spreads) == 2 and len(set(spreads)) == 1 and float(spreads[0]) < 0.1


def test_what_python_sets_is_shown(shown):
    page, made = shown(), widget()
    made.whole = pose(3, -2, 75, 1)
    page.evaluate("poses => model.set('_poses', poses)", made.get_state()["_poses"])
    check_numbers(page)
    assert text(page, "pv-spread") == f"{made.spread:.2f}"


def test_a_change_from_elsewhere_is_drawn_at_once_and_leaves_nothing_behind(mounted):
    page = mounted(widget())
    drawn = page.evaluate(
        """() => Array.from({ length: 6 }, (_, k) => {
            const poses = model.get("_poses").slice();
            poses[38] += k % 2 ? 0.5 : -0.7;
            model.set("_poses", poses);
            const shown = document.querySelector("[data-testid=pv-part-3-x]").textContent;
            return [poses[38], Number(shown), document.querySelectorAll(".view *").length];
        })"""
    )
    poses_x, shown_x, elements = np.array(drawn).T
    np.testing.assert_allclose(shown_x, poses_x, atol=0.00501)  # Without waiting for a frame.
    assert len(set(elements)) == 1
    check_numbers(page)


def test_ghosts_are_switched_off_and_on_by_mouse_and_key_and_from_python(mounted):
    page = mounted(widget())
    box = page.get_by_test_id("pv-ghosts")

    def seen():
        """How many ghosts, names of votes, and votes are shown."""
        marks = [page.locator(".caps-pv-ghost"), page.locator(".caps-pv-label"), page.locator(".caps-pv-frame-vote")]
        return [sum(mark.is_visible() for mark in of.all()) for of in marks]

    assert box.is_checked() and seen() == [4, 2, 4]
    box.click()
    assert not box.is_checked() and seen() == [0, 0, 4] and page.evaluate("model.saved.ghosts") is False
    thing(page, MOUTH).press("ArrowUp")
    assert seen() == [0, 0, 4]
    box.press("Space")
    assert seen() == [4, 2, 4] and page.evaluate("model.saved.ghosts") is True
    page.evaluate("model.set('ghosts', false)")
    assert not box.is_checked() and seen() == [0, 0, 4]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [520, 700, 1100])
def test_looks(shown, keep, width, dark):
    page = shown(width=width, dark=dark)
    theme = "dark" if dark else "light"
    keep(page, f"pose-votes-{width}-{theme}")
    for test in ("pv-assemble", "pv-swap", "pv-turn"):
        page.get_by_test_id(test).click()
    thing(page, EYE).press("[")
    keep(page, f"pose-votes-{width}-{theme}-swapped")


# In lesson 02 -------------------------------------------------------------------------------------------------------


def in_lesson(page):
    """Waits for the widget of the lesson, and brings it into sight."""
    page.get_by_test_id("pv-spread").wait_for()
    thing(page, MOUTH).scroll_into_view_if_needed()
    assert text(page, "pv-spread") == f"{spread(M @ T):.2f}"


def test_in_the_lesson_by_mouse_and_keys_without_cutting_its_cells(page, lab, keep):
    lab.open(page, "02_pose_and_votes.ipynb", interface="doc")
    in_lesson(page)
    cells = lab.cells(page)
    keep(page.locator(".caps").first, "pose-votes-lesson")
    (x, y), unit = where(page, MOUTH)
    mouse = Mouse(page)
    mouse.down(x, y)
    mouse.move(x - 4 * unit, y + unit)
    mouse.up()
    assert float(text(page, "pv-spread")) < 0.1
    for key in ("x", "d", "d", "ArrowUp", "ArrowDown", "[", "]", "+", "-", "Delete"):
        thing(page, MOUTH).press(key)
    assert lab.cells(page) == cells
    page.get_by_test_id("pv-assemble").click()
    page.get_by_text("Put every part in its place: spread").wait_for()
    page.get_by_test_id("pv-swap").click()
    swapped = faces.swap_eyes_and_mouth(F @ S)
    page.get_by_text("Swapped eyes and mouth: spread").wait_for()
    assert text(page, "pv-spread") == f"{spread(swapped @ T):.2f}"

    # What the page moved, Python reads; what Python sets, the page shows.
    expected = f"{spread(swapped @ T):.4f} {(swapped @ T)[3, :2, 2].round(3).tolist()}"
    told = "print(f'{by_hand.spread:.4f}', by_hand.votes[3, :2, 2].round(3).tolist())"
    assert printed(page, told, until=expected) == expected
    printed(page, "by_hand.parts = by_hand.whole @ S; by_hand.whole = np.eye(3); print('set')")
    page.get_by_text("Spread of the four votes: 0.00 px.").wait_for()


def test_in_lab_in_the_dark(page, lab, keep):
    lab.open(page, "02_pose_and_votes.ipynb", interface="lab", dark=True)
    in_lesson(page)
    thing(page, WHOLE).press("[")
    keep(page.locator(".caps").first, "pose-votes-lab-dark")
    G = F @ pose(angle=5) @ np.linalg.inv(F)
    vote = read_pose((G @ M @ T)[MOUTH - 1])
    for k, quantity in enumerate(QUANTITIES):
        assert value(text(page, f"pv-vote-3-{quantity}")) == pytest.approx(vote[k], abs=0.501 if k == 2 else 0.00501)
