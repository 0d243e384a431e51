"""Where a nan or an infinity begins: in the forward pass, or on the way back.

Going forward it begins where a result is not finite though all operands are. Going backward it begins where what an
operation passes on is not finite though its gradient is: because of a number from the forward pass, or because the
slope itself is infinite there, as that of a square root at 0.

Source: Goldberg, "What every computer scientist should know about floating-point arithmetic" (1991).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.detail import finite
from tinygrad_edu.viz.model.formula import operands
from tinygrad_edu.viz.model.replay import stretched_vjp, vjp
from tinygrad_edu.viz.words.zero import mentioned

if TYPE_CHECKING:
    from tinygrad_edu.viz.model.names import Names
    from tinygrad_edu.viz.model.replay import Edge

    Origin = tuple[Node, str]
    Test = Callable[[Any], Any]


def first_index(data: Any, bad: Test) -> tuple[int, ...]:
    """The index of the first entry that is nan, or infinite."""
    return tuple(int(k) for k in np.argwhere(bad(np.atleast_1d(data)))[0][: np.ndim(data)])


def at(data: Any, bad: Test) -> str:
    """The first entry of a kind, and its index where there is more than one entry."""
    index = first_index(data, bad)
    return f"{formatting.number(np.asarray(data)[index])}{f' at {index}' if np.size(data) > 1 else ''}"


def forward_origins(root: Node, names: Names) -> list[Origin]:
    """Where what is not finite in an operation came from: the first nan, and the first infinity behind that.

    Returns
    -------
    list
        Each Value at which it begins, and what there is to say of it.
    """
    arrays = root.saved or (root.data,)
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
        out = node.data if node.op is None else node.saved[0]
        if np.any(bad(out)) and not any(np.any(bad(data)) for *_, data in inputs):
            return (
                node,
                f"gives {at(out, bad)}{operands_at(node, names, bad)}" if node.op else f"holds {at(out, bad)}",
            )
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
