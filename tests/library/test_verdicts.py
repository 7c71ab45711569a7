"""What is concluded about claims, on runs made up for the purpose."""

import numpy as np
import pytest

from capslib import findings, intervals, verdicts
from capslib.verdicts import CLAIMS, Claim, judge
from tests.library.test_findings import made

FLATTEN, GLOBAL = verdicts.OPPONENTS


def runs(**values):
    """Five runs of each network, each with a score x of its own beside what all runs have."""
    return {name: [{**made(name, seed), "x": x} for seed, x in enumerate(some)] for name, some in values.items()}


def score(promised=1):
    return Claim("It has more of x", "a test", "x", lambda trained: trained["none"]["x"], promised)


LOW, HIGH = (0.1, 0.12, 0.11, 0.1, 0.13), (0.5, 0.53, 0.51, 0.5, 0.54)
WILD = (0.1, 0.5, 0.0, 0.6, 0.2)


@pytest.mark.parametrize(
    ("subject", "flatten", "averaging", "promised", "verdict"),
    [
        (HIGH, LOW, LOW, 1, "holds"),
        (HIGH, LOW, LOW, -1, "contradicted"),
        (LOW, HIGH, HIGH, 1, "contradicted"),
        (LOW, HIGH, HIGH, -1, "holds"),
        (HIGH, LOW, WILD, 1, "depends on the CNN"),
        (HIGH, LOW, (0.9, 0.95, 0.92, 0.9, 0.94), 1, "depends on the CNN"),
        (LOW, WILD, HIGH, 1, "contradicted"),
        (WILD, LOW, WILD[::-1], 1, "undecided"),
    ],
)
def test_a_claim_holds_only_against_every_cnn(subject, flatten, averaging, promised, verdict):
    found = {"none": runs(capsnet_3=subject, **{FLATTEN: flatten, GLOBAL: averaging})}
    (row,) = judge(found, claims=[score(promised)])
    assert row.verdict == verdict
    assert row.differences[FLATTEN] == intervals.paired(subject, flatten), "the subject less the CNN"


def test_all_rows_are_corrected_together():
    slight = (0.11, 0.13, 0.12, 0.1, 0.15)  # So far from LOW by chance once in thirty trials.
    found = {"none": runs(capsnet_3=slight, **{FLATTEN: LOW})}
    alone = judge(found, claims=[score()])[0]
    p = alone.differences[FLATTEN].p
    assert alone.corrected[FLATTEN] == pytest.approx(p)
    together = judge(found, claims=[score(), score(), score()])
    assert [row.corrected[FLATTEN] for row in together] == pytest.approx([3 * p] * 3)
    assert p < 0.05 < 3 * p and alone.verdict == "holds"
    assert {row.verdict for row in together} == {"undecided"}, "the corrected p decides"


def test_a_claim_may_read_two_trainings_and_only_seeds_that_have_both():
    gain = Claim("x", "a test", "x", lambda t: t["turned"]["x"] - t["none"]["x"], -1, ("none", "turned"))
    found = {"none": runs(capsnet_3=LOW, **{FLATTEN: LOW}), "turned": runs(capsnet_3=HIGH, **{FLATTEN: LOW})}
    del found["turned"][FLATTEN][4]
    (row,) = judge(found, claims=[gain])
    assert row.differences == {FLATTEN: intervals.paired(np.subtract(HIGH, LOW)[:4], np.zeros(4))}
    assert row.verdict == "contradicted", "it gains more"


def test_what_has_no_runs_is_left_out():
    found = {"none": runs(capsnet_3=HIGH, **{FLATTEN: LOW})}
    gain = Claim("x", "a test", "x", lambda t: 0.0, 1, ("none", "turned"))
    rows = judge(found, claims=[gain, score()])
    assert [row.claim.trainings for row in rows] == [("none",)] and list(rows[0].differences) == [FLATTEN]


