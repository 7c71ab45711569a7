/** What goes on over the iterations: logit and agreement of the chosen pair, and the entropy of c. */
import { number, set, svg } from "../dom.js";
import { range } from "./state.js";
import { explain, mark, panel } from "./parts.js";

/** @typedef {import("./state.js").State} State @typedef {import("./state.js").Now} Now */

const PLOT = { left: 38, right: 14, top: 12, bottom: 150, height: 186 };
export const ABOUT_LOGITS = "The logit b and the agreement a of the chosen cell and capsule at each iteration";
export const ABOUT_ENTROPY =
  "How undecided the couplings are: ln J where a cell is coupled equally to all capsules, 0 where to one alone";
const LOGITS_WIDTH = 300;
const ENTROPY_WIDTH = 270;

/**
 * Lines and numbers of a plot's y axis between two values.
 * @param {SVGGElement} group what they are put into
 * @param {number} low
 * @param {number} high
 * @param {number} width of the picture
 * @returns {(value: number) => number} a value's y
 */
function axis(group, low, high, width) {
  const rough = (high - low) / 4;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * magnitude).find((n) => n >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const at = (value) => PLOT.bottom - ((value - low) / (high - low)) * (PLOT.bottom - PLOT.top);
  const key = `${low} ${high}`;
  if (group.dataset.key === key) return at;
  group.dataset.key = key;
  const begin = Math.ceil(low / step);
  const ticks = range(Math.floor(high / step) - begin + 1).map((n) => (begin + n) * step);
  group.replaceChildren(
    ...ticks.flatMap((value) => [
      svg("line", {
        x1: PLOT.left,
        x2: width - PLOT.right,
        y1: at(value),
        y2: at(value),
        class: value === 0 ? "caps-re-axis" : "caps-re-grid-line",
      }),
      svg("text", { x: PLOT.left - 6, y: at(value) + 4, "text-anchor": "end" }, number(value, digits)),
    ]),
  );
  return at;
}

/** The x of iteration t. @param {Now} now @param {number} t @param {number} width */
const iteration_x = ({ routings }, t, width) => PLOT.left + ((t + 0.5) / routings) * (width - PLOT.left - PLOT.right);

/** The numbers of the iterations below a plot. @param {State} state @param {number} width */
function iteration_names(state, width) {
  const below = (x, y, words) => svg("text", { x, y: PLOT.bottom + y, "text-anchor": "middle" }, words);
  const names = range(state.most_routings).map((t) => below(0, 16, String(t + 1)));
  const title = below((PLOT.left + width - PLOT.right) / 2, 31, "iteration");
  /** @param {Now} now */
  function draw(now) {
    for (const [t, name] of names.entries()) {
      if (t < now.routings) set(name, { x: iteration_x(now, t, width) });
      name.style.display = t < now.routings ? "" : "none";
      name.classList.toggle("caps-re-now", t === now.iteration - 1);
    }
  }
  return { nodes: [...names, title], draw };
}

/** b as a line and a as a bar on it, of the chosen pair. @param {State} state */
export function logits_panel(state) {
  const width = LOGITS_WIDTH;
  const part = panel("logits", "agreement", `0 0 ${width} ${PLOT.height}`, { role: "img" });
  explain(part.box, ABOUT_LOGITS);
  const lines = svg("g");
  const names = iteration_names(state, width);
  const marks = range(state.most_routings).map(() => ({
    b: svg("line", { class: "caps-re-b" }),
    a: svg("rect", { class: "caps-re-a" }),
    text: svg("text", { "text-anchor": "middle", class: "caps-re-value" }),
  }));
  part.node.append(lines, ...names.nodes, ...marks.flatMap(({ b, a, text }) => [a, b, text]));

  /** @param {Now} now */
  function draw(now) {
    const { trace, pair, routings: T } = now;
    const b = range(T).map((t) => trace.b[t][pair]);
    const a = range(T).map((t) => trace.a[t][pair]);
    const base = b.map((x) => (now.rule === "accumulate" ? x : 0));
    const reached = [...b, ...base.map((x, t) => x + a[t])];
    const [low, high] = [Math.min(0, ...reached), Math.max(0, ...reached)];
    const room = Math.max(0.12 * (high - low), 0.01);
    const at = axis(lines, low - (low < 0 ? room : 0), high + room, width);
    names.draw(now);
    const half = Math.min(14, 90 / T);
    for (const [t, { b: line, a: bar, text }] of marks.entries()) {
      const there = t <= now.at.b && t < T;
      const agreed = t <= now.at.a && t < T;
      line.style.display = there ? "" : "none";
      bar.style.display = agreed ? "" : "none";
      text.textContent = agreed ? number(a[t], Math.abs(a[t]) < 0.1 ? 3 : 2) : "";
      if (!there) continue;
      const x = iteration_x(now, t, width);
      set(line, { x1: x - half - 4, x2: x + half + 4, y1: at(b[t]), y2: at(b[t]) });
      const [end, begin] = [at(base[t] + a[t]), at(base[t])];
      const added = t < T - 1 && now.rule !== "uniform";
      set(bar, { x: x - half, width: 2 * half, y: Math.min(end, begin), height: Math.abs(end - begin) });
      bar.classList.toggle("caps-re-unused", !added);
      set(text, { x, y: a[t] < 0 ? Math.max(end, begin) + 12 : Math.min(end, begin) - 4 });
    }
    const t = now.at.a;
    part.title.textContent = `b and a, cell ${now.i} → capsule ${now.j}`;
    const old = t >= 0 && t < now.at.b ? ` (iteration ${t + 1})` : "";
    const agreed = t < 0 ? "not computed yet" : `= ${number(a[t], 2)}${old}`;
    part.note.textContent = `— b = ${number(b[now.at.b], 2)}   ▮ a ${agreed}`;
    mark(part, now, now.at.b, now.step === "agreement");
    const told = range(now.at.b + 1).map((n) => {
      const then = n <= t ? `, a ${number(a[n], 2)}` : "";
      return `iteration ${n + 1}: b ${number(b[n], 2)}${then}`;
    });
    set(part.node, { "aria-label": `Logit and agreement of the pair. ${told.join("; ")}` });
  }
  return { node: part.box, draw };
}

