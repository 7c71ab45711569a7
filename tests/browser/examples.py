"""One of each widget, made of small arrays: what holds for all widgets is tested on these.

A new widget adds its line to EXAMPLES; until then a test fails.
"""

import inspect

from capslib import widgets
from capslib.widgets._base import Widget

EXAMPLES = {
    "MarginLossExplorer": lambda: widgets.MarginLossExplorer([0.04, 0.06, 0.12, 0.62, 0.02, 0.3, 0.05, 0.09, 0.45, 0.2], 3),
    "SquashExplorer": lambda: widgets.SquashExplorer(),
    "VoteRouter": lambda: widgets.VoteRouter(),
}
"""Name of a widget's class → a function without arguments that makes one."""


def exported():
    """Names of the widgets that capslib.widgets offers."""
    return {name for name, value in vars(widgets).items() if inspect.isclass(value) and issubclass(value, Widget)} - {
        "Widget"
    }
