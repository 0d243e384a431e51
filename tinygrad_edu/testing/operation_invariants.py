"""What an operation's entry in the table declares besides its slopes, each asked of one drawn call.

These functions are entered in the list `INVARIANTS` of `invariants`: each says what is broken, in the words of its
author, and nothing if all is well; None if this call does not show it. They need an entry, because only that says
which NumPy function an operation has to equal, and that all of its domain may be called.

Source: White et al., "ChainRulesTestUtils" (2021), for most of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu.backward import gradients, vjps
from tinygrad_edu.testing.arguments import Entry, caller, intervals, moved_axes, read_only, strided, turned
from tinygrad_edu.testing.differences.numeric import EPS
from tinygrad_edu.transforms import jvp
from tinygrad_edu.value import Value, apply

ORDERED = 1e-11  # another layout sums in another order, in one operation
NARROW = 2e-4  # float32 has 6e-8; a rule that cancels may lose three digits of it, a wrong one is farther off
FORWARD = 1e-9  # forward and reverse compute the same sums in another order


def called(entry: Entry, arrays: list[Any], weights: Callable[[Any], Any] = np.ones) -> list[Any]:
    """The result of an operation, and the gradients of its variables; `weights` of a shape are the cotangent."""
    out = apply(entry.op, tuple(arrays), entry.drawn.options)
    cotangent = np.asarray(weights(out.shape), out.dtype)
    return [out.data, *vjps(out, cotangent[()], [x for x in arrays if isinstance(x, Value)])]


def value(entry: Entry) -> str:
    """The value is that of the function."""
    op = entry.op
    arrays = entry.drawn.arrays
    options = entry.drawn.options
    expected = op.function(*arrays, **options)
    out = op.function(*map(Value, arrays), **options)
    if not isinstance(out, Value) or not np.array_equal(out.data, expected, equal_nan=True):
        return "Values give another result than arrays do"
    fast = op.compute(*arrays, **options)
    return "" if np.allclose(fast, expected, rtol=2 * EPS, atol=0.0) else "compute differs from the function"


def forward(entry: Entry) -> str | None:
    """Forward mode agrees with reverse mode; rules of first order only have no forward mode."""
    if entry.order < 2:
        return None
    rng = np.random.default_rng(0)
    arrays = entry.drawn.arrays
    f = caller(entry.op, entry.drawn.options)
    tangents = [rng.normal(size=np.shape(a)) for a in arrays]
    result, pushed = jvp(f, tuple(arrays), tuple(tangents))
    u = rng.normal(size=np.shape(result))
    xs = [Value(a) for a in arrays]
    reverse = sum(np.sum(g * t) for g, t in zip(gradients(np.sum(f(*xs) * u), xs), tangents, strict=True))
    agree = np.allclose(np.sum(pushed * u), reverse, rtol=FORWARD, atol=FORWARD)
    return "" if agree else "forward and reverse disagree: is the entry wrongly declared linear?"


def narrow(entry: Entry) -> str:
    """float32 in, float32 gradients out, of the arguments' shapes and near those of float64."""
    arrays = entry.drawn.arrays
    weights = lambda shape: np.full(shape, 1.5)
    wide = called(entry, [Value(a) for a in arrays], weights)[1:]
    halves = [np.asarray(a, np.float32) for a in arrays]
    found = called(entry, [Value(a) for a in halves], weights)[1:]
    for i, (x, g, expected) in enumerate(zip(halves, found, wide, strict=True)):
        if (g.dtype, g.shape) != (np.dtype(np.float32), x.shape):
            return f"argument {i} is float32 {x.shape}, and its gradient {g.dtype} {g.shape}"
        if not np.allclose(g, expected, rtol=NARROW, atol=NARROW):
            return f"the gradient of argument {i} in float32 is far from the one in float64"
    return ""


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "in Fortran's order": np.asfortranarray,
    "read-only": read_only,
    "with a negative stride": turned,
    "strided": strided,
    "with moved axes": moved_axes,
}


def layouts(entry: Entry) -> str:
    """The layout in memory makes no difference."""
    weights = lambda shape: np.random.default_rng(0).normal(size=shape)
    arrays = [np.asarray(a) for a in entry.drawn.arrays]
    expected = called(entry, [Value(a.copy()) for a in arrays], weights)
    for name, laid_out in LAYOUTS.items():
        try:
            found = called(entry, [Value(laid_out(a)) for a in arrays], weights)
        except ValueError as error:
            return f"arrays {name} are refused: {error}"
        if not all(np.allclose(a, b, rtol=ORDERED, atol=ORDERED) for a, b in zip(found, expected, strict=True)):
            return f"arrays {name} give another result: does a rule use reshape, ravel or strides of its argument?"
    return ""


def stride_0(entry: Entry) -> str | None:
    """Arrays that repeat one number without a copy give what their copies give."""
    arrays = entry.drawn.arrays
    if any(isinstance(part, str) for part in intervals(entry.op, len(arrays))):
        return None  # a matrix of one number is not regular
    views = [np.broadcast_to(np.ravel(a)[:1].reshape((1,) * np.ndim(a)), np.shape(a)) for a in arrays]
    weights = lambda shape: np.full(shape, 1.25)
    found = called(entry, [Value(view) for view in views], weights)
    expected = called(entry, [Value(np.array(view)) for view in views], weights)
    agree = all(
        np.allclose(a, b, rtol=ORDERED, atol=ORDERED, equal_nan=True) for a, b in zip(found, expected, strict=True)
    )
    return "" if agree else "arrays that repeat one number with stride 0 give another result than their copies"


def scalars(entry: Entry) -> str | None:
    """Python's numbers give what arrays without axes give, as variables and beside one."""
    arrays = entry.drawn.arrays
    if not arrays or any(np.shape(a) for a in arrays):
        return None
    expected = called(entry, [Value(np.asarray(a)) for a in arrays])
    if not equal(called(entry, [Value(float(a)) for a in arrays]), expected):
        return "Python numbers give another result than arrays without axes"
    for i in range(len(arrays) if len(arrays) > 1 else 0):
        number, scalar, array = (
            called(entry, [Value(np.asarray(a)) if j == i else made(a) for j, a in enumerate(arrays)])
            for made in (float, np.float64, np.asarray)
        )
        if not equal(number, array) or not equal(scalar, array):
            return f"argument {i} has another gradient beside a Python number than beside an array without axes"
    return ""


def equal(found: list[Any], expected: list[Any]) -> bool:
    """The same shapes and, but for the last bits, the same numbers."""
    return all(
        np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=4 * EPS, atol=0.0)
        for a, b in zip(found, expected, strict=True)
    )
