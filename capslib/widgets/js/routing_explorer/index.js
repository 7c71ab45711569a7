/** Step through the routing of real digits in a trained network; see routing_explorer.py. */
import { arrays_of, html, widget } from "../dom.js";
import { rescue } from "../rescue.js";
import { choices, notes, settings, step_buttons, transport } from "./controls.js";
import { couplings_panel } from "./couplings.js";
import { entropy_panel, logits_panel } from "./curves.js";
import { film_strip, training_film } from "./film.js";
import { fold } from "./folds.js";
import { grid_panel } from "./grid.js";
import { lengths_panel } from "./lengths.js";
import { origin_panel } from "./origin.js";
import { explorer_state } from "./state.js";
import { tooltip } from "./tips.js";
import { votes_panel } from "./votes.js";
import { status_line, step_formula } from "./words.js";

const HELP =
  "Click a cell, a coupling, a bar or a vote to choose it. Keys: ← → step, ↑ ↓ iteration, p play or pause; " +
  "on a picture, arrows choose.";

const LEARNING_HELP = " Comma and full stop go back and forth in the training.";

/** Panels that wait until they are unfolded, by their names in routing_explorer.py. */
const FOLDED = {
  settings,
  origin: origin_panel,
  logits: logits_panel,
  votes: votes_panel,
  entropy: entropy_panel,
};

function explorer({ model, el, network }) {
  if (network instanceof Error) throw network;
  const state = explorer_state(model, draw);
  const digit = choices(state);
  const [note, time, film] = [notes(state), transport(state), film_strip(state)];
  const training = training_film(state);
  const stage = [step_buttons(state), step_formula(state)];
  const panels = [grid_panel, couplings_panel, lengths_panel].map((panel_of) => panel_of(state));
  const status = status_line(state);
  const folded = state.panels.map((name) => {
    const part = FOLDED[name](state, network);
    return { name, part, button: fold(state, name, part.node) };
  });
  const more = folded.filter(({ name }) => name !== "settings");
  const setting = folded.find(({ name }) => name === "settings");
  const buttons = more.map(({ button }) => button.node);

  const keys = {
    ArrowLeft: () => state.go(state.position() - 1),
    ArrowRight: () => state.go(state.position() + 1),
    ArrowUp: () => state.go_iteration(state.now().iteration - 1),
    ArrowDown: () => state.go_iteration(state.now().iteration + 1),
    PageUp: () => state.go_iteration(state.now().iteration - 1),
    PageDown: () => state.go_iteration(state.now().iteration + 1),
    Home: () => state.go(0),
    End: () => state.go(state.last_position()),
    ",": () => state.go_moment(state.now().moment - 1),
    ".": () => state.go_moment(state.now().moment + 1),
  };
  function press(event) {
    if (event.defaultPrevented) return; // A picture has taken it.
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select")) return;
    if (event.key === "p" || (event.key === " " && !event.target.matches("button"))) state.time.toggle();
    else if (keys[event.key]) state.time.by_hand(keys[event.key])();
    else return;
    event.preventDefault();
  }

  const root = html(
    "div",
    {
      class: "caps-re",
      tabindex: 0,
      role: "group",
      "aria-label": "Routing explorer. Left and right step, up and down change the iteration, p plays.",
      "data-testid": "re-root",
      onkeydown: press,
    },
    html("div", { class: "caps-row caps-re-controls" }, ...digit.nodes, setting.button.node),
    setting.part.node,
    note.node,
    training.node,
    html("div", { class: "caps-re-time" }, time.node, film.node),
    html("section", { class: "caps-re-stage" }, ...stage.map(({ node }) => node)),
    html("div", { class: "caps-re-panels" }, ...panels.map(({ node }) => node)),
    status.node,
    html("div", { class: "caps-row caps-re-more", role: "group", "aria-label": "more panels" }, "Show more:", ...buttons),
    html("div", { class: "caps-re-panels caps-re-unfolded" }, ...more.map(({ part }) => part.node)),
    html("p", { class: "caps-re-keys" }, state.moments.length ? HELP + LEARNING_HELP : HELP),
  );
  const tip = tooltip(root);

  function draw() {
    if (state.busy()) return;
    const now = state.update();
    for (const part of [digit, note, training, time, film, ...stage, ...panels, status]) part.draw(now);
    for (const { name, part, button } of folded) {
      button.draw(now);
      if (now.unfolded.includes(name)) part.draw(now);
    }
    tip.draw();
    state.tell_lengths();
  }

  el.append(root);
  return { draw, stop: state.time.stop };
}

export default {
  initialize: rescue,
  async render({ model, el }) {
    const network = model.get("parameters") && (await arrays_of(model, "parameters").catch((error) => error));
    return widget((given) => explorer({ ...given, network })).render({ model, el });
  },
};
