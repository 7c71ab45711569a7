"""The figures: their files are what their scripts draw, everybody can read them, and what they show is right."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from functools import cache
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb

from capslib import faces
from capslib.equations import length, route, squash
from capslib.plots import board
from capslib.poses import pose, spread
from capslib.style import COLOURS, COUPLING
from tests import ROOT

FOLDER = ROOT / "figures"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
OURS = ("data_flow", "margin_loss", "pose_votes", "routing_round", "squash_family", "structure", "why_capsules")
"""Figures that need nothing but the course's own files."""
SVG = "{http://www.w3.org/2000/svg}"


@cache
def load(name):
    """The script of this name as a module."""
    spec = importlib.util.spec_from_file_location(f"figure_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def drawn(name):
    """The figure, drawn once; the tests only look at it."""
    return load(name).draw()


def artists(figure):
    """gid → artist."""
    found = [artist for artist in figure.findobj() if artist.get_gid()]
    assert len({artist.get_gid() for artist in found}) == len(found), "two artists have one id"
    return {artist.get_gid(): artist for artist in found}


def arrow(parts, gid):
    """Start and tip of an arrow."""
    return parts[gid].get_xydata()[0], parts[f"{gid}-head"].get_xy()[0]


def texts(figure):
    """All texts that are drawn; matplotlib also keeps names of ticks beyond the ends of an axis."""
    beyond = set()
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = axis.get_view_interval()
        beyond |= {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return [text for text in found if text.get_visible() and text.get_text() and text not in beyond]


# Files -------------------------------------------------------------------------------------------------------------


def anatomy(svg):
    """An SVG as its text without numbers, and its numbers.

    Two machines may differ in the last digits of a number, and so in the ids that matplotlib makes by hashing them;
    type is not at stake, since matplotlib brings its own fonts. So ids are counted, and numbers compared to 0.02.
    """
    for number, hashed in enumerate(dict.fromkeys(re.findall(r'\bid="(\w+[0-9a-f]{10})"', svg))):
        svg = svg.replace(hashed, f"hashed-{number}")
    number = r"-?\d+(?:\.\d+)?"
    return re.sub(number, "#", svg), np.array(re.findall(number, svg), float)


@pytest.mark.parametrize("name", NAMES)
def test_running_the_script_makes_the_files_that_are_here(name, tmp_path, request):
    if name not in OURS:
        request.getfixturevalue("full_mnist")
    command = [sys.executable, FOLDER / f"{name}.py", tmp_path]
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout == done.stderr == "", done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.alt.txt", f"{name}.svg"]
    for kind in ("alt.txt", "svg"):
        made = (tmp_path / f"{name}.{kind}").read_text(encoding="utf-8")
        words, numbers = anatomy((FOLDER / f"{name}.{kind}").read_text(encoding="utf-8"))
        new_words, new_numbers = anatomy(made)
        assert new_words == words, f"run figures/{name}.py again"
        np.testing.assert_allclose(new_numbers, numbers, rtol=0, atol=0.02, err_msg=f"run figures/{name}.py again")
    # On one machine, and in two processes, every byte is the same.
    module = load(name)
    assert board.svg(module.draw(), name, module.TITLE, module.alt()) == made


def test_the_comparison_sees_a_changed_number_and_forgives_its_last_digits():
    svg = (FOLDER / "squash_family.svg").read_text(encoding="utf-8")
    words, numbers = anatomy(svg)
    place = re.search(r"L (\d+\.\d+) ", svg)
    other_words, other = anatomy(svg.replace(place[0], f"L {float(place[1]) + 1:.6f} ", 1))
    assert other_words == words and np.abs(other - numbers).max() == pytest.approx(1)
    hashed = re.search(r'\bid="(\w+[0-9a-f]{10})"', svg)[1]
    other_words, other = anatomy(svg.replace(hashed, hashed[:-10] + "0123456789"))
    assert other_words == words and np.array_equal(other, numbers)


def test_nothing_is_half_written(tmp_path, monkeypatch):
    module = load("margin_loss")
    (tmp_path / "margin_loss.svg").write_text("whole")
    monkeypatch.setattr(sys, "argv", ["margin_loss.py", str(tmp_path)])
    monkeypatch.setattr("capslib.records.os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        board.main("margin_loss.py", module.TITLE, module.alt(), drawn("margin_loss"))
    assert [path.name for path in tmp_path.iterdir()] == ["margin_loss.svg"]
    assert (tmp_path / "margin_loss.svg").read_text() == "whole"


# For everybody -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_svg_carries_its_alt_text(name):
    module = load(name)
    root = ElementTree.parse(FOLDER / f"{name}.svg").getroot()
    assert root.get("role") == "img"
    title, alt = (root.find(f".//*[@id='{identity}']") for identity in root.get("aria-labelledby").split())
    assert (title.tag, alt.tag) == (f"{SVG}title", f"{SVG}desc")
    assert title.text == module.TITLE and alt.text == module.alt()
    assert (FOLDER / f"{name}.alt.txt").read_text(encoding="utf-8") == f"{module.alt()}\n"
    assert len(module.alt()) > 3 * len(module.TITLE) > 0
    identities = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize(("title", "alt", "named"), [("", "words", "title"), ("words", " ", "alt")])
def test_a_figure_without_words_is_refused(title, alt, named):
    with pytest.raises(ValueError, match=f"{named}: got an empty text"):
        board.svg(drawn("margin_loss"), "margin_loss", title, alt)


def test_alt_text_with_markup_in_it_stays_text():
    svg = board.svg(drawn("margin_loss"), "x", "a < b", 'c & "d" > e')
    root = ElementTree.fromstring(svg.encode())
    assert root.find(f"{SVG}title").text == "a < b" and root.find(f"{SVG}desc").text == 'c & "d" > e'


def is_ours(colour):
    """Whether a colour is grey, of the palette, one of its tints, or on the scale of couplings."""
    rgb = np.array(to_rgb(colour))
    near = 2 / 255
    if np.ptp(rgb) <= near:
        return True
    for full in map(to_rgb, COLOURS.values()):
        depth = 1 - np.array(full)
        if np.abs(1 - rgb - depth * ((1 - rgb) @ depth) / (depth @ depth)).max() <= near:
            return True
    return np.abs(COUPLING(np.linspace(0, 1, 1001))[:, :3] - rgb).max(-1).min() <= near


def test_is_ours_tells_colours_apart():
    assert all(map(is_ours, (*COLOURS.values(), "#808080", "#ffffff", to_hex(COUPLING(0.8)), "#80b8d8")))
    assert not any(map(is_ours, ("#1f77b4", "#ff7f0e", "#2ca02c", "red", "#800080")))


@pytest.mark.parametrize("name", OURS)
def test_only_house_colours_are_used(name):
    svg = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    colours = set(re.findall(r"(?:fill|stroke|color): ?([^;\"]+)", svg)) - {"none"}
    assert colours and all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)
    assert [colour for colour in colours if not is_ours(colour)] == []
    assert "href" not in svg.replace('xlink:href="#', ""), "a figure stands alone"


@pytest.mark.parametrize("name", OURS)
def test_type_is_readable_at_half_size(name):
    """11 points on a page of 7.5 inches are 7.3 pixels of a figure shown 360 pixels wide."""
    figure = drawn(name)
    least = 11 * figure.get_figwidth() / 7.5
    assert min(text.get_fontsize() for text in texts(figure)) >= least - 0.1


@pytest.mark.parametrize("name", OURS)
def test_words_lie_inside_and_apart(name):
    figure = drawn(name)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts(figure)]
    page = figure.bbox
    for words, box in boxes:
        inside = page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        assert inside, words
    for (words, box), (other_words, other) in combinations(boxes, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        along = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert min(across, along) < 2, f"{words!r} lies on {other_words!r}"


# Structure of the network ------------------------------------------------------------------------------------------


def test_structure_is_that_of_the_model():
    from capslib.models import article_capsnet

    model, figure = article_capsnet(), load("structure")
    layers = {layer.name: layer for layer in model.layers}
    maps = [layers[name].output.shape[1:] for name in ("image", "conv1", "pool1", "conv2", "pool2")]
    assert figure.shapes() == maps
    assert figure.parameters() == [layer.count_params() for layer in model.layers if layer.count_params()]
    assert f"{model.count_params():,} parameters" in figure.alt()
    capsule = layers["v"]
    assert (capsule.num_capsule, capsule.dim_capsule, capsule.routings) == (figure.J, figure.D_OUT, figure.ROUTINGS)
    assert capsule.share_weights and "shared by all" in figure.alt()
    words = [text.get_text() for text in texts(drawn("structure"))]
    kernels = [layers[name].kernel_size for name in ("conv1", "conv2")]
    pools = [layers[name].pool_size for name in ("pool1", "pool2")]
    shapes = [*maps, layers["u"].output.shape[1:], capsule.output.shape[1:]]
    for shape in shapes:
        assert "×".join(map(str, shape)) in words
    for (height, width), depth in zip(kernels, (16, 32), strict=True):
        assert f"{depth}@{height}×{width}" in words
    assert [word for word in words if word == "2×2"] == ["×".join(map(str, size)) for size in pools]
    assert f"$W$ learnt, {'×'.join(map(str, capsule.kernel.shape))}" in words
    assert "$c$ routed, 49×10" in words


def test_structure_draws_every_map_capsule_and_link():
    parts, figure = artists(drawn("structure")), load("structure")

    def count(start):
        return sum(gid.startswith(start) for gid in parts)

    for number, (height, _, depth) in enumerate(figure.shapes()):
        assert count(f"map-{number}-") == max(depth // 4, 1)
        assert parts[f"map-{number}-0"].get_height() == pytest.approx(height / 28)
    assert count("cell-") == 49
    u_right = figure.U_LEFT + 32 * figure.NUMBER
    for y in figure.CAPSULES:
        assert count(f"u-{y:g}-") == 32 and count(f"v-{y:g}-") == 30
    links = {tuple(parts[gid].get_xydata().ravel()) for gid in parts if gid.startswith("link-")}
    assert links == {(u_right, a, figure.V_LEFT, b) for a in figure.CAPSULES for b in figure.CAPSULES}
    assert [arrow(parts, f"length-{j}")[1][1] for j in (0, 1, 9)] == pytest.approx(figure.CAPSULES)


def test_structure_shows_a_real_digit():
    from capslib import digits

    data = digits.load("bundled")
    image = data.x_val[data.y_val == load("structure").DIGIT][0, :, :, 0]
    figure, digit = load("structure"), artists(drawn("structure"))["digit"]
    left, bottom = figure.LEFTS[0], figure.ROW - 0.5
    shown = np.ones((28, 28))
    for path, colour in zip(digit.get_paths(), digit.get_facecolor(), strict=True):
        x, y = (path.vertices[:4].mean(0) - (left, bottom)) * 28
        shown[27 - int(y), int(x)] = colour[0]
    np.testing.assert_allclose(shown, np.where(image > 0.1, 1 - image, 1), atol=0.006)


# Data flow ---------------------------------------------------------------------------------------------------------

FORWARD = {("u", "W"), ("W", "u_hat"), ("u_hat", "sum"), ("sum", "s"), ("s", "squash"), ("squash", "v"), ("v", "next")}
LOOP = {
    *{("v", "agree"), ("u_hat", "agree"), ("agree", "a"), ("a", "plus"), ("b", "plus"), ("plus", "b")},
    *{("b", "softmax"), ("softmax", "c"), ("c", "sum")},
}


def test_data_flow_draws_procedure_1():
    parts = artists(drawn("data_flow"))
    lines = {gid for gid in parts if gid.startswith(("forward-", "loop-")) and not gid.endswith("-head")}
    edges = {f"forward-{a}-{b}" for a, b in FORWARD} | {f"loop-{a}-{b}" for a, b in LOOP}
    assert lines == edges
    assert {gid[5:] for gid in parts if gid.startswith("disc-")} == {"b", "c", "s", "v", "a"}
    assert {gid[7:] for gid in parts if gid.startswith("square-")} == {"u", "u_hat"}


def test_data_flow_arrows_touch_what_they_join_and_cross_nothing():
    figure, parts = load("data_flow"), artists(drawn("data_flow"))
    nodes = (*figure.QUANTITIES, *figure.OPERATIONS)

    def beyond(name, point):
        """How far a point is from a node's border along the axis in which it is farther: 0 on it, negative inside."""
        return np.max(np.abs(point - figure.centre(name)) - figure.half_size(name))

    for kind, edges in (("forward", FORWARD), ("loop", LOOP)):
        for a, b in edges:
            start, tip = arrow(parts, f"{kind}-{a}-{b}")
            assert beyond(a, start) == pytest.approx(0, abs=1e-6), (a, b)
            assert b == "next" or beyond(b, tip) == pytest.approx(0, abs=1e-6), (a, b)
            corners = [*parts[f"{kind}-{a}-{b}"].get_xydata(), tip]
            way = np.concatenate([np.linspace(*pair, 200) for pair in pairwise(corners)])
            for node in set(nodes) - {a, b}:
                assert min(beyond(node, point) for point in way) > 0.1, (a, b, node)


def test_data_flow_tells_its_three_kinds_apart_without_colour_and_says_so():
    parts = artists(drawn("data_flow"))

    def looks(kind):
        """Colour, width and whether the line is whole, of every arrow of a kind and of its sample in the key."""
        lines = [parts[gid] for gid in parts if kind in gid.split("-")[:2] and not gid.endswith("-head")]
        return {(to_hex(x.get_color()), x.get_linewidth(), x.get_linestyle() == "-") for x in lines}

    (forward,), (loop,) = looks("forward"), looks("loop")
    assert "key-forward" in parts and "key-loop" in parts
    assert forward[2] and not loop[2] and forward[1] >= 2 * loop[1] and forward[0] != loop[0]
    words = {text.get_text() for text in texts(drawn("data_flow"))}
    assert {"forward path", "routing loop", "updated each round", "computed once"} <= words
    discs = {to_hex(parts[f"disc-{name}"].get_edgecolor()) for name in "bcsva"}
    assert discs == {COLOURS["c"].lower()}


# Squash ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [1, 0.5, 0.25, 0.05])
def test_squash_family_draws_squash(offset):
    parts = artists(drawn("squash_family"))
    norms, lengths = parts[f"length-{offset:g}"].get_data()
    s = np.stack([0.6 * norms, -0.8 * norms], axis=-1)
    np.testing.assert_allclose(lengths, length(squash(s, offset)), atol=1e-12)
    np.testing.assert_allclose(lengths, norms**2 / (offset + norms**2), atol=1e-4)
    np.testing.assert_allclose(parts[f"ratio-{offset:g}"].get_data(), (norms, lengths / norms), atol=1e-12)
    assert norms[0] < 0.01 and norms[-1] == 2
    (x,), (y,) = parts[f"peak-{offset:g}"].get_data()
    fine = np.linspace(0.01, 2, 20_000)
    ratios = length(squash(np.stack([fine, 0 * fine], -1), offset)) / fine
    assert (x, y) == pytest.approx((fine[ratios.argmax()], ratios.max()), abs=1e-4)
    assert f"{y:.3f} at length {x:.3f}" in load("squash_family").alt()


def test_squash_family_says_who_grows():
    module = load("squash_family")
    assert "between 0.053 and 0.947" in module.alt()
    for norm, grows in ((0.0525, False), (0.0535, True), (0.9465, True), (0.9475, False)):
        assert (module.lengths(0.05, np.array([norm]))[0] > norm) == grows
    assert (module.lengths(0.5) < module.NORMS).all() and (module.lengths(1) < module.NORMS).all()


def test_squash_family_names_each_curve_where_it_is_nearest_and_draws_no_two_alike():
    figure = drawn("squash_family")
    parts = artists(figure)
    offsets = (0.05, 0.25, 0.5, 1)
    ends = [parts[f"length-{offset:g}"].get_ydata()[-1] for offset in offsets]
    for offset in offsets:
        name, label = parts[f"length-name-{offset:g}"], parts[f"ratio-name-{offset:g}"]
        assert re.fullmatch(rf"{offset:g}(, \w+)?", name.get_text())
        assert label.get_text().removeprefix("offset ") == f"{offset:g}"
        assert label.xy == pytest.approx([data[0] for data in parts[f"peak-{offset:g}"].get_data()])
    heights = [parts[f"length-name-{offset:g}"].get_position()[1] for offset in offsets]
    assert heights == sorted(heights, reverse=True) and ends == sorted(ends, reverse=True)
    assert np.abs(np.subtract(heights, ends)).max() < 0.04
    for panel in ("length", "ratio"):
        lines = [parts[f"{panel}-{offset:g}"] for offset in offsets]
        assert len({(line.get_linestyle(), line.get_linewidth()) for line in lines}) == len(lines)


# Margin loss -------------------------------------------------------------------------------------------------------


def test_margin_loss_draws_both_terms_and_their_margins():
    (ax,) = drawn("margin_loss").axes
    lines = {line.get_label(): line for line in ax.lines}
    present, absent = lines["present"], lines["absent"]
    x = present.get_xdata()
    assert x[0] == 0 and x[-1] == 1 and len(x) > 100 and (absent.get_xdata() == x).all()
    np.testing.assert_allclose(present.get_ydata(), np.where(x < 0.9, (0.9 - x) ** 2, 0), atol=1e-12)
    np.testing.assert_allclose(absent.get_ydata(), np.where(x > 0.1, 0.5 * (x - 0.1) ** 2, 0), atol=1e-12)
    assert present.get_linestyle() != absent.get_linestyle()
    parts = artists(drawn("margin_loss"))
    for gid, line, (left, right) in (("free-absent", absent, (0, 0.1)), ("free-present", present, (0.9, 1))):
        box = parts[gid].get_bbox()
        assert (box.x0, box.x1) == pytest.approx((left, right))
        assert (line.get_ydata()[(x >= left) & (x <= right)] < 1e-12).all()
    words = {text.get_text() for text in texts(drawn("margin_loss"))}
    assert {"present", "absent", "m⁻ = 0.1", "m⁺ = 0.9", "λ = 0.5"} <= words
    assert {"max(0, m⁺ − ‖v‖)²", "λ max(0, ‖v‖ − m⁻)²"} <= words


def test_margin_loss_says_where_the_terms_cross():
    at, cost = load("margin_loss").crossing()
    assert (0.9 - at) ** 2 == pytest.approx(0.5 * (at - 0.1) ** 2) == pytest.approx(cost)
    for number in (0.81, 0.405, at, cost):
        assert f"{number:.3f}" in load("margin_loss").alt()


# One routing round -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def round_drawn():
    """The figure's parts, and the trace of its own votes: round 2 is index 1, and index 2 holds its result."""
    return artists(drawn("routing_round")), route(load("routing_round").U_HAT, iterations=3)


WHOLES = ("face", "car")
PAIRS = [(i, j) for i in range(4) for j in range(2)]


def test_routing_round_uses_the_votes_of_lesson_04():
    (path,) = FOLDER.parent.glob("notebooks/04_*.ipynb")
    cells = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    (code,) = (cell for cell in cells if cell.startswith("u_hat = np.array("))
    lesson = {"np": np}
    exec(code, lesson)
    assert np.array_equal(load("routing_round").U_HAT, lesson["u_hat"])
    assert list(load("routing_round").WHOLES) == lesson["wholes"]


@pytest.mark.parametrize(("i", "j"), PAIRS)
def test_routing_round_draws_votes_as_wide_as_their_couplings(round_drawn, i, j):
    parts, trace = round_drawn
    for column in (1, 2, 4):
        start, tip = arrow(parts, f"vote-{i}-{WHOLES[j]}-{column}")
        assert start == pytest.approx((0, 0)) and tip == pytest.approx(trace.u_hat[i, j])
    full = load("routing_round").FULL
    assert parts[f"vote-{i}-{WHOLES[j]}-2"].get_linewidth() == pytest.approx(full * trace.c[1, i, j])
    assert parts[f"step-{i}-{WHOLES[j]}-3"].get_linewidth() == pytest.approx(full * trace.c[1, i, j])


@pytest.mark.parametrize("j", range(2))
def test_routing_round_adds_the_weighted_votes_up_to_s_and_squashes_it(round_drawn, j):
    parts, trace = round_drawn
    end = np.zeros(2)
    for i in load("routing_round").ORDER[j]:
        start, tip = arrow(parts, f"step-{i}-{WHOLES[j]}-3")
        assert start == pytest.approx(end) and tip - start == pytest.approx(trace.c[1, i, j] * trace.u_hat[i, j])
        end = tip
    assert end == pytest.approx(trace.s[1, j])
    assert arrow(parts, f"s-{WHOLES[j]}-3")[1] == pytest.approx(trace.s[1, j])
    for column in (3, 4):
        assert arrow(parts, f"v-{WHOLES[j]}-{column}")[1] == pytest.approx(trace.v[1, j])
    for column in range(4):
        assert np.hypot(*parts[f"circle-{j}-{column}"].get_data()) == pytest.approx(1)


@pytest.mark.parametrize(("i", "j"), PAIRS)
def test_routing_round_drops_each_vote_to_where_its_agreement_is_read(round_drawn, i, j):
    parts, trace = round_drawn
    foot = np.ravel(parts[f"foot-{i}-{WHOLES[j]}-4"].get_data())
    v = trace.v[1, j]
    assert foot @ v == pytest.approx(trace.a[1, i, j])
    assert (trace.u_hat[i, j] - foot) @ v == pytest.approx(0, abs=1e-9)
    assert foot[0] * v[1] == pytest.approx(foot[1] * v[0], abs=1e-9), "the foot lies on the line of v"
    assert parts[f"drop-{i}-{WHOLES[j]}-4"].get_xydata() == pytest.approx(np.stack([trace.u_hat[i, j], foot]))


def test_routing_round_writes_the_numbers_of_the_trace(round_drawn):
    _, t = round_drawn
    page = drawn("routing_round").axes[0]
    rows = {}
    for text in page.texts:
        x, y = text.get_position()
        rows.setdefault(round(y, 3), []).append((x, text.get_text()))
    # Each line of the page from left to right; a table begins with the line of the parts' numbers i.
    lines = [[words for _, words in sorted(row)] for _, row in sorted(rows.items(), reverse=True)]

    def told(numbers, decimals):
        return [f"{number:.{decimals}f}".replace("-", "−") for number in numbers]

    for j in range(2):
        s, v = length(t.s[1, j]), length(t.v[1, j])
        ids = ["$i$", "0", "1", "2", "3"]
        first = [*ids, *ids, rf"$\Vert s\Vert$ = {s:.2f}", *ids]
        second = ["$b$", *told(t.b[1, :, j], 1), "$c$", *told(t.c[1, :, j], 2), rf"$\Vert v\Vert$ = {v:.2f}"]
        second += ["$a$", *told(t.a[1, :, j], 1)]
        third = ["$b$", *told(t.b[2, :, j], 1)]
        start = [number for number, line in enumerate(lines) if line[0] == "$i$"][j]
        assert lines[start : start + 3] == [first, second, third]
    alt = load("routing_round").alt()
    for numbers in (t.b[1], t.c[1], t.a[1], t.b[2]):
        assert all(", ".join(told(numbers[:, j], 2)) in alt for j in range(2))


def test_routing_round_keeps_everything_inside_its_planes():
    figure = drawn("routing_round")
    for ax in figure.axes[1:]:
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        assert right - left == pytest.approx(high - low), "length looks the same in all directions"
        for line in ax.lines:
            if not str(line.get_gid()).startswith("circle"):
                x, y = line.get_data()
                assert left <= np.min(x) and np.max(x) <= right and low <= np.min(y) and np.max(y) <= high


# Why capsules ------------------------------------------------------------------------------------------------------


def test_why_capsules_draws_both_faces_line_by_line_where_their_columns_say():
    from capslib import faces

    figure, parts = load("why_capsules"), artists(drawn("why_capsules"))
    unit = figure.SIDE / faces.SIZE
    swapped = faces.swap_eyes_and_mouth(faces.arrangement(figure.WHO))
    for k, where in enumerate((None, swapped)):
        strokes = faces.strokes(figure.WHO, figure.FACE, parts=where)
        assert sum(gid.startswith(f"stroke-{k}-") for gid in parts) == len(strokes)
        middle = (figure.LEFTS[k] + figure.SIDE / 2, figure.BOTTOM + figure.SIDE / 2)
        for n, (points, radius) in enumerate(strokes):
            line = parts[f"stroke-{k}-{n}"]
            dot = line.get_marker() == "o"
            drawn_points = (line.get_xydata() - middle) / unit
            np.testing.assert_allclose(drawn_points, points[:1] if dot else points, atol=1e-9)
            pen = line.get_markersize() if dot else line.get_linewidth()
            assert pen == pytest.approx(2 * radius * unit * 72)
            assert dot == (np.ptp(points, axis=0).max() == 0), "a line of no length would not be drawn"


def test_why_capsules_lists_the_same_parts_twice_and_marks_the_places_that_differ():
    from capslib import faces

    parts = artists(drawn("why_capsules"))
    upright = faces.arrangement(load("why_capsules").WHO)
    for k, poses in enumerate((upright, faces.swap_eyes_and_mouth(upright))):
        for i, M in enumerate(poses):
            assert parts[f"there-{k}-{i}"].get_text() == "1"
            where = parts[f"where-{k}-{i}"]
            x, y = map(float, re.findall(r"-?[\d.]+", where.get_text().replace("−", "-")))
            assert (x, y) == tuple(M[:2, 2])
            moved = not np.array_equal(M, upright[i])
            assert (where.get_fontweight() == "bold") == moved
            assert moved == (k == 1 and faces.PARTS[i] != "nose")


# Pose and votes ----------------------------------------------------------------------------------------------------


def test_pose_votes_draws_votes_that_meet_turn_and_fall_apart():
    figure, parts = load("pose_votes"), artists(drawn("pose_votes"))
    sits = faces.arrangement(faces.Identity())
    heads = [pose(), pose(angle=figure.TURN), pose()]
    seen = [sits, heads[1] @ sits, faces.swap_eyes_and_mouth(sits)]
    for n, (middle, poses) in enumerate(zip(figure.MIDDLES, seen, strict=True)):
        for i in range(4):
            vote = poses[i] @ np.linalg.inv(sits[i])
            for kind, M in (("part", poses[i]), ("vote", vote)):
                place = (parts[f"{kind}-{n}-{i}"].get_xydata()[0] - middle) / figure.UNIT
                np.testing.assert_allclose(place, M[:2, 2], atol=1e-9)
                for column, way in enumerate(("right", "up")):
                    start, tip = arrow(parts, f"{kind}-{n}-{i}-{way}")
                    np.testing.assert_allclose((start - middle) / figure.UNIT, place, atol=1e-9)
                    length_here = np.hypot(*(tip - start))
                    np.testing.assert_allclose((tip - start) / length_here, M[:2, column], atol=1e-9)
            way = (parts[f"way-{n}-{i}"].get_xydata() - middle) / figure.UNIT
            np.testing.assert_allclose(way, [poses[i][:2, 2], vote[:2, 2]], atol=1e-9)
        apart = spread(poses @ np.linalg.inv(sits))
        assert parts[f"spread-{n}"].get_text() == f"spread of votes {apart:.1f}"
        head = (parts[f"face-{n}-0"].get_xydata() - middle) / figure.UNIT
        np.testing.assert_allclose(head, faces.strokes(faces.Identity(), None, heads[n], poses)[0][0], atol=1e-9)
    assert parts["spread-0"].get_text() == parts["spread-1"].get_text() == "spread of votes 0.0"


def test_lessons_give_a_figure_the_alt_text_that_it_was_drawn_with():
    shown = 0
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for alt, name in re.findall(r"!\[([^\]]*)\]\(\.\./figures/(\w+)\.svg\)", "".join(cell["source"])):
                assert alt == (FOLDER / f"{name}.alt.txt").read_text(encoding="utf-8").strip(), f"{path.name}: {name}"
                shown += 1
    assert shown >= 4
