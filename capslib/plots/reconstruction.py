"""What a decoder draws, beside what it should have drawn."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from capslib import style
from capslib.plots.base import HouseFigure, described
from capslib.plots.marks import draw_digit, few_shades
from capslib.style import COLOURS, CONTRIBUTION


@style.context()
def changed_dimension(image, reconstruction, strip, steps, dimension, change) -> Figure:
    """Draw an image, its reconstruction and their difference above the pictures of one changed dimension.

    Args:
        image: (28, 28) or (28, 28, 1) in 0–1.
        reconstruction: the same, decoded.
        strip: (K, 28, 28), decoded with each of the steps.
        steps: (K,) what was added to the dimension.
        dimension: its index.
        change: what is added to it in the reconstruction; the step next to it is framed.

    Returns:
        A Figure.
    """
    image, reconstruction = np.reshape(image, (28, 28)), np.reshape(reconstruction, (28, 28))
    K = len(strip)
    fig = HouseFigure(figsize=(5.2, 2.7))
    above, below = fig.add_gridspec(2, 1, height_ratios=[2.6, 1])
    axes = [fig.add_subplot(place) for place in above.subgridspec(1, 3)]
    for ax, picture, title in zip(axes, (image, reconstruction), ("original", "reconstruction"), strict=False):
        draw_digit(ax, few_shades(picture))
        ax.set_title(title)
    error = np.square(reconstruction - image).sum()
    tint = axes[2].imshow(few_shades(reconstruction - image), cmap=CONTRIBUTION, vmin=-1, vmax=1)
    axes[2].set_title("difference")
    axes[2].set_xlabel(f"Σ of squares {error:.1f}")
    fig.colorbar(tint, ax=axes[2], shrink=0.9, ticks=[-1, 0, 1])
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=COLOURS["neutral"])
    row = fig.add_subplot(below)
    sheet = few_shades(np.transpose(strip, (1, 0, 2)).reshape(28, 28 * K))
    row.imshow(1 - sheet, cmap="gray", vmin=0, vmax=1, extent=(-0.5, K - 0.5, 0.5, -0.5), interpolation="nearest")
    nearest = int(np.abs(np.asarray(steps) - change).argmin())
    row.add_patch(Rectangle((nearest - 0.5, -0.5), 1, 1, fill=False, edgecolor=COLOURS["v"], linewidth=2.5))
    row.set_xticks(
        range(K), [f"{step:+.2f}".replace("-", "−") if step else "0" for step in np.round(steps, 6)], fontsize=9
    )
    row.set(yticks=[], xlabel=f"added to dimension {dimension}")
    row.tick_params(length=0)
    row.spines[:].set_visible(False)
    alt = f"A digit, its reconstruction and their difference, whose squares add up to {error:.1f}; below, {K} pictures "
    alt += f"decoded with {steps[0]:+.2f} to {steps[-1]:+.2f} added to dimension {dimension}, "
    alt += f"that of {steps[nearest]:+.2f} framed."
    return described(fig, alt.replace("-", "−"))
