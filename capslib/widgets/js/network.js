/**
 * The shipped networks on one image, layer by layer, named as in networks.py. Arrays as in equations.js.
 */
import { length, need, predict, probabilities, route, squash } from "./equations.js";

/**
 * Convolution with stride 1 and zeros around the image, so that the size stays ("same"): a correlation, as in Keras.
 * @param x image (H, W, C)
 * @param kernel (K, K, C, F), K odd
 * @param bias (F)
 * @param {{H: number, W: number, C: number, K: number, F: number}} shape
 * @returns (H, W, F)
 */
export function convolution(x, kernel, bias, { H, W, C, K, F }) {
  need(x.length === H * W * C, `x: got ${x.length} numbers, expected (${H}, ${W}, ${C})`);
  need(K % 2 === 1, `K: got ${K}, expected an odd size`);
  const half = (K - 1) / 2;
  const wide = W + 2 * half;
  const padded = new x.constructor((H + 2 * half) * wide * C);
  for (let row = 0; row < H; row++) {
    padded.set(x.subarray(row * W * C, (row + 1) * W * C), ((row + half) * wide + half) * C);
  }
  return valid_convolution(padded, kernel, bias, { H: H + 2 * half, W: wide, C, K, F });
}

/**
 * Convolution wherever the kernel lies within the image, in steps of `stride` ("valid").
 * @param x image (H, W, C)
 * @param kernel (K, K, C, F)
 * @param bias (F)
 * @param {{H: number, W: number, C: number, K: number, F: number, stride?: number}} shape
 * @returns (⌊(H − K) / stride⌋ + 1, ⌊(W − K) / stride⌋ + 1, F)
 */
export function valid_convolution(x, kernel, bias, { H, W, C, K, F, stride = 1 }) {
  need(x.length === H * W * C, `x: got ${x.length} numbers, expected (${H}, ${W}, ${C})`);
  need(K <= Math.min(H, W), `K: got ${K}, expected at most ${Math.min(H, W)}, the image's size`);
  need(kernel.length === K * K * C * F, `kernel: got ${kernel.length} numbers, expected (${K}, ${K}, ${C}, ${F})`);
  need(bias.length === F, `bias: got ${bias.length} numbers, expected ${F}`);
  const [rows, columns] = [H, W].map((size) => Math.floor((size - K) / stride) + 1);
  const y = new x.constructor(rows * columns * F);
  const sum = new Float64Array(F);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      sum.set(bias);
      for (let p = 0; p < K; p++) {
        for (let q = 0; q < K; q++) {
          const pixel = ((row * stride + p) * W + column * stride + q) * C;
          for (let channel = 0; channel < C; channel++) {
            const value = x[pixel + channel];
            if (value === 0) continue; // Paper, and features that are off.
            const from = ((p * K + q) * C + channel) * F;
            for (let f = 0; f < F; f++) sum[f] += value * kernel[from + f];
          }
        }
      }
      y.set(sum, (row * columns + column) * F);
    }
  }
  return y;
}

/** Rectifier: max(0, x), of any shape. */
export function relu(x) {
  return x.map((value) => Math.max(0, value));
}

/**
 * The largest value in each 2×2 square; an odd last row or column is left out.
 * @param x (H, W, C)
 * @param {{H: number, W: number, C: number}} shape
 * @returns (H/2, W/2, C)
 */
export function max_pooling(x, { H, W, C }) {
  need(x.length === H * W * C, `x: got ${x.length} numbers, expected (${H}, ${W}, ${C})`);
  const [rows, columns] = [Math.floor(H / 2), Math.floor(W / 2)];
  const y = new x.constructor(rows * columns * C);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < C; channel++) {
        const at = (2 * row * W + 2 * column) * C + channel;
        const below = at + W * C;
        y[(row * columns + column) * C + channel] = Math.max(x[at], x[at + C], x[below], x[below + C]);
      }
    }
  }
  return y;
}

/**
 * Mean of each channel over the whole image.
 * @param x (…, C)
 * @param {number} C channels
 * @returns (C)
 */
export function global_average(x, C) {
  const sum = new Float64Array(C);
  for (let p = 0; p < x.length; p++) sum[p % C] += x[p];
  return new x.constructor(sum.map((value) => (value * C) / x.length));
}

/**
 * A fully connected layer: y = x W + bias.
 * @param x (D_in)
 * @param W (D_in, D_out)
 * @param bias (D_out)
 * @returns y (D_out)
 */
export function dense(x, W, bias) {
  const D_out = bias.length;
  need(W.length === x.length * D_out, `W: got ${W.length} numbers, expected (${x.length}, ${D_out})`);
  const sum = Float64Array.from(bias);
  for (let d = 0; d < x.length; d++) {
    if (x[d] === 0) continue;
    for (let k = 0; k < D_out; k++) sum[k] += x[d] * W[d * D_out + k];
  }
  return new x.constructor(sum);
}

