"""Squash: what becomes of vectors, of their lengths, and of small nudges."""

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import draw_arrow, draw_named, draw_unit_circle, unit, write_beside
from capslib.style import COLOURS


@style.context()
def squash_arrows(s, v=None) -> Figure:
    """Vectors as arrows beside the circle of length 1; with `v`, each squashed vector on top of its own.

    Args:
        s: (N, 2) raw vectors, named s₀, s₁, … at their tips.
        v: (N, 2) the same vectors squashed, or None.

    Returns:
        A Figure.
    """
    fig, ax = figure(5.6, 4.4)
    _draw_squash_arrows(ax, np.asarray(s), v)
    return described(fig, f"A circle of length 1 and arrows from the origin. {_said_of_arrows(np.asarray(s), v)}.")


def _draw_squash_arrows(ax, s, v):
    draw_unit_circle(ax, linewidth=1)
    raw = COLOURS["ink"] if v is None else COLOURS["neutral"]
    for i, tip in enumerate(s):
        draw_arrow(ax, tip, f"s{i}", color=raw, linewidth=1.5)
        name = f"$s_{i}$" if v is None else f"{np.linalg.norm(tip):.2f} → {np.linalg.norm(v[i]):.2f}"
        # Names stand outside the circle, where no arrow but their own can lie.
        towards = unit(tip)
        at = towards * max(np.linalg.norm(tip), 1)
        side = "left" if towards[0] > 0.3 else "right" if towards[0] < -0.3 else "center"
        write_beside(ax, name, at, towards * 8, ha=side, va="center")
    for i, tip in enumerate([] if v is None else v):
        draw_arrow(ax, tip, f"v{i}", color=COLOURS["v"], linewidth=3)
    room = np.array([0.3 if v is None else 1.1, 0.3])
    low, high = np.minimum(s.min(0), -1) - room, np.maximum(s.max(0), 1) + room
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xlabel="component 1", ylabel="component 2")


@style.context()
def squash_lengths(norms, lengths) -> Figure:
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
        write_beside(ax, f"{offset:g}", (name_at, 0.75), (4, -10), fontsize=10)
    ax.axhline(1, color=COLOURS["neutral"], linewidth=0.8)
    ax.set(xlim=(0, norms[-1]), ylim=(0, 1.18), xlabel="length before, ‖s‖", ylabel="length after, ‖v‖")
    said = []
    for offset, curve in lengths.items():
        half, longer = np.interp(0.5, curve, norms), norms[curve > norms]
        grows = (
            f"above the diagonal from {longer[0]:.2f} to {longer[-1]:.2f}"
            if len(longer)
            else "never above the diagonal"
        )
        said.append(f"Offset {offset:g}: one half at length {half:.3f}, {grows}")
    return described(fig, f"Length after squash against length before, one curve for each offset. {'; '.join(said)}.")


@style.context()
def squash_ratios(norms, ratios, peaks, grows=None) -> Figure:
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
    return described(fig, f"One curve for each offset: {_said_of_ratios(peaks, grows)}")


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
        write_beside(ax, f"{offset:g}", peaks[offset], shift, ha="center")
    top = 1.15 * max(height for _, height in peaks.values())
    ax.set(xlim=(0, norms[-1]), ylim=(0, top), xlabel="length before, ‖s‖", ylabel="ratio ‖v‖ / ‖s‖")


@style.context()
def squash_view(s, v, norms, ratio, offset, grows=None) -> Figure:
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
        # Clear of the name of the peak.
        write_beside(curve, "this vector", at, (9, -14 if before < peak[0] else 6))
    alt = f"Left, one vector before and after squash: {_said_of_arrows(np.asarray(s)[None], np.asarray(v)[None])}. "
    return described(fig, f"{alt}Right: {_said_of_ratios({offset: peak}, grows)}")


