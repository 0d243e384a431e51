"""Shape: the same numbers in another arrangement.

The derivative of moving a number is moving its gradient back; repeating is undone by the backward pass, which sums
over what broadcasting stretched. Any other function is rewritten as indexing: `moving` lets it move the numbers of
the entries, and so learns which went where.
Source: Griewank and Walther, "Evaluating Derivatives" (2008): a linear map's pullback is its transpose.
"""

from functools import partial
from inspect import signature
from operator import index

import numpy as np
from numpy.lib.array_utils import normalize_axis_index as place

from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import floating, plain
from tinygrad_edu.numeric_warnings import told_at_users_line
from tinygrad_edu.table import (
    REALS,
    Parts,
    accepted,
    case,
    cases,
    differentiable,
    implements,
    primitive,
    without_own_dtype,
)

# fmt: off
moves = partial(differentiable, domain=REALS, linear=True, formulas=("1",))  # numbers go elsewhere, as they are

def ordered(g, x, order):
    """A gradient in the shape of x, filled in the order in which the entries of x were read."""
    if order == "C":  # without saying so, because dask has no word for it
        return np.reshape(g, x.shape)
    if order == "A":
        order = "F" if plain(x).flags.fnc else "C"
    return as_in_memory(g, plain(x)) if order == "K" else np.reshape(g, x.shape, order=order)

def as_in_memory(g, x):
    """A gradient in the shape of x, filled in the order in which the entries of x lie in memory."""
    numbers = np.empty_like(x, dtype=int)  # which lie as those of x do
    numbers[...] = np.arange(x.size).reshape(x.shape)
    return np.reshape(g[np.argsort(np.ravel(numbers, order="K"))], x.shape)

moves(np.reshape, lambda g, out, x, *, shape, order="C": ordered(g, x, order),  # a tangent may lie otherwise
      linear=False, cases=cases((2, 3), shape=[(3, 2), (6,), (-1, 1, 2)], order=["C", "F"]))
moves(np.ravel, lambda g, out, x, *, order="C": ordered(g, x, order), linear=False, cases=cases((2, 3), order="CF"))
moves(np.expand_dims, lambda g, out, x, *, axis: np.reshape(g, x.shape), cases=cases((2, 3), axis=[0, -1, (0, 2)]))
moves(np.squeeze, lambda g, out, x, *, axis=None: np.reshape(g, x.shape),
      cases=cases((2, 1, 1), axis=[None, 1, (1, 2)]))
moves(np.broadcast_to, lambda g, out, x, *, shape: g, cases=cases((2, 1), shape=[(2, 3), (4, 2, 1), (2, 1)]))
moves(np.flip, lambda g, out, x, *, axis=None: np.flip(g, axis), cases=cases((2, 3), axis=[None, 0, -1, (0, 1)]))
moves(np.swapaxes, lambda g, out, x, *, axis1, axis2: np.swapaxes(g, axis1, axis2),
      cases=[case((2, 3, 1), axis1=0, axis2=-1)])
moves(np.moveaxis, lambda g, out, x, *, source, destination: np.moveaxis(g, destination, source),
      cases=[case((2, 3, 1), source=0, destination=-1), case((2, 3, 1), source=(0, 2), destination=(1, 0))])
moves(np.transpose, lambda g, out, x, *, axes=None:
      np.transpose(g, None if axes is None else tuple(np.argsort(np.mod(axes, x.ndim)))),
      cases=cases((2, 3, 1), axes=[None, (2, 0, 1), (0, -1, 1)]), glyph="T")

def along(x, part, axis):
    """x at an index or a slice on one axis."""
    return x[(slice(None),) * place(axis, np.ndim(x)) + (part,)]

def span(x, start, stop, axis):
    """The entries of x from a place to another on one axis; None is the end."""
    return along(x, slice(start, stop), axis)

def pieces(g, out, *arrays, axis=0):
    """The gradients of what was joined along an axis: each is a piece of g, as long as its array."""
    found = []
    start = 0
    for a in arrays:
        end = start + a.shape[axis]
        found.append(along(g, slice(start, end), axis))
        start = end
    return found

# np.concatenate and np.stack with their arrays as arguments of their own
concatenate = primitive(lambda *arrays, axis=0: np.concatenate(arrays, axis=index(axis)), Parts(pieces),
                        name="concatenate", domain=REALS, linear=True, formulas=("1",),
                        cases=[case((2, 3), (1, 3)), case((2, 1), (2, 2), (2, 1), axis=-1)])
implements(np.concatenate)(lambda arrays, axis=0: concatenate(*map(np.ravel, arrays)) if axis is None
                           else concatenate(*arrays, axis=axis))
stack = primitive(lambda *arrays, axis=0: np.stack(arrays, axis=axis),
                  Parts(lambda g, out, *arrays, axis=0: np.moveaxis(g, axis, 0)), name="stack",
                  domain=REALS, linear=True, formulas=("1",), cases=[case((2, 3), (2, 3)), case((2,), (2,), axis=-1)])
