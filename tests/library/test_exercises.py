"""Checks of exercises: right solutions pass, every foreseen mistake gets its own hint, and nothing raises."""

import importlib
import inspect
import json
import pkgutil
import re
import threading
import time

import numpy as np
import pytest

from capslib import equations, exercises
from capslib.exercises import EXERCISES, limits, progress
from tests import ROOT

check = importlib.import_module("capslib.exercises.check")  # the module; the package has the function of this name


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    """A data directory and a count of tries for each test."""
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    monkeypatch.setattr(check, "_tries", {})


@pytest.fixture
def unseen(monkeypatch):
    """Leaves out the pictures, which take most of the time, where a test is about what is said."""
    monkeypatch.setattr("capslib.plots.expected_and_got", lambda *given: None)
    monkeypatch.setattr("capslib.plots.show", lambda fig: None)


@pytest.fixture
def shown(monkeypatch):
    """The pictures that a check shows."""
    pictures = []
    monkeypatch.setattr("capslib.plots.show", pictures.append)
    return pictures


def solved():
    """The solutions in notebooks/solutions, by the name of their exercise."""
    found = {}
    for path in sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb")):
        namespace = {"keep": found.__setitem__}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]).replace("exercises.check(", "keep("), namespace)
    return found


SOLUTIONS = solved()
FUNCTIONS = [name for name, exercise in EXERCISES.items() if isinstance(exercise, exercises.Exercise)]
MATCHINGS = [name for name, exercise in EXERCISES.items() if isinstance(exercise, exercises.Matching)]
MISTAKES = [(name, hint) for name in FUNCTIONS for hint in EXERCISES[name].mistakes]
softmax_backward, agreement_without_votes = SOLUTIONS["softmax_backward"], SOLUTIONS["agreement_without_votes"]


def ask(name, solution, capsys):
    """Whether a check accepts a solution, and what it says."""
    accepted = exercises.passes(name, solution)
    return accepted, capsys.readouterr().out


