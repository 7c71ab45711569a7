"""What the pictures draw: artists, data and labels, which a comparison of notebooks does not look at."""

import base64
import io
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from capslib import equations, faces, plots, poses
from capslib.equations import length, route
from capslib.style import CONTRIBUTION, COUPLING

# What all lessons share --------------------------------------------------------------------------------------------


def test_show_gives_the_picture_as_png_and_html_with_its_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: shown.append((args, kwargs)))
    fig, ax = plots.figure()
    ax.plot([0, 1])
    plots.show(fig, 'a line that rises from 0 to 1, "steadily" & <straight>')
    ((bundle,), options) = shown[0]
    assert bundle["text/plain"] == options["metadata"]["image/png"]["alt"]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    image = ElementTree.fromstring(bundle["text/html"].replace("png;base64,", "").replace(">", "/>", 1))
    assert image.get("alt") == bundle["text/plain"] and image.get("src") == f"data:image/{bundle['image/png']}"


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_a_picture_without_alt_text_is_refused(alt):
    with pytest.raises(ValueError, match="alt: got an empty text"):
        plots.show(plots.figure()[0], alt)


def test_coupling_scale_is_zero_at_no_preference():
    np.testing.assert_allclose(plots.coupling_scale(np.array([0.25, 0.5, 0.125, 0.125])), [0, 1, -1, -1])
    np.testing.assert_allclose(plots.coupling_scale(np.array([1.0] + [0] * 15)), [3] + [-3] * 15)
    white = COUPLING(0.5)
    assert np.allclose(white[:3], 1, atol=0.02) and np.allclose(CONTRIBUTION(0.5)[:3], 1, atol=0.02)


def test_draw_coupling_writes_every_number_when_asked():
    c = np.array([[0.9, 0.1], [0.5, 0.5]])
    _, ax = plots.figure()
    image = plots.draw_coupling(ax, c, numbers=True)
    np.testing.assert_allclose(image.get_array(), plots.coupling_scale(c))
    assert [text.get_text() for text in ax.texts] == ["0.90", "0.10", "0.50", "0.50"]
    assert image.get_clim() == (-3, 3)


def test_draw_grid_lays_the_cells_row_by_row_over_the_digit():
    image, values = np.eye(28), np.arange(49.0) - 10
    _, ax = plots.figure()
    tint = plots.draw_grid(ax, image, values)
    np.testing.assert_array_equal(tint.get_array(), values.reshape(7, 7))
    assert tint.get_clim() == (-38, 38) and tint.get_cmap() is CONTRIBUTION
    np.testing.assert_allclose(ax.images[1].get_array()[..., 3], 0.75 * image)
    assert len(ax.lines) == 12
    tint = plots.draw_grid(ax, image, values, kind="coupling")
    assert tint.get_clim() == (-3, 3) and tint.get_cmap() is COUPLING
    with pytest.raises(ValueError, match="kind: got 'c', expected 'contribution' or 'coupling'"):
        plots.draw_grid(ax, image, values, kind="c")


def test_plots_know_nothing_of_keras():
    code = "import sys, capslib.plots; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"keras", "tensorflow", "matplotlib.pyplot"} & set(loaded)


# Lesson 01: why capsules --------------------------------------------------------------------------------------------


def test_turning_digit_puts_every_turn_above_its_angle_and_writes_the_winners_at_their_probability():
    images, angles = np.random.default_rng(0).random((3, 28, 28, 1)), np.array([0, 90, 180])
    p = np.array([[0.1, 0.9, 0.0], [0.2, 0.3, 0.5], [0.7, 0.2, 0.1]])
    strip, *axes = plots.turning_digit(images, angles, 1, {"flat": p, "global": p[::-1]}).axes
    assert [tuple(shown.get_extent()[:2]) for shown in strip.images] == [(-45, 45), (45, 135), (135, 225)]
    for shown, image in zip(strip.images, images, strict=True):
        np.testing.assert_allclose(shown.get_array(), 1 - image[..., 0])
    for ax, name, rows in zip(axes, ("flat", "global"), (p, p[::-1]), strict=True):
        lines = {line.get_label(): line.get_xydata() for line in ax.lines}
        np.testing.assert_allclose(lines["probability of 1"], np.stack([angles, rows[:, 1]], 1))
        np.testing.assert_allclose(lines["probability of the winner"], np.stack([angles, rows.max(1)], 1))
        found = [(text.get_position(), text.get_text()) for text in ax.texts]
        assert found == [((a, row.max()), str(row.argmax())) for a, row in zip(angles, rows, strict=True)]
        bold = [text.get_text() for text in ax.texts if text.get_fontweight() == "bold"]
        assert bold == ["1"] and ax.get_title().startswith(name)
        assert ax.get_xlim() == strip.get_xlim() == (-45, 225) and ax.get_ylim()[1] > 1


def test_turning_digit_calls_lengths_lengths():
    images, p = np.zeros((2, 28, 28)), np.array([[0.1, 0.9], [0.8, 0.3]])
    _, caps, cnn = plots.turning_digit(images, np.array([0, 90]), 1, {"caps": p, "cnn": p}, lengths=["caps"]).axes
    assert caps.get_ylabel() == "length" and cnn.get_ylabel() == "probability"
    assert "length of capsule 1" in caps.get_title() and "belief in 1" in cnn.get_title()


def test_two_answers_have_axes_of_their_own():
    image, lengths, p = np.eye(28), np.linspace(0.1, 0.9, 10), np.array([0.05] * 5 + [0.55] + [0.05] * 4)
    contributions = np.linspace(-0.2, 0.4, 49)
    grid, left, right, _ = plots.two_answers(image, contributions, 4, lengths, p).axes
    np.testing.assert_allclose(grid.images[0].get_array().ravel(), contributions)
    assert grid.images[0].get_clim() == (-1, 1) and "s_4" in grid.get_title()  # Next to nothing stays pale.
    for ax, values, unit in ((left, lengths, "length"), (right, p, "probability")):
        np.testing.assert_allclose([bar.get_height() for bar in ax.patches], values)
        assert unit in ax.get_ylabel() and ax.texts[0].get_text() == f"{values.max():.2f}"


def test_accuracy_by_angle_tells_its_curves_apart_without_colour():
    angles = np.array([0, 15, 30])
    curves = {"flat": np.array([1, 0.5, 0.2]), "global": np.array([0.9, 0.4, 0.3])}
    (ax,) = plots.accuracy_by_angle(angles, curves).axes
    for line, (name, values) in zip(ax.lines, curves.items(), strict=True):
        np.testing.assert_allclose(line.get_xydata(), np.stack([angles, values], 1))
        assert line.get_label() == name
    assert len({(line.get_linestyle(), line.get_marker()) for line in ax.lines}) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(curves)
    assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] >= 1


