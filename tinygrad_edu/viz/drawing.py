"""`Drawing`: a picture that notebooks show, terminals print as a tree, and files keep.

It is laid out when it is looked at. Where there is no Graphviz, the tree and the DOT text are there all the same,
and saving says what to install.

Source: IPython's documentation of `_repr_mimebundle_`.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from tinygrad_edu.viz import dot, layout, text
from tinygrad_edu.viz.palette import LIGHT
from tinygrad_edu.viz.svg import PROLOG, fit_page
from tinygrad_edu.viz.tracer import trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Any

    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.palette import Palette

MODES = ("forward", "backward")
FORMATS = ("svg", "png", "pdf", "dot")


class Drawing:
    """The graph of a result as a picture.

    Attributes
    ----------
    trace
        What is drawn, as data.
    source
        The picture as DOT text.
    """

    def __init__(
        self,
        root: Node,
        to: Node | None = None,
        mode: str = "forward",
        names: Mapping[str, Any] | None = None,
        level: str = "tensor",
        palette: Palette = LIGHT,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"mode is {mode!r}: 'forward' or 'backward'")
        self.drawn, self.mode, self.palette = (root, to, names), mode, palette
        self.trace = trace(*self.drawn, level)

    @cached_property
    def source(self) -> str:
        """The picture as DOT text."""
        return dot.source(self.trace, self.mode, palette=self.palette)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a file; the ending says in which format.

        Raises
        ------
        ValueError
            For an ending other than .svg, .png, .pdf and .dot.
        FileNotFoundError
            If the folder does not exist.
        DrawingError
            If there is no Graphviz; .dot needs none.
        """
        target, form = checked(path, FORMATS)
        write(target, self.rendered(form))

    def rendered(self, form: str) -> bytes:
        """The picture in one of the formats."""
        if form == "dot":
            return self.source.encode()
        if form == "svg":
            return (PROLOG + self.svg).encode()
        return self.laid_out(form)

    @cached_property
    def svg(self) -> str:
        """The picture as an `<svg>` element."""
        return fit_page(self.laid_out("svg").decode(), " ".join(self.trace.caption) or "computation graph")

    def laid_out(self, form: str) -> bytes:
        """The layout by Graphviz; of the folded graph, if there is too much in it for the time allowed."""
        try:
            return layout.render(self.source, form)
        except layout.LayoutTimeout:
            if self.trace.detail != "merged":
                raise
            folded = trace(*self.drawn, "module")
            return layout.render(dot.source(folded, self.mode, palette=self.palette), form)

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg
        except layout.DrawingError:
            return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": str(self)}
        except layout.DrawingError as error:
            return {"text/plain": f"{error}\n\n{self}"}

    def __str__(self) -> str:
        return str(text.tree(self.trace))

    __repr__ = __str__


def checked(path: str | PathLike[str], forms: Sequence[str]) -> tuple[Path, str]:
    """The file to write and its form, which its ending names; refused before anything is drawn."""
    target = Path(path)
    form = target.suffix.lower().removeprefix(".")
    if form not in forms:
        raise ValueError(f"cannot save {target.name!r}: the formats are {', '.join('.' + f for f in forms)}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot save {target.name!r}: create the folder {str(target.parent)!r} first")
    return target, form


def write(target: Path, picture: bytes) -> None:
    """A file, all of it or nothing."""
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.write_bytes(picture)
    unfinished.replace(target)
