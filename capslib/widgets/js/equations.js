/**
 * The mathematics of the course's widgets: a capsule layer and its loss, named as in equations.py.
 *
 * Arrays are flat Float32Array or Float64Array in NumPy's order (the last axis is contiguous), one example at a time,
 * and a result has the type of what it was computed from. Sums are gathered in double precision. I lower and J upper
 * capsules in that order; D components of a vote. Equation numbers are those of Sabour, Frosst and Hinton (2017).
 */

/** Added to ‖s‖² inside squash, so that a vector of zeros stays one. */
export const EPSILON = 1e-7;

/** How agreement reaches the logits: added (the paper), put in their place, or not at all (c stays 1/J). */
const RULES = ["accumulate", "replace", "uniform"];

/** The margins and λ of the paper. (Eq. 4) */
export const PAPER = { m_plus: 0.9, m_minus: 0.1, lam: 0.5 };

/** Σ x_k y_k over n components that begin at x[p] and y[q]. */
function dot(x, p, y, q, n) {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += x[p + k] * y[q + k];
  return sum;
}

/** Refuse an argument, with a text that names it, unless it fits. */
export function need(fits, text) {
  if (!fits) throw new RangeError(text);
}

/**
 * Shrink vectors below length 1 without turning them: v = √n / (offset + n) · s with n = ‖s‖² + ε. (Eq. 1: offset 1)
 * @param s vectors (…, D)
 * @param {number} D components of a vector
 * @param {number} offset 0.5 in the article, 1 in the paper
 * @returns v (…, D), lengths in [0, 1)
 */
export function squash(s, D, offset = 0.5) {
  need(D > 0 && s.length % D === 0, `s: got ${s.length} numbers, expected vectors of ${D}`);
  need(offset > 0, `offset: got ${offset}, expected a positive number`);
  const v = new s.constructor(s.length);
  for (let p = 0; p < s.length; p += D) {
    const n = dot(s, p, s, p, D) + EPSILON;
    const scale = Math.sqrt(n) / (offset + n);
    for (let k = 0; k < D; k++) v[p + k] = scale * s[p + k];
  }
  return v;
}

/**
 * Lengths ‖v‖ = √Σ v².
 * @param v vectors (…, D)
 * @param {number} D components of a vector
 * @returns lengths (…)
 */
export function length(v, D) {
  need(D > 0 && v.length % D === 0, `v: got ${v.length} numbers, expected vectors of ${D}`);
  const lengths = new v.constructor(v.length / D);
  for (let n = 0; n < lengths.length; n++) lengths[n] = Math.sqrt(dot(v, n * D, v, n * D, D));
  return lengths;
}

/**
 * Coupling coefficients from routing logits: c_ij = exp b_ij / Σ_k exp b_ik. (Eq. 3)
 * @param b logits (I, J)
 * @param {number} J upper capsules
 * @param {"upper"|"lower"} over which capsules c sums to 1 over; "lower" is the well-known mistake
 * @returns c (I, J)
 */
export function softmax(b, J, over = "upper") {
  need(J > 0 && b.length % J === 0, `b: got ${b.length} numbers, expected rows of ${J}`);
  need(over === "upper" || over === "lower", `over: got ${over}, expected "upper" or "lower"`);
  const I = b.length / J;
  const [groups, step, members, stride] = over === "upper" ? [I, J, J, 1] : [J, 1, I, J];
  const c = new b.constructor(b.length);
  const e = new Float64Array(members);
  for (let group = 0; group < groups; group++) {
    const start = group * step;
    let highest = -Infinity;
    let sum = 0;
    for (let k = 0; k < members; k++) highest = Math.max(highest, b[start + k * stride]);
    for (let k = 0; k < members; k++) sum += e[k] = Math.exp(b[start + k * stride] - highest);
    for (let k = 0; k < members; k++) c[start + k * stride] = e[k] / sum;
  }
  return c;
}

