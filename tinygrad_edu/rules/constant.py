"""Functions whose result does not depend smoothly on anything: comparisons, orders, shapes, roundings.

They are computed on the data and give plain arrays; the derivative is zero wherever it exists.
"""

import numpy as np

from tinygrad_edu.op import constant

constant(
    np.sign, np.floor, np.ceil, np.rint, np.trunc, np.floor_divide, np.round, np.heaviside, np.signbit,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.isnan, np.isinf, np.isfinite,
    np.isclose, np.allclose, np.array_equal, np.all, np.any, np.argmax, np.argmin, np.argsort, np.nonzero,
    np.argwhere, np.count_nonzero, np.searchsorted, np.digitize, np.unique, np.bincount,
    np.shape, np.ndim, np.size, np.result_type, np.zeros_like, np.ones_like, np.empty_like, np.full_like,
    np.array_repr, np.array_str, np.array2string, np.iscomplexobj, np.isrealobj, np.may_share_memory,
    np.shares_memory,
)  # fmt: skip
