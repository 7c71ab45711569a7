"""What STYLE_GUIDE.md asks of a lesson notebook, as far as a program can tell.

Each rule takes a Notebook and yields what breaks it, a line each; a notebook is in order when no rule yields anything.
"""

import ast
import json
import re
import statistics
from dataclasses import dataclass
from functools import cached_property

from IPython.core.inputtransformer2 import TransformerManager

from tools import exercises, pace
from tools.render import VIEW

KB = 1024


@dataclass(frozen=True)
class Notebook:
    """A notebook's file name and text."""

    name: str
    text: str

    @cached_property
    def data(self):
        return json.loads(self.text)

    @cached_property
    def cells(self):
        """Every cell as a dict with its source as one string."""
        return [{**cell, "source": "".join(cell["source"])} for cell in self.data["cells"]]

    @property
    def code(self):
        return [cell for cell in self.cells if cell["cell_type"] == "code"]

    @property
    def markdown(self):
        return [cell["source"] for cell in self.cells if cell["cell_type"] == "markdown"]

    @property
    def outputs(self):
        return [output for cell in self.code for output in cell["outputs"]]

    @cached_property
    def trees(self):
        """The syntax trees of the code cells; magics are turned into the calls that IPython makes of them."""
        return [ast.parse(TransformerManager().transform_cell(cell["source"])) for cell in self.code]

    @property
    def number(self):
        """The lesson's two digits, A and a digit for an appendix, or None for a solution."""
        found = re.match(r"(\d\d|A\d)_", self.name)
        return found and found[1]


