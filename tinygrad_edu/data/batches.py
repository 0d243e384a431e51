"""Batches: rows in random order, a few at a time; and rows put aside to test on.

The gradient over a few rows has almost the direction of the gradient over all rows, and costs a fraction of it. How
well a network has learnt is measured on rows that were put aside: those that it trained on it may know by heart.
Source: Bottou, Curtis and Nocedal, "Optimization methods for large-scale machine learning" (2018), section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import Generator, Seed, arrayed, generator, plain
from tinygrad_edu.kinds import FLAG, NUMBER, check, whole
from tinygrad_edu.names import spelled

Array = np.ndarray[Any, Any]


def rows_of(arrays: tuple[Any, ...], names: str) -> list[Any]:
    """All of them as arrays with as many rows as each other, at least one."""
    if any(isinstance(array, tuple) and any(np.ndim(plain(part)) for part in array) for array in arrays):
        raise refusal(TypeError, "a tuple of arrays was given: use minibatches(*arrays, batch_size=32)")
    found = [array if isinstance(array, Node) else arrayed(array) for array in arrays]
    shapes = [np.shape(plain(array)) for array in found]
    given = f"{names} {'is' if len(shapes) == 1 else 'are'} {', '.join(map(str, shapes))}"
    if not shapes:
        raise refusal(TypeError, "no arrays were given: minibatches(x, y, batch_size=32)")
    if () in shapes or len({shape[0] for shape in shapes}) > 1:
        raise refusal(ValueError, f"{given}; they must have as many rows as each other")
    if shapes[0][0] == 0:
        raise refusal(ValueError, f"{given}: there are no rows")
    return found


@dataclass(eq=False)
class Minibatches:
    """Arrays, a few rows at a time: every loop over it is one pass through all rows, in an order of its own.

    `len` is the number of batches. Made by `minibatches`.
    """

    arrays: list[Any]
    batch_size: int
    shuffle: bool
    drop_last: bool
    rng: Generator

    def __len__(self) -> int:
        rows = len(self.arrays[0])
        return rows // self.batch_size if self.drop_last else -(-rows // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        rows = len(self.arrays[0])
        order = self.rng.permutation(rows) if self.shuffle else np.arange(rows)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            pick = order[start : start + self.batch_size]
            batch = tuple(array[pick] for array in self.arrays)
            yield batch if len(batch) > 1 else batch[0]


@spelled
def minibatches(
    *arrays: Any, batch_size: int, shuffle: bool = True, drop_last: bool = False, rng: Seed = None
) -> Minibatches:
    """Go through the rows of arrays a few at a time, as often as you loop over the result.

    Parameters
    ----------
    *arrays
        (rows, ...) each, such as inputs and targets; row i of one belongs to row i of the others. What is no array is
        a TypeError at the call, different numbers of rows, or none, are a ValueError.
    batch_size
        How many rows at a time, at least 1; the last batch may be smaller.
    shuffle, drop_last, rng
        Whether every pass has a random order of its own; whether a last batch that is smaller is left out, which is a
        ValueError if none is left; a seed or a generator.

    Returns
    -------
    Minibatches
        Gives a tuple of batches, (batch, ...) each, one for each array; for a single array the batch itself.

    Examples
    --------
    >>> for x, y in minibatches([[1.0], [2.0], [3.0]], [0, 1, 0], batch_size=2, shuffle=False):
    ...     print(x.ravel(), y)
    [1. 2.] [0 1]
    [3.] [0]
    """
    found = rows_of(arrays, "the arrays" if len(arrays) != 1 else "the array")
    size = whole("batch_size", batch_size)
    check("minibatches", {"shuffle": FLAG, "drop_last": FLAG}, {"shuffle": shuffle, "drop_last": drop_last})
    rows = len(found[0])
    if drop_last and rows < size:
        raise refusal(ValueError, f"drop_last leaves no batch of {rows} rows: batch_size is {size}")
    return Minibatches(found, size, shuffle, drop_last, generator(rng))


@spelled
def train_test_split(x: Array, y: Array, test: float = 0.2, rng: Seed = None) -> tuple[Array, Array, Array, Array]:
    """Put a random part of the rows aside.

    Parameters
    ----------
    x, y, rng
        As for `minibatches`.
    test
        The fraction to put aside, in (0, 1), rounded to whole rows; a part without rows is a ValueError.

    Returns
    -------
    tuple
        x to train on, x to test on, y to train on, y to test on.
    """
    x, y = rows_of((x, y), "x and y")
    check("train_test_split", {"test": NUMBER}, {"test": test})
    rows = len(x)
    aside = round(rows * test) if 0 < test < 1 else 0
    if not 0 < aside < rows:
        raise refusal(ValueError, f"test is {test} of {rows} rows; both parts must hold at least one row")
    held, kept = np.split(generator(rng).permutation(rows), [aside])
    return x[kept], x[held], y[kept], y[held]
