"""The margin loss: what the length of a capsule costs when its digit is there, and when it isn't."""

import inspect

import numpy as np

from capslib import style
from capslib.equations import margin_loss
from capslib.plots import margin_terms
from capslib.plots.board import main, tint

TITLE = "The two terms of the margin loss"

DEFAULTS = {name: p.default for name, p in inspect.signature(margin_loss).parameters.items()}
M_PLUS, M_MINUS, LAM = DEFAULTS["m_plus"], DEFAULTS["m_minus"], DEFAULTS["lam"]
LENGTHS = np.linspace(0, 1, 401)


def term(present, lengths=LENGTHS):
    """The loss of one class alone, present or absent, at these lengths (N,)."""
    lengths = np.asarray(lengths)[:, None]
    return margin_loss(np.full_like(lengths, present), lengths)


def crossing():
    """The length at which both terms cost the same: m⁺ − l = √λ (l − m⁻), and that cost."""
    at = (M_PLUS + np.sqrt(LAM) * M_MINUS) / (1 + np.sqrt(LAM))
    return at, term(True, [at])[0]


def alt():
    """What the figure shows, its numbers computed."""
    at, cost = crossing()
    return (
        "Two curves over the length of a capsule, from 0 to 1. For a digit that is present, a solid curve falls from "
        f"{term(True)[0]:.3f} at length 0 to zero at the margin m plus, {M_PLUS:g}, and stays zero beyond it. For a "
        f"digit that is absent, a dashed curve is zero up to the margin m minus, {M_MINUS:g}, and rises from there "
        f"to {term(False)[-1]:.3f} at length 1. Both are parts of parabolas; the second is multiplied by lambda, "
        f"{LAM:g}. They cross at length {at:.3f}, where each costs {cost:.3f}. Two shaded bands mark where a term is "
        "zero: below m minus for an absent digit, above m plus for a present one."
    )


@style.context()
def draw():
    """One panel."""
    fig = margin_terms(LENGTHS, term(True), term(False), M_PLUS, M_MINUS)
    fig.set_size_inches(7.5, 3.9)
    (ax,) = fig.axes
    present, absent = (next(text for text in ax.texts if text.get_text() == name) for name in ("present", "absent"))
    ax.annotate("max(0, m⁺ − ‖v‖)²", (0, 1), (0, 6), xycoords=present, textcoords="offset points")
    ax.annotate("λ max(0, ‖v‖ − m⁻)²", (1, 1), (0, 6), xycoords=absent, textcoords="offset points", ha="right")
    ax.text(0.5, 1.02, f"λ = {LAM:g}", ha="center", transform=ax.get_xaxis_transform())
    ax.axvspan(0, M_MINUS, color=tint("neutral", 0.25), linewidth=0, zorder=0, gid="free-absent")
    ax.axvspan(M_PLUS, 1, color=tint("v", 0.25), linewidth=0, zorder=0, gid="free-present")
    for x, y, who in ((M_MINUS / 2, 0.27, "absent"), ((1 + M_PLUS) / 2, 0.63, "present")):
        ax.text(x, y, f"no cost\nif {who}", rotation=90, ha="center", va="center", linespacing=1.3)
    return fig


if __name__ == "__main__":
    main(__file__, TITLE, alt(), draw())
