"""Inside a trained network: what one capsule sees, how a digit is routed, where its votes lie."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import draw_coupling, draw_grid, draw_lengths, largest, unit, write_beside
from capslib.style import COLOURS

CELL, WINDOW = 4, 16
"""Pixels on a side of one of the 7×7 cells, and of the window that its two convolutions and two pools see."""

VOTE = LinearSegmentedColormap.from_list("vote", [COLOURS["neutral"], "#FFFFFF", COLOURS["u_hat"]])
"""Components of votes: white is 0, sky blue above, grey below."""

FAINT = 0.5
"""How much of the ink to draw where the tint below it has to be seen."""


@style.context()
def lower_capsule(image, u, u_hat, cell) -> Figure:
    """One lower capsule, from the pixels that it sees to the votes that it casts.

    Args:
        image: (28, 28) or (28, 28, 1) in 0–1.
        u: (49, D_in) the lower capsules.
        u_hat: (49, J, D) their votes.
        cell: which one, 0–48.
    """
    fig, (pixels, features, votes) = figure(8.2, 2.9, 1, 3, width_ratios=(1, 0.9, 1.3))
    row, column = divmod(cell, 7)
    draw_grid(pixels, image, np.zeros(49))
    pixels.axis("off")
    for side, dash in ((CELL, "-"), (WINDOW, "--")):
        corner = [CELL * k + (CELL - side) / 2 - 0.5 for k in (column, row)]
        pixels.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=COLOURS["v"], linewidth=2, linestyle=dash))
    pixels.set(title=f"cell {cell} and its window", xlim=(-1, 28), ylim=(28, -1))
    features.bar(range(u.shape[1]), u[cell], color=COLOURS["u"])
    features.set(title=f"u_{cell}: {u.shape[1]} features", xlabel="component", ylabel="value")
    limit = np.abs(u_hat[cell]).max() or 1
    drawn = votes.imshow(u_hat[cell], cmap=VOTE, vmin=-limit, vmax=limit, aspect="auto")
    votes.set(
        title=f"û_{cell}: {u_hat.shape[1]} votes, one per row",
        xlabel="component",
        ylabel="upper capsule j",
        yticks=range(u_hat.shape[1]),
    )
    fig.colorbar(drawn, ax=votes)
    alt = f"A digit under a 7×7 grid of cells; cell {cell} and the window of {WINDOW}×{WINDOW} pixels that it sees are "
    alt += f"outlined. Of the {u.shape[1]} features of u_{cell}, {np.count_nonzero(u[cell])} are not zero; the largest "
    alt += (
        f"is {u[cell].max():.2f}. A heat map shows its {u_hat.shape[1]} votes of {u_hat.shape[2]} components, between "
    )
    return described(fig, f"{alt}{u_hat[cell].min():.2f} and {u_hat[cell].max():.2f}.")


@style.context()
def first_and_last(image, trace, j, entropy) -> Figure:
    """A routing's first and last iteration, one above the other: contribution to capsule j and the ten lengths.

    Args:
        image: (28, 28) or (28, 28, 1) in 0–1.
        trace: a RoutingTrace of one example with 49 lower capsules.
        j: the upper capsule that the grids are about.
        entropy: (T,) the entropy to write beside each iteration, in nats.
    """
    last = len(trace.c) - 1
    fig, axes = figure(6.8, 5.2, 2, 2, width_ratios=(1, 1.2))
    for (grid, bars), t in zip(axes, (0, last), strict=True):
        drawn = _draw_iteration(grid, image, trace, t, j)
        grid.set_title(f"iteration {t + 1}: sum {trace.contribution[t, :, j].sum():.2f}")
        fig.colorbar(drawn, ax=grid, label=f"contribution to capsule {j}")
        draw_lengths(bars, trace.lengths[t])
        bars.set_title(f"entropy of c: {entropy[t]:.2f} nats")
    alt = f"A digit at iterations 1 and {last + 1} of its routing. The contributions to capsule {j} "
    alt += f"{_rise(trace.contribution[:, :, j].sum(1), 'add up to')}, its length {_rise(trace.lengths[:, j], 'is')}, "
    return described(fig, f"{alt}the entropy of the couplings {_rise(entropy, 'is')} nats.")


@style.context()
def film_strip(image, trace, j) -> Figure:
    """A whole routing, an iteration a column: contributions to capsule j above, all couplings below.

    Args:
        image: (28, 28) or (28, 28, 1) in 0–1.
        trace: a RoutingTrace of one example with 49 lower capsules.
        j: the upper capsule that the grids are about.
    """
    T = len(trace.c)
    fig, axes = figure(8.2, 4.4, 2, T, height_ratios=(1, 1.5), squeeze=False)
    for t, (grid, matrix) in enumerate(axes.T):
        tint = _draw_iteration(grid, image, trace, t, j, named=0)
        grid.set_title(f"iteration {t + 1}")
        couplings = draw_coupling(matrix, trace.c[t])
        matrix.set(xticks=range(0, trace.c.shape[-1], 3), ylabel="lower capsule i" if t == 0 else "")
        if t > 0:
            matrix.set_yticks([])
    fig.colorbar(tint, ax=axes[0], label=f"contribution\nto capsule {j}")
    fig.colorbar(couplings, ax=axes[1], label="log₂(J·c)")
    total, last = trace.contribution[:, :, j].sum(1), trace.contribution[-1, :, j]
    alt = f"{T} iterations of one routing, side by side. Above, the contributions to capsule {j} "
    alt += f"{_rise(total, 'add up to')}; at the end cell {last.argmax()} adds most, {last.max():.2f}. Below, the "
    alt += f"couplings as a matrix of {trace.c.shape[1]} rows: {_decided(trace.c[0])} at first, and "
    return described(fig, f"{alt}{_decided(trace.c[-1])} at the end, give more than half to one capsule.")


@style.context()
def two_opinions(images, for_read, for_true, captions) -> Figure:
    """Misread digits: above, what each cell adds to the class read; below, what it adds to the true one; one scale.

    Args:
        images: (N, 28, 28) or (N, 28, 28, 1) in 0–1.
        for_read: (N, 49) contributions to the class read.
        for_true: (N, 49) contributions to the true class.
        captions: N pairs of texts, for the upper and for the lower picture.
    """
    fig, axes = figure(1.08 * len(images), 2.9, 2, len(images), squeeze=False)
    limit = largest(for_read, for_true)
    for column, image, values, texts in zip(
        axes.T, images, zip(for_read, for_true, strict=True), captions, strict=True
    ):
        for ax, contribution, text in zip(column, values, texts, strict=True):
            drawn = draw_grid(ax, FAINT * np.asarray(image), contribution, limit=limit)
            ax.spines[:].set_visible(False)
            ax.set_title(text, fontsize=9)
    axes[0, 0].set_ylabel("class read")
    axes[1, 0].set_ylabel("true class")
    fig.colorbar(drawn, ax=axes, label="contribution", shrink=0.8)
    alt = f"{len(images)} misread digits, each drawn twice: tinted by what its cells add to the class read, and by "
    alt += "what they add to the true class. "
    for (read, true), a, b in zip(captions, for_read, for_true, strict=True):
        alike = np.corrcoef(a, b)[0, 1]
        alt += f"{' '.join(read.split())}, {' '.join(true.split())}, correlation of the grids {alike:.2f}; "
    return described(fig, alt.removesuffix("; ") + ".")


@style.context()
def votes_of_capsule(trace, j, iterations) -> Figure:
    """The votes for capsule j in a plane through 0, their areas and their mean as the couplings have them.

    The plane is spanned by the last direction of v_j and the direction in which the votes differ most beside it.

    Args:
        trace: a RoutingTrace of one example.
        j: the upper capsule.
        iterations: the ones to draw, counted from 1.
    """
    points, axes_of_plane, share = vote_plane(trace, j)
    fig, panels = figure(2.75 * len(iterations), 2.2, 1, len(iterations), sharex=True, sharey=True, squeeze=False)
    for ax, iteration in zip(panels[0], iterations, strict=True):
        c = trace.c[iteration - 1, :, j]
        ax.axhline(0, color=COLOURS["neutral"], linewidth=0.6)
        ax.axvline(0, color=COLOURS["neutral"], linewidth=0.6)
        ax.scatter(*points.T, s=250 * c, color=COLOURS["u_hat"], edgecolor=COLOURS["u"], linewidth=0.5, alpha=0.8)
        mean = axes_of_plane @ trace.s[iteration - 1, j] / c.sum()
        ax.plot(*mean, "X", color=COLOURS["v"], markeredgecolor=COLOURS["ink"], markersize=11)
        write_beside(ax, "s/Σc", mean, (0, 10), ha="center")
        ax.set(title=f"iteration {iteration}", xlabel=f"along v̂ of capsule {j}")
        ax.set_aspect("equal")
    margin = 0.1 * np.ptp(points)
    low, high = np.minimum(points.min(axis=0), 0) - margin, np.maximum(points.max(axis=0), 0) + margin
    panels[0, 0].set(ylabel="across it", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    shown = np.subtract(iterations, 1)
    means = (trace.s[shown, j] @ axes_of_plane[0]) / trace.c[shown, :, j].sum(1)
    i = int(trace.c[shown[-1], :, j].argmax())
    alt = f"{len(points)} votes for capsule {j} as dots in a plane, at iterations {', '.join(map(str, iterations))}. "
    alt += f"The dots stay in place. Their weighted mean along v̂ {_rise(means, 'is')}. The largest dot at the end, "
    alt += f"vote {i}, lies at {points[i, 0]:.2f} along v̂; "
    return described(fig, f"{alt}its coupling is {trace.c[shown[-1], i, j]:.2f}.")


def vote_plane(trace, j) -> tuple[np.ndarray, np.ndarray, float]:
    """Coordinates of the votes for capsule j in the plane that `votes_of_capsule` draws.

    Args:
        trace: a RoutingTrace of one example.
        j: the upper capsule.

    Returns:
        points (I, 2), the plane's two unit vectors (2, D), and the share of the votes' squared length that lies in it.
    """
    votes = trace.u_hat[:, j]
    along = unit(trace.v[-1, j])
    rest = votes - np.outer(votes @ along, along)
    across = np.linalg.svd(rest, full_matrices=False)[2][0]
    across = across * np.sign(across[np.argmax(np.abs(across))])
    plane = np.stack([along, across])
    points = votes @ plane.T
    return points, plane, np.sum(points**2) / np.sum(votes**2)


@style.context()
def couplings_of_digits(images, c, captions) -> Figure:
    """Digits, and below each the couplings of all its lower capsules with all upper ones.

    Args:
        images: (N, 28, 28) or (N, 28, 28, 1) in 0–1.
        c: (N, I, J).
        captions: N texts.
    """
    J = np.shape(c)[2]
    fig, axes = figure(1.6 * len(images), 3.9, 2, len(images), height_ratios=(1, 1.6), squeeze=False)
    for n, (pixels, matrix) in enumerate(axes.T):
        pixels.imshow(1 - np.squeeze(images[n]), cmap="gray", vmin=0, vmax=1)
        pixels.set(title=captions[n], xticks=[], yticks=[])
        pixels.spines[:].set_visible(False)
        couplings = draw_coupling(matrix, np.asarray(c[n]))
        matrix.set(xticks=range(0, J, 3), ylabel="lower capsule i" if n == 0 else "")
        if n > 0:
            matrix.set_yticks([])
    fig.colorbar(couplings, ax=axes[1], label="log₂(J·c)")
    said = (
        f"{caption}: {_decided(one)} of {len(one)} give more than half to one capsule, and couplings lie between "
        f"{np.min(one):.3f} and {np.max(one):.3f}."
        for caption, one in zip(captions, np.asarray(c), strict=True)
    )
    return described(fig, f"{len(images)} digits with the couplings of their lower capsules. {' '.join(said)}")


def _rise(values, verb) -> str:
    """The first and the last of some values, in words."""
    return f"{verb} {values[0]:.2f} at first and {values[-1]:.2f} at the end"


def _decided(c) -> int:
    """How many rows of couplings (I, J) give more than half to one capsule."""
    return int(np.sum(c.max(-1) > 0.5))


def _draw_iteration(ax, image, trace, t, j, named=4):
    """One iteration's contributions to capsule j, the largest named; on one scale for all iterations of the trace."""
    values = trace.contribution[t, :, j]
    drawn = draw_grid(ax, FAINT * np.asarray(image), values, limit=largest(trace.contribution[:, :, j]))
    ax.axis("off")
    for i in np.argsort(np.abs(values))[::-1][:named]:
        row, column = divmod(int(i), 7)
        ax.text(
            CELL * column + 1.5,
            CELL * row + 1.5,
            f"{values[i]:.2f}",
            ha="center",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
        )
    return drawn
