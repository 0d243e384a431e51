"""The backward pass as a list of pulls, in the order in which they happen.

A pull takes the gradient of a result back to one of its operands: the gradient from above, times the local
derivative, is added to what the operand has. An operand is finished once all of its consumers have pulled, and only
then is it pulled through itself; so the order is reverse topological.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2 (reverse accumulation).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.caption import fraction
from tinygrad_edu.viz.formula import bracketed, evaluated, formula, glyph
from tinygrad_edu.viz.lines import line_of
from tinygrad_edu.viz.naming import Names
from tinygrad_edu.viz.replay import consumers, gradients, pull
from tinygrad_edu.viz.terminal import Text, laid_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from tinygrad_edu.viz.replay import Hop

LINES = 200


@dataclass(frozen=True)
class Pull:
    """One operand receives its share of the gradient of one result; every number is text.

    Attributes
    ----------
    node, place, operand
        The hop: a result, which of its operands, and that operand.
    step, target
        Where the result and the operand stand in the list of nodes, counted from 0.
    result, name, glyph
        What the result and the operand are called, and how the operation is shown.
    derivative, formula, local
        The local derivative: by name, by formula, and as a number or a shape.
    upstream, share, contribution
        The gradient of the result; what the operand is given; the product of the two factors as an equation, where
        it is one of numbers, else the share alone.
    before, after
        What the operand had, and what it has now.
    done, total
        How many consumers of the operand have pulled, this one included, and how many there are.
    """

    node: Node
    place: int
    operand: Node
    step: int
    target: int
    result: str
    name: str
    glyph: str
    derivative: str
    formula: str
    local: str
    upstream: str
    share: str
    contribution: str
    before: str
    after: str
    done: int
    total: int

    @property
    def progress(self) -> str:
        """How many of the operand's consumers have pulled: `2 of 3`."""
        return f"{self.done:,} of {self.total:,}"

    @property
    def accumulation(self) -> str:
        """The sum as it grows: `w1.grad: 0.29 += 0.4265 -> 0.7165`."""
        return f"{self.name}.grad: {self.before} += {self.share} -> {self.after}"


def pulls(
    nodes: Sequence[Node], gradients: Mapping[Node, Any], uses: Mapping[Node, Sequence[Hop]], names: Names
) -> list[Pull]:
    """Every pull of a backward pass, in order; no `.grad` is read or written.

    Parameters
    ----------
    nodes
        The graph in reverse topological order, the result first.
    gradients
        The finished gradient of each node, as `replay.gradients` gives it.
    uses
        The consumers of each node.
    names
        What the nodes are called.
    """
    return list(pulling(nodes, gradients, uses, names))


def pulling(
    nodes: Sequence[Node], gradients: Mapping[Node, Any], uses: Mapping[Node, Sequence[Hop]], names: Names
) -> Iterator[Pull]:
    """The pulls one by one, for who needs the first few only."""
    places = {node: i for i, node in enumerate(nodes)}
    sums: dict[Node, Any] = {}
    done = dict.fromkeys(nodes, 0)
    for node in nodes if gradients else ():
        for i, operand in enumerate(node.args):
            if isinstance(operand, Node):
                share, before = pull((node, i), gradients[node]), sums.get(operand)
                sums[operand] = share if before is None else added(before, share)
                done[operand] += 1
                yield Pull(
                    **entry((node, i), gradients[node], share, names),
                    step=places[node], target=places[operand],
                    before="0" if before is None else wording.array(before), after=wording.array(sums[operand]),
                    done=done[operand], total=len(uses[operand]),
                )  # fmt: skip


def added(before: Any, share: Any) -> Any:
    """A sum that overflows in silence, as the replay does."""
    with np.errstate(all="ignore"):
        return before + share


def entry(hop: Hop, g: Any, share: Any, names: Names) -> dict[str, Any]:
    """What a pull says about its hop and its numbers, whatever happened before."""
    node, i = hop
    result, operands = names[node], called(node, names)
    figure, _ = evaluated(hop)
    upstream, given = wording.array(g), wording.array(share)
    return {
        "node": node, "place": i, "operand": node.args[i], "glyph": glyph(node), "result": result,
        "name": operands[i], "derivative": fraction(result, operands[i]),
        "formula": formula(hop, result, operands), "local": figure, "upstream": upstream, "share": given,
        "contribution": given if figure.startswith("(") else f"{upstream} * {bracketed(figure)} = {given}",
    }  # fmt: skip


def called(node: Node, names: Names) -> list[str]:
    """What the operands of a node are called; a constant without a name by its numbers, if they are few."""
    return [
        names[arg] if isinstance(arg, Node) else names.constant(arg) or few(node.saved[i + 1])
        for i, arg in enumerate(node.args)
    ]


def few(data: Any) -> str:
    """The numbers of an array, or the word for it."""
    return wording.array(data) if np.size(data) <= wording.FULL else "constant"


def steps(loss: Any, *, names: Mapping[str, Any] | None = None) -> Text:
    """Tell the backward pass step by step: gradient from above, times local derivative, added to what was there.

    Parameters
    ----------
    loss
        The result.
    names
        What to call Values and arrays that have no name of their own, such as `locals()`.

    Raises
    ------
    TypeError
        If `loss` is not a Value.
    ValueError
        If it is not a single number.
    """
    if not isinstance(loss, Node):
        raise TypeError(errors.constants_only(loss))
    if loss.data.size != 1:
        raise ValueError(errors.not_scalar(loss.name, loss.data.shape))
    nodes = toposort(loss)
    return ledger(nodes, gradients(loss), consumers(nodes), Names(nodes[::-1], names))


def ledger(
    nodes: Sequence[Node], gradients: Mapping[Node, Any], uses: Mapping[Node, Sequence[Hop]], names: Names
) -> Text:
    """The pulls as numbered lines, as far as there is room; for the parameters see `pulls`."""
    total = sum(map(len, uses.values()))
    told = islice(pulling(nodes, gradients, uses, names), LINES)
    lines = [f"backward from {names[nodes[0]]}: {total:,} steps, each after all steps that reach its result"]
    lines += [f"{k:>4} {line(entry)}" for k, entry in enumerate(told, 1)]
    lines += [f" ... {total - LINES:,} more steps"] if total > LINES else []
    return laid_out(lines)


def line(step: Pull) -> str:
    """A pull as one line."""
    factor = f"{step.derivative} = {step.formula}" if step.formula not in ("", step.local) else step.derivative
    waiting = f" ({step.progress})" if step.total > 1 else ""
    place = line_of(step.node)
    made = "" if place is None else f" | {place}"
    return f"{factor} = {step.local} | {step.contribution} | {step.accumulation}{waiting}{made}"
