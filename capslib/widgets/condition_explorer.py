"""How networks, each trained from several seeds, do as the digits change: curves to choose and to read (lesson 11)."""

import numpy as np
import traitlets
from scipy.special import stdtrit

from capslib import findings, plots
from capslib.checks import check_choice
from capslib.conditions import conditions
from capslib.digits import as_images
from capslib.findings import AXES, LABELS, MOVED, SCORES, TRAININGS
from capslib.intervals import Difference, paired
from capslib.widgets.base import Checked, Widget, validate

MOST = 6
"""More networks than this are not shown at once: their bands would hide each other."""

WHOLE = 40_000
"""What is sent for 1. Scores have 4 decimals, and those of shifts are means of four, so nothing is lost."""

SAID = {
    "turn": "turned by {}°",
    "shift": "shifted by {} px",
    "scale": "scaled by {}",
    "noise": "under noise of standard deviation {}",
    "salt and pepper": "with a share of {} of the pixels black or white",
    "attack": "attacked by {} per pixel",
}
"""What is done to digits at one strength of a condition, in words."""

SAID_OF_PARTS = {
    "swap top and bottom": "with top and bottom swapped",
    "swap left and right": "with left and right swapped",
    "swap quadrants": "with opposite quadrants swapped",
    "cells shuffled": "with the lower capsules, or the CNN's cells, shuffled",
}

NOTES = {
    "shift": "Pictured is a shift to the right; scores are means over four directions.",
    MOVED: "Swaps change the picture; shuffling changes the order of the features in the grid's cells, before any "
    "coordinates are appended.",
}

OPENS_AT = {
    **{"turn": 45, "shift": 3, "scale": 0.8, "noise": 0.3, "salt and pepper": 0.3, "attack": 0.1},
    MOVED: findings.SWAPS[0],
}
"""What is read off first."""


