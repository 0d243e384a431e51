"""`check_taylor`: whether a gradient is right, from the order of what is left of Taylor's formula.

The remainder R(h) = f(x + h d) - f(x) - h <g, d> shrinks like h^2 if g is the gradient, and like h if it is not. A
ladder of halved steps shows the order without choosing a step: where the remainder meets the rounding of f itself,
the last steps above it tell. A remainder of nothing but rounding, as that of a linear function, is right as well.

Sources: Farrell, Ham, Funke and Rognes, "Automated derivation of the adjoint of high-level transient finite element
programs" (2013), section 4, for the test; More and Wild, "Estimating computational noise" (2011), for the rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.kinds import FLAG, FUNCTION, NUMBER, PLACES, SEED, WHOLE, expecting, optional
from tinygrad_edu.notes import verified
from tinygrad_edu.testing.differences.comparing import Settings, excuse, limited, limited_along, moving
from tinygrad_edu.testing.differences.inside import Inside, reverse
from tinygrad_edu.testing.differences.judging import Limits, judge
from tinygrad_edu.testing.differences.numeric import EPS, NEAREST, Array, Line, careful, one_sided, step_scale
from tinygrad_edu.testing.function import floating, weighted
from tinygrad_edu.testing.report import FAIL, KINK, Finding, GradientReport, concluded, repeated

Moves = Callable[[Array], Line]

STEPS = 0.25 * 0.5 ** np.arange(36)  # down to 4e-12, where rounding of f hides everything
TINY = 1e-13 * np.arange(-8, 9)  # steps over which f is a straight line, but for rounding
ABOVE = 10.0  # how far a remainder has to stand out from rounding to be measured
SLACK = 1e-4  # how exact one-sided slopes are
SEEN, FEW = 1e-7, 64  # of a slope, or roundings of it: what is off by less is no fault
NOISE = 1e4 * EPS  # rounding beyond this, relative to f, is more than f's own


@expecting(f=FUNCTION, directions=WHOLE, wrt=optional(PLACES), seed=SEED, distance=NUMBER, raises=FLAG)
def check_taylor(
    f: Callable[..., Any],
    *args: Any,
    directions: int = 2,
    wrt: Sequence[int] | None = None,
    seed: int = 0,
    distance: Any = np.inf,
    raises: bool = True,
) -> GradientReport:
    """Check gradients by the order of the Taylor remainder along random directions.

    Every floating point argument is moved along directions of its own, so that a failure says which of them it is;
    the first goes uphill, where no share of the slope hides another. A wrong gradient is seen down to a millionth of
    its size; far fewer evaluations than `check_gradients` needs for large arrays, but it does not say which entry is
    wrong.

    Parameters
    ----------
    f
        A function of Values, written with NumPy or with methods; its result may have any shape.
    args
        Its arguments: numbers, arrays, Values, and structures of them; float32 is moved in float64.
    directions
        How many random directions for each argument.
    wrt, seed, raises
        As for `check_gradients`.
    distance
        How far the arguments are from the nearest kink or singularity; steps reach a quarter of it.

    Returns
    -------
    GradientReport
        One finding for each direction; its `order` is about 2 if the gradient is right (3 or more where f is flat),
        about 1 if it is wrong, inf where nothing but rounding is left.

    Raises
    ------
    GradientError
        If a gradient is wrong, or could not be judged.
    TypeError
        If no argument is floating point.
    ValueError
        For fewer than one direction, a position in `wrt` at which there is no argument, a `distance` that is not
        positive, and an f that refills an array after it has computed with it.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import check_taylor
    >>> report = check_taylor(np.sin, np.array([0.3, 1.2]))
    >>> report.verdict, [round(finding.order) for finding in report.findings]
    ('PASS', [2, 2])
    """
    if directions < 1:
        raise refusal(
            ValueError, f"without a direction nothing is checked: directions is 1 or more, got {directions!r}"
        )
    rng = np.random.default_rng(seed)
    name = getattr(f, "__name__", "f")
    places, leaves, call = floating(f, args, wrt)
    scalar, _ = weighted(call, leaves, rng)
    with verified():
        findings = list(along_directions(scalar, places, leaves, rng, directions, distance))
    return concluded(GradientReport(name, findings, repeated("check_taylor", f, args, seed=seed)), raises)


def along_directions(
    scalar: Any, places: list[str], leaves: list[Array], rng: np.random.Generator, count: int, distance: Any
) -> Iterator[Finding]:
    """A finding for every direction of every leaf."""
    found = reverse(scalar, leaves)
    wide = [np.asarray(leaf, dtype=float) for leaf in leaves]
    within = Inside(scalar, wide, leaves)
    largest = max((float(np.max(np.abs(g))) for g in found if g.size), default=0.0)
    for k, (place, leaf, g) in enumerate(zip(places, leaves, found, strict=True)):
        eps = float(np.finfo(leaf.dtype).eps)
        limits = limited(Settings(rtol=max(SEEN, FEW * eps)), leaf, g, largest)
        for i in range(count if leaf.size else 0):
            d = direction(rng, g, uphill=i == 0) * step_scale(leaf, distance)
            shares = np.asarray(g, dtype=float) * d
            slope = float(np.sum(shares))
            finding = Finding(f"{place} along direction {i}", float("nan"), slope, slope, 0.0, 0.0)
            rounded = float(np.sum(np.abs(shares))) * eps
            moves = partial(moving, scalar, wide, k)
            judge_order(finding, moves, d, limited_along(limits, within, k, d, g), rounded)
            if finding.verdict == FAIL:
                excuse(finding, within.slopes_beside(k, d))
            yield finding


def direction(rng: np.random.Generator, g: Array, uphill: bool = False) -> Array:
    """A random direction, whose largest entry is 1, so that no argument moves farther than its step.

    Uphill, the entries' shares in the slope have one sign: an error in all of them cannot hide where they cancel.
    """
    d = np.asarray(rng.normal(size=g.shape))
    d = np.where(uphill & (g != 0), np.copysign(d, g), d)
    return np.asarray(d / np.max(np.abs(d)))


def judge_order(finding: Finding, moves: Moves, d: Array, limits: Limits, rounded: float = 0.0) -> None:
    """Fill in the order of the remainder, the numeric slope where it matters, and the verdict.

    `rounded` is what the analytic slope may be off by because of the digits it was computed in.
    """
    line = moves(d)
    with np.errstate(all="ignore"):
        changes = np.array([line(h) for h in STEPS]) - line(0.0)
        noise, size = rounding(line)
        most = float(np.max(np.abs(changes)))
        rest = np.abs(changes - STEPS * finding.analytic)
        finding.order = observed_order(rest, noise + 8 * rounded * STEPS)
        seen = max(most, abs(finding.analytic) * STEPS[0])
        lost = noise > SLACK * seen and (seen > noise or noise > NOISE * size)
        if finding.order < 1.5 or (np.isinf(finding.order) and (lost or not np.isfinite(rest).any())):
            disputed(finding, moves, d, limits, noise)


def rounding(line: Line) -> tuple[float, float]:
    """How far f is off by rounding, by which it differs from a straight line over tiny steps; and its size."""
    values = np.array([line(step - TINY[0]) for step in TINY])  # on the side of the steps
    straight = values.mean() + TINY * (TINY @ values) / (TINY @ TINY)
    size = float(np.max(np.abs(values)))
    return 4.0 * float(max(np.max(np.abs(values - straight)), 4 * EPS * size)), size


def observed_order(rest: Array, limits: Array) -> float:
    """How fast a remainder shrinks, at the smallest steps where it still stands out from rounding.

    inf if it never does, or vanishes from one step to the next, as beside a piece where f is linear.
    """
    usable = np.isfinite(rest) & (rest > ABOVE * limits)
    if not usable.any():
        return float("inf")
    last = int(np.flatnonzero(usable)[-1])
    if last + 1 < len(rest) and rest[last] > 16 * max(rest[last + 1], limits[last + 1]):
        return float("inf")
    if last < 2 or not usable[last - 2 : last].all():
        return float("inf")
    return float(np.log2(rest[last - 1] / rest[last]))  # at larger steps, terms of higher order may cancel


def disputed(finding: Finding, moves: Moves, d: Array, limits: Limits, noise: float) -> None:
    """Judge the slope of a direction whose remainder has the order 1, or is nothing but rounding."""
    line = moves(d)
    finding.numeric, finding.error = careful(line, 1.0)
    slopes = one_sided(line)
    seen = noise / NEAREST
    if slopes and abs(slopes[1] - slopes[0]) > max(10 * SLACK * max(map(abs, slopes)), seen):
        low, high = subgradients(moves, d)
        slack = SLACK * max(abs(low), abs(high))
        if low - slack <= finding.analytic <= high + slack:
            finding.slopes = slopes
            finding.verdict = KINK
            return
    judge([finding], line, 1.0, limits)


def subgradients(moves: Moves, d: Array) -> tuple[float, float]:
    """The smallest and the largest slope along d that the entries' one-sided slopes allow together."""
    smooth = np.array(d)
    low = high = 0.0
    for index in np.ndindex(d.shape):
        one = np.zeros_like(d)
        one[index] = d[index]
        if slopes := one_sided(moves(one)):
            smooth[index] = 0.0
            low += min(slopes)
            high += max(slopes)
    rest = careful(moves(smooth), 1.0)[0] if np.any(smooth) else 0.0
    return low + rest, high + rest
