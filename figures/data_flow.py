"""What flows where in one capsule layer: the way forward, the routing loop, and what each round of routing updates."""

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from capslib import style
from capslib.plots.board import GREY, INK, arrow, board, main, tint
from capslib.style import COLOURS

TITLE = "Data flow in one capsule layer"

WIDTH, HEIGHT = 8, 4.5
TOP, MIDDLE, BOTTOM, LANE = 3.6, 2.5, 1.4, 0.3
"""Heights of the forward path, of c, of the rest of the loop, and of the lane that carries û to the agreement."""
SIDE, RADIUS, TALL = 0.27, 0.3, 0.23
"""Half a square's side, a disc's radius, half an operation's height."""

QUANTITIES = {
    "u": ("u", 0.45, TOP),
    "u_hat": (r"\hat{u}", 2.23, TOP),
    "s": ("s", 4.37, TOP),
    "v": ("v", 7.2, TOP),
    "c": ("c", 3.1, MIDDLE),
    "b": ("b", 4.25, BOTTOM),
    "a": ("a", 6.11, BOTTOM),
}
"""Name → symbol, centre."""
ROUTED = ("b", "c", "s", "v", "a")
OPERATIONS = {
    "W": (r"$\times\,W$", 1.34, TOP, 0.27),
    "sum": (r"$\Sigma$", 3.1, TOP, 0.25),
    "squash": ("squash", 5.78, TOP, 0.4),
    "agree": (r"$\langle\hat{u}, v\rangle$", 7.2, BOTTOM, 0.38),
    "plus": ("+", 5.18, BOTTOM, 0.23),
    "softmax": ("softmax", 3.1, BOTTOM, 0.45),
}
"""Name → text, centre, half its width."""
FORWARD = (("u", "W"), ("W", "u_hat"), ("u_hat", "sum"), ("sum", "s"), ("s", "squash"), ("squash", "v"))
LOOP = (("v", "agree"), ("agree", "a"), ("a", "plus"), ("plus", "b"), ("b", "softmax"), ("softmax", "c"), ("c", "sum"))
"""The arrows between neighbours, from and to; two more of the loop, û to the agreement and b back to +, are bent."""
LOOKS = {
    "forward": {"color": COLOURS["u"], "width": 4, "linestyle": "-", "head": 0.2},
    "loop": {"color": COLOURS["a"], "width": 2, "linestyle": (0, (2.6, 1.3)), "head": 0.16},
}


def alt():
    """What the figure shows."""
    return (
        "Flow chart of one capsule layer. The forward path, thick solid blue arrows, runs from left to right: lower "
        "capsules u are multiplied by W and become votes u-hat; a sum weighted by the couplings c makes s; squash "
        "makes the upper capsules v, which leave to the next layer. The routing loop, thin dashed green arrows, runs "
        "back below it: v and the votes u-hat meet in a scalar product and give the agreements a; these are added to "
        "the logits b, which start at 0; softmax turns b into c; and c goes up into the weighted sum. Quantities "
        f"that every round of routing updates, {', '.join(ROUTED[:-1])} and {ROUTED[-1]}, are orange discs; u and "
        "u-hat, computed once, are white squares; operations are grey boxes. Shapes for one example: u is I by D in, "
        "u-hat is I by J by D out, s and v are J by D out, and b, c and a are I by J."
    )


def half_size(name):
    """Half the width and half the height of a quantity or an operation."""
    if name in OPERATIONS:
        return OPERATIONS[name][3], TALL
    return (RADIUS, RADIUS) if name in ROUTED else (SIDE, SIDE)


def centre(name):
    """Where a quantity or an operation stands."""
    return np.array((OPERATIONS.get(name) or QUANTITIES.get(name))[1:3])


def border(name, towards):
    """The point of its border that lies straight in the direction (±1, 0) or (0, ±1)."""
    return centre(name) + np.array(towards) * half_size(name)


def draw_link(ax, start, end, kind):
    """An arrow between two neighbours in a row or a column, from border to border."""
    towards = np.sign(np.round(centre(end) - centre(start), 6))
    points = border(start, towards), border(end, -towards)
    arrow(ax, points, f"{kind}-{start}-{end}", **LOOKS[kind])