@style.context()
def squash_nudges(before, after) -> Figure:
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
            write_beside(ax, "ABCDEFGH"[k], loop[loop[:, 0].argmax()], (9, -6), ha="center")
        limit = 1.04 * loops.max()
        ax.set(xlim=(0, limit), ylim=(0, limit), aspect="equal", xlabel="component 1", ylabel="component 2")
    axes[0].set_title("circles around s")
    axes[1].set_title("what becomes of them around v")
    said = []
    for k, loops in enumerate(zip(before, after, strict=True)):
        sizes = [_along_and_across(loop) for loop in loops]
        along, across = (f"{old:.3f} to {new:.3f}" for old, new in zip(*sizes, strict=True))
        length = np.linalg.norm(before[k, :-1].mean(0))
        said.append(
            f"{'ABCDEFGH'[k]}, around length {length:.2f}: along the vector from {along}, across it from {across}"
        )
    alt = "Left, circles of small nudges around vectors; right, the same points squashed. Widths before and after: "
    return described(fig, f"{alt}{'; '.join(said)}.")


@style.context()
def squash_gains(norms, across, along, naive=None, mark=None) -> Figure:
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
    draw_named(ax, norms, across, "across", shift=(5, 0), color=COLOURS["ink"])
    draw_named(ax, norms, along, "along", shift=(5, 0), color=COLOURS["v"], linestyle="--")
    if mark is not None:
        ax.plot(*mark, "o", color=COLOURS["ink"])
        write_beside(ax, "equal", mark, (0, 9), ha="center")
    ax.set(xscale="log", yscale="log", xlabel="length before, ‖s‖", ylabel="gain", xlim=(norms[0], norms[-1]))
    if naive is not None:
        eighth = len(norms) // 8
        at = (norms[eighth], naive[0][eighth])
        write_beside(ax, "without ε", at, (8, -10), color=COLOURS["neutral"])
        ax.set_ylim(0.5 * min(naive[0][0], along[-1]), 3)
    ends = (
        f"{name} starts at {_tiny(curve[0])}, is at most {_tiny(np.max(curve))} and ends at {_tiny(curve[-1])}"
        for name, curve in (("across", across), ("along", along))
    )
    alt = (
        "Gains of squash across and along a vector against its length, both axes logarithmic. Between lengths "
        f"{norms[0]:g} and {norms[-1]:g}, {'; '.join(ends)}."
    )
    alt += f" The curves cross at length {mark[0]:.3f}." if mark is not None else ""
    without = (
        f" Dotted, without ε, they begin at {_tiny(naive[0][0])} and {_tiny(naive[1][0])}." if naive is not None else ""
    )
    return described(fig, alt + without)


def _said_of_arrows(s, v):
    """Lengths of the arrows in words, and whether squashing has turned any."""
    before = np.linalg.norm(s, axis=1)
    if v is None:
        return "Their lengths are " + ", ".join(f"{x:.2f}" for x in before)
    after = np.linalg.norm(v, axis=1)
    turned = np.abs(s[:, 0] * v[:, 1] - s[:, 1] * v[:, 0]) > 1e-6 * before * after
    lengths = ", ".join(f"{x:.2f} to {y:.2f}" for x, y in zip(before, after, strict=True))
    return f"Squash changes length {lengths}; {'some arrows turn' if turned.any() else 'no arrow turns'}"


def _said_of_ratios(peaks, grows):
    """Peaks of the ratio in words, and where vectors grow."""
    said = "; ".join(f"{height:.3f} at {at:.3f} for offset {offset:g}" for offset, (at, height) in peaks.items())
    where = "" if grows is None else f" The shaded lengths, {grows[0]:.3f} to {grows[1]:.3f}, grow."
    return f"the share of its length that a vector keeps, against that length. It peaks at {said}.{where}"


def _along_and_across(loop):
    """The widths of a closed curve (P, 2) along the vector to its middle, and across it."""
    centre = loop[:-1].mean(0)
    along = unit(centre)
    return np.ptp(loop @ along), np.ptp(loop @ (along[::-1] * (-1, 1)))


def _tiny(x):
    """A number of a logarithmic axis: three decimals, or a power of ten where that would be 0."""
    return f"{x:.3f}" if x >= 0.001 else f"{x:.0e}".replace("-", "−")


def _offset_line(offset):
    """The look of one offset's curve: the article's 0.5 in colour, the paper's 1 black, others grey and broken."""
    if offset == 0.5:
        return {"color": COLOURS["v"], "linewidth": 2.6}
    if offset == 1:
        return {"color": COLOURS["ink"]}
    return {"color": COLOURS["neutral"], "linestyle": "--" if offset >= 0.2 else "-."}
