"""What may be assigned to an attribute of a module, so that a parameter stays one and a buffer stays an array.

`self.w = self.w - lr * self.w.grad` would make a result of a parameter: nothing would train, save or load it, and no
error would follow. Such an assignment is refused with what to write instead. A running statistic that was computed
inside `no_grad()` is kept as the array that it is.
"""

from __future__ import annotations

import sys
from typing import Any

from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import ancestors, copied
from tinygrad_edu.recording import Scope, recording_scope
from tinygrad_edu.tree import is_array, is_parameter, is_without_past, leaves
from tinygrad_edu.value import Value


def replaced(module: Any, name: str, before: Any, thing: Any) -> Any:
    """What is assigned to an attribute that holds something: the thing itself, or a result as an array."""
    if is_parameter(before):
        expect_parameter(f"{type(module).__name__}.{name}", name, before, thing)
    elif is_without_past(thing) and is_array(before):
        return copied(thing.array)
    elif isinstance(thing, Value) and thing.op is not None and name not in module._notes:
        expect_no_statistic(f"{type(module).__name__}.{name}", before, thing)
    return thing


def expect_no_statistic(place: str, before: Any, result: Value) -> None:
    """Refuse a result in place of a buffer, and one that was computed from what an earlier call put there."""
    if is_array(before) or (is_without_past(before) and is_behind(before, result)):
        what = f"is a buffer, an array, and would become {described(result)}, which is not saved"
    elif isinstance(before, Value) and is_earlier(before.scope) and is_behind(before, result):
        what = "started as a number, and would become a result of its own result"
    else:
        return
    use = "start it as an array, compute it from arrays, x.data instead of x, or inside no_grad()"
    raise refusal(
        TypeError,
        f"{place} {what} and keeps all calls before it in memory: for a running statistic {use}; for a state that "
        f"gradients go through start it as None",
    )


def is_behind(before: Value, result: Value) -> bool:
    """Whether a result was computed from a Value."""
    return any(node is before for node in ancestors(result, since=before.number))


def is_earlier(scope: Scope) -> bool:
    """Whether a module call that is over was part of another call of a whole network than the one that runs."""
    now = recording_scope()
    return now is not None and bool(now.kind) and outermost(scope) is not outermost(now)


def outermost(scope: Scope) -> Scope:
    """The call of a whole network of which a module call is part."""
    while scope.parent is not None and scope.parent.kind:
        scope = scope.parent
    return scope


def expect_parameter(place: str, name: str, before: Value, thing: Any) -> None:
    """Refuse numbers in place of a parameter, and a parameter of another shape; None or a module may replace it."""
    update = f"to update it, model.{name}.data = ... or an optimiser; to replace it, Value(...) of the same shape"
    if isinstance(thing, Value) and not is_parameter(thing):
        what = f"{place} is a parameter and would become {described(thing)}, which nothing trains"
        raise refusal(TypeError, f"{what}: {update}")
    if isinstance(thing, Value) and thing.shape != before.shape:
        use = f"if it is meant, del model.{name} first"
        raise refusal(
            ValueError, f"{place} is a parameter of shape {before.shape}, and this one is {thing.shape}: {use}"
        )
    if is_numbers(thing):
        kind = "an array" if is_array(thing) else f"a {type(thing).__name__}"
        raise refusal(TypeError, f"{place} is a parameter and would become {kind}, which nothing trains: {update}")


def described(thing: Any) -> str:
    """What an array, or a Value that is no variable, is, in words."""
    if not isinstance(thing, Value):
        return "an array"
    return f"the result of {thing.op.name}" if thing.op else "a result of no_grad()"


def is_numbers(thing: Any) -> bool:
    """Whether something is an array, a number, or a list of them."""
    if isinstance(thing, list | tuple):
        parts = leaves(thing)
        return bool(parts) and all(is_array(part) or isinstance(part, int | float) for part in parts)
    return is_array(thing) or isinstance(thing, int | float)


def in_forward(module: Any) -> bool:
    """Whether an attribute is being assigned while the module's own `forward` runs."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name in ("forward", "__call__") and frame.f_locals.get("self") is module:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
