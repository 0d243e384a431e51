"""Small trainings to record: networks, optimisers written by hand, and the steps as they should be found."""

from itertools import pairwise

import numpy as np

from tinygrad_edu import Value
from tinygrad_edu.viz.training.recorder import Recorder
from tinygrad_edu.viz.training.watch import watch

X = np.linspace(-1.0, 1.0, 12).reshape(6, 2)
Y = np.array([[0.0], [1.0], [0.0], [1.0], [1.0], [0.0]])


def parameters(seed=0, depth=2, width=4):
    """The weights and biases of a network from 2 inputs to 1 output."""
    rng, sizes = np.random.default_rng(seed), [2, *[width] * (depth - 1), 1]
    found = {}
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        found[f"w{i}"] = Value(rng.normal(size=(inputs, outputs)))
        found[f"b{i}"] = Value(np.zeros(outputs))
    return found


def network(found, x):
    """The network, with ReLU between its layers."""
    layers = len(found) // 2
    for i in range(layers):
        x = x @ found[f"w{i}"] + found[f"b{i}"]
        x = x.relu() if i < layers - 1 else x
    return x


def mean_square(found):
    return np.mean((network(found, X) - Y) ** 2)


def clear(found):
    for p in found.values():
        p.grad = None


def descend(found, lr=0.1):
    for p in found.values():
        p.data = p.data - lr * p.grad


def trained(steps=8, depth=2, width=4, lr=0.1, **options):
    """The recording of a training by plain gradient descent."""
    found = parameters(depth=depth, width=width)
    with watch(found, predict=lambda x: network(found, x), **options) as w:
        for _ in range(steps):
            clear(found)
            mean_square(found).backward()
            descend(found, lr)
    return w


def history_of(*rows, names=("a", "b")):
    """A history with a loss, gradients and updates given outright: parameters of one entry each."""
    recorder = Recorder({name: Value(1.0) for name in names})
    for loss, gradient, update in rows:
        data = np.ones(len(names))
        recorder.history.add(loss, 1, data, np.array(gradient, dtype=float), data + np.array(update, dtype=float))
    return recorder.history
