/** What the learner sets: the digit, the place in time and the step of an iteration; folded away, how it is routed. */
import { button, choice, fill, html, set, svg } from "../dom.js";
import { range } from "./state.js";
import { STEP_NAMES } from "./parts.js";

/** @typedef {import("./state.js").State} State @typedef {import("./state.js").Now} Now */

const RULE_NAMES = { accumulate: "add a to b", replace: "put a in place of b", uniform: "keep c = 1/J" };

const ICONS = {
  reset: "M4 3v10M13 3 6 8l7 5z",
  back: "M11 3 5 8l6 5z",
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  forward: "M5 3l6 5-6 5z",
};
const icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", class: "caps-re-icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** Which digit, with how many routings, in which rule. @param {State} state */
export function choices(state) {
  const { labels } = state;
  const of_class = (label) => range(state.N).filter((k) => labels[k] === label);
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const digit = choice("re-digit", "digit", classes.map((label) => [String(label), String(label)]), (label) =>
    state.choose_digit(of_class(Number(label))[0]),
  );
  digit.node.hidden = labels.length === 0;
  const sample = choice("re-sample", "sample", [], (k) => state.choose_digit(Number(k)));
  const named = (value, trained) => `${value}${trained ? " (trained)" : ""}`;
  const routings = choice(
    "re-routings",
    "routings",
    range(state.most_routings).map((n) => [String(n + 1), named(n + 1, n + 1 === state.trained)]),
    (n) => state.choose_routings(Number(n)),
  );
  const rule = choice(
    "re-rule",
    "rule",
    state.rules.map((name) => [name, named(`${name}: ${RULE_NAMES[name]}`, name === "accumulate")]),
    (name) => state.put({ rule: name }),
  );
  const presets = state.presets.map(([text, k], n) => ({
    k,
    node: button(`re-preset-${n}`, `show ${text}`, text, () => state.choose_digit(k)),
  }));
  const settings = html("div", { class: "caps-row caps-re-settings" }, routings.node, rule.node);
  const controls = [digit.node, sample.node, ...presets.map(({ node }) => node), settings];

  /** @param {Now} now */
  function draw(now) {
    digit.list.value = String(labels[now.chosen]);
    const alike = labels.length ? of_class(labels[now.chosen]) : range(state.N);
    fill(sample.list, alike.map((k, n) => [String(k), labels.length ? `${n + 1} of ${alike.length}` : String(k)]));
    sample.list.value = String(now.chosen);
    routings.list.value = String(now.routings);
    rule.list.value = now.rule;
    for (const { k, node } of presets) set(node, { "aria-pressed": k === now.chosen });
  }
  return { node: html("div", { class: "caps-row caps-re-controls" }, ...controls), draw };
}

/** The digit's caption, and what the weights were not trained for. @param {State} state */
export function notes(state) {
  const caption = html("p", { class: "caps-re-caption", "data-testid": "re-caption" });
  const foreign = html("strong", { class: "caps-re-foreign", "data-testid": "re-foreign" });
  /** @param {Now} now */
  function draw(now) {
    caption.textContent = state.captions[now.chosen] ?? "";
    caption.hidden = !caption.textContent;
    foreign.textContent = now.foreign;
  }
  return { node: html("div", { class: "caps-re-notes" }, caption, foreign), draw };
}

/** Back and forth in time, and where one is. @param {State} state */
export function transport(state) {
  const { position, go, by_hand } = state;
  const reset = button("re-reset", "back to the beginning", icon("reset"), by_hand(() => go(0)));
  const back = button("re-back", "one step back", icon("back"), by_hand(() => go(position() - 1)));
  const start = button("re-play", "Play", icon("play"), state.play);
  start.classList.add("caps-re-play");
  const forward = button("re-forward", "one step forward", icon("forward"), by_hand(() => go(position() + 1)));
  const place = html("span", { class: "caps-re-place", "data-testid": "re-place" });
  const group = { class: "caps-re-transport", role: "group", "aria-label": "steps" };
  /** @param {Now} now */
  function draw(now) {
    const step = state.steps.indexOf(now.step) + 1;
    place.textContent = `iteration ${now.iteration} of ${now.routings}, step ${step} of ${state.steps.length}`;
    const name = now.playing ? "Pause" : position() === state.last_position() ? "Play again" : "Play";
    if (start.dataset.name !== name) {
      start.dataset.name = name;
      start.replaceChildren(icon(now.playing ? "pause" : "play"), name);
      set(start, { "aria-label": name });
    }
    // Not disabled: what has the focus would lose it at the ends.
    set(back, { "aria-disabled": position() === 0 });
    set(forward, { "aria-disabled": position() === state.last_position() });
  }
  return { node: html("div", {}, html("div", group, start, reset, back, forward), place), draw };
}

/** The steps of an iteration. @param {State} state */
export function step_buttons(state) {
  const buttons = state.steps.map((step, n) => {
    const name = STEP_NAMES[step];
    const go = state.by_hand(() => state.put({ step }));
    return { step, node: button(`re-step-${step}`, `step ${n + 1}, ${name}`, `${n + 1} ${name}`, go) };
  });
  const group = { class: "caps-re-steps", role: "group", "aria-label": "steps of an iteration" };
  /** @param {Now} now */
  function draw(now) {
    for (const { step, node } of buttons) set(node, { "aria-pressed": step === now.step });
  }
  return { node: html("div", group, ...buttons.map(({ node }) => node)), draw };
}
