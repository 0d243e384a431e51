"""Histograms: how the entries of each parameter, or of its gradient, are spread, and how that changes with the steps.

Each column is the histogram of one moment, dark where most entries are; of a parameter with few entries, each is a
line. Gradients are shown by their powers of ten, because what they do is shrink or grow by factors.

Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010),
figure 6.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.training.axes import BLUE, LONGEST, axes, count_steps, grid, say
from tinygrad_edu.viz.training.history import Array, History, magnitudes

BINS = 41
"""An odd number, so that entries around 0 share a bin where they are spread evenly on both sides."""

FEW = 20
"""Of a parameter with so many entries, each is a line: fewer would leave most bins empty."""

PANELS = 24
"""So many parameters have axes of their own: four columns, six rows, on one screen."""

LABELS = {"data": "entries", "gradient": "log10 of |gradient|"}
SHARE = "entries, relative to the fullest bin"


def hist(history: History, parameter: str | None = None, of: str = "data", ax: Any = None) -> Any:
    """The histograms of one parameter, or of each in its own axes.

    Raises
    ------
    ValueError
        For another `of`, an unknown parameter, and for `ax` without the parameter to draw there.
    """
    if of not in LABELS:
        raise refusal(ValueError, f"of is {of!r}: 'data' or 'gradient'")
    names = history.names
    if parameter is None and len(names) == 1:
        parameter = names[0]
    if parameter is None and ax is None:
        return panels(history, of)
    if parameter not in names:
        wrong = "ax= holds one parameter" if parameter is None else f"there is no parameter {clean(parameter)!r}"
        raise refusal(ValueError, f"{wrong}: name one of {clean(', '.join(names), 400)}")
    figure, ax = axes(ax)
    image = panel(history, names.index(parameter), of, ax)
    ax.set_ylabel(LABELS[of])
    if image is not None:
        figure.colorbar(image, ax=ax, label=SHARE)
    return figure


def panels(history: History, of: str) -> Any:
    """All parameters in one figure, in the order of the network."""
    shown = min(len(history.names), PANELS)
    columns = min(ceil(sqrt(shown)), 4)
    rows = ceil(shown / columns)
    figure, table = grid(rows, columns, (1.2 + 2.2 * columns, 0.9 + 1.7 * rows))
    flat = list(np.ravel(table))
    images = [panel(history, i, of, ax) for i, ax in enumerate(flat[:shown])]
    for i, ax in enumerate(flat):
        ax.set_visible(i < shown)
        ax.set_xlabel("step" if i + columns >= shown else "")
        ax.tick_params(labelsize="small")
    more = len(history.names) - shown
    figure.supylabel(LABELS[of] + f" ({more:,} more parameters)" * bool(more), fontsize="medium")
    drawn = [image for image in images if image is not None]
    if drawn:
        figure.colorbar(drawn[0], ax=flat, label=SHARE, shrink=min(1.0, 2.0 / rows))
    return figure


def panel(history: History, i: int, of: str, ax: Any) -> Any:
    """One parameter, as lines or as histograms; returns the image if there is one."""
    ax.set_title(clean(history.names[i], LONGEST), fontsize="medium", parse_math=False)
    kept = np.array([history.parts(getattr(snapshot, of))[i].ravel() for snapshot in history.snapshots])
    if of == "gradient":
        kept = magnitudes(np.abs(kept))
    if not np.isfinite(kept).any():
        say(ax, "no finite number" if of == "data" else "no gradient")
        return None
    steps = history.stride * np.arange(len(kept) + 1)
    count_steps(ax, history.steps)
    if kept.shape[1] <= FEW:
        ax.plot(steps[:-1], kept, color=BLUE, linewidth=0.9, alpha=0.8, marker="" if len(kept) > 1 else ".")
        return None
    bins = edges(kept)
    counts = np.ma.masked_equal(np.stack([density(column, bins) for column in kept], axis=1), 0.0)
    return ax.pcolormesh(steps - 0.5, bins, counts, cmap="cividis_r", vmin=0.0, vmax=1.0)


def edges(entries: Array) -> Array:
    """The edges of the bins, from the least to the greatest entry."""
    finite = entries[np.isfinite(entries)]
    low, high = finite.min(), finite.max()
    room = 0.02 * (high - low) or 0.5 * abs(high) or 0.5
    return np.linspace(low - room, high + room, BINS + 1)


def density(entries: Array, bins: Array) -> Array:
    """How many entries are in each bin, relative to the fullest."""
    counts, _ = np.histogram(entries[np.isfinite(entries)], bins)
    return np.asarray(counts / max(counts.max(), 1))
