"""Curves over the steps of a training: the loss, the size of updates, the share of dead units.

An update that is about a thousandth of its parameter is the rule of thumb for a learning rate: far above it weights
are thrown about, far below it they hardly learn. A share of dead units that grows is lost for good.

Source: Karpathy, "Building makemore, part 3" (2022), for the ratio and its guide line.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.viz.training.canvas import BLUE, GREY, INK, ORANGE, axes, count_steps, name_lines, say, shades
from tinygrad_edu.viz.training.history import condensed, magnitudes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tinygrad_edu.viz.training.history import Array, History

POINTS = 200
GUIDE = -3.0
STYLES = ("-", "--", ":", "-.")
WIDE = 20.0
"""A loss whose largest value is so many times its smallest is drawn on a logarithmic axis."""


def loss(history: History, ax: Any = None) -> Any:
    """The loss of every step; of many steps, pale, and the mean over spans of them in full colour."""
    figure, ax = axes(ax)
    losses = history.losses
    finite = np.isfinite(losses)
    if not history.steps:
        say(ax, "no step was recorded")
        return figure
    many = history.steps > POINTS
    ax.plot(losses, color=BLUE, alpha=0.3 if many else 1.0, linewidth=0.8 if many else 1.6, marker=dot(history.steps))
    if many:
        edges, means = condensed(losses[:, None], POINTS // 2)
        ax.plot(middles(edges), means[:, 0], color=BLUE, linewidth=1.8)
    if finite.any() and losses[finite].min() > 0 and np.ptp(losses[finite]) > (WIDE - 1) * losses[finite].min():
        ax.set_yscale("log")
    if not finite.all():
        first = int(np.argmin(finite))
        ax.axvline(first, color=ORANGE, linestyle="--")
        ax.annotate(
            f"not finite: step {first:,}", (first, 0.95), xycoords=("data", "axes fraction"), color=ORANGE, va="top",
            ha="right" if first > history.steps / 2 else "left", xytext=(-4 if first > history.steps / 2 else 4, 0),
            textcoords="offset points",
        )  # fmt: skip
    ax.set_ylabel("loss")
    count_steps(ax, history.steps)
    return figure


def ratio(history: History, ax: Any = None) -> Any:
    """The length of every update over that of its parameter, as a power of ten, with the guide line at 1e-3."""
    figure, ax = axes(ax)
    if not history.steps:
        say(ax, "no step was recorded")
        return figure
    solid = [STYLES[0] if len(shape) > 1 else STYLES[1] for shape in history.shapes]
    curves(ax, magnitudes(history.ratios), history.names, solid)
    ax.axhline(GUIDE, color=INK, linewidth=1.0, linestyle=":")
    ax.annotate(
        "1e-3", (0.99, GUIDE), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize="small",
        bbox={"facecolor": "white", "linewidth": 0.0, "pad": 1.5},
    )  # fmt: skip
    ax.set_ylabel(r"log10 of |update| / |parameter|")
    return figure


def dead(history: History, ax: Any = None) -> Any:
    """The share of dead units of every layer with ReLUs, in percent."""
    figure, ax = axes(ax)
    if not history.dead:
        say(ax, "no layer of ReLUs was recorded")
        return figure
    shares = [100.0 * np.array(counts) / units for units, counts in history.dead.values()]
    names = [f"{name} ({units:,} units)" for name, (units, _) in history.dead.items()]
    curves(ax, np.stack(shares, axis=1), names, [STYLES[i % len(STYLES)] for i in range(len(names))])
    ax.set(ylabel="dead units (%)", ylim=(-3.0, 103.0))
    return figure


def curves(ax: Any, rows: Array, names: Sequence[str], styles: Sequence[str]) -> None:
    """A line for each column, of a bounded number of points, from dark for the first to light for the last."""
    edges, means = condensed(rows, POINTS)
    lines = [
        ax.plot(middles(edges), column, color=colour, linestyle=style, linewidth=1.4, marker=dot(len(rows)))[0]
        for column, colour, style in zip(means.T, shades(len(names)), styles, strict=True)
    ]
    ax.grid(axis="y", color=GREY, alpha=0.2)
    name_lines(ax, lines, names)
    count_steps(ax, len(rows))


def middles(edges: Array) -> Array:
    """The steps in the middle of spans."""
    return (edges[:-1] + edges[1:] - 1.0) / 2.0


def dot(steps: int) -> str:
    """A mark for each step where there are so few that a line alone says little."""
    return "o" if steps <= 12 else ""
