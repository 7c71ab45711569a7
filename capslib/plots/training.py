"""How a training went, epoch by epoch."""

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import draw_named, look, write_beside
from capslib.style import COLOURS


@style.context()
def training_curves(runs, value, label, reference=None, limits=None) -> Figure:
    """Draw one value of several training histories, each named at its end.

    The first curve is blue, the second vermilion; they differ in their dashes too.

    Args:
        runs: dict of name → list of dicts with `epoch` and `value`.
        value: the key to draw, for example "val_accuracy".
        label: of the vertical axis.
        reference: (number, name) of a horizontal line, or None.
        limits: of the vertical axis, or None.
    """
    fig, ax = figure(7.5, 3.4)
    for k, (name, rows) in enumerate(runs.items()):
        x, y = zip(*((row["epoch"], row[value]) for row in rows), strict=True)
        line = look(k, ("u", "v", "a", "c"), marked=False)
        draw_named(ax, x, y, name, shift=(6, 0), ink=line["color"], **line)
    if reference is not None:
        ax.axhline(reference[0], color=COLOURS["neutral"], linewidth=1, linestyle=(0, (6, 3)))
        at = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right"}
        ax.annotate(reference[1], (1, reference[0]), (0, 4), **at)
    ax.set(xlabel="epoch", ylabel=label)
    if limits is not None:
        ax.set_ylim(*limits)
    ax.margins(x=0.02)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ends = [[f"{row[value]:.3f} at epoch {row['epoch']}" for row in (rows[0], rows[-1])] for rows in runs.values()]
    told = [f"{name}, {first} and {last}" for name, (first, last) in zip(runs, ends, strict=True)]
    alt = f"{label[0].upper()}{label[1:]} by epoch: {'; '.join(told)}."
    return described(fig, alt if reference is None else f"{alt} A dashed line at {reference[0]:.3f}: {reference[1]}.")


@style.context()
def learning_rates(rates) -> Figure:
    """Draw learning rates by optimizer step, each line named at its last peak; the first is blue, the second vermilion.

    Args:
        rates: dict of name → learning rates (steps,).
    """
    fig, ax = figure(7.5, 2.6)
    for k, (name, rate) in enumerate(rates.items()):
        line = look(k, ("u", "v", "a", "c"), marked=False)
        ax.plot(rate, label=name, **line)
        peak = int(np.flatnonzero(rate == np.max(rate))[-1])  # Of a constant rate the end, where it is alone.
        late = 2 * peak > len(rate)
        place = {"ha": "right" if late else "left", "va": "bottom"}
        write_beside(ax, name, (peak, rate[peak]), (-8 if late else 8, 2), color=line["color"], **place)
    ax.set(xlabel="optimizer step", ylabel="learning rate", ylim=(0, 1.25 * max(max(rate) for rate in rates.values())))
    told = [f"{name}, {_course(np.asarray(rate))}" for name, rate in rates.items()]
    return described(fig, f"Learning rate by optimizer step: {'; '.join(told)}.")


def _course(rate) -> str:
    """Where a learning rate begins, peaks and ends, in words."""
    if np.ptp(rate) == 0:
        return f"{rate[0]:.3f} throughout"
    told = f"{rate[0]:.3f} at first, {rate.max():.3f} at step {rate.argmax():,}, "
    return f"{told}{rate[-1]:.3f} at the last step {len(rate) - 1:,}"
