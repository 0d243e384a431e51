"""Batches: rows in random order, a few at a time; and rows put aside to test on.

The gradient over a few rows has almost the direction of the gradient over all rows, and costs a fraction of it. How
well a network has learnt is measured on rows that were put aside: those that it trained on it may know by heart.

Source: Bottou, Curtis and Nocedal, "Optimization methods for large-scale machine learning" (2018), section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal

Array = np.ndarray[Any, Any]
Seed = int | np.random.Generator | None


def expect_pairs(x: Any, y: Any) -> tuple[Any, Any]:
    """Both as arrays, with as many rows as each other."""
    x, y = (a if hasattr(a, "dtype") else np.asarray(a) for a in (x, y))
    if np.ndim(x) == 0 or np.ndim(y) == 0 or len(x) != len(y):
        raise refusal(
            ValueError, f"x is {np.shape(x)}, y is {np.shape(y)}; they must have as many rows as each other"
        )
    return x, y


def minibatches(x: Array, y: Array, batch_size: int, rng: Seed = None) -> Iterator[tuple[Array, Array]]:
    """Go once through the rows in random order, a few at a time.

    Parameters
    ----------
    x, y
        (rows, ...); row i of x belongs to row i of y.
    batch_size
        How many rows at a time, at least 1; the last batch may be smaller.
    rng
        A seed or a generator; a generator gives another order at every call.

    Yields
    ------
    tuple
        The rows of x and those of y, (batch, ...) each.

    Raises
    ------
    TypeError, ValueError
        At the call, for different numbers of rows, and for a batch size that is no whole number or below 1.
    """
    x, y = expect_pairs(x, y)
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer):
        raise refusal(TypeError, f"batch_size is a whole number; got a {type(batch_size).__name__}")
    if batch_size < 1:
        raise refusal(ValueError, f"batch_size is {batch_size}; it must be at least 1")
    order = np.random.default_rng(rng).permutation(len(x))
    picks = (order[i : i + batch_size] for i in range(0, len(x), batch_size))
    return ((x[pick], y[pick]) for pick in picks)


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
    x, y = expect_pairs(x, y)
    rows = len(x)
    aside = round(rows * test) if 0 < test < 1 else 0
    if not 0 < aside < rows:
        raise refusal(ValueError, f"test is {test} of {rows} rows; both parts must hold at least one row")
    order = np.random.default_rng(rng).permutation(rows)
    held = order[:aside]
    kept = order[aside:]
    return x[kept], x[held], y[kept], y[held]
