/** Where the labels of the votes stand: beside their dots, and on nothing else where there is room. */

/** @typedef {{left: number, right: number, top: number, bottom: number}} Box */
/** A dot with its label: the place and radius of the dot, the width of the label. @typedef {{x: number, y: number, r: number, wide: number}} Marked */

const TALL = 13; // pixels of a line of text
const GAP = 3; // pixels between a dot and its label
const TURNS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6].map((n) => (n * Math.PI) / 6);
const FAR = [0, 14]; // a label may stand off its dot, if there is no room beside it

/** @param {number} x @param {number} y @param {number} wide @param {number} tall @returns {Box} */
const around = (x, y, wide, tall) => ({ left: x - wide / 2, right: x + wide / 2, top: y - tall / 2, bottom: y + tall / 2 });

/** The area that two boxes share. @param {Box} a @param {Box} b */
const shared = (a, b) =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

/** How many pixels of the line from a place to a tip lie in a box. @param {Box} box @param {number[]} from @param {Marked} tip */
function crossed(box, [x, y], tip) {
  const steps = Math.ceil(Math.hypot(tip.x - x, tip.y - y) / 3);
  let inside = 0;
  for (let n = 0; n <= steps; n++) {
    const [px, py] = [x + ((tip.x - x) * n) / (steps || 1), y + ((tip.y - y) * n) / (steps || 1)];
    if (px > box.left && px < box.right && py > box.top && py < box.bottom) inside += 3;
  }
  return inside;
}

/**
 * The middles of all labels.
 * @param {Marked[]} marked
 * @param {{size: number, origin: number[], taken?: Box[]}} room the plane's width, where its lines begin, and what else
 *   is in the way
 * @returns {number[][]} x, y of each
 */
export function label_places(marked, { size, origin, taken = [] }) {
  const dots = marked.map(({ x, y, r }) => around(x, y, 2 * r, 2 * r));
  const axes = [{ left: 0, right: size, top: origin[1] - 1, bottom: origin[1] + 1 }];
  axes.push({ left: origin[0] - 1, right: origin[0] + 1, top: 0, bottom: size });
  /** @type {Box[]} */
  const labels = [];
  const places = marked.map(() => [0, 0]);
  /** @param {Box} box @param {number} i */
  function cost(box, i) {
    const outside = box.left < 2 || box.right > size - 2 || box.top < 2 || box.bottom > size - 2 ? 1e4 : 0;
    let sum = outside;
    for (const [k, label] of labels.entries()) if (k !== i && label) sum += 30 * shared(box, label);
    for (const dot of dots) sum += 10 * shared(box, dot);
    for (const other of taken) sum += 3 * shared(box, other);
    for (const axis of axes) sum += shared(box, axis);
    for (const tip of marked) sum += 3 * crossed(box, origin, tip);
    return sum;
  }
  // Twice, since the first labels do not know of the last.
  for (let round = 0; round < 2; round++) {
    for (const [i, { x, y, r, wide }] of marked.entries()) {
      const outwards = Math.atan2(y - origin[1], x - origin[0]);
      let least = Infinity;
      for (const far of FAR) {
        for (const [n, turn] of TURNS.entries()) {
          const [along, down] = [Math.cos(outwards + turn), Math.sin(outwards + turn)];
          const out = r + GAP + far;
          const middle = [x + along * (out + wide / 2), y + down * (out + TALL / 2)];
          const box = around(middle[0], middle[1], wide, TALL);
          const sum = cost(box, i) + 4 * n + 2 * far;
          if (sum >= least) continue;
          least = sum;
          labels[i] = box;
          places[i] = middle;
        }
      }
    }
  }
  return places;
}
