"""Importing this module imports TensorFlow without the notices that its C++ side prints at start-up.

The notices contain the time and the process, so no two runs of a notebook would print the same text, and beginners
read them as errors. Environment variables silence only some of them, and one of those variables slows training.
"""

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what C code writes to standard error to the null device for a while."""
    _fill_descriptor_2()
    # sys.stderr may be missing, as without a console on Windows, or closed.
    with contextlib.suppress(AttributeError, ValueError, OSError):
        sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _fill_descriptor_2() -> None:
    """Put the null device on file descriptor 2 if it is closed, and leave it there.

    Otherwise the next file or pipe that is opened gets the number 2, and everything meant for standard error is written
    into it. That may be what TensorFlow's threads use to wake each other.
    """
    try:
        os.fstat(2)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)  # The lowest number that is free: 2 itself, if 0 and 1 are open.
        if nowhere != 2:
            os.dup2(nowhere, 2)
            os.close(nowhere)


with quiet_stderr():
    from capslib.backend import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.list_physical_devices()
        # The device is set up, with a notice of its own, at the first operation; some processors have one for float16.
        tf.cast(tf.zeros(1), "float16")
