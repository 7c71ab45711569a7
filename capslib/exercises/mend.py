"""A task of the bug lab: mend one step of a network, so that its tests pass and the planted fault is gone."""

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from capslib import plots
from capslib.bugs import CASES, HEALTHY, LOOKS, QUIET, apart, examine, reading, steps_of, with_step
from capslib.exercises import limits

SECONDS = 60.0
"""How long all tests of a step and the training with it may take."""


@dataclass(frozen=True)
class Mend:
    """A task whose solution is a function that takes the place of a faulty step.

    Attributes:
        case: of the bug lab, a key of CASES.
        step: which step of `capslib.bugs.Steps` it is.
        tests: what a healthy step passes, in the order in which they are tried: what is tested → a test, which takes
            the step and says whether it passes.
        look: the quantity in which the patient differs, a key of LOOKS.
        probes: arguments on which a solution is compared with the known mistakes.
        hints: what to say after the first wrong try, the second, and so on; each says more than the one before.
        mistakes: why it is no mend → a function that is none.
    """

    case: str
    step: str
    tests: dict[str, Callable[[Callable], bool]]
    look: str
    probes: tuple[tuple, ...]
    hints: tuple[str, ...]
    mistakes: dict[str, Callable]

    @property
    def patient(self) -> Callable:
        """The faulty step."""
        return getattr(steps_of(CASES[self.case].fault), self.step)


def examples(seed: int) -> tuple[np.ndarray, ...]:
    """Small arrays to try steps on, the same for the same seed.

    Returns:
        Capsules (2, 3, 4); votes (2, 6, 3, 4); logits and agreements (2, 6, 3); lengths (4, 5) in 0.05–0.95; an image
        and a picture (3, 49) in 0–1; features with channels first (2, 3, 4, 4).
    """
    rng = np.random.default_rng(seed)
    v, u_hat = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 6, 3, 4))
    b, a = rng.normal(size=(2, 6, 3)), rng.normal(size=(2, 6, 3))
    lengths = rng.uniform(0.05, 0.95, (4, 5))
    image, picture = rng.uniform(size=(2, 3, 49))
    return v, u_hat, b, a, lengths, image, picture, rng.normal(size=(2, 3, 4, 4))


def problem_of(mend: Mend, solution: Any, nothing: str) -> tuple[str | None, str | None]:
    """What is wrong with a solution, or None, and the reason if its mistake is a known one; shows a picture if it runs.

    Args:
        mend: the task.
        solution: the learner's step.
        nothing: what to say of a stub.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            came = limits.call(_tried, (mend, solution), SECONDS)
    except limits.TookTooLong:
        return f"it ran for more than {SECONDS:g} seconds and was stopped.", None
    except Exception as error:  # What is no Exception, such as SystemExit, comes as a RuntimeError.
        return f"it raised {_said(error)}.", None
    if came is None:
        return nothing, None
    failed, rows = came
    if failed is not None:
        return failed, _reason(mend, solution)
    case = CASES[mend.case]
    healthy, patient = (examine(case.kind, fault)[mend.look] for fault in (None, case.fault))
    plots.show(plots.patient_beside_healthy(LOOKS[mend.look], healthy, patient, rows[mend.look]))
    yours, wanted = reading(mend.look, rows[mend.look]), reading(mend.look, healthy)
    if apart(mend.look, yours, wanted) < QUIET:
        return None, None
    look = LOOKS[mend.look]
    said = (
        f"the tests pass, and the fault is still there: “{look.title}”, {look.read}, is {yours:.3g}, not {wanted:.3g}."
    )
    return said, _reason(mend, solution)


def _tried(mend: Mend, solution: Callable) -> tuple[str | None, dict[str, np.ndarray]] | None:
    """The first test that fails, or None, and then what a network with this step shows; None for a stub."""
    try:
        first = solution(*copy.deepcopy(mend.probes[0]))
        if first is None or first is Ellipsis:
            return None
    except Exception as error:
        return f"it raised {_said(error)}.", {}
    for name, test in mend.tests.items():
        try:
            passed = test(solution)
        except Exception as error:
            return f"in the test “{name}” it raised {_said(error)}.", {}
        if not passed:
            return f"the test “{name}” fails.", {}
    changed: dict[str, Any] = {mend.step: solution}
    planted = replace(HEALTHY, **changed)
    try:
        return None, with_step(CASES[mend.case].kind, planted)
    except Exception as error:
        return f"the tests pass, but the network raised {_said(error)}.", {}


def _said(error: Exception) -> str:
    text = str(error).rstrip(" .")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _results(mend: Mend, step: Callable) -> list[Any]:
    found = []
    for arguments in copy.deepcopy(mend.probes):
        try:
            found.append(step(*arguments))
        except Exception as error:
            found.append(type(error).__name__)
    return found


def _alike(one: Any, other: Any) -> bool:
    """Whether two results are the same: numbers up to rounding, anything else exactly."""
    if isinstance(one, (dict, str)) or isinstance(other, (dict, str)):
        return type(one) is type(other) and one == other
    if isinstance(one, list) and one and isinstance(one[0], tuple):  # Pairs b, c of every iteration.
        one, other = (np.stack([np.stack(pair) for pair in steps]) for steps in (one, other))
    one, other = np.asarray(one, float), np.asarray(other, float)
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True)


def _reason(mend: Mend, solution: Callable) -> str | None:
    """Why a solution is no mend, if it gives what a known mistake gives; its own fault first."""
    try:
        with np.errstate(all="ignore"):
            got = _results(mend, solution)
            for reason, wrong in mend.mistakes.items():
                if all(map(_alike, got, _results(mend, wrong))):
                    return reason
            if all(map(_alike, got, _results(mend, mend.patient))):
                return "This is still the patient's own step: it gives the same results."
    except Exception:  # What cannot be compared is none of them.
        return None
    return None
