"""Networks: modules with named parameters, layers, activations and losses.

A module is a Python object whose Values are its parameters; calling it computes its `forward` and names what is
recorded, so that pictures and messages can say which layer they mean. Nothing here knows a derivative: layers and
losses are written in NumPy, and the engine differentiates them.
"""

from numpy import tanh

from tinygrad_edu.names import answering
from tinygrad_edu.nn import init
from tinygrad_edu.nn.activation import ReLU, Sigmoid, Tanh
from tinygrad_edu.nn.layers import Linear, Sequential
from tinygrad_edu.nn.loss import binary_cross_entropy, cross_entropy, mse_loss
from tinygrad_edu.nn.lost import LostParameterWarning
from tinygrad_edu.nn.metrics import accuracy
from tinygrad_edu.nn.module import Module
from tinygrad_edu.rules.elementwise import relu, sigmoid

__all__ = [
    "Linear", "LostParameterWarning", "Module", "ReLU", "Sequential", "Sigmoid", "Tanh", "accuracy",
    "binary_cross_entropy", "cross_entropy", "init", "mse_loss", "relu", "sigmoid", "tanh",
]  # fmt: skip

__getattr__ = answering(__name__, __all__)
