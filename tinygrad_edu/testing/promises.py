"""What an operation promises besides its slopes: about values, cotangents, memory, layouts, and empty arrays.

One function checks one promise, on drawn arguments, and says in the words of its author what is broken. `operation`
puts them together.

Source: JuliaDiff's ChainRulesTestUtils (White et al., 2021), for most of the promises.
"""

from __future__ import annotations

import warnings

import numpy as np

from tinygrad_edu.backward import gradients, vjps
from tinygrad_edu.testing.drawing import Drawn, emptied, intervals
from tinygrad_edu.testing.layouts import read_only, strided, turned
from tinygrad_edu.testing.numeric import EPS
from tinygrad_edu.testing.report import promise
from tinygrad_edu.transforms import jvp
from tinygrad_edu.value import Value, apply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tinygrad_edu.table import Op
    from tinygrad_edu.testing.report import Finding

NARROW, EXACT, LINEAR = 2e-4, 1e-11, 64 * EPS


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
    held = vjps(out, seed, xs)
    first, again = [np.array(g) for g in held], [np.array(g) for g in vjps(out, np.array(u), xs)]
    yield promise(
        "cotangent", np.array_equal(seed, u), "the rule changes its incoming gradient: write g * x, not g *= x"
    )
    kept = all(np.array_equal(x.data, a) for x, a in zip(xs, drawn.arrays, strict=True))
    yield promise("in place", kept, "the arguments were changed: a rule or the function works in place")
    other, both, none = ([np.array(g) for g in vjps(out, np.asarray(c), xs)] for c in (v, 2 * u + 3 * v, 0 * u))
    for i, g in enumerate(first):
        place = f"argument {i}"
        yield promise(place, np.array_equal(g, held[i]), "the gradient changes later: return a new array every time")
        yield promise(place, np.array_equal(g, again[i]), "the same cotangent gives another gradient the second time")
        largest = float(np.max(2 * np.abs(g) + 3 * np.abs(other[i]), initial=0.0))
        linear = np.allclose(both[i], 2 * g + 3 * other[i], rtol=0.0, atol=LINEAR * largest)
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


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "in Fortran's order": np.asfortranarray,
    "read-only": read_only,
    "with a negative stride": turned,
    "strided": strided,
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


def of_strides(op: Op, drawn: Drawn, rng: np.random.Generator) -> Iterator[Finding]:
    """Arrays that repeat one number without a copy give what their copies give."""
    if any(isinstance(part, str) for part in intervals(op, len(drawn.arrays))):
        return  # a matrix of one number is not regular
    views = [np.broadcast_to(np.ravel(a)[:1].reshape((1,) * np.ndim(a)), np.shape(a)) for a in drawn.arrays]
    results = []
    for arrays in (views, [np.array(view) for view in views]):
        xs = [Value(a) for a in arrays]
        out = apply(op, tuple(xs), drawn.options)
        results.append([out.data, *vjps(out, np.full(out.shape, 1.25), xs)])
    same = all(np.allclose(a, b, rtol=EXACT, atol=EXACT, equal_nan=True) for a, b in zip(*results, strict=True))
    yield promise("layout", same, "arrays that repeat one number with stride 0 give another result than their copies")


def of_scalars(op: Op, drawn: Drawn, rng: np.random.Generator) -> Iterator[Finding]:
    """Python's numbers give what arrays without axes give, as variables and beside one."""
    if not drawn.arrays or any(np.shape(a) for a in drawn.arrays):
        return
    expected = results(op, [Value(np.asarray(a)) for a in drawn.arrays], drawn.options)
    found = results(op, [Value(float(a)) for a in drawn.arrays], drawn.options)
    yield promise("scalars", alike(found, expected), "Python numbers give another result than arrays without axes")
    for i in range(len(drawn.arrays) if len(drawn.arrays) > 1 else 0):
        mixed = [[Value(np.asarray(a)) if j == i else kind(a) for j, a in enumerate(drawn.arrays)]
                 for kind in (float, np.float64, np.asarray)]  # fmt: skip
        number, scalar, array = (results(op, arrays, drawn.options) for arrays in mixed)
        note = f"argument {i} has another gradient beside a Python number than beside an array without axes"
        yield promise("scalars", alike(number, array) and alike(scalar, array), note)


def results(op: Op, args: list[Any], options: dict[str, Any]) -> list[Any]:
    """A result, and the gradients of the variables among the arguments."""
    out = apply(op, tuple(args), options)
    return [out.data, *vjps(out, np.ones_like(out.data), [x for x in args if isinstance(x, Value)])]


def alike(found: list[Any], expected: list[Any]) -> bool:
    """The same shapes and the same numbers."""
    return all(
        np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=4 * EPS, atol=0.0)
        for a, b in zip(found, expected, strict=True)
    )


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
            found = [g.shape for g in vjps(out, np.ones_like(out.data), xs)]
        except (ValueError, TypeError, IndexError, ArithmeticError, RuntimeWarning) as error:
            found = [str(error)]
        expected = [a.shape for a in empty]
        given = ", ".join(map(str, expected))
        yield promise("empty", found == expected, f"arrays of shape {given} have gradients {found}")


def computes(op: Op, arrays: list[Any], options: dict[str, Any]) -> bool:
    """Whether the function itself takes arrays without a complaint."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            op.compute(*arrays, **options)
        except (ValueError, IndexError, TypeError, ArithmeticError, RuntimeWarning):
            return False
    return True


def of_twice(op: Op, drawn: Drawn, rng: np.random.Generator) -> Iterator[Finding]:
    """f(x, x) has the sum of all gradients, where x is in the domain of every argument."""
    count, shape = len(drawn.arrays), np.shape(drawn.arrays[0]) if drawn.arrays else ()
    if count < 2 or any(np.shape(a) != shape for a in drawn.arrays):
        return
    z, pair = Value(drawn.arrays[0]), [Value(np.array(drawn.arrays[0])) for _ in range(count)]
    with np.errstate(all="ignore"):
        out = apply(op, (z,) * count, drawn.options)
        u = np.linspace(-1.0, 2.0, out.size).reshape(out.shape)
        (once,), found = vjps(out, u, [z]), vjps(apply(op, tuple(pair), drawn.options), u, pair)
        twice = sum(found[1:], start=found[0])
    same = np.allclose(once, twice, rtol=1e-14, atol=1e-14, equal_nan=True)
    note = "f(x, x) does not have the sum of both gradients: is the rule's result changed later?"
    yield promise("twice", same, note)


PROMISES = (of_precision, of_cotangents, of_memory, of_layouts, of_strides, of_scalars, of_twice)
