/** VoteRouter: all numbers in a table. */
import { coupling_scale, diverging, html, number } from "../dom.js";
import { italic } from "../formula.js";
import { column_sum } from "./words.js";

const tint = diverging("coupling");

/** The table of b, c and a: a row a part, of which there are `most`, a column a whole; and the sums of c, which softmax keeps at 1 or does not. */
export function routing_table(most, choose) {
  const groups = Object.entries({ b: "logit", c: "share", a: "agreement" }).map(([quantity, title]) => {
    const colspan = quantity === "c" ? 3 : 2;
    return html("th", { scope: "colgroup", colspan, class: `caps-vr-${quantity}` }, italic(quantity), ` ${title}`);
  });
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

  function draw(now, shown, chosen, wholes) {
    for (const [k, name] of names.entries()) name.textContent = wholes[k % 2];
    rows.forEach(({ node: row, cells, sum }, i) => {
      row.style.display = i < now.I ? "" : "none";
      if (i >= now.I) return;
      row.classList.toggle("caps-vr-row", chosen.i === i);
      for (const { quantity, j, node: cell } of cells) {
        const value = now[quantity][2 * i + j];
        const told = quantity !== "a" || shown.agreement;
        cell.textContent = told ? number(value, 3) : "";
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
