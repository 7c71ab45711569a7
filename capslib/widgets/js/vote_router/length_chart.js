/** VoteRouter: how long both wholes become. */
import { colour, html, number, set, svg } from "../dom.js";

/** Both lengths against the iteration, with the one that is looked at. */
export function length_chart() {
  const [width, height, left, right, top, bottom] = [260, 112, 22, 96, 10, 22];
  const y = (value) => top + (1 - value) * (height - top - bottom);
  const grid = [0, 0.5, 1].flatMap((value) => [
    svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "caps-grid" }),
    svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, `${value}`),
  ]);
  const line = svg("line", { y1: top - 4, y2: height - bottom, class: "caps-vr-here" });
  const label = svg("text", { y: height - 6, "text-anchor": "middle" });
  const curves = [0, 1].map((j) => ({
    curve: svg("path", { class: "caps-vr-curve", "stroke-dasharray": j ? "5 3" : "none" }),
    marks: svg("path", { fill: colour("v") }),
    name: svg("text", { x: width - right + 8, "font-weight": 600 }),
  }));
  const drawn = curves.flatMap(({ curve, marks, name }) => [curve, marks, name]);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, ...grid, line, label, ...drawn);
  const title = html("div", { class: "caps-vr-title" }, "Length ‖v‖ by iteration");
  const node = html("div", { class: "caps-vr-chart" }, title, picture);

  /** A disc for the first whole and a square for the second, larger where one looks. */
  function mark(x, y_of, r, j) {
    if (j) return `M${x - r},${y_of - r} h${2 * r} v${2 * r} h${-2 * r} Z`;
    return `M${x - r},${y_of} a${r},${r} 0 1 0 ${2 * r},0 a${r},${r} 0 1 0 ${-2 * r},0`;
  }

  /** `lengths` (T, 2), `t` the iteration that is looked at. */
  function draw(lengths, t, wholes) {
    const T = lengths.length;
    const gap = (width - left - right - 16) / Math.max(1, T - 1);
    const x = (n) => left + 8 + n * gap;
    set(line, { x1: x(t), x2: x(t) });
    set(label, { x: x(t) });
    label.textContent = `iteration ${t + 1}`;
    const ends = lengths[T - 1].map(y);
    const apart = Math.max(0, 14 - Math.abs(ends[0] - ends[1])) / 2; // Names do not lie on each other.
    const upper = ends[0] <= ends[1] ? 0 : 1;
    curves.forEach(({ curve, marks, name }, j) => {
      const points = lengths.map((of, n) => [x(n), y(of[j])]);
      set(curve, { d: `M${points.join(" L")}` });
      set(marks, { d: points.map(([px, py], n) => mark(px, py, n === t ? 4.5 : 2.5, j)).join(" ") });
      set(name, { y: ends[j] + 4 + (j === upper ? -apart : apart) });
      name.textContent = `${wholes[j]} ${number(lengths[T - 1][j], 3)}`;
    });
    const said = wholes.map((name, j) => `${name} ${lengths.map((of) => number(of[j], 3)).join(", ")}`);
    picture.setAttribute("aria-label", `Lengths by iteration. ${said.join("; ")}`);
  }
  return { node, draw };
}
