/** PoseExplorer (lesson 09): change the dimensions of a capsule, and see what the decoder draws. See pose_explorer.py */
import { arrays_of, button, calm, choice, diverging, fill, html, number, set } from "../dom.js";
import { SIDE } from "../ink.js";
import { drawing_pad, pad_widget, pages_of, paint, what_is_on } from "../pad.js";
import { clock, time_icon } from "../player.js";
import { explored } from "./state.js";
import { dimension_rows } from "./strips.js";
import { below_one, described_pose, norm_of_capsule, signed_change } from "./words.js";

/** From one step of a sweep to the next: how far in hundredths, and milliseconds; in larger steps for who wants less motion. */
const SWEEP = { step: 1, pace: 40 };
const CALM_SWEEP = { step: 5, pace: 500 };

/** A picture under its title. */
function pictured(title, test, ...more) {
  const canvas = html("canvas", { width: SIDE, height: SIDE, role: "img", "data-testid": test });
  const node = html("figure", { class: "caps-pose-figure" },
    html("figcaption", {}, title), html("div", { class: "caps-paper" }, canvas), ...more);
  return { canvas, node };
}

/** Paint a difference, in −1 … 1, on the course's diverging scale. */
function paint_difference(canvas, one, other, tint) {
  const context = canvas.getContext("2d");
  for (let at = 0; at < SIDE * SIDE; at++) {
    context.fillStyle = tint(one[at] - other[at]);
    context.fillRect(at % SIDE, Math.floor(at / SIDE), 1, 1);
  }
}

