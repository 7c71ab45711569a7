/** Step through the routing of real digits in a trained network; see routing_explorer.py. */
import { html, widget } from "../dom.js";
import { choices, notes, step_buttons, transport } from "./controls.js";
import { couplings_panel } from "./couplings.js";
import { entropy_panel, logits_panel } from "./curves.js";
import { film_strip } from "./film.js";
import { grid_panel } from "./grid.js";
import { lengths_panel } from "./lengths.js";
import { explorer_state } from "./state.js";
import { votes_panel } from "./votes.js";
import { status_line, step_formula } from "./words.js";

const HELP =
  "Click a cell, a coupling, a bar or a vote to choose it. Keys: ← → step, ↑ ↓ iteration, p play or pause; " +
  "on a picture, arrows choose.";

export default widget(({ model, el }) => {
  const state = explorer_state(model, draw);
  const top = { choices: choices(state), notes: notes(state), transport: transport(state), film: film_strip(state) };
  const stage = [step_buttons(state), step_formula(state)];
  const panels = [grid_panel, couplings_panel, lengths_panel, logits_panel, votes_panel, entropy_panel];
  const made = panels.map((panel_of) => panel_of(state));
  const status = status_line(state);

  function draw() {
    if (state.busy()) return;
    const now = state.update();
    for (const part of [...Object.values(top), ...stage, ...made, status]) part.draw(now);
    state.tell_lengths();
  }

  const keys = {
    ArrowLeft: () => state.go(state.position() - 1),
    ArrowRight: () => state.go(state.position() + 1),
    ArrowUp: () => state.go_iteration(state.now().iteration - 1),
    ArrowDown: () => state.go_iteration(state.now().iteration + 1),
    PageUp: () => state.go_iteration(state.now().iteration - 1),
    PageDown: () => state.go_iteration(state.now().iteration + 1),
    Home: () => state.go(0),
    End: () => state.go(state.last_position()),
  };
  function press(event) {
    if (event.defaultPrevented) return; // A picture has taken it.
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select")) return;
    if (event.key === "p" || (event.key === " " && !event.target.matches("button"))) state.play();
    else if (keys[event.key]) state.by_hand(keys[event.key])();
    else return;
    event.preventDefault();
  }

  const root = {
    class: "caps-re",
    tabindex: 0,
    role: "group",
    "aria-label": "Routing explorer. Left and right step, up and down change the iteration, p plays.",
    "data-testid": "re-root",
    onkeydown: press,
  };
  el.append(
    html(
      "div",
      root,
      top.choices.node,
      top.notes.node,
      html("div", { class: "caps-re-time" }, top.transport.node, top.film.node),
      html("section", { class: "caps-re-stage" }, ...stage.map(({ node }) => node)),
      html("div", { class: "caps-re-panels" }, ...made.map(({ node }) => node)),
      status.node,
      html("p", { class: "caps-re-keys" }, HELP),
    ),
  );
  return { draw, stop: state.stop };
});
