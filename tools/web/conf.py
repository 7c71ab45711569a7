"""Sphinx' configuration of the web edition; `python -m tools.web` puts the sources together and runs it."""

import json
import os
from pathlib import Path

from sphinx.ext.mathjax import html_visit_displaymath, html_visit_math

HERE = Path(__file__).resolve().parent
facts = json.loads(os.environ["COURSE_SITE"])
"""What tools.web tells: title, version, author, address (or ""), static, the scripts of each page, of the lessons that
run in the browser where they do and how much they load, and the settings that let a lesson be opened elsewhere."""

project = facts["title"]
author = copyright = facts["author"]
release = facts["version"]
language = "en"

extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["jupyter_execute", "**/jupyter_execute"]
suppress_warnings = ["mystnb.unknown_mime_type"]

html_theme = "sphinx_book_theme"
html_title = project
html_baseurl = facts["address"]
html_static_path = [facts["static"]]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_copy_source = False
html_show_sourcelink = False
html_permalinks_icon = "#"
templates_path = [str(HERE / "templates")]
html_context = {"default_mode": "auto"}
html_theme_options = {
    "home_page_in_toc": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_source_button": False,
    "use_issues_button": False,
    "navbar_persistent": [],
    "show_toc_level": 2,
    "toc_title": "On this page",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    **facts["repository"],
}
# TeX as Sphinx writes it for MathJax, and no MathJax in the page: formulas.py sets the formulas afterwards.
html_math_renderer = "course"


def scripts(app, page, template, context, doctree):
    """Give a page its own scripts."""
    for name in facts["scripts"].get(page, ()):
        app.add_js_file(name, loading_method="defer")
    context["course"] = facts
    if page in facts["runs"]:
        link = f'<a href="{facts["runs"][page]}">Run and change this lesson in your browser</a>'
        words = f'<p class="course-run">{link} (loads about {facts["size"]} at the first click)</p>'
        context["body"] = context["body"].replace("</h1>", f"</h1>{words}", 1)
    # These names hide the words that one sees, so a voice command with them would find nothing.
    context["body"] = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")


def setup(app):
    """Called by Sphinx."""
    app.add_html_math_renderer("course", (html_visit_math, None), (html_visit_displaymath, None))
    app.connect("html-page-context", scripts)
