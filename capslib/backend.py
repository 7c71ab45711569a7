"""Keras, or one sentence that says why it cannot start. The parts of capslib that need Keras import it from here."""

from capslib.checks import backend_problem


class BackendError(ImportError):
    """Keras was told to run on a backend that is not here."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the sentence, in place of forty lines of traceback."""
        return [f"{type(self).__name__}: {self}"]


_problem = backend_problem()
if _problem:
    raise BackendError(_problem)

import keras  # noqa: E402
from keras import ops  # noqa: E402

__all__ = ["BackendError", "keras", "ops"]
