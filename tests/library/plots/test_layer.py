"""Pictures of the capsule layer."""

import numpy as np

from capslib import plots
from tests.library.plots.artists import lines_by_label, words_in


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
