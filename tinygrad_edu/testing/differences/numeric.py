"""Slopes by differences: what a gradient is compared with.

A central difference is wrong by its step (truncation) and by rounding divided by its step; more points let the step
be larger. Four points are the default; Ridders' extrapolation costs more and tells how far off it may be. A complex
step has no rounding to speak of, where the function takes complex numbers. At a kink every central difference is
confidently wrong, so the slopes on both sides are compared too.

Sources: Fornberg, "Generation of finite difference formulas" (1988), table 1; Ridders, "Accurate computation of F'(x)
and F'(x) F''(x)" (1982); Squire and Trapp, "Using complex variables to estimate derivatives" (1998); More and Wild,
"Estimating computational noise" (2011); Lepskii, "On a problem of adaptive estimation in Gaussian white noise"
(1991).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import plain
from tinygrad_edu.kinds import FUNCTION, NUMBER, NUMBERS, TEXT, expecting, optional

Array = np.ndarray[Any, Any]
Line = Callable[[Any], Any]  # of one number

EPS = float(np.finfo(float).eps)
STEP, SHORT = 0.5 * EPS ** (1 / 5), EPS ** (1 / 3)  # where truncation and rounding are equal, for 4 and 2 points
IMAGINARY = 1e-30  # nothing is subtracted, so the step may be as short as one likes
LEVELS, SHRINK = 8, 1.4  # of Ridders' method: Press et al., "Numerical Recipes" (2007), section 5.7
STARTS = (0.1, 3e-3, 1e-4)  # long ones for smooth functions, short ones beside kinks and singular points
APART = 16.0  # how much longer each starting step is than the one before: Ridders' method takes those between
NEIGHBOUR = 3.3 * EPS  # of a number: some floating point numbers farther
NEAREST = 1e-4 / 8  # the shortest step of a one-sided slope
HIDDEN = 1e-2  # of a slope, more than which rounding hides it
TINY = float(np.finfo(float).tiny)
COARSE, SINGLE = 1e3, 1e-4  # of the noise that is known, and of f: a higher stair is a jump that f is meant to have
WITHIN = (4.0, 64.0, 1024.0)  # times the step, so that there is a stair on each side: one is a jump
HALVINGS, JUMP = 20, 1e-4  # of an interval: where f is continuous, it changes a million times less
METHODS = ("auto", "4-point", "ridders", "complex", "2-point")
REAL_ONLY = (
    "method='complex' needs a function whose NumPy forward takes complex numbers and is analytic, without abs, max, "
    "comparisons, or conversions to float: {}; method='auto' needs nothing"
)


def two_point(line: Line, h: float) -> float:
    """The slope of a function of one number at 0, wrong by O(h^2)."""
    return float((line(h) - line(-h)) / (2 * h))


def four_point(line: Line, h: float) -> float:
    """The slope of a function of one number at 0, wrong by O(h^4): Fornberg (1988), table 1."""
    slope: float = (8 * (line(h) - line(-h)) - (line(2 * h) - line(-2 * h))) / (12 * h)
    return slope  # or slopes, one for each entry of what `line` gives


def halved(rule: Callable[[Line, float], float], line: Line, h: float) -> tuple[float, float]:
    """The slope by a rule with a fixed step, and how much half the step and rounding may change it."""
    slope = rule(line, h)
    return slope, abs(slope - rule(line, h / 2)) + EPS * abs(line(h)) / h


def ridders(line: Line, h: float) -> tuple[float, float]:
    """The slope at 0 and an estimate of its error, by extrapolating steps from h downwards: Ridders (1982)."""
    best, error = float("nan"), float("inf")
    before = list[float]()
    for level in range(LEVELS):
        step = h / SHRINK**level
        row = [two_point(line, step)]
        for k, coarse in enumerate(before):
            factor = SHRINK ** (2 * (k + 1))
            row.append((factor * row[k] - coarse) / (factor - 1))
            estimate = max(abs(row[-1] - row[-2]), abs(row[-1] - coarse))
            if estimate < error:
                best, error = row[-1], estimate
        if before and abs(row[-1] - before[-1]) > 2 * error:
            break
        before = row
    return best, error


def careful(line: Line, scale: float, starts: Sequence[float] = STARTS, noise: float = 0.0) -> tuple[float, float]:
    """The Ridders slope of the starting step with the smallest estimated error, with that of rounding by `noise`."""
    return min((noisy(line, h * scale, noise) for h in starts), key=lambda found: found[1])


def noisy(line: Line, h: float, noise: float) -> tuple[float, float]:
    """The Ridders slope of a starting step, and its error with what rounding of f by `noise` makes of it."""
    slope, error = ridders(line, h)
    return slope, error + LEVELS * noise / h


class Slope(NamedTuple):
    """A slope and how it was found."""

    value: float
    error: float
    beyond: float | None = None  # the next longer step, if that contradicts it
    stair: float = 0.0  # how high the stairs are that f goes up in
    flat: float = float("nan")  # the slope of one of them


def confirmed(line: Line, scale: float, size: float, noise: float = 0.0, at: float = 1.0) -> Slope:
    """The slope that all steps agree on down to where rounding hides slopes of a size.

    `noise` is what is known of how far f is rounded, and `at` the size of the numbers that move.
    """
    at = at or EPS * scale
    noise = max(noise, EPS * abs(line(0.0))) + EPS * size * at
    shortest = hidden(noise, size)
    return resolved(line, scale, noise, shortest, at) if shortest else Slope(*careful(line, scale))


def hidden(noise: float, size: float) -> float:
    """The step at which rounding hides a hundredth of a slope; 0 if there is none."""
    step = LEVELS * noise / (HIDDEN * size) if size else 0.0
    return max(step, TINY) if 0.0 < step < np.inf else 0.0


def resolved(line: Line, scale: float, noise: float, shortest: float, at: float) -> Slope:
    """The slope from the longest step that agrees with all shorter ones: Lepskii (1991).

    The shortest steps are beside every kink, pole and swing, but rounding hides the slope; the longer a step the
    less of rounding is left. From where f bends, they contradict each other. If f jumps there, on both sides, by
    little, it goes up in stairs, and it is the short steps that lie on one of them: a stair is noise as well.
    """
    found = ladder(line, scale, noise, shortest, at)
    if found.beyond is None:
        return found
    reach = [found.beyond * far for far in WITHIN]
    stair = min(max(jump(line, found.value, side * far) for far in reach) for side in (-1.0, 1.0))
    if not 0.0 < stair <= max(COARSE * noise, SINGLE * abs(line(0.0))):
        return found
    return ladder(line, scale, noise + stair, shortest, at)._replace(stair=stair, flat=found.value)


def ladder(line: Line, scale: float, noise: float, shortest: float, at: float) -> Slope:
    """The slope with the smallest error of all steps up to the first that contradicts a shorter one."""
    best = Slope(float("nan"), float("inf"))
    slack = 0.0
    longest = STARTS[0] * scale
    count = 1 + max(0, math.ceil(math.log(longest / shortest, APART)))
    for k in reversed(range(count)):
        h = longest * APART**-k
        rounded = LEVELS * max(noise, rounding(line, NEIGHBOUR * (at + h), h)) / h
        slope, bent = ridders(line, h)
        error = bent + rounded
        off = 10 * bent + rounded
        if (bent > 10 * rounded and error > best.error) or abs(slope - best.value) > slack + off:
            return best._replace(beyond=h)
        if best.error == np.inf and bent > 10 * rounded:
            break  # not even the shortest is short enough
        if error < best.error:
            best = Slope(slope, error)
            slack = off
    return best


def jump(line: Line, slope: float, far: float) -> float:
    """The height of the largest jump of f between 0 and a point, by halving; 0 if there is none but rounding."""
    near = 0.0

    def off(a: float, b: float) -> float:
        return float(abs(line(b) - line(a) - slope * (b - a)))

    first = off(near, far)
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        near, far = max((near, middle), (middle, far), key=lambda part: off(*part))
    height = off(near, far)
    return height if height > JUMP * first else 0.0


def complex_step(line: Line, h: float = IMAGINARY) -> tuple[float, float]:
    """The slope at 0 as the imaginary part of a step along i, right to rounding: Squire and Trapp (1998).

    TypeError where the function does not take complex numbers, or drops their imaginary part.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            value = line(1j * h)
        except (TypeError, ValueError, AttributeError, np.exceptions.ComplexWarning) as error:
            raise refusal(TypeError, REAL_ONLY.format(error)) from None
    if not isinstance(value, complex):
        raise refusal(TypeError, REAL_ONLY.format("it returned a real number for a complex one"))
    slope = value.imag / h
    return slope, EPS * abs(slope)


