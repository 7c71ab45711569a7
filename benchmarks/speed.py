"""How fast the capsule layer is, beside the article's: `python -m benchmarks.speed` measures and keeps everything.

Writes `speed.json` and its pictures, section by section: those not asked for stay as they are.
"""

import argparse
import json
import platform
import sys
from functools import partial
from pathlib import Path

import numpy as np

from capslib.backend import keras
from capslib.checks import check_whole
from capslib.records import machine, write_atomically

FOLDER = Path(__file__).parent / "results"

TRAINING, INFERENCE = (64, 500), (1, 500)
"""Batch sizes at which networks are timed."""
GROWTH = {"lower": (49, 98, 196, 392, 784, 1152), "upper": (10, 20, 50, 100), "iterations": tuple(range(1, 9))}
"""One axis at a time; the other two stay as in the article's network."""
ARTICLE = {"lower": 49, "upper": 10, "iterations": 5}
BATCH_OF_GROWTH = 32
TRIED_BATCH = 500
UNSHARED = {"batch": 100, "I": 1152, "D_in": 8, "J": 10, "D_out": 16, "routings": 3}
MEMORY_BATCH = 500
PROCESSES = 6
"""Repetitions of what has a process of its own: the range of 6 values is a 95 % interval of their median."""
EPOCH_BATCHES, EXAMPLES = (16, 32, 64, 128, 500), 55_000
FIT_BATCH, FIT_STEPS, STEPS_PER_EXECUTION = 64, 54, (1, 9, 27)
TOLERANCE = 1e-5


def steps(rounds, log):
    """Training steps and inference of the whole networks, in turn."""
    from benchmarks import contestants
    from benchmarks.timing import take_turns

    networks = {name: contestants.network(name) for name in contestants.NETWORKS}
    x, y = contestants.batch(max(TRAINING + INFERENCE))
    # Inference first: training changes the weights, each network's in its own rounding.
    forward = {name: contestants.inference(model) for name, model in networks.items()}
    found = {"largest_difference": _equal({name: call(x) for name, call in forward.items()}, log)}
    train = {name: contestants.training_step(model) for name, model in networks.items()}
    for kind, sizes in (("inference", INFERENCE), ("training", TRAINING)):
        found[kind] = {}
        for size in sizes:
            part = (x[:size],) if kind == "inference" else (x[:size], y[:size])
            calls = {n: partial(f, *part) for n, f in (forward if kind == "inference" else train).items()}
            # One image takes well under a millisecond, which a clock on a busy machine cannot tell apart.
            times = take_turns(calls, rounds, inner=20 if size == 1 else 1)
            found[kind][str(size)] = _compared(times, f"{kind}, batch {size}", log)
    return found


def memory(rounds, log):
    """Resident memory that a training step needs on top, each in a process of its own."""
    from benchmarks.alone import ask
    from benchmarks.contestants import NETWORKS

    rises, how = {name: [] for name in NETWORKS}, set()
    for _ in range(min(rounds, PROCESSES)):
        for name in NETWORKS:
            told = ask("memory", name, MEMORY_BATCH)
            rises[name].append(told["rise_mib"])
            how.add(told["how"])
    return {"batch": MEMORY_BATCH, "how": " and ".join(sorted(how))} | _compared(rises, "memory", log, unit="mib")


def growth(rounds, log):
    """Forward and backward pass of the layer alone as one of its sizes grows."""
    from benchmarks import contestants
    from benchmarks.timing import take_turns

    found = {"batch": BATCH_OF_GROWTH, "others": ARTICLE, "axes": {}}
    for axis, values in GROWTH.items():
        found["axes"][axis] = []
        for value in values:
            size = ARTICLE | {axis: value}
            I, J, T = (size[key] for key in ("lower", "upper", "iterations"))
            layers = contestants.capsule_layers(I, 32, J, 30, T, True, (*contestants.FORMS, "ours"))
            calls = {n: contestants.forward_and_backward(f, (BATCH_OF_GROWTH, I, 32)) for n, f in layers.items()}
            difference = _equal({name: call() for name, call in calls.items()}, None)
            point = {axis: value, "largest_difference": difference}
            point |= _compared(take_turns(calls, rounds), f"{axis} {value}", log)
            found["axes"][axis].append(point)
    return found


def tried(rounds, log):
    """Forward and backward pass of the shared layer alone, ours beside other ways to route without votes."""
    from benchmarks import contestants
    from benchmarks.timing import ratio, take_turns

    I, J, T = ARTICLE.values()
    layers = contestants.capsule_layers(I, 32, J, 30, T, True, (*contestants.FORMS, *contestants.TRIED, "ours"))
    calls = {name: contestants.forward_and_backward(layer, (TRIED_BATCH, I, 32)) for name, layer in layers.items()}
    found = {"batch": TRIED_BATCH, "largest_difference": _equal({name: call() for name, call in calls.items()}, log)}
    times = take_turns(calls, rounds)
    found |= _compared(times, "tried", log)
    for name in contestants.TRIED:
        found[f"{name}_over_ours"] = ratio(times[name], times["ours"])
        log(f"  {name} ÷ ours: {_told(found[f'{name}_over_ours'])}")
    return found


