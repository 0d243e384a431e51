"""Which Values of two graphs correspond to each other.

From the variables on, operands first: a variable corresponds to itself, else to the one of the same name; a result to
one of the same operation on corresponding operands. Where that chain breaks, a name takes it up again. Each Value is
looked at a fixed number of times, and nothing is searched.

Source: value numbering, Cocke and Schwartz, "Programming Languages and Their Compilers" (1970).
"""

from __future__ import annotations

from collections import deque

from tinygrad_edu.graph import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from tinygrad_edu.viz.naming import Names


def matched(first: Sequence[Node], second: Sequence[Node], names: Names, later_names: Names) -> dict[Node, Node]:
    """For every Value of the second graph that has one, the corresponding Value of the first.

    Parameters
    ----------
    first, second
        The two graphs, operands before results.
    names, later_names
        What the Values are called in each.
    """
    shared = frozenset(first) & frozenset(second)
    waiting: dict[Any, deque[Node]] = {}
    for node in first:
        for key in keys(node, names, shared, {arg: arg for arg in node.args if isinstance(arg, Node)}):
            waiting.setdefault(key, deque()).append(node)
    pairs: dict[Node, Node] = {}
    taken: set[Node] = set()
    for node in second:
        found = next(offers(node, later_names, shared, pairs, waiting, taken), None)
        if found is not None:
            pairs[node] = found
            taken.add(found)
    if second[-1] not in pairs and first[-1] not in taken:
        pairs[second[-1]] = first[-1]  # whatever they are, they are the two results
    return pairs


def offers(
    node: Node,
    names: Names,
    shared: frozenset[Node],
    pairs: Mapping[Node, Node],
    waiting: Mapping[Any, deque[Node]],
    taken: set[Node],
) -> Iterator[Node]:
    """The first Value for each of a Value's keys that has no counterpart yet."""
    for key in keys(node, names, shared, pairs):
        line = waiting.get(key, deque())
        while line and line[0] in taken:
            line.popleft()
        if line:
            yield line[0]


def keys(node: Node, names: Names, shared: frozenset[Node], pairs: Mapping[Node, Node]) -> Iterator[Any]:
    """What a Value and its counterpart have in common, the surest first."""
    name = names[node] if node in names.told else ""
    if node in shared:
        yield "itself", node.number
    elif node.op is None:
        yield "variable", name
    else:
        operands = [pairs.get(arg) if isinstance(arg, Node) else None for arg in node.args]
        if all(found is not None for found, arg in zip(operands, node.args, strict=True) if isinstance(arg, Node)):
            yield "result", node.op.name, *(-1 if found is None else found.number for found in operands)
        if name:
            yield "named", node.op.name, name
