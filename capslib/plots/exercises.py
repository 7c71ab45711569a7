"""What a solution of an exercise gave, beside what it should give."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import largest
from capslib.style import COLOURS, CONTRIBUTION

ROWS = 12
"""How many rows of numbers a picture has room for."""


@style.context()
def expected_and_got(expected, got, names=("i", "j")) -> Figure:
    """What a task should give beside what it gave, on one scale, with every number; where they differ is framed.

    Args:
        expected: an array of any rank. Of more than two axes, all but the last are written below each other.
        got: an array of the same shape, or None where there is nothing to show.
        names: of the axes; one for each.
    """
    wanted, total = _table(expected), np.size(expected)
    values = np.full(wanted.shape, np.nan) if got is None else _table(got)
    wrong = np.isnan(values) if got is None else ~np.isclose(values, wanted, rtol=1e-4, atol=1e-6)
    limit = largest(wanted)
    fig, axes = figure(7.5, 0.9 + 0.42 * len(wanted[:ROWS]), columns=2)
    for ax, title, shade in zip(axes, ("expected", "yours"), (wanted, values), strict=True):
        ax.set(title=title, xticks=range(wanted.shape[1]), yticks=range(len(wanted[:ROWS])))
        ax.set(xlabel=names[-1] if names else "", ylabel=", ".join(names[:-1]))
        cells = ax.imshow(shade[:ROWS], cmap=CONTRIBUTION, vmin=-2 * limit, vmax=2 * limit, aspect="auto")
        ax.tick_params(length=0)
        if np.ndim(expected) < 2:  # One row, which no axis counts.
            ax.set_yticks([])
        if got is None and shade is values:
            ax.text(0.5, 0.5, "nothing yet", ha="center", va="center", transform=ax.transAxes)
            continue
        for i, j in np.ndindex(*shade[:ROWS].shape):
            dark = np.mean(cells.to_rgba(shade[i, j])[:3]) < 0.5 and not np.isnan(shade[i, j])
            colour = "white" if dark else COLOURS["ink"]
            ax.text(j, i, f"{shade[i, j]:.2f}".replace("-", "−"), ha="center", va="center", color=colour)
            if shade is values and wrong[i, j]:
                ax.add_patch(Rectangle((j - 0.46, i - 0.44), 0.92, 0.88, fill=False, linewidth=2, color=COLOURS["v"]))
    return described(fig, f"Expected numbers beside yours: {total - wrong.sum()} of {total} agree.")


@style.context()
def text_page(lines) -> Figure:
    """Lines of text as a picture, for a widget of words where no widget lives.

    Args:
        lines: list of str; blanks at the beginning indent a line.
    """
    fig, ax = figure(7.5, 0.2 + 0.19 * len(lines))
    ax.axis("off")
    for n, line in enumerate(lines):
        blanks = len(line) - len(line.lstrip())
        ax.text(0.008 * blanks, 1 - (n + 0.5) / len(lines), line.strip(), va="center", transform=ax.transAxes)
    return described(fig, " ".join(" ".join(lines).split()))


def _table(x) -> np.ndarray:
    """An array of any rank as rows of numbers."""
    x = np.asarray(x, float)
    return x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)
