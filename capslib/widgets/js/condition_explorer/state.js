/**
 * What the condition explorer shows: the stored scores of all runs, and what follows from the model's state. It draws
 * nothing. The statistics are those of capslib.intervals and capslib.findings.
 */
import { bytes, ink_picture } from "../dom.js";

/**
 * @typedef {{n: number, mean: number, low: number, high: number, least: number, most: number}} Summary of a score over n
 *   seeds: mean, ends of the 95 % t-interval (NaN of one seed), lowest and highest seed
 * @typedef {{value: number|string, tick: string[], said: string, picture: number}} Step
 * @typedef {{key: string, label: string, colour: string, dashes: number[], marker: string}} Network
 * @typedef {{network: Network, seeds: number[], curves: number[][], summaries: Summary[]}} Row one network that is
 *   shown: each seed's score at each step, and their summaries; all empty if it was not trained so
 * @typedef {ReturnType<ReturnType<typeof explorer_of_conditions>["now"]>} Shown
 */

const SIDE = 28;

/**
 * A score's mean over seeds, its 95 % t-interval and its range; undefined without a seed.
 * @param {number[]} values a score for each seed
 * @param {number[]} t the 97.5 % points of Student's t for 1, 2, … degrees of freedom
 * @returns {Summary|undefined}
 */
export function summary_of(values, t) {
  const n = values.length;
  if (!n) return undefined;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const half = n > 1 ? t[n - 2] * Math.sqrt(squares / (n - 1) / n) : Number.NaN;
  return { n, mean, low: mean - half, high: mean + half, least: Math.min(...values), most: Math.max(...values) };
}

/**
 * The first less the second, paired by seed; undefined where they have no seed in common.
 * @param {{seeds: number[], values: number[]}} first
 * @param {{seeds: number[], values: number[]}} second
 * @param {number[]} t as above
 */
export function paired_summary(first, second, t) {
  const common = first.seeds.filter((seed) => second.seeds.includes(seed));
  const of = (one, seed) => one.values[one.seeds.indexOf(seed)];
  return summary_of(common.map((seed) => of(first, seed) - of(second, seed)), t);
}

/** @param {any} model */
export function explorer_of_conditions(model) {
  const facts = model.get("facts");
  const sent = model.get("scores");
  const numbers = new Uint16Array(sent.buffer.slice(sent.byteOffset, sent.byteOffset + sent.byteLength));
  const blocks = facts.conditions.flatMap(({ key, scores }) => scores.map(([score, places]) => [`${key} ${score}`, places.length]));
  let width = 0;
  const starts = new Map();
  for (const [name, count] of blocks) {
    starts.set(name, width);
    width += count;
  }
  const runs = facts.groups.reduce((sum, { seeds }) => sum + seeds.length, 0);
  if (numbers.length !== runs * width) {
    throw new RangeError(`scores: got ${numbers.length} numbers, expected ${runs * width}`);
  }
  let first = 0;
  const groups = new Map();
  for (const { training, network, seeds } of facts.groups) {
    groups.set(`${training} ${network}`, { seeds, first });
    first += seeds.length;
  }
  const inks = bytes(model.get("pictures"));
  const made = new Map();

  /** A picture of a digit as an image's address, made on first use; undefined where there is none. @param {number} n */
  function picture(n) {
    if (n < 0) return undefined;
    if (!made.has(n)) made.set(n, ink_picture(inks.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE), SIDE));
    return made.get(n);
  }

  const found = (list, key) => list.find((one) => one.key === key);
  const about = (key) => found(facts.conditions, key);
  /** Where a score is measured. @returns {Step[]} */
  const steps_of = (condition, score) => {
    const { steps, scores } = about(condition);
    return scores.find(([name]) => name === score)[1].map((n) => steps[n]);
  };

  /** One network's scores under the condition. @returns {Row} */
  function row(network, training, condition, score, count) {
    const { seeds, first: from } = groups.get(`${training} ${network.key}`) ?? { seeds: [], first: 0 };
    const start = starts.get(`${condition} ${score}`);
    const curves = seeds.map((_, n) =>
      Array.from({ length: count }, (_, k) => numbers[(from + n) * width + start + k] / facts.whole),
    );
    const summaries = seeds.length
      ? Array.from({ length: count }, (_, k) => summary_of(curves.map((curve) => curve[k]), facts.t))
      : [];
    return { network, seeds, curves, summaries };
  }

  /** All that is shown, from the model's state. */
  function now() {
    const [condition, score, training] = ["condition", "score", "training"].map((name) => model.get(name));
    const steps = steps_of(condition, score);
    /** @type {Row[]} */
    const rows = model.get("networks").map((key) => row(found(facts.networks, key), training, condition, score, steps.length));
    const { unchanged, axis, note } = about(condition);
    const covered = model.get("asks");
    const start = steps.findIndex(({ value }) => value === unchanged);
    const chosen = steps.findIndex(({ value }) => value === model.get("at"));
    return {
      ...{ condition, score: found(facts.scores, score), axis, note, steps, rows, covered },
      /** The step that is looked at: while all others are covered, that of unchanged digits. */
      at: covered && start >= 0 ? start : chosen,
      /** The step of unchanged digits, −1 if the score has none. */
      unchanged: start,
      /** The step whose numbers are told, −1 if it is covered. */
      told: covered ? start : chosen,
      training: facts.trainings.find(([name]) => name === training),
      by_name: typeof steps[0].value === "string",
      every_seed: model.get("seeds"),
      /** Of two networks, at a step. @param {number} k */
      difference(k) {
        const [one, other] = rows.map(({ seeds, curves }) => ({ seeds, values: curves.map((curve) => curve[k]) }));
        return paired_summary(one, other, facts.t);
      },
      /** Whether two networks are shown that were both trained so. */
      two: rows.length === 2 && rows.every(({ seeds }) => seeds.length > 0),
    };
  }

  function put(values) {
    model.set(values);
    model.save_changes();
  }
  /** Another condition or score; the strength stays where it can. */
  function look(condition, score) {
    const measured = about(condition).scores.map(([name]) => name);
    const kept = measured.includes(score) ? score : measured[0];
    const there = steps_of(condition, kept).some(({ value }) => value === model.get("at"));
    put({ condition, score: kept, at: there ? model.get("at") : about(condition).opens_at });
  }
  const trained = (training, network) => groups.has(`${training} ${network}`);
  return { facts, now, put, look, picture, trained, measured: (condition) => about(condition).scores.map(([name]) => name) };
}
