"""Quiz: what it takes, what it refuses, when it is done, and the questions of the lessons."""

import json
import re

import pytest

from capslib import exercises
from capslib.exercises import QUIZZES, progress
from capslib.widgets import Question, Quiz
from tests import ROOT

SUM = Question("What is 1 + 1?", {"1": "That is 1 · 1.", "2": "One and one.", "3": "That is 1 + 2."}, "2")
SHAPE = Question("Which shape has c?", {"(I, J)": "One for each pair.", "(J,)": "Those are lengths."}, "(I, J)")


def test_right_answers_are_counted_and_the_last_one_is_told_once_it_is_there():
    told = []
    quiz = Quiz([SUM, SHAPE], lambda: told.append("done"))
    assert quiz.chosen == [None, None] and quiz.correct == 0
    for chosen, correct in (([0, None], 0), ([1, None], 1), ([1, 1], 1), ([2, 0], 1)):
        quiz.chosen = chosen
        assert quiz.correct == correct and told == []
    quiz.chosen = [1, 0]
    assert quiz.correct == 2 and told == ["done"]


def test_a_saved_quiz_keeps_the_order_of_its_choices():
    """Jupyter sorts the keys of what it saves, and JavaScript puts keys that are numbers first."""
    question = Question("What is 5 + 5?", {"ten": "In words.", "10": "In digits.", "9": "Too small."}, "10")
    saved = json.loads(json.dumps(Quiz([question]).get_state(), sort_keys=True, default=str))
    assert saved["questions"][0]["choices"] == [list(pair) for pair in question.choices.items()]


@pytest.mark.parametrize(
    "chosen", [[0], [0, 0, 0], [3, 0], [0, 2], [-1, 0], [True, 0], [0.0, 0], ["2", 0], None, 1, "00"]
)
def test_what_is_no_choice_is_refused_and_changes_nothing(chosen):
    quiz = Quiz([SUM, SHAPE])
    quiz.chosen = [1, None]
    with pytest.raises(
        ValueError, match="chosen: got .*, expected for each question None or the number of a choice from 0"
    ):
        quiz.chosen = chosen
    assert quiz.chosen == [1, None]


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        ([], "questions: got \\[\\], expected a list of Question, at least one"),
        (SUM, "questions: got Question.*, expected a list of Question, at least one"),
        (["What?"], "questions: got 'What\\?' in it, expected a list of Question"),
        ([Question("What?", {"a": "A."}, "a")], "questions: got 1 choices of 'What\\?', expected 2 to 6"),
        ([Question("What?", {"a": "A.", "b": "B."}, "c")], "questions: got 'c' as right, expected one of the choices"),
    ],
)
def test_what_is_no_question_is_refused(questions, said):
    with pytest.raises(ValueError, match=said):
        Quiz(questions)


def test_where_no_widget_lives_the_questions_are_plain_text_without_the_answers():
    data, _ = Quiz([SUM, Question("Is 1 < 2?", {"yes": "It is.", "no": "It is not."}, "yes")])._repr_mimebundle_()
    for kind in ("text/html", "text/plain"):
        assert "What is 1 + 1?" in data[kind] and "(I, J)" not in data[kind] and "One and one" not in data[kind]
    assert "<li>Is 1 &lt; 2?<ul><li>yes</li><li>no</li></ul></li>" in data["text/html"]


# The quizzes of the lessons -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", QUIZZES)
def test_a_lesson_asks_three_to_five_questions_and_explains_every_choice_in_its_own_words(lesson):
    assert 3 <= len(QUIZZES[lesson]) <= 5
    said = [explanation for question in QUIZZES[lesson] for explanation in question.choices.values()]
    assert len(set(said)) == len(said) and all(re.fullmatch(r"\S.{8,}[.?]", text) for text in said)
    assert all(len(question.choices) >= 3 for question in QUIZZES[lesson])


def test_the_right_choice_is_not_always_in_one_place():
    places = [list(question.choices).index(question.right) for questions in QUIZZES.values() for question in questions]
    assert {0, 1} <= set(places) and max(map(places.count, set(places))) < 0.7 * len(places)


@pytest.mark.parametrize("lesson", QUIZZES)
def test_in_no_lesson_all_right_choices_stand_at_the_same_place(lesson):
    assert len({list(question.choices).index(question.right) for question in QUIZZES[lesson]}) > 1


def test_every_quiz_stands_in_its_lesson_and_no_other():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        asked = re.findall(r"exercises\.quiz\(\\\"(\w+)\\\"\)", path.read_text(encoding="utf-8"))
        assert asked == ([path.name[:2]] if path.name[:2] in QUIZZES else []), path.name


def test_a_quiz_answered_correctly_is_noted(monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    quiz = exercises.quiz("04")
    quiz.chosen = [0] * len(quiz.questions)
    assert progress.done()["quizzes"] == []
    quiz.chosen = [list(question.choices).index(question.right) for question in QUIZZES["04"]]
    assert progress.done()["quizzes"] == ["04"]


def test_a_lesson_without_a_quiz_is_named():
    with pytest.raises(ValueError, match="lesson: got '99', expected one of 01, "):
        exercises.quiz("99")


def test_the_report_lists_what_is_done_by_lesson(monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    progress.note("exercises", "slot_readout")
    progress.note("quizzes", "10")
    lines = {line.split()[0]: line for line in exercises.report().splitlines()}
    assert lines.keys() >= set(QUIZZES)
    assert "✓ quiz" in lines["10"] and "✓ slot_readout" in lines["10"] and "· softmax_backward" in lines["10"]
    assert "✓" not in lines["04"] and "· quiz" in lines["04"]
