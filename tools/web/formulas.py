"""The formulas of the site are set when it is made, so that a page shows them at once and brings no program for them.

MathJax does it, in Node. Each formula becomes an SVG, with MathML beside it for screen readers.
"""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

from tools.web import npm

PROGRAM = Path(__file__).resolve().with_name("formulas.mjs")
FORMULA = re.compile(r"\\\((?P<inline>.*?)\\\)|\\\[(?P<display>.*?)\\\]", re.S)
PLACE = re.compile(r'(<(span|div) class="math notranslate nohighlight"[^>]*>)(.*?)(</\2>)', re.S)
"""Where Sphinx puts a formula: the tag, its name, the TeX between its marks, and the end."""


class FormulaError(ValueError):
    """Formulas could not be set; the text says which, or why."""


def set_formulas(site: Path) -> None:
    """Set the formulas of all pages of a site.

    Raises:
        ConnectionError: if MathJax or Node is not there.
        FormulaError: if MathJax does not understand a formula, or fails.
    """
    node = shutil.which("node")
    if node is None:
        raise ConnectionError("node: not found, expected it to run MathJax")
    mathjax = npm.fetched(npm.MATHJAX)
    texts = {page: page.read_text(encoding="utf-8") for page in sorted(site.rglob("*.html"))}
    texts = {page: text for page, text in texts.items() if PLACE.search(text)}
    asked = [[_formula(place) for place in PLACE.finditer(text)] for text in texts.values()]
    done = subprocess.run([node, PROGRAM, mathjax], input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        raise FormulaError(f"node: {' '.join(done.stderr.split())[-300:]}")
    made = json.loads(done.stdout)
    for (page, text), formulas, answer in zip(texts.items(), asked, made["pages"], strict=True):
        for formula, drawn in zip(formulas, answer["formulas"], strict=True):
            problem = re.search(r'data-mjx-error="(.*?)"', drawn)
            if problem:
                raise FormulaError(f"{page.relative_to(site)}: {formula['tex']!r}: {html.unescape(problem[1])}")
        drawn = iter(answer["formulas"])
        text = PLACE.sub(lambda place, drawn=drawn: place[1] + next(drawn) + place[4], text)
        text = text.replace("</head>", f"<style>{made['styles']}</style></head>", 1)
        letters = f'<svg xmlns="http://www.w3.org/2000/svg" style="display: none">{answer["letters"]}</svg>'
        text = re.sub(r"<body\b[^>]*>", lambda body, letters=letters: body[0] + letters, text, count=1)
        page.write_text(text, encoding="utf-8")


def _formula(place: re.Match) -> dict:
    """What formulas.mjs takes, of a formula as Sphinx writes it."""
    found = FORMULA.search(place[3])
    return {"tex": html.unescape(found["inline"] or found["display"]), "display": found["inline"] is None}
