/** MarginLossExplorer (lesson 05): lengths to drag, the margin loss term by term, and a softmax on the same lengths. */
import {
  cross_entropy,
  cross_entropy_gradient,
  margin_gradient,
  margin_terms,
  PAPER,
  probabilities,
} from "./equations.js";
import { button, html, number, widget } from "./dom.js";
import { norm, strong, sub, sup } from "./formula.js";

/** What the axis of lengths shows: cross-entropy points beyond 1, and below 0. */
const [LOWEST, HIGHEST] = [-0.08, 1.42];
const share = (x) => `${(100 * x) / (HIGHEST - LOWEST)}%`;
const height_of = (x) => share(x - LOWEST);
/** A term of the loss, 0–1, on an axis of square roots: a term of 0.01 is a tenth as high as one of 1, and is seen. */
const term_height = (term) => `${100 * Math.sqrt(term)}%`;

const within = (x, [low, high]) => Math.min(high, Math.max(low, x));
const rounded = (x, digits) => Number(x.toFixed(digits));
const total = (terms) => terms.reduce((sum, term) => sum + term, 0);

/** Three decimals; "0" is kept for what is exactly 0. */
const shown = (x) => (x === 0 ? "0" : number(x, 3));
const signed = (x) => (x > 0 ? `+${shown(x)}` : shown(x));
/** As many decimals as a set value needs, two or three. */
const brief = (x) => number(x, 3).replace(/0$/, "");

/** ‖v_k‖ */
const norm_of = (k) => norm("v", sub(`${k}`));
const names = (classes) => classes.join(", ") || "none";
/** A number whose leading zero a narrow page leaves out, as in .560. */
function in_cell(text) {
  const [, sign, rest] = /^(−?)0(\.\d+)$/.exec(text) ?? [];
  return rest === undefined ? [text] : [sign, html("span", { class: "caps-mle-leading" }, "0"), rest];
}

/**
 * A panel: a title, two plots and rows of numbers on one grid with a column for each class.
 * @param {number} J classes
 * @returns {{node, head, plot, row}} `plot` and `row` add to the grid, from top to bottom
 */
function panel(test, J) {
  const head = html("div", { class: "caps-mle-head" });
  const grid = html("div", { class: "caps-mle-grid", style: `--classes: ${J}` });
  const node = html("section", { class: "caps-mle-panel", "data-testid": test }, head, grid);

  /** A plot over all classes: `title`, ticks as pairs of height and text, a column for each class. */
  function plot(kind, title, ticks, columns) {
    const marks = ticks.flatMap(([at, text]) => html("span", { class: "caps-mle-tick", style: `bottom: ${at}` }, text));
    const lines = ticks.map(([at]) => html("i", { class: "caps-mle-level", style: `bottom: ${at}` }));
    const side = html("div", { class: "caps-mle-side" });
    const area = html("div", { class: `caps-mle-plot caps-mle-${kind}` }, ...lines, ...columns);
    const axis = html("div", { class: "caps-mle-axis" }, ...marks);
    grid.append(html("p", { class: "caps-mle-title" }, ...title), axis, area, side);
    return { area, side };
  }

  /** A row of numbers: its name, a cell for each class, and one at the end for their sum. */
  const cell = (key) => html("span", { class: "caps-mle-cell", "data-row": key });
  function row(name, key, cells = Array.from({ length: J }, () => cell(key))) {
    const end = html("span", { class: "caps-mle-cell caps-mle-end", "data-sum": key });
    grid.append(html("span", { class: "caps-mle-name" }, ...[name].flat()), ...cells, end);
    return { cells, end };
  }
  return { node, head, plot, row };
}

/** A bar of length with its arrow, as HTML that is moved by styles alone. */
function bar_with_arrow() {
  const bar = html("i", { class: "caps-mle-bar" });
  const arrow = html("i", { class: "caps-mle-arrow" });
  return {
    nodes: [bar, arrow],
    /** The arrow goes half of minus the gradient, as in `plots.margin_pulls`; a gradient of 0 has none. */
    draw(length, gradient) {
      bar.style.height = share(length);
      arrow.hidden = gradient === 0;
      arrow.dataset.way = gradient < 0 ? "up" : "down";
      arrow.style.bottom = gradient < 0 ? height_of(length) : "auto";
      arrow.style.top = gradient < 0 ? "auto" : share(HIGHEST - length);
      arrow.style.height = share(Math.abs(gradient) / 2);
    },
  };
}

