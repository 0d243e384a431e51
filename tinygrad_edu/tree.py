"""Nested structures: lists, tuples, dicts, dataclasses and modules, with numbers, arrays or Values at their leaves.

`walk` goes through everything that a structure holds, without recursion; `flatten` lists the leaves, each with its
path, such as `layers.0.weight`; `rebuild` puts other leaves into the same structure. None is an empty structure. A
module's leaves are its parameters; what is rebuilt of it is a dict by path, as `state_dict()` gives it. `contents`
looks into modules, sets, deques and namespaces too. So parameters are found, which are Values made by hand, and
buffers, which are arrays that are saved with them; none is registered.

Source: depth-first search in preorder, as in Knuth, "The Art of Computer Programming" 1, section 2.3.1.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.value import Value

Parts = Callable[[Any], dict[Any, Any] | None]
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


def described(thing: Any) -> str:
    """What an array, or a Value that is no parameter, is, in words."""
    if not isinstance(thing, Value):
        return "an array"
    return f"the result of {thing.op.name}" if thing.op else "a result of no_grad()"


def parts(tree: Any) -> dict[Any, Any] | None:
    """What a structure holds, by name; None for a leaf."""
    if isinstance(tree, dict):
        return tree
    if isinstance(tree, list | tuple):
        return dict(enumerate(tree))
    if is_module(tree):
        return dict(tree.named_parameters())
    if hasattr(type(tree), "__dataclass_fields__"):
        return {name: getattr(tree, name) for name in tree.__dataclass_fields__ if hasattr(tree, name)}
    return {} if tree is None else None


def held(thing: Any) -> dict[Any, Any] | None:
    """What a module or a structure of any kind holds, by name; None for everything else."""
    if is_module(thing) or isinstance(thing, SimpleNamespace):
        return dict(vars(thing))
    if isinstance(thing, deque):
        return dict(enumerate(thing))
    if isinstance(thing, set | frozenset):
        return dict(enumerate(sorted(thing, key=place_in_set)))
    found = None if thing is None else parts(thing)
    if found is None or isinstance(thing, dict | list | tuple):
        return found
    return {**found, **getattr(thing, "__dict__", {})}  # of a dataclass


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
    for path, holder, found in walk(root, "", held, once=True):
        notes, in_sequence = getattr(holder, "_notes", ()), isinstance(holder, SEQUENCES)
        for name, thing in (found or {}).items():
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


def join(path: str, name: object) -> str:
    """A path and one more step."""
    return f"{path}.{name}" if path else str(name)


def walk(
    root: Any, path: str = "", parts: Parts = parts, once: bool = False
) -> Iterator[tuple[str, Any, dict[Any, Any] | None]]:
    """Everything in a structure, from outside in and in order, each thing with its path and what it holds.

    `path` is that of the root. With `once` a thing that is held twice is met once only, which also lets a structure
    hold itself.
    """
    met: set[int] = set()
    around: set[int] = set()  # what is being walked: whoever meets one of them again would go round for ever
    waiting: list[tuple[str, Any, bool]] = [(path, root, False)]
    while waiting:
        path, thing, left = waiting.pop()
        if left:
            around.discard(id(thing))
            continue
        if once and id(thing) in met:
            continue
        held = parts(thing)
        yield path, thing, held
        if once:
            met.add(id(thing))
        elif held:
            if id(thing) in around:
                raise refusal(ValueError, f"a {type(thing).__name__} holds itself")
            around.add(id(thing))
            waiting.append((path, thing, True))
        waiting.extend((join(path, name), part, False) for name, part in reversed((held or {}).items()))


def flatten(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path."""
    return ((place, leaf) for place, leaf, held in walk(tree, path) if held is None)


def leaves(tree: Any) -> list[Any]:
    """Every leaf."""
    return [leaf for _, leaf in flatten(tree)]


def rebuild(tree: Any, leaves: Iterable[Any], same: bool = False) -> Any:
    """The structure of a tree with as many other leaves, in the order of `flatten`; modules as dicts, or the same."""
    waiting = list(leaves)
    made: list[Any] = []  # from the last thing to the first, so that parts are made before what holds them
    for _, thing, held in reversed(list(walk(tree))):
        made.append(waiting.pop() if held is None else refilled(thing, {name: made.pop() for name in held}, same))
    return made.pop()


def refilled(tree: Any, held: dict[Any, Any], same: bool) -> Any:
    """One structure, not a leaf, that holds other things under the same names."""
    if is_module(tree):
        return tree if same else held
    if isinstance(tree, dict):
        return held
    if isinstance(tree, list | tuple):
        return type(tree)(*held.values()) if hasattr(tree, "_fields") else type(tree)(held.values())
    twin = copy(tree)
    for name, part in held.items():
        put(twin, name, part)
    return twin
