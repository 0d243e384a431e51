"""What type checkers take a Value for: an entry of an array of objects.

NumPy's stubs do not know that a class may answer NumPy's functions itself (NEP 18). But of an entry of an array of
objects they say what holds for Values: an operator between an array and one of them asks the object, `np.sum(v)` is
such an object again, and of `np.tanh(v)` or `np.mean(v)` nothing is known, so that everything may be done with it.
While a program runs, none of this is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

Like = TypeVar("Like", bound=Any)
"""What a function is given and gives, where a Value makes a Value: `def sigmoid(x: Like) -> Like`."""

if TYPE_CHECKING:
    free: Any = None

    class Entry(np.object_):  # type: ignore[misc]
        """An object in an array, whose own methods say what they give: nothing is taken from NumPy's objects."""

        all = any = argmax = argmin = argpartition = argsort = astype = clip = compress = conj = conjugate = copy = (
            free
        )
        copy = cumprod = cumsum = data = diagonal = dot = dtype = flatten = item = max = mean = min = mT = ndim = free
        nonzero = prod = ptp = ravel = real = repeat = reshape = round = searchsorted = shape = size = free
        squeeze = std = sum = swapaxes = T = take = trace = transpose = var = free
else:
    Entry = object
