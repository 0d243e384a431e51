"""Nested structures: lists, tuples, dicts, dataclasses and modules, with numbers, arrays or Values at their leaves.

`flatten` lists the leaves in order, each with its path; `rebuild` puts other leaves into the same structure. None is
an empty structure. A module's leaves are its parameters; what is rebuilt of it is a dict, such as `state_dict()` has.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any


def parts(tree: Any) -> dict[Any, Any] | None:
    """What a structure holds, by name; None for a leaf."""
    if isinstance(tree, dict):
        return tree
    if isinstance(tree, list | tuple):
        return dict(enumerate(tree))
    if hasattr(type(tree), "named_parameters"):
        return dict(tree.named_parameters())
    if hasattr(type(tree), "__dataclass_fields__"):
        return {name: getattr(tree, name) for name in tree.__dataclass_fields__}
    return {} if tree is None else None


def flatten(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path, such as `layers.0.weight`."""
    children = parts(tree)
    if children is None:
        yield path, tree
    for key, child in (children or {}).items():
        yield from flatten(child, f"{path}.{key}" if path else str(key))


def leaves(tree: Any) -> list[Any]:
    """Every leaf."""
    return [leaf for _, leaf in flatten(tree)]


def rebuild(tree: Any, leaves: Iterable[Any], same: bool = False) -> Any:
    """The structure of a tree with other leaves, given in the order of `flatten`; modules as dicts, or the same."""
    children, source = parts(tree), iter(leaves)
    if children is None:
        return next(source)
    made = {key: rebuild(child, source, same) for key, child in children.items()}
    if hasattr(type(tree), "named_parameters"):
        return tree if same else made
    if isinstance(tree, dict):
        return made
    if isinstance(tree, list | tuple):
        return type(tree)(*made.values()) if hasattr(tree, "_fields") else type(tree)(made.values())
    twin = copy(tree)
    for name, child in made.items():
        object.__setattr__(twin, name, child)  # frozen dataclasses have no other way
    return twin
