"""RoutingExplorer in Python: what it refuses, what it sends, what stands in for it."""

import io
import re

import numpy as np
import pytest
import traitlets
from PIL import Image

from capslib import equations, networks, weights
from capslib.widgets import RoutingExplorer
from capslib.widgets.routing_explorer import MOST_ROUTINGS, PANELS, RULES, STEPS
from tests.widgets import test_core

RNG = np.random.default_rng(2017)
N = 4
X = RNG.uniform(size=(N, 28, 28)).astype(np.float32)
U = np.maximum(RNG.normal(size=(N, 49, 8)), 0).astype(np.float32)
W = (0.5 * RNG.normal(size=(8, 10, 6))).astype(np.float32)


def explorer(images=X, u=U, w=W, **kwargs):
    return RoutingExplorer(images, u, w, **kwargs)


def last_routing(k, routings=5, offset=0.5):
    return equations.route(equations.predict(U[k], W), routings, offset)


def test_it_starts_before_the_first_step_with_the_winner_and_its_strongest_cell_chosen():
    for k in range(N):
        widget, trace = explorer(chosen=k), last_routing(k)
        winner = trace.lengths[-1].argmax()
        strongest = trace.contribution[-1, :, winner].argmax()
        assert (widget.iteration, widget.step, widget.j, widget.i) == (1, "softmax", winner, strongest)
        assert widget.lengths == []


@pytest.mark.parametrize(
    ("iteration", "step", "t"), [(1, "sum", None), (1, "squash", 0), (3, "sum", 1), (5, "agreement", 4)]
)
def test_started_elsewhere_it_has_the_lengths_of_that_step(iteration, step, t):
    lengths = explorer(iteration=iteration, step=step).lengths
    np.testing.assert_allclose(lengths, [] if t is None else last_routing(0).lengths[t], atol=1e-6)


