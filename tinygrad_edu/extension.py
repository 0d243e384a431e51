"""`custom`: an operation of one's own, whose rules are tested before it exists.

An operation is a function, one pullback per array argument, and the domain where both hold. `primitive` enters any
such triple into the table; `custom` first checks it as `check_op` does, and the function against a reference. So a
wrong rule is refused where it is written, not found in a training run.

Source: the refusals of Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2, as `testing` checks them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.table import Each, Op, primitive
from tinygrad_edu.testing import FAIL, INCONCLUSIVE
from tinygrad_edu.testing.arguments import calls, draw
from tinygrad_edu.testing.operation import How, report_of

Rule = Callable[..., Any]


def custom(
    pullbacks: Sequence[Rule] | Each, *, domain: Any, reference: Rule | None = None, order: int = 2, **declared: Any
) -> Callable[[Rule], Rule]:
    """Make a differentiable operation of a function written with NumPy, if its rules are right.

    Parameters
    ----------
    pullbacks, domain, **declared
        As for `differentiable`: one rule per array argument in a sequence, or `Each`. A function that is not
        elementwise needs `cases`: examples of its arguments' shapes and of its options.
    reference
        Another function that gives the same, such as a slower one.
    order
        Up to which derivative the rules are compared with differences; 1 for a rule that is not made of
        differentiable functions.

    Returns
    -------
    callable
        A decorator for the function: it gives what users call, as `primitive` does.

    Raises
    ------
    TypeError, ValueError
        If the pullbacks do not fit the function's arguments, or disagree with differences; if the function disagrees
        with the reference.

    Examples
    --------
    ::

        @te.custom((lambda g, out, x: g * 3 * x**2,), domain=te.REALS)
        def cube(x):
            return x * x * x

        te.grad(te.grad(cube))(2.0)  # 12.0
    """

    def enter(function: Rule) -> Rule:
        op = Op(function, pullbacks, domain=domain, **declared)
        rng = np.random.default_rng(0)
        if op.variadic and not op.cases:
            raise refusal(
                TypeError, f"{op.name}: `Each` takes any number of arguments; show some, cases=[case((2,), (2,))]"
            )
        for call in calls(op):
            drawn = draw(op, rng, call)
            check_function(op, drawn.arrays, drawn.options, reference)
        check_pullbacks(op, order)
        rules = [pullbacks] if isinstance(pullbacks, Each) else pullbacks
        made = primitive(function, *rules, domain=domain, **declared)
        made.order = order  # type: ignore[attr-defined]
        return made

    return enter


def check_function(op: Op, arrays: list[Any], options: dict[str, Any], reference: Rule | None) -> None:
    """Refuse a function that differs from its reference, or is not elementwise though it says so."""
    out = op.function(*arrays, **options)
    expected = out if reference is None else reference(*arrays, **options)
    if not np.allclose(out, expected, rtol=1e-7, atol=1e-12):
        at = ", ".join(map(str, arrays))
        raise refusal(ValueError, f"{op.name} gives {out} at {at}, its reference {expected}: one of them is wrong")
    if op.elementwise:
        full = np.broadcast_arrays(*arrays)
        alone = [op.function(*(a[index] for a in full), **options) for index in np.ndindex(full[0].shape)]
        if np.shape(out) != full[0].shape or not np.allclose(np.ravel(out), np.ravel(alone)):
            raise refusal(
                ValueError,
                f"{op.name} is not elementwise: give cases=[case((2, 3), axis=0), ...], the shapes of its arguments "
                "and its options",
            )


def check_pullbacks(op: Op, order: int) -> None:
    """Refuse rules in which `check_op` finds something; at kinks and at infinity, conventions differ."""
    report = report_of(op, 0, How(order, repeats=1, conventions=False))
    if report.verdict in (FAIL, INCONCLUSIVE):
        found = str(report).partition("\nagain:")[0]
        raise refusal(ValueError, f"{op.name} is not registered, its rule disagrees with differences:\n{found}")
