import io
import json
import re
import shutil
import subprocess

import ipywidgets
import numpy as np
import pytest
from ipywidgets.embed import dependency_state
from PIL import Image

from capslib import digits, models, transforms, weights
from capslib.widgets import LiveCapsNet
from capslib.widgets.network_weights import NetworkWeights
from tests.conftest import NO_NODE
from tests.widgets.test_core import NODE, ROOT, received, sent

RNG = np.random.default_rng(8)
CAPSNET, CNN = weights.arrays("article_capsnet"), weights.arrays("matched_cnn_flatten")


@pytest.fixture(scope="module")
def data():
    """Sixty real digits; more would make a page too large."""
    loaded = digits.load("bundled")
    return loaded._replace(x_test=loaded.x_test[:60], y_test=loaded.y_test[:60])


def live(images=None, **kwargs):
    return LiveCapsNet(CAPSNET, CNN, images, **kwargs)


def settings(widget):
    names = ("turn", "right", "down", "scale", "swapped", "centred")
    return {name: getattr(widget, name) for name in names}


# What both networks see ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "transform"),
    [
        ({}, lambda x: x),
        ({"turn": 40}, lambda x: transforms.rotate(x, 40, cut=True)),
        ({"turn": -137}, lambda x: transforms.rotate(x, -137, cut=True)),
        ({"turn": 90}, lambda x: transforms.rotate(x, 90)),
        ({"turn": 180}, lambda x: transforms.rotate(x, 180)),
        ({"right": 3, "down": -2}, lambda x: transforms.shift(x, 3, -2, cut=True)),
        ({"right": -14, "down": 14}, lambda x: transforms.shift(x, -14, 14, cut=True)),
        ({"right": 2.5}, lambda x: transforms.shift(x, 2.5, cut=True)),
        ({"scale": 0.5}, lambda x: transforms.scale(x, 0.5)),
        ({"scale": 1.35}, lambda x: transforms.scale(x, 1.35, cut=True)),
        ({"scale": 2}, lambda x: transforms.scale(x, 2, cut=True)),
        ({"swapped": True}, transforms.swap_halves),
        ({"turn": 25, "swapped": True}, lambda x: transforms.swap_halves(transforms.rotate(x, 25, cut=True))),
    ],
)
def test_the_picture_is_what_transforms_make_of_the_digit(data, given, transform):
    for n in (0, 17, 40):
        widget = live(data.x_test, start=n)
        for name, value in given.items():
            setattr(widget, name, value)
        expected = transform(data.x_test[n : n + 1])[0, ..., 0]
        np.testing.assert_allclose(widget.image, expected, atol=1e-6)
        assert widget.image.dtype == np.float32 and expected.max() > 0


def test_all_sliders_together_are_one_resampling_scaled_and_turned_then_moved():
    x, y = np.meshgrid(np.arange(28.0), np.arange(28.0))
    blob = np.exp(-((x - 18) ** 2 + (y - 10) ** 2) / 8)
    widget = live(blob)
    widget.turn, widget.scale, widget.right, widget.down = 90, 0.5, 4, 5
    seen = widget.image
    mass = np.array([(seen * y).sum(), (seen * x).sum()]) / seen.sum() - 13.5
    # From the middle the blob lies 4.5 right and 3.5 up; halved, and turned counter-clockwise: 1.75 left, 2.25 up.
    np.testing.assert_allclose(mass, [-2.25 + 5, -1.75 + 4], atol=0.02)


def test_centring_brings_a_moved_and_shrunk_digit_back_to_mnists_place(data):
    rows, columns = np.mgrid[:28, :28]
    for n in range(12):
        original = data.x_test[n, ..., 0]
        moved = transforms.shift(transforms.scale(data.x_test[n : n + 1], 0.6), 6, -5, cut=True)
        widget = live(moved)
        assert not widget.centred  # A real digit is centred already, and another may be moved on purpose.
        widget.centred = True
        seen = widget.image
        mass = (seen * rows).sum() / seen.sum(), (seen * columns).sum() / seen.sum()
        np.testing.assert_allclose(mass, (14, 14), atol=0.1)
        sides = [np.ptp(np.flatnonzero(seen.max(axis) > 0.2)) + 1 for axis in (0, 1)]
        assert 17 <= max(sides) <= 21
        assert np.corrcoef(seen.ravel(), original.ravel())[0, 1] > 0.85


def test_a_dot_stays_a_dot_and_a_blank_page_blank():
    dot = np.zeros((28, 28))
    dot[3:5, 3:5] = 1
    widget = live(dot)
    widget.centred = True
    assert 4 < np.ptp(np.argwhere(widget.image > 0.5), axis=0).max() + 1 <= 6
    blank = live()
    assert blank.centred and not blank.image.any()


