/** ConditionExplorer (lesson 11): networks to choose, and how they do as the digits change. See condition_explorer.py. */
import { button, choice, fill, html, number, set, widget } from "../dom.js";
import { condition_plot, sample } from "./plot.js";
import { explorer_of_conditions } from "./state.js";

const WIDTH = 640; // until the page has told one
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const name_of = (key) => key.replaceAll(" ", "-");

/** Two ends of a range: with a dash, unless one of them has a minus sign. */
const between = (low, high) => `${number(low, 3)}${low < 0 ? " to " : "–"}${number(high, 3)}`;

/** Mean, interval and number of seeds in words. @param {import("./state.js").Summary} [summary] */
function in_words(summary, none = "not trained so") {
  if (!summary) return none;
  const [mean, low, high] = [summary.mean, summary.low, summary.high].map((x) => number(x, 3));
  return `${mean} (${summary.n > 1 ? `95 % interval ${low} to ${high}, ${summary.n} seeds` : "one seed, so no interval"})`;
}

function start({ model, el }) {
  const state = explorer_of_conditions(model);
  const { facts, put, look } = state;

  // What is looked at -----------------------------------------------------------------------------------------------

  const conditions = facts.conditions.map(({ key }) => ({
    key,
    node: button(`cond-condition-${name_of(key)}`, `condition: ${key}`, key, () => look(key, model.get("score"))),
  }));
  const score = choice("cond-score", "score", [], (key) => look(model.get("condition"), key));
  const training = choice("cond-training", "trained on", facts.trainings, (key) => put({ training: key }));
  const tick = (test, label, onchange) => {
    const box = html("input", { type: "checkbox", "data-testid": test, onchange: () => onchange(box.checked) });
    return { box, node: html("label", { class: "caps-cond-tick" }, box, label) };
  };
  const seeds = tick("cond-seeds", "every seed", (on) => put({ seeds: on }));
  const cover = button("cond-cover", "cover the curves, to guess again", "cover the curves", () => {
    put({ asks: true });
    show.focus();
  });

  // The curves ------------------------------------------------------------------------------------------------------

  const go = (k) => put({ at: state.now().steps[k].value });
  const plot = condition_plot({
    picture: state.picture,
    choose: (k) => {
      if (state.now().covered) return;
      slider.focus({ preventScroll: true });
      go(k);
    },
  });
  const show = button("cond-show", "Show the curves", "Show the curves", () => {
    put({ asks: false });
    slider.focus({ preventScroll: true });
  });
  const asked = html("p");
  const question = html("div", { class: "caps-cond-question", "data-testid": "cond-question" }, asked, show);
  const slider = html("input", { type: "range", "data-testid": "cond-at", class: "caps-cond-slider" });
  slider.addEventListener("input", () => {
    const { steps, at, by_name } = state.now();
    const wanted = slider.valueAsNumber;
    const values = steps.map(({ value }, k) => (by_name ? k : Number(value)));
    const far = values.map((value) => Math.abs(value - wanted));
    const near = far.indexOf(Math.min(...far));
    // Where strengths lie farther apart than the slider's steps, a step leads to the next strength all the same.
    go(near === at ? Math.max(0, Math.min(values.length - 1, at + Math.sign(wanted - values[at]))) : near);
  });
  const photo = html("img", { class: "caps-cond-pixels", "data-testid": "cond-picture" });
  const paper = html("div", { class: "caps-paper caps-cond-photo" }, photo);
  const said = html("b", { "data-testid": "cond-said" });
  const note = html("p", { class: "caps-cond-note" });
  const frame = html("div", { class: "caps-cond-frame" }, plot.node, question);

  // The networks ----------------------------------------------------------------------------------------------------

  const cells = () => ["mean", "interval", "range"].map((kind) => html("td", { role: "cell", "data-kind": kind }));
  const write = (parts, summary, none = "") => {
    const { n, mean, low, high, least, most } = summary ?? {};
    const texts = summary
      ? [number(mean, 3), n > 1 ? between(low, high) : "one seed", n > 1 ? between(least, most) : ""]
      : ["", none, ""];
    for (const [k, text] of texts.entries()) parts[k].textContent = text;
  };
  const networks = facts.networks.map((network) => {
    const { box, node } = tick(`cond-network-${network.key}`, sample(network), (on) => {
      const others = model.get("networks").filter((key) => key !== network.key);
      put({ networks: on ? [...others, network.key] : others });
    });
    node.append(html("span", {}, network.label));
    const parts = cells();
    const line = html("tr", { role: "row", "data-testid": `cond-row-${network.key}` },
      html("th", { scope: "row", role: "rowheader" }, node), ...parts);
    const stand_out = () => plot.point_out(box.checked ? network.key : undefined);
    for (const event of ["pointerenter", "focusin"]) line.addEventListener(event, stand_out);
    for (const event of ["pointerleave", "focusout"]) line.addEventListener(event, () => plot.point_out());
    return { key: network.key, box, line, parts };
  });
  const pair = html("th", { scope: "row", role: "rowheader" });
  const pair_parts = cells();
  const pair_line = html("tr", { role: "row", class: "caps-cond-pair", "data-testid": "cond-difference" }, pair, ...pair_parts);
  const head = ["network", "mean", "95 % interval", "range of seeds"].map((text) =>
    html("th", { scope: "col", role: "columnheader" }, text));
  const caption = html("caption", { "data-testid": "cond-caption" });
  const body = html("tbody", { role: "rowgroup" }, ...networks.map(({ line }) => line), pair_line);
  const table = html("table", { role: "table", class: "caps-cond-table" }, caption,
    html("thead", { role: "rowgroup" }, html("tr", { role: "row" }, ...head)), body);
  const live = html("p", { "aria-live": "polite", class: "caps-cond-line", "data-testid": "cond-line" });

  el.append(html("div", { class: "caps-cond" },
    html("div", { class: "caps-cond-controls" },
      html("div", { class: "caps-row", role: "group", "aria-label": "condition" }, ...conditions.map(({ node }) => node)),
      html("div", { class: "caps-row" }, score.node, training.node, seeds.node, cover),
    ),
    html("div", { class: "caps-cond-left" }, frame, slider,
      html("div", { class: `caps-cond-below${facts.pictured ? " caps-cond-pictured" : ""}` }, paper, html("div", {}, html("p", {}, said), note))),
    html("div", { class: "caps-cond-right" }, table),
    live,
  ));

  // Drawing ---------------------------------------------------------------------------------------------------------

  let drawn = ""; // what the curves as they stand were drawn from
  let width = 0; // of the curves; asked for rarely, since it takes a layout of the page
  const measure = () => (width = Math.round(frame.clientWidth) || WIDTH);

  function sentence(now) {
    const { rows, told, steps, covered } = now;
    if (!rows.length) return `No network is chosen; choose 1 to ${facts.most}.`;
    const trained = `trained on ${now.training[1]}`;
    let begin = `${capital(steps[now.at].said)}, ${trained}, ${now.score.label}: `;
    if (covered) {
      begin = `Covered: ${now.score.label} by ${now.axis}, ${trained}. `;
      if (told < 0) return `${begin}Networks chosen: ${rows.length}.`;
      begin += "Unchanged digits: ";
    }
    const parts = rows.map(({ network, summaries }) => `${network.label} ${in_words(summaries[told])}`);
    if (now.two) {
      const labels = rows.map(({ network }) => network.label).join(" less ");
      parts.push(`${labels}, paired by seed, ${in_words(now.difference(told), "no seed in common")}`);
    }
    return `${begin}${parts.join("; ")}.`;
  }

  function draw_choices(now) {
    for (const { key, node } of conditions) set(node, { "aria-pressed": key === now.condition });
    const labels = new Map(facts.scores.map(({ key, label }) => [key, label]));
    fill(score.list, state.measured(now.condition).map((key) => [key, labels.get(key)]));
    score.list.value = now.score.key;
    training.list.value = now.training[0];
    seeds.box.checked = now.every_seed;
    cover.hidden = now.covered;
    question.hidden = !now.covered;
    asked.textContent = `${now.by_name ? "Which network minds most?" : "Which curve falls first, and how far?"} Guess, then look.`;
    const values = now.steps.map(({ value }, k) => (now.by_name ? k : Number(value)));
    const gaps = values.slice(1).map((value, k) => value - values[k]);
    set(slider, { min: values[0], max: values.at(-1), step: Number(Math.min(...gaps).toFixed(4)) });
    slider.value = String(values[now.at]);
    slider.disabled = now.covered;
    set(slider, { "aria-label": now.axis, "aria-valuetext": now.steps[now.at].said });
    const [first, last] = plot.ends();
    slider.style.marginLeft = `${first - 8}px`; // The middle of its knob runs from 8 px to 8 px before the end.
    slider.style.width = `${last - first + 16}px`;
  }

  function draw_table(now) {
    const { rows, told, steps } = now;
    const full = rows.length >= facts.most;
    for (const { key, box, line, parts } of networks) {
      const row = rows.find(({ network }) => network.key === key);
      const trained = state.trained(now.training[0], key);
      box.checked = row !== undefined;
      box.disabled = !row && (full || !trained);
      line.classList.toggle("caps-cond-off", !row);
      const instead = row ? "covered" : full ? `at most ${facts.most}` : "";
      write(parts, row?.summaries[told], trained ? instead : "not trained so");
    }
    pair_line.hidden = !now.two;
    if (now.two) {
      const labels = rows.map(({ network }) => network.label);
      pair.textContent = `difference, paired by seed: ${labels.join(" less ")}`;
      write(pair_parts, told < 0 ? undefined : now.difference(told), told < 0 ? "covered" : "no seed in common");
    }
    caption.textContent = told < 0 ? "All is covered" : `${capital(steps[told].said)}: ${now.score.label}`;
  }

  function draw() {
    const now = state.now();
    if (!width) measure();
    const key = JSON.stringify([now.condition, now.score.key, now.training, now.covered, now.every_seed, width, model.get("networks")]);
    if (key !== drawn) {
      plot.draw(now, width);
      drawn = key;
    }
    const words = sentence(now);
    plot.read(now, words);
    draw_choices(now);
    draw_table(now);
    const step = now.steps[now.at];
    const address = state.picture(step.picture);
    paper.hidden = address === undefined;
    if (address !== undefined) set(photo, { src: address, alt: `the digit, ${step.said}` });
    said.textContent = capital(step.said);
    note.textContent = now.note;
    live.textContent = words;
  }

  const watch = new ResizeObserver(() => {
    const before = width;
    if (measure() !== before) draw();
  });
  watch.observe(frame);
  return { draw, stop: () => watch.disconnect() };
}

export default widget(start);
