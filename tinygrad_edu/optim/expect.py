"""What an optimiser expects, checked when it is made: that is where the mistake is.

A wrong learning rate or an empty list of parameters trains nonsense in silence; each is refused with the allowed
range or the remedy.
"""

from __future__ import annotations

import math

from tinygrad_edu.errors import user_line
from tinygrad_edu.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def expect_parameters(params: Iterable[Value], kind: str) -> list[Value]:
    """The parameters as a list: at least one, Values that no operation made, each once."""
    if isinstance(params, Value):
        raise TypeError(f"{kind} takes a list of parameters: {kind}([w], ...) for a single one ({user_line()})")
    if hasattr(params, "parameters"):
        raise TypeError(f"{kind} takes a list of parameters: use model.parameters() ({user_line()})")
    values = list(params)
    if not values:
        raise ValueError(
            f"{kind} was given no parameters: was a generator used before (it is empty the second time; make "
            f"a list of it), or has the model no Values in its attributes? ({user_line()})"
        )
    places: dict[int, int] = {}
    for i, value in enumerate(values):
        expect_parameter(value, i)
        if places.setdefault(id(value), i) != i:
            raise ValueError(f"parameter {i} is parameter {places[id(value)]} again: give each once ({user_line()})")
    return values


def expect_parameter(value: Value, i: int) -> None:
    """Refuse what is not a Value, and what an operation made."""
    if not isinstance(value, Value):
        raise TypeError(f"parameter {i} is a {type(value).__name__}, not a Value: wrap it, Value(x) ({user_line()})")
    if value.op is not None:
        raise ValueError(
            f"parameter {i} is the result of {value.op.name}, and the next forward pass makes a new one: start "
            f"a parameter with Value(v.data) ({user_line()})"
        )


def expect_positive(name: str, number: float) -> float:
    """A finite number above 0, as a Python float."""
    number = float(number)
    if not 0.0 < number < math.inf:
        raise ValueError(f"{name} is {number}; it must be a finite number above 0 ({user_line()})")
    return number


def expect_fraction(name: str, number: float) -> float:
    """A number in [0, 1), as a Python float."""
    number = float(number)
    if not 0.0 <= number < 1.0:
        raise ValueError(f"{name} is {number}; it must be in [0, 1) ({user_line()})")
    return number


def expect_nonnegative(name: str, number: float) -> float:
    """A finite number of at least 0, as a Python float."""
    number = float(number)
    if not 0.0 <= number < math.inf:
        raise ValueError(f"{name} is {number}; it must be a finite number of at least 0 ({user_line()})")
    return number
