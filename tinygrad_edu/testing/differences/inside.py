"""What goes on inside a function: how far rounding moves its result and its gradient, and whether a part has a kink.

A difference cannot show what is smaller than the rounding of f, and where numbers cancel that is far more than the
last digit of the result: of 1 + tanh(x) at -17 one or two digits are left. The same holds for the gradient, which is
computed from such numbers. So f is computed a few times more, each result of an operation moved to a number beside
it at random, and what changes is the noise.

Sources: Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic" (1997), section 4;
Vignes, "A stochastic arithmetic for reliable scientific computation" (1993).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_edu.backward import gradients
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.inputs import plain
from tinygrad_edu.listeners import Listener, listening
from tinygrad_edu.testing.differences.numeric import Array, number
from tinygrad_edu.value import Value

Scalar = Callable[[list[Any]], Any]

TIMES = 6  # the largest of six changes is about one and a half times the usual one
FARTHER = 64  # numbers: changes that come from rounding grow with it; a jump of the gradient is as high as before,
EVEN = 1e-2  # but for this part of it
BESIDE = 1e-9  # from a kink, the gradients on its sides


class RandomRounding(Listener):
    """Moves each result of an operation to a number beside it, or leaves it, at random."""

    def __init__(self, rng: np.random.Generator, by: int = 1) -> None:
        self.rng = rng
        self.by = by

    def moved(self, exact: Any, rounded: Any = True) -> Any:
        """Numbers rounded once more, where they have been rounded."""
        ulps = self.by * self.rng.integers(-1, 2, np.shape(exact)) * rounded * np.finfo(exact.dtype).eps
        return exact * np.asarray(1.0 + ulps, exact.dtype)[()]

    def made(self, value: Node, op: Any) -> None:
        """Round what an operation gives, except numbers that it hands on, such as a maximum."""
        if value.op is None or value.array.dtype.kind != "f":
            return
        given = value.saved[1:]
        chooses = op.kinks or (op.linear and len(given) == 1)
        handed = np.isin(value.array, np.concatenate(list(map(np.ravel, given)))) if chooses else False
        value.array = self.moved(value.array, np.logical_not(handed))
        value.saved = (value.array, *given)


def reverse(scalar: Scalar, values: list[Array]) -> list[Array]:
    """The gradients of a number by the backward pass; 0 where it does not depend on anything."""
    return differentiated(scalar, values)[1]


def differentiated(scalar: Scalar, values: list[Array], recorded: bool = False) -> tuple[float, list[Array]]:
    """A number and its gradients; `recorded` makes every step of the backward pass an operation as well."""
    variables = [Value(leaf) for leaf in values]
    out = scalar(variables)
    found = (
        gradients(out, variables, recorded) if isinstance(out, Value) else [np.zeros_like(leaf) for leaf in values]
    )
    return number(out), list(map(plain, found))


class Rounded:
    """A number and its gradients, and how far rounding inside the function moves them."""

    def __init__(self, scalar: Scalar, values: list[Array]) -> None:
        self.scalar = scalar
        self.values = values
        self.value, self.found = differentiated(scalar, values)
        self.near = self.rounded(1)
        self.moved = float(np.fmax.reduce([abs(value - self.value) for value, _ in self.near], initial=0.0))

    def rounded(self, by: int) -> list[tuple[float, list[Array]]]:
        """The number and how far its gradients move, a few times, for rounding to that many numbers beside each."""
        found = []
        rounding = RandomRounding(np.random.default_rng(0), by)
        with suppress(Exception), listening(rounding):  # what a checkpoint computes again has to be equal
            for _ in range(TIMES):  # a function that is one operation rounds inside, as if its arguments were rounded
                value, gs = differentiated(self.scalar, list(map(rounding.moved, self.values)), recorded=True)
                found.append((value, [np.asarray(a, float) - b for a, b in zip(gs, self.found, strict=True)]))
        return found

    @cached_property
    def far(self) -> list[tuple[float, list[Array]]]:
        """The same for numbers farther away."""
        return self.rounded(FARTHER)

    def slope(self, k: int, direction: Array) -> float:
        """The slope along a direction of one argument."""
        return along(self.found[k], direction)

    def noise(self, k: int, direction: Array) -> float:
        """How far rounding moves it; nan counts for nothing, and so does a jump right beside the numbers given."""
        changes = [along(gs[k], direction) for _, gs in self.near]
        noise = float(np.fmax.reduce(np.abs(changes), initial=0.0))
        if noise and is_jump(changes, noise) and is_jump([along(gs[k], direction) for _, gs in self.far], noise):
            return 0.0
        return noise


def is_jump(changes: list[float], height: float) -> bool:
    """Whether all changes that are more than nothing go the same way, and are that high."""
    high = np.array([change for change in changes if not abs(change) <= height / 2])
    one_way = abs(np.sum(np.sign(high))) == len(high)
    return bool(one_way and np.all(np.abs(np.abs(high) - height) < EVEN * height))


def along(g: Array, direction: Array) -> float:
    """The slope of a gradient along a direction; where that is 0, the gradient may be infinite."""
    moved = direction != 0
    return float(np.sum(g[moved] * direction[moved], dtype=float))


class Inside:
    """What goes on inside a function where it is checked; computed once, when a slope is doubtful."""

    def __init__(self, scalar: Scalar, wide: list[Array], values: list[Array]) -> None:
        self.scalar = scalar
        self.arrays = wide
        self.values = values

    @cached_property
    def wide(self) -> Rounded:
        """As the function is moved, in float64."""
        with np.errstate(all="ignore"):
            return Rounded(self.scalar, self.arrays)

    @cached_property
    def narrow(self) -> Rounded:
        """As it is differentiated."""
        with np.errstate(all="ignore"):
            return Rounded(self.scalar, self.values) if any(a.dtype != float for a in self.values) else self.wide

    def noise(self, k: int, direction: Array) -> tuple[float, float]:
        """How far rounding moves the function, and its slope along a direction of one argument."""
        return self.wide.moved, max(self.narrow.noise(k, direction), self.lost(k, direction))

    def in_float64(self, k: int, direction: Array) -> tuple[float, float]:
        """The slope along a direction by the same rules, but in float64, and its noise."""
        return self.wide.slope(k, direction), self.wide.noise(k, direction)

    def lost(self, k: int, direction: Array) -> float:
        """By how much a slope differs from that in float64, where its dtype has no numbers as small or as large."""
        kind = np.finfo(self.values[k].dtype)
        narrow, wide = (each.slope(k, direction) for each in (self.narrow, self.wide))
        fits = kind.tiny <= abs(narrow) <= kind.max or not abs(wide) <= kind.max
        return 0.0 if fits else float(np.nan_to_num(abs(narrow - wide), nan=np.inf))

    @cached_property
    def has_kink(self) -> bool:
        """Whether an operation behind the result has been called at a kink that its entry declares."""
        out = self.scalar([Value(leaf) for leaf in self.values])
        return any(at_kink(node) for node in toposort(out) if node.op is not None and node.op.kinks)

    def slopes_beside(self, k: int, direction: Array) -> tuple[float, float] | None:
        """The slopes of the gradient left and right of where a part of f has its kink; None if no part has one here.

        There the gradient may be anything: parts follow a convention, and the chain rule multiplies what they give.
        """
        if not self.has_kink:
            return None
        step = BESIDE * max(1.0, float(np.max(np.abs(self.values[k][direction != 0]))))

        def slope(by: float) -> float:
            moved = [leaf + by * direction if i == k else leaf for i, leaf in enumerate(self.arrays)]
            return along(reverse(self.scalar, moved)[k], direction)

        return slope(-step), slope(step)


def at_kink(node: Node) -> bool:
    """Whether an operation has been called at its kink: at one of its points, or with two equal numbers."""
    numbers = np.concatenate([np.ravel(a) for a in node.saved[1:]])
    kinks = node.op.kinks
    return len(np.unique(numbers)) < numbers.size if isinstance(kinks, str) else bool(np.isin(numbers, kinks).any())
