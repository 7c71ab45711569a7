"""Routing of votes that a learner drags (lessons 04 and 13)."""

from dataclasses import replace

import numpy as np
import traitlets

from capslib import plots
from capslib.checks import check_choice, check_positive, check_whole
from capslib.equations import EMTrace, RoutingTrace, em_route, route
from capslib.widgets.base import Checked, Widget, frozen, validate

REACH = 2.5
"""Components of a vote lie between −REACH and REACH, the range that the widget's planes show."""

PARTS = (4, 8)
"""The smallest and the largest number of parts that vote."""

ITERATIONS = 20
"""The largest number of routing iterations."""

EXAMPLE = [[[-1, 1.5], [1, 1]], [[-0.5, 2], [-1, 0.5]], [[0, 1.5], [0.5, -1.5]], [[1.5, -1], [0.5, 0]]]
"""The four votes for two wholes that lesson 04 routes by hand."""

PRESETS = {
    "cluster and outlier": [
        *[[[0.6, 1.6], [1.2, 0.8]], [[1.1, 1.9], [-1.4, 0.3]], [[1.5, 1.4], [0.2, -1.3]]],
        *[[[1.0, 1.2], [-0.6, 1.1]], [[1.6, 2.0], [1.0, -0.6]], [[-1.6, -1.2], [0.9, 0.1]]],
    ],
    "tie": [[[-1, 1.5], [1, 1.5]], [[-0.5, 2], [0.5, 2]], [[0, 1.5], [0, 1.5]], [[-0.5, 0.5], [0.5, 0.5]]],
    "all agree": [
        [[1.2, 1.2], [-0.9, 0.9]],
        [[1.5, 1.1], [-1.2, 0.8]],
        [[1.1, 1.6], [-0.8, 1.2]],
        [[1.6, 1.5], [-1.1, 1.2]],
    ],
    "all opposed": [[[1.5, 1], [1, -1]], [[-1.5, -1], [-1, 1]], [[-1, 1.5], [1.5, 0.5]], [[1, -1.5], [-1.5, -0.5]]],
}
"""Votes (I, 2, 2) that the widget offers by name."""

MORE = [[[-2, 0.4], [2, -0.4]], [[0.7, -1.9], [-2, -1.2]], [[2.2, 0.5], [-0.3, 2]], [[-1, -2], [2, 1.6]]]
"""Initial votes of a fifth, sixth, seventh and eighth part, away from each other and from the presets."""

STEPS = ["softmax", "sum", "squash", "agreement"]
"""The four steps of an iteration, in their order."""

SIDES = {"upper": -1, "lower": -2}
"""The axis of b (I, J) that the softmax runs along: over the upper capsules, or over the lower ones."""

RULES = ["agreement", "EM"]
"""Routing by agreement, and EM routing."""


def _checked_votes(name, votes):
    """Votes (I, 2, 2) that fit the widget."""
    votes = frozen(name, votes, ("I", 2, 2))
    fewest, most = PARTS
    if not fewest <= len(votes) <= most:
        raise ValueError(f"{name}: got {len(votes)} parts, expected {fewest} to {most}")
    if np.abs(votes).max() > REACH:
        raise ValueError(f"{name}: got components up to {np.abs(votes).max():g} in size, expected at most {REACH:g}")
    return votes


def _checked_names(name, names):
    """The names of the two wholes, as a list."""
    fits = isinstance(names, list | tuple) and len(set(map(str, names))) == len(names) == 2
    if not fits or not all(isinstance(one, str) and 0 < len(one) <= 8 for one in names):
        raise ValueError(f"{name}: got {names!r}, expected two different names of 1 to 8 characters")
    return list(names)


def _checked_rules(name, rules):
    """The rules that the page offers, as a list; the first is the one that it opens with."""
    if not isinstance(rules, list | tuple) or not rules or len(set(map(str, rules))) != len(rules):
        raise ValueError(f"{name}: got {rules!r}, expected 'agreement', 'EM' or both, in the order wanted")
    return [check_choice(name, rule, RULES) for rule in rules]


