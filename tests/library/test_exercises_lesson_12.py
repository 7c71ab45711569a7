"""The mends of lesson 12: healthy steps are accepted; the patient's own and common wrong ones are not, with reasons."""

import importlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from capslib import exercises
from capslib.bugs import CASES, HEALTHY, examine
from capslib.exercises import EXERCISES, Mend, progress
from tests import ROOT

check = importlib.import_module("capslib.exercises.check")
MENDS = {name: exercise for name, exercise in EXERCISES.items() if isinstance(exercise, Mend)}
MISTAKES = [(name, reason) for name, mend in MENDS.items() for reason in mend.mistakes]


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    """A data directory, a count of tries, and the pictures that a check shows, for each test."""
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    monkeypatch.setattr(check, "_tries", {})


@pytest.fixture
def shown(monkeypatch):
    pictures = []
    monkeypatch.setattr("capslib.plots.show", pictures.append)
    return pictures


def ask(name, solution, capsys):
    accepted = exercises.passes(name, solution)
    return accepted, capsys.readouterr().out


def cells(folder):
    nb = json.loads((ROOT / folder / "12_bug_lab.ipynb").read_text(encoding="utf-8"))
    return [(cell["cell_type"], "".join(cell["source"])) for cell in nb["cells"]]


def solutions():
    found = {}
    for kind, source in cells("notebooks/solutions"):
        if kind == "code":
            exec(source.replace("exercises.check(", "keep("), {"keep": found.__setitem__, "np": np})
    return found


def test_every_case_has_a_mend_in_the_order_of_the_cases():
    assert [mend.case for mend in MENDS.values()] == list(CASES)
    assert all(getattr(HEALTHY, mend.step) is not mend.patient for mend in MENDS.values())


@pytest.mark.parametrize("name", MENDS)
def test_the_solution_passes_every_test_and_the_fault_is_gone_in_a_picture(name, shown, capsys):
    assert ask(name, solutions()[name], capsys) == (True, "right\n")
    (fig,) = shown
    assert re.search(r"healthy .*, patient .*, yours ", fig.get_label())
    assert progress.done()["exercises"] == [name]


@pytest.mark.parametrize("name", MENDS)
def test_the_patients_own_step_is_no_mend(name, shown, capsys):
    accepted, said = ask(name, MENDS[name].patient, capsys)
    assert not accepted and shown == [] and progress.done()["exercises"] == []
    assert said.startswith("not yet: ") and ("the patient's own step" in said or "√0" in said)


@pytest.mark.parametrize(("name", "reason"), MISTAKES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(MISTAKES)])
def test_a_common_wrong_mend_is_rejected_with_its_reason(name, reason, shown, capsys):
    accepted, said = ask(name, MENDS[name].mistakes[reason], capsys)
    assert not accepted and said.startswith("not yet: ") and said.endswith(f"\n{reason}\n")
    assert shown == [] and progress.done()["exercises"] == []


@pytest.mark.parametrize("name", MENDS)
def test_a_mend_foresees_three_mistakes_and_has_three_hints(name):
    mend = MENDS[name]
    assert len(mend.mistakes) >= 3 and len(mend.hints) == 3 and len(mend.tests) >= 2
    assert mend.look in examine(CASES[mend.case].kind)


def test_other_mends_that_work_are_accepted(shown, capsys):
    def where_twice(v):
        n = np.sum(v * v, axis=-1)
        return np.where(n > 0, np.sqrt(np.where(n > 0, n, 1)), 0)

    assert ask("mend_nan", where_twice, capsys)[0]
    assert ask("mend_hover", lambda u_hat, kept: np.ones(u_hat.shape[:-1]), capsys)[0], "a constant is undecided, too"
    assert ask("mend_chance", lambda I, D_in, J, D_out: np.sqrt(6 / (D_in + D_out)), capsys)[0]


def test_each_wrong_try_earns_a_stronger_hint_and_a_stub_none(shown, capsys):
    for _ in range(2):
        assert (
            ask("mend_calm", lambda b, a: None, capsys)[1]
            == f"not yet: {check.NOTHING} {MENDS['mend_calm'].hints[0]}\n"
        )
    for hint in (*MENDS["mend_calm"].hints, MENDS["mend_calm"].hints[-1]):
        assert ask("mend_calm", lambda b, a: b + 3 * a, capsys)[1].endswith(f"\n{hint}\n")


@pytest.mark.parametrize(
    ("solution", "said"),
    [
        (lambda b, a: 1 / 0, "it raised ZeroDivisionError: division by zero."),
        (lambda b: b, "it raised TypeError: .*"),
        (lambda b, a: exit(), "it raised RuntimeError: SystemExit.*"),
        (3, "it raised TypeError: .*"),
        (lambda b, a: b + a if b.ndim > 1 else {}["b"], "in the test “two agreements .*” it raised KeyError: 'b'."),
    ],
)
def test_what_cannot_run_is_said(solution, said, shown, capsys):
    accepted, out = ask("mend_calm", solution, capsys)
    assert not accepted and re.match(f"not yet: {said}\n", out)


def test_a_step_that_never_ends_is_stopped(shown, capsys, monkeypatch):
    monkeypatch.setattr("capslib.exercises.mend.SECONDS", 0.2)

    def endless(b, a):
        while True:
            pass

    assert ask("mend_calm", endless, capsys)[1].startswith("not yet: it ran for more than 0.2 seconds and was stopped.")


def test_tests_that_pass_are_not_enough_while_the_fault_shows(shown, capsys, monkeypatch):
    """Were the tests of a step incomplete, the patient would still be found out by its sign."""
    blind = replace(MENDS["mend_calm"], tests={})
    monkeypatch.setitem(EXERCISES, "mend_calm", blind)
    accepted, said = ask("mend_calm", blind.patient, capsys)
    assert not accepted and "the tests pass, and the fault is still there: “Entropy of c by iteration" in said
    assert len(shown) == 1


@pytest.mark.parametrize("folder", ["notebooks", "notebooks/solutions"])
def test_the_lines_that_a_task_shows_are_the_patients(folder):
    tasks = [source for kind, source in cells(folder) if kind == "markdown" and source.startswith("### Exercise")]
    for task, mend in zip(tasks, MENDS.values(), strict=True):
        namespace = {"np": np}
        exec(re.search(r"```python\n(.*?)```", task, re.S)[1], namespace)
        step = next(value for name, value in namespace.items() if name not in ("np", "__builtins__"))
        for arguments in mend.probes:
            with np.errstate(all="ignore"):
                got, expected = step(*arguments), mend.patient(*arguments)
            if isinstance(expected, list):
                got, expected = (np.stack([np.stack(pair) for pair in pairs]) for pairs in (got, expected))
            (np.testing.assert_equal if isinstance(expected, dict) else np.testing.assert_allclose)(got, expected)
