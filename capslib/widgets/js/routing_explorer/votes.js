/** All votes for capsule j on fixed axes, and how their weighted mean moves. */
import { number, set, svg } from "../dom.js";
import { largest, range } from "./state.js";
import { cell_moves, choosable, explain, mark, panel, surface } from "./parts.js";

const FIELD = { left: 30, right: 322, top: 8, bottom: 156 };
export const ABOUT_VOTES =
  "The votes of all cells for the chosen capsule: to the right along its last output, upwards where they differ most";
const NEAR = 24; // How far from a vote a click still chooses it.

/** @param {import("./state.js").State} state */
export function votes_panel(state) {
  const { I, J } = state;
  const { left, right, top, bottom } = FIELD;
  const middle = [(left + right) / 2, (top + bottom) / 2];
  const part = panel("votes", "sum", "0 0 330 186", surface(`votes of the ${I} lower capsules`));
  const axes = [svg("line", { class: "caps-re-axis" }), svg("line", { class: "caps-re-axis" })];
  const along = svg("text", { x: middle[0], y: 175, "text-anchor": "middle" });
  const turned = `translate(14 ${middle[1]}) rotate(-90)`;
  const across = svg("text", { transform: turned, "text-anchor": "middle" }, "across it");
  const dots = range(I).map((i) => svg("circle", { class: "caps-re-vote", "data-i": i }));
  const lit = svg("circle", { class: "caps-re-lit", "data-testid": "re-lit-vote" });
  const trail = svg("polyline", { class: "caps-re-trail" });
  const trail_dots = range(state.most_routings).map(() => svg("circle", { r: 3, class: "caps-re-trail-dot" }));
  const mean = svg("path", { d: "M-7-7 7 7M7-7-7 7", class: "caps-re-mean" });
  const mean_name = svg("text", { class: "caps-re-value" }, "s/Σc");
  part.node.append(...axes, along, across, ...dots, trail, ...trail_dots, mean, mean_name, lit);

  /** The vote at a place. */
  function vote_near({ x, y }) {
    const near = dots.map((dot) => -Math.hypot(dot.getAttribute("cx") - x, dot.getAttribute("cy") - y));
    const i = largest(near);
    return -near[i] < NEAR ? i : undefined;
  }
  choosable(part.node, state, cell_moves(state), ({ x, y }) => {
    const i = vote_near({ x, y });
    if (i !== undefined) state.choose(i, state.now().j);
  });
  explain(part.head, ABOUT_VOTES);
  explain(part.node, (at) => {
    const now = state.now();
    const i = at ? vote_near(at) : now.i;
    if (i === undefined) return ABOUT_VOTES;
    const [c, along] = [now.trace.c[now.at.c][i * J + now.j], now.votes().points[i][0]];
    return `Vote of cell ${i} for capsule ${now.j}: ${number(along, 2)} along, c = ${number(c, 3)}.`;
  });

  /** From the votes' plane to the picture's: one scale for both axes. @param {number[][]} points */
  function places(points) {
    const bounds = [0, 1].map((k) => {
      const values = [0, ...points.map((point) => point[k])];
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return { low, high, middle: (low + high) / 2, room: 1.15 * (high - low) || 1 };
    });
    const scale = Math.min((right - left) / bounds[0].room, (bottom - top) / bounds[1].room);
    return {
      reach: bounds[0],
      x: (value) => middle[0] + scale * (value - bounds[0].middle),
      y: (value) => middle[1] - scale * (value - bounds[1].middle),
    };
  }

  /** @param {import("./state.js").Now} now */
  function draw(now) {
    const { points, means } = now.votes();
    const c = now.trace.c[now.at.c];
    const { reach, x, y } = places(points);
    set(axes[0], { x1: left, x2: right, y1: y(0), y2: y(0) });
    set(axes[1], { x1: x(0), x2: x(0), y1: top, y2: bottom });
    const ends = `from ${number(reach.low, 1)} to ${number(reach.high, 1)}`;
    along.textContent = `along the last v̂ of capsule ${now.j} (${ends})`;
    const radius = (i) => 14 * Math.sqrt(c[i * J + now.j]);
    for (const [i, dot] of dots.entries()) {
      set(dot, { cx: x(points[i][0]), cy: y(points[i][1]), r: radius(i).toFixed(2) });
    }
    set(lit, { cx: x(points[now.i][0]), cy: y(points[now.i][1]), r: radius(now.i) + 3 });
    draw_mean(now, means.slice(0, now.at.s + 1).map((point) => [x(point[0]), y(point[1])]));

    const t = now.at.s;
    const old = t < now.iteration - 1 ? ` (still iteration ${t + 1})` : "";
    const moved = t < 0 ? "not computed yet" : `at ${number(means[t][0], 2)} along${old}`;
    part.title.textContent = `Votes for capsule ${now.j}`;
    part.note.textContent = `● area: c   ✕ s/Σc ${moved}`;
    mark(part, now, now.at.c, now.step === "sum");
    const its = `the vote of cell ${now.i} at ${number(points[now.i][0], 2)}`;
    set(part.node, { "aria-label": `Votes. The weighted mean is ${moved}; ${its}. Arrow keys choose a cell.` });
  }

  /** The weighted mean, and the trail of where it was. @param {import("./state.js").Now} now @param {number[][]} path */
  function draw_mean(now, path) {
    const t = now.at.s;
    set(trail, { points: path.map((place) => place.map((value) => value.toFixed(2)).join()).join(" ") });
    for (const [k, dot] of trail_dots.entries()) {
      dot.style.display = k < t ? "" : "none";
      if (k < t) set(dot, { cx: path[k][0], cy: path[k][1] });
    }
    for (const node of [mean, mean_name]) node.style.display = t < 0 ? "none" : "";
    mean.classList.toggle("caps-re-old", t < now.iteration - 1);
    part.node.dataset.mean = t < 0 ? "" : now.votes().means[t].join(" ");
    if (t < 0) return;
    mean.style.transform = `translate(${path[t][0]}px, ${path[t][1]}px)`;
    set(mean_name, { x: path[t][0] + 10, y: path[t][1] - 9 });
  }
  return { node: part.box, draw };
}
