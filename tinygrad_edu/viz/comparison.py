"""Two backward passes side by side: what a training step changed, or how two runs differ.

Values that correspond are compared, data and gradient, and the largest relative change comes first; what only one of
the two has is listed. Compared are the arrays of the forward passes and the gradients of a replay, so that it does
not matter what happened to the Values since.

Which Values correspond is found from the variables on, operands first: a variable corresponds to itself, else to the
one of the same name; a result to one of the same operation on corresponding operands. Where that chain breaks, a name
takes it up again. Each Value is looked at a fixed number of times, and nothing is searched.

Source: value numbering, Cocke and Schwartz, "Programming Languages and Their Compilers" (1970).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import Node
from tinygrad_edu.viz.backward_pass import BackwardPass
from tinygrad_edu.viz.drawing import Drawing
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formatting import Text, laid_out
from tinygrad_edu.viz.model.formula import glyph
from tinygrad_edu.viz.model.names import Names
from tinygrad_edu.viz.model.records import Box
from tinygrad_edu.viz.model.replay import Replay, norm

LINES = 200
"""More changes than this are no longer looked through."""

NAMED = 12
"""So many names fit on two lines."""

WIDEST = 30
"""Columns are no wider than this, so that all of them fit on a line beside each other."""

INF = float("inf")


@dataclass(frozen=True, eq=False)
class Change:
    """The data, or the gradient, of a Value in both passes; None where there is none."""

    name: str
    quantity: str
    """"data" or "grad"."""
    before: Any
    after: Any
    difference: Any
    """After minus before; None where they cannot be subtracted."""
    relative: float
    """The norm of the difference, divided by that of what it was; infinite where that cannot be said."""

    @property
    def percent(self) -> str:
        """The relative change for a table."""
        return f"{formatting.number(100 * self.relative)}%" if self.relative < INF else "-"


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
        self.before = before
        self.after = after
        self.first = before.replay
        self.second = after.replay
        nodes = self.first.nodes[::-1]
        others = self.second.nodes[::-1]
        self.pairs = matched(nodes, others, self.first.names, self.second.names)
        used = frozenset(self.pairs.values())
        self.gone = [node for node in nodes if node not in used]
        self.new = [node for node in others if node not in self.pairs]
        compared = {node: both(self.first, old, self.second, node) for node, old in self.pairs.items()}
        self.of = {node: found for node, found in compared.items() if found}
        self.changes = sorted((c for found in self.of.values() for c in found), key=lambda c: -c.relative)

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
        gone = some("only before", (described(node, self.first.names[node]) for node in self.gone))
        return gone + some("only after", (described(node, self.second.names[node]) for node in self.new))

    def draw(self) -> Drawing:
        """The second pass as a picture, its boxes with both numbers, those that changed marked."""
        diagram = self.after.diagram
        inside: dict[str, list[Node]] = {}
        for node in self.second.nodes:
            inside.setdefault(diagram.box(node), []).append(node)
        boxes = tuple(self.box(box, inside.get(box.id, [])) for box in diagram.boxes)
        note = [diagram.note, "before -> after; what changed has a border in orange, and how much", *self.only()]
        return Drawing(replace(diagram, boxes=boxes, note="\n".join(filter(None, note))))

    def box(self, box: Box, nodes: Sequence[Node]) -> Box:
        """A box with what it was and what it is; of a folded one, how much of it changed.

        Parameters
        ----------
        box, nodes
            A box of the second pass, and the Values it stands for.
        """
        changes = [found for node in nodes for found in self.of.get(node, [])]
        if box.kind == "module":
            count = sum(node in self.of for node in nodes)
            return replace(box, flags=(*box.flags, f"{count:,} of {len(nodes):,} values changed")) if count else box
        if not nodes:
            return box
        flags = tuple(f"{found.quantity} changed: {found.percent}".removesuffix(": -") for found in changes)
        flags = flags if nodes[0] in self.pairs else ("new",)
        grad = self.second.gradients.get(nodes[0])
        before = {found.quantity: found.before for found in changes}
        facts = {} if grad is None else {"grad": grad, "contributions": (), "earlier": None}
        return replace(box, **facts, flags=(*box.flags, *flags), before=before)

    def __str__(self) -> str:
        return str(self.text)

    def __repr__(self) -> str:
        return repr(self.text)


def diff(before: BackwardPass, after: BackwardPass) -> Comparison:
    """The comparison of two backward passes, to be printed or drawn: before and after a training step, or two runs.

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
            raise refusal(
                TypeError,
                f"diff(before, after) compares two backward passes, got {type(given).__name__}: write "
                "before = viz.trace(loss), take the training step, compute the loss again, after = viz.trace(loss)",
            )
    return Comparison(before, after)