def test_top_scores_counts_intact_and_swapped_in_the_same_bins_and_draws_the_line_of_acceptance():
    intact, swapped = np.array([0.91, 0.93, 0.97, 0.2]), np.array([0.12, 0.52])
    fig = plots.top_scores({"flat": (intact, swapped), "global": (swapped, intact)}, accept=0.4)
    for ax, name, (first, second) in zip(fig.axes, ("flat", "global"), ((4, 2), (2, 4)), strict=True):
        assert ax.get_title() == name
        bars = {round(bar.get_x(), 2): bar.get_height() for bar in ax.patches if bar.get_label() != "swapped"}
        assert len(bars) == 20 and sum(bars.values()) == first
        (outline,) = [patch for patch in ax.patches if patch.get_label() == "swapped"]
        heights = outline.get_xy()[1:-1:2, 1]
        assert heights.sum() == second and len(heights) == 20 and not outline.get_fill()
        assert set(ax.lines[0].get_xdata()) == {0.4}
        (accepted,) = ax.texts
        assert accepted.get_text() == "accepted →" and accepted.xy[0] == 0.4 and accepted.get_ha() == "left"
    bars = {round(bar.get_x(), 2): bar.get_height() for bar in fig.axes[0].patches if bar.get_label() != "swapped"}
    assert {x: n for x, n in bars.items() if n} == {0.2: 1, 0.9: 2, 0.95: 1}
    assert [text.get_text() for text in fig.axes[0].get_legend().get_texts()] == ["intact", "swapped"]


def test_patches_and_vectors_draw_all_arrows_on_one_scale_from_the_middle():
    patches = [np.zeros((9, 9)), np.eye(9)]
    fig = plots.patches_and_vectors(patches, np.array([[0, 2.0], [-0.5, 0]]), ["up", "left"])
    tips = []
    for ax, patch, title in zip(fig.axes, patches, ("up", "left"), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), patch)
        (arrow,) = [text for text in ax.texts if text.get_label() == "vector"]
        assert arrow.xyann == (0, 0) and ax.get_title() == title and ax.images[0].get_extent() == [-1, 1, -1, 1]
        tips.append(arrow.xy)
    np.testing.assert_allclose(tips, [[0, 0.8], [-0.2, 0]])


# Lesson 02: pose and votes ----------------------------------------------------------------------------------------

ME = faces.Identity()
SITS = faces.arrangement(ME)


def frames(ax, label):
    """The frames of a label as their dots (N, 2), and the tips of their arrows to the right and up, (N, 2) each."""
    dots = [line.get_xydata()[0] for line in ax.lines if line.get_label() == label]
    tips = {way: [t.xy for t in ax.texts if t.get_label() == f"{label} {way}"] for way in ("right", "up")}
    return np.array(dots), np.array(tips["right"]), np.array(tips["up"])


def test_face_row_shows_the_faces_in_ink_on_paper_under_their_titles():
    images = [faces.draw(ME), faces.draw(ME, parts=faces.swap_eyes_and_mouth(SITS))]
    fig = plots.face_row(images, ["whole", "swapped"])
    for ax, image, title in zip(fig.axes, images, ["whole", "swapped"], strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image)
        assert ax.get_title() == title and ax.images[0].get_clim() == (0, 1)
        assert np.allclose(ax.images[0].get_cmap()(0.0)[:3], 1) and np.allclose(ax.images[0].get_cmap()(1.0)[:3], 0)


def test_one_vote_walks_from_the_part_to_its_vote():
    part, T = poses.pose(2, 3, 90, 0.5), poses.pose(4, -3)
    ax = plots.one_vote(faces.draw(ME, whole=part @ T), part, T).axes[0]
    (way,) = [line for line in ax.lines if line.get_label() == "way"]
    np.testing.assert_allclose(way.get_xydata(), [[2, 3], [2, 5], [3.5, 5]], atol=1e-12)
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["4 right", "3 down", "the eye", "its vote"]
    for label, dot in (("the eye", (2, 3)), ("its vote", (3.5, 5))):
        dots, right, up = frames(ax, label)
        np.testing.assert_allclose(dots, [dot], atol=1e-12)
        assert right[0][1] - dot[1] > 0.5 and right[0][0] == pytest.approx(dot[0])  # its right is up
        assert up[0][0] - dot[0] < -0.5 and up[0][1] == pytest.approx(dot[1])
    assert tuple(ax.images[0].get_extent()) == (-14, 14, -14, 14)
    assert ax.get_xlim()[0] < 0 < ax.get_xlim()[1] and ax.get_ylim()[0] < 0 < ax.get_ylim()[1]


def test_one_vote_names_the_other_two_directions():
    ax = plots.one_vote(np.zeros((28, 28)), poses.pose(0, 0), poses.pose(-2, 1.5)).axes[0]
    assert [text.get_text() for text in ax.texts if text.get_text()][:2] == ["2 left", "1.5 up"]


def test_face_votes_joins_every_part_to_the_place_it_votes_for():
    wholes = np.stack([poses.pose(), poses.pose(1, -2, 70, 0.8)])
    parts = wholes[:, None] @ np.stack([SITS, faces.swap_eyes_and_mouth(SITS)])
    votes = parts @ np.linalg.inv(SITS)
    images = [faces.draw(ME, whole=whole, parts=seen) for whole, seen in zip(wholes, parts, strict=True)]
    fig = plots.face_votes(images, parts, votes, ["whole", "swapped"])
    assert [ax.get_title() for ax in fig.axes] == ["whole", "swapped"]
    for ax, image, seen, meant in zip(fig.axes, images, parts, votes, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image)
        ways = [line.get_xydata() for line in ax.lines if line.get_label() == "way"]
        np.testing.assert_allclose(ways, np.stack([seen, meant], 1)[..., :2, 2], atol=1e-12)
        for label, own in (("part", seen), ("vote", meant)):
            dots, right, up = frames(ax, label)
            np.testing.assert_allclose(dots, own[:, :2, 2], atol=1e-12)
            reach = np.linalg.norm(right - dots, axis=1) / np.hypot(*own[0, :2, 0])
            np.testing.assert_allclose(reach, reach[0])
            np.testing.assert_allclose(right - dots, reach[0] * own[:, :2, 0], atol=1e-9)
            np.testing.assert_allclose(up - dots, 0.6 * reach[0] * own[:, :2, 1], atol=1e-9)
    assert to_rgb(fig.axes[0].lines[-1].get_color()) != to_rgb(fig.axes[0].lines[0].get_color())


