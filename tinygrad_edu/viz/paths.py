"""The chain rule by paths: a gradient is a sum, over all paths to the loss, of the products along them.

There can be more paths than atoms (`x = x * x`, 300 times), so they are counted with Python's integers and never all
listed. Of single numbers, the largest products are found without visiting the others: the best paths to a node
continue best paths to its consumers. Of arrays, the first few are composed of vector-Jacobian products.

Source: Bauer, "Computational graphs and rounding error" (1974); Lawler, K-best paths (1972).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nlargest

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backward import seed
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz.replay import pull
from tinygrad_edu.viz.wording import norm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tinygrad_edu.viz.replay import Hop

    Trail = tuple[Any, Hop, Any] | tuple[Any]

LISTED = 6
TRIED = 64


@dataclass(frozen=True)
class Path:
    """A way from the loss to a Value, and the product of the local derivatives along it."""

    hops: tuple[Hop, ...]
    product: Any


@dataclass(frozen=True)
class Paths:
    """All ways from the loss to a Value: how many, the largest few, and what the others add up to."""

    between: frozenset[Node]
    count: int
    listed: tuple[Path, ...]
    gradient: Any
    rest: Any


def find_paths(nodes: Sequence[Node], to: Node, gradient: Any) -> Paths:
    """The paths from the first node to another.

    Parameters
    ----------
    nodes
        The graph in reverse topological order, the loss first.
    to
        Where the paths lead.
    gradient
        The gradient of the loss with respect to `to`; the listed products and the rest sum to it.
    """
    between = toward(nodes, to)
    count = count_paths(nodes, to, between)
    single = all(node.data.size == 1 for node in between)
    found = largest(nodes, to, between) if single else composed(nodes[0], to, between)
    ranked = sorted(found, key=lambda path: size(path.product), reverse=True)[:LISTED]
    rest = gradient
    with np.errstate(all="ignore"):
        for path in ranked:
            rest = rest - path.product
    return Paths(between, count, tuple(ranked), gradient, rest)


def check_target(loss: Node, to: Any) -> None:
    """Refuse a target that has no path to the result, and a result without a gradient."""
    if not isinstance(to, Node):
        raise TypeError(f"to= is the Value to draw the paths from, such as a weight; got {type(to).__name__}")
    if loss.data.size != 1:
        raise ValueError(errors.not_scalar(loss.name, loss.data.shape))
    if to not in set(toposort(loss)):
        raise ValueError(
            f"{loss.name or 'the result'} was not computed from {to.name or 'the Value given as to='}: "
            "no path leads from one to the other"
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


def count_paths(nodes: Sequence[Node], to: Node, between: frozenset[Node]) -> int:
    """How many ways lead from the loss to `to`."""
    counts = {nodes[0]: 1}
    for node in nodes:
        ways = counts.pop(node, 0)
        if node is to:
            return ways
        for arg in node.args if ways else ():
            if isinstance(arg, Node) and arg in between:
                counts[arg] = counts.get(arg, 0) + ways
    return 0


def largest(nodes: Sequence[Node], to: Node, between: frozenset[Node]) -> list[Path]:
    """The paths with the largest products, in a graph of single numbers."""
    best: dict[Node, list[Trail]] = {nodes[0]: [(1.0,)]}
    for node in nodes:
        trails = nlargest(LISTED, best.pop(node, []), key=lambda trail: size(trail[0]))
        if node is to:
            return [Path(retraced(trail), np.full_like(to.data, trail[0])[()]) for trail in trails]
        for i, arg in enumerate(node.args if trails else ()):
            if isinstance(arg, Node) and arg in between:
                factor = float(np.sum(pull((node, i), np.ones_like(node.saved[0])[()])))
                best.setdefault(arg, []).extend((t[0] * factor, (node, i), t) for t in trails)
    return []


def retraced(trail: Trail) -> tuple[Hop, ...]:
    """The hops of a trail, from the loss on."""
    hops = []
    while len(trail) == 3:
        hops.append(trail[1])
        trail = trail[2]
    return tuple(reversed(hops))


def composed(root: Node, to: Node, between: frozenset[Node]) -> list[Path]:
    """Paths in a graph of arrays, each with its own vector-Jacobian product."""
    paths: list[Path] = []
    stack: list[tuple[Node, Trail]] = [(root, (None,))]
    while stack and len(paths) < TRIED:
        node, trail = stack.pop()
        if node is to:
            hops = retraced(trail)
            paths.append(Path(hops, along(hops, seed(root, None))))
            continue
        for i, arg in reversed(list(enumerate(node.args))):
            if isinstance(arg, Node) and arg in between:
                stack.append((arg, (None, (node, i), trail)))
    return paths


def along(hops: Sequence[Hop], g: Any) -> Any:
    """A gradient pulled back along one path."""
    for hop in hops:
        g = pull(hop, g)
    return g
