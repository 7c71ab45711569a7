"""Every picture of the course. Each function draws one figure from plain arrays or a RoutingTrace and returns it.

`show` puts a figure into a notebook with its alt text; nothing here knows Keras. Importing this module makes the house
style matplotlib's default.
"""

import base64
import html
import io
from itertools import pairwise

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from capslib import style
from capslib.style import COLOURS, CONTRIBUTION, COUPLING, MISTAKES

style.use()


def figure(width=7.5, height=3.0, rows=1, columns=1, **kwargs):
    """A figure that pyplot does not keep open, and its axes, as `plt.subplots` returns them; sizes in inches."""
    fig = Figure(figsize=(width, height))
    return fig, fig.subplots(rows, columns, **kwargs)


def png(fig, saved=False):
    """The figure as PNG bytes with a palette of 256 colours: a third of the size, and no difference to the eye.

    Drawn straight into memory, since encoding it twice took half of the time.
    What is `saved` in a notebook is packed for longer, into a tenth less.
    """
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    image, small = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]), io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(small, format="png", optimize=saved)
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
    data = base64.b64encode(png(fig, saved=True)).decode()
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
        numbers: whether to write each c into its cell, white where the cell is dark.
    """
    shown = ax.imshow(coupling_scale(c), cmap=COUPLING, vmin=-3, vmax=3, aspect="auto")
    ax.set(xlabel="upper capsule j", ylabel="lower capsule i")
    if numbers:
        for i, j in np.ndindex(*c.shape):
            dark = np.mean(shown.to_rgba(coupling_scale(c)[i, j])[:3]) < 0.5
            ax.text(j, i, f"{c[i, j]:.2f}", ha="center", va="center", color="white" if dark else COLOURS["ink"])
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


# Lesson 00 --------------------------------------------------------------------------------------------------------


def digit_and_lengths(image, lengths):
    """Draw a digit beside the lengths of the upper capsules that read it.

    Args:
        image: (28, 28) or (28, 28, 1) in 0–1.
        lengths: (J,).
    """
    fig, (left, right) = figure(7.5, 2.4, columns=2, gridspec_kw={"width_ratios": [1, 3]})
    left.imshow(1 - np.asarray(image).reshape(28, 28), cmap="gray", vmin=0, vmax=1)
    left.axis("off")
    draw_lengths(right, lengths)
    return fig


# Lesson 01: why capsules ------------------------------------------------------------------------------------------


def turning_digit(images, angles, label, beliefs, lengths=()):
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
        paper = 1 - np.asarray(image).reshape(28, 28)
        strip.imshow(paper, cmap="gray", vmin=0, vmax=1, extent=(angle - half, angle + half, 0, 1), aspect="auto")
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
            look = {"color": COLOURS["v"], "fontweight": "bold"} if winner == label else {"color": COLOURS["ink"]}
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": COLOURS["neutral"]}
            ax.text(angle, row.max(), str(winner), ha="center", va="center", bbox=box, zorder=3, **look)
        ax.set(ylim=(-0.05, 1.15), yticks=[0, 0.5, 1], ylabel=unit)
        ax.set_title(f"{name}: the line is {line},{gap}the numbers are its answers", fontsize=10)
    axes[-1].set(xlim=(angles[0] - half, angles[-1] + half), xticks=angles[::2], xlabel="turn, degrees")
    return fig


def accuracy_by_angle(angles, curves):
    """Accuracy while digits turn, a curve a network.

    Args:
        angles: (N,) degrees.
        curves: dict from a network's name to accuracies (N,); four at most.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3)
    looks = zip(("v", "u", "a", "c"), ("-", "--", ":", "-."), "os^D", strict=True)
    for (name, accuracies), (key, dashes, marker) in zip(curves.items(), looks, strict=False):
        ax.plot(angles, accuracies, color=COLOURS[key], linestyle=dashes, marker=marker, markersize=5, label=name)
    ax.legend(frameon=False)
    ax.set(xlabel="turn, degrees", ylabel="accuracy", ylim=(0, 1.03), xticks=angles[::2])
    return fig


def top_scores(panels, accept):
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
    return fig


def patches_and_vectors(patches, vectors, titles):
    """Small patches of an image, and on each the vector that was computed from it.

    Args:
        patches: N patches (S, S) in 0–1, ink 1.
        vectors: (N, 2), x to the right and y up; the longest is drawn over 0.4 of a patch.
        titles: N titles.

    Returns:
        A Figure.
    """
    fig, axes = figure(2.1 * len(patches), 2.5, 1, len(patches), squeeze=False)
    longest = max(np.hypot(*vector) for vector in vectors)
    for ax, patch, vector, title in zip(axes[0], patches, vectors, titles, strict=True):
        ax.imshow(patch, cmap="gray_r", vmin=0, vmax=2, extent=(-1, 1, -1, 1))  # At half strength, under the arrow.
        arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "color": COLOURS["v"], "linewidth": 2.5}
        ax.annotate("", 0.8 * np.asarray(vector) / longest, (0, 0), arrowprops=arrow).set_label("vector")
        ax.axis("off")
        ax.set_title(title)
    return fig


# Lesson 02: pose and votes ----------------------------------------------------------------------------------------
# A canvas spans −14 to 14 both ways, x to the right and y up, as in capslib.faces.


def face_row(images, titles):
    """Faces side by side.

    Args:
        images: N faces (S, S) in 0–1, ink 1.
        titles: N titles.

    Returns:
        A Figure.
    """
    fig, axes = figure(2.5 * len(images), 2.8, columns=len(images), squeeze=False)
    for ax, image, title in zip(axes[0], images, titles, strict=True):
        _face(ax, image, 1)
        ax.set_axis_off()
        ax.set_title(title)
    return fig


def one_vote(image, part, whole_from_part):
    """How one part finds the whole: its frame, the way from it to the whole, and the frame that it votes for.

    A frame is a dot with two arrows: the long one is the "right" of its owner, the short one its "up".

    Args:
        image: the face (S, S) in 0–1.
        part: (3, 3) pose of the part.
        whole_from_part: (3, 3) pose of the whole as the part sees it.

    Returns:
        A Figure.
    """
    fig, ax = figure(5.2, 4.8)
    _face(ax, image, 0.2)
    right, up = whole_from_part[:2, 2]
    way = part @ np.array([[0, right, right], [0, 0, up], [1, 1, 1]])
    ax.plot(way[0], way[1], color=COLOURS["u"], linestyle=":", linewidth=2, label="way")
    names = (f"{abs(right):g} {'right' if right > 0 else 'left'}", f"{abs(up):g} {'up' if up > 0 else 'down'}")
    vote = part @ whole_from_part
    for k, (name, share) in enumerate(zip(names, (0.5, 0.25), strict=True)):
        leg = way[:2, k + 1] - way[:2, k]
        beside = 9 * np.array([-leg[1], leg[0]]) / np.hypot(*leg)  # points, to the left of who walks
        align = {"ha": "right" if beside[0] < -5 else "left" if beside[0] > 5 else "center", "va": "center"}
        ax.annotate(name, way[:2, k] + share * leg, beside, textcoords="offset points", color=COLOURS["u"], **align)
    for M, colour, name in ((part, "u", "the eye"), (vote, "u_hat", "its vote")):
        _frame(ax, M, COLOURS[colour], name, reach=2.6)
        ax.annotate(name, M[:2, 2], (8, -12), textcoords="offset points")
    x, y, reach = *vote[:2, 2], 14 * np.hypot(*vote[:2, 0])
    ax.set(xlim=(x - reach, x + reach), ylim=(y - reach, y + reach), xlabel="x", ylabel="y")
    return fig


