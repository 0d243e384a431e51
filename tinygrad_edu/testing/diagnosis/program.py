"""The program behind a wrong gradient, and which of its rules is to blame.

What was computed is in the graph: the operations, one a line, in order. Each rule is compared with differences by
itself, at the arrays that it was given there. If all of them are right, the fault is in what stands between them: a
graph that is cut, or the pass that adds gradients up.

Source: Zeller, "Yesterday, my program worked. Today, it does not. Why?" (1999), for looking for one cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from tinygrad_edu.backward import unbroadcast
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.testing.diagnosis.hints import of_slopes, ratio
from tinygrad_edu.testing.differences.comparing import spread
from tinygrad_edu.testing.differences.numeric import confirmed, one_sided, step_scale

Slopes = tuple[float, float]

LINES = 12  # of a program are shown; of longer ones those that are wrong, and the end
LOOKED_AT = 200  # operations, from the result backwards: each costs dozens of calls
SLACK = 1e-5  # relative, as for `check_gradients`
STEADY = 1e-3  # a ratio that is the same along two directions is that of every entry
ALL_RIGHT = (
    "every rule is right by itself, so an expression of f is to blame: is the graph cut (.data, item(), "
    "stop_gradient)? Or it is the pass that adds the gradients up"
)


def listed(out: Any, variables: Sequence[Any], places: Sequence[str]) -> str:
    """The program that made a result, with a remark beside each rule that is wrong; empty if nothing was recorded."""
    if not isinstance(out, Node) or out.op is None:
        return ""
    nodes = toposort(out)[::-1]
    known = dict(zip(variables, places, strict=True))
    names = {node: f"v{i}" for i, node in enumerate(nodes)}
    remarks = {node: remark(node, names) for node in nodes[-LOOKED_AT:] if node.op}
    lines = [f"  {names[node]} = {written(node, names, known)}{remarks.get(node, '')}" for node in nodes]
    if len(lines) > LINES:  # only what is wrong, and the end
        kept = [line for line, node in zip(lines, nodes, strict=True) if remarks.get(node)][:LINES] or lines[-LINES:]
        lines = [*kept, f"  ... {len(lines) - len(kept)} other lines"]
    wrong = any(remarks.values()) or len(nodes) > LOOKED_AT
    return "\n".join(["program:", *lines, *([] if wrong else [f"  {ALL_RIGHT}"])])


def written(node: Node, names: dict[Node, str], known: dict[Any, str]) -> str:
    """A line of the program: the operation, its operands and options; or what a variable is."""
    shape = f"  # {np.shape(node.array)}"
    if node.op is None:
        return known.get(node, node.name or "a variable from outside") + shape
    operands = [names[arg] if isinstance(arg, Node) else constant(arg) for arg in node.args]
    options = [f"{name}={value!r}" for name, value in node.options.items() if isinstance(value, int | float | tuple)]
    return f"{node.op.name}({', '.join([*operands, *options])})" + shape


def constant(operand: Any) -> str:
    """A constant as it is, if it is a number."""
    return f"{operand:.6g}" if np.ndim(operand) == 0 else f"constant {np.shape(operand)}"


def remark(node: Any, names: dict[Node, str]) -> str:
    """Which of an operation's rules disagree with differences, and by which ratio."""
    found = []
    for i, parent in enumerate(node.args):
        with suppress(Exception):  # what cannot be called by itself
            if isinstance(parent, Node) and (slopes := disagreeing(node, i)):
                said = measured(slopes, disagreeing(node, i, seed=1), np.size(node.saved[i + 1]))
                found.append(f"for {names[parent]}: {said}")
    return f"  <- wrong is its rule {'; '.join(found)}" if found else ""


def measured(slopes: Slopes, others: Slopes | None, size: int) -> str:
    """By which ratio a rule is wrong and what that suggests, if the ratio is the same along another direction."""
    by = ratio(*slopes)
    if others is None or abs(ratio(*others) - by) > STEADY * abs(by):
        return "not by the same ratio in all entries"
    return f"ratio {by:.6g}, {of_slopes(*slopes, size)}"


def disagreeing(node: Any, i: int, seed: int = 0) -> Slopes | None:
    """The slope that a rule gives along a random direction, and that of differences; None if they agree."""
    rng = np.random.default_rng(seed)
    x = node.saved[i + 1]
    g, d = (spread(rng, np.shape(a)) for a in (node.saved[0], x))
    cotangent = g.astype(node.saved[0].dtype)[()]
    pulled = unbroadcast(np.asarray(node.op.pullbacks[i](cotangent, *node.saved, **node.options)), x)
    slopes = np.asarray(pulled, dtype=float) * d
    line = moving(node, i, g, d)
    with np.errstate(all="ignore"):
        s = float(step_scale(0.0, 0.5))
        analytic = float(np.sum(slopes))
        numeric, error, *_ = confirmed(line, s, abs(analytic), at=float(np.max(np.abs(x), initial=0.0)))
        kink = one_sided(line, s)
    slack = SLACK + 8 * float(np.finfo(x.dtype).eps)
    allowed = slack * float(np.max(np.abs(slopes), initial=abs(numeric))) + 10 * error
    return None if kink or abs(analytic - numeric) <= allowed else (analytic, numeric)


def moving(node: Any, i: int, g: Any, d: Any) -> Callable[[float], float]:
    """The function of one number that moves an operand along a direction."""
    wide = [np.asarray(a, dtype=float) if np.asarray(a).dtype.kind == "f" else a for a in node.saved[1:]]

    def line(t: float) -> float:
        moved = [(a + t * d)[()] if j == i else a for j, a in enumerate(wide)]
        return float(np.sum(node.op.compute(*moved, **node.options) * g))

    return line
