"""Open notebooks in JupyterLab in Chromium, run them, and take pictures: `python -m tools.browser.open_lessons`.

    python -m tools.browser.open_lessons notebooks/03_squash.ipynb ...

The pictures in `build/screenshots` show each notebook from its first cell to its last, in pieces that are called
`lesson-03_squash-1.png` and so on. It fails where a cell does, where anything is written to standard error, at an error
in the page, and at a request to another machine.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tools.browser.harness import PATIENCE, ROOT, Lab, chromium, launched, watched_page

SCREENSHOTS = ROOT / "build" / "screenshots"
PIECE = 3000
"""Pixels that one picture is high; Chromium draws no more than 16,384."""
WHOLE = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none", "scrollPastEnd": False}}
"""All cells are on the page, whether or not they are in sight, and nothing after the last."""
OUTPUTS = """() => jupyterapp.shell.currentWidget.content.model.toJSON().cells.flatMap((cell, number) =>
    (cell.outputs ?? []).flatMap((output) => {
        if (output.output_type === "error") return [`cell ${number}: ${output.ename}: ${output.evalue}`];
        if (output.name === "stderr") return [`cell ${number}, standard error: ${[output.text].flat().join("")}`];
        return [];
    }))"""
SCROLLER = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer"


def photograph(page, name):
    """Save pictures of the notebook in a page, from top to bottom; gives back how many."""
    scroller = page.locator(SCROLLER)
    for old in SCREENSHOTS.glob(f"lesson-{name}-*.png"):
        old.unlink()
    taken, at_end = 0, False
    while not at_end:
        at_end = scroller.evaluate(
            """async (node, down) => {
                const before = node.scrollTop;
                node.scrollTop += down ? node.clientHeight : -node.scrollHeight;
                for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame); // What comes into sight is drawn.
                await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
                // A page that is almost at its end moves by less than a whole one.
                return down ? node.scrollTop - before < node.clientHeight - 1
                    : node.scrollHeight - node.clientHeight < 1;
            }""",
            taken > 0,
        )
        taken += 1
        scroller.screenshot(path=SCREENSHOTS / f"lesson-{name}-{taken}.png", animations="disabled")
    return taken


def look(browser, lab, path, interface="doc"):
    """Run one notebook and take its pictures.

    Returns:
        What is wrong with it, a list of lines, and the number of pictures.
    """
    wrong = []
    with watched_page(browser, viewport={"width": 1300, "height": PIECE}) as page:
        page.set_default_timeout(1000 * PATIENCE)
        try:
            lab.open(page, path, interface=interface)
        except RuntimeError as error:
            wrong.append(str(error).splitlines()[0])
        wrong += page.evaluate(OUTPUTS)
        taken = photograph(page, path.stem)
        wrong += [f"error in the page: {error}" for error in page.errors]
        wrong += [f"requested from elsewhere: {address}" for address in page.outside]
    return wrong, taken


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.browser.open_lessons", description="Run notebooks in JupyterLab and take pictures."
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="notebooks (default: all lessons)")
    parser.add_argument("--interface", choices=["doc", "lab"], default="doc", help="the notebook alone, or all of Lab")
    given = parser.parse_args(arguments)
    if chromium() is None:
        sys.exit(f"{parser.prog}: Chromium is not installed")
    paths = [path.resolve() for path in given.notebooks] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in paths:
        if not path.is_file():
            sys.exit(f"{parser.prog}: {path} does not exist")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    found = 0
    with tempfile.TemporaryDirectory() as folder, launched(chromium()) as browser:
        lab = Lab(Path(folder), settings=WHOLE)
        try:
            for path in paths:
                wrong, taken = look(browser, lab, path, given.interface)
                print(f"{path.name}: {taken} pictures, {len(wrong) or 'no'} errors", flush=True)
                for line in wrong:
                    print(f"  {line}", flush=True)
                found += len(wrong)
        finally:
            lab.close()
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
