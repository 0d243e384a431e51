"""Nested structures: lists, tuples and dicts with numbers, arrays or Values at their leaves.

`flatten` lists the leaves in order, each with its path; `rebuild` puts other leaves into the same structure.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


def flatten(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path, such as `layers.0.weight`."""
    if isinstance(tree, dict):
        children: Iterable[tuple[Any, Any]] = tree.items()
    elif isinstance(tree, list | tuple):
        children = enumerate(tree)
    else:
        yield path, tree
        return
    for key, child in children:
        yield from flatten(child, f"{path}.{key}" if path else str(key))


def rebuild(tree: Any, leaves: Iterable[Any]) -> Any:
    """The structure of a tree with other leaves, given in the order of `flatten`."""
    return _rebuild(tree, iter(leaves))


def _rebuild(tree: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _rebuild(child, leaves) for key, child in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(_rebuild(child, leaves) for child in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(_rebuild(child, leaves) for child in tree)
    return next(leaves)