def test_spread_over_turns_names_every_curve_at_its_end():
    angles = np.arange(0, 181, 45)
    curves = {"swapped": np.full(5, 7.0), "another": np.arange(5.0), "this": np.full(5, 0.5)}
    ax = plots.spread_over_turns(angles, curves).axes[0]
    assert [line.get_label() for line in ax.lines] == list(curves) == [text.get_text() for text in ax.texts]
    for line, text, curve in zip(ax.lines, ax.texts, curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.stack([angles, curve], 1))
        assert text.xy == (180, curve[-1])
    assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 7
    assert "degrees" in ax.get_xlabel() and "pixels" in ax.get_ylabel()
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 3


def test_two_measures_puts_each_representation_at_its_numbers():
    ax = plots.two_measures(["votes", "counts", "pixels"], [0.6, 1.0, 0.4], [0.95, -0.1, 0.8]).axes[0]
    points = {line.get_label(): line for line in ax.lines if line.get_marker() != "None"}
    assert {name: tuple(line.get_xydata()[0]) for name, line in points.items()} == {
        "votes": (0.6, 0.95),
        "counts": (1.0, -0.1),
        "pixels": (0.4, 0.8),
    }
    assert {text.get_text(): text.xy for text in ax.texts} == {n: tuple(p.get_xydata()[0]) for n, p in points.items()}
    assert len({line.get_marker() for line in points.values()}) == 3
    assert ax.get_ylim()[0] < -0.1 and ax.get_ylim()[1] > 1 and ax.get_xlim()[1] > 1
    assert "cosine" in ax.get_xlabel() and "R²" in ax.get_ylabel()


# Lesson 04: routing by agreement ------------------------------------------------------------------------------------

VOTES = np.array([[[-1, 1.5], [1, 1]], [[-0.5, 2], [-1, 0.5]], [[0, 1.5], [0.5, -1.5]], [[1.5, -1], [0.5, 0]]])
WHOLES = ["face", "car"]


def lines_by_label(ax):
    """The lines of a panel by their labels."""
    return {line.get_label(): line for line in ax.lines}


def arrow_tips(ax):
    """The tips of a panel's arrows by their labels."""
    return {text.get_label(): text.xy for text in ax.texts if text.arrow_patch is not None}


def words_in(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def in_view(ax, points):
    low, high = np.transpose([ax.get_xlim(), ax.get_ylim()])
    return (low < points).all() and (points < high).all()


def test_votes_of_parts_draws_every_vote_for_its_whole_with_the_number_of_its_part():
    axes = plots.votes_of_parts(VOTES, WHOLES).axes
    assert [ax.get_title() for ax in axes] == ["votes for the face", "votes for the car"]
    for j, ax in enumerate(axes):
        for i in range(4):
            np.testing.assert_array_equal(lines_by_label(ax)[f"vote {i}"].get_xydata(), [(0, 0), VOTES[i, j]])
        assert [(text.get_text(), *text.xy) for text in ax.texts] == [(str(i), *VOTES[i, j]) for i in range(4)]
        assert in_view(ax, VOTES[:, j]) and ax.get_aspect() == 1
    assert axes[0].get_xlim() == axes[1].get_xlim() and axes[0].get_ylim() == axes[1].get_ylim()
    np.testing.assert_allclose(np.hypot(*lines_by_label(axes[0])["length 1"].get_data()), 1)


def test_votes_end_to_end_chains_weighted_votes_up_to_s():
    trace = route(VOTES, 2)
    axes = plots.votes_end_to_end(trace.c[1], VOTES, trace.v[1], WHOLES).axes
    for j, ax in enumerate(axes):
        chain = lines_by_label(ax)["chain"].get_xydata()
        np.testing.assert_allclose(np.diff(chain, axis=0), trace.c[1, :, j, None] * VOTES[:, j], atol=1e-12)
        np.testing.assert_allclose(chain[-1], trace.s[1, j], atol=1e-12)
        np.testing.assert_allclose(arrow_tips(ax)["s"], trace.s[1, j], atol=1e-12)
        np.testing.assert_allclose(arrow_tips(ax)["v"], trace.v[1, j], atol=1e-12)
        assert words_in(ax) == ["0", "1", "2", "3", "s", "v"] and in_view(ax, chain)
        assert f"‖s‖ = {length(trace.s[1, j]):.2f}, ‖v‖ = {trace.lengths[1, j]:.2f}" in ax.get_title()


def check_weighted_votes(ax, trace, t, j):
    c = trace.c[t, :, j]
    widths = [lines_by_label(ax)[f"vote {i}"].get_linewidth() for i in range(4)]
    np.testing.assert_allclose(np.divide(widths, widths[0]), c / c[0])
    (mean,) = lines_by_label(ax)["mean"].get_xydata()
    np.testing.assert_allclose(mean, c @ VOTES[:, j] / c.sum())
    np.testing.assert_allclose(arrow_tips(ax)["v"], trace.v[t, j])
    assert f"‖s‖ = {length(trace.s[t, j]):.2f}, ‖v‖ = {trace.lengths[t, j]:.2f}" in ax.get_title()


def test_routing_iterations_has_a_row_a_whole_and_a_column_an_iteration():
    trace = route(VOTES, 3)
    fig = plots.routing_iterations(trace, WHOLES)
    axes = np.reshape(fig.axes, (2, 3))
    for j, t in np.ndindex(2, 3):
        check_weighted_votes(axes[j, t], trace, t, j)
        assert axes[j, t].get_xlim() == axes[0, 0].get_xlim() and axes[j, t].get_ylim() == axes[0, 0].get_ylim()
    assert [ax.get_title().splitlines()[0] for ax in axes[0]] == ["iteration 1", "iteration 2", "iteration 3"]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == WHOLES
    assert all(word in fig.get_supxlabel() for word in ("as wide as c", "s / Σc", "arrow: v"))


def check_named_coupling(ax, c):
    np.testing.assert_allclose(ax.images[0].get_array(), np.clip(np.log2(2 * c), -3, 3))
    assert ax.images[0].get_clim() == (-3, 3)
    numbers = {text.get_position(): text for text in ax.texts if not text.get_text().startswith("=")}
    assert {place: text.get_text() for place, text in numbers.items()} == {
        (j, i): f"{c[i, j]:.2f}" for i, j in np.ndindex(*c.shape)
    }
    assert [label.get_text() for label in ax.get_xticklabels()] == WHOLES
    return numbers


def luminance(colour):
    channels = np.array(to_rgb(colour))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4) @ [
        0.2126,
        0.7152,
        0.0722,
    ]


def test_every_coupling_is_written_so_that_it_can_be_read():
    for shares in ([0.5, 0.01, 0.07, 0.1], [0.15, 0.25, 0.4, 0.9]):
        c = np.stack([shares, np.subtract(1, shares)], axis=-1)
        trace = replace(route(VOTES, 1), c=c[None])
        ax = plots.routings_side_by_side({"shares": trace}, WHOLES).axes[2]
        for (j, i), text in check_named_coupling(ax, c).items():
            cell = ax.images[0].to_rgba(ax.images[0].get_array())[i, j, :3]
            low, high = sorted([luminance(cell), luminance(text.get_color())])
            assert (high + 0.05) / (low + 0.05) > 3.5


