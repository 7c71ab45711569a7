/** Play and pause: a button that takes one step after the other, and the pictures on buttons that move in time. */
import { button, set, svg } from "./dom.js";

/** Milliseconds from one step to the next: time to read a line of numbers. */
const PACE = 1500;

const PICTURES = {
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  back: "M4 3v10M13 3 6 8l7 5z",
  forward: "M12 3v10M3 3l7 5-7 5z",
};

/** A picture for a button. @param {keyof typeof PICTURES} name */
export const time_icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", class: "caps-icon", "aria-hidden": "true" }, svg("path", { d: PICTURES[name] }));

/**
 * A play button. It plays from where one is, stops at the end, and at the end begins again.
 * @param {string} test its data-testid
 * @param {{at_end: () => boolean, rewind: () => void, forward: () => void}} time
 * @returns {{node, stop, by_hand}} `by_hand(then)`: what a control does that takes time into the learner's own hands
 */
export function player(test, { at_end, rewind, forward }) {
  let timer;
  const node = button(test, "", "", () => (timer === undefined ? play() : stop()));
  node.classList.add("caps-play");
  function name() {
    const still = timer === undefined;
    const label = still ? "Play the steps" : "Pause";
    node.replaceChildren(time_icon(still ? "play" : "pause"), still ? "Play" : "Pause");
    set(node, { "aria-label": label, title: label });
  }
  function stop() {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    name();
  }
  function play() {
    timer = setInterval(() => {
      forward();
      if (at_end()) stop();
    }, PACE);
    if (at_end()) rewind();
    name();
  }
  name();
  const by_hand = (then) => (...given) => {
    stop();
    then(...given);
  };
  return { node, stop, by_hand };
}
