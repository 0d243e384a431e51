"""The backward pass once more, in a table of its own.

A picture must not change what it shows: gradients are computed into a dict here, and no `.grad` is written. What one
operation passes to one operand is computed when it is asked for, from the arrays saved in the forward pass.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2 (reverse accumulation).
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.backward import backpropagate, seed, unbroadcast
from tinygrad_edu.graph import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Hop = tuple[Node, int]
    """A result and the place of one of its operands: one edge of the graph."""


def gradients(root: Node) -> dict[Node, Any]:
    """The gradient of a single number for every node behind it; none for an array."""
    if root.data.size != 1:
        return {}
    with np.errstate(all="ignore"):
        return backpropagate(root, seed(root, None))


def pull(hop: Hop, g: Any) -> Any:
    """What a result with gradient g passes to one of its operands."""
    node, i = hop
    assert node.op is not None
    with np.errstate(all="ignore"):
        share = node.op.pullbacks[i](g, *node.saved, **node.options)
    return share if node.aligned else unbroadcast(share, node.saved[i + 1])


def slope(hop: Hop) -> Any | None:
    """The local derivative of a result for one operand, where it has the operand's shape.

    That is so where the result is a single number, and where every entry depends on its own entry only.
    """
    node, i = hop
    assert node.op is not None
    out, operand = node.saved[0], node.saved[i + 1]
    if np.size(out) != 1 and not (node.op.elementwise and np.shape(out) == np.shape(operand)):
        return None
    return pull(hop, np.ones_like(out)[()])


def consumers(nodes: Sequence[Node]) -> dict[Node, list[Hop]]:
    """For every node the results it is an operand of, once for each time: `x * x` twice."""
    uses: dict[Node, list[Hop]] = {node: [] for node in nodes}
    for node in nodes:
        for i, arg in enumerate(node.args):
            if isinstance(arg, Node) and arg in uses:
                uses[arg].append((node, i))
    return uses


def forward_data(node: Node, uses: Sequence[Hop]) -> Any:
    """The data that the forward pass used, also where `data` was rebound since, as by an optimiser."""
    if node.op is not None:
        return node.saved[0]
    return uses[0][0].saved[uses[0][1] + 1] if uses else node.data
