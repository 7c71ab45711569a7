"""Checks of exercises: right solutions pass, every foreseen mistake gets its own hint, and nothing raises."""

import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

from capslib import equations, exercises
from capslib.exercises import EXERCISES
from tests import ROOT

MISTAKES = [(name, hint) for name, exercise in EXERCISES.items() for hint in exercise.mistakes]


@pytest.fixture
def shown(monkeypatch):
    """The pictures that a check shows, with their alt texts."""
    pictures = []
    monkeypatch.setattr("capslib.plots.show", lambda fig, alt: pictures.append((fig, alt)))
    return pictures


def softmax_backward(c, g):
    return c * (g - (c * g).sum(-1, keepdims=True))


def agreement_without_votes(u, W, v):
    return u @ np.einsum("djk,jk->dj", W, v)


def slot_readout(u, q):
    c = equations.softmax(u @ q.T)
    return (c / c.sum(0)).T @ u


SOLUTIONS = {f.__name__: f for f in (softmax_backward, agreement_without_votes, slot_readout)}


@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_solution_is_told_so_beside_a_picture(name, shown, capsys):
    assert exercises.check(name, SOLUTIONS[name]) is True
    assert capsys.readouterr().out == "right\n"
    ((fig, alt),) = shown
    counted, size = re.fullmatch(r"Expected numbers beside yours: (\d+) of (\d+) agree\.", alt).groups()
    assert counted == size and len(fig.axes) == 2


@pytest.mark.parametrize("name", EXERCISES)
def test_the_plain_loops_pass_their_own_check(name, shown):
    assert exercises.check(name, EXERCISES[name].expected)


@pytest.mark.parametrize("name", EXERCISES)
def test_another_type_of_number_is_right_too(name, shown):
    assert exercises.check(name, lambda *arguments: SOLUTIONS[name](*arguments).astype("float32"))
    assert exercises.check(name, lambda *arguments: SOLUTIONS[name](*arguments).tolist())


@pytest.mark.parametrize(("name", "hint"), MISTAKES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(MISTAKES)])
def test_every_foreseen_mistake_gets_its_own_hint(name, hint, shown, capsys):
    assert exercises.check(name, EXERCISES[name].mistakes[hint]) is False
    assert capsys.readouterr().out == f"not yet: {hint}\n"
    assert not re.match(r".*: (\d+) of \1 agree", shown[0][1])


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    ("solution", "said"),
    [
        (lambda *arguments: None, "it returns nothing so far"),
        (lambda *arguments: ..., "it returns nothing so far"),
        (lambda *arguments: 1 / 0, "it raised ZeroDivisionError: division by zero"),
        (lambda *arguments: [[1, 2], [3]], "it returns a list, expected an array"),
        (lambda *arguments: {"a": 1}, "it returns a dict, expected an array"),
        (lambda *arguments: "right", "it returns a str, expected an array"),
        (lambda *arguments: np.zeros((7, 1)), r"it returns the shape \(7, 1\), expected \(\d, \d\)"),
        (lambda: None, "it raised TypeError"),
        (None, "it raised TypeError"),
    ],
)
def test_what_is_no_answer_yet_is_named_with_a_hint_where_to_start(name, solution, said, shown, capsys):
    assert exercises.check(name, solution) is False
    out = capsys.readouterr().out
    assert re.match(f"not yet: {said}", out) and out.endswith(f"{EXERCISES[name].hint}\n")
    assert "0 of" in shown[0][1] and "nothing yet" in {text.get_text() for text in shown[0][0].axes[1].texts}


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("wrong", [0.5, np.nan, np.inf])
def test_an_unforeseen_wrong_number_is_framed_and_answered_with_the_hint(name, wrong, shown, capsys):
    def nearly(*arguments):
        result = SOLUTIONS[name](*arguments)
        result[1, 0] += wrong
        return result

    assert exercises.check(name, nearly) is False
    assert capsys.readouterr().out == f"not yet: The numbers in frames differ. {EXERCISES[name].hint}\n"
    (frame,) = shown[0][0].axes[1].patches
    assert frame.get_x() < 0 < frame.get_x() + frame.get_width() and frame.get_y() < 1 < frame.get_y() + 0.88


