/** How present both wholes are by iteration, as far as it has been computed. */
import { colour, html, number, set, svg } from "../dom.js";

/** Both lengths or activations against the iteration. It grows with the steps: what is still to come is not told. */
export function presence_chart() {
  const [width, height, left, right, top, bottom] = [310, 140, 24, 84, 10, 24];
  /** @param {number} value */
  const y = (value) => top + (1 - value) * (height - top - bottom);
  const grid = [0, 0.5, 1].flatMap((value) => [
    svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "caps-grid" }),
    svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, `${value}`),
  ]);
  const line = svg("line", { y1: top - 4, y2: height - bottom, class: "caps-vr-here" });
  const ticks = svg("g");
  const curves = [0, 1].map((j) => ({
    curve: svg("path", { class: "caps-vr-curve", "stroke-dasharray": j ? "5 3" : "none" }),
    marks: svg("path", { fill: colour("v") }),
    name: svg("text", { class: "caps-vr-name" }),
  }));
  const drawn = curves.flatMap(({ curve, marks, name }) => [curve, marks, name]);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, ...grid, line, ticks, ...drawn);
  const title = html("div", { class: "caps-vr-title" });
  const node = html("div", { class: "caps-vr-chart", "data-testid": "vote-chart" }, title, picture);

  /**
   * A disc for the first whole and a square for the second, larger where one looks.
   * @param {number} x @param {number} y_of @param {number} r @param {number} j
   */
  function mark(x, y_of, r, j) {
    if (j) return `M${x - r},${y_of - r} h${2 * r} v${2 * r} h${-2 * r} Z`;
    return `M${x - r},${y_of} a${r},${r} 0 1 0 ${2 * r},0 a${r},${r} 0 1 0 ${-2 * r},0`;
  }

  /**
   * @param {number[][]} lengths those computed so far, of at most T iterations, two each
   * @param {{t: number, T: number}} place the iteration t of T that is looked at, counted from 0
   * @param {string[]} wholes
   * @param {string} rule
   */
  function draw(lengths, { t, T }, wholes, rule) {
    title.textContent = `${rule === "EM" ? "Activation a" : "Length ‖v‖"} after each iteration`;
    const gap = (width - left - right - 16) / Math.max(1, T - 1);
    /** @param {number} n */
    const x = (n) => left + 8 + n * gap;
    set(line, { x1: x(t), x2: x(t) });
    const ends = [0, T - 1].filter((n) => Math.abs(x(n) - x(t)) > 16);
    const numbered = T <= 8 ? Array.from({ length: T }, (_, n) => n) : [...ends, t];
    ticks.replaceChildren(
      ...numbered.map((n) => {
        const look = n === t ? { "font-weight": 700 } : {};
        return svg("text", { x: x(n), y: height - 7, "text-anchor": "middle", ...look }, `${n + 1}`);
      }),
    );
    const last = lengths.at(-1);
    const heights = last?.map(y) ?? [0, 0];
    const apart = Math.max(0, 14 - Math.abs(heights[0] - heights[1])) / 2; // Names do not lie on each other.
    const upper = heights[0] <= heights[1] ? 0 : 1;
    curves.forEach(({ curve, marks, name }, j) => {
      const points = lengths.map((of, n) => [x(n), y(of[j])]);
      set(curve, { d: points.length ? `M${points.join(" L")}` : "" });
      set(marks, { d: points.map(([px, py], n) => mark(px, py, n === t ? 4.5 : 2.5, j)).join(" ") });
      set(name, { x: x(Math.max(0, lengths.length - 1)) + 10, y: heights[j] + 4 + (j === upper ? -apart : apart) });
      name.textContent = last ? `${wholes[j]} ${number(last[j], 3)}` : "";
    });
    const said = wholes.map((name, j) => `${name} ${lengths.map((of) => number(of[j], 3)).join(", ")}`);
    picture.setAttribute("aria-label", `${rule === "EM" ? "Activations" : "Lengths"} by iteration. ${last ? said.join("; ") : "None computed yet"}`);
  }
  return { node, draw };
}