def face_votes(images, parts, votes, titles):
    """Faces with a line from every part to the place where it says the face is.

    Args:
        images: N faces (S, S) in 0–1.
        parts: (N, I, 3, 3) poses of the parts.
        votes: (N, I, 3, 3) the poses for which they vote.
        titles: N titles.

    Returns:
        A Figure of N panels: parts as dark frames, votes as light and larger ones.
    """
    fig, axes = figure(2.55 * len(images), 2.95, columns=len(images), squeeze=False)
    for ax, image, seen, meant, title in zip(axes[0], images, parts, votes, titles, strict=True):
        _face(ax, image, 0.22)
        for M, vote in zip(seen, meant, strict=True):
            (x, x_vote), (y, y_vote) = zip(M[:2, 2], vote[:2, 2], strict=True)
            ax.plot([x, x_vote], [y, y_vote], color=COLOURS["u_hat"], linewidth=1.2, linestyle=":", label="way")
            _frame(ax, vote, COLOURS["u_hat"], "vote", reach=4.4)
            _frame(ax, M, COLOURS["u"], "part", reach=2.4)
        ax.set_axis_off()
        ax.set_title(title)
    return fig


def ghost_votes(forms, whole, parts, T, names):
    """A face, and over it, as thin lines, the whole face as each of its parts says that it lies.

    Args:
        forms: how the head and the P parts look, as `faces.forms` gives it.
        whole: (3, 3) pose of the head.
        parts: (P, 3, 3) poses of the parts.
        T: (P, 3, 3) the whole as each part sees it.
        names: P names of the parts.

    Returns:
        A Figure. Where votes coincide the thin lines add up, and one label names all their parts.
    """
    fig, ax = figure(5, 5)
    votes, arrangement = parts @ T, np.linalg.inv(T)
    crown = np.abs(np.concatenate([line for line, _ in forms[0]])).max() * np.hypot(*votes[:, :2, 0].T)  # (P,)
    limit = np.ceil(np.abs(votes[:, :2, 2]).max(1) + crown).max() + 3
    points_a_unit = 72 * 4.3 / (2 * limit)
    for M, form in zip([whole, *parts], forms, strict=True):
        for line, radius in form:
            x, y = _moved(M, line)
            width = 2 * radius * np.hypot(*M[:2, 0]) * points_a_unit
            style = {"solid_capstyle": "round", "solid_joinstyle": "round", "label": "ink"}
            ax.plot(x, y, color="#CFCFCF", linewidth=width, zorder=1, **style)
    for vote in votes:
        for M, form in zip([vote, *(vote @ arrangement)], forms, strict=True):
            for line, _ in form:
                ax.plot(*_moved(M, line), color=COLOURS["u_hat"], linewidth=1.2, alpha=0.5, label="ghost", zorder=2)
    for M, vote in zip(parts, votes, strict=True):
        way = np.stack([M, vote])[:, :2, 2]
        ax.plot(*way.T, color=COLOURS["u"], linewidth=1.2, linestyle=":", label="way", zorder=3)
        _frame(ax, vote, COLOURS["u_hat"], "vote", reach=4.4)
        _frame(ax, M, COLOURS["u"], "part", reach=2.4)
    middle = votes[:, :2, 2].mean(0)
    for place, said, first in _said_alike(votes[:, :2, 2], names):
        reach = crown[first] + limit / 15
        y = place[1] + (reach if place[1] >= middle[1] else -reach)
        ax.text(place[0], y, said, ha="center", va="center", fontsize=10, zorder=6)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="x", ylabel="y", aspect="equal")
    ax.set_title("where each part says the face is")
    return fig


def _moved(M, points):
    """Points (P, 2) of a pose's own coordinates as x and y (P,) of the picture."""
    return M[:2, :2] @ points.T + M[:2, 2:]


def _said_alike(places, names, near=1.0):
    """Votes within `near` pixels of an earlier one share its label: (place (2,), names in one text, that vote)."""
    groups = {}
    for i, place in enumerate(places):
        first = next((j for j in groups if np.hypot(*(place - places[j])) <= near), i)
        groups.setdefault(first, []).append(names[i])
    return [(places[first], ", ".join(said), first) for first, said in groups.items()]


def spread_over_turns(angles, curves):
    """Spread of the votes while a face turns, one named curve a face.

    Args:
        angles: (N,) degrees.
        curves: dict from name to spreads (N,), the first one drawn in full colour.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3.2)
    looks = [{"color": COLOURS["v"]}, {"color": COLOURS["neutral"], "linestyle": "--"}, {"color": COLOURS["ink"]}]
    for (name, spreads), look in zip(curves.items(), looks, strict=False):
        ax.plot(angles, spreads, label=name, **look)
        ax.annotate(
            name, (angles[-1], spreads[-1]), (5, 0), textcoords="offset points", va="center", annotation_clip=False
        )
    top = max(np.max(spreads) for spreads in curves.values())
    ax.set(
        xlim=(angles[0], angles[-1]), ylim=(0, 1.15 * top), xlabel="turn, degrees", ylabel="spread of the votes, pixels"
    )
    ax.set_xticks(np.linspace(angles[0], angles[-1], 5))
    return fig


def two_measures(names, cosines, scores):
    """Representations as points: across, how little they change; up, how well a fixed map foretells the change.

    Args:
        names: N names.
        cosines: (N,) invariance, at most 1.
        scores: (N,) equivariance, R², at most 1.

    Returns:
        A Figure.
    """
    fig, ax = figure(6, 3.7)
    for value in (0, 1):
        ax.axhline(value, color=COLOURS["neutral"], linewidth=0.8, linestyle="-" if value else ":")
    ax.axvline(1, color=COLOURS["neutral"], linewidth=0.8)
    for name, marker, x, y in zip(names, "os^Dv", cosines, scores, strict=False):
        ax.plot(x, y, marker, color=COLOURS["v"], markersize=9, label=name)
        ax.annotate(name, (x, y), (0, -19), textcoords="offset points", ha="right" if x > 0.9 else "center")
    low = min(-0.4, np.min(scores) - 0.3)
    ax.set(xlim=(min(0, np.min(cosines) - 0.1), 1.1), ylim=(low, 1.12), yticks=[0, 0.5, 1])
    ax.set(xlabel="invariance: cosine of v(x) and v(Gx)", ylabel="equivariance: R²")
    return fig


def _face(ax, image, strength):
    """A face in grey, from white paper to ink of the given strength, on the canvas' own coordinates."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1 / strength, extent=(-14, 14, -14, 14))
    ax.set_aspect("equal")


def _frame(ax, M, colour, label, reach):
    """A pose as a dot and two arrows: its owner's right, `reach` long at scale 1, and its up, 0.6 of that."""
    for column, share in ((0, 1), (1, 0.6)):
        tip = M[:2, 2] + reach * share * M[:2, column]
        style = {
            "arrowstyle": "-|>",
            "color": colour,
            "linewidth": 1.6,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 9,
        }
        ax.annotate("", tip, M[:2, 2], arrowprops=style, zorder=4).set_label(
            f"{label} {'right' if share == 1 else 'up'}"
        )
    ax.plot(*M[:2, 2], "o", color=colour, markersize=4, label=label, zorder=5)


# Lesson 03: squash ------------------------------------------------------------------------------------------------


def _squash_arrow(ax, tip, label, **kwargs):
    """An arrow from the origin to `tip` (2,) that tests can find by its label."""
    arrow = ax.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, **kwargs})
    arrow.set_label(label)


