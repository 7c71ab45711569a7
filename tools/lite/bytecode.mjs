/** Run bytecode.py in Pyodide: `node bytecode.mjs PYODIDE FOLDER INSTALLED`, where FOLDER holds the archives to compile. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [distribution, folder, installed] = process.argv.slice(2);
const { loadPyodide } = createRequire(import.meta.url)(`${distribution}/pyodide.js`);
const python = await loadPyodide({ indexURL: distribution });
python.FS.mkdir("/archives");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/archives");
python.runPython(readFileSync(new URL("bytecode.py", import.meta.url), "utf8"));
python.globals.get("compile_all")("/archives", installed);
