import ast
import re
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capslib import digits, faces, transforms
from capslib.faces import Expression, Identity, arrangement, draw, swap_eyes_and_mouth
from capslib.poses import pose, read_pose, spread
from tests import ROOT
from tests.library.strategies import SETTINGS
from tests.notebooks.rules import Notebook

PEOPLE = faces.identities(10, seed=1)
ANY_POSE = st.builds(pose, st.floats(-5, 5), st.floats(-5, 5), st.floats(-179, 180), st.floats(0.1, 4))


@st.composite
def extremes(draw_):
    """An identity and an expression, each attribute at one of the ends of its range, and a pose at its ends."""
    ends = [draw_(st.sampled_from(limits)) for limits in faces.RANGES.values()]
    own = len(fields(Identity))
    x, y = draw_(st.sampled_from((-2, 2))), draw_(st.sampled_from((-2, 2)))
    return Identity(*ends[:own]), Expression(*ends[own:]), pose(x, y, draw_(st.floats(-180, 180)), 1)


# Poses ------------------------------------------------------------------------------------------------------------


def test_a_pose_scales_then_turns_then_moves():
    np.testing.assert_allclose(pose(3, 4, 90, 2), [[0, -2, 3], [2, 0, 4], [0, 0, 1]], atol=1e-15)
    np.testing.assert_array_equal(pose(), np.eye(3))
    np.testing.assert_allclose(pose(3, 4, 30, 2), pose(3, 4) @ pose(angle=30) @ pose(scale=2))
    many = pose([0, 1, 2], 5, [[0], [90]], 1)
    assert many.shape == (2, 3, 3, 3)
    np.testing.assert_array_equal(many[1, 2], pose(2, 5, 90, 1))


@given(x=st.floats(-9, 9), y=st.floats(-9, 9), angle=st.floats(-179, 180), scale=st.floats(0.1, 9))
@SETTINGS
def test_reading_a_pose_gives_its_numbers_back(x, y, angle, scale):
    np.testing.assert_allclose(read_pose(pose(x, y, angle, scale)), (x, y, angle, scale), atol=1e-9)


@given(M=ANY_POSE, whole=ANY_POSE)
@SETTINGS
def test_every_part_of_a_whole_face_votes_for_its_pose(M, whole):
    for person in PEOPLE[:3]:
        sits = arrangement(person)
        votes = (whole @ sits) @ np.linalg.inv(sits)  # (4, 3, 3)
        np.testing.assert_allclose(votes, np.broadcast_to(whole, (4, 3, 3)), atol=1e-9)
        turned = (M @ whole @ sits) @ np.linalg.inv(sits)
        np.testing.assert_allclose(turned, M @ votes, atol=1e-8)


def test_the_plain_face_has_its_parts_where_its_attributes_say():
    x, y, angle, scale = read_pose(arrangement(Identity()))
    np.testing.assert_array_equal([x, y], [[-4, 4, 0, 0], [3, 3, -1, -6]])
    np.testing.assert_array_equal([angle, scale], [[0] * 4, [1] * 4])
    x, y, angle, scale = read_pose(arrangement(Identity(eye_distance=9, eye_slant=10, eye_size=0.8, mouth_size=1.2)))
    np.testing.assert_allclose(x, [-4.5, 4.5, 0, 0])
    np.testing.assert_allclose(angle, [-10, 10, 0, 0], atol=1e-12)
    np.testing.assert_allclose(scale, [0.8, 0.8, 1, 1.2])


def test_spread_is_zero_where_votes_agree_and_grows_with_distance():
    agreeing = np.broadcast_to(pose(3, -2, 40, 0.7), (5, 4, 3, 3))
    np.testing.assert_allclose(spread(agreeing), np.zeros(5), atol=1e-12)
    assert spread(np.stack([pose(0, 0), pose(6, 8)])) == pytest.approx(5)
    assert spread(np.stack([pose(1, 1), pose(1, 7, 80, 2)])) == pytest.approx(3)


# The wrong arrangement --------------------------------------------------------------------------------------------


