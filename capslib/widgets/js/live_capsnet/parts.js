/** Parts of LiveCapsNet: ten answers as bars, and what the text says of the picture. */
import { html, number, unique } from "../dom.js";

export const CLASSES = 10;

/** A turn as text. @param {number} x degrees, counter-clockwise */
export const degrees = (x) => `${number(Math.abs(x), 0)}°${x === 0 ? "" : x > 0 ? " counter-clockwise" : " clockwise"}`;

/** Positions of the largest number and of the one after it. @param {Float32Array} values */
export function first_two(values) {
  const [first, second] = [...values.keys()].sort((one, other) => values[other] - values[one]);
  return [first, second];
}

/**
 * One network's ten answers as bars.
 * @param {string} tag what a row is made of
 * @param {string} test how its test ids begin
 * @param {string} title
 * @param {(Node|string)[]} unit
 * @param {(j: number) => Object} attributes more of row j
 */
export function bars(tag, test, title, unit, attributes = (_j) => ({})) {
  const rows = Array.from({ length: CLASSES }, (_, j) => {
    const fill = html("span", { class: "caps-live-fill" });
    const value = html("span", { class: "caps-live-value" });
    const row = html(tag, { class: "caps-live-bar", "data-testid": `${test}-${j}`, ...attributes(j) },
      html("span", { class: "caps-live-digit" }, String(j)), " ", html("span", { class: "caps-live-track" }, fill), value);
    return { row, fill, value };
  });
  const sum = html("p", { class: "caps-live-sum" });
  const heading = unique();
  const group = html("div", { role: "group", "aria-labelledby": heading }, ...rows.map(({ row }) => row));
  const ticks = ["0", "0.5", "1"].map((at) => html("span", {}, at));
  const axis = html("div", { class: "caps-live-axis", "aria-hidden": "true" }, ...ticks);
  const node = html("div", { class: `caps-live-answers caps-${test}` },
    html("h5", { id: heading }, title, html("span", {}, " ", ...unit)), group, axis, sum);
  const draw = (values, winner) => rows.forEach(({ row, fill, value }, j) => {
    fill.style.width = `${100 * values[j]}%`;
    value.textContent = number(values[j]);
    row.classList.toggle("caps-live-winner", j === winner);
  });
  return { node, group, rows: rows.map(({ row }) => row), sum, draw };
}

/**
 * What the text says of the picture.
 * @param {string} what is on the page
 * @param {{turn: number, right: number, down: number, scale: number, swapped: boolean}} state what the sliders did to it
 * @param {boolean} cut whether ink is lost beyond the edge
 */
export function described(what, state, cut) {
  const turned = state.turn ? `turned ${degrees(state.turn)}` : "";
  const sideways = state.right ? `${Math.abs(state.right)} px ${state.right > 0 ? "right" : "left"}` : "";
  const upright = state.down ? `${Math.abs(state.down)} px ${state.down > 0 ? "down" : "up"}` : "";
  const moved = sideways || upright ? `moved ${[sideways, upright].filter(Boolean).join(" and ")}` : "";
  const scaled = state.scale === 1 ? "" : `drawn × ${number(state.scale)}`;
  const swapped = state.swapped ? "its halves swapped" : "";
  const lost = cut ? "; some ink is cut off at the edge" : "";
  return `${[what, turned, moved, scaled, swapped].filter(Boolean).join(", ")}${lost}.`;
}
