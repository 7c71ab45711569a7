/** JupyterLite's service worker, and before it: what was loaded once is kept, and each piece that arrives is told. */

const KEPT = "course";
const told = new BroadcastChannel("course-loading");

/** Python's files lie in a folder whose name changes with them. */
const PYTHON = /\/pyodide-[0-9a-f]{12}\//;

/** Pass an answer on, and tell how many bytes of it have come. */
function counted(answer, url) {
  const count = new TransformStream({
    transform(piece, control) {
      told.postMessage({ url, bytes: piece.byteLength });
      control.enqueue(piece);
    },
  });
  return new Response(answer.body.pipeThrough(count), answer);
}

/** Python's files come from what is kept; everything else from the network, and without one from what is kept. */
async function answer(event) {
  const { request } = event;
  const cache = await caches.open(KEPT);
  const python = PYTHON.test(request.url);
  const old = await cache.match(request);
  if (python && old) return counted(old, request.url);
  try {
    const found = await fetch(request);
    if (found.ok) event.waitUntil(cache.put(request, found.clone()));
    return python && found.ok ? counted(found, request.url) : found;
  } catch (error) {
    if (old) return old;
    if (python) told.postMessage({ failed: new URL(request.url).pathname.replace(/^.*\//, "") });
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const dynamic = pathname.includes("/api/") && !pathname.includes("/api/contents/");
  if (event.request.method === "GET" && origin === location.origin && !dynamic) event.respondWith(answer(event));
});

importScripts("jupyterlite-worker.js");