# What they answer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["flatten", "global"])
def test_both_answers_are_keras_own(data, head):
    capsnet = models.article_capsnet(weights="shipped")
    cnn = models.matched_cnn(head, weights="shipped")
    for n in range(0, 60, 6):
        turn = 10 * (n % 7) - 20
        widget = LiveCapsNet(CAPSNET, weights.arrays(f"matched_cnn_{head}"), data.x_test, start=n, turn=turn)
        seen = transforms.rotate(data.x_test[n : n + 1], turn, cut=True)
        np.testing.assert_allclose(widget.lengths, capsnet.predict(seen, verbose=0)[0], atol=1e-4)
        np.testing.assert_allclose(widget.probabilities, cnn.predict(seen, verbose=0)[0], atol=1e-4)
        assert widget.lengths.shape == widget.probabilities.shape == (10,)


def test_routings_and_offset_are_those_given(data):
    lengths = [live(data.x_test, **kwargs).lengths for kwargs in ({}, {"routings": 1}, {"offset": 1.0})]
    assert lengths[0].max() > lengths[2].max() > 0.8 > lengths[1].max()


def test_text_and_picture_follow_what_the_learner_did(data):
    widget = live(data.x_test, labels=data.y_test, start=3, turn=40)
    before = widget.picture()
    j, k = widget.lengths.argmax(), widget.probabilities.argmax()
    assert f"A {data.y_test[3]} turned by 40°" in widget.describe()
    assert f"Longest capsule: {j}, length {widget.lengths[j]:.2f}" in widget.describe()
    assert f"most probable class: {k}, probability {widget.probabilities[k]:.2f}" in repr(widget)
    widget.set_state({"page": memoryview(bytes(784)), "turn": 0})  # As the browser sends it.
    assert widget.describe().startswith("A blank page, read by")
    assert "Longest" not in widget.describe() and f"than {widget.lengths.max():.2f}" in widget.describe()
    assert widget.picture() != before
    with Image.open(io.BytesIO(widget.picture())) as picture:
        assert picture.format == "PNG"


# Weights, once in a page ----------------------------------------------------------------------------------------------


def test_the_same_weights_are_sent_once():
    first, second = live(), live(np.ones((2, 28, 28)), turn=10)
    other = LiveCapsNet(CAPSNET, weights.arrays("matched_cnn_global"))
    assert first.capsnet is second.capsnet is other.capsnet and first.cnn is second.cnn
    assert other.cnn is not first.cnn and first.capsnet is not first.cnn
    states = dependency_state([first, second, other], drop_defaults=False)
    holders = [one for one in states.values() if "arrays" in one["state"]]
    assert len(holders) == 3
    for widget in (first, second):
        own = states[widget.model_id]
        assert own["state"]["capsnet"] == f"IPY_MODEL_{first.capsnet.model_id}"
        assert len(json.dumps(own)) < 150_000
    changed = {**CAPSNET, "v.W": CAPSNET["v.W"] + 1e-3}
    assert LiveCapsNet(changed, CNN).capsnet is not first.capsnet


def test_arrays_are_sent_as_float32_under_their_names():
    arrays = live().capsnet.arrays
    assert arrays.keys() == CAPSNET.keys()
    for name, x in CAPSNET.items():
        np.testing.assert_array_equal(np.frombuffer(arrays[name], "<f4"), x.ravel())


def test_weights_are_sent_anew_after_all_widgets_were_closed():
    before = live().capsnet
    ipywidgets.Widget.close_all()
    after = live().capsnet
    assert after is not before and after.comm is not None
    assert "conv1.kernel" in repr(NetworkWeights.of(CAPSNET))


# Bad input -----------------------------------------------------------------------------------------------------------


