"""`Sequential`: modules one after the other.

The output of each is the input of the next: function composition, written in the order in which it happens. Any
callable may stand among them, `np.tanh` as well as `Tanh()`.

Source: the feedforward network of Goodfellow, Bengio and Courville, "Deep Learning" (2016), chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_edu.errors import refusal
from tinygrad_edu.nn.module import Module


class Sequential(Module):
    """A chain of modules or functions, each called with the result of the one before.

    Parameters
    ----------
    *layers
        Modules, or functions of one argument, from first to last.

    Attributes
    ----------
    layers
        The list of them: `net.layers[0]` is the first.

    Raises
    ------
    TypeError
        For a list in place of its items, a class in place of an object, and for what cannot be called.
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
