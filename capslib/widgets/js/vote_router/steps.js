/** What the vote router says of a step: its formula with the numbers of the chosen pair, and a line of text. */
import { html, number } from "../dom.js";
import { factor, fraction, power, strong, sum_over, sup, symbol } from "../formula.js";

/** @typedef {import("../formula.js").Part} Part */

/**
 * An iteration: u_hat (I, 2, 2); b, c, a (I, 2); s, v (2, 2); `before`, the v of the iteration before it, and
 * `next`, the c of the iteration after it, if there is one. Under EM c are the responsibilities and a the fit ln p.
 * @typedef {{means: Float64Array, variances: Float64Array, activations: Float64Array}} Fitted
 * @typedef {{I: number, u_hat: Float64Array, b: Float64Array, c: Float64Array, s: Float64Array, v: Float64Array,
 *   a: Float64Array, before?: Float64Array, next?: Float64Array,
 *   em?: Fitted & {costs: Float64Array, before?: Fitted}}} Iteration
 */
/** A part and a whole. @typedef {{i: number, j: number}} Pair */

/** What the steps of an iteration are called, in their order. */
export const STEPS = { softmax: "softmax", sum: "weighted sum", squash: "squash", agreement: "agreement" };
export const ORDER = Object.keys(STEPS);

/** Vector k of a flat array of vectors in the plane. @param {Float64Array} x @param {number} k */
export const vector_at = (x, k) => [x[2 * k], x[2 * k + 1]];

/** Σ_i c_ij over the parts. @param {Float64Array} c @param {number} j */
export const column_sum = (c, j) => c.reduce((sum, share, place) => sum + (place % 2 === j ? share : 0), 0);

/** @param {number[]} x */
export const vector = (x, digits = 2) => `(${x.map((value) => number(value, digits)).join(", ")})`;

/** @param {Part[]} terms @returns {Part[]} */
export const added = (terms) => terms.flatMap((term, k) => (k ? [" + ", term] : [term]));

/** A positive number, with a power of ten where it is large: logits add up, and their exponentials grow. @param {number} x */
function positive(x) {
  if (x < 1e5) return number(x, 3);
  const exponent = Math.floor(Math.log10(x));
  return html("span", {}, `${number(x / 10 ** exponent, 3)}·10`, sup(`${exponent}`));
}

/**
 * A step's equation: in symbols, with the numbers of the chosen pair, and what to read off it.
 * @param {string} step one of STEPS
 * @param {Iteration} now
 * @param {Pair} chosen
 * @param {string[]} wholes their names
 * @param {{over: string, offset: number}} options
 * @returns {Part[][]} three lists
 */
