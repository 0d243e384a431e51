"""`recording` and `trace`, and the `BackwardPass` it returns: one backward pass, to be looked at in every way.

It holds the graph it was made from, replayed once; no view changes a `.grad`. What is shown is made of one story, so
that the drawing, the explorer, the animation and the text agree to the last digit.

Source: Bostock, Ogievetsky and Heer, "D3" (2011): data first, then the marks that show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from json import dumps
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu.blocks import block
from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import Node
from tinygrad_edu.listeners import listening
from tinygrad_edu.names import absent
from tinygrad_edu.notes import LastPass, look_at, verified
from tinygrad_edu.viz.drawing import FORMATS, Drawing, inert_svg
from tinygrad_edu.viz.model import build
from tinygrad_edu.viz.model.formatting import Text, joined
from tinygrad_edu.viz.model.names import mapping
from tinygrad_edu.viz.model.paths import Paths, check_result, check_target, find_paths
from tinygrad_edu.viz.model.records import Diagram, Story
from tinygrad_edu.viz.model.replay import Replay
from tinygrad_edu.viz.model.steps import tell
from tinygrad_edu.viz.motion.gif import animated_gif
from tinygrad_edu.viz.motion.stage import Stage
from tinygrad_edu.viz.motion.svg import animated_svg
from tinygrad_edu.viz.page.explorer import Explorer
from tinygrad_edu.viz.saving import checked, write
from tinygrad_edu.viz.words.explain import explained
from tinygrad_edu.viz.words.steps import as_dict, numbered
from tinygrad_edu.viz.words.tree import tree

MOVING = ("gif", "html", "json", "txt")


@block("with viz.recording():")
def recording() -> Iterator[None]:
    """A block in which every new Value is remembered with the line that made it, which pictures in words then name.

    Backward passes are verified, as in `te.verified()`. It holds for this thread or task only, blocks can be nested,
    and a Value keeps its line after the block. An operation takes several times as long while it lasts.
    """
    with verified(), listening(LastPass()):
        yield


def trace(loss: Any, *, names: Mapping[str, Any] | None = None, lr: float = 0.1) -> BackwardPass:
    """The backward pass of a result, replayed to be seen in any of the views; no `.grad` is changed.

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
    TypeError, ValueError
        If `loss` is not a Value, or not a single number.
    """
    check_result(loss)
    mapping(names)
    if not isinstance(lr, int | float | np.integer | np.floating):
        raise refusal(TypeError, f"lr is a number; got {lr!r:.60}")
    look_at(loss)
    return BackwardPass(loss, names, lr)


class BackwardPass:
    """The backward pass of a result.

    Parameters
    ----------
    root
        The result.
    names
        What to call Values and arrays that have no name of their own, or None.
    lr
        The learning rate with which the update is shown.
    """

    if not TYPE_CHECKING:  # a type checker should report unknown attributes, not accept them all

        def __getattr__(self, name: str) -> Any:
            """Refuse an attribute that does not exist, with what it is called here."""
            raise absent(self, "BackwardPass", name)

    def __init__(self, root: Node, names: Mapping[str, Any] | None, lr: float) -> None:
        self.root = root
        self.given = names
        self.lr = lr

    @cached_property
    def replay(self) -> Replay:
        """The graph and its gradients, computed once."""
        return Replay(self.root, self.given)

    @cached_property
    def diagram(self) -> Diagram:
        """What is drawn, as data."""
        return build.diagram(self.replay)

    @cached_property
    def story(self) -> Story:
        """The pass as data: what is drawn, and every step forward, backward and of the update."""
        return tell(self.replay, self.diagram, self.lr)

    def json(self) -> str:
        """The story as JSON, its numbers as text."""
        return dumps(as_dict(self.story))

    def paths(self, to: Node) -> Paths:
        """The paths from the result to a Value, in numbers.

        There are `count`, of which the largest are `listed`, each with its `edges` and its `product`, an array of the
        shape of the Value. The products and the `rest` sum to the `gradient`.

        Parameters
        ----------
        to
            The Value that the paths lead to.

        Raises
        ------
        TypeError, ValueError
            If `to` is not a Value, or the result was not computed from it.
        """
        check_target(self.replay, to)
        return find_paths(self.replay, to)

    def text(self, to: Node | None = None) -> Text:
        """The pass for a terminal: a tree of the Values, then every step; or the paths to one Value.

        Parameters
        ----------
        to
            The Value whose paths are wanted.
        """
        if to is None:
            return joined(tree(self.diagram), numbered(self.replay))
        chain = build.chain_rule(self.replay, to)
        return joined(tree(build.diagram(self.replay, chain), caption=False), explained(self.replay, to))

    def draw(self, to: Node | None = None, mode: str = "forward") -> Drawing:
        """The static drawing.

        Parameters
        ----------
        to
            A Value whose paths to the result are drawn in red.
        mode
            Where arrows point: "forward" as data flows, "backward" as gradients do.
        """
        chain = build.chain_rule(self.replay, to)
        diagram = self.diagram if chain is None else build.diagram(self.replay, chain)
        return Drawing(diagram, mode, folded=lambda: build.diagram(self.replay, chain, folded=True))

    def explore(self) -> Explorer:
        """The page on which the pass can be stepped through."""
        return Explorer(self.story, partial(inert_svg, self.diagram), self.draw(mode="backward"))

    def stage(self) -> Stage:
        """What an animation shows, and when."""
        return Stage(self.story, partial(inert_svg, self.diagram))

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
        ValueError, FileNotFoundError, DrawingError
            For another ending, or with `animate` one that cannot move; for a folder that does not exist; without
            Graphviz, for those forms that need it.
        """
        target, form = checked(path, (*FORMATS, *MOVING))
        if animate and form not in ("svg", "gif", "html"):
            raise refusal(ValueError, f"{target.name!r} cannot move: with animate=True write .svg, .gif or .html")
        write(target, self.rendered(form, animate))

    def rendered(self, form: str, animate: bool) -> bytes:
        """The pass in one of the forms.

        Parameters
        ----------
        form, animate
            An ending of `save`, without the dot, and whether an SVG moves.
        """
        if form == "gif":
            return animated_gif(self.stage())
        if form == "svg" and animate:
            return animated_svg(self.stage()).encode()
        if form in FORMATS:
            return self.draw().rendered(form)
        if form == "html":
            return self.explore().html.encode()
        return self.json().encode() if form == "json" else "\n".join([*self.text().splitlines(), ""]).encode()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.explore()._repr_mimebundle_(include, exclude)

    def __str__(self) -> str:
        return str(self.text())

    __repr__ = __str__
