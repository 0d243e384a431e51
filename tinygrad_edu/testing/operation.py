"""`check_op`: everything that an entry of the table promises, derived from the entry alone.

The arguments are drawn from the declared domain, in the declared shapes and options, in three regimes: where the
function is smooth, at kinks and beside them, and at extremes. What is promised besides slopes, about values, memory
and layouts, is in `promises`.

Source: JuliaDiff's ChainRulesTestUtils (White et al., 2021), where one call tests a rule completely.
"""

from __future__ import annotations

import warnings

import numpy as np

from tinygrad_edu.errors import BroadcastWarning
from tinygrad_edu.table import OPERATIONS, Op
from tinygrad_edu.testing.check import check_gradients
from tinygrad_edu.testing.drawing import Drawn, caller, calls, draw, written
from tinygrad_edu.testing.extremes import of_extremes
from tinygrad_edu.testing.promises import PROMISES, of_directions, of_empty, of_value
from tinygrad_edu.testing.regimes import of_kinks
from tinygrad_edu.testing.report import Finding, GradientReport, concluded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

ALONE = "alone: "


def check_op(
    op: Op | Callable[..., Any],
    *,
    order: int = 2,
    repeats: int = 2,
    seed: int = 0,
    rtol: float | None = None,
    raises: bool = True,
) -> GradientReport:
    """Check everything that an operation's entry in the table promises.

    Parameters
    ----------
    op
        An entry, or the function that users call: NumPy's, or one made by `custom` or `primitive`.
    order
        1 for rules that are not made of differentiable functions.
    repeats
        How often each of the declared calls is drawn.
    seed
        Of the drawn arguments, cotangents and directions.
    rtol
        What is allowed for slopes, as for `check_gradients`.
    raises
        Whether FAIL and INCONCLUSIVE raise; the report is returned otherwise.

    Returns
    -------
    GradientReport
        The gradients by differences, at kinks and extremes too, and besides: the value is that of the function;
        forward agrees with reverse; float32 gives float32; gradients are linear in the cotangent, exactly 0 for 0,
        the same twice, and share no memory; nothing is changed in place; the layout in memory makes no difference,
        nor do Python's numbers; empty arrays work; f(x, x) has the sum of both gradients.

    Raises
    ------
    GradientError
        If a promise is broken, or a gradient could not be judged.
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
        raise ValueError(f"without a repeat no slope is checked: repeats is 1 or more, got {repeats!r}")
    entry, findings = op if isinstance(op, Op) else found(op), list[Finding]()
    if not calls(entry):
        raise TypeError(f"{entry.name} takes any number of arguments: its entry shows none, cases=[case((2,), (2,))]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BroadcastWarning)
        findings += promises(entry, np.random.default_rng(seed), order, repeats, rtol, alone=is_alone(entry))
        if entry.with_constants is not entry:
            for finding in promises(
                entry.with_constants, np.random.default_rng(seed), order, repeats, rtol, alone=True
            ):
                finding.place = ALONE + finding.place
                findings.append(finding)
    again = f"check_op({entry.name}, order={order}, seed={seed})"
    return concluded(GradientReport(entry.name, findings, again), raises)


def found(function: Any) -> Op:
    """The entry of a function."""
    if function in OPERATIONS:
        return OPERATIONS[function]
    name = getattr(function, "__name__", repr(function))
    raise TypeError(
        f"{name} has no entry in the table: check_op(te.custom(pullbacks, domain=...)({name})), or, for a function "
        f"made of differentiable ones, check_gradients({name}, ...)"
    )


def is_alone(op: Op) -> bool:
    """Whether an entry is the one-variable form of another."""
    entry = OPERATIONS.get(op.function)
    return entry is not None and entry is not op and entry.with_constants is op


def promises(
    op: Op, rng: np.random.Generator, order: int, repeats: int, rtol: float | None = None, alone: bool = False
) -> Iterator[Finding]:
    """Every promise, for every declared call; `alone` says that the rules are those for one variable."""
    for call in calls(op) * repeats:
        drawn = draw(op, rng, call)
        words, seed = written(op, drawn), int(rng.integers(2**32))
        for finding in of_call(op, drawn, order, seed, rtol):
            finding.place = f"{words}, {finding.place}"
            yield finding
    yield from of_empty(op)
    yield from of_kinks(op, rng, alone)
    yield from of_extremes(op, rng, alone)


def of_call(op: Op, drawn: Drawn, order: int, seed: int, rtol: float | None) -> Iterator[Finding]:
    """Every promise about one call."""
    yield from of_value(op, drawn)
    call = caller(op, drawn.options)
    yield from check_gradients(
        call, *drawn.arrays, order=order, seed=seed, distance=drawn.distance, rtol=rtol, raises=False
    ).findings
    rng = np.random.default_rng(seed)
    yield from of_directions(call, drawn, rng) if order > 1 else ()
    for check in PROMISES:
        yield from check(op, drawn, rng)
