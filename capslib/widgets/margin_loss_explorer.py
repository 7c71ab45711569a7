"""The margin loss on lengths that the learner drags, next to a softmax on the same lengths (lesson 05)."""

import numpy as np
import traitlets

from capslib import plots
from capslib.checks import check_number, check_shape, is_whole
from capslib.equations import margin_gradient, margin_loss, softmax
from capslib.widgets.base import Checked, Widget, frozen, validate

CLASSES = (2, 12)
"""The smallest and the largest number of classes that the widget has room for."""

LIMITS = {"lengths": (0, 1), "m_plus": (0, 1), "m_minus": (0, 1), "lam": (0, 1)}
"""Minimum and maximum of each slider."""


def _checked_lengths(name, lengths):
    """`lengths` as an array (J,) of possible capsule lengths."""
    lengths, (low, high), (least, most) = frozen(name, lengths, ("J",)), LIMITS["lengths"], CLASSES
    if not least <= len(lengths) <= most:
        raise ValueError(f"{name}: got {len(lengths)} of them, expected {least} to {most}")
    if lengths.min() < low or lengths.max() > high:
        wrong = lengths.min() if lengths.min() < low else lengths.max()
        raise ValueError(f"{name}: got {wrong:g}, expected numbers from {low} to {high}")
    return lengths


class MarginLossExplorer(Widget, script="margin_loss_explorer.js", styles="margin_loss_explorer.css"):
    """Lengths as bars, the margin loss per class and its gradient as arrows, next to a softmax on the same lengths.

    Attributes (you can read and set all of them):
        lengths: (J,) in 0–1. They follow the bars that the learner drags.
        present: the classes in the image in increasing order: one, several or none.
        m_plus, m_minus, lam: the margins and λ, in 0–1, m⁻ at most m⁺. They follow the sliders.
        with_softmax: whether the softmax on the lengths is shown.
        chosen: the class whose numbers appear in the formulas.
    """

    lengths = Checked(_checked_lengths)
    present = Checked()
    m_plus = Checked(check_number, *LIMITS["m_plus"])
    m_minus = Checked(check_number, *LIMITS["m_minus"])
    lam = Checked(check_number, *LIMITS["lam"])
    with_softmax = traitlets.Bool().tag(sync=True)
    chosen = Checked()
    limits = traitlets.Dict(LIMITS, read_only=True).tag(sync=True)
    start = traitlets.Dict(read_only=True, help="What “Start again” restores.").tag(sync=True)

    def __init__(self, lengths, present, m_plus=0.9, m_minus=0.1, lam=0.5, with_softmax=True):
        """
        Args:
            lengths: (J,) in 0–1, of 2 to 12 classes.
            present: the class in the image, or a list of several or none.
            m_plus, m_minus, lam: the margins and the weight of absent classes, in 0–1; by default the paper's.
            with_softmax: whether the softmax on the lengths is shown at first.

        Raises:
            ValueError: naming the argument, if one is not as said here; likewise when one is set later.
        """
        margins = {"m_plus": m_plus, "m_minus": m_minus, "lam": lam}
        super().__init__(lengths=lengths, present=present, **margins, with_softmax=with_softmax, chosen=0)
        self.chosen = self.present[0] if self.present else int(np.argmax(self.lengths))
        self.set_trait("start", {"lengths": self.lengths.tolist(), "present": self.present})

    @validate("lengths")
    def _of_as_many_classes(self, name, lengths):
        return check_shape(name, lengths, (len(self.start["lengths"]),)) if self.start else lengths

    @validate("present")
    def _different_classes(self, name, given):
        J, classes = len(self.lengths), given.tolist() if isinstance(given, np.ndarray) else given
        classes = classes if isinstance(classes, list | tuple) else [classes]
        if not all(_is_class(k, J) for k in classes) or len(set(classes)) != len(classes):
            raise ValueError(f"{name}: got {given!r}, expected a class from 0 to {J - 1}, or a list of different ones")
        return sorted(map(int, classes))

    @validate("chosen")
    def _one_class(self, name, k):
        J = len(self.lengths)
        if not _is_class(k, J):
            raise ValueError(f"{name}: got {k!r}, expected a class from 0 to {J - 1}")
        return int(k)

    @validate("m_plus", "m_minus")
    def _in_order(self, name, value):
        if name == "m_plus" and value < self.m_minus:
            raise ValueError(f"m_plus: got {value:g}, expected at least m_minus, {self.m_minus:g}")
        if name == "m_minus" and value > self.m_plus:
            raise ValueError(f"m_minus: got {value:g}, expected at most m_plus, {self.m_plus:g}")
        return value

    @property
    def y_true(self) -> np.ndarray:
        """The labels T, (J,): 1 for each class that is present."""
        return np.isin(np.arange(len(self.lengths)), self.present).astype(float)

    @property
    def loss(self) -> float:
        """The margin loss of the current lengths."""
        return float(self._of_one(margin_loss))

    @property
    def gradient(self) -> np.ndarray:
        """The gradient of the margin loss with respect to the lengths, (J,)."""
        return self._of_one(margin_gradient)

    @property
    def cross_entropy(self) -> float:
        """The cross-entropy of a softmax on the lengths: the sum of −ln q over the present classes."""
        return float(-np.sum(self.y_true * np.log(softmax(self.lengths))))

    def _of_one(self, function):
        return function(self.y_true[None], self.lengths[None], self.m_plus, self.m_minus, self.lam)[0]

    def describe(self) -> str:
        J, moved = len(self.lengths), int(np.count_nonzero(self.gradient))
        shown = ", ".join(f"{x:.2f}" for x in self.lengths)
        who = " and ".join(map(str, self.present)) or "none"
        pushed = f"its gradient is 0 for {J - moved} of the {J} classes"
        text = f"Lengths {shown}; present: {who}. The margin loss is {self.loss:.3f}; {pushed}."
        if not self.with_softmax:
            return text
        most = np.e / (np.e + J - 1)
        return (
            text + f" A softmax on the lengths gives at most {most:.3f}; its cross-entropy is {self.cross_entropy:.3f}."
        )

    def picture(self) -> bytes:
        panels = {f"margin loss {self.loss:.3f}": (self.lengths, self.gradient, self.present)}
        if self.with_softmax:
            pushes = len(self.present) * softmax(self.lengths) - self.y_true
            panels[f"softmax, cross-entropy {self.cross_entropy:.3f}"] = (self.lengths, pushes, self.present)
        return plots.png(plots.margin_pulls(panels, self.m_plus, self.m_minus))


def _is_class(k, J):
    return is_whole(k) and 0 <= k < J
