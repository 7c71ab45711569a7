"""How fast the widgets are in a browser: `python -m benchmarks.widgets` measures those that the lessons show.

Writes `widgets.json`. A step is what one use of a control takes, from its event until the browser has drawn the frame
that shows it ("drawn"), and of that the widget's own drawing with style and layout ("program"); "held" is the time
between frames while each brings one more step, 16.7 ms where the browser keeps its pace. The first drawing is measured
in a page without a kernel, loading the program included, and in JupyterLab, where the cell runs in the lesson.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import summary
from capslib.records import machine, write_atomically
from tools.browser.examples import EXAMPLES
from tools.browser.harness import ROOT, STATE, VIEW, Lab, chromium, launched, mounted_page, saved_state, state_size

FOLDER = Path(__file__).parent / "results"

HELD = 3
"""Of how many controls, the slowest, it is measured whether the browser keeps its pace while they are held."""

IN_PAGE = """
const controls = () => [...document.querySelectorAll(".view :is(button, select, input, [tabindex])")]
  .filter((node) => node.dataset.testid && !node.disabled && node.getClientRects().length);
const keys = ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"];
const event = (name, more = {}) =>
  new (more.key ? KeyboardEvent : Event)(name, { bubbles: true, cancelable: true, ...more });

/** Use a control as a learner would, for the n-th time. */
function use(node, n) {
  if (node.localName === "select") {
    node.selectedIndex = (node.selectedIndex + 1) % node.options.length;
    node.dispatchEvent(event("change"));
  } else if (node.type === "range") {
    const [low, high] = [Number(node.min), Number(node.max)];
    node.value = low + ((n * 0.618) % 1) * (high - low);
    node.dispatchEvent(event("input"));
  } else if (node.localName === "button" || node.localName === "input") {
    node.click();
  } else {
    node.dispatchEvent(event("keydown", { key: keys[n % keys.length] }));
  }
}

/** Milliseconds of an action's program, and until the frame that shows it has been drawn. */
const timed = (act) => new Promise((resolve) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  const begun = performance.now();
  act();
  document.body.getBoundingClientRect(); // Style and layout now.
  const program = performance.now() - begun;
  port1.onmessage = () => resolve([program, performance.now() - begun]);
  if (living.frames.size) requestAnimationFrame(() => port2.postMessage(0)); // It draws in a frame to come.
  else port2.postMessage(0); // Comes after this frame.
}));

/** All that as at first. */
const start = { ...model.state };
async function again() {
  await unmount();
  model.set(start);
  await mount();
}

/** Uses of one control that changed something: a list of [program, drawn]. */
async function uses(test, rounds) {
  const found = [];
  let changed = false;
  await again();
  const watch = new MutationObserver(() => {});
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  watch.observe(document.getElementById("views"), everything);
  const heard = () => { changed = true; };
  model.on("change", heard);
  for (let n = 0, idle = 0; found.length < rounds && idle < 4; n++) {
    let node = controls().find((one) => one.dataset.testid === test);
    if (!node) {
      idle++;
      await again();
      continue;
    }
    node.focus();
    watch.takeRecords();
    changed = false;
    const times = await timed(() => {
      use(node, n);
      changed ||= watch.takeRecords().length > 0;
    });
    if (changed) {
      found.push(times);
      idle = 0;
    } else {
      idle++;
      await again();
    }
  }
  watch.disconnect();
  model.off("change", heard);
  return found;
}

