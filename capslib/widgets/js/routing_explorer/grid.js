/** The digit under the grid of its lower capsules, each tinted by what it gives to capsule j. */
import { ink_picture, number, set, svg } from "../dom.js";
import { range } from "./state.js";
import { cell_moves, choosable, explain, frame, legend, mark, painter, panel, surface, tint, toggle } from "./parts.js";

const ABOUT = {
  contribution: "What each cell adds to the length of s, on one scale for all capsules of this digit",
  coupling: "The coupling c of each cell to the chosen capsule: white is 1/J, orange more, grey less",
};
const GRID = { left: 38, top: 4, side: 224 };

/** @param {import("./state.js").State} state */
export function grid_panel(state) {
  const { I, J, side } = state;
  const { left, top } = GRID;
  const cell = GRID.side / side; // the side of a cell
  const whole = { x: left, y: top, width: GRID.side, height: GRID.side };
  const kinds = toggle(state, "kind", {
    contribution: ["contribution", ABOUT.contribution],
    coupling: ["coupling", ABOUT.coupling],
  });
  const part = panel("grid", "sum", "0 0 300 264", surface(`grid of ${I} lower capsules`), kinds.node);
  const cell_at = (i) => ({ x: left + cell * (i % side), y: top + cell * Math.floor(i / side) });
  const cells = range(I).map((i) =>
    svg("rect", { ...cell_at(i), width: cell, height: cell, class: "caps-re-cell", "data-i": i }),
  );
  const paint = painter(cells);
  const ink = svg("image", { ...whole, class: "caps-re-ink" });
  const lit = frame("cell", cell, cell);
  const scales = {
    contribution: legend("contribution", left, 236, GRID.side, ["", "0", ""]),
    coupling: legend("coupling", left, 236, GRID.side, ["1/8 of 1/J", "1/J", "8 times 1/J"]),
  };
  const paper = svg("rect", { ...whole, fill: "#fff" });
  part.node.append(paper, ...cells, ink, lit, scales.contribution.node, scales.coupling.node);
  const cell_near = ({ x, y }) => {
    const [row, column] = [Math.floor((y - top) / cell), Math.floor((x - left) / cell)];
    return row >= 0 && row < side && column >= 0 && column < side ? row * side + column : undefined;
  };
  choosable(part.node, state, cell_moves(state), (at) => {
    const i = cell_near(at);
    if (i !== undefined) state.choose(i, state.now().j);
  });
  explain(part.head, () => ABOUT[state.now().kind]);
  explain(part.node, (at) => {
    const { i, j } = state.now();
    const cell_there = at ? cell_near(at) : i;
    if (cell_there === undefined) return ABOUT[state.now().kind];
    return `${cell_text(state.now(), cell_there)} It is in row ${Math.floor(cell_there / side)}, column ${cell_there % side}, and votes for capsule ${j}.`;
  });

  let inked; // the digit whose picture is shown
  const inks = new Map();
  /** @param {import("./state.js").Now} now */
  function draw(now) {
    const coupling = now.kind === "coupling";
    const t = now.at.tint;
    kinds.draw(now);
    if (inked !== now.chosen) {
      inked = now.chosen;
      if (!inks.has(inked)) inks.set(inked, ink_picture(state.image(inked), state.image_side, 0.5));
      set(ink, { href: inks.get(inked) });
    }
    for (let i = 0; i < I; i++) paint(i, t < 0 ? "#fff" : tint(state, now, t, i));
    const at = cell_at(now.i);
    set(lit, { transform: `translate(${at.x} ${at.y})` });
    for (const [kind, { node }] of Object.entries(scales)) node.style.display = now.kind === kind ? "" : "none";
    const [least, , most] = scales.contribution.ends;
    least.textContent = number(-now.most, 2);
    most.textContent = number(now.most, 2);
    part.title.textContent = `${coupling ? "Coupling" : "Contribution"} to capsule ${now.j}`;
    part.box.dataset.of = coupling ? "softmax" : "sum";
    part.note.textContent = note(now, t);
    mark(part, now, t, now.step === part.box.dataset.of);
    set(part.node, { "aria-label": `${part.title.textContent}. ${part.note.textContent}. Arrow keys choose a cell.` });
  }

  /** What cell i gives, in numbers. @param {import("./state.js").Now} now @param {number} i */
  function cell_text({ trace, at, j }, i) {
    const text = `Cell ${i}: c = ${number(trace.c[at.c][i * J + j], 3)}`;
    return at.s < 0 ? `${text}.` : `${text}, contribution ${number(trace.contribution[at.s][i * J + j], 2)}.`;
  }

  function note({ kind, trace, at, i, j, pair }, t) {
    if (kind === "coupling") return `Cell ${i}: c = ${number(trace.c[at.c][pair], 3)}`;
    if (t < 0) return "No weighted sum yet";
    return `Cell ${i} adds ${number(trace.contribution[t][pair], 2)} to ‖s‖ = ${number(trace.norms[t][j], 2)}`;
  }
  return { node: part.box, draw };
}
