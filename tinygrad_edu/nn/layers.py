"""Layers: `Linear`, and `Sequential`, which chains layers and the activations between them.

Two linear layers without an activation between them are no more than one linear layer.
Sources: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986), equation 1, for
`Linear`; Goodfellow, Bengio and Courville, "Deep Learning" (2016), chapter 6, for the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu.errors import printable, refusal, shape_of
from tinygrad_edu.inputs import Seed, generator, numbers
from tinygrad_edu.kinds import FLAG, floating, is_whole, shown
from tinygrad_edu.names import spelled
from tinygrad_edu.nn.init import Initialiser, drawn, glorot_uniform, zeros
from tinygrad_edu.nn.module import Module
from tinygrad_edu.value import Value

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    class Layer(Module):
        """A module whose calls give Values, for type checkers: what any other module gives, they do not know."""

        def __call__(self, *args: Any, **kwargs: Any) -> Value: ...  # noqa: D102
else:
    Layer = Module


class Linear(Layer):
    """The layer `x @ weight + bias`, a linear map of the last axis: (batch, in) to (batch, out).

    The weight is `(in, out)`, so that the formula on paper and the code are the same line.

    Parameters
    ----------
    in_features, out_features
        The widths of the input and of the output, whole numbers of at least 1.
    bias
        Whether a bias is added.
    dtype, init, bias_init, rng
        The floating point type of the parameters; functions `(shape, rng)` that give the first weight and bias, such
        as those of `nn.init`; a seed or a generator, from which the weight is drawn before the bias.

    Attributes
    ----------
    weight, bias
        (in, out), and (out,) or None.
    """

    weight: Value
    bias: Value | None

    @spelled
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
        rng, dtype = generator(rng), floating(dtype)
        if not FLAG.fits(bias):
            raise refusal(TypeError, f"bias is {FLAG.words}; got {shown(bias)}")
        self.weight = Value(drawn("init", init, (in_features, out_features), rng, dtype), name="weight")
        self.bias = Value(drawn("bias_init", bias_init, (out_features,), rng, dtype), name="bias") if bias else None

    def forward(self, x: Any) -> Any:
        """The output, of shape (..., out).

        Parameters
        ----------
        x
            (batch, in), or any (..., in); an array is converted to the weight's dtype. The refusal of another width
            names the layer and where x came from.
        """
        x = numbers("x", x, like=self.weight)
        if shape_of(x)[-1:] != self.weight.array.shape[:1]:
            raise refusal(ValueError, wrong_width(self, self.weight.array.shape[0], x))
        return x @ self.weight if self.bias is None else x @ self.weight + self.bias


def expect_widths(*widths: Any) -> None:
    """Refuse what is no whole number of at least 1."""
    call = f"Linear({', '.join(str(n) if isinstance(n, int) else type(n).__name__ for n in widths)})"
    if not all(map(is_whole, widths)):
        raise refusal(TypeError, f"{call}: both widths are whole numbers")
    if min(widths) < 1:
        raise refusal(ValueError, f"{call}: both widths are at least 1")


def wrong_width(layer: Module, width: int, x: Any) -> str:
    """Which layer got what from where, when the last axis does not fit."""
    shape, source = shape_of(x), x.scope if isinstance(x, Value) else None
    where = f" '{layer._path}'" if layer._path else ""
    got = f"got {shape[-1]}" if shape else "got a single number"
    origin = f", from {source.kind} '{source.path}'".replace(" ''", "") if source and source.kind else ""
    return printable(f"{type(layer).__name__}{where} expects {width} inputs, {got} (x is {shape}{origin})")


class Sequential(Layer):
    """A chain of modules or functions, such as `np.tanh`, each called with the result of the one before.

    Parameters
    ----------
    *layers
        Modules, or functions of one argument, from first to last, which the list `layers` holds then; a list of them
        or a class is a TypeError.
    """

    layers: list[Callable[[Any], Any]]

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for i, layer in enumerate(layers):
            if isinstance(layer, list | tuple):
                raise refusal(TypeError, "a list of layers was given: Sequential(*layers) takes them one by one")
            if isinstance(layer, type):
                raise refusal(TypeError, f"layer {i} is the class {layer.__name__}: write {layer.__name__}(...)")
            if not callable(layer):
                raise refusal(TypeError, f"layer {i} is a {type(layer).__name__}, which cannot be called")
        self.layers = list(layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return iter(self.layers)

    def __getitem__(self, index: Any) -> Any:
        """A layer, or of a slice the chain of those layers."""
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]

    def forward(self, x: Any) -> Any:
        """The output of the last layer, (batch, out).

        Parameters
        ----------
        x
            What the first layer takes, such as (batch, in).
        """
        for layer in self.layers:
            x = layer(x)
        return x
