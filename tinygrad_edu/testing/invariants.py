"""What every gradient has to satisfy besides its slopes: one list, and one runner.

`INVARIANTS` is the list. An entry has a name, a function that looks at one recorded call and says what is broken,
and whether it holds for operations only. Most apply to any function, at the price of a few backward passes; some
apply only to an operation of the table, whose entry says which function it has to equal, and where it may be called.
To add an invariant, write such a function and enter it at the end of this file: `check_gradients`, `check_op`,
`check_module`, `gradient_test`, `te.custom` and the pytest plugin then all check it.

Sources: Radul et al., "You only linearize once" (2023), for the contract of a pullback: linear, without side effects;
White et al., "ChainRulesTestUtils" (2021), for most of what is asked of an operation.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backward import backpropagate, gradients, unbroadcast, vjps
from tinygrad_edu.graph import Node, next_number, toposort
from tinygrad_edu.inputs import plain
from tinygrad_edu.notes import verified, verify
from tinygrad_edu.table import OPERATIONS
from tinygrad_edu.testing.arguments import Entry, caller, holding, intervals, moved_axes, read_only, strided, turned
from tinygrad_edu.testing.differences.inside import Rounded
from tinygrad_edu.testing.differences.judging import GRAIN
from tinygrad_edu.testing.differences.numeric import EPS, Array
from tinygrad_edu.testing.report import INCONCLUSIVE, Finding, condition
from tinygrad_edu.transforms import jvp
from tinygrad_edu.tree import leaves
from tinygrad_edu.value import Value, apply

SLACK = 64  # roundings: a rule is linear but for a few dozen of them, in the largest entry
DIGITS = 0.6  # eps ** 0.6 is 4e-10: another order of sums in a whole graph may cost that much, a fault costs more
ORDERED = 1e-11  # another layout sums in another order, in one operation
NARROW = {np.float32: 2e-4, np.float16: 5e-2}  # of 6e-8 and 5e-4; a rule may lose digits, a wrong one is farther off
FORWARD = 1e-9  # forward and reverse compute the same sums in another order
LAST_BITS = {"rtol": 4 * EPS, "atol": 0.0}
OPERANDS = 4  # of one operation: rules of an operation with more, such as stack, are alike

RANDOM = (
    "two calls with the same arguments give different results, so there is nothing to difference: f draws random "
    "numbers or keeps a state. Make the generator inside f, rng = np.random.default_rng(0); for a network with "
    "dropout use check_module"
)
CHANGED = "f changes its arguments in place: work on a copy"
IN_BACKWARD = "the backward pass changes the arguments in place: a rule works on what it was given"
OVERWRITTEN = "the rule changes its incoming gradient: write g * x, not g *= x"
SHARED = "gradients share memory with each other, with the arguments or with the cotangent: return a new array"
LATER = "the gradient changes later: return a new array every time"
AGAIN = (
    "the same cotangent gives another gradient the second time: a rule draws random numbers, or keeps a "
    "state such as the arguments of the last call"
)
SCALED = "-2 times the cotangent does not give -2 times the gradient: a rule is g times something"
LAYOUT = "the result or the gradient changes with the layout in memory: a ravel or reshape with order='K' or 'A'?"
TWICE = "one variable in two places does not have the sum of both gradients: f(x, x) needs df/dx + df/dy"

ALONE = (
    "a variable beside constants has another gradient than beside variables: does a rule use what another one left, "
    "or f ask whether its argument is a Value?"
)
STATE = "two calls with the same arguments give different gradients: f draws random numbers, or a rule keeps a state"
ADDED = "two uses of the same variables do not give twice the gradient: is the `add` of an entry wrong?"
CUT = "the derivative of a gradient does not go on through g, as after g.data or plain(g)"

BY_A_RULE = {
    "memory": "hands out the same array every time: return a new one",
    "zero": "gives something else than 0 for a gradient of 0",
    "linear": "hides a nan in the gradient: it is g times something, and nan times something is nan",
}
SCALES = {8: (30, -30, 200, -200), 4: (30, -30), 2: (3, -3)}  # powers of 2, by the bytes of a dtype: 1e9 and 1e-9
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "in Fortran's order": lambda a: np.asarray(a, order="F"),  # asfortranarray gives numbers an axis
    "read-only": read_only,
    "with a negative stride": turned,
    "strided": strided,
    "with moved axes": moved_axes,
}


class Passes(NamedTuple):
    """What two more backward passes give."""

    again: list[Array]  # the gradients for the same cotangent
    doubled: list[Array]  # those for -2 times that
    overwritten: bool  # whether a pass changed its cotangent
    changed: bool  # whether it changed the gradients of an earlier one


class Call(NamedTuple):
    """One recorded call whose gradient is checked."""

    f: Callable[[list[Any]], Any]  # takes a list of arguments, all of them floating point
    arrays: list[Array]  # these arguments
    variables: list[Value]  # the same as Values, those of the recorded call
    out: Value  # its result
    cotangent: Array  # the gradient of the result, from which the backward pass starts
    found: list[Array]  # the gradients, as `backward()` leaves them
    passes: Passes
    rules: dict[str, str]  # what rules do that they must not, called by themselves; by the name of the invariant
    given: list[Array]  # every array among what the user gave
    before: list[Array]  # copies of these from before the first call
    entry: Entry | None  # which operation was called; None for any other function


class Invariant(NamedTuple):
    """One thing that holds for every gradient."""

    name: str  # what a finding about it is called
    broken: Callable[[Any], str | None]  # words, empty if all is well; None if this `Call` does not show it
    of_operations: bool = False  # whether it is for operations of the table only: it is given their `Entry` then


def check_invariants(
    f: Callable[[list[Any]], Any], arrays: list[Array], args: Any, cotangent: Array, entry: Entry | None = None
) -> tuple[list[Finding], list[Array]]:
    """The findings about everything but slopes, and the gradients; none of these if f cannot be differenced."""
    given = [leaf for leaf in map(plain, leaves(args)) if isinstance(leaf, np.ndarray)]
    before = [leaf.copy() for leaf in given]
    since = next_number()
    variables = [holding(leaf) for leaf in arrays]
    with np.errstate(all="ignore"), verified():
        first = plain(f([Value(leaf) for leaf in arrays]))
        out = f(variables)
        if not all(map(same, given, before)):
            return [condition("arguments", False, CHANGED)], []
        if not same(first, plain(out)):
            return [condition("repeated", False, RANDOM, INCONCLUSIVE)], []
        if not isinstance(out, Value):
            return [], [np.zeros_like(leaf) for leaf in arrays]
        if words := refilled(out):
            return [condition("constants", False, words)], []
        rules = of_rules(out)
        if "rule" in rules:
            return [condition("rule", False, rules["rule"])], []
        start = np.asarray(cotangent, dtype=out.dtype)
        found = recorded_by(out, start, variables, since)
        with suppress(Exception):  # a rule must not remember the last arguments; f may refuse others
            others = [Value(leaf * (1 - 1 / 64)) for leaf in arrays]
            vjps(f(others), start.copy(), others)
        if words := refilled(out):  # before any rule is accused
            return [condition("constants", False, f"f changes an array that it has computed with: {words}")], []
        passes = two_passes(out, start, variables)
    return findings(Call(f, arrays, variables, out, start, found, passes, rules, given, before, entry)), found


def refilled(*outs: Any) -> str:
    """What to say of the first operation whose constants have changed since it was computed, if there is one."""
    try:
        verify(toposort(*outs))
    except ValueError as error:
        return errors.words(error)
    return ""


def recorded_by(out: Value, cotangent: Array, variables: list[Value], since: int) -> list[Array]:
    """The gradients as `backward()` leaves them; what f uses from outside, such as parameters, keeps its own."""
    outside = [(node, node.gradient) for node in toposort(out) if node.number < since]
    out.backward(cotangent)
    for node, gradient in outside:
        node.gradient = gradient
    return [np.zeros_like(x.array) if x.grad is None else x.grad for x in variables]


def two_passes(out: Value, cotangent: Array, variables: list[Value]) -> Passes:
    """Two more backward passes, and what the first of them leaves behind."""
    seed = cotangent.copy()
    zeros = {x: np.zeros_like(x.array) for x in variables}  # without vjps, which copies what a rule hands out
    again = list(map((zeros | backpropagate(out, seed)).__getitem__, variables))
    copies = [np.array(g) for g in again]
    doubled = vjps(out, -2 * cotangent, variables)
    return Passes(copies, doubled, not same(seed, cotangent), not all(map(same, again, copies)))


def findings(call: Call) -> list[Finding]:
    """One finding for every invariant that applies to a call and can be asked of it."""
    found = []
    for invariant in INVARIANTS:
        if invariant.of_operations:  # it was called inside of its domain, where nothing overflows
            text = invariant.broken(call.entry) if call.entry else None
        else:
            with np.errstate(all="ignore"):
                text = invariant.broken(call)
        if text is not None:
            found.append(condition(invariant.name, not text, text))
    return found


# -- how two arrays are compared ----------------------------------------------------------------------------


def same(a: Any, b: Any) -> bool:
    """Whether two arrays are the same, bit by bit."""
    return np.shape(a) == np.shape(b) and bool(np.all((a == b) | ((a != a) & (b != b))))


def close(a: Any, b: Any, size: Any, by: float = 1.0) -> bool:
    """Whether two gradients agree to 64 eps of the largest entry, where they are finite, and their size is.

    Numbers below the normal ones lose their digits, or all of themselves, before they are multiplied `by` a number.
    """
    kind = np.finfo(np.asarray(size).dtype)
    limit = SLACK * kind.eps * np.max(np.abs(finite(size)), initial=0.0) + kind.tiny * max(1.0, by)
    return apart(np.where(np.isfinite(size), a, np.nan), b) <= float(limit)


def alike(a: Any, b: Any, sizes: list[Any]) -> bool:
    """Whether two arrays agree but for rounding, relative to the largest entry of some; where they are finite."""
    largest = max(float(np.max(np.abs(finite(size)), initial=0.0)) for size in sizes)
    eps = float(np.finfo(np.asarray(b).dtype).eps)
    return bool(apart(a, b) <= eps**DIGITS * largest)


def same_sums(call: Call, arrays: list[Array], found: list[Any], expected: list[Any]) -> bool:
    """Whether the gradients at some arguments are the expected ones, but for the order in which they are added up."""
    if all(alike(a, b, [b]) for a, b in zip(found, expected, strict=True)):
        return True
    near = Rounded(lambda values: (call.f(values) * call.cotangent).sum(), arrays).near
    moved = max(float(np.max(np.abs(finite(g)), initial=0.0)) for _, gs in near for g in gs)
    return all(apart(a, b) <= 2 * GRAIN * moved for a, b in zip(found, expected, strict=True))


def apart(a: Any, b: Any) -> float:
    """The largest difference of two arrays, where both are finite."""
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.max(np.abs(np.where(both, a, 0) - np.where(both, b, 0)), initial=0.0))


def finite(a: Any) -> Any:
    """The finite entries, and 0 for the others."""
    return np.where(np.isfinite(a), a, 0)


# -- what holds for any function ----------------------------------------------------------------------------


def memory(call: Call) -> str:
    """Gradients are arrays of their own."""
    pairs = [*combinations([*call.found, call.cotangent], 2), *product(call.found, call.given)]
    shared = any(np.may_share_memory(a, b) and np.shares_memory(a, b) for a, b in pairs)
    return call.rules.get("memory") or SHARED * shared


def kind(call: Call) -> str:
    """Gradients have the shapes and dtypes of the arguments."""
    wrong = [
        f"{g.dtype} {g.shape} for {x.dtype} {x.shape}"
        for g, x in zip(call.found, call.variables, strict=True)
        if (g.dtype, g.shape) != (x.dtype, x.shape)
    ]
    return f"a gradient is {', '.join(wrong)}" if wrong else ""


def repeated(call: Call) -> str:
    """The same cotangent gives the same gradient."""
    return "" if all(map(same, call.passes.again, call.found)) else AGAIN


def cotangent(call: Call) -> str | None:
    """The backward pass leaves its cotangent as it was."""
    return None if call.rules.get("in place") else OVERWRITTEN * call.passes.overwritten


def later(call: Call) -> str:
    """Gradients do not change when others are computed."""
    return LATER * call.passes.changed


def linear(call: Call) -> str:
    """-2 times the cotangent gives -2 times the gradient; each rule adds up, too."""
    scaled = all(close(d, -2 * g, g) for d, g in zip(call.passes.doubled, call.found, strict=True))
    return call.rules.get("linear") or SCALED * (not scaled and not repeated(call))


def layout(call: Call) -> str | None:
    """The same numbers, back to front and column by column in memory, give the same result and gradients."""
    if not any(a.ndim for a in call.arrays):
        return None
    if "layout" in call.rules:
        return call.rules["layout"]
    variables = [holding(np.flip(np.asfortranarray(np.flip(a))) if a.ndim else a) for a in call.arrays]
    with suppress(Exception):  # f may insist on a layout
        out = call.f(variables)
        if same(plain(out), call.out.array):
            found = vjps(out, call.cotangent.copy(), variables)
            return LAYOUT * (not same_sums(call, call.arrays, found, call.found))
        # rounding, or worse: then small changes do not matter as much
        near = plain(call.f([Value(a * (1 + 4 * np.finfo(a.dtype).eps)) for a in call.arrays]))
        first = call.out.array
        third = plain(out)
        kept = np.shape(third) == first.shape and any(alike(third, b, [b]) for b in (first, near))
        return LAYOUT * (not kept and alike(near, first, [first]))
    return None


def alone(call: Call) -> str | None:
    """Each variable has the same gradient beside constants, but for ties, which are others a little farther."""
    if len(call.arrays) < 2:
        return None
    rng = np.random.default_rng(0)
    moved = [a + np.asarray(1e-3 * rng.normal(size=a.shape) * (1 + np.abs(a)), a.dtype) for a in call.arrays]
    try:
        there = together(call, moved)
        wrong = [k for k, g in enumerate(call.found) if not by_itself(call, k, call.arrays, g, moved)]
        return ALONE * any(not by_itself(call, k, moved, there[k], call.arrays) for k in wrong)
    except Exception:  # f may want Values, or not be defined there; an operation takes what it is given
        return None


def together(call: Call, arrays: list[Array]) -> list[Array]:
    """The gradients of all arguments elsewhere."""
    variables = [Value(a) for a in arrays]
    return vjps(call.f(variables), call.cotangent.copy(), variables)


def by_itself(call: Call, k: int, arrays: list[Array], g: Any, before: list[Array]) -> bool:
    """Whether an argument's gradient is g if it is the only variable, though rules may have kept what was before."""
    together(call, before)
    x = Value(arrays[k])
    out = call.f([x if i == k else a for i, a in enumerate(arrays)])
    (found,) = vjps(out, call.cotangent.copy(), [x])
    return alike(found, g, [g])


