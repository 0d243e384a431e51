"""What may be assigned to an attribute of a module, so that a parameter stays one and a buffer stays an array.

`self.w = self.w - lr * self.w.grad` would make a result of a parameter: nothing would train, save or load it, and no
error would follow. Such an assignment is refused with what to write instead. A running statistic that was computed
inside `no_grad()` is kept as the array that it is. For every parameter it is known which module it belongs to.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any
from weakref import ref

from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import ancestors, copied
from tinygrad_edu.recording import Scope, recording_scope
from tinygrad_edu.tree import described, is_array, is_parameter, is_without_past, leaves
from tinygrad_edu.value import Value

OWNERS: dict[int, tuple[ref[Value], ref[Any]]] = {}
"""For every parameter that is alive, by identity: the module in which it was found last; see `owner`."""


def owner(value: Value) -> Any:
    """The module in which a parameter was found last, if both are alive, else None."""
    known, module = OWNERS.get(id(value), (None, None))
    return module() if module is not None and known is not None and known() is value else None


def own(module: Any, value: Value) -> None:
    """Note that a parameter was found in a module."""
    OWNERS[id(value)] = ref(value, partial(forget, id(value))), ref(module)


def forget(key: int, dead: ref[Value]) -> None:
    """Drop the entry of a parameter that is no more."""
    if OWNERS.get(key, (None,))[0] is dead:
        del OWNERS[key]


def replaced(module: Any, name: str, before: Any, thing: Any) -> Any:
    """What is assigned to an attribute that holds something: the thing itself, or a result as an array."""
    place = f"{type(module).__name__}.{name}"
    if is_parameter(before):
        expect_parameter(place, name, before, thing)
    elif is_without_past(thing) and is_array(before):
        return copied(thing.array)
    elif isinstance(thing, Value) and thing.op is not None and name not in module._notes:
        expect_no_statistic(place, before, thing)
    return thing


def expect_no_statistic(place: str, before: Any, result: Value) -> None:
    """Refuse a result in place of a buffer, and one that was computed from what an earlier call put there."""
    asked = is_without_past(before) or (isinstance(before, Value) and is_earlier(before.scope))
    behind = asked and any(node is before for node in ancestors(result, since=before.number))
    if not is_array(before) and not behind:
        return
    what = f"is a buffer, an array, and would become {described(result)}, which is not saved"
    if isinstance(before, Value) and not is_without_past(before):
        what = "started as a number, and would become a result of its own result"
    use = "start it as an array, compute it from arrays, x.data instead of x, or inside no_grad()"
    state = "for a state that gradients go through start it as None"
    text = f"{place} {what} and keeps all calls before it in memory: for a running statistic {use}; {state}"
    raise refusal(TypeError, text)


def is_earlier(scope: Scope) -> bool:
    """Whether a module call that is over was part of another call of a whole network than the one that runs."""
    now = recording_scope()
    return now is not None and bool(now.kind) and scope.outermost() is not now.outermost()


def expect_parameter(place: str, name: str, before: Value, thing: Any) -> None:
    """Refuse numbers in place of a parameter, and a parameter of another shape; None or a module may replace it."""
    if is_parameter(thing):
        if thing.shape != before.shape:
            use = f"and this one is {thing.shape}: if it is meant, del model.{name} first"
            raise refusal(ValueError, f"{place} is a parameter of shape {before.shape}, {use}")
    elif isinstance(thing, Value) or is_numbers(thing):
        what = described(thing) if isinstance(thing, Value) or is_array(thing) else f"a {type(thing).__name__}"
        use = f"to update it, model.{name}.data = ... or an optimiser; to replace it, Value(...) of the same shape"
        raise refusal(TypeError, f"{place} is a parameter and would become {what}, which nothing trains: {use}")


def is_numbers(thing: Any) -> bool:
    """Whether something is an array, a number, or a list of them."""
    parts = leaves(thing) if isinstance(thing, list | tuple) else [thing]
    return bool(parts) and all(is_array(part) or isinstance(part, int | float) for part in parts)


def in_forward(module: Any) -> bool:
    """Whether an attribute is being assigned while the module's own `forward` runs."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name in ("forward", "__call__") and frame.f_locals.get("self") is module:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
