/**
 * Set formulas with MathJax, without a browser: `node formulas.mjs FOLDER`, where FOLDER is that of the package mathjax.
 *
 * Reads a list of pages from standard input, each a list of `{ tex, display }`. Writes the styles that all pages need and, for
 * each page, its formulas as HTML with the shapes of the letters that they refer to.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const folder = `${process.argv[2]}/es5`;
const MathJax = await createRequire(import.meta.url)(`${folder}/node-main.js`).init({
  loader: {
    paths: { mathjax: folder },
    load: ["adaptors/liteDOM", "input/tex", "output/svg", "a11y/assistive-mml"],
    versionWarnings: false,
  },
  // Otherwise a name that it does not know is shown in red and is no error.
  tex: { packages: { "[-]": ["noundefined"] } },
  svg: { fontCache: "global" },
});
const { adaptor, output } = MathJax.startup;

function set({ tex, display }) {
  const formula = MathJax.tex2svg(tex, { display });
  // One that is wider than the page is scrolled, by keys as well.
  if (display) adaptor.setAttribute(formula, "tabindex", "0");
  return adaptor.outerHTML(formula);
}

const pages = JSON.parse(readFileSync(0, "utf8")).map((asked) => {
  MathJax.texReset();
  output.clearFontCache();
  const formulas = asked.map(set);
  return { formulas, letters: adaptor.innerHTML(output.fontCache.getCache()) };
});
console.log(JSON.stringify({ styles: adaptor.textContent(MathJax.svgStylesheet()), pages }));
