"""Whether numbers come from a sigmoid or a softmax, for losses that apply it themselves.

A loss would accept probabilities as logits and train badly in silence. So the graph behind the numbers is read: past
operations that only move or limit numbers, such as reshape, indexing, transposing and clip, to the sigmoid or softmax
itself, or to the formula, `1 / (1 + np.exp(-x))` and `np.exp(x) / np.exp(x).sum(-1)`, where it is written by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu.graph import Node

MOVING = {
    "reshape", "ravel", "transpose", "moveaxis", "swapaxes", "squeeze", "expand_dims", "getitem", "broadcast_to",
    "concatenate", "stack", "flip", "positive", "identity", "astype", "maximum", "minimum", "select",
}  # fmt: skip
SIGMOIDS = {"sigmoid", "expit"}
ENOUGH = 1_000  # nodes that only move numbers: more of them are not looked through


def squashed_by(thing: Any) -> str:
    """`sigmoid` or `softmax`, where the numbers come from one, else nothing."""
    waiting = [thing]
    for node in waiting:
        if not isinstance(node, Node) or node.op is None or len(waiting) > ENOUGH:
            continue
        if name := squashing(node):
            return name
        if node.op.name in MOVING:
            waiting += node.args
    return ""


def squashing(node: Node) -> str:
    """`sigmoid` or `softmax`, if this operation is one or finishes the formula of one, else nothing."""
    if node.op.name in SIGMOIDS or node.op.name == "softmax":
        return "softmax" if node.op.name == "softmax" else "sigmoid"
    if node.op.name == "exp" and is_named(node.args[0], "subtract"):  # exp(x - logsumexp(x))
        return "softmax" if is_named(unmoved(node.args[0].args[1]), "logsumexp") else ""
    numerator, denominator = fraction(node)
    if is_named(denominator, "add") and any(is_one(part) for part in denominator.args):  # 1 + exp(-x)
        exponential = any(is_exponential(part) for part in denominator.args)
        return "sigmoid" if exponential and (is_one(numerator) or is_exponential(numerator)) else ""
    total = unmoved(denominator)
    while is_named(total, "add") and any(not isinstance(part, Node) for part in total.args):  # a small constant added
        total = unmoved(next(part for part in total.args if isinstance(part, Node)))
    if is_exponential(unmoved(numerator)) and is_named(total, "sum") and is_exponential(unmoved(total.args[0])):
        return "softmax"
    return ""


def fraction(node: Node) -> tuple[Any, Any]:
    """Numerator and denominator of a division, also of one that is written as a power or a product."""
    if node.op.name == "divide":
        return node.args
    if node.op.name == "reciprocal":
        return 1.0, node.args[0]
    if node.op.name == "power" and not isinstance(node.args[1], Node) and np.all(np.equal(node.args[1], -1)):
        return 1.0, node.args[0]
    if node.op.name == "multiply":
        for part, other in (node.args, node.args[::-1]):
            if isinstance(part, Node) and part.op is not None and part.op.name in ("divide", "reciprocal", "power"):
                numerator, denominator = fraction(part)
                if is_one(numerator):
                    return other, denominator
    return None, None


def unmoved(thing: Any) -> Any:
    """Where numbers come from, past operations on one operand that only move or limit them."""
    while isinstance(thing, Node) and thing.op is not None and thing.op.name in MOVING and len(thing.args) == 1:
        thing = thing.args[0]
    return thing


def is_named(thing: Any, name: str) -> bool:
    """Whether something is the result of an operation of this name."""
    return isinstance(thing, Node) and thing.op is not None and thing.op.name == name


def is_exponential(thing: Any) -> bool:
    """Whether something is an exponential, `np.e**x` included."""
    return is_named(thing, "exp") or (is_named(thing, "power") and not isinstance(thing.args[0], Node))


def is_one(thing: Any) -> bool:
    """Whether something is a constant 1."""
    return not isinstance(thing, Node) and thing is not None and bool(np.all(np.equal(thing, 1)))
