"""How networks do under conditions: means over seeds with their intervals (lesson 11)."""

import itertools

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.findings import AXES, LABELS, MOVED, SCORES, curve, mean_interval, steps, unchanged
from capslib.plots.base import described, figure
from capslib.style import COLOURS

LOOKS: dict[str, tuple[str, tuple[int, ...], str]] = {
    "capsnet_1": ("c", (6, 3), "s"),
    "capsnet_3": ("v", (), "o"),
    "capsnet_5": ("v", (2, 2), "D"),
    "capsnet_places": ("c", (), "^"),
    "capsnet_offset_1": ("v", (6, 3), "v"),
    "capsnet_unshared": ("c", (8, 2, 2, 2), "X"),
    "cnn_flatten": ("u", (6, 3), "^"),
    "cnn_flatten_margin": ("u", (8, 2, 2, 2), "s"),
    "cnn_global": ("u_hat", (6, 3), "o"),
    "cnn_global_margin": ("u_hat", (2, 2), "s"),
    "pose_1": ("a", (6, 3), "D"),
    "pose_3": ("a", (), "v"),
}
"""Colour, dashes and marker of each network; no two share dashes and marker, which tell them apart without colour."""

REFERENCES = {"accuracy": (0.1, "guessing"), "of_right": (0.1, "guessing"), "auroc": (0.5, "cannot tell")}
"""The level of a network that knows nothing, and its name; of the share of accepted digits there is none."""

PART_NAMES = {
    "none": ("intact",),
    "swap top and bottom": ("top ↔", "bottom"),
    "swap left and right": ("left ↔", "right"),
    "swap quadrants": ("quarters", "swapped"),
    "cells shuffled": ("cells", "shuffled"),
}
"""What the moved parts are called at an axis, in lines."""


@style.context()
def curves(found, family, score="accuracy", networks=None, covered=False) -> Figure:
    """One score of some networks under a condition: the mean over seeds with its 95 % t-interval, within 0 and 1.

    Args:
        found: the runs of each network, as `findings.runs` gives them.
        family: a key of findings.AXES.
        score: a key of findings.SCORES that is measured under this condition.
        networks: which of `found` to draw, in the order of their names; None for all.
        covered: whether only the unchanged digits are shown, for a question.

    Returns:
        A Figure: bands around curves, or where parts are moved points with whiskers. A network with one seed has none.

    Raises:
        ValueError: naming the argument, if there is no such family, score or network.
    """
    places, networks = steps(family, score), list(found) if networks is None else list(networks)
    if unknown := [name for name in networks if name not in found]:
        raise ValueError(f"networks: got {unknown[0]!r}, expected some of {', '.join(found)}")
    means = {name: _means(found[name], family, score) for name in networks}  # each (K, 3)
    shown = [place == unchanged(family) for place in places] if covered else [True] * len(places)
    fig, ax = figure(7.5, 3.6)
    x = np.arange(len(places)) if family == MOVED else np.array(places, float)
    level, name_of_level = REFERENCES.get(score, (None, ""))
    if level is not None:
        ax.axhline(level, color=COLOURS["neutral"], linewidth=1, linestyle=":")
        at = ax.get_yaxis_transform()
        ax.text(0.005, level + 0.01, name_of_level, transform=at, color=COLOURS["neutral"], fontsize=9)
    ends = {}
    for k, name in enumerate(networks):
        beside = 0.12 * (k - (len(networks) - 1) / 2) if family == MOVED else 0
        at, rows = (x + beside)[shown], means[name][shown]
        _draw_means(ax, at, rows, name, whiskers=family == MOVED)
        if len(rows):
            ends[name] = at[-1], rows[-1, 0]
    ax.set(xlim=(x[0] - 0.5, x[-1] + 0.5) if family == MOVED else (x[0], x[-1]), ylim=(0, 1.03))
    ax.set(xlabel=AXES[family], ylabel=SCORES[score], xticks=x)
    ax.set_xticklabels([_place(place, "\n") for place in places])
    for (name, end), height in zip(ends.items(), apart([end[1] for end in ends.values()], 0.065), strict=True):
        arrow = {"arrowstyle": "-", "color": COLOURS[LOOKS[name][0]], "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3}
        arrow |= {"relpos": (0, 0.5)}
        text = {"xytext": (1.03, height), "textcoords": ax.get_yaxis_transform(), "va": "center", "fontsize": 10}
        ax.annotate(LABELS[name], end, annotation_clip=False, arrowprops=arrow, **text)
    told = "; ".join(f"{LABELS[name]}, {_said(family, places, means[name], shown)}" for name in networks)
    what = f"{SCORES[score]} by {AXES[family]}"
    hidden = " All but the unchanged digits is covered." if covered else ""
    alt = f"{what[0].upper()}{what[1:]}: means over seeds with their 95 % t-intervals.{hidden} {told}."
    return described(fig, alt)


def apart(heights, gap) -> list[float]:
    """Heights of labels, moved so that any two are at least `gap` from each other and none lies above 1."""
    order, moved = np.argsort(heights, kind="stable"), np.array(heights, float)
    for below, above in itertools.pairwise(order):
        moved[above] = max(moved[above], moved[below] + gap)
    top = 1.0
    for k in order[::-1]:  # What was pushed above the top comes down again, and pushes what is below it.
        moved[k] = min(moved[k], top)
        top = moved[k] - gap
    return moved.tolist()


def _means(runs, family, score):
    """Mean and ends of the interval at every step, (K, 3)."""
    values = np.array([curve(run, family, score) for run in runs])  # (seeds, K)
    return np.array([mean_interval(column) for column in values.T])


def _draw_means(ax, x, rows, name, whiskers):
    colour, dashes, marker = LOOKS[name]
    ink = {"color": COLOURS[colour], "marker": marker, "markersize": 5, "label": name}
    mean, (low, high) = rows[:, 0], np.clip(rows[:, 1:], 0, 1).T
    if whiskers:
        reach = np.abs(np.stack([mean - low, high - mean]))
        ax.errorbar(x, mean, np.nan_to_num(reach), linestyle="", capsize=3, **ink)
        return
    ax.fill_between(x, low, high, color=COLOURS[colour], alpha=0.18, linewidth=0)
    ax.plot(x, mean, linestyle=(0, dashes) if dashes else "-", linewidth=1.8, clip_on=False, **ink)


def _said(family, places, rows, shown):
    """Means in words: of many steps the first, the middle and the last."""
    picked = [k for k in range(len(places)) if shown[k]]
    if family != MOVED and len(picked) > 3:
        picked = [picked[0], picked[len(picked) // 2], picked[-1]]
    return ", ".join(f"{rows[k, 0]:.3f} ({_interval(rows[k])}) at {_place(places[k])}" for k in picked)


def _place(place, between=" "):
    return between.join(PART_NAMES[place]) if isinstance(place, str) else f"{place:g}"


def _interval(row):
    return "one seed" if np.isnan(row[1]) else f"{row[1]:.3f} to {row[2]:.3f}"
