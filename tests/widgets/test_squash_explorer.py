import numpy as np
import pytest
import traitlets

from capslib import equations
from capslib.widgets import SquashExplorer
from capslib.widgets.squash_explorer import growing


@pytest.mark.parametrize("offset", [0.05, 0.25, 0.5, 1])
@pytest.mark.parametrize("s", [(0.72, 0.96), (-0.3, 0.4), (0, 0), (0, -2)])
def test_v_is_squash_of_s(s, offset):
    explorer = SquashExplorer(s, offset)
    np.testing.assert_allclose(explorer.v, equations.squash(np.array(s, float), offset))


def test_s_and_offset_may_be_set_and_v_follows():
    explorer = SquashExplorer()
    before = explorer.v
    explorer.s = np.array([0.3, -0.4], np.float32)
    explorer.offset = 1
    np.testing.assert_allclose(explorer.v, equations.squash(np.array([0.3, -0.4]), 1), atol=1e-7)
    assert not np.allclose(explorer.v, before)
    assert explorer.get_state()["s"] == pytest.approx([0.3, -0.4]) and explorer.get_state()["offset"] == 1


def test_what_the_page_sends_back_arrives():
    explorer = SquashExplorer()
    explorer.set_state({"s": [1.2000000000000002, 1.6], "offset": 1})  # A browser may round beyond length 2.
    np.testing.assert_allclose(explorer.s, [1.2, 1.6])
    np.testing.assert_allclose(explorer.v, equations.squash(explorer.s, 1))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("s", (1, 2, 3), r"s: got shape \(3,\), expected \(2,\)"),
        ("s", [[0.5, 0.5]], r"s: got shape \(1, 2\), expected \(2,\)"),
        ("s", (np.nan, 0), "s: got NaN or infinite values, expected finite numbers"),
        ("s", ("a", "b"), "s: got type <U1, expected real numbers"),
        ("s", (1.5, 1.5), "s: got length 2.121, expected at most 2"),
        ("offset", 0.01, "offset: got 0.01, expected a number from 0.05 to 1"),
        ("offset", 2, "offset: got 2, expected a number from 0.05 to 1"),
        ("offset", np.nan, "offset: got nan, expected a number from 0.05 to 1"),
        ("offset", "0.5", "offset: got '0.5', expected a number from 0.05 to 1"),
        ("offset", True, "offset: got True, expected a number from 0.05 to 1"),
    ],
)
def test_bad_input_is_refused_by_name(name, value, message):
    with pytest.raises(ValueError, match=message):
        SquashExplorer(**{name: value})
    explorer = SquashExplorer()
    kept = explorer.s, explorer.offset
    with pytest.raises(ValueError, match=message):
        setattr(explorer, name, value)
    assert (explorer.s, explorer.offset) == kept


def test_a_component_set_alone_is_refused_since_no_view_would_see_it():
    with pytest.raises(ValueError, match="read-only"):
        SquashExplorer().s[0] = 1
    with pytest.raises(traitlets.TraitError):
        SquashExplorer().limits = {}


def test_its_own_copy_of_s():
    given = np.array([0.3, 0.4])
    explorer = SquashExplorer(given)
    given[0] = 1
    np.testing.assert_array_equal(explorer.s, [0.3, 0.4])


@pytest.mark.parametrize("offset", [0.05, 0.1, 0.2, 0.249])
def test_growing_says_between_which_lengths_vectors_grow(offset):
    low, high = growing(offset)
    x = np.linspace(0.01, 2, 500)
    grows = equations.length(equations.squash(np.stack([x, 0 * x], -1), offset)) > x
    near = np.minimum(abs(x - low), abs(x - high)) < 1e-3
    np.testing.assert_array_equal(grows[~near], ((low < x) & (x < high))[~near])
    assert f"between {low:.3f} and {high:.3f} grow" in SquashExplorer(offset=offset).describe()


def test_the_text_says_what_the_first_state_shows():
    assert SquashExplorer().describe() == (
        "Squash with offset 0.5: length 1.200 becomes length 0.742. No length grows: the gain ‖v‖/‖s‖ peaks at 0.707, "
        "at length 0.707."
    )
    assert "peaks at 1.000, at length 0.500" in SquashExplorer(offset=0.25).describe()


@pytest.mark.parametrize("s", [(0, 0), (0.72, 0.96), (-2, 0)])
@pytest.mark.parametrize("offset", [0.05, 0.25, 1])
def test_every_state_has_a_picture(s, offset):
    assert SquashExplorer(s, offset).picture().startswith(b"\x89PNG")
