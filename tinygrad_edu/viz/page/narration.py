"""A story as a page tells it: for every step a sentence, the lines of its card and its row in the ledger.

All of it is text and lists, in the shape in which the page reads it, so that the page has nothing left to compute.

Source: the WAI-ARIA practices for live regions: a change that is seen is also said, in one sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz.model import formatting, formula
from tinygrad_edu.viz.model.formula import ChainRule
from tinygrad_edu.viz.model.palette import thumbnail
from tinygrad_edu.viz.model.paths import Path
from tinygrad_edu.viz.model.records import Box, Diagram, Leaf, Step, Story, Update
from tinygrad_edu.viz.model.replay import Edge

Facts = dict[str, Any]

NAMED = 6
"""So many names of who is waiting fit on two lines of a card."""

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
    """Everything a page shows besides the picture."""
    root = story.diagram.root.name
    steps: dict[str, list[Facts]] = {
        "forward": [forward(story, node) for node in story.forward],
        "backward": backward(story),
        "update": [update(story, change) for change in story.update],
    }
    return {
        "root": root,
        "phases": {name: phase(name, told, story.total[name], root) for name, told in steps.items()},
        "leaves": table(leaves(story)),
        "more": left_out(story.total["update"] - len(story.leaves), "variables"),
        "boxes": table(boxes(story)),
        "images": images(story) if story.diagram.detail == "everything" else {},
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


def forward(story: Story, node: Node) -> Facts:
    """An operation computes its result."""
    diagram, names = story.diagram, story.replay.names
    words, numbers = formula.computed_as(node, names), formula.computed_from(node)
    data = formatting.array(node.saved[0])
    arrows = [diagram.arrow(Edge(node, i)) for i in range(len(node.args))]
    said = " = ".join(dict.fromkeys((names[node], words, numbers, data)))
    return {
        "step": diagram.operation(node), "result": diagram.box(node), "edges": list(filter(None, arrows)),
        "name": names[node], "words": words, "numbers": numbers, "data": data, "say": f"{said}.",
    }  # fmt: skip


def update(story: Story, change: Update) -> Facts:
    """A variable takes a step."""
    name, numbers = story.replay.names[change.node], formula.updated(change)
    return {
        "result": story.diagram.box(change.node), "name": name, "numbers": numbers,
        "data": formatting.array(change.after), "say": f"{name} <- {numbers}.",
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
        told.append(step_back(story, step, progress, listed(list(waiting.values()))))
    return told


def step_back(story: Story, step: Step, progress: str, waiting: str) -> Facts:
    """A result passes its gradient back to an operand."""
    diagram, names = story.diagram, story.replay.names
    node, operand = step.edge.result, step.edge.operand
    return {
        "step": diagram.operation(node), "result": diagram.box(node), "operand": diagram.box(operand),
        "edge": diagram.arrow(step.edge), "result_name": names[node], "operand_name": names[operand],
        "after": formatting.array(step.after), "above": f"{names[node]}.grad = {formatting.array(step.upstream)}",
        "factor": f"{formula.derivative(step.derivative)} = {formula.local_text(step.derivative)}",
        "contribution": formula.product(step), "accumulation": formula.accumulation(step), "waiting": waiting,
        "progress": f"{names[operand]}: {progress}",
        "say": f"{names[node]} passes {formatting.array(step.contribution)} to {names[operand]}: {progress}.",
    }  # fmt: skip


def listed(names: Sequence[str]) -> str:
    """Names with commas, only the first few of many."""
    more = [f"and {len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def leaves(story: Story) -> list[Facts]:
    """The variables with their paths; `key` is the box, or in a folded picture the place in the list."""
    shared = Counter(story.diagram.box(leaf.node) for leaf in story.leaves)
    keys = {box: box for box, count in shared.items() if box and count == 1}
    copies = {box.id for box in story.diagram.boxes if box.kind == "copy"}
    tails = {arrow.id: arrow.tail for arrow in story.diagram.arrows if arrow.tail in copies}
    return [
        {"key": keys.get(story.diagram.box(leaf.node), f"n{k}"), **paths_to(story, leaf, tails)}
        for k, leaf in enumerate(story.leaves, 1)
    ]


def paths_to(story: Story, leaf: Leaf, tails: Mapping[str, str]) -> Facts:
    """A variable: the paths to it, what they add up to, and what was there before."""
    chain = ChainRule(story.replay, leaf.paths)
    left = "" if leaf.earlier is None else formatting.array(leaf.earlier)
    return {
        "box": story.diagram.box(leaf.node), "name": story.replay.names[leaf.node], "derivative": chain.wanted,
        "gradient": formatting.array(leaf.paths.gradient), "count": formatting.how_many(leaf.paths.count),
        "routes": [
            [drawn_along(story.diagram, path, tails), chain.product(path), formatting.array(path.product)]
            for path in leaf.paths.listed
        ],
        "rest": chain.rest(), "sum": chain.total(), "left": left,
        "earlier": f"{left} left over from an earlier backward: zero_grad?" if left else "",
    }  # fmt: skip


def drawn_along(diagram: Diagram, path: Path, tails: Mapping[str, str]) -> list[str]:
    """The ids of what is drawn of a path, also the copy of a box that one of its arrows starts from."""
    parts = diagram.along(path)
    return [*parts, *(tails[part] for part in parts if part in tails)]


def boxes(story: Story) -> list[Facts]:
    """What is drawn, as rows of a table, with the gradient at the end of this pass."""
    grads, detail = final_gradients(story), story.diagram.detail
    return [
        {
            "id": box.id, "name": box.name or "constant", "kind": box.kind, "words": made_by(story, box),
            "data": formatting.data(box),
            "grad": grads.get(box.id, formatting.gradient(box)), "original": box.original,
            "remarks": ", ".join(filter(None, remarks(box, detail))),
        }
        for box in story.diagram.boxes
    ]  # fmt: skip


def remarks(box: Box, detail: str) -> list[str]:
    """What else there is to say of a drawn Value: shape and dtype, flags, the line that made it."""
    return [formatting.kind_of_array(box, detail), *box.flags, str(box.line or "")]


def made_by(story: Story, box: Box) -> str:
    """How a drawn Value is computed, or, where operations are not drawn, which one made it; what a module holds."""
    if box.kind == "module":
        return formatting.folded_count(box)
    if box.node is None or box.node.op is None:
        return ""
    return formula.computed_as(box.node, story.replay.names) if story.diagram.operations else formula.glyph(box.node)


def final_gradients(story: Story) -> dict[str, str]:
    """The gradient of each box at the end of this pass; only the root's where boxes are folded or show none."""
    root = {story.diagram.root.id: "1"}
    if not story.diagram.operations:
        return root
    return root | {story.diagram.box(step.edge.operand): formatting.array(step.after) for step in story.backward}


def images(story: Story) -> dict[str, list[str]]:
    """By its box, data and gradient of every larger array as small pictures, where those can be made."""
    found: dict[str, list[str]] = {}
    for node in story.replay.nodes:
        data, gradient = story.replay.data(node), story.replay.gradients.get(node)
        if np.size(data) > formatting.FULL:
            found[story.diagram.box(node)] = [thumbnail(array) for array in (data, gradient) if array is not None]
    return {box: pictures for box, pictures in found.items() if all(pictures)}
