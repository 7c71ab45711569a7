"""The benchmarks compare like with like, say of their numbers what may be said, and keep what they measured.

Nothing here asserts a time: a test may run on any machine.
"""

import dataclasses
import itertools
import json
import re
from math import comb
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import alone, contestants, pictures, race, speed, timing
from benchmarks.article import ArticleCapsule
from capslib import digits, models, training
from capslib.layers import Capsule
from capslib.losses import margin_loss
from capslib.training import Recipe
from tests import ROOT
from tests.project.test_figures import anatomy

RESULTS = ROOT / "benchmarks" / "results"


def quiet(line):
    """Log nothing."""


# What may be said of times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "low", "high"), [(2, 1, 2), (5, 1, 5), (6, 1, 6), (9, 2, 8), (10, 2, 9), (20, 6, 15), (40, 14, 27)]
)
def test_the_interval_of_a_median_lies_between_the_ranks_that_tables_give(n, low, high):
    values = np.random.default_rng(n).permutation(n) + 1.0
    found = timing.summary(list(values), "mib")
    assert found == {"median_mib": (n + 1) / 2, "interval_mib": [low, high], "mib": list(values)}


def test_the_interval_of_a_median_is_the_narrowest_that_covers_95_percent():
    for n in range(6, 80):
        low, high = timing.summary(list(range(1, n + 1)))["interval_ms"]
        below = [sum(comb(n, k) for k in range(rank)) / 2**n for rank in (low, low + 1)]  # P(fewer than rank below it)
        assert 1 - 2 * below[0] >= 0.95 > 1 - 2 * below[1] and low + high == n + 1


def test_a_ratio_of_known_numbers():
    assert timing.ratio([3.0] * 8, [2.0] * 8) == {"ratio": 1.5, "interval": [1.5, 1.5]}
    above, below = [4.0, 6.0, 5.0, 9.0, 3.0], [2.0, 2.0, 1.0, 4.0, 2.0]
    found = timing.ratio(above, below)
    assert found["ratio"] == 2.5 and found["interval"][0] < 2.5 < found["interval"][1]
    assert timing.ratio(above, below) == found


def test_what_disturbs_a_round_disturbs_both_and_leaves_their_ratio():
    rounds = np.random.default_rng(0).lognormal(0, 1, 30)
    assert timing.ratio(list(2 * rounds), list(rounds)) == {"ratio": 2.0, "interval": [2.0, 2.0]}


def test_everybody_is_timed_in_every_round_and_begins_in_turn(monkeypatch):
    now, calls = itertools.count(), []
    clock = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))

    def contestant(name, seconds):
        def call():
            calls.append(name)
            clock.seconds += seconds if len(calls) > 9 else 100 + next(now)  # the warm-up must not count

        return call

    found = timing.take_turns({n: contestant(n, s) for n, s in (("a", 1), ("b", 2), ("c", 3))}, rounds=4, inner=2)
    assert found == {"a": [1000.0] * 4, "b": [2000.0] * 4, "c": [3000.0] * 4}
    assert "".join(calls[9:]) == "aabbcc" + "bbccaa" + "ccaabb" + "aabbcc"


# The contestants ------------------------------------------------------------------------------------------------------

SHARED, UNSHARED = ("article_einsum", "article_matmul", "ours"), ("plain", "article_einsum", "article_matmul", "ours")


@pytest.mark.parametrize(
    ("share_weights", "names"),
    [(True, (*SHARED, "plain", *contestants.TRIED)), (False, UNSHARED)],
    ids=["shared", "unshared"],
)
@pytest.mark.parametrize("routings", [1, 2, 5])
def test_all_layers_of_one_kernel_give_the_same_capsules_and_the_same_gradients(share_weights, names, routings):
    layers = contestants.capsule_layers(7, 5, 3, 4, routings, share_weights, names)
    rng = np.random.default_rng(3)
    u, dv = (tf.constant(rng.normal(size=size), tf.float32) for size in ((6, 7, 5), (6, 3, 4)))
    found = {}
    for name, layer in layers.items():
        with tf.GradientTape() as tape:
            tape.watch(u)
            v = layer(u)
        du, dW = tape.gradient(v, [u, layer.kernel.value], output_gradients=dv)
        found[name] = [
            np.asarray(x).reshape(shape) for x, shape in ((v, -1), (du, -1), (dW, layers["ours"].kernel.shape))
        ]
    lengths = np.linalg.norm(found["ours"][0].reshape(6, 3, 4), axis=-1)
    assert lengths.min() < 0.5 < lengths.max()  # else agreement would be worth little
    for name in names:
        for mine, theirs in zip(found["ours"], found[name], strict=True):
            np.testing.assert_allclose(theirs, mine, atol=1e-5 * max(1, np.abs(mine).max()), err_msg=name)


