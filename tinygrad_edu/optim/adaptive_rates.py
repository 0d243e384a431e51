"""AdamW, RMSprop, Adagrad and Lion: every coordinate has a step of its own, made from what its gradients were.

Adagrad divides by the root of all squares so far, so that rare features keep large steps; RMSprop forgets old
squares; AdamW is Adam with a decay that is not divided by them; Lion keeps nothing but a sign.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu.kinds import at_least_zero
from tinygrad_edu.names import spelled
from tinygrad_edu.optim import adaptive_moments
from tinygrad_edu.optim.adaptive_moments import Betas
from tinygrad_edu.optim.optimizer import Algorithm, Optimizer
from tinygrad_edu.optim.parameters import Params


def init(start: tuple[float, ...], w: Any, **options: Any) -> Any:
    """The state of a weight: arrays of its shape, each full of one number; a whole number counts steps."""
    return tuple(np.full_like(w, number) if isinstance(number, float) else number for number in start)


def adamw(w: Any, g: Any, state: Any, lr: float, betas: Betas, eps: float, weight_decay: float) -> Any:
    """`w <- (1 - lr decay) w`, and then a step of Adam."""
    return adaptive_moments.update((1 - lr * weight_decay) * w, g, state, lr, betas, eps)


class AdamW(Optimizer):
    """Adam with weights that decay by themselves: `w <- w - lr (m_hat / (sqrt(v_hat) + eps) + weight_decay w)`.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019), Algorithm 2.

    Parameters
    ----------
    params, lr, betas, eps
        As for `Adam`.
    weight_decay
        At least 0: how fast weights shrink; unlike SGD's, it is no part of the gradient.
    """

    __slots__ = ()

    @spelled
    def __init__(
        self, params: Params, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.01
    ) -> None:  # fmt: skip
        options = {"betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, lr, Algorithm(adaptive_moments.init, adamw), options)


def rmsprop(
    w: Any, g: Any, state: Any, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float
) -> Any:
    """`v <- alpha v + (1 - alpha) g^2`, `b <- momentum b + g / (sqrt(v) + eps)`, `w <- w - lr b`."""
    g = g + weight_decay * w
    v = alpha * state[0] + (1 - alpha) * (g * g)
    b = momentum * state[1] + g / (np.sqrt(v) + eps)
    return w - lr * b, (v, b)


class RMSprop(Optimizer):
    """Steps divided by the root of a decaying mean of squared gradients: `w <- w - lr g / (sqrt(v) + eps)`.

    Source: Tieleman and Hinton, "Neural networks for machine learning" (2012), lecture 6e.

    Parameters
    ----------
    params, lr, eps, weight_decay, momentum
        As for `Adam` and `SGD`; the momentum is that of the steps, after the division.
    alpha
        How much of the mean square v is kept at each step, in [0, 1).
    """

    __slots__ = ()

    @spelled
    def __init__(
        self, params: Params, lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0,
        momentum: float = 0.0
    ) -> None:  # fmt: skip
        options = {"alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(params, lr, Algorithm(partial(init, (0.0, 0.0)), rmsprop), options)


def adagrad(w: Any, g: Any, state: Any, lr: float, lr_decay: float, weight_decay: float, eps: float) -> Any:
    """`s <- s + g^2`, `w <- w - lr / (1 + t lr_decay) g / (sqrt(s) + eps)`; t is 0 at the first step."""
    g = g + weight_decay * w
    t, s = state[0], state[1] + g * g
    return w - lr / (1 + t * lr_decay) * g / (np.sqrt(s) + eps), (t + 1, s)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients: `w <- w - lr g / (sqrt(s) + eps)`.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods" (2011), section 1.1.

    Parameters
    ----------
    params, lr, eps, weight_decay
        As for `RMSprop`.
    lr_decay
        At least 0: how much smaller the learning rate is after each step.
    initial_accumulator_value
        At least 0: where the sum s begins.
    """

    __slots__ = ()

    @spelled
    def __init__(
        self, params: Params, lr: float = 0.01, lr_decay: float = 0.0, weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0, eps: float = 1e-10
    ) -> None:  # fmt: skip
        start = at_least_zero("initial_accumulator_value", initial_accumulator_value)
        options = {"lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        super().__init__(params, lr, Algorithm(partial(init, (0, start)), adagrad), options)


def lion(w: Any, g: Any, state: Any, lr: float, betas: Betas, weight_decay: float) -> Any:
    """`w <- w - lr (sign(beta1 m + (1 - beta1) g) + decay w)`, `m <- beta2 m + (1 - beta2) g`."""
    (m,), (beta1, beta2) = state, betas
    step = np.sign(beta1 * m + (1 - beta1) * g) + weight_decay * w
    return w - lr * step, (beta2 * m + (1 - beta2) * g,)


class Lion(Optimizer):
    """Steps of exactly the learning rate, in the direction of the sign of a mean gradient.

    Source: Chen et al., "Symbolic discovery of optimization algorithms" (2023), program 1.

    Parameters
    ----------
    params, lr, betas, weight_decay
        As for `AdamW`; the rate is 3 to 10 times smaller, and m is kept by the second beta, the sign's by the first.
    """

    __slots__ = ()

    @spelled
    def __init__(
        self, params: Params, lr: float = 1e-4, betas: Betas = (0.9, 0.99), weight_decay: float = 0.0
    ) -> None:
        options = {"betas": betas, "weight_decay": weight_decay}
        super().__init__(params, lr, Algorithm(partial(init, (0.0,)), lion), options)
