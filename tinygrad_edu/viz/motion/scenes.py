"""A story cut into scenes: what is lit up, what becomes known, and the words that go with it.

Every forward step and every pull backward is a scene; of long stories several in a row share one, so that nothing is
left out and the whole can still be watched. Pure data, like the story: whoever shows it computes nothing.

Source: Brown and Sedgewick, "A system for algorithm animation" (1984), for the idea of interesting events.
"""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeVar

    from tinygrad_edu.viz.story import Backward, Forward, Story

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
    cut += [computed(steps, span(first, steps, forward)) for first, steps in grouped(forward, size)]
    cut += [seeded(story)] if backward else []
    cut += [pulled(pulls, span(first, pulls, backward)) for first, pulls in grouped(backward, size)]
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
    variables = [box for box in story.trace.boxes if box.kind == "variable"]
    lines = some([f"{box.name} = {box.data}" for box in variables])
    return Scene("given", "given", lines, tuple(box.id for box in variables), seconds=0.7)


def computed(steps: Sequence[Forward], where: str) -> Scene:
    """Results of operations become known."""
    parts = [part for step in steps for part in (*step.edges, step.step, back_edge(step.step), step.result)]
    if len(steps) == 1:
        lines = some([f"{steps[0].name} = {steps[0].words}", f"    = {steps[0].numbers} = {steps[0].data}"])
    else:
        lines = some([f"{step.name} = {step.numbers} = {step.data}" for step in steps])
    return Scene("forward", f"forward {where}", lines, distinct(parts), steps[-1].step, seconds=0.6)


def seeded(story: Story) -> Scene:
    """The gradient of the result with respect to itself."""
    first = story.backward[0]
    name, g = first.result_name, first.upstream
    lines = (f"d{name}_d{name} = {g}", f"{name}.grad = {g}")
    grads = ((first.result, g),)
    return Scene("backward", "backward starts", lines, (first.result,), first.result, grads, 0.7)


def pulled(pulls: Sequence[Backward], where: str) -> Scene:
    """Gradients are taken back to operands."""
    parts = [part for p in pulls for part in (p.result, back_edge(p.step), p.step, p.edge, p.operand)]
    grads = {p.operand: p.after if p.done == p.total else f"{p.after} + ..." for p in pulls}
    if len(pulls) == 1:
        lines = sentence(pulls[0])
    else:
        lines = some([accumulation(p) for p in pulls])
    return Scene("backward", f"backward {where}", lines, distinct(parts), pulls[-1].step, tuple(grads.items()))


def sentence(pull: Backward) -> tuple[str, ...]:
    """A pull in words: the local derivative, times what comes from above, added to what was there."""
    figures = list(filter(None, dict.fromkeys([pull.derivative, pull.formula, pull.local])))
    local = " = ".join(figures) if not pull.local.startswith("(") else " = ".join(figures[:-1]) + f" {pull.local}"
    product = [pull.contribution] if pull.contribution != pull.share else []
    waiting = f" ({pull.done:,} of {pull.total:,})" if pull.total > 1 else ""
    return local, *product, f"{accumulation(pull)}{waiting}"


def accumulation(pull: Backward) -> str:
    """The sum as it grows: `w1.grad: 0.29 += 0.4265 -> 0.7165`."""
    return f"{pull.operand_name}.grad: {pull.before} += {pull.share} -> {pull.after}"


def updated(story: Story) -> Scene:
    """Every variable moves against its gradient."""
    lines = some([f"{update.name} <- {update.numbers}" for update in story.update])
    return Scene("update", "update", lines, tuple(update.box for update in story.update), seconds=2.0)


def back_edge(step: str) -> str:
    """The edge from a step to its result; there is none where they are merged."""
    return f"r{step[1:]}" if step.startswith("o") else ""


def distinct(parts: Sequence[str]) -> tuple[str, ...]:
    """Every part once, in order, without what is not drawn."""
    return tuple(filter(None, dict.fromkeys(parts)))
