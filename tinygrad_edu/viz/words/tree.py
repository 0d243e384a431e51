"""A diagram as a tree for terminals, from the result down to the variables.

A value used several times is written out once and pointed to afterwards. Only ASCII, so that any terminal and any
log can show it.

Source: the output of the Unix program tree.
"""

from __future__ import annotations

from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formatting import Text, laid_out
from tinygrad_edu.viz.model.formula import arrow_texts, glyph
from tinygrad_edu.viz.model.records import Arrow, Box, Diagram

LINES = 200
"""More lines than this are no longer looked through, and scroll everything else out of the window."""

DEEPEST = 24
"""Deeper lines are not indented further: they would have no room for their text."""


def tree(diagram: Diagram, caption: bool = True) -> Text:
    """A diagram as text: values, gradients, local derivatives, and as a caption the chain rule along wanted paths."""
    lines = walked(diagram)
    if len(lines) > LINES:
        lines = [*lines[:LINES], f"... {len(lines) - LINES:,} more lines"]
    if caption and diagram.chain:
        lines += ["", *diagram.chain.lines()]
    lines += ["", *diagram.note.splitlines()] if diagram.note else []
    return laid_out(lines)


def walked(diagram: Diagram) -> list[str]:
    """A line for every value, below what was computed from it."""
    boxes = {box.id: box for box in diagram.boxes}
    made = {operation.id: operation.result for operation in diagram.operations}
    entering: dict[str, list[Arrow]] = {}
    for arrow in diagram.arrows:
        entering.setdefault(made.get(arrow.head, arrow.head), []).append(arrow)
    lines: list[str] = []
    seen: set[str] = set()
    waiting: list[tuple[Box, Arrow | None, int]] = [(diagram.root, None, 0)]
    while waiting:
        box, above, depth = waiting.pop()
        box = boxes.get(box.original or "", box)
        again = box.id in seen and box.id in entering
        lines.append(indent(depth) + line(box, above, diagram.detail) + ("  (above)" if again else ""))
        if box.id not in seen:
            seen.add(box.id)
            waiting.extend((boxes[arrow.tail], arrow, depth + 1) for arrow in reversed(entering.get(box.id, [])))
    return lines


def line(box: Box, arrow: Arrow | None, detail: str) -> str:
    """One value: what made it, its data, its gradient, and the local derivative towards the line above."""
    parts = [f"{box.name or 'constant'}{made_by(box)}: data {formatting.data(box)}"]
    if grad := formatting.gradient(box):
        parts.append(f"grad {grad}")
    if arrow is not None:
        parts.append(": ".join(filter(None, arrow_texts(arrow, detail))))
    parts += [f"! {flag}" for flag in box.flags]
    if box.line:
        parts.append(f"at {box.line}")
    if arrow is not None and arrow.wanted:
        parts.append("<== wanted path")
    return "  |  ".join(filter(None, parts))


def made_by(box: Box) -> str:
    """The operation that made a value, or what is folded into its box; nothing for variables."""
    if box.kind == "module":
        return f" = {formatting.folded_count(box)}"
    return "" if box.node is None or box.node.op is None else f" = {glyph(box.node)}"


def indent(depth: int) -> str:
    """Two spaces for each level; a number where there are too many."""
    return "  " * depth if depth <= DEEPEST else f"{'  ' * DEEPEST}[{depth}] "
