"""RoutingExplorer in a browser: every control by mouse, finger and keyboard, and its numbers against NumPy."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from capslib import equations, networks, plots, weights
from capslib.equations import RoutingTrace
from capslib.style import CONTRIBUTION, COUPLING
from capslib.widgets import RoutingExplorer
from capslib.widgets.routing_explorer import PANELS as ALL_PANELS
from capslib.widgets.routing_explorer import STEPS
from tests.widgets.browser.pointers import WAYS, Mouse, Tap, Touch, click, middle
from tests.widgets.test_core import route as route_by_rule
from tools.browser.harness import printed

CLOSE = {2: 0.0051, 3: 0.00051}  # By the decimals that are shown.

RNG = np.random.default_rng(2017)
X = RNG.uniform(size=(5, 28, 28)).astype(np.float32)
U = np.maximum(RNG.normal(size=(5, 49, 8)), 0).astype(np.float32)
U[:, ::3] *= 0.1  # Faint cells, which stay undecided.
W = (0.2 * RNG.normal(size=(8, 10, 6))).astype(np.float32)
LABELS = [3, 1, 3, 0, 3]
PANELS = [panel for panel in ALL_PANELS if panel != "origin"]


def explorer(**kwargs):
    """With all panels unfolded, so that every number is there to be checked."""
    return RoutingExplorer(X, U, W, LABELS, **{"unfolded": PANELS, **kwargs})


def trace_of(chosen=0, routings=5, rule="accumulate"):
    """A RoutingTrace as NumPy has it; of the trained rule from capslib, of the others step by step."""
    u_hat = equations.predict(U[chosen], W)
    if rule == "accumulate":
        return equations.route(u_hat, routings)
    return RoutingTrace(**route_by_rule(u_hat, routings, 0.5, rule), u_hat=u_hat, offset=0.5)


def entropy_of(trace, chosen):
    size = np.linalg.norm(U[chosen], axis=-1)
    return (trace.entropy * size).sum(-1) / size.sum()


def numbers(text):
    return [float(found.replace("−", "-")) for found in re.findall(r"−?\d+\.\d+", text)]


def text(page, test):
    return page.get_by_test_id(test).text_content()


def state(page):
    names = ["chosen", "routings", "rule", "iteration", "step", "i", "j", "kind", "links", "unfolded", "lengths"]
    return dict(zip(names, page.evaluate(f"{names}.map((name) => model.get(name))"), strict=True))


def go(page, **changes):
    page.evaluate("(changes) => Object.entries(changes).forEach(([name, value]) => model.set(name, value))", changes)


# The numbers --------------------------------------------------------------------------------------------------------

STATES = [
    {"iteration": 1, "step": "softmax"},
    {"iteration": 1, "step": "sum"},
    {"iteration": 1, "step": "squash"},
    {"iteration": 1, "step": "agreement"},
    {"iteration": 2, "step": "softmax"},
    {"iteration": 3, "step": "sum", "i": 40, "j": 9, "chosen": 1},
    {"iteration": 4, "step": "squash", "i": 1, "j": 0, "chosen": 4},
    {"iteration": 4, "step": "agreement", "chosen": 2},
    {"iteration": 5, "step": "squash"},
    {"iteration": 5, "step": "agreement", "i": 48},
    {"iteration": 1, "step": "agreement", "routings": 1},
    {"iteration": 3, "step": "softmax", "routings": 3, "chosen": 3},
    {"iteration": 8, "step": "squash", "routings": 8, "chosen": 1},
    {"iteration": 3, "step": "agreement", "rule": "replace", "i": 7, "j": 2},
    {"iteration": 8, "step": "sum", "rule": "replace", "routings": 8},
    {"iteration": 4, "step": "agreement", "rule": "uniform", "chosen": 2},
]


def check(page):
    """Every number that is shown is NumPy's, and what is not computed yet is not shown."""
    now = state(page)
    i, j, t, done = now["i"], now["j"], now["iteration"] - 1, STEPS.index(now["step"])
    trace = trace_of(now["chosen"], now["routings"], now["rule"])
    lengths, norms, H = trace.lengths, equations.length(trace.s), entropy_of(trace, now["chosen"])
    at = {name: t - (done < step) for name, step in {"s": 1, "v": 2, "a": 3}.items()}

    def close(shown, expected, digits):
        np.testing.assert_allclose(shown, expected, atol=CLOSE[digits], rtol=1e-4)

    def when(panel, shown):
        expected = "not computed yet" if shown < 0 else f"{'still ' if shown < t else ''}iteration {shown + 1}"
        assert text(page, f"re-{panel}-when") == expected

    # The formula's results stand in bold.
    bold = numbers(" ".join(page.get_by_test_id("re-formula").locator("b").all_inner_texts()))
    results = {
        "softmax": [trace.c[t, i, j]],
        "sum": [trace.contribution[t, i, j], norms[t, j]],
        "squash": [lengths[t, j]],
        "agreement": [trace.a[t, i, j]],
    }[now["step"]]
    if now["step"] == "agreement" and t < now["routings"] - 1 and now["rule"] != "uniform":
        results.append(trace.b[t + 1, i, j])
    close(bold, results, 3)

    # Lengths, as bars and as numbers.
    bars = page.get_by_test_id("re-lengths").locator(".caps-re-length")
    shown = bars.evaluate_all("nodes => nodes.map((node) => node.dataset.length)")
    written = [node.locator(".caps-re-value").text_content() for node in bars.all()]
    scales = bars.locator(".caps-re-bar").evaluate_all("nodes => nodes.map((node) => node.style.transform)")
    when("lengths", at["v"])
    if at["v"] < 0:
        assert shown == written == [""] * 10 and set(scales) == {"scaleX(0)"} and now["lengths"] == []
    else:
        close([float(x) for x in shown], lengths[at["v"]], 3)
        close(numbers(" ".join(written)), lengths[at["v"]], 3)
        close(numbers(" ".join(scales).replace("e-", "")), lengths[at["v"]], 3)
        close(now["lengths"], lengths[at["v"]], 3)

    # The digit: tints, and the chosen cell's number.
    limit = np.abs(trace.contribution).max()  # One scale for all capsules.
    values = trace.contribution[at["s"], :, j] / limit if at["s"] >= 0 else np.zeros(49)
    painted(page.get_by_test_id("re-grid").locator(".caps-re-cell"), CONTRIBUTION, values)
    when("grid", at["s"])
    if at["s"] >= 0:
        close(numbers(text(page, "re-grid-note")), [trace.contribution[at["s"], i, j], norms[at["s"], j]], 2)

    # Couplings: the matrix, the links, the areas of the votes.
    matched(entries(page), COUPLING, plots.coupling_scale(trace.c[t]).ravel() / 3)
    close(numbers(text(page, "re-matrix-note")), [trace.c[t, i, j]], 3)
    links = page.locator(".caps-re-link:not(.caps-re-link-lit)").evaluate_all(
        "nodes => nodes.map((n) => [+n.dataset.i, +n.dataset.j, +n.getAttribute('stroke-width')])"
    )
    assert [link[:2] for link in links] == [[cell, j] for cell in range(49)]
    np.testing.assert_allclose([link[2] for link in links], 12 * trace.c[t, :, j], atol=0.0051)

    # Votes: their places by plots.vote_plane, one scale for both axes, and the weighted mean.
    points, plane, _ = plots.vote_plane(trace, j)
    dots = page.locator(".caps-re-vote").evaluate_all(
        "n => n.map((n) => ['cx', 'cy', 'r'].map((k) => +n.getAttribute(k)))"
    )
    x, y, r = np.transpose(dots)
    np.testing.assert_allclose(r, 14 * np.sqrt(trace.c[t, :, j]), atol=0.006)
    across, along = np.polyfit(points[:, 0], x, 1), np.polyfit(points[:, 1], y, 1)
    np.testing.assert_allclose(np.polyval(across, points[:, 0]), x, atol=0.02)
    np.testing.assert_allclose(np.polyval(along, points[:, 1]), y, atol=0.02)
    assert across[0] == pytest.approx(-along[0], rel=1e-3) and across[0] > 0
    mean = page.get_by_test_id("re-votes").get_attribute("data-mean")
    if at["s"] < 0:
        assert mean == "" and not page.locator(".caps-re-mean").is_visible()
    else:
        expected = plane @ trace.s[at["s"], j] / trace.c[at["s"], :, j].sum()
        np.testing.assert_allclose([float(x) for x in mean.split()], expected, atol=1e-4)
        assert f"at {expected[0]:.2f} along" in text(page, "re-votes-note").replace("−", "-")

    # b and a of the pair; entropy, of all and of the chosen cell.
    told = page.get_by_test_id("re-logits").get_attribute("aria-label")
    expected = [x for n in range(t + 1) for x in (trace.b[n, i, j], trace.a[n, i, j])][: 2 * t + 1 + (done == 3)]
    close(numbers(told), expected, 2)
    shown = text(page, "re-logits-note")
    close(numbers(shown)[:1], [trace.b[t, i, j]], 2)
    assert ("not computed yet" in shown) == (at["a"] < 0)
    if at["a"] >= 0:
        close(numbers(shown)[1:], [trace.a[at["a"], i, j]], 2)
    told = page.get_by_test_id("re-entropy").get_attribute("aria-label")
    close(numbers(told), np.transpose([H[: t + 1], trace.entropy[: t + 1, i]]).ravel(), 2)
    close(numbers(text(page, "re-entropy-note")), [H[t], trace.entropy[t, i]], 2)

    # The frames: lengths up to now, and no picture of what is to come.
    for n in range(8):
        frame = page.get_by_test_id(f"re-iteration-{n + 1}")
        assert frame.is_visible() == (n < now["routings"])
        if n < now["routings"]:
            shown = numbers(frame.inner_text())
            close(shown, [lengths[n, j]] if n <= at["v"] else [], 2)
            assert ("re-to-come" in (frame.get_attribute("class") or "")) == (n > at["s"])

    # And in words.
    line = text(page, "re-status")
    assert f"Labelled {LABELS[now['chosen']]}. Iteration {t + 1} of {now['routings']}, " in line
    if at["v"] < 0:
        assert "No lengths yet" in line
    else:
        first, second = np.argsort(lengths[at["v"]])[::-1][:2]
        assert (
            f"capsule {first} ({lengths[at['v'], first]:.3f}), then {second} ({lengths[at['v'], second]:.3f})" in line
        )
    foreign = now["routings"] != 5 or now["rule"] != "accumulate"
    trained = "The weights were trained with 5 iterations and the rule accumulate."
    assert text(page, "re-foreign") == (trained if foreign else "")
    assert (trained in line) == foreign


