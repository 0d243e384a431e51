"""Where a gradient becomes zero, and where a nan or an infinity begins.

An edge is a cut if something comes from above and nothing goes on. The set of cuts separates a Value with gradient
zero from the result: every path between them passes through one. A sum of contributions can be zero as well, though
the contributions are not. What is not finite begins, going forward, where a result is not finite though all operands
are; going backward, where what an operation passes on is not finite though its gradient is: because of a number from
the forward pass, or because the slope itself is infinite there, as that of a square root at 0.

Source: Glorot, Bordes and Bengio, "Deep sparse rectifier neural networks" (2011), for units that pass nothing on;
Goldberg, "What every computer scientist should know about floating-point arithmetic" (1991).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.detail import finite
from tinygrad_edu.viz.model.formula import LETTERS, declared_formula, derivative, formula, operands
from tinygrad_edu.viz.model.names import Names
from tinygrad_edu.viz.model.replay import Edge, LocalDerivative, Replay, entry_slopes, norm, stretched_vjp, vjp

Origin = tuple[Node, str]
"""The Value at which what is not finite begins, and what there is to say of it."""

Test = Callable[[Any], Any]

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
    return ROUNDINGS * float(np.finfo(node.array.dtype).eps)


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
        return f"underflow: the product {product} is too small for {edge.result.array.dtype}"
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
    low = formatting.number(np.min(data))
    high = formatting.number(np.max(data))
    return low if low == high else f"from {low} to {high}"


def switches(edges: Iterable[Edge]) -> Iterator[tuple[Edge, int, int]]:
    """The switches on the way that are closed: for how many entries, of how many."""
    for edge in edges:
        if conditional(edge):
            local = entry_slopes(edge)
            if local is not None and (closed := int(np.sum(local == 0))) > 0:
                yield edge, closed, np.size(local)


def first_index(data: Any, bad: Test) -> tuple[int, ...]:
    """The index of the first entry that is nan, or infinite."""
    return tuple(int(k) for k in np.argwhere(bad(np.atleast_1d(data)))[0][: np.ndim(data)])


def at(data: Any, bad: Test) -> str:
    """The first entry of a kind, and its index where there is more than one entry."""
    index = first_index(data, bad)
    return f"{formatting.number(np.asarray(data)[index])}{f' at {index}' if np.size(data) > 1 else ''}"


def forward_origins(root: Node, names: Names) -> list[Origin]:
    """Where what is not finite in an operation came from: the first nan, and the first infinity behind that."""
    arrays = root.saved or (root.array,)
    bad = np.isnan if any(np.any(np.isnan(array)) for array in arrays) else np.isinf
    first = origin(root, names, bad)
    found = [first] if first else []
    if first and bad is np.isnan and any(np.any(np.isinf(data)) for data in first[0].saved[1:]):
        behind = origin(first[0], names, np.isinf)
        found += [behind] if behind and behind[0] is not first[0] else []
    return found


def origin(root: Node, names: Names, bad: Test) -> Origin | None:
    """The first operation behind a Value, itself included, at which a nan or an infinity appears."""
    for node in reversed(toposort(root)):
        inputs = list(zip(operands(node, names), node.args, node.saved[1:], strict=True))
        for name, arg, data in inputs:
            if (not isinstance(arg, Node) or arg.op is None) and np.any(bad(data)):
                return node, f"has an operand {name}: {at(data, bad)}"
        if node.op is None and node is not root:
            continue  # its data may have been rebound since; what was used is saved with its consumers
        out = node.array if node.op is None else node.saved[0]
        if np.any(bad(out)) and not any(np.any(bad(data)) for *_, data in inputs):
            found = at(out, bad)
            return node, f"gives {found}{operands_at(node, names, bad)}" if node.op else f"holds {found}"
    return None


def operands_at(node: Node, names: Names, bad: Test) -> str:
    """The operands of an elementwise operation, at the entry where the result is bad."""
    assert node.op is not None
    out = node.saved[0]
    if not node.op.elementwise:
        return ""
    index = first_index(out, bad)
    numbers = [formatting.number(np.broadcast_to(data, np.shape(out))[index]) for data in node.saved[1:]]
    called = zip(operands(node, names), numbers, strict=True)
    return f": {', '.join(f'{name} is {text}' for name, text in called if name != text)}"


def backward_origin(edges: Iterable[Edge], table: Mapping[Node, Any]) -> tuple[Edge, Any] | None:
    """The first edge, going backward, that is given a finite gradient and passes on another, and what it passes."""
    for edge in edges:
        g = table[edge.result]
        if finite(g) and not finite(contribution := vjp(edge, g)):
            return edge, contribution
    return None


def passed_on(edge: Edge, g: Any, contribution: Any, names: Names) -> str:
    """What an edge was given and what it passed on, with the numbers its formula mentions there."""
    raw = stretched_vjp(edge, g)
    raw = contribution if finite(raw) else raw
    bad = np.isnan if np.any(np.isnan(raw)) else np.isinf
    index = first_index(raw, bad)
    alike = [(name, np.asarray(data)) for name, data in mentioned(edge, names) if np.shape(data) == np.shape(raw)]
    facts = ", ".join(f"{name} is {formatting.number(data[index])} there" for name, data in alike)
    return f"is given {formatting.array(g)} and passes on {at(raw, bad)}{': ' * bool(facts)}{facts}"
