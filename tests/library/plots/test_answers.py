"""Pictures of what networks answer."""

import numpy as np

from capslib import plots


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


def test_turning_digit_says_what_every_network_answers():
    images, p = np.zeros((3, 28, 28)), np.array([[0.1, 0.9, 0.0], [0.2, 0.3, 0.5], [0.7, 0.2, 0.1]])
    beliefs = {"caps": p, "cnn": np.roll(p, 1, axis=0)}
    assert plots.turning_digit(images, np.array([0, 90, 180]), 1, beliefs, lengths=["caps"]).get_label() == (
        "A 1 turned in 3 steps from 0 to 180 degrees, and what it is read as. "
        "caps answers 1, 2, 0; its length of capsule 1 goes from 0.90 to 0.20. "
        "cnn answers 0, 1, 2; its probability of 1 goes from 0.20 to 0.30."
    )


def test_two_answers_have_axes_of_their_own():
    image, lengths, p = np.eye(28), np.linspace(0.1, 0.9, 10), np.array([0.05] * 5 + [0.55] + [0.05] * 4)
    contributions = np.linspace(-0.2, 0.4, 49)
    grid, left, right, _ = plots.two_answers(image, contributions, 4, lengths, p).axes
    np.testing.assert_allclose(grid.images[0].get_array().ravel(), contributions)
    assert grid.images[0].get_clim() == (-1, 1) and "s_4" in grid.get_title()  # Next to nothing stays pale.
    for ax, values, unit in ((left, lengths, "length"), (right, p, "probability")):
        np.testing.assert_allclose([bar.get_height() for bar in ax.patches], values)
        assert unit in ax.get_ylabel() and ax.texts[0].get_text() == f"{values.max():.2f}"


def test_two_answers_name_the_loudest_cell_and_the_first_two_of_either_network():
    lengths, p = np.linspace(0.1, 0.9, 10), np.array([0.05] * 4 + [0.4, 0.45] + [0.05] * 4)
    contributions = np.full(49, -0.2)
    contributions[15] = 0.4
    assert plots.two_answers(np.eye(28), contributions, 4, lengths, p).get_label() == (
        "A digit under a grid of what each of 49 cells adds to capsule 4, at most 0.40 from the cell "
        "in row 3, column 2. The longest capsules are 9 with 0.90, then 8 with 0.81; "
        "the CNN's likeliest classes are 5 with 0.45, then 4 with 0.40."
    )


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


def test_accuracy_by_angle_says_where_each_curve_begins_is_lowest_and_ends():
    curves = {"flat": [1, 0.25, 0.5], "global": np.array([0.9, 0.4, 0.3])}
    assert plots.accuracy_by_angle(np.array([0, 90, 180]), curves).get_label() == (
        "Accuracy on digits turned by 0 to 180 degrees, one curve for each network. "
        "flat begins at 1.00, is lowest at 90 degrees with 0.25, and ends at 0.50. "
        "global begins at 0.90, is lowest at 180 degrees with 0.30, and ends at 0.30."
    )


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
    assert fig.get_label() == (
        "Histograms of the highest probability on intact and on swapped faces, one panel for each network. "
        "flat: 0.75 of the intact and 0.50 of the swapped faces are above the threshold of 0.4. "
        "global: 0.50 of the intact and 0.75 of the swapped faces are above the threshold of 0.4."
    )


def test_confusion_matrix_shades_mistakes_alone_and_writes_every_count():
    confusion = np.diag(np.arange(90, 100))
    confusion[4, 9] = 7
    fig = plots.confusion_matrix(confusion)
    (ax,) = fig.axes
    shaded = ax.images[0].get_array()
    assert shaded[4, 9] == 7 and shaded.sum() == 7
    written = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts}
    assert len(written) == 11 and written[4, 9] == "7" and written[3, 3] == "93"
    assert ax.get_xlabel() == "read as" and ax.get_ylabel() == "true digit"
    assert "945 of 952" in fig.get_label() and "7 times each: a 4 read as 9." in fig.get_label()
    confusion[2, 3] = 7  # A tie is told as one.
    assert "7 times each: a 2 read as 3, a 4 read as 9." in plots.confusion_matrix(confusion).get_label()
    assert plots.confusion_matrix(np.eye(10, dtype=int)).get_label().endswith("10 of 10 are on the diagonal.")


def test_digit_sheet_puts_every_digit_under_its_caption():
    images = np.random.default_rng(10).random((5, 28, 28, 1))
    fig = plots.digit_sheet(images, list("abcde"), columns=3)
    axes = fig.axes
    assert [ax.get_title() for ax in axes] == [*"abcde", ""]
    for ax, image in zip(axes, images, strict=False):
        np.testing.assert_array_equal(ax.images[0].get_array(), 1 - image[..., 0])  # ink is dark
    assert not axes[5].images and not axes[5].axison
    assert fig.get_label() == "5 small pictures with the captions a; b; c; d; e."
    assert (
        plots.digit_sheet(images[:2], ["a 4,\nread as 9", "b"]).get_label().endswith("the captions a 4, read as 9; b.")
    )
