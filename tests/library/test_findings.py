"""What stored runs say, on runs made up for the purpose."""

import json

import numpy as np
import pytest

from capslib import experiments, findings, records
from capslib.conditions import DIRECTIONS, conditions

FLAT = {"accuracy": 0.9, "of_right": 1.0, "accepted": 0.5}


def made(network="capsnet_3", seed=0, upright=0.98, turns=0.9, auroc=0.8, augmentation="none", epochs=6):
    """A run with the same scores under every condition, but for those that are given."""
    rows = {"none": {**FLAT, "accuracy": upright}}
    for family, strengths in findings.FAMILIES.items():
        for strength in strengths:
            for to in [f" {to}" for to in DIRECTIONS] if family == "shift" else [""]:
                rows[f"{family} {strength}{to}"] = dict(FLAT)
    for angle in (15, 30, 45):
        rows[f"turn {angle}"]["accuracy"] = turns
    for name in findings.PARTS[1:]:
        rows[name] = dict(FLAT) | ({"auroc": auroc} if name in findings.SWAPS else {})
    task = {"network": network, "augmentation": augmentation, "seed": seed, "epochs": epochs, "tuning": False}
    return {"task": task, "upright": {"accuracy": upright}, "conditions": rows}


def test_a_curve_begins_with_the_unchanged_digits():
    run = made(upright=0.99, turns=0.7)
    assert findings.curve(run, "turn")[:5].tolist() == [0.99, 0.7, 0.7, 0.7, 0.9]
    scale = findings.curve(run, "scale")
    assert scale[findings.FAMILIES["scale"].index(1)] == 0.99 and (np.delete(scale, 4) == 0.9).all()
    assert findings.curve(run, "noise", "accepted").tolist() == [0.5] * 6


def test_a_shift_is_the_mean_of_four_directions():
    run = made()
    for value, to in enumerate(DIRECTIONS):
        run["conditions"][f"shift 3 {to}"]["accuracy"] = value / 10
    assert findings.curve(run, "shift")[3] == pytest.approx(0.15)


def test_moved_parts_have_no_strengths_and_swaps_alone_an_auroc():
    run = made(upright=0.99, auroc=0.7)
    assert findings.curve(run, findings.MOVED).tolist() == [0.99, 0.9, 0.9, 0.9, 0.9]
    assert findings.curve(run, findings.MOVED, "auroc").tolist() == [0.7, 0.7, 0.7]
    assert findings.steps(findings.MOVED, "auroc") == findings.SWAPS
    with pytest.raises(ValueError, match="score: got 'auroc', expected 'accuracy', 'of_right' or 'accepted'"):
        findings.curve(run, "turn", "auroc")


def test_every_condition_of_an_experiment_is_on_an_axis():
    names = {name for f in findings.AXES for step in findings.steps(f) for name in findings.names(f, step)}
    made_of_digits = {condition.name for condition in conditions(np.zeros((1, 28, 28)))}
    assert made_of_digits < names
    assert names - made_of_digits == {"none", "cells shuffled", "attack 0.05", "attack 0.1", "attack 0.2"}
    assert all(findings.unchanged(family) in findings.steps(family) for family in findings.AXES)


def test_networks_and_trainings_have_names():
    assert list(findings.LABELS) == list(experiments.NETWORKS)
    assert len(set(findings.LABELS.values())) == len(findings.LABELS)
    assert list(findings.TRAININGS) == list(experiments.AUGMENTATIONS)


def test_a_mean_has_the_interval_of_a_difference_from_nothing():
    values = [0.9, 0.92, 0.95, 0.91]
    half = 3.182446 * np.std(values, ddof=1) / 2
    assert findings.mean_interval(values) == pytest.approx((0.92, 0.92 - half, 0.92 + half), abs=1e-6)
    mean, low, high = findings.mean_interval([0.9])
    assert mean == 0.9 and np.isnan(low) and np.isnan(high)
    with pytest.raises(ValueError, match="values: got"):
        findings.mean_interval([])


