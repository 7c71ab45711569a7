/** One tooltip for all controls and pictures: under the pointer, or below what the keyboard has reached. */
import { html, set, svg_point, unique } from "../dom.js";
import { meanings } from "./parts.js";

/** What has a meaning at or around an event's target. @param {Event} event */
function meant(event) {
  for (let node = event.target; node instanceof Element; node = node.parentElement) if (meanings.has(node)) return node;
  return undefined;
}

/** @param {HTMLElement} root within which it works */
export function tooltip(root) {
  const node = html("div", { role: "tooltip", id: unique(), class: "caps-re-tip", "data-testid": "re-tip", hidden: "" });
  /** @type {Element|undefined} */
  let about;
  /** @type {PointerEvent|undefined} */
  let pointer; // none where the keyboard has led here

  function hide() {
    about?.removeAttribute("aria-describedby");
    about = undefined;
    node.hidden = true;
  }
  /** The text for now. */
  function text() {
    const meaning = meanings.get(about);
    if (typeof meaning === "string") return meaning;
    return meaning(pointer && about instanceof SVGSVGElement ? svg_point(about, pointer) : undefined);
  }
  function draw() {
    if (!about) return;
    const words = text();
    if (node.textContent !== words) node.textContent = words;
  }
  /** @param {Element} target @param {PointerEvent} [event] */
  function show(target, event) {
    if (about !== target) hide();
    about = target;
    pointer = event;
    set(target, { "aria-describedby": node.id });
    draw();
    node.hidden = false;
    const [frame, box] = [root.getBoundingClientRect(), target.getBoundingClientRect()];
    const [x, y] = event ? [event.clientX + 14, event.clientY + 18] : [box.left, box.bottom + 4];
    const over = (event ? event.clientY : box.top) - node.offsetHeight - 8; // where there is no room below
    const below = y + node.offsetHeight > frame.bottom && over > frame.top ? over : y;
    node.style.left = `${Math.max(0, Math.min(x - frame.left, frame.width - node.offsetWidth))}px`;
    node.style.top = `${below - frame.top}px`;
  }

  root.addEventListener("pointermove", (event) => {
    const target = meant(event);
    if (event.pointerType === "touch" || event.buttons) return;
    if (target) show(target, event);
    else hide();
  });
  root.addEventListener("pointerdown", hide);
  root.addEventListener("pointerleave", hide);
  root.addEventListener("focusin", (event) => {
    const target = meant(event);
    if (target === event.target && target.matches(":focus-visible")) show(target);
    else if (!pointer) hide();
  });
  root.addEventListener("focusout", () => {
    if (!pointer) hide();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  root.append(node);
  return { draw };
}
