"""PoseVotes: its mathematics is that of capslib.faces, and Python reads and sets what the page shows."""

import html
import json
import re

import numpy as np
import pytest
import traitlets

from capslib import faces, plots
from capslib.poses import pose, read_pose, spread
from capslib.widgets import PoseVotes
from capslib.widgets.base import STATE_LIMIT
from tests.conftest import NO_NODE
from tests.widgets.test_core import NODE, caller

ME = faces.Identity()
S = faces.arrangement(ME)
T = np.linalg.inv(S)
F = pose(-1, 2, 20, 0.8)
M = F @ S
M[faces.MOUTH, :2, 2] += (4, 1)
FORMS = faces.forms(ME)


@pytest.fixture
def widget():
    return PoseVotes(M, T, FORMS, whole=F)


# What the page computes -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def javascript(tmp_path_factory):
    if NODE is None:
        pytest.skip(NO_NODE)
    return caller(tmp_path_factory.mktemp("pose"), "poses.js")


def some_poses(count, seed=0):
    rng = np.random.default_rng(seed)
    return pose(*rng.uniform(-9, 9, (2, count)), rng.uniform(-400, 400, count), rng.uniform(0.2, 3, count))


@pytest.mark.parametrize(
    "numbers", [(), (3, -4), (1, 2, 30, 0.5), (0, 0, 90), (0, 0, -180, 2), (5, 5, 270), (0, 0, 725)]
)
def test_pose(javascript, numbers):
    np.testing.assert_allclose(javascript(("pose", *numbers)), pose(*numbers).ravel(), atol=1e-14)


def test_a_quarter_turn_is_exact(javascript):
    np.testing.assert_array_equal(javascript(("pose", 0, 0, 90)), pose(angle=90).ravel())


def test_read_pose(javascript):
    poses = some_poses(20)
    found = javascript(*(("read_pose", poses, n) for n in range(20)))
    np.testing.assert_allclose(found, np.stack(read_pose(poses), axis=1), atol=1e-12)


def test_products_of_many_with_many_and_with_one(javascript):
    A, B = some_poses(6), some_poses(6, seed=1)
    found = javascript(("product", A, B), ("product", A[0], B), ("product", A, B[0]))
    for one, expected in zip(found, (A @ B, A[0] @ B, A @ B[0]), strict=True):
        np.testing.assert_allclose(one, expected.ravel(), atol=1e-12)


def test_inverse(javascript):
    poses = some_poses(6)
    np.testing.assert_allclose(javascript(("inverse", poses)), np.linalg.inv(poses).ravel(), atol=1e-12)


def test_spread_and_swapped_parts(javascript):
    parts = some_poses(4)
    found = javascript(("spread", parts @ T), ("swap_eyes_and_mouth", parts), ("spread", np.stack([F] * 4)))
    assert found[0] == pytest.approx(spread(parts @ T), abs=1e-12)
    np.testing.assert_allclose(found[1], faces.swap_eyes_and_mouth(parts).ravel(), atol=1e-12)
    assert found[2] == pytest.approx(0, abs=1e-12)


# Reading and setting ----------------------------------------------------------------------------------------------


def test_it_holds_what_it_was_given(widget):
    np.testing.assert_allclose(widget.parts, M)
    np.testing.assert_allclose(widget.whole, F)
    np.testing.assert_allclose(widget.votes, M @ T)
    assert widget.spread == pytest.approx(spread(M @ T))


def test_what_the_page_moved_is_read(widget):
    moved = pose(3, 3, 10) @ M
    widget.set_state({"_poses": np.concatenate([[F], moved]).ravel().tolist()})
    np.testing.assert_allclose(widget.parts, moved)
    np.testing.assert_allclose(widget.votes, moved @ T)


def test_parts_are_set_without_the_head(widget):
    widget.parts = faces.swap_eyes_and_mouth(F @ S)
    np.testing.assert_allclose(widget.whole, F)
    np.testing.assert_allclose(widget.parts, faces.swap_eyes_and_mouth(F @ S))
    assert widget.spread == pytest.approx(0.8 * spread(faces.swap_eyes_and_mouth(S) @ T))


def test_where_the_head_is_put_parts_and_votes_go_with_it(widget):
    G = pose(2, -3, 75, 1.1)
    votes, spread = widget.votes, widget.spread
    widget.whole = G @ F
    np.testing.assert_allclose(widget.parts, G @ M)
    np.testing.assert_allclose(widget.votes, G @ votes)
    assert widget.spread == pytest.approx(1.1 * spread)


def test_the_head_is_upright_in_the_middle_unless_told_otherwise():
    np.testing.assert_array_equal(PoseVotes(M, T, FORMS).whole, np.eye(3))


