"""Linear algebra: products of matrices and vectors, at every rank.

For `out = X Y` the pullbacks are `G Y^T` and `X^T G` (Giles, "Collected matrix derivative results" (2008), section
2.2). A vector counts as a row on the left and as a column on the right; stacks broadcast.
"""

import operator

import numpy as np

from tinygrad_edu.op import REALS, case, differentiable, implements

# fmt: off


def matrices(g, x, y):
    """The three arrays of a product as (stacks of) matrices."""
    if y.ndim == 1:
        g, y = np.expand_dims(g, -1), np.expand_dims(y, -1)
    if x.ndim == 1:
        g, x = np.expand_dims(g, -2), np.expand_dims(x, 0)
    return g, x, y


def left(g, out, x, y):
    """G Y^T."""
    if x.ndim == y.ndim == 2:
        return g @ y.T
    g, _, y = matrices(g, x, y)
    full = g @ np.swapaxes(y, -1, -2)
    return full if x.ndim > 1 else full[..., 0, :]


def right(g, out, x, y):
    """X^T G."""
    if x.ndim == y.ndim == 2:
        return x.T @ g
    g, x, _ = matrices(g, x, y)
    full = np.swapaxes(x, -1, -2) @ g
    return full if y.ndim > 1 else full[..., 0]


differentiable(np.matmul, left, right, domain=REALS, glyph="@", formulas=("y^T", "x^T"),
               compute=operator.matmul,
               cases=[case((2, 3), (3, 2)), case((3,), (3,)), case((3,), (3, 2)), case((2, 3), (3,)),
                      case((2, 2, 3), (3, 2)), case((2, 1, 2, 3), (3, 3, 1)), case((3,), (2, 3, 1)),
                      case((2, 1, 3), (3,))])


@implements(np.dot)
def dot(a, b):
    """np.dot: a product of numbers, a matrix product, or a sum over the last and last but one axis."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) <= 2:
        return np.matmul(a, b)
    inner = np.reshape(np.swapaxes(np.swapaxes(b, -1, -2), 0, -1).T, (-1, np.shape(b)[-2]))
    return np.reshape(np.matmul(a, inner.T), np.shape(a)[:-1] + np.shape(b)[:-2] + np.shape(b)[-1:])
