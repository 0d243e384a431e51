"""Schedules: functions from the number of a step, from 0, to its learning rate.

`optimizer.lr = schedule(step)` before each step follows one; `train.fit(..., schedule=schedule)` does that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu.kinds import AT_LEAST_ZERO, BETWEEN_0_AND_1, COUNT, FUNCTION, POSITIVE, SIZE, expecting
from tinygrad_edu.state_dict import checked_state

Schedule = Callable[[int], float]


@expecting(lr=POSITIVE, steps=COUNT, low=AT_LEAST_ZERO)
def cosine(lr: float, steps: int, low: float = 0.0) -> Schedule:
    """The schedule `low + (lr - low) (1 + cos(pi step / steps)) / 2`: half a wave down; `low` after it.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), equation 5.

    Parameters
    ----------
    lr, steps, low
        The learning rate at step 0, how many steps there are, and the learning rate after them.
    """
    return lambda step: wave(lr, low, step / steps)


@expecting(lr=POSITIVE, every=COUNT, factor=POSITIVE)
def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """The schedule `lr factor^(step // every)`.

    Parameters
    ----------
    lr, every, factor
        The learning rate at first, after how many steps it changes, and by how much.
    """
    return lambda step: lr * factor ** (step // every)


@expecting(lr=POSITIVE, factor=POSITIVE)
def exponential(lr: float, factor: float) -> Schedule:
    """The schedule `lr factor^step`.

    Parameters
    ----------
    lr, factor
        The learning rate at step 0, and what it is multiplied by at each step.
    """
    return lambda step: lr * factor**step


@expecting(schedule=FUNCTION, steps=COUNT)
def warmup(schedule: Schedule, steps: int) -> Schedule:
    """The same schedule after so many steps, in which the learning rate grows evenly to its first one.

    Source: Goyal et al., "Accurate, large minibatch SGD" (2017), section 2.2.

    Parameters
    ----------
    schedule, steps
        Any function of a step, and for how many steps the rate is `schedule(0) (step + 1) / (steps + 1)`.
    """
    return lambda step: schedule(0) * (step + 1) / (steps + 1) if step < steps else schedule(step - steps)


@expecting(lr=POSITIVE, steps=COUNT, warm=BETWEEN_0_AND_1)
def one_cycle(lr: float, steps: int, warm: float = 0.3) -> Schedule:
    """The schedule of one cycle: half a cosine wave up from lr / 25, and half a wave down to lr / 250,000.

    Source: Smith and Topin, "Super-convergence" (2018), with the waves and the numbers of PyTorch's OneCycleLR.

    Parameters
    ----------
    lr, steps, warm
        The highest learning rate, how many steps there are, and the fraction of them on the way up.
    """
    top, end = warm * steps - 1, steps - 1

    def rate(step: int) -> float:
        if step <= top:
            return wave(lr / 25, lr, step / top if top else 1.0)
        return wave(lr, lr / 250_000, (step - top) / (end - top) if end > top else 1.0)

    return rate


def wave(start: float, end: float, part: float) -> float:
    """From start to end on half a cosine wave, of which a part in [0, 1] is behind us."""
    return end + (start - end) * (1 + math.cos(math.pi * min(part, 1.0))) / 2


class reduce_on_plateau:
    """The schedule that reduces the learning rate when the loss of `fit`, of validation if there is one, stays high.

    In a loop by hand, call `see(loss)` after each epoch. It can be saved.

    Parameters
    ----------
    lr, factor
        The learning rate at first, and what it is multiplied by.
    patience
        How many epochs in a row may be no better.
    threshold
        A loss is better if it is below `(1 - threshold)` times the best one.
    """

    @expecting(lr=POSITIVE, factor=BETWEEN_0_AND_1, patience=SIZE, threshold=AT_LEAST_ZERO)
    def __init__(self, lr: float, factor: float = 0.1, patience: int = 10, threshold: float = 1e-4) -> None:
        self.factor, self.patience, self.threshold = factor, patience, threshold
        self.state = {"lr": float(lr), "best": np.inf, "waited": 0.0}

    def __call__(self, step: int) -> float:
        """The learning rate; the step does not matter."""
        return self.state["lr"]

    def see(self, loss: float) -> None:
        """Count an epoch whose loss is not better than the best one, and reduce the rate after too many of them.

        Parameters
        ----------
        loss
            That of the epoch.
        """
        lr, best, waited = self.state.values()
        best, waited = (loss, 0) if loss < best * (1 - self.threshold) else (best, waited + 1)
        if waited > self.patience:
            lr, waited = lr * self.factor, 0
        self.state = {"lr": lr, "best": float(best), "waited": float(waited)}

    def state_dict(self) -> dict[str, Any]:
        """The learning rate, the best loss, and for how many epochs there was no better one, as arrays by name."""
        return {name: np.array(number) for name, number in self.state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one was.

        Parameters
        ----------
        state
            What `state_dict()` returned.
        """
        arrays = checked_state(self.state_dict(), state, "reduce_on_plateau")
        self.state = {name: float(arrays[name]) for name in self.state}