def test_an_area_ends_where_it_should():
    run = made(upright=1.0, turns=0.5)
    # 1, ½, ½, ½ at 0°, 15°, 30°, 45°: (¾ + ½ + ½) / 3. The 0.9 at 60° does not count.
    assert findings.area_up_to(run, "turn", 45) == pytest.approx(1.75 / 3)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ((0.02, 0.021, 0.019, 0.02, 0.02), "higher"),
        ((-0.02, -0.021, -0.019, -0.02, -0.02), "lower"),
        ((0.001, -0.001, 0.0005, -0.0005, 0.0001), "no difference"),
        ((0.03, -0.03, 0.02, -0.02, 0.01), "undecided"),
    ],
)
def test_verdicts_on_accuracy(change, verdict):
    base = [made("capsnet_1", seed, upright=0.95 + 0.01 * seed) for seed in range(5)]
    other = [made("capsnet_3", seed, upright=0.95 + 0.01 * seed + d) for seed, d in enumerate(change)]
    rows = findings.contrasts({"capsnet_1": base, "capsnet_3": other}, [("capsnet_3", "capsnet_1")])
    assert [row.outcome for row in rows] == list(findings.OUTCOMES)
    assert rows[0].verdict == verdict
    assert rows[0].difference.mean == pytest.approx(np.mean(change))


def test_a_small_difference_of_another_score_stays_undecided():
    base = [made("capsnet_1", seed, auroc=0.8) for seed in range(5)]
    other = [made("capsnet_3", seed, auroc=0.8 + d) for seed, d in enumerate((0.001, -0.001, 0.0005, -0.0005, 0))]
    rows = findings.contrasts({"capsnet_1": base, "capsnet_3": other}, [("capsnet_3", "capsnet_1")])
    assert rows[3].outcome == "AUROC, halves swapped" and rows[3].verdict == "undecided"


def test_the_more_is_tested_the_less_a_small_p_means():
    rng = np.random.default_rng(0)
    names = ("capsnet_3", "capsnet_1", "capsnet_unshared", "cnn_flatten_margin")
    found = {name: [made(name, s, upright=0.98 + 0.001 * rng.normal()) for s in range(5)] for name in names}
    for run in found["capsnet_3"]:
        run["upright"]["accuracy"] += 0.0015
    alone = findings.contrasts(found, findings.CONTRASTS[:1])[0]
    together = next(row for row in findings.contrasts(found) if row[:3] == alone[:3])
    assert together.difference == alone.difference
    assert together.corrected > alone.corrected > alone.difference.p


def test_seeds_are_paired():
    base = [made("capsnet_1", seed) for seed in (0, 1, 2)]
    with pytest.raises(ValueError, match=r"found: got seeds \[0, 1\] of capsnet_3 and \[0, 1, 2\] of capsnet_1"):
        findings.contrasts(
            {"capsnet_1": base, "capsnet_3": [made(seed=s) for s in (0, 1)]}, [("capsnet_3", "capsnet_1")]
        )
    with pytest.raises(ValueError, match="found: got runs of capsnet_1, expected some of capsnet_3"):
        findings.contrasts({"capsnet_1": base})
    with pytest.raises(ValueError, match="^pairs: got none, expected at least one pair of networks$"):
        findings.contrasts({"capsnet_1": base}, [])


def test_runs_are_found_by_training_and_ordered_by_seed(tmp_path, monkeypatch):
    stored = [made(seed=2), made(seed=0), made("cnn_flatten", seed=0), made(seed=0, epochs=20, augmentation="some")]
    tuning = made(seed=1000)
    tuning["task"]["tuning"] = True
    (tmp_path / "does_it_hold.json").write_text(json.dumps({"runs": [*stored, tuning]}))
    monkeypatch.setattr(records, "RESULTS", (tmp_path,))
    found = findings.runs()
    assert {name: [run["task"]["seed"] for run in some] for name, some in found.items()} == {
        "capsnet_3": [0, 2],
        "cnn_flatten": [0],
    }
    assert len(findings.runs("some", 20)["capsnet_3"]) == 1
    with pytest.raises(ValueError, match="augmentation: got 'turned' with 6 epochs, of which no run is stored"):
        findings.runs("turned")
    assert {name: list(some) for name, some in findings.by_training().items()} == {"none": ["capsnet_3", "cnn_flatten"]}
    (tmp_path / "does_it_hold.json").write_text(json.dumps({"runs": [tuning]}))
    with pytest.raises(ValueError, match="augmentation: got 'none' with 6 epochs, of which no run is stored"):
        findings.by_training()


def test_every_variant_was_trained_from_the_same_three_seeds():
    found = findings.variants()
    assert list(found) == list(findings.VARIANTS)
    assert {tuple(run["seed"] for run in mine) for mine in found.values()} == {(0, 1, 2)}
    assert {run["parameters"] for run in found["unchanged"]} == {22_848}
    assert all(run["variant"] == name for name, mine in found.items() for run in mine)


@pytest.mark.parametrize(("family", "score"), [("melt", "accuracy"), ("turn", "beauty")])
def test_an_unknown_curve_is_refused(family, score):
    with pytest.raises(ValueError, match="family: got 'melt'|score: got 'beauty'"):
        findings.curve(made(), family, score)
