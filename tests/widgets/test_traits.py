"""Every trait of every widget refuses, by name, what does not fit, and keeps what it held; from Python and a page."""

import copy
import re

import anywidget
import numpy as np
import pytest
import traitlets

from capslib.checks import check_number, check_whole
from capslib.widgets import MarginLossExplorer, SquashExplorer
from capslib.widgets.base import Checked, Refused, Widget, validate
from capslib.widgets.vote_router import EXAMPLE
from tools.browser.examples import EXAMPLES

NOT_OURS = {"_esm", "_css", "_anywidget_id", *anywidget.AnyWidget().keys}

BAD = [-1, -0.5, 10**6, 1e6, np.nan, np.inf, True, False, None, "no such word", "", b"", b"\0\1\2\3", object]
BAD += [[], [-1], [0.5], [1e6], [np.nan], [None], ["no such word"], [[1], [1, 2]], {}, {"no such word": -1}]

FITS = {
    "ConditionExplorer": {"networks": [[], ["capsnet_3"]], "seeds": [True, False], "asks": [True, False]},
    "Diagnosis": {"looked": [[]], "named": [[]], "tried": [[]], "suspect": [-1]},
    "LiveCapsNet": {
        **{name: [-1, -0.5] for name in ("turn", "right", "down")},
        **{name: [True, False] for name in ("swapped", "centred")},
        "offset": [10**6, 1e6],
        "upper": [-1],
    },
    "MarginLossExplorer": {"present": [[]], "with_softmax": [True, False]},
    "PoseExplorer": {"centred": [True, False], "digit": [-1], "offset": [10**6, 1e6]},
    "PoseVotes": {"_told": ["no such word", ""], "ghosts": [True, False]},
    "VoteRouter": {"offset": [10**6, 1e6], "votes": [np.array([*EXAMPLE, EXAMPLE[-1]], float).tolist()]},
    "RoutingExplorer": {"lengths": [[]]},
}
"""What of BAD a trait takes nevertheless."""


def ours(widget):
    return sorted(set(widget.keys) - NOT_OURS)


def damaged(value):
    """Values like the one that a trait holds, of which one thing is wrong."""
    if isinstance(value, bytes):
        return [value[:-1], value + b"\0"]
    if not isinstance(value, list | tuple) or not value:
        return []
    shorter, longer = list(value[:-1]), [*value, value[-1]]
    return [shorter, longer, *([broken, *value[1:]] for broken in (np.nan, 1e6, -1e6, "no such word", None, []))]


def alike(one, other):
    """Whether two states are the same, types included: True is not 1."""
    return repr(one) == repr(other)


@pytest.mark.parametrize("way", ["Python", "page"])
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_what_does_not_fit_a_trait_is_refused_by_name_and_changes_nothing(name, way):
    widget, wrong = EXAMPLES[name](), []
    before = copy.deepcopy(widget.get_state(ours(widget)))
    for trait in ours(widget):
        fits = FITS.get(name, {}).get(trait, [])
        for bad in [*BAD, *damaged(before[trait])]:
            if any(alike(bad, fit) for fit in fits) or alike(bad, before[trait]):
                continue
            try:
                widget.set_state({trait: bad}) if way == "page" else setattr(widget, trait, bad)
                told = "taken"
            except (traitlets.TraitError, ValueError) as error:
                told = "" if re.search(rf"\b{trait}\b", str(error)) else f"no name in: {error}"
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
            changed = not alike(widget.get_state(ours(widget)), before)
            if told or changed:
                wrong.append((trait, f"{bad!r:.60}", f"{told:.80}", "changed" if changed else "kept"))
            if changed:
                widget = EXAMPLES[name]()
    assert wrong == []


# The means, on a widget of their own -------------------------------------------------------------------------------


class Range(Widget):
    low = Checked(check_number, 0, 1, default=0.0)
    high = Checked(check_number, 0, 1, default=1.0)
    steps = Checked(check_whole, 1, 9, default=5, read_only=True)

    @validate("low", "high")
    def _in_order(self, name, value):
        if self.low > self.high:
            raise ValueError(f"{name}: got {value:g}, expected low at most high")
        return value


@pytest.fixture
def told(monkeypatch):
    """Names of traits whose values were sent to the page again, a list each time; a name alone is one just set."""
    told = []
    monkeypatch.setattr(
        Widget, "send_state", lambda _, key: told.append(sorted(key)) if isinstance(key, list) else None
    )
    return told


def state(widget):
    return widget.low, widget.high, widget.steps


def test_a_refusal_is_a_value_error_to_us_and_a_trait_error_to_traitlets():
    for wrong in ({"low": -1}, {"low": "a"}, {"low": 0.5, "high": 0.2}, {"steps": 0}):
        with pytest.raises(ValueError, match="got") as refused:
            Range(**wrong)
        assert isinstance(refused.value, traitlets.TraitError) and isinstance(refused.value, Refused)


@pytest.mark.parametrize("sent", [{"high": 0.4, "low": 2}, {"low": 0.6, "high": 0.4}, {"high": 0.4, "steps": 3}])
def test_what_comes_at_once_is_taken_whole_or_not_at_all_and_the_page_is_told(told, sent):
    widget = Range(low=0.1, high=0.9)
    with pytest.raises(Refused):
        widget.set_state(sent)
    assert state(widget) == (0.1, 0.9, 5) and told == [sorted(sent)]
    widget.set_state({"low": 0.95, "high": 1})  # High enough only when both have arrived.
    assert state(widget) == (0.95, 1, 5) and len(told) == 1


def test_what_is_read_only_is_set_by_the_widget_alone(told):
    widget = Range(steps=3)
    assert state(widget) == (0, 1, 3)
    with pytest.raises(traitlets.TraitError, match="steps"):
        widget.steps = 4
    with pytest.raises(Refused, match="steps: got a value from the page"):
        widget.set_state({"steps": 4})
    assert widget.steps == 3 and told == [["steps"]]


def test_arrays_of_a_widget_are_sent_as_lists_and_come_back():
    for widget, name in ((SquashExplorer(), "s"), (MarginLossExplorer([0.2, 0.8], 1), "lengths")):
        sent = widget.get_state()[name]
        assert isinstance(sent, list)
        widget.set_state({name: [x / 2 for x in sent]})
        np.testing.assert_allclose(getattr(widget, name), np.array(sent) / 2)
        with pytest.raises(ValueError, match="read-only"):
            getattr(widget, name)[0] = 0