def by_complex(line: Line | None) -> float:
    """The slope by a complex step, of which rounding of f hides nothing; nan where f takes no complex numbers."""
    with suppress(Exception):
        return complex_step(line)[0] if line else float("nan")
    return float("nan")


def measured(method: str, line: Line, scale: float, step: float | None = None) -> tuple[float, float]:
    """The slope at 0 by a method of `METHODS`, and an estimate of its error."""
    if method == "2-point":
        return halved(two_point, line, step or SHORT * scale)
    if method == "4-point":
        return halved(four_point, line, step or STEP * scale)
    if method == "complex":
        return complex_step(line, step or IMAGINARY)
    return ridders(line, step) if step else careful(line, scale)


def one_sided(line: Line, scale: float = 1.0) -> tuple[float, float] | None:
    """The slopes left and right of 0 if the function has a kink there, else None.

    The jump J(h) = abs(D+ - D-) of the one-sided differences shrinks with h where the function is smooth, and does
    not at a kink.
    """
    h = 8 * NEAREST * scale
    middle = line(0.0)

    def slopes(step: float) -> tuple[float, float]:
        left = (4 * line(-step / 2) - line(-step) - 3 * middle) / -step
        return left, (4 * line(step / 2) - line(step) - 3 * middle) / step

    left, right = slopes(h)
    near_left, near_right = slopes(h / 8)
    wide = abs(right - left)
    near = abs(near_right - near_left)
    noise = 8 * EPS * max(abs(middle), abs(line(h)), abs(line(-h))) / (h / 8)
    jumps = near > wide / 2 and near > 20 * noise and near > 50 * rounding(line, h / 61.8) / (h / 8)
    return (left, right) if jumps else None


