"""Pictures of the inside of a trained network."""

import numpy as np

from capslib import plots
from capslib.equations import length


def tint(ax):
    """Values and colour limits of a digit's grid, which lies below the ink."""
    values = ax.images[0]
    return np.asarray(values.get_array()).ravel(), values.get_clim()


def test_lower_capsule_marks_the_cell_and_its_window_and_draws_its_features_and_votes(digit):
    image, trace = digit
    u = np.random.default_rng(9).random((49, 32))
    u[16, :2] = 0
    fig = plots.lower_capsule(image, u, trace.u_hat, 16)
    pixels, features, votes = fig.axes[:3]  # cell 16: row 2, column 2
    own, window = (patch.get_bbox().extents for patch in pixels.patches)
    np.testing.assert_array_equal(own, [7.5, 7.5, 11.5, 11.5])  # pixels 8 to 11, whose edges are halves
    np.testing.assert_array_equal(window, [1.5, 1.5, 17.5, 17.5])
    assert [patch.get_linestyle() for patch in pixels.patches] == ["-", "--"]
    np.testing.assert_array_equal([bar.get_height() for bar in features.patches], u[16])
    np.testing.assert_array_equal(votes.images[0].get_array(), trace.u_hat[16])
    low, high = votes.images[0].get_clim()
    assert -low == high == np.abs(trace.u_hat[16]).max()
    D_in, J, D = u.shape[1], *trace.u_hat.shape[1:]
    for told in (
        "cell 16 and the window of 16×16",
        f"Of the {D_in} features of u_16, {D_in - 2} are",
        f"{J} votes of {D}",
    ):
        assert told in fig.get_label()
    assert f"between {trace.u_hat[16].min():.2f} and {trace.u_hat[16].max():.2f}." in fig.get_label()


