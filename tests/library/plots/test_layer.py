"""Pictures of the capsule layer."""

import numpy as np

from capslib import plots
from tests.library.plots.artists import annotations, arrow_tips, in_view, lines_by_label, words_in


def test_votes_as_product_writes_every_number_where_the_matrix_product_has_it():
    u = np.array([[0, 1, -2], [3, 4, 5]])
    W = 10.0 + np.arange(3 * 2 * 2).reshape(3, 2, 2)
    u_hat = np.einsum("id,djk->ijk", u, W)
    (ax,) = plots.votes_as_product(u, W, u_hat, pair=(1, 1)).axes
    at = {}
    for text in ax.texts:
        at.setdefault(text.get_text(), []).append(text.get_position())
    signs = [at["×"][0][0], at["="][0][0]]
    grids = {}
    for text in ax.texts:
        value = text.get_text().replace("−", "-")
        if value.lstrip("-").isdigit():
            grid = np.searchsorted(signs, text.get_position()[0])
            grids.setdefault(int(grid), []).append((*text.get_position()[::-1], int(value)))
    for n, expected in enumerate((u, W.reshape(3, 4), u_hat.reshape(2, 4))):
        assert [value for *_, value in sorted(grids[n])] == expected.ravel().tolist()
    assert {"u", "W as (D_in, J·D_out)", "û as (I, J·D_out)", "i = 0", "i = 1"} <= at.keys()
    assert len(at["j = 0"]) == len(at["j = 1"]) == 2


def test_votes_as_product_tints_the_pair():
    u, W = np.ones((4, 3)), np.ones((3, 2, 2))
    (ax,) = plots.votes_as_product(u, W, np.full((4, 2, 2), 3), pair=(1, 0)).axes
    numbers = [(text.get_text(), text.get_position()) for text in ax.texts if text.get_text() in "13"]
    tinted = [[value for value, place in numbers if patch.get_path().contains_point(place)] for patch in ax.patches]
    assert tinted == [["1"] * 3, ["1"] * 6, ["3"] * 2]
    extents = [patch.get_path().get_extents() for patch in ax.patches]
    assert extents[0].y0 == extents[2].y0 == 1  # row i = 1, counted from above
    assert ax.yaxis_inverted()


def test_two_ways_to_route_draws_counts_and_lines_named_at_their_ends():
    stored = {"with û": 1200, "without û": 300}
    T = np.arange(1, 7)
    products = {"with û": 1e6 * (3 + T), "without û": 1e6 * 2 * T}
    left, right = plots.two_ways_to_route(stored, T, products, mark=5).axes
    assert [bar.get_width() for bar in left.patches] == [1200, 300]
    assert words_in(left) == ["1,200", "300"] and left.yaxis_inverted()
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["with û", "without û"]
    for line, name in zip(right.lines, products, strict=False):
        np.testing.assert_allclose(line.get_ydata(), products[name] / 1e6)
        assert [t.get_position()[1] for t in right.texts if t.get_text() == name] == [products[name][-1] / 1e6]
    assert right.lines[0].get_linestyle() != right.lines[1].get_linestyle()
    assert right.lines[2].get_xdata() == [5, 5] and "the article: 5" in words_in(right)


def test_shuffled_capsules_moves_the_norms_and_pairs_the_lengths():
    rng = np.random.default_rng(0)
    norms, order = rng.random(49), rng.permutation(49)
    shared, unshared = rng.random((2, 2, 10))
    image = rng.random((28, 28, 1))
    axes = {ax.get_title(): ax for ax in plots.shuffled_capsules(image, norms, order, shared, unshared).axes}
    in_place, shuffled = axes["49 capsules in place"], axes["49 capsules shuffled"]
    np.testing.assert_array_equal(in_place.images[0].get_array().ravel(), norms)
    np.testing.assert_array_equal(shuffled.images[0].get_array().ravel(), norms[order])
    assert in_place.images[0].get_clim() == shuffled.images[0].get_clim()
    np.testing.assert_allclose(in_place.images[1].get_array()[..., 3], 0.55 * image[..., 0])
    assert len(shuffled.images) == 1  # the digit was not shuffled, so it is not drawn there
    for name, pair in (("W shared", shared), ("W unshared", unshared)):
        lines = lines_by_label(axes[name])
        np.testing.assert_array_equal(lines["in place"].get_ydata(), pair[0])
        np.testing.assert_array_equal(lines["shuffled"].get_ydata(), pair[1])
        assert lines["in place"].get_markersize() < lines["shuffled"].get_markersize()
        assert lines["shuffled"].get_markerfacecolor() == "none"
        ends = [segment[:, 1] for segment in axes[name].collections[0].get_segments()]
        np.testing.assert_array_equal(np.transpose(ends), pair)
    assert [text.get_text() for text in axes["W shared"].get_legend().get_texts()] == ["in place", "shuffled"]