@pytest.mark.parametrize("share_weights", [True, False])
def test_the_layers_are_compared_at_the_sizes_that_are_timed(share_weights):
    size = (49, 32, 10, 30, 5) if share_weights else (1152, 8, 10, 16, 3)
    layers = contestants.capsule_layers(*size, share_weights, UNSHARED)
    outputs = {n: contestants.forward_and_backward(layer, (4, *size[:2]))() for n, layer in layers.items()}
    for name, v in outputs.items():
        np.testing.assert_allclose(v, outputs["ours"], atol=1e-5, err_msg=name)


def test_a_layer_of_another_kernel_is_seen():
    v = {"ours": np.zeros((2, 3)), "plain": np.full((2, 3), 9e-6), "convolutions": np.ones((2, 3))}
    assert speed._equal(v, None) == pytest.approx(9e-6)
    for wrong, told in ((2e-5, "2.0e-05"), (np.nan, "nan")):
        with pytest.raises(RuntimeError, match=f"outputs of the same kernel differ by {told}, expected at most 1e-05"):
            speed._equal({"plain": np.full((2, 3), wrong)} | v | {"article_einsum": np.full((2, 3), wrong)}, None)


def test_the_articles_layer_has_two_forms():
    with pytest.raises(ValueError, match="form: got 'conv', expected 'einsum' or 'matmul'"):
        ArticleCapsule(10, 30, form="conv")
    kernels = {share: ArticleCapsule(3, 4, share_weights=share) for share in (True, False)}
    for layer in kernels.values():
        layer.build((None, 7, 5))
    assert kernels[True].kernel.shape == (1, 5, 12) and kernels[False].kernel.shape == (7, 5, 12)


@pytest.fixture(scope="module")
def networks():
    return {name: contestants.network(name) for name in contestants.NETWORKS}


def test_the_networks_differ_in_the_layer_alone(networks):
    x, _ = contestants.batch(12)
    scores = {name: contestants.inference(model)(x) for name, model in networks.items()}
    for name, found in scores.items():
        assert found.shape == (12, 10) and (found >= 0).all() and (found < 1).all()
        if name != "convolutions":
            np.testing.assert_allclose(found, scores["ours"], atol=1e-5, err_msg=name)
    trunks = [model.get_layer("conv2").get_weights()[0] for model in networks.values()]
    assert all(np.array_equal(trunk, trunks[0]) for trunk in trunks)
    sizes = {name: model.count_params() for name, model in networks.items()}
    assert sizes == {**dict.fromkeys((*contestants.FORMS, "ours"), 22_848), "convolutions": 416 + 12_832 + 330}


def test_a_batch_may_be_larger_than_the_bundled_set():
    x, y = contestants.batch(4100)
    assert x.shape == (4100, 28, 28, 1) and y.shape == (4100, 10)
    np.testing.assert_array_equal(x[4000:], x[:100])
    np.testing.assert_array_equal(np.argmax(y[:9], 1), digits.load().y_train[:9])


def test_a_seed_makes_the_networks_that_training_starts_from():
    keras.utils.set_random_seed(5)
    expected = models.article_capsnet().get_weights()
    for name in ("ours", "article_matmul"):
        found = contestants.network(name, 5).get_weights()
        assert all(np.array_equal(a, np.reshape(b, a.shape)) for a, b in zip(expected, found, strict=True))
    assert not np.array_equal(contestants.network("ours", 6).get_weights()[0], expected[0])


