"""`Explorer`: forward, backward and update step by step, in one HTML file that needs nothing else.

The same file works from a disk, without a network, and inside a notebook, where it lies in a sandboxed frame over a
picture of the graph: notebooks that strip frames, because they are not trusted, show the picture.

Source: Satyanarayan and Heer, "Lyra" (2014), and Victor, "Ladder of Abstraction" (2011), for stepping by hand.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cached_property
from html import escape

from tinygrad_edu.viz.page.html import IMPLIED, page
from tinygrad_edu.viz.page.narration import finished, narrated
from tinygrad_edu.viz.picture import dot, graphviz
from tinygrad_edu.viz.picture.svg import PROLOG, allowed, fit_page
from tinygrad_edu.viz.saving import DrawingError, checked, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from tinygrad_edu.viz.model.records import Story

FRAME = """<div style="position:relative;height:{height}px;overflow:hidden">
{picture}
<iframe title="The backward pass of {title}, step by step" sandbox="allow-scripts" srcdoc="{page}" \
style="position:absolute;left:0;top:0;width:100%;height:100%;border:0;background:white"></iframe>
</div>"""
HEIGHT = 720
SVG_URI = "data:image/svg+xml;base64,"


class Explorer:
    """A page that shows the backward pass of a result step by step.

    Parameters
    ----------
    story
        What is told.
    text
        The graph in words, where no page can be shown.

    Attributes
    ----------
    html
        The page.
    """

    def __init__(self, story: Story, text: str) -> None:
        self.story = story
        self.text = text
        self.title = story.diagram.root.name

    @cached_property
    def html(self) -> str:
        """The page; without Graphviz it has no picture, and says what to install."""
        source = dot.source(self.story.diagram, grads=finished(self.story))
        source = source.replace("{", "{ edge [dir=both]", 1)  # the page shows one of the arrows
        try:
            picture = allowed(graphviz.render(source, "svg").decode(), IMPLIED)
        except DrawingError as error:
            picture = f"<p>{escape(str(error))}</p>"
        return page(self.title, picture, narrated(self.story))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to a file, all of it or nothing.

        Parameters
        ----------
        path
            Where to; the ending is .html.

        Raises
        ------
        ValueError
            For another ending.
        FileNotFoundError
            If the folder does not exist.
        """
        target, _ = checked(path, ("html",))
        write(target, self.html.encode())

    def framed(self) -> str:
        """The page in a sandboxed frame, which hides the picture below it."""
        return FRAME.format(height=HEIGHT, picture=self.still(), title=escape(self.title), page=escape(self.html))

    def still(self) -> str:
        """The static drawing as an image; without Graphviz the text view."""
        try:
            svg = fit_page(graphviz.render(dot.source(self.story.diagram, "backward"), "svg").decode(), self.title)
        except DrawingError:
            return f"<pre>{escape(str(self))}</pre>"
        uri = SVG_URI + b64encode((PROLOG + svg).encode()).decode()
        words = f"The graph of {escape(self.title)}"
        return f'<img alt="{words}" src="{uri}" style="max-width:100%;max-height:100%">'

    def _repr_html_(self) -> str:
        return self.framed()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.framed(), "text/plain": str(self)}

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__
