"""`overview`: a whole training in one heat map, parameters down, steps across, colour the power of ten.

What is wrong with one layer, or from one moment on, is seen as a row or a column of another colour, before one knows
which curve to look at.

Source: Bertin, "Semiology of Graphics" (1967), for the reorderable matrix.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.errors import user_line
from tinygrad_edu.viz.training.canvas import axes, count_steps, height, name_rows, say
from tinygrad_edu.viz.training.history import condensed, magnitudes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tinygrad_edu.viz.training.history import History

COLUMNS = 400
NOTHING = "#BBBBBB"
SIZES = {
    "gradient": ("mean_gradients", "log10 of mean |gradient|"),
    "ratio": ("ratios", "log10 of |update| / |parameter|"),
    "norm": ("norms", "log10 of |parameter|"),
}


def overview(history: History, of: str = "gradient", ax: Any = None) -> Any:
    """The sizes of every parameter at every step; grey where a size is 0, missing or not finite.

    Raises
    ------
    ValueError
        For another `of`.
    """
    if of not in SIZES:
        raise ValueError(f"of is {of!r}: 'gradient', 'ratio' or 'norm' ({user_line()})")
    figure, ax = axes(ax, (6.8, height(len(history.names))))
    if not history.steps:
        say(ax, "no step was recorded")
        return figure
    attribute, label = SIZES[of]
    edges, powers = condensed(magnitudes(getattr(history, attribute)), COLUMNS)
    image = ax.pcolormesh(
        edges - 0.5, np.arange(len(history.names) + 1) - 0.5, np.ma.masked_invalid(powers.T), cmap="viridis"
    )
    if np.isnan(powers).all():
        image.set_clim(-1.0, 0.0)
    ax.set_facecolor(NOTHING)
    count_steps(ax, history.steps)
    name_rows(ax, history.names)
    if np.isnan(powers).any():
        ax.set_xlabel("step (grey: 0, missing or not finite)")
    figure.colorbar(image, ax=ax, label=label)
    return figure
