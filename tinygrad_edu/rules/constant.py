"""Functions whose result does not depend smoothly on anything: comparisons, orders, shapes, roundings.

They are computed on the data and give plain arrays; the derivative is zero wherever it exists.
Source: the Python array API standard (2023.12), for what is a comparison, a search or an inspection.
"""

import numpy as np

from tinygrad_edu.rules.indexing import scatter
from tinygrad_edu.table import constant, implements

# fmt: off
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
implements(np.full_like)(lambda a, fill_value, **options: np.zeros_like(a, **options) + fill_value)
implements(np.bincount)(lambda x, weights, minlength=0: scatter(
    np.multiply(weights, np.float64(1.0)), index=x, shape=(max(minlength, np.max(x, initial=-1) + 1),)))