def test_arrays_are_sent_once_as_float32_and_bytes():
    widget = explorer(X[..., None])
    u = np.zeros(U.size, np.float32)
    u[np.unpackbits(np.frombuffer(widget.where, np.uint8))[: u.size] == 1] = np.frombuffer(widget.u, "<f4")
    np.testing.assert_array_equal(u.reshape(U.shape), U)
    np.testing.assert_array_equal(np.frombuffer(widget.W, "<f4").reshape(W.shape), W)
    np.testing.assert_allclose(np.frombuffer(widget.images, np.uint8).reshape(X.shape) / 255, X, atol=0.5 / 255 + 1e-6)
    assert widget.shape == {"N": N, "I": 49, "D_in": 8, "J": 10, "D": 6}
    assert explorer(np.round(255 * X).astype(np.uint8)).images == widget.images


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"images": X[:, :27]}, r"images: got shape \(4, 27, 28\)"),
        ({"images": 2 * X}, "images: got values from"),
        ({"images": np.where(X > 0.5, np.nan, X)}, "images: got NaN"),
        ({"u": U[:3]}, r"u: got shape \(3, 49, 8\), expected \(4, 49, D_in\)"),
        ({"u": U[:, :48]}, r"u: got shape \(4, 48, 8\), expected \(4, 49, D_in\)"),
        ({"u": np.full_like(U, np.nan)}, "u: got NaN or infinite values"),
        ({"w": W[:7]}, r"W: got shape \(7, 10, 6\), expected \(8, J, D\)"),
        ({"w": np.full_like(W, np.inf)}, "W: got NaN or infinite values"),
        ({"w": W[None]}, r"W: got shape \(1, 8, 10, 6\), expected \(D_in, J, D\)"),
        ({"w": W[:, :1]}, "W: got 1 upper capsules, expected 2 to 12"),
        ({"labels": [1, 2]}, "labels: got 2, expected one for each of the 4 digits"),
        ({"labels": [1, 2, 3, 10]}, "labels: got labels from 1 to 10"),
        ({"captions": ["one"]}, "captions: got 1, expected one for each of the 4 digits"),
        ({"routings": 0}, "routings: got 0, expected a whole number from 1 to 8"),
        ({"routings": 9}, "routings: got 9, expected a whole number from 1 to 8"),
        ({"routings": 2.5}, "routings: got 2.5, expected a whole number from 1 to 8"),
        ({"offset": 0}, "offset: got 0, expected a positive number"),
        ({"chosen": 4}, "chosen: got 4, expected a whole number from 0 to 3"),
        ({"chosen": -1}, "chosen: got -1, expected a whole number from 0 to 3"),
        ({"presets": {"a changed one": 9}}, r"presets\['a changed one'\]: got 9, expected a whole number from 0 to 3"),
        ({"presets": ["a"]}, r"presets: got \['a'\], expected a dict from texts to digits"),
        ({"captions": 5}, "captions: got 5, expected a list of texts"),
        ({"captions": "abcd"}, "captions: got 'abcd', expected a list of texts"),
        ({"moments": 3}, "moments: got 3, expected a list of texts"),
        ({"j": 10}, "j: got 10, expected a whole number from 0 to 9"),
        ({"iteration": 6}, "iteration: got 6, expected a whole number from 1 to 5"),
        ({"iteration": 0}, "iteration: got 0, expected a whole number from 1 to 5"),
        ({"iteration": 4, "routings": 3}, "iteration: got 4, expected a whole number from 1 to 3"),
        ({"iteration": True}, "iteration: got True, expected a whole number"),
        ({"i": 49}, "i: got 49, expected a whole number from 0 to 48"),
        ({"i": 2.0}, "i: got 2.0, expected a whole number"),
        ({"j": "3"}, "j: got '3', expected a whole number"),
        ({"step": "sort"}, "step: got 'sort', expected 'softmax', 'sum', 'squash' or 'agreement'"),
        ({"rule": None}, "rule: got None, expected 'accumulate', 'replace' or 'uniform'"),
        ({"kind": "votes"}, "kind: got 'votes', expected 'contribution' or 'coupling'"),
        ({"links": "all"}, "links: got 'all', expected 'upper' or 'lower'"),
        ({"unfolded": "votes"}, "unfolded: got 'votes', expected a list of some of settings, logits, votes, entropy"),
        ({"unfolded": ["vote"]}, r"unfolded: got \['vote'\], expected a list of some of settings, logits"),
    ],
)
def test_bad_input_is_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        explorer(**wrong)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("chosen", 4, "chosen: got 4"),
        ("iteration", 6, "iteration: got 6, expected a whole number from 1 to 5"),
        ("iteration", 0, "iteration: got 0"),
        ("i", 49, "i: got 49, expected a whole number from 0 to 48"),
        ("j", -1, "j: got -1, expected a whole number from 0 to 9"),
        ("routings", 9, "routings: got 9"),
        ("rule", "mean", "rule: got 'mean', expected 'accumulate', 'replace' or 'uniform'"),
        ("step", "sort", "step: got 'sort', expected 'softmax', 'sum', 'squash' or 'agreement'"),
        ("kind", "votes", "kind: got 'votes'"),
        ("links", "all", "links: got 'all'"),
        ("unfolded", ["votes", "votes"], r"unfolded: got \['votes', 'votes'\], expected .* each once"),
        ("lengths", [0.5] * 9, r"lengths: got shape \(9,\), expected \(10,\)"),
        ("lengths", [0.5] * 9 + [1.5], "lengths: got 1.5, expected a number from 0 to 1"),
        ("trained", 3, "trained"),
        ("limits", {}, "limits"),
        ("W", b"", "W"),
    ],
)
def test_setting_what_is_not_there_is_refused_and_changes_nothing(name, value, message):
    widget = explorer()
    before = widget.get_state()
    with pytest.raises((ValueError, traitlets.TraitError), match=message):
        setattr(widget, name, value)
    assert widget.get_state() == before
    with pytest.raises(ValueError, match=message):
        widget.set_state({"step": "softmax", "iteration": 1, name: value})
    assert widget.get_state() == before


def test_what_it_shows_can_be_set():
    widget = explorer()
    for name, value in {"chosen": 2, "iteration": 1, "i": 48, "j": 0, "rule": "replace", "kind": "coupling"}.items():
        setattr(widget, name, value)
        assert getattr(widget, name) == value
    for step in STEPS:
        widget.step = step
    widget.unfolded = ("votes", "settings")
    assert widget.unfolded == ["settings", "votes"], "in the order of the page"
    widget.set_state({"unfolded": []})
    assert widget.unfolded == []


def test_fewer_routings_take_the_iteration_along():
    widget = explorer(iteration=5)
    widget.routings = 3
    assert widget.iteration == 3
    widget.routings = 8
    assert widget.iteration == 3
    # As it comes from the browser, in one message.
    widget.set_state({"iteration": 8, "routings": 8})
    assert (widget.iteration, widget.routings) == (8, 8)
    widget.set_state({"routings": 5})
    assert (widget.iteration, widget.routings) == (5, 5)
    with pytest.raises(ValueError, match="iteration: got 4, expected a whole number from 1 to 3"):
        widget.set_state({"routings": 3, "iteration": 4})
    assert (widget.iteration, widget.routings) == (5, 5)