export function step_formula(step, now, { i, j }, wholes, { over, offset }) {
  const whole = wholes[j];
  const here = `${i},${whole}`;
  const pair = 2 * i + j;
  if (step === "softmax") {
    const wrong = over === "lower";
    const places = wrong ? Array.from({ length: now.I }, (_, k) => 2 * k + j) : [2 * i, 2 * i + 1];
    const total = places.reduce((sum, place) => sum + Math.exp(now.b[place]), 0);
    const powers = added(places.map((place) => power(number(now.b[place], 3))));
    return [
      [
        ...[symbol("c", "ij"), " = "],
        fraction([power(symbol("b", "ij"))], [sum_over("k"), power(symbol("b", wrong ? "kj" : "ik"))]),
      ],
      [
        ...[symbol("c", here), " = ", fraction([power(number(now.b[pair], 3))], powers), " = "],
        ...[fraction([positive(Math.exp(now.b[pair]))], [positive(total)]), " = ", strong(number(now.c[pair], 3))],
      ],
      wrong
        ? ["The sum in the denominator runs over the parts: each column of c sums to 1, and the rows need not."]
        : [`The sum in the denominator runs over the wholes, so the couplings of part ${i} sum to 1.`],
    ];
  }
  if (step === "sum") {
    const s = vector_at(now.s, j);
    const terms = Array.from({ length: now.I }, (_, k) => {
      const text = `${number(now.c[2 * k + j], 3)}·${vector(vector_at(now.u_hat, 2 * k + j))}`;
      return html(k === i ? "b" : "span", { class: "caps-vr-term" }, text);
    });
    const total = number(column_sum(now.c, j), 3);
    return [
      [symbol("s", "j"), " = ", sum_over("i"), symbol("c", "ij"), " ", symbol("û", "ij")],
      [symbol("s", whole), " = ", ...added(terms), " = ", html("b", { class: "caps-vr-term" }, vector(s, 3))],
      [`‖s‖ = ${number(Math.hypot(...s), 3)}. The diamond is the weighted mean: s divided by the sum of the couplings, ${total}.`],
    ];
  }
  if (step === "squash") {
    const [s, v] = [vector_at(now.s, j), vector_at(now.v, j)];
    const norm = Math.hypot(...s);
    const [above, below] = [[number(norm, 3)], [`${offset} + ${number(norm ** 2, 3)}`]];
    return [
      [
        ...[symbol("v", "j"), " = "],
        fraction(["‖", symbol("s", "j"), "‖"], [`${offset} + ‖`, symbol("s", "j"), "‖²"]),
        ...[" ", symbol("s", "j")],
      ],
      [symbol("v", whole), " = ", fraction(above, below), ` · ${vector(s, 3)} = `, html("b", { class: "caps-vr-term" }, vector(v, 3))],
      [`‖v‖ = ${number(Math.hypot(...v), 3)}: v points the way s does, and its length is below 1.`],
    ];
  }
  const [u_hat, v] = [vector_at(now.u_hat, pair), vector_at(now.v, j)];
  const [a, b] = [now.a[pair], now.b[pair]];
  const products = `${number(u_hat[0])}·${factor(v[0])} + ${factor(u_hat[1], 2)}·${factor(v[1])}`;
  const kept = [",  ", symbol("b", here), ` ← ${number(b, 3)} + ${factor(a)} = `, strong(number(b + a, 3))];
  return [
    [
      ...[symbol("a", "ij"), " = ⟨", symbol("û", "ij"), ", ", symbol("v", "j"), "⟩,  "],
      ...[symbol("b", "ij"), " ← ", symbol("b", "ij"), " + ", symbol("a", "ij")],
    ],
    [symbol("a", here), ` = ${products} = `, strong(number(a, 3)), ...(now.next ? kept : [])],
    now.next
      ? [`In the next iteration, the coupling of part ${i} to ${whole} is ${number(now.next[pair], 3)}.`]
      : ["This is the last iteration: no softmax follows, so this agreement is not used."],
  ];
}

/**
 * What the picture shows after a step, in numbers.
 * @param {string} step one of STEPS
 * @param {Iteration} now
 * @param {Pair} chosen
 * @param {string[]} wholes their names
 * @param {{over: string, t: number, T: number}} options the iteration t of T, counted from 0
 */
export function step_text(step, now, { i }, wholes, { over, t, T }) {
  /** @param {(k: number) => number} value */
  const both = (value, digits = 3) => wholes.map((name, k) => `${name} ${number(value(k), digits)}`).join(", ");
  const total = now.c[2 * i] + now.c[2 * i + 1];
  const sum = Math.abs(total - 1) > 5e-4 ? `, which sum to ${number(total, 3)} and not 1` : "";
  const couplings = `couplings of part ${i}: ${both((k) => now.c[2 * i + k])}${sum}`;
  const { before } = now;
  const old = before ? `; lengths ‖v‖ of iteration ${t}: ${both((k) => Math.hypot(...vector_at(before, k)))}` : "";
  const lengths = `lengths ‖v‖: ${both((k) => Math.hypot(...vector_at(now.v, k)))}`;
  const says = {
    softmax: `${couplings}${old}`,
    sum: `lengths ‖s‖ of the sums: ${both((k) => Math.hypot(...vector_at(now.s, k)))}; ${couplings}${old}`,
    squash: `${lengths}; ${couplings}`,
    agreement: `${lengths}; ${couplings}; its agreement: ${both((k) => now.a[2 * i + k])}`,
  }[step];
  const side = over === "lower" ? " The softmax runs over the parts." : "";
  return `Iteration ${t + 1} of ${T}, ${STEPS[step]}; ${says}.${side}`;
}
