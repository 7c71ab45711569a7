"""Pictures of the margin loss."""

import numpy as np

from capslib import plots
from tests.library.plots.artists import annotations, arrow_tips, lines_by_label, words_in

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


def test_margin_terms_and_slopes_say_where_each_curve_is_zero():
    text = plots.margin_terms(ELL, *hinges(0.8, 0.2), 0.8, 0.2).get_label()
    assert "Present: 0.64 at length 0, then falling, zero from 0.8." in text
    assert "Absent: zero up to 0.2, then rising to 0.32 at length 1." in text and "m⁻ = 0.2 and m⁺ = 0.8" in text
    text = plots.margin_slopes(ELL, {"one": (-2 * (1 - ELL), ELL), "two": (ELL - 2, ELL > 0.5)}).get_label()
    assert (
        "one: present −2 at length 0, −1.2 at 0.4, zero from 1; absent zero up to 0, 0.6 at 0.6, 1 at length 1." in text
    )
    assert "two: present −2 at length 0, −1.6 at 0.4, nowhere zero; absent zero up to 0.5, 1 at 0.6" in text


def test_margin_pulls_say_who_is_pulled_which_way():
    lengths, gradient = np.array([0.6, 0.3, 0.05]), np.array([-0.6, 0.2, 0.0])
    text = plots.margin_pulls({"one": (lengths, gradient, 0), "two": (lengths, 0 * gradient, [])}, 0.9, 0.1).get_label()
    assert text == (
        "one: classes present: 0; pulled up: 0; pushed down: 1. "
        "two: classes present: none; pulled up: none; pushed down: none."
    )


def test_margin_descent_draws_every_path_and_says_where_it_ends():
    paths = {"λ = 1": [[0.1, 0.15, 0.2], [0.9, 0.5, 0.25]], "no squares": [[0.3, 0.2, 0.1], [0.4, 0.3, 0.12345]]}
    fig = plots.margin_descent(paths)
    (ax,) = fig.axes
    drawn = [line.get_ydata().tolist() for line in ax.lines]
    assert drawn == [path for starts in paths.values() for path in starts]
    styles = [line.get_linestyle() for line in ax.lines]
    assert styles[0] == styles[1] != styles[2] == styles[3]
    assert {name: y for name, (_, y) in annotations(ax).items()} == {"λ = 1": 0.25, "no squares": 0.12345}
    assert "λ = 1: from 0.1 and 0.9 to 0.2 and 0.25." in fig.get_label()
    assert "no squares: from 0.3 and 0.4 to 0.1 and 0.123." in fig.get_label()


def test_margin_settled_says_where_the_curves_go():
    squared, unsquared = 0.1 + 0.8 * np.sqrt(ELL), np.where(ELL > 0.4, 0.9, 0.1)
    text = plots.margin_settled(ELL, squared, unsquared, mark=(0.1, 0.353)).get_label()
    assert "a curve from 0.1 to 0.9, above the diagonal up to a share of 0.82." in text
    assert "a step from 0.1 to 0.9 at a share of 0.4." in text and "Marked: length 0.353 at a share of 0.1." in text
    assert "Marked" not in plots.margin_settled(ELL, squared, unsquared).get_label()


def test_margin_against_softmax_says_both_losses_and_both_slopes():
    losses = np.maximum(0, 0.9 - ELL) ** 2, 2.35 - 0.85 * ELL
    slopes = -2 * np.maximum(0, 0.9 - ELL), np.full(101, -0.85)
    text = plots.margin_against_softmax(ELL, losses, slopes, 1.4612).get_label()
    assert "losses: margin from 0.81 to 0, softmax from 2.35 to 1.5, with its floor at 1.461." in text
    assert "slopes: margin from −1.8 to 0, softmax from −0.85 to −0.85." in text
