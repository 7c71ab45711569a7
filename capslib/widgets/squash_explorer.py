"""Squash in two dimensions: what it does to a vector that the learner drags, for every offset (lesson 03)."""

import numpy as np
import traitlets

from capslib import plots
from capslib.checks import check_number
from capslib.equations import length, squash
from capslib.widgets.base import Checked, Widget, frozen

LONGEST = 2.0
"""The widget shows vectors s up to this length."""

OFFSETS = (0.05, 1.0)
"""The smallest and the largest offset that the widget shows."""


def _checked_vector(name, s):
    """`s` as a vector (2,) that is short enough for the widget."""
    s = frozen(name, s, (2,))
    if length(s) > LONGEST + 1e-9:  # Allow for rounding in the browser.
        raise ValueError(f"{name}: got length {length(s):.3f}, expected at most {LONGEST:g}")
    return s


class SquashExplorer(Widget, script="squash_explorer.js", styles="squash_explorer.css"):
    """A vector s and its squashed v, with two curves over the length of s: the length of v, and the gain ‖v‖/‖s‖.

    Attributes:
        s: (2,) the vector before squashing, of length 0 to 2. It follows the learner's drag; you can also set it.
        offset: κ, from 0.05 to 1; 1 in the paper, 0.5 in the article. It follows the slider; you can also set it.
    """

    s = Checked(_checked_vector)
    offset = Checked(check_number, *OFFSETS)
    limits = traitlets.Dict({"length": LONGEST, "offset": OFFSETS}, read_only=True).tag(sync=True)

    def __init__(self, s=(0.72, 0.96), offset=0.5):
        """By default the widget opens with a vector of length 1.2 that the article's offset makes shorter.

        It opens with a question: the curves over all lengths, which answer it, come with the learner's first move.

        Args:
            s: (2,) the vector before squashing, of length 0 to 2.
            offset: κ, from 0.05 to 1.

        Raises:
            ValueError: naming the argument, if one is not as said here; likewise when one is set later.
        """
        super().__init__(s=s, offset=offset)

    @property
    def v(self) -> np.ndarray:
        """The squashed vector, (2,)."""
        return squash(self.s, self.offset)

    def describe(self) -> str:
        before, after, k = length(self.s), length(self.v), self.offset
        text = f"Squash with offset {k:g}: length {before:.3f} becomes length {after:.3f}. "
        if k < 0.25:
            low, high = growing(k)
            return text + f"Lengths between {low:.3f} and {high:.3f} grow; all others shrink."
        return text + f"No length grows: the gain ‖v‖/‖s‖ peaks at {1 / (2 * k**0.5):.3f}, at length {k**0.5:.3f}."

    def picture(self) -> bytes:
        norms = np.linspace(0, LONGEST, 401)[1:]  # (N,)
        lengths = length(squash(np.stack([norms, 0 * norms], -1), self.offset))  # (N,)
        grows = growing(self.offset) if self.offset < 0.25 else None
        return plots.png(plots.squash_view(self.s, self.v, norms, lengths / norms, self.offset, grows))


def growing(offset) -> tuple[float, float]:
    """The two lengths between which vectors grow, (1 ± √(1 − 4κ))/2, of an offset κ of at most ¼."""
    half = np.sqrt(1 - 4 * offset) / 2
    return 0.5 - half, 0.5 + half
