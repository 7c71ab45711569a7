"""What the dimensions of a capsule do, on decoders that were made to do something known."""

import numpy as np
import pytest

from capslib import digits, effects, transforms
from capslib.equations import length, mask
from capslib.moments import properties
from capslib.networks import decode, pose_capsnet

D = 16
Y = np.repeat(np.arange(10), 4)


@pytest.fixture(scope="module")
def capsules():
    """Capsules (40, 10, 16), four digits a class."""
    return np.random.default_rng(1).uniform(-0.3, 0.3, (len(Y), 10, D)).astype(np.float32)


@pytest.fixture(scope="module")
def weights():
    """A decoder with small layers, each of whose 160 inputs does something of its own."""
    rng = np.random.default_rng(2)
    shapes = {"decode1": (10 * D, 20), "decode2": (20, 24), "decode3": (24, 784)}
    kernels = {f"{name}.kernel": rng.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()}
    return {**kernels, **{f"{name}.bias": rng.normal(0, 0.4, s[1]).astype(np.float32) for name, s in shapes.items()}}


def line(β, noise=0.0, seed=0):
    """A property (40, 16, 11) that follows slopes β (10, 16) exactly or nearly, from a start of each digit's own."""
    rng = np.random.default_rng(seed)
    start = rng.normal(0, 100, (len(Y), 1, 1))
    return start + β[Y][:, :, None] * effects.STEPS + noise * rng.normal(size=(len(Y), D, len(effects.STEPS)))


# Sweeps -----------------------------------------------------------------------------------------------------------


def test_a_sweep_changes_one_dimension_of_the_label_s_capsule_and_masks_the_others(capsules, weights):
    pictures = effects.sweep(capsules, Y, weights)
    assert pictures.shape == (40, D, 11, 28, 28)
    for n, d, k in [(0, 0, 0), (7, 3, 10), (39, 15, 4), (22, 8, 7)]:
        masked = np.zeros((1, 10, D), np.float32)
        masked[0, Y[n]] = capsules[n, Y[n]]
        masked[0, Y[n], d] += effects.STEPS[k]
        np.testing.assert_allclose(pictures[n, d, k], decode(masked, weights)[0, ..., 0], atol=1e-5)


def test_a_sweep_begins_at_a_quarter_less_and_leaves_the_middle_as_it_is(capsules, weights):
    np.testing.assert_allclose(effects.STEPS, [-0.25, -0.2, -0.15, -0.1, -0.05, 0, 0.05, 0.1, 0.15, 0.2, 0.25])
    middle = effects.sweep(capsules[:8], Y[:8], weights)[:, :, 5]
    np.testing.assert_allclose(middle, np.broadcast_to(middle[:, :1], middle.shape), atol=1e-6)


def test_a_sweep_along_directions_is_one_along_the_dimensions_that_they_mix(capsules, weights):
    basis = effects.random_bases(1, 3)[0]
    along = effects.sweep(capsules[:3], Y[:3], weights, [0.2], basis)
    for m in (0, 9):
        moved = capsules[:3].copy()
        moved[np.arange(3), Y[:3]] += (0.2 * basis[m]).astype(np.float32)
        still = effects.sweep(moved, Y[:3], weights, [0.0])
        np.testing.assert_allclose(along[:, m], still[:, 0], atol=1e-5)


# What a step changes ----------------------------------------------------------------------------------------------


def test_slopes_and_their_fit_are_those_of_lines_that_begin_where_each_digit_is():
    β = np.random.default_rng(4).normal(size=(10, D))
    np.testing.assert_allclose(effects.slopes(line(β), Y), β, atol=1e-9)
    np.testing.assert_allclose(effects.correlations(line(β), Y), np.sign(β), atol=1e-6)
    np.testing.assert_allclose(effects.same_sign(line(β), Y), 1)


def test_digits_that_disagree_have_no_common_slope_and_no_fit():
    p = line(np.ones((10, D)))
    p[::2] *= -1  # Two digits of each class go the other way.
    np.testing.assert_allclose(effects.slopes(p, Y), 0, atol=1e-9)
    np.testing.assert_allclose(effects.r_squared(p, Y), 0, atol=1e-12)
    p[2::4] *= -1  # One of four does.
    np.testing.assert_allclose(effects.slopes(p, Y), 0.5)
    np.testing.assert_allclose(effects.r_squared(p, Y), 0.25)
    np.testing.assert_allclose(effects.same_sign(p, Y), 0.75)


