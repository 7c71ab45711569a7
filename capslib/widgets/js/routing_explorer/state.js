/**
 * What the routing explorer shows: the model's state, and all that follows from it. It draws nothing and knows no panel.
 * Panels draw from what `update()` returns, and change it by `put`, `go`, `choose` and the like. See routing_explorer.py.
 */
import { contribution, entropy, length, predict, route, vote_plane } from "../equations.js";
import { bytes, floats } from "../dom.js";
import { clock } from "../player.js";

/**
 * @typedef {{N: number, I: number, J: number, D_in: number, D: number}} Shape N digits, each of I lower capsules
 *
 * @typedef {Object} Routing what one digit's routing computed: u_hat (I, J, D), and the rest of each iteration
 * @property {Float32Array} u_hat
 * @property {Float32Array[]} b (I, J)
 * @property {Float32Array[]} c (I, J)
 * @property {Float32Array[]} s (J, D)
 * @property {Float32Array[]} v (J, D)
 * @property {Float32Array[]} a (I, J)
 * @property {Float32Array[]} norms ‖s_j‖ (J)
 * @property {Float32Array[]} lengths ‖v_j‖ (J)
 * @property {Float32Array[]} contribution c_ij ⟨û_ij, v̂_j⟩ (I, J)
 * @property {Float32Array[]} H entropy of c in nats (I)
 * @property {number[]} entropy mean of H, weighted by ‖u_i‖
 *
 * @typedef {Object} Now what is shown
 * @property {number} chosen the digit
 * @property {number} moment of the training, from 0
 * @property {string} rule
 * @property {number} routings
 * @property {number} iteration from 1
 * @property {string} step one of the state's steps
 * @property {number} i lower capsule
 * @property {number} j upper capsule
 * @property {number} pair the place of (i, j) in an array (I, J)
 * @property {"contribution"|"coupling"} kind what tints the grid
 * @property {"upper"|"lower"} links from all lower capsules to j, or from i to all
 * @property {Routing} trace
 * @property {() => {points: number[][], means: number[][]}} votes see votes_in_plane
 * @property {number} most the largest contribution to any capsule at any iteration: the end of the digit's one scale
 * @property {{b: number, c: number, s: number, v: number, a: number, tint: number}} at the latest iteration, from 0, of
 *   which each quantity is there, and of which the tint of the grid is; −1 before the first
 * @property {string} foreign a sentence on how the weights were trained, if otherwise than shown; or ""
 * @property {string[]} unfolded the panels that are open
 * @property {boolean} playing the steps
 * @property {boolean} learning whether the moments of the training are played
 *
 * @typedef {ReturnType<typeof explorer_state>} State
 */

const PAUSE = 1000; // ms between two steps of a play

/** @param {number} n */
export const range = (n) => Array.from({ length: n }, (_, k) => k);

/** The place of the largest number. @param {number[]} values */
export const largest = (values) => values.reduce((best, x, k) => (x > values[best] ? k : best), 0);

/** @param {number} low @param {number} x @param {number} high */
const between = (low, x, high) => Math.max(low, Math.min(high, x));

/** What a map has kept for a key, made at first. @template T @param {Map<string, T>} map @param {() => T} make */
const kept = (map, key, make) => map.get(key) ?? map.set(key, make()).get(key);

/** Numbers of which only those that are not 0 were sent, and a bit for each of all: 1 where one was sent. */
function unpacked(sent, where, n) {
  const x = new Float32Array(n);
  for (let p = 0, next = 0; p < n; p++) if (where[p >> 3] & (128 >> (p & 7))) x[p] = sent[next++];
  return x;
}

/**
 * Everything that one routing computed, from u and W on. Fewer routings are its first ones.
 * @param {Float32Array} u (I, D_in)
 * @param {Float32Array} W (D_in, J, D)
 * @param {Shape} shape
 * @param {{iterations: number, offset: number, rule: string}} options
 * @returns {Routing}
 */
function routing(u, W, shape, options) {
  const { J, D, D_in } = shape;
  const u_hat = predict(u, W, shape);
  const trace = route(u_hat, shape, options);
  const size = length(u, D_in); // ‖u_i‖
  const total = size.reduce((sum, x) => sum + x, 0);
  const H = trace.c.map((c) => entropy(c, J));
  return {
    ...trace,
    u_hat,
    H,
    entropy: H.map((h) => h.reduce((sum, x, i) => sum + x * size[i], 0) / Math.max(total, 1e-9)),
    norms: trace.s.map((s) => length(s, D)),
    lengths: trace.v.map((v) => length(v, D)),
    contribution: trace.c.map((c, t) => contribution(c, u_hat, trace.s[t], shape)),
  };
}

