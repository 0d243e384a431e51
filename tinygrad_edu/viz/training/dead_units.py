"""Dead units: columns of a ReLU that no row opens any more, so that nothing behind them learns.

A unit is one position on the last axis of a switch: an elementwise function with a kink and one variable, such as
ReLU, whose slope is 0 on one side. It is open if its local derivative is not 0 for at least one row of the batch.
With small batches a unit is closed now and then; it is called dead if it has been for `PATIENCE` steps, or always.

Source: Lu, Shin, Su and Karniadakis, "Dying ReLU and initialization" (2020).
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.graph import NUMBER, Node
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.model.replay import Edge, entry_slopes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

PATIENCE = 10


def opened(nodes: Iterable[Node]) -> dict[str, Flags]:
    """For every layer of switches, by its name: which of the units some row opens.

    The calls of one module are one layer: a unit is open if any of them opens it.
    """
    found: dict[str, Flags] = {}
    seen: dict[tuple[object, str], int] = {}
    for node in sorted((node for node in nodes if is_switch(node)), key=NUMBER):
        assert node.op is not None
        name = clean(f"{node.scope.path} {node.op.name}")
        place = seen[node.scope, name] = seen.get((node.scope, name), 0) + 1
        units = open_units(node)
        label = f"{name} {place}" if place > 1 else name
        found[label] = found[label] | units if label in found and found[label].shape == units.shape else units
    return found


def is_switch(node: Node) -> bool:
    """Whether a Value is the result of a switch, with at least one axis."""
    op = node.op
    if op is None or not op.elementwise or not op.kinks or np.ndim(node.data) == 0:
        return False
    return sum(isinstance(arg, Node) for arg in node.args) == 1


def open_units(node: Node) -> Flags:
    """Which of the units of a switch have a local derivative other than 0, for at least one row."""
    assert node.op is not None
    if node.op.name == "relu":
        slope = node.saved[0]  # 0 exactly where the slope is, and already there
    else:
        side = next(i for i, arg in enumerate(node.args) if isinstance(arg, Node))
        slope = np.asarray(entry_slopes(Edge(node, side)))
    units: Flags = (slope != 0).reshape(-1, slope.shape[-1]).any(axis=0)
    return units


class Census:
    """For how long the units of each layer have been closed."""

    def __init__(self) -> None:
        self.closed: dict[str, np.ndarray[Any, np.dtype[np.int_]]] = {}

    def count(self, opened: dict[str, Flags]) -> dict[str, tuple[int, int]]:
        """Take in a step; returns how many units each layer has, and how many of them are dead."""
        for name, units in opened.items():
            before = self.closed.get(name)
            if before is None or before.shape != units.shape:
                before = np.full(units.shape, PATIENCE)
            self.closed[name] = np.where(units, 0, before + 1)
        return {name: (len(units), int((self.closed[name] >= PATIENCE).sum())) for name, units in opened.items()}
