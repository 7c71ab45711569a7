"""Find a network's bug from its symptoms: look at quantities, suspect, test the suspicion, name the bug."""

import numpy as np
import traitlets

from capslib import bugs, plots
from capslib.checks import check_whole, is_whole
from capslib.widgets.base import Checked, Widget, validate

PRICES = {"start": 10, "look": 1, "test": 1, "wrong": 3}
"""Points to begin with, and what a look, a test and a wrong name cost."""


class Diagnosis(Widget, script="diagnosis.js", styles="diagnosis.css"):
    """One case of the bug lab, from the complaint to the name of the bug.

    The learner sees a complaint and one quantity, the patient's beside a healthy network's. Every other quantity costs
    a point. A suspect from the list can be put to a test: it was planted in a network of its own, so what it predicts
    was measured. A test tells if the patient gives what this suspect predicts and no other one does.

    Args:
        case: key of the case, as in `capslib.bugs.CASES`.
        seed: of the patient's weights and digits, 0 or more.

    Attributes:
        looked: numbers of the quantities looked at, from 0. You can read and set this and the next three.
        suspect: number of the suspect that is chosen, −1 for none.
        tried: pairs of a suspect and the test that it was put to.
        named: numbers of the suspects named as the bug.
        points: how many points are left.
        solved: whether the bug was named.

    Raises:
        ValueError: naming the argument, if it is not as above; likewise when an attribute is set later.
    """

    facts = traitlets.Dict(read_only=True).tag(sync=True)
    prices = traitlets.Dict(PRICES, read_only=True).tag(sync=True)
    looked = Checked(default=[])
    suspect = Checked(default=-1)
    tried = Checked(default=[])
    named = Checked(default=[])

    def __init__(self, case, seed=0):
        super().__init__(facts=_facts(bugs.case_of(case), check_whole("seed", seed, 0)))
        self._case, self._seed = bugs.case_of(case), seed

    @validate("looked", "named")
    def _numbers(self, name, value):
        count = len(self.facts["looks" if name == "looked" else "suspects"])
        fits = isinstance(value, list | tuple) and all(is_whole(n) and 0 <= n < count for n in value)
        if not fits or len(set(value)) < len(value):
            raise ValueError(f"{name}: got {value!r:.60}, expected different whole numbers from 0 to {count - 1}")
        return [int(n) for n in value]

    @validate("suspect")
    def _suspect(self, name, value):
        return check_whole(name, value, -1, len(self.facts["suspects"]) - 1)

    @validate("tried")
    def _pairs(self, name, value):
        counts = len(self.facts["suspects"]), len(self.facts["tests"])
        fits = isinstance(value, list | tuple) and all(
            isinstance(pair, list | tuple)
            and len(pair) == 2
            and all(is_whole(n) and 0 <= n < count for n, count in zip(pair, counts, strict=True))
            for pair in value
        )
        if not fits:
            raise ValueError(f"{name}: got {value!r:.60}, expected pairs of a suspect and a test, by their numbers")
        return [[int(n) for n in pair] for pair in value]

    @property
    def points(self) -> int:
        """How many points are left."""
        wrong = sum(n != self.facts["right"] for n in self.named)
        spent = PRICES["look"] * len(self.looked) + PRICES["test"] * len(self.tried) + PRICES["wrong"] * wrong
        return max(0, PRICES["start"] - spent)

    @property
    def solved(self) -> bool:
        """Whether the bug was named."""
        return self.facts["right"] in self.named

    def describe(self) -> str:
        facts = self.facts
        shown = " ".join(f"{look['title']}: {look['said']}" for look in self._open())
        more = len(facts["looks"]) - len(self.looked)
        offer = "1 more quantity is" if more == 1 else f"{more or 'no'} more quantities are"
        left = f"{self.points} of {PRICES['start']} points are left; {offer} on offer"
        return f"Case {facts['number']}, “{facts['name']}”. {facts['complaint']} {shown} {left}."

    def picture(self) -> bytes:
        healthy, patient = bugs.evidence(self._case.key, self._seed)
        keys = [self._case.shown, *(self._case.looks[n] for n in self.looked)]
        return plots.png(plots.looked_at([(bugs.LOOKS[key], healthy[key], patient[key]) for key in keys]), saved=True)

    def _open(self):
        return [self.facts["shown"], *(self.facts["looks"][n] for n in self.looked)]


def _facts(case, seed):
    """All that the page needs of a case, as plain lists: what is compared here need not be computed there."""
    healthy, patient = bugs.evidence(case.key, seed)
    predicted = bugs.predictions(case.key, seed)
    looks = {name: _look(name, healthy[name], patient[name]) for name in healthy}
    against = {fault: [] for fault in case.suspects}
    for name in [case.shown, *case.looks, *case.tests]:
        for fault in bugs.refuted(case.key, name, seed):
            planted = bugs.reading(name, bugs.examine(case.kind, fault, seed)[name])
            against[fault].append(
                f"{bugs.LOOKS[name].title} ({looks[name]['read']}): planted, it gives {bugs.written(name, planted)}, "
                f"and the patient gives {bugs.number(bugs.LOOKS[name], patient[name])}"
            )
    tests = []
    for name in case.tests:
        read = bugs.reading(name, patient[name])
        tests.append(
            {
                "title": looks[name]["title"],
                "read": looks[name]["read"],
                "patient": bugs.number(bugs.LOOKS[name], patient[name]),
                "healthy": bugs.number(bugs.LOOKS[name], healthy[name]),
                "predicted": [bugs.written(name, predicted[fault][name]) for fault in case.suspects],
                "same": [bugs.apart(name, read, predicted[fault][name]) < bugs.QUIET for fault in case.suspects],
            }
        )
    return {
        "number": list(bugs.CASES).index(case.key) + 1,
        "name": case.name,
        "complaint": case.complaint,
        "shown": looks[case.shown],
        "looks": [looks[name] for name in case.looks],
        "suspects": [
            {
                "text": bugs.SUSPECTS[fault],
                "against": f"What speaks against it: {against[fault][0]}." if against[fault] else "",
            }
            for fault in case.suspects
        ],
        "tests": tests,
        "right": case.suspects.index(case.fault),
    }


def _look(name, healthy, patient):
    """A quantity for the page: four digits of each number are enough to draw it; what is no number becomes None."""
    look = bugs.LOOKS[name]
    across = look.across if isinstance(look.across, tuple) else [str(n) for n in range(1, len(healthy) + 1)]
    rows = [[float(f"{x:.4g}") if np.isfinite(x) else None for x in row] for row in (healthy, patient)]
    said = f"{look.read}: healthy {bugs.number(look, healthy)}, patient {bugs.number(look, patient)}."
    return {
        "title": look.title,
        "read": look.read,
        "across": list(across),
        "axis": look.across if isinstance(look.across, str) else "",
        "bars": look.bars,
        "rows": rows,
        "said": said[0].upper() + said[1:],
    }
