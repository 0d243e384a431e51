"""How each part of a picture looks: the tutorial's shapes in the colours of a palette, as DOT attributes.

Functions are yellow hexagons and results blue rectangles; variables have a double border, constants a dashed one, the
result a thick one, and what is flagged one in the colour of alarm. The wanted path is bold and red, other gradients
are blue. Shape and border carry the meaning, colour repeats it.

Source: the diagrams of the tutorial; Gansner and North, "An open graph visualization system" (2000), for DOT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_edu.viz.model.palette import FONT, Palette

if TYPE_CHECKING:
    from tinygrad_edu.viz.model.records import Arrow, Box, Operation

    Attributes = dict[str, str]


class Style:
    """The attributes of every part.

    Parameters
    ----------
    palette
        The colours.
    roomy
        Whether rows of boxes stand close to each other without steps and labels between them.
    """

    def __init__(self, palette: Palette, roomy: bool) -> None:
        self.palette = palette
        self.roomy = roomy

    def graph(self) -> Attributes:
        """The whole picture."""
        gaps = {"nodesep": "0.35", "ranksep": "0.35" if self.roomy else "0.18", "pad": "0.2"}
        return {"rankdir": "TB", "bgcolor": self.palette.paper, "fontname": FONT, **gaps}

    def node(self) -> Attributes:
        """What all boxes and steps have in common."""
        ink = {"fontcolor": self.palette.ink, "color": self.palette.ink}
        return {"shape": "box", "style": "filled", "fontname": FONT, "fontsize": "15", **ink}

    def edge(self) -> Attributes:
        """What all edges have in common."""
        ink = {"color": self.palette.live, "fontcolor": self.palette.live}
        return {"fontname": FONT, "fontsize": "13", **ink, "arrowsize": "0.8"}

    def cluster(self) -> Attributes:
        """The frame around a module call."""
        ink = {"color": self.palette.idle, "fontcolor": self.palette.quiet}
        return {"style": "rounded", **ink, "fontsize": "14", "labelloc": "t", "labeljust": "l"}

    def caption(self, wanted: bool) -> Attributes:
        """The lines under the picture."""
        colour = self.palette.wanted if wanted else self.palette.quiet
        return {"labelloc": "b", "fontsize": "18", "fontcolor": colour}

    def box(self, box: Box) -> Attributes:
        """A value."""
        p = self.palette
        kinds = {
            "result": {"fillcolor": p.value},
            "variable": {"fillcolor": p.value, "peripheries": "2"},
            "constant": {"fillcolor": p.constant, "style": "filled,dashed", "color": p.idle},
            "root": {"fillcolor": p.value, "penwidth": "4"},
            "module": {"fillcolor": p.folded, "style": "filled,rounded", "peripheries": "1"},
            "copy": {"fillcolor": p.value, "style": "filled,rounded", "color": p.idle},
        }
        return {**kinds[box.kind], **({"color": p.alarm, "penwidth": "4"} if box.flags else {})}

    def operation(self) -> Attributes:
        """An operation: a hexagon."""
        ink = {"fillcolor": self.palette.step, "fontcolor": self.palette.step_ink}
        return {"shape": "hexagon", **ink, "fontsize": "18", "margin": "0.04,0.02"}

    def arrow(self, arrow: Arrow) -> Attributes:
        """From an operand to an operation: bold if wanted, dashed where nothing passes, grey at constants."""
        p = self.palette
        idle = {} if arrow.live else {"color": p.idle, "fontcolor": p.idle}
        attributes = self.wanted() if arrow.wanted else idle
        closed = arrow.derivative is not None and arrow.derivative.closed
        return {**attributes, "style": "dashed"} if closed else attributes

    def link(self, operation: Operation) -> Attributes:
        """From an operation to its result."""
        return self.wanted() if operation.wanted else {}

    def wanted(self) -> Attributes:
        """An edge of the wanted path."""
        return {"color": self.palette.wanted, "fontcolor": self.palette.wanted, "penwidth": "3", "weight": "8"}