def both(first: Replay, old: Node, second: Replay, new: Node) -> list[Change]:
    """The changes of a Value, in data and gradient, from one pass to the other."""
    name = second.names[new]
    data = change(name, "data", first.data(old), second.data(new))
    grad = change(name, "grad", first.gradients.get(old), second.gradients.get(new))
    return [found for found in (data, grad) if found.relative]


def change(name: str, quantity: str, before: Any, after: Any) -> Change:
    """How far two arrays, or an array and nothing, are from each other."""
    if before is None or after is None or np.shape(before) != np.shape(after):
        alike = before is None and after is None
        return Change(name, quantity, before, after, None, 0.0 if alike else INF)
    same = np.array_equal(before, after, equal_nan=True)
    with np.errstate(all="ignore"):
        difference = np.subtract(after, before)
        relative = 0.0 if same else float(np.divide(norm(difference), norm(before)))
    return Change(name, quantity, before, after, difference, relative if np.isfinite(relative) else INF)


def shown(data: Any | None) -> str:
    """An array, or that there is none."""
    return "-" if data is None else formatting.array(data)


def table(changes: Sequence[Change]) -> list[str]:
    """The changes as rows with columns of equal width."""
    rows = [("", "relative", "before", "after", "change")]
    rows += [
        (f"{c.name}.{c.quantity}", c.percent, shown(c.before), shown(c.after), shown(c.difference))
        for c in changes[:LINES]
    ]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    more = len(changes) - LINES
    return [f"  {line}".rstrip() for line in lines] + ([f"  ... {more:,} more changes"] if more > 0 else [])


def some(title: str, names: Iterable[str]) -> list[str]:
    """A line with the first names; no line without any."""
    listed = list(names)
    more = f", and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return [f"{title}: {', '.join(listed[:NAMED])}{more}"] if listed else []


def described(node: Node, name: str) -> str:
    """A Value with the operation that made it."""
    return name if node.op is None else f"{name} ({glyph(node)})"


def matched(first: Sequence[Node], second: Sequence[Node], names: Names, later_names: Names) -> dict[Node, Node]:
    """For every Value of the second graph that has one, that of the first; both have operands before results."""
    shared = frozenset(first) & frozenset(second)
    waiting: dict[Any, deque[Node]] = {}
    for node in first:
        for key in keys(node, names, shared, {arg: arg for arg in node.args if isinstance(arg, Node)}):
            waiting.setdefault(key, deque()).append(node)
    pairs: dict[Node, Node] = {}
    taken: set[Node] = set()
    for node in second:
        for key in keys(node, later_names, shared, pairs):
            line = waiting.get(key, deque())
            while line and line[0] in taken:
                line.popleft()
            if line:
                pairs[node] = line[0]
                taken.add(line[0])
                break
    if second[-1] not in pairs and first[-1] not in taken:
        pairs[second[-1]] = first[-1]  # whatever they are, they are the two results
    return pairs


def keys(node: Node, names: Names, shared: frozenset[Node], pairs: Mapping[Node, Node]) -> Iterator[Any]:
    """What a Value and its counterpart have in common, the surest first."""
    name = names[node] if node in names.told else ""
    if node in shared:
        yield "itself", node.number
    elif node.op is None:
        yield "variable", name
    else:
        operands = [pairs.get(arg) if isinstance(arg, Node) else None for arg in node.args]
        if all(found is not None for found, arg in zip(operands, node.args, strict=True) if isinstance(arg, Node)):
            yield "result", node.op.name, *(-1 if found is None else found.number for found in operands)
        if name:
            yield "named", node.op.name, name
