"""The broken routers of lesson 04 have the symptoms that its hints and solutions speak of."""

import numpy as np
import pytest

from capslib import equations
from capslib.exercises.lesson_04 import ROUTERS

VOTES = np.array(
    [[[-1.0, 1.5], [1.0, 1.0]], [[-0.5, 2.0], [-1.0, 0.5]], [[0.0, 1.5], [0.5, -1.5]], [[1.5, -1.0], [0.5, 0.0]]]
)  # of the lesson


def failing(trace):
    """The equations of routing that a trace does not keep."""
    kept = {
        "c": (trace.c, equations.softmax(trace.b)),
        "s": (trace.s, equations.weighted_sum(trace.c, trace.u_hat)),
        "v": (trace.v, equations.squash(trace.s)),
        "a": (trace.a, equations.agreement(trace.u_hat, trace.v)),
        "b": (trace.b[1:], trace.b[:-1] + trace.a[:-1]),
    }
    return "".join(name for name, (got, expected) in kept.items() if not np.allclose(got, expected))


@pytest.mark.parametrize(
    ("name", "fail"), [("router A", "a"), ("router B", "s"), ("router C", "cb"), ("router D", "c")]
)
def test_each_broken_router_breaks_its_own_equation(name, fail):
    assert failing(ROUTERS[name](VOTES)) == fail
    assert failing(equations.route(VOTES)) == ""


def test_lengths_alone_do_not_tell_the_routers_apart():
    A, B, C, D = (router(VOTES) for router in ROUTERS.values())
    right = equations.route(VOTES)
    np.testing.assert_allclose(C.lengths, right.lengths)
    np.testing.assert_allclose(A.lengths[0], right.lengths[0])
    np.testing.assert_allclose(B.lengths[0], D.lengths[0])
    np.testing.assert_allclose(B.c.sum(-1), 1)
    np.testing.assert_allclose(D.c[0].sum(-1), 0.5)
    assert max(trace.lengths.max() for trace in (A, B, C, D)) < 1
    assert not np.allclose(A.lengths[1], right.lengths[1])
