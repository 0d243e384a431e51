"""What to answer to a name or an option that does not exist: what it is called here, or what comes nearest.

All of it runs only for names that do not exist, so that what exists costs nothing. `hasattr` stays False for what
does not exist, and names that Python's own protocols ask for (`__deepcopy__`) get Python's own answer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from inspect import Parameter, signature
from opcode import opmap
from typing import Any, NoReturn, ParamSpec, TypeVar

import numpy as np

from tinygrad_edu.errors import explained, printable, refusal
from tinygrad_edu.spellings import FACTS, IN_PLACE, KINDS, NUMPY, OPTIONS, WORKS

P = ParamSpec("P")
R = TypeVar("R")

ALIKE = 0.7
"""How much of two names agrees where one is surely a misspelling of the other: `lienar` and `linear` have 0.83."""
FAR = 0.6
"""The same where nothing else is known of the name: what `difflib` takes by itself."""

CONSTANT = (
    "every Value has a gradient: a constant is a plain array, te.stop_gradient(v) makes one of v, and an optimiser "
    "leaves alone what it is not given"
)


def of_module(module: Any, works: Mapping[str, Callable[..., Any]], name: str) -> Any:
    """The same for a module, whose class may be the user's."""
    if hasattr(type(module), name):
        return object.__getattribute__(module, name)
    if name in works:
        return partial(works[name], module)
    raise absent(module, "Module", name)


def of_package(package: str, known: Iterable[str], name: str) -> Exception:
    """The error for a name that a package does not have: an ImportError where it stands in `from ... import`."""
    place = package.partition(".")[2] or package
    frame = sys._getframe(2)
    imported = frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
    kind = ImportError if imported else AttributeError
    if name.startswith("_"):
        return kind(f"module '{package}' has no attribute '{name}'")
    return refusal(kind, f"{place} has no '{printable(name)}'{advice(place, known, name)}")


def answering(package: str, known: Iterable[str]) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a package, which says of a name that another framework has what it is called here."""

    def answer(name: str) -> NoReturn:
        raise of_package(package, known, name)

    return answer


def absent(thing: Any, kind: str, name: str) -> AttributeError:
    """The error for an attribute that a thing does not have."""
    if name.startswith("_") and name not in KINDS[kind]:
        return AttributeError(f"'{printable(type(thing).__name__)}' object has no attribute '{printable(name)}'")
    text = f"{type(thing).__name__} has no attribute '{name}'{advice(kind, dir(thing), name)}"
    return refusal(AttributeError, printable(text))


def advice(kind: str, known: Iterable[str], name: str) -> str:
    """What to write in place of a name, after a colon; or the nearest one that exists; or nothing."""
    text = KINDS[kind].get(name)
    if text:
        return f": {text.format(name=name)}"
    if kind in ("Value", "tinygrad_edu") and name in np.__all__ and callable(getattr(np, name)):
        return f": {NUMPY.format(name=name)}"
    public = [other for other in known if not other.startswith("_")]
    if near := nearest(name, public, ALIKE):
        return f"; did you mean '{near}'?"
    if kind == "Value" and name.endswith("_"):
        return f": a Value is not changed in place, so there is no such method: v = v.{name.rstrip('_')}(...)"
    if near := nearest(name, public, FAR):
        return f"; did you mean '{near}'?"
    if kind == "Value" and hasattr(np.ndarray, name):
        return f": it belongs to the array, v.data.{name}"
    return ""


def nearest(name: str, known: Iterable[str], cutoff: float) -> str | None:
    """The name that exists and is most like another one, if any is like it."""
    from difflib import get_close_matches  # only now: few programs need it

    return next(iter(get_close_matches(name, known, n=1, cutoff=cutoff)), None)


def spelled(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, which says of an unknown option what it is called here."""
    parameters = list(signature(function).parameters.values())
    known = frozenset(
        p.name for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    )
    called = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs and not known.issuperset(kwargs):
            raise unknown_option(called, known, next(name for name in kwargs if name not in known))
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:  # it comes from inside
                raise
            raise refusal(TypeError, arguments(called, str(error))) from None

    return checked


def arguments(called: str, told: str) -> str:
    """What Python says of arguments that are missing or too many; and how one is given that stands by name only."""
    if "keyword-only argument: " not in told:
        return told
    name = told.rpartition("keyword-only argument: ")[2].strip("'")
    return f"{told}: write {called}(..., {name}=...)"


