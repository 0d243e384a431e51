"""Why a gradient is missing, zero, tiny or not a number: what happened between the result and the Value.

The question is answered from the graph, by replaying the backward pass: no path at all; hops that pass nothing on;
shares that cancel; small factors; the first number that is not finite.

Source: Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen" (1991), for gradients that vanish.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.backward import seed
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.answers.absence import hints
from tinygrad_edu.viz.answers.asked import asked
from tinygrad_edu.viz.answers.birth import backward_birth, forward_births, passed_on
from tinygrad_edu.viz.answers.cut import cancelled, cuts, reason, smeared, switches
from tinygrad_edu.viz.answers.explanation import factor, held, where
from tinygrad_edu.viz.caption import fraction
from tinygrad_edu.viz.flags import VANISHING, finite
from tinygrad_edu.viz.lines import line_of
from tinygrad_edu.viz.naming import Names
from tinygrad_edu.viz.paths import find_paths, toward
from tinygrad_edu.viz.replay import consumers, gradients, pull
from tinygrad_edu.viz.terminal import Text, laid_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tinygrad_edu.viz.replay import Hop

LISTED = 6
WEAKEST = 3
UNNOTED = "(run the forward pass inside `with viz.recording():` to see the lines)"


def why(w: Any, loss: Any = None, *, names: Mapping[str, Any] | None = None) -> Text:
    """Tell why the gradient of a Value is missing, zero, tiny, nan or infinite, and where that begins.

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
    TypeError
        If `w` or `loss` is not a Value, or no result is known.
    ValueError
        If the result is not a single number.
    """
    w, loss = asked("why", w, loss)
    nodes = toposort(loss)
    called_so = Names([*([] if w in set(nodes) else [w]), *nodes[::-1]], names)
    if w not in set(nodes):
        head = f"{called_so[w]} has no gradient: {called_so[loss]} was not computed from it"
        found = [head, *(f"  {hint}" for hint in hints(w, nodes, called_so, called_so[w]))]
    else:
        found = list(Cause(w, loss, nodes, called_so).lines())
    return laid_out(found)


class Cause:
    """What a replay of the backward pass says about one gradient."""

    def __init__(self, w: Node, loss: Node, nodes: list[Node], names: Names) -> None:
        self.w, self.loss, self.nodes, self.names = w, loss, nodes, names
        self.table, self.uses, self.between = gradients(loss), consumers(nodes), toward(nodes, w)
        self.gradient = self.table[w]
        self.unnoted = False

    def lines(self) -> Iterator[str]:
        """The answer."""
        yield f"{fraction(self.names[self.loss], self.names[self.w])} = {wording.array(self.gradient)}"
        yield held(self.w, self.loss, self.gradient, self.names)
        yield from list(self.findings()) or ["nothing is missing: the gradient is finite, and not zero"]
        if self.unnoted:
            yield UNNOTED

    def findings(self) -> Iterator[str]:
        """What is wrong with the gradient, if anything."""
        if not finite(self.gradient):
            yield from self.not_finite()
            return
        if not finite(self.loss.data):
            yield f"it is finite, but {self.names[self.loss]} is {wording.array(self.loss.data)}:"
            yield from self.births(self.loss)
        if not np.any(self.gradient):
            yield from self.zero()
        elif np.max(np.abs(self.gradient)) < VANISHING:
            yield from self.tiny()
        elif not np.all(self.gradient):
            yield from self.zero_in_part()

    def zero(self) -> Iterator[str]:
        """The cuts, each Value that they reach once if its shares cancel."""
        if not np.size(self.gradient):
            yield f"{self.names[self.w]} has no entries"
            return
        found, told = dict[str, Node](), set[Node]()
        places = cuts(self.nodes, self.between, self.table)
        for node, i in places:
            operand = node.args[i]
            if operand not in told:
                sum_text = cancelled(operand, self.table, self.uses[operand], self.names)
                text = sum_text or reason((node, i), self.table[node], self.names)
                found[text] = node
                told |= {operand} if sum_text else set()
        yield "it is cut here:" if len(found) == 1 else f"every path is cut, at one of these {len(found):,} places:"
        for text, node in list(found.items())[:LISTED]:
            yield from self.told(text, node)
        if len(found) > LISTED:
            yield f"  +{len(found) - LISTED:,} more places"
        yield from self.ancestors(set(places))

    def ancestors(self, places: set[Hop]) -> Iterator[str]:
        """Switches that are closed as well, farther from the result than the cuts."""
        closed = [hop for hop, count, total in switches(self.nodes, self.between) if count == total]
        farther = [hop for hop in closed if hop not in places and not np.any(self.table[hop[0]])]
        if farther:
            yield "closed as well, farther from the result:"
        for hop in farther[:LISTED]:
            yield from self.told(reason(hop, np.ones_like(hop[0].data), self.names), hop[0])

    def zero_in_part(self) -> Iterator[str]:
        """How many entries are zero, and the switches on the way."""
        zeros, total = int(np.sum(self.gradient == 0)), np.size(self.gradient)
        yield f"zero in {zeros:,} of {total:,} entries"
        for hop, closed, size in list(switches(self.nodes, self.between))[:LISTED]:
            yield from self.told(f"{factor(hop, self.names)}: closed for {closed:,} of {size:,} entries", hop[0])

    def tiny(self) -> Iterator[str]:
        """The sums that leave only rounding; else the smallest factors of the largest path."""
        sums = dict[str, Node]()
        for node in self.nodes if self.between else ():
            if node in self.between and (text := cancelled(node, self.table, self.uses[node], self.names)):
                sums[text] = node
            for i, arg in enumerate(node.args if node in self.between else ()):
                if isinstance(arg, Node) and arg in self.between:
                    text = smeared((node, i), self.table[node], self.names)
                    sums |= {text: node} if text else {}
        for text, node in list(sums.items())[:LISTED]:
            yield from self.told(text, node)
        if not sums:
            yield from self.weakest()

    def weakest(self) -> Iterator[str]:
        """The factors of the largest path that make it small."""
        path = find_paths(self.nodes, self.w, self.gradient).listed[0]
        g, gains = seed(self.loss, None), list[float]()
        for hop in path.hops:
            before, g = wording.norm(g), pull(hop, g)
            gains.append(wording.norm(g) / before if before else 0.0)
        small = sorted((k for k, gain in enumerate(gains) if gain < 1.0), key=gains.__getitem__)[:WEAKEST]
        yield f"it vanishes: a product of {len(gains):,} factors, of which the smallest are"
        for k in sorted(small):
            text = factor(path.hops[k], self.names)
            yield from self.told(f"{text}, which makes it {wording.number(gains[k])} times as large", path.hops[k][0])

    def not_finite(self) -> Iterator[str]:
        """The hop at which it begins going backward, and the numbers of the forward pass behind that."""
        birth = backward_birth(self.nodes, self.between, self.table)
        if birth is None:
            yield "its shares are finite, and their sum is not"
            return
        (node, i), share = birth
        yield "going backward, it begins here:"
        text = passed_on((node, i), self.table[node], share, self.names)
        yield from self.told(f"{factor((node, i), self.names)} {text}", node)
        if not all(map(finite, node.saved)):
            yield "because of a number from the forward pass:"
            yield from self.births(node)

    def births(self, root: Node) -> Iterator[str]:
        """Where a number of the forward pass stopped being finite."""
        for node, text in forward_births(root, self.names):
            op = "" if node.op is None else f" ({node.op.name})"
            yield from self.told(f"{self.names[node]}{op} {text}", node)

    def told(self, text: str, node: Node) -> Iterator[str]:
        """A finding, and the line of the program that it is about."""
        place = line_of(node)
        self.unnoted |= place is None
        yield f"  {text}"
        if place is not None:
            yield f"    {where(place)}"
