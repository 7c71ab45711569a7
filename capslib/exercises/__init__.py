"""The lessons' exercises: `exercises.check("name", solution)` tries a solution of the one of that name.

One file a lesson says what is expected, by plain loops, as the task in the lesson spells it out.
"""

from capslib.exercises import lesson_02, lesson_03, lesson_10
from capslib.exercises.check import EXERCISES, Exercise, Matching, check

__all__ = ["EXERCISES", "Exercise", "Matching", "check"]

for _lesson in (lesson_02, lesson_03, lesson_10):
    EXERCISES.update(_lesson.EXERCISES)
