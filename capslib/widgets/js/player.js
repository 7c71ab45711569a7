/** Play and pause: a clock that takes one step after the other, its button, and the pictures on buttons that move in time. */
import { button, set, svg } from "./dom.js";

/** Milliseconds from one step to the next: time to read a line of numbers. */
const PACE = 1500;

const PICTURES = {
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  start: "M4 3v10M13 3 6 8l7 5z",
  back: "M11 3 5 8l6 5z",
  forward: "M5 3l6 5-6 5z",
};

/** A picture for a button. @param {keyof typeof PICTURES} name */
export const time_icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", class: "caps-icon", "aria-hidden": "true" }, svg("path", { d: PICTURES[name] }));

/**
 * A clock. It plays from where one is, stops at the end, and at the end begins again.
 * @param {{at_end: () => boolean, rewind: () => void, forward: () => void, changed: () => void}} time `changed` is called
 *   when it starts or stops
 * @param {number} pace milliseconds from one step to the next
 * @returns `by_hand(then)` is what a control does that takes time into the learner's own hands
 */
export function clock({ at_end, rewind, forward, changed }, pace = PACE) {
  /** @type {number | undefined} */
  let timer;
  const playing = () => timer !== undefined;
  function stop() {
    if (!playing()) return;
    clearInterval(timer);
    timer = undefined;
    changed();
  }
  function toggle() {
    if (playing()) return stop();
    timer = setInterval(() => {
      forward();
      if (at_end()) stop();
    }, pace);
    if (at_end()) rewind();
    changed();
  }
  const by_hand = (then) => (...given) => {
    stop();
    then(...given);
  };
  return { playing, stop, toggle, by_hand };
}

/**
 * A clock with a button to play and to pause it.
 * @param {string} test its data-testid
 * @param {{at_end: () => boolean, rewind: () => void, forward: () => void}} time
 */
export function player(test, time) {
  const { playing, stop, toggle, by_hand } = clock({ ...time, changed: name });
  const node = button(test, "", "", toggle);
  node.classList.add("caps-play");
  function name() {
    const label = playing() ? "Pause" : "Play the steps";
    node.replaceChildren(time_icon(playing() ? "pause" : "play"), playing() ? "Pause" : "Play");
    set(node, { "aria-label": label, title: label });
  }
  name();
  return { node, stop, by_hand };
}