/**
 * Votes for capsule j, and s_j/Σc of each iteration, in the plane of the last of `routings` v_j; see vote_plane.
 * @param {Routing} trace
 * @param {Shape} shape
 * @param {number} routings
 * @param {number} j
 */
function votes_in_plane(trace, shape, routings, j) {
  const { I, J, D } = shape;
  const plane = vote_plane(trace.u_hat, trace.v[routings - 1], j, shape);
  const along = (x, at, axis) => range(D).reduce((sum, k) => sum + x[at + k] * plane[axis * D + k], 0);
  const project = (x, at) => [along(x, at, 0), along(x, at, 1)];
  const means = range(routings).map((t) => {
    const share = range(I).reduce((sum, i) => sum + trace.c[t][i * J + j], 0);
    return project(trace.s[t], j * D).map((x) => x / share);
  });
  return { points: range(I).map((i) => project(trace.u_hat, (i * J + j) * D)), means };
}

/**
 * The state behind one view.
 * @param {Object} model anywidget's
 * @param {() => void} changed called when something is to be drawn again; what is put together, once
 */
export function explorer_state(model, changed) {
  /** @type {Shape} */
  const shape = model.get("shape");
  const { N, I, J } = shape;
  /** @type {{steps: string[], rules: string[], routings: number, panels: string[]}} */
  const limits = model.get("limits");
  const { steps, rules } = limits;
  const [labels, captions] = [model.get("labels"), model.get("captions")];
  const [trained, offset] = [model.get("trained"), model.get("offset")];
  const images = bytes(model.get("images"));
  const pixels = images.length / N;
  const each = I * shape.D_in; // numbers of one digit's u
  const moments = model.get("moments");
  const T = Math.max(moments.length, 1);
  const u = unpacked(floats(model.get("u")), bytes(model.get("where")), T * N * each);
  const W = floats(model.get("W")); // (T, D_in, J, D)

  /** @type {Map<string, Routing>} */
  const traces = new Map();
  const planes = new Map(); // the votes for an upper capsule
  const scales = new Map(); // of a digit's contributions
  /** @type {Now} */
  let now;
  let busy = false; // What this view sets, one thing after the other, it draws once.

  /** The lower capsules of digit k at a moment, (I, D_in). @param {number} k @param {number} moment */
  const u_of = (k, moment = 0) => u.subarray((moment * N + k) * each, (moment * N + k + 1) * each);

  /** What digit k's routing computed at a moment, with at least so many iterations. */
  function trace_of(k, moment, rule, iterations) {
    const key = `${k} ${moment} ${rule}`;
    if (!(traces.get(key)?.c.length >= iterations)) {
      const W_then = W.subarray((moment * W.length) / T, ((moment + 1) * W.length) / T);
      traces.set(key, routing(u_of(k, moment), W_then, shape, { iterations, offset, rule }));
    }
    return traces.get(key);
  }

  /** The largest contribution at any moment, so that all are drawn on one scale. */
  function most_of(k, rule, routings) {
    const all = range(T).flatMap((moment) => trace_of(k, moment, rule, routings).contribution.slice(0, routings));
    return all.reduce((most, of) => of.reduce((x, y) => Math.max(x, Math.abs(y)), most), 1e-9);
  }

  /** Read the model, and work out what follows. */
  function update() {
    const [chosen, moment, routings] = ["chosen", "moment", "routings"].map((name) => model.get(name));
    const [rule, step] = ["rule", "step"].map((name) => model.get(name));
    const [i, j, kind, links, unfolded] = ["i", "j", "kind", "links", "unfolded"].map((name) => model.get(name));
    const iteration = Math.min(model.get("iteration"), routings);
    const trace = trace_of(chosen, moment, rule, routings);
    const done = steps.indexOf(step);
    const after = (n) => iteration - (done >= n ? 1 : 2); // of what step n computes
    const at = { b: iteration - 1, c: iteration - 1, s: after(1), v: after(2), a: after(3) };
    const as_trained = routings === trained && rule === "accumulate";
    now = {
      ...{ chosen, moment, routings, rule, iteration, step, i, j, kind, links, unfolded, trace },
      most: kept(scales, `${chosen} ${rule} ${routings}`, () => most_of(chosen, rule, routings)),
      votes: () =>
        kept(planes, `${chosen} ${moment} ${rule} ${routings} ${j}`, () => votes_in_plane(trace, shape, routings, j)),
      pair: i * J + j,
      at: { ...at, tint: kind === "coupling" ? at.c : at.s },
      foreign: as_trained ? "" : `The weights were trained with ${trained} iterations and the rule accumulate.`,
      playing: steps_clock.playing(),
      learning: moments_clock.playing(),
    };
    return now;
  }

  /** @param {Object} changes values of the model, by their names */
  function put(changes) {
    busy = true;
    model.set(changes);
    busy = false;
    changed();
    model.save_changes();
  }

  // Time --------------------------------------------------------------------------------------------------------------

  /** Steps from the beginning. */
  const position = () => steps.length * (now.iteration - 1) + steps.indexOf(now.step);
  const last_position = () => steps.length * now.routings - 1;
  /** @param {number} to */
  function go(to) {
    const at = between(0, to, last_position());
    put({ iteration: Math.floor(at / steps.length) + 1, step: steps[at % steps.length] });
  }
  /** @param {number} to */
  const go_iteration = (to) => put({ iteration: between(1, to, now.routings) });

  const steps_clock = clock(
    { at_end: () => position() === last_position(), rewind: () => go(0), forward: () => go(position() + 1), changed },
    PAUSE,
  );
  const moments_clock = clock({
    at_end: () => now.moment === T - 1,
    rewind: () => go_moment(0),
    forward: () => go_moment(now.moment + 1),
    changed,
  });
  function stop() {
    steps_clock.stop();
    moments_clock.stop();
  }
  /** One plays at a time. */
  const alone = (mine, other) => () => {
    other.stop();
    mine.toggle();
  };
  const by_hand = (then) => (...given) => {
    stop();
    then(...given);
  };
  const time = { stop, by_hand, toggle: alone(steps_clock, moments_clock), learn: alone(moments_clock, steps_clock) };

  // What is looked at -------------------------------------------------------------------------------------------------

  /** The nearest pair to (i, j). @param {number} i @param {number} j */
  const choose = (i, j) => put({ i: between(0, i, I - 1), j: between(0, j, J - 1) });

  /**
   * Another digit: the pair follows what leads there now, not what will lead; of several moments of a training, though,
   * what leads at the last, since what leads at the first says nothing.
   * @param {number} k
   */
  function choose_digit(k) {
    const { at, rule, routings } = now;
    if (at.v < 0) return put({ chosen: k });
    const { lengths, contribution: gives } = trace_of(k, T - 1, rule, routings);
    const j = largest([...lengths[at.v]]);
    put({ chosen: k, j, i: largest(range(I).map((i) => gives[at.s][i * J + j])) });
  }

  /** Who looks at the last iteration goes on looking at the last. @param {number} routings */
  function choose_routings(routings) {
    const last = now.iteration === now.routings;
    put({ iteration: last ? routings : Math.min(now.iteration, routings), routings });
  }

  /** The nearest moment of the training. @param {number} to */
  const go_moment = (to) => put({ moment: between(0, to, T - 1) });

  /** Unfold a panel, or fold it again. @param {string} name */
  function unfold(name) {
    const open = (panel) => now.unfolded.includes(panel) !== (panel === name);
    put({ unfolded: limits.panels.filter(open) });
  }

  /** Tell Python the lengths that are shown. */
  function tell_lengths() {
    const lengths = now.at.v < 0 ? [] : Array.from(now.trace.lengths[now.at.v]);
    const told = model.get("lengths");
    // Python, which told the first ones, rounds otherwise.
    if (lengths.length === told.length && lengths.every((x, j) => Math.abs(x - told[j]) < 1e-5)) return;
    busy = true;
    model.set("lengths", lengths);
    busy = false;
    model.save_changes();
  }

  return {
    ...{ N, I, J, steps, rules, most_routings: limits.routings, panels: limits.panels, labels, captions, trained, offset },
    presets: model.get("presets"),
    ...{ moments, trace_of, go_moment },
    D_in: shape.D_in,
    u_of,
    side: Math.sqrt(I), // of the square grid of lower capsules
    image_side: Math.sqrt(pixels),
    /** The ink of digit k, 0–255, row by row. @param {number} k */
    image: (k) => images.subarray(pixels * k, pixels * (k + 1)),
    /** What is shown, as of the last update. */
    now: () => now,
    busy: () => busy,
    ...{ update, put, position, last_position, go, go_iteration, time },
    ...{ choose, choose_digit, choose_routings, unfold, tell_lengths },
  };
}
