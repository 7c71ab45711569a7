"""The conditions of lesson 11: what they do to digits, and which digits count."""

import numpy as np
import pytest

from capslib import conditions, digits, transforms


@pytest.fixture(scope="module")
def some():
    data = digits.load("bundled")
    return data.x_test[:60], data.y_test[:60]


@pytest.fixture(scope="module")
def made(some):
    return {condition.name: condition for condition in conditions.conditions(some[0])}


def test_every_condition_of_the_plan_is_there(made):
    angles = {f"turn {a}" for a in range(15, 181, 15)}
    shifts = {f"shift {d} {to}" for d in range(1, 7) for to in ("right", "left", "down", "up")}
    scales = {f"scale {f}" for f in (0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.4)}
    swaps = {"swap top and bottom", "swap left and right", "swap quadrants"}
    noises = {f"{kind} {s}" for kind in ("noise", "salt and pepper") for s in (0.1, 0.2, 0.3, 0.4, 0.5)}
    assert set(made) == angles | shifts | scales | swaps | noises


def test_pictures_are_digits_again(made):
    for condition in made.values():
        assert digits.as_images(condition.images).shape == (60, 28, 28, 1)
        assert condition.images.dtype == np.float32


def test_each_name_says_what_was_done(made, some):
    x = some[0]
    assert np.array_equal(made["turn 90"].images, np.rot90(x, axes=(1, 2)))
    assert np.array_equal(made["shift 2 right"].images[:, :, 2:], x[:, :, :-2])
    assert np.array_equal(made["shift 3 left"].images[:, :, :-3], x[:, :, 3:])
    assert np.array_equal(made["shift 1 down"].images[:, 1:], x[:, :-1])
    assert np.array_equal(made["shift 6 up"].images[:, :-6], x[:, 6:])
    assert np.array_equal(made["swap quadrants"].images[:, :14, :14], x[:, 14:, 14:])
    assert made["scale 0.6"].images.sum() < x.sum() < made["scale 1.2"].images.sum()


def test_only_digits_with_room_count_and_the_same_ones_at_every_distance(made, some):
    x = some[0]
    for name in conditions.DIRECTIONS:
        counts = made[f"shift 1 {name}"].counts
        assert 0 < counts.sum() <= 60
        for pixels in (2, 3, 4, 5, 6):
            assert np.array_equal(made[f"shift {pixels} {name}"].counts, counts)
        for pixels in (1, 2, 3, 4):
            kept = made[f"shift {pixels} {name}"].images[counts].sum((1, 2, 3))
            assert np.allclose(kept, x[counts].sum((1, 2, 3)))
        lost = made[f"shift 4 {name}"].images[~counts].sum((1, 2, 3))
        assert (lost < x[~counts].sum((1, 2, 3))).all()


def test_all_others_count_every_digit(made):
    assert all(c.counts.all() for name, c in made.items() if not name.startswith("shift"))


def test_more_is_more(made, some):
    for kind in ("noise", "salt and pepper"):
        changed = [np.abs(made[f"{kind} {s}"].images - some[0]).mean() for s in conditions.STRENGTHS]
        assert (np.diff(changed) > 0).all()


def test_salt_and_pepper_replaces_that_share_by_black_and_white_alike():
    x = np.full((40, 28, 28, 1), 0.5, np.float32)
    noisy = transforms.salt_and_pepper(x, 0.3, seed=1)
    values, counts = np.unique(noisy, return_counts=True)
    assert values.tolist() == [0, 0.5, 1]
    assert counts / x.size == pytest.approx([0.15, 0.7, 0.15], abs=0.01)
    assert np.array_equal(noisy, transforms.salt_and_pepper(x, 0.3, seed=1))
    assert not np.array_equal(noisy, transforms.salt_and_pepper(x, 0.3, seed=2))
    assert np.array_equal(transforms.salt_and_pepper(x, 0, seed=1), x)
    with pytest.raises(ValueError, match="share: got 1.5"):
        transforms.salt_and_pepper(x, 1.5, seed=1)


def test_two_digits_lie_over_each_other(some):
    x, y = some
    pictures, both = conditions.over_each_other(x, y)
    assert pictures.shape == x.shape
    assert (both.sum(1) == 2).all()
    assert (both[np.arange(len(y)), y] == 1).all()
    assert (pictures >= x).all()  # The first digit stays where it was, and ink only adds up.
    assert (pictures.sum((1, 2, 3)) > x.sum((1, 2, 3))).all()
    with pytest.raises(ValueError, match="y: got 7 for every image, expected at least two classes"):
        conditions.over_each_other(x[:3], np.array([7, 7, 7]))
    with pytest.raises(ValueError, match="y: got 60 labels, expected one for each of 40 images"):
        conditions.over_each_other(x[:40], y)


def test_cells_are_shuffled_in_one_order_for_all():
    order = conditions.shuffled_cells(49)
    assert np.array_equal(np.sort(order), np.arange(49))
    assert np.array_equal(order, conditions.shuffled_cells(49))
    assert np.mean(order == np.arange(49)) < 0.2
    with pytest.raises(ValueError, match="cells: got 0"):
        conditions.shuffled_cells(0)
