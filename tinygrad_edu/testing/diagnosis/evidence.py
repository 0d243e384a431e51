"""What is known of an argument whose gradient is wrong, and what can be computed to explain it.

The numbers are there from the check. Besides, the function can be differenced again with other weights, at other
arguments, or for another argument: where that gives the wrong gradient too, it tells what the rule computes.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2, for the weights of a result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu.backward import gradients
from tinygrad_edu.inputs import plain
from tinygrad_edu.testing.differences.numeric import STEP, along, four_point, step_scale
from tinygrad_edu.value import Value

Array = np.ndarray[Any, Any]


@dataclass
class Evidence:
    """What is known of one argument whose gradient is wrong.

    Attributes
    ----------
    k, leaves, places
        Which of the arguments it is, all of them as float64 arrays, and what they are called.
    found
        The analytic gradient of every argument.
    picked, numeric, wrong
        The compared entries as flat indices, their slopes by differences, and which of them failed.
    call, cotangent
        The function of the list of arguments, and the weights of its result; None if there is no such function.
    reach
        How far the arguments are from the nearest trouble.
    """

    k: int
    leaves: list[Array]
    places: list[str]
    found: list[Array]
    picked: Array
    numeric: Array
    wrong: Array
    call: Callable[[list[Any]], Any] | None = None
    cotangent: Any = None
    reach: Any = np.inf

    @classmethod
    def before(
        cls,
        places: list[str],
        arrays: list[Array],
        found: list[Array],
        reach: Any,
        call: Any = None,
        cotangent: Any = None,
    ) -> Evidence:
        """What is known before slopes are compared: the arguments, and their gradients."""
        wide = [np.asarray(array, dtype=float) for array in arrays]
        nothing = np.zeros(0)
        return cls(0, wide, places, found, nothing, nothing, nothing, call, cotangent, reach)

    def at(self, gradient: Any) -> Array:
        """A whole gradient's compared entries."""
        return np.asarray(gradient, dtype=float).ravel()[self.picked]

    @property
    def analytic(self) -> Array:
        """The compared entries of the gradient in question."""
        return self.at(self.found[self.k])

    def slopes(self, cotangent: Any, leaves: list[Array], k: int) -> Array:
        """The compared entries of another gradient by differences: other weights, arguments, or position."""
        f = self.call
        x = leaves[k]
        scalar = lambda moved: np.sum(plain(f([*leaves[:k], moved, *leaves[k + 1 :]])) * cotangent)  # type: ignore[misc]
        indices = [tuple(map(int, np.unravel_index(i, x.shape))) for i in self.picked]
        steps = [STEP * float(step_scale(x[index], self.reach)) for index in indices]
        pairs = zip(indices, steps, strict=True)
        return np.array([four_point(along(scalar, x, index), h) for index, h in pairs])

    def pulled(self, leaves: list[Array], k: int) -> Array:
        """The analytic gradient for an argument, at other arguments."""
        values = [Value(leaf) for leaf in leaves]
        found: Array = gradients(np.sum(self.call(values) * self.cotangent), values)[k]  # type: ignore[misc]
        return found
