"""Routing of votes that a learner drags (lesson 04)."""

from dataclasses import replace

import numpy as np
import traitlets

from capslib import plots
from capslib.checks import check_count, check_positive
from capslib.equations import route
from capslib.widgets.base import Widget, finite

REACH = 2.5
"""Components of a vote lie between −REACH and REACH: so far reach the planes of the widget."""

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

STEPS = ["softmax", "sum", "squash", "agreement"]
"""The four steps of an iteration, in their order."""

SIDES = {"upper": -1, "lower": -2}
"""The axis of b (I, J) that the softmax runs along, by the capsules that it shares each unit out to."""


class VoteRouter(Widget, script="vote_router.js", styles="vote_router.css"):
    """Four to eight parts that vote for two wholes, routed anew while a vote is dragged.

    Where the browser and Python meet, all of it readable and settable: `votes` (I, 2, 2), parts, wholes, components
    from −2.5 to 2.5, set as a whole; `iterations` of routing, 1 to 20; `over`, "upper" for the softmax of the paper and
    "lower" for the well-known mistake; and where the learner looks: `iteration` (from 1), `step` (of STEPS), the pair
    `i`, `j` (part and whole). `trace` and `lengths` are computed from these.
    """

    votes = traitlets.Any().tag(
        sync=True, to_json=lambda votes, widget: votes.tolist(), from_json=lambda votes, widget: votes
    )
    iterations = traitlets.Any(3).tag(sync=True)
    over = traitlets.Any("upper").tag(sync=True)
    offset = traitlets.Any(0.5).tag(sync=True)
    names = traitlets.Any(("face", "car")).tag(sync=True)
    iteration = traitlets.Int(1).tag(sync=True)
    step = traitlets.Enum(STEPS, "agreement").tag(sync=True)
    i = traitlets.Int().tag(sync=True)
    j = traitlets.Int().tag(sync=True)
    presets = traitlets.Dict().tag(sync=True)
    reach = traitlets.Float(REACH).tag(sync=True)

    def __init__(self, votes=None, iterations=3, offset=0.5, names=("face", "car"), over="upper"):
        """Untouched, it shows the first iteration with all its numbers, those of the last part chosen.

        Args:
            votes: (I, 2, 2), 4 to 8 parts, components from −2.5 to 2.5; None for the example of lesson 04.
            iterations: iterations of routing, 1 to 20.
            offset: of the squash, positive; 1 in the paper, 0.5 in the article.
            names: names of the two wholes, at most 8 characters each.
            over: what the softmax runs over, "upper" or "lower".

        Raises:
            ValueError: if an argument is not as said here.
        """
        votes = checked_votes(EXAMPLE if votes is None else votes)
        presets = {"as given": votes.tolist(), **PRESETS}
        given = {"votes": votes, "iterations": iterations, "offset": offset, "names": names, "over": over}
        super().__init__(**given, presets=presets, i=len(votes) - 1)

    @traitlets.validate("votes")
    def _check_votes(self, proposal):
        return checked_votes(proposal["value"])

    @traitlets.validate("iterations")
    def _check_iterations(self, proposal):
        check_count("iterations", proposal["value"])
        if proposal["value"] > 20:
            raise ValueError(f"iterations: got {proposal['value']}, expected at most 20")
        return int(proposal["value"])

    @traitlets.validate("over")
    def _check_over(self, proposal):
        over = proposal["value"]
        if not isinstance(over, str) or over not in SIDES:
            raise ValueError(f'over: got {over!r}, expected "upper" or "lower"')
        return over

    @traitlets.validate("offset")
    def _check_offset(self, proposal):
        check_positive("offset", proposal["value"])
        return float(proposal["value"])

    @traitlets.validate("names")
    def _check_names(self, proposal):
        names = proposal["value"]
        fits = isinstance(names, list | tuple) and len(set(map(str, names))) == len(names) == 2
        if not fits or not all(isinstance(name, str) and 0 < len(name) <= 8 for name in names):
            raise ValueError(f"names: got {names!r}, expected two different names of 1 to 8 characters")
        return list(names)

    @property
    def trace(self):
        """The routing that the widget shows, as a RoutingTrace; under "lower", Σ_i c_ij = 1 and not Σ_j."""
        return route(self.votes, self.iterations, self.offset, SIDES[self.over])

    @property
    def lengths(self):
        """‖v_j‖ of the two wholes after the last iteration, (2,)."""
        return self.trace.lengths[-1]

    def describe(self):
        trace, (first, second) = self.trace, self.names
        side = "" if self.over == "upper" else " with the softmax over the parts"
        start, end = (f"{first} {x:.3f} and {second} {y:.3f}" for x, y in trace.lengths[[0, -1]])
        text = f"{len(self.votes)} parts vote for {first} and {second}; routed{side}, their lengths are {start}"
        return f"{text} at iteration 1, {end} at iteration {self.iterations}."

    def picture(self):
        t = min(self.iteration, self.iterations)
        shown = replace(self.trace, **{name: getattr(self.trace, name)[t - 1 : t] for name in "bcsva"})
        return plots.png(plots.routings_side_by_side({f"iteration {t}": shown}, self.names), saved=True)


def checked_votes(votes):
    """Votes as (I, 2, 2) of float64, refused by name if they do not fit the widget."""
    finite("votes", votes, ("I", 2, 2))
    votes = np.array(votes, float)
    votes.flags.writeable = False  # What is changed in place would never reach the page.
    if not 4 <= len(votes) <= 8:
        raise ValueError(f"votes: got {len(votes)} parts, expected 4 to 8")
    if np.abs(votes).max() > REACH:
        raise ValueError(f"votes: got components up to {np.abs(votes).max():g} in size, expected at most {REACH:g}")
    return votes
