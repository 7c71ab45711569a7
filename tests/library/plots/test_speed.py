"""Pictures of what was measured."""

import numpy as np

from capslib import plots
from tests.library.plots.artists import words_in


def test_measured_curves_begin_at_zero_and_are_told_apart_without_colour():
    x, values = np.array([1, 2, 4]), {"a": [0.2, 0.4, 0.6], "b": [0.5, 0.4, 0.1]}
    fig = plots.measured_curves(x, {"cosine": values, "norm": values}, "iterations")
    left, right = fig.axes
    for ax in (left, right):
        for line, (name, expected) in zip(ax.lines, values.items(), strict=True):
            np.testing.assert_allclose(line.get_xydata(), np.stack([x, expected], 1))
            assert line.get_label() == name
        assert len({(line.get_linestyle(), line.get_marker()) for line in ax.lines}) == 2
        assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 0.6 and list(ax.get_xticks()) == [1, 2, 4]
        assert ax.get_xlabel() == "iterations"
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["a", "b"]
    ends = "over iterations: a goes from 0.20 at 1 to 0.60 at 4; b goes from 0.50 at 1 to 0.10 at 4."
    assert fig.get_label() == f"Curves. cosine, {ends} norm, {ends}"


def test_measured_curves_may_have_an_axis_of_their_own_and_logarithmic_scales_in_plain_numbers():
    x = [np.array([49, 200, 1152]), np.array([1, 8])]
    fig = plots.measured_curves(x, {"I": {"a": [1, 3, 7]}, "T": {"a": [19, 2]}}, ["lower", "iterations"], log=True)
    for ax, at, label in zip(fig.axes, x, ("lower", "iterations"), strict=True):
        np.testing.assert_array_equal(ax.lines[0].get_xdata(), at)
        assert ax.get_xscale() == ax.get_yscale() == "log" and ax.get_xlabel() == label
        assert ax.get_ylim() == fig.axes[0].get_ylim() and ax.get_ylim()[0] < 1 < 19 < ax.get_ylim()[1]
    assert [tick.get_text() for tick in fig.axes[0].get_xticklabels()] == ["49", "200", "1,152"]
    assert [tick.get_text() for tick in fig.axes[0].get_yticklabels()] == ["1", "2", "5", "10", "20"]
    assert len(fig.axes[0].get_xticks(minor=True)) == 0
    assert "I, over lower (logarithmic axes): a goes from 1.00 at 49 to 7.00 at 1,152." in fig.get_label()
    assert "T, over iterations (logarithmic axes): a goes from 19.00 at 1 to 2.00 at 8." in fig.get_label()


def test_work_and_time_draws_what_comes_on_top_of_the_unit_apart():
    fig = plots.work_and_time({"counted": 1.25, "measured": 3.0, "less": 0.5}, "the rest")
    (ax,) = fig.axes
    bars = [(bar.get_x(), bar.get_width(), bool(bar.get_hatch())) for bar in ax.patches]
    assert bars == [(0, 1, False), (1, 0.25, True), (0, 1, False), (1, 2, True), (0, 0.5, False), (1, 0, True)]
    assert words_in(ax) == ["1.25", "3.00", "0.50"] and ax.get_xlabel() == "in units of the rest"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["counted", "measured", "less"] and ax.yaxis_inverted()
    assert ax.get_xlim()[0] == 0 and ax.get_xlim()[1] > 3
    assert fig.get_label() == "Bars in units of the rest: counted 1.25, measured 3.00, less 0.50."


def test_race_to_level_ends_each_line_where_its_run_did_and_hollow_if_it_did_not_arrive():
    def ran(runner, seconds, *looks):
        checks = [{"seconds": s, "val_accuracy": a} for s, a in looks]
        return {"runner": runner, "seconds": seconds, "checks": checks}

    runs = [ran("quick", 4, (2, 0.9), (4, 0.99)), ran("slow", 60, (9, 0.8), (60, 0.985))]
    runs += [ran("quick", None, (2, 0.9), (5, 0.97))]
    fig = plots.race_to_level(runs, 0.98, {"quick": "ours", "slow": "the article"})
    (ax,) = fig.axes
    level, *lines = ax.lines
    assert list(level.get_ydata()) == [0.98, 0.98] and ax.get_xscale() == "log"
    paths = [line.get_xydata().tolist() for line in lines[::2]]
    assert paths == [[[2, 0.9], [4, 0.99]], [[2, 0.9], [5, 0.97]], [[9, 0.8], [60, 0.985]]]
    ends = [(line.get_xydata().tolist(), line.get_markerfacecolor() == "white") for line in lines[1::2]]
    assert ends == [([[4, 0.99]], False), ([[5, 0.97]], True), ([[60, 0.985]], False)]
    assert lines[0].get_linestyle() != lines[4].get_linestyle() and lines[1].get_marker() != lines[5].get_marker()
    assert words_in(ax) == ["ours", "the article", " 0.98"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "5", "10", "20", "50"]
    reached = "ours after 4.0 s, (not reached); the article after 60.0 s."
    assert fig.get_label().endswith(f"a dashed line at 0.980. Reached by {reached}")
