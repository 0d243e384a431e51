"""Seeing the backward pass.

`draw(loss)` shows every operation with its data, its gradient and its local derivatives; `draw(loss, to=w)` the
paths from a weight to the loss, the product along each, and that they add up to the gradient.

Source: the tutorial's diagrams, functions as yellow hexagons and intermediate results as blue rectangles.
"""

from __future__ import annotations

from tinygrad_edu import errors
from tinygrad_edu.graph import Node, backwards
from tinygrad_edu.viz.drawing import Drawing
from tinygrad_edu.viz.layout import DrawingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Drawing", "DrawingError", "draw"]

MODES = ("forward", "backward")


def draw(loss: Any, to: Any = None, *, mode: str = "forward", names: Mapping[str, Any] | None = None) -> Drawing:
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

    Raises
    ------
    TypeError
        If `loss` or `to` is not a Value.
    ValueError
        For another mode, and if the result does not depend on `to` or, with `to`, is not a single number.
    """
    if not isinstance(loss, Node):
        raise TypeError(errors.constants_only(loss))
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}: 'forward' or 'backward'")
    if to is not None:
        check_target(loss, to)
    return Drawing(loss, to, mode, names)


def check_target(loss: Node, to: Any) -> None:
    """Refuse a target that has no path to the result, and a result without a gradient."""
    if not isinstance(to, Node):
        raise TypeError(f"to= is the Value to draw the paths from, such as a weight; got {type(to).__name__}")
    if loss.data.size != 1:
        raise ValueError(errors.not_scalar(loss.name, loss.data.shape))
    if to not in set(backwards(loss)):
        raise ValueError(
            f"{loss.name or 'the result'} was not computed from {to.name or 'the Value given as to='}: "
            "no path leads from one to the other"
        )
