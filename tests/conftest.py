import os
import random
import sys
from importlib.util import find_spec

import numpy as np
import pytest

LEFT_OUT = "CAPSLIB_MNIST is not set: tests on the full MNIST set are left out"
NO_NODE = "Node is not installed: tests of the widgets' JavaScript outside a browser are left out"
NO_CHROMIUM = "Chromium is not installed: tests of the widgets in JupyterLab are left out"
NO_NBGRADER = (
    "nbgrader is in neither environment (make test-class makes one): the tests that grade a class are left out"
)
NO_SITE = "the web edition cannot be made (sh tools/site_env.sh makes what it needs): its tests are left out"
NO_LITE = "the lessons cannot run in a browser (make lite fetches what they need): their tests are left out"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Seed every generator before a test and its fixtures: a network that it makes is the same in each run."""
    random.seed(0)  # Keras, imported later, draws its own seeds from here.
    np.random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


def pytest_collection_modifyitems(items):
    """Where capslib is installed without the course, leave out what needs it."""
    if find_spec("keras") is None:
        for item in items:
            if item.get_closest_marker("course"):
                item.add_marker(pytest.mark.skip(reason="Keras is not installed"))


@pytest.fixture
def full_mnist():
    """Skips the test unless CAPSLIB_MNIST names the full set, so that no test ever downloads it."""
    if not os.environ.get("CAPSLIB_MNIST"):
        pytest.skip(LEFT_OUT)


def pytest_terminal_summary(terminalreporter):
    """One line for all tests that were left out for one reason, just above pytest's own last line."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason in (LEFT_OUT, NO_NODE, NO_CHROMIUM, NO_SITE, NO_LITE, NO_NBGRADER):
        number = sum(reason in str(report.longrepr) for report in skipped)
        if number:
            terminalreporter.write_line(f"{reason} ({number})")
