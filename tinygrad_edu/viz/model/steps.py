"""A backward pass step by step, in the order in which it happens: the steps forward, backward and of the update.

A step backward takes the gradient of a result to one of its operands: the gradient from above, times the local
derivative, is added to what the operand has. An operand is finished once all of its consumers have passed something,
and only then does it pass its own gradient on; so the order is reverse topological.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2 (reverse accumulation).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz.model.paths import find_paths
from tinygrad_edu.viz.model.records import Diagram, Leaf, Step, Story, Update
from tinygrad_edu.viz.model.replay import Replay, operand_edges

TOLD = 2_000
"""The steps told of each phase: a page with more is slow, and nobody walks through them."""

WALKED = 20_000
"""The Values walked over to find paths, for all variables together: about a second."""


def tell(replay: Replay, diagram: Diagram, lr: float) -> Story:
    """The steps of a pass, with an update at learning rate lr; of a large graph the first of each phase."""
    nodes = replay.nodes[::-1]
    results = [node for node in nodes if node.op is not None]
    variables = [node for node in nodes if node.op is None and node in replay.gradients]
    steps = sum(map(len, replay.uses.values()))
    return Story(
        replay,
        diagram,
        forward=tuple(results[:TOLD]),
        backward=tuple(islice(backward(replay), TOLD)),
        update=tuple(update(replay, node, lr) for node in variables[:TOLD]),
        leaves=tuple(
            Leaf(node, find_paths(replay, node), replay.earlier(node)) for node in variables[: WALKED // len(nodes)]
        ),
        total={"forward": len(results), "backward": steps, "update": len(variables)},
    )


def backward(replay: Replay) -> Iterator[Step]:
    """The steps backward one by one, for who needs the first few only; none for an array, which has no gradient."""
    sums: dict[Node, Any] = {}
    done = dict.fromkeys(replay.nodes, 0)
    for node in replay.nodes if replay.gradients else ():
        for edge in operand_edges(node):
            operand = edge.operand
            contribution = replay.contribution(edge)
            before = sums.get(operand)
            with np.errstate(all="ignore"):  # a sum overflows in silence, as in the replay
                sums[operand] = contribution if before is None else before + contribution
            done[operand] += 1
            yield Step(
                replay.derivative(edge),
                upstream=replay.gradients[node],
                contribution=contribution,
                before=before,
                after=sums[operand],
                done=done[operand],
                total=len(replay.uses[operand]),
            )


def update(replay: Replay, node: Node, lr: float) -> Update:
    """One step of gradient descent, with the gradient of this pass."""
    data = replay.data(node)
    g = replay.gradients[node]
    with np.errstate(all="ignore"):
        return Update(node, data, g, lr, data - lr * g)
