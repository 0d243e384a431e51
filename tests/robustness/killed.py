"""A program that is killed while it saves, again and again; prints what was found, as JSON.

The child saves 1, 2, 3, ... into one file and says each number before it starts; after `kill -9` the file has to hold
the last number said or the one before. `python killed.py ROUNDS FOLDER METHOD`, METHOD is "atomic" or "in place".
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

import tinygrad_edu as te
from tinygrad_edu import saving

SIZE = 2**15  # numbers in each of two arrays


class Counter:
    """A model of which every number is the same."""

    def __init__(self, number):
        self.load_state_dict({"a": np.full(SIZE, number, float), "b": np.full(SIZE, number, float)})

    def state_dict(self):
        return self.arrays

    def load_state_dict(self, state):
        self.arrays = dict(state)


def in_place(path, content):
    """The fault to be found: the old file is gone before the new one is there."""
    with open(path, "wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        file.write(content[len(content) // 2 :])


def save_forever(path, start, pipe):
    """Say the next number, save it, and so on."""
    for number in range(start, sys.maxsize):
        os.write(pipe, number.to_bytes(8, "little"))
        te.save(Counter(number), path)


def killed(path, start, wait):
    """The last number that a child said before it was killed."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.close(reader)
        save_forever(path, start, writer)
    os.close(writer)
    first = os.read(reader, 8)
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    said = first + os.read(reader, 1 << 16)
    os.close(reader)
    return int.from_bytes(said[-8:], "little")


def rounds(count, folder, rng):
    """Kill and look, `count` times: how often the file held the old or the new state, neither, or a mixture."""
    path, number = folder / "model", 0
    found = {"old": 0, "new": 0, "broken": 0, "interrupted": 0}
    te.save(Counter(number), path)
    for _ in range(count):
        said = killed(path, number + 1, rng.uniform(0, 0.02))
        try:
            model = Counter(-1)
            te.load(model, path)
            values = {float(v) for array in model.arrays.values() for v in np.unique(array)}
        except te.CheckpointError:
            values = set()
        state = "new" if values == {said} else "old" if values == {said - 1} else "broken"
        found[state] += 1
        left = [p for p in folder.iterdir() if p != path]
        found["interrupted"] += bool(left)
        for p in left:
            p.unlink()
        number = said
        te.save(Counter(number), path)
    return found


if __name__ == "__main__":
    count, folder, method = sys.argv[1:]
    if method == "in place":
        saving.write = in_place
    print(json.dumps(rounds(int(count), Path(folder), random.Random(0))))
