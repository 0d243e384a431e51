"""What a gradient promises besides its slopes, checked for any function, at the price of a few backward passes.

Arguments and cotangents are left alone; gradients share no memory, have the shapes and dtypes of the arguments, are
linear in the cotangent, exactly 0 for 0, the same twice, and the same for another layout in memory; for one variable
in two places they add up. Every kind of rule in the graph is called by itself as well, with arrays that cannot be
written to: so whatever a rule does in place is seen, however deep in the graph.

Source: the contract of a pullback: linear, without side effects (Radul et al., "You only linearize once", 2023).
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from itertools import combinations, product
from typing import NamedTuple

import numpy as np

from tinygrad_edu.backward import unbroadcast, vjps
from tinygrad_edu.graph import Node, next_number, toposort
from tinygrad_edu.inputs import plain
from tinygrad_edu.testing.layouts import read_only
from tinygrad_edu.testing.report import INCONCLUSIVE, Finding, promise
from tinygrad_edu.tree import leaves
from tinygrad_edu.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Array = np.ndarray[Any, Any]

SLACK, OPERANDS = 64, 4
RANDOM = (
    "two calls with the same arguments give different results, so there is nothing to difference: f draws random "
    "numbers or keeps a state. Make the generator inside f, rng = np.random.default_rng(0); for a network with "
    "dropout use check_module"
)
CHANGED = "f changes its arguments in place: work on a copy"
IN_BACKWARD = "the backward pass changes the arguments in place: a rule works on what it was given"
SHARED = "gradients share memory with each other, with the arguments or with the cotangent: return a new array"
AGAIN = (
    "the same cotangent gives another gradient the second time: a rule draws random numbers, or keeps a "
    "state such as the arguments of the last call"
)
SCALED = "-2 times the cotangent does not give -2 times the gradient: a rule is g times something"
LAYOUT = "the result or the gradient changes with the layout in memory: a ravel or reshape with order='K' or 'A'?"
TWICE = "one variable in two places has not the sum of both gradients: f(x, x) needs df/dx + df/dy"


class Run(NamedTuple):
    """One recorded call: the variables, the result, and what the backward pass starts from."""

    variables: list[Any]
    out: Value
    seed: Array


def invariants(call: Any, arrays: list[Array], args: Any, cotangent: Array) -> tuple[list[Finding], list[Array]]:
    """The findings about everything but slopes, and the gradients; none of these if f cannot be differenced."""
    held = [leaf for leaf in map(plain, leaves(args)) if isinstance(leaf, np.ndarray)]
    kept, since = [leaf.copy() for leaf in held], next_number()
    variables = [Value(leaf) for leaf in arrays]
    with np.errstate(all="ignore"):
        first, out = plain(call([Value(leaf) for leaf in arrays])), call(variables)
        if not all(map(same, held, kept)):
            return [promise("arguments", False, CHANGED)], []
        if not same(first, plain(out)):
            return [promise("repeated", False, RANDOM, INCONCLUSIVE)], []
        if not isinstance(out, Value):
            return [], [np.zeros_like(leaf) for leaf in arrays]
        run = Run(variables, out, np.asarray(cotangent, dtype=out.dtype))
        rules = of_rules(out)
        if "rule" in rules:
            return [promise("rule", False, rules["rule"])], []
        found = recorded_by(run, since)
        with suppress(Exception):  # a rule must not remember these arguments; f may refuse them
            call([Value(leaf * (1 - 1 / 64)) for leaf in arrays])
        broken = of_memory(run, found, held) | of_passes(run, found) | rules
        broken |= of_layout(call, run, found) | of_twice(call, run)
    broken["arguments"] = "" if all(map(same, held, kept)) else IN_BACKWARD
    return [promise(name, not text, text) for name, text in broken.items()], found


def same(a: Any, b: Any) -> bool:
    """Whether two arrays are the same, bit by bit."""
    return np.shape(a) == np.shape(b) and bool(np.all((a == b) | ((a != a) & (b != b))))


def recorded_by(run: Run, since: int) -> list[Array]:
    """The gradients as `backward()` leaves them; what f uses from outside, such as parameters, keeps its own."""
    outside = [(node, node.grad) for node in toposort(run.out) if node.number < since]
    run.out.backward(run.seed)
    for node, gradient in outside:
        node.grad = gradient
    return [np.zeros_like(x.data) if x.grad is None else x.grad for x in run.variables]


def of_memory(run: Run, found: list[Array], held: list[Array]) -> dict[str, str]:
    """That gradients are arrays of their own, of the arguments' shapes and dtypes."""
    pairs = [*combinations([*found, run.seed], 2), *product(found, held)]
    shared = any(np.may_share_memory(a, b) and np.shares_memory(a, b) for a, b in pairs)
    wrong = [
        f"{g.dtype} {g.shape} for {x.dtype} {x.shape}"
        for g, x in zip(found, run.variables, strict=True)
        if (g.dtype, g.shape) != (x.dtype, x.shape)
    ]
    return {"memory": SHARED * shared, "shape and dtype": f"a gradient is {', '.join(wrong)}" if wrong else ""}


def of_passes(run: Run, found: list[Array]) -> dict[str, str]:
    """What another backward pass gives: the same again, and -2 times as much for -2 times the cotangent."""
    doubled = vjps(run.out, -2 * run.seed, run.variables)
    if all(same(d, -2 * g) for d, g in zip(doubled, found, strict=True)):
        return {"repeated": "", "linear": ""}
    again = all(map(same, vjps(run.out, run.seed.copy(), run.variables), found))
    linear = all(close(d, -2 * g, g) for d, g in zip(doubled, found, strict=True))
    return {"repeated": "" if again else AGAIN, "linear": "" if linear or not again else SCALED}