def squash_arrows(s, v=None):
    """Vectors as arrows beside the circle of length 1; with `v`, each squashed vector on top of its own.

    Args:
        s: (N, 2) raw vectors, named s₀, s₁, … at their tips.
        v: (N, 2) the same vectors squashed, or None.

    Returns:
        A Figure.
    """
    fig, ax = figure(5.6, 4.4)
    _draw_squash_arrows(ax, np.asarray(s), v)
    return fig


def _draw_squash_arrows(ax, s, v):
    ax.plot(*_unit_circle(64), color=COLOURS["neutral"], linestyle="--", linewidth=1, label="length 1")
    raw = COLOURS["ink"] if v is None else COLOURS["neutral"]
    for i, tip in enumerate(s):
        _squash_arrow(ax, tip, f"s{i}", color=raw, linewidth=1.5)
        name = f"$s_{i}$" if v is None else f"{np.linalg.norm(tip):.2f} → {np.linalg.norm(v[i]):.2f}"
        # Names stand outside the circle, where no arrow but their own can lie.
        towards = tip / max(np.linalg.norm(tip), 1e-9)
        at = towards * max(np.linalg.norm(tip), 1)
        side = "left" if towards[0] > 0.3 else "right" if towards[0] < -0.3 else "center"
        ax.annotate(name, at, towards * 8, textcoords="offset points", ha=side, va="center")
    for i, tip in enumerate([] if v is None else v):
        _squash_arrow(ax, tip, f"v{i}", color=COLOURS["v"], linewidth=3)
    room = np.array([0.3 if v is None else 1.1, 0.3])
    low, high = np.minimum(s.min(0), -1) - room, np.maximum(s.max(0), 1) + room
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xlabel="component 1", ylabel="component 2")


def squash_lengths(norms, lengths):
    """Length after squash against length before, one curve an offset, with the diagonal of "unchanged".

    Args:
        norms: (N,) increasing lengths ‖s‖.
        lengths: dict from offset to the lengths ‖v‖, (N,); a dot marks where each curve passes one half.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3.8)
    ax.plot([0, 1.1], [0, 1.1], color=COLOURS["neutral"], linestyle="--", linewidth=1, label="unchanged")
    ax.text(1.12, 1.1, "unchanged", color=COLOURS["neutral"], va="center")
    for offset, curve in lengths.items():
        ax.plot(norms, curve, label=f"{offset:g}", **_offset_line(offset))
        half, name_at = np.interp([0.5, 0.75], curve, norms)
        ax.plot(half, 0.5, "o", color=_offset_line(offset)["color"])
        ax.annotate(f"{offset:g}", (name_at, 0.75), (4, -10), textcoords="offset points", fontsize=10)
    ax.axhline(1, color=COLOURS["neutral"], linewidth=0.8)
    ax.set(xlim=(0, norms[-1]), ylim=(0, 1.18), xlabel="length before, ‖s‖", ylabel="length after, ‖v‖")
    return fig


def squash_ratios(norms, ratios, peaks, grows=None):
    """How much of its length a vector keeps, one curve an offset, with the peak of each.

    Args:
        norms: (N,) increasing lengths ‖s‖.
        ratios: dict from offset to the ratios ‖v‖/‖s‖, (N,).
        peaks: dict from offset to its (‖s‖, ratio) at the peak.
        grows: a pair of lengths between which vectors grow, to shade; or None.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3.8)
    _draw_squash_ratios(ax, norms, ratios, peaks, grows)
    return fig


def _draw_squash_ratios(ax, norms, ratios, peaks, grows):
    if grows is not None:
        ax.axvspan(*grows, color=COLOURS["v"], alpha=0.12, linewidth=0, label="grows")
        ax.text(grows[1], 0.98, "grows ", ha="right", va="top", transform=ax.get_xaxis_transform())
    ax.axhline(1, color=COLOURS["neutral"], linestyle="--", linewidth=1)
    ax.text(norms[-1], 1.03, "unchanged", color=COLOURS["neutral"], ha="right")
    for offset, curve in ratios.items():
        ax.plot(norms, curve, label=f"{offset:g}", **_offset_line(offset))
        ax.plot(*peaks[offset], "o", color=_offset_line(offset)["color"])
        shift = (0, 6 if peaks[offset][1] > 1 else -15)
        ax.annotate(f"{offset:g}", peaks[offset], shift, textcoords="offset points", ha="center")
    top = 1.15 * max(height for _, height in peaks.values())
    ax.set(xlim=(0, norms[-1]), ylim=(0, top), xlabel="length before, ‖s‖", ylabel="ratio ‖v‖ / ‖s‖")


def squash_view(s, v, norms, ratio, offset, grows=None):
    """One vector before and after squash, beside the share of its length that a vector keeps.

    Args:
        s: (2,) a raw vector.
        v: (2,) the same vector squashed.
        norms: (N,) increasing lengths ‖s‖ above 0.
        ratio: (N,) the ratios ‖v‖/‖s‖ with this offset.
        offset: κ.
        grows: a pair of lengths between which vectors grow, to shade; or None.

    Returns:
        A Figure of two panels; a dot on the curve marks the length of `s`.
    """
    fig, (plane, curve) = figure(9.0, 3.8, 1, 2)
    _draw_squash_arrows(plane, np.asarray(s)[None], np.asarray(v)[None])
    peak = np.sqrt(offset), 1 / (2 * np.sqrt(offset))
    _draw_squash_ratios(curve, norms, {offset: ratio}, {offset: peak}, grows)
    curve.set(title=f"offset {offset:g}", ylim=(0, max(1.15, curve.get_ylim()[1])))
    before = np.linalg.norm(s)
    if before:
        at = before, np.linalg.norm(v) / before
        curve.plot(*at, "D", color=COLOURS["ink"], zorder=5, label="this vector")
        curve.annotate("this vector", at, (9, 6), textcoords="offset points")
    return fig


def squash_nudges(before, after):
    """What squash makes of small circles: the vectors s with a circle of nudges around each, and their images.

    Args:
        before: (K, P, 2) closed curves around K raw vectors.
        after: (K, P, 2) the same points squashed.

    Returns:
        A Figure of two panels, before and after, each on its own scale.
    """
    fig, axes = figure(7.5, 3.9, 1, 2)
    for ax, loops, colour, name in zip(axes, (before, after), (COLOURS["ink"], COLOURS["v"]), "sv", strict=True):
        for k, loop in enumerate(loops):
            centre = loop[:-1].mean(0)
            ax.plot(*np.stack([0 * centre, centre], 1), color=COLOURS["neutral"], linewidth=0.8)
            ax.fill(*loop.T, facecolor=colour, edgecolor=colour, alpha=0.35, label=f"{name}{k}")
            ax.annotate("ABCDEFGH"[k], loop[loop[:, 0].argmax()], (9, -6), textcoords="offset points", ha="center")
        limit = 1.04 * loops.max()
        ax.set(xlim=(0, limit), ylim=(0, limit), aspect="equal", xlabel="component 1", ylabel="component 2")
    axes[0].set_title("circles around s")
    axes[1].set_title("what becomes of them around v")
    return fig


