"""What several pictures draw: couplings, lengths, digits and their cells, named curves, arrows from the origin."""

import numpy as np
from matplotlib.container import BarContainer
from matplotlib.image import AxesImage

from capslib.checks import check_choice
from capslib.style import COLOURS, CONTRIBUTION, COUPLING

LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D")


# Curves and their names -------------------------------------------------------------------------------------------


def look(k, colours=("v", "u", "a", "c"), marked=True) -> dict:
    """Colour, dashes and marker of the k-th curve of a picture; the first four are told apart without colour."""
    marker = MARKERS[k % 4] if marked else ""
    return {"color": COLOURS[colours[k % len(colours)]], "linestyle": LINES[k % 4], "marker": marker}


def write_beside(ax, text, at, shift, **type_) -> None:
    """Write a text `shift` = (right, up) points from the point `at` of the data."""
    ax.annotate(text, at, shift, textcoords="offset points", **type_)


def draw_named(ax, x, y, name, shift=(8, 0), ink=None, **line) -> None:
    """Draw a curve y (N,) over x (N,) and write its name, in the colour `ink`, `shift` points from its end."""
    ax.plot(x, y, label=name, **line)
    write_beside(ax, name, (x[-1], y[-1]), shift, va="center", annotation_clip=False, color=ink)


# Vectors ----------------------------------------------------------------------------------------------------------


def unit(vector) -> np.ndarray:
    """The vector at length 1; the zero vector stays."""
    return vector / max(np.linalg.norm(vector), 1e-9)


def draw_unit_circle(ax, linewidth) -> None:
    """The circle of length 1 around the origin."""
    angle = np.linspace(0, 2 * np.pi, 65)
    line = {"color": COLOURS["neutral"], "linestyle": "--", "linewidth": linewidth}
    ax.plot(np.cos(angle), np.sin(angle), label="length 1", **line)


def draw_arrow(ax, tip, label, start=(0, 0), zorder=3, **line) -> None:
    """An arrow from `start` to exactly `tip`, both (2,); tests find it by its label."""
    line = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0} | line
    ax.annotate("", tip, start, arrowprops=line, zorder=zorder).set_label(label)


# Capsules ---------------------------------------------------------------------------------------------------------


def coupling_scale(c) -> np.ndarray:
    """log₂(J·c) for coupling coefficients (..., J), clipped to ±3: 0 is 1/J, "no preference"."""
    c = np.asarray(c)
    return np.clip(np.log2(np.maximum(c * c.shape[-1], 1e-9)), -3, 3)


def draw_coupling(ax, c, numbers=False) -> AxesImage:
    """Draw couplings c (I, J) as a matrix on the course's one coupling scale; returns the image.

    Args:
        ax: a matplotlib Axes.
        c: (I, J).
        numbers: whether to write each c into its cell, white where the cell is dark.
    """
    shown = ax.imshow(coupling_scale(c), cmap=COUPLING, vmin=-3, vmax=3, aspect="auto")
    ax.set(xlabel="upper capsule j", ylabel="lower capsule i")
    if numbers:
        for i, j in np.ndindex(*c.shape):
            dark = np.mean(shown.to_rgba(coupling_scale(c)[i, j])[:3]) < 0.5
            ax.text(j, i, f"{c[i, j]:.2f}", ha="center", va="center", color="white" if dark else COLOURS["ink"])
    return shown


def draw_lengths(ax, lengths, mark=None) -> None:
    """Draw the lengths (J,) of the upper capsules as bars, the longest in full colour and named.

    Args:
        ax: a matplotlib Axes.
        lengths: (J,).
        mark: a capsule to outline, or None.
    """
    bars = draw_answers(ax, lengths, color=COLOURS["v"], alpha=0.35)
    if mark is not None:
        bars[mark].set(edgecolor=COLOURS["ink"], linewidth=1.5)
    ax.set(xlabel="upper capsule j", ylabel="length ‖v_j‖")


def draw_answers(ax, values, **bar) -> BarContainer:
    """Draw values (J,) in 0–1 as faint bars of a given look, and the largest in full strength with its number."""
    winner = int(np.argmax(values))
    bars = ax.bar(range(len(values)), values, **bar)
    bars[winner].set_alpha(1)
    ax.text(winner, values[winner] + 0.02, f"{values[winner]:.2f}", ha="center")
    ax.set(ylim=(0, 1.1), xticks=range(len(values)))
    return bars


# Digits -----------------------------------------------------------------------------------------------------------


def few_shades(image) -> np.ndarray:
    """An image in −1 … 1 in steps of 1/8: as good to the eye where it is small, and in half of the bytes."""
    return np.round(8 * np.asarray(image)) / 8


def draw_digit(ax, image, **place) -> None:
    """A digit, or several on one canvas, (H, H) or (H, H, 1) in 0–1 as dark ink on white paper."""
    image = np.asarray(image)
    ax.imshow(1 - image.reshape(image.shape[:2]), cmap="gray", vmin=0, vmax=1, **place)


def draw_cells(ax, values, color, linewidth, **scale) -> AxesImage:
    """Values (49,) or (7, 7) as the 7×7 cells over the 28×28 pixels of a digit; returns the tinted image."""
    tint = ax.imshow(np.reshape(values, (7, 7)), extent=(-0.5, 27.5, 27.5, -0.5), **scale)
    for edge in np.arange(3.5, 27, 4):
        ax.axhline(edge, color=color, linewidth=linewidth)
        ax.axvline(edge, color=color, linewidth=linewidth)
    ax.set(xticks=[], yticks=[])
    return tint


def lay_ink(ax, image, strength) -> None:
    """A digit (28, 28) or (28, 28, 1) in 0–1 as ink through which the cells below it show."""
    ink = np.zeros((28, 28, 4))
    ink[..., 3] = strength * np.asarray(image).reshape(28, 28)
    ax.imshow(ink, extent=(-0.5, 27.5, 27.5, -0.5))


def largest(*values) -> float:
    """The largest absolute value of some arrays, and never 0: the end of a diverging scale."""
    return max(*(np.abs(array).max() for array in values), 1e-9)


def draw_grid(ax, image, values, kind="contribution", limit=None) -> AxesImage:
    """Draw a digit under its 7×7 grid of lower capsules, each cell tinted by its value.

    Args:
        ax: a matplotlib Axes.
        image: (28, 28) or (28, 28, 1) in 0–1.
        values: (49,): contributions to one upper capsule, or its couplings as `coupling_scale` gives them.
        kind: "contribution" or "coupling", the colour scale.
        limit: the value at the scale's end; 3 for couplings, the largest |value| for contributions unless told.

    Returns:
        The tinted image, for a colour bar.

    Raises:
        ValueError: if `kind` is another.
    """
    check_choice("kind", kind, ("contribution", "coupling"))
    if limit is None:
        limit = 3 if kind == "coupling" else largest(values)
    scale = COUPLING if kind == "coupling" else CONTRIBUTION
    tint = draw_cells(ax, values, COLOURS["neutral"], 0.4, cmap=scale, vmin=-limit, vmax=limit)
    lay_ink(ax, image, 0.75)
    return tint
