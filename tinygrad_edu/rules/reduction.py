"""Reductions: sums, means, extremes.

Their pullbacks share one step: bring `g` back to the argument's shape (`unreduce`), then weight every entry by its
share in the result. Ties inside an extreme share evenly; where a spread is smallest its gradient is 0.

Source: for the spread, the variance's textbook derivative 2 (x - mean) / n.
"""

import numpy as np

from tinygrad_edu.op import REALS, TIES, cases, differentiable, implements, primitive

# fmt: off

AXES: dict[str, list] = {"axis": [None, 0, -1, (0, 1)], "keepdims": [False, True]}
INSIDE = [*cases((2, 3), **AXES), *cases((3,)), *cases(())]


def unreduce(g, x, axis, keepdims):
    """Repeat a gradient along the axes that a reduction removed."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g if axis is not None else np.reshape(g, (1,) * x.ndim), x.shape)


def count(x, axis):
    """How many entries of x go into one result."""
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
    return int(np.prod([x.shape[a] for a in axes]))


def ratio(g, y):
    """g / y, and 0 where y is 0."""
    return np.where(y == 0, 0.0, g / np.where(y == 0, 1.0, y))


def shares(out, x, axis, keepdims):
    """How an extreme depends on each entry: evenly on those that reach it, nan where it is nan."""
    peak = unreduce(out, x, axis, keepdims)
    ties = np.where(np.isnan(peak), np.nan, x == peak)
    return ties / np.sum(ties, axis=axis, keepdims=True)


differentiable(np.sum, lambda g, out, x, *, axis=None, keepdims=False: unreduce(g, x, axis, keepdims),
               domain=REALS, cases=INSIDE, glyph="sum", formulas=("1",))
differentiable(np.mean, lambda g, out, x, *, axis=None, keepdims=False:
               unreduce(g, x, axis, keepdims) / count(x, axis),
               domain=REALS, cases=INSIDE, glyph="mean", formulas=("1 / n",))
differentiable(np.max, lambda g, out, x, *, axis=None, keepdims=False:
               unreduce(g, x, axis, keepdims) * shares(out, x, axis, keepdims),
               domain=REALS, kinks=TIES, cases=INSIDE, glyph="max", formulas=("[x = out]",))
differentiable(np.min, lambda g, out, x, *, axis=None, keepdims=False:
               unreduce(g, x, axis, keepdims) * shares(out, x, axis, keepdims),
               domain=REALS, kinks=TIES, cases=INSIDE, glyph="min", formulas=("[x = out]",))


def centred(x, axis, ddof):
    """(x - mean) / (n - ddof)."""
    return (x - np.mean(x, axis=axis, keepdims=True)) / (count(x, axis) - ddof)


SPREAD = [*cases((2, 3), **AXES, ddof=[0, 1]), *cases((4,))]
differentiable(np.var, lambda g, out, x, *, axis=None, ddof=0, keepdims=False:
               unreduce(g, x, axis, keepdims) * 2.0 * centred(x, axis, ddof),
               domain=REALS, cases=SPREAD, formulas=("2 * (x - mean) / n",))
differentiable(np.std, lambda g, out, x, *, axis=None, ddof=0, keepdims=False:
               unreduce(ratio(g, out), x, axis, keepdims) * centred(x, axis, ddof),
               domain=REALS, kinks=TIES, cases=SPREAD, formulas=("(x - mean) / (n * out)",))


def largest(x, axis):
    """The largest entries, 0 where they are infinite: what exponents are shifted by."""
    peak = np.max(x, axis=axis, keepdims=True)
    return np.where(np.isfinite(peak), peak, 0.0)


def softmax(x, axis):
    """exp(x) / sum(exp(x)), shifted so that it neither overflows nor loses digits."""
    e = np.exp(x - largest(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))): a primitive, shifted by the largest entry so that nothing overflows."""
    peak = largest(x, axis)
    with np.errstate(divide="ignore", under="ignore"):
        out = np.log(np.sum(np.exp(x - peak), axis=axis, keepdims=True)) + peak
    return out if keepdims else np.reshape(out, np.sum(x, axis=axis).shape)[()]


logsumexp = primitive(logsumexp, lambda g, out, x, *, axis=None, keepdims=False:
                      unreduce(g, x, axis, keepdims) * softmax(x, axis),
                      domain=REALS, cases=INSIDE, formulas=("softmax(x)",))


@implements(np.amax)
def amax(a, **options):
    """np.max under its old name."""
    return np.max(a, **options)


@implements(np.amin)
def amin(a, **options):
    """np.min under its old name."""
    return np.min(a, **options)
