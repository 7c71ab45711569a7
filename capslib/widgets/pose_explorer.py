"""Change one dimension of a capsule and watch what the decoder draws: what has it learned to stand for?"""

import base64

import numpy as np
import traitlets
from ipywidgets import widget_serialization

from capslib import networks, plots
from capslib.checks import check_floats, check_numbers, check_positive, check_whole
from capslib.equations import length
from capslib.widgets.base import Checked, Widget, frozen, validate
from capslib.widgets.network_weights import NetworkWeights, packed
from capslib.widgets.pad import check_page, checked_starts, seen, what_is_on

LIMIT = 1_000_000
"""Bytes of a notebook that one PoseExplorer may take: more than other widgets, since it brings a decoder."""
CHANGE, LONGEST, PICTURES = 0.25, 0.999, 11
"""How far a slider goes, to what length longer vectors are shortened, and how many pictures make a strip."""
UNSORTED = "dimension"


class PoseExplorer(Widget, script="pose_explorer/index.js", styles="pose_explorer.css"):
    """Take a digit or draw one, change the dimensions of its capsule, and see what the decoder makes of it.

    It shows the image, its reconstruction from one capsule and their difference, and for each dimension of the capsule
    a slider under a strip of 11 pictures, decoded with −0.25 to 0.25 added to that dimension (as in the paper's
    figure 4). Encoder and decoder run in the browser. No squashed vector has a length of 1 or more, so a changed vector
    that would is shortened to 0.999, and the widget says so.

    Args:
        weights: the network's arrays by name, as in pose_capsnet.npz: "conv1.kernel" (9, 9, 1, F), "conv1.bias",
            "u.conv.kernel" (9, 9, F, C·D_in), "u.conv.bias", "v.W" (36·C, D_in, 10, D), and the decoder's
            "decode1.kernel" (10·D, H1) to "decode3.bias" (784,). Arrays rounded to float16 take half of the bytes.
        images: (N, 28, 28) or (N, 28, 28, 1), float in 0–1 or uint8 in 0–255, digits to start from, stored in
            steps of 1/255; None for a blank page.
        labels: (N,) what the digits are, or None.
        effects: dict from a property's name, such as "slant", to how much each dimension of each class was measured to
            change it, (10, D), signed, of any scale; the strips can be sorted by them. None for no sorting.
        start: index of the image that is on the page at first.
        routings: iterations that the network was trained with, 1 to 20.
        offset: of its squashes.
        unit: what the effects are counted in, such as "standard deviations"; "" if that needs no saying.

    Attributes:
        digit: index of the capsule that is decoded, −1 for the longest. You can read and set this and the next three.
        change: (D,) what is added to the capsule, from −0.25 to 0.25.
        chosen: the dimension that is marked; at first the one that changes the picture most.
        sort: "dimension", or the name of the property by which the strips are sorted.
        image, lengths, v: what the network reads, float32 (28, 28) in 0–1, and what it answers, (10,) and (10, D).
        capsule: index of the capsule that is decoded.
        changed, length: the vector that is decoded, (D,), and its length.
        reconstruction: what the decoder draws, float32 (28, 28) in 0–1.

    Raises:
        ValueError: naming the argument, if it is not as above, or if everything together is too large for a page;
            likewise when an attribute is set later.
    """

    weights = traitlets.Instance(NetworkWeights, read_only=True).tag(sync=True, **widget_serialization)
    D_in = traitlets.Int(read_only=True).tag(sync=True)
    images = traitlets.Bytes(read_only=True).tag(sync=True)
    labels = traitlets.List(traitlets.Int(), read_only=True).tag(sync=True)
    effects = traitlets.Dict(read_only=True).tag(sync=True)
    unit = traitlets.Unicode(read_only=True).tag(sync=True)
    limits = traitlets.Dict(
        {"change": CHANGE, "length": LONGEST, "pictures": PICTURES, "unsorted": UNSORTED}, read_only=True
    ).tag(sync=True)
    routings = Checked(check_whole, 1, 20)
    offset = Checked(check_positive)
    # What a learner changes; from the browser.
    page = Checked(check_page)
    centred = traitlets.Bool(False).tag(sync=True)
    """Whether the page is a drawing, which is centred as MNIST centres its digits."""
    digit = Checked(check_whole, -1, networks.CLASSES - 1, default=-1)
    change = Checked()
    chosen = Checked()
    sort = Checked(default=UNSORTED)

    def __init__(self, weights, images, labels=None, effects=None, start=0, routings=3, offset=1.0, unit=""):
        self._arrays = networks.check_weights("weights", weights, "pose_capsnet")
        if "decode1.kernel" not in self._arrays:
            raise ValueError(
                "weights: got those of a network without a decoder, expected decode1.kernel and so on as well"
            )
        _, D_in, _, self._D = self._arrays["v.W"].shape
        pages, labels = checked_starts(images, labels)
        start = check_whole("start", start, 0, max(len(pages), 1) - 1)
        page, centred = (pages[start].tobytes(), False) if len(pages) else (bytes(784), True)
        saved = b"".join(base64.b64encode(x.tobytes()) for x in packed(self._arrays).values())  # As notebooks save it.
        self.check_size({"weights": saved}, LIMIT, "round its arrays to float16, or take a smaller network")
        self.check_size({"images": base64.b64encode(pages.tobytes())}, LIMIT - len(saved))
        if not isinstance(unit, str):
            raise ValueError(f"unit: got {unit!r:.60}, expected a text, such as 'standard deviations'")
        routings, offset = check_whole("routings", routings, 1, 20), check_positive("offset", offset)
        super().__init__(
            weights=NetworkWeights.of(self._arrays),
            D_in=D_in,
            images=pages.tobytes(),
            labels=labels,
            effects=_checked_effects(effects, self._D),
            unit=unit,
            routings=routings,
            offset=offset,
            page=page,
            centred=centred,
            change=np.zeros(self._D),
            chosen=self._strongest(networks.pose_capsnet(seen(page, centred), self._arrays, routings, offset).v[-1]),
        )

    @validate("change")
    def _checked_change(self, name, change):
        change = frozen(name, change, (self._D,))
        check_numbers(name, change, -CHANGE, CHANGE)
        return change

    @validate("chosen")
    def _checked_dimension(self, name, chosen):
        return check_whole(name, chosen, 0, self._D - 1)

    @validate("sort")
    def _checked_sort(self, name, sort):
        known = [UNSORTED, *self.effects]
        if not isinstance(sort, str) or sort not in known:
            raise ValueError(f"{name}: got {sort!r:.60}, expected {' or '.join(map(repr, known))}")
        return sort

    @property
    def image(self) -> np.ndarray:
        """What the network reads, float32 (28, 28) in 0–1."""
        return seen(self.page, self.centred)

    @property
    def v(self) -> np.ndarray:
        """The capsules after the last iteration, float32 (10, D)."""
        return networks.pose_capsnet(self.image, self._arrays, self.routings, self.offset).v[-1]

    @property
    def lengths(self) -> np.ndarray:
        """‖v_j‖, float32 (10,)."""
        return length(self.v)

    @property
    def capsule(self) -> int:
        """Index of the capsule that is decoded."""
        return _decoded(self.v, self.digit)

    @property
    def changed(self) -> np.ndarray:
        """The vector that is decoded: that capsule with the change, shortened if it would be too long; (D,)."""
        return shortened(self.v[self.capsule] + self.change)

    @property
    def length(self) -> float:
        """Length of the vector that is decoded, below 1."""
        return float(np.linalg.norm(self.changed))

    @property
    def reconstruction(self) -> np.ndarray:
        """What the decoder draws from the changed vector, float32 (28, 28) in 0–1."""
        return self._pictures(self.changed[None], self.capsule)[0]

    def _pictures(self, vectors, j):
        """Pictures (N, 28, 28) decoded from vectors (N, D) in the place of capsule j."""
        v = np.zeros((len(vectors), networks.CLASSES, self._D), np.float32)
        v[:, j] = vectors
        return networks.decode(v, self._arrays)[..., 0]

    def _strongest(self, v):
        """The dimension of the longest capsule whose steps to both sides change the picture most."""
        j = _decoded(v, -1)
        steps = np.concatenate([CHANGE / 2 * np.eye(self._D), -CHANGE / 2 * np.eye(self._D)])
        apart = self._pictures(shortened(v[j] + steps), j) - self._pictures(v[j : j + 1], j)
        return int(np.square(apart).sum((1, 2)).reshape(2, self._D).sum(0).argmax())

    def describe(self) -> str:
        """What is decoded, how long it is, and how far the picture is from the original, in two or three sentences."""
        image, v = self.image, self.v
        j = _decoded(v, self.digit)
        error = np.square(image - self.reconstruction).sum()
        text = f"{what_is_on(self.page, image, self.images, self.labels)}, decoded from capsule {j} of length "
        text += _below_one(np.linalg.norm(v[j]))
        moved = np.flatnonzero(self.change)
        if len(moved):
            d = np.abs(self.change).argmax()
            text += (
                f", changed in {len(moved)} of its {self._D} dimensions, most in dimension {d} by {self.change[d]:+.2f}"
            )
            text += f"; its length is then {_below_one(self.length)}"
        text += f". The squared differences between image and reconstruction add up to {error:.1f}."
        if np.linalg.norm(v[j] + self.change) >= 1:
            text += f" The changed vector was shortened to a length of {LONGEST}."
        return text.replace("-", "−")

    def picture(self) -> bytes:
        """The image, its reconstruction, their difference and the strip of the chosen dimension, as PNG."""
        v, j, d = self.v, self.capsule, self.chosen
        steps = np.linspace(-CHANGE, CHANGE, PICTURES)
        strip = self._pictures(shortened(v[j] + steps[:, None] * np.eye(self._D)[d]), j)
        fig = plots.changed_dimension(self.image, self.reconstruction, strip, steps, d, float(self.change[d]))
        return plots.png(fig, saved=True)


