"""Numbers and arrays from a domain, away from its ends and from points where slopes jump, in any layout in memory.

A domain is what an entry of the table declares: an interval, or the name of a kind of matrix. What is drawn are 0, 1
and other simple numbers, then numbers of three decimals: a failing example can be read.
Source: the laws of IEEE 754 do not depend on layout, nor may a gradient: NumPy, "Internal organization of arrays".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from tinygrad_edu.errors import refusal
from tinygrad_edu.kinds import DTYPE, POINTS, POINTS_OR_TIES, SHAPE, TEXT, WHOLE, expecting, optional
from tinygrad_edu.table import DEFINITE, REALS, REGULAR, TIES
from tinygrad_edu.testing.arguments import draw_matrix, read_only, special, strided, turned
from tinygrad_edu.testing.differences.numeric import Array
from tinygrad_edu.testing.strategies.shapes_and_indices import Shape, shapes, together

Segment = tuple[float, float]

REACH = 10.0  # infinite domains are cut here
MARGIN = 0.1  # from the ends of a domain and from points where slopes jump, so that differences have room
ENTRIES = 64  # of an array, up to which each is drawn, and shrunk, by itself
DECIMALS = 1000  # numbers have three decimals: they can be read
SIMPLE = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 0.25, 1.5, -1.5)


def segments(domain: Any, points: Sequence[float] = ()) -> tuple[Segment, ...]:
    """The parts of an interval that keep a margin from its finite ends and from the points."""
    try:
        low = max(float(domain[0]), -REACH)
        high = min(float(domain[1]), REACH)
    except (TypeError, ValueError, IndexError, KeyError):
        raise refusal(ValueError, f"a domain is (low, high), '{REGULAR}' or '{DEFINITE}', got {domain!r}") from None
    margin = min(MARGIN, MARGIN * (high - low))
    first = low + margin * (domain[0] != -np.inf)
    last = high - margin * (domain[1] != np.inf)
    ends = [first, *(edge for p in sorted(points) for edge in (p - margin, p + margin)), last]
    parts = [(max(a, first), min(b, last)) for a, b in list(pairwise(ends))[::2]]
    found = [(a, b) for a, b in parts if a <= b and domain[0] < domain[1]]
    if not found:
        raise refusal(ValueError, f"the domain {domain!r} has no room beside the points {tuple(points)!r}")
    return tuple(sorted(found, key=lambda part: min(abs(part[0]), abs(part[1]))))


def decimals(part: Segment) -> st.SearchStrategy[float]:
    """Numbers of three decimals in an interval; any floats if it is too narrow for them."""
    first = math.ceil(part[0] * DECIMALS)
    last = math.floor(part[1] * DECIMALS)
    return st.integers(first, last).map(lambda k: k / DECIMALS) if first < last else st.floats(*part)


@lru_cache
def numbers(parts: tuple[Segment, ...]) -> st.SearchStrategy[float]:
    """Simple numbers of some intervals, then any of three decimals."""
    simple = [x for x in SIMPLE if any(low <= x <= high for low, high in parts)]
    return st.one_of(*([st.sampled_from(simple)] if simple else []), *map(decimals, parts))


@expecting(kinks=POINTS_OR_TIES, singular=POINTS, dtype=DTYPE)
def scalars(
    domain: Any = REALS, *, kinks: Any = (), singular: Sequence[float] = (), dtype: DTypeLike = float
) -> st.SearchStrategy[Any]:
    """A strategy of single numbers: Python floats, or NumPy scalars of another dtype.

    Parameters
    ----------
    domain
        The open interval `(low, high)`; infinite ends are cut at 10.
    kinks, singular
        Points to stay away from, as an entry of the table declares them.
    dtype
        A floating point type.

    Raises
    ------
    ValueError
        If nothing is left of the domain.
    """
    kind = np.dtype(dtype)
    drawn = numbers(segments(domain, special(kinks, singular)))
    return drawn if kind is np.dtype(float) else drawn.map(kind.type)


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "C": np.array,
    "F": lambda a: np.array(a, order="F"),
    "reversed": turned,
    "strided": strided,
    "stride-0": lambda a: np.broadcast_to(a[:1], a.shape) if a.ndim else a,
    "read-only": read_only,
}


@expecting(kinks=POINTS_OR_TIES, singular=POINTS, dtype=DTYPE, layout=optional(TEXT))
@st.composite
def tensors(
    draw: Any,
    shape: Any = None,
    domain: Any = REALS,
    *,
    kinks: Any = (),
    singular: Sequence[float] = (),
    dtype: DTypeLike = float,
    layout: str | None = "C",
) -> Array:
    """A strategy of arrays from a domain.

    Parameters
    ----------
    shape
        A shape, a length, or a strategy of shapes; small shapes if None.
    domain
        The open interval `(low, high)`, its infinite ends cut at 10; or `REGULAR` or `DEFINITE` for matrices.
    kinks, singular
        Points to stay away from; `TIES` for entries that differ from each other.
    dtype
        A floating point type.
    layout
        One of `LAYOUTS`: "C", "F", "reversed", "strided", "stride-0" (entries repeat along the first axis),
        "read-only"; any of them if None.

    Raises
    ------
    ValueError
        For a layout or a kind of matrix that does not exist, and if nothing is left of the domain.
    """
    if layout is not None and layout not in LAYOUTS:
        raise refusal(ValueError, f"no layout {layout!r}: one of {', '.join(LAYOUTS)}, or None for any of them")
    size = drawn_shape(draw, shape, matrix=isinstance(domain, str))
    if isinstance(domain, str):
        array = matrix(size, domain, draw(st.integers(0, 2**16)))
    elif kinks == TIES:
        array = apart(draw, size, segments(domain, singular))
    else:
        array = entries(draw, size, segments(domain, special(kinks, singular)))
    chosen = draw(st.sampled_from(list(LAYOUTS))) if layout is None else layout
    return np.asarray(LAYOUTS[chosen](np.asarray(array.astype(dtype))))


def drawn_shape(draw: Any, shape: Any, matrix: bool = False) -> Shape:
    """A shape from what `tensors` takes for one."""
    if shape is None:
        shape = st.integers(1, 3).map(lambda n: (n, n)) if matrix else shapes()
    found = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    return (found,) if isinstance(found, int) else tuple(found)


def entries(draw: Any, shape: Shape, parts: tuple[Segment, ...]) -> Array:
    """Entry by entry; a large array comes from a seed."""
    size = math.prod(shape)
    if size <= ENTRIES:
        return np.array(draw(st.lists(numbers(parts), min_size=size, max_size=size)), dtype=float).reshape(shape)
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    low, high = np.array(parts).T
    widths = high - low + np.finfo(float).tiny  # a part may be a single point
    chosen = rng.choice(len(parts), size, p=widths / np.sum(widths))
    return np.asarray(rng.uniform(low[chosen], high[chosen]).reshape(shape))


def apart(draw: Any, shape: Shape, parts: tuple[Segment, ...]) -> Array:
    """Entries of which no two are equal: different rungs of a ladder."""
    size = math.prod(shape)
    low, high = max(parts, key=lambda part: part[1] - part[0])
    order = draw(st.permutations(range(size)))
    ladder = np.linspace(low, high, 2 * size + 1)[1::2] if size else np.zeros(0)
    return np.asarray(ladder[list(order)].reshape(shape))


def matrix(shape: Shape, kind: str, seed: int) -> Array:
    """Matrices with the singular values 0.6, 1.1, 1.6, ... in some order."""
    if kind not in (REGULAR, DEFINITE) or len(shape) < 2:
        raise refusal(
            ValueError, f"matrices are '{REGULAR}' or '{DEFINITE}', with two axes or more; got {kind!r}, {shape}"
        )
    return draw_matrix(np.random.default_rng(seed), shape, kind)


@expecting(count=WHOLE)
@st.composite
def broadcastable(draw: Any, /, count: int, domain: Any = None, **options: Any) -> tuple[Any, ...]:
    """A strategy of shapes that broadcast together, or of arrays of such shapes if a domain is given.

    Parameters
    ----------
    count
        How many.
    domain, options
        As for `tensors`; without a domain, shapes are drawn.
    """
    drawn = draw(together(count))
    return drawn if domain is None else tuple(draw(tensors(shape, domain, **options)) for shape in drawn)


@expecting(shape=SHAPE, dtype=DTYPE)
@st.composite
def cotangents(draw: Any, shape: Shape, dtype: DTypeLike = float) -> Array:
    """A strategy of random gradients of a result: of both signs, none of them 0 or 1, so that no entry hides.

    Parameters
    ----------
    shape, dtype
        The shape of the result, and its floating point type.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    size = np.round(rng.uniform(0.25, 0.95, shape) + rng.integers(0, 2, shape), 3)
    return np.asarray(np.where(rng.random(shape) < 0.5, -size, size), dtype=dtype)
