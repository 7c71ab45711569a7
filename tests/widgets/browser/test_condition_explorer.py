"""ConditionExplorer in a browser: every control by every means, and its numbers against NumPy."""

import itertools
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from capslib import findings, intervals
from capslib.widgets import ConditionExplorer
from tests.widgets.browser.pointers import POINTERS, WAYS, Mouse, Tap, middle
from tools.browser.examples import condition_runs

RUNS = condition_runs()
PAIR = ["capsnet_3", "cnn_flatten_margin"]
DIGIT = np.zeros((28, 28))
DIGIT[5:23, 13:15] = DIGIT[5:8, 8:20] = 1


def explorer(**given):
    return ConditionExplorer(**{"runs": RUNS, "digit": DIGIT, **given})


def text(page, test):
    return page.get_by_test_id(test).inner_text()


def said(page):
    return text(page, "cond-line")


def state(page, *names):
    return page.evaluate("(names) => names.map((name) => model.get(name))", list(names))


def numbers(words):
    return [float(found.replace("−", "-")) for found in re.findall(r"−?\d+\.\d+", words)]


def drawn(page, network):
    """The points of a network's curve, (K, 2), in units of its axes as far as their numbers tell."""
    path, xs, ys = page.evaluate(
        """(network) => [
            document.querySelector(`[data-testid=cond-curve-${network}]`).getAttribute("d"),
            [...document.querySelectorAll(".caps-cond-plot text[text-anchor=middle] tspan")]
                .map((node) => [Number(node.getAttribute("x")), Number(node.textContent)]),
            [...document.querySelectorAll(".caps-cond-plot text[text-anchor=end]")]
                .map((node) => [Number(node.getAttribute("y")) - 4, Number(node.textContent)]),
        ]""",
        network,
    )
    points = np.array([point.split(",") for point in path.lstrip("M").split("L")], float)
    return np.stack([np.polyval(np.polyfit(*np.array(a).T, 1), p) for a, p in zip((xs, ys), points.T, strict=True)], 1)


# What it shows ------------------------------------------------------------------------------------------------------


STATES = [
    {"at": 90},
    {"condition": "shift", "at": 3, "training": "some"},
    {"condition": "scale", "at": 0.6, "score": "of_right"},
    {"condition": "attack", "at": 0.05, "training": "turned", "networks": ["capsnet_3", "capsnet_1"]},
    {"condition": findings.MOVED, "at": "cells shuffled", "networks": ["pose_1", "capsnet_1", "cnn_global"]},
    {"condition": findings.MOVED, "score": "auroc", "at": "swap left and right"},
    {"networks": []},
    {"condition": "noise", "at": 0.5, "asks": True},
    {"condition": findings.MOVED, "score": "auroc", "at": "swap quadrants", "asks": True},
]


def test_what_it_says_is_what_python_says(mounted):
    widget = explorer()
    page = mounted(widget)
    first = {name: widget.get_state()[name] for name in ("networks", "condition", "score", "training", "at", "asks")}
    for values in STATES:
        widget.set_state(first | values)
        page.evaluate("(values) => model.set(values)", first | values)
        ours, theirs = widget.describe(), said(page)
        assert re.sub(r"\d\.\d{3}", "x", theirs) == re.sub(r"\d\.\d{3}", "x", ours), values
        assert numbers(theirs) == pytest.approx(numbers(ours), abs=1.001e-3), values


def test_the_table_has_means_intervals_ranges_and_the_paired_difference(mounted):
    page = mounted(explorer())
    page.evaluate("model.set('at', 90)")
    k = findings.FAMILIES["turn"].index(90)
    scores = [[findings.curve(run, "turn")[k] for run in RUNS["none"][name]] for name in PAIR]
    for name, values in zip(PAIR, scores, strict=True):
        expected = [*findings.mean_interval(values), min(values), max(values)]
        cells = page.get_by_test_id(f"cond-row-{name}").locator("td").all_inner_texts()
        assert numbers(" ".join(cells).replace("–", " ")) == pytest.approx(expected, abs=6e-4)
    difference = np.subtract(*scores)
    expected = [*intervals.paired(*scores)[:3], difference.min(), difference.max()]
    row = page.get_by_test_id("cond-difference")
    assert numbers(" ".join(row.locator("td").all_inner_texts())) == pytest.approx(expected, abs=6e-4)
    assert row.locator("th").inner_text().endswith("CapsNet, 3 routings less CNN flatten, margin loss")
    assert text(page, "cond-caption") == "Turned by 90°: accuracy"


