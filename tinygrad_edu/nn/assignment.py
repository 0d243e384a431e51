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
from tinygrad_edu.nn.contents import is_array, is_parameter, is_without_past
from tinygrad_edu.tree import leaves
from tinygrad_edu.value import Value


def replaced(module: Any, name: str, before: Any, thing: Any) -> Any:
    """What is assigned to an attribute that holds something: the thing itself, or a result as an array."""
    if is_parameter(before):
        expect_parameter(f"{type(module).__name__}.{name}", name, before, thing)
    elif is_without_past(thing) and is_array(before):
        return copied(thing.array)
    elif isinstance(thing, Value) and thing.op is not None and is_statistic(module, name, before, thing):
        raise refusal(
            TypeError,
            f"{type(module).__name__}.{name} is a buffer, an array, and would become the result of {thing.op.name}, "
            f"which is neither saved nor free of the steps before it: compute it from arrays, x.data instead of x, "
            f"or inside no_grad()",
        )
    return thing


def is_statistic(module: Any, name: str, before: Any, result: Value) -> bool:
    """Whether a result would take the place of a buffer: of an array, or of numbers that it was computed from."""
    if name in module._notes:
        return False
    return is_array(before) or (is_without_past(before) and any(node is before for node in ancestors(result)))


def expect_parameter(place: str, name: str, before: Value, thing: Any) -> None:
    """Refuse numbers in place of a parameter, and a parameter of another shape; None or a module may replace it."""
    update = f"to update it, model.{name}.data = ... or an optimiser; to replace it, Value(...) of the same shape"
    if isinstance(thing, Value) and not is_parameter(thing):
        what = f"the result of {thing.op.name}" if thing.op else "a result of no_grad()"
        raise refusal(TypeError, f"{place} is a parameter and would become {what}, which nothing trains: {update}")
    if isinstance(thing, Value) and thing.shape != before.shape:
        use = f"if it is meant, del model.{name} first"
        raise refusal(
            ValueError, f"{place} is a parameter of shape {before.shape}, and this one is {thing.shape}: {use}"
        )
    if is_numbers(thing):
        kind = "an array" if is_array(thing) else f"a {type(thing).__name__}"
        raise refusal(TypeError, f"{place} is a parameter and would become {kind}, which nothing trains: {update}")


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
