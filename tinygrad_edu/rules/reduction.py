"""Reductions: sums, means, extremes.

Their pullbacks share one step: bring `g` back to the argument's shape (`unreduce`), then weight every entry by its
share in the result. Ties inside an extreme share evenly; where a spread is smallest its gradient is 0.
Source: for the spread, the variance's textbook derivative 2 (x - mean) / n.
"""

from typing import Any

import numpy as np

from tinygrad_edu.errors import shape_of
from tinygrad_edu.inputs import numbers, plain
from tinygrad_edu.numeric_warnings import told_at_users_line
from tinygrad_edu.table import REALS, TIES, cases, differentiable, folds, implements, primitive
from tinygrad_edu.typed import Like

# fmt: off
AXES: dict[str, list] = {"axis": [None, 0, -1, (0, 1)], "keepdims": [False, True]}
WHERE: dict[str, list] = {"axis": [None, 1], "where": [np.array([[True, False, True], [True, True, True]])]}
INSIDE = [*cases((2, 3), **AXES), *cases((3,)), *cases(())]
PARTLY = [*INSIDE, *cases((2, 3), **WHERE, initial=[1.5])]

def kept(x, where, blank):
    """x with a number that changes nothing in place of what a reduction leaves out."""
    return x if where is True else np.where(where, x, blank)

def ratio(g, y):
    """g / y, and 0 where y is 0."""
    return np.where(y == 0, 0.0, g / np.where(y == 0, 1.0, y))

def unreduce(g, x, axis, keepdims, where=True):
    """Repeat a gradient along the axes that a reduction removed, and give none to what it left out."""
    if axis is not None and not keepdims and x.ndim:  # a single number has axes 0 and -1, too
        g = np.expand_dims(g, axis)
    full = np.broadcast_to(g if axis is not None else np.reshape(g, (1,) * x.ndim), x.shape)
    return full if where is True else np.where(where, full, 0.0)

def count(x, axis, where=True):
    """How many entries of x go into one result."""
    if where is not True:
        return np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=True)
    return int(np.prod(x.shape if axis is None or not x.shape else np.take(x.shape, axis)))

def shares(out, x, axis, keepdims, initial, where):
    """How an extreme depends on each entry: evenly on those that reach it, nan where it is nan."""
    peak = unreduce(out, x, axis, keepdims)
    ties = np.where(np.isnan(peak), np.nan, (x == peak) & where & (peak != initial))
    return ties / np.maximum(np.sum(ties, axis=axis, keepdims=True), 1.0)

differentiable(np.sum, lambda g, out, x, *, axis=None, keepdims=False, initial=0.0, where=True:
               unreduce(g, x, axis, keepdims, where), domain=REALS, cases=PARTLY, formulas=("1",))
differentiable(np.mean, lambda g, out, x, *, axis=None, keepdims=False, where=True:
               unreduce(g, x, axis, keepdims, where) / count(x, axis, where),
               domain=REALS, cases=[*INSIDE, *cases((2, 3), **WHERE)], formulas=("1 / n",))
# an initial number is a constant: it takes the whole gradient with it, also at a tie
for extreme in (np.max, np.min):
    differentiable(extreme, lambda g, out, x, *, axis=None, keepdims=False, initial=np.nan, where=True:
                   unreduce(g, x, axis, keepdims) * shares(out, x, axis, keepdims, initial, where),
                   domain=REALS, kinks=TIES, cases=PARTLY, formulas=("[x = out]",))

def centred(x, axis, ddof, where):
    """(x - mean) / (n - ddof); nan where so few numbers have no spread."""
    n = count(x, axis, where)
    x = kept(x, where, 0.0)
    free = np.where(n > ddof, n - ddof, np.nan) if np.any(n <= ddof) else n - ddof
    return (x - np.sum(x, axis=axis, keepdims=True) / n) / free

def var_rule(g, out, x, *, axis=None, ddof=0, keepdims=False, where=True, correction=None):
    """2 (x - mean) / (n - ddof), of which the array API calls ddof the correction."""
    ddof = ddof if correction is None else correction
    return unreduce(g, x, axis, keepdims, where) * 2.0 * centred(x, axis, ddof, where)

def std_rule(g, out, x, *, axis=None, ddof=0, keepdims=False, where=True, correction=None):
    """(x - mean) / (n - ddof) / out, and 0 where all numbers are the same."""
    ddof = ddof if correction is None else correction
    return unreduce(ratio(g, out), x, axis, keepdims, where) * centred(x, axis, ddof, where)