/**
 * The trunk that all networks of the course share: two 5×5 convolutions, each with a rectifier and 2×2 max-pooling.
 * @param image (28, 28) in 0–1
 * @param {Object} weights with "conv1.kernel", "conv1.bias", "conv2.kernel", "conv2.bias"
 * @returns features (7, 7, F), which the capsule network reads as 49 lower capsules u
 */
export const trunk = (image, weights) => trunk_stages(image, weights)[1];

/**
 * What the trunk has after each of its two stages of convolution, rectifier and max-pooling.
 * @returns [(14, 14, F1), (7, 7, F2)]
 */
export function trunk_stages(image, weights) {
  const F1 = weights["conv1.bias"].length;
  const F2 = weights["conv2.bias"].length;
  const first = { H: 28, W: 28, C: 1, K: 5, F: F1 };
  const second = { H: 14, W: 14, C: F1, K: 5, F: F2 };
  let x = relu(convolution(image, weights["conv1.kernel"], weights["conv1.bias"], first));
  const features = max_pooling(x, { H: 28, W: 28, C: F1 });
  x = relu(convolution(features, weights["conv2.kernel"], weights["conv2.bias"], second));
  return [features, max_pooling(x, { H: 14, W: 14, C: F2 })];
}

/**
 * The article's network on one image.
 * @param image (28, 28) in 0–1
 * @param {Object} weights the trunk's and "v.W" (D_in, J, D)
 * @param {{J?: number, iterations?: number, offset?: number, rule?: string}} options
 * @returns {{u, u_hat, trace, lengths}} lengths (J) after the last iteration
 */
export function capsnet(image, weights, { J = 10, iterations = 5, ...options } = {}) {
  const u = trunk(image, weights);
  const D_in = weights["conv2.bias"].length;
  const shape = { I: u.length / D_in, D_in, J, D: weights["v.W"].length / (D_in * J) };
  const u_hat = predict(u, weights["v.W"], shape);
  const trace = route(u_hat, shape, { iterations, ...options });
  return { u, u_hat, trace, lengths: length(trace.v[iterations - 1], shape.D) };
}

/**
 * A plain network with the same trunk on one image; its weights tell which head it has.
 * @param image (28, 28) in 0–1
 * @param {Object} weights the trunk's, "probabilities.kernel" and ".bias", and those of "mix" (1×1 convolution, then
 *   flattened) or of "hidden" (after the global average)
 * @returns probabilities (J)
 */
export function cnn(image, weights) {
  const features = trunk(image, weights);
  const C = weights["conv2.bias"].length;
  let x;
  if (weights["mix.kernel"]) {
    const shape = { H: 7, W: 7, C, K: 1, F: weights["mix.bias"].length };
    x = relu(convolution(features, weights["mix.kernel"], weights["mix.bias"], shape));
  } else {
    x = relu(dense(global_average(features, C), weights["hidden.kernel"], weights["hidden.bias"]));
  }
  return probabilities(dense(x, weights["probabilities.kernel"], weights["probabilities.bias"]));
}

/**
 * The paper's architecture in small on one image, without its decoder: a convolution, squashed primary capsules, and a
 * routed layer with unshared W.
 * @param image (28, 28) in 0–1
 * @param {Object} weights "conv1.kernel" (9, 9, 1, F), "conv1.bias", "u.conv.kernel" (9, 9, F, C·D_in), "u.conv.bias" and
 *   "v.W" (I, D_in, J, D)
 * @param {{J?: number, D_in?: number, iterations?: number, offset?: number}} options `offset` of both squashes
 * @returns {{u, u_hat, trace, lengths}} lengths (J) after the last iteration
 */
export function pose_capsnet(image, weights, { J = 10, D_in = 8, iterations = 3, offset = 1 } = {}) {
  const F = weights["conv1.bias"].length;
  const first = { H: 28, W: 28, C: 1, K: 9, F };
  const second = { H: 20, W: 20, C: F, K: 9, F: weights["u.conv.bias"].length, stride: 2 };
  const x = relu(valid_convolution(image, weights["conv1.kernel"], weights["conv1.bias"], first));
  const s = valid_convolution(x, weights["u.conv.kernel"], weights["u.conv.bias"], second);
  const shape = { I: s.length / D_in, D_in, J, D: weights["v.W"].length / (s.length * J) };
  const u = squash(s, D_in, offset);
  const u_hat = predict(u, weights["v.W"], shape);
  const trace = route(u_hat, shape, { iterations, offset });
  return { u, u_hat, trace, lengths: length(trace.v[iterations - 1], shape.D) };
}

/**
 * The decoder: masked capsules → pixels, through two layers with a rectifier and one with a sigmoid. (Figure 2)
 * @param v capsules (J, D), of which all but one are usually zero, see `mask`
 * @param {Object} weights "decode1.kernel" (J·D, H1), "decode1.bias" to "decode3.bias"
 * @returns pixels in 0–1
 */
export function decode(v, weights) {
  let x = v;
  for (const layer of ["decode1", "decode2"]) x = relu(dense(x, weights[`${layer}.kernel`], weights[`${layer}.bias`]));
  return dense(x, weights["decode3.kernel"], weights["decode3.bias"]).map((score) => 1 / (1 + Math.exp(-score)));
}
