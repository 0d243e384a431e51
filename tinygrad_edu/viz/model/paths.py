"""The chain rule by paths: a gradient is a sum, over all paths to the loss, of the products along them.

There can be more paths than atoms (`x = x * x`, 300 times), so they are counted with Python's integers and never all
listed. Of single numbers, the largest products are found without visiting the others: the best paths to a node
continue best paths to its consumers. Of arrays, the first few are composed of vector-Jacobian products.

Source: Bauer, "Computational graphs and rounding error" (1974); Lawler, K-best paths (1972).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backward import seed
from tinygrad_edu.graph import Node
from tinygrad_edu.viz.model.replay import Edge, Replay, norm, operand_edges, vjp

Trail = tuple[Any, Edge, Any] | tuple[Any]
"""The product so far, the last edge, and the trail before it; at the loss the product alone."""

LISTED = 6
"""So many paths are shown: their sum still fits on a line or two."""

TRIED = 64
"""So many paths of arrays are composed to find the largest; each costs a pass along it."""


@dataclass(frozen=True, eq=False)
class Path:
    """A way from the loss to a Value.

    Parameters
    ----------
    edges
        The edges along it, from the loss on.
    product
        The product of the local derivatives along it, in the shape of the Value.
    """

    edges: tuple[Edge, ...]
    product: Any


@dataclass(frozen=True, eq=False)
class Paths:
    """All ways from the loss to a Value; the products of those listed and the rest sum to the gradient.

    Parameters
    ----------
    to
        The Value.
    between
        The nodes on some path, both ends included.
    count
        How many paths there are.
    listed
        The largest few, the largest first.
    gradient
        The gradient of the loss with respect to the Value, in its shape.
    rest
        What the paths that are not listed add up to, in the same shape.
    """

    to: Node
    between: frozenset[Node]
    count: int
    listed: tuple[Path, ...]
    gradient: Any
    rest: Any

    @property
    def more(self) -> int:
        """How many paths are not listed."""
        return self.count - len(self.listed)

    def along(self, edge: Edge) -> bool:
        """Whether an edge is on one of the paths.

        Parameters
        ----------
        edge
            A result and one of its operands.
        """
        ends = (edge.result, edge.operand)
        return all(isinstance(end, Node) and end in self.between for end in ends)


def find_paths(replay: Replay, to: Node) -> Paths:
    """The paths from a loss, a single number, to a Value."""
    nodes = replay.nodes
    between = toward(nodes, to)
    single = all(node.array.size == 1 for node in between)
    found = largest(nodes, to, between) if single else composed(nodes[0], to, between)
    ranked = sorted(found, key=lambda path: size(path.product), reverse=True)[:LISTED]
    rest = replay.gradients[to]
    with np.errstate(all="ignore"):
        for path in ranked:
            rest = rest - path.product
    return Paths(to, between, count_paths(nodes, to, between), tuple(ranked), replay.gradients[to], rest)


def check_result(loss: Any) -> None:
    """Refuse a result without a gradient: what is no Value, or not a single number."""
    if not isinstance(loss, Node):
        raise errors.constants_only(loss)
    if loss.array.size != 1:
        raise errors.not_scalar(loss.name, loss.array.shape)


def check_target(replay: Replay, to: Any) -> None:
    """Refuse a target that has no path to the result, and a result without a gradient."""
    loss = replay.root
    if not isinstance(to, Node):
        raise errors.refusal(
            TypeError, f"to= is the Value to draw the paths from, such as a weight; got {type(to).__name__}"
        )
    check_result(loss)
    if to not in replay.uses:
        raise errors.refusal(
            ValueError,
            f"{loss.name or 'the result'} was not computed from {to.name or 'the Value given as to='}: "
            "no path leads from one to the other",
        )


def size(product: Any) -> float:
    """How much a path matters; one that is nan matters most."""
    found = abs(product) if isinstance(product, float) else norm(product)
    return float("inf") if np.isnan(found) else found


def toward(nodes: Sequence[Node], to: Node) -> frozenset[Node]:
    """The nodes on some path between the loss and `to`, both included."""
    between = {to}
    for node in reversed(nodes):
        if any(isinstance(arg, Node) and arg in between for arg in node.args):
            between.add(node)
    return frozenset(between)


def edges_between(nodes: Sequence[Node], between: frozenset[Node]) -> Iterator[Edge]:
    """The edges whose ends are both among some nodes, the nearest to the loss first."""
    for node in nodes:
        if node in between:
            yield from (edge for edge in operand_edges(node) if edge.operand in between)


def count_paths(nodes: Sequence[Node], to: Node, between: frozenset[Node]) -> int:
    """How many ways lead from the loss to `to`."""
    counts = {nodes[0]: 1}
    for node in nodes:
        ways = counts.pop(node, 0)
        if node is to:
            return ways
        for edge in operand_edges(node) if ways else ():
            if edge.operand in between:
                counts[edge.operand] = counts.get(edge.operand, 0) + ways
    return 0


def largest(nodes: Sequence[Node], to: Node, between: frozenset[Node]) -> list[Path]:
    """The paths with the largest products, in a graph of single numbers."""
    best: dict[Node, list[Trail]] = {nodes[0]: [(1.0,)]}
    for node in nodes:
        trails = nlargest(LISTED, best.pop(node, []), key=lambda trail: size(trail[0]))
        if node is to:
            return [Path(retraced(trail), np.full_like(to.array, trail[0])[()]) for trail in trails]
        for edge in operand_edges(node) if trails else ():
            if edge.operand in between:
                factor = float(np.sum(vjp(edge, np.ones_like(node.saved[0])[()])))
                best.setdefault(edge.operand, []).extend((trail[0] * factor, edge, trail) for trail in trails)
    return []


def retraced(trail: Trail) -> tuple[Edge, ...]:
    """The edges of a trail, from the loss on."""
    edges = []
    while len(trail) == 3:
        edges.append(trail[1])
        trail = trail[2]
    return tuple(reversed(edges))


def composed(root: Node, to: Node, between: frozenset[Node]) -> list[Path]:
    """Paths in a graph of arrays, each with its own vector-Jacobian product."""
    paths: list[Path] = []
    stack: list[tuple[Node, Trail]] = [(root, (None,))]
    while stack and len(paths) < TRIED:
        node, trail = stack.pop()
        if node is to:
            edges = retraced(trail)
            paths.append(Path(edges, along(edges, seed(root, None))))
            continue
        for edge in reversed(operand_edges(node)):
            if edge.operand in between:
                stack.append((edge.operand, (None, edge, trail)))
    return paths


def along(edges: Sequence[Edge], g: Any) -> Any:
    """A gradient taken back along one path."""
    for edge in edges:
        g = vjp(edge, g)
    return g