def added(call: Call) -> str | None:
    """Two uses of every variable give twice the gradient."""
    if call.rules.get("in place"):
        return None
    variables = [Value(a) for a in call.arrays]
    found = vjps(call.f(variables) + call.f(variables), call.cotangent.copy(), variables)
    if same_sums(call, call.arrays, found, [2 * g for g in call.found]):
        return ""
    again = vjps(call.f(variables), call.cotangent.copy(), variables)
    return ADDED if all(map(same, again, call.found)) else STATE


def twice(call: Call) -> str | None:
    """One variable in place of the first two arguments of one shape, or of all such, has the sum of the gradients."""
    kinds = [(x.shape, x.dtype) for x in call.variables]
    first = next((i for i, one in enumerate(kinds) if kinds.count(one) > 1), None)
    if first is None:
        return None
    every = [i for i, one in enumerate(kinds) if one == kinds[first]]
    texts = []
    for places in (every[:2], every) if len(every) > 2 else (every,):
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                texts.append(TWICE * (not adds_up(call, places)))
        except Exception:  # f may not be defined there; an operation is
            if call.entry:
                raise
    return max(texts, default=None)


def adds_up(call: Call, places: list[int]) -> bool:
    """Whether one variable in some places has the sum of the gradients of variables that are equal there."""
    data = [call.arrays[places[0]] if k in places else a for k, a in enumerate(call.arrays)]
    several = [Value(np.array(a)) for a in data]
    shared = [Value(a) for a in data]
    for k in places:
        shared[k] = shared[places[0]]
    parts = vjps(call.f(several), call.cotangent.copy(), [several[k] for k in places])
    (once,) = vjps(call.f(shared), call.cotangent.copy(), [shared[places[0]]])
    total = sum(parts[1:], start=parts[0])
    if call.entry:  # nothing but one sum is between them
        return bool(np.allclose(once, total, rtol=1e-14, atol=1e-14, equal_nan=True))
    return alike(once, total, parts) or same_sums(call, data, [once], [total])


