/** Draw a digit, or turn one, and see a capsule network and a plain CNN read it at every change. See live_capsnet.py */
import { contribution } from "../equations.js";
import { capsnet, cnn } from "../network.js";
import { SIDE, cuts, picture, placement } from "../ink.js";
import { drawing_pad, pad_widget, pages_of, paint, what_is_on } from "../pad.js";
import { CLASSES, bars, degrees, described, first_two } from "./parts.js";
import { arrays_of, button, diverging, html, number, roving, set, svg } from "../dom.js";

const CELLS = 7;
const STILL = { turn: 0, right: 0, down: 0, scale: 1, swapped: false };
const SETTINGS = ["centred", ...Object.keys(STILL)];

const signed = (x) => (x > 0 ? `+${x}` : number(x, 0));
const SLIDERS = [
  { name: "turn", label: "turn", step: 1, say: degrees, text: (x) => `${number(x, 0)}°` },
  { name: "right", label: "move right", step: 1, say: (x) => `${number(x, 0)} pixels`, text: (x) => `${signed(x)} px` },
  { name: "down", label: "move down", step: 1, say: (x) => `${number(x, 0)} pixels`, text: (x) => `${signed(x)} px` },
  { name: "scale", label: "size", step: 0.05, say: (x) => `times ${number(x)}`, text: (x) => `× ${number(x)}` },
];

