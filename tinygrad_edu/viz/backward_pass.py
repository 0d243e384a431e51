"""`BackwardPass`: one backward pass, to be looked at in every way there is.

It holds the graph it was made from and replays it for each view; no view changes a `.grad`. What is shown is made of
one story, so that the drawing, the explorer, the animation and the text agree to the last digit.

Source: Bostock, Ogievetsky and Heer, "D3" (2011): data first, then the marks that show it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from tinygrad_edu.viz import journal, text
from tinygrad_edu.viz.answers.explanation import explain
from tinygrad_edu.viz.drawing import FORMATS, Drawing, checked, write
from tinygrad_edu.viz.explorer import Explorer
from tinygrad_edu.viz.motion import animation
from tinygrad_edu.viz.paths import check_target
from tinygrad_edu.viz.teller import Teller
from tinygrad_edu.viz.terminal import Text, laid_out
from tinygrad_edu.viz.tracer import Tracer, trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Any

    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.story import Leaf, Story

MOVING = ("gif", "html", "json", "txt")


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
        check_target(self.root, to)
        return self.teller.leaf(to)

    def text(self, to: Node | None = None) -> Text:
        """The pass for a terminal: a tree of the Values, then every step; or the paths to one Value.

        Parameters
        ----------
        to
            The Value whose paths are wanted.
        """
        if to is not None:
            check_target(self.root, to)
            tree = text.tree(replace(trace(self.root, to, self.names), caption=()))
            return joined(tree, explain(to, self.root, names=self.names))
        told = self.teller.tracer
        steps = journal.ledger(told.nodes, told.gradients, told.uses, told.names)
        return joined(text.tree(self.teller.trace), steps)

    def draw(self, to: Node | None = None, mode: str = "forward") -> Drawing:
        """The static drawing; see `viz.draw`."""
        if to is not None:
            check_target(self.root, to)
        return Drawing(self.root, to, mode, self.names)

    def explore(self) -> Explorer:
        """The page on which the pass can be stepped through."""
        return Explorer(self.story)

    def save(self, path: str | PathLike[str], *, animate: bool = False) -> None:
        """Write the pass to a file; the ending says how.

        Parameters
        ----------
        path
            .html is the explorer, .gif an animation, .json the story as data, .txt the text; .svg, .png, .pdf and
            .dot are the static drawing.
        animate
            Let an .svg move; a .gif always does.

        Raises
        ------
        ValueError
            For another ending, and for `animate` with one that cannot move.
        FileNotFoundError
            If the folder does not exist.
        DrawingError
            Without Graphviz, for those forms that need it.
        """
        target, form = checked(path, (*FORMATS, *MOVING))
        if animate and form not in ("svg", "gif", "html"):
            raise ValueError(f"{target.name!r} cannot move: with animate=True write .svg, .gif or .html")
        write(target, self.rendered(form, animate))

    def rendered(self, form: str, animate: bool) -> bytes:
        """The pass in one of the forms."""
        if form == "gif":
            return animation.gif(self.story)
        if form == "svg" and animate:
            return animation.animated_svg(self.story).encode()
        if form in FORMATS:
            return self.draw().rendered(form)
        if form == "html":
            return self.explore().html.encode()
        return self.json().encode() if form == "json" else "\n".join([*self.text().splitlines(), ""]).encode()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle: dict[str, str] = self.explore()._repr_mimebundle_(include, exclude)
        return bundle

    def __str__(self) -> str:
        return str(self.text())

    __repr__ = __str__


def joined(*parts: Text) -> Text:
    """Texts below each other, with an empty line between."""
    return laid_out([line for part in parts for line in ("", *part.splitlines())][1:])