class ConditionExplorer(Widget, script="condition_explorer/index.js", styles="condition_explorer.css"):
    """One score of several networks over the strengths of a condition: means over seeds with 95 % t-intervals.

    Attributes (you can read and set all of them):
        networks: which are shown, at most 6, by their names in findings.LABELS. Where two are, their difference is
            also given, the first less the second, paired by seed.
        condition: a key of findings.AXES.
        score: a key of findings.SCORES that is measured under the condition.
        training: a key of findings.TRAININGS of which there are runs.
        at: the strength that is read off, or what is done to the parts. It falls back to OPENS_AT where a new
            condition has no such strength.
        seeds: whether every seed is drawn.
        asks: whether all but the unchanged digits is covered, until the learner has guessed.
    """

    facts = traitlets.Dict(read_only=True).tag(sync=True)
    scores = traitlets.Bytes(read_only=True).tag(sync=True)
    """Of every run all scores, little-endian uint16 in units of 1/WHOLE; `facts` says in which order."""
    pictures = traitlets.Bytes(read_only=True).tag(sync=True)
    """28×28 bytes for each step that has a picture, in the order of `facts`."""
    networks = Checked()
    condition = Checked(check_choice, AXES)
    score = Checked()
    training = Checked()
    at = Checked()
    seeds = traitlets.Bool(False).tag(sync=True)
    asks = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        runs=None,
        networks=("capsnet_3", "cnn_flatten_margin"),
        condition="turn",
        score="accuracy",
        training="none",
        digit=None,
        asks=False,
    ):
        """
        Args:
            runs: for each augmentation of findings.TRAININGS the runs of each network, as `findings.runs` gives them;
                None for those that are stored.
            networks: up to 6 of them.
            condition, score, training: what is shown first, as above.
            digit: (28, 28), uint8 in 0–255 or float in 0–1, shown as the networks read it; or None.
            asks: whether it opens with the curves covered, and a button that shows them.

        Raises:
            ValueError: naming the argument, if one is not as said here; likewise when one is set later.
            FileNotFoundError: if `runs` is None and no results are stored.
        """
        self._found = _checked_runs(findings.by_training() if runs is None else runs)
        pictures = {} if digit is None else _pictures(digit)
        sent = {"scores": _packed(self._found), "pictures": b"".join(pictures.values())}
        facts = _facts(self._found, list(pictures))
        self.check_size(sent, advice="give fewer runs")
        check_choice("condition", condition, AXES)
        chosen = {"networks": networks, "condition": condition, "score": score, "training": training}
        super().__init__(facts=facts, **sent, **chosen, at=OPENS_AT[condition], asks=asks)

    @validate("networks")
    def _some_networks(self, name, value):
        known = [network["key"] for network in self.facts["networks"]]
        fits = isinstance(value, list | tuple) and all(isinstance(one, str) and one in known for one in value)
        if not fits or len(set(value)) < len(value) or len(value) > MOST:
            raise ValueError(f"{name}: got {value!r:.80}, expected at most {MOST} different ones of {', '.join(known)}")
        return list(value)

    @validate("score")
    def _one_that_is_measured(self, name, value):
        return check_choice(name, value, findings.scores_of(self.condition))

    @validate("training", "at")
    def _one_of_what_there_is(self, name, value):
        there = tuple(self._found) if name == "training" else findings.steps(self.condition, self.score)
        # True equals 1, and is no strength.
        if not isinstance(value, str | int | float) or isinstance(value, bool) or value not in there:
            raise ValueError(f"{name}: got {value!r:.60}, expected one of {', '.join(map(str, there))}")
        return there[there.index(value)]

    @traitlets.observe("condition", "score")
    def _stay_with_what_there_is(self, change):
        if self.score not in findings.scores_of(self.condition):
            self.score = "accuracy"
        if self.at not in findings.steps(self.condition, self.score):
            self.at = OPENS_AT[self.condition]

    @property
    def difference(self) -> Difference | None:
        """Of two chosen networks at `at`: the first less the second, paired by seed; None where fewer than two seeds
        or not exactly two networks are there."""
        first, second = self._in_common()
        return paired(first, second) if len(first) > 1 else None

    def _values(self, network, at):
        """The score at one step by seed; empty if the network was not trained so."""
        k = findings.steps(self.condition, self.score).index(at)
        runs = self._found[self.training].get(network, [])
        return {run["task"]["seed"]: findings.curve(run, self.condition, self.score)[k] for run in runs}

    def _in_common(self, at=None):
        """The two chosen networks' scores from the seeds that both have, in two lists; none unless two are chosen."""
        if len(self.networks) != 2:
            return [], []
        first, second = (self._values(network, self.at if at is None else at) for network in self.networks)
        both = [seed for seed in first if seed in second]
        return [first[seed] for seed in both], [second[seed] for seed in both]

    def describe(self) -> str:
        trained = f"trained on {TRAININGS[self.training]}"
        unchanged = findings.unchanged(self.condition)
        if not self.networks:
            return f"No network is chosen; choose 1 to {MOST}."
        at = self.at
        start = f"{_capital(_said(self.condition, at))}, {trained}, {SCORES[self.score]}: "
        if self.asks:
            start = f"Covered: {SCORES[self.score]} by {AXES[self.condition]}, {trained}. "
            if unchanged not in findings.steps(self.condition, self.score):
                return f"{start}Networks chosen: {len(self.networks)}."
            at, start = unchanged, f"{start}Unchanged digits: "
        rows = [f"{LABELS[name]} {_in_words(list(self._values(name, at).values()))}" for name in self.networks]
        first, second = self._in_common(at)
        if len(self.networks) == 2 and all(self._values(name, at) for name in self.networks):
            names = " less ".join(LABELS[name] for name in self.networks)
            apart = _in_words(np.subtract(first, second).tolist(), "no seed in common")
            rows.append(f"{names}, paired by seed, {apart}")
        return f"{start}{'; '.join(rows)}."

    def picture(self) -> bytes:
        found = self._found[self.training]
        shown = [name for name in self.networks if name in found]
        return plots.png(plots.curves(found, self.condition, self.score, shown, covered=self.asks), saved=True)


def _in_words(values, none="not trained so"):
    """Mean, interval and number of some values of as many seeds."""
    if not values:
        return none
    mean, low, high = (f"{x:.3f}".replace("-", "−").replace("−0.000", "0.000") for x in findings.mean_interval(values))
    seeds = f"95 % interval {low} to {high}, {len(values)} seeds" if len(values) > 1 else "one seed, so no interval"
    return f"{mean} ({seeds})"


def _capital(text):
    return text[0].upper() + text[1:]


