"""Each promise is broken by its own fault, and by that fault alone."""

import numpy as np
import pytest

from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing import FAIL
from tinygrad_edu.testing import promises as kept
from tinygrad_edu.testing.drawing import draw


def product(x, y):
    return x * y


def by(rule):
    """The product of two numbers with another rule for the first."""
    return Op(product, [rule, lambda g, out, x, y: g * x], domain=REALS)


def where(condition):
    """The right rule, and where a condition on its arguments holds one that is 1e-6 off."""
    return by(lambda g, out, x, y: g * y * (1.0 + 1e-6 * bool(condition(g, x, y))))


def strides(a):
    return getattr(a, "strides", ()) or (8,)


def writeable(a):
    return not isinstance(a, np.ndarray) or a.flags.writeable or 0 in strides(a)


STORE = np.ones(64)


def stored(g, out, x, y):
    """The right gradient, in memory that is used for the next one too."""
    share = STORE[: np.size(g)].reshape(np.shape(g))
    np.multiply(g, y, out=share)
    return share


FAULTS = {
    "read-only": ("of_layouts", where(lambda g, x, y: not writeable(x)), "arrays read-only give another result"),
    "negative": ("of_layouts", where(lambda g, x, y: min(strides(x)) < 0), "arrays with a negative stride"),
    "strided": ("of_layouts", where(lambda g, x, y: strides(x)[-1] == 16), "arrays strided give another result"),
    "Fortran": (
        "of_layouts", where(lambda g, x, y: np.ndim(x) == 2 and not x.flags.c_contiguous and x.flags.f_contiguous),
        "arrays in Fortran's order",
    ),
    "stride 0": ("of_strides", where(lambda g, x, y: 0 in strides(x)), "arrays that repeat one number with stride 0"),
    "same array": ("of_twice", where(lambda g, x, y: x is y), "f(x, x) does not have the sum of both gradients"),
    "stored": ("of_cotangents", by(stored), "the gradient changes later: return a new array"),
    "narrow": ("of_precision", by(lambda g, out, x, y: g * y * (1 + (x.dtype == np.float32))), "is far from"),
    "quadratic": ("of_cotangents", by(lambda g, out, x, y: g * y + 1e-12 * g * g), "not linear in the cotangent"),
    "affine": ("of_cotangents", by(lambda g, out, x, y: g * y + 1e-300), "not exactly 0"),
    "writes": ("of_cotangents", by(lambda g, out, x, y: twice(g) * y), "the rule changes its incoming gradient"),
}  # fmt: skip


def twice(g):
    """The gradient, and after that something else in its place."""
    before = np.array(g)
    if isinstance(g, np.ndarray) and g.ndim and g.flags.writeable:
        g *= 2.0
    return before


def broken(check, op):
    """What one promise has to say about an entry, in every shape."""
    rng = np.random.default_rng(0)
    found = []
    for shapes in [((3,), (3,)), ((2, 3), (2, 3)), ((), ()), ((3, 1), (1, 2))]:
        found += getattr(kept, check)(op, draw(op, rng, (shapes, {})), rng)
    return [finding.note for finding in found if finding.verdict == FAIL]


RIGHT = by(lambda g, out, x, y: g * y)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_its_promise(fault):
    check, wrong, words = FAULTS[fault]
    assert broken(check, RIGHT) == []
    assert any(words in note for note in broken(check, wrong)), broken(check, wrong)


@pytest.mark.parametrize("check", [check.__name__ for check in kept.PROMISES])
def test_right_rules_keep_every_promise(check):
    assert broken(check, RIGHT) == []
