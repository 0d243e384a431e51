"""Indices: everything that NumPy takes between brackets.

Basic indices are views; lists, integer arrays and masks copy, and may pick an entry twice: then its gradient is a
sum. Both kinds together have rules of their own, so they are mixed here.
Source: NumPy's reference, "Indexing on ndarrays".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

Shape = tuple[int, ...]


@st.composite
def indices(draw: Any, shape: Shape) -> Any:
    """An index of an array: integers, slices, `...`, new axes, lists with repeats, masks, and mixtures.

    Parameters
    ----------
    shape
        Of the array to be indexed.
    """
    kind = draw(st.sampled_from(["one", "several", "repeats", "mask"]))
    if kind == "mask":
        size = int(np.prod(shape))
        return np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool).reshape(shape)
    if kind == "repeats" and shape and shape[0]:
        return draw(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=4))
    parts = [draw(part(length)) for length in shape[: draw(st.integers(0, len(shape)))]]
    if kind == "one" and len(parts) == 1:
        return parts[0]
    return mixed(draw, parts, len(shape))


@st.composite
def part(draw: Any, length: int) -> Any:
    """The index of one axis; whole numbers and pairs of them only if it is not empty."""
    kinds = ["slice", "number", "array"] if length else ["slice"]
    kind = draw(st.sampled_from(kinds))
    place = st.integers(-length, length - 1) if length else st.none()
    if kind == "number":
        return draw(place)
    if kind == "array":
        return np.array(draw(st.lists(place, min_size=2, max_size=2)))
    steps = st.sampled_from([None, 1, 2, -1, -2])
    end = st.none() | st.integers(-length - 1, length + 1)
    return slice(draw(end), draw(end), draw(steps))


def mixed(draw: Any, parts: list[Any], rank: int) -> tuple[Any, ...]:
    """A tuple of parts, with an ellipsis or new axes somewhere."""
    at = draw(st.integers(0, len(parts)))
    if draw(st.booleans()):
        moved = parts[at:] if len(parts) == rank else []  # the axes after an ellipsis are counted from the end
        parts = [*parts[:at], ..., *moved]
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)
