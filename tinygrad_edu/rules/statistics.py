"""Statistics: weighted means, covariances, and quantiles.

A quantile is a weighted mean of two neighbours in the order. It depends on the numbers through `np.sort`, and on q,
where the method lets it move in between, through the weight; on an entry, where two slopes meet, the smaller counts.

Source: Hyndman and Fan, "Sample quantiles in statistical packages" (1996), for the methods.
"""

import warnings

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinygrad_edu.errors import user_frame
from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import arrayed, plain
from tinygrad_edu.table import implements

SPREADS = {
    "linear": -1.0, "hazen": 0.0, "weibull": 1.0, "median_unbiased": 1 / 3, "normal_unbiased": 1 / 4,
    "interpolated_inverted_cdf": 0.0,
}  # fmt: skip
"""The methods whose place in the order moves with q, in steps of n plus this."""


# -- means and covariances --------------------------------------------------------------------------------
@implements(np.average)
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    """np.average, with a weight for each entry, or for each place on the axes; `returned` gives their sums too."""
    a = arrayed(a)
    if weights is None:
        found = np.mean(a, axis, keepdims=keepdims)
        count = np.size(a) / max(np.size(found), 1)
        return (found, np.full_like(plain(found), count)) if returned else found
    weights = np.broadcast_to(beside(a, arrayed(weights), axis), np.shape(a))
    weights = weights.astype(np.result_type(plain(a), plain(weights), *(() if a.dtype.kind == "f" else (float,))))
    total = np.sum(weights, axis, keepdims=keepdims)
    if np.any(plain(total) == 0.0):
        raise ZeroDivisionError("the weights sum up to 0, there is no average")
    found = np.sum(a * weights, axis, keepdims=keepdims) / total
    return (found, np.broadcast_to(total, np.shape(found))) if returned else found


def beside(a, weights, axis):
    """Weights of the shape of a, or of its axes in the order that is given, with an axis of size 1 for any other."""
    if np.shape(weights) == np.shape(a):
        return weights
    axes = normalize_axis_tuple(axis, np.ndim(a))
    if np.shape(weights) != tuple(np.shape(a)[i] for i in axes):
        raise ValueError(f"weights {np.shape(weights)} do not fit axis={axis} of an array {np.shape(a)}")
    weights = np.reshape(weights, np.shape(weights) + (1,) * (np.ndim(a) - len(axes)))
    return np.moveaxis(weights, range(len(axes)), axes)


def observed(m, y, rowvar):
    """The observations in float64 or wider, a variable in each row."""
    parts = [np.multiply(part, np.float64(1.0)) for part in (arrayed(m), *(() if y is None else (arrayed(y),)))]
    if any(np.ndim(part) > 2 for part in parts):
        raise ValueError("observations have more than two axes")
    rows = [np.reshape(p, (1, -1)) if np.ndim(p) < 2 else p if rowvar else np.transpose(p) for p in parts]
    return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=0)


def weighting(fweights, aweights, count):
    """The weight of each observation, a product of how often it was made and how much it counts; None if equal."""
    given = [np.asarray(w, float) for w in (fweights, aweights) if w is not None]
    if any(w.shape != (count,) or np.any(w < 0) for w in given):
        raise ValueError(f"weights are {count} numbers that are not negative")
    if fweights is not None and np.any(given[0] != np.rint(given[0])):
        raise TypeError("fweights must be integer")
    return np.prod(given, axis=0) if given else None


