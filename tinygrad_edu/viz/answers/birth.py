"""Where a nan or an infinity begins: in the forward pass, or on the way back.

Going forward it begins where a result is not finite though all operands are. Going backward it begins where what an
operation passes on is not finite though its gradient is: because of a number from the forward pass, or because the
slope itself is infinite there, as that of a square root at 0.

Source: Goldberg, "What every computer scientist should know about floating-point arithmetic" (1991).
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.answers.cut import mentioned, unfitted
from tinygrad_edu.viz.flags import finite
from tinygrad_edu.viz.journal import called
from tinygrad_edu.viz.replay import pull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any

    from tinygrad_edu.viz.naming import Names
    from tinygrad_edu.viz.replay import Hop

    Birth = tuple[Node, str]
    Test = Callable[[Any], Any]


def first_index(data: Any, bad: Test) -> tuple[int, ...]:
    """The index of the first entry that is nan, or infinite."""
    return tuple(int(k) for k in np.argwhere(bad(np.atleast_1d(data)))[0][: np.ndim(data)])


def at(data: Any, bad: Test) -> str:
    """The first entry of a kind, and its index where there is more than one entry."""
    index = first_index(data, bad)
    return f"{wording.number(np.asarray(data)[index])}{f' at {index}' if np.size(data) > 1 else ''}"


def forward_births(root: Node, names: Names) -> list[Birth]:
    """Where what is not finite in an operation came from: the first nan, and the first infinity behind that.

    Returns
    -------
    list
        Each Value at which it begins, and what there is to say of it.
    """
    arrays = root.saved or (root.data,)
    bad = np.isnan if any(np.any(np.isnan(array)) for array in arrays) else np.isinf
    found = origin(root, names, bad)
    births = [found] if found else []
    if found and bad is np.isnan and any(np.any(np.isinf(data)) for data in found[0].saved[1:]):
        births += [birth for birth in [origin(found[0], names, np.isinf)] if birth and birth[0] is not found[0]]
    return births


def origin(root: Node, names: Names, bad: Test) -> Birth | None:
    """The first operation behind a Value, itself included, at which a nan or an infinity appears."""
    for node in reversed(toposort(root)):
        operands = list(zip(called(node, names), node.args, node.saved[1:], strict=True))
        for name, arg, data in operands:
            if (not isinstance(arg, Node) or arg.op is None) and np.any(bad(data)):
                return node, f"has an operand {name}: {at(data, bad)}"
        if node.op is None and node is not root:
            continue  # its data may have been rebound since; what was used is saved with its consumers
        out = node.data if node.op is None else node.saved[0]
        if np.any(bad(out)) and not any(np.any(bad(data)) for *_, data in operands):
            return node, f"gives {at(out, bad)}{inputs(node, names, bad)}" if node.op else f"holds {at(out, bad)}"
    return None


def inputs(node: Node, names: Names, bad: Test) -> str:
    """The operands of an elementwise operation, at the entry where the result is bad."""
    assert node.op is not None
    out = node.saved[0]
    if not node.op.elementwise:
        return ""
    index, operands = first_index(out, bad), called(node, names)
    found = [wording.number(np.broadcast_to(data, np.shape(out))[index]) for data in node.saved[1:]]
    return f": {', '.join(f'{name} is {text}' for name, text in zip(operands, found, strict=True) if name != text)}"


def backward_birth(
    nodes: Sequence[Node], between: Collection[Node], table: Mapping[Node, Any]
) -> tuple[Hop, Any] | None:
    """The first hop, going backward, that is given a finite gradient and passes on another, and what it passes."""
    for node in nodes:
        if node not in between or not finite(table[node]):
            continue
        for i, arg in enumerate(node.args):
            if isinstance(arg, Node) and arg in between and not finite(share := pull((node, i), table[node])):
                return (node, i), share
    return None


def passed_on(hop: Hop, g: Any, share: Any, names: Names) -> str:
    """What a hop was given and what it passed on, with the numbers its formula mentions there."""
    raw = unfitted(hop, g)
    raw = share if finite(raw) else raw
    bad = np.isnan if np.any(np.isnan(raw)) else np.isinf
    index = first_index(raw, bad)
    alike = [(name, np.asarray(data)) for name, data in mentioned(hop, names) if np.shape(data) == np.shape(raw)]
    facts = ", ".join(f"{name} is {wording.number(data[index])} there" for name, data in alike)
    return f"is given {wording.array(g)} and passes on {at(raw, bad)}{': ' * bool(facts)}{facts}"