def lines(cell):
    """How many lines of code a cell has; blank ones and comments do not count."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell["source"].splitlines())


def tags(cell):
    """The tags of a cell, none for most."""
    return cell["metadata"].get("tags", [])


def shows_widget(cell):
    """Whether a code cell shows a widget."""
    return any(VIEW in output.get("data", {}) for output in cell["outputs"])


def text_of(value):
    """A string, or a list of strings that notebooks store for one."""
    return value if isinstance(value, str) else "".join(value)


def texts(output):
    """All that an output says in text; pictures are left out."""
    if output["output_type"] == "stream":
        return text_of(output["text"])
    data = output.get("data", {})
    return "\n".join(text_of(v) for kind, v in data.items() if kind.startswith("text/"))


def words(markdown):
    """How many words of prose a markdown cell has.

    Not counted: headings, tables, formulas, code, alt texts, addresses, the list of goals, the recap that mirrors it,
    and sources.
    """
    text = re.sub(r"```.*?```|\$\$.*?\$\$|<!--.*?-->", " ", markdown, flags=re.S)
    text = re.sub(r"`[^`]*`|\$[^$]*\$|<[^>]*>", " ", text)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"^\s*\|.*$", " ", text, flags=re.M)
    text = re.sub(r"\*\*Sources\.\*\*.*?(\n\s*\n|\Z)", r"\1", text, flags=re.S)
    for mark in (r"\*\*Goals\.\*\*.*", r"## Recap"):
        text = re.sub(mark + r"\n(?:\s*\n|\s*(?:[-*]|\d+\.) .*\n?|  +\S.*\n?)*", " ", text)
    text = re.sub(r"^#+ .*$", " ", text, flags=re.M)
    return len(re.findall(r"\S*\w\S*", text))


def items(markdown, heading):
    """The items of the list that follows a heading."""
    _, found, rest = markdown.partition(heading)
    collected = []
    for line in rest.splitlines()[1:] if found else []:
        if re.match(r"(?:[-*]|\d+\.) ", line):
            collected.append(line)
        elif line.strip() and not line.startswith(" "):
            break
        elif collected and line.strip():
            collected[-1] += " " + line.strip()
    return collected


def run_in_order(nb):
    """Every code cell was run, from top to bottom."""
    empty = [n for n, cell in enumerate(nb.code, 1) if not cell["source"].strip()]
    if empty:
        yield f"empty code cells: {empty}"
    counts = [cell["execution_count"] for cell in nb.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"code cells have the execution counts {counts}"


def outputs_kept(nb):
    """A cell that prints, shows, or ends in a value has an output: stripped notebooks would pass every comparison."""
    without = []
    for number, (cell, tree) in enumerate(zip(nb.code, nb.trees, strict=True), 1):
        body = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
        calls = [node.func for part in body for node in ast.walk(part) if isinstance(node, ast.Call)]
        shows = {f.id if isinstance(f, ast.Name) else getattr(f, "attr", "") for f in calls} & {
            "print",
            "display",
            "show",
        }
        last = body[-1] if body else None
        value = isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call | ast.Constant)
        value = value and not cell["source"].rstrip().endswith(";")
        if (shows or value) and not cell["outputs"]:
            without.append(number)
    if without:
        yield f"code cells that show something and have no output: {without}"


def no_errors(nb):
    """No error output, and nothing on standard error."""
    for output in nb.outputs:
        if output["output_type"] == "error":
            yield f"an error output: {output['ename']}"
        if output.get("name") == "stderr":
            yield f"text on standard error: {text_of(output['text'])[:80]!r}"


def small(nb):
    """Under 500 KB without the state of widgets, under 1.5 MB with it."""
    metadata = {key: value for key, value in nb.data["metadata"].items() if key != "widgets"}
    without = json.dumps({**nb.data, "metadata": metadata}, indent=1, ensure_ascii=False)
    for kind, text, limit in (("without widget state", without, 500 * KB), ("in all", nb.text, 1500 * KB)):
        size = len(text.encode())
        if size >= limit:
            yield f"{size // KB} KB {kind}, the limit is {limit // KB}"


def header(nb):
    """The first cell: title with number, promise, time, needs, and 3–5 goals that can be measured."""
    first = nb.markdown[0] if nb.cells[0]["cell_type"] == "markdown" else ""
    title, _, rest = first.partition("\n")
    if not re.fullmatch(rf"# {nb.number} · \S.*", title):
        yield f"the title is {title!r}, expected '# {nb.number} · …'"
    promise, _, after = rest.partition("**Time:**")
    if not 3 <= words(promise) <= 40 or len(promise.strip().split("\n\n")) != 1:
        yield "no promise of one sentence between the title and **Time:**"
    if not re.match(pace.SAYS.pattern.removeprefix(r"\*\*Time:\*\*") + r"\*\*You need:\*\* \S", after):
        yield "no '**Time:** N minutes[, N more for *Going deeper*][, N for quiz and exercises] · **You need:**'"
    goals = items(first, "**Goals.** At the end you")
    if not 3 <= len(goals) <= 5:
        yield f"{len(goals)} goals in a list after '**Goals.** At the end you can', expected 3 to 5"
    if re.search(r"\bunderst(?:and|ood)", " ".join(goals), re.I):
        yield "a goal says 'understand', which nobody can measure"


def ending(nb):
    """The last cells: a recap as long as the goals, a misconception, sources, previous and next.

    Nothing comes after an appendix.
    """
    everything = "\n".join(nb.markdown)
    marks = ("\n## Recap", "**A common misconception.**", "**Sources.**")
    places = [("\n" + everything).rfind(mark) for mark in marks]
    if min(places) < 0 or places != sorted(places):
        yield f"expected {', '.join(mark.strip() for mark in marks)} in this order at the end"
    recap, goals = items(everything, "## Recap"), items(nb.markdown[0], "**Goals.** At the end you")
    if len(recap) != len(goals):
        yield f"the recap has {len(recap)} items for {len(goals)} goals"
    last = nb.markdown[-1].strip().splitlines()[-1] if nb.cells[-1]["cell_type"] == "markdown" else ""
    first, final = nb.number == "00", nb.number == "13" or nb.number.startswith("A")
    arrows = [arrow for arrow, missing in (("←", first), ("→", final)) if not missing]
    if not all(arrow in last for arrow in arrows) or not re.search(r"\]\(\d\d_\w+\.ipynb\)", last):
        yield f"the last line is {last[:60]!r}, expected '← [previous](…) · [next →](…)'"


def time(nb):
    """The minutes in the header are those that `tools.pace` computes, give or take a fifth, and at most an hour."""
    if not nb.cells:
        return
    parts = zip(
        ("the lesson", "Going deeper", "the exercises"), pace.stated(nb.cells), pace.computed(nb.cells), strict=True
    )
    for name, says, takes in parts:
        if abs(says - takes) > max(0.2 * takes, 1):
            yield f"the header gives {name} {says} minutes, it takes {takes:.1f}"
    alone = sum(pace.computed(nb.cells)[:2])
    if alone > 60:
        yield f"{alone:.0f} minutes without exercises are too long for one sitting"


def answers_folded(nb):
    """What answers a question is hidden until it is asked for.

    After a question, and up to the cell that has its answer, a code cell with something to show carries the tag
    `hide-output`; where the answer follows the question in one cell, this goes for the code right below. A widget is
    exempt: it opens in the state that asks.
    """
    asked = answered = None
    for number, cell in enumerate(nb.cells):
        source = cell["source"]
        if cell["cell_type"] == "markdown":
            if "**Question.**" in source:
                if asked is not None and not answered:
                    yield f"no folded answer to the question in cell {asked}"
                asked, answered = number, "<details>" in source.partition("**Question.**")[2]
            elif answered or "<details>" in source:
                asked = answered = None
        elif asked is not None and cell["outputs"] and "hide-output" not in tags(cell) and not shows_widget(cell):
            yield f"cell {number} shows the answer to the question in cell {asked}"
    if asked is not None and not answered:
        yield f"no folded answer to the question in cell {asked}"


def answers_end_cells(nb):
    """Text that goes on after a folded answer has a cell of its own: JupyterLab sets it tight below the fold."""
    for number, cell in enumerate(nb.cells):
        if cell["cell_type"] == "markdown" and re.search(r"</details>\n*[^\n]", cell["source"]):
            yield f"cell {number} goes on after </details>"


def collapsed(nb):
    """A cell with the tag `hide-output` is saved with its outputs collapsed, and no other cell is."""
    for number, cell in enumerate(nb.cells):
        hidden = bool(cell["metadata"].get("jupyter", {}).get("outputs_hidden"))
        if hidden and "hide-output" not in tags(cell):
            yield f"cell {number} is collapsed without the tag hide-output"
        if not hidden and "hide-output" in tags(cell):
            yield f"cell {number} has the tag hide-output and is not collapsed"
        if hidden and cell["outputs"]:
            first = next(line for line in texts(cell["outputs"][0]).split("\n") if line)
            if first not in ("Result:", "<!-- a picture -->"):
                yield f"cell {number} is collapsed, and JupyterLab shows its first line all the same: {first[:40]!r}"


def asserts_in_company(nb):
    """No cell does nothing but assert: it stops a reader and shows them nothing."""

    def asserts(node):
        return isinstance(node, ast.Assert) or (isinstance(node, ast.For | ast.With) and all(map(asserts, node.body)))

    for number, (cell, tree) in enumerate(zip(nb.code, nb.trees, strict=True), 1):
        if tree.body and all(map(asserts, tree.body)) and not cell["outputs"]:
            yield f"code cell {number} only asserts"


def short_cells(nb):
    """Code cells have a median of at most 6 lines, and none has more than 35."""
    sizes = [lines(cell) for cell in nb.code]
    yield from (f"code cell {n} has {size} lines" for n, size in enumerate(sizes, 1) if size > 35)
    if sizes and statistics.median(sizes) > 6:
        yield f"the median code cell has {statistics.median(sizes)} lines"


def rhythm(nb):
    """At most two code cells in a row."""
    kinds = "".join(cell["cell_type"][0] for cell in nb.cells)
    if "ccc" in kinds:
        yield f"three code cells in a row from cell {kinds.index('ccc')} on"


def short_prose(nb):
    """At most 90 words of prose in a cell."""
    for cell in nb.markdown:
        if words(cell) > 90:
            yield f"{words(cell)} words in the cell that begins {cell[:50]!r}"


def no_remote_images(nb):
    """Every picture is in the notebook or beside it."""
    in_markdown = r"!\[[^\]]*\]\(\s*<?([^)\s]+)"
    in_html = r"<(?:img|video|source|image)\b[^>]*?(?:src|href)=[\"']?([^\"'\s>]+)"
    for text in [*nb.markdown, *map(texts, nb.outputs)]:
        for address in re.findall(in_markdown, text) + re.findall(in_html, text):
            if re.match(r"(?:\w+:)?//", address):
                yield f"a remote image: {address[:80]}"


def alt_text(nb):
    """Every picture says in words what it shows, both as data and as the HTML that JupyterLab prefers."""
    for output in nb.outputs:
        for kind in output.get("data", {}):
            if kind.startswith("image/") and not output.get("metadata", {}).get(kind, {}).get("alt", "").strip():
                yield f"{kind} output without alt text"
    for text in [*nb.markdown, *map(texts, nb.outputs)]:
        for tag in re.findall(r"<img\b[^>]*>", text):
            if not re.search(r"\balt=(?:\"[^\"]*\w[^\"]*\"|'[^']*\w[^']*')", tag):
                yield f"an <img> without alt text: {tag[:60]}"
        if re.search(r"!\[\s*\]\(", text):
            yield "a markdown image without alt text"


def no_machine_paths(nb):
    """No absolute path of the machine on which the notebook was run."""
    path = r"(?<![\w.:/-])(/(?:home|root|Users|work|tmp|private|var|usr|opt|mnt|media|srv)/[\w.][^\s\"']*)|\b([A-Za-z]:\\\\?\w\S*)|(file://\S+)"
    state = json.dumps(nb.data["metadata"].get("widgets", {}))
    for text in [*(cell["source"] for cell in nb.cells), *map(texts, nb.outputs), state]:
        for found in re.finditer(path, re.sub(r"[A-Za-z0-9+/=]{60,}", "", text)):
            yield f"a path of a machine: {found[0][:60]}"


def python_kernel(nb):
    """Opens with the kernel that every environment has."""
    name = nb.data["metadata"].get("kernelspec", {}).get("name")
    if name != "python3":
        yield f"the kernel is {name!r}, expected 'python3'"


def safe_widgets(nb):
    """No ipywidgets interact or Output: running them without a browser hangs now and then."""
    unsafe = {"interact", "interactive", "interact_manual", "interactive_output", "Output"}
    for tree in nb.trees:
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            names += [node.attr] if isinstance(node, ast.Attribute) else []
            names += [node.id] if isinstance(node, ast.Name) else []
            yield from (f"uses {name} of ipywidgets" for name in unsafe.intersection(names))


OPENERS = {"open", "Path", "load_model", "load_weights", "save", "save_weights", "savez", "savez_compressed", "savetxt"}
OPENERS |= {"loadtxt", "genfromtxt", "fromfile", "tofile", "imread", "imsave", "savefig", "glob", "iglob", "rglob"}
OPENERS |= {"listdir", "scandir", "read_csv", "write_text", "write_bytes", "chdir"}
HERE = {"cwd", "getcwd", "chdir"}


def no_relative_paths(nb):
    """No file is looked for in the current folder, which is wherever the kernel was started.

    What the course stores is read by `capslib.records.stored`, a lesson's own files go into a temporary folder.
    """

    def literal(node):
        """The text that a string, or a string with values in it, begins with; None for anything else."""
        if isinstance(node, ast.JoinedStr) and node.values:
            node = node.values[0]
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    for tree in nb.trees:
        for node in ast.walk(tree):
            text = literal(node)
            if text and re.match(r"\.{1,2}[/\\]", text):
                yield f"a path relative to the current folder: {text[:40]!r}"
            if not isinstance(node, ast.Call):
                continue
            function, of = getattr(node.func, "attr", getattr(node.func, "id", "")), getattr(node.func, "value", None)
            first = node.args[0] if node.args else None
            reads = function in OPENERS or (function == "load" and getattr(of, "id", "") in {"np", "numpy", "keras"})
            if function in HERE or (function == "Path" and first is None):
                yield f"asks for the current folder: {ast.unparse(node)[:40]}"
            elif reads and (path := literal(first)) is not None and not re.match(r"[/~]|\w:", path):
                yield f"opens a path relative to the current folder: {ast.unparse(node)[:40]}"
            elif function == "run_line_magic" and literal(first) in {"cd", "run", "load", "pwd", "writefile"}:
                yield f"uses the current folder: %{literal(first)}"


def stubs_untouched(nb):
    """An exercise is saved as the stub it starts as, and its check says politely that nothing is there yet."""
    for name, (_, cell) in exercises.pairs(nb.cells).items():
        said = "".join(texts(output) for output in cell["outputs"])
        if "not yet: it returns nothing so far." not in said:
            yield f"the exercise {name} is not saved as an untouched stub"
        body = cell["source"].partition("exercises.check")[0].rstrip()
        if len([line for line in body.splitlines() if line.strip()]) > 6:
            yield f"the stub of {name} has more than five lines besides its check"


# A notebook of solutions is no lesson: it keeps the rules about how it was saved.
SAVED = [run_in_order, outputs_kept, no_errors, small, no_remote_images, alt_text, no_machine_paths]
SAVED += [python_kernel, safe_widgets, no_relative_paths]
LESSON = [header, ending, time, answers_folded, answers_end_cells, collapsed, asserts_in_company]
LESSON += [stubs_untouched, short_cells, rhythm, short_prose]
