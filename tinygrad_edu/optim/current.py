"""Whether an optimiser trains the parameters that its modules have now: they may be replaced, or added to, later.

`model.w = Value(...)` puts another parameter in the place of one that the optimiser would go on training, and a layer
that is appended to a list is trained by nobody. Modules count such changes, so a step has to look only after one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary, ref

from tinygrad_edu.errors import label, printable, refusal, user_frame, user_line
from tinygrad_edu.nn.lost import LostParameterWarning
from tinygrad_edu.nn.module import Module, owner
from tinygrad_edu.value import Value

HOMES: WeakKeyDictionary[Any, list[tuple[ref[Module], frozenset[int]]]] = WeakKeyDictionary()
"""For every optimiser that is alive: the modules of its parameters, with the numbers of all Values they had then."""


def remember(optimizer: Any) -> None:
    """Note the modules to which the parameters of a new optimiser belong, and all parameters that these have."""
    homes = homes_of(optimizer.params)
    HOMES[optimizer] = [(ref(home), frozenset(value.number for value in home.parameters())) for home in homes]


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
    if added := list(untrained(optimizer)):
        text = f"{', '.join(added[:3])} came into the model after this {kind} was made, which does not train it"
        text = f"{text}: make the optimiser again, {kind}(model.parameters(), ...) ({user_line()})"
        warnings.warn(printable(text), LostParameterWarning, stacklevel=user_frame()[1])


def untrained(optimizer: Any) -> Iterator[str]:
    """The paths of parameters that came later, have a gradient, and belong to no optimiser."""
    trained = {id(value) for other in HOMES for value in other.params}
    for home, known in HOMES.get(optimizer, []):
        module = home()
        for path, value in module.named_parameters() if module is not None else ():
            if value.number not in known and value.grad is not None and id(value) not in trained:
                yield path
