"""The pictures of the stored speeds, drawn from `speed.json` alone; each with its alt text inside and beside it."""

from pathlib import Path

from capslib import plots, style
from capslib.plots.board import svg
from capslib.records import write_atomically
from capslib.style import COLOURS

NAMES = {"article": "article's layer", "ours": "ours", "convolutions": "convolutions only"}
LOOKS = {
    "article": {"color": COLOURS["u"], "hatch": "//"},
    "ours": {"color": COLOURS["v"], "hatch": None},
    "convolutions": {"color": COLOURS["neutral"], "hatch": ".."},
}
KINDS = {"training": "training step", "inference": "inference"}
AXES = {"lower": "lower capsules", "upper": "upper capsules", "iterations": "iterations"}


def _of(part, name):
    """What was measured for a name; "article" is the form that took less."""
    return part[part["article"] if name == "article" else name]


def _number(value):
    """A number with 3 digits, or all that it has before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _told(part, unit, form):
    """The three medians in words."""
    return ", ".join(f"{name} {form(_of(part, key)[f'median_{unit}'])}" for key, name in NAMES.items())


def _bars(ax, part, unit):
    """One bar for each of the three, longest possible label and 95 % interval included."""
    most = max(_of(part, name)[f"interval_{unit}"][1] for name in NAMES)
    for row, name in enumerate(NAMES):
        one = _of(part, name)
        middle, (low, high) = one[f"median_{unit}"], one[f"interval_{unit}"]
        ax.barh(row, middle, height=0.66, edgecolor="white", linewidth=0, gid=f"bar-{name}", **LOOKS[name])
        ax.plot([low, high], [row, row], color=COLOURS["ink"], linewidth=2, marker="|", markersize=8)
        ax.text(high + 0.04 * most, row, _number(middle), va="center")
    ax.set_xlim(0, 1.28 * most)
    ax.set_yticks(range(len(NAMES)), NAMES.values())
    ax.set_ylim(len(NAMES) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=4)


def _panels(section):
    """The four panels of the steps: title and what was measured."""
    for kind, words in KINDS.items():
        for size, part in sorted(section[kind].items(), key=lambda item: -int(item[0])):
            yield f"{words}, {'1 image' if size == '1' else f'{size} images'}", part


@style.context()
def draw_steps(section):
    """Training step and inference, each at two batch sizes: three bars each."""
    fig, axes = plots.figure(7.5, 4.2, rows=2, columns=2, sharey=True)
    for ax, (title, part) in zip(axes.flat, _panels(section), strict=True):
        _bars(ax, part, "ms")
        ax.set_title(title)
    for ax in axes[1]:
        ax.set_xlabel("ms")
    return fig


def alt_steps(section):
    """What `draw_steps` shows."""
    return "Four panels of three bars, in milliseconds. " + " ".join(
        f"{title[0].upper()}{title[1:]}: {_told(part, 'ms', _number)}; the article's takes "
        f"{part['article_over_ours']['ratio']:.2f} times as long as ours."
        for title, part in _panels(section)
    )


@style.context()
def draw_memory(section):
    """Three bars."""
    fig, ax = plots.figure(7.5, 2.2)
    _bars(ax, section, "mib")
    ax.set_xlabel(f"memory for a training step of {section['batch']} images, MiB")
    return fig


def alt_memory(section):
    """What `draw_memory` shows."""
    return (
        f"Three bars: how far resident memory rises during a training step of {section['batch']} images, in MiB: "
        f"{_told(section, 'mib', '{:.0f}'.format)}. The article's layer needs "
        f"{section['article_over_ours']['ratio']:.2f} times as much as ours."
    )


@style.context()
def draw_growth(section):
    """Three panels, one for each axis that grows: time of the layer against its size."""
    fig, axes = plots.figure(7.5, 3.4, columns=3, sharey=True)
    lines = {"article": {"linestyle": "--", "marker": "s"}, "ours": {"linestyle": "-", "marker": "o"}}
    for ax, (axis, points) in zip(axes, section["axes"].items(), strict=True):
        for name, line in lines.items():
            x = [point[axis] for point in points]
            y = [_of(point, name)["median_ms"] for point in points]
            ax.plot(x, y, color=LOOKS[name]["color"], markersize=6, gid=f"{axis}-{name}", **line)
        ax.set(yscale="log", xlabel=AXES[axis])
        if axis != "iterations":
            ax.set_xscale("log")
        ticks = sorted({points[0][axis], points[len(points) // 2][axis], points[-1][axis]})
        ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        ax.minorticks_off()
    every = [_of(p, name)["median_ms"] for points in section["axes"].values() for p in points for name in lines]
    low, high = min(every), max(every)
    ticks = [tick for tick in (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000) if low / 1.5 <= tick <= 1.5 * high]
    axes[0].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[0].set(ylabel="forward and backward, ms", ylim=(low / 1.6, 2 * high))
    first = next(iter(section["axes"]))
    for name, above in (("article", True), ("ours", False)):
        x, y = axes[0].lines[0 if above else 1].get_data()
        where = (x[len(x) // 2], y[len(y) // 2])
        axes[0].annotate(
            NAMES[name],
            where,
            (-6, 8) if above else (6, -8),
            textcoords="offset points",
            ha="right" if above else "left",
            va="bottom" if above else "top",
            gid=f"name-{first}-{name}",
        )
    return fig


def alt_growth(section):
    """What `draw_growth` shows."""
    told = []
    for axis, points in section["axes"].items():
        first, last = points[0], points[-1]
        told.append(
            f"From {first[axis]:,} to {last[axis]:,} {AXES[axis]}: article's from "
            f"{_number(_of(first, 'article')['median_ms'])} to {_number(_of(last, 'article')['median_ms'])}, ours from "
            f"{_number(first['ours']['median_ms'])} to {_number(last['ours']['median_ms'])}."
        )
    return (
        f"Three panels with two rising lines each, milliseconds of one pass through the layer and back at batch "
        f"{section['batch']} on a logarithmic scale. {' '.join(told)}"
    )


PICTURES = {
    "steps": ("Time of a training step and of inference", draw_steps, alt_steps),
    "memory": ("Memory of a training step", draw_memory, alt_memory),
    "growth": ("How the time of a capsule layer grows", draw_growth, alt_growth),
}


def write(results, folder, name):
    """Write NAME.svg and NAME.alt.txt for a section, if it has a picture.

    Args:
        results: what `speed.json` holds.
        folder: where to.
        name: of the section.
    """
    if name not in PICTURES:
        return
    title, draw, alt = PICTURES[name]
    words = alt(results[name])
    text = svg(draw(results[name]), name, title, words)
    write_atomically(Path(folder) / f"{name}.svg", lambda file: file.write(text.encode()))
    write_atomically(Path(folder) / f"{name}.alt.txt", lambda file: file.write(f"{words}\n".encode()))
