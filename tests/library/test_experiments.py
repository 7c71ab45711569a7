"""The grid of lesson 11: its tasks, its folder, and the networks' judges; trainings here take a second."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest

from capslib import experiments, faces, findings, judging, models, scores
from capslib.backend import keras, ops
from capslib.conditions import shuffled_cells
from capslib.experiments import SMOKE, Task

TINY = replace(SMOKE, training=64, test=760, changed=20, followed=760, faces=40)
BARE = replace(TINY, faces=0, followed=0)
TASK = Task("capsnet_1", "none", 0, 1, 3e-3)


# The plan ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def networks():
    keras.utils.set_random_seed(0)
    return {name: build() for name, build in experiments.NETWORKS.items()}


def test_every_run_of_the_plan_is_stored_and_no_other(tmp_path):
    assert experiments.STORED.stat().st_size < 2_000_000
    experiments.spread(experiments.STORED, tmp_path, lambda task: Task(**task).name)
    planned = experiments.tuning_tasks() + experiments.tasks(experiments.rates(tmp_path, experiments.NETWORKS))
    stored = [run["task"] for run in json.loads(experiments.STORED.read_text(encoding="utf-8"))["runs"]]
    assert sorted(map(str, stored)) == sorted(str(asdict(task)) for task in planned)


def test_sizes_are_matched_but_for_three(networks):
    counts = {name: network.count_params() for name, network in networks.items()}
    others = {name: n for name, n in counts.items() if name not in ("capsnet_unshared", "pose_1", "pose_3")}
    assert max(others.values()) - min(others.values()) <= 23_448 - 22_672
    assert counts["capsnet_1"] == counts["capsnet_3"] == counts["capsnet_5"] == counts["capsnet_offset_1"] == 22_848
    assert counts["capsnet_places"] == 22_848 + 2 * 10 * 30
    assert counts["capsnet_unshared"] == 22_848 + 48 * 32 * 10 * 30
    assert counts["pose_1"] == counts["pose_3"] == 248_528


def test_every_network_differs_from_the_middle_one_as_its_name_says(networks):
    had = {name: layer.get_config() for name in networks if (layer := capsule(networks[name])) is not None}
    keys = ("routings", "offset", "share_weights", "num_capsule", "dim_capsule", "activation")
    middle = {key: had["capsnet_3"][key] for key in keys}
    assert middle == dict(zip(keys, (3, 0.5, True, 10, 30, "squash"), strict=True))
    differs = {name: {k: c[k] for k in keys if c[k] != middle[k]} for name, c in had.items()}
    assert differs["capsnet_1"] == {"routings": 1}
    assert differs["capsnet_5"] == {"routings": 5}
    assert differs["capsnet_offset_1"] == {"offset": 1.0}
    assert differs["capsnet_unshared"] == {"share_weights": False}
    assert differs["capsnet_places"] == {}
    paper = {"offset": 1.0, "share_weights": False, "dim_capsule": 16}
    assert differs["pose_3"] == paper and differs["pose_1"] == {"routings": 1} | paper


def capsule(network):
    return next((layer for layer in network.layers if hasattr(layer, "routings")), None)


def test_capsules_and_half_of_the_cnns_learn_by_the_margin_loss(networks):
    by_margin = {name for name, network in networks.items() if models.has_scores(network)}
    assert by_margin == set(networks) - {"cnn_flatten", "cnn_global"}
    for name, network in networks.items():
        p = judging.predict(network, np.random.default_rng(0).random((3, 28, 28, 1), np.float32))
        assert p.shape == (3, 10) and (p >= 0).all() and (p <= 1).all()
        assert np.allclose(p.sum(1), 1) == (name in ("cnn_flatten", "cnn_global"))


def test_the_grid_has_every_network_seed_and_augmentation_once():
    rates = dict.fromkeys(experiments.NETWORKS, 3e-3)
    plan = experiments.tasks(rates)
    assert len({task.name for task in plan}) == len(plan) == 12 * 2 * 5 + len(experiments.TURNED) * 5 + 12
    plain, longer, some, turned = plan[:60], plan[60:72], plan[72:132], plan[132:]
    for part, augmentation in ((plain, "none"), (some, "some"), (turned, "turned")):
        assert {task.augmentation for task in part} == {augmentation} and {task.epochs for task in part} == {6}
        assert [task.seed for task in part] == sorted(task.seed for task in part), "seed by seed"
    assert {task.epochs for task in longer} == {20}
    assert {c for pair in findings.CONTRASTS for c in pair} <= set(experiments.NETWORKS)


def test_the_same_rates_are_tried_for_every_network():
    plan = experiments.tuning_tasks()
    tried = {}
    for task in plan:
        assert task.tuning and task.seed not in experiments.SEEDS
        tried.setdefault(task.network, []).append(task.rate)
    assert len(tried) == 12 and len({tuple(rates) for rates in tried.values()}) == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"network": "capsnet_9"}, "network: got 'capsnet_9'"),
        ({"augmentation": "more"}, "augmentation: got 'more'"),
        ({"seed": -1}, "seed: got -1"),
        ({"epochs": 0}, "epochs: got 0"),
        ({"rate": 0}, "learning_rate: got 0"),
    ],
)
def test_a_task_out_of_range_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        Task(**asdict(TASK) | changed)


# The folder --------------------------------------------------------------------------------------------------------


def write(folder, task, **result):
    (folder / f"{task.name}.json").write_text(json.dumps({"task": asdict(task), **result}))


def test_the_lowest_rate_within_a_standard_error_of_the_best_is_chosen(tmp_path):
    plan = experiments.tuning_tasks(["capsnet_3", "pose_1", "cnn_flatten"])
    # Of 5,000 digits the standard error at 0.98 is 0.00198, at 0.97 it is 0.00241.
    for task, accuracy in zip(
        plan, (0.97, 0.9781, 0.98, 0.9, 0.978, 0.97, 0.98, 0.98, 0.9675, 0.97, 0.9699, 0.1), strict=True
    ):
        write(tmp_path, task, validation_accuracy=accuracy)
    expected = {"capsnet_3": 9e-3, "pose_1": 2.7e-2, "cnn_flatten": 9e-3}
    assert experiments.rates(tmp_path, list(expected)) == expected
    (tmp_path / f"{plan[1].name}.json").unlink()
    with pytest.raises(ValueError, match=r"without tuning-capsnet_3-0.009.json"):
        experiments.rates(tmp_path, ["capsnet_3"])


def test_what_is_there_is_not_run_again(tmp_path, monkeypatch):
    write(tmp_path, TASK)
    asked = []
    monkeypatch.setattr(experiments.parallel, "here", lambda workers, f, left: asked.extend(left) or iter(()))
    other = replace(TASK, seed=1)
    assert experiments.work(tmp_path, [TASK, other]) == 0
    assert asked == [other]


def test_a_fresh_folder_goes_on_from_what_is_stored(tmp_path, monkeypatch):
    stored, other = tmp_path / "stored.json", replace(TASK, seed=1)
    write(tmp_path, TASK, score=1)
    experiments.collect(tmp_path, stored)
    here = tmp_path / "here"
    here.mkdir()
    write(here, other, score=2)
    assert experiments.spread(stored, here, lambda task: Task(**task).name) == 1
    assert experiments.read(here, TASK)["score"] == 1 and experiments.read(here, other)["score"] == 2
    write(here, TASK, score=3)
    assert experiments.spread(stored, here, lambda task: Task(**task).name) == 0
    assert experiments.read(here, TASK)["score"] == 3, "what is there stays"
    asked = []
    monkeypatch.setattr(experiments.parallel, "here", lambda workers, f, left: asked.extend(left) or iter(()))
    assert experiments.work(here, [TASK, other]) == 0 and asked == []


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "damaged"), ("[]", "damaged"), (json.dumps({"task": {**asdict(TASK), "rate": 1e-3}}), "expected .*0.003")],
)
def test_a_file_that_is_damaged_or_of_another_task_stops_everything_and_stays(tmp_path, text, message):
    path = tmp_path / f"{TASK.name}.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        experiments.work(tmp_path, [TASK])
    assert path.read_text() == text


def test_a_second_process_is_refused_while_one_writes(tmp_path):
    with experiments.alone(tmp_path), pytest.raises(ValueError, match="another run is writing"):
        experiments.work(tmp_path, [TASK])
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_is_told_and_the_others_are_kept(tmp_path, monkeypatch):
    good, bad = TASK, replace(TASK, seed=7)
    outcomes = [(bad, MemoryError("too much")), (good, {"task": asdict(good)})]
    monkeypatch.setattr(experiments.parallel, "here", lambda *_: iter(outcomes))
    told = []
    assert experiments.work(tmp_path, [good, bad], log=told.append) == 1
    assert told == [f"{bad.name} failed: MemoryError: too much"]
    assert experiments.read(tmp_path, good) == {"task": asdict(good)}
    assert experiments.read(tmp_path, bad) is None


# Runs --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alone():
    """The task in a process of its own."""
    return experiments.apart(TASK, BARE, "bundled")


def test_a_result_says_everything(one):
    alone = experiments.run(TASK, TINY, "bundled")
    assert alone["task"] == asdict(TASK)
    assert alone["parameters"] == 22_848 and alone["data"].startswith("bundled: 64 training")
    assert len(alone["history"]) == 1 and alone["versions"]["backend"].startswith("tensorflow")
    one(*shlex.split(alone["command"].removeprefix("python -m capslib.experiments ")))
    assert one.asked == [(TASK, TINY, "bundled")], "its command runs it again"
    found = alone["conditions"]
    assert len(found["turn 15"]["by_class"]) == 10
    assert {name for name, row in found.items() if "auroc" in row} == {
        "swap top and bottom",
        "swap left and right",
        "swap quadrants",
    }
    assert {"none", "cells shuffled", "attack 0.05", "attack 0.1", "attack 0.2", "two digits"} <= set(found)
    assert set(alone["changes"]) == {"turn 15", "turn 30", "shift 2 right"}
    assert set(alone["faces"]) == {"intact", "swapped", "tilted"}


@pytest.fixture
def one(monkeypatch, tmp_path):
    """The command line in an empty folder, without the training; `asked` holds what would have been trained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiments, "ONE_THREAD", {})

    def run(*given):
        call.asked.append(given)
        return {"task": asdict(given[0])}

    def call(*words):
        with monkeypatch.context() as patched:
            patched.setattr(experiments, "run", run)
            experiments.main(list(words))

    call.asked = []
    return call


