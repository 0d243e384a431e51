"""Importing the package leaves the process as it was: collector, signals, warnings and NumPy's error state."""

import subprocess
import sys


def test_importing_changes_nothing_in_the_process():
    program = """
import gc, os, signal, sys, warnings
import numpy as np
def state():
    return (list(gc.callbacks), gc.get_threshold(), gc.get_freeze_count(), gc.isenabled(), list(warnings.filters),
            np.geterr(), signal.getsignal(signal.SIGINT), sys.getrecursionlimit(), sys.getswitchinterval())
before = state()
import tinygrad_edu as te
from tinygrad_edu import nn, optim, data, testing, viz
assert state() == before, (state(), before)
x = y = te.Value(1.0)
for _ in range(20_000):
    y = y * 1.0
caught = []
signal.signal(signal.SIGINT, lambda *_: caught.append(1))
class Sends:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
knot = [Sends()]
knot.append(knot)
del knot
gc.collect()
assert caught == [1]
assert gc.get_freeze_count() == before[2]
print("unchanged")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "unchanged\n", done.stderr
