"""`Optimizer`: the loop that all algorithms share.

It keeps the parameters and one state for each, and knows nothing of the algorithm but its pair of functions. Nothing
is changed in place: a step rebinds `parameter.data`, so arrays that a graph remembers stay as they were.

Source: the (init, update) pair of DeepMind's optax (2020).
"""

from __future__ import annotations

from tinygrad_edu.errors import user_line
from tinygrad_edu.optim.expect import expect_parameters, expect_positive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NamedTuple

    from tinygrad_edu.value import Value

    class Algorithm(NamedTuple):
        """A state from a weight; a weight and a state from weight, gradient, state and learning rate."""

        init: Callable[[Any], Any]
        update: Callable[[Any, Any, Any, float], tuple[Any, Any]]
else:
    from collections import namedtuple

    Algorithm = namedtuple("Algorithm", ["init", "update"])


class Optimizer:
    """Parameters, and an algorithm that changes them.

    Parameters
    ----------
    params
        Values that no operation made, such as `model.parameters()`.
    lr
        The learning rate, above 0; the attribute may be changed between steps.
    algorithm
        The pair of functions.

    Raises
    ------
    TypeError, ValueError
        For anything but a collection of different parameters, and for a learning rate that is not above 0.
    """

    def __init__(self, params: Iterable[Value], lr: float, algorithm: Algorithm) -> None:
        self.params = expect_parameters(params, type(self).__name__)
        self.lr = lr
        self.algorithm = algorithm
        self.states = [algorithm.init(p.data) for p in self.params]

    @property
    def lr(self) -> float:
        """The learning rate."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = expect_positive("lr", lr)

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next backward pass starts anew."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient.

        Raises
        ------
        ValueError
            If none has one.
        """
        if all(p.grad is None for p in self.params):
            raise ValueError(
                f"none of the {len(self.params)} parameters has a gradient: call loss.backward() first; if you "
                f"did, the loss was computed without them, from constants only: was .data used? ({user_line()})"
            )
        update, lr = self.algorithm.update, self._lr
        for i, p in enumerate(self.params):
            if p.grad is not None:
                p.data, self.states[i] = update(p.data, p.grad, self.states[i], lr)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.params)} parameters, lr={self._lr})"
