/** Step through the routing of real digits in a trained network; see routing_explorer.py. */
import { contribution, DIALECTS, entropy, length, predict, route, vote_plane } from "./equations.js";
import { bytes, button, choice, colour, coupling_scale, diverging, fill, floats } from "./dom.js";
import { html, ink_picture, number, set, svg, unique, widget } from "./dom.js";

const STEPS = ["softmax", "sum", "squash", "agreement"];
const STEP_NAMES = { softmax: "softmax", sum: "weighted sum", squash: "squash", agreement: "agreement" };
const DIALECT_NAMES = { accumulate: "add a to b", replace: "put a in place of b", uniform: "keep c = 1/J" };
const MOST_ROUTINGS = 8;
const SHOWN = ["chosen", "routings", "dialect", "step", "i", "j", "kind", "links"];
const HELP =
  "Click a cell, a coupling, a bar or a vote to choose it. Keys: ← → step, ↑ ↓ iteration, p play or pause; " +
  "on a picture, arrows choose.";
const SIDE = 7; // The grid has 7×7 lower capsules,
const CELL = 32; // each so many units of its picture on a side.
const PAUSE = 1000; // ms between two steps of a play

const tints = { contribution: diverging("contribution"), coupling: diverging("coupling") };
const range = (n) => Array.from({ length: n }, (_, k) => k);
const largest = (values) => values.reduce((best, x, k) => (x > values[best] ? k : best), 0);

/** Numbers of which only those that are not 0 were sent, and a bit for each of all: 1 where one was sent. */
function unpacked(sent, where, n) {
  const x = new Float32Array(n);
  for (let p = 0, next = 0; p < n; p++) if (where[p >> 3] & (128 >> (p & 7))) x[p] = sent[next++];
  return x;
}

/** Everything that one routing computed, from u and W on; routings fewer than T are its first ones. */
function routing(u, W, shape, options) {
  const { J, D, D_in } = shape;
  const u_hat = predict(u, W, shape);
  const trace = route(u_hat, shape, { iterations: MOST_ROUTINGS, ...options });
  const size = length(u, D_in); // ‖u_i‖
  const total = size.reduce((sum, x) => sum + x, 0);
  const H = trace.c.map((c) => entropy(c, J));
  return {
    ...trace,
    u_hat,
    H,
    entropy: H.map((h) => h.reduce((sum, x, i) => sum + x * size[i], 0) / Math.max(total, 1e-9)),
    norms: trace.s.map((s) => length(s, D)), // ‖s_j‖
    lengths: trace.v.map((v) => length(v, D)),
    contribution: trace.c.map((c, t) => contribution(c, u_hat, trace.s[t], shape)),
  };
}

/** Votes for capsule j, and s_j/Σc of each iteration, in the plane of the last of `routings` v_j; see vote_plane. */
function votes_in_plane(trace, shape, routings, j) {
  const { I, J, D } = shape;
  const plane = vote_plane(trace.u_hat, trace.v[routings - 1], j, shape);
  const along = (x, at, axis) => range(D).reduce((sum, k) => sum + x[at + k] * plane[axis * D + k], 0);
  const project = (x, at) => [along(x, at, 0), along(x, at, 1)];
  const means = range(routings).map((t) => {
    const share = range(I).reduce((sum, i) => sum + trace.c[t][i * J + j], 0);
    return project(trace.s[t], j * D).map((x) => x / share);
  });
  return { points: range(I).map((i) => project(trace.u_hat, (i * J + j) * D)), means };
}

/** Gives nodes their colours: `paint(k, fill)`. Most stay what they are from step to step, and are left alone. */
function painter(nodes) {
  const last = [];
  return (k, fill) => {
    if (last[k] !== fill) nodes[k].setAttribute("fill", (last[k] = fill));
  };
}

/** A fraction, its parts as HTML. */
const frac = (above, below) => `<span class="re-frac"><span>${above}</span><span>${below}</span></span>`;

const ICONS = {
  reset: "M4 3v10M13 3 6 8l7 5z",
  back: "M11 3 5 8l6 5z",
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  forward: "M5 3l6 5-6 5z",
};
const icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", class: "re-icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** A panel: heading, a line on what it shows now, its own switches, and a picture. */
function panel(name, of, viewBox, picture, ...switches) {
  const title = html("h4", { id: unique() });
  const when = html("span", { class: "re-when", "data-testid": `re-${name}-when` });
  const node = svg("svg", { viewBox, "aria-labelledby": title.id, "data-testid": `re-${name}`, ...picture });
  const head = html("div", { class: "re-head" }, title, when);
  const note = html("p", { class: "re-note", "data-testid": `re-${name}-note` });
  // Without switches the note takes their place, so that pictures in a row begin at one height.
  const parts = switches.length ? [head, ...switches, node, note] : [head, note, node];
  const box = html("section", { class: `re-panel re-${name}`, "data-of": of }, ...parts);
  return { box, title, when, node, note };
}

