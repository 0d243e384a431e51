"""What a function may use or change besides its arguments: random generators, and the state of modules.

A function that is computed a second time, as `checkpoint` does, has to give the same and to leave things as the first
time left them. So the generators and modules are found that it can reach: in its arguments, in the variables around
it, in the object that it is a method of, in what a partial holds, and among the global names that it uses. In the
same way Values are found that a module can reach although nothing trains them.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pickle import dumps
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_edu.errors import printable
from tinygrad_edu.graph import Node
from tinygrad_edu.stateful import GENERATORS
from tinygrad_edu.tree import held, is_module, is_parameter, join, walk
from tinygrad_edu.value import Value

LONG = 1_000  # entries of a list or dict: longer ones are data, in which nobody keeps generators or modules


def used_by(f: Callable[..., Any], args: Any) -> list[Any]:
    """Everything that a call of a function can reach."""
    return [thing for _, thing, _ in walk((f, args), "", reached, once=True)]


def reached(thing: Any) -> dict[Any, Any] | None:
    """What a thing leads to, by name; None for what leads nowhere."""
    if isinstance(thing, list | tuple | deque | dict | set | frozenset):
        parts = thing if isinstance(thing, dict) else dict(enumerate(thing))
        return parts if len(parts) <= LONG else None
    found = behind(thing)
    if found is None:
        return None
    if isinstance(thing, FunctionType):
        return {**globals_of(thing), **found}
    return {"forward()": getattr(type(thing), "forward", None), **found}


def behind(thing: Any) -> dict[Any, Any] | None:
    """What a function, or an object that is no structure, holds, by name; None for what leads nowhere."""
    if isinstance(thing, partial):
        return {"function": thing.func, **dict(enumerate(thing.args)), **thing.keywords}
    if isinstance(thing, MethodType):
        return {"object": thing.__self__, "function": thing.__func__}
    if isinstance(thing, FunctionType):
        return variables_of(thing)
    if isinstance(thing, np.ndarray) and thing.dtype == object:
        return dict(enumerate(thing.flat))
    return None if isinstance(thing, type | ModuleType | Node | GENERATORS) else getattr(thing, "__dict__", None)


def lost_places(module: Any) -> Iterator[tuple[Value, str]]:
    """Every Value that a module can reach although it is none of its parameters, with what to say about its place."""
    own = {id(value) for value in module.parameters()}
    for path, holder, parts in walk(module, "", reachable, once=True):
        for name, thing in (parts or {}).items():
            if is_parameter(thing) and id(thing) not in own:
                yield thing, printable(f"{join(path, name)} {reason(holder, name)}")


def reachable(thing: Any) -> dict[Any, Any] | None:
    """What a module or anything else holds by any way, by name; of the class only what may hold Values."""
    if is_module(thing):
        kinds = (Value, list, tuple, dict, set, np.ndarray)
        shared = {name: part for base in reversed(type(thing).__mro__) for name, part in vars(base).items()}
        values = {name: x for name, x in shared.items() if isinstance(x, kinds) and name[:2] != "__"}
        return {**values, **vars(thing)}
    parts = held(thing)
    return behind(thing) if parts is None else parts


def reason(holder: Any, name: Any) -> str:
    """Why a Value is not found where it is, and where to keep it instead."""
    kind = type(holder).__name__
    if is_module(holder):
        return f"is an attribute of the class {kind}, which all its objects share: set self.{name} in __init__"
    if isinstance(holder, np.ndarray):
        return "is in an object array, where no parameters are looked for: keep them in a list"
    if isinstance(holder, FunctionType | MethodType | partial):
        return "belongs to a function, where no parameters are looked for: keep it in an attribute of a module"
    if held(holder) is not None:
        return "is in a structure that belongs to no module: keep it in an attribute, set in __init__"
    return f"is in a {kind}, which is no module: write class {kind}(nn.Module)"


def variables_of(function: FunctionType) -> dict[str, Any]:
    """The defaults of a function, and the variables from around it that it uses."""
    code, defaults = function.__code__, function.__defaults__ or ()
    found = dict(zip(code.co_varnames[code.co_argcount - len(defaults) :], defaults, strict=False))
    found |= function.__kwdefaults__ or {}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # a variable without a content
            found[name] = cell.cell_contents
    return found


def globals_of(function: FunctionType) -> dict[str, Any]:
    """The generators, modules and functions of the same file among the global names that a function uses."""
    code, found = function.__code__, dict[str, Any]()
    for name in code.co_names:
        thing = function.__globals__.get(name)
        near = isinstance(thing, FunctionType) and thing.__code__.co_filename == code.co_filename
        if near or isinstance(thing, GENERATORS) or is_module(thing):
            found[name] = thing
    return found


def random_states(things: list[Any]) -> list[Any]:
    """The state of NumPy's and Python's global generators and of those among some things, to be compared."""
    own = [thing for thing in things if isinstance(thing, GENERATORS)]
    return [random.getstate(), *map(state_of, [np.random.mtrand._rand, *own])]


def state_of(generator: Any) -> Any:
    """The state of one generator, as bytes."""
    if isinstance(generator, random.Random):
        return dumps(generator.getstate())
    bits = getattr(generator, "bit_generator", None) or generator._bit_generator
    return dumps(bits.state)


class State:
    """What the modules among some things hold: attributes, and the content of arrays, lists and dicts in these."""

    def __init__(self, things: list[Any]) -> None:
        modules = [thing for thing in things if is_module(thing)]
        self.attributes = [(module, dict(vars(module))) for module in modules]
        held = [thing for _, kept in self.attributes for thing in kept.values()]
        self.contents = [(a, a.copy()) for a in held if isinstance(a, np.ndarray | list | dict)]

    def restore(self) -> None:
        """Give all of it back."""
        for module, kept in self.attributes:
            vars(module).clear()
            vars(module).update(kept)
        for thing, copy in self.contents:
            restore(thing, copy)


@contextmanager
def as_in(then: State, things: list[Any]) -> Iterator[None]:
    """Inside, the modules among some things are as they were then; afterwards, as they were before."""
    now = State(things)
    then.restore()
    try:
        yield
    finally:
        now.restore()


def restore(thing: Any, copy: Any) -> None:
    """Give an array, a list or a dict the content of a copy."""
    if isinstance(thing, np.ndarray):
        if thing.flags.writeable:
            thing[...] = copy
        return
    thing.clear()
    thing.extend(copy) if isinstance(thing, list) else thing.update(copy)
