"""The graph: what a node holds, and walks over nodes without recursion.

A node keeps the operation that made it and its operands, in order; those references are the graph. Its *parents* are
the operands that are nodes. Nodes are numbered as they are made, and operands exist before results: so descending
numbers are a reverse topological order, found in time linear in the edges.
Source: Wengert, "A simple automatic derivative evaluation program" (1964): the list in order of creation.
"""

from __future__ import annotations

from itertools import count
from operator import attrgetter
from typing import Any

import numpy as np

from tinygrad_edu.recording import Scope

NUMBER = attrgetter("number")
OWN = ("aligned", "gradient", "kept", "name", "op", "options", "saved", "scope")
SMALL = 1 << 15  # bytes of an array, of which a string of them is compared sooner than the entries are
WHOLE = {2: np.int16, 4: np.int32, 8: np.int64}  # whole numbers of as many bytes as an entry
next_number = count().__next__


class Node:
    """One step of a computation.

    `array` is what it holds and `gradient` what was computed for it; users see both as `data` and `grad`. `kept` is
    the array for graphs to keep. It is None once a user has asked for the array of a variable, and may change it in
    place; then `lent` are that array and the latest copy of it that graphs have. `saved` are the arrays of the
    forward pass, result first, then operands: a rule is called as `pullback(g, *saved, **options)`, so nothing that
    happens to `array` later can change a gradient. `aligned` says that all of them are float64 of one shape, so that
    gradients need no fitting. `op` is the operation, an entry of the table, or None for a variable; a result whose
    past `no_grad()` left out has no `op` either, but has `saved`.
    """

    __slots__ = ("__weakref__", "args", "lent", "number", *OWN)

    aligned: bool
    args: tuple[Any, ...]
    gradient: Any
    kept: Any
    lent: tuple[Any, Any]
    name: str | None
    number: int
    op: Any
    options: dict[str, Any]
    saved: tuple[Any, ...]
    scope: Scope

    @property
    def array(self) -> Any:
        """The array or the NumPy number that the node holds."""
        kept = self.kept  # once: another thread may ask for the array in between
        return self.lent[0] if kept is None else kept

    @array.setter
    def array(self, array: Any) -> None:
        self.kept = array


def has_no_past(node: Node) -> bool:
    """Whether a node is the result of an operation inside `no_grad()`, which did not record it."""
    return node.op is None and node.saved != ()


def copied(array: Any) -> Any:
    """A copy that lies in memory as the array does; of other libraries' arrays, what they call a copy."""
    if isinstance(array, np.generic):
        return array  # nothing changes a number
    return array.copy("K") if type(array) is np.ndarray else array.copy()


def same_bits(x: Any, y: Any) -> bool:
    """Whether two arrays hold the same numbers, bit for bit; nan is nan, whatever its bits are."""
    if x.shape != y.shape or x.dtype != y.dtype:
        return False
    kind = type(x)
    if kind is type(y) and (kind is np.ndarray or issubclass(kind, np.generic)) and same_bytes(x, y):
        return True
    return bool(np.all((x == y) & (np.signbit(x) == np.signbit(y)) | (x != x) & (y != y)))


def same_bytes(x: Any, y: Any) -> bool:
    """Whether two arrays of one shape and dtype are the same in memory; the quickest way for each size."""
    if x.nbytes <= SMALL:
        return bool(x.tobytes() == y.tobytes())
    whole = WHOLE.get(x.itemsize)
    return whole is not None and bool(np.all(x.view(whole) == y.view(whole)))


def to_keep(node: Node) -> Any:
    """The node's array for a graph to keep: of one that the user may change in place, a copy as it is now."""
    kept = node.kept
    if kept is not None:
        return kept
    array, latest = node.lent
    if array is not latest and not same_bits(array, latest):
        latest = copied(array)
        node.lent = array, latest
    return latest


def ancestors(*roots: Any, since: int = 0) -> list[Node]:
    """Every node that results were made from and they themselves, each once; none numbered below `since`."""
    seen = {root for root in roots if isinstance(root, Node)}
    found = list(seen)
    for node in found:  # which grows meanwhile
        for parent in node.args:
            if isinstance(parent, Node) and parent not in seen and parent.number >= since:
                seen.add(parent)
                found.append(parent)
    return found


def toposort(*roots: Any, since: int = 0) -> list[Node]:
    """The nodes behind results, each after all of its consumers; none older than what is asked about."""
    return sorted(ancestors(*roots, since=since), key=NUMBER, reverse=True)


def sources(*roots: Any, since: int) -> list[Node]:
    """The nodes numbered below `since` that results were made from by younger ones, each once."""
    met = [near for node in toposort(*roots, since=since) for near in (node, *node.args) if isinstance(near, Node)]
    return list(dict.fromkeys(node for node in met if node.number < since))


def pack(root: Node) -> list[Any]:
    """The graph as a flat list for pickling without recursion; variables are themselves, so that they stay shared."""
    nodes = toposort(root)[::-1]
    place = {node: i for i, node in enumerate(nodes)}
    return [
        node if node.op is None and node is not root else
        ([(place[a], None) if isinstance(a, Node) else (-1, a) for a in node.args], contents(node))
        for node in nodes
    ]  # fmt: skip


def contents(node: Node) -> list[Any]:
    """What a copy of a node holds, in the order of `OWN`: arrays of its own, where the user may change them."""
    found = {slot: getattr(node, slot) for slot in OWN}
    if node.op is None:
        gradient = node.gradient
        found |= {"gradient": gradient if gradient is None else gradient.copy(), "kept": to_keep(node)}
    return list(found.values())


def unpack(cls: type[Node], packed: list[Any]) -> Node:
    """The root of a packed graph, its nodes made and numbered anew."""
    nodes: list[Node] = []
    for entry in packed:
        node = entry if isinstance(entry, Node) else object.__new__(cls)
        if node is not entry:
            for slot, content in zip(OWN, entry[1], strict=True):
                setattr(node, slot, content)
            node.args = tuple(constant if i < 0 else nodes[i] for i, constant in entry[0])
            node.number = next_number()
        nodes.append(node)
    return nodes[-1]