def entries(page):
    """The colours of the matrix, (I · J, 3)."""
    data = page.get_by_test_id("re-entries").evaluate(
        "(node) => [...node.getContext('2d').getImageData(0, 0, node.width, node.height).data]"
    )
    data = np.reshape(data, (-1, 4))
    assert (data[:, 3] == 255).all()
    return data[:, :3]


def entry(within, i, j):
    """The middle of an entry of the matrix in the page's pixels."""
    box = within.get_by_test_id("re-entries").bounding_box()
    return box["x"] + (j + 0.5) * box["width"] / 10, box["y"] + (i + 0.5) * box["height"] / 49


def painted(nodes, colours, values):
    """The fills of SVG nodes are a scale's colours at values on −1 … 1."""
    fills = nodes.evaluate_all("nodes => nodes.map((node) => node.getAttribute('fill'))")
    matched(
        [[255] * 3 if fill == "#fff" else [int(x) for x in re.findall(r"\d+", fill)] for fill in fills], colours, values
    )


def matched(found, colours, values):
    """Colours are those of a scale at values on −1 … 1."""
    expected = 255 * colours((np.asarray(values) + 1) / 2)[:, :3]
    assert np.abs(np.array(found) - expected).max() < 4


def test_every_number_is_numpys_at_each_step_rule_and_number_of_routings(mounted):
    page = mounted(explorer())
    start = state(page)
    for changes in [{}, *STATES]:
        go(page, **{**start, **changes})
        check(page)


