"""`gradient_test`: one line that tests a function's gradient at many drawn arguments, and shrinks what fails.

Arguments are drawn by hypothesis: simple numbers and small shapes first, so that what is reported in the end is the
smallest failing call that was found, with the line that repeats it. What differences cannot judge is drawn again,
and counted in hypothesis's statistics; too much of it fails the test.

Source: Claessen and Hughes, "QuickCheck" (2000): properties, and drawn arguments for them.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu.errors import refusal, user_frame
from tinygrad_edu.inputs import plain
from tinygrad_edu.table import DEFINITE, OPERATIONS, REALS, arrived
from tinygrad_edu.testing.after_all import Seen, of_run
from tinygrad_edu.testing.arguments import intervals
from tinygrad_edu.testing.differences.comparing import Settings
from tinygrad_edu.testing.function import check_gradients, expect_choices
from tinygrad_edu.testing.report import (
    FAIL,
    INCONCLUSIVE,
    GradientError,
    GradientReport,
    called,
    concluded,
    written,
)
from tinygrad_edu.tree import leaves

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

FLAKY = (
    "a call that failed did not fail when it was repeated, so f or a rule of it draws random numbers or keeps a state"
)
OPTIONS = ("modes", "method", "rtol", "seed", "distance")
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def gradient_test(
    f: Callable[..., Any], args: Mapping[str, Any] | None = None, order: int = 1, **options: Any
) -> Callable[[], None]:
    """Make a test of a function's gradient: `test_gelu = gradient_test(gelu)` is all that a test file needs.

    Parameters
    ----------
    f
        A function of Values, written with NumPy or with methods.
    args
        A strategy for each argument, by name, in order where f tells no names. If None, every positional parameter
        without a default is a small array, and their shapes broadcast together; a function of the table is given
        numbers of its own domain.
    order
        2 tests the gradient of the gradient as well.
    options
        `modes`, `method`, `rtol`, `seed` and `distance`, as for `check_gradients`.

    Returns
    -------
    Callable
        A hypothesis test: pytest collects it, also from a class, `hypothesis.settings(max_examples=1_000)` and other
        decorators apply to it, and calling it runs it. It has no deadline, unless one is set for it. It raises
        GradientError with the report on the smallest failing arguments.

    Raises
    ------
    ImportError
        Without hypothesis.
    TypeError
        For names that are no parameters of f, parameters without a strategy, what is no strategy, and for functions
        that do not tell their parameters if `args` is left out.
    ValueError
        For options that do not exist; and in the test, if f gives nan or inf: then its domain has to be said.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import gradient_test
    >>> from tinygrad_edu.testing.strategies import tensors
    >>> gradient_test(lambda x, y: np.tanh(x * y))()
    >>> gradient_test(lambda x: np.log(x) / x, args={"x": tensors(domain=(0, np.inf))})()
    """
    try:
        from hypothesis import event, given, reject
        from hypothesis import strategies as st
    except ImportError:
        raise refusal(ImportError, 'gradient_test needs hypothesis: pip install "tinygrad_edu[testing]"') from None
    expect_options(f, order, options)
    drawn = joint(f) if args is None else st.builds(dict, **expected(f, args, st.SearchStrategy))

    seen = Seen()
    options["order"] = order

    def examine(arguments: dict[str, Any]) -> None:
        report = checked(f, arguments, args is None, options, seen)
        if report.verdict == INCONCLUSIVE:
            event("inconclusive")
            reject()

    name = named(f)
    test = at_line_of(user_frame()[0], examine)
    test.__name__ = test.__qualname__ = f"test_{name}" if name.isidentifier() else "test_gradient"
    test.__doc__ = f"The gradient of {name} agrees with differences."
    vars(test)["_hypothesis_internal_add_digest"] = name.encode()  # failures are kept for each function
    return whole_run(given(arguments=drawn)(test), seen, lambda: in_the_end(f, seen, args is None, options))


def at_line_of(frame: FrameType, call: Callable[..., None]) -> Callable[..., None]:
    """A function of `arguments` that does the same where a frame stands now: there pytest and tracebacks see it.

    It is compiled for that place in the user's file, as a single expression.
    """
    tree = ast.parse("lambda arguments: call(arguments)", mode="eval")
    place = inspect.getframeinfo(frame, context=0).positions
    first, last, left, right = (number or 0 for number in place or (frame.f_lineno, 0, 0, 0))
    for node in (node for node in ast.walk(tree) if hasattr(node, "lineno")):
        vars(node).update(lineno=first, end_lineno=last or first, col_offset=left, end_col_offset=right)
    scope = {"call": call, "__name__": frame.f_globals.get("__name__")}
    made: Callable[..., None] = eval(compile(tree, frame.f_code.co_filename, "eval"), scope)
    return made


def whole_run(test: Callable[[], None], seen: Seen, in_the_end: Callable[[], None]) -> Callable[..., None]:
    """The same test without a deadline, and without hypothesis' search for lines that only failures run.

    A check calls f a hundred times and more, so a deadline meant for quick tests says nothing about it; and the lines
    would be those of this package and NumPy. `in_the_end` is called after all drawn calls.
    Whatever decorators say of the result holds; an instance is ignored.
    """
    from hypothesis import Phase, settings
    from hypothesis.errors import Flaky

    @wraps(test)
    def wrapper(*instance: Any) -> None:
        __tracebackhide__ = True
        said = {name: thing for name, thing in vars(wrapper).items() if name != "__wrapped__"}
        asked = said["_hypothesis_internal_use_settings"]
        usual = (settings().deadline, settings.get_profile("default").deadline)
        deadline = None if asked.deadline in usual else asked.deadline
        phases = [phase for phase in asked.phases if phase is not Phase.explain]
        calm = settings(asked, deadline=deadline, phases=phases)
        vars(test).update(said, _hypothesis_internal_use_settings=calm)
        seen.calls.clear()
        try:
            test()
        except Flaky:
            raise GradientError(f"{test.__name__} is flaky: {FLAKY}\n{seen.failed}") from None
        except Exception as error:
            raise error.with_traceback(since(said["hypothesis"].inner_test, error.__traceback__)) from error.__cause__
        in_the_end()

    return wrapper


def since(function: Callable[..., Any], trace: TracebackType | None) -> TracebackType | None:
    """A traceback from where a function was called: without the frames of hypothesis; whole if it was not."""
    part = trace
    while part is not None and part.tb_frame.f_code is not function.__code__:
        part = part.tb_next
    return part or trace


def in_the_end(f: Any, seen: Seen, default: bool, options: dict[str, Any]) -> None:
    """Fail for what is found after all calls."""
    __tracebackhide__ = True
    if seen.calls:
        call = seen.calls[0][0]
        again = lambda values: quietly(call, values, options)
        found = [one for one in of_run(seen, again, default) if one.verdict == FAIL]
        report = GradientReport(named(f), found, f"gradient_test({named(f)})()")
        concluded(report, raises=True)


def quietly(call: Any, values: list[Any], options: dict[str, Any]) -> GradientReport:
    """The report on one call, whose overflows are no warnings."""
    with np.errstate(all="ignore"):
        return check_gradients(call, *values, raises=False, **options)


def named(f: Any) -> str:
    """What a function is called."""
    return str(getattr(f, "__name__", type(f).__name__))


def expect_options(f: Any, order: Any, options: dict[str, Any]) -> None:
    """Refuse what cannot be tested, and options that `check_gradients` does not have, before anything is drawn."""
    if not callable(f):
        raise refusal(
            TypeError, f"gradient_test takes a function, got {type(f).__name__}: gradient_test(f), not f(x)"
        )
    if unknown := [name for name in options if name not in OPTIONS]:
        raise refusal(ValueError, f"no option {', '.join(unknown)}: gradient_test has order, {', '.join(OPTIONS)}")
    expect_choices(Settings(order, **{name: value for name, value in options.items() if name != "seed"}))


def parameters(f: Any) -> list[inspect.Parameter] | None:
    """The parameters of a function; None if it does not tell them."""
    if hasattr(f, "nin"):
        return [inspect.Parameter(f"x{i}" if i else "x", inspect.Parameter.POSITIONAL_ONLY) for i in range(f.nin)]
    try:
        return list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return None


def takes_any(f: Any) -> bool:
    """Whether a function takes its arguments in order, whatever they are called."""
    return hasattr(f, "nin") or any(p.kind is p.VAR_POSITIONAL for p in parameters(f) or ())


def positional(f: Any) -> list[str]:
    """The names of the positional parameters without a default."""
    names = [p.name for p in parameters(f) or () if p.kind in POSITIONAL and p.default is p.empty]
    if not names:
        raise refusal(
            TypeError, f'{named(f)} tells no parameters that need a value: say them, args={{"x": tensors()}}'
        )
    return names


def expected(f: Any, args: Mapping[str, Any], strategy: type) -> dict[str, Any]:
    """The strategies by name in the order of the parameters; TypeError for what does not fit the function."""
    if not hasattr(args, "items") or not args:
        raise refusal(TypeError, f'args is a dict from names to strategies, {{"x": tensors()}}; got {args!r}')
    for name, drawn in args.items():
        if not isinstance(drawn, strategy):
            use = "tensors(domain=(-2, 2)), or hypothesis.strategies.just(...) for what stays the same"
            raise refusal(TypeError, f"args[{name!r}] is of type {type(drawn).__name__}: give a strategy, {use}")
    found = parameters(f)
    if found is None or takes_any(f):
        return dict(args)
    names = [p.name for p in found if p.kind is not p.VAR_KEYWORD]
    missing = [p.name for p in found if p.default is p.empty and p.name in names and p.name not in args]
    unknown = [name for name in args if name not in names]
    if missing or unknown:
        faults = [f"no strategy for {n!r}" for n in missing] + [f"no parameter {n!r}" for n in unknown]
        raise refusal(TypeError, f"{named(f)}({', '.join(names)}): {', '.join(faults)}")
    return {name: args[name] for name in names if name in args}


def joint(f: Any) -> SearchStrategy[dict[str, Any]]:
    """Arrays that broadcast together, one for each positional parameter; of the table's, what its entry declares."""
    from hypothesis import strategies as st

    from tinygrad_edu.testing.strategies import tensors
    from tinygrad_edu.testing.strategies.shapes_and_indices import shapes, together

    arrived()
    op = OPERATIONS.get(f)
    names = positional(f)
    each = intervals(op, len(names)) if op else [REALS] * len(names)
    if DEFINITE in each:
        raise refusal(
            TypeError, f"{named(f)} takes symmetric matrices: check_op({named(f)}) keeps them so while it moves them"
        )
    points: dict[str, Any] = {"kinks": op.kinks, "singular": op.singular} if op else {}
    cases = [shapes for shapes, given in op.cases if not given and len(shapes) == len(names)] if op else []

    def arrays(chosen: Any) -> SearchStrategy[dict[str, Any]]:
        drawn = [tensors(shape, domain, **points) for shape, domain in zip(chosen, each, strict=True)]
        return st.builds(dict, **dict(zip(names, drawn, strict=True)))  # in this order

    usual = together(len(names)) if len(names) > 1 else st.tuples(shapes())
    return (st.sampled_from(cases) if cases else usual).flatmap(arrays)


