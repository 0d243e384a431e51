"""Walking a network: everything a module holds, with the path that leads to it.

A path is what one would write to reach the thing: `net.layers[0].weight` is 'layers.0.weight'. Attributes, lists,
tuples and dicts are walked in order of definition, with a stack instead of recursion, and each thing is met once.

Source: depth-first search in preorder, as in Knuth, "The Art of Computer Programming" 1, section 2.3.1.
"""

from __future__ import annotations

from tinygrad_edu.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


def join(prefix: str, name: object) -> str:
    """A path and one more step."""
    return f"{prefix}.{name}" if prefix else str(name)


def printable(name: object) -> str:
    """A name without control characters, for screens: of an attribute or a dict key, it may be anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(name))


def contents(thing: Any, container: type) -> Iterable[tuple[object, Any]]:
    """The named parts of a container, a list, a tuple or a dict; nothing for everything else."""
    if isinstance(thing, container):
        return vars(thing).items()
    if isinstance(thing, list | tuple):
        return enumerate(thing)
    return thing.items() if isinstance(thing, dict) else ()


def walk(root: Any, container: type) -> Iterator[tuple[str, Any]]:
    """Every Value and every `container` object that `root` holds, itself included, each once with its path.

    Parameters
    ----------
    root
        Where to start; its path is empty.
    container
        The class whose attributes are walked.
    """
    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        path, thing = stack.pop()
        if id(thing) in seen:
            continue
        if isinstance(thing, Value | container):
            seen.add(id(thing))
            yield path, thing
        elif isinstance(thing, list | tuple | dict):
            seen.add(id(thing))
        parts = [(join(path, name), part) for name, part in contents(thing, container)]
        stack.extend(reversed(parts))