def test_numbers_of_numpy_are_numbers():
    widget = explorer(chosen=np.int64(2), routings=np.int32(3), iteration=np.int64(2), i=np.uint8(7), j=np.int64(1))
    assert (widget.chosen, widget.routings, widget.iteration, widget.i, widget.j) == (2, 3, 2, 7, 1)
    assert all(type(widget.get_state()[name]) is int for name in ("chosen", "routings", "iteration", "i", "j"))


def test_the_page_is_told_the_limits():
    assert explorer().limits == {
        "steps": STEPS,
        "rules": RULES,
        "routings": MOST_ROUTINGS,
        "panels": [panel for panel in PANELS if panel != "origin"],
    }


PARAMETERS = weights.arrays("article_capsnet")


def with_parameters(parameters=PARAMETERS, **kwargs):
    u = networks.trunk(X, PARAMETERS).reshape(N, 49, -1)
    return RoutingExplorer(X, u, PARAMETERS["v.W"], parameters=parameters, **kwargs)


def test_with_the_networks_parameters_it_can_show_where_u_comes_from():
    one, other = with_parameters(unfolded=["origin"]), with_parameters()
    assert one.unfolded == ["origin"] and one.limits["panels"] == PANELS
    assert one.parameters is other.parameters, "sent once for all widgets"
    np.testing.assert_array_equal(
        np.frombuffer(one.parameters.arrays["conv1.kernel"], "<f4"), PARAMETERS["conv1.kernel"].ravel()
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"v.W": PARAMETERS["v.W"]}, r"parameters: got v\.W, expected a dict of arrays conv1\.kernel, "),
        (
            {**PARAMETERS, "conv2.bias": PARAMETERS["conv2.bias"] + 1},
            "parameters: got those of a network whose u differ",
        ),
        (
            {**PARAMETERS, **{name: PARAMETERS[name][..., :5] for name in ("conv2.kernel", "conv2.bias")}}
            | {"v.W": PARAMETERS["v.W"][:5]},
            r"parameters: got those of a network with u of shape \(4, 49, 5\), expected \(4, 49, 32\)",
        ),
    ],
)
def test_parameters_that_did_not_make_u_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        with_parameters(parameters)


def test_without_parameters_there_is_nothing_to_unfold():
    widget = explorer()
    assert widget.parameters is None
    with pytest.raises(ValueError, match=r"unfolded: got \['origin'\], expected a list of some of settings, logits"):
        widget.unfolded = ["origin"]


MOMENTS = ["untrained", "1 epoch", "2 epochs"]
RATES = np.array([0.2, 0.5, 1], np.float32)
U_LEARNING = np.stack([U, np.roll(U, 1, 1), np.roll(U, 2, 1)])
W_LEARNING = RATES[:, None, None, None] * W


def learning(u=U_LEARNING, w=W_LEARNING, moments=MOMENTS, **kwargs):
    return RoutingExplorer(X, u, w, moments=moments, **kwargs)


@pytest.mark.parametrize("moment", range(3))
def test_of_several_moments_it_shows_the_chosen_ones_routing(moment):
    widget = learning(moment=moment, iteration=5, step="squash", chosen=2)
    trace = equations.route(equations.predict(U_LEARNING[moment, 2], W_LEARNING[moment]), 5)
    np.testing.assert_allclose(widget.lengths, trace.lengths[-1], atol=1e-6)
    last = equations.route(equations.predict(U_LEARNING[-1, 2], W_LEARNING[-1]), 5)
    winner = last.lengths[-1].argmax()
    assert (widget.j, widget.i) == (winner, last.contribution[-1, :, winner].argmax()), "where the training leads"
    assert f"moment of the training: {MOMENTS[moment]}. " in widget.describe()
    assert widget.picture() != learning(moment=(moment + 1) % 3, iteration=5, step="squash", chosen=2).picture()