def test_routing_progress_draws_lengths_and_entropy_under_its_ceiling():
    trace = route(VOTES, 5)
    left, right = plots.routing_progress(trace, WHOLES).axes
    for j, name in enumerate(WHOLES):
        np.testing.assert_array_equal(lines_by_label(left)[name].get_data(), (range(1, 6), trace.lengths[:, j]))
    assert lines_by_label(left)["face"].get_linestyle() != lines_by_label(left)["car"].get_linestyle()
    np.testing.assert_array_equal(
        lines_by_label(right)["mean entropy"].get_data(), (range(1, 6), trace.entropy.mean(-1))
    )
    np.testing.assert_allclose(right.lines[1].get_ydata(), np.log(2))
    assert words_in(left) == WHOLES and words_in(right) == ["undecided: ln 2"]
    assert right.get_ylim()[1] > np.log(2)


def test_lengths_by_iteration_has_a_panel_a_case_on_one_scale():
    cases = {"offset 1": route(VOTES, 3, 1).lengths, "offset 0.5": route(VOTES, 3).lengths}
    axes = plots.lengths_by_iteration(cases, WHOLES).axes
    assert [ax.get_title() for ax in axes] == list(cases)
    for ax, drawn in zip(axes, cases.values(), strict=True):
        np.testing.assert_array_equal([line.get_ydata() for line in ax.lines], drawn.T)
        assert words_in(ax) == WHOLES and ax.get_ylim() == (0, 1.05)


def test_routings_side_by_side_show_the_last_iteration_and_the_sum_of_each_row():
    trace = route(VOTES, 3)
    wrong = replace(trace, c=trace.c * [0.5, 1])
    axes = np.reshape(plots.routings_side_by_side({"right": trace, "wrong": wrong}, WHOLES).axes, (2, 3))
    for row, routing, name in zip(axes, (trace, wrong), ("right", "wrong"), strict=True):
        for j in range(2):
            widths = [lines_by_label(row[j])[f"vote {i}"].get_linewidth() for i in range(4)]
            np.testing.assert_allclose(np.divide(widths, widths[0]), routing.c[-1, :, j] / routing.c[-1, 0, j])
            assert row[j].get_title().startswith(WHOLES[j])
        check_named_coupling(row[2], routing.c[-1])
        sums = [text.get_text() for text in row[2].texts if text.get_text().startswith("=")]
        assert sums == [f"= {total:.2f}" for total in routing.c[-1].sum(-1)]
        assert row[0].get_ylabel() == name
    for j in range(2):
        check_weighted_votes(axes[0, j], trace, -1, j)


def test_labelled_curves_are_told_apart_without_colour_and_named_at_their_ends():
    curves = {"rises": [1, 2, 4], "falls": [3, 2, 0]}
    (ax,) = plots.labelled_curves([1, 2, 3], curves, "n", "length", (0, 5)).axes
    for name, values in curves.items():
        np.testing.assert_array_equal(lines_by_label(ax)[name].get_data(), ([1, 2, 3], values))
    assert (
        len({(lines_by_label(ax)[name].get_linestyle(), lines_by_label(ax)[name].get_marker()) for name in curves}) == 2
    )
    assert {text.get_text(): text.xy for text in ax.texts if hasattr(text, "xy")} == {"rises": (3, 4), "falls": (3, 0)}
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()) == ("n", "length", (0, 5))


# Lesson 03: squash ------------------------------------------------------------------------------------------------

RAW = np.array([[1.2, 1.6], [-0.3, 0.4], [0.0, -0.7]])
OFFSETS = (1, 0.5, 0.05)


def annotations(ax):
    """The texts of a panel's annotations and what they point at."""
    return {text.get_text(): text.xy for text in ax.texts if hasattr(text, "xy") and text.get_text()}


def squashed_lengths(norms, offset):
    return norms**2 / (offset + norms**2)


def test_squash_arrows_end_at_the_vectors_and_stay_in_view():
    (ax,) = plots.squash_arrows(RAW).axes
    tips = arrow_tips(ax)
    assert list(tips) == ["s0", "s1", "s2"] and words_in(ax) == ["$s_0$", "$s_1$", "$s_2$"]
    np.testing.assert_array_equal(np.array(list(tips.values())), RAW)
    np.testing.assert_allclose(np.hypot(*lines_by_label(ax)["length 1"].get_data()), 1)
    assert ax.get_aspect() == 1 and in_view(ax, RAW)


