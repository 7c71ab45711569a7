/** Questions with radio buttons; whatever is chosen is explained at once. */
import { html, unique, widget } from "./dom.js";
import { sub } from "./formula.js";

/** Words with the indices of single letters set low, as in û_ij; not in a name such as stop_gradient. */
const words = (text) =>
  text.split(/(?<=(?<!\p{L})\p{L}\p{M}*|Σ)_(\w+)/u).map((part, n) => (n % 2 ? sub(part) : part));

function start({ model, el }) {
  const questions = model.get("questions");
  const group = unique();
  const choose = (n, k) => {
    model.set("chosen", model.get("chosen").map((old, m) => (m === n ? k : old)));
    model.save_changes();
  };

  const parts = questions.map((question, n) => {
    const radios = question.choices.map((_, k) =>
      html("input", {
        type: "radio",
        name: `${group}-${n}`,
        "data-testid": `quiz-${n}-${k}`,
        onchange: () => choose(n, k),
      }),
    );
    const status = html("p", { role: "status", class: "caps-quiz-said", "data-testid": `quiz-${n}-said` });
    const legend = html("legend", {}, `${n + 1}. `, ...words(question.text));
    const labels = question.choices.map(([choice], k) => html("label", { class: "caps-quiz-choice" }, radios[k], html("span", {}, ...words(choice))));
    const node = html("fieldset", { class: "caps-quiz-question" }, legend, ...labels, status);
    return { node, radios, status, question };
  });

  const score = html("p", { "aria-live": "polite", class: "caps-quiz-score", "data-testid": "quiz-score" });
  el.replaceChildren(...parts.map(({ node }) => node), score);

  function draw() {
    const chosen = model.get("chosen");
    let correct = 0;
    for (const [n, { radios, status, question }] of parts.entries()) {
      for (const [k, radio] of radios.entries()) radio.checked = chosen[n] === k;
      const [choice, explanation] = question.choices[chosen[n]] ?? [];
      const right = choice === question.right;
      correct += Number(right);
      const verdict = choice === undefined ? "" : right ? "✓ Correct." : "✗ Not this one.";
      const said = choice === undefined ? "" : `${verdict} ${explanation}`;
      if (status.dataset.said !== said) status.replaceChildren(...words(said)); // Written again, it would be read again.
      status.dataset.said = said;
      status.dataset.right = String(right);
    }
    score.textContent = `${correct} of ${parts.length} answered correctly.`;
  }

  return { draw };
}

export default widget(start);
