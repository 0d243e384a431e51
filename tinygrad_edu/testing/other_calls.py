"""Calls that an author did not think of: those that an entry shows, with other shapes and other options.

What the function itself takes without a complaint, its rule has to take as well: every axis, counted from both ends,
several of them and none; repeated, negative and unsorted indices; square, tall and wide; one entry, many of them,
none or more axes.

Source: Claessen and Hughes, "QuickCheck" (2000): tests derived from a declaration.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

import numpy as np

from tinygrad_edu.table import Case, Each, Op

Shapes = tuple[tuple[int, ...], ...]

MANY, MOST = 71, 1_100  # entries: more than are moved one by one, and more than a block of memory holds
BASES, OPTIONS = 3, 24  # shown calls that are reshaped, and calls with other options, at most
ELEMENTWISE: dict[int, list[Shapes]] = {
    1: [((1,),), ((MANY,),), ((MOST,),), ((2, 2, 2),), ((2, 1, 3),), ((1, 2, 1, 2),), ((3, 1),), ((1, 1),)],
    2: [
        ((2, 3), ()), ((), (2, 3)), ((3,), (2, 2, 3)), ((2, 2, 3), (3,)), ((2, 1, 3), (2, 1)), ((1, 1), (2, 3)),
        ((2, 3, 1), (1, 4)), ((MANY,), (MANY,)), ((MOST,), (MOST,)), ((2, 2, 2), (2, 2, 2)), ((MANY,), (1,)),
        ((1,), (1,)), ((1,), ()), ((2, 3, 2), ()), ((2, 2), (2, 2)), ((1, 3), (2, 3)), ((2, 3), (2, 1)),
        ((2, 1, 2, 1), (2, 1, 3)),
    ],
}  # fmt: skip


def variations(op: Op, rng: np.random.Generator) -> list[Case]:
    """Calls like those of an entry, some of them if there are many; the function may not take all of them."""
    if not op.cases:
        return [(shapes, {}) for shapes in ELEMENTWISE.get(len(op.pullbacks), ())]  # type: ignore[arg-type]
    shown = list(op.cases)
    others = [(other, options) for shapes, options in mixed(shown, rng)[:BASES] for other in reshaped(shapes)]
    if isinstance(op.pullbacks, Each):
        others += [((*shapes, *shapes[-1:] * more), options) for shapes, options in shown[:1] for more in (1, 2)]
    changed = [
        (shape, other) for shapes, options in shown for shape in (shapes, *deeper(shapes))
        for other in altered(op, shape, options)
    ]  # fmt: skip
    found = {repr(call): call for call in [*others, *mixed(changed, rng)[:OPTIONS]]}
    known = set(map(repr, shown))
    return [call for text, call in found.items() if text not in known and small(call[0])]


def mixed(found: list[Case], rng: np.random.Generator) -> list[Case]:
    """The calls in another order, those of different kinds first, then those of different shapes."""
    shuffled = [found[i] for i in rng.permutation(len(found))]
    first = [*{kind(options): (shapes, options) for shapes, options in shuffled}.values()]
    first += [*{shapes: (shapes, options) for shapes, options in shuffled}.values()]
    return first + [call for call in shuffled if not any(call is one for one in first)]


def kind(options: dict[str, Any]) -> str:
    """What options have in common with others: of an axis, whether it counts from the end, is several or none."""
    return repr([(name, sign(value) if is_axis(name) else value) for name, value in options.items()])


def sign(axis: Any) -> Any:
    """What an axis has in common with others."""
    return axis < 0 if isinstance(axis, int) else type(axis)


def is_axis(name: str) -> bool:
    """Whether an option counts axes."""
    return name.startswith(("axis", "source", "destination"))


def small(shapes: Shapes) -> bool:
    """Whether a call is quick."""
    return sum(map(math.prod, shapes)) <= 3 * MOST


def reshaped(shapes: Shapes) -> Iterator[Shapes]:
    """The shapes with other lengths, the same where they were the same; with more axes, and with fewer."""
    lengths = sorted({n for shape in shapes for n in shape if n > 1})
    a, b = lengths[0] if lengths else 2, lengths[-1] if lengths else 2
    for change in (
        dict.fromkeys(lengths, 1),
        {a: b, b: a},
        dict.fromkeys(lengths, 3),
        {n: n + 2 for n in lengths},
        {b: MANY},
    ):
        yield tuple(tuple(change.get(n, n) for n in shape) for shape in shapes)
    yield from deeper(shapes)
    yield tuple((3, *(3 for _ in shape)) for shape in shapes)
    yield tuple((2, *shape) if k == 0 else shape for k, shape in enumerate(shapes))
    yield tuple(shape[1:] for shape in shapes)
    yield tuple(() for _ in shapes)
    yield from (tuple((n,) for _ in shapes) for n in (3, MOST)[: 3 - len(shapes)])


def deeper(shapes: Shapes) -> Iterator[Shapes]:
    """The shapes with one and with two axes more."""
    yield tuple((2, *shape) for shape in shapes)
    yield tuple((2, 2, *shape) for shape in shapes)


def altered(op: Op, shapes: Shapes, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The options with another value of one of them."""
    rank = max(map(len, shapes), default=0)
    yield from ({key: value for key, value in options.items() if key != name} for name in options)
    axes = next((name for name in ("axis", "axes") if name in op.options), "")
    for name in [*options, *({axes, "keepdims"} & op.options - {*options})]:
        for value in values(name, options.get(name), rank):
            yield {**options, name: value}
            if name == axes and "keepdims" in op.options:
                yield {**options, name: value, "keepdims": not options.get("keepdims", False)}


def values(name: str, value: Any, rank: int) -> list[Any]:
    """Other values of an option: of axes, a flag, an index."""
    if isinstance(value, bool) or name == "keepdims":
        return [not value]
    if is_axis(name):
        every = range(-rank, rank)
        pairs = [(a, b) for a, b in combinations(every, 2) if (a - b) % rank]
        return [None, *every, *pairs, *((b, a) for a, b in pairs[:2]), tuple(range(rank))]
    if name == "axes" and (value is None or isinstance(value, tuple)):
        return [*permutations(range(rank)), tuple(range(-1, -rank - 1, -1))] if rank < 4 else []
    if isinstance(value, list) and value and all(isinstance(i, int) for i in value):
        return indices(value)
    if isinstance(value, tuple) and any(isinstance(part, list) for part in value):
        return [tuple(other if part is chosen else part for part in value)
                for chosen in value if isinstance(chosen, list) for other in indices(chosen)]  # fmt: skip
    if name == "index":
        return [-1, np.int64(-1)] if isinstance(value, int) else []
    return [value + 1, value + 2] if isinstance(value, int) else [0.5 * value] if isinstance(value, float) else []


def indices(value: list[int]) -> list[list[int]]:
    """A list of places: unsorted, repeated, counted from the end."""
    first, last = value[0], value[-1]
    return [value[::-1], [last, first, last], [-1, 0, -1], [first] * len(value), [i - max(value) - 1 for i in value]]
