"""How much is said of each Value of a graph, and what should not be overlooked.

A picture of everything is a help up to some size, then a burden, then a program that never ends: it is the labels on
edges that make a layout slow. So there are steps, and the picture says in words what it leaves out. Beyond the last
of them, a graph is folded (`fold.py`). A flag stands on one Value, the one where the trouble starts: a result that is
not finite though its operands are, a gradient that is not finite though those it is made of are; of the sizes, only
extremes are flagged.

Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_edu.graph import NUMBER, Node
from tinygrad_edu.notes import line_of
from tinygrad_edu.recording import Scope
from tinygrad_edu.viz.model.formatting import FULL
from tinygrad_edu.viz.model.records import Box
from tinygrad_edu.viz.model.replay import Edge, Replay, fetched, operand_edges

EVERYTHING = 150
SHORT = 600
MERGED = 2_000
"""Sizes up to which all is shown, formulas are left out, and operations stand inside their results.

Measured with Graphviz: 2,005 boxes take 23 s with labels on edges, 2.4 s without, 1.2 s without operations.
"""

LEFT_OUT = {"short": "formulas and gradients", "merged": "numbers, constants and separate operations"}

NEAR = 4
ROWS = 250
"""Lines that cross more than four rows are left out where all of them cross more than 250.

A weight used at every one of 60 steps takes Graphviz half a minute to connect.
"""

VANISHING = 1e-7
EXPLODING = 1e4
"""Gradients whose largest entry is smaller, or greater, are flagged; that of the result is 1.

The first is what float32 resolves beside 1; the second makes any usual learning rate a leap.
"""


class Extent:
    """How a graph is drawn, box by box."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        size = sum(2 if node.op is not None else 1 for node in nodes)
        size += sum(not isinstance(arg, Node) for node in nodes for arg in node.args)
        self.detail = "everything" if size <= EVERYTHING else "short" if size <= SHORT else "merged"
        self.drawn = sorted(nodes, key=NUMBER)  # operands first
        self.far = far_edges(self.drawn)  # their lines start from a copy of the operand instead

    @property
    def note(self) -> str:
        """What the picture leaves out; nothing if nothing is."""
        missing = LEFT_OUT.get(self.detail)
        lines = [f"{len(self.drawn):,} values: {missing} are left out"] if missing else []
        if self.far:
            merged = self.detail == "merged"
            lines.append("long lines are left out" if merged else "rounded: a value that is drawn elsewhere")
        return "\n".join(lines)


def far_edges(drawn: Sequence[Node]) -> frozenset[Edge]:
    """The long lines of a graph whose lines cross too many rows in all; none of other graphs."""
    rows: dict[Node, int] = {}
    for node in drawn:
        rows[node] = 1 + max((rows.get(arg, 0) for arg in node.args if isinstance(arg, Node)), default=-1)
    edges = [edge for node in drawn for edge in operand_edges(node) if edge.operand in rows]
    for edge in reversed(edges):
        if edge.operand.op is None:  # a variable stands just above where it is used first
            used = rows[edge.result] - 1
            rows[edge.operand] = min(rows[edge.operand] or used, used)
    spans = {edge: rows[edge.result] - rows[edge.operand] for edge in edges}
    total = sum(spans.values())
    return frozenset(edge for edge, span in spans.items() if span > NEAR and total > ROWS)


def value_box(replay: Replay, node: Node, number: str, scope: Scope | None = None) -> Box:
    """The box of a single Value: its data, its gradient and of what it is made, and what should not be overlooked."""
    return Box(
        number,
        replay.names[node],
        "root" if node is replay.root else "variable" if node.op is None else "result",
        node,
        data=replay.data(node),
        scope=scope,
        flags=tuple(flags(replay, node)),
        line=line_of(node),
        **held_gradient(replay, node),
    )


def held_gradient(replay: Replay, node: Node) -> dict[str, Any]:
    """What `.grad` holds, and the terms of that sum where it is small enough to be written as one."""
    grad = fetched(node.gradient)
    if grad is None or not replay.was_run() or np.size(grad) > FULL:
        return {"grad": grad}
    found = tuple(replay.contributions(node))
    return {"grad": grad, "contributions": found, "earlier": replay.earlier(node)}


def flags(replay: Replay, node: Node) -> Iterator[str]:
    """What should not be overlooked at a Value: where nan begins, and gradients that vanish or explode."""
    data = replay.data(node)
    if not finite(data) and all(map(finite, node.saved[1:])):
        yield f"{trouble(data)} begins here"
    g = replay.gradients.get(node)
    if g is None:
        return
    if not finite(g):
        if all(finite(replay.gradients[result]) for result, _ in replay.uses[node] if result in replay.gradients):
            yield f"{trouble(g)} in the gradient begins here"
    elif 0.0 < (size := float(np.abs(g).max(initial=0.0))) < VANISHING:
        yield "the gradient vanishes"
    elif size > EXPLODING:
        yield "the gradient explodes"


def finite(data: Any) -> bool:
    """Whether every entry is a number."""
    return bool(np.isfinite(data).all())


def trouble(data: Any) -> str:
    """What is wrong with an array that is not finite."""
    return "nan" if np.any(np.isnan(data)) else "infinity"