def rounding(line: Line, step: float, start: float = 0.0) -> float:
    """How far f is off by rounding on the right of a point, from fourth differences: More and Wild (2011), section 2.

    A smooth function has next to none at small steps; what is left is noise, that of numbers inside f as well. By
    chance, all of them may be rounded alike and show none; so there are three rows of steps.
    """
    left = [np.diff([line(start + step * part * k) for k in range(1, 10)], 4) for part in (1.0, 0.7313, 0.4567)]
    return max(float(np.sqrt(np.mean(row**2) / 70)) for row in left)


def step_scale(x: Any, distance: Any = np.inf) -> Any:
    """How far differences may reach from x: s = min(max(1, abs(x)), half the distance to the nearest trouble)."""
    if not np.all(np.asarray(distance) > 0.0):
        raise refusal(
            ValueError, f"distance is how far the nearest kink or singularity is, a positive number; got {distance!r}"
        )
    return np.minimum(np.maximum(1.0, np.abs(x)), 0.5 * np.asarray(distance))


def along(f: Callable[[Any], Any], x: Any, index: tuple[int, ...]) -> Line:
    """The function of one number, real or complex, that moves a single entry of x."""

    def line(t: Any) -> Any:
        moved = np.array(x, dtype=complex if isinstance(t, complex) else float)
        moved[index] += t
        return number(f(moved[()]))

    return line


def number(result: Any) -> Any:
    """The sum of a result's entries as one Python number."""
    entries = plain(result)
    total = np.sum(entries) if np.ndim(entries) else entries
    return total.item() if isinstance(total, np.complexfloating) else float(total)


@expecting(f=FUNCTION, x=NUMBERS, method=TEXT, step=optional(NUMBER), distance=NUMBERS)
def numeric_gradient(
    f: Callable[[Any], Any], x: Any, method: str = "auto", step: float | None = None, distance: Any = np.inf
) -> tuple[Any, Any]:
    """The gradient of a single number f(x) by differences, and an estimate of its error.

    Parameters
    ----------
    f
        A function of one array to a single number; the entries of an array result are summed.
    x
        A number or an array; moved in float64, whatever its dtype.
    method
        `"auto"` for Ridders from the best of three starting steps, 48 calls an entry, and `"ridders"` for the same;
        `"4-point"` and `"2-point"` for 4 and 2 calls, and as many with half the step, and one, for the error;
        `"complex"` for a single call, where f takes complex numbers.
    step
        The step of `"2-point"`, `"4-point"` and `"complex"`, the first one of `"ridders"`; chosen from x if None.
    distance
        How far x is from the nearest kink or singularity; the chosen steps reach half of it.

    Returns
    -------
    gradient, error
        Arrays of the shape of x.

    Raises
    ------
    ValueError
        For an unknown method, a step or a distance that is not positive, and a step for `"auto"`.
    TypeError
        If `"complex"` is used for a function that does not take complex numbers, or drops their imaginary part.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import numeric_gradient
    >>> gradient, error = numeric_gradient(np.sin, 0.0)
    >>> print(round(gradient, 9), error < 1e-9)
    1.0 True
    """
    if method not in METHODS:
        raise refusal(ValueError, f"method is one of {', '.join(map(repr, METHODS))}, got {method!r}")
    if step is not None and (method == "auto" or not step > 0.0):
        raise refusal(ValueError, f"step is positive, and 'auto' chooses its own: got step={step!r} for {method!r}")
    x = np.asarray(x, dtype=float)
    if np.ndim(distance) and np.shape(distance) != x.shape:
        raise refusal(
            ValueError, f"distance is one number or has the shape of x, {x.shape}; got {np.shape(distance)}"
        )
    gradient = np.empty_like(x)
    error = np.empty_like(x)
    reach = np.broadcast_to(step_scale(x, distance), x.shape)
    for index in np.ndindex(x.shape):
        gradient[index], error[index] = measured(method, along(f, x, index), float(reach[index]), step)
    return gradient[()], error[()]


@expecting(f=FUNCTION, x=NUMBER)
def detect_kink(f: Callable[[Any], Any], x: float) -> tuple[float, float] | None:
    """The slopes left and right of x where f has a kink, None where it is smooth.

    Parameters
    ----------
    f
        A function of one number; the entries of an array result are summed.
    x
        Where to look; only a kink at x itself is found, not one nearby.

    Returns
    -------
    (left, right) or None
        The one-sided slopes, if their difference stays as the step shrinks: Clarke, "Optimization and Nonsmooth
        Analysis" (1983), section 2.1. Every slope between them is a subgradient of a convex f.

    Examples
    --------
    >>> from tinygrad_edu.testing import detect_kink
    >>> print(*(round(slope, 6) for slope in detect_kink(abs, 0.0)))
    -1.0 1.0
    >>> detect_kink(abs, 0.1) is None
    True
    """
    return one_sided(along(f, np.asarray(x, dtype=float), ()), float(step_scale(x)))
