"""The twelve cases of the bug lab: what a learner is told, what is on offer, and which tests tell."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capslib.bugs import looks
from capslib.bugs.examination import examine
from capslib.checks import check_choice

_TEXT = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SUSPECTS: dict[str, str] = _TEXT["suspects"]
"""Name of a fault, a key of `steps.FAULTS` → what it is called in a list of hypotheses."""


@dataclass(frozen=True)
class Case:
    """One patient.

    Attributes:
        key: by which it is called. A word of what the learner is told, since it is read before the case is solved.
        name: its title, which gives nothing away.
        grade: 1 to 3.
        kind: what is examined, one of `looks.KINDS`.
        fault: what it has; a spoiler, like `signs`.
        complaint: what the learner is told.
        shown: the quantity that is shown for nothing, a key of `looks.LOOKS`.
        looks: the quantities that cost a point each.
        suspects: the faults to choose from, its own among them.
        tests: the quantities that a hypothesis can be tried on.
        signs: which of `shown` and `looks` differ from a healthy one's by a factor of 1.5 or more.
    """

    key: str
    name: str
    grade: int
    kind: str
    fault: str
    complaint: str
    shown: str
    looks: list[str]
    suspects: list[str]
    tests: list[str]
    signs: list[str]


CASES: dict[str, Case] = {case["key"]: Case(**case) for case in _TEXT["cases"]}
"""Every case by its key, from the first grade to the third."""


def case_of(key: str) -> Case:
    """The case of a key.

    Raises:
        ValueError: if there is none.
    """
    check_choice("case", key, CASES)
    return CASES[key]


def evidence(key: str, seed: int = 0) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What a healthy network and the patient of a case show: two dicts from a quantity's name to its row of numbers.

    Raises:
        ValueError: if there is no such case.
    """
    case = case_of(key)
    healthy, patient = (examine(case.kind, fault, seed) for fault in (None, case.fault))
    wanted = [case.shown, *case.looks, *case.tests]
    return {name: healthy[name] for name in wanted}, {name: patient[name] for name in wanted}


def predictions(key: str, seed: int = 0) -> dict[str, dict[str, float]]:
    """What every suspect would give in every test of a case: each is planted, examined, and read.

    Returns:
        Name of a suspect → name of a test → its reading.
    """
    case = case_of(key)
    found = {fault: examine(case.kind, fault, seed) for fault in case.suspects}
    return {fault: {test: looks.reading(test, rows[test]) for test in case.tests} for fault, rows in found.items()}


def refuted(key: str, look: str, seed: int = 0) -> list[str]:
    """The suspects of a case that a quantity speaks against: planted, they give another reading than the patient's."""
    case = case_of(key)
    patient = looks.reading(look, examine(case.kind, case.fault, seed)[look])
    others = [fault for fault in case.suspects if fault != case.fault]
    readings = {fault: looks.reading(look, examine(case.kind, fault, seed)[look]) for fault in others}
    return [fault for fault, other in readings.items() if looks.apart(look, patient, other) >= looks.QUIET]
