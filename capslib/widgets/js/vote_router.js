/** Routing of votes that a learner drags: two planes, one table, and the four steps of every iteration. */
import { length, route } from "./equations.js";
import { button, choice, colour, coupling_scale, diverging, html, number, set, svg, widget } from "./dom.js";
import { plane } from "./plane.js";

const STEPS = { softmax: "softmax", sum: "weighted sum", squash: "squash", agreement: "agreement" };
const ORDER = Object.keys(STEPS);
const [FEWEST, MOST, ITERATIONS] = [4, 8, 20];
/** Where the votes of one more part begin, by how many there are: apart from each other and from the presets. */
const NEW = {
  4: [[-2, 0.4], [2, -0.4]],
  5: [[0.7, -1.9], [-2, -1.2]],
  6: [[2.2, 0.5], [-0.3, 2]],
  7: [[-1, -2], [2, 1.6]],
};
const tint = diverging("coupling");

/** Vector k of a flat array of vectors in the plane. */
const at = (x, k) => [x[2 * k], x[2 * k + 1]];
/** Σ_i c_ij over the parts. */
const column_sum = (c, j) => c.reduce((sum, share, place) => sum + (place % 2 === j ? share : 0), 0);

// Numbers and formulas as text ---------------------------------------------------------------------------------------

const signed = (x, digits = 2) => (number(x, digits).startsWith("−") ? "" : "+") + number(x, digits);
/** A factor or a summand: in brackets if it is negative. */
const inner = (x, digits = 3) => (number(x, digits).startsWith("−") ? `(${number(x, digits)})` : number(x, digits));
const vector = (x, digits = 2) => `(${x.map((value) => number(value, digits)).join(", ")})`;
const strong = (...text) => html("b", {}, ...text);
const italic = (text) => html("i", {}, text);
const symbol = (name, index) => html("span", {}, italic(name), html("sub", {}, index));
const power = (...exponent) => html("span", {}, italic("e"), html("sup", {}, ...exponent));
const fraction = (above, below) =>
  html("span", { class: "vr-fraction" }, html("span", {}, ...above), html("span", {}, ...below));
const sum_over = (index) => html("span", {}, "Σ", html("sub", {}, index), " ");
const added = (terms) => terms.flatMap((term, k) => (k ? [" + ", term] : [term]));

/** A positive number, with a power of ten where it is large: logits add up, and exponentials of them grow. */
function positive(x) {
  if (x < 1e5) return number(x, 3);
  const exponent = Math.floor(Math.log10(x));
  return html("span", {}, `${number(x / 10 ** exponent, 3)}·10`, html("sup", {}, `${exponent}`));
}

/**
 * A step's equation: in symbols, with the numbers of the chosen pair, and what to read off it.
 * @param {string} step one of STEPS
 * @param {Object} now the iteration: u_hat, b, c, s, v, a; I parts; `next`, the c of the next iteration or undefined
 * @param {{i: number, j: number}} chosen the pair
 * @param {string[]} wholes their names
 * @param {{over: string, offset: number}} options
 * @returns {Array[]} three lists of nodes and texts
 */
