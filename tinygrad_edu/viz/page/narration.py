"""The story as a page tells it: for every step a sentence, the lines of its card and its row in the ledger.

All of it is text and lists, in the shape in which the page reads it, so that the page has nothing left to compute.

Source: the WAI-ARIA practices for live regions: a change that is seen is also said, in one sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu.viz.model import formatting, formula, thumbnail
from tinygrad_edu.viz.model.chain_rule import ChainRule
from tinygrad_edu.viz.model.replay import Edge

if TYPE_CHECKING:
    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.model.paths import Path
    from tinygrad_edu.viz.model.records import Box, Diagram, Leaf, Step, Story, Update

    Facts = dict[str, Any]

NAMED = 6
OPENING = {
    "forward": "Variables and constants are given; each operation computes its result from them.",
    "backward": "Backward starts at {root}: its gradient with respect to itself is 1.",
    "update": "Every gradient is complete. Each variable takes a step against its own: w <- w - lr * grad.",
}
CARD = {
    "forward": {"Operation": "words", "In numbers": "numbers", "Result": "data"},
    "backward": {
        "Gradient from above": "above",
        "Local derivative": "factor",
        "Contribution": "contribution",
        "Added up": "accumulation",
        "Consumers": "progress",
        "Still waiting": "waiting",
    },
    "update": {"Variable": "name", "w - lr * grad": "numbers", "New value": "data"},
}
COLUMNS = {
    "forward": {"Value": "name", "Computed as": "words", "In numbers": "numbers", "Data": "data"},
    "backward": {"From": "result_name", "To": "operand_name", "Contribution": "contribution", "Sum": "accumulation"},
    "update": {"Variable": "name", "w - lr * grad": "numbers", "New value": "data"},
}


def narrated(story: Story) -> Facts:
    """Everything a page shows besides the picture.

    Parameters
    ----------
    story
        What to tell.
    """
    root = story.diagram.root.name
    steps: dict[str, list[Facts]] = {
        "forward": [forward(node, story) for node in story.forward],
        "backward": backward(story),
        "update": [update(one, story) for one in story.update],
    }
    return {
        "root": root,
        "phases": {name: phase(name, told, story.total[name], root) for name, told in steps.items()},
        "leaves": table(leaves(story)),
        "more": left_out(story.total["update"] - len(story.leaves), "variables"),
        "boxes": table(boxes(story)),
        "images": images(story),
    }


def phase(name: str, steps: Sequence[Facts], total: int, root: str) -> Facts:
    """One of the three phases: what is said before its first step, how it is laid out, its steps."""
    return {
        "opening": OPENING[name].format(root=root),
        "card": list(CARD[name].items()),
        "columns": list(COLUMNS[name].items()),
        "steps": table(steps),
        "more": left_out(total - len(steps), "steps"),
    }


def left_out(count: int, things: str) -> str:
    """What is not told of a large graph."""
    return f"... and {count:,} more {things}, which are left out" if count > 0 else ""


def table(facts: Sequence[Facts]) -> Facts:
    """Dictionaries with the same keys as a list of keys and rows."""
    return {"fields": list(facts[0]) if facts else [], "rows": [list(row.values()) for row in facts]}


def forward(node: Node, story: Story) -> Facts:
    """An operation computes its result."""
    diagram = story.diagram
    edges = (diagram.arrow(Edge(node, i)) for i in range(len(node.args)))
    facts: Facts = {
        "step": diagram.operation(node), "result": diagram.box(node), "edges": list(filter(None, edges)),
        "name": story.replay.names[node], "words": formula.computed_as(node, story.replay.names),
        "numbers": formula.computed_from(node), "data": formatting.array(node.saved[0]),
    }  # fmt: skip
    said = " = ".join(dict.fromkeys(facts[key] for key in ("name", "words", "numbers", "data")))
    return {**facts, "say": f"{said}."}


def update(update: Update, story: Story) -> Facts:
    """A variable takes a step."""
    name = story.replay.names[update.node]
    numbers = formula.updated(update)
    return {
        "result": story.diagram.box(update.node), "name": name, "numbers": numbers,
        "data": formatting.array(update.after), "say": f"{name} <- {numbers}.",
    }  # fmt: skip


def backward(story: Story) -> list[Facts]:
    """Every step backward, with what its operand waits for, and who else is waiting."""
    results = {step.edge.result for step in story.backward}
    waiting: dict[Node, str] = {}
    told: list[Facts] = []
    for step in story.backward:
        operand = step.edge.operand
        waiting[operand] = f"{story.replay.names[operand]} ({formula.progress(step)})"
        state = "so it waits"
        if step.complete:
            del waiting[operand]
            state = "so it can pass its gradient on" if operand in results else "so its gradient is complete"
        progress = f"{formula.progress(step)} done, {state}"
        told.append(passed(step, story.diagram, progress, listed(list(waiting.values()))))
    return told


def passed(step: Step, diagram: Diagram, progress: str, waiting: str) -> Facts:
    """A result passes its gradient back to an operand."""
    local = step.derivative
    node, operand = step.edge.result, step.edge.operand
    result_name, operand_name = local.names[node], local.names[operand]
    texts = (formula.derivative(local), formula.formula(local), formula.figure(local))
    given = formatting.array(step.contribution)
    return {
        "step": diagram.operation(node), "result": diagram.box(node), "operand": diagram.box(operand),
        "edge": diagram.arrow(step.edge), "result_name": result_name, "operand_name": operand_name,
        "after": formatting.array(step.after), "above": f"{result_name}.grad = {formatting.array(step.upstream)}",
        "factor": " = ".join(dict.fromkeys(filter(None, texts))), "contribution": formula.product(step),
        "accumulation": formula.accumulation(step), "waiting": waiting, "progress": f"{operand_name}: {progress}",
        "say": f"{result_name} passes {given} to {operand_name}: {progress}.",
    }  # fmt: skip


def listed(names: Sequence[str]) -> str:
    """Names with commas, only the first few of many."""
    more = [f"and {len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def leaves(story: Story) -> list[Facts]:
    """The variables with their paths; `key` is the box, or in a folded picture the place in the list."""
    shared = Counter(story.diagram.box(leaf.node) for leaf in story.leaves)
    copies = {box.id for box in story.diagram.boxes if box.original}
    tails = {arrow.id: arrow.tail for arrow in story.diagram.arrows if arrow.tail in copies}
    facts = [variable(leaf, story, tails) for leaf in story.leaves]
    return [
        {"key": leaf["box"] if leaf["box"] and shared[leaf["box"]] == 1 else f"n{k}", **leaf}
        for k, leaf in enumerate(facts, 1)
    ]


def variable(leaf: Leaf, story: Story, tails: Mapping[str, str]) -> Facts:
    """A variable, and the paths whose products sum to its gradient."""
    chain = ChainRule(story.replay, leaf.paths)
    left = "" if leaf.earlier is None else formatting.array(leaf.earlier)
    return {
        "box": story.diagram.box(leaf.node), "name": story.replay.names[leaf.node], "derivative": chain.wanted,
        "gradient": formatting.array(leaf.paths.gradient), "count": formatting.how_many(leaf.paths.count),
        "routes": [route(path, chain, story.diagram, tails) for path in leaf.paths.listed],
        "rest": chain.rest(), "sum": chain.total(), "left": left,
        "earlier": f"{left} left over from an earlier backward: zero_grad?" if left else "",
    }  # fmt: skip


def route(path: Path, chain: ChainRule, diagram: Diagram, tails: Mapping[str, str]) -> list[Any]:
    """The parts of a path, also the copies it starts from; its product in words, and as a number."""
    parts = diagram.along(path)
    parts += [tails[part] for part in parts if part in tails]
    return [parts, chain.product(path), formatting.array(path.product)]


def boxes(story: Story) -> list[Facts]:
    """What is drawn, as rows of a table, with the gradient at the end of this pass."""
    grads = finished(story)
    return [
        {
            "id": box.id, "name": box.name or "constant", "kind": box.kind, "words": words(box, story),
            "data": formatting.data(box), "grad": grads.get(box.id, formatting.gradient(box)),
            "original": box.original, "remarks": ", ".join(filter(None, remarks(box, story.diagram.detail))),
        }
        for box in story.diagram.boxes
    ]  # fmt: skip


def words(box: Box, story: Story) -> str:
    """How what is in a box is computed; in folded pictures only the operation, or how much is in the box."""
    if box.kind == "module":
        return formatting.folded_count(box)
    if box.node is None or box.node.op is None:
        return ""
    return formula.computed_as(box.node, story.replay.names) if story.diagram.operations else formula.glyph(box.node)


def remarks(box: Box, detail: str) -> list[str]:
    """What else there is to say of a box."""
    return [formatting.kind_of_array(box, detail), *box.flags, str(box.line or "")]


def finished(story: Story) -> dict[str, str]:
    """The gradient of each box at the end of this pass; only the root's where boxes are folded or show none."""
    roots = {box.id: "1" for box in story.diagram.boxes if box.kind == "root"}
    steps = story.backward if story.diagram.operations else ()
    return {**roots, **{story.diagram.box(step.edge.operand): formatting.array(step.after) for step in steps}}


def images(story: Story) -> dict[str, tuple[str, ...]]:
    """Data and gradient of every larger array as small pictures, by the ids of boxes, where those can be made."""
    if story.diagram.detail != "everything":
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for node in story.replay.nodes:
        arrays = [story.replay.data(node), story.replay.gradients.get(node)]
        if np.size(arrays[0]) > formatting.FULL:
            found[story.diagram.box(node)] = tuple(thumbnail.uri(array) for array in arrays if array is not None)
    return {box: pictures for box, pictures in found.items() if all(pictures)}
