"""Optimisers: how gradients change parameters.

An algorithm is a pure pair: `init(weight)` gives a state, `update(weight, gradient, state, lr)` gives the new weight
and the new state. One loop, in `Optimizer`, applies the pair to every parameter and rebinds its data.
"""

from tinygrad_edu.names import answering
from tinygrad_edu.optim.adaptive_moments import Adam, adam
from tinygrad_edu.optim.adaptive_rates import Adagrad, AdamW, Lion, RMSprop
from tinygrad_edu.optim.gradient_descent import SGD, sgd
from tinygrad_edu.optim.optimizer import Algorithm, Optimizer, clip_grad_norm
from tinygrad_edu.optim.schedules import cosine, exponential, one_cycle, reduce_on_plateau, step_decay, warmup
from tinygrad_edu.optim.scipy_methods import minimize

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "Algorithm", "Lion", "Optimizer", "RMSprop", "adam", "clip_grad_norm",
    "cosine", "exponential", "minimize", "one_cycle", "reduce_on_plateau", "sgd", "step_decay", "warmup",
]  # fmt: skip

__getattr__ = answering(__name__, __all__)
