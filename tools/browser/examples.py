"""One of each widget, made of small arrays: what holds for all widgets is tested on these.

A new widget adds its line to EXAMPLES; until then a test fails.
"""

import inspect

import numpy as np

from capslib import faces, findings, networks, poses, weights, widgets
from capslib.widgets.base import Widget


def condition_runs(seeds=5):
    """Runs made up for ConditionExplorer: each network falls at a strength of its own, each seed a little otherwise."""

    def run(network, training, seed):
        rng = np.random.default_rng([list(findings.LABELS).index(network), len(training), seed])
        reach = 0.5 + 0.04 * list(findings.LABELS).index(network) + {"none": 0, "some": 0.3, "turned": 0.8}[training]
        rows = {}
        for family in findings.AXES:
            steps = findings.steps(family)
            for k, step in enumerate(steps):
                far = abs(k - steps.index(findings.unchanged(family))) / (len(steps) - 1)
                for name in findings.names(family, step):
                    right = 0.1 + 0.88 / (1 + (far / reach) ** 4) - 0.02 * far * rng.random() - 0.005 * rng.random()
                    scores = {"accuracy": right, "of_right": min(1, right + 0.01), "accepted": 0.3 + 0.6 * right}
                    if step in findings.SWAPS:
                        scores["auroc"] = 0.5 + 0.1 * k + 0.1 * rng.random()
                    rows[name] = {key: round(float(score), 4) for key, score in scores.items()}
        return {"task": {"network": network, "augmentation": training, "seed": seed}, "conditions": rows}

    turned = ("capsnet_3", "cnn_flatten", "cnn_flatten_margin", "pose_3")
    return {
        training: {name: [run(name, training, seed) for seed in range(seeds)] for name in names}
        for training, names in {"none": findings.LABELS, "some": findings.LABELS, "turned": turned}.items()
    }


def condition_explorer():
    """ConditionExplorer with made-up runs of all networks, and a drawn digit."""
    image = np.zeros((28, 28))
    image[5:23, 13:15] = image[5:8, 8:20] = 1
    return widgets.ConditionExplorer(condition_runs(), digit=image)


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
    "ConditionExplorer": condition_explorer,
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
