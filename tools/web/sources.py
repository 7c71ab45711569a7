"""What Sphinx makes the site of: the saved notebooks with their pictures and widgets moved into files of their own.

No cell runs. A picture becomes a file beside the pages. A widget becomes the picture that stands in for it, with the
name of its model; a script of the page holds the states of its models, and each program, which many pages share, is
one more script. Scripts and not data, since a page opened as a file may load nothing else.
"""

import base64
import copy
import hashlib
import json
import re
from pathlib import Path

from tools.render import STATE, VIEW

HERE = Path(__file__).resolve().parent
INLINE = re.compile(r'src="data:image/png;base64,([^"]+)"')


class Static:
    """The files that pages share, by their names; equal ones are kept once."""

    def __init__(self, folder: Path):
        self.folder = folder

    def put(self, kind: str, name: str, content: bytes) -> str:
        """Keep a file; gives its path below the folder."""
        path = f"{kind}/{name}"
        (self.folder / kind).mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)
        return path

    def shared(self) -> None:
        """The styles and the script of every page."""
        styles = (HERE / "static" / "course.css").read_text(encoding="utf-8")
        parts = [(HERE / "static" / name).read_text(encoding="utf-8") for name in ("widgets.js", "live.js")]
        self.put(".", "course.css", styles.encode())
        self.put(".", "course.js", "\n".join(parts).encode())

    def picture(self, encoded: str) -> str:
        """A PNG from its base64; gives its path."""
        content = base64.b64decode(encoded)
        return self.put("pictures", f"{hashlib.sha256(content).hexdigest()[:16]}.png", content)

    def program(self, state: dict) -> tuple[str, str]:
        """A widget's program and styles; gives the key by which its state names them, and the script's path."""
        text = json.dumps([state["_esm"], state.get("_css", "")], ensure_ascii=False)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        name = state["_anywidget_id"].rpartition(".")[2]
        return key, self.put("programs", f"{name}-{key}.js", f'course.program("{key}", {text});\n'.encode())

    def states(self, name: str, models: dict) -> list[str]:
        """The models of a page; gives the paths of all scripts that it needs for them."""
        scripts = {}
        models = copy.deepcopy(models)
        for model in models.values():
            if "_esm" in model["state"]:
                key, path = self.program(model["state"])
                scripts[path] = None
                model["state"]["_esm"] = key
                model["state"].pop("_css", None)
        text = f"course.states({json.dumps(models, ensure_ascii=False)});\n"
        return [*scripts, self.put("states", f"{name}.js", text.encode())]


def models_of(notebook: dict) -> dict:
    """The course's widgets that a notebook has saved, with those that they refer to, by their ids."""
    saved = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    return {key: model for key, model in saved.items() if "_esm" in model["state"]}


def shown(notebook: dict) -> list[tuple[str, dict]]:
    """The id and the output of each widget that a notebook shows, in order."""
    outputs = [
        output for cell in notebook["cells"] for output in cell.get("outputs", []) if VIEW in output.get("data", {})
    ]
    return [(output["data"][VIEW]["model_id"], output["data"]) for output in outputs]


def place(key: str, data: dict, up: str, static: Static) -> str:
    """A widget in a page: the picture that stands in for it, until the page puts the widget in its place.

    Args:
        key: the id of its model.
        data: its output, from MIME type to content.
        up: from the page to the site's top, such as "../".
        static: where its picture goes.
    """
    return f'<div class="course-widget" data-model="{key}">{_picture(_text(data["text/html"]), up, static)}</div>'


def page(notebook: dict, up: str, static: Static) -> dict:
    """A notebook as Sphinx is to read it.

    Args:
        notebook: as it is saved; left as it is.
        up: from the page to the site's top, such as "../".
        static: where its pictures go.
    """
    notebook = copy.deepcopy(notebook)
    notebook["metadata"].pop("widgets", None)
    texts = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    if not any(line.startswith("## ") for cell in texts for line in cell["source"]):
        for cell in texts:  # A page's headings leave out no level.
            cell["source"] = [line.removeprefix("#") if line.startswith("### ") else line for line in cell["source"]]
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data")
            if not data or "text/html" not in data:
                continue
            if VIEW in data:
                text = place(data[VIEW]["model_id"], data, up, static)
            else:
                text = _picture(_text(data["text/html"]), up, static)
            output["data"] = {"text/html": text}
    return notebook


def without_outside_links(text: str) -> str:
    """Markdown in which links to files that the site does not have are the words alone."""
    kept = r"[a-z]+:|#|(?:\S*/)?\w+\.ipynb"
    return re.sub(rf"(?<!!)\[([^\]]+)\]\((?!{kept})[^)]*\)", r"\1", text)


def _text(lines: str | list[str]) -> str:
    return "".join(lines)


def _picture(html: str, up: str, static: Static) -> str:
    return INLINE.sub(lambda found: f'loading="lazy" src="{up}_static/{static.picture(found[1])}"', html)
