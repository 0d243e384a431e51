"""`check_op`: everything that an entry of the table declares, checked from the entry alone.

`examine_op` goes through what is tried: arguments where the function is smooth, drawn from the declared domain in the
declared shapes and options; empty arrays; kinks and what is beside them; extremes. In each call, slopes are compared
with differences, and every invariant is checked (`invariants`). To add a regime, write a function that yields
findings, and add it to `examine_op`.

Source: White et al., "ChainRulesTestUtils" (2021), where one call tests a rule completely.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.backward import vjps
from tinygrad_edu.errors import BroadcastWarning, refusal
from tinygrad_edu.errors import words as words_of
from tinygrad_edu.kinds import FLAG, POSITIVE, SEED, WHOLE, expecting, optional
from tinygrad_edu.table import DEFINITE, MULTIPLES, OPERATIONS, TIES, Case, Op
from tinygrad_edu.testing.arguments import Drawn, Entry, caller, calls, draw, emptied, intervals, special, written
from tinygrad_edu.testing.differences.comparing import Settings
from tinygrad_edu.testing.extremes import of_extremes
from tinygrad_edu.testing.function import examined, expect_choices
from tinygrad_edu.testing.invariants import OPERANDS
from tinygrad_edu.testing.kinks import of_kinks
from tinygrad_edu.testing.other_calls import variations
from tinygrad_edu.testing.report import FAIL, PASS, Finding, GradientReport, concluded, condition, placed, repeated
from tinygrad_edu.testing.scan import agrees, of_line, of_numbers
from tinygrad_edu.value import Value, apply

CONSTANTS = "with constants: "
FEW = 300  # places of the second derivative
LINES = 3  # of the shown calls are followed along a line
KEPT = 4  # of them are repeated in the end
AGAIN, MANY = 50, 1_000  # times
SPECIAL = 6  # of the shown calls are made with special numbers
NEARLY = 1e-6  # a matrix with less is singular, but for rounding
LATER = "the gradient is another one after many other calls: a rule keeps a state"
REFUSALS = (ValueError, TypeError, IndexError, ArithmeticError, AttributeError, Warning)


class How(NamedTuple):
    """How an operation is checked; see `check_op`."""

    order: int = 2
    repeats: int = 2
    rtol: float | None = None
    with_constants: bool = False  # whether the rules are those for one variable beside constants
    conventions: bool = True  # whether to look at kinks and far out, where this library has conventions


@expecting(order=WHOLE, repeats=WHOLE, seed=SEED, rtol=optional(POSITIVE), raises=FLAG)
def check_op(
    op: Op | Callable[..., Any],
    *,
    order: int = 2,
    repeats: int = 2,
    seed: int = 0,
    rtol: float | None = None,
    raises: bool = True,
) -> GradientReport:
    """Check everything that an operation's entry in the table declares.

    Parameters
    ----------
    op
        An entry, or the function that users call: NumPy's, or one made by `custom` or `primitive`.
    order
        1 for rules that are not made of differentiable functions.
    repeats
        How often each of the declared calls is drawn.
    seed, rtol, raises
        As for `check_gradients`; the seed is that of the drawn arguments as well.

    Returns
    -------
    GradientReport
        The gradients by differences, at kinks and extremes too, and the invariants, those of `check_gradients` and
        these: the value is that of the function; forward agrees with reverse; float32 gives float32; Python's numbers
        make no difference; empty arrays work.

    Raises
    ------
    GradientError
        If something is wrong, or a gradient could not be judged.
    TypeError
        If the function is not in the table, or takes any number of arguments and shows no cases.
    ValueError
        For fewer than one repeat, and an order below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import check_op
    >>> check_op(np.tanh).verdict
    'PASS'
    """
    if repeats < 1:
        raise refusal(ValueError, f"without a repeat no slope is checked: repeats is 1 or more, got {repeats!r}")
    expect_choices(Settings(order=order))
    entry = found(op)
    if not calls(entry):
        raise refusal(
            TypeError, f"{entry.name} takes any number of arguments: its entry shows none, cases=[case((2,), (2,))]"
        )
    return concluded(report_of(entry, seed, How(order, repeats, rtol, is_with_constants(entry))), raises)


def report_of(op: Op, seed: int, how: How) -> GradientReport:
    """The report of `check_op`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BroadcastWarning)
        findings = [*examine_op(op, np.random.default_rng(seed), how), *beside_constants(op, seed, how)]
    return GradientReport(op.name, findings, repeated("check_op", op.function, (), order=how.order, seed=seed))