def test_r_squared_is_the_share_of_the_changes_that_a_line_explains():
    p = line(np.ones((10, D)), noise=0.3)
    own = p - p.mean(-1, keepdims=True)
    for digit, d in [(0, 0), (6, 11)]:
        x, z = np.tile(effects.STEPS, 4), own[digit == Y, d].ravel()
        assert effects.r_squared(p, Y)[digit, d] == pytest.approx(np.corrcoef(x, z)[0, 1] ** 2)


def test_a_property_that_never_changes_has_no_fit_and_a_class_without_digits_no_number():
    assert np.all(effects.r_squared(np.ones((4, D, 11)), Y[:4])[0] == 0)
    assert np.isnan(effects.r_squared(np.ones((4, D, 11)), Y[:4])[1:]).all()


def test_shuffled_steps_fit_as_well_as_chance_would_have_it():
    """1/(n (K − 1)) on average, for n = 4 digits and K = 11 steps, though the true fit is perfect."""
    p = line(np.ones((10, D)))
    shuffled = effects.shuffled_r_squared(p, Y, seed=5)
    assert shuffled.shape == (200, 10, D)
    np.testing.assert_allclose(shuffled.mean(), 1 / (4 * 10), rtol=0.03)
    np.testing.assert_array_equal(shuffled, effects.shuffled_r_squared(p, Y, seed=5))
    assert np.ptp(shuffled, axis=0).min() > 0


def test_the_dimension_that_a_decoder_slants_with_is_found():
    """A decoder that shears by its dimension 3 alone, and moves to the right by its dimension 5."""
    upright = np.zeros((28, 28))
    upright[6:22, 12:16] = 1
    pictures = np.zeros((10, D, 11, 28, 28), np.float32)
    for d in range(D):
        for k, δ in enumerate(effects.STEPS):
            shear = 40 * δ * (d == 3) / 10  # pixels to the right for each pixel up
            rows = [np.interp(np.arange(28) - shear * (13.5 - y), np.arange(28), row) for y, row in enumerate(upright)]
            pictures[:, d, k] = transforms.shift(np.clip(rows, 0, 1)[None], 8 * δ * (d == 5))[0, ..., 0]
    found, y = properties(pictures), np.arange(10)
    slant, right = effects.slopes(found["slant"], y), effects.slopes(found["right"], y)
    np.testing.assert_array_equal(np.abs(slant).argmax(1), 3)
    np.testing.assert_allclose(slant[:, 3], 4, rtol=0.01)
    np.testing.assert_array_equal(np.abs(right).argmax(1), 5)
    np.testing.assert_allclose(right[:, 5], 8, rtol=0.01)


# Directions -------------------------------------------------------------------------------------------------------


def test_random_bases_are_orthonormal_and_prefer_no_direction():
    bases = effects.random_bases(2000, 6, D=3)
    np.testing.assert_allclose(bases @ bases.transpose(0, 2, 1), np.broadcast_to(np.eye(3), bases.shape), atol=1e-12)
    np.testing.assert_allclose(bases.mean(0), 0, atol=0.06)
    np.testing.assert_allclose((bases**2).mean(0), 1 / 3, atol=0.03)


def test_a_rotated_network_answers_and_draws_the_same_with_other_capsules(weights):
    rng = np.random.default_rng(11)
    shapes = {"conv1.kernel": (9, 9, 1, 4), "u.conv.kernel": (9, 9, 4, 16), "v.W": (72, 8, 10, D)}
    network = {name: rng.normal(0, 0.15, shape).astype(np.float32) for name, shape in shapes.items()}
    network |= {"conv1.bias": np.zeros(4, np.float32), "u.conv.bias": np.zeros(16, np.float32), **weights}
    bases = effects.random_bases(10, 12)
    other = effects.rotated(network, bases)
    x = digits.load("bundled").x_test[:5]
    v, v_other = (pose_capsnet(x, arrays).v[-1] for arrays in (network, other))
    np.testing.assert_allclose(v_other, np.einsum("njd,jed->nje", v, bases), atol=1e-5)
    np.testing.assert_allclose(length(v_other), length(v), atol=1e-5)
    assert np.abs(v_other - v).max() > 0.1
    np.testing.assert_allclose(decode(mask(v_other), other), decode(mask(v), network), atol=1e-5)


def test_spread_is_the_standard_deviation_of_the_label_s_capsule_along_a_direction(capsules):
    basis = effects.random_bases(1, 7)[0]
    own = capsules[Y == 6, 6]
    np.testing.assert_allclose(effects.spread(capsules, Y)[6], own.std(0), rtol=1e-5)
    np.testing.assert_allclose(effects.spread(capsules, Y, basis)[6], (own @ basis.T).std(0), rtol=1e-5)


