"""`draw`, and the `Drawing` it returns: a picture that notebooks show, terminals print as a tree, and files keep.

It is laid out when it is looked at. Where there is no Graphviz, the tree and the DOT text are there all the same,
and saving says what to install.

Source: IPython's documentation of `_repr_mimebundle_`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.graph import Node
from tinygrad_edu.names import absent
from tinygrad_edu.notes import look_at
from tinygrad_edu.viz.model import build
from tinygrad_edu.viz.model.palette import DARK, LIGHT, Palette
from tinygrad_edu.viz.model.records import Diagram
from tinygrad_edu.viz.picture import boxes_and_hexagons, graphviz
from tinygrad_edu.viz.picture.svg import PROLOG, allowed, fit_page
from tinygrad_edu.viz.saving import DrawingError, checked, write
from tinygrad_edu.viz.words.tree import tree

LEVELS = ("module", "tensor", "scalar")
MODES = ("forward", "backward")
FORMATS = ("svg", "png", "pdf", "dot")
Maker = Callable[[], Diagram]


def draw(
    loss: Any,
    to: Any = None,
    *,
    mode: str = "forward",
    names: Mapping[str, Any] | None = None,
    level: str = "tensor",
    dark: bool = False,
) -> Drawing:
    """A drawing of the graph of a result: a picture in a notebook or a file, a tree in a terminal.

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
    TypeError, ValueError
        If `loss` or `to` is not a Value; for another mode or level; for too many numbers at level "scalar"; and if
        the result does not depend on `to` or, with `to`, is not a single number.
    """
    if not isinstance(loss, Node):
        raise errors.constants_only(loss)
    if not isinstance(dark, bool | np.bool_):
        raise errors.refusal(TypeError, f"dark is True or False; got {dark!r:.60}")
    if not isinstance(level, str) or level not in LEVELS:
        raise errors.refusal(ValueError, f"level is {level!r}: 'module', 'tensor' or 'scalar'")
    if to is not None and level == "scalar":
        raise errors.refusal(
            ValueError, "level='scalar' draws single numbers, and to= is a whole Value: leave out one of them"
        )
    look_at(loss)
    replay = build.replay_at(loss, names, level)
    chain = build.chain_rule(replay, to)
    folded = partial(build.diagram, replay, chain, folded=True)
    diagram = folded() if level == "module" else build.diagram(replay, chain)
    return Drawing(diagram, mode, DARK if dark else LIGHT, folded)


class Drawing:
    """The graph of a result as a picture.

    Parameters
    ----------
    diagram
        What is drawn, as data.
    mode
        Where arrows point: "forward" as data flows, "backward" as gradients do.
    palette
        The colours.
    folded
        Makes what is drawn instead, if Graphviz takes too long.
    """

    def __init__(
        self, diagram: Diagram, mode: str = "forward", palette: Palette = LIGHT, folded: Maker | None = None
    ) -> None:
        if not isinstance(mode, str) or mode not in MODES:
            raise errors.refusal(ValueError, f"mode is {mode!r}: 'forward' or 'backward'")
        self.diagram = diagram
        self.mode = mode
        self.palette = palette
        self.folded = folded

    if not TYPE_CHECKING:  # a type checker should report unknown attributes, not accept them all

        def __getattr__(self, name: str) -> Any:
            """Refuse an attribute that does not exist, with what it is called here."""
            raise absent(self, "Drawing", name)

    @cached_property
    def source(self) -> str:
        """The picture as DOT text."""
        return boxes_and_hexagons.source(self.diagram, self.mode, self.palette)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a file; the ending says in which format.

        Parameters
        ----------
        path
            Where to; the ending is .svg, .png, .pdf or .dot.

        Raises
        ------
        ValueError, FileNotFoundError, DrawingError
            For another ending, a folder that does not exist, and without Graphviz, which .dot does not need.
        """
        target, form = checked(path, FORMATS)
        write(target, self.rendered(form))

    def rendered(self, form: str) -> bytes:
        """The picture in one of the formats.

        Parameters
        ----------
        form
            "dot", "svg", "png" or "pdf".
        """
        if form == "dot":
            return self.source.encode()
        return (PROLOG + self.svg).encode() if form == "svg" else self.laid_out(form)

    @cached_property
    def svg(self) -> str:
        """The picture as an `<svg>` element."""
        chain = self.diagram.chain
        spoken = " ".join(chain.lines()) if chain else "computation graph"
        return fit_page(self.laid_out("svg").decode(), spoken)

    def laid_out(self, form: str) -> bytes:
        """The layout by Graphviz; of the folded graph, if there is too much in it for the time allowed.

        Parameters
        ----------
        form
            A format of Graphviz, such as "svg".
        """
        try:
            return graphviz.render(self.source, form)
        except graphviz.LayoutTimeout:
            if self.diagram.detail != "merged" or self.folded is None:
                raise
            return graphviz.render(boxes_and_hexagons.source(self.folded(), self.mode, self.palette), form)

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg
        except DrawingError:
            return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": str(self)}
        except DrawingError as error:
            return {"text/plain": f"{error}\n\n{self}"}

    def __str__(self) -> str:
        return str(tree(self.diagram))

    __repr__ = __str__


def inert_svg(
    diagram: Diagram, grads: Mapping[str, str], mode: str = "forward", implied: Iterable[tuple[str, str]] = ()
) -> str:
    """A diagram for a page or an animation: every part with its id, and nothing in it that can act.

    Its boxes show for a gradient what `grads` says, by their ids; arrows point "forward", "backward" or to "both"
    sides; `implied` are attributes and values that can be left out.
    """
    return allowed(graphviz.render(boxes_and_hexagons.source(diagram, mode, LIGHT, grads), "svg").decode(), implied)