def test_a_solution_may_change_its_arguments_without_harm(shown):
    def careless(c, g):
        g -= (c * g).sum(-1, keepdims=True)
        c *= g
        return c

    before = [np.copy(argument) for argument in EXERCISES["softmax_backward"].arguments]
    assert exercises.check("softmax_backward", careless)
    for argument, kept in zip(EXERCISES["softmax_backward"].arguments, before, strict=True):
        np.testing.assert_array_equal(argument, kept)


def test_votes_that_were_made_after_all_are_noticed(shown, capsys):
    def with_votes(u, W, v):
        return equations.agreement(equations.predict(u, W), v)

    assert exercises.check("agreement_without_votes", with_votes) is False
    assert re.match(r"not yet: The numbers are right, but more than [\d,]+ were in memory", capsys.readouterr().out)


def test_a_solution_for_one_size_alone_is_noticed(shown, capsys):
    def for_four(u, W, v):
        return np.zeros((4, 2)) + agreement_without_votes(u, W, v)

    assert exercises.check("agreement_without_votes", for_four) is False
    assert "For a larger one it raised ValueError" in capsys.readouterr().out


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ValueError, match="name: got 'squash', expected one of softmax_backward, "):
        exercises.check("squash", lambda s: s)


def test_every_exercise_has_a_stub_in_a_lesson_and_a_solution():
    for name in EXERCISES:
        for folder in ("notebooks", "notebooks/solutions"):
            there = [path.name for path in (ROOT / folder).glob("*.ipynb") if f'check(\\"{name}\\"' in path.read_text()]
            assert len(there) == 1, (name, folder, there)


# Numbers of their own ---------------------------------------------------------------------------------------------

LESSONS = [
    importlib.import_module(f"capslib.exercises.{module.name}")
    for module in pkgutil.iter_modules(exercises.__path__)
    if module.name.startswith("lesson_")
]


def test_every_lessons_exercises_are_found_under_names_of_their_own():
    names = [name for lesson in LESSONS for name in lesson.EXERCISES]
    assert names and names == list(EXERCISES) and len(names) == len(set(names))


def same_arguments(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def changed_by_an_inserted_exercise(lesson, source):
    """Names of the exercises that have other numbers once one more exercise is put before the first."""
    entries = list(re.finditer(r"^    \"(\w+)\": Exercise\(\n.*?^    \),\n", source, re.M | re.S))
    first, found = entries[0].start(), set()
    for entry in entries:
        inserted = entry[0].replace(f'"{entry[1]}"', '"inserted"', 1)
        namespace = {"__name__": "changed"}
        exec(source[:first] + inserted + source[first:], namespace)
        assert list(namespace["EXERCISES"]) == ["inserted", *lesson.EXERCISES]
        for name, exercise in lesson.EXERCISES.items():
            if not same_arguments(exercise.arguments, namespace["EXERCISES"][name].arguments):
                found.add(name)
    return found


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.__name__)
def test_an_inserted_exercise_changes_the_numbers_of_no_other(lesson):
    assert not changed_by_an_inserted_exercise(lesson, Path(lesson.__file__).read_text(encoding="utf-8"))
    # Nor may one generator be drawn from by statement after statement.
    assert not [name for name, value in vars(lesson).items() if isinstance(value, np.random.Generator)]
    seeds = re.findall(r"\b(?:draw|default_rng)\((\d+)", Path(lesson.__file__).read_text(encoding="utf-8"))
    assert len(seeds) == len(set(seeds)) > 0


def test_a_shared_generator_is_noticed():
    lesson = LESSONS[-1]
    source = Path(lesson.__file__).read_text(encoding="utf-8")
    generator = (
        "RNG = np.random.default_rng(10)\n\n\ndef draw(_, *shapes):\n    return [RNG.normal(size=n) for n in shapes]"
    )
    shared = source.replace("\n\n\ndef ", f"\n\n\n{generator}\n\n\ndef ", 1)
    namespace = {"__name__": "shared"}
    exec(shared, namespace)

    class Lesson:
        EXERCISES = namespace["EXERCISES"]

    assert changed_by_an_inserted_exercise(Lesson, shared)
