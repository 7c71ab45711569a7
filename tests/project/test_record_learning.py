"""The moments of a training run are those of its steps, whether or not it was interrupted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from capslib import digits, equations, networks, records, weights
from capslib.records import sha256
from tests.library.test_runs import Interrupt, small
from tests.library.test_training import SHORT, quiet, same
from tools import record_learning

PER_EPOCH = 4


@pytest.fixture(scope="module")
def few():
    d = digits.load("bundled")
    return d._replace(x_train=d.x_train[:80], y_train=d.y_train[:80], x_val=d.x_val[:40], y_val=d.y_val[:40])


def recorded(few, folder, epochs=2, log=quiet):
    recipe = replace(SHORT, epochs=epochs, batch_size=-(-len(few.x_train) // PER_EPOCH))
    steps, out = (0, 1, 3, PER_EPOCH, epochs * PER_EPOCH), folder / "learning.npz"
    model = small()
    record_learning.record(model, few, recipe, 3, folder / "run", out, steps, {"colour": "blue"}, log)
    card = out.with_suffix(".json")
    return (weights.arrays("learning", folder), json.loads(card.read_text()), model) if card.exists() else None


def test_every_moment_is_kept_in_half_precision_with_a_card(few, tmp_path):
    arrays, card, _ = recorded(few, tmp_path)
    model = small()
    first = weights.parameters(model)
    assert arrays.keys() == first.keys()
    for name, array in arrays.items():
        assert array.shape == (5, *first[name].shape)
        np.testing.assert_array_equal(array[0], first[name].astype(np.float16))  # As it was drawn.
        np.testing.assert_array_equal(array, array.astype(np.float16))
    changes = [max(np.abs(array[n] - array[n - 1]).max() for array in arrays.values()) for n in range(1, 5)]
    assert changes[0] == 0 and min(changes[1:]) > 0  # The rate of the first step is 0, where the warm-up begins.
    assert card["steps"] == [0, 1, 3, 4, 8] and len(card["history"]) == 2 and card["colour"] == "blue"
    assert card["sha256"] == sha256(tmp_path / "learning.npz") and card["model"] == "small"


def test_an_interrupted_run_goes_on_and_ends_with_the_same_moments(few, tmp_path):
    whole, _, model = recorded(few, tmp_path / "whole")
    part = tmp_path / "part"
    assert recorded(few, part, log=Interrupt(after=1)) is None and not (part / "learning.npz").exists()
    again, _, resumed = recorded(few, part)
    assert same(resumed, model)
    for name, array in whole.items():
        np.testing.assert_array_equal(again[name], array)


def test_the_stored_record_is_whole_and_belongs_to_its_card():
    card, file = records.stored("learning"), records.stored_file("learning", ".npz")
    assert card["sha256"] == sha256(file) and file.stat().st_size < 1_000_000
    assert tuple(card["steps"]) == record_learning.STEPS and len(card["history"]) == 40
    shipped, record = weights.arrays("article_capsnet"), weights.read_arrays(file)
    assert {name: one.shape for name, one in record.items()} == {
        name: (len(record_learning.STEPS), *one.shape) for name, one in shipped.items()
    }
    x, y = digits.load("bundled")[4:]
    right = []
    for m in (0, -1):
        u = networks.trunk(x, {name: one[m].astype(np.float32) for name, one in record.items()}).reshape(len(x), 49, -1)
        trace = equations.route(equations.predict(u, record["v.W"][m].astype(np.float32)), 5)
        right.append((trace.lengths[-1].argmax(-1) == y).mean())
    # 500 of the digits by which the card's validation accuracy was read are here.
    assert right[0] < 0.2 and abs(right[1] - card["history"][-1]["val_accuracy"]) < 0.01