implements(np.stack)(lambda arrays, axis=0: stack(*arrays, axis=axis))

@told_at_users_line("astype")
def astype(x, dtype):
    """The same numbers in another floating point type."""
    return floating(x.astype(dtype))

astype = primitive(astype, lambda g, out, x, *, dtype: g, domain=REALS,
                   cases=[case((3,), dtype=np.float64)], formulas=("1",))

@implements(np.astype)
def converted(x, dtype, *, copy=True):
    """np.astype; whole numbers are a rounding, so they are constants."""
    return plain(x).astype(dtype) if np.dtype(dtype).kind in "iub" else astype(x, dtype=dtype)

implements(np.copy)(lambda a, order="K": np.positive(a))
implements(np.linalg.matrix_transpose)(implements(np.matrix_transpose)(lambda x: np.swapaxes(x, -1, -2)))
implements(np.trace)(lambda a, offset=0, axis1=0, axis2=1: np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1))

@implements(np.select)
def select(condlist, choicelist, default=0.0):
    """np.select: where several conditions hold, the first one counts."""
    out = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        out = np.where(condition, choice, out)
    return out

@implements(np.broadcast_arrays)
def broadcast_arrays(*args):
    """np.broadcast_arrays, as a tuple."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(a, shape) for a in args)

# -- by moving numbers ------------------------------------------------------------------------------------
def numbered(tree, arrays, ends):
    """A number for each entry, counted over all arrays of a call, which are listed flat with their ends."""
    if isinstance(tree, list | tuple):
        return [numbered(branch, arrays, ends) for branch in tree]
    arrays.append(np.ravel(tree))
    ends.append(ends[-1] + np.size(tree))
    return np.reshape(np.arange(ends[-2], ends[-1]) + 1, np.shape(tree))

def moving(function, *names):
    """Rewrite a function that only moves entries: number those of the named arguments, move the numbers, pick.

    NumPy's own answer says what is refused, which dtype a result has, and what is no matter of a variable.
    """
    declared = signature(function)
    known = [name for name in declared.parameters if name not in (*names, "out", "dtype")]

    def moved(*args, **options):
        call = declared.bind(*args, **options)
        given = {name: option for name, option in call.arguments.items() if name not in names}
        chosen = [call.arguments[name] for name in names if name in call.arguments]
        if "dtype" in given and "dtype" not in without_own_dtype(chosen, known, given):
            del given["dtype"], call.arguments["dtype"]
        accepted(function.__name__, known, declared.parameters, given)
        arrays: list = []
        ends = [0]
        numbers = dict(call.arguments)
        for name, argument in call.arguments.items():
            numbers[name] = numbered(argument, arrays, ends) if name in names else plain(argument)
            call.arguments[name] = plain(argument)
        expected = function(*call.args, **call.kwargs)
        call.arguments.update(numbers)
        places = function(*call.args, **call.kwargs)
        several = isinstance(places, list | tuple)
        picked = [pick(arrays, ends, *pair) for pair in (zip(places, expected, strict=True) if several
                                                         else [(places, expected)])]
        return type(places)(picked) if several else picked[0]

    return moved

def pick(arrays, ends, places, expected):
    """The entries at places that count from 1 over all arrays, as NumPy's own answer has them; 0 is a hole, 0.0."""
    used = [i for i, a in enumerate(arrays) if np.any((places > ends[i]) & (places <= ends[i + 1]))]
    if not any(isinstance(arrays[i], Node) for i in used) or expected.dtype.kind != "f":
        return expected  # of constants only, or rounded to whole numbers
    if len(used) == 1 and np.min(places) > 0:
        (i,) = used
        found = arrays[i][places - ends[i] - 1]
    else:
        flat = np.concatenate([*arrays, np.zeros_like(arrays[used[0]], shape=1)])
        found = flat[places - 1]
    return found if found.dtype == expected.dtype else found.astype(expected.dtype)

MOVING: dict[tuple[str, ...], list] = {  # the parameters whose entries are moved, and the functions that call them so
    ("m",): [np.fliplr, np.flipud, np.rot90, np.tril, np.triu],
    ("a",): [np.roll, np.rollaxis, np.resize, np.repeat, np.take, np.compress, np.diagonal],
    ("A",): [np.tile],
    ("v",): [np.diag, np.diagflat],
    ("x",): [np.unstack, np.fft.fftshift, np.fft.ifftshift],
    ("xi",): [np.meshgrid],
    ("arr",): [np.take_along_axis, np.extract, np.delete],
    ("arr", "values"): [np.insert, np.append],
    ("ary",): [np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit],
    ("arys",): [np.atleast_1d, np.atleast_2d, np.atleast_3d],
    ("arrays",): [np.block],
    ("tup",): [np.hstack, np.vstack, np.dstack, np.column_stack],
    ("choices",): [np.choose],
}
for names, functions in MOVING.items():
    for function in functions:
        implements(function)(moving(function, *names))
