"""A story cut into scenes: what is lit up, what becomes known, and the words that go with it.

Every forward step and every pull backward is a scene; of long stories several in a row share one, so that nothing is
left out and the whole can still be watched. Pure data, like the story: whoever shows it computes nothing.

Source: Brown and Sedgewick, "A system for algorithm animation" (1984), for the idea of interesting events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tinygrad_edu.viz.model import formatting, formula
from tinygrad_edu.viz.model.replay import Edge

if TYPE_CHECKING:
    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.model.records import Step, Story

Entry = TypeVar("Entry")

MOST, EDGES = 60, 5
LISTED = 6


@dataclass(frozen=True)
class Scene:
    """A moment of the story.

    Attributes
    ----------
    phase
        "given", "forward", "backward" or "update".
    heading, lines
        The words beside the picture.
    parts
        What is lit up, by its number in the picture.
    focus
        The part that the words are about; nothing if they are about all of it.
    grads
        The boxes whose gradient changes, and what they show from now on.
    seconds
        How long it takes to read, where a pull takes one.
    """

    phase: str
    heading: str
    lines: tuple[str, ...]
    parts: tuple[str, ...] = ()
    focus: str = ""
    grads: tuple[tuple[str, str], ...] = ()
    seconds: float = 1.0


def scenes(story: Story) -> tuple[Scene, ...]:
    """The scenes of a story: what is given, the steps forward, the pulls backward, the update; about 60 at most."""
    forward, backward = story.forward, story.backward
    size = max(1, -(-(len(forward) + len(backward)) // (MOST - EDGES)))
    cut = [given(story)]
    cut += [computed(story, steps, span(first, steps, forward)) for first, steps in grouped(forward, size)]
    cut += [seeded(story)] if backward else []
    cut += [passed(story, steps, span(first, steps, backward)) for first, steps in grouped(backward, size)]
    cut += [updated(story)] if story.update else []
    return tuple(cut)


def grouped(entries: Sequence[Entry], size: int) -> Iterator[tuple[int, Sequence[Entry]]]:
    """The entries, some at a time, and the number of the first of each group."""
    for first in range(0, len(entries), size):
        yield first + 1, entries[first : first + size]


def span(first: int, group: Sequence[object], entries: Sequence[object]) -> str:
    """Where a group stands: 3 of 7, or 6 to 10 of 230."""
    where = f"{first:,}" if len(group) == 1 else f"{first:,} to {first + len(group) - 1:,}"
    return f"{where} of {len(entries):,}"


def some(lines: Sequence[str]) -> tuple[str, ...]:
    """The first few lines, and how many more there are."""
    more = len(lines) - LISTED
    return (*lines[:LISTED], f"... {more:,} more") if more > 0 else tuple(lines)


def given(story: Story) -> Scene:
    """Before anything is computed: the variables."""
    variables = [box for box in story.diagram.boxes if box.kind == "variable"]
    lines = some([f"{box.name} = {formatting.data(box)}" for box in variables])
    return Scene("given", "given", lines, tuple(box.id for box in variables), seconds=0.7)


def computed(story: Story, nodes: Sequence[Node], where: str) -> Scene:
    """Results of operations become known."""
    parts: list[str] = []
    for node in nodes:
        arrows = (story.diagram.arrow(Edge(node, i)) for i in range(len(node.args)))
        parts += [*arrows, story.diagram.operation(node), story.diagram.link(node), story.diagram.box(node)]
    names = story.replay.names
    figures = [f"{formula.computed_from(node)} = {formatting.array(node.saved[0])}" for node in nodes]
    if len(nodes) == 1:
        lines = some([f"{names[nodes[0]]} = {formula.computed_as(nodes[0], names)}", f"    = {figures[0]}"])
    else:
        lines = some([f"{names[node]} = {figure}" for node, figure in zip(nodes, figures, strict=True)])
    focus = story.diagram.operation(nodes[-1])
    return Scene("forward", f"forward {where}", lines, distinct(parts), focus, seconds=0.6)


def seeded(story: Story) -> Scene:
    """The gradient of the result with respect to itself."""
    root = story.diagram.root
    g = formatting.array(story.backward[0].upstream)
    lines = (f"{formula.fraction(root.name, root.name)} = {g}", f"{root.name}.grad = {g}")
    return Scene("backward", "backward starts", lines, (root.id,), root.id, ((root.id, g),), 0.7)


def passed(story: Story, steps: Sequence[Step], where: str) -> Scene:
    """Gradients are taken back to operands."""
    diagram = story.diagram
    parts: list[str] = []
    grads: dict[str, str] = {}
    for step in steps:
        node, operand = step.edge.result, step.edge.operand
        parts += [diagram.box(node), diagram.link(node), diagram.operation(node), diagram.arrow(step.edge)]
        parts += [diagram.box(operand)]
        after = formatting.array(step.after)
        grads[diagram.box(operand)] = after if step.complete else f"{after} + ..."
    lines = sentence(steps[0]) if len(steps) == 1 else some(list(map(formula.accumulation, steps)))
    focus = diagram.operation(steps[-1].edge.result)
    return Scene("backward", f"backward {where}", lines, distinct(parts), focus, tuple(grads.items()))


def sentence(step: Step) -> tuple[str, ...]:
    """A step in words: the local derivative, times what comes from above, added to what was there."""
    local = step.derivative
    texts = (formula.derivative(local), formula.formula(local), formula.figure(local))
    figures = list(filter(None, dict.fromkeys(texts)))
    shape = texts[2].startswith("(")
    words = f"{' = '.join(figures[:-1])} {texts[2]}" if shape else " = ".join(figures)
    product = [formula.product(step)] if not shape else []
    waiting = f" ({formula.progress(step)})" if step.total > 1 else ""
    return words, *product, f"{formula.accumulation(step)}{waiting}"


def updated(story: Story) -> Scene:
    """Every variable moves against its gradient."""
    lines = some([f"{story.replay.names[one.node]} <- {formula.updated(one)}" for one in story.update])
    return Scene("update", "update", lines, tuple(story.diagram.box(one.node) for one in story.update), seconds=2.0)


def distinct(parts: Sequence[str]) -> tuple[str, ...]:
    """Every part once, in order, without what is not drawn."""
    return tuple(filter(None, dict.fromkeys(parts)))
