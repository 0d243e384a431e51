"""Forward mode: tangents travel with the computation, from variables to results, by the same table of rules.

A pullback is linear in its gradient, and the pushforward is its transpose. An elementwise function has a diagonal
derivative, its own transpose; a linear one pushes by itself; any other pullback is pulled back in turn.
Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.1; Townsend, "A new trick for calculating
Jacobian vector products" (2017), for the transpose.
"""

from typing import Any

import numpy as np

from tinygrad_edu.backward import current, unbroadcast, vjps
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.notes import VERIFYING, verify
from tinygrad_edu.numeric_warnings import told_at_users_line
from tinygrad_edu.table import Parts
from tinygrad_edu.value import Value


@told_at_users_line("the tangent")
def propagate(roots: list[Any], tangents: dict[Node, Any], differentiable: bool, since: int) -> dict[Node, Any]:
    """Push tangents of variables forward to every node that depends on them; see `backpropagate`."""
    found = dict(tangents)
    nodes = toposort(*roots, since=since)
    if VERIFYING.get():
        verify(nodes)
    for node in reversed(nodes):
        ts = {i: found[x] for i, x in enumerate(node.args) if isinstance(x, Node) and x in found}
        if ts:
            t = push(node, ts, current(node) if differentiable else node.saved)
            dtype = node.saved[0].dtype
            found[node] = t if t.dtype == dtype else t.astype(dtype)
    return found


def push(node: Node, ts: dict[int, Any], inputs: tuple[Any, ...]) -> Any:
    """The tangent of a result from those of its operands, given by their places."""
    op: Any = node.op
    if op.linear and isinstance(op.pullbacks, Parts):
        every = (ts[i] if i in ts else np.zeros_like(a) for i, a in enumerate(node.saved[1:]))  # 0 * inf were nan
        return op.function(*every, **node.options)
    shares = [share(node, i, t, inputs) for i, t in ts.items()]
    return sum(shares[1:], start=shares[0])


def share(node: Node, i: int, t: Any, inputs: tuple[Any, ...]) -> Any:
    """The share in the tangent of a result that comes from the tangent of its i-th operand."""
    op: Any = node.op
    (out, *arrays), result = inputs, node.saved[0]
    if op.linear:
        return op.function(*arrays[:i], t, *arrays[i + 1 :], **node.options)
    if op.elementwise:
        t = t if t.shape == result.shape else np.broadcast_to(t, result.shape)
        return op.pullbacks[i](t, *inputs, **node.options)
    g = Value(np.ones_like(result))  # any would do: the pullback is linear in it
    pulled_back = unbroadcast(op.pullbacks[i](g, *inputs, **node.options), node.saved[i + 1])
    return vjps(pulled_back, t, [g], isinstance(out, Node), since=g.number)[0]
