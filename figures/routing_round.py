"""One round of routing by agreement in the plane: votes, couplings, weighted sums squashed, agreements.

The votes are those of lesson 04: four parts, of which three agree on a face, and none with another on a car. The round
drawn is the second, since the first shares every part out evenly.
"""

import numpy as np
from matplotlib.patches import Rectangle

from capslib import style
from capslib.equations import length, route
from capslib.plots import coupling_scale
from capslib.plots.board import GREY, INK, arrow, board, main
from capslib.style import COLOURS, COUPLING

TITLE = "One round of routing by agreement"

U_HAT = np.array(
    [
        [[-1.0, 1.5], [1.0, 1.0]],
        [[-0.5, 2.0], [-1.0, 0.5]],
        [[0.0, 1.5], [0.5, -1.5]],
        [[1.5, -1.0], [0.5, 0.0]],
    ]
)
"""Votes (I, J, D) = (4, 2, 2)."""
WHOLES = ("face", "car")
ROUND = 1
"""The iteration drawn, counted from 0 as in the arrays."""

WIDTH, HEIGHT = 9.85, 7.65
SIDE = 2.15
"""Side of a plane in inches; all are square."""
LEFT, PITCH = 0.6, 2.34
"""Left edge of the first column, and from one column to the next."""
BOTTOMS = (4.5, 1.4)
"""Lower edges of the planes of both wholes."""
LIMITS = (((-1.975, 1.975), (-1.55, 2.4)), ((-1.975, 1.975), (-1.95, 2.0)))
SUM_LIMITS = (((-3.1, 2.4), (-1.1, 4.4)), ((-0.1, 1.15), (-0.5, 0.75)))
"""Limits of the planes of both wholes, and of those of step 3, where sums are longer or shorter than votes."""
ORDER = ((0, 1, 2, 3), (0, 3, 1, 2))
"""Parts in the order in which step 3 lays their votes end to end: any gives the same sum, these keep clear of it."""
BESIDE = {(3, 1): (0.2, 0.3)}
"""Part and whole → where the part's number stands from the tip, if not beyond it."""
TYPE = 14.5
CENTRED = {"ha": "center", "va": "center", "fontsize": TYPE}
FULL = 8
"""Width in points of a vote with c = 1."""


def trace():
    """The routing drawn, and one iteration more, whose b is the round's result."""
    return route(U_HAT, iterations=ROUND + 2)


def told(numbers):
    """Numbers (I,) in words."""
    return ", ".join(f"{number:.2f}".replace("-", "−") for number in numbers)


def alt():
    """What the figure shows, its numbers computed."""
    t = trace()
    b, c, a, after = t.b[ROUND], t.c[ROUND], t.a[ROUND], t.b[ROUND + 1]
    norms = length(t.s[ROUND])
    wholes = " ".join(
        f"For the {name}: b {told(b[:, j])}; c {told(c[:, j])}; s has length {norms[j]:.2f} and v "
        f"{t.lengths[ROUND, j]:.2f}; agreements {told(a[:, j])}; new b {told(after[:, j])}."
        for j, name in enumerate(WHOLES)
    )
    return (
        "Four columns, the steps of the second round of routing, and two rows, the wholes face and car, with the "
        "circle of length 1 in each plane. Step 1: the votes of parts 0 to 3 as arrows from the origin, with the "
        "logits b that the first round left. For the face, parts 0, 1 and 2 point up, close together, and part 3 "
        "down; for the car, the votes point in four directions. Step 2: softmax turns each part's two logits into "
        "couplings c, and every arrow is as wide as its c. Step 3: the votes times c, laid end to end, reach s; "
        "squash makes v of it, in the same direction and inside the circle. Step 4: every vote is dropped at a right "
        "angle onto the line of v; its agreement a, the scalar product with v, is added to b. Parts 0 to 3 in order. "
        f"{wholes}"
    )


