"""`check_gradients`: whether the backward pass agrees with differences.

Every entry of every float argument is moved by itself (a sample of large ones, and sparse directions), and the
result is weighted by a random cotangent, so that no error hides in a sum of ones. Two stages: a quick difference
clears what is right; the rest is measured again with an error estimate, and a kink is recognised before it is judged.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2, for <g, dx> = <cotangent, dy>.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.backward import gradients
from tinygrad_edu.operand import plain
from tinygrad_edu.testing.hints import Evidence, diagnose
from tinygrad_edu.testing.numeric import EPS, STEP, careful, four_point, one_sided, step_scale
from tinygrad_edu.testing.report import FAIL, INCONCLUSIVE, KINK, PASS, Finding, GradientError, GradientReport
from tinygrad_edu.tree import flatten, rebuild
from tinygrad_edu.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Array = np.ndarray[Any, Any]
    Scalar = Callable[[list[Any]], Any]

RTOL, FLOOR, NOISE = 1e-5, 1e-9, 1e4 * EPS
ELEMENTWISE, ONE_HOT, SPARSE = 64, 16, 8


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 1,
    wrt: Sequence[int] | None = None,
    rtol: float = RTOL,
    seed: int = 0,
    distance: Any = np.inf,
    raises: bool = True,
) -> GradientReport:
    """Compare the gradients of a function with differences.

    Parameters
    ----------
    f
        A function of Values, written with NumPy or with methods; its result may have any shape.
    args
        Its arguments: numbers, arrays, Values, and lists, tuples and dicts of them. Everything that is floating
        point is checked; float32 is moved in float64.
    order
        2 checks the gradient of the gradient as well.
    wrt
        The positions of the arguments to check; all of them if None.
    rtol
        What is allowed, relative to the largest gradient of the same argument.
    seed
        Of the random cotangent and directions.
    distance
        How far the arguments are from the nearest kink or singularity; differences reach half of it.
    raises
        Whether FAIL and INCONCLUSIVE raise; the report is returned otherwise.

    Returns
    -------
    GradientReport

    Raises
    ------
    GradientError
        If a gradient is wrong, or could not be judged.
    TypeError
        If no argument is floating point.
    """
    rng, name = np.random.default_rng(seed), getattr(f, "__name__", "f")
    places, leaves, call = arguments(f, args, wrt)
    if not leaves:
        raise TypeError(f"{name}: no floating point argument to check among {len(args)} arguments")
    (scalar, cotangent), findings = weighted(call, leaves, rng), list[Finding]()
    for level in range(1, order + 1):
        prefix = f"order {level}, " if order > 1 else ""
        asked = (call, cotangent) if level == 1 else (None, None)
        findings += compare(scalar, places, leaves, rng, (rtol, distance), prefix, asked)
        scalar = slope(scalar, leaves, rng)
    report = GradientReport(name, findings, f"check_gradients({name}, ..., order={order}, seed={seed})")
    if raises and report.verdict in (FAIL, INCONCLUSIVE):
        raise GradientError(str(report))
    return report


def arguments(f: Any, args: tuple[Any, ...], wrt: Sequence[int] | None) -> tuple[list[str], list[Array], Any]:
    """The floating point leaves of the arguments, their names, and f as a function of those leaves."""
    named = [(path, plain(leaf)) for path, leaf in flatten(args)]
    others = rebuild(args, (object() for _ in named), same=True)
    fixed = {path for path, leaf in flatten(others) if isinstance(leaf, Value)}  # what a module holds stays in it
    chosen = [
        i
        for i, (path, leaf) in enumerate(named)
        if path not in fixed
        and getattr(leaf, "dtype", np.dtype(type(leaf) if isinstance(leaf, float) else object)).kind == "f"
        and (wrt is None or int(path.partition(".")[0]) in wrt)
    ]

    def call(values: list[Any]) -> Any:
        leaves = [leaf for _, leaf in named]
        for i, value in zip(chosen, values, strict=True):
            leaves[i] = value
        return f(*rebuild(args, leaves, same=True))

    places = ["argument " + named[i][0].replace(".", " ", 1) for i in chosen]
    return places, [np.asarray(named[i][1]) for i in chosen], call


def weighted(call: Any, leaves: list[Array], rng: np.random.Generator) -> tuple[Scalar, Array]:
    """The function whose gradient is checked, <cotangent, f>, one number; and the cotangent."""
    shape = np.shape(plain(call([Value(leaf) for leaf in leaves])))
    cotangent = np.asarray(rng.normal(size=shape))
    return lambda values: np.sum(call(values) * cotangent), cotangent


def slope(scalar: Scalar, leaves: list[Array], rng: np.random.Generator) -> Scalar:
    """<second cotangent, gradient>, to check the gradient of a gradient."""
    cotangents = [rng.normal(size=leaf.shape) for leaf in leaves]

    def second(values: list[Any]) -> Any:
        inner = [value * 1.0 for value in values]
        out = scalar(inner)
        found = gradients(out, inner, differentiable=True) if isinstance(out, Value) else []
        return sum((np.sum(g * c) for g, c in zip(found, cotangents, strict=False)), start=values[0].sum() * 0.0)

    return second


def compare(
    scalar: Scalar,
    places: list[str],
    leaves: list[Array],
    rng: Any,
    limits: tuple[float, Any],
    prefix: str = "",
    asked: tuple[Any, Any] = (None, None),
) -> Iterator[Finding]:
    """A finding for every entry or direction of every leaf, with a hint where it is wrong."""
    values = [Value(leaf) for leaf in leaves]
    out = scalar(values)
    found = gradients(out, values) if isinstance(out, Value) else [np.zeros_like(leaf) for leaf in leaves]
    largest = max((float(np.max(np.abs(g))) for g in found if g.size), default=0.0)
    wide = [np.asarray(leaf, dtype=float) for leaf in leaves]
    nothing = np.zeros(0)
    for k in range(len(leaves)):
        case = Evidence(k, wide, places, found, nothing, nothing, nothing, *asked, reach=limits[1])
        rtol = limits[0] if leaves[k].dtype == float else 1e-4
        results = list(along_each(scalar, case, rng, (rtol, largest), prefix))
        explain(results, case)
        yield from (finding for _, finding in results)


def along_each(
    scalar: Scalar, case: Evidence, rng: Any, limits: tuple[float, float], prefix: str
) -> Iterator[tuple[Array, Finding]]:
    """Every direction of one leaf, and what was found there."""
    k, leaf, g = case.k, case.leaves[case.k], case.found[case.k]
    scale = float(np.max(np.abs(g))) if g.size else 0.0
    for label, direction in directions(leaf.shape, rng):
        at = float(leaf[direction != 0].max()) if np.count_nonzero(direction) == 1 else float("nan")
        finding = Finding(f"{prefix}{case.places[k]}{label}", at, float(np.sum(g * direction)), 0.0, 0.0, 0.0)
        finding.size = leaf.size
        s = float(step_scale(0.0 if np.isnan(at) else at, case.reach))
        judge(finding, moving(scalar, case.leaves, k, direction), s, limits[0], scale, limits[1])
        yield direction, finding


def moving(scalar: Scalar, leaves: list[Array], k: int, direction: Array) -> Callable[[float], float]:
    """The function of one number that moves a leaf along a direction."""

    def line(t: float) -> float:
        return float(plain(scalar([Value(x + t * direction if i == k else x) for i, x in enumerate(leaves)])))

    return line


def explain(results: list[tuple[Array, Finding]], case: Evidence) -> None:
    """Give the failures of one leaf the hint that its whole gradient suggests."""
    failed = [finding for _, finding in results if finding.verdict == FAIL and not finding.slopes]
    single = [(int(np.flatnonzero(d)[0]), finding) for d, finding in results if np.count_nonzero(d) == 1]
    if not failed or not single:
        return
    case.picked = np.array([i for i, _ in single])
    case.numeric = np.array([finding.numeric for _, finding in single])
    case.wrong = np.array([finding.verdict == FAIL for _, finding in single])
    text = diagnose(case)
    for finding in failed:
        finding.hint = text


def directions(shape: tuple[int, ...], rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    """Every entry by itself; of a large array a sample of them, and sparse random directions."""
    size = int(np.prod(shape))
    picked = range(size) if size <= ELEMENTWISE else rng.choice(size, ONE_HOT, replace=False)
    for i in picked:
        direction = np.zeros(size)
        direction[i] = 1.0
        index = ", ".join(map(str, np.unravel_index(i, shape)))
        yield f"[{index}]" if shape else "", direction.reshape(shape)
    for k in range(SPARSE if size > ELEMENTWISE else 0):
        direction = np.where(rng.random(size) < 0.1, rng.normal(size=size), 0.0)
        yield f" along direction {k}", direction.reshape(shape)


def judge(
    finding: Finding, line: Callable[[float], float], s: float, rtol: float, scale: float, largest: float
) -> None:
    """Fill in the numeric slope and the verdict."""
    a = finding.analytic
    with np.errstate(all="ignore"):
        n = four_point(line, STEP * s)
        scale = max(scale, abs(n))
        finding.numeric, finding.allowed = n, rtol * scale
        if abs(a - n) <= finding.allowed:
            return
        finding.slopes = one_sided(line, s)
        n, error = careful(line, s)
        floor = FLOOR * largest + NOISE * abs(line(0.0)) / s
    finding.numeric, finding.error = n, error
    finding.allowed = rtol * scale + 10 * error + floor
    if finding.slopes:
        low, high = sorted(finding.slopes)
        slack = 1e-4 * max(abs(low), abs(high))
        finding.verdict = KINK if low - slack <= a <= high + slack else FAIL
    elif not np.isfinite(n) or 10 * error > max(1e-2 * max(scale, abs(n)), floor):
        finding.verdict = INCONCLUSIVE
    else:
        finding.verdict = PASS if abs(a - n) <= finding.allowed else FAIL
