"""Where each Value, operation and hop of a graph is in its picture.

In the picture of a small graph each has a part of its own; in that of a large one, which is folded, many share a box.

Source: none; this is bookkeeping.
"""

from __future__ import annotations

from tinygrad_edu.graph import Node
from tinygrad_edu.viz.extent import MERGED
from tinygrad_edu.viz.overview import Overview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygrad_edu.viz.replay import Hop
    from tinygrad_edu.viz.tracer import Tracer


class Placement:
    """Finds the parts of a picture; nothing where there is none.

    Parameters
    ----------
    tracer
        What knows the graph.

    Attributes
    ----------
    trace
        What is drawn: every Value, or of more than 2,000 the folded graph.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.boxes: dict[Node, str] = {}
        self.made: dict[Node, str] = {}
        self.hops: dict[Hop, str] = {}
        if len(tracer.nodes) <= MERGED:
            self.trace, self.boxes, self.made, self.hops = tracer.trace(), tracer.ids, tracer.made, tracer.hops
        else:
            self.fold(Overview(tracer, None), tracer.nodes)

    def fold(self, overview: Overview, nodes: list[Node]) -> None:
        """Put each Value into the box of its unit, and each hop between units onto their edge."""
        self.trace, shown = overview.trace(), set(overview.drawn)
        home = {node: f"v{unit + 1}" for node, unit in overview.home.items() if unit in shown}
        edges = {(edge.tail, edge.head): f"e{k}" for k, edge in enumerate(self.trace.edges, 1)}
        for node in nodes:
            for i, arg in enumerate(node.args):
                ends = (home.get(arg, ""), home.get(node, "")) if isinstance(arg, Node) else ("", "")
                if ends in edges:
                    self.hops[node, i] = edges[ends]
        self.boxes = home

    def box(self, node: Node) -> str:
        """The box of a Value."""
        return self.boxes.get(node, "")

    def step(self, node: Node) -> str:
        """The step that made a result; the result's own box where they are merged."""
        return self.made.get(node, self.box(node))

    def edge(self, hop: Hop) -> str:
        """The edge of a hop."""
        return self.hops.get(hop, "")
