"""The bug lab: each patient shows its symptom and nothing else, and what is on offer refutes every other suspect."""

import dataclasses

import numpy as np
import pytest

from capslib import bugs, equations
from capslib.bugs import CASES, FAULTS, HEALTHY, LOOKS, QUIET, apart, examine, network, reading
from capslib.bugs.tape import Tensor, gradients

SEEDS = range(3)
RNG = np.random.default_rng(12)


# The tape ---------------------------------------------------------------------------------------------------------

X = RNG.uniform(0.2, 2, (3, 4))
FUNCTIONS = {
    "arithmetic": lambda x: np.sum((x * 2 - 1 / x) / (x + 3) ** 2 - x[1] * x[[0, 0, 2]]),
    "elementwise": lambda x: np.sum(np.exp(-x) + np.log(x) + np.sqrt(x) + np.square(x) + np.abs(x - 1) + (+x)),
    "powers": lambda x: np.sum(x**3 + 2.0**x + x**x),
    "kinks": lambda x: np.sum(np.maximum(x, 1) * np.minimum(x, 1.5) + np.clip(x, 0.5, 1)),
    "sums": lambda x: np.sum(np.mean(x, axis=0) * x.sum(0) + x.mean() * np.max(x, axis=0) + x.max()),
    "kept axes": lambda x: np.sum(x / np.sum(x, axis=-1, keepdims=True) + np.max(x, axis=1, keepdims=True)),
    "einsum": lambda x: np.sum(np.einsum("ij,kj->ik", x, x**2)),
    "products": lambda x: np.sum((x @ x.T) ** 2),
    "shapes": lambda x: np.sum(
        np.reshape(x, (2, 6)).swapaxes(0, 1)[:3] * np.transpose(x)[1:, :2].reshape(3, 2)
        + np.moveaxis(x, 0, 1)[:3, :2] * np.expand_dims(x[0], 0).reshape(2, 2)[:1]
    ),
    "choice": lambda x: np.sum(np.where(x > 1, x**2, 3 * x) + np.linalg.norm(x, axis=-1, keepdims=True)),
    "stack": lambda x: np.sum(np.stack([x, x * x], axis=1) ** 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_those_of_small_differences(name):
    f, x = FUNCTIONS[name], Tensor(X)
    result = f(x)
    (found,) = gradients(result, x)
    assert result.value == pytest.approx(f(X))
    for at in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[at] = 1e-6
        assert found[at] == pytest.approx((f(X + step) - f(X - step)) / 2e-6, rel=1e-5, abs=1e-6), at


def test_the_slope_of_a_root_at_zero_times_zero_is_no_number_as_in_any_framework():
    v = Tensor(np.zeros(2))
    assert np.isnan(gradients(np.sqrt(np.sum(v * v)), v)[0]).all()
    assert np.isfinite(gradients(np.sqrt(np.sum(v * v) + 1e-7), v)[0]).all()


def test_what_a_result_does_not_depend_on_has_a_gradient_of_zero():
    x, y = Tensor(X), Tensor(X)
    assert not gradients(np.sum(x), y)[0].any()


@pytest.mark.parametrize("f", [np.sin, lambda x: np.cumsum(x, 0), lambda x: np.add.reduce(x)])
def test_what_the_tape_does_not_know_is_named(f):
    with pytest.raises(TypeError, match=r"np\.\w+: the tape"):
        f(Tensor(X))


# The healthy steps are the course's -------------------------------------------------------------------------------


def test_the_healthy_steps_are_the_courses_equations():
    s, b, lengths = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 3)), RNG.uniform(size=(4, 5))
    y = np.eye(5)[[0, 1, 4, 4]]
    np.testing.assert_allclose(HEALTHY.squash(s), equations.squash(s))
    np.testing.assert_allclose(HEALTHY.couple(b), equations.softmax(b))
    np.testing.assert_allclose(HEALTHY.loss(y, HEALTHY.scores(lengths)), equations.margin_loss(y, lengths))
    np.testing.assert_allclose(HEALTHY.length(s), equations.length(s), atol=1e-6)


