"""ConditionExplorer's numbers against capslib.intervals, in Python and in Node."""

import copy

import numpy as np
import pytest
from scipy.stats import t as student

from capslib import findings, intervals
from capslib.conditions import conditions
from capslib.widgets import ConditionExplorer
from capslib.widgets.condition_explorer import MOST, WHOLE
from tests.widgets.test_core import NO_NODE, NODE, caller
from tools.browser.examples import condition_runs

RUNS = condition_runs()
DIGIT = np.zeros((28, 28))
DIGIT[5:23, 13:15] = DIGIT[5:8, 8:20] = 1


@pytest.fixture
def explorer():
    return ConditionExplorer(RUNS)


def scores(network, condition, score, at, training="none", runs=RUNS):
    k = findings.steps(condition, score).index(at)
    return [findings.curve(run, condition, score)[k] for run in runs[training][network]]


def with_seeds(network, seeds):
    """The runs, of which one network has other seeds."""
    runs = copy.deepcopy(RUNS)
    runs["none"][network] = runs["none"][network][: len(seeds)]
    for run, seed in zip(runs["none"][network], seeds, strict=True):
        run["task"]["seed"] = seed
    return runs


# What it says -------------------------------------------------------------------------------------------------------


def test_the_text_has_means_intervals_and_the_paired_difference(explorer):
    explorer.at = 90
    pair = [scores(name, "turn", "accuracy", 90) for name in ("capsnet_3", "cnn_flatten_margin")]
    difference = intervals.paired(*pair)
    assert explorer.difference == difference
    said = explorer.describe()
    for values in pair:
        mean, low, high = findings.mean_interval(values)
        assert f"{mean:.3f} (95 % interval {low:.3f} to {high:.3f}, 5 seeds)" in said
    numbers = tuple(f"{x:.3f}".replace("-", "−") for x in difference[:3])
    assert said.endswith("paired by seed, {} (95 % interval {} to {}, 5 seeds).".format(*numbers))
    assert said.startswith("Turned by 90°, trained on digits as they are, accuracy: CapsNet, 3 routings 0.")


def test_differences_are_paired_by_common_seeds_alone():
    pair = ("capsnet_3", "cnn_flatten_margin")
    explorer = ConditionExplorer(with_seeds("cnn_flatten_margin", (3, 1, 7)), pair)
    a, b = (scores(name, "turn", "accuracy", 45) for name in pair)
    expected = intervals.paired([a[1], a[3]], [b[1], b[0]])
    assert explorer.difference == pytest.approx(expected) and ", 2 seeds)." in explorer.describe()
    one = ConditionExplorer(with_seeds("cnn_flatten_margin", (4,)), pair)
    assert one.difference is None and "one seed, so no interval)." in one.describe()
    none = ConditionExplorer(with_seeds("cnn_flatten_margin", (5, 6)), pair)
    assert none.difference is None and none.describe().endswith("paired by seed, no seed in common.")


def test_only_two_networks_have_a_difference(explorer):
    explorer.networks = ["capsnet_3", "capsnet_1", "pose_3"]
    assert explorer.difference is None and "paired" not in explorer.describe()
    explorer.networks = []
    assert explorer.describe() == "No network is chosen; choose 1 to 6."
    assert explorer.picture().startswith(b"\x89PNG")


def test_a_network_that_was_not_trained_so_is_said_to_be_missing(explorer):
    explorer.networks, explorer.training = ["capsnet_3", "capsnet_1"], "turned"
    assert explorer.describe().endswith("; CapsNet, 1 routing not trained so.") and explorer.difference is None
    assert explorer.picture().startswith(b"\x89PNG")


def test_covered_it_tells_unchanged_digits_alone():
    explorer = ConditionExplorer(RUNS, asks=True)
    said = explorer.describe()
    assert said.startswith(
        "Covered: accuracy by angle in degrees counter-clockwise, trained on digits as they are. Unch"
    )
    assert f"{np.mean(scores('capsnet_3', 'turn', 'accuracy', 0)):.3f} (" in said
    assert f"{np.mean(scores('capsnet_3', 'turn', 'accuracy', 45)):.3f}" not in said
    covered, explorer.asks = explorer.picture(), False
    assert covered != explorer.picture()
    explorer.condition, explorer.score, explorer.asks = findings.MOVED, "auroc", True
    assert explorer.describe().endswith("trained on digits as they are. Networks chosen: 2.")


# What it takes ------------------------------------------------------------------------------------------------------


def test_a_strength_stays_where_another_condition_has_it(explorer):
    explorer.condition, explorer.at = "noise", 0.2
    explorer.condition = "salt and pepper"
    assert explorer.at == 0.2
    explorer.condition = "turn"
    assert explorer.at == 45
    explorer.condition, explorer.score, explorer.at = findings.MOVED, "auroc", "swap quadrants"
    explorer.score = "accepted"
    assert explorer.at == "swap quadrants"
    explorer.score = "auroc"
    explorer.condition = "shift"
    assert (explorer.score, explorer.at) == ("accuracy", 3)


