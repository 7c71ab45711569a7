"""Importing this module imports TensorFlow without the notices that its C++ side prints at start-up.

They name the time and the process, so no two runs of a notebook would print the same, and a beginner
reads them as errors. Environment variables silence some of them only, and one of those slows training.
"""

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what C code writes to standard error to the null device for a while."""
    _fill_descriptor_2()
    # There may be no sys.stderr, as without a console on Windows; or it may be closed.
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

    Otherwise the next thing that is opened gets the number 2, be it a file or what TensorFlow's threads wake each other
    with, and all that is meant for standard error is written into it.
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