@pytest.mark.parametrize(
    ("out", "file"),
    [
        ([], f"runs/experiments/{TASK.name}.json"),
        (["--out", "here"], f"here/{TASK.name}.json"),
        (["--out", "new/folder"], f"new/folder/{TASK.name}.json"),
        (["--out", "new/file.json"], "new/file.json"),
    ],
)
def test_one_run_is_written_into_the_grids_folder_or_where_it_is_told(one, out, file, tmp_path):
    (tmp_path / "here").mkdir()
    one("--one", json.dumps(asdict(TASK)), *out)
    assert one.asked == [(TASK, experiments.WHOLE, "full")]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / file]
    assert experiments.read((tmp_path / file).parent, TASK) or file.endswith("file.json")


@pytest.mark.parametrize("out", ["file", "file/result.json", "taken"])
def test_what_cannot_be_written_is_refused_before_the_training(one, out, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / f"{TASK.name}.json").mkdir(parents=True)
    with pytest.raises(SystemExit, match=f"experiments: out: got {out}, but .* expected a folder or a .json file"):
        one("--one", json.dumps(asdict(TASK)), "--out", out)
    assert one.asked == []


def same(a, b):
    """Equal but for the time that it took."""

    def strip(result):
        rows = [{key: value for key, value in row.items() if key != "seconds"} for row in result["history"]]
        return {**result, "seconds": None, "history": rows}

    return json.loads(json.dumps(strip(a))) == json.loads(json.dumps(strip(b)))


