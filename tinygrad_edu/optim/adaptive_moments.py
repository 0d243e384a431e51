"""Adam: a step of about the learning rate in every coordinate, whatever the scale of its gradient.

Two decaying means are kept, of the gradient and of its square; the step is the ratio of the first to the root of the
second. Both start at 0, and dividing by 1 - beta^t removes that bias.
Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015), Algorithm 1.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu.names import spelled
from tinygrad_edu.optim.optimizer import Algorithm, Optimizer
from tinygrad_edu.optim.parameters import Params

Betas = tuple[float, float]


def init(w: Any, **options: Any) -> Any:
    """The state of a weight: t, m and v, all 0."""
    return 0, np.zeros_like(w), np.zeros_like(w)


def update(w: Any, g: Any, state: Any, lr: float, betas: Betas, eps: float) -> Any:
    """One step of Algorithm 1, line by line."""
    (t, m, v), (beta1, beta2) = state, betas
    t = t + 1
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g * g)
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), (t, m, v)


def adam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Algorithm:
    """The pair of functions of Adam; the state is (t, m, v).

    Parameters
    ----------
    beta1, beta2
        How much of the mean gradient m and of the mean square v is kept at each step, both in [0, 1).
    eps
        Above 0: keeps the ratio finite where gradients are 0.
    """
    return Algorithm(init, partial(update, betas=(beta1, beta2), eps=eps))


class Adam(Optimizer):
    """The optimiser of Kingma and Ba: steps of about the learning rate, whatever the scale of the gradient.

    Parameters
    ----------
    params, lr
        The parameters or groups, as for `Optimizer`, and the learning rate: about the size of a step, above 0.
    betas, eps
        As for `adam`: two numbers in [0, 1), and one above 0.
    """

    __slots__ = ()

    @spelled
    def __init__(self, params: Params, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8) -> None:
        super().__init__(params, lr, Algorithm(init, update), {"betas": betas, "eps": eps})
