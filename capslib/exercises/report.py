"""What a learner has done so far, lesson by lesson."""

from capslib.exercises import progress
from capslib.exercises.check import LESSON_OF
from capslib.exercises.quizzes import QUIZZES


def report() -> str:
    """A line for each lesson that has a quiz or exercises, with a tick beside what is done.

    `progress.reset()` forgets it all.
    """
    done = progress.done()
    lines = []
    for lesson in sorted({*QUIZZES, *LESSON_OF.values()}):
        parts = [(lesson in done["quizzes"], "quiz")] if lesson in QUIZZES else []
        parts += [(name in done["exercises"], name) for name, its in LESSON_OF.items() if its == lesson]
        lines.append(f"{lesson}   " + "   ".join(f"{'✓' if is_done else '·'} {name}" for is_done, name in parts))
    return "\n".join(lines)
