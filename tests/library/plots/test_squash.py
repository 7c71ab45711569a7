"""Pictures of squash."""

import numpy as np
import pytest

from capslib import equations, plots
from capslib.equations import length
from tests.library.plots.artists import annotations, arrow_tips, in_view, lines_by_label, words_in

RAW = np.array([[1.2, 1.6], [-0.3, 0.4], [0.0, -0.7]])
OFFSETS = (1, 0.5, 0.05)


def squashed_lengths(norms, offset):
    return norms**2 / (offset + norms**2)


def test_squash_arrows_end_at_the_vectors_and_stay_in_view():
    fig = plots.squash_arrows(RAW)
    (ax,) = fig.axes
    assert fig.get_label().endswith("Their lengths are 2.00, 0.50, 0.70.")
    tips = arrow_tips(ax)
    assert list(tips) == ["s0", "s1", "s2"] and words_in(ax) == ["$s_0$", "$s_1$", "$s_2$"]
    np.testing.assert_array_equal(np.array(list(tips.values())), RAW)
    np.testing.assert_allclose(np.hypot(*lines_by_label(ax)["length 1"].get_data()), 1)
    assert ax.get_aspect() == 1 and in_view(ax, RAW)


def test_squash_arrows_put_each_squashed_vector_on_its_own_and_write_both_lengths():
    v = equations.squash(RAW)
    fig = plots.squash_arrows(RAW, v)
    (ax,) = fig.axes
    assert "length 2.00 to 0.89, 0.50 to 0.33, 0.70 to 0.49; no arrow turns" in fig.get_label()
    assert "some arrows turn" in plots.squash_arrows(RAW, np.tanh(RAW)).get_label()
    tips = arrow_tips(ax)
    for i in range(3):
        np.testing.assert_array_equal(tips[f"s{i}"], RAW[i])
        np.testing.assert_array_equal(tips[f"v{i}"], v[i])
    assert words_in(ax) == [f"{a:.2f} → {b:.2f}" for a, b in zip(length(RAW), length(v), strict=True)]
    assert words_in(ax)[0] == "2.00 → 0.89"
    names = np.array(list(annotations(ax).values()))
    assert (length(names) >= 1 - 1e-12).all(), "a name inside the circle lies over other arrows"


def test_squash_lengths_mark_where_each_curve_passes_one_half():
    norms = np.linspace(0, 3, 601)
    curves = {offset: squashed_lengths(norms, offset) for offset in OFFSETS}
    fig = plots.squash_lengths(norms, curves)
    (ax,) = fig.axes
    for said in (
        "Offset 1: one half at length 1.000, never above",
        "Offset 0.5: one half at length 0.707, never above",
        "Offset 0.05: one half at length 0.224, above the diagonal from 0.06 to 0.95",
    ):
        assert said in fig.get_label()
    lines = lines_by_label(ax)
    dots = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    for dot, offset in zip(dots, OFFSETS, strict=True):
        np.testing.assert_array_equal(lines[f"{offset:g}"].get_xydata(), np.stack([norms, curves[offset]], 1))
        np.testing.assert_allclose(dot, (np.sqrt(offset), 0.5), atol=1e-3)
        np.testing.assert_allclose(annotations(ax)[f"{offset:g}"], (np.sqrt(3 * offset), 0.75), atol=2e-3)
    x, y = lines["unchanged"].get_data()
    np.testing.assert_array_equal(x, y)
    looks = {
        (lines[f"{k:g}"].get_linestyle(), lines[f"{k:g}"].get_color(), lines[f"{k:g}"].get_linewidth()) for k in OFFSETS
    }
    assert len(looks) == 3