/** Milliseconds from one frame to the next while every frame brings one more use of a control. */
async function held(test, frames) {
  await again();
  const found = [];
  for (let n = 0, last; n <= frames; n++) {
    const now = await new Promise(requestAnimationFrame);
    if (n) found.push(now - last);
    last = now;
    const node = controls().find((one) => one.dataset.testid === test);
    if (node) use(node, n);
  }
  await again();
  return found;
}
"""
FIRST = """async () => {
  programs.clear();
  model.program = undefined;
  const begun = performance.now();
  await mount();
  await new Promise((resolve) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(0);
  }));
  return performance.now() - begun;
}"""
IN_LAB = """async (index) => {
  const notebook = jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = index;
  await notebook.scrollToItem(index);
  const cell = notebook.widgets[index];
  // Drawn last by a widget: the sentence about its state, or the question of a quiz, which has said nothing yet.
  const line = () => cell.node.querySelector(".caps :is([aria-live]:not(:empty), .caps-quiz-question > legend)");
  const old = line();
  const begun = performance.now();
  const drawn = new Promise((resolve) => {
    const watch = new MutationObserver(() => {
      if (!line()?.textContent || line() === old) return;
      watch.disconnect();
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now() - begun);
        port2.postMessage(0);
      });
    });
    watch.observe(cell.node, { subtree: true, childList: true, characterData: true });
  });
  await jupyterapp.commands.execute("notebook:run-cell");
  const ran = performance.now() - begun;
  const error = cell.model.outputs.toJSON().find((output) => output.output_type === "error");
  if (error) throw new Error(`cell ${index}: ${error.ename}: ${error.evalue}`);
  return [ran, await drawn];
}"""


def shown(path):
    """The course's widgets in a saved lesson: (class, number of the cell, what is saved of it), each class once."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    states = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    found = {}

    def closure(model, into):
        if model in states and model not in into:
            into[model] = states[model]
            for other in re.findall(r"(?:IPY_MODEL_|anywidget:)([0-9a-f]{32})", json.dumps(states[model]["state"])):
                closure(other, into)
        return into

    for number, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", []):
            model = output.get("data", {}).get(VIEW, {}).get("model_id")
            name = states[model]["state"].get("_anywidget_id", "") if model in states else ""
            if name.startswith("capslib."):
                saved = {"id": model, "states": closure(model, {})}
                found.setdefault(name.rpartition(".")[2], (name.rpartition(".")[2], number, saved))
    return list(found.values())


def steps(page, rounds):
    """Milliseconds of each control of the widget in a page, the slowest first."""
    page.evaluate(f"() => {{ {IN_PAGE}\nObject.assign(window, {{ uses, held, controls }}); }}")
    found = {}
    for test in page.evaluate("controls().map((node) => node.dataset.testid)"):
        times = page.evaluate("([test, rounds]) => uses(test, rounds)", [test, rounds])
        if len(times) >= min(rounds, 6):
            program, drawn = ([round(value, 2) for value in values] for values in zip(*times, strict=True))
            found[test] = {"program": summary(program), "drawn": summary(drawn)}
    found = dict(sorted(found.items(), key=lambda entry: -entry[1]["drawn"]["median_ms"]))
    for test in list(found)[:HELD]:
        frames = page.evaluate("([test, frames]) => held(test, frames)", [test, 2 * rounds])
        found[test]["held"] = summary([round(value, 2) for value in frames])
    return found


def in_page(browser, saved, rounds, loads):
    """A widget without a kernel: its first drawing in new pages, then each of its controls."""
    with (
        tempfile.TemporaryDirectory() as folder,
        browser.new_context(viewport={"width": 1100, "height": 900}) as context,
    ):
        file = Path(folder, "widget.html")
        file.write_text(mounted_page(saved, views=0), encoding="utf-8")
        first = []
        for _ in range(loads):
            page = context.new_page()
            page.goto(file.as_uri())
            page.evaluate("ready")
            first.append(round(page.evaluate(FIRST), 2))
            if len(first) < loads:
                page.close()
        return {"first_drawing": summary(first), "steps": steps(page, rounds)}


