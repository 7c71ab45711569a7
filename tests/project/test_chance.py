"""What a test does not seed is the same in every run, so that none fails by chance."""

import random

import numpy as np
import pytest

keras = pytest.importorskip("keras")
FIRST = []


@pytest.mark.parametrize("visit", ["first", "second"])
def test_each_test_starts_from_the_same_numbers(visit):
    layer = keras.layers.Dense(1)
    layer.build((1, 1))
    found = random.random(), np.random.rand(), float(keras.random.uniform(())), float(layer.kernel[0, 0])
    FIRST.append(found)
    assert found == FIRST[0]
