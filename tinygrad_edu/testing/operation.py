"""`check_op`: everything that an entry of the table promises, derived from the entry alone.

The arguments are drawn from the declared domain, in the declared shapes and options. One function checks one promise:
the value, the gradients to second order, both directions, float32, cotangents, memory, layouts, empty arrays.

Source: JuliaDiff's ChainRulesTestUtils (White et al., 2021), where one call tests a rule completely.
"""

from __future__ import annotations

import warnings

import numpy as np

from tinygrad_edu.backward import gradients, pulled
from tinygrad_edu.errors import BroadcastWarning
from tinygrad_edu.op import OPERATIONS, Op
from tinygrad_edu.testing.check import check_gradients
from tinygrad_edu.testing.drawing import Drawn, caller, calls, draw
from tinygrad_edu.testing.report import FAIL, INCONCLUSIVE, Finding, GradientError, GradientReport, promise
from tinygrad_edu.transforms import jvp
from tinygrad_edu.value import Value, apply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Array = np.ndarray[Any, Any]

NARROW, EXACT = 2e-4, 1e-11


def check_op(
    op: Op | Callable[..., Any], *, order: int = 2, repeats: int = 2, seed: int = 0, raises: bool = True
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
    raises
        Whether FAIL and INCONCLUSIVE raise; the report is returned otherwise.

    Returns
    -------
    GradientReport
        The gradients by differences, and besides: the value is that of the function; forward agrees with reverse;
        float32 gives float32; gradients are linear in the cotangent, exactly 0 for 0, the same twice, and share no
        memory; nothing is changed in place; the layout in memory makes no difference; empty arrays work; f(x, x)
        has the sum of both gradients.

    Raises
    ------
    GradientError
        If a promise is broken, or a gradient could not be judged.
    TypeError
        If the function is not in the table, or takes any number of arguments and shows no cases.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import check_op
    >>> check_op(np.tanh).verdict
    'PASS'
    """
    entry, findings = op if isinstance(op, Op) else found(op), list[Finding]()
    if not calls(entry):
        raise TypeError(f"{entry.name} takes any number of arguments: its entry shows none, cases=[case((2,), (2,))]")
    both = [("", entry)] + [("alone: ", entry.alone)] * (entry.alone is not entry)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BroadcastWarning)
        for name, one in both:
            for finding in promises(one, np.random.default_rng(seed), order, repeats):
                finding.place = name + finding.place
                findings.append(finding)
    report = GradientReport(entry.name, findings, f"check_op({entry.name}, order={order}, seed={seed})")
    if raises and report.verdict in (FAIL, INCONCLUSIVE):
        raise GradientError(str(report))
    return report


def found(function: Any) -> Op:
    """The entry of a function."""
    if function in OPERATIONS:
        return OPERATIONS[function]
    name = getattr(function, "__name__", repr(function))
    raise TypeError(
        f"{name} has no entry in the table: check_op(te.custom(pullbacks, domain=...)({name})), or, for a function "
        f"made of differentiable ones, check_gradients({name}, ...)"
    )


def promises(op: Op, rng: np.random.Generator, order: int, repeats: int) -> Iterator[Finding]:
    """Every promise, for every declared call."""
    for call in calls(op) * repeats:
        drawn = draw(op, rng, call)
        seed = int(rng.integers(2**32))
        options = ", ".join(f"{name}={value!r}" for name, value in call[1].items())
        shapes = ", ".join(str(np.shape(array)) for array in drawn.arrays)
        for finding in of_call(op, drawn, order, seed):
            finding.place = f"{op.name}({shapes}{', ' if options else ''}{options}), {finding.place}"
            yield finding
    if op.elementwise:
        yield from of_empty(op)
        yield from of_twice(op, draw(op, rng, calls(op)[0]))


def of_call(op: Op, drawn: Drawn, order: int, seed: int) -> Iterator[Finding]:
    """Every promise about one call."""
    yield from of_value(op, drawn)
    call = caller(op, drawn.options)
    found = check_gradients(call, *drawn.arrays, order=order, seed=seed, distance=drawn.distance, raises=False)
    yield from found.findings
    rng = np.random.default_rng(seed)
    yield from of_directions(call, drawn, rng) if order > 1 else ()
    for check in (of_precision, of_cotangents, of_memory, of_layouts):
        yield from check(op, drawn, rng)


def of_value(op: Op, drawn: Drawn) -> Iterator[Finding]:
    """The value is that of the function."""
    expected = op.function(*drawn.arrays, **drawn.options)
    out = op.function(*map(Value, drawn.arrays), **drawn.options)
    right = isinstance(out, Value) and np.array_equal(out.data, expected, equal_nan=True)
    yield promise("value", right, "Values give another result than arrays do")
    fast = op.compute(*drawn.arrays, **drawn.options)
    yield promise("value", np.allclose(fast, expected, rtol=4e-16, atol=0.0), "compute differs from the function")


def of_directions(call: Any, drawn: Drawn, rng: np.random.Generator) -> Iterator[Finding]:
    """Forward agrees with reverse."""
    tangents = [rng.normal(size=np.shape(a)) for a in drawn.arrays]
    value, pushed = jvp(call, tuple(drawn.arrays), tuple(tangents))
    u, xs = rng.normal(size=np.shape(value)), [Value(a) for a in drawn.arrays]
    reverse = sum(np.sum(g * t) for g, t in zip(gradients(np.sum(call(*xs) * u), xs), tangents, strict=True))
    close = np.allclose(np.sum(pushed * u), reverse, rtol=1e-9, atol=1e-9)
    yield promise("forward", close, "forward and reverse disagree: is the entry wrongly declared linear?")


def of_precision(op: Op, drawn: Drawn, rng: np.random.Generator) -> Iterator[Finding]:
    """float32 in, float32 gradients out, of the arguments' shapes."""
    wide = [Value(a) for a in drawn.arrays]
    narrow = [Value(np.asarray(a, np.float32)) for a in drawn.arrays]
    outs: list[Any] = [np.sum(apply(op, tuple(values), drawn.options) * 1.5) for values in (wide, narrow)]
    for i, (full, half) in enumerate(zip(gradients(outs[0], wide), gradients(outs[1], narrow), strict=True)):
        same = (half.dtype, half.shape) == (np.dtype(np.float32), narrow[i].shape)
        yield promise(f"argument {i}", same, f"float32 {narrow[i].shape} has a gradient {half.dtype} {half.shape}")
        close = np.allclose(half, full, rtol=NARROW, atol=NARROW)
        yield promise(f"argument {i}", close, "the gradient in float32 is far from the one in float64")


def of_cotangents(op: Op, drawn: Drawn, rng: np.random.Generator) -> Iterator[Finding]:
    """Linear in the cotangent, 0 for 0, the same twice, and the cotangent is left alone."""
    xs = [Value(np.array(a)) for a in drawn.arrays]
    out = apply(op, tuple(xs), drawn.options)
    u, v = rng.normal(size=out.shape), rng.normal(size=out.shape)
    seed = np.array(u)
    first, again = pulled(out, seed, xs), pulled(out, np.array(u), xs)
    yield promise(
        "cotangent", np.array_equal(seed, u), "the rule changes its incoming gradient: write g * x, not g *= x"
    )
    kept = all(np.array_equal(x.data, a) for x, a in zip(xs, drawn.arrays, strict=True))
    yield promise("in place", kept, "the arguments were changed: a rule or the function works in place")
    other, both, none = (pulled(out, np.asarray(c), xs) for c in (v, 2 * u + 3 * v, 0 * u))
    for i, g in enumerate(first):
        place = f"argument {i}"
        yield promise(place, np.array_equal(g, again[i]), "the same cotangent gives another gradient the second time")
        linear = np.allclose(both[i], 2 * g + 3 * other[i], rtol=1e-12, atol=1e-12)
        yield promise(place, linear, "the gradient is not linear in the cotangent: a rule is g times something")
        yield promise(place, not np.any(none[i]), "a zero cotangent gives a gradient that is not exactly 0")


def of_memory(op: Op, drawn: Drawn, rng: np.random.Generator) -> Iterator[Finding]:
    """Gradients share memory neither with each other, nor with arguments, nor with the cotangent."""
    xs = [Value(a) for a in drawn.arrays]
    out = apply(op, tuple(xs), drawn.options)
    cotangent = rng.normal(size=out.shape)
    out.backward(cotangent)
    for i, x in enumerate(xs):
        others = (*drawn.arrays, cotangent, *(y.grad for y in xs[:i]))
        shared = any(np.shares_memory(x.grad, array) for array in others)
        yield promise(f"argument {i}", not shared, "the gradient shares memory with something else")


def read_only(a: Any) -> Any:
    """A view that cannot be written to."""
    view = np.asarray(a).view()
    view.flags.writeable = False
    return view


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "in Fortran's order": np.asfortranarray,
    "read-only": read_only,
    "with a negative stride": lambda a: a[::-1].copy()[::-1] if a.ndim else a,
    "strided": lambda a: np.repeat(a, 2, -1)[..., ::2] if a.ndim else a,
    "with moved axes": lambda a: np.moveaxis(np.moveaxis(a, -1, 0).copy(), 0, -1) if a.ndim else a,
}


