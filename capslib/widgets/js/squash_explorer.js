/** Squash in the plane: a vector s to drag, its v, and two curves over every length: the length out, and the gain. */
import { length, squash } from "./equations.js";
import { plane } from "./plane.js";
import { button, colour, html, number, set, svg, svg_point, unique, widget } from "./dom.js";

const BORDER = 0.5; // the article's claim: norms below it shrink, norms above it grow
const TOUCHES = 0.25; // the offset whose ratio curve touches 1; below it some norms grow
const NAMED = [
  { k: TOUCHES, name: "quarter" },
  { k: 0.5, name: "article" },
  { k: 1, name: "paper" },
];
const GHOSTS = [
  { k: 1, name: "paper 1", dash: "none", drop: 7 },
  { k: 0.5, name: "article 0.5", dash: "5 3", drop: 4 },
];
const POINTS = 400; // of a curve
const ALIKE = 5e-4; // lengths nearer than this are the same in three decimals

/** The curves' picture: pixels of its parts. All three share the axis of ‖s‖. */
const BOX = { width: 560, height: 556, left: 52, right: 478 };
const LENGTHS = { top: 24, bottom: 204, most: 1.12 };
const RATIOS = { top: 244, bottom: 444 };
const ROWS = { top: 472, height: 17, step: 21 };
const TICKS = [0, 0.5, 1, 1.5, 2];

/** The top of the gain's axis: 1.25, or more where the gain needs it. */
const highest = (k) => Math.max(1.25, 1.15 / (2 * Math.sqrt(k)));

/** An offset or a component as text: three decimals where two are not enough, or a sum by hand would not come out. */
const short = (x) => number(x, Math.abs(100 * x - Math.round(100 * x)) < 1e-6 ? 2 : 3);

/** The lengths between which vectors grow, (1 ± √(1 − 4κ))/2; undefined where none does. */
function growing(k) {
  if (k >= TOUCHES) return undefined;
  const half = Math.sqrt(1 - 4 * k) / 2;
  return [0.5 - half, 0.5 + half];
}

/** ‖v‖ for a length ‖s‖. */
function after(x, k) {
  return length(squash(Float64Array.of(x, 0), 2, k), 2)[0];
}

/** Whether the claim is true of one length for this κ: words, and the verdict in bold. */
function said_of_one(x, now, k) {
  const excess = x * x - x + k; // negative where x grows; ε moves ‖v‖ by less than this tolerance
  const fate = x === 0 || Math.abs(excess) < 1e-5 * x ? "stay" : excess < 0 ? "grow" : "shrink";
  const digits = fate === "stay" || Math.abs(x - now) >= ALIKE ? 3 : 6;
  const start = `κ = ${short(k)}, ‖s‖ = ${number(x, digits)}: `;
  if (x === 0) return [`${start}the zero vector stays zero for every offset.`];
  const does = { grow: "grows to", shrink: "shrinks to", stay: "stays the same," }[fate];
  const outcome = `${does} ‖v‖ = ${number(now, digits)}`;
  if (Math.abs(x - BORDER) < ALIKE) return [`${start}the claim says nothing about 0.5 itself; this vector ${outcome}.`];
  const [side, should] = x > BORDER ? ["above", "grow"] : ["below", "shrink"];
  const verdict = fate === should ? "✓ Here the claim is true." : "✗ Here the claim is false.";
  return [`${start}a norm ${side} 0.5 should ${should}. It ${outcome}. `, html("b", {}, verdict)];
}

/** What the claim gets right for this κ over all lengths, in words. */
function said_of_all(k) {
  const peak = number(1 / (2 * Math.sqrt(k)), 3);
  if (k > TOUCHES) {
    return `No norm grows: the gain ‖v‖/‖s‖ peaks at 1/(2√κ) = ${peak}, which is below 1. So the claim is false for every
      norm above 0.5.`;
  }
  if (k === TOUCHES) {
    return `The gain ‖v‖/‖s‖ peaks at 1/(2√κ) = ${peak}, at ‖s‖ = √κ = 0.5. That one norm stays the same, and none grows.
      So the claim is false for every norm above 0.5.`;
  }
  const [low, high] = growing(k).map((x) => number(x, 3));
  return `Norms grow from (1 − √(1 − 4κ))/2 = ${low} to (1 + √(1 − 4κ))/2 = ${high}, and only there. So the claim is
    false between ${low} and 0.5, where norms grow, and above ${high}, where they shrink.`;
}

