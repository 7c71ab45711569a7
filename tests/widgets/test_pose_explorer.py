"""PoseExplorer: Python reads and sets what the page shows, and both compute what capslib.networks computes."""

import io
import json

import numpy as np
import pytest
from ipywidgets.embed import dependency_state
from PIL import Image

from capslib import equations, models, networks, weights
from capslib.widgets import PoseExplorer
from capslib.widgets.network_weights import NetworkWeights, packed
from capslib.widgets.pose_explorer import LIMIT, shortened
from tests.conftest import NO_NODE
from tests.widgets.test_core import NODE, caller
from tools.browser.examples import pose_weights

RNG = np.random.default_rng(9)
WEIGHTS = pose_weights()
IMAGES = np.clip(RNG.normal(0.2, 0.4, (3, 28, 28)), 0, 1)
EFFECTS = {"slant": RNG.normal(size=(10, 16)), "width": RNG.normal(size=(10, 16))}


def explorer(**kwargs):
    return PoseExplorer(WEIGHTS, IMAGES, **kwargs)


def alone(vector, j):
    """(10, D), zero but for one capsule."""
    v = np.zeros((10, len(vector)), np.float32)
    v[j] = vector
    return v


# What is decoded ---------------------------------------------------------------------------------------------------


def test_the_answer_is_the_networks():
    for start in range(3):
        widget = explorer(start=start)
        x = np.rint(255 * IMAGES[start]) / 255
        np.testing.assert_allclose(widget.image, x, atol=1e-6)
        trace = networks.pose_capsnet(x.astype(np.float32), WEIGHTS)
        np.testing.assert_allclose(widget.v, trace.v[-1], atol=1e-5)
        np.testing.assert_allclose(widget.lengths, trace.lengths[-1], atol=1e-5)
        assert widget.capsule == trace.lengths[-1].argmax()
        expected = networks.decode(equations.mask(trace.v[-1:]), WEIGHTS)[0, ..., 0]
        np.testing.assert_allclose(widget.reconstruction, expected, atol=1e-5)
        assert expected.std() > 0.1


def test_routings_and_offset_are_those_given():
    lengths = [explorer(**kwargs).lengths for kwargs in ({}, {"routings": 1}, {"offset": 0.5})]
    assert np.abs(lengths[0] - lengths[1]).max() > 0.05 and (lengths[2] > lengths[0]).all()


def test_a_change_is_added_to_the_capsule_and_decoded():
    widget = explorer()
    v, j = widget.v, widget.capsule
    widget.change = 0.02 * np.arange(-8, 8)
    np.testing.assert_allclose(widget.changed, v[j] + widget.change, atol=1e-6)
    assert widget.length == pytest.approx(np.linalg.norm(widget.changed))
    np.testing.assert_allclose(widget.reconstruction, networks.decode(alone(widget.changed, j), WEIGHTS), atol=1e-5)


def test_another_capsule_than_the_longest_is_decoded():
    widget = explorer()
    other = int(widget.lengths.argmin())
    widget.digit = other
    assert widget.capsule == other
    np.testing.assert_allclose(
        widget.reconstruction, networks.decode(alone(widget.v[other], other), WEIGHTS), atol=1e-5
    )


def test_a_vector_that_is_too_long_is_shortened_and_that_is_told():
    widget = explorer()
    towards = 0.25 * np.sign(widget.v[widget.capsule])
    assert "shortened" not in widget.describe()
    widget.change = towards
    assert np.linalg.norm(widget.v[widget.capsule] + towards) > 1
    assert widget.length == pytest.approx(0.999)
    cosine = widget.changed @ (widget.v[widget.capsule] + towards)
    assert cosine == pytest.approx(0.999 * np.linalg.norm(widget.v[widget.capsule] + towards))
    assert "its length is then 0.999." in widget.describe()
    assert widget.describe().endswith("The changed vector was shortened to a length of 0.999.")
    exactly = np.eye(3)[0]
    np.testing.assert_allclose(
        shortened(np.stack([exactly, 0.9995 * exactly, 2 * exactly]))[:, 0], [0.999, 0.9995, 0.999]
    )


