"""The article's capsule network from the image to the ten lengths, with the shape of everything on the way."""

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from capslib import digits, style
from capslib.plots.board import GREY, INK, arrow, board, main, tint
from capslib.style import COLOURS

TITLE = "The article's capsule network"

IMAGE, DIGIT = (28, 28, 1), 5
KERNEL, POOL = 5, 2
TRUNK = (("conv", 16), ("pool", None), ("conv", 32), ("pool", None))
J, D_OUT, ROUTINGS = 10, 30, 5

WIDTH, HEIGHT = 8, 5.5
PIXEL = 1 / 28
"""Inches to a pixel, the same for all pictures and maps."""
ROW, LANE, SLOT = 4.7, 3.46, 0.17
"""Height of the first row's middle, of the lane that leads to the second row, and of a capsule."""
LEFTS = (0.15, 2.1, 3.82, 5.45, 7.0)
"""Left edges of the image and the four maps."""
STEP = 0.045
"""How far the sheets of a stack are moved against each other; one sheet stands for four channels."""
CAPSULES = (2.68, 2.26, 0.82)
"""Heights of the first, the second and the last capsule of each column; dots stand for the others."""
DOTS = (1.71, 1.54, 1.37)
GRID, CELL = (0.15, 0.72), 0.235
"""Lower left corner of the 7×7 grid and the side of its cells."""
U_LEFT, V_LEFT, NUMBER = 2.5, 5.35, 0.034
CAPTION = 0.36
"""Left edges of the lower and the upper capsules, the width of one of their numbers; height of the words below."""