function start({ model, el }) {
  const { length: longest, offset: [least, most] } = model.get("limits");
  const first = { s: model.get("s"), offset: model.get("offset") };
  let way = [0.6, 0.8]; // the direction of s, kept while its length is 0
  let asking = true; // until the first move: the curves would answer before the learner has guessed

  const save = (values) => {
    model.set(values);
    model.save_changes();
  };
  const choose = (x, y) => {
    const shrink = Math.min(1, longest / Math.hypot(x, y)) || 1;
    save({ s: [shrink * x, shrink * y] });
  };
  const choose_length = (x) => save({ s: [x * way[0], x * way[1]] });

  // Controls ------------------------------------------------------------------------------------------------------

  const slider = (test, label, min, max, value) => {
    const shown = html("output", { class: "caps-squash-value" });
    const range = html("input", { type: "range", min, max, step: 0.01, "data-testid": test, "aria-label": label });
    range.addEventListener("input", () => value(range.valueAsNumber));
    return { range, shown };
  };
  const size = slider("squash-length", "length of s", 0, longest, choose_length);
  const offset = slider("squash-offset", "offset κ", least, most, (k) => save({ offset: k }));
  const reset = button("squash-reset", "back to the initial state", "reset", () => {
    asking = true;
    save(first);
    draw();
  });
  const named = [{ k: least, name: "lowest" }, ...NAMED].map(({ k, name }) => {
    const node = button(`squash-offset-${k}`, `offset ${k} ${name}`, `${k}`, () => save({ offset: k }));
    node.append(" ", html("small", {}, name));
    node.style.setProperty("--at", (k - least) / (most - least));
    return { k, node };
  });

  // The plane -----------------------------------------------------------------------------------------------------

  const reach = 1.06 * longest;
  const board = plane({
    label: "The plane of s and v",
    ...{ x: [-reach, reach], y: [-reach, reach], size: 400, unit: "length 1", step: 0.05, snap: 0.01 },
  });
  const v_arrow = board.arrow({ stroke: colour("v"), width: 5 });
  const s_arrow = board.arrow({ stroke: "currentColor", width: 1.5 });
  const s_name = svg("text", { class: "caps-squash-name caps-squash-halo" });
  const v_name = svg("text", { class: "caps-squash-name caps-squash-halo" });
  board.marks.append(s_name, v_name);
  const handle = board.handle(
    { test: "squash-s", label: "tip of s", move: choose },
    svg("circle", { r: 6.5, class: "caps-squash-tip" }),
  );

  /** Write a name beside a tip, on one side of the ray. */
  const beside = (node, tip_x, tip_y, side, text) => {
    const [out_x, out_y] = [-side * way[1], side * way[0]];
    const anchor = out_x > 0.3 ? "start" : out_x < -0.3 ? "end" : "middle";
    set(node, { x: board.x(tip_x) + 14 * out_x, y: board.y(tip_y) - 14 * out_y + 4, "text-anchor": anchor });
    node.textContent = text;
  };

  // The curves ----------------------------------------------------------------------------------------------------

  const to_x = (x) => BOX.left + (x / longest) * (BOX.right - BOX.left);
  const to_y = (part, y) => part.bottom - (y / part.most) * (part.bottom - part.top);
  const line = (x1, y1, x2, y2, look) => svg("line", { x1, y1, x2, y2, class: look });
  const text = (x, y, words, more = {}) => svg("text", { x, y, ...more }, words);
  const quiet = (x, y, words, more = {}) => text(x, y, words, { class: "caps-squash-quiet", ...more });
  const parts = [LENGTHS, { ...RATIOS, most: highest(1) }];
  const [lengths, ratios] = parts;
  const curves = svg("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, class: "caps-squash-curves", role: "img" });
  const title = svg("title", { id: unique() });
  curves.setAttribute("aria-labelledby", title.id);

  const frame = parts.flatMap(({ top, bottom }) => [
    line(BOX.left, bottom, BOX.right, bottom, "caps-axis"),
    line(BOX.left, top, BOX.left, bottom, "caps-axis"),
  ]);
  const ticks = parts.flatMap((part) => TICKS.map((y) => ({
    ...{ part, y, mark: line(BOX.left - 4, 0, BOX.left, 0, "caps-axis") },
    name: quiet(BOX.left - 8, 0, number(y, 1), { "text-anchor": "end" }),
  })));
  const marks = TICKS.filter((x) => x <= longest).flatMap((x) => [
    line(to_x(x), RATIOS.bottom, to_x(x), RATIOS.bottom + 4, "caps-axis"),
    quiet(to_x(x), RATIOS.bottom + 18, number(x, 1), { "text-anchor": "middle" }),
  ]);
  const side = BOX.right + 8;
  const level = line(BOX.left, 0, BOX.right, 0, "caps-squash-unchanged");
  const level_name = quiet(side, 0, "unchanged");
  const names = [
    text(BOX.left, LENGTHS.top - 10, "length out, ‖v‖", { class: "caps-squash-title" }),
    text(BOX.left, RATIOS.top - 10, "gain, ‖v‖ / ‖s‖: length out ÷ length in", { class: "caps-squash-title" }),
    text(BOX.left - 18, RATIOS.bottom + 18, "‖s‖", { class: "caps-squash-title", "text-anchor": "end" }),
    quiet(to_x(LENGTHS.most), LENGTHS.top - 10, "unchanged", { "text-anchor": "middle" }),
    quiet(side, to_y(lengths, 1) + 4, "limit 1"),
    line(to_x(0), to_y(lengths, 0), to_x(LENGTHS.most), LENGTHS.top, "caps-squash-unchanged"),
    line(BOX.left, to_y(lengths, 1), BOX.right, to_y(lengths, 1), "caps-grid"),
  ];
  const band = svg("g", { "data-testid": "squash-band" }, ...parts.map(({ top, bottom }) =>
    svg("rect", { y: top, height: bottom - top, class: "caps-squash-band", fill: colour("v") }),
  ));

  // Both curves of one offset. The first point has no ratio.
  const xs = Array.from({ length: POINTS + 1 }, (_, n) => (n * longest) / POINTS);
  const vectors = Float64Array.from(xs.flatMap((x) => [x, 0]));
  const path = (part, values) => {
    const points = values.map((y, n) => `${to_x(xs[n]).toFixed(1)},${to_y(part, y).toFixed(1)}`);
    return `M${points.slice(part === ratios ? 1 : 0).join("L")}`;
  };
  const both = (attributes) => parts.map((part) => ({ part, node: svg("path", { fill: "none", ...attributes }) }));
  const ghosts = GHOSTS.map(({ k, dash }) => ({ k, pair: both({ class: "caps-squash-ghost", "stroke-dasharray": dash }) }));
  const bold = both({ stroke: colour("v"), "stroke-width": 3, "stroke-linejoin": "round" });
  for (const [n, name] of ["length", "ratio"].entries()) set(bold[n].node, { "data-testid": `squash-${name}-curve` });
  const ghost_names = GHOSTS.map(({ k, name, drop }) => quiet(side, to_y(lengths, after(longest, k)) + drop, name));
  const peak = svg("circle", { r: 5.5, class: "caps-squash-peak", "data-testid": "squash-peak" });
  const peak_name = svg("text", { class: "caps-squash-halo", "text-anchor": "middle", "data-testid": "squash-peak-text" });
  const root = line(0, 0, 0, RATIOS.bottom, "caps-squash-unchanged");
  const root_name = svg("text", { class: "caps-squash-halo", "data-testid": "squash-root" });

  const ruler = line(0, LENGTHS.top, 0, ROWS.top + 2 * ROWS.step + ROWS.height, "caps-squash-ruler");
  const moved = parts.map((part, n) => ({
    part,
    gap: svg("line", { class: "caps-squash-gap" }),
    dot: svg("circle", { r: 5.5, class: "caps-squash-dot", "data-testid": ["squash-length-dot", "squash-ratio-dot"][n] }),
    name: svg("text", { class: "caps-squash-name caps-squash-halo", "data-testid": ["squash-now", "squash-ratio"][n] }),
  }));

  // The claim beside the truth, over the same axis: each row is a list of stretches of ‖s‖.
  const rows = ["claim", "truth", "✗"].map((name, n) => {
    const y = ROWS.top + n * ROWS.step;
    const words = svg("g", { "data-testid": ["squash-claim", "squash-truth", "squash-false"][n] });
    return { y, bars: svg("g"), words, name: quiet(BOX.left - 14, y + 12.5, name, { "text-anchor": "end" }) };
  });
  const fill_row = ({ y, bars, words }, stretches) => {
    const seen = stretches.filter(([from, to]) => to > from);
    bars.replaceChildren(...seen.map(([from, to, look]) =>
      svg("rect", { x: to_x(from), y, width: to_x(to) - to_x(from), height: ROWS.height, class: `caps-squash-${look}` }),
    ));
    words.replaceChildren(...seen.filter(([from, to, , said]) => to_x(to) - to_x(from) > 9 * said.length).map(
      ([from, to, look, said]) =>
        text(to_x((from + to) / 2), y + 12.5, said, { "text-anchor": "middle", class: `caps-squash-in-${look}` }),
    ));
  };
  const limits = ["low", "high"].map((name) => ({
    edge: line(0, LENGTHS.top, 0, ROWS.top + 3 * ROWS.step - 2, "caps-squash-edge"),
    mark: svg("text", { "data-testid": `squash-${name}`, class: "caps-squash-limit", "text-anchor": "middle" }),
  }));
  const limit_marks = limits.flatMap(({ edge, mark }) => [edge, mark]);

  // A pointer anywhere over the curves takes the length that it stands at.
  let pointer;
  const follow = (event) => {
    const x = ((svg_point(curves, event).x - BOX.left) / (BOX.right - BOX.left)) * longest;
    choose_length(Math.max(0, Math.min(longest, Math.round(100 * x) / 100)));
  };
  const drop = () => (pointer = undefined);
  const area = svg("rect", {
    ...{ x: BOX.left, y: LENGTHS.top, width: BOX.right - BOX.left, height: ROWS.top + 60 - LENGTHS.top },
    ...{ class: "caps-squash-area", "data-testid": "squash-curves" },
    onpointerdown: (event) => {
      if (event.button !== 0 || pointer !== undefined) return;
      event.preventDefault();
      pointer = event.pointerId;
      area.setPointerCapture(pointer);
      size.range.focus({ preventScroll: true });
      follow(event);
    },
    onpointermove: (event) => event.pointerId === pointer && follow(event),
    ...{ onpointerup: drop, onpointercancel: drop, onlostpointercapture: drop },
  });

  curves.append(title, band, ...frame, ...ticks.flatMap(({ mark, name }) => [mark, name]), ...marks, ...names);
  curves.append(level, level_name, ...rows.map(({ bars }) => bars), ...limit_marks, ruler);
  curves.append(...[...ghosts.flatMap(({ pair }) => pair), ...bold].map(({ node }) => node), ...ghost_names);
  curves.append(...rows.flatMap(({ name, words }) => [name, words]), ...moved.flatMap(({ gap, dot }) => [gap, dot]));
  curves.append(root, root_name, peak, peak_name, ...moved.map(({ name }) => name), area);

  const answers = [...[...ghosts.flatMap(({ pair }) => pair), ...bold].map(({ node }) => node), ...ghost_names];
  answers.push(band, peak, peak_name, root, root_name, ...limit_marks);
  answers.push(...rows.slice(1).flatMap(({ bars, words, name }) => [bars, words, name]));

  // Words ---------------------------------------------------------------------------------------------------------

  const formulas = ["‖s‖²", "‖v‖", "‖v‖ / ‖s‖", "v"].map((left) => ({
    left: html("b", {}, left),
    right: html("div", { class: "caps-squash-terms" }),
  }));
  const one = html("p", { "aria-live": "polite", "data-testid": "squash-says" });
  const all = html("p", { "data-testid": "squash-all" });
  const ask = html("p", { "data-testid": "squash-ask" },
    "And a longer one, or another offset? Guess, then move s or κ: your first move shows the curves for all lengths.");

  el.append(html("div", { class: "caps-squash" },
    html("div", { class: "caps-squash-control" },
      html("div", { class: "caps-row" }, html("b", {}, "length ‖s‖"), size.shown, reset),
      size.range,
      html("p", { class: "caps-squash-hint" }, "You can also drag the tip of s, or the vertical line in the plots."),
    ),
    html("div", { class: "caps-squash-control" },
      html("div", { class: "caps-row" }, html("b", {}, "offset κ"), offset.shown),
      offset.range,
      html("div", { class: "caps-squash-named" }, ...named.map(({ node }) => node)),
    ),
    html("div", { class: "caps-squash-verdict", "data-testid": "squash-verdict" },
      html("p", {}, html("b", {}, "The claim: "), "norms below 0.5 shrink, norms above 0.5 grow."),
      one,
      ask,
      all,
    ),
    html("div", { class: "caps-squash-plane" },
      board.node,
      html("div", { class: "caps-squash-formula", "data-testid": "squash-formula" },
        ...formulas.flatMap(({ left, right }) => [left, right]),
      ),
    ),
    curves,
  ));

  // Drawing -------------------------------------------------------------------------------------------------------

  let drawn; // the offset of the curves as they stand

  function draw_axis(most) {
    ratios.most = most;
    for (const { part, y, mark, name } of ticks) {
      const at = to_y(part, y);
      set(mark, { y1: at, y2: at });
      set(name, { y: at + 4 });
      for (const node of [mark, name]) node.style.display = y <= part.most ? "" : "none";
    }
    set(level, { y1: to_y(ratios, 1), y2: to_y(ratios, 1) });
    set(level_name, { y: to_y(ratios, 1) + 4 });
  }

  function draw_offset(k) {
    if (k === drawn) return;
    drawn = k;
    draw_axis(highest(k));
    for (const { k: own, pair } of [...ghosts, { k, pair: bold }]) {
      const now = Array.from(length(squash(vectors, 2, own), 2));
      for (const { part, node } of pair) {
        set(node, { d: path(part, part === ratios ? now.map((y, n) => (n ? y / xs[n] : 0)) : now) });
      }
    }
    const [at, height] = [Math.sqrt(k), 1 / (2 * Math.sqrt(k))];
    set(peak, { cx: to_x(at), cy: to_y(ratios, height) });
    set(peak_name, { x: to_x(at), y: to_y(ratios, height) - 11 });
    peak_name.textContent = `peak ${number(height, 3)}`;
    set(root, { x1: to_x(at), x2: to_x(at), y1: to_y(ratios, height) });
    set(root_name, { x: to_x(at) + 5, y: RATIOS.bottom - 8 });
    root_name.textContent = `√κ = ${number(at, 3)}`;

    const grow = growing(k);
    const [low, high] = grow ?? [0, 0];
    for (const node of [band, ...limit_marks]) node.style.display = grow ? "" : "none";
    for (const node of band.children) set(node, { x: to_x(low), width: to_x(high) - to_x(low) });
    const apart = Math.max(0, 46 - (to_x(high) - to_x(low))) / 2; // Narrow bands push their limits' texts outwards.
    limits.forEach(({ edge, mark }, n) => {
      const limit = [low, high][n];
      set(edge, { x1: to_x(limit), x2: to_x(limit) });
      set(mark, { x: to_x(limit) + [-apart, apart][n], y: ROWS.top + 3 * ROWS.step + 11 });
      mark.textContent = number(limit, 3);
    });

    const [claim, truth, wrong] = rows;
    fill_row(claim, [[0, BORDER, "shrink", "shrink"], [BORDER, longest, "grow", "grow"]]);
    if (grow) {
      fill_row(truth, [[0, low, "shrink", "shrink"], [low, high, "grow", "grow"], [high, longest, "shrink", "shrink"]]);
      fill_row(wrong, [[low, BORDER, "false", "false"], [high, longest, "false", "claim is false"]]);
    } else {
      fill_row(truth, [[0, longest, "shrink", k === TOUCHES ? "shrink, except 0.5 itself" : "shrink"]]);
      fill_row(wrong, [[BORDER, longest, "false", "claim is false"]]);
    }
    all.textContent = said_of_all(k).replace(/\s+/g, " ");
    offset.range.value = k;
    set(offset.range, { "aria-valuetext": short(k) });
    offset.shown.textContent = short(k);
    for (const { k: name, node } of named) set(node, { "aria-pressed": name === k });
  }

  function draw() {
    const [s, k] = [model.get("s"), model.get("offset")];
    const v = squash(Float64Array.from(s), 2, k);
    const [x, now] = [Math.hypot(...s), length(v, 2)[0]];
    const ratio = x ? now / x : undefined;
    if (x > 1e-9) way = s.map((component) => component / x);
    draw_offset(k);
    asking &&= k === first.offset && s.every((component, n) => component === first.s[n]);
    for (const node of answers) node.style.visibility = asking ? "hidden" : "";
    ask.style.display = asking ? "" : "none";
    all.style.display = asking ? "none" : "";

    s_arrow.to(...s);
    v_arrow.to(...v);
    beside(s_name, ...s, 1, `s ${number(x)}`);
    beside(v_name, ...v, -1, `v ${number(now)}`);
    handle.place(...s, `s is ${number(s[0])}, ${number(s[1])}, of length ${number(x)}`);
    size.range.value = x;
    set(size.range, { "aria-valuetext": number(x) });
    size.shown.textContent = number(x);

    set(ruler, { x1: to_x(x), x2: to_x(x) });
    // Below a curve there is room: to the right where it rises, to the left where it falls or the picture ends.
    const leftwards = [x > 0.8 * longest, x > Math.sqrt(k)];
    moved.forEach(({ part, gap, dot, name }, n) => {
      const value = part === ratios ? ratio : now;
      for (const node of [gap, dot, name]) node.style.display = value === undefined ? "none" : "";
      if (value === undefined) return;
      const unchanged = part === ratios ? 1 : Math.min(x, part.most);
      const [px, py] = [to_x(x), to_y(part, value)];
      set(dot, { cx: px, cy: py });
      set(gap, { x1: px, x2: px, y1: py, y2: to_y(part, unchanged) });
      const [dx, anchor] = leftwards[n] ? [-10, "end"] : [10, "start"];
      set(name, { x: px + dx, y: Math.min(py + 19, part.bottom - 6), "text-anchor": anchor });
      name.textContent = number(value, 3);
    });

    const [squared, shown] = [number(x * x, 3), number(ratio, 3)];
    const squares = s.map((component) => `${component < 0 ? `(${short(component)})` : short(component)}²`).join(" + ");
    const terms = [
      [`${squares} = ${squared}`],
      ["‖s‖² / (κ + ‖s‖²)", `${squared} / (${short(k)} + ${squared}) = ${number(now, 3)}`],
      [x ? `${number(now, 3)} / ${number(x, 3)} = ${shown}` : "0 / 0, which is undefined"],
      [...(x ? [`${shown} · (${short(s[0])}, ${short(s[1])})`] : []), `(${number(v[0], 3)}, ${number(v[1], 3)})`],
    ];
    for (const [n, { right }] of formulas.entries()) {
      right.replaceChildren(...terms[n].map((term) => html("div", {}, `= ${term}`)));
    }

    one.replaceChildren(...said_of_one(x, now, k));
    title.textContent = `Curves over the length of s. ${one.textContent}`;
  }

  return { draw };
}

export default widget(start);