def unchanged(call: Call) -> str:
    """The backward pass leaves the arguments as they were."""
    return "" if all(map(same, call.given, call.before)) else IN_BACKWARD


# -- each rule behind a result, called by itself ------------------------------------------------------------


def of_rules(out: Node) -> dict[str, str]:
    """Every kind of rule behind a result, once: it writes to nothing, is linear, and 0 for 0; what is not, by name.

    They are called with arrays that cannot be written to: so whatever a rule does in place is seen, however deep in
    the graph.
    """
    rng = np.random.default_rng(0)
    broken = dict[str, str]()
    known = set()
    for node in toposort(out):
        key = (node.op, tuple(getattr(a, "shape", ()) for a in node.saved), tuple(node.options))
        if node.op is None or key in known:
            continue
        known.add(key)
        for i, parent in enumerate(node.args[:OPERANDS]):
            if isinstance(parent, Node):
                broken |= of_rule(node, i, rng)
    return broken


def of_rule(node: Any, i: int, rng: np.random.Generator) -> dict[str, str]:
    """What one rule does that it must not."""
    inputs = tuple(map(read_only, node.saved))
    dtype = node.saved[0].dtype
    u, v = (np.asarray(rng.normal(size=np.shape(node.saved[0])), dtype)[()] for _ in range(2))
    rule: Any = lambda g: node.op.pullbacks[i](read_only(np.asarray(g, dtype)[()]), *inputs, **node.options)
    name = f"the rule of {node.op.name} for argument {i}"
    try:
        first, other, none, nan = rule(u), rule(v), rule(0 * u), rule(np.nan * u)
        turned_around = rule(np.asfortranarray(turned(u)) if np.ndim(u) else u)
        if text := misfit(first, node.saved[i + 1]):
            return {"rule": f"{name} {text}"}
        where = bent(rule, u, first)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        return {"in place": f"{name} writes to its incoming gradient or its arguments: write g * x, not g *= x"}
    if changes(node, i, u, [np.array(a) for a in node.saved]):
        return {"in place": f"{name} changes its result or its arguments: work on copies"}
    known = np.isfinite(first)
    broken = {
        "memory": isinstance(first, np.ndarray) and np.shares_memory(first, other),
        "zero": np.any(np.where(known, none, 0)),
        "linear": np.any(known & (first != 0) & ~np.isnan(nan)),
    }
    texts = {invariant: f"{name} {BY_A_RULE[invariant]}" for invariant, is_broken in broken.items() if is_broken}
    if not close(turned_around, first, first):
        texts["layout"] = f"{name} gives another gradient for the same g in another layout: ravel with order='K'?"
    bent_words = {"linear": f"{name} is not linear in the gradient: it is g times something; {where}"}
    return texts | (bent_words if where else {})


