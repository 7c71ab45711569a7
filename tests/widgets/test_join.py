"""A widget's files become one module: each file once, before its first use, and no name of theirs twice."""

import re
from collections import Counter

import pytest

from capslib import widgets
from capslib.widgets import base
from tools.browser.examples import exported

DECLARED = re.compile(
    r"^(?:export (?:default )?)?(?:(?:const|let|var)|(?:async )?function\*?|class) +(\w+|\[[^\]]*\]|\{[^}]*\})", re.M
)


def declared(program):
    """The names that a module declares at its top level, each as often as it is declared."""
    return [name for found in DECLARED.findall(program) for name in re.findall(r"\w+", found)]


def twice(program):
    return sorted(name for name, times in Counter(declared(program)).items() if times > 1)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Writes files of a folder js that stands in for the widgets' own, by their paths in it."""

    def write(texts):
        for path, text in texts.items():
            file = tmp_path / "js" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    monkeypatch.setattr(base, "FOLDER", tmp_path)
    return write


@pytest.mark.parametrize("name", sorted(exported()))
def test_no_name_is_declared_twice_in_a_widgets_files(name):
    program = str(getattr(widgets, name)._esm)
    assert "COLOURS" in declared(program) and "widget" in declared(program)
    assert twice(program) == []


@pytest.mark.parametrize("name", sorted(exported()))
def test_no_import_is_left_over(name):
    program = str(getattr(widgets, name)._esm)
    assert re.findall(r"^import\b.*|^export .* from .*", program, re.M) == []
    assert len(re.findall(r"^export default ", program, re.M)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "const STEPS = 4;",
        "export let STEPS = 4;",
        "function STEPS() {}",
        "export async function STEPS() {}",
        "class STEPS {}",
        "const [A, STEPS] = [1, 2];",
        "export const {\n  A,\n  STEPS,\n} = now;",
    ],
)
def test_a_name_that_two_files_declare_is_found(files, line):
    inner = "function draw() {\n  const STEPS = 1;\n}\n"
    files({"state.js": 'export const STEPS = ["softmax"];\n'})
    files({"panels.js": f'import {{ STEPS }} from "./state.js";\n{line}\n{inner}'})
    assert twice(base.join("panels.js")) == ["STEPS"]
    files({"panels.js": f'import {{ STEPS }} from "./state.js";\n{inner}'})
    assert twice(base.join("panels.js")) == []


def test_no_import_gives_a_name_another_name():
    files = sorted((base.FOLDER / "js").rglob("*.js"))
    imports = [found for file in files for found in re.findall(r"^import[^;]*;", file.read_text("utf-8"), re.M)]
    assert imports and [found for found in imports if re.search(r"\bas\b", found)] == []


def test_files_of_a_folder_import_each_other_and_those_beside_it(files):
    dom = 'import { COLOURS } from "./palette.js";\nexport const dom = COLOURS;\n'
    state = 'import { dom } from "../dom.js";\nexport const state = dom;\n'
    grid = (
        'import { dom } from "../../dom.js";\nimport {\n  state,\n} from "../state.js";\nexport const grid = state;\n'
    )
    index = (
        'import { state } from "./state.js";\nimport { grid } from "./panels/grid.js";\nexport default [state, grid];\n'
    )
    files({"dom.js": dom, "state.js": 'throw new Error("another file of that name");\n'})
    files({"explorer/state.js": state, "explorer/panels/grid.js": grid, "explorer/index.js": index})
    program = base.join("explorer/index.js")
    assert declared(program) == ["COLOURS", "SCALES", "dom", "state", "grid"]
    assert program.endswith("export default [state, grid];\n") and "import" not in program and "another" not in program