@pytest.mark.parametrize("iterations", [1, 3, 5])
def test_a_healthy_network_routes_as_the_course_does(iterations):
    u_hat = RNG.normal(size=(2, 6, 3, 4))
    v, trace, after = network.Network(HEALTHY, {}).route("W1", u_hat, iterations)
    expected = equations.route(u_hat, iterations)
    np.testing.assert_allclose(v, expected.v[-1])
    np.testing.assert_allclose([c for _, c in trace], expected.c)
    np.testing.assert_allclose(after, expected.lengths)


def test_a_network_computes_its_votes_as_the_course_does():
    data, net = network.small_data(0), network.Network.make(seed=0)
    out = net.forward(data.x[:7])
    np.testing.assert_allclose(out["votes"][0], equations.predict(out["u"], net.weights["W1"]))


def test_patches_are_cut_row_by_row_and_can_be_put_together_again():
    images = RNG.uniform(size=(2, 28, 28))
    cut = network.patches(images)
    np.testing.assert_array_equal(cut[1, 6].reshape(7, 7), images[1, 7:14, 14:21])
    np.testing.assert_array_equal(network.whole(cut), images.reshape(2, 784))


# One fault each -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_one_thing(fault):
    changed = [
        f.name for f in dataclasses.fields(HEALTHY) if getattr(FAULTS[fault], f.name) != getattr(HEALTHY, f.name)
    ]
    assert len(changed) == 1


def test_there_are_twelve_cases_of_three_grades_and_every_fault_is_a_suspect_of_some_case():
    assert [case.grade for case in CASES.values()] == [1] * 4 + [2] * 4 + [3] * 4
    assert len({case.fault for case in CASES.values()}) == 12
    suspects = {fault for case in CASES.values() for fault in case.suspects}
    assert suspects | {case.fault for case in CASES.values()} <= set(FAULTS) == set(bugs.SUSPECTS)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_case_offers_what_there_is_once_and_its_fault_among_the_suspects(case):
    assert case.fault in case.suspects and len(set(case.suspects)) == len(case.suspects) >= 4
    assert len({case.shown, *case.looks}) == 1 + len(case.looks) >= 5 and len(set(case.tests)) == len(case.tests) >= 3
    assert {case.shown, *case.looks, *case.tests} <= set(LOOKS) and set(case.signs) <= {case.shown, *case.looks}
    assert case.kind in bugs.KINDS


def test_the_right_suspect_is_not_always_in_one_place():
    places = [case.suspects.index(case.fault) for case in CASES.values()]
    assert max(map(places.count, places)) <= 5 and len(set(places)) >= 4


def read(case, fault, look, seed):
    return reading(look, examine(case.kind, fault, seed)[look])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_signs_differ_from_a_healthy_networks_by_half_and_no_other_quantity_does(case, seed):
    differ = [
        look
        for look in [case.shown, *case.looks]
        if apart(look, read(case, None, look, seed), read(case, case.fault, look, seed)) >= QUIET
    ]
    assert sorted(differ) == sorted(case.signs)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_wrong_suspect_is_refuted_by_something_on_offer_and_one_test_refutes_all(case):
    offered = {look: set(bugs.refuted(case.key, look)) for look in [case.shown, *case.looks, *case.tests]}
    wrong = set(case.suspects) - {case.fault}
    assert set().union(*offered.values()) == wrong
    telling = [test for test in case.tests if offered[test] == wrong]
    assert telling and len(telling) < len(case.tests), "some tests tell, and some do not"
    for test in telling:  # The patient is not taken for a healthy one, either.
        assert apart(test, read(case, None, test, 0), read(case, case.fault, test, 0)) >= QUIET


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_key_is_a_word_of_the_complaint_and_so_gives_nothing_away(case):
    """The key stands in the lesson's code, above the case."""
    assert case.key in f"{case.name} {case.complaint}".lower()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_case_shows_is_what_the_examination_found(case):
    healthy, patient = bugs.evidence(case.key)
    predicted = bugs.predictions(case.key)
    for test in case.tests:
        assert reading(test, patient[test]) == pytest.approx(predicted[case.fault][test], nan_ok=True)
    assert set(healthy) == set(patient) == {case.shown, *case.looks, *case.tests}