/**
 * Votes û_ij = u_i W_ij. (Eq. 2, right)
 * @param u lower capsules (I, D_in)
 * @param W (D_in, J, D) shared by all lower capsules, or (I, D_in, J, D)
 * @param {{I: number, D_in: number, J: number, D: number}} shape
 * @returns u_hat (I, J, D)
 */
export function predict(u, W, { I, D_in, J, D }) {
  const block = D_in * J * D;
  need(u.length === I * D_in, `u: got ${u.length} numbers, expected (${I}, ${D_in})`);
  need(W.length === block || W.length === I * block, `W: got ${W.length} numbers, expected ${block} or ${I * block}`);
  const apart = W.length === block ? 0 : block;
  const u_hat = new u.constructor(I * J * D);
  const sum = new Float64Array(J * D);
  for (let i = 0; i < I; i++) {
    sum.fill(0);
    for (let d = 0; d < D_in; d++) {
      const x = u[i * D_in + d];
      if (x === 0) continue; // Most features of most cells are off.
      const from = i * apart + d * J * D;
      for (let k = 0; k < J * D; k++) sum[k] += x * W[from + k];
    }
    u_hat.set(sum, i * J * D);
  }
  return u_hat;
}

/**
 * Gather the votes: s_j = Σ_i c_ij û_ij. (Eq. 2, left)
 * @param c (I, J)
 * @param u_hat (I, J, D)
 * @param {{I: number, J: number, D: number}} shape
 * @returns s (J, D)
 */
export function weighted_sum(c, u_hat, { I, J, D }) {
  const sum = new Float64Array(J * D);
  for (let i = 0, pair = 0; i < I; i++) {
    for (let j = 0; j < J; j++, pair++) {
      for (let k = 0; k < D; k++) sum[j * D + k] += c[pair] * u_hat[pair * D + k];
    }
  }
  return new u_hat.constructor(sum);
}

/**
 * Agreement of each vote with its outcome: a_ij = ⟨û_ij, v_j⟩. (Section 2)
 * @param u_hat (I, J, D)
 * @param v (J, D)
 * @param {{I: number, J: number, D: number}} shape
 * @returns a (I, J)
 */
export function agreement(u_hat, v, { I, J, D }) {
  const a = new u_hat.constructor(I * J);
  for (let pair = 0; pair < I * J; pair++) a[pair] = dot(u_hat, pair * D, v, (pair % J) * D, D);
  return a;
}

/**
 * Routing by agreement (Procedure 1), keeping every step. `b[t]` made `c[t]`, `b[0]` is 0, and the last `a` is computed
 * and never added.
 * @param u_hat votes (I, J, D)
 * @param {{I: number, J: number, D: number}} shape
 * @param {{iterations?: number, offset?: number, rule?: string, over?: "upper"|"lower"}} options `rule`, one of RULES:
 *   b ← b + a, b ← a, or b stays 0; `over`, see softmax
 * @returns {{b: Array, c: Array, s: Array, v: Array, a: Array}} of each iteration: b, c, a (I, J); s, v (J, D)
 */
export function route(u_hat, shape, { iterations = 3, offset = 0.5, rule = "accumulate", over = "upper" } = {}) {
  const { I, J, D } = shape;
  need(u_hat.length === I * J * D, `u_hat: got ${u_hat.length} numbers, expected (${I}, ${J}, ${D})`);
  need(Number.isInteger(iterations) && iterations > 0, `iterations: got ${iterations}, expected at least 1`);
  need(RULES.includes(rule), `rule: got ${rule}, expected one of ${RULES.join(", ")}`);
  const trace = { b: [], c: [], s: [], v: [], a: [] };
  let b = new u_hat.constructor(I * J);
  for (let t = 0; t < iterations; t++) {
    const c = softmax(b, J, over);
    const s = weighted_sum(c, u_hat, shape);
    const v = squash(s, D, offset);
    const a = agreement(u_hat, v, shape);
    for (const [name, value] of Object.entries({ b, c, s, v, a })) trace[name].push(value);
    if (rule === "accumulate") b = b.map((logit, pair) => logit + a[pair]);
    else if (rule === "replace") b = a;
  }
  return trace;
}

