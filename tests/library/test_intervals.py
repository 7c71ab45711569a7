import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capslib.intervals import wilson
from tests.library.strategies import SETTINGS


@SETTINGS
@given(st.integers(1, 10_000), st.data())
def test_the_ends_are_where_the_share_is_two_standard_errors_away(n, data):
    """Wilson's own definition: the shares q with |p − q| = z √(q(1 − q)/n)."""
    right = data.draw(st.integers(0, n))
    low, high = wilson(right, n)
    assert 0 <= low <= right / n <= high <= 1
    for q in (low, high):
        assert abs(right / n - q) == pytest.approx(1.959964 * np.sqrt(q * (1 - q) / n), rel=1e-6, abs=1e-9)


def test_it_holds_the_true_share_in_about_95_of_100_samples():
    drawn = np.random.default_rng(0).binomial(500, 0.9, 2000)
    inside = [low <= 0.9 <= high for low, high in (wilson(int(right), 500) for right in drawn)]
    assert 0.93 < np.mean(inside) < 0.97


def test_counts_out_of_range_are_named():
    with pytest.raises(ValueError, match="of: got 0, expected a whole number of at least 1"):
        wilson(0, 0)
    with pytest.raises(ValueError, match="right: got 6, expected a whole number from 0 to 5"):
        wilson(6, 5)
