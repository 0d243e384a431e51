"""Where plots are drawn: on given axes, or on a new figure; and what all of them share.

A new figure is made by pyplot, so that `plt.show()` and galleries find it; nothing else of pyplot's state is used,
and no setting of matplotlib is changed. A notebook shows pyplot's figures by itself: end the line with a semicolon.

Source: matplotlib's guide to its explicit interface; Okabe and Ito, "Color universal design" (2008), for the colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.saving import DrawingError

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8A8A8A", "#1A1A1A"
MISSING = 'no matplotlib found: pip install "tinygrad_edu[viz]"'
ROWS = 40
"""So many names are written at most: below each other they just do not touch in the tallest figure."""

LONGEST = 28
"""Letters of a name: enough for `encoder.layers.0.weight`, and a third of a figure's width."""


def axes(ax: Any = None, size: tuple[float, float] = (6.4, 3.6)) -> tuple[Any, Any]:
    """The given axes and their figure, or new ones: (width, height) in inches."""
    return grid(1, 1, size) if ax is None else (ax.figure, ax)


def grid(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    """A new figure with axes in rows and columns."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise DrawingError(MISSING) from None
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