/**
 * What each lower capsule adds to ‖s_j‖: c_ij ⟨û_ij, v̂_j⟩ with v̂_j = s_j/‖s_j‖; sums over i to ‖s_j‖.
 * Where s_j is the zero vector no direction exists and every contribution is 0.
 * @param c (I, J)
 * @param u_hat (I, J, D)
 * @param s (J, D)
 * @param {{I: number, J: number, D: number}} shape
 * @returns contributions (I, J)
 */
export function contribution(c, u_hat, s, shape) {
  const norms = length(s, shape.D);
  const along = agreement(u_hat, s, shape);
  return along.map((value, pair) => (norms[pair % shape.J] > 0 ? (c[pair] * value) / norms[pair % shape.J] : 0));
}

/**
 * Entropy H(c_i) = −Σ_j c_ij ln c_ij in nats: ln J is undecided, 0 decided.
 * @param c (I, J)
 * @param {number} J upper capsules
 * @returns entropies (I)
 */
export function entropy(c, J) {
  const H = new c.constructor(c.length / J);
  for (let i = 0; i < H.length; i++) {
    let sum = 0;
    for (let j = 0; j < J; j++) if (c[i * J + j] > 0) sum -= c[i * J + j] * Math.log(c[i * J + j]);
    H[i] = sum;
  }
  return H;
}

/**
 * The plane in which `plots.votes_of_capsule` draws the votes for capsule j: one axis along the last v_j, the other at
 * right angles to it, where the votes differ most; there its largest component is positive. Where v_j is the zero vector
 * the plane is made of zeros.
 * @param u_hat votes (I, J, D)
 * @param v output capsules of the last iteration (J, D)
 * @param {number} j the upper capsule
 * @param {{I: number, J: number, D: number}} shape
 * @returns (2, D), two unit vectors
 */
export function vote_plane(u_hat, v, j, { I, J, D }) {
  const plane = new Float64Array(2 * D);
  const norm = Math.sqrt(dot(v, j * D, v, j * D, D));
  if (norm === 0) return plane;
  for (let k = 0; k < D; k++) plane[k] = v[j * D + k] / norm;
  // Σ_i r_i r_iᵀ of what the votes have at right angles to v̂_j; squared again and again, its first direction is left.
  let spread = new Float64Array(D * D);
  for (let i = 0; i < I; i++) {
    const at = (i * J + j) * D;
    const along = dot(u_hat, at, plane, 0, D);
    const rest = Float64Array.from({ length: D }, (_, k) => u_hat[at + k] - along * plane[k]);
    for (let p = 0; p < D; p++) for (let q = 0; q < D; q++) spread[p * D + q] += rest[p] * rest[q];
  }
  for (let time = 0; time < 16; time++) {
    const trace = spread.reduce((sum, x, p) => (p % (D + 1) === 0 ? sum + x : sum), 0);
    if (trace <= 0) return plane;
    if (time > 0 && trace > 1 - 1e-14) break; // Its other directions have gone: more squaring would change nothing.
    const x = spread.map((value) => value / trace);
    spread = x.map((_, p) => dot(x, Math.floor(p / D) * D, x, (p % D) * D, D)); // Symmetric: its rows are its columns.
  }
  let longest = 0;
  for (let p = 1; p < D; p++) if (spread[p * (D + 1)] > spread[longest * (D + 1)]) longest = p;
  const across = spread.slice(longest * D, (longest + 1) * D);
  const size = Math.sqrt(dot(across, 0, across, 0, D));
  if (size > 0) plane.set(across.map((x) => (Math.sign(across[longest]) * x) / size), D);
  return plane;
}

