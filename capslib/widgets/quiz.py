"""A few questions with choices, each of which is answered with an explanation of its own (the end of every lesson)."""

import html
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass

import traitlets

from capslib import plots
from capslib.checks import is_whole
from capslib.widgets.base import Checked, Widget, validate

CHOICES = (2, 6)
"""The fewest and the most choices of a question."""


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        text: what is asked.
        choices: choice → what is said to who chooses it.
        right: the choice that is right.
    """

    text: str
    choices: dict[str, str]
    right: str


def _checked_questions(name, questions):
    """`questions` as a list of dicts, as the page gets them."""
    if not isinstance(questions, list | tuple) or not questions:
        raise ValueError(f"{name}: got {questions!r:.60}, expected a list of Question, at least one")
    for question in questions:
        if not isinstance(question, Question):
            raise ValueError(f"{name}: got {question!r:.60} in it, expected a list of Question, at least one")
        if not CHOICES[0] <= len(question.choices) <= CHOICES[1]:
            raise ValueError(f"{name}: got {len(question.choices)} choices of {question.text!r:.60}, expected 2 to 6")
        if question.right not in question.choices:
            raise ValueError(f"{name}: got {question.right!r:.60} as right, expected one of the choices")
    # Choices as pairs: answers are kept by their number, and a saved notebook sorts the keys of a dict.
    return [asdict(question) | {"choices": [list(pair) for pair in question.choices.items()]} for question in questions]


class Quiz(Widget, script="quiz.js", styles="quiz.css"):
    """Questions with radio buttons. Whatever is chosen is explained at once, and may be chosen anew.

    Attributes:
        questions: as given, read-only.
        chosen: for each question the number of the choice from 0, or None. It follows the learner, and may be set.
    """

    questions = traitlets.List(read_only=True).tag(sync=True)
    chosen = Checked()

    def __init__(self, questions, done: Callable[[], object] | None = None):
        """
        Args:
            questions: a list of Question.
            done: called once every question is answered correctly.

        Raises:
            ValueError: naming the argument, if one is not as said here; likewise when `chosen` is set later.
        """
        questions = _checked_questions("questions", questions)
        super().__init__(questions=questions, chosen=[None] * len(questions))
        if done is not None:
            self.observe(lambda change: done() if self.correct == len(questions) else None, "chosen")

    @validate("chosen")
    def _one_for_each(self, name, chosen):
        counts = [len(question["choices"]) for question in self.questions]
        fits = isinstance(chosen, list | tuple) and len(chosen) == len(counts)
        for k, count in zip(chosen, counts, strict=True) if fits else ():
            fits = fits and (k is None or (is_whole(k) and 0 <= k < count))
        if not fits:
            raise ValueError(
                f"{name}: got {chosen!r:.60}, expected for each question None or the number of a choice from 0"
            )
        return [None if k is None else int(k) for k in chosen]

    @property
    def correct(self) -> int:
        """How many questions are answered correctly."""
        rights = [[c for c, _ in question["choices"]].index(question["right"]) for question in self.questions]
        return sum(k == right for k, right in zip(self.chosen, rights, strict=True))

    def describe(self) -> str:
        asked = " ".join(
            f"{n}. {question['text']} ({' / '.join(choice for choice, _ in question['choices'])})"
            for n, question in enumerate(self.questions, 1)
        )
        return f"A quiz, {self.correct} of {len(self.questions)} answered correctly. {asked.rstrip('.')}."

    def picture(self) -> bytes:
        lines = []
        for n, question in enumerate(self.questions, 1):
            lines += textwrap.wrap(f"{n}. {question['text']}", 96)
            for choice, _ in question["choices"]:
                lines += textwrap.wrap(choice, 95, initial_indent="    ○ ", subsequent_indent="       ")
            lines.append("")
        return plots.png(plots.text_page(lines[:-1]), saved=True)

    def _repr_mimebundle_(self, **kwargs):
        """With the questions as text, for pages on which no widget lives."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        items = "".join(
            f"<li>{html.escape(question['text'])}<ul>"
            + "".join(f"<li>{html.escape(choice)}</li>" for choice, _ in question["choices"])
            + "</ul></li>"
            for question in self.questions
        )
        return {**data, "text/html": f"<ol>{items}</ol>"}, metadata