@style.context()
def draw():
    """Four columns, one a step; two rows, one a whole."""
    t = trace()
    b, c, s, v, a = (quantity[ROUND] for quantity in (t.b, t.c, t.s, t.v, t.a))
    fig, page = board(WIDTH, HEIGHT)
    heads = (
        ("1  votes", r"$\hat{u}$, and $b$ so far"),
        ("2  share out", r"$c = \mathrm{softmax}(b)$"),
        ("3  gather", r"$s = \Sigma\,c\,\hat{u}$, squash"),
        ("4  compare", r"$a = \langle\hat{u}, v\rangle$, add to $b$"),
    )
    for column, (words, formula) in enumerate(heads):
        x = LEFT + PITCH * column + SIDE / 2
        page.text(x, HEIGHT - 0.4, words, ha="center", va="baseline", fontsize=TYPE + 1.5, fontweight="bold")
        page.text(x, HEIGHT - 0.72, formula, ha="center", va="baseline", fontsize=TYPE)
    page.text(
        LEFT - 0.06,
        0.2,
        "dotted: length 1      dashed: at a right angle to $v$      numbers are rounded",
        va="baseline",
        fontsize=TYPE,
    )
    for j, name in enumerate(WHOLES):
        middle = BOTTOMS[j] + SIDE / 2
        page.text(0.28, middle, name, rotation=90, ha="center", va="center", fontsize=TYPE + 1.5, fontweight="bold")
        planes = [add_plane(fig, j, column, (SUM_LIMITS if column == 2 else LIMITS)[j]) for column in range(4)]
        draw_votes(planes[0], j, np.full(4, 2.5))
        draw_votes(planes[1], j, FULL * c[:, j])
        draw_sum(planes[2], j, c[:, j], s[j], v[j])
        draw_agreement(planes[3], j, v[j])
        colours = [COUPLING((value + 3) / 6) for value in coupling_scale(c)[:, j]]
        draw_table(page, j, 0, {"b": b[:, j]})
        draw_table(page, j, 1, {"c": c[:, j]}, colours)
        draw_table(page, j, 3, {"a": a[:, j], "b": t.b[ROUND + 1][:, j]})
        lengths = rf"$\Vert s\Vert$ = {length(s)[j]:.2f}", rf"$\Vert v\Vert$ = {length(v)[j]:.2f}"
        for line, text in enumerate(lengths):
            x, y = LEFT + PITCH * 2 + SIDE / 2, BOTTOMS[j] - 0.2 - 0.3 * line
            page.text(x, y, text, ha="center", va="center_baseline", fontsize=TYPE)
    return fig


def add_plane(fig, j, column, limits):
    """A square Axes for vectors of whole j, with a dot at the origin and the circle of length 1."""
    place = (LEFT + PITCH * column) / WIDTH, BOTTOMS[j] / HEIGHT, SIDE / WIDTH, SIDE / HEIGHT
    ax = fig.add_axes(place, xlim=limits[0], ylim=limits[1], label=f"{WHOLES[j]}-{column + 1}")
    ax.set_axis_off()
    angle = np.linspace(0, 2 * np.pi, 121)
    ax.plot(
        np.cos(angle), np.sin(angle), color=GREY, linestyle=":", linewidth=1.3, gid=f"circle-{j}-{column}", zorder=1
    )
    ax.plot(0, 0, "o", color=INK, markersize=4, zorder=5)
    return ax


def inches(ax):
    """Inches to a length of 1."""
    return SIDE / np.ptp(ax.get_xlim())


def draw_vector(ax, start, tip, gid, color, width):
    """An arrow with a head that suits its width and is never longer than half of it."""
    reach = np.hypot(*np.subtract(tip, start))
    head = min((0.09 + 0.016 * width) / inches(ax), 0.55 * reach)
    arrow(ax, (start, tip), gid, color, width=width, head=head)


