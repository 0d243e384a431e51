"""What recording and differentiating cost beside the same NumPy calls without a graph, and what a chain costs."""

import argparse
import gc
import tracemalloc
from statistics import median
from time import perf_counter

import numpy as np

import tinygrad_edu as te
from tinygrad_edu import Value

ROUNDS = 333
START, WEIGHT, BIAS = np.full((4, 4), 1.0), np.full((4, 4), 0.999), np.full((4, 4), 0.0013)


def by_hand():
    """Forward and backward of relu(x * w + b), 333 times, in plain NumPy."""
    x, saved = START, []
    for _ in range(ROUNDS):
        before = x
        product = before * WEIGHT + BIAS
        x = np.maximum(product, 0)
        saved.append((before, product))
    g, gradient, bias = np.ones_like(x), np.zeros_like(x), np.zeros_like(x)
    for before, product in reversed(saved):
        g = g * (product > 0)
        bias += g
        gradient += g * before
        g = g * WEIGHT
    return gradient


def recorded():
    """The same with Values."""
    x, weight, bias = Value(START), Value(WEIGHT), Value(BIAS)
    for _ in range(ROUNDS):
        x = (x * weight + bias).relu()
    x.sum().backward()
    return weight.grad


def once_more(verifying):
    """Seconds of a backward pass through the same graph, verified or not; the forward pass was neither."""
    x, weight = Value(START), Value(WEIGHT)
    for _ in range(ROUNDS):
        x = (x * weight + BIAS).relu()
    loss = x.sum()
    with te.verified(verifying):
        return seconds(loss.backward)


def seconds(function):
    """How long one call takes."""
    start = perf_counter()
    function()
    return perf_counter() - start


def chain(length):
    """Seconds forward and backward, and bytes, of a node in a chain of single numbers."""
    x = Value(1.0)
    start, y = perf_counter(), x
    for _ in range(length):
        y = y * 1.0000001
    middle = perf_counter()
    y.backward()
    times = middle - start, perf_counter() - middle
    del x, y
    gc.collect()
    tracemalloc.start()
    y = Value(1.0)
    for _ in range(length // 10):
        y = y * 1.0000001
    y.backward()
    size = tracemalloc.get_traced_memory()[0] / (length // 10)
    tracemalloc.stop()
    return times[0] / length, times[1] / length, size


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60, help="how often each is timed (default: 60)")
    parser.add_argument("--length", type=int, default=1_000_000, help="nodes of the chain (default: 1,000,000)")
    given = parser.parse_args()
    np.testing.assert_allclose(recorded(), by_hand(), rtol=1e-12)
    pairs = [(seconds(by_hand), seconds(recorded)) for _ in range(given.runs)]
    numpy, ours = (1e6 * median(times) / (3 * ROUNDS) for times in zip(*pairs, strict=True))
    print(f"{3 * ROUNDS} operations on (4, 4), forward and backward, per operation")
    print(f"  NumPy without a graph {numpy:6.2f} us")
    print(f"  tinygrad_edu          {ours:6.2f} us, {median(b / a for a, b in pairs):.2f} times as long")
    both = [(once_more(False), once_more(True)) for _ in range(given.runs)]
    print(f"  a verified pass takes {median(b / a for a, b in both):.2f} times as long as another")
    forward, backward, size = chain(given.length)
    print(f"chain of {given.length:,} single numbers, per node")
    print(f"  forward {1e6 * forward:.2f} us, backward {1e6 * backward:.2f} us, {size:.0f} bytes")


if __name__ == "__main__":
    main()
