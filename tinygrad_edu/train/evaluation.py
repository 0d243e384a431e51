"""`evaluate`: how good a model is on data that it does not learn from; and means over batches of different sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_edu.data import minibatches
from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import plain
from tinygrad_edu.kinds import FUNCTION, Kind, expecting, shown
from tinygrad_edu.names import spelled
from tinygrad_edu.nn import Module
from tinygrad_edu.recording import no_grad

Metrics = Mapping[str, Callable[[Any, Any], Any]]
NONE: Metrics = {}
MODEL = Kind(lambda thing: isinstance(thing, Module), "a Module, with parameters in attributes, and a forward")
METRICS = Kind(
    lambda thing: isinstance(thing, Mapping) and all(is_metric(*item) for item in thing.items()),
    "a dict of functions by name, such as {'accuracy': nn.accuracy}; 'loss' and 'lr' are there already",
)
DATA = Kind(lambda thing: is_data(thing), "a tuple of arrays (x, y), the targets last")


def is_metric(name: Any, function: Any) -> bool:
    """Whether something is a metric under a name of its own."""
    return isinstance(name, str) and callable(function) and name not in ("loss", "lr")


def is_data(thing: Any) -> bool:
    """Whether something is inputs and targets: a list only if it holds arrays, since it may also be one array."""
    arrays = isinstance(thing, tuple) or (isinstance(thing, list) and all(hasattr(part, "ndim") for part in thing))
    return arrays and len(thing) > 1 and not any(isinstance(part, str | dict | set) for part in thing)


class Mean:
    """Means over rows, of what is known for batches of rows only."""

    def __init__(self) -> None:
        self.rows = 0
        self.sums: dict[str, float] = {}

    def add(self, rows: int, means: Mapping[str, float]) -> None:
        """Add the means over a batch."""
        self.rows += rows
        for name, mean in means.items():
            self.sums[name] = self.sums.get(name, 0.0) + rows * mean

    def result(self) -> dict[str, float]:
        """The means over all rows so far."""
        return {name: total / self.rows for name, total in self.sums.items()}


def number(name: str, result: Any) -> float:
    """What a loss or a metric gave, as a float."""
    data = plain(result)
    if isinstance(data, float | int | np.generic | np.ndarray) and np.size(data) == 1:
        return float(np.asarray(data).item())
    got = f"shape {data.shape}: take .mean()" if isinstance(data, np.ndarray) else shown(result)
    raise refusal(TypeError, f"{name} gives one number for a batch; got {got}")


def is_blocked(array: Any) -> bool:
    """Whether an array is dask's."""
    return type(array).__module__.startswith("dask.")


def here(array: Any) -> Any:
    """An array of NumPy with the numbers of an array of dask; anything else as it is."""
    return array.compute() if is_blocked(array) else array


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Inside, a model is in evaluation mode and nothing is recorded; afterwards it is in the mode it was in."""
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


@spelled
@expecting(model=MODEL, loss=FUNCTION, data=DATA, metrics=METRICS)
def evaluate(
    model: Module, loss: Callable[[Any, Any], Any], data: Any, metrics: Metrics = NONE, *, batch_size: int = 256
) -> dict[str, float]:
    """The loss and the metrics of a model on some data, in evaluation mode and without gradients.

    Parameters
    ----------
    model, loss, data
        As for `fit`. The loss is the mean over batches, each weighted by its number of rows.
    metrics
        Functions of all outputs, as an array, and all targets, by name, such as `{"accuracy": nn.accuracy}`.
    batch_size
        How many rows the model sees at a time, which takes the less memory the fewer they are.

    Returns
    -------
    dict
        A float under "loss" and under the name of each metric.
    """
    mean, outputs = Mean(), []
    with evaluating(model):
        for batch in minibatches(*data, batch_size=batch_size, shuffle=False):
            *inputs, target = map(here, batch)
            output = model(*inputs)
            mean.add(len(target), {"loss": number("loss", loss(output, target))})
            outputs.append(plain(output))
    every = np.concatenate(outputs) if metrics else None
    return mean.result() | {name: number(name, metric(every, here(data[-1]))) for name, metric in metrics.items()}