function pose_view({ model, el, loaded: state, history }) {
  const labels = model.get("labels");
  const starts = pages_of(model);
  const limits = model.get("limits");
  const tint = diverging("contribution");
  // Another digit has another capsule: a change that was made to the last one would be read as its own.
  const unchanged = model.get("change").map(() => 0);
  const { pad, toolbar, strip, ink, drawing, put, draw: draw_pad } = drawing_pad({
    test: "pose", model, history, starts, labels, redraw: () => draw(),
    cleared: { centred: true, change: unchanged }, taken: { centred: false, change: unchanged },
    clear: "Clear the page and set all changes back to 0",
  });

  // A sweep: the chosen dimension goes up, down, and back to where it was not changed.
  const { step, pace } = calm() ? CALM_SWEEP : SWEEP;
  const most = Math.round(100 * limits.change);
  const way = [0, most, -most, 0].flatMap((to, n, stops) => {
    const from = stops[n - 1];
    if (from === undefined) return [];
    return Array.from({ length: Math.abs(to - from) / step }, (_, k) => (from + Math.sign(to - from) * step * (k + 1)) / 100);
  });
  let swept = { d: -1, n: way.length };
  const with_change = (d, value) => model.get("change").map((by, k) => (k === d ? value : by));
  const sweep = clock({
    at_end: () => swept.n >= way.length || swept.d !== model.get("chosen"),
    rewind: () => {
      swept = { d: model.get("chosen"), n: 0 };
    },
    forward: () => put({ change: with_change(swept.d, way[swept.n++]) }),
    changed: () => name_sweep(),
  }, pace);
  const sweep_button = button("pose-sweep", "", "", sweep.toggle);
  sweep_button.classList.add("caps-play", "caps-pose-first");
  function name_sweep() {
    const label = sweep.playing() ? "Pause" : `Sweep dimension ${model.get("chosen")}`;
    sweep_button.replaceChildren(time_icon(sweep.playing() ? "pause" : "play"), label);
    set(sweep_button, { "aria-label": label, title: label });
    set(text, { "aria-busy": sweep.playing() });
  }

  const { by_hand } = sweep;
  const reset = button("pose-reset", "Set all changes back to 0", "Reset",
    by_hand(() => put({ change: unchanged })));
  const decoded = choice("pose-digit", "Decode capsule", [], by_hand((value) => put({ digit: Number(value) })));
  const properties = [limits.unsorted, ...Object.keys(model.get("effects"))].map((name) => [name, name]);
  const sorted = choice("pose-sort", "Sort the strips by", properties, by_hand((value) => put({ sort: value })));

  const original = pictured("original", "pose-original");
  const reconstruction = pictured("reconstruction", "pose-reconstruction");
  const scale = html("div", { class: "caps-pose-scale" },
    html("span", {}, "too little ink"), html("span", {}, "0"), html("span", {}, "too much"));
  scale.style.setProperty("--caps-pose-scale", `linear-gradient(to right, ${[-1, -0.5, 0, 0.5, 1].map(tint).join(", ")})`);
  const difference = pictured("difference", "pose-difference", scale);

  const length_name = html("span");
  const length_value = html("strong", { "data-testid": "pose-length" });
  const length_fill = html("i");
  const length_mark = html("b");
  const length_bar = html("div", { class: "caps-pose-length", "aria-hidden": "true" }, length_fill, length_mark);
  const error_value = html("strong", { "data-testid": "pose-error" });
  const axis = html("div", { class: "caps-pose-axis", "aria-hidden": "true" }, html("span", {}, "0"), html("span", {}, "1"));

  const { D, steps } = state.read(ink());
  const hands = {
    choose: by_hand((d) => put({ chosen: d })),
    move: by_hand((d, value) => put({ change: with_change(d, value), chosen: d })),
  };
  const rows = dimension_rows(D, steps, hands, model.get("unit"));
  const text = html("p", { class: "caps-pose-text", "aria-live": "polite", "data-testid": "pose-text" });
  const lead = html("p", { class: "caps-pose-lead" },
    `The decoder draws a digit from one capsule, ${D} numbers. Change one of them, and watch what it draws. On a slider, `
    + "the key 0 sets it back.");
  const first_row = html("div", { class: "caps-row" }, sweep_button, reset, decoded.node,
    ...(properties.length > 1 ? [sorted.node] : []));
  el.replaceChildren(lead, first_row,
    html("div", { class: "caps-pose" },
      html("figure", { class: "caps-pose-figure" }, html("figcaption", {}, starts.length ? "draw, or pick a digit" : "draw a digit"), pad,
        toolbar, ...(starts.length ? [strip] : [])),
      html("div", { class: "caps-pose-shown" }, original.node, reconstruction.node, difference.node),
      html("div", { class: "caps-pose-readings" },
        html("p", {}, length_name, " ", length_value), html("div", {}, length_bar, axis),
        html("p", {}, "Σ difference² = ", error_value), text)),
    rows.list, rows.legend);

  // Strips take longer than a frame, so they come in the next one, and only where the vector is another.
  let filmed;
  let frame = 0;
  function draw_films_of(now) {
    const key = `${now.j} ${now.own.join()}`;
    rows.stale(key !== filmed);
    cancelAnimationFrame(frame);
    if (key === filmed || drawing()) return;
    frame = requestAnimationFrame(() => {
      filmed = key;
      rows.draw_films((d) => state.strip(now, d));
      rows.stale(false);
    });
  }

  const draw = () => {
    const page = ink();
    draw_pad(page);
    const now = state.read(page);
    const { seen, j, lengths } = now;
    paint(original.canvas, seen, 255);
    paint(reconstruction.canvas, now.reconstruction, 255);
    paint_difference(difference.canvas, now.reconstruction, seen, tint);
    const blank = seen.every((value) => value === 0);
    const what = what_is_on(page, starts, labels);
    const arrow = (one, other) => (one === other ? one : `${one} → ${other}`);
    length_name.textContent = `${norm_of_capsule(j)} =`;
    length_value.textContent = arrow(below_one(now.before), below_one(now.now));
    length_fill.style.width = `${100 * now.now}%`;
    length_mark.style.left = `${100 * now.before}%`;
    error_value.textContent = arrow(number(now.error_before, 1), number(now.error, 1));
    set(original.canvas, { "aria-label": blank ? "A blank page" : `The original. ${what}.` });
    set(reconstruction.canvas, {
      "aria-label": `The picture decoded from capsule ${j} of length ${below_one(now.now)}, with ${signed_change(now.change[now.chosen])} `
        + `added to dimension ${now.chosen}`,
    });
    set(difference.canvas, {
      "aria-label": `Reconstruction minus original; the squares add up to ${number(now.error, 1)}`,
    });
    fill(decoded.list, [[-1, `longest (${now.first})`],
      ...Array.from(lengths, (size, k) => [k, `${k}, length ${below_one(size)}`])]);
    decoded.list.value = String(model.get("digit"));
    sorted.list.value = now.sort;
    name_sweep();
    rows.draw(now);
    draw_films_of(now);
    text.textContent = described_pose(what, blank, now);
  };
  const stop = () => {
    sweep.stop();
    cancelAnimationFrame(frame);
  };
  return { draw, stop };
}

export default pad_widget(async (model) => explored(model, await arrays_of(model, "weights")), pose_view);