def test_what_the_page_sends_at_once_is_judged_together(explorer):
    explorer.set_state({"condition": findings.MOVED, "score": "auroc", "at": "swap left and right"})
    assert (explorer.condition, explorer.score, explorer.at) == (findings.MOVED, "auroc", "swap left and right")
    with pytest.raises(ValueError, match="score: got 'auroc', expected 'accuracy', 'of_right' or"):
        explorer.set_state({"condition": "turn", "score": "auroc", "at": 45})
    assert explorer.condition == findings.MOVED


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"networks": ["vgg"]}, r"networks: got \['vgg'\], expected at most 6 different ones of capsnet_1, capsnet_3"),
        ({"networks": ["pose_1", "pose_1"]}, "networks: got"),
        ({"networks": list(findings.LABELS)[: MOST + 1]}, "networks: got"),
        ({"networks": "capsnet_3"}, "networks: got 'capsnet_3'"),
        ({"condition": "melt"}, "condition: got 'melt', expected 'turn', "),
        ({"score": "beauty"}, "score: got 'beauty', expected 'accuracy', 'of_right' or 'accepted'"),
        ({"score": "auroc"}, "score: got 'auroc'"),
        ({"training": "all"}, "training: got 'all', expected one of none, some, turned"),
        ({"digit": np.zeros((27, 28))}, "digit: got shape"),
        ({"digit": np.zeros((2, 28, 28))}, "digit: got 2 images, expected one"),
        ({"runs": {}}, "runs: got {}, expected for each augmentation"),
        ({"runs": {"none": {}}}, "runs: got"),
        ({"runs": {"all": RUNS["none"]}}, "runs: got 'all', expected 'none', 'some' or 'turned'"),
        ({"runs": {"none": {"vgg": []}}}, "runs: got 'vgg'"),
        ({"runs": {"none": {"pose_1": []}}}, r"runs: got \[\] for pose_1, expected at least one run"),
        (
            {"runs": {"none": {"pose_1": [{"conditions": {}, "task": {"seed": 0}}]}}},
            "runs: got one of pose_1 without 'none', expected a whole result",
        ),
    ],
)
def test_bad_input_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        ConditionExplorer(**{"runs": RUNS, **values})


def test_true_is_no_strength(explorer):
    explorer.condition = "shift"
    with pytest.raises(ValueError, match="at: got True, expected one of 0, 1, 2"):
        explorer.at = True


def test_scores_beyond_shares_are_refused():
    runs = {"none": {"pose_1": copy.deepcopy(RUNS["none"]["pose_1"])}}
    runs["none"]["pose_1"][0]["conditions"]["noise 0.1"]["accuracy"] = 1.2
    with pytest.raises(ValueError, match="runs: got a score beyond 0 to 1"):
        ConditionExplorer(runs, ["pose_1"])


def test_without_runs_it_shows_those_that_are_stored(monkeypatch):
    monkeypatch.setattr(findings, "by_training", lambda: {"some": RUNS["some"]})
    assert "digits shifted by up to 2 px" in ConditionExplorer(training="some").describe()
    with pytest.raises(ValueError, match="training: got 'none', expected one of some"):
        ConditionExplorer()


# What it sends ------------------------------------------------------------------------------------------------------


def test_nothing_is_lost_on_the_way_to_the_page():
    rng = np.random.default_rng(0)
    runs = copy.deepcopy({"none": {"pose_1": RUNS["none"]["pose_1"]}})
    for run in runs["none"]["pose_1"]:
        for row in run["conditions"].values():
            row.update({score: round(rng.random(), 4) for score in row})
    sent = np.frombuffer(ConditionExplorer(runs, ["pose_1"]).scores, "<u2").reshape(5, -1) / WHOLE
    for run, row in zip(runs["none"]["pose_1"], sent, strict=True):
        curves = [findings.curve(run, c, score) for c in findings.AXES for score in findings.scores_of(c)]
        np.testing.assert_allclose(row, np.concatenate(curves), atol=1e-12)


def test_pictures_are_what_the_networks_read():
    explorer = ConditionExplorer(RUNS, digit=DIGIT)
    pictures = np.frombuffer(explorer.pictures, np.uint8).reshape(-1, 28, 28) / 255
    made = {condition.name: condition.images[0, ..., 0] for condition in conditions(DIGIT)}
    shown = {
        (about["key"], step["value"]): pictures[step["picture"]]
        for about in explorer.facts["conditions"]
        for step in about["steps"]
        if step["picture"] >= 0
    }
    for place, name in {
        ("turn", 90): "turn 90",
        ("shift", 3): "shift 3 right",
        ("scale", 0.8): "scale 0.8",
        ("noise", 0.5): "noise 0.5",
        (findings.MOVED, "swap quadrants"): "swap quadrants",
    }.items():
        np.testing.assert_allclose(shown[place], made[name], atol=0.5 / 255)
    np.testing.assert_allclose(shown["scale", 1], DIGIT)
    assert not [place for place in shown if place[0] == "attack" or place[1] == "cells shuffled"]
    assert ConditionExplorer(RUNS).pictures == b""


# The page's statistics ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(NODE is None, reason=NO_NODE)
def test_the_page_computes_the_intervals_of_python(tmp_path):
    call = caller(tmp_path, "condition_explorer/state.js")
    t = student.ppf(0.975, np.arange(1, 8)).tolist()
    rng = np.random.default_rng(1)
    for n in (2, 5, 8):
        a, b = rng.random((2, n)).round(4).tolist()
        found = call(("summary_of", a, t))
        mean, low, high = findings.mean_interval(a)
        expected = {"n": n, "mean": mean, "low": low, "high": high, "least": min(a), "most": max(a)}
        assert found == pytest.approx(expected, abs=1e-12)
        order = rng.permutation(n)
        first = {"seeds": list(range(n)), "values": a}
        second = {"seeds": order.tolist(), "values": np.array(b)[order].tolist()}
        found = call(("paired_summary", first, second, t))
        assert (found["mean"], found["low"], found["high"]) == pytest.approx(intervals.paired(a, b)[:3], abs=1e-12)
