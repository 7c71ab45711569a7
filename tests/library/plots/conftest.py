import numpy as np
import pytest

from capslib.equations import route


@pytest.fixture(scope="module")
def digit():
    """A slanted stroke as an image (28, 28), and the trace of a routing of 49 capsules in which capsule 3 wins."""
    image = np.clip(1.5 - abs(np.subtract.outer(np.arange(28), np.arange(28))) / 2, 0, 1)
    rng = np.random.default_rng(8)
    votes = rng.normal(0, 0.3, (49, 10, 6))
    votes[::9, 3] += np.linspace(0.5, 1.5, 6)  # off the diagonal of the grid, where rows and columns differ
    trace = route(votes, 5)
    assert trace.lengths[-1].argmax() == 3 and (trace.contribution[..., 3] < 0).any()
    return image, trace
