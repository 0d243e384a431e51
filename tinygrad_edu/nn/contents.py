"""What a module holds: parameters, buffers and other modules, each with the path that leads to it.

A *parameter* is a Value that was made by hand: an optimiser trains it. A *buffer* is an array in an attribute, such
as the running mean of a normalisation: it is saved, loaded and copied with the parameters, and nobody trains it. Both
are found by walking attributes, lists, tuples, dicts, sets, deques, dataclasses and namespaces; none is registered.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinygrad_edu.tree import join, walk
from tinygrad_edu.value import Value

SEQUENCES = (list, tuple, deque)


def is_module(thing: Any) -> bool:
    """Whether something is a module, not a class of modules."""
    return hasattr(type(thing), "named_parameters")


def is_parameter(thing: Any) -> bool:
    """Whether something is a Value that no operation made."""
    return isinstance(thing, Value) and thing.op is None and not thing.saved


def is_without_past(thing: Any) -> bool:
    """Whether something is a result that was computed inside `no_grad()`: numbers, to which nothing leads back."""
    return isinstance(thing, Value) and thing.op is None and bool(thing.saved)


def is_array(thing: Any) -> bool:
    """Whether something is an array of numbers or a single number of NumPy's, also an array of another library."""
    if isinstance(thing, Value | type) or not (isinstance(thing, np.generic) or hasattr(thing, "__array_function__")):
        return False
    return getattr(getattr(thing, "dtype", None), "kind", None) in {*"fiubc"}


def held(thing: Any) -> dict[Any, Any] | None:
    """What a module or a structure holds, by name; None for everything else."""
    if isinstance(thing, dict):
        return thing
    if is_module(thing) or isinstance(thing, SimpleNamespace):
        return dict(vars(thing))
    if isinstance(thing, SEQUENCES):
        return dict(enumerate(thing))
    if isinstance(thing, set | frozenset):
        return dict(enumerate(sorted(thing, key=place_in_set)))
    if hasattr(type(thing), "__dataclass_fields__"):
        fields = {name: getattr(thing, name) for name in thing.__dataclass_fields__ if hasattr(thing, name)}
        return {**fields, **getattr(thing, "__dict__", {})}
    return None


def place_in_set(thing: Any) -> tuple[Any, ...]:
    """Where something stands among the things of a set, which has no order: first by name, then by age.

    A name is given when a module is walked for the first time and kept by copies, so paths stay the same in them.
    """
    name = thing.name if isinstance(thing, Value) else getattr(thing, "_path", None)
    numbers = (part.number for _, part in contents(thing) if isinstance(part, Value))
    return name is None, len(name or ""), name or "", next(numbers, math.inf), type(thing).__name__


def contents(root: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything that something holds, itself first, each thing once, with its path, which starts with `path`."""
    return ((place, thing) for place, thing, _ in walk(root, path, held, once=True))


def buffers_of(root: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """Every buffer: its path, what holds it, its name there, and the array; one array in two places is two buffers.

    Single numbers, and results without a past, count as attributes only: in a list they are a log. Arrays that
    `forward` made under a new name are notes, which belong to one call and not to the state.
    """
    for path, holder, parts in walk(root, "", held, once=True):
        notes, in_sequence = getattr(holder, "_notes", ()), isinstance(holder, SEQUENCES)
        for name, thing in (parts or {}).items():
            single = isinstance(thing, np.generic) or is_without_past(thing)
            if ((single and not in_sequence) or (not single and is_array(thing))) and name not in notes:
                yield join(path, name), holder, name, thing.array if isinstance(thing, Value) else thing


def put(holder: Any, name: Any, thing: Any) -> None:
    """Put something where a module or a structure holds something else; an array in a tuple takes its numbers."""
    if isinstance(holder, list | deque | dict):
        holder[name] = thing
    elif isinstance(holder, tuple):
        holder[name][...] = thing
    else:
        object.__setattr__(holder, name, thing)  # frozen dataclasses have no other way
