"""Where a gradient is cut: the hops at which it becomes zero, and why it does.

A hop is a cut if something comes from above and nothing goes on. The set of cuts separates a Value with gradient
zero from the result: every path between them passes through one. A sum of shares can be zero as well, though the
shares are not.

Source: Glorot, Bordes and Bengio, "Deep sparse rectifier neural networks" (2011), for units that pass nothing on.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.caption import fraction
from tinygrad_edu.viz.formula import LETTERS, formula
from tinygrad_edu.viz.journal import called
from tinygrad_edu.viz.replay import pull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from tinygrad_edu.viz.naming import Names
    from tinygrad_edu.viz.replay import Hop

    Table = Mapping[Node, Any]

TERMS = 4


def cuts(nodes: Sequence[Node], between: Collection[Node], table: Table) -> list[Hop]:
    """The hops from a gradient that is not zero to one that is, the nearest to the result first."""
    return [
        (node, i)
        for node in nodes
        if node in between and np.any(table[node])
        for i, arg in enumerate(node.args)
        if isinstance(arg, Node) and arg in between and not np.any(table[arg])
    ]


def cancelled(node: Node, table: Table, uses: Sequence[Hop], names: Names) -> str:
    """The shares of a Value as a sum, if they cancel, entirely or up to rounding; else nothing."""
    shares = [pull(hop, table[hop[0]]) for hop in uses]
    norms, left = [wording.norm(share) for share in shares], wording.norm(table[node])
    if len(shares) < 2 or not left <= rounding(node) * sum(norms) or not any(norms):
        return ""
    order = sorted(range(len(shares)), key=norms.__getitem__, reverse=True)
    terms = [f"{wording.array(shares[k])} (from {names[uses[k][0]]})" for k in order[:TERMS]]
    terms += [f"{len(shares) - TERMS:,} more"] if len(shares) > TERMS else []
    return f"the shares of {names[node]} cancel: {' + '.join(terms)} = {wording.array(table[node])}"


def smeared(hop: Hop, g: Any, names: Names) -> str:
    """What is said of an operand stretched by broadcasting, if the shares of its copies cancel; else nothing."""
    node, i = hop
    copies, share = unfitted(hop, g), pull(hop, g)
    if np.size(copies) == np.size(share) or not wording.norm(share) <= rounding(node) * np.sum(np.abs(copies)):
        return ""
    if not np.any(copies):
        return ""
    stretched = f"{called(node, names)[i]} is stretched to {wording.shape(copies)} in {names[node]}"
    return f"{stretched}, and the shares of its entries cancel: their sum is {wording.array(share)}"


def rounding(node: Node) -> float:
    """The part of a sum that is nothing but rounding."""
    return 64.0 * float(np.finfo(node.data.dtype).eps)


def unfitted(hop: Hop, g: Any) -> Any:
    """What a rule returns, before the backward pass undoes broadcasting."""
    node, i = hop
    assert node.op is not None
    with np.errstate(all="ignore"):
        return node.op.pullbacks[i](g, *node.saved, **node.options)


def entries(hop: Hop) -> Any | None:
    """The local derivative for each entry of the result, where entries are independent, else nothing."""
    node, _ = hop
    assert node.op is not None
    out = node.saved[0]
    if not node.op.elementwise and np.size(out) != 1:
        return None
    return unfitted(hop, np.ones_like(out)[()])


def reason(hop: Hop, g: Any, names: Names) -> str:
    """Why a hop passes nothing on."""
    local, operands = entries(hop), called(hop[0], names)
    derivative = fraction(names[hop[0]], operands[hop[1]])
    words = formula(hop, names[hop[0]], operands)
    if found := smeared(hop, g, names):
        return found
    if local is None:
        zero = [name for name, array in mentioned(hop, names) if not np.any(array)]
        if zero:
            return f"{derivative} = {words}, and {' and '.join(zero)} is 0 everywhere"
        return f"{derivative}{f' = {words}' * bool(words)} is 0 wherever the gradient from above is not"
    closed, reached = np.broadcast_arrays(local == 0, np.asarray(g) != 0)
    if np.any(~closed & reached):
        product = f"{wording.array(g)} * {wording.array(local)}"
        return f"underflow: the product {product} is too small for {hop[0].data.dtype}"
    facts = ", ".join(f"{name} is {spread(array)}" for name, array in mentioned(hop, names) if name != words)
    number = "0" if words in ("", "0") else f"{words} = 0"
    return f"{closure(hop, closed, reached)}{derivative} = {number}{f'; {facts}' * bool(facts)}"


def closure(hop: Hop, closed: Any, reached: Any) -> str:
    """How many entries are closed; nothing for a single number, and for a factor that is 0 by chance."""
    assert hop[0].op is not None
    word = f"{hop[0].op.name} closed" if conditional(hop) else "zero"
    if closed.size == 1:
        return f"{word}: " if conditional(hop) else ""
    count = f"{word} for {int(np.sum(closed)):,} of {closed.size:,} entries"
    return f"{count}: " if np.all(closed) else f"{count}, and nothing comes from above at the others: "


def conditional(hop: Hop) -> bool:
    """Whether a factor is a switch: declared with kinks, or with a condition in brackets."""
    op = hop[0].op
    return op is not None and (bool(op.kinks) or any(text.startswith("[") for text in op.formulas))


def mentioned(hop: Hop, names: Names) -> Iterator[tuple[str, Any]]:
    """Name and data of what the formula of a local derivative mentions."""
    node, i = hop
    assert node.op is not None
    declared = node.op.formulas[min(i, len(node.op.formulas) - 1)] if node.op.formulas else ""
    operands = called(node, names)
    for letter in dict.fromkeys(LETTERS.findall(declared)):
        place = {"out": 0, "x": 1, "y": 2}.get(letter, len(node.saved))
        if place < len(node.saved):
            name = operands[place - 1] if place else names[node]
            if name != wording.array(node.saved[place]):
                yield name, node.saved[place]


def spread(data: Any) -> str:
    """A number, or the least and the greatest of several."""
    low, high = wording.number(np.min(data)), wording.number(np.max(data))
    return low if low == high else f"from {low} to {high}"


def switches(nodes: Sequence[Node], between: Collection[Node]) -> Iterator[tuple[Hop, int, int]]:
    """The switches on the way that are closed: for how many entries, of how many."""
    for node in nodes:
        for i, arg in enumerate(node.args if node in between else ()):
            if isinstance(arg, Node) and arg in between and conditional((node, i)):
                local = entries((node, i))
                if local is not None and (closed := int(np.sum(local == 0))) > 0:
                    yield (node, i), closed, np.size(local)
