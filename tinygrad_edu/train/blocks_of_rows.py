"""A step on dask arrays: each block of rows is computed where dask computes it, and the gradients are added here.

A block gets a copy of the model, and gives back its number of rows, its means, and the gradients of its mean loss.
That depends on nothing else, so a block whose worker has died is computed again by another one and gives the same;
blocks are added in their order, so the number of workers does not matter. Each random generator of the model gets a
seed from itself for every block. Parameters stay arrays of NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import plain
from tinygrad_edu.nn import Module
from tinygrad_edu.train.evaluation import Mean, Metrics, is_blocked, number
from tinygrad_edu.tree import contents

Found = tuple[int, dict[str, float], list[Any]]


def learn_in_blocks(model: Module, loss: Any, metrics: Metrics, batch: list[Any]) -> dict[str, float]:
    """Set the gradients of the mean loss of a batch, and return the means of the loss and of the metrics."""
    from dask.base import compute
    from dask.delayed import delayed

    task, mean = delayed(learn, pure=False), Mean()
    tasks = [task(model, loss, metrics, seeds_of(model), parts) for parts in blocks(batch)]
    found: tuple[Found, ...] = compute(*tasks)  # type: ignore[no-untyped-call]
    for rows, means, _ in found:
        mean.add(rows, means)
    for i, parameter in enumerate(model.parameters()):
        shares = [rows / mean.rows * own[i] for rows, _, own in found if own[i] is not None]
        parameter.gradient = sum(shares[1:], shares[0]).astype(parameter.array.dtype) if shares else None
    return mean.result()


def blocks(batch: list[Any]) -> Iterator[list[Any]]:
    """The blocks of rows of a batch, each with the same rows of all arrays, as dask's or NumPy's."""
    ends = np.cumsum(next(array for array in batch if is_blocked(array)).chunks[0])
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        if start < end:
            yield [array[start:end] for array in batch]


def seeds_of(model: Module) -> list[Any]:
    """A new seed for each random generator of a model, drawn from itself, so that a training can go on from it."""
    return [generator.bytes(16) for generator in generators(model)]


def generators(model: Module) -> list[Any]:
    """The random generators in a model, in order."""
    return [thing for _, thing in contents(model) if isinstance(thing, np.random.Generator | np.random.RandomState)]


def learn(model: Module, loss: Any, metrics: Metrics, seeds: list[bytes], parts: list[Any]) -> Found:
    """What a worker does with a block."""
    own = deepcopy(model)
    for generator, seed in zip(generators(own), seeds, strict=True):
        bits = generator._bit_generator if isinstance(generator, np.random.RandomState) else generator.bit_generator
        bits.state = type(bits)(list(seed)).state
    before = [array.tobytes() for array in own.buffers()]
    *inputs, target = parts
    output = own(*inputs)
    error = loss(output, target)
    error.backward()
    if before != [array.tobytes() for array in own.buffers()]:
        raise refusal(ValueError, "a buffer has changed, such as running statistics: blocks of rows cannot share one")
    means = {name: number(name, metric(plain(output), target)) for name, metric in metrics.items()}
    return len(target), {"loss": number("loss", error), **means}, [p.gradient for p in own.parameters()]