def test_no_runs_of_the_network_are_said():
    with pytest.raises(ValueError, match="subject: got .capsnet_3., expected .*cnn_flatten_margin"):
        judge({"none": runs(**{FLATTEN: LOW})})


def test_claims_and_opponents_may_come_from_a_generator():
    found = {"none": runs(capsnet_3=HIGH, **{FLATTEN: LOW})}
    rows = judge(found, opponents=(name for name in (FLATTEN,)), claims=(claim for claim in [score()]))
    assert [row.verdict for row in rows] == ["holds"]


@pytest.mark.parametrize("opponents", [(), ("cnn_flaten",), (GLOBAL,), FLATTEN])
def test_opponents_without_runs_are_named(opponents):
    found = {"none": runs(capsnet_3=HIGH, **{FLATTEN: LOW})}
    with pytest.raises(ValueError) as error:
        judge(found, opponents=opponents, claims=[score()])
    assert str(error.value) == (
        f"opponents: got {opponents!r}, "
        "expected a tuple of networks of which at least one has two seeds in common with capsnet_3"
    )


def test_what_there_is_to_choose_from_is_said_even_if_it_is_little():
    with pytest.raises(ValueError, match="^subject: got 'capsnet_3', expected nothing, since there is no choice$"):
        judge({})
    with pytest.raises(ValueError, match="^subject: got 'capsnet_5', expected 'capsnet_3'$"):
        judge({"none": runs(capsnet_3=HIGH)}, subject="capsnet_5")
    with pytest.raises(ValueError, match="^claims: got none, expected at least one$"):
        judge({"none": runs(capsnet_3=HIGH, **{FLATTEN: LOW})}, claims=[])


def full(network, seed, value):
    """A run in which every score that a claim reads is the given value."""
    run = made(network, seed)
    run["upright"] |= {"accuracy": value}
    for row in run["conditions"].values():
        row |= {"accuracy": value, "accepted": value}
    run["conditions"]["turn 180"]["by_class"] = [value if k in verdicts.UPSIDE_DOWN else 0 for k in range(10)]
    run["conditions"]["swap top and bottom"]["auroc"] = value
    run["conditions"]["two digits"] = {"both_found": value}
    run["faces"] = {"swapped": {"auroc": value}, "tilted": {"auroc": 0.25}}
    run["changes"] = {"turn 15": {"30": {"map": value}, "16": {"map": value - 1}}}
    return run


def test_every_claim_reads_the_score_that_it_names():
    trained = {"none": full("capsnet_3", 0, 0.75), "turned": full("capsnet_3", 0, 1.0)}
    for claim in CLAIMS:
        expected = 0.25 if "gain" in claim.measured else 0.5 if "less AUROC" in claim.measured else 0.75
        assert claim.outcome(trained) == pytest.approx(expected), claim.said
    assert len({claim.said for claim in CLAIMS}) == len(CLAIMS)
    assert {claim.promised for claim in CLAIMS if "less" in claim.said} == {-1}


def test_capsules_of_sixteen_dimensions_are_compared_with_as_many_of_a_cnn():
    trained = {"none": full("cnn_flatten_margin", 0, 0.75), "turned": full("cnn_flatten_margin", 0, 1.0)}
    changed = [
        a.said for a, b in zip(CLAIMS, verdicts.CLAIMS_16, strict=True) if a.outcome(trained) != b.outcome(trained)
    ]
    (claim,) = [claim for claim in verdicts.CLAIMS_16 if claim.said in changed]
    assert claim.said == "Its vectors follow the pose" and claim.outcome(trained) == -0.25


def test_five_routings_get_the_verdicts_of_three_wherever_they_have_runs():
    trained = findings.by_training()
    three = {row.claim.said: row.verdict for row in judge(trained)}
    five = {row.claim.said: row.verdict for row in judge(trained, subject="capsnet_5")}
    assert len(five) == 10 and five.items() <= three.items()
