"""The lessons' exercises and quizzes: `exercises.check("name", solution)` tries a solution of the one of that name.

One file a lesson says what is expected, by plain loops, as the task in the lesson spells it out.
"""

from capslib.exercises import (
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_10,
)
from capslib.exercises.check import EXERCISES, LESSON_OF, Exercise, Matching, check, passes
from capslib.exercises.quizzes import QUIZZES, quiz
from capslib.exercises.report import report

__all__ = ["EXERCISES", "QUIZZES", "Exercise", "Matching", "check", "passes", "quiz", "report"]

for _lesson in (
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_10,
):
    EXERCISES.update(_lesson.EXERCISES)
    LESSON_OF.update(dict.fromkeys(_lesson.EXERCISES, _lesson.__name__.rpartition("_")[2]))
