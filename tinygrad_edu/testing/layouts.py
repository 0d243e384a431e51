"""Layouts: the same numbers somewhere else in memory.

A gradient may not depend on where its numbers lie. So checks and strategies lay arrays out in unusual ways; arrays
without axes have only one.

Source: NumPy's "Internal organization of NumPy arrays", for strides.
"""

from __future__ import annotations

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_only(a: Any) -> Any:
    """A view that cannot be written to; numbers as they are."""
    if not isinstance(a, np.ndarray):
        return a
    view = a.view()
    view.flags.writeable = False
    return view


def strided(a: Any) -> Any:
    """A view of every second entry of a larger array."""
    return np.repeat(a, 2, -1)[..., ::2] if a.ndim else a


def turned(a: Any) -> Any:
    """A view with a negative stride: the first entry comes last in memory."""
    return a[::-1].copy()[::-1] if a.ndim else a
