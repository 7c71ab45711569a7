/**
 * A plane with axes, arrows, and points that are moved by mouse, touch and arrow keys.
 *
 *   const board = plane({ label: "Votes for face", x: [-2.5, 2.5], y: [-2.5, 2.5], unit: "length 1" });
 *   el.append(board.node); // an <svg>, as wide as its container
 *   const s = board.arrow({ stroke: colour("v"), width: 4 }); // tail at 0; s.to(x, y), s.to(x, y, from_x, from_y)
 *   const handle = board.handle(
 *     { test: "vote-0-0", label: "vote of part 0", move: (x, y) => …, choose: () => … },
 *     svg("circle", { r: 6, fill: colour("u_hat") }), // its look, drawn around 0, 0 in pixels
 *   );
 *   handle.place(0.5, 1, "x 0.50, y 1.00, length 1.12"); // the text is what a screen reader says
 *
 * `move` is only told where the learner wants the point; whoever owns the numbers places the handle. Marks of your own
 * go into `board.marks` (above the grid, below the handles), at `board.x(value)`, `board.y(value)` pixels of the SVG.
 */
import { number, set, svg, svg_point } from "./dom.js";

const LARGER = 5; // steps with Shift

/**
 * @param {Object} options
 *   label: the plane's name for screen readers;
 *   x, y: [left, right] and [bottom, top], in the same units and drawn to one scale;
 *   size: width in pixels of the SVG (it scales with its container);
 *   grid: distance of the grid's lines, and of the numbers on the axes; 0 for neither;
 *   unit: text on a dashed circle of radius 1 around 0, or undefined for no circle;
 *   step, snap: an arrow key moves by `step` (Shift: five times that), a drag lands on multiples of `snap`
 * @returns {{node, marks, x, y, at, arrow, handle, written}} `x`, `y`: numbers to pixels; `at(event)`: a pointer's [x, y];
 *   `written`: the box of the unit's text, in pixels
 */
