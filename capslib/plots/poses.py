"""Poses and votes of faces. A canvas spans −14 to 14 both ways, x to the right and y up, as in capslib.faces."""

from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from capslib import poses, style
from capslib.plots.base import described, figure
from capslib.plots.marks import draw_arrow, draw_named, write_beside
from capslib.style import COLOURS


@style.context()
def patches_and_vectors(patches, vectors) -> Figure:
    """Small patches of an image, and on each the vector that was computed from it, its length and direction above.

    Args:
        patches: N patches (S, S) in 0–1, ink 1.
        vectors: (N, 2), x to the right and y up; the longest is drawn over 0.4 of a patch.

    Returns:
        A Figure.
    """
    fig, axes = figure(2.1 * len(patches), 2.5, 1, len(patches), squeeze=False)
    longest = max(np.hypot(*vector) for vector in vectors)
    titles = [f"length {np.hypot(x, y):.2f}, {np.degrees(np.arctan2(y, x)):.0f}°" for x, y in vectors]
    for ax, patch, vector, title in zip(axes[0], patches, vectors, titles, strict=True):
        ax.imshow(patch, cmap="gray_r", vmin=0, vmax=2, extent=(-1, 1, -1, 1))  # At half strength, under the arrow.
        draw_arrow(ax, 0.8 * np.asarray(vector) / longest, "vector", color=COLOURS["v"], linewidth=2.5)
        ax.axis("off")
        ax.set_title(title)
    return described(fig, f"{len(patches)} patches of ink, each with a vector from its middle: {'; '.join(titles)}.")


@style.context()
def face_row(images, titles) -> Figure:
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
    return described(fig, f"Drawn faces side by side. From left to right: {'; '.join(map(_in_one_line, titles))}.")


