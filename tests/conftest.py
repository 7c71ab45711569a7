import os

import pytest

LEFT_OUT = "CAPSLIB_MNIST is not set: tests on the full MNIST set are left out"


@pytest.fixture
def full_mnist():
    """Skips the test unless CAPSLIB_MNIST names the full set, so that no test ever downloads it."""
    if not os.environ.get("CAPSLIB_MNIST"):
        pytest.skip(LEFT_OUT)


def pytest_terminal_summary(terminalreporter):
    """One line for all tests that were left out, just above pytest's own last line."""
    skipped = terminalreporter.stats.get("skipped", [])
    number = sum(LEFT_OUT in str(report.longrepr) for report in skipped)
    if number:
        terminalreporter.write_line(f"{LEFT_OUT} ({number})")