def test_first_and_last_names_the_four_strongest_cells_where_they_are(digit):
    image, trace = digit
    grid = plots.first_and_last(image, trace, 3, np.zeros(5)).axes[2]
    c = trace.contribution[-1, :, 3]
    strongest = np.argsort(np.abs(c))[::-1][:4]
    named = {tuple(text.get_position()): text.get_text() for text in grid.texts}
    assert named == {(4 * (i % 7) + 1.5, 4 * (i // 7) + 1.5): f"{c[i]:.2f}" for i in strongest}


def test_first_and_last_draws_these_two_on_one_scale(digit):
    image, trace = digit
    fig = plots.first_and_last(image, trace, 3, [2.3, 0, 0, 0, 1.25])
    axes, alt = fig.axes, fig.get_label()
    assert "iterations 1 and 5" in alt and "entropy of the couplings is 2.30 at first and 1.25 at the end" in alt
    assert f"its length is {trace.lengths[0, 3]:.2f} at first and {trace.lengths[-1, 3]:.2f} at the end" in alt
    for t, (grid, bars), entropy in ((0, axes[:2], "2.30"), (4, axes[2:4], "1.25")):
        np.testing.assert_allclose(tint(grid)[0], trace.contribution[t, :, 3])
        np.testing.assert_allclose([bar.get_height() for bar in bars.patches], trace.lengths[t])
        assert grid.get_title() == f"iteration {t + 1}: sum {np.linalg.norm(trace.s[t, 3]):.2f}"
        assert entropy in bars.get_title()
    largest = np.abs(trace.contribution[:, :, 3]).max()
    for grid in (axes[0], axes[2]):
        np.testing.assert_allclose(tint(grid)[1], (-largest, largest))


def test_film_strip_draws_every_iteration_in_order(digit):
    image, trace = digit
    fig = plots.film_strip(image, trace, 3)
    axes = np.reshape(fig.axes[:10], (2, 5))
    for t, (grid, matrix) in enumerate(axes.T):
        np.testing.assert_allclose(tint(grid)[0], trace.contribution[t, :, 3])
        np.testing.assert_allclose(matrix.images[0].get_array(), plots.coupling_scale(trace.c[t]))
        assert grid.get_title() == f"iteration {t + 1}" and tint(grid)[1] == tint(axes[0, 0])[1]
    assert np.all(axes[1, 0].images[0].get_array() == 0)  # white: nobody has a preference yet
    last, norms = trace.contribution[-1, :, 3], np.linalg.norm(trace.s[:, 3], axis=-1)
    told = (
        f"capsule 3 add up to {norms[0]:.2f} at first and {norms[-1]:.2f} at the end; at the end cell {last.argmax()}"
    )
    assert told in fig.get_label()
    decided = np.count_nonzero(np.any(trace.c[-1] > 0.5, axis=1))
    assert f"0 at first, and {decided} at the end, give more than half" in fig.get_label()


def test_two_opinions_sets_both_classes_of_a_digit_above_each_other_on_one_scale():
    rng = np.random.default_rng(11)
    images, read, true = rng.random((3, 28, 28)), rng.normal(0, 1, (3, 49)), rng.normal(0, 2, (3, 49))
    read[1] = 2 * true[1]
    fig = plots.two_opinions(images, read, true, [(f"r{n}", f"t{n}") for n in range(3)])
    axes = fig.axes[:6]
    assert (
        fig.get_label().startswith("3 misread digits")
        and "r1, t1, correlation of the grids 1.00; r2" in fig.get_label()
    )
    assert [ax.get_title() for ax in axes] == ["r0", "r1", "r2", "t0", "t1", "t2"]
    for ax, values in zip(axes, [*read, *true], strict=True):
        drawn, (low, high) = tint(ax)
        np.testing.assert_array_equal(drawn, values)
        assert -low == high == max(np.abs(read).max(), np.abs(true).max())
    assert axes[0].get_ylabel() == "class read" and axes[3].get_ylabel() == "true class"


def test_vote_plane_holds_the_winner_and_the_direction_across_it_in_which_votes_differ_most(digit):
    _, trace = digit
    points, plane, share = plots.vote_plane(trace, 3)
    np.testing.assert_allclose(plane @ plane.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(plane[0], trace.v[-1, 3] / length(trace.v[-1, 3]))
    np.testing.assert_allclose(trace.c[-1, :, 3] * points[:, 0], trace.contribution[-1, :, 3])
    np.testing.assert_allclose(points[:, 1], trace.u_hat[:, 3] @ plane[1])
    np.testing.assert_allclose(share, np.sum(points**2) / np.sum(trace.u_hat[:, 3] ** 2))
    for other in np.random.default_rng(12).normal(size=(50, 6)):
        other -= other @ plane[0] * plane[0]
        assert np.sum((trace.u_hat[:, 3] @ other) ** 2) / (other @ other) <= np.sum(points[:, 1] ** 2) + 1e-9


def test_votes_of_capsule_moves_the_mean_and_the_areas_but_not_the_votes(digit):
    _, trace = digit
    points, plane, _ = plots.vote_plane(trace, 3)
    fig = plots.votes_of_capsule(trace, 3, (1, 3, 5))
    panels = fig.axes
    for ax, t in zip(panels, (0, 2, 4), strict=True):
        dots, c = ax.collections[0], trace.c[t, :, 3]
        np.testing.assert_allclose(dots.get_offsets(), points)
        np.testing.assert_allclose(dots.get_sizes() / dots.get_sizes().sum(), c / c.sum())
        np.testing.assert_allclose(ax.lines[-1].get_xydata()[0], plane @ trace.s[t, 3] / c.sum())
        assert ax.get_title() == f"iteration {t + 1}" and ax.get_aspect() == 1
        assert (ax.get_xlim(), ax.get_ylim()) == (panels[0].get_xlim(), panels[0].get_ylim())
    low, high = np.transpose([panels[0].get_xlim(), panels[0].get_ylim()])
    assert (low < np.minimum(points.min(0), 0)).all() and (high > np.maximum(points.max(0), 0)).all()
    assert panels[2].collections[0].get_sizes().max() > panels[0].collections[0].get_sizes().max()
    first, last = (panels[n].lines[-1].get_xdata()[0] for n in (0, 2))
    i = trace.c[-1, :, 3].argmax()
    assert f"mean along v̂ is {first:.2f} at first and {last:.2f} at the end" in fig.get_label()
    assert f"vote {i}, lies at {points[i, 0]:.2f} along v̂; its coupling is {trace.c[-1, i, 3]:.2f}." in fig.get_label()


def test_couplings_of_digits_stand_below_their_own_digit_on_one_scale():
    rng = np.random.default_rng(3)
    images, c = rng.random((3, 28, 28, 1)), rng.dirichlet(np.full(4, 0.3), (3, 6))
    c[1] = 0.25
    fig = plots.couplings_of_digits(images, c, ["one", "two", "three"])
    top, below = fig.axes[:3], fig.axes[3:6]
    for n, (pixels, matrix) in enumerate(zip(top, below, strict=True)):
        np.testing.assert_array_equal(pixels.images[0].get_array(), 1 - images[n, ..., 0])
        assert pixels.get_title() == ["one", "two", "three"][n]
        np.testing.assert_allclose(matrix.images[0].get_array(), plots.coupling_scale(c[n]))
        assert matrix.images[0].get_clim() == (-3, 3)
    decided = (c[0].max(-1) > 0.5).sum()
    assert f"one: {decided} of 6 give more than half" in fig.get_label() and 0 < decided < 6
    assert (
        "two: 0 of 6 give more than half to one capsule, and couplings lie between 0.250 and 0.250." in fig.get_label()
    )
