/** The grid at every iteration, small, as in a film; each frame goes there. */
import { button, html, number, set } from "../dom.js";
import { range } from "./state.js";
import { explain, tint } from "./parts.js";

const AT_ZERO = "rgb(255,255,255)"; // what both scales have at 0

/** @param {import("./state.js").State} state */
export function film_strip(state) {
  const { I, side, image_side: pixels } = state;
  const cell = pixels / side;
  const frames = range(state.most_routings).map((t) => {
    const picture = html("canvas", { width: pixels, height: pixels });
    const name = html("span", { class: "caps-re-frame-name" }, String(t + 1));
    const value = html("span", { class: "caps-re-frame-value" });
    const go = state.time.by_hand(() => state.go_iteration(t + 1));
    const node = button(`re-iteration-${t + 1}`, "", picture, go);
    node.append(html("span", {}, name, value));
    explain(node, () => {
      const { j, kind } = state.now();
      return `Go to iteration ${t + 1}. Colours: ${kind} of each cell to capsule ${j}; number: length of capsule ${j}`;
    });
    return { node, picture, value };
  });
  const reel = { class: "caps-re-film", role: "group", "aria-label": "iterations" };

  const ink = html("canvas", { width: pixels, height: pixels });
  let inked; // which digit it holds

  /** The digit's pixels, once for all frames. */
  function draw_ink(k) {
    if (inked === k) return;
    inked = k;
    const context = ink.getContext("2d");
    const picture = context.createImageData(pixels, pixels);
    for (const [p, strength] of state.image(k).entries()) picture.data[4 * p + 3] = strength;
    context.putImageData(picture, 0, 0);
  }

  /** Iteration t on a canvas, or the bare digit of an iteration that is to come. */
  function paint(picture, now, t, there) {
    const context = picture.getContext("2d");
    context.globalAlpha = 1;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, pixels, pixels);
    for (let i = 0; there && i < I; i++) {
      const colour = tint(state, now, t, i);
      if (colour === AT_ZERO) continue;
      context.fillStyle = colour;
      context.fillRect(cell * (i % side), cell * Math.floor(i / side), cell, cell);
    }
    context.globalAlpha = there ? 0.5 : 0.2;
    context.drawImage(ink, 0, 0);
  }

  /** @param {import("./state.js").Now} now */
  function draw(now) {
    draw_ink(now.chosen);
    for (const [t, { node, picture, value }] of frames.entries()) {
      node.hidden = t >= now.routings;
      if (node.hidden) continue;
      const there = t <= now.at.tint;
      const length_there = t <= now.at.v;
      const text = length_there ? number(now.trace.lengths[t][now.j]) : "";
      value.textContent = text;
      set(node, {
        "aria-pressed": t === now.iteration - 1,
        "aria-label": `iteration ${t + 1}, ${length_there ? `length of capsule ${now.j} ${text}` : "not computed yet"}`,
      });
      node.classList.toggle("caps-re-to-come", !there);
      const tinted = there ? `${now.rule} ${now.j} ${now.kind} ${now.most}` : "";
      const key = `${now.chosen} ${there} ${tinted}`;
      if (picture.dataset.key === key) continue;
      picture.dataset.key = key;
      paint(picture, now, t, there);
    }
  }
  return { node: html("div", reel, ...frames.map(({ node }) => node)), draw };
}
