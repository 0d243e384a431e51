"""Activations as modules, to stand between layers in a `Sequential`.

Two linear layers without an activation between them are no more than one linear layer. Sigmoid and tanh saturate:
far from 0 their slope is almost 0, so gradients vanish in deep networks. ReLU does not, but a unit whose input is
negative for every example has gradient 0 and stops learning.

Source: Glorot, Bordes and Bengio, "Deep sparse rectifier neural networks" (2011), section 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu.nn.module import Module
from tinygrad_edu.rules.elementwise import relu, sigmoid


class Sigmoid(Module):
    """1 / (1 + exp(-x)), in (0, 1), elementwise."""

    def forward(self, x: Any) -> Any:
        """The sigmoid of x, of the same shape.

        Parameters
        ----------
        x
            A Value or an array of any shape.
        """
        return sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent, in (-1, 1) and centred on 0, elementwise."""

    def forward(self, x: Any) -> Any:
        """The hyperbolic tangent of x, of the same shape.

        Parameters
        ----------
        x
            A Value or an array of any shape.
        """
        return np.tanh(x)


class ReLU(Module):
    """max(x, 0), elementwise; its slope at 0 is 0."""

    def forward(self, x: Any) -> Any:
        """The positive part of x, of the same shape.

        Parameters
        ----------
        x
            A Value or an array of any shape.
        """
        return relu(x)
