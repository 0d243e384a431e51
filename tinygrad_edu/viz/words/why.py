"""Why a gradient is missing, zero, tiny or not a number: what happened between the result and the Value.

The question is answered from the graph, by replaying the backward pass: no path at all; edges that pass nothing on,
contributions that cancel, and the first number that is not finite (`causes.py`); small factors. Why a result may not
depend on a Value at all has few reasons: the array or the number was taken out of the Value, an operation ran without
being remembered, or the name meant another Value by then.

Source: Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen" (1991), for gradients that vanish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_edu.backward import seed
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.notes import line_of
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.detail import VANISHING, finite
from tinygrad_edu.viz.model.formatting import Text, laid_out
from tinygrad_edu.viz.model.formula import fraction
from tinygrad_edu.viz.model.names import Names
from tinygrad_edu.viz.model.paths import edges_between, find_paths, toward
from tinygrad_edu.viz.model.replay import Edge, Replay, norm, vjp
from tinygrad_edu.viz.words import causes
from tinygrad_edu.viz.words.explain import factor, held, question, where

LISTED = 6
"""So many findings of a kind are told: the first are the nearest to the result, and mended first."""

WEAKEST = 3
"""Of a gradient that vanishes so many factors are told: the smallest decide."""

COMMON = (0.0, 0.5, 1.0, 2.0)
"""Constants that stand in programs anyway: being equal to one of these is no sign that a number was taken out."""

UNNOTED = "(run the forward pass inside `with viz.recording():` to see the lines)"
USUAL = (
    "usual reasons: .data or .item() was used, an operation ran inside no_grad(), or a function without a "
    "derivative, such as np.sign or a comparison, came between"
)


def why(w: Any, loss: Any = None, *, names: Mapping[str, Any] | None = None) -> Text:
    """What makes the gradient of a Value missing, zero, tiny, nan or infinite, and where that begins, as text.

    Parameters
    ----------
    w
        The Value, such as a weight.
    loss
        The result; it may be left out if it was traced or drawn last, or went backward inside `recording()`.
    names
        What to call Values and arrays that have no name of their own, such as `locals()`.

    Raises
    ------
    TypeError, ValueError
        If `w` or `loss` is not a Value, or no result is known; if that is not a single number.
    """
    w, loss = question("why", w, loss)
    replay = Replay(loss, names)
    return laid_out(Answer(w, replay).lines() if w in replay.uses else missing(w, loss, names))


class Answer:
    """What a replay of the backward pass says about one gradient."""

    def __init__(self, w: Node, replay: Replay) -> None:
        self.w = w
        self.replay = replay
        self.names = replay.names
        self.nodes = replay.nodes
        self.table = replay.gradients
        self.between = toward(replay.nodes, w)
        self.edges = list(edges_between(replay.nodes, self.between))
        self.gradient = self.table[w]
        self.unnoted = False

    def lines(self) -> Iterator[str]:
        """The answer."""
        yield f"{fraction(self.names[self.replay.root], self.names[self.w])} = {formatting.array(self.gradient)}"
        yield held(self.replay, self.w)
        yield from list(self.findings()) or ["nothing is missing: the gradient is finite, and not zero"]
        if self.unnoted:
            yield UNNOTED

    def findings(self) -> Iterator[str]:
        """What is wrong with the gradient, if anything."""
        if not finite(self.gradient):
            yield from self.not_finite()
            return
        loss = self.replay.root
        if not finite(loss.array):
            yield f"it is finite, but {self.names[loss]} is {formatting.array(loss.array)}:"
            yield from self.origins(loss)
        if not np.any(self.gradient):
            yield from self.zero()
        elif np.max(np.abs(self.gradient)) < VANISHING:
            yield from self.tiny()
        elif not np.all(self.gradient):
            yield from self.zero_in_part()

    def zero(self) -> Iterator[str]:
        """The cuts, each Value that they reach once if its contributions cancel."""
        if not np.size(self.gradient):
            yield f"{self.names[self.w]} has no entries"
            return
        found: dict[str, Node] = {}
        told: set[Node] = set()
        places = causes.cuts(self.edges, self.table)
        for edge in places:
            if edge.operand not in told:
                sum_text = causes.cancelled(edge.operand, self.replay)
                text = sum_text or causes.reason(edge, self.table[edge.result], self.names)
                found[text] = edge.result
                told |= {edge.operand} if sum_text else set()
        yield "it is cut here:" if len(found) == 1 else f"every path is cut, at one of these {len(found):,} places:"
        for text, node in list(found.items())[:LISTED]:
            yield from self.told(text, node)
        if len(found) > LISTED:
            yield f"  +{len(found) - LISTED:,} more places"
        yield from self.closed_farther(set(places))

    def closed_farther(self, places: set[Edge]) -> Iterator[str]:
        """Switches that are closed as well, farther from the result than the cuts."""
        closed = [edge for edge, count, total in causes.switches(self.edges) if count == total]
        farther = [edge for edge in closed if edge not in places and not np.any(self.table[edge.result])]
        if farther:
            yield "closed as well, farther from the result:"
        for edge in farther[:LISTED]:
            yield from self.told(causes.reason(edge, np.ones_like(edge.result.array), self.names), edge.result)

    def zero_in_part(self) -> Iterator[str]:
        """How many entries are zero, and the switches on the way."""
        zeros = int(np.sum(self.gradient == 0))
        yield f"zero in {zeros:,} of {np.size(self.gradient):,} entries"
        for edge, closed, size in list(causes.switches(self.edges))[:LISTED]:
            text = f"{factor(edge, self.replay)}: closed for {closed:,} of {size:,} entries"
            yield from self.told(text, edge.result)

    def tiny(self) -> Iterator[str]:
        """The sums that leave only rounding; else the smallest factors of the largest path."""
        sums: dict[str, Node] = {}
        for node in self.nodes:
            if node not in self.between:
                continue
            edges, g = edges_between([node], self.between), self.table[node]
            texts = [causes.cancelled(node, self.replay), *(causes.smeared(edge, g, self.names) for edge in edges)]
            sums |= {text: node for text in texts if text}
        for text, node in list(sums.items())[:LISTED]:
            yield from self.told(text, node)
        if not sums:
            yield from self.weakest()

    def weakest(self) -> Iterator[str]:
        """The factors of the largest path that make it small."""
        path = find_paths(self.replay, self.w).listed[0]
        g = seed(self.replay.root, None)
        gains: list[float] = []
        for edge in path.edges:
            before = norm(g)
            g = vjp(edge, g)
            gains.append(norm(g) / before if before else 0.0)
        small = sorted((k for k, gain in enumerate(gains) if gain < 1.0), key=gains.__getitem__)[:WEAKEST]
        yield f"it vanishes: a product of {len(gains):,} factors, of which the smallest are"
        for k in sorted(small):
            edge, gain = path.edges[k], formatting.number(gains[k])
            yield from self.told(f"{factor(edge, self.replay)}, which makes it {gain} times as large", edge.result)

    def not_finite(self) -> Iterator[str]:
        """The edge at which it begins going backward, and the numbers of the forward pass behind that."""
        found = causes.backward_origin(self.edges, self.table)
        if found is None:
            yield "its contributions are finite, and their sum is not"
            return
        edge, contribution = found
        yield "going backward, it begins here:"
        text = causes.passed_on(edge, self.table[edge.result], contribution, self.names)
        yield from self.told(f"{factor(edge, self.replay)} {text}", edge.result)
        if not all(map(finite, edge.result.saved)):
            yield "because of a number from the forward pass:"
            yield from self.origins(edge.result)

    def origins(self, root: Node) -> Iterator[str]:
        """Where a number of the forward pass stopped being finite."""
        for node, text in causes.forward_origins(root, self.names):
            op = "" if node.op is None else f" ({node.op.name})"
            yield from self.told(f"{self.names[node]}{op} {text}", node)

    def told(self, text: str, node: Node) -> Iterator[str]:
        """A finding, and the line of the program that it is about."""
        place = line_of(node)
        self.unnoted |= place is None
        yield f"  {text}"
        if place is not None:
            yield f"    {where(place)}"


def missing(w: Node, loss: Node, given: Mapping[str, Any] | None) -> Iterator[str]:
    """What the graph shows of the reason why a result does not depend on a Value."""
    nodes = toposort(loss)
    names = Names([w, *nodes[::-1]], given)
    yield f"{names[w]} has no gradient: {names[loss]} was not computed from it"
    leaves = [node for node in nodes if node.op is None]
    if loss.op is None:
        yield f"  {names[loss]} remembers no operation: it is a variable, or was made inside no_grad()"
    else:
        some = ", ".join(names[leaf] for leaf in leaves[:LISTED])
        more = f" and {len(leaves) - LISTED:,} more" if len(leaves) > LISTED else ""
        yield f"  {names[loss]} was computed from {some}{more}"
    found = [*rebound(w, nodes, names), *taken_out(w, nodes, names), *unremembered(leaves, names)]
    yield from (f"  {hint}" for hint in found[:LISTED] or [USUAL])


def rebound(w: Node, nodes: Sequence[Node], names: Names) -> Iterator[str]:
    """Another Value of the same name, and one that is too young."""
    called = names[w]
    if any(names[node] == called for node in nodes):
        yield f"another Value is called {called} there: was the name bound to a new Value?"
    if w.number > nodes[0].number:
        yield f"{called} was made after {names[nodes[0]]}: was the name bound to a new Value?"


def taken_out(w: Node, nodes: Sequence[Node], names: Names) -> Iterator[str]:
    """Operands that are the array or the number of the Value, but not the Value."""
    called = names[w]
    for node in nodes:
        if node.op is None and node is not w and same_numbers(node.array, w.array):
            yield f"{names[node]} is another Value with the numbers of {called}: use {called} itself"
        for arg, data in zip(node.args, node.saved[1:], strict=True):
            if not isinstance(arg, Node) and same(data, w.array):
                number = f"{called}'s number, {formatting.array(w.array)},"
                what = f"the array of {called}" if np.size(w.array) > 1 else number
                yield f"{names[node]}{made_at(node)} uses {what} as a constant: was {called}.data used?"


def same(data: Any, own: Any) -> bool:
    """Whether a constant is a Value's array; of a number, whether it is equal and not a common one."""
    if np.size(own) == 1:
        found = float(np.sum(own))
        return np.size(data) == 1 and float(np.sum(data)) == found and abs(found) not in COMMON
    return isinstance(data, np.ndarray) and bool(np.may_share_memory(data, own))


def same_numbers(data: Any, own: Any) -> bool:
    """Whether two arrays hold the same numbers, which are not common ones such as 0 everywhere."""
    common = np.isin(np.abs(own), COMMON).all()
    return not common and np.array_equal(data, own)


def unremembered(leaves: Sequence[Node], names: Names) -> Iterator[str]:
    """Variables that are results of operations inside `no_grad()`, as far as their lines were noted."""
    for leaf in leaves:
        place = line_of(leaf)
        if place is not None and place.forgotten:
            yield f"{names[leaf]} is the result of {place.forgotten} inside no_grad(){made_at(leaf)}"


def made_at(node: Node) -> str:
    """Where a Value was made, if that was noted."""
    place = line_of(node)
    return "" if place is None else f" at {place}"
