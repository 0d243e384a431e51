"""A story cut into scenes: what is lit up, what becomes known, and the words that go with it.

Every step forward and every step backward is a scene; of long stories several in a row share one, so that nothing is
left out and the whole can still be watched. Pure data, like the story: whoever shows it computes nothing.

Source: Brown and Sedgewick, "A system for algorithm animation" (1984), for the idea of interesting events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tinygrad_edu.graph import Node
from tinygrad_edu.viz.model import formatting, formula
from tinygrad_edu.viz.model.records import Diagram, Step, Story
from tinygrad_edu.viz.model.replay import Edge

Entry = TypeVar("Entry")

MOST = 55
"""So many scenes are made of the steps forward and backward: at 3 seconds each, nobody watches longer."""

LISTED = 6
"""So many lines of a scene can be read while it lasts."""

SECONDS, LAST = 3.0, 0.7
"""How long a step backward is shown, and by how much longer, in such steps, the last scene."""


@dataclass(frozen=True)
class Scene:
    """A moment of the story: the words beside the picture, and by their ids the parts that are lit up."""

    phase: str
    """"given", "forward", "backward" or "update"."""
    heading: str
    lines: tuple[str, ...]
    parts: tuple[str, ...] = ()
    focus: str = ""
    """The part that the words are about; nothing if they are about all of it."""
    grads: tuple[tuple[str, str], ...] = ()
    """The boxes whose gradient changes, and what they show from now on."""
    length: float = 1.0
    """How long it takes to read, where a step backward takes one."""


def scenes(story: Story) -> tuple[Scene, ...]:
    """The scenes of a story: what is given, the steps forward and backward, the update; about 60 at most."""
    diagram = story.diagram
    size = max(1, -(-(len(story.forward) + len(story.backward)) // MOST))
    cut = [given(diagram)]
    cut += [computed(story, nodes, where) for where, nodes in grouped(story.forward, size)]
    cut += [started(story)] if story.backward else []
    cut += [passed(diagram, steps, where) for where, steps in grouped(story.backward, size)]
    cut += [updated(story)] if story.update else []
    return tuple(cut)


def durations(cut: Sequence[Scene]) -> list[float]:
    """How many seconds each scene lasts, the last one longer."""
    lasting = [SECONDS * scene.length for scene in cut]
    return [*lasting[:-1], lasting[-1] + LAST * SECONDS]


def grouped(entries: Sequence[Entry], size: int) -> Iterator[tuple[str, Sequence[Entry]]]:
    """The entries, some at a time, and where each group stands: 3 of 7, or 6 to 10 of 230."""
    for start in range(0, len(entries), size):
        group = entries[start : start + size]
        numbers = f"{start + 1:,}" if len(group) == 1 else f"{start + 1:,} to {start + len(group):,}"
        yield f"{numbers} of {len(entries):,}", group


def some(lines: Sequence[str]) -> tuple[str, ...]:
    """The first few lines, and how many more there are."""
    more = len(lines) - LISTED
    return (*lines[:LISTED], f"... {more:,} more") if more > 0 else tuple(lines)


def given(diagram: Diagram) -> Scene:
    """Before anything is computed: the variables."""
    variables = [box for box in diagram.boxes if box.kind == "variable"]
    lines = some([f"{box.name} = {formatting.data(box)}" for box in variables])
    return Scene("given", "given", lines, tuple(box.id for box in variables), length=0.7)


def computed(story: Story, nodes: Sequence[Node], where: str) -> Scene:
    """Results of operations become known."""
    diagram, names = story.diagram, story.replay.names
    parts: list[str] = []
    for node in nodes:
        arrows = [diagram.arrow(Edge(node, i)) for i in range(len(node.args))]
        parts += [*arrows, diagram.operation(node), diagram.link(node), diagram.box(node)]
    lines = [f"{formula.computed_from(node)} = {formatting.array(node.saved[0])}" for node in nodes]
    if len(nodes) == 1:
        lines = [f"{names[nodes[0]]} = {formula.computed_as(nodes[0], names)}", f"    = {lines[0]}"]
    else:
        lines = [f"{names[node]} = {line}" for node, line in zip(nodes, lines, strict=True)]
    focus = diagram.operation(nodes[-1])
    return Scene("forward", f"forward {where}", some(lines), distinct(parts), focus, length=0.6)


def started(story: Story) -> Scene:
    """The gradient of the result with respect to itself."""
    box = story.diagram.root
    g = formatting.array(story.backward[0].upstream)
    lines = (f"{formula.fraction(box.name, box.name)} = {g}", f"{box.name}.grad = {g}")
    return Scene("backward", "backward starts", lines, (box.id,), box.id, ((box.id, g),), 0.7)


def passed(diagram: Diagram, steps: Sequence[Step], where: str) -> Scene:
    """Gradients are passed back to operands."""
    parts: list[str] = []
    grads: dict[str, str] = {}
    for step in steps:
        result, operand = step.edge.result, diagram.box(step.edge.operand)
        parts += [diagram.box(result), diagram.link(result), diagram.operation(result)]
        parts += [diagram.arrow(step.edge), operand]
        grads[operand] = formatting.array(step.after) + " + ..." * (not step.complete)
    lines = sentence(steps[0]) if len(steps) == 1 else some(list(map(formula.accumulation, steps)))
    focus = diagram.operation(steps[-1].edge.result)
    return Scene("backward", f"backward {where}", lines, distinct(parts), focus, tuple(grads.items()))


def sentence(step: Step) -> tuple[str, ...]:
    """A step in words: the local derivative, times what comes from above, added to what was there."""
    product = formula.product(step)
    waiting = f" ({formula.progress(step)})" if step.total > 1 else ""
    local = f"{formula.derivative(step.derivative)} = {formula.local_text(step.derivative)}"
    lines = [local, product, f"{formula.accumulation(step)}{waiting}"]
    return tuple(line for line in lines if line != formatting.array(step.contribution))


def updated(story: Story) -> Scene:
    """Every variable moves against its gradient."""
    lines = some([f"{story.replay.names[update.node]} <- {formula.updated(update)}" for update in story.update])
    parts = tuple(story.diagram.box(update.node) for update in story.update)
    return Scene("update", "update", lines, parts, length=2.0)


def distinct(parts: Sequence[str]) -> tuple[str, ...]:
    """Every part once, in order, without what is not drawn."""
    return tuple(filter(None, dict.fromkeys(parts)))
