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

from tinygrad_edu.graph import Node
from tinygrad_edu.notes import Line
from tinygrad_edu.recording import Scope
from tinygrad_edu.viz.model.paths import Path, Paths
from tinygrad_edu.viz.model.replay import Edge, LocalDerivative, Replay

if TYPE_CHECKING:
    from tinygrad_edu.viz.model.formula import ChainRule


@dataclass(frozen=True, eq=False)
class Box:
    """A drawn value: a result, a variable, a constant, a module call, or a copy of a box far away."""

    id: str  # in the picture, such as "v1"
    name: str
    kind: str  # "root", "result", "variable", "constant", "module" (several Values in one box) or "copy"
    node: Node | None = None  # the Value; of a module call the one it returned; None for a constant
    data: Any = None  # of the forward pass
    grad: Any = None  # what `.grad` held when the box was made, or None
    contributions: tuple[Any, ...] = ()  # what the consumers passed to it, where that explains `grad`
    earlier: Any = None  # what `.grad` held before this pass
    scope: Scope | None = None  # the module call that it is drawn in
    original: str = ""  # the id of the box that a copy stands for
    flags: tuple[str, ...] = ()  # what should not be overlooked, such as a nan that begins here
    line: Line | None = None  # the line of the program that made it, as far as that was noted
    repeats: int = 1  # how often what is folded into a module is repeated
    size: int = 1  # how many Values are in it
    # in a comparison of two passes what "data" and "grad" were in the first, as far as they changed
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Operation:
    """A drawn operation: a hexagon between its operands and its result."""

    id: str  # in the picture, such as "o1"
    result: str  # the id of the box of its result
    link: str  # the id of the arrow between the two, such as "r1"
    node: Node  # the Value it computes
    wanted: bool  # whether it is on a wanted path
    paths: tuple[int, ...]  # the numbers of the listed paths it is on
    factor: tuple[Edge, ...]  # of the factor of the chain rule that begins here, if that spans several operations
    scope: Scope | None


@dataclass(frozen=True, eq=False)
class Arrow:
    """From an operand to the operation it enters, or, in pictures without hexagons, to its result."""

    id: str  # in the picture, such as "e1"
    tail: str  # the ids of its ends
    head: str
    live: bool = True  # whether a gradient can flow along it: not to a constant
    derivative: LocalDerivative | None = None  # None at constants, and in pictures that are too large to show it
    wanted: bool = False  # whether it is on a wanted path
    paths: tuple[int, ...] = ()  # the numbers of the listed paths it is on


@dataclass(frozen=True, eq=False)
class Diagram:
    """Everything that is drawn of a graph, operands before results.

    Where each Value, operation and edge of the graph is drawn, the last three fields say; in a folded picture many
    share a box.
    """

    boxes: tuple[Box, ...]
    operations: tuple[Operation, ...]
    arrows: tuple[Arrow, ...]
    detail: str  # "everything", "short" (no formulas), "merged" (operations inside their results) or "folded"
    note: str  # what the picture leaves out, in words
    chain: ChainRule | None  # the chain rule along the wanted paths, if there are any
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
    """One step backward: a result passes its gradient to one of its operands."""

    derivative: LocalDerivative  # at the edge between them
    upstream: Any  # the gradient of the result
    contribution: Any  # what is passed: the product of the two
    before: Any | None  # what the operand had, or None at first
    after: Any  # what the operand has now
    done: int  # how many consumers of the operand have passed something, this one included
    total: int  # how many consumers there are

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
    """A backward pass step by step; of a large graph the first steps of each phase, and the first variables."""

    replay: Replay
    diagram: Diagram
    forward: tuple[Node, ...]  # the results, in the order in which they are computed
    backward: tuple[Step, ...]
    update: tuple[Update, ...]
    leaves: tuple[Leaf, ...]
    total: Mapping[str, int]  # how many steps each of the phases "forward", "backward" and "update" has
