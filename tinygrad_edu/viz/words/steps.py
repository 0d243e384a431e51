"""The steps of a backward pass: as numbered lines for a terminal, and as data for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from tinygrad_edu.graph import Node
from tinygrad_edu.notes import line_of
from tinygrad_edu.viz.model import formatting, formula
from tinygrad_edu.viz.model.formatting import Text, laid_out
from tinygrad_edu.viz.model.formula import ChainRule
from tinygrad_edu.viz.model.names import titled
from tinygrad_edu.viz.model.paths import check_result
from tinygrad_edu.viz.model.records import Arrow, Box, Diagram, Leaf, Operation, Step, Story, Update
from tinygrad_edu.viz.model.replay import Edge, Replay
from tinygrad_edu.viz.model.steps import backward

Facts = dict[str, Any]

LINES = 200
"""More lines than this are no longer looked through, and scroll everything else out of the window."""


def steps(loss: Any, *, names: Mapping[str, Any] | None = None) -> Text:
    """Tell the backward pass step by step: gradient from above, times local derivative, added to what was there.

    Parameters
    ----------
    loss
        The result.
    names
        What to call Values and arrays that have no name of their own, such as `locals()`.

    Returns
    -------
    Text
        A string that shows as it is in a notebook.

    Raises
    ------
    TypeError
        If `loss` is not a Value.
    ValueError
        If it is not a single number.
    """
    check_result(loss)
    return numbered(Replay(loss, names))


def numbered(replay: Replay) -> Text:
    """The steps backward as numbered lines, as far as there is room."""
    total = sum(map(len, replay.uses.values()))
    root = replay.names[replay.root]
    lines = [f"backward from {root}: {total:,} steps, each after all steps that reach its result"]
    lines += [f"{k:>4} {line(step)}" for k, step in enumerate(islice(backward(replay), LINES), 1)]
    lines += [f" ... {total - LINES:,} more steps"] if total > LINES else []
    return laid_out(lines)


def line(step: Step) -> str:
    """A step as one line."""
    local = step.derivative
    waiting = f" ({formula.progress(step)})" if step.total > 1 else ""
    place = line_of(step.edge.result)
    parts = [
        f"{formula.derivative(local)} = {formula.local_text(local)}",
        formula.product(step),
        f"{formula.accumulation(step)}{waiting}",
        *([] if place is None else [str(place)]),
    ]
    return " | ".join(parts)


def as_dict(story: Story) -> Facts:
    """A story as dictionaries, lists, texts and counts, for JSON: every number as the other views show it."""
    diagram = story.diagram
    return {
        "diagram": {
            "boxes": [box(one, diagram) for one in diagram.boxes],
            "operations": list(map(operation, diagram.operations)),
            "arrows": [arrow(one, diagram) for one in diagram.arrows],
            "note": diagram.note,
            "detail": diagram.detail,
        },
        "forward": [forward(node, story) for node in story.forward],
        "backward": [step(one, diagram) for one in story.backward],
        "update": [update(one, story) for one in story.update],
        "leaves": [leaf(one, story) for one in story.leaves],
        "total": dict(story.total),
    }


def box(box: Box, diagram: Diagram) -> Facts:
    """A drawn value."""
    return {
        **fields(box, "id", "name", "kind", "original", "flags"),
        "data": formatting.data(box),
        "grad": formatting.gradient(box),
        "array": formatting.kind_of_array(box, diagram.detail),
        "scope": scope(box),
        "line": str(box.line or ""),
    }


def operation(operation: Operation) -> Facts:
    """A drawn operation."""
    drawn = fields(operation, "id", "result", "link")
    return {**drawn, "glyph": formula.glyph(operation.node), "scope": scope(operation)}


def fields(record: Any, *names: str) -> Facts:
    """What a record holds that is told as it is."""
    return {name: getattr(record, name) for name in names}


def scope(part: Box | Operation) -> str | None:
    """The module call that a part is drawn in, as text."""
    return None if part.scope is None else titled(part.scope)


def arrow(arrow: Arrow, diagram: Diagram) -> Facts:
    """A drawn arrow."""
    derivative, text = formula.arrow_texts(arrow, diagram.detail)
    closed = arrow.derivative is not None and arrow.derivative.closed
    drawn = fields(arrow, "id", "tail", "head", "live")
    return {**drawn, "derivative": derivative, "text": text, "closed": closed}


def forward(node: Node, story: Story) -> Facts:
    """An operation computes its result."""
    return {
        "operation": story.diagram.operation(node),
        "result": story.diagram.box(node),
        "arrows": [arrow for i in range(len(node.args)) if (arrow := story.diagram.arrow(Edge(node, i)))],
        "name": story.replay.names[node],
        "words": formula.computed_as(node, story.replay.names),
        "numbers": formula.computed_from(node),
        "data": formatting.array(node.saved[0]),
    }


def step(step: Step, diagram: Diagram) -> Facts:
    """A result passes its gradient to an operand."""
    local = step.derivative
    node = step.edge.result
    return {
        **fields(step, "done", "total"),
        "operation": diagram.operation(node),
        "result": diagram.box(node),
        "operand": diagram.box(step.edge.operand),
        "arrow": diagram.arrow(step.edge),
        "glyph": formula.glyph(node),
        "result_name": local.names[node],
        "operand_name": local.names[step.edge.operand],
        "derivative": formula.derivative(local),
        "formula": formula.formula(local),
        "local": formula.figure(local),
        "upstream": formatting.array(step.upstream),
        "product": formula.product(step),
        "before": "0" if step.before is None else formatting.array(step.before),
        "contribution": formatting.array(step.contribution),
        "after": formatting.array(step.after),
    }


def update(update: Update, story: Story) -> Facts:
    """A variable moves against its gradient."""
    return {
        "box": story.diagram.box(update.node),
        "name": story.replay.names[update.node],
        "numbers": formula.updated(update),
        "data": formatting.array(update.after),
    }


def leaf(leaf: Leaf, story: Story) -> Facts:
    """The paths to a variable, and what their products sum to."""
    chain = ChainRule(story.replay, leaf.paths)
    return {
        "box": story.diagram.box(leaf.node),
        "name": story.replay.names[leaf.node],
        "derivative": chain.wanted,
        "count": formatting.how_many(leaf.paths.count),
        "routes": [
            {
                "parts": story.diagram.along(path),
                "words": chain.product(path),
                "product": formatting.array(path.product),
            }
            for path in leaf.paths.listed
        ],
        "more": formatting.how_many(leaf.paths.more) if leaf.paths.more else "",
        "rest": formatting.array(leaf.paths.rest) if leaf.paths.more else "",
        "gradient": formatting.array(leaf.paths.gradient),
        "earlier": "" if leaf.earlier is None else formatting.array(leaf.earlier),
    }
