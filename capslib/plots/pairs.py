"""Two overlapping digits, and what a decoder draws of each."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import few_shades
from capslib.style import COLOURS

INKS = (COLOURS["u"], COLOURS["v"], COLOURS["ink"])
"""Colours of the drawn digits, from the first to the third."""


def _inked(drawn, colours) -> np.ndarray:
    """Drawings (K, H, W) in 0–1 as inks on white paper, RGB (H, W, 3): each takes away from the light of its own."""
    taken = np.array([1 - np.array(to_rgb(colour)) for colour in colours])  # (K, 3)
    return np.prod(1 - np.asarray(drawn)[..., None] * taken[:, None, None], axis=0)


@style.context()
def two_digits(images, drawn, read, lengths, labels, names=("longest", "second")) -> Figure:
    """A column for each picture of two digits: the picture, both drawings over each other, and each drawing alone.

    Args:
        images: (N, 36, 36) or (N, 36, 36, 1) in 0–1.
        drawn: (N, K, 36, 36) in 0–1, K 2 or 3 decoded capsules of each; only the first two are laid over each other.
        read: (N, K) their digits.
        lengths: (N, K) their lengths.
        labels: (N, 2) the two digits in the picture; a drawing of any other is marked with ✗.
        names: K names of the rows.
    """
    drawn, N, K = few_shades(drawn), len(images), len(names)
    fig, axes = figure(1.05 * N + 0.6, 1.3 * (K + 2), K + 2, N, squeeze=False)
    rows = [*zip(("picture", "together", *names), ("black", COLOURS["ink"], *INKS), strict=False)]
    for row, (name, colour) in zip(axes, rows, strict=True):
        row[0].set_ylabel(name, color=colour)
    told = []
    for n, column in enumerate(axes.T):
        here = sorted(int(label) for label in labels[n])
        alone = [_inked(drawn[n, k : k + 1], INKS[k : k + 1]) for k in range(K)]
        shown = [
            _inked(few_shades(np.reshape(images[n], (1, 36, 36))), ("black",)),
            _inked(drawn[n, :2], INKS[:2]),
            *alone,
        ]
        wrong = ["" if digit in here else " ✗" for digit in read[n]]
        under = [f"{digit}: {long:.2f}{mark}" for digit, long, mark in zip(read[n], lengths[n], wrong, strict=True)]
        for ax, picture, title in zip(column, shown, (f"{here[0]} and {here[1]}", "", *under), strict=True):
            ax.imshow(picture)
            ax.set_title(title)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=COLOURS["neutral"], linewidth=0.5)
        told.append(f"{here[0]} and {here[1]} drawn as {', '.join(under)}")
    alt = f"{N} pictures of two overlapping digits, and drawings decoded from {K} capsules of each, named "
    return described(fig, f"{alt}{', '.join(names)}, with their lengths (✗: not in the picture): {'; '.join(told)}.")