def test_squash_arrows_put_each_squashed_vector_on_its_own_and_write_both_lengths():
    v = equations.squash(RAW)
    (ax,) = plots.squash_arrows(RAW, v).axes
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
    (ax,) = plots.squash_lengths(norms, curves).axes
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
    (ax,) = plots.squash_ratios(norms, ratios, peaks, grows=(0.053, 0.947)).axes
    dots = [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert dots == list(peaks.values()) and [annotations(ax)[f"{k:g}"] for k in OFFSETS] == dots
    for offset in OFFSETS:
        np.testing.assert_array_equal(lines_by_label(ax)[f"{offset:g}"].get_ydata(), ratios[offset])
    (band,) = [patch for patch in ax.patches if patch.get_label() == "grows"]
    np.testing.assert_allclose((band.get_x(), band.get_x() + band.get_width()), (0.053, 0.947))
    assert "grows" in " ".join(words_in(ax)) and ax.get_ylim()[1] > max(y for _, y in dots)
    (bare,) = plots.squash_ratios(norms, ratios, peaks).axes
    assert not bare.patches


@pytest.mark.parametrize(("offset", "grows"), [(0.5, None), (0.05, (0.053, 0.947))])
def test_squash_view_marks_one_vector_in_both_panels(offset, grows):
    s, norms = np.array([0.72, 0.96]), np.linspace(0.01, 2, 200)
    v = equations.squash(s, offset)
    ratio = squashed_lengths(norms, offset) / norms
    plane, curve = plots.squash_view(s, v, norms, ratio, offset, grows).axes
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
    axes = plots.squash_nudges(before, after).axes
    for ax, loops, name in zip(axes, (before, after), "sv", strict=True):
        assert [patch.get_label() for patch in ax.patches] == [f"{name}0", f"{name}1"]
        for patch, loop in zip(ax.patches, loops, strict=True):
            np.testing.assert_allclose(patch.get_xy()[: len(loop)], loop)
        assert list(annotations(ax)) == ["A", "B"] and ax.get_aspect() == 1 and in_view(ax, loops.reshape(-1, 2))


def test_squash_gains_are_drawn_on_logarithmic_axes_with_and_without_epsilon():
    norms = np.logspace(-4, 2, 61)
    across, along = norms / (0.5 + norms**2), norms / (0.5 + norms**2) ** 2
    (ax,) = plots.squash_gains(norms, across + 1e-3, along + 1e-3, naive=(across, along), mark=(0.7, 0.7)).axes
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
    (bare,) = plots.squash_gains(norms, across, along).axes
    assert set(lines_by_label(bare)) == {"across", "along"} and list(annotations(bare)) == ["across", "along"]


# Lesson 05: margin loss -------------------------------------------------------------------------------------------

ELL = np.linspace(0, 1, 101)


def hinges(m_plus=0.9, m_minus=0.1):
    return np.maximum(0, m_plus - ELL) ** 2, 0.5 * np.maximum(0, ELL - m_minus) ** 2


def check_pair(ax, present, absent):
    lines = lines_by_label(ax)
    np.testing.assert_array_equal(lines["present"].get_xydata(), np.stack([ELL, present], 1))
    np.testing.assert_array_equal(lines["absent"].get_xydata(), np.stack([ELL, absent], 1))
    assert lines["present"].get_linestyle() != lines["absent"].get_linestyle()


def test_margin_terms_mark_both_margins_and_name_both_curves():
    present, absent = hinges(0.8, 0.2)
    (ax,) = plots.margin_terms(ELL, present, absent, 0.8, 0.2).axes
    check_pair(ax, present, absent)
    upright = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2]
    assert upright == [0.2, 0.8]
    margins = {text.get_text(): text.get_position()[0] for text in ax.texts if "=" in text.get_text()}
    assert margins == {"m⁻ = 0.2": 0.2, "m⁺ = 0.8": 0.8}
    x, y = annotations(ax)["present"]
    np.testing.assert_allclose(y, (0.8 - x) ** 2, atol=1e-3)
    x, y = annotations(ax)["absent"]
    np.testing.assert_allclose(y, 0.5 * (x - 0.2) ** 2, atol=1e-3)


def test_margin_slopes_have_a_panel_a_design_on_one_scale():
    panels = {"m = 0": hinges(1, 0), "m = 0.5": hinges(0.5, 0.5)}
    axes = plots.margin_slopes(ELL, panels).axes
    assert [ax.get_title() for ax in axes] == list(panels)
    for ax, pair in zip(axes, panels.values(), strict=True):
        check_pair(ax, *pair)
    assert axes[0].get_ylim() == axes[1].get_ylim() and set(annotations(axes[0])) == {"present", "absent"}


def test_margin_pulls_point_where_descent_goes_and_leave_out_those_at_rest():
    lengths, gradient = np.array([0.6, 0.3, 0.05]), np.array([-0.6, 0.2, 0.0])
    fig = plots.margin_pulls({"one": (lengths, gradient, 0), "two": (lengths[::-1], gradient[::-1], 2)}, 0.9, 0.1)
    one, two = fig.axes
    assert [ax.get_title() for ax in fig.axes] == ["one", "two"]
    assert [bar.get_height() for bar in one.patches] == list(lengths)
    assert [bar.get_height() for bar in two.patches] == list(lengths[::-1])
    tips = arrow_tips(one)
    assert list(tips) == ["pull 0", "pull 1"] and list(arrow_tips(two)) == ["pull 1", "pull 2"]
    np.testing.assert_allclose([tips["pull 0"], tips["pull 1"]], [(0, 0.9), (1, 0.2)])
    assert [bar.get_linewidth() == 1.5 for bar in one.patches] == [True, False, False]
    assert [bar.get_linewidth() == 1.5 for bar in two.patches] == [False, False, True]
    assert {line.get_ydata()[0] for line in one.lines} == {0.1, 0.9}
    assert {name: y for name, (_, y) in annotations(two).items()} == {"m⁻": 0.1, "m⁺": 0.9}


def test_margin_pulls_outline_every_class_that_is_present_and_hold_arrows_that_leave_the_lengths():
    lengths = np.array([0.95, 0.3, 0.9])
    panels = {"two": (lengths, np.array([-0.8, 0.1, 0.0]), [0, 2]), "none": (lengths, np.zeros(3), [])}
    two, none = plots.margin_pulls(panels, 0.9, 0.1).axes
    assert [bar.get_linewidth() == 1.5 for bar in two.patches] == [True, False, True]
    assert not any(bar.get_linewidth() == 1.5 for bar in none.patches)
    assert two.get_ylim()[1] > arrow_tips(two)["pull 0"][1] == 0.95 + 0.4
    (low,) = plots.margin_pulls({"low": (np.array([0.02]), np.array([0.2]), [])}, 0.9, 0.1).axes
    assert low.get_ylim()[0] < arrow_tips(low)["pull 0"][1] < 0


def test_margin_settled_sets_both_losses_beside_a_probability():
    squared, unsquared = 0.1 + 0.8 * np.sqrt(ELL), np.where(ELL > 1 / 3, 0.9, 0.1)
    (ax,) = plots.margin_settled(ELL, squared, unsquared, mark=(0.1, 0.353)).axes
    lines = lines_by_label(ax)
    np.testing.assert_array_equal(lines["margin loss"].get_ydata(), squared)
    np.testing.assert_array_equal(lines["without squares"].get_ydata(), unsquared)
    np.testing.assert_array_equal(*lines["probability"].get_data())
    assert len({lines[name].get_linestyle() for name in ("margin loss", "without squares", "probability")}) == 3
    assert annotations(ax)["0.353"] == (0.1, 0.353)
    assert {"a probability", "without squares", "margin loss"} <= set(words_in(ax))
    (bare,) = plots.margin_settled(ELL, squared, unsquared).axes
    assert list(annotations(bare)) == ["margin loss"]


def test_margin_against_softmax_shows_the_floor_that_softmax_cannot_pass():
    margin, softmax = np.maximum(0, 0.9 - ELL) ** 2, 2.35 - 0.85 * ELL
    slopes = -2 * np.maximum(0, 0.9 - ELL), np.full(101, -0.85)
    axes = plots.margin_against_softmax(ELL, (margin, softmax), slopes, 1.461).axes
    for ax, (first, second), name in zip(axes, ((margin, softmax), slopes), ("loss", "slope"), strict=True):
        lines = lines_by_label(ax)
        np.testing.assert_array_equal(lines["margin loss"].get_ydata(), first)
        np.testing.assert_array_equal(lines["softmax on lengths"].get_ydata(), second)
        assert lines["margin loss"].get_linestyle() != lines["softmax on lengths"].get_linestyle()
        assert ax.get_ylabel() == name and set(annotations(ax)) == {"margin loss", "softmax"}
        x, y = annotations(ax)["softmax"]
        np.testing.assert_allclose(y, np.interp(x, ELL, second))
    assert "floor 1.461" in words_in(axes[0])
    assert 1.461 in [line.get_ydata()[0] for line in axes[0].lines]


