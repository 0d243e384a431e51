"""What is not differentiated: constants, and functions that are refused.

A constant does not depend smoothly on anything: comparisons, orders, shapes, roundings. It is computed on the data
and gives a plain array; the derivative is zero wherever it exists. A function that is refused has no derivative here;
a call with a Value says so at once, with the reason and the remedy.
Source: the Python array API standard (2023.12), for what is a comparison, a search or an inspection; the public
functions of NumPy 2, of which tests/test_surface.py lets none be forgotten.
"""

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import plain
from tinygrad_edu.rules.indexing import scatter
from tinygrad_edu.rules.shape import astype
from tinygrad_edu.table import constant, implements, refused

# fmt: off
# -- constants --------------------------------------------------------------------------------------------
# steps: roundings and signs, and the choice of a heaviside step
constant(np.sign, np.signbit, np.floor, np.ceil, np.rint, np.trunc, np.fix, np.round, np.around, np.floor_divide,
         np.heaviside, np.spacing, np.imag, np.angle)
# comparisons and logic
constant(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.logical_and, np.logical_or,
         np.logical_not, np.logical_xor, np.isnan, np.isinf, np.isfinite, np.isneginf, np.isposinf, np.iscomplex,
         np.isreal, np.iscomplexobj, np.isrealobj, np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isin,
         np.all, np.any)
# places and counts
constant(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort, np.argwhere,
         np.nonzero, np.flatnonzero, np.count_nonzero, np.searchsorted, np.digitize, np.diag_indices_from,
         np.tril_indices_from, np.triu_indices_from, np.linalg.matrix_rank)
# shapes, types, memory and text
constant(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.einsum_path,
         np.zeros_like, np.ones_like, np.empty_like, np.may_share_memory, np.shares_memory, np.array_repr,
         np.array_str, np.array2string)

# what is filled in, or summed up for each number, may be a Value
@implements(np.full_like)
def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None):
    """np.full_like, in the dtype of a: whole numbers are a rounding, so they are constants."""
    shape = np.shape(a) if shape is None else shape
    dtype = np.dtype(np.result_type(plain(a)) if dtype is None else dtype)
    if dtype.kind != "f" or not isinstance(fill_value, Node):
        return np.full_like(plain(a), plain(fill_value), dtype, order, subok, shape)
    return np.broadcast_to(astype(fill_value, dtype=dtype), shape)

@implements(np.bincount)
def bincount(x, weights=None, minlength=0):
    """np.bincount: the sum of the weights that belong to each number."""
    length = np.bincount(plain(x), minlength=minlength).size  # NumPy refuses what is no place
    return scatter(np.multiply(weights, np.float64(1.0)), index=np.asarray(plain(x), int), shape=(length,))

# -- refused ----------------------------------------------------------------------------------------------
refused("it changes an array in place; build a new one with np.ones_like(a) * y, np.where or te.at(v, i).set(y)",
        np.copyto, np.put, np.put_along_axis, np.place, np.putmask, np.fill_diagonal)
refused("it works with complex numbers, and gradients are of real ones; write it with np.cos and np.sin", np.fft.hfft,
        np.fft.ihfft, *(getattr(np.fft, f"{kind}fft{n}") for kind in ("", "i", "r", "ir") for n in ("", "2", "n")))
refused("its result may be complex; for real ones there are np.linalg.eigh, np.sort, np.sqrt, np.log and so on",
        np.linalg.eig, np.linalg.eigvals, np.roots, np.sort_complex,
        *(getattr(np.emath, name) for name in np.emath.__all__))
refused("it works on whole numbers, bits or dates, and a Value is floating point", np.bitwise_and, np.bitwise_or,
        np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.bitwise_count, np.gcd, np.lcm, np.packbits,
        np.unpackbits, np.ravel_multi_index, np.unravel_index, np.ix_, np.isnat, np.is_busday, np.busday_count,
        np.busday_offset, np.datetime_as_string)
refused("it asks which entries are equal or how many there are, which jumps; index with its answer for value.data",
        np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values, np.union1d, np.setdiff1d,
        np.setxor1d, np.intersect1d, np.trim_zeros, np.histogram, np.histogram2d, np.histogramdd,
        np.histogram_bin_edges)
refused("it works on coefficients; there are np.polyval for values, + for sums and np.convolve for products",
        np.poly, np.polyadd, np.polysub, np.polymul, np.polydiv, np.polyder, np.polyint)
refused("it writes plain arrays to a file", np.save, np.savez, np.savez_compressed, np.savetxt)
refused("it takes a number apart; write x * 2.0**n, x - np.trunc(x)", np.ldexp, np.frexp, np.nextafter)
refused("its derivative, the Bessel function i1, is not in NumPy", np.i0)
refused("it calls a function on plain arrays; call it yourself, and join with np.stack or np.where",
        np.apply_along_axis, np.apply_over_axes, np.piecewise)
