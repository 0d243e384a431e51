"""`GraphMachine`: a living graph, in any order of what a user may do with it, against a naive model.

Leaves are made, results built from them, backward passes run from anywhere, gradients forgotten, data rebound, Values
detached, copied, pickled and deleted. The model computes every derivative forwards, with dual numbers, and knows no
graph. After every step the two must agree on all data and all gradients, and nothing deleted may live on for no
reason.
Source: Claessen and Hughes, "Testing monadic code with QuickCheck" (2002): a machine, and its abstract model.
"""

from __future__ import annotations

import copy
import pickle
import warnings
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, invariant, multiple, rule

from tests.fuzz.dual import depends, each, numbers, pulled, variable
from tinygrad_edu.errors import StaleGraphWarning
from tinygrad_edu.testing.strategies.arrays import tensors
from tinygrad_edu.testing.strategies.shapes_and_indices import calm
from tinygrad_edu.value import Value

Array = np.ndarray[Any, Any]

LIMIT, CLOSE = 1e3, 1e-9
SHAPES = ((), (2,), (2, 2), (1, 2), (2, 1))
UNARY: dict[str, Callable[[Any], Any]] = {
    "sin": np.sin,
    "tanh": np.tanh,
    "negative": np.negative,
    "sum": np.sum,
    "transpose": np.transpose,
    "[..., None]": lambda x: x[..., None],
    "[[0, 0]]": lambda x: x[[0, 0]] if x.ndim else x + x,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y,
    "*": lambda x, y: x * y,
    "-": lambda x, y: x - y,
    "@": lambda x, y: x @ y if x.ndim == y.ndim == 2 else x * y,
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": lambda things: [copy.copy(things[0]), *things[1:]],
    "deepcopy": copy.deepcopy,
    "pickle": lambda things: pickle.loads(pickle.dumps(things)),
}


class Living(NamedTuple):
    """A Value, and what the model says of it: an array of dual numbers, and the gradient it holds."""

    value: Value
    model: Array
    data: Array
    gradient: Any = None

    def complaint(self) -> str:
        """What the two disagree about; nothing if they agree."""
        value = self.value
        data = self.data
        gradient = self.gradient
        if value.shape != data.shape or not close(value.data, data):
            return f"holds {value.data}, the model {data}"
        grad = value.grad
        right = gradient is None and value.grad is None
        if gradient is not None and np.shape(grad) == value.shape and grad is not None:
            right = close(grad, gradient, CLOSE * float(np.max(np.abs(gradient), initial=1.0)))
        return "" if right else f"has the gradient {grad}, in the model {gradient}"