def test_every_number_is_numpys_at_each_step_of_a_whole_routing(mounted):
    page = mounted(explorer(iteration=1, step="softmax"))
    for position in range(20):
        now = state(page)
        assert (now["iteration"], now["step"]) == (position // 4 + 1, STEPS[position % 4])
        check(page)
        page.get_by_test_id("re-root").press("ArrowRight")
    assert (state(page)["iteration"], state(page)["step"]) == (5, "agreement")


def test_couplings_on_the_grid_and_links_of_a_cell(mounted):
    page = mounted(explorer(kind="coupling", links="lower", iteration=3, step="softmax", i=22))
    trace, now = trace_of(), state(page)
    values = plots.coupling_scale(trace.c[2])[:, now["j"]] / 3
    painted(page.get_by_test_id("re-grid").locator(".caps-re-cell"), COUPLING, values)
    assert numbers(text(page, "re-grid-note")) == [pytest.approx(trace.c[2, 22, now["j"]], abs=5.1e-4)]
    links = page.locator(".caps-re-link:not(.caps-re-link-lit):visible")
    ends = links.evaluate_all("n => n.map((n) => [+n.dataset.i, +n.dataset.j, +n.getAttribute('stroke-width')])")
    assert [end[:2] for end in ends] == [[22, j] for j in range(10)]
    np.testing.assert_allclose([end[2] for end in ends], 12 * trace.c[2, 22], atol=0.0051)


def test_votes_of_nothing_but_zeros_are_drawn(mounted):
    page = mounted(RoutingExplorer(np.zeros((1, 28, 28)), np.zeros((1, 49, 3)), np.zeros((3, 10, 2)), step="squash"))
    assert text(page, "re-length-0").endswith("0.000")
    assert "0.100" in text(page, "re-matrix-note") and "NaN" not in page.content().split("</script>")[-1]


# Moments of a training ----------------------------------------------------------------------------------------------

MOMENTS = ["untrained", "30 steps", "1 epoch", "20 epochs"]
U_LEARNING = np.stack([np.roll(U, n, 1) for n in range(4)])
W_LEARNING = np.array([0.1, 0.3, 0.6, 1], np.float32)[:, None, None, None] * W


def learning(**kwargs):
    given = {"moments": MOMENTS, "iteration": 5, "step": "squash", "j": 2, "i": 9, **kwargs}
    return RoutingExplorer(X, U_LEARNING, W_LEARNING, LABELS, **given)


def traces_of(chosen, routings=5):
    return [equations.route(equations.predict(U_LEARNING[m, chosen], W_LEARNING[m]), routings) for m in range(4)]


def frame(page, moment):
    return page.get_by_test_id(f"re-moment-{moment}")


def check_moment(page, moment, chosen=0):
    traces = traces_of(chosen)
    now, trace = state(page), traces[moment]
    assert page.evaluate("model.get('moment')") == moment
    t, j = now["iteration"] - 1, now["j"]
    np.testing.assert_allclose(now["lengths"], trace.lengths[t], atol=1e-5)
    limit = max(np.abs(one.contribution).max() for one in traces)  # One scale for all moments.
    cells = page.get_by_test_id("re-grid").locator(".caps-re-cell")
    painted(cells, CONTRIBUTION, trace.contribution[t, :, j] / limit)
    shown = [numbers(frame(page, n).locator(".caps-re-frame-value").text_content()) for n in range(4)]
    np.testing.assert_allclose(np.ravel(shown), [one.lengths[t, j] for one in traces], atol=CLOSE[2])
    pressed = [frame(page, n).get_attribute("aria-pressed") for n in range(4)]
    assert pressed == [str(n == moment).lower() for n in range(4)]
    assert f"Training: {MOMENTS[moment]}. Iteration {t + 1} of 5" in text(page, "re-status")
    for n, one in enumerate(traces):
        pixels = (
            frame(page, n)
            .locator("canvas")
            .evaluate("(node) => [...node.getContext('2d').getImageData(0, 0, 28, 28).data]")
        )
        ink = 1 - 0.5 * X[chosen, 2::4, 2::4].ravel()[:, None]  # At half its strength on the middle of each cell.
        tint = CONTRIBUTION((one.contribution[t, :, j] / limit + 1) / 2)[:, :3]
        found = np.reshape(pixels, (28, 28, 4))[2::4, 2::4, :3].reshape(49, 3)
        assert np.abs(found - 255 * ink * tint).max() < 5, MOMENTS[n]


def test_each_moment_of_a_training_is_numpys_by_mouse_and_by_keys(mounted, keep):
    page = mounted(learning(), width=1000)
    for moment in (0, 3, 1):
        frame(page, moment).click()
        check_moment(page, moment)
    root = page.get_by_test_id("re-root")
    for key, moment in ((".", 2), (".", 3), (".", 3), (",", 2), (",", 1), (",", 0), (",", 0)):
        root.press(key)
        check_moment(page, moment)
    page.get_by_test_id("re-digit").select_option("1")
    assert state(page)["j"] == traces_of(1)[-1].lengths[-1].argmax(), "the winner that the training leads to"
    frame(page, 2).click()
    check_moment(page, 2, chosen=1)
    page.get_by_test_id("re-iteration-2").click()
    check_moment(page, 2, chosen=1)
    keep(page, "routing-explorer-training")


def test_at_the_first_softmax_no_moment_has_a_length(mounted):
    page = mounted(learning(iteration=1, step="softmax"))
    for moment in range(4):
        assert numbers(frame(page, moment).inner_text()) == []
        label = frame(page, moment).get_attribute("aria-label")
        assert label == f"{MOMENTS[moment]} of training, no length yet"


def test_a_training_plays_alone_to_its_end(mounted):
    page = mounted(learning(moment=3))
    page.clock.install()
    play, steps = page.get_by_test_id("re-learn"), page.get_by_test_id("re-play")
    steps.click()  # From its end: begins again.
    assert steps.get_attribute("aria-label") == "Pause"
    play.click()
    assert steps.get_attribute("aria-label") == "Play", "one plays at a time"
    assert play.get_attribute("aria-label") == "Pause the training"
    assert page.evaluate("model.get('moment')") == 0
    for moment in (1, 2, 3):
        page.clock.run_for(1500)
        assert page.evaluate("model.get('moment')") == moment
    assert play.get_attribute("aria-label") == "Play the training"
    play.click()
    page.get_by_test_id("re-forward").click()
    page.clock.run_for(5000)
    assert page.evaluate("model.get('moment')") == 0, "who takes a step by hand stops it"


def test_without_moments_there_is_no_film_of_the_training(mounted):
    page = mounted(explorer())
    assert not page.get_by_test_id("re-training").is_visible()
    assert "training" not in page.locator(".caps-re-keys").inner_text()
    page.get_by_test_id("re-root").press(".")
    assert page.evaluate("model.get('moment')") == 0


# What it shows at first ----------------------------------------------------------------------------------------------


def test_untouched_it_stands_before_the_first_step_and_offers_to_play(mounted, keep):
    page = mounted(explorer())
    assert (state(page)["iteration"], state(page)["step"]) == (1, "softmax")
    assert page.get_by_test_id("re-play").inner_text() == "Play"
    check(page)
    assert page.evaluate("model.saved") == {}, "nothing to tell while nothing was touched"
    keep(page, "routing-explorer")


def test_at_the_end_the_first_and_the_last_iteration_are_side_by_side(mounted, keep):
    page = mounted(explorer(iteration=5, step="squash"))
    trace = trace_of()
    winner = trace.lengths[-1].argmax()
    for n in (0, 4):
        assert numbers(page.get_by_test_id(f"re-iteration-{n + 1}").inner_text()) == [
            pytest.approx(trace.lengths[n, winner], abs=0.0051)
        ]
    ticks = page.get_by_test_id("re-lengths").locator(".caps-re-before")
    assert ticks.evaluate_all("nodes => nodes.every((node) => node.style.display !== 'none')")
    x = np.array(ticks.evaluate_all("nodes => nodes.map((node) => +node.getAttribute('x1'))"))
    np.testing.assert_allclose((x - 28) / 190, trace.lengths[0], atol=1e-3)
    assert page.evaluate("model.saved") == {}, "Python has these lengths already"
    keep(page, "routing-explorer-end")


@pytest.mark.parametrize(("dark", "width"), [(False, 700), (True, 700), (True, 1100)])
def test_pictures_to_look_at(mounted, keep, dark, width):
    page = mounted(explorer(iteration=3, step="sum"), dark=dark, width=width)
    keep(page, f"routing-explorer-{'dark' if dark else 'light'}-{width}")
    boxes = [page.get_by_test_id(f"re-{name}").bounding_box() for name in ("grid", "matrix", "lengths", "votes")]
    assert all(box["width"] > 150 and box["x"] + box["width"] <= width for box in boxes)


PICTURES = ["grid", "matrix", "lengths", "logits", "votes", "entropy"]


@pytest.mark.parametrize("width", [1280, 800])
def test_at_first_it_shows_three_pictures_and_fits_a_window(mounted, keep, width):
    page = mounted(explorer(unfolded=[]), width=width, height=900)
    for step in STEPS:
        page.get_by_test_id(f"re-step-{step}").click()
        box = page.get_by_test_id("re-root").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 900
    assert [name for name in PICTURES if page.get_by_test_id(f"re-{name}").is_visible()] == PICTURES[:3]
    assert not page.get_by_test_id("re-rule").is_visible()
    keep(page, f"routing-explorer-folded-{width}")


def test_the_chosen_row_of_the_matrix_is_seen_in_its_own_colours(mounted):
    page = mounted(explorer(iteration=5, i=24, j=4), width=1280)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        pixels = np.asarray(picture.convert("RGB"), int)
    colours = entries(page)
    for j in range(10):
        x, y = entry(page, 24, j)
        for up in (-1, 0, 1):
            assert np.abs(pixels[int(y) + up, int(x)] - colours[240 + j]).max() < 10, f"column {j}, {up} pixels down"


def test_widths_of_links_have_a_scale(mounted):
    page = mounted(explorer(iteration=5))
    widths = page.locator(".caps-re-width").evaluate_all("n => n.map((n) => +n.getAttribute('stroke-width'))")
    shown = page.locator(".caps-re-width + text").all_text_contents()
    assert shown == ["c = 0.1", "0.5", "1"]
    assert widths == pytest.approx([12 * c for c in (0.1, 0.5, 1)])  # As the links: see check().


def test_captions_and_presets(mounted):
    captions = ["an ordinary one", "one of 2 in 5", "", "", ""]
    page = mounted(explorer(captions=captions, presets={"ordinary": 0, "changed": 1}))
    assert text(page, "re-caption") == "an ordinary one"
    page.get_by_test_id("re-preset-1").click()
    assert state(page)["chosen"] == 1 and text(page, "re-caption") == "one of 2 in 5"
    assert page.get_by_test_id("re-preset-1").get_attribute("aria-pressed") == "true"
    page.get_by_test_id("re-digit").select_option("0")
    assert not page.get_by_test_id("re-caption").is_visible()


# Where u comes from --------------------------------------------------------------------------------------------------

PARAMETERS = weights.arrays("article_capsnet")
DIGITS = np.zeros((2, 28, 28), np.uint8)
DIGITS[0, 4:24, 12:16] = DIGITS[1, 4:8, 6:22] = DIGITS[1, 8:24, 18:22] = 255


def with_origin(**kwargs):
    u = networks.trunk(DIGITS, PARAMETERS).reshape(2, 49, -1)
    return RoutingExplorer(DIGITS, u, PARAMETERS["v.W"], parameters=PARAMETERS, **kwargs)


def seen_by(cell):
    """What a cell depends on: in the image and in the first maps; as [first row, first column, rows, columns]."""
    ones = {name: np.ones_like(x) for name, x in PARAMETERS.items()}
    pixels = np.eye(28 * 28, dtype=np.float32).reshape(-1, 28, 28, 1)
    first = networks.max_pooling(networks.convolution(pixels, ones["conv1.kernel"][..., :1], np.zeros(1)))
    second = networks.max_pooling(networks.convolution(first, ones["conv2.kernel"][:, :, :1, :1], np.zeros(1)))
    in_image = second[:, cell // 7, cell % 7, 0].reshape(28, 28) > 0
    places = np.eye(14 * 14, dtype=np.float32).reshape(-1, 14, 14, 1)
    second = networks.max_pooling(networks.convolution(places, ones["conv2.kernel"][:, :, :1, :1], np.zeros(1)))
    in_first = second[:, cell // 7, cell % 7, 0].reshape(14, 14) > 0
    corners = [(np.argwhere(where).min(0), np.argwhere(where).max(0) + 1) for where in (in_image, in_first)]
    return [[*low, *(high - low)] for low, high in corners]


def test_where_u_comes_from_is_what_the_network_computes(mounted, keep):
    page = mounted(with_origin(unfolded=["origin"], i=24, chosen=1))
    kernels = [(PARAMETERS[f"conv{n}.kernel"], PARAMETERS[f"conv{n}.bias"]) for n in (1, 2)]
    for chosen, cell in [(1, 24), (1, 0), (0, 48), (0, 30)]:
        go(page, chosen=chosen, i=cell)
        x = DIGITS[chosen, None, ..., None] / np.float32(255)
        stages = [x]
        for kernel, bias in kernels:
            x = networks.max_pooling(np.maximum(networks.convolution(x, kernel, bias), 0))
            stages.append(x)
        for name, stage, columns in zip(["image", "first", "second"], stages, [1, 4, 8], strict=True):
            alpha = np.array(
                page.get_by_test_id(f"re-origin-{name}").evaluate(
                    """(node) => {
                        const { width, height } = node;
                        const { data } = node.getContext("2d").getImageData(0, 0, width, height);
                        return Array.from({ length: width * height }, (_, p) => data[4 * p + 3]);
                    }"""
                )
            )
            alpha = alpha.reshape(-1, columns * (stage.shape[1] + 1) - 1 if columns > 1 else 28)
            side, count = stage.shape[1], stage.shape[3]
            for f in range(count):
                top, left = (side + 1) * (f // columns), (side + 1) * (f % columns)
                found = alpha[top : top + side, left : left + side]
                np.testing.assert_allclose(found, 255 * stage[0, :, :, f] / stage.max(), atol=1.01)
        frames = page.locator("[data-frame]").evaluate_all("nodes => nodes.map((node) => node.dataset.frame)")
        frames = [[int(x) for x in frame.split()] for frame in frames]
        assert frames == [*seen_by(cell), [cell // 7, cell % 7, 1, 1]]
        u = stages[-1][0, cell // 7, cell % 7]
        bars = page.locator(".caps-re-u").evaluate_all("n => n.map((n) => [+n.dataset.u, +n.getAttribute('height')])")
        np.testing.assert_allclose([bar[0] for bar in bars], u, atol=1e-4)
        np.testing.assert_allclose([bar[1] for bar in bars], 82 * u / stages[-1].max(), atol=0.02)
        note = text(page, "re-origin-note")
        assert note.startswith(f"Cell {cell}: {np.count_nonzero(u)} of the 32 numbers in u are not 0")
        np.testing.assert_allclose(numbers(note), [u.max(), np.linalg.norm(u)][int(u.max() == 0) :], atol=CLOSE[2])
    keep(page, "routing-explorer-origin")


def test_where_u_comes_from_is_unfolded_on_request_and_absent_without_the_network(mounted):
    page = mounted(with_origin())
    assert not page.get_by_test_id("re-origin").is_visible()
    page.get_by_test_id("re-unfold-origin").click()
    assert page.get_by_test_id("re-origin").is_visible() and state(page)["unfolded"] == ["origin"]
    page = mounted(explorer())
    assert page.get_by_test_id("re-unfold-origin").count() == page.get_by_test_id("re-origin").count() == 0


# Controls ------------------------------------------------------------------------------------------------------------


@WAYS
def test_steps_iterations_and_switches(mounted, page, way):
    mounted(explorer(iteration=2, step="sum"))
    tap = Tap(page, way)

    def position():
        return state(page)["iteration"], state(page)["step"]

    tap("re-reset")
    assert position() == (1, "softmax")
    tap("re-back")
    assert position() == (1, "softmax")
    tap("re-forward", 5)
    assert position() == (2, "sum")
    tap("re-back", 2)
    assert position() == (1, "agreement")
    tap("re-iteration-4")
    assert position() == (4, "agreement")
    for step in STEPS:
        tap(f"re-step-{step}")
        assert position() == (4, step)
        assert page.get_by_test_id(f"re-step-{step}").get_attribute("aria-pressed") == "true"
    tap("re-kind-coupling")
    tap("re-links-lower")
    assert (state(page)["kind"], state(page)["links"]) == ("coupling", "lower")
    tap("re-kind-contribution")
    tap("re-links-upper")
    assert (state(page)["kind"], state(page)["links"]) == ("contribution", "upper")
    check(page)


@pytest.mark.parametrize("by_key", [False, True], ids=["list", "key"])
def test_digit_sample_routings_and_rule(mounted, page, by_key):
    mounted(explorer(iteration=2, step="squash"))

    def choose(name, value, key, times=1):
        control = page.get_by_test_id(f"re-{name}")
        if by_key:
            for _ in range(times):
                control.press(key)
        else:
            control.select_option(value)

    choose("sample", "2", "ArrowDown")  # The second of three 3s is the third of all digits.
    assert state(page)["chosen"] == 2
    choose("digit", "1", "ArrowUp")
    assert state(page)["chosen"] == 1
    choose("routings", "8", "ArrowDown", 3)
    assert (state(page)["routings"], state(page)["iteration"]) == (8, 2)
    choose("rule", "replace", "ArrowDown")
    assert state(page)["rule"] == "replace"
    check(page)
    choose("routings", "1", "ArrowUp", 7)
    assert (state(page)["routings"], state(page)["iteration"]) == (1, 1)
    check(page)


@WAYS
def test_panels_and_settings_are_unfolded_and_folded(mounted, page, way):
    mounted(explorer(iteration=3, step="sum", unfolded=["votes"]))
    tap = Tap(page, way)

    def shown():
        opened = [
            name for name in PANELS if page.get_by_test_id(f"re-unfold-{name}").get_attribute("aria-expanded") == "true"
        ]
        there = {name: page.get_by_test_id(f"re-{'rule' if name == 'settings' else name}") for name in PANELS}
        assert opened == [name for name, node in there.items() if node.is_visible()] == state(page)["unfolded"]
        return opened

    assert shown() == ["votes"]
    tap("re-unfold-entropy")
    assert shown() == ["votes", "entropy"]
    page.get_by_test_id("re-forward").click()
    tap("re-unfold-votes")
    tap("re-unfold-settings")
    tap("re-unfold-logits")
    assert shown() == ["settings", "logits", "entropy"]
    page.get_by_test_id("re-forward").click()
    tap("re-unfold-votes")
    check(page)  # Unfolded, a panel shows what is now, and not what was when it was folded.
    tap("re-unfold-settings")
    assert shown() == page.evaluate("model.saved.unfolded") == ["logits", "votes", "entropy"]


HOVERED = {
    "[data-testid=re-play]": "All steps, one a second. Key: p",
    "[data-testid=re-step-squash]": "Each sum s becomes the capsule's output v",
    "[data-testid=re-rule]": "What the agreement a of an iteration does",
    "[data-testid=re-unfold-votes]": "The votes of all cells for the chosen capsule",
    "[data-testid=re-iteration-2]": "Go to iteration 2. Colours: contribution of each cell to capsule 4",
    ".caps-re-matrix h4": "A row for each cell i, a column for each capsule j",
    ".caps-re-cell[data-i='10']": "Cell 10: c = {c10}, contribution {gives10}.",
    "[data-testid=re-length-2] .caps-re-hit": "Capsule 2: length {length}; {began} at iteration 1.",
    ".caps-re-vote[data-i='{far}']": "Vote of cell {far} for capsule 4: ",
    ".caps-re-entropy svg": "How undecided the couplings are",
}


def test_the_pointer_and_the_keyboard_are_told_what_things_mean(mounted):
    page = mounted(explorer(iteration=4, step="squash", i=24, j=4))
    tip, trace = page.get_by_test_id("re-tip"), trace_of()
    numbers_now = {
        "c10": f"{trace.c[3, 10, 4]:.3f}",
        "gives10": f"{trace.contribution[3, 10, 4]:.2f}".replace("-", "−"),
        "c33": f"{trace.c[3, 33, 7]:.3f}",
        "length": f"{trace.lengths[3, 2]:.3f}",
        "began": f"{trace.lengths[0, 2]:.3f}",
        "far": np.abs(plots.vote_plane(trace, 4)[0]).sum(1).argmax(),
    }
    assert not tip.is_visible()
    for where, words in HOVERED.items():
        page.locator(where.format(**numbers_now)).hover(force=True)
        assert words.format(**numbers_now) in tip.inner_text(), where
    page.mouse.move(*entry(page, 33, 7))
    assert tip.inner_text().startswith(f"Cell 33 → capsule 7: c = {numbers_now['c33']}, ")
    page.mouse.move(1, 1)
    assert not tip.is_visible()
    box = page.get_by_test_id("re-root").bounding_box()

    page.get_by_test_id("re-iteration-5").focus()
    for test, key, words in [
        ("re-step-softmax", "Tab", "The logits b of each cell"),
        ("re-grid", "ArrowRight", "Cell 25: c = "),
        ("re-matrix", "ArrowDown", "Cell 26 → capsule 4: c = "),
        ("re-lengths", "ArrowDown", "Capsule 5: length "),
    ]:
        if key != "Tab":
            page.get_by_test_id(test).focus()
        page.keyboard.press(key)
        page.get_by_test_id(test).and_(page.locator(":focus")).wait_for()
        assert page.get_by_test_id(test).get_attribute("aria-describedby") == tip.get_attribute("id")
        inside = tip.bounding_box()
        assert inside["x"] >= box["x"] - 1 and inside["x"] + inside["width"] <= box["x"] + box["width"] + 1
        assert words in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible() and page.locator("[aria-describedby]").count() == 0


def test_who_looks_at_the_last_iteration_goes_on_looking_at_the_last(mounted):
    page = mounted(explorer(iteration=5))
    page.get_by_test_id("re-routings").select_option("8")
    assert state(page)["iteration"] == 8
    page.get_by_test_id("re-routings").select_option("3")
    assert state(page)["iteration"] == 3


def test_another_digit_is_looked_at_where_its_leader_is_now_and_not_where_it_will_be(mounted):
    page = mounted(explorer(iteration=1, step="squash", i=0, j=0))
    page.get_by_test_id("re-sample").select_option("4")
    trace = trace_of(4)
    leader = trace.lengths[0].argmax()
    assert leader != trace.lengths[-1].argmax()
    assert (state(page)["j"], state(page)["i"]) == (leader, trace.contribution[0, :, leader].argmax())
    go(page, step="softmax", i=5, j=6)
    page.get_by_test_id("re-digit").select_option("0")  # Nobody leads yet.
    assert (state(page)["i"], state(page)["j"]) == (5, 6)


def test_keys_step_from_anywhere(mounted):
    page = mounted(explorer(iteration=2, step="squash"))
    root = page.get_by_test_id("re-root")

    def after(key):
        root.press(key)
        return state(page)["iteration"], STEPS.index(state(page)["step"]) + 1

    assert after("ArrowRight") == (2, 4)
    assert after("ArrowRight") == (3, 1)
    assert after("ArrowLeft") == (2, 4)
    assert after("ArrowDown") == (3, 4)
    assert after("ArrowUp") == (2, 4)
    assert after("PageDown") == (3, 4)
    assert after("PageUp") == (2, 4)
    assert after("Home") == (1, 1)
    assert after("ArrowLeft") == (1, 1)
    assert after("ArrowUp") == (1, 1)
    assert after("End") == (5, 4)
    assert after("ArrowRight") == (5, 4)
    page.get_by_test_id("re-kind-coupling").press("ArrowLeft")
    assert (state(page)["iteration"], state(page)["step"]) == (5, "squash")
    page.get_by_test_id("re-root").press("Control+ArrowLeft")
    assert state(page)["step"] == "squash"


@pytest.mark.parametrize("way", ["button", "p"])
def test_the_first_play_goes_through_all_steps_and_can_be_paused_and_repeated(mounted, page, way):
    page.clock.install(time="2026-01-01T08:00")
    mounted(explorer())
    page.clock.pause_at("2026-01-01T09:00")  # Time goes on only where it is told to.
    button = page.get_by_test_id("re-play")

    def press():
        button.click() if way == "button" else page.get_by_test_id("re-root").press("p")

    def where():
        return 4 * (state(page)["iteration"] - 1) + STEPS.index(state(page)["step"]), button.inner_text()

    assert where() == (0, "Play")
    press()
    assert where() == (0, "Pause")
    for position in range(1, 4):
        page.clock.run_for(1000)
        assert where() == (position, "Pause")
    press()
    page.clock.run_for(5000)
    assert where() == (3, "Play")
    press()
    page.clock.run_for(60_000)
    assert where() == (19, "Play again")
    press()
    assert where() == (0, "Pause")
    page.clock.run_for(2500)
    page.get_by_test_id("re-back").click()  # Stepping by hand stops it.
    page.clock.run_for(5000)
    assert where() == (1, "Play")


# One selection, everywhere -------------------------------------------------------------------------------------------


def lit(page, i, j, view=0):
    """Whether all pictures and texts of a view are about the pair (i, j)."""
    within = page.locator(".view").nth(view)

    def middle_of(test):
        return np.array(middle(within.get_by_test_id(test)))

    def near(a, b, axes=(0, 1)):
        return np.abs(np.subtract(a, b))[list(axes)].max() < 1.5

    cell = np.array(middle(within.locator(f".caps-re-cell[data-i='{i}']")))
    vote = np.array(middle(within.locator(f".caps-re-vote[data-i='{i}']")))
    assert near(middle_of("re-lit-cell"), cell)
    assert near(middle_of("re-lit-row"), entry(within, i, j), [1])
    assert near(middle_of("re-lit-column"), entry(within, i, j), [0])
    assert near(middle_of("re-lit-bar"), middle(within.get_by_test_id(f"re-length-{j}").locator(".caps-re-hit")), [1])
    assert near(middle_of("re-lit-vote"), vote)
    assert within.locator(".caps-re-node-lit").all_text_contents() == [str(j)]
    for test, words in {
        "re-formula": f"{i},{j}",
        "re-matrix-note": f"Cell {i} → capsule {j}: ",
        "re-entropy-note": f"cell {i}: ",
        "re-status": f"Cell {i} → capsule {j}: ",
        "re-grid-note": f"Cell {i} adds ",
    }.items():
        assert words in within.get_by_test_id(test).text_content()
    for name, words in {
        "grid": f"Contribution to capsule {j}",
        "logits": f"b and a, cell {i} → capsule {j}",
        "votes": f"Votes for capsule {j}",
    }.items():
        assert within.locator(f".caps-re-{name} h4").inner_text() == words


@WAYS
def test_a_pair_is_chosen_in_every_picture_and_lit_in_all(mounted, page, way):
    mounted(explorer(i=24, j=4, step="agreement", iteration=4))
    lit(page, 24, 4)
    if way == "keyboard":
        steps = [
            ("grid", "ArrowRight", (25, 4)),
            ("grid", "ArrowDown", (32, 4)),
            ("grid", "ArrowLeft", (31, 4)),
            ("grid", "ArrowUp", (24, 4)),
            ("matrix", "ArrowRight", (24, 5)),
            ("matrix", "ArrowDown", (25, 5)),
            ("matrix", "ArrowLeft", (25, 4)),
            ("matrix", "ArrowUp", (24, 4)),
            ("lengths", "ArrowDown", (24, 5)),
            ("lengths", "ArrowUp", (24, 4)),
            ("votes", "ArrowRight", (25, 4)),
        ]
        for surface, key, pair in steps:
            page.get_by_test_id(f"re-{surface}").press(key)
            lit(page, *pair)
    else:
        pointer = {"mouse": Mouse, "touch": Touch}[way](page)
        click(pointer, page.locator(".caps-re-cell[data-i='10']"))
        lit(page, 10, 4)
        pointer.down(*entry(page, 33, 7))
        pointer.up()
        lit(page, 33, 7)
        click(pointer, page.get_by_test_id("re-length-2").locator(".caps-re-hit"))
        lit(page, 33, 2)
        click(pointer, page.locator(".caps-re-node[data-j='9']"))
        lit(page, 33, 9)
        trace = trace_of()
        far = np.abs(plots.vote_plane(trace, 9)[0]).sum(1).argmax()  # No other vote covers it.
        click(pointer, page.locator(f".caps-re-vote[data-i='{far}']"))
        lit(page, far, 9)
    assert (state(page)["iteration"], state(page)["step"]) == (4, "agreement"), "choosing is not stepping"


def test_at_the_edge_the_arrows_stop(mounted):
    page = mounted(explorer(i=0, j=0))
    for key in ("ArrowUp", "ArrowLeft"):
        for surface in ("grid", "matrix", "votes"):
            page.get_by_test_id(f"re-{surface}").press(key)
            assert (state(page)["i"], state(page)["j"]) == (0, 0)
    go(page, i=48, j=9)
    for key in ("ArrowDown", "ArrowRight"):
        for surface in ("grid", "matrix", "votes"):
            page.get_by_test_id(f"re-{surface}").press(key)
            assert (state(page)["i"], state(page)["j"]) == (48, 9)


def test_two_views_step_and_choose_together(mounted):
    page = mounted(explorer(iteration=2, step="agreement"), views=2)
    second = page.locator(".view").nth(1)
    second.get_by_test_id("re-forward").click()
    second.get_by_test_id("re-forward").click()
    second.locator(".caps-re-cell[data-i='30']").click()
    second.get_by_test_id("re-step-agreement").click()
    second.get_by_test_id("re-length-6").locator(".caps-re-bar").click()
    for view in (0, 1):
        lit(page, 30, 6, view)
        assert "iteration 3 of 5" in page.locator(".view").nth(view).get_by_test_id("re-place").inner_text()


def test_python_is_told_what_is_chosen_and_the_lengths(mounted):
    page = mounted(explorer(step="squash"))
    other = (state(page)["j"] + 1) % 10
    page.get_by_test_id("re-iteration-2").click()
    page.get_by_test_id(f"re-length-{other}").click()
    told = page.evaluate("model.saved")
    assert (told["iteration"], told["j"]) == (2, other)
    np.testing.assert_allclose(told["lengths"], trace_of().lengths[1], atol=1e-5)


# In the lesson -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interface", ["lab", "doc"])
def test_in_the_lesson_the_numbers_shown_are_those_that_its_own_cell_computes(lab, page, keep, interface):
    lab.open(page, "08_look_inside.ipynb", interface=interface)
    first = page.locator(".caps").filter(has=page.get_by_test_id("re-root")).first
    first.scroll_into_view_if_needed()
    keep(first, f"lesson-08-explorer-{interface}")
    first.get_by_test_id("re-unfold-logits").click()
    first.get_by_test_id("re-reset").click()
    for _ in range(9):
        first.get_by_test_id("re-root").press("ArrowRight")
    expect(first.get_by_test_id("re-place")).to_have_text("iteration 3 of 5, step 2 of 4")
    first.get_by_test_id("re-digit").select_option("8")
    first.get_by_test_id("re-grid").press("ArrowLeft")
    cells = lab.cells(page)
    first.get_by_test_id("re-matrix").press("x")
    assert lab.cells(page) == cells
    pair = re.search(r"Cell \d+ → capsule \d+", first.get_by_test_id("re-matrix-note").inner_text())[0]
    assert printed(page, "print(f'Cell {explorer.i} → capsule {explorer.j}')", until=pair) == pair  # Python has it all.
    cell = page.locator(".jp-CodeCell", has_text="n, pair = explorer.iteration - 1").first
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    output = cell.locator(".jp-OutputArea-output")
    expect(output).to_contain_text("iteration 3, cell ")
    b, c, contribution, norm = numbers(output.inner_text())
    first.scroll_into_view_if_needed()
    assert numbers(first.get_by_test_id("re-matrix-note").text_content()) == [c]
    assert numbers(first.get_by_test_id("re-logits-note").text_content())[0] == pytest.approx(b, abs=0.0056)
    assert numbers(first.get_by_test_id("re-grid-note").text_content()) == [contribution, norm]
    keep(first, f"lesson-08-explorer-stepped-{interface}")
    changed = page.locator(".caps").filter(has=page.get_by_test_id("re-preset-1"))
    changed.scroll_into_view_if_needed()
    expect(changed.get_by_test_id("re-caption")).to_contain_text(re.compile(r"One of \d+ digits of 5,000"))
    changed.get_by_test_id("re-preset-1").click()
    keep(changed, f"lesson-08-changed-{interface}")
