"""Two backward passes side by side: what a training step changed, or how two runs differ.

Values that correspond are compared, data and gradient, and the largest relative change comes first; what only one of
the two has is listed. Compared are the arrays of the forward passes and the gradients of a replay, so that it does
not matter what happened to the Values since.

Source: none; this is a subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tinygrad_edu.viz import wording
from tinygrad_edu.viz.backward_pass import BackwardPass
from tinygrad_edu.viz.formula import glyph
from tinygrad_edu.viz.matching import matched
from tinygrad_edu.viz.terminal import laid_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.drawing import Drawing
    from tinygrad_edu.viz.terminal import Text
    from tinygrad_edu.viz.trace import Box, Trace

LINES, NAMED = 200, 12
WIDEST = 30
INF = float("inf")


@dataclass(frozen=True)
class Change:
    """The data, or the gradient, of a Value in both passes.

    Attributes
    ----------
    name, quantity
        The Value, and "data" or "grad".
    before, after, change
        What it was and is, and the difference, as text.
    relative
        The norm of the difference, divided by that of what it was; infinite where that cannot be said.
    difference
        After minus before; None where they cannot be subtracted.
    """

    name: str
    quantity: str
    before: str
    after: str
    change: str
    relative: float
    difference: Any

    @property
    def percent(self) -> str:
        """The relative change for a table."""
        return f"{wording.number(100 * self.relative)}%" if self.relative < INF else "-"


class Comparison:
    """What is equal in two backward passes, and what is not.

    Parameters
    ----------
    before, after
        The two passes.

    Attributes
    ----------
    pairs
        For every Value of the second pass that has one, the corresponding Value of the first.
    changes
        Data and gradient of the Values that correspond, as far as they differ; the largest relative change first.
    gone, new
        The Values that only the first pass has, and those that only the second has.
    """

    def __init__(self, before: BackwardPass, after: BackwardPass) -> None:
        self.before, self.after = before, after
        self.first, self.second = before.teller.tracer, after.teller.tracer
        nodes, others = self.first.nodes[::-1], self.second.nodes[::-1]
        self.pairs = matched(nodes, others, self.first.names, self.second.names)
        used = frozenset(self.pairs.values())
        self.gone = [node for node in nodes if node not in used]
        self.new = [node for node in others if node not in self.pairs]
        self.of = {node: found for node in others if node in self.pairs and (found := self.compared(node))}
        self.changes = sorted((c for found in self.of.values() for c in found), key=lambda c: -c.relative)

    def compared(self, node: Node) -> list[Change]:
        """The changes of a Value of the second pass."""
        old, name = self.pairs[node], self.second.names[node]
        data = change(name, "data", self.first.data(old), self.second.data(node))
        grad = change(name, "grad", self.first.gradients.get(old), self.second.gradients.get(node))
        return [found for found in (data, grad) if found.relative]

    @property
    def same_structure(self) -> bool:
        """Whether every Value of each pass has its counterpart in the other."""
        return not self.gone and not self.new

    @cached_property
    def text(self) -> Text:
        """The comparison as a table."""
        roots = f"{self.first.names[self.first.root]} -> {self.second.names[self.second.root]}"
        structure = "the same structure" if self.same_structure else "different structures"
        lines = [f"{roots}: {structure}, {len(self.pairs):,} values compared, {len(self.of):,} changed"]
        lines += table(self.changes) if self.changes else ["nothing changed"]
        same = [self.second.names[node] for node in self.pairs if node not in self.of]
        lines += some("unchanged", same if self.changes else [])
        return laid_out([*lines, *self.only()])

    def only(self) -> list[str]:
        """What only one of the two has."""
        gone = some("only before", (called(node, self.first.names[node]) for node in self.gone))
        return gone + some("only after", (called(node, self.second.names[node]) for node in self.new))

    def draw(self) -> Drawing:
        """The second pass as a picture, its boxes with both numbers, those that changed marked."""
        drawing = self.after.draw()
        drawing.trace = self.marked(self.after.teller.trace)
        return drawing

    def marked(self, trace: Trace) -> Trace:
        """What is drawn of the second pass, with both numbers in its boxes."""
        inside: dict[str, list[Node]] = {}
        for node in self.second.nodes:
            inside.setdefault(self.after.teller.places.box(node), []).append(node)
        boxes = tuple(self.box(box, inside.get(box.id, [])) for box in trace.boxes)
        note = [trace.note, "before -> after; what changed has a border in orange, and how much", *self.only()]
        return replace(trace, boxes=boxes, note="\n".join(filter(None, note)))

    def box(self, box: Box, nodes: Sequence[Node]) -> Box:
        """A box with what it was and what it is; of a folded one, how much of it changed."""
        changes = [found for node in nodes for found in self.of.get(node, [])]
        if box.kind == "module":
            count = sum(node in self.of for node in nodes)
            return replace(box, flags=(*box.flags, f"{count:,} of {len(nodes):,} values changed")) if count else box
        if not nodes:
            return box
        grad = self.second.gradients.get(nodes[0])
        texts: dict[str, Any] = {} if grad is None else {"grad": wording.array(grad)}
        texts |= {found.quantity: f"{found.before} -> {found.after}" for found in changes}
        flags = tuple(f"{found.quantity} changed: {found.percent}".removesuffix(": -") for found in changes)
        flags = ("new",) if nodes[0] not in self.pairs else flags
        return replace(box, **texts, flags=(*box.flags, *flags), maps=() if changes else box.maps)

    def __str__(self) -> str:
        return str(self.text)

    def __repr__(self) -> str:
        return repr(self.text)


def diff(before: BackwardPass, after: BackwardPass) -> Comparison:
    """Compare two backward passes: before and after a training step, or two runs.

    Parameters
    ----------
    before, after
        The two passes, as `viz.trace(loss)` gives them.

    Raises
    ------
    TypeError
        If one of them is something else.
    """
    for given in (before, after):
        if not isinstance(given, BackwardPass):
            raise TypeError(
                f"diff(before, after) compares two backward passes, got {type(given).__name__}: write "
                "before = viz.trace(loss), take the training step, compute the loss again, after = viz.trace(loss)"
            )
    return Comparison(before, after)


def change(name: str, quantity: str, before: Any, after: Any) -> Change:
    """How far two arrays, or an array and nothing, are from each other."""
    texts = "-" if before is None else wording.array(before), "-" if after is None else wording.array(after)
    if before is None or after is None or np.shape(before) != np.shape(after):
        alike = before is None and after is None
        return Change(name, quantity, *texts, "-", 0.0 if alike else INF, None)
    same = np.array_equal(before, after, equal_nan=True)
    with np.errstate(all="ignore"):
        difference = np.subtract(after, before)
        relative = 0.0 if same else float(np.divide(wording.norm(difference), wording.norm(before)))
    size = relative if np.isfinite(relative) else INF
    return Change(name, quantity, *texts, wording.array(difference), size, difference)


def table(changes: Sequence[Change]) -> list[str]:
    """The changes as rows with columns of equal width."""
    rows = [("", "relative", "before", "after", "change")]
    rows += [(f"{c.name}.{c.quantity}", c.percent, c.before, c.after, c.change) for c in changes[:LINES]]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    more = len(changes) - LINES
    return [f"  {line}".rstrip() for line in lines] + ([f"  ... {more:,} more changes"] if more > 0 else [])


def some(title: str, names: Iterable[str]) -> list[str]:
    """A line with the first names; no line without any."""
    listed = list(names)
    more = f", and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return [f"{title}: {', '.join(listed[:NAMED])}{more}"] if listed else []


def called(node: Node, name: str) -> str:
    """A Value with the operation that made it."""
    return name if node.op is None else f"{name} ({glyph(node)})"
