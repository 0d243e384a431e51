"""A training that dies at a random call of a random function, again and again, and is resumed; prints what was found.

`python killed_fit.py ROUNDS FOLDER WAY`, where WAY is "kill" (kill -9), "interrupt" (Ctrl-C) or "full" (a full disk).
The child counts calls and dies at one that was drawn beforehand, so that every run of this program does the same.
"""

import json
import os
import pickle
import random
import resource
import signal
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import safetensors.numpy  # noqa: F401 - so that the calls that are counted are those of the training
import tqdm  # noqa: F401

from tinygrad_edu import nn, optim, train

X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
Y = np.tanh(X[:, :1] * X[:, 1:2])
EPOCHS, STEPS = 3, 9
os.fsync = lambda file: None  # it is for power failures, and slow; what a killed program has written is there


class Network(nn.Module):
    """float32, with dropout from a generator of its own and from NumPy's global one, and a running mean."""

    def __init__(self):
        self.hidden = nn.Linear(3, 8, rng=0, dtype=np.float32)
        self.out = nn.Linear(8, 1, rng=1, dtype=np.float32)
        self.rng = np.random.default_rng(5)
        self.mean = np.zeros(8, np.float32)

    def forward(self, x):
        h = np.tanh(self.hidden(x))
        if self.training:
            self.mean = np.float32(0.9) * self.mean + np.float32(0.1) * h.data.mean(axis=0)
            h = h * ((self.rng.random(h.shape) > 0.2) & (np.random.random(h.shape) > 0.1))
        return self.out(h - self.mean)


def fitted(path, resume, after_step=()):
    """The fingerprint of everything that a training leaves; all of it is seeded."""
    np.random.seed(3)
    random.seed(3)
    noise = random.Random(4)
    model = Network()
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    schedule = optim.reduce_on_plateau(0.05, factor=0.5, patience=1)
    history = train.fit(
        model, nn.mse_loss, optimizer, (X, Y), epochs=EPOCHS, batch_size=8, validation=(X[:9], Y[:9]), clip=0.5,
        metrics={"error": lambda p, y: np.abs(p - y).mean()}, schedule=schedule, patience=EPOCHS, checkpoint=path,
        resume=resume, rng=7, after_step=[lambda step: noise.random() + random.random(), *after_step],
    )  # fmt: skip
    if history.ended == "Ctrl-C":
        return "interrupted"
    assert {a.dtype for a in model.state_dict().values()} == {np.dtype(np.float32)}
    left = [model.state_dict(), optimizer.state_dict(), history.as_dict(), schedule.state_dict()]
    left += [model.rng.bit_generator.state, np.random.random(), random.random(), noise.random()]
    return sha256(pickle.dumps(left)).hexdigest()


class Dies:
    """A profile function: the calls so far, and what happens at one of them."""

    def __init__(self, at, end=lambda: None):
        self.at, self.end, self.calls = at, end, 0

    def __call__(self, frame, event, argument):
        self.calls += event.endswith("call")
        if self.calls == self.at and event.endswith("call"):
            self.end()


def child(work):
    """What a function gives in a process of its own; None if that died."""
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        try:
            os.write(writer, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(said) if said else None


def until(calls, path, way):
    """A training that dies at one of its calls."""
    sent = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT}

    def work():
        if way == "full":
            size, first = calls % 3_000, calls % STEPS  # bytes to which a file may grow, from a step on
            full = lambda step: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            try:
                return fitted(path, True, [lambda step: full(step) if step.number >= first else None])
            except OSError:
                return "no space"
        sys.setprofile(Dies(calls, lambda: signal.raise_signal(sent[way])))
        try:
            return fitted(path, True)
        except KeyboardInterrupt:
            return "interrupted outside of the loop"
        finally:
            sys.setprofile(None)

    return child(work)


def counted(path):
    """How many calls a training makes."""
    counter = Dies(0)
    sys.setprofile(counter)
    fitted(path, False)
    sys.setprofile(None)
    return counter.calls


if __name__ == "__main__":
    rounds, folder, way = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    whole = child(lambda: fitted(None, False))
    calls, rng = child(lambda: counted(folder / "counted")), random.Random(0)
    found = {"same": 0, "died": 0, "with a file": 0, "rounds": rounds}
    for i in range(rounds):
        path = folder / str(i)
        outcome = until(rng.randrange(calls), path, way)
        found["died"] += outcome != whole
        found["with a file"] += path.exists()
        if i % 5 == 0:
            until(rng.randrange(calls // 2), path, way)
        found["same"] += child(lambda path=path: fitted(path, True)) == whole
    print(json.dumps(found))