SPREAD = [*cases((2, 3), **AXES, ddof=[0, 1]), *cases((4,), correction=[1]), *cases((2, 3), **WHERE)]
differentiable(np.var, var_rule, domain=REALS, cases=SPREAD, formulas=("2 * (x - mean) / n",))
differentiable(np.std, std_rule, domain=REALS, kinks=TIES, cases=SPREAD, formulas=("(x - mean) / (n * out)",))

def largest(x, axis):
    """The largest entries, 0 where they are infinite: what exponents are shifted by."""
    peak = np.max(x, axis=axis, keepdims=True)
    return np.where(np.isfinite(peak), peak, 0.0)

def softmax(x: Like, axis: Any = None) -> Like:
    """The shares exp(x) / sum(exp(x)), shifted so that they neither overflow nor lose digits.

    Parameters
    ----------
    x
        A number, an array or a Value, of any shape.
    axis
        The axis or axes along which the shares add up to 1; None is all of them.
    """
    x = numbers("x", x)
    if 0 in shape_of(x):
        return np.multiply(x, 1.0)
    with np.errstate(under="ignore"):
        e = np.exp(x - largest(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)

@told_at_users_line("logsumexp")
def logsumexp(x: Like, axis: Any = None, keepdims: bool = False) -> Like:
    """The logarithm of a sum, log(sum(exp(x))): a primitive, shifted by the largest entry so that nothing overflows.

    Parameters
    ----------
    x
        A number, an array or a Value, of any shape.
    axis
        The axis or axes to sum over; None is all of them.
    keepdims
        Whether those axes stay, with size 1.
    """
    peak = largest(x, axis)
    with np.errstate(divide="ignore", under="ignore"):
        out = np.log(np.sum(np.exp(x - peak), axis=axis, keepdims=True)) + peak
    return out if keepdims else np.squeeze(out, axis)[()]

logsumexp = primitive(logsumexp, lambda g, out, x, *, axis=None, keepdims=False: unreduce(g, x, axis, keepdims)
                      * softmax(x, axis), domain=REALS, cases=INSIDE, formulas=("softmax(x)",))

def log_softmax(x: Like, axis: Any = None) -> Like:
    """The logarithms of `softmax`, x - log(sum(exp(x))), finite where the shares themselves are 0.

    Parameters
    ----------
    x
        A number, an array or a Value, of any shape.
    axis
        The axis or axes along which the shares add up to 1; None is all of them.
    """
    return x - logsumexp(x, axis=axis, keepdims=True)

def without_nan(whole):
    """A reduction that leaves out what is nan, made of one that takes `where`."""
    return lambda a, *args, where=True, **options: whole(a, *args, where=~np.isnan(a) & where, **options)

def spread_without_nan(whole):
    """A variance or deviation of what is not nan; nan where so few numbers are left that they have none."""
    def spread(a, axis=None, *, ddof=0, keepdims=False, where=True, correction=None):
        if ddof != 0 and correction is not None:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = ddof if correction is None else correction
        counts = ~np.isnan(a) & where
        few = np.sum(counts, axis=axis, keepdims=keepdims) <= ddof
        with np.errstate(divide="ignore", invalid="ignore"):
            found = whole(a, axis, ddof=ddof, keepdims=keepdims, where=counts)
        return np.where(few, np.nan, found) if np.any(few) else found

    return spread

def extreme_without_nan(whole, worst):
    """An extreme of what is not nan, nan where everything is; made of one that starts from the worst number."""
    def extreme(a, axis=None, *, keepdims=False, initial=None, where=True):
        if initial is None and np.size(a) == 0:
            whole(plain(a), axis)  # NumPy refuses an extreme of nothing
        counts = ~np.isnan(a) & where
        start = worst if initial is None else initial
        found = whole(a, axis, keepdims=keepdims, initial=start, where=counts)
        nothing = ~np.any(counts, axis, keepdims=keepdims)
        return np.where(nothing, np.nan, found) if initial is None and np.any(nothing) else found

    return extreme

implements(np.nansum)(without_nan(np.sum))
implements(np.nanprod)(without_nan(np.prod))
implements(np.nanmean)(without_nan(np.mean))
implements(np.nanvar)(spread_without_nan(np.var))
implements(np.nanstd)(spread_without_nan(np.std))
implements(np.nanmax)(extreme_without_nan(np.max, -np.inf))
implements(np.nanmin)(extreme_without_nan(np.min, np.inf))
implements(np.ptp)(lambda a, axis=None, *, keepdims=False:
                   np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims))
folds(np.add, reduce=np.sum)
folds(np.maximum, reduce=np.max)
folds(np.minimum, reduce=np.min)
folds(np.logaddexp, reduce=logsumexp)
