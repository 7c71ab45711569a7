"""The quiz at the end of every lesson; the questions are in quizzes.toml."""

import tomllib
from pathlib import Path

from capslib.exercises import progress
from capslib.widgets import Question, Quiz

QUIZZES: dict[str, list[Question]] = {
    lesson: [Question(**question) for question in questions]
    for lesson, questions in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items()
}
"""Number of a lesson → its questions."""


def quiz(lesson: str) -> Quiz:
    """The quiz of a lesson. Once every question is answered correctly, this is noted in the learner's progress.

    Args:
        lesson: its number, a key of QUIZZES.

    Raises:
        ValueError: if there is no such quiz.
    """
    if lesson not in QUIZZES:
        raise ValueError(f"lesson: got {lesson!r}, expected one of {', '.join(QUIZZES)}")
    return Quiz(QUIZZES[lesson], lambda: progress.note("quizzes", lesson))