def beside_constants(op: Op, seed: int, how: How) -> Iterator[Finding]:
    """The findings about the rules that an operation has for one variable beside constants, if it has others."""
    if op.with_constants is not op:
        how = how._replace(with_constants=True)
        yield from placed(CONSTANTS, examine_op(op.with_constants, np.random.default_rng(seed), how))


def found(function: Any) -> Op:
    """The entry of a function; an entry is its own."""
    if isinstance(function, Op):
        return function
    if callable(function) and function in OPERATIONS:
        return OPERATIONS[function]
    name = getattr(function, "__name__", repr(function))
    raise refusal(
        TypeError,
        f"{name} has no entry in the table: check_op(te.custom(pullbacks, domain=...)({name})), or, for a function "
        f"made of differentiable ones, check_gradients({name}, ...)",
    )


def is_with_constants(op: Op) -> bool:
    """Whether an entry holds the rules of another for one variable beside constants."""
    entry = OPERATIONS.get(op.function, op)
    return entry is not op and entry.with_constants is op


def examine_op(op: Op, rng: np.random.Generator, how: How) -> Iterator[Finding]:
    """The findings wherever an operation is called; what comes first in `REGIMES` is the plainest fault."""
    before = list(kept(op, rng))
    for regime, examine in REGIMES.items() if how.conventions else list(REGIMES.items())[:-2]:
        yield from named(regime, op, examine(op, rng, how))
    yield from named("the first calls again", op, of_memory(op, before))


