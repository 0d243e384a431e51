"""Faults where checkers of gradients do not look: `check_op` and `gradient_test` find every one of them.

The faults are planted in right rules. Each shows only for some cotangents, at some orders, in calls that the author
did not think of, at few places, or after some calls.
"""

from itertools import count

import numpy as np
import pytest
from hypothesis import Phase, settings

import tinygrad_edu as te
from tinygrad_edu.inputs import plain
from tinygrad_edu.table import REALS, REGULAR, Op, case
from tinygrad_edu.testing import FAIL, check_op

pytestmark = pytest.mark.no_cover
QUICK = settings(
    max_examples=40, database=None, deadline=None, derandomize=True, report_multiple_bugs=False,
    phases=[Phase.generate, Phase.shrink],
)  # fmt: skip


def cubic(x):
    return x * x * x + x


def ratio(x, y):
    return x / (1 + y * y)


def total(x, axis=None, keepdims=False):
    return np.sum(x * x, axis=axis, keepdims=keepdims)


def inverse(x):
    return np.linalg.inv(x)


def sine(x):
    return np.sin(x)


def off(wrong, amount=1e-3):
    """A factor that is wrong where a condition holds."""
    return np.where(plain(wrong), 1.0 + amount, 1.0)


def of_g(wrong):
    """The rule of `cubic` with a fault for some cotangents."""
    return Op(cubic, [lambda g, out, x: wrong(g) * (3 * x**2 + 1)], domain=REALS)


def of_x(wrong, f=cubic, slope=lambda x: 3 * x**2 + 1, domain=REALS):
    """The rule of a function with a fault at some places."""
    return Op(f, [lambda g, out, x: g * slope(x) * off(wrong(plain(x)))], domain=domain)


def of_two(first=lambda g, x, y: g, second=lambda g, x, y: g):
    """The rules of `ratio` with faults."""
    return Op(
        ratio,
        [
            lambda g, out, x, y: first(g, x, y) / (1 + y * y),
            lambda g, out, x, y: second(g, x, y) * -2 * x * y / (1 + y * y) ** 2,
        ],
        domain=REALS,
    )


def spread(g, x, axis, keepdims):
    """A gradient brought back to the shape before a sum."""
    if axis is not None and not keepdims and x.ndim:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g if axis is not None else np.reshape(g, (1,) * x.ndim), x.shape)


def of_sum(wrong):
    """The rule of `total` with a fault in some calls."""
    rule = lambda g, out, x, *, axis=None, keepdims=False: (
        spread(g, x, axis, keepdims) * 2 * x * off(wrong(plain(x), axis, keepdims))
    )
    return Op(total, [rule], domain=REALS, cases=[case((2, 3)), case((2, 3), axis=0)])


def of_inverse(wrong):
    """The rule of an inverse with a fault for some matrices."""
    rule = lambda g, out, x: -(out.mT @ g @ out.mT) * off(wrong(plain(x)))
    return Op(inverse, [rule], domain=REGULAR, cases=[case((2, 2)), case((3, 3))])


def picked(x, index):
    return x[index] * 1.0


def scattered(g, x, index, add):
    """A gradient put back to where it came from."""
    found = np.zeros_like(x)
    if add:
        np.add.at(found, index, plain(g))
    else:
        found[index] = plain(g)
    return found


def of_index(wrong):
    """The rule of indexing with a fault for some indices."""
    rule = lambda g, out, x, *, index: scattered(g, x, index, not wrong(np.ravel(index)))
    return Op(picked, [rule], domain=REALS, cases=[case((4,), index=[0, 2]), case((4, 2), index=[0, 1, 3])])


def after(times):
    """The rule of `cubic`, wrong from some call on."""
    calls = count(1)
    return Op(cubic, [lambda g, out, x: g * (3 * x**2 + 1) * (1.001 if next(calls) > times else 1.0)], domain=REALS)


def remembering(key):
    """The rule of `cubic`, with slopes that are computed once for each key."""
    known = {}

    def rule(g, out, x):
        return g * known.setdefault(key(plain(x)), 3 * plain(x) ** 2 + 1)

    return Op(cubic, [rule], domain=REALS)


