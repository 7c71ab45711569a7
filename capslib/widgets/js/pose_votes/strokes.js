/** Strokes and frames of PoseVotes, drawn in their own coordinates. */
import { svg } from "../dom.js";

const FRAME = { part: 2.4, vote: 4.4 }; // lengths of a frame's arrow to the right at scale 1, as in the pictures

/** A stroke: points (P, 2) and the radius of the pen. @typedef {[number[][], number]} Stroke */

/** Strokes as one path in their own coordinates. @param {Stroke[]} form */
export const path_of = (form) =>
  form.map(([points]) => `M${points.map((point) => point.join(",")).join("L")}h0`).join(""); // h0: a point is a dot.

/**
 * Points of a part's own coordinates where a pose has them.
 * @param {Float64Array} M poses (N, 3, 3)
 * @param {number} n which of them
 * @param {number[][]} points (P, 2)
 */
export const moved = (M, n, points) => {
  const [a, b, x, c, d, y] = M.subarray(9 * n, 9 * n + 6);
  return points.map(([p, q]) => [Number((a * p + b * q + x).toFixed(3)), Number((c * p + d * q + y).toFixed(3))]);
};

/**
 * A pose's frame: a dot, a long arrow to its right, a short one to its up; heads and dot keep to the part's scale.
 * @param {"part"|"vote"} kind
 */
export function pose_frame(kind) {
  const reach = FRAME[kind];
  const arrow = (x, y, long) => {
    const foot = long - 0.9;
    const at = (along, across) => `${along * x - across * y},${along * y + across * x}`;
    const head = svg("path", { d: `M${at(long, 0)}L${at(foot, 0.38)}L${at(foot, -0.38)}Z` });
    return [svg("path", { d: `M0,0L${at(foot, 0)}`, class: "caps-pv-shaft" }), head];
  };
  const arrows = [...arrow(1, 0, reach), ...arrow(0, 1, 0.6 * reach)];
  return svg("g", { class: `caps-pv-frame caps-pv-frame-${kind}` }, ...arrows, svg("circle", { r: 0.36 }));
}
