"""Running a learner's function without letting it run for ever."""

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import Any


class TookTooLong(Exception):
    """The function was stopped, or did not stop and was left behind."""


class _Stop(BaseException):
    """What is raised inside the function; no `except Exception` in it catches this."""


def call(function: Callable, arguments: tuple, seconds: float) -> Any:
    """`function(*arguments)`, stopped if it takes longer than it may.

    It runs in a thread of its own, into which Python can raise an exception on every operating system. A signal would
    not do: Windows has no alarm. In a browser, where Python has one thread, the clock is looked at each time a loop
    begins again. One call into compiled code that never returns cannot be stopped; it is left behind.

    Args:
        function: of any kind.
        arguments: what to call it with.
        seconds: how long it may take.

    Raises:
        TookTooLong: if it took longer.
        Exception: whatever the function raised.
    """
    found: dict[str, Any] = {}

    def run():
        try:
            found["result"] = function(*arguments)
        except BaseException as error:
            found["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # There can be no other thread.
        _watch(run, seconds)
    else:
        try:
            thread.join(seconds)
        finally:
            if thread.is_alive():
                _stop(thread)
    error = found.get("error")
    if isinstance(error, _Stop) or not found:
        raise TookTooLong
    if isinstance(error, Exception):
        raise error
    if error is not None:  # SystemExit and KeyboardInterrupt of the learner's own must not end the kernel.
        raise RuntimeError(f"{type(error).__name__}: {error}") from None
    return found["result"]


def _stop(thread: threading.Thread) -> None:
    # Again and again, since the function may catch it and go on; a second in all, since compiled code hears nothing.
    for _ in range(10):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stop))
        thread.join(0.1)
        if not thread.is_alive():
            return


def _watch(run: Callable, seconds: float) -> None:
    """Call `run` in this thread, and raise _Stop in it at the first turn of a loop that is too late."""
    if sys.version_info < (3, 12):  # The first with sys.monitoring; a browser has it.
        run()
        return
    end = time.monotonic() + seconds

    def look(*_: Any) -> None:
        if time.monotonic() > end:
            raise _Stop

    watch, tool = sys.monitoring, sys.monitoring.DEBUGGER_ID
    watch.use_tool_id(tool, __name__)
    watch.register_callback(tool, watch.events.JUMP, look)
    watch.set_events(tool, watch.events.JUMP)
    try:
        run()
    finally:
        watch.set_events(tool, watch.events.NO_EVENTS)
        watch.free_tool_id(tool)
