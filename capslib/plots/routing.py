"""Routing by agreement in the plane and by iteration."""

from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import draw_arrow, draw_coupling, draw_named, draw_unit_circle, look, unit, write_beside
from capslib.style import COLOURS

# In words ---------------------------------------------------------------------------------------------------------


def _numbers(values, digits=3):
    """Numbers as they are said, never a negative zero: 0.889, 0.967, 0.979."""
    return ", ".join(f"{value:z.{digits}f}" for value in values)


def _point(vector):
    return f"({', '.join(f'{value:z.2f}'.rstrip('0').rstrip('.') for value in vector)})"


def _course(name, values):
    """How a quantity runs: where it starts and ends, and where it turns in between."""
    first, last, low, high = (f"{value:z.3f}" for value in (values[0], values[-1], min(values), max(values)))
    text = f"{name} {first} throughout" if low == high else f"{name} from {first} to {last}"
    text += f", at most {high}" if high not in (first, last) else ""
    return text + (f", at least {low}" if low not in (first, last) else "")


def _courses(names, lengths):
    """How the length of each whole runs over the iterations, (T, J)."""
    return "; ".join(_course(name, values) for name, values in zip(names, np.transpose(lengths), strict=True))


def _lengths(lengths, names):
    return ", ".join(f"{name} {value:.3f}" for name, value in zip(names, lengths, strict=True))


def _couplings(c, names):
    """The couplings (I, J) of the parts with each whole."""
    return "; ".join(f"with {name} {_numbers(c[:, j])}" for j, name in enumerate(names))


# In the plane -----------------------------------------------------------------------------------------------------


def _plane(ax, shown, title, reach=1):
    """Axes with equal scales and the circle of length 1, wide enough for the points `shown` (N, 2) and for ±reach."""
    draw_unit_circle(ax, linewidth=0.8)
    ax.plot(0, 0, "+", color=COLOURS["ink"], label="origin")
    low, high = np.minimum(shown.min(0), -reach) - 0.5, np.maximum(shown.max(0), reach) + 0.5
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.set_title(title, fontsize=10)
    ax.set(xticks=range(int(np.ceil(low[0])), int(high[0]) + 1), yticks=range(int(np.ceil(low[1])), int(high[1]) + 1))


def _vote(ax, vote, name, width):
    """One vote as a line from the origin, of the given width, with a dot at its tip and its part's number beyond it."""
    ax.plot(*zip((0, 0), vote, strict=True), color=COLOURS["u_hat"], linewidth=width, label=f"vote {name}")
    ax.plot(*vote, "o", color=COLOURS["u"], markersize=5, zorder=3)
    write_beside(ax, str(name), vote, 12 * unit(vote), ha="center", va="center", zorder=5)


