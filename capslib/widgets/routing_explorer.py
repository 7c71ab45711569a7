"""Step through the routing of real digits in a trained network."""

from collections.abc import Iterable, Mapping

import numpy as np
import traitlets
from ipywidgets import widget_serialization

from capslib import digits, networks, plots
from capslib.checks import check_choice, check_floats, check_numbers, check_positive, check_shape, check_whole, is_whole
from capslib.equations import RoutingTrace, agreement, predict, softmax, squash, weighted_sum
from capslib.widgets.base import STATE_LIMIT, Checked, Widget, validate
from capslib.widgets.network_weights import NetworkWeights

# The page is told these as `limits`.

STEPS = ["softmax", "sum", "squash", "agreement"]
"""The four steps of an iteration, in order."""

STEP_NAMES = dict(zip(STEPS, ["softmax", "weighted sum", "squash", "agreement"], strict=True))

RULES = ["accumulate", "replace", "uniform"]
"""The routing rules: b ← b + a, b ← a, or b stays 0, so that c stays 1/J."""

PANELS = ["settings", "origin", "logits", "votes", "entropy"]
"""What is folded away until it is asked for, in the order of the page; "origin" needs the network's parameters."""

MOST_ROUTINGS = 8
MOST_UPPER = 12
MOST_MOMENTS = 12

LEARNING_LIMIT = 750_000
"""Bytes of arrays and program where several moments of a training are shown: 1 MB as a notebook stores them."""

LIMITS = {"steps": STEPS, "rules": RULES, "routings": MOST_ROUTINGS, "panels": PANELS}


def _whole(name, value):
    """`value` as int; what it must lie between depends on other traits."""
    if not is_whole(value):
        raise ValueError(f"{name}: got {value!r}, expected a whole number")
    return int(value)


def _made(ink, u, parameters):
    """The network's arrays for the page, once they are found to make these u of these images."""
    arrays = networks.check_weights("parameters", parameters, "capsnet")
    made = networks.trunk(ink, arrays).reshape(len(ink), 49, -1)
    if made.shape != u.shape:
        raise ValueError(f"parameters: got those of a network with u of shape {made.shape}, expected {u.shape}")
    apart = np.abs(made - u).max()
    if apart > 0.05 * max(1, u.max()):  # The images are sent in steps of 1/255.
        raise ValueError(
            f"parameters: got those of a network whose u differ by {apart:.3g}, expected the one that made u"
        )
    return NetworkWeights.of(arrays)


def _texts(name, given):
    """Texts as a list, empty for None."""
    if given is None:
        return []
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ValueError(f"{name}: got {given!r:.60}, expected a list of texts")
    return [str(text) for text in given]


def _moments(texts, parameters):
    """The names of the moments as a list, empty for None."""
    if texts is None:
        return []
    texts = _texts("moments", texts)
    if not 2 <= len(texts) <= MOST_MOMENTS:
        raise ValueError(f"moments: got {len(texts)}, expected 2 to {MOST_MOMENTS}")
    if parameters is not None:
        raise ValueError("parameters: got some beside moments, expected None: they would be those of one moment")
    return texts


def _routed(u_hat, routings, offset, rule):
    """A RoutingTrace by one of RULES; `equations.route` has only the first, the paper's."""
    b, steps = np.zeros(u_hat.shape[:-1], u_hat.dtype), []
    for _ in range(routings):
        c = softmax(b)
        s = weighted_sum(c, u_hat)
        v = squash(s, offset)
        a = agreement(u_hat, v)
        steps.append((b, c, s, v, a))
        b = {"accumulate": b + a, "replace": a, "uniform": b}[rule]
    return RoutingTrace(*map(np.stack, zip(*steps, strict=True)), u_hat, offset)


