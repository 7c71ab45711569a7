/** Buttons that unfold what is not needed at first. */
import { button, set, unique } from "../dom.js";
import { ABOUT_ENTROPY, ABOUT_LOGITS } from "./curves.js";
import { ABOUT_ORIGIN } from "./origin.js";
import { explain } from "./parts.js";
import { ABOUT_VOTES } from "./votes.js";

const FOLDS = {
  settings: ["Settings", "How many iterations, and by which rule"],
  origin: ["Where u comes from", ABOUT_ORIGIN],
  logits: ["Logit b and agreement a", ABOUT_LOGITS],
  votes: ["Votes", ABOUT_VOTES],
  entropy: ["Entropy of c", ABOUT_ENTROPY],
};

/**
 * A button for a panel, which it shows or hides.
 * @param {import("./state.js").State} state
 * @param {string} name
 * @param {HTMLElement} panel
 */
export function fold(state, name, panel) {
  const [text, meaning] = FOLDS[name];
  panel.id = unique();
  const node = button(`re-unfold-${name}`, text, text, () => state.unfold(name));
  node.classList.add("caps-re-fold");
  set(node, { "aria-controls": panel.id });
  explain(node, meaning);
  /** @param {import("./state.js").Now} now */
  function draw(now) {
    const open = now.unfolded.includes(name);
    set(node, { "aria-expanded": open });
    panel.hidden = !open;
  }
  return { node, draw };
}
