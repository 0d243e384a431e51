"""PASS, FAIL, INCONCLUSIVE or KINK: when the slope of a gradient and that of differences disagree.

Most slopes agree at the first look. What does not is looked at again: by better differences, by the slopes on both
sides, and by how far off rounding may be; what still fails is seen from nearer.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.testing.differences import numeric
from tinygrad_edu.testing.differences.numeric import EPS, STARTS, STEP, Line
from tinygrad_edu.testing.report import FAIL, INCONCLUSIVE, KINK, PASS, Finding

FLOOR = 1e-9  # of the largest gradient: what the others' rounding may leave in an entry that is 0
NOISE = 1e4  # how much a step of 1e-4 magnifies rounding
FINE = 1.2345e-7  # a step short enough to show rounding only, and no round number of it
ROUGH = 1e-2  # differences that may be off by more of the scale judge nothing
TWICE = ("auto", "complex")  # methods whose disagreement is measured again by Ridders' method
JUMP = 1e-3  # along many entries, rounding looks like a jump of less than this
FLAT = 1e-3  # how far out a flat function has to be flat as well


class Limits(NamedTuple):
    """What a slope is judged by."""

    rtol: float
    scale: float  # the largest entry of the argument's gradient
    largest: float  # that of all arguments
    method: str = "auto"
    rounded: float = 0.0  # what the gradient may be off by because it was computed in few digits
    single: bool = True  # whether one entry is moved by itself
    own: bool = True  # whether it is precise enough to be judged by its own size


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
        doubtful = [f for f in findings if not abs(f.analytic - n) <= f.allowed]
        if doubtful:
            look_again(doubtful, line, s, limits)


def look_again(doubtful: list[Finding], line: Line, s: float, limits: Limits) -> None:
    """Judge what did not agree at first: by better differences, by kinks, and by how far off rounding may be."""
    n, error = doubtful[0].numeric, doubtful[0].error
    slopes = numeric.one_sided(line, s)
    noise = blurred(line, s)
    inside = 10 * NOISE * numeric.rounding(line, FINE * s) / s  # of larger numbers inside f
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
            third_look(finding, line, s, allowed(finding, limits) + floor, limits.scale)


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


def third_look(finding: Finding, line: Line, s: float, margin: float, scale: float) -> None:
    """Judge again what failed, or was too rough, by the slope seen from nearer, if that is precise and another one.

    A function that is flat there has to be so farther out as well, on one side at least: else it goes up in stairs.
    """
    if finding.verdict == FAIL and abs(numeric.two_point(line, numeric.NEARER[-1] * s) - finding.numeric) <= margin:
        return  # it looks the same from nearest
    n, error = numeric.closer(line, s)
    near = margin + 10 * error
    sides = [abs(line(h * s) - line(0.0)) / abs(h * s) for h in (-FLAT, FLAT)]
    precise = 10 * error <= max(ROUGH * max(scale, abs(n)), margin)
    another = finding.verdict == INCONCLUSIVE or abs(n - finding.numeric) > near + 10 * finding.error
    right = abs(finding.analytic - n) <= near
    wrong = finding.verdict == FAIL and not right  # what was too rough farther out may be noise
    if precise and another and (right or wrong) and (abs(n) > near or min(sides) <= 0.1 * abs(finding.numeric)):
        finding.numeric = n
        finding.error = error
        finding.slopes = None
        finding.allowed = near
        finding.verdict = PASS if right else FAIL


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
