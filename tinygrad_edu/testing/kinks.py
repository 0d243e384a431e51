"""At kinks, and right beside them: where a rule is easiest to get wrong.

At a kink the gradient is, by the convention of this library, the one of smallest norm among all mixtures of the
gradients around it. So the gradients around are computed, by the rule itself, and compared with differences where
those can resolve them; closer to the kink the rule has to stay what it is there. `extremes` has the other end.

Sources: Clarke, "Optimization and Nonsmooth Analysis" (1983), theorem 2.5.1, for mixtures of the gradients around;
Wolfe, "Finding the nearest point in a polytope" (1976).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.backward import vjps
from tinygrad_edu.table import MULTIPLES, TIES, Op
from tinygrad_edu.testing.arguments import Drawn, calls, draw, intervals, written
from tinygrad_edu.testing.differences.comparing import Settings
from tinygrad_edu.testing.differences.numeric import EPS, Array
from tinygrad_edu.testing.function import slopes_of
from tinygrad_edu.testing.report import Finding, condition, placed
from tinygrad_edu.value import Value, apply

RESOLVED = (1e-3, 1e-5)  # distances at which differences still fit between the argument and the kink
MIDDLE = 1e-6  # where the gradients on all sides are taken from: near, and far beyond rounding
CLOSE = (1e-9, 1e-12)  # only the rule can be asked there; it has to be what it is at MIDDLE
NEAR = 2e-3  # how much a gradient may bend from MIDDLE to the kink, beside its scale
FEW = 3  # entries, up to which all combinations of sides are tried; directions that are looked at in full
OUTPUTS = 2  # entries of a result that are looked at
GRID = 64  # ties are multiples of 1/64: sums of such numbers are exact, so what is equal stays equal
RTOL, RATE = 1e-5, 1e-10  # differences in so little room have rounding of RATE over the distance


class Spot(NamedTuple):
    """A call at a kink, and the flat places, over all of its arrays, of the entries that are at it."""

    drawn: Drawn
    places: Array

    def moved(self, step: Array) -> Spot:
        """The call with the entries at the kink moved."""
        return self.put(np.concatenate([np.ravel(a) for a in self.drawn.arrays])[self.places] + step)

    def put(self, numbers: Any) -> Spot:
        """The call with other numbers at the places of the kink."""
        flat = np.concatenate([np.ravel(a) for a in self.drawn.arrays])
        flat[self.places] = numbers
        ends = np.cumsum([np.size(a) for a in self.drawn.arrays])[:-1]
        shaped = [part.reshape(np.shape(a)) for part, a in zip(np.split(flat, ends), self.drawn.arrays, strict=True)]
        return Spot(self.drawn._replace(arrays=shaped), self.places)

    def held(self, variables: Sequence[int]) -> Spot:
        """The call of which only some arguments move."""
        owner = np.repeat(np.arange(len(self.drawn.arrays)), [np.size(a) for a in self.drawn.arrays])
        return self._replace(places=self.places[np.isin(owner[self.places], variables)])


def of_kinks(op: Op, rng: np.random.Generator, with_constants: bool = False) -> Iterator[Finding]:
    """The gradients at the declared kinks and on all sides of them, for all variables and for each beside constants.

    `with_constants` says that the rules are those for one variable beside constants.
    """
    for spot in spots(op, rng) if op.kinks else ():
        count = len(spot.drawn.arrays)
        every = [] if with_constants else [tuple(range(count))]
        single = [(i,) for i in range(count)] if with_constants or (count > 1 and op.with_constants is op) else []
        for variables in every + single:
            held = spot.held(variables)
            words = written(op, spot.drawn) + f", only argument {variables[0]} varies" * (len(variables) < count)
            if len(held.places):
                yield from placed(f"{words}, ", of_spot(op, held, variables, rng))


def spots(op: Op, rng: np.random.Generator) -> Iterator[Spot]:
    """Calls at kinks: an elementwise function at single numbers, else all entries of a call, and half of them."""
    if op.elementwise:
        count = len(op.pullbacks)  # type: ignore[arg-type]
        yield from of_numbers(op, draw(op, rng, (((),) * count, {})))
        return
    for call in calls(op):
        drawn = draw(op, rng, call)
        size = sum(np.size(a) for a in drawn.arrays)
        tie = round(GRID * float(np.ravel(drawn.arrays[0])[0])) / GRID  # whose sums are exact, so that equal is equal
        for places in (np.arange(size), np.sort(rng.permutation(size)[: (size + 1) // 2])):
            for point in (tie,) if isinstance(op.kinks, str) else op.kinks:
                yield Spot(drawn, places).put(point)


def of_numbers(op: Op, drawn: Drawn) -> Iterator[Spot]:
    """The kinks of an elementwise function: of each argument at a point, of ties, of multiples."""
    count = len(drawn.arrays)
    parts = intervals(op, count)
    if op.kinks == MULTIPLES:
        for times, y in product((-2.0, 1.0, 2.0), (-1.5, 1.25)):
            yield Spot(drawn._replace(arrays=[np.asarray(times * y), np.asarray(y)]), np.arange(2))
    elif op.kinks == TIES:
        yield Spot(drawn, np.arange(count)).put(drawn.arrays[0])
        yield Spot(drawn, np.arange(count)).put(0.0)
    else:
        for point, chosen in product(map(float, op.kinks), product((False, True), repeat=count)):
            inside = all(low < point < high for (low, high), at in zip(parts, chosen, strict=True) if at)
            if any(chosen) and inside:
                yield Spot(drawn, np.flatnonzero(chosen)).put(point)


def steps(n: int) -> list[Array]:
    """Directions away from a kink of n entries, different from each other and from 0, every entry in every rank."""
    ladder = (np.arange(n) - n / 2 + 0.25) / n
    signs = np.array(list(product((1, -1), repeat=n)) if n <= FEW else [(1,) * n, (-1,) * n])
    return [np.roll(ladder, k) * s for k in range(n) for s in signs]


def of_spot(op: Op, spot: Spot, variables: tuple[int, ...], rng: np.random.Generator) -> Iterator[Finding]:
    """What the gradients are at one kink, and around it."""
    moves = steps(len(spot.places))
    shape = np.shape(op.compute(*spot.drawn.arrays, **spot.drawn.options))
    size = int(np.prod(shape))
    for j in rng.permutation(size)[:OUTPUTS]:
        weight = np.reshape(np.eye(size)[j], shape)
        yield from of_output(op, spot, variables, moves, weight)
    for step in moves[:FEW]:
        for distance in RESOLVED:
            beside = spot.moved(distance * step)
            room = distance * float(np.min(np.abs(step)))
            call, given = fixed(op, beside, variables)
            rounding = RTOL + RATE / distance
            found = slopes_of(call, given, Settings(distance=room, rtol=rounding, whole=True))
            yield from placed(f"{distance:g} beside a kink, ", found)


def of_output(op: Op, spot: Spot, variables: tuple[int, ...], moves: list[Array], weight: Array) -> Iterator[Finding]:
    """The gradient of one entry of the result at a kink, and close to it."""
    value, at = gradient(op, spot, variables, weight)
    around = [gradient(op, spot.moved(MIDDLE * step), variables, weight) for step in moves]
    scale = max(1.0, *(float(np.max(np.abs(g), initial=0.0)) for _, g in around))
    jumps = any(abs(beside - value) > 1e3 * MIDDLE * scale for beside, _ in around)
    sides = [g for _, g in around]
    closest = min(sides, key=lambda g: float(np.max(np.abs(g - at), initial=0.0)))
    expected = closest if jumps else smallest(np.array(sides))
    right = bool(np.max(np.abs(at - expected), initial=0.0) <= 10 * NEAR * scale)
    what = "none of the gradients on its sides" if jumps else "not the smallest of all mixtures of those on its sides"
    yield condition("at a kink", right, f"the gradient is {at}, {what}, {expected}")
    for step, (_, g) in list(zip(moves, around, strict=True))[:: max(1, len(moves) // FEW)]:
        for distance in CLOSE:
            _, near = gradient(op, spot.moved(distance * step), variables, weight)
            rounding = 1e3 * EPS * max(float(np.max(np.abs(a), initial=0.0)) for a in spot.drawn.arrays) / distance
            same = bool(np.max(np.abs(near - g), initial=0.0) <= (NEAR + rounding) * scale)
            note = "" if same else f"the gradient is {near}, but {g} at a distance of {MIDDLE:g} on the same side"
            yield condition(f"{distance:g} beside a kink", same, note)


def gradient(op: Op, spot: Spot, variables: tuple[int, ...], weight: Array) -> tuple[float, Array]:
    """One entry of the result, and its gradient for the variables, flat."""
    call, given = fixed(op, spot, variables)
    xs = [Value(a) for a in given]
    out = call(*xs)
    return float(np.sum(out.array * weight)), np.concatenate([np.ravel(g) for g in vjps(out, weight[()], xs)])


def fixed(op: Op, spot: Spot, variables: tuple[int, ...]) -> tuple[Any, list[Any]]:
    """The operation as a function of its variables, the others being constants; and the arrays of the variables."""

    def call(*xs: Any) -> Any:
        args = list(spot.drawn.arrays)
        for i, x in zip(variables, xs, strict=True):
            args[i] = x
        recorded = any(isinstance(a, Value) for a in args)
        return (
            apply(op, tuple(args), spot.drawn.options)
            if recorded
            else np.asarray(op.compute(*args, **spot.drawn.options))
        )

    call.__name__ = op.name
    call.takes_arrays = True  # type: ignore[attr-defined]
    return call, [spot.drawn.arrays[i] for i in variables]


def smallest(points: Array) -> Array:
    """The shortest vector of the convex hull of several, by Wolfe's algorithm (1976)."""
    chosen = [int(np.argmin(np.sum(points**2, axis=1)))]
    weights = np.ones(1)
    tiny = 1e-12 * float(np.max(np.abs(points), initial=1.0)) ** 2
    for _ in range(1000):
        x: Array = weights @ points[chosen]
        nearest = int(np.argmin(points @ x))
        if x @ x - points[nearest] @ x <= tiny or nearest in chosen:
            break
        chosen = [*chosen, nearest]
        weights = np.append(weights, 0.0)
        while np.any((wanted := balanced(points[chosen])) <= 0.0):  # outside the hull: go to its boundary, and drop
            out = np.flatnonzero(wanted <= 0.0)
            part = weights[out] / np.maximum(weights[out] - wanted[out], tiny)
            weights = weights + np.min(part) * (wanted - weights)
            kept = np.delete(np.arange(len(chosen)), out[np.argmin(part)])
            chosen = [chosen[i] for i in kept]
            weights = weights[kept] / np.sum(weights[kept])
        weights = wanted
    return x


def balanced(points: Array) -> Array:
    """The weights, of sum 1 and any sign, with which several vectors add up to the shortest."""
    n = len(points)
    system = np.block([[points @ points.T, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    found: Array = np.linalg.lstsq(system, np.append(np.zeros(n), 1.0), rcond=None)[0]
    return found[:n]