class VoteRouter(Widget, script="vote_router/index.js", styles="vote_router.css"):
    """Four to eight parts that vote for two wholes, with a routing that the learner steps or plays through.

    You can read and set these from Python and in the page: `votes` (I, 2, 2), set as a whole array, with components
    from −2.5 to 2.5; `iterations` of routing, 1 to 20; `rule`, "agreement" or "EM"; `over`, "upper" for the paper's
    softmax and "lower" for a classic mistake, which EM ignores; and what is shown: `iteration` (from 1), `step` (one of
    STEPS), the pair `i`, `j` (part, whole). When there are fewer iterations or parts, `iteration` and `i` fall back to
    the last one left. `trace` and `lengths` are computed from these; under EM, `em_trace` and `activations`. Its four
    steps are the responsibilities, the means, the variances with the activations, and the fit of every vote.
    """

    votes = Checked(_checked_votes)
    iterations = Checked(check_whole, 1, ITERATIONS, default=3)
    rule = Checked(check_choice, RULES, default="agreement")
    rules = Checked(_checked_rules)
    over = Checked(check_choice, SIDES, default="upper")
    offset = Checked(check_positive, default=0.5)
    names = Checked(_checked_names)
    iteration = Checked(check_whole, 1, ITERATIONS, default=1)
    step = Checked(check_choice, STEPS, default="softmax")
    i = Checked(check_whole, 0, PARTS[1] - 1, default=0)
    j = Checked(check_whole, 0, 1, default=0)
    # Pairs of name and votes: a saved notebook sorts the keys of a dict, and the buttons would change their order.
    offered = traitlets.List(read_only=True).tag(sync=True)
    more = traitlets.List(MORE, read_only=True).tag(sync=True)
    limits = traitlets.Dict({"parts": PARTS, "iterations": ITERATIONS, "reach": REACH}, read_only=True).tag(sync=True)

    def __init__(self, votes=None, iterations=3, offset=0.5, names=("face", "car"), over="upper", rules=("agreement",)):
        """The widget opens at the first step of iteration 1, with the last part selected.

        Args:
            votes: (I, 2, 2), 4 to 8 parts, components from −2.5 to 2.5; None for the example of lesson 04.
            iterations: iterations of routing, 1 to 20.
            offset: of the squash, positive; 1 in the paper, 0.5 in the article.
            names: names of the two wholes, at most 8 characters each.
            over: what the softmax runs over, "upper" or "lower".
            rules: the rules among which the page lets one choose, of "agreement" and "EM"; it opens with the first.

        Raises:
            ValueError: naming the argument, if one is not as said here; likewise when one is set later.
        """
        votes = _checked_votes("votes", EXAMPLE if votes is None else votes)
        rules = _checked_rules("rules", rules)
        given = {"votes": votes, "iterations": iterations, "offset": offset, "names": names, "over": over}
        given |= {"rules": rules, "rule": rules[0]}
        offered = [["as given", votes.tolist()], *map(list, PRESETS.items())]
        super().__init__(**given, offered=offered, i=len(votes) - 1)

    @validate("iteration", "i")
    def _check_place(self, name, value):
        most = self.iterations if name == "iteration" else len(self.votes) - 1
        return check_whole(name, value, int(name == "iteration"), most)

    @traitlets.observe("iterations", "votes")
    def _stay_inside(self, change):
        self.iteration = min(self.iteration, self.iterations)
        self.i = min(self.i, len(self.votes) - 1)

    @property
    def presets(self) -> dict[str, list]:
        """The votes that the buttons offer, by name, in the order of the buttons."""
        return dict(self.offered)

    @property
    def trace(self) -> RoutingTrace:
        """Routing by agreement of the widget's votes; with "lower", Σ_i c_ij = 1 instead of Σ_j c_ij = 1."""
        return route(self.votes, self.iterations, self.offset, SIDES[self.over])

    @property
    def em_trace(self) -> EMTrace:
        """EM routing of the widget's votes."""
        return em_route(self.votes, iterations=self.iterations)

    @property
    def lengths(self) -> np.ndarray:
        """‖v_j‖ of the two wholes after the last iteration of routing by agreement, (2,)."""
        return self.trace.lengths[-1]

    @property
    def activations(self) -> np.ndarray:
        """a_j of the two wholes after the last iteration of EM routing, (2,)."""
        return self.em_trace.activations[-1]

    def describe(self) -> str:
        (first, second), t = self.names, self.iteration
        em = self.rule == "EM"
        side = "" if self.over == "upper" or em else ", with the softmax over the parts"
        values = (self.em_trace.activations if em else self.trace.lengths)[t - 1]
        said = " and ".join(f"{name} {x:.3f}" for name, x in zip(self.names, values, strict=True))
        text = f"{'EM routing' if em else 'Routing'} of {len(self.votes)} parts to {first} and {second}{side}."
        return f"{text} After iteration {t} of {self.iterations} the {'activations' if em else 'lengths'} are {said}."

    def picture(self) -> bytes:
        t = self.iteration
        if self.rule == "EM":
            return plots.png(plots.em_votes(em_route(self.votes, iterations=t), self.names), saved=True)
        trace = self.trace
        shown = replace(trace, **{name: getattr(trace, name)[t - 1 : t] for name in "bcsva"})
        return plots.png(plots.routings_side_by_side({f"iteration {t}": shown}, self.names), saved=True)
