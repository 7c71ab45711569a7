"""The sentences that refuse a bad argument."""

import numpy as np
import pytest

from capslib.checks import check_choice, check_numbers
from capslib.equations import em_route


@pytest.mark.parametrize("value", ["3", ["1", "2"], True, [True, False], 1j, [1, [2, 3]], None, [None, 1], np.nan])
def test_only_real_numbers_are_numbers(value):
    with pytest.raises(ValueError) as error:
        check_numbers("x", value)
    assert str(error.value) == f"x: got {value!r}, expected a finite number"


@pytest.mark.parametrize("value", [3, 2.5, np.float32(2), [1, 2.5], np.arange(3), np.uint8([[4]]), []])
def test_real_numbers_of_any_type_become_float64(value):
    found = check_numbers("x", value)
    assert found.dtype == np.float64 and np.array_equal(found, np.asarray(value, float))


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((0,), "a number of at least 0"), ((0, 4), "a number from 0 to 4")],
)
def test_the_bounds_that_there_are_are_said(bounds, expected):
    for value, said in ((-1, "-1"), ([2, -1.5], "-1.5"), ("a", "'a'")):
        with pytest.raises(ValueError) as error:
            check_numbers("x", value, *bounds)
        assert str(error.value) == f"x: got {said}, expected {expected}"


def test_a_negative_lambda_is_told_its_bound():
    with pytest.raises(ValueError, match="^lam: got -1, expected a number of at least 0$"):
        em_route(np.ones((4, 2, 3)), lam=-1)


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([], "nothing, since there is no choice"),
        (["a"], "'a'"),
        (["a", "b"], "'a' or 'b'"),
        (["a", "b", "d"], "'a', 'b' or 'd'"),
    ],
)
def test_choices_are_listed_however_many_there_are(choices, expected):
    with pytest.raises(ValueError) as error:
        check_choice("x", "c", choices)
    assert str(error.value) == f"x: got 'c', expected {expected}"
