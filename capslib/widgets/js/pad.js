/**
 * A page to draw a digit on by mouse, touch and keyboard, with its tools, and digits to start from.
 *
 * The ink is the model's `page`, 784 bytes. A line reaches the model when the pen is lifted, so that a kernel hears of it
 * once; `ink()` has it before.
 */
import { button, bytes, html, roving, set, svg, svg_point, widget } from "./dom.js";
import { SIDE, draw_line } from "./ink.js";
import { rescue } from "./rescue.js";

const PIXELS = SIDE * SIDE;
const STEPS_BACK = 100;

/** Whether two pages hold the same ink. */
export const same = (one, other) => one.length === other.length && one.every((value, at) => value === other[at]);

/** A digit with its article. @param {number} label */
export const named = (label) => (label === 8 ? "an 8" : `a ${label}`);

/**
 * Paint ink on a canvas of 28×28 pixels that lies on white paper.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} ink
 * @param {number} strength what 1 of the ink is of 255
 */
export function paint(canvas, ink, strength) {
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(SIDE, SIDE);
  for (let at = 0; at < PIXELS; at++) {
    pixels.data.fill(0x22, 4 * at, 4 * at + 3);
    pixels.data[4 * at + 3] = strength * ink[at];
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** The digits that a model brings as `images`, a page each. */
export function pages_of(model) {
  const images = bytes(model.get("images"));
  if (images.length % PIXELS) throw new RangeError(`images: got ${images.length} bytes, expected ${PIXELS} for each`);
  return Array.from({ length: images.length / PIXELS }, (_, n) => images.subarray(n * PIXELS, (n + 1) * PIXELS));
}

/**
 * What is on a page, as far as it is known.
 * @param {Uint8Array} page
 * @param {Uint8Array[]} starts
 * @param {number[]} labels of them, or none
 */
export function what_is_on(page, starts, labels) {
  const known = starts.findIndex((ink) => same(ink, page));
  if (known < 0) return "Your drawing";
  return labels.length ? `This is ${named(labels[known])}` : `Digit ${known + 1} of ${starts.length}`;
}

/**
 * The pad and what belongs to it.
 * @param {Object} options
 *   test: how its test ids begin;
 *   model: with `page`, and all that `cleared` and `taken` name;
 *   history: a list that the views of a model share, which Undo takes from;
 *   starts, labels: see `what_is_on`;
 *   cleared: values set besides the page by Clear; taken: by a digit to start from; clear: what Clear does, in words;
 *   redraw(): called when something has changed that the model does not know of
 * @returns {{pad, toolbar, strip, ink, drawing, put, change, draw}} three nodes, of which `strip` has no children without
 *   digits; `ink()`, the page; `drawing()`, whether the pen is down; `put(values)`; `change(values)`, so that Undo brings
 *   them back; `draw(page)`
 */
export function drawing_pad({ test, model, history, starts, labels, cleared, taken, clear, redraw }) {
  /** @type {"pen"|"eraser"} */
  let tool = "pen";
  let cursor = [13, 13];
  let stroke = null; // The page under the pen until it is lifted.
  let seen_cursor = false;

  const on_page = () => {
    const page = bytes(model.get("page"));
    if (page.length !== PIXELS) throw new RangeError(`page: got ${page.length} bytes, expected ${PIXELS}`);
    return page;
  };
  const put = (values) => {
    model.set(values);
    model.save_changes();
  };
  const change = (values) => {
    history.push(Object.fromEntries(Object.keys(values).map((name) => [name, model.get(name)])));
    if (history.length > STEPS_BACK) history.shift();
    put(values);
  };
  const undo = () => history.length && put(history.pop());

  const canvas = html("canvas", { width: SIDE, height: SIDE });
  const here = svg("rect", { width: 1, height: 1, class: "caps-pad-cursor" });
  const invitation = svg("text", { x: 14, y: 14.5, class: "caps-paper-words" }, "draw a digit here");
  const overlay = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" },
    svg("rect", { x: 4, y: 4, width: 20, height: 20, class: "caps-pad-guide" }), invitation, here);
  const pad = html("div", {
    class: "caps-pad caps-paper", "data-testid": `${test}-pad`, tabindex: 0, role: "application",
    "aria-roledescription": "page to draw on",
  }, canvas, overlay);

  const line = (to) => {
    draw_line(stroke.page, stroke.at, to, tool);
    stroke.at = to;
  };
  const begin = (place) => {
    stroke = { page: on_page().slice(), at: place };
    line(place);
  };
  const lift = () => {
    if (!stroke) return;
    const { page } = stroke;
    stroke = null;
    if (same(page, on_page())) redraw();
    else change({ page });
  };
  const place_of = (event) => {
    const { x, y } = svg_point(overlay, event);
    return [y - 0.5, x - 0.5];
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || stroke) return;
    pad.setPointerCapture(event.pointerId);
    begin(place_of(event));
    stroke.pointer = event.pointerId;
    redraw();
  });
  pad.addEventListener("pointermove", (event) => {
    if (stroke?.pointer !== event.pointerId) return;
    const places = event.getCoalescedEvents?.() ?? [];
    for (const moved of places.length ? places : [event]) line(place_of(moved));
    redraw();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    pad.addEventListener(end, (event) => stroke?.pointer === event.pointerId && lift());
  }
  pad.addEventListener("keydown", (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const back = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey);
    if (stroke || !(step || back || event.key === " ")) return;
    event.preventDefault();
    seen_cursor = true;
    if (back) undo();
    else {
      const to = step ? cursor.map((at, axis) => Math.max(0, Math.min(SIDE - 1, at + step[axis]))) : cursor;
      if (!step || event.shiftKey) {
        begin(cursor);
        line(to);
      }
      cursor = to;
      if (stroke) lift();
    }
    redraw();
  });
  pad.addEventListener("focus", () => {
    seen_cursor = pad.matches(":focus-visible");
    redraw();
  });
  pad.addEventListener("blur", () => {
    seen_cursor = false;
    redraw();
  });

  /** @param {"pen"|"eraser"} name */
  const choose = (name) => () => {
    tool = name;
    redraw();
  };
  const tools = {
    pen: button(`${test}-pen`, "Pen", "Pen", choose("pen")),
    eraser: button(`${test}-eraser`, "Eraser", "Eraser", choose("eraser")),
  };
  const undo_button = button(`${test}-undo`, "Undo the last change", "Undo", undo);
  const toolbar = html("div", { class: "caps-row", role: "group", "aria-label": "Tools" },
    tools.pen, tools.eraser, undo_button,
    button(`${test}-clear`, clear, "Clear", () => change({ page: new Uint8Array(PIXELS), ...cleared })));
  const thumbnails = starts.map((ink, n) => {
    const name = `digit ${n + 1} of ${starts.length}${labels.length ? `, ${named(labels[n])}` : ""}`;
    const take = () => change({ page: ink.slice(), ...taken });
    const thumbnail = button(`${test}-start-${n}`, `Use ${name}`, "", take);
    thumbnail.append(paint(html("canvas", { width: SIDE, height: SIDE }), ink, 1));
    return thumbnail;
  });
  const strip = html("div", { class: "caps-pad-strip", role: "group", "aria-label": "Start from" }, ...thumbnails);
  if (thumbnails.length) roving(strip, thumbnails);

  const draw = (page) => {
    paint(canvas, page, 1);
    const blank = page.every((ink) => ink === 0);
    set(invitation, { visibility: blank ? "visible" : "hidden" });
    set(here, { x: cursor[1], y: cursor[0], visibility: seen_cursor ? "visible" : "hidden" });
    const ink = Math.round((100 * page[cursor[0] * SIDE + cursor[1]]) / 255);
    set(pad, {
      "aria-label": `Row ${cursor[0] + 1}, column ${cursor[1] + 1}, ${ink} % ink. Arrows move, space uses the ${tool}, `
        + "shift and arrows draw a line.",
    });
    for (const [name, node] of Object.entries(tools)) set(node, { "aria-pressed": name === tool });
    undo_button.disabled = history.length === 0;
    for (const [n, ink] of starts.entries()) set(thumbnails[n], { "aria-pressed": same(ink, page) });
  };
  const ink = () => stroke?.page ?? on_page();
  const drawing = () => stroke !== null;
  return { pad, toolbar, strip, ink, drawing, put, change, draw };
}

/**
 * A widget with a page to draw on, which begins by loading its networks: once for each model, whose views share them.
 * @param load takes the model and returns a promise; its error is told where the picture would be
 * @param start as for `widget`, and given {loaded, history} as well: what was loaded, and what Undo knows
 */
export const pad_widget = (load, start) => () => {
  const history = [];
  let loading;
  return {
    initialize: rescue,
    async render({ model, el }) {
      loading ??= load(model).then((loaded) => ({ loaded }), (error) => ({ error }));
      const { loaded, error } = await loading;
      return widget((given) => {
        if (error) throw error;
        return start({ ...given, loaded, history });
      }).render({ model, el });
    },
  };
};
