"""Mutants of derivative rules: whether the checks notice a rule that is a little wrong.

Each rule of an operation is replaced in turn by one with a planted fault. The checks of first order have to fail,
with a tolerance of 1e-7 for slopes: with the usual 1e-5 the smallest fault, a factor 1 + 1e-6, would pass. A mutant
that passes every check, and on drawn arguments gives the same gradients as the original, is no fault at all: it is
*equivalent*, and counted apart.

Source: DeMillo, Lipton and Sayward, "Hints on test data selection" (1978).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from tinygrad_edu.backward import unbroadcast, vjps
from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import plain
from tinygrad_edu.table import Each, Op, Parts
from tinygrad_edu.testing.arguments import calls, draw
from tinygrad_edu.testing.operation import CONSTANTS, How, examine_op, found
from tinygrad_edu.testing.report import FAIL
from tinygrad_edu.value import Value, apply

Rule = Callable[..., Any]
Rules = Sequence[Rule] | Each

KILLED, EQUIVALENT, SURVIVED = "killed", "equivalent", "survived"
FACTOR = 1.0 + 1e-6  # the smallest fault
RTOL = 1e-7  # of the checks, so that it shows
SAME = 1e-9  # mutants whose gradients differ by less compute the same, but for rounding
WHOLE = 64  # entries, up to which a rule is called for one entry of the cotangent after the other
SWAPPED = "arguments swapped"


def mutants(op: Op | Rule) -> Iterator[tuple[str, Op]]:
    """Every mutant of an operation's rules, the rules for one variable beside constants included.

    Parameters
    ----------
    op
        An entry of the table, one of your own, or the function that users call.

    Yields
    ------
    label, mutant
        What was planted in the rule of which argument, and an entry of its own with this rule; the table is not
        touched.
    """
    entry = found(op)
    for label, rules in mutated(entry):
        yield label, changed(entry, pullbacks=rules)
    if entry.with_constants is not entry:
        for label, rules in mutated(entry.with_constants):
            yield CONSTANTS + label, changed(entry, with_constants=changed(entry.with_constants, pullbacks=rules))


def outcomes(op: Op | Rule, seed: int = 0) -> dict[str, str]:
    """What became of every mutant, by its label: KILLED (a check fails), EQUIVALENT (it is no fault) or SURVIVED.

    Parameters
    ----------
    op
        As for `mutants`.
    seed
        Of the drawn arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing.mutation import outcomes
    >>> outcomes(np.tanh)["sign flipped in argument 0"]
    'killed'
    """
    entry = found(op)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {label: outcome(entry, label, mutant, seed) for label, mutant in mutants(entry)}


def survivors(op: Op | Rule, seed: int = 0) -> list[str]:
    """The labels of the mutants that no check notices; parameters as for `outcomes`."""
    return [label for label, what in outcomes(op, seed).items() if what == SURVIVED]


def outcome(op: Op, label: str, mutant: Op, seed: int) -> str:
    """What becomes of one mutant: the check stops at the first finding that kills it."""
    with_constants = label.startswith(CONSTANTS)
    right = op.with_constants if with_constants else op
    wrong = mutant.with_constants if with_constants else mutant
    try:
        how = How(order=1, repeats=2, rtol=RTOL, with_constants=with_constants)
        findings = examine_op(wrong, np.random.default_rng(seed), how)
        if any(finding.verdict == FAIL for finding in findings):
            return KILLED
    except Exception:  # a mutant that cannot be run has been noticed
        return KILLED
    return SURVIVED if differs(right, wrong, seed) else EQUIVALENT


def differs(op: Op, mutant: Op, seed: int) -> bool:
    """Whether a mutant's gradients differ on drawn arguments, or it changes what it is given."""
    rng = np.random.default_rng(seed)
    for call in calls(op) * 2:
        arrays, options, _ = draw(op, rng, call)
        xs = [Value(a) for a in arrays]
        out = apply(op, tuple(xs), options)
        u = rng.normal(size=out.shape)
        given = np.array(u)
        try:
            right = vjps(out, np.array(u), xs)
            wrong = vjps(apply(mutant, tuple(xs), options), given, xs)
        except Exception:
            return True
        if not np.array_equal(given, u) or not all(map(alike, right, wrong)):
            return True
    return False


def alike(a: Any, b: Any) -> bool:
    """Whether two gradients differ by rounding only."""
    return np.shape(a) == np.shape(b) and np.allclose(
        a, b, rtol=0.0, atol=SAME * float(np.max(np.abs(a), initial=0.0)), equal_nan=True
    )


def changed(op: Op, **changes: Any) -> Op:
    """An entry with other rules, beside the table; `Op` itself would ask how the rules are written."""
    new = object.__new__(Op)
    for field in fields(Op):
        setattr(new, field.name, changes.get(field.name, getattr(op, field.name)))
    if op.with_constants is op:
        new.with_constants = new
    return new