# Right -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_right_solution_is_told_so_beside_a_picture_and_is_noted(name, shown, capsys):
    assert ask(name, SOLUTIONS[name], capsys) == (True, "right\n")
    (fig,) = shown
    counted, size = re.fullmatch(r"Expected numbers beside yours: (\d+) of (\d+) agree\.", fig.get_label()).groups()
    assert counted == size and len(fig.axes) == 2
    assert progress.done()["exercises"] == [name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_plain_loops_pass_their_own_check(name, unseen):
    assert exercises.passes(name, EXERCISES[name].expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_lesson_calls_leaves_the_notebook_nothing_to_print(name, unseen, capsys):
    assert exercises.check(name, SOLUTIONS[name]) is None and capsys.readouterr().out == "right\n"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_another_type_of_number_is_right_too(name, unseen):
    assert exercises.passes(name, lambda *arguments: np.asarray(SOLUTIONS[name](*arguments), "float32"))
    assert exercises.passes(name, lambda *arguments: np.asarray(SOLUTIONS[name](*arguments)).tolist())


def test_a_solution_may_change_its_arguments_without_harm(unseen):
    def careless(c, g):
        g -= (c * g).sum(-1, keepdims=True)
        c *= g
        return c

    edges = EXERCISES["softmax_backward"].edges
    before = [np.copy(argument) for _, arguments in edges for argument in arguments]
    assert exercises.passes("softmax_backward", careless)
    for argument, kept in zip([x for _, arguments in edges for x in arguments], before, strict=True):
        np.testing.assert_array_equal(argument, kept)


# Wrong -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "hint"), MISTAKES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(MISTAKES)])
def test_every_foreseen_mistake_gets_its_own_hint_whatever_was_tried_before(name, hint, unseen, capsys):
    for _ in range(3):
        accepted, said = ask(name, EXERCISES[name].mistakes[hint], capsys)
        assert not accepted and said.startswith("not yet: ") and said.endswith(f"\n{hint}\n")
    assert progress.done()["exercises"] == []


def forgets_root_and_zero(v, offset):
    presence = equations.length(v)[:, None]
    return offset * presence / (1 - presence) * v / presence


def fails_at_zero(v, offset):
    if not v.any(-1).all():
        raise ZeroDivisionError
    return forgets_root_and_zero(v, offset)


@pytest.mark.parametrize("solution", [forgets_root_and_zero, fails_at_zero])
def test_a_foreseen_mistake_gets_its_own_hint_although_an_edge_case_is_forgotten_too(solution, unseen, capsys):
    accepted, said = ask("unsquash", solution, capsys)
    assert not accepted and said.endswith("Your vectors have the length n. But n is the square of the length of s.\n")


def test_a_mistake_in_an_edge_case_alone_is_not_taken_for_another_one(unseen, capsys):
    def seven_at_zero(v, offset):
        return np.where(v.any(-1, keepdims=True), SOLUTIONS["unsquash"](v, offset), 7)

    accepted, said = ask("unsquash", seven_at_zero, capsys)
    assert not accepted and said.endswith(f"{EXERCISES['unsquash'].hints[0]}\n")


def test_numpy_does_not_warn_of_what_a_hint_is_about(unseen, recwarn):
    assert not exercises.passes("unsquash", forgets_root_and_zero)
    assert not recwarn.list


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_foresees_three_mistakes_and_has_hints_that_get_stronger(name):
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= 3 and len(exercise.hints) >= 3
    assert len(set(exercise.hints) | set(exercise.mistakes)) == len(exercise.hints) + len(exercise.mistakes)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_wrong_try_earns_a_stronger_hint_and_a_stub_none(name, unseen, capsys):
    hints = EXERCISES[name].hints

    def nearly(*arguments):
        return SOLUTIONS[name](*arguments) + 0.5

    for _ in range(3):
        assert ask(name, lambda *arguments: None, capsys)[1] == f"not yet: {check.NOTHING} {hints[0]}\n"
    for hint in [*hints, hints[-1]]:
        assert ask(name, nearly, capsys)[1].endswith(f"\n{hint}\n")


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("solution", "said"),
    [
        (lambda *arguments: None, check.NOTHING),
        (lambda *arguments: ..., check.NOTHING),
        (lambda *arguments: 1 / 0, "it raised ZeroDivisionError: division by zero"),
        (lambda *arguments: exit(), "it raised RuntimeError: SystemExit"),
        (lambda *arguments: [[1, 2], [3]], "it returns a list, expected an array"),
        (lambda *arguments: {"a": 1}, "it returns a dict, expected an array"),
        (lambda *arguments: int("one"), r"it raised ValueError: invalid literal for int\(\) with base 10: 'one'\.\n"),
        (lambda *arguments: np.ones(2) + np.ones(3), r"it raised ValueError: operands .* \(2,\) \(3,\)\.\n"),
        (
            lambda *arguments: np.sum(np.ones((2, 3)), axis=(1, 2)),
            r"it takes axis 2 of an array that has 2 axes, counted from 0\.",
        ),
        (lambda *arguments: "right", "it returns a str, expected an array"),
        (lambda *arguments: np.zeros((7, 1)), r"it returns the shape \(7, 1\), expected \("),
        (lambda s, *others: s if s > 0 else -s, r"it uses an array as one True or False\. `if` cannot .* np\.where"),
        (lambda: None, "it raised TypeError"),
        (None, "it raised TypeError"),
        (3, "it raised TypeError"),
    ],
)
def test_what_is_no_answer_yet_is_named_with_a_hint_where_to_start(name, solution, said, shown, capsys):
    accepted, out = ask(name, solution, capsys)
    assert not accepted and re.match(f"not yet: {said}", out) and out.endswith(f"{EXERCISES[name].hints[0]}\n")
    if said != check.NOTHING:  # A stub has nothing to show.
        assert "0 of" in shown[0].get_label() and "nothing yet" in {text.get_text() for text in shown[0].axes[1].texts}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("wrong", [0.5, np.nan, np.inf])
def test_an_unforeseen_wrong_number_is_named_and_framed(name, wrong, shown, capsys):
    def nearly(*arguments):
        result = np.array(SOLUTIONS[name](*arguments), float)
        result.flat[-1] += wrong
        return result

    accepted, out = ask(name, nearly, capsys)
    given, wanted = re.search(
        r"differs?\b.*: yours is (\S+), expected (\S+)\.\n", out.replace("differ,", "differs,")
    ).groups()
    assert not accepted and float(given) == pytest.approx(float(wanted) + wrong, rel=1e-3, abs=1e-3, nan_ok=True)
    yours = shown[0].axes[1]
    (frame,) = yours.patches
    rows, columns = yours.images[0].get_array().shape
    assert frame.get_x() < columns - 1 < frame.get_x() + frame.get_width()
    assert frame.get_y() < rows - 1 < frame.get_y() + frame.get_height()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_solution_for_one_shape_alone_is_noticed(name, unseen, capsys):
    exercise = EXERCISES[name]
    first = exercise.expected(*exercise.trials()[0][1])
    shapes = {tuple(map(np.shape, arguments)) for _, arguments in exercise.trials()}
    assert len(shapes) > 2  # of the arguments; a result may be one number whatever they are
    assert not exercises.passes(name, lambda *arguments: first)


def test_a_forgotten_edge_case_is_named(shown, capsys):
    def one_row_at_least_two(c, g):
        return softmax_backward(c, g) if len(c) > 1 else 1 / 0

    accepted, out = ask("softmax_backward", one_row_at_least_two, capsys)
    assert not accepted and out.startswith("not yet: for one lower capsule, it raised ZeroDivisionError")


def test_votes_that_were_made_after_all_are_noticed(shown, capsys):
    def with_votes(u, W, v):
        return equations.agreement(equations.predict(u, W), v)

    accepted, out = ask("agreement_without_votes", with_votes, capsys)
    assert not accepted and re.match(r"not yet: the numbers are right, but more than [\d,]+ were in memory", out)


def test_a_jacobian_that_was_built_after_all_is_noticed(shown, capsys):
    def with_jacobian(c, g):
        return np.einsum("ik,ikj->ij", g, c[..., None] * (np.eye(c.shape[1]) - c[:, None, :]))

    accepted, out = ask("softmax_backward", with_jacobian, capsys)
    assert not accepted and re.match(r"not yet: the numbers are right, but more than [\d,]+ were in memory", out)


def test_a_solution_that_fails_on_larger_arrays_is_noticed(shown, capsys):
    def for_few(u, W, v):
        return agreement_without_votes(u, W, v) if len(u) < 50 else 1 / 0

    accepted, out = ask("agreement_without_votes", for_few, capsys)
    assert not accepted and out.startswith("not yet: for larger arrays, it raised ZeroDivisionError")


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ValueError, match="name: got 'squash', expected one of .*softmax_backward, "):
        exercises.passes("squash", lambda s: s)


