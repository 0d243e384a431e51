"""What a reader should not overlook: where nan begins, and gradients that vanish or explode.

A flag stands on one Value, the one where the trouble starts: a result that is not finite though its operands are, a
gradient that is not finite though those it is made of are. Of the sizes, only extremes are flagged.

Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013).
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.graph import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from tinygrad_edu.viz.replay import Hop

VANISHING, EXPLODING = 1e-7, 1e4
"""Gradients whose largest entry is smaller, or greater, are flagged; that of the result is 1."""


def flags(node: Node, data: Any, gradients: Mapping[Node, Any], uses: Sequence[Hop]) -> Iterator[str]:
    """The flags of a Value.

    Parameters
    ----------
    node, data
        The Value, and what it held in the forward pass.
    gradients
        The gradients of a replay.
    uses
        The consumers of the Value.
    """
    if not finite(data) and all(map(finite, node.saved[1:])):
        yield f"{trouble(data)} begins here"
    g = gradients.get(node)
    if g is None:
        return
    if not finite(g):
        if all(finite(gradients[consumer]) for consumer, _ in uses if consumer in gradients):
            yield f"{trouble(g)} in the gradient begins here"
    elif 0.0 < (size := float(np.abs(g).max(initial=0.0))) < VANISHING:
        yield "the gradient vanishes"
    elif size > EXPLODING:
        yield "the gradient explodes"


def finite(data: Any) -> bool:
    """Whether every entry is a number."""
    return bool(np.isfinite(data).all())


def trouble(data: Any) -> str:
    """What is wrong with an array that is not finite."""
    return "nan" if np.any(np.isnan(data)) else "infinity"