def without(weights, name):
    return {key: x for key, x in weights.items() if key != name}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"capsnet": CNN}, r"capsnet: got conv1.kernel, .*, expected a dict of arrays conv1.kernel, .*v.W"),
        ({"capsnet": {}}, "capsnet: got no arrays, expected a dict"),
        ({"capsnet": 3}, "capsnet: got int, expected a dict"),
        ({"capsnet": without(CAPSNET, "v.W")}, "capsnet: got conv1.kernel"),
        ({"capsnet": {**CAPSNET, "v.W": CAPSNET["v.W"][:31]}}, r'capsnet\["v.W"\]: got shape \(31, 10, 30\), expected'),
        ({"capsnet": {**CAPSNET, "conv1.bias": np.full(16, np.nan)}}, r'capsnet\["conv1.bias"\]: got NaN'),
        ({"cnn": CAPSNET}, "cnn: got .*, expected a dict of arrays .* mix.kernel.* or .* hidden.kernel"),
        ({"cnn": {**CNN, "mix.bias": np.zeros(17)}}, r'cnn\["mix.bias"\]: got shape \(17,\), expected \(18,\)'),
        (
            {"cnn": {**CNN, "probabilities.kernel": np.zeros((881, 10))}},
            r'cnn\["probabilities.kernel"\]: got shape \(881, 10\), expected \(882, 10\)',
        ),
        ({"images": np.zeros((2, 27, 28))}, r"images: got shape \(2, 27, 28\)"),
        ({"images": np.full((1, 28, 28), 1.5)}, "images: got values from 1.5 to 1.5"),
        ({"images": np.full((1, 28, 28), np.nan)}, "images: got NaN"),
        ({"images": np.zeros((500, 28, 28))}, "images: got 392,000 bytes, .*: show fewer examples"),
        ({"labels": [1]}, "labels: got 1, expected one for each of 2 images"),
        ({"labels": [1, 10]}, "labels: got labels from 1 to 10"),
        ({"routings": 0}, "routings: got 0, expected a whole number from 1 to 20"),
        ({"routings": 2.5}, "routings: got 2.5, expected a whole number"),
        ({"offset": 0}, "offset: got 0"),
        ({"start": 2}, "start: got 2, expected a whole number from 0 to 1"),
        ({"turn": 181}, "turn: got 181, expected a number from -180 to 180"),
        ({"turn": "40"}, "turn: got '40', expected a number"),
    ],
)
def test_bad_input_is_refused_by_name(changes, says):
    given = {"capsnet": CAPSNET, "cnn": CNN, "images": np.zeros((2, 28, 28)), **changes}
    with pytest.raises(ValueError, match=says):
        LiveCapsNet(**given)


@pytest.mark.parametrize(
    ("name", "value"), [("turn", 200), ("right", np.nan), ("down", True), ("scale", 0), ("scale", 2.1)]
)
def test_a_slider_is_set_within_its_limits_only(name, value):
    widget = live()
    before = getattr(widget, name)
    with pytest.raises(ValueError, match=f"{name}: got .*, expected a number from"):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


def test_a_page_of_another_size_is_refused():
    with pytest.raises(ValueError, match="page: got 3 bytes, expected 784"):
        live().page = b"123"


# The same in JavaScript -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def javascript(tmp_path_factory):
    """Calls functions of ink.js on arrays in one Node process."""
    if NODE is None:
        pytest.skip(NO_NODE)
    module = tmp_path_factory.mktemp("ink") / "ink.mjs"
    shutil.copy(ROOT / "capslib/widgets/js/ink.js", module)

    def call(*calls):
        calls = [{"name": name, "args": args} for name, *args in calls]
        command = [NODE, ROOT / "tests/widgets/core.mjs", module]
        done = subprocess.run(
            command, input=json.dumps(calls, default=sent), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout, object_hook=received)

    return call


def page_of(widget):
    return np.frombuffer(widget.page, np.uint8).astype(np.float32)


def test_the_picture_in_javascript_is_pythons(data, javascript):
    calls, expected = [], []
    for n in range(60):
        widget = live(data.x_test, start=n)
        widget.turn = float(RNG.choice([0, 90, -90, 180, RNG.integers(-180, 181)]))
        widget.right, widget.down = map(float, RNG.integers(-14, 15, 2) * RNG.choice([0, 1]))
        widget.scale = float(RNG.choice([1, RNG.uniform(0.5, 2)]))
        widget.swapped, widget.centred = bool(RNG.integers(2)), bool(RNG.integers(2))
        calls.append(("picture", page_of(widget), settings(widget)))
        expected.append(widget.image.ravel())
    found = javascript(*calls)
    np.testing.assert_allclose(np.stack(found), np.stack(expected), atol=2e-6)
    assert np.stack(expected).any(1).mean() > 0.8


def test_ink_cut_off_is_told_exactly_where_transforms_refuses_to_cut(data, javascript):
    calls, refused = [], []
    for n in range(40):
        x, widget = data.x_test[n : n + 1], live(data.x_test[n, ..., 0])
        widget.right = float(n % 12)
        calls.append(("cuts", page_of(widget), {"forward": [1, 0, 0, 1], "move": [0, n % 12]}))
        try:
            transforms.shift(x, n % 12)
        except ValueError as error:
            assert re.search("off a canvas", str(error))
            refused.append(True)
        else:
            refused.append(False)
    assert javascript(*calls) == refused and 5 < sum(refused) < 35
