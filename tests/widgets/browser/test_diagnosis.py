"""Diagnosis in a browser: a case from the complaint to the name, by mouse and by keys."""

import pytest
from playwright.sync_api import expect

from capslib.bugs import CASES
from capslib.widgets import Diagnosis
from tests.widgets.browser.saved import notebook


@pytest.fixture
def diagnosis():
    return Diagnosis("break")


def state(page, name):
    return page.evaluate(f"model.get('{name}')")


def places(widget):
    """Numbers of the right suspect, of a wrong one, of the test that tells and of one that does not."""
    right, tests = widget.facts["right"], widget.facts["tests"]
    alone = [n == right for n in range(len(widget.facts["suspects"]))]
    tells = [test["same"] == alone for test in tests]
    return right, (right + 1) % len(alone), tells.index(True), tells.index(False)


def test_a_case_is_solved_by_mouse(diagnosis, mounted, keep):
    page = mounted(diagnosis)
    right, _, telling, _ = places(diagnosis)
    line, verdict = page.get_by_test_id("diagnosis-line"), page.get_by_test_id("diagnosis-verdict")
    expect(line).to_have_text("10 of 10 points. 0 of 5 quantities looked at; tests run: 0.")
    assert page.locator("figure").count() == 1, "the complaint's quantity is shown for nothing"
    page.get_by_test_id("diagnosis-look-3").click()
    expect(page.locator("figure")).to_have_count(2)
    expect(page.locator("figure").nth(1)).to_contain_text("Learning rate in each epoch")
    expect(page.get_by_test_id("diagnosis-look-3")).to_be_disabled()
    expect(page.get_by_test_id("diagnosis-run")).to_be_disabled()
    page.get_by_test_id(f"diagnosis-suspect-{right}").click()
    page.get_by_test_id(f"diagnosis-test-{telling}").click()
    keep(page, "diagnosis-before")
    page.get_by_test_id("diagnosis-run").click()
    expect(page.get_by_test_id("diagnosis-results")).to_contain_text("No other suspect would: this test tells.")
    expect(page.get_by_test_id("diagnosis-run")).to_be_disabled()
    page.get_by_test_id("diagnosis-name").click()
    expect(verdict).to_contain_text("✓ After the break, the batch size is the program's default, not the saved one.")
    expect(verdict).to_contain_text("Your test told it from all the others.")
    expect(line).to_have_text("8 of 10 points. 1 of 5 quantities looked at; tests run: 1.")
    assert (state(page, "looked"), state(page, "tried"), state(page, "named")) == ([3], [[right, telling]], [right])
    keep(page, "diagnosis-solved")


OVERLAPS = """figures => figures.flatMap((figure) => {
    const all = [...figure.querySelectorAll("svg text")];
    const texts = all.map((text) => [text.textContent, text.getBoundingClientRect()]);
    const both = (a, b) => a.left < b.right && b.left < a.right && a.top + 1 < b.bottom && b.top + 1 < a.bottom;
    return texts.flatMap(([one, a], n) => texts.slice(n + 1).filter(([_, b]) => both(a, b)).map(([two]) => [one, two]));
})"""


@pytest.mark.parametrize("case", CASES)
def test_no_word_of_a_chart_lies_over_another(case, mounted):
    widget = Diagnosis(case)
    page = mounted(widget)
    looks = page.locator("[data-testid^=diagnosis-look-]")
    for number in range(looks.count()):
        looks.nth(number).click()
    figures = page.locator("figure")
    expect(figures).to_have_count(looks.count() + 1)
    assert page.eval_on_selector_all("figure", OVERLAPS) == []


def test_a_case_is_solved_by_keys(diagnosis, mounted):
    page = mounted(diagnosis)
    right, _, telling, _ = places(diagnosis)
    page.get_by_test_id("diagnosis-look-0").focus()
    page.keyboard.press("Enter")
    expect(page.locator("figure")).to_have_count(2)
    expect(page.get_by_test_id("diagnosis-look-0")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("diagnosis-line")).to_contain_text("9 of 10 points.")
    page.get_by_test_id("diagnosis-suspect-0").focus()
    page.keyboard.press("Space")
    for _ in range(right):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(telling):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("diagnosis-results")).to_contain_text("this test tells")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("diagnosis-verdict")).to_contain_text("Now mend it, in exercise 11.")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("diagnosis-name")).to_be_focused()
    assert state(page, "tried") == [[right, telling]] and state(page, "named") == [right]


def test_a_wrong_suspect_is_refuted_and_a_wrong_name_costs_three_points(diagnosis, mounted):
    page = mounted(diagnosis)
    _, wrong, telling, _ = places(diagnosis)
    page.get_by_test_id(f"diagnosis-suspect-{wrong}").click()
    page.get_by_test_id(f"diagnosis-test-{telling}").click()
    page.get_by_test_id("diagnosis-run").click()
    expect(page.get_by_test_id("diagnosis-results")).to_contain_text("refuted.")
    page.get_by_test_id("diagnosis-name").click()
    expect(page.get_by_test_id("diagnosis-verdict")).to_contain_text("✗ Not this one. What speaks against it: ")
    expect(page.get_by_test_id("diagnosis-line")).to_contain_text("6 of 10 points.")
    expect(page.get_by_test_id("diagnosis-name")).to_be_disabled()


