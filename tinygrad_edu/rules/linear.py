"""Linear algebra: products of matrices, vectors and tensors, at every rank.

For `out = X Y` the pullbacks are `G Y^T` and `X^T G` (Giles, "Collected matrix derivative results" (2008), section
2.2). A vector counts as a row on the left and as a column on the right; stacks broadcast. The pullback of an einsum
is an einsum, with the gradient where the operand was.
"""

import operator
from functools import reduce
from string import ascii_letters

import numpy as np

from tinygrad_edu.inputs import plain
from tinygrad_edu.table import REALS, Each, case, differentiable, implements, primitive


# fmt: off
def matrices(g, x, y):
    """The three arrays of a product as (stacks of) matrices."""
    if y.ndim == 1:
        g = np.expand_dims(g, -1)
        y = np.expand_dims(y, -1)
    if x.ndim == 1:
        g = np.expand_dims(g, -2)
        x = np.expand_dims(x, 0)
    return g, x, y

def left(g, out, x, y):
    """G Y^T."""
    if x.ndim == y.ndim == 2:
        return g @ y.T
    g, _, y = matrices(g, x, y)
    return g @ np.swapaxes(y, -1, -2)

def right(g, out, x, y):
    """X^T G."""
    if x.ndim == y.ndim == 2:
        return x.T @ g
    g, x, _ = matrices(g, x, y)
    full = np.swapaxes(x, -1, -2) @ g
    return full if y.ndim > 1 else full[..., 0]

differentiable(np.matmul, left, right, domain=REALS, glyph="@", formulas=("y^T", "x^T"), compute=operator.matmul,
               linear=True, cases=[case(x, y) for x, y in (
                   ((2, 3), (3, 2)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 2)),
                   ((2, 1, 2, 3), (3, 3, 1)), ((3,), (2, 3, 1)), ((2, 1, 3), (3,)))])

def explicit(subscripts, arrays):
    """The indices of every operand and of the result, with letters for an ellipsis."""
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    spare = [c for c in ascii_letters if c not in inputs]
    ranks = [a.ndim - len(t.replace("...", "")) for a, t in zip(arrays, terms, strict=True)]
    dots = "".join(spare[: max(ranks)])
    if not arrow:
        result = "..." + "".join(c for c in sorted(inputs) if c.isalpha() and inputs.count(c) == 1)
    terms = [t.replace("...", dots[len(dots) - n :]) for t, n in zip(terms, ranks, strict=True)]
    return terms, result.replace("...", dots)

def einsum_rule(i, g, out, *arrays, subscripts, optimize=False, order="K"):
    """The einsum with g in place of operand i, whose indices are the result."""
    terms, result = explicit(subscripts, arrays)
    used = "".join([*terms, result])
    spare = [c for c in ascii_letters if c not in used]
    x = arrays[i]
    letters = terms[i]
    own = ""
    operands = [*arrays[:i], g, *arrays[i + 1 :]]
    terms[i] = result
    for c, n in zip(letters, x.shape, strict=True):
        widest = max((a.shape[t.index(c)] for a, t in zip(operands, terms, strict=True) if c in t), default=-1)
        ones = np.ones_like(x, shape=(n,))
        new = spare.pop() if c in own else c
        if new != c:  # an index repeated in the operand: its gradient lies on the diagonal
            operands = [*operands, np.diag(ones)]
            terms = [*terms, c + new]
        elif widest < n:  # an index summed in this operand alone: every entry has the same gradient
            operands = [*operands, ones]
            terms = [*terms, c]
        own += new
    return einsum(*operands, subscripts=f"{','.join(terms)}->{own}", optimize=bool(optimize))

einsum = primitive(lambda *arrays, subscripts, optimize=False, order="K":
                   np.einsum(subscripts, *arrays, optimize=optimize, order=order),
                   Each(einsum_rule), domain=REALS, name="einsum", linear=True, formulas=("einsum(g, rest)",), cases=[
    case((2, 3), (3, 2), subscripts="ij,jk->ik"), case((3, 3), subscripts="ii->i"), case((2, 2, 2), subscripts="iii"),
    case((2, 1, 2, 3), subscripts="abcd->bd"), case((2, 3), (1, 3), (2,), subscripts="ij,ij,i->j", optimize=True),
    case((2, 1, 3), (2, 2), subscripts="...i, j...", optimize="greedy"), case((2, 2), (2,), subscripts="ii,..."),
    case((2, 2, 3), subscripts="aab->"), case((2, 2, 3), subscripts="bba->"), case((2, 2, 3), subscripts="aab->a"),
    case((2, 2, 2, 3), (3,), subscripts="aaab,c->c"), case((2, 3, 2, 3), subscripts="abab", order="F")])

def in_letters(lists):
    """Subscripts as text, of lists of whole numbers with an ellipsis."""
    if any(i is not ... and not 0 <= operator.index(i) < len(ascii_letters) for indices in lists for i in indices):
        raise ValueError(f"subscript is not within the valid range [0, {len(ascii_letters)})")
    return ["".join("..." if i is ... else ascii_letters[i] for i in indices) for indices in lists]

