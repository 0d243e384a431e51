"""Slopes by differences: what a gradient is compared with.

A central difference is wrong by its step (truncation) and by rounding divided by its step; more points let the step
be larger. Four points are the default; Ridders' extrapolation costs more and tells how far off it may be. At a kink
every central difference is confidently wrong, so the slopes on both sides are compared too.

Sources: Fornberg, "Generation of finite difference formulas" (1988), table 1; Ridders, "Accurate computation of F'(x)
and F'(x) F''(x)" (1982).
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.operand import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Line = Callable[[float], float]

EPS = float(np.finfo(float).eps)
STEP = 0.5 * EPS ** (1 / 5)
LEVELS, SHRINK = 8, 1.4


def four_point(line: Line, h: float) -> float:
    """The slope of a function of one number at 0, wrong by O(h^4): Fornberg (1988), table 1."""
    return (8 * (line(h) - line(-h)) - (line(2 * h) - line(-2 * h))) / (12 * h)


def ridders(line: Line, h: float) -> tuple[float, float]:
    """The slope at 0 and an estimate of its error, by extrapolating steps from h downwards: Ridders (1982)."""
    best, error, before = float("nan"), float("inf"), list[float]()
    for level in range(LEVELS):
        step = h / SHRINK**level
        row = [(line(step) - line(-step)) / (2 * step)]
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


def careful(line: Line, scale: float) -> tuple[float, float]:
    """The Ridders slope of the starting step with the smallest estimated error."""
    return min((ridders(line, h * scale) for h in (0.1, 3e-3, 1e-4)), key=lambda found: found[1])


def one_sided(line: Line, scale: float = 1.0) -> tuple[float, float] | None:
    """The slopes left and right of 0 if the function has a kink there, else None.

    The jump J(h) = abs(D+ - D-) of the one-sided differences shrinks with h where the function is smooth, and does
    not at a kink.
    """
    h, middle = 1e-4 * scale, line(0.0)

    def slopes(step: float) -> tuple[float, float]:
        left = (4 * line(-step / 2) - line(-step) - 3 * middle) / -step
        return left, (4 * line(step / 2) - line(step) - 3 * middle) / step

    (left, right), (near_left, near_right) = slopes(h), slopes(h / 8)
    wide, near = abs(right - left), abs(near_right - near_left)
    noise = 8 * EPS * max(abs(middle), abs(line(h)), abs(line(-h))) / (h / 8)
    return (left, right) if near > wide / 2 and near > 20 * noise else None


def step_scale(x: Any, distance: Any = np.inf) -> Any:
    """How far differences may reach from x: s = min(max(1, abs(x)), half the distance to the nearest trouble)."""
    return np.minimum(np.maximum(1.0, np.abs(x)), 0.5 * np.asarray(distance))


def along(f: Callable[[Any], Any], x: Any, index: tuple[int, ...]) -> Line:
    """The function of one number that moves a single entry of x."""

    def line(t: float) -> float:
        moved = np.array(x, dtype=float)
        moved[index] += t
        return float(np.sum(plain(f(moved[()]))))

    return line


def numeric_gradient(f: Callable[[Any], Any], x: Any, method: str = "auto") -> tuple[Any, Any]:
    """The gradient of a single number f(x) by differences, and an estimate of its error.

    Parameters
    ----------
    f
        A function of one array to a single number; the entries of an array result are summed.
    x
        A number or an array; moved in float64, whatever its dtype.
    method
        `"auto"` for Ridders from the best of three starting steps, `"4-point"` for the quick one, whose error
        is estimated by a second step.

    Returns
    -------
    gradient, error
        Arrays of the shape of x.

    Raises
    ------
    ValueError
        For an unknown method.
    """
    if method not in ("auto", "4-point"):
        raise ValueError(f"method is 'auto' or '4-point', got {method!r}")
    x = np.asarray(x, dtype=float)
    gradient, error = np.empty_like(x), np.empty_like(x)
    for index in np.ndindex(x.shape):
        line, s = along(f, x, index), float(step_scale(x[index]))
        if method == "auto":
            gradient[index], error[index] = careful(line, s)
        else:
            gradient[index] = four_point(line, STEP * s)
            error[index] = abs(gradient[index] - four_point(line, STEP * s / 2))
    return gradient[()], error[()]


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
