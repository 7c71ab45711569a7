/** Formulas as HTML elements: symbols with an index, fractions, sums, powers, and numbers put in their place. */
import { html, number } from "./dom.js";

/** @typedef {Node|string} Part a piece of a formula: an element, or plain text */

/** The result of a formula, or whatever else stands out in it. @param {Part[]} parts */
export const strong = (...parts) => html("b", {}, ...parts);

/** @param {Part[]} parts */
export const sub = (...parts) => html("sub", {}, ...parts);

/** @param {Part[]} parts */
export const sup = (...parts) => html("sup", {}, ...parts);

/** A variable, such as b. @param {string} name */
export const italic = (name) => html("i", {}, name);

/** A variable with an index, such as b_ij. @param {string} name @param {string|number} index */
export const symbol = (name, index) => html("span", {}, italic(name), sub(`${index}`));

/** A power of e. @param {Part[]} exponent */
export const power = (...exponent) => html("span", {}, italic("e"), sup(...exponent));

/** The length of a vector: ‖…‖. @param {Part[]} parts */
export const norm = (...parts) => html("span", {}, "‖", ...parts, "‖");

/** A fraction. @param {Part[]} above @param {Part[]} below */
export const fraction = (above, below) =>
  html("span", { class: "caps-fraction" }, html("span", {}, ...above), html("span", {}, ...below));

/** The sign of a sum over an index. @param {string} index */
export const sum_over = (index) => html("span", {}, "Σ", sub(index), " ");

/** A number as a factor or a summand: in brackets if it is negative. @param {number} x @param {number} digits */
export function factor(x, digits = 3) {
  const text = number(x, digits);
  return text.startsWith("−") ? `(${text})` : text;
}
