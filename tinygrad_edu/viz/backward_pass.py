"""`BackwardPass`: one backward pass, to be looked at in every way there is.

It holds the graph it was made from and replays it for each view; no view changes a `.grad`.

Source: Bostock, Ogievetsky and Heer, "D3" (2011): data first, then the marks that show it.
"""

from __future__ import annotations

from functools import cached_property

from tinygrad_edu.viz.drawing import Drawing
from tinygrad_edu.viz.teller import Teller
from tinygrad_edu.viz.tracer import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.story import Leaf, Story


class BackwardPass:
    """The backward pass of a result.

    Attributes
    ----------
    root
        The result.
    story
        The pass as pure data: what is drawn, and every step forward, backward and of the update.
    """

    def __init__(self, root: Node, names: Mapping[str, Any] | None, lr: float) -> None:
        self.root, self.names, self.lr = root, names, lr

    @cached_property
    def teller(self) -> Teller:
        """Who tells the story; the graph is walked once."""
        return Teller(Tracer(self.root, None, self.names), self.lr)

    @cached_property
    def story(self) -> Story:
        """Everything there is to tell, as text."""
        return self.teller.story()

    def json(self) -> str:
        """The story as JSON."""
        from json import dumps

        return dumps(self.story.as_dict())

    def paths(self, to: Node) -> Leaf:
        """The paths from the result to a Value, and the products that sum to its gradient."""
        return self.teller.leaf(to)

    def draw(self, to: Node | None = None, mode: str = "forward") -> Drawing:
        """The static drawing; see `viz.draw`."""
        return Drawing(self.root, to, mode, self.names)
