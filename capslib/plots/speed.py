"""What was measured: curves, amounts of work, and the race to one accuracy."""

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import look
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
    scales = " (logarithmic axes)" if log else ""
    told = (
        f"{title}, over {ax.get_xlabel()}{scales}: {'; '.join(_ends(line) for line in ax.lines)}."
        for title, ax in zip(panels, axes[0], strict=True)
    )
    return described(fig, "Curves. " + " ".join(told))


def _ends(line):
    """Where a curve begins and ends."""
    (x, first), *_, (end, last) = line.get_xydata()
    return f"{line.get_label()} goes from {first:.2f} at {x:,.0f} to {last:.2f} at {end:,.0f}"


def _plain_ticks(axis, ticks):
    """Ticks of a logarithmic axis at these numbers alone, written as they are."""
    axis.set_ticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_ticks([], minor=True)


@style.context()
def work_and_time(rows, reference) -> Figure:
    """Bars in units of a reference, of which the first unit is drawn apart from the rest.

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
    amounts = ", ".join(f"{name} {amount:.2f}" for name, amount in rows.items())
    return described(fig, f"Bars in units of {reference}: {amounts}.")


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
    told = "; ".join(f"{name} after {_seconds(runs, runner)}" for runner, name in names.items())
    alt = (
        "Validation accuracy over seconds of training, on a logarithmic axis, one line per run, with a dashed line at "
    )
    return described(fig, f"{alt}{level:.3f}. Reached by {told}.")


def _seconds(runs, runner):
    """After how many seconds each run of a runner reached the level."""
    took = [run["seconds"] for run in runs if run["runner"] == runner]
    return ", ".join("(not reached)" if seconds is None else f"{seconds:.1f} s" for seconds in took)
