"""Importing this module imports TensorFlow without the notices that its C++ side prints at start-up.

They name the time and the process, so no two runs of a notebook would print the same, and a beginner
reads them as errors. Environment variables silence some of them only, and one of those slows training.
"""

import contextlib
import os
import sys


@contextlib.contextmanager
def quiet_stderr():
    """Send what C code writes to standard error to the null device for a while."""
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


with quiet_stderr():
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.list_physical_devices()
        # The device is set up, with a notice of its own, at the first operation; some processors have one for float16.
        tf.cast(tf.zeros(1), "float16")
