"""The backward pass once more, in a table of its own, and the numbers on every edge of the graph.

A picture must not change what it shows: gradients are computed into a dict here, and no `.grad` is written. What one
operation passes to one operand is computed when it is asked for, from the arrays saved in the forward pass.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2 (reverse accumulation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.backward import backpropagate, seed, unbroadcast
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.notes import verify
from tinygrad_edu.viz.model.names import Names


class Edge(NamedTuple):
    """One edge of the graph: a result and the place of one of its operands. `x * x` has two edges."""

    result: Node
    place: int

    @property
    def operand(self) -> Node:
        """The Value at the other end."""
        found: Node = self.result.args[self.place]
        return found


@dataclass(frozen=True, eq=False)
class LocalDerivative:
    """The derivative of a result for one of its operands."""

    edge: Edge
    value: Any | None  # in the shape of the operand; None where it is a Jacobian of more entries
    names: Names  # what the result and its operands are called

    @property
    def closed(self) -> bool:
        """Whether no gradient passes, as through a ReLU below zero."""
        return self.value is not None and not np.any(self.value)


class Replay:
    """The graph of a result and its gradients, computed once more: what every view starts from.

    A graph that has used a constant array which was refilled since is a ValueError that names the array. Values and
    arrays that have no name of their own are called as in `names`, such as `locals()`.
    """

    def __init__(self, root: Node, names: Mapping[str, Any] | None = None) -> None:
        self.root = root
        self.nodes = toposort(root)  # the result first, each Value after all of its consumers
        verify(self.nodes)
        self.uses = consumers(self.nodes)
        self.gradients = gradients(root)  # of the result for every node; empty if it is not a single number
        self.names = Names(self.nodes[::-1], names)
        self.factor = cache(stretch_value)  # remembered: the paths of one graph share most of their factors

    def data(self, node: Node) -> Any:
        """What a Value held in the forward pass, also where `data` was rebound since, as by an optimiser."""
        return forward_data(node, self.uses[node])

    def derivative(self, edge: Edge) -> LocalDerivative:
        """The local derivative at an edge."""
        return LocalDerivative(edge, slope(edge), self.names)

    def contribution(self, edge: Edge) -> Any:
        """What the result of an edge passes to its operand in this pass."""
        return vjp(edge, self.gradients[edge.result])

    def contributions(self, node: Node) -> list[Any]:
        """What each consumer passes to a Value; they sum to its gradient."""
        return [self.contribution(edge) for edge in self.uses[node] if edge.result in self.gradients]

    def was_run(self) -> bool:
        """Whether `backward()` ran on the result, beginning with 1: then `.grad` holds what this pass explains."""
        root = self.root
        return root.gradient is not None and root.array.size == 1 and bool(np.all(root.gradient == 1))

    def earlier(self, node: Node) -> Any | None:
        """What a variable's `.grad` holds beyond this pass; None if it was cleared before."""
        if node.op is not None or not self.was_run() or node.gradient is None:
            return None
        if np.allclose(
            node.gradient, self.gradients[node], rtol=1e-9, equal_nan=True
        ):  # rounding alone is nothing left
            return None
        return node.gradient - self.gradients[node]


def operand_edges(node: Node) -> list[Edge]:
    """The edges from a result to those of its operands that are Values."""
    return [Edge(node, i) for i, arg in enumerate(node.args) if isinstance(arg, Node)]


def consumers(nodes: Sequence[Node]) -> dict[Node, list[Edge]]:
    """For every node the edges to the results it is an operand of, once for each time: `x * x` twice."""
    uses: dict[Node, list[Edge]] = {node: [] for node in nodes}
    for node in nodes:
        for edge in operand_edges(node):
            if edge.operand in uses:
                uses[edge.operand].append(edge)
    return uses


def forward_data(node: Node, uses: Sequence[Edge]) -> Any:
    """The data that the forward pass used: saved with the Value itself, or with its first consumer."""
    if node.op is not None:
        return fetched(node.saved[0])
    return fetched(uses[0].result.saved[uses[0].place + 1] if uses else node.array)


def fetched(data: Any) -> Any:
    """Numbers as NumPy has them, also those of another library's array, as on a GPU: they are to be shown."""
    if data is None or isinstance(data, np.ndarray | np.generic | float | int):
        return data
    return data.get() if hasattr(data, "get") else np.asarray(data)


def gradients(root: Node) -> dict[Node, Any]:
    """The gradient of a single number for every node behind it; none for an array."""
    if root.array.size != 1:
        return {}
    with np.errstate(all="ignore"):
        return {node: fetched(g) for node, g in backpropagate(root, seed(root, None)).items()}


def vjp(edge: Edge, g: Any) -> Any:
    """What a result with gradient g passes to one of its operands, in the shape of the operand."""
    found = stretched_vjp(edge, g)
    return found if edge.result.aligned else unbroadcast(found, edge.result.saved[edge.place + 1])


def stretched_vjp(edge: Edge, g: Any) -> Any:
    """The same as the rule returns it: where the operand was broadcast, in the shape that it was stretched to."""
    node, i = edge
    assert node.op is not None
    with np.errstate(all="ignore"):
        return node.op.pullbacks[i](g, *map(fetched, node.saved), **node.options)


def slope(edge: Edge) -> Any | None:
    """The local derivative of a result for one operand, where it has the operand's shape; else None.

    That is so where the result is a single number, and where every entry depends on its own entry only.
    """
    node, i = edge
    assert node.op is not None
    out = fetched(node.saved[0])
    operand = node.saved[i + 1]
    if np.size(out) != 1 and not (node.op.elementwise and np.shape(out) == np.shape(operand)):
        return None
    return vjp(edge, np.ones_like(out)[()])


def entry_slopes(edge: Edge) -> Any | None:
    """The local derivative for each entry of the result, where entries are independent of each other; else None."""
    node = edge.result
    assert node.op is not None
    out = fetched(node.saved[0])
    if not node.op.elementwise and np.size(out) != 1:
        return None
    return stretched_vjp(edge, np.ones_like(out)[()])


def stretch_value(stretch: tuple[Edge, ...]) -> Any | None:
    """The derivative along several edges in a row, as an array; None where it is a larger Jacobian."""
    g = slope(stretch[0])
    elementwise = all(edge.result.op is not None and edge.result.op.elementwise for edge in stretch)
    if g is None or not (elementwise or np.size(stretch[0].result.array) == 1):
        return None
    for edge in stretch[1:]:
        g = vjp(edge, g)
    return g


def norm(data: Any) -> float:
    """The Euclidean norm over all entries, in units of the largest: 1e200 and 1e-200 have no square."""
    sizes = np.abs(np.asarray(data, dtype=float))
    largest = float(sizes.max(initial=0.0))
    if sizes.size == 1 or not 0.0 < largest < np.inf:
        return largest
    with np.errstate(all="ignore"):
        return largest * float(np.sqrt(np.sum(np.square(sizes / largest))))


def constant_exponent(node: Node) -> Any | None:
    """The exponent of a power of a Value, if it is one constant number: it is shown with the operation."""
    if node.op is None or node.op.name != "power" or isinstance(node.args[1], Node) or np.size(node.args[1]) != 1:
        return None
    return float(np.sum(node.saved[2]))
