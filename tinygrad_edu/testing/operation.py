"""`check_op`: everything that an entry of the table declares, checked from the entry alone.

`examine_op` goes through what is tried: arguments where the function is smooth, drawn from the declared domain in the
declared shapes and options; empty arrays; kinks and what is beside them; extremes. In each call, slopes are compared
with differences, and every invariant is checked (`invariants`). To add a regime, write a function that yields
findings, and add it to `examine_op`.

Source: White et al., "ChainRulesTestUtils" (2021), where one call tests a rule completely.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.backward import vjps
from tinygrad_edu.errors import BroadcastWarning, refusal
from tinygrad_edu.kinds import FLAG, POSITIVE, SEED, WHOLE, expecting, optional
from tinygrad_edu.table import OPERATIONS, Op
from tinygrad_edu.testing.arguments import Entry, caller, calls, draw, emptied, written
from tinygrad_edu.testing.differences.comparing import Settings
from tinygrad_edu.testing.extremes import of_extremes
from tinygrad_edu.testing.function import examined
from tinygrad_edu.testing.kinks import of_kinks
from tinygrad_edu.testing.report import Finding, GradientReport, concluded, condition, placed, repeated
from tinygrad_edu.value import Value, apply

CONSTANTS = "with constants: "


class How(NamedTuple):
    """How an operation is checked; see `check_op`."""

    order: int = 2
    repeats: int = 2
    rtol: float | None = None
    with_constants: bool = False  # whether the rules are those for one variable beside constants


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
    entry = found(op)
    if not calls(entry):
        raise refusal(
            TypeError, f"{entry.name} takes any number of arguments: its entry shows none, cases=[case((2,), (2,))]"
        )
    how = How(order, repeats, rtol, is_with_constants(entry))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BroadcastWarning)
        findings = [*examine_op(entry, np.random.default_rng(seed), how), *beside_constants(entry, seed, how)]
    again = repeated("check_op", entry.function, (), order=order, seed=seed)
    return concluded(GradientReport(entry.name, findings, again), raises)


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
    """The findings wherever an operation is called."""
    yield from of_smooth(op, rng, how)
    yield from of_empty(op)
    yield from of_kinks(op, rng, how.with_constants)
    yield from of_extremes(op, rng, how.with_constants)


def of_smooth(op: Op, rng: np.random.Generator, how: How) -> Iterator[Finding]:
    """Slopes and invariants at drawn arguments, for every declared call."""
    for call in calls(op) * how.repeats:
        drawn = draw(op, rng, call)
        settings = Settings(order=how.order, rtol=how.rtol, distance=drawn.distance)
        entry = Entry(op, drawn, how.order)
        seed = int(rng.integers(2**32))
        report = examined(caller(op, drawn.options), drawn.arrays, settings, seed, entry)
        yield from placed(f"{written(op, drawn)}, ", report.findings)


def of_empty(op: Op) -> Iterator[Finding]:
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
        except (ValueError, TypeError, IndexError, ArithmeticError, RuntimeWarning) as error:
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
        except (ValueError, IndexError, TypeError, ArithmeticError, RuntimeWarning):
            return False
    return True
