"""What widgets with a page to draw on share: its ink, digits to start from, and where the ink is put."""

import numpy as np

from capslib.digits import as_images, as_labels

MIDDLE = 13.5


def check_page(name, ink) -> bytes:
    """The 784 pixels of a page as bytes; a browser sends them as a view of memory."""
    if not isinstance(ink, bytes | bytearray | memoryview):
        raise ValueError(f"{name}: got {ink!r:.60}, expected 784 bytes")
    ink = bytes(ink)
    if len(ink) != 784:
        raise ValueError(f"{name}: got {len(ink)} bytes, expected 784")
    return ink


def checked_starts(images, labels) -> tuple[np.ndarray, list[int]]:
    """Digits to start from as uint8 (N, 28, 28), none for None, and their labels as a list, empty for None."""
    if images is None:
        pages = np.zeros((0, 28, 28), np.uint8)
    else:
        pages = np.rint(255 * as_images(images)[..., 0]).astype(np.uint8)
    labels = [] if labels is None else as_labels(labels, "labels").tolist()
    if labels and len(labels) != len(pages):
        raise ValueError(f"labels: got {len(labels)}, expected one for each of {len(pages)} images")
    return pages, labels


def seen(page, centred, turned=None, move=(0, 0)) -> np.ndarray:
    """What a network reads of a page, all in one resampling, as `picture` of ink.js.

    Args:
        page: 784 bytes.
        centred: whether the ink is first put where MNIST puts its digits.
        turned: a matrix (2, 2) on (row, column) from the middle, applied then; none for the unit matrix.
        move: pixels (down, right), at last.

    Returns:
        float32 (28, 28) in 0–1; ink beyond the edge is cut off.
    """
    from scipy import ndimage  # Slow to import, and most lessons have no pad.

    turned = np.eye(2) if turned is None else turned
    ink = np.frombuffer(page, np.uint8).reshape(28, 28)
    factor, mass, target = _centring(ink) if centred else (1, np.zeros(2), 0)
    move = turned @ (target - factor * mass) + move
    back = np.linalg.inv(factor * turned)
    image = ndimage.affine_transform(ink.astype(np.float32), back, MIDDLE - back @ (MIDDLE + move), order=1)
    return np.clip(image / np.float32(255), 0, 1)


def what_is_on(page, image, images, labels) -> str:
    """What is on a page in words that begin a sentence: "A 3", "A digit" without its label, or "A blank page".

    Args:
        page: 784 bytes.
        image: what `seen` makes of it.
        images: bytes of the digits to start from.
        labels: theirs, or none.
    """
    if not image.any():
        return "A blank page"
    pages = [images[at : at + 784] for at in range(0, len(images), 784)]
    label = labels[pages.index(page)] if labels and page in pages else None
    return "A digit" if label is None else f"A{'n' * (label == 8)} {label}"


def _centring(page):
    """How MNIST centres a drawing, as `centring` in ink.js: factor, centre of mass (2,) from the middle, target."""
    if not page.any():
        return 1, np.zeros(2), 0
    places = np.argwhere(page)  # (ink, 2)
    factor = min(3, 20 / (np.ptp(places, axis=0).max() + 1))
    return factor, np.average(places, axis=0, weights=page[page > 0]) - MIDDLE, 14 - MIDDLE
