"""Every notebook keeps the rules of STYLE_GUIDE.md, every rule can fail, and lessons define what capslib defines."""

import ast
import copy
import inspect
import json
import os
import subprocess
import sys
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from capslib import equations, intervals, pairs, poses, records, scores
from tests import ROOT
from tests.notebooks import rules
from tests.notebooks.rules import LESSON, SAVED, Notebook
from tools import pace
from tools.render import VIEW

FOLDER = ROOT / "notebooks"
LESSONS = [Notebook(path.name, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.ipynb"))]
SOLUTIONS = [Notebook(path.name, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("solutions/*.ipynb"))]


def names(notebooks):
    return [nb.name for nb in notebooks]


RULES = [(nb, SAVED + LESSON) for nb in LESSONS] + [(nb, SAVED) for nb in SOLUTIONS]


@pytest.mark.parametrize(("nb", "rules"), RULES, ids=names(LESSONS + SOLUTIONS))
def test_notebooks_keep_the_rules(nb, rules):
    problems = [f"{rule.__name__}: {problem}" for rule in rules for problem in rule(nb)]
    assert not problems, "\n".join([nb.name, *problems])


def test_a_lesson_made_from_the_template_keeps_the_rules():
    text = (ROOT / "tools" / "lesson_template.ipynb").read_text(encoding="utf-8")
    nb = Notebook("03_name.ipynb", text.replace("# NN", "# 03"))
    assert [problem for rule in SAVED + LESSON for problem in rule(nb)] == []
    assert nb.text != text, "its heading has a place for the number"


def test_there_are_lessons_and_their_names_have_numbers():
    assert {"00", "03", "04", "05", "06", "07", "08"} <= {nb.number for nb in LESSONS}
    assert len({nb.number for nb in LESSONS}) == len(LESSONS) and None not in {nb.number for nb in LESSONS}


# Each rule on a notebook that breaks it ---------------------------------------------------------------------------


def md(source):
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": source}


def code(source, count, *outputs):
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "execution_count": count}
    return {**cell, "outputs": list(outputs), "source": source}


def printed(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def picture(alt="a line that rises", html='<img alt="a line" src="data:image/png;base64,AAAA">'):
    data = {"image/png": "AAAA", "text/html": html, "text/plain": "a line"}
    return {"output_type": "display_data", "data": data, "metadata": {"image/png": {"alt": alt}}}


FIRST = """# 03 · Squash

You shrink a vector and keep its direction.

**Time:** 1 minutes · **You need:** NumPy.

**Goals.** At the end you can

- derive this;
- compute that,
  by hand;
- predict the other."""
LAST = """**A common misconception.** It grows.

**Sources.** Sabour et al. (2017), Eq. 1.

← 02 · Pose and votes (to come) · [04 · Routing →](04_routing.ipynb)"""
KERNEL = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}


def good():
    """A small notebook in order; breaking it is up to the caller."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": copy.deepcopy(KERNEL),
        "cells": [
            md(FIRST),
            code("# A comment.\nx = 1  # ()\nprint(x)", 1, printed("1\n")),
            code("from capslib import plots\n\nplots.show(fig)", 2, picture()),
            md("It rises: $x^2 > 0$ at `x`."),
            md("## Recap\n\n- You derived.\n- You computed.\n- You predicted."),
            md(LAST),
        ],
    }


def first(old, new):
    def change(data):
        assert old in data["cells"][0]["source"]
        data["cells"][0]["source"] = data["cells"][0]["source"].replace(old, new)

    return change


def last(old, new):
    def change(data):
        assert old in data["cells"][-1]["source"]
        data["cells"][-1]["source"] = data["cells"][-1]["source"].replace(old, new)

    return change


def put(*cells, at=3):
    def change(data):
        data["cells"][at:at] = cells

    return change


def set_cell(index, **values):
    return lambda data: data["cells"][index].update(values)


def widget_state(size):
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"0": {"state": {"value": "A" * size}}}}}
    return lambda data: data["metadata"].update(widgets=state)


BAD = [
    (rules.run_in_order, set_cell(1, execution_count=None)),
    (rules.run_in_order, set_cell(2, execution_count=1)),
    (rules.run_in_order, set_cell(2, execution_count=7)),
    (rules.run_in_order, put(md("Then."), code(" \n", 3))),
    (rules.outputs_kept, set_cell(1, outputs=[])),
    (rules.outputs_kept, set_cell(2, outputs=[])),
    (rules.outputs_kept, put(md("Then."), code("x + 1", 3))),
    (rules.no_errors, put(md("Then."), code("y", 3, {"output_type": "error", "ename": "NameError", "evalue": ""}))),
    (rules.no_errors, set_cell(1, outputs=[printed("a warning", "stderr")])),
    (rules.small, set_cell(1, outputs=[printed("-" * 520_000)])),
    (rules.small, widget_state(1_600_000)),
    (rules.header, first("# 03 · Squash", "# 04 · Squash")),
    (rules.header, first("# 03 · Squash", "# Squash")),
    (rules.header, first("You shrink a vector and keep its direction.\n", "")),
    (rules.header, first("**Time:** 1 minutes", "**Time:** a while")),
    (rules.header, first(" · **You need:** NumPy.", "")),
    (rules.header, first("- predict the other.", "- understand the other.")),
    (rules.header, put(md("Welcome."), at=0)),
    (rules.ending, last("**A common misconception.** It grows.", "")),
    (rules.ending, last("**Sources.**", "Sources:")),
    (rules.ending, set_cell(4, source="- You derived.\n- You computed.\n- You predicted.")),
    (rules.ending, set_cell(4, source="## Recap\n\n- You derived.\n- You computed.")),
    (rules.ending, last("← 02 · Pose and votes (to come) · ", "")),
    (rules.ending, last("[04 · Routing →](04_routing.ipynb)", "04 · Routing (to come) →")),
    (rules.ending, put(md("And one thing more."), at=6)),
    (rules.short_cells, put(md("Then."), code("y = 2\n" * 36, 3))),
    (rules.short_cells, put(*[md("Then."), code("y = 2\n" * 7, 3)] * 3)),
    (rules.rhythm, put(code("y = 2", 3))),
    (rules.short_prose, put(md("word " * 91))),
    (rules.short_prose, first("direction.\n", "direction.\n\n" + "And more, at length. " * 23 + "\n")),
    (rules.no_remote_images, put(md("![a capsule](https://example.org/capsule.png)"))),
    (rules.no_remote_images, put(md('<img alt="a capsule" src="//example.org/capsule.png">'))),
    (rules.no_remote_images, set_cell(2, outputs=[picture(html='<img alt="x" src="http://example.org/x.png">')])),
    (rules.alt_text, set_cell(2, outputs=[picture(alt=" ")])),
    (rules.alt_text, set_cell(2, outputs=[picture(html='<img src="data:image/png;base64,AAAA">')])),
    (rules.alt_text, set_cell(2, outputs=[picture(html='<img alt="" src="data:image/png;base64,AAAA">')])),
    (rules.alt_text, put(md("![](capsule.png)"))),
    (rules.no_machine_paths, set_cell(1, outputs=[printed("read /home/sara/digits.npz")])),
    (rules.no_machine_paths, set_cell(1, source="x = open('/tmp/x')\nprint(x)")),
    (rules.no_machine_paths, put(md(r"It lies in `C:\Users\sara\digits.npz`."))),
    (rules.python_kernel, lambda data: data["metadata"].pop("kernelspec")),
    (rules.python_kernel, lambda data: data["metadata"]["kernelspec"].update(name="my-venv")),
    (rules.safe_widgets, set_cell(1, source="from ipywidgets import interact\nprint(1)")),
    (rules.safe_widgets, set_cell(1, source="out = widgets.Output()\nprint(1)")),
]
ASKED, ANSWER = "**Question.** How far?", "<details><summary>Answer</summary>\n\n1.\n\n</details>"
HIDDEN = {"tags": ["hide-output"], "jupyter": {"outputs_hidden": True}, "collapsed": True}
BAD += [
    (rules.time, first("**Time:** 1 minutes", "**Time:** 9 minutes")),
    (rules.time, put(md("word " * 1000))),
    (rules.time, lambda data: (first("1 minutes", "70 minutes")(data), put(md("word " * 12_600))(data))),
    (rules.time, first("1 minutes ·", "1 minutes, 9 more for *Going deeper* ·")),
    (rules.answers_folded, put(md(ASKED), code("print(1)", 3, printed("1")), md(ANSWER))),
    (rules.answers_folded, put(md(f"{ASKED}\n\n{ANSWER}"), code("print(1)", 3, printed("1")))),
    (
        rules.answers_folded,
        put(md(ASKED), md("And then?"), code("x", 3), md("So."), code("x", 4, picture()), md(ANSWER)),
    ),
    (rules.answers_folded, put(md(ASKED))),
    (rules.answers_end_cells, put(md(f"{ASKED}\n\n{ANSWER}\n\nNow for a batch."))),
    (rules.answers_folded, put(md(ASKED), md(f"{ASKED}\n\n{ANSWER}"))),
    (rules.collapsed, put(code("print(1)", 3, printed("1")) | {"metadata": {"tags": ["hide-output"]}})),
    (rules.collapsed, put(code("print(1)", 3, printed("1")) | {"metadata": {"jupyter": {"outputs_hidden": True}}})),
    (rules.collapsed, put(code("print(1)", 3, printed("1")) | {"metadata": HIDDEN})),
    (rules.collapsed, put(code("plots.show(fig)", 3, picture()) | {"metadata": HIDDEN})),
    (rules.asserts_in_company, put(md("So."), code("assert x > 0\nfor y in x:\n    assert y", 3))),
]
CHECK = 'def squash(s):\n    ...\n\n\nexercises.check("squash", squash)'
TASK = md("### Exercise 1 · Squash (5 minutes)")
BAD += [
    (rules.stubs_untouched, put(TASK, code(CHECK.replace("...", "return s"), 3, printed("right")))),
    (
        rules.stubs_untouched,
        put(TASK, code(CHECK.replace("    ...", "    s\n" * 6), 3, printed("not yet: it returns nothing so far."))),
    ),
]
RELATIVE = [
    'Path("results").glob("*.json")',
    'Path("../benchmarks/results")',
    'Path(f"results/article_capsnet-best-{seed}.json").read_text()',
    'open("results/run.json")',
    'read(folder, "./results/run.json")',
    'np.load("digits.npz")',
    'keras.saving.load_model("model.keras")',
    'model.save("model.keras")',
    "Path()",
    "Path.cwd()",
    "os.getcwd()",
    "%cd ..",
]
BAD += [(rules.no_relative_paths, set_cell(1, source=f"x = 1\n{line}\nprint(x)")) for line in RELATIVE]


def broken_rules(data):
    nb = Notebook("03_squash.ipynb", json.dumps(data))
    return {rule.__name__ for rule in SAVED + LESSON if list(rule(nb))}


def test_a_notebook_in_order_breaks_no_rule():
    assert broken_rules(good()) == set()


WIDGET = {"output_type": "display_data", "data": {VIEW: {"model_id": "0"}}, "metadata": {}}
FINE = [
    put(
        md(ASKED),
        code("print(1)", 3, printed("Result:\n1")) | {"metadata": HIDDEN},
        md(ANSWER),
        code("print(1)", 4, printed("1")),
    ),
    put(md(f"{ASKED}\n\n{ANSWER}"), code("print(1)", 3, printed("Result:\n1")) | {"metadata": HIDDEN}, md("So.")),
    put(md(ASKED), code("x = 1", 3), md(ANSWER)),
    put(TASK, code(CHECK, 3, printed("not yet: it returns nothing so far. Begin."))),
    put(md("So."), code("assert x\nprint(x)", 3, printed("1")), md("So.")),
]


@pytest.mark.parametrize("change", FINE)
def test_what_is_in_order_breaks_no_rule(change):
    data = good()
    change(data)
    assert broken_rules(data) <= {"time", "run_in_order"}


def test_a_widget_after_a_question_opens_in_the_state_that_asks_and_so_is_not_hidden():
    data = good()
    put(md(ASKED), code("widget", 3, WIDGET), md(ANSWER))(data)
    assert "answers_folded" not in broken_rules(data)


@pytest.mark.parametrize("name", ["A0_notation.ipynb", "A1_speed.ipynb", "13_limits.ipynb"])
def test_nothing_follows_an_appendix_or_the_last_lesson(name):
    def problems(line):
        data = good()
        data["cells"][-1]["source"] = LAST.replace(LAST.splitlines()[-1], line)
        return list(rules.ending(Notebook(name, json.dumps(data))))

    assert problems("← [00 · Start here](00_start_here.ipynb)") == []
    assert problems("[00 · Start here](00_start_here.ipynb)") != []  # It leads back, all the same.
    assert problems("← 00 · Start here") != []


def test_minutes_count_what_is_read_run_looked_at_and_used():
    cells = [md("word " * 180), code("x = 1\n\n" * 12, 1), code("", 2, picture()), code("", 3, WIDGET)]
    assert pace.computed(cells) == pytest.approx((1 + 1 + 1 / 3 + 4, 0, 0))
    deeper = [md("word " * 360), md("## Going deeper"), md("word " * 180), md("**Sources.** One two.")]
    assert pace.computed(deeper) == pytest.approx((2 + 3 / 180, 1 + 2 / 180, 0), abs=0.01)
    task = [md("### Exercise 1 · squash (7 minutes)\n\n" + "word " * 180), code("exercises.check('x', x);\n" * 12, 1)]
    assert pace.computed([md("word " * 180), *task, code("x\n" * 12, 2)]) == pytest.approx((2, 0, 7))
    assert pace.computed([md("## Quiz (3 minutes)"), code("exercises.quiz('03')", 1, WIDGET)]) == (0, 0, 3)
    assert pace.read("![many words](a.svg) [two words](b.md) $x + y$ <br> word") == 3


def test_the_90_minute_path_takes_90_minutes():
    path = [nb for nb in LESSONS if nb.number in {"02", "04", "08"}]
    assert len(path) == 3 and abs(sum(pace.computed(nb.cells)[0] for nb in path) - 90) <= 9


@pytest.mark.parametrize(("rule", "change"), BAD, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(BAD)])
def test_each_rule_sees_what_it_is_for(rule, change):
    data = good()
    change(data)
    assert rule.__name__ in broken_rules(data)


def test_every_rule_has_a_notebook_that_breaks_it():
    assert {rule for rule, _ in BAD} == set(SAVED + LESSON)


def test_what_is_not_prose_is_not_counted():
    assert rules.words("## A heading\n\nTwo words.\n\n![Many words that a picture is told in](here.svg)") == 2
    cell = "One `two three` $x + y$ two.\n\n| a | b |\n|---|---|\n\n```\ncode\n```\n\n$$a + b$$\n\n[three](here.md) 0.5"
    assert rules.words(cell) == 4
    assert rules.words("**Goals.** At the end you can\n\n- do this\n  and that;\n- that.\n\nfour words come after") == 4
    assert rules.words("## Recap\n\n1. *One.* Two three.\n2. Four.\n\nTwo words") == 2
    assert rules.words("Two words.\n\n**Sources.** Many, many\nnames.\n\n← two more") == 4


def test_a_lesson_may_have_widgets_in_its_state_and_pictures_of_any_bytes():
    data = good()
    widget_state(800_000)(data)
    data["cells"][2]["outputs"][0]["data"]["image/png"] = "AA+/tmp/file+/home/x/AA=="
    assert broken_rules(data) == set()


@pytest.mark.parametrize(
    "line",
    [
        "records.stored('speed')",
        "digits.load('bundled')",
        "np.load(weights.FOLDER / 'article_capsnet.npz')",
        "path = Path(folder) / 'capsules.keras'\nmodel.save(path)",
        "pairs.glob(1)\nf('a/b', 'half ... half')",
    ],
)
def test_what_is_found_without_the_current_folder_is_no_relative_path(line):
    data = good()
    set_cell(1, source=f"{line}\nprint(x)")(data)
    assert broken_rules(data) == set()


# What lessons read ------------------------------------------------------------------------------------------------

READERS = [nb for nb in LESSONS + SOLUTIONS if any("records.stored(" in cell["source"] for cell in nb.code)]


def test_the_lessons_that_read_stored_results_are_known():
    known = ["07_train_capsnet", "09_reconstruction_and_pose", "13_limits_and_further", "A1_speed"]
    known += ["A2_efficient_capsnet"]
    assert names(READERS) == [f"{name}.ipynb" for name in known]


@pytest.mark.parametrize("where", ["", "notebooks", None], ids=["repository", "notebooks", "elsewhere"])
@pytest.mark.parametrize("nb", READERS, ids=names(READERS))
def test_stored_results_are_found_wherever_the_kernel_was_started(nb, where, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path if where is None else ROOT / where)
    namespace = {}
    for cell in nb.code:
        if "from capslib import" in cell["source"] or "records.stored(" in cell["source"]:
            exec(cell["source"], namespace)
            assert bool(capsys.readouterr().out) == bool(cell["outputs"])  # What it says is compared by nbval.


def test_a_result_that_is_not_there_is_named_with_the_folders_looked_in():
    with pytest.raises(FileNotFoundError) as raised:
        records.stored("article_capsnet-article-9")
    assert str(raised.value) == (
        "name: got 'article_capsnet-article-9', expected a result stored in "
        f"{ROOT / 'notebooks/results'} or {ROOT / 'benchmarks/results'}"
    )


def test_no_two_stored_results_have_one_name():
    stored = [path.stem for folder in records.RESULTS for path in folder.glob("*.json")]
    assert len(stored) == len(set(stored)) > 10


# What lessons import ----------------------------------------------------------------------------------------------

RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.load(sys.stdin)["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"])).raise_error()
heavy = {"tensorflow", "keras", "jax", "torch"} & set(sys.modules)
sys.exit("imported " + ", ".join(sorted(heavy)) if heavy else 0)
"""


def run_alone(nb, path=""):
    """Run a notebook's cells in a process of their own; the process fails if they import a framework."""
    run, env = [sys.executable, "-c", RUN], {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run(run, input=nb.text, capture_output=True, text=True, cwd=FOLDER, timeout=600, env=env)


NUMPY_ALONE = [nb for nb in LESSONS if nb.number in {"02", "03", "04", "05"}]


@pytest.mark.parametrize("nb", NUMPY_ALONE, ids=names(NUMPY_ALONE))
def test_lessons_02_to_05_import_no_framework(nb):
    done = run_alone(nb)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("source", ["import keras", "def f():\n    import keras\n\nf()"])
def test_an_imported_framework_is_noticed(source, tmp_path):
    (tmp_path / "keras.py").touch()  # An empty one will do, and is there at once.
    nb = Notebook("03_bad.ipynb", json.dumps({"cells": [code("x = 1", 1), code(source, 2)]}))
    done = run_alone(nb, tmp_path)
    assert done.returncode == 1 and "imported keras" in done.stderr


# What lessons define ----------------------------------------------------------------------------------------------
# A lesson writes a concept out under capslib's name. Its last definition has to compute what capslib's does.

RNG = np.random.default_rng(2017)
S = RNG.normal(size=(6, 5, 3)) * np.array([1e-3, 1e-1, 1, 1, 3, 30])[:, None, None]
S[2, 1] = 0  # A vector of zeros has no direction, and has to stay one of zeros.
VOTES = RNG.normal(size=(2, 6, 3, 4))
LABELS, LENGTHS = np.eye(4)[[0, 3, 1]], RNG.uniform(size=(3, 4))
ONE, BATCH = RNG.normal(size=(6, 5)), RNG.normal(size=(2, 6, 5))
SHARED, UNSHARED = RNG.normal(size=(5, 3, 4)), RNG.normal(size=(6, 5, 3, 4))
TWO, TWO_LENGTHS = np.zeros((4, 10)), RNG.permuted(np.tile(np.linspace(0.05, 0.95, 10), (4, 1)), axis=1)
for row, lengths, rank in zip(TWO, TWO_LENGTHS, (-2, -3, -2, 0), strict=True):  # Two pairs are read, and two are not.
    row[lengths.argsort()[[-1, rank]]] = 1
C, C_BATCH, V = equations.softmax(RNG.normal(size=(6, 3))), equations.softmax(VOTES[..., 0]), RNG.normal(size=(2, 3, 4))

# Arguments for each name: positional ones, and named ones, which are left out where a lesson's version lacks one. A
# version may take one example alone or a batch alone: at least one set has to fit, and those that fit have to agree.
CASES = {
    "squash": [((S,), {}), ((S,), {"offset": 1.0}), ((S,), {"offset": 0.05}), ((S,), {"axis": 1})],
    "length": [((S,), {}), ((S,), {"axis": 0})],
    "softmax": [((S[0],), {}), ((3 * VOTES,), {}), ((VOTES,), {"axis": 1})],
    "predict": [((ONE, SHARED), {}), ((ONE, UNSHARED), {}), ((BATCH, SHARED), {}), ((BATCH, UNSHARED), {})],
    "weighted_sum": [((C, VOTES[0]), {}), ((C_BATCH, VOTES), {})],
    "agreement": [((VOTES[0], V[0]), {}), ((VOTES, V), {})],
    "route": [((votes, n), {}) for votes in (VOTES[0], VOTES) for n in (1, 2, 3, 5)]
    + [((VOTES[0],), {}), ((VOTES,), {}), ((VOTES[0], 3), {"offset": 1.0}), ((VOTES, 3), {"offset": 1.0})],
    "log_density": [((VOTES[0], V[0], np.exp(V[1])), {})],
    "m_step": [
        ((C, VOTES[0], np.ones(6), 0.3), {}),
        ((C, VOTES[0], np.linspace(0.1, 1, 6), 0.3), {"floor": 2.0}),
        ((C, VOTES[0], np.ones(6)), {"lam": 0.5, "beta_a": 1.0, "beta_u": -1.0}),
    ],
    "e_step": [((VOTES[0], V[0], np.exp(V[1]), np.array([0.2, 0.9, 0.5])), {})],
    "em_route": [((VOTES[0],), {}), ((VOTES[0],), {"iterations": 5})],
    "exponential_squash": [((S,), {})],
    "self_agreement": [((VOTES[0],), {}), ((VOTES,), {})],
    "attend": [((VOTES[0],), {}), ((VOTES,), {}), ((VOTES[0], C - 0.5), {}), ((VOTES[0], 0.3), {})],
    "pose": [((), {}), ((2, -3, 40, 0.7), {}), ((S[..., 0], S[..., 1], 90, 2), {})],
    "spread": [((VOTES[:, :, :, :3],), {})],
    "margin_loss": [((LABELS, LENGTHS), {}), ((LABELS, LENGTHS), {"m_plus": 0.8, "m_minus": 0.2, "lam": 0.3})],
    "mask": [((V,), {}), ((V, np.eye(3)[[2, 0]]), {})],
    "reconstruction_loss": [((VOTES, VOTES[::-1]), {})],
    "both_longest": [((TWO_LENGTHS, TWO), {})],
    "paired": [((LENGTHS[0], LENGTHS[1]), {}), ((LENGTHS[1, :3], LENGTHS[2, :3]), {})],
    "auroc": [((LENGTHS[0], LENGTHS[1]), {}), ((LENGTHS[0].round(1), LENGTHS[1, :2].round(1)), {})],
    "margin_gradient": [((LABELS, LENGTHS), {}), ((LABELS, LENGTHS), {"m_plus": 0.8, "m_minus": 0.2, "lam": 0.3})],
}


PUBLIC = {
    name: value
    for module in (equations, intervals, pairs, poses, scores)
    for name, value in vars(module).items()
    if getattr(value, "__module__", "") == module.__name__
}
"""What these modules define, by name."""


def own_definitions(nb):
    """The functions and classes of PUBLIC that a notebook defines itself: name → its last definition.

    Only imports, definitions and plain constants are carried out, so nothing is trained or drawn.
    """
    namespace, defined = {"__name__": nb.name}, {}
    body = [node for tree in nb.trees for node in tree.body]
    definitions = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    if not any(node.name in PUBLIC for node in definitions):
        return {}
    for node in body:
        constant = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        constant = constant and all(isinstance(target, ast.Name) for target in node.targets)
        if isinstance(node, ast.Import | ast.ImportFrom) or node in definitions or constant:
            try:
                exec(compile(ast.Module([node], []), nb.name, "exec"), namespace)
            except NameError:  # A function of the lesson's own may have a default that the lesson computed.
                if node not in definitions or node.name in PUBLIC:
                    raise
        if node in definitions and node.name in PUBLIC:
            defined[node.name] = namespace[node.name]
    return defined


def same(own, expected):
    """Whether two results agree: arrays by value, tuples and traces quantity by quantity."""
    if is_dataclass(expected) and not is_dataclass(own):
        # Alone or after the last iteration, where the library keeps all of them.
        found = [q for quantity in (expected.v, expected.lengths) for q in (quantity, quantity[-1])]
        return any(same(own, quantity) for quantity in found)
    if is_dataclass(expected):
        return all(same(getattr(own, f.name), getattr(expected, f.name)) for f in fields(expected))
    if isinstance(expected, tuple):
        return len(own) == len(expected) and all(map(same, own, expected))
    own, expected = np.asarray(own), np.asarray(expected)
    tolerance = 1e-5 if own.dtype == np.float32 else 1e-9
    return own.shape == expected.shape and np.allclose(own, expected, rtol=tolerance, atol=tolerance)


def disagreements(name, own):
    """What speaks against a notebook's version of a function of capslib; nothing if the two agree."""
    if name not in CASES:
        return [f"{name} has capslib's name, and CASES has no arguments to compare the two by"]
    problems, fitted = [], 0
    for positional, named in CASES[name]:
        if named and not named.keys() <= inspect.signature(own).parameters.keys():
            continue
        with np.errstate(all="ignore"):
            try:
                result = own(*positional, **named)
            except Exception as error:
                refused = error
                continue
        fitted += 1
        if not same(result, PUBLIC[name](*positional, **named)):
            problems.append(f"{name} of shapes {[np.shape(p) for p in positional]} {named} differs from capslib's")
    return problems if fitted else [f"{name} took none of the arguments: {refused!r}"]


@pytest.mark.parametrize("nb", LESSONS, ids=names(LESSONS))
def test_what_a_lesson_defines_is_what_capslib_computes(nb):
    problems = [problem for name, own in own_definitions(nb).items() for problem in disagreements(name, own)]
    assert not problems, "\n".join([nb.name, *problems])


def test_the_lessons_that_teach_a_concept_write_it_out():
    written = {
        nb.number: set(own_definitions(nb))
        for nb in LESSONS
        if nb.number in {"01", "03", "04", "05", "09", "11", "13", "A2"}
    }
    assert {"auroc"} <= written["01"]
    assert {"squash", "length"} <= written["03"]
    assert {"softmax", "weighted_sum", "agreement", "route"} <= written["04"]
    assert {"margin_loss", "margin_gradient"} <= written["05"]
    assert {"mask", "reconstruction_loss", "both_longest"} <= written["09"]
    assert {"paired"} <= written["11"]
    assert {"log_density", "m_step", "e_step", "em_route"} <= written["13"]
    assert {"self_agreement", "exponential_squash", "attend"} <= written["A2"]


SQUASH = (
    "def squash(s, offset=0.5, axis=-1):\n    n = np.sum(s * s, axis=axis, keepdims=True) + {}\n    return {} * s\n"
)
ROUTE = """from capslib.equations import agreement, softmax, squash, weighted_sum

def route(u_hat, iterations=3):
    b = np.zeros(u_hat.shape[:-1])
    for _ in range({}):
        c = softmax(b{})
        v = squash(weighted_sum(c, u_hat))
        b = {} + agreement(u_hat, v)
    return v
"""


M_STEP = """from capslib.equations import log_density, weighted_sum

def m_step(r, votes, a, lam=1.0, beta_a=-2.0, beta_u=-2.0, floor=0.01):
    w = r * a[:, None]
    share = {}
    means = weighted_sum(share, votes)
    s2 = weighted_sum(share, (votes - means) ** 2)
    variances = {}
    costs = -(w * log_density(votes, means, variances)).sum(0)
    return means, variances, costs, 1 / (1 + np.exp({}lam * (costs + beta_u * w.sum(0) - beta_a)))
"""


ATTEND = """from capslib.equations import agreement, exponential_squash, softmax, weighted_sum

def attend(u_hat, prior=0.0):
    c = softmax(agreement(u_hat, u_hat.sum(0)) / {1}, axis={0})
    return exponential_squash(weighted_sum(c + prior, u_hat))
"""


def defined_by(*sources):
    cells = [code(source, n) for n, source in enumerate(["import numpy as np", *sources], 1)]
    return own_definitions(Notebook("03_made_up.ipynb", json.dumps({"cells": cells})))


@pytest.mark.parametrize(
    "sources",
    [
        [SQUASH.format("EPSILON", "np.sqrt(n) / (offset + n)"), "EPSILON = 1e-7"],
        [SQUASH.format("1", "5"), SQUASH.format("1e-7", "np.sqrt(n) / (offset + n)")],
        [ROUTE.format("iterations", "", "b")],
        ["def agreement(u_hat, v):\n    return np.einsum('ijd,jd->ij', u_hat, v)\n"],
        ["def helper(x):\n    return x\n"],
        [M_STEP.format("w / w.sum(0)", "np.maximum(s2, floor)", "")],
        [ATTEND.format("-1", "np.sqrt(u_hat.shape[-1])")],
    ],
)
def test_true_definitions_pass(sources):
    assert [p for name, own in defined_by(*sources).items() for p in disagreements(name, own)] == []


@pytest.mark.parametrize(
    ("sources", "name"),
    [
        ([SQUASH.format("1e-7", "np.sqrt(n) / (1 + n)")], "squash"),
        ([SQUASH.format("0", "1 / (offset + n) * n / np.sqrt(n)")], "squash"),
        ([SQUASH.format("1e-4", "np.sqrt(n) / (offset + n)")], "squash"),
        (["def softmax(b, axis=0):\n    e = np.exp(b)\n    return e / e.sum(axis, keepdims=True)\n"], "softmax"),
        ([ROUTE.format("iterations", "", "0")], "route"),
        ([ROUTE.format("iterations", ", axis=-2", "b")], "route"),
        ([ROUTE.format("iterations + 1", "", "b")], "route"),
        ([ROUTE.format("1", "", "b")], "route"),
        (["def agreement(u_hat, v):\n    return np.einsum('ijd,jd->ji', u_hat, v)\n"], "agreement"),
        ([M_STEP.format("w / w.sum(0)", "s2", "")], "m_step"),
        ([M_STEP.format("w / w.sum(0)", "np.maximum(s2, floor)", "-")], "m_step"),
        ([M_STEP.format("w / len(w)", "np.maximum(s2, floor)", "")], "m_step"),
        ([ATTEND.format("-2", "np.sqrt(u_hat.shape[-1])")], "attend"),
        ([ATTEND.format("-1", "u_hat.shape[-1]")], "attend"),
        (["def margin_loss(y, p):\n    return np.sum(y * np.maximum(0, 0.9 - p), -1)\n"], "margin_loss"),
        (["def predict(u):\n    return u\n"], "predict"),
        (["def check_poses(name, M, shape):\n    pass\n"], "check_poses"),
        (["class RoutingTrace:\n    pass\n"], "RoutingTrace"),
        (["def mask(v):\n    return v * np.eye(v.shape[1])[v.sum(-1).argmax(-1)][..., None]\n"], "mask"),
        (["def reconstruction_loss(x, r):\n    return np.mean((x - r) ** 2, (1, 2, 3))\n"], "reconstruction_loss"),
        (["def both_longest(s, y):\n    return y[range(len(s)), s.argmax(1)] > 0\n"], "both_longest"),
    ],
)
def test_false_and_unknown_definitions_fail(sources, name):
    defined = defined_by(*sources)
    assert list(defined) == [name] and disagreements(name, defined[name])
