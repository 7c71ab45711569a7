"""A quantity of the bug lab: the patient's beside a healthy network's, and a mended one's."""

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.bugs import Look, number
from capslib.plots.base import described, figure
from capslib.style import COLOURS

LINES = {
    "healthy": {"color": COLOURS["u"], "linestyle": "--", "marker": "o", "markerfacecolor": "white"},
    "patient": {"color": COLOURS["v"], "linestyle": "-", "marker": "s"},
    "yours": {"color": COLOURS["ink"], "linestyle": ":", "marker": "^"},
}
"""Told apart by dashes and markers as well as by colour."""
HATCHES = {"healthy": "//", "patient": "", "yours": ".."}


@style.context()
def patient_beside_healthy(look, healthy, patient, mended=None) -> Figure:
    """One quantity of two or three networks, as lines or as bars; what is no number is left out and said so.

    Args:
        look: the quantity, a Look.
        healthy, patient: its rows of numbers.
        mended: the row of a network with a learner's step, or None.
    """
    fig, ax = figure(6.5, 2.6)
    draw_look(ax, look, healthy, patient, mended)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    rows = {"healthy": healthy, "patient": patient} | ({} if mended is None else {"yours": mended})
    said = ", ".join(f"{name} {number(look, row)}" for name, row in rows.items())
    return described(fig, f"{look.title} ({look.read}): {said}.")


@style.context()
def looked_at(quantities) -> Figure:
    """Several quantities of a patient beside a healthy network's, up to three in a row.

    Args:
        quantities: triples of a Look and the rows of the healthy and of the patient.
    """
    columns = min(3, len(quantities))
    lines = -(-len(quantities) // columns)
    fig, axes = figure(max(4.6, 3.4 * columns), 2.2 * lines, rows=lines, columns=columns, squeeze=False)
    for ax in axes.flat[len(quantities) :]:
        ax.axis("off")
    for ax, (look, healthy, patient) in zip(axes.flat, quantities, strict=False):
        draw_look(ax, look, healthy, patient)
        ax.title.set_fontsize(9)
        ax.title.set_wrap(True)
    axes.flat[0].legend(frameon=False, fontsize=8)
    said = "; ".join(f"{look.title}: healthy {number(look, h)}, patient {number(look, p)}" for look, h, p in quantities)
    return described(fig, f"{said}.")


def draw_look(ax, look: Look, healthy, patient, mended=None) -> None:
    """Draw one quantity into axes."""
    rows = {"healthy": healthy, "patient": patient} | ({} if mended is None else {"yours": mended})
    names = [str(n) for n in range(1, len(healthy) + 1)] if isinstance(look.across, str) else look.across
    for k, (name, row) in enumerate(rows.items()):
        at, row = np.arange(len(row)), np.asarray(row, float)
        if look.bars:
            width = 0.8 / len(rows)
            shift = (k - (len(rows) - 1) / 2) * width
            colour = LINES[name]["color"]
            ax.bar(
                at + shift, np.nan_to_num(row), width, label=name, hatch=HATCHES[name], edgecolor="white", color=colour
            )
        else:
            ax.plot(at, row, label=name, markersize=5, **LINES[name])
    ax.set(title=look.title, xticks=range(len(names)), xticklabels=names)
    ax.tick_params(axis="x", labelsize=8 if len(names) > 6 else 9)
    if isinstance(look.across, str):
        ax.set_xlabel(look.across)
    finite = np.concatenate([np.asarray(row, float)[np.isfinite(row)] for row in rows.values()])
    if look.bars or not finite.size or finite.min() >= 0:
        ax.set_ylim(min(0, finite.min(initial=0)), 1.1 * max(finite.max(initial=0), 1e-9))
    if any(not np.isfinite(row).all() for row in rows.values()):
        ax.text(0.5, 0.5, "patient: NaN", ha="center", va="center", transform=ax.transAxes, color=COLOURS["v"])