def unshared(rounds, log):
    """Forward and backward pass of the paper's layer, a W for each lower capsule."""
    from benchmarks import contestants
    from benchmarks.timing import ratio, take_turns

    B, I, D_in, J, D_out, T = UNSHARED.values()
    layers = contestants.capsule_layers(I, D_in, J, D_out, T, False, ("plain", *contestants.FORMS, "ours"))
    calls = {name: contestants.forward_and_backward(layer, (B, I, D_in)) for name, layer in layers.items()}
    found = {"size": UNSHARED, "largest_difference": _equal({name: call() for name, call in calls.items()}, log)}
    found |= _compared(take_turns(calls, rounds), "unshared", log)
    found["plain_over_ours"] = ratio(found["plain"]["ms"], found["ours"]["ms"])
    log(f"  plain einsum form ÷ ours: {_told(found['plain_over_ours'])}")
    return found


def setup(rounds, log):
    """What else the time of a step depends on: oneDNN, XLA, the batch size, steps in one call of Keras' `fit`."""
    from benchmarks import contestants
    from benchmarks.alone import ask
    from benchmarks.timing import ratio, summary, take_turns

    x, y = contestants.batch(max(EPOCH_BATCHES))
    model = contestants.network("ours")
    found = {}

    medians = {"on": [], "off": []}
    for _ in range(min(rounds, PROCESSES)):
        for switch, value in (("on", "1"), ("off", "0")):
            times = ask("steps", "ours", len(x), rounds, TF_ENABLE_ONEDNN_OPTS=value)
            medians[switch].append(round(float(np.median(times)), 4))
    found["onednn"] = {"batch": len(x)} | {switch: summary(values) for switch, values in medians.items()}
    found["onednn"]["off_over_on"] = ratio(medians["off"], medians["on"])
    log(f"oneDNN off ÷ on: {_told(found['onednn']['off_over_on'])}")

    plain, jit = contestants.training_step(model), contestants.training_step(contestants.network("ours"), jit=True)
    times = take_turns({"plain": lambda: plain(x, y), "xla": lambda: jit(x, y)}, rounds)
    found["xla"] = {"batch": len(x)} | {name: summary(values) for name, values in times.items()}
    found["xla"]["xla_over_plain"] = ratio(times["xla"], times["plain"])
    log(f"XLA ÷ without: {_told(found['xla']['xla_over_plain'])}")

    found["xla_routing"] = {}
    compiled = contestants.training_step(contestants.compile_routing(contestants.network("ours")))
    for size in TRAINING:
        calls = {"plain": partial(plain, x[:size], y[:size]), "xla": partial(compiled, x[:size], y[:size])}
        times = take_turns(calls, rounds)
        over = ratio(times["xla"], times["plain"])
        found["xla_routing"][str(size)] = {n: summary(v) for n, v in times.items()} | {"xla_over_plain": over}
        log(f"XLA for routing alone ÷ without, batch {size}: {_told(over)}")

    found["batch"] = {"examples": EXAMPLES}
    times = take_turns({size: partial(plain, x[:size], y[:size]) for size in EPOCH_BATCHES}, rounds)
    for size, values in times.items():
        step = summary(values)
        seconds = round(step["median_ms"] / 1e3 * -(-EXAMPLES // size), 2)
        found["batch"][str(size)] = step | {"seconds_an_epoch": seconds}
        log(f"batch {size}: {step['median_ms']:.2f} ms, {seconds:.1f} s an epoch")

    x, y = (part.numpy() for part in contestants.batch(FIT_BATCH * FIT_STEPS))
    fitted = {}
    for per_call in STEPS_PER_EXECUTION:
        fitted[per_call] = contestants.network("ours")
        fitted[per_call].compile(
            keras.optimizers.Adam(), loss=contestants.margin_loss, metrics=["accuracy"], steps_per_execution=per_call
        )
    times = {per_call: [] for per_call in STEPS_PER_EXECUTION}
    for number in range(1 + rounds):
        for per_call, network in fitted.items():
            timer = contestants.StepTimer()
            network.fit(x, y, FIT_BATCH, verbose=0, callbacks=[timer])
            if number:  # In the first, Keras compiles.
                times[per_call].append(round(timer.ms, 4))
    found["steps_per_execution"] = {"batch": FIT_BATCH, "fit_steps": FIT_STEPS}
    for per_call, values in times.items():
        found["steps_per_execution"][str(per_call)] = summary(values)
        log(f"fit, {per_call} steps in one call: {np.median(values):.2f} ms a step")
    found["steps_per_execution"]["one_over_most"] = ratio(times[STEPS_PER_EXECUTION[0]], times[STEPS_PER_EXECUTION[-1]])
    return found


SECTIONS = {"steps": steps, "memory": memory, "growth": growth, "tried": tried, "unshared": unshared, "setup": setup}


def run(sections=tuple(SECTIONS), folder=FOLDER, rounds=40, log=print):
    """Measure some sections; each is kept, and drawn, as soon as it is done.

    Args:
        sections: names among SECTIONS.
        folder: where to write `speed.json` and the pictures.
        rounds: how often everything is timed; at least 2.
        log: called with lines of progress.

    Returns:
        All that `speed.json` holds now.

    Raises:
        ValueError: if Keras does not run on TensorFlow, `rounds` is too small, or `speed.json` there is not ours.
        RuntimeError: if layers of the same kernel differ by more than TOLERANCE, or a process of its own failed.
    """
    from benchmarks import pictures

    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"KERAS_BACKEND: got {keras.backend.backend()!r}, expected 'tensorflow'")
    check_whole("rounds", rounds, 2)  # With one there is no interval.
    file = Path(folder) / "speed.json"
    try:
        results = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except ValueError as error:
        raise ValueError(f"{file.name}: is no JSON ({error}); remove it to begin anew") from None
    facts = {
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            **{name: sys.modules[name].__version__ for name in ("keras", "tensorflow", "numpy")},
        },
    }
    for name in sections:
        log(f"{name} ({rounds} rounds)")
        # The command of this section alone, so that the file does not depend on what else was asked for.
        command = f"python -m benchmarks.speed --section {name} --steps {rounds}"
        results[name] = {"command": command, **facts, **SECTIONS[name](rounds, log)}
        results = {key: results[key] for key in SECTIONS if key in results}
        text = json.dumps(results, indent=1, ensure_ascii=False)
        write_atomically(file, lambda out, text=text: out.write(_compact(text).encode()))
        pictures.write(results, folder, name)
    return results


