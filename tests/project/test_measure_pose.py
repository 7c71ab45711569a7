"""The controls of the pose measurement in NumPy are those that were trained in Keras, and the baseline is PCA."""

import json

import numpy as np
import pytest

from capslib import digits, effects, models, networks, weights
from capslib.equations import mask
from tools import measure_pose, pose_controls


@pytest.fixture(scope="module")
def some():
    """A few digits of every class and their labels."""
    d = digits.load("bundled")
    return d.x_val[:60], d.y_val[:60]


def test_a_control_reads_and_draws_in_numpy_as_in_keras(some):
    x, y = some
    pose_controls.keras.utils.set_random_seed(1)
    encode, decode = pose_controls.encoder(), pose_controls.decoder()
    arrays = {**weights.parameters(encode), **weights.parameters(decode)}
    v = measure_pose.code(arrays)(x)
    expected = encode.predict(x, verbose=0)
    np.testing.assert_allclose(v, np.repeat(expected[:, None], 10, axis=1), atol=1e-4)
    drawn = networks.decode(mask(v, digits.one_hot(y)), measure_pose.decoder_of_code(arrays))
    np.testing.assert_allclose(drawn, decode.predict(expected, verbose=0), atol=1e-4)


def test_principal_axes_leave_the_error_that_svd_leaves_in_each_class(some):
    d = digits.load("bundled")
    x, y = some
    parts = measure_pose.principal(d.x_train, d.y_train)
    z, drawn = measure_pose.coordinates(x, y, parts)
    three = d.x_train[d.y_train == 3].reshape(-1, 784)
    mean, axes = three.mean(0), np.linalg.svd(three - three.mean(0), full_matrices=False)[2][:16]
    own = x[y == 3].reshape(-1, 784)
    np.testing.assert_allclose(drawn[y == 3].reshape(-1, 784), mean + (own - mean) @ axes.T @ axes, atol=1e-4)
    np.testing.assert_allclose(
        np.linalg.norm(z[y == 3], axis=1), np.linalg.norm((own - mean) @ axes.T, axis=1), rtol=1e-4
    )


def test_moved_digits_are_moved_by_two_pixels_at_most_each_by_its_own(some):
    x, _ = some
    there = measure_pose.properties(measure_pose.moved(x, 0))
    by = {name: there[name] - measure_pose.properties(x)[name] for name in ("right", "down")}
    for moves in by.values():
        whole = np.round(moves)
        assert set(whole) == {-2, -1, 0, 1, 2} and np.mean(abs(moves - whole) < 1e-3) > 0.9  # little ink is cut
    assert abs(np.corrcoef(by["right"], by["down"])[0, 1]) < 0.4


def test_a_network_without_a_decoder_is_read_as_the_others_are_and_counted_as_keras_counts():
    d = digits.load("bundled")
    pose_controls.keras.utils.set_random_seed(2)
    model = models.pose_capsnet(decoder=False)
    arrays, these = weights.parameters(model), measure_pose.Digits(d)
    told = measure_pose.of_network_without_decoder(arrays, these)
    assert told["test_accuracy"] == np.mean(model.predict(d.x_test, verbose=0).argmax(-1) == d.y_test)
    capsule = pose_controls.keras.Model(model.input, model.get_layer("v").output)
    for key, (x_val, x_test) in (("read_out", (d.x_val, d.x_test)), ("read_out_moved", these.moved)):
        fit, new = (
            (x[y == 4], capsule.predict(x[y == 4], verbose=0)[:, 4]) for x, y in ((x_val, d.y_val), (x_test, d.y_test))
        )
        p, p_new = (measure_pose.properties(x)["slant"] for x, _ in (fit, new))
        expected = effects.read_out(fit[1].astype(float), p, new[1].astype(float), p_new)
        assert told[key]["slant"]["all"][4] == pytest.approx(expected, abs=1e-3)
    assert told["read_out"]["slant"]["all"] != told["read_out_moved"]["slant"]["all"]


def test_what_is_kept_covers_three_seeds_of_every_network():
    kept = json.loads(measure_pose.RESULT.read_text(encoding="utf-8"))
    for name in ("pose_capsnet", measure_pose.WITHOUT, *measure_pose.CONTROLS):
        assert list(kept[name]) == ["0", "1", "2"], name
        for run in kept[name].values():
            assert all(np.shape(run["read_out"][p]["all"]) == (10,) for p in measure_pose.PROPERTIES)
