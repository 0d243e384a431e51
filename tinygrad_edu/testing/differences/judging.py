"""Which slopes are compared, and when two of them disagree.

Every entry of a small array is moved by itself. Of a large one a sample is, and besides all entries together along
random directions: no weight is small, so a single wrong entry shows in every one of them, and it is then found by
halving. What is allowed never grows with the size of the array.

Source: Dorfman, "The detection of defective members of large populations" (1943), for testing in groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.testing.differences.numeric import (
    EPS,
    NEARER,
    REAL_ONLY,
    STARTS,
    STEP,
    Array,
    Line,
    careful,
    closer,
    displaced,
    four_point,
    measured,
    one_sided,
    rounding,
    two_point,
)  # fmt: skip
from tinygrad_edu.testing.report import FAIL, INCONCLUSIVE, KINK, PASS, Finding

FLOOR = 1e-9  # of the largest gradient: what the others' rounding may leave in an entry that is 0
NOISE = 1e4  # how much a step of 1e-4 magnifies rounding
FINE = 1.2345e-7  # a step short enough to show rounding only, and no round number of it
ROUGH = 1e-2  # differences that may be off by more of the scale judge nothing
TWICE = ("auto", "complex")  # methods whose disagreement is measured again by Ridders' method
ELEMENTWISE = 64  # entries, up to which each is moved by itself: 256 calls of f
ONE_HOT, SPARSE, DENSE = 16, 8, 4  # of larger arrays: single entries, and directions of a tenth and of all entries
NEAR = 1e-5  # a step of the search for the wrong entry, which stays on one side of most kinks
JUMP = 1e-3  # along many entries, rounding looks like a jump of less than this
FLAT = 1e-3  # how far out a flat function has to be flat as well
ROUNDS = 8  # entries that are looked for behind one direction: kinks may be several


class Limits(NamedTuple):
    """What a slope is judged by.

    `scale` is the largest entry of the argument's gradient, `largest` that of all arguments, `rounded` what the
    gradient may be off by because it was computed in few digits; `single` whether one entry is moved by itself, and
    `own` whether it is precise enough to be judged by its own size.
    """

    rtol: float
    scale: float
    largest: float
    method: str = "auto"
    rounded: float = 0.0
    single: bool = True
    own: bool = True


def directions(shape: tuple[int, ...], rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    """Every entry by itself; of a large array a sample of them, and sparse and dense random directions."""
    size = int(np.prod(shape))
    picked = range(size) if size <= ELEMENTWISE else rng.choice(size, ONE_HOT, replace=False)
    for i in picked:
        yield one_hot(shape, int(i))
    for k in range(SPARSE + DENSE if size > ELEMENTWISE else 0):
        weights = spread(rng, size) if k >= SPARSE else np.where(rng.random(size) < 0.1, rng.normal(size=size), 0.0)
        yield f" along direction {k}", weights.reshape(shape)


def one_hot(shape: tuple[int, ...], i: int) -> tuple[str, Array]:
    """The direction of a single entry, given by its flat index, and its name."""
    direction = np.zeros(int(np.prod(shape)))
    direction[i] = 1.0
    index = ", ".join(map(str, np.unravel_index(i, shape)))
    return f"[{index}]" if shape else "", direction.reshape(shape)


def spread(rng: np.random.Generator, shape: Any) -> Array:
    """Random weights of both signs, none of them near 0 and none large: between 0.5 and 1.5."""
    weights: Array = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
    return weights


def judge(findings: list[Finding], line: Line, s: float, limits: Limits) -> None:
    """Fill in the numeric slope and the verdicts of findings about one slope, such as reverse and forward."""
    line = cache(line)  # a second look needs some of the same points
    with np.errstate(all="ignore"):
        n, error = (four_point(line, STEP * s), 0.0) if limits.method == "auto" else measured(limits.method, line, s)
        for finding in findings:
            finding.numeric = n
            finding.error = error
            finding.scale = max(limits.scale, abs(n) * limits.single)
            finding.allowed = allowed(finding, limits)
            finding.slopes = None
            finding.verdict = PASS
        doubtful = [f for f in findings if not abs(f.analytic - n) <= f.allowed]
        if doubtful:
            look_again(doubtful, line, s, limits)


def look_again(doubtful: list[Finding], line: Line, s: float, limits: Limits) -> None:
    """Judge what did not agree at first: by better differences, by kinks, and by how far off rounding may be."""
    n, error = doubtful[0].numeric, doubtful[0].error
    slopes = one_sided(line, s)
    noise = blurred(line, s)
    inside = 10 * NOISE * rounding(line, FINE * s) / s  # of larger numbers inside f
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
    noise: float = EPS * abs(line(0.0)) / s + (EPS * near if np.isfinite(near) else 0.0) + displaced(line, s)
    return NOISE * noise


def allowed(finding: Finding, limits: Limits) -> float:
    """By how much two slopes may differ at least: relative to an entry itself, or to the largest of many."""
    own = max(abs(finding.analytic), abs(finding.numeric)) if limits.single and limits.own else finding.scale
    return limits.rtol * own + limits.rounded + FLOOR * limits.largest * limits.own


def second_look(line: Line, s: float, limits: Limits, first: float) -> tuple[float, float]:
    """The slope once more, with the best estimate of its error; a complex step has to agree with it."""
    n, error = careful(line, s, STARTS if limits.single else (*STARTS, 1e-6))
    near = limits.rtol * max(abs(first), abs(n)) + 10 * error + blurred(line, s)
    if limits.method == "complex" and abs(first - n) > near:
        raise TypeError(REAL_ONLY.format(f"its slope is {first:.6g} by a complex step and {n:.6g} by differences"))
    return n, error


def third_look(finding: Finding, line: Line, s: float, margin: float, scale: float) -> None:
    """Judge again what failed, or was too rough, by the slope seen from nearer, if that is precise and another one.

    A function that is flat there has to be so farther out as well, on one side at least: else it goes up in stairs.
    """
    if finding.verdict == FAIL and abs(two_point(line, NEARER[-1] * s) - finding.numeric) <= margin:
        return  # it looks the same from nearest
    n, error = closer(line, s)
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
    a = finding.analytic
    n = finding.numeric
    error = finding.error
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


def culprit(moves: Callable[[Array], Line], direction: Array, g: Array, s: float) -> int:
    """The entry that a disagreement along a direction comes from, by halving; its flat index."""
    weights = direction.ravel()
    slopes = g.ravel()

    def gap(part: Array) -> float:
        some = np.zeros_like(weights)
        some[part] = weights[part]
        apart = float(four_point(moves(some.reshape(direction.shape)), NEAR * s) - slopes @ some)
        return abs(apart) if np.isfinite(apart) else np.inf

    part = np.flatnonzero(weights)
    with np.errstate(all="ignore"):
        while len(part) > 1:
            part = max(np.array_split(part, 2), key=gap)
    return int(part[0])
