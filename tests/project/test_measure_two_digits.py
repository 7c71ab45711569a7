"""What is measured when one asks for a digit that is not there, on drawings whose answer is known."""

import json

import keras
import numpy as np
import pytest

from capslib import digits, models, pairs, records, runs, training, weights
from capslib.equations import length
from tools import measure_two_digits


@pytest.fixture(scope="module")
def made():
    d = digits.load("bundled")
    x = (d.x_test[:200] > 0.5).astype(np.float32)  # Black or white, so that shares of ink are whole.
    return pairs.make(x, d.y_test[:200], 0)


def test_a_stretched_capsule_keeps_its_direction_and_the_others_stay():
    v = np.random.default_rng(0).normal(size=(4, 10, 3))
    asked = np.array([0, 9, 4, 4])
    found = measure_two_digits.stretched(v, asked, 0.8)
    own, rows = found[range(4), asked], np.arange(4)
    np.testing.assert_allclose(length(own), 0.8)
    np.testing.assert_allclose(own / 0.8, v[rows, asked] / length(v[rows, asked])[:, None])
    found[rows, asked] = v[rows, asked]
    np.testing.assert_array_equal(found, v)


class Decoder:
    """Draws nothing and remembers what it was given."""

    def __init__(self):
        self.given = []

    def predict(self, masked, **options):
        self.given.append(np.asarray(masked))
        return np.zeros((len(masked), 36, 36, 1), np.float32) + 0.5


def test_each_drawing_is_decoded_from_the_capsule_that_its_name_says(made, monkeypatch):
    decoder, model = Decoder(), models.two_digit_capsnet(weights="shipped")
    monkeypatch.setattr(models, "decoder_of", lambda model: decoder)
    told = measure_two_digits.of_decoder(model, made)
    kinds = ["present", "absent", "absent_stretched", "opposite_stretched", "random_stretched", "nothing"]
    assert list(told["drawn"]) == kinds
    v = keras.Model(model.input, model.get_layer("v").output).predict(made.images, verbose=0)
    third, rows = pairs.absent(made.labels, 0), np.arange(200)
    capsules = dict(zip(["present", "second", *kinds[1:]], decoder.given, strict=True))
    own = {name: masked[rows, third] for name, masked in capsules.items() if name not in ("present", "second")}
    for masked in capsules.values():
        assert ((masked != 0).any(-1).sum(1) <= 1).all()
    np.testing.assert_allclose(own["absent"], v[rows, third], atol=1e-5)
    to = length(v)[made.labels > 0].mean()
    for name in kinds[2:5]:
        np.testing.assert_allclose(length(own[name]), to, rtol=1e-4)
    cosine = {name: (own[name] * own["absent"]).sum(1) / length(own["absent"]) / to for name in kinds[2:5]}
    np.testing.assert_allclose(cosine["absent_stretched"], 1, atol=1e-3)
    np.testing.assert_allclose(cosine["opposite_stretched"], -1, atol=1e-3)
    assert abs(cosine["random_stretched"].mean()) < 0.1 and 0.2 < cosine["random_stretched"].std() < 0.3  # 1/√16
    assert not own["nothing"].any()


def test_drawings_are_centred_on_their_ink_as_far_as_the_canvas_reaches():
    drawn = np.zeros((3, 36, 36, 1), np.float32)
    drawn[0, 16:19, 20:23] = 0.25
    drawn[1, 4, 4], drawn[2, 33, 9] = 0.5, 0.1
    found = measure_two_digits.centred(drawn)
    assert found.shape == (3, 28, 28, 1) and (found.max((1, 2, 3)) == 1).all()
    assert found[0].sum() == 9 and found[0, 13:16, 13:16].all()
    assert found[1, 4, 4] == 1 and found[2, 25, 9] == 1


def test_a_digit_itself_lies_on_its_picture_misses_nothing_and_looks_like_itself(made):
    shuffled, reader = np.roll(np.arange(200), 1), models.matched_cnn("flatten", weights="shipped")
    told = measure_two_digits.of_drawings(made.alone[:, 1], made.digits[:, 1], made, shuffled, reader)
    assert told["looks_like_the_digit_asked_for"] > 0.95 and told["looks_like_one_in_the_picture"] > 0.95
    third = pairs.absent(made.labels, 0)
    other = measure_two_digits.of_drawings(made.alone[:, 1], third, made, shuffled, reader)
    assert other["looks_like_the_digit_asked_for"] < 0.05 and other["looks_like_one_in_the_picture"] > 0.95
    assert told["on_the_picture"] == pytest.approx(1) and told["error_of_the_nearest"] == 0
    assert told["ink"] == pytest.approx(made.alone[:, 1].sum() / 200)
    assert 0.1 < told["on_another_picture"] < 0.6
    grey = np.full((200, 36, 36, 1), 0.5, np.float32)
    even = measure_two_digits.of_drawings(grey, made.digits[:, 1], made, shuffled, reader)
    assert even["ink"] == pytest.approx(0.5 * 36**2)
    assert even["on_the_picture"] == pytest.approx(made.images.mean(), rel=1e-5)
    by_hand = np.square(made.alone - 0.5).sum((2, 3, 4)).min(1).mean()
    assert even["error_of_the_nearest"] == pytest.approx(by_hand, rel=1e-5)


