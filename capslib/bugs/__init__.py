"""The bug lab: small networks with one fault each, planted by a switch, and what can be looked at in them.

`examine("plain", "softmax over the lower capsules")` trains a network with that fault and gives all that it shows;
without a fault, a healthy one. Everything is NumPy, so that a step of a network is a function one can read and replace.
"""

from capslib.bugs.cases import CASES, SUSPECTS, Case, case_of, evidence, predictions, refuted
from capslib.bugs.checklist import CHECKS, checked
from capslib.bugs.examination import KINDS, examine, with_step
from capslib.bugs.looks import LOOKS, QUIET, Look, apart, number, reading, written
from capslib.bugs.steps import FAULTS, HEALTHY, Steps, steps_of

__all__ = [
    "CASES",
    "CHECKS",
    "FAULTS",
    "HEALTHY",
    "KINDS",
    "LOOKS",
    "QUIET",
    "SUSPECTS",
    "Case",
    "Look",
    "Steps",
    "apart",
    "case_of",
    "checked",
    "evidence",
    "examine",
    "number",
    "predictions",
    "reading",
    "refuted",
    "steps_of",
    "with_step",
    "written",
]
