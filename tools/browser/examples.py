"""One of each widget, made of small arrays: what holds for all widgets is tested on these.

A new widget adds its line to EXAMPLES; until then a test fails.
"""

import inspect

import numpy as np

from capslib import faces, networks, poses, weights, widgets
from capslib.widgets.base import Widget


def live_capsnet():
    """LiveCapsNet with the shipped networks on two drawn digits."""
    two = [weights.arrays(name) for name in ("article_capsnet", "matched_cnn_flatten")]
    images = np.zeros((2, 28, 28))
    images[0, 5:23, 13:15] = images[1, 5:8, 8:20] = images[1, 5:23, 17:20] = 1
    return widgets.LiveCapsNet(*two, images=images, labels=[1, 7], start=1)


def pose_weights(D=16, seed=0):
    """Random arrays of a small pose network, rounded to float16, whose answers differ from image to image."""
    rng = np.random.default_rng(seed)
    shapes = {
        **{"conv1.kernel": (9, 9, 1, 2), "conv1.bias": (2,), "u.conv.kernel": (9, 9, 2, 8), "u.conv.bias": (8,)},
        **{"v.W": (72, 4, 10, D), "decode1.kernel": (10 * D, 12), "decode1.bias": (12,)},
        **{"decode2.kernel": (12, 16), "decode2.bias": (16,), "decode3.kernel": (16, 784), "decode3.bias": (784,)},
    }
    scales = {"conv1.kernel": 0.3, "u.conv.kernel": 0.3, "v.W": 0.25, "decode1.kernel": 1.5}
    return {name: rng.normal(0, scales.get(name, 0.5), shape).astype(np.float16) for name, shape in shapes.items()}


def pose_explorer():
    """PoseExplorer with a small random network on two drawn digits, and everything that is optional."""
    images = np.zeros((2, 28, 28))
    images[:, 5:23, 13:15] = images[1, 5:8, 8:20] = 1
    effects = {name: np.random.default_rng(n).normal(size=(10, 16)) for n, name in enumerate(("slant", "width"))}
    return widgets.PoseExplorer(pose_weights(), images, labels=[1, 7], effects=effects, start=1)


def pose_votes():
    """PoseVotes with the face of lesson 02, the mouth pushed out of its place."""
    S = faces.arrangement(faces.Identity())
    whole = poses.pose(-1, 2, 20, 0.8)
    parts = whole @ S
    parts[faces.MOUTH, :2, 2] += (4, 1)
    return widgets.PoseVotes(parts, np.linalg.inv(S), faces.forms(faces.Identity()), whole)


def quiz():
    """Quiz with three questions."""
    sum_of = widgets.Question(
        "What is 1 + 1?", {"1": "That is 1 · 1.", "2": "One and one.", "3": "That is 1 + 2."}, "2"
    )
    shape = widgets.Question(
        "Which shape has c?", {"(I, J)": "One for each pair.", "(J,)": "Those are lengths."}, "(I, J)"
    )
    longest = widgets.Question(
        "How long is a squashed vector at most?",
        {
            "below 1": "n/(κ + n) is below 1.",
            "exactly 1": "It never gets there.",
            "any length": "Squash maps it below 1.",
        },
        "below 1",
    )
    return widgets.Quiz([sum_of, shape, longest])


def routing_explorer():
    """RoutingExplorer with the shipped network on three drawn digits, and everything that is optional."""
    parameters = weights.arrays("article_capsnet")
    images = np.zeros((3, 28, 28))
    images[:, 5:23, 13:15] = images[0, 5:8, 8:20] = images[2, 20:23, 8:20] = 1
    return widgets.RoutingExplorer(
        images,
        networks.trunk(images, parameters).reshape(3, 49, -1),
        parameters["v.W"],
        labels=[7, 1, 1],
        captions=["drawn", "drawn too", "with a foot"],
        presets={"a seven": 0, "a one": 1},
        parameters=parameters,
    )


EXAMPLES = {
    "Diagnosis": lambda: widgets.Diagnosis("break"),
    "LiveCapsNet": live_capsnet,
    "MarginLossExplorer": lambda: widgets.MarginLossExplorer(
        [0.04, 0.06, 0.12, 0.62, 0.02, 0.3, 0.05, 0.09, 0.45, 0.2], 3
    ),
    "PoseExplorer": pose_explorer,
    "PoseVotes": pose_votes,
    "Quiz": quiz,
    "RoutingExplorer": routing_explorer,
    "SquashExplorer": lambda: widgets.SquashExplorer(),
    "VoteRouter": lambda: widgets.VoteRouter(),
}
"""Name of a widget's class → a function without arguments that makes one."""


def exported():
    """Names of the widgets that capslib.widgets offers."""
    return {name for name, value in vars(widgets).items() if inspect.isclass(value) and issubclass(value, Widget)} - {
        "Widget"
    }