@implements(np.einsum)
def einsum_of(*operands, **options):
    """np.einsum, with its subscripts as text, or as a list of whole numbers after each operand."""
    subscripts, *arrays = operands
    if not isinstance(subscripts, str):
        arrays = list(operands[: len(operands) // 2 * 2 : 2])
        lists = operands[1::2]
        subscripts = ",".join(in_letters(lists))
        if len(operands) % 2:
            subscripts += "->" + in_letters(operands[-1:])[0]
    return einsum(*arrays, subscripts=subscripts, **options)

def factor(g, own, other, axes, first):
    """The product of the other factor with g over its own axes, and the axes that are left in order."""
    lists = (range(-axes, 0), range(axes)) if np.ndim(axes) == 0 else axes
    mine, theirs = lists if first else reversed(lists)
    mine = np.mod(np.array(mine, int).reshape(-1), own.ndim)
    theirs = np.mod(np.array(theirs, int).reshape(-1), other.ndim)
    free = np.delete(np.arange(own.ndim), mine)  # my axes that are in the result, first or last
    alone = np.delete(np.arange(other.ndim), theirs)  # and the other's
    product = np.tensordot(other, g, (alone, np.arange(len(alone)) + (len(free) if first else 0)))
    return np.transpose(product, tuple(np.argsort([*mine[np.argsort(theirs)], *free])))

# a primitive, because np.tensordot lays its result out for windows of images, where an einsum takes ten times as long
differentiable(np.tensordot, lambda g, out, a, b, *, axes=2: factor(g, a, b, axes, True),
               lambda g, out, a, b, *, axes=2: factor(g, b, a, axes, False), domain=REALS, linear=True,
               cases=[case((2, 3), (2, 3)), case((2,), (3,), axes=0), case((2, 3), (3,), axes=(-1, 0)),
                      case((2, 3, 1), (1, 3, 2), axes=([1, 0], [-2, 2]))], formulas=("y", "x"))
implements(np.inner)(lambda a, b: np.tensordot(a, b, (-1, -1)) if np.ndim(a) and np.ndim(b) else np.multiply(a, b))

@implements(np.dot)
def dot(a, b):
    """np.dot: a product of numbers, vectors or matrices; else over the last axis of a and the last but one of b."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.matmul(a, b) if np.ndim(b) < 3 else np.tensordot(a, b, (-1, -2))

implements(np.outer)(lambda a, b: np.multiply(np.reshape(a, (-1, 1)), np.reshape(b, (1, -1))))
implements(np.vdot)(lambda a, b: np.matmul(np.ravel(a), np.ravel(b)))

@implements(np.vecdot)
def vecdot(x1, x2, axis=-1):
    """np.vecdot: rows times columns."""
    row = np.expand_dims(np.moveaxis(x1, axis, -1), -2)
    column = np.expand_dims(np.moveaxis(x2, axis, -1), -1)
    return np.squeeze(np.matmul(row, column), (-2, -1))

if hasattr(np, "matvec"):  # NumPy 2.2
    implements(np.matvec)(lambda x1, x2: np.squeeze(np.matmul(x1, np.expand_dims(x2, -1)), -1))
    implements(np.vecmat)(lambda x1, x2: np.squeeze(np.matmul(np.expand_dims(x1, -2), x2), -2))

@implements(np.linalg.multi_dot)
def multi_dot(arrays):
    """np.linalg.multi_dot, from left to right."""
    if len(arrays) < 2:
        raise ValueError("Expecting at least two arrays.")
    ends = arrays[0], arrays[-1]
    if any(np.ndim(a) not in (1, 2) for a in ends) or any(np.ndim(a) != 2 for a in arrays[1:-1]):
        raise np.linalg.LinAlgError("arrays are matrices, the first and the last may be vectors")
    return reduce(np.dot, arrays)

@implements(np.linalg.matrix_power)
def matrix_power(a, n):
    """np.linalg.matrix_power: a product of squares, squares of squares, and so on; for n = 0 a constant."""
    one = np.linalg.matrix_power(plain(a), 0)  # NumPy refuses what is not square
    factor = a if n >= 0 else np.linalg.inv(a)
    left = abs(operator.index(n))
    found = one
    while left:
        if left % 2:
            found = factor if found is one else found @ factor
        left = left // 2
        factor = factor @ factor if left else factor
    return found

implements(np.linalg.trace)(lambda x, *, offset=0: np.trace(x, offset, -2, -1))
implements(np.linalg.diagonal)(lambda x, *, offset=0: np.diagonal(x, offset, -2, -1))

@implements(np.kron)
def kron(a, b):
    """np.kron: every entry of a times all of b."""
    n = max(np.ndim(a), np.ndim(b))
    p, q = ((1,) * (n - np.ndim(x)) + np.shape(x) for x in (a, b))
    blocks = np.reshape(a, [m for s in p for m in (s, 1)]) * np.reshape(b, [m for s in q for m in (1, s)])
    return np.reshape(blocks, [s * t for s, t in zip(p, q, strict=True)])

@implements(np.cross)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """np.cross of vectors of three numbers."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a = np.moveaxis(a, axisa, -1)
    b = np.moveaxis(b, axisb, -1)
    if (a.shape[-1], b.shape[-1]) != (3, 3):
        raise ValueError(f"vectors have three numbers, got {a.shape[-1]} and {b.shape[-1]}")
    return np.moveaxis(np.roll(a, -1, -1) * np.roll(b, 1, -1) - np.roll(a, 1, -1) * np.roll(b, -1, -1), -1, axisc)

for name in ("outer", "cross", "vecdot", "matmul", "tensordot"):
    implements(getattr(np.linalg, name))(getattr(np, name))
