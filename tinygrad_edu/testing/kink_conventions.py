"""`conventions`: what the gradient is where a function has a kink, or no derivative; computed by the engine.

One rule decides: where differentiable, the derivative; else the subgradient of smallest norm over the variable
inputs; where none exists, inf or nan. The points are those that the table declares, and a few expressions besides.

Source: Clarke, "Optimization and Nonsmooth Analysis" (1983), chapter 2, for subgradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.rules.elementwise import relu
from tinygrad_edu.table import OPERATIONS, TIES, Op
from tinygrad_edu.testing.differences.numeric import detect_kink, numeric_gradient
from tinygrad_edu.transforms import grad

UNBOUNDED = "the slope grows without bound: there is no subgradient"
SHARED = "equal variables share evenly: of all weights with the sum 1, the shortest"
SMALLEST = "the function is smallest here, so 0 is a subgradient"
EXPRESSIONS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "clip(x, 0.0, 1.0) at 0": (lambda x: np.clip(x, 0.0, 1.0), 0.0),
    "clip(x, 0.0, 1.0) at 1": (lambda x: np.clip(x, 0.0, 1.0), 1.0),
    "copysign(x, 1.0) at 0": (lambda x: np.copysign(x, 1.0), 0.0),
    "x ** 0 at 0": (lambda x: x**0, 0.0),
    "relu(x) - relu(-x) at 0": (lambda x: relu(x) - relu(-x), 0.0),
}


class Convention(NamedTuple):
    """What a gradient is at a special point, and why.

    Parameters
    ----------
    expression, point
        The function and the point as one writes them, such as `relu(x)` and `x = 0`.
    gradient, reason
        The gradient there, a number or one for each variable, and the rule that it follows.
    """

    expression: str
    point: str
    gradient: Any
    reason: str


def conventions() -> list[Convention]:
    """The gradient at every kink and singular point of the table.

    Examples
    --------
    >>> from tinygrad_edu.testing import conventions
    >>> print(*next(entry for entry in conventions() if entry.expression == "relu(x)"), sep="; ")
    relu(x); x = 0; 0.0; the smallest slope from 0 to 1
    """
    with np.errstate(all="ignore"):
        named = [entry for op in OPERATIONS.values() for entry in declared(op)]
        for text, (f, x) in EXPRESSIONS.items():
            expression, _, point = text.partition(" at ")
            named.append(Convention(expression, f"x = {point}", float(grad(f)(x)), because(f, x)))
    return named


def because(f: Callable[[Any], Any], x: float) -> str:
    """Why a function of one number has its gradient at x."""
    if not np.isfinite(grad(f)(x)):
        return UNBOUNDED
    slopes = detect_kink(f, x) or [numeric_gradient(f, x)[0]] * 2
    low, high = sorted(round(float(slope), 6) + 0.0 for slope in slopes)
    if not low <= grad(f)(x) <= high:
        return "what the chain rule makes of the conventions for its parts"
    return "the derivative" if low == high else f"the smallest slope from {low:g} to {high:g}"


def declared(op: Op) -> Iterator[Convention]:
    """The conventions that an entry of the table declares, if it is a function of numbers or of one vector."""
    points = () if isinstance(op.kinks, str) else op.kinks
    name = "abs" if op.function is np.abs else op.name  # np.abs calls itself absolute
    if op.elementwise and len(op.pullbacks) == 1:  # type: ignore[arg-type]
        for x in (*points, *op.singular):
            yield Convention(f"{name}(x)", f"x = {x:g}", float(grad(op.function)(x)), because(op.function, x))
    elif op.elementwise and op.kinks == TIES:
        yield Convention(f"{name}(x, y)", "x = y", both(op), SHARED)
        one = lambda x: op.function(x, 0.0)
        yield Convention(f"{name}(x, 0.0)", "x = 0", float(grad(one)(0.0)), because(one, 0.0))
    elif op.elementwise and points and op.function(-1.0, -1.0) > op.function(0.0, 0.0):
        yield Convention(f"{name}(x, y)", "x = y = 0", both(op), SMALLEST)
    elif op.kinks and len(op.pullbacks) == 1 and "axis" in op.options:  # type: ignore[arg-type]
        yield from of_vectors(op)


def both(op: Op) -> tuple[float, float]:
    """The two gradients of a function of two numbers, both 0."""
    x, y = grad(op.function, (0, 1))(0.0, 0.0)
    return float(x), float(y)


def of_vectors(op: Op) -> Iterator[Convention]:
    """The convention of a reduction: where all entries are equal, or 0 if that is its kink."""
    x = np.ones(2) if op.kinks == TIES else np.zeros(2)
    try:
        gradient = tuple(map(float, grad(op.function)(x)))
    except (TypeError, ValueError):  # it needs options, or its result is no single number
        return
    point = "x[0] = x[1]" if op.kinks == TIES else "x = 0"
    yield Convention(f"{op.name}(x)", point, gradient, SHARED if sum(gradient) else SMALLEST)
