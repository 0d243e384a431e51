"""Lost parameters: Values that a network computes with although nothing finds, trains or saves them.

Parameters are found in the attributes of a module and in the structures that these hold. A Value of the class, one
in an object array, in a default of a function or in an object that is no module is not found; one that `forward`
makes is new at every call. The first call of a network warns of what it used; `check_module` names all there is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_edu.errors import printable, user_frame, user_line
from tinygrad_edu.graph import ancestors
from tinygrad_edu.recording import ROOT, Scope, inside
from tinygrad_edu.surroundings import variables_of
from tinygrad_edu.tree import contents, held, is_module, is_parameter, join, walk
from tinygrad_edu.value import Value


class LostParameterWarning(UserWarning):
    """A network uses a Value that nothing trains: it is none of its parameters, or no optimiser knows it."""


def warn_lost(module: Any, scope: Scope, given: Any, out: Any) -> None:
    """Warn of every Value that a call used, and that is neither a parameter nor came in."""
    for text in lost_in_call(module, scope, given, out):
        warnings.warn(f"{text} ({user_line()})", LostParameterWarning, stacklevel=user_frame()[1])


def lost_parameters(module: Any, *inputs: Any) -> list[str]:
    """What to say of every lost parameter that a module can reach or uses in one call, which is made here."""
    for _, part in module.named_modules():
        part._called = True
    call = Scope(parent=ROOT)
    with inside(call):
        out = module(*inputs)
    found = [text for _, text in lost_places(module)]
    return list(dict.fromkeys([*found, *lost_in_call(module, call, inputs, out)]))


def lost_in_call(module: Any, scope: Scope, given: Any, out: Any) -> Iterator[str]:
    """What to say of the lost parameters that one call used; `scope` is that of the call."""
    inputs = [thing for _, thing in contents(given)]
    known = {id(value) for value in module.parameters()} | {id(node) for node in ancestors(*inputs)}
    used: list[Any] = [node for node in ancestors(*(thing for _, thing in contents(out))) if is_parameter(node)]
    strangers = [node for node in used if id(node) not in known]
    places = {id(value): text for value, text in lost_places(module)} if strangers else {}
    for value in strangers:
        if id(value) in places:
            yield places[id(value)]
        elif is_part(value.scope, scope) and not like_inputs(value, inputs):
            yield printable(
                f"forward of {value.scope or type(module).__name__} makes a Value of shape {value.shape}: it is new "
                "at every call, so nothing trains it; make it in __init__, as an attribute, or use a plain array "
                "if it is a constant"
            )


def is_part(scope: Scope | None, call: Scope) -> bool:
    """Whether a module call ran within another, or is that one."""
    while scope is not None and scope is not call:
        scope = scope.parent
    return scope is call


def like_inputs(value: Any, inputs: list[Any]) -> bool:
    """Whether a Value has as many rows as an input: so it is data, such as `Value(x)` or a first hidden state."""
    return any(thing.shape[:1] == value.shape[:1] for thing in inputs if hasattr(thing, "shape"))


def lost_places(module: Any) -> Iterator[tuple[Value, str]]:
    """Every Value that a module can reach although it is none of its parameters, with what to say about its place."""
    own = {id(value) for value in module.parameters()}
    for path, holder, parts in walk(module, "", reachable, once=True):
        for name, thing in (parts or {}).items():
            if is_parameter(thing) and id(thing) not in own:
                yield thing, printable(f"{join(path, name)} {reason(holder, name)}")


def reachable(thing: Any) -> dict[Any, Any] | None:
    """What a module or anything else holds by any way, by name."""
    if is_module(thing):
        return {**class_values(type(thing)), **vars(thing)}
    if (parts := held(thing)) is not None:
        return parts
    if isinstance(thing, np.ndarray) and thing.dtype == object:
        return dict(enumerate(thing.flat))
    if isinstance(thing, partial):
        return {"function": thing.func, **dict(enumerate(thing.args)), **thing.keywords}
    if isinstance(thing, MethodType):
        return {"object": thing.__self__}
    if isinstance(thing, FunctionType):
        return variables_of(thing)
    if isinstance(thing, type | ModuleType | Value) or not hasattr(thing, "__dict__"):
        return None
    found: dict[Any, Any] = vars(thing)
    return found


def class_values(kind: type) -> dict[str, Any]:
    """The Values, structures and object arrays among the attributes of a class and its bases."""
    found = {name: thing for base in reversed(kind.__mro__) for name, thing in vars(base).items()}
    kinds = (Value, list, tuple, dict, set, np.ndarray)
    return {name: thing for name, thing in found.items() if isinstance(thing, kinds) and not name.startswith("__")}


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
