"""Pictures of the explorer at work: `python -m tools.web.picture` takes figures/explorer.png and explorer.webp again.

The first is what other sites show of a link to the course, the second stands in the README. Both are taken in Chromium
from the explorer that lesson 00 has saved, the animation step by step through one routing.
"""

import io
import json
import tempfile
from pathlib import Path

from PIL import Image

from capslib.records import write_atomically
from tools.browser.harness import chromium, launched, mounted_page
from tools.web import sources

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "figures"
SIZE = (1200, 630)
"""What other sites show of a link, in pixels."""

WIDTH = 900
"""Of the animation."""

SHORT, LONG = 650, 2600
"""Milliseconds that a step is shown, and the last one."""


def saved_explorer() -> dict:
    """What lesson 00 has saved of its explorer, as `saved_state` gives it."""
    notebook = json.loads((ROOT / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8"))
    models = sources.models_of(notebook)
    (key,) = [key for key, _ in sources.shown(notebook) if "RoutingExplorer" in models[key]["state"]["_anywidget_id"]]
    return {"id": key, "states": models}


def pictures(browser, folder: Path) -> tuple[bytes, list[Image.Image]]:
    """The PNG of one step, and a picture of every step of a routing."""
    file = folder / "explorer.html"
    file.write_text(mounted_page(saved_explorer()), encoding="utf-8")
    page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
    page.goto(file.as_uri())
    root = page.get_by_test_id("re-root")
    root.wait_for()
    # What moves on its own would be caught halfway.
    page.add_style_tag(content="* { transition: none !important } .caps { max-width: none !important }")
    page.add_style_tag(content=".caps-re-status, .caps-re-more, .caps-re-unfolded, .caps-re-keys { display: none }")
    page.evaluate("model.set('iteration', 3); model.set('step', 'squash')")
    png = page.screenshot()
    page.set_viewport_size({"width": WIDTH, "height": 700})
    page.evaluate("model.set('iteration', 1); model.set('step', 'softmax')")
    frames = []
    for _ in range(4 * 5):
        frames.append(Image.open(io.BytesIO(root.screenshot())).convert("RGB"))
        root.press("ArrowRight")
    page.close()
    return png, frames


def animation(frames: list[Image.Image]) -> bytes:
    """The frames as a WebP that plays twice and stands still on the last."""
    size = tuple(max(frame.size[k] for frame in frames) for k in (0, 1))
    sheets = [Image.new("RGB", size, "white") for _ in frames]
    for sheet, frame in zip(sheets, frames, strict=True):
        sheet.paste(frame)
    times = [SHORT] * (len(sheets) - 1) + [LONG]
    out = io.BytesIO()
    sheets[0].save(out, "WEBP", save_all=True, append_images=sheets[1:], duration=times, loop=2, quality=80, method=6)
    return out.getvalue()


def main() -> None:
    """The command line."""
    with tempfile.TemporaryDirectory() as folder, launched(chromium()) as browser:
        png, frames = pictures(browser, Path(folder))
    for name, content in (("explorer.png", png), ("explorer.webp", animation(frames))):
        write_atomically(FIGURES / name, lambda file, content=content: file.write(content))
        print(f"{FIGURES / name}: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