def test_a_training_step_learns_at_any_batch_size():
    step, (x, y) = contestants.training_step(contestants.network("ours")), contestants.batch(64)
    losses = [step(x[:size], y[:size]) for size in [64, 3, 1] + [64] * 12]
    assert losses[-1] < 0.9 * losses[0]


def test_xla_for_routing_alone_changes_no_output():
    x, _ = contestants.batch(40)
    plain, compiled = contestants.network("ours"), contestants.compile_routing(contestants.network("ours"))
    np.testing.assert_allclose(contestants.inference(compiled)(x), contestants.inference(plain)(x), atol=1e-6)
    assert [hasattr(net.get_layer("v").call, "get_concrete_function") for net in (plain, compiled)] == [False, True]


@pytest.mark.parametrize("per_call", [1, 3])
def test_the_step_timer_leaves_out_the_first_call_and_what_comes_after_the_last(per_call, monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(contestants, "time", SimpleNamespace(perf_counter=lambda: now.seconds))
    timer = contestants.StepTimer()
    timer.on_epoch_begin(0)
    for last in range(per_call - 1, 12, per_call):
        now.seconds += 1000 if last < per_call else 0.004 * per_call
        timer.on_train_batch_end(last)
    now.seconds += 50
    timer.on_epoch_end(0)
    assert timer.ms == pytest.approx(4)


# The race -------------------------------------------------------------------------------------------------------------

LESSON = Recipe(epochs=2, batch_size=20, learning_rate=3e-3, decay=True, shift=1, average=0.9)


@pytest.fixture(scope="module")
def few():
    """Few digits, so that an epoch takes a second."""
    d = digits.load("bundled")
    return digits.Digits(d.x_train[:480], d.y_train[:480], d.x_val[:200], d.y_val[:200], d.x_test[:50], d.y_test[:50])


def test_a_run_that_does_not_arrive_looks_eight_times_an_epoch_and_reads_no_test_set(few):
    found = race.run("quick", few, 0, LESSON, level=1.1, log=quiet)
    assert (found["runner"], found["seed"], found["seconds"], found["test_accuracy"]) == ("quick", 0, None, None)
    assert [check["steps"] for check in found["checks"]] == [3 * look for look in range(1, 17)]
    assert found["examples"] == 2 * 480


def test_looking_changes_nothing_about_the_training(few):
    looks = race.run("quick", few, 3, LESSON, level=1.1, log=quiet)["checks"]
    keras.utils.set_random_seed(3)
    history = training.train(models.article_capsnet(), few, LESSON, seed=3, log=quiet)
    assert [look["val_accuracy"] for look in looks[7::8]] == pytest.approx([row["val_accuracy"] for row in history])
    assert looks[-1]["val_accuracy"] > looks[0]["val_accuracy"]


def test_a_run_arrives_at_the_second_look_in_a_row_and_then_reads_the_test_set(few, monkeypatch):
    reads = []
    monkeypatch.setattr(training, "evaluate", lambda model, data: reads.append(model) or {"accuracy": 0.5})
    found = race.run("article", few, 0, LESSON, level=0.0, log=quiet)
    assert len(found["checks"]) == 2 and found["examples"] == 6 * 20 and found["test_accuracy"] == 0.5
    assert len(reads) == 1 and found["seconds"] == found["checks"][-1]["seconds"]


def test_one_look_above_the_level_is_not_enough(few):
    accuracies = iter([0.9, 0.5, 0.9, 0.8, 0.9, 0.9])
    clock = race.Clock(few.x_val, few.y_val, 8, level=0.85)
    clock.set_model(_Constant(few.y_val, accuracies))
    clock.on_epoch_begin(0)
    with pytest.raises(race.Reached):
        for batch in range(8):
            clock.on_train_batch_end(batch)
    assert [check["val_accuracy"] for check in clock.checks] == [0.9, 0.5, 0.9, 0.8, 0.9, 0.9]


@pytest.mark.parametrize("per_call", [1, 2])
def test_the_clock_counts_the_first_call_like_the_others_and_stands_still_while_it_looks(per_call, few, monkeypatch):
    clock, now = race.Clock(few.x_val, few.y_val, 16, level=2), SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(race, "time", SimpleNamespace(perf_counter=lambda: now.seconds))
    clock.set_model(_Constant(few.y_val, itertools.repeat(0.5), slow=now))
    for epoch in range(2):
        now.seconds += 50  # between epochs
        clock.on_epoch_begin(epoch)
        for batch in range(per_call - 1, 16, per_call):
            now.seconds += 1000 if epoch == 0 and batch < per_call else per_call
            clock.on_train_batch_end(batch)
        clock.on_epoch_end(epoch)
    looks = [check["seconds"] for check in clock.checks]
    assert looks[per_call - 1 :] == list(range(2 * per_call, 33, 2))


def test_steps_taken_several_in_one_call_are_all_counted_and_looked_at_after(few):
    several = dataclasses.replace(LESSON, steps_per_execution=7)  # 24 steps an epoch, and a look after every third
    found = race.run("quick", few, 0, several, level=1.1, log=quiet)
    assert [check["steps"] for check in found["checks"]] == [7, 14, 21, 24, 31, 38, 45, 48]
    assert found["examples"] == 2 * 480


def test_the_published_runner_trains_the_articles_layer_by_margin_loss_and_to_the_same_numbers(few, monkeypatch):
    trained, compile_model = [], training.compile_model
    monkeypatch.setattr(training, "compile_model", lambda *given: trained.append(given[0]) or compile_model(*given))
    looks = {name: race.run(name, few, 0, LESSON, level=1.1, log=quiet)["checks"] for name in ("article", "published")}
    kinds = [[type(layer) for layer in model.layers] for model in trained]
    assert Capsule in kinds[0] and ArticleCapsule in kinds[1] and Capsule not in kinds[1]
    assert all(model.loss is margin_loss for model in trained)
    first, second = ([check["val_accuracy"] for check in checks] for checks in looks.values())
    assert first == pytest.approx(second, abs=0.02) and first[-1] > first[0]


class _Constant:
    """A model that reads as many of the validation digits rightly as it is told, and takes its time."""

    def __init__(self, labels, accuracies, slow=None):
        self.labels, self.accuracies, self.slow = labels, accuracies, slow
        self.optimizer = SimpleNamespace(use_ema=False)

    def get_weights(self):
        return []

    def set_weights(self, weights):
        pass

    def predict_on_batch(self, x):
        if self.slow is not None:
            self.slow.seconds += 300
        read = self.labels.copy()
        read[: round(len(read) * (1 - next(self.accuracies)))] += 1
        return np.eye(10)[read % 10]


@pytest.mark.parametrize(
    ("quick", "others", "median", "over"),
    [([4, 2, 3], 30, 3, 10.0), ([4, None, 3], 30, 4, 7.5), ([None, None, 3], 30, None, None)],
)
def test_who_did_not_arrive_was_slower_than_who_did(quick, others, median, over, monkeypatch):
    seconds = {name: quick if name == "quick" else [others] * 3 for name in race.RUNNERS}
    monkeypatch.setattr(race, "run", lambda name, data, seed, log: {"runner": name, "seconds": seconds[name][seed]})
    found = race.race(None, log=quiet)
    assert [run["runner"] for run in found["runs"]] == list(race.RUNNERS) * 3
    assert found["medians"] == {name: median if name == "quick" else others for name in race.RUNNERS}
    assert found["over_quick"] == {name: over for name in race.RUNNERS if name != "quick"}


# What is measured alone, and what is kept -----------------------------------------------------------------------------


def test_memory_is_measured_in_a_process_of_its_own():
    told = alone.ask("memory", "convolutions", 500)
    # Where the mark cannot be lowered first, the start of the process may have been higher than any step.
    features = 500 * 28 * 28 * 16 * 4 / 2**20  # of the first convolution
    assert told["rise_mib"] > {"VmHWM": features, "ru_maxrss": -1}[told["how"]]


def test_a_process_that_fails_is_quoted():
    with pytest.raises(RuntimeError, match=r"(?s)benchmarks\.alone colour ours failed:.*KeyError: 'colour'"):
        alone.ask("colour", "ours")


@pytest.fixture
def small(monkeypatch):
    """Benchmarks of tiny sizes; what would need a process of its own is made up."""
    monkeypatch.setattr(speed, "TRAINING", (2, 4))
    monkeypatch.setattr(speed, "INFERENCE", (1, 4))
    monkeypatch.setattr(speed, "GROWTH", {"lower": (4, 6), "upper": (10, 12), "iterations": (1, 2)})
    monkeypatch.setattr(speed, "UNSHARED", dict(zip(speed.UNSHARED, (2, 9, 3, 4, 5, 2), strict=True)))
    made_up = {"article_einsum": 300, "article_matmul": 200, "ours": 50, "convolutions": 40}
    monkeypatch.setattr(alone, "ask", lambda what, name, size: {"rise_mib": made_up[name] + size / 100, "how": "VmHWM"})


def test_a_run_keeps_each_section_with_its_command_and_its_picture(small, tmp_path):
    results = speed.run(("unshared", "memory", "growth", "steps"), tmp_path, 2, quiet)
    text = (tmp_path / "speed.json").read_text()
    assert json.loads(text) == results and list(results) == ["steps", "memory", "growth", "unshared"]
    assert results["memory"]["article"] == "article_matmul" and results["memory"]["article_over_ours"]["ratio"] == 3.727
    assert len([line for line in text.splitlines() if '"ms"' in line and line.count(",") >= 1]) > 20  # lists on a line
    check_results(results, tmp_path, rounds=2)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == sorted([f"{n}.{end}" for n in pictures.PICTURES for end in ("svg", "alt.txt")] + ["speed.json"])


def test_sections_not_asked_for_stay(small, tmp_path):
    (tmp_path / "speed.json").write_text('{"setup": {"old": 1}, "memory": {"old": 1}}')
    results = speed.run(["memory"], tmp_path, 3, quiet)
    assert list(results) == ["memory", "setup"] and results["setup"] == {"old": 1} and "old" not in results["memory"]
    assert results["memory"]["command"] == "python -m benchmarks.speed --section memory --steps 3"


@pytest.mark.parametrize("rounds", [0, 1, -3, 2.5])
def test_too_few_rounds_are_refused(rounds, tmp_path):
    with pytest.raises(ValueError, match=f"^rounds: got {rounds}, expected a whole number of at least 2"):
        speed.run(["memory"], tmp_path, rounds, quiet)
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_named_and_left_alone(tmp_path):
    (tmp_path / "speed.json").write_text("{")
    with pytest.raises(ValueError, match=r"speed\.json: is no JSON .*; remove it to begin anew"):
        speed.run(["memory"], tmp_path, 2, quiet)
    assert (tmp_path / "speed.json").read_text() == "{"


def test_the_command_line_says_what_is_wrong_in_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"^python -m benchmarks\.speed: --steps: got 1, expected a whole number of"):
        speed.main(["--section", "memory", "--steps", "1", "--out", str(tmp_path)])


