"""Stochastic gradient descent: a step against the gradient, with or without momentum.

The velocity is a decaying sum of gradients: components that change sign from step to step cancel. Nesterov's form
looks ahead: it takes the gradient at the point that the velocity leads to.
Sources: Polyak (1964), equation 9; Nesterov (1983); Sutskever, Martens, Dahl and Hinton, "On the importance of
initialization and momentum in deep learning" (2013), equations 1 to 4.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.names import spelled
from tinygrad_edu.optim.optimizer import Algorithm, Optimizer
from tinygrad_edu.optim.parameters import Params


def init(w: Any, momentum: float, nesterov: bool = False, weight_decay: float = 0.0) -> Any:
    """The state of a weight: its velocity, 0; None where there is no momentum."""
    if nesterov and not momentum:
        raise refusal(ValueError, "nesterov needs a momentum above 0, such as 0.9")
    return np.zeros_like(w) if momentum else None


def update(w: Any, g: Any, v: Any, lr: float, momentum: float, nesterov: bool, weight_decay: float) -> Any:
    """One step: `v <- momentum v + g`, `w <- w - lr v`, and `g + momentum v` for v with Nesterov."""
    if weight_decay:
        g = g + weight_decay * w
    if not momentum:
        return w - lr * g, None
    v = momentum * v + g
    return w - lr * (g + momentum * v if nesterov else v), v


def sgd(momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0) -> Algorithm:
    """The pair of functions of SGD; the state is the velocity v, or None without momentum.

    In Sutskever's equations the velocity is -lr v, and the weights are those at the point looked ahead to; with a
    constant learning rate the steps are the same.

    Parameters
    ----------
    momentum, nesterov
        How much of the velocity is kept at each step, in [0, 1); whether to look ahead, if that is above 0.
    weight_decay
        At least 0: adds `weight_decay * w` to the gradient, the gradient of `weight_decay / 2 * sum(w**2)`.
    """
    step = partial(update, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
    return Algorithm(partial(init, momentum=momentum), step)


class SGD(Optimizer):
    """Stochastic gradient descent, with or without momentum.

    Parameters
    ----------
    params, lr
        The parameters, such as `model.parameters()`, or groups, as for `Optimizer`; the learning rate, above 0.
    momentum, nesterov, weight_decay
        As for `sgd`.
    """

    __slots__ = ()

    @spelled
    def __init__(
        self, params: Params, lr: float, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        options = {"momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay}
        super().__init__(params, lr, Algorithm(init, update), options)
