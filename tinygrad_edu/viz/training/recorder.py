"""`Recorder`: hears the gradients that a program asks for, and makes of them the steps of a training.

An optimiser is not watched, only what it leaves behind. A step is what lies between two changes of the parameters:
when gradients are asked for and the parameters have changed since, or `.grad` was cleared, the step before is over,
and the update is the difference. So any optimiser will do, and passes that add up to one gradient are one step.

Gradients that are only returned, as by `te.gradients`, make passes too, unless the step has a `backward()`: then they
were looked at, not learned from. Of two such passes of which one goes through the result of the other, the longer
counts: so it is with the gradient inside a gradient penalty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import NUMBER, Node, ancestors, has_no_past, to_keep
from tinygrad_edu.listeners import Listener
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.model.replay import Edge, entry_slopes
from tinygrad_edu.viz.training.history import Array, Flags, History

USE = "watch a model with named_parameters(), a dict of Values, a list of Values, or a Value"


class Recorder(Listener):
    """Takes in the passes through some parameters, given by name; `history` holds the steps that are over."""

    def __init__(self, parameters: Mapping[str, Node]) -> None:
        self.parameters = list(parameters.values())
        self.history = History(list(parameters), [np.shape(p.array) for p in self.parameters])
        self.under_way: Step | None = None

    def differentiated(self, root: Node, seed: Any, gradients: Mapping[Node, Any], added: bool) -> None:
        """Take in a pass, before its gradients are added to `.grad`."""
        if not any(p in gradients for p in self.parameters):
            return
        self.history.reached |= [p in gradients for p in self.parameters]
        self.history.replaced |= replaced(root, self.parameters)
        now, left = self.vector(), self.leftovers()
        if self.under_way is not None and self.is_over(self.under_way, now, added and not left.any()):
            self.settle(now)
        step = self.under_way = self.under_way or Step(list(map(to_keep, self.parameters)), now)
        nodes = ancestors(root)
        with np.errstate(all="ignore"):
            loss = float(np.sum(np.multiply(seed, root.saved[0] if root.saved else root.array)))
            gradient = self.held(gradients, added)
            for name, units in open_units(nodes).items():
                step.open[name] = either(step.open.get(name), units)
        if not added:
            step.take(Returned(root.number, set(map(NUMBER, nodes)), loss, gradient))
            return
        step.left = step.left if step.losses else left
        step.added = gradient
        step.losses.append(loss)

    def finish(self) -> None:
        """End the recording: what the parameters are now is the result of the last step."""
        if self.under_way is not None:
            self.settle(self.vector())

    def settle(self, after: Array) -> None:
        """End the step under way; the parameters are now those after it."""
        step, self.under_way = self.under_way, None
        assert step is not None
        losses = step.losses or [returned.loss for returned in step.returned]
        update = self.history.add(sum(losses), len(losses), step.data, step.gradient(), after)
        self.history.add_units(step.open)
        self.history.leftovers += step.left & (update > 0)

    def is_over(self, step: Step, now: Array, cleared: bool) -> bool:
        """Whether the step under way is over: `.grad` was cleared, or a parameter rebound or changed in place."""
        rebound = any(to_keep(p) is not found for p, found in zip(self.parameters, step.found, strict=True))
        return rebound or bool(cleared and step.losses) or not np.array_equal(now, step.data)

    def leftovers(self) -> Flags:
        """Which parameters have a gradient already."""
        return np.array([p.gradient is not None and bool(np.any(p.gradient)) for p in self.parameters])

    def vector(self) -> Array:
        """The parameters now, copied into one long vector."""
        return long_vector([p.array for p in self.parameters])

    def held(self, gradients: Mapping[Node, Any], added: bool) -> Array:
        """The gradients of a pass, with what is in `.grad` if they are added to it, as one long vector."""
        parts = []
        for p, shape in zip(self.parameters, self.history.shapes, strict=True):
            g = gradients.get(p)
            if added and p.gradient is not None:
                g = p.gradient if g is None else p.gradient + g
            parts.append(np.full(shape, np.nan) if g is None else g)
        return long_vector(parts)


@dataclass(eq=False)
class Returned:
    """A pass that only returned its gradients: from which result, by its number, and through which others."""

    root: int
    through: set[int]
    loss: float
    gradient: Array


class Step:
    """A step under way: the arrays it found, a copy of them as one long vector, and what its passes have brought."""

    def __init__(self, found: list[Any], data: Array) -> None:
        self.found = found
        self.data = data
        self.losses: list[float] = []  # that `backward()` was called on
        self.added = np.full(data.shape, np.nan)  # what `.grad` holds with all of them
        self.left: Flags = np.zeros(len(found), dtype=bool)  # which parameters had a gradient before the first
        self.returned: list[Returned] = []  # the passes that only returned their gradients
        self.open: dict[str, Flags] = {}  # by layer: which units were open in any of the passes

    def take(self, new: Returned) -> None:
        """Add a pass; of two of which one goes through the result of the other, the longer stays."""
        for other in self.returned:
            if new.root in other.through:
                other.gradient = first_known(other.gradient, new.gradient)
                return
        for part in [other for other in self.returned if other.root in new.through]:
            new.gradient = first_known(new.gradient, part.gradient)
            self.returned.remove(part)
        self.returned.append(new)

    def gradient(self) -> Array:
        """The gradient of each parameter as one long vector: the sum over the passes; nan where none came."""
        total = np.full(self.data.shape, np.nan)
        with np.errstate(invalid="ignore"):
            for returned in self.returned:
                total = first_known(total + returned.gradient, first_known(total, returned.gradient))
        return first_known(self.added, total)


def first_known(vector: Array, other: Array) -> Array:
    """The entries of a vector, and where they are nan those of another one."""
    return np.where(np.isnan(vector), other, vector)


def replaced(root: Node, parameters: list[Node]) -> list[bool]:
    """Which parameters a result was made from as `w - lr * w.grad`: a new Value in place of the parameter."""
    found = {
        node.args[0]
        for node in ancestors(root)
        if node.op is not None
        and node.op.name in ("add", "subtract")
        and isinstance(node.args[0], Node)
        and not isinstance(node.args[1], Node)
        and parallel(node.args[1], node.args[0].gradient)
    }
    return [p in found for p in parameters]


def parallel(step: Any, gradient: Any) -> bool:
    """Whether an array is a number times a gradient, both not 0."""
    if gradient is None or np.shape(step) != np.shape(gradient) or not np.any(gradient) or not np.any(step):
        return False
    factor = np.sum(np.multiply(step, gradient)) / np.sum(np.square(gradient))
    return bool(np.allclose(step, factor * gradient))


def long_vector(arrays: list[Any]) -> Array:
    """Arrays one after the other, copied, as float64."""
    return np.concatenate([np.ravel(a) for a in arrays], dtype=np.float64)


def open_units(nodes: Iterable[Node]) -> dict[str, Flags]:
    """For every layer of switches, such as ReLU, by its name: which of the units some row opens.

    A switch is an elementwise function with a kink and one variable. A unit is one position on the last axis; it is
    open if the local derivative is not 0 for at least one row of the batch. The calls of one module are one layer.
    """
    found: dict[str, Flags] = {}
    seen: dict[tuple[object, str], int] = {}
    for node in sorted(filter(is_switch, nodes), key=NUMBER):
        assert node.op is not None
        name = clean(f"{node.scope.path} {node.op.name}")
        place = seen[node.scope, name] = seen.get((node.scope, name), 0) + 1
        label = f"{name} {place}" if place > 1 else name
        units: Flags = (slopes(node) != 0).reshape(-1, node.array.shape[-1]).any(axis=0)
        found[label] = either(found.get(label), units)
    return found


def is_switch(node: Node) -> bool:
    """Whether a Value is the result of a switch, with at least one axis."""
    op = node.op
    if op is None or not op.elementwise or not op.kinks or np.ndim(node.array) == 0:
        return False
    return sum(isinstance(arg, Node) for arg in node.args) == 1


def slopes(node: Node) -> Array:
    """The local derivative at each entry of a switch."""
    assert node.op is not None
    if node.op.name == "relu":
        return np.asarray(node.saved[0])  # 0 exactly where the slope is, and already there
    side = next(i for i, arg in enumerate(node.args) if isinstance(arg, Node))
    return np.asarray(entry_slopes(Edge(node, side)))


def either(before: Flags | None, units: Flags) -> Flags:
    """The units that are open in one of two calls; those of the last one if the width of the layer has changed."""
    return units if before is None or before.shape != units.shape else units | before


def named(watched: Any) -> dict[str, Node]:
    """The parameters of what is to be watched, by name; each Value once, and none without entries."""
    found: dict[str, Node] = {}
    seen: set[Node] = set()
    for given, value in listed(watched):
        if not isinstance(value, Node):
            raise refusal(TypeError, f"{clean(given)} is a {type(value).__name__}, not a Value: {USE}")
        if value.op is not None or has_no_past(value):
            origin = value.op.name if value.op is not None else "no_grad()"
            raise refusal(
                TypeError,
                f"{clean(given)} is the result of {origin}, not a parameter: watch the Values that it was made from, "
                "whose data the training changes",
            )
        if value not in seen and np.size(value.array):
            seen.add(value)
            name = clean(given) or "parameter"
            same = sum(other == name or other.startswith(f"{name} (") for other in found)
            found[f"{name} ({same + 1})" if same else name] = value
    if not found:
        raise refusal(ValueError, f"no parameters to watch in the {type(watched).__name__}: {USE}")
    return found


def listed(watched: Any) -> list[tuple[str, Any]]:
    """Name and Value of each thing to be watched, as given."""
    if hasattr(watched, "named_parameters"):
        return list(watched.named_parameters())
    if isinstance(watched, Node):
        return [(watched.name or "value", watched)]
    if isinstance(watched, dict):
        return [(str(name), value) for name, value in watched.items()]
    if isinstance(watched, list | tuple):
        return [(getattr(value, "name", None) or f"[{i}]", value) for i, value in enumerate(watched)]
    raise refusal(TypeError, f"a {type(watched).__name__} was given: {USE}")
