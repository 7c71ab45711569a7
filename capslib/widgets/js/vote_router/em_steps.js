/** What the vote router says of a step of EM routing: its formula with the numbers of the chosen pair, and a line of text. */
import { html, number } from "../dom.js";
import { factor, fraction, power, strong, sub, sum_over, sup, symbol } from "../formula.js";
import { added, column_sum, vector, vector_at } from "./steps.js";

/** @typedef {import("../formula.js").Part} Part @typedef {import("./steps.js").Iteration} Iteration @typedef {import("./steps.js").Pair} Pair */

/** What the steps of an iteration are called, in the order of STEPS. */
export const EM_STEPS = { softmax: "responsibilities", sum: "means", squash: "variances, activations", agreement: "fit" };

/** A number of nats, which may be far from 0: with few decimals there. @param {number} x */
export const nats = (x) => number(x, Math.abs(x) < 100 ? 2 : 0);

/** The variance of the whole's component. @param {string} whole */
const variance = (whole) => html("span", {}, html("i", {}, "σ"), sup("2"), sub(whole));

/**
 * A step's equation: in symbols, with the numbers of the chosen pair, and what to read off it.
 * @param {string} step one of STEPS
 * @param {Iteration} now
 * @param {Pair} chosen
 * @param {string[]} wholes their names
 * @param {{t: number}} options the iteration, counted from 0
 * @returns {Part[][]} three lists
 */
export function em_formula(step, now, { i, j }, wholes, { t }) {
  const { em } = now;
  if (!em) return [[], [], []];
  const [whole, pair, n] = [wholes[j], 2 * i + j, column_sum(now.c, j)];
  const here = `${i},${whole}`;
  const mean = vector_at(em.means, j);
  if (step === "softmax") {
    const powers = added([0, 1].map((k) => power(nats(now.b[2 * i + k]))));
    return [
      [
        ...[symbol("r", "ij"), " = ", fraction([power(symbol("b", "ij"))], [sum_over("k"), power(symbol("b", "ik"))])],
        ...[",  ", symbol("b", "ij"), " = ln ", symbol("a", "j"), " + ln ", symbol("p", "ij")],
      ],
      [symbol("r", here), " = ", fraction([power(nats(now.b[pair]))], powers), " = ", strong(number(now.c[pair], 3))],
      [
        t
          ? `The logits come from the fit of iteration ${t}. The responsibilities of part ${i} sum to 1.`
          : "Nothing is known yet, so the logits are 0 and every part is divided equally.",
      ],
    ];
  }
  if (step === "sum") {
    const terms = Array.from({ length: now.I }, (_, k) => {
      const text = `${number(now.c[2 * k + j], 3)}·${vector(vector_at(now.u_hat, 2 * k + j))}`;
      return html(k === i ? "b" : "span", { class: "caps-vr-term" }, text);
    });
    const over = fraction(["1"], [number(n, 3)]);
    return [
      [symbol("μ", "j"), " = ", fraction([sum_over("i"), symbol("r", "ij"), " ", symbol("V", "ij")], [sum_over("i"), symbol("r", "ij")])],
      [symbol("μ", whole), " = ", over, " (", ...added(terms), ") = ", html("b", { class: "caps-vr-term" }, vector(mean, 3))],
      [`A mean, not a sum: it does not grow with the number of votes. Of those, the ${whole} has ${number(n, 3)}.`],
    ];
  }
  if (step === "squash") {
    const cost = em.costs[j];
    const saved = 2 * n - (cost + 2);
    const verdict = `Without the ${whole} its votes cost ${nats(2 * n)} nats, with it ${nats(cost)} + 2 = ${nats(cost + 2)}`;
    return [
      [
        ...[variance("j"), " = ", fraction([sum_over("i"), symbol("r", "ij"), " (", symbol("V", "ij"), " − ", symbol("μ", "j"), ")²"], [sum_over("i"), symbol("r", "ij")])],
        ...[" ≥ 0.01,  ", symbol("a", "j"), " = logistic(λ (2 ", sum_over("i"), symbol("r", "ij"), " − ", symbol("cost", "j"), " − 2))"],
      ],
      [
        ...[variance(whole), " = ", html("span", { class: "caps-vr-term" }, vector(vector_at(em.variances, j), 3)), ",  "],
        ...[symbol("a", whole), ` = logistic(${number(1 - 0.95 ** (t + 1), 3)}·${factor(saved, 2)}) = `, strong(number(em.activations[j], 3))],
      ],
      [`${verdict}: it ${saved > 0 ? "pays" : "does not pay"}.`],
    ];
  }
  const [vote, variances] = [vector_at(now.u_hat, pair), vector_at(em.variances, j)];
  const terms = [0, 1].map((k) => `${nats((vote[k] - mean[k]) ** 2 / (2 * variances[k]))} + ${factor(Math.log(2 * Math.PI * variances[k]) / 2, 2)}`);
  return [
    [
      ...["ln ", symbol("p", "ij"), " = −", sum_over("h"), "[", fraction(["(", symbol("V", "ijh"), " − ", symbol("μ", "jh"), ")²"], ["2 ", variance("jh")])],
      ...[" + ½ ln 2π", variance("jh"), "]"],
    ],
    ["ln ", symbol("p", here), ` = −[${terms.join("] − [")}] = `, strong(nats(now.a[pair]))],
    [
      now.next
        ? `In the next iteration, the responsibility of the ${whole} for part ${i} is ${number(now.next[pair], 3)}.`
        : "This is the last iteration: no E-step follows, so this fit is not used.",
    ],
  ];
}

/**
 * What the picture shows after a step, in numbers.
 * @param {string} step one of STEPS
 * @param {Iteration} now
 * @param {Pair} chosen
 * @param {string[]} wholes their names
 * @param {{t: number, T: number}} options the iteration t of T, counted from 0
 */
export function em_text(step, now, { i }, wholes, { t, T }) {
  const { em } = now;
  if (!em) return "";
  /** @param {(k: number) => string} value */
  const both = (value) => wholes.map((name, k) => `${name} ${value(k)}`).join(", ");
  const shares = `responsibilities for part ${i}: ${both((k) => number(now.c[2 * i + k], 3))}`;
  const active = `activations: ${both((k) => number(em.activations[k], 3))}`;
  const { before } = em;
  const old = before ? `; activations of iteration ${t}: ${both((k) => number(before.activations[k], 3))}` : "";
  const says = {
    softmax: `${shares}${old}`,
    sum: `means: ${both((k) => vector(vector_at(em.means, k)))}; ${shares}${old}`,
    squash: `${active}; costs in nats: ${both((k) => nats(em.costs[k]))}; ${shares}`,
    agreement: `${active}; ${shares}; its fit ln p: ${both((k) => nats(now.a[2 * i + k]))}`,
  }[step];
  return `Iteration ${t + 1} of ${T}, ${EM_STEPS[step]}; ${says}.`;
}
