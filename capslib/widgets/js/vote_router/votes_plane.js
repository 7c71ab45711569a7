/** VoteRouter: the plane of one whole, with votes to drag. */
import { colour, html, number, set, svg } from "../dom.js";
import { plane } from "../plane.js";
import { at, column_sum } from "./words.js";

const signed = (x, digits = 2) => (number(x, digits).startsWith("−") ? "" : "+") + number(x, digits);

/** The plane of whole j: its votes to drag, their weighted mean, v, and how far the chosen vote goes along v. */
export function votes_plane(j, reach, { move, choose }) {
  const rim = 1.12 * reach; // A vote at the edge still has room for its number.
  const board = plane({ label: "", x: [-rim, rim], y: [-rim, rim], size: 330, unit: "length 1" });
  const lines = svg("g", { stroke: colour("u_hat") });
  board.marks.append(lines);
  const v = board.arrow({ stroke: colour("v"), width: 4 });
  const shadow = svg("path", { class: "caps-vr-shadow" });
  const mean = svg("path", { d: "M0,-7 L7,0 L0,7 L-7,0 Z", class: "caps-vr-mean" });
  board.marks.append(shadow, mean);
  const within = (value) => Math.max(-reach, Math.min(reach, value));
  const votes = [];
  function make_vote(i) {
    const line = svg("line");
    lines.append(line);
    const ring = svg("circle", { class: "caps-vr-chosen" });
    const dot = svg("circle", { fill: colour("u"), class: "caps-vr-dot" });
    const value = svg("tspan", { class: "caps-vr-agreement", dx: 4 });
    const part = svg("tspan", {}, `${i}`);
    const text = svg("text", { class: "caps-vr-part" }, part, value);
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
    html("div", { class: "caps-vr-head" }, name, html("span", {}, "‖s‖ ", norm), html("span", {}, "‖v‖ ", presence)),
    html("div", { class: "caps-vr-bar", "aria-hidden": "true" }, bar),
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
    for (const [i, vote] of votes.entries()) draw_vote(vote, i, now, shown, chosen, whole);
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
