"""The margin loss: its terms, its slopes, where it pulls lengths and where they settle."""

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import draw_arrow, draw_named, look, write_beside
from capslib.style import COLOURS


@style.context()
def margin_terms(lengths, present, absent, m_plus, m_minus) -> Figure:
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
    alt = (
        f"What one class adds to the loss against its length. Present: {_short(present[0])} at length 0, then falling, "
        f"{_rest(lengths, present, 'from', np.min)}. Absent: {_rest(lengths, absent, 'up to', np.max)}, then rising to "
        f"{_short(absent[-1])} at length 1. Dotted lines mark m⁻ = {m_minus:g} and m⁺ = {m_plus:g}."
    )
    return described(fig, alt)


@style.context()
def margin_slopes(lengths, panels) -> Figure:
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
    present, absent = next(iter(panels.values()))
    _margin_names(axes[0], lengths, present, absent, drop=14)
    axes[0].set_ylabel("slope of the term")
    alt = "Slopes of the two terms against length. " + " ".join(
        f"{title}: present {_short(present[0])} at length 0, {_short(np.interp(0.4, lengths, present))} at 0.4, "
        f"{_rest(lengths, present, 'from', np.min)}; absent {_rest(lengths, absent, 'up to', np.max)}, "
        f"{_short(np.interp(0.6, lengths, absent))} at 0.6, {_short(absent[-1])} at length 1."
        for title, (present, absent) in panels.items()
    )
    return described(fig, alt)


@style.context()
def margin_pulls(panels, m_plus, m_minus) -> Figure:
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
            head = {"arrowstyle": "-|>,head_width=0.25,head_length=0.35", "color": COLOURS["ink"], "linewidth": 1.8}
            draw_arrow(ax, (k, lengths[k] - gradient[k] / 2), f"pull {k}", (k, lengths[k]), **head)
        ax.set(title=title, xlabel="class k", xticks=range(len(lengths)), ylim=ylim)
    axes[0, 0].set_ylabel("length ‖$v_k$‖")
    for margin, name in ((m_minus, "m⁻"), (m_plus, "m⁺")):
        axes[0, -1].annotate(name, (1, margin), (3, 0), xycoords=("axes fraction", "data"), textcoords="offset points")
    return described(fig, " ".join(f"{title}: {_pulled(*panel)}" for title, panel in panels.items()))


@style.context()
def margin_descent(paths) -> Figure:
    """The length that all classes share against the steps of gradient descent, under several losses.

    Args:
        paths: dict from a loss to the paths from several starts, (S, T + 1); up to four losses.

    Returns:
        A Figure; each loss has a colour and a line style; its name stands where its paths end.
    """
    fig, ax = figure(6.6, 3.8)
    for k, (name, starts) in enumerate(paths.items()):
        starts, line = np.asarray(starts), look(k, marked=False)
        steps = np.arange(starts.shape[1])
        for path in starts[:-1]:
            ax.plot(steps, path, **line)
        draw_named(ax, steps, starts[-1], name, **line)
    ax.set(xlim=(0, steps[-1]), ylim=(0, 1), xlabel="steps of gradient descent", ylabel="length that all share")
    alt = "The length that all classes share during gradient descent. " + " ".join(
        f"{name}: from {_listed(starts[:, 0])} to {_listed(starts[:, -1])}."
        for name, starts in ((name, np.asarray(starts)) for name, starts in paths.items())
    )
    return described(fig, alt)


@style.context()
def margin_settled(shares, squared, unsquared, mark=None) -> Figure:
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
    _name_curve(ax, "margin loss", shares, squared, 0.55, (-6, 8), ha="right", color=COLOURS["v"])
    if mark is not None:
        ax.plot(*mark, "o", color=COLOURS["ink"])
        write_beside(ax, f"{mark[1]:.3f}", mark, (8, -8))
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of images with the digit", ylabel="length it settles at")
    step = np.abs(np.diff(unsquared)).argmax()
    above = np.max(shares[squared > shares], initial=0)
    alt = (
        f"Length at which a capsule settles against the share of images with its digit. Margin loss: a curve from "
        f"{_short(squared[0])} to {_short(squared[-1])}, above the diagonal up to a share of {_short(above)}. Without "
        f"squares: a step from {_short(unsquared[0])} to {_short(unsquared[-1])} at a share of {_short(shares[step])}."
    )
    if mark is not None:
        alt += f" Marked: length {_short(mark[1])} at a share of {_short(mark[0])}."
    return described(fig, alt)


@style.context()
def margin_against_softmax(lengths, losses, slopes, floor) -> Figure:
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
            _name_curve(ax, name, lengths, curve, x, shift, color=COLOURS[colour])
    (margin, softmax), (margin_slope, softmax_slope) = losses, slopes
    alt = (
        "Margin loss and softmax cross-entropy against the length of the present class. Left, the losses: margin from "
        f"{_short(margin[0])} to {_short(margin[-1])}, softmax from {_short(softmax[0])} to {_short(softmax[-1])}, "
        f"with its floor at {_short(floor)}. Right, the slopes: margin from {_short(margin_slope[0])} to "
        f"{_short(margin_slope[-1])}, softmax from {_short(softmax_slope[0])} to {_short(softmax_slope[-1])}."
    )
    return described(fig, alt)


def _margin_pair(ax, lengths, present, absent):
    ax.plot(lengths, present, color=COLOURS["v"], label="present")
    ax.plot(lengths, absent, color=COLOURS["ink"], linestyle="--", label="absent")


def _margin_names(ax, lengths, present, absent, drop=0):
    """Name the two curves: "present" to the right of its own and `drop` points lower, "absent" to the left."""
    _name_curve(ax, "present", lengths, present, 0.3, (8, -drop), color=COLOURS["v"])
    _name_curve(ax, "absent", lengths, absent, 0.85, (-8, 4), ha="right", color=COLOURS["ink"])


def _name_curve(ax, name, x, y, at, shift, **type_):
    """Write a curve's name `shift` points from where the curve passes x = `at`."""
    write_beside(ax, name, (at, np.interp(at, x, y)), shift, **type_)


# Words for those who do not see a picture -------------------------------------------------------------------------


def _short(x) -> str:
    """A number with at most 3 decimals, and a minus sign that is read as one."""
    return f"{round(float(x), 3) + 0:g}".replace("-", "−")


def _listed(values) -> str:
    return " and ".join(map(_short, values))


def _rest(lengths, curve, word, end) -> str:
    """Where a curve is zero: "zero from 0.9", say, for `word` "from" and `end` np.min."""
    at = np.asarray(lengths)[np.asarray(curve) == 0]
    return f"zero {word} {_short(end(at))}" if at.size else "nowhere zero"


def _pulled(lengths, gradient, labels) -> str:
    """Which classes of a panel of `margin_pulls` are present, and which way each is pulled."""
    names = {way: ", ".join(map(str, np.flatnonzero(way * np.asarray(gradient) < 0))) or "none" for way in (1, -1)}
    present = ", ".join(map(str, np.atleast_1d(labels).astype(int))) or "none"
    return f"classes present: {present}; pulled up: {names[1]}; pushed down: {names[-1]}."