class GraphMachine(RuleBasedStateMachine):
    """A state machine over a living graph: `TestGraph = GraphMachine.TestCase` is a test.

    Subclass it to add rules of your own; `self.living` holds every Value by its name, with its model.

    Attributes
    ----------
    living
        What has not been deleted.
    gone
        Weak references to what has been.
    """

    names: Bundle[str] = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        self.living: dict[str, Living] = {}
        self.gone: list[weakref.ref[Value]] = []
        self.count = 0

    def born(self, value: Value, model: Any, gradient: Any = None) -> str:
        """Give a new Value a name, and every entry of its model a slope with respect to itself."""
        self.count += 1
        name = f"v{self.count}"
        self.living[name] = Living(value, variable(model, name), numbers(model), gradient)
        return name

    def built(self, make: Callable[..., Any], *operands: str) -> str | MultipleResults[str]:
        """Record one operation on both sides; nothing if numbers would grow too large."""
        model = make(*(self.living[name].model for name in operands))
        if np.size(model) > 16 or np.ndim(model) > 3 or np.max(np.abs(numbers(model))) > LIMIT:
            return multiple()
        return self.born(make(*(self.living[name].value for name in operands)), model)

    def leaves(self, x: str) -> list[str]:
        """The variables that a Value depends on, among what lives."""
        duals = self.living[x].model
        return [name for name, other in self.living.items() if other.value.op is None and depends(duals, name)]

    @rule(target=names, array=tensors(st.sampled_from(SHAPES), (-2.0, 2.0)), twice=st.booleans())
    def leaf(self, array: Array, twice: bool) -> MultipleResults[str]:
        """A new variable, or two of the same numbers."""
        return multiple(*(self.born(Value(array), array) for _ in range(1 + twice)))

    @rule(target=names, f=st.sampled_from(list(UNARY)), x=names)
    def unary(self, f: str, x: str) -> str | MultipleResults[str]:
        """A function of one Value."""
        return self.built(UNARY[f], x)

    @rule(target=names, f=st.sampled_from(list(BINARY)), x=names, y=names)
    def binary(self, f: str, x: str, y: str) -> str | MultipleResults[str]:
        """A function of two, which may be the same."""
        a = self.living[x].value.shape
        b = self.living[y].value.shape
        fits = a[1] == b[0] if f == "@" and len(a) == len(b) == 2 else calm(a, b)
        return self.built(BINARY[f], x, y) if fits else multiple()

    @rule(target=names, x=names, y=names)
    def times_data(self, x: str, y: str) -> str | MultipleResults[str]:
        """A product with the plain data of another: a constant."""
        data = np.array(self.living[y].value.data)
        if not calm(self.living[x].value.shape, data.shape):
            return multiple()
        return self.built(lambda a: a * data, x)

    @rule(target=names, x=names)
    def detach(self, x: str) -> str:
        """A new variable that holds the same array."""
        value = self.living[x].value
        return self.born(Value(value.data), value.data)

    @rule(x=names, shift=st.sampled_from((0.5, -0.25)))
    def rebind(self, x: str, shift: float) -> None:
        """New data for every variable behind a Value, as an optimiser does; what was computed stays as it was."""
        for name in self.leaves(x):
            living = self.living[name]
            living.value.data = living.value.data + shift
            data = living.data + shift
            self.living[name] = living._replace(model=variable(data, name), data=data)

    @rule(x=names, factor=st.sampled_from((0.5, -1.0)))
    def change_in_place(self, x: str, factor: float) -> None:
        """Other numbers in the arrays that variables hand out, as learners write it; graphs keep what they used."""
        for name in self.leaves(x):
            living = self.living[name]
            living.value.data *= factor
            data = living.data * factor
            self.living[name] = living._replace(model=variable(data, name), data=data)

    @rule(x=names, seed=st.integers(0, 9))
    def backward(self, x: str, seed: int) -> None:
        """A pass from any Value, with any gradient: variables add it up, results hold this one."""
        root, duals = self.living[x][:2]
        cotangent = np.round(np.random.default_rng(seed).uniform(0.5, 2.0, root.shape), 2)
        kept = cotangent.copy()
        handed_out = [v.value.grad for v in self.living.values() if v.value.op is None and v.value.grad is not None]
        before = [np.copy(g) for g in handed_out]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StaleGraphWarning)  # variables change on purpose
            root.backward(cotangent)
        assert all(map(np.array_equal, handed_out, before)), "the pass changed a gradient that was handed out before"
        assert np.array_equal(cotangent, kept), "the pass changed the gradient that it was given"
        reached = [name for name in self.living if depends(duals, name)]
        for name in reached:
            living = self.living[name]
            g = pulled(duals, cotangent, name, living.value.shape)
            fresh = living.gradient is None or living.value.op is not None
            self.living[name] = living._replace(gradient=g if fresh else living.gradient + g)
        values = [self.living[name].value for name in reached]
        others = [cotangent, *(v.array for v in values), *(v.gradient for v in values if v.op)]
        expect_own_memory(others, [v.gradient for v in values if not v.op])

    @rule(seed=st.integers(0, 9))
    def newest(self, seed: int) -> None:
        """A pass from what was made last."""
        if self.living:
            self.backward(next(reversed(self.living)), seed)

    @rule(x=names)
    def zero(self, x: str) -> None:
        """Forget a gradient."""
        self.living[x].value.grad = None
        self.living[x] = self.living[x]._replace(gradient=None)

    @rule(target=names, x=names, how=st.sampled_from(list(COPIES)))
    def twin(self, x: str, how: str) -> str | MultipleResults[str]:
        """A copy of a Value and its graph: with the same variables, or, if deep, with variables of its own."""
        root = self.living[x]
        leaves = [name for name in self.leaves(x) if name != x]
        made, *new = COPIES[how]([root.value, *(self.living[name].value for name in leaves)])
        assert made is not root.value, "a copy is another Value"
        renamed = {name: name for name in leaves}
        if how != "copy":
            for name, leaf in zip(leaves, new, strict=True):
                renamed[name] = self.born(leaf, self.living[name].data, self.living[name].gradient)
        slopes = each(lambda d, i: type(d)(d.number, transferred(d.slopes, renamed)), root.model)
        own = self.born(made, slopes, root.gradient)
        return multiple(own, *(renamed[name] for name in leaves if how != "copy"))

    @rule(x=consumes(names))
    def delete(self, x: str) -> None:
        """Drop a Value; what was made from it keeps it alive, and nothing else does."""
        self.gone.append(weakref.ref(self.living.pop(x).value))

    @invariant()
    def agrees(self) -> None:
        """The engine and the model hold the same data and the same gradients."""
        for name, living in self.living.items():
            if complaint := living.complaint():
                raise AssertionError(f"{name} {complaint}")

    @invariant()
    def frees(self) -> None:
        """What was deleted and is behind nothing living has been freed at once."""
        held = reachable(living.value for living in self.living.values())
        kept = [value for ref in self.gone if (value := ref()) is not None]
        assert all(id(value) in held for value in kept), "a deleted Value that nothing needs is still alive"


def close(found: Any, expected: Any, slack: float = CLOSE) -> bool:
    """What `np.allclose` tells of finite numbers, sooner: every Value is asked after every step."""
    return bool(np.all(np.abs(found - expected) <= slack + CLOSE * np.abs(expected)))


def transferred(slopes: dict[Any, float], renamed: dict[str, str]) -> dict[Any, float]:
    """The slopes with respect to some variables, under new names."""
    return {(renamed[name], i): slope for (name, i), slope in slopes.items() if name in renamed}


def reachable(values: Iterable[Value]) -> set[int]:
    """The ids of everything that values were made from, and their own."""
    found = set[int]()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if id(value) not in found:
            found.add(id(value))
            waiting += [arg for arg in value.args if isinstance(arg, Value)]
    return found


def expect_own_memory(others: list[Any], gradients: list[Any]) -> None:
    """Gradients of variables share no memory with each other or with anything given."""
    for i, g in enumerate(gradients):
        for other in (*others, *gradients[:i]):
            assert not np.shares_memory(g, other), "gradients share memory: changing one would change the other"
