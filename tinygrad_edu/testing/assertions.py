"""Assertions for tests of one's own: close numbers, two ways of writing one thing, linear and invariant functions.

The last three compare values and gradients at once, at arguments that hypothesis draws or that the test names. A
property holds for all arguments, so that it says what no example can.

Source: Claessen and Hughes, "QuickCheck" (2000), section 2, for properties in place of expected results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinygrad_edu.backward import backpropagate
from tinygrad_edu.inputs import plain
from tinygrad_edu.kinds import FUNCTION, NUMBER, POSITIVE, SEED, expecting, optional
from tinygrad_edu.testing.differences.comparing import Settings
from tinygrad_edu.testing.differences.numeric import Array
from tinygrad_edu.testing.frameworks import Answer, Call, Comparison, disagreements
from tinygrad_edu.testing.function import expect_choices, floating, slope, weighted
from tinygrad_edu.testing.report import GradientError, called
from tinygrad_edu.tree import flatten
from tinygrad_edu.value import Value

RELATIVE = {8: 1e-7, 4: 1e-5, 2: 1e-2}  # what `assert_close` allows, by the bytes of a number
ROUNDING = 16  # units of rounding of the largest number, which a sum may leave in a small one
EPS = float(np.finfo(float).eps)
FACTORS = (-0.7, 1.3)  # of the sum of `assert_linear`: a function that keeps signs or sizes is not linear


@expecting(rtol=optional(NUMBER), atol=optional(NUMBER))
def assert_close(actual: Any, expected: Any, *, rtol: float | None = None, atol: float | None = None) -> None:
    """Assert that numbers, arrays, Values or structures of them hold the same up to rounding.

    Parameters
    ----------
    actual, expected
        Numbers, arrays, Values, modules, and lists, tuples and dicts of them. Shapes have to be the same: nothing is
        broadcast. nan is equal to nan, and of Values the numbers are compared.
    rtol
        What is allowed relative to each expected entry; if None, 1e-7, for float32 1e-5, for float16 1e-2.
    atol
        What is allowed besides; if None, sixteen units of rounding of the largest expected entry.

    Raises
    ------
    AssertionError
        With the path and index of the entry that is farthest off, both numbers, and how many differ.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu import Value
    >>> from tinygrad_edu.testing import assert_close
    >>> assert_close({"w": Value([1.0, 2.0]), "b": 0.1 + 0.2}, {"w": np.array([1.0, 2.0]), "b": 0.3})
    """
    ours, theirs = (dict(flatten(structure)) for structure in (actual, expected))
    if ours.keys() != theirs.keys():
        missing, extra = sorted(theirs.keys() - ours.keys()), sorted(ours.keys() - theirs.keys())
        raise AssertionError(f"not the same structure: missing are {missing}, and not expected {extra}")
    if wrong := [said for path, leaf in ours.items() if (said := different(path, leaf, theirs[path], rtol, atol))]:
        raise AssertionError("\n".join(wrong))


def different(path: str, actual: Any, expected: Any, rtol: float | None, atol: float | None) -> str:
    """What to say of leaves that do not hold the same; nothing if they do."""
    x, y = np.asarray(plain(actual)), np.asarray(plain(expected))
    place = path or "the numbers"
    if x.shape != y.shape:
        return f"{place}: shape {x.shape}, expected {y.shape}"
    if not {x.dtype.kind, y.dtype.kind} <= set("fiub"):
        return "" if np.array_equal(x, y) else f"{place}: {x}, expected {y}"
    apart, allowed = gaps(x.astype(float), y.astype(float)), permitted(x, y, rtol, atol)
    wrong = apart > allowed
    if not wrong.any():
        return ""
    at = np.unravel_index(np.argmax(np.where(wrong, apart, -1.0)), x.shape)
    entry = f"[{', '.join(map(str, at))}]" if at else ""
    count = f"; {wrong.sum()} of {x.size} entries differ" if x.size > 1 else ""
    far = f"apart by {apart[at]:.3g}, allowed {allowed[at]:.3g}"
    return f"{place}{entry}: {x[at]:.10g}, expected {y[at]:.10g}; {far}{count}"


def gaps(x: Array, y: Array) -> Array:
    """How far entries are apart: 0 for two nans and for the same infinity, inf beside only one of them."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(x - y)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def permitted(x: Array, y: Array, rtol: float | None, atol: float | None) -> Array:
    """How far each entry may be off, by the less precise of two dtypes."""
    width = min(a.dtype.itemsize if a.dtype.kind == "f" else 8 for a in (x, y))
    size = np.abs(np.where(np.isfinite(y), y, 0.0))
    rounding = ROUNDING * float(np.finfo(f"f{width}").eps) * size.max(initial=0.0)
    return (RELATIVE[width] if rtol is None else rtol) * size + (rounding if atol is None else atol)


