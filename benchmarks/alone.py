"""One measurement in a process of its own: `python -m benchmarks.alone memory ours 500` prints it as JSON.

Memory that one network has taken would be there for the next, and TensorFlow reads its switches once, so some things
can only be measured so.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def ask(*arguments, **environment):
    """Run this module on its own and return what it prints.

    Args:
        arguments: as on its command line.
        environment: variables to set for it.

    Raises:
        RuntimeError: with the end of what it said, if it failed.
    """
    command = [sys.executable, "-m", "benchmarks.alone", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def peak_of_steps(name, size, steps=3):
    """How far the resident memory of this process rises above what it holds, during training steps of one network.

    Before the mark, the network, its optimizer and the digits are in memory, and the step has been compiled and taken
    with two digits: what is measured is what a step of this size needs on top.

    Args:
        name: of the network.
        size: examples in a batch.
        steps: how many are taken; memory can still grow after the first.

    Returns:
        A dict with rise_mib, and how it was read: "VmHWM", or "ru_maxrss" where the system has no /proc.
    """
    from benchmarks import contestants

    step = contestants.training_step(contestants.network(name))
    x, y = contestants.batch(size)
    step(x[:2], y[:2])
    before, _ = resident(reset=True)
    for _ in range(steps):
        step(x, y)
    after, how = resident()
    return {"rise_mib": round(after - before, 2), "how": how}


def resident(reset=False):
    """The high-water mark of this process's resident memory in MiB, and how it was read.

    Args:
        reset: first lower the mark to what is held now, where the system lets us.
    """
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        import resource

        mark = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return mark / (2**20 if sys.platform == "darwin" else 2**10), "ru_maxrss"
    return int(status.split("VmHWM:")[1].split()[0]) / 2**10, "VmHWM"


def steps(name, size, rounds):
    """Milliseconds of training steps of one network."""
    from benchmarks import contestants, timing

    step = contestants.training_step(contestants.network(name))
    x, y = contestants.batch(size)
    return timing.take_turns({name: lambda: step(x, y)}, rounds)[name]


if __name__ == "__main__":
    what, name, *numbers = sys.argv[1:]
    print(json.dumps({"memory": peak_of_steps, "steps": steps}[what](name, *map(int, numbers))))
