"""The capsule layer: all votes as one product, what routing stores, what sharing W makes invisible."""

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import HouseFigure, described, figure
from capslib.plots.marks import draw_arrow, draw_cells, lay_ink, write_beside
from capslib.style import COLOURS


@style.context()
def votes_as_product(u, W, u_hat, pair) -> Figure:
    """All votes of one example as a single matrix product, with one pair (i, j) picked out.

    Args:
        u: lower capsules, (I, D_in).
        W: shared transformation, (D_in, J, D_out).
        u_hat: votes, (I, J, D_out).
        pair: (i, j): row i of u, block j of W and vote û_ij are tinted.
    """
    u, W, u_hat = np.asarray(u), np.asarray(W), np.asarray(u_hat)
    (I, D_in), (J, D_out) = u.shape, W.shape[1:]
    i, j = pair
    fig, ax = figure(7.5, 3.1)
    gap = 1.5
    at = np.cumsum([0, D_in + gap, J * D_out + gap])
    lower = [f"i = {n}" for n in range(I)]
    _number_grid(ax, u, at[0], (I, 1), "u", COLOURS["u"], (i, 0, 1, D_in), lower)
    block = (0, j * D_out, D_in, D_out)
    _number_grid(ax, W.reshape(D_in, -1), at[1], (I, J), "W as (D_in, J·D_out)", COLOURS["neutral"], block)
    vote = (i, j * D_out, 1, D_out)
    _number_grid(ax, u_hat.reshape(I, -1), at[2], (I, J), "û as (I, J·D_out)", COLOURS["u_hat"], vote)
    for x, sign in ((at[1], "×"), (at[2], "=")):
        ax.text(x - gap / 2, I / 2, sign, ha="center", va="center", fontsize=18)
    ax.set(xlim=(-1.1, at[2] + J * D_out + 0.1), ylim=(I + 0.15, -1.3), aspect="equal")
    ax.set_axis_off()
    alt = (
        f"Three grids of numbers: u ({I} rows, {D_in} columns) times W ({D_in} rows, {J * D_out} columns) gives the "
        f"votes ({I} rows, {J * D_out} columns). Tinted: row i = {i} of u, block j = {j} of W, and their product, "
        f"the vote ({', '.join(_number(x) for x in u_hat[i, j])})."
    )
    return described(fig, alt)


def _number(x) -> str:
    return f"{x:g}".replace("-", "−")


def _number_grid(ax, values, x, room, title, colour, mark, names=()):
    """Draw numbers (R, C) as cells from column `x` on, in the middle of `room` = (rows, blocks of columns)."""
    R, C = values.shape
    rows, blocks = room
    y = (rows - R) / 2
    row, column, height, width = mark
    left, top = x + column, y + row
    ax.fill([left, left + width, left + width, left], [top, top, top + height, top + height], color=colour, alpha=0.35)
    ax.hlines(y + np.arange(R + 1), x, x + C, color=COLOURS["neutral"], linewidth=0.5)
    for k in range(C + 1):
        thick = k % (C // blocks) == 0
        ax.vlines(x + k, y, y + R, color=COLOURS["ink"], linewidth=1.8 if thick else 0.4)
    for r, k in np.ndindex(R, C):
        ax.text(x + k + 0.5, y + r + 0.5, _number(values[r, k]), ha="center", va="center")
    ax.text(x + C / 2, y - 0.75, title, ha="center", va="bottom", fontweight="bold")
    if blocks > 1:
        for j in range(blocks):
            ax.text(x + (j + 0.5) * C / blocks, y - 0.12, f"j = {j}", ha="center", va="bottom")
    for r, name in enumerate(names):
        ax.text(x - 0.15, y + r + 0.5, name, ha="right", va="center")


@style.context()
def two_ways_to_route(stored, routings, products, mark) -> Figure:
    """What routing with û and without it stores and computes for one example.

    Args:
        stored: two counts of numbers, {"with û": …, "without û": …}.
        routings: numbers of iterations, (T,).
        products: multiply-adds of the two ways, {"with û": (T,), "without û": (T,)}.
        mark: the number of iterations that the article's network makes.
    """
    looks = dict(zip(stored, ((COLOURS["u_hat"], "-"), (COLOURS["u"], "--")), strict=True))
    fig, (left, right) = figure(7.5, 2.9, columns=2, gridspec_kw={"width_ratios": (1, 1.4)})
    names = list(stored)
    bars = left.barh(names, list(stored.values()), color=[looks[name][0] for name in names], height=0.55)
    left.bar_label(bars, [f"{count:,}" for count in stored.values()], padding=4)
    left.set(title="numbers stored", xticks=[], xlim=(0, 1.4 * max(stored.values())))
    left.invert_yaxis()
    left.spines["bottom"].set_visible(False)
    for name, (colour, line) in looks.items():
        right.plot(routings, np.asarray(products[name]) / 1e6, line, color=colour)
        right.text(routings[-1] + 0.4, products[name][-1] / 1e6, name, va="center")
    right.axvline(mark, color=COLOURS["neutral"], linestyle=":", linewidth=1.2)
    top = max(products[name][-1] for name in names) / 1e6
    right.text(mark + 0.4, top, f"the article: {mark}", va="center")
    right.set(xlabel="routing iterations", title="multiply-adds, millions", ylim=(0, 1.1 * top))
    right.set(xlim=(0, routings[-1] * 1.33), xticks=[t for t in (1, 5, 10, 15, 20, 25, 30) if t <= routings[-1]])
    counts = [f"{name} {stored[name]:,}" for name in names]
    first, last = ([f"{name} {products[name][n]:,.0f}" for name in names] for n in (0, -1))
    alt = (
        f"Left, numbers stored for one example: {', '.join(counts)}. Right, multiply-adds against routing iterations: "
        f"at {routings[0]}, {', '.join(first)}; at {routings[-1]}, {', '.join(last)}. A dotted line marks the "
        f"article's {mark}."
    )
    cheaper = np.asarray(routings)[np.asarray(products[names[0]]) < products[names[1]]]
    if cheaper.size:
        alt += f" From {cheaper[0]} on, {names[0]} is cheaper."
    return described(fig, alt)


@style.context()
def votes_in_two_orders(panels, v, order) -> Figure:
    """The votes for one upper capsule with the lower capsules in two orders, and the upper capsule they make.

    Args:
        panels: dict from a name of W to the votes before and after the change of order, (2, I, 2); row i of the second
            is the vote of capsule order[i].
        v: dict from the same names to the upper capsule before and after, (2, 2).
        order: the second order, (I,).

    Returns:
        A Figure with two panels a W on one scale. An arrow has the number of its capsule, wherever it stands.
    """
    orders = np.arange(len(order)), np.asarray(order)
    fig, axes = figure(7.5, 2.9, 1, 2 * len(panels), sharex=True, sharey=True)
    places = [(name, n) for name in panels for n in (0, 1)]
    tips = np.concatenate([[(0, 0)], *(panels[name][n] for name, n in places)])
    low, high = tips.min(0) - 0.6, tips.max(0) + 0.6
    for ax, (name, n) in zip(axes, places, strict=True):
        for capsule, tip in zip(orders[n], panels[name][n], strict=True):
            draw_arrow(ax, tip, f"capsule {capsule}", color=COLOURS["u_hat"], linewidth=1.8)
            shift = 8 * np.asarray(tip) / max(np.linalg.norm(tip), 1e-9)
            write_beside(ax, str(capsule), tip, tuple(shift), ha="center", va="center")
        draw_arrow(ax, v[name][n], "v", color=COLOURS["v"], linewidth=3, zorder=4)
        ax.set_title(f"{name}\norder {' '.join(map(str, orders[n]))}")
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])
        ax.set_xlabel(f"‖v‖ = {np.linalg.norm(v[name][n]):.3f}", color=COLOURS["v"])
    alt = "Votes for one upper capsule as arrows, with the lower capsules in two orders. " + " ".join(
        f"{name}: {_moved(orders, panels[name])}, the length of v goes from {before:.3f} to {after:.3f}."
        for name, (before, after) in ((name, np.linalg.norm(v[name], axis=-1)) for name in panels)
    )
    return described(fig, alt)


