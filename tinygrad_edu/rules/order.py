"""Order: what depends on where an entry stands: running sums and products, neighbours, sorting, quantiles.

The pullback of a running sum runs from the other end. Products never divide, so that zeros among the factors are
exact in every derivative. Equal entries may be sorted in any order, so they share their gradients evenly.
Source: Hillis and Steele, "Data parallel algorithms" (1986), for running products in log2(n) steps.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinygrad_edu.inputs import arrayed, plain
from tinygrad_edu.rules.indexing import scatter
from tinygrad_edu.rules.reduction import PARTLY, kept, unreduce
from tinygrad_edu.rules.shape import along
from tinygrad_edu.table import REALS, TIES, case, cases, differentiable, implements

# fmt: off
RUNNING = [*cases((2, 3), axis=[None, 0, -1]), *cases((4,)), *cases(())]
differentiable(np.cumsum, lambda g, out, x, *, axis=None: np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis), axis),
               x.shape), domain=REALS, cases=RUNNING, linear=True, formulas=("1",))

def before(x, axis):
    """For each entry, the product of those before it."""
    first = np.ones_like(along(x, slice(1), axis))
    return np.cumprod(np.concatenate([first, along(x, slice(-1), axis)], axis=axis), axis=axis)

def ahead(x, n, axis):
    """For each entry the one n places further on; 0 where there is none."""
    return np.concatenate([along(x, slice(n, None), axis), np.zeros_like(along(x, slice(n), axis))], axis=axis)

def after(g, x, axis):
    """For each entry, h_i = g_i + x_(i + 1) h_(i + 1): each step looks `ahead` twice as far as the last one."""
    factor = ahead(x, 1, axis)
    n = 1
    while n < x.shape[axis]:
        g = g + factor * ahead(g, n, axis)
        factor = factor * ahead(factor, n, axis)
        n = 2 * n
    return g

def cumprod_rule(g, out, x, *, axis=None):
    """The product of what stands before an entry, times the gradients of what it goes into from there on."""
    flat = axis is None or not x.ndim
    row, axis = (np.ravel(x), 0) if flat else (x, axis)
    return np.reshape(before(row, axis) * after(g, row, axis), x.shape)

differentiable(np.cumprod, cumprod_rule, domain=REALS, cases=RUNNING, formulas=("out / x",))

def others(x, axis):
    """For each entry, the product of the others that go into the same result."""
    product = np.ones_like(x)
    for i in range(x.ndim) if axis is None or not x.ndim else np.atleast_1d(axis):
        product = product * before(x, i) * np.flip(before(np.flip(x, i), i), i)
        x = np.prod(x, axis=i, keepdims=True)
    return product

differentiable(np.prod, lambda g, out, x, *, axis=None, keepdims=False, initial=1.0, where=True:
               unreduce(g, x, axis, keepdims, where) * others(kept(x, where, 1.0), axis) * initial,
               domain=REALS, cases=PARTLY, glyph="prod", formulas=("out / x",))
implements(np.nancumsum)(lambda a, axis=None: np.cumsum(np.where(np.isnan(a), 0.0, a), axis=axis))
implements(np.nancumprod)(lambda a, axis=None: np.cumprod(np.where(np.isnan(a), 1.0, a), axis=axis))

def along_one_axis(running):
    """A running sum or product as the array API has it: an axis must be named where there are several."""
    return lambda x, axis=None: running(x, (axis or 0) if x.ndim < 2 else range(x.ndim)[axis])

implements(np.cumulative_sum)(along_one_axis(np.cumsum))
implements(np.cumulative_prod)(along_one_axis(np.cumprod))
implements(np.ediff1d)(lambda ary: np.diff(np.ravel(ary)))

@implements(np.diff)
def diff(a, n=1, axis=-1, prepend=None, append=None):
    """np.diff: later minus earlier, n times; a single number is prepended or appended to every row."""
    a = arrayed(a)
    edge = np.shape(along(a, slice(1), axis))
    parts = [p if np.ndim(p) else np.broadcast_to(p, edge) for p in (prepend, a, append) if p is not None]
    a = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    if n < 0:
        raise ValueError(f"the number of differences is {n}")
    for _ in range(n):
        a = along(a, slice(1, None), axis) - along(a, slice(-1), axis)
    return a

@implements(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """np.trapezoid: each width times the mean of the heights on both sides."""
    y = np.moveaxis(y, axis, -1)
    width = dx if x is None else np.diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1))
    return np.sum(width * (y[..., 1:] + y[..., :-1]), axis=-1) / 2.0

@implements(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    """np.gradient, which is linear: along an axis, a product with the gradients of the unit vectors."""
    f = arrayed(f)
    found = []
    axes = range(np.ndim(f)) if axis is None else np.atleast_1d(axis)
    steps = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    for i, h in zip(axes, steps, strict=True):
        units = np.gradient(np.eye(f.shape[i], dtype=f.dtype), np.asarray(h), axis=1, edge_order=edge_order)
        found.append(np.moveaxis(np.moveaxis(f, i, -1) @ units, -1, i))
    return found[0] if len(found) == 1 else tuple(found)

@implements(np.interp)
def interp(x, xp, fp, left=None, right=None):
    """np.interp; on a point, where two slopes meet, the smaller one counts, or 0 between rising and falling."""
    slope = np.pad(np.diff(fp) / np.diff(xp), 1)  # of each interval; 0 before the first and after the last point
    inside = np.clip(x, xp[0], xp[-1])
    ahead = slope[np.searchsorted(xp, x, "right")]
    behind = slope[np.searchsorted(xp, x, "left")]
    milder = np.where(ahead * behind > 0, np.where(np.abs(ahead) < np.abs(behind), ahead, behind), 0.0)
    i = np.maximum(np.searchsorted(xp, x, "right") - 1, 0)
    out = np.take(fp, i) + milder * (inside - np.take(xp, i))
    out = out if left is None else np.where(np.less(x, xp[0]), left, out)
    return out if right is None else np.where(np.greater(x, xp[-1]), right, out)

def equal_in_row(x, axis):
    """The number of each entry's group, from 0: entries have one number where they are equal and in the same row."""
    _, level = np.unique(x, return_inverse=True)  # the place of an entry among the different numbers of all rows
    row = 0 if axis is None else along(np.reshape(np.arange(x.size), x.shape), slice(1), axis)
    _, group = np.unique(level + x.size * row, return_inverse=True)
    return group

