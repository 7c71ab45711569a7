"""Pictures of networks under conditions, on made-up runs."""

import numpy as np
import pytest

from capslib import findings, plots
from capslib.plots.conditions import apart
from tests.library.plots.artists import annotations, lines_by_label
from tools.browser.examples import condition_runs


@pytest.fixture(scope="module")
def found():
    return condition_runs(3)["none"]


def test_every_network_has_a_look_that_needs_no_colour():
    assert list(plots.LOOKS) == list(findings.LABELS)
    assert len({look[1:] for look in plots.LOOKS.values()}) == len(findings.LABELS)


def test_curves_are_means_over_seeds_in_bands_of_their_intervals(found):
    fig = plots.curves(found, "turn", networks=["capsnet_3", "cnn_flatten"])
    (ax,) = fig.axes
    for name, band in zip(("capsnet_3", "cnn_flatten"), ax.collections, strict=True):
        values = np.array([findings.curve(run, "turn") for run in found[name]])
        line = lines_by_label(ax)[name]
        np.testing.assert_allclose(line.get_xydata(), np.stack([findings.FAMILIES["turn"], values.mean(0)], 1))
        low, high = np.array([findings.mean_interval(column)[1:] for column in values.T]).T
        heights = band.get_paths()[0].vertices
        for k, x in enumerate(findings.FAMILIES["turn"]):
            at = heights[heights[:, 0] == x][:, 1]
            assert at.min() == pytest.approx(low[k]) and at.max() == pytest.approx(high[k])
    assert set(annotations(ax)) >= {"CapsNet, 3 routings", "CNN flatten"}
    assert ax.get_ylabel() == "accuracy" and ax.get_xlabel() == findings.AXES["turn"]
    first = np.mean([findings.curve(run, "turn")[0] for run in found["capsnet_3"]])
    assert f"CapsNet, 3 routings, {first:.3f} (" in fig.get_label() and "at 180" in fig.get_label()


def test_parts_that_were_moved_are_points_with_whiskers(found):
    fig = plots.curves(found, findings.MOVED, "auroc", ["capsnet_3", "pose_3"])
    (ax,) = fig.axes
    assert [text.get_text() for text in ax.get_xticklabels()] == ["top ↔\nbottom", "left ↔\nright", "quarters\nswapped"]
    values = np.array([findings.curve(run, findings.MOVED, "auroc") for run in found["pose_3"]])
    bars = ax.containers[1]
    np.testing.assert_allclose(bars.lines[0].get_ydata(), values.mean(0))
    for (low, high), column in zip(
        [segment[:, 1] for segment in bars.lines[2][0].get_segments()], values.T, strict=True
    ):
        np.testing.assert_allclose([low, high], np.clip(findings.mean_interval(column)[1:], 0, 1))


def test_a_covered_picture_shows_unchanged_digits_alone(found):
    fig = plots.curves(found, "scale", networks=["capsnet_3"], covered=True)
    assert lines_by_label(fig.axes[0])["capsnet_3"].get_xdata().tolist() == [1]
    assert "All but the unchanged digits is covered." in fig.get_label() and "at 0.6" not in fig.get_label()
    assert plots.png(plots.curves(found, findings.MOVED, "auroc", covered=True)).startswith(b"\x89PNG")


def test_one_seed_has_no_interval(found):
    fig = plots.curves({"pose_1": found["pose_1"][:1]}, "noise")
    assert "(one seed)" in fig.get_label() and plots.png(fig).startswith(b"\x89PNG")


def test_labels_stand_apart_below_the_top():
    np.testing.assert_allclose(apart([0.5, 0.2], 0.1), [0.5, 0.2])
    moved = apart([0.99, 0.5, 0.98, 0.97], 0.1)
    assert max(moved) == 1 and min(np.diff(sorted(moved))) >= 0.1 - 1e-12 and moved[1] == 0.5
    assert sorted(moved, reverse=True) == [moved[k] for k in (0, 2, 3, 1)]


def test_what_is_not_there_is_refused(found):
    with pytest.raises(ValueError, match="networks: got 'vgg', expected some of capsnet_1, "):
        plots.curves(found, "turn", networks=["vgg"])
    with pytest.raises(ValueError, match="score: got 'auroc'"):
        plots.curves(found, "turn", "auroc")