function formula(step, now, { i, j }, wholes, { over, offset }) {
  const whole = wholes[j];
  const here = `${i},${whole}`;
  const pair = 2 * i + j;
  if (step === "softmax") {
    const wrong = over === "lower";
    const places = wrong ? Array.from({ length: now.I }, (_, k) => 2 * k + j) : [2 * i, 2 * i + 1];
    const total = places.reduce((sum, place) => sum + Math.exp(now.b[place]), 0);
    const powers = added(places.map((place) => power(number(now.b[place], 3))));
    return [
      [
        ...[symbol("c", "ij"), " = "],
        fraction([power(symbol("b", "ij"))], [sum_over("k"), power(symbol("b", wrong ? "kj" : "ik"))]),
      ],
      [
        ...[symbol("c", here), " = ", fraction([power(number(now.b[pair], 3))], powers), " = "],
        ...[fraction([positive(Math.exp(now.b[pair]))], [positive(total)]), " = ", strong(number(now.c[pair], 3))],
      ],
      wrong
        ? ["The sum below runs over the parts: each column of c sums to 1, and nothing holds the rows to 1."]
        : [`The sum below runs over the wholes: part ${i} is shared out completely, its row of c sums to 1.`],
    ];
  }
  if (step === "sum") {
    const s = at(now.s, j);
    const terms = Array.from({ length: now.I }, (_, k) => {
      const text = `${number(now.c[2 * k + j], 3)}·${vector(at(now.u_hat, 2 * k + j))}`;
      return html(k === i ? "b" : "span", { class: "vr-term" }, text);
    });
    const shares = number(column_sum(now.c, j), 3);
    return [
      [symbol("s", "j"), " = ", sum_over("i"), symbol("c", "ij"), " ", symbol("û", "ij")],
      [symbol("s", whole), " = ", ...added(terms), " = ", strong(vector(s, 3))],
      [`‖s‖ = ${number(Math.hypot(...s), 3)}. The diamond is the mean: s divided by the sum of shares, ${shares}.`],
    ];
  }
  if (step === "squash") {
    const [s, v] = [at(now.s, j), at(now.v, j)];
    const norm = Math.hypot(...s);
    const [above, below] = [[number(norm, 3)], [`${offset} + ${number(norm ** 2, 3)}`]];
    return [
      [
        ...[symbol("v", "j"), " = "],
        fraction(["‖", symbol("s", "j"), "‖"], [`${offset} + ‖`, symbol("s", "j"), "‖²"]),
        ...[" ", symbol("s", "j")],
      ],
      [symbol("v", whole), " = ", fraction(above, below), ` · ${vector(s, 3)} = `, strong(vector(v, 3))],
      [`‖v‖ = ${number(Math.hypot(...v), 3)}: the direction of s, and a length below 1.`],
    ];
  }
  const [u_hat, v] = [at(now.u_hat, pair), at(now.v, j)];
  const [a, b] = [now.a[pair], now.b[pair]];
  const products = `${number(u_hat[0])}·${inner(v[0])} + ${inner(u_hat[1], 2)}·${inner(v[1])}`;
  const kept = [",  ", symbol("b", here), ` ← ${number(b, 3)} + ${inner(a)} = `, strong(number(b + a, 3))];
  return [
    [
      ...[symbol("a", "ij"), " = ⟨", symbol("û", "ij"), ", ", symbol("v", "j"), "⟩,  "],
      ...[symbol("b", "ij"), " ← ", symbol("b", "ij"), " + ", symbol("a", "ij")],
    ],
    [symbol("a", here), ` = ${products} = `, strong(number(a, 3)), ...(now.next ? kept : [])],
    now.next
      ? [`In the next iteration the share of part ${i} for ${whole} is ${number(now.next[pair], 3)}.`]
      : ["This was the last iteration: its agreement is added to nothing, since no softmax follows."],
  ];
}

// The parts of the picture -------------------------------------------------------------------------------------------

