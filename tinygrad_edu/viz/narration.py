"""The story as a page tells it: for every step a sentence, the lines of its card and its row in the ledger.

All of it is text and lists, in the shape in which the page reads it, so that the page has nothing left to compute.

Source: the WAI-ARIA practices for live regions: a change that is seen is also said, in one sentence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tinygrad_edu.viz.story import Backward, Forward, Leaf, Route, Story, Update

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
    root = title(story)
    steps: dict[str, list[Facts]] = {
        "forward": list(map(forward, story.forward)),
        "backward": backward(story.backward),
        "update": list(map(update, story.update)),
    }
    return {
        "root": root,
        "phases": {name: phase(name, told, story.total[name], root) for name, told in steps.items()},
        "leaves": table(leaves(story)),
        "more": left_out(story.total["update"] - len(story.leaves), "variables"),
        "boxes": table(boxes(story)),
        "images": story.images,
    }


def title(story: Story) -> str:
    """The name of the result."""
    return next(box.name for box in reversed(story.trace.boxes) if box.kind == "root")


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


def forward(step: Forward) -> Facts:
    """An operation computes its result."""
    said = " = ".join(dict.fromkeys((step.name, step.words, step.numbers, step.data)))
    return {**asdict(step), "say": f"{said}."}


def update(step: Update) -> Facts:
    """A variable takes a step."""
    facts = asdict(step)
    return {"result": facts.pop("box"), **facts, "say": f"{step.name} <- {step.numbers}."}


def backward(steps: Sequence[Backward]) -> list[Facts]:
    """Every pull, with what its operand waits for, and who else is waiting."""
    results = {(step.result, step.result_name) for step in steps}
    waiting: dict[tuple[str, str], str] = {}
    told: list[Facts] = []
    for step in steps:
        progress = f"{step.done:,} of {step.total:,}"
        key = (step.operand, step.operand_name)
        waiting[key] = f"{step.operand_name} ({progress})"
        state = "so it waits"
        if step.done == step.total:
            del waiting[key]
            state = "so it can pass its gradient on" if key in results else "so its gradient is complete"
        told.append(pull(step, f"{progress} done, {state}", listed(list(waiting.values()))))
    return told


def pull(step: Backward, progress: str, waiting: str) -> Facts:
    """A result passes its gradient back to an operand."""
    accumulation = f"{step.operand_name}.grad: {step.before} += {step.share} -> {step.after}"
    factor = " = ".join(dict.fromkeys(filter(None, (step.derivative, step.formula, step.local))))
    return {
        "step": step.step, "result": step.result, "operand": step.operand, "edge": step.edge,
        "result_name": step.result_name, "operand_name": step.operand_name, "after": step.after,
        "above": f"{step.result_name}.grad = {step.upstream}", "factor": factor,
        "contribution": step.contribution, "accumulation": accumulation, "waiting": waiting,
        "progress": f"{step.operand_name}: {progress}",
        "say": f"{step.result_name} passes {step.share} to {step.operand_name}: {progress}.",
    }  # fmt: skip


def listed(names: Sequence[str]) -> str:
    """Names with commas, only the first few of many."""
    more = [f"and {len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def leaves(story: Story) -> list[Facts]:
    """The variables with their paths; `key` is the box, or in a folded picture the place in the list."""
    shared = Counter(leaf.box for leaf in story.leaves)
    copies = {box.id for box in story.trace.boxes if box.original}
    tails = {f"e{k}": edge.tail for k, edge in enumerate(story.trace.edges, 1) if edge.tail in copies}
    return [
        {
            "key": leaf.box if leaf.box and shared[leaf.box] == 1 else f"n{k}",
            "box": leaf.box, "name": leaf.name, "derivative": leaf.derivative, "gradient": leaf.gradient,
            "count": leaf.count, "routes": [route(r, tails) for r in leaf.routes],
            "rest": f"+{leaf.more} more paths = {leaf.rest}" if leaf.more else "",
            "sum": total(leaf),
            "left": leaf.earlier,
            "earlier": f"{leaf.earlier} left over from an earlier backward: zero_grad?" if leaf.earlier else "",
        }
        for k, leaf in enumerate(story.leaves, 1)
    ]  # fmt: skip


def route(told: Route, tails: Mapping[str, str]) -> list[Any]:
    """The parts of a path, also the copies it starts from; its product in words, and as a number."""
    parts = [*told.parts, *(tails[part] for part in told.parts if part in tails)]
    return [parts, told.words, told.product]


def total(leaf: Leaf) -> str:
    """The products as a sum: dloss_dw = 0.4265 (1) + 0.29 (2) = 0.7165."""
    terms = [f"{route.product} ({k})" for k, route in enumerate(leaf.routes, 1)]
    terms += [f"{leaf.rest} (+{leaf.more} more paths)"] if leaf.more else []
    alone = len(terms) == 1 and not leaf.more
    return " = ".join([leaf.derivative, *([] if alone else [" + ".join(terms)]), leaf.gradient])


def boxes(story: Story) -> list[Facts]:
    """What is drawn, as rows of a table, with the gradient at the end of this pass."""
    words = {step.result: step.words for step in story.forward} if story.trace.steps else {}
    grads = finished(story)
    return [
        {
            "id": box.id, "name": box.name or "constant", "kind": box.kind, "words": words.get(box.id, box.glyph),
            "data": box.data, "grad": grads.get(box.id, box.grad), "original": box.original,
            "remarks": ", ".join(filter(None, (box.array, *box.flags, box.line))),
        }
        for box in story.trace.boxes
    ]  # fmt: skip


def finished(story: Story) -> Mapping[str, str]:
    """The gradient of each box at the end of this pass; only the root's where boxes are folded or show none."""
    roots = {box.id: "1" for box in story.trace.boxes if box.kind == "root"}
    return {**roots, **{step.operand: step.after for step in story.backward if story.trace.steps}}