def squash_gains(norms, across, along, naive=None, mark=None):
    """The two gains of squash against ‖s‖, both axes logarithmic.

    Args:
        norms: (N,) increasing lengths ‖s‖ above 0.
        across: (N,) gain for a nudge at right angles to s.
        along: (N,) gain for a nudge in the direction of s.
        naive: the pair (across, along) without ε, drawn thin and dashed; or None.
        mark: (‖s‖, gain) where the two curves cross, or None.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3.8)
    if naive is not None:
        for curve in naive:
            ax.plot(norms, curve, color=COLOURS["neutral"], linestyle=":", linewidth=1.2, label="without ε")
    ax.plot(norms, across, color=COLOURS["ink"], label="across")
    ax.plot(norms, along, color=COLOURS["v"], linestyle="--", label="along")
    ax.annotate("across", (norms[-1], across[-1]), (5, 0), textcoords="offset points", va="center")
    ax.annotate("along", (norms[-1], along[-1]), (5, 0), textcoords="offset points", va="center")
    if mark is not None:
        ax.plot(*mark, "o", color=COLOURS["ink"])
        ax.annotate("equal", mark, (0, 9), textcoords="offset points", ha="center")
    ax.set(xscale="log", yscale="log", xlabel="length before, ‖s‖", ylabel="gain", xlim=(norms[0], norms[-1]))
    if naive is not None:
        eighth = len(norms) // 8
        at = (norms[eighth], naive[0][eighth])
        ax.annotate("without ε", at, (8, -10), textcoords="offset points", color=COLOURS["neutral"])
        ax.set_ylim(0.5 * min(naive[0][0], along[-1]), 3)
    return fig


def _unit_circle(points):
    angle = np.linspace(0, 2 * np.pi, points + 1)
    return np.cos(angle), np.sin(angle)


def _offset_line(offset):
    """The look of one offset's curve: the article's 0.5 in colour, the paper's 1 black, others grey and broken."""
    if offset == 0.5:
        return {"color": COLOURS["v"], "linewidth": 2.6}
    if offset == 1:
        return {"color": COLOURS["ink"]}
    return {"color": COLOURS["neutral"], "linestyle": "--" if offset >= 0.2 else "-."}


# Lesson 04: routing by agreement ------------------------------------------------------------------------------------

LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D")


def _plane(ax, shown, title, reach=1):
    """Axes with equal scales and the circle of length 1, wide enough for the points `shown` (N, 2) and for ±reach."""
    angle = np.linspace(0, 2 * np.pi, 65)
    ax.plot(np.cos(angle), np.sin(angle), color=COLOURS["neutral"], linestyle="--", linewidth=0.8, label="length 1")
    ax.plot(0, 0, "+", color=COLOURS["ink"], label="origin")
    low, high = np.minimum(shown.min(0), -reach) - 0.5, np.maximum(shown.max(0), reach) + 0.5
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.set_title(title, fontsize=10)
    ax.set(xticks=range(int(np.ceil(low[0])), int(high[0]) + 1), yticks=range(int(np.ceil(low[1])), int(high[1]) + 1))


def _vote(ax, vote, name, width):
    """One vote as a line from the origin, of the given width, with a dot at its tip and its part's number beyond it."""
    ax.plot(*zip((0, 0), vote, strict=True), color=COLOURS["u_hat"], linewidth=width, label=f"vote {name}")
    ax.plot(*vote, "o", color=COLOURS["u"], markersize=5, zorder=3)
    beyond = 12 * _unit(vote)
    ax.annotate(str(name), vote, beyond, textcoords="offset points", ha="center", va="center", zorder=5)


def _vector(ax, tip, name, colour, linewidth=2, beside=None):
    """An arrow from the origin; with `beside`, an offset in points, its name is written there."""
    arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "color": colour, "linewidth": linewidth}
    ax.annotate("", tip, (0, 0), arrowprops=arrow, zorder=4).set_label(name)
    if beside is not None:
        ax.annotate(name, tip, beside, textcoords="offset points", ha="center", va="center", color=colour)


def votes_of_parts(u_hat, names):
    """The votes for each whole as lines from the origin, one panel a whole, each with the number of its part.

    Args:
        u_hat: (I, J, 2) votes.
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    u_hat = np.asarray(u_hat)
    fig, axes = figure(7.2, 3.7, columns=len(names), squeeze=False)
    for j, ax in enumerate(axes[0]):
        _plane(ax, _all_votes(u_hat), f"votes for the {names[j]}")
        for i, vote in enumerate(u_hat[:, j]):
            _vote(ax, vote, i, width=2)
        ax.set(xlabel="component 1", ylabel="component 2")
    return fig


def votes_end_to_end(c, u_hat, v, names):
    """Weighted votes c_ij û_ij laid end to end, so that the last tip is s_j, with v_j inside the circle of length 1.

    Args:
        c: (I, J) coupling coefficients.
        u_hat: (I, J, 2) votes.
        v: (J, 2) output capsules.
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    weighted = np.asarray(c)[..., None] * u_hat
    chains = np.cumsum(np.concatenate([np.zeros((1, *weighted.shape[1:])), weighted]), axis=0)
    fig, axes = figure(7.2, 3.7, columns=len(names), squeeze=False)
    for j, ax in enumerate(axes[0]):
        chain = chains[:, j]
        _plane(ax, chain, f"{names[j]}: ‖s‖ = {_norm(chain[-1])}, ‖v‖ = {_norm(v[j])}", reach=0)
        ax.plot(*chain.T, "-o", color=COLOURS["u_hat"], mfc=COLOURS["u"], mec=COLOURS["u"], markersize=5, label="chain")
        for i, (start, tip) in enumerate(pairwise(chain)):
            # Each number stands beside its link, on the side away from the rest of the chain.
            middle, side = (start + tip) / 2, _unit((tip - start)[::-1] * (-1, 1))
            side = side if side @ (middle - chain.mean(0)) >= 0 else -side
            ax.annotate(str(i), middle, 10 * side, textcoords="offset points", ha="center", va="center")
        _vector(ax, chain[-1], "s", COLOURS["ink"], linewidth=1.2, beside=12 * _unit(chain[-1]))
        _vector(ax, v[j], "v", COLOURS["v"], linewidth=3, beside=12 * _unit(v[j][::-1] * (-1, 1)))
        ax.set(xlabel="component 1", ylabel="component 2")
    return fig


def _unit(vector):
    return vector / max(np.linalg.norm(vector), 1e-9)


def _norm(vector):
    return f"{np.linalg.norm(vector):.2f}"


def _all_votes(u_hat):
    """The votes (I, J, D) as one list of points, (I·J, D)."""
    return np.reshape(u_hat, (-1, np.shape(u_hat)[-1]))


def _weighted_votes(ax, u_hat, c, s, v, j, title):
    """Votes for whole j as lines as wide as their c, v as an arrow, and the weighted mean s/Σc as a diamond."""
    _plane(ax, _all_votes(u_hat), title)
    for i, vote in enumerate(u_hat[:, j]):
        _vote(ax, vote, i, width=6 * c[i, j])
    mean = s[j] / c[:, j].sum()
    ax.plot(*mean, "D", color="white", markeredgecolor=COLOURS["ink"], markersize=7, label="mean", zorder=4)
    _vector(ax, v[j], "v", COLOURS["v"])
    ax.tick_params(labelsize=9)


WEIGHTED_VOTES = "line: vote, as wide as c     ◇: weighted mean of the votes, s / Σc     arrow: v"


