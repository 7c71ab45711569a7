/** The sentences of PoseExplorer. */
import { number } from "../dom.js";

/** A number with its sign, "0" for none. @param {number} x */
export const signed_change = (x) => (Math.abs(x) < 0.005 ? "0" : `${x > 0 ? "+" : ""}${number(x)}`);

/**
 * The length of a vector that squash could have made: one that rounds to 1.00 has a third decimal, since none reaches 1.
 * @param {number} x
 */
export const below_one = (x) => number(x, x >= 0.995 ? 3 : 2);

/** ‖v₃‖ @param {number} j */
export const norm_of_capsule = (j) => `‖v${"₀₁₂₃₄₅₆₇₈₉"[j]}‖`;

/** Which dimensions are changed, in words that begin a sentence. @param {number[]} change */
function changed_dimensions(change) {
  const moved = change.map((by, d) => ({ by, d })).filter(({ by }) => by !== 0);
  if (!moved.length) return "";
  if (moved.length === 1) return `Dimension ${moved[0].d} ${signed_change(moved[0].by)}`;
  const most = moved.reduce((one, other) => (Math.abs(other.by) > Math.abs(one.by) ? other : one));
  if (moved.length > 3) return `${moved.length} dimensions changed, most dimension ${most.d} (${signed_change(most.by)})`;
  const each = moved.map(({ by, d }) => `${d} (${signed_change(by)})`);
  return `Dimensions ${each.slice(0, -1).join(", ")} and ${each.at(-1)}`;
}

/**
 * What is shown, in numbers.
 * @param {string} what is on the page
 * @param {boolean} blank whether there is no ink
 * @param now what `read` of state.js gives
 */
export function described_pose(what, blank, now) {
  const { j, first, lengths, before, error_before, error, change, wanted, longest } = now;
  const page = blank ? "The page is blank: draw a digit." : `${what}.`;
  const capsule = j === first ? `The longest capsule is ${j}, with ${norm_of_capsule(j)} = ${below_one(before)}.`
    : `Capsule ${j} has ${norm_of_capsule(j)} = ${below_one(before)}; the longest is ${first} (${below_one(lengths[first])}).`;
  const moved = changed_dimensions(change);
  const effect = moved
    ? `${moved}: length ${below_one(before)} → ${below_one(now.now)}, squared error ${number(error_before, 1)} → ${number(error, 1)}.`
    : `Nothing is changed; the squared differences between reconstruction and original add up to ${number(error, 1)}.`;
  const short = wanted < 1 ? "" : ` The changed vector would have length ${number(wanted)}. Squash keeps every vector `
    + `below 1, so it is shortened to ${number(longest, 3)}.`;
  return `${page} ${capsule} ${effect}${short}`;
}
