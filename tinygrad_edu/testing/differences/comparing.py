"""The slopes of a gradient beside those of differences: which are compared, and when two of them disagree.

A slope along a direction is <gradient, direction>, by the backward pass or pushed forward, and the change of the
function by differences. Every entry of a small array is moved by itself. Of a large one a sample is, and besides all
entries together along random directions: no weight is small, so a single wrong entry shows in every one of them. It
is then found by halving: it may be wrong, or only near a kink, and then the direction is judged without it. What is
allowed never grows with the size of the array.

Sources: Griewank and Walther, "Evaluating Derivatives" (2008), sections 3.1 and 3.2, for the two directions; Dorfman,
"The detection of defective members of large populations" (1943), for testing in groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.inputs import plain
from tinygrad_edu.testing.diagnosis.hints import Evidence, diagnose
from tinygrad_edu.testing.differences import inside, numeric
from tinygrad_edu.testing.differences.judging import Limits, judge
from tinygrad_edu.testing.differences.numeric import Array, Line
from tinygrad_edu.testing.report import FAIL, KINK, PASS, Finding, placed
from tinygrad_edu.transforms import Run
from tinygrad_edu.value import Value

Scalar = Callable[[list[Any]], Any]
Side = Callable[[int, Array], float]
Pair = tuple[Array, Finding]

MODES = ("reverse", "forward")
RTOL = 1e-5  # far above the error of four points, 2e-13, and below any fault that matters
NARROW = 1e-4  # of float32: a rule that cancels may lose some of its seven digits
EXACT = 1e-15  # an eps below it is that of float64
ELEMENTWISE = 64  # entries, up to which each is moved by itself: 256 calls of f
ONE_HOT, SPARSE, DENSE = 16, 8, 4  # of larger arrays: single entries, and directions of a tenth and of all entries
NEAR = 1e-5  # a step of the search for the wrong entry, which stays on one side of most kinks
BENT = 1e-7  # how much a slope may change over a billionth
ROUNDS = 8  # entries that are looked for behind one direction: kinks may be several


class Settings(NamedTuple):
    """How gradients are checked; see `check_gradients`."""

    order: int = 1
    modes: Sequence[str] = MODES[:1]
    wrt: Sequence[int] | None = None
    method: str = "auto"
    rtol: float | None = None
    distance: Any = np.inf
    whole: bool = False  # whether only one direction of all entries is compared
    exact: bool = False  # whether the rounding inside a rule is a fault of the rule
    single: int = 9  # up to that order, every entry is compared by itself
    bare: bool = False  # whether the function is moved with arrays: complex ones, or where it makes its own Values


class Subject(NamedTuple):
    """One argument: the evidence, the ways to its slopes, the function that moves it, and the limits."""

    case: Evidence
    sides: dict[str, Side]
    moves: Callable[[Array], Callable[[Any], Any]]
    limits: Limits
    inside: inside.Inside


def compared(
    scalar: Scalar, values: list[Array], known: Evidence, rng: Any, settings: Settings, prefix: str = ""
) -> Iterator[Finding]:
    """A finding for every entry or direction of every argument in every mode, with a hint where it is wrong."""
    sides = slopes_by(settings.modes, scalar, values, known.found)
    largest = max((float(np.max(np.abs(g))) for g in known.found if g.size), default=0.0)
    within = inside.Inside(scalar, known.leaves, values)
    for k, leaf in enumerate(values):
        case = known._replace(k=k)
        moves = partial(moving, scalar, case.leaves, k, bare=settings.bare)
        limits = limited(settings, leaf, case.found[k], largest)
        one = Subject(case, sides, moves, limits, within)
        pairs: list[Pair] = []
        for label, direction in [all_at_once(leaf.shape, rng)] if settings.whole else directions(leaf.shape, rng):
            pairs += settled(one, label, direction, known=any(wrong(finding) for _, finding in pairs))
        results = list({finding.place: (direction, finding) for direction, finding in pairs}.values())
        explain(results, case)
        yield from placed(prefix, (finding for _, finding in results))


def slopes_by(modes: Sequence[str], scalar: Scalar, values: list[Array], found: list[Array]) -> dict[str, Side]:
    """How each mode computes a slope, by the words that a finding begins with: none for reverse by itself."""

    def reverse(k: int, direction: Array) -> float:
        return inside.along(found[k], direction)

    made = {mode: reverse if mode == "reverse" else pushing(scalar, values) for mode in modes}
    return made if "forward" in modes else {"": reverse}


def limited(settings: Settings, leaf: Array, g: Array, largest: float) -> Limits:
    """What the slopes of an argument are judged by."""
    eps = float(np.finfo(leaf.dtype).eps)
    usual = RTOL if eps < EXACT else max(NARROW, 8 * eps)
    scale = float(np.max(np.abs(g))) if g.size else 0.0
    rtol = usual if settings.rtol is None else settings.rtol
    most = float(np.finfo(leaf.dtype).max)
    exact = settings.exact
    return Limits(rtol, scale, largest, settings.method, own=eps < EXACT, largest_number=most, exact=exact)


def pushing(scalar: Scalar, values: list[Array]) -> Side:
    """The slope of a number along a direction of one argument, pushed forward."""
    run = Run(lambda *given: scalar(list(given)), tuple(values), {}, tuple(range(len(values))))

    def side(k: int, direction: Array) -> float:
        tangents = [np.zeros_like(leaf)[()] for leaf in values]
        tangents[k] = direction.astype(values[k].dtype)[()]
        return float(plain(run.push(tangents)[0]))

    return side


def moving(scalar: Scalar, leaves: list[Array], k: int, direction: Array, bare: bool = False) -> Callable[[Any], Any]:
    """The function of one number that moves a leaf along a direction; `bare` of Values."""

    def line(t: Any) -> Any:
        moved = [x + t * direction if i == k else x for i, x in enumerate(leaves)]
        try:
            return numeric.number(scalar(moved if bare else [Value(x) for x in moved]))
        except (ValueError, ArithmeticError):  # f need not be defined there: a matrix may be singular
            return math.nan

    return line


def wrong(finding: Finding) -> bool:
    """Whether a finding is a failure, and not at a kink."""
    return finding.verdict == FAIL and not finding.slopes


def settled(one: Subject, label: str, direction: Array, known: bool) -> list[Pair]:
    """The findings along a direction, and about the entries that it disagrees because of, if none is `known` yet."""
    leaf = one.case.x
    g = one.case.found[one.case.k]
    entries: list[Pair] = []
    findings = along(one, label, direction)
    if np.count_nonzero(direction) == 1:
        return [(direction, finding) for finding in findings]
    s = float(numeric.step_scale(0.0, one.case.reach))
    for _ in range(0 if known else ROUNDS):
        if all(finding.verdict == PASS for finding in findings) or not np.any(direction):
            break
        name, single = one_hot(leaf.shape, culprit(one.moves, direction, g, s))
        found = along(one, name, single)
        entries += [(single, finding) for finding in found]
        if any(finding.verdict == FAIL for finding in found):
            return [(direction, finding) for finding in findings] + entries
        kink = any(finding.slopes for finding in found)  # entries of the same value are likely to have it as well
        direction = np.where((leaf == leaf[single != 0]) if kink else single != 0, 0.0, direction)
        findings = along(one, label, direction) if np.any(direction) else []
    for finding in findings:
        if finding.verdict == FAIL and finding.slopes:
            finding.verdict = KINK  # more of them than can be told apart: single entries were judged
    return [(direction, finding) for finding in findings] + entries


def along(one: Subject, label: str, direction: Array) -> list[Finding]:
    """A finding for every mode about one direction."""
    k = one.case.k
    leaf = one.case.x
    g = one.case.found[k]
    single = np.count_nonzero(direction) == 1
    at = float(leaf[direction != 0][0]) if single else math.nan
    findings = []
    for mode, side in one.sides.items():
        place = f"{mode + ', ' if mode else ''}{one.case.places[k]}{label}"
        findings.append(Finding(place, at, side(k, direction), 0.0, 0.0, 0.0, size=leaf.size))
    scale = numeric.step_scale(0.0 if math.isnan(at) else at, one.case.reach)
    judge(findings, one.moves(direction), float(scale), limited_along(one.limits, one.inside, k, direction, g))
    for finding in findings:
        if finding.verdict == FAIL and single:
            excuse(finding, one.inside.slopes_beside(k, direction))
    return findings


def limited_along(limits: Limits, within: inside.Inside, k: int, direction: Array, g: Array) -> Limits:
    """What the slope along a direction of one argument is judged by, g its gradient."""
    single = np.count_nonzero(direction) == 1
    eps = float(np.finfo(g.dtype).eps)
    rounded = 0.0 if single or eps < EXACT else 4 * eps * float(np.linalg.norm(g * direction))
    size = float(np.max(np.abs(within.values[k][direction != 0])))
    noise = partial(within.noise, k, direction)
    bare = moving(within.scalar, within.arrays, k, direction, bare=True)
    wide = partial(within.in_float64, k, direction) if eps >= EXACT else None
    return limits._replace(single=single, rounded=rounded, at=size, noise=noise, bare=bare, wide=wide)


def excuse(finding: Finding, beside: tuple[float, float] | None) -> None:
    """Call it a kink if a part of f has one here, and the gradients on both sides agree with differences."""
    near = finding.allowed + BENT * abs(finding.numeric)
    if beside and not finding.slopes and all(abs(slope - finding.numeric) <= near for slope in beside):
        finding.slopes = beside
        finding.verdict = KINK


def explain(results: list[Pair], case: Evidence) -> None:
    """Give the failures of one leaf the hint that its whole gradient suggests."""
    failed = [finding for _, finding in results if wrong(finding)]
    single = {int(np.flatnonzero(d)[0]): finding for d, finding in results if np.count_nonzero(d) == 1}
    if not failed or not single:
        return
    right = np.array([finding.numeric for finding in single.values()])
    bad = np.array([finding.verdict == FAIL for finding in single.values()])
    text = diagnose(case._replace(picked=np.array(list(single)), numeric=right, wrong=bad))
    for finding in failed:
        finding.hint = text


# -- which slopes are compared, and what is said of two ------------------------------------------------------


def directions(shape: tuple[int, ...], rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    """Every entry by itself; of a large array a sample of them, and sparse and dense random directions."""
    size = int(np.prod(shape))
    picked = range(size) if size <= ELEMENTWISE else rng.choice(size, ONE_HOT, replace=False)
    for i in picked:
        yield one_hot(shape, int(i))
    for k in range(SPARSE + DENSE if size > ELEMENTWISE else 0):
        weights = spread(rng, size) if k >= SPARSE else np.where(rng.random(size) < 0.1, rng.normal(size=size), 0.0)
        yield f" along direction {k}", weights.reshape(shape)


def all_at_once(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[str, Array]:
    """A direction that moves every entry, and its name."""
    return (" along all entries", spread(rng, shape)) if math.prod(shape) != 1 else one_hot(shape, 0)


def one_hot(shape: tuple[int, ...], i: int) -> tuple[str, Array]:
    """The direction of a single entry, given by its flat index, and its name."""
    direction = np.zeros(int(np.prod(shape)))
    direction[i] = 1.0
    index = ", ".join(map(str, np.unravel_index(i, shape)))
    return f"[{index}]" if shape else "", direction.reshape(shape)


def spread(rng: np.random.Generator, shape: Any) -> Array:
    """Random weights of both signs, none of them near 0 and none large: between 0.5 and 1.5."""
    return np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape))


def culprit(moves: Callable[[Array], Line], direction: Array, g: Array, s: float) -> int:
    """The entry that a disagreement along a direction comes from, by halving; its flat index."""
    weights = direction.ravel()
    slopes = g.ravel()

    def gap(part: Array) -> float:
        some = np.zeros_like(weights)
        some[part] = weights[part]
        apart = float(numeric.four_point(moves(some.reshape(direction.shape)), NEAR * s) - slopes @ some)
        return abs(apart) if np.isfinite(apart) else np.inf

    part = np.flatnonzero(weights)
    with np.errstate(all="ignore"):
        while len(part) > 1:
            part = max(np.array_split(part, 2), key=gap)
    return int(part[0])