def routing_iterations(trace, names):
    """One row a whole and one column an iteration: votes as wide as their coupling, their weighted mean, and v.

    Args:
        trace: RoutingTrace of one example with D = 2.
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    T, J = trace.lengths.shape
    fig, axes = figure(2.5 * T, 2.75 * J + 0.3, J, T, squeeze=False)
    for j, t in np.ndindex(J, T):
        title = f"‖s‖ = {_norm(trace.s[t, j])}, ‖v‖ = {_norm(trace.v[t, j])}"
        title = f"iteration {t + 1}\n{title}" if j == 0 else title
        _weighted_votes(axes[j, t], trace.u_hat, trace.c[t], trace.s[t], trace.v[t], j, title)
        if t == 0:
            axes[j, t].set_ylabel(names[j], fontsize=13)
    fig.supxlabel(WEIGHTED_VOTES, fontsize=10)
    return fig


def _length_curves(ax, lengths, names):
    """Length against iteration, one line style and marker a whole, named at its end."""
    T = len(lengths)
    for j, name in enumerate(names):
        ax.plot(range(1, T + 1), lengths[:, j], LINES[j % 4], marker=MARKERS[j % 4], color=COLOURS["v"], label=name)
        ax.annotate(name, (T, lengths[-1, j]), (8, 0), textcoords="offset points", va="center", annotation_clip=False)
    ax.set(xlabel="iteration", ylabel="length ‖$v_j$‖", ylim=(0, 1.05), xticks=range(1, T + 1))


def routing_progress(trace, names):
    """Lengths of the wholes, and the mean entropy of the parts' couplings under its ceiling ln J, by iteration.

    Args:
        trace: RoutingTrace of one example.
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    T, J = trace.lengths.shape
    fig, (left, right) = figure(7.5, 3.1, columns=2)
    _length_curves(left, trace.lengths, names)
    right.plot(range(1, T + 1), trace.entropy.mean(-1), "-o", color=COLOURS["c"], label="mean entropy")
    right.axhline(np.log(J), color=COLOURS["neutral"], linestyle="--", linewidth=1)
    right.text(T, np.log(J) + 0.02, f"undecided: ln {J}", ha="right", va="bottom")
    top = 1.15 * np.log(J)
    right.set(xlabel="iteration", ylabel="mean entropy of c (nats)", ylim=(0, top), xticks=range(1, T + 1))
    return fig


def lengths_by_iteration(panels, names):
    """Lengths of the wholes against iteration, one panel a case, on one scale.

    Args:
        panels: dict from a panel's title to lengths (T, J).
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    fig, axes = figure(7.5, 3.1, columns=len(panels), squeeze=False)
    for ax, (title, lengths) in zip(axes[0], panels.items(), strict=True):
        _length_curves(ax, np.asarray(lengths), names)
        ax.set_title(title)
    return fig


def routings_side_by_side(traces, names):
    """The last iteration of several routings of the same votes: votes as wide as c, and c with the sum of each row.

    Args:
        traces: dict from a row's name to a RoutingTrace of one example with D = 2.
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    J = len(names)
    fig, axes = figure(2.6 * (J + 1), 2.75 * len(traces) + 0.3, len(traces), J + 1, squeeze=False)
    for row, (label, trace) in zip(axes, traces.items(), strict=True):
        c = trace.c[-1]
        for j, name in enumerate(names):
            title = f"{name}: ‖s‖ = {_norm(trace.s[-1, j])}, ‖v‖ = {_norm(trace.v[-1, j])}"
            _weighted_votes(row[j], trace.u_hat, c, trace.s[-1], trace.v[-1], j, title)
        draw_coupling(row[J], c, numbers=True)
        for i, total in enumerate(c.sum(-1)):
            row[J].text(J - 0.4, i, f"= {total:.2f}", va="center", clip_on=False)
        row[J].set(xticks=range(J), xticklabels=names, yticks=range(len(c)), xlabel="", ylabel="part i")
        row[J].set(title="c and its row sums")
        row[0].set_ylabel(label, fontsize=13)
    fig.supxlabel(WEIGHTED_VOTES, fontsize=10)
    return fig


def labelled_curves(x, curves, xlabel, ylabel, ylim):
    """Curves over one axis, told apart by line style and marker and named at their ends.

    Args:
        x: (N,) positions.
        curves: dict from a name to N values.
        xlabel: label of the x axis.
        ylabel: label of the y axis.
        ylim: the limits of the y axis.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3.2)
    for k, (name, values) in enumerate(curves.items()):
        colour = (COLOURS["v"], COLOURS["neutral"], COLOURS["u"], COLOURS["a"])[k % 4]
        ax.plot(x, values, LINES[k % 4], marker=MARKERS[k % 4], markersize=5, color=colour, label=name)
        ax.annotate(name, (x[-1], values[-1]), (8, 0), textcoords="offset points", va="center", annotation_clip=False)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim)
    return fig


# Lesson 05: margin loss -------------------------------------------------------------------------------------------


def margin_terms(lengths, present, absent, m_plus, m_minus):
    """The two terms of the margin loss against length, with the margins.

    Args:
        lengths: (N,) increasing lengths.
        present: (N,) what a present class of that length costs.
        absent: (N,) what an absent class of that length costs.
        m_plus: the margin of present classes.
        m_minus: the margin of absent classes.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3.6)
    _margin_pair(ax, lengths, present, absent)
    for margin, name in ((m_minus, "m⁻"), (m_plus, "m⁺")):
        ax.axvline(margin, color=COLOURS["neutral"], linestyle=":", linewidth=1.2)
        ax.text(margin, 1.02, f"{name} = {margin:g}", ha="center", transform=ax.get_xaxis_transform())
    _margin_names(ax, lengths, present, absent)
    ax.set(xlim=(0, 1), ylim=(0, None), xlabel="length of the capsule", ylabel="its term of the loss")
    return fig


def margin_slopes(lengths, panels):
    """Slopes of the two terms for several designs side by side, on one scale.

    Args:
        lengths: (N,) increasing lengths.
        panels: dict from a title to the slopes (present, absent), each (N,).

    Returns:
        A Figure with one panel a design.
    """
    fig, axes = figure(7.5, 3.2, 1, len(panels), sharey=True)
    for ax, (title, (present, absent)) in zip(axes, panels.items(), strict=True):
        ax.axhline(0, color=COLOURS["neutral"], linewidth=0.8)
        _margin_pair(ax, lengths, present, absent)
        ax.set(title=title, xlim=(0, 1), xlabel="length", xticks=[0, 0.5, 1])
    _margin_names(axes[0], lengths, *next(iter(panels.values())), drop=14)
    axes[0].set_ylabel("slope of the term")
    return fig


def margin_pulls(panels, m_plus, m_minus):
    """Lengths as bars, and on each an arrow that shows where gradient descent moves it.

    Args:
        panels: dict from a title to (lengths (J,), gradient (J,), the class or the classes that are present); an arrow
            is half of minus the gradient long (the margin loss sends a present class right to m⁺, an absent one λ of
            the way to m⁻), and a gradient of 0 gets none.
        m_plus: the margin of present classes.
        m_minus: the margin of absent classes.

    Returns:
        A Figure with one panel an entry.
    """
    fig, axes = figure(7.5, 3.4, 1, len(panels), sharey=True, squeeze=False)
    tips = [lengths - gradient / 2 for lengths, gradient, _ in panels.values()]
    ylim = min(0, np.min(tips) - 0.03), max(1.05, np.max(tips) + 0.05)
    for ax, (title, (lengths, gradient, labels)) in zip(axes[0], panels.items(), strict=True):
        bars = ax.bar(range(len(lengths)), lengths, color=COLOURS["v"], alpha=0.3)
        for label in np.atleast_1d(labels).astype(int):
            bars[label].set(alpha=0.75, edgecolor=COLOURS["ink"], linewidth=1.5)
        for margin in (m_minus, m_plus):
            ax.axhline(margin, color=COLOURS["neutral"], linestyle=":", linewidth=1.2)
        for k in np.flatnonzero(gradient):
            arrow = ax.annotate(
                "",
                (k, lengths[k] - gradient[k] / 2),
                (k, lengths[k]),
                arrowprops={
                    "arrowstyle": "-|>,head_width=0.25,head_length=0.35",
                    "color": COLOURS["ink"],
                    "linewidth": 1.8,
                    "shrinkA": 0,
                    "shrinkB": 0,
                },
            )
            arrow.set_label(f"pull {k}")
        ax.set(title=title, xlabel="class k", xticks=range(len(lengths)), ylim=ylim)
    axes[0, 0].set_ylabel("length ‖$v_k$‖")
    for margin, name in ((m_minus, "m⁻"), (m_plus, "m⁺")):
        axes[0, -1].annotate(name, (1, margin), (3, 0), xycoords=("axes fraction", "data"), textcoords="offset points")
    return fig


