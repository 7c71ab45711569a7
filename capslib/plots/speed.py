"""What was measured: curves, amounts of work, single values, and the race to one accuracy."""

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import figure
from capslib.plots.marks import look, write_beside
from capslib.style import COLOURS


@style.context()
def measured_curves(x, panels, xlabel, log=False) -> Figure:
    """Several quantities over one axis, a panel each, with lines told apart by marker and dashes.

    Args:
        x: (N,) positions; for panels with an axis of their own, one such array in a list for each.
        panels: title → name → N values.
        xlabel: label of the horizontal axes, or a list with one for each panel.
        log: whether the axes are logarithmic, the vertical one the same for all panels; else it begins at 0.
    """
    fig, axes = figure(7.5, 3.2, columns=len(panels), squeeze=False, sharey=log)
    for n, (ax, (title, curves)) in enumerate(zip(axes[0], panels.items(), strict=True)):
        at = x[n] if isinstance(x, list) else x
        for k, (name, values) in enumerate(curves.items()):
            ax.plot(at, values, markersize=5, label=name, **look(k))
        ax.set(title=title, xlabel=xlabel if isinstance(xlabel, str) else xlabel[n])
        if log:
            ax.set(xscale="log", yscale="log")
            _plain_ticks(ax.xaxis, [at[0], at[len(at) // 2], at[-1]])
        else:
            ax.set(xticks=at, ylim=(0, 1.08 * max(np.max(values) for values in curves.values())))
    if log:
        low, high = axes[0][0].get_ylim()
        _plain_ticks(
            axes[0][0].yaxis, [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if low < tick < high]
        )
    axes[0][-1].legend(frameon=False, fontsize=10)
    return fig


def _plain_ticks(axis, ticks):
    """Ticks of a logarithmic axis at these numbers alone, written as they are."""
    axis.set_ticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_ticks([], minor=True)


@style.context()
def work_and_time(rows, reference) -> Figure:
    """Bars in units of a reference, of which the first unit is drawn apart from what is added to it.

    Args:
        rows: name → amount, in units of the reference.
        reference: what the unit is called.
    """
    fig, ax = figure(7.5, 0.9 + 0.45 * len(rows))
    for y, amount in enumerate(rows.values()):
        ax.barh(y, min(amount, 1), color=COLOURS["neutral"], height=0.6)
        ax.barh(y, max(amount - 1, 0), left=1, color=COLOURS["v"], hatch="///", edgecolor="white", height=0.6)
        ax.text(max(amount, 1) + 0.03, y, f"{amount:.2f}", va="center")
    ax.axvline(1, color=COLOURS["ink"], linewidth=1)
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel=f"in units of {reference}")
    ax.set_xlim(0, 1.1 * max(*rows.values(), 1.2))
    ax.invert_yaxis()
    return fig


@style.context()
def dots(rows, xlabel, mark=None) -> Figure:
    """Every measured value of each row as a small dot, and their median as a large one with its number.

    Args:
        rows: name → values.
        xlabel: label of the horizontal axis.
        mark: (value, name) of a vertical line, or None.
    """
    fig, ax = figure(7.5, 0.9 + 0.42 * len(rows))
    if mark is not None:
        ax.axvline(mark[0], color=COLOURS["neutral"], linestyle="--", linewidth=1)
        ax.annotate(
            mark[1], (mark[0], 1), (4, 0), xycoords=("data", "axes fraction"), textcoords="offset points", va="top"
        )
    for y, values in enumerate(rows.values()):
        middle = float(np.median(values))
        ax.plot(values, np.full(len(values), y), "o", color=COLOURS["u_hat"], markersize=5, alpha=0.7)
        ax.plot([middle], [y], "D", color=COLOURS["v"], markersize=8)
        write_beside(ax, f"{middle:.3g}", (middle, y), (0, 8), ha="center", va="bottom")
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel=xlabel, ylim=(len(rows) - 0.5, -0.7))
    ax.set_xlim(0, 1.06 * max(np.max(values) for values in rows.values()))
    return fig


@style.context()
def race_to_level(runs, level, names) -> Figure:
    """Validation accuracy by seconds of training, a line a run, up to where each run reached the level.

    Args:
        runs: dicts with runner, seconds (None if it did not get there) and checks, a list of dicts with seconds and
            val_accuracy.
        level: the accuracy to reach.
        names: runner → what it is called in the picture.

    Returns:
        A Figure. A run that reached the level ends in a filled marker, another in a hollow one.
    """
    fig, ax = figure(7.5, 3.4)
    ax.axhline(level, color=COLOURS["neutral"], linewidth=1, linestyle="--")
    for k, (runner, name) in enumerate(names.items()):
        colour, ends = look(k)["color"], []
        for run in (run for run in runs if run["runner"] == runner):
            seconds, accuracy = zip(*((c["seconds"], c["val_accuracy"]) for c in run["checks"]), strict=True)
            filled = {} if run["seconds"] is not None else {"markerfacecolor": "white"}
            ax.plot(seconds, accuracy, linewidth=1.2, **look(k, marked=False))
            ax.plot(seconds[-1:], accuracy[-1:], markersize=7, **look(k), **filled)
            ends.append(seconds[-1])
        # Names at heights of their own, so that runners of nearly the same time can both be read.
        ax.text(np.median(ends), level + 0.006 * (1 + 2 * (k % 2)), name, color=colour, ha="center", va="bottom")
    ax.set(xscale="log", xlabel="seconds of training", ylabel="validation accuracy", ylim=(level - 0.1, level + 0.036))
    low, high = ax.get_xlim()
    _plain_ticks(ax.xaxis, [tick for tick in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if low < tick < high])
    ax.text(0.01, level, f" {level}", transform=ax.get_yaxis_transform(), va="bottom")
    return fig
