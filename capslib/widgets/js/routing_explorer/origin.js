/** Where u comes from: the image, the maps of both convolutions, and the numbers of the chosen cell. */
import { html, number, set, svg, unique } from "../dom.js";
import { trunk_stages } from "../network.js";
import { largest, range } from "./state.js";
import { explain } from "./parts.js";

export const ABOUT_ORIGIN =
  "Two stages of convolution, ReLU and max-pooling turn the image into 7×7 cells; the values at a cell, one of each map, are its u";

const STRENGTH = 255; // of the ink where a map is at its largest
const BLUE = [0x00, 0x72, 0xb2]; // the colour of u
const AROUND = 0.25; // pixels between a frame and what it marks
const BARS_BOX = { width: 210, height: 110, left: 30, top: 8, bottom: 90 };

/** Rows or columns that a cell sees in a picture of `side`: from, and how many. @typedef {[number, number]} Span */

/**
 * What the k-th row or column of cells sees: of the image, of the first maps, and of the second.
 * A 5×5 kernel reaches 2 beyond each side, and max-pooling doubles.
 * @param {number} k
 * @returns {Span[]}
 */
function spans(k) {
  /** @returns {Span} */
  const clipped = (from, to, side) => [Math.max(0, from), Math.min(side, to) - Math.max(0, from)];
  return [clipped(4 * k - 6, 4 * k + 10, 28), clipped(2 * k - 2, 2 * k + 4, 14), [k, 1]];
}

/** In how many columns, about `wanted`, n maps leave no gap; or leave one, if they cannot. @param {number} n */
function columns_of(n, wanted) {
  const least = Math.ceil(wanted);
  return range(least).map((k) => least + k).find((columns) => n % columns === 0) ?? least;
}

/**
 * Small maps side by side on one canvas, with a frame in each.
 * @param {string} name
 * @param {number} side of a map
 * @param {number} count how many
 * @param {number} columns
 * @param {number[]} rgb
 */
function tiles(name, side, count, columns, rgb) {
  const apart = count > 1 ? 1 : 0;
  const width = columns * (side + apart) - apart;
  const height = Math.ceil(count / columns) * (side + apart) - apart;
  const places = range(count).map((f) => [(f % columns) * (side + apart), Math.floor(f / columns) * (side + apart)]);
  const canvas = html("canvas", { width, height, "data-testid": `re-origin-${name}` });
  const edges = places.map(([x, y]) => `M${x} ${y}h${side}v${side}h${-side}z`).join("");
  const frames = ["caps-re-rim", "caps-re-lit"].map((of) => svg("path", { class: of }));
  const looks = { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" };
  const overlay = svg("svg", looks, svg("path", { d: edges, class: "caps-re-edges" }), ...frames);
  const box = html("div", { class: "caps-re-tiles" }, canvas, overlay);
  let painted;

  /** Maps (side, side, count), the k-th digit's. */
  function paint(k, values) {
    if (painted === k) return;
    painted = k;
    const most = values.reduce((x, y) => Math.max(x, y), 1e-9);
    const context = canvas.getContext("2d");
    const picture = context.createImageData(width, height);
    for (let p = 0; p < side * side; p++) {
      for (const [f, [x, y]] of places.entries()) {
        const at = 4 * ((y + Math.floor(p / side)) * width + x + (p % side));
        picture.data.set(rgb, at);
        picture.data[at + 3] = (STRENGTH * values[p * count + f]) / most;
      }
    }
    context.putImageData(picture, 0, 0);
  }
  /** A frame in each map around some rows and columns. @param {Span} rows @param {Span} cols */
  function frame([row, high], [column, wide]) {
    const [across, down] = [wide, high].map((size) => size + 2 * AROUND);
    const at = (/** @type {number[]} */ [x, y]) => `M${x + column - AROUND} ${y + row - AROUND}h${across}v${down}h${-across}z`;
    const d = places.map(at).join("");
    for (const node of frames) set(node, { d });
    overlay.dataset.frame = `${row} ${column} ${high} ${wide}`;
  }
  return { box, paint, frame, aspect: width / height };
}

/** u of the chosen cell as bars, on the digit's own scale. @param {number} count */
function bars_of_u(count) {
  const { width, height, left, top, bottom } = BARS_BOX;
  const step = (width - left) / count;
  const bars = range(count).map((f) => svg("rect", { x: left + step * (f + 0.1), width: 0.8 * step, class: "caps-re-u" }));
  const axis = svg("line", { x1: left, x2: width, y1: bottom, y2: bottom, class: "caps-re-axis" });
  const most_name = svg("text", { x: left - 4, y: top + 8, "text-anchor": "end" });
  const zero = svg("text", { x: left - 4, y: bottom, "text-anchor": "end" }, "0");
  const ends = [0, count - 1].map((f) =>
    svg("text", { x: left + step * (f + 0.5), y: bottom + 15, "text-anchor": f ? "end" : "start" }, `map ${f}`),
  );
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...bars, axis, most_name, zero, ...ends);
  /** @param {ArrayLike<number>} u @param {number} most */
  function draw(u, most) {
    most_name.textContent = number(most, 1);
    for (const [f, bar] of bars.entries()) {
      const high = (u[f] / most) * (bottom - top);
      set(bar, { y: (bottom - high).toFixed(2), height: high.toFixed(2), "data-u": u[f] });
    }
  }
  return { node, draw, aspect: width / height, at: (x) => Math.floor((x - left) / step) };
}

