import pytest

from capslib import digits


@pytest.fixture(scope="session")
def few():
    """A few hundred digits, so that an epoch takes a second."""
    d = digits.load("bundled")
    return digits.Digits(d.x_train[:600], d.y_train[:600], d.x_val[:200], d.y_val[:200], d.x_test, d.y_test)