def test_votes_in_two_orders_numbers_each_arrow_by_its_capsule():
    order = np.array([2, 0, 1])
    before = np.array([[1.0, 0], [0, 2], [-1, -1]])
    panels = {"shared": np.stack([before, before[order]]), "own": np.stack([before, [[3, 3], [1, 0], [0, 2.0]]])}
    v = {"shared": np.array([[0.6, 0.8], [0.6, 0.8]]), "own": np.array([[0.3, 0.4], [0.0, 0.25]])}
    fig = plots.votes_in_two_orders(panels, v, order)
    assert [ax.get_title() for ax in fig.axes] == [
        f"{name}\norder {numbers}" for name in panels for numbers in ("0 1 2", "2 0 1")
    ]
    assert [ax.get_xlabel() for ax in fig.axes] == ["‖v‖ = 1.000", "‖v‖ = 1.000", "‖v‖ = 0.500", "‖v‖ = 0.250"]
    for ax, votes in zip(fig.axes, (before, before, before, [[1, 0], [0, 2], [3, 3]]), strict=True):
        tips = arrow_tips(ax)
        np.testing.assert_array_equal([tips[f"capsule {n}"] for n in range(3)], votes)
        assert {name: tuple(at) for name, at in annotations(ax).items()} == {
            str(n): tuple(at) for n, at in enumerate(votes)
        }
        assert in_view(ax, list(tips.values()))
    np.testing.assert_array_equal(arrow_tips(fig.axes[3])["v"], [0, 0.25])
    text = fig.get_label()
    assert "shared: no vote changes, the length of v goes from 1.000 to 1.000." in text
    assert "own: votes change for i = 2, the length of v goes from 0.500 to 0.250." in text


def test_pictures_of_the_layer_say_what_they_show():
    u, W = np.array([[0, 1, -2], [3, 4, 5]]), np.arange(12.0).reshape(3, 2, 2) / 2
    text = plots.votes_as_product(u, W, -np.einsum("id,djk->ijk", u, W), pair=(0, 1)).get_label()
    assert "u (2 rows, 3 columns) times W (3 rows, 4 columns) gives the votes (2 rows, 4 columns)" in text
    assert "row i = 0 of u, block j = 1 of W" in text and "the vote (7, 7.5)" in text
    T = np.arange(1, 4)
    products = {"with û": 1000 * (3 + T), "without û": 2000 * T}
    text = plots.two_ways_to_route({"with û": 1200, "without û": 300}, T, products, mark=2).get_label()
    assert "with û 1,200, without û 300" in text and "the article's 2" in text
    assert "at 1, with û 4,000, without û 2,000; at 3, with û 6,000, without û 6,000." in text and "cheaper" not in text
    products["without û"] = 2001 * T
    text = plots.two_ways_to_route({"with û": 1200, "without û": 300}, T, products, mark=2).get_label()
    assert "From 3 on, with û is cheaper." in text
    shared, unshared = np.full((2, 3), 0.5), np.array([[0.1, 0.9, 0.2], [0.2, 0.25, 0.2]])
    text = plots.shuffled_capsules(np.eye(28), np.arange(49), np.arange(49), shared, unshared).get_label()
    assert "W shared: each ring encloses its dot." in text
    assert "W unshared: capsule 1 changes most, from 0.900 to 0.250." in text
