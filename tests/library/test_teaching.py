"""A teacher changes what is learned, and only if there is one."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from capslib import digits, models, runs, training
from capslib.losses import distillation_loss, margin_loss
from capslib.teaching import Teacher
from tests.library.test_runs import Interrupt
from tests.library.test_training import SHORT, fresh, quiet, same

RECIPE = replace(SHORT, epochs=2, batch_size=100, average=0.9, turn=5)


@pytest.fixture(scope="module")
def cnns():
    """Two networks of different opinions, none of them sure."""
    keras.utils.set_random_seed(5)
    return tuple(models.matched_cnn(head) for head in ("flatten", "global"))


@pytest.fixture
def teacher(cnns):
    return Teacher(cnns, weight=0.3, temperature=2)


def by_hand(data, taught_by=None, weight=0.0, T=1.0):
    """The article's network trained in a loop of its own, without what `train` keeps of the best epoch."""
    model = fresh()
    optimizer = keras.optimizers.Adam(training.learning_rate(RECIPE, len(data.x_train)))

    def loss(y, lengths):
        if taught_by is None:
            return margin_loss(y, lengths)
        return margin_loss(y[:, 0], lengths) + weight * distillation_loss(y[:, 1], lengths, T)

    model.compile(optimizer, loss=loss)
    for epoch in range(RECIPE.epochs):
        order = training.epoch_order(len(data.x_train), 3, epoch)
        x = training.augment(data.x_train[order], RECIPE, np.random.default_rng([3, epoch, 1]))
        y = digits.one_hot(data.y_train[order])
        if taught_by is not None:
            y = np.stack([y, sum(cnn.predict(x, batch_size=500, verbose=0) for cnn in taught_by) / 2], 1)
        model.fit(x, y, RECIPE.batch_size, shuffle=False, verbose=0)
    return model


def trained(data, teacher=None):
    """The weights that `train` ends its last epoch with, before any average."""

    class Last(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.weights = self.model.get_weights()

    model, last = fresh(), Last()
    training.train(model, data, RECIPE, 3, [last], quiet, teacher=teacher)
    model.set_weights(last.weights)
    return model


def apart(model, other):
    """The mean difference of two models' weights."""
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return np.concatenate([np.abs(a - b).ravel() for a, b in pairs]).mean()


def test_without_a_teacher_a_network_is_trained_as_ever(few):
    assert same(trained(few), by_hand(few))


def test_a_teacher_is_asked_about_the_moved_images_and_weighed_and_softened_as_told(few, cnns, teacher):
    expected = by_hand(few, cnns, weight=0.3, T=2)
    # Adam makes the most of differences in rounding where a gradient is nearly 0.
    assert apart(trained(few, teacher), expected) < 1e-5
    for changed in ({"weight": 0.6}, {"temperature": 1}):
        assert apart(trained(few, replace(teacher, **changed)), expected) > 1e-4


def test_the_teachers_answer_is_the_mean_of_their_probabilities(few, cnns, teacher):
    x = few.x_val[:20]
    labels, said = np.moveaxis(teacher.targets(x, digits.one_hot(few.y_val[:20])), 1, 0)
    np.testing.assert_array_equal(labels.argmax(-1), few.y_val[:20])
    np.testing.assert_allclose(said, sum(cnn.predict(x, verbose=0) for cnn in cnns) / 2, atol=1e-6)
    np.testing.assert_array_equal(Teacher((), 1).targets(x, labels)[:, 1], labels)


def test_accuracy_is_by_the_labels_whatever_the_teachers_say(few, teacher):
    model = fresh()
    history = training.train(model, few, RECIPE, 3, log=quiet, teacher=teacher)
    right = (model.predict(few.x_val, verbose=0).argmax(-1) == few.y_val).mean()
    assert max(row["val_accuracy"] for row in history) == pytest.approx(right)


def test_a_taught_run_goes_on_with_its_own_teacher_alone(few, cnns, teacher, tmp_path):
    whole, resumed = fresh(), fresh()
    runs.train_in(tmp_path / "whole", whole, few, RECIPE, 3, log=quiet, teacher=teacher)
    part = tmp_path / "part"
    runs.train_in(part, fresh(), few, RECIPE, 3, log=Interrupt(after=1), teacher=teacher)
    others = (None, replace(teacher, weight=0.1), replace(teacher, temperature=1), Teacher(cnns[:1], 0.3, 2))
    for other in others:
        with pytest.raises(ValueError, match="expected teacher .* .not "):
            runs.train_in(part, fresh(), few, RECIPE, 3, resume=True, log=quiet, teacher=other)
    assert len(runs.train_in(part, resumed, few, RECIPE, 3, resume=True, log=quiet, teacher=teacher)) == 2
    assert same(resumed, whole)


@pytest.mark.parametrize("build", [models.matched_cnn, models.pose_capsnet, models.two_digit_cnn])
def test_a_teacher_of_a_network_without_lengths_alone_is_refused(build, few, teacher):
    with pytest.raises(ValueError, match="teacher: got one for .*, expected None unless 10 lengths or scores come out"):
        training.train(build(), few, RECIPE, teacher=teacher)


@pytest.mark.parametrize("name", ["weight", "temperature"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), None])
def test_numbers_of_a_teacher_out_of_range_are_named(name, value, teacher):
    with pytest.raises(ValueError, match=f"^{name}: got {value!r}, expected a positive number"):
        replace(teacher, **{name: value})
