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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_edu.errors import label, refusal
from tinygrad_edu.graph import copied
from tinygrad_edu.names import absent, spelled
from tinygrad_edu.nn.module import changes
from tinygrad_edu.optim.current import expect_current, remember
from tinygrad_edu.tree import checked_state, flatten, rebuild
from tinygrad_edu.value import Value

SPELLINGS = {"learning_rate", "learningrate", "lrate", "LR", "alpha", "eta", "rate", "step_size"}


class Algorithm(NamedTuple):
    """An algorithm as two functions.

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

    __slots__ = ("__weakref__", "_checked", "_lr", "_steps", "algorithm", "params", "states")

    @spelled
    def __init__(self, params: Iterable[Value], lr: float, algorithm: Algorithm) -> None:
        self._checked: Any = None
        self._steps = 0
        self.params = expect_parameters(params, type(self).__name__)
        self.lr = lr
        self.algorithm = expect_algorithm(algorithm)
        self.states = [algorithm.init(p.array) for p in self.params]
        remember(self)

    @property
    def lr(self) -> float:
        """The learning rate."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = expect_positive("lr", lr)

    def __setattr__(self, name: str, thing: Any) -> None:
        """Refuse attributes that nothing would read, such as `learning_rate`; a subclass may add its own."""
        if not hasattr(type(self), name) and (name in SPELLINGS or not hasattr(self, "__dict__")):
            kind = type(self).__name__
            use = (
                f"the learning rate is {kind.lower()}.lr"
                if name in SPELLINGS
                else f"options are given to {kind}(...)"
            )
            raise refusal(AttributeError, f"{kind} has no {name} to set: {use}")
        object.__setattr__(self, name, thing)

    def zero_grad(self) -> None:
        """Set every gradient to None, so that the next backward pass does not add to the last one."""
        for p in self.params:
            p.gradient = None

    def step(self) -> None:
        """Change every parameter that has a gradient; none if there is an error.

        Raises
        ------
        ValueError
            If no parameter has a gradient, or one is not finite; if a module has other parameters now than when the
            optimiser was made.
        """
        given = [(i, p) for i, p in enumerate(self.params) if p.gradient is not None]
        self._expect_current([i for i, _ in given] if len(given) < len(self.params) else None)
        if not given:
            raise refusal(
                ValueError,
                f"none of the {len(self.params)} parameters has a gradient: call loss.backward() first; if you "
                f"did, the loss was computed without them, from constants only: was .data used?",
            )
        update = self.algorithm.update
        lr = self._lr
        made = []
        for i, p in given:
            expect_finite(p, i)
            data, state = update(copied(p.array), p.gradient, self.states[i], lr)  # it may write into what it gets
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

    if not TYPE_CHECKING:  # a type checker should report unknown attributes, not accept them all

        def __getattr__(self, name: str) -> Any:
            """Refuse an attribute that does not exist, with what it is called here."""
            raise absent(self, "Optimizer", name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.params)} parameters, lr={self._lr})"


def expect_algorithm(algorithm: Any) -> Algorithm:
    """Refuse what is no pair of functions `init` and `update`."""
    if callable(getattr(algorithm, "init", None)) and callable(getattr(algorithm, "update", None)):
        return algorithm  # type: ignore[no-any-return]
    use = "such as optim.sgd() or optim.Algorithm(init, update)"
    raise refusal(TypeError, f"algorithm is a pair of functions, {use}; got a {type(algorithm).__name__}")


def fitted(array: Any, own: Any) -> Any:
    """A copy of an array as the kind of number or array that it stands for."""
    return type(own)(array) if isinstance(own, int | float) else np.array(array, dtype=own.dtype)[()]


def expect_parameters(params: Iterable[Value], kind: str) -> list[Value]:
    """The parameters as a list: at least one, Values that no operation made, each once."""
    if isinstance(params, Value):
        raise refusal(TypeError, f"{kind} takes a list of parameters: {kind}([w], ...) for a single one")
    if hasattr(params, "parameters"):
        raise refusal(TypeError, f"{kind} takes a list of parameters: use model.parameters()")
    if isinstance(params, Mapping):
        raise refusal(TypeError, f"{kind} takes a list of parameters; got {instead_of_dict(params)}")
    if not isinstance(params, Iterable):
        called = getattr(params, "__name__", "parameters").replace("<lambda>", "f")
        use = f": call it, {called}()" if callable(params) else ""
        raise refusal(TypeError, f"{kind} takes a list of parameters; got {type(params).__name__}{use}")
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
        raise refusal(TypeError, f"parameter {i} is a {type(value).__name__}, not a Value: {instead(value)}")
    if value.op is not None or value.saved:
        what = f"the result of {value.op.name}" if value.op else "a result of no_grad()"
        raise refusal(
            ValueError,
            f"parameter {i} is {what}, and the next forward pass makes a new one: start a parameter with "
            f"Value(v.data)",
        )


def instead_of_dict(params: Mapping[Any, Any]) -> str:
    """What a dict given as parameters is, and what to give instead."""
    if any(isinstance(thing, Value) for thing in params.values()):
        return "a dict: use list(params.values())"
    return "a dict of arrays, such as state_dict() copies: use model.parameters(), which are trained themselves"


def instead(thing: Any) -> str:
    """What to give in place of something that is no Value."""
    if isinstance(thing, dict) and "params" in thing:
        return "there are no groups here; make one optimiser for each group, with its own learning rate"
    if isinstance(thing, tuple) and len(thing) == 2 and isinstance(thing[0], str):
        return "use model.parameters() in place of model.named_parameters()"
    if hasattr(thing, "parameters"):
        return "use model.parameters(), of several models [*a.parameters(), *b.parameters()]"
    if isinstance(thing, list | tuple):
        return "give one list, such as [*first, *second]"
    return "wrap it, Value(x)"


def expect_positive(name: str, number: Any) -> float:
    """A finite number above 0, as a Python float."""
    return expect_between(name, number, 0.0, math.inf, "a finite number above 0", least=False)


def expect_flag(name: str, flag: Any) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(flag, bool | np.bool_):
        raise refusal(TypeError, f"{name} is True or False; got a {type(flag).__name__}")


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


def expect_finite(value: Value, i: int) -> None:
    """Refuse a gradient with nan or inf in it, which would spoil the parameter for good; of NumPy's arrays only."""
    g = value.gradient
    if not isinstance(g, (np.ndarray, np.generic)) or np.count_nonzero(np.isfinite(g)) == g.size:
        return
    where = tuple(np.argwhere(~np.isfinite(g))[0].tolist())
    raise refusal(
        ValueError,
        f"the gradient of parameter {i} ({label(value, 'no name')}) is {np.asarray(g)[where]} at {where}, and "
        f"nothing was changed: look for a log, a root or a division near 0, or for a learning rate that is too high",
    )


def expect_data(value: Value, i: int, data: Any) -> Any:
    """What an algorithm makes of a parameter: of its shape, and in its dtype."""
    own = value.array
    if data.shape != own.shape:
        shapes = f"{data.shape} from the {own.shape} of parameter {i} ({label(value, 'no name')})"
        raise refusal(ValueError, f"the algorithm made {shapes}, and nothing was changed: update() keeps the shape")
    return data if data.dtype == own.dtype else data.astype(own.dtype)
