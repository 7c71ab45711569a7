"""Step through the routing of real digits in a trained network."""

import numpy as np
import traitlets

from capslib import digits, plots
from capslib.checks import check_positive
from capslib.equations import predict, route
from capslib.widgets.base import Widget, finite

STEPS = ["softmax", "sum", "squash", "agreement"]
"""The four steps of an iteration, in their order."""

DIALECTS = ["accumulate", "replace", "uniform"]
"""What becomes of the agreement: b ← b + a, b ← a, or nothing (c stays 1/J). As in equations.js."""

MOST_ROUTINGS = 8
MOST_UPPER = 12


class RoutingExplorer(Widget, script="routing_explorer/index.js", styles="routing_explorer.css"):
    """The routing of a digit, an iteration and a step at a time, computed in the browser.

    Where the browser and Python meet, all of them readable and settable: `chosen` (which digit), `routings`, `dialect`,
    `iteration` (from 1), `step` (of STEPS), the pair `i`, `j` (lower and upper capsule), `kind` ("contribution" or
    "coupling", what tints the grid), `links` ("upper": from all lower capsules to j; "lower": from i to all).
    `lengths` is read only: ‖v_j‖ as last drawn, (J,), empty while there are none yet.
    """

    images = traitlets.Bytes().tag(sync=True)
    u = traitlets.Bytes().tag(sync=True)
    """Those of its numbers that are not 0, float32; a rectifier leaves few."""
    where = traitlets.Bytes().tag(sync=True)
    """Which ones these are, a bit each."""
    W = traitlets.Bytes().tag(sync=True)
    shape = traitlets.Dict().tag(sync=True)
    labels = traitlets.List().tag(sync=True)
    captions = traitlets.List().tag(sync=True)
    presets = traitlets.List().tag(sync=True)
    trained = traitlets.Int().tag(sync=True)
    offset = traitlets.Float().tag(sync=True)
    limits = traitlets.Dict().tag(sync=True)

    chosen = traitlets.Int().tag(sync=True)
    routings = traitlets.Int().tag(sync=True)
    dialect = traitlets.Unicode("accumulate").tag(sync=True)
    iteration = traitlets.Int().tag(sync=True)
    step = traitlets.Unicode("squash").tag(sync=True)
    i = traitlets.Int().tag(sync=True)
    j = traitlets.Int().tag(sync=True)
    kind = traitlets.Unicode("contribution").tag(sync=True)
    links = traitlets.Unicode("upper").tag(sync=True)
    lengths = traitlets.List().tag(sync=True)

    def __init__(
        self, images, u, W, labels=None, routings=5, offset=0.5, chosen=0, captions=None, presets=None, **kwargs
    ):
        """Untouched, it shows the last iteration of a digit's routing, all earlier ones beside it.

        Args:
            images: (N, 28, 28) or (N, 28, 28, 1), uint8 in 0–255 or float in 0–1.
            u: (N, 49, D_in) their lower capsules, row by row of a 7×7 grid.
            W: (D_in, J, D) the transformation that all of them share; J from 2 to 12.
            labels: (N,) digits 0–9, or None.
            routings: with how many iterations W was trained, 1 to 8.
            offset: of the squash.
            chosen: which digit to begin with.
            captions: N texts, each shown with its digit, or None.
            presets: dict from the text of a button to the digit that it chooses, or None.
            kwargs: any of the class's traits, to begin elsewhere, as in `iteration=1`.

        Raises:
            ValueError: naming the argument, if one does not fit, or all of it is more than a notebook should hold.
        """
        x = digits.as_images(images)[..., 0]
        N = len(x)
        u, W = finite("u", u, (N, 49, "D_in")), finite("W", W, ("D_in", "J", "D"))
        if len(W) != u.shape[-1]:
            raise ValueError(f"W: got shape {W.shape}, expected ({u.shape[-1]}, J, D) to fit u of shape {u.shape}")
        if not 2 <= W.shape[1] <= MOST_UPPER:
            raise ValueError(f"W: got {W.shape[1]} upper capsules, expected 2 to {MOST_UPPER}")
        labels = [] if labels is None else digits.as_labels(labels, "labels").tolist()
        captions = [] if captions is None else [str(text) for text in captions]
        for name, given in (("labels", labels), ("captions", captions)):
            if given and len(given) != N:
                raise ValueError(f"{name}: got {len(given)}, expected one for each of the {N} digits")
        presets = list((presets or {}).items())
        for text, k in presets:
            _check_range(f"presets[{text!r}]", k, 0, N - 1)
        check_positive("offset", offset)
        _check_range("routings", routings, 1, MOST_ROUTINGS)
        _check_range("chosen", chosen, 0, N - 1)
        ink = np.round(255 * x).astype(np.uint8).tobytes()
        buffers = {"images": ink, "u": u[u != 0].tobytes(), "W": W.tobytes(), "where": np.packbits(u != 0).tobytes()}
        self.check_size(buffers)

        self._arrays = x, u, W  # For the picture that stands in.
        self._trained = {"iterations": int(routings), "offset": float(offset)}
        trace = self._trace(chosen)
        j = kwargs.get("j", int(trace.lengths[-1].argmax()))
        _check_range("j", j, 0, W.shape[1] - 1)
        super().__init__(
            **buffers,
            shape={"N": N, "I": 49, "D_in": len(W), "J": W.shape[1], "D": W.shape[2]},
            labels=labels,
            captions=captions,
            presets=[[str(text), int(k)] for text, k in presets],
            trained=int(routings),
            offset=float(offset),
            limits={"steps": STEPS, "dialects": DIALECTS, "routings": MOST_ROUTINGS},
            routings=int(routings),
            chosen=int(chosen),
            lengths=[float(length) for length in trace.lengths[-1]],
            **{"iteration": int(routings), "i": int(trace.contribution[-1, :, j].argmax()), "j": j, **kwargs},
        )

    def _trace(self, k):
        _, u, W = self._arrays
        return route(predict(u[k], W), **self._trained)

    def picture(self):
        trace, size = self._trace(self.chosen), np.linalg.norm(self._arrays[1][self.chosen], axis=-1)
        entropy = (trace.entropy * size).sum(-1) / max(size.sum(), 1e-9)
        return plots.png(plots.first_and_last(self._arrays[0][self.chosen], trace, self.j, entropy), saved=True)

    def describe(self):
        lengths = self._trace(self.chosen).lengths
        before, after = (int(now.argmax()) for now in (lengths[0], lengths[-1]))
        label = f", labelled {self.labels[self.chosen]}" if self.labels else ""
        text = f"Routing of digit {self.chosen + 1} of {self.shape['N']}{label}. From iteration 1 to {len(lengths)} "
        text += f"the length of capsule {after} goes from {lengths[0, after]:.2f} to {lengths[-1, after]:.2f}; "
        others = np.delete(lengths[-1], after)
        text += f"the longest of the others ends at {others.max():.2f}. "
        first = f"It is the longest at iteration {'1 too' if before == after else f'{len(lengths)} only'}"
        return text + (f"{first}." if before == after else f"{first}: at iteration 1 that is capsule {before}.")

    # What Python or the browser may set. Iterations are checked against the routings when both have arrived.

    @traitlets.validate("chosen", "i", "j", "routings", "iteration")
    def _whole(self, proposal):
        last = {"chosen": self.shape["N"] - 1, "i": 48, "j": self.shape["J"] - 1, "routings": MOST_ROUTINGS}
        name = proposal["trait"].name
        start = int(name in ("routings", "iteration"))
        _check_range(name, proposal["value"], start, last.get(name, self.routings))
        return proposal["value"]

    @traitlets.validate("dialect", "step", "kind", "links")
    def _named(self, proposal):
        names = {"dialect": DIALECTS, "step": STEPS, "kind": ["contribution", "coupling"], "links": ["upper", "lower"]}
        name, value = proposal["trait"].name, proposal["value"]
        if value not in names[name]:
            raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(names[name])}")
        return value

    @traitlets.observe("routings")
    def _fewer_routings(self, change):
        self.iteration = min(self.iteration, change["new"])


def _check_range(name, value, low, high):
    """Refuse what is not a whole number from `low` to `high`, by name."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise ValueError(f"{name}: got {value!r}, expected a whole number from {low} to {high}")
