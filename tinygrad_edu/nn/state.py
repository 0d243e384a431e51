"""The state of a module: its parameters and buffers as arrays under their paths, given and taken.

What is taken has to fit completely, names, shapes and kinds of numbers, before anything is changed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu.errors import printable, refusal
from tinygrad_edu.graph import ancestors
from tinygrad_edu.tree import (
    arrays_of,
    buffers_of,
    contents,
    described,
    differences,
    held,
    is_module,
    is_parameter,
    put,
)
from tinygrad_edu.value import Value


def state_of(module: Any) -> dict[str, Any]:
    """The arrays of a module under their paths, not copied: parameters first, then buffers."""
    expect_no_results(module)
    found = [(path, value.array) for path, value in module.named_parameters()]
    found += [(path, array) for path, _, _, array in buffers_of(module)]
    state = dict(found)
    if len(state) < len(found):
        paths = [path for path, _ in found]
        twice = sorted({path for path in paths if paths.count(path) > 1})
        raise refusal(ValueError, printable(f"two parameters have one path: {', '.join(twice)}; rename a dict key"))
    return state


def expect_no_results(module: Any) -> None:
    """Refuse a result that was computed from a parameter and put in its place: it would be missing in the state."""
    for path, thing in contents(module, module._path or ""):
        behind = ancestors(thing) if isinstance(thing, Value) and thing.op is not None else []
        if any(is_parameter(node) and node.name == path for node in behind):
            text = f"'{path}' was a parameter and is now {described(thing)}, which nothing trains or saves"
            raise refusal(ValueError, printable(f"{text}: keep the Value that was there, and set its data"))


def take(module: Any, state: Any) -> None:
    """Give a module the arrays of a state, cast to its own dtypes; all of them or none."""
    own, arrays = state_of(module), arrays_of(state)
    parameters, buffers = dict(module.named_parameters()), list(buffers_of(module))
    faults = differences(own, arrays, partial(advice, module))
    faults += [f"'{path}' is in a tuple, and read-only" for path, holder, _, a in buffers if fixed(holder, a)]
    if faults:
        raise refusal(ValueError, printable(f"this state does not fit {type(module).__name__}: {'; '.join(faults)}"))
    wrong = [f"'{path}' is {a.dtype}" for path, a in arrays.items() if not castable(a, own[path], path in parameters)]
    if wrong:
        text = f"parameters are real numbers, and a buffer keeps its kind of numbers: {', '.join(wrong)}"
        raise refusal(TypeError, printable(text))
    for path, value in parameters.items():
        value.data = arrays[path].astype(value.dtype)
    for path, holder, name, array in buffers:
        put(holder, name, arrays[path].astype(array.dtype)[() if isinstance(array, np.generic) else ...])


def fixed(holder: Any, array: Any) -> bool:
    """Whether an array can be neither replaced where it is nor written to."""
    return isinstance(holder, tuple) and isinstance(array, np.ndarray) and not array.flags.writeable


def castable(array: Any, own: Any, parameter: bool) -> bool:
    """Whether an array may stand for one that a module has: any real numbers for a parameter."""
    return array.dtype.kind in "fiu" if parameter else np.can_cast(array.dtype, own.dtype, "same_kind")


def advice(model: Any, name: str) -> str:
    """What to do about an array for which a module has the name, but nothing or a plain number under it."""
    path, _, last = name.rpartition(".")
    found = [held(thing) or {} for place, thing in contents(model) if place == path] if is_module(model) else []
    there = found[-1].get(last, "") if found else ""
    if there is not None and not isinstance(there, int | float):
        return ""
    use = "start a running statistic as an array, such as np.zeros(3); what forward notes needs no line in __init__"
    return f" (it is {there}: {use})"
