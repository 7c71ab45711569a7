/**
 * Poses and votes, named as in poses.py.
 *
 * A pose is a 3×3 matrix that takes a column (x, y, 1) from a part's own coordinates to the picture's. Arrays of them
 * are flat Float64Array in NumPy's order, (N, 3, 3). A part with pose M votes for its whole with product(M, T), T
 * constant.
 */

/** Sine of an angle in degrees, exact at quarter turns. */
function sine(degrees) {
  const turned = ((degrees % 360) + 360) % 360;
  return turned % 90 === 0 ? [0, 1, 0, -1][turned / 90] : Math.sin((turned * Math.PI) / 180);
}

/**
 * The pose (x, y, angle, scale) as a matrix: scale, then turn, then move.
 * @param {number} x how far right
 * @param {number} y how far up
 * @param {number} angle degrees, counter-clockwise
 * @param {number} scale above 0
 * @returns (3, 3)
 */
export function pose(x = 0, y = 0, angle = 0, scale = 1) {
  const [a, b] = [scale * sine(angle + 90), scale * sine(angle)];
  return Float64Array.of(a, -b, x, b, a, y, 0, 0, 1);
}

/**
 * The four numbers of a pose.
 * @param M (N, 3, 3)
 * @param {number} n which of them
 * @returns {[number, number, number, number]} [x, y, angle, scale]; the angle lies in −180 to 180, and it and the scale are the first column's
 */
export function read_pose(M, n = 0) {
  const [a, , x, b, , y] = M.subarray(9 * n, 9 * n + 9);
  return [x, y, (Math.atan2(b, a) * 180) / Math.PI, Math.hypot(a, b)];
}

/**
 * Matrix products A B, as NumPy's A @ B: one by one, or one matrix with each of the other's.
 * @param A (N, 3, 3) or (3, 3)
 * @param B (N, 3, 3) or (3, 3)
 * @returns (N, 3, 3)
 */
export function product(A, B) {
  const C = new Float64Array(Math.max(A.length, B.length));
  for (let at = 0; at < C.length; at += 9) {
    const [p, q] = [at % A.length, at % B.length];
    for (let k = 0; k < 9; k++) {
      const [row, column] = [p + 3 * Math.floor(k / 3), q + (k % 3)];
      C[at + k] = A[row] * B[column] + A[row + 1] * B[column + 3] + A[row + 2] * B[column + 6];
    }
  }
  return C;
}

/**
 * What undoes each pose.
 * @param M (N, 3, 3), last rows 0, 0, 1
 * @returns (N, 3, 3)
 */
export function inverse(M) {
  const back = new Float64Array(M.length);
  for (let at = 0; at < M.length; at += 9) {
    const [a, b, x, c, d, y] = M.subarray(at, at + 6);
    const area = a * d - b * c;
    back.set([d, -b, b * y - d * x, -c, a, c * x - a * y, 0, 0, area].map((entry) => entry / area), at);
  }
  return back;
}

/**
 * How far votes lie apart: the root of the mean squared distance from their mean position.
 * @param votes (I, 3, 3)
 * @returns {number} 0 if all votes put the whole in the same place
 */
export function spread(votes) {
  const I = votes.length / 9;
  let squares = 0;
  for (const k of [2, 5]) {
    let mean = 0;
    for (let i = 0; i < I; i++) mean += votes[9 * i + k] / I;
    for (let i = 0; i < I; i++) squares += (votes[9 * i + k] - mean) ** 2 / I;
  }
  return Math.sqrt(squares);
}

/**
 * The wrong arrangement: the middle of the eyes and the mouth trade places; angles, scales and the eyes' distance stay.
 * @param parts poses (4, 3, 3) of left eye, right eye, nose, mouth
 * @returns (4, 3, 3)
 */
export function swap_eyes_and_mouth(parts) {
  const swapped = parts.slice();
  for (const k of [2, 5]) {
    const down = parts[27 + k] - (parts[k] + parts[9 + k]) / 2;
    swapped[k] += down;
    swapped[9 + k] += down;
    swapped[27 + k] -= down;
  }
  return swapped;
}
