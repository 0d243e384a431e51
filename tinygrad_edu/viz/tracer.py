"""From a graph of Values to a `Trace`.

One walk over the nodes to be drawn, operands first: the constants a node was made from, its own box, its step, and an
edge per operand, so that `x * x` has two.

Source: none; this is bookkeeping.
"""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np

from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.caption import Caption, figure, fraction
from tinygrad_edu.viz.extent import MERGED, Extent
from tinygrad_edu.viz.flags import flags
from tinygrad_edu.viz.formula import constant_exponent, evaluated, glyph, local_text
from tinygrad_edu.viz.journal import called
from tinygrad_edu.viz.ledger import Ledger
from tinygrad_edu.viz.lines import line_of
from tinygrad_edu.viz.naming import Names
from tinygrad_edu.viz.overview import Overview
from tinygrad_edu.viz.paths import find_paths
from tinygrad_edu.viz.replay import consumers, forward_data, gradients
from tinygrad_edu.viz.scalars import opened
from tinygrad_edu.viz.thumbnail import cells
from tinygrad_edu.viz.trace import Box, Edge, Step, Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tinygrad_edu.recording import Scope
    from tinygrad_edu.viz.replay import Hop


def trace(root: Node, to: Node | None = None, names: Mapping[str, Any] | None = None, level: str = "tensor") -> Trace:
    """Replay the backward pass and describe it; no `.grad` is touched.

    Parameters
    ----------
    root
        The result.
    to
        The Value whose paths to the result are wanted.
    names
        Names of objects, such as `locals()`.
    level
        "module" folds module calls and repetitions, as is done with every large graph; "scalar" opens arrays into
        their numbers.
    """
    if level == "scalar":
        root, names = opened(root, Names(toposort(root)[::-1], names).given_names()), None
    tracer = Tracer(root, to, names)
    folded = level == "module" or len(tracer.nodes) > MERGED
    return Overview(tracer, to).trace() if folded else tracer.trace()


