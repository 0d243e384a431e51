"""PASS, FAIL, INCONCLUSIVE or KINK: when the slope of a gradient and that of differences disagree.

Most slopes agree at the first look. What does not is looked at again: by better differences, by the slopes on both
sides, and by how far off rounding may be; what still fails is seen from nearer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.testing.differences import numeric
from tinygrad_edu.testing.differences.numeric import EPS, LEVELS, STARTS, STEP, Line
from tinygrad_edu.testing.report import FAIL, INCONCLUSIVE, KINK, PASS, Finding

FLOOR = 1e-9  # of the largest gradient: what the others' rounding may leave in an entry that is 0
NOISE = 1e4  # how much a step of 1e-4 magnifies rounding
ROUGH = 1e-2  # differences that may be off by more of the scale judge nothing
TWICE = ("auto", "complex")  # methods whose disagreement is measured again by Ridders' method
JUMP = 1e-3  # along many entries, rounding looks like a jump of less than this
GRAIN = 8.0  # how far the gradient's own noise may reach beyond the largest of a few samples
FIRST = 1.2345e-5  # a step on this side of most kinks, and no round number
NATURAL = 1e-9  # of the slopes all around: where f is flat, nobody can tell less from 0


class Limits(NamedTuple):
    """What a slope is judged by."""

    rtol: float
    scale: float  # the largest entry of the argument's gradient
    largest: float  # that of all arguments
    method: str = "auto"
    rounded: float = 0.0  # what the gradient may be off by because it was computed in few digits
    single: bool = True  # whether one entry is moved by itself
    own: bool = True  # whether it is precise enough to be judged by its own size
    at: float = 1.0  # the size of the numbers that are moved
    largest_number: float = np.inf  # of the gradient's dtype: what is more overflows
    noise: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)  # how far rounding moves f, and the slope
    bare: Line | None = None  # the function that is moved, of arrays, if that may be another one
    wide: Callable[[], tuple[float, float]] | None = None  # the slope in float64 and its noise, if not judged anyway


def judge(findings: list[Finding], line: Line, s: float, limits: Limits) -> None:
    """Fill in the numeric slope and the verdicts of findings about one slope, such as reverse and forward."""
    line = cache(line)  # a second look needs some of the same points
    with np.errstate(all="ignore"):
        if limits.method == "auto":
            n, error = numeric.four_point(line, STEP * s), 0.0
        else:
            n, error = numeric.measured(limits.method, line, s)
        for finding in findings:
            finding.numeric = n
            finding.error = error
            finding.scale = max(limits.scale, abs(n) * limits.single)
            finding.allowed = allowed(finding, limits)
        doubtful = [f for f in findings if not (abs(f.analytic - n) <= f.allowed or overflows(f, limits))]
        if doubtful:
            look_again(doubtful, line, s, limits)


def look_again(doubtful: list[Finding], line: Line, s: float, limits: Limits) -> None:
    """Judge what did not agree at first: by better differences, by kinks, and by how far off rounding may be."""
    n, error = doubtful[0].numeric, doubtful[0].error
    slopes = numeric.one_sided(line, s)
    noise = blurred(line, s)
    inside = 10 * NOISE * numeric.rounding(line, numeric.FINE * s) / s  # of larger numbers inside f
    if limits.method in TWICE:
        n, error = second_look(line, s, limits, n)
    if slopes and not limits.single and abs(slopes[1] - slopes[0]) <= JUMP * limits.scale:
        slopes = None  # rounding of many entries looks like a small jump
    for finding in doubtful:
        finding.numeric = n
        finding.error = error
        finding.slopes = slopes
        floor = FLOOR * limits.largest + (inside if noise < inside < ROUGH * max(finding.scale, abs(n)) else noise)
        finding.allowed = allowed(finding, limits) + 10 * error + floor
        finding.verdict = verdict(finding, floor, limits.single)
        if finding.verdict in (FAIL, INCONCLUSIVE) and limits.method in TWICE:
            last_look(finding, line, s, limits, floor)


def overflows(finding: Finding, limits: Limits) -> bool:
    """Whether the gradient is infinite because its dtype holds no number as large as the slope."""
    return abs(finding.numeric) > limits.largest_number and finding.analytic == np.copysign(np.inf, finding.numeric)


def blurred(line: Line, s: float) -> float:
    """A slope that rounding of f, near by where it is 0, and of its argument may make."""
    h = STARTS[-1] * s
    near = abs(line(h) - line(0.0)) / h  # not finite where a domain ends
    noise: float = EPS * abs(line(0.0)) / s + (EPS * near if np.isfinite(near) else 0.0) + numeric.displaced(line, s)
    return NOISE * noise


def allowed(finding: Finding, limits: Limits) -> float:
    """By how much two slopes may differ at least: relative to an entry itself, or to the largest of many."""
    own = max(abs(finding.analytic), abs(finding.numeric)) if limits.single and limits.own else finding.scale
    return limits.rtol * own + limits.rounded + FLOOR * limits.largest * limits.own


def second_look(line: Line, s: float, limits: Limits, first: float) -> tuple[float, float]:
    """The slope once more, with the best estimate of its error; a complex step has to agree with it."""
    n, error = numeric.careful(line, s, STARTS if limits.single else (*STARTS, 1e-6))
    near = limits.rtol * max(abs(first), abs(n)) + 10 * error + blurred(line, s)
    if limits.method == "complex" and abs(first - n) > near:
        found = f"its slope is {first:.6g} by a complex step and {n:.6g} by differences"
        raise refusal(TypeError, numeric.REAL_ONLY.format(found))
    return n, error


def last_look(finding: Finding, line: Line, s: float, limits: Limits, floor: float) -> None:
    """Judge again what failed, or was too rough, by the slope from the longest step that all shorter ones confirm."""
    moved, own = limits.noise()
    own = 0.0 if finding.slopes else own  # what is rounded leaves a kink
    margin = allowed(finding, limits) + floor
    size = largest(limits.scale, finding.analytic, finding.numeric) or limits.largest_number
    if same_from_near(finding, line, s, margin + GRAIN * own, max(moved, EPS * abs(line(0.0))), size):
        return
    found = numeric.confirmed(line, s, size, moved, limits.at)
    if own > ROUGH * size and limits.wide and np.isfinite(finding.analytic):
        finding.analytic, own = limits.wide()
    near = margin + GRAIN * own + 10 * found.error
    flat = NATURAL * abs(numeric.two_point(line, STARTS[0] * s))
    precise = 10 * found.error + own <= max(ROUGH * largest(limits.scale, found.value), margin, flat)
    right = abs(finding.analytic - found.value) <= near
    wrong = finding.verdict == FAIL and not abs(finding.analytic - found.flat) <= near
    exact = numeric.by_complex(limits.bare) if not (precise and (right or wrong)) else np.nan
    if precise and (right or wrong):
        settle(finding, limits, found.value, found.error, near)
    elif abs(finding.analytic - exact) <= margin + GRAIN * own * (own <= ROUGH * size):
        settle(finding, limits, exact, EPS * abs(exact), near)
    else:
        finding.verdict = INCONCLUSIVE  # it may be noise
        finding.hint = reason(found, moved, own, size)


def settle(finding: Finding, limits: Limits, n: float, error: float, near: float) -> None:
    """Fill in what is known of the slope in the end, and the verdict."""
    finding.numeric = n
    finding.error = error
    finding.allowed = near
    right = abs(finding.analytic - n) <= near or overflows(finding, limits)
    finding.verdict = PASS if right else FAIL
    if right or (finding.slopes and abs(n - np.mean(finding.slopes)) > near):
        finding.slopes = None


def largest(*slopes: float) -> float:
    """The size of the largest slope that is finite."""
    return max((abs(slope) for slope in slopes if np.isfinite(slope)), default=0.0)


def same_from_near(finding: Finding, line: Line, s: float, margin: float, noise: float, size: float) -> bool:
    """Whether a slope that disagrees, by more than rounding, looks the same from ever nearer, but for rounding."""
    first = FIRST * s
    shortest = numeric.hidden(noise, size)
    apart = abs(finding.analytic - finding.numeric)
    if finding.verdict != FAIL or apart <= margin + LEVELS * noise / first or not 0.0 < shortest < first:
        return False
    steps = np.geomspace(first, shortest, 4)
    return all(abs(numeric.two_point(line, h) - finding.numeric) <= margin + 4 * noise / h for h in steps)


def reason(found: numeric.Slope, moved: float, own: float, size: float) -> str:
    """Why differences cannot tell, in words and numbers."""
    if not np.isfinite(found.value):
        return ""
    if own > ROUGH * size:
        return f"rounding moves the gradient itself by up to {own:.1g}: numbers cancel, underflow or overflow in it"
    if found.stair:
        return (
            f"f goes up in stairs {found.stair:.1g} high: a slope by differences may be off by {10 * found.error:.1g}"
        )
    return (
        f"rounding moves f by about {moved:.1g}, and it bends or swings: a slope by differences may be off by "
        f"{10 * found.error:.1g}"
    )


def verdict(finding: Finding, floor: float, single: bool = True) -> str:
    """What is to be said of two slopes and an estimate of the error of one of them."""
    a, n, error = finding.analytic, finding.numeric, finding.error
    rough = not np.isfinite(n) or 10 * error > max(ROUGH * max(finding.scale, abs(n)), floor)
    agrees = abs(a - n) <= finding.allowed
    if finding.slopes and (single or rough or not agrees):
        low, high = sorted(finding.slopes)
        slack = min(1e-4 * max(abs(low), abs(high)), 0.05 * (high - low))
        between = low - slack <= a <= high + slack
        if between or not agrees:  # what agrees is their mean at a kink; outside of them, they were rounding
            return KINK if between else FAIL
    finding.slopes = None
    return INCONCLUSIVE if rough else PASS if agrees else FAIL