@style.context()
def one_vote(image, part, whole_from_part) -> Figure:
    """How one part finds the whole: its frame, the path from it to the whole, and the frame that it votes for.

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
        beside = 9 * np.array([-leg[1], leg[0]]) / np.hypot(*leg)  # points, to the left of the path
        align = {"ha": "right" if beside[0] < -5 else "left" if beside[0] > 5 else "center", "va": "center"}
        write_beside(ax, name, way[:2, k] + share * leg, beside, color=COLOURS["u"], **align)
    for M, colour, name in ((part, "u", "the eye"), (vote, "u_hat", "its vote")):
        _frame(ax, M, COLOURS[colour], name, reach=2.6)
        write_beside(ax, name, M[:2, 2], (8, -12))
    x, y = vote[:2, 2]
    reach = 14 * np.hypot(*vote[:2, 0])
    ax.set(xlim=(x - reach, x + reach), ylim=(y - reach, y + reach), xlabel="x", ylabel="y")
    return described(
        fig,
        f"A faint face. On it, the eye's frame at {_pose(part)}. A dotted path leads from there to its vote: "
        f"{names[0]} in the eye's own directions, from {_place(way[:2, 0])} to "
        f"{_place(way[:2, 1])}, then {names[1]}, to {_place(way[:2, 2])}. The vote's frame is there: {_pose(vote)}.",
    )


@style.context()
def face_votes(images, parts, votes, titles) -> Figure:
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
    said = (
        f"{title.splitlines()[0]}: {len(meant)} votes around {_place(meant[:, :2, 2].mean(0))}, with a spread of "
        f"{poses.spread(meant):.2f} pixels"
        for meant, title in zip(votes, titles, strict=True)
    )
    alt = "Drawn faces with a frame on every part and a dotted line from it to the frame that it votes for. "
    return described(fig, f"{alt}{'; '.join(said)}.")


@style.context()
def ghost_votes(forms, whole, parts, T, names) -> Figure:
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
            pen = {"solid_capstyle": "round", "solid_joinstyle": "round", "label": "ink"}
            ax.plot(x, y, color="#CFCFCF", linewidth=width, zorder=1, **pen)
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
    said = "; ".join(f"{who}: {_place(place)}" for place, who, _ in _said_alike(votes[:, :2, 2], names))
    alt = f"A face, and in thin lines over it the whole face where each part says that it is. {said}."
    return described(fig, alt)


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


@style.context()
def spread_over_turns(angles, curves) -> Figure:
    """Spread of the votes while a face turns, one named curve a face.

    Args:
        angles: (N,) degrees.
        curves: dict from name to spreads (N,), the first one drawn in full colour.

    Returns:
        A Figure.
    """
    fig, ax = figure(6.6, 3.2)
    looks = [{"color": COLOURS["v"]}, {"color": COLOURS["neutral"], "linestyle": "--"}, {"color": COLOURS["ink"]}]
    for (name, spreads), look in zip(curves.items(), cycle(looks), strict=False):
        draw_named(ax, angles, spreads, name, shift=(5, 0), **look)
    top = max(np.max(spreads) for spreads in curves.values())
    ax.set(
        xlim=(angles[0], angles[-1]), ylim=(0, 1.15 * top), xlabel="turn, degrees", ylabel="spread of the votes, pixels"
    )
    ax.set_xticks(np.linspace(angles[0], angles[-1], 5))
    said = (f"{name}: {np.min(spreads):.1f} to {np.max(spreads):.1f} pixels" for name, spreads in curves.items())
    alt = f"Spread of the votes while a face turns from {angles[0]:g} to {angles[-1]:g} degrees. {'; '.join(said)}."
    return described(fig, alt)


@style.context()
def two_measures(names, cosines, scores) -> Figure:
    """Representations as points: across, how little they change; up, how well one fixed map predicts the change.

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
    for name, marker, x, y in zip(names, cycle("os^Dv"), cosines, scores, strict=False):
        ax.plot(x, y, marker, color=COLOURS["v"], markersize=9, label=name)
        right = x > 0.9  # Beside the line at 1, not on it.
        write_beside(ax, name, (x, y), (-6 if right else 0, -19), ha="right" if right else "center")
    low = min(-0.4, np.min(scores) - 0.3)
    ax.set(xlim=(min(0, np.min(cosines) - 0.1), 1.1), ylim=(low, 1.12), yticks=[0, 0.5, 1])
    ax.set(xlabel="invariance: cosine of v(x) and v(Gx)", ylabel="equivariance: R²")
    said = (f"{name}: {x:.2f} and {y:.2f}" for name, x, y in zip(names, cosines, scores, strict=True))
    alt = "One point for each representation: across, its invariance as a mean cosine; up, its equivariance as R². "
    return described(fig, (alt + "; ".join(said) + ".").replace("-", "−"))


def _degrees(x, y):
    """The direction of a vector in whole degrees, with the minus sign of prose."""
    return f"{np.degrees(np.arctan2(y, x)):z.0f}".replace("-", "−")


def _place(point):
    """A point (2,) of the canvas in words."""
    return "({:z.1f}, {:z.1f})".format(*point).replace("-", "−")


def _pose(M):
    """A pose (3, 3) in words."""
    return f"{_place(M[:2, 2])}, turned by {_degrees(*M[:2, 0])}°, at scale {np.hypot(*M[:2, 0]):.2f}"


def _in_one_line(title):
    return title.replace("\n", ", ")


def _face(ax, image, strength):
    """A face in grey, from white paper to ink of the given strength, on the canvas' own coordinates."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1 / strength, extent=(-14, 14, -14, 14))
    ax.set_aspect("equal")


def _frame(ax, M, colour, label, reach):
    """A pose as a dot and two arrows: its owner's right, `reach` long at scale 1, and its up, 0.6 of that."""
    for column, share in ((0, 1), (1, 0.6)):
        tip = M[:2, 2] + reach * share * M[:2, column]
        name = f"{label} {'right' if share == 1 else 'up'}"
        draw_arrow(ax, tip, name, M[:2, 2], zorder=4, color=colour, linewidth=1.6, mutation_scale=9)
    ax.plot(*M[:2, 2], "o", color=colour, markersize=4, label=label, zorder=5)