def test_lengths_are_told_apart_by_whether_the_digit_is_there():
    lengths = np.full((2, 10), 0.1)
    lengths[0, [3, 5, 8]] = 0.9, 0.7, 0.6
    lengths[1, [0, 1, 2]] = 0.8, 0.4, 0.3
    both = np.array([[5, 3], [0, 1]])
    made = pairs.Pairs(None, np.eye(10)[both].sum(1), None, both)
    told = measure_two_digits.of_lengths(lengths, made, np.array([8, 9]))
    assert told["present"] == pytest.approx(0.7) and told["shorter_present"] == pytest.approx(0.55)
    assert told["longest_absent"] == pytest.approx(0.45) and told["asked_for"] == pytest.approx(0.35)
    assert told["absent"] == pytest.approx((0.6 + 0.3 + 14 * 0.1) / 16)
    assert (told["present_above_half"], told["absent_above_half"]) == (0.75, 1 / 16)


def test_every_seed_that_is_there_is_read_again_and_kept(tmp_path, monkeypatch):
    d = digits.load("bundled")
    monkeypatch.setattr(digits, "load", lambda source: d._replace(x_test=d.x_test[:50], y_test=d.y_test[:50]))
    for name in measure_two_digits.NETWORKS:
        keras.utils.set_random_seed(0)
        model, folder = runs.MODELS[name](), tmp_path / f"{name}-pairs-4"
        weights.save(model, folder / f"{name}.npz", {"epoch": 1, "validation_accuracy": 0.5, "recipe": {}})
        (folder / "result.json").write_text("{}")
    out = tmp_path / "two_digits.json"
    arguments = ["x", "--seeds", "4", "5", "--runs", str(tmp_path), "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments)
    measure_two_digits.main()
    found = json.loads(out.read_text())
    assert found["seeds"] == [4, 5] and list(found["two_digit_capsnet"]) == list(found["two_digit_cnn"]) == ["4"]
    capsnet, cnn = found["two_digit_capsnet"]["4"], found["two_digit_cnn"]["4"]
    assert capsnet["pairs"] == cnn["pairs"] == 50
    model = models.two_digit_capsnet()
    weights.load_into(model, tmp_path / "two_digit_capsnet-pairs-4" / "two_digit_capsnet.npz")
    expected = training.evaluate_pairs(model, digits.load("full"))
    assert capsnet["accuracy"] == expected["accuracy"] and capsnet["interval"][0] <= capsnet["accuracy"]
    assert capsnet["error"].keys() == {"own", "other"} and "drawn" not in cnn
    assert found["shipped"]["seed"] == weights.card("two_digit_capsnet")["seed"]
    assert found["shipped"]["drawn"].keys() == capsnet["drawn"].keys()


def test_the_shipped_weights_are_measured_alone_and_the_rest_is_kept(tmp_path, monkeypatch):
    d = digits.load("bundled")
    monkeypatch.setattr(digits, "load", lambda source: d._replace(x_test=d.x_test[:50], y_test=d.y_test[:50]))
    out = tmp_path / "two_digits.json"
    before = {"seeds": [0], "two_digit_capsnet": {"0": {"accuracy": 0.75}}, "shipped": "an older one"}
    out.write_text(json.dumps(before))
    monkeypatch.setattr("sys.argv", ["x", "--shipped", "--out", str(out)])
    measure_two_digits.main()
    found = json.loads(out.read_text())
    assert {key: found[key] for key in ("seeds", "two_digit_capsnet")} == {
        key: before[key] for key in ("seeds", "two_digit_capsnet")
    }
    assert found["shipped"]["sha256"] == weights.card("two_digit_capsnet")["sha256"]
    assert 0 < found["shipped"]["drawn"]["present"]["ink"] < 36**2


def test_the_stored_drawings_are_those_of_the_network_that_is_shipped():
    stored = records.stored("two_digits")
    shipped, run = stored["shipped"], stored["two_digit_capsnet"][str(stored["shipped"]["seed"])]
    assert shipped["sha256"] == weights.card("two_digit_capsnet")["sha256"]
    for name, drawn in run["drawn"].items():  # Measured before its weights were rounded to half precision.
        assert shipped["drawn"][name]["ink"] == pytest.approx(drawn["ink"], rel=0.01)
