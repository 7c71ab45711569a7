"""Running a learner's function without letting it run for ever."""

import ctypes
import threading
from collections.abc import Callable
from typing import Any


class TookTooLong(Exception):
    """The function was stopped, or did not stop and was left behind."""


class _Stop(BaseException):
    """What is raised inside the function; no `except Exception` in it catches this."""


def call(function: Callable, arguments: tuple, seconds: float) -> Any:
    """`function(*arguments)`, stopped if it takes longer than it may.

    It runs in a thread of its own, into which Python can raise an exception on every operating system. A signal would
    not do: Windows has no alarm. One call into compiled code that never returns cannot be stopped; it is left behind.

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
    thread.start()
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