def margin_settled(shares, squared, unsquared, mark=None):
    """The length at which a capsule settles, against how often its digit is present.

    Args:
        shares: (N,) increasing shares in 0–1 of images in which the digit is present.
        squared: (N,) where the squared loss is smallest.
        unsquared: (N,) where the loss without squares is smallest.
        mark: a (share, length) to point out, or None.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3.8)
    ax.plot([0, 1], [0, 1], color=COLOURS["neutral"], linestyle=":", linewidth=1.2, label="probability")
    ax.plot(shares, unsquared, color=COLOURS["ink"], linestyle="--", label="without squares")
    ax.plot(shares, squared, color=COLOURS["v"], label="margin loss")
    ax.text(0.82, 0.7, "a probability", color=COLOURS["neutral"], va="center")
    ax.text(0.6, 0.95, "without squares", color=COLOURS["ink"], ha="center", va="center")
    at = (0.55, np.interp(0.55, shares, squared))
    ax.annotate("margin loss", at, (-6, 8), textcoords="offset points", ha="right", color=COLOURS["v"])
    if mark is not None:
        ax.plot(*mark, "o", color=COLOURS["ink"])
        ax.annotate(f"{mark[1]:.3f}", mark, (8, -8), textcoords="offset points")
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of images with the digit", ylabel="length it settles at")
    return fig


def margin_against_softmax(lengths, losses, slopes, floor):
    """Margin loss beside softmax with cross-entropy, on the length of the present class.

    Args:
        lengths: (N,) increasing lengths of the present class.
        losses: the pair (margin, softmax) of losses, (N,) each.
        slopes: the pair (margin, softmax) of slopes by that length, (N,) each.
        floor: the least that the softmax loss can be.

    Returns:
        A Figure of two panels, losses and slopes.
    """
    fig, axes = figure(7.5, 3.4, 1, 2)
    for ax, (margin, softmax), name in zip(axes, (losses, slopes), ("loss", "slope"), strict=True):
        ax.plot(lengths, margin, color=COLOURS["v"], label="margin loss")
        ax.plot(lengths, softmax, color=COLOURS["ink"], linestyle="--", label="softmax on lengths")
        ax.set(xlim=(0, 1), xlabel="length of the present class", ylabel=name)
    axes[0].axhline(floor, color=COLOURS["neutral"], linestyle=":", linewidth=1.2)
    axes[0].text(0.02, floor - 0.04, f"floor {floor:.3f}", color=COLOURS["neutral"], va="top")
    axes[0].set_ylim(0, None)
    axes[1].axhline(0, color=COLOURS["neutral"], linewidth=0.8)
    # In each panel: the name, where on its curve, how far from there in points.
    names = (
        (axes[0], losses, (("margin loss", 0.3, (10, 4)), ("softmax", 0.3, (-6, 8)))),
        (axes[1], slopes, (("margin loss", 0.2, (8, -12)), ("softmax", 0.05, (0, 8)))),
    )
    for ax, curves, places in names:
        for curve, colour, (name, x, shift) in zip(curves, ("v", "ink"), places, strict=True):
            at = (x, np.interp(x, lengths, curve))
            ax.annotate(name, at, shift, textcoords="offset points", color=COLOURS[colour])
    return fig


def _margin_pair(ax, lengths, present, absent):
    ax.plot(lengths, present, color=COLOURS["v"], label="present")
    ax.plot(lengths, absent, color=COLOURS["ink"], linestyle="--", label="absent")


def _margin_names(ax, lengths, present, absent, drop=0):
    """Name the two curves: "present" to the right of its own and `drop` points lower, "absent" to the left."""
    at = (0.3, np.interp(0.3, lengths, present))
    ax.annotate("present", at, (8, -drop), textcoords="offset points", color=COLOURS["v"])
    ax.annotate(
        "absent",
        (0.85, np.interp(0.85, lengths, absent)),
        (-8, 4),
        textcoords="offset points",
        ha="right",
        color=COLOURS["ink"],
    )


# Lesson 06: the capsule layer --------------------------------------------------------------------------------------


def votes_as_product(u, W, u_hat, pair):
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
    return fig


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
        ax.text(x + k + 0.5, y + r + 0.5, f"{values[r, k]:g}".replace("-", "−"), ha="center", va="center")
    ax.text(x + C / 2, y - 0.75, title, ha="center", va="bottom", fontweight="bold")
    if blocks > 1:
        for j in range(blocks):
            ax.text(x + (j + 0.5) * C / blocks, y - 0.12, f"j = {j}", ha="center", va="bottom")
    for r, name in enumerate(names):
        ax.text(x - 0.15, y + r + 0.5, name, ha="right", va="center")


def two_ways_to_route(stored, routings, products, mark):
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
    return fig


def shuffled_capsules(image, norms, order, shared, unshared):
    """One digit's lower capsules in place and shuffled, and what a shared and an unshared layer say of both.

    Args:
        image: (28, 28) or (28, 28, 1) in 0–1; drawn over the capsules in place.
        norms: ‖u_i‖, (49,).
        order: the shuffle, (49,): place i receives capsule order[i].
        shared, unshared: lengths ‖v_j‖ before and after the shuffle, (2, J) each.
    """
    norms, order = np.asarray(norms), np.asarray(order)
    fig = Figure(figsize=(7.5, 4.4))
    axes = fig.subplot_mosaic([["in place", "shared"], ["shuffled", "unshared"]], width_ratios=(1, 2.6))
    for name, values in (("in place", norms), ("shuffled", norms[order])):
        ax = axes[name]
        ax.imshow(values.reshape(7, 7), cmap="Blues", vmin=0, vmax=1.3 * norms.max(), extent=(-0.5, 27.5, 27.5, -0.5))
        for edge in np.arange(3.5, 27, 4):
            ax.axhline(edge, color="white", linewidth=0.8)
            ax.axvline(edge, color="white", linewidth=0.8)
        ax.set(title=f"49 capsules {name}", xticks=[], yticks=[])
    ink = np.zeros((28, 28, 4))
    ink[..., 3] = 0.55 * np.asarray(image).reshape(28, 28)
    axes["in place"].imshow(ink, extent=(-0.5, 27.5, 27.5, -0.5))
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
    return fig


# Lesson 07: training ----------------------------------------------------------------------------------------------

RUN_STYLES = ("-", "--", ":", "-.")


def training_curves(runs, value, label, reference=None, limits=None):
    """Draw one value of several training histories, each named at its end.

    Args:
        runs: dict of name → list of dicts with `epoch` and `value`; four at most.
        value: the key to draw, for example "val_accuracy".
        label: of the vertical axis.
        reference: (number, name) of a horizontal line, or None.
        limits: of the vertical axis, or None.
    """
    fig, ax = figure(7.5, 3.4)
    colours = [COLOURS[k] for k in ("v", "u", "a", "c")]
    for (name, rows), colour, dashes in zip(runs.items(), colours, RUN_STYLES, strict=False):
        x = [row["epoch"] for row in rows]
        y = [row[value] for row in rows]
        ax.plot(x, y, color=colour, linestyle=dashes, label=name)
        ax.annotate(name, (x[-1], y[-1]), (6, 0), textcoords="offset points", color=colour, va="center")
    if reference is not None:
        ax.axhline(reference[0], color=COLOURS["neutral"], linewidth=1, linestyle=(0, (6, 3)))
        at = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right"}
        ax.annotate(reference[1], (1, reference[0]), (0, 4), **at)
    ax.set(xlabel="epoch", ylabel=label)
    if limits is not None:
        ax.set_ylim(*limits)
    ax.margins(x=0.02)
    ax.xaxis.get_major_locator().set_params(integer=True)
    return fig


def learning_rates(rates):
    """Draw learning rates by optimizer step, each line named.

    Args:
        rates: dict of name → learning rates (steps,).
    """
    fig, ax = figure(7.5, 2.6)
    for (name, rate), key, dashes in zip(rates.items(), ("u", "v", "a"), RUN_STYLES, strict=False):
        ax.plot(rate, color=COLOURS[key], linestyle=dashes, label=name)
        peak = int(np.argmax(rate))
        ax.annotate(name, (peak, rate[peak]), (8, 2), textcoords="offset points", color=COLOURS[key], va="bottom")
    ax.set(xlabel="optimizer step", ylabel="learning rate", ylim=(0, 1.25 * max(max(rate) for rate in rates.values())))
    return fig


def confusion_matrix(confusion):
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
    ax.set(xlabel="read as", ylabel="is a", xticks=range(10), yticks=range(10))
    return fig


# Lesson 08 -------------------------------------------------------------------------------------------------------

CELL, WINDOW = 4, 16
"""Pixels on a side of one of the 7×7 cells, and of the window that its two convolutions and two pools see."""

VOTE = LinearSegmentedColormap.from_list("vote", [COLOURS["neutral"], "#FFFFFF", COLOURS["u_hat"]])
"""Components of votes: white is 0, sky blue above, grey below."""

FAINT = 0.5
"""How much of the ink to draw where the tint below it has to be seen."""


def lower_capsule(image, u, u_hat, cell):
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
        title=f"û_{cell}: {u_hat.shape[1]} votes, one a row",
        xlabel="component",
        ylabel="upper capsule j",
        yticks=range(u_hat.shape[1]),
    )
    fig.colorbar(drawn, ax=votes)
    return fig


def first_and_last(image, trace, j, entropy):
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
    return fig


def film_strip(image, trace, j):
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
    return fig


def digit_sheet(images, captions, columns=8):
    """Small pictures of digits in rows, each with a line or two above it.

    Args:
        images: (N, 28, 28) or (N, 28, 28, 1) in 0–1.
        captions: N texts.
        columns: how many in a row.
    """
    rows = -(-len(images) // columns)
    fig, axes = figure(1.05 * columns, 1.3 * rows, rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, caption in zip(axes.flat, images, captions, strict=False):
        ax.imshow(1 - np.asarray(image).reshape(28, 28), cmap="gray", vmin=0, vmax=1)
        ax.set_title(caption, fontsize=9)
    return fig


def two_opinions(images, for_read, for_true, captions):
    """Misread digits: above, what each cell adds to the class read; below, what it adds to the true one; one scale.

    Args:
        images: (N, 28, 28) or (N, 28, 28, 1) in 0–1.
        for_read: (N, 49) contributions to the class read.
        for_true: (N, 49) contributions to the true class.
        captions: N pairs of texts, for the upper and for the lower picture.
    """
    fig, axes = figure(1.08 * len(images), 2.9, 2, len(images), squeeze=False)
    limit = max(np.abs(for_read).max(), np.abs(for_true).max(), 1e-9)
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
    return fig


def two_answers(image, contributions, j, lengths, probabilities):
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
    winner = int(np.argmax(probabilities))
    shown = right.bar(range(len(probabilities)), probabilities, color=COLOURS["neutral"], alpha=0.45)
    shown[winner].set(color=COLOURS["ink"], alpha=1)
    right.text(winner, probabilities[winner] + 0.02, f"{probabilities[winner]:.2f}", ha="center")
    right.set(xlabel="class", ylabel="probability", ylim=(0, 1.1), xticks=range(len(probabilities)), title="CNN")
    right.title.set_fontsize(10)
    return fig


def votes_of_capsule(trace, j, iterations):
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
        ax.annotate("s/Σc", mean, xytext=(0, 10), textcoords="offset points", ha="center")
        ax.set(title=f"iteration {iteration}", xlabel=f"along v̂ of capsule {j}")
        ax.set_aspect("equal")
    margin = 0.1 * np.ptp(points)
    low, high = np.minimum(points.min(axis=0), 0) - margin, np.maximum(points.max(axis=0), 0) + margin
    panels[0, 0].set(ylabel="across it", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    return fig


def vote_plane(trace, j):
    """Coordinates of the votes for capsule j in the plane that `votes_of_capsule` draws.

    Args:
        trace: a RoutingTrace of one example.
        j: the upper capsule.

    Returns:
        points (I, 2), the plane's two unit vectors (2, D), and the share of the votes' squared length that lies in it.
    """
    votes = trace.u_hat[:, j]
    along = trace.v[-1, j] / np.linalg.norm(trace.v[-1, j])
    rest = votes - np.outer(votes @ along, along)
    across = np.linalg.svd(rest, full_matrices=False)[2][0]
    across = across * np.sign(across[np.argmax(np.abs(across))])
    plane = np.stack([along, across])
    points = votes @ plane.T
    return points, plane, np.sum(points**2) / np.sum(votes**2)


def _draw_iteration(ax, image, trace, t, j, named=4):
    """One iteration's contributions to capsule j, the largest named; on one scale for all iterations of the trace."""
    values = trace.contribution[t, :, j]
    limit = max(np.abs(trace.contribution[:, :, j]).max(), 1e-9)
    drawn = draw_grid(ax, FAINT * np.asarray(image), values, limit=limit)
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


