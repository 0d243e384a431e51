"""NumPy's RuntimeWarnings, told at the user's line instead of inside this package.

NumPy warns where a ufunc is called, which is no line of the user: `value.py` for an operation, a derivative rule for
a gradient. NumPy can be asked to call a function instead, `warn` here, which warns at the line of the user, who can
ignore, raise or filter it as before. But asking takes as long as an operation. So a backward pass asks as a whole,
and an operation only if NumPy has something to tell: `value.py` keeps no registry of warnings, so that Python turns
a warning there into an error, and `again` computes once more (docs/decisions, "Warnings at the user's line").
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from tinygrad_edu.errors import explained, user_frame, user_line

P = ParamSpec("P")
R = TypeVar("R")

NO_REGISTRY = ()
"""A module that has this as its `__warningregistry__`, where Python expects a dict or None, cannot be warned."""


def warn(place: str, trouble: str, flag: int) -> None:
    """What NumPy calls where it would warn."""
    text = f"{trouble} encountered in {place} ({user_line()})"
    warnings.warn(text, RuntimeWarning, stacklevel=user_frame()[1])


def telling(place: str, found: Mapping[str, Any]) -> np.errstate:
    """A block in which warnings name the user's line, and a place; what the user ignores or raises stays so.

    `found` are NumPy's settings so far, as `np.geterr()` gives them.
    """
    calls = {kind: "call" if how == "warn" else how for kind, how in found.items()}
    return np.errstate(call=partial(warn, place), **calls)  # type: ignore[arg-type]


def told_at_users_line(place: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the same function, whose RuntimeWarnings name a place, as "the gradient", and the user's line.

    It is for what takes long anyway: a whole backward pass, and operations that are written in several lines.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def around(*args: P.args, **kwargs: P.kwargs) -> R:
            found = np.geterr()
            if "warn" not in found.values():
                return function(*args, **kwargs)
            with telling(place, found):
                return function(*args, **kwargs)

        return around

    return decorate


def is_warning(error: Exception) -> bool:
    """Whether an error is a warning for a module without registry."""
    return type(error) is TypeError and error.args == ("'registry' must be a dict or None",)


def again(
    error: Exception, name: str, args: Sequence[Any], compute: Callable[..., Any], *inputs: Any, **options: Any
) -> Any:
    """The result of an operation that warned, told at the user's line now; or, if it failed, the refusal.

    The operation is called `name`, its operands are `args`; `compute(*inputs, **options)` is its result.
    """
    if not is_warning(error):
        raise explained(name, args, error) from None
    try:
        with telling(name, np.geterr()):
            return compute(*inputs, **options)
    except (TypeError, ValueError, IndexError) as failed:
        raise explained(name, args, failed) from None
    except Warning as warning:  # where the user's filters make errors of warnings
        raise warning from None