/**
 * Keep one capsule and set all others to zero. (Section 4.1)
 * @param v output capsules (J, D)
 * @param {number} D components of a vector
 * @param {number} [j] the capsule to keep; without it, the longest
 * @returns masked capsules (J, D)
 */
export function mask(v, D, j) {
  const lengths = length(v, D);
  const kept = j ?? lengths.indexOf(Math.max(...lengths));
  need(Number.isInteger(kept) && kept >= 0 && kept < lengths.length, `j: got ${j}, expected 0 to ${lengths.length - 1}`);
  return v.map((component, k) => (Math.floor(k / D) === kept ? component : 0));
}

/** Probabilities from the scores of a plain network: softmax over all of them. */
export function probabilities(scores) {
  return softmax(scores, scores.length);
}

/**
 * What each class adds to the margin loss: T_k max(0, m⁺ − ‖v_k‖)² and λ (1 − T_k) max(0, ‖v_k‖ − m⁻)². (Eq. 4)
 * @param y_true labels T (J), 1 for each class that is present: one, several or none
 * @param lengths (J)
 * @param {{m_plus?: number, m_minus?: number, lam?: number}} options the paper's values unless told
 * @returns {{present, absent}} (J) each
 */
export function margin_terms(y_true, lengths, { m_plus = PAPER.m_plus, m_minus = PAPER.m_minus, lam = PAPER.lam } = {}) {
  need(y_true.length === lengths.length, `y_true: got ${y_true.length} labels, expected ${lengths.length}`);
  return {
    present: lengths.map((length, k) => y_true[k] * Math.max(0, m_plus - length) ** 2),
    absent: lengths.map((length, k) => lam * (1 - y_true[k]) * Math.max(0, length - m_minus) ** 2),
  };
}

/** Margin loss L of one example, the sum of its `margin_terms`; arguments as there. (Eq. 4) */
export function margin_loss(y_true, lengths, options) {
  const { present, absent } = margin_terms(y_true, lengths, options);
  return present.reduce((sum, term, k) => sum + term + absent[k], 0);
}

/**
 * Gradient of the margin loss: ∂L/∂‖v_k‖ = −2 T_k max(0, m⁺ − ‖v_k‖) + 2λ (1 − T_k) max(0, ‖v_k‖ − m⁻). Arguments as
 * of `margin_terms`.
 * @returns gradient (J), exactly 0 from the margins on
 */
export function margin_gradient(y_true, lengths, { m_plus = PAPER.m_plus, m_minus = PAPER.m_minus, lam = PAPER.lam } = {}) {
  need(y_true.length === lengths.length, `y_true: got ${y_true.length} labels, expected ${lengths.length}`);
  return lengths.map((length, k) => {
    const present = y_true[k] * Math.max(0, m_plus - length);
    const absent = (1 - y_true[k]) * Math.max(0, length - m_minus);
    return 2 * lam * absent - 2 * present;
  });
}

/**
 * Cross-entropy of a softmax over the scores q_k: −Σ_k T_k ln q_k. Each class that is present adds its own −ln q_k.
 * @param y_true labels T (J)
 * @param scores (J); lengths, for who puts a softmax on them
 * @returns {number}
 */
export function cross_entropy(y_true, scores) {
  need(y_true.length === scores.length, `y_true: got ${y_true.length} labels, expected ${scores.length}`);
  return probabilities(scores).reduce((sum, q, k) => (y_true[k] ? sum - y_true[k] * Math.log(q) : sum), 0);
}

/**
 * Gradient of `cross_entropy` by the scores: (Σ_j T_j) q_k − T_k.
 * @returns gradient (J), which sums to 0
 */
export function cross_entropy_gradient(y_true, scores) {
  need(y_true.length === scores.length, `y_true: got ${y_true.length} labels, expected ${scores.length}`);
  const present = y_true.reduce((sum, T) => sum + T, 0);
  return probabilities(scores).map((q, k) => present * q - y_true[k]);
}
