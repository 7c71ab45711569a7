/** The pictures of the vote router: a plane for each whole, and the table of all parts. */
import { colour, coupling_scale, diverging, html, number, set, svg } from "../dom.js";
import { italic } from "../formula.js";
import { plane } from "../plane.js";
import { nats } from "./em_steps.js";
import { label_places } from "./labels.js";
import { column_sum, vector_at } from "./steps.js";

/** @typedef {import("./steps.js").Iteration} Iteration @typedef {import("./steps.js").Pair} Pair */
/** What a step has computed already. @typedef {{sum: boolean, squash: boolean, agreement: boolean}} Shown */


const tint = diverging("coupling");
const SIZE = 330; // of a plane

/** A number with its sign, also where it is a plus. @param {number} x */
const signed = (x, digits = 2) => (number(x, digits).startsWith("−") ? "" : "+") + number(x, digits);

/**
 * The plane of whole j: its votes to drag, their weighted mean, v (until it is computed the v of the iteration before, as a
 * ghost), and how far the chosen vote goes along v. Under EM an ellipse of two standard deviations stands for v, and the
 * lines to the votes begin at its middle.
 * @param {number} j
 * @param {number} reach how far from 0 a component of a vote may be
 * @param {{move: (i: number, j: number, x: number, y: number) => void, choose: (i: number, j: number) => void}} act
 */
