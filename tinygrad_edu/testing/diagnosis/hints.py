"""What a wrong gradient suggests: the mistakes that people make, tried one after another.

A mistake is recognised by what it makes of the right gradient. Some are seen in the numbers: a sign, a factor,
a mean's 1/n, a transpose. Others need a question: is this the gradient of the sum, or of another argument; is it
right once the argument is no longer broadcast? The function is differenced again, with other weights, at other
arguments, or for another one: where that gives the wrong gradient too, it was the mistake.

Sources: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008),
for the right rules that these are mistakes in; Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2,
for the weights of a result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.backward import backpropagate, gradients, unbroadcast
from tinygrad_edu.inputs import plain
from tinygrad_edu.kinds import NUMBERS, WHOLE, expecting
from tinygrad_edu.testing.differences.numeric import STEP, Array, along, four_point, step_scale
from tinygrad_edu.value import Value

CLOSE = 1e-3  # near enough to name a mistake: differences are better, and other mistakes are farther off
SIGN = "the sign is flipped"
NONE = "no gradient arrives: a missing term, or a cut graph (.data, item())"
DOUBLE = "exactly double: counted twice, or a factor 2 too many"
HALF = "exactly half: a factor 2 is missing, as in d(x^2)/dx = 2x"
NO_NUMBER = "not finite: 0 * inf or 0 / 0 in the rule, or np.where with a branch that is not defined there"
AGREE = "they agree"
OR = "; or a factor is missing, as in the chain rule"
SMALL = 10  # a factor 1/3 may be missing anywhere, a factor 1/300 is a mean
SYMMETRIC = (
    "right for a symmetric argument, which f expects and moving one entry does not keep: check "
    "lambda a: f((a + a.T) / 2)"
)
UNKNOWN = "no simple factor: look at the formula itself"
SOFTMAX_RULE = "out * (g - sum(g * out))"
SOFTMAX = (
    "the right entries add up to 0 along axis {}, these do not: a softmax without its Jacobian? Its rule is "
    + SOFTMAX_RULE
)
NOTHING = np.zeros(0)


class Evidence(NamedTuple):
    """What is known of one argument whose gradient is wrong, and what can be computed to explain it."""

    k: int  # which of the arguments it is
    leaves: list[Array]  # all of them, in float64
    places: list[str]  # what they are called
    found: list[Array]  # their analytic gradients
    picked: Array = NOTHING  # the compared entries as flat indices
    numeric: Array = NOTHING  # their slopes by differences
    wrong: Array = NOTHING  # which of them failed
    call: Callable[[list[Any]], Any] | None = None  # the function of the list of arguments, if there is one
    cotangent: Any = None  # the weights of its result
    reach: Any = np.inf  # how far the arguments are from the nearest trouble

    @property
    def x(self) -> Array:
        """The argument in question."""
        return self.leaves[self.k]

    @property
    def analytic(self) -> Array:
        """The compared entries of its gradient."""
        return self.at(self.found[self.k])

    def at(self, gradient: Any) -> Array:
        """A whole gradient's compared entries."""
        return np.asarray(gradient, dtype=float).ravel()[self.picked]

    def slopes(self, cotangent: Any, leaves: list[Array], k: int) -> Array:
        """The compared entries of another gradient by differences: other weights, arguments, or position."""
        f: Any = self.call
        x = leaves[k]
        scalar = lambda moved: np.sum(plain(f([*leaves[:k], moved, *leaves[k + 1 :]])) * cotangent)
        indices = [tuple(map(int, np.unravel_index(i, x.shape))) for i in self.picked]
        steps = [STEP * float(step_scale(x[index], self.reach)) for index in indices]
        return np.array([four_point(along(scalar, x, i), h) for i, h in zip(indices, steps, strict=True)])

    def recorded(self, x: Array) -> tuple[Any, list[Value]]:
        """The weighted result with another array in place of the argument, and the Values of all arguments."""
        f: Any = self.call
        values = [Value(leaf) for leaf in [*self.leaves[: self.k], x, *self.leaves[self.k + 1 :]]]
        return np.sum(f(values) * self.cotangent), values


def diagnose(case: Evidence) -> str:
    """The most likely mistake behind a wrong gradient, in words; what is certain comes first."""
    if not np.all(np.isfinite(case.analytic)):
        return NO_NUMBER
    if not np.any(case.analytic):
        return NONE
    questions = QUESTIONS if case.call and not alike(case.analytic, case.numeric) else ()
    with np.errstate(all="ignore"):
        for suspicion in (*questions, of_a_factor, of_order, of_axes, of_a_softmax, of_a_constant, of_some):
            with suppress(Exception):  # the user's function may refuse other arguments
                text: str = suspicion(case)
                if text:
                    return text
    return UNKNOWN