# Lesson 00 and lesson 07 -------------------------------------------------------------------------------------------


def test_digit_and_lengths_marks_the_longest():
    image, lengths = np.random.default_rng(0).random((28, 28, 1)), np.linspace(0.05, 0.5, 10)
    fig = plots.digit_and_lengths(image, lengths)
    left, right = fig.axes
    np.testing.assert_allclose(left.images[0].get_array(), 1 - image[..., 0])
    assert [bar.get_height() for bar in right.patches] == pytest.approx(list(lengths))
    assert [bar.get_alpha() for bar in right.patches].count(1) == 1 and right.patches[9].get_alpha() == 1
    assert right.texts[0].get_text() == "0.50"


def test_training_curves_name_their_lines_and_tell_them_apart_without_colour():
    runs = {name: [{"epoch": n, "loss": value / n} for n in (1, 2, 3)] for name, value in (("a", 1), ("b", 2))}
    fig = plots.training_curves(runs, "loss", "training loss", (0.5, "chance"), limits=(0, 3))
    (ax,) = fig.axes
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[1, 1 / 2, 1 / 3], [2, 1, 2 / 3]]
    assert [text.get_text() for text in ax.texts] == ["a", "b", "chance"]
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()
    assert list(ax.lines[2].get_ydata()) == [0.5, 0.5] and ax.get_ylim() == (0, 3) and ax.get_xlabel() == "epoch"


def test_learning_rates_are_drawn_from_zero():
    (ax,) = plots.learning_rates({"up": np.array([0, 1, 2]), "flat": np.ones(3)}).axes
    assert [list(line.get_ydata()) for line in ax.lines] == [[0, 1, 2], [1, 1, 1]]
    assert [text.get_text() for text in ax.texts] == ["up", "flat"] and ax.get_ylim()[0] == 0


def test_confusion_matrix_shades_mistakes_alone_and_writes_every_count():
    confusion = np.diag(np.arange(90, 100))
    confusion[4, 9] = 7
    (ax,) = plots.confusion_matrix(confusion).axes
    shaded = ax.images[0].get_array()
    assert shaded[4, 9] == 7 and shaded.sum() == 7
    written = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts}
    assert len(written) == 11 and written[4, 9] == "7" and written[3, 3] == "93"
    assert ax.get_xlabel() == "read as" and ax.get_ylabel() == "is a"


# Lesson 08 -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digit():
    """A slanted stroke as an image (28, 28), and the trace of a routing of 49 capsules in which capsule 3 wins."""
    image = np.clip(1.5 - abs(np.subtract.outer(np.arange(28), np.arange(28))) / 2, 0, 1)
    rng = np.random.default_rng(8)
    votes = rng.normal(0, 0.3, (49, 10, 6))
    votes[::9, 3] += np.linspace(0.5, 1.5, 6)  # off the diagonal of the grid, where rows and columns differ
    trace = route(votes, 5)
    assert trace.lengths[-1].argmax() == 3 and (trace.contribution[..., 3] < 0).any()
    return image, trace


def tint(ax):
    """Values and colour limits of a digit's grid, which lies below the ink."""
    values = ax.images[0]
    return np.asarray(values.get_array()).ravel(), values.get_clim()


def test_lower_capsule_marks_the_cell_and_its_window_and_draws_its_features_and_votes(digit):
    image, trace = digit
    u = np.random.default_rng(9).random((49, 32))
    pixels, features, votes = plots.lower_capsule(image, u, trace.u_hat, 16).axes[:3]  # cell 16: row 2, column 2
    own, window = (patch.get_bbox().extents for patch in pixels.patches)
    np.testing.assert_array_equal(own, [7.5, 7.5, 11.5, 11.5])  # pixels 8 to 11, whose edges are halves
    np.testing.assert_array_equal(window, [1.5, 1.5, 17.5, 17.5])
    assert [patch.get_linestyle() for patch in pixels.patches] == ["-", "--"]
    np.testing.assert_array_equal([bar.get_height() for bar in features.patches], u[16])
    np.testing.assert_array_equal(votes.images[0].get_array(), trace.u_hat[16])
    low, high = votes.images[0].get_clim()
    assert -low == high == np.abs(trace.u_hat[16]).max()