@style.context()
def votes_of_parts(u_hat, names) -> Figure:
    """The votes for each whole as lines from the origin, one panel per whole, each with the number of its part.

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
    wholes = ("; ".join(f"part {i} {_point(vote)}" for i, vote in enumerate(u_hat[:, j])) for j in range(len(names)))
    said = " ".join(f"For {name}: {votes}." for name, votes in zip(names, wholes, strict=True))
    return described(fig, f"Votes drawn as lines from the origin, one panel per whole. {said}")


@style.context()
def votes_end_to_end(c, u_hat, v, names) -> Figure:
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
        _plane(ax, chain, f"{names[j]}: ‖s‖ = {_length(chain[-1])}, ‖v‖ = {_length(v[j])}", reach=0)
        ax.plot(*chain.T, "-o", color=COLOURS["u_hat"], mfc=COLOURS["u"], mec=COLOURS["u"], markersize=5, label="chain")
        for i, (start, tip) in enumerate(pairwise(chain)):
            # Each number stands beside its link, on the side away from the rest of the chain.
            middle, side = (start + tip) / 2, unit((tip - start)[::-1] * (-1, 1))
            side = side if side @ (middle - chain.mean(0)) >= 0 else -side
            write_beside(ax, str(i), middle, 10 * side, ha="center", va="center")
        aside = v[j][::-1] * (-1, 1)
        for name, tip, colour, width, away in (("s", chain[-1], "ink", 1.2, chain[-1]), ("v", v[j], "v", 3, aside)):
            draw_arrow(ax, tip, name, zorder=4, color=COLOURS[colour], linewidth=width)
            write_beside(ax, name, tip, 12 * unit(away), ha="center", va="center", color=COLOURS[colour])
        ax.set(xlabel="component 1", ylabel="component 2")
    links = np.linalg.norm(weighted, axis=-1).sum(0)
    said = " ".join(
        f"For {name}, links of total length {links[j]:.2f} end at s = {_point(chains[-1, j])}, "
        f"which has length {_length(chains[-1, j])}; v has length {np.linalg.norm(v[j]):.3f}."
        for j, name in enumerate(names)
    )
    return described(fig, f"Weighted votes laid end to end. {said}")


def _length(vector):
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
    draw_arrow(ax, v[j], "v", zorder=4, color=COLOURS["v"], linewidth=2)
    ax.tick_params(labelsize=9)


WEIGHTED_VOTES = "line: vote, as wide as c     ◇: weighted mean of the votes, s / Σc     arrow: v"


@style.context()
def routing_iterations(trace, names) -> Figure:
    """One row per whole, one column per iteration: votes as wide as their coupling, their weighted mean, and v.

    Args:
        trace: RoutingTrace of one example with D = 2.
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    T, J = trace.lengths.shape
    fig, axes = figure(2.5 * T, 2.75 * J + 0.3, J, T, squeeze=False)
    for j, t in np.ndindex(J, T):
        title = f"‖s‖ = {_length(trace.s[t, j])}, ‖v‖ = {_length(trace.v[t, j])}"
        title = f"iteration {t + 1}\n{title}" if j == 0 else title
        _weighted_votes(axes[j, t], trace.u_hat, trace.c[t], trace.s[t], trace.v[t], j, title)
        if t == 0:
            axes[j, t].set_ylabel(names[j], fontsize=13)
    fig.supxlabel(WEIGHTED_VOTES, fontsize=10)
    said = "; ".join(f"{name} {_numbers(trace.lengths[:, j])}" for j, name in enumerate(names))
    return described(
        fig,
        f"Votes for {' and '.join(names)} in iterations 1 to {T}, each as wide as its coupling, with their weighted "
        f"mean and v. Lengths of v by iteration: {said}. Couplings of the parts in iteration {T}: "
        f"{_couplings(trace.c[-1], names)}.",
    )


GAUSSIANS = "line: vote, as wide as its share of the part\n◇: weighted mean     ellipse: two standard deviations"


