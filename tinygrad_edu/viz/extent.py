"""How much is said of each Value of a graph.

A picture of everything is a help up to some size, then a burden, then a program that never ends: it is the labels on
edges that make a layout slow. So there are steps, and the picture says in words what it leaves out. Beyond the last
of them, a graph is folded (`overview.py`).

Source: measured with Graphviz: 2,005 boxes take 23 s with labels on edges, 2.4 s without, 1.2 s without the steps.
"""

from __future__ import annotations

from tinygrad_edu.graph import NUMBER, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygrad_edu.viz.replay import Hop

EVERYTHING, SHORT, MERGED = 150, 600, 2_000
ROWS, NEAR = 250, 4


class Extent:
    """How a graph is drawn, box by box.

    Parameters
    ----------
    nodes
        The whole graph.

    Attributes
    ----------
    detail
        "everything", "short" (no formulas), or "merged" (operations inside their results).
    drawn
        The nodes, operands first.
    far
        The hops whose lines would cross too many rows: they start from a copy of the operand instead.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        size = sum(2 if node.op is not None else 1 for node in nodes)
        size += sum(not isinstance(arg, Node) for node in nodes for arg in node.args)
        self.detail = "everything" if size <= EVERYTHING else "short" if size <= SHORT else "merged"
        self.drawn = sorted(nodes, key=NUMBER)
        self.far = far_hops(self.drawn)

    @property
    def note(self) -> str:
        """What the picture leaves out; nothing if nothing is."""
        lines, total = [], len(self.drawn)
        if self.detail == "short":
            lines.append(f"{total:,} values: formulas and gradients are left out")
        if self.detail == "merged":
            lines.append(f"{total:,} values: numbers, constants and separate operations are left out")
        if self.far:
            merged = self.detail == "merged"
            lines.append("long lines are left out" if merged else "rounded: a value that is drawn elsewhere")
        return "\n".join(lines)


def far_hops(drawn: Sequence[Node]) -> frozenset[Hop]:
    """The long lines of a graph whose lines cross too many rows in all; none of other graphs.

    A weight used at every one of 60 steps takes Graphviz half a minute to connect.
    """
    rows: dict[Node, int] = {}
    for node in drawn:
        rows[node] = 1 + max((rows.get(arg, 0) for arg in node.args if isinstance(arg, Node)), default=-1)
    hops = [(node, i) for node in drawn for i, arg in enumerate(node.args) if isinstance(arg, Node) and arg in rows]
    for node, i in reversed(hops):
        if node.args[i].op is None:  # a variable stands just above where it is used first
            used = rows[node] - 1
            rows[node.args[i]] = min(rows[node.args[i]] or used, used)
    spans = {hop: rows[hop[0]] - rows[hop[0].args[hop[1]]] for hop in hops}
    total = sum(spans.values())
    return frozenset(hop for hop, span in spans.items() if span > NEAR and total > ROWS)