def test_swapped_eyes_and_mouth_stand_in_each_others_place():
    swapped = swap_eyes_and_mouth(arrangement(Identity(eye_slant=10)))
    x, y, angle, scale = read_pose(swapped)
    np.testing.assert_allclose([x, y], [[-4, 4, 0, 0], [-6, -6, -1, 3]])
    np.testing.assert_allclose(angle, [-10, 10, 0, 0], atol=1e-12)


@given(whole=ANY_POSE, who=st.integers(0, 9))
@SETTINGS
def test_swapping_goes_with_the_face_and_twice_is_the_identity(whole, who):
    parts = arrangement(PEOPLE[who])
    there = swap_eyes_and_mouth(whole @ parts)
    np.testing.assert_allclose(there, whole @ swap_eyes_and_mouth(parts), atol=1e-9)
    np.testing.assert_allclose(swap_eyes_and_mouth(there), whole @ parts, atol=1e-9)
    assert spread(there @ np.linalg.inv(parts)) > 4 * read_pose(whole)[3]


def test_swapping_takes_a_batch_and_leaves_it_as_it_was():
    parts = pose(angle=[10, 80])[:, None] @ arrangement(PEOPLE[0])
    before = parts.copy()
    swapped = swap_eyes_and_mouth(parts)
    np.testing.assert_array_equal(parts, before)
    np.testing.assert_allclose(swapped[1], swap_eyes_and_mouth(parts[1]))


# People -----------------------------------------------------------------------------------------------------------


def test_people_differ_along_every_attribute_and_fill_its_range():
    for field in fields(Identity):
        low, high = faces.RANGES[field.name]
        shares = (np.array([getattr(person, field.name) for person in PEOPLE]) - low) / (high - low)
        np.testing.assert_array_equal(np.sort(np.floor(10 * shares)), np.arange(10))
    assert faces.identities(10, seed=1) == PEOPLE != faces.identities(10, seed=2)


def test_expressions_are_many_and_repeatable():
    many = faces.expressions(200, seed=4)
    assert many == faces.expressions(200, seed=4) != faces.expressions(200, seed=5)
    for field in fields(Expression):
        low, high = faces.RANGES[field.name]
        values = np.array([getattr(one, field.name) for one in many])
        assert low <= values.min() < low + 0.1 * (high - low) and high - 0.1 * (high - low) < values.max() <= high


@pytest.mark.parametrize("kind", [Identity, Expression])
def test_docstrings_give_the_ranges_that_hold(kind):
    for field in fields(kind):
        (line,) = re.findall(rf"^ +{field.name}: (.*)$", kind.__doc__, flags=re.M)
        numbers = [float(n.replace("−", "-")) for n in re.findall(r"−?\d+\.?\d*", line)]
        assert tuple(numbers) == faces.RANGES[field.name]


# Pictures ---------------------------------------------------------------------------------------------------------


def test_a_face_is_an_image_as_digits_are():
    face = draw(Identity())
    assert face.shape == (28, 28) and face.dtype == np.float32
    assert face.min() == 0 and face.max() == 1
    assert ((face > 0.05) & (face < 0.95)).sum() > 50  # soft edges
    assert digits.as_images(face).shape == (1, 28, 28, 1)


def test_ink_lies_where_the_parts_are():
    face = draw(Identity())
    row, column = (lambda y: round(13.5 - y)), (lambda x: round(13.5 + x))
    for x, y in ((-4, 3), (4, 3), (0, -6), (0, 11), (10, 0), (-4, 5.9)):  # pupils, mouth, head, head, brow
        assert face[max(row(y) - 1, 0) : row(y) + 2, column(x) - 1 : column(x) + 2].max() > 0.45, (x, y)
    for x, y in ((0, 7), (-5, -3), (5, -3), (12, 12)):  # forehead, cheeks, outside
        assert face[row(y) - 1 : row(y) + 2, column(x) - 1 : column(x) + 2].max() == 0, (x, y)


