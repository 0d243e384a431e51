"""`Optimizer`: the loop that all algorithms share.

It keeps the parameters and one state for each, and knows nothing of the algorithm but its pair of functions. Nothing
is changed in place: a step rebinds `parameter.data`, so arrays that a graph remembers stay as they were. A training
that is interrupted goes on where it was: an optimiser is pickled with its model, or saved beside it.
Source: the (init, update) pair of DeepMind's optax (2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_edu.errors import label, refusal
from tinygrad_edu.graph import copied
from tinygrad_edu.kinds import positive
from tinygrad_edu.names import absent, spelled
from tinygrad_edu.nn.module import changes
from tinygrad_edu.optim.parameters import Params, expect_current, expect_parameters, grouped, remember
from tinygrad_edu.state_dict import checked_state
from tinygrad_edu.tree import flatten, rebuild
from tinygrad_edu.value import Value

SPELLINGS = {"learning_rate", "learningrate", "lrate", "LR", "alpha", "eta", "rate", "step_size"}


class Algorithm(NamedTuple):
    """An algorithm as two functions.

    Parameters
    ----------
    init, update
        `init(weight, **options)` gives the state of a weight that has not been changed yet;
        `update(weight, gradient, state, lr, **options)` gives the new weight and the new state.
    """

    init: Callable[..., Any]
    update: Callable[..., tuple[Any, Any]]


class Optimizer:
    """Parameters, and an algorithm that changes them.

    Parameters
    ----------
    params
        Different Values that no operation made, such as `model.parameters()`; or groups of them that have options of
        their own, `[{"params": a, "lr": 0.01}, {"params": b}]`.
    lr
        The learning rate, above 0; the attribute may be changed between steps. The rate of a group that has its own
        changes with it, in the same ratio.
    algorithm
        The pair of functions `init` and `update`, such as `optim.sgd()`.
    options
        Options of the algorithm, such as `{"momentum": 0.9}`, which both functions are given by name.
    """

    __slots__ = ("__weakref__", "_checked", "_lr", "_settings", "_steps", "algorithm", "params", "states")

    @spelled
    def __init__(
        self, params: Params, lr: float, algorithm: Algorithm, options: Mapping[str, Any] | None = None
    ) -> None:
        self._checked: Any = None
        self._steps = 0
        self.lr = lr
        self.algorithm = expect_algorithm(algorithm)
        self.params, self._settings = grouped(params, self.lr, options or {}, type(self).__name__)
        self.states = [
            algorithm.init(p.array, **own) for p, (_, own) in zip(self.params, self._settings, strict=True)
        ]
        remember(self)

    @property
    def lr(self) -> float:
        """The learning rate."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = positive("lr", lr)

    def __setattr__(self, name: str, thing: Any) -> None:
        """Refuse attributes that nothing would read, such as `learning_rate`; a subclass may add its own."""
        if not hasattr(type(self), name) and (name in SPELLINGS or not hasattr(self, "__dict__")):
            kind = type(self).__name__
            rate, options = f"the learning rate is {kind.lower()}.lr", f"options are given to {kind}(...)"
            raise refusal(AttributeError, f"{kind} has no {name} to set: {rate if name in SPELLINGS else options}")
        object.__setattr__(self, name, thing)

    def zero_grad(self) -> None:
        """Set every gradient to None, so that the next backward pass does not add to the last one."""
        for p in self.params:
            p.gradient = None

    def step(self) -> None:
        """Change every parameter that has a gradient; none if there is an error.

        It is a ValueError if no parameter has a gradient, if one is not finite, and if a module has other parameters
        now than when the optimiser was made.
        """
        given = [(i, p) for i, p in enumerate(self.params) if p.gradient is not None]
        self._expect_current([i for i, _ in given] if len(given) < len(self.params) else None)
        if not given:
            text = f"none of the {len(self.params)} parameters has a gradient: call loss.backward() first"
            why = "if you did, the loss was computed without them, from constants only: was .data used?"
            raise refusal(ValueError, f"{text}; {why}")
        update, lr, made = self.algorithm.update, self._lr, []
        for i, p in given:
            expect_finite(p, i)
            ratio, options = self._settings[i]
            # the algorithm may write into what it gets
            data, state = update(copied(p.array), p.gradient, self.states[i], lr * ratio, **options)
            made.append((i, p, expect_data(p, i, data), state))
        for i, p, data, state in made:
            p.array = data
            self.states[i] = state
        self._steps += 1

    def _expect_current(self, given: list[int] | None) -> None:
        """Look at the modules after one has changed, if other gradients are missing, and after 1, 2, 4 ... steps."""
        if self._checked != (changes(), given) or not self._steps & (self._steps - 1):
            expect_current(self)
            self._checked = changes(), given

    def state_dict(self) -> dict[str, Any]:
        """Copies of the learning rate and of the states, as a dict of arrays by name, which `te.save` writes.

        Together with the model's `state_dict()` it resumes a training exactly where it was.
        """
        return {name: np.array(leaf) for name, leaf in self._remembered()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the learning rate and the states of another optimiser; all of them or none.

        Parameters
        ----------
        state
            What `state_dict()` returned, of an optimiser of the same class with parameters of the same shapes. What
            is no dict of numbers is a TypeError; other names or shapes, as between SGD and Adam, are a ValueError.
        """
        own = dict(self._remembered())
        arrays = checked_state(own, state, type(self).__name__)
        self.lr = arrays.pop("lr")
        self.states = rebuild(self.states, (arrays[name] for name in own if name != "lr"))

    def _remembered(self) -> Iterable[tuple[str, Any]]:
        """The learning rate and the numbers of all states, by name."""
        return [("lr", self._lr), *flatten(self.states, "states")]

    if not TYPE_CHECKING:  # a type checker should report unknown attributes, not accept them all

        def __getattr__(self, name: str) -> Any:
            """Refuse an attribute that does not exist, with what it is called here."""
            raise absent(self, "Optimizer", name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.params)} parameters, lr={self._lr})"


def clip_grad_norm(params: Iterable[Value], max_norm: float) -> float:
    """The norm of all gradients together, `n = sqrt(sum of g^2)`; if it is too large, they are made shorter.

    Call it between `backward` and `step`. The factor is `max_norm / (n + 1e-6)`, PyTorch's, where that is below 1.
    New arrays replace the gradients; if n is not finite they stay as they are, and `step` names the parameter.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent networks" (2013), section 3.2.

    Parameters
    ----------
    params
        The parameters, such as `model.parameters()`; those without a gradient do not count.
    max_norm
        The largest norm that is left alone, above 0.

    Examples
    --------
    >>> w = Value([1.0, 1.0])
    >>> w.grad = [3.0, 4.0]
    >>> clip_grad_norm([w], 1.0)
    5.0
    >>> w.grad.round(3)
    array([0.6, 0.8])
    """
    values = [p for p in expect_parameters(params, "clip_grad_norm") if p.gradient is not None]
    norm = sqrt(sum(float(np.sum(np.square(p.gradient, dtype=float))) for p in values))
    factor = positive("max_norm", max_norm) / (norm + 1e-6)
    if factor < 1 and isfinite(norm):
        for p in values:
            p.gradient = p.gradient * factor
    return norm


def expect_algorithm(algorithm: Any) -> Algorithm:
    """Refuse what is no pair of functions `init` and `update`."""
    if callable(getattr(algorithm, "init", None)) and callable(getattr(algorithm, "update", None)):
        return algorithm  # type: ignore[no-any-return]
    use = "such as optim.sgd() or optim.Algorithm(init, update)"
    raise refusal(TypeError, f"algorithm is a pair of functions, {use}; got a {type(algorithm).__name__}")


def expect_finite(value: Value, i: int) -> None:
    """Refuse a gradient with nan or inf in it, which would spoil the parameter for good; of NumPy's arrays only."""
    g = value.gradient
    if isinstance(g, (np.ndarray, np.generic)) and np.count_nonzero(np.isfinite(g)) < g.size:
        where = tuple(np.argwhere(~np.isfinite(g))[0].tolist())
        what = f"the gradient of parameter {i} ({label(value, 'no name')}) is {np.asarray(g)[where]} at {where}"
        use = "look for a log, a root or a division near 0, or for a learning rate that is too high"
        raise refusal(ValueError, f"{what}, and nothing was changed: {use}")


def expect_data(value: Value, i: int, data: Any) -> Any:
    """What an algorithm makes of a parameter: of its shape, and in its dtype."""
    own = value.array
    if data.shape != own.shape:
        shapes = f"{data.shape} from the {own.shape} of parameter {i} ({label(value, 'no name')})"
        raise refusal(ValueError, f"the algorithm made {shapes}, and nothing was changed: update() keeps the shape")
    return data if data.dtype == own.dtype else data.astype(own.dtype)
