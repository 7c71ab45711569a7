/** What the learner sets: the digit, the place in time and the step of an iteration; folded away, how it is routed. */
import { button, choice, fill, html, set } from "../dom.js";
import { time_icon } from "../player.js";
import { range } from "./state.js";
import { explain, STEP_NAMES } from "./parts.js";

/** @typedef {import("./state.js").State} State @typedef {import("./state.js").Now} Now */

const RULE_NAMES = { accumulate: "b ← b + a", replace: "b ← a", uniform: "b stays 0, c = 1/J" };

const STEP_HELP = {
  softmax: "The logits b of each cell become its couplings c, which sum to 1 over the upper capsules",
  sum: "The votes û for each capsule are added up, each times its coupling c",
  squash: "Each sum s becomes the capsule's output v: the same direction, a length below 1",
  agreement: "Each vote is compared with the output v: the more they agree, the larger the next logit b",
};

/** Which digit. @param {State} state */
export function choices(state) {
  const { labels } = state;
  const of_class = (label) => range(state.N).filter((k) => labels[k] === label);
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const digit = choice("re-digit", "digit", classes.map((label) => [String(label), String(label)]), (label) =>
    state.choose_digit(of_class(Number(label))[0]),
  );
  digit.node.hidden = labels.length === 0;
  const sample = choice("re-sample", "sample", [], (k) => state.choose_digit(Number(k)));
  const presets = state.presets.map(([text, k], n) => ({
    k,
    node: button(`re-preset-${n}`, `show ${text}`, text, () => state.choose_digit(k)),
  }));
  explain(digit.list, "The class of the digit that is routed");
  explain(sample.list, "Which of the digits of this class");

  /** @param {Now} now */
  function draw(now) {
    digit.list.value = String(labels[now.chosen]);
    const alike = labels.length ? of_class(labels[now.chosen]) : range(state.N);
    fill(sample.list, alike.map((k, n) => [String(k), labels.length ? `${n + 1} of ${alike.length}` : String(k)]));
    sample.list.value = String(now.chosen);
    for (const { k, node } of presets) set(node, { "aria-pressed": k === now.chosen });
  }
  return { nodes: [digit.node, sample.node, ...presets.map(({ node }) => node)], draw };
}

/** How the digit is routed: with how many iterations, by which rule. @param {State} state */
export function settings(state) {
  const named = (value, trained) => `${value}${trained ? " (trained)" : ""}`;
  const routings = choice(
    "re-routings",
    "iterations",
    range(state.most_routings).map((n) => [String(n + 1), named(n + 1, n + 1 === state.trained)]),
    (n) => state.choose_routings(Number(n)),
  );
  const rule = choice(
    "re-rule",
    "routing rule",
    state.rules.map((name) => [name, named(`${name}: ${RULE_NAMES[name]}`, name === "accumulate")]),
    (name) => state.put({ rule: name }),
  );
  explain(routings.list, "How many iterations the routing takes");
  explain(rule.list, "What the agreement a of an iteration does to the logits b of the next");
  const offset = html("span", { class: "caps-choice" }, `offset κ of the squash: ${state.offset}`);
  /** @param {Now} now */
  function draw(now) {
    routings.list.value = String(now.routings);
    rule.list.value = now.rule;
  }
  return { node: html("div", { class: "caps-row caps-re-settings" }, routings.node, rule.node, offset), draw };
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
  const { position, go } = state;
  const { by_hand, toggle } = state.time;
  const reset = button("re-reset", "back to the beginning", time_icon("start"), by_hand(() => go(0)));
  const back = button("re-back", "one step back", time_icon("back"), by_hand(() => go(position() - 1)));
  const start = button("re-play", "Play", time_icon("play"), toggle);
  start.classList.add("caps-re-play");
  const forward = button("re-forward", "one step forward", time_icon("forward"), by_hand(() => go(position() + 1)));
  explain(start, "All steps, one a second. Key: p");
  explain(reset, "Back to the first step. Key: Home");
  explain(back, "One step back. Key: ←");
  explain(forward, "One step forward. Key: →");
  const place = html("span", { class: "caps-re-place", "data-testid": "re-place" });
  const group = { class: "caps-re-transport", role: "group", "aria-label": "steps" };
  /** @param {Now} now */
  function draw(now) {
    const step = state.steps.indexOf(now.step) + 1;
    place.textContent = `iteration ${now.iteration} of ${now.routings}, step ${step} of ${state.steps.length}`;
    const name = now.playing ? "Pause" : position() === state.last_position() ? "Play again" : "Play";
    if (start.dataset.name !== name) {
      start.dataset.name = name;
      start.replaceChildren(time_icon(now.playing ? "pause" : "play"), name);
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
    const go = state.time.by_hand(() => state.put({ step }));
    const node = button(`re-step-${step}`, `step ${n + 1}, ${name}`, `${n + 1} ${name}`, go);
    return { step, node: explain(node, STEP_HELP[step]) };
  });
  const group = { class: "caps-re-steps", role: "group", "aria-label": "steps of an iteration" };
  /** @param {Now} now */
  function draw(now) {
    for (const { step, node } of buttons) set(node, { "aria-pressed": step === now.step });
  }
  return { node: html("div", group, ...buttons.map(({ node }) => node)), draw };
}
