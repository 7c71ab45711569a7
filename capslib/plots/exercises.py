"""What a solution of an exercise gave, beside what it should give."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from capslib import style
from capslib.plots.base import figure
from capslib.plots.marks import largest
from capslib.style import COLOURS, CONTRIBUTION


@style.context()
def expected_and_got(expected, got, names=("i", "j")) -> Figure:
    """What a task should give beside what it gave, on one scale, with every number; where they differ is framed.

    Args:
        expected: (I, J).
        got: (I, J), or None where there is nothing to show.
        names: of the rows' and the columns' index.
    """
    expected = np.asarray(expected)
    limit = largest(expected)
    fig, axes = figure(7.5, 0.9 + 0.42 * len(expected), columns=2)
    for ax, title, values in zip(axes, ("expected", "yours"), (expected, got), strict=True):
        ax.set(title=title, xticks=range(expected.shape[1]), yticks=range(len(expected)))
        ax.set(xlabel=names[1], ylabel=names[0])
        shade = np.full(expected.shape, np.nan) if values is None else np.asarray(values)
        ax.imshow(shade, cmap=CONTRIBUTION, vmin=-2 * limit, vmax=2 * limit, aspect="auto")
        ax.tick_params(length=0)
        if values is None:
            ax.text(0.5, 0.5, "nothing yet", ha="center", va="center", transform=ax.transAxes)
            continue
        for i, j in np.ndindex(expected.shape):
            ax.text(j, i, f"{shade[i, j]:.2f}".replace("-", "−"), ha="center", va="center")
            if not np.isclose(shade[i, j], expected[i, j], rtol=1e-4, atol=1e-6):
                ax.add_patch(Rectangle((j - 0.46, i - 0.44), 0.92, 0.88, fill=False, linewidth=2, color=COLOURS["v"]))
    return fig