export default widget(({ model, el }) => {
  const shape = model.get("shape");
  const { N, I, J } = shape;
  const each = I * shape.D_in; // numbers of one digit's u
  const images = bytes(model.get("images"));
  const u = unpacked(floats(model.get("u")), bytes(model.get("where")), N * each);
  const W = floats(model.get("W"));
  const labels = model.get("labels");
  const captions = model.get("captions");
  const trained = model.get("trained");
  const offset = model.get("offset");

  // What is shown: the model's state, and what follows from it -------------------------------------------------------

  const traces = new Map();
  const planes = new Map();
  const limits = new Map();
  const kept = (map, key, make) => map.get(key) ?? map.set(key, make()).get(key);
  const now = {};

  /** What digit k's routing computed, by the dialect of now. */
  const trace_of = (k) =>
    kept(traces, `${k} ${now.dialect}`, () =>
      routing(u.subarray(k * each, (k + 1) * each), W, shape, { offset, dialect: now.dialect }),
    );

  function update() {
    for (const name of SHOWN) now[name] = model.get(name);
    now.iteration = Math.min(model.get("iteration"), now.routings);
    now.trace = trace_of(now.chosen);
    const key = `${now.chosen} ${now.dialect} ${now.routings} ${now.j}`;
    now.votes = kept(planes, key, () => votes_in_plane(now.trace, shape, now.routings, now.j));
    now.most = kept(limits, key, most);
    // The latest iteration, from 0, of which each quantity is there; −1 before the first.
    const done = STEPS.indexOf(now.step);
    now.at = { b: now.iteration - 1, c: now.iteration - 1 };
    for (const [name, step] of [["s", 1], ["v", 2], ["a", 3]]) now.at[name] = now.iteration - (done >= step ? 1 : 2);
    now.pair = now.i * J + now.j;
    now.foreign = now.routings !== trained || now.dialect !== "accumulate";
  }

  /** The largest contribution to capsule j at any iteration: the end of the scale, which stays put. */
  const most = () => {
    const all = now.trace.contribution.slice(0, now.routings);
    return Math.max(1e-9, ...all.map((of) => Math.max(...range(I).map((i) => Math.abs(of[i * J + now.j])))));
  };

  let busy = false; // What this view sets, one thing after the other, it draws once.
  function put(changes) {
    busy = true;
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    busy = false;
    draw();
    model.save_changes();
  }

  const position = () => 4 * (now.iteration - 1) + STEPS.indexOf(now.step);
  const last_position = () => 4 * now.routings - 1;
  function go(to) {
    const at = Math.max(0, Math.min(last_position(), to));
    put({ iteration: Math.floor(at / 4) + 1, step: STEPS[at % 4] });
  }
  const go_iteration = (to) => put({ iteration: Math.max(1, Math.min(now.routings, to)) });
  const choose = (i, j) => put({ i: Math.max(0, Math.min(I - 1, i)), j: Math.max(0, Math.min(J - 1, j)) });

  /** Another digit: the pair follows what leads there now, not what will lead. */
  function choose_digit(k) {
    const { at } = now;
    if (at.v < 0) return put({ chosen: k });
    const { lengths, contribution: gives } = trace_of(k);
    const j = largest(lengths[at.v]);
    put({ chosen: k, j, i: largest(range(I).map((i) => gives[at.s][i * J + j])) });
  }

  // Playing -----------------------------------------------------------------------------------------------------------

  let timer;
  function stop() {
    clearInterval(timer);
    timer = undefined;
  }
  function play() {
    if (timer !== undefined) stop();
    else {
      if (position() === last_position()) go(0);
      timer = setInterval(() => {
        if (position() + 1 >= last_position()) stop();
        go(position() + 1);
      }, PAUSE);
    }
    draw();
  }
  /** What a control does that takes time into the learner's own hands. */
  const halt = (then) => () => {
    stop();
    then();
  };

  // Controls ----------------------------------------------------------------------------------------------------------

  const of_class = (label) => range(N).filter((k) => labels[k] === label);
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const digit = choice("re-digit", "digit", classes.map((label) => [String(label), String(label)]), (label) =>
    choose_digit(of_class(Number(label))[0]),
  );
  digit.node.hidden = labels.length === 0;
  const sample = choice("re-sample", "sample", [], (k) => choose_digit(Number(k)));
  const named = (value, trained_one) => `${value}${trained_one ? " (trained)" : ""}`;
  const routings = choice(
    "re-routings",
    "routings",
    range(MOST_ROUTINGS).map((n) => [String(n + 1), named(n + 1, n + 1 === trained)]),
    // Who looks at the last iteration goes on looking at the last.
    (n) => {
      const last = now.iteration === now.routings;
      put({ iteration: last ? Number(n) : Math.min(now.iteration, n), routings: Number(n) });
    },
  );
  const dialect = choice(
    "re-dialect",
    "dialect",
    DIALECTS.map((name) => [name, named(`${name}: ${DIALECT_NAMES[name]}`, name === "accumulate")]),
    (name) => put({ dialect: name }),
  );
  const presets = model.get("presets").map(([text, k], n) =>
    button(`re-preset-${n}`, `show ${text}`, text, () => choose_digit(k)),
  );
  const foreign = html("strong", { class: "re-foreign", "data-testid": "re-foreign" });
  const caption = html("p", { class: "re-caption", "data-testid": "re-caption" });

  const reset = button("re-reset", "back to the beginning", icon("reset"), halt(() => go(0)));
  const back = button("re-back", "one step back", icon("back"), halt(() => go(position() - 1)));
  const start = button("re-play", "play", icon("play"), play);
  const forward = button("re-forward", "one step forward", icon("forward"), halt(() => go(position() + 1)));
  const place = html("span", { class: "re-place", "data-testid": "re-place" });
  const moving = [reset, back, start, forward];
  const transport = html("div", { class: "re-transport", role: "group", "aria-label": "steps" }, ...moving);

  const frames = range(MOST_ROUTINGS).map((t) => {
    const picture = html("canvas", { width: 4 * SIDE, height: 4 * SIDE });
    const name = html("span", { class: "re-frame-name" }, String(t + 1));
    const value = html("span", { class: "re-frame-value" });
    const node = button(`re-iteration-${t + 1}`, "", picture, halt(() => go_iteration(t + 1)));
    node.append(html("span", {}, name, value));
    return { node, picture, value };
  });
  const reel = { class: "re-film", role: "group", "aria-label": "iterations" };
  const film = html("div", reel, ...frames.map(({ node }) => node));

  const steps = STEPS.map((step, n) => {
    const name = STEP_NAMES[step];
    return button(`re-step-${step}`, `step ${n + 1}, ${name}`, `${n + 1} ${name}`, halt(() => put({ step })));
  });
  const formula = html("div", { class: "re-formula", "data-testid": "re-formula" });
  const stage = html(
    "section",
    { class: "re-stage" },
    html("div", { class: "re-steps", role: "group", "aria-label": "steps of an iteration" }, ...steps),
    formula,
  );

  // The digit ---------------------------------------------------------------------------------------------------------

  const surface = (name, description) => ({
    tabindex: 0,
    role: "application",
    "aria-roledescription": description,
    "data-surface": name,
  });
  const toggle = (name, values) => {
    const buttons = values.map(([value, text]) =>
      button(`re-${name}-${value}`, text, text, () => put({ [name]: value })),
    );
    return {
      node: html("div", { class: "re-toggle", role: "group", "aria-label": name }, ...buttons),
      draw: () => values.forEach(([value], n) => set(buttons[n], { "aria-pressed": now[name] === value })),
    };
  };
  /** A scale as a gradient, with texts at its ends and its middle. */
  const legend = (kind, x, y, width) => {
    const id = unique();
    const stops = range(9).map((k) => svg("stop", { offset: k / 8, "stop-color": tints[kind](k / 4 - 1) }));
    const ends = range(3).map((k) =>
      svg("text", { x: x + (k * width) / 2, y: y + 20, "text-anchor": ["start", "middle", "end"][k] }),
    );
    const bar = svg("rect", { x, y, width, height: 8, fill: `url(#${id})`, class: "re-edge" });
    const gradient = svg("defs", {}, svg("linearGradient", { id }, ...stops));
    return { node: svg("g", { class: "re-legend" }, gradient, bar, ...ends), ends };
  };

  /** A frame around what is chosen, dark on a light rim, so that it is seen on every colour. */
  const frame = (name, width, height) =>
    svg(
      "g",
      { "data-testid": `re-lit-${name}` },
      ...["re-rim", "re-lit"].map((of) => svg("rect", { width, height, class: of })),
    );

  const left = (300 - SIDE * CELL) / 2;
  const top = 4;
  const kind = toggle("kind", [["contribution", "contribution"], ["coupling", "coupling"]]);
  const grid = panel("grid", "sum", "0 0 300 264", surface("grid", "grid of 49 lower capsules"), kind.node);
  const cell_at = (i) => ({ x: left + CELL * (i % SIDE), y: top + CELL * Math.floor(i / SIDE) });
  const cells = range(I).map((i) =>
    svg("rect", { ...cell_at(i), width: CELL, height: CELL, class: "re-cell", "data-i": i }),
  );
  const paint_cell = painter(cells);
  const ink = svg("image", { x: left, y: top, width: SIDE * CELL, height: SIDE * CELL, class: "re-ink" });
  const lit_cell = frame("cell", CELL, CELL);
  const scales = {
    contribution: legend("contribution", left, 236, SIDE * CELL),
    coupling: legend("coupling", left, 236, SIDE * CELL),
  };
  const paper = svg("rect", { x: left, y: top, width: SIDE * CELL, height: SIDE * CELL, fill: "#fff" });
  grid.node.append(paper, ...cells, ink, lit_cell, scales.contribution.node, scales.coupling.node);
  for (const [k, text] of ["1/8 of 1/J", "1/J", "8 times 1/J"].entries()) scales.coupling.ends[k].textContent = text;

  // Couplings: the matrix, and links from its rows to the upper capsules ----------------------------------------------

  const first = 16; // Where the rows begin,
  const deep = 212; // how far they reach,
  const wide = 13; // and how wide a column is.
  const row_y = (i) => first + ((i + 0.5) * deep) / I;
  const upper_y = (j) => first + ((j + 0.5) * deep) / J;
  const matrix_x = 24;
  const edge = matrix_x + wide * J;
  const node_x = 304;
  const links = toggle("links", [["upper", "links to capsule j"], ["lower", "links of cell i"]]);
  const couplings = panel("matrix", "softmax", "0 0 330 264", surface("matrix", "matrix of couplings"), links.node);
  const entries = range(I * J).map((pair) =>
    svg("rect", {
      x: matrix_x + wide * (pair % J),
      y: first + (Math.floor(pair / J) * deep) / I,
      width: wide,
      height: deep / I + 0.05,
      "data-pair": pair,
    }),
  );
  const paint_entry = painter(entries);
  const link_lines = range(Math.max(I, J)).map(() => svg("path", { class: "re-link" }));
  const lit_link = svg("path", { class: "re-link re-link-lit" });
  const nodes = range(J).map((j) => {
    const circle = svg("circle", { cx: node_x, cy: upper_y(j), r: 10 });
    const name = svg("text", { x: node_x, y: upper_y(j) + 4, "text-anchor": "middle" }, String(j));
    return svg("g", { class: "re-node", "data-j": j }, circle, name);
  });
  const lit_row = frame("row", wide * J, deep / I);
  const lit_column = frame("column", wide, deep);
  const row_name = svg("text", { x: matrix_x - 4, "text-anchor": "end" });
  const column_names = range(J).map((j) =>
    svg("text", { x: matrix_x + wide * (j + 0.5), y: first - 5, "text-anchor": "middle" }, String(j)),
  );
  const coupling_legend = legend("coupling", matrix_x, 236, wide * J);
  for (const [k, text] of ["1/8", "1/J", "×8"].entries()) coupling_legend.ends[k].textContent = text;
  couplings.node.append(svg("rect", { x: matrix_x, y: first, width: wide * J, height: deep, fill: "#fff" }));
  const outline = svg("rect", { x: matrix_x, y: first, width: wide * J, height: deep, class: "re-edge" });
  couplings.node.append(...entries, outline, ...link_lines, lit_link, ...nodes, lit_column, lit_row);
  couplings.node.append(row_name, ...column_names, coupling_legend.node);
  couplings.node.append(svg("text", { x: (edge + node_x) / 2, y: 256, "text-anchor": "middle" }, "line width: c"));

  // Lengths -----------------------------------------------------------------------------------------------------------

  const zero = 28;
  const unit = 190; // a length of 1
  const bars = panel("lengths", "squash", "0 0 270 264", surface("lengths", "lengths of the upper capsules"));
  const length_rows = range(J).map((j) => {
    const y = upper_y(j);
    const hit = svg("rect", { x: 0, y: y - deep / J / 2, width: 270, height: deep / J, class: "re-hit" });
    const bar = svg("rect", { x: zero, y: y - 8, width: unit, height: 16, class: "re-bar" });
    const before = svg("line", { y1: y - 11, y2: y + 11, class: "re-before" });
    const value = svg("text", { y: y + 4, class: "re-value" });
    const name = svg("text", { x: zero - 8, y: y + 4, "text-anchor": "end" }, String(j));
    const names = { class: "re-length", "data-j": j, "data-testid": `re-length-${j}` };
    return { node: svg("g", names, hit, name, bar, before, value), bar, before, value };
  });
  for (const x of [0, 0.5, 1]) {
    const at = zero + unit * x;
    bars.node.append(svg("line", { x1: at, x2: at, y1: first, y2: first + deep, class: "re-grid-line" }));
    bars.node.append(svg("text", { x: at, y: first + deep + 16, "text-anchor": "middle" }, String(x)));
  }
  const lit_bar = svg("rect", { x: 6, width: 260, height: deep / J, class: "re-lit", "data-testid": "re-lit-bar" });
  bars.node.append(svg("text", { x: zero + unit / 2, y: 260, "text-anchor": "middle" }, "length ‖v‖ of capsule j"));
  bars.node.append(...length_rows.map(({ node }) => node), lit_bar);

  // b and a of the pair -----------------------------------------------------------------------------------------------

  const plot = { left: 38, right: 14, top: 12, bottom: 150 };
  /** Lines and numbers of a plot's y axis between two values; `at` turns a value into y. */
  function axis(group, low, high, width) {
    const rough = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    const at = (value) => plot.bottom - ((value - low) / (high - low)) * (plot.bottom - plot.top);
    const begin = Math.ceil(low / step);
    const ticks = range(Math.floor(high / step) - begin + 1).map((n) => (begin + n) * step);
    const key = `${low} ${high}`;
    if (group.dataset.key === key) return at;
    group.dataset.key = key;
    group.replaceChildren(
      ...ticks.flatMap((value) => [
        svg("line", {
          x1: plot.left,
          x2: width - plot.right,
          y1: at(value),
          y2: at(value),
          class: value === 0 ? "re-axis" : "re-grid-line",
        }),
        svg("text", { x: plot.left - 6, y: at(value) + 4, "text-anchor": "end" }, number(value, digits)),
      ]),
    );
    return at;
  }
  const iteration_x = (t, width) => plot.left + ((t + 0.5) / now.routings) * (width - plot.left - plot.right);
  const iteration_names = (width) => {
    const below = (x, y, words) => svg("text", { x, y: plot.bottom + y, "text-anchor": "middle" }, words);
    const names = range(MOST_ROUTINGS).map((t) => below(0, 16, String(t + 1)));
    names.push(below((plot.left + width - plot.right) / 2, 31, "iteration"));
    return names;
  };
  function draw_iteration_names(names, width) {
    for (const [t, name] of names.slice(0, MOST_ROUTINGS).entries()) {
      if (t < now.routings) set(name, { x: iteration_x(t, width) });
      name.style.display = t < now.routings ? "" : "none";
      name.classList.toggle("re-now", t === now.iteration - 1);
    }
  }

  const logit_width = 300;
  const logits = panel("logits", "agreement", `0 0 ${logit_width} 186`, { role: "img" });
  const logit_axis = svg("g");
  const logit_names = iteration_names(logit_width);
  const logit_marks = range(MOST_ROUTINGS).map(() => ({
    b: svg("line", { class: "re-b" }),
    a: svg("rect", { class: "re-a" }),
    text: svg("text", { "text-anchor": "middle", class: "re-value" }),
  }));
  logits.node.append(logit_axis, ...logit_names, ...logit_marks.flatMap(({ b, a, text }) => [a, b, text]));

  const entropy_width = 270;
  const entropies = panel("entropy", "softmax", `0 0 ${entropy_width} 186`, { role: "img" });
  const entropy_axis = svg("g");
  const entropy_names = iteration_names(entropy_width);
  const curves = ["all", "one"].map((name) => {
    const line = svg("polyline", { class: `re-curve re-curve-${name}` });
    const dots = range(MOST_ROUTINGS).map(() =>
      name === "all" ? svg("circle", { r: 4 }) : svg("rect", { width: 7, height: 7 }),
    );
    const text = svg("text", { class: "re-value", "text-anchor": "middle" });
    return { name, dots, line, text, node: svg("g", { class: `re-of-${name}` }, line, ...dots, text) };
  });
  const entropy_top = axis(entropy_axis, 0, Math.log(J) * 1.06, entropy_width);
  const most_H = entropy_top(Math.log(J));
  const end = entropy_width - plot.right;
  const undecided = svg("line", { x1: plot.left, x2: end, y1: most_H, y2: most_H, class: "re-undecided" });
  const undecided_name = svg("text", { x: plot.left - 6, y: most_H + 4, "text-anchor": "end" }, "ln J");
  entropies.node.append(entropy_axis, undecided, undecided_name, ...entropy_names, ...curves.map(({ node }) => node));

  const field = { left: 30, right: 322, top: 8, bottom: 156 };
  const votes = panel("votes", "sum", "0 0 330 186", surface("votes", "votes of the 49 lower capsules"));
  const vote_axes = [svg("line", { class: "re-axis" }), svg("line", { class: "re-axis" })];
  const vote_texts = range(2).map(() => svg("text", { "text-anchor": "middle" }));
  const dots = range(I).map((i) => svg("circle", { class: "re-vote", "data-i": i }));
  const lit_vote = svg("circle", { class: "re-lit", "data-testid": "re-lit-vote" });
  const trail = svg("polyline", { class: "re-trail" });
  const trail_dots = range(MOST_ROUTINGS).map(() => svg("circle", { r: 3, class: "re-trail-dot" }));
  const mean = svg("path", { d: "M-7-7 7 7M7-7-7 7", class: "re-mean" });
  const mean_name = svg("text", { class: "re-value" }, "s/Σc");
  votes.node.append(...vote_axes, ...vote_texts, ...dots, trail, ...trail_dots, mean, mean_name, lit_vote);

  // Drawing -----------------------------------------------------------------------------------------------------------

  function times(t) {
    if (t < 0) return "not computed yet";
    return t === now.iteration - 1 ? `iteration ${t + 1}` : `still iteration ${t + 1}`;
  }
  /** Mark a panel by what is shown in it: of iteration t, from 0; of an earlier one than the current; or not there. */
  function mark(part, t, is_now) {
    part.when.textContent = times(t);
    part.box.classList.toggle("re-stale", t !== now.iteration - 1);
    part.box.classList.toggle("re-active", is_now);
  }

  function draw_controls() {
    digit.list.value = String(labels[now.chosen]);
    const alike = labels.length ? of_class(labels[now.chosen]) : range(N);
    fill(sample.list, alike.map((k, n) => [String(k), labels.length ? `${n + 1} of ${alike.length}` : String(k)]));
    sample.list.value = String(now.chosen);
    routings.list.value = String(now.routings);
    dialect.list.value = now.dialect;
    foreign.textContent = now.foreign ? `weights trained with ${trained}, accumulate` : "";
    caption.textContent = captions[now.chosen] ?? "";
    caption.hidden = !caption.textContent;
    presets.forEach((node, n) => set(node, { "aria-pressed": model.get("presets")[n][1] === now.chosen }));

    place.textContent = `iteration ${now.iteration} of ${now.routings}, step ${STEPS.indexOf(now.step) + 1} of 4`;
    const playing = timer !== undefined;
    if (start.dataset.playing !== String(playing)) {
      start.dataset.playing = playing;
      start.replaceChildren(icon(playing ? "pause" : "play"));
      set(start, { "aria-label": playing ? "pause" : "play", title: playing ? "pause" : "play" });
    }
    // Not disabled: what has the focus would lose it at the ends.
    set(back, { "aria-disabled": position() === 0 });
    set(forward, { "aria-disabled": position() === last_position() });
    steps.forEach((node, n) => set(node, { "aria-pressed": STEPS[n] === now.step }));
    kind.draw();
    links.draw();
  }

  function tint(t, i) {
    const pair = i * J + now.j;
    if (now.kind === "coupling") return tints.coupling(coupling_scale(now.trace.c[t][pair], J));
    return tints.contribution(now.trace.contribution[t][pair] / now.most);
  }
  const grid_at = () => (now.kind === "coupling" ? now.at.c : now.at.s);

  function draw_frames() {
    for (const [t, { node, picture, value }] of frames.entries()) {
      node.hidden = t >= now.routings;
      if (node.hidden) continue;
      const there = t <= grid_at();
      const length_there = t <= now.at.v;
      const text = length_there ? number(now.trace.lengths[t][now.j]) : "";
      value.textContent = text;
      set(node, {
        "aria-pressed": t === now.iteration - 1,
        "aria-label": `iteration ${t + 1}, ${length_there ? `length of capsule ${now.j} ${text}` : "not computed yet"}`,
        title: `iteration ${t + 1}`,
      });
      node.classList.toggle("re-to-come", !there);
      const key = `${now.chosen} ${now.dialect} ${now.j} ${now.kind} ${there} ${now.most}`;
      if (picture.dataset.key === key) continue;
      picture.dataset.key = key;
      const context = picture.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, 28, 28);
      for (let i = 0; there && i < I; i++) {
        context.fillStyle = tint(t, i);
        context.fillRect(4 * (i % SIDE), 4 * Math.floor(i / SIDE), 4, 4);
      }
      for (let p = 0; p < 784; p++) {
        const strength = images[784 * now.chosen + p];
        if (strength === 0) continue;
        context.fillStyle = `rgba(0,0,0,${((there ? 0.5 : 0.2) * strength) / 255})`;
        context.fillRect(p % 28, Math.floor(p / 28), 1, 1);
      }
    }
  }

  let inked;
  function draw_grid() {
    const t = grid_at();
    if (inked !== now.chosen) {
      inked = now.chosen;
      const href = ink_picture(images.subarray(784 * now.chosen, 784 * (now.chosen + 1)), 28, 0.5);
      set(ink, { href });
    }
    for (let i = 0; i < I; i++) paint_cell(i, t < 0 ? "#fff" : tint(t, i));
    const at = cell_at(now.i);
    set(lit_cell, { transform: `translate(${at.x} ${at.y})` });
    for (const name of ["contribution", "coupling"]) scales[name].node.style.display = now.kind === name ? "" : "none";
    const ends = [number(-now.most, 2), "0", number(now.most, 2)];
    for (const [k, text] of ends.entries()) scales.contribution.ends[k].textContent = text;
    grid.title.textContent = `${now.kind === "coupling" ? "Coupling" : "Contribution"} to capsule ${now.j}`;
    grid.box.dataset.of = now.kind === "coupling" ? "softmax" : "sum";
    const c = number(now.trace.c[now.at.c][now.pair], 3);
    const gives = t < 0 ? "" : number(now.trace.contribution[t][now.pair], 2);
    const sum = t < 0 ? "" : number(now.trace.norms[t][now.j], 2);
    const text = t < 0 ? "Nothing is summed up yet" : `Cell ${now.i} adds ${gives} to ‖s‖ = ${sum}`;
    grid.note.textContent = now.kind === "coupling" ? `Cell ${now.i}: c = ${c}` : text;
    mark(grid, t, now.kind === "coupling" ? now.step === "softmax" : now.step === "sum");
    set(grid.node, { "aria-label": `${grid.title.textContent}. ${grid.note.textContent}. Arrow keys choose a cell.` });
  }

  function link_path(i, j) {
    const [from, to, middle] = [row_y(i), upper_y(j), (edge + node_x) / 2];
    return `M${edge} ${from}C${middle} ${from} ${middle} ${to} ${node_x - 10} ${to}`;
  }
  let linked;
  function draw_couplings() {
    const t = now.at.c;
    const c = now.trace.c[t];
    for (let pair = 0; pair < I * J; pair++) paint_entry(pair, tints.coupling(coupling_scale(c[pair], J)));
    const upper = now.links === "upper";
    const key = `${now.links} ${upper ? now.j : now.i}`;
    const width = (i, j) => (12 * c[i * J + j]).toFixed(2);
    for (const [n, line] of link_lines.entries()) {
      const [i, j] = upper ? [n, now.j] : [now.i, n];
      const there = i < I && j < J;
      if (linked !== key) {
        line.style.display = there ? "" : "none";
        set(line, { d: link_path(i, j), "data-i": i, "data-j": j });
      }
      if (there) set(line, { "stroke-width": width(i, j) });
    }
    linked = key;
    set(lit_link, { d: link_path(now.i, now.j), "stroke-width": width(now.i, now.j) });
    for (const [j, node] of nodes.entries()) node.classList.toggle("re-node-lit", j === now.j);
    set(lit_row, { transform: `translate(${matrix_x} ${first + (now.i * deep) / I})` });
    set(lit_column, { transform: `translate(${matrix_x + wide * now.j} ${first})` });
    set(row_name, { y: row_y(now.i) + 4 });
    row_name.textContent = now.i;
    couplings.title.textContent = "Couplings, cell i → capsule j";
    couplings.note.textContent = `Cell ${now.i} → capsule ${now.j}: c = ${number(c[now.pair], 3)}`;
    mark(couplings, t, now.step === "softmax");
    set(couplings.node, { "aria-label": `${couplings.note.textContent}. Arrow keys choose a pair.` });
  }

  function draw_lengths() {
    const t = now.at.v;
    const lengths = t < 0 ? [] : now.trace.lengths[t];
    const winner = largest(Array.from(lengths));
    for (const [j, { node, bar, before, value }] of length_rows.entries()) {
      const x = lengths[j] ?? 0;
      bar.style.transform = `scaleX(${x})`;
      value.textContent = t < 0 ? "" : number(x, 3);
      const began = now.trace.lengths[0][j];
      before.style.display = t > 0 ? "" : "none";
      set(before, { x1: zero + unit * began, x2: zero + unit * began });
      set(value, { x: zero + unit * Math.max(x, t > 0 ? began : 0) + 6 });
      node.classList.toggle("re-longest", t >= 0 && j === winner);
      node.dataset.length = t < 0 ? "" : x;
    }
    set(lit_bar, { y: upper_y(now.j) - deep / J / 2 });
    bars.title.textContent = "Lengths";
    bars.note.textContent = t < 0 ? "Nobody has a length yet" : `Longest: ${winner}`;
    if (t > 0) bars.note.textContent += ". The mark | is where iteration 1 was";
    mark(bars, t, now.step === "squash");
    const told = Array.from(lengths, (x, j) => `${j}: ${number(x, 3)}`).join(", ");
    const chosen = `Capsule ${now.j} is chosen; arrow keys choose another.`;
    set(bars.node, { "aria-label": `Lengths ${told || "not computed yet"}. ${chosen}` });
  }

  function draw_logits() {
    const { trace, pair, routings: T } = now;
    const b = range(T).map((t) => trace.b[t][pair]);
    const a = range(T).map((t) => trace.a[t][pair]);
    const base = b.map((x) => (now.dialect === "accumulate" ? x : 0));
    const reached = [...b, ...base.map((x, t) => x + a[t])];
    const [low, high] = [Math.min(0, ...reached), Math.max(0, ...reached)];
    const room = Math.max(0.12 * (high - low), 0.01);
    const at = axis(logit_axis, low - (low < 0 ? room : 0), high + room, logit_width);
    draw_iteration_names(logit_names, logit_width);
    const half = Math.min(14, 90 / T);
    for (const [t, marks] of logit_marks.entries()) {
      const there = t <= now.at.b && t < T;
      const agreed = t <= now.at.a && t < T;
      marks.b.style.display = there ? "" : "none";
      marks.a.style.display = agreed ? "" : "none";
      marks.text.textContent = t < T && agreed ? number(a[t], Math.abs(a[t]) < 0.1 ? 3 : 2) : "";
      if (!there) continue;
      const x = iteration_x(t, logit_width);
      set(marks.b, { x1: x - half - 4, x2: x + half + 4, y1: at(b[t]), y2: at(b[t]) });
      const [end, begin] = [at(base[t] + a[t]), at(base[t])];
      const added = t < T - 1 && now.dialect !== "uniform";
      set(marks.a, { x: x - half, width: 2 * half, y: Math.min(end, begin), height: Math.abs(end - begin) });
      marks.a.classList.toggle("re-unused", !added);
      set(marks.text, { x, y: a[t] < 0 ? Math.max(end, begin) + 12 : Math.min(end, begin) - 4 });
    }
    const t = now.at.a;
    logits.title.textContent = `b and a, cell ${now.i} → capsule ${now.j}`;
    const old = t >= 0 && t < now.at.b ? ` (iteration ${t + 1})` : "";
    const agreed = t < 0 ? "not computed yet" : `= ${number(a[t], 2)}${old}`;
    logits.note.textContent = `— b = ${number(b[now.at.b], 2)}   ▮ a ${agreed}`;
    mark(logits, now.at.b, now.step === "agreement");
    const told = range(now.at.b + 1).map((n) => {
      const then = n <= t ? `, a ${number(a[n], 2)}` : "";
      return `iteration ${n + 1}: b ${number(b[n], 2)}${then}`;
    });
    set(logits.node, { "aria-label": `Logit and agreement of the pair. ${told.join("; ")}` });
  }

  function draw_entropy() {
    const t = now.at.c;
    draw_iteration_names(entropy_names, entropy_width);
    const values = { all: now.trace.entropy, one: now.trace.H.map((H) => H[now.i]) };
    const at = (name, n) => [iteration_x(n, entropy_width), entropy_top(values[name][n])];
    const places = curves.map(({ name }) => range(t + 1).map((n) => at(name, n)));
    const under = values.one[t] > values.all[t];
    for (const [n, { name, dots: marks, line, text }] of curves.entries()) {
      set(line, { points: places[n].map((place) => place.map((x) => x.toFixed(2)).join()).join(" ") });
      for (const [k, dot] of marks.entries()) {
        dot.style.display = k <= t ? "" : "none";
        if (k > t) continue;
        const [x, y] = places[n][k];
        set(dot, name === "all" ? { cx: x, cy: y } : { x: x - 3.5, y: y - 3.5 });
      }
      const [x, y] = places[n][t];
      const below = (name === "all") === under && y + 17 < plot.bottom;
      const twice = name === "one" && Math.abs(values.one[t] - values.all[t]) < 0.1;
      text.textContent = twice ? "" : number(values[name][t], 2);
      set(text, { x, y: below ? y + 17 : y - 8 });
    }
    entropies.title.textContent = "Entropy of c";
    const [all, one] = [number(values.all[t], 2), number(values.one[t], 2)];
    entropies.note.textContent = `● all cells by ‖u‖: ${all}   ■ cell ${now.i}: ${one} nats`;
    mark(entropies, t, now.step === "softmax");
    const told = range(t + 1).map((k) => {
      const both = `${number(values.all[k], 2)}, cell ${now.i} ${number(values.one[k], 2)}`;
      return `iteration ${k + 1}: ${both}`;
    });
    const what = "Entropy of c in nats, all cells weighted by the length of u, and the chosen cell";
    set(entropies.node, { "aria-label": `${what}. ${told.join("; ")}` });
  }

  function draw_votes() {
    const { points, means } = now.votes;
    const c = now.trace.c[now.at.c];
    const bounds = [0, 1].map((k) => {
      const values = [0, ...points.map((point) => point[k])];
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return [low, high, (low + high) / 2];
    });
    const [tall, long] = [field.bottom - field.top, field.right - field.left];
    const room = bounds.map(([low, high]) => 1.15 * (high - low) || 1);
    const scale = Math.min(long / room[0], tall / room[1]);
    const x = (value) => (field.left + field.right) / 2 + scale * (value - bounds[0][2]);
    const y = (value) => (field.top + field.bottom) / 2 - scale * (value - bounds[1][2]);
    set(vote_axes[0], { x1: field.left, x2: field.right, y1: y(0), y2: y(0) });
    set(vote_axes[1], { x1: x(0), x2: x(0), y1: field.top, y2: field.bottom });
    set(vote_texts[0], { x: (field.left + field.right) / 2, y: 175 });
    const reach = `from ${number(bounds[0][0], 1)} to ${number(bounds[0][1], 1)}`;
    vote_texts[0].textContent = `along the last v̂ of capsule ${now.j} (${reach})`;
    set(vote_texts[1], { transform: `translate(14 ${(field.top + field.bottom) / 2}) rotate(-90)` });
    vote_texts[1].textContent = "across it";
    const radius = (i) => 14 * Math.sqrt(c[i * J + now.j]);
    for (const [i, dot] of dots.entries()) {
      set(dot, { cx: x(points[i][0]), cy: y(points[i][1]), r: radius(i).toFixed(2) });
    }
    set(lit_vote, { cx: x(points[now.i][0]), cy: y(points[now.i][1]), r: radius(now.i) + 3 });
    const t = now.at.s;
    const path = means.slice(0, t + 1).map((point) => [x(point[0]), y(point[1])]);
    set(trail, { points: path.map((place) => place.map((value) => value.toFixed(2)).join()).join(" ") });
    for (const [k, dot] of trail_dots.entries()) {
      dot.style.display = k < t ? "" : "none";
      if (k < t) set(dot, { cx: path[k][0], cy: path[k][1] });
    }
    for (const node of [mean, mean_name]) node.style.display = t < 0 ? "none" : "";
    mean.classList.toggle("re-old", t < now.iteration - 1);
    if (t >= 0) {
      mean.style.transform = `translate(${path[t][0]}px, ${path[t][1]}px)`;
      set(mean_name, { x: path[t][0] + 10, y: path[t][1] - 9 });
      votes.node.dataset.mean = means[t].join(" ");
    } else votes.node.dataset.mean = "";
    votes.title.textContent = `Votes for capsule ${now.j}`;
    const old = t >= 0 && t < now.iteration - 1 ? ` (still iteration ${t + 1})` : "";
    const moved = t < 0 ? "not computed yet" : `at ${number(means[t][0], 2)} along${old}`;
    votes.note.textContent = `● area: c   ✕ s/Σc ${moved}`;
    mark(votes, now.at.c, now.step === "sum");
    const its = `the vote of cell ${now.i} at ${number(points[now.i][0], 2)}`;
    set(votes.node, { "aria-label": `Votes. The weighted mean is ${moved}; ${its}. Arrow keys choose a cell.` });
  }

  function draw_formula() {
    const { trace, pair, i, j } = now;
    const t = now.iteration - 1;
    const of = (symbol, index) => `<i>${symbol}</i><sub>${index}</sub>`;
    const [b, c, a] = [trace.b[t][pair], trace.c[t][pair], trace.a[t][pair]];
    const [s, v] = [trace.norms[t][j], trace.lengths[t][j]];
    const along = c > 0 ? trace.contribution[t][pair] / c : 0; // ⟨û, v̂⟩
    const ij = `${i},${j}`;
    const n3 = (x) => number(x, 3);
    const say = (words) => `<span class="re-say">${words}</span>`;
    const signed = (x) => (x < 0 ? `(${n3(x)})` : n3(x));
    const norm = (index) => `‖${of("s", index)}‖`;
    const texts = {
      softmax() {
        const sum = range(J).reduce((total, k) => total + Math.exp(trace.b[t][i * J + k]), 0);
        const general = frac(`exp ${of("b", ij)}`, `Σ<sub>k</sub> exp ${of("b", `${i},k`)}`);
        const numbers = `${frac(`exp ${signed(b)}`, n3(sum))} = ${frac(n3(Math.exp(b)), n3(sum))}`;
        return `${of("c", ij)} = ${general} = ${numbers} = <b>${n3(c)}</b>`;
      },
      sum() {
        const general = `${of("s", j)} = Σ<sub>i</sub> ${of("c", `i,${j}`)} ${of("û", `i,${j}`)}`;
        const symbols = `${of("c", ij)} ⟨${of("û", ij)}, ${of("v̂", j)}⟩`;
        const part = `${symbols} = ${n3(c)} × ${signed(along)} = <b>${n3(c * along)}</b>`;
        return `${general} ${say(`cell ${i} adds`)} ${part} ${say("to")} ${norm(j)} = <b>${n3(s)}</b>`;
      },
      squash() {
        const shrink = frac(`${norm(j)}²`, `${offset} + ${norm(j)}²`);
        const general = `${of("v", j)} = ${shrink} ${frac(of("s", j), norm(j))}`;
        const numbers = frac(`${n3(s)}²`, `${offset} + ${n3(s)}²`);
        const sums = `${numbers} = ${frac(n3(s * s), n3(offset + s * s))}`;
        return `${general} ${say("so")} ‖${of("v", j)}‖ = ${sums} = <b>${n3(v)}</b>`;
      },
      agreement() {
        const [vote, direction] = [of("û", ij), of("v̂", j)];
        const symbols = `⟨${vote}, ${of("v", j)}⟩ = ⟨${vote}, ${direction}⟩ ‖${of("v", j)}‖`;
        const part = `${of("a", ij)} = ${symbols} = ${signed(along)} × ${n3(v)} = <b>${n3(a)}</b>`;
        let then = `${of("b", ij)} ← ${of("b", ij)} + ${of("a", ij)} = ${n3(b)} + ${signed(a)} = <b>${n3(b + a)}</b>`;
        if (now.dialect === "replace") then = `${of("b", ij)} ← ${of("a", ij)} = <b>${n3(a)}</b>`;
        if (now.dialect === "uniform") then = say(`not used: ${of("b", ij)} stays 0`);
        if (now.iteration === now.routings) then = say("the last one, never used");
        return `${part} <span class="re-gap"></span> ${then}`;
      },
    };
    formula.innerHTML = `<div>${texts[now.step]()}</div>`;
    formula.dataset.step = now.step;
  }

  const status = html("p", { class: "re-status", "data-testid": "re-status", "aria-live": "polite" });
  function draw_status() {
    const { at, trace, i, j } = now;
    const label = labels.length ? `Labelled ${labels[now.chosen]}. ` : "";
    const place_now = `Iteration ${now.iteration} of ${now.routings}, ${STEP_NAMES[now.step]}. `;
    let longest = "No lengths yet. ";
    if (at.v >= 0) {
      const order = range(J).sort((p, q) => trace.lengths[at.v][q] - trace.lengths[at.v][p]);
      const told = order.slice(0, 2).map((k) => `${k} (${number(trace.lengths[at.v][k], 3)})`);
      const old = at.v < now.iteration - 1 ? ` at iteration ${at.v + 1}` : "";
      longest = `Longest${old}: capsule ${told.join(", then ")}. `;
    }
    const pair = `Cell ${i} → capsule ${j}: c ${number(trace.c[at.c][now.pair], 3)}`;
    const gives = number(at.s < 0 ? undefined : trace.contribution[at.s][now.pair], 2);
    const old = at.s < at.c ? ` at iteration ${at.s + 1}` : "";
    const adds = at.s < 0 ? "" : `, contribution ${gives}${old}`;
    const H = ` Entropy of c: ${number(trace.entropy[at.c], 2)} nats of at most ${number(Math.log(J), 2)}.`;
    const weights = now.foreign ? ` ${foreign.textContent.replace("w", "W")}.` : "";
    const text = `${label}${place_now}${longest}${pair}${adds}.${H}${weights}`;
    if (status.textContent !== text) status.textContent = text;
  }

  function tell_lengths() {
    const lengths = now.at.v < 0 ? [] : Array.from(now.trace.lengths[now.at.v]);
    const told = model.get("lengths");
    // Python, which told the first ones, rounds otherwise.
    if (lengths.length === told.length && lengths.every((x, j) => Math.abs(x - told[j]) < 1e-5)) return;
    busy = true;
    model.set("lengths", lengths);
    busy = false;
    model.save_changes();
  }

  function draw() {
    if (busy) return;
    update();
    draw_controls();
    draw_frames();
    draw_formula();
    for (const panel of [draw_grid, draw_couplings, draw_lengths, draw_logits, draw_votes, draw_entropy]) panel();
    draw_status();
    tell_lengths();
  }

  // Mouse, touch and keys ---------------------------------------------------------------------------------------------

  /** The point of an SVG, in its own units, that a pointer is at. */
  const point = (node, event) =>
    new DOMPoint(event.clientX, event.clientY).matrixTransform(node.getScreenCTM().inverse());
  const pick = {
    grid({ x, y }) {
      const [row, column] = [Math.floor((y - top) / CELL), Math.floor((x - left) / CELL)];
      if (row >= 0 && row < SIDE && column >= 0 && column < SIDE) choose(row * SIDE + column, now.j);
    },
    matrix({ x, y }) {
      const inside = y >= first && y < first + deep;
      const i = Math.floor(((y - first) / deep) * I);
      if (inside && x >= matrix_x && x < edge) choose(i, Math.floor((x - matrix_x) / wide));
      else if (inside && x > node_x - 16) choose(now.i, Math.floor(((y - first) / deep) * J));
      else if (inside && x < matrix_x) choose(i, now.j);
    },
    lengths({ y }) {
      if (y >= first && y < first + deep) choose(now.i, Math.floor(((y - first) / deep) * J));
    },
    votes({ x, y }) {
      const away = dots.map((dot) => -Math.hypot(dot.getAttribute("cx") - x, dot.getAttribute("cy") - y));
      const i = largest(away);
      if (-away[i] < 24) choose(i, now.j);
    },
  };
  const surfaces = { grid, matrix: couplings, lengths: bars, votes };
  for (const [name, { node }] of Object.entries(surfaces)) {
    node.addEventListener("click", (event) => pick[name](point(node, event)));
  }

  const moves = {
    grid: { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [-SIDE, 0], ArrowDown: [SIDE, 0] },
    matrix: { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] },
    lengths: { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [0, -1], ArrowRight: [0, 1] },
    votes: { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [-SIDE, 0], ArrowDown: [SIDE, 0] },
  };
  const keys = {
    ArrowLeft: () => go(position() - 1),
    ArrowRight: () => go(position() + 1),
    ArrowUp: () => go_iteration(now.iteration - 1),
    ArrowDown: () => go_iteration(now.iteration + 1),
    PageUp: () => go_iteration(now.iteration - 1),
    PageDown: () => go_iteration(now.iteration + 1),
    Home: () => go(0),
    End: () => go(last_position()),
  };
  function press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select")) return;
    const move = moves[event.target.dataset.surface]?.[event.key];
    if (move) {
      const i = now.i + move[0];
      if (i >= 0 && i < I) choose(i, now.j + move[1]);
    } else if (event.key === "p" || (event.key === " " && !event.target.matches("button"))) play();
    else if (keys[event.key]) halt(keys[event.key])();
    else return;
    event.preventDefault();
  }

  const settings = html("div", { class: "caps-row re-settings" }, routings.node, dialect.node);
  const controls = [digit.node, sample.node, ...presets, settings];
  const root = html(
    "div",
    {
      class: "re",
      tabindex: 0,
      role: "group",
      "aria-label": "Routing explorer. Left and right step, up and down change the iteration, p plays.",
      "data-testid": "re-root",
      onkeydown: press,
    },
    html("div", { class: "caps-row re-controls" }, ...controls),
    html("div", { class: "re-notes" }, caption, foreign),
    html("div", { class: "re-time" }, html("div", {}, transport, place), film),
    stage,
    html("div", { class: "re-panels" }, ...[grid, couplings, bars, logits, votes, entropies].map(({ box }) => box)),
    status,
    html("p", { class: "re-keys" }, HELP),
  );
  el.append(root);
  return { draw, stop };
});