def draw_quantity(ax, name, place, text, half=None, gid=""):
    """A disc if routing updates the quantity, else a square, with its symbol."""
    if name in ROUTED:
        look = {"facecolor": tint("c", 0.35), "edgecolor": COLOURS["c"], "linewidth": 2.2}
        ax.add_patch(Circle(place, half or RADIUS, gid=f"{gid}disc-{name}", zorder=3, **look))
    else:
        side = half or SIDE
        look = {"facecolor": "white", "edgecolor": INK, "linewidth": 1.4}
        ax.add_patch(
            Rectangle(np.subtract(place, side), 2 * side, 2 * side, gid=f"{gid}square-{name}", zorder=3, **look)
        )
    ax.text(*place, text, ha="center", va="center_baseline", fontsize=17, zorder=4)


@style.context()
def draw():
    """One board."""
    fig, ax = board(WIDTH, HEIGHT)
    for name, (symbol, *place) in QUANTITIES.items():
        draw_quantity(ax, name, place, f"${symbol}$")
    for name, (text, x, y, half) in OPERATIONS.items():
        box = FancyBboxPatch(
            (x - half, y - TALL),
            2 * half,
            2 * TALL,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=tint("neutral", 0.2),
            edgecolor=GREY,
            linewidth=1,
            gid=f"operation-{name}",
            zorder=3,
        )
        ax.add_patch(box)
        ax.text(x, y, text, ha="center", va="center_baseline", fontsize=13, zorder=4)
    for start, end in FORWARD:
        draw_link(ax, start, end, "forward")
    for start, end in LOOP:
        draw_link(ax, start, end, "loop")
    out = border("v", (1, 0))
    arrow(ax, (out, (WIDTH - 0.08, out[1])), "forward-v-next", **LOOKS["forward"])
    x_votes, x_agree = centre("u_hat")[0], centre("agree")[0]
    lane = border("u_hat", (0, -1)), (x_votes, LANE), (x_agree, LANE), border("agree", (0, -1))
    arrow(ax, lane, "loop-u_hat-agree", **LOOKS["loop"])
    x_b, x_plus = centre("b")[0], centre("plus")[0]
    over = BOTTOM + 0.5
    back = border("b", (0, 1)), (x_b, over), (x_plus, over), border("plus", (0, 1))
    arrow(ax, back, "loop-b-plus", **LOOKS["loop"])
    draw_names(ax)
    draw_key(ax, 4.62, 3.05)
    return fig


def draw_names(ax):
    """Each quantity's name and its shape for one example."""
    for name, words, shape, align in (
        ("u", "lower capsules", r"$(I, D_\mathrm{in})$", "left"),
        ("u_hat", "votes", r"$(I, J, D_\mathrm{out})$", "center"),
        ("s", "weighted sum", r"$(J, D_\mathrm{out})$", "center"),
        ("v", "upper capsules", r"$(J, D_\mathrm{out})$", "center"),
    ):
        x = centre(name)[0] if align == "center" else border(name, (-1, 0))[0]
        ax.text(x, TOP + 0.62, words, ha=align, va="baseline", fontsize=12)
        ax.text(x, TOP + 0.4, shape, ha=align, va="baseline", fontsize=12)
    x, y = border("c", (1, 0))
    ax.text(x + 0.1, y + 0.04, "couplings", ha="left", va="baseline", fontsize=12)
    ax.text(x + 0.1, y - 0.2, "$(I, J)$", ha="left", va="baseline", fontsize=12)
    for name, words in (("b", "logits, 0 at first"), ("a", "agreements")):
        x, y = border(name, (0, -1))
        ax.text(x, y - 0.22, words, ha="center", va="baseline", fontsize=12)
        ax.text(x, y - 0.44, "$(I, J)$", ha="center", va="baseline", fontsize=12)


def draw_key(ax, x, y):
    """What lines and shapes mean, from (x, y) downwards, inside the loop."""
    for row, (kind, words) in enumerate((("forward", "forward path"), ("loop", "routing loop"))):
        at = y - 0.28 * row
        arrow(ax, ((x, at), (x + 0.6, at)), f"key-{kind}", **LOOKS[kind])
        ax.text(x + 0.75, at, words, va="center", fontsize=12)
    for row, (kind, words) in enumerate((("disc", "updated each round"), ("square", "computed once"))):
        at = y - 0.28 * (row + 2)
        draw_quantity(ax, "v" if kind == "disc" else "u", (x + 0.3, at), "", half=0.1, gid="key-")
        ax.text(x + 0.75, at, words, va="center", fontsize=12)


if __name__ == "__main__":
    main(__file__, TITLE, alt(), draw())
