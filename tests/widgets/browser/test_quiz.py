"""Quiz in a browser: every choice by mouse and by keys, and what is said to it."""

import json

import nbformat
from playwright.sync_api import expect

from capslib.widgets import Question, Quiz
from tools.browser.harness import Lab, printed

SUM = Question("What is 1 + 1?", {"1": "That is 1 · 1.", "2": "One and one.", "3": "That is 1 + 2."}, "2")
SHAPE = Question("Which shape has c?", {"(I, J)": "One for each pair.", "(J,)": "Those are lengths."}, "(I, J)")


def test_every_choice_is_explained_at_once_and_may_be_chosen_anew(mounted):
    page = mounted(Quiz([SUM, SHAPE]))
    said, score = page.get_by_test_id("quiz-0-said"), page.get_by_test_id("quiz-score")
    expect(said).to_be_empty()
    expect(score).to_have_text("0 of 2 answered correctly.")
    page.get_by_text("3", exact=True).click()
    expect(said).to_have_text("✗ Not this one. That is 1 + 2.")
    page.get_by_test_id("quiz-0-1").click()
    expect(said).to_have_text("✓ Correct. One and one.")
    expect(page.get_by_test_id("quiz-1-said")).to_be_empty()
    expect(score).to_have_text("1 of 2 answered correctly.")
    page.get_by_test_id("quiz-1-0").focus()
    page.keyboard.press("Space")
    expect(score).to_have_text("2 of 2 answered correctly.")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("quiz-1-said")).to_have_text("✗ Not this one. Those are lengths.")
    assert page.evaluate("model.get('chosen')") == [1, 1]


def test_questions_are_groups_with_their_text_as_name_and_explanations_are_announced(mounted):
    page = mounted(Quiz([SUM, SHAPE]))
    assert page.get_by_role("group", name="1. What is 1 + 1?").get_by_role("radio").count() == 3
    assert page.get_by_role("group", name="2. Which shape has c?").get_by_role("radio", name="(J,)").count() == 1
    assert page.get_by_role("status").count() == 2


def test_a_long_question_stays_inside_its_frame_and_above_its_choices(mounted):
    page = mounted(Quiz([Question("Why? " * 60, SUM.choices, SUM.right)]))
    frame, text, first = (page.locator(part).first.bounding_box() for part in ("fieldset", "legend", "label"))
    assert frame["y"] < text["y"] and text["height"] > 2 * first["height"]
    assert text["y"] + text["height"] <= first["y"]


def test_indices_are_set_low_and_names_are_left_alone(mounted):
    choices = {"û_ij": "Its vote for v_j.", "stop_gradient": "A name, as D_in is none."}
    asked = Question("What is c_ij?", choices, "û_ij")
    page = mounted(Quiz([asked, asked, asked]))
    page.get_by_test_id("quiz-0-1").click()
    assert page.locator("legend sub").first.inner_text() == "ij"
    assert page.locator("label").nth(1).inner_html().endswith("<span>stop_gradient</span>")
    assert page.get_by_test_id("quiz-0-said").inner_html() == "✗ Not this one. A name, as D<sub>in</sub> is none."


def test_two_views_do_not_share_their_radio_buttons(mounted):
    page = mounted(Quiz([SUM, SHAPE]), views=2)
    page.get_by_test_id("quiz-0-1").first.click()
    for view in range(2):
        expect(page.get_by_test_id("quiz-0-1").nth(view)).to_be_checked()


ASK = """from capslib.widgets import Question, Quiz
Quiz([Question("What is 1 + 1?", {"2": "One and one.", "11": "Side by side.", "1": "That is 1 · 1."}, "2")])"""


def test_an_answer_is_still_there_when_a_notebook_saved_with_its_states_is_opened_again(page, tmp_path):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A title"), nbformat.v4.new_code_cell(ASK)])
    made.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nbformat.write(made, tmp_path / "answered.ipynb")
    lab = Lab(tmp_path, settings={"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}})
    try:
        lab.open(page, tmp_path / "answered.ipynb")
        page.get_by_text("11", exact=True).click()
        assert printed(page, "print(_.chosen)", until="[1]", patience=20) == "[1]"
        page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        saved = nbformat.read(lab.course / "notebooks" / "answered.ipynb", as_version=4)
        assert '"chosen": [1]' in json.dumps(saved.metadata)
        # As JupyterLab saves it, with the keys of every dict in alphabetical order.
        (tmp_path / "again.ipynb").write_text(json.dumps(saved, sort_keys=True))
        lab.open(page, tmp_path / "again.ipynb", run=False, trusted=True)
        expect(page.get_by_text("✗ Not this one. Side by side.")).to_be_visible()
        expect(page.get_by_role("radio", name="11", exact=True)).to_be_checked()
    finally:
        page.goto("about:blank")  # A page that is open would miss its server.
        lab.close()