def test_alignment_is_1_where_a_direction_does_all_of_it_and_least_where_all_share_it():
    bases = np.stack([np.eye(D), effects.random_bases(1, 8)[0]])
    β = np.stack([5 * np.eye(D)[2], np.ones(D), -3 * bases[1, 4]])
    found = effects.alignment(β, bases)
    np.testing.assert_allclose(found[0, :2], [1, 1 / 4])
    np.testing.assert_allclose(found[1, 2], 1)
    assert found[1, 0] < 1


# Real digits ------------------------------------------------------------------------------------------------------


def test_read_out_is_measured_on_digits_that_it_was_not_fitted_on():
    rng = np.random.default_rng(9)
    x, new = rng.normal(size=(2, 300, 5))
    a = np.array([1.0, -2, 0, 3, 0])
    assert effects.read_out(x, x @ a + 7, new, new @ a + 7) == pytest.approx(1)
    noisy = effects.read_out(x, x @ a + rng.normal(0, a @ a, 300), new, new @ a + rng.normal(0, a @ a, 300))
    assert noisy < 0.2  # of a variance of 14, where the noise has 196
    assert effects.read_out(x[:10], rng.normal(size=10), new, rng.normal(size=300)) < 0


def test_own_capsule_is_the_label_s_and_no_other(capsules):
    np.testing.assert_array_equal(effects.own_capsule(capsules, Y)[13], capsules[13, 3])


def test_spectrum_of_directions_does_not_see_lengths():
    rng = np.random.default_rng(10)
    v = rng.normal(size=(50, D)) * np.r_[3, 2, np.ones(D - 2)] + 4
    found, longer = effects.spectrum(v), effects.spectrum(v * rng.uniform(0.1, 2, (50, 1)))
    np.testing.assert_allclose(longer.shares, found.shares, rtol=1e-4)
    assert longer.cosine == pytest.approx(found.cosine) and found.shares.sum() == pytest.approx(1)
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    assert found.cosine == pytest.approx((unit @ unit.T)[~np.eye(50, dtype=bool)].mean())
    λ = np.linalg.eigvalsh(np.cov(unit.T))[::-1]  # about their mean
    np.testing.assert_allclose(found.shares, λ / λ.sum(), atol=1e-6)


def test_the_participation_ratio_counts_dimensions():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    circle = np.c_[np.cos(angle), np.sin(angle), np.zeros((60, 2))]
    assert effects.spectrum(circle).dimensions == pytest.approx(2)
    np.testing.assert_allclose(effects.spectrum(circle).shares, [0.5, 0.5, 0, 0], atol=1e-12)


# Bad arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda v, w: effects.sweep(v[:, :9], Y, w), r"v: got shape \(40, 9, 16\), expected \(N, 10, D\)"),
        (lambda v, w: effects.sweep(v, Y[:3], w), "y: got 3 labels, expected one for each of 40 digits"),
        (lambda v, w: effects.sweep(v, Y, w, directions=np.eye(3)), r"directions: .*expected \(M, 16\)"),
        (lambda v, w: effects.slopes(np.ones((40, D, 10)), Y), r"p: got shape \(40, 16, 10\), expected \(N, M, 11\)"),
        (lambda v, w: effects.slopes(np.full((40, D, 11), np.nan), Y), "p: got NaN"),
        (lambda v, w: effects.slopes(np.ones((40, D, 2)), Y, [1, 1]), "steps: got 2 equal steps"),
        (lambda v, w: effects.alignment(np.ones(4), np.ones((1, 3, 3))), r"bases: .*expected \(B, 4, 4\)"),
        (lambda v, w: effects.rotated(w | {"v.W": np.ones((1, 8, 10, D))}, np.ones((10, D, D))), "not orthonormal"),
        (lambda v, w: effects.read_out(v[:, 0], Y[:3], v[:, 0], Y), r"p: got shape \(3,\), expected \(40,\)"),
        (
            lambda v, w: effects.read_out(v[:, 0], Y, v[:, 0], np.full(40, 0.5)),
            "p_new: got 0.5 for every digit, expected",
        ),
        (lambda v, w: effects.rotated({}, np.ones((10, D, D))), "weights: got no v.W, expected the arrays of a pose"),
        (lambda v, w: effects.rotated({"v.W": np.ones(D)}, np.ones((10, D, D))), "weights: got no decode1.kernel"),
        (lambda v, w: effects.spectrum(np.outer([1, 2, 0.3], v[0, 0])), "v: got 3 capsules in one direction, expected"),
        (lambda v, w: effects.spectrum(np.zeros((3, D))), "v: got 3 capsules, the shortest of length 0"),
    ],
)
def test_what_does_not_fit_is_refused(capsules, weights, call, words):
    with pytest.raises(ValueError, match=words):
        call(capsules, weights)