/** The plane of whole j: its votes to drag, their weighted mean, v, and how far the chosen vote goes along v. */
function votes_plane(j, reach, { move, choose }) {
  const rim = 1.12 * reach; // A vote at the edge still has room for its number.
  const board = plane({ label: "", x: [-rim, rim], y: [-rim, rim], size: 330, unit: "length 1" });
  const lines = svg("g", { stroke: colour("u_hat") });
  board.marks.append(lines);
  const v = board.arrow({ stroke: colour("v"), width: 4 });
  const shadow = svg("path", { class: "vr-shadow" });
  const mean = svg("path", { d: "M0,-7 L7,0 L0,7 L-7,0 Z", class: "vr-mean" });
  board.marks.append(shadow, mean);
  const within = (value) => Math.max(-reach, Math.min(reach, value));
  const votes = [];
  function make_vote(i) {
    const line = svg("line");
    lines.append(line);
    const ring = svg("circle", { class: "vr-chosen" });
    const dot = svg("circle", { fill: colour("u"), class: "vr-dot" });
    const value = svg("tspan", { class: "vr-agreement", dx: 4 });
    const part = svg("tspan", {}, `${i}`);
    const text = svg("text", { class: "vr-part" }, part, value);
    const handle = board.handle(
      {
        ...{ test: `vote-${i}-${j}`, label: "", choose: () => choose(i, j) },
        move: (x, y) => move(i, j, within(x), within(y)),
      },
      ...[ring, dot, text],
    );
    return { line, handle, ring, dot, text, value };
  }
  const [name, norm, presence] = [html("b"), html("span"), html("span", { "data-testid": `vote-length-${j}` })];
  const bar = html("span");
  const node = html(
    "div",
    {},
    html("div", { class: "vr-head" }, name, html("span", {}, "‖s‖ ", norm), html("span", {}, "‖v‖ ", presence)),
    html("div", { class: "vr-bar", "aria-hidden": "true" }, bar),
    board.node,
  );

  function draw_vote({ line, handle, ring, dot, text, value }, i, now, shown, chosen, whole) {
    const [x, y] = at(now.u_hat, 2 * i + j);
    const share = now.c[2 * i + j];
    const r = 3 + 6 * Math.sqrt(share);
    const far = Math.hypot(x, y);
    const [out_x, out_y] = far > 0.05 ? [x / far, -y / far] : [1, 0]; // Its number stands beyond the tip.
    const anchor = Math.abs(out_x) < 0.35 ? "middle" : out_x > 0 ? "start" : "end";
    set(line, { x1: board.x(0), y1: board.y(0), x2: board.x(x), y2: board.y(y), "stroke-width": 0.7 + 11 * share });
    set(dot, { r });
    set(ring, { r: r + 3.5, display: chosen.i === i && chosen.j === j ? "inline" : "none" });
    set(text, { x: out_x * (r + 6), y: out_y * (r + 11) + 4, "text-anchor": anchor });
    value.textContent = shown.agreement ? signed(now.a[2 * i + j]) : "";
    handle.node.setAttribute("aria-label", `Vote of part ${i} for ${whole}`);
    handle.place(x, y, `x ${number(x)}, y ${number(y)}, share ${number(share, 3)}`);
  }

  function draw(now, shown, chosen, whole) {
    const [s, tip] = [at(now.s, j), at(now.v, j)];
    const long = Math.hypot(...tip);
    name.textContent = whole;
    board.node.setAttribute("aria-label", `Votes for ${whole}`);
    norm.textContent = shown.sum ? number(Math.hypot(...s), 3) : "–";
    presence.textContent = shown.squash ? number(long, 3) : "–";
    bar.style.width = `${shown.squash ? 100 * long : 0}%`;
    while (votes.length < now.I) votes.push(make_vote(votes.length));
    for (const { line, handle } of votes.splice(now.I)) {
      line.remove();
      handle.remove();
    }
    votes.forEach((vote, i) => draw_vote(vote, i, now, shown, chosen, whole));
    const total = column_sum(now.c, j);
    const transform = `translate(${board.x(s[0] / total)} ${board.y(s[1] / total)})`;
    set(mean, { transform, display: shown.sum ? "inline" : "none" });
    v.to(...tip);
    v.node.setAttribute("display", shown.squash ? "inline" : "none");
    // From the chosen vote down to the line of v, and along it to 0: agreement is that way along, times ‖v‖.
    const falls = shown.agreement && chosen.j === j && long > 1e-6;
    shadow.setAttribute("display", falls ? "inline" : "none");
    if (!falls) return;
    const along = now.a[2 * chosen.i + j] / long ** 2;
    const [x, y] = at(now.u_hat, 2 * chosen.i + j);
    const corners = [[x, y], [along * tip[0], along * tip[1]], [0, 0]];
    set(shadow, { d: `M${corners.map(([right, up]) => `${board.x(right)},${board.y(up)}`).join(" L")}` });
  }
  return { node, draw };
}