def unsort(g, x, order, axis):
    """The gradient at each entry's place in the order: the mean over the entries that are equal in a row."""
    group = equal_in_row(plain(x), axis)  # an order is constant
    size = np.bincount(np.ravel(group))
    to = np.take_along_axis(group, order, axis)  # the group of the entry that was put at each place of the result
    return (scatter(np.ravel(g), index=np.ravel(to), shape=size.shape) / size)[group]

differentiable(np.sort, lambda g, out, x, *, axis=-1, kind=None, stable=None: unsort(g, x, np.argsort(x, axis), axis),
               domain=REALS, kinks=TIES, cases=RUNNING[:-1], formulas=("[moved]",))
differentiable(np.partition, lambda g, out, x, *, kth, axis=-1: unsort(g, x, np.argpartition(x, kth, axis), axis),
               domain=REALS, kinks=TIES, cases=[*cases((2, 3), kth=[1], axis=[None, 0, -1]), case((4,), kth=(0, 2))],
               formulas=("[moved]",))

@implements(np.nanquantile)
def nanquantile(a, q, axis=None, *, method="linear", keepdims=False):
    """np.nanquantile: the weighted mean of the two neighbours in the order between which q falls."""
    axes = normalize_axis_tuple(range(np.ndim(a)) if axis is None else axis, np.ndim(a))
    x = np.moveaxis(a, axes, range(-len(axes), 0))
    shape = x.shape[: x.ndim - len(axes)]
    x = np.sort(np.reshape(x, (*shape, int(np.prod(x.shape[len(shape) :])))))
    sizes, size = np.unique(np.maximum(np.sum(~np.isnan(x), axis=-1), 1), return_inverse=True)
    places = [np.quantile(np.arange(float(n)), np.ravel(q), method=method) for n in sizes]  # NumPy's, in 0, 1, 2, ...
    place = np.reshape(places, (len(sizes), np.size(q)))[size]
    low = np.floor(place).astype(int)
    high = np.ceil(place).astype(int)
    part = np.where(low == high, 0.5, place - low).astype(x.dtype)
    found = np.take_along_axis(x, low, -1) * (1 - part) + np.take_along_axis(x, high, -1) * part
    found = np.reshape(np.moveaxis(found, -1, 0), (*np.shape(q), *shape))
    return np.expand_dims(found, tuple(np.ndim(q) + i for i in axes)) if keepdims else found

@implements(np.quantile)
def quantile(a, q, axis=None, *, keepdims=False, method="linear"):
    """np.quantile: nan where there is a nan among the entries."""
    spoilt = np.any(np.isnan(a), axis, keepdims=keepdims)
    factor = np.where(spoilt, np.nan, np.ones_like(a, shape=()))
    return np.nanquantile(a, q, axis, keepdims=keepdims, method=method) * factor

def median_of(quantiles):
    """The median, made of quantiles."""
    return lambda a, axis=None, *, keepdims=False: quantiles(a, 0.5, axis, keepdims=keepdims)

def percentile_of(quantiles):
    """Percentiles, made of quantiles."""
    return lambda a, q, axis=None, *, keepdims=False, method="linear": quantiles(
        a, np.divide(q, 100.0), axis, keepdims=keepdims, method=method)

implements(np.median)(median_of(np.quantile))
implements(np.nanmedian)(median_of(np.nanquantile))
implements(np.percentile)(percentile_of(np.quantile))
implements(np.nanpercentile)(percentile_of(np.nanquantile))
