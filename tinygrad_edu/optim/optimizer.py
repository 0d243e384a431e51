"""`Optimizer`: the loop that all algorithms share.

It keeps the parameters and one state for each, and knows nothing of the algorithm but its pair of functions. Nothing
is changed in place: a step rebinds `parameter.data`, so arrays that a graph remembers stay as they were. A training
that is interrupted goes on where it was: an optimiser is pickled with its model, or saved beside it.

Source: the (init, update) pair of DeepMind's optax (2020).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.errors import label, refusal
from tinygrad_edu.inputs import constant, named
from tinygrad_edu.tree import checked_state, flatten, rebuild
from tinygrad_edu.value import Value


class Algorithm(NamedTuple):
    """An algorithm as two functions that change nothing in place.

    Parameters
    ----------
    init, update
        `init(weight)` gives the state of a weight that has not been changed yet;
        `update(weight, gradient, state, lr)` gives the new weight and the new state.
    """

    init: Callable[[Any], Any]
    update: Callable[[Any, Any, Any, float], tuple[Any, Any]]


class Optimizer:
    """Parameters, and an algorithm that changes them.

    Parameters
    ----------
    params
        Different Values that no operation made, such as `model.parameters()`.
    lr
        The learning rate, above 0; the attribute may be changed between steps.
    algorithm
        The pair of functions `init` and `update`, such as `optim.sgd()`.
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
        """Set every gradient to None, so that the next backward pass does not add to the last one."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient; none if a gradient does not fit, or if there is none at all."""
        given = [(i, p) for i, p in enumerate(self.params) if p.grad is not None]
        if not given:
            raise refusal(
                ValueError,
                f"none of the {len(self.params)} parameters has a gradient: call loss.backward() first; if you "
                f"did, the loss was computed without them, from constants only: was .data used?",
            )
        update = self.algorithm.update
        lr = self._lr
        made = [update(p.data, expect_gradient(p, i), self.states[i], lr) for i, p in given]
        for (i, p), (data, state) in zip(given, made, strict=True):
            p.data = data
            self.states[i] = state

    def state_dict(self) -> dict[str, Any]:
        """Copies of the learning rate and of the states, as a dict of arrays by name.

        Together with the model's `state_dict()` it resumes a training exactly where it was; `te.save` writes both.
        """
        return {name: np.array(leaf) for name, leaf in self._remembered()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the learning rate and the states of another optimiser; all of them or none.

        Parameters
        ----------
        state
            What `state_dict()` returned, of an optimiser of the same class with parameters of the same shapes.

        Raises
        ------
        TypeError, ValueError
            If that is no dict of numbers, names are missing or left over, or shapes differ, as between SGD and Adam.
        """
        own = dict(self._remembered())
        arrays = checked_state(own, state, type(self).__name__)
        self.lr = float(arrays.pop("lr"))
        self.states = rebuild(self.states, (fitted(arrays[name], own[name]) for name in own if name != "lr"))

    def _remembered(self) -> Iterable[tuple[str, Any]]:
        """The learning rate and the numbers of all states, by name."""
        return [("lr", self._lr), *flatten(self.states, "states")]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.params)} parameters, lr={self._lr})"


def fitted(array: Any, own: Any) -> Any:
    """A copy of an array as the kind of number or array that it stands for."""
    return type(own)(array) if isinstance(own, int | float) else np.array(array, dtype=own.dtype)[()]


def expect_parameters(params: Iterable[Value], kind: str) -> list[Value]:
    """The parameters as a list: at least one, Values that no operation made, each once."""
    if isinstance(params, Value):
        raise refusal(TypeError, f"{kind} takes a list of parameters: {kind}([w], ...) for a single one")
    if hasattr(params, "parameters"):
        raise refusal(TypeError, f"{kind} takes a list of parameters: use model.parameters()")
    if not isinstance(params, Iterable):
        raise refusal(TypeError, f"{kind} takes a list of parameters; got {type(params).__name__}")
    values = list(params)
    if not values:
        raise refusal(
            ValueError,
            f"{kind} was given no parameters: was a generator used before (it is empty the second time; make "
            f"a list of it), or has the model no Values in its attributes?",
        )
    places: dict[int, int] = {}
    for i, value in enumerate(values):
        expect_parameter(value, i)
        if places.setdefault(id(value), i) != i:
            raise refusal(ValueError, f"parameter {i} is parameter {places[id(value)]} again: give each once")
    return values


def expect_parameter(value: Value, i: int) -> None:
    """Refuse what is not a Value, and what an operation made."""
    if not isinstance(value, Value):
        raise refusal(TypeError, f"parameter {i} is a {type(value).__name__}, not a Value: wrap it, Value(x)")
    if value.op is not None:
        raise refusal(
            ValueError,
            f"parameter {i} is the result of {value.op.name}, and the next forward pass makes a new one: start "
            f"a parameter with Value(v.data)",
        )


def expect_positive(name: str, number: Any) -> float:
    """A finite number above 0, as a Python float."""
    return expect_between(name, number, 0.0, math.inf, "a finite number above 0", least=False)


def expect_fraction(name: str, number: Any) -> float:
    """A number in [0, 1), as a Python float."""
    return expect_between(name, number, 0.0, 1.0, "in [0, 1)")


def expect_between(name: str, number: Any, low: float, high: float, allowed: str, least: bool = True) -> float:
    """A real number from `low` to below `high`, as a Python float; `least` says whether `low` itself is allowed."""
    single = isinstance(number, np.ndarray) and number.ndim == 0 and number.dtype.kind in "fiu"
    if isinstance(number, bool) or not (isinstance(number, Real) or single):
        kind = allowed.replace("in [", "a number in [")
        raise refusal(TypeError, f"{name} is a {type(number).__name__}; it must be {kind}")
    try:
        found = float(number)
    except OverflowError:  # an integer with more than 308 digits
        found = math.inf
    if not low <= found < high or (found == low and not least):
        raise refusal(ValueError, f"{name} is {found}; it must be {allowed}")
    return found


def expect_gradient(value: Value, i: int) -> Any:
    """The gradient of parameter i: real numbers, of the shape and dtype of its data."""
    if isinstance(value.grad, Value):
        raise refusal(TypeError, f"the gradient of parameter {i} is a Value: use its array, g.data")
    shape = np.shape(value.grad)
    wanted = np.shape(value.data)
    if shape != wanted:
        name = label(value, "no name")
        why = "it belongs to other data; call zero_grad() and backward() again"
        raise refusal(ValueError, f"parameter {i} ({name}) is {wanted}, its gradient {shape}: {why}")
    g = named(f"the gradient of parameter {i}", value.grad, constant)
    return g if isinstance(g, float) or g.dtype == value.data.dtype else g.astype(value.data.dtype)
