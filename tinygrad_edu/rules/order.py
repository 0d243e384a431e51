"""Order: what depends on where an entry stands: running sums and products, and sorting.

The pullback of a running sum runs from the other end. Products never divide, so that zeros among the factors are
exact in every derivative. Equal entries may be sorted in any order, so they share their gradients evenly.
Source: Hillis and Steele, "Data parallel algorithms" (1986), for running products in log2(n) steps.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinygrad_edu.inputs import plain
from tinygrad_edu.rules.indexing import scatter
from tinygrad_edu.rules.reduction import PARTLY, count, kept, unreduce
from tinygrad_edu.rules.shape import along, span
from tinygrad_edu.table import REALS, TIES, case, cases, differentiable, folds, implements, primitive

# fmt: off
LONG = 3000  # entries: products of their own for each of them hold n^2 numbers, here 72 megabytes
RUNNING = [*cases((2, 3), axis=[None, 0, -1]), *cases((4,)), *cases(())]
differentiable(np.cumsum, lambda g, out, x, *, axis=None: np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis), axis),
               x.shape), domain=REALS, cases=RUNNING, linear=True, formulas=("1",))

def before(x, axis):
    """For each entry, the product of those before it."""
    first = np.ones_like(along(x, slice(1), axis))
    return np.cumprod(np.concatenate([first, along(x, slice(-1), axis)], axis=axis), axis=axis)

def after(g, x, axis):
    """For each entry, h_i = g_i + x_(i + 1) h_(i + 1): each step looks twice as far ahead as the last one."""
    factor = span(x, 1, None, axis)  # the product of the n entries after each one that has so many
    n = 1
    while n < x.shape[axis]:
        reached = span(g, None, -n, axis) + factor * span(g, n, None, axis)
        g = np.concatenate([reached, span(g, -n, None, axis)], axis=axis)
        factor = span(factor, None, max(factor.shape[axis] - n, 0), axis) * span(factor, n, None, axis)
        n = 2 * n
    return g

def exponents(x, axis):
    """The powers of 2 in the running product of what is neither 0 nor infinite."""
    size = np.abs(plain(x))
    countable = (size > 0) & np.isfinite(size)
    return np.cumsum(np.log2(np.where(countable, size, 1.0)), axis=axis)

def shifted(x, power):
    """x times 2^power, in two steps: neither overflows where the result does not, and 0 stays 0."""
    most = np.finfo(x.dtype).maxexp - 2
    first = np.clip(np.trunc(power / 2), -most, most)
    second = np.clip(power - first, -most, most)
    return x * np.exp2(first).astype(x.dtype) * np.exp2(second).astype(x.dtype)

def balanced(x):
    """Factors along the last axis as y 2^own, where every running product of y is about 1; with own, and its sums."""
    total = np.rint(exponents(x, -1))
    own = np.diff(total, prepend=0.0)
    return shifted(x, -own), own, total

def each_from_its_own(g, x):
    """The pullback of a running product along the last axis, by one for every entry i: of all factors but x_i."""
    y, own, total = balanced(x)
    place = np.arange(x.shape[-1])
    diagonal = place == place[:, None]
    later = place > place[:, None]
    rows = np.where(diagonal, before(y, -1)[..., :, None], np.where(later, y[..., None, :], 1.0))
    products = shifted(np.cumprod(rows, axis=-1), total[..., None, :] - own[..., :, None])
    counts = (later | diagonal) & ((plain(g)[..., None, :] != 0) | np.isfinite(plain(products)))
    return np.sum(np.where(counts, g[..., None, :], 0.0) * np.where(counts, products, 0.0), axis=-1)

def cumprod_rule(g, out, x, *, axis=None):
    """The product of what stands before an entry, times the gradients of what it goes into from there on.

    Where neighbours could overflow or underflow though the result does not, each entry has a product of its own.
    """
    flat = axis is None or not x.ndim
    row, axis = (np.ravel(x), 0) if flat else (x, axis)
    g = np.reshape(g, row.shape)
    total = exponents(row, axis)
    far = np.max(total, axis=axis, initial=0.0) - np.min(total, axis=axis, initial=0.0)  # of any product in a row
    if np.any(far > -np.finfo(x.dtype).minexp) and row.shape[axis] <= LONG:
        found = each_from_its_own(np.moveaxis(g, axis, -1), np.moveaxis(row, axis, -1))
        return np.reshape(np.moveaxis(found, -1, axis), x.shape)
    return np.reshape(before(row, axis) * after(g, row, axis), x.shape)

differentiable(np.cumprod, cumprod_rule, domain=REALS, cases=RUNNING, formulas=("out / x",))

def others(x, axis):
    """For each entry, the product of the others that go into the same result.

    Products from both ends, of balanced factors; the powers of 2 come back at the end. So nothing overflows on the
    way, and what is exact stays so.
    """
    axes = normalize_axis_tuple(range(x.ndim) if axis is None or not x.ndim else axis, x.ndim)
    rows = np.moveaxis(x, axes, range(-len(axes), 0))
    row = np.reshape(rows, (*rows.shape[: rows.ndim - len(axes)], count(x, axis)))
    y, own, total = balanced(row)
    product = shifted(before(y, -1) * np.flip(before(np.flip(y, -1), -1), -1), total[..., -1:] - own)
    return np.moveaxis(np.reshape(product, rows.shape), range(-len(axes), 0), axes)

differentiable(np.prod, lambda g, out, x, *, axis=None, keepdims=False, initial=1.0, where=True:
               unreduce(g, x, axis, keepdims, where) * others(kept(x, where, 1.0), axis) * initial,
               domain=REALS, cases=[*PARTLY, case((4,))], glyph="prod", formulas=("out / x",))
implements(np.nancumsum)(lambda a, axis=None: np.cumsum(np.where(np.isnan(a), 0.0, a), axis=axis))
implements(np.nancumprod)(lambda a, axis=None: np.cumprod(np.where(np.isnan(a), 1.0, a), axis=axis))

def along_one_axis(running):
    """A running sum or product as the array API has it: an axis must be named where there are several."""
    return lambda x, axis=None: running(x, (axis or 0) if x.ndim < 2 else range(x.ndim)[axis])

implements(np.cumulative_sum)(along_one_axis(np.cumsum))
implements(np.cumulative_prod)(along_one_axis(np.cumprod))

def running_rule(g, out, x, *, axis=0):
    """Each entry of g belongs to those that reach the extreme so far, and is shared evenly among them."""
    peak = plain(out)
    n = x.shape[axis]
    first = np.zeros_like(span(peak, None, 1, axis))
    same = np.concatenate([first, span(peak, 1, None, axis) == span(peak, None, n - 1, axis)], axis=axis)
    reached = plain(x) == peak
    so_far = np.cumsum(reached, axis=axis)
    before_it = np.maximum.accumulate(np.where(same == 0, so_far - reached, 0), axis)  # of the last one
    share = g / np.maximum(so_far - before_it, 1).astype(x.dtype)
    return np.where(np.isnan(peak), np.nan, reached).astype(x.dtype) * after(share, same, axis)

running_max = primitive(lambda x, axis=0: np.maximum.accumulate(x, axis), running_rule, name="running_max",
                        domain=REALS, kinks=TIES, cases=cases((2, 3), axis=[0, -1]), formulas=("[x = out]",))
running_min = primitive(lambda x, axis=0: np.minimum.accumulate(x, axis), running_rule, name="running_min",
                        domain=REALS, kinks=TIES, cases=cases((2, 3), axis=[0, -1]), formulas=("[x = out]",))
folds(np.add, accumulate=np.cumsum)
folds(np.multiply, reduce=np.prod, accumulate=np.cumprod)
folds(np.maximum, accumulate=running_max)
folds(np.minimum, accumulate=running_min)

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

def arrangement(out, x, axis):
    """Which entry of x is at each place of out, a row with the same entries in another order."""
    rank = np.argsort(np.argsort(out, axis), axis)
    return np.take_along_axis(np.argsort(x, axis), rank, axis)

differentiable(np.sort, lambda g, out, x, *, axis=-1, kind=None, stable=None: unsort(g, x, np.argsort(x, axis), axis),
               domain=REALS, kinks=TIES, cases=RUNNING[:-1], formulas=("[moved]",))
differentiable(np.partition, lambda g, out, x, *, kth, axis=-1: unsort(g, x, arrangement(out, x, axis), axis),
               domain=REALS, kinks=TIES, cases=[*cases((2, 3), kth=[1], axis=[None, 0, -1]), case((4,), kth=(0, 2))],
               formulas=("[moved]",))
