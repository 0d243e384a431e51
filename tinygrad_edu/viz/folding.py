"""Folding: a module call as one box, and what is repeated as one box with a count.

Operations are cut, in their order of computation, into runs of one module call each; a run is an interval of that
order, so the folded graph has no cycles. Neighbouring units that repeat, such as sixteen equal layers or the steps of
a loop, then become one.

Source: runs in periodic sequences, Main, "Detecting leftmost maximal periodicities" (1989).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz.naming import titled
from tinygrad_edu.viz.wording import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tinygrad_edu.recording import Scope
    from tinygrad_edu.viz.replay import Hop

LONGEST_PERIOD = 64
FEW = 24
FEWEST = 4
SHOWN = 8


@dataclass
class Unit:
    """Values that are drawn as one box: of one module call, of a repetition, or a single one."""

    nodes: list[Node]
    scope: Scope | None
    title: str
    repeats: int = 1

    @property
    def result(self) -> Node:
        """The Value computed last."""
        return self.nodes[-1]


def folded(
    nodes: Sequence[Node], uses: Mapping[Node, Sequence[Hop]], alone: frozenset[Node], few: int = FEW
) -> list[Unit]:
    """The units of a graph, operands first.

    Parameters
    ----------
    nodes
        The graph, operands first.
    uses
        The consumers of each node.
    alone
        Values that keep a box of their own.
    few
        Up to how many units repetitions are left as they are.
    """
    units = by_module([node for node in nodes if node.op is not None], alone)
    if len(units) > few:
        units = by_repetition(units, alone)
    return with_variables(units, [node for node in nodes if node.op is None], uses, alone)


def by_module(results: Sequence[Node], alone: frozenset[Node]) -> list[Unit]:
    """Runs of results that one module call computed; results outside of modules one by one."""
    units: list[Unit] = []
    for node in results:
        scope = node.scope if node.scope.kind and node not in alone else None
        if scope is not None and units and units[-1].scope is scope:
            units[-1].nodes.append(node)
            continue
        assert node.op is not None
        units.append(Unit([node], scope, titled(scope) if scope else node.op.glyph))
    return units


def by_repetition(units: list[Unit], alone: frozenset[Node]) -> list[Unit]:
    """The units with each repetition folded into one, the longest repetitions first."""
    numbers: dict[Any, int] = {}
    signs = np.array([numbers.setdefault(signature(unit, alone), len(numbers)) for unit in units])
    kept, start = list[Unit](), 0
    for first, period, count in sorted(repetitions(signs)):
        kept += units[start:first]
        start = first + period * count
        kept.append(joined(units[first:start], period, count))
    return kept + units[start:]


def signature(unit: Unit, alone: frozenset[Node]) -> Any:
    """What repeated units have in common: the class of the module and the operations; nothing if it stays alone."""
    if unit.result in alone:
        return id(unit)
    return unit.scope and unit.scope.kind, tuple(node.op.name for node in unit.nodes if node.op is not None)


def repetitions(signs: Any) -> list[tuple[int, int, int]]:
    """Where a sequence repeats: start, period and count of disjoint repetitions, those that cover most first."""
    found: list[tuple[int, int, int]] = []
    for period in range(1, min(LONGEST_PERIOD, len(signs) // FEWEST) + 1):
        same = np.concatenate([[False], signs[period:] == signs[:-period], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1])
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if (count := (last - first) // period + 1) >= FEWEST:
                found.append((first, period, count))
    found.sort(key=lambda run: (-run[1] * run[2], run[1]))
    taken, chosen = np.zeros(len(signs), dtype=bool), list[tuple[int, int, int]]()
    for first, period, count in found:
        span = slice(first, first + period * count)
        if not taken[span].any():
            taken[span] = True
            chosen.append((first, period, count))
    return chosen


def joined(units: Sequence[Unit], period: int, count: int) -> Unit:
    """One unit for a repetition, named after what is repeated."""
    parts = [clean(unit.scope.kind) if unit.scope else unit.title for unit in units[:period]]
    title = ", ".join(parts[:SHOWN]) + (", ..." if period > SHOWN else "")
    return Unit([node for unit in units for node in unit.nodes], None, title, count)


def with_variables(
    units: Sequence[Unit], variables: Sequence[Node], uses: Mapping[Node, Sequence[Hop]], alone: frozenset[Node]
) -> list[Unit]:
    """The units with the variables: inside the one that uses them, if it is a module call or uses many."""
    home = {id(node): i for i, unit in enumerate(units) for node in unit.nodes}
    inside: dict[int, list[Node]] = {}
    outside: dict[int, list[Unit]] = {}
    for node in variables:
        users = {home[id(consumer)] for consumer, _ in uses[node]}
        if len(users) == 1 and node not in alone and len(units[min(users)].nodes) > 1:
            inside.setdefault(min(users), []).append(node)
        else:
            outside.setdefault(min(users, default=0), []).append(Unit([node], None, ""))
    placed: list[Unit] = []
    for i, unit in enumerate(units):
        own = inside.get(i, [])
        if unit.scope is None and len(own) <= SHOWN:
            placed += [Unit([node], None, "") for node in own]
            own = []
        unit.nodes[:0] = own
        placed += [*outside.get(i, []), unit]
    return placed or [unit for found in outside.values() for unit in found]
