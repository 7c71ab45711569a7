/** Find a network's bug from its symptoms: look at quantities, suspect, test, name. Everything was sent along. */
import { button, html, svg, unique, widget } from "./dom.js";

/** @typedef {{title: string, read: string, across: string[], axis: string, bars: boolean}} Look */

const CHART = { width: 300, height: 150, left: 42, right: 8, top: 10, bottom: 30, letter: 5.5, line: 13 };

/** Where numbers lie on the vertical axis of a chart, with its two ends. @param {number[]} numbers @param {boolean} bars */
function scale(numbers, bars) {
  const finite = numbers.filter((x) => x !== null);
  let low = Math.min(...finite, 0);
  let high = Math.max(...finite, bars ? 0 : -Infinity);
  if (!finite.length || high === low) [low, high] = [Math.min(low, 0), Math.max(high, 0) || 1];
  const inner = CHART.height - CHART.top - CHART.bottom;
  return { low, high, y: (/** @type {number} */ x) => CHART.top + inner * (1 - (x - low) / (high - low)) };
}

/** A number for an axis: short. @param {number} x */
const tick = (x) => String(Number(x.toPrecision(2))).replace("-", "−");

/** One quantity, the healthy network's beside the patient's. @param {Look} look @param {(number|null)[][]} rows @param {string} said */
function chart(look, [healthy, patient], said) {
  const { low, high, y } = scale([...healthy, ...patient], look.bars);
  const inner = CHART.width - CHART.left - CHART.right;
  const step = inner / healthy.length;
  const x = (/** @type {number} */ n) => CHART.left + step * (n + 0.5);
  const parts = [];
  for (const at of [low, high]) {
    parts.push(svg("line", { class: "caps-grid", x1: CHART.left, x2: CHART.width - CHART.right, y1: y(at), y2: y(at) }));
    parts.push(svg("text", { x: CHART.left - 4, y: y(at) + 4, "text-anchor": "end" }, tick(at)));
  }
  for (const [who, row] of Object.entries({ healthy, patient })) {
    const marks = row.map((value, n) => {
      if (value === null) return "";
      if (look.bars) {
        const wide = step * 0.38;
        const from = x(n) + (who === "healthy" ? -wide : 0);
        const [above, below] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
        return svg("rect", { class: `caps-diagnosis-${who}`, x: from, y: above, width: wide, height: Math.max(below - above, 1) });
      }
      return who === "healthy"
        ? svg("circle", { class: "caps-diagnosis-healthy", cx: x(n), cy: y(value), r: 3.5 })
        : svg("rect", { class: "caps-diagnosis-patient", x: x(n) - 3, y: y(value) - 3, width: 6, height: 6 });
    });
    const path = row.flatMap((value, n) => (value === null ? [] : [`${x(n)},${y(value)}`])).join(" ");
    if (!look.bars) parts.push(svg("polyline", { class: `caps-diagnosis-line caps-diagnosis-${who}`, points: path }));
    parts.push(...marks.filter((mark) => mark !== ""));
  }
  const every = Math.ceil(look.across.length / 8);
  const longest = Math.max(...look.across.map((name) => name.length));
  // Words too wide for their columns stand in two lines by turns.
  const lines = longest * CHART.letter > step * every ? 2 : 1;
  for (const [n, name] of look.across.entries()) {
    if (n % every) continue;
    const line = (n / every) % lines;
    parts.push(svg("text", { x: x(n), y: CHART.height - 17 + CHART.line * line, "text-anchor": "middle" }, name));
  }
  const height = CHART.height + CHART.line * (lines - 1);
  parts.push(svg("text", { x: CHART.left + inner / 2, y: height - 3, "text-anchor": "middle" }, look.axis));
  const picture = svg("svg", { viewBox: `0 0 ${CHART.width} ${height}`, role: "img", "aria-label": `${look.title}. ${said}` }, ...parts);
  return html("figure", { class: "caps-diagnosis-chart" }, html("figcaption", {}, look.title), picture, html("p", {}, said));
}

/** A radio group whose choices call `chosen` with their number. */
function choices(test, name, texts, chosen) {
  const group = unique();
  const radios = texts.map((_, n) =>
    html("input", { type: "radio", name: group, "data-testid": `${test}-${n}`, onchange: () => chosen(n) }),
  );
  const labels = texts.map((text, n) => html("label", { class: "caps-diagnosis-choice" }, radios[n], html("span", {}, text)));
  return { radios, labels, node: html("fieldset", { class: "caps-diagnosis-group" }, html("legend", {}, name), ...labels) };
}