def alike(a: Any, b: Any) -> bool:
    """Whether two gradients agree, as far as needed to tell mistakes apart."""
    return bool(np.max(np.abs(a - b), initial=0.0) <= CLOSE * np.max(np.abs(b), initial=0.0))


def ratio(analytic: float, numeric: float) -> float:
    """Analytic over numeric; inf where the numeric slope is 0."""
    return analytic / numeric if numeric else math.copysign(math.inf, analytic)


def factors(case: Evidence) -> dict[float, str]:
    """What a factor between analytic and numeric means, for the sizes at hand."""
    known = {-1.0: SIGN}
    for n, what in sizes(case).items():
        known.setdefault(float(n), f"{n} times too large: a mean's 1/n is missing; n = {n} is {what}")
        known.setdefault(1 / n, f"1/{n} of it: divided by n too often; n = {n} is {what}{OR * (2 < n < SMALL)}")
    for (i, m), (j, n) in permutations(enumerate(case.x.shape), 2):
        known.setdefault(m / n, f"divided by {n}, the length of axis {j}, instead of {m}, that of axis {i}")
    for factor, text in ((2.0, DOUBLE), (0.5, HALF)):
        known[factor] = f"{text}; or {known[factor]}" if factor in known else text
    return known


def sizes(case: Evidence) -> dict[int, str]:
    """The lengths of axes that a mean may divide by."""
    shapes = {case.places[case.k]: case.x.shape, "the result": np.shape(case.cotangent)}
    named = [(math.prod(shape), f"the size of {name}") for name, shape in shapes.items() if len(shape) != 1]
    for name, shape in shapes.items():
        named += [(n, f"the length of axis {axis} of {name}") for axis, n in enumerate(shape)]
    return {n: what for n, what in reversed(named) if n > 1}


def of_a_factor(case: Evidence) -> str:
    """One of the factors that mean something, everywhere."""
    for factor, text in factors(case).items():
        if alike(case.analytic, factor * case.numeric):
            return text
    return ""


def of_broadcasting(case: Evidence) -> str:
    """Right once the argument is no longer broadcast."""
    x = case.x
    shape = np.shape(case.cotangent)
    if x.shape == shape or np.broadcast_shapes(x.shape, shape) != shape:
        return ""
    lead = len(shape) - x.ndim
    axes = (*range(lead), *(lead + i for i, n in enumerate(x.shape) if n != shape[lead + i]))
    full: Array = gradients(*case.recorded(np.broadcast_to(x, shape).copy()))[case.k]
    if not alike(case.at(full.sum(axes).reshape(x.shape)), case.numeric):
        return ""
    names = f"axes {', '.join(map(str, axes))}" if len(axes) > 1 else f"axis {axes[0]}"
    return (
        f"wrong only where it is broadcast, from {x.shape} to {shape}: the gradient of a copied entry is the sum "
        f"over its copies, so sum over {names}"
    )


def of_the_sum(case: Evidence) -> str:
    """The gradient of the sum: the rule does not use g."""
    same = alike(case.analytic, case.slopes(1.0, case.leaves, case.k))
    return "this is the gradient of the sum: the rule forgets its cotangent, multiply by g" if same else ""


def of_a_missing_factor(case: Evidence) -> str:
    """The cotangent itself: the rule is only g."""
    same = np.shape(case.cotangent) == case.x.shape
    if same and alike(case.analytic, case.at(case.cotangent)):
        return "the cotangent is handed on as it came: the local derivative is missing"
    return ""


def of_an_operand(case: Evidence) -> str:
    """The gradient as if another argument, a square matrix, were transposed."""
    for j, other in enumerate(case.leaves):
        if j != case.k and other.ndim > 1 and other.shape[-1] == other.shape[-2]:
            turned = [*case.leaves[:j], other.mT, *case.leaves[j + 1 :]]
            if alike(case.analytic, case.slopes(case.cotangent, turned, case.k)):
                return f"right if {case.places[j]} were transposed: a .T is missing, or one too many, in the rule"
    return ""


def of_another(case: Evidence) -> str:
    """The gradient of another argument of the same shape."""
    for j, other in enumerate(case.leaves):
        same = j != case.k and other.shape == case.x.shape
        if same and alike(case.analytic, case.slopes(case.cotangent, case.leaves, j)):
            return f"this is the gradient of {case.places[j]}: are the arguments, or their rules, swapped?"
    return ""


