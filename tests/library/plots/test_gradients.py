"""Pictures of gradients and of weights that compete."""

import re
from itertools import pairwise

import numpy as np

from capslib import plots


def test_gradient_paths_lead_from_the_vote_to_the_loss_directly_and_through_c():
    fig = plots.gradient_paths()
    (ax,) = fig.axes
    place = {text.get_text(): tuple(text.get_position()) for text in ax.texts if text.get_bbox_patch()}
    assert set(place) == {"û", "s¹", "v¹", "a", "b²", "c²", "s²", "v²", "L"}
    names = {where: name for name, where in place.items()}
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    ways = {style: set() for style in ("-", "--")}
    for arrow in arrows:
        ways[arrow.arrow_patch.get_linestyle()].add((names[arrow.xyann], names[arrow.xy]))
    assert ways["-"] == {("û", "s²"), ("s²", "v²"), ("v²", "L")}
    assert ways["--"] == {*pairwise(["û", "s¹", "v¹", "a", "b²", "c²", "s²"]), ("û", "a")}
    (bar,) = ax.lines
    middle = (np.array(place["c²"]) + place["s²"]) / 2
    np.testing.assert_allclose(bar.get_xydata().mean(0), middle)  # the only arrow that leads out of c
    solid, dashed = re.findall(r"(?:solid|dashed): (.*?)\.", fig.get_label())
    for said, drawn in ((solid, ways["-"]), (dashed, ways["--"])):
        assert set(said.split(", ")) == {f"{start} to {end}" for start, end in drawn}
    assert "stop_gradient cuts the arrow from c² to s²" in fig.get_label()


def test_gradient_parts_set_both_parts_of_every_slope_side_by_side():
    direct, through = np.random.default_rng(0).normal(size=(2, 3, 2, 2))
    fig = plots.gradient_parts(direct, through, ["face", "car"])
    for j, (ax, name) in enumerate(zip(fig.axes, ("face", "car"), strict=True)):
        assert ax.get_title() == f"votes for {name}"
        bars = ax.patches
        np.testing.assert_allclose([bar.get_height() for bar in bars[:6]], direct[:, j].ravel())
        np.testing.assert_allclose([bar.get_height() for bar in bars[6:]], through[:, j].ravel())
        assert not bars[0].get_hatch() and bars[6].get_hatch()
        labels = [tick.get_text() for tick in ax.get_xticklabels()]
        assert labels == ["i=0\nx", "i=0\ny", "i=1\nx", "i=1\ny", "i=2\nx", "i=2\ny"]
    assert fig.axes[0].get_ylim() == fig.axes[1].get_ylim()
    assert [text.get_text() for text in fig.axes[1].get_legend().get_texts()] == ["direct", "through c"]


def test_gradient_parts_are_told_in_numbers():
    direct, through = [[[1, 0.5], [0, -1e-9]]], [[[0.25, 0], [-0.12345, 2]]]
    label = plots.gradient_parts(direct, through, ["face", "car"]).get_label()
    assert "Votes for face: direct [[1.0, 0.5]], through c [[0.25, 0.0]]." in label
    assert "Votes for car: direct [[0.0, 0.0]], through c [[-0.123, 2.0]]." in label


def test_weights_and_sums_write_every_number_and_make_sums_of_one_bold():
    over_rows = np.array([[0.75, 0.25], [0.5, 0.5], [0.125, 0.875]])
    fig = plots.weights_and_sums({"queries": over_rows, "keys": over_rows / over_rows.sum(0)})
    cases = (over_rows, "queries", 3), (over_rows / over_rows.sum(0), "keys", 2)
    for ax, (c, title, bold) in zip(fig.axes, cases, strict=True):
        assert ax.get_title() == title
        np.testing.assert_allclose(ax.images[0].get_array(), c)
        written = [text.get_text() for text in ax.texts]
        assert written[:6] == [f"{value:.2f}" for value in c.ravel()]
        assert written[6:] == [f"Σ {total:.2f}" for total in (*c.sum(1), *c.sum(0))]
        heavy = [text.get_text() for text in ax.texts if text.get_fontweight() == "bold"]
        assert heavy == ["Σ 1.00"] * bold
    said = "3 keys by 2 queries, with their sums. queries: rows sum to 1.00, 1.00, 1.00, columns to 1.38, 1.62. keys: "
    assert said + "rows sum to 0.70, 0.67, 0.63, columns to 1.00, 1.00." in fig.get_label()
