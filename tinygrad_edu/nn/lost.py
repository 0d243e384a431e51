"""Lost parameters: Values that a network computes with although nothing finds, trains or saves them.

Parameters are found in the attributes of a module and in the structures that these hold. A Value of the class, one
in an object array, in a default of a function or in an object that is no module is not found; one that `forward`
makes is new at every call. The first call of a network warns of what it used; `check_module` names all there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from tinygrad_edu.errors import printable, warn
from tinygrad_edu.graph import ancestors
from tinygrad_edu.recording import ROOT, Scope, inside
from tinygrad_edu.surroundings import behind
from tinygrad_edu.tree import contents, held, is_module, is_parameter, join, walk
from tinygrad_edu.value import Value


class LostParameterWarning(UserWarning):
    """A network uses a Value that nothing trains: it is none of its parameters, or no optimiser knows it."""


def after_first_call(module: Any, scope: Scope, given: Any, out: Any) -> None:
    """Warn of what the first call of a whole network used, not that of a part of one, and nothing trains."""
    if scope.parent is None or scope.parent.kind:
        return
    for _, part in module.named_modules():
        part._called = True
    for text in lost_in_call(module, scope, given, out):
        warn(text, LostParameterWarning)


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
    """What to say of every Value that one call used, and that is neither a parameter nor came in."""
    inputs = [thing for _, thing in contents(given)]
    known = {id(value) for value in module.parameters()} | {id(node) for node in ancestors(*inputs)}
    used: list[Any] = [node for node in ancestors(*(thing for _, thing in contents(out))) if is_parameter(node)]
    strangers = [node for node in used if id(node) not in known]
    places = {id(value): text for value, text in lost_places(module)} if strangers else {}
    for value in strangers:
        data = any(x.shape[:1] == value.shape[:1] for x in inputs if hasattr(x, "shape"))  # a first hidden state, too
        if id(value) in places:
            yield places[id(value)]
        elif is_part(value.scope, scope) and not data:
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
