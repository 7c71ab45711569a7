"""What a learner has solved, in one small file in their own data directory; nothing leaves the machine."""

import contextlib
import json
import os
from pathlib import Path

import platformdirs

from capslib.records import write_atomically

KINDS = ("exercises", "quizzes")


def path() -> Path:
    """Where the file is, or would be."""
    return platformdirs.user_data_path("capslib") / "progress.json"


def done() -> dict[str, list[str]]:
    """The names of what is done, by kind, in the order in which it was.

    A file that is damaged or of another form counts as none: it is replaced at the next success.
    """
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    with contextlib.suppress(OSError, ValueError, AttributeError):
        kept = json.loads(path().read_text(encoding="utf-8"))
        for kind in KINDS:
            names = kept.get(kind, [])
            if isinstance(names, list):
                found[kind] = list(dict.fromkeys(name for name in names if isinstance(name, str)))
    return found


def note(kind: str, name: str) -> None:
    """Keep that something is done; a home that cannot be written to keeps nothing, and disturbs nobody.

    Nothing is kept while nbgrader grades either: what it runs was done by a student, and the home is the teacher's.

    Args:
        kind: one of KINDS.
        name: of the exercise or the quiz.
    """
    kept = done()
    if name in kept[kind] or os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return
    kept[kind].append(name)
    text = json.dumps(kept, indent=1) + "\n"
    with contextlib.suppress(OSError):
        write_atomically(path(), lambda file: file.write(text.encode()))


def reset() -> None:
    """Forget everything that is done."""
    with contextlib.suppress(OSError):
        path().unlink(missing_ok=True)