def test_the_marked_dimension_is_at_first_the_one_that_changes_the_picture_most():
    widget = explorer(start=1)
    j, v = widget.capsule, widget.v
    apart = [
        sum(
            np.square(
                networks.decode(alone(shortened(v[j] + by * np.eye(16)[d]), j), WEIGHTS) - widget.reconstruction
            ).sum()
            for by in (-0.125, 0.125)
        )
        for d in range(16)
    ]
    assert widget.chosen == np.argmax(apart)


def test_text_and_picture_follow_what_the_learner_did():
    widget = explorer(labels=[8, 1, 2])
    before, j = widget.picture(), widget.capsule
    error = np.square(widget.image - widget.reconstruction).sum()
    text = widget.describe()
    assert text.startswith(f"An 8, decoded from capsule {j} of length {widget.lengths[j]:.2f}.")
    assert text.endswith(f"add up to {error:.1f}.")
    widget.set_state({"change": [0.0] * 5 + [-0.2] + [0.0] * 10})  # As the browser sends it.
    assert "changed in 1 of its 16 dimensions, most in dimension 5 by −0.20" in repr(widget)
    assert f"its length is then {widget.length:.2f}" in widget.describe()
    assert widget.picture() != before
    with Image.open(io.BytesIO(before)) as picture:
        assert picture.format == "PNG"
    assert PoseExplorer(WEIGHTS, None).describe().startswith("A blank page, decoded from capsule")


# What is sent ------------------------------------------------------------------------------------------------------


def test_arrays_go_as_float16_where_that_loses_nothing():
    whole = {**WEIGHTS, "conv1.bias": np.array([0.1, 1e6], np.float32)}  # Neither is a float16.
    sent = PoseExplorer(whole, IMAGES).weights
    assert set(sent.halves) == set(WEIGHTS) - {"conv1.bias"}
    for name, x in whole.items():
        kind = "<f2" if name in sent.halves else "<f4"
        np.testing.assert_array_equal(np.frombuffer(sent.arrays[name], kind).astype(np.float32), np.float32(x).ravel())


def test_the_same_weights_are_sent_once():
    first, second = explorer(), explorer(start=2)
    assert first.weights is second.weights
    assert first.weights is not PoseExplorer({**WEIGHTS, "v.W": 2 * WEIGHTS["v.W"]}, IMAGES).weights
    states = dependency_state([first, second], drop_defaults=False)
    assert sum("arrays" in one["state"] for one in states.values()) == 1


def test_the_networks_size_and_ten_digits_fit_into_a_notebook():
    trained = {name: x.astype(np.float16) for name, x in weights.parameters(models.pose_capsnet()).items()}
    widget = PoseExplorer(trained, np.zeros((10, 28, 28)), range(10), {"slant": np.full((10, 16), -0.1234)})
    assert len(json.dumps(dependency_state(widget, drop_defaults=False))) <= LIMIT == 1_000_000
    whole = {name: x * np.float32(1.0001) for name, x in trained.items()}
    with pytest.raises(ValueError, match="weights: got 1,81.,... bytes, .*: round its arrays to float16"):
        PoseExplorer(whole, None)
    with pytest.raises(ValueError, match="images: got .* bytes, .*: show fewer examples"):
        PoseExplorer(trained, np.zeros((40, 28, 28)))


# Bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"weights": {}}, "weights: got no arrays, expected a dict"),
        (
            {"weights": {name: x for name, x in WEIGHTS.items() if not name.startswith("decode")}},
            "weights: got those of a network without a decoder",
        ),
        ({"weights": {**WEIGHTS, "decode1.kernel": np.zeros((150, 12))}}, r'weights\["decode1.kernel"\]: got shape'),
        ({"images": np.zeros((2, 27, 28))}, r"images: got shape \(2, 27, 28\)"),
        ({"labels": [1]}, "labels: got 1, expected one for each of 3 images"),
        ({"start": 3}, "start: got 3, expected a whole number from 0 to 2"),
        ({"routings": 0}, "routings: got 0, expected a whole number from 1 to 20"),
        ({"offset": 0}, "offset: got 0, expected a positive number"),
        ({"unit": 1}, "unit: got 1, expected a text, such as 'standard deviations'"),
        ({"effects": {}}, r"effects: got \{\}, expected a dict from a property's name to an array \(10, 16\)"),
        ({"effects": [1]}, r"effects: got \[1\], expected a dict"),
        (
            {"effects": {"dimension": np.zeros((10, 16))}},
            "effects: got the name 'dimension', expected that of a property",
        ),
        ({"effects": {"slant": np.zeros((16, 10))}}, r'effects\["slant"\]: got shape \(16, 10\), expected \(10, 16\)'),
        ({"effects": {"slant": np.full((10, 16), np.nan)}}, r'effects\["slant"\]: got NaN'),
    ],
)
def test_bad_input_is_refused_by_name(changes, says):
    with pytest.raises(ValueError, match=says):
        PoseExplorer(**{"weights": WEIGHTS, "images": IMAGES, **changes})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("change", np.full(16, 0.26), "change: got 0.26, expected a number from -0.25 to 0.25"),
        ("change", np.zeros(15), r"change: got shape \(15,\), expected \(16,\)"),
        ("chosen", 16, "chosen: got 16, expected a whole number from 0 to 15"),
        ("digit", 10, "digit: got 10, expected a whole number from -1 to 9"),
        ("sort", "height", "sort: got 'height', expected 'dimension' or 'slant' or 'width'"),
        ("page", b"123", "page: got 3 bytes, expected 784"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(name, value, says):
    widget = explorer(effects=EFFECTS)
    before = repr(getattr(widget, name))
    with pytest.raises(ValueError, match=says):
        setattr(widget, name, value)
    assert repr(getattr(widget, name)) == before


# The same in JavaScript --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def javascript(tmp_path_factory):
    if NODE is None:
        pytest.skip(NO_NODE)
    return caller(tmp_path_factory.mktemp("pose"), "pose_explorer/state.js")


def test_a_changed_vector_in_javascript_is_pythons(javascript):
    v = np.random.default_rng(1).normal(size=(20, 16)).astype(np.float32)
    v *= RNG.uniform(0.6, 0.999, (20, 1)).astype(np.float32) / np.linalg.norm(v, axis=1, keepdims=True)
    change = RNG.uniform(-0.25, 0.25, (20, 16))
    found = javascript(*(("changed_vector", one, by.tolist(), 0.999) for one, by in zip(v, change, strict=True)))
    np.testing.assert_allclose([one["vector"] for one in found], shortened(v + change), atol=1e-6)
    np.testing.assert_allclose([one["wanted"] for one in found], np.linalg.norm(v + change, axis=1), atol=1e-6)
    assert 3 < sum(one["wanted"] >= 1 for one in found) < 17


def test_strips_are_sorted_by_the_size_of_an_effect(javascript):
    slopes = [0.1, -0.5, 0.0, 0.3, -0.3]
    assert javascript(("sorted_dimensions", slopes, 5)) == [1, 3, 4, 0, 2]
    assert javascript(("sorted_dimensions", None, 5)) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(javascript(("strip_steps", 0.25, 11)), np.linspace(-0.25, 0.25, 11))


def test_every_float16_is_read_in_javascript(tmp_path):
    if NODE is None:
        pytest.skip(NO_NODE)
    every = np.arange(2**16, dtype="<u2").view("<f2")
    finite = every[np.isfinite(every)]
    # Two of them are the bytes of a float32, and of a finite one, which a test can send.
    found = caller(tmp_path, "dom.js")(("halves", finite.view("<f4")))
    assert found.dtype == np.float32 and len(found) == 63_488
    np.testing.assert_array_equal(found, finite.astype(np.float32))


def test_packed_arrays_stay_what_they_are():
    given = {"a": np.float32([0.5, -2, 65504, 2**-24]), "b": np.float32([0.1]), "c": np.float32([1e5])}
    found = packed(given)
    assert [found[name].dtype for name in "abc"] == [np.float16, np.float32, np.float32]
    assert all(np.array_equal(found[name], given[name]) for name in given)
    assert "a" in repr(NetworkWeights.of(given))
