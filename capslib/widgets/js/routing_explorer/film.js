/** The grid at every iteration, and at every moment of the training, small, as in a film; each frame goes there. */
import { button, html, number, set } from "../dom.js";
import { time_icon } from "../player.js";
import { range } from "./state.js";
import { explain, tint } from "./parts.js";

const AT_ZERO = "rgb(255,255,255)"; // what both scales have at 0

/** Paints the digit with its grid on small canvases. @param {import("./state.js").State} state */
function projector(state) {
  const { I, side, image_side: pixels } = state;
  const cell = pixels / side;
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

  /** Iteration t of a routing on a canvas, or the bare digit where t is still to come; once for each `key`. */
  return function paint(picture, key, now, t, there, trace) {
    if (picture.dataset.key === key) return;
    picture.dataset.key = key;
    draw_ink(now.chosen);
    const context = picture.getContext("2d");
    context.globalAlpha = 1;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, pixels, pixels);
    for (let i = 0; there && i < I; i++) {
      const colour = tint(state, now, t, i, trace);
      if (colour === AT_ZERO) continue;
      context.fillStyle = colour;
      context.fillRect(cell * (i % side), cell * Math.floor(i / side), cell, cell);
    }
    context.globalAlpha = there ? 0.5 : 0.2;
    context.drawImage(ink, 0, 0);
  };
}

/** A frame of a film: a picture on a button. */
const canvas_of = ({ image_side: pixels }) => html("canvas", { width: pixels, height: pixels });

/** @param {import("./state.js").State} state */
export function film_strip(state) {
  const paint = projector(state);
  const frames = range(state.most_routings).map((t) => {
    const picture = canvas_of(state);
    const name = html("span", { class: "caps-re-frame-name" }, String(t + 1));
    const value = html("span", { class: "caps-re-frame-value" });
    const go = state.time.by_hand(() => state.go_iteration(t + 1));
    const node = button(`re-iteration-${t + 1}`, "", picture, go);
    node.append(html("span", {}, name, " ", value));
    explain(node, () => {
      const { j, kind } = state.now();
      return `Go to iteration ${t + 1}. Colours: ${kind} of each cell to capsule ${j}; number: length of capsule ${j}`;
    });
    return { node, picture, value };
  });
  const reel = { class: "caps-re-film", role: "group", "aria-label": "iterations" };

  /** @param {import("./state.js").Now} now */
  function draw(now) {
    for (const [t, { node, picture, value }] of frames.entries()) {
      node.hidden = t >= now.routings;
      if (node.hidden) continue;
      const there = t <= now.at.tint;
      const length_there = t <= now.at.v;
      const text = length_there ? number(now.trace.lengths[t][now.j]) : "";
      value.textContent = text;
      // First what one sees in the frame.
      const label = length_there ? `${t + 1} ${text}: iteration, and length of capsule ${now.j}` : `iteration ${t + 1}, not computed yet`;
      set(node, { "aria-pressed": t === now.iteration - 1, "aria-label": label });
      node.classList.toggle("caps-re-to-come", !there);
      const tinted = there ? `${now.moment} ${now.rule} ${now.j} ${now.kind} ${now.most}` : "";
      paint(picture, `${now.chosen} ${there} ${tinted}`, now, t, there, now.trace);
    }
  }
  return { node: html("div", reel, ...frames.map(({ node }) => node)), draw };
}

/** The same iteration at every moment of the training, and a button that plays them. @param {import("./state.js").State} state */
export function training_film(state) {
  const paint = projector(state);
  const play = button("re-learn", "Play the training", time_icon("play"), state.time.learn);
  explain(play, "All moments of the training, one after the other, at the same iteration");
  const frames = state.moments.map((text, moment) => {
    const picture = canvas_of(state);
    const value = html("span", { class: "caps-re-frame-value" });
    const go = state.time.by_hand(() => state.go_moment(moment));
    const node = button(`re-moment-${moment}`, "", html("span", { class: "caps-re-frame-name" }, text), go);
    node.append(picture, html("span", {}, " ", value));
    explain(node, () => {
      const { j, kind, iteration } = state.now();
      const what = `Colours: ${kind} of each cell to capsule ${j} at iteration ${iteration}; number: its length`;
      return `The weights at this moment of the training: ${text}. ${what}`;
    });
    return { node, picture, value, text };
  });
  const reel = { class: "caps-re-film", role: "group", "aria-label": "moments of the training" };
  const title = html("span", { class: "caps-re-training-name" }, "Training");
  const box = { class: "caps-re-time caps-re-training", "data-testid": "re-training" };
  const node = html("div", box, html("div", {}, title, play), html("div", reel, ...frames.map((frame) => frame.node)));
  node.hidden = frames.length === 0;

  /** @param {import("./state.js").Now} now */
  function draw(now) {
    const name = now.learning ? "Pause the training" : "Play the training";
    if (play.dataset.name !== name) {
      play.dataset.name = name;
      play.replaceChildren(time_icon(now.learning ? "pause" : "play"), now.learning ? "Pause" : "Play");
      set(play, { "aria-label": name });
    }
    const { tint: t, v } = now.at;
    for (const [moment, { node: frame, picture, value, text }] of frames.entries()) {
      const trace = state.trace_of(now.chosen, moment, now.rule, now.routings);
      const length_now = v < 0 ? "" : number(trace.lengths[v][now.j]);
      value.textContent = length_now;
      const told = v < 0 ? `${text} of training, no length yet` : `${text} ${length_now}: training, and length of capsule ${now.j}`;
      set(frame, { "aria-pressed": moment === now.moment, "aria-label": told });
      const there = t >= 0;
      const tinted = there ? `${t} ${now.rule} ${now.j} ${now.kind} ${now.most}` : "";
      paint(picture, `${now.chosen} ${there} ${tinted}`, now, t, there, trace);
    }
  }
  return { node, draw };
}