def test_a_face_upright_is_its_own_mirror_image_but_for_the_nose():
    face = draw(PEOPLE[2], Expression(0.5, 0.5, 0.7, 0.6))
    rows = np.r_[:9, 19:28]
    np.testing.assert_allclose(face[rows], face[rows][:, ::-1], atol=1e-6)


def test_a_quarter_turn_of_the_head_is_that_of_the_picture():
    upright = draw(PEOPLE[3], Expression(-0.4, 0.2, 0.9, -1), pose(1, 0.5, 10, 0.9))
    turned = draw(PEOPLE[3], Expression(-0.4, 0.2, 0.9, -1), pose(angle=90) @ pose(1, 0.5, 10, 0.9))
    np.testing.assert_allclose(turned, np.rot90(upright), atol=1e-5)


def test_a_move_by_whole_pixels_moves_the_picture():
    still, moved = draw(PEOPLE[4]), draw(PEOPLE[4], whole=pose(2, -1))
    np.testing.assert_allclose(moved, np.roll(still, (1, 2), axis=(0, 1)), atol=1e-5)


def test_strokes_are_the_forms_put_where_the_poses_say():
    who, mood, whole = PEOPLE[4], Expression(smile=1, brows=0.5), pose(1, 0, 40, 0.9)
    poses = [whole, *(whole @ arrangement(who))]
    forms = faces.forms(who, mood)
    assert len(forms) == 1 + len(faces.PARTS)
    placed = [(M, *stroke) for M, form in zip(poses, forms, strict=True) for stroke in form]
    for (M, own, pen), (points, radius) in zip(placed, faces.strokes(who, mood, whole), strict=True):
        np.testing.assert_allclose(points, own @ M[:2, :2].T + M[:2, 2])
        assert radius == pytest.approx(pen * np.hypot(*M[:2, 0]))


def test_strokes_are_the_lines_that_draw_inks():
    whole = pose(1, 1, 30, 0.8)
    lines = faces.strokes(Identity(), Expression(mouth_open=1), whole)
    assert len(lines) == 1 + 3 + 3 + 1 + 2  # head, eyes with pupil and brow, nose, lips
    face = draw(Identity(), Expression(mouth_open=1), whole, size=280)
    for points, radius in lines:
        column, row = np.rint(10 * points + 139.5).astype(int).T
        assert face[279 - row, column].min() == 1 and 0.25 < radius < 1
    head, pen = lines[0]
    place = np.linalg.solve(whole, np.column_stack([head, np.ones(len(head))]).T)
    np.testing.assert_allclose((place[0] / 10) ** 2 + (place[1] / 11) ** 2, 1)
    assert pen == pytest.approx(0.8 * 0.55)


def test_a_larger_picture_shows_the_same_face():
    large = draw(PEOPLE[5], size=140)
    assert large.shape == (140, 140)
    blocks = large.reshape(28, 5, 28, 5).mean((1, 3))
    assert np.abs(blocks - draw(PEOPLE[5])).mean() < 0.03


@given(case=extremes())
@SETTINGS
def test_every_face_in_range_is_whole_swapped_or_not(case):
    person, expression, whole = case
    parts = whole @ arrangement(person)
    for face in (draw(person, expression, whole, parts), draw(person, expression, whole, swap_eyes_and_mouth(parts))):
        edge = np.concatenate([face[0], face[-1], face[:, 0], face[:, -1]])
        assert edge.max() < 0.6  # The head's line comes within half a pixel of the edge: its soft rim, no more.


def test_a_part_that_would_leave_the_canvas_is_refused_rather_than_cut():
    with pytest.raises(ValueError, match="whole: got a pose that puts the head 14.55 from the middle, expected all"):
        draw(Identity(), whole=pose(0, 3))
    parts = arrangement(Identity())
    parts[faces.MOUTH] = pose(11, 0)
    with pytest.raises(ValueError, match=r"parts: got a pose that puts the mouth 14.90 from the middle"):
        draw(Identity(), parts=parts)


