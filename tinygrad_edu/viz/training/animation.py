"""A training as an animated GIF, the picture of each moment drawn with the parameters of that moment.

The kept parameters are put back one after the other, the model is asked, and in the end everything is as it was. On
the right the loss grows; on the left is the decision boundary, or without points the gradient flow.

Source: the Pillow documentation of saving GIF files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.viz.saving import DrawingError, as_gif
from tinygrad_edu.viz.training.boundary import Points, Predict, draw, usual_level
from tinygrad_edu.viz.training.history import Array, History
from tinygrad_edu.viz.training.plots import MISSING, ORANGE, Plots, decades
from tinygrad_edu.viz.training.recorder import Recorder

COARSE = 80
"""The model is asked at so many places on each side: half as many as for a single picture, since each frame asks."""

COLOURS = 64
"""Enough for two classes in shades, and a smaller file than with all 256."""

HOLD = 2000
"""For how many milliseconds the last picture stands still."""


def animated(recorder: Recorder, asked: tuple[Predict, Points] | None, frames: int, fps: int) -> bytes:
    """The GIF; the boundary is that of a function and points which are `asked` for."""
    pictures = list(drawn(recorder, asked, frames))
    return as_gif(pictures, [1000 // fps] * (len(pictures) - 1) + [HOLD])


def drawn(recorder: Recorder, asked: tuple[Predict, Points] | None, frames: int) -> Iterator[Any]:
    """The pictures, as those of Pillow."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from PIL import Image
    except ImportError:
        raise refusal(DrawingError, MISSING) from None
    figure = Figure(figsize=(8.0, 3.6), dpi=80, layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    level = usual_level(asked[0], asked[1].x) if asked else 0.0
    Plots(recorder.history).loss(ax=right)
    now = right.axvline(0, color=ORANGE)
    for step, data in moments(recorder, frames):
        now.set_xdata([step, step])
        right.set_title(f"step {step:,}", fontsize="medium")
        left.clear()
        if asked:
            with put_back(recorder, data):
                draw(left, *asked, level, COARSE)
        else:
            gradients(left, recorder.history, step)
        canvas.draw()
        figure.set_layout_engine("none")  # the first picture's, so that nothing jumps
        yield Image.fromarray(np.array(canvas.buffer_rgba())).convert("RGB").quantize(COLOURS)


def gradients(ax: Any, history: History, step: int) -> None:
    """The gradient flow of a step, after the last one that of the last, on an axis that is the same for all."""
    Plots(history).flow(min(step, history.steps - 1), ax=ax)
    sizes = history.mean_gradients, history.max_gradients
    decades(ax, *(size[np.isfinite(size) & (size > 0)] for size in sizes))


def moments(recorder: Recorder, frames: int) -> Iterator[tuple[int, Array]]:
    """Steps and the parameters before them, evenly spread; the end is the last."""
    history = recorder.history
    kept = [(snapshot.step, snapshot.data) for snapshot in history.snapshots]
    assert history.after is not None
    kept.append((history.steps, history.after))
    chosen = np.unique(np.linspace(0, len(kept) - 1, frames).round().astype(int)) if frames > 1 else [-1]
    return (kept[i] for i in chosen)


@contextmanager
def put_back(recorder: Recorder, data: Array) -> Iterator[None]:
    """Inside, the parameters are those of another moment; their gradients are not touched."""
    own = [p.kept for p in recorder.parameters]  # None where the user has the array, which `lent` still holds then
    try:
        for p, part in zip(recorder.parameters, recorder.history.parts(data), strict=True):
            p.array = part.astype(p.array.dtype)[()]
        yield
    finally:
        for p, kept in zip(recorder.parameters, own, strict=True):
            p.kept = kept
