"""Diagnosis: what it takes, what it refuses, its points, and what it says where it cannot live."""

import json

import pytest

from capslib.bugs import CASES
from capslib.widgets import Diagnosis


@pytest.fixture
def diagnosis():
    return Diagnosis("break")


def test_looks_and_tests_cost_a_point_and_a_wrong_name_three(diagnosis):
    right = diagnosis.facts["right"]
    assert diagnosis.points == 10 and not diagnosis.solved
    diagnosis.looked, diagnosis.tried = [0, 3], [[right, 1]]
    assert diagnosis.points == 7
    diagnosis.named = [(right + 1) % 4]
    assert diagnosis.points == 4 and not diagnosis.solved
    diagnosis.named = [(right + 1) % 4, right]
    assert diagnosis.points == 4 and diagnosis.solved
    diagnosis.named = [n for n in range(4) if n != right]
    assert diagnosis.points == 0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("looked", [5], "looked: got \\[5\\], expected different whole numbers from 0 to 4"),
        ("looked", [1, 1], "looked: got \\[1, 1\\], expected different"),
        ("looked", 1, "looked: got 1, expected different"),
        ("named", [True], "named: got \\[True\\], expected different whole numbers from 0 to 3"),
        ("suspect", 4, "suspect: got 4, expected a whole number from -1 to 3"),
        ("tried", [[0, 4]], "tried: got \\[\\[0, 4\\]\\], expected pairs of a suspect and a test"),
        ("tried", [0, 1], "tried: got \\[0, 1\\], expected pairs"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(diagnosis, name, value, said):
    before = getattr(diagnosis, name)
    with pytest.raises(ValueError, match=said):
        setattr(diagnosis, name, value)
    assert getattr(diagnosis, name) == before


@pytest.mark.parametrize(
    ("arguments", "said"), [(("squash",), "case: got 'squash'"), (("break", -1), "seed: got -1, expected")]
)
def test_a_case_that_is_not_there_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        Diagnosis(*arguments)


def test_it_says_the_complaint_and_what_was_looked_at_and_gives_nothing_away(diagnosis):
    assert "interrupted after epoch 2" in diagnosis.describe() and "patient 0.24" in diagnosis.describe()
    assert "Learning rate" not in diagnosis.describe() and "batch size" not in repr(diagnosis)
    assert "10 of 10 points are left; 5 more quantities are on offer." in diagnosis.describe()
    for looked, offer in (
        ([0, 1], "3 more quantities are"),
        ([0, 1, 2, 3], "1 more quantity is"),
        ([*range(5)], "no more quantities are"),
    ):
        diagnosis.looked = looked
        assert f"{10 - len(looked)} of 10 points are left; {offer} on offer." in diagnosis.describe()
    diagnosis.looked = [3]
    assert "Learning rate in each epoch: Last over first: healthy 1.00, patient 1.00." in diagnosis.describe()


@pytest.mark.parametrize("key", CASES)
def test_every_case_reaches_the_page_as_plain_numbers_with_one_test_that_tells(key):
    facts = Diagnosis(key).facts
    json.dumps(facts, allow_nan=False)
    assert len(json.dumps(facts)) < 12_000
    alone = [n == facts["right"] for n in range(len(facts["suspects"]))]
    assert [test["same"] for test in facts["tests"]].count(alone) >= 1
    against = [suspect["against"] for suspect in facts["suspects"]]
    assert [bool(text) for text in against] == [not right for right in alone]
    assert facts["number"] == list(CASES).index(key) + 1


def test_what_speaks_against_a_suspect_is_said_with_both_numbers(diagnosis):
    against = [suspect["against"] for suspect in diagnosis.facts["suspects"] if "learning rate" in suspect["text"]]
    said = "Learning rate in each epoch (last over first): planted, it gives 0.10, and the patient gives 1.00."
    assert against == [f"What speaks against it: {said}"]