def test_workers_of_this_machine_give_the_same_result(alone, tmp_path):
    assert experiments.work(tmp_path, [TASK], BARE, "bundled", workers=1) == 0
    assert same(experiments.read(tmp_path, TASK), alone)


def test_a_process_that_fails_says_why_in_one_line():
    with pytest.raises(RuntimeError, match="network: got 'none'"):
        task = replace(TASK)
        object.__setattr__(task, "network", "none")
        experiments.apart(task, BARE, "bundled")


def dask(*words, **more):
    command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **more
    )


def until(true, patience=900):
    end = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.2)
    return found


def kill(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_cluster_loses_nothing_with_a_worker_and_gives_the_same_results(alone, tmp_path):
    from distributed import Client

    file = tmp_path / "scheduler.json"
    quiet = ("--no-dashboard", "--scheduler-file", str(file))
    where = ("--host", "127.0.0.1")
    scheduler = dask("scheduler", *quiet, *where, "--port", "0")
    workers = []
    try:
        address = json.loads(until(lambda: file.exists() and file.read_text()))["address"]
        one = ("--nworkers", "1", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path))
        workers = [dask("worker", address, *where, *one) for _ in range(2)]
        plan = [TASK, replace(TASK, seed=1), replace(TASK, seed=2)]
        with Client(address) as client:
            until(lambda: len(client.scheduler_info()["workers"]) == 2)
            command = (
                "import sys; from capslib import experiments as e; "
                f"plan = [e.Task(**t) for t in {[asdict(t) for t in plan]!r}]; "
                f"sys.exit(e.work({str(tmp_path / 'out')!r}, plan, e.Size(**{asdict(BARE)!r}), 'bundled', "
                f"scheduler={address!r}))"
            )
            sender = subprocess.Popen([sys.executable, "-c", command], stderr=subprocess.PIPE, text=True)
            busy = until(lambda: all(client.processing().values()) and client.processing())
            assert len(busy) == 2
            kill(workers[0])  # In the middle of its first run.
            _, told = sender.communicate(timeout=1800)
        assert sender.returncode == 0, told
    finally:
        for process in (*workers, scheduler):
            kill(process)
    results = [experiments.read(tmp_path / "out", task) for task in plan]
    assert all(results)
    assert same(results[0], alone)
    assert not same(results[1], results[2] | {"task": results[1]["task"], "command": results[1]["command"]})


