/** All couplings as a matrix, and those of the chosen capsule as links from its rows to the upper capsules. */
import { coupling_scale, html, number, set, svg } from "../dom.js";
import { range } from "./state.js";
import { choosable, explain, frame, legend, mark, panel, row_at, row_middle, ROWS, surface, tints } from "./parts.js";
import { toggle } from "./parts.js";

const ABOUT_COUPLINGS =
  "A row for each cell i, a column for each capsule j: white is 1/J, orange more, grey less. Each row sums to 1";
const SIZE = { width: 330, height: 264 };
const MATRIX = { left: 24, column: 13 };
const OUTSIDE = 0.9; // The frames lie around what they mark: a row is hardly higher than their lines.
const WIDEST = 12; // the width of a link of c = 1
const NODE_X = 304; // of the upper capsules

/** @param {import("./state.js").State} state */
export function couplings_panel(state) {
  const { I, J } = state;
  const { left, column } = MATRIX;
  const { top, height } = ROWS;
  const width = column * J;
  const edge = left + width;
  const middle = (edge + NODE_X) / 2;
  const links = toggle(state, "links", {
    upper: ["links to j", "Draw the couplings of all cells to the chosen capsule"],
    lower: ["links of i", "Draw the couplings of the chosen cell to all capsules"],
  });
  const part = panel("matrix", "softmax", `0 0 ${SIZE.width} ${SIZE.height}`, surface("matrix of couplings"), links.node);
  const whole = { x: left, y: top, width, height };
  const entries = html("canvas", { width: J, height: I, class: "caps-re-entries", "data-testid": "re-entries" });
  const share = (part_of, all) => `${(100 * part_of) / all}%`; // of the picture, which lies over the canvas
  entries.style.inset = `${share(top, SIZE.height)} auto auto ${share(left, SIZE.width)}`;
  Object.assign(entries.style, { width: share(width, SIZE.width), height: share(height, SIZE.height) });
  const page = entries.getContext("2d");
  const painted = [];
  function paint(pair, fill) {
    if (painted[pair] === fill) return; // Most stay what they are from step to step.
    painted[pair] = page.fillStyle = fill;
    page.fillRect(pair % J, Math.floor(pair / J), 1, 1);
  }
  const lines = range(Math.max(I, J)).map(() => svg("path", { class: "caps-re-link" }));
  const lit_line = svg("path", { class: "caps-re-link caps-re-link-lit" });
  const nodes = range(J).map((j) => {
    const circle = svg("circle", { cx: NODE_X, cy: row_middle(j, J), r: 10 });
    const name = svg("text", { x: NODE_X, y: row_middle(j, J) + 4, "text-anchor": "middle" }, String(j));
    return svg("g", { class: "caps-re-node", "data-j": j }, circle, name);
  });
  const lit_row = frame("row", width, height / I, OUTSIDE);
  const lit_column = frame("column", column, height, OUTSIDE);
  const row_name = svg("text", { x: left - 4, "text-anchor": "end" });
  const column_names = range(J).map((j) =>
    svg("text", { x: left + column * (j + 0.5), y: top - 5, "text-anchor": "middle" }, String(j)),
  );
  const outline = svg("rect", { ...whole, class: "caps-re-edge" });
  part.node.before(html("div", { class: "caps-re-over" }, entries));
  part.node.previousElementSibling.append(part.node);
  part.node.append(outline, ...lines, lit_line, ...nodes, lit_column, lit_row, row_name, ...column_names);
  part.node.append(legend("coupling", left, 236, width, ["1/8", "1/J", "×8"]).node);
  part.node.append(...[0.1, 0.5, 1].flatMap((c, k) => {
    const x = edge + 20 + 52 * k;
    const text = svg("text", { x: x + 15, y: 256, "text-anchor": "middle" }, k === 0 ? `c = ${c}` : String(c));
    const line = { x1: x, x2: x + 30, y1: 240, y2: 240, class: "caps-re-width", "stroke-width": WIDEST * c };
    return [svg("line", line), text];
  }));

  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  /** The pair at a place: an entry, an upper capsule or a cell's row. */
  const pair_near = ({ x, y }) => {
    const [i, j] = [row_at(y, I), row_at(y, J)];
    const now = state.now();
    if (i === undefined || (x >= edge && x <= NODE_X - 16)) return undefined;
    if (x < left) return [i, now.j];
    return x < edge ? [i, Math.floor((x - left) / column)] : [now.i, j];
  };
  choosable(part.node, state, moves, (at) => {
    const pair = pair_near(at);
    if (pair) state.choose(pair[0], pair[1]);
  });
  explain(part.head, ABOUT_COUPLINGS);
  explain(part.node, (at) => {
    const now = state.now();
    const pair = at ? pair_near(at) : [now.i, now.j];
    if (!pair) return "A link is as wide as its coupling c";
    const c = now.trace.c[now.at.c][pair[0] * J + pair[1]];
    return `Cell ${pair[0]} → capsule ${pair[1]}: c = ${number(c, 3)}, ${number(c * J, 2)} times 1/J.`;
  });

  function path(i, j) {
    const [from, to] = [row_middle(i, I), row_middle(j, J)];
    return `M${edge} ${from}C${middle} ${from} ${middle} ${to} ${NODE_X - 10} ${to}`;
  }

  let linked; // which links are drawn
  /** @param {import("./state.js").Now} now */
  function draw(now) {
    const t = now.at.c;
    const c = now.trace.c[t];
    links.draw(now);
    for (let pair = 0; pair < I * J; pair++) paint(pair, tints.coupling(coupling_scale(c[pair], J)));
    const upper = now.links === "upper";
    const key = `${now.links} ${upper ? now.j : now.i}`;
    const thick = (i, j) => (WIDEST * c[i * J + j]).toFixed(2);
    for (const [n, line] of lines.entries()) {
      const [i, j] = upper ? [n, now.j] : [now.i, n];
      const there = i < I && j < J;
      if (linked !== key) {
        line.style.display = there ? "" : "none";
        set(line, { d: path(i, j), "data-i": i, "data-j": j });
      }
      if (there) set(line, { "stroke-width": thick(i, j) });
    }
    linked = key;
    set(lit_line, { d: path(now.i, now.j), "stroke-width": thick(now.i, now.j) });
    for (const [j, node] of nodes.entries()) node.classList.toggle("caps-re-node-lit", j === now.j);
    set(lit_row, { transform: `translate(${left} ${top + (now.i * height) / I})` });
    set(lit_column, { transform: `translate(${left + column * now.j} ${top})` });
    set(row_name, { y: row_middle(now.i, I) + 4 });
    row_name.textContent = String(now.i);
    part.title.textContent = "Couplings, cell i → capsule j";
    part.note.textContent = `Cell ${now.i} → capsule ${now.j}: c = ${number(c[now.pair], 3)}`;
    mark(part, now, t, now.step === "softmax");
    set(part.node, { "aria-label": `${part.note.textContent}. Arrow keys choose a pair.` });
  }
  return { node: part.box, draw };
}