def changes(node: Any, i: int, u: Any, copies: list[Array]) -> bool:
    """Whether a rule writes to arrays that it may write to."""
    node.op.pullbacks[i](np.array(u)[()], *(a[()] for a in copies), **node.options)
    return not all(map(same, copies, node.saved))


def bent(rule: Any, u: Any, first: Any) -> str:
    """For which cotangent a rule is not linear; empty if there is none. `first` is what it gives for a random u."""
    parts = special_cotangents(u)
    shares = {name: rule(part) for name, part in parts.items()}
    coarse = max((u.dtype, np.asarray(first).dtype), key=lambda kind: float(np.finfo(kind).eps))
    size = sum(np.abs(share) for share in shares.values()).astype(coarse)  # the cotangents were rounded to it
    if not close(sum(shares.values()), first, size):
        other = (name for name in parts if not close(shares[name], rule(parts[name] + u) - first, size))
        return f"seen where g is {next(other, 'a sum')}"
    for power in SCALES.get(u.dtype.itemsize, ()):
        scaled = np.asarray(rule(np.ldexp(u, power)))
        with np.errstate(all="ignore"):
            if not close(scaled, np.ldexp(first, power), np.ldexp(size, power), 2.0**power):
                return f"seen where g is of the size of {2.0**power:.0e}"
    return ""


