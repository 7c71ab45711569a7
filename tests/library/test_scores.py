"""The numbers of lesson 11: small cases by hand, and what must hold for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from capslib import scores
from capslib.intervals import holm, paired

finite = st.floats(-5, 5, allow_nan=False, width=32)


def test_auroc_of_four_by_hand():
    assert scores.auroc([0.9, 0.8], [0.7, 0.85]) == 0.75
    assert scores.auroc([0.5], [0.5]) == 0.5


@given(arrays(np.float64, st.integers(1, 8), elements=finite), arrays(np.float64, st.integers(1, 8), elements=finite))
def test_auroc_counts_pairs(intact, changed):
    pairs = [(a > b) + 0.5 * (a == b) for a in intact for b in changed]
    assert scores.auroc(intact, changed) == pytest.approx(np.mean(pairs))
    assert scores.auroc(changed, intact) == pytest.approx(1 - np.mean(pairs))


def test_area_of_a_step_by_hand():
    # From 0 to 1 flat at 1, from 1 to 3 falling to 0: (1 + 1) / 3.
    assert scores.area([0, 1, 3], [1, 1, 0]) == pytest.approx(2 / 3)


@given(st.floats(-3, 3), st.integers(2, 9))
def test_area_of_a_flat_curve_is_its_height(height, count):
    assert scores.area(np.arange(count) ** 2.0, np.full(count, height)) == pytest.approx(height)


def rows(top, hit):
    """Scores whose top is `top`, on the label's place where `hit`."""
    p = np.zeros((len(top), 10))
    p[np.arange(len(top)), np.where(hit, 3, 4)] = top
    return p


def test_calibration_error_by_hand():
    # Two answers at 0.9, one right: off by 0.4. Two at 0.5, both right: off by 0.5. Each bin holds half of them.
    p = rows(np.array([0.9, 0.9, 0.5, 0.5]), np.array([True, False, True, True]))
    assert scores.calibration_error(p, np.full(4, 3)) == pytest.approx(0.45)


def test_answers_that_are_right_as_often_as_their_score_says_are_calibrated():
    p = rows(np.full(10, 0.7), np.arange(10) < 7)
    assert scores.calibration_error(p, np.full(10, 3)) == pytest.approx(0, abs=1e-6)
    assert scores.calibration_error(rows(np.ones(5), np.ones(5, bool)), np.full(5, 3)) == 0


def test_overconfidence_and_caution_in_one_bin_cancel_but_not_across_bins():
    p = rows(np.array([0.95, 0.05]), np.array([False, True]))
    assert scores.calibration_error(p, [3, 3], bins=1) == pytest.approx(0, abs=1e-6)
    assert scores.calibration_error(p, [3, 3], bins=10) == pytest.approx(0.95)


def test_the_centred_cosine_does_not_see_what_all_share():
    rng = np.random.default_rng(0)
    v, other = rng.normal(size=(2, 500, 6))
    far = np.full(6, 100.0)
    assert scores.centred_cosine(v + far, v + far) == pytest.approx(1)
    assert abs(scores.centred_cosine(v + far, other + far)) < 0.1


def test_an_example_at_the_mean_counts_as_0():
    v = np.array([[1.0, 0], [-1, 0], [0, 0]])
    assert scores.centred_cosine(v, v) == pytest.approx(2 / 3)


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(3), 200)
    return rng.normal(size=(600, 4)) + 5 * y[:, None], y, rng


def test_a_linear_change_is_followed_by_the_map_and_not_by_the_identity(cloud):
    v, y, rng = cloud
    found = scores.changes(v, v @ rng.normal(size=(4, 4)) + 3, y)
    assert found["map"] > 0.999
    assert found["identity"] < 0.5
    assert found["shuffled"] < 0.1


def test_without_a_change_the_identity_is_perfect_and_shuffled_pairs_are_not(cloud):
    v, y, _ = cloud
    found = scores.changes(v, v, y)
    assert found["identity"] == pytest.approx(1)
    assert found["cosine"] == pytest.approx(1)
    assert found["shuffled"] < 0.1
    assert abs(found["shuffled_cosine"]) < 0.2


def test_what_has_nothing_to_do_with_v_is_not_predicted(cloud):
    v, y, rng = cloud
    found = scores.changes(v, rng.normal(size=v.shape), y)
    assert found["map"] < 0.1


def test_a_map_is_fitted_in_each_class_on_its_own(cloud):
    v, y, rng = cloud
    turns = rng.normal(size=(3, 4, 4))
    assert scores.changes(v, np.einsum("ni,nij->nj", v, turns[y]), y)["map"] > 0.999


def test_too_few_examples_of_a_class_are_refused(cloud):
    v, y, _ = cloud
    with pytest.raises(ValueError, match="labels: got 9 examples of 0, expected at least 10 of each"):
        scores.changes(v[191:209], v[191:209], np.repeat([0, 1], 9))


def test_paired_by_hand():
    # Differences 1, 2, 3: mean 2, s = 1, t for 2 degrees of freedom 4.303: 2 ± 4.303/√3.
    found = paired([2, 4, 6], [1, 2, 3])
    assert found.mean == 2
    assert (found.low, found.high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3)
    assert 0.05 < found.p < 0.1  # The interval holds 0, by a little.


def test_pairs_matter():
    a = np.array([0.1, 0.5, 0.9, 0.3])
    assert paired(a + np.array([0.01, 0.011, 0.009, 0.01]), a).low > 0
    assert paired((a + 0.01)[[2, 0, 3, 1]], a).low < 0


@pytest.mark.parametrize(("difference", "p"), [(0.0, 1.0), (0.5, 0.0)])
def test_equal_differences_have_no_width(difference, p):
    found = paired([0.25 + difference, 0.5 + difference], [0.25, 0.5])
    assert found == (difference, difference, difference, p)


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [d.low <= 1 <= d.high for d in (paired(rng.normal(1, 2, 5), np.zeros(5)) for _ in range(2000))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_holm_by_hand():
    # 0.01·4, 0.02·3, 0.03·2 (kept at the 0.06 before it), 0.5·1; in the order given.
    assert holm([0.03, 0.5, 0.01, 0.02]) == pytest.approx([0.06, 0.5, 0.04, 0.06])


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
def test_holm_only_raises_and_keeps_the_order(p):
    found = holm(p)
    assert (found >= p).all() and (found <= 1).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()
    assert found[p.argmin()] == pytest.approx(min(1, len(p) * p.min()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scores.auroc([], [1]), r"intact: got shape \(0,\)"),
        (lambda: scores.auroc([1], [np.nan]), "changed: got"),
        (lambda: scores.area([0, 0], [1, 1]), "x: got .*increase"),
        (lambda: scores.area([0, 1], [1, 1, 1]), "y: got shape"),
        (lambda: scores.calibration_error(np.full((2, 10), 1.5), [0, 1]), "scores: got 1.5"),
        (lambda: scores.calibration_error(np.full((2, 10), 0.5), [1]), "labels: got 1 labels, .* each of 2 images"),
        (lambda: scores.changes(np.ones((9, 1)), np.ones((9, 1)), [0] * 8), "labels: got 8 labels, .* each of 9"),
        (lambda: scores.centred_cosine(np.ones((2, 3)), np.ones((2, 2))), "v_t: got shape"),
        (lambda: paired([1], [1]), "a: got 1 score"),
        (lambda: paired([1, 2], [1, 2, 3]), "b: got shape"),
        (lambda: holm([0.5, 1.5]), "p: got 1.5"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
