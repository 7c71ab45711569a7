"""The picture of an exercise."""

import numpy as np

from capslib import plots
from tests.library.plots.artists import words_in


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


def test_a_number_far_beyond_the_scale_is_white_on_its_dark_cell():
    left, right = plots.expected_and_got([0.2, 0.1, 0.0], [0.2, -2.4, np.nan], ("i",)).axes
    assert [text.get_color() == "white" for text in [*left.texts, *right.texts]] == [False] * 4 + [True, False]


def test_a_result_of_any_rank_is_written_row_below_row():
    number = plots.expected_and_got(3.0, 2.0, ())
    assert words_in(number.axes[0]) == ["3.00"] and len(number.axes[1].patches) == 1
    assert number.get_label() == "Expected numbers beside yours: 0 of 1 agree."
    vector = plots.expected_and_got([1, 2, 3], [1, 2, 4], ("k",))
    assert not len(vector.axes[0].get_yticks()) and vector.axes[0].get_xlabel() == "k"
    assert vector.get_label() == "Expected numbers beside yours: 2 of 3 agree."
    cube = np.arange(60.0).reshape(5, 4, 3)
    whole = plots.expected_and_got(cube, cube, ("i", "j", "d"))
    assert whole.axes[0].get_ylabel() == "i, j" and len(words_in(whole.axes[0])) == 12 * 3  # as many rows as fit
    assert whole.get_label() == "Expected numbers beside yours: 60 of 60 agree."
