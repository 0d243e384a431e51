"""Whether numbers come from a sigmoid or a softmax, for losses that apply it themselves.

A loss would accept probabilities as logits and train badly in silence. So the graph behind the numbers is read: past
operations that only move or limit numbers, such as reshape, indexing, transposing and clip, to the sigmoid or softmax
itself, or to the formula, where it is written by hand: `1 / (1 + np.exp(-x))`, `(1 + np.tanh(x / 2)) / 2`,
`np.exp(x) / np.exp(x).sum(-1)`; also `1 - p`, and whatever else stretches and shifts a bounded function to [0, 1].
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import plain

MOVING = {
    "reshape", "ravel", "transpose", "moveaxis", "swapaxes", "squeeze", "expand_dims", "getitem", "broadcast_to",
    "concatenate", "stack", "flip", "positive", "identity", "astype", "maximum", "minimum", "select",
}  # fmt: skip
SIGMOIDS = {"sigmoid", "expit", "log_expit", "ndtr"}
BOUNDS = {"tanh": 1.0, "erf": 1.0, "arctan": math.pi / 2}  # of functions between minus that and that, like a sigmoid
# The factor and the summand that a constant stands for, as the second operand and as the first.
LINEAR: dict[str, tuple[Any, Any]] = {
    "add": (lambda c: (1.0, c), lambda c: (1.0, c)),
    "subtract": (lambda c: (1.0, -c), lambda c: (-1.0, c)),
    "multiply": (lambda c: (c, 0.0), lambda c: (c, 0.0)),
    "divide": (lambda c: (1.0 / c if c else 0.0, 0.0), None),
}
NEAR = 0.01  # how far from [0, 1] the bounds of a probability may be: some people add 1e-7 to it
ROUNDED = 1e-3  # how far from 1 probabilities sum up in any floating point type
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
    return stretched_to_one(node)


def stretched_to_one(node: Node) -> str:
    """`sigmoid` or `softmax`, if single numbers stretch and shift a bounded function to [0, 1], else nothing."""
    inner, factor, summand = stretched(node)
    if inner is node or not isinstance(inner, Node) or inner.op is None:
        return ""
    bound = BOUNDS.get(inner.op.name)
    low, high = (0.0, 1.0) if bound is None else (-bound, bound)
    least, most = sorted((factor * low + summand, factor * high + summand))
    if abs(least) <= NEAR and abs(most - 1.0) <= NEAR:
        return squashing(inner) if bound is None else "sigmoid"
    return ""


def stretched(node: Any) -> tuple[Any, float, float]:
    """The thing, factor and summand of which a result is `factor * thing + summand`, both single numbers."""
    factor, summand = 1.0, 0.0
    while step := linear_step(node):
        node, by, plus = step
        summand += factor * plus
        factor *= by
    return node, factor, summand


def linear_step(node: Any) -> tuple[Any, float, float] | None:
    """As `stretched`, for the last operation alone; None where it is none of a single number and one thing."""
    if not isinstance(node, Node) or node.op is None or node.op.name not in LINEAR:
        return None
    for thing, constant, linear in zip(node.args, node.args[::-1], LINEAR[node.op.name], strict=True):
        number = None if isinstance(constant, Node) else single(constant)
        if number is not None and linear is not None:
            return unmoved(thing), *linear(number)
    return None


def single(constant: Any) -> float | None:
    """The number that a constant is, or that all of its entries are."""
    return float(np.ravel(constant)[0]) if np.size(constant) and np.ptp(constant) == 0 else None


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


def are_probabilities(logits: Any) -> bool:
    """Whether numbers that nothing leads back from, in rows, are all inside (0, 1) and sum to 1, as of a softmax."""
    if isinstance(logits, Node) and (logits.op is not None or not logits.saved):
        return False
    rows = plain(logits)
    if np.ndim(rows) == 0 or rows.shape[-1] < 2 or rows.size == 0:
        return False
    return bool(np.all((rows > 0) & (rows < 1)) and np.all(np.abs(np.sum(rows, axis=-1) - 1) < ROUNDED))


def are_answers(logits: Any) -> bool:
    """Whether all numbers are 0 or 1, and one of them 1: the answers to be learnt, not logits."""
    given = np.asarray(plain(logits))
    return bool(np.all((given == 0) | (given == 1)) and np.any(given == 1))
