/**
 * PoseVotes: a drawn face whose parts are moved, turned and scaled, and each part's vote for the face's pose. (Lesson 02)
 *
 * The five things that can be chosen are the whole face, 0, and its parts, 1 to 4, as in `_poses` (5, 3, 3).
 */
import { inverse, pose, product, read_pose, spread, swap_eyes_and_mouth } from "../poses.js";
import { button, calm, html, number, set, svg, unique, widget } from "../dom.js";
import { plane } from "../plane.js";
import { moved, path_of, pose_frame } from "./strokes.js";

const EDGE = 18; // of the board, in pixels of the canvas
const TURN = 30; // degrees, of the button
const [NUDGE, BY_KEY] = [0.2, { angle: 5, scale: 0.05 }]; // of the keys
const NEAR = 1; // pixels: votes that lie closer share their label
const FULL = 10; // pixels of spread that fill the bar
const LASTS = 450; // ms, of a move that a button makes
const LIMITS = {
  whole: { x: [-8, 8], y: [-8, 8], angle: [-180, 180], scale: [0.5, 1.2] },
  part: { x: [-EDGE, EDGE], y: [-EDGE, EDGE], angle: [-180, 180], scale: [0.3, 2] },
};
const QUANTITIES = ["x", "y", "angle", "scale"];
const STEPS = { x: 0.1, y: 0.1, angle: 1, scale: 0.05 };
const SIGNS = { x: "", y: "", angle: "°", scale: "" };
const DIGITS = { x: 2, y: 2, angle: 0, scale: 2 };

const as_text = (quantity, value) => number(value, DIGITS[quantity]) + SIGNS[quantity];
const said = ([x, y, angle, scale]) =>
  `at (${number(x)}, ${number(y)}), turned by ${number(angle, 0)}°, at scale ${number(scale)}`;
const listed = (names) => names.join(", ").replace(/, ([^,]*)$/, " and $1");
const says = (names, all) => (all ? "all four votes" : `${names.length > 1 ? "votes of" : "vote of the"} ${listed(names)}`);
const between = ([low, high], value) => Math.max(low, Math.min(high, value));

