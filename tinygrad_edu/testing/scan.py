"""Many places at a time: what a few drawn numbers step over, such as a bump, whole numbers, -0.0, or a million.

Of an elementwise function, thousands of numbers are the entries of one array, so that one backward pass and four
calls compare all of their slopes with differences. Any other function goes along straight lines, and its slopes are
compared with the change from point to point. Only what does not agree at this first look is judged by
the slow way, and only its failures count: there may be kinks and rounding in so many places.

Source: Dorfman, "The detection of defective members of large populations" (1943), for testing in groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_edu.backward import backpropagate
from tinygrad_edu.inputs import plain
from tinygrad_edu.testing.differences.comparing import Settings, spread
from tinygrad_edu.testing.differences.numeric import EPS, STEP, Array, four_point
from tinygrad_edu.testing.function import slopes_of
from tinygrad_edu.testing.report import FAIL, Finding, condition
from tinygrad_edu.value import Value

Function = Callable[..., Any]

WIDE = 10.0  # where most functions bend
STRATA = 2_000  # random numbers in there: a bump of a hundredth is met by one or more
WHOLE = np.arange(-20.0, 21.0)
FAR = (1e2, 1e3, 1e4, 1e6)  # where a domain has no end
SOME = 100  # random numbers of every size, near 0 and far out
POINTS = 48  # of a line
RTOL = 1e-6  # of the first look
ROUNDING = 1e4  # how many roundings the first look forgives: a step is a few ten thousandths
LOOKED_AT = 12  # numbers that are judged with care
FEW = 3  # points of a line that are


def places(rng: np.random.Generator, low: float, high: float, points: Sequence[float], strata: int) -> Array:
    """Numbers of an interval: all over its middle, whole and simple ones, both zeros, tiny and large ones."""
    first, last = max(low, -WIDE), min(high, WIDE)
    middle = first + (last - first) * (np.arange(strata) + rng.random(strata)) / strata
    sizes = 10.0 ** rng.uniform(-8, 6, SOME)
    simple = np.concatenate([WHOLE, WHOLE / 2, WHOLE / 10, [0.0, -0.0], sizes, -sizes, FAR, np.negative(FAR)])
    found = np.concatenate([middle, simple])
    found = found[(low < found) & (found < high)]
    return found[~np.isin(found, points)]


def room(x: Array, low: float, high: float, points: Sequence[float]) -> Array:
    """How far each number is from an end of the interval and from the points."""
    ends = np.array([low, high, *points, np.inf])
    return np.asarray(np.min(np.abs(x[:, None] - ends[np.isfinite(ends) | (ends == np.inf)]), axis=1))


def of_numbers(
    f: Function,
    domain: Sequence[Any],
    points: Sequence[float],
    apart: bool,
    rng: np.random.Generator,
    strata: int = STRATA,
) -> Iterator[Finding]:
    """The failures of an elementwise function of one or more arguments; `apart` keeps them different from each other.

    Each argument takes all of its places, beside those of the others in another order.
    """
    every = [places(rng, low, high, points, strata) for low, high in domain]
    size = max(map(len, every))
    xs = [rng.permutation(np.resize(x, size)) for x in every]
    rooms = [room(x, low, high, points) for x, (low, high) in zip(xs, domain, strict=True)]
    if apart and len(xs) == 2:
        rooms = [np.minimum(far, np.abs(xs[0] - xs[1]) / 2) for far in rooms]
    kept = np.all([far > 0 for far in rooms], axis=0)
    xs = [x[kept] for x in xs]
    with np.errstate(all="ignore"):
        doubts = doubtful(f, xs, [far[kept] for far in rooms], rng)
    for k, j, distance in doubts:
        given = [float(x[j]) for x in xs]
        yield from judged(f, given, (k,), distance)


def doubtful(
    f: Function, xs: list[Array], rooms: list[Array], rng: np.random.Generator
) -> list[tuple[int, int, Any]]:
    """The arguments, the places among theirs and the distances where slopes and differences do not agree."""
    variables = [Value(x) for x in xs]
    out = f(*variables)
    if not isinstance(out, Value) or out.shape != xs[0].shape:
        return []
    weights = spread(rng, out.shape)
    found, rounding = pulled_back(out, weights.astype(out.dtype), variables)
    doubts = []
    for k, (x, g, far) in enumerate(zip(xs, found, rooms, strict=True)):
        wrong = np.ones(len(x), bool)
        for reach in (np.maximum(1.0, np.abs(x)), np.ones(len(x))):  # functions of one scale, and those that swing
            s = np.minimum(reach, far / 2)
            line = lambda t, x=x, k=k: computed(f, [*xs[:k], x + t, *xs[k + 1 :]]) * weights
            wrong &= disagree(g, four_point(line, STEP * s), rounding, s)
        doubts += [(k, int(j), far[j]) for j in chosen(np.flatnonzero(wrong), rng)]
    return doubts


def pulled_back(out: Value, weights: Any, variables: list[Value]) -> tuple[list[Any], Any]:
    """The gradients, and how large the numbers are of which the result is made: each was rounded once.

    What a rounding of a step inside does to the result is its gradient times the number: Griewank and Walther,
    "Evaluating Derivatives" (2008), section 3.4.
    """
    every = backpropagate(out, weights)
    sizes = [np.abs(g * node.array) for node, g in every.items() if np.shape(node.array) == np.shape(g)]
    single = all(size.shape == out.shape for size in sizes)
    found = [every.get(x, np.zeros_like(x.array)) for x in variables]
    return found, sum(sizes) if single else sum(float(np.sum(size)) for size in sizes)


def computed(f: Function, arrays: list[Array]) -> Array:
    """What a function of Values gives."""
    return np.asarray(plain(f(*map(Value, arrays))))


def disagree(g: Any, n: Any, size: Any, s: Any) -> Array:
    """Where slopes and differences with steps of the size s are farther apart than rounding explains."""
    rounding = ROUNDING * EPS * (size + np.abs(n) * s) / s
    agree = np.abs(g - n) <= RTOL * np.maximum(np.abs(g), np.abs(n)) + rounding
    return np.asarray(~agree & np.isfinite(n))


def chosen(found: Array, rng: np.random.Generator) -> Array:
    """Some of many places."""
    return found if len(found) <= LOOKED_AT else np.asarray(rng.choice(found, LOOKED_AT, replace=False))


def judged(f: Function, given: list[Any], wrt: Sequence[int], distance: Any = np.inf) -> list[Finding]:
    """The failures at one place, by steps of two sizes: a function may swing faster than one of them follows."""
    with np.errstate(all="ignore"):
        found = [
            [one for one in slopes_of(f, given, Settings(wrt=tuple(wrt), distance=reach)) if one.verdict == FAIL]
            for reach in (distance, min(distance, 2.0))
        ]
    return found[-1] if all(found) else []


def of_line(f: Function, start: list[Array], end: list[Array], rng: np.random.Generator) -> Iterator[Finding]:
    """The failures of any function of arrays on the way from some arguments to others."""
    steps = [b - a for a, b in zip(start, end, strict=True)]
    moved = [[a + t * d for a, d in zip(start, steps, strict=True)] for t in np.linspace(0.0, 1.0, POINTS)]
    with np.errstate(all="ignore"):
        values, slopes, sizes = np.array(followed(f, moved, steps, rng)).T
        h = 1.0 / (POINTS - 1)
        one, two, three = (values[3 + k : POINTS - 3 + k] - values[3 - k : POINTS - 3 - k] for k in (1, 2, 3))
        four, six = (8 * one - two) / (12 * h), (45 * one - 9 * two + three) / (60 * h)  # Fornberg (1988), table 1
        g = slopes[3:-3]
        wrong = disagree(g, six, sizes[3:-3], h) & ~(np.abs(g - six) <= np.abs(six - four))
    for j in chosen(np.flatnonzero(wrong), rng)[:FEW]:
        yield from judged(f, moved[j + 3], range(len(start)))


def followed(f: Function, moved: list[list[Array]], steps: list[Array], rng: np.random.Generator) -> list[Any]:
    """The weighted result, its slope along the line, and the size of its rounding, at every point."""
    found = []
    weights: Any = None
    for arrays in moved:
        xs = [Value(a) for a in arrays]
        out = f(*xs)
        weights = spread(rng, out.shape)[()] if weights is None else weights
        gs, rounding = pulled_back(out, weights, xs)
        slope = sum(float(np.sum(g * d)) for g, d in zip(gs, steps, strict=True))
        found.append((float(np.sum(out.array * weights)), slope, float(np.sum(rounding))))
    return found


def agrees(f: Function, arrays: list[Array], rng: np.random.Generator, distance: float) -> str:
    """What is wrong with a call at a first look, along one direction of each argument; empty if nothing is."""
    xs = [Value(a) for a in arrays]
    out = f(*xs)
    weights = np.asarray(spread(rng, out.shape), out.dtype)[()]
    found, rounding = pulled_back(out, weights, xs)
    s = min(1.0, distance / 2)
    for k, (x, g) in enumerate(zip(arrays, found, strict=True)):
        if np.shape(g) != np.shape(x) or g.dtype != np.asarray(x).dtype:
            return f"the gradient of argument {k} is {g.dtype} {np.shape(g)}"
        d = spread(rng, np.shape(x))
        line = lambda t, x=x, d=d, k=k: np.sum(computed(f, [*arrays[:k], x + t * d, *arrays[k + 1 :]]) * weights)
        slope = np.asarray(np.sum(g * d))
        if np.size(x) and disagree(slope, np.asarray(four_point(line, STEP * s)), np.sum(rounding), s):
            return "differences"
    return ""


def passed(place: str) -> Finding:
    """A regime that found nothing."""
    return condition(place, True, "")