def of_layouts(op: Op, drawn: Drawn, rng: np.random.Generator) -> Iterator[Finding]:
    """The layout in memory makes no difference."""
    seed = int(rng.integers(2**32))

    def results(layout: Any) -> list[Any]:
        xs = [Value(layout(np.asarray(a))) for a in drawn.arrays]
        out = apply(op, tuple(xs), drawn.options)
        weights = np.random.default_rng(seed).normal(size=out.shape)
        return [out.data, *gradients(np.sum(out * weights), xs)]

    expected = results(np.array)
    for name, layout in LAYOUTS.items():
        note = f"arrays {name} give another result: does a rule use reshape, ravel or strides of its argument?"
        try:
            pairs = zip(results(layout), expected, strict=True)
            same = all(np.allclose(a, b, rtol=EXACT, atol=EXACT) for a, b in pairs)
        except ValueError as error:
            same, note = False, f"arrays {name} are refused: {error}"
        yield promise("layout", same, note)


def of_empty(op: Op) -> Iterator[Finding]:
    """Empty arrays have empty gradients."""
    xs = [Value(np.ones((0, 3))) for _ in op.pullbacks]  # type: ignore[union-attr]
    try:
        shapes = [g.shape for g in gradients(np.sum(apply(op, tuple(xs))), xs)]
    except ValueError as error:
        shapes = [str(error)]
    yield promise("empty", shapes == [(0, 3)] * len(xs), f"arrays of shape (0, 3) have gradients {shapes}")


def of_twice(op: Op, drawn: Drawn) -> Iterator[Finding]:
    """f(x, x) has the sum of both gradients, where x is in the domain of both arguments."""
    if len(drawn.arrays) != 2:
        return
    x = drawn.arrays[0]
    z, pair = Value(x), [Value(x), Value(x)]
    with np.errstate(all="ignore"):
        (once,) = gradients(np.sum(apply(op, (z, z))), [z])
        twice = sum(gradients(np.sum(apply(op, tuple(pair))), pair))
    same = np.allclose(once, twice, rtol=1e-14, atol=1e-14, equal_nan=True)
    yield promise(
        "twice", same, "f(x, x) does not have the sum of both gradients: is the rule's result changed later?"
    )
