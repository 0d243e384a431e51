"""Shape: the same numbers in another arrangement.

The derivative of moving a number is moving its gradient back, so each pullback undoes the arrangement. Repeating is
undone by the backward pass itself, which sums over what broadcasting stretched.

Source: Griewank and Walther, "Evaluating Derivatives" (2008): a linear map's pullback is its transpose.
"""

import numpy as np

from tinygrad_edu.op import REALS, Each, case, cases, differentiable, implements, primitive

# fmt: off

differentiable(np.reshape, lambda g, out, x, *, shape, order="C": np.reshape(g, x.shape, order=order),
               domain=REALS, cases=cases((2, 3), shape=[(3, 2), (6,), (-1, 1, 2)], order=["C", "F"]),
               formulas=("1",))
differentiable(np.ravel, lambda g, out, x, *, order="C": np.reshape(g, x.shape, order=order),
               domain=REALS, cases=cases((2, 3), order=["C", "F"]), formulas=("1",))
differentiable(np.transpose, lambda g, out, x, *, axes=None:
               np.transpose(g, None if axes is None else np.argsort(np.mod(axes, x.ndim))), domain=REALS,
               cases=cases((2, 3, 1), axes=[None, (2, 0, 1), (0, -1, 1)]), glyph="T", formulas=("1",))
differentiable(np.swapaxes, lambda g, out, x, *, axis1, axis2: np.swapaxes(g, axis1, axis2),
               domain=REALS, cases=[case((2, 3, 1), axis1=0, axis2=-1)], formulas=("1",))
differentiable(np.expand_dims, lambda g, out, x, *, axis: np.reshape(g, x.shape),
               domain=REALS, cases=cases((2, 3), axis=[0, -1, (0, 2)]), formulas=("1",))
differentiable(np.squeeze, lambda g, out, x, *, axis=None: np.reshape(g, x.shape),
               domain=REALS, cases=cases((2, 1, 1), axis=[None, 1, (1, 2)]), formulas=("1",))
differentiable(np.broadcast_to, lambda g, out, x, *, shape: g,
               domain=REALS, cases=cases((2, 1), shape=[(2, 3), (4, 2, 1), (2, 1)]), formulas=("1",))


def concatenate(*arrays, axis=0):
    """np.concatenate, its arrays as arguments of their own."""
    return np.concatenate(arrays, axis=axis)


def piece(i, g, out, *arrays, axis=0):
    """The part of a gradient that belongs to the i-th of the joined arrays."""
    if axis is None:
        start = sum(a.size for a in arrays[:i])
        return np.reshape(g[start : start + arrays[i].size], arrays[i].shape)
    start = sum(a.shape[axis] for a in arrays[:i])
    where = slice(start, start + arrays[i].shape[axis])
    return g[(slice(None),) * (axis % arrays[i].ndim) + (where,)]


concatenate = primitive(concatenate, Each(piece), domain=REALS, formulas=("1",),
                        cases=[case((2, 3), (1, 3)), case((2, 1), (2, 2), (2, 1), axis=-1),
                               case((2,), (1, 3), axis=None)])
implements(np.concatenate)(lambda arrays, axis=0: concatenate(*arrays, axis=axis))


def stack(*arrays, axis=0):
    """np.stack, its arrays as arguments of their own."""
    return np.stack(arrays, axis=axis)


stack = primitive(stack, Each(lambda i, g, out, *arrays, axis=0:
                              g[(slice(None),) * (axis % out.ndim) + (i,)]),
                  domain=REALS, formulas=("1",),
                  cases=[case((2, 3), (2, 3)), case((2,), (2,), (2,), axis=-1)])
implements(np.stack)(lambda arrays, axis=0: stack(*arrays, axis=axis))


def astype(x, dtype):
    """The same numbers in another floating point type."""
    return x.astype(dtype)


astype = primitive(astype, lambda g, out, x, *, dtype: g,
                   domain=REALS, cases=[case((3,), dtype=np.float64)], formulas=("1",))
