"""What networks answer: sheets of digits, a digit that turns, accuracy, mistakes."""

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import draw_answers, draw_digit, draw_grid, draw_lengths, look
from capslib.style import COLOURS, MISTAKES


def _leaders(values) -> str:
    """The two largest of J values in words, as in '3 with 0.98, then 5 with 0.04'."""
    first, second = np.argsort(values, kind="stable")[:-3:-1]
    return f"{first} with {values[first]:.2f}, then {second} with {values[second]:.2f}"


@style.context()
def digit_sheet(images, captions, columns=8) -> Figure:
    """Small pictures of digits in rows, each with a line or two above it.

    Args:
        images: (N, H, H) or (N, H, H, 1) in 0–1.
        captions: N texts, "" for none.
        columns: how many in a row.
    """
    rows = -(-len(images) // columns)
    fig, axes = figure(1.05 * columns, 1.3 * rows, rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, caption in zip(axes.flat, images, captions, strict=False):
        draw_digit(ax, image)
        ax.set_title(caption, fontsize=9)
    words = "; ".join(" ".join(caption.split()) for caption in captions if caption)
    return described(fig, f"{len(images)} small pictures with the captions {words}.")


@style.context()
def turning_digit(images, angles, label, beliefs, lengths=()) -> Figure:
    """A digit at every angle of a turn, and below it what each network believes of it.

    Args:
        images: (N, 28, 28) or (N, 28, 28, 1) in 0–1.
        angles: (N,) degrees, evenly spaced.
        label: the true class.
        beliefs: dict from a network's name to its probabilities (N, J), or to the lengths of its capsules.
        lengths: names of the networks that answer with lengths.

    Returns:
        A Figure: the film strip, and for each network a line, the probability of the true class or the length of its
        capsule, with the number of the winning class at its own.
    """
    heights = [0.36, *[1] * len(beliefs)]
    width = min(7.5, 1 + 0.5 * len(angles))  # Few turns make a small picture, so that digits keep their shape.
    size = width, 0.7 + (1.95 if width == 7.5 else 1.7) * len(beliefs)
    gap = " " if width == 7.5 else "\n"
    fig, (strip, *axes) = figure(*size, len(heights), sharex=True, height_ratios=heights)
    half = (angles[1] - angles[0]) / 2
    for image, angle in zip(images, angles, strict=True):
        draw_digit(strip, image, extent=(angle - half, angle + half, 0, 1), aspect="auto")
    strip.set(ylim=(0, 1))
    strip.axis("off")
    for ax, (name, p) in zip(axes, beliefs.items(), strict=True):
        unit, line = "probability", f"its belief in {label}"
        if name in lengths:
            unit, line = "length", f"the length of capsule {label}"
        ax.plot(angles, p[:, label], color=COLOURS["v"], label=f"{unit} of {label}")
        ax.plot(angles, p.max(1), color=COLOURS["neutral"], linestyle=":", linewidth=1, label=f"{unit} of the winner")
        for angle, row in zip(angles, p, strict=True):
            winner = int(row.argmax())
            ink = {"color": COLOURS["v"], "fontweight": "bold"} if winner == label else {"color": COLOURS["ink"]}
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": COLOURS["neutral"]}
            ax.text(angle, row.max(), str(winner), ha="center", va="center", bbox=box, zorder=3, **ink)
        ax.set(ylim=(-0.05, 1.15), yticks=[0, 0.5, 1], ylabel=unit)
        ax.set_title(f"{name}: the line is {line},{gap}the numbers are its answers", fontsize=10)
    axes[-1].set(xlim=(angles[0] - half, angles[-1] + half), xticks=angles[::2], xlabel="turn, degrees")
    words = f"A {label} turned in {len(angles)} steps from {angles[0]} to {angles[-1]} degrees, and what it is read as."
    for name, p in beliefs.items():
        unit = f"length of capsule {label}" if name in lengths else f"probability of {label}"
        words += f" {name} answers {', '.join(str(row.argmax()) for row in p)}; "
        words += f"its {unit} goes from {p[0, label]:.2f} to {p[-1, label]:.2f}."
    return described(fig, words)


@style.context()
def accuracy_by_angle(angles, curves) -> Figure:
    """Accuracy while digits turn, a curve a network.

    Args:
        angles: (N,) degrees.
        curves: dict from a network's name to accuracies (N,).

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3)
    for k, (name, accuracies) in enumerate(curves.items()):
        ax.plot(angles, accuracies, **look(k), markersize=5, label=name)
    ax.legend(frameon=False)
    ax.set(xlabel="turn, degrees", ylabel="accuracy", ylim=(0, 1.03), xticks=angles[::2])
    words = f"Accuracy on digits turned by {angles[0]} to {angles[-1]} degrees, one curve for each network."
    for name, accuracies in curves.items():
        k = int(np.argmin(accuracies))
        words += f" {name} begins at {accuracies[0]:.2f}, is lowest at {angles[k]} degrees with {accuracies[k]:.2f}, "
        words += f"and ends at {accuracies[-1]:.2f}."
    return described(fig, words)


@style.context()
def top_scores(panels, accept) -> Figure:
    """How sure each network is of intact and of wrong faces: histograms of its highest probability.

    Args:
        panels: dict from a network's name to the highest probabilities of intact faces (N,) and of swapped ones (N,).
        accept: above this probability a face counts as accepted.

    Returns:
        A Figure.
    """
    fig, axes = figure(7.5, 2.8, 1, len(panels), sharey=True, squeeze=False)
    bins = np.linspace(0, 1, 21)
    for ax, (name, (intact, swapped)) in zip(axes[0], panels.items(), strict=True):
        ax.hist(intact, bins, color=COLOURS["u_hat"], alpha=0.55, label="intact")
        ax.hist(swapped, bins, histtype="step", color=COLOURS["v"], linewidth=2, label="swapped")
        ax.axvline(accept, color=COLOURS["neutral"], linestyle="--", linewidth=1, label="threshold")
        ax.annotate(
            "accepted →", (accept, 1), (4, -2), xycoords=("data", "axes fraction"), textcoords="offset points", va="top"
        )
        ax.set(title=name, xlabel="highest probability", xlim=(0, 1.01), xticks=[0, 0.5, 1])
    axes[0, 0].set_ylabel("faces")
    axes[0, 0].legend(
        *(found[:2] for found in axes[0, 0].get_legend_handles_labels()), frameon=False, loc="center left"
    )
    words = "Histograms of the highest probability on intact and on swapped faces, one panel for each network."
    for name, (intact, swapped) in panels.items():
        shares = (f"{np.mean(np.asarray(scores) > accept):.2f} of the" for scores in (intact, swapped))
        words += f" {name}: {' intact and '.join(shares)} swapped faces are above the threshold of {accept:g}."
    return described(fig, words)


@style.context()
def two_answers(image, contributions, j, lengths, probabilities) -> Figure:
    """A digit under the contributions to one capsule, and what a capsule network and a plain CNN answer.

    Args:
        image: (28, 28) or (28, 28, 1) in 0–1.
        contributions: (49,), what each cell adds to ‖s_j‖.
        j: that capsule.
        lengths: (J,) of the capsule network.
        probabilities: (J,) of the CNN; on an axis of their own, since a length is no probability.

    Returns:
        A Figure.
    """
    fig, (grid, left, right) = figure(7.5, 2.6, columns=3, gridspec_kw={"width_ratios": [1, 1.2, 1.2]})
    tint = draw_grid(grid, image, contributions, limit=max(1, np.abs(contributions).max()))
    fig.colorbar(tint, ax=grid, orientation="horizontal", shrink=0.9, aspect=14)
    grid.set_title(f"what each cell adds to ‖s_{j}‖", fontsize=9)
    draw_lengths(left, lengths)
    left.set_title("CapsNet", fontsize=10)
    bars = draw_answers(right, probabilities, color=COLOURS["neutral"], alpha=0.45)
    bars[int(np.argmax(probabilities))].set_color(COLOURS["ink"])
    right.set(xlabel="class", ylabel="probability", title="CNN")
    right.title.set_fontsize(10)
    loudest = int(np.argmax(contributions))
    return described(
        fig,
        f"A digit under a grid of what each of {len(contributions)} cells adds to capsule {j}, at most "
        f"{contributions[loudest]:.2f} from the cell in row {loudest // 7 + 1}, column {loudest % 7 + 1}. "
        f"The longest capsules are {_leaders(lengths)}; the CNN's likeliest classes are {_leaders(probabilities)}.",
    )


@style.context()
def confusion_matrix(confusion) -> Figure:
    """Draw how often each digit was read as each other; correct readings are left out of the shading.

    Args:
        confusion: (10, 10) counts, true digit by digit read.
    """
    confusion = np.asarray(confusion)
    mistakes = np.where(np.eye(10, dtype=bool), 0, confusion)
    fig, ax = figure(5.6, 4.8)
    ax.imshow(mistakes, cmap=MISTAKES, vmin=0, vmax=max(mistakes.max(), 1))
    for true, read in np.ndindex(10, 10):
        if confusion[true, read]:
            right = true == read
            ax.text(
                read,
                true,
                str(confusion[true, read]),
                ha="center",
                va="center",
                fontsize=8 if right else 11,
                color=COLOURS["neutral" if right else "ink"],
            )
    ax.set(xlabel="read as", ylabel="true digit", xticks=range(10), yticks=range(10))
    most = mistakes.max()
    pairs = [f"a {true} read as {read}" for true, read in np.argwhere(mistakes == max(most, 1))]
    alt = f"True digits by the digits read: {np.trace(confusion):,} of {confusion.sum():,} are on the diagonal. "
    return described(fig, f"{alt}Most frequent, {most} times each: {', '.join(pairs)}." if pairs else alt.rstrip())
