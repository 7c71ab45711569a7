"""Pictures of poses and votes."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from capslib import faces, plots, poses

ME = faces.Identity()
SITS = faces.arrangement(ME)


def frames(ax, label):
    """The frames of a label as their dots (N, 2), and the tips of their arrows to the right and up, (N, 2) each."""
    dots = [line.get_xydata()[0] for line in ax.lines if line.get_label() == label]
    tips = {way: [t.xy for t in ax.texts if t.get_label() == f"{label} {way}"] for way in ("right", "up")}
    return np.array(dots), np.array(tips["right"]), np.array(tips["up"])


def test_patches_and_vectors_draw_all_arrows_on_one_scale_from_the_middle():
    patches = [np.zeros((9, 9)), np.eye(9)]
    fig = plots.patches_and_vectors(patches, np.array([[0, 2.0], [-0.5, 0]]), ["up", "left"])
    tips = []
    for ax, patch, title in zip(fig.axes, patches, ("up", "left"), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), patch)
        (arrow,) = [text for text in ax.texts if text.get_label() == "vector"]
        assert arrow.xyann == (0, 0) and ax.get_title() == title and ax.images[0].get_extent() == [-1, 1, -1, 1]
        tips.append(arrow.xy)
    np.testing.assert_allclose(tips, [[0, 0.8], [-0.2, 0]])
    assert fig.get_label() == (
        "2 patches of ink, each with a vector from its middle. up, the vector 2.00 long at 90 degrees; "
        "left, the vector 0.50 long at 180 degrees."
    )


def test_face_row_shows_the_faces_in_ink_on_paper_under_their_titles():
    images = [faces.draw(ME), faces.draw(ME, parts=faces.swap_eyes_and_mouth(SITS))]
    fig = plots.face_row(images, ["whole", "swapped"])
    for ax, image, title in zip(fig.axes, images, ["whole", "swapped"], strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image)
        assert ax.get_title() == title and ax.images[0].get_clim() == (0, 1)
        assert np.allclose(ax.images[0].get_cmap()(0.0)[:3], 1) and np.allclose(ax.images[0].get_cmap()(1.0)[:3], 0)


def test_one_vote_walks_from_the_part_to_its_vote():
    part, T = poses.pose(2, 3, 90, 0.5), poses.pose(4, -3)
    ax = plots.one_vote(faces.draw(ME, whole=part @ T), part, T).axes[0]
    (way,) = [line for line in ax.lines if line.get_label() == "way"]
    np.testing.assert_allclose(way.get_xydata(), [[2, 3], [2, 5], [3.5, 5]], atol=1e-12)
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["4 right", "3 down", "the eye", "its vote"]
    for label, dot in (("the eye", (2, 3)), ("its vote", (3.5, 5))):
        dots, right, up = frames(ax, label)
        np.testing.assert_allclose(dots, [dot], atol=1e-12)
        assert right[0][1] - dot[1] > 0.5 and right[0][0] == pytest.approx(dot[0])  # its right is up
        assert up[0][0] - dot[0] < -0.5 and up[0][1] == pytest.approx(dot[1])
    assert tuple(ax.images[0].get_extent()) == (-14, 14, -14, 14)
    assert ax.get_xlim()[0] < 0 < ax.get_xlim()[1] and ax.get_ylim()[0] < 0 < ax.get_ylim()[1]


def test_one_vote_names_the_other_two_directions():
    ax = plots.one_vote(np.zeros((28, 28)), poses.pose(0, 0), poses.pose(-2, 1.5)).axes[0]
    assert [text.get_text() for text in ax.texts if text.get_text()][:2] == ["2 left", "1.5 up"]


def test_face_votes_joins_every_part_to_the_place_it_votes_for():
    wholes = np.stack([poses.pose(), poses.pose(1, -2, 70, 0.8)])
    parts = wholes[:, None] @ np.stack([SITS, faces.swap_eyes_and_mouth(SITS)])
    votes = parts @ np.linalg.inv(SITS)
    images = [faces.draw(ME, whole=whole, parts=seen) for whole, seen in zip(wholes, parts, strict=True)]
    fig = plots.face_votes(images, parts, votes, ["whole", "swapped"])
    assert [ax.get_title() for ax in fig.axes] == ["whole", "swapped"]
    for ax, image, seen, meant in zip(fig.axes, images, parts, votes, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image)
        ways = [line.get_xydata() for line in ax.lines if line.get_label() == "way"]
        np.testing.assert_allclose(ways, np.stack([seen, meant], 1)[..., :2, 2], atol=1e-12)
        for label, own in (("part", seen), ("vote", meant)):
            dots, right, up = frames(ax, label)
            np.testing.assert_allclose(dots, own[:, :2, 2], atol=1e-12)
            reach = np.linalg.norm(right - dots, axis=1) / np.hypot(*own[0, :2, 0])
            np.testing.assert_allclose(reach, reach[0])
            np.testing.assert_allclose(right - dots, reach[0] * own[:, :2, 0], atol=1e-9)
            np.testing.assert_allclose(up - dots, 0.6 * reach[0] * own[:, :2, 1], atol=1e-9)
    assert to_rgb(fig.axes[0].lines[-1].get_color()) != to_rgb(fig.axes[0].lines[0].get_color())


def test_spread_over_turns_names_every_curve_at_its_end():
    angles = np.arange(0, 181, 45)
    curves = {"swapped": np.full(5, 7.0), "another": np.arange(5.0), "this": np.full(5, 0.5)}
    ax = plots.spread_over_turns(angles, curves).axes[0]
    assert [line.get_label() for line in ax.lines] == list(curves) == [text.get_text() for text in ax.texts]
    for line, text, curve in zip(ax.lines, ax.texts, curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.stack([angles, curve], 1))
        assert text.xy == (180, curve[-1])
    assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 7
    assert "degrees" in ax.get_xlabel() and "pixels" in ax.get_ylabel()
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 3


def test_two_measures_puts_each_representation_at_its_numbers():
    ax = plots.two_measures(["votes", "counts", "pixels"], [0.6, 1.0, 0.4], [0.95, -0.1, 0.8]).axes[0]
    points = {line.get_label(): line for line in ax.lines if line.get_marker() != "None"}
    assert {name: tuple(line.get_xydata()[0]) for name, line in points.items()} == {
        "votes": (0.6, 0.95),
        "counts": (1.0, -0.1),
        "pixels": (0.4, 0.8),
    }
    assert {text.get_text(): text.xy for text in ax.texts} == {n: tuple(p.get_xydata()[0]) for n, p in points.items()}
    assert len({line.get_marker() for line in points.values()}) == 3
    assert ax.get_ylim()[0] < -0.1 and ax.get_ylim()[1] > 1 and ax.get_xlim()[1] > 1
    assert "cosine" in ax.get_xlabel() and "R²" in ax.get_ylabel()
