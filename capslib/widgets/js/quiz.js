/** Questions with radio buttons; whatever is chosen is explained at once. */
import { html, unique, widget } from "./dom.js";

function start({ model, el }) {
  const questions = model.get("questions");
  const group = unique();
  const choose = (n, k) => {
    model.set("chosen", model.get("chosen").map((old, m) => (m === n ? k : old)));
    model.save_changes();
  };

  const parts = questions.map((question, n) => {
    const choices = Object.keys(question.choices);
    const radios = choices.map((_, k) =>
      html("input", {
        type: "radio",
        name: `${group}-${n}`,
        "data-testid": `quiz-${n}-${k}`,
        onchange: () => choose(n, k),
      }),
    );
    const status = html("p", { role: "status", class: "caps-quiz-said", "data-testid": `quiz-${n}-said` });
    const legend = html("legend", {}, `${n + 1}. ${question.text}`);
    const labels = choices.map((choice, k) => html("label", { class: "caps-quiz-choice" }, radios[k], html("span", {}, choice)));
    const node = html("fieldset", { class: "caps-quiz-question" }, legend, ...labels, status);
    return { node, radios, status, choices, question };
  });

  const score = html("p", { "aria-live": "polite", class: "caps-quiz-score", "data-testid": "quiz-score" });
  el.replaceChildren(...parts.map(({ node }) => node), score);

  function draw() {
    const chosen = model.get("chosen");
    let correct = 0;
    for (const [n, { radios, status, choices, question }] of parts.entries()) {
      for (const [k, radio] of radios.entries()) radio.checked = chosen[n] === k;
      const choice = choices[chosen[n]];
      const right = choice === question.right;
      correct += Number(right);
      const verdict = choice === undefined ? "" : right ? "✓ Correct." : "✗ Not this one.";
      const said = choice === undefined ? "" : `${verdict} ${question.choices[choice]}`;
      if (status.textContent !== said) status.textContent = said;
      status.dataset.right = String(right);
    }
    score.textContent = `${correct} of ${parts.length} answered correctly.`;
  }

  return { draw };
}

export default widget(start);
