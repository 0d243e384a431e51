"""What a rule gives far out: at inf, nan, subnormal numbers, the ends of the domain, and where floats get coarse.

Nothing has to be declared for that. On the way to an extreme the gradients converge, grow or shrink; there the
gradient is that limit, or nan where the function itself is no number, and never another number. Far out, slopes by
differences and the gradient in float32 have to agree with the gradient as they do elsewhere.

Sources: IEEE 754-2019, section 6, for what inf and nan are; Higham, "Accuracy and Stability of Numerical Algorithms"
(2002), section 1.7, for what cancellation costs in few digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.backward import vjps
from tinygrad_edu.table import MULTIPLES, Op
from tinygrad_edu.testing.arguments import Drawn, calls, draw, intervals, special, written
from tinygrad_edu.testing.differences.comparing import Settings
from tinygrad_edu.testing.function import slopes_of
from tinygrad_edu.testing.report import FAIL, PASS, Finding, condition, placed
from tinygrad_edu.value import Value, apply

FAR = (5.0, 10.0, 30.0, 1e4)  # functions saturate, overflow in float32, and lose their digits here
WIDE = (2.0**66, 2.0**-66)  # exact in float32, whose normal range their squares leave
NARROW = 1e-3  # what float32 may lose: it has 1e-7, and a right rule may lose some of it
TINY, HUGE = 1e-41, 3e38  # next to the smallest and the largest number of float32
MOVE = 1.0 + 2.0**-20  # a step that float32 can still show, to see what rounding of the argument does
SMALLEST, LARGEST = 1074, 1023  # 2**-1074 and 2**1023 are the ends of float64
DIGITS = 50  # halvings towards an end that is not 0: then the digits of the end are used up
PLACES = 4  # entries of an array that are made nan, one at a time
CLOSE = 1e-2  # a limit that was reached; also, what a difference has to tell apart to be worth a comparison
STEADY = 1e-6  # a sequence that moves less than this has arrived
TIMES = 1.5  # a sequence that grows or shrinks so fast, each time, goes to infinity or 0
FAINT = 1e-9  # a slope that moves the function too little to be seen


class Line(NamedTuple):
    """A function of one number: an argument of an elementwise operation, the others being held."""

    op: Op
    others: list[float]
    i: int
    with_constants: bool

    def at(self, x: float, dtype: Any = float) -> tuple[float, float]:
        """The value and the gradient."""
        given = [np.asarray(a, dtype) for a in [*self.others[: self.i], x, *self.others[self.i + 1 :]]]
        args = [Value(a) if j == self.i or not self.with_constants else a for j, a in enumerate(given)]
        with np.errstate(all="ignore"):
            try:
                out = apply(self.op, tuple(args), {})
            except (ValueError, ArithmeticError):  # it refuses such numbers
                return np.nan, np.nan
            (g,) = vjps(out, np.ones_like(out.array)[()], [args[self.i]])
        return float(out.array), float(g)

    def __str__(self) -> str:
        held = [f"{a:.4g}" if j != self.i else "x" for j, a in enumerate(self.others)]
        return f"{self.op.name}({', '.join(held)})"


def of_extremes(op: Op, rng: np.random.Generator, with_constants: bool = False) -> Iterator[Finding]:
    """What holds far out; `with_constants` says that the rules are for one variable beside constants."""
    if not op.elementwise:
        yield from of_scales(op, rng)
        return
    count = len(op.pullbacks)  # type: ignore[arg-type]
    others = [float(a) for a in draw(op, rng, (((),) * count, {})).arrays]
    parts = intervals(op, count)
    zeros = [0.0 if low < 0.0 < high else x for (low, high), x in zip(parts, others, strict=True)]
    for i, (low, high) in enumerate(parts):
        line = Line(op, others, i, with_constants)
        checks = [(line, of_nan), (line, of_far), (line, of_ends)]
        if count > 1 and not op.kinks:  # x**0, 0 * x: a rule may be another one there
            checks.append((line._replace(others=zeros), of_ends))
        for one, check in checks:
            yield from placed(f"{one}, ", check(one, low, high))


def ways(low: float, high: float) -> Iterator[tuple[float, Callable[[int], float], int]]:
    """Where to go: the extreme, the point after k halvings or doublings, and the largest k."""
    for end, side in ((low, 1.0), (high, -1.0)):
        if np.isinf(end):
            yield end, partial(math.ldexp, -side), LARGEST
        else:
            yield end, partial(inwards, end, side / 2), SMALLEST - 1 if end == 0 else DIGITS
    if low < 0.0 < high:
        yield 0.0, partial(inwards, 0.0, 1.0), SMALLEST
        yield 0.0, partial(inwards, 0.0, -1.0), SMALLEST


def inwards(end: float, room: float, k: int) -> float:
    """The point after k halvings of the room beside an end."""
    return end + math.ldexp(room, -k)


def of_ends(line: Line, low: float, high: float) -> Iterator[Finding]:
    """On the way to an extreme, at the last float before it and at the extreme itself the gradient is the limit."""
    for end, point, last in ways(low, high):
        halfway = [line.at(point(k))[1] for k in range(last // 4, last // 2, max(1, last // 16))]
        expected = limit(halfway)
        if expected is None:
            continue
        jumps = end in special(line.op.kinks, line.op.singular) and low < end < high
        for x in (point(last),) if jumps else (point(last), end):
            value, g = line.at(x)
            unknown = np.isnan(g) and (np.isnan(value) or np.isinf(x))
            note = f"the gradient is {g:.6g}, but {halfway[-1]:.6g} on the way there, with limit {expected:.6g}"
            yield condition(f"x = {x:.6g}", bool(unknown) or reached(g, expected), note)


def limit(found: Sequence[float]) -> float | None:
    """What a sequence tends to, a number, 0 or an infinity; None if that cannot be told."""
    g = np.asarray(found)
    if not np.all(np.isfinite(g)):
        infinite = bool(np.all(np.isinf(g[-2:]))) and g[-1] == g[-2]
        return float(g[-1]) if infinite else None
    if np.all(np.abs(np.diff(g)) <= STEADY * np.abs(g[-1])):
        return float(g[-1])
    sizes = np.abs(g)
    if np.all(sizes[1:] >= TIMES * sizes[:-1]):
        return float(np.copysign(np.inf, g[-1]))
    return 0.0 if np.all(sizes[1:] * TIMES <= sizes[:-1]) else None


def reached(g: float, expected: float) -> bool:
    """Whether a gradient is the limit, or still on its way to infinity or 0."""
    if np.isinf(expected):
        return bool(np.sign(g) == np.sign(expected) and abs(g) > 1.0 / CLOSE)
    return bool(abs(g - expected) <= CLOSE * (abs(expected) or 1.0))


def of_nan(line: Line, low: float, high: float) -> Iterator[Finding]:
    """Where nan makes the result nan, the gradients that depend on that argument are nan."""
    inside = line.others[line.i]
    points = [inside, *(x for x in (-0.3, 0.7, 1.9, *FAR) if low < x < high)]
    value, g = line.at(float("nan"))
    slopes = [line.at(x)[1] for x in points]
    varies = max(slopes) - min(slopes) > CLOSE * max(map(abs, slopes))
    kept = not (varies and np.isnan(value)) or bool(np.isnan(g))
    yield condition("x = nan", kept, f"the result is nan, but the gradient {g:.6g}: a nan would pass unseen")


def of_far(line: Line, low: float, high: float) -> Iterator[Finding]:
    """Far from 0 and next to it, differences and float32 agree with the gradient, a number, without a warning."""
    for x in [side * x for x in FAR + WIDE for side in (1.0, -1.0) if low < side * x < high]:
        place = f"x = {x:.6g}"
        value, g = line.at(x)
        if not np.isfinite(value):
            continue
        yield condition(place, bool(np.isfinite(g)), f"the gradient is {g}, but the result a number, {value:.6g}")
        half, narrow = line.at(x, np.float32)
        moved = abs(line.at(x * MOVE)[1] - g)  # what rounding of the argument does
        kept = abs(half - value) <= NARROW * abs(value)  # the function itself keeps its digits
        close = not kept or abs(narrow - g) <= NARROW * abs(g) + moved + TINY or abs(g) > HUGE
        note = f"the gradient is {narrow:.6g} in float32 and {g:.6g} in float64: digits are lost, or it overflows"
        yield condition(place, close, note)
        yield condition(place, not complains(line, x), "the gradient complains of numbers that the function takes")
        if line.op.kinks != MULTIPLES and moved <= CLOSE * abs(g):  # else it swings faster than steps can follow
            yield from judged(line, x, min(abs(x), x - low, high - x), place)


def complains(line: Line, x: float) -> bool:
    """Whether the gradient warns where the function does not."""
    given = [np.asarray(a) for a in [*line.others[: line.i], x, *line.others[line.i + 1 :]]]
    with np.errstate(over="raise", divide="raise", invalid="raise", under="ignore"):
        try:
            line.op.compute(*given)
            xs = [Value(a) for a in given]
            out = apply(line.op, tuple(xs), {})
        except FloatingPointError:
            return False
        try:
            line.op.pullbacks[line.i](np.ones_like(out.array)[()], *(np.asarray(a.array)[()] for a in (out, *xs)))
        except FloatingPointError:
            return True
    return False


def judged(line: Line, x: float, room: float, place: str) -> Iterator[Finding]:
    """The slopes that could be judged: far out, floats are often too coarse to difference."""
    held = [np.asarray(a) if line.with_constants else Value(a) for a in line.others]
    moved = lambda z: apply(line.op, (*held[: line.i], z, *held[line.i + 1 :]), {})
    with np.errstate(all="ignore"):
        found = slopes_of(moved, [np.asarray(x)], Settings(distance=room, exact=True))
    for finding in found:
        flat = finding.numeric == 0.0 and abs(finding.analytic) < FAINT  # too little for the function to move
        blunt = finding.allowed > CLOSE * max(abs(finding.analytic), abs(finding.numeric))  # anything would pass
        if (finding.verdict == FAIL or (finding.verdict == PASS and not blunt)) and not flat:
            finding.place = f"{place}, {finding.place}"
            yield finding


def of_scales(op: Op, rng: np.random.Generator) -> Iterator[Finding]:
    """A function of whole arrays: all entries far from 0 or next to it, and a nan among them."""
    for call in calls(op):
        parts = intervals(op, len(call[0]))
        if any(isinstance(part, str) for part in parts):
            continue
        drawn = draw(op, rng, call)
        yield from of_planted(op, drawn)
        for factor in (1e4, 1e-4, 1e-300, (1e-150, 1e160)):  # tiny, then huge: products cancel
            arrays = [a * np.sort(np.resize(factor, a.size)).reshape(a.shape) for a in drawn.arrays]
            if all(np.all((low < a) & (a < high)) for a, (low, high) in zip(arrays, parts, strict=True)):
                yield from of_scaled(op, drawn._replace(arrays=arrays), factor)


def of_scaled(op: Op, drawn: Drawn, factor: Any) -> Iterator[Finding]:
    """Where all entries are large or small, or half of them each, the gradients are finite and as in float32."""
    place = f"{written(op, drawn)}, entries times {factor}"
    (value, *wide), (half, *narrow) = (at(op, drawn, dtype) for dtype in (float, np.float32))
    if np.all(np.abs(value) < HUGE):
        finite = all(np.all(np.isfinite(g)) for g in wide)
        yield condition(place, finite, "the result is finite, but a gradient is not")
    if not np.all(np.isfinite(half)) or np.min(factor) < TINY:
        return
    _, *beside = at(op, drawn._replace(arrays=[a * MOVE for a in drawn.arrays]), float)
    for g, h, b in zip(wide, narrow, beside, strict=True):
        allowed = NARROW * np.max(np.abs(g), initial=0.0) + np.max(np.abs(b - g), initial=0.0) + TINY
        close = bool(np.all((np.abs(h - g) <= allowed) | (np.abs(g) > HUGE)))
        yield condition(place, close, f"the gradient in float32 is {h}, and {g} in float64")


def of_planted(op: Op, drawn: Drawn) -> Iterator[Finding]:
    """A nan among the entries is seen in gradients that vary with it."""
    here = at(op, drawn, float)[1:]
    for k, i in ((k, i) for k, a in enumerate(drawn.arrays) for i in range(0, a.size, max(1, a.size // PLACES))):
        beside = at(op, planted(drawn, k, i, drawn.arrays[k].flat[i] * MOVE), float)[1:]
        if all(np.allclose(g, h, rtol=FAINT, atol=0.0) for g, h in zip(here, beside, strict=True)):
            continue
        try:
            value, *found = at(op, planted(drawn, k, i, np.nan), float)
        except (ValueError, ArithmeticError, LookupError):  # it refuses nan
            continue
        seen = any(np.any(np.isnan(g)) for g in found) or not np.any(np.isnan(value))
        place = f"{written(op, drawn)}, nan in argument {k}"
        yield condition(place, seen, "the result is nan, but no gradient: a nan would pass unseen")


def planted(drawn: Drawn, k: int, i: int, number: float) -> Drawn:
    """The arguments with another number in one entry of one of them."""
    array = np.array(drawn.arrays[k], float)
    array.flat[i] = number
    return drawn._replace(arrays=[*drawn.arrays[:k], array, *drawn.arrays[k + 1 :]])


def at(op: Op, drawn: Drawn, dtype: Any) -> list[Any]:
    """The result and the gradients in a dtype."""
    with np.errstate(all="ignore"):
        xs = [Value(np.asarray(a, dtype)) for a in drawn.arrays]
        out = apply(op, tuple(xs), drawn.options)
        cotangent = np.linspace(1.0, 2.0, out.size, dtype=out.dtype).reshape(out.shape)
        return [out.array, *vjps(out, cotangent[()], xs)]
