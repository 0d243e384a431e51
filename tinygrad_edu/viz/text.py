"""A trace as a tree for terminals, from the result down to the variables.

A value used several times is written out once and pointed to afterwards. Only ASCII, so that any terminal and any
log can show it.

Source: the output of the Unix program tree.
"""

from __future__ import annotations

from tinygrad_edu.viz.terminal import laid_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygrad_edu.viz.terminal import Text
    from tinygrad_edu.viz.trace import Box, Edge, Trace

LINES = 200
DEEPEST = 24


def tree(trace: Trace) -> Text:
    """The whole trace as text: values, gradients, local derivatives, the wanted paths."""
    boxes = {box.id: box for box in trace.boxes}
    made = {step.id: step.result for step in trace.steps}
    entering: dict[str, list[Edge]] = {}
    for edge in trace.edges:
        entering.setdefault(made.get(edge.head, edge.head), []).append(edge)
    root = next(reversed([box for box in trace.boxes if box.kind == "root"]), trace.boxes[-1])
    lines = walk(root, boxes, entering)
    if len(lines) > LINES:
        lines = [*lines[:LINES], f"... {len(lines) - LINES:,} more lines"]
    lines += ["", *trace.caption] if trace.caption else []
    lines += ["", *trace.note.splitlines()] if trace.note else []
    return laid_out(lines)


def walk(root: Box, boxes: dict[str, Box], entering: dict[str, list[Edge]]) -> list[str]:
    """A line for each value and each further use of it, operands indented below results."""
    lines, seen = list[str](), set[str]()
    waiting: list[tuple[Box, Edge | None, int]] = [(root, None, 0)]
    while waiting:
        box, edge, depth = waiting.pop()
        again = box.id in seen and box.id in entering
        lines.append(indent(depth) + line(box, edge) + ("  (above)" if again else ""))
        if box.id not in seen:
            seen.add(box.id)
            below = [(boxes[boxes[e.tail].original or e.tail], e, depth + 1) for e in entering.get(box.id, [])]
            waiting.extend(reversed(below))
    return lines


def indent(depth: int) -> str:
    """Two spaces for each level; a number where there are too many."""
    return "  " * depth if depth <= DEEPEST else f"{'  ' * DEEPEST}[{depth}] "


def line(box: Box, edge: Edge | None) -> str:
    """One value: what made it, its data, its gradient, and the local derivative towards the line above."""
    made = f" = {box.glyph}" if box.glyph else ""
    parts = [f"{box.name or 'constant'}{made}: data {box.data}"]
    if box.grad:
        parts.append(f"grad {box.grad}")
    if edge is not None and edge.text:
        parts.append(f"{edge.slope}: {edge.text}".removeprefix(": "))
    parts += [f"! {flag}" for flag in box.flags]
    if box.line:
        parts.append(f"at {box.line}")
    if edge is not None and edge.wanted:
        parts.append("<== wanted path")
    return "  |  ".join(parts)
