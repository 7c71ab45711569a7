/** VoteRouter: the steps of an iteration by name, and each step's equation with the numbers of the chosen pair. */
import { html, number } from "../dom.js";
import { factor, fraction, norm, power, strong, sum_over, sup, symbol } from "../formula.js";

/** The steps of an iteration, in their order, and what they are called. */
export const STEPS = { softmax: "softmax", sum: "weighted sum", squash: "squash", agreement: "agreement" };

/** Vector k of a flat array of vectors in the plane. */
export const at = (x, k) => [x[2 * k], x[2 * k + 1]];
/** Σ_i c_ij over the parts. */
export const column_sum = (c, j) => c.reduce((sum, share, place) => sum + (place % 2 === j ? share : 0), 0);

const vector = (x, digits = 2) => `(${x.map((value) => number(value, digits)).join(", ")})`;
const added = (terms) => terms.flatMap((term, k) => (k ? [" + ", term] : [term]));

/** A positive number, with a power of ten where it is large: logits add up, and exponentials of them grow. */
function positive(x) {
  if (x < 1e5) return number(x, 3);
  const exponent = Math.floor(Math.log10(x));
  return html("span", {}, `${number(x / 10 ** exponent, 3)}·10`, sup(`${exponent}`));
}

/**
 * A step's equation: in symbols, with the numbers of the chosen pair, and what to read off it.
 * @param {string} step one of STEPS
 * @param {Object} now the iteration: u_hat, b, c, s, v, a; I parts; `next`, the c of the next iteration or undefined
 * @param {{i: number, j: number}} chosen the pair
 * @param {string[]} wholes their names
 * @param {{over: string, offset: number}} options
 * @returns {Array[]} three lists of nodes and texts
 */
export function formula(step, now, { i, j }, wholes, { over, offset }) {
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
        ? ["The sum below runs over the parts: each column of c sums to 1, and nothing holds the rows to 1."]
        : [`The sum below runs over the wholes: part ${i} is shared out completely, its row of c sums to 1.`],
    ];
  }
  if (step === "sum") {
    const s = at(now.s, j);
    const terms = Array.from({ length: now.I }, (_, k) => {
      const text = `${number(now.c[2 * k + j], 3)}·${vector(at(now.u_hat, 2 * k + j))}`;
      return html(k === i ? "b" : "span", { class: "caps-vr-term" }, text);
    });
    const shares = number(column_sum(now.c, j), 3);
    return [
      [symbol("s", "j"), " = ", sum_over("i"), symbol("c", "ij"), " ", symbol("û", "ij")],
      [symbol("s", whole), " = ", ...added(terms), " = ", strong(vector(s, 3))],
      [`‖s‖ = ${number(Math.hypot(...s), 3)}. The diamond is the mean: s divided by the sum of shares, ${shares}.`],
    ];
  }
  if (step === "squash") {
    const [s, v] = [at(now.s, j), at(now.v, j)];
    const long = Math.hypot(...s);
    const [above, below] = [[number(long, 3)], [`${offset} + ${number(long ** 2, 3)}`]];
    return [
      [
        ...[symbol("v", "j"), " = "],
        fraction([norm(symbol("s", "j"))], [`${offset} + `, norm(symbol("s", "j")), "²"]),
        ...[" ", symbol("s", "j")],
      ],
      [symbol("v", whole), " = ", fraction(above, below), ` · ${vector(s, 3)} = `, strong(vector(v, 3))],
      [`‖v‖ = ${number(Math.hypot(...v), 3)}: the direction of s, and a length below 1.`],
    ];
  }
  const [u_hat, v] = [at(now.u_hat, pair), at(now.v, j)];
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
      ? [`In the next iteration the share of part ${i} for ${whole} is ${number(now.next[pair], 3)}.`]
      : ["This was the last iteration: its agreement is added to nothing, since no softmax follows."],
  ];
}
