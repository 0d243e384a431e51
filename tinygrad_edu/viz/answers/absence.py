"""Why a result may not depend on a Value at all: what can be seen of the reason in the graph.

The reasons are few: the array or the number was taken out of the Value, an operation ran without being remembered,
or the name meant another Value by then.

Source: the questions that beginners ask most about `requires_grad` and `detach` in other frameworks.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz.lines import line_of
from tinygrad_edu.viz.wording import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from tinygrad_edu.viz.naming import Names

LISTED = 6
COMMON = (0.0, 0.5, 1.0, 2.0)
USUAL = (
    "usual reasons: .data or .item() was used, an operation ran inside no_grad(), or a function without a "
    "derivative, such as np.sign or a comparison, came between"
)


def hints(w: Node, nodes: Sequence[Node], names: Names, called: str) -> Iterator[str]:
    """What the graph shows of the reason, the result first in the list of nodes.

    Parameters
    ----------
    w, called
        The Value, and its name.
    nodes
        The graph in reverse topological order.
    names
        What the nodes are called.
    """
    root, leaves = names[nodes[0]], [node for node in nodes if node.op is None]
    if nodes[0].op is None:
        yield f"{root} remembers no operation: it is a variable, or was made inside no_grad()"
    else:
        some = ", ".join(names[leaf] for leaf in leaves[:LISTED])
        more = f" and {len(leaves) - LISTED:,} more" if len(leaves) > LISTED else ""
        yield f"{root} was computed from {some}{more}"
    found = [*rebound(w, nodes, names, called), *taken_out(w, nodes, names, called), *unremembered(leaves, names)]
    yield from found[:LISTED] or [USUAL]


def rebound(w: Node, nodes: Sequence[Node], names: Names, called: str) -> Iterator[str]:
    """Another Value of the same name, and one that is too young."""
    if any(names[node] == called for node in nodes):
        yield f"another Value is called {called} there: was the name bound to a new Value?"
    if w.number > nodes[0].number:
        yield f"{called} was made after {names[nodes[0]]}: was the name bound to a new Value?"


def taken_out(w: Node, nodes: Sequence[Node], names: Names, called: str) -> Iterator[str]:
    """Operands that are the array or the number of the Value, but not the Value."""
    for node in nodes:
        if node.op is None and node is not w and node.data is w.data:
            yield f"{names[node]} is another Value with the array of {called}: use {called} itself"
        for arg, data in zip(node.args, node.saved[1:], strict=True):
            if not isinstance(arg, Node) and same(data, w.data):
                what = f"the array of {called}" if np.size(w.data) > 1 else f"{called}'s number, {number(w.data)},"
                yield f"{names[node]}{made_at(node)} uses {what} as a constant: was {called}.data used?"


def same(data: Any, own: Any) -> bool:
    """Whether a constant is a Value's array; of a number, whether it is equal and not a common one."""
    if np.size(own) == 1:
        found = float(np.sum(own))
        return np.size(data) == 1 and float(np.sum(data)) == found and abs(found) not in COMMON
    return isinstance(data, np.ndarray) and bool(np.may_share_memory(data, own))


def unremembered(leaves: Sequence[Node], names: Names) -> Iterator[str]:
    """Variables that are results of operations inside `no_grad()`, as far as their lines were noted."""
    for leaf in leaves:
        place = line_of(leaf)
        if place is not None and place.forgotten:
            yield f"{names[leaf]} is the result of {place.forgotten} inside no_grad(){made_at(leaf)}"


def made_at(node: Node) -> str:
    """Where a Value was made, if that was noted."""
    place = line_of(node)
    return "" if place is None else f" at {place}"