def close(a: Any, b: Any, size: Any) -> bool:
    """Whether two gradients agree to 64 eps of the largest entry, where they are finite."""
    limit = SLACK * np.finfo(np.asarray(size).dtype).eps * np.max(np.abs(finite(size)), initial=0.0)
    apart = np.where(np.isfinite(a) & np.isfinite(b), a, 0) - np.where(np.isfinite(a) & np.isfinite(b), b, 0)
    return bool(np.all(np.abs(apart) <= limit))


def finite(a: Any) -> Any:
    """The finite entries, and 0 for the others."""
    return np.where(np.isfinite(a), a, 0)


def of_layout(call: Any, run: Run, found: list[Array]) -> dict[str, str]:
    """The same numbers, back to front and column by column in memory, give the same result and gradients."""
    arrays = [x.data for x in run.variables]
    if not any(a.ndim for a in arrays):
        return {}
    variables = [Value(np.flip(np.asfortranarray(np.flip(a))) if a.ndim else a) for a in arrays]
    with suppress(Exception):  # f may insist on a layout
        out = call(variables)
        if same(plain(out), run.out.data):
            gradients = vjps(out, run.seed.copy(), variables)
            kept = all(alike(a, b, [b]) for a, b in zip(gradients, found, strict=True))
        else:  # rounding, or worse: then small changes do not matter as much
            near = call([Value(a * (1 + 4 * np.finfo(a.dtype).eps)) for a in arrays])
            first, second, third = run.out.data, plain(near), plain(out)
            kept = np.shape(third) == first.shape and any(alike(third, b, [b]) for b in (first, second))
            kept = kept or not alike(second, first, [first])
        return {"layout": LAYOUT * (not kept)}
    return {}


def of_twice(call: Any, run: Run) -> dict[str, str]:
    """The first two arguments of one shape, if they are one variable, have the sum of both gradients."""
    kinds = [(x.shape, x.dtype) for x in run.variables]
    i, j = next(((i, j) for i, j in combinations(range(len(kinds)), 2) if kinds[i] == kinds[j]), (0, 0))
    if i == j:
        return {}
    data = [run.variables[i].data if k == j else x.data for k, x in enumerate(run.variables)]
    with suppress(Exception), warnings.catch_warnings():  # f may not be defined there
        warnings.simplefilter("ignore")
        apart, once = [Value(a) for a in data], [Value(a) for a in data]
        once[j] = once[i]
        gi, gj = vjps(call(apart), run.seed.copy(), [apart[i], apart[j]])
        (g,) = vjps(call(once), run.seed.copy(), [once[i]])
        return {"twice": TWICE * (not alike(g, gi + gj, [gi, gj]))}
    return {}


def alike(a: Any, b: Any, sizes: list[Any]) -> bool:
    """Whether two arrays agree but for rounding, relative to the largest entry of some; where they are finite."""
    both = np.isfinite(a) & np.isfinite(b)
    largest = max(float(np.max(np.abs(finite(size)), initial=0.0)) for size in sizes)
    apart = float(np.max(np.abs(np.where(both, a, 0) - np.where(both, b, 0)), initial=0.0))
    return bool(apart <= float(np.finfo(np.asarray(b).dtype).eps) ** 0.6 * largest)


def of_rules(out: Node) -> dict[str, str]:
    """Every kind of rule behind a result by itself, once: it writes to nothing, is linear, and 0 for 0."""
    rng, broken, known = np.random.default_rng(0), {"in place": "", "zero": ""}, set()
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
    inputs, shape, dtype = tuple(map(read_only, node.saved)), np.shape(node.saved[0]), node.saved[0].dtype
    u, v = (np.asarray(rng.normal(size=shape), dtype)[()] for _ in range(2))
    pull: Any = lambda g: node.op.pullbacks[i](read_only(g), *inputs, **node.options)
    rule = f"the rule of {node.op.name} for argument {i}"
    try:
        first, other, both, none = pull(u), pull(v), pull(u - 2 * v), pull(0 * u)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        return {"in place": f"{rule} writes to its incoming gradient or its arguments: write g * x, not g *= x"}
    if text := misfit(first, node.saved[i + 1]):
        return {"rule": f"{rule} {text}"}
    broken = dict[str, str]()
    if isinstance(first, np.ndarray) and np.shares_memory(first, other):
        broken["memory"] = f"{rule} hands out the same array every time: return a new one"
    coarse = max((dtype, np.asarray(first).dtype), key=lambda kind: float(np.finfo(kind).eps))
    size = np.maximum(np.abs(first), 2 * np.abs(other)).astype(coarse)  # the cotangents were rounded to it
    if not close(both, first - 2 * other, size):
        broken["linear"] = f"{rule} is not linear in the gradient: it is g times something"
    if bool(np.any(np.where(np.isfinite(first), none, 0))):
        broken["zero"] = f"{rule} gives something else than 0 for a gradient of 0"
    return broken


def misfit(result: Any, x: Any) -> str:
    """What is wrong with the kind or the shape of what a rule gives for x; empty if it fits."""
    if not hasattr(result, "dtype"):
        return f"gives {result!r:.80}, not an array: write it with g, as g * 2.0"
    with suppress(Exception):
        if unbroadcast(result, x).shape == x.shape:
            return ""
    return f"gives the shape {result.shape} for an argument of the shape {x.shape}"