# What is stored -------------------------------------------------------------------------------------------------------


def summaries(found):
    """Every summary below a result, with its unit."""
    for value in found.values() if isinstance(found, dict) else found:
        for unit in ("ms", "mib"):
            if isinstance(value, dict) and unit in value:
                yield value, unit
        if isinstance(value, dict | list):
            yield from summaries(value)


def check_results(results, folder, rounds):
    """What holds for any speed.json with its pictures, however it was measured."""
    for name, section in results.items():
        steps = int(re.fullmatch(rf"python -m benchmarks\.speed --section {name} --steps (\d+)", section["command"])[1])
        assert (
            steps >= rounds and section["machine"] and {"python", "keras", "tensorflow"} <= section["versions"].keys()
        )
        assert section.get("largest_difference", 0) <= speed.TOLERANCE
        found = list(summaries(section))
        assert found
        for one, unit in found:
            assert timing.summary(one[unit], unit) == {key: one[key] for key in timing.summary(one[unit], unit)}
            assert min(one[unit]) > 0
    for part in [*results["steps"]["training"].values(), *results["steps"]["inference"].values(), results["memory"]]:
        unit = "mib" if "batch" in part else "ms"
        assert part["article"] == min(contestants.FORMS, key=lambda form: part[form][f"median_{unit}"])
        assert part["article_over_ours"] == timing.ratio(part[part["article"]][unit], part["ours"][unit])
        assert part["ours_over_convolutions"] == timing.ratio(part["ours"][unit], part["convolutions"][unit])
    for name, (title, draw, alt) in pictures.PICTURES.items():
        words = (folder / f"{name}.alt.txt").read_text(encoding="utf-8")
        assert words == f"{alt(results[name])}\n" and 40 < len(words) < 700
        stored = (folder / f"{name}.svg").read_text(encoding="utf-8")
        drawn = pictures.svg(draw(results[name]), name, title, words.strip())
        (shape, numbers), (expected, others) = anatomy(stored), anatomy(drawn)
        assert shape == expected
        np.testing.assert_allclose(numbers, others, atol=0.02)


