"""What all widgets of the course share: one JavaScript module made of several files, a picture, and checked traits."""

import functools
import json
import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from capslib import pictures, style
from capslib.checks import check_floats

FOLDER = Path(__file__).parent
STATE_LIMIT = 400_000
"""Bytes that one widget may send to the page and leave in a saved notebook."""

_COMMENT = re.compile(r"^ *(/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.\.?/[\w./]+)";\n', re.MULTILINE)


def join(name) -> str:
    """A widget's JavaScript as one module: the files that it imports, each once and before its first use, then its own.

    A widget's module reaches the page as text, where `import … from "./equations.js"` has nothing to be relative to.
    The files become one scope, so a name at the top level of one must not occur in another. `palette.js` is not a
    file: it is the palette of capslib.style. Comments on lines of their own stay behind: every widget that a notebook
    shows brings its program along, and they are a quarter of it.

    Args:
        name: a file of the folder js, or of a folder in it, as in `routing_explorer/index.js`.
    """
    parts = {}

    def visit(file):
        if file == "palette.js":
            parts[file] = f"const COLOURS = {json.dumps(style.COLOURS)};\nconst SCALES = {json.dumps(style.SCALES)};\n"
        elif file not in parts:
            text = (FOLDER / "js" / file).read_text(encoding="utf-8")
            for imported in _IMPORT.findall(text):
                visit(posixpath.normpath(posixpath.join(posixpath.dirname(file), imported)))
            parts[file] = _COMMENT.sub("", _IMPORT.sub("", text))

    visit(name)
    return "\n".join(parts.values())


def join_styles(*names) -> str:
    """The palette as CSS variables `--caps-…`, then the shared styles, then those of a widget."""
    palette = "".join(f"  --caps-{name.replace('_', '-')}: {value};\n" for name, value in style.COLOURS.items())
    palette = palette.replace("--caps-ink:", "--caps-print:")  # Ink follows the theme; see base.css.
    files = ((FOLDER / "css" / name).read_text(encoding="utf-8") for name in names)
    return "\n".join([f".caps {{\n{palette}}}", *files])


class Refused(traitlets.TraitError, ValueError):
    """A value that does not fit a trait. traitlets puts the old state back only after an error of its own kind."""


class Checked(traitlets.TraitType):
    """A trait shared with the page that accepts only what passes a check, as in `Checked(check_number, 0.05, 1)`.

    Flags and words have types in traitlets that say what is wrong (Bool, Enum). Numbers come here: Int and Float take
    True, Int refuses NumPy's numbers, and NaN passes the bounds of Float. An array reaches the page as nested lists.

    Args:
        check: is called with the trait's name, the value and `args`; returns what to keep, or raises ValueError. None
            where a value can only be judged beside others, by a method under `validate`.
        default: what the trait holds until it is set; without one it must be set.
        read_only: whether only the widget itself sets it.
    """

    def __init__(self, check=None, *args, default=traitlets.Undefined, read_only=False):
        super().__init__(default, read_only=read_only)
        self._check, self._args = check, args
        self.tag(sync=True, to_json=lambda value, widget: value.tolist() if isinstance(value, np.ndarray) else value)

    def validate(self, obj, value) -> Any:
        """The value to keep; Refused if the check raises ValueError."""
        if self._check is None:
            return value
        try:
            return self._check(self.name, value, *self._args)
        except ValueError as error:
            raise Refused(str(error)) from None


def validate(*names: str) -> Callable:
    """`traitlets.validate` for a method `check(self, name, value)` that returns what to keep, or raises ValueError.

    For what depends on other traits: where several are set at once, it is called after all of them have arrived.
    """

    def decorate(check):
        @functools.wraps(check)
        def validator(self, proposal):
            try:
                return check(self, proposal["trait"].name, proposal["value"])
            except ValueError as error:
                raise Refused(str(error)) from None

        return traitlets.validate(*names)(validator)

    return decorate


class Widget(anywidget.AnyWidget):
    """Base of the course's widgets.

    A subclass names its files as class arguments, as in `class Explorer(Widget, script="explorer.js",
    styles="explorer.css")`, and says what it shows in `describe()` and `picture()`, which stand in for it where no
    widget can live: on a code host, in an untrusted notebook, on a page without JavaScript.
    """

    def __init_subclass__(cls, script=None, styles=None, **kwargs):
        if script is not None:
            cls._esm = join(script)
            cls._css = join_styles("base.css", *([styles] if styles else []))
        super().__init_subclass__(**kwargs)

    def __init__(self, **values):
        """`values` of traits, read-only ones as well."""
        traits = self.traits()
        for name in [name for name in values if name in traits and traits[name].read_only]:
            self.set_trait(name, values.pop(name))
        super().__init__(**values)

    def set_state(self, sync_data) -> None:
        """Take what the page sends, all of it or nothing; a page whose values are refused gets the old ones back."""
        ours = [name for name in sync_data if name in self.keys]
        try:
            for name in ours:
                if getattr(type(self), name).read_only:  # ipywidgets would set it anyway.
                    raise Refused(f"{name}: got a value from the page, expected none, since it is read-only")
            super().set_state(sync_data)
        except traitlets.TraitError:
            self.send_state(ours)
            raise

    def describe(self) -> str:
        """What the widget shows now, in a sentence or two."""
        raise NotImplementedError

    def picture(self) -> bytes:
        """PNG bytes of what the widget shows now."""
        raise NotImplementedError

    def __repr__(self):
        return f"{type(self).__name__}: {self.describe()}"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        picture, about = pictures.bundle(self.picture(), self.describe())
        return {**data, **picture}, {**metadata, **about}

    @classmethod
    def check_size(cls, buffers, limit=STATE_LIMIT, advice="show fewer examples"):
        """Refuse more than `limit` bytes of arrays and program, naming the largest array.

        Args:
            buffers: dict from an argument's name to the bytes to send for it.
            limit: how many bytes there may be.
            advice: what would make them fewer.

        Raises:
            ValueError: if they are too many.
        """
        sizes = {name: len(sent) for name, sent in buffers.items()}
        total = sum(sizes.values()) + len(str(cls._esm).encode()) + len(str(cls._css).encode())
        if total > limit:
            largest = max(sizes, key=sizes.get)
            raise ValueError(
                f"{largest}: got {sizes[largest]:,} bytes, which make a widget of {total:,} bytes, "
                f"expected at most {limit:,}: {advice}"
            )


def frozen(name, x, shape) -> np.ndarray:
    """A float64 copy of `x`, checked; writing `x[0] = 1` would reach no view, so it must fail loudly."""
    check_floats(name, x, shape)
    x = np.array(x, float)
    x.flags.writeable = False
    return x
