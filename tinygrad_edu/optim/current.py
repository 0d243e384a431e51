"""Whether an optimiser trains the parameters that its modules have now: they may be replaced, or added to, later.

`model.w = Value(...)` puts another parameter in the place of one that the optimiser would go on training, and a layer
that is appended to a list is trained by nobody. Modules count such changes, so that a step looks
only after one; what is put into a list or a dict is counted by nobody, so it also looks after 1, 2, 4, 8, ... steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary, ref

from tinygrad_edu.errors import label, printable, refusal, user_frame, user_line
from tinygrad_edu.nn.attributes import owner
from tinygrad_edu.nn.lost import LostParameterWarning
from tinygrad_edu.nn.module import Module
from tinygrad_edu.tree import contents, described, is_array, is_parameter
from tinygrad_edu.value import Value

HOMES: WeakKeyDictionary[Any, list[tuple[ref[Module], set[int]]]] = WeakKeyDictionary()
"""For every optimiser that is alive: the modules of its parameters, with the numbers of all Values they had then."""


def remember(optimizer: Any) -> None:
    """Note the modules to which the parameters of a new optimiser belong, and all parameters that these have."""
    homes = homes_of(optimizer.params)
    HOMES[optimizer] = [(ref(home), {value.number for value in home.parameters()}) for home in homes]


def homes_of(params: list[Value]) -> list[Module]:
    """The modules to which parameters belong, each once."""
    return list({id(module): module for module in map(owner, params) if module is not None}.values())


def expect_current(optimizer: Any) -> None:
    """Refuse parameters that their module has replaced, and warn of those that came later and are not trained."""
    params, kind = optimizer.params, type(optimizer).__name__
    now = {id(value): path for home in homes_of(params) for path, value in home.named_parameters()}
    gone = [i for i, value in enumerate(params) if owner(value) is not None and id(value) not in now]
    own = set(map(id, params))
    new = [path for key, path in now.items() if key not in own]
    if gone and new:
        name = label(params[gone[0]], "no name")
        raise refusal(
            ValueError,
            f"parameter {gone[0]} ({name}) was replaced in its module after this {kind} was made, which does not "
            f"train {', '.join(new[:3])} now, and changes nothing: keep the Value and set its data, "
            f"model.weight.data = ..., or make the optimiser again",
        )
    for i in gone:
        expect_place(i, params[i])
    warn_untrained(optimizer)


def expect_place(i: int, value: Value) -> None:
    """Refuse a parameter that is no longer in its module, if a result or an array is where it was."""
    for place, thing in things_at(owner(value), value.name):
        raise refusal(
            ValueError,
            f"parameter {i} ({place}) is no longer in its module, which has {described(thing)} in its place, and "
            f"nothing was changed: keep the Value that was there, and set its data",
        )


def things_at(home: Module | None, path: str | None) -> Iterator[tuple[str, Any]]:
    """The array or the result under a path in a module, if there is one, with the path."""
    for place, thing in () if home is None else contents(home, home._path or ""):
        if place == path and (is_array(thing) or (isinstance(thing, Value) and not is_parameter(thing))):
            yield place, thing


def warn_untrained(optimizer: Any) -> None:
    """Warn of parameters that no optimiser knows, as they came later."""
    kind = type(optimizer).__name__
    if added := list(untrained(optimizer)):
        text = f"{', '.join(added[:3])} came into the model after this {kind} was made, which does not train it"
        text = f"{text}: make the optimiser again, {kind}(model.parameters(), ...) ({user_line()})"
        warnings.warn(printable(text), LostParameterWarning, stacklevel=user_frame()[1])


def untrained(optimizer: Any) -> Iterator[str]:
    """The paths of parameters that came later, have a gradient, and belong to no optimiser; each is told once."""
    others = [other for ref in HOMES.keyrefs() if (other := ref()) is not None]  # in one step: threads make some, too
    trained = {id(value) for other in others for value in other.params}
    for home, known in HOMES.get(optimizer, []):
        module = home()
        for path, value in module.named_parameters() if module is not None else ():
            if value.number not in known and value.gradient is not None and id(value) not in trained:
                known.add(value.number)
                yield path
