"""Pictures of routing."""

from dataclasses import replace

import numpy as np
from matplotlib.colors import to_rgb

from capslib import plots
from capslib.equations import em_route, length, route
from tests.library.plots.artists import arrow_tips, in_view, lines_by_label, words_in

VOTES = np.array([[[-1, 1.5], [1, 1]], [[-0.5, 2], [-1, 0.5]], [[0, 1.5], [0.5, -1.5]], [[1.5, -1], [0.5, 0]]])
WHOLES = ["face", "car"]


def check_weighted_votes(ax, trace, t, j):
    c = trace.c[t, :, j]
    widths = [lines_by_label(ax)[f"vote {i}"].get_linewidth() for i in range(4)]
    np.testing.assert_allclose(np.divide(widths, widths[0]), c / c[0])
    (mean,) = lines_by_label(ax)["mean"].get_xydata()
    np.testing.assert_allclose(mean, c @ VOTES[:, j] / c.sum())
    np.testing.assert_allclose(arrow_tips(ax)["v"], trace.v[t, j])
    assert f"‖s‖ = {length(trace.s[t, j]):.2f}, ‖v‖ = {trace.lengths[t, j]:.2f}" in ax.get_title()


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
    said = axes[0].figure.get_label()
    assert "For face: part 0 (-1, 1.5); part 1 (-0.5, 2); part 2 (0, 1.5); part 3 (1.5, -1)." in said
    assert "For car: part 0 (1, 1); part 1 (-1, 0.5); part 2 (0.5, -1.5); part 3 (0.5, 0)." in said


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


def test_votes_end_to_end_says_how_far_the_chain_gets():
    votes = np.array([[[3, 4], [0, 2]], [[0, 1], [0, -2]]])
    said = plots.votes_end_to_end(np.full((2, 2), 0.5), votes, np.array([[0.5, 0.5], [0, 0]]), WHOLES).get_label()
    assert (
        "For face, links of total length 3.00 end at s = (1.5, 2.5), which has length 2.92; v has length 0.707." in said
    )
    assert "For car, links of total length 2.00 end at s = (0, 0), which has length 0.00; v has length 0.000." in said


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
    said = fig.get_label()
    assert "iterations 1 to 3" in said and "face 0.889, 0.967, 0.979; car 0.333, 0.459, 0.418" in said
    assert "in iteration 3: with face 0.899, 0.990, 0.911, 0.074; with car 0.101, 0.010, 0.089, 0.926." in said


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
    said = left.figure.get_label()
    assert "over 5 iterations: face from 0.889 to 0.982; car from 0.333 to 0.343, at most 0.459." in said
    assert f"couplings from 0.693 to {trace.entropy[-1].mean():.3f}; undecided is 0.693" in said


def test_routings_side_by_side_show_the_last_iteration_and_the_sum_of_each_row():
    trace = route(VOTES, 3)
    wrong = replace(trace, c=trace.c * [0.5, 1])
    fig = plots.routings_side_by_side({"right": trace, "wrong": wrong}, WHOLES)
    axes = np.reshape(fig.axes, (2, 3))
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
    right, wrong = fig.get_label().split("Row “wrong”: ")
    assert "Row “right”: couplings of the parts with face 0.899, 0.990, 0.911, 0.074; with car 0.101, 0.010, " in right
    assert "row sums 1.000, 1.000, 1.000, 1.000; lengths face 0.979, car 0.418." in right
    assert "with face 0.449, 0.495, 0.455, 0.037; with car 0.101" in wrong and "row sums 0.551, 0.505" in wrong


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
    said = ax.figure.get_label()
    assert said == "length against n from 1 to 3: rises from 1.000 to 4.000; falls from 3.000 to 0.000."


def test_a_curve_is_described_by_where_it_starts_ends_and_turns():
    curves = {"hill": [1, 2, 1.5], "valley": [1, 0, 1.5], "flat": [0.25, 0.25, 0.25]}
    said = plots.labelled_curves([1, 2, 3], curves, "n", "length", (0, 5)).get_label()
    assert "hill from 1.000 to 1.500, at most 2.000; valley from 1.000 to 1.500, at least 0.000; " in said
    assert said.endswith("flat 0.250 throughout.")


# EM routing -----------------------------------------------------------------------------------------------------------

FOUR = np.array(
    [[[0.5, 0.25], [1.5, -0.2]], [[0.5, 0.25], [0, -0.8]], [[0.5, 0.25], [1.3, -2]], [[0.5, 0.25], [0.2, 1]]]
)


def check_gaussian(ax, em, j):
    lines = lines_by_label(ax)
    r = em.responsibilities[-1, :, j]
    widths = [lines[f"vote {i}"].get_linewidth() for i in range(4)]
    np.testing.assert_allclose(widths, 6 * r)
    for i in range(4):
        np.testing.assert_allclose(lines[f"vote {i}"].get_xydata(), [em.means[-1, j], em.votes[i, j]])
    (mean,) = lines["mean"].get_xydata()
    np.testing.assert_allclose(mean, em.means[-1, j])
    around = (lines["2σ"].get_xydata() - mean) / np.sqrt(em.variances[-1, j])
    np.testing.assert_allclose(np.hypot(*around.T), 2)
    assert in_view(ax, lines["2σ"].get_xydata()) and ax.get_title() == f"{WHOLES[j]}: $a$ = {em.activations[-1, j]:.2f}"


def test_two_rules_draws_the_last_iteration_of_each_on_the_same_votes():
    dynamic, em = route(FOUR), em_route(FOUR)
    axes = plots.two_rules(dynamic, em, WHOLES).axes
    assert [ax.get_ylabel() for ax in axes] == ["dynamic routing", "", "EM routing", ""]
    for j in range(2):
        lines, c = lines_by_label(axes[j]), dynamic.c[-1, :, j]
        np.testing.assert_allclose([lines[f"vote {i}"].get_linewidth() for i in range(4)], 6 * c)
        for i in range(4):
            np.testing.assert_allclose(lines[f"vote {i}"].get_xydata(), [(0, 0), FOUR[i, j]])
        np.testing.assert_allclose(lines["mean"].get_xydata(), [c @ FOUR[:, j] / c.sum()])
        np.testing.assert_allclose(arrow_tips(axes[j])["v"], dynamic.v[-1, j])
        assert axes[j].get_title() == f"{WHOLES[j]}: ‖v‖ = {dynamic.lengths[-1, j]:.2f}"
        check_gaussian(axes[2 + j], em, j)
    assert words_in(axes[0]) == words_in(axes[2]) == ["0, 1, 2, 3"]  # Votes in one place share a label.
    assert words_in(axes[1]) == words_in(axes[3]) == ["0", "1", "2", "3"]
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in axes}) == 1
    said = axes[0].figure.get_label()
    assert "lengths face 0.584, car 0.960" in said and "activations face 0.919, car 0.4" in said


def test_em_votes_draws_the_last_iteration():
    em = em_route(FOUR, iterations=2)
    fig = plots.em_votes(em, WHOLES)
    for j, ax in enumerate(fig.axes):
        check_gaussian(ax, em, j)
    (face, car), r = em.activations[-1], em.responsibilities[-1]
    assert fig.get_label().startswith(
        f"EM routing: activations face {face:.3f}, car {car:.3f}, and responsibilities with"
    )
    assert f"with face {', '.join(f'{x:.3f}' for x in r[:, 0])}" in fig.get_label()
