"""The house palette (Okabe–Ito) and the house style of figures: one colour per quantity, everywhere in the course."""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap

COLOURS = {
    "u": "#0072B2",
    "u_hat": "#56B4E9",
    "c": "#E69F00",
    "v": "#D55E00",
    "a": "#009E73",
    "neutral": "#7F7F7F",
    "ink": "#222222",
}

SCALES = {
    "coupling": ["#4D4D4D", "#BFBFBF", "#FFFFFF", "#F2C46D", "#B36B00"],
    "contribution": ["#004C7A", "#6BB1DC", "#FFFFFF", "#F0A06A", "#A33F00"],
}
"""Evenly spaced colours of the two diverging scales, for matplotlib and for the widgets."""

COUPLING = LinearSegmentedColormap.from_list("coupling", SCALES["coupling"])
"""log₂(J·c): white is 1/J ("no preference"), orange above, grey below."""

CONTRIBUTION = LinearSegmentedColormap.from_list("contribution", SCALES["contribution"])
"""c⟨û, v̂⟩: white is 0, vermilion adds to ‖s_j‖, blue takes away."""

MISTAKES = LinearSegmentedColormap.from_list("mistakes", ["#FFFFFF", "#F2A36B"])
"""Counts of mistakes: white is none; light enough for dark numbers on top."""

RC = {
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=[COLOURS[k] for k in ("u", "v", "a", "c", "u_hat", "neutral")]),
    "lines.linewidth": 2,
    "svg.hashsalt": "capslib",
    "svg.fonttype": "path",
}

HOUSE = {name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"} | RC
"""RC on top of matplotlib's own defaults, so that nothing which a learner has set shows in a figure of the course."""


@contextmanager
def context() -> Iterator[None]:
    """The house style for what is made or drawn inside; outside, rcParams stay as they are. Also a decorator."""
    with mpl.rc_context({name: value for name, value in HOUSE.items() if mpl.rcParams[name] != value}):
        yield
