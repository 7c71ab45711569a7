"""Self-attention routing: tables of agreement between votes, learnt priors, and runs from several seeds."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from capslib import style
from capslib.plots.base import described, figure
from capslib.plots.marks import MARKERS, draw_coupling
from capslib.style import COLOURS

AGREEMENT = LinearSegmentedColormap.from_list("agreement", [COLOURS["neutral"], "#FFFFFF", COLOURS["a"]])
"""Agreement of two votes: white is 0, green above, grey below."""

PRIOR = LinearSegmentedColormap.from_list("prior", [COLOURS["neutral"], "#FFFFFF", COLOURS["c"]])
"""What is added to a coupling: white is 0, orange above, grey below."""


def _written(x) -> str:
    return f"{x:z.2f}".replace("-", "−")


@style.context()
def agreement_tables(tables, names) -> Figure:
    """For each whole the agreement of every two votes, number by number, and the sum of each row beside it.

    Args:
        tables: (J, I, I) agreements of the votes for one whole.
        names: J names of the wholes.
    """
    tables = np.asarray(tables)
    fig, axes = figure(3.8 * len(names), 3.1, columns=len(names), squeeze=False)
    limit, parts = np.abs(tables).max() or 1, range(tables.shape[1])
    for ax, table, name in zip(axes[0], tables, names, strict=True):
        ax.imshow(table, cmap=AGREEMENT, vmin=-limit, vmax=limit)
        for i, k in np.ndindex(*table.shape):
            ax.text(k, i, _written(table[i, k]), ha="center", va="center", fontsize=9)
        for i, total in enumerate(table.sum(1)):
            ax.text(len(table) - 0.3, i, f"Σ {_written(total)}", va="center", fontweight="bold", clip_on=False)
        ax.set(title=f"votes for the {name}", xlabel="vote k", xticks=parts, yticks=parts)
        ax.tick_params(length=0)
    axes[0, 0].set_ylabel("vote i")
    said = (
        f"For the {name}, the rows sum to {', '.join(map(_written, table.sum(1)))}."
        for table, name in zip(tables, names, strict=True)
    )
    return described(fig, f"Tables of agreement between the votes for one whole, a row a vote. {' '.join(said)}")


@style.context()
def couplings_and_prior(c, prior) -> Figure:
    """Couplings beside the prior that is added to them, both as matrices (I, J).

    Args:
        c: (I, J) couplings of an example, or the mean over many.
        prior: (I, J), of either sign.
    """
    c, prior = np.asarray(c), np.asarray(prior)
    fig, (left, right) = figure(7.2, 3.5, columns=2)
    fig.colorbar(draw_coupling(left, c), ax=left, label="log₂(J·c)")
    limit = np.abs(prior).max() or 1
    drawn = right.imshow(prior, cmap=PRIOR, vmin=-limit, vmax=limit, aspect="auto")
    fig.colorbar(drawn, ax=right, label="added to c")
    left.set(title="couplings c")
    right.set(title="prior", xlabel="upper capsule j")
    for ax in (left, right):
        ax.set(xticks=range(c.shape[1]), yticks=range(0, len(c), 3))
    alt = f"Two matrices of {len(c)} rows and {c.shape[1]} columns. Couplings lie between {c.min():.3f} and "
    return described(fig, f"{alt}{c.max():.3f}, priors between {prior.min():.3f} and {prior.max():.3f}.")


@style.context()
def runs_with_intervals(rows, xlabel) -> Figure:
    """Runs from several seeds, a row a network and a mark a run, each with its interval.

    Args:
        rows: dict from a network's name to (value, low, high) of each of its runs.
        xlabel: what is measured.
    """
    fig, ax = figure(7.2, 0.9 + 0.7 * len(rows))
    told = []
    for k, (name, runs) in enumerate(rows.items()):
        for n, (value, low, high) in enumerate(runs):
            y, colour = k + 0.22 * (n - (len(runs) - 1) / 2), COLOURS["v" if k == 0 else "u"]
            ax.plot([low, high], [y, y], color=colour, linewidth=1.5, label=name)
            ax.plot(value, y, MARKERS[k % 4], color=colour, markersize=7)
        told.append(f"{name} {', '.join(f'{value:.3f} ({low:.3f} to {high:.3f})' for value, low, high in runs)}")
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), list(rows))
    return described(fig, f"{xlabel}, a mark a seed with its interval: {'; '.join(told)}.")
