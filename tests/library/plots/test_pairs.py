"""Pictures of two overlapping digits."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from capslib import plots
from capslib.style import COLOURS


def dots(*places):
    """Pictures (36, 36), each with one dot."""
    found = np.zeros((len(places), 36, 36))
    for picture, place in zip(found, places, strict=True):
        picture[place] = 1
    return found


@pytest.fixture(scope="module")
def drawn():
    """Two pictures, three drawings of each: dots of their own, except that the first two of the second coincide."""
    return np.stack([dots((3, 4), (5, 6), (7, 8)), dots((9, 9), (9, 9), (1, 1))])


def test_each_drawing_has_its_ink_and_the_first_two_lie_over_each_other(drawn):
    images = dots((3, 4), (9, 9))
    lengths = [[0.91, 0.5, 0.05], [0.8, 0.7, 0.04]]
    names = ("present", "present", "absent")
    fig = plots.two_digits(images, drawn, [[3, 5, 9], [0, 1, 7]], lengths, [[5, 3], [0, 1]], names)
    panels = np.array([np.asarray(ax.images[0].get_array()) for ax in fig.axes]).reshape(5, 2, 36, 36, 3)
    u, v, ink = (np.array(to_rgb(COLOURS[name])) for name in ("u", "v", "ink"))
    for row, place, colour in ((0, (3, 4), 0), (1, (3, 4), u), (1, (5, 6), v), (2, (3, 4), u), (3, (5, 6), v)):
        np.testing.assert_allclose(panels[(row, 0, *place)], colour)
    np.testing.assert_allclose(panels[4, 0, 7, 8], ink)
    np.testing.assert_allclose(panels[1, 1, 9, 9], u * v)  # both inks: darker than either
    assert (panels[1, 0] != 1).any(-1).sum() == 2 and (panels[1, 1] != 1).any(-1).sum() == 1
    assert (panels[2:, 0] != 1).any(-1).sum((1, 2)).tolist() == [1, 1, 1]


def test_every_panel_says_what_it_is_and_what_is_not_in_the_picture_is_marked(drawn):
    lengths = [[0.91, 0.5], [0.8, 0.7]]
    fig = plots.two_digits(dots((3, 4), (9, 9))[..., None], drawn[:, :2], [[3, 9], [0, 1]], lengths, [[5, 3], [0, 1]])
    titles = np.reshape([ax.get_title() for ax in fig.axes], (4, 2))
    assert titles[0].tolist() == ["3 and 5", "0 and 1"]
    assert titles[2:].tolist() == [["3: 0.91", "0: 0.80"], ["9: 0.50 ✗", "1: 0.70"]]
    assert [ax.get_ylabel() for ax in fig.axes[::2]] == ["picture", "together", "longest", "second"]
    assert fig.get_label().startswith("2 pictures of two overlapping digits")
    assert "3 and 5 drawn as 3: 0.91, 9: 0.50 ✗; 0 and 1 drawn as 0: 0.80, 1: 0.70." in fig.get_label()
