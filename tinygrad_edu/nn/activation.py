"""Activations as layers: what stands between linear layers, so that two of them are more than one.

Sigmoid and tanh saturate: far from 0 their slope is almost 0, so gradients vanish in deep networks. ReLU does not,
but a unit whose input is negative for every example has gradient 0 and stops learning.
Source: Glorot, Bordes and Bengio, "Deep sparse rectifier neural networks" (2011), section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu.nn.layers import Layer
from tinygrad_edu.rules.elementwise import relu, sigmoid


class Activation(Layer):
    """A layer without parameters whose output has the shape of its input."""

    _function: Callable[[Any], Any]

    def forward(self, x: Any) -> Any:
        """The function of the class, of the shape of x.

        Parameters
        ----------
        x
            A Value or an array of any shape.
        """
        return self._function(x)


class Sigmoid(Activation):
    """1 / (1 + exp(-x)), in (0, 1), elementwise."""

    _function = staticmethod(sigmoid)


class Tanh(Activation):
    """The hyperbolic tangent, in (-1, 1) and centred on 0, elementwise."""

    _function = staticmethod(np.tanh)


class ReLU(Activation):
    """max(x, 0), elementwise; its slope at 0 is 0."""

    _function = staticmethod(relu)
