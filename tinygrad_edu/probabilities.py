"""Whether numbers are probabilities: they come from a sigmoid or a softmax, or look as if they did.

A loss that applies one itself would accept probabilities as logits and train badly in silence. So the graph is read:
past operations that only move or limit numbers, such as reshape, indexing and clip, to the sigmoid or the softmax
itself, or to the formula, where it is written by hand: `1 / (1 + np.exp(-x))`, `(1 + np.tanh(x / 2)) / 2`,
`np.exp(x) / np.exp(x).sum(-1)`; also `1 - p`, and whatever else stretches and shifts a bounded function to [0, 1].
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
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

# For what a loss applies itself: its name, and which loss may be meant where the logits come from the other of both.
APPLIED_BY = {
    "softmax": ("cross_entropy", "where the answer is yes or no, use binary_cross_entropy"),
    "sigmoid": ("binary_cross_entropy", "for classes of which one is right, use cross_entropy"),
}


def made_by(thing: Any) -> str:
    """The name of the operation that made something; nothing for constants and variables."""
    return thing.op.name if isinstance(thing, Node) and thing.op is not None else ""


def squashed_by(thing: Any) -> str:
    """`sigmoid` or `softmax`, where the numbers come from one, else nothing."""
    waiting = [thing]
    for node in waiting:
        if not made_by(node) or len(waiting) > ENOUGH:
            continue
        if name := squashing(node):
            return name
        if made_by(node) in MOVING:
            waiting += node.args
    return ""


def squashing(node: Node) -> str:
    """`sigmoid` or `softmax`, if this operation is one or finishes the formula of one, else nothing."""
    name = made_by(node)
    if name in SIGMOIDS or name == "softmax":
        return "softmax" if name == "softmax" else "sigmoid"
    if name == "exp" and made_by(node.args[0]) == "subtract":  # exp(x - logsumexp(x))
        return "softmax" if made_by(unmoved(node.args[0].args[1])) == "logsumexp" else ""
    numerator, denominator = fraction(node)
    if made_by(denominator) == "add" and any(map(is_one, denominator.args)):  # 1 + exp(-x)
        exponential = any(map(is_exponential, denominator.args))
        return "sigmoid" if exponential and (is_one(numerator) or is_exponential(numerator)) else ""
    total = unmoved(denominator)
    while made_by(total) == "add" and any(
        not isinstance(part, Node) for part in total.args
    ):  # a small constant added
        total = unmoved(next(part for part in total.args if isinstance(part, Node)))
    if is_exponential(unmoved(numerator)) and made_by(total) == "sum" and is_exponential(unmoved(total.args[0])):
        return "softmax"
    return stretched_to_one(node)


def stretched_to_one(node: Any) -> str:
    """`sigmoid` or `softmax`, if single numbers stretch and shift a bounded function to [0, 1], else nothing."""
    inner, factor, summand = node, 1.0, 0.0
    while step := linear_step(inner):
        inner, by, plus = step
        factor, summand = factor * by, summand + factor * plus
    if inner is node or not made_by(inner):
        return ""
    bound = BOUNDS.get(made_by(inner))
    low, high = (0.0, 1.0) if bound is None else (-bound, bound)
    least, most = sorted((factor * low + summand, factor * high + summand))
    if abs(least) <= NEAR and abs(most - 1.0) <= NEAR:
        return squashing(inner) if bound is None else "sigmoid"
    return ""


def linear_step(node: Any) -> tuple[Any, float, float] | None:
    """The thing, factor and summand of which a result is `factor * thing + summand`, both single numbers; or None."""
    if made_by(node) not in LINEAR:
        return None
    for thing, constant, linear in zip(node.args, node.args[::-1], LINEAR[node.op.name], strict=True):
        if linear is not None and not isinstance(constant, Node) and np.size(constant) and np.ptp(constant) == 0:
            return unmoved(thing), *linear(float(np.ravel(constant)[0]))  # one number, also many times
    return None


def fraction(node: Node) -> tuple[Any, Any]:
    """Numerator and denominator of a division, also of one that is written as a power or a product."""
    name, args = made_by(node), node.args
    if name == "divide":
        return args
    if name == "reciprocal":
        return 1.0, args[0]
    if name == "power" and not isinstance(args[1], Node) and np.all(np.equal(args[1], -1)):
        return 1.0, args[0]
    for part, other in (args, args[::-1]) if name == "multiply" else ():
        if made_by(part) in ("divide", "reciprocal", "power"):
            numerator, denominator = fraction(part)
            if is_one(numerator):
                return other, denominator
    return None, None


def unmoved(thing: Any) -> Any:
    """Where numbers come from, past operations on one operand that only move or limit them."""
    while made_by(thing) in MOVING and len(thing.args) == 1:
        thing = thing.args[0]
    return thing


def is_exponential(thing: Any) -> bool:
    """Whether something is an exponential, `np.e**x` included."""
    return made_by(thing) == "exp" or (made_by(thing) == "power" and not isinstance(thing.args[0], Node))


def is_one(thing: Any) -> bool:
    """Whether something is a constant 1."""
    return not isinstance(thing, Node) and thing is not None and bool(np.all(np.equal(thing, 1)))


def are_probabilities(logits: Any) -> bool:
    """Whether numbers that nothing leads back from, in rows, are all inside (0, 1) and sum to 1, as of a softmax."""
    rows = plain(logits)
    if isinstance(logits, Node) and (logits.op is not None or not logits.saved):
        return False
    if np.ndim(rows) == 0 or rows.shape[-1] < 2 or rows.size == 0:
        return False
    return bool(np.all((rows > 0) & (rows < 1)) and np.all(np.abs(np.sum(rows, axis=-1) - 1) < ROUNDED))


def are_answers(logits: Any) -> bool:
    """Whether all numbers are 0 or 1, and one of them 1: the answers to be learnt, not logits."""
    given = np.asarray(plain(logits))
    return bool(np.all((given == 0) | (given == 1)) and np.any(given == 1))


def expect_logits(logits: Any, applied: str) -> None:
    """Refuse what comes from a sigmoid or a softmax, of which the loss applies one itself."""
    loss, other = APPLIED_BY[applied]
    found = squashed_by(logits) or ("softmax" if applied == "softmax" and are_probabilities(logits) else "")
    if found == applied:
        text = f"{loss} applies the {applied} itself: give it the logits, the input of your {found}"
        raise refusal(ValueError, text)
    if found:
        use = f"give it the input of your {found}, or, {other}"
        raise refusal(ValueError, f"{loss} applies a {applied} itself, and these logits come from a {found}: {use}")