/** The table of b, c and a: a row a part, a column a whole; and the sums of c, which softmax keeps at 1 or does not. */
function routing_table(choose) {
  const groups = Object.entries({ b: "logit", c: "share", a: "agreement" }).map(([quantity, title]) => {
    const colspan = quantity === "c" ? 3 : 2;
    return html("th", { scope: "colgroup", colspan, class: `vr-${quantity}` }, italic(quantity), ` ${title}`);
  });
  const names = Array.from({ length: 6 }, () => html("th", { scope: "col" }));
  const rows = Array.from({ length: MOST }, (_, i) => {
    const cells = [..."bca"].flatMap((quantity) =>
      [0, 1].map((j) => ({ quantity, j, node: html("td", { onclick: () => choose(i, j) }) })),
    );
    const sum = html("td", { class: "vr-sum" });
    const [b, c, a] = [0, 2, 4].map((k) => cells.slice(k, k + 2).map(({ node }) => node));
    const part = html("th", { scope: "row" }, `${i}`);
    const node = html("tr", { "data-testid": `vote-row-${i}` }, part, ...b, ...c, sum, ...a);
    return { node, cells, sum };
  });
  const feet = [0, 1].map(() => html("td"));
  const widths = ["narrow", ...Array(4).fill("even"), "wide", "even", "even"];
  const blank = (colspan) => html("td", { colspan });
  const node = html(
    "table",
    { class: "vr-table", "data-testid": "vote-table" },
    html("caption", {}, "Part by part"),
    html("colgroup", {}, ...widths.map((width) => html("col", { class: `vr-${width}` }))),
    html(
      "thead",
      {},
      html("tr", {}, html("th", { scope: "col", rowspan: 2 }, "part"), ...groups),
      html("tr", {}, ...names.slice(0, 4), html("th", { scope: "col" }, "sum"), ...names.slice(4)),
    ),
    html("tbody", {}, ...rows.map((row) => row.node)),
    html("tfoot", {}, html("tr", {}, html("th", { scope: "row", "aria-label": "sum" }, "Σ"), blank(2), ...feet, blank(3))),
  );

  function draw(now, shown, chosen, wholes) {
    names.forEach((name, k) => (name.textContent = wholes[k % 2]));
    rows.forEach(({ node: row, cells, sum }, i) => {
      row.style.display = i < now.I ? "" : "none";
      if (i >= now.I) return;
      row.classList.toggle("vr-row", chosen.i === i);
      for (const { quantity, j, node: cell } of cells) {
        const value = now[quantity][2 * i + j];
        const told = quantity !== "a" || shown.agreement;
        cell.textContent = told ? number(value, 3) : "";
        cell.classList.toggle("vr-pair", told && chosen.i === i && chosen.j === j);
        if (quantity !== "c") continue;
        const scaled = coupling_scale(value, 2);
        cell.style.background = tint(scaled);
        cell.style.color = scaled < -0.82 ? "#fff" : "#000";
      }
      const total = now.c[2 * i] + now.c[2 * i + 1];
      const off = Math.abs(total - 1) > 5e-4;
      sum.textContent = number(total, 3) + (off ? " ≠ 1" : "");
      sum.classList.toggle("vr-off", off);
    });
    feet.forEach((foot, j) => (foot.textContent = number(column_sum(now.c, j), 3)));
  }
  return { node, draw };
}

/** Both lengths against the iteration, with the one that is looked at. */
function length_chart() {
  const [width, height, left, right, top, bottom] = [260, 112, 22, 96, 10, 22];
  const y = (value) => top + (1 - value) * (height - top - bottom);
  const grid = [0, 0.5, 1].flatMap((value) => [
    svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "caps-grid" }),
    svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, `${value}`),
  ]);
  const line = svg("line", { y1: top - 4, y2: height - bottom, class: "vr-here" });
  const label = svg("text", { y: height - 6, "text-anchor": "middle" });
  const curves = [0, 1].map((j) => ({
    curve: svg("path", { class: "vr-curve", "stroke-dasharray": j ? "5 3" : "none" }),
    marks: svg("path", { fill: colour("v") }),
    name: svg("text", { x: width - right + 8, "font-weight": 600 }),
  }));
  const drawn = curves.flatMap(({ curve, marks, name }) => [curve, marks, name]);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, ...grid, line, label, ...drawn);
  const title = html("div", { class: "vr-title" }, "Length ‖v‖ by iteration");
  const node = html("div", { class: "vr-chart" }, title, picture);

  /** A disc for the first whole and a square for the second, larger where one looks. */
  function mark(x, y_of, r, j) {
    if (j) return `M${x - r},${y_of - r} h${2 * r} v${2 * r} h${-2 * r} Z`;
    return `M${x - r},${y_of} a${r},${r} 0 1 0 ${2 * r},0 a${r},${r} 0 1 0 ${-2 * r},0`;
  }

  /** `lengths` (T, 2), `t` the iteration that is looked at. */
  function draw(lengths, t, wholes) {
    const T = lengths.length;
    const gap = (width - left - right - 16) / Math.max(1, T - 1);
    const x = (n) => left + 8 + n * gap;
    set(line, { x1: x(t), x2: x(t) });
    set(label, { x: x(t) });
    label.textContent = `iteration ${t + 1}`;
    const ends = lengths[T - 1].map(y);
    const apart = Math.max(0, 14 - Math.abs(ends[0] - ends[1])) / 2; // Names do not lie on each other.
    const upper = ends[0] <= ends[1] ? 0 : 1;
    curves.forEach(({ curve, marks, name }, j) => {
      const points = lengths.map((of, n) => [x(n), y(of[j])]);
      set(curve, { d: `M${points.join(" L")}` });
      set(marks, { d: points.map(([px, py], n) => mark(px, py, n === t ? 4.5 : 2.5, j)).join(" ") });
      set(name, { y: ends[j] + 4 + (j === upper ? -apart : apart) });
      name.textContent = `${wholes[j]} ${number(lengths[T - 1][j], 3)}`;
    });
    const said = wholes.map((name, j) => `${name} ${lengths.map((of) => number(of[j], 3)).join(", ")}`);
    picture.setAttribute("aria-label", `Lengths by iteration. ${said.join("; ")}`);
  }
  return { node, draw };
}

