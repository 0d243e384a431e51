"""Numbers at points in order: evenly spaced points, differences, slopes, areas, and lines between given points.

All of them are sums of neighbours with weights, so a pullback takes a step as the function itself does: by slices.
On a point where two lines meet, `interp` has the slope of smaller norm, or 0 between rising and falling.

Source: Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids" (1988), table 3, for the
weights of slopes.
"""

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import arrayed, plain
from tinygrad_edu.rules.reduction import ratio
from tinygrad_edu.rules.shape import along, span
from tinygrad_edu.table import implements


def wide(a):
    """The same numbers in float64, which functions give that compute in nothing else."""
    return a if np.result_type(plain(a)) == np.float64 else np.multiply(a, np.float64(1.0))


# -- evenly spaced ----------------------------------------------------------------------------------------
@implements(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """np.linspace between Values."""
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    start, stop = (np.expand_dims(end, 0) for end in np.broadcast_arrays(wide(arrayed(start)), wide(arrayed(stop))))
    count = num - 1 if endpoint else num
    place = np.reshape(np.arange(num, dtype=float), (-1,) + (1,) * (np.ndim(start) - 1))
    step = (stop - start) / count if count > 0 else (stop - start) * np.nan
    if count <= 0:
        found = start + place * (stop - start)
    elif np.all(plain(step) != 0):
        found = start + place * step
    else:  # the step is too small for a number of its own
        found = start + place / count * (stop - start)
    if endpoint and num > 1:  # which is exact
        found = np.concatenate([found[:-1], stop])
    found = np.moveaxis(cast(found, dtype), 0, axis)
    return (found, step[0]) if retstep else found


def cast(x, dtype):
    """The numbers in another floating point dtype, if one is given."""
    return x if dtype is None else np.astype(x, np.dtype(dtype))


@implements(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    """np.logspace: powers of the base, whose exponents are evenly spaced."""
    shape = np.broadcast_shapes(np.shape(start), np.shape(stop), np.shape(base))
    start = start if np.ndim(base) == 0 else np.broadcast_to(start, shape)
    exponents = np.linspace(start, stop, num, endpoint=endpoint, axis=axis)
    base = np.expand_dims(np.broadcast_to(base, shape), axis) if np.ndim(base) else base
    return cast(np.power(base, exponents), dtype)


@implements(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """np.geomspace: numbers of one sign, each the same multiple of the one before."""
    start, stop = np.broadcast_arrays(wide(arrayed(start)), wide(arrayed(stop)))
    sign = np.sign(plain(start))
    if np.any(sign * np.sign(plain(stop)) <= 0):
        raise ValueError("numbers of different signs, or 0: no multiple leads from one to the other")
    exponents = np.linspace(np.log10(start * sign), np.log10(stop * sign), num, endpoint=endpoint)
    found = sign * np.power(10.0, exponents)
    ends = [np.expand_dims(start, 0)] * (num > 0), [np.expand_dims(stop, 0)] * (endpoint and num > 1)
    found = np.concatenate([*ends[0], found[len(ends[0]) : num - len(ends[1])], *ends[1]])  # which are exact
    return np.moveaxis(cast(found, dtype), 0, axis)


# -- neighbours -------------------------------------------------------------------------------------------
@implements(np.diff)
def diff(a, n=1, axis=-1, prepend=None, append=None):
    """np.diff: later minus earlier, n times; a single number is prepended or appended to every row."""
    if n < 0:
        raise ValueError(f"the number of differences is {n}")
    a = arrayed(a)
    if n == 0:
        return a
    edge = np.shape(along(a, slice(1), axis))
    parts = [p if np.ndim(p) else np.broadcast_to(p, edge) for p in (prepend, a, append) if p is not None]
    a = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    for _ in range(n):
        a = along(a, slice(1, None), axis) - along(a, slice(-1), axis)
    return a


@implements(np.ediff1d)
def ediff1d(ary, to_end=None, to_begin=None):
    """np.ediff1d: the differences of all entries in order, with other numbers before and after them."""
    ary = np.ravel(arrayed(ary))
    ends = [np.ravel(end) if end is not None else np.zeros_like(ary, shape=0) for end in (to_begin, to_end)]
    for end in ends:
        if not np.can_cast(plain(end), ary.dtype, casting="same_kind"):
            raise TypeError(f"dtype {end.dtype} of to_begin or to_end must be compatible with {ary.dtype}")
    middle = np.diff(ary)
    return np.concatenate([ends[0], middle, ends[1]]).astype(ary.dtype)


@implements(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """np.trapezoid: each width times the mean of the heights on both sides."""
    y = np.moveaxis(y, axis, -1)
    width = dx if x is None else np.diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1))
    return np.sum(width * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)


@implements(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    """np.gradient: the slope of f along every axis, at distances or at places that are given for it."""
    f = arrayed(f)
    axes = range(f.ndim) if axis is None else np.atleast_1d(axis).tolist()
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 < len(axes) and np.ndim(varargs[0])):
        raise TypeError("invalid number of arguments")
    steps = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    if edge_order not in (1, 2):
        raise ValueError(f"edge_order={edge_order!r}: it is 1 or 2")
    found = [slopes(f, spacing(step, f.shape[i]), i, edge_order) for i, step in zip(axes, steps, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def spacing(step, n):
    """The distance between neighbours, a number or one for each pair, of the distance or of the n places."""
    if np.ndim(step) == 0:
        return step
    if np.shape(step) != (n,):
        raise ValueError(f"there are {n} entries along this axis, and places of shape {np.shape(step)}")
    apart = np.diff(step)
    even = not isinstance(apart, Node) and np.all(apart == apart[0])
    return apart[0] if even else apart


def slopes(f, h, axis, edge_order):
    """The slopes of f along one axis, from the neighbours on both sides, at the ends from those on one side."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"{n} entries along axis {axis}: a slope needs {edge_order + 1}")
    first_step, last_step = (h, h) if np.ndim(h) == 0 else (h[0], h[-1])
    if edge_order == 1:
        first = np.diff(span(f, 0, 2, axis), axis=axis) / first_step
        last = np.diff(span(f, n - 2, n, axis), axis=axis) / last_step
    else:
        second, last_but_one = (h, h) if np.ndim(h) == 0 else (h[1], h[-2])
        first = weighted(three(first_step, second, 0), f, 0, axis)
        last = weighted(three(last_but_one, last_step, 2), f, n - 3, axis)
    return np.concatenate([first, inner_slopes(f, h, axis), last], axis=axis)


def inner_slopes(f, h, axis):
    """The slopes at entries that have a neighbour on both sides."""
    n = f.shape[axis]
    if np.ndim(h) == 0:
        return (span(f, 2, n, axis) - span(f, 0, n - 2, axis)) / (2.0 * h)
    column = (-1,) + (1,) * (f.ndim - 1 - axis % f.ndim)
    weights = [np.reshape(weight, column) for weight in three(h[:-1], h[1:], 1)]
    return sum(weight * span(f, i, n - 2 + i, axis) for i, weight in enumerate(weights))


def weighted(weights, f, start, axis):
    """The sum of neighbours on one axis, from a place on, each with a weight."""
    return sum(weight * span(f, start + i, start + i + 1, axis) for i, weight in enumerate(weights))


def three(a, b, at):
    """The weights of three neighbours, at distances a and b, in the slope at one of them: 0, 1 or 2."""
    if at == 0:
        return -(2.0 * a + b) / (a * (a + b)), (a + b) / (a * b), -a / (b * (a + b))
    if at == 1:
        return -b / (a * (a + b)), (b - a) / (a * b), a / (b * (a + b))
    return b / (a * (a + b)), -(a + b) / (a * b), (2.0 * b + a) / (b * (a + b))


# -- between points ---------------------------------------------------------------------------------------
@implements(np.interp)
def interp(x, xp, fp, left=None, right=None, period=None):
    """np.interp; on a point, where two slopes meet, the smaller one counts, or 0 between rising and falling."""
    x, xp, fp = (wide(arrayed(a)) for a in (x, xp, fp))
    if np.ndim(xp) != 1 or np.shape(xp) != np.shape(fp) or not np.size(xp):
        raise ValueError(f"xp and fp are points of one length, got {np.shape(xp)} and {np.shape(fp)}")
    if period is not None:
        x, xp, fp = periodic(x, xp, fp, period)
        left = right = None
    slope = np.pad(ratio(np.diff(fp), np.diff(xp)), 1)
    before, after = (np.searchsorted(plain(xp), plain(x), side) for side in ("left", "right"))
    behind, ahead = slope[before], slope[after]
    smaller = np.where(np.abs(ahead) < np.abs(behind), ahead, behind)
    chosen = np.where(before == after, ahead, np.where(plain(ahead) * plain(behind) > 0, smaller, 0.0))
    i = np.maximum(after - 1, 0)
    inside = np.clip(x, xp[0], xp[-1])
    found = fp[i] + chosen * (inside - xp[i])
    if np.any(np.isnan(found) & ~np.isnan(x)):
        found = known(found, chosen, inside, xp, fp, i)
    found = found if left is None else np.where(np.less(x, xp[0]), left, found)
    return found if right is None else np.where(np.greater(x, xp[-1]), right, found)


def known(found, slope, x, xp, fp, i):
    """What np.interp says where infinite points or heights make nan of the line from the point before x.

    On the point, its height; else the line from the point behind x; else the height of both, if it is the same.
    """
    j = np.minimum(i + 1, len(xp) - 1)
    from_behind = fp[j] + slope * (x - xp[j])
    level = (plain(x) == plain(xp[i])) | (np.isnan(from_behind) & (plain(fp[i]) == plain(fp[j])))
    return np.where(np.isnan(found), np.where(level, fp[i], from_behind), found)


def periodic(x, xp, fp, period):
    """The points of one period, in order, with the last of the one before and the first of the next around them."""
    period = abs(period)
    if period == 0:
        raise ValueError("period must be a non-zero value")
    x, xp = x % period, xp % period
    order = np.argsort(plain(xp))
    xp, fp = xp[order], fp[order]
    return x, np.concatenate([xp[-1:] - period, xp, xp[:1] + period]), np.concatenate([fp[-1:], fp, fp[:1]])
