"""Seeing the backward pass.

`draw(loss)` shows every operation with its data, its gradient and its local derivatives; `draw(loss, to=w)` the
paths from a weight to the loss, the product along each, and that they add up to the gradient.

Source: the tutorial's diagrams, functions as yellow hexagons and intermediate results as blue rectangles.
"""

from __future__ import annotations

from tinygrad_edu import errors
from tinygrad_edu.graph import Node
from tinygrad_edu.viz.answers.cause import why
from tinygrad_edu.viz.answers.explanation import explain
from tinygrad_edu.viz.backward_pass import BackwardPass
from tinygrad_edu.viz.card import bundle
from tinygrad_edu.viz.comparison import Comparison, diff
from tinygrad_edu.viz.drawing import Drawing
from tinygrad_edu.viz.journal import steps
from tinygrad_edu.viz.layout import DrawingError
from tinygrad_edu.viz.lines import Line, line_of, look_at, recording
from tinygrad_edu.viz.palette import DARK, LIGHT
from tinygrad_edu.viz.paths import check_target
from tinygrad_edu.viz.training.boundary import boundary
from tinygrad_edu.viz.training.watch import watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = [
    "BackwardPass", "Comparison", "Drawing", "DrawingError", "Line", "boundary", "bundle", "diff", "draw", "explain",
    "line_of", "recording", "steps", "trace", "watch", "why",
]  # fmt: skip

LEVELS = ("module", "tensor", "scalar")


def draw(
    loss: Any,
    to: Any = None,
    *,
    mode: str = "forward",
    names: Mapping[str, Any] | None = None,
    level: str = "tensor",
    dark: bool = False,
) -> Drawing:
    """Draw the graph of a result: a picture in a notebook, a tree in a terminal.

    Parameters
    ----------
    loss
        The result.
    to
        A Value behind it, such as a weight: its paths to the result are drawn in red, and the caption is the
        chain rule along them.
    mode
        Where arrows point: "forward" as data flows, "backward" as gradients do.
    names
        What to call Values and arrays that have no name of their own, such as `locals()`.
    level
        How close to look: "tensor" draws every operation on arrays, "module" a box for each module call and each
        repetition (as graphs of more than 2,000 Values are drawn anyway), "scalar" every operation on single
        numbers, so that a matrix product becomes its multiplications and additions.
    dark
        Light on dark, for slides and dark pages.

    Raises
    ------
    TypeError
        If `loss` or `to` is not a Value.
    ValueError
        For another mode or level; for too many numbers at level "scalar"; and if the result does not depend on `to`
        or, with `to`, is not a single number.
    """
    if not isinstance(loss, Node):
        raise TypeError(errors.constants_only(loss))
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}: 'module', 'tensor' or 'scalar'")
    if to is not None:
        check_target(loss, to)
        if level == "scalar":
            raise ValueError("level='scalar' draws single numbers, and to= is a whole Value: leave out one of them")
    look_at(loss)
    return Drawing(loss, to, mode, names, level, DARK if dark else LIGHT)


def trace(loss: Any, *, names: Mapping[str, Any] | None = None, lr: float = 0.1) -> BackwardPass:
    """Replay the backward pass of a result, to see it in any of the views; no `.grad` is changed.

    Parameters
    ----------
    loss
        The result, a single number.
    names
        What to call Values and arrays that have no name of their own, such as `locals()`.
    lr
        The learning rate with which the update is shown.

    Raises
    ------
    TypeError
        If `loss` is not a Value.
    ValueError
        If `loss` is not a single number.
    """
    if not isinstance(loss, Node):
        raise TypeError(errors.constants_only(loss))
    if loss.data.size != 1:
        raise ValueError(errors.not_scalar(loss.name, loss.data.shape))
    look_at(loss)
    return BackwardPass(loss, names, lr)
