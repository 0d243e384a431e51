"""`History`: what happened in a training, step by step, as plain arrays.

All parameters are looked at as one long vector, so that a step costs a handful of NumPy calls however many there are.
Sizes are kept for every step. The numbers themselves are kept for some steps only: when there are too many, every
second one is dropped and from then on half as many are taken, so that they stay evenly spread and bounded.

Source: Karpathy, "Building makemore, part 3" (2022), for the sizes worth watching.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

SNAPSHOTS = 200
"""The columns of a histogram over the steps: more could not be told apart in a picture."""

BUDGET = 64_000_000
"""Bytes that snapshots may take: little beside what a training takes, and room for all of a small network's."""

FEWEST = 4
"""So many snapshots are kept also of a larger network, so that there is a course to see."""

LONGEST = 28
"""Letters of a name: enough for `encoder.layers.0.weight`, and a third of a figure's width."""

PATIENCE = 10
"""With small batches no row opens a unit now and then; after so many steps in a row it is called dead."""


@dataclass(frozen=True)
class Snapshot:
    """The parameters as a step found them, and the gradients it had, each as one long vector."""

    step: int
    data: Array
    gradient: Array


class History:
    """The steps of a training of parameters of these names and shapes.

    Attributes
    ----------
    snapshots
        Parameters and gradients of some steps, evenly spread.
    dead
        For each layer of switches, such as ReLU: how many units there are, and how many are dead at each step: those
        that were closed for `PATIENCE` steps, or always. Nothing behind them learns any more (Lu, Shin, Su and
        Karniadakis, "Dying ReLU and initialization", 2020).
    after
        The parameters after the last step, as one long vector; None before.
    leftovers
        For each parameter: at how many steps its gradient began with what earlier steps had left, and it moved.
    reached
        For each parameter, whether a gradient ever came, nan included.
    replaced
        For each parameter, whether a new Value took its place, `w = w - lr * w.grad`.
    """

    def __init__(self, names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> None:
        self.names, self.shapes = list(names), list(shapes)
        self.sizes = np.array([int(np.prod(shape)) for shape in shapes])
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.counts: list[tuple[float, int]] = []
        self.sized: list[Array] = []
        self.snapshots: list[Snapshot] = []
        self.after: Array | None = None
        self.stride = 1
        self.most = int(np.clip(BUDGET // (16 * self.sizes.sum()), FEWEST, SNAPSHOTS))
        self.dead: dict[str, tuple[int, list[float]]] = {}
        self.closed: dict[str, np.ndarray[Any, np.dtype[np.int_]]] = {}
        self.leftovers = np.zeros(len(self.names), dtype=int)
        self.reached = np.zeros(len(self.names), dtype=bool)
        self.replaced = np.zeros(len(self.names), dtype=bool)

    def add(self, loss: float, passes: int, data: Array, gradient: Array, after: Array) -> Array:
        """Add a step: its loss, the parameters before and after it, the gradients; returns the length of each update.

        A parameter that no gradient reached has nan in `gradient`.
        """
        with np.errstate(all="ignore"):
            size = np.abs(gradient)
            mean = np.add.reduceat(size, self.starts) / self.sizes
            update = self.lengths(after - data)
            row = (self.lengths(data), mean, np.maximum.reduceat(size, self.starts), update)
        if self.steps % self.stride == 0:
            self.keep(Snapshot(self.steps, data, gradient))
        self.after = after
        self.counts.append((loss, passes))
        self.sized.append(np.concatenate(row))
        return update

    def keep(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, and drop every second one if there are too many."""
        self.snapshots.append(snapshot)
        if len(self.snapshots) > self.most:
            self.stride *= 2
            self.snapshots = [kept for kept in self.snapshots if kept.step % self.stride == 0]

    def add_units(self, opened: Mapping[str, Flags]) -> None:
        """Add to each layer of switches which of its units were open in the step; call it after `add`."""
        for name, units in opened.items():
            before = self.closed.get(name)
            if before is None or before.shape != units.shape:
                before = np.full(units.shape, PATIENCE)
            self.closed[name] = np.where(units, 0, before + 1)
            self.dead.setdefault(name, (len(units), [np.nan] * (self.steps - 1)))
        for name, (_, series) in self.dead.items():
            series.append(float(np.sum(self.closed[name] >= PATIENCE)) if name in opened else np.nan)

    def lengths(self, vector: Array) -> Array:
        """The Euclidean norm of each parameter's part of a long vector."""
        squares: Array = np.add.reduceat(np.square(vector), self.starts)
        return np.sqrt(squares)

    def parts(self, vector: Array) -> list[Array]:
        """A long vector as arrays of the parameters' shapes."""
        cut = np.split(vector, self.starts[1:])
        return [part.reshape(shape) for part, shape in zip(cut, self.shapes, strict=True)]

    def table(self, i: int) -> Array:
        """One of the four sizes of a step, (steps, parameters)."""
        return np.reshape(self.sized, (-1, 4, len(self.names)))[:, i]

    @property
    def steps(self) -> int:
        """How many steps there were."""
        return len(self.counts)

    @property
    def losses(self) -> Array:
        """(steps,) The loss of each step; of several backward passes before one update, the sum."""
        return np.array([loss for loss, _ in self.counts], dtype=float)

    @property
    def passes(self) -> Array:
        """(steps,) How many backward passes there were before each update."""
        return np.array([passes for _, passes in self.counts], dtype=float)

    @property
    def norms(self) -> Array:
        """(steps, parameters) The Euclidean norm of each parameter."""
        return self.table(0)

    @property
    def mean_gradients(self) -> Array:
        """(steps, parameters) The mean of |gradient| over the entries; nan where none came."""
        return self.table(1)

    @property
    def max_gradients(self) -> Array:
        """(steps, parameters) The largest |gradient|; nan where none came."""
        return self.table(2)

    @property
    def updates(self) -> Array:
        """(steps, parameters) The Euclidean norm of what the step added."""
        return self.table(3)

    @property
    def ratios(self) -> Array:
        """(steps, parameters) The norm of the update over that of the parameter; nan where that is 0."""
        norms = self.norms
        with np.errstate(all="ignore"):
            return np.where(norms > 0, self.updates / norms, np.nan)

    def __repr__(self) -> str:
        return f"<History of {self.steps:,} steps, {len(self.names):,} parameters>"


def condensed(rows: Array, most: int) -> tuple[Array, Array]:
    """The edges of at most so many equal spans of steps, and the mean of the finite rows in each; nan without any."""
    edges = np.linspace(0, len(rows), min(len(rows), most) + 1).astype(int)
    finite = np.isfinite(rows)
    total = np.add.reduceat(np.where(finite, rows, 0.0), edges[:-1])
    with np.errstate(invalid="ignore"):
        return edges.astype(float), total / np.add.reduceat(finite, edges[:-1], dtype=float)


def magnitudes(sizes: Array) -> Array:
    """The logarithms to base 10 of sizes; nan where a size is 0 or not finite."""
    with np.errstate(all="ignore"):
        return np.where((sizes > 0) & np.isfinite(sizes), np.log10(sizes), np.nan)


def medians(sizes: Array) -> Array:
    """For each parameter the median over the steps that have a size; nan without any."""
    with catch_warnings():
        simplefilter("ignore", RuntimeWarning)  # a parameter that no gradient ever reached has nan
        return np.asarray(np.nanmedian(sizes, axis=0))