def of_sharing(case: Evidence) -> str:
    """Only one of several uses of the argument, or one of them twice."""
    out, values = case.recorded(case.x)
    x = values[case.k]
    found = backpropagate(out, np.float64(1.0))
    uses: list[Any] = [(node, i) for node in found for i, arg in enumerate(node.args) if arg is x]
    for node, i in uses if len(uses) > 1 else []:
        share = case.at(
            unbroadcast(np.asarray(node.op.pullbacks[i](found[node], *node.saved, **node.options)), x.array)
        )
        use = f"its use in {node.op.name}, one of {len(uses)}, is"
        if alike(case.analytic, share):
            return f"{use} all that counts: gradients of every use add up, += and not ="
        if alike(case.analytic, case.numeric + share):
            return f"{use} counted twice: a shared node adds up the gradient of each use once"
    return ""


def of_order(case: Evidence) -> str:
    """The right numbers at the wrong places: transposed, reversed."""
    g = np.asarray(case.found[case.k], dtype=float)
    shape = case.x.shape
    if g.ndim > 1 and alike(case.at(g.reshape(*shape[:-2], shape[-1], shape[-2]).mT), case.numeric):
        square = shape[-1] == shape[-2]
        return "transposed: the right numbers, rows and columns exchanged" if square else (
            f"the right numbers in the wrong order: a reshape to {shape} where .T was meant"
        )  # fmt: skip
    if g.ndim == 2 and shape[0] == shape[1] and len(case.picked) == g.size:
        right = case.numeric[np.argsort(case.picked)].reshape(shape)
        if alike(g + g.T, right + right.T):
            return SYMMETRIC
    for axis in range(g.ndim):
        if alike(case.at(np.flip(g, axis)), case.numeric):
            return f"reversed along axis {axis}: the right numbers from back to front"
    return ""


def whole(case: Evidence) -> tuple[Array, Array] | None:
    """The gradient and the right one, if every entry of an array with axes was compared."""
    shape = case.x.shape
    if not shape or len(case.picked) != case.x.size:
        return None
    right = case.numeric[np.argsort(case.picked)].reshape(shape)
    return np.asarray(case.found[case.k], dtype=float), right


def add_up_to_0(g: Array, axis: int | None) -> bool:
    """Whether entries of both signs add up to 0 along an axis, or all of them."""
    total, size = np.sum(g, axis), np.sum(np.abs(g), axis)
    return bool(np.all(np.abs(total) <= CLOSE * size)) and bool(np.any(size))


def of_axes(case: Evidence) -> str:
    """Entries that add up to 0 along another axis than the right ones do."""
    mine, right = whole(case) or (NOTHING, NOTHING)
    axes = [axis for axis in range(mine.ndim) if mine.shape[axis] > 1] if mine.ndim > 1 else []
    for a, b in permutations(axes, 2):
        if add_up_to_0(right, a) and add_up_to_0(mine, b) and not add_up_to_0(mine, a):
            return f"normalised over axis {b}, not over axis {a}: the right entries add up to 0 along axis {a}"
    return ""


def of_a_known_softmax(case: Evidence) -> str:
    """A function that is a softmax, by its result and its gradient: over which axis a rule adds up, if over any."""
    mine, right = whole(case) or (NOTHING, NOTHING)
    f: Any = case.call
    out = np.asarray(plain(f(list(map(Value, case.leaves)))), dtype=float)
    g = np.asarray(case.cotangent)
    rules = {axis: out * (g - np.sum(g * out, axis, keepdims=True)) for axis in range(mine.ndim)}
    axis = next((a for a, rule in rules.items() if alike(rule, right)), None)
    if axis is None or np.shape(out) != mine.shape:
        return ""
    if any(alike(mine, wrong) for wrong in (out * g, out * g * (1 - out))):
        return SOFTMAX.format(axis)
    found = next((a for a, rule in rules.items() if alike(mine, rule)), axis)
    return f"a softmax whose rule adds up over axis {found}, not over axis {axis}: {SOFTMAX_RULE}" * (found != axis)


def of_a_softmax(case: Evidence) -> str:
    """out * g in place of out * (g - sum(g * out)): what is too much has one sign, as the shares have."""
    mine, right = whole(case) or (NOTHING, NOTHING)
    for axis in [*range(mine.ndim)][::-1]:
        rest = mine - right
        one_sign = np.all(np.abs(np.sum(np.sign(rest), axis)) == mine.shape[axis])
        if mine.shape[axis] > 2 and one_sign and add_up_to_0(right, axis) and not add_up_to_0(mine, axis):
            return SOFTMAX.format(axis)
    return ""