export default widget(({ model, el }) => {
  const names = ["whole face", ...model.get("_names")];
  const T = Float64Array.from(model.get("_T"));
  const forms = model.get("_forms");
  const arrangement = inverse(T); // where the parts sit in the face
  const crown = Math.max(...forms[0].flatMap(([points]) => points.map((point) => Math.hypot(...point))));
  const poses = () => Float64Array.from(model.get("_poses"));
  const votes_of = (M) => product(M.subarray(9), T);
  let motion; // {M, to, frame}: the picture's way to the poses `to` where a button has put them already; now at M

  // Changing poses --------------------------------------------------------------------------------------------------

  /** New poses for all views and for Python, and what a button has done to them, for the text line. */
  const put = (M, told = "") => {
    model.set("_poses", Array.from(M));
    model.set("_told", told);
    model.save_changes();
  };
  const choose = (n) => {
    model.set("_chosen", n);
    model.save_changes();
  };
  /** M after a change of the picture: G M, with the whole and all of its parts. */
  const with_whole_at = (M, whole) => product(product(whole, inverse(M.subarray(0, 9))), M);
  const numbers_of = (n) => Object.fromEntries(read_pose(poses(), n).map((value, k) => [QUANTITIES[k], value]));

  /** Give the chosen thing other numbers, within their limits. */
  function change(numbers) {
    const chosen = model.get("_chosen");
    const next = { ...numbers_of(chosen), ...numbers };
    const limits = LIMITS[chosen ? "part" : "whole"];
    for (const quantity of Object.keys(numbers)) {
      if (quantity === "angle") next.angle -= 360 * Math.ceil((next.angle - 180) / 360); // Around and around.
      else next[quantity] = between(limits[quantity], next[quantity]);
    }
    const at = pose(next.x, next.y, next.angle, next.scale);
    const M = poses();
    if (chosen === 0) put(with_whole_at(M, at));
    else {
      M.set(at, 9 * chosen);
      put(M);
    }
  }

  /**
   * A button's move. The poses are there at once; the picture follows, unless the learner has asked for less motion.
   * @param {string} tell what it did
   * @param way function of the poses M now: a function from shares 0 … 1 of the way to poses
   */
  function go(tell, way) {
    const M = poses();
    const poses_at = way(M);
    const to = poses_at(1);
    const [was, is] = [M, to].map((one) => number(spread(votes_of(one))));
    halt();
    if (!calm()) {
      const started = performance.now();
      const step = (now) => {
        const share = between([0, 1], (now - started) / LASTS);
        motion.M = poses_at(share * share * (3 - 2 * share));
        motion = share < 1 ? { ...motion, frame: requestAnimationFrame(step) } : undefined;
        draw();
      };
      motion = { M, to, frame: requestAnimationFrame(step) };
    }
    put(to, `${tell}: spread ${was === is ? `${is}, as before` : `${was} before, ${is} now`}.`);
  }
  const halt = () => {
    if (motion) cancelAnimationFrame(motion.frame);
    motion = undefined;
  };

  const turn = () =>
    go(`Turned the whole by ${TURN}°`, (M) => {
      const whole_at = (share) => product(M.subarray(0, 9), pose(0, 0, share * TURN));
      return (share) => with_whole_at(M, whole_at(share));
    });
  /** Way of all parts to other poses in straight lines. */
  const straight = (M, parts) => {
    const to = Float64Array.of(...M.subarray(0, 9), ...parts);
    return (share) => (share === 1 ? to : M.map((entry, k) => entry + share * (to[k] - entry)));
  };
  const swap = () => go("Swapped eyes and mouth", (M) => straight(M, swap_eyes_and_mouth(M.subarray(9))));
  const assemble = () =>
    go("Put every part in its place", (M) => straight(M, product(M.subarray(0, 9), arrangement)));
  const show_ghosts = () => {
    model.set("ghosts", ghost_box.checked);
    model.save_changes();
  };
  const reset = () => put(model.get("_first"));

  // The board -------------------------------------------------------------------------------------------------------

  const board = plane({
    label: "The face and its votes; x to the right and y up, in pixels",
    ...{ x: [-EDGE, EDGE], y: [-EDGE, EDGE], size: 560, grid: 6, step: NUDGE, snap: 0.05 },
  });
  const unit = board.x(1) - board.x(0);
  /** Puts an element of a part's own coordinates where pose n of M has it; `still`: without its move. */
  const place = (node, M, n, still = false) => {
    const [a, b, x, c, d, y] = M.subarray(9 * n, 9 * n + 6);
    const [to_x, to_y] = still ? [0, 0] : [board.x(x), board.y(y)];
    set(node, { transform: `matrix(${unit * a} ${-unit * c} ${unit * b} ${-unit * d} ${to_x} ${to_y})` });
  };

  const cut = unique();
  board.node.prepend(svg("clipPath", { id: cut }, svg("rect", { width: 560, height: 560, rx: 4 })));
  const ghosts = names.slice(1).map((_, i) => {
    // The face as this part has it: parts where T's inverse puts them, in the whole's coordinates.
    const at = (form, n) => form.map(([points, radius]) => [moved(arrangement, n, points), radius]);
    const d = path_of(forms[0]) + forms.slice(1).map((form, n) => path_of(at(form, n))).join("");
    return svg("path", { d, class: "caps-pv-ghost", "data-testid": `pv-ghost-${i}` });
  });
  const ways = ghosts.map(() => svg("line", { class: "caps-pv-way" }));

  const handles = names.map((name, n) => {
    const strokes = forms[n].map(([points, radius]) =>
      svg("path", { d: path_of([[points, radius]]), "stroke-width": 2 * radius, class: "caps-pv-ink" }),
    );
    const [xs, ys] = [0, 1].map((k) => forms[n].flatMap(([points]) => points.map((point) => point[k])));
    const ends = (values) => [Math.min(-1.6, ...values) - 0.8, Math.max(1.6, ...values) + 0.8];
    const [[left, right], [bottom, top]] = [ends(xs), ends(ys)];
    const box = n
      ? svg("rect", { x: left, y: bottom, width: right - left, height: top - bottom, rx: 1, class: "caps-pv-box" })
      : svg("path", { d: path_of(forms[0]), class: "caps-pv-box" });
    const look = svg("g", { class: "caps-pv-look" }, box, ...strokes, ...(n ? [pose_frame("part")] : []));
    const handle = board.handle(
      {
        ...{ test: `pv-thing-${n}`, label: n ? `the ${name}` : "the whole face" },
        move: (x, y) => change({ x, y }),
        choose: () => choose(n),
      },
      look,
    );
    return { ...handle, look, reach: right };
  });

  const knob = board.handle(
    {
      ...{ test: "pv-knob", label: "turn" },
      move: (x, y) => {
        const at = numbers_of(model.get("_chosen"));
        change({ angle: Math.round((Math.atan2(y - at.y, x - at.x) * 180) / Math.PI) });
      },
    },
    svg("circle", { r: 9, class: "caps-pv-knob" }),
    svg("path", { d: "M3.8,0A3.8,3.8 0 1 1 0,-3.8", class: "caps-pv-knob-sign" }),
    svg("path", { d: "M0,-6.4V-1.2L3.2,-3.8Z", class: "caps-pv-knob-tip" }),
  );
  knob.node.classList.add("caps-pv-turn");
  set(knob.node, { "aria-valuemin": -180, "aria-valuemax": 180, "aria-roledescription": "turn" });
  const spoke = svg("line", { class: "caps-pv-spoke" });

  const frames = ghosts.map((_, i) => svg("g", { "data-testid": `pv-vote-${i}` }, pose_frame("vote")));
  const labels = ghosts.map(() => svg("text", { class: "caps-pv-label", "text-anchor": "middle" }));
  const over = svg("g", { class: "caps-pv-over", "aria-hidden": true, "clip-path": `url(#${cut})` });
  over.append(spoke, ...ghosts, ...ways, ...frames, ...labels);
  knob.node.before(over); // Above the face, below what turns it.

  // Keys that turn and scale, whatever has the focus; arrows move, or turn at the knob --------------------------------

  const keys = (event) => {
    if (event.metaKey || (event.ctrlKey && !event.altKey)) return;
    const at_knob = { ArrowLeft: 1, ArrowUp: 1, ArrowRight: -1, ArrowDown: -1 };
    const turns = { "[": 1, "]": -1, ...(knob.node.contains(event.target) ? at_knob : {}) };
    const scales = { "+": 1, "=": 1, "-": -1, "−": -1 };
    const at = numbers_of(model.get("_chosen"));
    if (event.key in turns) change({ angle: at.angle + turns[event.key] * BY_KEY.angle });
    else if (event.key in scales) change({ scale: at.scale + scales[event.key] * BY_KEY.scale });
    else return;
    event.preventDefault();
    event.stopPropagation(); // The plane would move the knob.
  };

  // Controls and numbers --------------------------------------------------------------------------------------------

  const choosers = names.map((name, n) => button(`pv-choose-${n}`, `select the ${name}`, name, () => choose(n)));
  const sliders = QUANTITIES.map((quantity) => {
    const input = html("input", {
      ...{ type: "range", step: STEPS[quantity], "data-testid": `pv-${quantity}` },
      oninput: () => change({ [quantity]: Number(input.value) }),
    });
    const output = html("output", { "data-testid": `pv-${quantity}-value` });
    return { quantity, input, output, node: html("label", { class: "caps-pv-slider" }, quantity, input, output) };
  });
  const ghost_box = html("input", { type: "checkbox", "data-testid": "pv-ghosts", onchange: show_ghosts });
  const ghost_label = html("label", { class: "caps-pv-check" }, ghost_box, " ghosts: the face that each part votes for");
  const bag = html("div", { class: "caps-pv-bag", "data-testid": "pv-bag" });
  for (const [n, form] of forms.slice(1).entries()) {
    const lines = form.map(([points, radius]) =>
      svg("path", { d: path_of([[points, radius]]), "stroke-width": 2 * radius, class: "caps-pv-ink" }),
    );
    const upright = svg("g", { transform: "scale(1 -1)" }, ...lines);
    const drawn = svg("svg", { viewBox: "-4.2 -4.2 8.4 8.4", "aria-hidden": true }, upright);
    bag.append(html("span", {}, drawn, `1 ${names[n + 1]}`));
  }
  const fill = html("div", { class: "caps-pv-fill" });
  const spread_text = html("output", { "data-testid": "pv-spread" });
  const rows = names.slice(1).map((name, i) => {
    const cells = ["part", "vote"].map((kind) =>
      QUANTITIES.map((quantity) => html("td", { "data-testid": `pv-${kind}-${i}-${quantity}` })),
    );
    return { node: html("tr", {}, html("th", { scope: "row" }, name), ...cells.flat()), cells };
  });
  const heads = [...QUANTITIES, ...QUANTITIES].map((name) => html("th", { scope: "col" }, name));
  const table = html(
    "table",
    { class: "caps-pv-table" },
    html(
      "thead",
      {},
      html(
        "tr",
        {},
        html("td"),
        html("th", { colspan: 4, scope: "colgroup" }, "pose of the part, M"),
        html("th", { colspan: 4, scope: "colgroup" }, "its vote for the face, M T"),
      ),
      html("tr", {}, html("td"), ...heads),
    ),
    html("tbody", {}, ...rows.map((row) => row.node)),
  );
  const how = "Drag a part or the face; the orange knob turns it. Keys: arrows move, [ and ] turn, + and − scale.";
  const hint = html("p", { id: unique(), class: "caps-pv-hint" }, how);
  for (const { node } of handles) set(node, { "aria-describedby": hint.id });
  const status = html("p", { class: "caps-pv-status", "data-testid": "pv-status", "aria-live": "polite" });

  const root = html(
    "div",
    { class: "caps-pv" },
    html("div", { class: "caps-pv-board" }, board.node, hint),
    html(
      "div",
      { class: "caps-pv-controls" },
      html("div", { class: "caps-pv-choosers", role: "group", "aria-label": "what to move" }, ...choosers),
      html("div", { class: "caps-pv-sliders" }, ...sliders.map((slider) => slider.node)),
      ghost_label,
      html(
        "div",
        { class: "caps-pv-buttons" },
        button("pv-turn", `turn the whole face by ${TURN} degrees`, `turn the whole by ${TURN}°`, turn),
        button("pv-swap", "swap the places of the eyes and the mouth", "swap eyes and mouth", swap),
        button("pv-assemble", "put every part back in its place in the face", "parts in place", assemble),
        button("pv-reset", "go back to the initial state", "reset", reset),
      ),
    ),
    html(
      "div",
      { class: "caps-pv-cards" },
      html(
        "section",
        {},
        html("h4", {}, "Which parts are there?"),
        bag,
        html("p", {}, "The list of parts stays the same, whatever you do."),
      ),
      html(
        "section",
        {},
        html("h4", {}, "Do the votes agree?"),
        html("p", { class: "caps-pv-big" }, "spread ", spread_text, " px"),
        html("div", { class: "caps-pv-bar", "aria-hidden": true }, fill),
        html(
          "p",
          { class: "caps-pv-ends", "aria-hidden": true },
          html("span", {}, "0: full agreement"),
          html("span", {}, `${FULL} px`),
        ),
      ),
    ),
    html("div", { class: "caps-pv-numbers" }, table),
    status,
  );
  root.addEventListener("keydown", keys, true);
  el.append(root);

  // Drawing again ---------------------------------------------------------------------------------------------------

  function draw() {
    const chosen = model.get("_chosen");
    const with_ghosts = model.get("ghosts");
    ghost_box.checked = with_ghosts;
    if (motion?.to.some((entry, k) => entry !== model.get("_poses")[k])) halt(); // Something has moved since.
    const M = motion?.M ?? poses();
    const votes = votes_of(M);
    const wide = spread(votes);
    const read = names.map((_, n) => read_pose(M, n));
    const meant = ghosts.map((_, i) => read_pose(votes, i));

    for (const [n, handle] of handles.entries()) {
      handle.place(read[n][0], read[n][1], said(read[n]));
      place(handle.look, M, n, true);
      handle.node.classList.toggle("caps-pv-chosen", n === chosen);
    }
    for (const [i, ghost] of ghosts.entries()) {
      place(ghost, votes, i);
      set(ghost, { display: with_ghosts ? "inline" : "none" });
      set(labels[i], { display: with_ghosts ? "inline" : "none" }); // They stand at the ghosts' crowns and chins.
      place(frames[i], votes, i);
      for (const node of [ghost, ways[i]]) node.classList.toggle("caps-pv-chosen", i === chosen - 1);
      const [from, to] = [read[i + 1], meant[i]];
      set(ways[i], { x1: board.x(from[0]), y1: board.y(from[1]), x2: board.x(to[0]), y2: board.y(to[1]) });
    }
    label(meant);

    const [x, y, angle, scale] = read[chosen];
    const reach = (chosen ? handles[chosen].reach : crown) * scale + 1.2;
    const knob_at = [x + reach * Math.cos((angle * Math.PI) / 180), y + reach * Math.sin((angle * Math.PI) / 180)];
    knob.place(...knob_at, `${number(angle, 0)}°`);
    set(knob.node, { "aria-valuenow": angle, "aria-label": `turn of the ${names[chosen]}` });
    set(spoke, { x1: board.x(x), y1: board.y(y), x2: board.x(knob_at[0]), y2: board.y(knob_at[1]) });

    for (const [n, chooser] of choosers.entries()) set(chooser, { "aria-pressed": n === chosen });
    for (const [k, { quantity, input, output }] of sliders.entries()) {
      const [min, max] = LIMITS[chosen ? "part" : "whole"][quantity];
      const text = as_text(quantity, read[chosen][k]);
      set(input, { min, max, "aria-label": `${quantity} of the ${names[chosen]}`, "aria-valuetext": text });
      input.value = read[chosen][k];
      output.textContent = text;
    }
    for (const [i, { node, cells }] of rows.entries()) {
      node.classList.toggle("caps-pv-chosen", i === chosen - 1);
      for (const [k, quantity] of QUANTITIES.entries()) {
        cells[0][k].textContent = as_text(quantity, read[i + 1][k]);
        cells[1][k].textContent = as_text(quantity, meant[i][k]);
      }
    }
    spread_text.textContent = number(wide);
    fill.style.width = `${Math.min(100, (100 * wide) / FULL)}%`;
    if (motion) return; // Told is where it ends.
    const now = chosen
      ? `The ${names[chosen]} is ${said(read[chosen])}. It votes for a face ${said(meant[chosen - 1])}.`
      : `The head is ${said(read[0])}.`;
    status.textContent = [model.get("_told"), now, `Spread of the four votes: ${number(wide)} px.`].filter(Boolean).join(" ");
  }

  /** Names of the parts at the crown or chin of the face that they vote for, one text for those that say the same. */
  function label(meant) {
    const middle = meant.reduce((sum, vote) => sum + vote[1] / meant.length, 0);
    const groups = new Map();
    for (const [i, [x, y]] of meant.entries()) {
      const first = [...groups.keys()].find((j) => Math.hypot(x - meant[j][0], y - meant[j][1]) <= NEAR) ?? i;
      groups.set(first, [...(groups.get(first) ?? []), i]);
    }
    for (const [i, text] of labels.entries()) {
      const members = groups.get(i);
      text.textContent = members ? says(members.map((k) => names[k + 1]), members.length === meant.length) : "";
      if (!members) continue;
      const [x, y, , scale] = meant[i];
      const above = y + (y >= middle ? 1 : -1) * (crown * scale + 1);
      const room = EDGE - 0.3 * text.textContent.length; // A letter is at most 0.6 wide.
      set(text, { x: board.x(between([-room, room], x)), y: board.y(between([0.8 - EDGE, EDGE - 0.8], above)) + 5 });
    }
  }

  return { draw, stop: halt };
});