class RoutingExplorer(Widget, script="routing_explorer/index.js", styles="routing_explorer.css"):
    """The routing of a digit, one step of one iteration at a time, computed in the browser.

    Attributes that both Python and the page can change: `chosen` (which digit), `moment` (which of several moments of
    the training, from 0), `routings` (how many iterations), `rule` (the routing rule, of RULES), `iteration` (from 1),
    `step` (of STEPS), the pair `i`, `j` (lower and upper capsule), `kind` ("contribution" or "coupling", the colours of
    the grid), `links` ("upper": from all lower capsules to j; "lower": from i to all upper ones), and `unfolded` (which
    of PANELS are open). `lengths` holds ‖v_j‖ as last drawn, (J,); it is empty before the first squash.
    """

    images = traitlets.Bytes(read_only=True).tag(sync=True)
    u = traitlets.Bytes(read_only=True).tag(sync=True)
    """Those of its numbers that are not 0, float32; a rectifier leaves few."""
    where = traitlets.Bytes(read_only=True).tag(sync=True)
    """Which ones these are, a bit each."""
    W = traitlets.Bytes(read_only=True).tag(sync=True)
    parameters = traitlets.Instance(NetworkWeights, allow_none=True, read_only=True).tag(
        sync=True, **widget_serialization
    )
    shape = traitlets.Dict(read_only=True).tag(sync=True)
    labels = traitlets.List(read_only=True).tag(sync=True)
    captions = traitlets.List(read_only=True).tag(sync=True)
    presets = traitlets.List(read_only=True).tag(sync=True)
    moments = traitlets.List(read_only=True).tag(sync=True)
    """What the moments of the training are called; empty where only one is shown."""
    trained = traitlets.Int(read_only=True).tag(sync=True)
    offset = traitlets.Float(read_only=True).tag(sync=True)
    limits = traitlets.Dict(LIMITS, read_only=True).tag(sync=True)

    chosen = Checked(_whole)
    moment = Checked(_whole, default=0)
    routings = Checked(check_whole, 1, MOST_ROUTINGS)
    rule = Checked(check_choice, RULES, default="accumulate")
    iteration = Checked(_whole, default=1)
    step = Checked(check_choice, STEPS, default="softmax")
    i = Checked(_whole)
    j = Checked(_whole)
    kind = Checked(check_choice, ["contribution", "coupling"], default="contribution")
    links = Checked(check_choice, ["upper", "lower"], default="upper")
    unfolded = Checked(default=[])
    lengths = Checked()

    def __init__(
        self,
        images,
        u,
        W,
        labels=None,
        routings=5,
        offset=0.5,
        chosen=0,
        captions=None,
        presets=None,
        parameters=None,
        moments=None,
        **kwargs,
    ):
        """It starts before the first step of the first iteration, ready to play.

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
            parameters: the network's arrays by name, as `weights.arrays("article_capsnet")` gives them, to show where u
                comes from: image, maps of both convolutions, u. None to leave that out.
            moments: T texts, one for each of several moments of the training, 2 to 12 in their order; then u is
                (T, N, 49, D_in), W is (T, D_in, J, D), and `parameters` is None. None for a single one.
            kwargs: any of the settable traits, to begin elsewhere, as in `iteration=1`.

        Raises:
            ValueError: naming the argument, if one does not fit, or all of it is more than a notebook should hold;
                likewise when one is set later.
        """
        x = digits.as_images(images)[..., 0]
        N = len(x)
        moments = _moments(moments, parameters)
        T = (len(moments),) if moments else ()
        u, W = check_floats("u", u, (*T, N, 49, "D_in")), check_floats("W", W, (*T, "D_in", "J", "D"))
        D_in, J, D = W.shape[-3:]
        if u.shape[-1] != D_in:
            expected = ", ".join(map(str, (*T, u.shape[-1], "J", "D")))
            raise ValueError(f"W: got shape {W.shape}, expected ({expected}) to fit u of shape {u.shape}")
        if not 2 <= J <= MOST_UPPER:
            raise ValueError(f"W: got {J} upper capsules, expected 2 to {MOST_UPPER}")
        labels = [] if labels is None else digits.as_labels(labels, "labels").tolist()
        captions = _texts("captions", captions)
        for name, given in (("labels", labels), ("captions", captions)):
            if given and len(given) != N:
                raise ValueError(f"{name}: got {len(given)}, expected one for each of the {N} digits")
        if not isinstance(presets, Mapping | None):
            raise ValueError(f"presets: got {presets!r:.60}, expected a dict from texts to digits")
        presets = list((presets or {}).items())
        for text, k in presets:
            check_whole(f"presets[{text!r}]", k, 0, N - 1)
        check_positive("offset", offset)
        check_whole("routings", routings, 1, MOST_ROUTINGS)
        check_whole("chosen", chosen, 0, N - 1)
        ink = np.round(255 * x).astype(np.uint8)
        network = None if parameters is None else _made(ink, u, parameters)
        buffers = {
            "images": ink.tobytes(),
            "u": u[u != 0].tobytes(),
            "W": W.tobytes(),
            "where": np.packbits(u != 0).tobytes(),
        }
        self.check_size(buffers, LEARNING_LIMIT if moments else STATE_LIMIT)

        self._arrays = x, u.reshape(-1, *u.shape[-3:]), W.reshape(-1, *W.shape[-3:])  # For the picture that stands in.
        rule = check_choice("rule", kwargs.get("rule", RULES[0]), RULES)
        last = max(len(moments), 1) - 1
        check_whole("moment", kwargs.get("moment", 0), 0, last)
        # The pair to watch: the winner and its strongest cell, of several moments those that the training leads to.
        trace = self._routed(last, chosen, int(routings), float(offset), rule)
        j = kwargs.get("j", int(trace.lengths[-1].argmax()))
        check_whole("j", j, 0, J - 1)
        super().__init__(
            **buffers,
            parameters=network,
            limits={**LIMITS, "panels": [panel for panel in PANELS if network or panel != "origin"]},
            shape={"N": N, "I": 49, "D_in": D_in, "J": J, "D": D},
            labels=labels,
            captions=captions,
            presets=[[str(text), int(k)] for text, k in presets],
            moments=moments,
            trained=int(routings),
            offset=float(offset),
            routings=int(routings),
            chosen=int(chosen),
            lengths=[],
            **{"i": int(trace.contribution[-1, :, j].argmax()), "j": j, **kwargs},
        )
        self.lengths = self._lengths().tolist()

    def _routed(self, moment, chosen, routings, offset, rule):
        _, u, W = self._arrays
        return _routed(predict(u[moment, chosen], W[moment]), routings, offset, rule)

    def _trace(self):
        return self._routed(self.moment, self.chosen, self.routings, self.offset, self.rule)

    def _lengths(self):
        """‖v_j‖ at the state's step, (J,), or (0,) before the first squash."""
        t = self.iteration - (1 if STEPS.index(self.step) >= STEPS.index("squash") else 2)
        return self._trace().lengths[t] if t >= 0 else np.zeros(0)

    def picture(self) -> bytes:
        """PNG bytes of the first and the last iteration of the digit's routing, as it is set now."""
        trace, size = self._trace(), np.linalg.norm(self._arrays[1][self.moment, self.chosen], axis=-1)
        entropy = (trace.entropy * size).sum(-1) / max(size.sum(), 1e-9)
        return plots.png(plots.first_and_last(self._arrays[0][self.chosen], trace, self.j, entropy), saved=True)

    def describe(self) -> str:
        """Which digit, where in its routing, and how the routing begins and ends."""
        lengths, now = self._trace().lengths, self._lengths()
        before, after = (int(x.argmax()) for x in (lengths[0], lengths[-1]))
        label = f", labelled {self.labels[self.chosen]}" if self.labels else ""
        rule = "" if self.rule == RULES[0] else f', routing rule "{self.rule}"'
        moment = f", moment of the training: {self.moments[self.moment]}" if self.moments else ""
        text = f"Routing of digit {self.chosen + 1} of {self.shape['N']}{label}{rule}{moment}. "
        text += f"Iteration {self.iteration} of {self.routings}, {STEP_NAMES[self.step]}: "
        text += f"the longest capsule is {now.argmax()} ({now.max():.2f}). " if len(now) else "no lengths yet. "
        text += (
            f"From iteration 1 to {len(lengths)} the length of capsule {after} goes from {lengths[0, after]:.2f} to "
        )
        others = np.delete(lengths[-1], after)
        text += f"{lengths[-1, after]:.2f}; the longest of the others ends at {others.max():.2f}. "
        if before == after:
            return text + "It is the longest at iteration 1 too."
        return text + f"It is not the longest at iteration 1: that is capsule {before}."

    # What depends on other traits is judged when all that were set together have arrived.

    @validate("chosen", "moment", "i", "j", "iteration")
    def _within(self, name, value):
        least = int(name == "iteration")
        sizes = {"chosen": self.shape["N"], "i": self.shape["I"], "j": self.shape["J"], "iteration": self.routings + 1}
        sizes["moment"] = max(len(self.moments), 1)
        return check_whole(name, value, least, sizes[name] - 1)

    @validate("unfolded")
    def _panels(self, name, value):
        panels = self.limits["panels"]
        if (
            not isinstance(value, list | tuple)
            or any(one not in panels for one in value)
            or len(set(value)) < len(value)
        ):
            raise ValueError(f"{name}: got {value!r}, expected a list of some of {', '.join(panels)}, each once")
        return [one for one in panels if one in value]

    @validate("lengths")
    def _none_or_all(self, name, value):
        lengths = check_numbers(name, value, 0, 1)
        if lengths.shape != (0,):
            check_shape(name, lengths, (self.shape["J"],))
        return lengths.tolist()

    @traitlets.observe("routings")
    def _fewer_routings(self, change):
        self.iteration = min(self.iteration, change["new"])