export default widget(({ model, el }) => {
  const { lengths: first, present: first_present } = model.get("start");
  const limits = model.get("limits");
  const J = first.length;
  const classes = [...first.keys()];
  const most = probabilities(Float64Array.from(classes, (k) => (k === 0 ? 1 : 0)))[0];

  function put(changes) {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  }
  const possible = (length, digits) => within(rounded(length, digits), limits.lengths);
  const put_length = (k, length) =>
    put({ lengths: model.get("lengths").map((old, j) => (j === k ? possible(length, 2) : old)), chosen: k });
  const follow = (gradient) =>
    put({ lengths: model.get("lengths").map((x, k) => possible(x - gradient[k] / 2, 6)) });

  /** Columns of a plot of lengths; a pointer that goes up and down in one moves its bar. */
  function length_columns(attributes) {
    const bars = classes.map(bar_with_arrow);
    const columns = classes.map((k) => {
      const column = html("div", { class: "caps-mle-column", ...attributes(k) }, ...bars[k].nodes);
      const drag = (event) => {
        const { top, height } = column.getBoundingClientRect();
        put_length(k, HIGHEST - ((event.clientY - top) / height) * (HIGHEST - LOWEST));
      };
      column.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        event.preventDefault(); // No text is selected while dragging; focus() below is what else is prevented.
        column.focus({ preventScroll: true });
        column.setPointerCapture(event.pointerId);
        drag(event);
      });
      column.addEventListener("pointermove", (event) => column.hasPointerCapture(event.pointerId) && drag(event));
      return column;
    });
    return { bars, columns };
  }

  const step = { ArrowUp: 0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowLeft: -0.01, PageUp: 0.1, PageDown: -0.1 };
  function on_key(event, k) {
    const [Home, End] = limits.lengths;
    const to = { Home, End }[event.key] ?? model.get("lengths")[k] + step[event.key];
    if (Number.isNaN(to) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    put_length(k, to);
  }

  // The margin loss -------------------------------------------------------------------------------------------------

  const length_ticks = [0, 0.5, 1].map((x) => [height_of(x), String(x)]);
  const unit_ticks = [["0%", "0"], ["100%", "1"]];
  const term_ticks = [0, 0.1, 0.5, 1].map((term) => [term_height(term), String(term)]);
  const margin = panel("mle-margin", J);
  const margin_sum = html("output", { class: "caps-mle-sum", "data-testid": "mle-loss" });
  const margin_parts = html("span", { class: "caps-mle-parts" });
  let margin_slopes, softmax_slopes; // of what is drawn
  margin.head.append(
    html("h4", {}, "Margin loss"),
    margin_sum,
    margin_parts,
    button("mle-follow-margin", "Move each length to the tip of its arrow", "Follow the arrows", () =>
      follow(margin_slopes),
    ),
  );
  const slider = (k) => ({
    role: "slider",
    tabindex: 0,
    "data-testid": `mle-bar-${k}`,
    "aria-orientation": "vertical",
    "aria-valuemin": limits.lengths[0],
    "aria-valuemax": limits.lengths[1],
    onkeydown: (event) => on_key(event, k),
    onfocus: () => model.get("chosen") !== k && put({ chosen: k }),
  });
  const own = length_columns(slider);
  const title = [strong("Lengths"), " to drag; arrows show the loss's push"];
  const lengths_plot = margin.plot("lengths", title, length_ticks, own.columns);
  const margins = ["m_plus", "m_minus"].map((name) => {
    const line = html("i", { class: "caps-mle-margin" });
    const label = html("span", { class: `caps-mle-margin-name caps-mle-${name}` });
    lengths_plot.area.append(line);
    lengths_plot.side.append(label);
    return { name, line, label, symbol: name === "m_plus" ? "m⁺" : "m⁻" };
  });
  const toggles = classes.map((k) =>
    button(`mle-present-${k}`, `class ${k} is in the image`, String(k), () => {
      const others = model.get("present").filter((j) => j !== k);
      put({ present: others.length < model.get("present").length ? others : [...others, k].sort((a, b) => a - b) });
    }),
  );
  margin.row("in image", "image", toggles);
  const length_row = margin.row(norm_of("k"), "length");
  const term_bars = classes.map(() => html("i", { class: "caps-mle-term" }));
  const term_title = [strong("Loss"), " per class on a square-root axis; absent: striped"];
  const slots = (bars) => bars.map((bar) => html("div", { class: "caps-mle-slot" }, bar));
  const free = html("span", { class: "caps-mle-free" }, "zero loss, no push");
  margin.plot("unit", term_title, term_ticks, slots(term_bars)).area.append(free);
  const present_row = margin.row("present", "present");
  const absent_row = margin.row("absent", "absent");
  const margin_row = margin.row("gradient", "gradient");
  const margin_formula = html("div", { class: "caps-mle-formula", "data-testid": "mle-margin-formula" });
  margin.node.append(margin_formula);

  // The softmax on the same lengths ---------------------------------------------------------------------------------

  const rival = panel("mle-softmax", J);
  const rival_sum = html("output", { class: "caps-mle-sum", "data-testid": "mle-cross-entropy" });
  const rival_parts = html("span", { class: "caps-mle-parts" });
  rival.head.append(
    html("h4", {}, "Cross-entropy"),
    rival_sum,
    rival_parts,
    button("mle-follow-softmax", "Move each length to the tip of its cross-entropy arrow", "Follow the arrows", () =>
      follow(softmax_slopes),
    ),
  );
  const same = length_columns((k) => ({ "data-testid": `mle-softmax-bar-${k}`, "aria-hidden": "true" }));
  const same_title = [strong("The same lengths"), "; arrows show the softmax's push"];
  const same_plot = rival.plot("lengths", same_title, length_ticks, same.columns);
  same_plot.area.append(html("span", { class: "caps-mle-beyond" }, "no length gets this far"));
  const digits = classes.map((k) => html("span", { class: "caps-mle-cell caps-mle-digit" }, String(k)));
  rival.row("class", "class", digits);
  const power_row = rival.row(["e", sup(norm_of("k"))], "power");
  const q_bars = classes.map(() => html("i", { class: "caps-mle-q" }));
  const q_title = [strong("Probabilities"), " q", sub("k"), " of the softmax"];
  const q_plot = rival.plot("unit", q_title, unit_ticks, slots(q_bars));
  const ceiling = html("span", {}, "no class can exceed e/(e + ", String(J - 1), ") = ", strong(shown(most)));
  const out_of_reach = { class: "caps-mle-ceiling", "data-testid": "mle-ceiling", style: `bottom: ${100 * most}%` };
  q_plot.area.append(html("div", out_of_reach, ceiling));
  const q_row = rival.row(["q", sub("k")], "q");
  const cost_row = rival.row(["−ln q", sub("k")], "cost");
  const rival_row = rival.row("gradient", "slope");
  const rival_formula = html("div", { class: "caps-mle-formula", "data-testid": "mle-softmax-formula" });
  rival.node.append(rival_formula);

  // Controls --------------------------------------------------------------------------------------------------------

  function range(test, label, text, [min, max], oninput) {
    const value = html("output", { class: "caps-mle-value" });
    const from = { type: "range", min, max, step: 0.01 };
    const input = html("input", { ...from, "data-testid": test, "aria-label": label });
    input.addEventListener("input", () => oninput(Number(input.value)));
    return { input, value, node: html("label", { class: "caps-choice caps-mle-range" }, text, input, value) };
  }
  // A margin stops at the other one.
  const constants = {
    lam: range("mle-lam", "lambda, the weight of absent classes", "λ", limits.lam, (lam) => put({ lam })),
    m_minus: range("mle-m-minus", "m minus, the margin of absent classes", "m⁻", limits.m_minus, (x) =>
      put({ m_minus: Math.min(x, model.get("m_plus")) }),
    ),
    m_plus: range("mle-m-plus", "m plus, the margin of present classes", "m⁺", limits.m_plus, (x) =>
      put({ m_plus: Math.max(x, model.get("m_minus")) }),
    ),
  };
  const paper = button("mle-paper", "Set λ, m⁻ and m⁺ to the paper's values", "Paper’s values", () => put(PAPER));
  const all = range("mle-all", "all lengths at once", "all lengths", limits.lengths, (x) =>
    put({ lengths: classes.map(() => x) }),
  );
  const again = button("mle-again", "Restore the initial lengths and classes", "Start again", () =>
    put({ lengths: first, present: first_present }),
  );
  const beside = button("mle-beside", "Show a softmax on the lengths beside the loss", "Softmax beside it", () =>
    put({ with_softmax: !model.get("with_softmax") }),
  );
  const controls = [
    ...[...Object.values(constants), all].map(({ node }) => node),
    html("div", { class: "caps-row" }, paper, again, beside),
  ];
  const line = html("p", { class: "caps-mle-line", "aria-live": "polite", "data-testid": "mle-line" });
  const many = J > 10 ? " caps-mle-many" : ""; // too many columns for two panels on a narrow page
  const panels = html("div", { class: `caps-mle-panels${many}` }, margin.node, rival.node);
  el.append(html("div", { class: "caps-mle" }, html("div", { class: "caps-mle-controls" }, ...controls), panels, line));

  // Drawing ---------------------------------------------------------------------------------------------------------

  const write = (cell, x, text = shown(x)) => {
    cell.replaceChildren(...in_cell(text));
    cell.classList.toggle("caps-mle-zero", x === 0 || text === "");
  };
  const fates = (gradient) => (gradient < 0 ? "pushed up" : gradient > 0 ? "pushed down" : "not pushed");

  function draw() {
    const lengths = Float64Array.from(model.get("lengths"));
    if (lengths.length !== J) throw new RangeError(`lengths: got ${lengths.length} of them, expected ${J}`);
    const present = model.get("present");
    const T = Float64Array.from(classes, (k) => (present.includes(k) ? 1 : 0));
    const options = { m_plus: model.get("m_plus"), m_minus: model.get("m_minus"), lam: model.get("lam") };
    const terms = margin_terms(T, lengths, options);
    const [costs_present, costs_absent] = [total(terms.present), total(terms.absent)];
    margin_slopes = margin_gradient(T, lengths, options);
    const k = model.get("chosen");

    draw_margin(lengths, T, options, terms, [costs_present, costs_absent], k);
    const with_softmax = model.get("with_softmax");
    rival.node.hidden = !with_softmax;
    panels.classList.toggle("caps-mle-alone", !with_softmax);
    beside.setAttribute("aria-pressed", with_softmax);
    softmax_slopes = cross_entropy_gradient(T, lengths);
    const said = with_softmax ? draw_softmax(lengths, T, present, k) : "";

    for (const [name, { input, value }] of Object.entries(constants)) {
      input.value = options[name];
      value.textContent = brief(options[name]);
    }
    paper.disabled = Object.keys(PAPER).every((name) => options[name] === PAPER[name]);
    const level = lengths.every((x) => x === lengths[0]);
    all.input.value = total(lengths) / J;
    all.value.textContent = level ? brief(lengths[0]) : "differ";
    const pushed = (way) => names(classes.filter((j) => way * margin_slopes[j] < 0));
    const rest = margin_slopes.filter((slope) => slope === 0).length;
    line.textContent =
      `In the image: ${names(present)}. Margin loss ${shown(costs_present + costs_absent)}: ` +
      `${shown(costs_present)} from present classes, ${shown(costs_absent)} from absent ones. ` +
      `Pushed up: ${pushed(1)}. Pushed down: ${pushed(-1)}. Not pushed: ${rest} of ${J}.${said}`;
  }

  function draw_columns({ bars, columns }, lengths, gradient, T, k) {
    for (const j of classes) {
      bars[j].draw(lengths[j], gradient[j]);
      columns[j].classList.toggle("caps-mle-present", T[j] === 1);
      columns[j].classList.toggle("caps-mle-chosen", j === k);
    }
  }

  function draw_margin(lengths, T, options, terms, [costs_present, costs_absent], k) {
    draw_columns(own, lengths, margin_slopes, T, k);
    for (const j of classes) {
      const term = T[j] ? terms.present[j] : terms.absent[j];
      own.columns[j].setAttribute("aria-label", `length of class ${j}, ${T[j] ? "present" : "absent"}`);
      own.columns[j].setAttribute("aria-valuenow", lengths[j]);
      own.columns[j].setAttribute(
        "aria-valuetext",
        `${number(lengths[j], 2)}, term ${shown(term)}, gradient ${signed(margin_slopes[j])}`,
      );
      toggles[j].setAttribute("aria-pressed", T[j] === 1);
      write(length_row.cells[j], lengths[j], number(lengths[j], 3));
      write(present_row.cells[j], terms.present[j], T[j] ? shown(term) : "");
      write(absent_row.cells[j], terms.absent[j], T[j] ? "" : shown(term));
      write(margin_row.cells[j], margin_slopes[j]);
      term_bars[j].style.height = term_height(term);
      term_bars[j].classList.toggle("caps-mle-absent", T[j] === 0);
    }
    write(present_row.end, costs_present);
    write(absent_row.end, costs_absent);
    write(margin_row.end, total(margin_slopes));
    free.hidden = costs_present + costs_absent !== 0;
    margin_sum.textContent = shown(costs_present + costs_absent);
    margin_parts.textContent = `= ${shown(costs_present)} present + ${shown(costs_absent)} absent`;
    for (const { name, line, label, symbol } of margins) {
      line.style.bottom = height_of(options[name]);
      label.style.bottom = height_of(options[name]);
      label.textContent = `${symbol} ${brief(options[name])}`;
    }
    // The formula, its numbers, its slope.
    const [m_plus, m_minus, lam, length] = [options.m_plus, options.m_minus, options.lam, lengths[k]].map(brief);
    const gap = T[k] ? Math.max(0, options.m_plus - lengths[k]) : Math.max(0, lengths[k] - options.m_minus);
    const left = gap === 0 ? "0" : brief(gap);
    const term = shown(T[k] ? terms.present[k] : terms.absent[k]);
    const difference = T[k] ? ["m⁺ − ", norm_of(k)] : [norm_of(k), " − m⁻"];
    const numbers = T[k] ? `${m_plus} − ${length}` : `${length} − ${m_minus}`;
    const weight = T[k] ? "" : `${lam} · `;
    const lead = T[k] ? `Class ${k}, present: ` : `Class ${k}, absent: λ `;
    const slope = ` = ${T[k] ? "−2" : `2 · ${lam}`} · ${left} = `;
    margin_formula.replaceChildren(
      html("p", {}, lead, "max(0, ", ...difference, ")", sup("2")),
      html("p", {}, `= ${weight}max(0, ${numbers})`, sup("2"), ` = ${weight}${left}`, sup("2"), " = ", strong(term)),
      html("p", {}, "∂L/∂", norm_of(k), slope, strong(signed(margin_slopes[k])), `: ${fates(margin_slopes[k])}`),
    );
  }

  /** Draws the right panel; returns what the line says of it. */
  function draw_softmax(lengths, T, present, k) {
    const q = probabilities(lengths);
    const powers = lengths.map(Math.exp);
    const cost = cross_entropy(T, lengths);
    const n = present.length;
    const least = -n * Math.log(Math.E / (n * Math.E + J - n)); // Present ones at 1, absent ones at 0.
    draw_columns(same, lengths, softmax_slopes, T, k);
    for (const j of classes) {
      digits[j].classList.toggle("caps-mle-present", T[j] === 1);
      write(power_row.cells[j], powers[j]);
      write(q_row.cells[j], q[j]);
      write(cost_row.cells[j], 1, T[j] ? shown(-Math.log(q[j])) : "");
      write(rival_row.cells[j], softmax_slopes[j]);
      q_bars[j].style.height = `${100 * q[j]}%`;
    }
    write(power_row.end, total(powers));
    write(q_row.end, 1, number(total(q), 3));
    write(cost_row.end, cost);
    write(rival_row.end, 0, "0");
    rival_sum.textContent = shown(cost);
    rival_parts.textContent = n ? `at least ${shown(least)}` : "no class in the image: nothing to learn";
    const own_cost = T[k] ? `, −ln q = ${shown(-Math.log(q[k]))}` : "";
    const slope = ` = ${n === 1 ? "" : `${n} · `}${number(q[k], 3)} − ${T[k]} = `;
    const power = (j) => ["e", sup(norm_of(j))];
    const who = `Class ${k}, ${T[k] ? "present" : "absent"}: q`;
    const fraction = `= ${number(powers[k], 3)} / ${number(total(powers), 3)} = `;
    rival_formula.replaceChildren(
      html("p", {}, who, sub(`${k}`), " = ", ...power(k), " / Σ", sub("j"), " ", ...power("j")),
      html("p", {}, fraction, strong(number(q[k], 3)), own_cost),
      html("p", {}, "∂/∂", norm_of(k), slope, strong(signed(softmax_slopes[k])), `: ${fates(softmax_slopes[k])}`),
    );
    const chances = present.map((j) => `${j} gets ${number(q[j], 3)}`).join(", ") || "no class is in the image";
    const pushed = softmax_slopes.filter((slope) => slope !== 0).length;
    return (
      ` Softmax: ${chances}; the most possible is ${shown(most)}. Cross-entropy ${shown(cost)}` +
      `${n ? ` (at least ${shown(least)})` : ""} pushes ${pushed} of ${J}.`
    );
  }

  return { draw };
});
