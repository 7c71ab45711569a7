/**
 * EM routing, named as in equations.py: the votes for an upper capsule are a Gaussian.
 *
 * Arrays are flat, as in equations.js. Equation numbers are those of Hinton, Sabour and Frosst (2018).
 */
import { need, softmax } from "./equations.js";

/** @typedef {{I: number, J: number, D: number}} Shape */
/** What EM routing is told; the values of `em_route` in equations.py unless told otherwise. */
const PRICES = { beta_a: -2, beta_u: -2, floor: 0.01 };

/**
 * How well each vote fits the Gaussian of its upper capsule, in nats: ln p_ij. (E-step, line 2)
 * @param votes (I, J, D)
 * @param means (J, D)
 * @param variances (J, D), above 0
 * @param {Shape} shape
 * @returns ln p (I, J)
 */
export function log_density(votes, means, variances, { I, J, D }) {
  const fit = new votes.constructor(I * J);
  for (let pair = 0; pair < I * J; pair++) {
    const own = (pair % J) * D;
    for (let k = 0; k < D; k++) {
      const variance = variances[own + k];
      fit[pair] -= (votes[pair * D + k] - means[own + k]) ** 2 / (2 * variance) + Math.log(2 * Math.PI * variance) / 2;
    }
  }
  return fit;
}

/**
 * Fit the Gaussian of every upper capsule to its votes, and see whether that pays. (M-step; Eq. 1 and 2)
 * @param responsibilities r (I, J)
 * @param votes (I, J, D)
 * @param activations of the lower capsules (I)
 * @param {Shape} shape
 * @param {{lam?: number, beta_a?: number, beta_u?: number, floor?: number}} options
 * @returns {{means, variances, costs, activations}} (J, D), (J, D), (J), (J)
 */
export function m_step(responsibilities, votes, activations, shape, { lam = 1, ...prices } = {}) {
  const { I, J, D } = shape;
  const { beta_a, beta_u, floor } = { ...PRICES, ...prices };
  need(responsibilities.length === I * J, `responsibilities: got ${responsibilities.length} numbers, expected (${I}, ${J})`);
  const made = (size) => new votes.constructor(size);
  const weights = responsibilities.map((r, pair) => r * activations[Math.floor(pair / J)]);
  const [means, variances, costs, active] = [made(J * D), made(J * D), made(J), made(J)];
  const data = new Float64Array(J);
  for (let j = 0; j < J; j++) {
    for (let i = 0; i < I; i++) data[j] += weights[i * J + j];
    // A capsule without any vote is fitted to all votes for it, alike.
    const share = (i) => (data[j] > 0 ? weights[i * J + j] / data[j] : 1 / I);
    for (let k = 0; k < D; k++) {
      let [mean, variance] = [0, 0];
      for (let i = 0; i < I; i++) mean += share(i) * votes[(i * J + j) * D + k];
      for (let i = 0; i < I; i++) variance += share(i) * (votes[(i * J + j) * D + k] - mean) ** 2;
      means[j * D + k] = mean;
      variances[j * D + k] = Math.max(variance, floor);
    }
  }
  const fit = log_density(votes, means, variances, shape);
  for (let pair = 0; pair < I * J; pair++) costs[pair % J] -= weights[pair] * fit[pair];
  for (let j = 0; j < J; j++) active[j] = 1 / (1 + Math.exp(-lam * (beta_a - beta_u * data[j] - costs[j])));
  return { means, variances, costs, activations: active };
}

/**
 * The logits of the next responsibilities: ln a_j + ln p_ij. (E-step, line 3, before the softmax)
 * @param fit ln p (I, J)
 * @param activations of the upper capsules (J)
 * @returns b (I, J)
 */
function em_logits(fit, activations) {
  const log_a = activations.map((a) => Math.log(Math.max(a, 1e-37)));
  return fit.map((value, pair) => value + log_a[pair % activations.length]);
}

/**
 * Divide every vote between the upper capsules: r_ij = a_j p_ij / Σ_k a_k p_ik. (E-step, line 3)
 * @param votes (I, J, D)
 * @param means (J, D)
 * @param variances (J, D)
 * @param activations of the upper capsules (J)
 * @param {Shape} shape
 * @returns r (I, J)
 */
export function e_step(votes, means, variances, activations, shape) {
  return softmax(em_logits(log_density(votes, means, variances, shape), activations), shape.J);
}

/**
 * EM routing (Procedure 1), keeping every step. `b[t]` made `responsibilities[t]`, `b[0]` is 0, and the last `fit` is
 * computed and never used. λ rises as 1 − 0.95^t.
 * @param votes (I, J, D)
 * @param {Shape} shape
 * @param {{iterations?: number, beta_a?: number, beta_u?: number, floor?: number}} options
 * @returns {{b: Array, responsibilities: Array, means: Array, variances: Array, costs: Array, activations: Array,
 *   fit: Array}} of each iteration: b, responsibilities, fit (I, J); means, variances (J, D); costs, activations (J)
 */
export function em_route(votes, shape, { iterations = 3, ...prices } = {}) {
  const { I, J, D } = shape;
  need(votes.length === I * J * D, `votes: got ${votes.length} numbers, expected (${I}, ${J}, ${D})`);
  need(Number.isInteger(iterations) && iterations > 0, `iterations: got ${iterations}, expected at least 1`);
  const trace = { b: [], responsibilities: [], means: [], variances: [], costs: [], activations: [], fit: [] };
  const lower = new Float64Array(I).fill(1);
  let b = new votes.constructor(I * J);
  for (let t = 1; t <= iterations; t++) {
    const responsibilities = softmax(b, J);
    const fitted = m_step(responsibilities, votes, lower, shape, { lam: 1 - 0.95 ** t, ...prices });
    const fit = log_density(votes, fitted.means, fitted.variances, shape);
    for (const [name, value] of Object.entries({ b, responsibilities, ...fitted, fit })) trace[name].push(value);
    b = em_logits(fit, fitted.activations);
  }
  return trace;
}