def test_first_and_last_names_the_four_strongest_cells_where_they_are(digit):
    image, trace = digit
    grid = plots.first_and_last(image, trace, 3, np.zeros(5)).axes[2]
    c = trace.contribution[-1, :, 3]
    strongest = np.argsort(np.abs(c))[::-1][:4]
    named = {tuple(text.get_position()): text.get_text() for text in grid.texts}
    assert named == {(4 * (i % 7) + 1.5, 4 * (i // 7) + 1.5): f"{c[i]:.2f}" for i in strongest}


def test_first_and_last_draws_these_two_on_one_scale(digit):
    image, trace = digit
    axes = plots.first_and_last(image, trace, 3, [2.3, 0, 0, 0, 1.25]).axes
    for t, (grid, bars), entropy in ((0, axes[:2], "2.30"), (4, axes[2:4], "1.25")):
        np.testing.assert_allclose(tint(grid)[0], trace.contribution[t, :, 3])
        np.testing.assert_allclose([bar.get_height() for bar in bars.patches], trace.lengths[t])
        assert grid.get_title() == f"iteration {t + 1}: sum {np.linalg.norm(trace.s[t, 3]):.2f}"
        assert entropy in bars.get_title()
    largest = np.abs(trace.contribution[:, :, 3]).max()
    for grid in (axes[0], axes[2]):
        np.testing.assert_allclose(tint(grid)[1], (-largest, largest))


def test_film_strip_draws_every_iteration_in_order(digit):
    image, trace = digit
    axes = np.reshape(plots.film_strip(image, trace, 3).axes[:10], (2, 5))
    for t, (grid, matrix) in enumerate(axes.T):
        np.testing.assert_allclose(tint(grid)[0], trace.contribution[t, :, 3])
        np.testing.assert_allclose(matrix.images[0].get_array(), plots.coupling_scale(trace.c[t]))
        assert grid.get_title() == f"iteration {t + 1}" and tint(grid)[1] == tint(axes[0, 0])[1]
    assert np.all(axes[1, 0].images[0].get_array() == 0)  # white: nobody has a preference yet


def test_digit_sheet_puts_every_digit_under_its_caption():
    images = np.random.default_rng(10).random((5, 28, 28, 1))
    axes = plots.digit_sheet(images, list("abcde"), columns=3).axes
    assert [ax.get_title() for ax in axes] == [*"abcde", ""]
    for ax, image in zip(axes, images, strict=False):
        np.testing.assert_array_equal(ax.images[0].get_array(), 1 - image[..., 0])  # ink is dark
    assert not axes[5].images and not axes[5].axison


def test_two_opinions_sets_both_classes_of_a_digit_above_each_other_on_one_scale():
    rng = np.random.default_rng(11)
    images, read, true = rng.random((3, 28, 28)), rng.normal(0, 1, (3, 49)), rng.normal(0, 2, (3, 49))
    axes = plots.two_opinions(images, read, true, [(f"r{n}", f"t{n}") for n in range(3)]).axes[:6]
    assert [ax.get_title() for ax in axes] == ["r0", "r1", "r2", "t0", "t1", "t2"]
    for ax, values in zip(axes, [*read, *true], strict=True):
        drawn, (low, high) = tint(ax)
        np.testing.assert_array_equal(drawn, values)
        assert -low == high == max(np.abs(read).max(), np.abs(true).max())
    assert axes[0].get_ylabel() == "class read" and axes[3].get_ylabel() == "true class"


def test_vote_plane_holds_the_winner_and_the_direction_across_it_in_which_votes_differ_most(digit):
    _, trace = digit
    points, plane, share = plots.vote_plane(trace, 3)
    np.testing.assert_allclose(plane @ plane.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(plane[0], trace.v[-1, 3] / length(trace.v[-1, 3]))
    np.testing.assert_allclose(trace.c[-1, :, 3] * points[:, 0], trace.contribution[-1, :, 3])
    np.testing.assert_allclose(points[:, 1], trace.u_hat[:, 3] @ plane[1])
    np.testing.assert_allclose(share, np.sum(points**2) / np.sum(trace.u_hat[:, 3] ** 2))
    for other in np.random.default_rng(12).normal(size=(50, 6)):
        other -= other @ plane[0] * plane[0]
        assert np.sum((trace.u_hat[:, 3] @ other) ** 2) / (other @ other) <= np.sum(points[:, 1] ** 2) + 1e-9


def test_votes_of_capsule_moves_the_mean_and_the_areas_but_not_the_votes(digit):
    _, trace = digit
    points, plane, _ = plots.vote_plane(trace, 3)
    panels = plots.votes_of_capsule(trace, 3, (1, 3, 5)).axes
    for ax, t in zip(panels, (0, 2, 4), strict=True):
        dots, c = ax.collections[0], trace.c[t, :, 3]
        np.testing.assert_allclose(dots.get_offsets(), points)
        np.testing.assert_allclose(dots.get_sizes() / dots.get_sizes().sum(), c / c.sum())
        np.testing.assert_allclose(ax.lines[-1].get_xydata()[0], plane @ trace.s[t, 3] / c.sum())
        assert ax.get_title() == f"iteration {t + 1}" and ax.get_aspect() == 1
        assert (ax.get_xlim(), ax.get_ylim()) == (panels[0].get_xlim(), panels[0].get_ylim())
    low, high = np.transpose([panels[0].get_xlim(), panels[0].get_ylim()])
    assert (low < np.minimum(points.min(0), 0)).all() and (high > np.maximum(points.max(0), 0)).all()
    assert panels[2].collections[0].get_sizes().max() > panels[0].collections[0].get_sizes().max()


def test_png_has_the_pixels_of_the_figure(digit):
    fig, saved = plots.film_strip(*digit, 3), io.BytesIO()
    fig.set_layout_engine("none")  # It would move things again at the second drawing.
    quick = Image.open(io.BytesIO(plots.png(fig)))
    fig.savefig(saved, format="png")
    slow = Image.open(saved).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    assert quick.mode == "P"
    np.testing.assert_array_equal(np.asarray(quick.convert("RGB")), np.asarray(slow.convert("RGB")))


# Lesson 06: the capsule layer --------------------------------------------------------------------------------------


def test_votes_as_product_writes_every_number_where_the_matrix_product_has_it():
    u = np.array([[0, 1, -2], [3, 4, 5]])
    W = 10.0 + np.arange(3 * 2 * 2).reshape(3, 2, 2)
    u_hat = np.einsum("id,djk->ijk", u, W)
    (ax,) = plots.votes_as_product(u, W, u_hat, pair=(1, 1)).axes
    at = {}
    for text in ax.texts:
        at.setdefault(text.get_text(), []).append(text.get_position())
    signs = [at["×"][0][0], at["="][0][0]]
    grids = {}
    for text in ax.texts:
        value = text.get_text().replace("−", "-")
        if value.lstrip("-").isdigit():
            grid = np.searchsorted(signs, text.get_position()[0])
            grids.setdefault(int(grid), []).append((*text.get_position()[::-1], int(value)))
    for n, expected in enumerate((u, W.reshape(3, 4), u_hat.reshape(2, 4))):
        assert [value for *_, value in sorted(grids[n])] == expected.ravel().tolist()
    assert {"u", "W as (D_in, J·D_out)", "û as (I, J·D_out)", "i = 0", "i = 1"} <= at.keys()
    assert len(at["j = 0"]) == len(at["j = 1"]) == 2


def test_votes_as_product_tints_the_pair():
    u, W = np.ones((4, 3)), np.ones((3, 2, 2))
    (ax,) = plots.votes_as_product(u, W, np.full((4, 2, 2), 3), pair=(1, 0)).axes
    numbers = [(text.get_text(), text.get_position()) for text in ax.texts if text.get_text() in "13"]
    tinted = [[value for value, place in numbers if patch.get_path().contains_point(place)] for patch in ax.patches]
    assert tinted == [["1"] * 3, ["1"] * 6, ["3"] * 2]
    extents = [patch.get_path().get_extents() for patch in ax.patches]
    assert extents[0].y0 == extents[2].y0 == 1  # row i = 1, counted from above
    assert ax.yaxis_inverted()


def test_two_ways_to_route_draws_counts_and_lines_named_at_their_ends():
    stored = {"with û": 1200, "without û": 300}
    T = np.arange(1, 7)
    products = {"with û": 1e6 * (3 + T), "without û": 1e6 * 2 * T}
    left, right = plots.two_ways_to_route(stored, T, products, mark=5).axes
    assert [bar.get_width() for bar in left.patches] == [1200, 300]
    assert words_in(left) == ["1,200", "300"] and left.yaxis_inverted()
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["with û", "without û"]
    for line, name in zip(right.lines, products, strict=False):
        np.testing.assert_allclose(line.get_ydata(), products[name] / 1e6)
        assert [t.get_position()[1] for t in right.texts if t.get_text() == name] == [products[name][-1] / 1e6]
    assert right.lines[0].get_linestyle() != right.lines[1].get_linestyle()
    assert right.lines[2].get_xdata() == [5, 5] and "the article: 5" in words_in(right)


def test_shuffled_capsules_moves_the_norms_and_pairs_the_lengths():
    rng = np.random.default_rng(0)
    norms, order = rng.random(49), rng.permutation(49)
    shared, unshared = rng.random((2, 2, 10))
    image = rng.random((28, 28, 1))
    axes = {ax.get_title(): ax for ax in plots.shuffled_capsules(image, norms, order, shared, unshared).axes}
    in_place, shuffled = axes["49 capsules in place"], axes["49 capsules shuffled"]
    np.testing.assert_array_equal(in_place.images[0].get_array().ravel(), norms)
    np.testing.assert_array_equal(shuffled.images[0].get_array().ravel(), norms[order])
    assert in_place.images[0].get_clim() == shuffled.images[0].get_clim()
    np.testing.assert_allclose(in_place.images[1].get_array()[..., 3], 0.55 * image[..., 0])
    assert len(shuffled.images) == 1  # the digit was not shuffled, so it is not drawn there
    for name, pair in (("W shared", shared), ("W unshared", unshared)):
        lines = lines_by_label(axes[name])
        np.testing.assert_array_equal(lines["in place"].get_ydata(), pair[0])
        np.testing.assert_array_equal(lines["shuffled"].get_ydata(), pair[1])
        assert lines["in place"].get_markersize() < lines["shuffled"].get_markersize()
        assert lines["shuffled"].get_markerfacecolor() == "none"
        ends = [segment[:, 1] for segment in axes[name].collections[0].get_segments()]
        np.testing.assert_array_equal(np.transpose(ends), pair)
    assert [text.get_text() for text in axes["W shared"].get_legend().get_texts()] == ["in place", "shuffled"]


# Lesson 10: gradients and speed ---------------------------------------------------------------------------------------


def test_gradient_paths_lead_from_the_vote_to_the_loss_directly_and_through_c():
    (ax,) = plots.gradient_paths().axes
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


def test_measured_curves_begin_at_zero_and_are_told_apart_without_colour():
    x, values = np.array([1, 2, 4]), {"a": [0.2, 0.4, 0.6], "b": [0.5, 0.4, 0.1]}
    left, right = plots.measured_curves(x, {"cosine": values, "norm": values}, "iterations").axes
    for ax in (left, right):
        for line, (name, expected) in zip(ax.lines, values.items(), strict=True):
            np.testing.assert_allclose(line.get_xydata(), np.stack([x, expected], 1))
            assert line.get_label() == name
        assert len({(line.get_linestyle(), line.get_marker()) for line in ax.lines}) == 2
        assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 0.6 and list(ax.get_xticks()) == [1, 2, 4]
        assert ax.get_xlabel() == "iterations"
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["a", "b"]


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


def test_work_and_time_draws_what_comes_on_top_of_the_unit_apart():
    (ax,) = plots.work_and_time({"counted": 1.25, "measured": 3.0, "less": 0.5}, "the rest").axes
    bars = [(bar.get_x(), bar.get_width(), bool(bar.get_hatch())) for bar in ax.patches]
    assert bars == [(0, 1, False), (1, 0.25, True), (0, 1, False), (1, 2, True), (0, 0.5, False), (1, 0, True)]
    assert words_in(ax) == ["1.25", "3.00", "0.50"] and ax.get_xlabel() == "in units of the rest"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["counted", "measured", "less"] and ax.yaxis_inverted()
    assert ax.get_xlim()[0] == 0 and ax.get_xlim()[1] > 3


def test_dots_show_every_value_and_write_the_median():
    (ax,) = plots.dots({"on": [1, 9, 2], "off": [4, 5]}, "ms").axes
    values, middle, _, second = ax.lines
    np.testing.assert_array_equal(values.get_xydata(), [[1, 0], [9, 0], [2, 0]])
    assert middle.get_xydata().tolist() == [[2, 0]] and second.get_xydata().tolist() == [[4.5, 1]]
    assert middle.get_marker() != values.get_marker() and words_in(ax) == ["2", "4.5"]
    assert ax.get_xlim()[0] == 0 and ax.get_xlim()[1] > 9 and ax.yaxis_inverted()


def test_race_to_level_ends_each_line_where_its_run_did_and_hollow_if_it_did_not_arrive():
    def ran(runner, seconds, *looks):
        checks = [{"seconds": s, "val_accuracy": a} for s, a in looks]
        return {"runner": runner, "seconds": seconds, "checks": checks}

    runs = [ran("quick", 4, (2, 0.9), (4, 0.99)), ran("slow", 60, (9, 0.8), (60, 0.985))]
    runs += [ran("quick", None, (2, 0.9), (5, 0.97))]
    (ax,) = plots.race_to_level(runs, 0.98, {"quick": "ours", "slow": "the article"}).axes
    level, *lines = ax.lines
    assert list(level.get_ydata()) == [0.98, 0.98] and ax.get_xscale() == "log"
    paths = [line.get_xydata().tolist() for line in lines[::2]]
    assert paths == [[[2, 0.9], [4, 0.99]], [[2, 0.9], [5, 0.97]], [[9, 0.8], [60, 0.985]]]
    ends = [(line.get_xydata().tolist(), line.get_markerfacecolor() == "white") for line in lines[1::2]]
    assert ends == [([[4, 0.99]], False), ([[5, 0.97]], True), ([[60, 0.985]], False)]
    assert lines[0].get_linestyle() != lines[4].get_linestyle() and lines[1].get_marker() != lines[5].get_marker()
    assert words_in(ax) == ["ours", "the article", " 0.98"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "5", "10", "20", "50"]


def test_expected_and_got_frames_what_differs_and_has_a_place_for_nothing():
    expected = np.array([[1.0, -2], [0, 0.5], [3, 1]])
    got = expected + np.array([[0, 0], [1e-9, 0.2], [0, 0]])
    left, right = plots.expected_and_got(expected, got, ("i", "d")).axes
    for ax, values in ((left, expected), (right, got)):
        assert words_in(ax) == [f"{value:.2f}".replace("-", "−") for value in values.ravel()]
        assert ax.images[0].get_clim() == left.images[0].get_clim() == (-6, 6)
        assert (ax.get_ylabel(), ax.get_xlabel()) == ("i", "d")
    assert not left.patches
    (frame,) = right.patches
    assert frame.get_bbox().contains(1, 1) and not frame.get_bbox().contains(0, 1)
    nothing = plots.expected_and_got(expected, None).axes[1]
    assert words_in(nothing) == ["nothing yet"] and not nothing.patches
    unfinished = plots.expected_and_got(expected, np.full((3, 2), np.nan)).axes[1]
    assert len(unfinished.patches) == 6 and "nan" in words_in(unfinished)