def test_a_scheduler_without_dask_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"scheduler: got 'tcp://127.0.0.1:1', but dask is not installed"):
        experiments.work(tmp_path, [TASK], scheduler="tcp://127.0.0.1:1")


# The judge ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits_some():
    from capslib import digits

    data = digits.load("bundled")
    return data.x_train[:760], data.y_train[:760]


@pytest.fixture(scope="module")
def shipped():
    nets = {head: models.matched_cnn(head, weights="shipped") for head in ("flatten", "global")}
    return {**nets, "capsules": models.article_capsnet(weights="shipped"), "pose": lengths_of_pose()}


def lengths_of_pose():
    model = models.pose_capsnet(weights="shipped")
    return keras.Model(model.input, model.output["lengths"])


def test_cells_are_shuffled_below_the_head(shipped, digits_some):
    x, y = digits_some[0][:200], digits_some[1][:200]
    upright = {name: judging.predict(net, x) for name, net in shipped.items() if name != "pose"}
    moved = {name: judging.shuffled(shipped[name], x) for name in upright}
    # What has a sum over places, or shares W, cannot notice.
    assert np.allclose(moved["global"], upright["global"], atol=1e-4)
    assert np.allclose(moved["capsules"], upright["capsules"], atol=1e-4)
    assert np.mean(moved["flatten"].argmax(1) == y) < 0.5


def test_the_lower_capsules_of_the_pose_network_are_shuffled(digits_some):
    model = models.pose_capsnet(decoder=False)
    x = digits_some[0][:5]
    u = judging.predict(keras.Model(model.input, model.get_layer("u").output), x)
    v = model.get_layer("v")(u[:, shuffled_cells(144)])
    assert np.allclose(judging.shuffled(model, x), np.linalg.norm(ops.convert_to_numpy(v), axis=-1), atol=1e-5)


def test_an_attack_goes_uphill(shipped, digits_some):
    x, y = digits_some[0][:60], digits_some[1][:60]
    for name in ("flatten", "capsules"):
        net = shipped[name]
        direction = judging.uphill(net, x, y)
        step = 1e-3 * np.sign(direction)
        assert gap(net, x + step, y).mean() > gap(net, x, y).mean() > gap(net, x - step, y).mean()


