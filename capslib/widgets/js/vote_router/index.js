/** Routing of votes that a learner drags: two planes, one table, and the four steps of every iteration, to step or play through. */
import { button, choice, html, set, widget } from "../dom.js";
import { em_route } from "../em.js";
import { length, route } from "../equations.js";
import { player, time_icon } from "../player.js";
import { presence_chart } from "./chart.js";
import { em_formula, em_text, EM_STEPS } from "./em_steps.js";
import { routing_table, votes_plane } from "./panels.js";
import { ORDER, STEPS, step_formula, step_text } from "./steps.js";

/**
 * What is drawn of iteration t of routing by agreement, and how present the wholes are in every iteration.
 * @param {{b: Float64Array[], c: Float64Array[], s: Float64Array[], v: Float64Array[], a: Float64Array[]}} trace
 * @param {Float64Array} u_hat @param {{t: number}} here
 * @returns {[import("./steps.js").Iteration, number[][]]}
 */
function iteration_of(trace, u_hat, { t }) {
  const [b, c, s, v, a] = [trace.b, trace.c, trace.s, trace.v, trace.a].map((steps_of) => steps_of[t]);
  const now = { I: u_hat.length / 4, u_hat, b, c, s, v, a, before: trace.v[t - 1], next: trace.c[t + 1] };
  return [now, trace.v.map((vectors) => [...length(vectors, 2)])];
}

/**
 * The same of EM: its responsibilities stand where the couplings do, and ln p where the agreement does.
 * @param {ReturnType<typeof em_route>} trace @param {Float64Array} u_hat @param {{t: number}} here
 * @returns {[import("./steps.js").Iteration, number[][]]}
 */
function em_iteration(trace, u_hat, { t }) {
  /** @param {number} n */
  const fitted = (n) => ({ means: trace.means[n], variances: trace.variances[n], activations: trace.activations[n] });
  const now = { I: u_hat.length / 4, u_hat, b: trace.b[t], c: trace.responsibilities[t], a: trace.fit[t] };
  const em = { ...fitted(t), costs: trace.costs[t], before: t ? fitted(t - 1) : undefined };
  const v = new Float64Array(4); // EM has no capsule vectors.
  return [{ ...now, s: v, v, em, next: trace.responsibilities[t + 1] }, trace.activations.map((a) => [...a])];
}

