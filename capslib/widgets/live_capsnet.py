"""Draw a digit and watch two networks read it: a capsule network and a plain CNN."""

import numpy as np
import traitlets
from ipywidgets import widget_serialization

from capslib import networks, plots
from capslib.checks import check_number, check_positive, check_whole
from capslib.poses import cos_and_sin
from capslib.widgets.base import Checked, Widget
from capslib.widgets.network_weights import NetworkWeights
from capslib.widgets.pad import check_page, checked_starts, seen, what_is_on

LIMITS = {"turn": (-180, 180), "right": (-14, 14), "down": (-14, 14), "scale": (0.5, 2)}
"""Minimum and maximum of each slider."""


class LiveCapsNet(Widget, script="live_capsnet/index.js", styles="live_capsnet.css"):
    """Draw a digit, or turn, move, resize or cut one, and see how two networks read it at every change.

    It shows a pad to draw on, the picture that the networks read, the ten lengths of a capsule network and the ten
    probabilities of a plain CNN, each on its own axis, and what each cell of the capsule network adds to ‖s_j‖. On a
    blank page no digit is marked as the winner. Both networks run in the browser.

    Args:
        capsnet: the capsule network's arrays by name, as in article_capsnet.npz: "conv1.kernel" (5, 5, 1, F1),
            "conv1.bias", "conv2.kernel" (5, 5, F1, F2), "conv2.bias", "v.W" (F2, 10, D).
        cnn: the plain network's, as in matched_cnn_flatten.npz or matched_cnn_global.npz: the first four, then
            "mix.kernel" (1, 1, F2, M) and "mix.bias", or "hidden.kernel" (F2, H) and "hidden.bias", then
            "probabilities.kernel" and "probabilities.bias".
        images: (N, 28, 28) or (N, 28, 28, 1), float in 0–1 or uint8 in 0–255, digits to start from, stored in
            steps of 1/255; None for a blank page.
        labels: (N,) what the digits are, or None.
        routings: iterations that the capsule network was trained with, 1 to 20.
        offset: of its squash.
        start: index of the image that is on the page at first.
        turn: degrees by which it is turned at first, counter-clockwise; upright if not given.

    Attributes:
        turn: degrees counter-clockwise, −180 to 180. You can read and set this and the next five.
        right, down: pixels, −14 to 14.
        scale: a factor, 0.5 to 2.
        swapped: whether the bottom 14 rows are above the top 14.
        centred: whether the drawing is first centred as MNIST centres its digits.
        image, lengths, probabilities: the picture, and the answers of both networks.

    Raises:
        ValueError: naming the argument, if it is not as above, or if everything together is too large for a page;
            likewise when an attribute is set later.
    """

    capsnet = traitlets.Instance(NetworkWeights, read_only=True).tag(sync=True, **widget_serialization)
    cnn = traitlets.Instance(NetworkWeights, read_only=True).tag(sync=True, **widget_serialization)
    images = traitlets.Bytes(read_only=True).tag(sync=True)
    labels = traitlets.List(traitlets.Int(), read_only=True).tag(sync=True)
    routings = Checked(check_whole, 1, 20)
    offset = Checked(check_positive)
    limits = traitlets.Dict(LIMITS, read_only=True).tag(sync=True)
    # What a learner changes; from the browser.
    page = Checked(check_page)
    turn = Checked(check_number, *LIMITS["turn"], default=0.0)
    right = Checked(check_number, *LIMITS["right"], default=0.0)
    down = Checked(check_number, *LIMITS["down"], default=0.0)
    scale = Checked(check_number, *LIMITS["scale"], default=1.0)
    swapped = traitlets.Bool(False).tag(sync=True)
    centred = traitlets.Bool(True).tag(sync=True)
    upper = Checked(check_whole, -1, networks.CLASSES - 1, default=-1)
    """The capsule whose contributions are shown; −1 for the longest one."""

    def __init__(self, capsnet, cnn, images=None, labels=None, routings=5, offset=0.5, start=0, turn=0):
        self._capsnet = networks.check_weights("capsnet", capsnet, "capsnet")
        self._cnn = networks.check_weights("cnn", cnn, "cnn")
        pages, labels = checked_starts(images, labels)
        start = check_whole("start", start, 0, max(len(pages), 1) - 1)
        self.check_size({"images": pages.tobytes()})
        super().__init__(
            capsnet=NetworkWeights.of(self._capsnet),
            cnn=NetworkWeights.of(self._cnn),
            images=pages.tobytes(),
            labels=labels,
            routings=routings,
            offset=offset,
            page=pages[start].tobytes() if len(pages) else bytes(784),
            centred=not len(pages),
            turn=turn,
        )

    @property
    def image(self) -> np.ndarray:
        """The picture that both networks read, float32 (28, 28) in 0–1."""
        cos, sin = cos_and_sin(np.asarray(self.turn))
        turned = self.scale * np.array([[cos, -sin], [sin, cos]])  # On (row, column), as in capslib.transforms.
        image = seen(self.page, self.centred, turned, (self.down, self.right))
        return np.roll(image, 14, axis=0) if self.swapped else image

    @property
    def lengths(self) -> np.ndarray:
        """‖v_j‖ of the capsule network after its last iteration, float32 (10,)."""
        return self._trace().lengths[-1]

    @property
    def probabilities(self) -> np.ndarray:
        """The plain network's probabilities, float32 (10,)."""
        return networks.cnn(self.image, self._cnn)

    def _trace(self):
        return networks.capsnet(self.image, self._capsnet, self.routings, self.offset)

    def describe(self) -> str:
        """What the networks see and answer, in two sentences."""
        image, lengths, probabilities = self.image, self.lengths, self.probabilities
        j, k = int(lengths.argmax()), int(probabilities.argmax())
        what = what_is_on(self.page, image, self.images, self.labels)
        what += f" turned by {self.turn:g}°" if self.turn and image.any() else ""
        text = f"{what}, read by a capsule network and a plain CNN."
        if not image.any():
            return f"{text} No capsule is longer than {lengths[j]:.2f}; no class has more than {probabilities[k]:.2f}."
        return (
            f"{text} Longest capsule: {j}, length {lengths[j]:.2f}; "
            f"most probable class: {k}, probability {probabilities[k]:.2f}."
        )

    def picture(self) -> bytes:
        """The picture, the contributions to the longest or the selected capsule, and both answers, as PNG."""
        trace = self._trace()
        j = self.upper if self.upper >= 0 else int(trace.lengths[-1].argmax())
        return plots.png(
            plots.two_answers(self.image, trace.contribution[-1, :, j], j, trace.lengths[-1], self.probabilities),
            saved=True,
        )
