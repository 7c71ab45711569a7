/** What the course's widgets share besides mathematics: building elements, colour scales, numbers as text, and safety. */
import { COLOURS, SCALES } from "./palette.js";
import { rescue } from "./rescue.js";

/** The colour of a quantity, by its symbol's name in the notation table. */
export const colour = (name) => COLOURS[name];

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** An HTML element with attributes, listeners (`onclick: …`) and children. */
export const html = (tag, attributes = {}, ...children) => made(document.createElement(tag), attributes, children);

/** An SVG element with attributes, listeners and children. */
export const svg = (tag, attributes = {}, ...children) =>
  made(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** Give an element attributes; for drawing again. */
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

/**
 * A button with a name for screen readers and for tests. The name has the words that one sees, so that they can be said
 * to a machine that listens; where `label` has not, they come first.
 */
export function button(test, label, text, onclick) {
  const seen = typeof text === "string" ? text.trim() : "";
  const name = label.toLowerCase().includes(seen.toLowerCase()) ? label : `${seen}: ${label}`;
  return html("button", { type: "button", "data-testid": test, "aria-label": name, title: label, onclick }, text);
}

/** A labelled choice; `options` are pairs of a value and a text. */
export function choice(test, label, options, onchange) {
  const list = html("select", { "data-testid": test, onchange: () => onchange(list.value) });
  fill(list, options);
  return { list, node: html("label", { class: "caps-choice" }, label, " ", list) };
}

/** Put options into a choice's list, unless it has just these. */
export function fill(list, options) {
  const key = JSON.stringify(options);
  if (list.dataset.options === key) return;
  list.dataset.options = key;
  list.replaceChildren(...options.map(([value, text]) => html("option", { value }, text)));
}

/** A number as text with a true minus sign, and none before a zero; "–" for what is not there. */
export function number(x, digits = 2) {
  if (x === undefined || !Number.isFinite(x)) return "–";
  const text = Math.abs(x).toFixed(digits);
  return x < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** A diverging scale of the course as a function from −1 … 1 to a colour; white is 0. */
export function diverging(name) {
  const stops = SCALES[name].map((hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)));
  const steps = 256;
  const table = Array.from({ length: steps + 1 }, (_, n) => {
    const at = (n / steps) * (stops.length - 1);
    const k = Math.min(Math.floor(at), stops.length - 2);
    const mixed = stops[k].map((low, channel) => Math.round(low + (at - k) * (stops[k + 1][channel] - low)));
    return `rgb(${mixed.join(",")})`;
  });
  return (x) => table[Math.round(((Math.max(-1, Math.min(1, x)) + 1) / 2) * steps)];
}

/** log₂(J·c) on −1 … 1, as `plots.coupling_scale` has it: ±1 is eight times and an eighth of 1/J. */
export const coupling_scale = (c, J) => Math.max(-3, Math.min(3, Math.log2(Math.max(c * J, 1e-9)))) / 3;

/** The numbers that Python sent as little-endian float32. */
export const floats = (view) =>
  new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

/** The numbers that Python sent as little-endian float16. */
export function halves(view) {
  const bits = new Uint16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  const power = Array.from({ length: 31 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25));
  return Float32Array.from(bits, (half) => {
    const exponent = (half >> 10) & 31;
    const size = ((half & 1023) + (exponent ? 1024 : 0)) * power[exponent];
    return half & 0x8000 ? -size : size;
  });
}

/** The bytes that Python sent. */
export const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** A network's arrays by name, from the model that holds them for all widgets, to which `name` refers. */
export async function arrays_of(model, name) {
  const holder = await model.widget_manager.get_model(model.get(name).replace("IPY_MODEL_", ""));
  const half = new Set(holder.get("halves"));
  return Object.fromEntries(
    Object.entries(holder.get("arrays")).map(([key, view]) => [key, (half.has(key) ? halves : floats)(view)]),
  );
}

/**
 * Where a pointer is, in the units of an SVG's own viewBox.
 * @param {SVGGraphicsElement} node the SVG, or an element in it whose units are meant
 * @param {{clientX: number, clientY: number}} event of a mouse, a finger or a pen
 * @returns {DOMPoint} x, y
 */
export const svg_point = (node, event) =>
  new DOMPoint(event.clientX, event.clientY).matrixTransform(node.getScreenCTM().inverse());

/** A picture of ink on transparent paper, as the address of an image; `ink` holds 0–255, row by row. */
export function ink_picture(ink, side, strength = 1) {
  const canvas = html("canvas", { width: side, height: side });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(side, side);
  for (let k = 0; k < ink.length; k++) pixels.data[4 * k + 3] = strength * ink[k];
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

/**
 * Let one control of a group be reached by Tab, and the others from there by arrow keys.
 * @param {HTMLElement} group
 * @param {HTMLElement[]} controls
 */
export function roving(group, controls) {
  /** @param {HTMLElement} control */
  const enter = (control) => {
    for (const other of controls) set(other, { tabindex: other === control ? 0 : -1 });
  };
  enter(controls[0]);
  for (const control of controls) control.addEventListener("focus", () => enter(control));
  group.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const at = controls.indexOf(/** @type {HTMLElement} */ (event.target));
    if (!step || at < 0) return;
    event.preventDefault();
    controls[Math.max(0, Math.min(controls.length - 1, at + step))].focus();
  });
}

/** Whether who looks has asked for less motion. */
export const calm = () => globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;

// Every widget of a page has its own copy of this module, so that a count alone would begin anew in each. Radio buttons of
// one name are one group, wherever on the page they are.
const module_name = Math.random().toString(36).slice(2);
let made_so_far = 0;
/** A name that no other element of the page has, for `aria-labelledby` and the like. */
export const unique = () => `caps-${module_name}-${++made_so_far}`;

/**
 * A widget's module from its `start({model, el})`, which draws into `el` and returns {draw, stop}. `draw` is called at
 * every change of the model, `stop` when the view goes away. Keys stay inside `el`, since Lab's shortcuts would cut the
 * cell at an x; and an error is told where the picture would be.
 */
export function widget(start) {
  const tell = (el, error) => {
    console.warn(error);
    el.replaceChildren(html("p", { role: "alert", class: "caps-error" }, `This widget cannot be drawn: ${error.message}`));
  };
  return {
    initialize: rescue,
    render({ model, el }) {
      el.classList.add("caps");
      // Notebook 7 sees a key before the widget does, and leaves it alone only if the very element in focus says so.
      el.addEventListener("focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true"));
      el.addEventListener("keydown", (event) => event.stopPropagation());
      let view;
      const draw = () => {
        try {
          view?.draw();
        } catch (error) {
          view?.stop?.();
          view = undefined;
          tell(el, error);
        }
      };
      try {
        view = start({ model, el });
        draw();
      } catch (error) {
        tell(el, error);
      }
      model.on("change", draw);
      return () => {
        model.off("change", draw);
        view?.stop?.();
      };
    },
  };
}
