/** Draw a digit, or turn one, and see a capsule network and a plain CNN read it at every change. See live_capsnet.py */
import { contribution } from "../equations.js";
import { capsnet, cnn } from "../network.js";
import { SIDE, cuts, draw_line, picture, placement } from "../ink.js";
import { CLASSES, bars, degrees, described, first_two, named, paint, roving } from "./parts.js";
import { arrays_of, button, bytes, diverging, html, number, set, svg, svg_point, widget } from "../dom.js";
import { rescue } from "../rescue.js";

const PIXELS = SIDE * SIDE;
const CELLS = 7;
const STEPS_BACK = 100;
const STILL = { turn: 0, right: 0, down: 0, scale: 1, swapped: false };
const SETTINGS = ["centred", ...Object.keys(STILL)];

const signed = (x) => (x > 0 ? `+${x}` : number(x, 0));
const SLIDERS = [
  { name: "turn", label: "turn", step: 1, say: degrees, text: (x) => `${number(x, 0)}°` },
  { name: "right", label: "move right", step: 1, say: (x) => `${number(x, 0)} pixels`, text: (x) => `${signed(x)} px` },
  { name: "down", label: "move down", step: 1, say: (x) => `${number(x, 0)} pixels`, text: (x) => `${signed(x)} px` },
  { name: "scale", label: "size", step: 0.05, say: (x) => `times ${number(x)}`, text: (x) => `× ${number(x)}` },
];

/** Whether two pages hold the same ink. */
const same = (one, other) => one.length === other.length && one.every((value, at) => value === other[at]);