def of_a_constant(case: Evidence) -> str:
    """One factor everywhere, which no size explains."""
    if np.size(case.numeric) < 3 or np.any(case.numeric == 0):
        return ""
    r = case.analytic / case.numeric
    middle = float(np.median(r))
    near = np.ptp(r) <= 0.1 * abs(middle - 1) and abs(middle) > CLOSE
    return f"the same factor {middle:.10g} in all entries: a constant in the formula is wrong" if near else ""


def of_some(case: Evidence) -> str:
    """Some entries wrong and others right: which, and in what way."""
    bad = case.wrong
    if np.all(bad) or not np.any(bad):
        return ""
    places = [f"[{', '.join(map(str, np.unravel_index(i, case.x.shape)))}]" for i in case.picked[bad]]
    negative = (case.at(case.x) < 0) & (np.abs(case.numeric) + np.abs(case.analytic) > 0)
    where = ", ".join(places[:3]) + (", ..." if len(places) > 3 else "")
    if np.sum(negative) > 1 and np.all(bad == negative):
        where = "where the argument is negative"
    a = case.analytic[bad]
    n = case.numeric[bad]
    reasons = {0.0: "no gradient arrives there, as with = for += at repeated indices", -1.0: "with the sign flipped"}
    known = [text for factor, text in reasons.items() if alike(a, factor * n)] if np.any(a) else [reasons[0.0]]
    if not known and len(a) > 1 and np.all(n) and np.ptp(a / n) <= CLOSE * abs(np.median(a / n)):
        known = [f"all of them by the factor {np.median(a / n):.6g}"]
    text = f"wrong in {np.count_nonzero(bad)} of {bad.size} compared entries only: {where}"
    return f"{text}; {known[0]}" if known else text


QUESTIONS = (
    of_a_known_softmax, of_broadcasting, of_the_sum, of_a_missing_factor, of_an_operand, of_another, of_sharing
)  # fmt: skip


@expecting(analytic=NUMBERS, numeric=NUMBERS, size=WHOLE)
def hint(analytic: Any, numeric: Any, size: int = 1) -> str:
    """What a wrong gradient suggests, yours beside the right one, such as that of `numeric_gradient`.

    Where no factor is recognised, the text says where to look. Two that agree to three digits are said to agree.

    Parameters
    ----------
    analytic, numeric
        The gradient as the rule gives it, and by differences: two slopes, or two arrays.
    size
        The number of entries of the argument, for single slopes.

    Examples
    --------
    >>> from tinygrad_edu.testing import hint
    >>> hint(3.0, 6.0)
    'exactly half: a factor 2 is missing, as in d(x^2)/dx = 2x'
    """
    if np.ndim(analytic) or np.ndim(numeric):
        return of_arrays(np.asarray(analytic, dtype=float), np.asarray(numeric, dtype=float))
    return AGREE if alike(float(analytic), float(numeric)) else of_slopes(float(analytic), float(numeric), size)


def of_slopes(analytic: float, numeric: float, size: int = 1) -> str:
    """What two slopes suggest of which one is wrong, however little they differ."""
    if not math.isfinite(analytic):
        return NO_NUMBER
    known = {-1.0: SIGN, 0.0: NONE, 2.0: DOUBLE, 0.5: HALF}
    if size > 2:
        known |= {
            float(size): f"{size} times too large: a mean's 1/n is missing",
            1 / size: f"1/{size} of it: divided by n too often",
        }
    r = ratio(analytic, numeric)
    close = [text for value, text in known.items() if abs(r - value) <= CLOSE * max(abs(value), CLOSE)]
    return close[0] if close else f"{UNKNOWN}, or at swapped arguments"


def of_arrays(mine: Array, right: Array) -> str:
    """What two gradients suggest, with nothing else known."""
    if mine.shape != right.shape:
        return f"the shapes differ: {mine.shape}, and {right.shape}; a gradient has the shape of its argument"
    if not right.size or alike(mine, right):
        return AGREE
    wrong = np.ravel(np.abs(mine - right) > CLOSE * np.max(np.abs(right), initial=0.0))
    entries = np.arange(right.size)
    return diagnose(Evidence(0, [np.zeros_like(right)], ["the argument"], [mine], entries, np.ravel(right), wrong))