def test_a_test_that_does_not_tell_says_so_and_a_guess_is_called_one(diagnosis, mounted):
    page = mounted(diagnosis)
    right, _, _, other = places(diagnosis)
    page.get_by_test_id(f"diagnosis-suspect-{right}").click()
    page.get_by_test_id(f"diagnosis-test-{other}").click()
    page.get_by_test_id("diagnosis-run").click()
    expect(page.get_by_test_id("diagnosis-results")).to_contain_text("it does not tell.")
    page.get_by_test_id("diagnosis-name").click()
    expect(page.get_by_test_id("diagnosis-verdict")).to_contain_text("no test of yours told it from all the others")


def test_a_test_that_does_not_tell_names_the_suspects_that_are_left(diagnosis, mounted):
    right, facts = diagnosis.facts["right"], diagnosis.facts
    test, left = next(
        (n, [k for k, same in enumerate(test["same"]) if same and k != right])
        for n, test in enumerate(facts["tests"])
        if 1 < sum(test["same"]) < len(test["same"])
    )
    diagnosis.tried = [[right, test]]
    results = mounted(diagnosis).get_by_test_id("diagnosis-results")
    quoted = " and ".join(f"“{facts['suspects'][n]['text'].removesuffix('.')}”" for n in left)
    expect(results).to_contain_text(f"So would {quoted}: it does not tell.")


def test_a_test_in_which_all_suspects_agree_says_so(mounted):
    widget = Diagnosis("nan")
    test = next(n for n, test in enumerate(widget.facts["tests"]) if all(test["same"]))
    widget.tried = [[0, test]]
    expect(mounted(widget).get_by_test_id("diagnosis-results")).to_contain_text("So would every other suspect: it does")


def test_two_cases_in_one_notebook_do_not_share_their_radio_buttons(lab, page, tmp_path):
    """In JupyterLab each widget runs its own copy of the JavaScript, which must not choose another's names."""
    path = notebook(tmp_path / "two.ipynb", Diagnosis("break"), Diagnosis("calm"))
    lab.open(page, path, run=False, trusted=True)
    first, second = (page.locator(".caps").nth(n) for n in range(2))
    first.get_by_test_id("diagnosis-suspect-2").click()
    second.get_by_test_id("diagnosis-suspect-1").click()
    expect(first.get_by_test_id("diagnosis-suspect-2")).to_be_checked()
    second.get_by_test_id("diagnosis-look-5").focus()
    page.keyboard.press("Tab")
    expect(second.get_by_test_id("diagnosis-suspect-1")).to_be_focused()


def test_a_case_can_begin_again(diagnosis, mounted):
    page = mounted(diagnosis)
    page.get_by_test_id("diagnosis-look-1").click()
    page.get_by_test_id("diagnosis-suspect-1").click()
    page.get_by_test_id("diagnosis-name").click()
    page.get_by_test_id("diagnosis-again").click()
    expect(page.get_by_test_id("diagnosis-line")).to_contain_text("10 of 10 points. 0 of 5")
    expect(page.locator("figure")).to_have_count(1)
    expect(page.get_by_test_id("diagnosis-verdict")).to_be_empty()
    expect(page.get_by_test_id("diagnosis-suspect-1")).not_to_be_checked()
    assert [state(page, name) for name in ("looked", "tried", "named", "suspect")] == [[], [], [], -1]


def test_what_was_looked_at_before_is_there_and_two_views_agree(diagnosis, mounted):
    diagnosis.looked, diagnosis.suspect = [2, 0], 1
    page = mounted(diagnosis, views=2)
    for view in range(2):
        expect(page.locator(".view").nth(view).locator("figure")).to_have_count(3)
        expect(page.get_by_test_id("diagnosis-suspect-1").nth(view)).to_be_checked()


def test_a_quantity_that_is_no_number_is_drawn_as_far_as_it_is_one(mounted, keep):
    widget = Diagnosis("nan")
    widget.looked = list(range(len(CASES["nan"].looks)))
    page = mounted(widget)
    expect(page.locator("figure").first).to_contain_text("patient NaN")
    assert "NaN" not in page.locator("svg").first.inner_html()
    assert page.locator("figure").first.locator("rect.caps-diagnosis-patient").count() > 0
    keep(page, "diagnosis-nan")


@pytest.mark.parametrize("case", ["short", "table"])
def test_charts_stay_inside_their_frames(case, mounted, keep):
    widget = Diagnosis(case)
    widget.looked = list(range(len(CASES[case].looks)))
    page = mounted(widget, width=700)
    for figure in page.locator("figure").all():
        outer, inner = figure.bounding_box(), figure.locator("svg").bounding_box()
        assert outer["x"] <= inner["x"] and inner["x"] + inner["width"] <= outer["x"] + outer["width"]
    keep(page, f"diagnosis-{case}")
