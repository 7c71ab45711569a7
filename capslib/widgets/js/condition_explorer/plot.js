/** The curves: means over seeds with their intervals, over the strengths of a condition or for parts that were moved. */
import { colour, number, set, svg, svg_point, unique } from "../dom.js";

const HEIGHTS = { top: 26, area: 290, ticks: 18, picture: 34, axis: 22 };
const ROOMY = 520; // From this width on the curves are named at their ends.
const APART = 15; // between two names
const LETTER = 6.5;

const clip = (y) => Math.max(0, Math.min(1, y));

/** A marker around a place, as a path. @param {string} shape of matplotlib's letters */
function mark_path(shape, x, y, r) {
  const at = (points) => `M${points.map(([dx, dy]) => `${(x + r * dx).toFixed(1)},${(y + r * dy).toFixed(1)}`).join("L")}Z`;
  if (shape === "s") return at([[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]);
  if (shape === "^") return at([[0, -1.15], [1.1, 0.9], [-1.1, 0.9]]);
  if (shape === "v") return at([[0, 1.15], [1.1, -0.9], [-1.1, -0.9]]);
  if (shape === "D") return at([[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]]);
  if (shape === "X") {
    const [a, b] = [0.45, 1.1];
    return at([[0, -a], [a, -b], [b, -a], [a, 0], [b, a], [a, b], [0, a], [-a, b], [-b, a], [-a, 0], [-b, -a], [-a, -b]]);
  }
  return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0`;
}

/** How a network looks in a line of text: a piece of its curve. */
export function sample({ colour: name, dashes, marker }) {
  const ink = colour(name);
  return svg("svg", { viewBox: "0 0 34 14", class: "caps-cond-sample", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 34, y1: 7, y2: 7, stroke: ink, "stroke-width": 2.2, "stroke-dasharray": dashes.join(" ") || "none" }),
    svg("path", { d: mark_path(marker, 17, 7, 4.5), fill: ink }),
  );
}

/** Heights in pixels, moved so that any two are APART, and none lies below `bottom`. @param {number[]} heights */
function spread(heights, bottom) {
  const order = heights.map((_, k) => k).sort((a, b) => heights[a] - heights[b]);
  const moved = [...heights];
  for (const [n, k] of order.entries()) if (n) moved[k] = Math.max(moved[k], moved[order[n - 1]] + APART);
  let limit = bottom;
  for (const k of order.reverse()) {
    moved[k] = Math.min(moved[k], limit);
    limit = moved[k] - APART;
  }
  return moved;
}

/**
 * @param {Object} options
 *   choose(k): called when a pointer takes the step k; picture(n): see state.js
 */
export function condition_plot({ choose, picture }) {
  const title = svg("title", { id: unique() });
  const [back, curves, front] = [svg("g"), svg("g"), svg("g")];
  const here = svg("g", { class: "caps-cond-here" });
  /** @type {number[]} */
  let places = []; // of the steps, in pixels
  /** Around the pictures, by their steps. @type {Map<number, any>} */
  let frames = new Map();
  let pointer;
  const follow = (event) => {
    const { x } = svg_point(node, event);
    const far = places.map((place) => Math.abs(place - x));
    choose(far.indexOf(Math.min(...far)));
  };
  const drop = () => (pointer = undefined);
  const area = svg("rect", {
    ...{ y: 0, class: "caps-cond-area", "data-testid": "cond-area" },
    onpointerdown: (event) => {
      if (event.button !== 0 || pointer !== undefined) return;
      event.preventDefault();
      pointer = event.pointerId;
      area.setPointerCapture(pointer);
      follow(event);
    },
    onpointermove: (event) => event.pointerId === pointer && follow(event),
    ...{ onpointerup: drop, onpointercancel: drop, onlostpointercapture: drop },
  });
  const node = svg("svg", { role: "img", class: "caps-cond-plot", "aria-labelledby": title.id, "data-testid": "cond-plot" });
  node.append(title, back, here, curves, front, area);

  const { top } = HEIGHTS;
  const bottom = top + HEIGHTS.area;
  const to_y = (y) => bottom - clip(y) * HEIGHTS.area;
  const line = (x1, y1, x2, y2, look) => svg("line", { x1, y1, x2, y2, class: look });
  const words = (x, y, text, more = {}) => svg("text", { x, y, ...more }, text);

  /**
   * Everything but what is at the chosen step.
   * @param {import("./state.js").Shown} now
   * @param {number} width in pixels
   */
  function draw(now, width) {
    const { rows, steps, covered } = now;
    const drawn = rows.filter(({ summaries }) => summaries.length);
    const named = width >= ROOMY && !covered ? drawn : [];
    const [left, room] = [36, Math.max(12, ...named.map(({ network }) => 30 + LETTER * network.label.length))];
    const right = width - room;
    const values = now.by_name ? steps.map((_, k) => k) : steps.map(({ value }) => Number(value));
    const [low, high] = now.by_name ? [-0.5, values.length - 0.5] : [values[0], values.at(-1)];
    places = values.map((value) => left + 10 + ((value - low) / (high - low)) * (right - left - 20));
    const gap = (places.at(-1) - places[0]) / (places.length - 1);
    const every = now.by_name ? 1 : Math.ceil(26 / gap);
    const ticked = steps.map((step, k) => ({ ...step, k, x: places[k] })).filter((_, k) => k % every === 0);
    const side = Math.min(HEIGHTS.picture, Math.floor(every * gap) - 4);
    const shown = ticked.filter(({ picture: n }) => n >= 0);
    const lines = Math.max(...steps.map(({ tick }) => tick.length));
    const foot = bottom + HEIGHTS.ticks + 13 * (lines - 1);
    const height = foot + (shown.length ? side + 8 : 2) + HEIGHTS.axis;
    set(node, { viewBox: `0 0 ${width} ${height}`, width, height });
    set(area, { x: left, width: right - left, height: foot + (shown.length ? side + 8 : 0) });

    const { label, level, level_name } = now.score;
    const box = (x) => ({ x: x - side / 2, y: foot + 4, width: side, height: side });
    frames = new Map(shown.map(({ k, x }) => [k, { ...box(x), class: "caps-cond-taken" }]));
    back.replaceChildren(
      ...[0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((y) => [
        line(left, to_y(y), right, to_y(y), y ? "caps-grid" : "caps-axis"),
        words(left - 6, to_y(y) + 4, y ? number(y, 1) : "0", { "text-anchor": "end", class: "caps-cond-quiet" }),
      ]),
      words(0, 12, label, { class: "caps-cond-title" }),
      words((left + right) / 2, height - 6, now.axis, { class: "caps-cond-title", "text-anchor": "middle" }),
      ...(level === undefined || covered ? [] : [
        line(left, to_y(level), right, to_y(level), "caps-cond-level"),
        words(left + 4, to_y(level) - 4, level_name, { class: "caps-cond-quiet" }),
      ]),
      ...ticked.map(({ x, tick }) => svg("text", { "text-anchor": "middle", class: `caps-cond-quiet${now.by_name ? " caps-cond-part" : ""}` },
        ...tick.map((text, n) => svg("tspan", { x, y: bottom + 15 + 13 * n }, text)),
      )),
      ...shown.flatMap(({ x, picture: n }) => [
        svg("rect", { ...box(x), class: "caps-cond-paper" }),
        svg("image", { ...box(x), href: picture(n), class: "caps-cond-pixels" }),
      ]),
    );
    if (covered) {
      const beside = now.by_name ? gap / 2 : 8 + dodge(drawn.length / 2, gap, drawn.length);
      const from = now.unchanged === 0 ? places[0] + beside : left;
      back.append(svg("rect", { x: from, y: top, width: right - from, height: HEIGHTS.area, class: "caps-cond-covered" }));
    }
    curves.replaceChildren(...drawn.map((row, n) => curve(now, row, n - (drawn.length - 1) / 2, gap, drawn.length)));

    const ends = spread(named.map(({ summaries }) => to_y(summaries.at(-1).mean)), bottom);
    front.replaceChildren(...named.flatMap(({ network, summaries }, n) => {
      const end = places.at(-1) + (now.by_name ? dodge(n - (named.length - 1) / 2, gap, named.length) : 0);
      const ink = { stroke: colour(network.colour), class: "caps-cond-leader" };
      return [
        svg("path", { d: `M${end + 6},${to_y(summaries.at(-1).mean)}L${right + 6},${ends[n]}h6`, ...ink }),
        words(right + 15, ends[n] + 4, network.label, { "data-network": network.key }),
      ];
    }));
  }

  /** How far the n-th of some networks stands from its step's middle, where no curve joins its points. */
  const dodge = (n, gap, count) => n * Math.min(14, (0.8 * gap) / count);

  /** One network: its band or whiskers, its seeds, its mean. */
  function curve(now, { network, summaries, curves: seeds }, n, gap, count) {
    const ink = colour(network.colour);
    const group = svg("g", { "data-network": network.key });
    const alone = now.by_name || now.covered; // Points that no curve joins.
    const moved = alone ? dodge(n, gap, count) : 0;
    const points = summaries
      .map((summary, k) => ({ ...summary, k, x: places[k] + moved }))
      .filter(({ k }) => !now.covered || k === now.unchanged);
    const path = (list) => list.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)},${to_y(y).toFixed(1)}`).join("");
    if (alone) {
      for (const { x, low, high } of points.filter(({ n }) => n > 1)) {
        const [y1, y2] = [to_y(low), to_y(high)];
        const d = `M${x},${y1}V${y2}M${x - 4},${y1}h8M${x - 4},${y2}h8`;
        group.append(svg("path", { d, stroke: ink, class: "caps-cond-whisker" }));
      }
    } else if (points[0].n > 1) {
      const around = [...points.map(({ x, high }) => [x, high]), ...points.map(({ x, low }) => [x, low]).reverse()];
      group.append(svg("path", { d: `${path(around)}Z`, fill: ink, class: "caps-cond-band" }));
    }
    if (now.every_seed) {
      for (const seed of seeds) {
        if (alone) {
          for (const { x, k } of points) group.append(svg("circle", { cx: x + 6, cy: to_y(seed[k]), r: 2, stroke: ink, class: "caps-cond-seed" }));
        } else {
          group.append(svg("path", { d: path(points.map(({ x, k }) => [x, seed[k]])), stroke: ink, class: "caps-cond-seed" }));
        }
      }
    }
    if (!alone) {
      const look = { stroke: ink, "stroke-dasharray": network.dashes.join(" ") || "none", class: "caps-cond-mean" };
      group.append(svg("path", { d: path(points.map(({ x, mean }) => [x, mean])), ...look, "data-testid": `cond-curve-${network.key}` }));
    }
    for (const { x, mean, k } of points) {
      group.append(svg("path", { d: mark_path(network.marker, x, to_y(mean), 4), fill: ink, class: "caps-cond-mark", "data-step": k }));
    }
    return group;
  }

  /** Where one reads: a line, and larger marks. @param {import("./state.js").Shown} now @param {string} said */
  function read(now, said) {
    const [x, half] = [places[now.at], (places[1] - places[0]) / 2];
    const column = { x: x - half, y: top, width: 2 * half, height: HEIGHTS.area, class: "caps-cond-column" };
    const where = now.by_name ? svg("rect", column) : line(x, top - 6, x, bottom + 4, "caps-cond-ruler");
    here.replaceChildren(...(now.covered ? [] : [where]), ...(frames.has(now.at) ? [svg("rect", frames.get(now.at))] : []));
    for (const mark of curves.querySelectorAll(".caps-cond-mark")) {
      mark.classList.toggle("caps-cond-now", Number(/** @type {SVGElement} */ (mark).dataset.step) === now.at);
    }
    title.textContent = said;
  }

  /** Let one network stand out, or all again. @param {string} [key] */
  function point_out(key) {
    for (const part of /** @type {NodeListOf<SVGElement>} */ (node.querySelectorAll("[data-network]"))) {
      part.classList.toggle("caps-cond-faint", key !== undefined && part.dataset.network !== key);
    }
  }

  /** The first and the last place, in pixels from the left. */
  const ends = () => [places[0], places.at(-1)];
  return { node, draw, read, point_out, ends };
}
