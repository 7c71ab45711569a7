"""Keras, or one sentence that says why it cannot start. The parts of capslib that need Keras import it from here."""

from capslib.checks import backend_problem


class BackendError(ImportError):
    """Keras is not here, or was told to run on a backend that is not."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the sentence, in place of forty lines of traceback."""
        return [f"{type(self).__name__}: {self}"]


_problem = backend_problem()
if _problem:
    raise BackendError(_problem)

try:
    import keras
    from keras import ops
except ModuleNotFoundError as error:
    raise BackendError(
        f"{error.name}: not found; this lesson needs the installed course: `make lab` in a copy of its repository, or "
        "the extra capslib[course]"
    ) from None

__all__ = ["BackendError", "keras", "ops"]
