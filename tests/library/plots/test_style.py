"""The house style is around each figure of the course and nowhere else."""

import ast
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

from capslib import plots, style
from capslib.plots import board
from tests import ROOT

LEARNERS = {
    "axes.edgecolor": "red",
    "axes.facecolor": "black",
    "axes.spines.top": True,
    "axes.unicode_minus": False,
    "figure.constrained_layout.use": False,
    "figure.dpi": 50,
    "font.family": "monospace",
    "font.sans-serif": ["DejaVu Serif"],
    "font.size": 20,
    "hatch.linewidth": 5,
    "image.cmap": "jet",
    "lines.linewidth": 9,
    "mathtext.fontset": "stix",
    "svg.fonttype": "none",
    "svg.hashsalt": "another",
    "text.color": "red",
    "xtick.color": "red",
    "ytick.labelsize": "xx-large",
}
"""Settings of a learner's own, each of which would show in one of PICTURES."""


def settings():
    """All rcParams but the backend, which matplotlib chooses when it is first asked for."""
    return {name: mpl.rcParams[name] for name in mpl.rcParams if name != "backend"}


def on_a_board():
    with style.context():
        fig, ax = board.board(2, 1)
        board.arrow(ax, [(0.2, 0.5), (1.8, 0.5)], "way", "black")
        ax.text(1, 0.7, r"$\hat{u}$ and u")
    return fig


PICTURES = {
    "labelled_curves": lambda: plots.labelled_curves([1, 2], {"a": [-1, 2], "b": [1, 0]}, "n", "$v_j$", (-2, 3)),
    "gradient_parts": lambda: plots.gradient_parts(np.ones((2, 1, 2)), -np.ones((2, 1, 2)), ["face"]),
    "shuffled_capsules": lambda: plots.shuffled_capsules(
        np.eye(28), np.arange(49), np.arange(49)[::-1], np.eye(2), np.eye(2)
    ),
    "board": on_a_board,
}


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_settings_of_a_learner_do_not_show_in_a_picture_of_the_course(draw):
    expected, text = plots.png(draw()), board.svg(draw(), "name", "title", "alt")
    with mpl.rc_context(LEARNERS):
        fig = draw()
        assert plots.png(fig) == expected and board.svg(draw(), "name", "title", "alt") == text
    # Made before a change and drawn after it, as when a cell is left half run.
    fig = draw()
    with mpl.rc_context(LEARNERS):
        assert plots.png(fig) == expected


@pytest.mark.parametrize("name", LEARNERS)
def test_each_of_these_settings_would_show(name):
    def look():
        plain = mpl.figure.Figure(figsize=(3, 2))
        ax, other = plain.subplots(1, 2)
        ax.bar([0, 1], [-1, 1], hatch="//")
        ax.plot([0, 1], [-1, 1])
        ax.set_title("a title $v_j$")
        other.imshow([[0, 1]])
        return board.svg.__wrapped__(plain, "name", "title", "alt")

    if name == "figure.dpi":  # An SVG has no pixels.
        assert style.HOUSE[name] != LEARNERS[name]
        return
    with mpl.rc_context(style.HOUSE):
        expected = look()
    with mpl.rc_context(style.HOUSE | {name: LEARNERS[name]}):
        assert look() != expected


@pytest.mark.parametrize(
    "module",
    [
        "capslib.plots",
        "capslib.plots.board",
        "capslib.widgets",
        pytest.param("benchmarks.pictures", marks=pytest.mark.course),
    ],
)
def test_importing_changes_no_setting(module):
    code = (
        f"import matplotlib; before = matplotlib.rcParams.copy(); import {module}; after = matplotlib.rcParams.copy(); "
        "print(*[name for name in before if before[name] != after[name]])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_drawing_changes_no_setting(draw):
    with mpl.rc_context(LEARNERS):
        before = settings()
        fig = draw()
        plots.png(fig)
        board.svg(fig, "name", "title", "alt")
        assert settings() == before


def test_a_picture_that_fails_changes_no_setting():
    before = settings()
    with pytest.raises(ValueError, match="zip"):
        plots.face_row([np.eye(28)], [])
    assert settings() == before


def makers():
    """Every function of the project that makes a figure of the course, and the names of its decorators."""
    for path in [*ROOT.glob("capslib/plots/*.py"), *ROOT.glob("figures/*.py"), ROOT / "benchmarks/pictures.py"]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                calls = {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
                if node.name == "draw" or calls & {"figure", "plots.figure", "board", "HouseFigure"}:
                    yield f"{path.name}: {node.name}", [ast.unparse(wrapper) for wrapper in node.decorator_list]


def test_every_picture_is_made_in_the_house_style():
    found = dict(makers())
    assert {"margin_loss.py: draw", "pictures.py: draw_growth", "base.py: figure", "layer.py: shuffled_capsules"} <= {
        *found
    }
    assert len(found) > 60
    assert [name for name, wrappers in found.items() if wrappers != ["style.context()"]] == []