function start({ model, el }) {
  const [facts, prices] = [model.get("facts"), model.get("prices")];
  const { looks, suspects, tests } = facts;
  let test = -1;

  const change = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const append = (name, value) => change(name, [...model.get(name), value]);
  const price = (points) => ` (−${points})`;
  // Disabled in name only, since a button that is disabled under the finger loses the focus.
  const off = (/** @type {HTMLElement} */ control) => control.getAttribute("aria-disabled") === "true";
  const allow = (/** @type {HTMLElement} */ control, /** @type {boolean} */ may) => control.setAttribute("aria-disabled", String(!may));

  const line = html("p", { "aria-live": "polite", class: "caps-diagnosis-points", "data-testid": "diagnosis-line" });
  const again = button("diagnosis-again", "Begin the case again", "⟲ begin again", () => {
    test = -1;
    model.set("looked", []);
    model.set("suspect", -1);
    model.set("tried", []);
    model.set("named", []);
    model.save_changes();
    draw();
  });
  const key = html("p", { class: "caps-diagnosis-key" }, html("span", { class: "caps-diagnosis-swatch-healthy" }), "healthy (dashed, ○)  ",
    html("span", { class: "caps-diagnosis-swatch-patient" }), "patient (solid, ■)");
  const shown = chart(facts.shown, facts.shown.rows, facts.shown.said);
  const look_buttons = looks.map((look, n) =>
    button(`diagnosis-look-${n}`, `Look at: ${look.title}`, look.title + price(prices.look), () => {
      if (!model.get("looked").includes(n)) append("looked", n);
    }),
  );
  const charts = html("div", { class: "caps-diagnosis-charts" }, shown);
  const who = choices("diagnosis-suspect", "3 · Suspect", suspects.map(({ text }) => text), (n) => change("suspect", n));
  const what = choices("diagnosis-test", "4 · Test it", tests.map(({ title }) => title), (n) => {
    test = n;
    draw();
  });
  const run = button("diagnosis-run", "Run the chosen test", `run the test${price(prices.test)}`, () => {
    if (!off(run)) append("tried", [model.get("suspect"), test]);
  });
  const name = button("diagnosis-name", "Name the chosen suspect as the bug", "this is the bug", () => {
    if (!off(name)) append("named", model.get("suspect"));
  });
  const results = html("div", { role: "status", class: "caps-diagnosis-results", "data-testid": "diagnosis-results" });
  const verdict = html("p", { role: "status", class: "caps-diagnosis-verdict", "data-testid": "diagnosis-verdict" });
  const part = (/** @type {string} */ title, /** @type {Node[]} */ ...nodes) =>
    html("section", {}, html("h4", {}, title), ...nodes);

  el.replaceChildren(
    html("div", { class: "caps-row" }, html("strong", {}, `Case ${facts.number}: ${facts.name}`), line, again),
    part("1 · The complaint", html("p", {}, facts.complaint), key),
    part("2 · Look", html("div", { class: "caps-row" }, ...look_buttons), charts),
    html("div", { class: "caps-diagnosis-two" }, who.node, html("div", {}, what.node, html("div", { class: "caps-row" }, run))),
    results,
    part("5 · Name it", html("div", { class: "caps-row" }, name), verdict),
  );

  const drawn = new Map();

  /** What a test said about a suspect, in a sentence. @param {[number, number]} pair */
  function outcome([suspect, of]) {
    const { title, read, patient, healthy, predicted, same } = tests[of];
    const others = suspects.filter((_, n) => same[n] && n !== suspect).map(({ text }) => `“${text.replace(/\.$/, "")}”`);
    const found = `${title} (${read}): the patient gives ${patient}, a healthy network ${healthy}. Your suspect, planted, gives ${predicted[suspect]}`;
    if (!same[suspect]) return { mark: "✗", text: `${found}: refuted.` };
    if (!others.length) return { mark: "✓", text: `${found}: as the patient. No other suspect would: this test tells.` };
    const who_else = others.length === suspects.length - 1 ? "every other suspect" : [others.slice(0, -1).join(", "), ...others.slice(-1)].filter(Boolean).join(" and ");
    return { mark: "✓", text: `${found}: as the patient. So would ${who_else}: it does not tell.` };
  }

  function draw() {
    const [looked, suspect, tried, named] = ["looked", "suspect", "tried", "named"].map((trait) => model.get(trait));
    const solved = named.includes(facts.right);
    const wrong = named.filter((/** @type {number} */ n) => n !== facts.right).length;
    const points = Math.max(0, prices.start - prices.look * looked.length - prices.test * tried.length - prices.wrong * wrong);
    const told = `${points} of ${prices.start} points. ${looked.length} of ${looks.length} quantities looked at; tests run: ${tried.length}.`;
    if (line.textContent !== told) line.textContent = told;

    for (const [n, control] of look_buttons.entries()) {
      allow(control, !looked.includes(n));
      if (looked.includes(n) && !drawn.has(n)) {
        drawn.set(n, chart(looks[n], looks[n].rows, looks[n].said));
        charts.append(drawn.get(n));
      } else if (!looked.includes(n) && drawn.has(n)) {
        drawn.get(n).remove();
        drawn.delete(n);
      }
    }
    for (const [n, radio] of who.radios.entries()) radio.checked = n === suspect;
    for (const [n, radio] of what.radios.entries()) radio.checked = n === test;
    const done = tried.some((/** @type {number[]} */ pair) => pair[0] === suspect && pair[1] === test);
    allow(run, suspect >= 0 && test >= 0 && !done);
    allow(name, suspect >= 0 && !solved && !named.includes(suspect));

    const written = JSON.stringify(tried);
    if (results.dataset.written !== written) {
      results.replaceChildren(
        ...tried.map((/** @type {[number, number]} */ pair) => {
          const { mark, text } = outcome(pair);
          return html("p", { "data-mark": mark }, `${mark} ${suspects[pair[0]].text} ${text}`);
        }),
      );
    }
    results.dataset.written = written;

    const last = named.at(-1);
    const tells = tried.some((/** @type {[number, number]} */ [who_, of]) => {
      const { same } = tests[of];
      return who_ === facts.right && same.every((/** @type {boolean} */ alike, /** @type {number} */ n) => alike === (n === facts.right));
    });
    const proof = tells ? "Your test told it from all the others." : "But no test of yours told it from all the others: run one that does.";
    const said =
      last === undefined ? "" : solved ? `✓ ${suspects[facts.right].text} ${proof} Now mend it, in exercise ${facts.number}.` : `✗ Not this one. ${suspects[last].against}`;
    if (verdict.textContent !== said) verdict.textContent = said;
    verdict.dataset.right = String(solved);
  }

  return { draw };
}

export default widget(start);
