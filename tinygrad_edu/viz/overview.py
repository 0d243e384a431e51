"""The folded drawing: module calls and repetitions as boxes, for large graphs and for the module zoom.

Source: the model graphs of TensorBoard, Wongsuphasawat et al., "Visualizing Dataflow Graphs of Deep Learning Models
in TensorFlow" (2018), which fold by scope and by repetition.
"""

from __future__ import annotations

from collections import deque

from tinygrad_edu.graph import Node
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.folding import Unit, folded
from tinygrad_edu.viz.formula import glyph
from tinygrad_edu.viz.trace import Box, Edge, Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygrad_edu.viz.tracer import Tracer

MOST = 150
SEARCHED = 5_000


class Overview:
    """Folds the graph of a tracer.

    Parameters
    ----------
    tracer
        What knows the graph.
    to
        The Value whose paths are wanted.
    """

    def __init__(self, tracer: Tracer, to: Node | None) -> None:
        self.tracer = tracer
        alone = frozenset({tracer.root} if to is None else {tracer.root, to})
        self.units = folded(tracer.nodes[::-1], tracer.uses, alone)
        self.home = {node: i for i, unit in enumerate(self.units) for node in unit.nodes}
        self.links = self.linked()
        self.drawn = self.nearest(self.home[tracer.root if to is None else to])
        self.focus = tracer.names[tracer.root if to is None else to]

    def linked(self) -> dict[tuple[int, int], bool]:
        """Which unit enters which, and whether that is on a wanted path."""
        links: dict[tuple[int, int], bool] = {}
        for node in self.tracer.nodes:
            for i, arg in enumerate(node.args):
                if isinstance(arg, Node) and (ends := (self.home[arg], self.home[node])) and ends[0] != ends[1]:
                    links[ends] = links.get(ends, False) or self.tracer.wanted((node, i))
        return links

    def nearest(self, focus: int) -> list[int]:
        """The units fewest steps away from one, in either direction; all of them if they are few."""
        near: dict[int, list[int]] = {}
        for tail, head in self.links:
            near.setdefault(tail, []).append(head)
            near.setdefault(head, []).append(tail)
        seen, waiting = {focus}, deque([focus])
        found: list[int] = []
        while waiting and len(found) < MOST:
            found.append(waiting.popleft())
            for unit in near.get(found[-1], []):
                if unit not in seen:
                    seen.add(unit)
                    waiting.append(unit)
        return sorted(found)

    def trace(self) -> Trace:
        """The folded graph as data."""
        boxes = tuple(self.box(i) for i in self.drawn)
        shown = set(self.drawn)
        edges = tuple(
            Edge(f"v{tail + 1}", f"v{head + 1}", "", "", True, False, wanted, "")
            for (tail, head), wanted in self.links.items()
            if tail in shown and head in shown
        )
        caption = self.tracer.caption
        return Trace(boxes, (), edges, tuple(caption.lines) if caption else (), self.note(), "folded")

    def box(self, i: int) -> Box:
        """The box of a unit: a single Value as always, otherwise what was folded and what comes out of it."""
        unit, tracer = self.units[i], self.tracer
        node = unit.result
        data, grad = wording.array(tracer.data(node)), tracer.ledger.grad(node)
        if len(unit.nodes) == 1 and unit.scope is None:
            kind = "root" if node is tracer.root else "variable" if node.op is None else "result"
            mark = "" if node.op is None else glyph(node)
            return Box(f"v{i + 1}", tracer.names[node], kind, data, grad, mark, None, **tracer.remarks(node))
        return Box(f"v{i + 1}", unit.title, "module", data, grad, counted(unit), None, flags=self.flags(unit))

    def flags(self, unit: Unit) -> tuple[str, ...]:
        """What should not be overlooked inside a folded box, each flag once; not looked for in the largest graphs."""
        if len(self.tracer.nodes) > SEARCHED:
            return ()
        found = (flag for node in unit.nodes for flag in self.tracer.remarks(node)["flags"])
        return tuple(dict.fromkeys(f"inside: {flag}" for flag in found))

    def note(self) -> str:
        """What was folded, and what was left out."""
        total, kept = len(self.tracer.nodes), sum(len(self.units[i].nodes) for i in self.drawn)
        lines = [f"{total:,} values in {len(self.units):,} boxes: module calls and repetitions are folded"]
        if total > kept:
            lines.append(f"... and {total - kept:,} more values, farther from {self.focus}")
        return "\n".join(lines)


def counted(unit: Unit) -> str:
    """How much is in a folded box: its repetitions and its Values."""
    size = f"{len(unit.nodes):,} value{'s' * (len(unit.nodes) > 1)}"
    return f"x{unit.repeats:,}, {size}" if unit.repeats > 1 else size
