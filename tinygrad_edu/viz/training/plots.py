"""The plots of a training: curves over its steps, the gradients by depth, one heat map of all, histograms.

An update that is about a thousandth of its parameter is the rule of thumb for a learning rate (Karpathy, "Building
makemore, part 3", 2022): far above it weights are thrown about, far below it they hardly learn. In `flow`, gradients
that shrink by a factor per layer are a straight line to the left, vanishing, or to the right, exploding (Glorot and
Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, figures 6 and 7). In
`overview`, what is wrong with one layer, or from one moment on, is a row or a column of another colour.

A new figure is made by pyplot, so that `plt.show()` and galleries find it; nothing else of pyplot's state is used,
and no setting of matplotlib is changed. A notebook shows pyplot's figures by itself: end the line with a semicolon.
The colours are those of Okabe and Ito, "Color universal design" (2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.saving import DrawingError
from tinygrad_edu.viz.training.history import LONGEST, Array, History, condensed, magnitudes, medians

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8A8A8A", "#1A1A1A"
MISSING = 'no matplotlib found: pip install "tinygrad_edu[viz]"'
ROWS = 40
"""So many names are written at most: below each other they just do not touch in the tallest figure."""

EMPTY = "no step was recorded"
POINTS = 200
"""Points of a curve: as many as can be told apart in a figure six inches wide."""

COLUMNS = 400
"""Columns of a heat map: about one for each pixel of its axes."""

SINGLE = 12
"""Up to so many steps each has a mark of its own."""

GUIDE = -3.0
"""The power of ten of the rule of thumb for |update| / |parameter|."""

WIDE = 20.0
"""A loss whose largest value is so many times its smallest is drawn on a logarithmic axis: its end would lie flat."""

BINS = 41
"""An odd number, so that entries around 0 share a bin where they are spread evenly on both sides."""

FEW = 20
"""Of a parameter with so many entries, each is a line: fewer would leave most bins empty."""

PANELS = 24
"""So many parameters have axes of their own: four columns, six rows, on one screen."""

STYLES = ("-", "--", ":", "-.")
NOTHING = "#BBBBBB"
SIZES = {
    "gradient": ("mean_gradients", "log10 of mean |gradient|"),
    "ratio": ("ratios", "log10 of |update| / |parameter|"),
    "norm": ("norms", "log10 of |parameter|"),
}
ENTRIES = {"data": "entries", "gradient": "log10 of |gradient|"}
SHARE = "entries, relative to the fullest bin"


class Plots:
    """The plots of what was recorded of a training: on the axes `ax` of matplotlib, or on a new figure.

    Each returns its figure; without matplotlib it raises `DrawingError`.
    """

    def __init__(self, history: History) -> None:
        self.history = history

    def loss(self, *, ax: Any = None) -> Any:
        """The loss of every step; of many steps, pale, and the mean over spans of them in full colour."""
        history = self.history
        figure, ax = axes(ax)
        if not history.steps:
            return say(ax, EMPTY)
        losses = history.losses
        many = history.steps > POINTS
        style = {"alpha": 0.3, "linewidth": 0.8} if many else {"linewidth": 1.6, "marker": dot(history.steps)}
        ax.plot(losses, color=BLUE, **style)
        if many:
            edges, means = condensed(losses[:, None], POINTS // 2)
            ax.plot(middles(edges), means[:, 0], color=BLUE, linewidth=1.8)
        finite = losses[np.isfinite(losses)]
        if finite.size and 0.0 < WIDE * finite.min() < finite.max():
            ax.set_yscale("log")
        if finite.size < history.steps:
            mark_trouble(ax, int(np.argmin(np.isfinite(losses))), history.steps)
        ax.set_ylabel("loss")
        count_steps(ax, history.steps)
        return figure

    def ratio(self, *, ax: Any = None) -> Any:
        """The length of each update over that of its parameter, as a power of ten; weights solid, biases dashed."""
        history = self.history
        figure, ax = axes(ax)
        if not history.steps:
            return say(ax, EMPTY)
        solid = [STYLES[0] if len(shape) > 1 else STYLES[1] for shape in history.shapes]
        curves(ax, magnitudes(history.ratios), history.names, solid)
        ax.axhline(GUIDE, color=INK, linewidth=1.0, linestyle=":")
        ax.annotate(
            "1e-3", (0.99, GUIDE), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize="small",
            bbox={"facecolor": "white", "linewidth": 0.0, "pad": 1.5},
        )  # fmt: skip
        ax.set_ylabel(r"log10 of |update| / |parameter|")
        return figure

    def dead(self, *, ax: Any = None) -> Any:
        """The share of the units of each ReLU layer that no row opens any more, in percent."""
        history = self.history
        figure, ax = axes(ax)
        if not history.dead:
            return say(ax, "no layer of ReLUs was recorded")
        shares = [100.0 * np.array(counts) / units for units, counts in history.dead.values()]
        names = [f"{name} ({units:,} units)" for name, (units, _) in history.dead.items()]
        curves(ax, np.stack(shares, axis=1), names, [STYLES[i % len(STYLES)] for i in range(len(names))])
        ax.set(ylabel="dead units (%)", ylim=(-3.0, 103.0))
        return figure

    def flow(self, step: int | None = None, *, ax: Any = None) -> Any:
        """The mean and the largest |gradient| of each parameter, the first layer on top.

        Parameters
        ----------
        step
            Which step, counted from 0; without it, the medians over all steps. ValueError if it was not recorded.
        ax
            Axes to draw on.
        """
        history = self.history
        if step is not None and not 0 <= step < history.steps:
            raise refusal(ValueError, f"step {step} was not recorded: there are {history.steps:,}, counted from 0")
        figure, ax = row_axes(ax, history.names, 6.4)
        if not history.steps:
            return say(ax, EMPTY)
        sizes = history.mean_gradients, history.max_gradients
        means, largest = (medians(size) if step is None else size[step] for size in sizes)
        sizes_by_row(ax, means, largest)
        when = f"median of {history.steps:,} steps" if step is None else f"step {step:,}"
        ax.set_xlabel(f"|gradient|, {when}")
        ax.grid(axis="x", color=GREY, alpha=0.3)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize="small")
        return figure

    def overview(self, of: str = "gradient", *, ax: Any = None) -> Any:
        """Parameters (down) times steps (across) in one heat map; grey where a size is 0, missing or not finite.

        Parameters
        ----------
        of
            "gradient", "ratio" (update over parameter) or "norm" (of the parameter); ValueError for anything else.
        ax
            Axes to draw on.
        """
        history = self.history
        if of not in SIZES:
            raise refusal(ValueError, f"of is {of!r}: 'gradient', 'ratio' or 'norm'")
        figure, ax = row_axes(ax, history.names, 6.8)
        if not history.steps:
            return say(ax, EMPTY)
        attribute, label = SIZES[of]
        edges, powers = condensed(magnitudes(getattr(history, attribute)), COLUMNS)
        image = ax.pcolormesh(
            edges - 0.5, np.arange(len(history.names) + 1) - 0.5, np.ma.masked_invalid(powers.T), cmap="viridis"
        )
        if np.isnan(powers).all():
            image.set_clim(-1.0, 0.0)
        ax.set_facecolor(NOTHING)
        count_steps(ax, history.steps)
        if np.isnan(powers).any():
            ax.set_xlabel("step (grey: 0, missing or not finite)")
        figure.colorbar(image, ax=ax, label=label)
        return figure

    def hist(self, parameter: str | None = None, *, of: str = "data", ax: Any = None) -> Any:
        """How the entries of the parameters are spread, over the steps; of few entries, each is a line.

        Parameters
        ----------
        parameter
            The name of one parameter; without it, each has axes of its own. ValueError for an unknown one.
        of
            "data", or "gradient" for the powers of ten of the entries of the gradients; ValueError for anything else.
        ax
            Axes to draw on, for one parameter.
        """
        history = self.history
        if of not in ENTRIES:
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
        ax.set_ylabel(ENTRIES[of])
        if image is not None:
            figure.colorbar(image, ax=ax, label=SHARE)
        return figure


def mark_trouble(ax: Any, first: int, steps: int) -> None:
    """A line at the first step whose loss is not finite, its label on the side where there is more room."""
    side, shift = ("right", -4) if first > steps / 2 else ("left", 4)
    ax.axvline(first, color=ORANGE, linestyle="--")
    ax.annotate(
        f"not finite: step {first:,}", (first, 0.95), xycoords=("data", "axes fraction"), color=ORANGE, va="top",
        ha=side, xytext=(shift, 0), textcoords="offset points",
    )  # fmt: skip


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
    return "o" if steps <= SINGLE else ""


def sizes_by_row(ax: Any, means: Array, largest: Array) -> None:
    """The mean and the largest |gradient| of each row on a logarithmic axis, or why there is none."""
    rows = np.arange(len(means))
    seen = np.isfinite(largest) & (means > 0)
    ax.set_xscale("log")
    decades(ax, means[seen], largest[seen])  # first: fitted to sizes one rounding apart, an axis has no width
    ax.hlines(rows[seen], means[seen], largest[seen], color=GREY, linewidth=1.2, zorder=1)
    ax.plot(means[seen], rows[seen], "o", color=BLUE, label="mean |gradient|")
    ax.plot(largest[seen], rows[seen], "D", color=ORANGE, markersize=4.5, label="largest |gradient|")
    for row in rows[~seen]:  # no place on a logarithmic axis
        words = "no gradient" if np.isnan(largest[row]) else "gradient 0" if largest[row] == 0 else "not finite"
        where = ("axes fraction", "data")
        ax.annotate(words, (0.02, row), xycoords=where, color=INK, va="center", fontsize="small", style="italic")


def decades(ax: Any, least: Array, largest: Array) -> None:
    """Whole powers of ten around the sizes, and no other labels."""
    from matplotlib.ticker import NullFormatter

    if least.size:
        low, high = np.floor(np.log10(least.min())), np.ceil(np.log10(largest.max()))
        ax.set_xlim(0.8 * 10.0**low, 1.25 * 10.0 ** max(high, low + 1.0))
    ax.xaxis.set_minor_formatter(NullFormatter())


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
    figure.supylabel(ENTRIES[of] + f" ({more:,} more parameters)" * bool(more), fontsize="medium")
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


def axes(ax: Any = None, size: tuple[float, float] = (6.4, 3.6)) -> tuple[Any, Any]:
    """The given axes and their figure, or new ones: (width, height) in inches."""
    return grid(1, 1, size) if ax is None else (ax.figure, ax)


def grid(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    """A new figure with axes in rows and columns."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise refusal(DrawingError, MISSING) from None
    return pyplot.subplots(rows, columns, figsize=size, layout="constrained")