# What belongs to what ---------------------------------------------------------------------------------------------

PAIRS = exercises.Matching(
    {"a": "red", "b": "blue"},
    ("red", "blue", "green"),
    ("Look.", "Look at a.", "a is red."),
    {"You have them the wrong way round.": {"a": "blue", "b": "red"}},
)


@pytest.fixture
def pairs(monkeypatch):
    monkeypatch.setitem(EXERCISES, "pairs", PAIRS)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"a": "red", "b": "blue"}, "right"),
        ({"b": "blue", "a": "red"}, "right"),
        (None, "not yet: it returns nothing so far. Look."),
        ({"a": ..., "b": ...}, "not yet: it returns nothing so far. Look."),
        ({"a": "red", "b": ...}, "not yet: 1 of 2 answers are missing.\nLook."),
        ("red", "not yet: expected a dict with the keys 'a', 'b'.\nLook."),
        ({"a": "red"}, "not yet: expected a dict with the keys 'a', 'b'.\nLook."),
        ({"a": "rot", "b": "blue"}, "not yet: for 'a' it says 'rot', expected one of 'red', 'blue', 'green'.\nLook."),
        (
            {"a": ["red"], "b": "blue"},
            "not yet: for 'a' it says ['red'], expected one of 'red', 'blue', 'green'.\nLook.",
        ),
        ({"a": "green", "b": "blue"}, "not yet: 1 of 2 are right.\nLook."),
        ({"a": "blue", "b": "red"}, "not yet: 0 of 2 are right.\nYou have them the wrong way round."),
    ],
)
def test_what_belongs_to_what_is_judged_as_a_whole(answer, said, pairs, capsys):
    assert ask("pairs", answer, capsys) == (said == "right", f"{said}\n")
    assert progress.done()["exercises"] == (["pairs"] if said == "right" else [])


@pytest.mark.parametrize("name", MATCHINGS)
def test_the_matchings_of_the_lessons(name, capsys):
    matching = EXERCISES[name]
    assert ask(name, SOLUTIONS[name], capsys) == (True, "right\n")
    assert (
        ask(name, dict.fromkeys(matching.expected, ...), capsys)[1] == f"not yet: {check.NOTHING} {matching.hints[0]}\n"
    )
    for hint, wrong in matching.mistakes.items():
        assert set(wrong.values()) <= set(matching.words) > set(matching.expected.values())
        accepted, said = ask(name, wrong, capsys)
        assert not accepted and said.endswith(f"\n{hint}\n")