function start({ model, el, networks, history }) {
  if (networks instanceof Error) throw networks;
  const images = bytes(model.get("images"));
  if (images.length % PIXELS) throw new RangeError(`images: got ${images.length} bytes, expected ${PIXELS} for each`);
  const labels = model.get("labels");
  const count = images.length / PIXELS;
  const starts = Array.from({ length: count }, (_, n) => images.subarray(n * PIXELS, (n + 1) * PIXELS));
  const tint = diverging("contribution");
  /** @type {"pen"|"eraser"} */
  let tool = "pen";
  let cursor = [13, 13];
  let stroke = null; // The page under the pen until it is lifted, so that a kernel hears of each line once.
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
  /** Change what Undo can bring back. */
  const change = (values) => {
    history.push(Object.fromEntries(Object.keys(values).map((name) => [name, model.get(name)])));
    if (history.length > STEPS_BACK) history.shift();
    put(values);
  };
  const undo = () => history.length && put(history.pop());
  const clear = () => change({ page: new Uint8Array(PIXELS), centred: true, ...STILL });

  // The pad.
  const canvas = html("canvas", { width: SIDE, height: SIDE });
  const here = svg("rect", { width: 1, height: 1, class: "caps-live-cursor" });
  const invitation = svg("text", { x: 14, y: 14.5, class: "caps-live-invitation" }, "draw a digit here");
  const overlay = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" },
    svg("rect", { x: 4, y: 4, width: 20, height: 20, class: "caps-live-guide" }), invitation, here);
  const pad = html("div", {
    class: "caps-live-pad caps-live-paper", "data-testid": "live-pad", tabindex: 0, role: "application",
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
    if (same(page, on_page())) draw();
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
    draw();
  });
  pad.addEventListener("pointermove", (event) => {
    if (stroke?.pointer !== event.pointerId) return;
    const places = event.getCoalescedEvents?.() ?? [];
    for (const moved of places.length ? places : [event]) line(place_of(moved));
    draw();
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
    draw();
  });
  pad.addEventListener("focus", () => {
    seen_cursor = pad.matches(":focus-visible");
    draw();
  });
  pad.addEventListener("blur", () => {
    seen_cursor = false;
    draw();
  });

  /** @param {"pen"|"eraser"} name */
  const choose = (name) => () => {
    tool = name;
    draw();
  };
  const tools = {
    pen: button("live-pen", "Pen", "Pen", choose("pen")),
    eraser: button("live-eraser", "Eraser", "Eraser", choose("eraser")),
  };
  const undo_button = button("live-undo", "Undo the last change", "Undo", undo);
  const toolbar = html("div", { class: "caps-row", role: "group", "aria-label": "Tools" },
    tools.pen, tools.eraser, undo_button,
    button("live-clear", "Clear the page and reset the sliders", "Clear", clear));
  const thumbnails = starts.map((ink, n) => {
    const name = `digit ${n + 1} of ${starts.length}${labels.length ? `, ${named(labels[n])}` : ""}`;
    const take = () => change({ page: ink.slice(), centred: false });
    const thumbnail = button(`live-start-${n}`, `Use ${name}`, "", take);
    thumbnail.append(paint(html("canvas", { width: SIDE, height: SIDE }), ink, 1));
    return thumbnail;
  });
  const strip = html("div", { class: "caps-live-strip", role: "group", "aria-label": "Start from" }, ...thumbnails);
  if (thumbnails.length) roving(strip, thumbnails);

  // What both networks see, and the sliders.
  const seen_canvas = html("canvas", { width: SIDE, height: SIDE, role: "img", "data-testid": "live-seen" });
  const nothing = svg("text", { x: 14, y: 14.5, class: "caps-live-invitation" }, "no ink");
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

  const pick = thumbnails.length ? ", or pick one under the pad" : "";
  const lead = html("p", { class: "caps-live-lead" },
    `Draw a digit${pick}; then turn, move or resize it, and watch both networks answer at every change.`);
  el.replaceChildren(lead, html("div", { class: "caps-live" },
    html("section", {}, html("h4", {}, "Draw here"), pad, toolbar,
      ...(thumbnails.length ? [strip] : [])),
    html("section", {}, html("h4", {}, "What both networks see"),
      html("div", { class: "caps-live-paper" }, seen_canvas, over_seen),
      switches[0].node, ...sliders.map(({ node }) => node),
      html("div", { class: "caps-row" }, switches[1].node, reset)),
    html("section", { class: "caps-live-read" }, html("h4", {}, "What they answer"),
      html("div", { class: "caps-live-both" }, lengths.node, probabilities.node),
      html("div", { class: "caps-live-grid" }, html("div", { class: "caps-live-paper" }, grid_canvas, lines),
        html("div", {}, grid_text, scale, longest)))), text);

  const draw_pad = (page, state) => {
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
      const label = `Capsule ${k}, length ${number(caps.lengths[k])}: show the contributions to it`;
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
    const known = starts.findIndex((ink) => same(ink, page));
    const digit = labels.length ? `This is ${named(labels[known])}` : `Digit ${known + 1} of ${starts.length}`;
    const what = known < 0 ? "Your drawing" : digit;
    const verdict = j === k ? `Both read ${j}` : `They differ: CapsNet reads ${j}, the CNN reads ${k}`;
    text.textContent = `${described(what, state, cuts(page, placement(page, state)))} ${verdict}. `
      + `Longest capsules: ${j} (${number(L[j])}) and ${j2} (${number(L[j2])}). `
      + `Largest probabilities: ${k} (${number(p[k])}) and ${k2} (${number(p[k2])}).`;
  };

  const draw = () => {
    const page = stroke?.page ?? on_page();
    const state = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    draw_pad(page, state);
    const seen = picture(page, state);
    paint(seen_canvas, seen, 255);
    const caps = capsnet(seen, networks.capsnet, { iterations: model.get("routings"), offset: model.get("offset") });
    const p = cnn(seen, networks.cnn);
    const ink = seen.some((value) => value > 0);
    const winner = ink ? first_two(caps.lengths)[0] : -1;
    lengths.draw(caps.lengths, winner);
    probabilities.draw(p, ink ? first_two(p)[0] : -1);
    draw_grid(caps, winner);
    say(page, state, seen, caps.lengths, p);
  };
  return { draw };
}

/** One for each model: its views share the networks and what Undo knows. */
export default () => {
  const history = [];
  let loading;
  return {
    initialize: rescue,
    async render({ model, el }) {
      loading ??= Promise.all(["capsnet", "cnn"].map((name) => arrays_of(model, name)));
      const networks = await loading.then(([capsnet, cnn]) => ({ capsnet, cnn }), (error) => error);
      return widget((given) => start({ ...given, networks, history })).render({ model, el });
    },
  };
};
