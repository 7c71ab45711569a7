"""The benchmark of the widgets measures what it says; how long anything takes is no test's business."""

import json

from benchmarks import widgets as benchmark
from tools.browser.examples import EXAMPLES, exported
from tools.browser.harness import saved_state


def test_each_use_of_a_control_is_timed_until_it_is_drawn(browser):
    found = benchmark.in_page(browser, saved_state(EXAMPLES["SquashExplorer"]()), rounds=6, loads=1)
    assert found["first_drawing"]["median_ms"] > 0
    assert {"squash-s", "squash-offset"} <= set(found["steps"])
    slowest = next(iter(found["steps"].values()))
    assert len(slowest["drawn"]["ms"]) == 6 and len(slowest["held"]["ms"]) == 12
    for times in found["steps"].values():
        assert all(
            0 <= program <= drawn for program, drawn in zip(times["program"]["ms"], times["drawn"]["ms"], strict=True)
        )


def test_every_widget_has_been_measured():
    results = json.loads((benchmark.FOLDER / "widgets.json").read_text(encoding="utf-8"))
    assert set(results["widgets"]) == exported()
    # A part that is moved: the widget that draws most at every step.
    assert {"pv-thing-4", "pv-x"} <= set(results["widgets"]["PoseVotes"]["steps"])
