/** The step's formula with the numbers of the chosen pair, and a line that says what is shown. */
import { html, number } from "../dom.js";
import { factor, fraction, norm, strong, sum_over, symbol } from "../formula.js";
import { range } from "./state.js";
import { STEP_NAMES } from "./parts.js";

/** @typedef {import("./state.js").State} State @typedef {import("./state.js").Now} Now */

const shown = (x) => number(x, 3);
const result = (x) => strong(shown(x));
const say = (words) => html("span", { class: "caps-re-say" }, words);
const exponential = (...of) => ["exp ", ...of];

/** Each step's formula as elements and texts. @type {Object<string, (state: State, now: Now) => (Node|string)[]>} */
const FORMULAS = {
  softmax({ J }, { trace, iteration, i, j, pair }) {
    const b = trace.b[iteration - 1];
    const sum = range(J).reduce((total, k) => total + Math.exp(b[i * J + k]), 0);
    return [
      ...[symbol("c", `${i},${j}`), " = "],
      fraction(exponential(symbol("b", `${i},${j}`)), [sum_over("k"), ...exponential(symbol("b", `${i},k`))]),
      ...[" = ", fraction(exponential(factor(b[pair])), [shown(sum)])],
      ...[" = ", fraction([shown(Math.exp(b[pair]))], [shown(sum)])],
      ...[" = ", result(trace.c[iteration - 1][pair])],
    ];
  },
  sum(_, { trace, iteration, i, j, pair }) {
    const c = trace.c[iteration - 1][pair];
    const along = direction(trace, iteration - 1, pair);
    return [
      ...[symbol("s", j), " = ", sum_over("i"), symbol("c", `i,${j}`), " ", symbol("û", `i,${j}`), " "],
      ...[say(`cell ${i} adds`), " ", symbol("c", `${i},${j}`), " ⟨", symbol("û", `${i},${j}`), ", "],
      ...[symbol("v̂", j), `⟩ = ${shown(c)} × ${factor(along)} = `, result(c * along), " "],
      ...[say("to"), " ", norm(symbol("s", j)), " = ", result(trace.norms[iteration - 1][j])],
    ];
  },
  squash({ offset }, { trace, iteration, j }) {
    const [s, v] = [trace.norms[iteration - 1][j], trace.lengths[iteration - 1][j]];
    const length_of_s = () => norm(symbol("s", j));
    return [
      ...[symbol("v", j), " = ", fraction([length_of_s(), "²"], [`${offset} + `, length_of_s(), "²"]), " "],
      ...[fraction([symbol("s", j)], [length_of_s()]), " ", say("so"), " ", norm(symbol("v", j))],
      ...[" = ", fraction([`${shown(s)}²`], [`${offset} + ${shown(s)}²`])],
      ...[" = ", fraction([shown(s * s)], [shown(offset + s * s)]), " = ", result(v)],
    ];
  },
  agreement(_, now) {
    const { trace, iteration, i, j, pair } = now;
    const t = iteration - 1;
    const [vote, length_of_v] = [() => symbol("û", `${i},${j}`), () => norm(symbol("v", j))];
    return [
      ...[symbol("a", `${i},${j}`), " = ⟨", vote(), ", ", symbol("v", j), "⟩ = "],
      ...["⟨", vote(), ", ", symbol("v̂", j), "⟩ ", length_of_v()],
      ` = ${factor(direction(trace, t, pair))} × ${shown(trace.lengths[t][j])} = `,
      ...[result(trace.a[t][pair]), " ", html("span", { class: "caps-re-gap" }), " "],
      ...next_logit(now),
    ];
  },
};

/** ⟨û_ij, v̂_j⟩ @param {import("./state.js").Routing} trace @param {number} t @param {number} pair */
const direction = (trace, t, pair) => (trace.c[t][pair] > 0 ? trace.contribution[t][pair] / trace.c[t][pair] : 0);

/** What becomes of the agreement. @param {Now} now */
function next_logit({ trace, iteration, routings, rule, i, j, pair }) {
  const [a, b] = [trace.a[iteration - 1][pair], trace.b[iteration - 1][pair]];
  const logit = () => symbol("b", `${i},${j}`);
  const agreement_of = symbol("a", `${i},${j}`);
  if (iteration === routings) return [say("the last agreement is not used")];
  if (rule === "uniform") return [html("span", { class: "caps-re-say" }, "not used: ", logit(), " stays 0")];
  if (rule === "replace") return [logit(), " ← ", agreement_of, " = ", result(a)];
  return [logit(), " ← ", logit(), " + ", agreement_of, ` = ${shown(b)} + ${factor(a)} = `, result(b + a)];
}

/** @param {State} state */
export function step_formula(state) {
  const node = html("div", { class: "caps-re-formula", "data-testid": "re-formula" });
  /** @param {Now} now */
  function draw(now) {
    node.replaceChildren(html("div", {}, ...FORMULAS[now.step](state, now)));
    node.dataset.step = now.step;
  }
  return { node, draw };
}

/** @param {State} state */
export function status_line(state) {
  const node = html("p", { class: "caps-re-status", "data-testid": "re-status", "aria-live": "polite" });

  /** @param {Now} now */
  function longest({ at, trace, iteration }) {
    if (at.v < 0) return "No lengths yet.";
    const lengths = trace.lengths[at.v];
    const order = range(state.J).sort((p, q) => lengths[q] - lengths[p]);
    const told = order.slice(0, 2).map((k) => `${k} (${number(lengths[k], 3)})`);
    const old = at.v < iteration - 1 ? ` at iteration ${at.v + 1}` : "";
    return `Longest${old}: capsule ${told.join(", then ")}.`;
  }

  /** @param {Now} now */
  function pair_text({ at, trace, i, j, pair }) {
    const text = `Cell ${i} → capsule ${j}: c ${number(trace.c[at.c][pair], 3)}`;
    if (at.s < 0) return `${text}.`;
    const old = at.s < at.c ? ` at iteration ${at.s + 1}` : "";
    return `${text}, contribution ${number(trace.contribution[at.s][pair], 2)}${old}.`;
  }

  /** @param {Now} now */
  function draw(now) {
    const [H, most] = [now.trace.entropy[now.at.c], Math.log(state.J)].map((x) => number(x, 2));
    const sentences = [
      `Iteration ${now.iteration} of ${now.routings}, ${STEP_NAMES[now.step]}.`,
      longest(now),
      pair_text(now),
      `Entropy of c: ${H} nats of at most ${most}.`,
    ];
    if (state.moments.length) sentences.unshift(`Training: ${state.moments[now.moment]}.`);
    if (state.labels.length) sentences.unshift(`Labelled ${state.labels[now.chosen]}.`);
    if (now.foreign) sentences.push(now.foreign);
    const text = sentences.join(" ");
    if (node.textContent !== text) node.textContent = text;
  }
  return { node, draw };
}