def count_steps(ax: Any, steps: int) -> None:
    """Make the horizontal axis one of steps, counted from 0."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True, min_n_ticks=1))
    ax.set(xlabel="step", xlim=(-0.5, max(steps, 1) - 0.5))


def say(ax: Any, words: str) -> Any:
    """Say in the middle of empty axes why they are empty; returns their figure."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=INK, wrap=True)
    ax.set(xticks=[], yticks=[])
    return ax.figure


def row_axes(ax: Any, names: Sequence[str], width: float) -> tuple[Any, Any]:
    """Axes as by `axes`, with names at the rows 0, 1, ..., the first on top; of very many rows, at some."""
    figure, ax = axes(ax, (width, max(2.6, 1.4 + 0.26 * min(len(names), ROWS))))
    rows = range(0, len(names), -(-len(names) // ROWS))
    # a dollar sign in a name is no formula
    ax.set_yticks(rows, [clean(names[i], LONGEST) for i in rows], parse_math=False)
    ax.set_ylim(len(names) - 0.5, -0.5)
    return figure, ax


def name_lines(ax: Any, lines: Sequence[Any], names: Sequence[str]) -> None:
    """A legend beside the axes; of very many lines, for some."""
    every = -(-len(names) // ROWS)
    shown, labels = lines[::every], [clean(name, LONGEST) for name in names[::every]]
    columns = -(-len(shown) // 14)
    legend = ax.legend(
        shown, ["name"] * len(shown), loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, frameon=False,
        fontsize="small", ncols=columns,
    )  # fmt: skip
    for text, label in zip(legend.get_texts(), labels, strict=True):  # set here: legends hide names like _w
        text.set(text=label, parse_math=False)


def shades(count: int) -> list[Any]:
    """Colours from the first layer, dark, to the last, light but legible."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.85 * i / max(count - 1, 1)) for i in range(count)]