export default widget(({ model, el }) => {
  /** @param {string} name */
  const get = (name) => model.get(name);
  const limits = get("limits");
  const [fewest, most] = limits.parts;
  /** @param {Object} changes */
  const put = (changes) => {
    model.set(changes);
    model.save_changes();
  };
  // Where no Python runs, fewer may be left than what was looked at.
  const iteration = () => Math.min(get("iteration"), get("iterations"));
  const part = () => Math.min(get("i"), get("votes").length - 1);
  /** @param {number} i @param {number} j */
  const choose = (i, j) => put({ i, j });
  /** @param {number} i @param {number} j @param {number} x @param {number} y */
  const move = (i, j, x, y) => {
    const votes = get("votes").map((part) => [...part]);
    votes[i][j] = [x, y];
    put({ votes });
  };
  const planes = [0, 1].map((j) => votes_plane(j, limits.reach, { move, choose }));
  const table = routing_table(most, choose);
  const chart = presence_chart();

  /** @type {[string, number[][][]][]} */
  const named = get("offered");
  const presets = named.map(([name, votes], n) => {
    const node = button(`vote-preset-${n}`, `Votes: ${name}`, name, () => put({ votes, i: votes.length - 1, j: 0 }));
    return { votes: JSON.stringify(votes), node };
  });
  const add = button("vote-add", "Add a part", "+", () => {
    const votes = get("votes");
    if (votes.length < most) put({ votes: [...votes, get("more")[votes.length - fewest]], i: votes.length });
  });
  const remove = button("vote-remove", "Remove the chosen part", "−", () => {
    const [votes, i] = [get("votes"), part()];
    if (votes.length === fewest) return;
    put({ votes: votes.filter((_, k) => k !== i), i: Math.min(i, votes.length - 2) });
  });
  const count = html("span", { class: "caps-vr-count" });

  /** Steps from the beginning. */
  const place = () => ORDER.length * (iteration() - 1) + ORDER.indexOf(get("step"));
  const last_place = () => ORDER.length * get("iterations") - 1;
  /** @param {number} to */
  const go = (to) => {
    if (to < 0 || to > last_place()) return;
    put({ iteration: 1 + Math.floor(to / ORDER.length), step: ORDER[to % ORDER.length] });
  };
  const time = player("vote-play", {
    at_end: () => place() >= last_place(),
    rewind: () => go(0),
    forward: () => go(place() + 1),
  });
  const back = button("vote-back", "One step back", time_icon("back"), time.by_hand(() => go(place() - 1)));
  const forward = button("vote-forward", "One step forward", time_icon("forward"), time.by_hand(() => go(place() + 1)));
  const slider = html("input", {
    ...{ type: "range", min: 1, step: 1, "data-testid": "vote-iteration", "aria-label": "Iteration" },
    title: "Show an iteration with all its steps",
    oninput: time.by_hand(() => put({ iteration: Number(slider.value), step: ORDER.at(-1) })),
  });
  const turn = html("span", { class: "caps-vr-count" });
  const counts = Array.from({ length: limits.iterations }, (_, n) => [`${n + 1}`, `${n + 1}`]);
  const rounds = choice("vote-iterations", "of", counts, (value) => {
    put({ iterations: Number(value), iteration: Math.min(iteration(), Number(value)) });
  });
  rounds.list.setAttribute("aria-label", "Number of iterations");
  const steps = ORDER.map((step, n) => {
    const node = button(`vote-step-${step}`, `Step ${n + 1}: ${STEPS[step]}`, STEPS[step], time.by_hand(() => put({ step })));
    return { step, node };
  });
  const wrong = html("input", {
    ...{ type: "checkbox", "data-testid": "vote-over" },
    onchange: () => put({ over: wrong.checked ? "lower" : "upper" }),
  });
  const RULE_NAMES = { agreement: "by agreement", EM: "EM" };
  const rules = choice("vote-rule", "Rule", get("rules").map((name) => [name, RULE_NAMES[name]]), (rule) => put({ rule }));
  rules.node.style.display = get("rules").length > 1 ? "" : "none";
  const lines = ["symbols", "numbers", "reading"].map((kind) =>
    html("div", { class: `caps-vr-${kind}`, "data-testid": `vote-${kind}` }),
  );
  const status = html("p", { class: "caps-vr-status", "aria-live": "polite", "data-testid": "vote-text" });
  const key = html("p", { class: "caps-vr-key" });
  const DRAG = "Drag a vote, or select it and press the arrow keys (Shift for larger steps).";
  const KEYS = {
    agreement:
      "Blue line with a dot: a vote; the thicker, the larger its coupling c. ◇ weighted mean of the votes, s/Σc. " +
      `Arrow: v; hollow and dashed: v of the iteration before. Dotted: the chosen vote projected onto v. ${DRAG}`,
    EM:
      "Blue line with a dot: a vote, from the mean of the whole; the thicker, the larger its responsibility r. ◇ mean. " +
      `Ellipse: two standard deviations; dashed: those of the iteration before. ${DRAG}`,
  };

  const flaw = html("label", { class: "caps-vr-switch" }, wrong, " softmax over the parts (the classic mistake)");
  const buttons = steps.map(({ node }) => node);

  /** @param {string} name @param {(Node|string)[]} children */
  const group = (name, ...children) => {
    const label = html("span", { class: "caps-vr-label", "aria-hidden": "true" }, name);
    return html("div", { class: "caps-vr-group", role: "group", "aria-label": name }, label, ...children);
  };
  el.append(
    html(
      "div",
      { class: "caps-vr" },
      html(
        "div",
        { class: "caps-row caps-vr-votes" },
        group("Votes", ...presets.map(({ node }) => node)),
        rules.node,
        group("Parts", remove, count, add),
      ),
      html(
        "div",
        { class: "caps-row caps-vr-steps" },
        html("div", { class: "caps-vr-group", role: "group", "aria-label": "Steps" }, time.node, back, ...buttons, forward),
        group("Iteration", slider, turn, rounds.node),
      ),
      html(
        "div",
        { class: "caps-vr-left" },
        html("div", { class: "caps-vr-planes" }, ...planes.map(({ node }) => node)),
        html("div", { class: "caps-vr-foot" }, status, key),
      ),
      html(
        "div",
        { class: "caps-vr-right" },
        html("div", { class: "caps-vr-formula" }, ...lines),
        html("div", { class: "caps-vr-side" }, html("div", {}, table.node, flaw), chart.node),
      ),
    ),
  );

  function draw() {
    const [votes, over, offset, wholes, step] = ["votes", "over", "offset", "names", "step"].map(get);
    const [I, T, t] = [votes.length, get("iterations"), iteration() - 1];
    const chosen = { i: part(), j: get("j") };
    const u_hat = Float64Array.from(votes.flat(2));
    const shape = { I, J: 2, D: 2 };
    const rule = get("rule");
    const taken = ORDER.indexOf(step);
    const shown = { sum: taken >= 1, squash: taken >= 2, agreement: taken >= 3 };
    const here = { t, T, over, offset };
    const [now, presence] =
      rule === "EM"
        ? em_iteration(em_route(u_hat, shape, { iterations: T }), u_hat, here)
        : iteration_of(route(u_hat, shape, { iterations: T, offset, over }), u_hat, here);

    for (const [j, of] of planes.entries()) of.draw(now, shown, chosen, wholes[j]);
    table.draw(now, shown, chosen, wholes);
    chart.draw(presence.slice(0, shown.squash ? t + 1 : t), here, wholes, rule);
    const texts = (rule === "EM" ? em_formula : step_formula)(step, now, chosen, wholes, here);
    for (const [k, line] of lines.entries()) line.replaceChildren(...texts[k]);
    status.textContent = (rule === "EM" ? em_text : step_text)(step, now, chosen, wholes, here);

    const given = JSON.stringify(votes);
    for (const { votes: of, node } of presets) node.setAttribute("aria-pressed", `${of === given}`);
    for (const [n, { step: of, node }] of steps.entries()) {
      const name = (rule === "EM" ? EM_STEPS : STEPS)[of];
      node.textContent = name;
      set(node, { "aria-pressed": `${of === step}`, "aria-label": `Step ${n + 1}: ${name}`, title: `Step ${n + 1}: ${name}` });
    }
    key.textContent = KEYS[rule];
    rules.list.value = rule;
    flaw.style.display = rule === "EM" ? "none" : ""; // A mistake of the other rule.
    count.textContent = I;
    turn.textContent = t + 1;
    set(slider, { max: T, "aria-valuetext": `${t + 1} of ${T}` });
    slider.value = t + 1;
    rounds.list.value = T;
    wrong.checked = over === "lower";
    // Disabled in name only, since a button that is disabled under the finger loses the focus.
    const ends = [[add, I === most], [remove, I === fewest], [back, place() === 0], [forward, place() === last_place()]];
    for (const [node, end] of ends) node.setAttribute("aria-disabled", `${end}`);
  }
  return { draw, stop: time.stop };
});
