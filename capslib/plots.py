"""Every picture of the course. Each function draws one figure from plain arrays or a RoutingTrace and returns it.

`show` puts a figure into a notebook with its alt text; nothing here knows Keras. Importing this module makes the house
style matplotlib's default.
"""

import base64
import html
import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from capslib import style
from capslib.style import COLOURS, CONTRIBUTION, COUPLING

style.use()


def figure(width=7.5, height=3.0, rows=1, columns=1, **kwargs):
    """A figure that pyplot does not keep open, and its axes, as `plt.subplots` returns them; sizes in inches."""
    fig = Figure(figsize=(width, height))
    return fig, fig.subplots(rows, columns, **kwargs)


def png(fig):
    """The figure as PNG bytes with a palette of 256 colours: a third of the size, and no difference to the eye."""
    buffer, small = io.BytesIO(), io.BytesIO()
    fig.savefig(buffer, format="png")
    image = Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(small, format="png", optimize=True)
    return small.getvalue()


def show(fig, alt):
    """Display a figure in a notebook with a text for those who do not see it.

    JupyterLab drops the alt text of a plain PNG output, so the picture is also given as HTML, which Lab prefers.

    Args:
        fig: a matplotlib Figure.
        alt: what the picture shows, in a sentence or two.

    Raises:
        ValueError: if `alt` is empty.
    """
    from IPython.display import display

    if not alt or not alt.strip():
        raise ValueError("alt: got an empty text, expected a sentence that says what the picture shows")
    data = base64.b64encode(png(fig)).decode()
    bundle = {
        "text/plain": alt,
        "image/png": data,
        "text/html": f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">',
    }
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


# Pictures of a routing, on any network ---------------------------------------------------------------------------


def coupling_scale(c):
    """log₂(J·c) for coupling coefficients (..., J), clipped to ±3: 0 is 1/J, "no preference"."""
    c = np.asarray(c)
    return np.clip(np.log2(np.maximum(c * c.shape[-1], 1e-9)), -3, 3)


def draw_coupling(ax, c, numbers=False):
    """Draw couplings c (I, J) as a matrix on the course's one coupling scale; returns the image.

    Args:
        ax: a matplotlib Axes.
        c: (I, J).
        numbers: whether to write each c into its cell.
    """
    shown = ax.imshow(coupling_scale(c), cmap=COUPLING, vmin=-3, vmax=3, aspect="auto")
    ax.set(xlabel="upper capsule j", ylabel="lower capsule i")
    if numbers:
        for i, j in np.ndindex(*c.shape):
            ax.text(j, i, f"{c[i, j]:.2f}", ha="center", va="center", color=COLOURS["ink"])
    return shown


def draw_lengths(ax, lengths, mark=None):
    """Draw the lengths (J,) of the upper capsules as bars, the longest in full colour and named.

    Args:
        ax: a matplotlib Axes.
        lengths: (J,).
        mark: a capsule to outline, or None.
    """
    winner = int(np.argmax(lengths))
    bars = ax.bar(range(len(lengths)), lengths, color=COLOURS["v"], alpha=0.35)
    bars[winner].set_alpha(1)
    ax.text(winner, lengths[winner] + 0.02, f"{lengths[winner]:.2f}", ha="center")
    if mark is not None:
        bars[mark].set(edgecolor=COLOURS["ink"], linewidth=1.5)
    ax.set(xlabel="upper capsule j", ylabel="length ‖v_j‖", ylim=(0, 1.1), xticks=range(len(lengths)))


def draw_grid(ax, image, values, kind="contribution", limit=None):
    """Draw a digit under its 7×7 grid of lower capsules, each cell tinted by its value.

    Args:
        ax: a matplotlib Axes.
        image: (28, 28) or (28, 28, 1) in 0–1.
        values: (49,): contributions to one upper capsule, or its couplings as `coupling_scale` gives them.
        kind: "contribution" or "coupling", the colour scale.
        limit: the value at the scale's end; 3 for couplings, the largest |value| for contributions unless told.

    Returns:
        The tinted image, for a colour bar.
    """
    if kind not in ("contribution", "coupling"):
        raise ValueError(f"kind: got {kind!r}, expected 'contribution' or 'coupling'")
    values = np.asarray(values).reshape(7, 7)
    if limit is None:
        limit = 3 if kind == "coupling" else max(np.abs(values).max(), 1e-9)
    tint = ax.imshow(
        values,
        cmap=COUPLING if kind == "coupling" else CONTRIBUTION,
        vmin=-limit,
        vmax=limit,
        extent=(-0.5, 27.5, 27.5, -0.5),
    )
    ink = np.zeros((28, 28, 4))
    ink[..., 3] = 0.75 * np.asarray(image).reshape(28, 28)
    ax.imshow(ink, extent=(-0.5, 27.5, 27.5, -0.5))
    for edge in np.arange(3.5, 27, 4):
        ax.axhline(edge, color=COLOURS["neutral"], linewidth=0.4)
        ax.axvline(edge, color=COLOURS["neutral"], linewidth=0.4)
    ax.set(xticks=[], yticks=[])
    return tint