def shortened(vectors) -> np.ndarray:
    """Vectors (…, D); those of length 1 or more are shortened to LONGEST, since squash makes none so long."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors * np.where(norms < 1, 1, LONGEST / np.maximum(norms, 1))


def _below_one(size):
    """A length in words: one that rounds to 1.00 has a third decimal, since no squashed vector reaches 1."""
    return f"{size:.{3 if size >= 0.995 else 2}f}"


def _decoded(v, digit):
    return digit if digit >= 0 else int(length(v).argmax())


def _checked_effects(effects, D):
    """`effects` as lists for the page, with four digits each, since fewer are shown."""
    if effects is None:
        return {}
    if not isinstance(effects, dict) or not effects:
        raise ValueError(f"effects: got {effects!r:.60}, expected a dict from a property's name to an array (10, {D})")
    wrong = [name for name in effects if not isinstance(name, str) or not name.strip() or name == UNSORTED]
    if wrong:
        raise ValueError(f"effects: got the name {wrong[0]!r:.60}, expected that of a property, such as 'slant'")
    checked = {name: check_floats(f'effects["{name}"]', x, (networks.CLASSES, D)) for name, x in effects.items()}
    return {name: [[float(f"{slope:.4g}") for slope in row] for row in x] for name, x in checked.items()}
