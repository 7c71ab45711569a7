"""Draw a digit and watch two networks read it: a capsule network and a plain CNN."""

import hashlib
import typing

import anywidget
import numpy as np
import traitlets
from ipywidgets import widget_serialization
from scipy import ndimage
from scipy.special import cosdg, sindg

from capslib import networks, plots
from capslib.checks import check_number, check_positive, check_whole
from capslib.digits import as_images, as_labels
from capslib.widgets.base import Checked, Widget

MIDDLE = 13.5
LIMITS = {"turn": (-180, 180), "right": (-14, 14), "down": (-14, 14), "scale": (0.5, 2)}
"""Minimum and maximum of each slider."""


def _checked_page(name, ink):
    """The 784 pixels of a page as bytes; a browser sends them as a view of memory."""
    if not isinstance(ink, bytes | bytearray | memoryview):
        raise ValueError(f"{name}: got {ink!r:.60}, expected 784 bytes")
    ink = bytes(ink)
    if len(ink) != 784:
        raise ValueError(f"{name}: got {len(ink)} bytes, expected 784")
    return ink


class NetworkWeights(anywidget.AnyWidget):
    """A network's arrays in the page, shared by all widgets that use them; it shows nothing itself."""

    _esm = "export default {};"
    arrays = traitlets.Dict(read_only=True).tag(sync=True)
    """Name → bytes of little-endian float32."""
    _sent: typing.ClassVar = {}

    def __init__(self, arrays):
        self.set_trait("arrays", arrays)
        super().__init__()

    @classmethod
    def of(cls, weights):
        """The holder of these arrays in this kernel, made on first use."""
        digest = hashlib.sha256()
        for name, x in weights.items():
            digest.update(f"{name} {x.shape} ".encode() + x.tobytes())
        found = cls._sent.get(digest.digest())
        if found is None or found.comm is None:  # Closed by who closes all widgets of the kernel.
            found = cls._sent[digest.digest()] = cls({name: x.tobytes() for name, x in weights.items()})
        return found

    def __repr__(self):
        return f"NetworkWeights: {', '.join(self.arrays)}"


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
    page = Checked(_checked_page)
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
        pages = _pages(images)
        labels = [] if labels is None else as_labels(labels, "labels").tolist()
        if labels and len(labels) != len(pages):
            raise ValueError(f"labels: got {len(labels)}, expected one for each of {len(pages)} images")
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
        page = np.frombuffer(self.page, np.uint8).reshape(28, 28)
        factor, mass, target = _centring(page) if self.centred else (1, np.zeros(2), 0)
        cos, sin = cosdg(self.turn), sindg(self.turn)
        turned = self.scale * np.array([[cos, -sin], [sin, cos]])  # On (row, column), as in capslib.transforms.
        move = turned @ (target - factor * mass) + (self.down, self.right)
        back = np.linalg.inv(factor * turned)
        seen = ndimage.affine_transform(page.astype(np.float32), back, MIDDLE - back @ (MIDDLE + move), order=1)
        seen = np.clip(seen / np.float32(255), 0, 1)
        return np.roll(seen, 14, axis=0) if self.swapped else seen

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
        pages = [self.images[at : at + 784] for at in range(0, len(self.images), 784)]
        label = self.labels[pages.index(self.page)] if self.labels and self.page in pages else None
        seen = "a blank page" if not image.any() else "a digit" if label is None else f"a{'n' * (label == 8)} {label}"
        seen += f" turned by {self.turn:g}°" if self.turn and image.any() else ""
        text = f"{seen[0].upper()}{seen[1:]}, read by a capsule network and a plain CNN."
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


def _pages(images):
    """Images as uint8 (N, 28, 28), checked; none for None."""
    if images is None:
        return np.zeros((0, 28, 28), np.uint8)
    return np.rint(255 * as_images(images)[..., 0]).astype(np.uint8)


def _centring(page):
    """How MNIST centres a drawing, as `centring` in ink.js: factor, centre of mass (2,) from the middle, target."""
    if not page.any():
        return 1, np.zeros(2), 0
    places = np.argwhere(page)  # (ink, 2)
    factor = min(3, 20 / (np.ptp(places, axis=0).max() + 1))
    return factor, np.average(places, axis=0, weights=page[page > 0]) - MIDDLE, 14 - MIDDLE
