"""From a graph of Values to a `Diagram`: what is drawn, and where.

One walk over the nodes to be drawn, operands first: the constants a node was made from, its own box, its operation,
and an arrow per operand, so that `x * x` has two. All ids are made here and in `fold.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.recording import Scope
from tinygrad_edu.viz.model.detail import MERGED, Extent, value_box
from tinygrad_edu.viz.model.fold import Folding
from tinygrad_edu.viz.model.formula import ChainRule
from tinygrad_edu.viz.model.names import Names
from tinygrad_edu.viz.model.paths import check_target, find_paths
from tinygrad_edu.viz.model.records import Arrow, Box, Diagram, Operation
from tinygrad_edu.viz.model.replay import Edge, Replay, constant_exponent
from tinygrad_edu.viz.model.scalars import opened


def replay_at(root: Node, names: Mapping[str, Any] | None, level: str) -> Replay:
    """The graph as it is, or at level "scalar" opened into single numbers."""
    if level != "scalar":
        return Replay(root, names)
    return Replay(opened(root, Names(toposort(root)[::-1], names).given_names()))


def chain_rule(replay: Replay, to: Node | None) -> ChainRule | None:
    """The chain rule along the paths to a Value, if one is wanted."""
    if to is None:
        return None
    check_target(replay, to)
    return ChainRule(replay, find_paths(replay, to))


def diagram(replay: Replay, chain: ChainRule | None = None, folded: bool = False) -> Diagram:
    """What is drawn of a graph, along a chain the wanted paths marked; large graphs are always folded."""
    kind = Folding if folded or len(replay.nodes) > MERGED else Builder
    return kind(replay, chain).diagram()


class Builder:
    """Collects the parts of a diagram."""

    def __init__(self, replay: Replay, chain: ChainRule | None) -> None:
        self.replay = replay
        self.chain = chain
        self.extent = Extent(replay.nodes)
        self.merged = self.extent.detail == "merged"
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.operations: dict[Node, Operation] = {}
        self.box_ids: dict[Node, str] = {}
        self.constant_ids: dict[Any, str] = {}
        self.arrow_ids: dict[Edge, str] = {}

    def diagram(self) -> Diagram:
        """The finished diagram."""
        for node in self.extent.drawn:
            if not self.merged and constant_exponent(node) is None:
                self.add_constants(node)
            self.box_ids[node] = self.next_box()
            self.boxes.append(value_box(self.replay, node, self.box_ids[node], self.place(node)))
            if node.op is not None and not self.merged:
                self.add_operation(node)
            for i in range(len(node.args)):
                self.add_arrow(Edge(node, i))
        return Diagram(
            boxes=tuple(self.boxes),
            operations=tuple(self.operations.values()),
            arrows=tuple(self.arrows),
            detail=self.extent.detail,
            note=self.extent.note,
            chain=self.chain,
            box_ids=self.box_ids,
            drawn_operations=self.operations,
            arrow_ids=self.arrow_ids,
        )

    def next_box(self) -> str:
        """The id of the next box."""
        return f"v{len(self.boxes) + 1}"

    def add_constants(self, node: Node) -> None:
        """The boxes of the constants a Value was made from; an array used twice is one box."""
        for i, arg in enumerate(node.args):
            key = constant_key(Edge(node, i))
            if isinstance(arg, Node) or key in self.constant_ids:
                continue
            data = node.saved[i + 1]
            self.constant_ids[key] = number = self.next_box()
            scope = node.scope if np.ndim(data) == 0 else None
            self.boxes.append(Box(number, self.replay.names.constant(arg), "constant", data=data, scope=scope))

    def add_operation(self, node: Node) -> None:
        """The operation that made a Value."""
        edges = [Edge(node, i) for i in range(len(node.args))]
        number = len(self.operations) + 1
        self.operations[node] = Operation(
            id=f"o{number}",
            result=self.box_ids[node],
            link=f"r{number}",
            node=node,
            wanted=any(map(self.wanted, edges)),
            paths=tuple(sorted({k for edge in edges for k in self.path_numbers(edge)})),
            factor=self.chain.factors.get(node, ()) if self.chain else (),
            scope=node.scope,
        )

    def add_arrow(self, edge: Edge) -> None:
        """An arrow from an operand to the operation, or to the box where they are merged."""
        live = isinstance(edge.operand, Node)
        tail = self.box_ids.get(edge.operand) if live else self.constant_ids.get(constant_key(edge))
        far = edge in self.extent.far
        if tail is None or (far and self.merged):
            return
        operation = self.operations.get(edge.result)
        self.arrow_ids[edge] = number = f"e{len(self.arrows) + 1}"
        self.arrows.append(
            Arrow(
                id=number,
                tail=self.copy(tail, edge) if far else tail,
                head=self.box_ids[edge.result] if operation is None else operation.id,
                live=live,
                derivative=self.replay.derivative(edge) if live and not self.merged else None,
                wanted=self.wanted(edge),
                paths=self.path_numbers(edge),
            )
        )

    def copy(self, original: str, edge: Edge) -> str:
        """A box that stands for one far away, beside the operation that uses it."""
        number = self.next_box()
        name = self.replay.names[edge.operand]
        self.boxes.append(Box(number, name, "copy", scope=edge.result.scope, original=original))
        return number

    def wanted(self, edge: Edge) -> bool:
        """Whether an edge is on a path to the wanted Value."""
        return self.chain is not None and self.chain.paths.along(edge)

    def path_numbers(self, edge: Edge) -> tuple[int, ...]:
        """The numbers of the listed paths that an edge is on."""
        return self.chain.numbers.get(edge, ()) if self.chain else ()

    def place(self, node: Node) -> Scope | None:
        """The module call a Value is drawn in; a parameter is drawn where it is used."""
        if node.op is not None:
            return node.scope
        scopes = {edge.result.scope for edge in self.replay.uses[node]}
        scope = scopes.pop() if len(scopes) == 1 else None
        own = scope is not None and (node.name or "").startswith(f"{scope.path}." if scope.path else "")
        return scope if own and node.name else None


def constant_key(edge: Edge) -> Any:
    """What makes two constant operands one box: being one array; plain numbers stay apart."""
    return edge if isinstance(edge.operand, float | int) else ("array", id(edge.operand))