def constructor(init: Callable[P, R]) -> Callable[P, R]:
    """`Value.__init__`, which takes `label=` and `requires_grad=True` too, and refuses a name that is no text."""

    @wraps(init)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs or len(args) != 2:
            if len(args) < 2 and "data" not in kwargs:
                raise refusal(
                    TypeError, "a Value is made of numbers, Value(2.0) or Value([1.0, 2.0]); none were given"
                )
            kwargs = own_options(kwargs)  # type: ignore[assignment]
            name = args[2] if len(args) > 2 else kwargs.get("name")
            if name is not None and not isinstance(name, str):
                got = f"got a {type(name).__name__}"
                raise refusal(TypeError, f"the name of a Value is a text, Value(2.0, name='w'); {got}")
        return init(*args, **kwargs)

    return checked


def own_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `Value`, with what other frameworks call them translated."""
    options = {"name" if option == "label" else option: value for option, value in given.items()}
    if options.pop("requires_grad", True) is not True:
        raise refusal(TypeError, CONSTANT)
    if "dtype" in options:
        raise refusal(TypeError, "a Value has the dtype of its array: write Value(array.astype(np.float32))")
    if wrong := options.keys() - {"data", "name"}:
        raise unknown_option("Value", ("data", "name"), min(wrong))
    return options


class Elsewhere:
    """A class attribute for a name that another framework has: what it is here, or the error that says so.

    A `__getattr__` would do it for every name, and slow down each access to a slot: a recorded operation would cost a
    sixth more. So the names are known beforehand, and Python itself answers to all others.

    Parameters
    ----------
    name
        The attribute.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, value: Any, owner: Any = None) -> Any:
        if value is None:  # hasattr(Value, name) is False too
            raise AttributeError(f"type object '{owner.__name__}' has no attribute '{self.name}'")
        if self.name in WORKS:
            return partial(WORKS[self.name], value)
        if self.name in FACTS:
            return FACTS[self.name](value)
        function = vars(np).get(self.name)
        if isinstance(function, np.ufunc):  # NumPy's elementwise functions, such as v.tan()
            return partial(function, value)
        raise absent(value, "Value", self.name)

    def __set__(self, value: Any, content: Any) -> None:
        raise absent(value, "Value", self.name)


class Borrowed:
    """What `Value` has of other frameworks: two attributes that may be set, and the names of `spellings`."""

    __slots__ = ()
    name: str | None  # of the node

    @property
    def label(self) -> str | None:
        """What micrograd calls `name`."""
        return self.name

    @label.setter
    def label(self, name: str | None) -> None:
        self.name = name  # type: ignore[misc]

    @property
    def requires_grad(self) -> bool:
        """True: a constant is a plain array, and no Value."""
        return True

    @requires_grad.setter
    def requires_grad(self, required: bool) -> None:
        if not required:
            raise refusal(TypeError, CONSTANT)

    def __dir__(self) -> list[str]:
        own = set().union(*(vars(kind) for kind in type(self).__mro__ if kind is not Borrowed))
        lent = {name for name, entry in vars(Borrowed).items() if isinstance(entry, Elsewhere)}
        return sorted(own.union(vars(Borrowed)) - (lent - own))


def borrowed() -> set[str]:
    """Every name that a Value answers to though it is none of its own."""
    functions = {name for name in np.__all__ if callable(vars(np).get(name)) and not isinstance(vars(np)[name], type)}
    methods = functions.union(WORKS, IN_PLACE)
    parts = {name for name in dir(np.ndarray) if not name.startswith("_")}
    return methods.union(FACTS, KINDS["Value"], parts, (f"{name}_" for name in methods))


for elsewhere in borrowed():
    if elsewhere not in vars(Borrowed):
        setattr(Borrowed, elsewhere, Elsewhere(elsewhere))


def check_backward(options: Mapping[str, Any]) -> None:
    """Accept what PyTorch's `backward` is given and needs no answer here; refuse the rest."""
    if options.get("create_graph"):
        raise refusal(TypeError, f"backward keeps plain gradients: {OPTIONS['create_graph']}")
    for option in options:
        if option not in ("retain_graph", "create_graph"):
            raise unknown_option("backward", ["gradient"], option)


def of_constant(function: Any, options: Mapping[str, Any], error: TypeError) -> Exception:
    """NumPy's complaint about a call without derivative, with what an option is called here."""
    name = next((option for option in options if option in OPTIONS and f"'{option}'" in str(error)), None)
    return unknown_option(function.__name__, (), name) if name else explained(function.__name__, (), error)


def unknown_option(called: str, known: Iterable[str], name: str) -> TypeError:
    """The error for an option that a function does not have."""
    options = sorted(set(known) - {"self"})
    near = nearest(name, options, ALIKE)
    text = OPTIONS.get(name) or (f"did you mean '{near}'?" if near else f"there are {', '.join(options)}")
    return refusal(TypeError, f"{called} has no option '{printable(name)}': {text}")
