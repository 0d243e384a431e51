"""`Recorder`: backward passes become the steps of a training.

An optimiser is not watched, only what it leaves behind. A step is what lies between two changes of the parameters:
when a backward pass finds them changed, or its predecessor's gradients cleared, the step before is over, and the
update is the difference. So any optimiser will do, and passes that add up to one gradient are one step. Gradients
that are only returned, by `te.gradients` and `te.value_and_grad`, count as those that `backward()` adds to `.grad`.

Source: none; the definition is that of gradient accumulation.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.errors import user_line
from tinygrad_edu.graph import Node, ancestors
from tinygrad_edu.listeners import Listener
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.training.dead_units import Census, opened
from tinygrad_edu.viz.training.history import History

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tinygrad_edu.viz.training.dead_units import Flags
    from tinygrad_edu.viz.training.history import Array

USE = "watch a model with named_parameters(), a dict of Values, a list of Values, or a Value"


class Recorder(Listener):
    """Takes in backward passes through some parameters.

    Parameters
    ----------
    parameters
        Name to Value.

    Attributes
    ----------
    history
        The steps that are over.
    """

    def __init__(self, parameters: dict[str, Node]) -> None:
        self.parameters = list(parameters.values())
        self.history = History(list(parameters), [np.shape(p.data) for p in self.parameters])
        self.census = Census()
        self.under_way: Step | None = None

    def differentiated(self, root: Node, seed: Any, gradients: Mapping[Node, Any], added: bool) -> None:
        """Take in a backward pass, before its gradients are added to `.grad`."""
        if not any(p in gradients for p in self.parameters):
            return
        now, left = self.vector(), self.leftovers()
        if self.under_way is not None and (self.moved(now) or (added and not left.any())):
            self.settle(now)
        step = self.under_way = self.under_way or Step([p.data for p in self.parameters], now, left)
        with np.errstate(all="ignore"):
            loss = float(np.sum(np.multiply(seed, root.saved[0] if root.saved else root.data)))
            step.take(loss, self.held(gradients, added), opened(ancestors(root)))

    def finish(self) -> None:
        """End the recording: what the parameters are now is the result of the last step."""
        if self.under_way is not None:
            self.settle(self.vector())

    def settle(self, after: Array) -> None:
        """End the step under way."""
        step, self.under_way = self.under_way, None
        assert step is not None
        update = self.history.add(step.loss, step.passes, step.data, step.gradient, after)
        self.history.note_dead(self.census.count(step.opened))
        self.history.leftovers += step.left & (update > 0)

    def leftovers(self) -> Flags:
        """Which parameters have a gradient already."""
        return np.array([p.grad is not None and bool(np.any(p.grad)) for p in self.parameters])

    def moved(self, now: Array) -> bool:
        """Whether a parameter was rebound, or changed in place, since the step under way began."""
        step = self.under_way
        assert step is not None
        rebound = any(p.data is not found for p, found in zip(self.parameters, step.found, strict=True))
        return rebound or not np.array_equal(now, step.data)

    def vector(self) -> Array:
        """The parameters now, copied into one long vector."""
        for p, name, shape in zip(self.parameters, self.history.names, self.history.shapes, strict=True):
            if np.shape(p.data) != shape:
                raise ValueError(
                    f"{name} had shape {shape} when viz.watch began, and has {np.shape(p.data)} now: "
                    f"watch again from here ({user_line()})"
                )
        return long_vector([p.data for p in self.parameters])

    def held(self, gradients: Mapping[Node, Any], added: bool) -> Array:
        """The gradient of the step with this pass, as one long vector; nan where none came.

        What `backward()` adds up is in `.grad`; what is only returned is added up here.
        """
        parts = []
        for p, shape in zip(self.parameters, self.history.shapes, strict=True):
            g = gradients.get(p)
            if added and p.grad is not None:
                g = p.grad if g is None else p.grad + g
            parts.append(np.full(shape, np.nan) if g is None else g)
        now, step = long_vector(parts), self.under_way
        if added or step is None or not step.passes:
            return now
        return np.where(np.isnan(now), step.gradient, np.where(np.isnan(step.gradient), now, step.gradient + now))


class Step:
    """A step under way: the parameters as it found them, and what its passes have brought so far."""

    def __init__(self, found: list[Any], data: Array, left: Flags) -> None:
        self.found, self.data, self.left = found, data, left
        self.loss, self.passes = 0.0, 0
        self.opened: dict[str, Flags] = {}

    def take(self, loss: float, gradient: Array, opened: dict[str, Flags]) -> None:
        """Add a backward pass: losses add up, as gradients do; a unit is open if it was so in any of the passes."""
        self.loss += loss
        self.passes += 1
        self.gradient = gradient
        for name, units in opened.items():
            before = self.opened.get(name)
            self.opened[name] = units if before is None or before.shape != units.shape else units | before


def long_vector(arrays: list[Any]) -> Array:
    """Arrays one after the other, copied, as float64."""
    return np.concatenate([np.ravel(a) for a in arrays], dtype=np.float64)


def named(watched: Any) -> dict[str, Node]:
    """The parameters of what is to be watched, by name; each Value once, and none without entries.

    Raises
    ------
    TypeError
        For anything but a model, a dict or list of Values, or a Value; and for results of operations.
    ValueError
        If there are no parameters.
    """
    found: dict[str, Node] = {}
    seen: set[Node] = set()
    for given, value in listed(watched):
        if not isinstance(value, Node):
            raise TypeError(f"{clean(given)} is a {type(value).__name__}, not a Value: {USE} ({user_line()})")
        if value.op is not None:
            raise TypeError(
                f"{clean(given)} is the result of {value.op.name}, not a parameter: watch the Values that it was "
                f"made from, whose data the training changes ({user_line()})"
            )
        if value not in seen and np.size(value.data):
            seen.add(value)
            name = clean(given) or "parameter"
            same = sum(other == name or other.startswith(f"{name} (") for other in found)
            found[f"{name} ({same + 1})" if same else name] = value
    if not found:
        raise ValueError(f"no parameters to watch in the {type(watched).__name__}: {USE} ({user_line()})")
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
    raise TypeError(f"a {type(watched).__name__} was given: {USE} ({user_line()})")
