"""`Linear`: the layer `x @ weight + bias`.

The weight is `(in, out)`, so that the formula on paper and the code are the same line. An input of the wrong width
raises an error that names the layer, and the layer that the input came from.

Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986), equation 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.nn.expect import numbers
from tinygrad_edu.nn.init import Initialiser, Seed, generator, glorot_uniform, zeros
from tinygrad_edu.nn.module import Module
from tinygrad_edu.value import Value

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Linear(Module):
    """A linear map of the last axis: (batch, in) to (batch, out).

    Parameters
    ----------
    in_features, out_features
        The widths of the input and of the output.
    bias
        Whether a bias is added.
    dtype
        The floating point type of the parameters.
    init, bias_init
        Functions `(shape, rng)` that give the first weight and bias, such as those of `nn.init`.
    rng
        A seed or a generator; the weight is drawn before the bias.

    Attributes
    ----------
    weight
        (in, out).
    bias
        (out,), or None.

    Raises
    ------
    TypeError
        For widths that are no whole numbers, and, when called, for anything but real numbers.
    ValueError
        For widths below 1, and, when called, for an input of another width.
    """

    weight: Value
    bias: Value | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float64,
        init: Initialiser = glorot_uniform,
        bias_init: Initialiser = zeros,
        rng: Seed = None,
    ) -> None:
        expect_widths(in_features, out_features)
        rng = generator(rng)
        weight = init((in_features, out_features), rng)
        self.weight = Value(np.asarray(weight, dtype), name="weight")
        self.bias = Value(np.asarray(bias_init((out_features,), rng), dtype), name="bias") if bias else None

    def forward(self, x: Any) -> Any:
        """The output `x @ weight + bias`, of shape (..., out).

        Parameters
        ----------
        x
            (batch, in), or any (..., in).

        Raises
        ------
        TypeError
            For anything but real numbers.
        ValueError
            If the last axis of x is not `in` long; the message names the layer and where x came from.
        """
        x = numbers("x", x)
        shape = errors.shape_of(x)
        width = self.weight.data.shape[0]
        if shape[-1:] != (width,):
            raise errors.refusal(ValueError, wrong_width(self._path, width, x, shape))
        return x @ self.weight if self.bias is None else x @ self.weight + self.bias


def expect_widths(*widths: Any) -> None:
    """Refuse what is no whole number of at least 1."""
    call = f"Linear({', '.join(str(n) if isinstance(n, int) else type(n).__name__ for n in widths)})"
    if any(isinstance(n, bool) or not isinstance(n, int | np.integer) for n in widths):
        raise errors.refusal(TypeError, f"{call}: both widths are whole numbers")
    if min(widths) < 1:
        raise errors.refusal(ValueError, f"{call}: both widths are at least 1")


def wrong_width(path: str | None, width: int, x: Any, shape: tuple[int, ...]) -> str:
    """Which layer got what from where, when the last axis does not fit."""
    layer = f"Linear '{path}'" if path else "Linear"
    got = f"got {shape[-1]}" if shape else "got a single number"
    source = x.scope if isinstance(x, Value) else None
    origin = f", from {source.kind} '{source.path}'".replace(" ''", "") if source and source.kind else ""
    return errors.printable(f"{layer} expects {width} inputs, {got} (x is {shape}{origin})")
