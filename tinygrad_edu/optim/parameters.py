"""Which parameters an optimiser trains: those that it was given, as long as they are those of their modules.

`model.w = Value(...)` puts another parameter in the place of one that the optimiser would go on training, and a layer
that is appended to a list is trained by nobody. Modules count such changes, so that a step looks only after one; what
is put into a list or a dict is counted by nobody, so it also looks after 1, 2, 4, 8, ... steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary, ref

from tinygrad_edu.errors import label, printable, refusal, warn
from tinygrad_edu.kinds import at_least_zero, flag, fraction, positive, shown
from tinygrad_edu.nn.attributes import owner
from tinygrad_edu.nn.lost import LostParameterWarning
from tinygrad_edu.tree import contents, described, is_array, is_parameter
from tinygrad_edu.value import Value

Params = Iterable[Value] | Iterable[Mapping[str, Any]]
Setting = tuple[float, dict[str, Any]]
HOMES: WeakKeyDictionary[Any, list[tuple[ref[Any], set[int]]]] = WeakKeyDictionary()
"""For every optimiser that is alive: the modules of its parameters, with the numbers of all Values they had then."""


def expect_parameters(params: Any, kind: str) -> list[Value]:
    """The parameters as a list: at least one, Values that no operation made, each once."""
    if words := no_list(params, kind):
        raise refusal(TypeError, f"{kind} takes a list of parameters{words}")
    values = list(params)
    if not values:
        used = "was a generator used before (it is empty the second time; make a list of it)"
        text = f"{kind} was given no parameters: {used}, or has the model no Values in its attributes?"
        raise refusal(ValueError, text)
    places: dict[int, int] = {}
    for i, value in enumerate(values):
        if not isinstance(value, Value):
            raise refusal(TypeError, f"parameter {i} is a {type(value).__name__}, not a Value: {instead(value)}")
        if not is_parameter(value):
            use = "and the next forward pass makes a new one: start a parameter with Value(v.data)"
            raise refusal(ValueError, f"parameter {i} is {described(value)}, {use}")
        if places.setdefault(id(value), i) != i:
            raise refusal(ValueError, f"parameter {i} is parameter {places[id(value)]} again: give each once")
    return values


def grouped(params: Params, lr: float, options: Mapping[str, Any], kind: str) -> tuple[list[Value], list[Setting]]:
    """The parameters, and for each the ratio of its learning rate to that of all, and its options."""
    if not isinstance(params, list | tuple) or not any(isinstance(p, dict) and "params" in p for p in params):
        every = expect_parameters(params, kind)
        return every, [(1.0, checked(options))] * len(every)
    values: list[Value] = []
    settings: list[Setting] = []
    for group in params:
        if not isinstance(group, dict) or "params" not in group:
            raise refusal(TypeError, f"every group is a dict with 'params', as the others; got {shown(group)}")
        if unknown := group.keys() - {"params", "lr", *options}:
            known = ", ".join(("params", "lr", *options))
            raise refusal(TypeError, f"{kind} has no option {min(map(repr, unknown))} for a group: it has {known}")
        own = expect_parameters(group["params"], kind)
        ratio = positive("lr", group.get("lr", lr)) / lr
        settings += [(ratio, checked({o: group.get(o, option) for o, option in options.items()}))] * len(own)
        values += own
    return expect_parameters(values, kind), settings


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an algorithm; those that are numbers are of the right kind, and in their ranges."""
    return {name: CHECKS[name](name, option) if name in CHECKS else option for name, option in options.items()}


def expect_betas(name: str, betas: Any) -> tuple[float, float]:
    """Two numbers in [0, 1)."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        got = f"{len(betas)} of them" if isinstance(betas, tuple | list) else f"a {type(betas).__name__}"
        raise refusal(TypeError, f"betas are two numbers in [0, 1), such as (0.9, 0.999); got {got}")
    return fraction("betas[0]", betas[0]), fraction("betas[1]", betas[1])


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    **{"alpha": fraction, "betas": expect_betas, "eps": positive, "lr_decay": at_least_zero, "momentum": fraction},
    **{"nesterov": flag, "weight_decay": at_least_zero},
}
"""What is asked of the options that algorithms have, by name."""


def no_list(params: Any, kind: str) -> str:
    """What was given in place of a list of parameters, and what to write; nothing for what can be looped over."""
    if isinstance(params, Value):
        return f": {kind}([w], ...) for a single one"
    if hasattr(params, "parameters"):
        return ": use model.parameters()"
    if isinstance(params, Mapping):
        if any(isinstance(thing, Value) for thing in params.values()):
            return "; got a dict: use list(params.values())"
        copies = "a dict of arrays, such as state_dict() copies"
        return f"; got {copies}: use model.parameters(), which are trained themselves"
    if isinstance(params, Iterable):
        return ""
    called = getattr(params, "__name__", "parameters").replace("<lambda>", "f")
    return f"; got {type(params).__name__}" + (f": call it, {called}()" if callable(params) else "")


def instead(thing: Any) -> str:
    """What to give in place of something that is no Value."""
    if isinstance(thing, dict):
        return "a group of parameters is {'params': [w], 'lr': 0.1}"
    if isinstance(thing, tuple) and len(thing) == 2 and isinstance(thing[0], str):
        return "use model.parameters() in place of model.named_parameters()"
    if hasattr(thing, "parameters"):
        return "use model.parameters(), of several models [*a.parameters(), *b.parameters()]"
    return "give one list, such as [*first, *second]" if isinstance(thing, list | tuple) else "wrap it, Value(x)"


def remember(optimizer: Any) -> None:
    """Note the modules to which the parameters of a new optimiser belong, and all parameters that these have."""
    homes = {id(home): home for home in map(owner, optimizer.params) if home is not None}.values()
    HOMES[optimizer] = [(ref(home), {value.number for value in home.parameters()}) for home in homes]


def expect_current(optimizer: Any) -> None:
    """Refuse parameters that their module has replaced, and warn of those that came later and are not trained."""
    params, kind = optimizer.params, type(optimizer).__name__
    homes = [owner(value) for value in params]
    each = {id(home): home for home in homes if home is not None}.values()
    now = {id(value): path for home in each for path, value in home.named_parameters()}
    gone = [(i, home) for i, home in enumerate(homes) if home is not None and id(params[i]) not in now]
    own = set(map(id, params))
    new = [path for key, path in now.items() if key not in own]
    for i, home in gone:
        if new:
            what = (
                f"parameter {i} ({label(params[i], 'no name')}) was replaced in its module after this {kind} was made"
            )
            now_is = f"which does not train {', '.join(new[:3])} now, and changes nothing"
            use = "keep the Value and set its data, model.weight.data = ..., or make the optimiser again"
            raise refusal(ValueError, f"{what}, {now_is}: {use}")
        expect_place(i, params[i].name, home)
    if added := list(untrained(optimizer)):
        text = f"{', '.join(added[:3])} came into the model after this {kind} was made, which does not train it"
        warn(printable(f"{text}: make the optimiser again, {kind}(model.parameters(), ...)"), LostParameterWarning)


def expect_place(i: int, path: str | None, home: Any) -> None:
    """Refuse a parameter that is no longer in its module, if a result or an array is where it was."""
    for place, thing in contents(home, home._path or ""):
        if place == path and (is_array(thing) or (isinstance(thing, Value) and not is_parameter(thing))):
            what = f"parameter {i} ({place}) is no longer in its module, which has {described(thing)} in its place"
            use = "keep the Value that was there, and set its data"
            raise refusal(ValueError, f"{what}, and nothing was changed: {use}")


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
