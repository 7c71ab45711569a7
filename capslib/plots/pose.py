"""What the dimensions of a capsule do: decoded pictures, slopes, rotated bases, and how directions vary."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import look
from capslib.style import COLOURS, CONTRIBUTION

MARGIN = 3
"""Pixels at each side of a decoded picture that a sheet of many leaves out; MNIST's digits keep clear of them."""
LARGER = 2
"""Pixels of such a sheet's PNG for each of a decoded picture, a whole number, which packs best."""


@style.context()
def dimension_sweep(pictures, steps, spread=None) -> Figure:
    """Pictures decoded from one capsule, a dimension a row and a step a column, like the paper's figure 4.

    Args:
        pictures: (D, K, 28, 28) in 0–1.
        steps: (K,) what is added to the dimension.
        spread: (D,) standard deviation of each dimension among the digits of the class; the steps within two of
            them are framed.
    """
    D, K = pictures.shape[:2]
    # A notebook keeps the sheet, so it should be small: the margins are cut, and 4 shades are enough for the eye.
    cut = np.round(3 * pictures[..., MARGIN : 28 - MARGIN, MARGIN : 28 - MARGIN]) / 3
    sheet = cut.transpose(0, 2, 1, 3).reshape(D * cut.shape[2], K * cut.shape[3])
    across, down, left, below, above = LARGER * sheet.shape[1], LARGER * sheet.shape[0], 56, 50, 30
    dpi, size = style.RC["figure.dpi"], (left + across + 10, below + down + above)
    fig, ax = figure(size[0] / dpi, size[1] / dpi)
    fig.set_layout_engine("none")
    ax.set_position((left / size[0], below / size[1], across / size[0], down / size[1]))
    place = {"extent": (-0.5, K - 0.5, D - 0.5, -0.5), "interpolation": "nearest"}
    ax.imshow(1 - sheet, cmap="gray", vmin=0, vmax=1, aspect="auto", **place)
    ax.set(xlabel="added to the dimension", ylabel="dimension", yticks=range(D))
    ax.set_xticks(
        range(K), [f"{step:+.2f}".replace("-", "−") if step else "0" for step in np.round(steps, 6)], fontsize=8
    )
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    alt = f"{D} rows of {K} pictures decoded from one capsule. In each row one dimension is changed, "
    alt += f"by {steps[0]:+.2f} at the left to {steps[-1]:+.2f} at the right."
    if spread is not None:
        for d, σ in enumerate(spread):
            inside = np.flatnonzero(np.abs(steps) <= 2 * σ + 1e-9)
            corner = (inside[0] - 0.5, d - 0.5)
            frame = {"edgecolor": COLOURS["v"], "linewidth": 1.5, "fill": False}
            ax.add_patch(Rectangle(corner, len(inside), 1, **frame))
        ax.set_title("framed: within ±2 standard deviations")
        alt += " Steps within two standard deviations of the class' own digits are framed; one is "
        alt += f"{min(spread):.2f} to {max(spread):.2f}."
    return described(fig, alt)


@style.context()
def slopes_by_class(effects, name) -> Figure:
    """How strongly each dimension of each class' capsule changes a property; the strongest in each class is ringed.

    Args:
        effects: (10, D) with signs, in any unit that is the same within a class.
        name: what is drawn, for the colour bar.
    """
    effects = np.asarray(effects)
    fig, ax = figure(6.4, 3.4)
    limit = np.abs(effects).max() or 1
    drawn = ax.imshow(effects, cmap=CONTRIBUTION, vmin=-limit, vmax=limit, aspect="auto")
    best = np.abs(effects).argmax(1)
    ax.scatter(best, range(len(effects)), s=150, facecolor="none", edgecolor=COLOURS["ink"], linewidth=1.8)
    ax.set(xlabel="dimension", ylabel="class", xticks=range(effects.shape[1]), yticks=range(len(effects)))
    ax.set_title("the strongest dimension of each class is ringed")
    fig.colorbar(drawn, ax=ax, label=name)
    alt = (
        f"A heat map of {name}: a row a class, a column a dimension, from {effects.min():.2f} to {effects.max():.2f}. "
    )
    alt += f"The strongest dimensions of classes 0 to {len(best) - 1} are {', '.join(map(str, best))}."
    return described(fig, alt)


