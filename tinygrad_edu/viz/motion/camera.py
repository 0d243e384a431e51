"""What of a graph is in sight during each scene.

A graph that fits is seen whole and stands still. Of a larger one there is a view, centred on the place where things
happen, as far as there is graph around it.

Source: none; this is what the person behind a camera does.
"""

from __future__ import annotations

from tinygrad_edu.viz.motion.marks import middle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygrad_edu.viz.motion.marks import Layout, Point
    from tinygrad_edu.viz.motion.scenes import Scene

WIDEST, HIGHEST = 1_200.0, 1_300.0
NEARLY = 1.15
"""A graph that is larger by no more than this is still shown whole."""


class Camera:
    """Follows what happens.

    Parameters
    ----------
    layout
        The graph.
    scenes
        What happens.

    Attributes
    ----------
    width, height
        The extent of the view.
    focus
        For every scene the point it is about, in the coordinates of the layout.
    shifts
        For every scene how far the graph is moved, so that the view begins at (0, 0).
    """

    def __init__(self, layout: Layout, scenes: Sequence[Scene]) -> None:
        self.layout = layout
        self.width, self.height = seen(layout.width, WIDEST), seen(layout.height, HIGHEST)
        self.focus = [self.place(scene) for scene in scenes]
        self.shifts = [self.shift(point) for point in self.focus]

    def place(self, scene: Scene) -> Point:
        """The middle of what a scene is about, else of the first part that is lit up, else the beginning."""
        for part in (scene.focus, *scene.parts):
            if part and part in self.layout.parts:
                return middle(self.layout.parts[part])
        return self.layout.left, self.layout.top

    def shift(self, point: Point) -> Point:
        """The move that brings a point to the middle of the view, or as near as the ends of the graph allow."""
        layout = self.layout
        x = min(max(point[0] - self.width / 2, layout.left), layout.left + (layout.width - self.width))
        y = min(max(point[1] - self.height / 2, layout.top), layout.top + (layout.height - self.height))
        return -x, -y


def seen(extent: float, most: float) -> float:
    """How much of an extent is in sight."""
    return extent if extent <= NEARLY * most else most
