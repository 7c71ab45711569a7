/** What PoseExplorer shows, computed from its model; every panel draws from this alone. */
import { length, mask } from "../equations.js";
import { picture } from "../ink.js";
import { decode, pose_capsnet } from "../network.js";

const STILL = { turn: 0, right: 0, down: 0, scale: 1, swapped: false };

/**
 * v + change; one that would be as long as 1 or longer is shortened, since squash makes none so long.
 * @param v a capsule (D)
 * @param {number[]} change (D)
 * @param {number} longest the length to which it is shortened
 * @returns {{vector: Float32Array, wanted: number}} `wanted`, the length before that
 */
export function changed_vector(v, change, longest) {
  const sum = Float64Array.from(v, (component, d) => component + change[d]);
  const wanted = length(sum, sum.length)[0];
  const factor = wanted < 1 ? 1 : longest / wanted;
  return { vector: Float32Array.from(sum, (component) => factor * component), wanted };
}

/** What is added to a dimension for each of the pictures of its strip. @param {number} most @param {number} count */
export const strip_steps = (most, count) => Array.from({ length: count }, (_, k) => most * ((2 * k) / (count - 1) - 1));

/**
 * The dimensions in the order of their strips: those first that change a property most.
 * @param {number[] | undefined} slopes (D) of the property in this class; without them, one after the other
 * @param {number} D
 */
export function sorted_dimensions(slopes, D) {
  const dimensions = Array.from({ length: D }, (_, d) => d);
  return slopes ? dimensions.sort((one, other) => Math.abs(slopes[other]) - Math.abs(slopes[one])) : dimensions;
}

/** Σ of squared differences. */
const squared_error = (one, other) => one.reduce((sum, value, at) => sum + (value - other[at]) ** 2, 0);

/**
 * Reads a model: what has been computed for a page is kept until there is another one.
 * @param model PoseExplorer's
 * @param {Object} weights the network's arrays
 * @returns {{read, strip}}
 */
export function explored(model, weights) {
  const { length: longest, change: most, pictures, unsorted } = model.get("limits");
  const steps = strip_steps(most, pictures);
  let key;
  let caps;

  /** The answer to a page; the same object as before for the same page. */
  function answer(page, centred) {
    const options = { D_in: model.get("D_in"), iterations: model.get("routings"), offset: model.get("offset") };
    const now = JSON.stringify([[...page], centred, options]);
    if (now !== key) {
      const seen = picture(page, { centred, ...STILL });
      const { trace, lengths } = pose_capsnet(seen, weights, options);
      caps = { seen, lengths, v: trace.v.at(-1), longest: lengths.indexOf(Math.max(...lengths)), drawn: new Map() };
      key = now;
    }
    return caps;
  }

  /** The picture (28, 28) decoded from a vector in the place of capsule j. */
  function drawn_from(vector, j, v) {
    const masked = mask(v, vector.length, j);
    masked.set(vector, j * vector.length);
    return decode(masked, weights);
  }

  /**
   * All that the panels need.
   * @param {Uint8Array} page under the pen, or the model's
   */
  function read(page) {
    const { seen, lengths, v, longest: first, drawn } = answer(page, model.get("centred"));
    const j = model.get("digit") < 0 ? first : model.get("digit");
    const D = v.length / lengths.length;
    const own = v.subarray(j * D, (j + 1) * D);
    const change = model.get("change");
    const { vector, wanted } = changed_vector(own, change, longest);
    if (!drawn.has(j)) drawn.set(j, drawn_from(own, j, v));
    const picture_now = drawn_from(vector, j, v);
    const sort = model.get("sort");
    const slopes = sort === unsorted ? undefined : model.get("effects")[sort][j];
    return {
      ...{ seen, lengths, v, j, D, own, change, first, sort, slopes, wanted, most, steps, longest },
      chosen: model.get("chosen"),
      reconstruction: picture_now,
      before: lengths[j],
      now: length(vector, D)[0],
      error_before: squared_error(drawn.get(j), seen),
      error: squared_error(picture_now, seen),
      order: sorted_dimensions(slopes, D),
    };
  }

  /** The pictures of one dimension's strip, the lengths that v + change would have, and those of what is decoded. */
  function strip({ v, own, j, D }, d) {
    return steps.map((step) => {
      const one = Array.from({ length: D }, (_, k) => (k === d ? step : 0));
      const { vector, wanted } = changed_vector(own, one, longest);
      return { ink: drawn_from(vector, j, v), wanted, now: length(vector, D)[0] };
    });
  }
  return { read, strip };
}