# What stands in for it --------------------------------------------------------------------------------------------


def test_it_says_what_it_shows_in_numbers(widget):
    text = widget.describe()
    for name, (x, y) in zip(faces.PARTS, (M @ T)[:, :2, 2], strict=True):
        assert f"{name} ({x:.1f}, {y:.1f})".replace("-", "−") in text
    assert f"{spread(M @ T):.2f} pixels" in text and "-" not in text
    assert repr(widget) == f"PoseVotes: {text}"


def test_a_picture_and_its_alt_text_stand_in_for_it(widget):
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == widget.describe()
    (alt,) = re.findall(r'alt="([^"]*)"', data["text/html"])
    assert html.unescape(alt) == widget.describe()
    assert widget.picture().startswith(b"\x89PNG") and len(widget.picture()) < 60_000


def test_the_picture_shows_the_face_of_every_vote():
    fig = plots.ghost_votes(FORMS, F, M, T, faces.PARTS)
    ax = fig.axes[0]
    of = {
        label: [line.get_xydata() for line in ax.lines if line.get_label() == label]
        for label in ("ghost", "way", "ink")
    }
    strokes = faces.strokes(ME, whole=F, parts=M)
    for line, (points, _) in zip(of["ink"], strokes, strict=True):
        np.testing.assert_allclose(line, points, atol=1e-9)
    ghosts = [points for vote in M @ T for points, _ in faces.strokes(ME, whole=vote)]
    for line, points in zip(of["ghost"], ghosts, strict=True):
        np.testing.assert_allclose(line, points, atol=1e-9)
    np.testing.assert_allclose(of["way"], np.stack([M, M @ T], 1)[..., :2, 2])
    said = {text.get_text(): text.get_position()[1] for text in ax.texts if text.get_text()}
    assert set(said) == {"left eye, right eye, nose", "mouth"}
    assert said["mouth"] > said["left eye, right eye, nose"]
    assert "left eye, right eye, nose: (−1.0, 2.0); mouth: (3.0, 3.0)" in fig.get_label()


def test_without_ghosts_the_picture_has_none(widget):
    before = widget.picture()
    widget.ghosts = False
    assert widget.picture() != before and PoseVotes(M, T, FORMS, F, ghosts=False).picture() == widget.picture()
    for wrong in (2, None, "yes"):
        with pytest.raises(traitlets.TraitError, match="ghosts"):
            widget.ghosts = wrong
        with pytest.raises(traitlets.TraitError, match="ghosts"):
            widget.set_state({"ghosts": wrong})
    assert widget.ghosts is False


def test_it_stays_small(widget):
    state = widget.get_state()
    assert len(json.dumps(state, default=str)) < STATE_LIMIT / 4


# Bad input --------------------------------------------------------------------------------------------------------


def with_nan(poses):
    poses = np.array(poses)
    poses[..., 0, 2] = np.nan
    return poses


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"parts": M[:3]}, r"parts: got shape \(3, 3, 3\), expected \(4, 3, 3\)"),
        ({"parts": M[None]}, "parts: got shape"),
        ({"parts": with_nan(M)}, "parts: got NaN or infinite values"),
        ({"parts": 2 * M}, "parts: got a matrix that is no pose"),
        ({"T": T[0]}, r"T: got shape \(3, 3\), expected \(4, 3, 3\)"),
        ({"T": np.zeros((4, 3, 3))}, "T: got a matrix that is no pose"),
        ({"whole": M}, r"whole: got shape \(4, 3, 3\), expected \(3, 3\)"),
        ({"whole": "upright"}, "whole: got 'upright', expected a finite number"),
        ({"forms": FORMS[:4]}, "forms: got something else, expected what faces.forms gives"),
        ({"forms": 3}, "forms: got something else"),
        ({"forms": [*FORMS[:4], [(np.array([[np.nan, 0]]), 1)]]}, "forms: got something else"),
        ({"forms": [*FORMS[:4], [(np.zeros((100_000, 2)), 1)]]}, "forms: got .* bytes"),
    ],
)
def test_bad_input_is_refused_by_name(change, says):
    with pytest.raises(ValueError, match=says):
        PoseVotes(**{"parts": M, "T": T, "forms": FORMS, "whole": F, **change})


@pytest.mark.parametrize(("name", "value"), [("parts", M[:2]), ("whole", with_nan(F))])
def test_what_is_set_is_checked_and_the_old_state_stays(widget, name, value):
    with pytest.raises(ValueError, match=name):
        setattr(widget, name, value)
    np.testing.assert_allclose(widget.parts, M)