def test_curves_are_means_over_seeds_in_bands(mounted):
    page = mounted(explorer())
    for condition, training in (("turn", "none"), ("scale", "some"), ("attack", "turned")):
        page.evaluate(
            "([condition, at, training]) => model.set({ condition, at, training })",
            [condition, findings.unchanged(condition), training],
        )
        for name in PAIR:
            values = np.array([findings.curve(run, condition) for run in RUNS[training][name]])
            expected = np.stack([findings.FAMILIES[condition], values.mean(0)], 1)
            reach = np.ptp(expected[:, 0])
            np.testing.assert_allclose(drawn(page, name) / (reach, 1), expected / (reach, 1), atol=1e-3)
    assert page.locator(".caps-cond-band").count() == 2


def test_every_seed_is_drawn_where_it_is_wanted(mounted):
    page = mounted(explorer())
    seeds = page.locator(".caps-cond-seed")
    assert seeds.count() == 0
    page.get_by_test_id("cond-seeds").check()
    assert seeds.count() == 10 and state(page, "seeds") == [True]
    page.get_by_test_id("cond-condition-parts-moved").click()
    assert seeds.count() == 2 * 5 * len(findings.PARTS)
    assert page.locator(".caps-cond-whisker").count() == 2 * len(findings.PARTS)


def test_one_seed_has_no_interval_and_other_seeds_no_pair(mounted):
    few = {"none": {PAIR[0]: RUNS["none"][PAIR[0]][:1], PAIR[1]: RUNS["none"][PAIR[1]][1:]}}
    page = mounted(explorer(runs=few))
    assert page.locator(".caps-cond-band").count() == 1
    assert "one seed" in text(page, "cond-row-capsnet_3") and "one seed, so no interval" in said(page)
    assert "no seed in common" in text(page, "cond-difference")


def test_a_network_that_was_not_trained_so_can_be_left_but_not_chosen(mounted):
    page = mounted(explorer(networks=["capsnet_1", "capsnet_3"], training="turned"))
    assert "not trained so" in text(page, "cond-row-capsnet_1")
    assert page.get_by_test_id("cond-network-cnn_global").is_disabled()
    expect(page.get_by_test_id("cond-difference")).to_be_hidden()
    page.get_by_test_id("cond-network-capsnet_1").uncheck()
    assert page.get_by_test_id("cond-network-capsnet_1").is_disabled()


def test_the_digit_is_shown_as_the_networks_read_it(mounted):
    page = mounted(explorer(), width=1300)
    picture = page.get_by_test_id("cond-picture")
    first = picture.get_attribute("src")
    assert picture.get_attribute("alt") == "the digit, turned by 45°"
    page.evaluate("model.set('at', 90)")
    assert picture.get_attribute("src") != first
    # A quarter turn is exact: what was a stem upwards lies, and ink is where NumPy has it.
    ink = page.evaluate(
        """async (address) => {
            const image = new Image();
            image.src = address;
            await image.decode();
            const context = Object.assign(document.createElement("canvas"), { width: 28, height: 28 }).getContext("2d");
            context.drawImage(image, 0, 0);
            return [...context.getImageData(0, 0, 28, 28).data].filter((_, n) => n % 4 === 3);
        }""",
        picture.get_attribute("src"),
    )
    np.testing.assert_allclose(np.reshape(ink, (28, 28)) / 255, np.rot90(DIGIT), atol=1e-6)
    assert page.locator(".caps-cond-plot image").count() == len(findings.FAMILIES["turn"])
    page.get_by_test_id("cond-condition-attack").click()
    expect(picture).to_be_hidden()
    assert page.locator(".caps-cond-plot image").count() == 0


# Every control by every means ---------------------------------------------------------------------------------------


