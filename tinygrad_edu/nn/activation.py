"""Activations as modules, to stand between layers in a `Sequential`.

Without one of them between two linear layers, both are one linear map. Sigmoid and tanh saturate, which makes
gradients vanish in deep networks; ReLU does not, but a unit that is negative for every input stops learning.

Source: Glorot, Bordes and Bengio, "Deep sparse rectifier neural networks" (2011), section 2.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.nn.module import Module
from tinygrad_edu.rules.elementwise import relu, sigmoid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Sigmoid(Module):
    """1 / (1 + exp(-x)), in (0, 1), elementwise."""

    def forward(self, x: Any) -> Any:
        """The sigmoid of x, of the same shape."""
        return sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent, in (-1, 1) and centred on 0, elementwise."""

    def forward(self, x: Any) -> Any:
        """The hyperbolic tangent of x, of the same shape."""
        return np.tanh(x)


class ReLU(Module):
    """max(x, 0), elementwise; its slope at 0 is 0."""

    def forward(self, x: Any) -> Any:
        """The positive part of x, of the same shape."""
        return relu(x)
