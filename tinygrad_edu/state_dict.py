"""States: the arrays of a module or of an optimiser under their names, given and taken.

What is taken has to fit completely, names, shapes and kinds of numbers, before anything is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu.errors import printable, refusal
from tinygrad_edu.graph import ancestors
from tinygrad_edu.inputs import arrayed, named
from tinygrad_edu.tree import buffers_of, contents, described, held, is_module, is_parameter, put
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
    own, buffers = state_of(module), list(buffers_of(module))
    fixed = [path for path, holder, _, a in buffers if isinstance(holder, tuple) and is_read_only(a)]
    more = [f"'{path}' is in a tuple, and read-only" for path in fixed]
    arrays = checked_state(own, state, type(module).__name__, partial(advice, module), more, [p for p, *_ in buffers])
    for path, value in module.named_parameters():
        value.data = arrays[path]
    for path, holder, name, _ in buffers:
        put(holder, name, arrays[path])


def is_read_only(array: Any) -> bool:
    """Whether nothing can be written into an array."""
    return isinstance(array, np.ndarray) and not array.flags.writeable


def checked_state(
    own: Mapping[str, Any],
    state: Any,
    owner: str,
    advice: Callable[[str], str] = lambda name: "",
    more: Sequence[str] = (),
    buffers: Sequence[str] = (),
) -> dict[str, Any]:
    """Copies of the arrays of a state, cast to what its owner has: the same names and shapes, and real numbers.

    `more` are other faults. Under the names `buffers` an array keeps its kind of numbers instead.
    """
    arrays = arrays_of(state)
    if faults := [*differences(own, arrays, advice), *more]:
        text = f"this state does not fit {owner}, which is unchanged: {'; '.join(faults)}"
        raise refusal(ValueError, printable(text))
    kept = {name: np.can_cast(arrays[name].dtype, own[name].dtype, "same_kind") for name in buffers}
    wrong = [f"'{name}' is {a.dtype}" for name, a in arrays.items() if not kept.get(name, a.dtype.kind in "fiu")]
    if wrong:
        rule = ", and a buffer keeps its kind of numbers" if buffers else ""
        raise refusal(TypeError, f"a state holds real numbers{rule}: {printable(', '.join(wrong))}")
    return {name: cast(array, own[name]) for name, array in arrays.items()}


def cast(array: Any, own: Any) -> Any:
    """A copy of an array as the kind of number or array that it stands for."""
    return type(own)(array) if isinstance(own, int | float | np.generic) else array.astype(own.dtype)


def arrays_of(state: Any) -> dict[str, Any]:
    """The entries of a state as arrays."""
    if not hasattr(state, "items"):
        kind = type(state).__name__
        raise refusal(TypeError, f"a state is a dict of arrays by path, from state_dict(); got {kind}")
    read = lambda array: np.asarray(arrayed(array))
    return {name: named(f"'{printable(name)}'", array, read) for name, array in state.items()}


def differences(
    own: Mapping[str, Any], given: Mapping[str, Any], advice: Callable[[str], str] = lambda name: ""
) -> list[str]:
    """What keeps the arrays of a state from fitting: names missing or left over, with advice, and shapes."""
    faults = [f"'{name}' is missing" for name in own if name not in given]
    faults += [f"'{name}' is unknown here{advice(name)}" for name in given if name not in own]
    shapes = [(name, np.shape(own[name]), given[name].shape) for name in own if name in given]
    return faults + [f"'{name}' is {x} here and {y} in the state" for name, x, y in shapes if x != y]


def advice(model: Any, name: str) -> str:
    """What to do about an array for which a module has the name, but nothing or a plain number under it."""
    path, _, last = name.rpartition(".")
    found = [held(thing) or {} for place, thing in contents(model) if place == path] if is_module(model) else []
    there = found[-1].get(last, "") if found else ""
    if there is not None and not isinstance(there, int | float):
        return ""
    use = "start a running statistic as an array, such as np.zeros(3); what forward notes needs no line in __init__"
    return f" (it is {there}: {use})"
