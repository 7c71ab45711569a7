"""A learner's function is called for a while, in a thread of its own, or in the only one that a browser has."""

import itertools
import sys
import threading

import pytest

from capslib.exercises import limits


def endless(*arguments):
    while True:
        pass


def test_what_a_function_raises_is_raised_and_what_it_returns_is_returned():
    assert limits.call(lambda x, y: x + y, (1, 2), 60) == 3
    assert limits.call(lambda: None, (), 60) is None
    with pytest.raises(KeyError, match="no"):
        limits.call(lambda: {}["no"], (), 60)


@pytest.fixture
def one_thread(monkeypatch):
    """As in a browser, where Python can start no thread."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 cannot stop a loop in its only thread")
def test_with_one_thread_a_loop_is_stopped_as_well(one_thread):
    for solution in (endless, lambda: sum(1 for _ in itertools.count()), lambda: [x for x in iter(int, 1)]):
        with pytest.raises(limits.TookTooLong):
            limits.call(solution, (), 0.1)
    assert sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID) is None


def test_with_one_thread_a_function_is_called_as_well(one_thread):
    assert limits.call(lambda x: sum(x for _ in range(10)), (1,), 60) == 10
    with pytest.raises(KeyError, match="no"):
        limits.call(lambda: {}["no"], (), 60)