// The widget ---------------------------------------------------------------------------------------------------------

function start({ model, el }) {
  const get = (name) => model.get(name);
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
  const planes = [0, 1].map((j) => votes_plane(j, get("reach"), { move, choose }));
  const table = routing_table(choose);
  const chart = length_chart();

  const presets = Object.entries(get("presets")).map(([name, votes], n) => {
    const node = button(`vote-preset-${n}`, `Votes: ${name}`, name, () => put({ votes, i: votes.length - 1, j: 0 }));
    return { votes: JSON.stringify(votes), node };
  });
  const add = button("vote-add", "Add a part", "+", () => {
    const votes = get("votes");
    if (votes.length < MOST) put({ votes: [...votes, NEW[votes.length]], i: votes.length });
  });
  const remove = button("vote-remove", "Take the chosen part away", "−", () => {
    const [votes, i] = [get("votes"), part()];
    if (votes.length === FEWEST) return;
    put({ votes: votes.filter((_, k) => k !== i), i: Math.min(i, votes.length - 2) });
  });
  const count = html("span", { class: "vr-count" });

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
  const turn = html("span", { class: "vr-count" });
  const numbers = Array.from({ length: ITERATIONS }, (_, n) => [`${n + 1}`, `${n + 1}`]);
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
    html("div", { class: `vr-${kind}`, "data-testid": `vote-${kind}` }),
  );
  const status = html("p", { class: "vr-status", "aria-live": "polite", "data-testid": "vote-text" });
  const key = html("p", { class: "vr-key" });
  key.append("Line and dot: a vote, as large as its share c. ◇ weighted mean of the votes, s/Σc. Arrow: v. ");
  key.append("Dotted: how far the chosen vote goes along v. ");
  key.append("Drag a vote, or choose it and press the arrow keys (with Shift: larger steps).");

  const group = (name, ...children) => {
    const label = html("span", { class: "vr-label", "aria-hidden": "true" }, name);
    return html("div", { class: "vr-group", role: "group", "aria-label": name }, label, ...children);
  };
  el.append(
    html(
      "div",
      { class: "vr" },
      html(
        "div",
        { class: "caps-row vr-votes" },
        group("Votes", ...presets.map(({ node }) => node)),
        group("Parts", remove, count, add),
      ),
      html("div", { class: "vr-planes" }, ...planes.map(({ node }) => node), key),
      html("div", { class: "vr-side" }, table.node, chart.node),
      html(
        "div",
        { class: "caps-row vr-steps" },
        group("Iteration", slider, turn, most.node),
        group("Step", back, ...steps.map(({ node }) => node), forward),
        html("label", { class: "vr-switch" }, wrong, " softmax over the wrong side"),
      ),
      html("div", { class: "vr-formula" }, ...lines),
      status,
    ),
  );

  /** What the picture shows after this step, in numbers. */
  function told(now, step, t, { i, j }, wholes) {
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

    planes.forEach((of, j) => of.draw(now, shown, chosen, wholes[j]));
    table.draw(now, shown, chosen, wholes);
    const lengths = trace.v.map((v) => [...length(v, 2)]);
    chart.draw(lengths, t, wholes);
    const texts = formula(step, now, chosen, wholes, { over, offset });
    lines.forEach((line, k) => line.replaceChildren(...texts[k]));
    status.textContent = told(now, step, t, chosen, wholes);

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
    const ends = [[add, I === MOST], [remove, I === FEWEST], [back, t + taken === 0], [forward, last]];
    for (const [node, end] of ends) node.setAttribute("aria-disabled", `${end}`);
  }
  return { draw };
}

export default widget(start);