def mutated(op: Op) -> Iterator[tuple[str, Rules]]:
    """The rules of an entry, each time with a fault in the rule of one argument."""
    count = max((len(shapes) for shapes, _ in calls(op)), default=0) if op.variadic else len(op.pullbacks)  # type: ignore[arg-type]
    for k in range(count):
        for name, fault in FAULTS.items():
            if name != SWAPPED or count > 1:
                yield f"{name} in argument {k}", planted(op.pullbacks, k, fault)


def planted(rules: Rules, k: int, fault: Callable[[Rule, int], Rule]) -> Rules:
    """The rules with a fault in that of argument k."""
    if isinstance(rules, Parts):
        wrong = fault(rules[k], k)

        def parts(*inputs: Any, **options: Any) -> list[Any]:
            found = list(rules.rule(*inputs, **options))
            return [*found[:k], wrong(*inputs, **options), *found[k + 1 :]]

        return Parts(parts)
    if isinstance(rules, Each):
        wrong = fault(rules[k], k)
        return Each(lambda i, *inputs, **options: (wrong if i == k else rules[i])(*inputs, **options))
    return [*rules[:k], fault(rules[k], k), *rules[k + 1 :]]


def after(change: Callable[[Any], Any]) -> Callable[[Rule, int], Rule]:
    """A fault in what a rule returns."""
    return lambda rule, k: lambda *inputs, **options: change(rule(*inputs, **options))


def instead(change: Callable[..., tuple[Any, ...]]) -> Callable[[Rule, int], Rule]:
    """A fault in what a rule is given."""
    return lambda rule, k: lambda *inputs, **options: rule(*change(*inputs), **options)


def stale(rule: Rule, k: int) -> Rule:
    """The rule at the arrays of the last call with arrays of these shapes."""
    before: dict[Any, Any] = {}

    def wrong(g: Any, *arrays: Any, **options: Any) -> Any:
        shapes = tuple(np.shape(plain(array)) for array in arrays)
        old = before.get(shapes, arrays)
        before[shapes] = tuple(np.array(plain(array)) for array in arrays)
        return rule(g, *old, **options)

    return wrong


def unsummed(rule: Rule, k: int) -> Rule:
    """The rule with the gradient of the first copy of what was broadcast, instead of the sum over the copies."""

    def wrong(g: Any, out: Any, *arrays: Any, **options: Any) -> Any:
        share = rule(g, out, *arrays, **options)
        shape = np.shape(plain(arrays[k]))
        lead = np.ndim(plain(share)) - len(shape)
        kept = [slice(0, 1) if n == 1 else slice(None) for n in shape]
        return share[(*[0] * lead, *kept)] if lead >= 0 and np.ndim(plain(share)) else share

    return wrong


def summed(share: Any) -> Any:
    """The sum over the longest axis in place of each of its entries."""
    shape = np.shape(plain(share))
    if not shape or not max(shape):
        return share
    return np.broadcast_to(np.sum(share, axis=int(np.argmax(shape)), keepdims=True), shape)


def assigned(rule: Rule, k: int) -> Rule:
    """What the last entry of the cotangent gives, where the right rule adds up what all of them give."""

    def wrong(g: Any, out: Any, *arrays: Any, **options: Any) -> Any:
        if isinstance(g, Node) or not 1 < np.size(g) <= WHOLE:
            return rule(g, out, *arrays, **options)
        total = np.zeros_like(arrays[k])
        for index in np.ndindex(g.shape):
            one = np.zeros_like(g)
            one[index] = g[index]
            share = unbroadcast(rule(one, out, *arrays, **options), total)
            total = np.where(share == 0, total, share)
        return total

    return wrong


def overwriting(rule: Rule, k: int) -> Rule:
    """The rule, which leaves twice the cotangent where the cotangent was."""

    def wrong(g: Any, *arrays: Any, **options: Any) -> Any:
        share = rule(g, *arrays, **options)
        if isinstance(g, np.ndarray) and g.ndim and g.flags.writeable:
            share = np.array(share)
            g *= 2.0
        return share

    return wrong


FAULTS: dict[str, Callable[[Rule, int], Rule]] = {
    "a factor 1 + 1e-6": after(lambda share: share * FACTOR),
    "sign flipped": after(lambda share: -share),
    SWAPPED: instead(lambda g, out, *arrays: (g, out, *arrays[::-1])),
    "cotangent dropped": instead(lambda g, *arrays: (np.ones_like(plain(g)), *arrays)),
    "sum over copies missing": unsummed,
    "one sum too many": after(summed),
    "cotangent handed on": lambda rule, k: lambda g, *arrays, **options: g,
    "stale input": stale,
    "= for +=": assigned,
    "cotangent overwritten": overwriting,
}
