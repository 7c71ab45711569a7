/** The line above a lesson that runs in the browser: what is loading and how far it is, and then its buttons. */

const script = document.currentScript;
const TOTAL = Number(script.dataset.bytes);
const SITE = new URL("..", script.src);
const path = new URLSearchParams(location.search).get("path") ?? "";
const name = path.replace(/^.*\//, "");
const COPY = path.replace(/(\.ipynb)$/, "-before-starting-over$1");
/** Under this name the page that comes after "Start over" finds the copy that was kept. */
const KEY = "course-started-over";

function element(kind, text, more = {}) {
  const made = Object.assign(document.createElement(kind), more);
  made.textContent = text;
  return made;
}

const bar = element("div", "", { id: "course-bar" });
const said = element("span", "");
said.setAttribute("role", "status");
const progress = element("progress", "", { max: TOTAL, value: 0, ariaLabel: "How much of Python is loaded" });
const count = element("span", "", { className: "count" });
const page = element("a", "Back to the page", { href: new URL(path.replace(/\.ipynb$/, ".html"), SITE).href });
const buttons = [button("Run all", runAll), button("Download", download), button("Start over", startOver)];
bar.append(said, progress, count, element("span", "", { className: "space" }), ...buttons, page);

function button(text, action) {
  const made = element("button", text, { disabled: true });
  made.addEventListener("click", action);
  return made;
}

function tell(state, text) {
  bar.dataset.state = state;
  said.textContent = text;
}

/** The notebook on the page. */
function panel() {
  return window.jupyterapp?.shell.currentWidget;
}

function runAll() {
  jupyterapp.commands.execute("notebook:run-all-cells");
}

function download() {
  const text = JSON.stringify(panel().content.model.toJSON(), null, 1);
  const address = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
  element("a", "", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** The lesson as it was published; what was there stays under another name, for who did not mean it. */
async function startOver() {
  const { contents } = jupyterapp.serviceManager;
  const here = location.href; // A notebook that gets another name gives it to its page.
  await panel().context.save();
  await contents.delete(COPY).catch(() => {});
  await contents.rename(path, COPY);
  sessionStorage.setItem(KEY, path);
  location.replace(here);
}

/** Wait until something is there, and give it. */
async function until(find) {
  for (;;) {
    const found = find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Show what the service worker tells of Python's files. */
function follow() {
  let bytes = 0;
  new BroadcastChannel("course-loading").addEventListener("message", ({ data }) => {
    if (data.failed) tell("failed", `${data.failed} could not be loaded. Look at your connection, and load this page again.`);
    if (bar.dataset.state !== "loading") return;
    bytes += data.bytes ?? 0;
    progress.value = bytes;
    count.textContent = `${Math.min(bytes / 1e6, TOTAL / 1e6).toFixed(0)} of ${(TOTAL / 1e6).toFixed(0)} MB`;
    if (bytes >= TOTAL) tell("starting", "Python is loaded and starts …");
  });
}

/** A link to a lesson that is not here leads to its page. */
async function leaveByLinks() {
  const { content } = await jupyterapp.serviceManager.contents.get("notebooks", { content: true });
  const here = new Set(content.map((file) => file.path));
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.("a[data-commandlinker-args]");
      const to = link && JSON.parse(link.dataset.commandlinkerArgs).path;
      if (!to?.endsWith(".ipynb") || here.has(to)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      window.open(new URL(to.replace(/\.ipynb$/, ".html"), SITE));
    },
    true,
  );
}

/** What the page loaded before its service worker was there: asked for once more, the worker keeps it. */
async function keep() {
  if (!navigator.serviceWorker?.controller) return;
  const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  const ours = loaded.filter((address) => address.startsWith(new URL("try/", SITE).href));
  const cache = await caches.open("course");
  for (const address of new Set([location.href, ...ours])) {
    if (!(await cache.match(address))) await fetch(address).catch(() => {});
  }
  bar.dataset.kept = "all";
}

async function main() {
  document.body.prepend(bar);
  if (location.protocol === "file:") {
    tell("failed", "A browser runs Python only in pages of a web server. In the site's folder run: python3 -m http.server, and open localhost:8000");
    return;
  }
  const began = performance.now();
  performance.setResourceTimingBufferSize(1000);
  tell("loading", "Loading the notebook …");
  follow();
  const { sessionContext } = await until(() => panel()?.sessionContext && panel());
  for (const one of buttons) one.disabled = false;
  leaveByLinks();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) panel().context.save();
  });
  if (bar.dataset.state === "loading") tell("loading", "Loading Python …");
  const kernel = await until(() => sessionContext.session?.kernel);
  // What a first cell would wait for; without a history it does not count as a cell.
  const code = "import capslib.exercises, capslib.widgets";
  const { done } = kernel.requestExecute({ code, silent: true, store_history: false });
  const { content } = await done;
  if (content.status !== "ok") return tell("failed", `Python could not start: ${content.evalue}`);
  keep();
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  tell("ready", `Ready after ${seconds} s. Shift+Enter runs a cell. Your changes are kept in this browser.`);
  if (sessionStorage.getItem(KEY) === path) {
    sessionStorage.removeItem(KEY);
    tell("ready", "This is the lesson as it was published. ");
    said.append(element("a", "What you had is here.", { href: `?path=${encodeURIComponent(COPY)}` }));
  }
}

main();
