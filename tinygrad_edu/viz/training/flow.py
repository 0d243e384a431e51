"""Gradient flow: how much of the gradient arrives at each depth of a network.

Each parameter is a row, the first layer on top, so that backpropagation runs upwards. Gradients that shrink by a
factor per layer are a straight line to the left: vanishing; to the right: exploding.

Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010),
figure 7.
"""

from __future__ import annotations

from warnings import catch_warnings, simplefilter

import numpy as np

from tinygrad_edu.errors import user_line
from tinygrad_edu.viz.training.canvas import BLUE, GREY, INK, ORANGE, axes, height, name_rows, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tinygrad_edu.viz.training.history import Array, History


def flow(history: History, step: int | None = None, ax: Any = None) -> Any:
    """The mean and the largest |gradient| of each parameter: at a step, or the medians over all steps.

    Raises
    ------
    ValueError
        For a step that was not recorded.
    """
    if step is not None and not 0 <= step < history.steps:
        raise ValueError(f"step {step} was not recorded: there are {history.steps:,}, counted from 0 ({user_line()})")
    figure, ax = axes(ax, (6.4, height(len(history.names))))
    if not history.steps:
        say(ax, "no step was recorded")
        return figure
    means, largest = (typical(sizes, step) for sizes in (history.mean_gradients, history.max_gradients))
    rows = np.arange(len(means))
    seen = np.isfinite(largest) & (means > 0)
    ax.set_xscale("log")
    decades(ax, means[seen], largest[seen])  # first: fitted to sizes one rounding apart, an axis has no width
    ax.hlines(rows[seen], means[seen], largest[seen], color=GREY, linewidth=1.2, zorder=1)
    ax.plot(means[seen], rows[seen], "o", color=BLUE, label="mean |gradient|")
    ax.plot(largest[seen], rows[seen], "D", color=ORANGE, markersize=4.5, label="largest |gradient|")
    for row in rows[~seen]:
        ax.annotate(
            absence(largest[row]), (0.02, row), xycoords=("axes fraction", "data"), color=INK, va="center",
            fontsize="small", style="italic",
        )  # fmt: skip
    name_rows(ax, history.names)
    ax.grid(axis="x", color=GREY, alpha=0.3)
    ax.set_xlabel("|gradient|, " + (f"step {step:,}" if step is not None else f"median of {history.steps:,} steps"))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize="small")
    return figure


def decades(ax: Any, least: Array, largest: Array) -> None:
    """Whole powers of ten around the sizes, and no other labels."""
    from matplotlib.ticker import NullFormatter

    if least.size:
        low, high = np.floor(np.log10(least.min())), np.ceil(np.log10(largest.max()))
        ax.set_xlim(0.8 * 10.0**low, 1.25 * 10.0 ** max(high, low + 1.0))
    ax.xaxis.set_minor_formatter(NullFormatter())


def typical(sizes: Array, step: int | None) -> Array:
    """The sizes at a step, or for each parameter the median over the steps that have one."""
    if step is not None:
        return np.asarray(sizes[step])
    with catch_warnings():
        simplefilter("ignore", RuntimeWarning)  # a parameter that no gradient ever reached has nan
        return np.asarray(np.nanmedian(sizes, axis=0))


def absence(size: Any) -> str:
    """What to write in the row of a parameter that has no place on a logarithmic axis."""
    if np.isnan(size):
        return "no gradient"
    return "gradient 0" if size == 0 else "not finite"