def _said(condition, step):
    """What is done to digits, in words."""
    if step == findings.unchanged(condition):
        return "unchanged"
    return SAID_OF_PARTS[step] if condition == MOVED else SAID[condition].format(step)


def _checked_runs(runs):
    """`runs` in the order of TRAININGS and LABELS, if the page can show all of them."""
    expected = "expected for each augmentation a dict from a network to its runs, as findings.runs gives it"
    if not isinstance(runs, dict) or not runs or not all(isinstance(found, dict) and found for found in runs.values()):
        raise ValueError(f"runs: got {runs!r:.60}, {expected}")
    for training, found in runs.items():
        check_choice("runs", training, TRAININGS)
        for network, some in found.items():
            check_choice("runs", network, LABELS)
            if not isinstance(some, list | tuple) or not some:
                raise ValueError(f"runs: got {some!r:.60} for {network}, expected at least one run")
    return {
        training: {network: list(runs[training][network]) for network in LABELS if network in runs[training]}
        for training in TRAININGS
        if training in runs
    }


def _packed(found):
    """All scores of all runs, run by run: under each condition each score at each step."""
    rows = []
    for some in found.values():
        for network, runs in some.items():
            for run in runs:
                try:
                    int(run["task"]["seed"])
                    row = [findings.curve(run, c, score) for c in AXES for score in findings.scores_of(c)]
                except (KeyError, TypeError) as error:
                    raise ValueError(f"runs: got one of {network} without {error}, expected a whole result") from None
                rows.append(np.concatenate(row))
    values = np.array(rows)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("runs: got a score beyond 0 to 1, expected shares")
    return np.round(WHOLE * values).astype("<u2").tobytes()


def _facts(found, pictured):
    """All else that the page needs. A saved notebook sorts the keys of a dict, so what has an order is a list."""
    there = [name for name in LABELS if any(name in some for some in found.values())]
    looks = {name: dict(zip(("colour", "dashes", "marker"), plots.LOOKS[name], strict=True)) for name in there}
    groups = [
        {"training": training, "network": network, "seeds": [int(run["task"]["seed"]) for run in runs]}
        for training, some in found.items()
        for network, runs in some.items()
    ]
    levels = {name: dict(zip(("level", "level_name"), plots.REFERENCES.get(name, ()), strict=False)) for name in SCORES}
    return {
        "networks": [{"key": name, "label": LABELS[name], **looks[name]} for name in there],
        "trainings": [[name, TRAININGS[name]] for name in found],
        "scores": [{"key": name, "label": label, **levels[name]} for name, label in SCORES.items()],
        "conditions": [_about(condition, pictured) for condition in AXES],
        "groups": groups,
        # The 97.5 % point of Student's t for 1, 2, … degrees of freedom.
        "t": stdtrit(np.arange(1, max(2, *(len(group["seeds"]) for group in groups))), 0.975).tolist(),
        "pictured": bool(pictured),
        "whole": WHOLE,
        "most": MOST,
    }


def _about(condition, pictured):
    """One condition: its steps, and which of them each score has."""
    steps, unchanged = findings.steps(condition), findings.unchanged(condition)
    return {
        "key": condition,
        "axis": AXES[condition],
        "note": NOTES.get(condition, ""),
        "steps": [
            {
                "value": step,
                "tick": list(plots.PART_NAMES[step]) if condition == MOVED else [f"{step:g}"],
                "said": _said(condition, step),
                "picture": pictured.index((condition, step)) if (condition, step) in pictured else -1,
            }
            for step in steps
        ],
        "unchanged": unchanged,
        "opens_at": OPENS_AT[condition],
        "scores": [
            [score, [steps.index(step) for step in findings.steps(condition, score)]]
            for score in findings.scores_of(condition)
        ],
    }


def _pictures(digit):
    """(condition, step) → the digit as the networks read it, 784 bytes; an attack depends on the network."""
    image = as_images(digit, "digit")
    if len(image) > 1:
        raise ValueError(f"digit: got {len(image)} images, expected one (28, 28)")
    made = {"none": image[0]} | {condition.name: condition.images[0] for condition in conditions(image)}
    ink = {name: np.round(255 * x).astype(np.uint8).tobytes() for name, x in made.items()}
    names = {(c, step): findings.names(c, step)[0] for c in AXES if c != "attack" for step in findings.steps(c)}
    return {place: ink[name] for place, name in names.items() if name in ink}