export function plane({ label, x, y, size = 360, grid = 1, unit, step = 0.1, snap = 0.05 }) {
  const scale = size / Math.abs(x[1] - x[0]);
  const height = scale * Math.abs(y[1] - y[0]);
  const ways = [Math.sign(x[1] - x[0]), Math.sign(y[1] - y[0])]; // of right and of up
  const to_x = (value) => ways[0] * (value - x[0]) * scale;
  const to_y = (value) => height - ways[1] * (value - y[0]) * scale;
  const marks = svg("g");
  const handles = svg("g");
  const paper = svg("g", { class: "caps-plane-paper", "aria-hidden": "true" });
  const node = svg(
    "svg",
    { viewBox: `0 0 ${size} ${height}`, class: "caps-plane", role: "group", "aria-label": label },
    ...[paper, marks, handles],
  );

  const line = (x1, y1, x2, y2, axis) => svg("line", { x1, y1, x2, y2, class: axis ? "caps-axis" : "caps-grid" });
  const lines = ([from, to]) => {
    const [low, high] = [Math.ceil(Math.min(from, to) / grid), Math.floor(Math.max(from, to) / grid)];
    return Array.from({ length: high - low + 1 }, (_, k) => (low + k) * grid);
  };
  paper.append(svg("rect", { width: size, height, rx: 4, class: "caps-plane-page" }));
  if (grid) {
    const text = (value, attributes) => svg("text", attributes, number(value, Number.isInteger(grid) ? 0 : 1));
    for (const value of lines(x)) {
      paper.append(line(to_x(value), 0, to_x(value), height, value === 0));
      const inside = to_x(value) > 12 && to_x(value) < size - 12;
      if (value !== 0 && inside) paper.append(text(value, { x: to_x(value), y: height - 5, "text-anchor": "middle" }));
    }
    for (const value of lines(y)) {
      paper.append(line(0, to_y(value), size, to_y(value), value === 0));
      const inside = to_y(value) > 12 && to_y(value) < height - 18;
      if (value !== 0 && inside) paper.append(text(value, { x: 5, y: to_y(value) + 4 }));
    }
  }
  let written; // the box of the unit's text
  if (unit !== undefined) {
    paper.append(svg("circle", { cx: to_x(0), cy: to_y(0), r: scale, class: "caps-unit" }));
    const [right, foot] = [to_x(0) - 0.72 * scale - 3, to_y(0) + 0.72 * scale + 9];
    paper.append(svg("text", { x: right, y: foot, "text-anchor": "end" }, unit));
    written = { left: right - 6.5 * unit.length, right, top: foot - 10, bottom: foot + 3 };
  }

  const at = (event) => {
    const point = svg_point(node, event);
    return [x[0] + (ways[0] * point.x) / scale, y[0] + (ways[1] * (height - point.y)) / scale];
  };

  /**
   * An arrow from 0, 0, above the marks so far. `to(x, y)` moves its tip, `to(x, y, from_x, from_y)` its tail as well;
   * `thick(width)` counts from the next `to` on.
   */
  function arrow({ stroke, width = 2, ...more }) {
    const shaft = svg("line", { stroke, "stroke-width": width, "stroke-linecap": "butt" });
    const head = svg("path", { fill: stroke });
    const group = svg("g", more, shaft, head);
    const to = (tip_x, tip_y, from_x = 0, from_y = 0) => {
      const [x1, y1, x2, y2] = [to_x(from_x), to_y(from_y), to_x(tip_x), to_y(tip_y)];
      const long = Math.hypot(x2 - x1, y2 - y1);
      const thick = Number(shaft.getAttribute("stroke-width"));
      const tall = Math.min(long, 5 + 2 * thick); // A short arrow is all head.
      const wide = (tall * (3 + 1.1 * thick)) / (5 + 2 * thick);
      const [along_x, along_y] = long ? [(x2 - x1) / long, (y2 - y1) / long] : [0, 0];
      const [foot_x, foot_y] = [x2 - tall * along_x, y2 - tall * along_y];
      set(shaft, { x1, y1, x2: foot_x, y2: foot_y });
      const corner = (side) => `${foot_x + side * wide * along_y},${foot_y - side * wide * along_x}`;
      set(head, { d: long ? `M${x2},${y2} L${corner(1)} L${corner(-1)} Z` : "" });
    };
    marks.append(group);
    return { node: group, to, thick: (value) => set(shaft, { "stroke-width": value }) };
  }

  /**
   * A point that the learner moves.
   * @param {Object} options
   *   test: its data-testid; label: its name for screen readers;
   *   move(x, y): called while it is dragged and at each arrow key, within the plane;
   *   choose(): called when it gets the focus or is taken by a pointer
   * @param look SVG elements around 0, 0
   * @returns {{node, place, remove}} `place(x, y, text)` puts it there
   */
  function handle({ test, label: name, move, choose }, ...look) {
    const [low, high] = [Math.min(...x), Math.max(...x)];
    const handle_node = svg(
      "g",
      {
        ...{ class: "caps-handle", tabindex: 0, role: "slider", "aria-roledescription": "point in the plane" },
        ...{ "aria-label": name, "aria-valuemin": low, "aria-valuemax": high, "data-testid": test },
      },
      svg("circle", { r: 15, class: "caps-handle-ring" }),
      svg("g", { stroke: "none" }, ...look),
    );
    let [now_x, now_y] = [0, 0];
    let grabbed; // {pointer, dx, dy}: a point does not jump to the pointer that takes it beside its middle
    const inside = (value, range) => Math.max(Math.min(...range), Math.min(Math.max(...range), value));
    const tidy = (value) => Number((Math.round(value / snap) * snap).toFixed(6));
    const drop = () => {
      grabbed = undefined;
      handle_node.classList.remove("caps-held");
    };
    const listeners = {
      focus: () => choose?.(),
      pointerdown: (event) => {
        if (event.button !== 0 || grabbed) return;
        event.preventDefault(); // No text is selected; so the focus is ours to give.
        if (document.activeElement === handle_node) choose?.();
        else handle_node.focus({ preventScroll: true });
        handle_node.setPointerCapture(event.pointerId);
        const [px, py] = at(event);
        grabbed = { pointer: event.pointerId, dx: now_x - px, dy: now_y - py };
        handle_node.classList.add("caps-held");
      },
      pointermove: (event) => {
        if (event.pointerId !== grabbed?.pointer) return;
        const [px, py] = at(event);
        const [next_x, next_y] = [inside(tidy(px + grabbed.dx), x), inside(tidy(py + grabbed.dy), y)];
        if (next_x !== now_x || next_y !== now_y) move(next_x, next_y);
      },
      pointerup: drop,
      pointercancel: drop,
      lostpointercapture: drop,
      keydown: (event) => {
        const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        const by = step * (event.shiftKey ? LARGER : 1);
        if (way[0]) move(inside(tidy(now_x + by * way[0] * ways[0]), x), now_y);
        else move(now_x, inside(tidy(now_y + by * way[1] * ways[1]), y));
      },
    };
    for (const [kind, listener] of Object.entries(listeners)) handle_node.addEventListener(kind, listener);
    // A finger on the point must not scroll the page; Chromium heeds touch-action on the outermost <svg> alone.
    handle_node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    handles.append(handle_node);
    return {
      node: handle_node,
      place(at_x, at_y, text = `x ${number(at_x)}, y ${number(at_y)}`) {
        [now_x, now_y] = [at_x, at_y];
        const transform = `translate(${to_x(at_x)} ${to_y(at_y)})`;
        set(handle_node, { transform, "aria-valuenow": at_x, "aria-valuetext": text });
      },
      remove: () => handle_node.remove(),
    };
  }

  return { node, marks, x: to_x, y: to_y, at, arrow, handle, written };
}
