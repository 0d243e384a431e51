"""Seeing the backward pass.

`draw(loss)` shows every operation with its data, its gradient and its local derivatives; `draw(loss, to=w)` the
paths from a weight to the loss, the product along each, and that they add up to the gradient.

Source: the tutorial's diagrams, functions as yellow hexagons and intermediate results as blue rectangles.
"""

from tinygrad_edu.names import answering
from tinygrad_edu.notes import Line, line_of
from tinygrad_edu.viz.backward_pass import BackwardPass, recording, trace
from tinygrad_edu.viz.comparison import Comparison, diff
from tinygrad_edu.viz.drawing import Drawing, draw
from tinygrad_edu.viz.model.paths import Path, Paths
from tinygrad_edu.viz.notebook import bundle
from tinygrad_edu.viz.saving import DrawingError
from tinygrad_edu.viz.training.boundary import boundary
from tinygrad_edu.viz.training.watch import watch
from tinygrad_edu.viz.words.explain import explain
from tinygrad_edu.viz.words.steps import steps
from tinygrad_edu.viz.words.why import why

__all__ = [
    "BackwardPass", "Comparison", "Drawing", "DrawingError", "Line", "Path", "Paths", "boundary", "bundle", "diff",
    "draw", "explain", "line_of", "recording", "steps", "trace", "watch", "why",
]  # fmt: skip

__getattr__ = answering(__name__, __all__)