def test_hints_of_a_matching_get_stronger_too(pairs, capsys):
    for hint in ("Look.", "Look at a.", "a is red.", "a is red."):
        assert ask("pairs", {"a": "green", "b": "blue"}, capsys)[1].endswith(f"\n{hint}\n")


# Endless ----------------------------------------------------------------------------------------------------------


def endless(*arguments):
    while True:
        pass


def stubborn(*arguments):
    while True:
        try:
            while True:
                pass
        except Exception:
            pass


@pytest.mark.parametrize("solution", [endless, stubborn, lambda *arguments: time.sleep(3)])
def test_an_endless_loop_is_stopped_and_said_so_and_the_next_try_is_free(solution, shown, capsys, monkeypatch):
    monkeypatch.setattr(check, "SECONDS", 0.2)
    accepted, out = ask("softmax_backward", solution, capsys)
    assert not accepted and out.startswith("not yet: it ran for more than 0.2 seconds and was stopped.")
    monkeypatch.setattr(check, "SECONDS", 60)
    assert exercises.passes("softmax_backward", softmax_backward)


def test_a_stopped_loop_leaves_no_thread_behind():
    before = threading.active_count()
    with pytest.raises(limits.TookTooLong):
        limits.call(endless, (), 0.1)
    assert threading.active_count() == before


# Progress ---------------------------------------------------------------------------------------------------------


def test_progress_is_kept_once_in_order_and_forgotten_on_demand():
    assert progress.done() == {"exercises": [], "quizzes": []}
    for kind, name in (("exercises", "b"), ("quizzes", "q"), ("exercises", "a"), ("exercises", "b")):
        progress.note(kind, name)
    assert progress.done() == {"exercises": ["b", "a"], "quizzes": ["q"]}
    progress.reset()
    progress.reset()
    assert progress.done() == {"exercises": [], "quizzes": []} and not progress.path().exists()


@pytest.mark.parametrize(("execution", "kept"), [("autograde", []), ("validate", ["a"])])
def test_nothing_is_kept_while_nbgrader_grades(execution, kept, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", execution)
    progress.note("exercises", "a")
    assert progress.done()["exercises"] == kept


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"exercises": 3}', '{"exercises": [[1]]}', "\xff"])
def test_a_damaged_file_counts_as_none_and_is_replaced(text):
    progress.path().parent.mkdir(parents=True)
    progress.path().write_bytes(text.encode("latin-1"))
    assert progress.done() == {"exercises": [], "quizzes": []}
    progress.note("exercises", "a")
    assert json.loads(progress.path().read_text()) == {"exercises": ["a"], "quizzes": []}


def test_a_home_that_cannot_be_written_to_disturbs_nobody(shown):
    progress.path().parent.parent.mkdir(exist_ok=True)
    progress.path().parent.write_text("a file where the directory should be")
    assert exercises.passes("softmax_backward", softmax_backward)
    assert progress.done()["exercises"] == []
    progress.reset()


# Their places and numbers -----------------------------------------------------------------------------------------

LESSONS = [
    importlib.import_module(f"capslib.exercises.{module.name}")
    for module in pkgutil.iter_modules(exercises.__path__)
    if module.name.startswith("lesson_")
]


def test_every_exercise_has_a_stub_in_a_lesson_and_a_solution():
    for name in EXERCISES:
        for folder in ("notebooks", "notebooks/solutions"):
            there = [path.name for path in (ROOT / folder).glob("*.ipynb") if f'check(\\"{name}\\"' in path.read_text()]
            assert len(there) == 1, (name, folder, there)


def test_every_lessons_exercises_are_found_under_names_of_their_own():
    names = [name for lesson in LESSONS for name in lesson.EXERCISES]
    assert names and names == list(EXERCISES) and len(names) == len(set(names))


def test_every_exercise_has_a_seed_of_its_own_and_the_same_trials_each_time():
    seeds = [EXERCISES[name].seed for name in FUNCTIONS]
    assert len(seeds) == len(set(seeds))
    for exercise in (EXERCISES[name] for name in FUNCTIONS):
        for (_, one), (_, other) in zip(exercise.trials(), exercise.trials(), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_no_generator_is_shared_by_exercises():
    for lesson in LESSONS:
        assert not [name for name, value in vars(lesson).items() if isinstance(value, np.random.Generator)]
        assert "default_rng" not in inspect.getsource(lesson)
