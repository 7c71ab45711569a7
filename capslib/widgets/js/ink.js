/**
 * Ink on a page of 28×28 pixels: a pen, and what the sliders do to a drawing, as capslib.transforms does it to digits.
 *
 * A page is a Uint8Array of 784 pixels row by row, 0 paper and 255 ink, as MNIST stores them; a picture is what a
 * network reads, a Float32Array in 0–1. Places are (row, column), counted down and to the right, in pixels; 13.5 is the
 * middle.
 */

/** Width and height of a page. */
export const SIDE = 28;
const MIDDLE = (SIDE - 1) / 2;

/** How the pen and the eraser fade: full up to `core` pixels from the line, nothing from `edge` on. */
export const TOOLS = { pen: { core: 0.7, edge: 2.1 }, eraser: { core: 1.6, edge: 2.6 } };

/**
 * Draw a straight line on a page, in place. Ink only grows under the pen and only shrinks under the eraser.
 * @param {Uint8Array} page changed
 * @param {[number, number]} from (row, column)
 * @param {[number, number]} to (row, column); the same as `from` for a dot
 * @param {"pen"|"eraser"} tool
 */
export function draw_line(page, from, to, tool) {
  const { core, edge } = TOOLS[tool];
  const [down, right] = [to[0] - from[0], to[1] - from[1]];
  const squared = down * down + right * right;
  const [first, last] = [0, 1].map((side) => [0, 1].map((axis) => {
    const [low, high] = [Math.min(from[axis], to[axis]) - edge, Math.max(from[axis], to[axis]) + edge];
    return Math.max(0, Math.min(SIDE - 1, side ? Math.ceil(high) : Math.floor(low)));
  }));
  for (let row = first[0]; row <= last[0]; row++) {
    for (let column = first[1]; column <= last[1]; column++) {
      const [p, q] = [row - from[0], column - from[1]];
      const along = squared > 0 ? Math.max(0, Math.min(1, (p * down + q * right) / squared)) : 0;
      const distance = Math.hypot(p - along * down, q - along * right);
      const share = Math.max(0, Math.min(1, (edge - distance) / (edge - core)));
      const at = row * SIDE + column;
      if (tool === "pen") page[at] = Math.max(page[at], Math.round(255 * share));
      else page[at] = Math.min(page[at], Math.round(255 * (1 - share)));
    }
  }
}

/**
 * How MNIST would place a drawing: its longer side 20 pixels, its centre of mass at pixel (14, 14), which is where the
 * bundled digits have theirs. At most three times larger, so that a dot stays one. A blank page stays where it is.
 * @param {Uint8Array} page
 * @returns {{factor: number, mass: [number, number], target: number}} `mass`, from the middle, goes to (target, target)
 */
export function centring(page) {
  let [sum, down, right] = [0, 0, 0];
  const [low, high] = [[SIDE, SIDE], [-1, -1]];
  for (let at = 0; at < page.length; at++) {
    if (page[at] === 0) continue;
    const place = [Math.floor(at / SIDE), at % SIDE];
    for (const axis of [0, 1]) {
      low[axis] = Math.min(low[axis], place[axis]);
      high[axis] = Math.max(high[axis], place[axis]);
    }
    sum += page[at];
    down += page[at] * place[0];
    right += page[at] * place[1];
  }
  if (sum === 0) return { factor: 1, mass: [0, 0], target: 0 };
  const side = Math.max(high[0] - low[0], high[1] - low[1]) + 1;
  return { factor: Math.min(3, 20 / side), mass: [down / sum - MIDDLE, right / sum - MIDDLE], target: 14 - MIDDLE };
}

/** Cosine and sine of an angle in degrees; those of quarter turns are exact. */
function cosine_and_sine(degrees) {
  const turns = degrees / 90;
  if (Number.isInteger(turns)) return [[1, 0], [0, 1], [-1, 0], [0, -1]][((turns % 4) + 4) % 4];
  return [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
}

/**
 * Resample an image under p ↦ forward·p + move, p = (row, column) from the middle: linearly, 0 from beyond the edge.
 * @param image (28, 28) of any type
 * @param {number[]} forward matrix [a, b, c, d] on (row, column)
 * @param {[number, number]} move pixels down and right
 * @returns {Float32Array} (28, 28)
 */
export function warp(image, [a, b, c, d], move) {
  const area = a * d - b * c;
  const back = [d / area, -b / area, -c / area, a / area];
  const middle = [MIDDLE + move[0], MIDDLE + move[1]];
  const start = [0, 2].map((k) => MIDDLE - back[k] * middle[0] - back[k + 1] * middle[1]);
  const result = new Float32Array(SIDE * SIDE);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const r = back[0] * row + back[1] * column + start[0];
      const q = back[2] * row + back[3] * column + start[1];
      if (!(r >= 0 && r <= SIDE - 1 && q >= 0 && q <= SIDE - 1)) continue;
      const [top, left] = [Math.min(Math.floor(r), SIDE - 2), Math.min(Math.floor(q), SIDE - 2)];
      const [low, far] = [r - top, q - left];
      const at = top * SIDE + left;
      const above = (1 - far) * image[at] + far * image[at + 1];
      const below = (1 - far) * image[at + SIDE] + far * image[at + SIDE + 1];
      result[row * SIDE + column] = (1 - low) * above + low * below;
    }
  }
  return result;
}

/** An image (28, 28) whose bottom 14 rows have come above its top 14. */
export function swap_halves(image) {
  const half = image.length / 2;
  const result = new image.constructor(image.length);
  result.set(image.subarray(half));
  result.set(image.subarray(0, half), half);
  return result;
}

/**
 * Where a page's ink goes, as `warp` takes it: centred if asked, then scaled and turned about the middle, then moved.
 * @param {Uint8Array} page
 * @param {{centred, turn, right, down, scale}} settings `turn` in degrees, counter-clockwise as seen
 * @returns {{forward: number[], move: [number, number]}}
 */
export function placement(page, { centred, turn, right, down, scale }) {
  const { factor, mass, target } = centred ? centring(page) : { factor: 1, mass: [0, 0], target: 0 };
  const [cos, sin] = cosine_and_sine(turn);
  const turned = [cos, -sin, sin, cos].map((entry) => scale * entry);
  const [p, q] = mass.map((from) => target - factor * from);
  /** @type {[number, number]} */
  const move = [turned[0] * p + turned[1] * q + down, turned[2] * p + turned[3] * q + right];
  return { forward: turned.map((entry) => factor * entry), move };
}

/**
 * Whether an inked pixel's middle goes beyond those of the outermost ones, which capslib.transforms refuses.
 * @param {Uint8Array} page
 * @param {{forward: number[], move: [number, number]}} place as `placement` gives it
 */
export function cuts(page, { forward: [a, b, c, d], move }) {
  return page.some((ink, at) => {
    const [p, q] = [Math.floor(at / SIDE) - MIDDLE, (at % SIDE) - MIDDLE];
    return ink > 0 && Math.max(Math.abs(a * p + b * q + move[0]), Math.abs(c * p + d * q + move[1])) > MIDDLE + 1e-6;
  });
}

/**
 * The picture that the networks read: the page's ink in its place, all in one resampling, and its halves swapped if
 * asked. Ink beyond the edge is cut off.
 * @param {Uint8Array} page
 * @param settings those of `placement`, and `swapped`
 * @returns {Float32Array} (28, 28) in 0–1
 */
export function picture(page, settings) {
  const { forward, move } = placement(page, settings);
  const seen = warp(page, forward, move).map((ink) => ink / 255);
  return settings.swapped ? swap_halves(seen) : seen;
}