@style.context()
def two_rules(dynamic, em, names) -> Figure:
    """The last iteration of two rules on the same votes: a row for each rule, a column for each whole.

    Dynamic routing measures votes from the origin, so its lines begin there. EM measures them from their mean, so its
    lines begin at the mean, inside the ellipse of two standard deviations.

    Args:
        dynamic: RoutingTrace of one example with D = 2.
        em: EMTrace of the same votes.
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    fig, (above, below) = figure(3.2 * len(names), 6.4, 2, len(names), squeeze=False)
    c, seen = dynamic.c[-1], _seen(em)
    for j, name in enumerate(names):
        _plane(above[j], seen, f"{name}: ‖v‖ = {dynamic.lengths[-1, j]:.2f}")
        draw_arrow(above[j], dynamic.v[-1, j], "v", zorder=4, color=COLOURS["v"], linewidth=2)
        _shared_votes(above[j], dynamic.u_hat[:, j], c[:, j], np.zeros(2), dynamic.s[-1, j] / c[:, j].sum())
        _gaussian(below[j], em, j, seen, name)
    above[0].set_ylabel("dynamic routing", fontsize=13)
    below[0].set_ylabel("EM routing", fontsize=13)
    fig.supxlabel(GAUSSIANS, fontsize=10)
    lengths = _lengths(dynamic.lengths[-1], names)
    return described(
        fig,
        f"The same votes under two rules. Dynamic routing: lengths {lengths}, and couplings of the parts "
        f"{_couplings(c, names)}. EM routing: {_em_in_words(em, names)}.",
    )


@style.context()
def em_votes(trace, names) -> Figure:
    """The last iteration of EM routing: votes as lines from their mean, in the ellipse of two standard deviations.

    Args:
        trace: EMTrace of one example with D = 2.
        names: J names of the wholes.

    Returns:
        A Figure.
    """
    fig, axes = figure(3.2 * len(names), 3.5, columns=len(names), squeeze=False)
    for j, name in enumerate(names):
        _gaussian(axes[0, j], trace, j, _seen(trace), name)
    fig.supxlabel(GAUSSIANS, fontsize=10)
    return described(fig, f"EM routing: {_em_in_words(trace, names)}.")


def _seen(em):
    """The points that a picture of EM shows, (N, 2): all votes, and the corners around the ellipses."""
    radii = 2 * np.sqrt(em.variances[-1])
    return np.concatenate([_all_votes(em.votes), em.means[-1] - radii, em.means[-1] + radii])


def _gaussian(ax, em, j, seen, name):
    """The Gaussian of whole j after the last iteration, and its votes as lines from the mean."""
    _plane(ax, seen, f"{name}: $a$ = {em.activations[-1, j]:.2f}")
    mean, radii, angle = em.means[-1, j], 2 * np.sqrt(em.variances[-1, j]), np.linspace(0, 2 * np.pi, 65)
    ax.plot(*(mean + radii * np.stack([np.cos(angle), np.sin(angle)], -1)).T, color=COLOURS["v"], label="2σ")
    _shared_votes(ax, em.votes[:, j], em.responsibilities[-1, :, j], mean, mean)


def _em_in_words(em, names):
    shares = _couplings(em.responsibilities[-1], names)
    return f"activations {_lengths(em.activations[-1], names)}, and responsibilities {shares}"


def _shared_votes(ax, votes, shares, start, mean):
    """Votes (I, 2) for one whole as lines from `start`, as wide as their shares (I,); one label for each place."""
    places: dict[tuple, list[str]] = {}
    for i, vote in enumerate(votes):
        ends = zip(start, vote, strict=True)
        ax.plot(*ends, color=COLOURS["u_hat"], linewidth=6 * shares[i], label=f"vote {i}")
        ax.plot(*vote, "o", color=COLOURS["u"], markersize=5, zorder=3)
        places.setdefault(tuple(np.round(vote, 1)), []).append(str(i))
    ax.plot(*mean, "D", color="white", markeredgecolor=COLOURS["ink"], markersize=7, label="mean", zorder=4)
    for place, parts in places.items():
        out = (12 + 5 * len(parts)) * unit(place)
        ha = "center" if len(parts) == 1 else "left" if out[0] >= 0 else "right"
        write_beside(ax, ", ".join(parts), place, out, ha=ha, va="center", zorder=5)
    ax.tick_params(labelsize=9)


# By iteration -----------------------------------------------------------------------------------------------------


def _length_curves(ax, lengths, names):
    """Length against iteration, one line style and marker per whole, named at its end."""
    T = len(lengths)
    for j, name in enumerate(names):
        draw_named(ax, range(1, T + 1), lengths[:, j], name, **look(j, ["v"]))
    ax.set(xlabel="iteration", ylabel="length ‖$v_j$‖", ylim=(0, 1.05), xticks=range(1, T + 1))


@style.context()
def routing_progress(trace, names) -> Figure:
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
    return described(
        fig,
        f"Left, lengths over {T} iterations: {_courses(names, trace.lengths)}. "
        f"Right, {_course('mean entropy of the couplings', trace.entropy.mean(-1))}; undecided is {np.log(J):.3f}.",
    )


@style.context()
def routings_side_by_side(traces, names) -> Figure:
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
            title = f"{name}: ‖s‖ = {_length(trace.s[-1, j])}, ‖v‖ = {_length(trace.v[-1, j])}"
            _weighted_votes(row[j], trace.u_hat, c, trace.s[-1], trace.v[-1], j, title)
        draw_coupling(row[J], c, numbers=True)
        for i, total in enumerate(c.sum(-1)):
            row[J].text(J - 0.4, i, f"= {total:.2f}", va="center", clip_on=False)
        row[J].set(xticks=range(J), xticklabels=names, yticks=range(len(c)), xlabel="", ylabel="part i")
        row[J].set(title="c and its row sums")
        row[0].set_ylabel(label, fontsize=13)
    fig.supxlabel(WEIGHTED_VOTES, fontsize=10)
    said = " ".join(
        f"Row “{label}”: couplings of the parts {_couplings(trace.c[-1], names)}; "
        f"row sums {_numbers(trace.c[-1].sum(-1))}; lengths {_lengths(trace.lengths[-1], names)}."
        for label, trace in traces.items()
    )
    return described(fig, f"The last iteration of each routing, votes as wide as their coupling. {said}")


@style.context()
def labelled_curves(x, curves, xlabel, ylabel, ylim) -> Figure:
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
        draw_named(ax, x, values, name, markersize=5, **look(k, ("v", "neutral", "u", "a")))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim)
    said = "; ".join(_course(name, values) for name, values in curves.items())
    return described(fig, f"{ylabel} against {xlabel} from {x[0]:g} to {x[-1]:g}: {said}.")