export function votes_plane(j, reach, { move, choose }) {
  const rim = 1.12 * reach; // A vote at the edge still has room for its number.
  const board = plane({ label: "", x: [-rim, rim], y: [-rim, rim], size: SIZE, unit: "length 1" });
  const lines = svg("g", { stroke: colour("u_hat") });
  board.marks.append(lines);
  const ghost = board.arrow({ stroke: colour("v"), width: 3, class: "caps-vr-ghost" });
  const v = board.arrow({ stroke: colour("v"), width: 4, class: "caps-vr-v" });
  const [old_ellipse, ellipse] = ["caps-vr-ellipse caps-vr-old", "caps-vr-ellipse"].map((name) => svg("ellipse", { class: name }));
  const shadow = svg("path", { class: "caps-vr-shadow" });
  const mean = svg("path", { d: "M0,-7 L7,0 L0,7 L-7,0 Z", class: "caps-vr-mean" });
  board.marks.append(old_ellipse, ellipse, shadow, mean);
  /** @param {number} value */
  const within = (value) => Math.max(-reach, Math.min(reach, value));
  /** @type {ReturnType<typeof make_vote>[]} */
  const votes = [];
  /** @param {number} i */
  function make_vote(i) {
    const line = svg("line");
    lines.append(line);
    const ring = svg("circle", { class: "caps-vr-chosen" });
    const dot = svg("circle", { fill: colour("u"), class: "caps-vr-dot" });
    const value = svg("tspan", { class: "caps-vr-agreement" });
    const part = svg("tspan", {}, `${i}`);
    const text = svg("text", { class: "caps-vr-part", "text-anchor": "middle" }, part, value);
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
  const [norm_of, presence_of] = [html("span"), html("span")];
  const bar = html("span");
  const node = html(
    "div",
    {},
    html("div", { class: "caps-vr-head" }, name, html("span", {}, norm_of, norm), html("span", {}, presence_of, presence)),
    html("div", { class: "caps-vr-bar", "aria-hidden": "true" }, bar),
    board.node,
  );

  /**
   * @param {ReturnType<typeof make_vote>} vote
   * @param {number} i
   * @param {Iteration} now
   * @param {Shown} shown
   * @param {Pair} chosen
   * @param {string} whole
   * @param {number[]|undefined} from where its line begins
   */
  function draw_vote({ line, handle, ring, dot, text, value }, i, now, shown, chosen, whole, from) {
    const [x, y] = vector_at(now.u_hat, 2 * i + j);
    const share = now.c[2 * i + j];
    const r = 3 + 6 * Math.sqrt(share);
    const is_chosen = chosen.i === i && chosen.j === j;
    const [x1, y1] = from ?? [x, y];
    const ends = { x1: board.x(x1), y1: board.y(y1), x2: board.x(x), y2: board.y(y) };
    set(line, { ...ends, "stroke-width": 0.7 + 11 * share });
    set(dot, { r });
    set(ring, { r: r + 3.5, display: is_chosen ? "inline" : "none" });
    value.textContent = shown.agreement ? ` ${signed(now.a[2 * i + j])}` : "";
    handle.node.setAttribute("aria-label", `Vote of part ${i} for ${whole}`);
    const share_of = now.em ? "responsibility" : "coupling";
    handle.place(x, y, `x ${number(x)}, y ${number(y)}, ${share_of} ${number(share, 3)}`);
    const wide = 9 + 6.8 * value.textContent.length;
    return { text, x: board.x(x), y: board.y(y), r: is_chosen ? r + 4.5 : r, wide };
  }

  /** Labels beside their dots, on nothing else. @param {ReturnType<typeof draw_vote>[]} marked @param {number[][]} tips */
  function place_labels(marked, tips, origin = [0, 0]) {
    const taken = [board.written, ...tips.map(([x, y]) => ({ left: x - 8, right: x + 8, top: y - 8, bottom: y + 8 }))];
    const places = label_places(marked, { size: SIZE, origin: [board.x(origin[0]), board.y(origin[1])], taken });
    for (const [k, { text, x, y }] of marked.entries()) set(text, { x: places[k][0] - x, y: places[k][1] - y + 4 });
  }

  /** @param {SVGElement} of @param {import("./steps.js").Fitted|undefined} fitted */
  function place_ellipse(of, fitted) {
    of.setAttribute("display", fitted ? "inline" : "none");
    if (!fitted) return;
    const [mean_of, [right, up]] = [vector_at(fitted.means, j), vector_at(fitted.variances, j).map((x) => 2 * Math.sqrt(x))];
    const [cx, cy] = [board.x(mean_of[0]), board.y(mean_of[1])];
    set(of, { cx, cy, rx: board.x(mean_of[0] + right) - cx, ry: cy - board.y(mean_of[1] + up) });
  }

  /** One votes' handle a part. @param {Iteration} now */
  function as_many(now) {
    while (votes.length < now.I) votes.push(make_vote(votes.length));
    for (const { line, handle } of votes.splice(now.I)) {
      line.remove();
      handle.remove();
    }
  }

  /** @param {Iteration} now @param {Shown} shown @param {Pair} chosen @param {string} whole */
  function draw_em(now, shown, chosen, whole) {
    const { em } = now;
    if (!em) return;
    const fitted = shown.sum ? em : em.before;
    const middle = fitted && vector_at(fitted.means, j);
    const deviations = vector_at(em.variances, j).map((x) => number(Math.sqrt(x), 3));
    norm_of.textContent = "σ ";
    presence_of.textContent = "a ";
    norm.textContent = shown.squash ? `(${deviations.join(", ")})` : "–";
    presence.textContent = shown.squash ? number(em.activations[j], 3) : "–";
    bar.style.width = `${shown.squash ? 100 * em.activations[j] : 0}%`;
    as_many(now);
    const marked = votes.map((vote, i) => draw_vote(vote, i, now, shown, chosen, whole, middle));
    const at = middle && [board.x(middle[0]), board.y(middle[1])];
    set(mean, { transform: `translate(${at ?? [0, 0]})`, display: shown.sum ? "inline" : "none" });
    place_labels(marked, at ? [at] : [], middle);
    place_ellipse(ellipse, shown.squash ? em : undefined);
    place_ellipse(old_ellipse, shown.squash ? undefined : em.before);
    for (const node of [ghost.node, v.node, shadow]) node.setAttribute("display", "none");
  }

  /** @param {Iteration} now @param {Shown} shown @param {Pair} chosen @param {string} whole */
  function draw(now, shown, chosen, whole) {
    const [s, tip] = [vector_at(now.s, j), vector_at(now.v, j)];
    const long = Math.hypot(...tip);
    name.textContent = whole;
    board.node.setAttribute("aria-label", `Votes for ${whole}`);
    if (now.em) {
      draw_em(now, shown, chosen, whole);
      return;
    }
    for (const of of [old_ellipse, ellipse]) place_ellipse(of, undefined);
    norm_of.textContent = "‖s‖ ";
    presence_of.textContent = "‖v‖ ";
    norm.textContent = shown.sum ? number(Math.hypot(...s), 3) : "–";
    presence.textContent = shown.squash ? number(long, 3) : "–";
    bar.style.width = `${shown.squash ? 100 * long : 0}%`;
    as_many(now);
    const marked = votes.map((vote, i) => draw_vote(vote, i, now, shown, chosen, whole, [0, 0]));
    const total = column_sum(now.c, j);
    const middle = [board.x(s[0] / total), board.y(s[1] / total)];
    set(mean, { transform: `translate(${middle})`, display: shown.sum ? "inline" : "none" });
    const old = now.before && !shown.squash ? vector_at(now.before, j) : undefined;
    ghost.node.setAttribute("display", old ? "inline" : "none");
    if (old) ghost.to(...old);
    v.to(...tip);
    const arrow = old ?? (shown.squash ? tip : undefined);
    place_labels(marked, [...(shown.sum ? [middle] : []), ...(arrow ? [[board.x(arrow[0]), board.y(arrow[1])]] : [])]);
    v.node.setAttribute("display", shown.squash ? "inline" : "none");
    // From the chosen vote down to the line of v, and along it to 0: agreement is that way along, times ‖v‖.
    const falls = shown.agreement && chosen.j === j && long > 1e-6;
    shadow.setAttribute("display", falls ? "inline" : "none");
    if (!falls) return;
    const along = now.a[2 * chosen.i + j] / long ** 2;
    const [x, y] = vector_at(now.u_hat, 2 * chosen.i + j);
    const corners = [[x, y], [along * tip[0], along * tip[1]], [0, 0]];
    set(shadow, { d: `M${corners.map(([right, up]) => `${board.x(right)},${board.y(up)}`).join(" L")}` });
  }
  return { node, draw };
}

/**
 * The table of b, c and a: a row a part, a column a whole; and the sums of c, which softmax keeps at 1 or does not.
 * @param {number} most how many parts there may be
 * @param {(i: number, j: number) => void} choose
 */
export function routing_table(most, choose) {
  const groups = [..."bca"].map((quantity) =>
    html("th", { scope: "colgroup", colspan: quantity === "c" ? 3 : 2, class: `caps-vr-${quantity}` }),
  );
  const names = Array.from({ length: 6 }, () => html("th", { scope: "col" }));
  const rows = Array.from({ length: most }, (_, i) => {
    const cells = [..."bca"].flatMap((quantity) =>
      [0, 1].map((j) => ({ quantity, j, node: html("td", { onclick: () => choose(i, j) }) })),
    );
    const sum = html("td", { class: "caps-vr-sum" });
    const [b, c, a] = [0, 2, 4].map((k) => cells.slice(k, k + 2).map(({ node }) => node));
    const part = html("th", { scope: "row" }, `${i}`);
    const node = html("tr", { "data-testid": `vote-row-${i}` }, part, ...b, ...c, sum, ...a);
    return { node, cells, sum };
  });
  const feet = [0, 1].map(() => html("td"));
  const widths = ["narrow", ...Array(4).fill("even"), "wide", "even", "even"];
  /** @param {number} colspan */
  const blank = (colspan) => html("td", { colspan });
  const node = html(
    "table",
    { class: "caps-vr-table", "data-testid": "vote-table" },
    html("caption", {}, "Part by part"),
    html("colgroup", {}, ...widths.map((width) => html("col", { class: `caps-vr-${width}` }))),
    html(
      "thead",
      {},
      html("tr", {}, html("th", { scope: "col", rowspan: 2 }, "part"), ...groups),
      html("tr", {}, ...names.slice(0, 4), html("th", { scope: "col" }, "sum"), ...names.slice(4)),
    ),
    html("tbody", {}, ...rows.map((row) => row.node)),
    html("tfoot", {}, html("tr", {}, html("th", { scope: "row", "aria-label": "sum" }, "Σ"), blank(2), ...feet, blank(3))),
  );

  /** @param {Iteration} now @param {Shown} shown @param {Pair} chosen @param {string[]} wholes */
  function draw(now, shown, chosen, wholes) {
    for (const [k, name] of names.entries()) name.textContent = wholes[k % 2];
    const titles = now.em ? { b: "logit", r: "responsibility", "ln p": "fit" } : { b: "logit", c: "coupling", a: "agreement" };
    for (const [k, [symbol, title]] of Object.entries(titles).entries()) groups[k].replaceChildren(italic(symbol), ` ${title}`);
    rows.forEach(({ node: row, cells, sum }, i) => {
      row.style.display = i < now.I ? "" : "none";
      if (i >= now.I) return;
      row.classList.toggle("caps-vr-row", chosen.i === i);
      for (const { quantity, j, node: cell } of cells) {
        const value = now[quantity][2 * i + j];
        const told = quantity !== "a" || shown.agreement;
        const written = now.em && quantity !== "c" ? nats(value) : number(value, 3);
        cell.textContent = told ? written : "";
        cell.classList.toggle("caps-vr-pair", told && chosen.i === i && chosen.j === j);
        if (quantity !== "c") continue;
        const scaled = coupling_scale(value, 2);
        cell.style.background = tint(scaled);
        cell.style.color = scaled < -0.82 ? "#fff" : "#000";
      }
      const total = now.c[2 * i] + now.c[2 * i + 1];
      const off = Math.abs(total - 1) > 5e-4;
      sum.textContent = number(total, 3) + (off ? " ≠ 1" : "");
      sum.classList.toggle("caps-vr-off", off);
    });
    for (const [j, foot] of feet.entries()) foot.textContent = number(column_sum(now.c, j), 3);
  }
  return { node, draw };
}