# Facts of the stories -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["softmax over the lower capsules", "coupled only once"])
@pytest.mark.parametrize("seed", SEEDS)
def test_two_faults_train_at_least_as_well_as_a_healthy_network(fault, seed):
    assert examine("plain", fault, seed)["accuracy"][-1] >= examine("plain", None, seed)["accuracy"][-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_all_tests_of_the_model_pass_without_routing_and_the_agreement_case_does_not(seed):
    assert examine("plain", "coupled only once", seed)["suite"].tolist() == [1] * 6
    healthy, patient = (examine("plain", fault, seed)["case"] for fault in (None, "coupled only once"))
    assert healthy[0] == pytest.approx(patient[0]) and healthy[-1] < 0.3 < patient[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stack_whose_w_shrinks_stays_at_chance_while_the_healthy_one_learns(seed):
    healthy, patient = (examine("stack", fault, seed)["accuracy"] for fault in (None, "fans count the lower capsules"))
    assert patient[-1] < 0.3 < 0.7 < healthy[-1]


def test_the_loss_is_no_number_after_the_update_that_saw_the_blank_image():
    assert examine("plain", "root without epsilon")["numbers"] == [7]


# Reading and comparing ----------------------------------------------------------------------------------------------


def test_readings_are_compared_by_their_ratio_beyond_the_floor():
    assert apart("start", 0.5, 0.25) == pytest.approx(0.502 / 0.252)
    assert apart("start", 0.0001, 0) < QUIET < apart("start", 0.01, 0)
    assert apart("case", 0.5, -0.5) == apart("loss", np.nan, 0.1) == np.inf and apart("loss", np.nan, np.nan) == 1


def test_numbers_are_written_with_a_true_minus_sign():
    assert bugs.written("case", -0.0714) == "−0.071" and bugs.written("case", -0.0001) == "0.000"
    assert bugs.number(LOOKS["loss"], np.array([1.0, np.nan])) == "NaN"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: examine("plane"), "kind: got 'plane', expected 'plain', 'decoder'"),
        (
            lambda: examine("plain", "none"),
            "fault: got 'none', expected None or one of softmax over the lower capsules, ",
        ),
        (lambda: examine("plain", None, -1), "seed: got -1, expected a whole number of at least 0"),
        (lambda: bugs.evidence("squash"), "case: got 'squash', expected 'nan', 'high'"),
    ],
)
def test_what_is_not_there_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


# The check list -----------------------------------------------------------------------------------------------------


RECORD = "what ran is what was asked"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", bugs.KINDS)
def test_a_healthy_patient_fails_no_check(kind, seed):
    assert False not in bugs.checked(kind, None, seed).values()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_patient_fails_a_check_and_every_check_catches_one(seed):
    caught = [
        {name for name, passed in bugs.checked(case.kind, case.fault, seed).items() if passed is False}
        for case in CASES.values()
    ]
    assert all(caught) and set().union(*caught) == set(bugs.CHECKS)


@pytest.mark.parametrize("kind", bugs.KINDS)
def test_a_check_without_anything_to_look_at_was_not_run_and_does_not_pass(kind):
    """A resumed training and a page with a figure hold a record alone; the networks hold all but a record."""
    found = bugs.checked(kind)
    not_run = {name for name, passed in found.items() if passed is None}
    assert not_run == (set(bugs.CHECKS) - {RECORD} if kind in ("resumed", "runs") else {RECORD})
    for name, parts in bugs.CHECKS.items():
        assert (found[name] is None) == (not set(parts) & set(examine(kind)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stack_whose_w_shrinks_does_not_learn_ten_digits_by_heart(seed):
    healthy, patient = (examine("stack", fault, seed)["heart"] for fault in (None, "fans count the lower capsules"))
    assert healthy[-1] < 0.05 and patient[-1] > 0.2
