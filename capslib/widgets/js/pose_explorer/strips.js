/** The dimensions of PoseExplorer: for each a strip of decoded pictures, and a slider under it. */
import { button, html, number, set } from "../dom.js";
import { SIDE } from "../ink.js";
import { below_one, signed_change } from "./words.js";

/** A slider's step. */
const FINE = 0.01;

/** Paint pictures side by side on a canvas that lies on white paper. */
function paint_film(canvas, pictures) {
  const context = canvas.getContext("2d");
  const width = SIDE * pictures.length;
  const pixels = context.createImageData(width, SIDE);
  pixels.data.fill(0x22);
  pictures.forEach(({ ink }, n) => {
    for (let at = 0; at < SIDE * SIDE; at++) {
      pixels.data[4 * (Math.floor(at / SIDE) * width + n * SIDE + (at % SIDE)) + 3] = 255 * ink[at];
    }
  });
  context.putImageData(pixels, 0, 0);
}

/**
 * One dimension.
 * @param {number} d
 * @param {number[]} steps what is added for each picture
 * @param {{choose: () => void, move: (value: number) => void}} hands
 */
function dimension_row(d, steps, { choose, move }) {
  const count = steps.length;
  const most = steps.at(-1);
  const name = button(`pose-dimension-${d}`, `Choose dimension ${d}`, `dim ${d}`, choose);
  const effect = html("span", { class: "caps-pose-effect" });
  const bar = html("span", { class: "caps-pose-bar" }, html("i"));
  const canvas = html("canvas", { width: SIDE * count, height: SIDE, role: "img", "data-testid": `pose-strip-${d}` });
  const frame = html("i", { class: "caps-pose-frame" });
  const [left, right] = [html("i", { class: "caps-pose-short" }), html("i", { class: "caps-pose-short caps-pose-right" })];
  const film = html("div", { class: "caps-pose-film" }, canvas, left, right, frame);
  film.style.aspectRatio = String(count);
  film.addEventListener("click", (event) => {
    const { left: edge, width } = film.getBoundingClientRect();
    const k = Math.max(0, Math.min(count - 1, Math.floor(((event.clientX - edge) / width) * count)));
    move(Number(steps[k].toFixed(2)));
  });
  const range = html("input", {
    type: "range", min: -most, max: most, step: FINE, "data-testid": `pose-slider-${d}`, "aria-label": `dimension ${d}`,
    oninput: () => move(Number(Number(range.value).toFixed(2))),
    onkeydown: (event) => {
      if (event.key === "0" && !event.ctrlKey && !event.metaKey && !event.altKey) move(0); // With them: the page's zoom.
    },
  });
  const value = html("span", { class: "caps-pose-value" });
  const node = html("div", { class: "caps-pose-row", role: "group", "aria-label": `Dimension ${d}` },
    html("div", { class: "caps-pose-name" }, name, html("span", { class: "caps-pose-measured" }, effect, bar)),
    html("div", { class: "caps-pose-dimension" }, film, range), value);

  /** Its slider, and what was measured: `slope` of the property, of which the largest in this class is `highest`. */
  function draw(change, chosen, slope, highest) {
    range.value = change;
    set(range, { "aria-valuetext": signed_change(change) });
    value.textContent = signed_change(change);
    frame.style.left = `${(100 * Math.round(((change + most) / (2 * most)) * (count - 1))) / count}%`;
    node.classList.toggle("caps-pose-chosen", chosen);
    node.classList.toggle("caps-pose-moved", change !== 0);
    set(name, { "aria-pressed": chosen });
    const measured = slope !== undefined;
    effect.textContent = measured ? `${slope > 0 ? "+" : ""}${number(slope)}` : "";
    bar.style.visibility = measured ? "visible" : "hidden";
    const inner = /** @type {HTMLElement} */ (bar.firstChild);
    inner.style.width = measured && highest > 0 ? `${(100 * Math.abs(slope)) / highest}%` : "0";
    inner.className = slope < 0 ? "caps-pose-less" : "caps-pose-more";
  }

  /** Its pictures, each with the length that the vector would have. */
  function draw_film(pictures) {
    paint_film(canvas, pictures);
    const long = pictures.map(({ wanted }) => wanted >= 1);
    const inner = (list) => (list.indexOf(false) < 0 ? count : list.indexOf(false));
    left.style.width = `${(100 * inner(long)) / count}%`;
    right.style.width = `${(100 * (inner(long) < count ? inner(long.toReversed()) : 0)) / count}%`;
    const [first, last] = [pictures[0], pictures.at(-1)].map(({ now }) => below_one(now));
    set(canvas, {
      "aria-label": `${count} pictures with ${signed_change(-most)} to ${signed_change(most)} added to dimension ${d}; `
        + `the vector's length goes from ${first} to ${last}.`,
    });
    return long.some(Boolean);
  }
  return { node, draw, draw_film };
}

/**
 * All dimensions.
 * @param {number} D
 * @param {number[]} steps
 * @param {{choose: (d: number) => void, move: (d: number, value: number) => void}} hands
 * @param {string} unit what effects are counted in, or ""
 */
export function dimension_rows(D, steps, { choose, move }, unit) {
  const rows = Array.from({ length: D }, (_, d) =>
    dimension_row(d, steps, { choose: () => choose(d), move: (value) => move(d, value) }));
  const list = html("div", { class: "caps-pose-rows", "data-testid": "pose-rows" }, ...rows.map(({ node }) => node));
  list.style.setProperty("--caps-pose-half", String(Math.ceil(D / 2)));
  list.style.setProperty("--caps-pose-count", String(steps.length));
  const legend = html("p", { class: "caps-pose-legend" });
  let shown = rows.map((_, d) => d).join();
  let [sorted, short] = ["", ""];
  const say = () => {
    legend.textContent = `${sorted}${short}`;
  };

  /** Sliders, frames, order; `now` as `read` of state.js gives it. */
  function draw({ j, change, chosen, sort, slopes, order }) {
    const highest = slopes ? Math.max(...slopes.map(Math.abs)) : 0;
    for (const [d, row] of rows.entries()) row.draw(change[d], d === chosen, slopes?.[d], highest);
    if (order.join() !== shown) list.append(...order.map((d) => rows[d].node));
    shown = order.join();
    list.classList.toggle("caps-pose-sorted", slopes !== undefined);
    sorted = slopes ? `By how much each dimension of class ${j} was measured to change ${sort}${unit && `, in ${unit}`}; largest first. ` : "";
    say();
  }

  /** All pictures. @param {(d: number) => {ink: ArrayLike<number>, wanted: number, now: number}[]} strip */
  function draw_films(strip) {
    const long = rows.map((row, d) => row.draw_film(strip(d)));
    short = long.some(Boolean)
      ? "A dashed line under a picture: the vector would have a length of 1 or more, and is shortened." : "";
    say();
  }
  const stale = (is) => list.classList.toggle("caps-pose-stale", is);
  return { list, legend, draw, draw_films, stale };
}
