"""The benchmark of the widgets measures what it says; how long anything takes is no test's business."""

import contextlib
import json

import pytest

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


class NoBrowser:
    version = "1"

    def new_page(self, viewport):
        raise AssertionError("no lesson shows a widget here")


class NoLab:
    def __init__(self, folder):
        pass

    def open(self, page, name):
        pass

    def close(self):
        pass


def test_one_widget_is_measured_alone_and_the_others_are_kept(tmp_path, monkeypatch):
    found = {"bytes": 1, "first_drawing": {"median_ms": 2}, "steps": {"x": dict.fromkeys(("program", "drawn", "held"))}}
    found["steps"]["x"] = {part: {"median_ms": 3} for part in found["steps"]["x"]}
    monkeypatch.setattr(benchmark, "in_page", lambda *given: found)
    monkeypatch.setattr(benchmark, "shown", lambda path: [])
    monkeypatch.setattr(benchmark, "Lab", NoLab)
    monkeypatch.setattr(benchmark, "launched", lambda path: contextlib.nullcontext(NoBrowser()))
    monkeypatch.setattr(benchmark, "chromium", lambda: "chromium")
    whole = benchmark.run(tmp_path, log=str)["widgets"]
    file = tmp_path / "widgets.json"
    stored = json.loads(file.read_text(encoding="utf-8"))
    stored["widgets"]["PoseVotes"]["bytes"] = 4711
    stored["widgets"]["Quiz"]["bytes"] = 4711
    file.write_text(json.dumps(stored), encoding="utf-8")
    again = benchmark.run(tmp_path, log=str, only=["Quiz"])["widgets"]
    assert set(again) == set(whole) and again["PoseVotes"]["bytes"] == 4711 and again["Quiz"]["bytes"] == 1
    file.write_text(json.dumps(stored | {"machine": "another"}), encoding="utf-8")
    with pytest.raises(ValueError, match="only: got .* expected 'another' as of the other widgets"):
        benchmark.run(tmp_path, log=str, only=["Quiz"])
    with pytest.raises(ValueError, match="only: got 'Quizz', expected .*PoseVotes"):
        benchmark.run(tmp_path, log=str, only=["Quizz"])