@pytest.mark.parametrize("name", faces.RANGES)
def test_every_attribute_changes_the_picture(name):
    kind = Identity if name in {field.name for field in fields(Identity)} else Expression
    low, high = faces.RANGES[name]
    plain = {Identity: Identity(), Expression: Expression(mouth_open=0.5)}
    drawn = []
    for value in (low, high):
        made = {**plain, kind: replace(plain[kind], **{name: value})}
        drawn.append(draw(made[Identity], made[Expression]))
    assert np.abs(drawn[0] - drawn[1]).sum() > 2


# Samples ----------------------------------------------------------------------------------------------------------


def test_a_sample_is_a_set_of_images_with_poses():
    found = faces.sample(PEOPLE, 25, seed=7)
    assert found.images.shape == (25, 28, 28, 1) and found.images.dtype == np.float32
    assert found.images.min() == 0 and found.images.max() == 1
    assert found.who.dtype == np.int64 and sorted(np.bincount(found.who)) == [2] * 5 + [3] * 5
    assert len(set(found.who[:10])) < 10  # not one person after the other
    for n in range(25):
        np.testing.assert_allclose(found.parts[n], found.whole[n] @ arrangement(PEOPLE[found.who[n]]), atol=1e-12)
    x, y, angle, scale = read_pose(found.whole)
    assert np.abs([x, y]).max() <= 1.5 and np.abs(angle).max() <= 10 and 0.9 <= scale.min() <= scale.max() <= 1
    assert np.abs(x).max() > 1 and np.abs(angle).max() > 7 and scale.min() < 0.93


def test_a_sample_depends_on_its_seed_alone_and_swapped_changes_the_arrangement_alone():
    intact, again, other = (faces.sample(PEOPLE, 6, seed) for seed in (3, 3, 4))
    for a, b in zip(intact, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(intact.images, other.images)
    swapped = faces.sample(PEOPLE, 6, 3, swapped=True)
    np.testing.assert_array_equal(swapped.who, intact.who)
    np.testing.assert_array_equal(swapped.whole, intact.whole)
    np.testing.assert_allclose(swapped.parts, swap_eyes_and_mouth(intact.parts))
    assert (np.abs(swapped.images - intact.images).sum((1, 2, 3)) > 20).all()
    ink = [x.sum((1, 2, 3)) for x in (swapped.images, intact.images)]
    np.testing.assert_allclose(*ink, rtol=0.1)  # the same parts, elsewhere


def test_a_sample_without_turn_move_and_shrink_is_upright():
    np.testing.assert_array_equal(
        faces.sample(PEOPLE[:1], 3, 0, turn=0, move=0, shrink=0).whole, np.broadcast_to(np.eye(3), (3, 3, 3))
    )


def test_the_widest_sample_fits_the_canvas():
    found = faces.sample(PEOPLE, 40, seed=0, swapped=True, turn=180, move=2, shrink=0.3)
    assert np.abs(read_pose(found.whole)[2]).max() > 150


# What is refused, by name -----------------------------------------------------------------------------------------

SHEAR = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1.0]])
MIRROR = np.diag([-1.0, 1, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Identity(eye_distance=30), "eye_distance: got 30, expected a number from 7 to 9"),
        (lambda: Identity(mouth_y=np.nan), "mouth_y: got nan, expected a number from -6 to -5"),
        (lambda: Identity(face_width="wide"), "face_width: got 'wide', expected a number from 18 to 21"),
        (lambda: Identity(nose_size=[1, 1]), r"nose_size: got an array of shape \(2,\), expected one number"),
        (lambda: Expression(smile=-1.5), "smile: got -1.5, expected a number from -1 to 1"),
        (lambda: Expression(brows=None), "brows: got None"),
        (lambda: pose(scale=0), "scale: got 0, expected a number above 0"),
        (lambda: pose(scale=[1, -2]), "scale: got -2, expected a number above 0"),
        (lambda: pose(angle=np.inf), "angle: got inf, expected a finite number"),
        (lambda: pose(x="a"), "x: got 'a', expected a finite number"),
        (lambda: faces.identities(0), "count: got 0, expected a whole number of at least 1"),
        (lambda: faces.identities(3, seed=-1), "seed: got -1, expected a whole number of at least 0"),
        (lambda: faces.expressions(2.0), "count: got 2.0"),
        (lambda: swap_eyes_and_mouth(np.eye(3)), r"parts: got shape \(3, 3\), expected \(..., 4, 3, 3\)"),
        (
            lambda: swap_eyes_and_mouth(np.full((4, 3, 3), np.nan)),
            "parts: got NaN or infinite values, expected a",
        ),
        (lambda: draw("Ann"), "identity: got str, expected an Identity"),
        (lambda: draw(Identity(), "happy"), "expression: got str, expected an Expression"),
        (lambda: draw(Identity(), whole=np.eye(2)), r"whole: got shape \(2, 2\), expected \(3, 3\)"),
        (lambda: draw(Identity(), whole=SHEAR), "whole: got a matrix that is no pose"),
        (lambda: draw(Identity(), whole=MIRROR), "whole: got a matrix that is no pose"),
        (lambda: draw(Identity(), whole=np.zeros((3, 3))), "whole: got a matrix that is no pose"),
        (lambda: draw(Identity(), parts=np.eye(3)), r"parts: got shape \(3, 3\), expected \(4, 3, 3\)"),
        (lambda: draw(Identity(), size=27), "size: got 27, expected a whole number from 28 to 560"),
        (lambda: draw(Identity(), size=56.0), "size: got 56.0"),
        (lambda: faces.sample([], 3, 0), r"people: got \[\], expected a list of Identity, at least one"),
        (lambda: faces.sample(["Ann"], 3, 0), "people: got .*Ann"),
        (lambda: faces.sample(None, 3, 0), r"people: got None, expected a list of Identity, at least one"),
        (lambda: faces.sample(PEOPLE, 3, 0, turn=[1, 2]), r"turn: got \[1, 2\], expected a number from 0 to 180"),
        (lambda: faces.sample(PEOPLE, 0, 0), "count: got 0"),
        (lambda: faces.sample(PEOPLE, 3, None), "seed: got None"),
        (lambda: faces.sample(PEOPLE, 3, 0, turn=181), "turn: got 181, expected a number from 0 to 180"),
        (lambda: faces.sample(PEOPLE, 3, 0, move=3), "move: got 3, expected a number from 0 to 2"),
        (lambda: faces.sample(PEOPLE, 3, 0, shrink=0.5), "shrink: got 0.5, expected a number from 0 to 0.3"),
    ],
)
def test_bad_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# What lesson 02 writes out ----------------------------------------------------------------------------------------


