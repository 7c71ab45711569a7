"""A network's arrays in the page, sent once for all widgets that use them."""

import hashlib
import typing

import anywidget
import numpy as np
import traitlets


class NetworkWeights(anywidget.AnyWidget):
    """A network's arrays in the page, shared by all widgets that use them; it shows nothing itself."""

    _esm = "export default {};"
    arrays = traitlets.Dict(read_only=True).tag(sync=True)
    """Name → bytes of little-endian float32, or float16 for those named in `halves`."""
    halves = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    """Names of the arrays that were rounded to float16 before, so that half of the bytes hold all of them."""
    _sent: typing.ClassVar = {}

    def __init__(self, arrays, halves):
        self.set_trait("arrays", arrays)
        self.set_trait("halves", halves)
        super().__init__()

    @classmethod
    def of(cls, weights):
        """The holder of these arrays in this kernel, made on first use.

        Args:
            weights: dict from a parameter's name to its float32 array, as `networks.check_weights` gives it.
        """
        digest = hashlib.sha256()
        for name, x in weights.items():
            digest.update(f"{name} {x.shape} ".encode() + x.tobytes())
        found = cls._sent.get(digest.digest())
        if found is None or found.comm is None:  # Closed by who closes all widgets of the kernel.
            arrays = packed(weights)
            halves = [name for name, x in arrays.items() if x.dtype == np.float16]
            found = cls({name: x.tobytes() for name, x in arrays.items()}, halves)
            cls._sent[digest.digest()] = found
        return found

    def __repr__(self):
        return f"NetworkWeights: {', '.join(self.arrays)}"


def packed(weights) -> dict[str, np.ndarray]:
    """Each float32 array as little-endian float16 where that loses nothing, otherwise as it is."""
    with np.errstate(over="ignore"):  # What is too large for float16 becomes infinite there, and so stays as it is.
        halves = {name: x.astype("<f2") for name, x in weights.items()}
    return {name: halves[name] if np.array_equal(halves[name], x) else x for name, x in weights.items()}
