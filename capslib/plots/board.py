"""What the scripts in figures/ share: a board measured in inches, tints, arrows, and an SVG with its alt text.

Every script has TITLE, alt() and draw(), and run as a program writes NAME.svg and NAME.alt.txt beside itself, or into
the folder named on its command line. The alt text has one source, alt(), and is also inside the SVG.
"""

import html
import io
import re
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from capslib import style
from capslib.checks import check_text
from capslib.plots.base import HouseFigure
from capslib.records import write_atomically
from capslib.style import COLOURS

INK, GREY = COLOURS["ink"], COLOURS["neutral"]


def tint(quantity, amount) -> str:
    """The colour of a quantity mixed with white; `amount` 1 is the full colour, 0 is white."""
    return to_hex([1 - amount * (1 - channel) for channel in to_rgb(COLOURS[quantity])])


@style.context()
def board(width, height) -> tuple[Figure, Axes]:
    """A figure of this size in inches and one invisible Axes over all of it, whose coordinates are inches too."""
    fig = HouseFigure(figsize=(width, height), layout="none")
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    return fig, ax


def arrow(ax, points, gid, color, width=1.8, linestyle="-", head=0.13) -> None:
    """Draw an arrow along a polyline on a board; its tip is exactly the last point.

    Args:
        ax: the Axes of a `board`.
        points: (N, 2) in inches.
        gid: its id in the SVG; the head's is the same with "-head".
        color: of line and head.
        width: of the line in points.
        linestyle: as in matplotlib; the head is always solid.
        head: length of the head in inches.
    """
    points = np.array(points, float)
    tip = points[-1].copy()
    ahead = (tip - points[-2]) / np.hypot(*(tip - points[-2]))
    aside = 0.42 * head * np.array([-ahead[1], ahead[0]])
    base = tip - head * ahead
    points[-1] = tip - 0.8 * head * ahead
    (line,) = ax.plot(*points.T, color=color, linewidth=width, linestyle=linestyle, gid=gid, zorder=2)
    line.set(solid_capstyle="butt", solid_joinstyle="round", dash_capstyle="butt", dash_joinstyle="round")
    ax.add_patch(Polygon([tip, base + aside, base - aside], color=color, linewidth=0, gid=f"{gid}-head", zorder=2))


@style.context()
def svg(fig, name, title, alt) -> str:
    """The figure as the text of an SVG that carries its title and its alt text, the same bytes at every call.

    Args:
        fig: a matplotlib Figure.
        name: the figure's name; it begins the ids of title and alt text, so that two figures fit on one page.
        title: a few words.
        alt: what the picture shows, for those who do not see it.

    Raises:
        ValueError: if `title` or `alt` is empty.
    """
    for argument, text in (("title", title), ("alt", alt)):
        check_text(argument, text, "words that say what the figure shows")
    file = io.StringIO()
    # No date and no version of matplotlib: both would change the file when the picture has not changed.
    fig.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    head, rest = re.sub(r" +$", "", file.getvalue(), flags=re.MULTILINE).split("<svg ", 1)
    attributes, body = rest.split(">", 1)
    return (
        f'{head}<svg role="img" aria-labelledby="{name}-title {name}-alt" {attributes}>\n'
        f' <title id="{name}-title">{html.escape(title)}</title>\n'
        f' <desc id="{name}-alt">{html.escape(alt)}</desc>{body}'
    )


def main(script, title, alt, fig) -> None:
    """Write NAME.svg and NAME.alt.txt, each whole or not at all, beside `script` or into the folder in sys.argv."""
    script = Path(script)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else script.parent
    text = svg(fig, script.stem, title, alt)
    write_atomically(folder / f"{script.stem}.svg", lambda file: file.write(text.encode()))
    write_atomically(folder / f"{script.stem}.alt.txt", lambda file: file.write(f"{alt}\n".encode()))
