"""PASS, FAIL, INCONCLUSIVE or KINK: when the slope of a gradient and that of differences disagree.

Most slopes agree at the first look. What does not is looked at again: by better differences, and by the slopes on
both sides. What is still in doubt is judged by the slope that all steps agree on, from the shortest at which rounding
hides nothing; and what rounding hides at all steps is said to be hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.testing.differences import numeric
from tinygrad_edu.testing.differences.numeric import EPS, STARTS, STEP, TINY, Line
from tinygrad_edu.testing.report import FAIL, INCONCLUSIVE, KINK, PASS, Finding

FLOOR = 1e-9  # of the largest gradient: what the others' rounding may leave in an entry that is 0
ROUGH = 1e-2  # differences that may be off by more of the scale judge nothing
JUMP = 1e-3  # along many entries, rounding looks like a jump of less than this
GRAIN = 8.0  # how far the gradient's own noise may reach beyond the largest of a few samples
FIRST = 1.2345e-5  # a step on this side of most kinks, and no round number
MIDDLE = 0.05  # of a jump: how far from the middle of both sides rounding may leave a central difference
NATURAL, FAINT = 1e-6, 1e5  # of the slopes all around, and of the last digit of f: less is as good as 0
HIDING = 2e3  # of what rounding moves f by: even the longest step does not show a slope of less; and f may be
CANCELLED = 100.0  # times smaller than the numbers that it is a sum of


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
    exact: bool = False  # whether the rounding inside a rule is a fault of the rule
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
    if limits.method == "auto":
        n, error = numeric.careful(line, s, STARTS if limits.single else (*STARTS, 1e-6))
    if slopes and not limits.single and abs(slopes[1] - slopes[0]) <= JUMP * limits.scale:
        slopes = None  # rounding of many entries looks like a small jump
    for finding in doubtful:
        finding.numeric = n
        finding.error = error
        finding.slopes = slopes
        finding.allowed = allowed(finding, limits) + 10 * error
        finding.verdict = verdict(finding, limits.single)
        if finding.verdict != PASS and not remains(finding, from_near(finding, line, limits.at)):
            last_look(finding, line, s, limits)


def remains(finding: Finding, slope: float) -> bool:
    """Whether a kink is at 0 itself: there, a central difference is the mean of both sides at any step."""
    left, right = finding.slopes or (0.0, 0.0)
    return finding.verdict == KINK and abs(slope - (left + right) / 2) <= MIDDLE * abs(right - left)


def from_near(finding: Finding, line: Line, at: float) -> float:
    """The slope at a step at which rounding hides a hundredth of a jump."""
    left, right = finding.slopes or (0.0, 0.0)
    jump = abs(right - left)
    return numeric.two_point(line, numeric.hidden(EPS * abs(line(0.0)) + EPS * jump * at, jump) or EPS)


def overflows(finding: Finding, limits: Limits) -> bool:
    """Whether the gradient is infinite because its dtype holds no number as large as the slope."""
    return abs(finding.numeric) > limits.largest_number and finding.analytic == np.copysign(np.inf, finding.numeric)


def allowed(finding: Finding, limits: Limits, numeric: float | None = None) -> float:
    """By how much two slopes may differ at least: relative to an entry itself, or to the largest of many.

    Below the normal numbers, digits are lost.
    """
    n = finding.numeric if numeric is None else numeric
    own = largest(finding.analytic, n) if limits.single and limits.own else finding.scale
    return limits.rtol * own + limits.rounded + FLOOR * limits.largest * limits.own + TINY


def last_look(finding: Finding, line: Line, s: float, limits: Limits) -> None:
    """Judge again what failed, or was too rough, by the slope from the longest step that all shorter ones confirm."""
    moved, own = limits.noise()
    own = 0.0 if finding.slopes or limits.exact else own  # what is rounded leaves a kink
    size = largest(limits.scale, finding.analytic, finding.numeric) or limits.largest_number
    if same_from_near(finding, line, s, allowed(finding, limits) + GRAIN * own, max(moved, EPS * abs(line(0.0)))):
        return
    found = numeric.confirmed(line, s, size, moved, limits.at)
    if limits.method == "complex":
        expect_same(finding.numeric, found, allowed(finding, limits) + flat(line, s, limits.at, moved))
    if remains(finding, found.value):
        return  # as far as rounding lets one see
    if own > ROUGH * size and limits.wide and np.isfinite(finding.analytic):
        finding.analytic, own = limits.wide()
    margin = allowed(finding, limits, found.value)
    near = margin + GRAIN * own + 10 * found.error
    enough = max(ROUGH * largest(limits.scale, found.value), margin, flat(line, s, limits.at, moved))
    precise = np.isfinite(found.error) and 10 * found.error + own <= enough
    right = abs(finding.analytic - found.value) <= near
    stair = abs(finding.analytic - found.flat) <= near
    if precise and (right or not stair):
        settle(finding, limits, found.value, found.error, near)
        return
    exact = numeric.by_complex(limits.bare)
    near = margin + GRAIN * own * (own <= ROUGH * size)
    if abs(finding.analytic - exact) <= near:
        settle(finding, limits, exact, EPS * abs(exact), near)
    elif finding.verdict != KINK or not clear(finding, moved, s):
        finding.slopes = None
        finding.verdict = INCONCLUSIVE
        finding.hint = reason(found, moved, own, size)


def clear(finding: Finding, moved: float, s: float) -> bool:
    """Whether a kink is more than what rounding makes of the slopes on both sides."""
    left, right = finding.slopes or (0.0, 0.0)
    return abs(right - left) > 50 * moved / (numeric.NEAREST * s)


def expect_same(exact: float, found: numeric.Slope, margin: float) -> None:
    """Refuse a function whose slope by a complex step is another one."""
    if abs(exact - found.value) > margin + 10 * found.error:
        words = f"its slope is {exact:.6g} by a complex step and {found.value:.6g} by differences"
        raise refusal(TypeError, numeric.REAL_ONLY.format(words))


def flat(line: Line, s: float, at: float, moved: float) -> float:
    """A slope as good as 0 where f is as large and moved by rounding as it is, or changes as it does farther out."""
    h = STARTS[0] * s
    around = largest(*((line(side * h) - line(0.0)) / h for side in (-1.0, 1.0)))
    last = EPS * abs(line(0.0))
    least = max(FAINT * last, min(HIDING * moved, CANCELLED * FAINT * last))
    return max(NATURAL * around, float(least / min(s, at or s)))


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


def same_from_near(finding: Finding, line: Line, s: float, margin: float, noise: float) -> bool:
    """Whether a slope that disagrees, by more than rounding, looks the same from ever nearer, but for rounding."""
    first = FIRST * s
    apart = abs(finding.analytic - finding.numeric)
    shortest = numeric.hidden(noise, apart)
    if finding.verdict != FAIL or apart <= margin or not 0.0 < shortest < first / 100:
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


def verdict(finding: Finding, single: bool = True) -> str:
    """What is to be said of two slopes and an estimate of the error of one of them."""
    a, n, error = finding.analytic, finding.numeric, finding.error
    rough = not np.isfinite(n) or 10 * error > ROUGH * max(finding.scale, abs(n))
    agrees = abs(a - n) <= finding.allowed
    if finding.slopes and (single or rough or not agrees):
        low, high = sorted(finding.slopes)
        slack = min(1e-4 * max(abs(low), abs(high)), 0.05 * (high - low))
        between = low - slack <= a <= high + slack
        if between or not agrees:  # what agrees is their mean at a kink; outside of them, they were rounding
            return KINK if between else FAIL
    finding.slopes = None
    return INCONCLUSIVE if rough else PASS if agrees else FAIL
