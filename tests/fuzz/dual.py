"""`Dual`: a number that carries its slopes along, for every variable at once; the naive model of an engine.

Arithmetic is written for single numbers only. Arrays of them are NumPy's own arrays of objects, so broadcasting,
sums, products of matrices and indices are NumPy's too: nothing is shared with the engine but NumPy.
Source: Clifford, "Preliminary sketch of biquaternions" (1873), for a + b epsilon; Wengert (1964), forward mode.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Key = tuple[str, int]
Array = np.ndarray[Any, Any]


class Dual:
    """A number and its slopes.

    Parameters
    ----------
    number
        What it is.
    slopes
        Its derivative with respect to every number that it depends on: each is a name and a flat index.

    Examples
    --------
    >>> from tests.fuzz.dual import Dual
    >>> x = Dual(3.0, {("x", 0): 1.0})
    >>> (x * x + x).slopes
    {('x', 0): 7.0}
    """

    def __init__(self, number: float, slopes: Mapping[Key, float] = {}) -> None:
        self.number = float(number)
        self.slopes = dict(slopes)

    def __add__(self, other: Any) -> Dual:
        other = lifted(other)
        return chained(self.number + other.number, (self, 1.0), (other, 1.0))

    def __sub__(self, other: Any) -> Dual:
        other = lifted(other)
        return chained(self.number - other.number, (self, 1.0), (other, -1.0))

    def __mul__(self, other: Any) -> Dual:
        other = lifted(other)
        return chained(self.number * other.number, (self, other.number), (other, self.number))

    def __rsub__(self, other: Any) -> Dual:
        return lifted(other) - self

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Dual:
        return chained(-self.number, (self, -1.0))

    def sin(self) -> Dual:
        """The sine; `np.sin` of an array of objects asks each for it."""
        return chained(math.sin(self.number), (self, math.cos(self.number)))

    def tanh(self) -> Dual:
        """The hyperbolic tangent, with 1 / cosh^2 for its slope."""
        return chained(math.tanh(self.number), (self, math.cosh(self.number) ** -2))

    def __repr__(self) -> str:
        return f"Dual({self.number}, {self.slopes})"


def lifted(x: Any) -> Dual:
    """A number that depends on nothing."""
    return x if isinstance(x, Dual) else Dual(x)


def chained(number: float, *parts: tuple[Dual, float]) -> Dual:
    """The chain rule: the slopes of operands, times the partial derivatives, added up."""
    slopes: dict[Key, float] = {}
    for operand, partial in parts:
        for key, slope in operand.slopes.items():
            slopes[key] = slopes.get(key, 0.0) + partial * slope
    return Dual(number, slopes)


def each(function: Any, array: Any) -> Array:
    """An array of objects: a function of every entry and its flat index."""
    made = np.empty(np.shape(array), dtype=object)
    for i, x in enumerate(np.ravel(np.asarray(array, dtype=object))):
        made.flat[i] = function(x, i)
    return made


def numbers(duals: Any) -> Array:
    """The array of the numbers."""
    return each(lambda x, i: lifted(x).number, duals).astype(float)


def depends(duals: Any, name: str) -> bool:
    """Whether any entry depends on any entry of a variable."""
    return any(key[0] == name for x in np.ravel(np.asarray(duals, dtype=object)) for key in lifted(x).slopes)


def variable(array: Any, name: str) -> Array:
    """An array as a variable: every entry has a slope of 1 with respect to itself, besides those it has already."""
    return each(lambda x, i: Dual(lifted(x).number, lifted(x).slopes | {(name, i): 1.0}), array)


def pulled(duals: Any, cotangent: Any, name: str, shape: tuple[int, ...]) -> Array:
    """The gradient of <cotangent, result> with respect to a variable of some shape."""
    gradient = np.zeros(shape)
    for x, c in zip(np.ravel(np.asarray(duals, dtype=object)), np.ravel(cotangent), strict=True):
        for (owner, i), slope in lifted(x).slopes.items():
            if owner == name:
                gradient.flat[i] += c * slope
    return gradient