@WAYS
def test_it_opens_with_a_question_and_one_button_answers(mounted, page, way):
    mounted(explorer(asks=True))
    tap = Tap(page, way)
    question, cover = page.get_by_test_id("cond-question"), page.get_by_test_id("cond-cover")
    curve = page.get_by_test_id("cond-curve-capsnet_3")
    expect(question).to_be_visible()
    expect(cover).to_be_hidden()
    assert curve.count() == 0 and page.locator(".caps-cond-mark").count() == 2
    assert text(page, "cond-caption") == "Unchanged: accuracy" and said(page).startswith("Covered: accuracy by angle")
    slider = page.get_by_test_id("cond-at")
    expect(slider).to_be_disabled()
    assert text(page, "cond-said") == slider.get_attribute("aria-valuetext").capitalize() == "Unchanged"
    place = page.locator(".caps-cond-area").bounding_box()
    page.mouse.click(place["x"] + place["width"] - 20, place["y"] + place["height"] - 10)
    assert text(page, "cond-said") == "Unchanged"
    tap("cond-show")
    expect(question).to_be_hidden()
    expect(slider).to_be_enabled()
    assert curve.count() == 1 and state(page, "asks", "at") == [False, 45] and slider.input_value() == "45"
    assert page.evaluate("document.activeElement.dataset.testid") == "cond-at"
    tap("cond-cover")
    expect(question).to_be_visible()
    assert page.evaluate("document.activeElement.dataset.testid") == "cond-show" and curve.count() == 0


@WAYS
def test_networks_are_chosen_and_left_up_to_six(mounted, page, way):
    mounted(explorer())
    tap = Tap(page, way)
    tap("cond-network-pose_3")
    tap("cond-network-capsnet_3")
    assert state(page, "networks") == [["cnn_flatten_margin", "pose_3"]]
    assert text(page, "cond-difference").startswith(
        "difference, paired by seed: CNN flatten, margin loss less paper-style"
    )
    for name in ("capsnet_1", "capsnet_3", "capsnet_5", "cnn_global"):
        tap(f"cond-network-{name}")
    assert page.evaluate("model.saved.networks.length") == 6
    assert page.get_by_test_id("cond-network-pose_1").is_disabled()
    assert page.get_by_test_id("cond-network-pose_3").is_enabled()
    expect(page.get_by_test_id("cond-difference")).to_be_hidden()


@WAYS
def test_conditions_by_buttons(mounted, page, way):
    mounted(explorer())
    tap = Tap(page, way)
    for condition in findings.AXES:
        tap(f"cond-condition-{condition.replace(' ', '-')}")
        assert state(page, "condition") == [condition]
        assert (
            page.get_by_test_id(f"cond-condition-{condition.replace(' ', '-')}").get_attribute("aria-pressed") == "true"
        )
        ConditionExplorer(RUNS).set_state(page.evaluate("model.saved"))  # Python takes what the page sends.
    score = page.get_by_test_id("cond-score")
    score.select_option("auroc")
    assert state(page, "score", "at") == ["auroc", "swap top and bottom"]
    tap("cond-condition-shift")
    assert state(page, "score", "at") == ["accuracy", 3] and score.locator("option").count() == 3
    score.select_option("accepted")
    page.get_by_test_id("cond-training").select_option("turned")
    assert state(page, "score", "training") == ["accepted", "turned"]


@pytest.mark.parametrize("condition", ["turn", "attack", findings.MOVED])
def test_keys_go_from_strength_to_strength(mounted, condition):
    page = mounted(explorer(condition=condition))
    slider, steps = page.get_by_test_id("cond-at"), findings.steps(condition)
    slider.press("Home")
    visited = []
    for _ in range(len(steps) + 1):
        visited += state(page, "at")
        slider.press("ArrowRight")
    assert visited == [*steps, steps[-1]]
    for expected in steps[-2::-1]:
        slider.press("ArrowLeft")
        assert state(page, "at") == [expected]
    assert slider.get_attribute("aria-valuetext") == "unchanged"


@POINTERS
@pytest.mark.parametrize("width", [320, 1100])
def test_a_pointer_in_the_plot_takes_the_nearest_strength(mounted, pointer, width):
    page = mounted(explorer(), width=width)
    area = page.get_by_test_id("cond-area")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    places = [box["x"] + 10 + (box["width"] - 20) * k / 12 for k in range(13)]
    pointer, y = pointer(page), box["y"] + 80
    pointer.down(places[8] + 3, y)
    assert state(page, "at") == [120]
    pointer.move(places[2] - 3, y + 5)
    pointer.up()
    assert state(page, "at") == [30] and page.evaluate("model.saved.at") == 30
    if isinstance(pointer, Mouse):
        pointer.move(places[11], y)  # Let go of, it stays.
        assert state(page, "at") == [30]
    ruler = page.locator(".caps-cond-ruler").bounding_box()
    assert ruler["x"] + ruler["width"] / 2 == pytest.approx(places[2], abs=1)