def test_squash_ratios_mark_the_peaks_and_shade_where_vectors_grow():
    norms = np.linspace(0.01, 3, 300)
    ratios = {offset: squashed_lengths(norms, offset) / norms for offset in OFFSETS}
    peaks = {offset: (np.sqrt(offset), 1 / (2 * np.sqrt(offset))) for offset in OFFSETS}
    fig = plots.squash_ratios(norms, ratios, peaks, grows=(0.053, 0.947))
    (ax,) = fig.axes
    assert "0.500 at 1.000 for offset 1; 0.707 at 0.707 for offset 0.5; 2.236 at 0.224 for offset" in fig.get_label()
    assert "shaded lengths, 0.053 to 0.947, grow" in fig.get_label()
    dots = [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert dots == list(peaks.values()) and [annotations(ax)[f"{k:g}"] for k in OFFSETS] == dots
    for offset in OFFSETS:
        np.testing.assert_array_equal(lines_by_label(ax)[f"{offset:g}"].get_ydata(), ratios[offset])
    (band,) = [patch for patch in ax.patches if patch.get_label() == "grows"]
    np.testing.assert_allclose(band.get_extents().transformed(ax.transData.inverted()).intervalx, (0.053, 0.947))
    assert "grows" in " ".join(words_in(ax)) and ax.get_ylim()[1] > max(y for _, y in dots)
    bare = plots.squash_ratios(norms, ratios, peaks)
    assert not bare.axes[0].patches and "grow" not in bare.get_label()


@pytest.mark.parametrize(("offset", "grows"), [(0.5, None), (0.05, (0.053, 0.947))])
def test_squash_view_marks_one_vector_in_both_panels(offset, grows):
    s, norms = np.array([0.72, 0.96]), np.linspace(0.01, 2, 200)
    v = equations.squash(s, offset)
    ratio = squashed_lengths(norms, offset) / norms
    fig = plots.squash_view(s, v, norms, ratio, offset, grows)
    plane, curve = fig.axes
    said = fig.get_label()
    assert f"length 1.20 to {length(v):.2f}" in said and f"{0.5 / offset**0.5:.3f} at {offset**0.5:.3f} for" in said
    assert ("grow" in said) == (grows is not None)
    tips = arrow_tips(plane)
    np.testing.assert_array_equal([tips["s0"], tips["v0"]], [s, v])
    assert words_in(plane) == [f"1.20 → {length(v):.2f}"]
    np.testing.assert_array_equal(lines_by_label(curve)[f"{offset:g}"].get_ydata(), ratio)
    ((x, y),) = lines_by_label(curve)["this vector"].get_xydata()
    np.testing.assert_allclose((x, y), (1.2, length(v) / 1.2))
    assert curve.get_ylim()[1] > 1, "the line that means unchanged is in view"
    assert len(curve.patches) == (grows is not None)


def test_squash_view_of_the_zero_vector_marks_no_ratio():
    norms = np.linspace(0.01, 2, 20)
    zero = np.zeros(2)
    plane, curve = plots.squash_view(zero, zero, norms, squashed_lengths(norms, 1) / norms, 1).axes
    assert words_in(plane) == ["0.00 → 0.00"] and "this vector" not in lines_by_label(curve)


def test_squash_nudges_draw_the_same_loops_before_and_after():
    angle = np.linspace(0, 2 * np.pi, 41)
    circle = 0.1 * np.stack([np.cos(angle), np.sin(angle)], -1)
    before = np.array([[0.3, 0.4], [1.2, 1.6]])[:, None] + circle
    after = equations.squash(before)
    fig = plots.squash_nudges(before, after)
    axes = fig.axes
    said = fig.get_label()
    assert "A, around length 0.50: along the vector from 0.200 to 0.176, across it from 0.200 to 0.134" in said
    assert "B, around length 2.00: along the vector from 0.200 to 0.020, across it from 0.200 to 0.089" in said
    for ax, loops, name in zip(axes, (before, after), "sv", strict=True):
        assert [patch.get_label() for patch in ax.patches] == [f"{name}0", f"{name}1"]
        for patch, loop in zip(ax.patches, loops, strict=True):
            np.testing.assert_allclose(patch.get_xy()[: len(loop)], loop)
        assert list(annotations(ax)) == ["A", "B"] and ax.get_aspect() == 1 and in_view(ax, loops.reshape(-1, 2))


def test_squash_gains_are_drawn_on_logarithmic_axes_with_and_without_epsilon():
    norms = np.logspace(-4, 2, 61)
    across, along = norms / (0.5 + norms**2), norms / (0.5 + norms**2) ** 2
    fig = plots.squash_gains(norms, across + 1e-3, along + 1e-3, naive=(across, along), mark=(0.7, 0.7))
    (ax,) = fig.axes
    said = fig.get_label()
    assert "lengths 0.0001 and 100, across starts at 0.001, is at most 0.704 and ends at 0.011" in said
    assert "along starts at 0.001, is at most 0.919 and ends at 0.001" in said
    assert "curves cross at length 0.700" in said and "begin at 2e−04 and 4e−04" in said
    lines = lines_by_label(ax)
    assert ax.get_xscale() == ax.get_yscale() == "log"
    np.testing.assert_array_equal(lines["across"].get_ydata(), across + 1e-3)
    np.testing.assert_array_equal(lines["along"].get_ydata(), along + 1e-3)
    assert lines["across"].get_linestyle() != lines["along"].get_linestyle()
    dotted = [line.get_ydata() for line in ax.lines if line.get_label() == "without ε"]
    np.testing.assert_array_equal(dotted, [across, along])
    np.testing.assert_array_equal(annotations(ax)["across"], (norms[-1], across[-1] + 1e-3))
    np.testing.assert_array_equal(annotations(ax)["along"], (norms[-1], along[-1] + 1e-3))
    assert annotations(ax)["equal"] == (0.7, 0.7) and "without ε" in annotations(ax)
    bare = plots.squash_gains(norms, across, along)
    assert "curves cross" not in bare.get_label() and "ε" not in bare.get_label()
    (bare,) = bare.axes
    assert set(lines_by_label(bare)) == {"across", "along"} and list(annotations(bare)) == ["across", "along"]