def named(regime: str, op: Op, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of a regime; one that says what is raised, if a rule does not take what its function takes."""
    try:
        for finding in findings:
            finding.regime = regime
            yield finding
    except REFUSALS as error:
        note = f"{type(error).__name__} in a rule: {words_of(error)}"
        yield replace(condition(f"{op.name}, rule", False, note), regime=regime)


def of_smooth(op: Op, rng: np.random.Generator, how: How) -> Iterator[Finding]:
    """Slopes and invariants at drawn arguments, for every declared call; the smallest one of third order as well."""
    shown = calls(op)
    smallest = shown.index(min(shown, key=entries_of))
    for k, call in enumerate(shown * how.repeats):
        drawn = draw(op, rng, call)
        order = how.order + (how.order == 2 and k == smallest and not op.linear)
        settings = Settings(order=order, rtol=how.rtol, distance=drawn.distance, single=1)
        report = examined(caller(op, drawn.options), drawn.arrays, settings, seeded(rng), Entry(op, drawn, how.order))
        yield from placed(f"{written(op, drawn)}, ", report.findings)


def entries_of(call: Case) -> int:
    """How many numbers the arrays of a call hold."""
    return sum(map(math.prod, call[0]))


def seeded(rng: np.random.Generator) -> int:
    """A seed for a check of its own."""
    return int(rng.integers(2**32))


def of_variations(op: Op, rng: np.random.Generator, how: How) -> Iterator[Finding]:
    """Slopes in calls that the entry does not show: a first look at all that the function takes."""
    for shapes, options in variations(op, rng):
        with suppress(*REFUSALS, np.linalg.LinAlgError):
            drawn = draw(op, rng, (shapes, options))
            if computes(op, drawn.arrays, options):
                yield from at_first_look(op, drawn, rng, how)


def at_first_look(op: Op, drawn: Drawn, rng: np.random.Generator, how: How) -> Iterator[Finding]:
    """What is found in a call, if it does not look right along one direction."""
    f = caller(op, drawn.options)
    try:
        with np.errstate(all="ignore"):
            words = agrees(f, drawn.arrays, rng, drawn.distance)
    except REFUSALS as error:
        yield refused(op, drawn, error)
        return
    place = f"{written(op, drawn)}, "
    found = [condition(f"{place}a first look", True, "")]
    if words:
        settings = Settings(rtol=how.rtol, distance=drawn.distance, whole=True)
        found = examined(f, drawn.arrays, settings, seeded(rng)).findings
    yield from placed(place * bool(words), (one for one in found if one.verdict in (PASS, FAIL)))


def refused(op: Op, drawn: Drawn, error: Exception) -> Finding:
    """What to say of a call that the function takes, and its rule does not."""
    words = f"the function takes this call, but its rule does not: {words_of(error)}"
    return condition(f"{written(op, drawn)}, rule", False, words)


def of_places(op: Op, rng: np.random.Generator, how: How) -> Iterator[Finding]:
    """Slopes at thousands of places: an elementwise function at numbers of all kinds, any other along lines."""
    if op.kinks == MULTIPLES:
        return
    if op.elementwise:
        count = len(op.pullbacks)  # type: ignore[arg-type]
        f = caller(op, {})
        where = intervals(op, count), special(op.kinks, op.singular), op.kinks == TIES, rng
        found = list(of_numbers(f, *where))
        if how.order > 1 and not found:
            found = [*placed("order 2, ", of_numbers(partial(slope, f), *where, strata=FEW))]
    else:
        found = [finding for call in calls(op)[:LINES] for finding in along_line(op, call, rng)]
    yield from placed(f"{op.name}, ", found or [condition("a scan", True, "")])


def slope(f: Any, *xs: Any) -> Any:
    """The derivatives of an elementwise function, added up with weights, as a function of the same arguments."""
    inner = [x * 1.0 if isinstance(x, Value) else Value(x) for x in xs]
    out = f(*inner)
    found = vjps(out, np.ones_like(out.array)[()], inner, any(isinstance(x, Value) for x in xs))
    return sum((k + 1) * g for k, g in enumerate(found))


def along_line(op: Op, call: Case, rng: np.random.Generator) -> Iterator[Finding]:
    """From one draw to another; of matrices, only a part of the way."""
    start, end = draw(op, rng, call), draw(op, rng, call)
    if any(isinstance(part, str) for part in intervals(op, len(call[0]))):
        end = end._replace(arrays=[a + 0.2 * (b - a) for a, b in zip(start.arrays, end.arrays, strict=True)])
    yield from of_line(caller(op, start.options), start.arrays, end.arrays, rng)


def of_special(op: Op, rng: np.random.Generator, how: How) -> Iterator[Finding]:
    """Slopes where entries are equal, and of a function of whole arrays where they are whole, 0, or large."""
    shown = calls(op)
    for i in rng.permutation(len(shown))[:SPECIAL]:
        drawn = draw(op, rng, shown[i])
        parts = intervals(op, len(drawn.arrays))
        choices = equal_numbers(drawn.arrays) if op.kinks != TIES else iter(())
        for arrays in choices if op.elementwise else chain(choices, chosen_numbers(drawn.arrays, op.kinks == TIES)):
            if all(map(inside, arrays, parts)) and computes(op, arrays, drawn.options):
                with suppress(*REFUSALS):
                    yield from at_first_look(op, drawn._replace(arrays=arrays, distance=np.inf), rng, how)


def equal_numbers(arrays: list[Any]) -> Iterator[list[Any]]:
    """Arrays of which some entries are equal, and such of which all are."""
    if any(a.size > 1 for a in arrays):
        yield [np.resize(a.ravel()[: max(1, a.size - 1)], a.shape) for a in arrays]
        yield [np.resize(a.ravel()[:1], a.shape) for a in arrays]


def chosen_numbers(arrays: list[Any], apart: bool) -> Iterator[list[Any]]:
    """Arrays of numbers that chance does not draw; `apart` if none may be equal."""
    if not apart:
        yield [np.rint(2 * a) for a in arrays]
        yield [np.ones_like(a) for a in arrays]
        yield [np.where(np.arange(a.size).reshape(a.shape) % 2, a, -0.0) for a in arrays]
    yield [a * 1e3 for a in arrays]
    yield [a * 1e6 for a in arrays]
    if all(a.ndim > 1 and a.shape[-1] == a.shape[-2] for a in arrays):
        n = [np.arange(1.0, 1.0 + a.shape[-1]) for a in arrays]
        yield [np.broadcast_to(np.diag(d), a.shape).copy() for a, d in zip(arrays, n, strict=True)]
        yield [(a + a.mT) / 2 + np.diag(d) for a, d in zip(arrays, n, strict=True)]
        yield [np.broadcast_to(np.diag(d**-8.0), a.shape) @ a for a, d in zip(arrays, n, strict=True)]


def inside(a: Any, part: Any) -> bool:
    """Whether all numbers are in a domain; the singular values of matrices are apart, symmetric ones definite."""
    if not isinstance(part, str):
        return bool(np.all((part[0] < a) & (a < part[1])))
    s = np.linalg.svdvals(a)
    apart = bool(np.all(s[..., 1:] < 0.9 * s[..., :-1]) and np.all(s[..., -1:] > NEARLY * s[..., :1]))
    return apart and (part != DEFINITE or bool(np.all(a == a.mT) and np.all(np.linalg.eigvalsh(a) > 0)))


def kept(op: Op, rng: np.random.Generator) -> Iterator[tuple[Drawn, list[Any]]]:
    """Some calls, and what they give before the rules have seen anything else."""
    for call in sorted(calls(op), key=entries_of)[:KEPT]:
        drawn = draw(op, rng, call)
        with suppress(*REFUSALS):  # said at the next call
            yield drawn, gradients_of(op, drawn.arrays, drawn.options)


def gradients_of(op: Op, arrays: list[Any], options: dict[str, Any], times: int = 0) -> list[Any]:
    """The gradients of a call after many more calls of its rules, for a cotangent that is the same every time."""
    xs = [Value(np.array(a)) for a in arrays]
    out = apply(op, tuple(xs), options)
    cotangent = np.linspace(0.5, 1.5, out.size).reshape(out.shape).astype(out.dtype)[()]
    for _ in range(times):
        for i in range(min(len(xs), OPERANDS)):
            op.pullbacks[i](cotangent, *out.saved, **options)
    return vjps(out, cotangent, xs)


def of_memory(op: Op, before: list[tuple[Drawn, list[Any]]]) -> Iterator[Finding]:
    """The same calls after all others, backwards, one many times, and beside such as have numbers in common."""
    for k, (drawn, found) in reversed(list(enumerate(before))):
        place = f"{written(op, drawn)}, "
        with np.errstate(all="ignore"):
            again = gradients_of(op, drawn.arrays, drawn.options, 0 if k else MANY if op.elementwise else AGAIN)
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(again, found, strict=True))
        yield condition(f"{place}later", same, LATER)
        for change in (flipped, last_moved):
            arrays = [change(a) for a in drawn.arrays]
            if all(map(inside, arrays, intervals(op, len(arrays)))) and computes(op, arrays, drawn.options):
                gradients_of(op, drawn.arrays, drawn.options)
                yield from at_first_look(op, drawn._replace(arrays=arrays), np.random.default_rng(0), How())


def flipped(a: Any) -> Any:
    """The same numbers back to front: with the same sum."""
    return np.flip(a).copy()


def last_moved(a: Any) -> Any:
    """The array with another number in its last place."""
    moved = np.array(a)
    moved.flat[-1:] = moved.flat[-1:] * (1 - 1 / 64)
    return moved


def of_empty(op: Op, *_: Any) -> Iterator[Finding]:
    """Empty arrays have empty gradients, wherever the function takes them."""
    every = [(emptied(shapes), options) for shapes, options in op.cases]
    for shapes, options in every or [([(0, 3)] * len(op.pullbacks), {})]:  # type: ignore[arg-type]
        empty = [np.ones(shape) for shape in shapes]
        if all(a.size for a in empty) or not computes(op, empty, options):
            continue
        xs = [Value(a) for a in empty]
        try:
            out = apply(op, tuple(xs), options)
            found = [g.shape for g in vjps(out, np.ones_like(out.array), xs)]
        except REFUSALS as error:
            found = [str(error)]
        expected = [a.shape for a in empty]
        given = ", ".join(map(str, expected))
        yield condition("empty", found == expected, f"arrays of shape {given} have gradients {found}")


def computes(op: Op, arrays: list[Any], options: dict[str, Any]) -> bool:
    """Whether the function itself takes arrays without a complaint."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            op.compute(*arrays, **options)
        except REFUSALS:
            return False
    return True


REGIMES: dict[str, Callable[[Op, np.random.Generator, How], Iterator[Finding]]] = {
    "drawn arguments": of_smooth,
    "calls that the entry does not show": of_variations,
    "many places": of_places,
    "special numbers": of_special,
    "empty arrays": of_empty,
    "kinks": lambda op, rng, how: of_kinks(op, rng, how.with_constants),
    "extremes": lambda op, rng, how: of_extremes(op, rng, how.with_constants),
}