/** The entropy of c: of all cells, weighted by ‖u‖, and of the chosen one. @param {State} state */
export function entropy_panel(state) {
  const width = ENTROPY_WIDTH;
  const most = Math.log(state.J);
  const part = panel("entropy", "softmax", `0 0 ${width} ${PLOT.height}`, { role: "img" });
  explain(part.box, ABOUT_ENTROPY);
  const lines = svg("g");
  const names = iteration_names(state, width);
  const curves = ["all", "one"].map((name) => {
    const line = svg("polyline", { class: `caps-re-curve caps-re-curve-${name}` });
    const dots = range(state.most_routings).map(() =>
      name === "all" ? svg("circle", { r: 4 }) : svg("rect", { width: 7, height: 7 }),
    );
    const text = svg("text", { class: "caps-re-value", "text-anchor": "middle" });
    return { name, dots, line, text, node: svg("g", { class: `caps-re-of-${name}` }, line, ...dots, text) };
  });
  const y_of = axis(lines, 0, most * 1.06, width);
  const undecided = { x1: PLOT.left, x2: width - PLOT.right, y1: y_of(most), y2: y_of(most) };
  const undecided_name = svg("text", { x: PLOT.left - 6, y: y_of(most) + 4, "text-anchor": "end" }, "ln J");
  part.node.append(lines, svg("line", { ...undecided, class: "caps-re-undecided" }), undecided_name);
  part.node.append(...names.nodes, ...curves.map(({ node }) => node));

  /** @param {Now} now */
  function draw(now) {
    const t = now.at.c;
    names.draw(now);
    const values = { all: now.trace.entropy, one: now.trace.H.map((H) => H[now.i]) };
    const under = values.one[t] > values.all[t];
    for (const { name, dots, line, text } of curves) {
      const places = range(t + 1).map((n) => [iteration_x(now, n, width), y_of(values[name][n])]);
      set(line, { points: places.map((place) => place.map((x) => x.toFixed(2)).join()).join(" ") });
      for (const [k, dot] of dots.entries()) {
        dot.style.display = k <= t ? "" : "none";
        if (k > t) continue;
        const [x, y] = places[k];
        set(dot, name === "all" ? { cx: x, cy: y } : { x: x - 3.5, y: y - 3.5 });
      }
      const [x, y] = places[t];
      const below = (name === "all") === under && y + 17 < PLOT.bottom;
      const twice = name === "one" && Math.abs(values.one[t] - values.all[t]) < 0.1;
      text.textContent = twice ? "" : number(values[name][t], 2);
      set(text, { x, y: below ? y + 17 : y - 8 });
    }
    part.title.textContent = "Entropy of c";
    const [all, one] = [number(values.all[t], 2), number(values.one[t], 2)];
    part.note.textContent = `● all cells by ‖u‖: ${all}   ■ cell ${now.i}: ${one} nats`;
    mark(part, now, t, now.step === "softmax");
    const told = range(t + 1).map((k) => {
      const both = `${number(values.all[k], 2)}, cell ${now.i} ${number(values.one[k], 2)}`;
      return `iteration ${k + 1}: ${both}`;
    });
    const what = "Entropy of c in nats, all cells weighted by the length of u, and the chosen cell";
    set(part.node, { "aria-label": `${what}. ${told.join("; ")}` });
  }
  return { node: part.box, draw };
}