@implements(np.cov)
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    """np.cov: how variables vary together, over their observations."""
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    x = observed(m, y, rowvar)
    w = weighting(fweights, aweights, x.shape[1])
    ddof = (0 if bias else 1) if ddof is None else ddof
    if w is None:
        free = x.shape[1] - ddof
    else:
        total = np.sum(w)
        free = total if ddof == 0 else total - ddof * (1 if aweights is None else np.sum(w * aweights) / total)
    if free <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=user_frame()[1])
        free = 0.0
    centred = x - np.expand_dims(np.average(x, axis=1, weights=w), -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = centred @ np.transpose(centred if w is None else centred * w) * np.true_divide(1, free)
    return np.squeeze(found if dtype is None else np.astype(found, np.dtype(dtype)))


@implements(np.corrcoef)
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    """np.corrcoef: covariances, divided by the deviations of both variables."""
    c = np.cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    deviation = np.sqrt(np.diagonal(c))
    return np.clip(c / np.expand_dims(deviation, -1) / deviation, -1.0, 1.0)


# -- quantiles --------------------------------------------------------------------------------------------
def in_rows(a, axis):
    """The numbers that go into each result along the last axis, in order, and the axes that they were on."""
    axes = normalize_axis_tuple(range(np.ndim(a)) if axis is None else axis, np.ndim(a))
    x = np.moveaxis(a, axes, range(-len(axes), 0))
    shape = x.shape[: x.ndim - len(axes)]
    return np.sort(np.reshape(x, (*shape, int(np.prod(x.shape[len(shape) :]))))), axes


def of_nothing(a, axis):
    """Whether no number at all goes into a result."""
    return np.size(a) == 0 and in_rows(plain(arrayed(a)), axis)[0].shape[-1] == 0


def places(sizes, q, method):
    """Where every q falls in an order of n numbers, which count from 0, for the n of every row: `(rows..., q)`."""
    numbers, size = np.unique(sizes, return_inverse=True)
    found = [
        np.quantile(np.arange(float(n)), np.ravel(q), method=method) for n in numbers
    ]  # NumPy's, in 0, 1, 2, ...
    return np.reshape(found, (len(numbers), np.size(q)))[size]


def neighbours(x, place):
    """The numbers of sorted rows on both sides of places in the order, and how far each place is between them."""
    low, high = np.floor(place).astype(int), np.ceil(place).astype(int)
    return np.take_along_axis(x, low, -1), np.take_along_axis(x, high, -1), place - low


def in_between(below, above, part):
    """The number at a part of the way between neighbours, from the nearer one, as NumPy rounds it."""
    one = (part == 0) | (np.isinf(plain(below)) & (plain(below) == plain(above)))
    apart = np.where(one, 0.0, above - below).astype(below.dtype)
    return np.where(part < 0.5, below + apart * part, above - apart * (1 - part))


def in_the_middle(below, above, part):
    """The mean of both neighbours, as NumPy's median is; infinite where one of them is."""
    return 0.5 * below + 0.5 * above


def moving_place(x, q, place, sizes, method):
    """What a variable q adds, which is 0: its distance from itself, times how fast the quantile moves."""
    if method not in SPREADS:
        raise TypeError(f"method={method!r} jumps with q: " + ", ".join(SPREADS) + " move")
    last = np.expand_dims(sizes, -1) - 1
    low, high = np.floor(place).astype(int), np.ceil(place).astype(int)
    around = [
        np.take_along_axis(x, np.clip(i, 0, last), -1) for i in (low - (low == high), low, high, high + (low == high))
    ]
    behind, ahead = around[1] - around[0], around[3] - around[2]  # both are 0 or more
    on_entry = np.where(plain(ahead) < plain(behind), ahead, behind)
    slope = np.where(low == high, on_entry, around[2] - around[1])
    rate = np.where((place > 0) & (place < last), last + 1 + SPREADS[method], 0.0)
    q = np.ravel(q)
    return slope * rate * (q - plain(q))


def quantiles(a, q, axis, method, keepdims, counted, between=in_between):
    """The quantiles of as many numbers of each sorted row as `counted` says."""
    a = arrayed(a)
    fractions = np.asarray(plain(q))
    dtype = a.dtype if a.dtype.kind == "f" and type(q) in (int, float) else np.result_type(a.dtype, fractions, 0.5)
    if not np.all((fractions >= 0) & (fractions <= 1)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    x, axes = in_rows(a, axis)
    shape = x.shape[:-1]
    if x.shape[-1] == 0:
        found = np.full(np.shape(q) + shape, np.nan, dtype)
    else:
        sizes = np.maximum(counted(x), 1)
        place = places(sizes, fractions, method)
        found = between(*neighbours(x, place)).astype(dtype)
        if isinstance(q, Node):
            found = found + moving_place(x, q, place, sizes, method)
        found = np.reshape(np.moveaxis(found, -1, 0), (*np.shape(q), *shape))
    return np.expand_dims(found, tuple(np.ndim(q) + i for i in axes)) if keepdims else found


def without_nan(a, q, axis, method, keepdims, between=in_between):
    """The quantiles of the numbers that are not nan."""
    there = lambda x: np.sum(~np.isnan(plain(x)), axis=-1)
    return quantiles(a, q, axis, method, keepdims, there, between)


def of_all(a, q, axis, method, keepdims, between=in_between):
    """The quantiles of all numbers, nan where a nan is among them."""
    found = quantiles(a, q, axis, method, keepdims, lambda x: np.full(x.shape[:-1], x.shape[-1]), between)
    unknown = np.any(np.isnan(plain(a)), axis, keepdims=keepdims)
    return found * np.where(unknown, np.nan, 1.0).astype(found.dtype) if np.any(unknown) else found


def quantile_of(numbers):
    """np.quantile of all numbers, or np.nanquantile of those that are not nan."""

    def quantile(a, q, axis=None, *, method="linear", keepdims=False):
        if numbers is of_all and of_nothing(a, axis):
            raise IndexError("there is no quantile of no numbers")
        if numbers is without_nan and np.size(a) == 0:
            return np.nanmean(arrayed(a), axis, keepdims=keepdims)  # as NumPy answers, whatever q is
        return numbers(a, q, axis, method, keepdims)

    return quantile


def percentile_of(numbers):
    """The same of q percent."""
    quantile = quantile_of(numbers)

    def percentile(a, q, axis=None, *, method="linear", keepdims=False):
        dtype = np.result_type(plain(arrayed(a)))
        plain_number = type(q) in (int, float)  # it takes the dtype of the numbers
        share = q / 100 if plain_number else np.divide(q, dtype.type(100) if dtype.kind == "f" else 100)
        return quantile(a, share, axis, method=method, keepdims=keepdims)

    return percentile


def median_of(numbers):
    """The number in the middle of the order, or the mean of the two that are; nan of no numbers."""

    def median(a, axis=None, *, keepdims=False):
        if of_nothing(a, axis):
            warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=user_frame()[1])
        return numbers(a, 0.5, axis, "linear", keepdims, in_the_middle)

    return median


implements(np.quantile)(quantile_of(of_all))
implements(np.percentile)(percentile_of(of_all))
implements(np.median)(median_of(of_all))
implements(np.nanquantile)(quantile_of(without_nan))
implements(np.nanpercentile)(percentile_of(without_nan))
implements(np.nanmedian)(median_of(without_nan))
