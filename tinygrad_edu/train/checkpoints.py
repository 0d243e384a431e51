"""What a training goes on from: one file with everything that changes, and the best weights so far.

The file holds model and buffers, optimiser, schedule, the history (its length is the epoch), the best weights, and
the state of every random generator that model, loss, metrics and hooks can reach, or that is global. It is written
after each epoch as `te.save` writes, whole or not at all, so that a training that dies goes on from the last epoch
that it finished, bit for bit as if it had not died.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.nn import Module
from tinygrad_edu.saving import load, safetensors, save
from tinygrad_edu.stateful import GENERATORS
from tinygrad_edu.surroundings import used_by
from tinygrad_edu.train.history import History


class Best:
    """The state of a model after its best epoch, the first of those with the lowest loss."""

    def __init__(self, model: Module, history: History) -> None:
        self.model, self.history = model, history
        self.state = model.state_dict()

    def see(self) -> None:
        """Look at the epoch that was added last."""
        if self.waited() == 0:
            self.state = self.model.state_dict()

    def waited(self) -> int:
        """How many epochs there were since the best one; nan is never the best."""
        losses = np.where(np.isnan(self.history.watched), np.inf, self.history.watched)
        return len(losses) - 1 - int(np.argmin(losses)) if len(losses) else 0

    def restore(self) -> None:
        """Give the model its best state."""
        if len(self.history):
            self.model.load_state_dict(self.state)

    def state_dict(self) -> dict[str, Any]:
        """The best state."""
        return self.state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take a best state."""
        self.state = dict(state)


class Checkpoint:
    """The file of a training; without a path, none. With `resume` everything goes on from it, if it is there."""

    def __init__(self, path: Any, parts: dict[str, Any], users: list[Any], resume: bool) -> None:
        self.path = path
        found = [thing for thing in used_by(lambda: None, users) if isinstance(thing, GENERATORS)]
        everywhere = {"numpy": np.random.mtrand._rand, "python": random._inst}
        reached = {str(i): generator for i, generator in enumerate(found) if generator not in everywhere.values()}
        stateful = {name: part for name, part in parts.items() if hasattr(part, "state_dict")}
        self.parts = stateful | {"random": everywhere | reached}
        if path is None and resume:
            raise refusal(TypeError, "resume=True goes on from a file: fit(..., checkpoint='training.safetensors')")
        if path is not None and not Path(path).absolute().parent.is_dir():
            raise refusal(FileNotFoundError, f"checkpoint: there is no folder for {path}")
        if path is not None:
            safetensors()  # now, and not after the first epoch
        if resume and Path(path).exists():
            load(self.parts, path)

    def save(self) -> None:
        """Write it."""
        if self.path is not None:
            save(self.parts, self.path)
