"""What can be saved: what has a state, a dict of arrays by name; several such things together; random generators.

A thing with `state_dict()` and `load_state_dict()` is *stateful*. A dict of such things is saved as one whose names
are `key.name`, and is given back all or nothing. The state of a generator is numbers: whole ones that Python writes
with up to 128 bits are kept as two of 64.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.state_dict import checked_state
from tinygrad_edu.tree import flatten, rebuild

MASK = 2**64 - 1
GENERATORS = np.random.Generator | np.random.RandomState | random.Random


class Stateful(Protocol):
    """What can be saved: a `Module`, or anything else with these two methods."""

    def state_dict(self) -> dict[str, Any]:
        """Arrays under their names."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take all of them, or none."""


def stateful(thing: Any, verb: str) -> Stateful:
    """A thing that can be saved, as what it is saved as; `verb` says what was asked for, for the refusal."""
    if isinstance(thing, dict):
        return Together({name: stateful(part, verb) for name, part in thing.items()}, verb)
    if isinstance(thing, GENERATORS):
        return GeneratorState(thing)
    if isinstance(thing, type) or not callable(getattr(thing, "state_dict", None)):
        use = f"{verb}(model, path), with the model itself, not its state_dict(), or {verb}({{'model': model}}, path)"
        raise refusal(TypeError, f"a {type(thing).__name__} has nothing to {verb}: write {use}")
    return thing  # type: ignore[no-any-return]


def growing(thing: Any) -> set[str]:
    """The names of a state under which there may be any number of numbers, such as one for each epoch."""
    return set(getattr(thing, "growing", ()))


class Together:
    """Several stateful things as one."""

    def __init__(self, parts: Mapping[str, Stateful], verb: str) -> None:
        if odd := next((name for name in parts if not isinstance(name, str)), None):
            raise refusal(TypeError, f"{verb}: the names of a dict are texts; got {odd!r}")
        self.parts = parts
        self.growing = {f"{name}.{own}" for name, part in parts.items() for own in growing(part)}

    def state_dict(self) -> dict[str, Any]:
        """All arrays, as `key.name`."""
        found = [(f"{key}.{name}", a) for key, part in self.parts.items() for name, a in part.state_dict().items()]
        state = dict(found)
        if len(state) < len(found):
            raise refusal(ValueError, "two of the things would be saved under one name: leave dots out of the keys")
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give each part its own; all of them, or none."""
        before = {key: part.state_dict() for key, part in self.parts.items()}
        try:
            for key, part in self.parts.items():
                names = before[key].keys() | growing(part)
                part.load_state_dict({name: state[f"{key}.{name}"] for name in names})
        except BaseException:
            for key, part in self.parts.items():
                part.load_state_dict(before[key])
            raise


class GeneratorState:
    """The state of a random generator, of NumPy's two kinds or of Python's, as arrays."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator

    def state_dict(self) -> dict[str, Any]:
        """The numbers of the state, under the name of the algorithm, such as `PCG64.state.inc`."""
        kind, numbers = self.read()
        return {f"{kind}.{path}": encoded(number) for path, number in flatten(numbers)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another generator was."""
        kind, numbers = self.read()
        arrays = checked_state(self.state_dict(), state, f"a generator of kind {kind}")
        self.write(kind, rebuild(numbers, [decoded(arrays[f"{kind}.{path}"], own) for path, own in flatten(numbers)]))

    def read(self) -> tuple[str, Any]:
        """The name of the algorithm, and its numbers."""
        if isinstance(self.generator, random.Random):
            _, words, gauss = self.generator.getstate()
            return "MersenneTwister", {"words": np.array(words), "gauss": np.nan if gauss is None else gauss}
        legacy = isinstance(self.generator, np.random.RandomState)
        state = self.generator.get_state(legacy=False) if legacy else self.generator.bit_generator.state
        return state["bit_generator"], {name: part for name, part in state.items() if name != "bit_generator"}

    def write(self, kind: str, numbers: Any) -> None:
        """Set what `read` gave."""
        if isinstance(self.generator, random.Random):
            gauss = None if np.isnan(numbers["gauss"]) else numbers["gauss"]
            self.generator.setstate((self.generator.VERSION, tuple(numbers["words"].tolist()), gauss))
        elif isinstance(self.generator, np.random.RandomState):
            self.generator.set_state({"bit_generator": kind, **numbers})
        else:
            self.generator.bit_generator.state = {"bit_generator": kind, **numbers}


def encoded(number: Any) -> Any:
    """A whole number as two of 64 bits; any other one, or an array, as an array."""
    return np.array([number & MASK, number >> 64], np.uint64) if isinstance(number, int) else np.array(number)


def decoded(array: Any, own: Any) -> Any:
    """What `encoded` made an array of, and what stands there now is `own`."""
    if isinstance(own, int):
        return int(array[0]) | int(array[1]) << 64
    return array.astype(own.dtype) if isinstance(own, np.ndarray) else float(array)