class Tracer:
    """Collects the parts of a trace."""

    def __init__(self, root: Node, to: Node | None, names: Mapping[str, Any] | None) -> None:
        self.nodes = nodes = toposort(root)
        self.root, self.uses = root, consumers(nodes)
        self.names, self.gradients = Names(nodes[::-1], names), gradients(root)
        self.ledger = Ledger(root, self.gradients, self.uses)
        self.paths = None if to is None else find_paths(nodes, to, self.gradients[to])
        self.caption = None
        if to is not None and self.paths is not None:
            self.caption = Caption(root, to, self.paths, self.names, cache(figure))
        self.boxes: list[Box] = []
        self.steps: list[Step] = []
        self.edges: list[Edge] = []
        self.ids: dict[Any, str] = {}
        self.made: dict[Node, str] = {}
        self.hops: dict[Hop, str] = {}

    @cached_property
    def extent(self) -> Extent:
        """How much is said of each Value."""
        return Extent(self.nodes)

    def trace(self) -> Trace:
        """The finished trace."""
        for node in self.extent.drawn:
            if self.extent.detail != "merged" and constant_exponent(node) is None:
                self.add_constants(node)
            self.add_box(node)
            if node.op is not None and self.extent.detail != "merged":
                self.add_step(node)
            self.add_edges(node)
        lines = tuple(self.caption.lines) if self.caption else ()
        parts = tuple(self.boxes), tuple(self.steps), tuple(self.edges)
        return Trace(*parts, lines, self.extent.note, self.extent.detail)

    def add_box(self, node: Node) -> None:
        """The box of a Value."""
        self.ids[node] = f"v{len(self.boxes) + 1}"
        kind = "root" if node is self.root else "variable" if node.op is None else "result"
        data, mark = self.data(node), "" if node.op is None else glyph(node)
        texts = wording.array(data), self.ledger.grad(node), mark
        shown = {**self.looks(data, node.grad), **self.remarks(node)}
        self.boxes.append(Box(self.ids[node], self.names[node], kind, *texts, self.place(node), **shown))

    def looks(self, data: Any, grad: Any = None) -> dict[str, Any]:
        """Shape, dtype and heat maps of an array that is too large for its numbers, where there is room for them."""
        if np.size(data) <= wording.FULL or self.extent.detail != "everything":
            return {}
        maps = tuple(cells(array) for array in (data, grad) if array is not None)
        return {"array": f"{wording.shape(data)} {data.dtype}", "maps": maps}

    def remarks(self, node: Node) -> dict[str, Any]:
        """What should not be overlooked, and where the Value was made."""
        line = line_of(node)
        found = tuple(flags(node, self.data(node), self.gradients, self.uses[node]))
        return {"flags": found, "line": "" if line is None else str(line)}

    def data(self, node: Node) -> Any:
        """What a Value held in the forward pass."""
        return forward_data(node, self.uses[node])

    def add_constants(self, node: Node) -> None:
        """The boxes of the constants a Value was made from; an array used twice is one box."""
        for i, arg in enumerate(node.args):
            if isinstance(arg, Node) or constant_key((node, i)) in self.ids:
                continue
            data = node.saved[i + 1]
            self.ids[constant_key((node, i))] = found = f"v{len(self.boxes) + 1}"
            scope = node.scope if np.ndim(data) == 0 else None
            texts = self.names.constant(arg), "constant", wording.array(data), "", ""
            self.boxes.append(Box(found, *texts, scope, **self.looks(data)))

    def add_step(self, node: Node) -> None:
        """The operation that made a Value."""
        hops = [(node, i) for i in range(len(node.args))]
        marks = "".join(sorted({mark for hop in hops for mark in self.marks(hop)}))
        factor = self.caption.stretches.get(node, "") if self.caption else ""
        wanted = any(self.wanted(hop) for hop in hops)
        self.made[node] = number = f"o{len(self.steps) + 1}"
        self.steps.append(Step(number, glyph(node), self.ids[node], wanted, marks, factor, node.scope))

    def add_edges(self, node: Node) -> None:
        """An edge from each operand to the step, or to the box where they are merged."""
        head = self.ids[node] if self.extent.detail == "merged" else f"o{len(self.steps)}"
        operands = called(node, self.names)
        for i, arg in enumerate(node.args):
            live = isinstance(arg, Node)
            tail = self.ids.get(arg if live else constant_key((node, i)))
            far = (node, i) in self.extent.far
            if tail is None or (far and self.extent.detail == "merged"):
                continue
            tail = self.copy(tail, node) if far else tail
            name, text, closed = self.local((node, i), operands) if live else ("", "", False)
            marks = self.marks((node, i))
            self.hops[node, i] = f"e{len(self.edges) + 1}"
            self.edges.append(Edge(tail, head, name, text, live, closed, self.wanted((node, i)), marks))

    def copy(self, original: str, node: Node) -> str:
        """A box that stands for one far away."""
        found = f"v{len(self.boxes) + 1}"
        name = self.boxes[int(original[1:]) - 1].name
        self.boxes.append(Box(found, name, "copy", "", "", "", node.scope, original))
        return found

    def local(self, hop: Hop, operands: list[str]) -> tuple[str, str, bool]:
        """Name, text and closedness of a local derivative, as far as this size of picture shows it."""
        if self.extent.detail == "merged":
            return "", "", False
        if self.extent.detail == "short":
            return "", *evaluated(hop)
        result = self.names[hop[0]]
        return fraction(result, operands[hop[1]]), *local_text(hop, result, operands)

    def wanted(self, hop: Hop) -> bool:
        """Whether a hop is on a path to the wanted Value."""
        between, arg = self.paths.between if self.paths else (), hop[0].args[hop[1]]
        return isinstance(arg, Node) and hop[0] in between and arg in between

    def marks(self, hop: Hop) -> str:
        """The circled numbers of the paths that a hop is on."""
        return self.caption.marks.get(hop, "") if self.caption else ""

    def place(self, node: Node) -> Scope | None:
        """The module call a Value is drawn in; a parameter is drawn where it is used."""
        if node.op is not None:
            return node.scope
        scopes = {consumer.scope for consumer, _ in self.uses[node]}
        scope = scopes.pop() if len(scopes) == 1 else None
        own = scope is not None and (node.name or "").startswith(f"{scope.path}." if scope.path else "")
        return scope if own and node.name else None


def constant_key(hop: Hop) -> Any:
    """What makes two constant operands one box: being one array; plain numbers stay apart."""
    arg = hop[0].args[hop[1]]
    return hop if isinstance(arg, float | int) else ("array", id(arg))
