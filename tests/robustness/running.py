"""What the robustness tests share: fresh interpreters, small stacks, and how much longer ten times the work takes."""

import gc
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONG = os.environ.get("HYPOTHESIS_PROFILE") in ("nightly", "thorough")
SMALL_STACK = 512 * 1024
ATTEMPTS = 5


def fresh(code, *arguments, flags=(), **environment):
    """What a program prints in an interpreter of its own; its warnings are errors."""
    command = [sys.executable, "-W", "error", *flags, "-c", code, *map(str, arguments)]
    around = os.environ | {"PYTHONPATH": os.fspath(ROOT), "OPENBLAS_NUM_THREADS": "1"} | environment
    done = subprocess.run(command, env=around, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def figures(code, *arguments):
    """The numbers that a program prints as JSON."""
    return json.loads(fresh(code, *arguments))


def on_a_small_stack(work):
    """The result of a function in a thread with a stack of 512 kB."""
    before = threading.stack_size(SMALL_STACK)
    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work).result()
    finally:
        threading.stack_size(before)


def seconds(work, size):
    """The time of the processor that some work takes; what else lives here is not searched for garbage meanwhile."""
    gc.freeze()
    start = time.process_time()
    work(size)
    return time.process_time() - start


class Plain:
    """An object with slots, such as a node, that nothing has been done to make fast."""

    __slots__ = ("args", "data", "grad", "number", "op", "saved")


def slowness():
    """How many times slower than 0.05 s it is here to make 100,000 plain objects."""

    def work(count):
        made = [None]
        for i in range(count):
            x = Plain()
            x.args, x.data, x.grad, x.number, x.op, x.saved = (made[-1], i), i * 0.5, None, i, "op", (i, i)
            made.append(x)

    return max(1.0, min(seconds(work, 100_000) for _ in range(3)) / 0.05)  # a pause does not loosen a limit


def within(took, limit):
    """Whether some work took less than a limit in seconds, which grows with how slow it is here to make objects."""
    return took < limit or took < limit * slowness()


def growth(work, size, below):
    """How much longer some work takes at ten times the size: the best of a few attempts, ended when it fits."""
    work(size // 10)  # whatever is done only once
    best = float("inf")
    for _ in range(ATTEMPTS):
        best = min(best, seconds(work, 10 * size) / min(seconds(work, size) for _ in range(3)))
        if best < below:
            break
    return best
