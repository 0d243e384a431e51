"""What kind of thing an argument is, so that everything else is refused in one way.

`expecting` says it for all arguments of a function. It binds the arguments of every call, which takes a few
microseconds: it is for functions that take long anyway. `whole`, `between` and those below them look at a single
number under its name, and return it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial, wraps
from inspect import signature
from numbers import Real
from os import PathLike
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

from tinygrad_edu.errors import refusal, user_line
from tinygrad_edu.graph import Node

P = ParamSpec("P")
R = TypeVar("R")


class Kind(NamedTuple):
    """What things may be, as a question and in words."""

    fits: Callable[[Any], bool]
    words: str


def is_whole(thing: Any) -> bool:
    """Whether a thing is a whole number, of Python or of NumPy."""
    return isinstance(thing, int | np.integer) and not isinstance(thing, bool)


def is_real(thing: Any) -> bool:
    """Whether a thing is a real number, of Python or of NumPy."""
    return is_whole(thing) or isinstance(thing, float | np.floating)


def is_numbers(thing: Any) -> bool:
    """Whether a thing is an array of real numbers, or may become one."""
    try:
        return not isinstance(thing, Node | str | bytes | bool) and np.asarray(thing).dtype.kind in "fiu"
    except (TypeError, ValueError):
        return False


def is_dtype(thing: Any) -> bool:
    """Whether a thing stands for a floating point type."""
    try:
        return thing is not None and not isinstance(thing, Node) and np.dtype(thing).kind == "f"
    except (TypeError, ValueError):
        return False


def optional(kind: Kind) -> Kind:
    """The kind, or None."""
    return Kind(lambda thing: thing is None or kind.fits(thing), f"{kind.words}, or None")


FUNCTION = Kind(callable, "a function: f, not its result f(x)")
WHOLE = Kind(is_whole, "a whole number")
SIZE = SEED = Kind(lambda thing: is_whole(thing) and thing >= 0, "a whole number from 0")
GENERATOR = Kind(
    lambda thing: isinstance(thing, np.random.Generator | np.random.RandomState), "np.random.default_rng(...)"
)
NUMBER = Kind(is_real, "a number")
COUNT = Kind(lambda thing: is_whole(thing) and thing > 0, "a whole number of at least 1")
AT_LEAST_ZERO = Kind(lambda thing: is_real(thing) and thing >= 0, "a number of at least 0")
BETWEEN_0_AND_1 = Kind(lambda thing: is_real(thing) and 0 < thing < 1, "a number between 0 and 1")
POSITIVE = Kind(lambda thing: is_real(thing) and thing > 0, "a positive number")
NUMBERS = Kind(is_numbers, "a number or an array of numbers")
PLACES = Kind(
    lambda thing: is_whole(thing) or (isinstance(thing, list | tuple | range) and all(map(is_whole, thing))),
    "positions, such as (0,)",
)
SIZES = Kind(
    lambda thing: is_whole(thing) or (isinstance(thing, list | tuple | np.ndarray) and all(map(is_whole, thing))),
    "a whole number, or one for each axis",
)
POINTS = Kind(
    lambda thing: isinstance(thing, list | tuple) and all(map(is_real, thing)), "a tuple of points, such as (0.0,)"
)
SHAPE = Kind(lambda thing: isinstance(thing, tuple) and all(SIZE.fits(size) for size in thing), "a shape, as (2, 3)")
TEXTS = Kind(
    lambda thing: isinstance(thing, str | list | tuple | set | Mapping) and all(isinstance(t, str) for t in thing),
    "a list of names",
)
POINTS_OR_TIES = Kind(lambda thing: isinstance(thing, str) or POINTS.fits(thing), POINTS.words + ", or TIES")
FLAG = Kind(lambda thing: isinstance(thing, bool | np.bool_), "True or False")
TEXT = Kind(lambda thing: isinstance(thing, str), "a text")
PATH = Kind(lambda thing: isinstance(thing, str | PathLike), "the name of a file, such as 'model.safetensors'")
NAMES = optional(Kind(lambda thing: isinstance(thing, Mapping), "a dict of what things are called, such as locals()"))
VALUE = Kind(lambda thing: isinstance(thing, Node), "a Value")
DTYPE = Kind(is_dtype, "a floating point type, np.float32 or np.float64")


def expecting(**kinds: Kind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: arguments of another kind are refused before the function runs.

    What goes wrong inside all the same, as a user's function may, gets a note with the user's line.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        bind = signature(function).bind
        called = function.__qualname__.removesuffix(".__init__")

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                given = bind(*args, **kwargs).arguments
            except TypeError as error:
                raise refusal(TypeError, f"{called}: {error}") from None
            check(called, kinds, given)
            try:
                return function(*args, **kwargs)
            except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, OSError) as error:
                if not hasattr(error, "without_line"):
                    error.__notes__ = [f"inside {called} ({user_line()})", *getattr(error, "__notes__", ())]
                raise

        return checked

    return decorate


def check(called: str, kinds: Mapping[str, Kind], arguments: Mapping[str, Any]) -> None:
    """Refuse the first argument that is of another kind."""
    for name, kind in kinds.items():
        if name in arguments and not kind.fits(arguments[name]):
            raise refusal(TypeError, f"{called}: {name} is {kind.words}; got {shown(arguments[name])}")


def shown(thing: Any) -> str:
    """A number, a text or None as it is, of anything else the class."""
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    simple = thing is None or isinstance(thing, int | float | complex | str | bytes)
    return f"{thing!r:.60}" if simple else f"a {type(thing).__name__}"


def whole(name: str, number: Any, least: int = 1) -> int:
    """A whole number of at least `least`."""
    if not is_whole(number):
        raise refusal(TypeError, f"{name} is a whole number; got a {type(number).__name__}")
    if number < least:
        raise refusal(ValueError, f"{name} is {number}; it must be at least {least}")
    return int(number)


def between(name: str, number: Any, low: float, high: float, allowed: str, least: bool = True) -> float:
    """A real number from `low` to below `high`, as a Python float; `least` says whether `low` itself is allowed."""
    single = isinstance(number, np.ndarray) and number.ndim == 0 and number.dtype.kind in "fiu"
    if isinstance(number, bool) or not (isinstance(number, Real) or single):
        kind = allowed.replace("in [", "a number in [")
        raise refusal(TypeError, f"{name} is a {type(number).__name__}; it must be {kind}")
    try:
        found = float(number)
    except OverflowError:  # an integer with more than 308 digits
        found = math.inf
    if not low <= found < high or (found == low and not least):
        raise refusal(ValueError, f"{name} is {found}; it must be {allowed}")
    return found


positive = partial(between, low=0.0, high=math.inf, allowed="a finite number above 0", least=False)
at_least_zero = partial(between, low=0.0, high=math.inf, allowed="a finite number of at least 0")
fraction = partial(between, low=0.0, high=1.0, allowed="in [0, 1)")


def floating(dtype: Any) -> Any:
    """The dtype that something stands for, if that is a floating point type."""
    if not DTYPE.fits(dtype):
        raise refusal(TypeError, f"dtype is {DTYPE.words}; got {shown(dtype)}")
    return np.dtype(dtype)


def flag(name: str, thing: Any) -> bool:
    """True or False."""
    if not FLAG.fits(thing):
        raise refusal(TypeError, f"{name} is True or False; got a {type(thing).__name__}")
    return bool(thing)
