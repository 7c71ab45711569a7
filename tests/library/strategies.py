"""What Hypothesis draws: the same cases in every run, so that a failure is everybody's failure."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SETTINGS = settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


@st.composite
def routing_cases(draw, vote_std=0.5):
    """u (B, I, D_in), W shared or not, in float64, with votes of the given standard deviation, and 1–8 iterations."""
    B, I, J = draw(st.integers(1, 4)), draw(st.integers(1, 24)), draw(st.integers(1, 10))
    D_in, D_out = draw(st.integers(1, 12)), draw(st.integers(1, 16))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (D_in, J, D_out) if draw(st.booleans()) else (I, D_in, J, D_out)
    u = rng.normal(size=(B, I, D_in))
    W = rng.normal(scale=vote_std / np.sqrt(D_in), size=shape)
    return u, W, draw(st.integers(1, 8))
