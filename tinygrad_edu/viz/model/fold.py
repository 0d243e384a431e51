"""Folding, for large graphs and the module zoom: a module call as one box, what is repeated as one box with a count.

Operations are cut, in their order of computation, into runs of one module call each; a run is an interval of that
order, so the folded graph has no cycles. Neighbouring units that repeat, such as sixteen equal layers or the steps of
a loop, then become one. Of what is still too large, the part around the result is drawn.

Source: the model graphs of TensorBoard, Wongsuphasawat et al., "Visualizing Dataflow Graphs of Deep Learning Models
in TensorFlow" (2018); runs in periodic sequences, Main, "Detecting leftmost maximal periodicities" (1989).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.recording import Scope
from tinygrad_edu.viz.model.detail import flags, value_box
from tinygrad_edu.viz.model.formula import ChainRule
from tinygrad_edu.viz.model.names import clean, titled
from tinygrad_edu.viz.model.records import Arrow, Box, Diagram
from tinygrad_edu.viz.model.replay import Edge, Replay, operand_edges

LONGEST_PERIOD = 64
"""Repetitions of more units than this are not looked for: each period costs a pass over all units."""

FEWEST = 4
"""What is repeated less often is drawn as often."""

FEW = 24
"""Up to so many units repetitions are left as they are: they fit on a page."""

SHOWN = 8
"""So many of the operations in a repetition are named, and so many variables of one stand in boxes of their own."""

MOST = 150
"""The units drawn, the nearest to the result: as many boxes as are drawn with everything."""

SEARCHED = 5_000
"""In larger graphs flags inside of folded boxes are not looked for, since that asks every Value."""


class Folding:
    """The units of a graph, which of them enters which, and which are drawn; on wanted paths if there is a chain."""

    def __init__(self, replay: Replay, chain: ChainRule | None) -> None:
        self.replay = replay
        self.chain = chain
        centre = replay.root if chain is None else chain.paths.to
        self.units = units(replay.nodes[::-1], replay.uses, frozenset({replay.root, centre}))
        self.home = {node: i for i, unit in enumerate(self.units) for node in unit.nodes}
        self.links = self.linked()
        self.drawn = self.nearest(self.home[centre])
        self.centre = replay.names[centre]

    def linked(self) -> dict[tuple[int, int], list[Edge]]:
        """Which unit enters which, and by which edges."""
        links: dict[tuple[int, int], list[Edge]] = {}
        for node in self.replay.nodes:
            for edge in operand_edges(node):
                ends = (self.home[edge.operand], self.home[node])
                if ends[0] != ends[1]:
                    links.setdefault(ends, []).append(edge)
        return links

    def nearest(self, centre: int) -> list[int]:
        """The units fewest steps away from one, in either direction; all of them if they are few."""
        near: dict[int, list[int]] = {}
        for tail, head in self.links:
            near.setdefault(tail, []).append(head)
            near.setdefault(head, []).append(tail)
        seen = {centre}
        waiting = deque([centre])
        found: list[int] = []
        while waiting and len(found) < MOST:
            found.append(waiting.popleft())
            for unit in near.get(found[-1], []):
                if unit not in seen:
                    seen.add(unit)
                    waiting.append(unit)
        return sorted(found)

    def diagram(self) -> Diagram:
        """The folded graph as data; the edges between two units share one arrow."""
        ids = {unit: f"v{unit + 1}" for unit in self.drawn}
        between = {ends: edges for ends, edges in self.links.items() if ends[0] in ids and ends[1] in ids}
        arrows = {ends: self.arrow(f"e{k}", ends, ids) for k, ends in enumerate(between, 1)}
        return Diagram(
            boxes=tuple(self.box(i, ids[i]) for i in self.drawn),
            operations=(),
            arrows=tuple(arrows.values()),
            detail="folded",
            note=self.note(),
            chain=self.chain,
            box_ids={node: ids[unit] for node, unit in self.home.items() if unit in ids},
            drawn_operations={},
            arrow_ids={edge: arrows[ends].id for ends, edges in between.items() for edge in edges},
        )

    def arrow(self, number: str, ends: tuple[int, int], ids: Mapping[int, str]) -> Arrow:
        """From one unit to another; on a wanted path if one of its edges is."""
        wanted = self.chain is not None and any(map(self.chain.paths.along, self.links[ends]))
        return Arrow(number, ids[ends[0]], ids[ends[1]], wanted=wanted)

    def box(self, i: int, number: str) -> Box:
        """The box of a unit: a single Value as always, otherwise what was folded and what comes out of it."""
        unit = self.units[i]
        alone = value_box(self.replay, unit.result, number)
        if len(unit.nodes) == 1 and unit.scope is None:
            return alone
        return replace(
            alone,
            name=unit.title,
            kind="module",
            flags=self.flags(unit),
            line=None,
            repeats=unit.repeats,
            size=len(unit.nodes),
        )

    def flags(self, unit: Unit) -> tuple[str, ...]:
        """What should not be overlooked inside a folded box, each flag once; not looked for in the largest graphs."""
        if len(self.replay.nodes) > SEARCHED:
            return ()
        found = (flag for node in unit.nodes for flag in flags(self.replay, node))
        return tuple(dict.fromkeys(f"inside: {flag}" for flag in found))

    def note(self) -> str:
        """What was folded, and what was left out."""
        total = len(self.replay.nodes)
        kept = sum(len(self.units[i].nodes) for i in self.drawn)
        lines = [f"{total:,} values in {len(self.units):,} boxes: module calls and repetitions are folded"]
        if total > kept:
            lines.append(f"... and {total - kept:,} more values, farther from {self.centre}")
        return "\n".join(lines)


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


def units(
    nodes: Sequence[Node], uses: Mapping[Node, Sequence[Edge]], alone: frozenset[Node], few: int = FEW
) -> list[Unit]:
    """The units of a graph, operands first as the nodes are; the Values `alone` keep a box of their own."""
    found = by_module([node for node in nodes if node.op is not None], alone)
    if len(found) > few:
        found = by_repetition(found, alone)
    return with_variables(found, [node for node in nodes if node.op is None], uses, alone)


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
    kept: list[Unit] = []
    start = 0
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
    taken = np.zeros(len(signs), dtype=bool)
    chosen: list[tuple[int, int, int]] = []
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
    units: Sequence[Unit], variables: Sequence[Node], uses: Mapping[Node, Sequence[Edge]], alone: frozenset[Node]
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