function start({ model, el, loaded: networks, history }) {
  const labels = model.get("labels");
  const starts = pages_of(model);
  const tint = diverging("contribution");
  const { pad, toolbar, strip, ink, put, change, draw: draw_pad } = drawing_pad({
    test: "live", model, history, starts, labels, redraw: () => draw(),
    cleared: { centred: true, ...STILL }, taken: { centred: false }, clear: "Clear the page and reset the sliders",
  });

  // What both networks see, and the sliders.
  const seen_canvas = html("canvas", { width: SIDE, height: SIDE, role: "img", "data-testid": "live-seen" });
  const nothing = svg("text", { x: 14, y: 14.5, class: "caps-paper-words" }, "no ink");
  const over_seen = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" }, nothing);
  const sliders = SLIDERS.map(({ name, label, step, say, text }) => {
    const [low, high] = model.get("limits")[name];
    const range = html("input", {
      type: "range", min: low, max: high, step, "data-testid": `live-${name}`, "aria-label": label,
      oninput: () => put({ [name]: Number(range.value) }),
    });
    const value = html("span", { class: "caps-live-value" });
    const draw = (x) => {
      range.value = x;
      set(range, { "aria-valuetext": say(x) });
      value.textContent = text(x);
    };
    return { name, node: html("label", { class: "caps-live-slider" }, html("span", {}, label), range, value), draw };
  });
  const switched = (name, test, label) => {
    const onchange = () => put({ [name]: box.checked });
    const box = html("input", { type: "checkbox", role: "switch", "data-testid": test, onchange });
    return { name, box, node: html("label", { class: "caps-live-switch" }, box, label) };
  };
  const switches = [
    switched("centred", "live-centre", "centre it as in MNIST"),
    switched("swapped", "live-swap", "swap the halves"),
  ];
  const reset = button("live-reset", "Reset the sliders and put the halves back", "Reset", () => change({ ...STILL }));

  // What they answer.
  const lengths = bars("button", "live-length", "CapsNet", ["length ‖v", html("sub", {}, "j"), "‖"], (j) => ({
    type: "button", onclick: () => put({ upper: model.get("upper") === j ? -1 : j }),
  }));
  roving(lengths.group, lengths.rows);
  const probabilities = bars("div", "live-probability", "CNN", ["probability"]);
  const longest = button("live-longest", "Always show the contributions to the longest capsule", "follow the longest",
    () => put({ upper: -1 }));
  const grid_canvas = html("canvas", { width: SIDE, height: SIDE, role: "img", "data-testid": "live-contribution" });
  const lines = svg("svg", { viewBox: "0 0 7 7", "aria-hidden": "true" }, ...[1, 2, 3, 4, 5, 6].flatMap((at) => [
    svg("line", { x1: at, x2: at, y1: 0, y2: 7, class: "caps-live-line" }),
    svg("line", { x1: 0, x2: 7, y1: at, y2: at, class: "caps-live-line" }),
  ]));
  const grid_text = html("p");
  const [scale_low, scale_high] = [html("span"), html("span")];
  const scale = html("div", { class: "caps-live-scale" }, scale_low, html("span", {}, "0"), scale_high);
  scale.style.setProperty("--caps-live-scale", `linear-gradient(to right, ${[-1, -0.5, 0, 0.5, 1].map(tint).join(", ")})`);
  const text = html("p", { class: "caps-live-text", "aria-live": "polite", "data-testid": "live-text" });

  const pick = starts.length ? ", or pick one under the pad" : "";
  const lead = html("p", { class: "caps-live-lead" },
    `Draw a digit${pick}; then turn, move or resize it, and watch both networks answer at every change.`);
  el.replaceChildren(lead, html("div", { class: "caps-live" },
    html("section", {}, html("h4", {}, "Draw here"), pad, toolbar,
      ...(starts.length ? [strip] : [])),
    html("section", {}, html("h4", {}, "What both networks see"),
      html("div", { class: "caps-paper" }, seen_canvas, over_seen),
      switches[0].node, ...sliders.map(({ node }) => node),
      html("div", { class: "caps-row" }, switches[1].node, reset)),
    html("section", { class: "caps-live-read" }, html("h4", {}, "What they answer"),
      html("div", { class: "caps-live-both" }, lengths.node, probabilities.node),
      html("div", { class: "caps-live-grid" }, html("div", { class: "caps-paper" }, grid_canvas, lines),
        html("div", {}, grid_text, scale, longest)))), text);

  const draw_controls = (state) => {
    for (const { name, draw: draw_slider } of sliders) draw_slider(state[name]);
    for (const { name, box } of switches) box.checked = state[name];
  };

  const draw_grid = (caps, winner) => {
    const D_in = caps.u.length / CELLS ** 2;
    const shape = { I: CELLS ** 2, J: CLASSES, D: caps.u_hat.length / (CELLS ** 2 * CLASSES), D_in };
    const upper = model.get("upper");
    const j = upper >= 0 ? upper : winner; // −1 if there is no ink, and so no winner.
    const { c, s } = Object.fromEntries(["c", "s"].map((name) => [name, caps.trace[name].at(-1)]));
    const all = contribution(c, caps.u_hat, s, shape);
    const cells = Array.from({ length: CELLS ** 2 }, (_, i) => (j < 0 ? 0 : all[i * CLASSES + j]));
    const limit = Math.max(1, ...cells.map(Math.abs)); // Never below 1, so that next to nothing stays pale.
    const context = grid_canvas.getContext("2d");
    cells.forEach((value, i) => {
      context.fillStyle = tint(value / limit);
      context.fillRect(4 * (i % CELLS), 4 * Math.floor(i / CELLS), 4, 4);
    });
    context.globalAlpha = 0.6;
    context.drawImage(seen_canvas, 0, 0);
    context.globalAlpha = 1;
    const total = number(cells.reduce((sum, value) => sum + value, 0));
    set(grid_canvas, {
      "aria-label": j < 0 ? "No contributions: there is no ink"
        : `Contributions of the 49 cells to capsule ${j}; they add up to ${total}.`,
    });
    grid_text.textContent = j < 0 ? "There is no ink, so no capsule wins. Click a length to see the contributions to that capsule."
      : `What each of the 49 cells adds to ‖s${"₀₁₂₃₄₅₆₇₈₉"[j]}‖ = ${total}. `
        + "Vermilion adds, blue subtracts. Click a length to see another capsule.";
    [scale_low.textContent, scale_high.textContent] = [number(-limit, 1), number(limit, 1)];
    for (const [k, row] of lengths.rows.entries()) {
      // First what one sees in the row.
      const label = `${k} ${number(caps.lengths[k])}, the length of capsule ${k}: show the contributions to it`;
      set(row, { "aria-pressed": k === j, "aria-label": label });
    }
    set(longest, { "aria-pressed": upper < 0 });
  };

  const say = (page, state, seen, L, p) => {
    const [[j, j2], [k, k2]] = [first_two(L), first_two(p)];
    const sum = number(L.reduce((one, other) => one + other, 0));
    lengths.sum.textContent = `add up to ${sum}`;
    probabilities.sum.textContent = `add up to ${number(p.reduce((one, other) => one + other, 0))}, always`;
    set(nothing, { visibility: seen.every((ink) => ink === 0) ? "visible" : "hidden" });
    set(seen_canvas, { "aria-label": "The 28 by 28 pixels that both networks read" });
    if (seen.every((ink) => ink === 0)) {
      const blank = `The page is blank: draw a digit${starts.length ? ", or pick one" : ""}.`;
      const why = page.every((ink) => ink === 0) ? blank : "All the ink lies beyond the edge.";
      text.textContent = `${why} There is no winner: with no ink, no capsule is longer than ${number(L[j], 3)}. `
        + `The CNN's probabilities still have to add up to 1, so class ${k} gets ${number(p[k])}.`;
      return;
    }
    const what = what_is_on(page, starts, labels);
    const verdict = j === k ? `Both read ${j}` : `They differ: CapsNet reads ${j}, the CNN reads ${k}`;
    text.textContent = `${described(what, state, cuts(page, placement(page, state)))} ${verdict}. `
      + `Longest capsules: ${j} (${number(L[j])}) and ${j2} (${number(L[j2])}). `
      + `Largest probabilities: ${k} (${number(p[k])}) and ${k2} (${number(p[k2])}).`;
  };

  const draw = () => {
    const page = ink();
    const state = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    draw_pad(page);
    draw_controls(state);
    const seen = picture(page, state);
    paint(seen_canvas, seen, 255);
    const caps = capsnet(seen, networks.capsnet, { iterations: model.get("routings"), offset: model.get("offset") });
    const p = cnn(seen, networks.cnn);
    const inked = seen.some((value) => value > 0);
    const winner = inked ? first_two(caps.lengths)[0] : -1;
    lengths.draw(caps.lengths, winner);
    probabilities.draw(p, inked ? first_two(p)[0] : -1);
    draw_grid(caps, winner);
    say(page, state, seen, caps.lengths, p);
  };
  return { draw };
}

export default pad_widget(async (model) => {
  const [for_capsnet, for_cnn] = await Promise.all(["capsnet", "cnn"].map((name) => arrays_of(model, name)));
  return { capsnet: for_capsnet, cnn: for_cnn };
}, start);
