"""Arguments for an operation, drawn from what its entry in the table declares.

Numbers keep away from the ends of the domain, from kinks and singular points, and from each other, so that
differences have room on both sides: they are rungs of a ladder. Matrices have singular values of known distance.

Source: Claessen and Hughes, "QuickCheck" (2000): tests derived from a declaration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.table import DEFINITE, MULTIPLES, REGULAR, TIES, Case, Op
from tinygrad_edu.testing.differences.numeric import Array
from tinygrad_edu.value import Value, apply

REACH = 2.5  # infinite domains are cut here: exp and powers keep their digits, and most functions bend
MARGIN = 0.15  # from ends and special points; differences reach half of it, a hundred times their step
RUNGS = 200  # of the ladder that numbers are drawn from
BETWEEN = 8  # rungs between two numbers of one array, so that no step makes a tie
SHAPES: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((3,),), ((),), ((2, 2),), ((16,),)],
    2: [((3,), (3,)), ((3, 1), (1, 2)), ((), (2,)), ((1,), (2, 3)), ((2, 3), (3,)), ((), ()), ((16,), (16,))],
}


class Drawn(NamedTuple):
    """The arrays and options of a call, and how far they are from the nearest kink or singularity."""

    arrays: list[Any]
    options: dict[str, Any]
    distance: float


class Entry(NamedTuple):
    """A call of an operation: its entry in the table, the drawn arguments, and up to which order it is checked."""

    op: Op
    drawn: Drawn
    order: int


def calls(op: Op) -> list[Case]:
    """The shapes and options that an entry shows, or that any elementwise function takes."""
    if op.cases or op.variadic:
        return list(op.cases)
    count = len(op.pullbacks)  # type: ignore[arg-type]
    return [(shapes, {}) for shapes in SHAPES.get(count, [((),) * count, ((2, 3),) + ((3,),) * (count - 1)])]


def emptied(shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The shapes with every axis empty that is as long as the last of the first argument with axes."""
    length = next((shape[-1] for shape in shapes if shape), None)
    return [tuple(0 if n == length else n for n in shape) for shape in shapes]


def intervals(op: Op, count: int) -> list[Any]:
    """The domain of each argument."""
    single = isinstance(op.domain, str) or isinstance(op.domain[0], int | float)
    return [op.domain] * count if single else list(op.domain)


def special(kinks: Any, singular: Sequence[float]) -> list[float]:
    """The points among what an entry declares; `TIES` and `MULTIPLES` are none."""
    return [*singular, *(() if isinstance(kinks, str) else kinks)]


def draw(op: Op, rng: np.random.Generator, call: Case) -> Drawn:
    """Arguments for a call, in the interior of what the entry declares."""
    shapes, options = call
    points = special(op.kinks, op.singular)
    parts = intervals(op, len(shapes))
    drawn = [draw_array(rng, shape, part, points) for shape, part in zip(shapes, parts, strict=True)]
    arrays = [array for array, _ in drawn]
    distance = min((far for _, far in drawn), default=MARGIN)
    if op.kinks == TIES:
        distance = min([distance, *(0.16 * gap(part, shape) for part, shape in zip(parts, shapes, strict=True))])
        if len(arrays) == 2:
            arrays[1] = arrays[1] + 4 / 3 * distance  # between the rungs of the first
    if op.kinks == MULTIPLES:
        arrays = [2.25 + 0.04 * arrays[0], 1.5 + 0.1 * arrays[1]]  # the second fits once into the first, and more
    return Drawn(arrays, options, distance)


def ends(part: Any) -> tuple[float, float, float]:
    """The interval to draw from, and the margin at its ends."""
    low = max(part[0], -REACH)
    high = min(part[1], REACH)
    return low, high, min(MARGIN, MARGIN * (high - low))


def gap(part: Any, shape: tuple[int, ...]) -> float:
    """How far the numbers of one array are from each other, at least."""
    if isinstance(part, str):
        return 1.0
    low, high, margin = ends(part)
    return BETWEEN * (high - low - 2 * margin) / (rungs(shape) - 1)


def rungs(shape: tuple[int, ...]) -> int:
    """How many candidates there are for an array."""
    return max(RUNGS, 2 * BETWEEN * int(np.prod(shape)))


def draw_array(
    rng: np.random.Generator, shape: tuple[int, ...], part: Any, points: Sequence[float] = ()
) -> tuple[Array, float]:
    """Numbers of an interval, away from its ends, from special points and from each other; and how far away."""
    if isinstance(part, str):
        return draw_matrix(rng, shape, part), MARGIN
    low, high, margin = ends(part)
    size = int(np.prod(shape))
    ladder = np.linspace(low + margin, high - margin, rungs(shape))
    ladder = ladder[np.all(np.abs(ladder[:, None] - np.asarray([*points, np.inf])) > margin, axis=1)]
    candidates = np.arange(0, len(ladder) - BETWEEN + 1, BETWEEN)
    if size < BETWEEN:
        chosen = rng.choice(candidates, size, replace=False)
    else:  # from all over the domain
        steps = np.arange(size + 1) * len(candidates) // size
        chosen = rng.permutation(candidates[rng.integers(steps[:-1], steps[1:])])
    return ladder[chosen].reshape(shape), margin


def draw_matrix(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> Array:
    """Matrices whose singular values are 0.6, 1.1, 1.6, ... in some order."""
    if kind not in (REGULAR, DEFINITE):
        raise refusal(ValueError, f"no such domain: {kind!r}; use an interval (low, high), REGULAR or DEFINITE")
    u, _, vt = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    s = 0.6 + 0.5 * rng.permutation(min(shape[-2:]))
    return np.asarray((u * s) @ (u.mT if kind == DEFINITE else vt))


def caller(op: Op, options: dict[str, Any]) -> Any:
    """The operation as a function of its arrays; moved symmetrically where they are symmetric."""

    def call(*xs: Any) -> Any:
        pairs = zip(xs, intervals(op, len(xs)), strict=True)
        given = tuple((x + x.mT) / 2 if kind == DEFINITE else x for x, kind in pairs)
        recorded = any(isinstance(x, Value) for x in given)
        return apply(op, given, options) if recorded else np.asarray(op.compute(*given, **options))

    call.__name__ = op.name
    call.takes_arrays = True  # type: ignore[attr-defined]
    return call


def written(op: Op, drawn: Drawn) -> str:
    """A call in words: the shapes of its arrays, and its options."""
    shapes = ", ".join(str(np.shape(array)) for array in drawn.arrays)
    options = "".join(f", {name}={value!r}" for name, value in drawn.options.items())
    return f"{op.name}({shapes}{options})"


# -- the same numbers somewhere else in memory --------------------------------------------------------------


def holding(array: Any) -> Value:
    """A variable of the array itself, as it lies in memory: of `Value(array)` it would be a copy."""
    variable = Value(0.0)
    variable.array = array
    return variable


def read_only(a: Any) -> Any:
    """A view that cannot be written to; numbers as they are."""
    if not isinstance(a, np.ndarray):
        return a
    view = a.view()
    view.flags.writeable = False
    return view


def strided(a: Any) -> Any:
    """A view of every second entry of a larger array."""
    return np.repeat(a, 2, -1)[..., ::2] if a.ndim else a


def turned(a: Any) -> Any:
    """A view with a negative stride: the first entry comes last in memory."""
    return a[::-1].copy()[::-1] if a.ndim else a


def moved_axes(a: Any) -> Any:
    """A view whose last axis is the outermost in memory."""
    return np.moveaxis(np.moveaxis(a, -1, 0).copy(), 0, -1) if a.ndim else a