def draw_votes(ax, j, widths):
    """The votes for whole j from the origin, with their parts' numbers at their tips."""
    for i, (vote, width) in enumerate(zip(U_HAT[:, j], widths, strict=True)):
        draw_vector(ax, (0, 0), vote, f"vote-{i}-{ax.get_label()}", COLOURS["u_hat"], width)
        beside = BESIDE.get((i, j), 0.26 * vote / np.hypot(*vote))
        ax.text(*(vote + beside), i, **CENTRED)


def draw_sum(ax, j, c, s, v):
    """The weighted votes end to end, each with its part's number, their sum s, and v."""
    order = list(ORDER[j])
    chain = np.cumsum(np.concatenate([np.zeros((1, 2)), (c[:, None] * U_HAT[:, j])[order]]), axis=0)
    for i, start, tip in zip(order, chain[:-1], chain[1:], strict=True):
        draw_vector(ax, start, tip, f"step-{i}-{ax.get_label()}", COLOURS["u_hat"], FULL * c[i])
        # On the side away from the middle of the chain.
        middle, aside = (start + tip) / 2, (tip - start)[::-1] * (-1, 1)
        aside = 0.17 / inches(ax) * aside / np.hypot(*aside)
        ax.text(*(middle + (aside if aside @ (middle - chain.mean(0)) > 0 else -aside)), i, **CENTRED)
    for name, vector, colour, width in (("s", s, INK, 1.8), ("v", v, COLOURS["v"], 5)):
        draw_vector(ax, (0, 0), vector, f"{name}-{ax.get_label()}", colour, width)
        draw_name(ax, name, vector, 0.85 if name == "s" else 0.6)


def draw_name(ax, name, vector, share):
    """A vector's name on its right, at a share of its length."""
    right = vector[::-1] * (1, -1) / np.hypot(*vector)
    ax.text(*(share * vector + 0.17 / inches(ax) * right), f"${name}$", **CENTRED)


def draw_agreement(ax, j, v):
    """The votes, each dropped onto the line through v."""
    line = v / np.hypot(*v)
    feet = U_HAT[:, j] @ line
    ends = np.outer([min(feet.min(), 0), max(feet.max(), 1)], line)
    ax.plot(*ends.T, color=COLOURS["v"], linewidth=1, zorder=1)
    draw_votes(ax, j, np.full(4, 1.5))
    for i, (vote, foot) in enumerate(zip(U_HAT[:, j], feet, strict=True)):
        drop = np.stack([vote, foot * line])
        look = {"color": COLOURS["a"], "linestyle": (0, (2, 1.2)), "linewidth": 1.8, "zorder": 3}
        ax.plot(*drop.T, gid=f"drop-{i}-{ax.get_label()}", **look)
        ax.plot(*drop[1], "o", color=COLOURS["a"], markersize=6, gid=f"foot-{i}-{ax.get_label()}", zorder=4)
    draw_vector(ax, (0, 0), v, f"v-{ax.get_label()}", COLOURS["v"], 5)
    draw_name(ax, "v", v, 0.6)


def draw_table(page, j, column, rows, tints=None):
    """Below a plane: numbers of the parts 0 to 3, one row a quantity; `tints` lie behind them."""
    left, top, wide, tall = LEFT + PITCH * column + 0.02, BOTTOMS[j] - 0.2, 0.5, 0.3
    parts = {"i": range(4)}
    for line, (name, numbers) in enumerate((parts | rows).items()):
        y = top - tall * line
        page.text(left, y, f"${name}$", ha="center", va="center_baseline", fontsize=TYPE)
        for i, number in enumerate(numbers):
            x = left + 0.36 + wide * i
            if tints and line:
                cell = Rectangle((x - wide / 2, y - tall / 2), wide, tall, facecolor=tints[i], edgecolor="none")
                page.add_patch(cell)
            text = number if line == 0 else f"{number:.{2 if name == 'c' else 1}f}".replace("-", "−")
            page.text(x, y, text, ha="center", va="center_baseline", fontsize=TYPE)


if __name__ == "__main__":
    main(__file__, TITLE, alt(), draw())