def test_the_moments_are_sent_one_after_the_other():
    widget = learning()
    u = np.zeros(U_LEARNING.size, np.float32)
    u[np.unpackbits(np.frombuffer(widget.where, np.uint8))[: u.size] == 1] = np.frombuffer(widget.u, "<f4")
    np.testing.assert_array_equal(u.reshape(U_LEARNING.shape), U_LEARNING)
    np.testing.assert_array_equal(np.frombuffer(widget.W, "<f4").reshape(W_LEARNING.shape), W_LEARNING)
    assert widget.moments == MOMENTS and widget.shape == {"N": N, "I": 49, "D_in": 8, "J": 10, "D": 6}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"moments": ["one"]}, "moments: got 1, expected 2 to 12"),
        ({"moments": ["one"] * 13}, "moments: got 13, expected 2 to 12"),
        ({"moments": MOMENTS[:2]}, r"u: got shape \(3, 4, 49, 8\), expected \(2, 4, 49, D_in\)"),
        ({"u": U}, r"u: got shape \(4, 49, 8\), expected \(3, 4, 49, D_in\)"),
        ({"w": W}, r"W: got shape \(8, 10, 6\), expected \(3, D_in, J, D\)"),
        ({"w": W_LEARNING[:, :7]}, r"W: got shape \(3, 7, 10, 6\), expected \(3, 8, J, D\) to fit u"),
        ({"moments": None}, r"u: got shape \(3, 4, 49, 8\), expected \(4, 49, D_in\)"),
        ({"moment": 3}, "moment: got 3, expected a whole number from 0 to 2"),
        ({"moment": "last"}, "moment: got 'last', expected a whole number"),
        ({"parameters": PARAMETERS}, "parameters: got some beside moments, expected None"),
    ],
)
def test_moments_that_do_not_fit_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        learning(**wrong)


def test_a_moment_that_is_not_there_cannot_be_chosen():
    widget = learning(moment=2)
    with pytest.raises(ValueError, match="moment: got 3, expected a whole number from 0 to 2"):
        widget.moment = 3
    assert widget.moment == 2
    with pytest.raises(ValueError, match="moment: got 1, expected a whole number from 0 to 0"):
        explorer().moment = 1


def test_ten_moments_of_ten_digits_of_the_course_fit():
    u, w = np.zeros((10, 10, 49, 32), np.float32), np.zeros((10, 32, 10, 30), np.float32)
    u[..., ::4] = 1  # Fewer features are on in every moment of the recorded run.
    assert RoutingExplorer(np.zeros((10, 28, 28)), u, w, moments=range(10)).shape["N"] == 10
    with pytest.raises(ValueError, match=r"u: got 627,200 bytes"):
        RoutingExplorer(np.zeros((10, 28, 28)), u + 1, w, moments=range(10))


def test_too_many_digits_are_refused():
    many = 60
    with pytest.raises(ValueError, match=r"u: got 376,320 bytes, .* show fewer examples"):
        RoutingExplorer(np.zeros((many, 28, 28)), np.ones((many, 49, 32)), np.zeros((32, 10, 30)))


def test_a_few_dozen_digits_of_the_course_fit():
    many = 36  # Three of each class, and six more.
    u, w = np.zeros((many, 49, 32), np.float32), np.zeros((32, 10, 30), np.float32)
    u[..., ::2] = 1  # In the shipped network far fewer features are on.
    assert RoutingExplorer(np.zeros((many, 28, 28)), u, w, labels=[7] * many).shape["N"] == many


@pytest.mark.parametrize("routings", [1, 5])
def test_what_stands_in_for_it_tells_the_first_and_the_last_iteration(routings):
    widget, trace = explorer(routings=routings, labels=[3, 1, 4, 1]), last_routing(0, routings)
    winner, text = trace.lengths[-1].argmax(), widget.describe()
    assert f"digit 1 of 4, labelled 3. Iteration 1 of {routings}, softmax: no lengths yet." in text
    told = [float(x) for x in re.findall(r"\d\.\d\d", text)]
    others = np.delete(trace.lengths[-1], winner).max()
    np.testing.assert_allclose(told, [trace.lengths[0, winner], trace.lengths[-1, winner], others], atol=0.0051)
    assert f"capsule {winner} goes" in text
    assert ("not the longest at iteration 1" in text) == (trace.lengths[0].argmax() != winner)
    with Image.open(io.BytesIO(widget.picture())) as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize("rule", RULES)
def test_what_stands_in_for_it_follows_the_state(rule):
    widget = explorer()
    first = widget.picture()
    widget.chosen, widget.routings, widget.iteration, widget.step, widget.rule = 2, 3, 2, "agreement", rule
    trace = test_core.route(equations.predict(U[2], W), 3, 0.5, rule)
    lengths = equations.length(trace["v"])
    text, winner = widget.describe(), lengths[-1].argmax()
    told = "" if rule == "accumulate" else f', routing rule "{rule}"'
    assert f"digit 3 of 4{told}. Iteration 2 of 3, agreement" in text
    assert f"the longest capsule is {lengths[1].argmax()} ({lengths[1].max():.2f})" in text
    assert f"goes from {lengths[0, winner]:.2f} to {lengths[-1, winner]:.2f}" in text
    assert widget.picture() != first


def test_votes_of_nothing_but_zeros_are_no_error():
    widget = RoutingExplorer(np.zeros((1, 28, 28)), np.zeros((1, 49, 3)), np.zeros((3, 2, 2)))
    assert "0.00" in widget.describe() and widget.picture()