def test_the_slider_stands_under_the_strengths(mounted):
    page = mounted(explorer())
    box = page.get_by_test_id("cond-at").bounding_box()
    area = page.get_by_test_id("cond-area").bounding_box()
    assert box["x"] + 8 == pytest.approx(area["x"] + 10, abs=1)
    assert box["x"] + box["width"] - 8 == pytest.approx(area["x"] + area["width"] - 10, abs=1)


def test_a_network_stands_out_where_its_row_is_pointed_at(mounted):
    page = mounted(explorer())
    faint = page.locator(".caps-cond-faint")
    page.get_by_test_id("cond-network-capsnet_3").focus()
    assert set(faint.evaluate_all("nodes => nodes.map((node) => node.dataset.network)")) == {"cnn_flatten_margin"}
    page.get_by_test_id("cond-at").focus()
    assert faint.count() == 0
    page.mouse.move(*middle(page.get_by_test_id("cond-row-cnn_flatten_margin")))
    expect(faint.first).to_be_visible()


# Views, and how it looks --------------------------------------------------------------------------------------------


def test_curves_are_told_apart_without_colour(mounted):
    page = mounted(explorer(networks=list(findings.LABELS)[:6]))
    looks = page.locator("[data-testid^=cond-curve-]").evaluate_all(
        "nodes => nodes.map((node) => [node.getAttribute('stroke-dasharray'), "
        "node.parentNode.querySelector('.caps-cond-mark').getAttribute('d').replace(/[-\\d.]+/g, '').length].join())"
    )
    assert len(looks) == 6 and len({*looks}) >= 5
    names = page.locator(".caps-cond-plot text[data-network]")
    heights = sorted(box["y"] for box in (name.bounding_box() for name in names.all()))
    assert len(heights) == 6 and min(np.diff(heights)) > 12  # Named at their ends, and none lies on another.


@pytest.mark.parametrize("condition", ["turn", findings.MOVED])
@pytest.mark.parametrize("width", [320, 480, 760, 1000])
def test_nothing_runs_out_of_any_page_and_nothing_overlaps(mounted, width, condition):
    page = mounted(explorer(condition=condition), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.locator(".caps-cond-plot tspan").evaluate_all(
        "nodes => nodes.map((node) => node.getBoundingClientRect()).map(({ left, right, top }) => [top, left, right])"
    )
    boxes.sort()
    for (top, _, right), (next_top, left, _) in itertools.pairwise(boxes):
        assert next_top > top + 2 or left >= right
    wide = page.locator(".caps-cond-table :is(td, th)").evaluate_all(
        "nodes => nodes.filter((node) => node.scrollWidth > node.clientWidth + 1).map((node) => node.textContent)"
    )
    assert wide == []


@pytest.mark.parametrize("width", [700, 800, 880, 960, 1040, 1100, 1160, 1300])
def test_a_network_has_one_line_for_its_name(mounted, width):
    page = mounted(explorer(), width=width)
    names = page.locator(".caps-cond-table tbody label span:last-child")
    heights = {round(name.bounding_box()["height"]) for name in names.all()}
    assert len(heights) == 1 and heights.pop() < 25


def test_a_wider_page_gives_the_curves_more_room(mounted):
    page = mounted(explorer(), width=700)
    plot = page.get_by_test_id("cond-plot")
    before = plot.bounding_box()["width"]
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_function(
        "(before) => document.querySelector('.caps-cond-plot').clientWidth < before - 200", arg=before
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 700, 1100])
def test_looks(mounted, keep, width, dark):
    page = mounted(explorer(asks=True), width=width, dark=dark)
    theme = "dark" if dark else "light"
    keep(page, f"conditions-{width}-{theme}-asks")
    page.evaluate("model.set({ asks: false, networks: ['capsnet_3', 'capsnet_1', 'cnn_flatten', 'pose_3'] })")
    keep(page, f"conditions-{width}-{theme}")
    page.evaluate("model.set({ condition: 'parts moved', at: 'swap top and bottom', seeds: true })")
    keep(page, f"conditions-{width}-{theme}-parts")
