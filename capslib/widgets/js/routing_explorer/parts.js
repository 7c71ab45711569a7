/** What the panels of the routing explorer share: their frame, their tints and scales, and choosing in them. */
import { button, coupling_scale, diverging, html, set, svg, svg_point, unique } from "../dom.js";
import { range } from "./state.js";

/** @typedef {import("./state.js").State} State @typedef {import("./state.js").Now} Now */

/** What a node means, for the tooltip: a text, or a function of a place in the picture (none: what is chosen). */
export const meanings = new WeakMap();

/**
 * Give a node a tooltip, in place of the browser's own.
 * @template {Element} T
 * @param {T} node
 * @param {string | ((at?: DOMPoint) => string)} meaning
 * @returns {T}
 */
export function explain(node, meaning) {
  node.removeAttribute("title");
  meanings.set(node, meaning);
  return node;
}

/** What the steps are called. */
export const STEP_NAMES = { softmax: "softmax", sum: "weighted sum", squash: "squash", agreement: "agreement" };

/** Of a row of all lower capsules and a column of all upper ones: where both begin, and how far they reach. */
export const ROWS = { top: 16, height: 212 };

/** The middle of row k of n. @param {number} k @param {number} n */
export const row_middle = (k, n) => ROWS.top + ((k + 0.5) * ROWS.height) / n;

/** The row of n at a height, or undefined above and below. @param {number} y @param {number} n */
export function row_at(y, n) {
  const along = (y - ROWS.top) / ROWS.height;
  return along >= 0 && along < 1 ? Math.floor(along * n) : undefined;
}

/** Scales from −1 … 1 to a colour. */
export const tints = { contribution: diverging("contribution"), coupling: diverging("coupling") };

/**
 * The colour of lower capsule i at iteration t.
 * @param {State} state
 * @param {Now} now
 * @param {number} t
 * @param {number} i
 * @param {import("./state.js").Routing} trace of another moment, or else what is shown
 */
export function tint(state, now, t, i, trace = now.trace) {
  const pair = i * state.J + now.j;
  if (now.kind === "coupling") return tints.coupling(coupling_scale(trace.c[t][pair], state.J));
  return tints.contribution(trace.contribution[t][pair] / now.most);
}

/**
 * Gives nodes their colours: `paint(k, fill)`. Most stay what they are from step to step, and are left alone.
 * @param {Element[]} nodes
 */
export function painter(nodes) {
  const last = [];
  return (k, fill) => {
    if (last[k] === fill) return;
    last[k] = fill;
    nodes[k].setAttribute("fill", fill);
  };
}

/**
 * A panel: heading, a line on what it shows now, its own switches, and a picture.
 * @param {string} name
 * @param {string} of the step that computes what it shows
 * @param {string} viewBox
 * @param {Object} picture attributes of the picture
 * @param {...Node} switches
 */
export function panel(name, of, viewBox, picture, ...switches) {
  const title = html("h4", { id: unique() });
  const when = html("span", { class: "caps-re-when", "data-testid": `re-${name}-when` });
  const node = svg("svg", { viewBox, "aria-labelledby": title.id, "data-testid": `re-${name}`, ...picture });
  const head = html("div", { class: "caps-re-head" }, title, when);
  const note = html("p", { class: "caps-re-note", "data-testid": `re-${name}-note` });
  // Without switches the note takes their place, so that pictures in a row begin at one height.
  const parts = switches.length ? [head, ...switches, node, note] : [head, note, node];
  const box = html("section", { class: `caps-re-panel caps-re-${name}`, "data-of": of }, ...parts);
  return { box, head, title, when, node, note };
}

/** Of when something is that is shown. @param {Now} now @param {number} t iteration, from 0 */
function times(now, t) {
  if (t < 0) return "not computed yet";
  return t === now.iteration - 1 ? `iteration ${t + 1}` : `still iteration ${t + 1}`;
}

/**
 * Mark a panel by what is shown in it: of iteration t, from 0; of an earlier one than the current; or not there.
 * @param {ReturnType<typeof panel>} part
 * @param {Now} now
 * @param {number} t
 * @param {boolean} active whether the current step is its own
 */
export function mark(part, now, t, active) {
  part.when.textContent = times(now, t);
  part.box.classList.toggle("caps-re-stale", t !== now.iteration - 1);
  part.box.classList.toggle("caps-re-active", active);
}

/**
 * Switches between the values of a trait.
 * @param {State} state
 * @param {"kind"|"links"} name
 * @param {Object<string, string[]>} texts of the buttons and what they mean, by the values
 */
export function toggle(state, name, texts) {
  const buttons = Object.entries(texts).map(([value, [text, meaning]]) => {
    const node = button(`re-${name}-${value}`, text, text, () => state.put({ [name]: value }));
    return { value, node: explain(node, meaning) };
  });
  const group = { class: "caps-re-toggle", role: "group", "aria-label": name };
  return {
    node: html("div", group, ...buttons.map(({ node }) => node)),
    /** @param {Now} now */
    draw(now) {
      for (const { value, node } of buttons) set(node, { "aria-pressed": now[name] === value });
    },
  };
}

/** Attributes of a picture in which one chooses. @param {string} description */
export const surface = (description) => ({
  tabindex: 0,
  role: "application",
  "aria-roledescription": description,
});

/**
 * Lets one choose in a picture.
 * @param {SVGSVGElement} node
 * @param {State} state
 * @param {Object<string, number[]>} moves by how many lower and upper capsules a key moves
 * @param {(at: {x: number, y: number}) => void} pick what a click does, in the picture's own units
 */
export function choosable(node, state, moves, pick) {
  node.addEventListener("click", (event) => pick(svg_point(node, event)));
  node.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const { i, j } = state.now();
    const next = i + move[0];
    if (next >= 0 && next < state.I) state.choose(next, j + move[1]);
  });
}

/** The keys that move from cell to cell of the grid. @param {State} state */
export const cell_moves = ({ side }) => ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [-side, 0],
  ArrowDown: [side, 0],
});

/** A scale as a gradient, with texts at its ends and its middle. @param {"contribution"|"coupling"} kind */
export function legend(kind, x, y, width, texts = []) {
  const id = unique();
  const stops = range(9).map((k) => svg("stop", { offset: k / 8, "stop-color": tints[kind](k / 4 - 1) }));
  const anchors = ["start", "middle", "end"];
  const ends = anchors.map((anchor, k) =>
    svg("text", { x: x + (k * width) / 2, y: y + 20, "text-anchor": anchor }, texts[k] ?? ""),
  );
  const bar = svg("rect", { x, y, width, height: 8, fill: `url(#${id})`, class: "caps-re-edge" });
  const gradient = svg("defs", {}, svg("linearGradient", { id }, ...stops));
  return { node: svg("g", { class: "caps-re-legend" }, gradient, bar, ...ends), ends };
}

/**
 * A frame around what is chosen, dark on a light rim, so that it is seen on every colour; or `outside` by a distance, and
 * then without a rim.
 */
export const frame = (name, width, height, outside = 0) => {
  const box = { x: -outside, y: -outside, width: width + 2 * outside, height: height + 2 * outside };
  const looks = outside ? ["caps-re-lit"] : ["caps-re-rim", "caps-re-lit"];
  return svg("g", { "data-testid": `re-lit-${name}` }, ...looks.map((of) => svg("rect", { ...box, class: of })));
};
