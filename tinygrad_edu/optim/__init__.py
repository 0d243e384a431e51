"""Optimisers: how gradients change parameters.

An algorithm is a pure pair: `init(weight)` gives a state, `update(weight, gradient, state, lr)` gives the new weight
and the new state. One loop, in `Optimizer`, applies the pair to every parameter and rebinds its data.
"""

from tinygrad_edu.names import answering
from tinygrad_edu.optim.adaptive_moments import Adam, adam
from tinygrad_edu.optim.gradient_descent import SGD, sgd
from tinygrad_edu.optim.optimizer import Algorithm, Optimizer

__all__ = ["SGD", "Adam", "Algorithm", "Optimizer", "adam", "sgd"]

__getattr__ = answering(__name__, __all__)
