"""Finding what a picture draws among the artists of its axes."""

import numpy as np


def lines_by_label(ax):
    """The lines of a panel by their labels."""
    return {line.get_label(): line for line in ax.lines}


def arrow_tips(ax):
    """The tips of a panel's arrows by their labels."""
    return {text.get_label(): text.xy for text in ax.texts if text.arrow_patch is not None}


def annotations(ax):
    """The texts of a panel's annotations and what they point at."""
    return {text.get_text(): text.xy for text in ax.texts if hasattr(text, "xy") and text.get_text()}


def words_in(ax):
    """The texts of a panel."""
    return [text.get_text() for text in ax.texts if text.get_text()]


def in_view(ax, points):
    """Whether points (N, 2) lie inside a panel."""
    low, high = np.transpose([ax.get_xlim(), ax.get_ylim()])
    return (low < points).all() and (points < high).all()