def shared():
    """Two rules of which the second uses what the first one left."""
    left = {}

    def first(g, out, x, y):
        left[np.shape(plain(y))] = 1 / (1 + y * y) ** 2
        return g / (1 + y * y)

    def second(g, out, x, y):
        return g * -2 * x * y * left.get(np.shape(plain(y)), 1.0)

    return Op(ratio, [first, second], domain=REALS)


class Cut:
    """Derivatives of `sine` that are right up to an order."""

    def __init__(self, order):
        self.order = order

    def op(self):
        def slope(x):
            return np.cos(x)

        third = te.primitive(slope, lambda g, out, x: -g * np.sin(plain(x)), domain=REALS)
        rule = (lambda g, out, x: g * np.cos(plain(x))) if self.order == 1 else (lambda g, out, x: g * third(x))
        return Op(sine, [rule], domain=REALS)


COTANGENTS = {
    "all ones": lambda g: g * off(np.all(plain(g) == 1.0)),
    "minus one": lambda g: g * off(np.all(plain(g) == -1.0)),
    "all equal": lambda g: g * off(np.size(plain(g)) > 1 and np.ptp(plain(g)) == 0),
    "tiny": lambda g: g * off(np.abs(plain(g)) < 1e-8),
    "tiny is cut off": lambda g: g * (np.abs(plain(g)) > 1e-12),
    "clipped": lambda g: np.clip(g, -100, 100),
    "huge": lambda g: g * off(np.max(np.abs(plain(g)), initial=0) > 1e7),
    "nan is zero": lambda g: np.where(np.isnan(plain(g)), 0.0, g),
    "zero in places": lambda g: g * off(np.any(plain(g) == 0) and not np.all(plain(g) == 0)),
    "one hot": lambda g: g * off(np.size(plain(g)) > 1 and np.count_nonzero(plain(g)) == 1),
    "all positive": lambda g: g * off(np.all(plain(g) > 0)),
    "whole numbers": lambda g: g * off(np.all(plain(g) == np.round(plain(g)))),
}
PLACES = {
    "-0.0": lambda x: (x == 0) & np.signbit(x),
    "0.0": lambda x: x == 0,
    "whole numbers": lambda x: x == np.round(x),
    "1": lambda x: x == 1,
    "-1": lambda x: x == -1,
    "halves": lambda x: 2 * x == np.round(2 * x),
    "a thousand": lambda x: np.abs(x) > 900,
    "a million": lambda x: np.abs(x) > 9e5,
    "a bump": lambda x: np.abs(x - 1.2345) < 0.01,
    "a bump far out": lambda x: np.abs(x + 7.7) < 0.02,
    "next to 0": lambda x: np.abs(x) < 1e-3,
    "from 5 to 6": lambda x: (x > 5) & (x < 6),
}
CALLS = {
    "negative axes": lambda x, axis, keepdims: axis is not None and np.min(axis) < 0,
    "the last axis": lambda x, axis, keepdims: axis in (-1, x.ndim - 1),
    "several axes": lambda x, axis, keepdims: isinstance(axis, tuple),
    "no axis, kept": lambda x, axis, keepdims: axis is None and keepdims,
    "kept": lambda x, axis, keepdims: keepdims,
    "three axes": lambda x, axis, keepdims: x.ndim > 2,
    "four axes": lambda x, axis, keepdims: x.ndim > 3,
    "one axis": lambda x, axis, keepdims: x.ndim == 1,
    "no axes": lambda x, axis, keepdims: x.ndim == 0,
    "square": lambda x, axis, keepdims: x.ndim == 2 and x.shape[0] == x.shape[1],
    "tall": lambda x, axis, keepdims: x.ndim == 2 and x.shape[0] > x.shape[1],
    "size 1": lambda x, axis, keepdims: x.size == 1,
    "an axis of 1": lambda x, axis, keepdims: 1 in x.shape,
    "large": lambda x, axis, keepdims: x.size > 64,
    "whole numbers": lambda x, axis, keepdims: np.all(x == np.round(x)),
    "all equal to 1": lambda x, axis, keepdims: x.size > 1 and np.all(x == 1),
    "a zero": lambda x, axis, keepdims: np.any(x == 0),
    "a thousand": lambda x, axis, keepdims: np.max(np.abs(x), initial=0) > 900,
    "a bump": lambda x, axis, keepdims: np.abs(x - 1.2) < 0.02,
}
INDICES = {
    "negative": lambda index: np.min(index) < 0 and len(set(index)) < len(index),
    "repeated": lambda index: len(set(index)) < len(index),
    "unsorted": lambda index: np.any(np.diff(index) < 0) and len(set(index)) < len(index),
}
MATRICES = {
    "one by one": lambda x: x.shape[-1] == 1,
    "four by four": lambda x: x.shape[-1] == 4,
    "many": lambda x: x.ndim > 2,
    "diagonal": lambda x: np.count_nonzero(x) == x.shape[-1] > 1,
    "symmetric": lambda x: x.shape[-1] > 1 and np.array_equal(x, x.mT),
    "nearly singular": lambda x: np.any(np.linalg.cond(x) > 1e3),
    "large": lambda x: np.max(np.abs(x)) > 900,
    "whole numbers": lambda x: np.all(x == np.round(x)),
}
BROADCAST = {
    "ranks two apart": lambda x, y: abs(np.ndim(x) - np.ndim(y)) > 1,
    "a number and a matrix": lambda x, y: {np.ndim(x), np.ndim(y)} == {0, 2},
    "one axis inside": lambda x, y: np.shape(x)[-2:-1] == (1,) and np.shape(y)[-2:-1] not in ((), (1,)),
    "three axes": lambda x, y: max(np.ndim(x), np.ndim(y)) == 3,
    "equal": lambda x, y: x == y,
    "a variable beside a constant": lambda x, y: isinstance(x, float),
}
FAULTS = {
    **{f"cotangent: {name}": lambda wrong=wrong: of_g(wrong) for name, wrong in COTANGENTS.items()},
    **{f"place: {name}": lambda wrong=wrong: of_x(wrong) for name, wrong in PLACES.items()},
    "place: a bump in (0, 1)": lambda: of_x(lambda x: np.abs(x - 0.77) < 0.004, domain=(0.0, 1.0)),
    "place: float16": lambda: Op(
        cubic, [lambda g, out, x: g * (3 * x**2 + 1) * (2.0 if out.dtype == np.float16 else 1.0)], domain=REALS
    ),
    "place: float16, in a sum": lambda: Op(
        total, [lambda g, out, x: g * 2 * x * (1.0 + (out.dtype == np.float16))], domain=REALS, cases=[case((3,))]
    ),
    "place: where sine is 1": lambda: of_x(lambda x: np.abs(x) > 2e5, sine, np.cos),
    **{f"call: {name}": lambda wrong=wrong: of_sum(wrong) for name, wrong in CALLS.items()},
    **{f"index: {name}": lambda wrong=wrong: of_index(wrong) for name, wrong in INDICES.items()},
    **{f"matrix: {name}": lambda wrong=wrong: of_inverse(wrong) for name, wrong in MATRICES.items()},
    **{
        f"two, {k}: {name}": lambda wrong=wrong, k=k: of_two(
            **{k: lambda g, x, y: g * off(wrong(plain(x), plain(y)))}
        )
        for name, wrong in list(BROADCAST.items())[:-1]
        for k in ("first", "second")
    },
    "order: g is cut": lambda: Op(cubic, [lambda g, out, x: plain(g) * (3 * x**2 + 1)], domain=REALS),
    "order: half of g is cut": lambda: Op(
        cubic, [lambda g, out, x: (0.5 * g + 0.5 * plain(g)) * (3 * x**2 + 1)], domain=REALS
    ),
    "order: second": Cut(1).op,
    "order: third": Cut(2).op,
    "memory: wrong after 300 calls": lambda: after(300),
    "memory: wrong after 1,000 calls": lambda: after(1_000),
    "memory: by shape": lambda: remembering(np.shape),
    "memory: by the first entry": lambda: remembering(lambda x: (x.shape, float(np.ravel(x)[0]) if x.size else 0)),
    "memory: by the sum": lambda: remembering(lambda x: (x.shape, round(float(np.sum(x)), 9))),
    "memory: by the largest": lambda: remembering(lambda x: (x.shape, float(np.max(x, initial=0)))),
    "memory: of the other rule": shared,
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_check_op_finds_it(fault, table):
    report = check_op(FAULTS[fault](), raises=False)
    assert report.verdict == FAIL