@style.context()
def against_bases(rows, xlabel) -> Figure:
    """The best of the dimensions beside the best directions of random bases, a row a property.

    Args:
        rows: dict from a property's name to the value of the dimensions, and the lowest, the middle and the highest
            value of the random bases that is drawn.
        xlabel: what is measured.
    """
    fig, ax = figure(6.4, 0.9 + 0.3 * len(rows))
    told = []
    for k, (name, (own, low, middle, high)) in enumerate(rows.items()):
        ax.plot([low, high], [k, k], color=COLOURS["neutral"], linewidth=7, alpha=0.45, solid_capstyle="butt")
        ax.plot(middle, k, "|", color=COLOURS["ink"], markersize=13, markeredgewidth=2)
        ax.plot(own, k, "D", color=COLOURS["v"], markersize=8)
        told.append(f"{name} {own:.2f} against {low:.2f} to {high:.2f}")
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_title("◆ the 16 dimensions · bar: random bases, 5–95 % · line: their median", fontsize=10)
    return described(fig, f"{xlabel}, for the dimensions and for random bases: {'; '.join(told)}.")


@style.context()
def read_from_codes(values, properties, xlabel) -> Figure:
    """How well each property is read from several codes: a panel a property, a bar a code.

    Args:
        values: dict from a code's name to one number for each property; the first is drawn in the colour of v, and a
            number below 0 as an empty row, with the number beside it.
        properties: their names.
        xlabel: what the numbers are.
    """
    fig, axes = figure(6.8, 0.8 + 0.19 * len(values), 1, len(properties), sharey=True)
    for k, (ax, name) in enumerate(zip(axes, properties, strict=True)):
        numbers = [float(row[k]) for row in values.values()]
        colours = [COLOURS["v"]] + [COLOURS["neutral"]] * (len(numbers) - 1)
        ax.barh(range(len(numbers)), np.maximum(numbers, 0), color=colours, height=0.7)
        for n, number in enumerate(numbers):
            ax.text(max(number, 0) + 0.03, n, f"{number:.2f}".replace("-", "−"), va="center", fontsize=8)
        ax.set(title=name, xlim=(0, 1.35), xticks=[0, 1], ylim=(len(numbers) - 0.5, -0.5))
        ax.tick_params(left=False)
    axes[0].set_yticks(range(len(values)), list(values))
    fig.supxlabel(xlabel, fontsize=9)
    told = "; ".join(
        f"{name} " + ", ".join(f"{row[k]:.2f}" for row in values.values()) for k, name in enumerate(properties)
    )
    return described(fig, f"Bars of {xlabel} for {', '.join(values)}: {told}.")


@style.context()
def direction_spectra(shares, dimensions) -> Figure:
    """How much of the variance of v̂ within a class lies along its first principal axes, a thin line a class.

    Args:
        shares: (10, D) of the variance along each principal axis, the largest first.
        dimensions: (10,) participation ratios.
    """
    total = np.cumsum(shares, axis=1)
    D = total.shape[1]
    fig, (left, right) = figure(6.8, 2.6, 1, 2, width_ratios=(1.4, 1))
    for one in total:
        left.plot(range(1, D + 1), one, color=COLOURS["neutral"], linewidth=1, alpha=0.7)
    left.plot(range(1, D + 1), np.median(total, axis=0), **look(0), markersize=5)
    left.plot([0, D], [0, 1], color=COLOURS["ink"], linestyle=":", linewidth=1)
    left.annotate("all alike", (0.62 * D, 0.62), (4, -12), textcoords="offset points")
    left.set(xlabel="principal axes", ylabel="share of the variance of v̂", ylim=(0, 1.03), xlim=(0, D + 0.5))
    left.set_xticks([1, *range(4, D + 1, 4)])
    left.set_title("ten classes, and their median")
    right.bar(range(len(dimensions)), dimensions, color=COLOURS["v"])
    right.set(xlabel="class", ylabel="dimensions in use", xticks=range(len(dimensions)))
    right.set_title("(Σλ)²/Σλ²")
    middle = np.median(total, axis=0)
    alt = f"Cumulative share of the variance of v̂ in ten classes. The median is {middle[0]:.2f} for the first axis, "
    alt += f"{middle[1]:.2f} for two and {middle[3]:.2f} for four of {D}. Bars show the participation ratio of each "
    return described(fig, f"{alt}class, from {min(dimensions):.1f} to {max(dimensions):.1f}.")
