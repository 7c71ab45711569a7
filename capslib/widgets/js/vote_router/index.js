/** Routing of votes that a learner drags: two planes, one table, and the four steps of every iteration. */
import { button, choice, html, number, set, widget } from "../dom.js";
import { length, route } from "../equations.js";
import { length_chart } from "./length_chart.js";
import { routing_table } from "./table.js";
import { votes_plane } from "./votes_plane.js";
import { at, formula, STEPS } from "./words.js";

const ORDER = Object.keys(STEPS);
/** Where the votes of one more part begin, by how many there are: apart from each other and from the presets. */
const NEW = {
  4: [[-2, 0.4], [2, -0.4]],
  5: [[0.7, -1.9], [-2, -1.2]],
  6: [[2.2, 0.5], [-0.3, 2]],
  7: [[-1, -2], [2, 1.6]],
};

function start({ model, el }) {
  const get = (name) => model.get(name);
  const limits = get("limits");
  const [fewest, most_parts] = limits.parts;
  const put = (changes) => {
    model.set(changes);
    model.save_changes();
  };
  // Python may have left less than what was looked at.
  const iteration = () => Math.min(get("iteration"), get("iterations"));
  const part = () => Math.min(get("i"), get("votes").length - 1);
  const choose = (i, j) => put({ i, j });
  const move = (i, j, x, y) => {
    const votes = get("votes").map((part) => [...part]);
    votes[i][j] = [x, y];
    put({ votes });
  };
  const planes = [0, 1].map((j) => votes_plane(j, limits.reach, { move, choose }));
  const table = routing_table(most_parts, choose);
  const chart = length_chart();

  const presets = Object.entries(get("presets")).map(([name, votes], n) => {
    const node = button(`vote-preset-${n}`, `Votes: ${name}`, name, () => put({ votes, i: votes.length - 1, j: 0 }));
    return { votes: JSON.stringify(votes), node };
  });
  const add = button("vote-add", "Add a part", "+", () => {
    const votes = get("votes");
    if (votes.length < most_parts) put({ votes: [...votes, NEW[votes.length]], i: votes.length });
  });
  const remove = button("vote-remove", "Take the chosen part away", "−", () => {
    const [votes, i] = [get("votes"), part()];
    if (votes.length === fewest) return;
    put({ votes: votes.filter((_, k) => k !== i), i: Math.min(i, votes.length - 2) });
  });
  const count = html("span", { class: "caps-vr-count" });

  const move_on = (by) => {
    const place = ORDER.length * (iteration() - 1) + ORDER.indexOf(get("step")) + by;
    if (place < 0 || place >= ORDER.length * get("iterations")) return;
    put({ iteration: 1 + Math.floor(place / ORDER.length), step: ORDER[place % ORDER.length] });
  };
  const back = button("vote-back", "One step back", "◀", () => move_on(-1));
  const forward = button("vote-forward", "One step forward", "▶", () => move_on(1));
  const slider = html("input", {
    ...{ type: "range", min: 1, step: 1, "data-testid": "vote-iteration", "aria-label": "Iteration" },
    oninput: () => put({ iteration: Number(slider.value) }),
  });
  const turn = html("span", { class: "caps-vr-count" });
  const numbers = Array.from({ length: limits.iterations }, (_, n) => [`${n + 1}`, `${n + 1}`]);
  const most = choice("vote-iterations", "of", numbers, (value) => {
    put({ iterations: Number(value), iteration: Math.min(iteration(), Number(value)) });
  });
  most.list.setAttribute("aria-label", "Number of iterations");
  const steps = ORDER.map((step, n) => {
    const node = button(`vote-step-${step}`, `Step ${n + 1}: ${STEPS[step]}`, STEPS[step], () => put({ step }));
    return { step, node };
  });
  const wrong = html("input", {
    ...{ type: "checkbox", "data-testid": "vote-over" },
    onchange: () => put({ over: wrong.checked ? "lower" : "upper" }),
  });
  const lines = ["symbols", "numbers", "reading"].map((kind) =>
    html("div", { class: `caps-vr-${kind}`, "data-testid": `vote-${kind}` }),
  );
  const status = html("p", { class: "caps-vr-status", "aria-live": "polite", "data-testid": "vote-text" });
  const key = html("p", { class: "caps-vr-key" });
  key.append("Line and dot: a vote, as large as its share c. ◇ weighted mean of the votes, s/Σc. Arrow: v. ");
  key.append("Dotted: how far the chosen vote goes along v. ");
  key.append("Drag a vote, or choose it and press the arrow keys (with Shift: larger steps).");

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
        group("Parts", remove, count, add),
      ),
      html("div", { class: "caps-vr-planes" }, ...planes.map(({ node }) => node), key),
      html("div", { class: "caps-vr-side" }, table.node, chart.node),
      html(
        "div",
        { class: "caps-row caps-vr-steps" },
        group("Iteration", slider, turn, most.node),
        group("Step", back, ...steps.map(({ node }) => node), forward),
        html("label", { class: "caps-vr-switch" }, wrong, " softmax over the wrong side"),
      ),
      html("div", { class: "caps-vr-formula" }, ...lines),
      status,
    ),
  );

  /** What the picture shows after this step, in numbers. */
  function told(now, step, t, i, wholes) {
    const both = (value, digits = 3) => wholes.map((name, k) => `${name} ${number(value(k), digits)}`).join(", ");
    const total = now.c[2 * i] + now.c[2 * i + 1];
    const sum = Math.abs(total - 1) > 5e-4 ? `, in all ${number(total, 3)} and not 1` : "";
    const shares = `shares of part ${i}: ${both((k) => now.c[2 * i + k])}${sum}`;
    const lengths = `lengths ‖v‖: ${both((k) => Math.hypot(...at(now.v, k)))}`;
    const says = {
      softmax: shares,
      sum: `lengths ‖s‖ of the sums: ${both((k) => Math.hypot(...at(now.s, k)))}; ${shares}`,
      squash: `${lengths}; ${shares}`,
      agreement: `${lengths}; ${shares}; its agreement: ${both((k) => now.a[2 * i + k])}`,
    }[step];
    const side = get("over") === "lower" ? " The softmax runs over the parts." : "";
    return `Iteration ${t + 1} of ${get("iterations")}, ${STEPS[step]}; ${says}.${side}`;
  }

  function draw() {
    const [votes, over, offset, wholes, step] = ["votes", "over", "offset", "names", "step"].map(get);
    const [I, T, t] = [votes.length, get("iterations"), iteration() - 1];
    const chosen = { i: part(), j: get("j") };
    const u_hat = Float64Array.from(votes.flat(2));
    const trace = route(u_hat, { I, J: 2, D: 2 }, { iterations: T, offset, over });
    const now = { u_hat, I, next: trace.c[t + 1] };
    for (const name of "bcsva") now[name] = trace[name][t];
    const taken = ORDER.indexOf(step);
    const shown = { sum: taken >= 1, squash: taken >= 2, agreement: taken >= 3 };

    for (const [j, of] of planes.entries()) of.draw(now, shown, chosen, wholes[j]);
    table.draw(now, shown, chosen, wholes);
    const lengths = trace.v.map((v) => [...length(v, 2)]);
    chart.draw(lengths, t, wholes);
    const texts = formula(step, now, chosen, wholes, { over, offset });
    for (const [k, line] of lines.entries()) line.replaceChildren(...texts[k]);
    status.textContent = told(now, step, t, chosen.i, wholes);

    const given = JSON.stringify(votes);
    for (const { votes: of, node } of presets) node.setAttribute("aria-pressed", `${of === given}`);
    for (const { step: of, node } of steps) node.setAttribute("aria-pressed", `${of === step}`);
    count.textContent = I;
    turn.textContent = t + 1;
    set(slider, { max: T, "aria-valuetext": `${t + 1} of ${T}` });
    slider.value = t + 1;
    most.list.value = T;
    wrong.checked = over === "lower";
    // Disabled in name only, since a button that is disabled under the finger loses the focus.
    const last = t === T - 1 && taken === ORDER.length - 1;
    const ends = [[add, I === most_parts], [remove, I === fewest], [back, t + taken === 0], [forward, last]];
    for (const [node, end] of ends) node.setAttribute("aria-disabled", `${end}`);
  }
  return { draw };
}

export default widget(start);
