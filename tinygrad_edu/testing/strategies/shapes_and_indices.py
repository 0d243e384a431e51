"""Shapes, small ones, ones that broadcast together and ones that fit a signature; and every kind of index.

Basic indices are views; lists, integer arrays and masks copy, and may pick an entry twice: then its gradient is a
sum. Both kinds together have rules of their own, so they are mixed here.

Sources: NumPy's "Generalized universal function API", for signatures such as `(m,n),(n,p)->(m,p)`; NumPy's reference,
"Indexing on ndarrays".
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_edu.errors import lies_across, refusal
from tinygrad_edu.kinds import SHAPE, SIZE, TEXT, WHOLE, expecting

Shape = tuple[int, ...]

TERM = r"\((?:\w+(?:,\w+)*)?\)"
SIGNATURE = re.compile(rf"{TERM}(?:,{TERM})*->{TERM}(?:,{TERM})*")


@expecting(min_rank=SIZE, max_rank=SIZE, shortest=SIZE, longest=SIZE)
def shapes(min_rank: int = 0, max_rank: int = 2, shortest: int = 1, longest: int = 3) -> st.SearchStrategy[Shape]:
    """A strategy of small shapes, `()` first.

    Parameters
    ----------
    min_rank, max_rank
        How many axes there are.
    shortest, longest
        How long an axis is; 0 lets arrays be empty.
    """
    return st.lists(st.integers(shortest, longest), min_size=min_rank, max_size=max_rank).map(tuple)


@expecting(signature=TEXT, longest=WHOLE)
@st.composite
def shapes_for(draw: Any, signature: str, longest: int = 3) -> tuple[Shape, ...]:
    """One shape for each argument of a signature.

    Parameters
    ----------
    signature
        As of a generalized ufunc: `(m,n),(n,p)->(m,p)`; a name is one length everywhere, a number is itself.
    longest
        How long an axis is at most.

    Raises
    ------
    ValueError
        For text that is not such a signature.
    """
    text = signature.replace(" ", "")
    if not SIGNATURE.fullmatch(text):
        raise refusal(
            ValueError, f"{signature!r} is not a signature: write one such as '(m,n),(n,p)->(m,p)' or '(n),()->()'"
        )
    terms = [term[1:-1].split(",") if len(term) > 2 else [] for term in re.findall(TERM, text.partition("->")[0])]
    names = dict.fromkeys(name for term in terms for name in term)
    lengths = {name: int(name) if name.isdigit() else draw(st.integers(1, longest)) for name in names}
    return tuple(tuple(lengths[name] for name in term) for term in terms)


def calm(x: Shape, y: Shape) -> bool:
    """Whether two shapes broadcast, and without the engine's warning."""
    try:
        np.broadcast_shapes(x, y)
    except ValueError:
        return False
    return len(x) == len(y) or not lies_across(x, y)


def narrower(shape: Shape) -> list[Shape]:
    """Every shape that broadcasts to a given one: the same, with axes of length 1, without leading axes."""
    found = [shape]
    for axis, length in enumerate(shape):
        found += [(*other[:axis], 1, *other[axis + 1 :]) for other in found if length != 1]
    return list(dict.fromkeys([other[lead:] for lead in range(len(shape) + 1) for other in found]))


@st.composite
def together(draw: Any, count: int, max_rank: int = 2, longest: int = 3) -> tuple[Shape, ...]:
    """Shapes that broadcast with each other, none of them a pair that the engine warns of."""
    full = draw(shapes(max_rank=max_rank, longest=longest))
    found = [draw(st.sampled_from(narrower(full))) for _ in range(count)]
    if not all(calm(x, y) for x, y in combinations(found, 2)):
        found = [(1,) * (len(full) - len(shape)) + shape for shape in found]
    return tuple(found)


@expecting(shape=SHAPE)
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
