"""What an optimiser expects, checked when it is made: that is where the mistake is.

A wrong learning rate or an empty list of parameters trains nonsense in silence; each is refused with the allowed
range or the remedy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from tinygrad_edu.errors import label, refusal, words
from tinygrad_edu.inputs import constant
from tinygrad_edu.value import Value


def expect_parameters(params: Iterable[Value], kind: str) -> list[Value]:
    """The parameters as a list: at least one, Values that no operation made, each once."""
    if isinstance(params, Value):
        raise refusal(TypeError, f"{kind} takes a list of parameters: {kind}([w], ...) for a single one")
    if hasattr(params, "parameters"):
        raise refusal(TypeError, f"{kind} takes a list of parameters: use model.parameters()")
    if not isinstance(params, Iterable):
        raise refusal(TypeError, f"{kind} takes a list of parameters; got {type(params).__name__}")
    values = list(params)
    if not values:
        raise refusal(
            ValueError,
            f"{kind} was given no parameters: was a generator used before (it is empty the second time; make "
            f"a list of it), or has the model no Values in its attributes?",
        )
    places: dict[int, int] = {}
    for i, value in enumerate(values):
        expect_parameter(value, i)
        if places.setdefault(id(value), i) != i:
            raise refusal(ValueError, f"parameter {i} is parameter {places[id(value)]} again: give each once")
    return values


def expect_parameter(value: Value, i: int) -> None:
    """Refuse what is not a Value, and what an operation made."""
    if not isinstance(value, Value):
        raise refusal(TypeError, f"parameter {i} is a {type(value).__name__}, not a Value: wrap it, Value(x)")
    if value.op is not None:
        raise refusal(
            ValueError,
            f"parameter {i} is the result of {value.op.name}, and the next forward pass makes a new one: start "
            f"a parameter with Value(v.data)",
        )


def expect_number(name: str, number: Any, allowed: str) -> float:
    """A real number, also as an array of one without axes, as a Python float."""
    single = isinstance(number, np.ndarray) and number.ndim == 0 and number.dtype.kind in "fiu"
    if isinstance(number, bool) or not (isinstance(number, Real) or single):
        raise refusal(TypeError, f"{name} is a {type(number).__name__}; it must be {allowed}")
    try:
        return float(number)
    except OverflowError:  # an integer with more than 308 digits
        return math.inf


def expect_positive(name: str, number: Any) -> float:
    """A finite number above 0, as a Python float."""
    return expect_between(name, number, 0.0, math.inf, "a finite number above 0", least=False)


def expect_nonnegative(name: str, number: Any) -> float:
    """A finite number of at least 0, as a Python float."""
    return expect_between(name, number, 0.0, math.inf, "a finite number of at least 0")


def expect_fraction(name: str, number: Any) -> float:
    """A number in [0, 1), as a Python float."""
    return expect_between(name, number, 0.0, 1.0, "in [0, 1)")


def expect_between(name: str, number: Any, low: float, high: float, allowed: str, least: bool = True) -> float:
    """A number from `low` to below `high`; `least` says whether `low` itself is allowed."""
    found = expect_number(name, number, allowed.replace("in [", "a number in ["))
    if not low <= found < high or (found == low and not least):
        raise refusal(ValueError, f"{name} is {found}; it must be {allowed}")
    return found


def expect_betas(betas: Any) -> tuple[float, float]:
    """Two numbers in [0, 1)."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        got = f"{len(betas)} of them" if isinstance(betas, tuple | list) else f"a {type(betas).__name__}"
        raise refusal(TypeError, f"betas are two numbers in [0, 1), such as (0.9, 0.999); got {got}")
    return expect_fraction("betas[0]", betas[0]), expect_fraction("betas[1]", betas[1])


def expect_gradient(value: Value, i: int) -> Any:
    """The gradient of parameter i: real numbers, of the shape and dtype of its data."""
    if isinstance(value.grad, Value):
        raise refusal(TypeError, f"the gradient of parameter {i} is a Value: use its array, g.data")
    shape = np.shape(value.grad)
    wanted = np.shape(value.data)
    if shape != wanted:
        name = label(value, "no name")
        why = "it belongs to other data; call zero_grad() and backward() again"
        raise refusal(ValueError, f"parameter {i} ({name}) is {wanted}, its gradient {shape}: {why}")
    try:
        g = constant(value.grad)
    except TypeError as error:
        raise refusal(TypeError, f"the gradient of parameter {i}: {words(error)}") from None
    return g if isinstance(g, float) or g.dtype == value.data.dtype else g.astype(value.data.dtype)


def expect_state(own: Mapping[str, Any], given: Any, kind: str) -> dict[str, Any]:
    """The arrays of a state that fits another: the same names and shapes, real numbers."""
    if not isinstance(given, Mapping):
        raise refusal(TypeError, f"a state is a dict of arrays, from state_dict(); got {type(given).__name__}")
    faults = [f"{name!r} is missing" for name in own if name not in given]
    faults += [f"{name!r} is nothing that {kind} keeps here" for name in given if name not in own]
    arrays = {name: np.asarray(array) for name, array in given.items() if name in own}
    for name, array in arrays.items():
        if array.shape != np.shape(own[name]):
            faults.append(f"{name!r} is {np.shape(own[name])} here and {array.shape} in the state")
        elif array.dtype.kind not in "fiu":
            faults.append(f"{name!r} is {array.dtype}, not real numbers")
    if faults:
        raise refusal(ValueError, f"this state does not fit {kind}, which is unchanged: {'; '.join(faults)}")
    return arrays
