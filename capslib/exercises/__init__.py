"""The lessons' exercises and quizzes: `exercises.check("name", solution)` tries a solution of the one of that name.

One file a lesson says what is expected, by plain loops, as the task in the lesson spells it out. The bug lab's says
what a healthy step passes.
"""

import importlib

from capslib.exercises.check import EXERCISES, LESSON_OF, Exercise, Matching, check, passes
from capslib.exercises.mend import Mend
from capslib.exercises.quizzes import QUIZZES, quiz
from capslib.exercises.report import report

__all__ = ["EXERCISES", "QUIZZES", "Exercise", "Matching", "Mend", "check", "passes", "quiz", "report"]

for _number in ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "A2"):
    _lesson = importlib.import_module(f"capslib.exercises.lesson_{_number}")
    EXERCISES.update(_lesson.EXERCISES)
    LESSON_OF.update(dict.fromkeys(_lesson.EXERCISES, _number))