def test_the_stored_speeds_are_complete_and_their_pictures_are_of_them():
    results = json.loads((RESULTS / "speed.json").read_text(encoding="utf-8"))
    assert list(results) == list(speed.SECTIONS)
    check_results(results, RESULTS, rounds=20)
    sizes = {axis: tuple(point[axis] for point in points) for axis, points in results["growth"]["axes"].items()}
    assert sizes == speed.GROWTH
    assert {int(size) for size in results["setup"]["batch"] if size != "examples"} == set(speed.EPOCH_BATCHES)
    assert len({section["machine"] for section in results.values()}) == 1


def test_the_stored_race_is_what_its_runs_say():
    stored = json.loads((RESULTS / "race.json").read_text(encoding="utf-8"))
    assert stored["runners"] == race.RUNNERS and stored["level"] == race.LEVEL and stored["machine"]
    assert set(stored["recipes"]) == {"quick", "article"}
    assert [(run["runner"], run["seed"]) for run in stored["runs"]] == [(n, s) for s in range(3) for n in race.RUNNERS]
    for name, recipe in stored["recipes"].items():
        assert Recipe(**recipe) == training.RECIPES[name]
    for run in stored["runs"]:
        arrived = [min(pair) >= race.LEVEL for pair in itertools.pairwise(c["val_accuracy"] for c in run["checks"])]
        assert sum(arrived) == arrived[-1] == (run["seconds"] is not None)
        assert (run["test_accuracy"] is not None) == (run["seconds"] is not None)
        assert run["seconds"] in (None, run["checks"][-1]["seconds"])
    medians = stored["medians"]
    for name, median in medians.items():
        assert median == race._median([run["seconds"] for run in stored["runs"] if run["runner"] == name])
    assert stored["over_quick"] == {n: round(medians[n] / medians["quick"], 2) for n in ("article", "published")}


def test_the_readme_gives_the_times_of_the_stored_race():
    stored = json.loads((RESULTS / "race.json").read_text(encoding="utf-8"))
    text = " ".join((RESULTS.parents[1] / "README.md").read_text(encoding="utf-8").split())
    slow, fast = (stored["medians"][name] for name in ("published", "quick"))
    assert f"need {slow:.0f} s of training on two processor cores to reach an accuracy of {stored['level']} on" in text
    assert f"need {fast:.1f} s on the same two cores (medians of three seeds," in text


@pytest.mark.parametrize("seed", range(3))
def test_the_stored_runs_of_the_best_recipe_are_whole(seed):
    file = RESULTS.parents[1] / "notebooks" / "results" / f"article_capsnet-best-{seed}.json"
    run = json.loads(file.read_text(encoding="utf-8"))
    settings = {key: value for key, value in run["recipe"].items() if key != "name"}
    assert run["recipe"]["name"] == "best" and Recipe(**settings) == training.RECIPES["best"] and run["seed"] == seed
    assert len(run["history"]) == run["recipe"]["epochs"] and run["parameters"] == 22_848
    assert run["test"]["accuracy"] == np.trace(run["test"]["confusion"]) / 10_000