@expecting(f=FUNCTION, g=FUNCTION, rtol=POSITIVE, seed=SEED)
def assert_same_gradient(
    f: Callable[..., Any], g: Callable[..., Any], *args: Any, order: int = 1, rtol: float = 1e-6, seed: int = 0
) -> None:
    """Assert that two functions, two ways of writing one thing, have the same values and the same gradients.

    Parameters
    ----------
    f, g
        Functions of Values, of the same arguments; results may have any shape, or be structures.
    args
        The arguments: numbers, arrays, modules, and lists, tuples and dicts of them; they become float64.
    order
        2 compares the gradients of the gradients as well.
    rtol
        What is allowed, relative to the largest entry of an argument's gradient, and of the result.
    seed
        Of the cotangent, by which results with several entries are weighted.

    Raises
    ------
    GradientError
        With the entries of results and gradients that are not the same, the farthest apart first.
    TypeError
        If no argument is floating point.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import assert_same_gradient
    >>> x = np.array([-3.0, 0.5])
    >>> assert_same_gradient(lambda x: 1 / (1 + np.exp(-x)), lambda x: 0.5 + 0.5 * np.tanh(0.5 * x), x, order=2)
    """
    places, values, first = floating(f, args, purpose="compare")
    calls = {"f": first, "g": floating(g, args)[2]}
    expect_same(f"f = {called(f)}, g = {called(g)}", calls, places, values, order, rtol, seed)


@expecting(f=FUNCTION, rtol=POSITIVE, seed=SEED)
def assert_linear(f: Callable[..., Any], *args: Any, order: int = 1, rtol: float = 1e-6, seed: int = 0) -> None:
    """Assert that a function is linear in all of its arguments at once: f(a x + b y) = a f(x) + b f(y).

    Parameters
    ----------
    f
        A function of Values. Of several arguments in which it is linear one by one, as in a product, give one:
        `assert_linear(lambda w: x @ w, w)`.
    args, order, rtol, seed
        As for `assert_same_gradient`; y is drawn.

    Raises
    ------
    GradientError, TypeError
        As for `assert_same_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import assert_linear
    >>> assert_linear(lambda x: np.cumsum(x) - np.mean(x), np.array([0.5, 2.0]))
    """
    places, values, call = floating(f, args, purpose="compare")
    rng = np.random.default_rng(seed)
    others = [rng.normal(size=value.shape) for value in values]
    a, b = FACTORS

    def summed(xs: list[Any]) -> Any:
        return call([a * x + b * y for x, y in zip(xs, others, strict=True)])

    calls = {"f(ax + by)": summed, "a f(x) + b f(y)": lambda xs: a * call(xs) + b * call(others)}
    expect_same(f"{called(f)} is not linear", calls, places, values, order, rtol, seed)


@expecting(f=FUNCTION, change=FUNCTION, rtol=POSITIVE, seed=SEED)
def assert_invariant(
    f: Callable[..., Any],
    change: Callable[..., Any],
    *args: Any,
    order: int = 1,
    rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Assert that a change of its arguments changes neither what a function gives nor its gradient.

    Parameters
    ----------
    f
        A function of Values.
    change
        Takes the arguments of f, and gives what takes their place: for several a tuple. It is written with NumPy too,
        as the gradient goes through it.
    args, order, rtol, seed
        As for `assert_same_gradient`.

    Raises
    ------
    GradientError, TypeError
        As for `assert_same_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu import softmax
    >>> from tinygrad_edu.testing import assert_invariant
    >>> assert_invariant(softmax, lambda scores: scores + 3.0, np.array([0.5, 2.0, -1.0]))
    """

    def changed(*xs: Any) -> Any:
        given = change(*xs)
        return f(*given) if len(xs) > 1 else f(given)

    places, values, call = floating(f, args, purpose="compare")
    calls = {"f(x)": call, "f(change(x))": floating(changed, args)[2]}
    name = f"{called(f)} is not invariant under {called(change)}"
    expect_same(name, calls, places, values, order, rtol, seed)


def expect_same(
    name: str, calls: dict[str, Call], places: list[str], given: list[Array], order: int, rtol: float, seed: int
) -> None:
    """Refuse functions of a list of arrays that have not the same values and gradients, up to an order."""
    expect_choices(Settings(order))
    values = [np.asarray(value, dtype=float) for value in given]
    for level in range(order):
        answers = {label: answer(call, values, level, seed) for label, call in calls.items()}
        if found := disagreements(places, values, answers, rtol):
            raise GradientError(str(Comparison(name + ", in its gradient" * level, answers, {}, found)))


def answer(call: Call, values: list[Array], level: int, seed: int) -> Answer:
    """What a function gives, and its gradients; at level 1 those of a weighted sum of its gradients.

    What cancels leaves rounding: of the largest number on the way to the result, or back from it.
    """
    rng = np.random.default_rng(seed)
    out = np.asarray(plain(call([Value(value) for value in values])), dtype=float)
    scalar, _ = weighted(call, values, rng)
    for _ in range(level):
        scalar = slope(scalar, values, rng)
    variables = [Value(value) for value in values]
    total = scalar(variables)
    found = backpropagate(total, np.ones(())) if isinstance(total, Value) else {}
    gradients = [np.asarray(found.get(x, np.zeros_like(x.array))) for x in variables]
    forward, back = (np.asarray(ROUNDING * EPS * largest(met)) for met in ([x.array for x in found], found.values()))
    return Answer(out, gradients, [back] * len(values), forward)


def largest(arrays: Iterable[Any]) -> float:
    """The largest size of a finite number."""
    sizes = (np.abs(np.asarray(array)) for array in arrays)
    return max((float(np.max(size, where=np.isfinite(size), initial=0.0)) for size in sizes), default=0.0)
