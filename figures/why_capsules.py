"""A face and its scrambled twin: the same parts are there, and only their poses tell the two apart."""

import numpy as np

from capslib import faces, style
from capslib.plots.board import INK, board, main, tint
from capslib.style import COLOURS

TITLE = "The same parts, other poses"

WHO = faces.Identity()
"""A plain face."""
FACE = faces.Expression(smile=0.8, eyes_open=1)
NAMES = ("a face", "its scrambled twin")

WIDTH, HEIGHT = 7.5, 5.3
SIDE = 2.5
"""Side of a drawing in inches."""
LEFTS, BOTTOM = (1.5, 4.7), 2.45
"""Left edges of the drawings, and the lower edge of both."""
ROWS = (1.72, 1.39, 1.06, 0.73)
"""Height of each part's row, in the order of faces.PARTS."""
TYPE = 12.5


def arrangements():
    """Where the parts lie in the face and in its twin: (2, 4, 3, 3)."""
    parts = faces.arrangement(WHO)
    return np.stack([parts, faces.swap_eyes_and_mouth(parts)])


def place(M):
    """The position of a pose in words."""
    x, y = M[:2, 2]
    return f"({x:g}, {y:g})".replace("-", "−")


def alt():
    """What the figure shows, its numbers computed."""
    rows = "; ".join(
        f"{name} at {place(one)} and at {place(other)}"
        for name, one, other in zip(faces.PARTS, *arrangements(), strict=True)
    )
    return (
        "Two drawings in one head: on the left a face, on the right its scrambled twin, in which the mouth lies where "
        "the eyes were and the eyes where the mouth was. Below, for each of the four parts, whether it is there and "
        "where. Whether it is there reads 1 for every part in both drawings. Where it is differs for all but the "
        f"nose: {rows}."
    )


@style.context()
def draw():
    """Two drawings, and under each a column of ones and a column of places."""
    fig, page = board(WIDTH, HEIGHT)
    for k, (name, parts) in enumerate(zip(NAMES, arrangements(), strict=True)):
        middle, unit = LEFTS[k] + SIDE / 2, SIDE / faces.SIZE
        page.text(middle, HEIGHT - 0.3, name, ha="center", va="center", fontsize=TYPE + 1.5, fontweight="bold")
        for n, (points, radius) in enumerate(faces.strokes(WHO, FACE, parts=parts)):
            x, y = (points * unit + (middle, BOTTOM + SIDE / 2)).T
            pen = 2 * radius * unit * 72  # In points.
            if np.ptp(points, axis=0).any():
                (line,) = page.plot(x, y, color=INK, linewidth=pen, gid=f"stroke-{k}-{n}")
                line.set(solid_capstyle="round", solid_joinstyle="round")
            else:  # A dot: a line of no length is not drawn.
                page.plot(x[0], y[0], "o", color=INK, markersize=pen, markeredgewidth=0, gid=f"stroke-{k}-{n}")
        ones, places = middle - 0.72, middle + 0.55
        page.text(ones, 2.1, "there?", ha="center", va="center", fontsize=TYPE)
        page.text(places, 2.1, "where?", ha="center", va="center", fontsize=TYPE)
        for i, y in enumerate(ROWS):
            moved = not np.allclose(*arrangements()[:, i])
            box = {"facecolor": tint("v", 0.18) if moved and k else "white", "edgecolor": "none", "pad": 3}
            page.text(ones, y, "1", ha="center", va="center", fontsize=TYPE, gid=f"there-{k}-{i}")
            look = {"fontsize": TYPE, "fontweight": "bold" if moved and k else "normal", "color": COLOURS["ink"]}
            page.text(places, y, place(parts[i]), ha="center", va="center", bbox=box, gid=f"where-{k}-{i}", **look)
    for name, y in zip(faces.PARTS, ROWS, strict=True):
        page.text(0.2, y, name, va="center", fontsize=TYPE)
    words = "Ask only what is there, and both give the same answer."
    page.text(WIDTH / 2, 0.27, words, ha="center", va="center", fontsize=TYPE)
    return fig


if __name__ == "__main__":
    main(__file__, TITLE, alt(), draw())