def test_its_direction_is_the_gradient_by_differences(shipped, digits_some):
    x, y = digits_some[0][:2], digits_some[1][:2]
    net, h = shipped["flatten"], 3e-3
    direction = judging.uphill(net, x, y)
    for n in range(2):
        place = np.unravel_index(np.argsort(-np.abs(direction[n]), axis=None)[:5], x.shape[1:])
        found = []
        for at in zip(*place, strict=True):
            there = np.zeros_like(x[n])
            there[at] = h
            found.append(
                (gap(net, x[n : n + 1] + there, y[n : n + 1]) - gap(net, x[n : n + 1] - there, y[n : n + 1]))[0]
            )
        assert np.corrcoef(found, direction[n][place])[0, 1] > 0.9
        assert (np.sign(found) == np.sign(direction[n][place])).all()


def gap(net, x, y):
    p = np.log(np.maximum(judging.predict(net, x.astype(np.float32)).astype(np.float64), 1e-30))
    own = p[np.arange(len(y)), y]
    p[np.arange(len(y)), y] = -np.inf
    return p.max(1) - own


def test_an_attack_leaves_the_network_as_it_was(shipped, digits_some):
    net = shipped["global"]
    before = [w.copy() for w in net.get_weights()]
    judging.uphill(net, digits_some[0][:3], digits_some[1][:3])
    assert all(np.array_equal(a, b) for a, b in zip(before, net.get_weights(), strict=True))
    assert net.trainable


def test_what_is_followed_is_the_capsule_of_the_digit(shipped, digits_some):
    x, y = digits_some
    found = judging.follow(shipped["pose"], x, y)
    model = models.pose_capsnet(weights="shipped")
    capsules = keras.Model(model.input, model.get_layer("v").output)
    v = judging.predict(capsules, x)[np.arange(len(y)), y]
    v_t = judging.predict(capsules, judging.CHANGES["turn 30"](x))[np.arange(len(y)), y]
    wanted = scores.changes(v, v_t, y)
    assert found["turn 30"]["16"] == pytest.approx(wanted, abs=1e-3)
    assert set(found["turn 15"]) == {"16"}


def test_a_cnn_is_followed_in_as_many_dimensions(shipped, digits_some):
    found = judging.follow(shipped["global"], *digits_some)
    assert set(found["turn 15"]) == {"30", "16"}
    assert 0 < found["turn 15"]["16"]["map"] <= 1
    assert found["turn 15"]["16"]["shuffled"] < 0.1


def test_faces_of_three_kinds():
    people = faces.identities(10, seed=0)
    net = models.matched_cnn("flatten")
    found = judging.judge_faces(net, people, 30)
    shown = faces.sample(people, 30, seed=2, swapped=True)
    p = judging.predict(net, shown.images)
    assert found["swapped"]["accuracy"] == pytest.approx(np.mean(p.argmax(1) == shown.who), abs=1e-4)
    intact = judging.predict(net, faces.sample(people, 30, seed=2).images)
    assert found["swapped"]["auroc"] == pytest.approx(scores.auroc(intact.max(1), p.max(1)), abs=1e-4)
    tilted = judging.predict(net, faces.sample(people, 30, seed=2, turn=45).images)
    assert found["tilted"]["auroc"] == pytest.approx(scores.auroc(intact.max(1), tilted.max(1)), abs=1e-4)


def test_judged_numbers_are_those_of_the_shipped_network(shipped, digits_some):
    x, y = digits_some
    found = judging.judge(shipped["global"], x, y, changed=76, followed=760)
    p = judging.predict(shipped["global"], x)
    assert found["upright"]["accuracy"] == pytest.approx(np.mean(p.argmax(1) == y), abs=1e-4)
    some = np.linspace(0, 760, 76, endpoint=False).astype(int)
    halves = judging.predict(shipped["global"], np.roll(x[some], 14, axis=1))
    row = found["conditions"]["swap top and bottom"]
    assert row["accepted"] == pytest.approx(np.mean(halves.max(1) > 0.5), abs=1e-4)
    assert row["auroc"] == pytest.approx(scores.auroc(p[some].max(1), halves.max(1)), abs=1e-4)
    right = p[some].argmax(1) == y[some]
    assert row["of_right"] == pytest.approx(np.mean(halves.argmax(1)[right] == y[some][right]), abs=1e-4)
    assert found["conditions"]["attack 0.2"]["accuracy"] <= found["conditions"]["none"]["accuracy"] - 0.3