# Lesson 10: gradients and speed --------------------------------------------------------------------------------------


def gradient_paths():
    """The two ways by which a gradient runs from the last capsule back to a vote, for two routing iterations."""
    places = {"û": (0, 1), "s¹": (1.4, 0), "v¹": (2.5, 0), "a": (3.6, 0), "b²": (4.7, 0), "c²": (5.8, 0)}
    places |= {"s²": (7.2, 1), "v²": (8.4, 1), "L": (9.6, 1)}
    colours = {"û": "u_hat", "v¹": "v", "v²": "v", "a": "a", "b²": "a", "c²": "c"}
    direct = [("û", "s²"), ("s²", "v²"), ("v²", "L")]
    through = [("û", "s¹"), ("û", "a"), ("s¹", "v¹"), ("v¹", "a"), ("a", "b²"), ("b²", "c²"), ("c²", "s²")]
    fig, ax = figure(7.5, 2.5)
    for pairs, colour, dashes in ((direct, COLOURS["ink"], "-"), (through, COLOURS["c"], "--")):
        for start, end in pairs:
            arrow = {"arrowstyle": "-|>", "color": colour, "linestyle": dashes, "linewidth": 2}
            arrow |= {"shrinkA": 15, "shrinkB": 15}
            ax.annotate("", places[end], places[start], arrowprops=arrow)
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
    return fig