/**
 * @param {import("./state.js").State} state
 * @param {Object<string, Float32Array>} network the arrays of the trunk
 */
export function origin_panel(state, network) {
  const [F1, F2] = ["conv1.bias", "conv2.bias"].map((name) => network[name].length);
  const image = tiles("image", 28, 1, 1, [0x22, 0x22, 0x22]);
  const first = tiles("first", 14, F1, columns_of(F1, Math.sqrt(F1)), BLUE);
  const second = tiles("second", 7, F2, columns_of(F2, Math.sqrt(2 * F2)), BLUE);
  const bars = bars_of_u(F2);
  const captions = range(4).map(() => html("figcaption"));
  const parts = [image, first, second, bars].map(({ box, node, aspect }, k) => {
    const figure = html("figure", { style: `flex: ${aspect} 1 ${90 * aspect}px` }, box ?? node, captions[k]);
    return k ? [html("span", { class: "caps-re-then", "aria-hidden": "true" }, "→"), figure] : [figure];
  });
  const strip = html("div", { class: "caps-re-strip", role: "img", "data-testid": "re-origin" }, ...parts.flat());
  const title = html("h4", { id: unique() });
  const head = html("div", { class: "caps-re-head" }, title);
  const note = html("p", { class: "caps-re-note", "data-testid": "re-origin-note" });
  const node = html("section", { class: "caps-re-panel caps-re-origin", "aria-labelledby": title.id }, head, strip, note);
  captions[0].textContent = "image: the cell sees the frame";
  captions[1].textContent = `${F1} maps after convolution, ReLU and max-pooling`;
  captions[2].textContent = `${F2} maps after doing so again: a value for each cell`;

  const stages = new Map(); // of the digits seen so far
  const seen = (k) => {
    const ink = Float32Array.from(state.image(k), (x) => x / 255);
    return stages.get(k) ?? stages.set(k, [ink, ...trunk_stages(ink, network)]).get(k);
  };
  const u_now = () => state.u_of(state.now().chosen).subarray(F2 * state.now().i, F2 * (state.now().i + 1));

  explain(node, ABOUT_ORIGIN);
  explain(bars.node, (at) => {
    const [f, u] = [at ? bars.at(at.x) : -1, u_now()];
    return f in u ? `Map ${f} at cell ${state.now().i}: ${number(u[f], 2)}.` : ABOUT_ORIGIN;
  });

  /** @param {import("./state.js").Now} now */
  function draw(now) {
    const [rows, columns] = [Math.floor(now.i / state.side), now.i % state.side].map(spans);
    for (const [k, maps] of seen(now.chosen).entries()) {
      const part = [image, first, second][k];
      part.paint(now.chosen, maps);
      part.frame(rows[k], columns[k]);
    }
    const u = u_now();
    bars.draw(u, state.u_of(now.chosen).reduce((x, y) => Math.max(x, y), 1e-9));
    title.textContent = `Where u of cell ${now.i} comes from`;
    captions[3].textContent = `u of cell ${now.i}: its ${F2} values`;
    const on = u.filter((x) => x !== 0).length;
    const best = largest([...u]);
    const most = on ? `; the largest is ${number(u[best], 2)}, of map ${best}` : "";
    note.textContent = `Cell ${now.i}: ${on} of the ${F2} numbers in u are not 0${most}. ‖u‖ = ${number(Math.hypot(...u), 2)}`;
    set(strip, { "aria-label": `${title.textContent}. ${note.textContent}` });
  }
  return { node, draw };
}
