"""What there is to see of a backward pass, as data: Values, arrays, ids and names, and no text made of numbers.

A `Diagram` is what is drawn: boxes for Values, operations, and arrows between them. A `Story` is what happens: the
steps forward, backward and of the update, and the paths to each variable. Every view is made of these records, with
the same formatting (`formatting.py`, `formula.py`) at the very end, so that all of them agree.

Source: the split between data and its marks in Bostock, Ogievetsky and Heer, "D3" (2011).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.recording import Scope
from tinygrad_edu.viz.lines import Line
from tinygrad_edu.viz.model.names import Names
from tinygrad_edu.viz.model.paths import Path, Paths
from tinygrad_edu.viz.model.replay import Edge, Replay

if TYPE_CHECKING:
    from tinygrad_edu.viz.model.formula import ChainRule


@dataclass(frozen=True, eq=False)
class LocalDerivative:
    """The derivative of a result for one of its operands.

    Attributes
    ----------
    edge
        The result, and the place of the operand.
    value
        The derivative in the shape of the operand; None where it is a Jacobian of more entries.
    names
        What the result and its operands are called.
    """

    edge: Edge
    value: Any | None
    names: Names

    @property
    def closed(self) -> bool:
        """Whether no gradient passes, as through a ReLU below zero."""
        return self.value is not None and not np.any(self.value)


@dataclass(frozen=True, eq=False)
class Box:
    """A drawn value: a result, a variable, a constant, a module call, or a copy of a box far away.

    Attributes
    ----------
    id
        Its id in the picture, such as "v1".
    kind
        "root", "result", "variable", "constant", "module" (several Values in one box) or "copy".
    node
        The Value; of a module call the one it returned; None for a constant.
    data, grad
        Its data in the forward pass, and what `.grad` held when the box was made, or None.
    contributions, earlier
        What the consumers passed to it, where that explains `grad`; and what was there before this pass.
    scope
        The module call that it is drawn in.
    original
        The id of the box that a copy stands for.
    flags
        What should not be overlooked, such as a nan that begins here.
    line
        The line of the program that made it, as far as that was noted.
    repeats, size
        How often what is folded into a module is repeated, and how many Values it has.
    before
        In a comparison of two passes what "data" and "grad" were in the first, as far as they changed.
    """

    id: str
    name: str
    kind: str
    node: Node | None = None
    data: Any = None
    grad: Any = None
    contributions: tuple[Any, ...] = ()
    earlier: Any = None
    scope: Scope | None = None
    original: str = ""
    flags: tuple[str, ...] = ()
    line: Line | None = None
    repeats: int = 1
    size: int = 1
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Operation:
    """A drawn operation: a hexagon between its operands and its result.

    Attributes
    ----------
    id, result, link
        The ids of the hexagon ("o1"), of the box of its result, and of the arrow between the two ("r1").
    node
        The Value it computes.
    wanted, paths
        Whether it is on a wanted path, and the numbers of the listed paths it is on.
    factor
        The edges of the factor of the chain rule that begins here, if that goes through several operations.
    """

    id: str
    result: str
    link: str
    node: Node
    wanted: bool
    paths: tuple[int, ...]
    factor: tuple[Edge, ...]
    scope: Scope | None


@dataclass(frozen=True, eq=False)
class Arrow:
    """From an operand to the operation it enters, or, in pictures without hexagons, to its result.

    Attributes
    ----------
    id, tail, head
        Its own id ("e1"), and those of its ends.
    live
        Whether a gradient can flow along it: not to a constant.
    derivative
        The local derivative; None at constants, and in pictures that are too large to show it.
    wanted, paths
        Whether it is on a wanted path, and the numbers of the listed paths it is on.
    """

    id: str
    tail: str
    head: str
    live: bool = True
    derivative: LocalDerivative | None = None
    wanted: bool = False
    paths: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Diagram:
    """Everything that is drawn of a graph, operands before results.

    Attributes
    ----------
    detail
        How much is said: "everything", "short" (no formulas), "merged" (operations inside their results) or "folded".
    note
        What the picture leaves out, in words.
    chain
        The chain rule along the wanted paths, if there are any.
    box_ids, drawn_operations, arrow_ids
        Where each Value, operation and edge of the graph is drawn. In a folded picture many share a box.
    """

    boxes: tuple[Box, ...]
    operations: tuple[Operation, ...]
    arrows: tuple[Arrow, ...]
    detail: str
    note: str
    chain: ChainRule | None
    box_ids: Mapping[Node, str]
    drawn_operations: Mapping[Node, Operation]
    arrow_ids: Mapping[Edge, str]

    def box(self, node: Node) -> str:
        """The id of a Value's box; nothing if it is not drawn."""
        return self.box_ids.get(node, "")

    def operation(self, node: Node) -> str:
        """The id of the operation that made a Value; of the Value's own box where they are merged."""
        found = self.drawn_operations.get(node)
        return self.box(node) if found is None else found.id

    def link(self, node: Node) -> str:
        """The id of the arrow from an operation to its result; nothing where they are merged."""
        found = self.drawn_operations.get(node)
        return "" if found is None else found.link

    def arrow(self, edge: Edge) -> str:
        """The id of an edge's arrow; nothing if it is not drawn."""
        return self.arrow_ids.get(edge, "")

    def along(self, path: Path) -> list[str]:
        """The ids of what is drawn of a path, each once, the result first."""
        found: list[str] = []
        for edge in path.edges:
            found += [self.box(edge.result), self.operation(edge.result), self.arrow(edge), self.box(edge.operand)]
        return list(filter(None, dict.fromkeys(found)))

    @property
    def root(self) -> Box:
        """The box of the result."""
        return next((box for box in reversed(self.boxes) if box.kind == "root"), self.boxes[-1])


@dataclass(frozen=True, eq=False)
class Step:
    """One step backward: a result passes its gradient to one of its operands.

    Attributes
    ----------
    derivative
        The local derivative at the edge between them.
    upstream
        The gradient of the result.
    contribution
        What is passed: the product of the two.
    before, after
        What the operand had, or None at first, and what it has now.
    done, total
        How many consumers of the operand have passed something, this one included, and how many there are.
    """

    derivative: LocalDerivative
    upstream: Any
    contribution: Any
    before: Any | None
    after: Any
    done: int
    total: int

    @property
    def edge(self) -> Edge:
        """The result, and the place of the operand."""
        return self.derivative.edge

    @property
    def complete(self) -> bool:
        """Whether the gradient of the operand is complete now."""
        return self.done == self.total


@dataclass(frozen=True, eq=False)
class Update:
    """A variable moves against its gradient: w <- w - lr * grad."""

    node: Node
    data: Any
    gradient: Any
    lr: float
    after: Any


@dataclass(frozen=True, eq=False)
class Leaf:
    """A variable, the paths whose products sum to its gradient, and what `.grad` held before this pass, or None."""

    node: Node
    paths: Paths
    earlier: Any | None


@dataclass(frozen=True, eq=False)
class Story:
    """A backward pass step by step; of a large graph the first steps of each phase, and the first variables.

    Attributes
    ----------
    forward
        The results in the order in which they are computed.
    total
        How many steps each of the phases "forward", "backward" and "update" has.
    """

    replay: Replay
    diagram: Diagram
    forward: tuple[Node, ...]
    backward: tuple[Step, ...]
    update: tuple[Update, ...]
    leaves: tuple[Leaf, ...]
    total: Mapping[str, int]
