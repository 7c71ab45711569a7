"""Squash for four offsets: how long the output is, and what part of the input's length is left."""

import numpy as np

from capslib import style
from capslib.equations import length, squash
from capslib.plots import figure
from capslib.plots.board import GREY, INK, main
from capslib.style import COLOURS

TITLE = "The squash function for four offsets"

NORMS = np.linspace(0, 2, 401)[1:]
LOOKS = {
    1: {"color": INK, "linestyle": "-"},
    0.5: {"color": COLOURS["v"], "linestyle": "-", "linewidth": 3},
    0.25: {"color": GREY, "linestyle": "--"},
    0.05: {"color": GREY, "linestyle": "-."},
}
"""Offset → the look of its curve: those of the paper and of the article stand out."""
NAMES = {1: "1, paper", 0.5: "0.5, article"}


def lengths(offset, norms=NORMS):
    """‖squash(s)‖ for vectors s of these norms."""
    return length(squash(np.stack([norms, np.zeros_like(norms)], axis=-1), offset))


def peak(offset):
    """Where ‖v‖/‖s‖ is largest, at ‖s‖ = √offset, and how large it is there."""
    norm = np.sqrt(offset)
    return norm, lengths(offset, np.array([norm]))[0] / norm


def growing(offset):
    """The two lengths ‖s‖ between which vectors grow: ‖v‖ = ‖s‖ where ‖s‖² − ‖s‖ + offset = 0."""
    return np.sort(np.roots([1, -1, offset]))


def alt():
    """What the figure shows, its numbers computed."""
    at_one = ", ".join(f"{lengths(a, np.ones(1))[0]:.3f}" for a in LOOKS)
    peaks = ", ".join(f"{peak(a)[1]:.3f} at length {peak(a)[0]:.3f}" for a in LOOKS)
    least, most = growing(0.05)
    return (
        "Two panels of curves over the length of the input s, from 0 to 2; in each one curve for the offsets 1 (the "
        "paper), 0.5 (the article), 0.25 and 0.05. Left: the length of the output v. Every curve rises from 0 and "
        "stays below 1; the smaller the offset, the steeper the rise. Inputs of length 1 come out with lengths "
        f"{at_one}, in this order. A dotted line marks lengths that stay as they are. Right: output length divided "
        f"by input length. Every curve rises to one peak and falls again. The peaks, in the same order: {peaks}. For "
        "1 and 0.5 the ratio stays below 1, so every vector shrinks; for 0.25 the peak touches 1; only for 0.05 do "
        f"vectors grow, those with lengths between {least:.3f} and {most:.3f}."
    )


@style.context()
def draw():
    """Two panels: lengths and ratios."""
    fig, (left, right) = figure(7.5, 3.8, columns=2)
    unchanged = {"color": GREY, "linestyle": ":", "linewidth": 1.5}
    left.plot([0, 1.1], [0, 1.1], gid="length-unchanged", **unchanged)
    right.plot([0, 2], [1, 1], gid="ratio-unchanged", **unchanged)
    right.text(2, 1.04, "unchanged", ha="right", va="bottom")
    left.text(0.83, 1.1, "unchanged", ha="right", va="center")
    for offset, look in LOOKS.items():
        left.plot(NORMS, lengths(offset), gid=f"length-{offset:g}", **look)
        right.plot(NORMS, lengths(offset) / NORMS, gid=f"ratio-{offset:g}", **look)
        right.plot(*peak(offset), "o", color=look["color"], markersize=6, gid=f"peak-{offset:g}")
    # Names stand at the curves' ends, moved apart where they would touch; and at the peaks, where there is room.
    for offset, height in ((1, 0.8), (0.5, 0.875), (0.25, 0.95), (0.05, 1.025)):
        left.text(2.04, height, NAMES.get(offset, f"{offset:g}"), va="center", gid=f"length-name-{offset:g}")
    left.text(2.04, 1.115, "offset", va="center")
    for offset, above in ((1, False), (0.5, False), (0.25, True), (0.05, True)):
        right.annotate(
            f"offset {offset:g}" if offset == min(LOOKS) else f"{offset:g}",
            peak(offset),
            (16 if offset == min(LOOKS) else 0, 6 if above else -7),
            textcoords="offset points",
            ha="center",
            va="bottom" if above else "top",
            gid=f"ratio-name-{offset:g}",
        )
    left.set(xlim=(0, 2), ylim=(0, 1.2), xlabel="input length ‖s‖", title="output length ‖v‖")
    right.set(xlim=(0, 2), ylim=(0, 2.5), xlabel="input length ‖s‖", title="ratio ‖v‖ / ‖s‖")
    for ax in (left, right):
        ax.set_xticks([0, 0.5, 1, 1.5, 2], ["0", "0.5", "1", "1.5", "2"])
    return fig


if __name__ == "__main__":
    main(__file__, TITLE, alt(), draw())
