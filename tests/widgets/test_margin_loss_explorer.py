"""What the margin-loss explorer is from Python: what it reads, what it refuses, what stands in for it."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from capslib import equations
from capslib.widgets import MarginLossExplorer

LENGTHS = np.array([0.04, 0.06, 0.12, 0.62, 0.02, 0.3, 0.05, 0.09, 0.45, 0.2])
TRAINED = np.where(np.arange(10) == 3, 0.97, 0.03)


def expected(lengths, present, **margins):
    return equations.margin_loss(np.isin(np.arange(len(lengths)), present)[None] * 1.0, lengths[None], **margins)[0]


@pytest.mark.parametrize("present", [3, [3], [3, 8], [], np.int64(3), (8, 3), np.array([3, 8])])
def test_loss_and_gradient_are_those_of_the_equations(present):
    widget = MarginLossExplorer(LENGTHS, present, m_plus=0.8, m_minus=0.2, lam=0.3)
    classes = sorted(np.atleast_1d(present).astype(int).tolist())
    assert widget.present == classes
    np.testing.assert_array_equal(widget.y_true, np.isin(np.arange(10), classes))
    margins = {"m_plus": 0.8, "m_minus": 0.2, "lam": 0.3}
    assert widget.loss == pytest.approx(expected(LENGTHS, classes, **margins))
    nudges = [
        (expected(LENGTHS + d, classes, **margins) - expected(LENGTHS - d, classes, **margins)) / 2e-6
        for d in 1e-6 * np.eye(10)
    ]
    np.testing.assert_allclose(widget.gradient, nudges, atol=1e-6)
    probabilities = np.exp(LENGTHS) / np.exp(LENGTHS).sum()
    assert widget.cross_entropy == pytest.approx(-np.log(probabilities[classes]).sum())


def test_untouched_it_has_the_papers_constants_and_the_softmax_beside_it():
    widget = MarginLossExplorer(LENGTHS, 3)
    assert (widget.m_plus, widget.m_minus, widget.lam, widget.with_softmax, widget.chosen) == (0.9, 0.1, 0.5, True, 3)
    assert MarginLossExplorer(LENGTHS, []).chosen == 3  # The longest, where none is present.


def test_what_is_set_is_read_back_and_what_is_read_cannot_be_changed_in_silence():
    widget = MarginLossExplorer(LENGTHS, 3)
    widget.lengths = list(TRAINED)
    widget.present = (5, 3)
    np.testing.assert_array_equal(widget.lengths, TRAINED)
    assert widget.present == [3, 5] and widget.loss == pytest.approx(0.87**2)
    with pytest.raises(ValueError, match="read-only"):
        widget.lengths[0] = 1
    with widget.hold_trait_notifications():  # Both margins at once, as the page sends them.
        widget.m_plus, widget.m_minus = 0.05, 0.02
    assert (widget.m_plus, widget.m_minus) == (0.05, 0.02)


def test_what_the_page_sends_back_is_taken():
    widget = MarginLossExplorer(LENGTHS, 3)
    widget.set_state({"lengths": TRAINED.tolist(), "present": [3, 5], "lam": 1, "m_minus": 0.3, "chosen": 5})
    np.testing.assert_array_equal(widget.lengths, TRAINED)
    assert (widget.present, widget.lam, widget.m_minus, widget.chosen) == ([3, 5], 1, 0.3, 5)
    assert widget.start == {"lengths": LENGTHS.tolist(), "present": [3]}
    json.dumps(widget.get_state())


BAD = [
    ({"lengths": np.ones((2, 5))}, r"lengths: got shape \(2, 5\), expected \(J,\)"),
    ({"lengths": [0.5]}, "lengths: got 1 of them, expected 2 to 12"),
    ({"lengths": np.zeros(13)}, "lengths: got 13 of them, expected 2 to 12"),
    ({"lengths": np.append(LENGTHS, 1.01)}, "lengths: got 1.01, expected numbers from 0 to 1"),
    ({"lengths": LENGTHS - 0.05}, "lengths: got -0.03, expected numbers from 0 to 1"),
    ({"lengths": np.full(10, np.nan)}, "lengths: got NaN"),
    ({"lengths": ["long"] * 10}, "lengths: got type"),
    ({"present": 10}, "present: got 10, expected a class from 0 to 9, or a list"),
    ({"present": -1}, "present: got -1"),
    ({"present": [3, 3]}, r"present: got \[3, 3\], expected a class from 0 to 9, or a list of different ones"),
    ({"present": [0, 0, 1]}, "present: got .* a list of different ones"),
    ({"present": 3.0}, "present: got 3.0"),
    ({"present": "three"}, "present: got 'three'"),
    ({"present": None}, "present: got None"),
    ({"m_plus": 1.2}, "m_plus: got 1.2, expected a number from 0 to 1"),
    ({"m_minus": "low"}, "m_minus: got 'low', expected a number from 0 to 1"),
    ({"lam": np.nan}, "lam: got nan"),
    ({"lam": True}, "lam: got True"),
    (
        {"m_plus": 0.2, "m_minus": 0.3},
        "m_plus: got 0.2, expected at least m_minus, 0.3|m_minus: got 0.3, expected at most m_plus, 0.2",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), BAD)
def test_bad_input_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        MarginLossExplorer(**{"lengths": LENGTHS, "present": 3, **wrong})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lengths", LENGTHS[:9], r"lengths: got shape \(9,\), expected \(10,\)"),
        ("present", 10, "present: got 10"),
        ("chosen", 10, "chosen: got 10, expected a class from 0 to 9"),
        ("m_plus", 0.05, "m_plus: got 0.05, expected at least m_minus, 0.1"),
        ("m_minus", 0.95, "m_minus: got 0.95, expected at most m_plus, 0.9"),
    ],
)
def test_what_is_set_later_is_checked_too_and_refused_whole(name, value, message):
    widget = MarginLossExplorer(LENGTHS, 3)
    before = np.array(getattr(widget, name))
    with pytest.raises(ValueError, match=message):
        setattr(widget, name, value)
    np.testing.assert_array_equal(getattr(widget, name), before)


def test_the_text_that_stands_in_for_it_says_what_it_shows():
    text = MarginLossExplorer(TRAINED, 3).describe()
    assert "The margin loss is 0.000; its gradient is 0 for 10 of the 10 classes." in text
    assert (
        f"at most {np.e / (np.e + 9):.3f}" in text and f"cross-entropy is {np.log(1 + 9 * np.exp(-0.94)):.3f}" in text
    )
    alone = MarginLossExplorer(LENGTHS, [3, 8], with_softmax=False).describe()
    assert "present: 3 and 8." in alone and "0 for 5 of the 10 classes" in alone and "softmax" not in alone
    assert "present: none." in MarginLossExplorer(LENGTHS, []).describe()


@pytest.mark.parametrize("present", [3, [3, 8], []])
@pytest.mark.parametrize("with_softmax", [True, False])
def test_a_picture_stands_in_for_it(present, with_softmax):
    png = MarginLossExplorer(LENGTHS, present, with_softmax=with_softmax).picture()
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG" and min(picture.size) > 200