def special_cotangents(u: Any) -> dict[str, Any]:
    """Cotangents of kinds that are easy to treat specially, and a rest: they add up to u."""
    some = np.arange(np.size(u)).reshape(np.shape(u))
    found = {
        "all ones": np.ones_like(u),
        "-1 everywhere": -np.ones_like(u),
        "all equal": np.full_like(u, 0.375),
        "positive": np.abs(u),
        "negative": -np.abs(u) * 0.75,
        "of whole numbers": np.rint(3 * u),
        "0 in places": np.where(some % 2, 0.0, u),
        "one hot": np.where(some == np.size(u) // 2, 1.5, 0.0),
        "small": u * 1e-3,
    }
    found = {name: np.asarray(part, u.dtype)[()] for name, part in found.items()}
    return found | {"any": u - sum(found.values())}


def misfit(result: Any, x: Any) -> str:
    """What is wrong with the kind or the shape of what a rule gives for x; empty if it fits."""
    if not hasattr(result, "dtype"):
        return f"gives {result!r:.80}, not an array: write it with g, as g * 2.0"
    with suppress(Exception):
        if unbroadcast(result, x).shape == x.shape:
            return ""
    return f"gives the shape {result.shape} for an argument of the shape {x.shape}"


# -- what an operation's entry declares besides its slopes, asked of one drawn call -------------------------


def called(entry: Entry, arrays: list[Any], weights: Callable[[Any], Any] = np.ones) -> list[Any]:
    """The result of an operation, and the gradients of its variables; `weights` of a shape are the cotangent."""
    out = apply(entry.op, tuple(arrays), entry.drawn.options)
    cotangent = np.asarray(weights(out.shape), out.dtype)
    return [out.array, *vjps(out, cotangent[()], [x for x in arrays if isinstance(x, Value)])]


def value(entry: Entry) -> str:
    """The value is that of the function."""
    op = entry.op
    arrays = entry.drawn.arrays
    options = entry.drawn.options
    expected = op.function(*arrays, **options)
    out = (
        op.function(*map(Value, arrays), **options)
        if is_called(op)
        else apply(op, tuple(map(Value, arrays)), options)
    )
    if not isinstance(out, Value) or not np.array_equal(out.array, expected, equal_nan=True):
        return "Values give another result than arrays do"
    fast = op.compute(*arrays, **options)
    return "" if np.allclose(fast, expected, rtol=2 * EPS, atol=0.0) else "compute differs from the function"


def is_called(op: Any) -> bool:
    """Whether Values may be given to the function itself: to that of an entry that is not in the table, by chance."""
    return op.function in OPERATIONS or hasattr(op.function, "_entry")


def forward(entry: Entry) -> str | None:
    """Forward mode agrees with reverse mode; rules of first order only have no forward mode."""
    if entry.order < 2:
        return None
    rng = np.random.default_rng(0)
    arrays = entry.drawn.arrays
    f = caller(entry.op, entry.drawn.options)
    tangents = [rng.normal(size=np.shape(a)) for a in arrays]
    result, pushed = jvp(f, tuple(arrays), tuple(tangents))
    u = rng.normal(size=np.shape(result))
    xs = [Value(a) for a in arrays]
    reverse = sum(np.sum(g * t) for g, t in zip(gradients(np.sum(f(*xs) * u), xs), tangents, strict=True))
    agree = np.allclose(np.sum(pushed * u), reverse, rtol=FORWARD, atol=FORWARD)
    return "" if agree else "forward and reverse disagree: is the entry wrongly declared linear?"


def narrow(entry: Entry) -> str:
    """float32 in, float32 gradients out, of the arguments' shapes and near those of float64; float16 likewise."""
    return next(filter(None, (in_dtype(entry, dtype) for dtype in NARROW)), "")


def in_dtype(entry: Entry, dtype: Any) -> str:
    """What is wrong with the gradients in a dtype of fewer digits; nothing if the function does not take it."""
    weights = lambda shape: np.full(shape, 1.5)
    few = [np.asarray(a, dtype) for a in entry.drawn.arrays]
    try:
        kept = np.asarray(entry.op.compute(*few, **entry.drawn.options)).dtype == dtype
    except (TypeError, ValueError):
        return ""
    if not kept and dtype == np.float16:  # it computes in more digits than it was given
        return ""
    found = called(entry, [Value(a) for a in few], weights)[1:]
    wide = called(entry, [Value(a.astype(float)) for a in few], weights)[1:]
    name = np.dtype(dtype).name
    for i, (x, g, expected) in enumerate(zip(few, found, wide, strict=True)):
        if (g.dtype, g.shape) != (x.dtype, x.shape):
            return f"argument {i} is {name} {x.shape}, and its gradient {g.dtype} {g.shape}"
        limit = NARROW[dtype] * (1.0 if dtype == np.float32 else float(np.max(np.abs(expected), initial=0.0)))
        if not np.allclose(g, expected, rtol=NARROW[dtype], atol=limit):
            return f"the gradient of argument {i} in {name} is far from the one in float64"
    return ""


def through(entry: Entry) -> str | None:
    """A rule that can be differentiated depends on its cotangent, and in the way in which it is linear."""
    if entry.order < 2:
        return None
    out = caller(entry.op, entry.drawn.options)(*map(Value, entry.drawn.arrays))
    for i in range(min(len(entry.drawn.arrays), OPERANDS)):
        try:
            goes_on = transposed(out, partial(out.op.pullbacks[i], **out.options))
        except (TypeError, AttributeError, ValueError) as error:
            return f"the rule for argument {i} does not take a Value for g: {errors.words(error)}"
        if not goes_on:
            return f"the rule for argument {i}: {CUT}"
    return ""


def transposed(out: Value, rule: Any) -> bool:
    """Whether the derivative of a rule for its cotangent is the rule itself, seen from the other side."""
    rng = np.random.default_rng(0)
    u, v = (rng.normal(size=out.shape)[()] for _ in range(2))
    g = Value(v)
    share = rule(g, *out.saved)
    w = rng.normal(size=np.shape(share))[()]
    (back,) = vjps(share, w, [g])
    size = float(np.sum(np.abs(back * u)))
    return bool(np.isclose(np.sum(back * u), np.sum(w * rule(u, *out.saved)), rtol=FORWARD, atol=FORWARD * size))


def layouts(entry: Entry) -> str:
    """The layout in memory makes no difference."""
    weights = lambda shape: np.random.default_rng(0).normal(size=shape)
    arrays = [np.asarray(a) for a in entry.drawn.arrays]
    expected = called(entry, [Value(a.copy()) for a in arrays], weights)
    for name, laid_out in LAYOUTS.items():
        try:
            found = called(entry, [holding(laid_out(a)) for a in arrays], weights)
        except ValueError as error:
            return f"arrays {name} are refused: {error}"
        if not matching(found, expected, rtol=ORDERED, atol=ORDERED):
            return f"arrays {name} give another result: does a rule use reshape, ravel or strides of its argument?"
    return ""


def stride_0(entry: Entry) -> str | None:
    """Arrays that repeat one number without a copy give what their copies give."""
    arrays = entry.drawn.arrays
    if any(isinstance(part, str) for part in intervals(entry.op, len(arrays))):
        return None  # a matrix of one number is not regular
    views = [np.broadcast_to(np.ravel(a)[:1].reshape((1,) * np.ndim(a)), np.shape(a)) for a in arrays]
    weights = lambda shape: np.full(shape, 1.25)
    found = called(entry, [holding(view) for view in views], weights)
    expected = called(entry, [Value(np.array(view)) for view in views], weights)
    agree = matching(found, expected, rtol=ORDERED, atol=ORDERED, equal_nan=True)
    return "" if agree else "arrays that repeat one number with stride 0 give another result than their copies"


def scalars(entry: Entry) -> str | None:
    """Python's numbers give what arrays without axes give, as variables and beside one."""
    arrays = entry.drawn.arrays
    if not arrays or any(np.shape(a) for a in arrays):
        return None
    expected = called(entry, [Value(np.asarray(a)) for a in arrays])
    if not matching(called(entry, [Value(float(a)) for a in arrays]), expected, **LAST_BITS):
        return "Python numbers give another result than arrays without axes"
    for i in range(len(arrays) if len(arrays) > 1 else 0):
        number, scalar, array = (
            called(entry, [Value(np.asarray(a)) if j == i else made(a) for j, a in enumerate(arrays)])
            for made in (float, np.float64, np.asarray)
        )
        if not matching(number, array, **LAST_BITS) or not matching(scalar, array, **LAST_BITS):
            return f"argument {i} has another gradient beside a Python number than beside an array without axes"
    return ""


def matching(found: list[Any], expected: list[Any], **tolerances: Any) -> bool:
    """The same shapes and, but for rounding, the same numbers."""
    pairs = zip(found, expected, strict=True)
    return all(np.shape(a) == np.shape(b) and np.allclose(a, b, **tolerances) for a, b in pairs)


INVARIANTS = (
    Invariant("value", value, of_operations=True),
    Invariant("memory", memory),
    Invariant("shape and dtype", kind),
    Invariant("repeated", repeated),
    Invariant("cotangent", cotangent),
    Invariant("later", later),
    Invariant("linear", linear),
    Invariant("in place", lambda call: call.rules.get("in place", "")),
    Invariant("zero", lambda call: call.rules.get("zero", "")),
    Invariant("layout", layout),
    Invariant("alone", alone),
    Invariant("added", added),
    Invariant("twice", twice),
    Invariant("arguments", unchanged),
    Invariant("forward", forward, of_operations=True),
    Invariant("through", through, of_operations=True),
    Invariant("float32", narrow, of_operations=True),
    Invariant("layouts", layouts, of_operations=True),
    Invariant("stride 0", stride_0, of_operations=True),
    Invariant("scalars", scalars, of_operations=True),
)
