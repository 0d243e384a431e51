"""`History`: what a training measured in each epoch, as floats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.viz.training.plots import axes


class History:
    """One row of floats for each epoch: loss, metrics, those of the validation data as `val_...`, and lr.

    `history["loss"]` is a list; `len(history)` is the number of epochs.

    Parameters
    ----------
    names
        What is measured.

    Attributes
    ----------
    ended
        Why the training ended: "" after all epochs, else "patience" or "Ctrl-C".
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.columns: dict[str, list[float]] = {name: [] for name in names}
        self.growing = set(self.columns)
        self.ended = ""

    def add(self, row: Mapping[str, float]) -> None:
        """Add the row of an epoch; all of it, or none if a name is missing.

        Parameters
        ----------
        row
            A number for each name.
        """
        self.columns = {name: [*column, float(row[name])] for name, column in self.columns.items()}

    @property
    def watched(self) -> list[float]:
        """The loss that tells how good the model is: that of the validation data, if there are any."""
        return self.columns.get("val_loss", self.columns["loss"])

    def as_dict(self) -> dict[str, list[float]]:
        """Copies of all columns by name, as `pandas.DataFrame` takes them."""
        return {name: list(column) for name, column in self.columns.items()}

    def state_dict(self) -> dict[str, Any]:
        """The columns as arrays."""
        return {name: np.array(column, float) for name, column in self.columns.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the columns that were saved.

        Parameters
        ----------
        state
            What `state_dict()` returned.
        """
        if state.keys() != self.columns.keys() or len({np.shape(column) for column in state.values()}) != 1:
            raise refusal(ValueError, f"a history of {', '.join(self.columns)}, all of one length, was expected")
        self.columns = {name: np.asarray(state[name], float).tolist() for name in self.columns}

    def plot(self, *, ax: Any = None) -> Any:
        """The figure with every loss over the epochs.

        Parameters
        ----------
        ax
            Axes of matplotlib to draw on.
        """
        figure, ax = axes(ax)
        for name, column in self.columns.items():
            if name.endswith("loss"):
                ax.plot(range(1, len(self) + 1), column, ".-" if len(self) < 20 else "-", label=name)
        ax.set(xlabel="epoch", ylabel="loss")
        ax.legend()
        return figure

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.columns:
            raise refusal(KeyError, f"a history has {', '.join(self.columns)}; not {name!r}")
        return list(self.columns[name])

    def __len__(self) -> int:
        return len(self.columns["loss"])

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {column[-1]:.4g}" for name, column in self.columns.items() if column)
        return f"<History of {len(self)} epochs: {last or 'nothing yet'}{f'; {self.ended}' if self.ended else ''}>"