def gradient_parts(direct, through, names):
    """Slopes of one number by every component of some votes, split into two parts that add up to the whole.

    Args:
        direct: (I, J, D), with the couplings held still.
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
    return fig


def measured_curves(x, panels, xlabel, log=False):
    """Several quantities over one axis, a panel each, with lines told apart by marker and dashes.

    Args:
        x: (N,) positions; for panels with an axis of their own, one such array in a list for each.
        panels: title → name → N values.
        xlabel: label of the horizontal axes, or a list with one for each panel.
        log: whether the axes are logarithmic, the vertical one the same for all panels; else it begins at 0.
    """
    fig, axes = figure(7.5, 3.2, columns=len(panels), squeeze=False, sharey=log)
    for n, (ax, (title, curves)) in enumerate(zip(axes[0], panels.items(), strict=True)):
        at = x[n] if isinstance(x, list) else x
        for k, (name, values) in enumerate(curves.items()):
            colour = [COLOURS[key] for key in ("v", "u", "a", "c")][k % 4]
            ax.plot(at, values, LINES[k % 4], marker=MARKERS[k % 4], markersize=5, color=colour, label=name)
        ax.set(title=title, xlabel=xlabel if isinstance(xlabel, str) else xlabel[n])
        if log:
            ax.set(xscale="log", yscale="log")
            _plain_ticks(ax.xaxis, [at[0], at[len(at) // 2], at[-1]])
        else:
            ax.set(xticks=at, ylim=(0, 1.08 * max(np.max(values) for values in curves.values())))
    if log:
        low, high = axes[0][0].get_ylim()
        _plain_ticks(
            axes[0][0].yaxis, [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if low < tick < high]
        )
    axes[0][-1].legend(frameon=False, fontsize=10)
    return fig


def _plain_ticks(axis, ticks):
    """Ticks of a logarithmic axis at these numbers alone, written as they are."""
    axis.set_ticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_ticks([], minor=True)


WEIGHT = LinearSegmentedColormap.from_list("weight", ["#FFFFFF", style.SCALES["coupling"][3]])
"""Weights that need not be couplings, from 0 to 1; light enough for dark numbers on top."""


def weights_and_sums(panels):
    """Matrices of weights (I, J) with every number, and the sums of their rows and columns at the edges.

    Args:
        panels: title → (I, J) weights; rows are lower capsules, columns upper ones.
    """
    fig, axes = figure(7.5, 3.0, columns=len(panels), squeeze=False)
    for ax, (title, c) in zip(axes[0], panels.items(), strict=True):
        c = np.asarray(c)
        I, J = c.shape
        ax.imshow(c, cmap=WEIGHT, vmin=0, vmax=1)
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
    return fig


def work_and_time(rows, reference):
    """Bars in units of a reference, of which the first unit is drawn apart from what is added to it.

    Args:
        rows: name → amount, in units of the reference.
        reference: what the unit is called.
    """
    fig, ax = figure(7.5, 0.9 + 0.45 * len(rows))
    for y, amount in enumerate(rows.values()):
        ax.barh(y, min(amount, 1), color=COLOURS["neutral"], height=0.6)
        ax.barh(y, max(amount - 1, 0), left=1, color=COLOURS["v"], hatch="///", edgecolor="white", height=0.6)
        ax.text(max(amount, 1) + 0.03, y, f"{amount:.2f}", va="center")
    ax.axvline(1, color=COLOURS["ink"], linewidth=1)
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel=f"in units of {reference}")
    ax.set_xlim(0, 1.1 * max(*rows.values(), 1.2))
    ax.invert_yaxis()
    return fig


def dots(rows, xlabel, mark=None):
    """Every measured value of each row as a small dot, and their median as a large one with its number.

    Args:
        rows: name → values.
        xlabel: label of the horizontal axis.
        mark: (value, name) of a vertical line, or None.
    """
    fig, ax = figure(7.5, 0.9 + 0.42 * len(rows))
    if mark is not None:
        ax.axvline(mark[0], color=COLOURS["neutral"], linestyle="--", linewidth=1)
        ax.annotate(
            mark[1], (mark[0], 1), (4, 0), xycoords=("data", "axes fraction"), textcoords="offset points", va="top"
        )
    for y, values in enumerate(rows.values()):
        middle = float(np.median(values))
        ax.plot(values, np.full(len(values), y), "o", color=COLOURS["u_hat"], markersize=5, alpha=0.7)
        ax.plot([middle], [y], "D", color=COLOURS["v"], markersize=8)
        ax.annotate(f"{middle:.3g}", (middle, y), (0, 8), textcoords="offset points", ha="center", va="bottom")
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel=xlabel, ylim=(len(rows) - 0.5, -0.7))
    ax.set_xlim(0, 1.06 * max(np.max(values) for values in rows.values()))
    return fig


def race_to_level(runs, level, names):
    """Validation accuracy by seconds of training, a line a run, up to where each run reached the level.

    Args:
        runs: dicts with runner, seconds (None if it did not get there) and checks, a list of dicts with seconds and
            val_accuracy.
        level: the accuracy to reach.
        names: runner → what it is called in the picture.

    Returns:
        A Figure. A run that reached the level ends in a filled marker, another in a hollow one.
    """
    fig, ax = figure(7.5, 3.4)
    ax.axhline(level, color=COLOURS["neutral"], linewidth=1, linestyle="--")
    for k, (runner, name) in enumerate(names.items()):
        colour = COLOURS[("v", "u", "a", "c")[k % 4]]
        ends = []
        for run in (run for run in runs if run["runner"] == runner):
            seconds, accuracy = zip(*((c["seconds"], c["val_accuracy"]) for c in run["checks"]), strict=True)
            filled = {} if run["seconds"] is not None else {"markerfacecolor": "white"}
            ax.plot(seconds, accuracy, LINES[k % 4], color=colour, linewidth=1.2)
            ax.plot(seconds[-1:], accuracy[-1:], MARKERS[k % 4], color=colour, markersize=7, **filled)
            ends.append(seconds[-1])
        # Names at heights of their own, so that runners of nearly the same time can both be read.
        ax.text(np.median(ends), level + 0.006 * (1 + 2 * (k % 2)), name, color=colour, ha="center", va="bottom")
    ax.set(xscale="log", xlabel="seconds of training", ylabel="validation accuracy", ylim=(level - 0.1, level + 0.036))
    low, high = ax.get_xlim()
    _plain_ticks(ax.xaxis, [tick for tick in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if low < tick < high])
    ax.text(0.01, level, f" {level}", transform=ax.get_yaxis_transform(), va="bottom")
    return fig


def expected_and_got(expected, got, names=("i", "j")):
    """What a task should give beside what it gave, on one scale, with every number; where they differ is framed.

    Args:
        expected: (I, J).
        got: (I, J), or None where there is nothing to show.
        names: of the rows' and the columns' index.
    """
    expected = np.asarray(expected)
    limit = max(np.abs(expected).max(), 1e-9)
    fig, axes = figure(7.5, 0.9 + 0.42 * len(expected), columns=2)
    for ax, title, values in zip(axes, ("expected", "yours"), (expected, got), strict=True):
        ax.set(title=title, xticks=range(expected.shape[1]), yticks=range(len(expected)))
        ax.set(xlabel=names[1], ylabel=names[0])
        shade = np.full(expected.shape, np.nan) if values is None else np.asarray(values)
        ax.imshow(shade, cmap=CONTRIBUTION, vmin=-2 * limit, vmax=2 * limit, aspect="auto")
        ax.tick_params(length=0)
        if values is None:
            ax.text(0.5, 0.5, "nothing yet", ha="center", va="center", transform=ax.transAxes)
            continue
        for i, j in np.ndindex(expected.shape):
            ax.text(j, i, f"{shade[i, j]:.2f}".replace("-", "−"), ha="center", va="center")
            if not np.isclose(shade[i, j], expected[i, j], rtol=1e-4, atol=1e-6):
                ax.add_patch(Rectangle((j - 0.46, i - 0.44), 0.92, 0.88, fill=False, linewidth=2, color=COLOURS["v"]))
    return fig
