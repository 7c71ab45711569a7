"""Parts of a face vote for its pose: votes agree, turn with the face, and fall apart when parts trade places."""

import numpy as np

from capslib import faces, poses, style
from capslib.plots.board import GREY, arrow, board, main, tint
from capslib.style import COLOURS

TITLE = "Votes of parts for the pose of their face"

TURN = 60
ME = faces.Identity()
SITS = faces.arrangement(ME)
"""Where the four parts sit in the face, (4, 3, 3)."""
HEADS = np.stack([poses.pose(), poses.pose(angle=TURN), poses.pose()])
PARTS = np.stack([SITS, HEADS[1] @ SITS, faces.swap_eyes_and_mouth(SITS)])
VOTES = PARTS @ np.linalg.inv(SITS)
"""Heads (N, 3, 3), parts and votes (N, 4, 3, 3) of the three panels; the constant matrices are the same in all."""
NAMES = ("a face", f"turned by {TURN}°", "eyes and mouth swapped")

WIDTH, HEIGHT = 7.5, 3.75
UNIT = 2.45 / faces.SIZE
"""Inches for one pixel of the canvas."""
MIDDLES = ((1.27, 2.05), (3.75, 2.05), (6.23, 2.05))
KEY = 0.24
TYPE = 12
REACH = {"part": 2.6, "vote": 4.6}
"""Lengths of a frame's arrow to its owner's right, in units at scale 1; that up is 0.6 of it."""
LOOKS = {"part": COLOURS["u"], "vote": COLOURS["u_hat"]}
CENTRED = {"ha": "center", "va": "center", "fontsize": TYPE}


def alt():
    """What the figure shows, its numbers computed."""
    whole, turned, swapped = poses.spread(VOTES)
    low, high = VOTES[2, :, 1, 2].min(), VOTES[2, :, 1, 2].max()
    return (
        "Three drawings of one face. On each of its four parts, two eyes, a nose and a mouth, stands a dark frame of "
        "two arrows, the part's right and its up; a dotted line leads from it to a light frame, the pose of the face "
        "that the part votes for: its own pose M i times a constant matrix T i. First, the face upright: all votes "
        f"coincide in the middle of the face. Second, the face turned by {TURN} degrees: the parts have turned, the "
        "votes coincide as before and have turned too. Third, eyes and mouth have traded places: both eyes vote for "
        f"one place below the mouth's old place, at height {low:.0f}, the nose for the middle, the mouth for height "
        f"{high:.0f}. The spread of the votes is {whole:.1f}, {turned:.1f} and {swapped:.1f} pixels."
    ).replace("height -", "height −")


@style.context()
def draw():
    """Three panels with a name above and the spread below each, and a key."""
    fig, ax = board(WIDTH, HEIGHT)
    for n, (middle, head, parts, votes) in enumerate(zip(np.array(MIDDLES), HEADS, PARTS, VOTES, strict=True)):
        for k, (points, radius) in enumerate(faces.strokes(ME, None, head, parts)):
            line = middle + UNIT * points
            pen = {"color": tint("neutral", 0.4), "linewidth": 144 * radius * UNIT, "zorder": 1}
            ax.plot(*line.T, solid_capstyle="round", solid_joinstyle="round", gid=f"face-{n}-{k}", **pen)
        for i, (part, vote) in enumerate(zip(parts, votes, strict=True)):
            way = middle + UNIT * np.stack([part, vote])[:, :2, 2]
            dotted(ax, way, f"way-{n}-{i}")
            frame(ax, vote, middle, "vote", f"{n}-{i}")
            frame(ax, part, middle, "part", f"{n}-{i}")
        ax.text(middle[0], 3.5, NAMES[n], gid=f"name-{n}", **CENTRED)
        ax.text(middle[0], 0.72, f"spread of votes {poses.spread(votes):.1f}", gid=f"spread-{n}", **CENTRED)
    frame(ax, poses.pose(), (0.9, KEY - 0.08), "part", "key")
    ax.text(1.25, KEY, "part, $M_i$", va="center", fontsize=TYPE)
    dotted(ax, np.array([[2.75, KEY], [3.2, KEY]]), "way-key")
    ax.text(3.3, KEY, "times constant $T_i$", va="center", fontsize=TYPE)
    frame(ax, poses.pose(), (5.35, KEY - 0.1), "vote", "key")
    ax.text(5.9, KEY, "vote, $M_i T_i$", va="center", fontsize=TYPE)
    return fig


def frame(ax, M, middle, kind, number):
    """The frame of a pose: a dot and the arrows of its owner's right and up, on a canvas around `middle`."""
    dot = middle + UNIT * M[:2, 2]
    for name, column, share in (("right", 0, 1), ("up", 1, 0.6)):
        tip = dot + UNIT * REACH[kind] * share * M[:2, column]
        arrow(ax, [dot, tip], f"{kind}-{number}-{name}", LOOKS[kind], width=1.6, head=0.09)
    ax.plot(*dot, "o", color=LOOKS[kind], markersize=4, gid=f"{kind}-{number}", zorder=3)


def dotted(ax, way, gid):
    """The way from a part to the place that it votes for."""
    ax.plot(*way.T, color=GREY, linestyle=":", linewidth=1.4, gid=gid, zorder=2)


if __name__ == "__main__":
    main(__file__, TITLE, alt(), draw())
