"""The vote router's Python side: what it takes, refuses, tells and routes."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from capslib import equations
from capslib.widgets.vote_router import EXAMPLE, ITERATIONS, MORE, PARTS, PRESETS, REACH, VoteRouter

COMPONENTS = st.floats(-REACH, REACH, width=32)
VOTES = st.integers(4, 8).flatmap(lambda parts: hnp.arrays(float, (parts, 2, 2), elements=COMPONENTS))


def test_untouched_it_holds_the_lessons_example():
    router = VoteRouter()
    assert router.names == ["face", "car"] and router.iterations == 3 and router.offset == 0.5
    assert np.array_equal(router.votes, EXAMPLE)
    # By hand in the lesson: squash of (0, 2) and of (0.5, 0).
    assert np.allclose(router.trace.lengths[0], [8 / 9, 1 / 3], atol=1e-6)
    assert (router.iteration, router.step, router.i, router.j) == (1, "softmax", 3, 0)


@given(votes=VOTES, iterations=st.integers(1, 20), offset=st.sampled_from([0.5, 1.0, 0.1]))
@settings(max_examples=25, deadline=None)
def test_it_routes_as_the_library_does(votes, iterations, offset):
    router = VoteRouter(votes, iterations=iterations, offset=offset)
    expected = equations.route(votes, iterations, offset)
    for name in ("b", "c", "s", "v", "a"):
        assert np.allclose(getattr(router.trace, name), getattr(expected, name), atol=1e-12), name
    assert np.allclose(router.lengths, expected.lengths[-1]) and router.lengths.shape == (2,)


def test_over_the_wrong_side_shares_are_shared_out_among_the_parts():
    router = VoteRouter(over="lower")
    assert np.allclose(router.trace.c.sum(-2), 1)
    assert np.allclose(router.trace.c[0], 1 / 4)
    assert not np.isclose(router.trace.c[-1].sum(-1), 1).any()
    router.over = "upper"
    assert np.allclose(router.trace.c.sum(-1), 1)


def test_what_is_set_is_routed():
    router = VoteRouter()
    router.votes = PRESETS["tie"]
    assert np.allclose(router.trace.c, 1 / 2) and np.allclose(*router.lengths)
    router.votes = np.array(PRESETS["all opposed"])
    assert np.allclose(router.lengths, 0, atol=1e-3)
    router.iterations = 7
    assert router.trace.c.shape == (7, 4, 2)


def test_what_the_page_sends_arrives_as_an_array():
    router, votes = VoteRouter(), [[[0.5, -1.25], [1, 2]]] * 5
    router.set_state({"votes": votes, "over": "lower", "iterations": 4, "iteration": 2, "step": "sum", "i": 1, "j": 1})
    assert isinstance(router.votes, np.ndarray) and router.votes.dtype == float
    assert np.array_equal(router.votes, votes) and router.trace.c.shape == (4, 5, 2)


def test_votes_are_changed_as_a_whole():
    router = VoteRouter()
    with pytest.raises(ValueError, match="read-only"):
        router.votes[0, 0, 0] = 1
    mine = np.array(EXAMPLE, float)
    router = VoteRouter(mine)
    mine[0, 0, 0] = 2
    assert router.votes[0, 0, 0] == -1


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("votes", np.zeros((4, 2)), r"votes: got shape \(4, 2\), expected \(I, 2, 2\)"),
        ("votes", np.zeros((4, 3, 2)), r"votes: got shape \(4, 3, 2\), expected"),
        ("votes", np.zeros((3, 2, 2)), "votes: got 3 parts, expected 4 to 8"),
        ("votes", np.zeros((9, 2, 2)), "votes: got 9 parts, expected 4 to 8"),
        ("votes", np.full((4, 2, 2), np.nan), "votes: got NaN or infinite"),
        ("votes", np.full((4, 2, 2), -2.6), r"votes: got components up to 2\.6 in size, expected at most 2\.5"),
        ("votes", [["a"]], "votes: got shape"),
        ("iterations", 0, "iterations: got 0, expected a whole number"),
        ("iterations", 21, "iterations: got 21, expected a whole number from 1 to 20"),
        ("iterations", 2.5, r"iterations: got 2\.5, expected a whole number"),
        ("over", "wholes", "over: got 'wholes', expected 'upper' or 'lower'"),
        ("over", ["upper"], "over: got "),
    ],
)
def test_bad_input_is_refused_by_name_when_made_and_when_set(argument, value, message):
    with pytest.raises(ValueError, match=message):
        VoteRouter(**{argument: value})
    router = VoteRouter()
    with pytest.raises(ValueError, match=message):
        setattr(router, argument, value)
    assert np.array_equal(router.votes, EXAMPLE) and router.iterations == 3 and router.over == "upper"


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("offset", 0, "offset: got 0, expected a positive number"),
        ("names", ("face",), "names: got"),
        ("names", ("face", "face"), "names: got"),
        ("names", ("face", ""), "names: got"),
        ("names", ("face", "wheelbarrow"), "names: got .*wheelbarrow.*1 to 8 characters"),
        ("names", "ab", "names: got 'ab', expected two"),
    ],
)
def test_bad_options_are_refused_by_name(argument, value, message):
    with pytest.raises(ValueError, match=message):
        VoteRouter(**{argument: value})


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("iteration", -3, "iteration: got -3, expected a whole number from 1 to"),
        ("iteration", 4, "iteration: got 4, expected a whole number from 1 to 3"),
        ("iteration", 1.0, r"iteration: got 1\.0, expected a whole number"),
        ("step", "routing", "step: got 'routing', expected 'softmax', 'sum', 'squash' or 'agreement'"),
        ("step", np.array(["softmax", "sum"]), "step: got array"),
        ("i", 4, "i: got 4, expected a whole number from 0 to 3"),
        ("i", -1, "i: got -1, expected a whole number from 0 to"),
        ("j", 2, "j: got 2, expected a whole number from 0 to 1"),
        ("offset", 0, "offset: got 0, expected a positive number"),
        ("names", ("face", "face"), "names: got"),
    ],
)
def test_a_place_that_is_not_there_is_refused_and_the_old_one_stays(trait, value, message):
    router = VoteRouter()
    before = router.get_state()
    with pytest.raises(ValueError, match=message):
        setattr(router, trait, value)
    assert router.get_state() == before
    assert router.picture()


def test_with_fewer_iterations_or_parts_the_place_is_the_last_that_is_left():
    router = VoteRouter(PRESETS["cluster and outlier"], iterations=6)
    router.iteration, router.i = 5, 5
    router.iterations = 4
    assert (router.iteration, router.i) == (4, 5)
    router.votes = PRESETS["tie"]
    assert (router.iteration, router.i) == (4, 3)
    router.iterations, router.votes = 6, PRESETS["cluster and outlier"]
    assert (router.iteration, router.i) == (4, 3)


def test_what_the_page_sends_at_once_must_fit_together():
    router = VoteRouter()
    router.set_state({"iteration": 5, "iterations": 5, "i": 5, "votes": PRESETS["cluster and outlier"]})
    assert (router.iteration, router.i) == (5, 5)
    router.set_state({"i": 2, "votes": PRESETS["tie"]})
    assert (router.iteration, router.i) == (5, 2)
    for sent in ({"iterations": 2, "iteration": 3}, {"votes": PRESETS["all agree"], "i": 4}):
        with pytest.raises(ValueError, match="got .*, expected a whole number from"):
            router.set_state(sent)
        assert (router.iterations, router.iteration, router.i) == (5, 5, 2)
        assert np.array_equal(router.votes, PRESETS["tie"])


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_votes_that_fit(name):
    assert np.array_equal(VoteRouter(PRESETS[name]).votes, PRESETS[name])


def test_parts_that_are_added_begin_where_no_other_part_votes():
    fewest, most = PARTS
    assert len(MORE) == most - fewest
    for votes in PRESETS.values():
        for j in (0, 1):
            places = np.array([*votes[:fewest], *MORE], float)[:, j]  # (8, 2)
            apart = np.linalg.norm(places[:, None] - places, axis=-1) + 9 * np.eye(most)
            assert apart[fewest:].min() > 0.1 and np.abs(places).max() <= REACH
    assert VoteRouter([*EXAMPLE, *MORE]).limits == {"parts": PARTS, "iterations": ITERATIONS, "reach": REACH}


def test_a_saved_router_keeps_the_order_of_its_presets():
    """Jupyter sorts the keys of what it saves."""
    saved = json.loads(json.dumps(VoteRouter().get_state(), sort_keys=True, default=str))
    assert [name for name, _ in saved["offered"]] == ["as given", *PRESETS]
    assert VoteRouter().presets == {"as given": EXAMPLE, **PRESETS}


def test_presets_are_what_they_are_called():
    routed = {name: VoteRouter(votes) for name, votes in PRESETS.items()}
    c = {name: router.trace.c[-1] for name, router in routed.items()}
    lengths = {name: router.lengths for name, router in routed.items()}
    assert (c["cluster and outlier"][:-1, 0] > 0.8).all() and c["cluster and outlier"][-1, 1] > 0.9
    assert np.allclose(c["tie"], 0.5) and (lengths["tie"] > 0.9).all()
    assert (lengths["all agree"] > 0.8).all()
    assert np.allclose(c["all opposed"], 0.5) and np.allclose(lengths["all opposed"], 0, atol=1e-3)


@pytest.mark.parametrize("options", [{}, {"iterations": 1}, {"over": "lower"}, {"votes": PRESETS["all opposed"]}])
def test_the_picture_stands_in_for_it(options):
    with Image.open(io.BytesIO(VoteRouter(**options).picture())) as picture:
        assert picture.width > 400


def test_it_says_its_numbers():
    router = VoteRouter()
    assert "4 parts" in router.describe() and "iteration 1 of 3 the lengths are face 0.889 and car 0.333" in repr(
        router
    )
    assert "0.979" not in router.describe()  # What is still to come is not told.
    router.iteration = 3
    assert "iteration 3 of 3 the lengths are face 0.979 and car 0.418" in router.describe()
    assert "over the parts" in VoteRouter(over="lower").describe()


# EM routing -----------------------------------------------------------------------------------------------------------


def test_by_default_it_knows_routing_by_agreement_alone():
    router = VoteRouter()
    assert router.rules == ["agreement"] and router.rule == "agreement"


@given(votes=VOTES, iterations=st.integers(1, 20))
@settings(max_examples=15, deadline=None)
def test_under_em_it_routes_as_the_library_does(votes, iterations):
    router = VoteRouter(votes, iterations=iterations, rules=("EM", "agreement"))
    expected = equations.em_route(votes, iterations=iterations)
    assert np.array_equal(router.em_trace.responsibilities, expected.responsibilities)
    assert np.array_equal(router.activations, expected.activations[-1]) and router.activations.shape == (2,)
    assert router.rule == "EM" and np.array_equal(router.lengths, equations.route(votes, iterations).lengths[-1])


def test_under_em_it_says_and_draws_its_activations():
    router = VoteRouter(rules=("EM",), over="lower")
    a = router.em_trace.activations[0]
    assert router.describe() == (
        "EM routing of 4 parts to face and car. After iteration 1 of 3 the activations are "
        f"face {a[0]:.3f} and car {a[1]:.3f}."
    )
    with Image.open(io.BytesIO(router.picture())) as picture:
        assert picture.width > 400
    router.set_state({"rule": "agreement"})
    assert "lengths" in router.describe() and "over the parts" in router.describe()


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ((), r"rules: got \(\), expected 'agreement', 'EM' or both"),
        ("EM", "rules: got 'EM', expected 'agreement', 'EM' or both"),
        (("EM", "EM"), "rules: got .* expected 'agreement', 'EM' or both"),
        (("kmeans",), "rules: got 'kmeans', expected 'agreement' or 'EM'"),
    ],
)
def test_rules_that_it_does_not_know_are_refused_by_name(rules, says):
    with pytest.raises(ValueError, match=says):
        VoteRouter(rules=rules)
    router = VoteRouter()
    with pytest.raises(ValueError, match="rule: got 'kmeans', expected 'agreement' or 'EM'"):
        router.rule = "kmeans"
    assert router.rule == "agreement"
