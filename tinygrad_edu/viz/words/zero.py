"""Where a gradient is cut: the edges at which it becomes zero, and why it does.

An edge is a cut if something comes from above and nothing goes on. The set of cuts separates a Value with gradient
zero from the result: every path between them passes through one. A sum of contributions can be zero as well, though
the contributions are not.

Source: Glorot, Bordes and Bengio, "Deep sparse rectifier neural networks" (2011), for units that pass nothing on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formula import LETTERS, declared_formula, derivative, formula, operands
from tinygrad_edu.viz.model.records import LocalDerivative
from tinygrad_edu.viz.model.replay import entry_slopes, norm, stretched_vjp, vjp

if TYPE_CHECKING:
    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.model.names import Names
    from tinygrad_edu.viz.model.replay import Edge, Replay

TERMS = 4
"""So many of the contributions that cancel are told."""

ROUNDINGS = 64.0
"""So many units in the last place a sum of some thousand terms may be off by rounding alone."""


def cuts(edges: Iterable[Edge], table: Mapping[Node, Any]) -> list[Edge]:
    """The edges from a gradient that is not zero to one that is."""
    return [edge for edge in edges if np.any(table[edge.result]) and not np.any(table[edge.operand])]


def cancelled(node: Node, replay: Replay) -> str:
    """The contributions to a Value as a sum, if they cancel, entirely or up to rounding; else nothing."""
    uses = replay.uses[node]
    contributions = replay.contributions(node)
    norms = list(map(norm, contributions))
    total = replay.gradients[node]
    if len(uses) < 2 or not norm(total) <= rounding(node) * sum(norms) or not any(norms):
        return ""
    order = sorted(range(len(uses)), key=norms.__getitem__, reverse=True)
    terms = [f"{formatting.array(contributions[k])} (from {replay.names[uses[k].result]})" for k in order[:TERMS]]
    terms += [f"{len(uses) - TERMS:,} more"] if len(uses) > TERMS else []
    return f"the contributions to {replay.names[node]} cancel: {' + '.join(terms)} = {formatting.array(total)}"


def smeared(edge: Edge, g: Any, names: Names) -> str:
    """What is said of an operand stretched by broadcasting, if what its copies get cancels; else nothing."""
    node, i = edge
    copies = stretched_vjp(edge, g)
    contribution = vjp(edge, g)
    if np.size(copies) == np.size(contribution) or not np.any(copies):
        return ""
    if not norm(contribution) <= rounding(node) * np.sum(np.abs(copies)):
        return ""
    stretched = f"{operands(node, names)[i]} is stretched to {formatting.shape(copies)} in {names[node]}"
    return f"{stretched}, and the contributions to its entries cancel: their sum is {formatting.array(contribution)}"


def rounding(node: Node) -> float:
    """The part of a sum that is nothing but rounding."""
    return ROUNDINGS * float(np.finfo(node.data.dtype).eps)


def reason(edge: Edge, g: Any, names: Names) -> str:
    """Why an edge passes nothing on."""
    local = LocalDerivative(edge, entry_slopes(edge), names)
    words = formula(local)
    if found := smeared(edge, g, names):
        return found
    if local.value is None:
        zero = [name for name, array in mentioned(edge, names) if not np.any(array)]
        if zero:
            return f"{derivative(local)} = {words}, and {' and '.join(zero)} is 0 everywhere"
        return f"{derivative(local)}{f' = {words}' * bool(words)} is 0 wherever the gradient from above is not"
    closed, reached = np.broadcast_arrays(local.value == 0, np.asarray(g) != 0)
    if np.any(~closed & reached):
        product = f"{formatting.array(g)} * {formatting.array(local.value)}"
        return f"underflow: the product {product} is too small for {edge.result.data.dtype}"
    facts = ", ".join(f"{name} is {spread(array)}" for name, array in mentioned(edge, names) if name != words)
    number = "0" if words in ("", "0") else f"{words} = 0"
    return f"{closure(edge, closed, reached)}{derivative(local)} = {number}{f'; {facts}' * bool(facts)}"


def closure(edge: Edge, closed: Any, reached: Any) -> str:
    """How many entries are closed; nothing for a single number, and for a factor that is 0 by chance."""
    assert edge.result.op is not None
    word = f"{edge.result.op.name} closed" if conditional(edge) else "zero"
    if closed.size == 1:
        return f"{word}: " if conditional(edge) else ""
    count = f"{word} for {int(np.sum(closed)):,} of {closed.size:,} entries"
    return f"{count}: " if np.all(closed) else f"{count}, and nothing comes from above at the others: "


def conditional(edge: Edge) -> bool:
    """Whether a factor is a switch: declared with kinks, or with a condition in brackets."""
    op = edge.result.op
    return op is not None and (bool(op.kinks) or any(text.startswith("[") for text in op.formulas))


def mentioned(edge: Edge, names: Names) -> Iterator[tuple[str, Any]]:
    """Name and data of what the formula of a local derivative mentions."""
    node = edge.result
    called = operands(node, names)
    for letter in dict.fromkeys(LETTERS.findall(declared_formula(edge))):
        place = {"out": 0, "x": 1, "y": 2}.get(letter, len(node.saved))
        if place < len(node.saved):
            name = called[place - 1] if place else names[node]
            if name != formatting.array(node.saved[place]):
                yield name, node.saved[place]


def spread(data: Any) -> str:
    """A number, or the least and the greatest of several."""
    low, high = formatting.number(np.min(data)), formatting.number(np.max(data))
    return low if low == high else f"from {low} to {high}"


def switches(edges: Iterable[Edge]) -> Iterator[tuple[Edge, int, int]]:
    """The switches on the way that are closed: for how many entries, of how many."""
    for edge in edges:
        if conditional(edge):
            local = entry_slopes(edge)
            if local is not None and (closed := int(np.sum(local == 0))) > 0:
                yield edge, closed, np.size(local)
