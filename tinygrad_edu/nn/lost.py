"""Lost parameters: Values that a network computes with although nothing finds, trains or saves them.

Parameters are found in the attributes of a module and in the structures that these hold. A Value of the class, one
in an object array, in a default of a function or in an object that is no module is not found; one that `forward`
makes is new at every call. The first call of a network warns of what it used; `check_module` names all there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinygrad_edu.errors import printable, warn
from tinygrad_edu.graph import ancestors
from tinygrad_edu.recording import ROOT, Scope, inside
from tinygrad_edu.surroundings import lost_places
from tinygrad_edu.tree import contents, is_parameter


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
        elif scope.is_around(value.scope) and not data:
            what = f"forward of {value.scope or type(module).__name__} makes a Value of shape {value.shape}"
            why = "it is new at every call, so nothing trains it"
            use = "make it in __init__, as an attribute, or use a plain array if it is a constant"
            yield printable(f"{what}: {why}; {use}")
