"""What all widgets of the course share: one module of JavaScript made of several files, a picture, checked arrays."""

import base64
import html
import json
import posixpath
import re
from pathlib import Path

import anywidget

from capslib import style
from capslib.checks import check_floats as finite  # noqa: F401 — the other widgets still call it by this name

FOLDER = Path(__file__).parent
STATE_LIMIT = 400_000
"""Bytes that one widget may send to the page and leave in a saved notebook."""

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.\.?/[\w./]+)";\n', re.MULTILINE)


def join(name):
    """A widget's JavaScript as one module: the files that it imports, each once and before its first use, then its own.

    A widget's module reaches the page as text, where `import … from "./equations.js"` has nothing to be relative to.
    They become one scope, so that a name at the top level of one must be in no other. `palette.js` is no file: it is
    the palette of capslib.style.

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
            parts[file] = _IMPORT.sub("", text)

    visit(name)
    return "\n".join(parts.values())


def join_styles(*names):
    """The palette as CSS variables `--caps-…`, then the shared styles, then those of a widget."""
    palette = "".join(f"  --caps-{name.replace('_', '-')}: {value};\n" for name, value in style.COLOURS.items())
    palette = palette.replace("--caps-ink:", "--caps-print:")  # Ink follows the theme; see base.css.
    files = ((FOLDER / "css" / name).read_text(encoding="utf-8") for name in names)
    return "\n".join([f".caps {{{{\n{palette}}}}}", *files])


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

    def describe(self):
        """What the widget shows now, in a sentence or two."""
        raise NotImplementedError

    def picture(self):
        """PNG bytes of what the widget shows now."""
        raise NotImplementedError

    def __repr__(self):
        return f"{type(self).__name__}: {self.describe()}"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        alt, png = self.describe(), base64.b64encode(self.picture()).decode()
        data["text/plain"] = alt
        data["image/png"] = png
        # An untrusted notebook shows HTML without scripts, and in JupyterLab only HTML keeps the alt text.
        data["text/html"] = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{png}">'
        return data, {**metadata, "image/png": {"alt": alt}}

    @classmethod
    def check_size(cls, buffers):
        """Refuse more than STATE_LIMIT bytes of arrays and program, naming the largest array.

        Args:
            buffers: dict from an argument's name to the bytes to send for it.

        Raises:
            ValueError: if they are too many.
        """
        sizes = {name: len(sent) for name, sent in buffers.items()}
        total = sum(sizes.values()) + len(str(cls._esm).encode()) + len(str(cls._css).encode())
        if total > STATE_LIMIT:
            largest = max(sizes, key=sizes.get)
            raise ValueError(
                f"{largest}: got {sizes[largest]:,} bytes, which make a widget of {total:,} bytes, "
                f"expected at most {STATE_LIMIT:,}: show fewer examples"
            )
