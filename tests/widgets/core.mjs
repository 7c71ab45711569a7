// Calls functions of the widgets' core on what NumPy made: node core.mjs MODULE <calls.json >results.json
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const TYPES = { float32: Float32Array, float64: Float64Array };
const core = await import(pathToFileURL(process.argv[2]));

function decoded(value) {
  if (value && value.type in TYPES) return TYPES[value.type].from(value.numbers);
  if (value && typeof value === "object" && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, decoded(entry)]));
  }
  return value;
}

function encoded(value) {
  if (ArrayBuffer.isView(value)) {
    const type = Object.keys(TYPES).find((name) => value instanceof TYPES[name]);
    return { type, numbers: Array.from(value) };
  }
  if (Array.isArray(value)) return value.map(encoded);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, encoded(entry)]));
  }
  return value;
}

function called({ name, args, images, pick }) {
  const rest = args.map(decoded);
  try {
    if (images) return images.map((image) => encoded(core[name](decoded(image), ...rest))).map((r) => (pick ? r[pick] : r));
    return encoded(core[name](...rest));
  } catch (error) {
    return { error: error.message };
  }
}

const calls = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(calls.map(called)));