def lesson_02(*names):
    """Functions as lesson 02 defines them."""
    path = ROOT / "notebooks" / "02_pose_and_votes.ipynb"
    trees = Notebook(path.name, path.read_text(encoding="utf-8")).trees
    defined = {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}
    namespace = {"np": np}
    for name in names:
        exec(compile(ast.Module([defined[name]], []), path.name, "exec"), namespace)
    return [namespace[name] for name in names]


def test_lesson_02_writes_out_pose_and_spread_as_they_are_here():
    own_pose, own_spread = lesson_02("pose", "spread")
    for numbers in ((2, 3, 90, 0.5), (-1, 0.5, 33, 1.2), (0, 0, -120, 2)):
        np.testing.assert_allclose(own_pose(*numbers), pose(*numbers), atol=1e-12)
    votes = faces.sample(PEOPLE, 5, 0, swapped=True).parts @ np.linalg.inv(arrangement(Identity()))
    np.testing.assert_allclose(own_spread(votes), spread(votes))
    assert spread(votes).min() > 1


def test_lesson_02_writes_out_the_measures_as_they_are_in_transforms():
    own_invariance, own_equivariance = lesson_02("invariance", "equivariance")
    rng = np.random.default_rng(0)
    v = rng.normal(size=(60, 5))
    for v_t in (v @ rng.normal(size=(5, 5)), rng.normal(size=(60, 5)), v + 0.5 * rng.normal(size=(60, 5))):
        assert own_invariance(v, v_t) == pytest.approx(transforms.invariance(v, v_t))
        assert own_equivariance(v, v_t) == pytest.approx(transforms.equivariance(v, v_t))
