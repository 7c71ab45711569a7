/**
 * The course's widgets on a page without a kernel. A saved notebook holds the state, styles and program of each widget; this
 * gives them the part of anywidget's model that a widget uses. Whatever Python would do is missing.
 */

/** The bytes of a DataView, a typed array or an ArrayBuffer. */
const bytes_of = (value) => (ArrayBuffer.isView(value)
  ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value));

/** Whether two values of a state are the same, whatever objects hold them. */
function same(one, other) {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  const plain = (value) => (ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? [...bytes_of(value)] : value);
  return JSON.stringify(plain(one)) === JSON.stringify(plain(other));
}

/** What a widget's views share. `saved` is what Python would have received. */
class Model {
  /** From what a notebook saves of a widget: its state, and the bytes, each with its place there; and the page's Models. */
  constructor({ state, buffers = [] }, models) {
    this.widget_manager = models;
    this.state = structuredClone(state);
    for (const { path, data } of buffers) {
      const holder = path.slice(0, -1).reduce((at, step) => at[step], this.state);
      holder[path.at(-1)] = new DataView(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)).buffer);
    }
    this.callbacks = {};
    this.changed = {};
    this.saved = {};
  }

  get(name) {
    return this.state[name];
  }

  /** Set one value, or several; listeners hear of those that are new. */
  set(name, value) {
    const values = typeof name === "object" ? name : { [name]: value };
    const news = Object.entries(values).filter(([key, next]) => !same(this.state[key], next));
    for (const [key, next] of news) this.changed[key] = this.state[key] = next;
    for (const [key, next] of news) this.emit(`change:${key}`, this, next);
    if (news.length) this.emit("change", this);
  }

  save_changes() {
    Object.assign(this.saved, this.changed);
    this.changed = {};
  }

  /** Nobody is there to receive a message. */
  send() {}

  /** Listen to events, whose names are parted by spaces. */
  on(names, callback) {
    for (const name of names.split(/\s+/)) {
      this.callbacks[name] ??= [];
      this.callbacks[name].push(callback);
    }
  }

  /** Listen no longer: to some events or all, with one callback or any. */
  off(names, callback) {
    for (const name of names ? names.split(/\s+/) : Object.keys(this.callbacks)) {
      this.callbacks[name] = (this.callbacks[name] ?? []).filter((other) => callback && other !== callback);
    }
  }

  emit(name, ...given) {
    for (const callback of [...(this.callbacks[name] ?? [])]) callback(...given);
  }
}

/** The models of a page by their ids, each made when it is asked for; one widget may refer to another. */
class Models {
  constructor(states) {
    this.states = states;
    this.made = new Map();
  }

  of(id) {
    if (!this.made.has(id)) this.made.set(id, new Model(this.states[id], this));
    return this.made.get(id);
  }

  /** For widgets, which know it from anywidget. */
  async get_model(id) {
    return this.of(id);
  }
}

const programs = new Map();
/** What the widget's module offers. A program is loaded once; where it is a function, each model has its own answer. */
function loaded(model) {
  const text = model.get("_esm");
  if (!programs.has(text)) {
    const style = document.createElement("style");
    style.textContent = model.get("_css") ?? "";
    document.head.append(style);
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    programs.set(text, import(address));
  }
  model.program ??= programs.get(text).then(({ default: given }) => (typeof given === "function" ? given() : given));
  return model.program;
}

/** Draw one view of a model into an element; gives back a function that takes it away again. */
async function show(model, el) {
  const program = await loaded(model);
  if (!model.initialised) await program.initialize?.({ model });
  model.initialised = true;
  return (await program.render({ model, el })) ?? (() => {});
}

/** Put a live widget in the place of each picture that stands in for one; where it needs Python or fails, the picture stays. */
// biome-ignore lint/correctness/noUnusedVariables: live.js and mounted.html call it.
async function show_all(states) {
  const models = new Models(states);
  /** @type {NodeListOf<HTMLElement>} */
  const places = document.querySelectorAll("[data-model]");
  for (const place of places) {
    const id = place.dataset.model;
    if (!states[id]?.state._esm) continue;
    const el = document.createElement("div");
    try {
      await show(models.of(id), el);
      place.replaceChildren(el);
    } catch (error) {
      console.error(error);
    }
  }
}