def _moved(orders, votes) -> str:
    """Whose vote changes when the order of the lower capsules does."""
    before, after = (dict(zip(order, rows, strict=True)) for order, rows in zip(orders, votes, strict=True))
    changed = [str(capsule) for capsule in before if not np.allclose(before[capsule], after[capsule])]
    return f"votes change for i = {', '.join(changed)}" if changed else "no vote changes"


@style.context()
def shuffled_capsules(image, norms, order, shared, unshared) -> Figure:
    """One digit's lower capsules in place and shuffled, and what a shared and an unshared layer say of both.

    Args:
        image: (28, 28) or (28, 28, 1) in 0–1; drawn over the capsules in place.
        norms: ‖u_i‖, (49,).
        order: the shuffle, (49,): place i receives capsule order[i].
        shared, unshared: lengths ‖v_j‖ before and after the shuffle, (2, J) each.
    """
    norms, order = np.asarray(norms), np.asarray(order)
    fig = HouseFigure(figsize=(7.5, 4.4))
    axes = fig.subplot_mosaic([["in place", "shared"], ["shuffled", "unshared"]], width_ratios=(1, 2.6))
    for name, values in (("in place", norms), ("shuffled", norms[order])):
        ax = axes[name]
        draw_cells(ax, values, "white", 0.8, cmap="Blues", vmin=0, vmax=1.3 * norms.max())
        ax.set_title(f"49 capsules {name}")
    lay_ink(axes["in place"], image, 0.55)
    axes["in place"].set_ylabel("shade: ‖u_i‖")
    for name, (before, after) in (("shared", shared), ("unshared", unshared)):
        ax = axes[name]
        j = np.arange(len(before))
        ax.vlines(j, before, after, color=COLOURS["neutral"], linewidth=1)
        ax.plot(j, before, "o", color=COLOURS["v"], markersize=6, label="in place")
        ax.plot(j, after, "o", mfc="none", mec=COLOURS["ink"], markersize=11, mew=1.4, label="shuffled")
        ax.set(title=f"W {name}", ylabel="length ‖v_j‖", ylim=(-0.05, 1.1), xticks=j)
    axes["shared"].legend(frameon=False, fontsize=10)
    axes["unshared"].set_xlabel("upper capsule j")
    alt = (
        "Left: the 49 lower capsules of a digit, shaded by length, in place and shuffled. Right: the lengths of the "
        f"upper capsules in place (dots) and shuffled (rings). {_most_moved('shared', shared)} "
        f"{_most_moved('unshared', unshared)}"
    )
    return described(fig, alt)


def _most_moved(name, lengths) -> str:
    """Which upper capsule's length a shuffle changes most."""
    before, after = np.asarray(lengths)
    j = np.abs(after - before).argmax()
    if f"{before[j]:.3f}" == f"{after[j]:.3f}":
        return f"W {name}: each ring encloses its dot."
    return f"W {name}: capsule {j} changes most, from {before[j]:.3f} to {after[j]:.3f}."
