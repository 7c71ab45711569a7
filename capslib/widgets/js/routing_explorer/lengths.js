/** The lengths of the upper capsules as bars, each with a mark where iteration 1 was. */
import { number, set, svg } from "../dom.js";
import { largest, range } from "./state.js";
import { choosable, explain, mark, panel, row_at, row_middle, ROWS, surface } from "./parts.js";

const ABOUT_LENGTHS = "Each upper capsule stands for a class. The longest one is the network's answer";
const BARS = { left: 28, unit: 190, width: 270 }; // `unit`: a length of 1

/** @param {import("./state.js").State} state */
export function lengths_panel(state) {
  const { J } = state;
  const { left, unit, width } = BARS;
  const { top, height } = ROWS;
  const part = panel("lengths", "squash", `0 0 ${width} 264`, surface("lengths of the upper capsules"));
  const rows = range(J).map((j) => {
    const y = row_middle(j, J);
    const hit = svg("rect", { x: 0, y: y - height / J / 2, width, height: height / J, class: "caps-re-hit" });
    const bar = svg("rect", { x: left, y: y - 8, width: unit, height: 16, class: "caps-re-bar" });
    const before = svg("line", { y1: y - 11, y2: y + 11, class: "caps-re-before" });
    const value = svg("text", { y: y + 4, class: "caps-re-value" });
    const name = svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, String(j));
    const names = { class: "caps-re-length", "data-j": j, "data-testid": `re-length-${j}` };
    return { node: svg("g", names, hit, name, bar, before, value), bar, before, value };
  });
  for (const x of [0, 0.5, 1]) {
    const at = left + unit * x;
    part.node.append(svg("line", { x1: at, x2: at, y1: top, y2: top + height, class: "caps-re-grid-line" }));
    part.node.append(svg("text", { x: at, y: top + height + 16, "text-anchor": "middle" }, String(x)));
  }
  const lit = svg("rect", { x: 6, width: 260, height: height / J, class: "caps-re-lit", "data-testid": "re-lit-bar" });
  part.node.append(svg("text", { x: left + unit / 2, y: 260, "text-anchor": "middle" }, "length ‖v‖ of capsule j"));
  part.node.append(...rows.map(({ node }) => node), lit);

  const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  choosable(part.node, state, moves, ({ y }) => {
    const j = row_at(y, J);
    if (j !== undefined) state.choose(state.now().i, j);
  });

  explain(part.head, ABOUT_LENGTHS);
  explain(part.node, (at) => {
    const { j: chosen, at: there, trace } = state.now();
    const j = at ? row_at(at.y, J) : chosen;
    if (j === undefined) return ABOUT_LENGTHS;
    if (there.v < 0) return `Capsule ${j}: no length yet.`;
    const began = there.v > 0 ? `; ${number(trace.lengths[0][j], 3)} at iteration 1` : "";
    return `Capsule ${j}: length ${number(trace.lengths[there.v][j], 3)}${began}.`;
  });

  /** @param {import("./state.js").Now} now */
  function draw(now) {
    const t = now.at.v;
    const lengths = t < 0 ? [] : [...now.trace.lengths[t]];
    const winner = largest(lengths);
    for (const [j, { node, bar, before, value }] of rows.entries()) {
      const x = lengths[j] ?? 0;
      bar.style.transform = `scaleX(${x})`;
      value.textContent = t < 0 ? "" : number(x, 3);
      const began = now.trace.lengths[0][j];
      before.style.display = t > 0 ? "" : "none";
      set(before, { x1: left + unit * began, x2: left + unit * began });
      set(value, { x: left + unit * Math.max(x, t > 0 ? began : 0) + 6 });
      node.classList.toggle("caps-re-longest", t >= 0 && j === winner);
      node.dataset.length = t < 0 ? "" : x;
    }
    set(lit, { y: row_middle(now.j, J) - height / J / 2 });
    part.title.textContent = "Lengths";
    const mark_text = t > 0 ? ". Mark |: length at iteration 1" : "";
    part.note.textContent = t < 0 ? "No lengths yet" : `Longest: ${winner}${mark_text}`;
    mark(part, now, t, now.step === "squash");
    const told = lengths.map((x, j) => `${j}: ${number(x, 3)}`).join(", ");
    const chosen = `Capsule ${now.j} is chosen; arrow keys choose another.`;
    set(part.node, { "aria-label": `Lengths ${told || "not computed yet"}. ${chosen}` });
  }
  return { node: part.box, draw };
}