def bound(f: Any, arguments: dict[str, Any]) -> tuple[Callable[..., Any], list[Any]]:
    """A function of the arguments in order, and their values; f itself if it takes them by position."""
    found = parameters(f)
    names = list(arguments)
    by_position = [p.name for p in found or () if p.kind in POSITIONAL]
    if found is None or takes_any(f) or names == by_position[: len(names)]:
        return f, list(arguments.values())

    def call(*values: Any) -> Any:
        return f(**dict(zip(names, values, strict=True)))

    name = called(f) if called(f).isidentifier() else f"({called(f)})"
    call.__name__ = f"lambda {', '.join(names)}: {name}({', '.join(f'{n}={n}' for n in names)})"
    return call, list(arguments.values())


def shown(arguments: dict[str, Any]) -> str:
    """Arguments by name, as code."""
    return ", ".join(f"{name}={written(value)}" for name, value in arguments.items())


def checked(f: Any, arguments: dict[str, Any], default: bool, options: dict[str, Any], seen: Seen) -> GradientReport:
    """The report on one call; GradientError if it fails or two calls differ, ValueError outside of the domain."""
    call, values = bound(f, arguments)
    try:
        with np.errstate(all="ignore"):  # what is not finite is an error below
            report = quietly(call, values, options)
            finite = all(bool(np.all(np.isfinite(plain(leaf)))) for leaf in leaves(call(*values)))
    except Exception as error:
        if default:
            error.add_note(f"{named(f)} was given {shown(arguments)}: say shapes and domains, args={{...}}")
        raise
    if call is not f:
        report.name = named(f)
    seen.add(call, values, report)
    if report.verdict == FAIL or any(f.verdict == INCONCLUSIVE and f.note for f in report.findings):
        raise GradientError(str(report))
    if report.verdict == INCONCLUSIVE and not finite:
        domain = f'args={{"{next(iter(arguments))}": tensors(domain=(0.0, np.inf))}}'
        raise refusal(ValueError, f"{named(f)} is nan or inf at {shown(arguments)}: say its domain, such as {domain}")
    return report
