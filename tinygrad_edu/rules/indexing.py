"""Indexing: picking entries, and its mirror image, putting them back.

The pullback of picking is `scatter`, which adds each gradient to the place it came from (an entry picked twice gets
both); the pullback of scattering is picking. Nothing is changed in place: `at` builds a new array.
Source: scatter-add as the transpose of gather, as in any sparse linear algebra text.
"""

from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import arrayed, named, plain
from tinygrad_edu.numeric_warnings import told_at_users_line
from tinygrad_edu.table import REALS, case, cases, primitive

# fmt: off
BASIC = (int, slice, type(None), type(...))
INDICES = [0, slice(None, None, -2), (slice(1, None), 2), (..., None, -1), ([0, 0, 1],),
           ([0, 1, 0], [2, 1, 2]), np.array([[True, False, True], [False, True, True]]), (0, [1, 1])]

add_up = told_at_users_line("add")(np.add.at)  # for entries that are picked twice

def scatter(g, index, shape):
    """Zeros of a shape with g added at an index."""
    out = np.zeros_like(g, shape=shape)
    parts = index if isinstance(index, tuple) else (index,)
    if all(isinstance(part, BASIC) for part in parts):  # then nothing is picked twice
        out[parts] = g
    else:
        add_up(out, parts, g)
    return out

def add_at(total, g, index):
    """Add what `scatter` gives to a sum that belongs to nobody else, where a long array is picked from often."""
    parts = index if isinstance(index, tuple) else (index,)
    if all(isinstance(part, BASIC) for part in parts):
        total[parts] += g
    else:
        np.add.at(total, parts, g)

getitem = primitive(lambda x, index: x[index], lambda g, out, x, *, index: scatter(g, index=index, shape=x.shape),
                    domain=REALS, name="getitem", cases=cases((2, 3), index=INDICES), linear=True, glyph="[]",
                    formulas=("[picked]",), add=add_at)
scatter = primitive(scatter, lambda h, out, g, *, index, shape: h[index], domain=REALS, formulas=("1",),
                    cases=[case((3,), index=0, shape=(2, 3)), case((3,), index=[0, 0, 1], shape=(2,))])

def put(x, y, index):
    """x with y in place of x[index]."""
    out = np.array(x, dtype=np.result_type(x, y))
    out[index] = y
    return out

def put_rule(g, out, x, y, *, index):
    """The gradients of what was put; nothing where the same entry was put again later."""
    picked = g[index]
    turn = np.arange(picked.size).reshape(picked.shape)
    kept = np.where(put(np.zeros(x.shape), turn, index=index)[index] == turn, picked, 0.0)
    return np.reshape(kept, (1,) * (y.ndim - kept.ndim) + kept.shape)  # more axes of size 1 do not matter

put = primitive(put, lambda g, out, x, y, *, index: put(g, 0.0, index=index), put_rule, domain=REALS,
                formulas=("[kept]", "[put]"), cases=[case((2, 3), (3,), index=0), case((3,), (3,), index=[0, 1, 0]),
                                                     case((2, 3), (), index=(slice(None), [0, 2]))])

def expect_numbers(name, thing):
    """Refuse what is no number and no array of numbers."""
    kind = np.asarray(named(name, plain(thing), arrayed)).dtype.kind
    if kind not in "fiubc":
        raise refusal(TypeError, f"at: {name} is a number or an array of numbers, got some of dtype kind {kind!r}")

class at:
    """An array of which some entries are to be replaced: `at(v, index).set(y)`, `at(v, index).add(y)`.

    Parameters
    ----------
    x
        A Value or an array, of any shape.
    index
        What one would write in `x[index]`.
    """

    def __init__(self, x: Any, index: Any) -> None:
        expect_numbers("x", x)
        self.x = x
        self.index = index

    def set(self, y: Any) -> Any:
        """A new array with y in place of the picked entries.

        Parameters
        ----------
        y
            A number, an array or a Value that broadcasts to the shape of `x[index]`; of an entry picked twice the
            last one counts.
        """
        expect_numbers("y", y)
        return put(self.x, y, index=self.index)

    def add(self, y: Any) -> Any:
        """A new array with y added to the picked entries.

        Parameters
        ----------
        y
            As for `set`.
        """
        expect_numbers("y", y)
        return put(self.x, getitem(self.x, index=self.index) + y, index=self.index)