def stored_before(file, results):
    """What is stored of the widgets; ValueError if not all of it can stand beside the new results."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    for fact in ("command", "machine", "browser"):
        if stored[fact] != results[fact]:
            raise ValueError(f"only: got {results[fact]!r}, expected {stored[fact]!r} as of the other widgets")
    return stored["widgets"]


def run(folder=FOLDER, rounds=12, loads=6, log=print, only=()):
    """Measure every widget as a lesson shows it; of one that no lesson shows the tests' example, and not in JupyterLab.

    Args:
        folder: where to write `widgets.json`.
        rounds: how often each control is used.
        loads: how often each is drawn for the first time.
        log: called with lines of progress.
        only: names of the widgets to measure; of the others `widgets.json` keeps what it has. Without any, all.

    Returns:
        What was written.

    Raises:
        RuntimeError: if there is no Chromium.
        ValueError: if `only` names what is no widget, or another machine or browser measured the others.
    """
    unknown = sorted(set(only) - set(EXAMPLES))
    if unknown:
        raise ValueError(f"only: got {unknown[0]!r}, expected {', '.join(sorted(EXAMPLES))}")
    path = chromium()
    if path is None:
        raise RuntimeError("Chromium is not installed")
    wanted = set(only) or set(EXAMPLES)
    lessons = {
        lesson: [widget for widget in shown(lesson) if widget[0] in wanted]
        for lesson in sorted((ROOT / "notebooks").glob("*.ipynb"))
    }
    results = {"command": f"python -m benchmarks.widgets --rounds {rounds}", "machine": machine(), "widgets": {}}
    with launched(path) as browser, tempfile.TemporaryDirectory() as temporary:
        results["browser"] = f"Chromium {browser.version}, headless, without a graphics card"
        kept = stored_before(Path(folder) / "widgets.json", results) if only else {}
        for lesson, widgets in lessons.items():
            for name, _, saved in widgets:
                found = {"lesson": lesson.name, "bytes": state_size(saved), **in_page(browser, saved, rounds, loads)}
                results["widgets"].setdefault(name, found)
        for name in sorted(wanted - set(results["widgets"])):
            saved = saved_state(EXAMPLES[name]())
            found = {"lesson": None, "bytes": state_size(saved), **in_page(browser, saved, rounds, loads)}
            results["widgets"][name] = found
        lab = Lab(Path(temporary))
        try:
            for lesson, widgets in lessons.items():
                if not widgets:
                    continue
                page = browser.new_page(viewport={"width": 1300, "height": 1000})
                lab.open(page, lesson.name)
                for name, number, _ in widgets:
                    times = [page.evaluate(IN_LAB, number) for _ in range(loads)]
                    ran, drawn = ([round(value, 1) for value in values] for values in zip(*times, strict=True))
                    after = [round(max(0.0, end - begin), 1) for begin, end in times]
                    results["widgets"][name]["lab"] = {
                        "cell": summary(ran),
                        "drawn": summary(drawn),
                        "drawn_after_cell": summary(after),
                    }
                page.close()
        finally:
            lab.close()
    for name, found in results["widgets"].items():
        test, slowest = next(iter(found["steps"].items()))
        step = [slowest[part]["median_ms"] for part in ("program", "drawn", "held")]
        log(f"{name}: {found['bytes'] / 1000:.0f} kB, first drawing {found['first_drawing']['median_ms']:.0f} ms")
        log("  slowest control, {}: program {:.1f} ms, drawn {:.1f} ms, held {:.1f} ms".format(test, *step))
        if "lab" in found:
            cell, after = (found["lab"][part]["median_ms"] for part in ("cell", "drawn_after_cell"))
            log(f"  JupyterLab: cell {cell:.0f} ms, drawn {after:.0f} ms after its end")
    results["widgets"] = {name: found for name, found in kept.items() if name not in wanted} | results["widgets"]
    text = json.dumps(results, indent=1, ensure_ascii=False)
    text = re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", lambda values: f"[{' '.join(values[1].split())}]", text) + "\n"
    write_atomically(Path(folder) / "widgets.json", lambda out: out.write(text.encode()))
    return results


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.widgets", description="Time the widgets in a browser.")
    parser.add_argument("--out", default=FOLDER, help="folder to write into (default: benchmarks/results)")
    parser.add_argument("--rounds", type=int, default=12, help="how often each control is used (default: 12)")
    parser.add_argument("--only", nargs="+", default=(), help="measure these, and keep what is stored of others")
    given = parser.parse_args(arguments)
    try:
        run(given.out, given.rounds, only=given.only)
    except (RuntimeError, ValueError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
