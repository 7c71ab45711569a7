"""Gradients through routing, and weights that compete one way or the other."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import draw_arrow
from capslib.style import COLOURS

WEIGHT = LinearSegmentedColormap.from_list("weight", ["#FFFFFF", style.SCALES["coupling"][3]])
"""Weights that need not be couplings, from 0 to 1; light enough for dark numbers on top."""


@style.context()
def gradient_paths() -> Figure:
    """How a vote reaches the loss within two routing iterations: directly, and through the couplings."""
    places = {"û": (0, 1), "s¹": (1.4, 0), "v¹": (2.5, 0), "a": (3.6, 0), "b²": (4.7, 0), "c²": (5.8, 0)}
    places |= {"s²": (7.2, 1), "v²": (8.4, 1), "L": (9.6, 1)}
    colours = {"û": "u_hat", "v¹": "v", "v²": "v", "a": "a", "b²": "a", "c²": "c"}
    direct = [("û", "s²"), ("s²", "v²"), ("v²", "L")]
    through = [("û", "s¹"), ("û", "a"), ("s¹", "v¹"), ("v¹", "a"), ("a", "b²"), ("b²", "c²"), ("c²", "s²")]
    fig, ax = figure(7.5, 2.5)
    for pairs, colour, dashes in ((direct, COLOURS["ink"], "-"), (through, COLOURS["c"], "--")):
        for start, end in pairs:
            line = {"color": colour, "linestyle": dashes, "linewidth": 2, "shrinkA": 15, "shrinkB": 15}
            draw_arrow(ax, places[end], f"{start} to {end}", places[start], **line)
    for name, place in places.items():
        ring = {"boxstyle": "circle,pad=0.32", "facecolor": "white", "linewidth": 2}
        ring["edgecolor"] = COLOURS[colours.get(name, "neutral")]
        ax.text(*place, name, ha="center", va="center", fontsize=12, bbox=ring)
    ax.text(3.6, 1.1, "direct: the vote itself", ha="center", va="bottom")
    ax.text(3.0, -0.36, "through c: the vote moves v¹ and its agreement", ha="center", va="top")
    x, y = (np.array(places["c²"]) + np.array(places["s²"])) / 2
    ax.plot([x - 0.18, x + 0.18], [y + 0.22, y - 0.22], color=COLOURS["v"], linewidth=4)
    ax.text(x + 0.3, y - 0.2, "stop_gradient\ncuts here", color=COLOURS["v"], va="top")
    ax.set(xlim=(-0.5, 10), ylim=(-0.7, 1.45))
    ax.set_axis_off()
    paths = [", ".join(f"{start} to {end}" for start, end in pairs) for pairs in (direct, through)]
    alt = f"Arrows from a vote û to the loss L. Direct, solid: {paths[0]}. Through c, dashed: {paths[1]}."
    return described(fig, f"{alt} A bar labelled stop_gradient cuts the arrow from c² to s².")


@style.context()
def gradient_parts(direct, through, names) -> Figure:
    """Slopes of one number with respect to every component of the votes, split into two parts that sum to the whole.

    Args:
        direct: (I, J, D), with the couplings kept constant.
        through: (I, J, D), what the couplings add.
        names: of the J upper capsules, a panel each.
    """
    direct, through = np.asarray(direct), np.asarray(through)
    I, J, D = direct.shape
    fig, axes = figure(7.5, 3.0, columns=J, sharey=True)
    x = np.arange(I * D)
    for j, ax in enumerate(np.atleast_1d(axes)):
        ax.axhline(0, color=COLOURS["neutral"], linewidth=0.8)
        ax.bar(x - 0.2, direct[:, j].ravel(), 0.38, color=COLOURS["ink"], label="direct")
        ax.bar(
            x + 0.2, through[:, j].ravel(), 0.38, color="white", edgecolor=COLOURS["c"], hatch="////", label="through c"
        )
        ax.set(
            title=f"votes for {names[j]}",
            xticks=x,
            xticklabels=[f"i={i}\n{'xyz'[d]}" for i in range(I) for d in range(D)],
        )
    np.atleast_1d(axes)[0].set_ylabel("slope")
    np.atleast_1d(axes)[-1].legend(frameon=False)
    parts = (
        f"Votes for {name}: direct {_listed(direct[:, j])}, through c {_listed(through[:, j])}."
        for j, name in enumerate(names)
    )
    return described(fig, "Bars for the slope with respect to each component of the votes. " + " ".join(parts))


def _listed(values):
    """Numbers in brackets, to three decimals and without a sign on 0."""
    return str((np.round(values, 3) + 0.0).tolist())


@style.context()
def weights_and_sums(panels) -> Figure:
    """Matrices of weights (I, J) with every number, and the sums of their rows and columns at the edges.

    Args:
        panels: title → (I, J) weights; rows are lower capsules, columns upper ones.
    """
    fig, axes = figure(7.5, 3.0, columns=len(panels), squeeze=False)
    for ax, (title, c) in zip(axes[0], panels.items(), strict=True):
        c = np.asarray(c)
        I, J = c.shape
        # Square cells of a tall matrix would leave its sums no room beside each other.
        ax.imshow(c, cmap=WEIGHT, vmin=0, vmax=1, aspect="auto" if I >= 2 * J else "equal")
        for i, j in np.ndindex(I, J):
            ax.text(j, i, f"{c[i, j]:.2f}", ha="center", va="center")
        for i, total in enumerate(c.sum(1)):
            ax.text(J - 0.35, i, f"Σ {total:.2f}", va="center", fontweight="bold" if np.isclose(total, 1) else "normal")
        for j, total in enumerate(c.sum(0)):
            weight = "bold" if np.isclose(total, 1) else "normal"
            ax.text(j, I - 0.35, f"Σ {total:.2f}", ha="center", va="top", fontweight=weight)
        ax.set(title=title, xticks=range(J), yticks=range(I), xlim=(-0.5, J + 0.3), ylim=(I + 0.1, -0.5))
        ax.set(xlabel="upper capsule j (query)", ylabel="lower capsule i (key)")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    shapes = {np.shape(c) for c in panels.values()}
    size = " or ".join(f"{I} keys by {J} queries" for I, J in sorted(shapes))
    sums = (f"{title}: rows sum to {_sums(c, 1)}, columns to {_sums(c, 0)}." for title, c in panels.items())
    return described(fig, f"Matrices of weights, {size}, with their sums. " + " ".join(sums))


def _sums(c, axis):
    return ", ".join(f"{total:.2f}" for total in np.sum(c, axis))