def _compact(text):
    """JSON with every list of numbers on one line."""
    lines, inside = [], False
    for line in text.splitlines():
        if inside:
            lines[-1] += ("" if lines[-1].endswith("[") or line.strip()[0] == "]" else " ") + line.strip()
        else:
            lines.append(line)
        begins = line.rstrip().endswith("[")
        inside = begins or (inside and line.strip()[0] != "]")
    return "\n".join(lines) + "\n"


def _equal(outputs, log):
    """The largest difference between the outputs of layers of the same kernel; RuntimeError if it is no rounding."""
    differences = [np.abs(v - outputs["ours"]).max() for name, v in outputs.items() if name != "convolutions"]
    largest = float(np.max(differences))  # Of numbers and a NaN this is NaN, which Python's own would lose.
    if not largest <= TOLERANCE:
        raise RuntimeError(f"outputs of the same kernel differ by {largest:.1e}, expected at most {TOLERANCE:.0e}")
    if log:
        log(f"  largest difference of outputs {largest:.1e}")
    return float(f"{largest:.3g}")


def _compared(values, what, log, unit="ms"):
    """A summary of each, which form of the article's layer takes less, and the two ratios."""
    from benchmarks.contestants import FORMS
    from benchmarks.timing import ratio, summary

    found = {name: summary(one, unit) for name, one in values.items()}
    found["article"] = min(FORMS, key=lambda form: found[form][f"median_{unit}"])
    found["article_over_ours"] = ratio(values[found["article"]], values["ours"])
    line = ", ".join(f"{name} {found[name][f'median_{unit}']:.2f}" for name in values)
    line = f"  {what}: {line} {'MiB' if unit == 'mib' else unit}; article ÷ ours {_told(found['article_over_ours'])}"
    if "convolutions" in values:
        found["ours_over_convolutions"] = ratio(values["ours"], values["convolutions"])
        line += f"; ours ÷ convolutions {_told(found['ours_over_convolutions'])}"
    log(line)
    return found


def _told(ratio):
    low, high = ratio["interval"]
    return f"{ratio['ratio']:.2f} ({low:.2f}–{high:.2f})"


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description="Time the capsule layer.")
    parser.add_argument("--section", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="only these")
    parser.add_argument("--out", default=FOLDER, help="folder to write into (default: benchmarks/results)")
    parser.add_argument("--steps", type=int, default=40, help="how often each is timed (default: 40)")
    given = parser.parse_args(arguments)
    try:
        check_whole("--steps", given.steps, 2)
        run(given.section, given.out, given.steps, partial(print, flush=True))
    except (ValueError, RuntimeError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{parser.prog}: stopped; the sections that were done are kept")


if __name__ == "__main__":
    main()
