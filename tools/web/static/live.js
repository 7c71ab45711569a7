/** The site's own script, after widgets.js: it puts the widgets into their places, folds code, and plays the first picture. */

/** What the scripts of a page bring: programs by their keys, and the states of its models by their ids. */
const course = {
  programs: {},
  models: {},
  program(key, text) {
    this.programs[key] = text;
  },
  states(models) {
    Object.assign(this.models, models);
  },
};
Object.assign(window, { course });

/** Give each state its program and styles, which it names by a key, and draw what the page shows. */
async function widgets() {
  for (const { state } of Object.values(course.models)) {
    if (state._esm in course.programs) [state._esm, state._css] = course.programs[state._esm];
  }
  await show_all(course.models);
}

/** A button over each code cell that folds it, and one that folds all of a page; the choice is kept for the next page. */
function folds() {
  const cells = [...document.querySelectorAll(".cell_input")];
  if (!cells.length) return;
  const KEY = "course-code";
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // A browser may refuse it to a file.
    }
  };
  const buttons = cells.map((cell) => {
    const button = document.createElement("button");
    button.className = "course-fold";
    button.addEventListener("click", () => fold(cell, button, !cell.classList.contains("course-folded")));
    cell.prepend(button);
    return button;
  });
  function fold(cell, button, folded) {
    cell.classList.toggle("course-folded", folded);
    button.textContent = folded ? "Show code" : "Hide code";
    button.setAttribute("aria-expanded", String(!folded));
  }
  const all = document.createElement("button");
  all.className = "course-fold-all";
  let hidden = stored() === "hidden";
  function draw() {
    all.textContent = hidden ? "Show all code" : "Hide all code";
    for (const [n, cell] of cells.entries()) fold(cell, buttons[n], hidden);
  }
  all.addEventListener("click", () => {
    hidden = !hidden;
    try {
      localStorage.setItem(KEY, hidden ? "hidden" : "shown");
    } catch {
      // Then it holds for this page.
    }
    draw();
  });
  document.querySelector("article h1")?.after(all);
  draw();
}

/** The landing page's explorer plays by itself, unless the reader's machine asks for less motion. */
function play() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  /** @type {HTMLElement | null} */
  const button = document.querySelector(".course-playing [data-testid=re-play]");
  button?.click();
}

/** Paper is white: a dark page is printed in the light colours. */
function print_light() {
  const { dataset } = document.documentElement;
  let theme;
  addEventListener("beforeprint", () => {
    theme = dataset.theme;
    dataset.theme = "light";
  });
  addEventListener("afterprint", () => (dataset.theme = theme));
}

addEventListener("DOMContentLoaded", async () => {
  // Its name hides the words that one sees, so a voice command with them would find nothing.
  for (const button of document.querySelectorAll(".search-button__button")) button.removeAttribute("aria-label");
  folds();
  print_light();
  await widgets();
  play();
  document.documentElement.dataset.course = "ready";
});