def shapes():
    """Shapes of the image and of the maps after each layer of the trunk: same-padded convolutions keep the size."""
    found = [IMAGE]
    for kind, channels in TRUNK:
        height, width, depth = found[-1]
        found.append((height, width, channels) if kind == "conv" else (height // POOL, width // POOL, depth))
    return found


def parameters():
    """Trained numbers of each layer that has any: a kernel and a bias for each map, and the shared W."""
    maps = shapes()
    depths = [
        (before[2], after[2]) for (kind, _), before, after in zip(TRUNK, maps, maps[1:], strict=False) if kind == "conv"
    ]
    return [KERNEL * KERNEL * a * b + b for a, b in depths] + [maps[-1][2] * J * D_OUT]


def by(*sizes):
    """Sizes as a shape is written in prose."""
    return "×".join(str(size) for size in sizes)


def alt():
    """What the figure shows, its numbers computed."""
    image, *maps = shapes()
    rows, columns, D_in = maps[-1]
    I = rows * columns
    steps = ", then ".join(
        (f"convolution with {depth} kernels of {by(KERNEL, KERNEL)}" if kind == "conv" else f"{by(POOL, POOL)} pooling")
        + f" to {by(*shape)}"
        for (kind, depth), shape in zip(TRUNK, maps, strict=True)
    )
    return (
        f"Two rows. First row: an image of {by(*image)}, a handwritten {DIGIT}, becomes stacks of ever smaller maps: "
        f"{steps}. An arrow leads to the second row. There the {by(rows, columns)} cells of the last stack are read "
        f"as {I} lower capsules, u 1 to u {I}, each a bar of {D_in} numbers. Lines join every lower capsule to every "
        f"one of the {J} upper capsules, v 0 to v {J - 1}, each a bar of {D_OUT} numbers. Below the lines stand the "
        f"learnt W, {by(D_in, J, D_OUT)} and shared by all lower capsules, and the couplings c, {by(I, J)}, found by "
        f"{ROUTINGS} rounds of routing. From each upper capsule an arrow leads to its length; the {J} lengths are "
        f"the output. {sum(parameters()):,} parameters in all."
    )


@style.context()
def draw():
    """One board of two rows."""
    fig, ax = board(WIDTH, HEIGHT)
    draw_trunk(ax)
    draw_capsules(ax)
    return fig


def draw_trunk(ax):
    """First row: the image, the stacks of maps, and what is done between them."""
    maps = shapes()
    rights = []
    for number, (shape, left) in enumerate(zip(maps, LEFTS, strict=True)):
        side, sheets = shape[0] * PIXEL, max(shape[2] // 4, 1)
        look = {"facecolor": "white", "edgecolor": INK, "linewidth": 1.2}
        if number:
            last = number == len(maps) - 1
            look = {"facecolor": tint("u", 0.25) if last else tint("neutral", 0.2), "edgecolor": GREY, "linewidth": 0.8}
        for sheet in reversed(range(sheets)):
            corner = left + sheet * STEP, ROW - side / 2 + (sheet - (sheets - 1) / 2) * STEP
            ax.add_patch(Rectangle(corner, side, side, gid=f"map-{number}-{sheet}", **look))
        rights.append(left + side + (sheets - 1) * STEP)
        ax.text((left + rights[-1]) / 2, ROW - 0.85, by(*shape), ha="center", va="baseline", fontsize=12)
    draw_digit(ax, LEFTS[0], ROW - IMAGE[0] * PIXEL / 2)
    for number, (kind, channels) in enumerate(TRUNK):
        start, end = rights[number] + 0.06, LEFTS[number + 1] - 0.06
        arrow(ax, ((start, ROW), (end, ROW)), f"{kind}-{number + 1}", INK)
        above, below = ("conv", f"{channels}@{by(KERNEL, KERNEL)}") if kind == "conv" else ("pool", by(POOL, POOL))
        ax.text((start + end) / 2, ROW + 0.1, above, ha="center", va="bottom", fontsize=12)
        ax.text((start + end) / 2, ROW - 0.12, below, ha="center", va="top", fontsize=12)
    x_grid = GRID[0] + maps[-1][1] * CELL / 2
    way = (rights[-1] + 0.06, ROW), (WIDTH - 0.15, ROW), (WIDTH - 0.15, LANE), (x_grid, LANE)
    arrow(ax, (*way, (x_grid, GRID[1] + maps[-1][0] * CELL + 0.06)), "reshape", INK)


def draw_digit(ax, left, bottom):
    """A real digit, pixel by pixel, the first of its class among the bundled validation digits."""
    data = digits.load("bundled")
    image = data.x_val[np.flatnonzero(data.y_val == DIGIT)[0], :, :, 0]
    inked = np.argwhere(image > 0.1)
    pixels = [Rectangle((left + x * PIXEL, bottom + (27 - y) * PIXEL), PIXEL, PIXEL) for y, x in inked]
    shades = [str(round(1 - float(image[y, x]), 2)) for y, x in inked]
    ax.add_collection(PatchCollection(pixels, facecolor=shades, edgecolor=shades, linewidth=0.3, gid="digit", zorder=2))


def draw_capsules(ax):
    """Second row: grid, lower capsules, the links, upper capsules, lengths."""
    rows, columns, D_in = shapes()[-1]
    I = rows * columns
    u_right, v_right = U_LEFT + D_in * NUMBER, V_LEFT + D_OUT * NUMBER
    draw_grid(ax, rows, columns)
    lower = ("u_1", "u_2", f"u_{{{I}}}")
    upper = ("v_0", "v_1", f"v_{J - 1}")
    for start, y in enumerate(CAPSULES):
        for end, height in enumerate(CAPSULES):
            ax.plot([u_right, V_LEFT], [y, height], color=COLOURS["u_hat"], linewidth=1.5, gid=f"link-{start}-{end}")
    for y, u, v in zip(CAPSULES, lower, upper, strict=True):
        draw_bar(ax, U_LEFT, y, D_in, "u")
        ax.text(U_LEFT - 0.07, y, f"${u}$", ha="right", va="center_baseline", fontsize=13)
        draw_bar(ax, V_LEFT, y, D_OUT, "v")
        ax.text(v_right + 0.07, y, f"${v}$", ha="left", va="center_baseline", fontsize=13)
        arrow(ax, ((v_right + 0.38, y), (v_right + 0.78, y)), f"length-{v[2:]}", INK)
        ax.text(v_right + 0.85, y, f"$\\Vert {v}\\Vert$", ha="left", va="center_baseline", fontsize=13)
    for y in DOTS:
        for x in ((U_LEFT + u_right) / 2, (V_LEFT + v_right) / 2, v_right + 1.08):
            ax.plot(x, y, "o", color=GREY, markersize=3)
    x_u, x_links, x_v = (U_LEFT + u_right) / 2, (u_right + V_LEFT) / 2, (V_LEFT + v_right) / 2
    for x, above, below in (
        (x_u, f"{I} lower capsules", (by(I, D_in),)),
        (x_links, "", (f"$W$ learnt, {by(D_in, J, D_OUT)}", f"$c$ routed, {by(I, J)}")),
        (x_v, f"{J} upper capsules", (by(J, D_OUT),)),
        (v_right + 1.08, "lengths", (by(J),)),
    ):
        ax.text(x, CAPSULES[0] + 0.3, above, ha="center", va="baseline", fontsize=12)
        for line, text in enumerate(below):
            ax.text(x, CAPTION - 0.22 * line, text, ha="center", va="baseline", fontsize=12)


def draw_grid(ax, rows, columns):
    """The cells of the last maps, seen from the front, those of the drawn capsules numbered."""
    left, bottom = GRID
    for row in range(rows):
        for column in range(columns):
            place = row * columns + column + 1
            drawn = place in (1, 2, rows * columns)
            x, y = left + column * CELL, bottom + (rows - 1 - row) * CELL
            look = {"facecolor": COLOURS["u"] if drawn else tint("u", 0.25), "edgecolor": "white", "linewidth": 0.8}
            ax.add_patch(Rectangle((x, y), CELL, CELL, gid=f"cell-{place}", **look))
            if drawn:
                middle = x + CELL / 2, y + CELL / 2
                ax.text(*middle, place, color="white", ha="center", va="center_baseline", fontsize=12)
    middle = bottom + rows * CELL / 2
    start = left + columns * CELL + 0.06
    arrow(ax, ((start, middle), (start + 0.5, middle)), "cells-capsules", INK)
    ax.text(left + columns * CELL / 2, CAPTION, f"{by(rows, columns)} cells", ha="center", va="baseline", fontsize=12)


def draw_bar(ax, left, y, size, quantity):
    """A capsule as a bar of as many numbers as it has."""
    for number in range(size):
        look = {"facecolor": tint(quantity, 0.55), "edgecolor": COLOURS[quantity], "linewidth": 0.5}
        corner = left + number * NUMBER, y - SLOT / 2
        ax.add_patch(Rectangle(corner, NUMBER, SLOT, gid=f"{quantity}-{y:g}-{number}", zorder=3, **look))


if __name__ == "__main__":
    main(__file__, TITLE, alt(), draw())
